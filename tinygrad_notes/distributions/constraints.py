"""Constraints: the sets of values that parameters and draws may take. `check` answers element by element.

`real`, `positive` and the like are ready to use; `greater_than(low)`, `interval(low, high)` and the like are made with
their limits, numbers or Tensors.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..ops import all as all_true
from ..ops import any as any_true
from ..ops import concat, expand_dims, full, linalg, matrix_transpose, tril, unstack
from ..ops import stack as stacked

if TYPE_CHECKING:
    from ..autograd import Tensor

    Limit = float | Tensor

__all__ = [
    "Constraint", "MixtureSameFamilyConstraint", "boolean", "cat", "corr_cholesky", "dependent", "dependent_property",
    "greater_than", "greater_than_eq", "half_open_interval", "independent", "integer_interval", "interval",
    "is_dependent", "less_than", "lower_cholesky", "lower_triangular", "multinomial", "nonnegative",
    "nonnegative_integer", "one_hot", "positive", "positive_definite", "positive_integer", "positive_semidefinite",
    "real", "real_vector", "simplex", "square", "stack", "symmetric", "unit_interval",
]


class Constraint:
    """A set of values.

    Attributes:
        is_discrete: whether its values lie apart.
        event_dim: how many of the last axes make up one value.
        words: what it holds, for messages.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.constraints.positive.check(tn.tensor([1.0, -1.0]))
        tensor([ True, False])
    """

    is_discrete: bool = False
    event_dim: int = 0
    words: str = "other values"

    def check(self, value: Tensor) -> Tensor:
        """Whether each value is in the set: a bool Tensor without the last `event_dim` axes."""
        raise NotImplementedError(f"{type(self).__name__} defines no check")

    def __repr__(self) -> str:
        return f"<{self.words}>"


def _shown(limit):
    return f"{limit:g}" if isinstance(limit, (int, float)) else str(limit.item()) if limit.size == 1 else "its limits"


# Numbers ----------------------------------------------------------------------------------
class _Real(Constraint):
    words = "numbers, not nan"

    def check(self, value):
        return value == value  # nan alone differs from itself


class _Boolean(Constraint):
    is_discrete, words = True, "0 or 1"

    def check(self, value):
        return (value == 0) | (value == 1)


class greater_than(Constraint):
    """Numbers above a limit.

    Args:
        lower_bound: the limit, left out.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.constraints.greater_than(1.0)
        <numbers > 1>
    """

    def __init__(self, lower_bound: Limit) -> None:
        self.lower_bound = lower_bound
        self.words = f"numbers > {_shown(lower_bound)}"

    def check(self, value: Tensor) -> Tensor:
        return value > self.lower_bound


class greater_than_eq(Constraint):
    """Numbers from a limit up.

    Args:
        lower_bound: the limit.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.constraints.greater_than_eq(1.0)
        <numbers >= 1>
    """

    def __init__(self, lower_bound: Limit) -> None:
        self.lower_bound = lower_bound
        self.words = f"numbers >= {_shown(lower_bound)}"

    def check(self, value: Tensor) -> Tensor:
        return value >= self.lower_bound


class less_than(Constraint):
    """Numbers below a limit.

    Args:
        upper_bound: the limit, left out.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.constraints.less_than(1.0)
        <numbers < 1>
    """

    def __init__(self, upper_bound: Limit) -> None:
        self.upper_bound = upper_bound
        self.words = f"numbers < {_shown(upper_bound)}"

    def check(self, value: Tensor) -> Tensor:
        return value < self.upper_bound


class interval(Constraint):
    """Numbers between two limits, the limits included.

    Args:
        lower_bound, upper_bound: the limits.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.constraints.interval(0.0, 2.0)
        <numbers in [0, 2]>
    """

    def __init__(self, lower_bound: Limit, upper_bound: Limit) -> None:
        self.lower_bound, self.upper_bound = lower_bound, upper_bound
        self.words = f"numbers in [{_shown(lower_bound)}, {_shown(upper_bound)}]"

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value <= self.upper_bound)


class half_open_interval(interval):
    """Numbers from one limit up to below another.

    Args:
        lower_bound, upper_bound: the limits; the upper is left out.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.constraints.half_open_interval(0.0, 2.0)
        <numbers in [0, 2)>
    """

    def __init__(self, lower_bound: Limit, upper_bound: Limit) -> None:
        super().__init__(lower_bound, upper_bound)
        self.words = self.words[:-1] + ")"

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value < self.upper_bound)


class integer_interval(interval):
    """Whole numbers between two limits, the limits included.

    Args:
        lower_bound, upper_bound: the limits.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.constraints.integer_interval(0, 2)
        <whole numbers in [0, 2]>
    """

    is_discrete = True

    def __init__(self, lower_bound: Limit, upper_bound: Limit) -> None:
        super().__init__(lower_bound, upper_bound)
        self.words = f"whole {self.words}"

    def check(self, value: Tensor) -> Tensor:
        return (value % 1 == 0) & super().check(value)


class _WholeFrom(greater_than_eq):
    is_discrete = True

    def __init__(self, lower_bound):
        super().__init__(lower_bound)
        self.words = f"whole {self.words}"

    def check(self, value):
        return (value % 1 == 0) & super().check(value)


# Vectors ------------------------------------------------------------------------------------
class _Simplex(Constraint):
    event_dim, words = 1, "numbers >= 0 that sum to 1 along the last axis"

    def check(self, value):
        return all_true(value >= 0, axis=-1) & (abs(value.sum(-1) - 1) < 1e-6 * max(1.0, value.shape[-1] ** 0.5))


class _OneHot(Constraint):
    is_discrete, event_dim, words = True, 1, "one 1 and else zeros along the last axis"

    def check(self, value):
        return all_true((value == 0) | (value == 1), axis=-1) & (value.sum(-1) == 1)


class multinomial(Constraint):
    """Counts along the last axis that sum to a number.

    Args:
        upper_bound: the sum.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.constraints.multinomial(3).check(tn.tensor([1.0, 2.0]))
        tensor(True)
    """

    is_discrete, event_dim = True, 1

    def __init__(self, upper_bound: int) -> None:
        self.upper_bound = upper_bound
        self.words = f"whole numbers >= 0 that sum to {upper_bound} along the last axis"

    def check(self, value: Tensor) -> Tensor:
        return all_true((value >= 0) & (value % 1 == 0), axis=-1) & (value.sum(-1) == self.upper_bound)


class independent(Constraint):
    """A constraint on each number of an event: it holds when it holds everywhere along the last axes.

    Args:
        base_constraint: the constraint on each.
        reinterpreted_batch_ndims: how many axes become part of an event.

    Example:
        >>> import tinygrad_notes as tn
        >>> c = tn.distributions.constraints
        >>> c.independent(c.positive, 1).check(tn.tensor([[1.0, 2.0], [1.0, 0.0]]))
        tensor([ True, False])
    """

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims
        self.is_discrete, self.words = base_constraint.is_discrete, base_constraint.words
        self.event_dim = base_constraint.event_dim + reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        if value.ndim < self.event_dim:
            raise ValueError(f"expected at least {self.event_dim} axes, got shape {value.shape}")
        found = self.base_constraint.check(value)
        return all_true(found, axis=tuple(range(-self.reinterpreted_batch_ndims, 0))) if \
            self.reinterpreted_batch_ndims else found


# Matrices -------------------------------------------------------------------------------------
def _everywhere(condition):
    return all_true(condition, axis=(-2, -1))


class _Square(Constraint):
    event_dim, words = 2, "square matrices"

    def check(self, value):
        return full(value.shape[:-2], value.shape[-1] == value.shape[-2], device=value.device)


class _LowerTriangular(Constraint):
    event_dim, words = 2, "lower triangular matrices"

    def check(self, value):
        return _everywhere(value == tril(value))


class _LowerCholesky(_LowerTriangular):
    words = "lower triangular matrices with a positive diagonal"

    def check(self, value):
        return super().check(value) & all_true(value.diagonal(axis1=-2, axis2=-1) > 0, axis=-1)


class _CorrCholesky(_LowerCholesky):
    words = "Cholesky factors of correlation matrices: lower triangular, a positive diagonal, rows of length 1"

    def check(self, value):
        return super().check(value) & all_true(abs((value * value).sum(-1) - 1) < 1e-4, axis=-1)


class _Symmetric(_Square):
    words = "symmetric matrices"

    def check(self, value):
        if value.shape[-1] != value.shape[-2]:
            return super().check(value)
        return _everywhere(abs(value - matrix_transpose(value)) <= 1e-6 + 1e-5 * abs(value))


class _PositiveDefinite(_Symmetric):
    words = "symmetric matrices with positive eigenvalues"

    def check(self, value):
        fine = super().check(value)
        if value.shape[-1] != value.shape[-2]:
            return fine
        return fine & all_true(linalg.eigvalsh(value.detach()) > 0, axis=-1)


class _PositiveSemidefinite(_Symmetric):
    words = "symmetric matrices without negative eigenvalues"

    def check(self, value):
        fine = super().check(value)
        if value.shape[-1] != value.shape[-2]:
            return fine
        values = linalg.eigvalsh(value.detach())
        return fine & all_true(values >= -1e-6 * abs(values).max(-1, keepdims=True), axis=-1)


# Several in one tensor ---------------------------------------------------------------------------
class cat(Constraint):
    """Different constraints on pieces of a tensor along one axis.

    Args:
        cseq: one constraint per piece.
        dim: the axis.
        lengths: the length of each piece; default 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> c = tn.distributions.constraints
        >>> c.cat([c.positive, c.real], lengths=[1, 2]).check(tn.tensor([1.0, -2.0, 3.0]))
        tensor([True, True, True])
    """

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0, lengths: Sequence[int] | None = None) -> None:
        self.cseq, self.dim = list(cseq), dim
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        self.is_discrete = any(c.is_discrete for c in self.cseq)
        self.event_dim = max(c.event_dim for c in self.cseq)
        self.words = ", then ".join(c.words for c in self.cseq)

    def check(self, value: Tensor) -> Tensor:
        found, start = [], 0
        for constraint, length in zip(self.cseq, self.lengths):
            key: list[Any] = [slice(None)] * value.ndim
            key[self.dim] = slice(start, start + length)
            found.append(constraint.check(value[tuple(key)]))
            start += length
        return concat(found, axis=self.dim)


class stack(Constraint):
    """Different constraints on the layers of a tensor along one axis.

    Args:
        cseq: one constraint per layer.
        dim: the axis.

    Example:
        >>> import tinygrad_notes as tn
        >>> c = tn.distributions.constraints
        >>> c.stack([c.positive, c.real]).check(tn.tensor([1.0, -2.0]))
        tensor([True, True])
    """

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0) -> None:
        self.cseq, self.dim = list(cseq), dim
        self.is_discrete = any(c.is_discrete for c in self.cseq)
        self.event_dim = max(c.event_dim for c in self.cseq)
        self.words = ", then ".join(c.words for c in self.cseq)

    def check(self, value: Tensor) -> Tensor:
        parts = unstack(value, axis=self.dim)
        return stacked([c.check(v) for c, v in zip(self.cseq, parts)], axis=self.dim)


class MixtureSameFamilyConstraint(Constraint):
    """Where a mixture has mass: in the support of any of its components.

    Args:
        base_constraint: the support of the components, whose last batch axis runs over the mixture.

    Example:
        >>> import tinygrad_notes as tn
        >>> c = tn.distributions.constraints
        >>> c.MixtureSameFamilyConstraint(c.interval(tn.tensor([0.0, 2.0]), tn.tensor([1.0, 3.0]))).check(
        ...     tn.tensor([0.5, 1.5, 2.5]))
        tensor([ True, False,  True])
    """

    def __init__(self, base_constraint: Constraint) -> None:
        self.base_constraint = base_constraint
        self.is_discrete, self.event_dim = base_constraint.is_discrete, base_constraint.event_dim
        self.words = base_constraint.words

    def check(self, value: Tensor) -> Tensor:
        return any_true(self.base_constraint.check(expand_dims(value, axis=-1 - self.event_dim)), axis=-1)


# What depends on parameters -------------------------------------------------------------------------
class _Dependent(Constraint):
    """Stands for a constraint that depends on other parameters; it cannot be checked alone."""

    def __init__(self, *, is_discrete=False, event_dim=0):
        self.is_discrete, self.event_dim = is_discrete, event_dim
        self.words = "values that depend on other parameters"

    def __call__(self, *, is_discrete=False, event_dim=0):
        return _Dependent(is_discrete=is_discrete, event_dim=event_dim)

    def check(self, value):
        raise ValueError("a constraint that depends on other parameters cannot be checked alone")


class dependent_property(property):
    """A property of a distribution that is a constraint made from its parameters.

    Args:
        fn: the function of the distribution.
        is_discrete, event_dim: what is known of the constraint beforehand.

    Example:
        >>> import tinygrad_notes as tn
        >>> isinstance(tn.distributions.Uniform.support, tn.distributions.constraints.dependent_property)
        True
    """

    def __init__(self, fn: Any = None, *, is_discrete: bool = False, event_dim: int = 0) -> None:
        super().__init__(fn)
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def __call__(self, fn: Any) -> dependent_property:
        return dependent_property(fn, is_discrete=self.is_discrete, event_dim=self.event_dim)


def is_dependent(constraint: Any) -> bool:
    """Whether a constraint depends on parameters, so that it cannot be checked alone.

    Args:
        constraint: a `Constraint`.

    Returns:
        True or False.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.constraints.is_dependent(tn.distributions.constraints.dependent)
        True
    """
    return isinstance(constraint, (_Dependent, dependent_property))


real, boolean, dependent = _Real(), _Boolean(), _Dependent()
real_vector = independent(real, 1)
positive, nonnegative, unit_interval = greater_than(0.0), greater_than_eq(0.0), interval(0.0, 1.0)
nonnegative_integer, positive_integer = _WholeFrom(0), _WholeFrom(1)
simplex, one_hot = _Simplex(), _OneHot()
square, symmetric, lower_triangular = _Square(), _Symmetric(), _LowerTriangular()
lower_cholesky, corr_cholesky = _LowerCholesky(), _CorrCholesky()
positive_definite, positive_semidefinite = _PositiveDefinite(), _PositiveSemidefinite()
