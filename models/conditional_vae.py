"""The conditional VAE: encoder and decoder are told the class, so that a class can be asked for.

    log p(x|y) >= E_q(z|x,y) log p(x|z,y) - KL(q(z|x,y) || p(z))
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor, no_grad
from ..nn import MLP, SiLU
from ..nn import functional as F
from .noise import standard_normal
from .vae import VAE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..backend import Generator
    from ..typing import ArrayLike, DeviceLike, DTypeLike


class ConditionalVAE(VAE):
    """A VAE of examples with classes: a one-hot row of the class stands beside x and beside z.

    Formula: loss = -E_q[log p(x|z, y)] + beta KL(q(z|x, y) || N(0, I)).

    Args:
        data_dim: D, numbers per example.
        classes: C.
        latent_dim, hidden, decoder, beta: as in `VAE`.

    Raises:
        ValueError: `classes` is below 1, or as in `VAE`.

    Source: Sohn, Lee & Yan 2015; Kingma et al. 2014, model M2.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.ConditionalVAE(64, classes=10, latent_dim=4, hidden=(16,))
        >>> x, y = (t[:6] for t in tn.data.digits.load()[0].tensors)
        >>> sorted(model.loss(x, y)), model.sample(tn.tensor([7, 7, 3])).shape
        (['kl', 'loss', 'reconstruction'], (3, 64))
    """

    def __init__(self, data_dim: int, classes: int, latent_dim: int = 8, hidden: Sequence[int] = (256,),
                 decoder: str = "bernoulli", beta: float = 1.0, *, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(data_dim, latent_dim, hidden, decoder, beta, device=device, dtype=dtype)
        if classes < 1:
            raise ValueError(f"classes: expected at least 1, got {classes}")
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        hidden = tuple(hidden)
        self.classes = classes
        self.encoder = MLP([data_dim + classes, *hidden, 2 * latent_dim], SiLU, **home)
        self.decoder = MLP([latent_dim + classes, *hidden[::-1], data_dim], SiLU, **home)

    def _beside(self, x, y):
        """[x, one-hot y]."""
        x = as_tensor(x)
        return ops.concat([x, ops.astype(F.one_hot(as_tensor(y), self.classes), x.dtype)], axis=-1)

    def loss(self, x: ArrayLike, y: ArrayLike, generator: Generator | None = None) -> dict[str, Tensor]:  # type: ignore[override]
        """The negative bound and its two terms, means over the batch.

        Args:
            x: (N, D).
            y: (N,), integers from 0 to C-1.
            generator: the stream of the noise.

        Returns:
            {"loss", "reconstruction", "kl"}, 0-d Tensors in nats.
        """
        x = as_tensor(x)
        mean, log_var = self.encode(self._beside(x, y))
        z = self.draw(mean, log_var, generator)
        reconstruction = -ops.mean(self.log_likelihood(x, self._beside(z, y)))
        kl = F.kl_to_standard_normal(mean, log_var)
        return {"loss": reconstruction + self.beta * kl, "reconstruction": reconstruction, "kl": kl}

    def reconstruct(self, x: ArrayLike, y: ArrayLike) -> Tensor:  # type: ignore[override]
        """x -> mean code -> mean of the decoder, with the class given; without recording."""
        with no_grad(), self.evaluating():
            return self.decode(self._beside(self.encode(self._beside(x, y))[0], y))

    def sample(self, y: ArrayLike, generator: Generator | None = None) -> Tensor:  # type: ignore[override]
        """A new example of each class in `y`, (n,) -> (n, D), without recording."""
        like = next(self.parameters())
        with no_grad(), self.evaluating():
            y = as_tensor(y)
            z = standard_normal((len(y), self.latent_dim), like, generator)
            return self.decode(self._beside(z, y))
