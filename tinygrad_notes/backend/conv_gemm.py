"""Convolution on the CPU as products of matrices: a few windows at a time are copied into a buffer that stays in the
cache (im2col), and multiplied. Memory is channels-last inside: (N, *S, C). Nothing is kept.

    R positions of y in a block   G groups   K taps times channels of a group
"""
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .memory import aligned_empty
from .slabs import Slabs, last, new, pieces, shape_of_pieces
from .threads import spread
from .windows import inner, seen_by

BLOCK = 1 << 16    # elements of a buffer of columns: 256 KiB of float32, which stay in a second-level cache
FEWEST = 256       # but so many rows, or the product is dominated by reading the weights
LARGEST = 1 << 21  # and never more elements than this
SHARES = 1 << 16   # elements of a buffer of shares in the gradient for x
SHORT_RUN = 16     # below this many elements in a row of the source, columns are copied tap by tap
PARTS = 8          # a gradient of the weights is summed in at most so many parts, whatever the number of threads


def rows_for(width, outputs):
    """Positions of a block of columns of `width` elements; the more, the larger the weights that each block reads."""
    most = max(1, LARGEST // max(width, 1))
    return min(most, max(FEWEST, BLOCK // max(width, 1), width * outputs >> 10))


def blocks(g, rows):
    """(n0, n1, r0, r1) of all blocks of about `rows` positions."""
    return pieces(g.batch, g.out[0], *shape_of_pieces(g.batch, g.out, rows))


class Columns:
    """The windows of a block as matrices (G, R, K): one object per thread."""

    def __init__(self, x, g, rows):
        samples, steps = shape_of_pieces(g.batch, g.out, rows)
        need = (steps - 1) * g.stride[0] + g.extent[0]
        self.slab, self.g = Slabs(x, [low for low, _ in g.padding], (need, *g.padded[1:]), samples), g
        self.part = g.channels // g.groups
        self.width = g.taps * self.part
        size = g.groups * self.width * samples * steps * (g.positions // g.out[0])
        self.buffer = aligned_empty((size,), x.dtype)
        # Windows of few channels are short runs in memory: then the positions are made the long axis.
        self.by_tap = self.part * (g.kernel[-1] if g.groups == 1 and g.dilation[-1] == 1 else 1) < SHORT_RUN

    def __call__(self, n0, n1, r0, r1):
        g = self.g
        slab = self.slab(n0, n1, r0 * g.stride[0], (r1 - r0 - 1) * g.stride[0] + g.extent[0])
        if g.taps == g.groups == 1:  # the windows are single elements: no copy if they are neighbours
            seen = slab[(slice(None), *[slice(None, None, s) for s in g.stride])]
            return seen.reshape(1, -1, self.width)
        each, *along, channel = slab.strides
        here = (n1 - n0, r1 - r0, *g.out[1:])
        steps = (each, *[a * s for a, s in zip(along, g.stride)])
        window, reach = (*g.kernel, self.part), (*[a * d for a, d in zip(along, g.dilation)], channel)
        size = g.groups * self.width * (n1 - n0) * (r1 - r0) * (g.positions // g.out[0])
        flat, group = self.buffer[:size], self.part * channel
        if self.by_tap:
            shape = (g.groups, *window, *here)
            flat.reshape(shape)[...] = as_strided(slab, shape, (group, *reach, *steps))
            return flat.reshape(g.groups, self.width, -1).transpose(0, 2, 1)
        shape = (g.groups, *here, *window)
        flat.reshape(shape)[...] = as_strided(slab, shape, (group, *steps, *reach))
        return flat.reshape(g.groups, -1, self.width)


def by_group(y, g):
    """A block (n, r, ..., O) of y as matrices (G, R, O / G); a view where its memory allows."""
    return y.reshape(-1, g.groups, g.outputs // g.groups).transpose(1, 0, 2)


def matrices(w, g):
    """(O, C / G, *K) -> (G, taps * C / G, O / G)"""
    apart = w.reshape(g.groups, g.outputs // g.groups, g.channels // g.groups, g.taps)
    return np.ascontiguousarray(apart.transpose(0, 3, 2, 1)).reshape(g.groups, -1, g.outputs // g.groups)


def forward(x, w, b, g):
    """y = w * x + b."""
    made, y = new(g.batch, g.outputs, g.out, x.dtype)
    weights = matrices(w, g)
    rows = rows_for(weights.shape[1], g.outputs)

    def work(those):
        columns = Columns(x, g, rows)
        for n0, n1, r0, r1 in those:
            piece = made[n0:n1, r0:r1]
            np.matmul(columns(n0, n1, r0, r1), weights, out=by_group(piece, g))
            if b is not None:
                piece += b
    spread(work, blocks(g, rows))
    return y


def to_input(y, w, g):
    """The gradient for x: tap by tap, every window's share is computed and added where it came from (col2im)."""
    made, x = new(g.batch, g.channels, g.size, y.dtype)
    part = g.channels // g.groups
    weights = matrices(w, g).reshape(g.groups, g.taps, part, -1).transpose(1, 0, 3, 2)  # (taps, G, O / G, C / G)
    samples = max(1, min(SHARES // (g.positions * g.channels), g.batch))
    source = last(y)
    if g.taps == 1 and g.size == g.padded == g.out:
        def work(those):
            for n in those:
                np.matmul(by_group(source[n:n + samples], g), weights[0],
                          out=made[n:n + samples].reshape(-1, g.groups, part).transpose(1, 0, 2))
        spread(work, range(0, g.batch, samples))
        return x

    def work(those):
        wide = aligned_empty((samples, *g.padded, g.groups, part), y.dtype)
        buffer = aligned_empty((samples * g.positions, g.groups, part), y.dtype)
        for n in those:
            m = min(n + samples, g.batch)
            piece, target = by_group(source[n:m], g), wide[:m - n]
            shares = buffer[:piece.shape[1]]
            target.fill(0)
            for tap, weight in zip(product(*map(range, g.kernel)), weights):
                np.matmul(piece, weight, out=shares.transpose(1, 0, 2))
                target[(slice(None), *seen_by(tap, g))] += shares.reshape(m - n, *g.out, g.groups, part)
            made[n:m] = target[(slice(None), *inner(g))].reshape(m - n, *g.size, g.channels)
    spread(work, range(0, g.batch, samples))
    return x


def to_weight(x, y, g):
    """The gradient for w: a sum over blocks, in a fixed number of parts that are added in their order."""
    part = g.channels // g.groups
    rows = rows_for(g.taps * part, g.outputs)
    every = blocks(g, rows)
    count = max(1, min(PARTS, len(every)))
    sums = aligned_empty((count, g.groups, g.taps * part, g.outputs // g.groups), y.dtype)
    source = last(y)

    def work(those):
        columns = Columns(x, g, rows)
        product_ = aligned_empty(sums.shape[1:], y.dtype)
        for k in those:
            out = sums[k]
            for n0, n1, r0, r1 in every[len(every) * k // count:len(every) * (k + 1) // count]:
                np.matmul(columns(n0, n1, r0, r1).transpose(0, 2, 1), by_group(source[n0:n1, r0:r1], g), out=out)
                if out is product_:
                    sums[k] += product_
                out = product_
    spread(work, range(count))
    total = sums.sum(0).reshape(g.groups, g.taps, part, -1)  # (G, taps, C / G, O / G) -> (O, C / G, *K)
    return np.ascontiguousarray(total.transpose(0, 3, 2, 1)).reshape(g.outputs, part, *g.kernel)
