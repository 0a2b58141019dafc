"""Data types: NumPy's own `dtype` objects under the names of the Array API standard."""
from __future__ import annotations

from typing import Any

import numpy as np

bool_ = np.dtype("bool")
int8, int16, int32, int64 = (np.dtype(f"int{n}") for n in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (np.dtype(f"uint{n}") for n in (8, 16, 32, 64))
float16, float32, float64 = (np.dtype(f"float{n}") for n in (16, 32, 64))
complex64, complex128 = np.dtype("complex64"), np.dtype("complex128")

default_float = float32
default_int = int64
default_complex = complex64

SUPPORTED = (bool_, int8, int16, int32, int64, uint8, uint16, uint32, uint64,
             float16, float32, float64, complex64, complex128)
_PYTHON = {bool: bool_, int: default_int, float: default_float, complex: default_complex}


def to_dtype(dtype: Any) -> Any:
    """The `numpy.dtype` meant by `dtype`: a dtype, a name, or one of Python's `bool int float complex`.

    Raises:
        TypeError: `dtype` names no supported type; the message lists them.

    Args:
        dtype: see above, or None.

    Returns:
        A `numpy.dtype`, or None for None.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.to_dtype(float), tn.to_dtype('int8')
        (dtype('float32'), dtype('int8'))
    """
    if dtype is None or dtype.__class__ is type(bool_) and dtype in SUPPORTED:
        return dtype
    if isinstance(dtype, type) and dtype in _PYTHON:
        return _PYTHON[dtype]
    try:
        found = np.dtype(dtype).newbyteorder("=")
    except TypeError:
        found = None
    if found is None or found not in SUPPORTED:
        raise TypeError(f"dtype: {dtype!r} is not supported; use one of {', '.join(map(str, SUPPORTED))}")
    return found


def is_floating(dtype: np.dtype[Any]) -> bool:
    """Whether `dtype` is a real floating type.

    Args:
        dtype: a `numpy.dtype`.

    Returns:
        A bool.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.is_floating(tn.float32)
        True
    """
    return dtype.kind == "f"


def is_integer(dtype: np.dtype[Any]) -> bool:
    """Whether `dtype` is a signed or unsigned integer type.

    Args:
        dtype: a `numpy.dtype`.

    Returns:
        A bool.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.is_integer(tn.uint8)
        True
    """
    return dtype.kind in "iu"


def is_complex(dtype: np.dtype[Any]) -> bool:
    """Whether `dtype` is a complex type.

    Args:
        dtype: a `numpy.dtype`.

    Returns:
        A bool.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.is_complex(tn.float32)
        False
    """
    return dtype.kind == "c"
