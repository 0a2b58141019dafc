"""PyTorch's functions that count, measure and sort values."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import Tensor, as_tensor
from ..ops.axes import one_axis
from .meanings import Found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..typing import ArrayLike, Axis

__all__ = ["bucketize", "clamp_max", "clamp_min", "corrcoef", "cov", "dist", "div", "gradient", "histc", "mode",
           "msort", "nanmedian", "renorm", "rsub", "sub", "unique", "unique_consecutive", "vander"]


def sub(input: ArrayLike, other: ArrayLike, *, alpha: float = 1) -> Tensor:
    """The difference, of a multiple.

    Formula: out = x - alpha y.

    Args:
        input, other: shapes broadcast.
        alpha: factor.

    Returns:
        A Tensor of the broadcast shape.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.sub(tn.tensor([5.0]), tn.tensor([1.0]), alpha=2)
        tensor([3.])
    """
    return ops.subtract(input, other if alpha == 1 else ops.multiply(as_tensor(other), alpha))


def rsub(input: ArrayLike, other: ArrayLike, *, alpha: float = 1) -> Tensor:
    """The difference the other way round.

    Formula: out = y - alpha x.

    Args:
        input, other: shapes broadcast.
        alpha: factor.

    Returns:
        A Tensor of the broadcast shape.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.rsub(tn.tensor([1.0]), 5.0)
        tensor([4.])
    """
    x = as_tensor(input)
    return ops.subtract(other, x if alpha == 1 else ops.multiply(x, alpha))


def div(input: ArrayLike, other: ArrayLike, *, rounding_mode: str | None = None) -> Tensor:
    """The quotient, rounded if asked for.

    Formula: out = x / y, or floor(x / y), or trunc(x / y).

    Args:
        input, other: shapes broadcast.
        rounding_mode: None, 'floor' or 'trunc'.

    Returns:
        A Tensor of the broadcast shape.

    Raises:
        ValueError: the rounding is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.div(tn.tensor([-7.0]), 2, rounding_mode="trunc")
        tensor([-3.])
    """
    if rounding_mode is None:
        return ops.divide(input, other)
    if rounding_mode == "floor":
        return ops.floor_divide(input, other)
    if rounding_mode != "trunc":
        raise ValueError(f"div: rounding_mode: expected None, 'floor' or 'trunc', got {rounding_mode!r}")
    x, y = as_tensor(input), as_tensor(other)
    if {x.dtype.kind, y.dtype.kind} <= set("iu"):  # exact, where a quotient of floats would not be
        return ops.floor_divide(x - ops.fmod(x, y), y)
    out = ops.trunc(ops.divide(x, y))
    return ops.astype(out, ops.result_type(x, y)) if {x.dtype.kind, y.dtype.kind} <= set("iub") else out


def clamp_min(input: ArrayLike, min: ArrayLike) -> Tensor:
    """Nothing below a bound.

    Formula: out = max(x, min).

    Args:
        input, min: shapes broadcast.

    Returns:
        A Tensor of the broadcast shape.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.clamp_min(tn.tensor([-1.0, 2.0]), 0)
        tensor([0., 2.])
    """
    return ops.clip(input, min)


def clamp_max(input: ArrayLike, max: ArrayLike) -> Tensor:
    """Nothing above a bound.

    Formula: out = min(x, max).

    Args:
        input, max: shapes broadcast.

    Returns:
        A Tensor of the broadcast shape.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.clamp_max(tn.tensor([-1.0, 2.0]), 0)
        tensor([-1.,  0.])
    """
    return ops.clip(input, None, max)


def dist(input: ArrayLike, other: ArrayLike, p: float = 2) -> Tensor:
    """The p-norm of a difference.

    Formula: (sum |x - y|^p)^(1/p).

    Args:
        input, other: shapes broadcast.
        p: order of the norm.

    Returns:
        A 0-d Tensor.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.dist(tn.tensor([0.0, 0.0]), tn.tensor([3.0, 4.0]))
        tensor(5.)
    """
    return ops.norm(ops.subtract(input, other), p)


def renorm(input: ArrayLike, p: float, dim: int, maxnorm: float) -> Tensor:
    """Parts along an axis scaled down to a greatest norm.

    Formula: out_i = x_i min(1, m / (|x_i|_p + 1e-7)) where |x_i|_p > m.

    Args:
        input: at least two axes.
        p: order of the norm, > 0.
        dim: axis whose parts are measured.
        maxnorm: m >= 0.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: p or maxnorm is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.renorm(tn.tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
        tensor([[0.6000, 0.8000],
                [0.3000, 0.4000]])
    """
    x = as_tensor(input)
    dim = one_axis("renorm", dim, x.ndim)
    if not p > 0 or not maxnorm >= 0:
        raise ValueError(f"renorm: expected p > 0 and maxnorm >= 0, got {p} and {maxnorm}")
    norms = ops.norm(x, p, axis=tuple(i for i in range(x.ndim) if i != dim), keepdims=True)
    large = ops.greater(norms, maxnorm)
    factor = ops.where(large, maxnorm / (ops.where(large, norms, 1.0) + 1e-7), 1.0)
    return ops.multiply(x, ops.astype(factor, x.dtype))


# Moments ----------------------------------------------------------------------------------------
def cov(input: ArrayLike, *, correction: int = 1, fweights: ArrayLike | None = None,
        aweights: ArrayLike | None = None) -> Tensor:
    """The covariances of the rows of a matrix.

    Formula: C = (X - m) diag(w) (X - m)^T / norm, m = X w / sum w; norm = sum w - correction (sum w a) / sum w.

    Args:
        input: variables in rows, observations in columns, (D, N); or (N,).
        correction: 1 divides by N - 1, 0 by N.
        fweights: how often each observation was made, integers (N,).
        aweights: how much each observation counts, (N,).

    Returns:
        (D, D), or a 0-d Tensor for one variable.

    Raises:
        ValueError: there are more than two axes, or weights of another number.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.cov(tn.tensor([[0.0, 2.0], [1.0, 5.0]]))
        tensor([[2., 4.],
                [4., 8.]])
    """
    x = as_tensor(input)
    if x.ndim > 2:
        raise ValueError(f"cov: expected at most two axes, got shape {x.shape}")
    rows = ops.reshape(x, (1, x.numel())) if x.ndim < 2 else x
    rows = ops.astype(rows, "float32") if rows.dtype.kind in "iub" else rows
    n = rows.shape[1]
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is not None and as_tensor(given).shape != (n,):
            raise ValueError(f"cov: {name}: expected shape ({n},), got {as_tensor(given).shape}")
    f, a = (None if given is None else ops.astype(as_tensor(given, like=rows), rows.dtype)
            for given in (fweights, aweights))
    w = a if f is None else f if a is None else f * a
    if w is None:
        centred = weighted = rows - ops.mean(rows, 1, keepdims=True)
        norm: Any = max(n - correction, 0)
    else:
        total = ops.sum(w)
        centred = rows - ops.reshape(rows @ w, (-1, 1)) / total
        weighted = centred * w
        norm = ops.maximum(total - correction * (1 if a is None else ops.sum(w * a) / total), 0.0)
    out = weighted @ ops.matrix_transpose(centred) / norm
    return ops.reshape(out, ()) if rows.shape[0] == 1 else out


def corrcoef(input: ArrayLike) -> Tensor:
    """The correlations of the rows of a matrix.

    Formula: R_ij = C_ij / sqrt(C_ii C_jj), cut to [-1, 1].

    Args:
        input: variables in rows, observations in columns, (D, N); or (N,).

    Returns:
        (D, D), or a 0-d Tensor for one variable.

    Raises:
        ValueError: there are more than two axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.corrcoef(tn.tensor([[0.0, 2.0], [5.0, 1.0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])
    """
    c = cov(input)
    if not c.ndim:
        return c / c
    deviation = ops.sqrt(ops.diagonal(c))
    return ops.clip(c / ops.reshape(deviation, (-1, 1)) / deviation, -1.0, 1.0)


def gradient(input: ArrayLike, *, spacing: Any = 1, dim: int | Sequence[int] | None = None,
             edge_order: int = 1) -> tuple[Tensor, ...]:
    """Slopes by differences of second order inside, of order `edge_order` at the ends.

    Formula: (h_a^2 f_{i+1} - h_b^2 f_{i-1} + (h_b^2 - h_a^2) f_i) / (h_a h_b (h_a + h_b)), h_a before i and h_b after.

    Args:
        input: values, at least `edge_order` + 1 along each axis.
        spacing: the step, one step per axis, or a tuple of coordinates per axis.
        dim: an axis or several; None is all.
        edge_order: 1 or 2.

    Returns:
        A tuple with one Tensor of the shape of `input` per axis.

    Raises:
        ValueError: an axis is too short, or `spacing` or `edge_order` does not fit.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.gradient(tn.tensor([0.0, 1.0, 4.0, 9.0]))
        (tensor([1., 2., 4., 5.]),)
    """
    x = as_tensor(input)
    x = ops.astype(x, "float32") if x.dtype.kind in "iub" else x
    axes = tuple(range(x.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if edge_order not in (1, 2):
        raise ValueError(f"gradient: edge_order: expected 1 or 2, got {edge_order}")
    steps = list(spacing) if isinstance(spacing, (tuple, list)) else [spacing] * len(axes)
    steps = [1 if step is None else step for step in steps]
    if len(steps) != len(axes):
        raise ValueError(f"gradient: spacing: expected {len(axes)}, one per axis, got {len(steps)}")
    return tuple(_slope(x, one_axis("gradient", axis, x.ndim), step, edge_order) for axis, step in zip(axes, steps))


def _slope(x: Tensor, axis: int, step: Any, edge_order: int) -> Tensor:
    n = x.shape[axis]
    if n < edge_order + 1:
        raise ValueError(f"gradient: axis {axis}: expected at least {edge_order + 1} values, got {n}")
    f = ops.moveaxis(x, axis, -1)
    if isinstance(step, (int, float)):
        where = ops.arange(n, dtype=x.dtype, device=x.device) * step
    else:
        where = as_tensor(step, like=x)
        if where.shape != (n,):
            raise ValueError(f"gradient: spacing: expected {n} coordinates of axis {axis}, got shape {where.shape}")
    h = ops.diff(where)
    a, b = h[:-1], h[1:]
    d = ops.diff(f) / h  # slopes between neighbours
    inside = (b * d[..., :-1] + a * d[..., 1:]) / (a + b)
    if edge_order == 1:
        first, last = d[..., :1], d[..., -1:]
    else:
        bend_first = (d[..., 1:2] - d[..., :1]) / (h[0] + h[1])
        bend_last = (d[..., -1:] - d[..., -2:-1]) / (h[-1] + h[-2])
        first, last = d[..., :1] - h[0] * bend_first, d[..., -1:] + h[-1] * bend_last
    return ops.moveaxis(ops.concat((first, inside, last), axis=-1), -1, axis)


def vander(x: ArrayLike, N: int | None = None, increasing: bool = False) -> Tensor:
    """Powers of a vector as columns.

    Formula: out[i, j] = x_i^(N - 1 - j), or x_i^j if increasing.

    Args:
        x: (n,).
        N: number of columns; default n.
        increasing: whether the powers rise from left to right.

    Returns:
        (n, N).

    Raises:
        ValueError: `x` is no vector, or N is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.vander(tn.tensor([2, 3]), 3)
        tensor([[4, 2, 1],
                [9, 3, 1]])
    """
    x = as_tensor(x)
    if x.ndim != 1 or (N is not None and N < 0):
        raise ValueError(f"vander: expected a vector and N >= 0, got shape {x.shape} and N = {N}")
    out = ops.linalg.vander(x, N=x.shape[0] if N is None else N)  # rises
    return out if increasing else ops.flip(out, axis=-1)


# Counts -----------------------------------------------------------------------------------------
def bucketize(input: ArrayLike, boundaries: ArrayLike, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The interval of each value.

    Formula: i with b_{i-1} < x <= b_i; or b_{i-1} <= x < b_i if `right`.

    Args:
        input: any shape.
        boundaries: rising, (n,).
        out_int32: whether to return int32 in place of int64.
        right: to which interval a boundary belongs.

    Returns:
        Integers in [0, n] of the shape of `input`.

    Raises:
        ValueError: the boundaries are no vector.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.bucketize(tn.tensor([0.5, 1.0, 9.0]), tn.tensor([0.0, 1.0, 2.0]))
        tensor([1, 1, 3])
    """
    found = ops.searchsorted(boundaries, input, side="right" if right else "left")
    return ops.astype(found, "int32") if out_int32 else found


def histc(input: ArrayLike, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many values fall into each of equally wide bins; what is outside is left out.

    Formula: out_i = #{x: min + i w <= x < min + (i + 1) w}, w = (max - min) / bins; the last bin has its right end too.

    Args:
        input: floating, any shape.
        bins: an int >= 1.
        min, max: the range; both 0: that of the values.

    Returns:
        (bins,) of the dtype of `input`.

    Raises:
        ValueError: `bins` or the range is wrong.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.histc(tn.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
        tensor([0., 2., 1., 0.])
    """
    x = ops.ravel(as_tensor(input).detach())
    if bins < 1:
        raise ValueError(f"histc: bins: expected an int >= 1, got {bins}")
    low, high = float(min), float(max)
    if low == high and x.numel():
        low, high = x.min().item(), x.max().item()
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"histc: expected a finite range min < max, got [{low}, {high}]")
    x = x[ops.logical_and(ops.greater_equal(x, low), ops.less_equal(x, high))]
    place = ops.astype(ops.floor((x - low) / (high - low) * bins), "int64")
    counts = ops.bincount(ops.clip(place, 0, bins - 1), minlength=bins)
    return ops.astype(counts, as_tensor(input).dtype)


def unique(input: ArrayLike, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
           dim: int | None = None) -> Any:
    """The different elements, rising; or the different parts along an axis.

    Formula: the set of x_i.

    Args:
        input: any shape.
        sorted: has no effect: they always rise.
        return_inverse: also where each element of `input` is in the result.
        return_counts: also how often each of them comes.
        dim: axis along which parts are compared; None: elements.

    Returns:
        A Tensor, or a tuple of two or three of them.

    Raises:
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.unique(tn.tensor([3, 1, 3]), return_counts=True)
        (tensor([1, 3]), tensor([1, 2]))
    """
    x = as_tensor(input).detach()
    if dim is None:
        found = ops.unique_all(x)
        parts = [found.values, found.inverse_indices, found.counts]
    else:
        dim = one_axis("unique", dim, x.ndim)
        rows = ops.reshape(ops.moveaxis(x, dim, 0), (x.shape[dim], x.size // max(x.shape[dim], 1)))
        order = ops.arange(x.shape[dim], device=x.device)
        for column in range(rows.shape[1] - 1, -1, -1):  # the first column decides first: it is sorted by last
            order = ops.take(order, ops.argsort(ops.take(rows[:, column], order, axis=0), axis=0), axis=0)
        parts = _runs(ops.take(x, order, axis=dim), dim, order)
    shown = [parts[0], *([parts[1]] if return_inverse else []), *([parts[2]] if return_counts else [])]
    return tuple(shown) if len(shown) > 1 else shown[0]


def _runs(x: Tensor, dim: int, order: Tensor | None = None) -> list[Tensor]:
    """The first part of each run of equal parts, the run of each part, and their lengths."""
    rows = ops.reshape(ops.moveaxis(x, dim, 0), (x.shape[dim], x.size // max(x.shape[dim], 1)))
    n = rows.shape[0]
    changed = ops.any(ops.not_equal(rows[1:], rows[:-1]), 1)
    fresh = ops.concat((ops.ones(min(n, 1), dtype="bool", device=x.device), changed), axis=0)
    run = ops.cumsum(ops.astype(fresh, "int64"), 0) - 1
    inverse = run if order is None else ops.index_put(ops.zeros_like(run), order, run)
    return [ops.take(x, ops.nonzero(fresh)[0], axis=dim), inverse, ops.bincount(run)]


def unique_consecutive(input: ArrayLike, return_inverse: bool = False, return_counts: bool = False,
                       dim: int | None = None) -> Any:
    """The elements without those that equal the one before; or the parts along an axis.

    Formula: x_0, and x_i where x_i != x_{i-1}.

    Args:
        input: any shape; flattened unless `dim` is given.
        return_inverse: also where each element of `input` is in the result.
        return_counts: also the length of each run.
        dim: axis along which parts are compared; None: elements.

    Returns:
        A Tensor, or a tuple of two or three of them.

    Raises:
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.unique_consecutive(tn.tensor([3, 3, 1, 3]))
        tensor([3, 1, 3])
    """
    x = as_tensor(input).detach()
    flat = ops.ravel(x) if dim is None else x
    values, inverse, counts = _runs(flat, 0 if dim is None else one_axis("unique_consecutive", dim, x.ndim))
    inverse = ops.reshape(inverse, x.shape) if dim is None else inverse
    shown = [values, *([inverse] if return_inverse else []), *([counts] if return_counts else [])]
    return tuple(shown) if len(shown) > 1 else shown[0]


def mode(input: ArrayLike, dim: Axis = -1, keepdim: bool = False) -> Found:
    """The most frequent value along an axis, the smallest of equally frequent ones, and the last place of it.

    Formula: argmax_v #{i: x_i = v}.

    Args:
        input: any shape.
        dim: axis.
        keepdim: whether the axis stays, with length one.

    Returns:
        (values, indices).

    Raises:
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.mode(tn.tensor([5, 2, 7, 2]))
        Found(values=tensor(2), indices=tensor(3))
    """
    x = as_tensor(input)
    flat = ops.reshape(x, (1,)) if not x.ndim else x
    dim = one_axis("mode", dim, flat.ndim)
    order = ops.argsort(flat, axis=dim)
    values = ops.moveaxis(ops.take_along_axis(flat, order, axis=dim), dim, -1)
    n = values.shape[-1]
    place = ops.arange(n, device=x.device)
    changes = ops.not_equal(values[..., 1:], values[..., :-1])
    edge = ops.ones((*values.shape[:-1], 1), dtype="bool", device=x.device)
    start = ops.cummax(ops.where(ops.concat((edge, changes), axis=-1), place, 0), -1)[0]
    last = ops.argmax(place - start, -1, keepdims=True)  # the end of the longest run, the first of equal ones
    index = ops.take_along_axis(order, ops.moveaxis(last, -1, dim), axis=dim)
    out = ops.take_along_axis(flat, index, axis=dim)
    if not x.ndim:
        return Found(ops.reshape(out, ()), ops.reshape(index, ()))
    return Found(out, index) if keepdim else Found(ops.squeeze(out, dim), ops.squeeze(index, dim))


def msort(input: ArrayLike) -> Tensor:
    """Sorted along the first axis.

    Formula: out_0 <= out_1 <= ...

    Args:
        input: at least one axis.

    Returns:
        A Tensor of the shape of `input`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.msort(tn.tensor([3.0, 1.0]))
        tensor([1., 3.])
    """
    x = as_tensor(input)
    return ops.sort(x, axis=0) if x.ndim else x


def nanmedian(input: ArrayLike, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median of what is not NaN; the lower of the two middle values.

    Formula: x_(k), k = floor((m - 1) / 2) among the m values that are not NaN, counted from 0.

    Args:
        input: floating.
        dim: axis; None is all elements.
        keepdim: whether the axis stays, with length one.

    Returns:
        A 0-d Tensor, or with `dim` (values, indices).

    Raises:
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nanmedian(tn.tensor([float("nan"), 3.0, 1.0]))
        tensor(1.)
    """
    x = as_tensor(input)
    flat = ops.ravel(x) if dim is None or not x.ndim else x
    axis = one_axis("nanmedian", 0 if dim is None or not x.ndim else dim, flat.ndim)
    order = ops.argsort(ops.where(ops.isnan(flat), math.inf, flat), axis=axis)
    count = ops.count_nonzero(ops.logical_not(ops.isnan(flat)), axis, keepdims=True)
    index = ops.take_along_axis(order, ops.maximum(count - 1, 0) // 2, axis=axis)
    values = ops.take_along_axis(flat, index, axis=axis)
    if dim is None:
        return ops.reshape(values, ())
    if not x.ndim:
        return Found(ops.reshape(values, ()), ops.reshape(index, ()))
    return Found(values, index) if keepdim else Found(ops.squeeze(values, axis), ops.squeeze(index, axis))
