"""Adding rows that share an index: the one reduction NumPy has no fast function for.

The order of addition is that of the rows, on every device, so the result is the same in every run.
"""
import math
from functools import cache

import numpy as np

from .kernels import kernel

_SMALL = 1024  # up to this many elements the plain way beats setting up a faster one


@kernel
def sum_rows(xp, values, ids, n):
    """(E, D) values, (E,) ids -> (n, D): row k is the sum of the rows whose id is k; negative ids count from the end.

    Raises:
        IndexError: an id is outside [-n, n).
    """
    if not isinstance(values, np.ndarray):
        return _sum_rows_cuda(xp, values, ids, n)
    ids = checked_ids(ids, n)
    if values.size == 0:
        return np.zeros((n, values.shape[1]), dtype=values.dtype)
    return (_sum_sorted if values.size <= _SMALL else _sum_sparse)(values, ids, n)


def checked_ids(ids, n):
    """Host ids made non-negative."""
    if ids.size == 0 or ids.dtype == np.int64 and ids.view(np.uint64).max() < n:  # negative ones look huge
        return ids
    low, high = ids.min(), ids.max()
    if high >= n or low < -n:
        raise IndexError(f"index {high if high >= n else low} is out of bounds for size {n}")
    return np.where(ids < 0, ids + n, ids) if low < 0 else ids


def _sum_sorted(values, ids, n):
    out = np.zeros((n, values.shape[1]), dtype=values.dtype)
    order = ids.argsort(kind="stable")
    ids = ids[order]
    first = np.empty(ids.shape, dtype=bool)
    first[0] = True
    np.not_equal(ids[1:], ids[:-1], out=first[1:])
    starts = first.nonzero()[0]
    out[ids[starts]] = np.add.reduceat(values[order], starts, axis=0, dtype=values.dtype)
    return out


def _sum_sparse(values, ids, n):
    from scipy.sparse import csc_array  # column e holds a single one, in row ids[e]

    rows = len(ids)
    wide = values.astype(np.float32) if values.dtype == np.float16 else values
    ones = np.ones(rows, dtype=wide.dtype)
    out = csc_array((ones, ids, np.arange(rows + 1)), shape=(n, rows)) @ wide
    return out.astype(values.dtype, copy=False)


@cache
def _cuda_sum():
    import cupy

    return cupy.ElementwiseKernel(
        "raw T values, raw I order, raw I start, int64 width", "T out", """
        long long row = i / width, column = i % width;
        T total = 0;
        for (long long k = start[row]; k < start[row + 1]; ++k) total += values[order[k] * width + column];
        out = total;""", "tinygrad_notes_sum_rows")


def _sum_rows_cuda(xp, values, ids, n):
    """One thread per element of the result walks the rows of its id in order."""
    ids = xp.where(ids < 0, ids + n, ids)
    order = xp.argsort(ids, kind="stable")
    start = xp.searchsorted(ids[order], xp.arange(n + 1))
    out = xp.empty((n, values.shape[1]), dtype=values.dtype)
    return _cuda_sum()(xp.ascontiguousarray(values), order, start, values.shape[1], out)


@kernel
def line_places(xp, indices, axis, n):
    """The flat places that `indices` (..., k, ...) name along `axis` of length n, the axis last: (lines * k,).

    Raises:
        IndexError: an index is outside [-n, n).
    """
    ids = indices if axis == indices.ndim - 1 else xp.moveaxis(indices, axis, -1)
    lines = math.prod(ids.shape[:-1])
    ids = xp.reshape(ids, (lines, ids.shape[-1])).astype(np.int64, copy=False)
    if isinstance(ids, np.ndarray):
        ids = checked_ids(ids, n)
    else:
        ids = xp.where(ids < 0, ids + n, ids)
    return xp.reshape(ids + xp.arange(0, n * lines, max(n, 1))[:, None] if n else ids, (-1,))


@kernel
def take_lines(xp, x, indices, axis):
    """For each place along an axis the element that `indices` names there; all other axes equal.

    Raises:
        IndexError: an index is outside [-n, n).
    """
    last = axis == x.ndim - 1
    lines = x if last else xp.moveaxis(x, axis, -1)
    out = xp.take(xp.reshape(lines, (-1,)), xp.line_places(indices, axis, x.shape[axis]))
    if last:
        return xp.reshape(out, indices.shape)
    shape = indices.shape[:axis] + indices.shape[axis + 1:] + (indices.shape[axis],)
    return xp.moveaxis(xp.reshape(out, shape), -1, axis)


