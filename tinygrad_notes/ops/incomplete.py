"""The incomplete gamma and beta functions, differentiable in all their parameters to any order.

P(a, x) is the distribution function of a gamma variable, I_x(a, b) that of a beta variable, f their densities. What
has no closed form is a derivative in a shape, and what is needed of it most is its ratio to the density:
-(dP/da) / f is how a gamma draw moves with a (implicit reparameterization). So that ratio is the operation, to any
order n, and everything else follows by formulas. It is an integral over the tail on the side of the nearer end:

    d^n P / da^n = integral from 0 to x of f(t) D_n(t) dt = -integral from x to infinity,

where D_n f is the n-th derivative of f in a, a polynomial in log t - digamma(a) and in polygammas of a. In log t (for
beta: log t - log(1 - t)) f is smooth and falls exponentially, so Gauss-Legendre panels of growing width, begun at x
with the width on which f changes, give it to about 1e-12.
"""
from functools import lru_cache
from math import comb

import numpy as np

from ..autograd import elementwise, primitive
from .docs import function

__all__ = ["betainc", "betaincinv", "gammainc", "gammaincc", "gammaincinv"]

_POSITIVE = "floating dtypes, positive"


# Derivatives of a density in its parameters ------------------------------------------------
def _relative(u, n, m=0):
    """d^n/da^n d^m/db^m of f, divided by f, from the derivatives u(i, j) of log f."""
    table = {(0, 0): 1}
    for j in range(m + 1):
        for i in range(n + 1):
            if i:  # d/da of D(i-1, j) f, by the rule of Leibniz for f' = (log f)' f
                table[i, j] = sum(comb(i - 1, p) * comb(j, q) * u(p + 1, q) * table[i - 1 - p, j - q]
                                  for p in range(i) for q in range(j + 1))
            elif j:
                table[0, j] = sum(comb(j - 1, q) * u(0, q + 1) * table[0, j - 1 - q] for q in range(j))
    return table[n, m]


def _polygamma(xp, order, x):
    return xp.digamma(x) if order == 0 else xp.polygamma_of(x, n=order)


def _gamma_slopes(xp, a, log_t, n):
    """u(i, 0) for log f = (a - 1) log t - t - log Gamma(a), up to i = n."""
    known = [None, *[-_polygamma(xp, i - 1, a) for i in range(1, n + 1)]]
    return lambda i, j: known[i] + log_t if i == 1 else known[i]


def _beta_slopes(xp, a, b, log_t, log_rest, n, m):
    """u(i, j) for log f = (a - 1) log t + (b - 1) log(1 - t) - log B(a, b)."""
    known = {}
    for i in range(n + 1):
        for j in range(m + 1):
            if i + j:
                u = _polygamma(xp, i + j - 1, a + b)
                known[i, j] = u - _polygamma(xp, i - 1, a) if j == 0 else u - _polygamma(xp, j - 1, b) if i == 0 else u

    def u(i, j):
        return known[i, j] + (log_t if (i, j) == (1, 0) else log_rest if (i, j) == (0, 1) else 0)
    return u


# The integral over a tail ---------------------------------------------------------------------
@lru_cache
def _panels(wide):
    """Places and weights for an integral over s > 0 of what changes within s = 1 and falls exponentially."""
    count, points, growth = (12, 10, 1.5) if wide else (12, 5, 1.5)
    x, w = np.polynomial.legendre.leggauss(points)
    ends = np.cumsum([0.0, *[growth ** k for k in range(count)]])
    widths = np.diff(ends)
    return [(float(s), float(v)) for start, width in zip(ends, widths)
            for s, v in zip(start + width * (x + 1) / 2, width * w / 2)]


def _wide(xp, *arrays):
    """Whether the result is float64, and the arrays in it: differences of large numbers are on the way."""
    double = any(a.dtype == np.float64 for a in arrays if hasattr(a, "dtype"))
    kind = next((a.dtype for a in arrays if hasattr(a, "dtype") and a.dtype.kind == "f"), np.dtype("float32"))
    kind = np.dtype("float64") if double else kind
    return kind, [xp.astype(xp.asarray(a), np.dtype("float64")) for a in arrays]


