"""Order: sorting, the largest few, positions in a sorted sequence, counting."""

from ..autograd import as_tensor, primitive
from .axes import one_axis
from .index import _take_along_axis, take_along_axis
from .results import KthValue, TopK
from .shape import squeeze

__all__ = ["argsort", "kthvalue", "searchsorted", "sort", "topk"]


def _argsort(xp, x, *, axis, descending):
    if not descending:
        return xp.stable_order(x, axis)
    order = xp.stable_order(xp.flip(x, axis=axis), axis)  # twice: equal ones keep their order
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


def kthvalue(x, k, /, *, axis=-1, keepdims=False):
    """The k-th smallest element along an axis, counted from 1 as in PyTorch, and where it is.

    Formula: values = sort(x)[..., k - 1].

    Args:
        x: tensor (..., n, ...).
        k: which, 1 <= k <= n.
        axis: the axis.
        keepdims: leave an axis of length one.

    Returns:
        KthValue(values, indices), Tensors without the axis.

    Raises:
        IndexError: the axis is out of range.
        ValueError: `k` is outside [1, n].

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.kthvalue(tn.tensor([3., 1., 2.]), 2)
        KthValue(values=tensor(2.), indices=tensor(2))
    """
    x = as_tensor(x)
    axis = one_axis("kthvalue", axis, x.ndim)
    if not 1 <= k <= x.shape[axis]:
        raise ValueError(f"kthvalue: k={k} is outside [1, {x.shape[axis]}], the length of axis {axis}")
    indices = _order(x, axis=axis, descending=False)[(slice(None),) * axis + (slice(k - 1, k),)]
    values = _take_along_axis(x, indices, axis=axis, unique=True)
    return KthValue(*(t if keepdims else squeeze(t, axis=axis) for t in (values, indices)))


def _searchsorted(xp, x1, x2, *, side):
    return xp.searchsorted(x1, x2, side=side) if x1.ndim == 1 else xp.search_lines(x1, x2, side)


_searchsorted = primitive("searchsorted", _searchsorted, kind="sort", differentiable=False)


def searchsorted(x1, x2, /, *, side="left", sorter=None):
    """Where the elements of `x2` would be inserted into the sorted `x1` to keep it sorted.

    Formula: x1[out - 1] < x2 <= x1[out] for side 'left'; x1[out - 1] <= x2 < x1[out] for 'right'.

    Args:
        x1: sorted tensor (n,), or (..., n) sorted along the last axis.
        x2: number or tensor; (..., m) if `x1` has several axes, each line searched in its own (as in PyTorch).
        side: 'left' or 'right': before or after equal elements.
        sorter: integers of the shape of `x1` that sort it, if it is not sorted.

    Returns:
        int64 Tensor of the shape of `x2`.

    Raises:
        ValueError: `x1` has no axis, the axes before the last differ, or `side` is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.searchsorted(tn.tensor([1., 2., 3.]), [2.0, 5.0])
        tensor([1, 3])
    """
    x1 = as_tensor(x1)
    x2 = as_tensor(x2, like=x1)
    if x1.ndim == 0 or x1.ndim > 1 and x1.shape[:-1] != x2.shape[:-1]:
        raise ValueError(f"searchsorted: x1 has shape {x1.shape} and x2 {x2.shape}; expected x1 to have one axis, or "
                         "both to agree in all axes but the last")
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side is {side!r}, expected 'left' or 'right'")
    if sorter is not None:
        x1 = take_along_axis(x1, sorter)
    return _searchsorted(x1, x2, side=side)
