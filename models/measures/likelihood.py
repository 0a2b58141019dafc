"""Measures of models with a likelihood: bits per dimension, and log p(x) by importance sampling."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ... import ops
from ...autograd import as_tensor, no_grad

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...autograd import Tensor
    from ...typing import ArrayLike


def bits_per_dimension(nats: float, dimensions: int, levels: int | None = None) -> float:
    """A negative log-likelihood per example in bits per number.

    Formula: nats / (D log 2); with `levels`, a density over numbers from 0 to 1 that were cut into so many steps
        becomes a probability: + log2(levels).

    Args:
        nats: -log p(x) of an example, or its mean.
        dimensions: D.
        levels: 256 for bytes divided by 256; None if `nats` belongs to a probability already.

    Returns:
        Bits.

    Raises:
        ValueError: `dimensions` or `levels` is below 1.

    Source: Theis, van den Oord & Bethge 2016, "A note on the evaluation of generative models", section 3.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.measures.bits_per_dimension(0.0, 784, levels=256)  # the uniform density: 8 bits per byte
        8.0
    """
    if dimensions < 1 or (levels is not None and levels < 1):
        raise ValueError(f"bits_per_dimension: expected dimensions and levels of at least 1, got {dimensions}, "
                         f"{levels}")
    return nats / (dimensions * math.log(2)) + (math.log2(levels) if levels else 0.0)


def importance_log_likelihood(draw: Callable[[], tuple[Tensor, Tensor]], draws: int = 100) -> Tensor:
    """log p(x) of a latent-variable model by importance sampling: from below on average, and the closer the more draws.

    Formula: log 1/S sum_s p(x, z_s) / q(z_s | x), z_s ~ q(z | x).

    Args:
        draw: function that draws z for all examples and returns (log p(x, z), log q(z | x)), both (N,).
        draws: S >= 1.

    Returns:
        (N,), in nats, without recording.

    Raises:
        ValueError: `draws` is below 1.

    Source: Burda, Grosse & Salakhutdinov 2016, "Importance weighted autoencoders", equation 8; the notes, section 8.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([0.5, -1.0])  # x = z + e, both standard normal; q is the prior
        >>> normal = tn.distributions.Normal(0.0, 1.0)
        >>> def draw():
        ...     z = tn.randn((2,))
        ...     return normal.log_prob(z) + normal.log_prob(x - z), normal.log_prob(z)
        >>> found = tn.models.measures.importance_log_likelihood(draw, 5000)
        >>> exact = tn.distributions.Normal(0.0, 2.0**0.5).log_prob(x)
        >>> bool((abs(found - exact) < 0.05).all())
        True
    """
    if draws < 1:
        raise ValueError(f"draws: expected at least 1, got {draws}")
    with no_grad():
        weights = []
        for _ in range(draws):
            joint, proposal = draw()
            weights.append(joint - proposal)
        return ops.logsumexp(ops.stack(weights), axis=0) - math.log(draws)


def effective_sample_size(log_weights: ArrayLike) -> Tensor:
    """How many draws from the target so many weighted draws are worth.

    Formula: (sum_s w_s)^2 / sum_s w_s^2: S where all weights are equal, 1 where one has everything.

    Args:
        log_weights: (S, ...), up to a constant.

    Returns:
        (...), from 1 to S.

    Source: Kong 1992; Owen 2013, "Monte Carlo theory, methods and examples", section 9.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> round(float(tn.models.measures.effective_sample_size(tn.zeros((10,)))), 3)
        10.0
    """
    w = as_tensor(log_weights)
    return ops.exp(2 * ops.logsumexp(w, axis=0) - ops.logsumexp(2 * w, axis=0))
