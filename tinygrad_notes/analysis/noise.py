"""The noise of mini-batches: what moving averages weigh, and where stochastic gradient descent comes to rest."""
from __future__ import annotations

from ..optim.options import in_range, whole


def ema_weights(t: int, beta: float) -> list[float]:
    r"""What the moving average m <- b m + (1 - b) g weighs the values g_0 .. g_t with.

    Formula: (1 - b) b^(t - n) for n = 0 .. t; the first average m_0 has b^(t + 1).

    Args:
        t: index of the last value, an int >= 0.
        beta: b, in [0, 1].

    Returns:
        t + 1 numbers.

    Raises:
        ValueError: an argument is out of range.

    Source: the notes, 1.2, problem 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.ema_weights(2, 0.5)
        [0.125, 0.25, 0.5]
    """
    whole("t", t, 0)
    in_range("beta", beta, 0, 1)
    return [(1 - beta) * beta ** (t - n) for n in range(t + 1)]


def ema_total_weight(updates: int, beta: float) -> float:
    r"""The sum of the weights of a moving average that began at zero: what Adam's bias correction divides by.

    Formula: 1 - b^k after k updates.

    Args:
        updates: k, an int >= 0.
        beta: b, in [0, 1].

    Returns:
        The sum.

    Raises:
        ValueError: an argument is out of range.

    Source: the notes, 1.3, problem 3.

    Example:
        >>> import tinygrad_notes as tn
        >>> round(tn.analysis.ema_total_weight(1, 0.9), 10)
        0.1
    """
    whole("updates", updates, 0)
    in_range("beta", beta, 0, 1)
    return 1 - beta**updates


def sgd_noise_scale(lr: float, batch: float) -> float:
    r"""Step size over batch size: to first order in the step, all that the stationary law of SGD depends on.

    Formula: lr / batch.

    Args:
        lr: step size, >= 0.
        batch: examples per mini-batch, > 0.

    Returns:
        The ratio.

    Raises:
        ValueError: an argument is out of range.

    Source: Jastrzebski et al. 2018, "Three factors influencing minima in SGD".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.sgd_noise_scale(0.1, 4) == tn.analysis.sgd_noise_scale(0.2, 8)
        True
    """
    in_range("lr", lr, 0)
    in_range("batch", batch, 0, low_open=True)
    return lr / batch


def stationary_variance(lr: float, curvature: float, variance: float, batch: float = 1) -> float:
    r"""The variance around a minimum that SGD with a constant step settles to, one coordinate of a quadratic loss.

    Formula: e C / (B l (2 - e l)) for 1/2 l w^2 with gradient noise of variance C / B.

    Args:
        lr: e, step size, in (0, 2 / l).
        curvature: l, > 0.
        variance: C, the variance of the gradient of one example, >= 0.
        batch: B, examples per mini-batch, > 0.

    Returns:
        The variance.

    Raises:
        ValueError: an argument is out of range.

    Source: w' = (1 - e l) w - e n has Var = (1 - e l)^2 Var + e^2 C / B.

    Example:
        >>> import tinygrad_notes as tn
        >>> round(tn.analysis.stationary_variance(0.1, 1.0, 1.0), 5)
        0.05263
    """
    in_range("curvature", curvature, 0, low_open=True)
    in_range("lr", lr, 0, 2 / curvature, low_open=True, high_open=True)
    in_range("variance", variance, 0)
    in_range("batch", batch, 0, low_open=True)
    return lr * variance / (batch * curvature * (2 - lr * curvature))
