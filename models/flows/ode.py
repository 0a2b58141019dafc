"""Ordinary differential equations: fixed and adaptive Runge-Kutta steps, and gradients by the adjoint equation.

    y  state, a Tensor or a tuple of them     t  time     dy/dt = f(t, y)
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import ops
from ...autograd import Tensor, as_tensor, enable_grad, joint, no_grad
from ...autograd import grad as gradient
from ...nn.state import replaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...nn import Module

METHODS = ("euler", "midpoint", "rk4", "dopri5")
# Dormand & Prince 1980: nodes, rows of the tableau, fifth order, and its difference to the fourth.
NODES = (0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1)
STAGES = ((1 / 5,), (3 / 40, 9 / 40), (44 / 45, -56 / 15, 32 / 9),
          (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
          (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
          (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84))
ERROR = (71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


def odeint(f: Callable[..., Any], y: Any, start: float, stop: float, method: str = "rk4", steps: int = 20,
           rtol: float = 1e-5, atol: float = 1e-6) -> Any:
    """The solution y(stop) of dy/dt = f(t, y) with y(start) given.

    Formula (rk4): y <- y + h/6 (k1 + 2 k2 + 2 k3 + k4), k1 = f(t, y), k2 = f(t + h/2, y + h/2 k1),
        k3 = f(t + h/2, y + h/2 k2), k4 = f(t + h, y + h k3); the error falls with h^4.

    Args:
        f: function (t, y) -> dy/dt of the structure of y.
        y: a Tensor, or a tuple of Tensors.
        start, stop: times; `stop` may be the earlier one.
        method: 'euler', 'midpoint', 'rk4' with `steps` equal steps, or 'dopri5', whose steps follow its error.
        steps: of the fixed methods.
        rtol, atol: of 'dopri5': the error of a step is at most atol + rtol |y|, in the root mean square.

    Returns:
        y(stop); gradients flow through all steps.

    Raises:
        ValueError: the method is unknown, or `steps` is below 1.
        RuntimeError: 'dopri5' would have to make steps that no longer move t.

    Source: Hairer, Norsett & Wanner 1993, "Solving ordinary differential equations I", sections II.1 and II.4.

    Example:
        >>> import tinygrad_notes as tn
        >>> y = tn.models.flows.odeint(lambda t, y: -y, tn.tensor(1.0), 0.0, 1.0)
        >>> y  # exp(-1)
        tensor(0.3679)
    """
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, got {steps}")
    single = not isinstance(y, tuple)
    state = (as_tensor(y),) if single else tuple(as_tensor(part) for part in y)
    field = (lambda t, y: (f(t, y[0]),)) if single else f
    if method == "dopri5":
        state = _adaptive(field, state, start, stop, rtol, atol)
    else:
        step, h = {"euler": _euler, "midpoint": _midpoint, "rk4": _rk4}[method], (stop - start) / steps
        for k in range(steps):
            state = step(field, start + k * h, state, h)
    return state[0] if single else state


def _plus(y, *terms):
    """y + sum of (number, slope) terms, part by part."""
    moved = []
    for i, part in enumerate(y):
        for number, slope in terms:
            if number:
                part = part + number * slope[i]
        moved.append(part)
    return tuple(moved)


def _euler(f, t, y, h):
    return _plus(y, (h, f(t, y)))


def _midpoint(f, t, y, h):
    return _plus(y, (h, f(t + h / 2, _plus(y, (h / 2, f(t, y))))))


def _rk4(f, t, y, h):
    k1 = f(t, y)
    k2 = f(t + h / 2, _plus(y, (h / 2, k1)))
    k3 = f(t + h / 2, _plus(y, (h / 2, k2)))
    k4 = f(t + h, _plus(y, (h, k3)))
    return _plus(y, (h / 6, k1), (h / 3, k2), (h / 3, k3), (h / 6, k4))


def _adaptive(f, y, start, stop, rtol, atol):
    """Dormand and Prince's pair of orders 5 and 4; the last slope of a step is the first of the next."""
    t, h, first = start, (stop - start) / 20, None
    while (stop - t) * (stop - start) > 0:
        h = h if abs(h) < abs(stop - t) else stop - t
        slopes = [f(t, y) if first is None else first]
        for node, row in zip(NODES[1:], STAGES):
            ahead = _plus(y, *((h * a, k) for a, k in zip(row, slopes)))
            slopes.append(f(t + node * h, ahead))
        error = _size(y, ahead, [(h * e, k) for e, k in zip(ERROR, slopes)], rtol, atol)
        if error <= 1:
            t, y, first = (stop if h == stop - t else t + h), ahead, slopes[-1]
        else:
            first = slopes[0]
        h *= min(5.0, max(0.2, 0.9 * max(error, 1e-10)**-0.2))
        if t + h == t and t != stop:
            raise RuntimeError(f"odeint: the steps became too small at t = {t:.6g}; is the solution finite there?")
    return y


