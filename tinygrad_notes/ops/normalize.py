"""Values of mean zero and of unit size, over some axes: the two halves of every normalization layer.

Each keeps one array for its gradient: nothing, and what went in.
"""
from ..autograd import primitive
from .axes import count

__all__ = []


def _average(xp, x, axis):
    return xp.sum(x, axis=axis, keepdims=True) * (1 / count(x.shape, axis))


# x minus its mean: a projection, so its own transpose.
center = primitive("center", lambda xp, x, *, axis: x - _average(xp, x, axis), kind="reduce",
                   x=lambda xp, g, axis: xp.center(g, axis=axis))


def _inverse_size(xp, x, axis, eps):
    return xp.reciprocal(xp.sqrt(_average(xp, x * x, axis) + eps))


def _unit_rms_slope(xp, g, x, axis, eps):
    r = _inverse_size(xp, x, axis, eps)
    return g * r - x * (r * r * r * _average(xp, g * x, axis))


# x divided by the root of its mean square.
unit_rms = primitive("unit_rms", lambda xp, x, *, axis, eps: x * _inverse_size(xp, x, axis, eps), kind="reduce",
                     x=_unit_rms_slope)
