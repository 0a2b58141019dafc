"""Flows of images: pixels traded for channels, and part of the channels let go at every scale."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ... import ops
from ...autograd import as_tensor, no_grad
from ...nn import Conv2d, Module, ModuleList, Sequential, SiLU
from ..noise import standard_uniform
from .base import Bijection, Chain, Flow, log_normal, no_change
from .coupling import Coupling, start_at_zero
from .elementwise import Affine, Logit
from .linear import ActNorm, LinearPLU

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...autograd import Tensor
    from ...backend import Generator
    from ...typing import ArrayLike, DeviceLike, DTypeLike


class Squeeze(Bijection):
    """Blocks of 2 x 2 pixels become channels: (N, C, H, W) -> (N, 4C, H/2, W/2). The volume stays.

    Source: Dinh, Sohl-Dickstein & Bengio 2017, section 3.6.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.flows.Squeeze().to_latent(tn.zeros((1, 3, 8, 8)))[0].shape
        (1, 12, 4, 4)
    """

    def to_latent(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """Pixels to channels.

        Raises:
            ValueError: the images are not (N, C, H, W) with even H and W.
        """
        x = as_tensor(x)
        if x.ndim != 4 or x.shape[2] % 2 or x.shape[3] % 2:
            raise ValueError(f"Squeeze: expected shape (N, C, H, W) with even H and W, got {x.shape}")
        n, c, h, w = x.shape
        parts = ops.reshape(x, (n, c, h // 2, 2, w // 2, 2))
        return ops.reshape(ops.permute_dims(parts, (0, 1, 3, 5, 2, 4)), (n, 4 * c, h // 2, w // 2)), no_change(x)

    def to_data(self, z: ArrayLike) -> tuple[Tensor, Tensor]:
        """Channels to pixels.

        Raises:
            ValueError: the codes are not (N, C, H, W) with C a multiple of 4.
        """
        z = as_tensor(z)
        if z.ndim != 4 or z.shape[1] % 4:
            raise ValueError(f"Squeeze: expected shape (N, C, H, W) with C a multiple of 4, got {z.shape}")
        n, c, h, w = z.shape
        parts = ops.reshape(z, (n, c // 4, 2, 2, h, w))
        return ops.reshape(ops.permute_dims(parts, (0, 1, 4, 2, 5, 3)), (n, c // 4, 2 * h, 2 * w)), no_change(z)


class MultiScale(Bijection):
    """Stages of a flow; after each but the last, half of the channels are codes already and pass no further stage.

    Formula: (z_1, h_1) = f_1(x), (z_2, h_2) = f_2(h_1), ..., z_K = f_K(h_(K-1)); z = (z_1, ..., z_K) as one row;
        the log-determinants of the stages add.

    Args:
        stages: Bijections of images (N, C, H, W), or of rows (N, D).
        shape: of one example, (C, H, W) or (D,).

    Raises:
        ValueError: there is no stage, or one with an odd number of channels before a split.

    Source: Dinh, Sohl-Dickstein & Bengio 2017, section 3.6; the notes, section 7.5.

    Example:
        >>> import tinygrad_notes as tn
        >>> flows = tn.models.flows
        >>> layer = flows.MultiScale([flows.LinearPLU(4), flows.LinearPLU(2)], (4,))
        >>> tn.models.flows.check_bijection(layer, tn.randn((3, 4))).verdict
        'CORRECT'
    """

    def __init__(self, stages: Iterable[Bijection], shape: Sequence[int]) -> None:
        super().__init__()
        self.stages, self.shape = ModuleList(stages), tuple(shape)
        if not len(self.stages):
            raise ValueError("stages: there is none")

    def to_latent(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """Codes as one row, (N, D).

        Raises:
            ValueError: the examples have another shape, or the channels cannot be halved.
        """
        h = as_tensor(x)
        if h.shape[1:] != self.shape:
            raise ValueError(f"MultiScale: expected shape (N, {', '.join(map(str, self.shape))}), got {h.shape}")
        parts, total = [], no_change(h)
        for k, stage in enumerate(self.stages):
            h, log_det = stage.to_latent(h)
            total = total + log_det
            if k < len(self.stages) - 1:
                half = _half(h)
                parts.append(ops.reshape(h[:, half:], (h.shape[0], -1)))
                h = h[:, :half]
        return ops.concat([*parts, ops.reshape(h, (h.shape[0], -1))], axis=1), total

    def to_data(self, z: ArrayLike) -> tuple[Tensor, Tensor]:
        """Rows of codes back to examples.

        Raises:
            ValueError: the codes are not (N, D).
        """
        z = as_tensor(z)
        size = math.prod(self.shape)
        if z.ndim != 2 or z.shape[1] != size:
            raise ValueError(f"MultiScale: expected shape (N, {size}), got {z.shape}")
        kept, total = self._shapes(), no_change(z)
        x: Any = None
        for stage, (start, stop, shape) in reversed(list(zip(self.stages, kept))):
            part = ops.reshape(z[:, start:stop], (z.shape[0], *shape))
            x, log_det = stage.to_data(part if x is None else ops.concat([x, part], axis=1))
            total = total + log_det
        return x, total

    def _shapes(self):
        """(first, after the last number, shape) of the codes that each stage keeps."""
        shape, start, found = self.shape, 0, []
        for k, stage in enumerate(self.stages):
            shape = _shape_after(stage, shape)
            rest = shape[0] // 2 if k < len(self.stages) - 1 else 0
            mine = (shape[0] - rest, *shape[1:])
            found.append((start, start + math.prod(mine), mine))
            start, shape = start + math.prod(mine), (rest, *shape[1:])
        return found


def _half(x):
    if x.shape[1] % 2:
        raise ValueError(f"MultiScale: expected an even number of channels to split, got {x.shape[1]}")
    return x.shape[1] // 2


def _shape_after(stage, shape):
    """The shape of an example behind a stage: only `Squeeze` changes it."""
    for module in stage.modules():
        if isinstance(module, Squeeze):
            shape = (4 * shape[0], shape[1] // 2, shape[2] // 2)
    return shape


class Glow(Flow):
    """A flow of images with values that were whole numbers: squeeze, steps of `ActNorm`, 1x1 convolution and coupling.

    Formula: y = ((levels - 1) x + u) / levels, u ~ Uniform(0, 1), spread by a logit; then stages of a squeeze and
        `steps` steps each, with half of the channels let go after each stage but the last.
        log P(x) >= E_u[log p(y)], p a density over y; in bits per pixel it is -log P(x) / (D log 2).

    Args:
        shape: (C, H, W) of an image; H and W divisible by 2^stages.
        levels: how many values a pixel can have, 0, 1/(levels - 1), ..., 1: 256 for bytes, 17 for the digits.
        stages: how many scales.
        steps: per scale.
        hidden: channels of the convolutions inside the couplings.
        device, dtype: of the parameters.

    Raises:
        ValueError: the shape cannot be halved as often, or a number is below 1.

    Source: Kingma & Dhariwal 2018, "Glow: generative flow with invertible 1x1 convolutions"; the dequantization: Theis,
        van den Oord & Bethge 2016, "A note on the evaluation of generative models".

    Example:
        >>> import tinygrad_notes as tn
        >>> flow = tn.models.flows.Glow((1, 8, 8), levels=17, steps=1, hidden=8)
        >>> x = tn.data.digits.load()[0].tensors[0][:4]
        >>> sorted(flow.loss(x)), flow.sample(2).shape
        (['bits', 'loss'], (2, 1, 8, 8))
    """

    def __init__(self, shape: Sequence[int], levels: int = 256, stages: int = 2, steps: int = 4, hidden: int = 32, *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        shape = tuple(shape)
        if min(levels - 1, stages, steps, hidden) < 1:
            raise ValueError(f"Glow: expected levels >= 2 and stages, steps, hidden >= 1, got {levels}, {stages}, "
                             f"{steps}, {hidden}")
        if len(shape) != 3 or shape[1] % 2**stages or shape[2] % 2**stages:
            raise ValueError(f"shape: expected (C, H, W) with H and W divisible by {2**stages}, got {shape}")
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        made, channels = [], shape[0]
        for _ in range(stages):
            channels *= 4
            made.append(Chain([Squeeze(), *_steps(channels, steps, hidden, home)]))
            channels //= 2
        super().__init__([Logit(), MultiScale(made, shape)], math.prod(shape))
        self.image, self.levels = shape, levels

    def log_prob(self, x: ArrayLike, generator: Generator | None = None) -> Tensor:
        """A lower bound of log P(x) of each image in nats, (N,), with one draw of u.

        Args:
            x: (N, C, H, W), or rows (N, C H W); values from 0 to 1.
            generator: the stream of u.
        """
        x = ops.reshape(as_tensor(x), (-1, *self.image))
        y = ((self.levels - 1) * x + standard_uniform(x.shape, x, generator)) / self.levels
        z, log_det = self.to_latent(y)
        return log_normal(z) + log_det - z.shape[1] * math.log(self.levels)

    def loss(self, x: ArrayLike, generator: Generator | None = None) -> dict[str, Tensor]:
        """The negative bound, mean over the batch: "loss" in nats per image, "bits" in bits per number of the image.

        Args:
            x: (N, C, H, W), or rows (N, C H W); values from 0 to 1.
            generator: the stream of the dequantization.

        Returns:
            {"loss", "bits"}, 0-d Tensors.
        """
        loss = -ops.mean(self.log_prob(x, generator))
        return {"loss": loss, "bits": loss.detach() / (self.shape[0] * math.log(2))}

    def sample(self, n: int, generator: Generator | None = None, temperature: float = 1.0) -> Tensor:
        """`n` images with values from 0 to 1, (n, C, H, W), without recording.

        Args:
            n: how many.
            generator: the stream to draw from.
            temperature: the codes are drawn from N(0, temperature^2 I).
        """
        with no_grad(), self.evaluating():
            y = self.to_data(temperature * self.draw(n, generator))[0]
            whole = ops.clip(ops.floor(y * self.levels), 0, self.levels - 1)
            return whole / (self.levels - 1)


def _steps(channels, steps, hidden, home):
    """Steps of Glow: `ActNorm`, `LinearPLU` and an affine coupling with convolutions."""
    made, affine = [], Affine(limit=2.0)
    for k in range(steps):
        stay = channels - channels // 2 if k % 2 else channels // 2
        network: Module = Sequential(
            Conv2d(stay, hidden, 3, padding=1, **home), SiLU(), Conv2d(hidden, hidden, 1, **home), SiLU(),
            Conv2d(hidden, (channels - stay) * affine.size, 3, padding=1, **home))
        start_at_zero(network[-1])
        made += [ActNorm(channels, **home), LinearPLU(channels, bias=False, **home),
                 Coupling(channels, affine, swap=bool(k % 2), network=network)]
    return made
