"""InfoGAN: a part of the noise, the code, must be readable from what the generator makes.

    z  noise        c = (k, u)  code: a class k, uniform, and numbers u ~ N(0, I)        x = G(z, c)

    I(c; x) >= H(c) + E log Q(c|x)        for any Q: the bound that G and Q raise together

So the axes of the code become what varies most visibly in the data, without a label.
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor, no_grad
from ..nn import MLP, ReLU
from ..nn import functional as F
from ..optim import Adam
from .gan import GAN, Discriminator
from .noise import standard_normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..backend import Generator
    from ..optim import Optimizer
    from ..typing import ArrayLike, DeviceLike, DTypeLike


class InfoGAN(GAN):
    """A GAN with a code of one class and some numbers, and a network Q that reads it.

    Formula: D as in `GAN`; G and Q descend mean c(D(x)) - weight mean log Q(c|x) with x = G(z, k, u) and
        log Q = log softmax(q(x))_k + sum_j log N(u_j; m_j(x), 1).

    Args:
        data_dim: D, numbers per example.
        classes: C, the values of k.
        codes: numbers in u.
        latent_dim: numbers of noise that are no code.
        hidden: widths of the hidden layers of G, D and Q.
        weight: of the information.
        **options: others of `GAN`.

    Raises:
        ValueError: a size is below 1.

    Source: Chen et al. 2016, "InfoGAN: interpretable representation learning by information maximizing GANs".

    Example:
        >>> import tinygrad_notes as tn
        >>> gan = tn.models.InfoGAN(2, classes=3, hidden=(8,))
        >>> gan.sample(6, tn.tensor([0, 0, 1, 1, 2, 2])).shape, sorted(gan.loss(tn.ones((3, 2))))
        ((6, 2), ['discriminator', 'generator', 'information', 'loss'])
    """

    def __init__(self, data_dim: int, classes: int = 10, codes: int = 2, latent_dim: int = 8,
                 hidden: Sequence[int] = (128, 128), weight: float = 1.0, *, activation: Any = None,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None, **options: Any) -> None:
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        if classes < 1 or codes < 0:
            raise ValueError(f"classes, codes: expected at least 1 and 0, got {classes} and {codes}")
        options.setdefault("generator", MLP([latent_dim + classes + codes, *hidden, data_dim], activation or ReLU,
                                            **home))
        options.setdefault("discriminator", Discriminator(data_dim, hidden, activation=activation, **home))
        super().__init__(data_dim, latent_dim, hidden, **options, **home)
        self.classes, self.codes, self.weight = classes, codes, weight
        self.reader = MLP([data_dim, *hidden, classes + codes], activation or ReLU, **home)

    # The generator's input is [z, one-hot k, u]; `noise` draws all of it, so that the rest is as in a GAN.
    def noise(self, n: int, generator: Generator | None = None) -> Tensor:
        """[z, one-hot k, u], (n, K + C + codes)."""
        like = next(self.parameters())
        k = ops.randint(0, self.classes, (n,), generator=generator, device=like.device)
        return self._joined(standard_normal((n, self.latent_dim + self.codes), like, generator), k)

    def _joined(self, z, k):
        parts = z[:, :self.latent_dim], ops.astype(F.one_hot(k, self.classes), z.dtype), z[:, self.latent_dim:]
        return ops.concat(parts, axis=-1)

    def read(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """Q: logits of the class (N, C) and means of the numbers (N, codes)."""
        out = self.reader(as_tensor(x))
        return out[:, :self.classes], out[:, self.classes:]

    def information(self, x: Tensor, noise: Tensor) -> Tensor:
        """The bound of I(c; x) in nats, without the constant entropy of u: log C + mean log Q(c|x)."""
        logits, means = self.read(x)
        start = self.latent_dim
        k = ops.sum(noise[:, start:start + self.classes] * ops.log_softmax(logits, axis=-1), axis=-1)
        error = noise[:, start + self.classes:] - means
        u = -0.5 * ops.sum(ops.square(error) + math.log(2 * math.pi), axis=-1)
        return math.log(self.classes) + ops.mean(k + u)

    def parts(self, x: Tensor, fake: Tensor, *labels: ArrayLike) -> dict[str, Tensor]:
        """As in `GAN`."""
        return super().parts(x, fake)

    def loss(self, x: ArrayLike, *labels: ArrayLike, generator: Generator | None = None) -> dict[str, Tensor]:
        """As in `GAN`, with the information; the loss holds -weight times it."""
        x = ops.astype(as_tensor(x), next(self.parameters()).dtype)
        noise = self.noise(len(x), generator)
        fake = self.generate(noise)
        found = self.parts(x, fake)
        information = self.information(fake, noise)
        for name in ("loss", "generator"):
            found[name] = found[name] - self.weight * information
        return {**found, "information": information}

    def generator_loss(self, n: int, *labels: ArrayLike) -> Tensor:
        """What G and Q descend."""
        noise = self.noise(n)
        fake = self.generate(noise)
        return F.gan_generator_loss(self.score(fake), self.kind) - self.weight * self.information(fake, noise)

    def optimizers(self, lr: float = 1e-3) -> dict[str, Optimizer]:
        """Adam for D, and one for G and Q together."""
        both = [*self.generator.parameters(), *self.reader.parameters()]
        return {"discriminator": Adam(self.discriminator.parameters(), lr=lr, betas=(0.5, 0.99)),
                "generator": Adam(both, lr=lr, betas=(0.5, 0.99))}

    def update(self, trainer: Any, x: Tensor, *labels: Tensor) -> dict[str, Any]:
        """A batch of training: a step of D, and one of G and Q."""
        noise = self.noise(len(x))
        with no_grad():
            fake = self.generate(noise)
        found: dict[str, Any] = self.parts(x, fake)
        trainer.descend("discriminator", found["discriminator"])
        loss = self.generator_loss(len(x))
        trainer.descend("generator", loss)
        self.follow()
        with no_grad():
            found["information"] = self.information(fake, noise)
        return {**found, "generator": loss.detach(), "loss": found["discriminator"].detach() + loss.detach()}

    def sample(self, n: int, *labels: ArrayLike, generator: Generator | None = None) -> Tensor:
        """`n` new examples, (n, D); with `labels`, the classes (n,) of their codes."""
        with no_grad(), self.evaluating():
            noise = self.noise(n, generator)
            if labels:
                k = F.one_hot(as_tensor(labels[0]), self.classes)
                rest = noise[:, self.latent_dim + self.classes:]
                noise = ops.concat([noise[:, :self.latent_dim], ops.astype(k, noise.dtype), rest], axis=-1)
            return self._averaged(noise)
