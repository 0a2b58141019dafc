"""What may look on while a `Trainer` works."""
from __future__ import annotations

from typing import Any


class Callback:
    """Something that a `Trainer` tells what it does. Every method may be left out: these here do nothing.

    A plain function `callback(trainer, row)` does as well, where the end of an epoch is all that matters.

    Example:
        >>> import tinygrad_notes as tn
        >>> class Count(tn.train.Callback):
        ...     steps = 0
        ...     def after_step(self, trainer):
        ...         self.steps += 1
        >>> count, model = Count(), tn.nn.Linear(2, 1)
        >>> history = tn.train.fit(model, [tn.ones((3, 2))], tn.optim.SGD(model.parameters(), lr=0.1), 5,
        ...                        loss=lambda model, x: (model(x)**2).mean(), callbacks=[count])
        >>> count.steps
        5
    """

    def begin(self, trainer: Any) -> None:
        """`fit` starts, or goes on."""

    def before_step(self, trainer: Any) -> None:
        """The first batch of a step of the optimizer is about to be looked at."""

    def after_step(self, trainer: Any) -> None:
        """The optimizer has stepped; the gradients are still there."""

    def __call__(self, trainer: Any, row: dict[str, Any]) -> None:
        """An epoch is over; `row` is its row of the history."""

    def end(self, trainer: Any) -> None:
        """`fit` is over, also where it was interrupted or has failed."""


def overriding(callbacks, method):
    """Those callbacks that define a method of `Callback` anew."""
    empty = getattr(Callback, method)
    return [c for c in callbacks if isinstance(c, Callback) and getattr(type(c), method) is not empty]
