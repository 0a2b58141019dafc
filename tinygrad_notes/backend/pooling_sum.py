"""The sums of windows that slide along the last axes of an array, and the transpose: elements spread over windows."""
from .kernels import kernel
from .spans import Parts, along, cut, in_pieces, new_like, resized


def _through(xp, x, axes, step, spread, shape):
    """`step` for one axis after the other; the last writes into the result."""
    lead = x.ndim - len(axes)
    out = new_like(xp, x, shape)

    def work(key):
        source = x[key]
        for axis, span in axes[:-1]:
            target = new_like(xp, source, resized(source, axis, span.size if spread else span.out))
            step(xp, source, axis, span, target)
            source = target
        step(xp, source, *axes[-1], out[key])

    in_pieces(out if spread else x, lead, work)
    return out


@kernel
def window_sum(xp, x, spans):
    """The sum of each window over the last axes."""
    lead = x.ndim - len(spans)
    return _through(xp, x, [*enumerate(spans, lead)], _sum_along, False,
                    x.shape[:lead] + tuple(s.out for s in spans))


def _sum_along(xp, x, axis, span, out):
    if span.out == 1 and span.kernel > 2:
        out[...] = xp.sum(x[_places(axis, span)], axis=axis, keepdims=True)
        return
    whole, parts = [k for k in range(span.kernel) if span.whole(k)][:2], Parts(xp, x, axis, span, 1)
    if len(whole) == 2:
        xp.add(*[parts(k) for k in whole], out=out)
    else:
        out[...] = parts(whole[0]) if whole else 0
    for k in range(span.kernel):
        lo, hi = span.having(k)
        if k not in whole and lo < hi:
            target = out[along(axis, lo, hi)]
            xp.add(target, parts(k), out=target)


def _places(axis, span):
    """The slice of the places of a window that is the only one."""
    first = next(k for k in range(span.kernel) if span.start(k) >= 0)
    return along(axis, span.start(first), span.start(span.kernel - 1) + 1, span.dilation)


@kernel
def window_spread(xp, y, spans):
    """The transpose of `window_sum`: each element of `y` added to all places of its window."""
    lead = y.ndim - len(spans)
    return _through(xp, y, [*enumerate(spans, lead)][::-1], _spread_along, True,
                    y.shape[:lead] + tuple(s.size for s in spans))


def _spread_along(xp, y, axis, span, out):
    if span.out == 1:
        out[...] = 0
        out[_places(axis, span)] = y
        return
    begin = span.stride if span.dilation == 1 and span.kernel >= span.stride else 0
    for k in range(begin):  # these places make up the whole axis, each once
        line = out[along(axis, span.start(k) % span.stride, None, span.stride)]
        lo, hi = span.having(k)
        first = (lo * span.stride + span.start(k)) // span.stride
        line[along(axis, 0, first)] = 0
        line[along(axis, first, first + hi - lo)] = y[along(axis, lo, hi)]
        line[along(axis, first + hi - lo, None)] = 0
    if not begin:
        out[...] = 0
    for k in range(begin, span.kernel):
        lo, hi = span.having(k)
        if lo < hi:
            place = out[cut(axis, span, k)]
            xp.add(place, y[along(axis, lo, hi)], out=place)
