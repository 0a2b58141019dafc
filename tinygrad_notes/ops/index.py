"""Reading by index: NumPy's basic and advanced indexing, take, gather, masks.

A key is split into a hashable part (ints, slices as tuples, None, Ellipsis) and index arrays, which are
inputs of the operation. Basic keys give views. The gradient of reading is adding: `scatter.py`.
"""
from functools import lru_cache
from operator import index as to_int

import numpy as np

from ..autograd import Tensor, as_tensor, joint, primitive
from ..autograd.tensor import to_array
from .axes import one_axis
from .bounds import ARRAY, check_key, check_range
from .broadcast import broadcast_to
from .shape import ravel

__all__ = ["argwhere", "gather", "index_select", "masked_select", "nonzero", "take", "take_along_axis"]

FULL = (None, None, None)  # the slice `:` in a static key


def split_key(name, key, device):
    """A key as (static part, index arrays on `device`).

    Raises:
        IndexError: a part of the key is nothing NumPy indexes with.
    """
    static, arrays = [], []
    for part in key if key.__class__ is tuple else (key,):
        kind = part.__class__
        if kind is int or part is None or part is Ellipsis:
            static.append(part)
        elif kind is slice:
            static.append(tuple([None if p is None else to_int(p) for p in (part.start, part.stop, part.step)]))
        elif isinstance(part, np.integer):
            static.append(int(part))
        else:
            static.append(ARRAY)
            arrays.append(_index_array(name, part, device, len(static) - 1))
    return tuple(static), arrays


def _index_array(name, part, device, position):
    if isinstance(part, (float, complex, str, bytes, dict)):
        raise IndexError(f"{name}: key[{position}] is {part!r}; an index is an int, a slice, None, ..., a mask "
                         "of booleans, or integers")
    try:
        array = part.data if isinstance(part, Tensor) else to_array(part, None, device)
    except TypeError as error:
        raise IndexError(f"{name}: key[{position}]: {error}") from error
    if array.dtype.kind not in "biu":
        if array.size or isinstance(part, (Tensor, np.ndarray)):
            raise IndexError(f"{name}: key[{position}] has dtype {array.dtype}; index arrays are integers or booleans")
        array = device.xp.astype(array, np.dtype("int64"))  # an empty list
    return array


@lru_cache(maxsize=4096)
def open_key(key):
    """The key NumPy reads, for a static key; with an Ellipsis, so that even one element comes as an array."""
    opened = tuple([slice(*part) if part.__class__ is tuple else part for part in key])
    return opened if Ellipsis in opened else (*opened, Ellipsis)


def full_key(key, arrays):
    """The key NumPy reads, with its index arrays in place."""
    arrays = iter(arrays)
    return tuple([next(arrays) if part.__class__ is str else part for part in open_key(key)])


def only(gradient, arrays):
    """What a joint rule returns: the gradient of the first input, none for the index arrays."""
    return (gradient, *[None] * len(arrays))


_getitem = primitive("getitem", lambda xp, x, *, key: x[open_key(key)], kind="view",
                     x=lambda xp, g, x_shape, key: xp.embed(g, key=key, shape=x_shape))

_index = joint("index_get", lambda xp, x, *arrays, key: x[full_key(key, arrays)],
               lambda xp, g, x_shape, arrays, key: only(xp.index_transpose(g, *arrays, key=key, shape=x_shape), arrays),
               kind="gather")


def select(x, key, /):
    """The elements that `key` selects, as NumPy's basic and advanced indexing does; a view for basic keys.

    Formula: out = x[key].

    Args:
        x: tensor of any shape and dtype.
        key: int, slice, None, Ellipsis, boolean mask, integer list, array or Tensor, or a tuple of them.

    Returns:
        Tensor of the shape NumPy gives.

    Raises:
        IndexError: an index is out of range, or the key has too many or unfit parts.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.reshape(tn.arange(6), (2, 3))
        >>> x[1]
        tensor([3, 4, 5])
        >>> x[:, [0, 2]]
        tensor([[0, 2],
                [3, 5]])
    """
    if key.__class__ is int:
        return _getitem(x, key=(key,))
    x = as_tensor(x)
    static, arrays = split_key("getitem", key, x.device)
    if not arrays:
        return _getitem(x, key=static)
    if x.data.__class__ is not np.ndarray:
        check_key("getitem", x.data, static, arrays)
    whole = static[-1] is ARRAY and len(static) <= x.ndim and set(static[:-1]) <= {FULL}
    if whole and arrays[0].dtype.kind == "i":  # an index of one axis, the others read as a whole: much faster
        return _take(x, Tensor.wrap(arrays[0]), axis=len(static) - 1)
    return _index(x, *[Tensor.wrap(a) for a in arrays], key=static)


