"""Rates that go up and down, the momentum moving the other way."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..options import in_range, one_of, per_group, whole
from .base import LRScheduler, checked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..optimizer import Optimizer

MODES = ("triangular", "triangular2", "exp_range")


class _Cycle(LRScheduler):
    """What both share: momentum of the groups, as `momentum` or as the first of `betas`."""

    use_beta1: bool

    def _take_momentum(self, optimizer, base_momentum, max_momentum, last_epoch):
        """Check and note the bounds of the momentum; returns (lows, highs)."""
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError(f"cycle_momentum: {type(optimizer).__name__} has neither momentum nor betas; "
                             "give cycle_momentum=False")
        self.use_beta1 = "betas" in optimizer.defaults
        lows = per_group("base_momentum", base_momentum, optimizer)
        highs = per_group("max_momentum", max_momentum, optimizer)
        for name, values in (("base_momentum", lows), ("max_momentum", highs)):
            for value in values:
                in_range(name, value, 0, 1, high_open=True)
        if last_epoch == -1:
            for group, low, high in zip(optimizer.param_groups, lows, highs):
                self._set_momentum(group, high)
                group["max_momentum"], group["base_momentum"] = high, low
        return lows, highs

    def _set_momentum(self, group, value):
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


class CyclicLR(_Cycle):
    """Rate (and momentum, inversely) up and down between two bounds.

    Args:
        optimizer: the optimizer whose rates are set.
        base_lr, max_lr: the two bounds; a number, or one per group.
        step_size_up, step_size_down: steps up and down, > 0; by default as many down as up.
        mode: 'triangular', 'triangular2' (amplitude halves every cycle) or 'exp_range' (times gamma per step).
        gamma: the factor.
        scale_fn, scale_mode: a function of the cycle ('cycle') or of the step ('iterations') in place of `mode`.
        cycle_momentum, base_momentum, max_momentum: move the momentum the other way.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: an option is out of range, or the optimizer has no momentum to cycle.
        TypeError: `optimizer` is not an Optimizer.

    Source: Smith 2017, "Cyclical learning rates for training neural networks".

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.CyclicLR(opt, base_lr=0.1, max_lr=0.5, step_size_up=4)
        >>> for _ in range(2): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.3
    """

    functions = ("_scale_fn_custom",)

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        checked(optimizer)
        if scale_fn is None:
            one_of("mode", mode, MODES)
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        one_of("scale_mode", scale_mode, ("cycle", "iterations"))
        down = step_size_up if step_size_down is None else step_size_down
        in_range("step_size_up", step_size_up, 0, low_open=True)
        in_range("step_size_down", down, 0, low_open=True)
        lows = per_group("base_lr", base_lr, optimizer)
        self.max_lrs = per_group("max_lr", max_lr, optimizer)
        self.total_size = float(step_size_up) + float(down)
        self.step_ratio = float(step_size_up) / self.total_size
        self.mode, self.gamma, self._scale_fn_custom, self.scale_mode = mode, gamma, scale_fn, scale_mode
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._take_momentum(
                optimizer, base_momentum, max_momentum, last_epoch
            )
        if last_epoch == -1:
            for group, low in zip(optimizer.param_groups, lows):
                group["lr"] = low
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lows

    def scale_fn(self, x: float) -> float:
        """The factor of the amplitude in cycle `x`, or at step `x`."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular2":
            return 1 / 2.0 ** (x - 1)
        return self.gamma**x if self.mode == "exp_range" else 1.0

    def _height(self):
        """How high in the cycle this step is, in [0, 1], times the factor of the amplitude."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        return height * self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)

    def rate(self, lr, base, group):
        return base + (self.max_lrs[group] - base) * self._height()

    def _apply(self, rates):
        super()._apply(rates)
        if self.cycle_momentum:
            for group, low, high in zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums):
                self._set_momentum(group, high - (high - low) * self._height())


class OneCycleLR(_Cycle):
    """One rise of the rate to `max_lr` and one long fall, momentum moving the other way.

    Args:
        optimizer: the optimizer whose rates are set.
        max_lr: the peak; a number, or one per group.
        total_steps: steps of the cycle; or `epochs` times `steps_per_epoch`.
        epochs, steps_per_epoch: see `total_steps`.
        pct_start: share of the steps spent rising, in [0, 1].
        anneal_strategy: 'cos' or 'linear'.
        cycle_momentum, base_momentum, max_momentum: move the momentum the other way.
        div_factor: the first rate is max_lr / div_factor.
        final_div_factor: the last rate is the first over this.
        three_phase: fall as fast as it rose, then to the last rate.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: the number of steps is unknown, an option is out of range, or there is no momentum to cycle.
        TypeError: `optimizer` is not an Optimizer.

    Source: Smith & Topin 2019, "Super-convergence: very fast training of neural networks using large learning rates".

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.OneCycleLR(opt, max_lr=0.5, total_steps=10)
        >>> for _ in range(2): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        checked(optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("total_steps: give it, or both epochs and steps_per_epoch")
            whole("epochs", epochs, 1)
            whole("steps_per_epoch", steps_per_epoch, 1)
            total_steps = epochs * steps_per_epoch
        whole("total_steps", total_steps, 1)
        in_range("pct_start", pct_start, 0, 1)
        in_range("div_factor", div_factor, 0, low_open=True)
        in_range("final_div_factor", final_div_factor, 0, low_open=True)
        one_of("anneal_strategy", anneal_strategy, ("cos", "linear"))
        self.total_steps, self._anneal_func_type = total_steps, anneal_strategy
        rise = pct_start * total_steps
        self._schedule_phases = [_phase(rise - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")]
        if three_phase:
            self._schedule_phases += [
                _phase(2 * rise - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
                _phase(total_steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
            ]
        else:
            self._schedule_phases += [_phase(total_steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")]
        peaks = per_group("max_lr", max_lr, optimizer)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._take_momentum(optimizer, base_momentum, max_momentum, last_epoch)
        if last_epoch == -1:
            for group, peak in zip(optimizer.param_groups, peaks):
                group["initial_lr"], group["max_lr"] = peak / div_factor, peak
                group["min_lr"] = group["initial_lr"] / final_div_factor
        super().__init__(optimizer, last_epoch)

    def _between(self, group, start, end):
        """The value at this step between two entries of the group, named in the phases by `start` and `end`."""
        t, begin = self.last_epoch, 0.0
        if t > self.total_steps:
            raise ValueError(f"step {t} of a one-cycle schedule of {self.total_steps} steps")
        for phase in self._schedule_phases[:-1]:
            if t <= phase["end_step"]:
                break
            begin = phase["end_step"]
        else:
            phase = self._schedule_phases[-1]
        share = (t - begin) / (phase["end_step"] - begin)
        a, b = group[phase[start]], group[phase[end]]
        if self._anneal_func_type == "linear":
            return (b - a) * share + a
        return b + (a - b) / 2.0 * (math.cos(math.pi * share) + 1)

    def rate(self, lr, base, group):
        return self._between(self.optimizer.param_groups[group], "start_lr", "end_lr")

    def _apply(self, rates):
        super()._apply(rates)
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                self._set_momentum(group, self._between(group, "start_momentum", "end_momentum"))


def _phase(end_step, start_lr, end_lr, start_momentum, end_momentum):
    return {
        "end_step": float(end_step),
        "start_lr": start_lr,
        "end_lr": end_lr,
        "start_momentum": start_momentum,
        "end_momentum": end_momentum,
    }
