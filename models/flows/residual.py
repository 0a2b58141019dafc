"""Residual flows: z = x + g(x), invertible where g shortens every distance, with its log-determinant as a series."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops
from ...autograd import as_tensor, enable_grad, is_grad_enabled
from ...autograd import grad as gradient
from ...nn import MLP, Linear, Sequential, Tanh
from ...nn import functional as F
from ..noise import standard_normal
from .base import Bijection, Flow, checked, no_change
from .coupling import start_at_zero
from .linear import ActNorm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...autograd import Tensor
    from ...backend import Generator
    from ...typing import ArrayLike, DeviceLike, DTypeLike

KINDS = ("exact", "series", "roulette")


def fixed_point(function: Callable[[Tensor], Tensor], start: ArrayLike, steps: int = 500,
                tol: float | None = None) -> Tensor:
    """The x with function(x) = x, by repeating the function.

    Formula: x <- function(x) until no element moves by more than `tol`. With L < 1, the most by which the function
        stretches a distance, the error falls by L a step.

    Args:
        function: a contraction.
        start: where to begin.
        steps: the largest number of steps.
        tol: default: 16 times the rounding of the dtype, relative to the largest element, or to 1.

    Returns:
        The fixed point; where gradients are recorded they flow through all steps, and so converge too.

    Raises:
        RuntimeError: it has not converged: the function is no contraction, or one step short of it.

    Source: the notes, section 7.4.2; Behrmann et al. 2019, "Invertible residual networks", algorithm 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.flows.fixed_point(lambda z: 0.3 + 0.5 * z, tn.tensor(0.0, dtype="float64"))
        tensor(0.6000, dtype=float64)
    """
    x = as_tensor(start)
    tol = 16 * float(ops.finfo(x.dtype).eps) if tol is None else tol
    for _ in range(steps):
        after = function(x)
        moved = float(ops.max(ops.abs(after.detach() - x.detach())))
        x = after
        if moved <= tol * max(1.0, float(ops.max(ops.abs(x.detach())))):
            return x
    raise RuntimeError(f"fixed_point: the last of {steps} steps still moved by {moved:.2g}; is the function a "
                       "contraction?")


def logdet_series(function: Callable[[Tensor], Tensor], x: ArrayLike, terms: int | Sequence[float] = 10,
                  probes: ArrayLike | None = None) -> tuple[Tensor, Tensor]:
    """g(x) and log |det(I + J)| of each example by a power series, J the Jacobian of g.

    Formula: log det(I + J) = sum_{k>=1} (-1)^(k+1) tr(J^k) / k, with tr(A) = E[v' A v] for v ~ N(0, I) (Hutchinson) or
        the sum over unit vectors. Where J has norm L < 1, n terms leave at most D L^(n+1) / ((n + 1)(1 - L)).

    Args:
        function: g, (N, D) -> (N, D), row by row.
        x: (N, D).
        terms: n, or weights of the terms (1 / P(n >= k) makes a random n unbiased).
        probes: (S, N, D), draws of v; None: the D unit vectors, which is exact but for the terms left out.

    Returns:
        (N, D) and (N,). They can be differentiated to any order.

    Raises:
        ValueError: there is no term.

    Source: Behrmann et al. 2019, equation 4; Chen, Behrmann, Duvenaud & Jacobsen 2019, "Residual flows", equation 6;
        the notes, section 7.4.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> A = tn.tensor([[0.2, 0.3], [0.0, -0.4]])
        >>> _, log_det = tn.models.flows.logdet_series(lambda x: x @ A, tn.ones((1, 2)), terms=30)
        >>> bool(abs(log_det[0] - tn.log(tn.tensor(1.2 * 0.6))) < 1e-5)
        True
    """
    weights = [1.0] * terms if isinstance(terms, int) else list(terms)
    if not weights:
        raise ValueError("terms: expected at least 1")
    recording = is_grad_enabled()
    with enable_grad():
        x = as_tensor(x)
        x = x if recording and x.requires_grad else x.detach().requires_grad_(True)
        g = function(x)
        if probes is None:
            eye = ops.eye(x.shape[1], dtype=x.dtype, device=x.device)
            probes, count = [ops.broadcast_to(row, x.shape) for row in eye], 1
        else:
            probes, count = list(as_tensor(probes)), len(probes)
        total = no_change(x)
        for v in probes:
            w = v
            for k, weight in enumerate(weights, 1):
                w = gradient(g, x, w, retain_graph=True, create_graph=recording)[0]  # rows w' J
                total = total + (-1)**(k + 1) * weight / (k * count) * ops.sum(w * v, axis=1)
    return (g, total) if recording else (g.detach(), total.detach())


class Contraction(Linear):
    """An affine layer that stretches no distance: its weight is divided by its largest singular value.

    Formula: y = W x / s + b, s the largest singular value of W, computed exactly, so that the bound holds at every
        moment (a few steps of power iteration only approach it).

    Args:
        in_features, out_features: sizes.
        device, dtype: of the parameters.

    Source: Miyato et al. 2018, "Spectral normalization for generative adversarial networks"; Gouk et al. 2018.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.models.flows.Contraction(3, 3)
        >>> x, y = tn.randn((2, 5, 3))
        >>> near = tn.linalg.vector_norm(layer(x) - layer(y), axis=1) <= tn.linalg.vector_norm(x - y, axis=1) + 1e-6
        >>> bool(near.all())
        True
    """

    def __init__(self, in_features: int, out_features: int, *, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(in_features, out_features, device=device, dtype=dtype)

    def forward(self, input: ArrayLike) -> Tensor:
        """(..., in_features) -> (..., out_features)."""
        return F.linear(as_tensor(input), self.weight / ops.linalg.svdvals(self.weight)[0], self.bias)


class IResNet(Bijection):
    """A residual layer that is invertible because its branch is a contraction.

    Formula: z = x + g(x), g(x) = c W_K a(... a(W_1 x + b_1) ...) + b_K, each W_k divided by its largest singular value
        (see `Contraction`) and a = tanh, so that g stretches no distance by more than c < 1. The inverse is the fixed
        point of x = z - g(x).

    Args:
        features: D.
        hidden: widths of the hidden layers of g.
        contraction: c, from 0 to below 1.
        log_det: 'exact': the D x D Jacobian of each example and its determinant; 'series': the first `terms` of the
            series, biased; 'roulette': a random number of terms, unbiased.
        terms: how many terms are always there.
        probes: draws of Hutchinson's estimator, 0 for the exact trace.
        generator: the stream of the probes and of the roulette.
        device, dtype: of the parameters.

    Raises:
        ValueError: an option is out of range.

    Source: Behrmann, Grathwohl, Chen, Duvenaud & Jacobsen 2019, "Invertible residual networks"; roulette: Chen et al.
        2019, "Residual flows for invertible generative modeling", equation 6; the notes, section 7.4.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.models.flows.IResNet(2, (16,), dtype="float64")
        >>> tn.models.flows.check_bijection(layer, tn.randn((4, 2), dtype="float64"), mass=False).verdict
        'CORRECT'
    """

    def __init__(self, features: int, hidden: Sequence[int] = (32, 32), contraction: float = 0.9,
                 log_det: str = "exact", terms: int = 8, probes: int = 1, *, generator: Generator | None = None,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if not 0 <= contraction < 1:
            raise ValueError(f"contraction: expected a number from 0 to below 1, got {contraction!r}")
        if log_det not in KINDS:
            raise ValueError(f"log_det: expected one of {', '.join(KINDS)}, got {log_det!r}")
        if features < 1 or terms < 1 or probes < 0:
            raise ValueError(f"IResNet: expected features >= 1, terms >= 1 and probes >= 0, got {features}, {terms}, "
                             f"{probes}")
        self.features, self.contraction, self.log_det = features, contraction, log_det
        self.terms, self.probes, self.generator = terms, probes, generator
        sizes, layers = [features, *hidden, features], []
        for m, n in zip(sizes, sizes[1:]):
            layers += [Contraction(m, n, device=device, dtype=dtype), Tanh()]
        self.network = Sequential(*layers[:-1])

    def branch(self, x: Tensor) -> Tensor:
        """g(x), (N, D)."""
        return self.contraction * self.network(x)

    def to_latent(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """x + g(x)."""
        x = checked("IResNet", x, self.features)
        g, log_det = self._branch_and_log_det(x)
        return x + g, log_det

    def to_data(self, z: ArrayLike) -> tuple[Tensor, Tensor]:
        """The fixed point of x = z - g(x)."""
        z = checked("IResNet", z, self.features)
        x = fixed_point(lambda x: z - self.branch(x), z)
        return x, -self._branch_and_log_det(x)[1]

    def _branch_and_log_det(self, x):
        if self.log_det == "exact":
            return _exact(self.branch, x)
        terms: Any = self.terms
        if self.log_det == "roulette":
            extra = 1  # geometric: every further term is there with probability 1/2
            while float(ops.uniform(generator=self.generator)) < 0.5:
                extra += 1
            terms = [1.0] * self.terms + [2.0**k for k in range(extra)]
        probes = None
        if self.probes:
            probes = ops.stack([standard_normal(x.shape, x, self.generator) for _ in range(self.probes)])
        return logdet_series(self.branch, x, terms, probes)

    def extra_repr(self) -> str:
        """Sizes and kind."""
        return f"{self.features}, contraction={self.contraction:g}, log_det={self.log_det!r}"


class IRevNet(Bijection):
    """Two residual branches in turn, each reading the half that it does not change: any network will do.

    Formula: x = (a, b); a' = a + f(b), b' = b + g(a'); z = (a', b'). log |det dz/dx| = 0.

    Args:
        features: D >= 2.
        hidden: widths of the hidden layers of f and g (tanh; the last layers start at zero).
        device, dtype: of the parameters.

    Raises:
        ValueError: there are fewer than two features.

    Source: Jacobsen, Smeulders & Oyallon 2018, "i-RevNet: deep invertible networks"; the notes, section 7.4.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.models.flows.IRevNet(4, (16,))
        >>> layer.to_latent(tn.ones((3, 4)))[1]
        tensor([0., 0., 0.])
    """

    def __init__(self, features: int, hidden: Sequence[int] = (32,), *, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if features < 2:
            raise ValueError(f"IRevNet: features: expected at least 2, got {features}")
        self.features, self.first = features, features // 2
        rest = features - self.first
        self.f = MLP([rest, *hidden, self.first], Tanh, device=device, dtype=dtype)
        self.g = MLP([self.first, *hidden, rest], Tanh, device=device, dtype=dtype)
        start_at_zero(self.f[-1])
        start_at_zero(self.g[-1])

    def to_latent(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """First half, then second."""
        x = checked("IRevNet", x, self.features)
        a, b = x[:, :self.first], x[:, self.first:]
        a = a + self.f(b)
        return ops.concat([a, b + self.g(a)], axis=1), no_change(x)

    def to_data(self, z: ArrayLike) -> tuple[Tensor, Tensor]:
        """Second half, then first."""
        z = checked("IRevNet", z, self.features)
        a, b = z[:, :self.first], z[:, self.first:]
        b = b - self.g(a)
        return ops.concat([a - self.f(b), b], axis=1), no_change(z)


class ResidualFlow(Flow):
    """Contractive residual layers, each after an `ActNorm`.

    Formula: z = x + g(x) per layer; log |det(I + dg/dx)| exactly, or by its series, see `IResNet`.

    Args:
        features: D.
        layers: how many.
        hidden, contraction, log_det, terms, probes: of each `IResNet`.
        generator: the stream of the estimators.
        device, dtype: of the parameters.

    Raises:
        ValueError: `layers` is below 1.

    Source: Behrmann et al. 2019; Chen et al. 2019; the notes, section 7.4.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> flow = tn.models.flows.ResidualFlow(2, layers=2)
        >>> flow.log_prob(tn.zeros((5, 2))).shape, flow.sample(3).shape
        ((5,), (3, 2))
    """

    def __init__(self, features: int, layers: int = 8, hidden: Sequence[int] = (64, 64), contraction: float = 0.95,
                 log_det: str = "exact", terms: int = 8, probes: int = 1, *, generator: Generator | None = None,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        if layers < 1:
            raise ValueError(f"layers: expected at least 1, got {layers}")
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        made: list[Bijection] = []
        for _ in range(layers):
            made += [ActNorm(features, **home),
                     IResNet(features, hidden, contraction, log_det, terms, probes, generator=generator, **home)]
        super().__init__(made, features)


def _exact(function, x):
    """g(x) and log |det(I + J)| from the full Jacobian of each example."""
    recording = is_grad_enabled()
    with enable_grad():
        x = x if recording and x.requires_grad else x.detach().requires_grad_(True)
        g = function(x)
        rows = [gradient(ops.sum(g[:, i]), x, retain_graph=True, create_graph=recording)[0]
                for i in range(x.shape[1])]
        jacobian = ops.stack(rows, axis=1) + ops.eye(x.shape[1], dtype=x.dtype, device=x.device)  # (N, D, D)
        log_det = ops.linalg.slogdet(jacobian)[1]
    return (g, log_det) if recording else (g.detach(), log_det.detach())
