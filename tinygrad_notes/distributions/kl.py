"""The Kullback-Leibler divergence: a table of closed forms by pairs of classes.

Many follow from KL(p, q) = -H(p) - E_p log q, where E_p log q needs only a few means under p: of x, log x, log(1 - x)
or exp(t x). What a pair has in closed form beyond that, or more exactly, has a function of its own.
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor
from ..ops import (
    abs,
    broadcast_arrays,
    broadcast_shapes,
    digamma,
    erf,
    exp,
    full,
    lgamma,
    linalg,
    log,
    softplus,
    where,
    xlog1py,
    xlogy,
)
from ..ops import sum as total_of
from .categorical import Categorical, Multinomial, OneHotCategorical
from .discrete import Bernoulli, Binomial, Geometric, Poisson
from .distribution import Distribution, sum_rightmost
from .gamma import Exponential, Gamma, InverseGamma
from .location_scale import EULER, Cauchy, Gumbel, Laplace, Normal, Uniform
from .multivariate import LowRankMultivariateNormal, MultivariateNormal, half_log_det, solved
from .tails import HalfCauchy, HalfNormal, Pareto, Weibull
from .transformed import Independent, TransformedDistribution
from .unit import Beta, ContinuousBernoulli, Dirichlet

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["kl_divergence", "register_kl"]

_TABLE: dict[tuple[type, type], Callable[..., Tensor]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[..., Any]:
    """A decorator that puts a function into the table of `kl_divergence`.

    Args:
        type_p, type_q: classes of distributions; subclasses are meant too, unless they have an entry of their own.

    Returns:
        A decorator of functions of (p, q).

    Raises:
        TypeError: one is no class of distributions.

    Example:
        >>> import tinygrad_notes as tn
        >>> class MyNormal(tn.distributions.Normal):
        ...     pass
        >>> @tn.distributions.register_kl(MyNormal, MyNormal)
        ... def of_mine(p, q):
        ...     return p.loc - q.loc
        >>> tn.distributions.kl_divergence(MyNormal(3.0, 1.0), MyNormal(1.0, 1.0))
        tensor(2.)
    """
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(f"register_kl: expected classes of distributions, got {kind!r}")

    def put(function):
        _TABLE[type_p, type_q] = function
        return function
    return put


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The Kullback-Leibler divergence of q from p (nats).

    Formula: KL(p, q) = E_{x ~ p} log(p(x) / q(x)); infinite where p has mass that q has not.

    Args:
        p, q: distributions whose batch shapes broadcast.

    Returns:
        Tensor of the batch shape.

    Raises:
        NotImplementedError: there is no closed form for their classes in the table; see `register_kl`.

    Source: the notes, the list of losses in section 2.1.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> d = tn.distributions
        >>> d.kl_divergence(d.Normal(0.0, 1.0), d.Normal(1.0, 2.0))
        tensor(0.4431)
    """
    best, nearest = None, None
    for (type_p, type_q), function in _TABLE.items():
        if isinstance(p, type_p) and isinstance(q, type_q):
            far = type(p).__mro__.index(type_p), type(q).__mro__.index(type_q)
            if nearest is None or sum(far) < sum(nearest):
                best, nearest = function, far
    if best is None:
        raise NotImplementedError(f"no closed form of KL({type(p).__name__}, {type(q).__name__}); register one, or "
                                  "average p.log_prob(x) - q.log_prob(x) over draws of p")
    return best(p, q)


def _or_inf(fine, value):
    return where(fine, value, math.inf)


# By a few means under p --------------------------------------------------------------------------
def _mean_log(p):
    """E log x."""
    if isinstance(p, Beta):
        return digamma(p.concentration1) - digamma(p.concentration1 + p.concentration0)
    if isinstance(p, Gamma):
        return digamma(p.concentration) - log(p.rate)
    if isinstance(p, Exponential):
        return -EULER - log(p.rate)
    if isinstance(p, Pareto):
        return log(p.scale) + 1 / p.alpha
    return (xlogy(p.high, p.high) - xlogy(p.low, p.low)) / (p.high - p.low) - 1


