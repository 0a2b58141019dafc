"""The Tensor: an array, whether a gradient is wanted, that gradient, and the node that made it.

Operations become methods when `ops` binds them here; this file holds only what a Tensor is.
"""
import numpy as np

from ..backend import as_device, default_float, device_of, to_dtype
from ..backend.dtypes import default_complex
from .hooks import Hooked
from .text import tensor_repr


class Tensor(Hooked):
    """An n-dimensional array that remembers how it was computed.

    Args:
        data: a number, nested lists, a NumPy array, a device array, or a Tensor. Python floats become
            float32; arrays keep their dtype and are shared, not copied, where possible.
        requires_grad: record what is computed from this tensor, so that `backward()` reaches it.
        dtype: data type of the result; default: that of `data`.
        device: 'cpu', 'strict' or 'cuda'; default: where `data` lives, else the current device.

    Raises:
        TypeError: `data` is not numeric, or `requires_grad` is asked of a non-floating dtype.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.Tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        tensor([2., 4.])
    """

    # `_hooks` stays unset on most tensors: an unset slot costs nothing to create.
    __slots__ = ("data", "grad", "requires_grad", "node", "_hooks", "__weakref__")
    __array_priority__ = 1000
    __hash__ = object.__hash__

    def __init__(self, data, requires_grad=False, dtype=None, device=None):
        self.data = to_array(data, dtype, device)
        self.grad = None
        self.node = None
        self.requires_grad = False
        if requires_grad:
            self.requires_grad_(True)

    @classmethod
    def wrap(cls, array):
        """A leaf Tensor around a raw device array, which is shared."""
        tensor = object.__new__(cls)
        tensor.data = array
        tensor.grad = tensor.node = None
        tensor.requires_grad = False
        return tensor

    # What it is ---------------------------------------------------------------
    @property
    def shape(self):
        """The sizes of all axes, a tuple of ints."""
        return self.data.shape

    @property
    def dtype(self):
        """The data type, a `numpy.dtype`."""
        return self.data.dtype

    @property
    def ndim(self):
        """The number of axes."""
        return self.data.ndim

    @property
    def size(self):
        """The number of elements."""
        return self.data.size

    @property
    def nbytes(self):
        """The bytes of its elements."""
        return self.data.nbytes

    @property
    def device(self):
        """The device its array lives on."""
        return device_of(self.data)

    @property
    def is_leaf(self):
        """Whether it was made by the user and not by a recorded operation."""
        return self.node is None

    def numel(self):
        """The number of elements."""
        return self.data.size

    def dim(self):
        """The number of axes."""
        return self.data.ndim

    def __len__(self):
        if not self.data.shape:
            raise TypeError("len() of a 0-d tensor: it has no axis")
        return self.data.shape[0]

    def __iter__(self):
        if not self.data.shape:
            raise TypeError("iteration over a 0-d tensor: it has no axis")
        return (self[i] for i in range(self.data.shape[0]))

    # Out of the graph ---------------------------------------------------------
    def numpy(self):
        """The values as a NumPy array on the host, outside the graph.

        Shares memory with the tensor on the CPU; read-only if a gradient is wanted for it.
        """
        host = self.device.to_numpy(self.data)
        if self.requires_grad and host.flags.writeable:
            host = host.view()
            host.flags.writeable = False
        return host

    def __array__(self, dtype=None, copy=None):
        host = self.numpy()
        if dtype is not None and host.dtype != dtype:
            if copy is False:
                raise ValueError(f"__array__: {host.dtype} to {np.dtype(dtype)} needs a copy, "
                                 "and copy=False forbids it")
            return host.astype(dtype)
        return host.copy() if copy else host

    def item(self):
        """The only element as a Python number.

        Raises:
            ValueError: there is not exactly one element.
        """
        if self.data.size != 1:
            raise ValueError(f"item(): expected exactly one element, this tensor has shape {self.shape}")
        return self.data.item()

    def tolist(self):
        """The values as nested lists of Python numbers."""
        return self.device.to_numpy(self.data).tolist()

    def _scalar(self, kind):
        if self.data.size != 1:
            raise TypeError(f"{kind}(tensor) needs exactly one element, this tensor has shape {self.shape}"
                            + ("; use .any() or .all()" if kind == "bool" else ""))
        return self.data.item()

    def __float__(self):
        return float(self._scalar("float"))

    def __int__(self):
        return int(self._scalar("int"))

    def __complex__(self):
        return complex(self._scalar("complex"))

    def __bool__(self):
        return bool(self._scalar("bool"))

    def __index__(self):
        if self.data.dtype.kind not in "iu" or self.data.size != 1 or self.data.ndim:
            raise TypeError(f"only a 0-d integer tensor is an index, this one has dtype {self.dtype}, "
                            f"shape {self.shape}")
        return self.data.item()

    def __format__(self, spec):
        return format(self.item(), spec) if spec and self.data.size == 1 else repr(self)

    def detach(self):
        """A Tensor of the same memory that the graph does not know."""
        return Tensor.wrap(self.data)

    # Gradients ----------------------------------------------------------------
    def requires_grad_(self, requires_grad=True):
        """Want (or no longer want) a gradient for this leaf; returns the tensor.

        Raises:
            TypeError: the dtype is not floating.
            RuntimeError: the tensor is the result of a recorded operation.
        """
        if requires_grad and self.data.dtype.kind != "f":
            raise TypeError(f"requires_grad: only floating dtypes have gradients, this tensor is {self.dtype}")
        if self.node is not None and not requires_grad:
            raise RuntimeError("requires_grad_(False) on the result of an operation: use detach()")
        self.requires_grad = bool(requires_grad)
        return self

    def __copy__(self):
        copied = type(self).wrap(self.data)
        copied.requires_grad, copied.grad, copied.node = self.requires_grad, self.grad, self.node
        return copied

    def __deepcopy__(self, memo):
        if self.node is not None:
            raise RuntimeError("deepcopy of the result of a recorded operation: copy its detach() instead")
        copied = type(self).wrap(self.data.copy())
        copied.requires_grad = self.requires_grad
        copied.grad = None if self.grad is None else Tensor.wrap(self.grad.data.copy())
        memo[id(self)] = copied
        return copied

    def __reduce__(self):
        raise TypeError("a Tensor is not pickled: save it with tn.save (safetensors) or as .numpy()")

    # How it reads -------------------------------------------------------------
    def __repr__(self):
        return tensor_repr(self)


