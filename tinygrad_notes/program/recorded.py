"""Arrays that write down what is done with them: the device on which a computation runs while it is recorded.

A `RecordedArray` holds a real array and the `Value` that stands for it. Its functions compute with the real array and
append an instruction. Writing in place gives the array object another value: a program makes each value once.
"""
import types
from sys import getrefcount

import numpy as np

from ..autograd.mode import mode
from ..backend.device import Device, device_of, register
from ..backend.kernels import FORWARDS, INLINE, KERNELS
from .errors import CannotRecord, ReadsValue
from .functions import CANONICAL, ELEMENTWISE_KERNELS, OWN, STATIC
from .scalars import Scalar


class RecordedArray:
    """A real array, the value that stands for it, and the recorder."""

    __slots__ = ("_host", "value", "tape", "_of", "_seen", "_key", "__weakref__")
    __array_ufunc__ = None
    __array_priority__ = 2000

    def __init__(self, host, value, tape):
        self._host, self.value, self.tape = host, value, tape
        self._of = self._seen = None  # the array it is a view of, and that one's value at the time
        self._key = None              # the key by which it was taken from there

    shape = property(lambda self: self._host.shape)
    dtype = property(lambda self: self._host.dtype)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    nbytes = property(lambda self: self._host.nbytes)
    itemsize = property(lambda self: self._host.dtype.itemsize)
    strides = property(lambda self: self._host.strides)
    flags = property(lambda self: self._host.flags)
    base = property(lambda self: None)
    T = property(lambda self: self.tape.call("permute", (self, tuple(range(self.ndim))[::-1])))

    def __len__(self):
        return len(self._host)

    def __getitem__(self, key):
        part = self.tape.call("getitem", (self, key))
        if part._of is self:
            part._key = (key,)
        return part

    def __setitem__(self, key, value):
        self._become(self.tape.call("setitem", (self, key, value)))

    def astype(self, dtype, copy=True):
        """The same numbers in another data type."""
        return self.tape.call("cast", (self, np.dtype(dtype)))

    def copy(self):
        """A copy."""
        return self.tape.call("copy", (self,))

    def reshape(self, *shape):
        """The same elements in another shape."""
        return self.tape.call("reshape", (self, shape[0] if len(shape) == 1 else shape))

    def item(self):
        """The one element as a Python number."""
        return self.tape.read(self, ".item()").item()

    def _become(self, result):
        """Take the value of `result`, which was computed in place of a write into this array."""
        if self._key is None and self._is_seen():
            raise CannotRecord("a write into a view changes the array it is a view of; a recording cannot follow that")
        if result.shape != self.shape:
            raise ValueError(f"a result of shape {result.shape} cannot be written into shape {self.shape}")
        if result.dtype != self.dtype:
            if not np.can_cast(result.dtype, self.dtype, "same_kind"):
                raise TypeError(f"a result of dtype {result.dtype} cannot be written into {self.dtype}")
            result = result.astype(self.dtype)
        self._host, self.value, whole = result._host, result.value, self._of
        if whole is not None and self._key is not None:
            whole[self._key[0]] = self
            self._seen = whole.value
        else:
            self._of = None

    def _is_seen(self):
        """Whether somebody still looks at an array that this one is a view of."""
        whole = self._of
        while whole is not None:
            if getrefcount(whole) > 3:  # the view, this variable, and the argument
                return True
            whole = whole._of
        return False

    def is_stale(self):
        """Whether this is a view of an array that has been written into since."""
        part = self
        while part._of is not None:
            if part._of.value is not part._seen:
                return True
            part = part._of
        return False

    def __repr__(self):
        return f"RecordedArray({self.value!r}, shape={self.shape}, dtype={self.dtype})"


def _reads(what):
    def method(self, *args, **kwargs):
        return getattr(self.tape.read(self, what), what)(*args, **kwargs)
    return method


for _name in ("__float__", "__int__", "__bool__", "__index__", "__complex__", "__array__", "__iter__", "tolist"):
    setattr(RecordedArray, _name, _reads(_name))

_OPERATORS = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
              "mod": "remainder", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
              "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift", "pow": "pow"}
_COMPARISONS = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
                "ge": "greater_equal"}
_OPERANDS = (bool, int, float, complex, np.generic, np.ndarray, RecordedArray, Scalar)


def _known(other):
    return isinstance(other, _OPERANDS) or device_of(other) is not None


