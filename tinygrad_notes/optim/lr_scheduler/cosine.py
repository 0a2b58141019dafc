"""Rates that fall along half a cosine, once or again and again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..options import in_range, whole
from .base import LRScheduler

if TYPE_CHECKING:
    from ..optimizer import Optimizer


class CosineAnnealingLR(LRScheduler):
    """Rate eta_min + (base - eta_min) (1 + cos(pi t / T_max)) / 2; after T_max it rises again.

    Args:
        optimizer: the optimizer whose rates are set.
        T_max: steps from the first rate to the lowest, >= 1.
        eta_min: the lowest rate.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: an option is out of range.

    Source: Loshchilov & Hutter 2017, "SGDR: stochastic gradient descent with warm restarts", equation 5.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=4)
        >>> for _ in range(2): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.4
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        in_range("T_max", T_max, 0, low_open=True)
        in_range("eta_min", eta_min, 0)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        t, n, low = self.last_epoch, self.T_max, self.eta_min
        if self._is_initial:
            return lr
        if (t - 1 - n) % (2 * n) == 0:  # the rate was at its lowest: what follows cannot be had by scaling it
            return lr + (base - low) * (1 - math.cos(math.pi / n)) / 2
        return (1 + math.cos(math.pi * t / n)) / (1 + math.cos(math.pi * (t - 1) / n)) * (lr - low) + low

    def rate_at(self, t, base, group):
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * t / self.T_max)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """Cosine annealing that restarts after T_0 steps, then after T_mult times as many.

    Args:
        optimizer: the optimizer whose rates are set.
        T_0: steps of the first cycle, an int >= 1.
        T_mult: factor between the lengths of cycles, an int >= 1.
        eta_min: the lowest rate.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: `T_0` or `T_mult` is no int >= 1, or `eta_min` no number >= 0.

    Source: Loshchilov & Hutter 2017, "SGDR: stochastic gradient descent with warm restarts".

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=2)
        >>> for _ in range(2): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.8
    """

    T_cur: float
    T_i: int

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        whole("T_0", T_0, 1)
        whole("T_mult", T_mult, 1)
        in_range("eta_min", eta_min, 0)
        self.T_0, self.T_i, self.T_mult, self.eta_min, self.T_cur = T_0, T_0, T_mult, eta_min, last_epoch
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2

    def step(self, epoch: float | None = None) -> None:
        """Move one step on, or to the (fractional) `epoch`.

        Raises:
            ValueError: `epoch` is negative.
        """
        self._step_count += 1
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
        elif epoch < 0:
            raise ValueError(f"epoch: expected a number >= 0, got {epoch!r}")
        else:
            self.T_cur, self.T_i = epoch, self.T_0
        while self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult
        self.last_epoch = math.floor(epoch)
        self._apply(self.get_lr())
