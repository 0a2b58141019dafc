"""Learning-rate schedules: each step multiplies the rate of every group, so schedules can be chained."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .optimizer import Optimizer
from .options import in_range

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..autograd import Tensor


class LRScheduler:
    """Base of all schedules.

    A schedule defines `rate(lr, base)`: the next rate of a group from its present and its first one.

    Args:
        optimizer: the optimizer whose groups are scheduled.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        TypeError: `optimizer` is not an Optimizer.
        KeyError: `last_epoch` is given but a group has no `initial_lr`.

    Example:
        >>> import tinygrad_notes as tn
        >>> class Halving(tn.optim.lr_scheduler.LRScheduler):
        ...     def rate(self, lr, base, group):
        ...         return base * 0.5 ** self.last_epoch
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> schedule = Halving(opt)
        >>> opt.step(); schedule.step(); opt.param_groups[0]["lr"]
        0.4
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"optimizer: expected an Optimizer, got {type(optimizer).__name__}")
        self.optimizer = optimizer
        for k, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(f"group {k} has no 'initial_lr', which a schedule resumed at {last_epoch} needs")
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._last_lr = [group["lr"] for group in optimizer.param_groups]
        self.step()

    def rate(self, lr, base, group):
        """The rate of group number `group` at step `self.last_epoch`."""
        raise NotImplementedError(f"{type(self).__name__} defines no rate")

    def get_lr(self) -> list[float]:
        """The rates of all groups at step `self.last_epoch`."""
        return [
            self.rate(group["lr"], base, k)
            for k, (group, base) in enumerate(zip(self.optimizer.param_groups, self.base_lrs))
        ]

    def step(self) -> None:
        """Move one step on and set the rates."""
        self.last_epoch += 1
        self._apply(self.get_lr())

    def _apply(self, rates):
        for group, lr in zip(self.optimizer.param_groups, rates):
            group["lr"] = lr
        self._last_lr = list(rates)

    def get_last_lr(self) -> list[float]:
        """The rates set last."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and functions."""
        return {k: v for k, v in self.__dict__.items() if k != "optimizer" and not _is_code(v)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict` of the same schedule."""
        self.__dict__.update({k: v for k, v in state_dict.items() if k != "optimizer"})


def _is_code(value):
    return callable(value) or (isinstance(value, (list, tuple)) and len(value) > 0 and callable(value[0]))


class LambdaLR(LRScheduler):
    """Rate base * lr_lambda(epoch); one function, or one per group.

    Args:
        optimizer: the optimizer whose rates are set.
        lr_lambda: function of the step number that returns a factor; one, or one per group.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: the number of functions is not that of the groups.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.LambdaLR(opt, lambda t: 1 / (1 + t))
        >>> for _ in range(3): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.2
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = _per_group(optimizer, lr_lambda, "lr_lambda")
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        return base * self.lr_lambdas[group](self.last_epoch)


class MultiplicativeLR(LRScheduler):
    """Rate lr * lr_lambda(epoch) at every step after the first.

    Args:
        optimizer: the optimizer whose rates are set.
        lr_lambda: function of the step number that returns a factor; one, or one per group.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: the number of functions is not that of the groups.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.MultiplicativeLR(opt, lambda t: 0.5)
        >>> for _ in range(3): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.1
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = _per_group(optimizer, lr_lambda, "lr_lambda")
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        return lr * self.lr_lambdas[group](self.last_epoch) if self.last_epoch > 0 else lr


class StepLR(LRScheduler):
    """Rate times `gamma` every `step_size` steps.

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
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        return lr * self.gamma if self.last_epoch and self.last_epoch % self.step_size == 0 else lr


class MultiStepLR(LRScheduler):
    """Rate times `gamma` at each of `milestones`.

    Args:
        optimizer: the optimizer whose rates are set.
        milestones: step numbers.
        gamma: the factor.
        last_epoch: index of the last step taken; -1 to begin.

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
        milestones: Sequence[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        return lr * self.gamma ** self.milestones.count(self.last_epoch)


class ConstantLR(LRScheduler):
    """Rate base * `factor` for `total_iters` steps, then base.

    Args:
        optimizer: the optimizer whose rates are set.
        factor: in [0, 1].
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
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        if self.last_epoch == 0:
            return lr * self.factor
        return lr / self.factor if self.last_epoch == self.total_iters else lr


class LinearLR(LRScheduler):
    """Warm-up: the factor of the rate goes from `start_factor` to `end_factor` in `total_iters` steps.

    Args:
        optimizer: the optimizer whose rates are set.
        start_factor: in (0, 1].
        end_factor: in [0, 1].
        total_iters: number of steps.
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
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        t, n, start, end = self.last_epoch, self.total_iters, self.start_factor, self.end_factor
        if t == 0:
            return lr * start
        if t > n:
            return lr
        return lr * (1 + (end - start) / (n * start + (t - 1) * (end - start)))


class ExponentialLR(LRScheduler):
    """Rate base * gamma^epoch.

    Args:
        optimizer: the optimizer whose rates are set.
        gamma: the factor.
        last_epoch: index of the last step taken; -1 to begin.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
        >>> for _ in range(3): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.1
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        return lr * self.gamma if self.last_epoch else lr


class InverseTimeLR(LRScheduler):
    """Rate base / (1 + epoch / T): the schedule under which the noise of SGD dies out.

    Args:
        optimizer: the optimizer whose rates are set.
        T: the step at which the rate has halved, > 0.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: an option is out of range.

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
        return lr * (self.T + self.last_epoch - 1) / (self.T + self.last_epoch) if self.last_epoch else lr


class PolynomialLR(LRScheduler):
    """Rate base * (1 - epoch / total_iters)^power.

    Args:
        optimizer: the optimizer whose rates are set.
        total_iters: number of steps.
        power: exponent of the decay.
        last_epoch: index of the last step taken; -1 to begin.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.PolynomialLR(opt, total_iters=4)
        >>> for _ in range(3): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.2
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        t, n = self.last_epoch, self.total_iters
        if t == 0 or t > n:
            return lr
        return lr * ((1 - t / n) / (1 - (t - 1) / n)) ** self.power


class CosineAnnealingLR(LRScheduler):
    """Rate eta_min + (base - eta_min) (1 + cos(pi epoch / T_max)) / 2.

    Args:
        optimizer: the optimizer whose rates are set.
        T_max: steps from the first rate to the lowest.
        eta_min: the lowest rate.
        last_epoch: index of the last step taken; -1 to begin.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=4)
        >>> for _ in range(2): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.4
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        t, n, low = self.last_epoch, self.T_max, self.eta_min
        if t == 0:
            return lr
        if (t - 1 - n) % (2 * n) == 0:
            return lr + (base - low) * (1 - math.cos(math.pi / n)) / 2
        return (1 + math.cos(math.pi * t / n)) / (1 + math.cos(math.pi * (t - 1) / n)) * (lr - low) + low


class CosineAnnealingWarmRestarts(LRScheduler):
    """Cosine annealing that restarts after T_0 steps, then after T_mult times as many.

    Args:
        optimizer: the optimizer whose rates are set.
        T_0: steps of the first cycle, an int >= 1.
        T_mult: factor between the lengths of cycles, an int >= 1.
        eta_min: the lowest rate.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: `T_0` or `T_mult` is no int >= 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=2)
        >>> for _ in range(2): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.8
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if not isinstance(T_0, int) or T_0 <= 0 or not isinstance(T_mult, int) or T_mult < 1:
            raise ValueError(f"T_0, T_mult: expected ints >= 1, got {T_0!r}, {T_mult!r}")
        self.T_0, self.T_i, self.T_mult, self.eta_min, self.T_cur = T_0, T_0, T_mult, eta_min, last_epoch
        super().__init__(optimizer, last_epoch)

    def rate(self, lr, base, group):
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2

    def step(self, epoch: float | None = None) -> None:
        """Move one step on, or to the (fractional) `epoch`."""
        if epoch is None:
            self.T_cur += 1
            epoch = self.last_epoch + 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        else:
            if epoch < 0:
                raise ValueError(f"epoch: expected a number >= 0, got {epoch!r}")
            self.T_cur, self.T_i = epoch, self.T_0  # type: ignore[assignment]
            while self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        self.last_epoch = math.floor(epoch)
        self._apply(self.get_lr())


class CyclicLR(LRScheduler):
    """Rate (and momentum, inversely) up and down between two bounds.

    Args:
        optimizer: the optimizer whose rates are set.
        base_lr, max_lr: the two bounds; a number, or one per group.
        step_size_up, step_size_down: steps up and down.
        mode: 'triangular', 'triangular2' (amplitude halves every cycle) or 'exp_range' (times gamma per step).
        gamma: the factor.
        scale_fn, scale_mode: a function of the cycle or of the step in place of `mode`.
        cycle_momentum, base_momentum, max_momentum: move the momentum the other way.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: unknown mode, or the optimizer has no momentum to cycle.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.CyclicLR(opt, base_lr=0.1, max_lr=0.5, step_size_up=4)
        >>> for _ in range(2): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.3
    """

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
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(f"mode: expected 'triangular', 'triangular2' or 'exp_range', got {mode!r}")
        n = len(optimizer.param_groups)
        lows, self.max_lrs = _numbers(base_lr, n, "base_lr"), _numbers(max_lr, n, "max_lr")
        if last_epoch == -1:
            for group, low in zip(optimizer.param_groups, lows):
                group["lr"] = group["initial_lr"] = low
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size, self.step_ratio = float(step_size_up + down), step_size_up / (step_size_up + down)
        self.mode, self.gamma, self._scale_fn, self.scale_mode = mode, gamma, scale_fn, scale_mode
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
                raise ValueError("cycle_momentum: the optimizer has neither momentum nor betas")
            self.base_momentums = _numbers(base_momentum, n, "base_momentum")
            self.max_momentums = _numbers(max_momentum, n, "max_momentum")
        super().__init__(optimizer, last_epoch)

    def scale(self, x):
        """The factor by which the amplitude of the cycle shrinks."""
        if self._scale_fn is not None:
            return self._scale_fn(x)
        return {"triangular": 1.0, "triangular2": 1 / 2 ** (x - 1), "exp_range": self.gamma**x}[self.mode]

    def _height(self):
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        by_cycle = self.scale_mode == "cycle" if self._scale_fn is not None or self.mode != "exp_range" else False
        return height * self.scale(cycle if by_cycle else self.last_epoch)

    def rate(self, lr, base, group):
        return base + (self.max_lrs[group] - base) * self._height()

    def _apply(self, rates):
        super()._apply(rates)
        if self.cycle_momentum:
            for group, low, high in zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums):
                _set_momentum(group, high - (high - low) * self._height())


class OneCycleLR(LRScheduler):
    """One rise of the rate to `max_lr` and one long fall, momentum moving the other way.

    Args:
        optimizer: the optimizer whose rates are set.
        max_lr: the peak; a number, or one per group.
        total_steps: steps of the cycle; or `epochs` times `steps_per_epoch`.
        pct_start: share of the steps spent rising, in [0, 1].
        anneal_strategy: 'cos' or 'linear'.
        cycle_momentum, base_momentum, max_momentum: move the momentum the other way.
        div_factor: the first rate is max_lr / div_factor.
        final_div_factor: the last rate is the first over this.
        three_phase: fall as fast as it rose, then to the last rate.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: the number of steps is unknown, or an option is out of range.

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
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("total_steps: give it, or both epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        in_range("total_steps", total_steps, 1)
        in_range("pct_start", pct_start, 0, 1)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy: expected 'cos' or 'linear', got {anneal_strategy!r}")
        self.total_steps, self.anneal_strategy = total_steps, anneal_strategy
        peak = float(pct_start * total_steps) - 1
        # Phases: last step, then the names of the values at both ends.
        if three_phase:
            self.phases = [
                (peak, "initial", "max", "high", "low"),
                (2 * peak, "max", "initial", "low", "high"),
                (total_steps - 1, "initial", "min", "high", "high"),
            ]
        else:
            self.phases = [(peak, "initial", "max", "high", "low"), (total_steps - 1, "max", "min", "low", "high")]
        n = len(optimizer.param_groups)
        self.ends = []
        for group, top in zip(optimizer.param_groups, _numbers(max_lr, n, "max_lr")):
            start = top / div_factor
            self.ends.append({"initial": start, "max": top, "min": start / final_div_factor})
            if last_epoch == -1:
                group["lr"] = group["initial_lr"] = start
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
                raise ValueError("cycle_momentum: the optimizer has neither momentum nor betas")
            self.momenta = [
                {"low": low, "high": high}
                for low, high in zip(
                    _numbers(base_momentum, n, "base_momentum"), _numbers(max_momentum, n, "max_momentum")
                )
            ]
        super().__init__(optimizer, last_epoch)

    def _between(self, ends, first, second):
        """The value at this step between the named ends; `first`, `second` are columns of `phases`."""
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(f"step {t} of a one-cycle schedule of {self.total_steps} steps")
        begin = 0.0
        for phase in self.phases:
            if t <= phase[0] or phase is self.phases[-1]:
                share = (t - begin) / (phase[0] - begin)
                a, b = ends[phase[first]], ends[phase[second]]
                if self.anneal_strategy == "linear":
                    return a + (b - a) * share
                return b + (a - b) / 2 * (1 + math.cos(math.pi * share))
            begin = phase[0]
        raise AssertionError("a schedule has at least one phase")

    def rate(self, lr, base, group):
        return self._between(self.ends[group], 1, 2)

    def _apply(self, rates):
        super()._apply(rates)
        if self.cycle_momentum:
            for group, ends in zip(self.optimizer.param_groups, self.momenta):
                _set_momentum(group, self._between(ends, 3, 4))


class ChainedScheduler(LRScheduler):
    """Several schedules, each applied at every step.

    Args:
        schedulers: schedules of one optimizer.
        optimizer: the optimizer whose rates are set.

    Raises:
        ValueError: no schedule, or schedules of several optimizers.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.ChainedScheduler([tn.optim.lr_scheduler.ExponentialLR(opt, 0.5)])
        >>> for _ in range(2): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.2
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        if not schedulers:
            raise ValueError("schedulers: expected at least one")
        self._schedulers = list(schedulers)
        self.optimizer = optimizer or self._schedulers[0].optimizer
        if any(s.optimizer is not self.optimizer for s in self._schedulers):
            raise ValueError("schedulers: all must schedule the same optimizer")
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def step(self) -> None:
        """Take one step of every schedule."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """The states of all schedules."""
        return {"_schedulers": [s.state_dict() for s in self._schedulers], "_last_lr": self._last_lr}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict` of the same schedules."""
        for scheduler, state in zip(self._schedulers, state_dict["_schedulers"]):
            scheduler.load_state_dict(state)
        self._last_lr = state_dict["_last_lr"]


class SequentialLR(LRScheduler):
    """One schedule after the other; the next begins at each of `milestones`.

    Args:
        optimizer: the optimizer whose rates are set.
        schedulers: the schedules, in order.
        milestones: the steps at which the next one begins, one fewer than schedules.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: the number of milestones does not fit, or a schedule has another optimizer.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> warm_up = tn.optim.lr_scheduler.ConstantLR(opt, factor=0.5, total_iters=9)
        >>> decay = tn.optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
        >>> schedule = tn.optim.lr_scheduler.SequentialLR(opt, [warm_up, decay], [2])
        >>> for _ in range(3): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.4
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"milestones: expected {len(schedulers) - 1} for {len(schedulers)} schedules, got {len(milestones)}"
            )
        if any(s.optimizer is not optimizer for s in schedulers):
            raise ValueError("schedulers: all must schedule the given optimizer")
        self.optimizer, self._schedulers, self._milestones = optimizer, list(schedulers), list(milestones)
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:  # each schedule took a first step when it was made: undo them
            group["lr"] = group["initial_lr"]
        for scheduler in self._schedulers:
            scheduler.last_epoch -= 1
        self._schedulers[0].step()
        self._last_lr = self._schedulers[0].get_last_lr()

    def step(self) -> None:
        """Take one step of the schedule whose turn it is."""
        self.last_epoch += 1
        k = sum(self.last_epoch >= m for m in self._milestones)
        scheduler = self._schedulers[k]
        if k > 0 and self._milestones[k - 1] == self.last_epoch:
            scheduler.last_epoch = -1
            for group in self.optimizer.param_groups:
                group["lr"] = group["initial_lr"]
        scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """The states of all schedules, and which is in turn."""
        return {
            "last_epoch": self.last_epoch,
            "_milestones": self._milestones,
            "_last_lr": self._last_lr,
            "_schedulers": [s.state_dict() for s in self._schedulers],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict` of the same schedules."""
        for scheduler, state in zip(self._schedulers, state_dict["_schedulers"]):
            scheduler.load_state_dict(state)
        self.last_epoch, self._milestones = state_dict["last_epoch"], state_dict["_milestones"]
        self._last_lr = state_dict["_last_lr"]


class ReduceLROnPlateau(LRScheduler):
    """Rate times `factor` when a measure has not improved for `patience` steps.

    Args:
        optimizer: the optimizer to schedule.
        mode: 'min' or 'max', the better direction.
        factor: in (0, 1).
        patience: steps without improvement that are tolerated.
        threshold, threshold_mode: what counts as better: by a share ('rel') or an amount ('abs').
        cooldown: steps after a reduction during which nothing is counted.
        min_lr: lower bound, a number or one per group.
        eps: a smaller change of the rate is not made.

    Raises:
        ValueError: an option is out of range.

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
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(f"mode: expected 'min' or 'max' and 'rel' or 'abs', got {mode!r}, {threshold_mode!r}")
        in_range("factor", factor, 0, 1, high_open=True)
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"optimizer: expected an Optimizer, got {type(optimizer).__name__}")
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown, self.eps = threshold, threshold_mode, cooldown, eps
        self.min_lrs = _numbers(min_lr, len(optimizer.param_groups), "min_lr")
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self._last_lr = [group["lr"] for group in optimizer.param_groups]

    def is_better(self, value):
        """Whether `value` improves on the best so far."""
        sign = 1 if self.mode == "max" else -1
        margin = abs(self.best) * self.threshold if self.threshold_mode == "rel" else self.threshold
        return math.isinf(self.best) and value != self.best or sign * (value - self.best) > margin

    def step(self, metrics: Tensor | float) -> None:  # type: ignore[override]
        """Look at the measure of this step and reduce the rate if it is due."""
        value = float(metrics)
        self.last_epoch += 1
        if self.is_better(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            for group, low in zip(self.optimizer.param_groups, self.min_lrs):
                lr = max(group["lr"] * self.factor, low)
                if group["lr"] - lr > self.eps:
                    group["lr"] = lr
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]


def _numbers(value, n, name):
    values = list(value) if isinstance(value, (list, tuple)) else [value] * n
    if len(values) != n:
        raise ValueError(f"{name}: expected one number or {n}, one per group, got {len(values)}")
    return values


def _per_group(optimizer, functions, name):
    n = len(optimizer.param_groups)
    functions = list(functions) if isinstance(functions, (list, tuple)) else [functions] * n
    if len(functions) != n:
        raise ValueError(f"{name}: expected one function or {n}, one per group, got {len(functions)}")
    return functions


def _set_momentum(group, value):
    if "momentum" in group:
        group["momentum"] = value
    else:
        group["betas"] = (value, *group["betas"][1:])
