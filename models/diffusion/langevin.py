"""Samplers that follow a score: Langevin steps, and the same with a Metropolis test that removes their bias."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from ... import ops
from ...autograd import as_tensor, enable_grad, is_grad_enabled, no_grad
from ...autograd import grad as gradient
from ..noise import standard_normal, standard_uniform

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...autograd import Tensor
    from ...backend import Generator
    from ...typing import ArrayLike


class Chains(NamedTuple):
    """What `mala` returns.

    Fields:
        x: the chains after the last step, (N, ...).
        accepted: the share of proposals that were accepted.
    """

    x: Tensor
    accepted: float


def score_of(log_density: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The score of a density: the gradient of its logarithm at each example. What normalizes the density drops out.

    Formula: s(x) = grad log p(x) = -grad E(x), p(x) = exp(-E(x)) / Z.

    Args:
        log_density: function (N, ...) -> (N,), up to a constant.

    Returns:
        A function (N, ...) -> (N, ...), which can be differentiated again.

    Source: the notes, page 54; Hyvarinen 2005, "Estimation of non-normalized statistical models by score matching".

    Example:
        >>> import tinygrad_notes as tn
        >>> score = tn.models.diffusion.score_of(lambda x: -0.5 * (x * x).sum(axis=1) + 7.0)
        >>> score(tn.tensor([[1.0, -2.0]])).detach()
        tensor([[-1.,  2.]])
    """
    def score(x):
        recording = is_grad_enabled()
        with enable_grad():
            x = as_tensor(x)
            x = x if recording and x.requires_grad else x.detach().requires_grad_(True)
            found = gradient(ops.sum(log_density(x)), x, create_graph=recording)[0]
        return found if recording else found.detach()
    return score


def tweedie(x: Tensor, score: Tensor, sigma: float) -> Tensor:
    """The mean of what a noisy example was before the noise.

    Formula: E[x_0 | x] = x + sigma^2 grad log p_sigma(x), x = x_0 + sigma e, e ~ N(0, I).

    Args:
        x: noisy examples.
        score: of the density of noisy examples, of the shape of x.
        sigma: standard deviation of the noise.

    Returns:
        Of the shape of x.

    Source: the notes, page 54; Efron 2011, "Tweedie's formula and selection bias"; Alain & Bengio 2014.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([2.0])  # x_0 ~ N(0, 1), sigma = 1: x ~ N(0, 2), score -x/2
        >>> tn.models.diffusion.tweedie(x, -x / 2, 1.0)
        tensor([1.])
    """
    return x + sigma**2 * score


def langevin(score: Callable[[Tensor], Tensor], x: ArrayLike, step: float, steps: int,
             generator: Generator | None = None) -> Tensor:
    """Chains that wander uphill with noise, and end up distributed like p, up to a bias of the order of the step.

    Formula: x <- x + step s(x) + sqrt(2 step) z, z ~ N(0, I), s = grad log p. For N(m, v) the chains settle at variance
        v / (1 - step / (2 v)).

    Args:
        score: s, (N, ...) -> (N, ...).
        x: where the chains start, (N, ...).
        step: above 0.
        steps: how many, 0 or more.
        generator: the stream of the noise.

    Returns:
        (N, ...), without recording.

    Raises:
        ValueError: `step` is not positive or `steps` negative.

    Source: the notes, page 54; Welling & Teh 2011; Roberts & Tweedie 1996.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.diffusion.langevin(lambda x: -x, tn.zeros((5, 2)), 0.1, 10).shape
        (5, 2)
    """
    _checked("langevin", step, steps)
    with no_grad():
        at = as_tensor(x)
        for _ in range(steps):
            at = at + step * score(at) + math.sqrt(2 * step) * standard_normal(at.shape, at, generator)
        return at


def mala(log_density: Callable[[Tensor], Tensor], x: ArrayLike, step: float, steps: int,
         generator: Generator | None = None) -> Chains:
    """Langevin steps as proposals, each accepted or not so that the chains keep exactly the density asked for.

    Formula: x' = x + step s(x) + sqrt(2 step) z; accepted with probability min(1, p(x') q(x|x') / (p(x) q(x'|x))),
        q(b|a) = N(b; a + step s(a), 2 step I).

    Args:
        log_density: log p up to a constant, (N, ...) -> (N,), differentiable.
        x: where the chains start, (N, ...).
        step: above 0.
        steps: how many, 0 or more.
        generator: the stream of noise and of the tests.

    Returns:
        `Chains`: (N, ...) and the share of accepted proposals.

    Raises:
        ValueError: `step` is not positive or `steps` negative.

    Source: Roberts & Tweedie 1996, "Exponential convergence of Langevin distributions and their discrete
        approximations".

    Example:
        >>> import tinygrad_notes as tn
        >>> chains = tn.models.diffusion.mala(lambda x: -0.5 * (x * x).sum(axis=1), tn.zeros((5, 2)), 0.1, 10)
        >>> chains.x.shape, 0.5 < chains.accepted <= 1
        ((5, 2), True)
    """
    _checked("mala", step, steps)

    def look(x):
        with enable_grad():
            x = x.detach().requires_grad_(True)
            value = log_density(x)
            slope = gradient(ops.sum(value), x)[0]
        return value.detach(), slope.detach()

    def way(a, slope, b):
        off = ops.reshape(b - a - step * slope, (len(a), -1))
        return -ops.sum(off * off, axis=1) / (4 * step)
    accepted = 0.0
    with no_grad():
        x = as_tensor(x).detach()
        value, slope = look(x)
        for _ in range(steps):
            ahead = x + step * slope + math.sqrt(2 * step) * standard_normal(x.shape, x, generator)
            new_value, new_slope = look(ahead)
            ratio = new_value + way(ahead, new_slope, x) - value - way(x, slope, ahead)
            take = ops.log(standard_uniform((len(x),), x, generator)) < ratio
            column = ops.reshape(take, (-1, *[1] * (x.ndim - 1)))
            x, value = ops.where(column, ahead, x), ops.where(take, new_value, value)
            slope = ops.where(column, new_slope, slope)
            accepted += float(ops.mean(ops.astype(take, x.dtype)))
    return Chains(x, accepted / max(steps, 1))


def _checked(name, step, steps):
    if not 0 < step < math.inf:
        raise ValueError(f"{name}: step: expected a number above 0, got {step!r}")
    if steps < 0:
        raise ValueError(f"{name}: steps: expected 0 or more, got {steps}")
