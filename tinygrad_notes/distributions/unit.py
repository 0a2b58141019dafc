"""Distributions on the unit interval and the simplex: Beta, Kumaraswamy, ContinuousBernoulli, Dirichlet."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..autograd import Tensor
from ..ops import all as all_true
from ..ops import (
    argmax,
    betainc,
    betaincinv,
    betaln,
    digamma,
    dirichlet,
    exp,
    expm1,
    exponential,
    lgamma,
    log,
    log1p,
    maximum,
    sinh,
    softplus,
    stack,
    tanh,
    uniform,
    where,
    xlog1py,
    xlogy,
)
from . import constraints
from .choices import Probability, event_axis, one_hot
from .constraints import positive, unit_interval
from .distribution import Distribution
from .location_scale import EULER

if TYPE_CHECKING:
    from ..backend import Generator
    from ..typing import ArrayLike, Shape

__all__ = ["Beta", "ContinuousBernoulli", "Dirichlet", "Kumaraswamy"]


class Dirichlet(Distribution):
    """The Dirichlet distribution: probabilities that sum to one.

    Formula: density prod_i x_i^(a_i - 1) Gamma(sum a) / prod_i Gamma(a_i), a the concentration.

    Args:
        concentration: (..., K), positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: a concentration is not positive, or there is no axis.

    Source: Jankowiak and Obermeyer 2018, for the gradient of draws; see `dirichlet`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Dirichlet(tn.tensor([1.0, 3.0])).mean
        tensor([0.2500, 0.7500])
    """

    arg_constraints = {"concentration": constraints.independent(positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: ArrayLike, validate_args: bool | None = None) -> None:
        shape = self._keep(concentration=concentration)
        super().__init__(shape, event_axis(self, "concentration"), validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, keepdims=True)

    @property
    def mode(self) -> Tensor:
        """Where all concentrations lie below one, the corner of the largest."""
        a = self.concentration
        excess = maximum(a - 1, 0)
        total = excess.sum(-1, keepdims=True)
        corner = one_hot(argmax(a, axis=-1), a.shape[-1], a.dtype)
        outer = all_true(a < 1, axis=-1, keepdims=True)
        return where(outer, corner, excess / where(outer, 1.0, total))

    @property
    def variance(self) -> Tensor:
        total, mean = self.concentration.sum(-1, keepdims=True), self.mean
        return mean * (1 - mean) / (total + 1)

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return dirichlet(self.concentration, self._extended_shape(sample_shape), generator=generator)

    def log_prob(self, value: ArrayLike) -> Tensor:
        value, a = self._value(value), self.concentration
        return xlogy(a - 1, value).sum(-1) + lgamma(a.sum(-1)) - lgamma(a).sum(-1)

    def entropy(self) -> Tensor:
        a = self.concentration
        total, k = a.sum(-1), a.shape[-1]
        return lgamma(a).sum(-1) - lgamma(total) + (total - k) * digamma(total) - ((a - 1) * digamma(a)).sum(-1)


class Beta(Distribution):
    """The beta distribution: a probability.

    Formula: density x^(a-1) (1-x)^(b-1) / B(a, b), a = concentration1, b = concentration0.

    Args:
        concentration1: a, positive; large values pull to 1.
        concentration0: b, positive; large values pull to 0.
        validate_args: see `Distribution`.

    Raises:
        ValueError: a concentration is not positive, or the shapes do not broadcast.

    Source: Figurnov, Mohamed and Mnih 2018, for the gradient of draws: they move along the quantiles.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Beta(1.0, 3.0).mean
        tensor(0.2500)
    """

    arg_constraints = {"concentration1": positive, "concentration0": positive}
    support = unit_interval
    has_rsample = True

    def __init__(self, concentration1: ArrayLike, concentration0: ArrayLike, validate_args: bool | None = None) -> None:
        shape = self._keep(concentration1=concentration1, concentration0=concentration0)
        super().__init__(shape, validate_args=validate_args)

    @property
    def _pair(self):
        return stack((self.concentration1, self.concentration0), axis=-1)

    @property
    def mean(self) -> Tensor:
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        """Where both concentrations lie below one, the end of the larger."""
        return Dirichlet(self._pair, validate_args=False).mode[..., 0]

    @property
    def variance(self) -> Tensor:
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total**2 * (total + 1))

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return dirichlet(self._pair, (*self._extended_shape(sample_shape), 2), generator=generator)[..., 0]

    def log_prob(self, value: ArrayLike) -> Tensor:
        value, a, b = self._value(value), self.concentration1, self.concentration0
        return xlogy(a - 1, value) + xlog1py(b - 1, -value) - betaln(a, b)

    def cdf(self, value: ArrayLike) -> Tensor:
        return betainc(self.concentration1, self.concentration0, self._value(value))

    def icdf(self, value: ArrayLike) -> Tensor:
        return betaincinv(self.concentration1, self.concentration0, self._quantile(value))

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        return betaln(a, b) - (a - 1) * digamma(a) - (b - 1) * digamma(b) + (a + b - 2) * digamma(a + b)


class Kumaraswamy(Distribution):
    """The Kumaraswamy distribution: much like a beta distribution, with a distribution function in closed form.

    Formula: distribution function 1 - (1 - x^a)^b, a = concentration1, b = concentration0.

    Args:
        concentration1: a, positive.
        concentration0: b, positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: a concentration is not positive, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Kumaraswamy(1.0, 3.0).mean
        tensor(0.2500)
    """

    arg_constraints = {"concentration1": positive, "concentration0": positive}
    support = unit_interval
    has_rsample = True

    def __init__(self, concentration1: ArrayLike, concentration0: ArrayLike, validate_args: bool | None = None) -> None:
        shape = self._keep(concentration1=concentration1, concentration0=concentration0)
        super().__init__(shape, validate_args=validate_args)

    def _moment(self, n):
        """The mean of x^n: b B(1 + n/a, b)."""
        return self.concentration0 * exp(betaln(1 + n / self.concentration1, self.concentration0))

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        """nan where the density is highest at an end."""
        a, b = self.concentration1, self.concentration0
        inner = (a >= 1) & (b >= 1) & (a * b > 1)
        a, b = where(inner, a, 2.0), where(inner, b, 2.0)
        return where(inner, ((a - 1) / (a * b - 1)) ** (1 / a), math.nan)

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self.mean**2

    def _at(self, hazard):
        """The value that is exceeded with probability exp(-hazard)."""
        return (-expm1(-hazard / self.concentration0)) ** (1 / self.concentration1)

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return self._at(self._noise(exponential, sample_shape, generator))

    def log_prob(self, value: ArrayLike) -> Tensor:
        value, a, b = self._value(value), self.concentration1, self.concentration0
        return log(a * b) + xlogy(a - 1, value) + xlog1py(b - 1, -(value**a))

    def cdf(self, value: ArrayLike) -> Tensor:
        return -expm1(self.concentration0 * log1p(-(self._value(value) ** self.concentration1)))

    def icdf(self, value: ArrayLike) -> Tensor:
        return self._at(-log1p(-self._quantile(value)))

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        return (1 - 1 / b) + (1 - 1 / a) * (digamma(b + 1) + EULER) - log(a * b)


class ContinuousBernoulli(Probability):
    """The continuous Bernoulli distribution: an exponential density cut to the unit interval.

    Formula: density proportional to probs^x (1 - probs)^(1-x), 0 <= x <= 1; that is l e^(l x) / (e^l - 1) with the
        logit l of `probs`, or 1 for l = 0. Series take over where l is small; `lims`, PyTorch's way to that, is
        accepted and not needed.

    Args:
        probs: in [0, 1]; not the mean.
        logits: log(probs / (1 - probs)), in place of `probs`.
        lims: accepted as in PyTorch.
        validate_args: see `Distribution`.

    Raises:
        ValueError: not exactly one of `probs` and `logits` is given, or it is out of range.

    Source: Loaiza-Ganem and Cunningham 2019, "The continuous Bernoulli".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.ContinuousBernoulli(0.5).variance
        tensor(0.0833)
    """

    arg_constraints = {"probs": unit_interval, "logits": constraints.real}
    support = unit_interval
    has_rsample = True

    def __init__(self, probs: ArrayLike | None = None, logits: ArrayLike | None = None,
                 lims: tuple[float, float] = (0.499, 0.501), validate_args: bool | None = None) -> None:
        super().__init__(self._take(probs, logits), validate_args=validate_args)

    def _split(self, small):
        """The logits and a number in place of small ones; the small ones and zero in place of others; which are."""
        near = abs(self.logits) < small
        return where(near, 1.0, self.logits), where(near, self.logits, 0.0), near

    @property
    def _log_height(self):
        """The logarithm of l / tanh(l / 2), twice the factor of the density; log 2 at l = 0."""
        far, near, is_near = self._split(0.3)
        q = near * near
        series = math.log(2) + q * (1 / 12 - q * (7 / 1440 - q * (31 / 90720 - q * (127 / 4838400))))
        return where(is_near, series, log(far / tanh(far / 2)))

    @property
    def mean(self) -> Tensor:
        far, near, is_near = self._split(0.3)
        q = near * near
        series = 0.5 + near * (1 / 12 - q * (1 / 720 - q * (1 / 30240 - q * (1 / 1209600))))
        return where(is_near, series, -1 / expm1(-far) - 1 / far)

    @property
    def variance(self) -> Tensor:
        far, near, is_near = self._split(0.3)
        q = near * near
        series = 1 / 12 - q * (1 / 240 - q * (1 / 6048 - q * (1 / 172800)))
        return where(is_near, series, 1 / far**2 - 1 / (4 * sinh(far / 2) ** 2))

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return self._at(self._noise(uniform, sample_shape, generator))

    def _at(self, u):
        far, near, is_near = self._split(1e-4)
        # For l > 0 from the other end: e^l may overflow, e^-l not.
        size = abs(far)
        level = where(far > 0, 1 - u, u)
        down = log1p(level * expm1(-size)) / -size
        series = u + near * u * (1 - u) / 2
        return where(is_near, series, where(far > 0, 1 - down, down))

    def log_prob(self, value: ArrayLike) -> Tensor:
        value = self._value(value)
        return value * self.logits - softplus(self.logits) + self._log_height

    def cdf(self, value: ArrayLike) -> Tensor:
        value = self._value(value)
        far, near, is_near = self._split(1e-4)
        size = abs(far)
        level = where(far > 0, 1 - value, value)
        down = expm1(-size * level) / expm1(-size)
        series = value - near * value * (1 - value) / 2
        return where(is_near, series, where(far > 0, 1 - down, down))

    def icdf(self, value: ArrayLike) -> Tensor:
        return self._at(self._quantile(value))

    def entropy(self) -> Tensor:
        return softplus(self.logits) - self.mean * self.logits - self._log_height
