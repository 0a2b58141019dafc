"""Planar and radial flows: space bent along a plane, or around a point."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops
from ...autograd import no_grad
from ...nn import Parameter
from ...nn.linear import size
from .base import Bijection, checked

if TYPE_CHECKING:
    from ...autograd import Tensor
    from ...backend import Generator
    from ...typing import ArrayLike, DeviceLike, DTypeLike


class Planar(Bijection):
    """Space stretched across a plane.

    Formula: z = x + u' tanh(w.x + b), u' = u + (softplus(w.u) - 1 - w.u) w / |w|^2, so that w.u' > -1;
        det dz/dx = 1 + (1 - tanh(w.x + b)^2) w.u'. The inverse is the root of a + w.u' tanh(a + b) = w.z in the one
        number a = w.x, by bisection and then Newton's method.

    Args:
        features: D.
        generator: the stream of the first w; u starts at zero but for the correction above.
        device, dtype: of the parameters.

    Raises:
        ValueError: `features` is below 1.

    Source: Rezende & Mohamed 2015, "Variational inference with normalizing flows", equations 10 to 12 and appendix A.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.models.flows.Planar(2, dtype="float64")
        >>> x = tn.ones((3, 2), dtype="float64")
        >>> z, log_det = layer.to_latent(x)
        >>> bool(tn.allclose(layer.to_data(z)[0], x, atol=1e-12))
        True
    """

    def __init__(self, features: int, *, generator: Generator | None = None, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.features = size("features", features, 1)
        draw = lambda std: std * ops.normal((features,), generator=generator, device=device, dtype=dtype)
        self.w, self.u = Parameter(draw(1.0)), Parameter(draw(0.1))
        self.b = Parameter(ops.zeros((), device=device, dtype=dtype))

    def direction(self) -> tuple[Tensor, Tensor]:
        """u', (D,), and w.u' > -1."""
        along = ops.sum(self.w * self.u)
        bent = ops.softplus(along) - 1
        return self.u + (bent - along) * self.w / ops.sum(self.w * self.w), bent

    def to_latent(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """x + u' tanh(w.x + b)."""
        x = checked("Planar", x, self.features)
        u, along = self.direction()
        t = ops.tanh(x @ self.w + self.b)  # (N,)
        return x + t[:, None] * u, ops.log1p(along * (1 - t * t))

    def to_data(self, z: ArrayLike) -> tuple[Tensor, Tensor]:
        """z - u' tanh(a + b), a the root."""
        z = checked("Planar", z, self.features)
        u, along = self.direction()
        t = ops.tanh(self._root(z @ self.w, along) + self.b)
        return z - t[:, None] * u, -ops.log1p(along * (1 - t * t))

    def _root(self, target, along):
        """The a with a + along tanh(a + b) = target, (N,)."""
        with no_grad():
            half = ops.abs(along)  # the root is no further than that from the target
            low, high = target - half, target + half
            for _ in range(50):
                a = 0.5 * (low + high)
                below = a + along * ops.tanh(a + self.b) < target
                low, high = ops.where(below, a, low), ops.where(below, high, a)
        # From the root itself each step of Newton doubles the number of right derivatives: two serve orders 1 to 3.
        for _ in range(2):
            t = ops.tanh(a + self.b)
            a = a - (a + along * t - target) / (1 + along * (1 - t * t))
        return a


class Radial(Bijection):
    """Space stretched or pressed around a point.

    Formula: z = x + beta (x - c) / (alpha + r), r = |x - c|, alpha = exp(a), beta = softplus(v) - alpha > -alpha;
        det dz/dx = (1 + beta / (alpha + r))^(D-1) (1 + alpha beta / (alpha + r)^2).
        The inverse: with R = |z - c|, r is the positive root of r^2 + (alpha + beta - R) r - alpha R = 0.

    Args:
        features: D.
        generator: the stream of the first center c.
        device, dtype: of the parameters.

    Raises:
        ValueError: `features` is below 1.

    Source: Rezende & Mohamed 2015, equations 13 and 14 and appendix A.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.models.flows.Radial(2, dtype="float64")
        >>> x = tn.ones((3, 2), dtype="float64")
        >>> z, log_det = layer.to_latent(x)
        >>> bool(tn.allclose(layer.to_data(z)[0], x, atol=1e-12))
        True
    """

    def __init__(self, features: int, *, generator: Generator | None = None, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.features = size("features", features, 1)
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        self.center = Parameter(ops.normal((features,), generator=generator, **home))
        self.log_alpha = Parameter(ops.zeros((), **home))
        self.v = Parameter(ops.full((), 0.6, **home))

    def to_latent(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """x moved away from the center."""
        x = checked("Radial", x, self.features)
        alpha, beta, away = self._parts(x)
        r = _length(away)
        return x + (beta / (alpha + r))[:, None] * away, self._log_det(alpha, beta, r)

    def to_data(self, z: ArrayLike) -> tuple[Tensor, Tensor]:
        """z moved back."""
        z = checked("Radial", z, self.features)
        alpha, beta, away = self._parts(z)
        far = _length(away)
        b = alpha + beta - far
        root = ops.sqrt(b * b + 4 * alpha * far)
        # The form without a difference of nearly equal numbers, on either side.
        r = ops.where(b > 0, 2 * alpha * far / (b + root), 0.5 * (root - b))
        share = (alpha + r) / (alpha + r + beta)  # r / R, also at R = 0
        return self.center + share[:, None] * away, -self._log_det(alpha, beta, r)

    def _parts(self, x):
        alpha = ops.exp(self.log_alpha)
        return alpha, ops.softplus(self.v) - alpha, x - self.center

    def _log_det(self, alpha, beta, r):
        near = alpha + r
        return (self.features - 1) * ops.log1p(beta / near) + ops.log1p(alpha * beta / (near * near))


def _length(x):
    """|x| of each row, (N, D) -> (N,), with the derivative 0 at 0."""
    square = ops.sum(x * x, axis=1)
    return ops.safe_where(square > 0, ops.sqrt, 0.0, square)
