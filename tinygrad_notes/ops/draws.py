"""Draws with one parameter per element: gamma, Dirichlet, Poisson, binomial. They follow `random.py`'s rules.

Gamma and Dirichlet draws carry a gradient to their concentration: `incomplete.moving_gamma`.
"""
import numpy as np

from ..autograd import Tensor, as_tensor
from ..backend import default_float
from .axes import as_shape
from .broadcast import broadcast_to
from .incomplete import moving_dirichlet, moving_gamma
from .losses import holds
from .random import drawn

__all__ = ["binomial", "dirichlet", "poisson", "standard_gamma"]


def _checked(name, argument, value, fine, limit):
    """A floating Tensor all of whose elements are `fine`.

    Raises:
        ValueError: one is not; the message has the first that is not.
    """
    value = as_tensor(value)
    if value.dtype.kind != "f":
        value = value.astype(default_float)
    data = value.data
    if data.size and not holds(fine(data)):
        host = value.device.to_numpy(data).ravel()
        raise ValueError(f"{name}: {argument}: expected {limit}, got {host[~fine(host)][0]}")
    return value


def _spread(name, value, shape):
    """The value broadcast to `shape` (None: as it is)."""
    if shape is None:
        return value
    shape = as_shape(name, shape)
    try:
        fits = np.broadcast_shapes(value.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{name}: parameters of shape {value.shape} do not broadcast to shape {shape}")
    return value if value.shape == shape else broadcast_to(value, shape)


def _draw(name, generator, draw, *values):
    """`draw(stream, *host arrays)` as a Tensor of the dtype and device of the first value."""
    first = values[0]
    hosts = [v.device.to_numpy(v.data) for v in values]
    return Tensor.wrap(drawn(name, generator, first.device, draw, *hosts, first.dtype))


def standard_gamma(concentration, /, shape=None, *, generator=None):
    """Gamma-distributed numbers of rate 1 that move with their concentration.

    Formula: density x^(a-1) e^-x / Gamma(a). The gradient is that of the quantile function at the quantile drawn:
        dx/da = -(dP/da)(a, x) / density(a, x).

    Args:
        concentration: floating tensor of numbers a > 0, one per element.
        shape: the sizes; default: those of `concentration`.
        generator: the stream to draw from; default: the one that `manual_seed` starts.

    Returns:
        Tensor of `shape`, of the dtype of `concentration`, positive.

    Raises:
        ValueError: a number is not positive, or the shapes do not broadcast.

    Source: Figurnov, Mohamed and Mnih 2018, "Implicit reparameterization gradients", equation 5.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.standard_gamma(tn.tensor([0.5, 2.0]), (3, 2)).shape
        (3, 2)
    """
    a = _checked("standard_gamma", "concentration", concentration, lambda a: (a > 0) & (a < np.inf), "numbers > 0")
    a = _spread("standard_gamma", a, shape)
    return moving_gamma(a, _draw("standard_gamma", generator, _gamma, a))


def _log_gamma(stream, a):
    """The logarithm of a gamma draw, by log x(a) = log x(a + 1) + log(u) / a where a is small."""
    small = a < 1
    out = np.log(stream.standard_gamma(np.where(small, a + 1, a)))
    return out - np.where(small, stream.standard_exponential(a.shape) / a, 0)


def _gamma(stream, a, dtype):
    with np.errstate(under="ignore"):
        out = np.asarray(np.exp(_log_gamma(stream, a.astype(np.float64))), dtype=dtype)
    return np.maximum(out, np.finfo(dtype).tiny)


def dirichlet(concentration, /, shape=None, *, generator=None):
    """Dirichlet-distributed vectors along the last axis that move with their concentration.

    Formula: density proportional to prod_i x_i^(a_i - 1) on the simplex. The gradient moves each x_j along the
        quantiles of its marginal, a beta distribution, and shrinks the others in proportion:
        dx_i/da_j = -(dI/da)(a_j, A - a_j; x_j) / density(x_j) (delta_ij - x_i) / (1 - x_j), A = sum a.

    Args:
        concentration: floating tensor (..., K) of numbers a > 0.
        shape: the sizes, ending in K; default: those of `concentration`.
        generator: as for `standard_gamma`.

    Returns:
        Tensor of `shape`, positive, that sums to 1 along the last axis.

    Raises:
        ValueError: a number is not positive, there is no axis, or the shapes do not broadcast.

    Source: Jankowiak and Obermeyer 2018, "Pathwise derivatives beyond the reparameterization trick", section 5.

    Example:
        >>> import tinygrad_notes as tn
        >>> round(tn.dirichlet(tn.tensor([0.5, 2.0, 3.0])).sum().item(), 5)
        1.0
    """
    a = _checked("dirichlet", "concentration", concentration, lambda a: (a > 0) & (a < np.inf), "numbers > 0")
    if not a.ndim:
        raise ValueError("dirichlet: concentration: expected at least one axis, got a number")
    a = _spread("dirichlet", a, shape)
    return moving_dirichlet(a, _draw("dirichlet", generator, _dirichlet, a))


def _dirichlet(stream, a, dtype):
    logs = _log_gamma(stream, a.astype(np.float64))
    with np.errstate(under="ignore"):
        x = np.exp(logs - logs.max(axis=-1, keepdims=True, initial=-np.inf))
        x = (x / x.sum(axis=-1, keepdims=True)).astype(dtype)
    limits = np.finfo(dtype)
    return np.clip(x, limits.tiny, 1 - limits.epsneg if a.shape[-1] > 1 else 1)


def poisson(rate, /, shape=None, *, generator=None):
    """Poisson-distributed counts.

    Formula: P(k) = rate^k e^-rate / k!.

    Args:
        rate: floating tensor of numbers >= 0, one per element.
        shape: the sizes; default: those of `rate`.
        generator: as for `standard_gamma`.

    Returns:
        Tensor of whole numbers in the dtype of `rate`; it carries no gradient.

    Raises:
        ValueError: a number is negative or not finite, or the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.poisson(tn.tensor([0.0, 0.0]))
        tensor([0., 0.])
    """
    rate = _checked("poisson", "rate", rate, lambda r: (r >= 0) & (r < np.inf), "finite numbers >= 0")
    return _draw("poisson", generator, _poisson, _spread("poisson", rate, shape))


def _poisson(stream, rate, dtype):
    return np.asarray(stream.poisson(rate.astype(np.float64)), dtype=dtype)


def binomial(count, prob, /, shape=None, *, generator=None):
    """How many of `count` trials succeed.

    Formula: P(k) = count! / (k! (count - k)!) prob^k (1 - prob)^(count - k).

    Args:
        count: tensor of whole numbers >= 0.
        prob: floating tensor of probabilities; broadcasts with `count`.
        shape: the sizes; default: those of `count` and `prob` together.
        generator: as for `standard_gamma`.

    Returns:
        Tensor of whole numbers in the dtype of `prob`; it carries no gradient.

    Raises:
        ValueError: a count is no whole number >= 0, a probability is outside [0, 1], or shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.binomial(tn.tensor([3.0, 5.0]), tn.tensor([1.0, 0.0]))
        tensor([3., 0.])
    """
    prob = _checked("binomial", "prob", prob, lambda p: (p >= 0) & (p <= 1), "probabilities between 0 and 1")
    count = _checked("binomial", "count", as_tensor(count, like=prob),
                     lambda n: (n >= 0) & (n < np.inf) & (n == n // 1), "whole numbers >= 0")
    shape = np.broadcast_shapes(count.shape, prob.shape) if shape is None else shape
    return _draw("binomial", generator, _binomial, _spread("binomial", prob, shape), _spread("binomial", count, shape))


def _binomial(stream, prob, count, dtype):
    return np.asarray(stream.binomial(count.astype(np.int64), prob.astype(np.float64)), dtype=dtype)


def multinomial_counts(count, probs, shape, generator=None):
    """How often each category comes in `count` draws; `probs` (..., K) broadcasts to `shape`."""
    return _draw("multinomial", generator, _multinomial, _spread("multinomial", probs, shape),
                 Tensor(np.int64(count), device=probs.device))


def _multinomial(stream, probs, count, dtype):
    probs = probs.astype(np.float64)
    return np.asarray(stream.multinomial(int(count), probs / probs.sum(axis=-1, keepdims=True)), dtype=dtype)


def von_mises(loc, concentration, shape, generator=None):
    """Angles in [-pi, pi) around `loc`; both parameters broadcast to `shape`."""
    return _draw("von_mises", generator, _von_mises, _spread("von_mises", loc, shape),
                 _spread("von_mises", concentration, shape))


def _von_mises(stream, loc, concentration, dtype):
    drawn = stream.vonmises(0.0, concentration.astype(np.float64)) + loc.astype(np.float64)
    return np.asarray((drawn + np.pi) % (2 * np.pi) - np.pi, dtype=dtype)
