"""Axes and shapes as users write them, made canonical once, before an operation sees them."""
from operator import index

from ..autograd.tensor import Tensor, as_tensor

__all__ = []


def one_axis(name, axis, ndim):
    """`axis` as an int in [0, ndim).

    Raises:
        IndexError: it is out of range.
        TypeError: it is no int.
    """
    if axis.__class__ is not int:
        try:
            axis = index(axis)
        except TypeError:
            raise TypeError(f"{name}: axis: expected an int, got {axis!r}") from None
    if not -ndim <= axis < ndim:
        raise IndexError(f"{name}: axis {axis} is out of range for a tensor with {ndim} axes")
    return axis + ndim if axis < 0 else axis


def all_axes(name, axis, ndim):
    """`axis` as a tuple of distinct ints in [0, ndim), or None for all of them.

    As in NumPy and PyTorch a 0-d tensor lets itself be reduced over an axis 0 or -1 that it has not.
    """
    if axis is None:
        return None
    if not ndim and axis in (0, -1, (0,), (-1,)):
        return ()
    if axis.__class__ is int:
        return (one_axis(name, axis, ndim),)
    if not isinstance(axis, (tuple, list)):
        return (one_axis(name, axis, ndim),)
    found = tuple([one_axis(name, a, ndim) for a in axis])
    if len(set(found)) != len(found):
        raise ValueError(f"{name}: axis {axis} names an axis twice")
    return found


def kept_shape(shape, axis):
    """`shape` with ones at `axis` (None: everywhere), as a reduction with keepdims leaves it."""
    if axis is None:
        return (1,) * len(shape)
    kept = list(shape)
    for a in axis:
        kept[a] = 1
    return tuple(kept)


def count(shape, axis):
    """How many elements one reduction over `axis` (None: all) runs over."""
    if axis.__class__ is int:
        return shape[axis]
    n = 1
    for a in range(len(shape)) if axis is None else axis:
        n *= shape[a]
    return n


def as_shape(name, shape):
    """`shape`, an int or a sequence of ints, as a tuple of Python ints.

    Raises:
        TypeError: it holds something that is no int.
    """
    if shape.__class__ is int:
        return (shape,)
    try:
        return tuple([index(n) for n in shape]) if not hasattr(shape, "__index__") else (index(shape),)
    except TypeError:
        raise TypeError(f"{name}: shape: expected an int or a sequence of ints, got {shape!r}") from None


def tensors(name, values):
    """A sequence of operands as Tensors on one device; Python numbers and arrays follow the first Tensor.

    Raises:
        TypeError: `values` is no sequence.
    """
    if isinstance(values, Tensor):
        return tuple(values)
    if not isinstance(values, (tuple, list)):
        raise TypeError(f"{name}: expected a tuple or list of tensors, got {type(values).__name__}")
    like = next((v for v in values if isinstance(v, Tensor)), None)
    return tuple([v if isinstance(v, Tensor) else as_tensor(v, like) for v in values])
