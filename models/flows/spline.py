"""Rational-quadratic splines: monotone curves that are as easy to invert as to evaluate."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ... import ops
from .elementwise import _bin, _pick

if TYPE_CHECKING:
    from ...autograd import Tensor


class Spline:
    """A monotone rational-quadratic spline on [-bound, bound], the identity outside.

    Formula: between knots (x_k, y_k) and (x_k+1, y_k+1) with slopes d_k, d_k+1, s = (y_k+1 - y_k) / (x_k+1 - x_k) and
        u = (x - x_k) / (x_k+1 - x_k):
        z = y_k + (y_k+1 - y_k) (s u^2 + d_k u (1 - u)) / (s + (d_k+1 + d_k - 2 s) u (1 - u)),
        dz/dx = s^2 (d_k+1 u^2 + 2 s u (1 - u) + d_k (1 - u)^2) / (s + (d_k+1 + d_k - 2 s) u (1 - u))^2.
        theta holds K widths, K heights and K - 1 slopes, before a softmax and a softplus.

    Args:
        bins: K, at least 2.
        bound: where the spline ends; the slope there is 1.
        least: the smallest width and height as a share of the whole, and the smallest slope.

    Raises:
        ValueError: an option is out of range.

    Source: Durkan, Bekasov, Murray & Papamakarios 2019, "Neural spline flows", equations 4 to 8.

    Example:
        >>> import tinygrad_notes as tn
        >>> spline = tn.models.flows.Spline(bins=4)
        >>> theta = tn.randn((2, spline.size), generator=tn.Generator(0))
        >>> z, log_slope = spline.to_latent(tn.tensor([0.5, 9.0]), theta)
        >>> z[1], log_slope[1]
        (tensor(9.), tensor(0.))
    """

    def __init__(self, bins: int = 8, bound: float = 3.0, least: float = 1e-3) -> None:
        if bins < 2 or not 0 < bound < math.inf or not 0 < least < 1 / bins:
            raise ValueError(f"Spline: expected bins >= 2, bound > 0 and 0 < least < 1/bins, got {bins}, {bound}, "
                             f"{least}")
        self.bins, self.bound, self.least = bins, bound, least
        self.size = 3 * bins - 1

    def to_latent(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """z and log dz/dx."""
        inside = ops.abs(x.detach()) < self.bound
        h = ops.where(inside, x, 0.0)
        xs, ys, slopes = self._knots(theta)
        left, width, low, height, d0, d1 = _piece(xs, ys, slopes, _bin(h, xs[..., 1:-1]))
        s, u = height / width, (h - left) / width
        z = low + height * (s * u * u + d0 * u * (1 - u)) / (s + (d1 + d0 - 2 * s) * u * (1 - u))
        return ops.where(inside, z, x), ops.where(inside, _log_slope(s, u, d0, d1), 0.0)

    def to_data(self, z: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """x and log dx/dz."""
        inside = ops.abs(z.detach()) < self.bound
        h = ops.where(inside, z, 0.0)
        xs, ys, slopes = self._knots(theta)
        left, width, low, height, d0, d1 = _piece(xs, ys, slopes, _bin(h, ys[..., 1:-1]))
        s, bend, rise = height / width, d1 + d0 - 2 * height / width, h - low
        # (z - y_k) times the denominator is a quadratic in u; this form of its root does not cancel.
        a, b, c = height * (s - d0) + rise * bend, height * d0 - rise * bend, -s * rise
        u = 2 * c / (-b - ops.sqrt(b * b - 4 * a * c))
        return ops.where(inside, u * width + left, z), ops.where(inside, -_log_slope(s, u, d0, d1), 0.0)

    def _knots(self, theta):
        """Positions x and y of the K + 1 knots and the slopes there, (..., K + 1)."""
        k = self.bins
        d = ops.softplus(theta[..., 2 * k:] + math.log(math.expm1(1 - self.least))) + self.least
        one = ops.ones_like(d[..., :1])
        return self._edges(theta[..., :k]), self._edges(theta[..., k:2 * k]), ops.concat([one, d, one], axis=-1)

    def _edges(self, weights):
        shares = self.least + (1 - self.least * self.bins) * ops.softmax(weights, axis=-1)
        inner = 2 * self.bound * ops.cumsum(shares, axis=-1)[..., :-1] - self.bound
        end = ops.full_like(inner[..., :1], self.bound)
        return ops.concat([-end, inner, end], axis=-1)


def _piece(xs, ys, slopes, at):
    """What belongs to the piece that each number lies in: x, width, y, height, slopes at both ends."""
    left, low = _pick(xs, at), _pick(ys, at)
    width, height = _pick(xs, at + 1) - left, _pick(ys, at + 1) - low
    return left, width, low, height, _pick(slopes, at), _pick(slopes, at + 1)


def _log_slope(s, u, d0, d1):
    top = d1 * u * u + 2 * s * u * (1 - u) + d0 * (1 - u) * (1 - u)
    return 2 * ops.log(s) + ops.log(top) - 2 * ops.log(s + (d1 + d0 - 2 * s) * u * (1 - u))
