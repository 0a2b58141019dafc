"""Rectifiers and other activation functions made of pieces."""
from ..autograd import elementwise
from ..autograd.tensor import as_tensor
from ..backend import default_float
from .activation import floating, floored, rectified
from .choice import masked_fill
from .docs import function

__all__ = [
    "celu", "elu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "prelu", "relu", "relu6", "selu",
    "softshrink", "threshold",
]

relu = function("relu", rectified, "x where it is positive, else 0; the derivative at 0 is 0.",
                "out = max(x, 0)", "relu(tn.tensor([-1.0, 2.0]))", "tensor([0., 2.])",
                x=lambda xp, g, out: xp.multiply(g, out > 0))
relu6 = function("relu6", lambda xp, x: xp.clip(x, 0, 6), "relu, at most 6; the derivative at 0 and 6 is 0.",
                 "out = min(max(x, 0), 6)", "relu6(tn.tensor([-1.0, 2.0, 7.0]))", "tensor([0., 2., 6.])",
                 x=lambda g, out: g * ((out > 0) & (out < 6)))
def _leaky_relu(xp, x, *, negative_slope):
    return (xp.maximum if negative_slope <= 1 else xp.minimum)(x, x * negative_slope)


def _step(xp, x, *, low):
    one = xp.astype(x > 0, x.dtype if x.dtype.kind == "f" else default_float)
    out = 1 - one
    out *= low
    out += one
    return out


step = elementwise("step", _step, differentiable=False)  # 1 where x > 0, else `low`
_leaky_relu = elementwise("leaky_relu", _leaky_relu,
                          x=lambda xp, g, x, negative_slope: g * xp.step(x, low=negative_slope))


def leaky_relu(x, /, negative_slope=0.01):
    """x where it is positive, a fraction of it elsewhere; the derivative at 0 is that fraction.

    Formula: out = max(x, 0) + negative_slope min(x, 0).

    Args:
        x: Tensor, NumPy array or number, any shape; floating dtypes, no unit.
        negative_slope: the slope for negative arguments.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        TypeError: `x` is not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.leaky_relu(tn.tensor([-1.0, 2.0]), 0.1)
        tensor([-0.1000,  2.0000])
    """
    return _leaky_relu(x, negative_slope=float(negative_slope))

_prelu = elementwise("prelu", lambda xp, x, weight: xp.where(x > 0, x, weight * x),
                     x=lambda xp, g, x, weight: xp.where(x > 0, g, g * weight),
                     weight=lambda g, x: g * (x * (x <= 0)))


def prelu(x, /, weight):
    """leaky_relu with a learned slope, one for all or one per channel (axis 1).

    Formula: out = x where x > 0, weight x elsewhere.

    Args:
        x: Tensor, shape (N, C, ...) or any shape for one slope; floating dtypes, no unit.
        weight: Tensor of the slopes, of shape (), (1,) or (C,).

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        TypeError: an input is not numeric, or inputs live on different devices.
        ValueError: `weight` has more than one axis, or its length is neither 1 nor C.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.prelu(tn.tensor([-1.0, 2.0]), tn.tensor([0.25]))
        tensor([-0.2500,  2.0000])
    """
    from .shape import reshape
    x, weight = as_tensor(x), as_tensor(weight)
    channels = x.shape[1] if x.ndim > 1 else x.shape[0] if x.ndim else 1
    if weight.ndim > 1 or weight.size not in (1, channels):
        raise ValueError(f"prelu: weight must hold 1 or {channels} slopes for x of shape {x.shape}, "
                         f"got shape {weight.shape}")
    if weight.size == 1:
        return _prelu(x, reshape(weight, ()))
    return _prelu(x, reshape(weight, (channels,) + (1,) * (x.ndim - 2)) if x.ndim > 1 else weight)


# `order`-th derivative of elu (0: elu itself); `inner` scales the argument of the exponential.
def _elu_forward(xp, x, *, alpha, scale, inner, order):
    x = floating(xp, x)
    low = xp.minimum(x, 0) * inner
    low = xp.exp(low) if order else xp.expm1(low)
    low *= alpha * scale * inner ** order
    if order == 0:
        low += rectified(xp, x) * scale
        return low
    positive = xp.astype(x > 0 if order == 1 else x >= 0, x.dtype)
    low -= low * positive
    if order == 1:
        positive *= scale
        low += positive
    return low


_elu = elementwise("elu", _elu_forward, x=lambda xp, g, x, alpha, scale, inner, order: g * xp.elu_derivative(
    x, alpha=alpha, scale=scale, inner=inner, order=order + 1))
elu_derivative = elementwise("elu_derivative", _elu_forward, **_elu.primitive.rules)


def elu(x, /, alpha=1.0):
    """x where it is positive, a saturating exponential elsewhere.

    Formula: out = x for x > 0, alpha (e^x - 1) for x <= 0.

    Args:
        x: Tensor, NumPy array or number, any shape; floating dtypes, no unit.
        alpha: minus the value at minus infinity.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        TypeError: `x` is not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.elu(tn.tensor([-1.0, 2.0]))
        tensor([-0.6321,  2.0000])
    """
    return _elu(x, alpha=float(alpha), scale=1.0, inner=1.0, order=0)


