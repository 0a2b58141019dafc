"""Autoencoders: an encoder and a decoder that must give the data back through a narrow, noisy, sparse or flat code.

    x  data, D numbers        h = f(x)  code, K numbers        r(x) = g(f(x))  what comes back

    loss = mean over examples of |x - r(x)|^2, plus what keeps r from being the identity:

    plain, linear    K < D alone; without hidden layers the codes span the first K principal components
    denoising        r sees x + noise; then r(x) - x = sigma^2 grad log p_sigma(x)
    contractive      weight |df/dx|^2, the squared Frobenius norm of the encoder's Jacobian
    sparse           weight |h|, or the divergence of the mean activity from a low one, or only the k largest h
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor, enable_grad, grad, no_grad
from ..nn import MLP, Module, SiLU
from .noise import standard_normal, standard_uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..backend import Generator
    from ..typing import ArrayLike, DeviceLike, DTypeLike

SPARSITIES = ("l1", "kl", "k")


class Autoencoder(Module):
    """A deep autoencoder of perceptrons.

    Formula: loss = mean_i |x_i - g(f(x_i))|^2.

    Args:
        data_dim: D, numbers per example.
        latent_dim: K, numbers per code.
        hidden: widths of the hidden layers of the encoder; the decoder has them in reverse.
        unit: whether values are from 0 to 1 (a sigmoid at the end of the decoder).
        activation: a function that makes a Module; None: SiLU.

    Raises:
        ValueError: a size is below 1.

    Source: Hinton & Salakhutdinov 2006; the notes, chapter on autoencoders.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.Autoencoder(64, latent_dim=2, hidden=(16,))
        >>> x = tn.data.digits.load()[0].tensors[0][:5]
        >>> sorted(model.loss(x)), model.encode(x).shape, model.predict(x).shape
        (['loss', 'reconstruction'], (5, 2), (5, 64))
    """

    def __init__(self, data_dim: int, latent_dim: int = 8, hidden: Sequence[int] = (256, 128), *, unit: bool = False,
                 activation: Any = None, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        hidden = tuple(hidden)
        if min((data_dim, latent_dim, *hidden)) < 1:
            raise ValueError(f"{type(self).__name__}: sizes must be at least 1, got {data_dim}, {latent_dim}, {hidden}")
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        self.data_dim, self.latent_dim, self.unit = data_dim, latent_dim, unit
        self.encoder = MLP([data_dim, *hidden, latent_dim], activation or SiLU, **home)
        self.decoder = MLP([latent_dim, *hidden[::-1], data_dim], activation or SiLU, **home)

    def encode(self, x: ArrayLike) -> Tensor:
        """f(x), (N, D) -> (N, K)."""
        return self.encoder(as_tensor(x))

    def decode(self, h: ArrayLike) -> Tensor:
        """g(h), (N, K) -> (N, D)."""
        out = self.decoder(as_tensor(h))
        return ops.sigmoid(out) if self.unit else out

    def forward(self, x: ArrayLike) -> Tensor:
        """r(x), (N, D) -> (N, D)."""
        return self.decode(self.encode(x))

    def loss(self, x: ArrayLike) -> dict[str, Tensor]:
        """The squared distance to what comes back, mean over the batch.

        Args:
            x: (N, D).

        Returns:
            {"loss", "reconstruction"} and the penalty of the model, if it has one; 0-d Tensors.
        """
        x = as_tensor(x)
        found = squared_distance(x, self(x))
        return {"loss": found, "reconstruction": found}

    def predict(self, x: ArrayLike) -> Tensor:
        """r(x) without recording."""
        with no_grad(), self.evaluating():
            return self(x)

    def extra_repr(self) -> str:
        """Sizes."""
        return f"data_dim={self.data_dim}, latent_dim={self.latent_dim}"


class LinearAutoencoder(Autoencoder):
    """An autoencoder of one affine map each way: its best solutions span the first principal components.

    Formula: the least loss is the sum of the D - K small eigenvalues of the covariance; the columns of the decoder
        span the other eigenvectors, without being them.

    Args:
        data_dim: D, numbers per example.
        latent_dim: K, numbers per code.

    Source: Bourlard & Kamp 1988; Baldi & Hornik 1989; the notes, chapter on autoencoders.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.LinearAutoencoder(6, 2).predict(tn.ones((3, 6))).shape
        (3, 6)
    """

    def __init__(self, data_dim: int, latent_dim: int = 2, *, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(data_dim, latent_dim, (), device=device, dtype=dtype)


class DenoisingAutoencoder(Autoencoder):
    """An autoencoder that is shown noisy examples and must give back clean ones.

    Formula: loss = mean_i |x_i - r(x_i + sigma e_i)|^2, e ~ N(0, I). The best r is the mean of x given what is seen, so
        (r(y) - y) / sigma^2 = grad log p_sigma(y), p_sigma being the data smoothed by the noise.

    Args:
        data_dim: D, numbers per example.
        latent_dim: K; it may be larger than D.
        hidden: as in `Autoencoder`.
        sigma: standard deviation of the noise, > 0; or with `mask` the share of values that are set to zero.
        mask: whether values are lost instead of shaken.
        **options: others of `Autoencoder`.

    Raises:
        ValueError: `sigma` is out of range.

    Source: Vincent et al. 2008; Alain & Bengio 2014; the notes, chapter on variational autoencoders.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.DenoisingAutoencoder(2, 16, hidden=(16,), sigma=0.3)
        >>> model.score(tn.ones((4, 2))).shape
        (4, 2)
    """

    def __init__(self, data_dim: int, latent_dim: int = 8, hidden: Sequence[int] = (256, 128), sigma: float = 0.3,
                 mask: bool = False, **options: Any) -> None:
        super().__init__(data_dim, latent_dim, hidden, **options)
        if not 0 < sigma < (1 if mask else float("inf")):
            raise ValueError(f"sigma: expected a number > 0{', below 1 for a mask' if mask else ''}, got {sigma!r}")
        self.sigma, self.mask = sigma, mask

    def corrupt(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        """What the encoder is shown; the same draws in every precision."""
        if self.mask:
            return ops.where(standard_uniform(x.shape, x, generator) < self.sigma, 0, x)
        return x + self.sigma * standard_normal(x.shape, x, generator)

    def loss(self, x: ArrayLike, generator: Generator | None = None) -> dict[str, Tensor]:
        """The squared distance from the clean example to what comes back of the noisy one."""
        x = as_tensor(x)
        found = squared_distance(x, self(self.corrupt(x, generator)))
        return {"loss": found, "reconstruction": found}

    def score(self, y: ArrayLike) -> Tensor:
        """(r(y) - y) / sigma^2, the slope of log p_sigma, (N, D) -> (N, D); without recording."""
        y = as_tensor(y)
        return (self.predict(y) - y) / self.sigma**2


class ContractiveAutoencoder(Autoencoder):
    """An autoencoder whose codes change little where the data do not lead: the slope of the encoder is paid for.

    Formula: loss = mean_i |x_i - r(x_i)|^2 + weight |df/dx (x_i)|_F^2. Training it takes second derivatives.

    Args:
        data_dim, latent_dim, hidden: as in `Autoencoder`.
        weight: of the penalty, >= 0.
        **options: others of `Autoencoder`.

    Raises:
        ValueError: `weight` is negative.

    Source: Rifai et al. 2011, "Contractive auto-encoders".

    Example:
        >>> import tinygrad_notes as tn
        >>> sorted(tn.models.ContractiveAutoencoder(3, 2, hidden=(4,)).loss(tn.ones((2, 3))))
        ['contraction', 'loss', 'reconstruction']
    """

    def __init__(self, data_dim: int, latent_dim: int = 8, hidden: Sequence[int] = (256, 128), weight: float = 0.1,
                 **options: Any) -> None:
        super().__init__(data_dim, latent_dim, hidden, **options)
        if not weight >= 0:
            raise ValueError(f"weight: expected a number >= 0, got {weight!r}")
        self.weight = weight

    def contraction(self, x: ArrayLike) -> Tensor:
        """|df/dx|_F^2 of each example, (N, D) -> (N,), recorded so that it can be trained."""
        with enable_grad():
            x = as_tensor(x)
            x = x if x.requires_grad else x.detach().requires_grad_()
            x = ops.astype(x, next(self.parameters()).dtype)
            h = self.encode(x)
            # One pass per code; summed over the batch, for an example's code depends on that example alone.
            rows = [grad(ops.sum(h[:, k]), x, create_graph=True)[0] for k in range(self.latent_dim)]
        return ops.sum(ops.square(ops.stack(rows)), axis=(0, 2))  # (K, N, D) -> (N,)

    def loss(self, x: ArrayLike) -> dict[str, Tensor]:
        """The squared distance and the squared slope of the encoder."""
        x = as_tensor(x)
        found, contraction = squared_distance(x, self(x)), ops.mean(self.contraction(x))
        return {"loss": found + self.weight * contraction, "reconstruction": found, "contraction": contraction}


class SparseAutoencoder(Autoencoder):
    """An autoencoder with many codes, few of which are active for one example.

    Formula: loss = mean_i |x_i - g(h_i)|^2 + weight s, with codes h = relu(f(x)) and
        'l1': s = mean_i sum_k h_ik;
        'kl': s = sum_k KL(Bernoulli(rho) || Bernoulli(mean_i h_ik)), codes h = sigmoid(f(x));
        'k': s = 0, and all but the `active` largest codes of an example are set to zero.

    Args:
        data_dim, latent_dim, hidden: as in `Autoencoder`; K is usually large.
        kind: 'l1', 'kl' or 'k'.
        weight: of the penalty, >= 0.
        rho: the activity aimed at, between 0 and 1 ('kl').
        active: codes per example ('k'), from 1 to K.
        **options: others of `Autoencoder`.

    Raises:
        ValueError: `kind` is unknown, or a number is out of range.

    Source: Ng 2011, "Sparse autoencoder"; Makhzani & Frey 2014, "k-Sparse autoencoders".

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.SparseAutoencoder(6, 16, hidden=(), kind="k", active=3)
        >>> int((model.encode(tn.ones((1, 6))) > 0).sum()) <= 3
        True
    """

    def __init__(self, data_dim: int, latent_dim: int = 64, hidden: Sequence[int] = (128,), kind: str = "l1",
                 weight: float = 0.1, rho: float = 0.05, active: int = 8, **options: Any) -> None:
        super().__init__(data_dim, latent_dim, hidden, **options)
        if kind not in SPARSITIES:
            raise ValueError(f"kind: expected one of {', '.join(SPARSITIES)}, got {kind!r}")
        if not (weight >= 0 and 0 < rho < 1 and 1 <= active <= latent_dim):
            raise ValueError(f"weight, rho, active: expected >= 0, between 0 and 1, and from 1 to {latent_dim}, got "
                             f"{weight!r}, {rho!r}, {active!r}")
        self.kind, self.weight, self.rho, self.active = kind, weight, rho, active

    def encode(self, x: ArrayLike) -> Tensor:
        """The codes, (N, D) -> (N, K), none negative."""
        h = self.encoder(as_tensor(x))
        if self.kind == "kl":
            return ops.sigmoid(h)
        h = ops.relu(h)
        if self.kind == "k" and self.active < self.latent_dim:
            least = ops.sort(h.detach(), axis=-1)[:, self.latent_dim - self.active]  # the smallest that is kept
            h = ops.where(h < least[:, None], 0, h)
        return h

    def sparsity(self, h: Tensor) -> Tensor:
        """s, 0-d."""
        if self.kind == "kl":
            mean, rho = ops.mean(h, axis=0), self.rho
            return ops.sum(rho * ops.log(rho / mean) + (1 - rho) * ops.log((1 - rho) / (1 - mean)))
        return ops.mean(ops.sum(h, axis=-1)) * (self.kind == "l1")

    def loss(self, x: ArrayLike) -> dict[str, Tensor]:
        """The squared distance and the penalty; "active" is the share of codes above 0.01."""
        x = as_tensor(x)
        h = self.encode(x)
        found, sparsity = squared_distance(x, self.decode(h)), self.sparsity(h)
        active = ops.mean(ops.astype(h.detach() > 0.01, h.dtype))
        return {"loss": found + self.weight * sparsity, "reconstruction": found, "sparsity": sparsity, "active": active}


def squared_distance(x: Tensor, y: Tensor) -> Tensor:
    """mean_i |x_i - y_i|^2 of rows."""
    return ops.mean(ops.sum(ops.square(x - y), axis=-1))
