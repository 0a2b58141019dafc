"""PyTorch's functions that cut tensors up, put parts back, and join them.

    n the length of the axis at hand
"""
from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import Tensor, as_tensor
from ..ops.axes import one_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..typing import ArrayLike

__all__ = ["block_diag", "cartesian_prod", "column_stack", "combinations", "diagflat", "diagonal_scatter", "dsplit",
           "fliplr", "flipud", "hsplit", "narrow", "repeat_interleave", "select", "select_scatter", "slice_scatter",
           "unbind", "vsplit"]


def _key(axis: int, part: int | slice) -> Any:
    return (*(slice(None),) * axis, part)


def narrow(input: ArrayLike, dim: int, start: int, length: int) -> Tensor:
    """A stretch of an axis.

    Formula: out = x[..., start:start + length, ...].

    Args:
        input: any shape and dtype.
        dim: axis.
        start: first index, negative counts from the end.
        length: how many, an int >= 0.

    Returns:
        A view of `input`.

    Raises:
        IndexError: the stretch leaves the axis.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.narrow(tn.arange(6), 0, 2, 3)
        tensor([2, 3, 4])
    """
    x = as_tensor(input)
    dim, start = one_axis("narrow", dim, x.ndim), int(start)
    n = x.shape[dim]
    first = start + n if start < 0 else start
    if not 0 <= first <= n or length < 0 or first + length > n:
        raise IndexError(f"narrow: start {start}, length {length}: out of range for axis {dim} of length {n}")
    return x[_key(dim, slice(first, first + length))]


def select(input: ArrayLike, dim: int, index: int) -> Tensor:
    """One place of an axis.

    Formula: out = x[..., index, ...].

    Args:
        input: any shape and dtype.
        dim: axis, which goes.
        index: an int in [-n, n).

    Returns:
        A view of `input` with an axis less.

    Raises:
        IndexError: the index or the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.select(tn.tensor([[1, 2], [3, 4]]), 1, 0)
        tensor([1, 3])
    """
    x = as_tensor(input)
    return x[_key(one_axis("select", dim, x.ndim), int(index))]


def unbind(input: ArrayLike, dim: int = 0) -> tuple[Tensor, ...]:
    """The parts along an axis, each without it.

    Formula: out_i = x[..., i, ...].

    Args:
        input: any shape and dtype.
        dim: axis.

    Returns:
        A tuple of n views.

    Raises:
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.unbind(tn.tensor([[1, 2], [3, 4]]))
        (tensor([1, 2]), tensor([3, 4]))
    """
    return ops.unstack(input, axis=dim)


def _split_along(name: str, x: ArrayLike, parts: int | Sequence[int], axis: int, least: int) -> tuple[Tensor, ...]:
    x = as_tensor(x)
    if x.ndim < least:
        raise ValueError(f"{name}: expected a tensor with at least {least} axes, got shape {x.shape}")
    return ops.split(x, parts if isinstance(parts, int) else list(parts), axis=axis)


