"""Distributions over K categories: Categorical, OneHotCategorical, OneHotCategoricalStraightThrough, Multinomial."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor, no_grad
from ..backend import int64
from ..ops import (
    arange,
    argmax,
    broadcast_shapes,
    broadcast_to,
    cumsum,
    expand_dims,
    eye,
    full,
    lgamma,
    reshape,
    take_along_axis,
    uniform,
    where,
    xlogy,
)
from ..ops import sum as total_of
from ..ops.draws import multinomial_counts
from . import constraints
from .choices import Probabilities, one_hot
from .constraints import dependent_property
from .discrete import Binomial

if TYPE_CHECKING:
    from ..backend import Generator
    from ..typing import ArrayLike, Shape

__all__ = ["Categorical", "Multinomial", "OneHotCategorical", "OneHotCategoricalStraightThrough"]

PARAMETERS = {"probs": constraints.simplex, "logits": constraints.real_vector}


class Categorical(Probabilities):
    """The categorical distribution: one of K categories, as a number from 0 to K - 1.

    Formula: P(k) = probs_k / sum(probs), or exp(logits_k) / sum(exp(logits)).

    Args:
        probs: (..., K), >= 0; normalized here.
        logits: (..., K), their logarithms up to a constant, in place of `probs`.
        validate_args: see `Distribution`.

    Attributes:
        probs, logits: normalized.

    Raises:
        ValueError: not exactly one of `probs` and `logits` is given, one is negative, or all of them are zero.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Categorical(tn.tensor([1.0, 3.0])).log_prob([0, 1]).exp()
        tensor([0.2500, 0.7500])
    """

    arg_constraints = PARAMETERS
    has_enumerate_support = True
    _takes_integers = True

    def __init__(self, probs: ArrayLike | None = None, logits: ArrayLike | None = None,
                 validate_args: bool | None = None) -> None:
        shape, _ = self._take(probs, logits)
        super().__init__(shape, validate_args=validate_args)

    @dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        """0 to K - 1."""
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def _num_events(self):
        return self._like().shape[-1]

    @property
    def mean(self) -> Tensor:
        """nan: categories are no numbers."""
        return full(self._batch_shape, math.nan, dtype=self._like().dtype, device=self._like().device)

    @property
    def mode(self) -> Tensor:
        return argmax(self.logits, axis=-1)

    @property
    def variance(self) -> Tensor:
        """nan: categories are no numbers."""
        return self.mean

    def sample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        with no_grad():
            shape = self._extended_shape(sample_shape)
            ends = cumsum(self.probs.astype("float64"), axis=-1)
            u = uniform(shape, generator=generator, dtype="float64", device=ends.device) * ends[..., -1]
            return total_of(expand_dims(u, axis=-1) >= ends[..., :-1], axis=-1).astype(int64)

    def log_prob(self, value: ArrayLike) -> Tensor:
        index = self._value(value).astype(int64)
        shape = broadcast_shapes(index.shape, self._batch_shape)
        logits = broadcast_to(self.logits, (*shape, self._num_events))
        return take_along_axis(logits, expand_dims(broadcast_to(index, shape), axis=-1), axis=-1)[..., 0]

    def entropy(self) -> Tensor:
        p = self.probs
        return -total_of(p * where(p == 0, 0.0, self.logits), axis=-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        n = self._num_events
        values = reshape(arange(n, device=self._like().device), (n,) + (1,) * len(self._batch_shape))
        return broadcast_to(values, (n, *self._batch_shape)) if expand else values


class _Vectors(Probabilities):
    """What distributions of vectors over K categories share."""

    arg_constraints = PARAMETERS

    def _categorical(self):
        """The distribution of the category alone, of the same parameter."""
        return Categorical(**self._given, validate_args=False).expand(self._batch_shape)


class OneHotCategorical(_Vectors):
    """The categorical distribution with its values as vectors: 1 at the category, else 0.

    Formula: P(e_k) = probs_k / sum(probs), or exp(logits_k) / sum(exp(logits)).

    Args:
        probs: (..., K), >= 0; normalized here.
        logits: (..., K), their logarithms up to a constant, in place of `probs`.
        validate_args: see `Distribution`.

    Attributes:
        probs, logits: normalized.

    Raises:
        ValueError: not exactly one of `probs` and `logits` is given, one is negative, or all of them are zero.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.OneHotCategorical(tn.tensor([0.0, 3.0])).sample()
        tensor([0., 1.])
    """

    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs: ArrayLike | None = None, logits: ArrayLike | None = None,
                 validate_args: bool | None = None) -> None:
        shape, event = self._take(probs, logits)
        super().__init__(shape, event, validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return one_hot(argmax(self.logits, axis=-1), self._event_shape[0], self._like().dtype)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        index = self._categorical().sample(sample_shape, generator=generator)
        return one_hot(index, self._event_shape[0], self._like().dtype)

    def log_prob(self, value: ArrayLike) -> Tensor:
        return self._categorical().log_prob(argmax(self._value(value), axis=-1))

    def entropy(self) -> Tensor:
        return self._categorical().entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        n = self._event_shape[0]
        values = reshape(eye(n, dtype=self._like().dtype, device=self._like().device),
                         (n,) + (1,) * len(self._batch_shape) + (n,))
        return broadcast_to(values, (n, *self._batch_shape, n)) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """One-hot vectors that pass gradients straight to the probabilities.

    Formula: rsample = one-hot draw + probs - stop_gradient(probs). Its gradient is biased.

    Args:
        probs: (..., K), >= 0; normalized here.
        logits: (..., K), their logarithms up to a constant, in place of `probs`.
        validate_args: see `Distribution`.

    Raises:
        ValueError: as for `OneHotCategorical`.

    Source: Bengio, Leonard and Courville 2013, "Estimating or propagating gradients through stochastic neurons".

    Example:
        >>> import tinygrad_notes as tn
        >>> p = tn.tensor([0.5, 0.5], requires_grad=True)
        >>> tn.distributions.OneHotCategoricalStraightThrough(p).rsample().requires_grad
        True
    """

    has_rsample = True

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        probs = self.probs
        return self.sample(sample_shape, generator=generator) + (probs - probs.detach())


class Multinomial(_Vectors):
    """The multinomial distribution: how often each of K categories comes in `total_count` draws.

    Formula: P(x) = n! / prod_k x_k! prod_k probs_k^x_k, n = total_count.

    Args:
        total_count: n, one int >= 0.
        probs: (..., K), >= 0; normalized here.
        logits: (..., K), their logarithms up to a constant, in place of `probs`.
        validate_args: see `Distribution`.

    Raises:
        ValueError: not exactly one of `probs` and `logits` is given, one is out of range, or `total_count` is no int
            >= 0.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.Multinomial(10, tn.tensor([1.0, 3.0])).mean
        tensor([2.5000, 7.5000])
    """

    def __init__(self, total_count: int = 1, probs: ArrayLike | None = None, logits: ArrayLike | None = None,
                 validate_args: bool | None = None) -> None:
        if isinstance(total_count, bool) or not isinstance(total_count, int) or total_count < 0:
            raise ValueError(f"Multinomial: total_count: expected one int >= 0, got {total_count!r}")
        self.total_count = total_count
        shape, event = self._take(probs, logits)
        super().__init__(shape, event, validate_args)

    @dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        """Counts that sum to `total_count`."""
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        with no_grad():
            return multinomial_counts(self.total_count, self.probs, self._extended_shape(sample_shape), generator)

    def log_prob(self, value: ArrayLike) -> Tensor:
        value = self._value(value)
        if "probs" in self._given:
            powers = xlogy(value, self.probs)
        else:
            powers = value * where((value == 0) & (self.logits == -math.inf), 0.0, self.logits)
        return lgamma(value.sum(-1) + 1) + total_of(powers - lgamma(value + 1), axis=-1)

    def entropy(self) -> Tensor:
        """n H(category) - log n! + the mean of sum_k log x_k!, each x_k binomial."""
        n = self.total_count
        each = Binomial(n, probs=self.probs, validate_args=False)
        counts = each.enumerate_support(expand=False)[1:]
        factorials = total_of(each.log_prob(counts).exp() * lgamma(counts + 1), axis=(0, -1))
        return n * self._categorical().entropy() - math.lgamma(n + 1) + factorials
