"""Axes and elements in another order."""
from functools import lru_cache

from ..autograd import primitive
from ..autograd.tensor import Tensor, as_tensor
from ..backend.kernels import KERNELS
from .axes import all_axes, as_shape, one_axis
from .shape import ravel, reshape

__all__ = ["permute_dims", "permute", "matrix_transpose", "transpose", "swapaxes", "moveaxis", "flip", "roll", "rot90"]


# The forwards, by slices: NumPy's wrappers cost more than the work.
def _flipped(xp, x, axis=None):
    axes = range(x.ndim) if axis is None else (axis,) if axis.__class__ is int else axis
    key = [slice(None)] * x.ndim
    for a in axes:
        key[a] = slice(None, None, -1)
    return x[tuple(key)] if key else x


def _rolled(xp, x, shift, axis=None):
    if axis is None:
        return _rolled(xp, x.reshape((-1,)), shift, 0).reshape(x.shape)
    out = x
    if axis.__class__ is int:
        shift, axis = (shift,), (axis,)
    for s, a in zip(shift, axis):
        n = x.shape[a]
        if n and s % n:
            lead = (slice(None),) * a
            out = xp.concat((out[(*lead, slice(-s % n, None))], out[(*lead, slice(0, -s % n))]), axis=a)
    return x.copy() if out is x else out


KERNELS.update(flip=_flipped, roll=_rolled)


@lru_cache(maxsize=4096)
def inverse(axes):
    """The permutation that undoes `axes`."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


_permute_dims = primitive("permute_dims", lambda xp, x, *, axes: xp.permute_dims(x, axes), kind="view",
                          x=lambda xp, g, axes: xp.permute_dims(g, inverse(axes)))
_flip = primitive("flip", lambda xp, x, *, axis: _flipped(xp, x, axis), kind="view",
                  x=lambda xp, g, axis: xp.flip(g, axis=axis))
_roll = primitive("roll", lambda xp, x, *, shift, axis: _rolled(xp, x, shift, axis), kind="gather",
                  x=lambda xp, g, shift, axis: xp.roll(g, tuple([-s for s in shift]), axis=axis))


def permute_dims(x, /, axes):
    """The axes in another order.

    Formula: out.shape[i] = x.shape[axes[i]].

    Args:
        x: tensor.
        axes: every axis of `x` once, in the order of the result.

    Returns:
        A view of `x`.

    Raises:
        ValueError: `axes` is not a permutation of the axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.permute_dims(tn.zeros((2, 3, 4)), (2, 0, 1)).shape
        (4, 2, 3)
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    ndim = x.data.ndim
    if not isinstance(axes, (tuple, list)) or len(axes) != ndim:
        raise ValueError(f"permute_dims: axes {axes} must name each of the {ndim} axes of shape {x.shape} once")
    return _permute_dims(x, axes=all_axes("permute_dims", axes, ndim))


def permute(x, /, *axes):
    """`permute_dims` with the axes as several ints or as one tuple.

    Formula: out.shape[i] = x.shape[axes[i]].

    Args:
        x: tensor.
        axes: every axis of `x` once.

    Returns:
        A view of `x`.

    Raises:
        ValueError: `axes` is not a permutation of the axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.zeros((2, 3, 4)).permute(2, 0, 1).shape
        (4, 2, 3)
    """
    return permute_dims(x, axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes)


def swapaxes(x, /, axis1, axis2):
    """Two axes exchanged.

    Formula: out[.., i, .., j, ..] = x[.., j, .., i, ..].

    Args:
        x: tensor.
        axis1, axis2: the axes.

    Returns:
        A view of `x`.

    Raises:
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.swapaxes(tn.zeros((2, 3, 4)), 0, -1).shape
        (4, 3, 2)
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    ndim = x.data.ndim
    if not ndim and axis1 in (0, -1) and axis2 in (0, -1):
        return _permute_dims(x, axes=())
    a, b = one_axis("swapaxes", axis1, ndim), one_axis("swapaxes", axis2, ndim)
    order = list(range(ndim))
    order[a], order[b] = b, a
    return _permute_dims(x, axes=tuple(order))


def transpose(x, /, *axes):
    """Axes exchanged or put in another order.

    Formula: `transpose(x)` reverses all axes; `transpose(x, i, j)` exchanges two, as in PyTorch;
    `transpose(x, (i, j, k))` or more than two ints is `permute_dims`, as in NumPy.

    Args:
        x: tensor.
        axes: nothing, two ints, or all axes in their new order.

    Returns:
        A view of `x`.

    Raises:
        IndexError: an axis is out of range.
        ValueError: `axes` is not a permutation of the axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.zeros((2, 3, 4)).transpose(0, 2).shape
        (4, 3, 2)
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    if not axes or axes == (None,):
        return _permute_dims(x, axes=tuple(range(x.data.ndim))[::-1])
    if len(axes) == 2 and not isinstance(axes[0], (tuple, list)):
        return swapaxes(x, *axes)
    return permute(x, *axes)


