"""The parameters of a model at several times of its training."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .callback import Callback

if TYPE_CHECKING:
    from ..autograd import Tensor


class Snapshots(Callback):
    """Keeps copies of the parameters: the first before any step, then one per epoch or every so many steps.

    Args:
        every: steps between two copies; None for one after each epoch.
        keep: after twice as many, every second is dropped and copies become as rare.

    Attributes:
        states: dicts {name: Tensor}, oldest first.
        steps: after how many steps each was taken.

    Raises:
        ValueError: `every` or `keep` is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> model, snapshots = tn.nn.Linear(2, 1), tn.train.Snapshots()
        >>> history = tn.train.fit(model, [tn.ones((3, 2))], tn.optim.SGD(model.parameters(), lr=0.1), 5,
        ...                        loss=lambda model, x: (model(x)**2).mean(), callbacks=[snapshots])
        >>> snapshots.steps
        [0, 1, 2, 3, 4, 5]
    """

    def __init__(self, every: int | None = None, keep: int = 100) -> None:
        for name, value, low in (("every", every, 1), ("keep", keep, 2)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < low):
                raise ValueError(f"{name}: expected an int >= {low}, got {value!r}")
        self.every, self.keep = every, keep
        self.states: list[dict[str, Tensor]] = []
        self.steps: list[int] = []
        self._skip, self._seen = 1, 0

    def begin(self, trainer: Any) -> None:
        """Keep the parameters that the run starts from."""
        self.end(trainer)

    def after_step(self, trainer: Any) -> None:
        """Keep those after a step, if it is time to."""
        if self.every is not None and (trainer.step + 1) % self.every == 0:
            self._offer(trainer, trainer.step + 1)

    def __call__(self, trainer: Any, row: dict[str, Any]) -> None:
        """Keep those after an epoch, unless steps are counted."""
        if self.every is None:
            self._offer(trainer, trainer.step)

    def end(self, trainer: Any) -> None:
        """Keep the last."""
        if self.steps[-1:] != [trainer.step]:
            self._take(trainer, trainer.step)

    def _offer(self, trainer, step):
        self._seen += 1
        if self._seen % self._skip == 0:
            self._take(trainer, step)

    def _take(self, trainer, step):
        self.states.append({name: p.detach().clone() for name, p in trainer.model.named_parameters()})
        self.steps.append(step)
        if len(self.states) > 2 * self.keep:
            self.states, self.steps = self.states[::2], self.steps[::2]
            self._skip *= 2