def _mean_log_rest(p):
    """E log(1 - x)."""
    if isinstance(p, Beta):
        return digamma(p.concentration0) - digamma(p.concentration1 + p.concentration0)
    return (xlog1py(1 - p.low, -p.low) - xlog1py(1 - p.high, -p.high)) / (p.high - p.low) - 1


def _mean_exp(p, t):
    """E exp(t x), t negative."""
    if isinstance(p, Gamma):
        return (1 - t / p.rate) ** -p.concentration
    if isinstance(p, Exponential):
        return p.rate / (p.rate - t)
    if isinstance(p, Normal):
        return exp(t * p.loc + (t * p.scale) ** 2 / 2)
    return (exp(t * p.high) - exp(t * p.low)) / (t * (p.high - p.low))


def _log_exponential(p, q):
    return log(q.rate) - q.rate * p.mean


def _log_gamma(p, q):
    a = q.concentration
    return xlogy(a, q.rate) - lgamma(a) + (a - 1) * _mean_log(p) - q.rate * p.mean


def _log_normal(p, q):
    apart = p.variance + (p.mean - q.loc) ** 2
    return -0.5 * math.log(2 * math.pi) - log(q.scale) - apart / (2 * q.scale**2)


def _log_continuous_bernoulli(p, q):
    return p.mean * q.logits - softplus(q.logits) + q._log_height


def _log_gumbel(p, q):
    return -(p.mean - q.loc) / q.scale - exp(q.loc / q.scale) * _mean_exp(p, -1 / q.scale) - log(q.scale)


def _log_beta(p, q):
    a, b = q.concentration1, q.concentration0
    return ((a - 1) * _mean_log(p) + (b - 1) * _mean_log_rest(p) + lgamma(a + b) - lgamma(a) - lgamma(b))


def _log_pareto(p, q):
    return log(q.alpha) + xlogy(q.alpha, q.scale) - (q.alpha + 1) * _mean_log(p)


def _log_uniform(p, q):
    return -log(q.high - q.low)


def _always(p, q):
    return True


def _positive(p, q):
    return p.low >= 0


def _in_unit(p, q):
    return (p.low >= 0) & (p.high <= 1)