_take = primitive("take", lambda xp, x, indices, *, axis: xp.take(x, indices, axis=axis), kind="gather",
                  x=lambda xp, g, x_shape, indices, axis: xp.take_transpose(g, indices, axis=axis, shape=x_shape))


def _along(xp, x, indices, *, axis, unique):
    return xp.take_lines(x, indices, axis)


_take_along_axis = primitive(
    "take_along_axis", _along, kind="gather",
    x=lambda xp, g, x_shape, indices, axis, unique: xp.put_transpose(g, indices, axis=axis, shape=x_shape,
                                                                    unique=unique))


def written(value, x):
    """What is written into `x` as a Tensor of its dtype: Python numbers take it, Tensors are cast."""
    if not isinstance(value, Tensor):
        return Tensor.wrap(to_array(value, x.dtype, x.device))
    return value if value.dtype == x.dtype else value.astype(x.dtype)


def integers(name, argument, value, like):
    """`value` as a Tensor of integers on the device of `like`.

    Raises:
        IndexError: it has another dtype.
    """
    found = as_tensor(value, like=like)
    if found.dtype.kind not in "iu":
        if found.size == 0 and not isinstance(value, (Tensor, np.ndarray)):
            return found.astype(np.dtype("int64"))
        raise IndexError(f"{name}: {argument} has dtype {found.dtype}; indices are integers")
    return found


