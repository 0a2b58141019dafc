"""Special functions: the error function, the normal distribution, gamma and Bessel functions and their like."""
from math import factorial, log, pi, sqrt

from ..autograd import Tensor, elementwise
from .arithmetic import add, floating, subtract
from .docs import function

__all__ = [
    "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "betaln", "digamma", "entr", "erf", "erfc", "erfcinv", "erfcx",
    "erfinv", "gammaln", "i0", "i0e", "i1", "i1e", "k0", "k0e", "k1", "k1e", "lgamma",
    "log_ndtr", "multigammaln", "mvlgamma", "ndtr", "ndtri", "polygamma", "sinc", "xlog1py", "xlogy", "zeta",
]

_POSITIVE = "floating dtypes, positive"


ROOT_HALF, ROOT_2_PI, ROOT_TWO_PI, DENSITY = sqrt(0.5), sqrt(2 / pi), sqrt(2 * pi), 1 / sqrt(2 * pi)
TWO_ROOT_PI, HALF_ROOT_PI, LOG_PI = 2 / sqrt(pi), sqrt(pi) / 2, log(pi)

# The error function and the normal distribution -------------------------------------
# In float32, erf(x) = tanh(x p(x^2)) with this polynomial, fitted to a relative error of 1e-7 on [-3.95, 3.95]; beyond
# 4.2 both are 1. In ufuncs on long arrays that is ten times faster than scipy's loop.
_ERF = (1.1283792742406544, 0.10276905628855552, -0.00019183193918649154, -0.0006197837182699805, 8.763699080926237e-05,
        -5.668423248211825e-06, 1.4184936176071891e-07)


def fits_erf(x):
    """Whether `error_function` may take the polynomial for this array."""
    return x.dtype.itemsize == 4 and x.size > 1000 and x.dtype.kind == "f"


def error_function(xp, x):
    """The forward of erf."""
    if not fits_erf(x):
        return xp.erf(x)
    z = xp.clip(x, -4.2, 4.2)
    squared = z * z
    p = squared * _ERF[-1]
    for c in _ERF[-2:0:-1]:
        p += c
        p *= squared
    p += _ERF[0]
    p *= z
    return xp.tanh(p)


def _bell(xp, x):
    x = xp.clip(x, -40, 40)
    return xp.exp(-x * x)


# e^(-x^2), infinities included.
bell = elementwise("bell", _bell, x=lambda xp, g, x, out: g * (xp.bounded(x, limit=40) * out * -2))
erf = function("erf", error_function, "The error function.",
               "out = 2/pi^(1/2) integral of e^(-t^2) from 0 to x", "erf(tn.tensor([0.0, 1.0]))",
               "tensor([0.0000, 0.8427])", x=lambda xp, g, x: g * (xp.bell(x) * TWO_ROOT_PI))
erfc = function("erfc", lambda xp, x: xp.erfc(x), "1 - erf(x), exact where it is small.", "out = 1 - erf(x)",
                "erfc(tn.tensor([0.0, 1.0]))", "tensor([1.0000, 0.1573])",
                x=lambda xp, g, x: g * (xp.bell(x) * -TWO_ROOT_PI))
erfcx = function("erfcx", lambda xp, x: xp.erfcx(x), "erfc without its exponential decay.", "out = e^(x^2) erfc(x)",
                 "erfcx(tn.tensor([0.0, 1.0]))", "tensor([1.0000, 0.4276])",
                 x=lambda g, x, out: g * (2 * x * out - TWO_ROOT_PI))
erfinv = function("erfinv", lambda xp, x: xp.erfinv(x), "The inverse of the error function on (-1, 1).",
                  "erf(out) = x", "erfinv(tn.tensor([0.0, 0.5]))", "tensor([0.0000, 0.4769])",
                  x=lambda xp, g, out: g * (xp.exp(out * out) * HALF_ROOT_PI))
erfcinv = function("erfcinv", lambda xp, x: xp.erfcinv(x), "The inverse of erfc on (0, 2).", "erfc(out) = x",
                   "erfcinv(tn.tensor([1.5, 0.5]))", "tensor([-0.4769,  0.4769])",
                   x=lambda xp, g, out: g * (xp.exp(out * out) * -HALF_ROOT_PI))
ndtr = function("ndtr", lambda xp, x: xp.ndtr(x), "The standard normal distribution function.",
                "out = (1 + erf(x / 2^(1/2))) / 2", "ndtr(tn.tensor([0.0, 1.96]))", "tensor([0.5000, 0.9750])",
                x=lambda xp, g, x: g * (xp.bell(x * ROOT_HALF) * DENSITY))
