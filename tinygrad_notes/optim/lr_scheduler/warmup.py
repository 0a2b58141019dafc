"""Rates that begin low: constant for a while, or rising in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..options import in_range
from .base import LRScheduler

if TYPE_CHECKING:
    from ..optimizer import Optimizer


class ConstantLR(LRScheduler):
    """Rate base * `factor` for `total_iters` steps, then base.

    Args:
        optimizer: the optimizer whose rates are set.
        factor: in [0, 1]; as the way back divides by it, 0 stays 0.
        total_iters: number of steps.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.ConstantLR(opt, factor=0.5, total_iters=4)
        >>> for _ in range(3): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.4
    """

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        in_range("factor", factor, 0, 1)
        in_range("total_iters", total_iters, 0)
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        if self.last_epoch == 0:
            return lr * self.factor
        if self.last_epoch != self.total_iters:
            return lr
        return lr * (1.0 / self.factor) if self.factor else base

    def rate_at(self, t, base, group):
        return base if t >= self.total_iters else base * self.factor


class LinearLR(LRScheduler):
    """Warm-up: the factor of the rate goes from `start_factor` to `end_factor` in `total_iters` steps.

    Args:
        optimizer: the optimizer whose rates are set.
        start_factor: in (0, 1].
        end_factor: in [0, 1].
        total_iters: number of steps, >= 1.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.LinearLR(opt, start_factor=0.5, total_iters=4)
        >>> for _ in range(2): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.6
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        in_range("start_factor", start_factor, 0, 1, low_open=True)
        in_range("end_factor", end_factor, 0, 1)
        in_range("total_iters", total_iters, 1)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        t, n, start, end = self.last_epoch, self.total_iters, self.start_factor, self.end_factor
        if t == 0:
            return lr * start
        if self._is_initial or t > n:
            return lr
        return lr * (1.0 + (end - start) / (n * start + (t - 1) * (end - start)))

    def rate_at(self, t, base, group):
        n, start, end = self.total_iters, self.start_factor, self.end_factor
        return base * (start + (end - start) * min(n, t) / n)
