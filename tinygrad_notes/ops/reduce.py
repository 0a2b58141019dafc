"""Sums, products and truth over axes."""
from math import prod as _size

import numpy as np

from ..autograd import adjoint, primitive
from ..autograd.tensor import Tensor, as_tensor
from ..backend import to_dtype
from ..backend.kernels import KERNELS
from .axes import all_axes, count, kept_shape

__all__ = ["sum", "mean", "prod", "any", "all", "count_nonzero"]

_SMALL = 4096  # below this many elements, writing a copy is cheaper than NumPy's broadcast_to


def _fast(name, ufunc):
    """Let `xp.name` call the ufunc's own `reduce`, half the time of NumPy's wrapper on a small array."""
    run = ufunc.reduce

    def function(xp, x, axis=None, dtype=None, keepdims=False):
        if isinstance(x, (np.ndarray, np.generic)):
            return run(x, axis, dtype, None, keepdims)
        if dtype is None:
            return getattr(x, name)(axis=axis, keepdims=keepdims)
        return getattr(x, name)(axis=axis, dtype=dtype, keepdims=keepdims)
    KERNELS[name] = function


for _name, _ufunc in {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}.items():
    _fast(_name, _ufunc)


# Sum and mean -------------------------------------------------------------------
def _spread(xp, y, *, axis, keepdims, shape):
    if not keepdims and axis is not None:
        y = y.reshape(kept_shape(shape, axis))
    if _size(shape) > _SMALL:
        return xp.broadcast_to(y, shape)
    out = xp.empty(shape, dtype=y.dtype)
    out[...] = y
    return out


def _average(xp, x, *, axis, keepdims):
    n = count(x.shape, axis)
    kind, narrow = x.dtype.kind, x.dtype.itemsize == 2
    if kind in "fc" and not narrow:
        total = xp.sum(x, axis, keepdims=keepdims)
        return total / n if n else total + float("nan")
    # Integers are added exactly and halves without overflow.
    total = xp.sum(x, axis, dtype="float32" if kind == "f" else "float64", keepdims=keepdims)
    return (total / n if n else total + float("nan")).astype("float16" if kind == "f" else "float32")


KERNELS["mean"] = lambda xp, x, axis=None, keepdims=False: _average(xp, x, axis=axis, keepdims=keepdims)


def _spread_mean(xp, y, *, axis, keepdims, shape):
    n = count(shape, axis)
    return _spread(xp, y / n if n else y, axis=axis, keepdims=keepdims, shape=shape)


_sum, _ = adjoint("sum", lambda xp, x, *, axis, keepdims: xp.sum(x, axis, keepdims=keepdims),
                  "spread", _spread, kind="reduce", transpose_kind="view")
_mean, _ = adjoint("mean", _average, "spread_mean", _spread_mean, kind="reduce", transpose_kind="elementwise")


def sum(x, /, axis=None, *, dtype=None, keepdims=False):
    """The sum of the elements over some axes.

    Formula: out = sum_i x_i, i over the elements along `axis`.

    Args:
        x: tensor of any shape and dtype.
        axis: int, tuple of ints, or None for all axes; negative counts from the last.
        dtype: data type of the addition and the result; default: that of floating `x`, else int64 (uint64).
        keepdims: keep the summed axes with length one.

    Returns:
        The shape of `x` without `axis` (with ones there if `keepdims`). The sum of nothing is 0.

    Raises:
        IndexError: an axis is out of range.
        ValueError: an axis is named twice.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.sum(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
        tensor([4., 6.])
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    if dtype is not None:
        return in_dtype(sum, x, dtype, axis, keepdims=keepdims)
    return _sum(x, axis=None if axis is None else all_axes("sum", axis, x.data.ndim), keepdims=keepdims)


def mean(x, /, axis=None, *, dtype=None, keepdims=False):
    """The average of the elements over some axes.

    Formula: out = 1/n sum_i x_i, n the number of elements along `axis`.

    Args:
        x: tensor of any shape; integers and bools average to float32.
        axis: int, tuple of ints, or None for all axes.
        dtype: floating data type to compute in; default: that of `x`.
        keepdims: keep the reduced axes with length one.

    Returns:
        The shape of `x` without `axis`. The mean of nothing is NaN.

    Raises:
        IndexError: an axis is out of range.
        ValueError: an axis is named twice.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.mean(tn.tensor([1.0, 2.0, 6.0]))
        tensor(3.)
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    if dtype is not None:
        x = cast(x, dtype)
    return _mean(x, axis=None if axis is None else all_axes("mean", axis, x.data.ndim), keepdims=keepdims)


def cast(x, dtype):
    """`x` in another dtype, itself if it has it."""
    from . import astype
    dtype = to_dtype(dtype)
    return x if x.dtype == dtype else astype(x, dtype)


def in_dtype(function, x, dtype, *args, **options):
    """A reduction computed from `x` in a dtype, which narrow integers leave on the way and come back to."""
    return cast(function(cast(x, dtype), *args, **options), dtype)