def _gamma_ratio(xp, a, x, *, n):
    kind, (a, x) = _wide(xp, a, x)
    inside = (x > 0) & (x < float("inf"))
    x = xp.where(inside, x, 1.0)
    upper = x > a
    low = (a < 1) & ~upper  # there P(a, x) = P(a + 1, x) + x f(a, x) / a keeps all terms of one sign
    shifted = xp.where(low, a + 1, a)
    log_x, sign = xp.log(x), xp.where(upper, 1.0, -1.0)
    slopes = _gamma_slopes(xp, shifted, 0, n)
    width = 1 / (xp.abs(x - shifted) + xp.sqrt(x) + 1)
    total = 0
    for s, weight in _panels(kind == np.float64):
        step = sign * width * s
        d = _relative(lambda i, j, y=log_x + step: slopes(i, j) + y if i == 1 else slopes(i, j), n)
        total = total + weight * xp.exp(shifted * step - x * xp.expm1(step)) * d
    total = -sign * width * x * total
    at_x = _relative(_gamma_slopes(xp, shifted, log_x, n), n)
    total = xp.where(low, x / a * (total + at_x), total)
    return xp.astype(xp.where(inside, total, 0.0), kind)


def _beta_ratio(xp, a, b, x, *, n, m):
    kind, (a, b, x) = _wide(xp, a, b, x)
    inside = (x > 0) & (x < 1)
    x = xp.where(inside, x, 0.5)
    upper = x * (a + b) > a
    # Seen from the other end the upper tail is a lower one, with a and b exchanged.
    near, far, z = xp.where(upper, b, a), xp.where(upper, a, b), xp.where(upper, 1 - x, x)
    low = near < 1  # there I(a, b) = I(a + 1, b) + x (1 - x) f / a keeps all terms of one sign
    shifted = xp.where(low, near + 1, near)
    first, second = xp.where(upper, far, shifted), xp.where(upper, shifted, far)
    log_x, log_rest = xp.log(x), xp.log1p(-x)
    slopes = _beta_slopes(xp, first, second, 0, 0, n, m)
    total_count = shifted + far
    width = 1 / (xp.abs(shifted - total_count * z) + xp.sqrt(total_count * z * (1 - z)) + 1)
    total = 0
    for s, weight in _panels(kind == np.float64):
        step = width * s
        rest = -xp.log1p(z * xp.expm1(-step))  # of log(1 - t), seen from that end
        moved = rest - step                    # of log t
        to_x, to_rest = log_x + xp.where(upper, rest, moved), log_rest + xp.where(upper, moved, rest)

        def u(i, j, to_x=to_x, to_rest=to_rest):
            return slopes(i, j) + (to_x if (i, j) == (1, 0) else to_rest if (i, j) == (0, 1) else 0)
        total = total + weight * xp.exp(shifted * moved + far * rest) * _relative(u, n, m)
    total = width * z * (1 - z) * total
    at_x = _shifted_term(xp, a, b, log_x, log_rest, upper, n, m)
    total = xp.where(low, z * (1 - z) / near * at_x + z * (near + far) / near * total, total)
    return xp.astype(xp.where(inside, xp.where(upper, -total, total), 0.0), kind)


def _shifted_term(xp, a, b, log_x, log_rest, upper, n, m):
    """The derivatives, divided by it, of h = x^a (1 - x)^b / (a B(a, b)), or of the same over b B(a, b)."""
    known = {}
    for i in range(n + 1):
        for j in range(m + 1):
            if i + j:
                u = _polygamma(xp, i + j - 1, a + b)
                if j == 0:
                    u = u - _polygamma(xp, i - 1, xp.where(upper, a, a + 1)) + (log_x if i == 1 else 0)
                elif i == 0:
                    u = u - _polygamma(xp, j - 1, xp.where(upper, b + 1, b)) + (log_rest if j == 1 else 0)
                known[i, j] = u
    return _relative(lambda i, j: known[i, j], n, m)


