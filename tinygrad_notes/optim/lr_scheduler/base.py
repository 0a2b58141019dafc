"""What all schedules share: the count of steps, the rates of the groups, and the state."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from ...autograd import Tensor
from ...autograd.mode import mode
from ..optimizer import Optimizer
from ..options import number

if TYPE_CHECKING:
    from collections.abc import Mapping


def _in_every_run(step):
    """`step` as a method that a recorded computation repeats in every run, not only while it is recorded."""
    @functools.wraps(step)
    def method(self, *args, **kwargs):
        tape = mode.tape
        if tape is None or any(isinstance(a, Tensor) for a in (*args, *kwargs.values())):
            return step(self, *args, **kwargs)  # a rule that looks at a loss cannot be repeated: reading it says so
        before: list = []

        def do():
            groups = [{k: v for k, v in group.items() if k != "params"} for group in self.optimizer.param_groups]
            before[:] = [self.state_dict(), groups]
            mode.tape, outer = None, mode.tape
            try:
                step(self, *args, **kwargs)
            finally:
                mode.tape = outer

        def undo():
            self.load_state_dict(before[0])
            for group, options in zip(self.optimizer.param_groups, before[1]):
                group.update(options)
        return tape.effect(do, undo)
    return method


class LRScheduler:
    """Base of all schedules.

    A schedule defines `rate(lr, base, group)`: the next rate of a group from its present and its first one. As the
    present rate is used where that can be, schedules can be chained. Where there is a formula it also defines
    `rate_at(t, base, group)`.

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

    functions: tuple[str, ...] = ()  # attributes that hold functions, one or a list: not part of the state

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _in_every_run(cls.__dict__["step"])  # type: ignore[method-assign]

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked(optimizer)
        for k, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(f"group {k} has no 'initial_lr', which a schedule resumed at {last_epoch} needs")
        self.base_lrs = [number("initial_lr", group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._begin()

    def _begin(self):
        """The first step, which the constructor takes."""
        self._step_count, self._is_initial = 0, True
        self.step()
        self._is_initial = False

    # What a schedule defines ---------------------------------------------------------
    def rate(self, lr: float, base: float, group: int) -> float:
        """The rate of group number `group` at step `self.last_epoch`; `lr` is its present one, `base` its first."""
        raise NotImplementedError(f"{type(self).__name__} defines no rate")

    def rate_at(self, t: float, base: float, group: int) -> float | None:
        """The rate at step `t` by a formula that does not need the present one; None where there is none."""
        return None

    # Steps -------------------------------------------------------------------------
    @_in_every_run
    def step(self, epoch: int | None = None) -> None:
        """Set the rates of the next step, or those of step `epoch`."""
        self._step_count += 1
        self._move(epoch)

    def _move(self, epoch=None):
        if epoch is None:
            self.last_epoch += 1
            self._apply(self.get_lr())
        else:
            self.last_epoch = epoch
            self._apply(self._get_closed_form_lr())

    def get_lr(self) -> list[float]:
        """The rates of all groups at step `self.last_epoch`."""
        return [self.rate(number("lr", group["lr"]), base, k) for k, (group, base) in enumerate(self._bases())]

    def _get_closed_form_lr(self):
        rates = [self.rate_at(self.last_epoch, base, k) for k, (_, base) in enumerate(self._bases())]
        return self.get_lr() if None in rates else rates

    def _bases(self):
        groups = self.optimizer.param_groups
        if len(groups) != len(self.base_lrs):
            raise ValueError(f"{type(self).__name__} was made for {len(self.base_lrs)} parameter groups, the optimizer "
                             f"has {len(groups)} now; make a new schedule")
        return zip(groups, self.base_lrs)

    def _apply(self, rates):
        for group, lr in zip(self.optimizer.param_groups, rates):
            group["lr"] = lr
        self._last_lr = list(rates)

    def get_last_lr(self) -> list[float]:
        """The rates set last."""
        return self._last_lr

    # State ---------------------------------------------------------------------------
    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer; of functions only what objects with `__call__` hold."""
        state = {}
        for key, value in self.__dict__.items():
            if key in self.functions:
                state[key] = [_held(f) for f in value] if isinstance(value, list) else _held(value)
            elif key != "optimizer":
                state[key] = list(value) if isinstance(value, list) else value
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict` of the same schedule; the rates come with the state of the optimizer.

        Raises:
            ValueError: it is that of another schedule; nothing has changed then.
        """
        missing = [key for key in self.__dict__ if key != "optimizer" and key not in state_dict]
        if missing:
            raise ValueError(f"state_dict: it lacks {', '.join(map(repr, missing))} of {type(self).__name__}; "
                             "it is that of another schedule")
        for key, value in state_dict.items():
            if key in self.functions:
                mine = getattr(self, key)
                for function, held in zip(mine if isinstance(mine, list) else [mine],
                                          value if isinstance(value, list) else [value]):
                    if held is not None:
                        function.__dict__.update(held)
            elif key != "optimizer":
                self.__dict__[key] = list(value) if isinstance(value, list) else value


def checked(optimizer):
    """The optimizer; TypeError if it is none."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer: expected an Optimizer, got {type(optimizer).__name__}")
    return optimizer


def _held(function):
    """The state of a callable object; None for a plain function."""
    return None if hasattr(function, "__code__") or not hasattr(function, "__dict__") else dict(vars(function))
