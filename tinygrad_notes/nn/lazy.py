"""Layers that learn the size of their input from the first batch they see."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..autograd import as_tensor
from ..backend import as_device, default_float, to_dtype
from .linear import Linear
from .module import Module
from .parameter import Buffer, Parameter

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..typing import DeviceLike, DTypeLike

__all__ = ["LazyLinear", "LazyModuleMixin", "UninitializedBuffer", "UninitializedParameter"]


def _nothing(device, dtype):
    return as_tensor(as_device(device).xp.zeros((0,), dtype=to_dtype(dtype) or default_float))


class UninitializedParameter(Parameter):
    """A Parameter whose shape is not known yet: empty until `materialize` gives it one.

    Args:
        requires_grad: whether a gradient is wanted.
        device, dtype: as it will have.

    Example:
        >>> import tinygrad_notes as tn
        >>> p = tn.nn.UninitializedParameter()
        >>> p
        <UninitializedParameter>
        >>> p.materialize((2, 3)); p.shape, type(p).__name__
        ((2, 3), 'Parameter')
    """

    __slots__ = ()

    def __init__(self, requires_grad: bool = True, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(_nothing(device, dtype), requires_grad)

    def materialize(self, shape: tuple[int, ...]) -> None:
        """Become an ordinary Parameter of zeros of this shape; who holds it holds that."""
        self.data = self.device.xp.zeros(shape, dtype=self.dtype)
        self.__class__ = Parameter  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "<UninitializedParameter>"


class UninitializedBuffer(Buffer):
    """A Buffer whose shape is not known yet: empty until `materialize` gives it one.

    Args:
        device, dtype: as it will have.
        persistent: whether it is part of the module's `state_dict`.

    Example:
        >>> import tinygrad_notes as tn
        >>> b = tn.nn.UninitializedBuffer()
        >>> b.materialize((2,)); b.shape
        (2,)
    """

    __slots__ = ()

    def __init__(self, device: DeviceLike | None = None, dtype: DTypeLike | None = None,
                 persistent: bool = True) -> None:
        super().__init__(_nothing(device, dtype), persistent=persistent)

    def materialize(self, shape: tuple[int, ...]) -> None:
        """Become an ordinary Buffer of zeros of this shape."""
        self.data = self.device.xp.zeros(shape, dtype=self.dtype)
        self.__class__ = Buffer  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "<UninitializedBuffer>"


class LazyModuleMixin:
    """Base of layers that learn the size of their input at the first call, and then become an ordinary layer.

    A lazy class names that layer in `cls_to_become`, makes `UninitializedParameter`s in `__init__`, and gives them
    their shapes in `initialize_parameters`. Its attributes are those of the ordinary layer, and so are the keys of
    its `state_dict`; loading one gives the shapes too. Call the model once, or load it, before its parameters are used.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.LazyLinear(3)
        >>> layer(tn.zeros((4, 2))).shape, layer
        ((4, 3), Linear(in_features=2, out_features=3, bias=True))
    """

    cls_to_become: ClassVar[type[Module]]

    def has_uninitialized_params(self) -> bool:
        """Whether the shape of some own parameter or buffer is still unknown."""
        return any(isinstance(value, (UninitializedParameter, UninitializedBuffer))
                   for value in (self.__dict__[name] for name in self._roles))  # type: ignore[attr-defined]

    def initialize_parameters(self, *inputs: Any) -> None:
        """Give the parameters their shapes and first values, from the inputs of the first call."""
        raise NotImplementedError(f"{type(self).__name__} defines no initialize_parameters")

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Give the parameters their shapes, become the ordinary layer, and be called as that."""
        self.initialize_parameters(*inputs)
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        return self.forward(*inputs, **options)


class LazyLinear(LazyModuleMixin, Linear):
    """A Linear whose in_features is the size of the last axis of its first input.

    Args:
        out_features, bias, device, dtype: as in `Linear`.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.LazyLinear(3)
        >>> layer
        LazyLinear(in_features=0, out_features=3, bias=True)
        >>> layer(tn.zeros((4, 2))).shape
        (4, 3)
    """

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(0, 0, False)
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self, generator=None):
        if not self.has_uninitialized_params() and self.in_features:
            super().reset_parameters(generator)

    def initialize_parameters(self, input: Tensor) -> None:
        fresh = self.has_uninitialized_params()
        self.in_features = input.shape[-1] if fresh else self.weight.shape[1]
        if fresh:
            materialize(self, weight=(self.out_features, self.in_features), bias=(self.out_features,))
            self.reset_parameters()


def materialize(module, **shapes):
    """Give the own parameters and buffers of a module that have no shape yet these shapes."""
    for name, shape in shapes.items():
        value = getattr(module, name)
        if hasattr(value, "materialize"):
            value.materialize(tuple(shape))
