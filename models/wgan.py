"""The Wasserstein GAN: a critic whose slope is bounded, and which so measures how far generator and data are apart.

    W1(p, q) = max over critics f with |f(a) - f(b)| <= |a - b| of  E_p f(x) - E_q f(x)

No logarithm and no sigmoid: the critic is a real function. Its bound is kept in one of four ways, see `WGAN`.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor, no_grad
from ..nn import Linear
from ..nn.utils.parametrizations import spectral_norm
from ..optim import RMSprop
from .gan import GAN, Discriminator
from .noise import somewhere_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..nn import Module
    from ..optim import Optimizer
    from ..typing import ArrayLike, DeviceLike, DTypeLike

CONSTRAINTS = ("penalty", "lipschitz", "clip", "spectral")


class WGAN(GAN):
    """A GAN whose critic approximates the Wasserstein distance between generator and data.

    Formula: the critic f descends mean f(G(z)) - mean f(x) under its constraint, the generator -mean f(G(z));
        'penalty': + weight mean (|grad f(u)| - 1)^2 at points u between a real and a generated example, which needs
            second derivatives;
        'lipschitz': the same where |grad f| > 1 only, which is what the bound says. The former forbids a critic
            that turns round, as the best one of two scales does, and keeps a wrong sign of the start;
        'clip': all parameters of f are clipped to [-weight, weight] after each step;
        'spectral': each affine layer of f is divided by its largest singular value.

    Args:
        data_dim: D, numbers per example.
        latent_dim: K, numbers of noise.
        hidden: widths of the hidden layers of both.
        constraint: 'penalty', 'lipschitz', 'clip' or 'spectral'.
        weight: of the penalty, or the bound of the clipping; default 10 and 0.1; of no use with 'spectral'.
        critic_steps: steps of the critic for each of the generator.
        **options: others of `GAN`.

    Raises:
        ValueError: the constraint is unknown, or `weight` is not positive.

    Source: Arjovsky et al. 2017 (clip); Gulrajani et al. 2017 (penalty); Petzka et al. 2018 (lipschitz); Miyato
        et al. 2018 (spectral); the notes, chapter on GANs (where the logarithms of the Wasserstein loss must go).

    Example:
        >>> import tinygrad_notes as tn
        >>> gan = tn.models.WGAN(2, latent_dim=4, hidden=(16,))
        >>> sorted(gan.loss(tn.ones((3, 2))))
        ['discriminator', 'distance', 'generator', 'loss', 'penalty']
    """

    def __init__(self, data_dim: int, latent_dim: int = 8, hidden: Sequence[int] = (128, 128),
                 constraint: str = "penalty", weight: float | None = None, critic_steps: int = 5, *,
                 activation: Any = None, discriminator: Module | None = None, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None, **options: Any) -> None:
        if constraint not in CONSTRAINTS:
            raise ValueError(f"constraint: expected one of {', '.join(CONSTRAINTS)}, got {constraint!r}")
        if weight is None:
            weight = {"penalty": 10.0, "lipschitz": 10.0, "clip": 0.1, "spectral": 1.0}[constraint]
        if not weight > 0:
            raise ValueError(f"weight: expected a number > 0, got {weight!r}")
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        critic = discriminator or Discriminator(data_dim, hidden, activation=activation, **home)
        if constraint == "spectral":
            for layer in list(critic.modules()):
                if isinstance(layer, Linear):
                    spectral_norm(layer, n_power_iterations=3)
        super().__init__(data_dim, latent_dim, hidden, "wasserstein", critic_steps=critic_steps, activation=activation,
                         discriminator=critic, **home, **options)
        self.constraint, self.weight = constraint, weight

    def optimizers(self, lr: float = 1e-3) -> dict[str, Optimizer]:
        """RMSprop for each player: with momentum a critic overshoots (Arjovsky et al. 2017, section 4)."""
        return {name: RMSprop(part.parameters(), lr=lr, alpha=0.9) for name, part in self.players().items()}

    def parts(self, x: Tensor, fake: Tensor, *labels: ArrayLike) -> dict[str, Tensor]:
        """The losses of both players; "distance" is the critic's estimate of W1."""
        found = super().parts(x, fake, *labels)
        found["distance"] = -found["discriminator"]
        if self.constraint in ("penalty", "lipschitz"):
            over = self.slope(somewhere_between(x, fake), *labels) - 1
            found["penalty"] = ops.mean(ops.square(over if self.constraint == "penalty" else ops.relu(over)))
            for name in ("loss", "discriminator"):
                found[name] = found[name] + self.weight * found["penalty"]
        return found

    def after_critic(self) -> None:
        """Clip the critic's parameters, where that is the constraint."""
        if self.constraint == "clip":
            with no_grad():
                for p in self.discriminator.parameters():
                    p.data = ops.clip(p, -self.weight, self.weight).data

    def distance(self, x: ArrayLike, fake: ArrayLike) -> float:
        """The critic's estimate of W1 between two samples, E f(x) - E f(fake), in units of the data."""
        with no_grad(), self.evaluating():
            return float(ops.mean(self.score(as_tensor(x))) - ops.mean(self.score(as_tensor(fake))))

    def extra_repr(self) -> str:
        """Sizes and constraint."""
        return f"{super().extra_repr()}, constraint={self.constraint!r}, weight={self.weight:g}"
