"""PyTorch's functions of single arrays that have no other form here, or another meaning where words are left out."""
from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import Tensor, as_tensor
from .meanings import MEANINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..backend import Generator
    from ..typing import ArrayLike, DeviceLike, DTypeLike

__all__ = ["nanquantile", "randint_like", "scalar_tensor", "split_with_sizes", "t", "take_along_dim", "tensor_split",
           "unravel_index"]


def t(input: ArrayLike) -> Tensor:
    """A matrix transposed; a vector or number as it is.

    Formula: out_ij = x_ji.

    Args:
        input: at most two axes.

    Returns:
        A view of `input`.

    Raises:
        ValueError: there are more than two axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.t(tn.tensor([[1.0, 2.0]]))
        tensor([[1.],
                [2.]])
    """
    x = as_tensor(input)
    if x.ndim > 2:
        raise ValueError(f"t: expected at most two axes, got shape {x.shape}; transpose(-2, -1) turns matrices")
    return ops.transpose(x) if x.ndim == 2 else x


def take_along_dim(input: ArrayLike, indices: ArrayLike, dim: int | None = None) -> Tensor:
    """For each place along an axis, the element that `indices` names there.

    Formula: out[i, j] = x[i, indices[i, j]] for the last axis.

    Args:
        input: any shape.
        indices: integers, as many axes as `input`; the other axes broadcast.
        dim: axis; None: both are flattened first.

    Returns:
        A Tensor of the broadcast shape, or a vector where `dim` is None.

    Raises:
        IndexError: an index or the axis is out of range.
        ValueError: the numbers of axes differ.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.take_along_dim(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), tn.tensor([[3, 0]]))
        tensor([4., 1.])
    """
    if dim is None:
        return ops.take_along_axis(ops.ravel(input), ops.ravel(indices), axis=0)
    return ops.take_along_axis(input, indices, axis=dim)


def tensor_split(input: ArrayLike, indices_or_sections: int | Sequence[int] | Tensor | None = None, dim: int = 0, *,
                 indices: Sequence[int] | None = None, sections: int | None = None,
                 tensor_indices_or_sections: Tensor | None = None) -> tuple[Tensor, ...]:
    """Parts along an axis, whose lengths need not be equal.

    Formula: the parts, joined, are `input`.

    Args:
        input: any shape.
        indices_or_sections: the number of parts, or where to cut, as ints or a Tensor.
        dim: axis.
        indices, sections, tensor_indices_or_sections: the same by PyTorch's other names.

    Returns:
        A tuple of views.

    Raises:
        TypeError: not exactly one of them is given.
        ValueError: there is less than one section.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.tensor_split(tn.arange(5), tn.tensor([1, 3]))
        (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    given = [w for w in (indices_or_sections, indices, sections, tensor_indices_or_sections) if w is not None]
    if len(given) != 1:
        raise TypeError(f"tensor_split: expected one of indices and sections, got {len(given)}")
    where = given[0].tolist() if isinstance(given[0], Tensor) else given[0]
    return ops.array_split(input, list(where) if isinstance(where, (tuple, list)) else where, axis=dim)


def split_with_sizes(input: ArrayLike, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of given lengths along an axis.

    Formula: the parts, joined, are `input`.

    Args:
        input: any shape.
        split_sizes: the lengths, whose sum is that of the axis.
        dim: axis.

    Returns:
        A tuple of views.

    Raises:
        ValueError: the sum does not fit.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.split_with_sizes(tn.arange(3), [1, 2])
        (tensor([0]), tensor([1, 2]))
    """
    return MEANINGS["split"](input, split_size_or_sections=list(split_sizes), dim=dim)


