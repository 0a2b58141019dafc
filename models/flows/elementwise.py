"""Bijections of single numbers: how couplings and autoregressive flows move each number, given its parameters theta.

A transform has `size`, the numbers of theta per number, and two functions that return the moved numbers and the
logarithms of their slopes, all of the shape of the input:

    to_latent(x, theta)   to_data(z, theta)        x, z (...)   theta (..., size)

With theta = 0 each of them is the identity, so that a network whose last layer is zero starts there.
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ... import ops
from ...autograd import as_tensor
from .base import Bijection, no_change, summed

if TYPE_CHECKING:
    from ...autograd import Tensor
    from ...typing import ArrayLike


class Additive:
    """Shift: the slope is 1.

    Formula: z = x - t, x = z + t; theta = (t).

    Source: Dinh, Krueger & Bengio 2015, "NICE".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.flows.Additive().to_data(tn.tensor([1.0]), tn.tensor([[2.0]]))[0]
        tensor([3.])
    """

    size = 1

    def to_latent(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """z and log dz/dx."""
        return x - theta[..., 0], ops.zeros_like(x)

    def to_data(self, z: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """x and log dx/dz."""
        return z + theta[..., 0], ops.zeros_like(z)


class Affine:
    """Scale and shift.

    Formula: x = exp(s) z + t, z = (x - t) exp(-s), s = limit tanh(a / limit); theta = (a, t).

    Args:
        limit: the largest |s| there can be: a number never grows or shrinks by more than exp(limit).

    Raises:
        ValueError: `limit` is not positive.

    Source: Dinh, Sohl-Dickstein & Bengio 2017, "Density estimation using Real NVP", equations 4 to 8.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.flows.Affine().to_data(tn.tensor([1.0]), tn.tensor([[0.0, 2.0]]))[0]
        tensor([3.])
    """

    size = 2

    def __init__(self, limit: float = 3.0) -> None:
        if not 0 < limit < math.inf:
            raise ValueError(f"limit: expected a number above 0, got {limit!r}")
        self.limit = limit

    def _scale(self, theta):
        return self.limit * ops.tanh(theta[..., 0] / self.limit)

    def to_latent(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """z and log dz/dx."""
        s = self._scale(theta)
        return (x - theta[..., 1]) * ops.exp(-s), -s

    def to_data(self, z: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """x and log dx/dz."""
        s = self._scale(theta)
        return z * ops.exp(s) + theta[..., 1], s


class PiecewiseLinear:
    """A monotone line of K straight pieces from (0, 0) to (1, 1), for numbers from 0 to 1.

    Formula: f(h) = sum_{k<b} phi_k + (h K - b + 1) phi_b, b = floor(K h) + 1, phi = softmax(theta); z = f(x).
        The slope is K phi_b.

    Args:
        pieces: K.

    Raises:
        ValueError: `pieces` is below 1.

    Source: the notes, section 7.3.3; Prince 2023, "Understanding deep learning", equation 16.12 (errata).

    Example:
        >>> import tinygrad_notes as tn
        >>> phi = tn.tensor([0.2, 0.1, 0.4, 0.05, 0.25])
        >>> tn.models.flows.PiecewiseLinear(5).to_latent(tn.tensor([0.5]), tn.log(phi)[None])[0]
        tensor([0.5000])
    """

    def __init__(self, pieces: int) -> None:
        if pieces < 1:
            raise ValueError(f"pieces: expected at least 1, got {pieces}")
        self.size = pieces

    def to_latent(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """z and log dz/dx."""
        phi, before = self._pieces(theta)
        b = ops.clip(ops.floor(ops.astype(x.detach() * self.size, x.dtype)), 0, self.size - 1)
        at = ops.astype(b, "int64")[..., None]
        slope = _pick(phi, at)
        return _pick(before, at) + (x * self.size - b) * slope, ops.log(slope * self.size)

    def to_data(self, z: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """x and log dx/dz."""
        phi, before = self._pieces(theta)
        at = _bin(z, before[..., 1:])
        slope = _pick(phi, at)
        b = ops.astype(at[..., 0], z.dtype)
        return ((z - _pick(before, at)) / slope + b) / self.size, -ops.log(slope * self.size)

    def _pieces(self, theta):
        phi = ops.softmax(theta, axis=-1)
        return phi, ops.cumsum(phi, axis=-1) - phi


class LeakyReLU(Bijection):
    """Numbers below zero multiplied by a slope.

    Formula: z = x where x > 0, slope x elsewhere; log |det dz/dx| = (how many are below zero) log slope.

    Args:
        negative_slope: above 0.

    Raises:
        ValueError: the slope is not positive.

    Source: the notes, section 7.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.flows.LeakyReLU(0.5).to_latent(tn.tensor([[2.0, -2.0]]))
        (tensor([[ 2., -1.]]), tensor([-0.6931]))
    """

    def __init__(self, negative_slope: float = 0.1) -> None:
        super().__init__()
        if not 0 < negative_slope < math.inf:
            raise ValueError(f"negative_slope: expected a number above 0, got {negative_slope!r}")
        self.negative_slope = negative_slope

    def to_latent(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """z and log |det dz/dx|."""
        return self._scaled(as_tensor(x), self.negative_slope)

    def to_data(self, z: ArrayLike) -> tuple[Tensor, Tensor]:
        """x and log |det dx/dz|."""
        return self._scaled(as_tensor(z), 1 / self.negative_slope)

    def _scaled(self, x, slope):
        below = ops.astype(x.detach() < 0, x.dtype)
        return x * (1 + (slope - 1) * below), summed(below) * math.log(slope)


class Logit(Bijection):
    """Numbers from 0 to 1 spread over the whole line.

    Formula: y = margin + (1 - 2 margin) x, z = log(y / (1 - y)); the margin keeps 0 and 1 finite.

    Args:
        margin: from 0 to below 1/2.

    Raises:
        ValueError: the margin is out of range.

    Source: Dinh, Sohl-Dickstein & Bengio 2017, section 4.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.flows.Logit().to_latent(tn.tensor([[0.5]]))[0]
        tensor([[0.]])
    """

    def __init__(self, margin: float = 0.05) -> None:
        super().__init__()
        if not 0 <= margin < 0.5:
            raise ValueError(f"margin: expected a number from 0 to below 0.5, got {margin!r}")
        self.margin = margin

    def to_latent(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """z and log |det dz/dx|."""
        width = 1 - 2 * self.margin
        y = self.margin + width * as_tensor(x)
        a, b = ops.log(y), ops.log1p(-y)
        return a - b, summed(math.log(width) - a - b)

    def to_data(self, z: ArrayLike) -> tuple[Tensor, Tensor]:
        """x and log |det dx/dz|."""
        width, z = 1 - 2 * self.margin, as_tensor(z)
        slope = ops.log_sigmoid(z) + ops.log_sigmoid(-z)
        return (ops.sigmoid(z) - self.margin) / width, summed(slope - math.log(width))


class Permutation(Bijection):
    """The features in another order: the volume stays.

    Formula: z_i = x_order(i), log |det dz/dx| = 0.

    Args:
        order: the features 0 to D-1, each once.

    Raises:
        ValueError: a feature is missing or twice there.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.flows.Permutation([2, 0, 1]).to_latent(tn.tensor([[0.0, 10.0, 20.0]]))[0]
        tensor([[20.,  0., 10.]])
    """

    def __init__(self, order) -> None:
        super().__init__()
        self.order = [int(k) for k in order]
        if sorted(self.order) != list(range(len(self.order))):
            raise ValueError(f"order: expected the features 0 to {len(self.order) - 1}, each once, got {self.order}")
        self.back = sorted(range(len(self.order)), key=self.order.__getitem__)

    def to_latent(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """In the new order."""
        x = as_tensor(x)
        return x[:, self.order], no_change(x)

    def to_data(self, z: ArrayLike) -> tuple[Tensor, Tensor]:
        """In the old order."""
        z = as_tensor(z)
        return z[:, self.back], no_change(z)


def _bin(x, knots):
    """How many of the inner knots (..., K-1) lie at or below each x: its bin, (..., 1)."""
    return ops.sum(ops.astype(x.detach()[..., None] >= knots.detach(), "int64"), axis=-1, keepdims=True)


def _pick(values, at):
    """values (..., K) at the bins (..., 1) -> (...)."""
    return ops.take_along_axis(values, at, axis=-1)[..., 0]
