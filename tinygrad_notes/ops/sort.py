"""Order: sorting, the largest few, positions in a sorted sequence, counting."""
from collections import namedtuple

import numpy as np

from ..autograd import as_tensor, primitive
from .axes import one_axis
from .index import _take_along_axis

__all__ = ["argsort", "sort", "topk"]


def _argsort(xp, x, *, axis, descending):
    if not descending:
        return xp.argsort(x, axis=axis, kind="stable")
    order = xp.argsort(xp.flip(x, axis=axis), axis=axis, kind="stable")  # flipped twice, equal elements keep their order
    return x.shape[axis] - 1 - xp.flip(order, axis=axis)


def _sort(xp, x, *, axis, descending):
    out = xp.sort(x, axis=axis)
    return xp.flip(out, axis=axis) if descending else out


_order = primitive("order", _argsort, kind="sort", differentiable=False)
_sort = primitive(
    "sort", _sort, kind="sort",
    x=lambda xp, g, x, axis, descending: xp.put_transpose(g, xp.order(x, axis=axis, descending=descending), axis=axis,
                                                         shape=x.shape, unique=True))
_largest = primitive("largest", lambda xp, x, *, k, axis, largest: xp.largest_places(x, k, axis, largest), kind="sort",
                     differentiable=False)


def argsort(x, /, *, axis=-1, descending=False, stable=True):
    """The indices that sort `x` along an axis; equal elements keep their order.

    Formula: take_along_axis(x, out, axis=axis) is sorted.

    Args:
        x: tensor with at least one axis.
        axis: the axis.
        descending: largest first. NaN counts as the largest.
        stable: accepted for the standard; the order is always stable.

    Returns:
        int64 Tensor of the shape of `x`.

    Raises:
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.argsort(tn.tensor([3., 1., 2.]))
        tensor([1, 2, 0])
    """
    x = as_tensor(x)
    return _order(x, axis=one_axis("argsort", axis, x.ndim), descending=bool(descending))


def sort(x, /, *, axis=-1, descending=False, stable=True):
    """The elements of `x` in order along an axis.

    Formula: out[i] <= out[i + 1]. The gradient goes back to where each element came from.

    Args:
        x: tensor with at least one axis.
        axis: the axis.
        descending: largest first. NaN counts as the largest.
        stable: accepted for the standard; the order is always stable.

    Returns:
        Tensor of the shape and dtype of `x`.

    Raises:
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.sort(tn.tensor([3., 1., 2.]), descending=True)
        tensor([3., 2., 1.])
    """
    x = as_tensor(x)
    return _sort(x, axis=one_axis("sort", axis, x.ndim), descending=bool(descending))


TopK = namedtuple("TopK", ["values", "indices"])


def topk(x, k, /, *, axis=-1, largest=True, sorted=True):
    """The `k` largest (or smallest) elements along an axis, and where they are.

    Formula: values = sort(x, descending=largest)[..., :k].

    Args:
        x: tensor (..., n, ...).
        k: how many, 0 <= k <= n.
        axis: the axis.
        largest: False for the smallest.
        sorted: accepted for PyTorch's signature; the result is always sorted. Of equal elements the first is taken.

    Returns:
        TopK(values, indices), Tensors (..., k, ...).

    Raises:
        IndexError: the axis is out of range.
        ValueError: `k` is negative or larger than n.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.topk(tn.tensor([1., 5., 3.]), 2)
        TopK(values=tensor([5., 3.]), indices=tensor([1, 2]))
    """
    x = as_tensor(x)
    axis = one_axis("topk", axis, x.ndim)
    if not 0 <= k <= x.shape[axis]:
        raise ValueError(f"topk: k={k} is outside [0, {x.shape[axis]}], the length of axis {axis}")
    indices = _largest(x, k=int(k), axis=axis, largest=bool(largest))
    return TopK(_take_along_axis(x, indices, axis=axis, unique=True), indices)