# q: what E_p log q is; then for which p, and where p has no mass outside of q.
_BY_MEANS: dict[type, tuple[Callable[..., Tensor], dict[type, Callable[..., Any]]]] = {
    Exponential: (_log_exponential, {Beta: _always, ContinuousBernoulli: _always, Pareto: _always, Uniform: _positive}),
    Gamma: (_log_gamma, {Beta: _always, Exponential: _always, Pareto: _always, Uniform: _positive}),
    Normal: (_log_normal, {Beta: _always, ContinuousBernoulli: _always, Exponential: _always, Gamma: _always,
                           Gumbel: _always, Laplace: _always, Pareto: _always, Uniform: _always}),
    ContinuousBernoulli: (_log_continuous_bernoulli, {Beta: _always, ContinuousBernoulli: _always, Uniform: _in_unit}),
    Gumbel: (_log_gumbel, {Exponential: _always, Gamma: _always, Normal: _always, Uniform: _always}),
    Beta: (_log_beta, {Uniform: _in_unit}),
    Pareto: (_log_pareto, {Uniform: lambda p, q: p.low >= q.scale}),
    Uniform: (_log_uniform, {Beta: lambda p, q: (q.low <= 0) & (q.high >= 1),
                             ContinuousBernoulli: lambda p, q: (q.low <= 0) & (q.high >= 1)}),
}
# p: those q that p has mass outside of, whatever the parameters.
_INFINITE: dict[type, tuple[type, ...]] = {
    Beta: (Pareto,), ContinuousBernoulli: (Pareto,),
    Exponential: (Beta, ContinuousBernoulli, Pareto, Uniform), Gamma: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Pareto: (Beta, ContinuousBernoulli, Uniform), Poisson: (Bernoulli, Binomial),
    **dict.fromkeys((Gumbel, Laplace, Normal), (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
}


def _entries(kind_q, mean_log_q, contained):
    for kind_p, fine in contained.items():
        def divergence(p, q, fine=fine):
            inside = fine(p, q)
            found = -p.entropy() - mean_log_q(p, q)
            return found if inside is True else _or_inf(inside, found)
        _TABLE[kind_p, kind_q] = divergence


def _infinite(p, q):
    shape = broadcast_shapes(p.batch_shape, q.batch_shape)
    return full(shape, math.inf, dtype=p._like().dtype, device=p._like().device)


for _q, (_mean, _contained) in _BY_MEANS.items():
    _entries(_q, _mean, _contained)
for _p, _others in _INFINITE.items():
    _TABLE.update({(_p, _other): _infinite for _other in _others})


# Continuous, of one family ---------------------------------------------------------------------------
@register_kl(Normal, Normal)
def _normals(p, q):
    ratio = (p.scale / q.scale) ** 2
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - log(ratio))


@register_kl(HalfNormal, HalfNormal)
def _half_normals(p, q):
    ratio = (p.scale / q.scale) ** 2
    return 0.5 * (ratio - 1 - log(ratio))


@register_kl(Laplace, Laplace)
def _laplaces(p, q):
    apart = abs(p.loc - q.loc)
    return (p.scale * exp(-apart / p.scale) + apart) / q.scale - log(p.scale / q.scale) - 1


@register_kl(Normal, Laplace)
def _normal_laplace(p, q):
    z = (p.loc - q.loc) / p.scale
    distance = p.scale * (math.sqrt(2 / math.pi) * exp(-0.5 * z * z) + z * erf(z / math.sqrt(2)))
    return distance / q.scale + log(2 * q.scale) - p.entropy()


@register_kl(Cauchy, Cauchy)
def _cauchys(p, q):
    return log(((p.scale + q.scale) ** 2 + (p.loc - q.loc) ** 2) / (4 * p.scale * q.scale))


@register_kl(HalfCauchy, HalfCauchy)
def _half_cauchys(p, q):
    return log((p.scale + q.scale) ** 2 / (4 * p.scale * q.scale))


@register_kl(Gumbel, Gumbel)
def _gumbels(p, q):
    ratio, apart = p.scale / q.scale, (p.loc - q.loc) / q.scale
    return apart - log(ratio) + (ratio - 1) * EULER + exp(lgamma(1 + ratio) - apart) - 1


@register_kl(Uniform, Uniform)
def _uniforms(p, q):
    return _or_inf((q.low <= p.low) & (q.high >= p.high), log((q.high - q.low) / (p.high - p.low)))


@register_kl(Exponential, Exponential)
def _exponentials(p, q):
    ratio = q.rate / p.rate
    return ratio - 1 - log(ratio)


@register_kl(Gamma, Gamma)
@register_kl(InverseGamma, InverseGamma)
def _gammas(p, q):
    ratio = q.rate / p.rate
    return ((p.concentration - q.concentration) * digamma(p.concentration) + lgamma(q.concentration)
            - lgamma(p.concentration) - q.concentration * log(ratio) + p.concentration * (ratio - 1))


@register_kl(Gamma, Exponential)
def _gamma_exponential(p, q):
    return -p.entropy() - log(q.rate) + q.rate * p.mean


@register_kl(Weibull, Weibull)
def _weibulls(p, q):
    k, l = p.concentration, q.concentration
    logs = log(p.scale) - log(q.scale)
    return log(k / l) - l * logs + (l / k - 1) * EULER + exp(l * logs + lgamma(l / k + 1)) - 1


@register_kl(Pareto, Pareto)
def _paretos(p, q):
    ratio = q.alpha / p.alpha
    return _or_inf(p.scale >= q.scale, q.alpha * log(p.scale / q.scale) - log(ratio) + ratio - 1)


@register_kl(Dirichlet, Dirichlet)
def _dirichlets(p, q):
    a, b = p.concentration, q.concentration
    whole = digamma(a.sum(-1, keepdims=True))
    return (lgamma(a.sum(-1)) - lgamma(b.sum(-1)) + total_of(lgamma(b) - lgamma(a), axis=-1)
            + total_of((a - b) * (digamma(a) - whole), axis=-1))


@register_kl(Beta, Beta)
def _betas(p, q):
    return _dirichlets(Dirichlet(p._pair, validate_args=False), Dirichlet(q._pair, validate_args=False))


# Discrete ----------------------------------------------------------------------------------------------
def _shared(p, q):
    """p log(p / q), 0 where p is 0 and infinite where q alone is."""
    return where(p == 0, 0.0, _or_inf(q > 0, xlogy(p, p) - xlogy(p, where(q > 0, q, 1.0))))


@register_kl(Bernoulli, Bernoulli)
def _bernoullis(p, q):
    if "logits" in q._given:  # exact where a probability rounds to 0 or 1
        return -p.entropy() + softplus(q.logits) - p.probs * q.logits
    return _shared(p.probs, q.probs) + _shared(1 - p.probs, 1 - q.probs)


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p, q):
    return -p.entropy() - xlogy(p.probs, q.rate) + q.rate


