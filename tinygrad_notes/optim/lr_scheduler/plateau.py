"""Rates that fall when a measure has stopped to improve."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..options import in_range, number, one_of, per_group
from .base import LRScheduler, checked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...autograd import Tensor
    from ..optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """Rate times `factor` when a measure has not improved for `patience` steps.

    Better than the best so far, with threshold h: 'rel' m < best (1 - h) or m > best (1 + h), 'abs' m < best - h or
    m > best + h. These are PyTorch's rules: with 'rel' and a measure below zero, h works the other way.

    Args:
        optimizer: the optimizer to schedule.
        mode: 'min' or 'max', the better direction.
        factor: in [0, 1).
        patience: steps without improvement that are tolerated.
        threshold, threshold_mode: what counts as better: by a share ('rel') or an amount ('abs').
        cooldown: steps after a reduction during which nothing is counted.
        min_lr: lower bound, a number or one per group.
        eps: a smaller change of the rate is not made.

    Raises:
        ValueError: an option is out of range.
        TypeError: `optimizer` is not an Optimizer.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> schedule = tn.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=0)
        >>> for loss in (3.0, 2.0, 2.0): opt.step(); schedule.step(loss)
        >>> opt.param_groups[0]["lr"]
        0.4
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        checked(optimizer)
        one_of("mode", mode, ("min", "max"))
        one_of("threshold_mode", threshold_mode, ("rel", "abs"))
        in_range("factor", factor, 0, 1, high_open=True)
        for name, value in (("patience", patience), ("threshold", threshold), ("cooldown", cooldown), ("eps", eps)):
            in_range(name, value, 0)
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown, self.eps = threshold, threshold_mode, cooldown, eps
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr
        self.min_lrs = per_group("min_lr", min_lr, optimizer)
        self.best = self.mode_worse = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self._last_lr = [group["lr"] for group in optimizer.param_groups]

    def is_better(self, value: float) -> bool:
        """Whether `value` improves on the best so far."""
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "rel":
            limit = self.best * (1.0 + sign * self.threshold)
        else:
            limit = self.best + sign * self.threshold
        return value > limit if self.mode == "max" else value < limit

    @property
    def in_cooldown(self) -> bool:
        """Whether nothing is counted at present."""
        return self.cooldown_counter > 0

    def step(self, metrics: Tensor | float, epoch: int | None = None) -> None:  # type: ignore[override]
        """Look at the measure of this step and reduce the rate if it is due.

        Raises:
            ValueError: the number of groups has changed and there was a `min_lr` for each.
        """
        value = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self.is_better(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def _reduce(self):
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise ValueError(f"min_lr: {len(self.min_lrs)} were given, the optimizer has {len(groups)} groups now")
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, low in zip(groups, self.min_lrs):
            old = number("lr", group["lr"])
            lr = max(old * self.factor, low)
            if old - lr > self.eps:
                group["lr"] = lr
