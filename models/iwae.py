"""The importance-weighted autoencoder: a VAE with a tighter bound, from several draws of the code per example.

    w_s = p(x|z_s) p(z_s) / q(z_s|x),  z_s ~ q(z|x)
    log p(x)  >=  L_S = E log 1/S sum_s w_s        L_1 is the ELBO, and L_S rises with S to log p(x)
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor
from .vae import VAE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..backend import Generator
    from ..typing import ArrayLike


class IWAE(VAE):
    """A VAE trained on the importance-weighted bound.

    Formula: loss = -mean_i log 1/S sum_s p(x_i|z_s) p(z_s) / q(z_s|x_i), z_s = m(x_i) + s(x_i) e_s.

    Args:
        data_dim, latent_dim, hidden, decoder: as in `VAE`.
        draws: S >= 1.
        **options: device and dtype.

    Raises:
        ValueError: `draws` is below 1, or as in `VAE`.

    Source: Burda, Grosse & Salakhutdinov 2016, "Importance weighted autoencoders".

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.IWAE(64, latent_dim=4, hidden=(16,), draws=5)
        >>> x = tn.data.digits.load()[0].tensors[0][:10]
        >>> sorted(model.loss(x)), model.sample(3).shape
        (['elbo', 'loss'], (3, 64))
    """

    def __init__(self, data_dim: int, latent_dim: int = 8, hidden: Sequence[int] = (256,), decoder: str = "bernoulli",
                 draws: int = 5, **options: Any) -> None:
        super().__init__(data_dim, latent_dim, hidden, decoder, **options)
        if draws < 1:
            raise ValueError(f"draws: expected at least 1, got {draws}")
        self.draws = draws

    def log_weights(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        """log w_s of each example, (S, N) in nats."""
        return self._log_weights(x, *self.encode(x), self.draws, generator)

    def loss(self, x: ArrayLike, generator: Generator | None = None) -> dict[str, Tensor]:
        """Minus the importance-weighted bound, and the ELBO of the same draws; means over the batch.

        Args:
            x: (N, D).
            generator: the stream of the noise.

        Returns:
            {"loss", "elbo"}, 0-d Tensors in nats.
        """
        log_w = self.log_weights(as_tensor(x), generator)
        bound = ops.logsumexp(log_w, axis=0) - math.log(self.draws)
        return {"loss": -ops.mean(bound), "elbo": ops.mean(log_w)}
