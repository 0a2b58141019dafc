"""Continuous flows: data carried to codes by a velocity field, volumes by its divergence."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops
from ...autograd import enable_grad, is_grad_enabled
from ...autograd import grad as gradient
from ...nn import MLP, Module, Tanh
from .base import Bijection, Flow, checked, no_change
from .coupling import start_at_zero
from .linear import ActNorm
from .ode import odeint, odeint_adjoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...autograd import Tensor
    from ...typing import ArrayLike, DeviceLike, DTypeLike


class Velocity(Module):
    """A velocity field v(x, t) by a perceptron, and its divergence.

    Formula: dx/dt = v(x, t), d log-det / dt = sum_i dv_i / dx_i.

    Args:
        features: D.
        hidden: widths of the hidden layers (tanh; the last layer starts at zero, where nothing moves).
        device, dtype: of the parameters.

    Example:
        >>> import tinygrad_notes as tn
        >>> v, divergence = tn.models.flows.Velocity(2, (8,))(0.5, (tn.ones((3, 2)), tn.zeros((3,))))
        >>> v.shape, divergence.shape
        ((3, 2), (3,))
    """

    def __init__(self, features: int, hidden: Sequence[int] = (64, 64), *, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.network = MLP([features + 1, *hidden, features], Tanh, device=device, dtype=dtype)
        start_at_zero(self.network[-1])

    def at(self, t: float, x: Tensor) -> Tensor:
        """v(x, t), (N, D)."""
        time = ops.full((x.shape[0], 1), t, dtype=x.dtype, device=x.device)
        return self.network(ops.concat([x, time], axis=1))

    def forward(self, t: float, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """v and its divergence, (N, D) and (N,), at `state` = (x, anything)."""
        x, recording = state[0], is_grad_enabled()
        with enable_grad():
            x = x if recording and x.requires_grad else x.detach().requires_grad_(True)
            v = self.at(t, x)
            total: Any = 0.0
            for i in range(x.shape[1]):
                # Unit cotangents: one backward pass for column i of the Jacobian's diagonal.
                total = total + gradient(ops.sum(v[:, i]), x, retain_graph=True, create_graph=recording)[0][:, i]
        return (v, total) if recording else (v.detach(), total.detach())


class ContinuousLayer(Bijection):
    """The map from where a point starts to where a velocity field has carried it.

    Formula: z = x(1), x(0) = x, dx/dt = v(x, t); log |det dz/dx| = int_0^1 div v(x(t), t) dt. The inverse runs
        from t = 1 to 0.

    Args:
        velocity: a Module like `Velocity`.
        features: D.
        method, steps, rtol, atol: of `odeint`.
        adjoint: take gradients by the adjoint equation, in memory that does not grow with the steps.

    Source: Chen et al. 2018, "Neural ordinary differential equations", theorem 1; Grathwohl et al. 2019, "FFJORD".

    Example:
        >>> import tinygrad_notes as tn
        >>> flows = tn.models.flows
        >>> layer = flows.ContinuousLayer(flows.Velocity(2, (8,)), 2)
        >>> layer.to_latent(tn.ones((3, 2)))[1].shape
        (3,)
    """

    def __init__(self, velocity: Module, features: int, method: str = "rk4", steps: int = 10, rtol: float = 1e-5,
                 atol: float = 1e-6, adjoint: bool = False) -> None:
        super().__init__()
        self.velocity, self.features, self.adjoint = velocity, features, adjoint
        self.options: dict[str, Any] = {"method": method, "steps": steps, "rtol": rtol, "atol": atol}

    def to_latent(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """From t = 0 to 1."""
        return self._carried(x, 0.0, 1.0)

    def to_data(self, z: ArrayLike) -> tuple[Tensor, Tensor]:
        """From t = 1 to 0."""
        return self._carried(z, 1.0, 0.0)

    def _carried(self, x, start, stop):
        x = checked("ContinuousLayer", x, self.features)
        solve: Any = odeint_adjoint if self.adjoint else odeint
        return solve(self.velocity, (x, no_change(x)), start, stop, **self.options)

    def extra_repr(self) -> str:
        """How it is solved."""
        method, steps = self.options["method"], self.options["steps"]
        return f"{self.features}, method={method!r}, steps={steps}, adjoint={self.adjoint}"


class ContinuousFlow(Flow):
    """An `ActNorm` and a continuous flow.

    Formula: log p(x) = log N(x(1); 0, I) + int_0^1 div v(x(t), t) dt, dx/dt = v.

    Args:
        features: D.
        hidden: widths of the hidden layers of the velocity.
        method, steps, rtol, atol: of `odeint`.
        adjoint: take gradients by the adjoint equation.
        device, dtype: of the parameters.

    Source: Chen et al. 2018; Grathwohl, Chen, Bettencourt, Sutskever & Duvenaud 2019, "FFJORD: free-form continuous
        dynamics for scalable reversible generative models".

    Example:
        >>> import tinygrad_notes as tn
        >>> flow = tn.models.flows.ContinuousFlow(2, (16,), steps=4)
        >>> flow.log_prob(tn.zeros((5, 2))).shape, flow.sample(3).shape
        ((5,), (3, 2))
    """

    def __init__(self, features: int, hidden: Sequence[int] = (64, 64), method: str = "rk4", steps: int = 10,
                 rtol: float = 1e-5, atol: float = 1e-6, adjoint: bool = False, *, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        velocity = Velocity(features, hidden, device=device, dtype=dtype)
        layers = [ActNorm(features, device=device, dtype=dtype),
                  ContinuousLayer(velocity, features, method, steps, rtol, atol, adjoint)]
        super().__init__(layers, features)
