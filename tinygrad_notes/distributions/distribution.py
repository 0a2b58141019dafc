"""Distribution: the base of all; its parameters, shapes, checks, and what follows from what a subclass defines.

Shapes are sample_shape + batch_shape + event_shape: independent draws, different parameters, the axes of one draw.
"""
from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor, as_tensor, no_grad
from ..backend import default_float
from ..ops import broadcast_shapes, broadcast_to, exp, finfo, maximum, normal, sqrt
from ..ops.axes import as_shape
from ..ops.losses import holds
from . import constraints

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from ..backend import Generator
    from ..typing import ArrayLike, Shape
    from .constraints import Constraint

__all__ = ["Distribution"]


def as_parameters(*values: Any) -> list[Tensor]:
    """Parameters as floating Tensors: numbers take the dtype and device of the first Tensor."""
    like = next((v for v in values if isinstance(v, Tensor)), None)
    known = [v if isinstance(v, (int, float, Tensor)) else as_tensor(v, like=like) for v in values]
    kind = next((v.dtype for v in known if isinstance(v, Tensor) and v.dtype.kind == "f"), default_float)
    device = None if like is None else like.device
    found = [v if isinstance(v, Tensor) else Tensor(v, dtype=kind, device=device) for v in known]
    return [v if v.dtype.kind == "f" else v.astype(kind) for v in found]


def sum_rightmost(x: Tensor, n: int) -> Tensor:
    """The sum over the last `n` axes."""
    return x.sum(tuple(range(-n, 0))) if n else x


