"""Convolution of each channel by itself: as many multiply-adds of shifted arrays as the kernel has elements.

    M outputs per channel   P positions along the last axis
"""
from itertools import product

import numpy as np

from .memory import aligned_empty
from .slabs import Slabs, last, new, pieces, shape_of_pieces
from .threads import spread
from .windows import inner, seen_by

BLOCK = 1 << 15  # elements of a piece: it, its sum and the product of the two stay in the cache
PARTS = 8        # a gradient of the weights is summed in at most so many parts, whatever the number of threads


def suits(g):
    """Whether every channel is a group of its own."""
    return g.groups == g.channels > 1


class Pieces:
    """A cut of the batch, and what each element of the kernel meets in a piece of x."""

    def __init__(self, x, g):
        self.x, self.g = x, g
        self.samples, self.steps = shape_of_pieces(g.batch, g.out, max(1, BLOCK // g.channels))
        self.all = pieces(g.batch, g.out[0], self.samples, self.steps)

    def reader(self):
        """A function of a piece: [(tap, a view (n, r, ..., C))]. One for each thread."""
        g, need = self.g, (self.steps - 1) * self.g.stride[0] + self.g.extent[0]
        slab = Slabs(self.x, [low for low, _ in g.padding], (need, *g.padded[1:]), self.samples)

        def read(n0, n1, r0, r1):
            found = slab(n0, n1, r0 * g.stride[0], (r1 - r0 - 1) * g.stride[0] + g.extent[0])
            here = g._replace(out=(r1 - r0, *g.out[1:]))
            return [(tap, found[(slice(None), *seen_by(tap, here))]) for tap in product(*map(range, g.kernel))]
        return read

    def scratch(self):
        """An array for a piece of results of one output per channel."""
        return aligned_empty((self.samples, self.steps, *self.g.out[1:], self.g.channels), self.x.dtype)


def _each(w, g):
    """(C M, 1, *K) -> (M, *K, P, C), the same at every place: NumPy goes through long equal rows fastest."""
    each = np.moveaxis(w.reshape(g.channels, -1, *g.kernel), 0, -1)  # (M, *K, C)
    if len(g.kernel) == 1:
        return np.ascontiguousarray(each)
    return np.repeat(each[..., None, :], g.out[-1], axis=-2)


def forward(x, w, b, g):
    """y = w * x + b."""
    made, y = new(g.batch, g.outputs, g.out, x.dtype)
    weights, cut = _each(w, g), Pieces(x, g)

    def work(those):
        read, total, share = cut.reader(), cut.scratch(), cut.scratch()
        for n0, n1, r0, r1 in those:
            seen, piece = read(n0, n1, r0, r1), made[n0:n1, r0:r1]
            apart = piece.reshape(*piece.shape[:-1], g.channels, -1)
            t, s = total[:n1 - n0, :r1 - r0], share[:n1 - n0, :r1 - r0]
            for m, weight in enumerate(weights):
                np.multiply(seen[0][1], weight[seen[0][0]], out=t)
                for tap, view in seen[1:]:
                    t += np.multiply(view, weight[tap], out=s)
                apart[..., m] = t
            if b is not None:
                piece += b
    spread(work, cut.all)
    return y


def to_input(y, w, g):
    """The gradient for x."""
    made, x = new(g.batch, g.channels, g.size, y.dtype)
    weights, source = _each(w, g), last(y)

    def work(those):
        wide = aligned_empty((*g.padded, g.channels), y.dtype)
        share = aligned_empty((*g.out, g.channels), y.dtype)
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
    cut = Pieces(x, g)
    count = max(1, min(PARTS, len(cut.all)))
    sums = np.zeros((count, g.outputs // g.channels, *g.kernel, g.channels), y.dtype)
    source = last(y)

    def work(those):
        read, share = cut.reader(), cut.scratch()
        for k in those:
            for n0, n1, r0, r1 in cut.all[len(cut.all) * k // count:len(cut.all) * (k + 1) // count]:
                piece, s = source[n0:n1, r0:r1], share[:n1 - n0, :r1 - r0]
                apart = piece.reshape(*piece.shape[:-1], g.channels, -1)
                ones = np.ones(s.size // g.channels, s.dtype)
                seen = read(n0, n1, r0, r1)
                for m in range(sums.shape[1]):
                    given = np.ascontiguousarray(apart[..., m])
                    for tap, view in seen:
                        np.multiply(view, given, out=s)
                        sums[(k, m, *tap)] += ones @ s.reshape(-1, g.channels)
    spread(work, range(count))
    return np.ascontiguousarray(np.moveaxis(sums.sum(0), -1, 0)).reshape(g.outputs, 1, *g.kernel)