ndtri = function("ndtri", lambda xp, x: xp.ndtri(x), "The quantile function of the standard normal distribution.",
                 "ndtr(out) = x", "ndtri(tn.tensor([0.5, 0.975]))", "tensor([0.0000, 1.9600])",
                 kinds="floating dtypes, in [0, 1]", x=lambda xp, g, out: g * (xp.exp(out * out * 0.5) * ROOT_TWO_PI))
# The normal density over its distribution function: the derivative of log_ndtr.
hazard = elementwise("hazard", lambda xp, x: ROOT_2_PI / xp.erfcx(x * -ROOT_HALF),
                     x=lambda g, x, out: -g * (out * (x + out)))
log_ndtr = function("log_ndtr", lambda xp, x: xp.log_ndtr(x),
                    "The logarithm of the normal distribution function, exact in its tail.", "out = log(ndtr(x))",
                    "log_ndtr(tn.tensor([0.0, -100.0]))", "tensor([-6.9315e-01, -5.0055e+03])",
                    x=lambda xp, g, x: g * xp.hazard(x))

# Products with a logarithm ------------------------------------------------------------
# The logarithm that multiplies a zero is replaced by 0, its argument by 1: see `safe_where`.
log_factor = elementwise("log_factor", lambda xp, x, y: xp.log(xp.where((x == 0) & (y <= 0), 1, y)),
                         x=lambda xp, g, x: xp.flat(g * x),
                         y=lambda xp, g, x, y: g / xp.where((x == 0) & (y <= 0), 1, y))
log1p_factor = elementwise("log1p_factor", lambda xp, x, y: xp.log1p(xp.where((x == 0) & (y <= -1), 0, y)),
                           x=lambda xp, g, x: xp.flat(g * x),
                           y=lambda xp, g, x, y: g / (xp.where((x == 0) & (y <= -1), 0, y) + 1))
xlogy = function("xlogy", lambda xp, x, y: xp.xlogy(x, y), "x log(y), 0 where x is 0.", "out = x log(y)",
                 "xlogy(tn.tensor([0.0, 2.0]), tn.tensor([0.0, 1.0]))", "tensor([0., 0.])", args="x y",
                 x=lambda xp, g, x, y: g * xp.log_factor(x, y), y=lambda g, x, y: g * x / y)
xlog1py = function("xlog1py", lambda xp, x, y: xp.xlog1py(x, y), "x log(1 + y), 0 where x is 0.", "out = x log(1 + y)",
                   "xlog1py(tn.tensor([0.0, 2.0]), tn.tensor([-1.0, 0.0]))", "tensor([0., 0.])", args="x y",
                   x=lambda xp, g, x, y: g * xp.log1p_factor(x, y),
                   y=lambda g, x, y: g * x / (y + 1))
entr = function("entr", lambda xp, x: xp.entr(x),
                "-x log(x), the summand of an entropy; 0 at 0, minus infinity below.", "out = -x log(x)",
                "entr(tn.tensor([0.0, 0.5]))", "tensor([0.0000, 0.3466])", x=lambda xp, g, x: -g * (xp.log(x) + 1))

# Gamma functions ------------------------------------------------------------------------
lgamma = function("lgamma", lambda xp, x: xp.gammaln(x), "The logarithm of the absolute gamma function.",
                  "out = log(abs(Gamma(x)))", "lgamma(tn.tensor([1.0, 5.0]))", "tensor([0.0000, 3.1781])",
                  x=lambda xp, g, x: g * xp.digamma(x))
gammaln = lgamma
digamma = function("digamma", lambda xp, x: xp.digamma(x), "The derivative of lgamma.", "out = Gamma'(x) / Gamma(x)",
                   "digamma(tn.tensor([1.0, 2.0]))", "tensor([-0.5772,  0.4228])",
                   x=lambda xp, g, x: g * xp.polygamma_of(x, n=1))
_polygamma = elementwise("polygamma_of", lambda xp, x, *, n: xp.zeta(n + 1.0, x) * ((-1.0) ** (n + 1) * factorial(n)),
                         x=lambda xp, g, x, n: g * xp.polygamma_of(x, n=n + 1))


