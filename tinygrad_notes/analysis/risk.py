"""How good an estimator is: its risk, and two estimators of a probability that can be told apart by it.

    n draws   p the probability of a success   S the number of successes among the draws
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor, as_tensor
from ..optim.options import in_range, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..typing import ArrayLike


def risk(estimator: Callable[[Tensor], Tensor], sampler: Callable[[int], Tensor], parameter: ArrayLike,
         loss: Callable[[Any, Tensor], Tensor] | None = None, draws: int = 10_000) -> tuple[float, float]:
    r"""The expected loss of an estimator, by simulation.

    Formula: R = E L(t, estimator(X)); the average over draws of X, and the standard error of that average.

    Args:
        estimator: many sets of data, (draws, ...), to an estimate of each, (draws, ...).
        sampler: draws that many sets of data.
        parameter: t, the true value.
        loss: of the true value and the estimates, (draws,); default: their squared distance.
        draws: how many sets of data, an int >= 2.

    Returns:
        (risk, standard error).

    Raises:
        ValueError: `draws` is out of range, or the losses have another shape.

    Source: the notes, equation 2.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.risk(lambda x: x, lambda draws: tn.ones(draws), 3.0, draws=5)
        (4.0, 0.0)
    """
    whole("draws", draws, 2)
    true: Any = parameter if isinstance(parameter, (int, float)) else as_tensor(parameter)
    found = estimator(sampler(draws))
    losses = loss(true, found) if loss is not None else ((found - true) ** 2).reshape(draws, -1).sum(axis=1)
    if losses.shape != (draws,):
        raise ValueError(f"loss: expected one number per set of data, shape ({draws},), got {losses.shape}")
    return losses.mean().item(), losses.std(correction=1).item() / math.sqrt(draws)


def shrunken_risk(p: ArrayLike, n: int, a: float = 0.0, b: float = 0.0) -> Tensor:
    r"""The squared error, on average, of the estimate (S + a) / (n + b) of a probability.

    Formula: (n p (1 - p) + (a - b p)^2) / (n + b)^2: variance and squared bias.

    Args:
        p: probabilities, any shape.
        n: number of draws, an int >= 1.
        a, b: pretended successes and draws, b >= 0. a = b = 0 is the share S / n; a = sqrt(n) / 2, b = sqrt(n) has the
            same risk for every p; a = 1, b = 2 is the mean of the posterior after a uniform prior.

    Returns:
        Risks of the shape of `p`.

    Raises:
        ValueError: an argument is out of range.

    Source: the notes, chapter 2, problem 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.shrunken_risk(tn.tensor([0.0, 0.5]), 16, a=2, b=4)  # 1 / (4 (1 + 4)^2), wherever p is
        tensor([0.0100, 0.0100])
    """
    whole("n", n, 1)
    in_range("b", b, 0)
    p = as_tensor(p)
    return (n * p * (1 - p) + (a - b * p) ** 2) / (n + b) ** 2


def shrunken_max_risk(n: int, a: float = 0.0, b: float = 0.0) -> float:
    r"""The largest risk of (S + a) / (n + b) over all probabilities.

    Formula: max over p in [0, 1] of `shrunken_risk`, a parabola in p: at an end, or at its vertex
        p = (n - 2 a b) / (2 (n - b^2)) where it opens downwards.

    Args:
        n, a, b: as in `shrunken_risk`.

    Returns:
        The largest risk. Among all a and b it is smallest, n / (4 (n + sqrt(n))^2), for a = sqrt(n) / 2, b = sqrt(n).

    Raises:
        ValueError: an argument is out of range.

    Source: the notes, equations 2.2 and 2.4.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.shrunken_max_risk(10)
        0.025
    """
    whole("n", n, 1)
    in_range("b", b, 0)
    places = [0.0, 1.0]
    if n > b * b:
        places.append(min(max((n - 2 * a * b) / (2 * (n - b * b)), 0.0), 1.0))
    return max((n * p * (1 - p) + (a - b * p) ** 2) / (n + b) ** 2 for p in places)


def shrunken_bayes_risk(n: int, a: float = 0.0, b: float = 0.0, prior: tuple[float, float] = (1.0, 1.0)) -> float:
    r"""The risk of (S + a) / (n + b), averaged over probabilities from a beta distribution.

    Formula: (n (m - q) + a^2 - 2 a b m + b^2 q) / (n + b)^2 with m = E p, q = E p^2 under the prior. It is smallest for
        the mean of the posterior, a and b of the prior's (s, s + f).

    Args:
        n, a, b: as in `shrunken_risk`.
        prior: (s, f) of the beta distribution, both > 0; (1, 1) is uniform.

    Returns:
        The average risk; 1 / (6 n) for the share S / n and the uniform prior.

    Raises:
        ValueError: an argument is out of range.

    Source: the notes, equations 2.3 and 2.5.

    Example:
        >>> import tinygrad_notes as tn
        >>> round(1 / tn.analysis.shrunken_bayes_risk(10)), round(1 / tn.analysis.shrunken_bayes_risk(10, 1, 2))
        (60, 72)
    """
    whole("n", n, 1)
    in_range("b", b, 0)
    s, f = prior
    for name, value in (("prior[0]", s), ("prior[1]", f)):
        in_range(name, value, 0, low_open=True)
    m = s / (s + f)
    q = m * (s + 1) / (s + f + 1)
    return (n * (m - q) + a * a - 2 * a * b * m + b * b * q) / (n + b) ** 2


def smoother_bias_variance(matrix: ArrayLike, truth: ArrayLike, target: ArrayLike, variance: float
                           ) -> tuple[Tensor, Tensor]:
    r"""Squared bias and variance of predictions that are linear in the observations.

    Formula: predictions H y of y = f + noise: bias_i = (H f)_i - g_i, variance_i = s^2 sum_j H_ij^2. The expected
        squared error at place i is the sum of both, and s^2 more for a new noisy observation there.

    Args:
        matrix: H, (M, N); of least squares, B pinv(A) with the features A of the data and B of the places.
        truth: f, where the observations are, (N,).
        target: g, the truth where predictions are, (M,).
        variance: s^2 of the noise, >= 0.

    Returns:
        (squared bias, variance), each (M,).

    Raises:
        ValueError: shapes do not fit, or `variance` is out of range.

    Source: the notes, equations 2.7 to 2.13.

    Example:
        >>> import tinygrad_notes as tn
        >>> H = tn.full((1, 4), 0.25)  # predicts the mean
        >>> tn.analysis.smoother_bias_variance(H, tn.tensor([0.0, 1.0, 2.0, 3.0]), tn.tensor([3.0]), 1.0)
        (tensor([2.2500]), tensor([0.2500]))
    """
    H = as_tensor(matrix)
    f, g = as_tensor(truth, like=H), as_tensor(target, like=H)
    in_range("variance", variance, 0)
    if H.ndim != 2 or f.shape != H.shape[1:] or g.shape != H.shape[:1]:
        raise ValueError(f"matrix: expected (M, N) for a truth (N,) and a target (M,), got {H.shape}, {f.shape} and "
                         f"{g.shape}")
    return (H @ f - g) ** 2, variance * (H**2).sum(axis=1)
