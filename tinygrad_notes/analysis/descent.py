"""What can be promised of gradient descent: for smooth losses, and for those under the Polyak-Lojasiewicz condition."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import Tensor, as_tensor
from ..autograd.transforms import value_and_grad
from ..optim.options import in_range
from .parameters import of_vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..typing import ArrayLike


def descent_bound(smoothness: float, excess: float, steps: int) -> float:
    r"""How small the gradient must have become once in `steps` steps of gradient descent with step 1 / smoothness.

    Formula: min_k |grad L(w_k)|^2 <= 2 b (L(w_0) - L*) / t.

    Args:
        smoothness: b, a bound of the largest eigenvalue of the Hessian, >= 0.
        excess: L(w_0) - L*, >= 0.
        steps: t, >= 1.

    Returns:
        The bound of the squared norm.

    Raises:
        ValueError: an argument is out of range.

    Source: Nesterov 2004, "Introductory lectures on convex optimization", 1.2.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.descent_bound(smoothness=10.0, excess=2.0, steps=100)
        0.4
    """
    in_range("smoothness", smoothness, 0)
    in_range("excess", excess, 0)
    in_range("steps", steps, 1)
    return 2 * smoothness * excess / steps


def descent_steps(smoothness: float, excess: float, squared_norm: float) -> int:
    r"""Steps of gradient descent after which the squared norm of some gradient is at most `squared_norm`.

    Formula: t >= 2 b (L(w_0) - L*) / delta.

    Args:
        smoothness, excess: as in `descent_bound`.
        squared_norm: delta, > 0.

    Returns:
        The number of steps.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.descent_steps(smoothness=10.0, excess=2.0, squared_norm=0.4)
        100
    """
    in_range("squared_norm", squared_norm, 0, low_open=True)
    return max(1, math.ceil(descent_bound(smoothness, excess, 1) / squared_norm - 1e-9))


def pl_ratio(loss: Callable[[Any], Tensor], params: Any, lowest: float = 0.0) -> float:
    r"""How steep a loss is for its height: the number that the condition of Polyak and Lojasiewicz bounds from below.

    Formula: 1/2 |grad L|^2 / (L - L*). The condition with constant m says that it is at least m wherever L > L*.

    Args:
        loss: a function of the parameters that returns one number.
        params: where: a Tensor, or nested containers of Tensors.
        lowest: L*.

    Returns:
        The ratio; infinite at a minimum.

    Raises:
        TypeError: `loss` is no function.
        ValueError: the loss is below `lowest`.

    Source: Karimi, Nutini & Schmidt 2016, "Linear convergence of gradient and proximal-gradient methods under the
        Polyak-Lojasiewicz condition".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.pl_ratio(lambda x: 1.5 * (x * x).sum(), tn.tensor([2.0, 1.0]))
        3.0
    """
    function, x, _ = of_vector(loss, params)
    value, g = value_and_grad(function)(x)
    height = value.item() - lowest
    if height < 0:
        raise ValueError(f"lowest: the loss is {value.item()}, below {lowest}")
    return 0.5 * ops.vecdot(g, g).item() / height if height else math.inf


def pl_constant(kernel: ArrayLike) -> float:
    r"""The constant of the Polyak-Lojasiewicz condition that a tangent kernel guarantees for 1/2 |F(w) - y|^2.

    Formula: |grad L|^2 = (F - y)^T K (F - y) >= 2 lambda_min(K) L, so m = lambda_min(K) in 1/2 |grad L|^2 >= m L.

    Args:
        kernel: K, (n, n), symmetric, such as `tangent_kernel` returns.

    Returns:
        The smallest eigenvalue of K, at least 0.

    Raises:
        ValueError: it is no square matrix.

    Source: Liu, Zhu & Belkin 2022, "Loss landscapes and optimization in over-parameterized non-linear systems and
        neural networks", theorem 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> round(tn.analysis.pl_constant(tn.tensor([[2.0, 1.0], [1.0, 2.0]])), 4)
        1.0
    """
    matrix = as_tensor(kernel).detach()
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"kernel: expected a square matrix, got shape {matrix.shape}")
    return max(ops.linalg.eigvalsh(matrix)[0].item(), 0.0)


@dataclass(frozen=True)
class PLCertificate:
    r"""Why gradient descent must reach zero loss, and how fast: from the constants in a ball around its beginning.

    Formula: if L is b-smooth and 1/2 |grad L|^2 >= m L within R = 2 sqrt(2 b L_0) / m of w_0, then with a step
    e <= 1 / b all iterates stay there and L_t <= (1 - e m)^t L_0.

    Args:
        pl: m, > 0.
        smoothness: b, >= m.
        loss: L_0, the loss at the beginning; its lowest value is 0.

    Raises:
        ValueError: a constant is out of range.

    Source: the refsheet, conditions 1 to 3; Liu, Zhu & Belkin 2022, theorem 6.

    Example:
        >>> import tinygrad_notes as tn
        >>> certificate = tn.analysis.PLCertificate(pl=0.5, smoothness=2.0, loss=1.0)
        >>> certificate.radius, certificate.lr, round(certificate.bound(10), 4)
        (8.0, 0.5, 0.0563)
    """

    pl: float
    smoothness: float
    loss: float

    def __post_init__(self) -> None:
        in_range("pl", self.pl, 0, low_open=True)
        in_range("smoothness", self.smoothness, self.pl)
        in_range("loss", self.loss, 0)

    @property
    def radius(self) -> float:
        """The ball that the iterates do not leave: 2 sqrt(2 b L_0) / m."""
        return 2 * math.sqrt(2 * self.smoothness * self.loss) / self.pl

    @property
    def lr(self) -> float:
        """The largest step that the certificate covers: 1 / b."""
        return 1 / self.smoothness

    def bound(self, steps: int, lr: float | None = None) -> float:
        """The most that the loss can be after `steps` steps of size `lr` (default: the largest).

        Raises:
            ValueError: `lr` is larger than 1 / b.
        """
        lr = self.lr if lr is None else lr
        in_range("lr", lr, 0, self.lr)
        return (1 - lr * self.pl) ** steps * self.loss
