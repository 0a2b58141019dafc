"""Diagonals of matrices: reading, and writing a zero matrix around one."""
from math import prod

from ..autograd import adjoint
from ..autograd.tensor import as_tensor

__all__ = ["diagonal", "trace"]


def _window(shape, offset):
    """First flat index, step and length of a diagonal of the last two axes."""
    rows, columns = shape[-2:]
    length = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    return (offset if offset >= 0 else -offset * columns), columns + 1, length


def _last(ndim, axis1, axis2):
    """The order that moves two axes to the end."""
    return (*(i for i in range(ndim) if i not in (axis1, axis2)), axis1, axis2)


def _diagonal_forward(xp, x, *, offset, axis1, axis2):
    x = xp.permute_dims(x, _last(x.ndim, axis1, axis2))
    start, step, length = _window(x.shape, offset)
    flat = xp.reshape(x, (*x.shape[:-2], prod(x.shape[-2:])))  # (..., N, M) -> (..., N*M)
    return flat[..., start:start + step * length:step]


def _embed_forward(xp, y, *, offset, axis1, axis2, shape):
    order = _last(len(shape), axis1, axis2)
    moved = tuple([shape[i] for i in order])
    start, step, length = _window(moved, offset)
    flat = xp.zeros((*moved[:-2], prod(moved[-2:])), dtype=y.dtype)
    flat[..., start:start + step * length:step] = y
    back = tuple(sorted(range(len(order)), key=order.__getitem__))
    return xp.permute_dims(xp.reshape(flat, moved), back)


_diagonal, _embed_diagonal = adjoint("diagonal", _diagonal_forward, "embed_diagonal", _embed_forward,
                                     kind="view", transpose_kind="gather")


def diagonal(x, /, offset=0, axis1=0, axis2=1):
    """The diagonal of two axes, as a new last axis.

    Formula: out[..., i] = x[..., i, i + offset]

    Args:
        x: any dtype, at least two axes.
        offset: int, above (positive) or below the main diagonal.
        axis1, axis2: the axes whose diagonal it is.

    Returns:
        A Tensor without the two axes, with the diagonal last.

    Raises:
        ValueError: `x` has less than two axes, or the axes are equal.
        IndexError: an axis does not exist.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.diagonal(tn.tensor([[1., 2.], [3., 4.]]))
        tensor([1., 4.])
    """
    x = as_tensor(x)
    axis1, axis2 = _two_axes("diagonal", x, axis1, axis2)
    return _diagonal(x, offset=int(offset), axis1=axis1, axis2=axis2)


def _two_axes(name, x, axis1, axis2):
    if x.ndim < 2:
        raise ValueError(f"{name}: expected at least two axes, got shape {x.shape}")
    for axis in (axis1, axis2):
        if not -x.ndim <= axis < x.ndim:
            raise IndexError(f"{name}: axis {axis} is out of range for a tensor with {x.ndim} axes")
    axis1, axis2 = int(axis1) % x.ndim, int(axis2) % x.ndim
    if axis1 == axis2:
        raise ValueError(f"{name}: axis1 and axis2 are both {axis1}")
    return axis1, axis2


def trace(x, /, offset=0, axis1=0, axis2=1, *, dtype=None):
    """The sum of a diagonal.

    Formula: out = sum_i x[..., i, i + offset]

    Args:
        x: numeric, at least two axes.
        offset: int, above (positive) or below the main diagonal.
        axis1, axis2: the axes whose diagonal it is.
        dtype: data type of the sum; default as in `sum`.

    Returns:
        A Tensor without the two axes.

    Raises:
        ValueError: `x` has less than two axes, or the axes are equal.
        IndexError: an axis does not exist.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.trace(tn.tensor([[1., 2.], [3., 4.]]))
        tensor(5.)
    """
    from .reduce import sum
    x = as_tensor(x)
    axis1, axis2 = _two_axes("trace", x, axis1, axis2)
    return sum(_diagonal(x, offset=int(offset), axis1=axis1, axis2=axis2), axis=-1, dtype=dtype)