def selu(x, /):
    """elu with the two constants for which unit-variance, zero-mean activations stay so through the layers.

    Formula: out = 1.0507 x for x > 0, 1.0507 1.6733 (e^x - 1) for x <= 0.

    Args:
        x: Tensor, NumPy array or number, any shape; floating dtypes, no unit.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        TypeError: `x` is not numeric.

    Source: G. Klambauer et al., Self-Normalizing Neural Networks, 2017.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.selu(tn.tensor([-1.0, 2.0]))
        tensor([-1.1113,  2.1014])
    """
    return _elu(x, alpha=1.6732632423543772, scale=1.0507009873554805, inner=1.0, order=0)


def celu(x, /, alpha=1.0):
    """elu with a continuous derivative for every alpha.

    Formula: out = x for x > 0, alpha (e^(x / alpha) - 1) for x <= 0.

    Args:
        x: Tensor, NumPy array or number, any shape; floating dtypes, no unit.
        alpha: minus the value at minus infinity; not 0.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        TypeError: `x` is not numeric.
        ValueError: `alpha` is 0.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.celu(tn.tensor([-1.0, 2.0]), 2.0)
        tensor([-0.7869,  2.0000])
    """
    if alpha == 0:
        raise ValueError("celu: alpha must not be 0")
    return _elu(x, alpha=float(alpha), scale=1.0, inner=1.0 / alpha, order=0)


# Straight pieces ------------------------------------------------------------------
_hardtanh = elementwise("hardtanh", lambda xp, x, *, low, high: xp.clip(x, low, high),
                        x=lambda g, out, low, high: g * ((out > low) & (out < high)))


def hardtanh(x, /, min_val=-1.0, max_val=1.0):
    """x kept between two bounds; the derivative is 0 at the bounds and outside.

    Formula: out = min(max(x, min_val), max_val).

    Args:
        x: Tensor, NumPy array or number, any shape; floating dtypes, no unit.
        min_val, max_val: the bounds, min_val <= max_val.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        TypeError: `x` is not numeric.
        ValueError: min_val exceeds max_val.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.hardtanh(tn.tensor([-3.0, 0.5, 2.0]))
        tensor([-1.0000,  0.5000,  1.0000])
    """
    if not min_val <= max_val:
        raise ValueError(f"hardtanh: min_val must not exceed max_val, got {min_val} and {max_val}")
    return _hardtanh(x, low=float(min_val), high=float(max_val))

hardsigmoid = function("hardsigmoid", lambda xp, x: xp.clip(x * (1 / 6) + 0.5, 0, 1),
                       "A straight-line form of the logistic function.", "out = min(max(x / 6 + 1/2, 0), 1)",
                       "hardsigmoid(tn.tensor([-4.0, 0.0]))", "tensor([0.0000, 0.5000])",
                       x=lambda g, x: g * ((x > -3) & (x < 3)) * (1 / 6))


def _hardswish(xp, x):
    return floored(xp, x) * xp.clip(x * (1 / 6) + 0.5, 0, 1)


def _hardswish_slope(xp, x):
    return (xp.clip(x, -3, 3) * (1 / 3) + 0.5) * ((x > -3) & (x < 3)) + (x >= 3)


hardswish_slope = elementwise("hardswish_slope", _hardswish_slope, x=lambda g, x: g * ((x > -3) & (x < 3)) * (1 / 3))
hardswish = function("hardswish", _hardswish, "x times its hardsigmoid.", "out = x min(max(x / 6 + 1/2, 0), 1)",
                     "hardswish(tn.tensor([-4.0, 3.0]))", "tensor([-0., 3.])",
                     x=lambda xp, g, x: g * xp.hardswish_slope(x))
_hardshrink = elementwise("hardshrink", lambda xp, x, *, lambd: x * xp.logical_not(xp.abs(x) <= lambd),
                          x=lambda xp, g, x, lambd: g * xp.logical_not(xp.abs(x) <= lambd))
_softshrink = elementwise("softshrink", lambda xp, x, *, lambd: x - xp.clip(x, -lambd, lambd),
                          x=lambda xp, g, x, lambd: g * xp.logical_not(xp.abs(x) <= lambd))


def hardshrink(x, /, lambd=0.5):
    """x, set to 0 in the band [-lambd, lambd].

    Formula: out = x where abs(x) > lambd, else 0.

    Args:
        x: Tensor, NumPy array or number, any shape; floating dtypes, no unit.
        lambd: half the width of the band; below 0 there is no band.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        TypeError: `x` is not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.hardshrink(tn.tensor([-2.0, 0.3]))
        tensor([-2.,  0.])
    """
    return _hardshrink(x, lambd=float(lambd))


def softshrink(x, /, lambd=0.5):
    """x moved towards 0 by lambd, 0 in the band [-lambd, lambd].

    Formula: out = sign(x) max(abs(x) - lambd, 0).

    Args:
        x: Tensor, NumPy array or number, any shape; floating dtypes, no unit.
        lambd: half the width of the band, at least 0.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        TypeError: `x` is not numeric.
        ValueError: `lambd` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.softshrink(tn.tensor([-2.0, 0.3]))
        tensor([-1.5000,  0.0000])
    """
    if not lambd >= 0:
        raise ValueError(f"softshrink: lambd must be at least 0, got {lambd}")
    return _softshrink(x, lambd=float(lambd))


def threshold(x, /, threshold, value):
    """x where it exceeds a threshold, else a constant.

    Formula: out = x for x > threshold, value elsewhere.

    Args:
        x: Tensor, NumPy array or number, any shape; any real dtype, no unit.
        threshold, value: numbers.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        TypeError: `x` is not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.threshold(tn.tensor([0.05, 2.0]), 0.1, -1.0)
        tensor([-1.,  2.])
    """
    x = as_tensor(x)
    return masked_fill(x, x <= threshold, value)
