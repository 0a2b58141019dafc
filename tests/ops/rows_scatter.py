"""Rows of writing by index and of reductions over segments. Every oracle is a loop."""

import numpy as np

from tests.ops.table import Row

MASK = np.array([[True, False, True], [False, False, True]])
IDS = np.array([2, 0, 2, 4, 2, 0, 4])
STARTS = {"sum": 0.0, "prod": 1.0, "amax": -np.inf, "amin": np.inf}
STEPS = {"sum": np.add, "mean": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum}


def normals(*shapes, index=None, high=0):
    """Normal arrays, and integers in [0, high) of shape `index` last."""

    def draw(rng):
        arrays = [rng.standard_normal(shape) for shape in shapes]
        return (*arrays, rng.integers(0, high, index)) if index is not None else tuple(arrays)

    return draw


def put(label, shape, value_shape, key, accumulate=False):
    """A row for `index_put` with a fixed key."""

    def oracle(x, value):
        out = x.copy()
        if accumulate:
            np.add.at(out, key, value)
        else:
            out[key] = value
        return out

    return Row(
        "index_put",
        normals(shape, value_shape),
        oracle,
        label=label,
        call=lambda tn, x, value: tn.index_put(x, key, value, accumulate=accumulate),
    )


def lines(x, index, source, axis, step):
    """`step(old, new)` for every place of `index`, one after the other."""
    out = x.copy()
    for place in np.ndindex(index.shape):
        target = list(place)
        target[axis] = index[place]
        out[tuple(target)] = step(out[tuple(target)], source[place])
    return out


def last(old, new):
    return new


def reduced(x, index, source, axis, reduce, include_self):
    ones = lines(np.zeros_like(x), index, np.ones(index.shape), axis, np.add)
    start = x if include_self else np.where(ones > 0, STARTS.get(reduce, 0.0), x)
    out = lines(start, index, source, axis, STEPS[reduce])
    return out / np.where(ones > 0, ones + include_self, 1) if reduce == "mean" else out


def reduce_row(reduce, include_self):
    return Row(
        "scatter_reduce",
        normals((4, 3), (5, 3), index=(5, 3), high=4),
        lambda x, source, i: reduced(x, i, source, 0, reduce, include_self),
        call=lambda tn, x, source, i: tn.scatter_reduce(x, 0, i, source, reduce, include_self=include_self),
        label=reduce + ("" if include_self else ", others only"),
    )


def segments(x, step, start):
    out = np.full((5, *x.shape[1:]), start)
    for e, k in enumerate(IDS):
        out[k] = step(out[k], x[e])
    return out


def soft(x):
    e = np.exp(x)
    return np.array([e[i] / sum(e[j] for j in range(len(IDS)) if IDS[j] == IDS[i]) for i in range(len(IDS))])


def segment_row(name, oracle, label="", order=2, **options):
    return Row(
        name,
        normals((7, 3)),
        oracle,
        order=order,
        call=lambda tn, x: getattr(tn, name)(x, IDS, 5, **options),
        label=label,
    )