@kernel
def stable_order(xp, x, axis):
    """The indices that sort `x` along an axis, equal elements in their order; NaN last."""
    if not isinstance(x, np.ndarray) or x.size <= _SMALL or x.dtype.kind not in "iuf":
        return xp.argsort(x, axis=axis, kind="stable")
    rows = np.moveaxis(x, axis, -1)
    rows = np.ascontiguousarray(rows).reshape(-1, rows.shape[-1])
    order = rows.argsort(axis=-1)  # several times faster than the stable sort, which only lines with ties need
    ranked = np.take_along_axis(rows, order, axis=-1)
    tied = ~(ranked[:, 1:] > ranked[:, :-1]).all(axis=-1)
    if tied.any():
        order[tied] = rows[tied].argsort(axis=-1, kind="stable")
    moved = x.shape[:axis] + x.shape[axis + 1:] + (x.shape[axis],)
    return np.moveaxis(order.reshape(moved), -1, axis)


@kernel
def largest_places(xp, x, k, axis, largest):
    """The places of the k largest (or smallest) elements along an axis, best first, of equal ones the first."""
    rows = xp.moveaxis(x, axis, -1)
    n = rows.shape[-1]
    if isinstance(x, np.ndarray) and x.dtype.kind == "f" and not np.isnan(x).any():
        rows = -rows if largest else rows
        picked = _partitioned(rows, k) if k < n and n > 64 else rows.argsort(axis=-1, kind="stable")[..., :k]
    elif largest:
        order = xp.stable_order(xp.flip(rows, axis=-1), x.ndim - 1)
        picked = n - 1 - xp.flip(order, axis=-1)[..., :k]
    else:
        picked = xp.stable_order(rows, x.ndim - 1)[..., :k]
    return picked if axis == x.ndim - 1 else xp.moveaxis(picked, -1, axis)


def _partitioned(rows, k):
    """The places of the k smallest of long rows without NaN: only what reaches the k-th value is sorted."""
    if k == 0:
        return np.empty(rows.shape[:-1] + (0,), dtype=np.int64)
    bound = np.partition(rows, k - 1, axis=-1)[..., k - 1:k]
    candidates = rows < bound
    ties = rows == bound
    room = k - candidates.sum(axis=-1, keepdims=True)
    candidates |= ties & (ties.cumsum(axis=-1) <= room)
    picked = candidates.nonzero()[-1].reshape(rows.shape[:-1] + (k,))
    order = np.argsort(np.take_along_axis(rows, picked, axis=-1), axis=-1, kind="stable")
    return np.take_along_axis(picked, order, axis=-1)


@kernel
def last_of_equal(xp, places, size):
    """(E,) places in [-size, size) -> (E,): for each the last number e that has the same place."""
    order = xp.arange(places.shape[0])
    if isinstance(places, np.ndarray):
        last = np.zeros(size, dtype=order.dtype)
        last[places] = order
        return last[places]
    places = xp.where(places < 0, places + size, places)
    order = xp.argsort(places, kind="stable")
    ranked = places[order]
    last = xp.empty_like(order)
    last[order] = order[xp.searchsorted(ranked, ranked, side="right") - 1]
    return last


@kernel
def counted_ids(xp, ids):
    """Segment ids, none of them negative.

    Raises:
        IndexError: an id is negative; only ids on the host are looked at.
    """
    if isinstance(ids, np.ndarray) and ids.dtype.kind == "i" and ids.size and ids.min() < 0:
        raise IndexError(f"index {ids.min()} is negative; ids count segments from 0")
    return ids


@kernel
def rank_in_segment(xp, ids, n):
    """How many earlier rows have the same id, per row; and the length of the longest segment.

    Raises:
        IndexError: an id is outside [0, n).
    """
    if isinstance(ids, np.ndarray):
        ids = checked_ids(ids, n)
    order = xp.argsort(ids, kind="stable")
    start = xp.searchsorted(ids[order], xp.arange(n + 1))
    rank = xp.empty(ids.shape, dtype=np.int64)
    rank[order] = xp.arange(ids.shape[0]) - start[ids[order]]
    return rank, int((start[1:] - start[:-1]).max().item()) if n and ids.shape[0] else 0


@kernel
def search_lines(xp, lines, values, side):
    """(..., n) sorted lines, (..., m) values -> (..., m): where each value belongs in its own line."""
    if not isinstance(lines, np.ndarray):
        below = lines[..., None, :] < values[..., None] if side == "left" else lines[..., None, :] <= values[..., None]
        return xp.count_nonzero(below, axis=-1)
    out = np.empty(values.shape, dtype=np.int64)
    for place in np.ndindex(lines.shape[:-1]):
        out[place] = np.searchsorted(lines[place], values[place], side=side)
    return out
