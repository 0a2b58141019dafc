"""Shapes drawn on the spot, and where they are: images for segmentation whose truth is known."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .stream import integers, positive, spread, stream, to_tensor

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..typing import DeviceLike, DTypeLike

CLASSES = ("nothing", "square", "disc", "cross", "frame")


def drawn_shapes(n: int = 1000, side: int = 24, noise: float = 0.3, *, generator: Any = None,
                 dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> tuple[Tensor, Tensor]:
    """Noisy images of two shapes each, and what is at each of their places.

    Formula: x = 1 where a shape is, 0 elsewhere, plus noise e, e ~ N(0, I); one shape is in the left half, one in the
        right half; its radius is uniform in [side/8, side/5], its place uniform where it fits.

    Args:
        n: number of images.
        side: height and width in pixels, at least 16.
        noise: standard deviation, >= 0.
        generator: a `tn.Generator`, an int seed, None, or a NumPy stream.
        dtype: floating dtype of the images, default float32.
        device: where the tensors live.

    Returns:
        Images (n, 1, side, side), and integers (n, side, side): 0 nothing, 1 square, 2 disc, 3 cross, 4 frame.

    Raises:
        TypeError: a number is not an int.
        ValueError: `n` < 1, `side` < 16 or `noise` < 0.

    Example:
        >>> import tinygrad_notes as tn
        >>> images, places = tn.data.drawn_shapes(3, 16, generator=0)
        >>> images.shape, places.shape, int(places.min()), int(places.max()) <= 4
        ((3, 1, 16, 16), (3, 16, 16), 0, True)
    """
    rng, n, side = stream(generator), positive("n", n), positive("side", side, 16)
    v, u = np.mgrid[:side, :side]
    places = np.zeros((n, side, side), np.int64)
    for k, kinds in enumerate(integers(rng, 4, (n, 2))):
        for half, kind in enumerate(kinds):
            r = rng.uniform(side / 8, side / 5)
            left = half * side / 2
            row, column = rng.uniform(r, side - 1 - r), left + rng.uniform(r, max(side / 2 - 1 - r, r))
            places[k][_inside(kind, np.abs(v - row), np.abs(u - column), r)] = kind + 1
    x = (places > 0) + spread("noise", noise) * rng.standard_normal(places.shape)
    return to_tensor(x[:, None], dtype, device), to_tensor(places, device=device)


def _inside(kind, a, b, r):
    """Where the shape is, from the distances of rows and columns to its middle."""
    box = np.maximum(a, b) <= r
    if kind == 0:
        return box
    if kind == 1:
        return a * a + b * b <= r * r
    if kind == 2:
        return box & (np.minimum(a, b) <= r / 3)
    return box & (np.maximum(a, b) > r / 2)
