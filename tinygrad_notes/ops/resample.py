"""Resampling along the last axes: linear maps, each with its transpose."""
from ..autograd import adjoint
from ..backend import float32
from ..backend.resample import Resize
from ..backend.spans import Span
from .pooling import repeated

__all__ = []

_resample, _transpose = adjoint(
    "resample_axes", lambda xp, x, *, resizes: xp.resample(x, resizes, False),
    "resample_back", lambda xp, y, *, resizes, shape: xp.resample(y, resizes, True), kind="contraction")


def _wide(x, resizes):
    """Resampled in float32 at least."""
    if x.dtype.kind == "f" and x.dtype.itemsize >= 4:
        return _resample(x, resizes=resizes)
    out = _resample(x.astype(float32), resizes=resizes)
    return out.astype(x.dtype) if x.dtype.kind == "f" else out


def area(x, counts):
    """The means of windows that share the last axes out as evenly as can be."""
    sizes = x.shape[x.ndim - len(counts):]
    return _wide(x, tuple([Resize(n, m, "area", 0.0) if n != m else None for n, m in zip(sizes, counts)]))


def filtered(x, counts, kind, scales, align=False, antialias=False):
    """The last axes resampled to `counts` by a filter; `scales` as given by the user, or None per axis.

    An axis that keeps its size is left alone, whatever its scale, but not by the plain cubic filter (PyTorch).
    """
    resizes = []
    for n, m, scale in zip(x.shape[x.ndim - len(counts):], counts, scales):
        step = (n - 1) / (m - 1) if align and m > 1 else 0.0 if align else 1 / scale if scale else n / m
        same = n == m and (step == 1 or kind != "cubic" or antialias)
        resizes.append(None if same else Resize(n, m, kind, step, align, antialias))
    return _wide(x, tuple(resizes))


def nearest(x, counts, scales, exact):
    """The last axes resampled by copying the nearest element.

    In images an axis that keeps its size or doubles it does so evenly, whatever its scale (PyTorch, in mode "nearest").
    """
    if len(counts) == 2 and not exact:
        even = [m in (n, 2 * n) for n, m in zip(x.shape[x.ndim - 2:], counts)]
        scales = tuple([None if e else scale for e, scale in zip(even, scales)])
    sizes = x.shape[x.ndim - len(counts):]
    if all(m % n == 0 and (not scale or scale == m // n) for n, m, scale in zip(sizes, counts, scales)):
        return repeated(x, tuple([Span(m, n, m // n, m // n) for n, m in zip(sizes, counts)]))
    kind = "nearest-exact" if exact else "nearest"
    return _resample(x, resizes=tuple([Resize(n, m, kind, scale or 0.0) if n != m or scale else None
                                       for n, m, scale in zip(sizes, counts, scales)]))
