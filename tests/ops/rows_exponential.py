"""Rows of `ops.exponential`: against Python's `math`, one element at a time."""
import math

import numpy as np

from tests.ops.table import Row, normal, uniform

S = (3, 4)


def by(function):
    """A function of numbers applied to every element."""
    return np.vectorize(function, otypes=["float64"])


def one(name, oracle, low=-2.0, high=2.0, **more):
    return Row(name, uniform(low, high, S), by(oracle), elementwise=True, **more)


def two(name, oracle, **more):
    return Row(name, more.pop("inputs", normal(S, S)), by(oracle), elementwise=True, **more)


def equal_infinities(rng):
    """Pairs of which none has a larger one, one has, both have: at both ends."""
    low, high = float("-inf"), float("inf")
    return np.array([low, low, 1.0, high, high]), np.array([low, 2.0, 1000.0, 2.0, high])


ROWS = [
    one("exp", math.exp),
    one("exp2", lambda x: 2.0 ** x),
    one("expm1", math.expm1, label="away from 0"),
    one("expm1", math.expm1, -1e-9, 1e-9, label="near 0"),
    one("log", math.log, 0.1, 5.0),
    one("log2", math.log2, 0.1, 5.0),
    one("log10", math.log10, 0.1, 5.0),
    one("log1p", math.log1p, -0.8, 5.0, label="away from 0"),
    one("log1p", math.log1p, -1e-9, 1e-9, label="near 0"),
    one("sin", math.sin, -7.0, 7.0),
    one("cos", math.cos, -7.0, 7.0),
    one("tan", math.tan, -1.4, 1.4),
    one("asin", math.asin, -0.95, 0.95),
    one("acos", math.acos, -0.95, 0.95),
    one("atan", math.atan, -5.0, 5.0),
    two("atan2", math.atan2),
    one("sinh", math.sinh),
    one("cosh", math.cosh),
    one("tanh", math.tanh),
    one("asinh", math.asinh, -5.0, 5.0),
    one("acosh", math.acosh, 1.1, 5.0),
    one("atanh", math.atanh, -0.95, 0.95),
    one("deg2rad", math.radians, -400.0, 400.0),
    one("rad2deg", math.degrees, -7.0, 7.0),
    two("logaddexp", lambda x, y: math.log(math.exp(x) + math.exp(y))),
    two("logaddexp2", lambda x, y: math.log2(2.0 ** x + 2.0 ** y)),
    Row("logaddexp", equal_infinities, lambda x, y: np.maximum(x, y), order=0, label="infinities"),
    Row("logaddexp2", equal_infinities, lambda x, y: np.maximum(x, y), order=0, label="infinities"),
]
