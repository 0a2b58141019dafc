"""Rows of `ops.logic`: against Python's own comparisons, truth values and bits."""
import math
import operator

import numpy as np

from tests.ops.table import Row

S = (3, 4)


def by(function, dtype):
    """A function of Python numbers applied to every element."""
    return np.vectorize(function, otypes=[dtype])


def floats(rng):
    """Pairs with many ties."""
    return np.round(rng.standard_normal(S)), np.round(rng.standard_normal(S))


def bools(rng):
    return rng.random(S) > 0.5, rng.random(S) > 0.5


def integers(rng):
    return rng.integers(-20, 20, S), rng.integers(0, 20, S)


def small(rng):
    return rng.integers(-20, 20, S), rng.integers(0, 6, S)


def special(rng):
    return rng.choice([1.0, -2.5, 0.0, -0.0, np.inf, -np.inf, np.nan], S)


def first(inputs):
    return lambda rng: inputs(rng)[0]


def near(rng):
    x = rng.standard_normal(S)
    return x, x * (1 + rng.choice([0.0, 1e-7, 1e-3], S))


def row(name, inputs, oracle, dtype=bool, **more):
    return Row(name, inputs, by(oracle, dtype), order=0, elementwise=True, **more)


COMPARISONS = {"equal": operator.eq, "not_equal": operator.ne, "less": operator.lt, "less_equal": operator.le,
               "greater": operator.gt, "greater_equal": operator.ge}
BITS = {"bitwise_and": operator.and_, "bitwise_or": operator.or_, "bitwise_xor": operator.xor}
TRUTH = {"logical_and": lambda x, y: bool(x) and bool(y), "logical_or": lambda x, y: bool(x) or bool(y),
         "logical_xor": lambda x, y: bool(x) != bool(y)}

ROWS = [
    *[row(name, floats, oracle, label="floats") for name, oracle in COMPARISONS.items()],
    *[row(name, integers, oracle, label="integers") for name, oracle in COMPARISONS.items()],
    *[row(name, special, lambda x, f=f: f(x, x), label="NaN with itself",
          call=lambda tn, x, n=name: getattr(tn, n)(x, x))
      for name, f in COMPARISONS.items()],
    *[row(name, bools, oracle, label="bools") for name, oracle in {**TRUTH, **BITS}.items()],
    *[row(name, integers, oracle, label="integers") for name, oracle in TRUTH.items()],
    *[row(name, integers, oracle, "int64", label="integers") for name, oracle in BITS.items()],
    row("logical_not", first(bools), lambda x: not x),
    row("bitwise_invert", first(integers), lambda x: ~x, "int64"),
    row("bitwise_invert", first(bools), lambda x: not x, label="bools"),
    row("bitwise_left_shift", small, lambda x, n: x * 2 ** n, "int64"),
    row("bitwise_right_shift", small, lambda x, n: x // 2 ** n, "int64"),
    row("gcd", integers, math.gcd, "int64"),
    row("lcm", integers, math.lcm, "int64"),
    row("isnan", special, lambda x: x != x), row("isinf", special, lambda x: abs(x) == math.inf),
    row("isposinf", special, lambda x: x == math.inf), row("isneginf", special, lambda x: x == -math.inf),
    row("isfinite", special, lambda x: abs(x) < math.inf),
    row("signbit", special, lambda x: math.copysign(1.0, x) < 0),
    row("isreal", lambda rng: rng.standard_normal(S) + 1j * rng.integers(0, 2, S), lambda x: x.imag == 0),
    row("isclose", near, lambda x, y: abs(x - y) <= 1e-8 + 1e-5 * abs(y)),
    row("isclose", special, lambda x: True, label="NaN", call=lambda tn, x: tn.isclose(x, x, equal_nan=True)),
]
