"""Layers that pool to a size that is given: even windows, and windows at random places."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import functional as F
from .module import Module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..typing import ArrayLike

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "FractionalMaxPool2d", "FractionalMaxPool3d",
]


class _AdaptiveAvgPool(Module):
    """What adaptive average pooling over any number of axes shares."""

    def __init__(self, output_size: int | None | Sequence[int | None]) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The means of windows that share out a sequence.

    Formula: see `nn.functional.adaptive_avg_pool1d`. (N, C, L) or (C, L) becomes (N, C, L').

    Args:
        output_size: the new sizes, an int; 1 for the mean of all; None for an axis that keeps its size.

    Raises:
        ValueError: at the call, a size is negative, or the input has other axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.AdaptiveAvgPool1d(1)(tn.ones((1, 4))).shape
        (1, 1)
    """

    def forward(self, input: ArrayLike) -> Tensor:
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of windows that share out an image.

    Formula: see `nn.functional.adaptive_avg_pool2d`. (N, C, H, W) or (C, H, W) becomes (N, C, H', W').

    Args:
        output_size: the new sizes, an int or a pair; 1 for the mean of all; None for an axis that keeps its size.

    Raises:
        ValueError: at the call, a size is negative, or the input has other axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.AdaptiveAvgPool2d(1)(tn.ones((1, 4, 4))).shape
        (1, 1, 1)
    """

    def forward(self, input: ArrayLike) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The means of windows that share out a volume.

    Formula: see `nn.functional.adaptive_avg_pool3d`. (N, C, D, H, W) or (C, D, H, W) becomes (N, C, D', H', W').

    Args:
        output_size: the new sizes, an int or one per axis; 1 for the mean of all; None for an axis that keeps its size.

    Raises:
        ValueError: at the call, a size is negative, or the input has other axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.AdaptiveAvgPool3d(1)(tn.ones((1, 4, 4, 4))).shape
        (1, 1, 1, 1)
    """

    def forward(self, input: ArrayLike) -> Tensor:
        return F.adaptive_avg_pool3d(input, self.output_size)


class _AdaptiveMaxPool(_AdaptiveAvgPool):
    """What adaptive max pooling over any number of axes shares."""

    def __init__(self, output_size: int | None | Sequence[int | None], return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest elements of windows that share out a sequence.

    Formula: see `nn.functional.adaptive_max_pool1d`. (N, C, L) or (C, L) becomes (N, C, L').

    Args:
        output_size: the new sizes, an int; 1 for the largest of all; None for an axis as it is.
        return_indices: return (largest elements, their places).

    Raises:
        ValueError: at the call, a size is negative, or the input has other axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.AdaptiveMaxPool1d(1)(tn.ones((1, 4))).shape
        (1, 1)
    """

    def forward(self, input: ArrayLike) -> Tensor | tuple[Tensor, Tensor]:
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest elements of windows that share out an image.

    Formula: see `nn.functional.adaptive_max_pool2d`. (N, C, H, W) or (C, H, W) becomes (N, C, H', W').

    Args:
        output_size: the new sizes, an int or a pair; 1 for the largest of all; None for an axis as it is.
        return_indices: return (largest elements, their places).

    Raises:
        ValueError: at the call, a size is negative, or the input has other axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.AdaptiveMaxPool2d(1)(tn.ones((1, 4, 4))).shape
        (1, 1, 1)
    """

    def forward(self, input: ArrayLike) -> Tensor | tuple[Tensor, Tensor]:
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest elements of windows that share out a volume.

    Formula: see `nn.functional.adaptive_max_pool3d`. (N, C, D, H, W) or (C, D, H, W) becomes (N, C, D', H', W').

    Args:
        output_size: the new sizes, an int or one per axis; 1 for the largest of all; None for an axis as it is.
        return_indices: return (largest elements, their places).

    Raises:
        ValueError: at the call, a size is negative, or the input has other axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.AdaptiveMaxPool3d(1)(tn.ones((1, 4, 4, 4))).shape
        (1, 1, 1, 1)
    """

    def forward(self, input: ArrayLike) -> Tensor | tuple[Tensor, Tensor]:
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class _FractionalMaxPool(Module):
    """What fractional max pooling over any number of axes shares."""

    axes: int
    _random_samples: Tensor | None

    def __init__(self, kernel_size: int | Sequence[int], output_size: int | Sequence[int] | None = None,
                 output_ratio: float | Sequence[float] | None = None, return_indices: bool = False,
                 _random_samples: Tensor | None = None) -> None:
        super().__init__()
        self.kernel_size, self.output_size, self.output_ratio = kernel_size, output_size, output_ratio
        self.return_indices = return_indices
        if (output_size is None) == (output_ratio is None):
            raise ValueError(f"{type(self).__name__}: expected either output_size or output_ratio, got {output_size!r} "
                             f"and {output_ratio!r}")
        ratios: Any = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * self.axes
        if output_ratio is not None and (len(ratios) != self.axes or not all(0 < r < 1 for r in ratios)):
            raise ValueError(f"{type(self).__name__}: output_ratio: expected numbers between 0 and 1, one or "
                             f"{self.axes}, got {output_ratio!r}")
        self.register_buffer("_random_samples", _random_samples)


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest elements of windows at random places, so that an image shrinks by any factor.

    Formula: see `nn.functional.fractional_max_pool2d`. (N, C, H, W) or (C, H, W) becomes (N, C, H', W').

    Args:
        kernel_size: elements of a window along each axis, an int or a pair.
        output_size: the new sizes, an int or a pair.
        output_ratio: instead, new size over old, between 0 and 1, a number or one per axis.
        return_indices: return (largest elements, their places).
        _random_samples: (N, C, 2) numbers in [0, 1) that place the windows; by default drawn at every call.

    Raises:
        ValueError: not exactly one of size and ratio is given, or a ratio is out of range; at the call: the input is
            too small.

    Source: Graham 2014, "Fractional max-pooling".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.FractionalMaxPool2d(2, output_ratio=0.7)(tn.ones((1, 7, 7))).shape
        (1, 4, 4)
    """

    axes = 2

    def forward(self, input: ArrayLike) -> Tensor | tuple[Tensor, Tensor]:
        return F.fractional_max_pool2d(input, self.kernel_size, self.output_size, self.output_ratio,
                                       self.return_indices, self._random_samples)


class FractionalMaxPool3d(_FractionalMaxPool):
    """The largest elements of windows at random places, so that a volume shrinks by any factor.

    Formula: see `nn.functional.fractional_max_pool3d`. (N, C, D, H, W) or (C, D, H, W) becomes (N, C, D', H', W').

    Args:
        kernel_size: elements of a window along each axis, an int or one per axis.
        output_size: the new sizes, an int or one per axis.
        output_ratio: instead, new size over old, between 0 and 1, a number or one per axis.
        return_indices: return (largest elements, their places).
        _random_samples: (N, C, 3) numbers in [0, 1) that place the windows; by default drawn at every call.

    Raises:
        ValueError: not exactly one of size and ratio is given, or a ratio is out of range; at the call: the input is
            too small.

    Source: Graham 2014, "Fractional max-pooling".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.FractionalMaxPool3d(2, output_ratio=0.7)(tn.ones((1, 7, 7, 7))).shape
        (1, 4, 4, 4)
    """

    axes = 3

    def forward(self, input: ArrayLike) -> Tensor | tuple[Tensor, Tensor]:
        return F.fractional_max_pool3d(input, self.kernel_size, self.output_size, self.output_ratio,
                                       self.return_indices, self._random_samples)
