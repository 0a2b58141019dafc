"""Bijections with their log-determinants, and the densities they make of a normal one.

    N examples   D numbers of an example   x data   z latent code

    to_latent(x) = z(x), log |det dz/dx|          to_data(z) = x(z), log |det dx/dz|
    log p(x) = log N(z(x); 0, I) + log |det dz/dx|
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ... import ops
from ...autograd import as_tensor, no_grad
from ...nn import Module, ModuleList
from ..noise import standard_normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ...autograd import Tensor
    from ...backend import Generator
    from ...typing import ArrayLike

LOG_2PI = math.log(2 * math.pi)


class Bijection(Module):
    """An invertible map between data and latent codes that knows by how much it stretches volumes.

    A subclass defines `to_latent` and `to_data`. Both return the mapped examples and, for each, the logarithm of the
    absolute determinant of the Jacobian of *that* direction; the two are opposite at matching points.

    Formula: log |det dz/dx| = -log |det dx/dz|.

    Source: the notes, section 7; Papamakarios et al. 2021, "Normalizing flows for probabilistic modeling and
        inference", section 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.models.flows.LinearPLU(2)
        >>> z, log_det = layer.to_latent(tn.ones((5, 2)))
        >>> x, back = layer.to_data(z)
        >>> x.shape, bool(tn.allclose(x, 1.0)), bool(tn.allclose(log_det, -back))
        ((5, 2), True, True)
    """

    def to_latent(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """z and log |det dz/dx|, shapes (N, ...) and (N,).

        Raises:
            NotImplementedError: the subclass does not define it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define to_latent")

    def to_data(self, z: ArrayLike) -> tuple[Tensor, Tensor]:
        """x and log |det dx/dz|, shapes (N, ...) and (N,).

        Raises:
            NotImplementedError: the subclass does not define it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define to_data")

    def forward(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """The same as `to_latent`."""
        return self.to_latent(x)


class Chain(Bijection):
    """Bijections one after the other; their log-determinants add.

    Formula: z = f_K(... f_2(f_1(x))), log |det dz/dx| = sum_k log |det df_k|.

    Args:
        layers: Bijections, in the order from data to latent codes.

    Example:
        >>> import tinygrad_notes as tn
        >>> flows = tn.models.flows
        >>> chain = flows.Chain([flows.LinearPLU(2), flows.LeakyReLU(0.5)])
        >>> z, log_det = chain.to_latent(tn.ones((5, 2)))
        >>> z.shape, log_det.shape
        ((5, 2), (5,))
    """

    def __init__(self, layers: Iterable[Bijection]) -> None:
        super().__init__()
        self.layers = ModuleList(layers)

    def to_latent(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """Through the layers in order."""
        z = as_tensor(x)
        total = no_change(z)
        for layer in self.layers:
            z, log_det = layer.to_latent(z)
            total = total + log_det
        return z, total

    def to_data(self, z: ArrayLike) -> tuple[Tensor, Tensor]:
        """Through the layers backwards."""
        x = as_tensor(z)
        total = no_change(x)
        for layer in reversed(list(self.layers)):
            x, log_det = layer.to_data(x)
            total = total + log_det
        return x, total


class Inverse(Bijection):
    """A bijection with its two directions exchanged.

    Formula: to_latent = other.to_data, to_data = other.to_latent.

    Args:
        layer: the Bijection.

    Example:
        >>> import tinygrad_notes as tn
        >>> flows = tn.models.flows
        >>> flow = flows.Inverse(flows.Planar(2))  # codes from data by finding a root, data from codes by formula
        >>> flow.to_data(tn.zeros((3, 2)))[0].shape
        (3, 2)
    """

    def __init__(self, layer: Bijection) -> None:
        super().__init__()
        self.layer = layer

    def to_latent(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """`to_data` of the layer."""
        return self.layer.to_data(x)

    def to_data(self, z: ArrayLike) -> tuple[Tensor, Tensor]:
        """`to_latent` of the layer."""
        return self.layer.to_latent(z)


class Flow(Chain):
    """A density: bijections that turn data into independent standard normal numbers.

    Formula: log p(x) = log N(z; 0, I) + log |det dz/dx|, z = to_latent(x); samples are to_data(z), z ~ N(0, I).

    Args:
        layers: Bijections, in the order from data to latent codes.
        shape: of a latent code: an int D or a tuple.

    Raises:
        ValueError: a size is below 1.

    Source: the notes, sections 7.1 and 7.2; Rezende & Mohamed 2015, "Variational inference with normalizing flows".

    Example:
        >>> import tinygrad_notes as tn
        >>> flow = tn.models.flows.Flow([tn.models.flows.LinearPLU(2)], 2)
        >>> x = tn.data.two_moons(100, generator=0)[0]
        >>> flow.log_prob(x).shape, flow.sample(3).shape, list(flow.loss(x))
        ((100,), (3, 2), ['loss'])
    """

    def __init__(self, layers: Iterable[Bijection], shape: int | Sequence[int]) -> None:
        super().__init__(layers)
        self.shape: tuple[int, ...] = (shape,) if isinstance(shape, int) else tuple(shape)
        if min(self.shape, default=0) < 1:
            raise ValueError(f"{type(self).__name__}: shape: expected sizes of at least 1, got {shape}")

    def log_prob(self, x: ArrayLike) -> Tensor:
        """log p(x) of each example, in nats, (N,)."""
        z, log_det = self.to_latent(x)
        return log_normal(z) + log_det

    def loss(self, x: ArrayLike) -> dict[str, Tensor]:
        """The negative log-likelihood, mean over the batch, in nats per example.

        Args:
            x: (N, ...).

        Returns:
            {"loss"}, a 0-d Tensor.
        """
        return {"loss": -ops.mean(self.log_prob(x))}

    def sample(self, n: int, generator: Generator | None = None) -> Tensor:
        """`n` new examples, without recording.

        Args:
            n: how many.
            generator: the stream to draw from.
        """
        with no_grad(), self.evaluating():
            return self.to_data(self.draw(n, generator))[0]

    def draw(self, n: int, generator: Generator | None = None) -> Tensor:
        """`n` latent codes from N(0, I), of the dtype and on the device of the parameters."""
        like = next(self.parameters(), None)
        shape = (n, *self.shape)
        return ops.normal(shape, generator=generator) if like is None else standard_normal(shape, like, generator)

    def reverse_kl(self, log_density: Callable[[Tensor], Tensor], n: int, generator: Generator | None = None) -> Tensor:
        """How far the flow is from a density that can be computed: KL(flow || density), up to its constant.

        Formula: E_z[log q(x) - log_density(x)], x = to_data(z), z ~ N(0, I),
            log q(x) = log N(z; 0, I) - log |det dx/dz|.

        Args:
            log_density: function of (n, D) that returns log p, (n,), up to a constant.
            n: number of draws.
            generator: the stream of the draws.

        Returns:
            A 0-d Tensor in nats, to be minimized; gradients flow through the draws.

        Source: the notes, section 7.7; Rezende & Mohamed 2015, section 4.
        """
        z = self.draw(n, generator)
        x, log_det = self.to_data(z)
        return ops.mean(log_normal(z) - log_det - log_density(x))


def log_normal(z: Tensor) -> Tensor:
    """log N(z; 0, I) of each example: (N, ...) -> (N,)."""
    flat = ops.reshape(z, (z.shape[0], -1))  # (N, ...) -> (N, D)
    return -0.5 * (ops.sum(flat * flat, axis=1) + flat.shape[1] * LOG_2PI)


def no_change(x: Tensor) -> Tensor:
    """The log-determinant of doing nothing: zeros (N,)."""
    return ops.zeros((x.shape[0],), dtype=x.dtype, device=x.device)


def summed(log_slopes: Tensor) -> Tensor:
    """(N, ...) -> (N,): the log-determinant of a map that acts on each number alone."""
    return ops.sum(ops.reshape(log_slopes, (log_slopes.shape[0], -1)), axis=1)


def checked(name: str, x: Any, features: int, ndim: tuple[int, ...] = (2,)) -> Tensor:
    """`x` as a floating Tensor (N, features, ...).

    Raises:
        ValueError: it has another number of axes or features.
    """
    x = as_tensor(x)
    if x.ndim not in ndim or x.shape[1] != features:
        places = " or ".join("(" + ", ".join(["N", str(features), *"HW"[:n - 2]]) + ")" for n in ndim)
        raise ValueError(f"{name}: expected shape {places}, got {x.shape}")
    return x
