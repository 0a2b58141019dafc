"""Distributions made of others: TransformedDistribution, Independent, LogNormal, LogisticNormal, MixtureSameFamily."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autograd import Tensor, no_grad
from ..ops import (
    broadcast_shapes,
    broadcast_to,
    exp,
    expand_dims,
    expm1,
    logsumexp,
    reshape,
    take_along_axis,
)
from ..ops import sum as total_of
from ..ops.axes import as_shape
from . import constraints
from .categorical import Categorical
from .constraints import dependent_property, independent
from .distribution import Distribution, sum_rightmost
from .location_scale import Normal
from .transform import ExpTransform, Transform
from .transform_structure import ComposeTransform, StickBreakingTransform

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from ..backend import Generator
    from ..typing import ArrayLike, Shape

__all__ = ["Independent", "LogNormal", "LogisticNormal", "MixtureSameFamily", "TransformedDistribution"]


class Independent(Distribution):
    """A distribution whose last batch axes count as part of an event: their probabilities are multiplied.

    Formula: log_prob = the sum of those of the base distribution over its last batch axes.

    Args:
        base_distribution: the distribution.
        reinterpreted_batch_ndims: how many of its last batch axes.
        validate_args: see `Distribution`.

    Raises:
        ValueError: it has fewer batch axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> d = tn.distributions.Independent(tn.distributions.Normal(tn.zeros(3), 1.0), 1)
        >>> d.batch_shape, d.event_shape
        ((), (3,))
    """

    def __init__(self, base_distribution: Distribution, reinterpreted_batch_ndims: int,
                 validate_args: bool | None = None) -> None:
        batch, n = base_distribution.batch_shape, reinterpreted_batch_ndims
        if not 0 <= n <= len(batch):
            raise ValueError(f"Independent: reinterpreted_batch_ndims: expected 0 to {len(batch)}, for the batch shape "
                             f"{batch}, got {n}")
        self.base_dist, self.reinterpreted_batch_ndims = base_distribution, n
        super().__init__(batch[:len(batch) - n], batch[len(batch) - n:] + base_distribution.event_shape, validate_args)

    def _like(self):
        return self.base_dist._like()

    def expand(self, batch_shape: Shape) -> Self:
        batch_shape = as_shape("batch_shape", batch_shape)
        new = self._resized(batch_shape)
        new.base_dist = self.base_dist.expand(batch_shape + self._event_shape[:self.reinterpreted_batch_ndims])
        return new

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """Whether that of the base distribution has."""
        return self.base_dist.has_rsample

    @property
    def has_enumerate_support(self) -> bool:  # type: ignore[override]
        """Whether that of the base distribution has, and no axis was reinterpreted."""
        return not self.reinterpreted_batch_ndims and self.base_dist.has_enumerate_support

    @dependent_property
    def support(self) -> Any:
        """That of the base distribution, on all of an event."""
        return independent(self.base_dist.support, self.reinterpreted_batch_ndims)

    @property
    def mean(self) -> Tensor:
        return self.base_dist.mean

    @property
    def mode(self) -> Tensor:
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def sample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return self.base_dist.sample(sample_shape, generator=generator)

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return self.base_dist.rsample(sample_shape, generator=generator)

    def log_prob(self, value: ArrayLike) -> Tensor:
        return sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Tensor:
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        if self.reinterpreted_batch_ndims:
            raise NotImplementedError("Independent: the support of several variables together is not enumerated")
        return self.base_dist.enumerate_support(expand)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_dist}, {self.reinterpreted_batch_ndims})"


class TransformedDistribution(Distribution):
    """The distribution of t(X), X of a base distribution.

    Formula: log p(y) = log p_X(t^-1(y)) - log abs(det dt/dx).

    Args:
        base_distribution: that of X.
        transforms: a `Transform`, or a list of them, the first to be applied first.
        validate_args: see `Distribution`.

    Raises:
        ValueError: `transforms` holds something else, or X has too few axes for it.

    Example:
        >>> import tinygrad_notes as tn
        >>> d = tn.distributions
        >>> logistic = d.TransformedDistribution(d.Uniform(0.0, 1.0), [d.SigmoidTransform().inv])
        >>> logistic.log_prob(tn.tensor(0.0)).exp()
        tensor(0.2500)
    """

    def __init__(self, base_distribution: Distribution, transforms: Transform | Sequence[Transform],
                 validate_args: bool | None = None) -> None:
        self.transforms = [transforms] if isinstance(transforms, Transform) else list(transforms)
        if not all(isinstance(t, Transform) for t in self.transforms):
            raise ValueError(f"{type(self).__name__}: transforms: expected Transforms, got {transforms!r}")
        whole = ComposeTransform(self.transforms)
        shape = base_distribution.batch_shape + base_distribution.event_shape
        n = len(base_distribution.event_shape)
        if len(shape) < whole.domain.event_dim:
            raise ValueError(f"{type(self).__name__}: base_distribution: expected at least {whole.domain.event_dim} "
                             f"axes, for the transforms, got shape {shape}")
        out = whole.forward_shape(shape)
        wide = whole.inverse_shape(out)
        if wide != shape:
            base_distribution = base_distribution.expand(wide[:len(wide) - n])
        if whole.domain.event_dim > n:
            base_distribution = Independent(base_distribution, whole.domain.event_dim - n)
        self.base_dist = base_distribution
        n = max(whole.codomain.event_dim, n + whole.codomain.event_dim - whole.domain.event_dim)
        super().__init__(out[:len(out) - n], out[len(out) - n:], validate_args)

    def _like(self):
        return self.base_dist._like()

    def expand(self, batch_shape: Shape) -> Self:
        batch_shape = as_shape("batch_shape", batch_shape)
        new = self._resized(batch_shape)
        shape = ComposeTransform(self.transforms).inverse_shape(batch_shape + self._event_shape)
        new.base_dist = self.base_dist.expand(shape[:len(shape) - len(self.base_dist.event_shape)])
        return new

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """Whether that of the base distribution has."""
        return self.base_dist.has_rsample

    @dependent_property
    def support(self) -> Any:
        """Where the last transform goes."""
        if not self.transforms:
            return self.base_dist.support
        found = self.transforms[-1].codomain
        more = len(self._event_shape) - found.event_dim
        return independent(found, more) if more > 0 else found

    def sample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        with no_grad():
            return self._transformed(self.base_dist.sample(sample_shape, generator=generator))

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return self._transformed(self.base_dist.rsample(sample_shape, generator=generator))

    def _transformed(self, x):
        for t in self.transforms:
            x = t(x)
        return x

    def log_prob(self, value: ArrayLike) -> Tensor:
        y = self._value(value)
        n = len(self._event_shape)
        total: Any = 0.0
        for t in reversed(self.transforms):
            x = t.inv(y)
            n += t.domain.event_dim - t.codomain.event_dim
            total = total - sum_rightmost(t.log_abs_det_jacobian(x, y), n - t.domain.event_dim)
            y = x
        return total + sum_rightmost(self.base_dist.log_prob(y), n - len(self.base_dist.event_shape))

    def _turned(self, p):
        """1 - p where the transforms fall, p where they grow."""
        sign: Any = 1
        for t in self.transforms:
            sign = sign * t.sign
        return p if isinstance(sign, int) and sign == 1 else sign * (p - 0.5) + 0.5

    def cdf(self, value: ArrayLike) -> Tensor:
        y = self._value(value)
        for t in reversed(self.transforms):
            y = t.inv(y)
        return self._turned(self.base_dist.cdf(y))

    def icdf(self, value: ArrayLike) -> Tensor:
        return self._transformed(self.base_dist.icdf(self._turned(self._quantile(value))))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_dist}, {self.transforms})"


class LogNormal(TransformedDistribution):
    """The distribution of exp(X), X normal.

    Formula: log_prob = that of X at log(x), minus log(x).

    Args:
        loc: the mean of X.
        scale: the standard deviation of X, positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: `scale` is not positive, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.LogNormal(0.0, 1.0).mean
        tensor(1.6487)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.positive

    def __init__(self, loc: ArrayLike, scale: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(Normal(loc, scale, validate_args=validate_args), ExpTransform(), validate_args)

    @property
    def loc(self) -> Tensor:
        """The mean of the logarithm."""
        return self.base_dist.loc  # type: ignore[attr-defined]

    @property
    def scale(self) -> Tensor:
        """The standard deviation of the logarithm."""
        return self.base_dist.scale  # type: ignore[attr-defined]

    @property
    def mean(self) -> Tensor:
        return exp(self.loc + self.scale**2 / 2)

    @property
    def mode(self) -> Tensor:
        return exp(self.loc - self.scale**2)

    @property
    def variance(self) -> Tensor:
        return expm1(self.scale**2) * exp(2 * self.loc + self.scale**2)

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() + self.loc

    def __repr__(self) -> str:
        return repr(self.base_dist).replace("Normal", "LogNormal", 1)


class LogisticNormal(TransformedDistribution):
    """Normal vectors laid on the simplex by breaking a stick.

    Formula: StickBreakingTransform(X), X normal.

    Args:
        loc: the mean of X, (..., K).
        scale: the standard deviation of X, (..., K), positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: `scale` is not positive, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.LogisticNormal(tn.zeros(3), 1.0).event_shape
        (4,)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.simplex

    def __init__(self, loc: ArrayLike, scale: ArrayLike, validate_args: bool | None = None) -> None:
        super().__init__(Normal(loc, scale, validate_args=validate_args), StickBreakingTransform(), validate_args)

    @property
    def loc(self) -> Tensor:
        """The mean of the normal vectors."""
        return self.base_dist.base_dist.loc  # type: ignore[attr-defined]

    @property
    def scale(self) -> Tensor:
        """The standard deviation of the normal vectors."""
        return self.base_dist.base_dist.scale  # type: ignore[attr-defined]


class MixtureSameFamily(Distribution):
    """A mixture of distributions of one family: first a component is drawn, then a value from it.

    Formula: density sum_k probs_k density_k(x).

    Args:
        mixture_distribution: `Categorical`, batch shape (...,), over K components.
        component_distribution: batch shape (..., K).
        validate_args: see `Distribution`.

    Raises:
        ValueError: they are no such distributions, or their shapes do not fit.

    Example:
        >>> import tinygrad_notes as tn
        >>> d = tn.distributions
        >>> d.MixtureSameFamily(d.Categorical(tn.ones(2)), d.Normal(tn.tensor([-1.0, 1.0]), 1.0)).variance
        tensor(2.)
    """

    def __init__(self, mixture_distribution: Categorical, component_distribution: Distribution,
                 validate_args: bool | None = None) -> None:
        mixture, component = mixture_distribution, component_distribution
        if not isinstance(mixture, Categorical) or not isinstance(component, Distribution):
            raise ValueError("MixtureSameFamily: expected a Categorical and a Distribution, got "
                             f"{type(mixture).__name__} and {type(component).__name__}")
        k = mixture._num_events
        if component.batch_shape[-1:] != (k,):
            raise ValueError(f"MixtureSameFamily: component_distribution: expected a batch shape (..., {k}), one per "
                             f"component, got {component.batch_shape}")
        try:
            broadcast_shapes(mixture.batch_shape, component.batch_shape[:-1])
        except ValueError:
            raise ValueError(f"MixtureSameFamily: batch shape {mixture.batch_shape} of the mixture does not broadcast "
                             f"with {component.batch_shape[:-1]} of the components") from None
        self.mixture_distribution, self.component_distribution = mixture, component
        super().__init__(component.batch_shape[:-1], component.event_shape, validate_args)

    def _like(self):
        return self.component_distribution._like()

    def expand(self, batch_shape: Shape) -> Self:
        sizes: tuple[int, ...] = as_shape("batch_shape", batch_shape)
        new = self._resized(sizes)
        new.mixture_distribution = self.mixture_distribution.expand(sizes)
        new.component_distribution = self.component_distribution.expand((*sizes, self._components))
        return new

    @property
    def _components(self):
        return self.mixture_distribution._num_events

    @dependent_property
    def support(self) -> Any:
        """Where any component has mass."""
        return constraints.MixtureSameFamilyConstraint(self.component_distribution.support)

    def _shares(self):
        """The probabilities of the components, with axes for an event: (..., K, 1, ...)."""
        p = self.mixture_distribution.probs
        return reshape(p, p.shape + (1,) * len(self._event_shape))

    def _over_components(self, x):
        return total_of(self._shares() * x, axis=-1 - len(self._event_shape))

    @property
    def mean(self) -> Tensor:
        return self._over_components(self.component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        """The mean of the variances plus the variance of the means."""
        means = self.component_distribution.mean
        apart = means - expand_dims(self.mean, axis=-1 - len(self._event_shape))
        return self._over_components(self.component_distribution.variance + apart**2)

    def sample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        with no_grad():
            n = len(self._event_shape)
            index = self.mixture_distribution.expand(self._batch_shape).sample(sample_shape, generator=generator)
            drawn = self.component_distribution.sample(sample_shape, generator=generator)
            index = reshape(index, index.shape + (1,) * (n + 1))
            index = broadcast_to(index, (*index.shape[:index.ndim - n], *self._event_shape))
            return take_along_axis(drawn, index, axis=-1 - n).squeeze(-1 - n)

    def log_prob(self, value: ArrayLike) -> Tensor:
        value = expand_dims(self._value(value), axis=-1 - len(self._event_shape))
        checked, component = self._validate_args, self.component_distribution
        each = _unchecked(component).log_prob(value) if checked else component.log_prob(value)
        return logsumexp(each + self.mixture_distribution.logits, axis=-1)

    def cdf(self, value: ArrayLike) -> Tensor:
        value = expand_dims(self._value(value), axis=-1)
        return total_of(_unchecked(self.component_distribution).cdf(value) * self.mixture_distribution.probs, axis=-1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.mixture_distribution}, {self.component_distribution})"


def _unchecked(distribution):
    """The same without checks of values: one in the support of the mixture may be outside that of a component."""
    new = distribution._resized(distribution.batch_shape)
    new._validate_args = False
    return new
