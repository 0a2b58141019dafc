"""Windows that slide along an axis of an array, and arrays handled in the order of their memory.

Windows over several axes are rectangular, so everything is done one axis at a time on strided views: k x k places cost
2k passes. Results lie in memory as what they come from (NCHW or NHWC alike).
"""
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .threads import get_num_threads, spread

_NEAR = 256  # bytes: elements with a step along an axis up to this lie near each other
_PIECE = 1 << 20  # bytes of an array that one thread works on at a time: they stay in its cache


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

    @lru_cache(maxsize=4096)  # noqa: B019 (of tuples)
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
        return places_of(self).shape[0]

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
def places_of(span):
    """(kernel, count): the places of the windows of an `Uneven`."""
    o = np.arange(span.out)
    first, end = o * span.size // span.out, -(-(o + 1) * span.size // span.out)
    return np.minimum(first + np.arange((end - first).max())[:, None], end - 1)


# Arrays in the order of their memory --------------------------------------------------------
def memory_order(x):
    """The axes from the one with the longest step in memory to that with the shortest."""
    return sorted(range(x.ndim), key=lambda a: -abs(x.strides[a]))


def new_like(xp, x, shape, dtype=None):
    """An array of this shape whose axes lie in memory as those of `x`."""
    return xp.empty_like(x, dtype=dtype, shape=shape)


def in_pieces(x, lead, work):
    """Run `work(key)` for pieces x[key], cut along one of the first `lead` axes, in several threads if `x` is large."""
    if x.nbytes < 2 * _PIECE or not lead:
        return work(...)
    axis = memory_order(x)[0]
    n, threads = x.shape[axis], get_num_threads()
    many = min(-(-x.nbytes // (_PIECE * threads)) * threads, n)
    if axis >= lead or many < 2:
        return work(...)

    def each(those):
        for key in those:
            work(key)

    return spread(each, [along(axis, n * i // many, n * (i + 1) // many) for i in range(many)])


def take_in_order(xp, x, places, axis):
    """`xp.take` whose result lies in memory as `x` does."""
    if not isinstance(x, np.ndarray) or x.flags.c_contiguous:
        return xp.take(x, xp.asarray(places), axis=axis)
    order = memory_order(x)
    return np.take(x.transpose(order), places, axis=order.index(axis)).transpose(np.argsort(order))


def along(axis, *cut):
    return (slice(None),) * axis + (slice(*cut),)


class Parts:
    """What stands at the k-th places of the windows along one axis that have one: `parts(k)`, an array to be read.

    NumPy copies elements that lie apart several times faster than it computes with them. So where windows step over
    elements that are near each other in memory, the array is first taken apart into its phases.

    Args:
        uses: how often each part is going to be read.
    """

    def __init__(self, xp, x, axis, span, uses):
        self.xp, self.x, self.axis, self.span, self.phases = xp, x, axis, span, None
        if span.__class__ is Span and span.stride > 1 and span.kernel * uses > 2 and isinstance(x, np.ndarray) \
                and abs(x.strides[axis]) <= _NEAR:
            self.phases = {}

    def __call__(self, k):
        span, axis = self.span, self.axis
        if span.__class__ is Uneven:
            return take_in_order(self.xp, self.x, places_of(span)[k], axis)
        if self.phases is None:
            return self.x[cut(axis, span, k)]
        phase = span.start(k) % span.stride
        found = self.phases.get(phase)
        if found is None:
            apart = self.x[along(axis, phase, None, span.stride)]
            found = self.phases[phase] = np.empty_like(apart)
            found[...] = apart
        lo, hi = span.having(k)
        first = lo + span.start(k) // span.stride
        return found[along(axis, first, first + hi - lo)]


@lru_cache(maxsize=4096)
def cut(axis, span, k):
    """The key of the k-th places of those windows of a `Span` that have one."""
    lo, hi = span.having(k)
    first = lo * span.stride + span.start(k)
    return along(axis, first, first + (hi - lo - 1) * span.stride + 1, span.stride)


def resized(x, axis, n):
    return (*x.shape[:axis], n, *x.shape[axis + 1:])
