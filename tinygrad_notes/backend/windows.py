"""The geometry of convolution, and windows cut out of arrays: the same code for every array library.

    N batch   C channels of x   O channels of y   G groups   S sizes of x   K sizes of the kernel   R positions of y
"""
from __future__ import annotations

import math
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from .kernels import kernel


class Windows(NamedTuple):
    """Where the windows of a convolution lie; all but the counts are tuples, one entry per spatial axis."""

    batch: int
    channels: int
    outputs: int
    groups: int
    size: tuple[int, ...]
    kernel: tuple[int, ...]
    out: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]

    @property
    def extent(self):
        """How far a window reaches, gaps included."""
        return tuple([d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation)])

    @property
    def padded(self):
        """Sizes of x with its border."""
        return tuple([n + before + after for n, (before, after) in zip(self.size, self.padding)])

    @property
    def taps(self):
        """Number of elements of a window in one channel."""
        return math.prod(self.kernel)

    @property
    def positions(self):
        """Number of windows in one sample."""
        return math.prod(self.out)


def output_size(n: int, k: int, stride: int, before: int, after: int, dilation: int) -> int:
    """floor((n + before + after - dilation (k - 1) - 1) / stride) + 1; not positive where no window fits."""
    return (n + before + after - dilation * (k - 1) - 1) // stride + 1


@lru_cache(1024)
def windows(x_shape, w_shape, stride, padding, dilation, groups):
    """The `Windows` of a convolution of x (N, C, *S) with w (O, C / groups, *K).

    Raises:
        ValueError: the shapes do not fit each other, or no window fits into x.
    """
    axes = len(stride)
    if len(x_shape) != axes + 2 or len(w_shape) != axes + 2:
        raise ValueError(f"expected input and weight of {axes + 2} axes, (N, C, ...) and (O, C / groups, ...), got "
                         f"shapes {tuple(x_shape)} and {tuple(w_shape)}")
    (n, c, *size), (o, part, *sizes) = x_shape, w_shape
    if c != part * groups:
        raise ValueError(f"weight {tuple(w_shape)} with groups={groups} expects an input of {part * groups} channels, "
                         f"got {c}: input {tuple(x_shape)}")
    if o % groups:
        raise ValueError(f"groups={groups} must divide the {o} output channels of weight {tuple(w_shape)}")
    out = [output_size(m, k, s, *p, d) for m, k, s, p, d in zip(size, sizes, stride, padding, dilation)]
    if min(out) < 1:
        reach = [d * (k - 1) + 1 for k, d in zip(sizes, dilation)]
        room = [m + before + after for m, (before, after) in zip(size, padding)]
        raise ValueError(f"the kernel reaches over {_times(reach)} elements, but the padded input has only "
                         f"{_times(room)}: input {tuple(x_shape)}, weight {tuple(w_shape)}")
    return Windows(n, c, o, groups, tuple(size), tuple(sizes), tuple(out), stride, padding, dilation)


def _times(sizes):
    return " x ".join(map(str, sizes))


def inner(g):
    """The slices of x within its border."""
    return tuple([slice(before, before + n) for n, (before, _) in zip(g.size, g.padding)])


def seen_by(tap, g):
    """The slices of the elements that one element of the window meets as it goes over the padded x."""
    return tuple([slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in zip(tap, g.dilation, g.out, g.stride)])


@kernel
def unfold_windows(xp, x, g):
    """(N, C, *S) -> (N, C, *K, *out): every window of x."""
    if any(map(any, g.padding)):
        wide = xp.zeros((*x.shape[:2], *g.padded), dtype=x.dtype)
        wide[(slice(None), slice(None), *inner(g))] = x
        x = wide
    out = xp.empty((*x.shape[:2], *g.kernel, *g.out), dtype=x.dtype)
    every = (slice(None), slice(None))
    for tap in product(*map(range, g.kernel)):
        out[every + tap] = x[every + seen_by(tap, g)]
    return out


@kernel
def fold_windows(xp, y, g):
    """(N, C, *K, *out) -> (N, C, *S): the transpose of `unfold_windows`; elements that meet are added."""
    wide = xp.zeros((*y.shape[:2], *g.padded), dtype=y.dtype)
    every = (slice(None), slice(None))
    for tap in product(*map(range, g.kernel)):
        wide[every + seen_by(tap, g)] += y[every + tap]
    return wide[every + inner(g)]


# Convolution by these two and a product per group: the way on a GPU, and for data types without fast products --------
def _matrix(xp, w, g):
    """(O, C / G, *K) -> (G, O / G, C / G * taps)"""
    return xp.reshape(w, (g.groups, g.outputs // g.groups, g.channels // g.groups * g.taps))


def _columns(xp, x, g):
    """(N, C, *S) -> (N, G, C / G * taps, R)"""
    return xp.reshape(xp.unfold_windows(x, g), (g.batch, g.groups, g.channels // g.groups * g.taps, g.positions))


def _grouped(xp, y, g):
    """(N, O, *out) -> (N, G, O / G, R)"""
    return xp.reshape(y, (g.batch, g.groups, g.outputs // g.groups, g.positions))


def plain_forward(xp, x, w, b, g):
    y = xp.reshape(xp.matmul(_matrix(xp, w, g), _columns(xp, x, g)), (g.batch, g.outputs, *g.out))
    return y if b is None else y + xp.reshape(b, (g.outputs, *[1] * len(g.out)))


def plain_to_input(xp, y, w, g):
    columns = xp.matmul(xp.matrix_transpose(_matrix(xp, w, g)), _grouped(xp, y, g))
    return xp.fold_windows(xp.reshape(columns, (g.batch, g.channels, *g.kernel, *g.out)), g)


def plain_to_weight(xp, x, y, g):
    each = xp.matmul(_grouped(xp, y, g), xp.matrix_transpose(_columns(xp, x, g)))  # (N, G, O / G, C / G * taps)
    return xp.reshape(xp.sum(each, axis=0), (g.outputs, g.channels // g.groups, *g.kernel))
