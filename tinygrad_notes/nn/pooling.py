"""Layers that pool: the largest element, the mean or the p-norm of each window that slides over the input."""
from __future__ import annotations

from typing import TYPE_CHECKING

from . import functional as F
from .module import Module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..typing import ArrayLike

__all__ = [
    "AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d",
    "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
]


def _each(value, axes):
    """`value` as a tuple with one entry per axis; what is wrong with it is said at the call."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes


class _MaxPool(Module):
    """What max pooling over any number of axes shares."""

    def __init__(self, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None,
                 padding: int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, return_indices: bool = False,
                 ceil_mode: bool = False) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def extra_repr(self) -> str:
        return (f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
                f"dilation={self.dilation}, ceil_mode={self.ceil_mode}")


class MaxPool1d(_MaxPool):
    """The largest element of each window of a sequence.

    Formula: see `nn.functional.max_pool1d`. (N, C, L) or (C, L) becomes (N, C, L').

    Args:
        kernel_size: elements of a window along each axis, an int.
        stride: steps from one window to the next; None: `kernel_size`.
        padding: elements of -inf around the input, at most half of `kernel_size`.
        dilation: steps from one element of a window to the next.
        return_indices: return (largest elements, their places), for `MaxUnpool1d`.
        ceil_mode: let the last windows hang over the end.

    Raises:
        ValueError: at the call, a number is out of its range, or no window fits into the input.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.MaxPool1d(2)(tn.ones((1, 4))).shape
        (1, 2)
    """

    def forward(self, input: ArrayLike) -> Tensor | tuple[Tensor, Tensor]:
        return F.max_pool1d(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
                            self.return_indices)


class MaxPool2d(_MaxPool):
    """The largest element of each window of an image.

    Formula: see `nn.functional.max_pool2d`. (N, C, H, W) or (C, H, W) becomes (N, C, H', W').

    Args:
        kernel_size: elements of a window along each axis, an int or a pair.
        stride: steps from one window to the next; None: `kernel_size`.
        padding: elements of -inf around the input, at most half of `kernel_size`.
        dilation: steps from one element of a window to the next.
        return_indices: return (largest elements, their places), for `MaxUnpool2d`.
        ceil_mode: let the last windows hang over the end.

    Raises:
        ValueError: at the call, a number is out of its range, or no window fits into the input.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.MaxPool2d(2)(tn.ones((1, 4, 4))).shape
        (1, 2, 2)
    """

    def forward(self, input: ArrayLike) -> Tensor | tuple[Tensor, Tensor]:
        return F.max_pool2d(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
                            self.return_indices)


class MaxPool3d(_MaxPool):
    """The largest element of each window of a volume.

    Formula: see `nn.functional.max_pool3d`. (N, C, D, H, W) or (C, D, H, W) becomes (N, C, D', H', W').

    Args:
        kernel_size: elements of a window along each axis, an int or one per axis.
        stride: steps from one window to the next; None: `kernel_size`.
        padding: elements of -inf around the input, at most half of `kernel_size`.
        dilation: steps from one element of a window to the next.
        return_indices: return (largest elements, their places), for `MaxUnpool3d`.
        ceil_mode: let the last windows hang over the end.

    Raises:
        ValueError: at the call, a number is out of its range, or no window fits into the input.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.MaxPool3d(2)(tn.ones((1, 4, 4, 4))).shape
        (1, 2, 2, 2)
    """

    def forward(self, input: ArrayLike) -> Tensor | tuple[Tensor, Tensor]:
        return F.max_pool3d(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
                            self.return_indices)


class _MaxUnpool(Module):
    """What the reverse of max pooling over any number of axes shares."""

    axes: int

    def __init__(self, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None,
                 padding: int | Sequence[int] = 0) -> None:
        super().__init__()
        self.kernel_size = _each(kernel_size, self.axes)
        self.stride = self.kernel_size if stride is None else _each(stride, self.axes)
        self.padding = _each(padding, self.axes)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """The elements of a sequence back where `MaxPool1d` took them from, zero elsewhere.

    Formula: see `nn.functional.max_unpool1d`. (N, C, L) or (C, L) becomes (N, C, L').

    Args:
        kernel_size, stride, padding: of the pooling that is undone.

    Raises:
        ValueError: at the call, a place is out of range, or `output_size` does not belong to this pooling.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> out, places = tn.nn.MaxPool1d(2, return_indices=True)(tn.ones((1, 4)))
        >>> tn.nn.MaxUnpool1d(2)(out, places).shape
        (1, 4)
    """

    axes = 1

    def forward(self, input: ArrayLike, indices: ArrayLike, output_size: Sequence[int] | None = None) -> Tensor:
        return F.max_unpool1d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(_MaxUnpool):
    """The elements of an image back where `MaxPool2d` took them from, zero elsewhere.

    Formula: see `nn.functional.max_unpool2d`. (N, C, H, W) or (C, H, W) becomes (N, C, H', W').

    Args:
        kernel_size, stride, padding: of the pooling that is undone.

    Raises:
        ValueError: at the call, a place is out of range, or `output_size` does not belong to this pooling.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> out, places = tn.nn.MaxPool2d(2, return_indices=True)(tn.ones((1, 4, 4)))
        >>> tn.nn.MaxUnpool2d(2)(out, places).shape
        (1, 4, 4)
    """

    axes = 2

    def forward(self, input: ArrayLike, indices: ArrayLike, output_size: Sequence[int] | None = None) -> Tensor:
        return F.max_unpool2d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool3d(_MaxUnpool):
    """The elements of a volume back where `MaxPool3d` took them from, zero elsewhere.

    Formula: see `nn.functional.max_unpool3d`. (N, C, D, H, W) or (C, D, H, W) becomes (N, C, D', H', W').

    Args:
        kernel_size, stride, padding: of the pooling that is undone.

    Raises:
        ValueError: at the call, a place is out of range, or `output_size` does not belong to this pooling.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> out, places = tn.nn.MaxPool3d(2, return_indices=True)(tn.ones((1, 4, 4, 4)))
        >>> tn.nn.MaxUnpool3d(2)(out, places).shape
        (1, 4, 4, 4)
    """

    axes = 3

    def forward(self, input: ArrayLike, indices: ArrayLike, output_size: Sequence[int] | None = None) -> Tensor:
        return F.max_unpool3d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class _AvgPool(Module):
    """What average pooling over any number of axes shares."""

    def __init__(self, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None,
                 padding: int | Sequence[int] = 0, ceil_mode: bool = False, count_include_pad: bool = True) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPool):
    """The mean of each window of a sequence.

    Formula: see `nn.functional.avg_pool1d`. (N, C, L) or (C, L) becomes (N, C, L').

    Args:
        kernel_size: elements of a window along each axis, an int.
        stride: steps from one window to the next; None: `kernel_size`.
        padding: elements of 0 around the input, at most half of `kernel_size`.
        ceil_mode: let the last windows hang over the end.
        count_include_pad: whether the border counts in the mean.

    Raises:
        ValueError: at the call, a number is out of its range, or no window fits into the input.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.AvgPool1d(2)(tn.ones((1, 4))).shape
        (1, 2)
    """

    def __init__(self, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None,
                 padding: int | Sequence[int] = 0, ceil_mode: bool = False, count_include_pad: bool = True) -> None:
        stride = kernel_size if stride is None else stride
        super().__init__(_each(kernel_size, 1), _each(stride, 1), _each(padding, 1), ceil_mode, count_include_pad)

    def forward(self, input: ArrayLike) -> Tensor:
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
                            self.count_include_pad)


class AvgPool2d(_AvgPool):
    """The mean of each window of an image.

    Formula: see `nn.functional.avg_pool2d`. (N, C, H, W) or (C, H, W) becomes (N, C, H', W').

    Args:
        kernel_size: elements of a window along each axis, an int or a pair.
        stride: steps from one window to the next; None: `kernel_size`.
        padding: elements of 0 around the input, at most half of `kernel_size`.
        ceil_mode: let the last windows hang over the end.
        count_include_pad: whether the border counts in the mean.
        divisor_override: what sums are divided by instead of the number of elements.

    Raises:
        ValueError: at the call, a number is out of its range, or no window fits into the input.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.AvgPool2d(2)(tn.ones((1, 4, 4))).shape
        (1, 2, 2)
    """

    def __init__(self, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None,
                 padding: int | Sequence[int] = 0, ceil_mode: bool = False, count_include_pad: bool = True,
                 divisor_override: int | None = None) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override

    def forward(self, input: ArrayLike) -> Tensor:
        return F.avg_pool2d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
                            self.count_include_pad, self.divisor_override)


class AvgPool3d(_AvgPool):
    """The mean of each window of a volume.

    Formula: see `nn.functional.avg_pool3d`. (N, C, D, H, W) or (C, D, H, W) becomes (N, C, D', H', W').

    Args:
        kernel_size: elements of a window along each axis, an int or one per axis.
        stride: steps from one window to the next; None: `kernel_size`.
        padding: elements of 0 around the input, at most half of `kernel_size`.
        ceil_mode: let the last windows hang over the end.
        count_include_pad: whether the border counts in the mean.
        divisor_override: what sums are divided by instead of the number of elements.

    Raises:
        ValueError: at the call, a number is out of its range, or no window fits into the input.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.AvgPool3d(2)(tn.ones((1, 4, 4, 4))).shape
        (1, 2, 2, 2)
    """

    def __init__(self, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None,
                 padding: int | Sequence[int] = 0, ceil_mode: bool = False, count_include_pad: bool = True,
                 divisor_override: int | None = None) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override

    def forward(self, input: ArrayLike) -> Tensor:
        return F.avg_pool3d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
                            self.count_include_pad, self.divisor_override)


class _LPPool(Module):
    """What pooling by p-norms over any number of axes shares."""

    def __init__(self, norm_type: float, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None,
                 ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode

    def extra_repr(self) -> str:
        return (f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
                f"ceil_mode={self.ceil_mode}")


class LPPool1d(_LPPool):
    """The p-norm of each window of a sequence.

    Formula: see `nn.functional.lp_pool1d`. (N, C, L) or (C, L) becomes (N, C, L').

    Args:
        norm_type: p; inf takes the largest absolute value.
        kernel_size: elements of a window along each axis, an int.
        stride: steps from one window to the next; None: `kernel_size`.
        ceil_mode: let the last windows hang over the end.

    Raises:
        ValueError: at the call, a number is out of its range, or no window fits into the input.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LPPool1d(2, 2)(tn.ones((1, 4))).shape
        (1, 2)
    """

    def forward(self, input: ArrayLike) -> Tensor:
        return F.lp_pool1d(input, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class LPPool2d(_LPPool):
    """The p-norm of each window of an image.

    Formula: see `nn.functional.lp_pool2d`. (N, C, H, W) or (C, H, W) becomes (N, C, H', W').

    Args:
        norm_type: p; inf takes the largest absolute value.
        kernel_size: elements of a window along each axis, an int or a pair.
        stride: steps from one window to the next; None: `kernel_size`.
        ceil_mode: let the last windows hang over the end.

    Raises:
        ValueError: at the call, a number is out of its range, or no window fits into the input.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LPPool2d(2, 2)(tn.ones((1, 4, 4))).shape
        (1, 2, 2)
    """

    def forward(self, input: ArrayLike) -> Tensor:
        return F.lp_pool2d(input, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class LPPool3d(_LPPool):
    """The p-norm of each window of a volume.

    Formula: see `nn.functional.lp_pool3d`. (N, C, D, H, W) or (C, D, H, W) becomes (N, C, D', H', W').

    Args:
        norm_type: p; inf takes the largest absolute value.
        kernel_size: elements of a window along each axis, an int or one per axis.
        stride: steps from one window to the next; None: `kernel_size`.
        ceil_mode: let the last windows hang over the end.

    Raises:
        ValueError: at the call, a number is out of its range, or no window fits into the input.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LPPool3d(2, 2)(tn.ones((1, 4, 4, 4))).shape
        (1, 2, 2, 2)
    """

    def forward(self, input: ArrayLike) -> Tensor:
        return F.lp_pool3d(input, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)
