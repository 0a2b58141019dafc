"""Indices out of range, found where the array library does not look.

NumPy looks at every index it reads. CuPy wraps or clips what is out of range, so index arrays on any other device than
the CPU are looked at first: one reduction, and one number that comes to the host. Nothing is looked at while a
computation is recorded.
"""
import numpy as np

from ..backend import device_of

__all__ = []

ARRAY = "array"  # stands in a static key for the next index array


def looks_itself(array):
    """Whether the indices into `array` need no look: its library does that, or it is being recorded."""
    return array.__class__ is np.ndarray or device_of(array).base is not None


def check_range(name, index, n, axis, low=None):
    """Raise unless all elements of the raw array `index` are in [-n, n), or in [low, n).

    Raises:
        IndexError: one is not; the message names it, the axis and its size.
    """
    if looks_itself(index) or not index.size:
        return
    device = device_of(index)
    low = -n if low is None else low
    wide = index if index.itemsize == 8 else device.xp.astype(index, np.dtype("int64"))
    outside = wide >= n if index.dtype.kind == "u" else (wide >= n) | (wide < low)
    if device.xp.any(outside).item():
        host = device.to_numpy(index).astype(object)
        wrong = host[(host >= n) | (host < low)].flat[0]
        raise IndexError(f"{name}: index {wrong} is out of bounds for axis {axis} with size {n}")


def check_key(name, x, key, arrays):
    """Raise unless the raw index arrays of a static key are in range of the raw array `x` and broadcast.

    Raises:
        IndexError: one is out of range, or their shapes do not broadcast.
    """
    if not arrays or looks_itself(x):
        return
    axes = [1] * len(key)  # how many axes of x each part reads
    for k, part in enumerate(key):
        if part is None or part is Ellipsis:
            axes[k] = 0
    places = [k for k, part in enumerate(key) if part.__class__ is str]
    for k, array in zip(places, arrays):
        axes[k] = array.ndim if array.dtype.kind == "b" else 1
    if sum(axes) > x.ndim:
        return  # too many indices: the library says so
    if Ellipsis in key:
        axes[key.index(Ellipsis)] = x.ndim - sum(axes)
    if len(arrays) > 1:
        count = device_of(x).xp.count_nonzero
        shapes = [(count(a).item(),) if a.dtype.kind == "b" else a.shape for a in arrays]
        try:
            common = np.broadcast_shapes(*shapes)
        except ValueError as error:
            raise IndexError(f"{name}: the shapes of the index arrays do not broadcast: "
                             f"{', '.join(map(str, shapes))}") from error
        if 0 in common:
            return  # nothing is read, so like NumPy nothing is looked at
    for k, array in zip(places, arrays):
        if array.dtype.kind != "b":
            axis = sum(axes[:k])
            check_range(name, array, x.shape[axis], axis)
