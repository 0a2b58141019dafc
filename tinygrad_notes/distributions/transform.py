"""Transforms: invertible maps with the logarithm of the volume they make of a unit of volume."""
from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor
from ..ops import (
    abs,
    broadcast_shapes,
    clip,
    exp,
    expm1,
    finfo,
    full_like,
    log,
    log1p,
    logit,
    sigmoid,
    sign,
    softplus,
    tanh,
    zeros_like,
)
from . import constraints
from .constraints import Constraint
from .distribution import Distribution, sum_rightmost

if TYPE_CHECKING:
    from typing import Self

__all__ = ["AbsTransform", "AffineTransform", "CumulativeDistributionTransform", "ExpTransform", "PowerTransform",
           "SigmoidTransform", "SoftplusTransform", "TanhTransform", "Transform"]


class Transform:
    """Base of all transforms: y = t(x), x = t.inv(y).

    A subclass defines `_call`, `_inverse`, `log_abs_det_jacobian`, its `domain` and `codomain`.

    Args:
        cache_size: 1 to remember the last pair (x, y), so that inverting what was just computed is exact and free; 0
            not to.

    Attributes:
        bijective: whether t.inv(t(x)) = x everywhere.
        sign: +1 if it grows, -1 if it falls, where that can be said.

    Raises:
        ValueError: `cache_size` is neither 0 nor 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> t = tn.distributions.ExpTransform()
        >>> x = tn.tensor([0.0, 2.0])
        >>> t.log_abs_det_jacobian(x, t(x))
        tensor([0., 2.])
    """

    bijective: bool = False
    domain: Constraint = constraints.real
    codomain: Constraint = constraints.real

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError(f"cache_size: expected 0 or 1, got {cache_size!r}")
        self._cache_size = cache_size
        self._last: tuple[Tensor, Tensor] | None = None

    @property
    def event_dim(self) -> int:
        """How many of the last axes it works on together.

        Raises:
            ValueError: that differs between its two sides.
        """
        if self.domain.event_dim != self.codomain.event_dim:
            raise ValueError(f"{type(self).__name__}: it takes events of {self.domain.event_dim} axes and gives events "
                             f"of {self.codomain.event_dim}; ask its domain or codomain")
        return self.domain.event_dim

    @property
    def inv(self) -> Transform:
        """The transform that undoes this one."""
        return Inverse(self)

    @property
    def sign(self) -> Any:
        """+1 if it grows, -1 if it falls."""
        raise NotImplementedError(f"{type(self).__name__} has no sign")

    def with_cache(self, cache_size: int = 1) -> Self:
        """The same transform with another `cache_size`."""
        if cache_size == self._cache_size:
            return self
        new = copy.copy(self)
        Transform.__init__(new, cache_size)
        return new

    def __call__(self, x: Tensor) -> Tensor:
        if self._cache_size and self._last is not None and self._last[0] is x:
            return self._last[1]
        return self._remembered(x, self._call(x))[1]

    def _inv_call(self, y):
        if self._cache_size and self._last is not None and self._last[1] is y:
            return self._last[0]
        return self._remembered(self._inverse(y), y)[0]

    def _remembered(self, x, y):
        if self._cache_size:
            self._last = x, y
        return x, y

    def _call(self, x):
        raise NotImplementedError(f"{type(self).__name__} defines no _call")

    def _inverse(self, y):
        raise NotImplementedError(f"{type(self).__name__} has no inverse")

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log abs(det dy/dx) at x, y = t(x), of the shape of x without the axes of an event."""
        raise NotImplementedError(f"{type(self).__name__} has no log_abs_det_jacobian")

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of y for that of x."""
        return shape

    def inverse_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of x for that of y."""
        return shape

    def _parts(self):
        """What tells two transforms of one class apart."""
        return {k: v for k, v in self.__dict__.items() if k not in ("_cache_size", "_last")}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and _same(self._parts(), other._parts())  # type: ignore[attr-defined]

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._parts().items())})"


def _same(a, b):
    """Whether two parameters are equal, Tensors element by element."""
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return a is b or bool((abs(a - b) == 0).all().item())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b))
    return a == b


class Inverse(Transform):
    """A transform turned around: what `Transform.inv` returns."""

    def __init__(self, transform: Transform) -> None:
        super().__init__()
        self.transform = transform
        self.bijective, self.domain, self.codomain = transform.bijective, transform.codomain, transform.domain

    @property
    def inv(self) -> Transform:
        return self.transform

    @property
    def sign(self) -> Any:
        return self.transform.sign

    def with_cache(self, cache_size: int = 1) -> Inverse:
        return Inverse(self.transform.with_cache(cache_size))

    def __call__(self, x: Tensor) -> Tensor:
        return self.transform._inv_call(x)

    def _inv_call(self, y):
        return self.transform(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self.transform.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return self.transform.inverse_shape(shape)

    def inverse_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return self.transform.forward_shape(shape)

    def __repr__(self) -> str:
        return f"{self.transform!r}.inv"


# Element by element ---------------------------------------------------------------------------
class ExpTransform(Transform):
    """y = exp(x).

    Args:
        cache_size: see `Transform`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.ExpTransform().inv(tn.tensor(1.0))
        tensor(0.)
    """

    bijective, sign, codomain = True, +1, constraints.positive

    def _call(self, x):
        return exp(x)

    def _inverse(self, y):
        return log(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class PowerTransform(Transform):
    """y = x^exponent for positive x.

    Args:
        exponent: number or Tensor, not zero.
        cache_size: see `Transform`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.PowerTransform(2.0)(tn.tensor(3.0))
        tensor(9.)
    """

    bijective, domain, codomain = True, constraints.positive, constraints.positive

    def __init__(self, exponent: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.exponent = exponent

    @property
    def sign(self) -> Any:
        return _sign(self.exponent)

    def _call(self, x):
        return x**self.exponent

    def _inverse(self, y):
        return y ** (1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return log(abs(self.exponent * y / x))

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return broadcast_shapes(shape, getattr(self.exponent, "shape", ()))

    inverse_shape = forward_shape


def _sign(value):
    return sign(value) if isinstance(value, Tensor) else (value > 0) - (value < 0)


class SigmoidTransform(Transform):
    """y = 1 / (1 + exp(-x)).

    Args:
        cache_size: see `Transform`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.SigmoidTransform()(tn.tensor(0.0))
        tensor(0.5000)
    """

    bijective, sign, codomain = True, +1, constraints.unit_interval

    def _call(self, x):
        limits = finfo(x.dtype)
        return clip(sigmoid(x), limits.smallest_normal, 1 - limits.eps)

    def _inverse(self, y):
        return logit(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x) - softplus(x)


class SoftplusTransform(Transform):
    """y = log(1 + exp(x)).

    Args:
        cache_size: see `Transform`.

    Example:
        >>> import tinygrad_notes as tn
        >>> t = tn.distributions.SoftplusTransform()
        >>> t.inv(t(tn.tensor(-2.0)))
        tensor(-2.)
    """

    bijective, sign, codomain = True, +1, constraints.positive

    def _call(self, x):
        return softplus(x)

    def _inverse(self, y):
        return y + log(-expm1(-y))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x)


class TanhTransform(Transform):
    """y = tanh(x).

    Args:
        cache_size: see `Transform`; where tanh is almost 1 only the cache inverts it exactly.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.TanhTransform().log_abs_det_jacobian(tn.tensor(0.0), tn.tensor(0.0))
        tensor(0.)
    """

    bijective, sign, codomain = True, +1, constraints.interval(-1.0, 1.0)

    def _call(self, x):
        return tanh(x)

    def _inverse(self, y):
        return 0.5 * (log1p(y) - log1p(-y))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return 2 * (math.log(2) - x - softplus(-2 * x))


class AbsTransform(Transform):
    """y = abs(x); not bijective: `inv` returns the positive x.

    Args:
        cache_size: see `Transform`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.AbsTransform()(tn.tensor(-2.0))
        tensor(2.)
    """

    codomain = constraints.nonnegative

    def _call(self, x):
        return abs(x)

    def _inverse(self, y):
        return y


class AffineTransform(Transform):
    """y = loc + scale x.

    Args:
        loc: number or Tensor.
        scale: number or Tensor, not zero.
        event_dim: how many of the last axes make up an event, for the volume.
        cache_size: see `Transform`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.AffineTransform(1.0, 2.0).inv(tn.tensor(5.0))
        tensor(2.)
    """

    bijective = True

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim
        self.domain = self.codomain = constraints.independent(constraints.real, event_dim) if event_dim else \
            constraints.real

    @property
    def event_dim(self) -> int:
        return self._event_dim

    @property
    def sign(self) -> Any:
        return _sign(self.scale)

    def _call(self, x):
        return self.loc + self.scale * x

    def _inverse(self, y):
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        if isinstance(self.scale, Tensor):
            logs = log(abs(self.scale)) + zeros_like(x)
        else:
            logs = full_like(x, math.log(math.fabs(self.scale)))
        return sum_rightmost(logs, self._event_dim)

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return broadcast_shapes(shape, *[getattr(v, "shape", ()) for v in (self.loc, self.scale)])

    inverse_shape = forward_shape

    def _parts(self):
        return {"loc": self.loc, "scale": self.scale, **({"event_dim": self._event_dim} if self._event_dim else {})}


class CumulativeDistributionTransform(Transform):
    """y = F(x), the distribution function of a distribution: it makes a uniform variable of its draws.

    Args:
        distribution: with `cdf`, `icdf` and `log_prob`.
        cache_size: see `Transform`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.CumulativeDistributionTransform(tn.distributions.Normal(0.0, 1.0))(tn.tensor(0.0))
        tensor(0.5000)
    """

    bijective, sign, codomain = True, +1, constraints.unit_interval

    def __init__(self, distribution: Distribution, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.distribution = distribution
        self.domain = distribution.support

    def _call(self, x):
        return self.distribution.cdf(x)

    def _inverse(self, y):
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return self.distribution.log_prob(x)
