"""Layers that make images larger, or move elements between channels and space."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import functional as F
from .module import Module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..typing import ArrayLike

__all__ = [
    "ChannelShuffle", "PixelShuffle", "PixelUnshuffle", "Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d",
]


class Upsample(Module):
    """The image at another size.

    Formula: see `nn.functional.interpolate`.

    Args:
        size: the new sizes, an int or one per axis.
        scale_factor: instead, new size over old, a number or one per axis.
        mode: "nearest", "nearest-exact", "area", "linear", "bilinear", "bicubic" or "trilinear".
        align_corners: whether first and last elements of input and result coincide; None: False.
        recompute_scale_factor: take the scale from the rounded sizes.

    Raises:
        ValueError: at the call, not exactly one of size and scale is given, or the mode does not go with the input.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Upsample(scale_factor=2, mode="bilinear")(tn.ones((1, 1, 2, 3))).shape
        (1, 1, 4, 6)
    """

    def __init__(self, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None,
                 mode: str = "nearest", align_corners: bool | None = None,
                 recompute_scale_factor: bool | None = None) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.size, self.mode, self.align_corners = size, mode, align_corners
        self.recompute_scale_factor = recompute_scale_factor
        given: Any = scale_factor
        if isinstance(scale_factor, (tuple, list)):
            self.scale_factor: float | tuple[float, ...] | None = tuple([float(s) for s in scale_factor])
        else:
            self.scale_factor = float(given) if given else None

    def forward(self, input: ArrayLike) -> Tensor:
        return F.interpolate(input, self.size, self.scale_factor, self.mode, self.align_corners,
                             self.recompute_scale_factor)

    def extra_repr(self) -> str:
        given = f"scale_factor={self.scale_factor}" if self.scale_factor is not None else f"size={self.size}"
        return f"{given}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Every pixel repeated.

    Formula: see `nn.functional.upsample_nearest`. (N, C, H, W) becomes (N, C, H', W').

    Args:
        size: the new sizes, an int or a pair.
        scale_factor: instead, new size over old, a number or a pair.

    Raises:
        ValueError: at the call, not exactly one of size and scale is given.

    Source: the notes, section 3.3.3 (duplicate).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.UpsamplingNearest2d(scale_factor=2)(tn.tensor([[[[1.0, 2.0]]]]))
        tensor([[[[1., 1., 2., 2.],
                  [1., 1., 2., 2.]]]])
    """

    def __init__(self, size: int | Sequence[int] | None = None,
                 scale_factor: float | Sequence[float] | None = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """The image at another size, linear between its pixels, the corners kept.

    Formula: see `nn.functional.upsample_bilinear`. (N, C, H, W) becomes (N, C, H', W').

    Args:
        size: the new sizes, an int or a pair.
        scale_factor: instead, new size over old, a number or a pair.

    Raises:
        ValueError: at the call, not exactly one of size and scale is given.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.UpsamplingBilinear2d(size=(1, 3))(tn.tensor([[[[1.0, 2.0]]]]))
        tensor([[[[1.0000, 1.5000, 2.0000]]]])
    """

    def __init__(self, size: int | Sequence[int] | None = None,
                 scale_factor: float | Sequence[float] | None = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


class PixelShuffle(Module):
    """An image r times larger from r^2 times as many channels.

    Formula: see `nn.functional.pixel_shuffle`. (..., C r^2, H, W) becomes (..., C, H r, W r).

    Args:
        upscale_factor: r >= 1.

    Raises:
        ValueError: at the call, r^2 does not divide the channels.

    Source: Shi et al. 2016, "Real-time single image and video super-resolution using an efficient sub-pixel CNN".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.PixelShuffle(2)(tn.ones((1, 8, 3, 3))).shape
        (1, 2, 6, 6)
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: ArrayLike) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """An image r times smaller with r^2 times as many channels: `PixelShuffle` undone.

    Formula: see `nn.functional.pixel_unshuffle`. (..., C, H r, W r) becomes (..., C r^2, H, W).

    Args:
        downscale_factor: r >= 1.

    Raises:
        ValueError: at the call, r does not divide height and width.

    Source: Shi et al. 2016.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.PixelUnshuffle(2)(tn.ones((1, 2, 6, 6))).shape
        (1, 8, 3, 3)
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: ArrayLike) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """The channels of several groups dealt out, one of each group in turn.

    Formula: see `nn.functional.channel_shuffle`. (N, C, ...) keeps its shape.

    Args:
        groups: g >= 1.

    Raises:
        ValueError: at the call, g does not divide the channels.

    Source: Zhang et al. 2018, "ShuffleNet".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ChannelShuffle(2)(tn.tensor([[[1.0], [2.0], [3.0], [4.0]]])).tolist()
        [[[1.0], [3.0], [2.0], [4.0]]]
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: ArrayLike) -> Tensor:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
