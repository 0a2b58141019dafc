"""Convolutions that learn their number of input channels from the first batch they see."""
from __future__ import annotations

from typing import TYPE_CHECKING

from .convolution import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    _Conv,
    _Convolution,
    _Transpose,
)
from .lazy import LazyModuleMixin, UninitializedParameter, materialize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..typing import DeviceLike, DTypeLike

__all__ = ["LazyConv1d", "LazyConv2d", "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d",
           "LazyConvTranspose3d"]


class _Lazy(LazyModuleMixin, _Conv):
    """What lazy convolutions share."""

    def _make(self, bias, device, dtype):
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.register_parameter("bias", UninitializedParameter(device=device, dtype=dtype) if bias else None)

    def reset_parameters(self, generator=None):
        if not self.has_uninitialized_params():
            super().reset_parameters(generator)

    def initialize_parameters(self, input: Tensor) -> None:
        fresh = self.has_uninitialized_params()
        if fresh and input.ndim not in (self.axes + 1, self.axes + 2):
            raise ValueError(f"{type(self).__name__}: input: expected {self.axes + 2} axes, or {self.axes + 1} without "
                             f"the batch, got shape {input.shape}")
        given = self.weight.shape
        self.in_channels = input.shape[-self.axes - 1] if fresh else given[0] if self.transposed else \
            given[1] * self.groups
        if self.in_channels % self.groups:
            raise ValueError(f"groups={self.groups} must divide the {self.in_channels} channels of input {input.shape}")
        if fresh:
            materialize(self, weight=self._shape(), bias=(self.out_channels,))
            self.reset_parameters()


class _LazyConvolution(_Lazy, _Convolution):
    def __init__(self, out_channels: int, kernel_size: int | Sequence[int], stride: int | Sequence[int] = 1,
                 padding: int | str | Sequence[int] = 0, dilation: int | Sequence[int] = 1, groups: int = 1,
                 bias: bool = True, padding_mode: str = "zeros", device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(0, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device,
                         dtype)


class LazyConv1d(_LazyConvolution):
    """A Conv1d whose in_channels are those of its first input.

    Args:
        out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype: as in `Conv1d`.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.LazyConv1d(8, 3)
        >>> layer(tn.zeros((2, 4, 10))).shape, layer
        ((2, 8, 8), Conv1d(4, 8, kernel_size=(3,), stride=(1,)))
    """

    axes, cls_to_become = 1, Conv1d


class LazyConv2d(_LazyConvolution):
    """A Conv2d whose in_channels are those of its first input.

    Args:
        out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype: as in `Conv2d`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LazyConv2d(8, 3)(tn.zeros((2, 4, 10, 10))).shape
        (2, 8, 8, 8)
    """

    axes, cls_to_become = 2, Conv2d


class LazyConv3d(_LazyConvolution):
    """A Conv3d whose in_channels are those of its first input.

    Args:
        out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype: as in `Conv3d`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LazyConv3d(8, 1)(tn.zeros((2, 4, 2, 2, 2))).shape
        (2, 8, 2, 2, 2)
    """

    axes, cls_to_become = 3, Conv3d


class _LazyTranspose(_Lazy, _Transpose):
    def __init__(self, out_channels: int, kernel_size: int | Sequence[int], stride: int | Sequence[int] = 1,
                 padding: int | Sequence[int] = 0, output_padding: int | Sequence[int] = 0, groups: int = 1,
                 bias: bool = True, dilation: int | Sequence[int] = 1, padding_mode: str = "zeros",
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(0, out_channels, kernel_size, stride, padding, output_padding, groups, bias, dilation,
                         padding_mode, device, dtype)


class LazyConvTranspose1d(_LazyTranspose):
    """A ConvTranspose1d whose in_channels are those of its first input.

    Args:
        out_channels, kernel_size, stride, padding, output_padding: as in `ConvTranspose1d`.
        groups, bias, dilation, padding_mode, device, dtype: likewise.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LazyConvTranspose1d(8, 2, stride=2)(tn.zeros((2, 4, 10))).shape
        (2, 8, 20)
    """

    axes, cls_to_become = 1, ConvTranspose1d


class LazyConvTranspose2d(_LazyTranspose):
    """A ConvTranspose2d whose in_channels are those of its first input.

    Args:
        out_channels, kernel_size, stride, padding, output_padding: as in `ConvTranspose2d`.
        groups, bias, dilation, padding_mode, device, dtype: likewise.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LazyConvTranspose2d(8, 2, stride=2)(tn.zeros((2, 4, 5, 5))).shape
        (2, 8, 10, 10)
    """

    axes, cls_to_become = 2, ConvTranspose2d


class LazyConvTranspose3d(_LazyTranspose):
    """A ConvTranspose3d whose in_channels are those of its first input.

    Args:
        out_channels, kernel_size, stride, padding, output_padding: as in `ConvTranspose3d`.
        groups, bias, dilation, padding_mode, device, dtype: likewise.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LazyConvTranspose3d(8, 2)(tn.zeros((2, 4, 2, 2, 2))).shape
        (2, 8, 3, 3, 3)
    """

    axes, cls_to_become = 3, ConvTranspose3d