def _size(y, ahead, terms, rtol, atol):
    """The error of a step in units of the tolerance, root mean square over all numbers."""
    with no_grad():
        total, count = 0.0, 0
        for i, (old, new) in enumerate(zip(y, ahead)):
            off = sum(number * slope[i] for number, slope in terms)
            ratio = off / (atol + rtol * ops.maximum(ops.abs(old), ops.abs(new)))
            total, count = total + float(ops.sum(ratio * ratio)), count + ratio.size
    found = (total / max(count, 1))**0.5
    return found if found == found else float("inf")


class Problem:
    """A module as the right-hand side, and how it is solved: what the operation `ode_adjoint` is told."""

    def __init__(self, module, start, stop, options, parts):
        self.module, self.start, self.stop, self.options, self.parts = module, start, stop, options, parts
        self.names = [name for name, _ in module.named_parameters()]

    def solve(self, arrays):
        """y(stop), without recording."""
        y, parameters = arrays[:self.parts], arrays[self.parts:]
        with no_grad(), replaced(self.module, dict(zip(self.names, parameters))):
            return odeint(self.module, tuple(y), self.start, self.stop, **self.options)

    def pull(self, end, cotangents, parameters):
        """The gradients for y(start) and the parameters: y, a and the sums over time, integrated backwards."""
        n = self.parts

        def field(t, state):
            return self._field(t, state[:n], state[n:2 * n], parameters)
        zeros = tuple(ops.zeros_like(p) for p in parameters)
        state = odeint(field, (*end, *cotangents, *zeros), self.stop, self.start, **self.options)
        return state[n:]

    def _field(self, t, y, a, parameters):
        """dy/dt = f, da/dt = -a' df/dy, and for the parameters -a' df/dp."""
        recording = any(part.requires_grad for part in (*y, *a, *parameters))
        # New nodes for y and the parameters: gradients stop there, though y itself depends on the parameters too.
        new = ops.clone if recording else lambda x: x.detach().requires_grad_(True)
        with enable_grad():
            y, parameters = tuple(map(new, y)), tuple(map(new, parameters))
            with replaced(self.module, dict(zip(self.names, parameters))):
                slopes = self.module(t, y)
            # A slope that depends on nothing has no gradient.
            live = [(slope, w) for slope, w in zip(slopes, a) if slope.requires_grad]
            wanted = [*y, *parameters]
            found = gradient([s for s, _ in live], wanted, [w for _, w in live], create_graph=recording,
                             allow_unused=True)
        found = [ops.zeros_like(x) if g is None else g for g, x in zip(found, wanted)]
        out = (*slopes, *(-g for g in found))
        return out if recording else tuple(part.detach() for part in out)


def _adjoint_forward(xp, *xs, problem):
    return tuple(part.data for part in problem.solve([Tensor.wrap(x) for x in xs]))


def _adjoint_rule(g, out, arrays, problem):
    recorded = any(isinstance(part, Tensor) for part in (*g, *out, *arrays))
    wrap = (lambda x: x) if recorded else Tensor.wrap
    end, cotangents, parameters = (tuple(map(wrap, part)) for part in (out, g, arrays[problem.parts:]))
    found = problem.pull(end, cotangents, parameters)
    return tuple(found) if recorded else tuple(part.detach().data for part in found)


_ode_adjoint = joint("ode_adjoint", _adjoint_forward, _adjoint_rule, outputs=0)


def odeint_adjoint(module: Module, y: Any, start: float, stop: float, method: str = "rk4", steps: int = 20,
                   rtol: float = 1e-5, atol: float = 1e-6) -> Any:
    """The same solution as `odeint`, with gradients by a second equation that runs back in time: no step is kept.

    Formula: da/dt = -a' df/dy from a(stop) = dL/dy(stop) gives dL/dy(start) = a(start); dL/dp = int a' df/dp dt. The
        state y is integrated backwards beside them, so the memory does not grow with the steps.

    Args:
        module: a Module with `forward(t, y)` -> dy/dt, y a tuple of Tensors; gradients reach its parameters.
        y: a tuple of Tensors.
        start, stop, method, steps, rtol, atol: as in `odeint`.

    Returns:
        y(stop), a tuple. The gradients are those of the exact solution up to the error of the method, where those of
        `odeint` are exact for the steps taken; they can be differentiated again.

    Raises:
        ValueError, RuntimeError: as in `odeint`.

    Source: Chen, Rubanova, Bettencourt & Duvenaud 2018, "Neural ordinary differential equations", algorithm 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> class Decay(tn.nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.rate = tn.nn.Parameter(tn.ones(()))
        ...     def forward(self, t, y):
        ...         return (-self.rate * y[0],)
        >>> decay = Decay()
        >>> y, = tn.models.flows.odeint_adjoint(decay, (tn.tensor(1.0),), 0.0, 1.0)
        >>> y.backward(); decay.rate.grad  # d exp(-rate)/d rate
        tensor(-0.3679)
    """
    if method not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    state = tuple(as_tensor(part) for part in y)
    options = {"method": method, "steps": steps, "rtol": rtol, "atol": atol}
    problem = Problem(module, start, stop, options, len(state))
    found = _ode_adjoint(*state, *(p for _, p in module.named_parameters()), problem=problem)
    return tuple(found) if isinstance(found, (tuple, list)) else (found,)
