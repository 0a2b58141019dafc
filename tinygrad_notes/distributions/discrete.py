"""Distributions of counts: Bernoulli, Binomial, Geometric, NegativeBinomial, Poisson."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor, no_grad
from ..ops import (
    arange,
    bernoulli,
    betainc,
    binomial,
    broadcast_to,
    entr,
    exp,
    expm1,
    exponential,
    floor,
    gammaincc,
    lgamma,
    maximum,
    minimum,
    poisson,
    reshape,
    softplus,
    standard_gamma,
    where,
    xlog1py,
    xlogy,
    zeros_like,
)
from . import constraints
from .choices import Probability
from .constraints import dependent_property, nonnegative_integer, unit_interval
from .distribution import Distribution

if TYPE_CHECKING:
    from ..backend import Generator
    from ..typing import ArrayLike, Shape

__all__ = ["Bernoulli", "Binomial", "Geometric", "NegativeBinomial", "Poisson"]


def _counted(n: int, like: Tensor, batch_shape: tuple[int, ...], expand: bool) -> Tensor:
    """0 .. n-1 along a new first axis."""
    values = reshape(arange(n, dtype=like.dtype, device=like.device), (n,) + (1,) * len(batch_shape))
    return broadcast_to(values, (n, *batch_shape)) if expand else values


class _Trials(Probability):
    """What distributions of trials with one probability share."""

    def _of_failures(self, n):
        """n log(1 - probs), 0 where n is 0."""
        return xlog1py(n, -self.probs) if "probs" in self._given else -n * softplus(self.logits)

    def _of_successes(self, n):
        """n log(probs), 0 where n is 0."""
        return xlogy(n, self.probs) if "probs" in self._given else -n * softplus(-self.logits)

    def _trial_entropy(self):
        if "probs" in self._given:
            return entr(self.probs) + entr(1 - self.probs)
        return softplus(self.logits) - self.logits * self.probs


class Bernoulli(_Trials):
    """The Bernoulli distribution: 1 with a probability, else 0.

    Formula: P(1) = probs, P(0) = 1 - probs.

    Args:
        probs: the probability of 1.
        logits: log(probs / (1 - probs)), in place of `probs`.
        validate_args: see `Distribution`.

    Raises:
        ValueError: not exactly one of `probs` and `logits` is given, or `probs` is outside [0, 1].

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Bernoulli(0.25).log_prob(tn.tensor([0.0, 1.0]))
        tensor([-0.2877, -1.3863])
    """

    arg_constraints = {"probs": unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True

    def __init__(self, probs: ArrayLike | None = None, logits: ArrayLike | None = None,
                 validate_args: bool | None = None) -> None:
        super().__init__(self._take(probs, logits), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        """nan where both are as probable."""
        likely = (self.probs > 0.5).astype(self.probs.dtype)
        return where(self.probs == 0.5, math.nan, likely)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        with no_grad():
            return bernoulli(self.probs, self._extended_shape(sample_shape), generator=generator)

    def log_prob(self, value: ArrayLike) -> Tensor:
        value = self._value(value)
        return self._of_successes(value) + self._of_failures(1 - value)

    def cdf(self, value: ArrayLike) -> Tensor:
        value = self._value(value, checked=False)
        return where(value < 0, 0.0, where(value < 1, 1 - self.probs, 1.0))

    def entropy(self) -> Tensor:
        return self._trial_entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return _counted(2, self._like(), self._batch_shape, expand)


class Binomial(_Trials):
    """The binomial distribution: how many of `total_count` trials succeed.

    Formula: P(k) = n! / (k! (n - k)!) probs^k (1 - probs)^(n - k), n = total_count.

    Args:
        total_count: n, whole numbers >= 0.
        probs: the probability of a success.
        logits: log(probs / (1 - probs)), in place of `probs`.
        validate_args: see `Distribution`.

    Raises:
        ValueError: not exactly one of `probs` and `logits` is given, or a parameter is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Binomial(2, 0.5).log_prob(tn.tensor([0.0, 1.0])).exp()
        tensor([0.2500, 0.5000])
    """

    arg_constraints = {"total_count": nonnegative_integer, "probs": unit_interval, "logits": constraints.real}
    has_enumerate_support = True

    def __init__(self, total_count: ArrayLike = 1, probs: ArrayLike | None = None, logits: ArrayLike | None = None,
                 validate_args: bool | None = None) -> None:
        super().__init__(self._take(probs, logits, total_count=total_count), validate_args=validate_args)

    @dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        """0 to `total_count`."""
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return minimum(floor((self.total_count + 1) * self.probs), self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        with no_grad():
            return binomial(self.total_count, self.probs, self._extended_shape(sample_shape), generator=generator)

    def log_prob(self, value: ArrayLike) -> Tensor:
        value, n = self._value(value), self.total_count
        ways = lgamma(n + 1) - lgamma(value + 1) - lgamma(n - value + 1)
        return ways + self._of_successes(value) + self._of_failures(n - value)

    def cdf(self, value: ArrayLike) -> Tensor:
        k, n = floor(self._value(value, checked=False)), self.total_count
        inner = (k >= 0) & (k < n)
        found = betainc(where(inner, n - k, 1.0), where(inner, k + 1, 1.0), 1 - self.probs)
        return where(inner, found, where(k < 0, 0.0, 1.0))

    def entropy(self) -> Tensor:
        """The sum over all values; `total_count` must be the same everywhere."""
        logs = self.log_prob(self.enumerate_support(expand=False))
        return -(where(logs == -math.inf, 0.0, exp(logs) * maximum(logs, -1e30))).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values; `total_count` must be the same everywhere.

        Raises:
            NotImplementedError: it is not.
        """
        n = int(self.total_count.max().item()) if self.total_count.size else 0
        if not (self.total_count == n).all().item():
            raise NotImplementedError("Binomial: different total_count have different supports; they cannot be listed")
        return _counted(n + 1, self._like(), self._batch_shape, expand)


