"""Rows of `ops.special`: against series, sums and other functions, never the one that computes the forward."""
import math
from statistics import NormalDist

import numpy as np
from scipy import special

from tests.ops.table import Row, uniform

S = (3, 4)
NORMAL = NormalDist()


def by(function):
    return np.vectorize(function, otypes=["float64"])


def one(name, oracle, low=-2.5, high=2.5, **more):
    inputs = more.pop("inputs", uniform(low, high, S))
    return Row(name, inputs, by(oracle), elementwise=True, **more)


def two(name, oracle, *ranges, **more):
    shape = (2, 2) if len(ranges) > 2 else S
    inputs = lambda rng: [rng.uniform(low, high, shape) for low, high in ranges]
    return Row(name, inputs, by(oracle), elementwise=True, **more)


def with_zeros(rng):
    """Numbers of which some are 0 and some are tiny."""
    x = rng.uniform(-3, 3, S)
    x[0] = [0.0, 1e-9, -1e-5, 1e-3]
    return x


def zeta(s, q):
    """The Hurwitz zeta function by its first 100 terms and the Euler-Maclaurin formula."""
    n = q + 100
    return (math.fsum((q + k) ** -s for k in range(100)) + n ** (1 - s) / (s - 1) + n ** -s / 2
            + s * n ** (-s - 1) / 12 - s * (s + 1) * (s + 2) * n ** (-s - 3) / 720)


def digamma(x):
    """By recurrence to a large argument, then the asymptotic series."""
    n = x + 100
    return (math.log(n) - 1 / (2 * n) - 1 / (12 * n ** 2) + 1 / (120 * n ** 4) - 1 / (252 * n ** 6)
            - math.fsum(1 / (x + k) for k in range(100)))


def lower_gamma(a, x):
    """The regularized lower incomplete gamma function by its power series."""
    return math.fsum(math.exp((a + k) * math.log(x) - x - math.lgamma(a + k + 1)) for k in range(150))


def lower_beta(a, b, x):
    """The regularized incomplete beta function by its power series."""
    term, total = 1.0, 1 / a
    for k in range(1, 400):
        term *= (k - b) * x / k
        total += term / (a + k)
    return math.exp(a * math.log(x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)) * total


def inverse(f, y, high):
    """Where a growing function of [0, high] is y, by bisection; 0 for y = 0."""
    low = 0.0
    while y and low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if f(middle) < y else (low, middle)
    return low


def polygamma(n):
    return one("polygamma", lambda x: (-1) ** (n + 1) * math.factorial(n) * zeta(n + 1, x), 0.5, 4.0, label=str(n),
               call=lambda tn, x: tn.polygamma(n, x), tolerance=1e-11)


ROWS = [
    one("erf", math.erf), one("erfc", math.erfc, -3.0, 5.0),
    Row("erf", uniform(-5, 5, (40, 40)), by(math.erf), label="long"),
    one("erfcx", lambda x: math.exp(x * x) * math.erfc(x), -2.0, 4.0),
    one("erfinv", lambda x: NORMAL.inv_cdf((x + 1) / 2) / math.sqrt(2), -0.9, 0.9, tolerance=1e-11),
    one("erfcinv", lambda x: -NORMAL.inv_cdf(x / 2) / math.sqrt(2), 0.1, 1.9, tolerance=1e-11),
    one("ndtr", NORMAL.cdf), one("ndtri", lambda p: NORMAL.inv_cdf(p) if p else -math.inf, 0.05, 0.95, tolerance=1e-11),
    one("log_ndtr", lambda x: math.log(math.erfc(-x / math.sqrt(2)) / 2), -5.0, 3.0),
    two("xlogy", lambda x, y: x * math.log(y) if x else 0.0, (-2, 2), (0.2, 3)),
    two("xlog1py", lambda x, y: x * math.log1p(y), (-2, 2), (-0.7, 3)),
    one("entr", lambda x: -x * math.log(x) if x else 0.0, 0.1, 3.0),
    one("lgamma", math.lgamma, 0.3, 5.0, label="positive", tolerance=1e-11),
    one("lgamma", math.lgamma, -2.8, -2.2, label="negative", tolerance=1e-11),
    one("digamma", digamma, 0.3, 5.0, tolerance=1e-11),
    polygamma(1), polygamma(2), polygamma(3),
    one("polygamma", digamma, 0.3, 5.0, label="0", call=lambda tn, x: tn.polygamma(0, x), tolerance=1e-11),
    two("zeta", zeta, (1.5, 4), (0.5, 3), differentiable=(1,), tolerance=1e-11),
    two("gammainc", lower_gamma, (0.5, 3), (0.2, 4), tolerance=1e-11),
    two("gammaincc", lambda a, x: 1 - lower_gamma(a, x), (0.5, 3), (0.2, 4), tolerance=1e-11),
    two("gammaincinv", lambda a, y: inverse(lambda x: lower_gamma(a, x) if x else 0.0, y, 40.0), (0.5, 3), (0.1, 0.9),
        tolerance=1e-11),
    two("betainc", lower_beta, (0.5, 3), (0.4, 3), (0.1, 0.7), tolerance=1e-11),
    two("betaincinv", lambda a, b, y: inverse(lambda x: lower_beta(a, b, x) if x else 0.0, y, 0.95), (0.5, 2), (1, 3),
        (0.1, 0.6), tolerance=1e-11),
    two("betaln", lambda a, b: math.log(special.beta(a, b)), (0.5, 3), (0.5, 3), tolerance=1e-11),
    one("mvlgamma", lambda x: math.log(math.pi) * 1.5 + sum(math.lgamma(x - i / 2) for i in range(3)), 1.5, 5.0,
        call=lambda tn, x: tn.mvlgamma(x, 3), tolerance=1e-11),
    one("i0", lambda x: special.iv(0, x)), one("i1", lambda x: special.iv(1, x)),
    one("i0e", lambda x: special.ive(0, x)), one("i1e", lambda x: special.ive(1, x)),
    Row("i1", lambda rng: np.array([0.0, 0.5]), by(lambda x: special.iv(1, x)), order=1, label="at 0"),
    one("k0", lambda x: special.kv(0, x), 0.3, 3.0), one("k1", lambda x: special.kv(1, x), 0.3, 3.0),
    one("k0e", lambda x: special.kve(0, x), 0.3, 3.0), one("k1e", lambda x: special.kve(1, x), 0.3, 3.0),
    one("bessel_j0", lambda x: special.jv(0, x), 0.3, 6.0), one("bessel_j1", lambda x: special.jv(1, x), 0.3, 6.0),
    one("bessel_y0", lambda x: special.yv(0, x), 0.5, 6.0), one("bessel_y1", lambda x: special.yv(1, x), 0.5, 6.0),
    one("sinc", lambda x: math.sin(math.pi * x) / (math.pi * x) if x else 1.0, inputs=with_zeros),
]
