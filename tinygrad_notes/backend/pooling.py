"""The largest elements of windows that slide along the last axes of an array, where they stand, and the way back."""
from math import prod

import numpy as np

from .kernels import kernel
from .spans import Parts, Span, along, in_pieces, memory_order, new_like, places_of, resized

_FEW = 4  # windows of up to this many places are put back by masks, larger ones by index


# The largest -------------------------------------------------------------------------
@kernel
def window_max(xp, x, spans, numbered):
    """The largest element of each window and, if `numbered`, its number in the window, row by row (else None).

    Every window has an element. Of equal elements the first counts; NaN is larger than all, and of several the last
    counts (as in PyTorch).
    """
    lead = x.ndim - len(spans)
    shape = x.shape[:lead] + tuple(s.out for s in spans)
    kind = np.min_scalar_type(prod(s.kernel for s in spans) - 1)
    out, number = new_like(xp, x, shape), new_like(xp, x, shape, kind) if numbered else None
    if not isinstance(x, np.ndarray):
        _largest(xp, x, spans, out, number, True)
        return out, number

    def work(key):
        own = number[key] if numbered else None
        _largest(np, x[key], spans, out[key], own, False)
        if numbered and x.dtype.kind == "f" and out.size and np.isnan(out[key].max()):
            _largest(np, x[key], spans, out[key], own, True)

    in_pieces(x, lead, work)
    return out, number


def _largest(xp, x, spans, out, number, careful):
    """Axis after axis, the last one first if numbers are wanted: so the first of equal elements is found."""
    axes = [*enumerate(spans, x.ndim - len(spans))]
    if number is not None:
        axes.reverse()
    inner, width = None, 1
    for axis, span in axes:
        last = axis == axes[-1][0]
        shape = resized(x, axis, span.out)
        values = out if last else new_like(xp, x, shape)
        found = number if last or number is None else new_like(xp, x, shape, number.dtype)
        alone = span.out == 1 and span.kernel > 2 and span.__class__ is Span
        (_largest_of_all if alone else _largest_along)(xp, x, inner, axis, span, width, values, found, careful)
        x, inner = values, found
        width *= span.kernel


def _largest_along(xp, x, inner, axis, span, width, out, number, careful):
    """One axis: one place further in each pass. `inner` are the numbers of `x` in the axes that were done before."""
    parts = Parts(xp, x, axis, span, 1 if number is None else 2)
    numbers = None if inner is None or number is None else Parts(xp, inner, axis, span, 2)
    fresh, begin = span.out, 0  # windows before `fresh` have had no place yet
    if span.kernel > 1 and span.whole(0) and span.whole(1):
        old, new = parts(0), parts(1)
        xp.maximum(old, new, out=out)
        if number is not None:
            if numbers is None and number.dtype.itemsize == 1 and not careful:
                xp.greater(new, old, out=number.view(np.bool_))
            elif numbers is None:
                number[...] = _better(new, old, careful)
            else:
                chosen = _flags(_better(new, old, careful), number.dtype)
                chosen *= numbers(1) + number.dtype.type(width)
                xp.maximum(numbers(0), chosen, out=number)
        fresh, begin = 0, 2
    for k in range(begin, span.kernel):
        lo, hi = span.having(k)
        if hi <= lo:
            continue
        here = parts(k)
        if number is not None:
            candidate = number.dtype.type(k * width)
            if numbers is not None:
                candidate = numbers(k) + candidate
        if lo < fresh:  # the first place of these windows counts even if it is -inf
            target, source = along(axis, lo, min(hi, fresh)), along(axis, 0, min(hi, fresh) - lo)
            out[target] = here[source]
            if number is not None:
                number[target] = candidate if numbers is None else candidate[source]
        if max(lo, fresh) < hi:
            target, source = along(axis, max(lo, fresh), hi), along(axis, max(lo, fresh) - lo, None)
            new, old = here[source], out[target]
            if number is not None:
                chosen = _flags(_better(new, old, careful), number.dtype)
                chosen *= candidate if numbers is None else candidate[source]
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
    x = x[along(axis, span.start(first), span.start(span.kernel - 1) + 1, span.dilation)]
    out[...] = xp.max(x, axis=axis, keepdims=True)
    if number is None:
        return
    k = xp.expand_dims(xp.argmax(x, axis=axis), axis)
    if careful and x.dtype.kind == "f":
        last = x.shape[axis] - 1 - xp.expand_dims(xp.argmax(xp.flip(x != x, axis=axis), axis=axis), axis)
        k = xp.where(out != out, last, k)
    number[...] = (k + first) * width
    if inner is not None:
        number += xp.take_along_axis(inner[along(axis, span.start(first), None, span.dilation)], k, axis)


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
                flat = k.astype(np.int64) * span.out + xp.asarray(at[a])
                place = xp.take(xp.asarray(places_of(span).reshape(-1)), flat)
            out = out + place * steps[a]
    for some in (parts[:1], parts[1:]):  # what varies within a sample is small enough to be added up first
        if some:
            out += xp.asarray(sum(some))
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
    out = new_like(np, number, shape, y.dtype)
    few = all(s.tiles() for s in spans) and prod(s.kernel for s in spans) <= _FEW
    put = _put_tiles if few else _put_by_index
    in_pieces(out, number.ndim - len(spans), lambda key: put(y[key], number[key], spans, out[key]))
    return out


def _put_by_index(y, number, spans, out):
    order = memory_order(out)
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
        target[(..., *cut)] = np.bitwise_and(bits, mask.astype(kind))


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
