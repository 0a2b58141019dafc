"""Gradients of expectations where draws carry none: the score-function estimator."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autograd import Tensor, as_tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..backend import Generator
    from ..typing import Shape
    from .distribution import Distribution

__all__ = ["score_estimator"]


def score_estimator(f: Callable[[Tensor], Any], distribution: Distribution, sample_shape: Shape = (), *,
                    baseline: Any = 0.0, generator: Generator | None = None) -> Tensor:
    """f at draws from a distribution, with the gradient of its expectation by the score function (REINFORCE).

    Formula: d/dtheta E f(x) = E[(f(x) - baseline) d log p(x)/dtheta + df(x)/dtheta]. The values are f(x); their mean
        has the mean of the terms in brackets as its gradient. It needs no derivative of f in x, and so suits
        discrete draws; where `rsample` exists, f(rsample()) mostly varies far less.

    Args:
        f: a function of draws (sample_shape + batch_shape + event_shape) that returns sample_shape + batch_shape.
        distribution: to draw from.
        sample_shape: how many draws.
        baseline: number or Tensor that does not depend on the draw; a good one lowers the variance, none changes the
            mean.
        generator: the stream to draw from; default: the one that `manual_seed` starts.

    Returns:
        Tensor of the shape that f returns.

    Raises:
        ValueError: f returns another shape.

    Source: Williams 1992, "Simple statistical gradient-following algorithms for connectionist reinforcement
        learning".

    Example:
        >>> import tinygrad_notes as tn
        >>> p = tn.tensor(0.25, requires_grad=True)
        >>> coin = tn.distributions.Bernoulli(p)
        >>> tn.distributions.score_estimator(lambda x: 2 * x, coin, (10000,)).mean().backward()
        >>> abs(p.grad.item() - 2) < 0.1
        True
    """
    x = distribution.sample(sample_shape, generator=generator)
    values, score = as_tensor(f(x)), distribution.log_prob(x)
    if values.shape != score.shape:
        raise ValueError(f"score_estimator: f: expected a result of shape {score.shape}, one number per draw, got "
                         f"{values.shape}")
    return values + (values.detach() - baseline) * (score - score.detach())
