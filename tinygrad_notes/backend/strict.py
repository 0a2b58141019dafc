"""The `strict` device: NumPy arrays behind a wall that refuses what CuPy refuses.

No silent conversion to NumPy, no mixing with host arrays, no `float(x)` in passing. What runs
here has no hidden trip through the host, so it is ready for a GPU that this machine may lack.
"""
import functools
import types

import numpy as np


class StrictArray:
    """An array that only the functions of the `strict` device will touch."""

    __slots__ = ("_host", "__weakref__")
    __array_ufunc__ = None

    def __init__(self, host):
        self._host = host

    shape = property(lambda self: self._host.shape)
    dtype = property(lambda self: self._host.dtype)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    nbytes = property(lambda self: self._host.nbytes)
    itemsize = property(lambda self: self._host.itemsize)
    strides = property(lambda self: self._host.strides)
    flags = property(lambda self: self._host.flags)
    base = property(lambda self: self._host.base)
    T = property(lambda self: wrap(self._host.T))

    def __len__(self):
        return len(self._host)

    def item(self):
        """The one element as a Python number: the explicit trip to the host."""
        return self._host.item()

    def __getitem__(self, key):
        return wrap(self._host[_lower(key, "indexing")])

    def __setitem__(self, key, value):
        self._host[_lower(key, "indexing")] = _lower(value, "assignment")

    def __repr__(self):
        return f"StrictArray(shape={self.shape}, dtype={self.dtype})"

    def astype(self, dtype, copy=True):
        """A copy in another data type."""
        return wrap(self._host.astype(dtype, copy=copy))

    def copy(self):
        """A copy in its own memory."""
        return wrap(self._host.copy())

    def reshape(self, *shape):
        """The same elements in another shape."""
        return wrap(self._host.reshape(*shape))


_IN_PLACE = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift")
_BINARY = (*_IN_PLACE, "matmul")


def _refuse(what):
    def method(self, *args, **kwargs):
        raise TypeError(f"strict device: {what} would copy to the host silently; move it with .to('cpu') or .item()")
    return method


for _name in ("__float__", "__int__", "__bool__", "__index__", "__complex__"):
    setattr(StrictArray, _name, _refuse(f"{_name.strip('_')}(array)"))
for _name, _what in (("__array__", "numpy conversion"), ("__iter__", "iteration")):
    setattr(StrictArray, _name, _refuse(_what))


def _operator(name):
    plain = getattr(np.ndarray, name)

    def method(self, other=None):
        if other is None:
            return wrap(plain(self._host))
        value = _lower(other, name.strip("_"))
        result = plain(self._host, value)
        return NotImplemented if result is NotImplemented else wrap(result)
    return method


for _name in _BINARY:
    setattr(StrictArray, f"__{_name}__", _operator(f"__{_name}__"))
    setattr(StrictArray, f"__r{_name}__", _operator(f"__r{_name}__"))
def _in_place(name):
    plain = getattr(np.ndarray, name)

    def method(self, other):
        plain(self._host, _lower(other, name.strip("_")))
        return self
    return method


for _name in _IN_PLACE:
    setattr(StrictArray, f"__i{_name}__", _in_place(f"__i{_name}__"))
for _name in ("eq", "ne", "lt", "le", "gt", "ge", "neg", "abs", "invert"):
    setattr(StrictArray, f"__{_name}__", _operator(f"__{_name}__"))


def wrap(host):
    """A host array (or tuple of arrays) as strict arrays; Python values pass through."""
    if isinstance(host, (np.ndarray, np.generic)):
        return StrictArray(np.asarray(host))
    if isinstance(host, (tuple, list)):
        parts = [wrap(part) for part in host]
        return type(host)(*parts) if hasattr(host, "_fields") else type(host)(parts)
    return host


def unwrap(array):
    """The host array inside a strict array."""
    return array._host if isinstance(array, StrictArray) else np.asarray(array)


def _lower(value, where):
    if isinstance(value, StrictArray):
        return value._host
    if isinstance(value, np.ndarray):
        raise TypeError(f"strict device: {where} got a NumPy array of shape {value.shape} on the host; "
                        "move it to the device first")
    if isinstance(value, (tuple, list)):
        parts = [_lower(part, where) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


class StrictNamespace:
    """The functions of the `cpu` namespace, each opened to strict arrays and closed to all others."""

    def __init__(self, plain):
        self._plain = plain

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        plain = getattr(self._plain, name)
        if isinstance(plain, types.ModuleType):
            found = StrictNamespace(plain)
        elif callable(plain) and not isinstance(plain, (type, np.dtype)):
            found = self._wrapped(name, plain)
        else:
            found = plain
        setattr(self, name, found)
        return found

    @staticmethod
    def _wrapped(name, plain):
        @functools.wraps(plain, updated=())
        def function(*args, **kwargs):
            args = [_lower(value, name) for value in args]
            kwargs = {key: _lower(value, name) for key, value in kwargs.items()}
            return wrap(plain(*args, **kwargs))
        return function
