"""Other data types, other devices, other memory."""
from functools import partial

from ..autograd import primitive
from ..autograd.tensor import Tensor
from ..autograd.tensor import as_tensor as _as_tensor
from ..backend import Device, as_device, device_of, to_dtype

__all__ = ["to", "clone", "copy", "contiguous"]


def _move(xp, x, *, source, target):
    """`x` on the device named `target`; whichever way it goes, through the host, and never the same memory."""
    host = device_of(x).to_numpy(x)
    return as_device(target).from_numpy(host if "cuda" in (source, target) else host.copy())


_clone = primitive("clone", lambda xp, x: x.copy(), kind="view", x=lambda g: g)


def _back(xp, g, source, target):
    # Not by `xp`: the functions of a device return arrays of that device alone.
    return (_to_device if isinstance(g, Tensor) else partial(_move, xp))(g, source=target, target=source)


_to_device = primitive("to_device", _move, kind="opaque", x=_back)


def to(x, target=None, /, dtype=None, *, device=None, copy=False):
    """The tensor on another device, in another data type, or both.

    Formula: out = x.

    Args:
        x: tensor.
        target: a device ('cpu', 'strict', 'cuda'), a dtype, or a tensor to follow in both.
        dtype, device: the same by name.
        copy: copy even if nothing changes.

    Returns:
        Tensor of the shape of `x`; `x` itself if nothing changes. Gradients flow back to where `x` lives.

    Raises:
        TypeError: the dtype is not supported.
        ValueError: the device is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.tensor([1, 2]).to(tn.float32)
        tensor([1., 2.])
    """
    from . import astype
    x = _as_tensor(x)
    if isinstance(target, Tensor):
        device, dtype = target.device, target.dtype
    elif isinstance(target, Device) or (isinstance(target, str) and target.split(":")[0] in ("cpu", "strict", "cuda")):
        device = target
    elif target is not None:
        dtype = target
    source = x
    dtype = to_dtype(dtype)
    if dtype is not None and dtype != x.dtype:
        x = astype(x, dtype)
    if device is not None and (goal := as_device(device)) is not x.device:
        x = _to_device(x, source=x.device.name, target=goal.name)
    return _clone(x) if copy and x is source else x


def clone(x, /):
    """A copy in its own memory; gradients flow through it.

    Formula: out = x.

    Args:
        x: tensor.

    Returns:
        Tensor of the same shape and dtype, in C order.

    Raises:
        TypeError: `x` is not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.clone(tn.tensor([1.0]))
        tensor([1.])
    """
    return _clone(x)


def copy(x, /):
    """NumPy's name for `clone`.

    Formula: out = x.

    Args:
        x: tensor.

    Returns:
        Tensor of the same shape and dtype.

    Raises:
        TypeError: `x` is not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.tensor([1.0]).copy()
        tensor([1.])
    """
    return _clone(x)


def contiguous(x, /):
    """The tensor with its elements one after the other in memory, in C order.

    Formula: out = x.

    Args:
        x: tensor.

    Returns:
        `x` itself if it is so already, else a copy.

    Raises:
        TypeError: `x` is not numeric.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.zeros((2, 3)).T.contiguous().shape
        (3, 2)
    """
    x = _as_tensor(x)
    return x if x.data.flags.c_contiguous else _clone(x)
