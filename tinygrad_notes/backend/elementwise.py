"""Functions of two large arrays, element by element: in several threads, and channels-last where one of the two is."""
import numpy as np

from .kernels import kernel
from .memory import aligned_empty
from .threads import get_num_threads, spread

LARGE = 1 << 17  # from this many elements on, it pays to look
PIECE = 1 << 15


@kernel
def multiply(xp, x, y, out=None):
    """x * y."""
    if out is not None:
        return np.multiply(x, y, out=out)  # an array of another library answers with its own function
    return pairwise(np.multiply, x, y) if getattr(x, "size", 0) >= LARGE else x * y


@kernel(inline=True)
def rectify(xp, x):
    """max(x, 0) of floating numbers."""
    if not isinstance(x, np.ndarray):
        return xp.maximum(x, 0)
    if x.size < LARGE or get_num_threads() == 1:
        return xp.clip(x, 0, float("inf"))
    order = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
    turned = np.ascontiguousarray(x.transpose(order))
    given, out = turned.reshape(-1), aligned_empty((x.size,), x.dtype)

    def work(those):
        for i in those:
            np.clip(given[i:i + PIECE], 0, np.inf, out=out[i:i + PIECE])
    spread(work, range(0, x.size, PIECE))
    return out.reshape(turned.shape).transpose(np.argsort(order))


def pairwise(ufunc, x, y):
    """`ufunc(x, y)`. Where x and y have one shape (N, C, ...), samples are shared out among the threads.

    Convolutions return arrays that lie channels-last in memory. Met by an array that lies row by row, NumPy would go
    through both in steps and return rows; here the result is channels-last again, so that what follows is fast.
    """
    if x.__class__ is not np.ndarray or y.__class__ is not np.ndarray or x.shape != y.shape or x.ndim < 3:
        return ufunc(x, y)
    lasts = _channels_last(x), _channels_last(y)
    rows = x.flags.c_contiguous, y.flags.c_contiguous
    if not all(a or b for a, b in zip(lasts, rows)) or (all(rows) or all(lasts)) and get_num_threads() == 1:
        return ufunc(x, y)
    last = any(lasts)
    if last:
        x, y = np.moveaxis(x, 1, -1), np.moveaxis(y, 1, -1)
    out = aligned_empty(x.shape, ufunc(x[:1, :1], y[:1, :1]).dtype)

    def work(those):
        for n in those:
            ufunc(np.ascontiguousarray(x[n]), np.ascontiguousarray(y[n]), out=out[n])
    spread(work, range(len(x)))
    return np.moveaxis(out, -1, 1) if last else out


def _channels_last(x):
    return not x.flags.c_contiguous and np.moveaxis(x, 1, -1).flags.c_contiguous
