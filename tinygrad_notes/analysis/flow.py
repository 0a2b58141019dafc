"""Descent in continuous time: the flow that small steps follow, and the losses that finite steps really descend."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autograd import no_grad
from ..autograd.transforms import grad, value_and_grad
from ..autograd.tree import flatten
from ..optim.options import in_range, one_of, whole
from .parameters import of_vector, raveled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..autograd import Tensor


def _euler(f, x, h):
    return x + h * f(x)


def _heun(f, x, h):
    first = f(x)
    return x + h / 2 * (first + f(x + h * first))


def _rk4(f, x, h):
    a = f(x)
    b = f(x + h / 2 * a)
    c = f(x + h / 2 * b)
    d = f(x + h * c)
    return x + h / 6 * (a + 2 * b + 2 * c + d)


METHODS = {"euler": _euler, "heun": _heun, "rk4": _rk4}


def integrate(field: Callable[[Any], Any], start: Any, time: float, steps: int = 100, method: str = "rk4",
              path: bool = False) -> Any:
    r"""Follow dx/dt = field(x) from `start` for some time, in equal steps.

    Formula: with a step h, 'euler' x + h f(x), of order 1; 'heun' x + h/2 (f(x) + f(x + h f(x))), of order 2; 'rk4' the
    classical rule of Runge and Kutta, of order 4. Halving h divides the error at the end by 2^order.

    Args:
        field: a function of x that returns its velocity, in the same structure.
        start: a Tensor, or nested containers of Tensors.
        time: how long, >= 0.
        steps: how many, an int >= 1.
        method: 'euler', 'heun' or 'rk4'.
        path: return all points, not the last alone.

    Returns:
        x at the end, in the structure of `start`; with `path` a list of `steps` + 1 of them.

    Raises:
        ValueError: an option is out of range.

    Source: Hairer, Norsett & Wanner, "Solving ordinary differential equations I", II.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.integrate(lambda x: -x, tn.tensor(1.0), time=1.0)  # exp(-1)
        tensor(0.3679)
    """
    x, restore = raveled(start)
    return _followed(lambda flat: raveled(field(restore(flat)))[0], x, restore, time, steps, method, path)


def _followed(velocity, x, restore, time, steps, method, path):
    """`integrate` of a function of one vector."""
    in_range("time", time, 0)
    whole("steps", steps, 1)
    one_of("method", method, tuple(METHODS))
    advance, h, points = METHODS[method], time / steps, [x]
    with no_grad():
        for _ in range(steps):
            points.append(advance(velocity, points[-1], h))
    return [restore(point) for point in points] if path else restore(points[-1])


def gradient_flow(loss: Callable[[Any], Tensor], params: Any, time: float, steps: int = 100, method: str = "rk4",
                  path: bool = False) -> Any:
    r"""Follow the negative gradient in continuous time: what gradient descent becomes as its step goes to zero.

    Formula: dw/dt = -grad L(w). Gradient descent with step e is Euler's rule for it, t steps taking time t e.

    Args:
        loss: a function of the parameters that returns one number.
        params: the beginning: a Tensor, or nested containers of Tensors.
        time, steps, method, path: as in `integrate`.

    Returns:
        The parameters at the end, or all points of the path.

    Raises:
        ValueError: an option is out of range.
        TypeError: `loss` is no function.

    Source: the notes, equation 2.15.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.gradient_flow(lambda w: 0.5 * (w * w).sum(), tn.tensor([2.0]), time=1.0)
        tensor([0.7358])
    """
    function, x, restore = of_vector(loss, params)
    slope = grad(function)
    return _followed(lambda flat: -slope(flat), x, restore, time, steps, method, path)


def modified_flow(loss: Callable[[Any], Tensor], params: Any, lr: float, time: float, steps: int = 100,
                  method: str = "rk4", path: bool = False) -> Any:
    r"""The flow that gradient descent with a finite step follows to second order in the step.

    Formula: dw/dt = -grad L - lr / 2 H grad L, the gradient flow of `implicit_gd_loss`. One step of descent differs
    from time `lr` of this flow by O(lr^3), from that of the plain flow by O(lr^2).

    Args:
        loss: a function of the parameters that returns one number.
        params: the beginning: a Tensor, or nested containers of Tensors.
        lr: the step of the descent to be followed, >= 0.
        time, steps, method, path: as in `integrate`.

    Returns:
        The parameters at the end, or all points of the path.

    Raises:
        ValueError: an option is out of range.
        TypeError: `loss` is no function.

    Source: the notes, equations 2.16 to 2.21; Barrett & Dherin 2021, "Implicit gradient regularization".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.modified_flow(lambda w: 0.5 * (w * w).sum(), tn.tensor([1.0]), lr=0.2, time=1.0)  # exp(-1.1)
        tensor([0.3329])
    """
    return gradient_flow(implicit_gd_loss(loss, lr), params, time, steps, method, path)


def implicit_gd_loss(loss: Callable[[Any], Tensor], lr: float) -> Callable[[Any], Tensor]:
    r"""The loss that gradient descent with a finite step really descends: it avoids steep places.

    Formula: L + lr / 4 |grad L|^2.

    Args:
        loss: a function of the parameters (a Tensor, or nested containers of Tensors) that returns one number.
        lr: the step of the descent, >= 0.

    Returns:
        A function like `loss`, which can itself be differentiated.

    Raises:
        ValueError: `lr` is out of range.

    Source: the notes, equation 2.22; Barrett & Dherin 2021, "Implicit gradient regularization", theorem 3.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.implicit_gd_loss(lambda w: (w * w).sum(), lr=0.4)(tn.tensor([3.0]))  # 9 + 0.1 * 36
        tensor(12.6000)
    """
    in_range("lr", lr, 0)

    def modified(params):
        value, slope = value_and_grad(loss)(params)
        return value + lr / 4 * _square(slope)

    return modified


def implicit_sgd_loss(losses: Sequence[Callable[[Any], Tensor]], lr: float) -> Callable[[Any], Tensor]:
    r"""The loss that stochastic gradient descent descends on average over the orders of its batches.

    Formula: L + lr / (4 B) sum_b |grad L_b|^2 with L the mean of the losses L_b of B batches. It is `implicit_gd_loss`
    and lr / (4 B) sum_b |grad L_b - grad L|^2: SGD also avoids places where the batches disagree.

    Args:
        losses: one function of the parameters per batch.
        lr: the step, >= 0.

    Returns:
        A function like those given.

    Raises:
        ValueError: no batch, or `lr` is out of range.

    Source: the notes, equations 2.23 and 2.24; Smith et al. 2021, "On the origin of implicit regularization in
        stochastic gradient descent".

    Example:
        >>> import tinygrad_notes as tn
        >>> halves = [lambda w: ((w - 1)**2).sum(), lambda w: ((w + 1)**2).sum()]
        >>> tn.analysis.implicit_sgd_loss(halves, lr=0.4)(tn.tensor([0.0]))  # 1 + 0.1 * (4 + 4) / 2
        tensor(1.4000)
    """
    in_range("lr", lr, 0)
    parts = list(losses)
    if not parts:
        raise ValueError("losses: expected at least one, one per batch")

    def modified(params):
        found = [value_and_grad(loss)(params) for loss in parts]
        return sum(value + lr / 4 * _square(slope) for value, slope in found) / len(parts)

    return modified


def _square(tree):
    """The squared norm of nested Tensors."""
    return sum((leaf * leaf).sum() for leaf in flatten(tree)[0])
