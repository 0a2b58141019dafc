"""Tensors made from numbers, shapes and other libraries' arrays."""
import numpy as np

from ..autograd.tensor import Tensor, to_array
from ..backend import as_device, default_float, default_int, to_dtype
from ..backend.dtypes import default_complex
from .axes import as_shape

__all__ = ["tensor", "asarray", "as_tensor", "from_numpy", "from_dlpack", "zeros", "ones", "full", "empty",
           "zeros_like", "ones_like", "full_like", "empty_like", "arange", "linspace", "logspace", "eye"]


def _made(array, requires_grad):
    made = Tensor.wrap(array)
    return made.requires_grad_(True) if requires_grad else made


# From data ----------------------------------------------------------------------
def tensor(data, dtype=None, device=None, requires_grad=False):
    """A Tensor with a copy of `data`.

    Formula: out = data.

    Args:
        data: a number, nested lists, an array of any library, or a Tensor.
        dtype: data type; default: float32, int64, bool or complex64 for Python numbers, else that of `data`.
        device: 'cpu', 'strict' or 'cuda'; default: where `data` lives, else the current device.
        requires_grad: record what is computed from it.

    Returns:
        A leaf Tensor of its own memory.

    Raises:
        TypeError: `data` is ragged or not numeric, or a gradient is asked of a non-floating dtype.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.tensor([[1, 2], [3, 4]])
        tensor([[1, 2],
                [3, 4]])
    """
    return _made(_owned(data, dtype, device), requires_grad)


def _owned(data, dtype, device):
    """The raw array of `data` in memory that nobody else holds."""
    return to_array(data, dtype, device, copy=True)


def asarray(obj, /, *, dtype=None, device=None, copy=None, requires_grad=False):
    """`obj` as a Tensor, without copying where that can be.

    Formula: out = obj.

    Args:
        obj: a number, nested lists, an array of any library, or a Tensor (returned as it is if nothing changes).
        dtype: data type; default: as for `tensor`.
        device: where it shall live; default: where `obj` lives.
        copy: True always copies; False raises where a copy is needed; None copies only if it must.
        requires_grad: record what is computed from it.

    Returns:
        A Tensor.

    Raises:
        ValueError: copy=False, but the dtype, the device or the kind of `obj` needs a copy.
        TypeError: `obj` is ragged or not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.asarray([1.0, 2.0])
        tensor([1., 2.])
    """
    from .convert import clone, to
    if isinstance(obj, Tensor):
        moved = to(obj, device=device, dtype=dtype)
        if copy is False and moved is not obj:
            raise ValueError(f"asarray: copy=False, but obj is {obj.dtype} on {obj.device}: it must be converted")
        made = clone(moved) if copy and moved is obj else moved
        return made.requires_grad_(True) if requires_grad else made
    array = _owned(obj, dtype, device) if copy else to_array(obj, dtype, device)
    if copy is False and not _is_shared(array, obj):
        raise ValueError(f"asarray: copy=False, but {type(obj).__name__} does not become {array.dtype} on this device "
                         "without a copy")
    return _made(array, requires_grad)


def _is_shared(array, obj):
    """Whether the raw array is the memory of `obj`, no matter through which protocol it came."""
    if array is obj:
        return True
    source = np.from_dlpack(obj) if hasattr(obj, "__dlpack__") and not isinstance(obj, np.generic) else None
    return source is not None and isinstance(array, np.ndarray) and np.may_share_memory(array, source)


def as_tensor(data, dtype=None, device=None):
    """PyTorch's name for `asarray`.

    Formula: out = data.

    Args:
        data, dtype, device: as for `asarray`.

    Returns:
        A Tensor which shares memory with `data` where that can be.

    Raises:
        TypeError: `data` is ragged or not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.as_tensor([1, 2])
        tensor([1, 2])
    """
    return asarray(data, dtype=dtype, device=device)


