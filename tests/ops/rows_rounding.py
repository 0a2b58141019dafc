"""Rows of `ops.rounding`: integers in, the same integers out; no derivative but that of what remains."""
import math

import numpy as np

from tests.ops.table import Row

S = (3, 4)


def by(function):
    return np.vectorize(function, otypes=["float64"])


def pair(rng):
    """x and y whose quotient is well away from whole numbers."""
    y = rng.uniform(1, 3, S) * rng.choice([-1.0, 1.0], S)
    return (rng.integers(-5, 5, S) + rng.uniform(0.2, 0.8, S)) * y, y


def between(rng):
    """Numbers well away from whole ones and from halves."""
    return rng.integers(-5, 5, S) + rng.choice([0.25, 0.75], S) + rng.uniform(-0.1, 0.1, S)


def near_tens(rng):
    return rng.integers(-9, 9, S) * 10 + rng.uniform(-3, 3, S)


def halves(rng):
    return rng.integers(-6, 7, S) + 0.5


def whole(rng):
    return rng.integers(-9, 10, S)


def infinite(rng):
    inf = math.inf
    return np.array([inf, -inf, 3.0, -3.0]), np.array([2.0, 2.0, -inf, inf])


def whole_pair(rng):
    return rng.integers(-9, 10, S), rng.choice([-3, -2, 2, 5], S)


def one(name, oracle, **more):
    return Row(name, more.pop("inputs", between), by(oracle), elementwise=True, **more)


ROWS = [
    one("floor", math.floor), one("ceil", math.ceil), one("trunc", math.trunc), one("round", round),
    one("round", round, inputs=halves, order=0, label="halves"),
    one("round", lambda x: round(x * 100) / 100, label="hundredths", order=0, call=lambda tn, x: tn.round(x, 2)),
    one("round", lambda x: round(x / 10) * 10, label="tens", inputs=near_tens, call=lambda tn, x: tn.round(x, -1)),
    *[Row(name, whole, lambda x: x, order=0, elementwise=True, label="integers")
      for name in ("floor", "ceil", "trunc", "round")],
    one("frac", lambda x: math.fmod(x, 1.0)),
    one("floor_divide", lambda x, y: math.floor(x / y), inputs=pair),
    one("remainder", lambda x, y: x - y * math.floor(x / y), inputs=pair),
    one("fmod", math.fmod, inputs=pair),
    Row("floor_divide", infinite, lambda x, y: np.array([math.inf, -math.inf, -0.0, -0.0]), order=0,
        label="infinities"),
    Row("floor_divide", whole_pair, np.vectorize(lambda a, b: int(a) // int(b), otypes=["int64"]), order=0,
        elementwise=True, label="integers"),
    Row("remainder", whole_pair, np.vectorize(lambda a, b: int(a) % int(b), otypes=["int64"]), order=0,
        elementwise=True, label="integers"),
]
