"""Smooth activation functions of neural networks: stable for any argument, infinities included.

Most saturate: beyond some argument nothing changes in any floating dtype, so `bounded` keeps it there.
"""
from math import pi, sqrt

from numpy import errstate, finfo, ndarray

from ..autograd import Tensor, elementwise, joint
from ..autograd.mode import mode
from ..backend import gelu as gelu_kernels
from ..backend import silu as silu_kernels
from ..backend.kernels import INLINE, KERNELS
from .arithmetic import floating
from .choice import clip
from .docs import function
from .special import error_function, fits_erf

__all__ = [
    "expit", "gelu", "log_sigmoid", "logit", "logsigmoid", "mish", "sigmoid", "silu", "softplus",
    "softsign", "swish", "tanhshrink",
]

ROOT_HALF, ROOT_2_PI, DENSITY, CUBIC = sqrt(0.5), sqrt(2 / pi), 1 / sqrt(2 * pi), 0.044715


# Forwards compute in place on arrays of their own: at these lengths, memory costs more than arithmetic.
def rectified(xp, x):
    """max(x, 0); on long arrays NumPy clips three times faster than it compares."""
    return xp.rectify(x) if x.size > 4096 and x.dtype.kind == "f" else xp.maximum(x, 0)


def floored(xp, x):
    """max(x, -1000), so that minus infinity meets no zero."""
    return xp.clip(x, -1000, float("inf")) if x.size > 4096 and x.dtype.kind == "f" else xp.maximum(x, -1000)


# x within +-limit; its derivative is taken as 1, because what it is used in does not change beyond.
bounded = elementwise("bounded", lambda xp, x, *, limit: xp.clip(x, -limit, limit), x=lambda g: g)


def _with_slope(name, kernel, forward, slope, curve):
    """The operation (f(x), f'(x)): for long arrays on the host, where the gradient is then one product.

    `kernel` computes both; `forward` and `slope` do where it cannot; `curve(xp, g, x)` is g f''(x).
    """
    def pull(xp, parts, x, out):
        g, g_slope = parts
        if g is None:
            found = None
        elif isinstance(x, Tensor):  # computed from `x`, so that it can be differentiated again
            found = g * getattr(xp, f"{name}_slope")(x)
        else:
            found = gelu_kernels.product(g, out[1]) if gelu_kernels.suits(g, out[1]) else g * out[1]
        if g_slope is None:
            return (found,)
        curved = curve(xp, g_slope, x)
        return (curved if found is None else found + curved,)

    def both(xp, x):
        return kernel(x, lambda part: forward(xp, part), lambda part: slope(xp, part))
    return joint(f"{name}_and_slope", both, pull, outputs=2)


# The logistic family --------------------------------------------------------------
def _sigmoid(xp, x):
    x = floating(xp, x)
    if x.size < 1500 and x.dtype.kind == "f":
        return xp.expit(x)  # one slow pass beats five fast ones on a short array
    out = xp.negative(x, out=xp.empty_like(x))
    with errstate(over="ignore"):
        xp.exp(out, out=out)
    out += 1
    return xp.reciprocal(out, out=out)


sigmoid = function("sigmoid", _sigmoid, "The logistic function.", "out = 1 / (1 + e^-x)",
                   "sigmoid(tn.tensor([0.0, 2.0]))", "tensor([0.5000, 0.8808])",
                   x=lambda g, out: g * (out - out * out))
expit = sigmoid


def _unit_softplus(xp, x):
    """log(1 + e^x) as max(x, 0) + log(1 + e^-abs(x))."""
    x = floating(xp, x)
    if x.size < 1500 or x.__class__ is not ndarray:
        return xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x)))
    out = xp.abs(x, out=xp.empty_like(x))
    xp.negative(out, out=out)
    xp.exp(out, out=out)
    xp.log1p(out, out=out)
    out += rectified(xp, x)
    return out


INLINE.add("softplus")
KERNELS["softplus"] = _unit_softplus  # scipy.special has a slower one
_softplus = elementwise("softplus", lambda xp, x: xp.softplus(x), x=lambda xp, g, x: g * xp.sigmoid(x))
log_sigmoid = function("log_sigmoid", lambda xp, x: -xp.softplus(-x), "The logarithm of the logistic function.",
                       "out = log(1 / (1 + e^-x)) = -softplus(-x)", "log_sigmoid(tn.tensor([0.0, -1000.0]))",
                       "tensor([-6.9315e-01, -1.0000e+03])", x=lambda xp, g, x: g * xp.sigmoid(-x))
logsigmoid = log_sigmoid
_softplus_linear = elementwise(
    "softplus_linear", lambda xp, x, *, threshold: xp.where(x > threshold, x, xp.softplus(x)),
    x=lambda xp, g, x, threshold: g * xp.where(x > threshold, 1, xp.sigmoid(x)))


