"""Images moved, turned, mirrored and cut: one way each, or drawn anew for every image of a batch.

    N batch   C channels   H, W height and width

All are functions of Tensors with gradients, for the image and, where it is a number, for the angle or the factor too.
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor, as_tensor, no_grad
from ..nn import functional as F
from ..ops import arange, broadcast_to, cos, flip, reshape, sin, stack, where
from .stream import integers, share, spread, stream

if TYPE_CHECKING:
    from ..typing import ArrayLike

__all__ = [
    "RandomAffine", "RandomCrop", "RandomFlip", "affine", "center_crop", "crop", "horizontal_flip", "rescale", "rotate",
    "shear", "translate", "vertical_flip",
]


# One way ------------------------------------------------------------------------------------
def affine(x: ArrayLike, angle: Any = 0.0, translate: Any = (0.0, 0.0), scale: Any = 1.0, shear: Any = 0.0,
           mode: str = "bilinear", padding_mode: str = "zeros") -> Tensor:
    """The image sheared, scaled and turned about its middle, then moved.

    Formula: the pixel at (u, v) from the middle, to the right and down, comes to R S (u, v) + translate, with the shear
        S = scale [[1, -tan shear], [0, 1]] and the turn R = [[cos a, sin a], [-sin a, cos a]], anticlockwise.

    Args:
        x: floating, (N, C, H, W), (C, H, W) or (H, W).
        angle: degrees anticlockwise; this and the following numbers are one for all images or (N,).
        translate: pixels to the right, and down.
        scale: factor, not 0.
        shear: degrees by which vertical lines lean to the right.
        mode: how the image is read between pixels, as in `nn.functional.grid_sample`.
        padding_mode: what is outside: "zeros", "border" or "reflection".

    Returns:
        A Tensor of the shape of `x`.

    Raises:
        ValueError: `x` has other axes, or there is not one number per image.

    Source: the notes, section 3.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.augment.affine(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), angle=90).numpy().round(3).tolist()
        [[2.0, 4.0], [1.0, 3.0]]
    """
    x = x if isinstance(x, Tensor) else as_tensor(x)
    if x.ndim not in (2, 3, 4):
        raise ValueError(f"affine: x: expected (N, C, H, W), (C, H, W) or (H, W), got shape {x.shape}")
    images = reshape(x, (1,) * (4 - x.ndim) + x.shape)
    n, _, h, w = images.shape
    right, down = translate
    a, lean = (_each("angle", angle, x, n) * (math.pi / 180), _each("shear", shear, x, n) * (math.pi / 180))
    right, down, size = (_each(name, value, x, n) for name, value in
                         (("translate[0]", right), ("translate[1]", down), ("scale", scale)))
    # Where the pixel at (u, v) of the result comes from: first the turn undone, then the shear, both over `scale`.
    c, s, t = cos(a) / size, sin(a) / size, sin(lean) / cos(lean)
    rows = [[c + t * s, t * c - s], [s, c]]
    theta = [[rows[0][0], rows[0][1] * (h / w), -(rows[0][0] * right + rows[0][1] * down) * (2 / w)],
             [rows[1][0] * (w / h), rows[1][1], -(rows[1][0] * right + rows[1][1] * down) * (2 / h)]]
    grid = F.affine_grid(stack([stack(row, axis=-1) for row in theta], axis=1), images.shape, False)
    return reshape(F.grid_sample(images, grid, mode, padding_mode, False), x.shape)


def _each(name, value, x, n):
    """A number, or one per image, as a Tensor (N,)."""
    value = as_tensor(value, like=x).astype(x.dtype)
    if value.shape not in ((), (n,)):
        raise ValueError(f"affine: {name}: expected a number or shape ({n},), got shape {value.shape}")
    return broadcast_to(value, (n,))


def rotate(x: ArrayLike, angle: Any, mode: str = "bilinear", padding_mode: str = "zeros") -> Tensor:
    """The image turned about its middle.

    Formula: see `affine`.

    Args:
        x: floating, (N, C, H, W), (C, H, W) or (H, W).
        angle: degrees anticlockwise, one for all images or (N,).
        mode, padding_mode: as in `affine`.

    Returns:
        A Tensor of the shape of `x`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.augment.rotate(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), 180).numpy().round(3).tolist()
        [[4.0, 3.0], [2.0, 1.0]]
    """
    return affine(x, angle, mode=mode, padding_mode=padding_mode)


def translate(x: ArrayLike, right: Any, down: Any, mode: str = "bilinear", padding_mode: str = "zeros") -> Tensor:
    """The image moved.

    Formula: out[i, j] = x[i - down, j - right].

    Args:
        x: floating, (N, C, H, W), (C, H, W) or (H, W).
        right, down: pixels, one number for all images or (N,).
        mode, padding_mode: as in `affine`.

    Returns:
        A Tensor of the shape of `x`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.augment.translate(tn.tensor([[1.0, 2.0, 3.0]]), 1, 0).tolist()
        [[0.0, 1.0, 2.0]]
    """
    return affine(x, translate=(right, down), mode=mode, padding_mode=padding_mode)


def rescale(x: ArrayLike, factor: Any, mode: str = "bilinear", padding_mode: str = "zeros") -> Tensor:
    """What the image shows made larger or smaller about its middle; the image keeps its size.

    Formula: out(u, v) = x(u / factor, v / factor), from the middle.

    Args:
        x: floating, (N, C, H, W), (C, H, W) or (H, W).
        factor: one number for all images or (N,), not 0.
        mode, padding_mode: as in `affine`.

    Returns:
        A Tensor of the shape of `x`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.augment.rescale(tn.tensor([[0.0, 4.0, 0.0]]), 2, padding_mode="border").numpy().round(3).tolist()
        [[2.0, 4.0, 2.0]]
    """
    return affine(x, scale=factor, mode=mode, padding_mode=padding_mode)


def shear(x: ArrayLike, angle: Any, mode: str = "bilinear", padding_mode: str = "zeros") -> Tensor:
    """The image with its rows moved the further to the right the higher they are.

    Formula: out(u, v) = x(u + v tan angle, v), from the middle.

    Args:
        x: floating, (N, C, H, W), (C, H, W) or (H, W).
        angle: degrees by which vertical lines lean to the right, one for all images or (N,).
        mode, padding_mode: as in `affine`.

    Returns:
        A Tensor of the shape of `x`.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
        >>> tn.data.augment.shear(x, 45).numpy().round(3).tolist()
        [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    return affine(x, shear=angle, mode=mode, padding_mode=padding_mode)


def horizontal_flip(x: ArrayLike) -> Tensor:
    """The image with left and right exchanged.

    Formula: out[i, j] = x[i, W - 1 - j].

    Args:
        x: (..., H, W).

    Returns:
        A Tensor of the shape of `x`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.augment.horizontal_flip(tn.tensor([[1.0, 2.0]]))
        tensor([[2., 1.]])
    """
    return flip(x, axis=-1)


def vertical_flip(x: ArrayLike) -> Tensor:
    """The image upside down.

    Formula: out[i, j] = x[H - 1 - i, j].

    Args:
        x: (..., H, W).

    Returns:
        A Tensor of the shape of `x`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.augment.vertical_flip(tn.tensor([[1.0], [2.0]]))
        tensor([[2.],
                [1.]])
    """
    return flip(x, axis=-2)


def crop(x: ArrayLike, top: int, left: int, height: int, width: int) -> Tensor:
    """A part of the image.

    Formula: out[i, j] = x[top + i, left + j].

    Args:
        x: (..., H, W).
        top, left: the first row and column, >= 0.
        height, width: of the part, >= 1.

    Returns:
        A Tensor (..., height, width).

    Raises:
        ValueError: the part is not inside the image.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.augment.crop(tn.tensor([[1.0, 2.0, 3.0]]), 0, 1, 1, 2)
        tensor([[2., 3.]])
    """
    x = x if isinstance(x, Tensor) else as_tensor(x)
    if x.ndim < 2 or min(top, left) < 0 or min(height, width) < 1 or top + height > x.shape[-2] \
            or left + width > x.shape[-1]:
        raise ValueError(f"crop: {height} x {width} pixels from ({top}, {left}) are no part of an image of shape "
                         f"{x.shape}")
    return x[..., top:top + height, left:left + width]


def center_crop(x: ArrayLike, size: int | tuple[int, int]) -> Tensor:
    """The middle of the image.

    Formula: `crop` from floor((H - height) / 2), floor((W - width) / 2).

    Args:
        x: (..., H, W).
        size: height and width, or one int for both.

    Returns:
        A Tensor (..., height, width).

    Raises:
        ValueError: the image is smaller.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.augment.center_crop(tn.tensor([[1.0, 2.0, 3.0]]), 1)
        tensor([[2.]])
    """
    x = x if isinstance(x, Tensor) else as_tensor(x)
    height, width = _pair("center_crop", size)
    if x.ndim < 2 or height > x.shape[-2] or width > x.shape[-1]:
        raise ValueError(f"center_crop: an image of shape {x.shape} has no part of {height} x {width} pixels")
    return crop(x, (x.shape[-2] - height) // 2, (x.shape[-1] - width) // 2, height, width)


def _pair(name, size):
    height, width = size if isinstance(size, (tuple, list)) else (size, size)
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in (height, width)):
        raise ValueError(f"{name}: size: expected an int >= 1 or two of them, got {size!r}")
    return height, width


# Drawn anew for every image -----------------------------------------------------------------
def _batch(name: str, x: ArrayLike) -> Tensor:
    x = x if isinstance(x, Tensor) else as_tensor(x)
    if x.ndim != 4:
        raise ValueError(f"{name}: x: expected a batch (N, C, H, W), got shape {x.shape}")
    return x


class RandomAffine:
    """Every image of a batch turned, moved, scaled and sheared by numbers of its own.

    Formula: see `affine`; angle ~ U(-degrees, degrees), translate ~ U(-t W, t W) and U(-t H, t H), the logarithm of the
        scale ~ U(-log(1 + scale), log(1 + scale)), shear ~ U(-shear, shear).

    Args:
        degrees, shear: the largest angles, >= 0, degrees.
        translate: t, the largest shift over the size of the image, >= 0.
        scale: how much larger or smaller at most, >= 0: 0.25 is a factor from 0.8 to 1.25.
        mode, padding_mode: as in `affine`.
        generator: a `tn.Generator`, an int seed, or None.

    Raises:
        ValueError: a number is negative; at the call: x is no batch (N, C, H, W).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.augment.RandomAffine(degrees=10, translate=0.1, generator=0)(tn.ones((4, 1, 8, 8))).shape
        (4, 1, 8, 8)
    """

    def __init__(self, degrees: float = 0.0, translate: float = 0.0, scale: float = 0.0, shear: float = 0.0,
                 mode: str = "bilinear", padding_mode: str = "zeros", generator: Any = None) -> None:
        self.degrees, self.translate = spread("degrees", degrees), spread("translate", translate)
        self.scale, self.shear = spread("scale", scale), spread("shear", shear)
        self.mode, self.padding_mode = mode, padding_mode
        self.stream = stream(generator)

    def __call__(self, x: ArrayLike) -> Tensor:
        x = _batch("RandomAffine", x)
        n, _, h, w = x.shape
        draw = lambda limit: self.stream.uniform(-limit, limit, n)
        angle, right, down = draw(self.degrees), draw(self.translate * w), draw(self.translate * h)
        scale = [math.exp(log) for log in draw(math.log1p(self.scale))]
        return affine(x, angle, (right, down), scale, draw(self.shear), self.mode, self.padding_mode)


class RandomFlip:
    """Every image of a batch mirrored with a probability.

    Formula: out_n = the mirror image of x_n with probability p, else x_n.

    Args:
        p: probability, 0 to 1.
        vertical: exchange up and down instead of left and right.
        generator: a `tn.Generator`, an int seed, or None.

    Raises:
        ValueError: `p` is out of range; at the call: x is no batch (N, C, H, W).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.augment.RandomFlip(p=1.0)(tn.tensor([[[[1.0, 2.0]]]]))
        tensor([[[[2., 1.]]]])
    """

    def __init__(self, p: float = 0.5, vertical: bool = False, generator: Any = None) -> None:
        self.p, self.vertical, self.stream = share("p", p), vertical, stream(generator)

    def __call__(self, x: ArrayLike) -> Tensor:
        x = _batch("RandomFlip", x)
        chosen = as_tensor(self.stream.uniform(0, 1, x.shape[0]) < self.p, like=x)
        return where(reshape(chosen, (-1, 1, 1, 1)), (vertical_flip if self.vertical else horizontal_flip)(x), x)


class RandomCrop:
    """From every image of a batch a part at a place of its own.

    Formula: out_n = crop(pad(x_n), i_n, j_n), with places drawn uniformly from all that fit.

    Args:
        size: height and width of the part, or one int for both.
        padding: width of a border put around the image first, >= 0.
        mode: what the border is, as in `nn.functional.pad`.
        generator: a `tn.Generator`, an int seed, or None.

    Raises:
        ValueError: a size is not positive; at the call: x is no batch (N, C, H, W), or too small.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.augment.RandomCrop(8, padding=2, generator=0)(tn.ones((4, 1, 8, 8))).shape
        (4, 1, 8, 8)
    """

    def __init__(self, size: int | tuple[int, int], padding: int = 0, mode: str = "constant",
                 generator: Any = None) -> None:
        self.size, self.padding, self.mode, self.stream = _pair("RandomCrop", size), padding, mode, stream(generator)
        if isinstance(padding, bool) or not isinstance(padding, int) or padding < 0:
            raise ValueError(f"RandomCrop: padding: expected an int >= 0, got {padding!r}")

    def __call__(self, x: ArrayLike) -> Tensor:
        x = _batch("RandomCrop", x)
        if self.padding:
            x = F.pad(x, (self.padding,) * 4, self.mode)
        (n, _, h, w), (height, width) = x.shape, self.size
        if height > h or width > w:
            raise ValueError(f"RandomCrop: images of shape {x.shape} have no part of {height} x {width} pixels")
        with no_grad():
            top, left = (as_tensor(integers(self.stream, room + 1, n), like=x) for room in (h - height, w - width))
            rows = reshape(top, (n, 1, 1)) + reshape(arange(height, device=x.device), (1, height, 1))
            columns = reshape(left, (n, 1, 1)) + reshape(arange(width, device=x.device), (1, 1, width))
            which = reshape(arange(n, device=x.device), (n, 1, 1))
        out = x[which, :, rows, columns]  # (N, height, width, C)
        return out.permute_dims((0, 3, 1, 2))
