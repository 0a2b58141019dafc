"""Rows of running sums, products, extremes and log-sums, and of differences."""
import numpy as np

from tests.ops.rows_reduce import distinct, zeros_at
from tests.ops.table import Row, normal


def running(name, combine, inputs, start, axes=(0, 1, -1), **fields):
    """Rows against a loop: out_i = combine(out_{i-1}, x_i)."""
    def loop(x, axis):
        parts, last = [], np.full(np.moveaxis(x, axis, 0).shape[1:], float(start))
        for part in np.moveaxis(x, axis, 0):
            last = combine(last, part)
            parts.append(last)
        return np.stack(parts, axis=axis)
    return [Row(name, inputs, lambda x, a=a: loop(x, a), lambda tn, x, a=a: getattr(tn, name)(x, axis=a),
                label=f"{fields.get('label', '')}axis={a}", **{k: v for k, v in fields.items() if k != "label"})
            for a in axes]


def extreme_so_far(best):
    """Values and the last positions of the extreme so far, by a double loop."""
    def loop(x):
        values, places = np.empty_like(x), np.empty(x.shape, dtype=int)
        for row in range(x.shape[0]):
            at = 0
            for i in range(x.shape[1]):
                if best(x[row, i], x[row, at]):
                    at = i
                values[row, i], places[row, i] = x[row, at], at
        return values, places
    return loop


def far_apart(rng):
    return (rng.permutation(np.array([-800.0, -30, 0, 1, 2, 700, 699, 3])).reshape(2, 4),)


def bools(rng):
    return (rng.integers(0, 2, (3, 4)).astype(bool),)


def tied(rng):
    return (rng.integers(0, 3, (3, 5)).astype(float),)


ROWS = [
    *running("cumulative_sum", np.add, normal((2, 3, 4)), 0),
    Row("cumulative_sum", normal((5,)), np.cumsum, label="1-d"),
    Row("cumulative_sum", normal((2, 3)), lambda x: np.concatenate((np.zeros((2, 1)), np.cumsum(x, axis=1)), axis=1),
        lambda tn, x: tn.cumulative_sum(x, axis=1, include_initial=True), label="include_initial"),
    Row("cumulative_sum", lambda rng: (rng.integers(0, 9, 4).astype("int32"),), np.cumsum, order=0, label="int"),
    Row("cumsum", normal((3, 4)), lambda x: np.cumsum(x, axis=1), lambda tn, x: tn.cumsum(x, 1)),
    *running("cumulative_prod", np.multiply, normal((2, 3, 4)), 1),
    *[Row("cumulative_prod", zeros_at(*places), lambda x: np.cumprod(x, axis=1),
          lambda tn, x: tn.cumulative_prod(x, axis=1), label=f"{len(places)} zeros")
      for places in ((5,), (4, 7), (0, 1, 6))],
    Row("cumulative_prod", normal((3, 1)), lambda x: x, lambda tn, x: tn.cumulative_prod(x, axis=1), label="of one"),
    Row("cumulative_prod", normal((3,)), lambda x: np.concatenate(([1.0], np.cumprod(x))),
        lambda tn, x: tn.cumulative_prod(x, include_initial=True), label="include_initial"),
    *[Row(name, normal((2, 0)), lambda x: x, lambda tn, x, name=name: getattr(tn, name)(x, axis=1), label="of nothing")
      for name in ("cumulative_sum", "cumulative_prod", "logcumsumexp")],
    Row("cumprod", normal((3, 4)), lambda x: np.cumprod(x, axis=0), lambda tn, x: tn.cumprod(x, 0)),
    *running("logcumsumexp", np.logaddexp, normal((2, 3, 4)), -np.inf),
    *running("logcumsumexp", np.logaddexp, far_apart, -np.inf, axes=(1,), label="far apart, "),
    Row("cummax", distinct(3, 5), extreme_so_far(lambda a, b: a >= b), lambda tn, x: tn.cummax(x, 1)),
    Row("cummin", distinct(3, 5), extreme_so_far(lambda a, b: a <= b), lambda tn, x: tn.cummin(x, 1)),
    Row("cummax", tied, extreme_so_far(lambda a, b: a >= b), lambda tn, x: tn.cummax(x, 1), order=0, label="ties"),
    Row("cummin", tied, extreme_so_far(lambda a, b: a <= b), lambda tn, x: tn.cummin(x, 1), order=0, label="ties"),
    Row("diff", normal((3, 5)), np.diff),
    Row("diff", normal((5, 2)), lambda x: np.diff(x, n=3, axis=0), lambda tn, x: tn.diff(x, n=3, axis=0), label="n=3"),
    Row("diff", normal((2, 3), (2, 1), (2, 2)), lambda x, a, b: np.diff(x, prepend=a, append=b),
        lambda tn, x, a, b: tn.diff(x, prepend=a, append=b), label="prepend and append"),
    Row("diff", normal((3, 2)), lambda x: np.zeros((3, 0)), lambda tn, x: tn.diff(x, n=2), label="nothing left"),
    Row("diff", bools, np.diff, order=0, label="bool"),
]
