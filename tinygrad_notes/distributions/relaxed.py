"""Continuous relaxations of choices, with draws that carry gradients: RelaxedBernoulli, RelaxedOneHotCategorical."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor
from ..ops import exponential, log, logit, logsumexp, softplus, uniform
from ..ops import sum as total_of
from . import constraints
from .choices import Probabilities, Probability
from .distribution import as_parameters
from .transform import ExpTransform, SigmoidTransform
from .transformed import TransformedDistribution

if TYPE_CHECKING:
    from ..backend import Generator
    from ..typing import ArrayLike, Shape

__all__ = ["ExpRelaxedCategorical", "LogitRelaxedBernoulli", "RelaxedBernoulli", "RelaxedOneHotCategorical"]


class LogitRelaxedBernoulli(Probability):
    """The logit of a relaxed Bernoulli variable; see `RelaxedBernoulli`.

    Formula: (logits + logit(u)) / temperature, u uniform on (0, 1).

    Args:
        temperature: positive; near 0 the sigmoid of a draw is almost 0 or 1.
        probs: the probability of 1 in the limit.
        logits: log(probs / (1 - probs)), in place of `probs`.
        validate_args: see `Distribution`.

    Raises:
        ValueError: not exactly one of `probs` and `logits` is given, or a parameter is out of range.

    Source: Maddison, Mnih and Teh 2017, "The concrete distribution", appendix B.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.LogitRelaxedBernoulli(1.0, 0.5).log_prob(tn.tensor(0.0)).exp()
        tensor(0.2500)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.real
    has_rsample = True

    def __init__(self, temperature: ArrayLike, probs: ArrayLike | None = None, logits: ArrayLike | None = None,
                 validate_args: bool | None = None) -> None:
        shape = self._take(probs, logits)
        self.temperature = as_parameters(temperature, self._like())[0]
        super().__init__(shape, validate_args=validate_args)
        if self._validate_args:
            self._check("temperature", self.temperature, constraints.positive)

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return (self.logits + logit(self._noise(uniform, sample_shape, generator))) / self.temperature

    def log_prob(self, value: ArrayLike) -> Tensor:
        apart = self.logits - self._value(value) * self.temperature
        return log(self.temperature) + apart - 2 * softplus(apart)


class _Relaxed(TransformedDistribution):
    """What both relaxations share: the parameters, which the distribution before the transform has."""

    base_dist: Any

    @property
    def temperature(self) -> Tensor:
        """The temperature."""
        return self.base_dist.temperature

    @property
    def probs(self) -> Tensor:
        """The probabilities in the limit of temperature 0."""
        return self.base_dist.probs

    @property
    def logits(self) -> Tensor:
        """Their logits, or logarithms."""
        return self.base_dist.logits


class RelaxedBernoulli(_Relaxed):
    """A Bernoulli variable made continuous: numbers in (0, 1), near the ends for a low temperature.

    Formula: sigmoid((logits + logit(u)) / temperature), u uniform on (0, 1).

    Args:
        temperature: positive.
        probs: the probability of 1 in the limit.
        logits: log(probs / (1 - probs)), in place of `probs`.
        validate_args: see `Distribution`.

    Raises:
        ValueError: not exactly one of `probs` and `logits` is given, or a parameter is out of range.

    Source: Maddison, Mnih and Teh 2017, "The concrete distribution"; Jang, Gu and Poole 2017.

    Example:
        >>> import tinygrad_notes as tn
        >>> p = tn.tensor(0.3, requires_grad=True)
        >>> tn.distributions.RelaxedBernoulli(0.5, p).rsample().requires_grad
        True
    """

    support = constraints.unit_interval

    def __init__(self, temperature: ArrayLike, probs: ArrayLike | None = None, logits: ArrayLike | None = None,
                 validate_args: bool | None = None) -> None:
        base = LogitRelaxedBernoulli(temperature, probs, logits, validate_args)
        super().__init__(base, SigmoidTransform(), validate_args)


class ExpRelaxedCategorical(Probabilities):
    """The logarithms of a relaxed one-hot vector; see `RelaxedOneHotCategorical`.

    Formula: s - logsumexp(s), s = (logits + g) / temperature, g Gumbel-distributed.

    Args:
        temperature: positive.
        probs: (..., K), >= 0; normalized here.
        logits: (..., K), their logarithms up to a constant, in place of `probs`.
        validate_args: see `Distribution`.

    Raises:
        ValueError: not exactly one of `probs` and `logits` is given, or a parameter is out of range.

    Source: Maddison, Mnih and Teh 2017, "The concrete distribution", appendix C.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.ExpRelaxedCategorical(1.0, tn.ones(3)).event_shape
        (3,)
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, temperature: ArrayLike, probs: ArrayLike | None = None, logits: ArrayLike | None = None,
                 validate_args: bool | None = None) -> None:
        shape, event = self._take(probs, logits)
        self.temperature = as_parameters(temperature, self._like())[0]
        super().__init__(shape, event, validate_args)
        if self._validate_args:
            self._check("temperature", self.temperature, constraints.positive)

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        scores = (self.logits - log(self._noise(exponential, sample_shape, generator))) / self.temperature
        return scores - logsumexp(scores, axis=-1, keepdims=True)

    def log_prob(self, value: ArrayLike) -> Tensor:
        k = self._event_shape[0]
        scores = self.logits - self._value(value) * self.temperature
        scores = total_of(scores - logsumexp(scores, axis=-1, keepdims=True), axis=-1)
        return scores + math.lgamma(k) + (k - 1) * log(self.temperature)


class RelaxedOneHotCategorical(_Relaxed):
    """A one-hot vector made continuous: vectors on the simplex, near a corner for a low temperature (Gumbel softmax).

    Formula: softmax((logits + g) / temperature), g Gumbel-distributed.

    Args:
        temperature: positive.
        probs: (..., K), >= 0; normalized here.
        logits: (..., K), their logarithms up to a constant, in place of `probs`.
        validate_args: see `Distribution`.

    Raises:
        ValueError: not exactly one of `probs` and `logits` is given, or a parameter is out of range.

    Source: Maddison, Mnih and Teh 2017, "The concrete distribution"; Jang, Gu and Poole 2017.

    Example:
        >>> import tinygrad_notes as tn
        >>> draw = tn.distributions.RelaxedOneHotCategorical(0.5, tn.ones(3)).sample()
        >>> round(draw.sum().item(), 5)
        1.0
    """

    support = constraints.simplex

    def __init__(self, temperature: ArrayLike, probs: ArrayLike | None = None, logits: ArrayLike | None = None,
                 validate_args: bool | None = None) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args)
        super().__init__(base, ExpTransform(), validate_args)
