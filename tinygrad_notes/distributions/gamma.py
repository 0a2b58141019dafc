"""Gamma distributions and what is made of them: Exponential, Gamma, Chi2, InverseGamma, FisherSnedecor."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..autograd import Tensor
from ..ops import (
    betainc,
    digamma,
    expm1,
    exponential,
    full_like,
    gammainc,
    gammaincc,
    gammaincinv,
    lgamma,
    log,
    log1p,
    maximum,
    standard_gamma,
    where,
    xlogy,
    zeros_like,
)
from .constraints import nonnegative, positive
from .distribution import Distribution

if TYPE_CHECKING:
    from ..backend import Generator
    from ..typing import ArrayLike, Shape

__all__ = ["Chi2", "Exponential", "FisherSnedecor", "Gamma", "InverseGamma"]


class Exponential(Distribution):
    """The exponential distribution: the time to the next of events that come at a constant rate.

    Formula: density rate exp(-rate x), x >= 0.

    Args:
        rate: one over the mean, positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: a parameter is outside of its range, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Exponential(2.0).mean
        tensor(0.5000)
    """

    arg_constraints = {"rate": positive}
    support = nonnegative
    has_rsample = True

    def __init__(self, rate: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(self._keep(rate=rate), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return 1 / self.rate

    @property
    def mode(self) -> Tensor:
        return zeros_like(self.rate)

    @property
    def variance(self) -> Tensor:
        return self.rate**-2

    @property
    def stddev(self) -> Tensor:
        return 1 / self.rate

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return self._noise(exponential, sample_shape, generator) / self.rate

    def log_prob(self, value: ArrayLike) -> Tensor:
        return log(self.rate) - self.rate * self._value(value)

    def cdf(self, value: ArrayLike) -> Tensor:
        return -expm1(-self.rate * self._value(value))

    def icdf(self, value: ArrayLike) -> Tensor:
        return -log1p(-self._quantile(value)) / self.rate

    def entropy(self) -> Tensor:
        return 1 - log(self.rate)


class Gamma(Distribution):
    """The gamma distribution: for whole concentrations the time to so many events.

    Formula: density rate^a x^(a-1) exp(-rate x) / Gamma(a), a the concentration.

    Args:
        concentration: the shape a, positive.
        rate: one over the scale, positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: a parameter is outside of its range, or the shapes do not broadcast.

    Source: Figurnov, Mohamed and Mnih 2018, for the gradient of draws: the implicit one, in both parameters.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Gamma(3.0, 2.0).mean
        tensor(1.5000)
    """

    arg_constraints = {"concentration": positive, "rate": positive}
    support = nonnegative
    has_rsample = True

    def __init__(self, concentration: ArrayLike, rate: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(self._keep(concentration=concentration, rate=rate), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return maximum(self.concentration - 1, 0) / self.rate

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate**2

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        drawn = standard_gamma(self.concentration, self._extended_shape(sample_shape), generator=generator)
        return drawn / self.rate

    def log_prob(self, value: ArrayLike) -> Tensor:
        value, a = self._value(value), self.concentration
        return xlogy(a, self.rate) + xlogy(a - 1, value) - self.rate * value - lgamma(a)

    def cdf(self, value: ArrayLike) -> Tensor:
        return gammainc(self.concentration, self.rate * self._value(value))

    def icdf(self, value: ArrayLike) -> Tensor:
        return gammaincinv(self.concentration, self._quantile(value)) / self.rate

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - log(self.rate) + lgamma(a) + (1 - a) * digamma(a)


class Chi2(Gamma):
    """The chi-squared distribution: the sum of the squares of df standard normal numbers.

    Formula: Gamma(df / 2, 1 / 2).

    Args:
        df: degrees of freedom, positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: a parameter is outside of its range, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Chi2(3.0).variance
        tensor(6.)
    """

    arg_constraints = {"df": positive}

    def __init__(self, df: ArrayLike, validate_args: bool | None = None) -> None:
        Distribution.__init__(self, self._keep(df=df), validate_args=validate_args)

    @property
    def concentration(self) -> Tensor:  # type: ignore[override]
        """Half the degrees of freedom."""
        return self.df / 2

    @property
    def rate(self) -> Tensor:  # type: ignore[override]
        """One half."""
        return full_like(self.df, 0.5)


class InverseGamma(Distribution):
    """The distribution of one over a gamma variable.

    Formula: density rate^a x^(-a-1) exp(-rate / x) / Gamma(a), a the concentration.

    Args:
        concentration: the shape a, positive.
        rate: the scale, positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: a parameter is outside of its range, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.InverseGamma(3.0, 2.0).mean
        tensor(1.)
    """

    arg_constraints = {"concentration": positive, "rate": positive}
    support = positive
    has_rsample = True

    def __init__(self, concentration: ArrayLike, rate: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(self._keep(concentration=concentration, rate=rate), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        a = where(self.concentration > 1, self.concentration, 2.0)
        return where(self.concentration > 1, self.rate / (a - 1), math.inf)

    @property
    def mode(self) -> Tensor:
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        a = where(self.concentration > 2, self.concentration, 3.0)
        return where(self.concentration > 2, self.rate**2 / ((a - 1) ** 2 * (a - 2)), math.inf)

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return self.rate / standard_gamma(self.concentration, self._extended_shape(sample_shape), generator=generator)

    def log_prob(self, value: ArrayLike) -> Tensor:
        value, a = self._value(value), self.concentration
        return xlogy(a, self.rate) - xlogy(a + 1, value) - self.rate / value - lgamma(a)

    def cdf(self, value: ArrayLike) -> Tensor:
        return gammaincc(self.concentration, self.rate / self._value(value))

    def icdf(self, value: ArrayLike) -> Tensor:
        return self.rate / gammaincinv(self.concentration, 1 - self._quantile(value))

    def entropy(self) -> Tensor:
        a = self.concentration
        return a + log(self.rate) + lgamma(a) - (1 + a) * digamma(a)


class FisherSnedecor(Distribution):
    """The F distribution: the ratio of two chi-squared variables, each over its degrees of freedom.

    Formula: (X_1 / df1) / (X_2 / df2), X_i ~ Chi2(df_i).

    Args:
        df1, df2: degrees of freedom, positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: a parameter is outside of its range, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.FisherSnedecor(2.0, 4.0).mean
        tensor(2.)
    """

    arg_constraints = {"df1": positive, "df2": positive}
    support = positive
    has_rsample = True

    def __init__(self, df1: ArrayLike, df2: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(self._keep(df1=df1, df2=df2), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        df2 = where(self.df2 > 2, self.df2, 3.0)
        return where(self.df2 > 2, df2 / (df2 - 2), math.nan)

    @property
    def mode(self) -> Tensor:
        return where(self.df1 > 2, (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2), math.nan)

    @property
    def variance(self) -> Tensor:
        df1, df2 = self.df1, where(self.df2 > 4, self.df2, 5.0)
        finite = 2 * df2**2 * (df1 + df2 - 2) / (df1 * (df2 - 2) ** 2 * (df2 - 4))
        return where(self.df2 > 4, finite, math.nan)

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        shape = self._extended_shape(sample_shape)
        over, under = (standard_gamma(df / 2, shape, generator=generator) / df for df in (self.df1, self.df2))
        return over / under

    def log_prob(self, value: ArrayLike) -> Tensor:
        value, a, b, ratio = self._value(value), self.df1 / 2, self.df2 / 2, self.df1 / self.df2
        return (lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(ratio) + xlogy(a - 1, value)
                - (a + b) * log1p(ratio * value))

    def cdf(self, value: ArrayLike) -> Tensor:
        scaled = self.df1 * self._value(value)
        return betainc(self.df1 / 2, self.df2 / 2, scaled / (scaled + self.df2))