def from_numpy(array, /):
    """A Tensor on the CPU that shares memory with a NumPy array.

    Formula: out = array.

    Args:
        array: NumPy array of a supported dtype.

    Returns:
        A Tensor of the same dtype and memory: a write to one shows in the other.

    Raises:
        TypeError: `array` is no NumPy array.

    Example:
        >>> import numpy as np, tinygrad_notes as tn
        >>> tn.from_numpy(np.array([1.0, 2.0]))
        tensor([1., 2.], dtype=float64)
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected a numpy.ndarray, got {type(array).__name__}; use tensor() or asarray()")
    to_dtype(array.dtype)
    return Tensor.wrap(to_array(array, None, "cpu"))


def from_dlpack(x, /, *, device=None, copy=None):
    """A Tensor from any library's array by the DLPack protocol.

    Formula: out = x.

    Args:
        x: an object with `__dlpack__` and `__dlpack_device__`.
        device: where the Tensor shall live; default: the device of `x`.
        copy: True copies, False raises where a copy is needed, None copies only if it must.

    Returns:
        A leaf Tensor, sharing memory with `x` where that can be.

    Raises:
        TypeError: `x` does not speak DLPack.
        ValueError: copy=False, but a copy is needed.

    Example:
        >>> import numpy as np, tinygrad_notes as tn
        >>> tn.from_dlpack(np.arange(3))
        tensor([0, 1, 2])
    """
    if not hasattr(x, "__dlpack__"):
        raise TypeError(f"from_dlpack: expected an object with __dlpack__, got {type(x).__name__}")
    if isinstance(x, Tensor):
        return asarray(x.detach(), device=device, copy=copy)
    home = "cuda" if x.__dlpack_device__()[0] == 2 else "cpu"
    array = as_device("cuda").xp.from_dlpack(x) if home == "cuda" else np.from_dlpack(x)
    to_dtype(array.dtype)
    return asarray(array, device=as_device(home if device is None else device), copy=copy)


# From a shape -------------------------------------------------------------------
def _sizes(name, shape, more):
    shape = as_shape(name, (shape, *more) if more else shape)
    for n in shape:
        if n < 0:
            raise ValueError(f"{name}: shape: negative size {n} in {shape}")
    return shape


def zeros(shape, *more, dtype=None, device=None, requires_grad=False):
    """A tensor of zeros.

    Formula: out[i] = 0.

    Args:
        shape: the sizes, as a tuple or as several ints.
        dtype: data type, default float32.
        device: where it shall live, default the current device.
        requires_grad: record what is computed from it.

    Returns:
        Tensor of `shape`.

    Raises:
        ValueError: a size is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.zeros(2)
        tensor([0., 0.])
    """
    shape = _sizes("zeros", shape, more)
    return _made(as_device(device).xp.zeros(shape, dtype=to_dtype(dtype) or default_float), requires_grad)


def ones(shape, *more, dtype=None, device=None, requires_grad=False):
    """A tensor of ones.

    Formula: out[i] = 1.

    Args:
        shape, dtype, device, requires_grad: as for `zeros`.

    Returns:
        Tensor of `shape`.

    Raises:
        ValueError: a size is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.ones((1, 2))
        tensor([[1., 1.]])
    """
    shape = _sizes("ones", shape, more)
    return _made(as_device(device).xp.ones(shape, dtype=to_dtype(dtype) or default_float), requires_grad)


def empty(shape, *more, dtype=None, device=None, requires_grad=False):
    """A tensor whose elements are whatever the memory held.

    Formula: out[i] is undefined until written.

    Args:
        shape, dtype, device, requires_grad: as for `zeros`.

    Returns:
        Tensor of `shape`.

    Raises:
        ValueError: a size is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.empty((2, 3)).shape
        (2, 3)
    """
    shape = _sizes("empty", shape, more)
    return _made(as_device(device).xp.empty(shape, dtype=to_dtype(dtype) or default_float), requires_grad)


def full(shape, fill_value, *, dtype=None, device=None, requires_grad=False):
    """A tensor of one value.

    Formula: out[i] = fill_value.

    Args:
        shape: the sizes, an int or a tuple.
        fill_value: a number.
        dtype: data type; default: float32, int64, bool or complex64 after the kind of `fill_value`.
        device, requires_grad: as for `zeros`.

    Returns:
        Tensor of `shape`.

    Raises:
        ValueError: a size is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.full((2,), 7)
        tensor([7, 7])
    """
    value = fill_value.item() if hasattr(fill_value, "item") else fill_value
    dtype = to_dtype(dtype) or _dtype_of(value, getattr(fill_value, "dtype", None))
    return _made(as_device(device).xp.full(_sizes("full", shape, ()), value, dtype=dtype), requires_grad)


def _dtype_of(value, given=None):
    """The dtype of a Python number, or the one its array had."""
    return to_dtype(given) or to_dtype(type(value))


# In the shape of another --------------------------------------------------------
def _like(x, dtype, device):
    """The shape, dtype and array functions of a tensor like `x`."""
    array = x.data if isinstance(x, Tensor) else to_array(x)
    home = as_device(device) if device is not None else Tensor.wrap(array).device
    return array.shape, to_dtype(dtype) or array.dtype, home.xp


def zeros_like(x, /, *, dtype=None, device=None, requires_grad=False):
    """A tensor of zeros in the shape of another.

    Formula: out[i] = 0.

    Args:
        x: tensor.
        dtype, device: default those of `x`.
        requires_grad: record what is computed from it.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        TypeError: the dtype is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.zeros_like(tn.tensor([1, 2]))
        tensor([0, 0])
    """
    shape, dtype, xp = _like(x, dtype, device)
    return _made(xp.zeros(shape, dtype=dtype), requires_grad)


def ones_like(x, /, *, dtype=None, device=None, requires_grad=False):
    """A tensor of ones in the shape of another.

    Formula: out[i] = 1.

    Args:
        x, dtype, device, requires_grad: as for `zeros_like`.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        TypeError: the dtype is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.ones_like(tn.tensor([1.0, 2.0]))
        tensor([1., 1.])
    """
    shape, dtype, xp = _like(x, dtype, device)
    return _made(xp.ones(shape, dtype=dtype), requires_grad)


def empty_like(x, /, *, dtype=None, device=None, requires_grad=False):
    """A tensor in the shape of another whose elements are whatever the memory held.

    Formula: out[i] is undefined until written.

    Args:
        x, dtype, device, requires_grad: as for `zeros_like`.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        TypeError: the dtype is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.empty_like(tn.zeros((2, 3))).shape
        (2, 3)
    """
    shape, dtype, xp = _like(x, dtype, device)
    return _made(xp.empty(shape, dtype=dtype), requires_grad)


def full_like(x, /, fill_value, *, dtype=None, device=None, requires_grad=False):
    """A tensor of one value in the shape of another.

    Formula: out[i] = fill_value.

    Args:
        x: tensor.
        fill_value: a number.
        dtype, device: default those of `x`.
        requires_grad: record what is computed from it.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        TypeError: the dtype is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.full_like(tn.zeros((2,)), 3)
        tensor([3., 3.])
    """
    shape, dtype, xp = _like(x, dtype, device)
    value = fill_value.item() if hasattr(fill_value, "item") else fill_value
    return _made(xp.full(shape, value, dtype=dtype), requires_grad)


# Ranges -------------------------------------------------------------------------
def arange(start, /, stop=None, step=1, *, dtype=None, device=None, requires_grad=False):
    """Numbers at equal steps, the end left out.

    Formula: out[i] = start + i * step, for i < ceil((stop - start) / step).

    Args:
        start, stop: the ends; arange(n) counts from 0 to n - 1.
        step: the distance, not zero.
        dtype: data type; default int64 if all are ints, else float32.
        device, requires_grad: as for `zeros`.

    Returns:
        1-d Tensor.

    Raises:
        ValueError: `step` is zero.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.arange(1, 10, 3)
        tensor([1, 4, 7])
    """
    start, stop, step = (v.item() if hasattr(v, "item") else v for v in (start, stop, step))
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ValueError(f"arange: step must not be 0 (start {start}, stop {stop})")
    integral = all(isinstance(v, int) for v in (start, stop, step))
    dtype = to_dtype(dtype) or (default_int if integral else default_float)
    host = np.arange(start, stop, step, dtype=dtype if integral or dtype.kind == "c" else "float64")
    return _made(_to(host.astype(dtype, copy=False), device), requires_grad)


def _to(host, device):
    """A host array on `device`."""
    return as_device(device).from_numpy(host)


def linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True, requires_grad=False):
    """A given number of evenly spaced values, computed in float64 and rounded once.

    Formula: out[i] = start + i * (stop - start) / (num - 1), or / num without the endpoint.

    Args:
        start, stop: the ends.
        num: how many values.
        dtype: data type; default float32 (complex64 for complex ends).
        endpoint: whether `stop` is the last value.
        device, requires_grad: as for `zeros`.

    Returns:
        Tensor of shape (num,).

    Raises:
        ValueError: `num` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linspace(0, 8, 5)
        tensor([0., 2., 4., 6., 8.])
    """
    (num,) = as_shape("linspace", num)
    if num < 0:
        raise ValueError(f"linspace: num: expected a number from 0 up, got {num}")
    start, stop = (v.item() if hasattr(v, "item") else v for v in (start, stop))
    is_complex = isinstance(start, complex) or isinstance(stop, complex)
    dtype = to_dtype(dtype) or (default_complex if is_complex else default_float)
    host = np.linspace(start, stop, num, endpoint=endpoint)
    return _made(_to(host.astype(dtype), device), requires_grad)


def logspace(start, stop, /, num, *, base=10.0, dtype=None, device=None, endpoint=True, requires_grad=False):
    """Values evenly spaced on a logarithmic scale.

    Formula: out[i] = base ** linspace(start, stop, num)[i].

    Args:
        start, stop: the exponents at the ends.
        num: how many values.
        base: the base of the powers.
        dtype, device, endpoint, requires_grad: as for `linspace`.

    Returns:
        Tensor of shape (num,).

    Raises:
        ValueError: `num` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.logspace(0, 2, 3)
        tensor([  1.,  10., 100.])
    """
    powers = base ** linspace(start, stop, num, dtype="float64", device="cpu", endpoint=endpoint).data
    return _made(_to(powers.astype(to_dtype(dtype) or default_float), device), requires_grad)


def eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None, requires_grad=False):
    """Ones on a diagonal, zeros elsewhere.

    Formula: out[i, j] = 1 where j - i = k, else 0.

    Args:
        n_rows, n_cols: the sizes; `n_cols` defaults to `n_rows`.
        k: which diagonal: 0 the main, positive above it, negative below.
        dtype, device, requires_grad: as for `zeros`.

    Returns:
        Tensor of shape (n_rows, n_cols).

    Raises:
        ValueError: a size is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.eye(2)
        tensor([[1., 0.],
                [0., 1.]])
    """
    rows, cols = _sizes("eye", (n_rows, n_rows if n_cols is None else n_cols), ())
    xp, dtype = as_device(device).xp, to_dtype(dtype) or default_float
    return _made(xp.eye(rows, cols, k=k, dtype=dtype), requires_grad)
