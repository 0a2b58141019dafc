"""The ladder VAE: codes above codes, each layer's posterior made of what comes up from the data and down from above.

    z_L -> ... -> z_2 -> z_1 -> x        K_l numbers in z_l

    prior        p(z_L) = N(0, I),  p(z_l|z_(l+1)) = N(m_l(z_(l+1)), v_l(z_(l+1)))
    upward       h_1 = u_1(x), h_(l+1) = u_(l+1)(h_l), and of each layer a guess N(a_l(h_l), b_l(h_l))
    posterior    q(z_L|x) = the guess;  q(z_l|x, z_(l+1)) = guess times prior, normalized: precisions add

    ELBO = E log p(x|z_1) - sum_l E KL(q(z_l|...) || p(z_l|z_(l+1)))
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor, no_grad
from ..nn import MLP, Linear, ModuleList, Parameter, SiLU
from .noise import standard_normal
from .vae import _Decoding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..backend import Generator
    from ..typing import ArrayLike, DeviceLike, DTypeLike

BOUND = 7.0  # logarithms of variances stay within this


class HierarchicalVAE(_Decoding):
    """A variational autoencoder with several layers of codes.

    Formula: loss = -E log p(x|z_1) + beta sum_l E KL(q(z_l|x, z_(l+1)) || p(z_l|z_(l+1))).

    Args:
        data_dim: D, numbers per example.
        latent_dims: K_1, ..., K_L from the data upward.
        width: of the hidden layers.
        decoder: 'bernoulli' or 'gaussian', as in `VAE`.
        beta: weight of the divergences, >= 0.

    Raises:
        ValueError: a size is below 1, there is no layer, `decoder` is unknown, or `beta` is negative.

    Source: Soenderby et al. 2016, "Ladder variational autoencoders", equations 6 to 12.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.HierarchicalVAE(64, latent_dims=(6, 3), width=16)
        >>> x = tn.data.digits.load()[0].tensors[0][:5]
        >>> sorted(model.loss(x)), model.sample(3).shape
        (['kl', 'kl_1', 'kl_2', 'loss', 'reconstruction'], (3, 64))
    """

    def __init__(self, data_dim: int, latent_dims: Sequence[int] = (8, 4), width: int = 128, decoder: str = "bernoulli",
                 beta: float = 1.0, *, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        dims = tuple(latent_dims)
        if not dims or min((data_dim, width, *dims)) < 1:
            raise ValueError(f"HierarchicalVAE: sizes must be at least 1, got {data_dim}, {dims}, {width}")
        self._take(data_dim, decoder, beta)
        self.latent_dims = dims
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        self.up = ModuleList(MLP([n, width, width], SiLU, **home) for n in (data_dim, *[width] * (len(dims) - 1)))
        self.guess = ModuleList(Linear(width, 2 * k, **home) for k in dims)
        self.down = ModuleList(MLP([above, width, 2 * k], SiLU, **home) for k, above in zip(dims, dims[1:]))
        self.decoder = MLP([dims[0], width, width, data_dim], SiLU, **home)
        if decoder == "gaussian":
            self.log_sigma = Parameter(ops.zeros((), **home))

    def _normal(self, both):
        """Mean and logarithm of the variance, kept within bounds, smoothly."""
        k = both.shape[-1] // 2
        return both[..., :k], BOUND * ops.tanh(both[..., k:] / BOUND)

    def posterior(self, x: ArrayLike, generator: Generator | None = None) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Draws of the codes with their divergences, from the data upward.

        Args:
            x: (N, D).
            generator: the stream of the noise.

        Returns:
            For each layer: z_l (N, K_l), the mean of its posterior (N, K_l), and its KL (N,) in nats.
        """
        h, guesses = as_tensor(x), []
        for up, guess in zip(self.up, self.guess):
            h = ops.silu(up(h))
            guesses.append(self._normal(guess(h)))
        found: list[tuple[Tensor, Tensor, Tensor]] = []
        for k in reversed(range(len(guesses))):
            mean, log_var = guesses[k]
            if not found:
                prior_mean, prior_log_var = 0.0 * mean, 0.0 * mean
            else:
                prior_mean, prior_log_var = self._normal(self.down[k](found[0][0]))
                own, above = ops.exp(-log_var), ops.exp(-prior_log_var)  # precisions
                mean = (mean * own + prior_mean * above) / (own + above)
                log_var = -ops.log(own + above)
            z = self.draw(mean, log_var, generator)
            ratio = log_var - prior_log_var
            kl = 0.5 * ops.sum(ops.exp(ratio) - 1 - ratio + ops.square(mean - prior_mean) * ops.exp(-prior_log_var),
                               axis=-1)
            found.insert(0, (z, mean, kl))
        return found

    def loss(self, x: ArrayLike, generator: Generator | None = None) -> dict[str, Tensor]:
        """The negative bound and its terms, means over the batch.

        Args:
            x: (N, D).
            generator: the stream of the noise.

        Returns:
            {"loss", "reconstruction", "kl", "kl_1", ..., "kl_L"}, 0-d Tensors in nats.
        """
        x = as_tensor(x)
        layers = self.posterior(x, generator)
        reconstruction = -ops.mean(self.log_likelihood(x, layers[0][0]))
        terms = {f"kl_{k + 1}": ops.mean(kl) for k, (_, _, kl) in enumerate(layers)}
        kl = sum(terms.values(), 0.0 * reconstruction)
        return {"loss": reconstruction + self.beta * kl, "reconstruction": reconstruction, "kl": kl, **terms}

    def encode(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """Means of the posterior of the top codes and of the bottom ones, (N, K_L) and (N, K_1)."""
        layers = self.posterior(x)
        return layers[-1][1], layers[0][1]

    def reconstruct(self, x: ArrayLike) -> Tensor:
        """x -> mean of the bottom codes -> mean of the decoder, without recording."""
        with no_grad(), self.evaluating():
            return self.decode(self.encode(x)[1])

    def sample(self, n: int, generator: Generator | None = None) -> Tensor:
        """`n` new examples, drawn from the top down; (n, D), without recording."""
        like = next(self.parameters())
        with no_grad(), self.evaluating():
            z = standard_normal((n, self.latent_dims[-1]), like, generator)
            for down in reversed(self.down):
                mean, log_var = self._normal(down(z))
                z = self.draw(mean, log_var, generator)
            return self.decode(z)

    def extra_repr(self) -> str:
        """Sizes and kind of decoder."""
        return f"data_dim={self.data_dim}, latent_dims={self.latent_dims}, decoder={self.likelihood!r}"
