"""The variational autoencoder: a latent-variable model and its approximate posterior, trained together.

    x  data, D numbers        z  latent code, K numbers        e  standard normal noise

    prior        p(z)   = N(0, I)
    decoder      p(x|z) = Bernoulli(sigmoid(f(z)))  or  N(f(z), sigma^2 I)
    encoder      q(z|x) = N(m(x), diag s(x)^2)
    bound        log p(x) >= ELBO(x) = E_q[log p(x|z)] - KL(q(z|x) || p(z))

The expectation is estimated with one draw z = m(x) + s(x) e, through which gradients flow (reparameterization); the
divergence is known in closed form, 1/2 sum_k (m_k^2 + s_k^2 - 1 - log s_k^2).
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor, no_grad
from ..nn import MLP, Module, Parameter, SiLU
from ..nn import functional as F
from .noise import standard_normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..backend import Generator
    from ..typing import ArrayLike, DeviceLike, DTypeLike

DECODERS = ("bernoulli", "gaussian")


class _Decoding(Module):
    """What models with a code z share: p(x|z). They define `decoder`, and `log_sigma` if it is Gaussian."""

    decoder: MLP
    log_sigma: Parameter

    def _take(self, data_dim, decoder, beta):
        if decoder not in DECODERS:
            raise ValueError(f"decoder: expected one of {', '.join(DECODERS)}, got {decoder!r}")
        if not 0 <= beta < math.inf:
            raise ValueError(f"beta: expected a number >= 0, got {beta!r}")
        self.data_dim, self.likelihood, self.beta = data_dim, decoder, beta

    def draw(self, mean: Tensor, log_var: Tensor, generator: Generator | None = None) -> Tensor:
        """Codes z = m + s e, through which gradients flow to m and s; e is the same in every precision."""
        return mean + ops.exp(0.5 * log_var) * standard_normal(mean.shape, mean, generator)

    def decode(self, z: ArrayLike) -> Tensor:
        """The mean of p(x|z).

        Args:
            z: (N, K).

        Returns:
            (N, D): probabilities of a Bernoulli decoder, means of a Gaussian one.
        """
        out = self.decoder(as_tensor(z))
        return ops.sigmoid(out) if self.likelihood == "bernoulli" else out

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x|z) of each example in nats, (N,)."""
        out = self.decoder(z)
        if self.likelihood == "bernoulli":
            return -ops.sum(F.binary_cross_entropy_with_logits(out, x, reduction="none"), axis=-1)
        error = (x - out) * ops.exp(-self.log_sigma)
        return -0.5 * ops.sum(error * error, axis=-1) - self.data_dim * (self.log_sigma + 0.5 * math.log(2 * math.pi))


