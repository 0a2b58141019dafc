"""Convolution of each channel by itself: as many multiply-adds of shifted arrays as the kernel has elements."""
from itertools import product

import numpy as np

from .slabs import Slabs, last, new, pieces, shape_of_pieces
from .threads import spread
from .windows import inner, seen_by

BLOCK = 1 << 15  # elements of a piece: it, its sum and the product of the two stay in the cache
PARTS = 8        # a gradient of the weights is summed in at most so many parts, whatever the number of threads


def suits(g):
    """Whether every channel is a group of its own."""
    return g.groups == g.channels > 1


def _plan(x, g):
    samples, steps = shape_of_pieces(g.batch, g.out, max(1, BLOCK // g.channels))
    need = (steps - 1) * g.stride[0] + g.extent[0]
    slab = Slabs(x, [low for low, _ in g.padding], (need, *g.padded[1:]), samples)

    def read(n0, n1, r0, r1):
        """What each element of the kernel meets: (tap, a view (n, r, ..., C))."""
        found = slab(n0, n1, r0 * g.stride[0], (r1 - r0 - 1) * g.stride[0] + g.extent[0])
        here = g._replace(out=(r1 - r0, *g.out[1:]))
        return [(tap, found[(slice(None), *seen_by(tap, here))]) for tap in product(*map(range, g.kernel))]
    return read, pieces(g.batch, g.out[0], samples, steps)


def _each(w, g):
    """(C M, 1, *K) -> (M, *K, C): M outputs per channel."""
    apart = w.reshape(g.channels, -1, *g.kernel)
    return np.ascontiguousarray(np.moveaxis(apart, 0, -1))


def forward(x, w, b, g):
    """y = w * x + b."""
    made, y = new(g.batch, g.outputs, g.out, x.dtype)
    weights = _each(w, g)

    def work(those):
        read, _ = _plan(x, g)
        for n0, n1, r0, r1 in those:
            seen, piece = read(n0, n1, r0, r1), made[n0:n1, r0:r1]
            apart = piece.reshape(*piece.shape[:-1], g.channels, -1)
            total, share = np.empty(apart.shape[:-1], x.dtype), np.empty(apart.shape[:-1], x.dtype)
            for m, weight in enumerate(weights):
                total.fill(0)
                for tap, view in seen:
                    total += np.multiply(view, weight[tap], out=share)
                apart[..., m] = total
            if b is not None:
                piece += b
    spread(work, _plan(x, g)[1])
    return y


def to_input(y, w, g):
    """The gradient for x."""
    made, x = new(g.batch, g.channels, g.size, y.dtype)
    weights, source = _each(w, g), last(y)

    def work(those):
        wide = np.empty((*g.padded, g.channels), y.dtype)
        share = np.empty((*g.out, g.channels), y.dtype)
        for n in those:
            wide.fill(0)
            for m, weight in enumerate(weights):
                given = source[n].reshape(*g.out, g.channels, -1)[..., m]
                for tap in product(*map(range, g.kernel)):
                    wide[seen_by(tap, g)] += np.multiply(given, weight[tap], out=share)
            made[n] = wide[inner(g)]
    spread(work, range(g.batch))
    return x


def to_weight(x, y, g):
    """The gradient for w: a sum over pieces, in a fixed number of parts that are added in their order."""
    every = _plan(x, g)[1]
    count = max(1, min(PARTS, len(every)))
    sums = np.zeros((count, g.outputs // g.channels, *g.kernel, g.channels), y.dtype)
    source = last(y)

    def work(those):
        read, _ = _plan(x, g)
        for k in those:
            for n0, n1, r0, r1 in every[len(every) * k // count:len(every) * (k + 1) // count]:
                piece = source[n0:n1, r0:r1]
                apart = piece.reshape(*piece.shape[:-1], g.channels, -1)
                for tap, view in read(n0, n1, r0, r1):
                    for m in range(sums.shape[1]):
                        sums[(k, m, *tap)] += (view * apart[..., m]).reshape(-1, g.channels).sum(0)
    spread(work, range(count))
    return np.ascontiguousarray(np.moveaxis(sums.sum(0), -1, 0)).reshape(g.outputs, 1, *g.kernel)
