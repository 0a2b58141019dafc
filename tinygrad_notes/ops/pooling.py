"""Windows that slide along the last axes: their largest elements and their sums, each with its transpose.

Which element of a window is the largest is a small integer that the forward pass notes. The gradient puts `g` back
there, and taking from there is the transpose of that: all orders follow.
"""
import math

import numpy as np

from ..autograd import Tensor, adjoint, is_grad_enabled, joint, primitive
from ..backend import float32
from ..backend.spans import Span, Uneven
from .index import _take_along_axis
from .reduce import mean
from .scatter import LAST, _put_transpose
from .shape import reshape

__all__ = []

_largest = primitive("window_values", lambda xp, x, *, spans: xp.window_max(x, spans, False)[0], kind="reduce",
                     differentiable=False)
_largest_and_number = joint(
    "max_windows", lambda xp, x, *, spans: xp.window_max(x, spans, True),
    lambda xp, g, x_shape, out, spans: (xp.put_windows(g[0], out[1], spans=spans, shape=x_shape),),
    kind="reduce", outputs=2)
_place = primitive("places_in_plane", lambda xp, number, *, spans: xp.window_places(number, spans), kind="gather",
                   differentiable=False)
_take, _put = adjoint(
    "take_windows", lambda xp, x, number, *, spans: xp.window_take(x, number, spans),
    "put_windows", lambda xp, y, number, *, spans, shape: xp.window_put(y, number, spans, shape), kind="gather")
_sum, _spread = adjoint(
    "sum_windows", lambda xp, x, *, spans: xp.window_sum(x, spans),
    "spread_windows", lambda xp, y, *, spans, shape: xp.window_spread(y, spans), kind="reduce", transpose_kind="gather")


# Where the windows lie --------------------------------------------------------------------
def sliding(name, sizes, kernel, stride, padding, dilation, ceil_mode):
    """The `Span`s of windows over axes of these sizes, all arguments one per axis.

    Raises:
        ValueError: the border is wider than half a window, or no window fits.
    """
    spans = []
    for n, k, s, p, d in zip(sizes, kernel, stride, padding, dilation):
        if 2 * p > k:
            raise ValueError(f"{name}: padding: expected at most half of kernel_size {kernel}, got {padding}")
        room = n + 2 * p - d * (k - 1) - 1
        count = (room + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (count - 1) * s >= n + p:
            count -= 1  # the last window would begin behind the input and its first border
        if count < 1:
            raise ValueError(f"{name}: windows of kernel_size={kernel} with padding={padding} and dilation={dilation} "
                             f"do not fit into an input of size {tuple(sizes)}")
        spans.append(Span(n, count, k, s, d, p))
    if any(not _occupied(span) for span in spans):
        raise ValueError(f"{name}: with kernel_size={kernel}, padding={padding} and dilation={dilation} some window "
                         f"has no element of an input of size {tuple(sizes)}")
    return tuple(spans)


def _occupied(span):
    """Whether every window has an element: those that begin in the border before might have none."""
    starts = range(-span.before, min(0, span.out * span.stride - span.before), span.stride)
    return all(start % span.dilation < span.size and start % span.dilation <= start + span.dilation * (span.kernel - 1)
               for start in starts)


def sharing(sizes, counts):
    """The windows that share axes of these sizes out into `counts` parts each, as even as can be."""
    return tuple([Span(n, m, n // m, n // m) if m and n % m == 0 else Uneven(n, m) for n, m in zip(sizes, counts)])


# Pooling -----------------------------------------------------------------------------------
def largest(x, spans, return_indices=False):
    """The largest element of each window and, if asked for, its place in the plane of the last axes."""
    if not return_indices and not (x.requires_grad and is_grad_enabled()):
        return _largest(x, spans=spans)
    out, number = _largest_and_number(x, spans=spans)
    return (out, _place(number, spans=spans)) if return_indices else out


def total(x, spans):
    """The sum of each window."""
    return _sum(x, spans=spans)


def repeated(x, spans):
    """Each element on all places of its window: the transpose of `total`."""
    return _spread(x, spans=spans, shape=x.shape[:-len(spans)] + tuple([s.size for s in spans]))


def average(x, spans, count_include_pad=True, divisor=None):
    """The sum of each window over the number of its elements, border included or not, or over `divisor`."""
    if all(s.out == 1 and s.kernel == s.size and s.whole(s.kernel - 1) for s in spans) and divisor is None:
        return mean(x, tuple(range(x.ndim - len(spans), x.ndim)), keepdims=True)
    wide = x.astype(float32) if x.dtype.itemsize < 4 else x  # sums of float16 lose too much
    sizes = divisor or _sizes(spans, count_include_pad)
    if not isinstance(sizes, (int, float)):
        sizes = Tensor(sizes.astype(wide.dtype if wide.dtype.kind == "f" else float32), device=x.device)
    out = _sum(wide, spans=spans) / sizes
    return out if wide is x else out.astype(x.dtype)


def _sizes(spans, count_include_pad):
    """How many elements each window has: a number, or an array of the counts of windows where they differ."""
    lines = []
    for s in spans:
        start = np.arange(s.out) * s.stride - s.before
        end = np.minimum(start + s.kernel, s.size + s.before)
        lines.append(end - start if count_include_pad else np.minimum(end, s.size) - np.maximum(start, 0))
    if all((line == line[0]).all() for line in lines):
        return math.prod(int(line[0]) for line in lines)
    grid = np.ones(())
    for line in lines:
        grid = grid[..., None] * line
    return grid


# By place ----------------------------------------------------------------------------------
def _planes(x, axes):
    return reshape(x, x.shape[:x.ndim - axes] + (math.prod(x.shape[x.ndim - axes:]),))


def pick(x, places, axes):
    """The elements of the planes of the last axes at flat `places` (..., *counts)."""
    found = _take_along_axis(_planes(x, axes), _planes(places, axes), axis=places.ndim - axes, unique=False)
    return reshape(found, places.shape)


def scattered(x, places, sizes):
    """Planes of these sizes with `x` at flat `places`, zero elsewhere; of several at one place the last stays."""
    values, places = _planes(x, len(sizes)), _planes(places, len(sizes))
    shape = values.shape[:-1] + (math.prod(sizes),)
    out = _put_transpose(values, places, axis=values.ndim - 1, shape=shape, unique=LAST)
    return reshape(out, shape[:-1] + tuple(sizes))


# Windows at random places --------------------------------------------------------------------
def _fractional_forward(xp, x, samples, *, kernel, counts):
    return xp.window_places_at(x, samples, kernel, counts)


fractional_places = primitive("fractional_places", _fractional_forward, kind="reduce", differentiable=False)