def take(x, indices, /, *, axis=None):
    """The elements of `x` at `indices` along an axis.

    Formula: out[..., i, ...] = x[..., indices[i], ...].

    Args:
        x: tensor (..., n, ...).
        indices: integers in [-n, n), of any shape.
        axis: the axis to take along; None: `x` counts as one row of all its elements, as in NumPy and PyTorch.

    Returns:
        Tensor (..., *indices.shape, ...).

    Raises:
        IndexError: an index or the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.take(tn.tensor([10., 20., 30.]), [2, 0])
        tensor([30., 10.])
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = x if x.ndim == 1 else ravel(x), 0
    indices, axis = integers("take", "indices", indices, x), one_axis("take", axis, x.ndim)
    check_range("take", indices.data, x.shape[axis], axis)
    return _take(x, indices, axis=axis)


def take_along_axis(x, indices, /, *, axis=-1):
    """For each place along an axis, the element of `x` that `indices` names there.

    Formula: out[i, j] = x[i, indices[i, j]] for the last axis.

    Args:
        x: tensor (..., n, ...).
        indices: integers in [-n, n), as many axes as `x`; the other axes broadcast with those of `x`.
        axis: the axis.

    Returns:
        Tensor of the broadcast shape, with the length of `indices` along `axis`.

    Raises:
        IndexError: an index or the axis is out of range.
        ValueError: the numbers of axes differ.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.take_along_axis(tn.tensor([[1., 2.], [3., 4.]]), [[1], [0]], axis=1)
        tensor([[2.],
                [3.]])
    """
    x = as_tensor(x)
    indices = integers("take_along_axis", "indices", indices, x)
    x, indices, axis = fit_along("take_along_axis", x, indices, axis)
    check_range("take_along_axis", indices.data, x.shape[axis], axis)
    return _take_along_axis(x, indices, axis=axis, unique=indices.shape[axis] == 1)


def fit_along(name, x, indices, axis):
    """`x` and `indices` broadcast against each other in all axes but `axis`; the axis, non-negative."""
    if indices.ndim != x.ndim:
        raise ValueError(f"{name}: x has {x.ndim} axes and indices {indices.ndim}; they must be equally many")
    axis = one_axis(name, axis, x.ndim)
    ones = [x.shape[:axis] + (1,) + x.shape[axis + 1:], indices.shape[:axis] + (1,) + indices.shape[axis + 1:]]
    if ones[0] != ones[1]:
        try:
            common = np.broadcast_shapes(*ones)
        except ValueError as error:
            raise ValueError(f"{name}: the shapes {x.shape} and {indices.shape} do not broadcast outside axis {axis}"
                             ) from error
        x, indices = (broadcast_to(t, common[:axis] + (t.shape[axis],) + common[axis + 1:]) for t in (x, indices))
    return x, indices, axis


def gather(x, axis, index, /):
    """For each place of `index`, the element of `x` at that place but with `index` along `axis` (as in PyTorch).

    Formula: out[i, j] = x[i, index[i, j]] for axis 1; places of `x` beyond the shape of `index` are not read.

    Args:
        x: tensor.
        axis: the axis that `index` runs along.
        index: integers, as many axes as `x`, not longer than `x` along the other axes.

    Returns:
        Tensor of the shape of `index`.

    Raises:
        IndexError: an index or the axis is out of range.
        ValueError: `index` has another number of axes or is longer than `x`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.gather(tn.tensor([[1., 2.], [3., 4.]]), 1, [[0, 0], [1, 0]])
        tensor([[1., 1.],
                [4., 3.]])
    """
    x = as_tensor(x)
    index = integers("gather", "index", index, x)
    axis = one_axis("gather", axis, x.ndim)
    cut = cut_to("gather", x, index, axis)
    check_range("gather", index.data, x.shape[axis], axis)
    return _take_along_axis(cut, index, axis=axis, unique=False)


def cut_to(name, x, index, axis, called="x"):
    """`x` cut to the lengths of `index` along every axis but one.

    Raises:
        ValueError: the numbers of axes differ, or `index` is longer.
    """
    if index.ndim != x.ndim:
        raise ValueError(f"{name}: {called} has {x.ndim} axes and index {index.ndim}; they must be equally many")
    key = []
    for d, (n, m) in enumerate(zip(x.shape, index.shape)):
        if d != axis and m > n:
            raise ValueError(f"{name}: along axis {d} index, shape {index.shape}, exceeds {called}, shape {x.shape}")
        key.append((None, None, None) if d == axis or n == m else (0, m, None))
    return x if all(part[1] is None for part in key) else _getitem(x, key=tuple(key))


def index_select(x, axis, index, /):
    """The slices of `x` that `index` lists along an axis: `take` with PyTorch's name and argument order.

    Formula: out[..., i, ...] = x[..., index[i], ...].

    Args:
        x: tensor (..., n, ...).
        axis: the axis.
        index: 1-D integers in [-n, n).

    Returns:
        Tensor (..., len(index), ...).

    Raises:
        IndexError: an index or the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.index_select(tn.tensor([[1., 2.], [3., 4.]]), 0, [1, 1])
        tensor([[3., 4.],
                [3., 4.]])
    """
    return take(x, index, axis=axis)


def masked_select(x, mask, /):
    """The elements of `x` where `mask` is true, in order, as one axis.

    Formula: out = x[mask], after both are broadcast to one shape.

    Args:
        x: tensor.
        mask: booleans that broadcast with `x`.

    Returns:
        Tensor (number of true elements,).

    Raises:
        TypeError: `mask` is not boolean.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([1., -2., 3.])
        >>> tn.masked_select(x, x > 0)
        tensor([1., 3.])
    """
    x = as_tensor(x)
    mask = as_tensor(mask, like=x)
    if mask.dtype.kind != "b":
        raise TypeError(f"masked_select: mask has dtype {mask.dtype}, expected bool")
    shape = np.broadcast_shapes(x.shape, mask.shape)
    x, mask = (t if t.shape == shape else broadcast_to(t, shape) for t in (x, mask))
    return _index(x, mask, key=(ARRAY,))


_nonzero = primitive("nonzero", lambda xp, x: xp.nonzero(x), kind="gather", differentiable=False, outputs=0)


def nonzero(x, /):
    """The indices of the elements that are not zero, one Tensor per axis.

    Formula: x[nonzero(x)] are the non-zero elements, in row-major order.

    Args:
        x: tensor with at least one axis.

    Returns:
        Tuple of int64 Tensors (number of non-zero elements,).

    Raises:
        ValueError: `x` has no axis.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nonzero(tn.tensor([0., 5., 6.]))
        (tensor([1, 2]),)
    """
    x = as_tensor(x)
    if not x.ndim:
        raise ValueError("nonzero: a 0-d tensor has no axis; reshape it to (1,)")
    return _nonzero(x)


_argwhere = primitive("argwhere", lambda xp, x: xp.argwhere(x), kind="gather", differentiable=False)


def argwhere(x, /):
    """The indices of the elements that are not zero, one row each.

    Formula: x[tuple(out[k])] != 0 for every row k.

    Args:
        x: tensor.

    Returns:
        int64 Tensor (number of non-zero elements, x.ndim).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.argwhere(tn.tensor([[0., 5.], [6., 0.]]))
        tensor([[0, 1],
                [1, 0]])
    """
    return _argwhere(as_tensor(x))
