"""Rates that fall: in steps, exponentially, as a power of time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ..options import in_range
from .base import LRScheduler, checked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..optimizer import Optimizer


class StepLR(LRScheduler):
    """Rate times `gamma` every `step_size` steps: base * gamma^(t // step_size).

    Args:
        optimizer: the optimizer whose rates are set.
        step_size: steps between two reductions, >= 1.
        gamma: the factor.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.StepLR(opt, step_size=2, gamma=0.5)
        >>> for _ in range(4): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.2
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        in_range("step_size", step_size, 1)
        in_range("gamma", gamma, 0)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        return lr * self.gamma if self.last_epoch and self.last_epoch % self.step_size == 0 else lr

    def rate_at(self, t, base, group):
        return base * self.gamma ** (t // self.step_size)


class MultiStepLR(LRScheduler):
    """Rate times `gamma` at each of `milestones`.

    Args:
        optimizer: the optimizer whose rates are set.
        milestones: step numbers; one that is there twice counts twice.
        gamma: the factor.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: `gamma` is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.MultiStepLR(opt, [1, 3], gamma=0.5)
        >>> for _ in range(3): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.2
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        in_range("gamma", gamma, 0)
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        return lr * self.gamma ** self.milestones.get(self.last_epoch, 0)

    def rate_at(self, t, base, group):
        return base * self.gamma ** sum(n for milestone, n in self.milestones.items() if milestone <= t)


class ExponentialLR(LRScheduler):
    """Rate base * gamma^t.

    Args:
        optimizer: the optimizer whose rates are set.
        gamma: the factor.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: `gamma` is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
        >>> for _ in range(3): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.1
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        in_range("gamma", gamma, 0)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        return lr if self._is_initial else lr * self.gamma

    def rate_at(self, t, base, group):
        return base * self.gamma**t


class PolynomialLR(LRScheduler):
    """Rate base * (1 - t / total_iters)^power, and 0 afterwards.

    Args:
        optimizer: the optimizer whose rates are set.
        total_iters: number of steps, >= 1.
        power: exponent of the decay.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.PolynomialLR(opt, total_iters=4)
        >>> for _ in range(3): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.2
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        in_range("total_iters", total_iters, 1)
        in_range("power", power, 0)
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        t, n = self.last_epoch, self.total_iters
        if self._is_initial or t > n:
            return lr
        return lr * ((1 - t / n) / (1 - (t - 1) / n)) ** self.power

    def rate_at(self, t, base, group):
        return base * (1 - min(t, self.total_iters) / self.total_iters) ** self.power


class InverseTimeLR(LRScheduler):
    """Rate base / (1 + t / T): the schedule under which the noise of SGD dies out.

    Args:
        optimizer: the optimizer whose rates are set.
        T: the step at which the rate has halved, > 0.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: `T` is out of range.

    Source: Robbins & Monro 1951, "A stochastic approximation method".

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.InverseTimeLR(opt, T=3)
        >>> for _ in range(3): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.4
    """

    def __init__(self, optimizer: Optimizer, T: float, last_epoch: int = -1) -> None:
        in_range("T", T, 0, low_open=True)
        self.T = T
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        return lr if self._is_initial else lr * (self.T + self.last_epoch - 1) / (self.T + self.last_epoch)

    def rate_at(self, t, base, group):
        return base * self.T / (self.T + t)


class InverseSqrtLR(LRScheduler):
    """Rate base * min((t + 1) / w, sqrt(w / (t + 1))): up in a line for w steps, then down as 1 / sqrt(t).

    Args:
        optimizer: the optimizer whose rates are set.
        warmup_steps: w, the steps until the rate is that of the optimizer, >= 1; with 1 there is no warm-up.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: `warmup_steps` is out of range.

    Source: Vaswani et al. 2017, "Attention is all you need", equation 3; base is d_model^-0.5 w^-0.5 there.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> schedule = tn.optim.lr_scheduler.InverseSqrtLR(opt, warmup_steps=2)
        >>> rates = []
        >>> for _ in range(8): rates.append(round(opt.param_groups[0]["lr"], 3)); opt.step(); schedule.step()
        >>> rates
        [0.4, 0.8, 0.653, 0.566, 0.506, 0.462, 0.428, 0.4]
    """

    def __init__(self, optimizer: Optimizer, warmup_steps: int = 1, last_epoch: int = -1) -> None:
        in_range("warmup_steps", warmup_steps, 1)
        self.warmup_steps = warmup_steps
        super().__init__(checked(optimizer), last_epoch)

    def rate(self, lr, base, group):
        before, now = self._factor(self.last_epoch - 1), self._factor(self.last_epoch)
        return lr * now if self.last_epoch == 0 else lr if self._is_initial else lr * (now / before)

    def rate_at(self, t, base, group):
        return base * self._factor(t)

    def _factor(self, t):
        w = self.warmup_steps
        return min((t + 1) / w, (w / (t + 1)) ** 0.5 if t >= 0 else 0)
