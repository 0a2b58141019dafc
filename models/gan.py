"""Generative adversarial networks: a generator and a discriminator, trained against each other.

    x  data, D numbers        z  noise, K numbers, z ~ N(0, I)        y  class, 0 to C-1

    generator        G(z), of the shape of x
    discriminator    D(x), a score (logit): log-odds that x is real
    in turns         D descends  mean a(D(x)) + mean b(D(G(z)))    and G descends  mean c(D(G(z)))

For a, b, c see `nn.functional.gan_discriminator_loss`. With the first of them, the best discriminator between the
densities p of the data and q of the generator is D = log p/q, and what it reaches is 2 log 2 - 2 JSD(p, q).
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import as_tensor, enable_grad, grad, no_grad
from ..nn import MLP, Buffer, LeakyReLU, Linear, Module, Parameter, ReLU, functional_call
from ..nn import functional as F
from ..nn.averaging import get_ema_multi_avg_fn
from ..optim import Adam
from .noise import standard_normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..backend import Generator
    from ..optim import Optimizer
    from ..typing import ArrayLike, DeviceLike, DTypeLike


class MinibatchDiscrimination(Module):
    """Tells each example how close the others of its batch are, so that a generator cannot repeat itself unseen.

    Formula: M_i = T h_i, a matrix (B, C) per example; o_ib = sum over j != i of exp(-|M_ib - M_jb|_1). Returned is
        [h, o].

    Args:
        in_features: D, the length of h.
        out_features: B, the numbers added.
        kernel_dims: C, the length of what is compared.

    Source: Salimans et al. 2016, "Improved techniques for training GANs", section 3.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.models.MinibatchDiscrimination(3, 2)
        >>> same = layer(tn.ones((4, 3)))
        >>> same.shape, same[0, 3:].tolist()  # three others, all at distance 0
        ((4, 5), [3.0, 3.0])
    """

    def __init__(self, in_features: int, out_features: int = 8, kernel_dims: int = 4, *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.shape = (out_features, kernel_dims)
        weight = ops.normal((in_features, out_features * kernel_dims), device=device, dtype=dtype)
        self.weight = Parameter(weight * in_features**-0.5)

    def forward(self, h: ArrayLike) -> Tensor:
        """(N, D) -> (N, D + B)."""
        h = as_tensor(h)
        m = ops.reshape(h @ self.weight, (-1, *self.shape))  # (N, B C) -> (N, B, C)
        distance = ops.sum(ops.abs(m[:, None] - m[None]), axis=-1)  # (N, N, B)
        near = ops.sum(ops.exp(-distance), axis=1) - 1  # without the example itself
        return ops.concat([h, near], axis=-1)


class Discriminator(Module):
    """A perceptron that scores examples; `features` are what its last layer sees.

    Formula: D(x) = w . h(x) + b, with `minibatch` D(x) = w . [h(x), o(x)] + b as in `MinibatchDiscrimination`.

    Args:
        data_dim: D, numbers per example.
        hidden: widths of the hidden layers, at least one.
        minibatch: B, numbers that compare an example with its batch; 0 for none.
        activation: a function that makes a Module; None: LeakyReLU(0.2).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.Discriminator(2, (16, 16))(tn.ones((5, 2))).shape
        (5,)
    """

    def __init__(self, data_dim: int, hidden: Sequence[int] = (128, 128), minibatch: int = 0,
                 activation: Any = None, *, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        activation = activation or leaky
        self.body = MLP([data_dim, *hidden], activation, **home)
        self.body.append(activation())
        width = tuple(hidden)[-1]
        self.compare = MinibatchDiscrimination(width, minibatch, **home) if minibatch else None
        self.head = Linear(width + minibatch, 1, **home)

    def features(self, x: ArrayLike) -> Tensor:
        """(N, D) -> (N, last width)."""
        return self.body(as_tensor(x))

    def forward(self, x: ArrayLike) -> Tensor:
        """(N, D) -> (N,), logits."""
        h = self.features(x)
        return self.head(h if self.compare is None else self.compare(h))[:, 0]


class GAN(Module):
    """A generative adversarial network of two perceptrons.

    Formula: in turns, D descends mean a(D(x)) + mean b(D(G(z))) + r1/2 mean |grad_x D(x)|^2, and G descends
        mean c(D(G(z))); for D, G(z) is a constant, and for G, D is.

    Args:
        data_dim: D, numbers per example.
        latent_dim: K, numbers of noise.
        hidden: widths of the hidden layers of both.
        kind: 'non-saturating', 'minimax', 'least-squares', 'hinge' or 'wasserstein' (see `WGAN`).
        r1: weight of the squared slope of D at real examples, >= 0; it makes the game converge.
        minibatch: see `MinibatchDiscrimination`; 0 for none.
        average: samples come from a moving average of G's parameters that keeps this share at each step; 0 for none.
        critic_steps: steps of D for each of G.
        activation: a function that makes the units of both; None: ReLU in G and LeakyReLU(0.2) in D. Smooth ones
            (`nn.SiLU`) have second derivatives everywhere.
        generator, discriminator: Modules of one's own, in place of the perceptrons.

    Raises:
        ValueError: a size is below 1, `kind` is unknown, or a number is out of range.

    Source: Goodfellow et al. 2014; Mao et al. 2017 (least squares); Lim & Ye 2017 (hinge); Mescheder et al. 2018 (r1).

    Example:
        >>> import tinygrad_notes as tn
        >>> x, _ = tn.data.eight_gaussians(64, generator=0)
        >>> gan = tn.models.GAN(2, latent_dim=4, hidden=(16, 16))
        >>> loader = tn.data.DataLoader(tn.data.TensorDataset(x), 32, shuffle=True)
        >>> trainer = tn.train.Trainer(gan, loader, gan.optimizers(1e-3), update=lambda t, batch: gan.update(t, *batch))
        >>> sorted(trainer.fit(1)[-1])[:3], gan.sample(5).shape
        (['discriminator', 'epoch', 'generator'], (5, 2))
    """

    def __init__(self, data_dim: int, latent_dim: int = 8, hidden: Sequence[int] = (128, 128),
                 kind: str = "non-saturating", *, r1: float = 0.0, minibatch: int = 0, average: float = 0.99,
                 critic_steps: int = 1, activation: Any = None, generator: Module | None = None,
                 discriminator: Module | None = None, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        hidden = tuple(hidden)
        if min((data_dim, latent_dim, critic_steps, *hidden)) < 1:
            raise ValueError(f"{type(self).__name__}: sizes must be at least 1, got {data_dim}, {latent_dim}, {hidden} "
                             f"and {critic_steps} steps")
        if r1 < 0 or not 0 <= average < 1:
            raise ValueError(f"r1, average: expected numbers >= 0 and from 0 to 1, got {r1!r}, {average!r}")
        F.gan_generator_loss(ops.zeros(1), kind)  # an unknown kind is refused here
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        self.data_dim, self.latent_dim, self.kind, self.r1 = data_dim, latent_dim, kind, r1
        self.average, self.critic_steps = average, critic_steps
        self.generator = generator or MLP([latent_dim, *hidden, data_dim], activation or ReLU, **home)
        self.discriminator = discriminator or Discriminator(data_dim, hidden, minibatch, activation, **home)
        if average:
            for name, p in self.generator.named_parameters():
                self.register_buffer(_plain(name), Buffer(p.detach().clone()))

    # The two players -------------------------------------------------------------------
    def condition(self, x: Tensor, *labels: ArrayLike) -> Tensor:
        """What a player is given beside its input; here nothing."""
        return x

    def noise(self, n: int, generator: Generator | None = None) -> Tensor:
        """z ~ N(0, I), (n, K); the same numbers in every precision."""
        return standard_normal((n, self.latent_dim), next(self.parameters()), generator)

    def generate(self, z: ArrayLike, *labels: ArrayLike) -> Tensor:
        """G(z), (N, K) -> (N, D)."""
        return self.generator(self.condition(as_tensor(z), *labels))

    def score(self, x: ArrayLike, *labels: ArrayLike) -> Tensor:
        """D(x), (N, D) -> (N,), logits."""
        return self.discriminator(self.condition(as_tensor(x), *labels))

    # What they minimize ----------------------------------------------------------------
    def parts(self, x: Tensor, fake: Tensor, *labels: ArrayLike) -> dict[str, Tensor]:
        """The losses of both players, from real examples and generated ones."""
        real_score, fake_score = self.score(x, *labels), self.score(fake, *labels)
        d = F.gan_discriminator_loss(real_score, fake_score, self.kind)
        found = {}
        if self.r1:
            slope = self.slope(x, *labels)
            found["slope"] = ops.mean(slope * slope)
            d = d + 0.5 * self.r1 * found["slope"]
        g = F.gan_generator_loss(fake_score, self.kind)
        return {"loss": d + g, "discriminator": d, "generator": g, **found}

    def slope(self, x: Tensor, *labels: ArrayLike) -> Tensor:
        """|grad_x D(x)| of each example, (N,), recorded so that it can be trained."""
        return slope_of(lambda x: self.score(x, *labels), x)

    def loss(self, x: ArrayLike, *labels: ArrayLike, generator: Generator | None = None) -> dict[str, Tensor]:
        """The losses of both players at new noise, means over the batch.

        Args:
            x: (N, D).
            *labels: what the model is conditioned on, if anything.
            generator: the stream of the noise; default: the one that `manual_seed` starts.

        Returns:
            {"loss", "discriminator", "generator", ...}, 0-d Tensors; "loss" is the sum of the two, for checks: each
            player descends its own.
        """
        x = ops.astype(as_tensor(x), next(self.parameters()).dtype)
        return self.parts(x, self.generate(self.noise(len(x), generator), *labels), *labels)

    # Training --------------------------------------------------------------------------
    def optimizers(self, lr: float = 1e-3) -> dict[str, Optimizer]:
        """Adam with betas (0.5, 0.99) for each player."""
        return {name: Adam(part.parameters(), lr=lr, betas=(0.5, 0.99)) for name, part in self.players().items()}

    def players(self) -> dict[str, Module]:
        """The two parts that have optimizers of their own."""
        return {"discriminator": self.discriminator, "generator": self.generator}

    def update(self, trainer: Any, x: Tensor, *labels: Tensor) -> dict[str, Any]:
        """A batch of training: a step of D, and after `critic_steps` of them one of G. For `train.Trainer`."""
        with no_grad():
            fake = self.generate(self.noise(len(x)), *labels)
        found = self.parts(x, fake, *labels)
        trainer.descend("discriminator", found["discriminator"])
        self.after_critic()
        if (trainer.step + 1) % self.critic_steps == 0:
            trainer.descend("generator", self.generator_loss(len(x), *labels))
            self.follow()
        return found

    def generator_loss(self, n: int, *labels: ArrayLike) -> Tensor:
        """What G descends, at n new draws of noise."""
        return F.gan_generator_loss(self.score(self.generate(self.noise(n), *labels), *labels), self.kind)

    def after_critic(self) -> None:
        """What is done to D after its step; here nothing."""

    def follow(self) -> None:
        """Move the averages of G's parameters towards the present ones."""
        if self.average:
            named = dict(self.generator.named_parameters())
            means = [getattr(self, _plain(name)) for name in named]
            get_ema_multi_avg_fn(self.average)(means, list(named.values()), as_tensor(0))

    # Use -------------------------------------------------------------------------------
    def sample(self, n: int, *labels: ArrayLike, generator: Generator | None = None) -> Tensor:
        """`n` new examples from the averaged generator; (n, D), without recording."""
        with no_grad(), self.evaluating():
            return self._averaged(self.condition(self.noise(n, generator), *labels))

    def _averaged(self, z):
        """The generator with the averages of its parameters."""
        if not self.average:
            return self.generator(z)
        means = {name: getattr(self, _plain(name)) for name, _ in self.generator.named_parameters()}
        return functional_call(self.generator, means, (z,))

    def extra_repr(self) -> str:
        """Sizes and kind of loss."""
        return f"data_dim={self.data_dim}, latent_dim={self.latent_dim}, kind={self.kind!r}"


