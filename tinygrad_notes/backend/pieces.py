"""Large host arrays cut into pieces that stay in the cache, for arithmetic with one number per channel or row.

NumPy broadcasts such numbers several times slower than it adds arrays of equal shape, and a pass through memory costs
more than the arithmetic. So the numbers are spread out first, and all that is to be done to a piece is done at once.
Sums are products with a vector of ones. The order of the memory is kept: an array (N, C, H, W) that lies in memory as
(N, H, W, C), as convolutions return it, gives such an array again.
"""
import numpy as np

from .memory import aligned_empty
from .threads import spread as in_threads

PIECE = 1 << 17  # bytes: a few such pieces fit into the second-level cache of a CPU


LONG = 64  # runs of so many elements are multiplied by themselves one by one
MANY = 6  # from so many pieces on it pays to wake other threads


def work_on(work, count):
    """`work(those)` with iterators over range(count), in several threads where there are many."""
    if count < MANY:
        work(range(count))
    else:
        in_threads(work, range(count))


class Channels:
    """An array (N, C, ...) in the order of its memory, cut into pieces, each for a run of channels.

    Args:
        x: floating, (N, C, ...).
        shape: x seen as (N, G, D, S): samples, groups of D channels, places.
        each: every channel of every sample counts as one of its own: `count` is N * C, else C.
    """

    def __init__(self, x, shape, each):
        self.samples, self.groups, self.width, places = shape
        self.channels, self.shape, self.size, self.dtype = self.groups * self.width, x.shape, x.size, x.dtype
        self.last = not x.flags.c_contiguous and x.ndim > 2 and np.moveaxis(x, 1, -1).flags.c_contiguous
        self.run = 1 if self.last else places  # elements of one channel that lie side by side
        self.each, self.count = each, self.samples * self.channels if each else self.channels
        self.step = max(1, PIECE // x.dtype.itemsize)

    # Arrays -----------------------------------------------------------------------------------
    def flat(self, x):
        """All elements in the order of the memory; a copy where `x` lies otherwise."""
        return np.ascontiguousarray(np.moveaxis(x, 1, -1) if self.last else x).reshape(-1)

    def shaped(self, flat):
        """The inverse of `flat`."""
        if not self.last:
            return flat.reshape(self.shape)
        return np.moveaxis(flat.reshape((self.shape[0], *self.shape[2:], self.shape[1])), -1, 1)

    def pieces(self):
        """Yield (channels, places): a slice of the channels, and the slices of the flat array where they lie."""
        if not (self.each and self.last):
            yield from self._pieces(0, self.size, self.count)
            return
        size = self.size // self.samples
        for n in range(self.samples):
            first = n * self.channels
            for which, places in self._pieces(n * size, (n + 1) * size, self.channels):
                yield slice(first + which.start, first + which.stop), places

    def _pieces(self, start, stop, channels):
        period = channels * self.run
        if period <= self.step:  # as many whole periods as fit
            step = self.step // period * period
            yield slice(0, channels), [slice(k, min(k + step, stop)) for k in range(start, stop, step)]
            return
        few = max(1, self.step // self.run)
        for c in range(0, channels, few):
            end = min(c + few, channels)
            yield slice(c, end), [slice(k + c * self.run, k + end * self.run) for k in range(start, stop, period)]

    def piece(self, flat, place, which):
        """The piece of a flat array at `place`, as (periods, channels, run)."""
        return flat[place].reshape(-1, which.stop - which.start, self.run)

    def scratch(self):
        """Memory for one piece, to be used again and again by one thread."""
        return aligned_empty((max(self.step, self.run),), self.dtype)

    def tasks(self, *columns):
        """[(channels, place, numbers)]: each piece, and of each column (count,) its channels' numbers to meet it."""
        return [(which, place, numbers) for which, places in self.pieces()
                for numbers in ([self.spread(column[which], places) for column in columns],) for place in places]

    # One number per channel ---------------------------------------------------------------------
    def spread(self, numbers, places):
        """The numbers of some channels, to meet pieces at `places`: spread out where several make that pay.

        The last piece may have fewer periods than the others: it meets the first ones.
        """
        numbers = numbers.astype(self.dtype, copy=False)[None, :, None]
        if len(places) == 1:
            return numbers
        once = np.repeat(numbers[0, :, 0], self.run)
        out, n = aligned_empty((places[0].stop - places[0].start,), self.dtype), len(once)
        out[:n] = once
        while n < len(out):  # copies of copies: much faster than one small row at a time
            more = min(n, len(out) - n)
            out[n:n + more] = out[:more]
            n += more
        return out.reshape(-1, numbers.shape[1], self.run)

    def totals(self, piece):
        """The sum of each channel over a piece (periods, channels, run)."""
        periods, width, run = piece.shape
        if run == 1:
            return np.ones(periods, self.dtype) @ piece[:, :, 0]
        return (piece.reshape(-1, run) @ np.ones(run, self.dtype)).reshape(periods, width).sum(0)

    def squares(self, piece, scratch):
        """The sum of the squares of each channel over a piece."""
        if self.run < LONG:
            return self.totals(np.multiply(piece, piece, out=scratch[:piece.size].reshape(piece.shape)))
        return np.vecdot(piece, piece).sum(0)

    def expanded(self, statistics):
        """(1 or N, G, 1, 1) -> one number per channel, (count,)"""
        return np.repeat(statistics.reshape(-1), self.width)

    def repeated(self, vector):
        """(C,) -> one number per channel, (count,)"""
        return np.tile(vector, self.samples) if self.each else vector

    def grouped(self, column):
        """Sums over the channels of a group, given to each of them."""
        return np.repeat(column.reshape(-1, self.width).sum(1), self.width) if self.width > 1 else column

    def over_samples(self, column):
        """(count,) -> (C,)"""
        return column.reshape(-1, self.channels).sum(0) if self.each else column


class Rows:
    """An array (..., K) cut into pieces of whole rows.

    Args:
        x: floating.
        length: K.
    """

    def __init__(self, x, length):
        self.length, self.count, self.dtype = length, x.size // length, x.dtype

    @property
    def ones(self):
        """A row of ones."""
        return np.ones(self.length, self.dtype)

    @property
    def step(self):
        """How many rows a piece has."""
        return min(max(1, PIECE // (self.length * self.dtype.itemsize)), self.count)

    def flat(self, x):
        """(..., K) -> (count, K)"""
        return np.ascontiguousarray(x).reshape(self.count, self.length)

    def pieces(self):
        """Slices of the rows."""
        step = self.step
        return [slice(k, min(k + step, self.count)) for k in range(0, self.count, step)]

    def scratch(self):
        """An array of the size of a piece."""
        return aligned_empty((self.step, self.length), self.dtype)

    def new(self):
        """An array of the size of all."""
        return aligned_empty((self.count, self.length), self.dtype)

    def thin(self, size, first=None, second=None):
        """(size, 2): two columns or numbers side by side, None for zeros: a factor of a product that spreads numbers.

        A product of inner length two is as fast as a copy; of length one it is not.
        """
        out = np.zeros((size, 2), self.dtype)
        for k, column in enumerate((first, second)):
            if column is not None:
                out[:, k] = column
        return out