@register_kl(Binomial, Binomial)
def _binomials(p, q):
    if (p.total_count < q.total_count).any().item():
        raise NotImplementedError("KL between Binomials has no closed form where the second total_count is larger")
    each = _shared(p.probs, q.probs) + _shared(1 - p.probs, 1 - q.probs)
    return _or_inf(p.total_count == q.total_count, p.total_count * each)


@register_kl(Geometric, Geometric)
def _geometrics(p, q):
    return -p.entropy() - q._of_successes(1.0) - q._of_failures(p.mean)


@register_kl(Poisson, Poisson)
def _poissons(p, q):
    return _shared(p.rate, q.rate) - p.rate + q.rate


@register_kl(Categorical, Categorical)
@register_kl(OneHotCategorical, OneHotCategorical)
def _categoricals(p, q):
    if "probs" in q._given:
        return total_of(_shared(p.probs, q.probs), axis=-1)
    share = p.probs
    absent = share == 0
    return total_of(where(absent, 0.0, share * (where(absent, 0.0, p.logits) - where(absent, 0.0, q.logits))), axis=-1)


@register_kl(Multinomial, Multinomial)
def _multinomials(p, q):
    if p.total_count != q.total_count:
        raise NotImplementedError("KL between Multinomials of different total_count has no closed form")
    return p.total_count * _categoricals(p, q)


# Of vectors ------------------------------------------------------------------------------------------------
@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _multivariate_normals(p, q):
    if p.event_shape != q.event_shape:
        raise ValueError(f"KL: expected equal event shapes, got {p.event_shape} and {q.event_shape}")
    mine, theirs = p.scale_tril, q.scale_tril
    z = solved(theirs, p.loc - q.loc)
    spread = linalg.solve_triangular(*broadcast_arrays(theirs, mine))
    squares = total_of(spread**2, axis=(-2, -1)) + total_of(z * z, axis=-1)
    return half_log_det(theirs) - half_log_det(mine) + 0.5 * (squares - p.event_shape[0])


@register_kl(Independent, Independent)
def _independents(p, q):
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("KL between Independents: expected equal reinterpreted_batch_ndims, got "
                                  f"{p.reinterpreted_batch_ndims} and {q.reinterpreted_batch_ndims}")
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p, q):
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("KL between TransformedDistributions: expected equal transforms and event shapes, "
                                  f"got {p} and {q}")
    return kl_divergence(p.base_dist, q.base_dist)