# Ratios of a derivative to the density, and the functions themselves ------------------------------
def _of_gamma(xp, a, x, n):
    return _relative(_gamma_slopes(xp, a, xp.log(x), n), n)


def _of_beta(xp, a, b, x, n, m):
    return _relative(_beta_slopes(xp, a, b, xp.log(x), xp.log1p(-x), n, m), n, m)


gammainc_ratio = elementwise(
    "gammainc_ratio", _gamma_ratio,
    a=lambda xp, g, a, x, out, n: g * (xp.gammainc_ratio(a, x, n=n + 1) - out * (xp.log(x) - xp.digamma(a))),
    x=lambda xp, g, a, x, out, n: g * (_of_gamma(xp, a, x, n) - out * ((a - 1) / x - 1)))
betainc_ratio = elementwise(
    "betainc_ratio", _beta_ratio,
    a=lambda xp, g, a, b, x, out, n, m: g * (xp.betainc_ratio(a, b, x, n=n + 1, m=m)
                                             - out * _of_beta(xp, a, b, x, 1, 0)),
    b=lambda xp, g, a, b, x, out, n, m: g * (xp.betainc_ratio(a, b, x, n=n, m=m + 1)
                                             - out * _of_beta(xp, a, b, x, 0, 1)),
    x=lambda xp, g, a, b, x, out, n, m: g * (_of_beta(xp, a, b, x, n, m) - out * ((a - 1) / x - (b - 1) / (1 - x))))
def _gamma_density(xp, a, x):
    x = xp.asarray(x)  # it may be a number, whose comparison is no array
    finite = x < float("inf")
    x = xp.where(finite, x, 1.0)
    return xp.where(finite, xp.exp(xp.xlogy(a - 1, x) - x - xp.gammaln(a)), 0.0)


gamma_density = elementwise(
    "gamma_density", _gamma_density,
    a=lambda xp, g, a, x, out: g * (xp.xlogy(out, x) - out * xp.digamma(a)),
    x=lambda g, a, x, out: g * out * ((a - 1) / x - 1))
beta_density = elementwise(
    "beta_density",
    lambda xp, a, b, x: xp.exp(xp.xlogy(a - 1, x) + xp.xlog1py(b - 1, -x) + xp.gammaln(a + b) - xp.gammaln(a)
                               - xp.gammaln(b)),
    a=lambda xp, g, a, b, x, out: g * (xp.xlogy(out, x) + out * (xp.digamma(a + b) - xp.digamma(a))),
    b=lambda xp, g, a, b, x, out: g * (xp.xlog1py(out, -x) + out * (xp.digamma(a + b) - xp.digamma(b))),
    x=lambda g, a, b, x, out: g * out * ((a - 1) / x - (b - 1) / (1 - x)))

gammainc = function("gammainc", lambda xp, a, x: xp.gammainc(a, x), "The regularized lower incomplete gamma function.",
                    "out = integral of t^(a-1) e^-t from 0 to x / Gamma(a)",
                    "gammainc(tn.tensor([1.0]), tn.tensor([2.0]))", "tensor([0.8647])", args="a x", kinds=_POSITIVE,
                    a=lambda xp, g, a, x: g * (xp.gammainc_ratio(a, x, n=1) * xp.gamma_density(a, x)),
                    x=lambda xp, g, a, x: g * xp.gamma_density(a, x))
gammaincc = function("gammaincc", lambda xp, a, x: xp.gammaincc(a, x),
                     "The regularized upper incomplete gamma function.",
                     "out = integral of t^(a-1) e^-t from x to infinity / Gamma(a)",
                     "gammaincc(tn.tensor([1.0]), tn.tensor([2.0]))", "tensor([0.1353])", args="a x", kinds=_POSITIVE,
                     a=lambda xp, g, a, x: -g * (xp.gammainc_ratio(a, x, n=1) * xp.gamma_density(a, x)),
                     x=lambda xp, g, a, x: -g * xp.gamma_density(a, x))
