"""Rows of `ops.arithmetic` and `ops.choice`."""
import numpy as np

from tests.ops.table import Row, normal, uniform

S = (3, 4)


def one(name, oracle, low=-3.0, high=3.0, **more):
    """A row of a function of one tensor."""
    return Row(name, uniform(low, high, S), oracle, elementwise=True, **more)


def two(name, oracle, **more):
    """A row of a function of two tensors."""
    return Row(name, more.pop("inputs", normal(S, S)), oracle, elementwise=True, **more)


def positive_base(rng):
    return rng.uniform(0.2, 2, S), rng.standard_normal(S)


def off_zero(rng):
    """A numerator and a denominator that is not near 0."""
    return rng.standard_normal(S), rng.uniform(0.5, 2, S) * rng.choice([-1.0, 1.0], S)


def tied(rng):
    """Two tensors that agree in some elements: a gradient there is not a derivative."""
    return np.round(rng.standard_normal(S)), np.round(rng.standard_normal(S))


def chosen(rng):
    return rng.random(S) > 0.5, rng.standard_normal(S), rng.standard_normal(S)


def apart(rng):
    """Two tensors that differ by at least 0.3."""
    x = rng.standard_normal(S)
    return x, x + rng.uniform(0.3, 2, S) * rng.choice([-1.0, 1.0], S)


def complex_numbers(rng):
    return rng.standard_normal(S) + 1j * rng.standard_normal(S)


def exponents(rng):
    return rng.standard_normal(S), rng.integers(-5, 6, S)


def larger(x, y):
    """The larger of two numbers by Python's own comparison."""
    return np.vectorize(lambda a, b: a if a > b else b)(x, y) if np.broadcast(x, y).size else x + y


def smaller(x, y):
    return -larger(-x, -y)


def whole(n, label):
    def oracle(x):
        product = np.prod([x] * abs(n), axis=0)
        return product if n > 0 else 1 / product
    return one("pow", oracle, 0.4, 2.5, label=label, call=lambda tn, x: x ** n)