class Distribution:
    """Base of all distributions.

    A subclass sets its parameters as attributes, names them with their constraints in `arg_constraints`, has a
    `support`, calls `super().__init__`, and defines those of the methods that it has.

    Args:
        batch_shape: the shape of its parameters, without the axes of an event.
        event_shape: the shape of one draw.
        validate_args: whether parameters and values are checked; None: as `set_default_validate_args` says.

    Attributes:
        has_rsample: whether draws carry gradients to the parameters.
        has_enumerate_support: whether all its values can be listed.

    Raises:
        ValueError: a parameter is outside of its constraint.

    Example:
        >>> import tinygrad_notes as tn
        >>> class Coin(tn.distributions.Distribution):
        ...     arg_constraints = {"heads": tn.distributions.constraints.unit_interval}
        ...     def __init__(self, heads):
        ...         self.heads = tn.tensor(heads)
        ...         super().__init__(self.heads.shape)
        >>> try: Coin(1.5)
        ... except ValueError as error: print(error)
        Coin: heads: expected numbers in [0, 1], got 1.5
    """

    has_rsample: bool = False
    has_enumerate_support: bool = False
    arg_constraints: Mapping[str, Constraint] = {}
    support: Any = constraints.dependent
    _validate_args: bool = True
    _given: Mapping[str, Tensor] = {}  # parameters as they were given: broadcast when read, so no graph is kept

    def __init__(self, batch_shape: Shape = (), event_shape: Shape = (), validate_args: bool | None = None) -> None:
        self._batch_shape = as_shape("batch_shape", batch_shape)
        self._event_shape = as_shape("event_shape", event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            for name, constraint in self.arg_constraints.items():
                if (name in self._given or name in self.__dict__) and not constraints.is_dependent(constraint):
                    self._check(name, *self._checked(name, constraint))

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether parameters and values are checked where `validate_args` is not given.

        Raises:
            ValueError: `value` is no bool.
        """
        if not isinstance(value, bool):
            raise ValueError(f"value: expected True or False, got {value!r}")
        Distribution._validate_args = value

    # Parameters -----------------------------------------------------------------------------
    def _keep(self, **parameters):
        """Keep the parameters; returns the batch shape that they broadcast to.

        Raises:
            ValueError: their shapes do not broadcast.
        """
        self._given = given = dict(zip(parameters, as_parameters(*parameters.values())))
        self._event_shape = ()
        rows = [value.shape[:value.ndim - self._axes_of(name)] for name, value in given.items()]
        try:
            self._batch_shape = broadcast_shapes(*rows)
        except ValueError:
            shown = ", ".join(f"{name} {value.shape}" for name, value in given.items())
            raise ValueError(f"{type(self).__name__}: the shapes of {shown} do not broadcast") from None
        return self._batch_shape

    def _axes_of(self, name):
        """How many of the last axes of a parameter belong to an event."""
        return self.arg_constraints[name].event_dim if name in self.arg_constraints else 0

    def _parameter(self, name):
        """A parameter that was given, broadcast to the batch shape."""
        value = self._given[name]
        shape = self._batch_shape + value.shape[value.ndim - self._axes_of(name):]
        return value if value.shape == shape else broadcast_to(value, shape)

    def __getattr__(self, name: str) -> Any:
        if name in self._given:
            return self._parameter(name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    # Checks ---------------------------------------------------------------------------------
    def _checked(self, name, constraint):
        """The value of a parameter that is checked, and the constraint."""
        return getattr(self, name), constraint

    def _check(self, name, value, constraint):
        """Raise unless all of `value` satisfies the constraint; the message has the first that does not."""
        value = value.detach()
        valid = constraint.check(value)
        if not valid.size or holds(valid.data):
            return
        n = constraint.event_dim
        rows, fine = value.reshape((-1, *value.shape[value.ndim - n:])), valid.reshape(-1)
        bad = next((row for row, ok in zip(rows, fine.tolist()) if not ok), rows)
        shown = bad.item() if not n else f"{bad.tolist()}" if bad.size < 10 else f"a value of shape {bad.shape}"
        raise ValueError(f"{type(self).__name__}: {name}: expected {constraint.words}, got {shown}")

    def _value(self, value: Any, checked: bool = True) -> Tensor:
        """A value as a Tensor that fits the distribution.

        Raises:
            ValueError: its shape does not fit, or it is outside of the support.
        """
        value = as_tensor(value, like=self._like())
        if value.dtype.kind != "f" and not self._takes_integers:
            value = value.astype(self._like().dtype)
        if not self._validate_args:
            return value
        event = self._event_shape
        if value.shape[value.ndim - len(event):] != event or value.ndim < len(event):
            raise ValueError(f"{type(self).__name__}: value: expected a shape that ends in {event}, the shape of one "
                             f"draw, got {value.shape}")
        try:
            broadcast_shapes(value.shape, self._batch_shape + event)
        except ValueError:
            raise ValueError(f"{type(self).__name__}: value: shape {value.shape} does not broadcast with batch and "
                             f"event shape {self._batch_shape + event}") from None
        if checked and not constraints.is_dependent(self.support):
            self._check("value", value, self.support)
        return value

    _takes_integers = False

    def _quantile(self, value):
        """A probability, as the argument of `icdf`."""
        value = as_tensor(value, like=self._like())
        if self._validate_args:
            self._check("value", value, constraints.unit_interval)
        return value

    def _like(self) -> Tensor:
        """A parameter: draws have its dtype and live on its device."""
        return next(iter([*self._given.values(), *[v for v in self.__dict__.values() if isinstance(v, Tensor)]]))

    # Shapes ------------------------------------------------------------------------------------
    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The shape of the parameters, without the axes of an event."""
        return self._batch_shape

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one draw."""
        return self._event_shape

    def _extended_shape(self, sample_shape: Shape = ()) -> tuple[int, ...]:
        """The shape of a sample."""
        shape = as_shape("sample_shape", sample_shape)
        if any(n < 0 for n in shape):
            raise ValueError(f"{type(self).__name__}: sample_shape: expected sizes >= 0, got {shape}")
        return shape + self._batch_shape + self._event_shape

    def expand(self, batch_shape: Shape) -> Self:
        """The same distribution with its parameters broadcast to another batch shape.

        Raises:
            ValueError: the batch shape does not broadcast to it.
        """
        sizes: tuple[int, ...] = as_shape("batch_shape", batch_shape)
        try:
            fits = broadcast_shapes(self._batch_shape, sizes) == sizes
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(f"{type(self).__name__}: batch shape {self._batch_shape} does not broadcast to "
                             f"{sizes}")
        return self._resized(sizes)

    def _resized(self, batch_shape):
        """A copy that has another batch shape."""
        new = copy.copy(self)
        new._batch_shape = batch_shape
        return new

    def _noise(self, how, sample_shape, generator):
        """Standard draws by `how` (normal, uniform or exponential) in the shape of a sample; none is exactly 0."""
        like = self._like()
        drawn = how(self._extended_shape(sample_shape), generator=generator, dtype=like.dtype, device=like.device)
        return drawn if how is normal else maximum(drawn, finfo(like.dtype).smallest_normal)

    # What every distribution has ------------------------------------------------------------------
    def _lacks(self, what):
        return NotImplementedError(f"{type(self).__name__} has no {what}")

    def sample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        """Draws of shape sample_shape + batch_shape + event_shape, without gradient."""
        with no_grad():
            return self.rsample(sample_shape, generator=generator)

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        """Draws that are differentiable functions of the parameters, where `has_rsample`."""
        raise self._lacks("reparameterized draws; use sample and a score-function estimator")

    def log_prob(self, value: ArrayLike) -> Tensor:
        """The logarithm of the density or probability (nats) at each value."""
        raise self._lacks("log_prob")

    def cdf(self, value: ArrayLike) -> Tensor:
        """The probability of a draw up to each value."""
        raise self._lacks("cdf")

    def icdf(self, value: ArrayLike) -> Tensor:
        """The quantile of each probability: the inverse of `cdf`."""
        raise self._lacks("icdf")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values, along a new first axis; with `expand=False` the batch axes have length 1."""
        raise self._lacks("finite support to enumerate")

    def entropy(self) -> Tensor:
        """The entropy (nats), of the batch shape."""
        raise self._lacks("entropy in closed form")

    def perplexity(self) -> Tensor:
        """e to the entropy."""
        return exp(self.entropy())

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise self._lacks("mean")

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        raise self._lacks("mode")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise self._lacks("variance")

    @property
    def stddev(self) -> Tensor:
        """The standard deviation, the square root of the variance."""
        return sqrt(self.variance)

    def __repr__(self) -> str:
        shown = []
        for name in self.arg_constraints:
            if name in self._given:
                value = self._parameter(name)
                shown.append(f"{name}: {value.item() if value.size == 1 else value.shape}")
        return f"{type(self).__name__}({', '.join(shown)})"
