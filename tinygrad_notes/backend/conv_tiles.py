"""Convolution by minimal filtering: of a tile of 6 x 6 numbers a 3 x 3 kernel makes 4 x 4 with 36 products, not 144.

    Formula: y = A^T [(G w) (B^T x)], each matrix applied along every axis; the sum over channels is a matrix product.

B evaluates a polynomial at five points and infinity, A interpolates. Any kernel of up to five elements along an axis
fits: k elements give 7 - k results per tile. With the points 0, +-5/8, +-3/2 the error in float32 is about twice that
of plain summation (root mean square 8e-7 of that of y, for 64 channels); with the usual 0, +-1, +-2 it is four times
as much.

Source: Winograd 1980; Lavin and Gray 2016, "Fast algorithms for convolutional neural networks"; Barabasz et al. 2020,
"Error analysis and improving the accuracy of Winograd convolution for deep neural networks".
"""
from functools import cache
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .memory import aligned_empty
from .slabs import Slabs, new, pieces, shape_of_pieces
from .threads import spread

POINTS = (0, 5 / 8, -5 / 8, 3 / 2, -3 / 2)
SIDE = len(POINTS) + 1
BLOCK = 1 << 17  # elements of a buffer of tiles: 512 KiB
FEWEST = 64      # but so many tiles, or the products are too small
PARTS = 8        # a gradient of the weights is summed in at most so many parts, whatever the number of threads


