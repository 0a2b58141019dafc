"""Methods that a Tensor has in PyTorch, and `size`, which is a number there only where it is called."""
from __future__ import annotations

from typing import Any

from .. import ops
from ..autograd import Tensor
from ..backend import to_dtype
from ..ops import inplace
from ..ops.axes import one_axis
from . import arrays, meanings, names, parts, statistics, words

# Methods that are the function of the same name.
FUNCTIONS = (
    (parts, "diagflat diagonal_scatter dsplit fliplr flipud hsplit narrow repeat_interleave select select_scatter "
            "slice_scatter unbind vsplit"),
    (statistics, "clamp_max clamp_min corrcoef cov dist div histc mode msort nanmedian renorm sub unique "
                 "unique_consecutive"),
    (names, "is_floating_point"),
    (arrays, "nanquantile split_with_sizes t take_along_dim tensor_split"),
)


def new_zeros(self: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of this dtype on this device."""
    return ops.zeros(*size, dtype=dtype or self.dtype, device=device or self.device, requires_grad=requires_grad)


def new_ones(self: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of this dtype on this device."""
    return ops.ones(*size, dtype=dtype or self.dtype, device=device or self.device, requires_grad=requires_grad)


def new_empty(self: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor without values, of this dtype on this device."""
    return ops.empty(*size, dtype=dtype or self.dtype, device=device or self.device, requires_grad=requires_grad)


def new_full(self: Tensor, size: Any, fill_value: Any, dtype: Any = None, device: Any = None,
             requires_grad: bool = False) -> Tensor:
    """One value everywhere, of this dtype on this device."""
    return ops.full(size, fill_value, dtype=dtype or self.dtype, device=device or self.device,
                    requires_grad=requires_grad)


def new_tensor(self: Tensor, data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of data, of this dtype on this device."""
    return ops.tensor(data, dtype or self.dtype, device or self.device, requires_grad)


def type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in the dtype of another."""
    return self.to(other.dtype)


def view_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in the shape of another."""
    return ops.reshape(self, other.shape)


def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor repeated to the shape of another, without a copy."""
    return ops.broadcast_to(self, other.shape)


def unfold(self: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of a length along an axis, on a new last axis.

    Raises:
        ValueError: the windows are longer than the axis, or `step` is not positive.
    """
    if not self.ndim:  # a 0-d tensor has one place
        return unfold(ops.ravel(self), dimension, size, step)[0]
    axis = one_axis("unfold", dimension, self.ndim)
    n = self.shape[axis]
    if size > n or size < 0 or step < 1:
        raise ValueError(f"unfold: expected size in [0, {n}] and step >= 1, got {size} and {step}")
    starts = ops.arange(0, n - size + 1, step, dtype="int64", device=self.device)
    places = ops.reshape(starts, (-1, 1)) + ops.arange(size, dtype="int64", device=self.device)  # (windows, size)
    taken = ops.take(self, ops.ravel(places), axis=axis)
    return ops.moveaxis(ops.unflatten(taken, axis, places.shape), axis + 1, -1)


def sum_to_size(self: Tensor, *size: Any) -> Tensor:
    """Summed to a shape that broadcasts to this one.

    Raises:
        ValueError: it does not.
    """
    shape = tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
    extra = self.ndim - len(shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, self.shape[extra:])):
        raise ValueError(f"sum_to_size: {shape} does not broadcast to this tensor's shape {self.shape}")
    axes = (*range(extra), *(i + extra for i, n in enumerate(shape) if n != self.shape[i + extra]))
    return ops.reshape(ops.sum(self, axes), shape) if axes else self


def element_size(self: Tensor) -> int:
    """The bytes of one element."""
    return self.dtype.itemsize


def is_cuda(self: Tensor) -> bool:
    """Whether it lives on the GPU."""
    return str(self.device) == "cuda"


def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """Overwritten with ones, with probability p, and zeros."""
    return self.copy_(ops.bernoulli(p, self.shape, generator=generator, dtype=self.dtype, device=self.device)
                      if isinstance(p, (int, float)) else ops.bernoulli(p, generator=generator))


def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Any = None) -> Tensor:
    """Overwritten with draws of an exponential distribution of rate lambd."""
    return self.copy_(ops.exponential(self.shape, lambd, generator=generator, dtype=self.dtype, device=self.device))


def _casting(target):
    def method(self):
        return self.to(target)
    method.__doc__ = f"The tensor as {target}."
    return method


class Count(int):
    """The number of elements; called, the shape or the length of an axis, as PyTorch's `size()`."""

    shape: tuple[int, ...]

    def __call__(self, dim: int | None = None) -> Any:
        """The shape, or the length of one axis."""
        return self.shape if dim is None else self.shape[one_axis("size", dim, len(self.shape))]


def _size(self):
    """The number of elements, an int; called, PyTorch's `size()`: the shape, or the length of an axis."""
    count = Count(self.data.size)
    count.shape = self.data.shape
    return count


def bind() -> None:
    """Give Tensor these methods."""
    for home, text in FUNCTIONS:
        for name in text.split():
            setattr(Tensor, name, getattr(home, name))
    for method in (new_zeros, new_ones, new_empty, new_full, new_tensor, type_as, view_as, expand_as, unfold,
                   sum_to_size, element_size, bernoulli_, exponential_):
        setattr(Tensor, method.__name__, method)
    for name, target in {"short": "int16", "byte": "uint8", "char": "int8"}.items():
        setattr(Tensor, name, _casting(to_dtype(target)))
    for name, target in names.ALIASES.items():
        if target in vars(Tensor):
            setattr(Tensor, name, vars(Tensor)[target])
    for name, target in inplace.METHODS.items():  # those that write understand the same words
        if target in words.SPELLED or target in meanings.MEANINGS:
            setattr(Tensor, name, inplace.in_place_method(name, meanings.MEANINGS.get(target) or words.SPELLED[target]))
    for name, member in {"nelement": Tensor.numel, "reshape_as": view_as, "is_cuda": property(is_cuda),
                         "size": property(_size)}.items():
        setattr(Tensor, name, member)

