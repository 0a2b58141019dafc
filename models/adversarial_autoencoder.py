"""Autoencoders whose codes are made to follow a prior, so that decoding draws from the prior makes new data.

    x  data, D numbers    h = f(x)  code, K numbers    z ~ N(0, I)  the prior    eta  what tells h and z apart

    adversarial    min over f, g  max over eta   E |x - g(f(x))|^2 + weight {E log eta(z) + E log(1 - eta(f(x)))}
    Wasserstein    min over f, g  max over |eta'| <= 1   E |x - g(f(x))|^2 + weight {E eta(z) - E eta(f(x))}

Only samples of the prior are needed, no density. (The notes lose a bracket here, so that the weight covers one term,
and keep a logarithm in the second line that does not belong there.)
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor, no_grad
from ..nn import functional as F
from ..optim import Adam
from .autoencoder import Autoencoder, squared_distance
from .gan import Discriminator, slope_of
from .noise import somewhere_between, standard_normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..backend import Generator
    from ..optim import Optimizer
    from ..typing import ArrayLike


class AdversarialAutoencoder(Autoencoder):
    """An autoencoder with a discriminator of its codes.

    Formula: the discriminator descends mean a(eta(z)) + mean b(eta(f(x))) + penalty/2 mean |grad eta(z)|^2; encoder and
        decoder descend mean |x - g(f(x))|^2 + weight mean c(eta(f(x))), with a, b, c as in
        `nn.functional.gan_discriminator_loss`.

    Args:
        data_dim, latent_dim, hidden: as in `Autoencoder`.
        weight: of the discriminator's word, > 0.
        critic_hidden: widths of the discriminator's hidden layers.
        kind: of the adversarial loss, as in `GAN`.
        penalty: on the slope of eta, >= 0.
        critic_steps: steps of the discriminator for each of encoder and decoder.
        **options: others of `Autoencoder`.

    Raises:
        ValueError: a number is out of range, or `kind` is unknown.

    Source: Makhzani et al. 2016, "Adversarial autoencoders"; the notes, chapter on adversarial autoencoders.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.AdversarialAutoencoder(4, 2, hidden=(8,))
        >>> sorted(model.loss(tn.ones((3, 4)))), model.sample(5).shape
        (['autoencoder', 'discriminator', 'loss', 'reconstruction'], (5, 4))
    """

    def __init__(self, data_dim: int, latent_dim: int = 8, hidden: Sequence[int] = (256, 128), weight: float = 1.0,
                 critic_hidden: Sequence[int] = (64, 64), kind: str = "non-saturating", penalty: float = 0.1,
                 critic_steps: int = 1, **options: Any) -> None:
        super().__init__(data_dim, latent_dim, hidden, **options)
        if not (weight > 0 and penalty >= 0 and critic_steps >= 1):
            raise ValueError("weight, penalty, critic_steps: expected > 0, >= 0 and >= 1, got "
                             f"{weight!r}, {penalty!r}, {critic_steps!r}")
        F.gan_generator_loss(ops.zeros(1), kind)  # an unknown kind is refused here
        self.weight, self.kind, self.penalty, self.critic_steps = weight, kind, penalty, critic_steps
        home: dict[str, Any] = {name: options.get(name) for name in ("device", "dtype", "activation")}
        self.critic = Discriminator(latent_dim, critic_hidden, **home)

    def prior(self, n: int, generator: Generator | None = None) -> Tensor:
        """z ~ N(0, I), (n, K); the same numbers in every precision."""
        return standard_normal((n, self.latent_dim), next(self.parameters()), generator)

    def critic_loss(self, z: Tensor, h: Tensor) -> Tensor:
        """What eta descends, from draws of the prior and codes."""
        loss = F.gan_discriminator_loss(self.critic(z), self.critic(h), self.kind)
        if self.penalty:
            loss = loss + 0.5 * self.penalty * ops.mean(ops.square(slope_of(self.critic, z)))
        return loss

    def own_parts(self, x: Tensor) -> dict[str, Tensor]:
        """What encoder and decoder descend, under "autoencoder"; with the codes."""
        h = self.encode(x)
        found = squared_distance(x, self.decode(h))
        fooled = F.gan_generator_loss(self.critic(h), self.kind)
        return {"autoencoder": found + self.weight * fooled, "reconstruction": found, "codes": h}

    def loss(self, x: ArrayLike, generator: Generator | None = None) -> dict[str, Tensor]:
        """The losses of both sides at new draws of the prior, means over the batch.

        Args:
            x: (N, D).
            generator: the stream of the prior.

        Returns:
            {"loss", "autoencoder", "discriminator", "reconstruction"}; "loss" is the sum of the two sides', for checks.
        """
        x = as_tensor(x)
        found = self.own_parts(x)
        d = self.critic_loss(self.prior(len(x), generator), found.pop("codes"))
        return {"loss": d + found["autoencoder"], "discriminator": d, **found}

    def optimizers(self, lr: float = 1e-3) -> dict[str, Optimizer]:
        """Adam for the discriminator, and for encoder and decoder."""
        own = [*self.encoder.parameters(), *self.decoder.parameters()]
        return {"discriminator": Adam(self.critic.parameters(), lr=lr, betas=(0.5, 0.99)),
                "autoencoder": Adam(own, lr=lr, betas=(0.5, 0.99))}

    def update(self, trainer: Any, x: Tensor) -> dict[str, Any]:
        """A batch of training: a step of encoder and decoder, then one of the discriminator. For `train.Trainer`."""
        found = self.own_parts(x)
        h = found.pop("codes").detach()
        own = trainer.descend("autoencoder", found["autoencoder"])
        for _ in range(self.critic_steps):
            d = trainer.descend("discriminator", self.critic_loss(self.prior(len(x)), h))
        return {"loss": own + d, "autoencoder": own, "discriminator": d, "reconstruction": found["reconstruction"]}

    def sample(self, n: int, generator: Generator | None = None) -> Tensor:
        """`n` new examples, draws of the prior decoded; (n, D), without recording."""
        with no_grad(), self.evaluating():
            return self.decode(self.prior(n, generator))


class WassersteinAutoencoder(AdversarialAutoencoder):
    """An autoencoder whose codes are drawn to the prior by a critic of bounded slope.

    Formula: the critic descends mean eta(f(x)) - mean eta(z) + penalty mean max(0, |grad eta(u)| - 1)^2 at points u
        between codes and draws; encoder and decoder descend mean |x - g(f(x))|^2 - weight mean eta(f(x)).

    Args:
        data_dim, latent_dim, hidden, weight, critic_hidden: as in `AdversarialAutoencoder`.
        penalty: on slopes above 1, >= 0.
        critic_steps: steps of the critic for each of encoder and decoder.
        **options: others of `Autoencoder`.

    Raises:
        ValueError: a number is out of range.

    Source: Tolstikhin et al. 2018, "Wasserstein auto-encoders", with the critic of Gulrajani et al. 2017.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.WassersteinAutoencoder(4, 2, hidden=(8,))
        >>> sorted(model.loss(tn.ones((3, 4))))
        ['autoencoder', 'discriminator', 'loss', 'reconstruction']
    """

    def __init__(self, data_dim: int, latent_dim: int = 8, hidden: Sequence[int] = (256, 128), weight: float = 1.0,
                 critic_hidden: Sequence[int] = (64, 64), penalty: float = 10.0,
                 critic_steps: int = 3, **options: Any) -> None:
        super().__init__(data_dim, latent_dim, hidden, weight, critic_hidden, "wasserstein", penalty, critic_steps,
                         **options)

    def critic_loss(self, z: Tensor, h: Tensor) -> Tensor:
        """What eta descends, with the penalty on its slope."""
        over = ops.relu(slope_of(self.critic, somewhere_between(z, h)) - 1)
        gap = F.gan_discriminator_loss(self.critic(z), self.critic(h), "wasserstein")
        return gap + self.penalty * ops.mean(ops.square(over))
