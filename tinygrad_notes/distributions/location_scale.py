"""Distributions that a location moves and a scale stretches: Normal, Laplace, Cauchy, Gumbel, StudentT, Uniform."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor
from ..ops import (
    abs,
    atan,
    betainc,
    clip,
    digamma,
    exp,
    exponential,
    full_like,
    lgamma,
    log,
    log1p,
    ndtr,
    ndtri,
    normal,
    sign,
    sqrt,
    standard_gamma,
    tan,
    uniform,
    where,
    zeros_like,
)
from . import constraints
from .constraints import dependent_property, real
from .distribution import Distribution

if TYPE_CHECKING:
    from ..backend import Generator
    from ..typing import ArrayLike, Shape

__all__ = ["Cauchy", "Gumbel", "Laplace", "Normal", "StudentT", "Uniform"]

EULER = 0.5772156649015329


class _LocationScale(Distribution):
    """What they share: parameters, and draws that are location + scale * standard draw."""

    arg_constraints = {"loc": real, "scale": constraints.positive}
    support = real
    has_rsample = True
    loc: Tensor
    scale: Tensor

    def __init__(self, loc: ArrayLike, scale: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(self._keep(loc=loc, scale=scale), validate_args=validate_args)

    def _standard(self, value):
        """A value measured from the location in scales."""
        return (self._value(value) - self.loc) / self.scale

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc


class Normal(_LocationScale):
    """The normal distribution.

    Formula: density exp(-(x - loc)^2 / (2 scale^2)) / (scale sqrt(2 pi)).

    Args:
        loc: the mean.
        scale: the standard deviation, positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: `scale` is not positive, or the shapes do not broadcast.

    Source: the notes, the reparameterization z = mu + sigma eps.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Normal(0.0, 1.0).log_prob(tn.tensor([0.0, 1.0]))
        tensor([-0.9189, -1.4189])
    """

    @property
    def variance(self) -> Tensor:
        return self.scale**2

    @property
    def stddev(self) -> Tensor:
        return self.scale

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return self.loc + self.scale * self._noise(normal, sample_shape, generator)

    def log_prob(self, value: ArrayLike) -> Tensor:
        z = self._standard(value)
        return -0.5 * z * z - log(self.scale) - 0.5 * math.log(2 * math.pi)

    def cdf(self, value: ArrayLike) -> Tensor:
        return ndtr(self._standard(value))

    def icdf(self, value: ArrayLike) -> Tensor:
        return self.loc + self.scale * ndtri(self._quantile(value))

    def entropy(self) -> Tensor:
        return log(self.scale) + 0.5 * (1 + math.log(2 * math.pi))


class Laplace(_LocationScale):
    """The Laplace distribution: two exponentials back to back.

    Formula: density exp(-abs(x - loc) / scale) / (2 scale).

    Args:
        loc: the mean.
        scale: the mean distance from it, positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: `scale` is not positive, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Laplace(0.0, 1.0).cdf(tn.tensor([0.0, 1.0]))
        tensor([0.5000, 0.8161])
    """

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale**2

    @property
    def stddev(self) -> Tensor:
        return math.sqrt(2) * self.scale

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        up, down = (self._noise(exponential, sample_shape, generator) for _ in range(2))
        return self.loc + self.scale * (up - down)

    def log_prob(self, value: ArrayLike) -> Tensor:
        return -abs(self._standard(value)) - log(2 * self.scale)

    def cdf(self, value: ArrayLike) -> Tensor:
        z = self._standard(value)
        below = z < 0
        return where(below, 0.5 * exp(where(below, z, 0.0)), 1 - 0.5 * exp(-where(below, 0.0, z)))

    def icdf(self, value: ArrayLike) -> Tensor:
        centered = self._quantile(value) - 0.5
        return self.loc - self.scale * sign(centered) * log1p(-2 * abs(centered))

    def entropy(self) -> Tensor:
        return 1 + log(2 * self.scale)


class Cauchy(_LocationScale):
    """The Cauchy distribution, whose tails are too heavy for a mean.

    Formula: density 1 / (pi scale (1 + ((x - loc) / scale)^2)).

    Args:
        loc: the median and mode.
        scale: half the width at half the height, positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: `scale` is not positive, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Cauchy(0.0, 1.0).cdf(tn.tensor([0.0, 1.0]))
        tensor([0.5000, 0.7500])
    """

    @property
    def mean(self) -> Tensor:
        return full_like(self.loc, math.nan)

    @property
    def variance(self) -> Tensor:
        return full_like(self.loc, math.inf)

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        over, under = (self._noise(normal, sample_shape, generator) for _ in range(2))
        return self.loc + self.scale * (over / under)

    def log_prob(self, value: ArrayLike) -> Tensor:
        return -math.log(math.pi) - log(self.scale) - log1p(self._standard(value) ** 2)

    def cdf(self, value: ArrayLike) -> Tensor:
        return atan(self._standard(value)) / math.pi + 0.5

    def icdf(self, value: ArrayLike) -> Tensor:
        return self.loc + self.scale * tan(math.pi * (self._quantile(value) - 0.5))

    def entropy(self) -> Tensor:
        return math.log(4 * math.pi) + log(self.scale)


class Gumbel(_LocationScale):
    """The Gumbel distribution: the limit of the largest of many draws.

    Formula: distribution function exp(-exp(-(x - loc) / scale)).

    Args:
        loc: the mode.
        scale: positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: `scale` is not positive, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Gumbel(0.0, 1.0).mean
        tensor(0.5772)
    """

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * EULER

    @property
    def variance(self) -> Tensor:
        return self.scale**2 * (math.pi**2 / 6)

    @property
    def stddev(self) -> Tensor:
        return self.scale * (math.pi / math.sqrt(6))

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        drawn = self._noise(exponential, sample_shape, generator)
        return self.loc - self.scale * log(drawn)

    def log_prob(self, value: ArrayLike) -> Tensor:
        z = self._standard(value)
        return -z - exp(-z) - log(self.scale)

    def cdf(self, value: ArrayLike) -> Tensor:
        return exp(-exp(-self._standard(value)))

    def icdf(self, value: ArrayLike) -> Tensor:
        return self.loc - self.scale * log(-log(self._quantile(value)))

    def entropy(self) -> Tensor:
        return log(self.scale) + (1 + EULER)


class StudentT(Distribution):
    """Student's t: a normal distribution whose variance is uncertain.

    Formula: density Gamma((df + 1) / 2) / (Gamma(df / 2) sqrt(pi df) scale) (1 + z^2 / df)^(-(df + 1) / 2),
        z = (x - loc) / scale.

    Args:
        df: degrees of freedom, positive.
        loc: the median and mode.
        scale: positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: `df` or `scale` is not positive, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.StudentT(tn.tensor([0.5, 1.5, 4.0])).variance
        tensor([nan, inf,  2.])
    """

    arg_constraints = {"df": constraints.positive, "loc": real, "scale": constraints.positive}
    support = real
    has_rsample = True

    def __init__(self, df: ArrayLike, loc: ArrayLike = 0.0, scale: ArrayLike = 1.0,
                 validate_args: bool | None = None) -> None:
        super().__init__(self._keep(df=df, loc=loc, scale=scale), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return where(self.df > 1, self.loc, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        df = where(self.df > 2, self.df, 3.0)
        finite = self.scale**2 * df / (df - 2)
        return where(self.df > 2, finite, where(self.df > 1, math.inf, zeros_like(df) + math.nan))

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        z, half = self._noise(normal, sample_shape, generator), self.df / 2
        return self.loc + self.scale * z * sqrt(half / standard_gamma(half, z.shape, generator=generator))

    def log_prob(self, value: ArrayLike) -> Tensor:
        z, half = (self._value(value) - self.loc) / self.scale, self.df / 2
        return (lgamma(half + 0.5) - lgamma(half) - 0.5 * log(math.pi * self.df) - log(self.scale)
                - (half + 0.5) * log1p(z * z / self.df))

    def cdf(self, value: ArrayLike) -> Tensor:
        z = (self._value(value) - self.loc) / self.scale
        center = z == 0
        away = where(center, 1.0, z)  # at the center the formula is 0 times infinity; there the function is a line
        tail = 0.5 * betainc(self.df / 2, 0.5, self.df / (self.df + away * away))
        height = exp(lgamma(self.df / 2 + 0.5) - lgamma(self.df / 2) - 0.5 * log(math.pi * self.df))
        return where(center, 0.5 + z * height, where(away > 0, 1 - tail, tail))

    def entropy(self) -> Tensor:
        half = self.df / 2
        return (log(self.scale) + (half + 0.5) * (digamma(half + 0.5) - digamma(half)) + 0.5 * log(self.df)
                + lgamma(half) + 0.5 * math.log(math.pi) - lgamma(half + 0.5))


class Uniform(Distribution):
    """The uniform distribution.

    Formula: density 1 / (high - low) for low <= x < high.

    Args:
        low: the lower end, included.
        high: the upper end, left out, above `low`.
        validate_args: see `Distribution`.

    Raises:
        ValueError: `low` is not below `high`, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Uniform(0.0, 4.0).icdf(tn.tensor(0.25))
        tensor(1.)
    """

    arg_constraints = {"low": real, "high": real}
    has_rsample = True

    def __init__(self, low: ArrayLike, high: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(self._keep(low=low, high=high), validate_args=validate_args)
        if self._validate_args:
            self._check("high, less low", self.high - self.low, constraints.positive)

    @dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """From the lower to the upper end."""
        return constraints.interval(self.low, self.high)

    @property
    def mean(self) -> Tensor:
        return (self.low + self.high) / 2

    @property
    def mode(self) -> Tensor:
        return full_like(self.low, math.nan)

    @property
    def variance(self) -> Tensor:
        return (self.high - self.low) ** 2 / 12

    @property
    def stddev(self) -> Tensor:
        return (self.high - self.low) / math.sqrt(12)

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return self.low + (self.high - self.low) * self._noise(uniform, sample_shape, generator)

    def log_prob(self, value: ArrayLike) -> Tensor:
        value = self._value(value)
        inside = (value >= self.low) & (value < self.high)
        return where(inside, -log(self.high - self.low), -math.inf)

    def cdf(self, value: ArrayLike) -> Tensor:
        return clip((self._value(value) - self.low) / (self.high - self.low), 0, 1)

    def icdf(self, value: ArrayLike) -> Tensor:
        return self.low + (self.high - self.low) * self._quantile(value)

    def entropy(self) -> Tensor:
        return log(self.high - self.low)
