"""Rows of operations that join, part and repeat tensors."""
import numpy as np

from tests.ops.table import Row, normal


def both(name, shapes, oracle, call, label="", **fields):
    return Row(name, normal(*shapes), oracle, call, label=label, **fields)


def mixed(rng):
    return rng.integers(-3, 3, (2, 2)), rng.standard_normal((2, 3))


ROWS = [
    both("concat", [(2, 1), (2, 3)], lambda x, y: np.concatenate((x, y), axis=1),
         lambda tn, x, y: tn.concat((x, y), axis=-1)),
    both("concat", [(2,), (0,), (3,)], lambda *xs: np.concatenate(xs), lambda tn, *xs: tn.concat(xs), "with nothing"),
    both("concat", [(2, 1), (3,)], lambda *xs: np.concatenate(xs, axis=None), lambda tn, *xs: tn.concat(xs, axis=None),
         "flattened"),
    Row("concat", mixed, lambda *xs: np.concatenate(xs, axis=1), lambda tn, *xs: tn.concat(xs, axis=1), label="mixed"),
    both("stack", [(2, 3), (2, 3)], lambda *xs: np.stack(xs, axis=1), lambda tn, *xs: tn.stack(xs, axis=1)),
    both("stack", [(), (), ()], lambda *xs: np.stack(xs), lambda tn, *xs: tn.stack(xs), "0-d"),
    both("hstack", [(2, 1), (2, 2)], lambda *xs: np.hstack(xs), lambda tn, *xs: tn.hstack(xs)),
    both("hstack", [(), (2,)], lambda *xs: np.hstack(xs), lambda tn, *xs: tn.hstack(xs), "1-d"),
    both("vstack", [(3,), (2, 3)], lambda *xs: np.vstack(xs), lambda tn, *xs: tn.vstack(xs)),
    both("dstack", [(2, 3), (2, 3, 2)], lambda *xs: np.dstack(xs), lambda tn, *xs: tn.dstack(xs)),
    both("split", [(4, 6)], lambda x: np.split(x, 3, axis=1), lambda tn, x: tn.split(x, 3, axis=1)),
    both("split", [(5, 2)], lambda x: np.split(x, (1, 1, 4)), lambda tn, x: tn.split(x, (1, 1, 4)), "positions"),
    both("split", [(5,)], lambda x: np.split(x, (2, 9)), lambda tn, x: tn.split(x, (2, 9)), "beyond the end"),
    both("split", [(0, 2)], lambda x: np.split(x, 2), lambda tn, x: tn.split(x, 2), "of nothing"),
    both("split", [(2, 4)], lambda x: np.split(x, 2, axis=1)[1], lambda tn, x: tn.split(x, 2, axis=1)[1], "one used"),
    both("array_split", [(7, 2)], lambda x: np.array_split(x, 3), lambda tn, x: tn.array_split(x, 3)),
    both("chunk", [(5, 2)], lambda x: (x[:2], x[2:4], x[4:]), lambda tn, x: tn.chunk(x, 4)),
    both("unstack", [(3, 4)], lambda x: tuple(x.T), lambda tn, x: tn.unstack(x, axis=1)),
    both("unstack", [(3,)], lambda x: tuple(np.asarray(v) for v in x), lambda tn, x: tn.unstack(x), "0-d"),
    both("tile", [(2, 3)], lambda x: np.tile(x, (2, 1, 3)), lambda tn, x: tn.tile(x, (2, 1, 3))),
    both("tile", [(2, 1, 3)], lambda x: np.tile(x, 2), lambda tn, x: tn.tile(x, 2), "one number"),
    both("tile", [(2, 3)], lambda x: np.tile(x, (0, 1)), lambda tn, x: tn.tile(x, (0, 1)), "none"),
    both("repeat", [(2, 3)], lambda x: np.repeat(x, 2), lambda tn, x: tn.repeat(x, 2)),
    both("repeat", [(2, 3)], lambda x: np.repeat(x, 3, axis=1), lambda tn, x: tn.repeat(x, 3, axis=1), "axis"),
    both("repeat", [(2, 3)], lambda x: np.repeat(x, (1, 0, 3), axis=1), lambda tn, x: tn.repeat(x, (1, 0, 3), axis=1),
         "each its own"),
]
