"""CycleGAN: a map from one domain to another and one back, learned without pairs.

    a, b  examples of the two domains, D numbers each

    F(a) should look like b, G(b) like a        (two discriminators say so)
    G(F(a)) = a and F(G(b)) = b                 (the cycles close)
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor, no_grad
from ..nn import MLP, Module, ReLU
from ..nn import functional as F
from ..optim import Adam
from .gan import Discriminator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..optim import Optimizer
    from ..typing import ArrayLike, DeviceLike, DTypeLike


def cycle_loss(a: ArrayLike, back: ArrayLike) -> Tensor:
    """How far a cycle ends from where it began.

    Formula: mean |G(F(a)) - a|.

    Args:
        a: examples, any shape.
        back: what they became after both maps, of the same shape.

    Returns:
        A 0-d Tensor, in units of the data.

    Source: Zhu et al. 2017, equation 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.cycle_loss(tn.zeros((2, 2)), tn.ones((2, 2)))
        tensor(1.)
    """
    return ops.mean(ops.abs(as_tensor(back) - as_tensor(a)))


class CycleGAN(Module):
    """Two generators between two domains, and a discriminator of each domain.

    Formula: F and G descend c(D_b(F(a))) + c(D_a(G(b))) + cycle (|G(F(a)) - a| + |F(G(b)) - b|)
        + identity (|F(b) - b| + |G(a) - a|), means over the batch; D_a and D_b descend as in `GAN`.

    Args:
        data_dim: D, numbers per example of both domains.
        hidden: widths of the hidden layers.
        cycle: weight of the cycles, >= 0.
        identity: weight that keeps what belongs to the other domain already, >= 0.
        kind: as in `GAN`.
        residual: whether F(a) = a + f(a).

    Raises:
        ValueError: a size is below 1, a weight is negative, or `kind` is unknown.

    Source: Zhu et al. 2017, "Unpaired image-to-image translation using cycle-consistent adversarial networks".

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.CycleGAN(2, hidden=(8,))
        >>> model.to_b(tn.ones((3, 2))).shape, sorted(model.loss(tn.ones((3, 2)), tn.zeros((3, 2))))
        ((3, 2), ['cycle', 'discriminator', 'generator', 'loss'])
    """

    def __init__(self, data_dim: int, hidden: Sequence[int] = (64, 64), cycle: float = 10.0, identity: float = 0.0,
                 kind: str = "least-squares", *, residual: bool = True, activation: Any = None,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        hidden = tuple(hidden)
        if min((data_dim, *hidden)) < 1:
            raise ValueError(f"CycleGAN: sizes must be at least 1, got {data_dim}, {hidden}")
        if min(cycle, identity) < 0:
            raise ValueError(f"cycle, identity: expected numbers >= 0, got {cycle!r}, {identity!r}")
        F.gan_generator_loss(ops.zeros(1), kind)  # an unknown kind is refused here
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        self.data_dim, self.kind, self.residual = data_dim, kind, residual
        self.cycle, self.identity = cycle, identity
        self.forth, self.back = (MLP([data_dim, *hidden, data_dim], activation or ReLU, **home) for _ in range(2))
        self.critic_a, self.critic_b = (
            Discriminator(data_dim, hidden, activation=activation, **home) for _ in range(2))

    def to_b(self, a: ArrayLike) -> Tensor:
        """F(a), (N, D) -> (N, D)."""
        a = as_tensor(a)
        return a + self.forth(a) if self.residual else self.forth(a)

    def to_a(self, b: ArrayLike) -> Tensor:
        """G(b), (N, D) -> (N, D)."""
        b = as_tensor(b)
        return b + self.back(b) if self.residual else self.back(b)

    def predict(self, a: ArrayLike) -> Tensor:
        """F(a) without recording."""
        with no_grad(), self.evaluating():
            return self.to_b(a)

    def discriminator_loss(self, a: Tensor, b: Tensor, fake_a: Tensor, fake_b: Tensor) -> Tensor:
        """What the two discriminators descend."""
        return (F.gan_discriminator_loss(self.critic_a(a), self.critic_a(fake_a), self.kind)
                + F.gan_discriminator_loss(self.critic_b(b), self.critic_b(fake_b), self.kind))

    def generator_parts(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """What the two generators descend, and its cycles; with what they make."""
        fake_b, fake_a = self.to_b(a), self.to_a(b)
        cycle = cycle_loss(a, self.to_a(fake_b)) + cycle_loss(b, self.to_b(fake_a))
        loss = (F.gan_generator_loss(self.critic_b(fake_b), self.kind)
                + F.gan_generator_loss(self.critic_a(fake_a), self.kind) + self.cycle * cycle)
        if self.identity:
            loss = loss + self.identity * (cycle_loss(b, self.to_b(b)) + cycle_loss(a, self.to_a(a)))
        return {"generator": loss, "cycle": cycle, "fake_a": fake_a, "fake_b": fake_b}

    def loss(self, a: ArrayLike, b: ArrayLike) -> dict[str, Tensor]:
        """The losses of generators and discriminators, means over the batch.

        Args:
            a, b: (N, D), examples of the two domains; nothing is paired.

        Returns:
            {"loss", "discriminator", "generator", "cycle"}, 0-d Tensors; "loss" is the sum of the players', for checks.
        """
        dtype = next(self.parameters()).dtype
        a, b = ops.astype(as_tensor(a), dtype), ops.astype(as_tensor(b), dtype)
        found = self.generator_parts(a, b)
        d = self.discriminator_loss(a, b, found.pop("fake_a"), found.pop("fake_b"))
        return {"loss": d + found["generator"], "discriminator": d, **found}

    def optimizers(self, lr: float = 1e-3) -> dict[str, Optimizer]:
        """Adam for the two discriminators, and for the two generators."""
        pairs = {"discriminator": (self.critic_a, self.critic_b), "generator": (self.forth, self.back)}
        return {name: Adam([p for part in parts for p in part.parameters()], lr=lr, betas=(0.5, 0.99))
                for name, parts in pairs.items()}

    def update(self, trainer: Any, a: Tensor, b: Tensor) -> dict[str, Any]:
        """A batch of training: a step of the generators, then one of the discriminators."""
        found = self.generator_parts(a, b)
        fake_a, fake_b = found.pop("fake_a").detach(), found.pop("fake_b").detach()
        g = trainer.descend("generator", found["generator"])
        d = trainer.descend("discriminator", self.discriminator_loss(a, b, fake_a, fake_b))
        return {"loss": d + g, "discriminator": d, "generator": g, "cycle": found["cycle"]}

    def extra_repr(self) -> str:
        """Sizes and weights."""
        return f"data_dim={self.data_dim}, cycle={self.cycle:g}, identity={self.identity:g}, kind={self.kind!r}"
