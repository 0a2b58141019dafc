"""The rate for averaging weights: from where it is to a constant one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..options import one_of, per_group, whole
from .base import LRScheduler, checked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..optimizer import Optimizer


class SWALR(LRScheduler):
    """Rate a swa_lr + (1 - a) lr, with a from 0 to 1 in `anneal_epochs` steps; then swa_lr.

    It may begin in mid-run: `lr` is the rate that it finds.

    Args:
        optimizer: the optimizer whose rates are set.
        swa_lr: the rate at the end; a number, or one per group.
        anneal_epochs: steps until then, an int >= 0.
        anneal_strategy: 'cos' or 'linear', how a grows.
        last_epoch: index of the last step taken; -1 to begin.

    Raises:
        ValueError: an option is out of range.
        TypeError: `optimizer` is not an Optimizer.

    Source: Izmailov et al. 2018, "Averaging weights leads to wider optima and better generalization".

    Example:
        >>> import tinygrad_notes as tn
        >>> opt = tn.optim.SGD([tn.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> schedule = tn.optim.lr_scheduler.SWALR(opt, swa_lr=0.4, anneal_epochs=4, anneal_strategy="linear")
        >>> rates = []
        >>> for _ in range(6): rates.append(round(opt.param_groups[0]["lr"], 3)); opt.step(); schedule.step()
        >>> rates
        [0.8, 0.7, 0.6, 0.5, 0.4, 0.4]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | Sequence[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        checked(optimizer)
        one_of("anneal_strategy", anneal_strategy, ("cos", "linear"))
        whole("anneal_epochs", anneal_epochs, 0)
        for group, lr in zip(optimizer.param_groups, per_group("swa_lr", swa_lr, optimizer)):
            group["swa_lr"] = lr
        self.anneal_epochs, self._anneal_strategy = anneal_epochs, anneal_strategy
        super().__init__(optimizer, last_epoch)

    def _share(self, step):
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def rate(self, lr, base, group):
        end = self.optimizer.param_groups[group]["swa_lr"]
        step = self._step_count - 1 if self.anneal_epochs else max(1, self._step_count - 1)
        before, now = self._share(step - 1), self._share(step)
        first = end if before == 1 else (lr - before * end) / (1 - before)
        return end * now + first * (1 - now)