class VAE(_Decoding):
    """A variational autoencoder with perceptrons on both sides.

    Formula: loss = -E_q[log p(x|z)] + beta KL(q(z|x) || N(0, I)), in nats per example; with beta = 1 it is -ELBO.

    Args:
        data_dim: D, numbers per example.
        latent_dim: K, numbers per code.
        hidden: widths of the hidden layers of the encoder; the decoder has them in reverse.
        decoder: 'bernoulli' for values from 0 to 1 (gray values count as probabilities), 'gaussian' for real ones, with
            a noise sigma that is learned.
        beta: weight of the divergence, >= 0; above 1 the codes are pressed towards independence.

    Raises:
        ValueError: a size is below 1, `decoder` is unknown, or `beta` is negative.

    Source: Kingma & Welling 2014, "Auto-encoding variational Bayes"; beta: Higgins et al. 2017; the notes, chapter VAE.

    Example:
        >>> import tinygrad_notes as tn
        >>> vae = tn.models.VAE(64, latent_dim=4, hidden=(32,))
        >>> x = tn.data.digits.load()[0].tensors[0][:10]
        >>> sorted(vae.loss(x)), vae.reconstruct(x).shape, vae.sample(3).shape
        (['kl', 'loss', 'reconstruction'], (10, 64), (3, 64))
    """

    def __init__(self, data_dim: int, latent_dim: int = 8, hidden: Sequence[int] = (256,), decoder: str = "bernoulli",
                 beta: float = 1.0, *, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        hidden = tuple(hidden)
        if min((data_dim, latent_dim, *hidden)) < 1:
            raise ValueError(f"VAE: sizes must be at least 1, got {data_dim}, {latent_dim}, {hidden}")
        self._take(data_dim, decoder, beta)
        self.latent_dim = latent_dim
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        self.encoder = MLP([data_dim, *hidden, 2 * latent_dim], SiLU, **home)
        self.decoder = MLP([latent_dim, *hidden[::-1], data_dim], SiLU, **home)
        if decoder == "gaussian":
            self.log_sigma = Parameter(ops.zeros((), **home))

    def encode(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """The approximate posterior of each example.

        Args:
            x: (N, D).

        Returns:
            Mean and logarithm of the variance of q(z|x), both (N, K).
        """
        both = self.encoder(as_tensor(x))  # (N, 2K)
        return both[:, :self.latent_dim], both[:, self.latent_dim:]

    def loss(self, x: ArrayLike, generator: Generator | None = None) -> dict[str, Tensor]:
        """The negative evidence lower bound and its two terms, means over the batch.

        Args:
            x: (N, D).
            generator: the stream of the noise; default: the one that `manual_seed` starts.

        Returns:
            {"loss", "reconstruction", "kl"}, 0-d Tensors in nats; loss = reconstruction + beta kl.
        """
        x = as_tensor(x)
        mean, log_var = self.encode(x)
        reconstruction = -ops.mean(self.log_likelihood(x, self.draw(mean, log_var, generator)))
        kl = F.kl_to_standard_normal(mean, log_var)
        return {"loss": reconstruction + self.beta * kl, "reconstruction": reconstruction, "kl": kl}

    def log_evidence(self, x: ArrayLike, draws: int = 100, generator: Generator | None = None) -> Tensor:
        """log p(x) by importance sampling from the encoder: from below, and the closer the more draws.

        Formula: log 1/S sum_s p(x|z_s) p(z_s) / q(z_s|x), z_s ~ q(z|x). With one draw its mean is the ELBO.

        Args:
            x: (N, D).
            draws: S >= 1.
            generator: the stream of the draws.

        Returns:
            (N,), in nats.

        Source: Burda, Grosse & Salakhutdinov 2016, "Importance weighted autoencoders".
        """
        with no_grad():
            x = as_tensor(x)
            mean, log_var = self.encode(x)
            weights = [self._log_weights(x, mean, log_var, 1, generator) for _ in range(draws)]
            return ops.logsumexp(ops.concat(weights), axis=0) - math.log(draws)

    def _log_weights(self, x, mean, log_var, draws, generator):
        """log p(x|z_s) p(z_s) / q(z_s|x) of several draws, (S, N)."""
        noise = standard_normal((draws, *mean.shape), mean, generator)
        z = mean + ops.exp(0.5 * log_var) * noise  # (S, N, K)
        # log p(z) - log q(z|x): the constants of the two normal densities cancel.
        ratio = 0.5 * ops.sum(noise * noise + log_var - z * z, axis=-1)
        return self.log_likelihood(ops.broadcast_to(x, (draws, *x.shape)), z) + ratio

    def reconstruct(self, x: ArrayLike) -> Tensor:
        """x -> mean code -> mean of the decoder, (N, D) -> (N, D), without recording."""
        with no_grad(), self.evaluating():
            return self.decode(self.encode(x)[0])

    def sample(self, n: int, generator: Generator | None = None) -> Tensor:
        """`n` new examples: codes from the prior, decoded to their means; (n, D), without recording."""
        like = next(self.parameters())
        with no_grad(), self.evaluating():
            return self.decode(standard_normal((n, self.latent_dim), like, generator))

    def traverse(self, axes: Sequence[int] | None = None, steps: int = 9, reach: float = 2.5,
                 around: ArrayLike | None = None) -> Tensor:
        """What is decoded along axes of the code, one at a time: which direction means what.

        Args:
            axes: the numbers of the code that move; None: all.
            steps: per axis, from -reach to reach.
            reach: in standard deviations of the prior.
            around: the code (K,) of which one number moves; None: zeros.

        Returns:
            (axes x steps, D), axis by axis, without recording.
        """
        axes = range(self.latent_dim) if axes is None else axes
        like = next(self.parameters())
        home: dict[str, Any] = {"dtype": like.dtype, "device": like.device}
        center = ops.zeros(self.latent_dim, **home) if around is None else ops.astype(as_tensor(around), like.dtype)
        rows = []
        for axis in axes:
            moved = ops.astype(ops.arange(self.latent_dim, device=like.device) == axis, like.dtype)
            rows.append(center * (1 - moved) + ops.linspace(-reach, reach, steps, **home)[:, None] * moved)
        with no_grad(), self.evaluating():
            return self.decode(ops.concat(rows))

    def extra_repr(self) -> str:
        """Sizes and kind of decoder."""
        sizes = f"data_dim={self.data_dim}, latent_dim={self.latent_dim}"
        return f"{sizes}, decoder={self.likelihood!r}, beta={self.beta:g}"
