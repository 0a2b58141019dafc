"""The convolutional GAN, for images and for signals: transposed convolutions out, strided ones in.

    z (K,) -> (2C, H/4, W/4) -> (C, H/2, W/2) -> (B, H, W)    and back to one score;    B = 1, or 3 of images in color

Batch normalization in the generator only: in the discriminator it would let the examples of a batch tell on each other.
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import nn, ops
from ..autograd import as_tensor
from .gan import GAN, leaky

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..typing import ArrayLike, DeviceLike, DTypeLike


def planes(shape: Sequence[int]) -> tuple[int, ...]:
    """(B, H, W) or (1, T): the sides of an example with how many values each place has."""
    shape = tuple(shape)
    found = shape if len(shape) == 3 else (1, *shape)
    if len(found) not in (2, 3) or any(side % 4 for side in found[1:]):
        raise ValueError(f"shape: expected (H, W), (B, H, W) or (T,), multiples of 4 but for B, got {shape}")
    return found


class ConvGenerator(nn.Module):
    """Noise to an image or a signal, twice as large after each transposed convolution.

    Args:
        shape: (H, W), (B, H, W) or (T,); H, W and T multiples of 4.
        latent_dim: K.
        channels: C, before the last layer.
        unit: whether values are from 0 to 1 (a sigmoid at the end).

    Raises:
        ValueError: `shape` has other sides, or one is no multiple of 4.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.ConvGenerator((8, 8), 4, channels=4)(tn.ones((2, 4))).shape
        (2, 64)
    """

    def __init__(self, shape: Sequence[int], latent_dim: int, channels: int = 32, unit: bool = True, *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        bands, *sides = planes(shape)
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        images = len(sides) == 2
        up: Any = nn.ConvTranspose2d if images else nn.ConvTranspose1d
        norm: Any = nn.BatchNorm2d if images else nn.BatchNorm1d
        self.start, self.unit = (2 * channels, *(side // 4 for side in sides)), unit
        self.project = nn.Linear(latent_dim, math.prod(self.start), **home)
        self.norm = norm(2 * channels, **home)
        self.widen = up(2 * channels, channels, 4, 2, 1, bias=False, **home)
        self.norm2 = norm(channels, **home)
        self.last = up(channels, bands, 4, 2, 1, **home)

    def forward(self, z: ArrayLike) -> Tensor:
        """(N, K) -> (N, D), D = H W, B H W or T."""
        h = ops.reshape(self.project(as_tensor(z)), (-1, *self.start))  # (N, 2C H/4 W/4) -> (N, 2C, H/4, W/4)
        h = ops.relu(self.norm2(self.widen(ops.relu(self.norm(h)))))
        out = ops.reshape(self.last(h), (len(h), -1))  # (N, B, H, W) -> (N, B H W)
        return ops.sigmoid(out) if self.unit else out


class ConvDiscriminator(nn.Module):
    """An image or a signal to a score, half as large after each strided convolution.

    Args:
        shape: (H, W), (B, H, W) or (T,); H, W and T multiples of 4.
        channels: C, after the first layer.
        dropout: probability that a channel is zero in training.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.ConvDiscriminator((8, 8), channels=4)(tn.ones((2, 64))).shape
        (2,)
    """

    def __init__(self, shape: Sequence[int], channels: int = 32, dropout: float = 0.0, *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        self.shape = planes(shape)
        bands, *sides = self.shape
        conv: Any = nn.Conv2d if len(sides) == 2 else nn.Conv1d
        drop: Any = nn.Dropout2d if len(sides) == 2 else nn.Dropout1d
        self.body = nn.Sequential(conv(bands, channels, 4, 2, 1, **home), leaky(), drop(dropout),
                                  conv(channels, 2 * channels, 4, 2, 1, **home), leaky(), drop(dropout), nn.Flatten())
        self.head = nn.Linear(2 * channels * math.prod(side // 4 for side in sides), 1, **home)

    def features(self, x: ArrayLike) -> Tensor:
        """(N, D) -> what the last layer sees, one row of numbers each."""
        return self.body(ops.reshape(as_tensor(x), (-1, *self.shape)))  # (N, B H W) -> (N, B, H, W)

    def forward(self, x: ArrayLike) -> Tensor:
        """(N, D) -> (N,), logits."""
        return self.head(self.features(x))[:, 0]


class DCGAN(GAN):
    """A generative adversarial network of convolutions, for images and signals.

    Formula: as in `GAN`.

    Args:
        shape: of an example, (H, W), in color (B, H, W), or (T,); H, W and T multiples of 4. Examples are rows
            of numbers.
        latent_dim: K, numbers of noise.
        channels: C of both networks.
        unit: whether values are from 0 to 1.
        dropout: of the discriminator's channels, in training.
        **options: others of `GAN`.

    Raises:
        ValueError: `shape` is no multiple of 4.

    Source: Radford, Metz & Chintala 2016, "Unsupervised representation learning with deep convolutional GANs".

    Example:
        >>> import tinygrad_notes as tn
        >>> gan = tn.models.DCGAN((8, 8), latent_dim=4, channels=4)
        >>> gan.sample(3).shape, gan.score(gan.sample(3)).shape
        ((3, 64), (3,))
    """

    def __init__(self, shape: Sequence[int] = (8, 8), latent_dim: int = 16, channels: int = 32, unit: bool = True,
                 dropout: float = 0.0, *, device: DeviceLike | None = None, dtype: DTypeLike | None = None,
                 **options: Any) -> None:
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        super().__init__(
            math.prod(shape), latent_dim, (channels,), **home, **options,
            generator=ConvGenerator(shape, latent_dim, channels, unit, **home),
            discriminator=ConvDiscriminator(shape, channels, dropout, **home))
