"""What numbers an array holds, in a few figures."""
from __future__ import annotations

import numpy as np

from ..backend import device_of

DIGITS = 5


def statistics(array):
    """Mean, standard deviation, extremes, the share of zeros, and how many are NaN or infinite; None if it is empty.

    The first four are of the finite values, None if there are none; of a complex number its size counts.
    """
    device = device_of(array)
    values = np.asarray(device.to_numpy(array)) if device is not None else np.asarray(array)
    if not values.size or values.dtype.kind not in "fciub":
        return None
    if values.dtype.kind == "c":
        values = np.abs(values)
    values = values.astype(np.float64, copy=False).ravel()
    nan = int(np.count_nonzero(np.isnan(values)))
    infinite = int(np.count_nonzero(np.isinf(values)))
    zeros = shown(np.count_nonzero(values == 0) / values.size)
    if nan or infinite:
        values = values[np.isfinite(values)]
    if not values.size:
        return {"mean": None, "std": None, "min": None, "max": None, "zeros": zeros, "nan": nan, "inf": infinite}
    with np.errstate(all="ignore"):
        four = values.mean(), values.std(), values.min(), values.max()
    mean, std, low, high = (shown(v) if np.isfinite(v) else None for v in four)
    return {"mean": mean, "std": std, "min": low, "max": high, "zeros": zeros, "nan": nan, "inf": infinite}


def root_mean_square(stats):
    """The root of the mean square, from statistics; None where there are none."""
    if stats is None or stats["mean"] is None or stats["std"] is None:
        return None
    return (stats["mean"] ** 2 + stats["std"] ** 2) ** 0.5


def dead_units(array):
    """(units that are zero for every example, units): the last axis of (N, D), the second of (N, C, ...)."""
    device = device_of(array)
    values = np.asarray(device.to_numpy(array)) if device is not None else np.asarray(array)
    if values.ndim < 2 or values.shape[0] < 4 or values.dtype.kind != "f":
        return 0, 0
    axis = 1 if values.ndim != 3 else 2
    others = tuple(k for k in range(values.ndim) if k != axis)
    alive = np.any(values != 0, axis=others)
    return int(np.count_nonzero(~alive)), int(alive.size)


def shown(value):
    """A number with few digits, as it is written into files."""
    return float(f"{float(value):.{DIGITS}g}")
