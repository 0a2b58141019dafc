"""Linear regression in closed form: least squares, ridge, and what early stopping and dropout have in common with it.

    N examples   D features
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from ..autograd import Tensor, as_tensor
from ..ops import eye, linalg, matrix_transpose, reshape, square, sum
from ..optim.options import in_range, whole

if TYPE_CHECKING:
    from ..typing import ArrayLike


def _design(given: ArrayLike) -> Tensor:
    X = as_tensor(given)
    if X.ndim != 2 or X.dtype.kind != "f":
        raise ValueError(f"X: expected a floating design (N, D), got {X.dtype} of shape {X.shape}")
    return X


def _problem(given: ArrayLike, targets: ArrayLike) -> tuple[Tensor, Tensor]:
    X = _design(given)
    y = as_tensor(targets, like=X)
    if y.ndim not in (1, 2) or y.shape[0] != X.shape[0]:
        raise ValueError(f"y: expected shape ({X.shape[0]},) or ({X.shape[0]}, K), got {y.shape}")
    return X, y


def ols(X: ArrayLike, y: ArrayLike) -> Tensor:
    r"""The weights of least squares; the shortest of them where several fit equally well.

    Formula: argmin_w |y - X w|^2 = (X^T X)^-1 X^T y.

    Args:
        X: design, floating, (N, D).
        y: targets, (N,) or (N, K).

    Returns:
        Weights (D,) or (D, K).

    Raises:
        ValueError: shapes do not fit.

    Source: the notes, 2.3.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.ols(tn.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), tn.tensor([1.0, 3.0, 5.0]))
        tensor([1.0000, 2.0000])
    """
    X, y = _problem(X, y)
    return linalg.pinv(X) @ y


def ridge(X: ArrayLike, y: ArrayLike, penalty: float) -> Tensor:
    r"""The weights of ridge regression; with fewer examples than features too.

    Formula: argmin_w |y - X w|^2 + l |w|^2 = (X^T X + l I)^-1 X^T y; along a singular vector of X with singular value d
        it shrinks least squares by d^2 / (d^2 + l).

    Args:
        X: design, floating, (N, D).
        y: targets, (N,) or (N, K).
        penalty: l > 0.

    Returns:
        Weights (D,) or (D, K).

    Raises:
        ValueError: shapes do not fit, or l <= 0.

    Source: the notes, equation 2.14.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.ridge(tn.tensor([[2.0]]), tn.tensor([3.0]), 2.0)  # 6 / (4 + 2)
        tensor([1.])
    """
    X, y = _problem(X, y)
    in_range("penalty", penalty, 0, low_open=True)
    n, d = X.shape
    if n < d:  # the same by a smaller system: X^T (X X^T + l I)^-1 y
        gram = X @ matrix_transpose(X) + penalty * eye(n, dtype=X.dtype, device=X.device)
        return matrix_transpose(X) @ linalg.solve(gram, y)
    gram = matrix_transpose(X) @ X + penalty * eye(d, dtype=X.dtype, device=X.device)
    return linalg.solve(gram, matrix_transpose(X) @ y)


def ols_risk(X: ArrayLike, variance: float) -> float:
    r"""How far least squares is from the true weights on average, for a given design.

    Formula: E |w^ - w|^2 = s^2 tr((X^T X)^-1), the trace of the covariance of w^, for y = X w + noise of variance s^2.

    Args:
        X: design of full column rank, floating, (N, D).
        variance: s^2 >= 0 of the noise.

    Returns:
        The expected squared distance.

    Raises:
        ValueError: the design is none, or its columns depend on each other.

    Source: the notes, chapter 2, problem 1 (the risk depends on the design too, not on the noise alone).

    Example:
        >>> import tinygrad_notes as tn
        >>> round(tn.analysis.ols_risk(tn.tensor([[1.0], [2.0]]), 10.0), 6)
        2.0
    """
    X = _design(X)
    in_range("variance", variance, 0)
    d = linalg.svdvals(X)
    if not X.shape[1] or linalg.matrix_rank(X).item() < X.shape[1]:
        raise ValueError(f"X: expected independent columns, got shape {X.shape} and singular values from "
                         f"{d.max().item() if d.size else 0:.3g} to {d.min().item() if d.size else 0:.3g}")
    return variance * sum(1 / square(d)).item()


def ridge_filter(curvature: ArrayLike, penalty: ArrayLike) -> Tensor:
    r"""How much of a mode of the solution ridge keeps.

    Formula: s / (s + l) for a mode of curvature s (an eigenvalue of X^T X) and penalty l |w|^2.

    Args:
        curvature: s >= 0, any shape.
        penalty: l > 0; shapes broadcast.

    Returns:
        Shares in [0, 1).

    Source: the notes, equation 2.14.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.ridge_filter(tn.tensor([1.0, 9.0]), 1.0)
        tensor([0.5000, 0.9000])
    """
    curvature = as_tensor(curvature)
    return curvature / (curvature + penalty)


def early_stop_filter(curvature: ArrayLike, lr: float, steps: int) -> Tensor:
    r"""How much of a mode of the solution gradient descent from zero has found when it is stopped.

    Formula: 1 - (1 - a s)^k after k steps of size a, for a mode of curvature s of the loss.

    Args:
        curvature: s >= 0, any shape.
        lr: a > 0.
        steps: k, an int >= 0.

    Returns:
        Shares; in [0, 1] for a s <= 1.

    Raises:
        ValueError: an argument is out of range.

    Source: the notes, 2.3.3: stopping early resembles `ridge_filter` with penalty about 1 / (a k).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.early_stop_filter(tn.tensor([0.01, 0.1, 1.0, 10.0]), 0.01, 100)
        tensor([0.0100, 0.0952, 0.6340, 1.0000])
    """
    in_range("lr", lr, 0, low_open=True)
    whole("steps", steps, 0)
    return 1 - (1 - lr * as_tensor(curvature)) ** steps


def ridge_like_early_stop(curvature: ArrayLike, lr: float, steps: int) -> Tensor:
    r"""The penalty with which ridge keeps as much of each mode as early stopping does: another one for each mode.

    Formula: l = s (1 - a s)^k / (1 - (1 - a s)^k); 1 / (a k) in the limit of small s.

    Args:
        curvature: s > 0, any shape.
        lr: a > 0, with a s <= 1.
        steps: k, an int >= 1.

    Returns:
        Penalties of the shape of `curvature`.

    Raises:
        ValueError: an argument is out of range.

    Source: the notes, 2.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.ridge_like_early_stop(tn.tensor(0.5), 1.0, 1)
        tensor(0.5000)
    """
    in_range("lr", lr, 0, low_open=True)
    whole("steps", steps, 1)
    curvature = as_tensor(curvature)
    left = (1 - lr * curvature) ** steps
    return curvature * left / (1 - left)


def dropout_penalty(X: ArrayLike, weight: ArrayLike, p: float) -> Tensor:
    r"""What dropout of the inputs adds to the squared error of a linear model, on average over masks.

    Formula: E |y - (M * X) w / (1 - p)|^2 = |y - X w|^2 + p / (1 - p) sum_j (X^T X)_jj w_j^2: the second term. A
        penalty on the squares of the weights, each in units of its input.

    Args:
        X: design, floating, (N, D).
        weight: w, (D,) or (D, K).
        p: probability of a zero, in [0, 1).

    Returns:
        The penalty, a 0-d Tensor.

    Raises:
        ValueError: shapes do not fit, or p is out of range.

    Source: the notes, 2.3.3; Wager, Wang and Liang 2013, "Dropout training as adaptive regularization".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.dropout_penalty(tn.tensor([[1.0, 2.0]]), tn.tensor([3.0, 1.0]), 0.5)  # 9 + 4
        tensor(13.)
    """
    X = _design(X)
    in_range("p", p, 0, 1, high_open=True)
    w = as_tensor(weight, like=X)
    if w.ndim not in (1, 2) or w.shape[0] != X.shape[1]:
        raise ValueError(f"weight: expected shape ({X.shape[1]},) or ({X.shape[1]}, K), got {w.shape}")
    sizes = sum(square(X), axis=0)
    return p / (1 - p) * sum(reshape(sizes, (-1, *(1,) * (w.ndim - 1))) * square(w))