def softplus(x, /, beta=1.0, threshold=None):
    """A smooth form of relu, exact and without overflow for any argument.

    Formula: out = log(1 + e^(beta x)) / beta.

    Args:
        x: Tensor, NumPy array or number, any shape; floating dtypes, no unit.
        beta: sharpness, not 0.
        threshold: where beta x exceeds it the result is x itself; default: nowhere, there is no need.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        TypeError: `x` is not numeric.
        ValueError: `beta` is 0.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.softplus(tn.tensor([0.0, 1000.0]))
        tensor([6.9315e-01, 1.0000e+03])
    """
    if beta == 0:
        raise ValueError("softplus: beta must not be 0")
    scaled = x if beta == 1 else x * beta
    out = _softplus(scaled) if threshold is None else _softplus_linear(scaled, threshold=float(threshold))
    return out if beta == 1 else out / beta

_logit = elementwise("logit", lambda xp, x: xp.log(x) - xp.log1p(-x), x=lambda g, x: g / (x * (1 - x)))


def logit(x, /, eps=None):
    """The inverse of the logistic function.

    Formula: out = log(x / (1 - x)).

    Args:
        x: Tensor, NumPy array or number, any shape; a probability in [0, 1], floating dtypes.
        eps: keep x within [eps, 1 - eps] first; default: do not.

    Returns:
        Tensor of the shape and dtype of `x`; NaN outside [0, 1].

    Raises:
        TypeError: `x` is not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.logit(tn.tensor([0.5, 0.9]))
        tensor([0.0000, 2.1972])
    """
    return _logit(x if eps is None else clip(x, eps, 1 - eps))


def _silu(xp, x):
    out = _sigmoid(xp, x)
    out *= floored(xp, x)
    return out


def _silu_slope(xp, x):
    x = xp.clip(floating(xp, x), -1000, 1000)
    s = _sigmoid(xp, x)
    out = x - x * s
    out += 1
    out *= s
    return out


def _silu_curve(xp, g, x):
    x = xp.bounded(x, limit=1000)
    s = xp.sigmoid(x)
    return g * ((s - s * s) * (2 + x - 2 * (x * s)))


silu_slope = elementwise("silu_slope", _silu_slope, x=_silu_curve)
_silu_and_slope = _with_slope("silu", silu_kernels.forward_and_slope, _silu, _silu_slope, _silu_curve)
_silu_alone = function("silu", _silu, "x times its logistic function, also called swish.", "out = x / (1 + e^-x)",
                       "silu(tn.tensor([0.0, 2.0]))", "tensor([0.0000, 1.7616])",
                       x=lambda xp, g, x: g * xp.silu_slope(x))


def silu(x, /):
    long = isinstance(x, Tensor) and x.requires_grad and mode.record and gelu_kernels.suits(x.data)
    return _silu_and_slope(x)[0] if long else _silu_alone(x)


silu.__doc__ = _silu_alone.__doc__
swish = silu


def _mish_parts(xp, x):
    """x, e^x, and n with tanh(log(1 + e^x)) = n / (n + 2), for x up to 20 (5 in float16): beyond that is 1."""
    x = xp.clip(x, -1000, 5 if x.dtype.itemsize == 2 else 20)
    e = xp.exp(x)
    return x, e, e * e + 2 * e


def _mish(xp, x):
    x = floored(xp, floating(xp, x))
    _, _, n = _mish_parts(xp, x)
    return x * (n / (n + 2))


def _mish_slope(xp, x):
    x, e, n = _mish_parts(xp, floating(xp, x))
    m = n + 2
    return (n + 4 * x * (e * ((e + 1) / m))) / m


def _mish_curve(xp, g, x):
    x = xp.bounded(x, limit=1000)
    t, s = xp.tanh(xp.softplus(x)), xp.sigmoid(x)
    u = s * (1 - t * t)
    return g * (u * (2 + x * (1 - s - 2 * (s * t))))


mish_slope = elementwise("mish_slope", _mish_slope, x=_mish_curve)
mish = function("mish", _mish, "x times tanh of its softplus.", "out = x tanh(log(1 + e^x))",
                "mish(tn.tensor([0.0, 2.0]))", "tensor([0.0000, 1.9440])", x=lambda xp, g, x: g * xp.mish_slope(x))


# The Gaussian family --------------------------------------------------------------
def _normal(xp, x):
    """The normal distribution function; in its lower tail exact in float64, to 1e-7 in float32."""
    if not fits_erf(x):
        return xp.erfc(x * -ROOT_HALF) * 0.5
    out = error_function(xp, x * ROOT_HALF)
    out += 1
    out *= 0.5
    return out


