"""Smooth activation functions of neural networks: stable for any argument, infinities included.

Most saturate: beyond +-1000 nothing changes in any floating dtype, so `bounded` keeps their arguments there.
"""
from math import pi, sqrt

from numpy import errstate

from ..autograd import elementwise
from .choice import clip
from .docs import function

__all__ = [
    "expit", "gelu", "log_sigmoid", "logit", "logsigmoid", "mish", "sigmoid", "silu", "softplus",
    "softsign", "swish", "tanhshrink",
]

# x within +-1000; its derivative is taken as 1, because what it is used in does not change beyond.
bounded = elementwise("bounded", lambda xp, x: xp.clip(x, -1000, 1000), x=lambda g: g)

# The logistic family --------------------------------------------------------------
def _sigmoid(xp, x):
    with errstate(over="ignore"):
        out = xp.exp(-x)
    return xp.reciprocal(out + 1)

sigmoid = function("sigmoid", _sigmoid, "The logistic function.", "out = 1 / (1 + e^-x)",
                   "sigmoid(tn.tensor([0.0, 2.0]))", "tensor([0.5000, 0.8808])",
                   x=lambda g, out: g * (out - out * out))
expit = sigmoid


def _unit_softplus(xp, x):
    return xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x)))

_softplus = elementwise("softplus", _unit_softplus, x=lambda xp, g, x: g * xp.sigmoid(x))
_log_sigmoid = function("log_sigmoid", lambda xp, x: -_unit_softplus(xp, -x),
                        "The logarithm of the logistic function.", "out = log(1 / (1 + e^-x)) = -softplus(-x)",
                        "log_sigmoid(tn.tensor([0.0, -1000.0]))", "tensor([-6.9315e-01, -1.0000e+03])",
                        x=lambda xp, g, x: g * xp.sigmoid(-x))
log_sigmoid = logsigmoid = _log_sigmoid
_softplus_linear = elementwise(
    "softplus_linear", lambda xp, x, *, threshold: xp.where(x > threshold, x, _unit_softplus(xp, x)),
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
    x = xp.maximum(x, -1000)
    return x * _sigmoid(xp, x)


def _silu_slope(xp, g, x):
    z = xp.bounded(x)
    s = xp.sigmoid(z)
    return g * (s + z * (s - s * s))

silu = function("silu", _silu, "x times its logistic function, also called swish.", "out = x / (1 + e^-x)",
                "silu(tn.tensor([0.0, 2.0]))", "tensor([0.0000, 1.7616])", x=_silu_slope)
swish = silu


def _mish(xp, x):
    x = xp.maximum(x, -1000)
    return x * xp.tanh(_unit_softplus(xp, x))


def _mish_slope(xp, g, x):
    z = xp.bounded(x)
    t = xp.tanh(xp.softplus(z))
    return g * (t + z * xp.sigmoid(z) * (1 - t * t))

mish = function("mish", _mish, "x times tanh of its softplus.", "out = x tanh(log(1 + e^x))",
                "mish(tn.tensor([0.0, 2.0]))", "tensor([0.0000, 1.9440])", x=_mish_slope)

# The Gaussian family --------------------------------------------------------------
def _gelu(xp, x):
    x = xp.maximum(x, -1000)
    return x * (0.5 * xp.erfc(x * -sqrt(0.5)))


def _gelu_slope(xp, g, x):
    z = xp.bounded(x)
    return g * (0.5 * xp.erfc(z * -sqrt(0.5)) + z * xp.exp(z * z * -0.5) * (1 / sqrt(2 * pi)))


def _gelu_tanh(xp, x):
    x = xp.maximum(x, -1000)
    z = xp.minimum(x, 1000)
    return x * (0.5 + 0.5 * xp.tanh((z + z * z * z * 0.044715) * sqrt(2 / pi)))


def _gelu_tanh_slope(xp, g, x):
    z = xp.bounded(x)
    squared = z * z
    t = xp.tanh((z + z * squared * 0.044715) * sqrt(2 / pi))
    return g * (0.5 + 0.5 * t + z * (1 - t * t) * (1 + squared * (3 * 0.044715)) * (0.5 * sqrt(2 / pi)))

_gelu = elementwise("gelu", _gelu, x=_gelu_slope)
_gelu_tanh = elementwise("gelu_tanh", _gelu_tanh, x=_gelu_tanh_slope)


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
    return _gelu(x) if approximate == "none" else _gelu_tanh(x)

tanhshrink = function("tanhshrink", lambda xp, x: x - xp.tanh(x), "x minus its tanh.", "out = x - tanh(x)",
                      "tanhshrink(tn.tensor([0.0, 2.0]))", "tensor([0.0000, 1.0360])",
                      x=lambda xp, g, x: g * xp.square(xp.tanh(x)))
softsign = function("softsign", lambda xp, x: x / (1 + xp.abs(x)), "x over one plus its absolute value.",
                    "out = x / (1 + abs(x))", "softsign(tn.tensor([0.0, 3.0]))", "tensor([0.0000, 0.7500])",
                    x=lambda xp, g, x: g / xp.square(1 + xp.abs(x)))