def unravel_index(indices: ArrayLike, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Places in a flattened array as places along each axis.

    Formula: sum_d out_d * prod(shape[d + 1:]) = indices.

    Args:
        indices: integers in [-n, n), n the product of `shape`.
        shape: of the array.

    Returns:
        A tuple of int64 Tensors of the shape of `indices`, one per axis.

    Raises:
        TypeError: `indices` are no integers.
        IndexError: one is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.unravel_index(tn.tensor([5, 0]), (2, 3))
        (tensor([1, 0]), tensor([2, 0]))
    """
    place = as_tensor(indices)
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    n = math.prod(shape)
    if place.dtype.kind not in "iu":
        raise TypeError(f"unravel_index: indices: expected integers, got {place.dtype}")
    if bool(ops.any(ops.logical_or(place < -n, place >= n))):
        raise IndexError(f"unravel_index: indices: expected them in [-{n}, {n}) for shape {shape}, got values from "
                         f"{ops.min(place).item()} to {ops.max(place).item()}")
    steps = list(itertools.accumulate(reversed(shape[1:]), lambda a, b: a * b, initial=1))[::-1]
    found = [ops.remainder(ops.floor_divide(place, step), m) for step, m in zip(steps, shape)]
    return tuple([ops.astype(part, "int64") for part in found])


def randint_like(input: ArrayLike, low: int, high: int | None = None, *, generator: Generator | None = None,
                 dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> Tensor:
    """Random integers in the shape of a tensor.

    Formula: out ~ Uniform{low, ..., high - 1}, or {0, ..., low - 1} where `high` is left out.

    Args:
        input: gives shape, dtype and device.
        low, high: bounds, the second not included.
        generator: as for `randint`.
        dtype, device: in place of those of `input`.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: no integer lies between the bounds.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.randint_like(tn.zeros(2), 5, 6)
        tensor([5., 5.])
    """
    x = as_tensor(input)
    drawn = ops.randint(low, high, x.shape, generator=generator, device=device or x.device)
    return ops.astype(drawn, dtype or x.dtype)


def scalar_tensor(s: complex, *, dtype: DTypeLike | None = None, device: DeviceLike | None = None,
                  requires_grad: bool = False) -> Tensor:
    """A 0-d tensor of a number; float32 unless told otherwise, whatever the number is.

    Formula: out = s.

    Args:
        s: number.
        dtype, device: of the result.
        requires_grad: whether its gradient will be asked for.

    Returns:
        A 0-d Tensor.

    Raises:
        TypeError: `s` is no number.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.scalar_tensor(3)
        tensor(3.)
    """
    return ops.full((), s, dtype=dtype or "float32", device=device, requires_grad=requires_grad)


def nanquantile(input: ArrayLike, q: Any, dim: int | None = None, keepdim: bool = False, *,
                interpolation: str = "linear") -> Tensor:
    """Quantiles of what is not NaN.

    Formula: as `quantile`, over the elements of each slice that are not NaN; NaN where all are.

    Args:
        input: floating.
        q: a fraction in [0, 1], or several.
        dim: axis; None: of all elements.
        keepdim: whether the axis stays, with length one.
        interpolation: 'linear', 'lower', 'higher', 'midpoint' or 'nearest'.

    Returns:
        A Tensor without the axis; of several fractions, with one axis more in front.

    Raises:
        ValueError: a fraction is outside [0, 1], or the interpolation is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nanquantile(tn.tensor([1.0, float("nan"), 3.0]), 0.5)
        tensor(2.)
    """
    x = as_tensor(input)
    if not x.ndim:  # as if it had an axis of length one, of which nothing is kept
        dim, keepdim = None, False
    rows = ops.ravel(x) if dim is None else ops.moveaxis(x, dim, -1)  # (..., n)
    present = ops.logical_not(ops.isnan(rows))
    count = ops.sum(present, axis=-1, keepdims=True)  # (..., 1)
    wanted = as_tensor(q, like=x)
    if bool(ops.any(ops.logical_or(wanted < 0, wanted > 1))):
        raise ValueError(f"nanquantile: q: expected fractions between 0 and 1, got {q!r}")
    place = ops.astype(ops.clip(count - 1, 0), x.dtype) * ops.ravel(wanted)  # (..., fractions)
    rounded = {"linear": place, "lower": ops.floor(place), "higher": ops.ceil(place), "nearest": ops.round(place),
               "midpoint": (ops.floor(place) + ops.ceil(place)) / 2}
    if interpolation not in rounded:
        raise ValueError(f"nanquantile: interpolation: expected one of {', '.join(map(repr, rounded))}, got "
                         f"{interpolation!r}")
    place = rounded[interpolation]
    ordered = ops.sort(ops.where(present, rows, math.inf), axis=-1)
    low = ops.floor(place)
    below, above = (ops.take_along_axis(ordered, ops.astype(k, "int64"), axis=-1) for k in (low, ops.ceil(place)))
    share = place - low
    found = below + ops.where(share > 0, share * (ops.where(share > 0, above, 0) - ops.where(share > 0, below, 0)), 0)
    found = ops.moveaxis(ops.where(count > 0, found, math.nan), -1, 0)  # (fractions, ...)
    if keepdim:
        found = ops.reshape(found, (-1, *(1,) * x.ndim)) if dim is None else ops.expand_dims(
            found, axis=dim + 1 if dim >= 0 else dim)
    return found if wanted.ndim else found[0]