def suits(g, dtype):
    """Whether this way is open, and likely to be faster than products of columns.

    Measured: a number of a tile costs about as much as 70 multiplications on the way in and 30 on the way out, an
    element of a column 12; and at least 256 tiles must share the cost of transforming the weights.
    """
    if dtype != np.float32 or set(g.stride + g.dilation) != {1} or min(g.channels, g.outputs) < 8 * g.groups:
        return False
    if max(g.kernel) >= SIDE or max(g.kernel) == 1:
        return False
    tiles = prod(-(-n // (SIDE + 1 - k)) if k > 1 else n for n, k in zip(g.out, g.kernel))
    if g.batch * tiles < 256:
        return False
    c, o, pairs = g.channels, g.outputs, g.channels * g.outputs / g.groups
    here = tiles * prod(SIDE if k > 1 else 1 for k in g.kernel) * (pairs + 70 * c + 30 * o)
    return here < g.positions * g.taps * (1.2 * pairs + 12 * c)


def suits_to_input(g):
    """The same for the gradient for x, which is a convolution of its own; the other way adds up shares of x instead."""
    if any(max(pair) >= k for k, pair in zip(g.kernel, g.padding)):
        return False
    back = mirrored(g)
    return suits(back, np.float32) and 2 * prod(g.size) < 3 * g.positions


def mirrored(g):
    """The convolution that takes the cotangent to the gradient for x: inputs and outputs exchanged."""
    border = tuple([(k - 1 - low, k - 1 - high) for k, (low, high) in zip(g.kernel, g.padding)])
    return g._replace(channels=g.outputs, outputs=g.channels, size=g.out, out=g.size, padding=border)


@cache
def matrices(k):
    """B^T (6, 6), G (6, k) and A^T (7 - k, 6) for a kernel of k elements along an axis, in float32."""
    m = SIDE + 1 - k
    others = [[q for q in POINTS if q != p] for p in POINTS]
    scale = [prod(p - q for q in rest) for p, rest in zip(POINTS, others)]
    b = np.zeros((SIDE, SIDE))
    for row, roots in zip(b, [*others, POINTS]):  # coefficients of the product of x - root, lowest first
        row[:len(roots) + 1] = np.polynomial.polynomial.polyfromroots(roots)
    powers = np.vander(POINTS, max(k, m), increasing=True)
    g, a = np.zeros((SIDE, k)), np.zeros((m, SIDE))
    g[:-1], g[-1, -1] = powers[:, :k] / np.array(scale)[:, None], 1
    a[:, :-1], a[-1, -1] = powers[:, :m].T, 1
    return tuple([np.ascontiguousarray(part, np.float32) for part in (b, g, a)])


class Tiles:
    """How a convolution falls into tiles; an axis along which the kernel has one element is left as it is.

    Attributes:
        b, w, a: the matrices of each axis, or None.
        side, made: numbers of x, and of y, per tile and axis.
        count: tiles along each axis.
        samples, steps: most samples, and tiles along the first axis, that are worked on at once.
    """

    def __init__(self, g):
        self.g = g
        self.b, self.w, self.a = zip(*[matrices(k) if k > 1 else (None, None, None) for k in g.kernel])
        self.side = tuple([SIDE if k > 1 else 1 for k in g.kernel])
        self.made = tuple([s + 1 - k for s, k in zip(self.side, g.kernel)])
        self.count = tuple([-(-n // m) for n, m in zip(g.out, self.made)])
        wanted = max(FEWEST, BLOCK // (prod(self.side) * max(g.channels, g.outputs)))
        self.samples, self.steps = shape_of_pieces(g.batch, self.count, wanted)

    def pieces(self):
        """(n0, n1, t0, t1) of all pieces: samples, and tiles along the first axis."""
        return pieces(self.g.batch, self.count[0], self.samples, self.steps)

    def counts(self, piece):
        """Tiles of a piece along each axis."""
        return (piece[3] - piece[2], *self.count[1:])

    def buffers(self, channels, n):
        """`n` flat arrays with room for the tiles of a piece."""
        size = prod(self.side) * self.samples * self.steps * prod(self.count[1:]) * channels
        return [aligned_empty((size,), np.float32) for _ in range(n)]

    def reader(self, x, of_x):
        """A function of a piece: the numbers of x (or of y) in its tiles, a view (*side, n, *counts, C)."""
        g = self.g
        side, before = (self.side, [low for low, _ in g.padding]) if of_x else (self.made, [0] * len(g.out))
        over = [s - m for s, m in zip(side, self.made)]
        sizes = [n * m + extra for n, m, extra in zip((self.steps, *self.count[1:]), self.made, over)]
        slab, views = Slabs(x, before, tuple(sizes), self.samples), {}

        def read(piece):
            n0, n1, t0, t1 = piece
            found = slab(n0, n1, t0 * self.made[0], (t1 - t0) * self.made[0] + over[0])
            kept = (n1 - n0, t1 - t0) if found.base is slab.room else None  # the same memory every time
            if kept not in views:
                each, *along, channel = found.strides
                shape = (*side, n1 - n0, *self.counts(piece), found.shape[-1])
                strides = (*along, each, *[a * m for a, m in zip(along, self.made)], channel)
                views[kept] = as_strided(found, shape, strides, writeable=False)
            return views.pop(None) if kept is None else views[kept]
        return read

    def writer(self, y):
        """A function of a piece and its results (*made, n, *counts, O): they are written into y (N, *out, O)."""
        g, axes = self.g, len(self.made)
        exact = all(n == q * m for n, q, m in zip(g.out, self.count, self.made))
        sizes = [n * m for n, m in zip((self.steps, *self.count[1:]), self.made)]
        room = None if exact else np.empty((self.samples, *sizes, g.outputs), np.float32)
        order = (*range(2, 2 * axes + 1, 2), 0, *range(1, 2 * axes, 2), 2 * axes + 1)

        def write(piece, found, bias):
            n0, n1, t0, t1 = piece
            rows = slice(t0 * self.made[0], min(t1 * self.made[0], g.out[0]))
            target = y[n0:n1, rows] if exact else room[:n1 - n0, :(t1 - t0) * self.made[0]]
            apart = [size for pair in zip(self.counts(piece), self.made) for size in pair]
            target.reshape(n1 - n0, *apart, g.outputs).transpose(order)[...] = found
            if not exact:  # the last tiles reach over the end
                y[n0:n1, rows] = target[(slice(None), slice(rows.stop - rows.start), *[slice(n) for n in g.out[1:]])]
            if bias is not None:
                y[n0:n1, rows] += bias
        return write


def transformed(sides, how, one, two):
    """The matrices in `how` applied along their axes of (*sides, rest), which begins in the flat buffer `one`.

    `rest` is what is left over of the sizes. Both buffers are written. Returns (array (*sides, rest), free buffer).
    """
    (*sides, rest), buffer, spare = list(sides), one, two
    for axis, matrix in enumerate(how):
        if matrix is not None:
            lead, n, tail = prod(sides[:axis]), sides[axis], prod(sides[axis + 1:]) * rest
            sides[axis] = len(matrix)
            np.matmul(matrix, buffer[:lead * n * tail].reshape(lead, n, tail),
                      out=spare[:lead * len(matrix) * tail].reshape(lead, len(matrix), tail))
            buffer, spare = spare, buffer
    return buffer[:prod(sides) * rest].reshape(*sides, rest), spare


def loaded(view, how, one, two):
    """Tiles (*side, n, *counts, C) transformed: (points, tiles, C), and the free buffer."""
    axes, channels = len(how), view.shape[-1]
    one[:view.size].reshape(view.shape)[...] = view
    found, spare = transformed((*view.shape[:axes], prod(view.shape[axes:])), how, one, two)
    return found.reshape(prod(found.shape[:-1]), -1, channels), spare


def by_group(x, groups):
    """(points, tiles, C) -> (points, G, tiles, C / G), a view."""
    return x.reshape(*x.shape[:2], groups, -1).swapaxes(1, 2)


def weights_in_tiles(w, t):
    """(O, C / G, *K) -> (points, G, C / G, O / G)"""
    g, (outputs, part, *_) = t.g, w.shape
    flat = np.ascontiguousarray(np.moveaxis(w, (0, 1), (-1, -2))).reshape(-1)  # (*K, C / G, O)
    one, two = (np.empty(prod(t.side) * part * outputs, np.float32) for _ in range(2))
    one[:flat.size] = flat
    found, _ = transformed((*g.kernel, part * outputs), t.w, one, two)
    return np.ascontiguousarray(found.reshape(-1, part, g.groups, outputs // g.groups).swapaxes(1, 2))


def forward(x, w, b, g):
    """y = w * x + b, for stride 1 and dilation 1."""
    t = Tiles(g)
    made, y = new(g.batch, g.outputs, g.out, np.float32)
    weights = weights_in_tiles(w, t)

    def work(those):
        read, write = t.reader(x, True), t.writer(made)
        one, two = t.buffers(max(g.channels, g.outputs), 2)
        for piece in those:
            given, spare = loaded(read(piece), t.b, one, two)
            points, tiles, _ = given.shape
            products = spare[:points * tiles * g.outputs].reshape(points, tiles, g.outputs)
            np.matmul(by_group(given, g.groups), weights, out=by_group(products, g.groups))
            found, _ = transformed((*t.side, tiles * g.outputs), t.a, spare, one if spare is two else two)
            write(piece, found.reshape(*t.made, piece[1] - piece[0], *t.counts(piece), g.outputs), b)
    spread(work, t.pieces())
    return y


def to_weight(x, y, g):
    """The gradient for w, the transpose of `forward`: tiles of x times tiles of the cotangent, point by point."""
    t = Tiles(g)
    every = t.pieces()
    count = max(1, min(PARTS, len(every)))
    part, outputs = g.channels // g.groups, g.outputs // g.groups
    sums = aligned_empty((count, prod(t.side), g.groups, part, outputs), np.float32)
    up, down = [[None if m is None else np.ascontiguousarray(m.T) for m in how] for how in (t.a, t.w)]

    def work(those):
        read_x, read_y = t.reader(x, True), t.reader(y, False)
        for_x, for_y = t.buffers(g.channels, 2), t.buffers(g.outputs, 2)
        products = aligned_empty(sums.shape[1:], np.float32)
        for k in those:
            out = sums[k]
            for piece in every[len(every) * k // count:len(every) * (k + 1) // count]:
                given = by_group(loaded(read_x(piece), t.b, *for_x)[0], g.groups)
                back = by_group(loaded(read_y(piece), up, *for_y)[0], g.groups)
                np.matmul(given.swapaxes(-1, -2), back, out=out)
                if out is products:
                    sums[k] += products
                out = products
    spread(work, range(count))
    total = sums.sum(0)
    found, _ = transformed((*t.side, g.channels * outputs), down, total.reshape(-1), np.empty(total.size, np.float32))
    apart = found.reshape(g.taps, g.groups, part, outputs)  # -> (G, O / G, C / G, taps)
    return np.ascontiguousarray(apart.transpose(1, 3, 2, 0)).reshape(g.outputs, part, *g.kernel)


def to_input(y, w, g):
    """The gradient for x: the cotangent convolved with the kernel turned around, inputs and outputs exchanged."""
    apart = np.flip(w, tuple(range(2, w.ndim))).reshape(g.groups, -1, *w.shape[1:])
    return forward(y, apart.swapaxes(1, 2).reshape(g.channels, -1, *g.kernel), None, mirrored(g))
