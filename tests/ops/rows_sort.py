"""Rows of sorting, searching and sets."""

import numpy as np

from tests.ops.table import Row, normal

INTS = np.array([[3, 1, 2, 3, 1], [0, 0, 5, 2, 2]])


def integers(rng):
    return (rng.integers(0, 5, (4, 7)),)


def normals_with_nan(rng):
    x = rng.standard_normal((600, 4))
    x[[5, 17, 300], [0, 1, 1]] = np.nan
    return (x,)


def descending_order(x):
    """By a stable sort of Python, the largest first."""
    return np.array([sorted(range(len(row)), key=lambda k: -row[k]) for row in x])


ROWS = [
    Row("sort", normal((4, 5)), np.sort),
    Row(
        "sort",
        normal((4, 3, 5)),
        lambda x: -np.sort(-x, axis=1),
        call=lambda tn, x: tn.sort(x, axis=1, descending=True),
        label="descending",
    ),
    Row("sort", integers, np.sort, order=0, label="ints"),
    Row(
        "argsort",
        lambda rng: (rng.integers(0, 500, (3, 700)).astype(float),),
        lambda x: np.argsort(x, kind="stable"),
        order=0,
        label="long, ties",
    ),
    Row(
        "argsort",
        normals_with_nan,
        lambda x: np.argsort(x, axis=0, kind="stable"),
        call=lambda tn, x: tn.argsort(x, axis=0),
        order=0,
        label="long, NaN",
    ),
    Row("argsort", integers, lambda x: np.argsort(x, kind="stable"), order=0),
    Row(
        "argsort",
        integers,
        descending_order,
        call=lambda tn, x: tn.argsort(x, descending=True),
        order=0,
        label="descending",
    ),
    Row(
        "topk",
        normal((4, 6)),
        lambda x: (-np.sort(-x)[:, :3], descending_order(x)[:, :3]),
        call=lambda tn, x: tn.topk(x, 3),
    ),
    Row(
        "topk",
        normal((6, 4)),
        lambda x: (np.sort(x, axis=0)[:2], np.argsort(x, axis=0)[:2]),
        call=lambda tn, x: tn.topk(x, 2, axis=0, largest=False),
        label="smallest",
    ),
    Row(
        "topk",
        lambda rng: (rng.permuted(np.tile(np.arange(200.0), (2, 1)), axis=1),),
        lambda x: (-np.sort(-x)[:, :5], descending_order(x)[:, :5]),
        call=lambda tn, x: tn.topk(x, 5),
        order=1,
        label="long",
    ),
    Row(
        "topk",
        lambda rng: (rng.integers(0, 4, (3, 90)).astype(float),),
        lambda x: descending_order(x)[:, :40],
        call=lambda tn, x: tn.topk(x, 40).indices,
        order=0,
        label="ties",
    ),
    Row(
        "kthvalue",
        normal((4, 6)),
        lambda x: (np.sort(x)[:, 2], np.argsort(x)[:, 2]),
        call=lambda tn, x: tn.kthvalue(x, 3),
    ),
    Row(
        "kthvalue",
        normal((4, 6)),
        lambda x: (np.sort(x, axis=0)[:1], np.argsort(x, axis=0)[:1]),
        call=lambda tn, x: tn.kthvalue(x, 1, axis=0, keepdims=True),
        label="keepdims",
    ),
    Row(
        "searchsorted",
        lambda rng: (np.sort(rng.integers(0, 9, 6)), rng.integers(0, 9, (3, 4))),
        lambda a, v: np.sum(a < v[..., None], axis=-1),
        order=0,
    ),
    Row(
        "searchsorted",
        lambda rng: (rng.integers(0, 9, 6), rng.integers(0, 9, 5)),
        lambda a, v: np.sum(a <= v[..., None], axis=-1),
        order=0,
        label="right, sorter",
        call=lambda tn, a, v: tn.searchsorted(a, v, side="right", sorter=tn.argsort(a)),
    ),
    Row(
        "searchsorted",
        lambda rng: (np.sort(rng.integers(0, 9, (2, 3, 6))), rng.integers(0, 9, (2, 3, 5))),
        lambda a, v: np.sum(a[..., None, :] < v[..., None], axis=-1),
        order=0,
        label="lines",
    ),
    Row("unique_values", integers, lambda x: np.array(sorted(set(x.ravel()))), order=0),
    Row(
        "unique_counts",
        integers,
        lambda x: (sorted(set(x.ravel())), [np.sum(x == v) for v in sorted(set(x.ravel()))]),
        order=0,
    ),
    Row(
        "unique_inverse",
        integers,
        lambda x: (sorted(set(x.ravel())), np.vectorize(sorted(set(x.ravel())).index)(x)),
        order=0,
    ),
    Row(
        "unique_all",
        lambda rng: (INTS,),
        lambda x: ([0, 1, 2, 3, 5], [5, 1, 2, 0, 7], [[3, 1, 2, 3, 1], [0, 0, 4, 2, 2]], [2, 2, 3, 2, 1]),
        order=0,
    ),
    Row("isin", lambda rng: (INTS, np.array([3, 0])), lambda x, y: (x == 3) | (x == 0), order=0),
    Row(
        "isin",
        lambda rng: (INTS, np.array([3, 0])),
        lambda x, y: (x != 3) & (x != 0),
        order=0,
        label="invert",
        call=lambda tn, x, y: tn.isin(x, y, invert=True),
    ),
]
