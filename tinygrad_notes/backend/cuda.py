"""The `cuda` device: CuPy's arrays and functions."""
import cupy
import numpy as np

from .device import Device
from .namespace import Namespace

# CuPy's older names for functions of the Array API standard.
_RENAMED = {
    "permute_dims": "transpose", "concat": "concatenate", "pow": "power", "acos": "arccos", "acosh": "arccosh",
    "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan", "atanh": "arctanh", "atan2": "arctan2",
    "bitwise_invert": "invert", "bitwise_left_shift": "left_shift", "bitwise_right_shift": "right_shift",
}


def _vecdot(x, y, axis=-1):
    return cupy.sum(cupy.conj(x) * y, axis=axis)


def _unstack(x, axis=0):
    return tuple(cupy.moveaxis(x, axis, 0))


# Functions of the standard that CuPy does not have.
_OWN = {"vecdot": _vecdot, "unstack": _unstack}


def open_device():
    """The CUDA device of this machine.

    Raises:
        RuntimeError: CuPy is installed but finds no usable GPU.
    """
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise RuntimeError(f"device 'cuda' is not usable: {error}") from error
    if count == 0:
        raise RuntimeError("device 'cuda': no GPU found")
    xp = Namespace("cupy", "cupyx.scipy.special", renamed=_RENAMED, own=_OWN)
    return Device("cuda", cupy.ndarray, xp, cupy.asarray, lambda array: np.asarray(cupy.asnumpy(array)))
