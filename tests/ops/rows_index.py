"""Rows of reading by index."""
import numpy as np

from tests.ops.table import Row, normal

MASK = np.array([[True, False, True], [False, False, True]])
SIGNS = np.array([1.0, -1.0])


def with_indices(shape, low, high, index_shape):
    """A normal array and integers in [low, high)."""
    return lambda rng: (rng.standard_normal(shape), rng.integers(low, high, index_shape))


def read(label, shape, key):
    """A row for `x[key]`; its oracle is NumPy's own indexing."""
    return Row("ops.index.select", normal(shape), lambda x: x[key], call=lambda tn, x: x[key], label=label)


def gather_by_loop(x, index, axis):
    out = np.empty(index.shape)
    for place in np.ndindex(index.shape):
        source = list(place)
        source[axis] = index[place]
        out[place] = x[tuple(source)]
    return out


ROWS = [
    read("int", (3, 4), 1),
    read("negative int", (3, 4), -1),
    read("all ints", (3, 4), (1, 2)),
    read("slice", (5, 4), slice(1, 4)),
    read("step", (7, 4), slice(None, None, 3)),
    read("backwards", (5, 4), (slice(None, None, -2), slice(3, 0, -1))),
    read("empty slice", (5, 4), slice(3, 3)),
    read("new axes", (3, 4), (None, 0, None, slice(None), None)),
    read("ellipsis", (2, 3, 4), (..., 1)),
    read("ellipsis between", (2, 3, 4), (0, ..., slice(1, 3))),
    read("list", (4, 3), ([0, 2, 2, -1],)),
    read("matrix of indices", (4, 3), np.array([[0, 1], [3, 3]])),
    read("list in axis 1", (4, 3), (slice(None), [2, 2, 0])),
    read("list in the last axis", (2, 3, 4), (..., [1, 1])),
    read("two lists", (4, 3), ([0, 3, 3], [1, 2, 2])),
    read("two lists that broadcast", (4, 3), (np.array([[0], [3]]), np.array([1, 2]))),
    read("lists apart", (3, 4, 5), ([0, 2], slice(None), [1, 1])),
    read("lists apart by a new axis", (3, 4, 5), ([0, 2], None, [1, 1])),
    read("list beside int", (3, 4, 5), (slice(None), 1, [4, 4, -2])),
    read("int apart from list", (3, 4, 5), (1, slice(None), [4, 4])),
    read("list with slices", (4, 5, 6), (slice(1, None), [0, 4, 4], slice(None, None, -2))),
    read("list, slice, new axis", (4, 5), ([1, 1], None, slice(0, 5, 2))),
    read("empty list", (4, 3), ([],)),
    read("mask", (2, 3), MASK),
    read("mask of rows", (2, 3), np.array([False, True])),
    read("mask in axis 1", (2, 3), (slice(None), np.array([False, True, True]))),
    read("mask beside list", (2, 3, 4), (MASK, [0, 1, 3])),
    read("mask of nothing", (2, 3), np.zeros((2, 3), bool)),
    read("True", (2, 3), True),
    read("False", (2, 3), False),
    read("0-d array", (3, 2), np.array(2)),
    Row("ops.index.select", with_indices((4, 3), -4, 4, (5,)), lambda x, i: x[i], call=lambda tn, x, i: x[i],
        label="tensor"),
    Row("take", with_indices((6,), -6, 6, (8,)), lambda x, i: x[i], label="1-d"),
    Row("take", with_indices((4, 5), -4, 4, (2, 3)), lambda x, i: x[i], call=lambda tn, x, i: tn.take(x, i, axis=0)),
    Row("take", with_indices((3, 5, 2), -5, 5, (7,)), lambda x, i: x[:, i], call=lambda tn, x, i: tn.take(x, i, axis=1),
        label="middle"),
    Row("take", with_indices((3, 5), 0, 5, (90, 3)), lambda x, i: x[:, i],
        call=lambda tn, x, i: tn.take(x, i, axis=-1), label="many"),
    Row("take", with_indices((40, 30), 0, 40, (99,)), lambda x, i: x[i],
        call=lambda tn, x, i: tn.take(x, i, axis=0), label="wide rows"),
    Row("take_along_axis", with_indices((3, 5), -5, 5, (3, 7)),
        lambda x, i: gather_by_loop(x, i, 1), label="repeated"),
    Row("take_along_axis", with_indices((3, 5), 0, 5, (3, 1)), lambda x, i: x[np.arange(3), i[:, 0]][:, None],
        label="one each"),
    Row("take_along_axis", with_indices((4, 1, 2), 0, 4, (2, 3, 1)),
        lambda x, i: gather_by_loop(np.broadcast_to(x, (4, 3, 2)), np.broadcast_to(i, (2, 3, 2)), 0),
        call=lambda tn, x, i: tn.take_along_axis(x, i, axis=0), label="broadcast"),
    Row("take_along_axis", with_indices((3, 5), -5, 5, (3, 7)), lambda x, i: gather_by_loop(x, i, 1) ** 2,
        call=lambda tn, x, i: tn.take_along_axis(x, i) ** 2, label="squared"),
    Row("gather", with_indices((4, 5), 0, 4, (6, 3)), lambda x, i: gather_by_loop(x, i, 0),
        call=lambda tn, x, i: tn.gather(x, 0, i)),
    Row("gather", with_indices((3, 5), 0, 5, (3, 4)), lambda x, i: gather_by_loop(x, i, 1),
        call=lambda tn, x, i: tn.gather(x, -1, i), label="last axis"),
    Row("index_select", with_indices((4, 5), 0, 5, (6,)), lambda x, i: x[:, i],
        call=lambda tn, x, i: tn.index_select(x, 1, i)),
    Row("masked_select", normal((2, 3)), lambda x: x[MASK], call=lambda tn, x: tn.masked_select(x, MASK)),
    Row("masked_select", normal((2, 3)), lambda x: x[:, MASK[0]].ravel(),
        call=lambda tn, x: tn.masked_select(x, MASK[0]), label="broadcast"),
    Row("nonzero", lambda rng: (rng.integers(0, 2, (4, 5)),), np.nonzero, order=0),
    Row("argwhere", lambda rng: (rng.integers(0, 2, (4, 5)),), np.argwhere, order=0),
]
