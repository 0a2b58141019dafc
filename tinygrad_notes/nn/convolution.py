"""Convolution layers over one, two or three axes, and their transposes.

    N batch   C_in, C_out channels   k sizes of the kernel   L, H, W sizes of the input
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..autograd import as_tensor
from . import functional as F
from . import init
from .functional.common import per_axis
from .functional.convolution import borders
from .linear import new_parameter, size
from .module import Module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..backend import Generator
    from ..typing import ArrayLike, DeviceLike, DTypeLike
    from .parameter import Parameter

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "Fold", "Unfold"]

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _Conv(Module):
    """What convolutions and their transposes over any number of axes share."""

    axes: int
    transposed = False
    weight: Parameter
    bias: Parameter | None

    def __init__(self, in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode,
                 device, dtype, output_padding=0):
        super().__init__()
        self.in_channels, self.out_channels = size("in_channels", in_channels), size("out_channels", out_channels)
        self.groups = size("groups", groups, 1)
        for name, channels in (("in_channels", self.in_channels), ("out_channels", self.out_channels)):
            if channels % self.groups:
                raise ValueError(f"groups={self.groups} must divide {name}={channels}")
        if padding_mode not in PADDING_MODES:
            raise ValueError(f"padding_mode: expected one of {', '.join(map(repr, PADDING_MODES))}, got "
                             f"{padding_mode!r}")
        self.kernel_size = per_axis("kernel_size", kernel_size, self.axes, 1)
        self.stride = per_axis("stride", stride, self.axes, 1)
        self.dilation = per_axis("dilation", dilation, self.axes, 1)
        self.output_padding = per_axis("output_padding", output_padding, self.axes)
        borders(type(self).__name__, padding, self.kernel_size, self.stride, self.dilation)  # raises if it is wrong
        self.padding = padding if isinstance(padding, str) else per_axis("padding", padding, self.axes)
        self.padding_mode = padding_mode
        self._make(bias, device, dtype)

    def _shape(self):
        outer, inner = self.out_channels, self.in_channels
        if self.transposed:
            outer, inner = inner, outer
        return (outer, inner // self.groups, *self.kernel_size)

    def _make(self, bias, device, dtype):
        self.weight = new_parameter(self._shape(), device, dtype)
        self.register_parameter("bias", new_parameter((self.out_channels,), device, dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the parameters anew: U(-k, k) with k = 1 / sqrt(fan_in), which is `kaiming_uniform_(a=sqrt(5))`."""
        fan_in, _ = init.fans(self.weight)
        limit = 1 / math.sqrt(fan_in) if fan_in else 0.0
        init.uniform_(self.weight, -limit, limit, generator)
        if self.bias is not None:
            init.uniform_(self.bias, -limit, limit, generator)

    def extra_repr(self):
        none = (0,) * self.axes
        shown = {"padding": (self.padding, none), "dilation": (self.dilation, (1,) * self.axes),
                 "output_padding": (self.output_padding, none), "groups": (self.groups, 1),
                 "bias": (self.bias is not None, True), "padding_mode": (self.padding_mode, "zeros")}
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        parts += [f"{name}={value}" for name, (value, usual) in shown.items() if value != usual]
        return ", ".join(parts)