ROWS = [
    put("int", (3, 4), (4,), 1),
    put("slices", (3, 4), (2, 2), (slice(0, 3, 2), slice(None, None, -2))),
    put("broadcast value", (3, 4), (1,), (slice(None), 2)),
    Row(
        "index_put",
        normals((3, 4), (2,)),
        lambda x, v: np.where(np.arange(4) == [[1], [1], [9]], np.append(v, 0)[:, None], x) ** 2,
        call=lambda tn, x, v: tn.index_put(x, ([0, 1], 1), v) ** 2,
        label="squared",
    ),
    put("leading ones", (3, 4), (1, 1, 4), 0),
    put("list", (4, 3), (2, 3), ([2, 0],)),
    put("last write stays", (4, 3), (3, 3), ([2, 0, 2],)),
    put("last write stays, apart", (3, 2, 4), (4, 2), ([0, 1, 1, 0], slice(None), [1, 1, 1, 1])),
    put("last write stays, axis 1", (3, 4), (3, 5), (slice(None), [2, 0, 2, 2, 0])),
    put("mask", (2, 3), (3,), MASK),
    put("0-d array", (3, 2), (2,), np.array(1)),
    put("add to slice", (3, 4), (2, 4), slice(0, 2), accumulate=True),
    put("add to list", (4, 3), (3, 3), ([2, 0, 2],), accumulate=True),
    put("add to lists apart", (3, 2, 4), (3, 2), ([0, 1, 1], slice(None), [1, 1, 1]), accumulate=True),
    put("add one number", (4, 3), (), ([2, 0, 2],), accumulate=True),
    put("add to mask", (2, 3), (3,), MASK, accumulate=True),
    put("add to mask beside list", (2, 3, 4), (3,), (MASK, [0, 1, 1]), accumulate=True),
    Row(
        "index_add",
        normals((4, 3), (5, 3), index=5, high=4),
        lambda x, s, i: lines(x, np.repeat(i[:, None], 3, 1), 2 * s, 0, np.add),
        call=lambda tn, x, s, i: tn.index_add(x, 0, i, s, alpha=2),
    ),
    Row(
        "index_copy",
        normals((4, 3), (4, 5), index=5, high=3),
        lambda x, s, i: lines(x, np.repeat(i[None], 4, 0), s, 1, last),
        call=lambda tn, x, s, i: tn.index_copy(x, 1, i, s),
    ),
    Row(
        "index_fill",
        normals((4, 3), (), index=2, high=4),
        lambda x, v, i: lines(x, np.repeat(i[:, None], 3, 1), np.full((2, 3), v), 0, last),
        call=lambda tn, x, v, i: tn.index_fill(x, 0, i, v),
    ),
    Row(
        "masked_scatter",
        normals((2, 3), (4,)),
        lambda x, s: np.array([[s[0], x[0, 1], s[1]], [x[1, 0], x[1, 1], s[2]]]),
        call=lambda tn, x, s: tn.masked_scatter(x, MASK, s),
    ),
    Row(
        "index_fill",
        normals((4, 3)),
        lambda x: np.where(np.arange(3) == 1, 0.1, x),
        call=lambda tn, x: tn.index_fill(x, 1, [1], 0.1),
        label="a number in double precision",
    ),
    Row(
        "masked_scatter",
        normals((3,), (4,)),
        lambda x, s: np.array([[s[0], x[1], s[1]], [x[0], x[1], s[2]]]),
        call=lambda tn, x, s: tn.masked_scatter(x, MASK, s),
        label="broadcast",
    ),
    Row(
        "scatter",
        normals((4, 5), (3, 6), index=(2, 6), high=5),
        lambda x, s, i: lines(x, i, s, 1, last),
        call=lambda tn, x, s, i: tn.scatter(x, 1, i, s),
    ),
    Row(
        "scatter",
        normals((4, 5), (), index=(2, 3), high=4),
        lambda x, s, i: lines(x, i, np.full((2, 3), s), 0, last),
        call=lambda tn, x, s, i: tn.scatter(x, 0, i, s),
        label="one number",
    ),
    Row(
        "scatter_add",
        normals((4, 5), (7, 4), index=(7, 4), high=4),
        lambda x, s, i: lines(x, i, s, 0, np.add),
        call=lambda tn, x, s, i: tn.scatter_add(x, 0, i, s),
    ),
    Row(
        "put_along_axis",
        normals((4, 5), (4, 1), index=(1, 3), high=5),
        lambda x, v, i: lines(x, np.repeat(i, 4, 0), np.repeat(v, 3, 1), 1, last),
        call=lambda tn, x, v, i: tn.put_along_axis(x, i, v, axis=1),
    ),
    *[reduce_row(reduce, include) for reduce in STEPS for include in (True, False)],
    segment_row("segment_sum", lambda x: segments(x, np.add, 0.0)),
    segment_row("segment_mean", lambda x: segments(x, np.add, 0.0) / np.array([2, 1, 3, 1, 2])[:, None]),
    segment_row("segment_prod", lambda x: segments(x, np.multiply, 1.0)),
    segment_row("segment_max", lambda x: segments(x, np.maximum, -np.inf), label="-inf", order=0),
    segment_row(
        "segment_max",
        lambda x: np.where(np.isin(np.arange(5), IDS)[:, None], segments(x, np.maximum, -np.inf), 0),
        label="zero",
        empty=0.0,
    ),
    segment_row(
        "segment_min",
        lambda x: np.where(np.isin(np.arange(5), IDS)[:, None], segments(x, np.minimum, np.inf), 9),
        label="nine",
        empty=9.0,
    ),
    Row(
        "segment_min",
        normals((7, 3)),
        lambda x: np.where(np.isin(np.arange(5), IDS)[:, None], segments(x, np.minimum, np.inf), 9),
        call=lambda tn, x: tn.segment_min(x, tn.Segments(IDS, 5, device=x.device), empty=9.0),
        label="sorted once",
    ),
    segment_row("segment_softmax", lambda x: soft(x)),
    Row(
        "segment_softmax",
        normals((7, 3)),
        lambda x: soft(10 * x),
        call=lambda tn, x: tn.segment_softmax(10 * x, tn.Segments(IDS, 5, device=x.device)),
        label="sorted once",
        tolerance=1e-11,
    ),
    Row("bincount", lambda rng: (rng.integers(0, 6, 20),), np.bincount, order=0),
    Row(
        "bincount",
        normals((9,), index=9, high=4),
        lambda w, i: np.bincount(i, w, 7),
        call=lambda tn, w, i: tn.bincount(i, w, 7),
        label="weights",
    ),
]
