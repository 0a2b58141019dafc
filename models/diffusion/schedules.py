"""How much noise is added when: the schedules of diffusion."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ... import ops

if TYPE_CHECKING:
    from ...autograd import Tensor

# All of them return beta_1 ... beta_T in float64 on the CPU, where products of a thousand factors keep their digits.


def linear_schedule(steps: int = 1000, low: float = 1e-4, high: float = 0.02) -> Tensor:
    """Noise that grows evenly.

    Formula: beta_t from `low` at t = 1 to `high` at t = T in equal steps.

    Args:
        steps: T.
        low, high: limits, from 0 to below 1.

    Returns:
        (T,), float64.

    Raises:
        ValueError: `steps` is below 1 or a limit out of range.

    Source: Ho, Jain & Abbeel 2020, "Denoising diffusion probabilistic models", section 4.

    Example:
        >>> import tinygrad_notes as tn
        >>> beta = tn.models.diffusion.linear_schedule(1000)
        >>> f"{float(tn.prod(1 - beta)):.4e}"  # what is left of the data
        '4.0358e-05'
    """
    return _checked(ops.linspace(low, high, steps, dtype="float64") if steps >= 1 else ops.zeros((0,)))


def cosine_schedule(steps: int = 1000, offset: float = 0.008, largest: float = 0.999) -> Tensor:
    """Noise with which the share of the data falls like a squared cosine: slower at first than with the linear one.

    Formula: abar_t = f(t) / f(0), f(t) = cos((t/T + offset) / (1 + offset) pi/2)^2; beta_t = 1 - abar_t / abar_(t-1),
        at most `largest`.

    Args:
        steps: T.
        offset: keeps the first steps from being too small.
        largest: the limit of beta.

    Returns:
        (T,), float64.

    Raises:
        ValueError: `steps` is below 1 or a limit out of range.

    Source: Nichol & Dhariwal 2021, "Improved denoising diffusion probabilistic models", equation 17.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.diffusion.cosine_schedule(4).shape
        (4,)
    """
    t = ops.arange(steps + 1, dtype="float64") / max(steps, 1)
    f = ops.cos((t + offset) / (1 + offset) * (math.pi / 2))**2
    return _checked(ops.clip(1 - f[1:] / f[:-1], 0.0, largest))


def constant_schedule(steps: int = 100, beta: float = 0.01511) -> Tensor:
    """The same noise at every step.

    Formula: beta_t = beta; abar_T = (1 - beta)^T.

    Args:
        steps: T.
        beta: from 0 to below 1.

    Returns:
        (T,), float64.

    Raises:
        ValueError: `steps` is below 1 or `beta` out of range.

    Source: Prince 2023, "Understanding deep learning", notebook 18.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> round(float(tn.prod(1 - tn.models.diffusion.constant_schedule())), 6)
        0.218159
    """
    return _checked(ops.full((max(steps, 0),), beta, dtype="float64"))


SCHEDULES = {"linear": linear_schedule, "cosine": cosine_schedule, "constant": constant_schedule}


def _checked(beta):
    if not len(beta):
        raise ValueError("steps: expected at least 1")
    if not bool(ops.all((beta >= 0) & (beta < 1))):
        raise ValueError(f"beta: expected numbers from 0 to below 1, got {float(beta.min())} to {float(beta.max())}")
    return beta
