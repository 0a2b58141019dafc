"""From a constraint to a transform onto it: `biject_to` and `transform_to`."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import constraints as c
from .constraints import Constraint
from .transform import AffineTransform, ExpTransform, SigmoidTransform, Transform
from .transform_structure import (
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    SoftmaxTransform,
    StackTransform,
    StickBreakingTransform,
    identity_transform,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """A table from constraints to transforms of all numbers onto what they allow.

    Example:
        >>> import tinygrad_notes as tn
        >>> d = tn.distributions
        >>> scale = d.transform_to(d.Normal.arg_constraints["scale"])(tn.tensor(0.0))
        >>> scale
        tensor(1.)
    """

    def __init__(self) -> None:
        self._table: dict[type, Callable[..., Transform]] = {}

    def register(self, constraint: Any, factory: Callable[..., Transform] | None = None) -> Any:
        """Enter a function of the constraint that makes a transform; without `factory`, a decorator.

        Raises:
            TypeError: `constraint` is neither a Constraint nor a class of them.
        """
        kind = type(constraint) if isinstance(constraint, Constraint) else constraint
        if not (isinstance(kind, type) and issubclass(kind, Constraint)):
            raise TypeError(f"constraint: expected a Constraint or a class of them, got {constraint!r}")
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        self._table[kind] = factory
        return factory

    def __call__(self, constraint: Constraint) -> Transform:
        """The transform onto what a constraint allows.

        Raises:
            NotImplementedError: none is registered for its class.
        """
        if type(constraint) not in self._table:
            raise NotImplementedError(f"no transform to {constraint.words} ({type(constraint).__name__}) is registered")
        return self._table[type(constraint)](constraint)


biject_to, transform_to = ConstraintRegistry(), ConstraintRegistry()


def _interval(constraint):
    low, high = constraint.lower_bound, constraint.upper_bound
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and (low, high) == (0, 1):
        return SigmoidTransform()
    return ComposeTransform([SigmoidTransform(), AffineTransform(low, high - low)])


def _above(constraint):
    low = constraint.lower_bound
    if isinstance(low, (int, float)) and low == 0:
        return ExpTransform()
    return ComposeTransform([ExpTransform(), AffineTransform(low, 1)])


for _registry in (biject_to, transform_to):
    _registry.register(c.real, lambda constraint: identity_transform)
    _registry.register(c.independent, lambda constraint, onto=_registry: IndependentTransform(
        onto(constraint.base_constraint), constraint.reinterpreted_batch_ndims))
    for _kind in (c.greater_than, c.greater_than_eq):
        _registry.register(_kind, _above)
    _registry.register(c.interval, _interval)
    _registry.register(c.half_open_interval, _interval)
    _registry.register(c.less_than, lambda constraint: ComposeTransform(
        [ExpTransform(), AffineTransform(constraint.upper_bound, -1)]))
    _registry.register(c.corr_cholesky, lambda constraint: CorrCholeskyTransform())
    _registry.register(c.cat, lambda constraint, onto=_registry: CatTransform(
        [onto(part) for part in constraint.cseq], constraint.dim, constraint.lengths))
    _registry.register(c.stack, lambda constraint, onto=_registry: StackTransform(
        [onto(part) for part in constraint.cseq], constraint.dim))
biject_to.register(c.simplex, lambda constraint: StickBreakingTransform())
transform_to.register(c.simplex, lambda constraint: SoftmaxTransform())
transform_to.register(c.lower_cholesky, lambda constraint: LowerCholeskyTransform())
transform_to.register(c.positive_definite, lambda constraint: PositiveDefiniteTransform())
transform_to.register(c.positive_semidefinite, lambda constraint: PositiveDefiniteTransform())
