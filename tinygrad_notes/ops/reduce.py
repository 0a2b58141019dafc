"""Reductions over axes."""
from ..autograd import adjoint

__all__ = ["sum"]


def _axes(name, axis, ndim):
    """`axis` as a tuple of distinct non-negative ints; None means all axes."""
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if not isinstance(axis, (tuple, list)) else tuple(axis)
    found = []
    for a in axes:
        if not -ndim <= a < ndim:
            raise IndexError(f"{name}: axis {a} is out of range for a tensor with {ndim} axes")
        found.append(int(a) % ndim)
    if len(set(found)) != len(found):
        raise ValueError(f"{name}: axis {axis} names an axis twice")
    return tuple(found)


def _spread(xp, y, *, axis, keepdims, shape):
    if not keepdims:
        y = xp.expand_dims(y, axis=axis)
    return xp.broadcast_to(y, shape)


_sum, _sum_transpose = adjoint(
    "sum", lambda xp, x, *, axis, keepdims: xp.sum(x, axis=axis, keepdims=keepdims),
    "spread", _spread, kind="reduce", transpose_kind="view")


def sum(x, /, *, axis=None, dtype=None, keepdims=False):
    """todo"""
    return _sum(x, axis=_axes("sum", axis, x.ndim), keepdims=keepdims)