class _Convolution(_Conv):
    """A convolution over `axes` axes."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int | Sequence[int],
                 stride: int | Sequence[int] = 1, padding: int | str | Sequence[int] = 0,
                 dilation: int | Sequence[int] = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros",
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode,
                         device, dtype)

    def forward(self, input: ArrayLike) -> Tensor:
        convolve = (F.conv1d, F.conv2d, F.conv3d)[self.axes - 1]
        padding = self.padding
        if self.padding_mode != "zeros":
            pairs = borders(type(self).__name__, padding, self.kernel_size, self.stride, self.dilation)
            input, padding = F.pad(input, [n for pair in reversed(pairs) for n in pair], self.padding_mode), 0
        return convolve(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Convolution):
    """A learned kernel moved along a sequence.

    Formula: out = w * x + b as in `nn.functional.conv1d`; w and b ~ U(-s, s) with s = 1 / sqrt(C_in / groups k).

    Args:
        in_channels, out_channels: C_in and C_out.
        kernel_size: elements k of the kernel.
        stride: elements from one window to the next.
        padding: zeros on both sides; or 'valid' (none), or 'same' (keeps L; stride 1 only).
        dilation: distance of the kernel's elements; 1 leaves no gap.
        groups: channels in so many groups of their own; groups = C_in is a depthwise convolution.
        bias: whether there is a b.
        padding_mode: what stands in the border: 'zeros', 'reflect' (mirror image), 'replicate' (nearest element) or
            'circular' (other end).
        device, dtype: of the parameters.

    Attributes:
        weight: (C_out, C_in / groups, k); C_out (C_in / groups k + 1) parameters in all.
        bias: (C_out,), or None.

    Raises:
        ValueError: an option is out of range, or groups does not divide the channels; at the call: x has other
            channels, or the kernel reaches beyond the padded input.

    Source: Prince 2023, "Understanding deep learning", section 10.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.Conv1d(3, 8, 5, stride=2, padding=2)
        >>> layer
        Conv1d(3, 8, kernel_size=(5,), stride=(2,), padding=(2,))
        >>> layer(tn.zeros((4, 3, 40))).shape
        (4, 8, 20)
    """

    axes = 1


class Conv2d(_Convolution):
    """A learned kernel moved over an image.

    Formula: out = w * x + b as in `nn.functional.conv2d`; w and b ~ U(-s, s) with s = 1 / sqrt(C_in / groups kH kW).

    Args:
        in_channels, out_channels: C_in and C_out.
        kernel_size, stride, padding, dilation: as in `Conv1d`, an int or a pair.
        groups, bias, padding_mode, device, dtype: as in `Conv1d`.

    Attributes:
        weight: (C_out, C_in / groups, kH, kW).
        bias: (C_out,), or None.

    Raises:
        ValueError: as `Conv1d`.

    Source: Prince 2023, "Understanding deep learning", section 10.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.Conv2d(3, 64, 3, padding="same")
        >>> layer(tn.zeros((2, 3, 8, 8))).shape, layer.count_params()
        ((2, 64, 8, 8), 1792)
    """

    axes = 2


class Conv3d(_Convolution):
    """A learned kernel moved through a volume.

    Args:
        in_channels, out_channels: C_in and C_out.
        kernel_size, stride, padding, dilation: as in `Conv1d`, an int or three of them.
        groups, bias, padding_mode, device, dtype: as in `Conv1d`.

    Attributes:
        weight: (C_out, C_in / groups, kD, kH, kW).
        bias: (C_out,), or None.

    Raises:
        ValueError: as `Conv1d`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Conv3d(1, 4, 2, stride=2)(tn.zeros((3, 1, 4, 6, 8))).shape
        (3, 4, 2, 3, 4)
    """

    axes = 3


class _Transpose(_Conv):
    """The transpose of a convolution over `axes` axes."""

    transposed = True

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int | Sequence[int],
                 stride: int | Sequence[int] = 1, padding: int | Sequence[int] = 0,
                 output_padding: int | Sequence[int] = 0, groups: int = 1, bias: bool = True,
                 dilation: int | Sequence[int] = 1, padding_mode: str = "zeros", device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        if padding_mode != "zeros":
            raise ValueError(f"padding_mode: a transposed convolution has 'zeros' only, got {padding_mode!r}")
        if isinstance(padding, str):
            raise ValueError(f"padding: expected numbers, got {padding!r}")
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode,
                         device, dtype, output_padding)

    def forward(self, input: ArrayLike, output_size: Sequence[int] | None = None) -> Tensor:
        input = as_tensor(input)
        more = self.output_padding if output_size is None else self._missing(input, output_size)
        convolve = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self.axes - 1]
        return convolve(input, self.weight, self.bias, self.stride, self.padding, more, self.groups, self.dilation)

    def _missing(self, input, output_size):
        """The output padding that makes the output as large as asked for."""
        wanted = tuple(output_size)
        sizes = input.shape[-self.axes:]
        if len(wanted) == input.ndim:
            wanted = wanted[-self.axes:]
        if len(wanted) != self.axes:
            raise ValueError(f"output_size: expected {self.axes} sizes, or {input.ndim} with batch and channels, got "
                             f"{tuple(output_size)}")
        least = tuple([(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in
                       zip(sizes, self.stride, self.padding, self.dilation, self.kernel_size)])
        if any(not low <= n < low + s for n, low, s in zip(wanted, least, self.stride)):
            most = tuple([low + s - 1 for low, s in zip(least, self.stride)])
            raise ValueError(f"output_size: an input of sizes {sizes} gives sizes from {least} to {most}, got {wanted}")
        return tuple([n - low for n, low in zip(wanted, least)])


class ConvTranspose1d(_Transpose):
    """The transpose of a strided convolution along a sequence: makes it longer.

    Formula: as `nn.functional.conv_transpose1d`; w and b ~ U(-s, s) with s = 1 / sqrt(C_out / groups k).

    Args:
        in_channels, out_channels: C_in and C_out.
        kernel_size: elements k of the kernel.
        stride: distance of the kernels painted, one per element of the input.
        padding: elements cut off on both sides of the output.
        output_padding: elements added at the end; less than stride or dilation.
        groups: channels in so many groups of their own.
        bias: whether there is a b.
        dilation: distance of the kernel's elements; 1 leaves no gap.
        padding_mode: 'zeros'.
        device, dtype: of the parameters.

    Attributes:
        weight: (C_in, C_out / groups, k).
        bias: (C_out,), or None.

    Raises:
        ValueError: an option is out of range, or groups does not divide the channels; at the call: x has other
            channels, or `output_size` cannot be reached.

    Source: Prince 2023, "Understanding deep learning", section 10.4.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.ConvTranspose1d(8, 3, 3, stride=2, padding=1)
        >>> layer(tn.zeros((4, 8, 10))).shape, layer(tn.zeros((4, 8, 10)), output_size=(20,)).shape
        ((4, 3, 19), (4, 3, 20))
    """

    axes = 1


class ConvTranspose2d(_Transpose):
    """The transpose of a strided convolution over an image: makes it larger.

    Args:
        in_channels, out_channels: C_in and C_out.
        kernel_size, stride, padding, output_padding, dilation: as in `ConvTranspose1d`, an int or a pair.
        groups, bias, padding_mode, device, dtype: as in `ConvTranspose1d`.

    Attributes:
        weight: (C_in, C_out / groups, kH, kW).
        bias: (C_out,), or None.

    Raises:
        ValueError: as `ConvTranspose1d`.

    Source: Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", section 4.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ConvTranspose2d(8, 3, 4, stride=2, padding=1)(tn.zeros((1, 8, 5, 7))).shape
        (1, 3, 10, 14)
    """

    axes = 2


class ConvTranspose3d(_Transpose):
    """The transpose of a strided convolution through a volume: makes it larger.

    Args:
        in_channels, out_channels: C_in and C_out.
        kernel_size, stride, padding, output_padding, dilation: as in `ConvTranspose1d`, an int or three of them.
        groups, bias, padding_mode, device, dtype: as in `ConvTranspose1d`.

    Attributes:
        weight: (C_in, C_out / groups, kD, kH, kW).
        bias: (C_out,), or None.

    Raises:
        ValueError: as `ConvTranspose1d`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ConvTranspose3d(4, 1, 2, stride=2)(tn.zeros((3, 4, 2, 3, 4))).shape
        (3, 1, 4, 6, 8)
    """

    axes = 3


class Unfold(Module):
    """Every window of an image as a column (im2col).

    Args:
        kernel_size, dilation, padding, stride: an int or a pair.

    Raises:
        ValueError: at the call: as `nn.functional.unfold`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Unfold(2)(tn.zeros((1, 3, 4, 5))).shape
        (1, 12, 12)
    """

    def __init__(self, kernel_size: int | Sequence[int], dilation: int | Sequence[int] = 1,
                 padding: int | Sequence[int] = 0, stride: int | Sequence[int] = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: ArrayLike) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self):
        return (f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
                f"stride={self.stride}")


class Fold(Module):
    """The transpose of `Unfold`: columns are put back where windows were, and what overlaps is added (col2im).

    Args:
        output_size: (H, W) of the image, an int or a pair.
        kernel_size, dilation, padding, stride: an int or a pair.

    Raises:
        ValueError: at the call: as `nn.functional.fold`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Fold((4, 5), 2)(tn.zeros((1, 12, 12))).shape
        (1, 3, 4, 5)
    """

    def __init__(self, output_size: int | Sequence[int], kernel_size: int | Sequence[int],
                 dilation: int | Sequence[int] = 1, padding: int | Sequence[int] = 0,
                 stride: int | Sequence[int] = 1) -> None:
        super().__init__()
        self.output_size, self.kernel_size = output_size, kernel_size
        self.dilation, self.padding, self.stride = dilation, padding, stride

    def forward(self, input: ArrayLike) -> Tensor:
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self):
        return (f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
                f"padding={self.padding}, stride={self.stride}")
