"""The `cuda` device: CuPy's arrays and functions."""
import cupy
import numpy as np

from .device import Device
from .namespace import Namespace

# CuPy's older names for functions of the Array API standard.
_RENAMED = {
    "permute_dims": "transpose", "concat": "concatenate", "acos": "arccos", "acosh": "arccosh",
    "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan", "atanh": "arctanh", "atan2": "arctan2",
    "bitwise_invert": "invert", "bitwise_left_shift": "left_shift", "bitwise_right_shift": "right_shift",
}


def _vecdot(x, y, axis=-1):
    return cupy.sum(cupy.conj(x) * y, axis=axis)


def _unstack(x, axis=0):
    return tuple(cupy.moveaxis(x, axis, 0))


class _Linalg:
    """`cupy.linalg`, which says like NumPy where a matrix has no factors; by itself CuPy gives inf or NaN."""

    def __getattr__(self, name):
        found = getattr(cupy.linalg, name)
        if name in _FAULTS:
            found = _told(found, _FAULTS[name])
        setattr(self, name, found)
        return found


_FAULTS = {"cholesky": "the matrix is not positive definite", "inv": "singular matrix", "solve": "singular matrix"}


def _told(function, fault):
    def call(*args):
        from cupyx import errstate

        try:
            with errstate(linalg="raise"):
                return function(*args)
        except np.linalg.LinAlgError as error:
            if "evInfo" not in str(error):  # not what a factorization reports: CuPy says itself what it is
                raise
            raise np.linalg.LinAlgError(fault) from error
    return call


def _power(x, y, **options):
    """`cupy.power`; integers to a negative integer power are none of them integers."""
    whole = all(isinstance(v, int) or getattr(v, "dtype", None) is not None and v.dtype.kind in "iub" for v in (x, y))
    if whole and (y < 0 if isinstance(y, int) else y.dtype.kind == "i" and y.size and (y < 0).any().item()):
        raise ValueError("Integers to negative integer powers are not allowed.")
    return cupy.power(x, y, **options)


# Functions of the standard that CuPy does not have, and those that keep silent about a fault.
_OWN = {"vecdot": _vecdot, "unstack": _unstack, "linalg": _Linalg(), "pow": _power, "power": _power}


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
