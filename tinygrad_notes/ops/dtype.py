"""Data types: conversion, promotion and what a type can hold."""
import numpy as np

from ..autograd import Tensor, elementwise
from ..backend import as_device, is_complex, is_floating, is_integer, to_dtype

__all__ = ["astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]

_cast = elementwise("astype", lambda xp, x, *, dtype: xp.astype(x, dtype), x=lambda g: g)
_cast_whole = elementwise("astype_whole", lambda xp, x, *, dtype: xp.astype(x, dtype), differentiable=False)


def astype(x, dtype, /, *, copy=True, device=None):
    """The tensor in another data type.

    Formula: out = x; the gradient is handed back in the dtype of `x`, and stops where `dtype` is not floating.

    Args:
        x: Tensor, NumPy array or number, any shape and dtype.
        dtype: the new data type: a dtype or its name.
        copy: False to return `x` itself where it already has that dtype.
        device: the device of the result; default: that of `x`.

    Returns:
        Tensor of the shape of `x` and of dtype `dtype`.

    Raises:
        TypeError: `dtype` names no supported type, or `x` is complex and `dtype` is not.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.astype(tn.tensor([1.7, -1.7]), "int64")
        tensor([ 1, -1])
    """
    x = x if isinstance(x, Tensor) else Tensor(x)
    wanted = to_dtype(dtype)
    if wanted is None:
        raise TypeError("astype: dtype must be a data type or its name, got None")
    if is_complex(x.dtype) and not (is_complex(wanted) or wanted.kind == "b"):
        raise TypeError(f"astype: {x.dtype} to {wanted} would drop the imaginary part; take tn.real(x) first")
    if copy or wanted != x.dtype:
        x = (_cast if is_floating(wanted) or is_complex(wanted) else _cast_whole)(x, dtype=wanted)
    return x if device is None or as_device(device) == x.device else x.to(device)


def result_type(*arrays_and_dtypes):
    """The data type in which an operation on these would compute.

    Formula: the join of the types in the promotion table of the Array API standard; Python numbers are weak; integers
    join a floating type as that type.

    Args:
        arrays_and_dtypes: Tensors, NumPy arrays, dtypes or Python numbers, at least one.

    Returns:
        `numpy.dtype`.

    Raises:
        ValueError: nothing is given.
        TypeError: something is neither numeric nor a dtype.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.result_type(tn.float32, tn.tensor([1]), 2.0)
        dtype('float32')
    """
    if not arrays_and_dtypes:
        raise ValueError("result_type: needs at least one array, dtype or number")
    weak = [a for a in arrays_and_dtypes if a.__class__ in (bool, int, float, complex)]
    types = [_type_of(a) for a in arrays_and_dtypes if a.__class__ not in (bool, int, float, complex)]
    if not types:
        return to_dtype(max((a.__class__ for a in weak), key=(bool, int, float, complex).index))
    inexact = [t for t in types if t.kind in "fc"]
    found = np.result_type(*(inexact or types), *weak)
    if not inexact and found.kind in "fc" and weak:
        return to_dtype("complex64" if found.kind == "c" else "float32")
    return found


def _type_of(value):
    return value.dtype if hasattr(value, "dtype") else to_dtype(value)


def can_cast(from_, to, /):
    """Whether the promotion rules allow a conversion without loss of kind or range.

    Formula: result_type(from_, to) == to.

    Args:
        from_: Tensor, NumPy array or dtype.
        to: dtype.

    Returns:
        bool.

    Raises:
        TypeError: one of them names no supported type.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.can_cast(tn.int32, tn.int64), tn.can_cast(tn.float64, tn.float32)
        (True, False)
    """
    return bool(np.can_cast(_type_of(from_), _type_of(to)))


_KINDS = {
    "bool": lambda d: d.kind == "b", "signed integer": lambda d: d.kind == "i",
    "unsigned integer": lambda d: d.kind == "u", "integral": is_integer, "real floating": is_floating,
    "complex floating": is_complex, "numeric": lambda d: d.kind in "iufc",
}


def isdtype(dtype, kind):
    """Whether a data type is of a kind.

    Formula: dtype is `kind`, or belongs to it; for a tuple, to any of its members.

    Args:
        dtype: the data type.
        kind: a dtype, or one of 'bool', 'signed integer', 'unsigned integer', 'integral', 'real floating',
            'complex floating', 'numeric', or a tuple of such.

    Returns:
        bool.

    Raises:
        ValueError: the name of the kind is unknown.
        TypeError: `dtype` is no data type.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.isdtype(tn.float32, "real floating"), tn.isdtype(tn.int8, ("bool", tn.int8))
        (True, True)
    """
    dtype = to_dtype(dtype)
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    if isinstance(kind, str):
        if kind not in _KINDS:
            raise ValueError(f"isdtype: kind {kind!r} is unknown; use a dtype or one of {', '.join(map(repr, _KINDS))}")
        return _KINDS[kind](dtype)
    return dtype == to_dtype(kind)


def finfo(type, /):
    """The limits of a floating data type: `bits eps max min smallest_normal dtype`.

    Formula: eps is the distance from 1 to the next larger number; smallest_normal the smallest of full precision.

    Args:
        type: a floating or complex dtype, or a Tensor of one.

    Returns:
        An object with these numbers as attributes.

    Raises:
        TypeError: the type is not floating.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.finfo(tn.float32).eps == 2.0 ** -23
        True
    """
    dtype = _type_of(type)
    if dtype.kind not in "fc":
        raise TypeError(f"finfo: expected a floating dtype, got {dtype}; use iinfo for integers")
    return _Limits(np.finfo(dtype), ("eps", "max", "min", "smallest_normal"), float)


def iinfo(type, /):
    """The limits of an integer data type: `bits max min dtype`.

    Formula: min = -2^(bits-1), max = 2^(bits-1) - 1 for signed types; 0 and 2^bits - 1 for unsigned ones.

    Args:
        type: an integer dtype, or a Tensor of one.

    Returns:
        An object with these numbers as attributes.

    Raises:
        TypeError: the type is not an integer type.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.iinfo("int8").max
        127
    """
    dtype = _type_of(type)
    if dtype.kind not in "iu":
        raise TypeError(f"iinfo: expected an integer dtype, got {dtype}; use finfo for floating ones")
    return _Limits(np.iinfo(dtype), ("max", "min"), int)


class _Limits:
    """The limits of one data type as plain Python numbers."""

    def __init__(self, info, names, number):
        self.bits = int(info.bits)
        self.dtype = np.dtype(info.dtype)
        for name in names:
            setattr(self, name, number(getattr(info, name)))

    def __repr__(self):
        return f"limits({', '.join(f'{key}={value}' for key, value in vars(self).items())})"