def _gelu(xp, x):
    if gelu_kernels.suits(x):
        return gelu_kernels.forward(x, lambda part: _whole_gelu(xp, part))
    return _whole_gelu(xp, x)


def _whole_gelu(xp, x):
    x = floating(xp, x)
    out = _normal(xp, x)
    out *= floored(xp, x)
    return out


def _gelu_slope(xp, x):
    x = floating(xp, x)
    near = xp.clip(x, -40, 40)
    e = near * near
    e *= -0.5
    e = xp.exp(e)
    e *= near
    e *= DENSITY
    e += _normal(xp, x)
    return e


def _gelu_curve(xp, g, x):
    x = xp.bounded(x, limit=40)
    squared = x * x
    return g * (xp.exp(squared * -0.5) * (2 * DENSITY - DENSITY * squared))


gelu_slope = elementwise("gelu_slope", _gelu_slope, x=_gelu_curve)
_gelu = elementwise("gelu", _gelu, x=lambda xp, g, x: g * xp.gelu_slope(x))
_gelu_and_slope = _with_slope("gelu", gelu_kernels.forward_and_slope, _whole_gelu, _gelu_slope, _gelu_curve)


def _gelu_tanh(xp, x):
    x = floating(xp, x)
    z = xp.clip(x, -20, 20)
    t = z * z
    t *= CUBIC * ROOT_2_PI
    t += ROOT_2_PI
    t *= z
    t = xp.tanh(t)
    t += 1
    t *= 0.5
    t *= floored(xp, x)
    return t


def _gelu_tanh_slope(xp, x):
    z = xp.clip(floating(xp, x), -20, 20)
    squared = z * z
    t = squared * (CUBIC * ROOT_2_PI)
    t += ROOT_2_PI
    t *= z
    t = xp.tanh(t)
    squared *= 1.5 * CUBIC * ROOT_2_PI
    squared += 0.5 * ROOT_2_PI
    squared *= z
    z = 1 - t * t
    squared *= z
    t *= 0.5
    t += 0.5
    t += squared
    return t


def _gelu_tanh_curve(xp, g, x):
    x = xp.bounded(x, limit=20)
    squared = x * x
    t = xp.tanh(x * (ROOT_2_PI + CUBIC * ROOT_2_PI * squared))
    inner = ROOT_2_PI + 3 * CUBIC * ROOT_2_PI * squared
    return g * ((1 - t * t) * (inner + x * (3 * CUBIC * ROOT_2_PI * x - t * (inner * inner))))


gelu_tanh_slope = elementwise("gelu_tanh_slope", _gelu_tanh_slope, x=_gelu_tanh_curve)
_gelu_tanh = elementwise("gelu_tanh", _gelu_tanh, x=lambda xp, g, x: g * xp.gelu_tanh_slope(x))


def gelu(x, /, approximate="none"):
    """x times the normal distribution function at x.

    Formula: out = x (1 + erf(x / 2^(1/2))) / 2; 'tanh': x (1 + tanh((2/pi)^(1/2) (x + 0.044715 x^3))) / 2.

    Args:
        x: Tensor, NumPy array or number, any shape; floating dtypes, no unit.
        approximate: 'none' or 'tanh'.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        TypeError: `x` is not numeric.
        ValueError: `approximate` is neither 'none' nor 'tanh'.

    Source: D. Hendrycks and K. Gimpel, Gaussian Error Linear Units, 2016.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.gelu(tn.tensor([-1.0, 2.0]))
        tensor([-0.1587,  1.9545])
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    if approximate == "tanh":
        return _gelu_tanh(x)
    if isinstance(x, Tensor) and x.requires_grad and mode.record and (
            gelu_kernels.suits(x.data) or mode.tape is not None and mode.tape.coarse):
        return _gelu_and_slope(x)[0]
    return _gelu(x)

tanhshrink = function("tanhshrink", lambda xp, x: x - xp.tanh(x), "x minus its tanh.", "out = x - tanh(x)",
                      "tanhshrink(tn.tensor([0.0, 2.0]))", "tensor([0.0000, 1.0360])",
                      x=lambda xp, g, x: g * xp.square(xp.tanh(x)))


def _softsign(xp, x):
    x = floating(xp, x)
    largest = float(finfo(x.dtype).max)
    x = xp.clip(x, -largest, largest)
    return x / (1 + xp.abs(x))


softsign = function("softsign", _softsign, "x over one plus its absolute value.",
                    "out = x / (1 + abs(x))", "softsign(tn.tensor([0.0, 3.0]))", "tensor([0.0000, 0.7500])",
                    x=lambda xp, g, x: g * xp.square(1 / (1 + xp.abs(x))))
