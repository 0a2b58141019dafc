"""x times its logistic function, with the slope, on large host arrays: in pieces that stay in the cache, on threads."""
import numpy as np

from .gelu import run


def forward_and_slope(x, exact, exact_slope):
    """x s and s (1 + x - x s), s = 1 / (1 + e^-x); pieces that are not finite by `exact(x)` and `exact_slope(x)`."""
    return run(_fill, [x], 1, lambda x: (exact(x), exact_slope(x)), 2)


def _fill(o, slope, x, room):
    np.negative(x, out=slope)
    np.exp(slope, out=slope)
    slope += 1
    np.reciprocal(slope, out=slope)
    np.multiply(x, slope, out=o)
    np.subtract(x, o, out=room)
    room += 1
    slope *= room