class ConditionalGAN(GAN):
    """A generative adversarial network that makes examples of a class that is asked for.

    Formula: as in `GAN`, with G(z, y) and D(x, y): a one-hot row of the class stands beside z and x.

    Args:
        data_dim: D, numbers per example.
        classes: C.
        latent_dim: K, numbers of noise.
        hidden: widths of the hidden layers of both.
        kind: as in `GAN`.
        **options: others of `GAN`.

    Raises:
        ValueError: a size is below 1, or an option is out of range.

    Source: Mirza & Osindero 2014, "Conditional generative adversarial nets".

    Example:
        >>> import tinygrad_notes as tn
        >>> gan = tn.models.ConditionalGAN(2, classes=3, hidden=(8,))
        >>> gan.sample(4, tn.tensor([0, 1, 2, 2])).shape, sorted(gan.loss(tn.ones((2, 2)), tn.tensor([0, 1])))
        ((4, 2), ['discriminator', 'generator', 'loss'])
    """

    def __init__(self, data_dim: int, classes: int, latent_dim: int = 8, hidden: Sequence[int] = (128, 128),
                 kind: str = "non-saturating", *, minibatch: int = 0, activation: Any = None,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None, **options: Any) -> None:
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        if classes < 1:
            raise ValueError(f"classes: expected at least 1, got {classes}")
        options.setdefault("generator", MLP([latent_dim + classes, *hidden, data_dim], activation or ReLU, **home))
        options.setdefault("discriminator", Discriminator(data_dim + classes, hidden, minibatch, activation, **home))
        super().__init__(data_dim, latent_dim, hidden, kind, **options, **home)
        self.classes = classes

    def condition(self, x: Tensor, *labels: ArrayLike) -> Tensor:
        """[x, one-hot y]."""
        (y,) = labels
        return ops.concat([x, ops.astype(F.one_hot(as_tensor(y), self.classes), x.dtype)], axis=-1)


def slope_of(score: Any, x: Tensor) -> Tensor:
    """|grad_x score(x)| of each example, (N, D) -> (N,), recorded so that it can be trained."""
    with enable_grad():
        x = x if x.requires_grad else x.detach().requires_grad_()
        (g,) = grad(ops.sum(score(x)), x, create_graph=True)
    return ops.sqrt(ops.sum(g * g, axis=-1) + 1e-12)


def leaky():
    """The unit of discriminators."""
    return LeakyReLU(0.2)


def _plain(name):
    """The name of the buffer that holds the average of a parameter."""
    return "average_" + name.replace(".", "_")
