"""Windows that slide along the last axes of an array: their largest elements, their sums, and the way back.

Windows are rectangular, so everything is done one axis at a time on strided views: k x k places cost 2k passes.
Results keep the memory order of what they come from (NCHW or NHWC alike).
"""
from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from .kernels import kernel

_FEW = 4  # windows of up to this many places are put back by masks, larger ones by index


class Span(NamedTuple):
    """Windows along one axis: window o has the places o * stride - before + dilation * k that exist, 0 <= k < kernel.

    Fields:
        size: length of the axis.
        out: number of windows.
        kernel, stride, dilation, before: see above.
    """

    size: int
    out: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    before: int = 0

    def start(self, k):
        """The k-th place of window 0, negative where it is before the array."""
        return k * self.dilation - self.before

    def having(self, k):
        """(first, last + 1) of the windows whose k-th place exists."""
        start = self.start(k)
        return max(0, -(start // self.stride)), min(self.out, (self.size - 1 - start) // self.stride + 1)

    def whole(self, k):
        """Whether all windows have a k-th place."""
        return self.having(k) == (0, self.out)

    def tiles(self):
        """Whether the windows lie side by side, without gaps or overlap."""
        return self.kernel == self.stride and self.dilation == 1 and not self.before and self.whole(self.kernel - 1)


class Uneven(NamedTuple):
    """Windows that share an axis out: window o goes from floor(o size / out) to ceil((o + 1) size / out).

    Fields:
        size: length of the axis.
        out: number of windows.
    """

    size: int
    out: int

    @property
    def kernel(self):
        """Places of the longest window."""
        return _places(self).shape[0]

    def having(self, k):
        """All windows: the shorter ones have their last place twice."""
        return 0, self.out

    def whole(self, k):
        """See `having`."""
        return True

    def tiles(self):
        """Never: `Span` is for these."""
        return False


@lru_cache(maxsize=256)
def _places(span):
    """(kernel, count): the places of the windows of an `Uneven`."""
    o = np.arange(span.out)
    first, end = o * span.size // span.out, -(-(o + 1) * span.size // span.out)
    return np.minimum(first + np.arange((end - first).max())[:, None], end - 1)


def _along(axis, *cut):
    return (slice(None),) * axis + (slice(*cut),)


def _part(xp, x, axis, span, k):
    """What stands at the k-th place of each window that has one."""
    if span.__class__ is Uneven:
        return xp.take(x, xp.asarray(_places(span)[k]), axis=axis)
    lo, hi = span.having(k)
    first = lo * span.stride + span.start(k)
    return x[_along(axis, first, first + (hi - lo - 1) * span.stride + 1, span.stride)]


def _resized(x, axis, n):
    return (*x.shape[:axis], n, *x.shape[axis + 1:])


# The largest -------------------------------------------------------------------------
@kernel
def window_max(xp, x, spans, numbered):
    """The largest element of each window and, if `numbered`, its number in the window, row by row (else None).

    Of equal elements the first counts; NaN is larger than all, and of several the last counts (as in PyTorch).
    """
    shape = x.shape[:x.ndim - len(spans)] + tuple(s.out for s in spans)
    out = xp.empty_like(x, shape=shape)
    number = None
    if numbered:
        number = xp.zeros_like(x, dtype=np.min_scalar_type(prod(s.kernel for s in spans) - 1), shape=shape)
    host = isinstance(x, np.ndarray)
    _largest(xp, x, spans, out, number, not host)
    if numbered and host and out.dtype.kind == "f" and out.size and np.isnan(out.max()):
        _largest(xp, x, spans, out, number, True)
    return out, number


def _largest(xp, x, spans, out, number, careful):
    """Axis after axis, the last one first if numbers are wanted: so the first of equal elements is found."""
    axes = [*enumerate(spans, x.ndim - len(spans))]
    if number is not None:
        axes.reverse()
    inner, width = None, 1
    for axis, span in axes:
        last = axis == axes[-1][0]
        shape = _resized(x, axis, span.out)
        values = out if last else xp.empty_like(x, shape=shape)
        found = number if last or number is None else xp.empty_like(x, dtype=number.dtype, shape=shape)
        alone = span.out == 1 and span.kernel > 2 and span.__class__ is Span
        (_largest_of_all if alone else _largest_along)(xp, x, inner, axis, span, width, values, found, careful)
        x, inner = values, found
        width *= span.kernel


def _largest_along(xp, x, inner, axis, span, width, out, number, careful):
    """One axis: one place further in each pass. `inner` are the numbers of `x` in the axes that were done before."""
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    fresh, begin = span.out, 0  # windows before `fresh` have had no place yet
    if span.kernel > 1 and span.whole(0) and span.whole(1):
        old, new = _part(xp, x, axis, span, 0), _part(xp, x, axis, span, 1)
        xp.maximum(old, new, out=out)
        if number is not None:
            if inner is None and number.dtype.itemsize == 1 and not careful:
                xp.greater(new, old, out=number.view(np.bool_))
            elif inner is None:
                number[...] = _better(new, old, careful)
            else:
                chosen = _flags(_better(new, old, careful), number.dtype)
                chosen *= _part(xp, inner, axis, span, 1) + number.dtype.type(width)
                xp.maximum(_part(xp, inner, axis, span, 0), chosen, out=number)
        fresh, begin = 0, 2
    elif not span.whole(0):
        out[...] = lowest
        if number is not None:
            number[...] = 0
    for k in range(begin, span.kernel):
        lo, hi = span.having(k)
        if hi <= lo:
            continue
        part = _part(xp, x, axis, span, k)
        if number is not None:
            candidate = number.dtype.type(k * width)
            if inner is not None:
                candidate = _part(xp, inner, axis, span, k) + candidate
        if lo < fresh:  # the first place of these windows counts even if it is -inf
            target, source = _along(axis, lo, min(hi, fresh)), _along(axis, 0, min(hi, fresh) - lo)
            out[target] = part[source]
            if number is not None:
                number[target] = candidate if inner is None else candidate[source]
        if max(lo, fresh) < hi:
            target, source = _along(axis, max(lo, fresh), hi), _along(axis, max(lo, fresh) - lo, None)
            new, old = part[source], out[target]
            if number is not None:
                chosen = _flags(_better(new, old, careful), number.dtype)
                chosen *= candidate if inner is None else candidate[source]
                xp.maximum(number[target], chosen, out=number[target])  # numbers of later places are larger
            xp.maximum(old, new, out=old)
        fresh = min(fresh, lo)


def _better(new, old, careful):
    return (new > old) | (new != new) if careful else new > old


def _flags(mask, kind):
    return mask.view(kind) if kind.itemsize == 1 else mask.astype(kind)


def _largest_of_all(xp, x, inner, axis, span, width, out, number, careful):
    """One axis that is a single window."""
    first = next(k for k in range(span.kernel) if span.start(k) >= 0)
    x = x[_along(axis, span.start(first), span.start(span.kernel - 1) + 1, span.dilation)]
    out[...] = xp.max(x, axis=axis, keepdims=True)
    if number is None:
        return
    k = xp.expand_dims(xp.argmax(x, axis=axis), axis)
    if careful and x.dtype.kind == "f":
        last = x.shape[axis] - 1 - xp.expand_dims(xp.argmax(xp.flip(x != x, axis=axis), axis=axis), axis)
        k = xp.where(out != out, last, k)
    number[...] = (k + first) * width
    if inner is not None:
        number += xp.take_along_axis(inner[_along(axis, span.start(first), None, span.dilation)], k, axis)


# Where the largest stands ----------------------------------------------------------------
def _offsets(xp, number, spans, steps, order=None):
    """How far the place with a number in its window is from place 0, where a step along axis a is `steps[a]`.

    `order`: the result has its axes in this order.
    """
    ndim, lead = number.ndim, number.ndim - len(spans)
    order = order or range(ndim)
    at = {a: np.arange(number.shape[a]).reshape([-1 if b == a else 1 for b in order]) for a in range(ndim)}
    number = xp.transpose(number, order)
    parts = [at[a] * steps[a] for a in range(lead) if steps[a]]
    if all(s.__class__ is Span for s in spans):
        table = sum(np.arange(s.kernel).reshape((-1,) + (1,) * (len(spans) - 1 - a)) * (s.dilation * steps[lead + a])
                    for a, s in enumerate(spans)).reshape(-1)
        out = np.take(table, number, mode="clip") if isinstance(number, np.ndarray) else xp.asarray(table)[number]
        parts.append(sum((at[a] * s.stride - s.before) * steps[a] for a, s in enumerate(spans, lead)))
    else:
        out, width = 0, 1
        for a, span in reversed([*enumerate(spans, lead)]):
            k = (number // width) % span.kernel
            width *= span.kernel
            if span.__class__ is Span:
                place = k.astype(np.int64) * span.dilation + xp.asarray(at[a] * span.stride - span.before)
            else:
                place = xp.asarray(_places(span))[k, xp.asarray(at[a])]
            out = out + place * steps[a]
    for part in (parts[:1], parts[1:]):  # what varies within a sample is small enough to be added up first
        if part:
            out += xp.asarray(sum(part))
    return out


def _steps(shape):
    return [prod(shape[a + 1:]) for a in range(len(shape))]


@kernel
def window_places(xp, number, spans):
    """The number of a place in its window -> its flat place in the plane of the last axes."""
    lead = number.ndim - len(spans)
    return _offsets(xp, number, spans, [0] * lead + _steps([s.size for s in spans]))


@kernel
def window_take(xp, x, number, spans):
    """The elements of `x` that stand at these numbers in their windows."""
    return xp.take(xp.reshape(x, (-1,)), _offsets(xp, number, spans, _steps(x.shape)))


@kernel
def window_put(xp, y, number, spans, shape):
    """The transpose of `window_take`: zeros of `shape`, `y` added where it came from."""
    if not isinstance(y, np.ndarray):
        places = xp.reshape(_offsets(xp, number, spans, _steps(shape)), (-1,))
        return xp.reshape(xp.sum_rows(xp.reshape(y, (-1, 1)), places, prod(shape)), shape)
    out = np.empty_like(number, dtype=y.dtype, shape=shape)
    few = all(s.tiles() for s in spans) and prod(s.kernel for s in spans) <= _FEW
    (_put_tiles if few else _put_by_index)(y, number, spans, out)
    return out


def _put_by_index(y, number, spans, out):
    order = sorted(range(out.ndim), key=lambda a: -out.strides[a])  # the order of the axes in memory
    steps = [n // out.itemsize for n in out.strides]
    places = _offsets(np, number, spans, steps, order)
    flat = out.transpose(order).reshape(-1)  # a view
    flat.fill(0)
    np.add.at(flat, places.reshape(-1), y.transpose(order).reshape(-1))


def _put_tiles(y, number, spans, out):
    """For windows side by side: each place gets `y`, or the bits of zero (a product would turn inf into NaN)."""
    if any(s.out * s.stride != s.size for s in spans):
        out.fill(0)
    kind = np.dtype(f"i{y.itemsize}")
    bits, target = y.view(kind), out.view(kind)
    for k, place in enumerate(np.ndindex(*[s.kernel for s in spans])):
        mask = np.equal(number, k).view(np.int8)
        np.negative(mask, out=mask)  # 1 becomes all ones
        cut = [slice(p, s.out * s.stride, s.stride) for p, s in zip(place, spans)]
        np.bitwise_and(bits, mask.astype(kind), out=target[(..., *cut)])


@kernel
def window_places_at(xp, x, samples, kernel_size, counts):
    """Where the largest element of each window of fractional max pooling stands: (N, C, *counts), flat in its plane.

    Along an axis of n elements window i of m starts at floor((i + u) a) - floor(u a), a = (n - k) / (m - 1), the last
    at n - k. `samples` (N, C, d) holds the u, last axis first for d = 2, first axis first for d = 3.
    """
    axes = len(counts)
    lead, sizes = x.shape[:x.ndim - axes], x.shape[x.ndim - axes:]
    places = xp.zeros((1,) * (len(lead) + 2 * axes), dtype=np.int64)
    for a, (n, k, m) in enumerate(zip(sizes, kernel_size, counts)):
        u = samples[..., axes - 1 - a if axes == 2 else a][..., None]
        steps = x.dtype.type((n - k) / (m - 1) if m > 1 else 0)
        start = ((xp.arange(m, dtype=x.dtype) + u) * steps).astype(np.int64) - (u * steps).astype(np.int64)
        start = xp.where(xp.arange(m) == m - 1, n - k, start)[..., None] + xp.arange(k)  # (N, C, m, k)
        line = [1] * (2 * axes)
        line[a], line[axes + a] = m, k
        places = places * n + xp.reshape(start, (*start.shape[:-2], *line))
    shape = (*lead, *counts, prod(kernel_size))
    places = xp.reshape(places, shape)
    flat = xp.reshape(places, (prod(lead), prod(shape[len(lead):])))
    values = xp.reshape(xp.take_along_axis(xp.reshape(x, (prod(lead), prod(sizes))), flat, axis=1), shape)
    best = xp.argmax(values, axis=-1)
    if x.dtype.kind == "f":  # of several NaN the last
        wrong = values != values
        last = shape[-1] - 1 - xp.argmax(xp.flip(wrong, axis=-1), axis=-1)
        best = xp.where(xp.any(wrong, axis=-1), last, best)
    return xp.take_along_axis(places, best[..., None], axis=-1)[..., 0]


# Sums ---------------------------------------------------------------------------------
@kernel
def window_sum(xp, x, spans):
    """The sum of each window over the last axes."""
    for axis, span in enumerate(spans, x.ndim - len(spans)):
        x = _sum_along(xp, x, axis, span)
    return x


def _sum_along(xp, x, axis, span):
    if span.out == 1 and span.kernel > 2:
        first = next(k for k in range(span.kernel) if span.start(k) >= 0)
        return xp.sum(x[_along(axis, span.start(first), span.start(span.kernel - 1) + 1, span.dilation)], axis=axis,
                      keepdims=True)
    if span.kernel > 1 and span.whole(0) and span.whole(1):
        out = _part(xp, x, axis, span, 0) + _part(xp, x, axis, span, 1)
        begin = 2
    else:
        out, begin = xp.zeros_like(x, shape=_resized(x, axis, span.out)), 0
    for k in range(begin, span.kernel):
        lo, hi = span.having(k)
        if lo < hi:
            out[_along(axis, lo, hi)] += _part(xp, x, axis, span, k)
    return out


@kernel
def window_spread(xp, y, spans):
    """The transpose of `window_sum`: each element of `y` added to all places of its window."""
    for axis, span in reversed([*enumerate(spans, y.ndim - len(spans))]):
        y = _spread_along(xp, y, axis, span)
    return y


def _spread_along(xp, y, axis, span):
    shape = _resized(y, axis, span.size)
    if span.tiles():
        out = xp.empty_like(y, shape=shape)
        end = span.out * span.stride
        for k in range(span.kernel):
            out[_along(axis, k, end, span.stride)] = y
        out[_along(axis, end, None)] = 0
        return out
    out = xp.zeros_like(y, shape=shape)
    if span.out == 1:
        first = next(k for k in range(span.kernel) if span.start(k) >= 0)
        out[_along(axis, span.start(first), span.start(span.kernel - 1) + 1, span.dilation)] = y
        return out
    for k in range(span.kernel):
        lo, hi = span.having(k)
        if lo < hi:
            part = _part(xp, out, axis, span, k)
            part += y[_along(axis, lo, hi)]
    return out