class Geometric(_Trials):
    """The geometric distribution: how many trials fail before the first success.

    Formula: P(k) = (1 - probs)^k probs, k = 0, 1, 2, ...

    Args:
        probs: the probability of a success, in (0, 1].
        logits: log(probs / (1 - probs)), in place of `probs`.
        validate_args: see `Distribution`.

    Raises:
        ValueError: not exactly one of `probs` and `logits` is given, or `probs` is outside (0, 1].

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Geometric(0.25).mean
        tensor(3.)
    """

    arg_constraints = {"probs": unit_interval, "logits": constraints.real}
    support = nonnegative_integer

    def __init__(self, probs: ArrayLike | None = None, logits: ArrayLike | None = None,
                 validate_args: bool | None = None) -> None:
        super().__init__(self._take(probs, logits), validate_args=validate_args)
        if self._validate_args and "probs" in self._given:
            self._check("probs", self.probs, constraints.positive)

    @property
    def mean(self) -> Tensor:
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        return zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        with no_grad():
            return floor(self._noise(exponential, sample_shape, generator) / -self._of_failures(1.0))

    def log_prob(self, value: ArrayLike) -> Tensor:
        return self._of_failures(self._value(value)) + self._of_successes(1.0)

    def cdf(self, value: ArrayLike) -> Tensor:
        k = floor(self._value(value, checked=False))
        return where(k < 0, 0.0, -expm1(self._of_failures(maximum(k, -1) + 1)))

    def entropy(self) -> Tensor:
        return self._trial_entropy() / self.probs


class NegativeBinomial(_Trials):
    """The negative binomial distribution: how many trials succeed before `total_count` have failed.

    Formula: P(k) = Gamma(n + k) / (k! Gamma(n)) probs^k (1 - probs)^n, n = total_count.

    Args:
        total_count: n, >= 0; need not be whole.
        probs: the probability of a success, in [0, 1).
        logits: log(probs / (1 - probs)), in place of `probs`.
        validate_args: see `Distribution`.

    Raises:
        ValueError: not exactly one of `probs` and `logits` is given, or a parameter is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.NegativeBinomial(2.0, 0.5).mean
        tensor(2.)
    """

    arg_constraints = {"total_count": constraints.nonnegative, "probs": constraints.half_open_interval(0.0, 1.0),
                       "logits": constraints.real}
    support = nonnegative_integer

    def __init__(self, total_count: ArrayLike, probs: ArrayLike | None = None, logits: ArrayLike | None = None,
                 validate_args: bool | None = None) -> None:
        super().__init__(self._take(probs, logits, total_count=total_count), validate_args=validate_args)

    @property
    def _odds(self):
        return self.probs / (1 - self.probs) if "probs" in self._given else exp(self.logits)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self._odds

    @property
    def mode(self) -> Tensor:
        return maximum(floor((self.total_count - 1) * self._odds), 0)

    @property
    def variance(self) -> Tensor:
        return self.mean * (1 + self._odds)

    def sample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        with no_grad():
            shape, some = self._extended_shape(sample_shape), self.total_count > 0
            rate = standard_gamma(where(some, self.total_count, 1.0), shape, generator=generator) * self._odds
            return poisson(where(some, rate, 0.0), generator=generator)

    def log_prob(self, value: ArrayLike) -> Tensor:
        value, n = self._value(value), self.total_count
        nothing = (n == 0) & (value == 0)
        ways = lgamma(where(nothing, 1.0, n + value)) - lgamma(value + 1) - lgamma(where(nothing, 1.0, n))
        return ways + self._of_successes(value) + self._of_failures(n)

    def cdf(self, value: ArrayLike) -> Tensor:
        k = floor(self._value(value, checked=False))
        found = betainc(self.total_count, maximum(k, 0) + 1, 1 - self.probs)
        return where(k < 0, 0.0, found)


class Poisson(Distribution):
    """The Poisson distribution: how many events come in a time in which `rate` are expected.

    Formula: P(k) = rate^k e^-rate / k!.

    Args:
        rate: the mean, >= 0.
        validate_args: see `Distribution`.

    Raises:
        ValueError: a rate is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Poisson(4.0).stddev
        tensor(2.)
    """

    arg_constraints = {"rate": constraints.nonnegative}
    support = nonnegative_integer

    def __init__(self, rate: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(self._keep(rate=rate), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def mode(self) -> Tensor:
        return floor(self.rate)

    @property
    def variance(self) -> Tensor:
        return self.rate

    def sample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        with no_grad():
            return poisson(self.rate, self._extended_shape(sample_shape), generator=generator)

    def log_prob(self, value: ArrayLike) -> Tensor:
        value = self._value(value)
        return xlogy(value, self.rate) - self.rate - lgamma(value + 1)

    def cdf(self, value: ArrayLike) -> Tensor:
        k = floor(self._value(value, checked=False))
        return where(k < 0, 0.0, gammaincc(maximum(k, 0) + 1, self.rate))
