"""Score matching by denoising: the score of data with noise, at every strength of the noise."""
from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from ... import ops
from ...autograd import as_tensor, no_grad
from ...nn import Module
from ..noise import standard_normal
from .langevin import langevin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...autograd import Tensor
    from ...backend import Generator
    from ...typing import ArrayLike


class ScoreModel(Module):
    """The score of noisy data, learned by taking the noise off, and samples by Langevin steps with less and less noise.

    Formula: loss = E |sigma s(x + sigma e, sigma) + e|^2 per number, sigma one of `levels` values from `high` to `low`
        by equal factors: its minimum is s = grad log p_sigma, p_sigma the density of data with that noise.
        s(x, sigma) = network(x / sqrt(1 + sigma^2), u) / sigma, u from 0 (low) to 1 (high).

    Args:
        network: a Module, `network(x, u)`, such as `MLPDenoiser`.
        shape: of one example: an int D or a tuple.
        low, high: the smallest and largest sigma; `high` about as large as the distances in the data.
        levels: how many.

    Raises:
        ValueError: not 0 < low <= high, or `levels` is below 1.

    Source: Vincent 2011, "A connection between score matching and denoising autoencoders"; Song & Ermon 2019,
        "Generative modeling by estimating gradients of the data distribution", algorithm 1; the notes, page 54.

    Example:
        >>> import tinygrad_notes as tn
        >>> diffusion = tn.models.diffusion
        >>> model = diffusion.ScoreModel(diffusion.MLPDenoiser(2, hidden=16), 2)
        >>> x = tn.data.two_moons(10, generator=0)[0]
        >>> list(model.loss(x)), model.score(x, 0.1).shape, model.sample(4).shape
        (['loss'], (10, 2), (4, 2))
    """

    def __init__(self, network: Module, shape: int | Sequence[int], low: float = 0.02, high: float = 3.0,
                 levels: int = 12) -> None:
        super().__init__()
        if not 0 < low <= high < math.inf or levels < 1:
            raise ValueError(f"ScoreModel: expected 0 < low <= high and levels >= 1, got {low}, {high}, {levels}")
        self.shape: tuple[int, ...] = (shape,) if isinstance(shape, int) else tuple(shape)
        self.network, self.low, self.high, self.levels = network, low, high, levels
        ratio = (low / high)**(1 / max(levels - 1, 1))
        self.sigmas = [high * ratio**k for k in range(levels)]

    def score(self, x: ArrayLike, sigma: float | Tensor) -> Tensor:
        """grad log p_sigma(x), (N, ...); sigma: one number, or one for each example."""
        x = as_tensor(x)
        sigma = ops.broadcast_to(ops.as_tensor(sigma, dtype=x.dtype, device=x.device), (x.shape[0],))
        span = math.log(self.high / self.low) or 1.0
        u = ops.log(sigma / self.low) / span
        column = ops.reshape(sigma, (-1, *[1] * (x.ndim - 1)))
        return self.network(x / ops.sqrt(1 + column * column), u) / column

    def loss(self, x: ArrayLike, generator: Generator | None = None) -> dict[str, Tensor]:
        """The error of denoising, each strength of noise weighed alike.

        Args:
            x: (N, ...), examples, also as rows (N, D).
            generator: the stream of strengths and noise.

        Returns:
            {"loss"}, a 0-d Tensor; for a network that says nothing it is 1.
        """
        x = ops.reshape(as_tensor(x), (-1, *self.shape))
        n = x.shape[0]
        home: dict[str, Any] = {"generator": generator, "device": x.device}
        chosen = ops.randint(0, self.levels, (n,), **home)
        sigma = ops.take(ops.tensor(self.sigmas, dtype=x.dtype, device=x.device), chosen, axis=0)
        noise = ops.astype(ops.normal(x.shape, dtype="float32", **home), x.dtype)
        column = ops.reshape(sigma, (-1, *[1] * (x.ndim - 1)))
        error = column * self.score(x + column * noise, sigma) + noise
        return {"loss": ops.mean(error * error)}

    def sample(self, n: int, steps: int = 30, pace: float = 0.15, generator: Generator | None = None) -> Tensor:
        """`n` new examples by annealed Langevin steps, (n, ...), without recording.

        Formula: for each sigma, from large to small: `steps` Langevin steps of the size pace sigma^2; at last Tweedie's
            formula takes the smallest noise off.

        Args:
            n: how many.
            steps: per strength of noise.
            pace: of the step, relative to sigma^2.
            generator: the stream to draw from.
        """
        like = next(self.parameters())
        with no_grad(), self.evaluating():
            x = self.high * standard_normal((n, *self.shape), like, generator)
            for sigma in self.sigmas:
                x = langevin(partial(self.score, sigma=sigma), x, pace * sigma**2, steps, generator)
            return x + self.low**2 * self.score(x, self.low)

    def extra_repr(self) -> str:
        """Strengths of noise."""
        return f"shape={self.shape}, sigma from {self.high:g} to {self.low:g} in {self.levels}"