def hsplit(input: ArrayLike, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Cuts side by side: along the second axis, or the first of a vector.

    Formula: the parts, joined by `hstack`, are `input`.

    Args:
        input: (n,) or (m, n, ...).
        indices_or_sections: the number of equal parts, or where to cut.

    Returns:
        A tuple of views.

    Raises:
        ValueError: `input` is 0-d, or its length does not divide.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.hsplit(tn.arange(4), 2)
        (tensor([0, 1]), tensor([2, 3]))
    """
    x = as_tensor(input)
    return _split_along("hsplit", x, indices_or_sections, int(x.ndim > 1), 1)


def vsplit(input: ArrayLike, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Cuts above each other: along the first axis.

    Formula: the parts, joined by `vstack`, are `input`.

    Args:
        input: (n, m, ...).
        indices_or_sections: the number of equal parts, or where to cut.

    Returns:
        A tuple of views.

    Raises:
        ValueError: `input` has less than two axes, or its length does not divide.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.vsplit(tn.tensor([[1, 2], [3, 4]]), [1])
        (tensor([[1, 2]]), tensor([[3, 4]]))
    """
    return _split_along("vsplit", input, indices_or_sections, 0, 2)


def dsplit(input: ArrayLike, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Cuts in depth: along the third axis.

    Formula: the parts, joined by `dstack`, are `input`.

    Args:
        input: (m, k, n, ...).
        indices_or_sections: the number of equal parts, or where to cut.

    Returns:
        A tuple of views.

    Raises:
        ValueError: `input` has less than three axes, or its length does not divide.

    Example:
        >>> import tinygrad_notes as tn
        >>> [part.shape for part in tn.dsplit(tn.zeros((1, 2, 6)), 3)]
        [(1, 2, 2), (1, 2, 2), (1, 2, 2)]
    """
    return _split_along("dsplit", input, indices_or_sections, 2, 3)


def repeat_interleave(input: ArrayLike, repeats: ArrayLike | None = None, dim: int | None = None, *,
                      output_size: int | None = None) -> Tensor:
    """Each element several times in a row.

    Formula: out = x_0, x_0, ..., x_1, x_1, ...; of counts alone: i, repeated counts_i times.

    Args:
        input: any shape and dtype; or the counts, where `repeats` is left out.
        repeats: how often: an int, or one for each place of the axis.
        dim: axis; None repeats the elements of the flattened tensor.
        output_size: length of the result, if known; it is checked.

    Returns:
        A Tensor whose axis is as long as the sum of the counts.

    Raises:
        ValueError: a count is negative, their number or sum does not fit.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.repeat_interleave(tn.tensor([5, 7]), tn.tensor([1, 2]))
        tensor([5, 7, 7])
    """
    if repeats is None:
        counts = as_tensor(input)
        out = ops.repeat(ops.arange(counts.shape[0], dtype=counts.dtype, device=counts.device), counts)
    else:
        out = ops.repeat(input, repeats, axis=dim)
    if output_size is not None and out.shape[dim or 0] != output_size:
        raise ValueError(f"repeat_interleave: output_size: expected {out.shape[dim or 0]}, got {output_size}")
    return out


# Parts put back ---------------------------------------------------------------------------------
def select_scatter(input: ArrayLike, src: ArrayLike, dim: int, index: int) -> Tensor:
    """A copy in which one place of an axis is `src`.

    Formula: out = x, but out[..., index, ...] = src.

    Args:
        input: any shape.
        src: the shape of `input` without the axis.
        dim: axis.
        index: an int in [-n, n).

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        IndexError: the index or the axis is out of range.
        ValueError: `src` has another shape.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.select_scatter(tn.zeros((2, 2)), tn.ones(2), 0, 1)
        tensor([[0., 0.],
                [1., 1.]])
    """
    x = as_tensor(input)
    dim = one_axis("select_scatter", dim, x.ndim)
    return _put("select_scatter", x, src, _key(dim, int(index)), x.shape[:dim] + x.shape[dim + 1:])


def slice_scatter(input: ArrayLike, src: ArrayLike, dim: int = 0, start: int | None = None, end: int | None = None,
                  step: int = 1) -> Tensor:
    """A copy in which a slice of an axis is `src`.

    Formula: out = x, but out[..., start:end:step, ...] = src.

    Args:
        input: any shape.
        src: the shape of the slice.
        dim: axis.
        start, end, step: as in a slice, `step` >= 1.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        IndexError: the axis is out of range.
        ValueError: `src` has another shape, or `step` is not positive.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.slice_scatter(tn.zeros(4), tn.ones(2), start=0, step=2)
        tensor([1., 0., 1., 0.])
    """
    x = as_tensor(input)
    dim = one_axis("slice_scatter", dim, x.ndim)
    if step < 1:
        raise ValueError(f"slice_scatter: step: expected an int >= 1, got {step}")
    part = slice(start, end, step)
    length = len(range(*part.indices(x.shape[dim])))
    return _put("slice_scatter", x, src, _key(dim, part), (*x.shape[:dim], length, *x.shape[dim + 1:]))


def _put(name: str, x: Tensor, src: ArrayLike, key: Any, shape: tuple[int, ...]) -> Tensor:
    src = as_tensor(src, like=x)
    if src.shape != shape:
        raise ValueError(f"{name}: src: expected shape {shape}, got {src.shape}")
    return ops.index_put(x, key, src)


def diagonal_scatter(input: ArrayLike, src: ArrayLike, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy in which a diagonal is `src`.

    Formula: out = x, but out[..., i, i + offset] = src[..., i].

    Args:
        input: at least two axes.
        src: the shape of `diagonal(input, offset, dim1, dim2)`.
        offset: which diagonal; above the main one if positive.
        dim1, dim2: the axes of the matrices.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        IndexError: an axis is out of range.
        ValueError: `src` has another shape.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.diagonal_scatter(tn.zeros((2, 2)), tn.tensor([1.0, 2.0]))
        tensor([[1., 0.],
                [0., 2.]])
    """
    x = as_tensor(input)
    src = as_tensor(src, like=x)
    expected = ops.diagonal(x, offset, dim1, dim2).shape
    if src.shape != expected:
        raise ValueError(f"diagonal_scatter: src: expected shape {expected}, got {src.shape}")
    last = ops.moveaxis(x, (dim1, dim2), (-2, -1))  # (..., n, m)
    rows = ops.arange(expected[-1], device=x.device) + max(-offset, 0)
    put = ops.index_put(last, (..., rows, rows + offset), src)
    return ops.moveaxis(put, (-2, -1), (dim1, dim2))


# Joined -----------------------------------------------------------------------------------------
def column_stack(tensors: Sequence[ArrayLike]) -> Tensor:
    """Vectors as the columns of a matrix; matrices side by side.

    Formula: out = [x_1, x_2, ...].

    Args:
        tensors: each (m,) or (m, n_i, ...).

    Returns:
        (m, sum of n_i, ...).

    Raises:
        ValueError: the shapes do not fit.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.column_stack([tn.tensor([1, 2]), tn.tensor([3, 4])])
        tensor([[1, 3],
                [2, 4]])
    """
    parts = [as_tensor(x) for x in tensors]
    return ops.concat([ops.reshape(x, (x.numel(), 1)) if x.ndim < 2 else x for x in parts], axis=1)


def block_diag(*tensors: ArrayLike) -> Tensor:
    """Matrices along the diagonal, zeros elsewhere.

    Formula: out = [[A, 0], [0, B]].

    Args:
        tensors: each (m_i, n_i); a vector is a row, a number 1 x 1.

    Returns:
        (sum of m_i, sum of n_i).

    Raises:
        ValueError: one has more than two axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.block_diag(tn.tensor([[1, 2]]), tn.tensor([[3]]))
        tensor([[1, 2, 0],
                [0, 0, 3]])
    """
    parts = [as_tensor(x) for x in tensors] or [ops.zeros((1, 0))]
    for x in parts:
        if x.ndim > 2:
            raise ValueError(f"block_diag: expected matrices, vectors or numbers, got shape {x.shape}")
    blocks = [ops.reshape(x, (1, x.numel())) if x.ndim < 2 else x for x in parts]
    width, left, rows = sum(x.shape[1] for x in blocks), 0, []
    for x in blocks:
        rows.append(ops.pad(x, ((0, 0), (left, width - left - x.shape[1]))))
        left += x.shape[1]
    return ops.concat(rows, axis=0)


def cartesian_prod(*tensors: ArrayLike) -> Tensor:
    """All combinations of one element of each vector.

    Formula: the rows (x_i, y_j, ...), the last index fastest.

    Args:
        tensors: each (n_i,).

    Returns:
        (product of n_i, number of vectors); of one vector itself.

    Raises:
        ValueError: one is no vector.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.cartesian_prod(tn.tensor([1, 2]), tn.tensor([5, 7]))
        tensor([[1, 5],
                [1, 7],
                [2, 5],
                [2, 7]])
    """
    parts = [as_tensor(x) for x in tensors]
    if any(x.ndim != 1 for x in parts) or not parts:
        raise ValueError(f"cartesian_prod: expected vectors, got shapes {[x.shape for x in parts]}")
    if len(parts) == 1:
        return parts[0]
    return ops.stack([ops.ravel(x) for x in ops.meshgrid(*parts, indexing="ij")], axis=1)


def combinations(input: ArrayLike, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of r elements of a vector, without regard to order.

    Formula: the rows (x_i, x_j, ...), i < j < ..., or i <= j <= ... with replacement.

    Args:
        input: (n,).
        r: how many, an int >= 0.
        with_replacement: whether an element may be chosen again.

    Returns:
        (number of choices, r).

    Raises:
        ValueError: `input` is no vector, or r is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.combinations(tn.tensor([1, 2, 3]))
        tensor([[1, 2],
                [1, 3],
                [2, 3]])
    """
    x = as_tensor(input)
    if x.ndim != 1 or r < 0:
        raise ValueError(f"combinations: expected a vector and r >= 0, got shape {x.shape} and r = {r}")
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = list(choose(range(x.shape[0]), r)) if r else []
    if not places:
        return ops.zeros((0, r) if r else (0,), dtype=x.dtype, device=x.device)
    return ops.take(x, ops.asarray(places, device=x.device), axis=0)


def diagflat(input: ArrayLike, offset: int = 0) -> Tensor:
    """A matrix with all elements of a tensor on a diagonal.

    Formula: out[i, i + offset] = ravel(x)[i].

    Args:
        input: any shape.
        offset: which diagonal; above the main one if positive.

    Returns:
        A square matrix.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.diagflat(tn.tensor([[1, 2]]))
        tensor([[1, 0],
                [0, 2]])
    """
    return ops.diag(ops.ravel(as_tensor(input)), offset)


def fliplr(input: ArrayLike) -> Tensor:
    """Columns in reverse order.

    Formula: out[i, j] = x[i, n - 1 - j].

    Args:
        input: at least two axes.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: it has less than two axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.fliplr(tn.tensor([[1, 2]]))
        tensor([[2, 1]])
    """
    x = as_tensor(input)
    if x.ndim < 2:
        raise ValueError(f"fliplr: expected at least two axes, got shape {x.shape}")
    return ops.flip(x, axis=1)


def flipud(input: ArrayLike) -> Tensor:
    """Rows in reverse order.

    Formula: out[i] = x[n - 1 - i].

    Args:
        input: at least one axis.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: it has no axis.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.flipud(tn.tensor([1, 2]))
        tensor([2, 1])
    """
    x = as_tensor(input)
    if not x.ndim:
        raise ValueError(f"flipud: expected at least one axis, got shape {x.shape}")
    return ops.flip(x, axis=0)
