"""Halves of symmetric distributions, and powers of an exponential: lifetimes and heavy tails."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor
from ..ops import (
    atan,
    erf,
    erfinv,
    exp,
    expm1,
    exponential,
    full_like,
    lgamma,
    log,
    log1p,
    normal,
    tan,
    where,
    zeros_like,
)
from . import constraints
from .constraints import dependent_property, nonnegative, positive
from .distribution import Distribution
from .location_scale import EULER

if TYPE_CHECKING:
    from ..backend import Generator
    from ..typing import ArrayLike, Shape

__all__ = ["GeneralizedPareto", "HalfCauchy", "HalfNormal", "Pareto", "Weibull"]


class HalfNormal(Distribution):
    """The distribution of the size of a normal variable of mean zero.

    Formula: density 2 exp(-x^2 / (2 scale^2)) / (scale sqrt(2 pi)), x >= 0.

    Args:
        scale: the standard deviation of the normal variable, positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: a parameter is outside of its range, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.HalfNormal(1.0).mean
        tensor(0.7979)
    """

    arg_constraints = {"scale": positive}
    support = nonnegative
    has_rsample = True

    def __init__(self, scale: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(self._keep(scale=scale), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def mode(self) -> Tensor:
        return zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        return self.scale**2 * (1 - 2 / math.pi)

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return self.scale * abs(self._noise(normal, sample_shape, generator))

    def log_prob(self, value: ArrayLike) -> Tensor:
        value = self._value(value)
        z = value / self.scale
        return where(value >= 0, 0.5 * math.log(2 / math.pi) - log(self.scale) - 0.5 * z * z, -math.inf)

    def cdf(self, value: ArrayLike) -> Tensor:
        return erf(self._value(value) / (self.scale * math.sqrt(2)))

    def icdf(self, value: ArrayLike) -> Tensor:
        return self.scale * math.sqrt(2) * erfinv(self._quantile(value))

    def entropy(self) -> Tensor:
        return log(self.scale) + 0.5 * (1 + math.log(math.pi / 2))


class HalfCauchy(Distribution):
    """The distribution of the size of a Cauchy variable around zero.

    Formula: density 2 / (pi scale (1 + (x / scale)^2)), x >= 0.

    Args:
        scale: the median, positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: a parameter is outside of its range, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.HalfCauchy(1.0).cdf(tn.tensor(1.0))
        tensor(0.5000)
    """

    arg_constraints = {"scale": positive}
    support = nonnegative
    has_rsample = True

    def __init__(self, scale: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(self._keep(scale=scale), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return full_like(self.scale, math.inf)

    @property
    def mode(self) -> Tensor:
        return zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        return full_like(self.scale, math.inf)

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        over, under = (self._noise(normal, sample_shape, generator) for _ in range(2))
        return self.scale * abs(over / under)

    def log_prob(self, value: ArrayLike) -> Tensor:
        value = self._value(value)
        inside = math.log(2 / math.pi) - log(self.scale) - log1p((value / self.scale) ** 2)
        return where(value >= 0, inside, -math.inf)

    def cdf(self, value: ArrayLike) -> Tensor:
        return 2 / math.pi * atan(self._value(value) / self.scale)

    def icdf(self, value: ArrayLike) -> Tensor:
        return self.scale * tan(self._quantile(value) * (math.pi / 2))

    def entropy(self) -> Tensor:
        return math.log(2 * math.pi) + log(self.scale)


class Weibull(Distribution):
    """The Weibull distribution: a lifetime whose failure rate grows or falls with a power of time.

    Formula: distribution function 1 - exp(-(x / scale)^k), k the concentration.

    Args:
        scale: positive.
        concentration: the shape k, positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: a parameter is outside of its range, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Weibull(2.0, 1.0).mean
        tensor(2.)
    """

    arg_constraints = {"scale": positive, "concentration": positive}
    support = positive
    has_rsample = True

    def __init__(self, scale: ArrayLike, concentration: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(self._keep(scale=scale, concentration=concentration), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.scale * exp(lgamma(1 + 1 / self.concentration))

    @property
    def mode(self) -> Tensor:
        k = where(self.concentration > 1, self.concentration, 2.0)
        return where(self.concentration > 1, self.scale * ((k - 1) / k) ** (1 / k), 0.0)

    @property
    def variance(self) -> Tensor:
        k = self.concentration
        return self.scale**2 * (exp(lgamma(1 + 2 / k)) - exp(2 * lgamma(1 + 1 / k)))

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return self.scale * self._noise(exponential, sample_shape, generator) ** (1 / self.concentration)

    def log_prob(self, value: ArrayLike) -> Tensor:
        k = self.concentration
        logs = log(self._value(value)) - log(self.scale)
        return log(k / self.scale) + (k - 1) * logs - exp(k * logs)

    def cdf(self, value: ArrayLike) -> Tensor:
        return -expm1(-((self._value(value) / self.scale) ** self.concentration))

    def icdf(self, value: ArrayLike) -> Tensor:
        return self.scale * (-log1p(-self._quantile(value))) ** (1 / self.concentration)

    def entropy(self) -> Tensor:
        return EULER * (1 - 1 / self.concentration) + log(self.scale / self.concentration) + 1


class Pareto(Distribution):
    """The Pareto distribution: a power law above a smallest value.

    Formula: density alpha scale^alpha x^(-alpha-1), x >= scale.

    Args:
        scale: the smallest value, positive.
        alpha: the exponent, positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: a parameter is outside of its range, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Pareto(1.0, 3.0).mean
        tensor(1.5000)
    """

    arg_constraints = {"scale": positive, "alpha": positive}
    has_rsample = True

    def __init__(self, scale: ArrayLike, alpha: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(self._keep(scale=scale, alpha=alpha), validate_args=validate_args)

    @dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """From the scale up."""
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Tensor:
        a = where(self.alpha > 1, self.alpha, 2.0)
        return where(self.alpha > 1, a * self.scale / (a - 1), math.inf)

    @property
    def mode(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        a = where(self.alpha > 2, self.alpha, 3.0)
        return where(self.alpha > 2, self.scale**2 * a / ((a - 1) ** 2 * (a - 2)), math.inf)

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return self.scale * exp(self._noise(exponential, sample_shape, generator) / self.alpha)

    def log_prob(self, value: ArrayLike) -> Tensor:
        return log(self.alpha) + self.alpha * log(self.scale) - (self.alpha + 1) * log(self._value(value))

    def cdf(self, value: ArrayLike) -> Tensor:
        return -expm1(self.alpha * (log(self.scale) - log(self._value(value))))

    def icdf(self, value: ArrayLike) -> Tensor:
        return self.scale * exp(-log1p(-self._quantile(value)) / self.alpha)

    def entropy(self) -> Tensor:
        return log(self.scale / self.alpha) + 1 + 1 / self.alpha


class GeneralizedPareto(Distribution):
    """The generalized Pareto distribution: the limit of what lies above a high threshold.

    Formula: distribution function 1 - (1 + k z)^(-1/k), or 1 - exp(-z) for k = 0; z = (x - loc) / scale, k the
        concentration.

    Args:
        loc: the smallest value.
        scale: positive.
        concentration: the shape k of the tail; any number.
        validate_args: see `Distribution`.

    Raises:
        ValueError: a parameter is outside of its range, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.GeneralizedPareto(0.0, 1.0, 0.5).mean
        tensor(2.)
    """

    arg_constraints = {"loc": constraints.real, "scale": positive, "concentration": constraints.real}
    has_rsample = True

    def __init__(self, loc: ArrayLike, scale: ArrayLike, concentration: ArrayLike,
                 validate_args: bool | None = None) -> None:
        super().__init__(self._keep(loc=loc, scale=scale, concentration=concentration), validate_args=validate_args)

    @dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """From the location up; for a negative concentration up to an end."""
        bent = self.concentration < 0
        end = self.loc - self.scale / where(bent, self.concentration, -1.0)
        return constraints.interval(self.loc, where(bent, end, math.inf))

    @property
    def _shape(self):
        """The concentration, and a number in place of its zeros; where it is zero."""
        flat = abs(self.concentration) < 1e-12
        return where(flat, 1.0, self.concentration), flat

    @property
    def mean(self) -> Tensor:
        k = where(self.concentration < 1, self.concentration, 0.0)
        return where(self.concentration < 1, self.loc + self.scale / (1 - k), math.inf)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        k = where(self.concentration < 0.5, self.concentration, 0.0)
        return where(self.concentration < 0.5, self.scale**2 / ((1 - k) ** 2 * (1 - 2 * k)), math.inf)

    def _at(self, hazard):
        """The value up to which the hazards sum to `hazard`."""
        k, flat = self._shape
        return self.loc + self.scale * where(flat, hazard, expm1(k * hazard) / k)

    def _hazard(self, value):
        k, flat = self._shape
        z = (value - self.loc) / self.scale
        return where(flat, z, log1p(k * z) / k)

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return self._at(self._noise(exponential, sample_shape, generator))

    def log_prob(self, value: ArrayLike) -> Tensor:
        return -log(self.scale) - (1 + self.concentration) * self._hazard(self._value(value))

    def cdf(self, value: ArrayLike) -> Tensor:
        return -expm1(-self._hazard(self._value(value)))

    def icdf(self, value: ArrayLike) -> Tensor:
        return self._at(-log1p(-self._quantile(value)))

    def entropy(self) -> Tensor:
        return log(self.scale) + self.concentration + 1
