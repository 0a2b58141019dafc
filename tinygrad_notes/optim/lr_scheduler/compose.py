"""Schedules made of schedules: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from ..options import whole
from .base import LRScheduler, checked
from .plateau import ReduceLROnPlateau
from .warmup import LinearLR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..optimizer import Optimizer


class _Composed(LRScheduler):
    """What both share: a list of schedules of one optimizer, and its state."""

    def _take(self, schedulers, optimizer):
        self._schedulers = list(schedulers)
        if not self._schedulers:
            raise ValueError("schedulers: expected at least one")
        for k, scheduler in enumerate(self._schedulers):
            if not isinstance(scheduler, LRScheduler):
                raise TypeError(f"schedulers[{k}]: expected a schedule, got {type(scheduler).__name__}")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(f"schedulers[{k}]: ReduceLROnPlateau needs a measure at every step and cannot be part "
                                 f"of {type(self).__name__}")
        self.optimizer = checked(self._schedulers[0].optimizer if optimizer is None else optimizer)
        for k, scheduler in enumerate(self._schedulers):
            if scheduler.optimizer is not self.optimizer:
                raise ValueError(f"schedulers[{k}]: all must schedule the same optimizer, the one given")

    def _reset(self):
        """As before the first step, the rates those of the optimizer."""
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        for scheduler in self._schedulers:
            scheduler.last_epoch = -1

    def state_dict(self) -> dict[str, Any]:
        """The states of all schedules, and where they are."""
        own = {key: value for key, value in self.__dict__.items() if key not in ("optimizer", "_schedulers")}
        return {**own, "_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict` of the same schedules.

        Raises:
            ValueError: it is that of others.
        """
        states = state_dict.get("_schedulers")
        if states is None or len(states) != len(self._schedulers):
            raise ValueError(f"state_dict: expected the states of {len(self._schedulers)} schedules in '_schedulers', "
                             f"got {'none' if states is None else len(states)}")
        for scheduler, state in zip(self._schedulers, states):
            scheduler.load_state_dict(state)
        self.__dict__.update({key: value for key, value in state_dict.items() if key != "_schedulers"})


class ChainedScheduler(_Composed):
    """Several schedules, each applied at every step.

    Args:
        schedulers: schedules of one optimizer.
        optimizer: that optimizer; by default the one of the first schedule.

    Raises:
        ValueError: no schedule, schedules of several optimizers, or a `ReduceLROnPlateau`.
        TypeError: a part is no schedule.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8, momentum=0.9)
        >>> schedule = tn.optim.lr_scheduler.ChainedScheduler([tn.optim.lr_scheduler.ExponentialLR(opt, 0.5)])
        >>> for _ in range(2): opt.step(); schedule.step()
        >>> round(opt.param_groups[0]["lr"], 6)
        0.2
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self._take(schedulers, optimizer)
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def step(self) -> None:  # type: ignore[override]
        """Take one step of every schedule."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def _move(self, epoch=None):
        """Begin again, as part of a sequence."""
        self._reset()
        for scheduler in self._schedulers:
            scheduler._begin()
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]


class SequentialLR(_Composed):
    """One schedule after the other; the next begins at each of `milestones`.

    Args:
        optimizer: the optimizer whose rates are set.
        schedulers: the schedules, in order.
        milestones: the steps at which the next one begins, one fewer than schedules.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: the number of milestones does not fit, a schedule has another optimizer or is `ReduceLROnPlateau`.
        TypeError: a part is no schedule.

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
        self._take(schedulers, checked(optimizer))
        self._milestones = list(milestones)
        if len(self._milestones) != len(self._schedulers) - 1:
            raise ValueError(f"milestones: expected {len(self._schedulers) - 1} for {len(self._schedulers)} schedules, "
                             f"got {len(self._milestones)}")
        if self._milestones != sorted(self._milestones):
            raise ValueError(f"milestones: expected them in order, got {self._milestones}")
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:  # each schedule took a first step when it was made: undo them
            group["lr"] = group["initial_lr"]
        _undo(self._schedulers)
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._begin()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:  # type: ignore[override]
        """Take one step of the schedule whose turn it is."""
        self.last_epoch += 1
        k = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[k]
        if k > 0 and self._milestones[k - 1] == self.last_epoch:
            scheduler._move(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def _move(self, epoch=None):
        """Begin again, as part of a sequence."""
        self._reset()
        self.last_epoch = 0
        self._schedulers[0]._begin()
        self._last_lr = self._schedulers[0].get_last_lr()


def _undo(schedulers):
    """Count one step less, also inside composed schedules."""
    for scheduler in schedulers:
        if isinstance(scheduler, _Composed):
            _undo(scheduler._schedulers)
        else:
            scheduler.last_epoch -= 1


class WarmupLR(SequentialLR):
    """A linear warm-up, then any other schedule from its beginning.

    Formula: base * (start_factor + (1 - start_factor) t / w) for t < w = `warmup_steps`; then the schedule at t - w.

    Args:
        optimizer: the optimizer whose rates are set.
        warmup_steps: steps until the full rate, an int >= 1.
        after: the schedule that follows, made for the same optimizer; None keeps the full rate.
        start_factor: the first rate as a share of the full one, in (0, 1]; by default 1 / `warmup_steps`.

    Raises:
        ValueError: an option is out of range, or `after` has another optimizer.
        TypeError: `optimizer` is not an Optimizer, or `after` no schedule.

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> decay = tn.optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
        >>> schedule = tn.optim.lr_scheduler.WarmupLR(opt, 2, after=decay, start_factor=0.5)
        >>> rates = []
        >>> for _ in range(5): rates.append(round(opt.param_groups[0]["lr"], 3)); opt.step(); schedule.step()
        >>> rates
        [0.4, 0.6, 0.8, 0.4, 0.2]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        after: LRScheduler | None = None,
        start_factor: float | None = None,
    ) -> None:
        whole("warmup_steps", warmup_steps, 1)
        rise = LinearLR(checked(optimizer), 1 / warmup_steps if start_factor is None else start_factor,
                        total_iters=warmup_steps)
        super().__init__(optimizer, [rise] if after is None else [rise, after], [] if after is None else [warmup_steps])
