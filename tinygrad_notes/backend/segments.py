"""Rows grouped by an id, once the ids have been sorted: extremes of groups, and products of a sparse matrix.

A group of rows and a row of a sparse matrix are the same thing: a stretch `start[i]:start[i + 1]` of a list of
indices. Each result is computed in the order of that list, on every device, so it is the same in every run.

    E rows or entries   n groups or rows of the matrix   D features
"""
from functools import cache

import numpy as np

from .kernels import kernel
from .scatter import checked_ids

_HALF = 1 << 16  # NumPy sorts 16-bit integers by counting, many times faster than longer ones
_BLOCK = 1 << 15  # elements that stay in the cache
_FEW = 16  # groups; from here on each is reduced alone


@kernel
def sorted_ids(xp, ids, n):
    """(E,) ids -> (order, start): `order[start[k]:start[k + 1]]` are the rows whose id is k, in ascending order.

    Raises:
        IndexError: an id is outside [0, n).
    """
    if not isinstance(ids, np.ndarray):
        order = xp.argsort(ids, kind="stable")
        return order, xp.searchsorted(ids[order], xp.arange(n + 1))
    ids = checked_ids(ids, n)
    narrow = np.int32 if max(n, len(ids)) < 1 << 31 else np.int64
    start = np.zeros(n + 1, dtype=narrow)
    np.cumsum(np.bincount(ids, minlength=n), out=start[1:])
    return _order(ids, n).astype(narrow, copy=False), start


def _order(ids, n):
    """The stable order of ids in [0, n), 16 bits at a time from the lowest."""
    order = (ids & (_HALF - 1)).astype(np.uint16).argsort(kind="stable")
    while n > _HALF:
        ids, n = ids >> 16, (n >> 16) + 1
        order = order[(ids[order] & (_HALF - 1)).astype(np.uint16).argsort(kind="stable")]
    return order


@kernel
def extreme_sorted(xp, values, order, start, largest, empty):
    """(E, D) values -> (n, D): the largest or smallest of the rows of each group; `empty` where there are none."""
    out = xp.full((start.shape[0] - 1, values.shape[1]), empty, dtype=values.dtype)
    if values.size == 0:
        return out
    if not isinstance(values, np.ndarray):
        return _cuda_extreme()(xp.ascontiguousarray(values), order, start, values.shape[1], largest, out)
    better = np.maximum if largest else np.minimum
    counts = np.diff(start)
    if values.shape[1] == 1:  # in one dimension NumPy's own function is fast
        full = counts.nonzero()[0]
        out[full, 0] = better.reduceat(values[order, 0], start[full])
        return out
    longest = np.argsort(-counts, kind="stable")  # groups, the longest first: those with a k-th row are in front
    first, having = start[longest], np.cumsum(np.bincount(counts)[::-1])[::-1]
    best = values[order[first[:having[1]]]]
    for k in range(1, len(having) - 1):
        groups = having[k + 1]
        if groups <= _FEW:
            for i in range(groups):
                rest = order[first[i] + k:first[i] + counts[longest[i]]]
                best[i] = better(best[i], better.reduce(values[rest], axis=0))
            break
        better(best[:groups], values.take(order[first[:groups] + k], axis=0), out=best[:groups])
    out[longest[:having[1]]] = best
    return out


@cache
def _cuda_extreme():
    import cupy

    return cupy.ElementwiseKernel(
        "raw T values, raw I order, raw J start, int64 width, bool largest", "T out", """
        long long row = i / width, column = i % width;
        for (long long k = start[row]; k < start[row + 1]; ++k) {
            T x = values[order[k] * width + column];
            if (k == start[row] || x != x || (largest ? x > out : x < out)) out = x;
            if (x != x) break;
        }""", "tinygrad_notes_extreme_rows")


@kernel
def csr_product(xp, x, start, index, values, kept=None):
    """(m, D) x -> (n, D): out[i] = sum over k in start[i]:start[i + 1] of values[k] x[index[k]], in this order.

    `kept` is a dict in which the matrix is kept from one call to the next.
    """
    n = start.shape[0] - 1
    if not isinstance(x, np.ndarray):
        out = xp.empty((n, x.shape[1]), dtype=xp.result_type(x, values))
        return _cuda_product()(xp.ascontiguousarray(x), values, index, start, x.shape[1], out)
    dtype = np.result_type(x, values)
    if x.size == 0 or values.size == 0:
        return np.zeros((n, x.shape[1]), dtype=dtype)
    matrix = kept.get("matrix") if kept else None
    if matrix is None:
        from scipy.sparse import csr_array

        matrix = csr_array((_widened(values), index, start), shape=(n, x.shape[0]))
        if kept is not None:
            kept["matrix"] = matrix
    return (matrix @ _widened(x)).astype(dtype, copy=False)


def _widened(x):
    return x.astype(np.float32) if x.dtype == np.float16 else x  # SciPy knows no halves


@kernel
def dot_rows(xp, x, y, i, j):
    """(m, D) x, (n, D) y, (E,) i and j -> (E,): the products of the rows x[i[e]] and y[j[e]]."""
    if not isinstance(x, np.ndarray):
        return xp.vecdot(xp.take(x, i, axis=0), xp.take(y, j, axis=0))
    out = np.empty(i.shape, dtype=np.result_type(x, y))
    step = max(1, _BLOCK // max(1, x.shape[1]))
    for a in range(0, len(i), step):
        part = slice(a, a + step)
        np.vecdot(x.take(i[part], axis=0), y.take(j[part], axis=0), out=out[part])
    return out


@cache
def _cuda_product():
    import cupy

    return cupy.ElementwiseKernel(
        "raw T x, raw V values, raw I index, raw J start, int64 width", "R out", """
        long long row = i / width, column = i % width;
        R total = 0;
        for (long long k = start[row]; k < start[row + 1]; ++k) total += (R)values[k] * (R)x[index[k] * width + column];
        out = total;""", "tinygrad_notes_csr_product", options=("--fmad=false",))  # the bits of the CPU