def _power(tape, x, y):
    """NumPy's operator has shortcuts for a few exponents, which the function has not."""
    short = {2: "square", 0.5: "sqrt", -1: "reciprocal"}.get(y) if y.__class__ in (int, float) else None
    if short and x.dtype.kind == "f":
        return tape.call(short, (x,))
    return tape.call("pow", (x, y))


def _add_operator(key, name):
    def plain(self, other):
        if not _known(other):
            return NotImplemented
        return _power(self.tape, self, other) if name == "pow" else self.tape.call(name, (self, other))

    def reflected(self, other):
        return self.tape.call(name, (other, self)) if _known(other) else NotImplemented

    def in_place(self, other):
        self._become(plain(self, other))
        return self
    setattr(RecordedArray, f"__{key}__", plain)
    setattr(RecordedArray, f"__r{key}__", reflected)
    setattr(RecordedArray, f"__i{key}__", in_place)


def _add_comparison(key, name):
    def method(self, other):
        return self.tape.call(name, (self, other)) if _known(other) else NotImplemented
    setattr(RecordedArray, f"__{key}__", method)


def _add_unary(key, name):
    setattr(RecordedArray, f"__{key}__", lambda self: self.tape.call(name, (self,)))


for _key, _name in _OPERATORS.items():
    _add_operator(_key, _name)
for _key, _name in _COMPARISONS.items():
    _add_comparison(_key, _name)
for _key, _name in {"neg": "negative", "abs": "abs", "invert": "bitwise_invert", "pos": "positive"}.items():
    _add_unary(_key, _name)
RecordedArray.__hash__ = None  # type: ignore[assignment]


class RecordingNamespace:
    """The array functions of a device, each of which writes down that it was called."""

    def __init__(self, plain, prefix=""):
        self._plain, self._prefix = plain, prefix

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = self._find(name)
        setattr(self, name, found)
        return found

    def _find(self, name):
        plain = getattr(self._plain, name)
        if isinstance(plain, types.ModuleType):
            return RecordingNamespace(plain, f"{self._prefix}{name}.")
        if not callable(plain) or isinstance(plain, (type, np.dtype)):
            return plain
        if name in STATIC:
            return lambda *args, **kwargs: plain(*_plain(args), **_plain(kwargs))
        full = self._prefix + name
        if not self._prefix and name in INLINE:
            found, plain = KERNELS[name], name in ELEMENTWISE_KERNELS
            return lambda *args, **kwargs: (found(self, *args, **kwargs) if plain or not mode.tape.coarse
                                            else mode.tape.call(name, args, kwargs))
        if not self._prefix and name in FORWARDS and name not in KERNELS and _is_forward(plain):
            return lambda *args, **kwargs: mode.tape.inline(name, args, kwargs)
        full = CANONICAL.get(full, full)
        return lambda *args, **kwargs: mode.tape.call(full, args, kwargs)


def _is_forward(plain):
    """Whether a function of a namespace is the forward of an operation and not a function of the array library."""
    plain = getattr(plain, "__wrapped__", plain)
    return getattr(plain, "func", None) in FORWARDS.values()


def _plain(tree):
    """Recorded arrays replaced by the real ones."""
    if isinstance(tree, RecordedArray):
        return tree._host
    if isinstance(tree, (tuple, list)):
        return type(tree)(_plain(part) for part in tree)
    if isinstance(tree, dict):
        return {key: _plain(value) for key, value in tree.items()}
    return tree


def read_refused(what, site):
    """The error where Python wants to know a value."""
    return ReadsValue(f"{what} reads a value while the computation is being recorded, at {site}. A recording repeats "
                      "the same array functions for every input; return the Tensor and read it outside")


_devices: dict[Device, Device] = {}


def recording_device(base):
    """The device that stands for `base` while a computation is recorded."""
    if base not in _devices:
        cls = type(f"Recorded{base.name.title()}", (RecordedArray,), {"__slots__": (), "__hash__": None})
        device = Device(base.name, cls, RecordingNamespace(base.xp),
                        lambda host: mode.tape.constant(base.from_numpy(host)),
                        lambda array: base.to_numpy(array.tape.read(array, "conversion to NumPy")))
        device.base, device.run = base, lambda op, arrays, attrs: mode.tape.operation(op, arrays, attrs)
        register(device)
        _devices[base] = device
    return _devices[base]


assert set(OWN) >= {"getitem", "setitem", "cast", "copy"}
