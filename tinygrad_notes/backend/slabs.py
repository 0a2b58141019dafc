"""Pieces of a batch on the CPU, channels last, with a border of zeros: what the kernels of convolution read from."""
import numpy as np

from .memory import aligned_empty


def last(x):
    """(N, C, *S) -> (N, *S, C), a view."""
    return np.moveaxis(x, 1, -1)


def new(batch, channels, sizes, dtype):
    """An array (N, *sizes, C) for a result, and the view (N, C, *sizes) of it that is handed out."""
    made = aligned_empty((batch, *sizes, channels), dtype)
    return made, np.moveaxis(made, -1, 1)


class Slabs:
    """Samples n0 to n1 of x (N, C, *S), `need` rows of the first axis from `begin` on, with zeros where x has none.

    Args:
        x: (N, C, *S).
        before: zeros in front of x along each axis.
        sizes: sizes of a slab along each axis, zeros included; along the first axis the most that is asked for.
        samples: the most that is asked for.

    One object per thread: what it returns is overwritten by the next call.
    """

    def __init__(self, x, before, sizes, samples):
        self.x, self.before = last(x), before
        shape = self.x.shape
        self.bare = not any(before) and sizes[1:] == shape[2:-1] and self.x.flags.c_contiguous
        self.sizes, self.samples, self.buffer, self.room = sizes, samples, None, None
        self.inner = tuple([slice(low, low + n) for low, n in zip(before[1:], shape[2:-1])])

    def __call__(self, n0, n1, begin, need):
        x = self.x
        begin -= self.before[0]
        if self.bare and begin + need <= x.shape[1]:
            return x[n0:n1, begin:begin + need]
        if self.buffer is None:  # the border along the other axes is zero once and for all
            self.buffer = aligned_empty((self.samples, *self.sizes, x.shape[-1]), x.dtype)
            self.buffer.fill(0)
            self.room = self.buffer.base
        slab = self.buffer[:n1 - n0, :need]
        low, high = min(max(-begin, 0), need), max(min(x.shape[1] - begin, need), 0)
        if low:
            slab[:, :low] = 0
        if high < need:
            slab[:, high:] = 0
        if high > low:
            slab[(slice(None), slice(low, high), *self.inner)] = x[n0:n1, begin + low:begin + high]
        return slab


def pieces(batch, along, samples, steps):
    """(n0, n1, r0, r1) of all pieces: at most `samples` samples, and `steps` of the `along` rows of the first axis."""
    return [(n, min(n + samples, batch), r, min(r + steps, along))
            for n in range(0, batch, samples) for r in range(0, along, steps)]


def shape_of_pieces(batch, sizes, wanted):
    """How many samples, and rows along the first axis, make about `wanted` elements: one of them is 1 or all."""
    line = int(np.prod(sizes[1:]))
    whole = line * sizes[0]
    if wanted >= 2 * whole:
        return max(1, min(wanted // whole, batch)), sizes[0]
    count = -(-whole // max(wanted, line))
    return 1, -(-sizes[0] // count)
