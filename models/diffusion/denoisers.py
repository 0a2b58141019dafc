"""Networks that read noise off noisy examples: a perceptron, and a small convolutional one with a way down and up."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ... import ops
from ...autograd import Tensor, as_tensor, no_grad
from ...nn import Conv2d, Embedding, GroupNorm, Linear, Module, ModuleList, SiLU
from ...nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...typing import ArrayLike, DeviceLike, DTypeLike


def time_features(t: ArrayLike, size: int, period: float = 1000.0) -> Tensor:
    """Waves of a time, fast and slow, as a network reads it.

    Formula: (sin(w_k t), cos(w_k t)), w_k from 1 to 1/period by equal factors, k = 1 ... size/2.

    Args:
        t: floating, (N,).
        size: an even number of features.
        period: the longest wave over 2 pi.

    Returns:
        (N, size).

    Raises:
        ValueError: `size` is odd or below 2.

    Source: Vaswani et al. 2017, section 3.5; Ho, Jain & Abbeel 2020, appendix B.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.diffusion.time_features(tn.zeros((3,)), 4)[0]
        tensor([0., 0., 1., 1.])
    """
    if size < 2 or size % 2:
        raise ValueError(f"size: expected an even number of at least 2, got {size}")
    t = as_tensor(t)
    steps = ops.arange(size // 2, dtype=t.dtype, device=t.device) / max(size // 2 - 1, 1)
    angles = t[:, None] * ops.exp(-math.log(period) * steps)
    return ops.concat([ops.sin(angles), ops.cos(angles)], axis=1)


class MLPDenoiser(Module):
    """A perceptron of residual layers that reads the noisy example, its time and its class.

    Formula: c = W time_features(1000 s) + label(y), s = t / T; h = W (x, sin 2^k x, cos 2^k x for k < waves), then
        h <- h + W silu(V silu(h) + c); out = W silu(h).

    Args:
        features: D.
        hidden: width.
        layers: residual layers.
        classes: number of classes it can be told; 0: none. Class `classes` means "not told".
        waves: how many frequencies of x it sees beside x: fine structure in few dimensions is learned much sooner.
        device, dtype: of the parameters.

    Raises:
        ValueError: a size is below 1.

    Source: the notes, page 58.

    Example:
        >>> import tinygrad_notes as tn
        >>> network = tn.models.diffusion.MLPDenoiser(2, hidden=16)
        >>> network(tn.ones((3, 2)), tn.ones((3,))).shape
        (3, 2)
    """

    def __init__(self, features: int, hidden: int = 128, layers: int = 3, classes: int = 0, waves: int = 0, *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if min(features, hidden, layers) < 1 or min(classes, waves) < 0:
            raise ValueError(f"MLPDenoiser: expected sizes of at least 1, got {features}, {hidden}, {layers}, "
                             f"{classes}, {waves}")
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        self.features, self.classes, self.waves = features, classes, waves
        self.inward, self.time = Linear(features * (1 + 2 * waves), hidden, **home), Linear(64, hidden, **home)
        self.label = Embedding(classes + 1, hidden, **home) if classes else None
        self.first = ModuleList(Linear(hidden, hidden, **home) for _ in range(layers))
        self.second = ModuleList(Linear(hidden, hidden, **home) for _ in range(layers))
        self.outward = Linear(hidden, features, **home)
        _zero(self.outward)

    def forward(self, x: ArrayLike, s: ArrayLike, label: ArrayLike | None = None) -> Tensor:
        """(N, D), times (N,) from 0 to 1 and classes (N,) -> (N, D)."""
        c = self.time(time_features(1000 * as_tensor(s), 64))
        c = told(self, c, label)
        x = as_tensor(x)
        scaled = [2.0**k * x for k in range(self.waves)]
        h = self.inward(ops.concat([x, *map(ops.sin, scaled), *map(ops.cos, scaled)], axis=1))
        for first, second in zip(self.first, self.second):
            h = h + second(F.silu(first(F.silu(h)) + c))
        return self.outward(F.silu(h))


class ImageDenoiser(Module):
    """A small U-Net: residual blocks at the size of the image, at half of it, and back, with a short way across.

    Formula: block(h, c) = h + conv(silu(norm(conv(silu(norm(h))) + W c))); the way down is a convolution of stride 2,
        the way up doubles pixels; what comes up meets what went down.

    Args:
        shape: (C, H, W); H and W even.
        channels: of the blocks at full size; twice as many at half size.
        classes: as in `MLPDenoiser`.
        device, dtype: of the parameters.

    Raises:
        ValueError: the shape is not (C, H, W) with even H and W, or `channels` is no multiple of 4.

    Source: Ho, Jain & Abbeel 2020, appendix B; Ronneberger, Fischer & Brox 2015, "U-Net".

    Example:
        >>> import tinygrad_notes as tn
        >>> network = tn.models.diffusion.ImageDenoiser((1, 8, 8), channels=8)
        >>> network(tn.ones((3, 1, 8, 8)), tn.ones((3,))).shape
        (3, 1, 8, 8)
    """

    def __init__(self, shape: Sequence[int], channels: int = 32, classes: int = 0, *, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        shape = tuple(shape)
        if len(shape) != 3 or shape[1] % 2 or shape[2] % 2:
            raise ValueError(f"shape: expected (C, H, W) with even H and W, got {shape}")
        if channels < 4 or channels % 4:
            raise ValueError(f"channels: expected a multiple of 4, got {channels}")
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        self.shape, self.classes, wide = shape, classes, 2 * channels
        self.time, self.mixed = Linear(64, wide, **home), Linear(wide, wide, **home)
        self.label = Embedding(classes + 1, wide, **home) if classes else None
        self.inward = Conv2d(shape[0], channels, 3, padding=1, **home)
        self.high = _Block(channels, wide, **home)
        self.down = Conv2d(channels, wide, 3, stride=2, padding=1, **home)
        self.low = ModuleList(_Block(wide, wide, **home) for _ in range(2))
        self.up = Conv2d(wide, channels, 3, padding=1, **home)
        self.join = Conv2d(wide, channels, 1, **home)
        self.last = _Block(channels, wide, **home)
        self.outward = Conv2d(channels, shape[0], 3, padding=1, **home)
        _zero(self.outward)

    def forward(self, x: ArrayLike, s: ArrayLike, label: ArrayLike | None = None) -> Tensor:
        """(N, C, H, W), times (N,) from 0 to 1 and classes (N,) -> (N, C, H, W)."""
        c = F.silu(self.time(time_features(1000 * as_tensor(s), 64)))
        c = told(self, self.mixed(c), label)
        high = self.high(self.inward(as_tensor(x)), c)
        low = self.down(high)
        for block in self.low:
            low = block(low, c)
        up = self.up(ops.repeat(ops.repeat(low, 2, axis=2), 2, axis=3))
        h = self.last(self.join(ops.concat([up, high], axis=1)), c)
        return self.outward(F.silu(h))


class _Block(Module):
    """h + conv(silu(norm(conv(silu(norm(h))) + W c)))."""

    def __init__(self, channels, condition, *, device=None, dtype=None):
        super().__init__()
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        self.norm1, self.norm2 = GroupNorm(4, channels, **home), GroupNorm(4, channels, **home)
        self.conv1 = Conv2d(channels, channels, 3, padding=1, **home)
        self.conv2 = Conv2d(channels, channels, 3, padding=1, **home)
        self.condition = Linear(condition, channels, **home)
        self.act = SiLU()

    def forward(self, h, c):
        """(N, C, H, W), (N, condition) -> (N, C, H, W)."""
        inner = self.conv1(self.act(self.norm1(h))) + self.condition(self.act(c))[:, :, None, None]
        return h + self.conv2(self.act(self.norm2(inner)))


def told(network, c, label):
    """The condition `c` with the classes added to it; no `label`: all "not told".

    Raises:
        ValueError: a label is given to a network without classes.
    """
    if network.label is None:
        if label is not None:
            raise ValueError("label: this network was made without classes")
        return c
    if label is None:
        label = ops.full((c.shape[0],), network.classes, dtype="int64", device=c.device)
    return c + network.label(as_tensor(label))


def _zero(layer):
    """Weights and bias zero, so that the first answer is zero."""
    with no_grad():
        layer.weight[...] = 0.0
        layer.bias[...] = 0.0