def to_array(data, dtype=None, device=None, copy=False):
    """The raw device array for anything that means numbers.

    Raises:
        TypeError: `data` is ragged, or holds something that is not a number.
    """
    dtype = to_dtype(dtype)
    if isinstance(data, Tensor):
        data, on_host = data.data, False
    else:
        if hasattr(data, "__dlpack__") and device_of(data) is None and not isinstance(data, np.generic):
            data = np.from_dlpack(data)
        on_host = isinstance(data, np.ndarray)  # NumPy's arrays are the host's: the default device decides
        if on_host and data.dtype.kind not in "biufc":
            raise TypeError(f"data: expected numbers, got an array of dtype {data.dtype}")
    home = device_of(data)
    target = as_device(device) if device is not None or home is None or on_host else home
    if home is None:
        data = _from_python(data, dtype)
        home = as_device("cpu")
        copy = False
    if home is not target and home.base is not target:
        data = target.from_numpy(home.to_numpy(data))
    if dtype is not None and data.dtype != dtype:
        return target.xp.astype(data, dtype)
    if data.dtype.byteorder not in "=|":
        return target.xp.astype(data, data.dtype.newbyteorder("="))
    return data.copy() if copy else data


def _from_python(data, dtype):
    if isinstance(data, (list, tuple)) and any(isinstance(leaf, Tensor) for leaf in _leaves(data)):
        data = _lower_lists(data)
    try:
        host = np.array(data)
        if dtype == np.uint64 and host.dtype.kind == "f" and all(leaf.__class__ is int for leaf in _leaves(data)):
            host = np.array(data, dtype=dtype)  # integers on both sides of 2^63 went through float64
    except ValueError as error:
        raise TypeError(f"data: nested lists of unequal lengths do not form an array ({error})") from error
    if host.dtype.kind not in "biufc":
        raise TypeError(f"data: expected numbers, got {type(data).__name__} of NumPy dtype {host.dtype}")
    if dtype is None and host.dtype.kind in "fc" and not isinstance(next(_leaves(data), 0.0), (np.ndarray, np.generic)):
        host = host.astype(default_float if host.dtype.kind == "f" else default_complex)
    return host


def _lower_lists(data):
    if isinstance(data, (list, tuple)):
        return [_lower_lists(part) for part in data]
    return data.device.to_numpy(data.data) if isinstance(data, Tensor) else data


def _leaves(data):
    """The innermost items of nested lists; stops at the first long list of numbers."""
    if isinstance(data, (list, tuple)):
        for part in data:
            if isinstance(part, (list, tuple)):
                yield from _leaves(part)
            else:
                yield part
    else:
        yield data


def as_tensor(value, like=None):
    """`value` as a Tensor, on the device of `like` (a Tensor) if it has none of its own.

    Args:
        value: a Tensor, which is returned as it is, or anything that means numbers.
        like: a Tensor.

    Returns:
        A Tensor.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.autograd.as_tensor([1.0, 2.0])
        tensor([1., 2.])
    """
    if isinstance(value, Tensor):
        return value
    device = like.device if like is not None and device_of(value) is None else None
    return Tensor.wrap(to_array(value, None, device))