def polygamma(n, x, /):
    """The n-th derivative of digamma.

    Formula: out = d^n digamma(x) / dx^n = (-1)^(n+1) n! zeta(n + 1, x).

    Args:
        n: the order, an int of at least 0.
        x: Tensor, NumPy array or number, any shape; floating dtypes, no unit. As a method: `x.polygamma(n)`.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        ValueError: `n` is no int or is negative.
        TypeError: `x` is not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.polygamma(1, tn.tensor([1.0]))
        tensor([1.6449])
    """
    if isinstance(n, Tensor):
        n, x = x, n
    if n.__class__ is not int or n < 0:
        raise ValueError(f"polygamma: n must be an int of at least 0, got {n!r}")
    return _polygamma(x, n=n) if n else digamma(x)

zeta = function("zeta", lambda xp, x, q: xp.zeta(x, q), "The Hurwitz zeta function; differentiable in q.",
                "out = sum of (k + q)^-x over k = 0, 1, 2, ...", "zeta(tn.tensor([2.0]), 1.0)", "tensor([1.6449])",
                args="x q", kinds="floating dtypes, x > 1", q=lambda xp, g, x, q: -g * x * xp.zeta(x + 1, q))


def betaln(a, b, /):
    """The logarithm of the absolute beta function.

    Formula: out = lgamma(a) + lgamma(b) - lgamma(a + b).

    Args:
        a, b: Tensors, NumPy arrays or numbers whose shapes broadcast; floating dtypes, no unit.

    Returns:
        Tensor of the broadcast shape and promoted dtype.

    Raises:
        TypeError: an input is not numeric, or inputs live on different devices.
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.betaln(tn.tensor([2.0]), 3.0)
        tensor([-2.4849])
    """
    return subtract(add(lgamma(a), lgamma(b)), lgamma(add(a, b)))


def mvlgamma(x, /, p):
    """The logarithm of the multivariate gamma function.

    Formula: out = p (p - 1) / 4 log(pi) + sum of lgamma(x - i / 2) over i = 0 .. p - 1.

    Args:
        x: Tensor, NumPy array or number, any shape; floating dtypes, above (p - 1) / 2.
        p: the dimension, an int of at least 1.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        TypeError: `x` is not numeric.
        ValueError: `p` is no int or is less than 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.mvlgamma(tn.tensor([3.0]), 2)
        tensor([1.5502])
    """
    if p.__class__ is not int or p < 1:
        raise ValueError(f"mvlgamma: p must be an int of at least 1, got {p!r}")
    out = lgamma(x)
    for i in range(1, p):
        out = add(out, lgamma(subtract(x, i / 2)))
    return add(out, p * (p - 1) / 4 * LOG_PI)

multigammaln = mvlgamma


# Bessel functions -------------------------------------------------------------------------
def _over(xp, out, x, limit):
    """out / x, and its limit at x = 0."""
    return xp.where(x == 0, limit, out / xp.where(x == 0, 1, x))


def _i0(xp, x):
    x = floating(xp, x)
    return xp.i0e(x) * xp.exp(xp.abs(x))


i0 = function("i0", _i0,
              "The modified Bessel function of the first kind, order 0.", "out = I_0(x)", "i0(tn.tensor([0.0, 1.0]))",
              "tensor([1.0000, 1.2661])", x=lambda xp, g, x: g * xp.i1(x))
i1 = function("i1", lambda xp, x: xp.i1(x), "The modified Bessel function of the first kind, order 1.", "out = I_1(x)",
              "i1(tn.tensor([0.0, 1.0]))", "tensor([0.0000, 0.5652])",
              x=lambda xp, g, x, out: g * (xp.i0e(x) * xp.exp(xp.abs(x)) - _over(xp, out, x, 0.5)))
i0e = function("i0e", lambda xp, x: xp.i0e(x), "The modified Bessel function I_0 without its exponential growth.",
               "out = e^(-abs(x)) I_0(x)", "i0e(tn.tensor([0.0, 1.0]))", "tensor([1.0000, 0.4658])",
               x=lambda xp, g, x, out: g * (xp.i1e(x) - xp.sign(x) * out))
i1e = function("i1e", lambda xp, x: xp.i1e(x), "The modified Bessel function I_1 without its exponential growth.",
               "out = e^(-abs(x)) I_1(x)", "i1e(tn.tensor([0.0, 1.0]))", "tensor([0.0000, 0.2079])",
               x=lambda xp, g, x, out: g * (xp.i0e(x) - xp.sign(x) * out - _over(xp, out, x, 0.5)))
