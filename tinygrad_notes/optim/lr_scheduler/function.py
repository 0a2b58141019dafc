"""Rates by a function of the step number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..options import per_group
from .base import LRScheduler, checked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..optimizer import Optimizer


class _ByFunction(LRScheduler):
    """A schedule with a function per group."""

    functions = ("lr_lambdas",)

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = per_group("lr_lambda", lr_lambda, checked(optimizer), "function")
        for f in self.lr_lambdas:
            if not callable(f):
                raise TypeError(f"lr_lambda: expected a function of the step number, got {type(f).__name__}")
        super().__init__(optimizer, last_epoch)


class LambdaLR(_ByFunction):
    """Rate base * lr_lambda(t).

    Args:
        optimizer: the optimizer whose rates are set.
        lr_lambda: function of the step number that returns a factor; one, or one per group.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: the number of functions is not that of the groups.
        TypeError: it is no function, or `optimizer` is not an Optimizer.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.LambdaLR(opt, lambda t: 1 / (1 + t))
        >>> for _ in range(3): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.2
    """

    def rate(self, lr, base, group):
        return base * self.lr_lambdas[group](self.last_epoch)


class MultiplicativeLR(_ByFunction):
    """Rate lr * lr_lambda(t) at every step after the first.

    Args:
        optimizer: the optimizer whose rates are set.
        lr_lambda: function of the step number that returns a factor; one, or one per group.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: the number of functions is not that of the groups.
        TypeError: it is no function, or `optimizer` is not an Optimizer.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.MultiplicativeLR(opt, lambda t: 0.5)
        >>> for _ in range(3): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.1
    """

    def rate(self, lr, base, group):
        return lr if self._is_initial else lr * self.lr_lambdas[group](self.last_epoch)
