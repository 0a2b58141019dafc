"""Kernel ridge regression: a linear model with one weight per example, in a space of features that is never entered.

    N examples   D inputs   K outputs

    f(x) = sum_i k(x, x_i) a_i,   a = (k(X, X) + l I)^-1 y
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import Tensor, as_tensor, no_grad
from ..nn import Module
from .linear import square_distances

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..typing import ArrayLike


def linear_kernel(x: Tensor, y: Tensor) -> Tensor:
    """k(x, y) = x . y, for all pairs: (N, D), (M, D) -> (N, M).

    Args:
        x: (N, D).
        y: (M, D).

    Returns:
        (N, M).

    Source: Bishop 2006, section 6.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.linear_kernel(tn.tensor([[1.0, 2.0]]), tn.tensor([[3.0, 4.0]]))
        tensor([[11.]])
    """
    return as_tensor(x) @ ops.matrix_transpose(as_tensor(y))


def polynomial_kernel(degree: int = 3, offset: float = 1.0) -> Callable[[Tensor, Tensor], Tensor]:
    """The kernel k(x, y) = (x . y + offset)^degree of all products of inputs up to a degree.

    Args:
        degree: at least 1.
        offset: >= 0.

    Returns:
        A function (N, D), (M, D) -> (N, M).

    Source: Bishop 2006, section 6.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.polynomial_kernel(2)(tn.tensor([[1.0]]), tn.tensor([[2.0]]))
        tensor([[9.]])
    """
    return lambda x, y: (linear_kernel(x, y) + offset) ** degree


def rbf_kernel(width: float = 1.0) -> Callable[[Tensor, Tensor], Tensor]:
    """The kernel k(x, y) = exp(-|x - y|^2 / (2 width^2)).

    Args:
        width: > 0.

    Returns:
        A function (N, D), (M, D) -> (N, M).

    Raises:
        ValueError: the width is not above 0.

    Source: Bishop 2006, equation 6.23.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.rbf_kernel(1.0)(tn.tensor([[0.0]]), tn.tensor([[1.0]]))
        tensor([[0.6065]])
    """
    if not width > 0:
        raise ValueError(f"width: expected a number > 0, got {width!r}")
    return lambda x, y: ops.exp(-square_distances(as_tensor(x), as_tensor(y)) / (2 * width**2))


class KernelRidge(Module):
    """Ridge regression in the features of a kernel, in closed form.

    Formula: f(x) = k(x, X) a with a = (k(X, X) + l I)^-1 y: the minimum over all functions of the space of
        sum_i |y_i - f(x_i)|^2 + l |f|^2.

    Args:
        kernel: a function (N, D), (M, D) -> (N, M) such as `rbf_kernel(0.5)`; default: `rbf_kernel()`.
        penalty: l > 0.

    Attributes:
        inputs: (N, D), those it was fitted to.
        weights: a, (N,) or (N, K).

    Raises:
        ValueError: the penalty is not above 0; at the call: it has not been fitted.

    Source: Saunders, Gammerman & Vovk 1998, "Ridge regression learning algorithm in dual variables".

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.KernelRidge(tn.models.linear_kernel, 2.0).fit([[2.0]], [3.0])
        >>> model.predict([[1.0]])  # the ridge weight 6 / (4 + 2)
        tensor([1.])
    """

    def __init__(self, kernel: Any = None, penalty: float = 1.0) -> None:
        super().__init__()
        if not penalty > 0:
            raise ValueError(f"penalty: expected a number > 0, got {penalty!r}")
        self.kernel, self.penalty = kernel or rbf_kernel(), penalty
        self.register_buffer("inputs", None)
        self.register_buffer("weights", None)

    def fit(self, x: ArrayLike, y: ArrayLike) -> KernelRidge:
        """Solve for the weights of examples (N, D) with targets (N,) or (N, K); returns the model."""
        with no_grad():
            x = as_tensor(x)
            gram = self.kernel(x, x)
            y = ops.astype(as_tensor(y, like=gram), gram.dtype)
            whole = gram + self.penalty * ops.eye(x.shape[0], dtype=gram.dtype, device=gram.device)
            self.inputs, self.weights = x, ops.linalg.solve(whole, y)
        return self

    def forward(self, x: ArrayLike) -> Tensor:
        """(N, D) -> (N,) or (N, K)."""
        if self.inputs is None:
            raise ValueError("KernelRidge: call fit first")
        return self.kernel(as_tensor(x, like=self.inputs), self.inputs) @ self.weights

    def loss(self, x: ArrayLike, y: ArrayLike) -> dict[str, Tensor]:
        """{"loss"}: the mean squared error, (N, D) and (N,) or (N, K), summed over outputs."""
        error = self(x) - as_tensor(y, like=self.weights)
        return {"loss": ops.sum(error * error) / error.shape[0]}

    def predict(self, x: ArrayLike) -> Tensor:
        """`forward` without recording."""
        with no_grad():
            return self(x)