k0 = function("k0", lambda xp, x: xp.k0(x), "The modified Bessel function of the second kind, order 0.",
              "out = K_0(x)", "k0(tn.tensor([1.0]))", "tensor([0.4210])", kinds=_POSITIVE,
              x=lambda xp, g, x: -g * xp.k1(x))
k1 = function("k1", lambda xp, x: xp.k1(x), "The modified Bessel function of the second kind, order 1.",
              "out = K_1(x)", "k1(tn.tensor([1.0]))", "tensor([0.6019])", kinds=_POSITIVE,
              x=lambda xp, g, x, out: -g * (xp.k0(x) + out / x))
k0e = function("k0e", lambda xp, x: xp.k0e(x), "The modified Bessel function K_0 without its exponential decay.",
               "out = e^x K_0(x)", "k0e(tn.tensor([1.0]))", "tensor([1.1445])", kinds=_POSITIVE,
               x=lambda xp, g, x, out: g * (out - xp.k1e(x)))
k1e = function("k1e", lambda xp, x: xp.k1e(x), "The modified Bessel function K_1 without its exponential decay.",
               "out = e^x K_1(x)", "k1e(tn.tensor([1.0]))", "tensor([1.6362])", kinds=_POSITIVE,
               x=lambda xp, g, x, out: g * (out - xp.k0e(x) - out / x))
bessel_j0 = function("bessel_j0", lambda xp, x: xp.j0(x), "The Bessel function of the first kind, order 0.",
                     "out = J_0(x)", "bessel_j0(tn.tensor([0.0, 1.0]))", "tensor([1.0000, 0.7652])",
                     x=lambda xp, g, x: -g * xp.bessel_j1(x))
bessel_j1 = function("bessel_j1", lambda xp, x: xp.j1(x), "The Bessel function of the first kind, order 1.",
                     "out = J_1(x)", "bessel_j1(tn.tensor([0.0, 1.0]))", "tensor([0.0000, 0.4401])",
                     x=lambda xp, g, x, out: g * (xp.bessel_j0(x) - _over(xp, out, x, 0.5)))
bessel_y0 = function("bessel_y0", lambda xp, x: xp.y0(x), "The Bessel function of the second kind, order 0.",
                     "out = Y_0(x)", "bessel_y0(tn.tensor([1.0]))", "tensor([0.0883])", kinds=_POSITIVE,
                     x=lambda xp, g, x: -g * xp.bessel_y1(x))
bessel_y1 = function("bessel_y1", lambda xp, x: xp.y1(x), "The Bessel function of the second kind, order 1.",
                     "out = Y_1(x)", "bessel_y1(tn.tensor([1.0]))", "tensor([-0.7812])", kinds=_POSITIVE,
                     x=lambda xp, g, x, out: g * (xp.bessel_y0(x) - out / x))


# sin(pi x) / (pi x) -------------------------------------------------------------------------
def _sinc_forward(xp, x, *, order):
    """The derivative of that order: with u = pi x, u y_k + k y_(k-1) = sin(u + k pi/2), near 0 the Taylor series."""
    if order == 0:
        return xp.sinc(x)
    u = x * pi
    near = xp.abs(u) < order + 1
    far = xp.where(near, order + 1.0, u)
    y = xp.sin(far) / far
    for k in range(1, order + 1):
        y = (xp.sin(far + (k % 4) * (pi / 2)) - k * y) / far
    small, powers, total = xp.where(near, u, 0), None, xp.zeros_like(u)
    for m in range((order + 1) // 2, 14 + 2 * order):
        term = (-1) ** m * factorial(2 * m) / factorial(2 * m - order) / factorial(2 * m + 1)
        powers = small ** (2 * m - order) if powers is None else powers * small * small
        total = total + term * powers
    return xp.where(near, total, y) * pi ** order

_sinc = elementwise("sinc", _sinc_forward, x=lambda xp, g, x, order: g * xp.sinc_derivative(x, order=order + 1))
sinc_derivative = elementwise("sinc_derivative", _sinc_forward, **_sinc.primitive.rules)


def sinc(x, /):
    """The normalized cardinal sine, exact with all its derivatives at and near 0.

    Formula: out = sin(pi x) / (pi x), 1 at x = 0.

    Args:
        x: Tensor, NumPy array or number, any shape; floating dtypes, no unit.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        TypeError: `x` is not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.sinc(tn.tensor([0.0, 0.5]))
        tensor([1.0000, 0.6366])
    """
    return _sinc(x, order=0)
