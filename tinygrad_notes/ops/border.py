"""Borders around the last axes that continue what is inside, and the transpose: borders added to what they copy."""
from ..autograd import adjoint
from .index import _getitem
from .pad import _surround

__all__ = []


def _along(x, axis, *cut):
    return (slice(None),) * (x.ndim + axis) + (slice(*cut),)


def _borders(n, before, after, mode):
    """Per border of an axis of n elements: (its place, its width), and (start, step, count) of what it copies."""
    if mode == "replicate":
        sources = (0, 1, 1), (n - 1, 1, 1)
    elif mode == "circular":
        sources = (n - before, 1, before), (0, 1, after)
    else:
        sources = (before, -1, before), (n - 2, -1, after)
    return [pair for pair in zip(((0, before), (before + n, after)), sources) if pair[0][1]]


def _run(start, step, count, shift=0):
    stop = start + shift + step * count
    return start + shift, None if stop < 0 else stop, step


def _extend_forward(xp, x, *, widths, mode):
    sizes = x.shape[x.ndim - len(widths):]
    longer = tuple([before + n + after for n, (before, after) in zip(sizes, widths)])
    out = xp.empty_like(x, shape=x.shape[:x.ndim - len(widths)] + longer)
    out[(..., *[slice(before, before + n) for n, (before, _) in zip(sizes, widths)])] = x
    for axis, (before, after) in enumerate(widths, -len(widths)):
        for (first, width), source in _borders(x.shape[axis], before, after, mode):
            out[_along(out, axis, first, first + width)] = out[_along(out, axis, *_run(*source, before))]
    return out


def _extend_transpose(xp, y, *, widths, mode, shape):
    for axis in range(-1, -len(widths) - 1, -1):
        n, (before, after) = shape[axis], widths[axis]
        part = y[_along(y, axis, before, before + n)]
        inner = xp.empty_like(part)
        inner[...] = part
        for (first, width), source in _borders(n, before, after, mode):
            part = y[_along(y, axis, first, first + width)]
            if mode == "replicate":
                part = xp.sum(part, axis=axis, keepdims=True)
            place = _along(y, axis, *_run(*source))
            inner[place] = inner[place] + part
        y = inner
    return y


_extend, _fold_border = adjoint("extend", _extend_forward, "fold_border", _extend_transpose, kind="gather")


def extended(x, widths, mode):
    """`x` with (before, after) elements more along each of its last axes: "reflect", "replicate" or "circular"."""
    return _extend(x, widths=widths, mode=mode)


def cut(x, widths):
    """`x` without the elements that negative (before, after) widths name, along its last axes."""
    if not any(map(any, widths)):
        return x
    inner = [(-before, n + after, None) for n, (before, after) in zip(x.shape[x.ndim - len(widths):], widths)]
    return _getitem(x, key=(Ellipsis, *inner))


def surrounded(x, widths, value):
    """`x` with a border of `value` around its last axes; negative widths cut off."""
    x = cut(x, tuple([(min(before, 0), min(after, 0)) for before, after in widths]))
    value = value.item() if hasattr(value, "item") else value
    full = ((0, 0),) * (x.ndim - len(widths)) + tuple([(max(before, 0), max(after, 0)) for before, after in widths])
    return _surround(x, widths=full, value=value)