# Product ------------------------------------------------------------------------
def product_of_others(xp, x):
    """For each element along the last axis, the product of all others, without dividing: exact where some are 0."""
    n = x.shape[-1]
    if n < 2:
        return xp.ones_like(x)
    head, last = xp.split(x, (n - 1,), axis=-1)
    tail = xp.split(x, (1,), axis=-1)[1]
    one = xp.ones_like(last)
    before = xp.cumulative_prod(xp.concat((one, head), axis=-1), axis=-1)
    after = xp.cumulative_prod(xp.concat((one, xp.flip(tail, axis=-1)), axis=-1), axis=-1)
    return before * xp.flip(after, axis=-1)


def _prod_rule(xp, g, x, x_shape, axis, keepdims):
    axes = tuple(range(len(x_shape))) if axis is None else axis
    order = (*[i for i in range(len(x_shape)) if i not in axes], *axes)
    kept = tuple([x_shape[i] for i in order[:len(order) - len(axes)]])
    flat = xp.reshape(xp.permute_dims(x, order), (*kept, count(x_shape, axes)))
    others = xp.reshape(product_of_others(xp, flat), tuple([x_shape[i] for i in order]))
    back = tuple(sorted(range(len(order)), key=order.__getitem__))
    return xp.spread(g, axis=axis, keepdims=keepdims, shape=x_shape) * xp.permute_dims(others, back)


_prod = primitive("prod", lambda xp, x, *, axis, keepdims: xp.prod(x, axis, keepdims=keepdims), kind="reduce",
                  x=_prod_rule)


def prod(x, /, axis=None, *, dtype=None, keepdims=False):
    """The product of the elements over some axes; its gradient is right where elements are zero.

    Formula: out = prod_i x_i; d out / d x_i = prod_{j != i} x_j.

    Args:
        x: tensor of any shape and dtype.
        axis: int, tuple of ints, or None for all axes.
        dtype: data type of the multiplication and the result; default: that of floating `x`, else int64 (uint64).
        keepdims: keep the reduced axes with length one.

    Returns:
        The shape of `x` without `axis`. The product of nothing is 1.

    Raises:
        IndexError: an axis is out of range.
        ValueError: an axis is named twice.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([0.0, 2.0, 5.0], requires_grad=True)
        >>> tn.prod(x).backward(); x.grad
        tensor([10.,  0.,  0.])
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    if dtype is not None:
        return in_dtype(prod, x, dtype, axis, keepdims=keepdims)
    return _prod(x, axis=all_axes("prod", axis, x.data.ndim), keepdims=keepdims)


# Truth --------------------------------------------------------------------------
_any = primitive("any", lambda xp, x, *, axis, keepdims: xp.any(x, axis=axis, keepdims=keepdims), kind="reduce",
                 differentiable=False)
_all = primitive("all", lambda xp, x, *, axis, keepdims: xp.all(x, axis=axis, keepdims=keepdims), kind="reduce",
                 differentiable=False)
_count_nonzero = primitive(
    "count_nonzero", lambda xp, x, *, axis, keepdims: xp.sum(
        xp.not_equal(x, 0), axis, dtype="int64", keepdims=keepdims), kind="reduce", differentiable=False)


def any(x, /, axis=None, *, keepdims=False):
    """Whether some element over the axes is true (not zero).

    Formula: out = or_i (x_i != 0).

    Args:
        x: tensor of any shape and dtype; NaN is true.
        axis: int, tuple of ints, or None for all axes.
        keepdims: keep the reduced axes with length one.

    Returns:
        bool tensor of the shape of `x` without `axis`. Any of nothing is False.

    Raises:
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.any(tn.tensor([[0, 1], [0, 0]]), axis=1)
        tensor([ True, False])
    """
    return _truth("any", _any, x, axis, keepdims)


def all(x, /, axis=None, *, keepdims=False):
    """Whether every element over the axes is true (not zero).

    Formula: out = and_i (x_i != 0).

    Args:
        x: tensor of any shape and dtype; NaN is true.
        axis: int, tuple of ints, or None for all axes.
        keepdims: keep the reduced axes with length one.

    Returns:
        bool tensor of the shape of `x` without `axis`. All of nothing is True.

    Raises:
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.all(tn.tensor([[1, 1], [0, 1]]), axis=1)
        tensor([ True, False])
    """
    return _truth("all", _all, x, axis, keepdims)


def count_nonzero(x, /, axis=None, *, keepdims=False):
    """How many elements over the axes are not zero.

    Formula: out = sum_i [x_i != 0].

    Args:
        x: tensor of any shape and dtype; NaN counts.
        axis: int, tuple of ints, or None for all axes.
        keepdims: keep the reduced axes with length one.

    Returns:
        int64 tensor of the shape of `x` without `axis`.

    Raises:
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.count_nonzero(tn.tensor([0.0, 2.0, -1.0]))
        tensor(2)
    """
    return _truth("count_nonzero", _count_nonzero, x, axis, keepdims)


def _truth(name, operation, x, axis, keepdims):
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    return operation(x, axis=all_axes(name, axis, x.data.ndim), keepdims=keepdims)