def matrix_transpose(x, /):
    """The last two axes exchanged: every matrix of a stack transposed.

    Formula: out[..., i, j] = x[..., j, i].

    Args:
        x: tensor of shape (..., M, N).

    Returns:
        A view of shape (..., N, M).

    Raises:
        ValueError: `x` has fewer than two axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.matrix_transpose(tn.tensor([[1, 2], [3, 4]]))
        tensor([[1, 3],
                [2, 4]])
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    if (n := x.data.ndim) < 2:
        raise ValueError(f"matrix_transpose: needs at least 2 axes, got shape {x.shape}")
    return _permute_dims(x, axes=(*range(n - 2), n - 1, n - 2))


def moveaxis(x, source, destination, /):
    """Axes moved to other places; the rest keep their order.

    Formula: out.shape[destination[i]] = x.shape[source[i]].

    Args:
        x: tensor.
        source, destination: ints or tuples of ints of equal length.

    Returns:
        A view of `x`.

    Raises:
        ValueError: `source` and `destination` differ in length, or name an axis twice.
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.moveaxis(tn.zeros((2, 3, 4)), 0, -1).shape
        (3, 4, 2)
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    ndim = x.data.ndim
    come, go = all_axes("moveaxis", source, ndim), all_axes("moveaxis", destination, ndim)
    if come is None or go is None or len(come) != len(go):
        raise ValueError(f"moveaxis: source {source} and destination {destination} must name equally many axes")
    order = [a for a in range(ndim) if a not in come]
    for to, fro in sorted(zip(go, come)):
        order.insert(to, fro)
    return _permute_dims(x, axes=tuple(order))


# Turning ------------------------------------------------------------------------
def flip(x, /, *, axis=None):
    """The elements in reverse order along axes.

    Formula: out[i] = x[N - 1 - i].

    Args:
        x: tensor.
        axis: int, tuple of ints, or None for all axes.

    Returns:
        A view of the shape of `x`.

    Raises:
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.flip(tn.arange(3))
        tensor([2, 1, 0])
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    return _flip(x, axis=all_axes("flip", axis, x.data.ndim))


def roll(x, /, shift, *, axis=None):
    """The elements moved round along axes; what leaves at the end enters at the start.

    Formula: out[(i + shift) mod N] = x[i].

    Args:
        x: tensor.
        shift: how many places, an int, or a tuple with one per axis.
        axis: int, tuple of ints, or None to roll the flattened tensor.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        ValueError: `shift` and `axis` differ in length.
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.roll(tn.arange(4), 1)
        tensor([3, 0, 1, 2])
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    shift = as_shape("roll", shift)
    if axis is None:
        return reshape(_roll(ravel(x), shift=(sum(shift),), axis=(0,)), x.shape)
    axis = tuple([one_axis("roll", a, x.data.ndim) for a in as_shape("roll", axis)])  # an axis may come twice
    if len(shift) == 1:
        shift = shift * len(axis)
    if len(axis) == 1:
        axis = axis * len(shift)
    if len(shift) != len(axis):
        raise ValueError(f"roll: shift {shift} and axis {axis} must have equally many entries")
    return _roll(x, shift=shift, axis=axis)


def rot90(x, /, k=1, axes=(0, 1)):
    """A quarter turn in a plane, `k` times, from the first of `axes` towards the second.

    Formula: out[i, j] = x[j, N - 1 - i] for k = 1.

    Args:
        x: tensor with at least two axes.
        k: number of quarter turns; negative turns back.
        axes: the two axes of the plane.

    Returns:
        A view of `x`.

    Raises:
        ValueError: `axes` are not two different axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.rot90(tn.tensor([[1, 2], [3, 4]]))
        tensor([[2, 4],
                [1, 3]])
    """
    x = as_tensor(x)
    if len(axes) != 2:
        raise ValueError(f"rot90: axes: expected two axes, got {axes}")
    first, second = all_axes("rot90", tuple(axes), x.ndim)
    k %= 4
    if k == 0:
        return _permute_dims(x, axes=tuple(range(x.ndim)))
    if k == 2:
        return flip(x, axis=(first, second))
    return swapaxes(flip(x, axis=second), first, second) if k == 1 else flip(swapaxes(x, first, second), axis=second)
