"""What distributions over choices share: a probability given itself or as its logit, and one-hot vectors."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autograd import Tensor
from ..ops import all as all_true
from ..ops import arange, expand_dims, isfinite, log_softmax, sigmoid, softmax, xlog1py, xlogy
from .constraints import Constraint
from .distribution import Distribution

if TYPE_CHECKING:
    from ..typing import DTypeLike

__all__: list[str] = []


def one_hot(index: Tensor, k: int, dtype: DTypeLike) -> Tensor:
    """(...,) integers -> (..., k): 1 at each, else 0."""
    return (expand_dims(index, axis=-1) == arange(k, device=index.device)).astype(dtype)


class Derived:
    """A parameter that is computed where it was not the one given."""

    def __init__(self, make):
        self.make, self.__doc__ = make, make.__doc__

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        return instance._parameter(self.name) if self.name in instance._given else self.make(instance)


def event_axis(distribution: Any, name: str) -> tuple[int, ...]:
    """The last axis of a parameter, as a shape.

    Raises:
        ValueError: it has no axis.
    """
    value = distribution._given[name]
    if not value.ndim:
        raise ValueError(f"{type(distribution).__name__}: {name}: expected at least one axis, got a number")
    return value.shape[-1:]


def given(name, probs, logits):
    """The one of two parameters that was given, by its name.

    Raises:
        ValueError: none or both were given.
    """
    if (probs is None) == (logits is None):
        raise ValueError(f"{name}: expected exactly one of probs and logits, got "
                         f"{'neither' if probs is None else 'both'}")
    return {"probs": probs} if logits is None else {"logits": logits}


class Probability(Distribution):
    """`probs` and `logits` of one probability per element, of which one was given."""

    def _take(self, probs, logits, **others):
        """Keep the given one, and others; returns the batch shape."""
        return self._keep(**given(type(self).__name__, probs, logits), **others)

    @Derived
    def probs(self) -> Tensor:
        """The probability."""
        return sigmoid(self.logits)

    @Derived
    def logits(self) -> Tensor:
        """log(probs / (1 - probs))."""
        return xlogy(1.0, self.probs) - xlog1py(1.0, -self.probs)  # as log, without a warning at 0

    @property
    def param_shape(self) -> tuple[int, ...]:
        """The shape of the parameter."""
        return self._batch_shape


class Weights(Constraint):
    """What can be normalized to probabilities."""

    event_dim, words = 1, "finite numbers >= 0 with a positive sum along the last axis"

    def check(self, value: Tensor) -> Tensor:
        """Whether each row can."""
        return all_true((value >= 0) & isfinite(value), axis=-1) & (value.sum(-1) > 0)


class Probabilities(Distribution):
    """`probs` and `logits` over the last axis, of which one was given, to be normalized."""

    def _take(self, probs, logits, **others):
        """Keep the given one; returns the batch shape and the shape (K,)."""
        self._keep(**given(type(self).__name__, probs, logits), **others)
        (name, *_) = self._given
        return self._batch_shape, event_axis(self, name)

    def _checked(self, name, constraint):
        """Probabilities as they were given, before they are normalized."""
        return (self._parameter(name), Weights()) if name == "probs" else super()._checked(name, constraint)

    @property
    def probs(self) -> Tensor:
        """The probabilities; they sum to 1 along the last axis."""
        if "logits" in self._given:
            return softmax(self._parameter("logits"), axis=-1)
        weights = self._parameter("probs")
        return weights / weights.sum(-1, keepdims=True)

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        if "logits" in self._given:
            return log_softmax(self._parameter("logits"), axis=-1)
        return xlogy(1.0, self.probs)

    @property
    def param_shape(self) -> tuple[int, ...]:
        """The shape of the parameter, (..., K)."""
        return self._batch_shape + self._like().shape[-1:]