ROWS = [
    two("add", lambda x, y: x + y),
    two("subtract", lambda x, y: x - y),
    two("multiply", lambda x, y: x * y),
    two("divide", lambda x, y: x / y, inputs=off_zero),
    one("negative", lambda x: 0 - x),
    one("positive", lambda x: x),
    one("abs", lambda x: np.sqrt(x * x)),
    one("sign", lambda x: (x > 0) * 1.0 - (x < 0)),
    one("square", lambda x: x * x),
    one("sqrt", lambda x: np.exp(np.log(x) / 2), 0.1, 4.0),
    one("cbrt", lambda x: np.sign(x) * np.exp(np.log(abs(x)) / 3)),
    one("rsqrt", lambda x: x ** -0.5, 0.1, 4.0),
    one("reciprocal", lambda x: x ** -1.0, 0.3, 4.0),
    two("pow", lambda x, y: np.exp(y * np.log(x)), inputs=positive_base, label="tensors"),
    *[one("pow", lambda x, n=n: np.exp(n * np.log(x)), 0.2, 3.0, label=f"number {n}", call=lambda tn, x, n=n: x ** n)
      for n in (0.5, -0.5, 1, 1.7, -2.3)],
    one("pow", lambda x: np.exp(100 * np.log(x)), 0.7, 1.3, label="number 100", call=lambda tn, x: x ** 100),
    whole(2, "square"), whole(-1, "reciprocal"), whole(3, "cube"), whole(-3, "inverse cube"), whole(7, "seventh"),
    one("pow", lambda x: np.ones_like(x), label="to the zero", call=lambda tn, x: x ** 0),
    one("pow", lambda x: np.exp(x * np.log(2)), label="of a number", call=lambda tn, x: 2 ** x),
    two("float_power", lambda x, y: np.exp(y * np.log(x)), inputs=positive_base, dtypes=("float64",)),
    two("hypot", lambda x, y: np.sqrt(x * x + y * y)),
    two("copysign", lambda x, y: np.abs(x) * np.sign(y)),
    two("nextafter", lambda x, y: x + np.where(y > x, 1, -1) * np.spacing(abs(x)), tolerance=1e-15),
    Row("lerp", normal(S, S, S), lambda x, y, w: (1 - w) * x + w * y, elementwise=True),
    Row("addcmul", normal(S, S, S), lambda x, y, z: x + y * z, elementwise=True),
    Row("addcmul", normal(S, S, S), lambda x, y, z: x + y * z / 2, elementwise=True, label="scaled",
        call=lambda tn, x, y, z: tn.addcmul(x, y, z, value=0.5)),
    Row("addcdiv", lambda rng: (rng.standard_normal(S), *off_zero(rng)), lambda x, y, z: x + y / z, elementwise=True),
    Row("addcdiv", lambda rng: (rng.standard_normal(S), *off_zero(rng)), lambda x, y, z: x + 2 * y / z,
        elementwise=True, label="scaled", call=lambda tn, x, y, z: tn.addcdiv(x, y, z, value=2)),
    Row("ldexp", exponents, lambda x, n: x * 2.0 ** n, elementwise=True),
    two("ldexp", lambda x, y: x * np.exp(y * np.log(2)), label="fractions"),
    one("frexp", lambda x: (x / 2.0 ** np.floor(np.log2(abs(x)) + 1),
                            (np.floor(np.log2(abs(x))) + 1).astype(np.int32)), 1.1, 100.0),
    one("conj", lambda x: x),
    Row("conj", complex_numbers, lambda x: x.real - 1j * x.imag, elementwise=True, label="complex",
        dtypes=("float64",)),
    one("real", lambda x: x),
    Row("real", complex_numbers, lambda x: (x + x.conj()).real / 2, elementwise=True, label="complex",
        dtypes=("float64",)),
    one("imag", lambda x: x - x),
    Row("imag", complex_numbers, lambda x: ((x - x.conj()) / 2j).real, elementwise=True, label="complex",
        dtypes=("float64",)),
    one("angle", lambda x: np.pi * (x < 0)),
    Row("angle", complex_numbers, lambda x: np.arctan2(x.imag, x.real), elementwise=True, label="complex",
        dtypes=("float64",)),
    two("maximum", larger, inputs=apart),
    two("minimum", smaller, inputs=apart),
    two("maximum", larger, inputs=tied, order=0, label="ties"),
    two("minimum", smaller, inputs=tied, order=0, label="ties"),
    one("maximum", lambda x: larger(x, np.full_like(x, 0.5)), label="number", call=lambda tn, x: tn.maximum(x, 0.5)),
    two("fmax", larger, inputs=apart),
    two("fmin", smaller, inputs=apart),
    two("heaviside", lambda x, y: np.where(x < 0, 0.0, 1.0) + 0 * y),
    Row("heaviside", lambda rng: (np.round(rng.standard_normal(S)), rng.standard_normal(S)), elementwise=True,
        oracle=lambda x, y: np.where(x == 0, y, x > 0), differentiable=(1,), label="at 0"),
    Row("where", chosen, lambda c, x, y: x * c + y * ~c, elementwise=True),
    Row("where", lambda rng: chosen(rng)[:2], lambda c, x: x * c + 2.0 * ~c, elementwise=True, label="number",
        call=lambda tn, c, x: tn.where(c, x, 2.0)),
    Row("where", lambda rng: chosen(rng)[:2], lambda c, x: 2.0 * c + x * ~c, elementwise=True, label="number first",
        call=lambda tn, c, x: tn.where(c, 2.0, x)),
    Row("masked_fill", lambda rng: chosen(rng)[1::-1], lambda x, c: x * ~c - 7.0 * c, elementwise=True,
        call=lambda tn, x, c: tn.masked_fill(x, c, -7.0)),
    Row("safe_where", uniform(-3, 3, S), lambda x: np.where(x > 0, np.sqrt(abs(x)), x * x), elementwise=True,
        call=lambda tn, x: tn.safe_where(x > 0, tn.sqrt, tn.square, x)),
    one("clip", lambda x: smaller(larger(x, -1.0), 2.0), label="numbers", call=lambda tn, x: tn.clip(x, -1, 2)),
    one("clip", lambda x: larger(x, -1.0), label="low", call=lambda tn, x: tn.clip(x, -1)),
    one("clip", lambda x: smaller(x, 1.5), label="high", call=lambda tn, x: tn.clip(x, max=1.5)),
    one("clip", lambda x: x, label="no bounds", call=lambda tn, x: tn.clip(x)),
    Row("clip", normal(S, S, S), lambda x, low, high: smaller(larger(x, low), high), elementwise=True, label="tensors"),
    two("clip", larger, label="low tensor"),
    two("clip", smaller, label="high tensor", call=lambda tn, x, high: tn.clip(x, None, high)),
    one("nan_to_num", lambda x: x),
    Row("nan_to_num", lambda rng: np.array([1.5, np.nan, np.inf, -np.inf, -2.0]), order=0, label="not finite",
        oracle=lambda x: np.array([1.5, 0.5, 9.0, -8.0, -2.0]),
        call=lambda tn, x: tn.nan_to_num(x, nan=0.5, posinf=9.0, neginf=-8.0)),
]