gammaincinv = function("gammaincinv", lambda xp, a, y: xp.gammaincinv(a, y),
                       "The inverse of gammainc in x: the quantile function of the gamma distribution.",
                       "gammainc(a, out) = y", "gammaincinv(tn.tensor([1.0]), tn.tensor([0.5]))", "tensor([0.6931])",
                       args="a y", kinds="floating dtypes, a positive, y in [0, 1]",
                       a=lambda xp, g, a, out: -g * xp.gammainc_ratio(a, out, n=1),
                       y=lambda xp, g, a, out: g / xp.gamma_density(a, out))
_betainc = elementwise(
    "betainc", lambda xp, a, b, x: xp.betainc(a, b, x),
    a=lambda xp, g, a, b, x: g * (xp.betainc_ratio(a, b, x, n=1, m=0) * xp.beta_density(a, b, x)),
    b=lambda xp, g, a, b, x: g * (xp.betainc_ratio(a, b, x, n=0, m=1) * xp.beta_density(a, b, x)),
    x=lambda xp, g, a, b, x: g * xp.beta_density(a, b, x))
_betaincinv = elementwise(
    "betaincinv", lambda xp, a, b, y: xp.betaincinv(a, b, y),
    a=lambda xp, g, a, b, out: -g * xp.betainc_ratio(a, b, out, n=1, m=0),
    b=lambda xp, g, a, b, out: -g * xp.betainc_ratio(a, b, out, n=0, m=1),
    y=lambda xp, g, a, b, out: g / xp.beta_density(a, b, out))


def betainc(a, b, x, /):
    """The regularized incomplete beta function.

    Formula: out = integral of t^(a-1) (1-t)^(b-1) from 0 to x / B(a, b).

    Args:
        a, b: Tensors, NumPy arrays or numbers whose shapes broadcast; floating dtypes, positive.
        x: the same, in [0, 1].

    Returns:
        Tensor of the broadcast shape and promoted dtype.

    Raises:
        TypeError: an input is not numeric, or inputs live on different devices.
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.betainc(tn.tensor([1.0]), 2.0, tn.tensor([0.5]))
        tensor([0.7500])
    """
    return _betainc(a, b, x)


def betaincinv(a, b, y, /):
    """The inverse of betainc in x: the quantile function of the beta distribution.

    Formula: betainc(a, b, out) = y.

    Args:
        a, b: Tensors, NumPy arrays or numbers whose shapes broadcast; floating dtypes, positive.
        y: the same, in [0, 1].

    Returns:
        Tensor of the broadcast shape and promoted dtype.

    Raises:
        TypeError: an input is not numeric, or inputs live on different devices.
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.betaincinv(tn.tensor([1.0]), 2.0, tn.tensor([0.75]))
        tensor([0.5000])
    """
    return _betaincinv(a, b, y)



# Draws that move with the parameters of their distribution ---------------------------------------------------
moving_gamma = elementwise("moving_gamma", lambda xp, a, drawn: drawn + xp.zeros_like(a),
                           a=lambda xp, g, a, out: -g * xp.gammainc_ratio(a, out, n=1))


def _moving_dirichlet_rule(xp, g, a, out):
    """Each a_j moves draw j along the quantiles of its marginal, a beta distribution, and shrinks the others."""
    others = xp.sum(a, axis=-1, keepdims=True) - a
    moved = -xp.betainc_ratio(a, others, out, n=1, m=0) / (1 - out)
    return moved * (g - xp.sum(g * out, axis=-1, keepdims=True))


moving_dirichlet = primitive("moving_dirichlet", lambda xp, a, drawn: drawn + xp.zeros_like(a), kind="random",
                             a=_moving_dirichlet_rule)
