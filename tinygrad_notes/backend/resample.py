"""Resampling along axes: every element of the result is a weighted sum of a few neighbouring elements.

A resampling of one axis is a banded matrix. On the host it is applied as dense products of its blocks, which BLAS does
at full speed; else (on a GPU, or where inf and NaN must not reach what they have no weight in) tap by tap.
"""
import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .kernels import kernel
from .spans import in_pieces, memory_order, take_in_order

_ROWS = 32  # of one block of a banded matrix
_REACH = {"linear": 1.0, "cubic": 2.0, "lanczos": 3.0}  # of a filter to each side, in input elements


class Resize(NamedTuple):
    """How one axis is resampled.

    Fields:
        size, out: its length before and after.
        kind: "linear", "cubic", "lanczos", "area" (the mean of the part that an element of the result covers), or
            "nearest" and "nearest-exact" (a copy).
        step: input elements per element of the result; for the nearest the scale that was given, or 0.
        align: whether the first and last elements (else their outer edges) of input and result coincide.
        antialias: widen the filter by `step` where that is above 1.
    """

    size: int
    out: int
    kind: str
    step: float
    align: bool = False
    antialias: bool = False


def _filter(kind, x, a):
    x = np.abs(x)
    if kind == "linear":
        return np.maximum(1 - x, 0)
    if kind == "lanczos":
        return np.where(x < 3, np.sinc(x) * np.sinc(x / 3), 0)
    near, far = ((a + 2) * x - (a + 3)) * x * x + 1, ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x < 1, near, np.where(x < 2, far, 0))


@lru_cache(maxsize=64)
def _taps(r):
    """(T, count) places and (T, count) weights: out[o] = sum_t weight[t, o] x[place[t, o]]."""
    o = np.arange(r.out)
    if r.kind.startswith("nearest"):
        return _nearest(r)[None], np.ones((1, r.out))
    if r.kind == "area":
        first, end = o * r.size // r.out, -(-(o + 1) * r.size // r.out)
        place = first + np.arange((end - first).max(initial=1))[:, None]
        return np.minimum(place, end - 1), (place < end) / (end - first)
    if r.antialias:
        wide = max(r.step, 1.0)
        center, reach = r.step * (o + 0.5), _REACH[r.kind] * wide
        first = np.maximum((center - reach + 0.5).astype(int), 0)
        end = np.minimum((center + reach + 0.5).astype(int), r.size)
        place = first + np.arange((end - first).max(initial=1))[:, None]
        weight = np.where(place < end, _filter(r.kind, (place - center + 0.5) / wide, -0.5), 0)
        return np.minimum(place, end - 1), weight / weight.sum(axis=0)
    at = r.step * o if r.align else r.step * (o + 0.5) - 0.5
    if r.kind == "linear":
        at = np.maximum(at, 0)
    low = np.minimum(np.floor(at).astype(int), r.size - 1)
    part = np.clip(at - low, 0, 1)
    reach = int(_REACH[r.kind])
    offset = np.arange(1 - reach, reach + 1)[:, None]
    return np.clip(low + offset, 0, r.size - 1), _filter(r.kind, part - offset, -0.75)


def _nearest(r):
    """The place that each element of the result copies; computed in float32, as PyTorch does."""
    step = np.float32(1.0 / r.step) if r.step else np.float32(r.size) / np.float32(r.out)
    o = np.arange(r.out, dtype=np.float32) + np.float32(0.5 if r.kind == "nearest-exact" else 0)
    return np.minimum(np.floor(o * step).astype(np.int64), r.size - 1)


@lru_cache(maxsize=64)
def _matrix(r, transposed):
    place, weight = _taps(r)
    matrix = np.zeros((r.out, r.size))
    np.add.at(matrix, (np.arange(r.out), place), weight)
    return np.ascontiguousarray(matrix.T) if transposed else matrix


@lru_cache(maxsize=64)
def _blocks(r, transposed, kind):
    """The banded matrix as ((rows, columns, dense block), ...)."""
    matrix, found = _matrix(r, transposed), []
    for first in range(0, len(matrix), _ROWS):
        rows = matrix[first:first + _ROWS]
        used = np.flatnonzero(rows.any(axis=0))
        columns = slice(used[0], used[-1] + 1) if used.size else slice(0, 0)
        found.append((slice(first, first + len(rows)), columns, np.ascontiguousarray(rows[:, columns], dtype=kind)))
    return found


@lru_cache(maxsize=64)
def _back_taps(r):
    """`_taps` of the transpose."""
    matrix = _matrix(r, True)
    used = matrix != 0
    width = max(int(used.sum(axis=1).max(initial=0)), 1)
    place = np.argsort(~used, axis=1, kind="stable")[:, :width]
    weight = np.take_along_axis(matrix, place, axis=1)
    place = np.where(weight != 0, place, place[:, :1])  # a tap that is none looks where another looks anyway
    return place.T, weight.T


@kernel
def resample(xp, x, resizes, transposed):
    """The last axes resampled, each by its `Resize` (None: left alone), or the transpose of that map."""
    axes = [(axis, r) for axis, r in enumerate(resizes, x.ndim - len(resizes)) if r is not None]
    if not axes:
        return x.copy()
    axes.sort(key=lambda pair: pair[1].out / max(pair[1].size, 1), reverse=transposed)  # the smaller sizes first
    copies = all(r.kind.startswith("nearest") for _, r in axes) and not transposed
    products = not copies and isinstance(x, np.ndarray) and _finite(x)
    for axis, r in axes:
        if products:
            x = _by_products(x, axis, r.size if transposed else r.out, _blocks(r, transposed, x.dtype))
        else:
            x = _by_taps(xp, x, axis, *(_back_taps if transposed else _taps)(r))
    return x


def _finite(x):
    with np.errstate(all="ignore"):
        return math.isfinite(x.sum())


def _by_taps(xp, x, axis, place, weight):
    line = (-1,) + (1,) * (x.ndim - 1 - axis)
    out = None
    for p, w in zip(place, weight.astype(x.dtype)):
        term, factor = take_in_order(xp, x, p, axis), xp.asarray(w.reshape(line))
        if not w.all():
            term = xp.where(factor == 0, xp.zeros_like(term), term)  # 0 times inf must not become NaN
        if (w != 1).any():
            term = term * factor
        out = term if out is None else out + term
    return out


def _by_products(x, axis, n, blocks):
    order = memory_order(x)
    at = order.index(axis)
    x = np.ascontiguousarray(x.transpose(order))
    lead, rest = math.prod(x.shape[:at]), math.prod(x.shape[at + 1:])
    out = np.empty((*x.shape[:at], n, *x.shape[at + 1:]), dtype=x.dtype)
    source, target = x.reshape(lead, x.shape[at], rest), out.reshape(lead, n, rest)

    def work(key):
        for rows, columns, block in blocks:
            if rest == 1:
                np.matmul(source[key][:, columns, 0], block.T, out=target[key][:, rows, 0])
            else:
                np.matmul(block, source[key][:, columns], out=target[key][:, rows])

    in_pieces(target, 1, work)
    return out.transpose(np.argsort(order))
