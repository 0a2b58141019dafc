"""The training loop, and all of its state: what is saved in mid-epoch continues bit for bit."""
from __future__ import annotations

import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor, grad, no_grad
from ..backend import default_generator
from ..optim.lr_scheduler import ReduceLROnPlateau
from .accumulation import Accumulation
from .callback import Callback, overriding
from .checkpoint import CheckpointError, load, save
from .history import History
from .progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from os import PathLike

    from ..backend import Generator
    from ..optim import Optimizer
    from ..optim.lr_scheduler import LRScheduler
    from .stopping import Stopping

FORMAT = "training state 1"


class NonFiniteLoss(FloatingPointError):
    """The loss became infinite or not a number; the parameters are those before the step."""


class Trainer:
    """Goes through the data epoch after epoch: loss, backward, one optimizer step per batch (or several of them).

    Args:
        model: a Module. Without `loss` it has a method `loss(*batch)`.
        loader: what yields the batches: a `DataLoader`, or anything with `len` that can be iterated again.
        optimizer: over the parameters of the model; with `update`, it may be a dict of several by name.
        loss: `loss(model, *batch)`, if not the model's own. The result of either is a Tensor, or a dict with the
            Tensor "loss" and other numbers of the batch ("accuracy", "kl" ...), which are averaged too.
        valid: batches of held-out data, for the columns "valid_..." of the history.
        valid_every: epochs between two looks at them.
        scheduler: stepped after each epoch, or after each step of the optimizer with `scheduler_per` 'step';
            `ReduceLROnPlateau` gets the loss on held-out data. A list where there are several.
        stop: a rule or several (`EarlyStopping`, `RelativeChange`).
        callbacks: functions `callback(trainer, row)`, called after each epoch with its row of the history; or
            `Callback`s, such as a `Monitor`, which may also look at steps.
        generator: the stream that the model draws from; its state is part of the run. Default: the default one.
        accumulate: batches per step of the optimizer, whose gradient is that of one batch as large as all of them (the
            loss being a mean over the batch); what is left at the end of an epoch makes a step too.
        scheduler_per: 'epoch' or 'step'.
        update: `update(trainer, batch)` does the work of one batch in place of loss, backward and step, for models
            whose parts are trained in turns, and returns the numbers of the batch as `loss` does. See `descend`.

    Attributes:
        epoch: how many are done.
        step: how many batches are done.
        history: a `History`.
        finished: why a rule ended the run, or "".
        interrupted: what asked it to stop, or "".
        progress: while it runs, its `Progress`.

    Raises:
        TypeError: without `loss`, the model has no method `loss`; or batches are to be accumulated for an optimizer
            that computes the loss itself; or there are several optimizers and no `update`.
        ValueError: the loader has no batch, or an option is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> X, y = tn.data.line(200, generator=0)
        >>> model = tn.nn.Linear(2, 1, bias=False)
        >>> trainer = tn.train.Trainer(
        ...     model, tn.data.DataLoader(tn.data.TensorDataset(X, y), 50, shuffle=True, generator=0),
        ...     tn.optim.SGD(model.parameters(), lr=0.05), loss=lambda model, x, y: ((model(x) - y)**2).mean())
        >>> history = trainer.fit(50)
        >>> history["loss"][-1] < 5.0 < history["loss"][0]
        True
    """

    def __init__(self, model: Any, loader: Any, optimizer: Optimizer | dict[str, Optimizer], *,
                 loss: Callable[..., Any] | None = None, valid: Any = None, valid_every: int = 1,
                 scheduler: LRScheduler | list[LRScheduler] | None = None,
                 stop: Stopping | Iterable[Stopping] = (), callbacks: Iterable[Callable[[Any, dict], Any]] = (),
                 generator: Generator | None = None, accumulate: int = 1,
                 scheduler_per: str = "epoch", update: Callable[[Any, tuple], Any] | None = None) -> None:
        if isinstance(optimizer, dict) and update is None:
            raise TypeError(f"optimizer: {len(optimizer)} optimizers ({', '.join(optimizer)}) need a function update")
        if update is not None and accumulate != 1:
            raise TypeError("accumulate: with a function update, which does its own steps, it must be 1")
        if loss is None and not callable(getattr(model, "loss", None)):
            raise TypeError(f"loss: {type(model).__name__} has no method loss(*batch); give a function(model, *batch)")
        if len(loader) == 0:
            raise ValueError("loader: it has no batch")
        self.model, self.loader, self.optimizer, self.scheduler = model, loader, optimizer, scheduler
        self.loss = loss or (lambda model, *batch: model.loss(*batch))
        self.valid, self.valid_every = valid, valid_every
        rules: Any = stop
        self.stop: list[Stopping] = list(rules) if isinstance(rules, (list, tuple)) else [rules]
        self.callbacks = list(callbacks)
        if scheduler_per not in ("epoch", "step"):
            raise ValueError(f"scheduler_per: expected 'epoch' or 'step', got {scheduler_per!r}")
        self.scheduler_per = scheduler_per
        self.generator = generator or default_generator
        self.update = update
        closed = accumulate == 1 and getattr(optimizer, "needs_closure", False)  # it computes the loss itself
        one: Any = optimizer
        self._accumulation = None if closed or update is not None else Accumulation(one, accumulate)
        self.epoch = self.step = 0
        self.history = History()
        self.finished = self.interrupted = ""
        self.progress: Progress | None = None
        self._sums = Sums()
        self._before: list[Callback] = []
        self._after: list[Callback] = []

    # Running --------------------------------------------------------------------
    def fit(self, epochs: int, *, checkpoint: str | PathLike[str] | None = None, save_every: float = 30.0,
            progress: bool | None = False) -> History:
        """Train until `epochs` epochs are done in all, a rule says stop, or somebody interrupts.

        Args:
            epochs: the total, those done before included.
            checkpoint: a file for the state of the run, written at the end, on interruption and now and then.
            save_every: seconds between two of these.
            progress: True for a bar, None for one in notebooks and terminals only.

        Returns:
            The `History`.

        Raises:
            ValueError: `epochs` is no int >= 1.
            NonFiniteLoss: the loss of a batch is infinite or not a number.
        """
        if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
            raise ValueError(f"epochs: expected an int >= 1, got {epochs!r}")
        self.interrupted = ""
        saved_at = time.monotonic()
        self._before, self._after = (overriding(self.callbacks, name) for name in ("before_step", "after_step"))
        with Progress(epochs * len(self.loader), self.step, progress) as bar, self._accompanied(bar):
            while self.epoch < epochs and not self.finished and not self.interrupted:
                bar.epoch(self.epoch + 1, epochs)
                if self._run_epoch(bar):
                    self._end_epoch()
                if checkpoint is not None and time.monotonic() - saved_at >= save_every:
                    self.save(checkpoint)
                    saved_at = time.monotonic()
        if checkpoint is not None:
            self.save(checkpoint)
        if not self.interrupted:
            for rule in self.stop:
                rule.finish(self.model)
        return self.history

    @contextmanager
    def _accompanied(self, bar):
        """Tell the callbacks of the beginning and, whatever happens, of the end."""
        self.progress = bar
        try:
            for callback in overriding(self.callbacks, "begin"):
                callback.begin(self)
            yield
        finally:
            for callback in overriding(self.callbacks, "end"):
                callback.end(self)
            self.progress = None

    def interrupt(self, reason: str = "interrupt") -> None:
        """Ask `fit` to end after the present step (with a loader that has no state: epoch); it can be continued."""
        self.interrupted = reason

    def _run_epoch(self, bar):
        """The batches of an epoch, or what is left of them; False if interrupted."""
        self.model.train()
        for batch in self.loader:
            bar.step(self._train(as_batch(batch)))
            whole = self._accumulation is None or not self._accumulation.pending
            if self.interrupted and whole and hasattr(self.loader, "state_dict"):
                return False
        if self._accumulation is not None and self._accumulation.step():
            self._stepped()
        return True

    def _stepped(self):
        for callback in self._after:
            callback.after_step(self)
        if self.scheduler_per == "step":
            for scheduler in _several(self.scheduler):
                scheduler.step()

    def _train(self, batch):
        if self._before and (self._accumulation is None or not self._accumulation.pending):
            for callback in self._before:
                callback.before_step(self)
        if self.update is not None:
            values = {key: float(value) for key, value in self.update(self, batch).items()}
            if "loss" not in values:
                raise TypeError(f"update: expected a dict with the number 'loss', got one of {', '.join(values)}")
            self._want_finite(values["loss"])
            self._stepped()
        elif self._accumulation is None:
            values = self._closed_step(batch)
        else:
            parts, values = self._loss(batch)
            if self._accumulation.backward(parts["loss"], batch_size(batch)):
                self._stepped()
        self.step += 1
        self._sums.add(values, batch_size(batch))
        return values["loss"]

    def _closed_step(self, batch):
        """A step of an optimizer that computes the loss itself; the values of its first look."""
        seen = []

        def closure():
            self.optimizer.zero_grad()
            parts, values = self._loss(batch)
            seen.append(values)
            parts["loss"].backward()
            return parts["loss"]

        self.optimizer.step(closure)
        self._stepped()
        return seen[0]

    def _loss(self, batch):
        """The parts of the loss, as Tensors and as numbers; NonFiniteLoss where it is not finite."""
        parts = as_parts(self.loss(self.model, *batch))
        values = {key: float(value) for key, value in parts.items()}
        self._want_finite(values["loss"])
        return parts, values

    def _want_finite(self, loss):
        if not math.isfinite(loss):
            if self._accumulation is not None:
                self._accumulation.reset()
            raise NonFiniteLoss(f"the loss is {loss} at step {self.step + 1}, epoch {self.epoch + 1}; the "
                                "parameters were left as they are. A smaller learning rate may help; "
                                "tn.detect_anomaly() finds the operation")

    def descend(self, name: str, loss: Tensor) -> float:
        """For `update`: one step of the optimizer called `name` down this loss; no other parameter gets a gradient.

        Returns:
            The loss as a number.

        Raises:
            NonFiniteLoss: it is infinite or not a number; the parameters are those before the step.
        """
        value = float(loss)
        self._want_finite(value)
        optimizer: Any = self.optimizer[name] if isinstance(self.optimizer, dict) else self.optimizer
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for p, g in zip(parameters, grad(loss, parameters, allow_unused=True)):
            p.grad = g
        optimizer.step()
        return value

    def _end_epoch(self):
        self.epoch += 1
        row = {"epoch": self.epoch, "step": self.step, "lr": _several(self.optimizer)[0].param_groups[0]["lr"],
               **self._sums.means()}
        self._sums = Sums()
        if self.valid is not None and self.epoch % self.valid_every == 0:
            row.update({f"valid_{key}": value for key, value in self.evaluate(self.valid).items()})
        self.history.append(row)
        for scheduler in _several(self.scheduler) if self.scheduler_per == "epoch" else []:
            plateau = isinstance(scheduler, ReduceLROnPlateau)
            scheduler.step(*([row.get("valid_loss", row["loss"])] if plateau else []))
        for rule in self.stop:
            if row.get(rule.metric) is not None and rule.update(row[rule.metric], self.model):
                self.finished = rule.reason
        for callback in self.callbacks:
            callback(self, row)

    def evaluate(self, loader: Any) -> dict[str, float]:
        """The averages over other batches, without training: {"loss": ..., ...}."""
        sums = Sums()
        with no_grad(), self.model.evaluating():
            for batch in loader:
                batch = as_batch(batch)
                parts = as_parts(self.loss(self.model, *batch))
                sums.add({key: float(value) for key, value in parts.items()}, batch_size(batch))
        return sums.means()

    # State ----------------------------------------------------------------------
    def state_dict(self) -> dict[str, Any]:
        """All that a later `fit` depends on, for `tn.save`."""
        return {
            "format": FORMAT, "epoch": self.epoch, "step": self.step, "finished": self.finished,
            "model": self.model.state_dict(),
            "optimizer": _states(self.optimizer), "scheduler": _states(self.scheduler),
            "loader": self.loader.state_dict() if hasattr(self.loader, "state_dict") else None,
            "generator": Tensor(self.generator.get_state(), device="cpu"),
            "sums": self._sums.state_dict(), "history": self.history.rows,
            "stop": [rule.state_dict() for rule in self.stop],
        }

    def load_state_dict(self, state: Any) -> None:
        """Continue where a run with the same model, optimizer, loader and rules was.

        Raises:
            CheckpointError: it is not the state of a run, or the run had other parts; nothing has changed then.
            RuntimeError, ValueError: the shapes of the model or the data differ.
        """
        if not isinstance(state, dict) or state.get("format") != FORMAT:
            raise CheckpointError("this is not the saved state of a training run")
        missing = sorted(set(self.state_dict()) - set(state))
        if missing:
            raise CheckpointError(f"the saved state lacks {', '.join(missing)}")
        for key, mine in (("scheduler", self.scheduler), ("loader", getattr(self.loader, "state_dict", None))):
            if (state[key] is None) != (mine is None):
                raise CheckpointError(f"the saved run had {'no' if state[key] is None else 'a'} {key} with a state")
        if len(state["stop"]) != len(self.stop):
            raise CheckpointError(f"the saved run had {len(state['stop'])} rules to stop, this has {len(self.stop)}")
        pairs = (self.optimizer, state["optimizer"]), (self.scheduler, state["scheduler"])
        for part, saved in pairs:
            if not _alike(part, saved):
                raise CheckpointError("the saved run had other optimizers or schedulers, or in another order")
        self.model.load_state_dict(state["model"])
        for part, saved in pairs:
            states = saved["named"].values() if isinstance(part, dict) else saved if isinstance(part, list) else [saved]
            for each, its in zip(_several(part), states):
                each.load_state_dict(its)
        if state["loader"] is not None:
            self.loader.load_state_dict(state["loader"])
        for rule, saved in zip(self.stop, state["stop"]):
            rule.load_state_dict(saved)
        self.generator.set_state(state["generator"].numpy())
        self.epoch, self.step, self.finished = state["epoch"], state["step"], state["finished"]
        self.history, self._sums = History(state["history"]), Sums(state["sums"])

    def save(self, path: str | PathLike[str]) -> None:
        """Write the state to a file, atomically."""
        save(self.state_dict(), path)

    def load(self, path: str | PathLike[str]) -> Any:
        """Continue from a file that `save` wrote; raises as `tn.load` and `load_state_dict` do."""
        try:
            self.load_state_dict(load(path))
        except CheckpointError as error:
            raise error if str(path) in str(error) else CheckpointError(f"{path}: {error}") from error


# One optimizer, a dict of several; one scheduler, a list, or none ------------------------------
def _several(part):
    if part is None:
        return []
    if isinstance(part, dict):
        return list(part.values())
    return part if isinstance(part, list) else [part]


def _states(part):
    if isinstance(part, dict):
        return {"named": {name: each.state_dict() for name, each in part.items()}}
    if isinstance(part, list):
        return [each.state_dict() for each in part]
    return None if part is None else part.state_dict()


def _alike(part, saved):
    """Whether `saved` is what `_states` makes of parts like these."""
    if isinstance(part, dict):
        return isinstance(saved, dict) and list(saved.get("named", ())) == list(part)
    if isinstance(part, list):
        return isinstance(saved, list) and len(saved) == len(part)
    return (part is None) == (saved is None) and not isinstance(saved, list) and "named" not in (saved or {})


class Sums:
    """Running sums of the numbers of an epoch, weighed by the size of the batches."""

    def __init__(self, state=None):
        self.totals = {key: list(pair) for key, pair in (state or {}).items()}

    def add(self, values, weight):
        """Add the means over one batch of `weight` examples."""
        for key, value in values.items():
            pair = self.totals.setdefault(key, [0.0, 0])
            pair[0] += value * weight
            pair[1] += weight

    def means(self):
        """The means over all examples."""
        return {key: total / weight for key, (total, weight) in self.totals.items()}

    def state_dict(self):
        """The sums as plain lists."""
        return {key: list(pair) for key, pair in self.totals.items()}


def as_batch(batch):
    """The arguments that a batch stands for: a tuple or list is taken apart."""
    return tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)


def batch_size(batch):
    """How many examples a batch holds: the length of its first Tensor with an axis, or 1."""
    parts = [part for each in batch for part in (each.values() if isinstance(each, dict) else [each])]
    return next((part.shape[0] for part in parts if isinstance(part, Tensor) and part.ndim), 1)


def as_parts(result):
    """What a loss function returned, as a dict with the entry "loss".

    Raises:
        TypeError: it is neither a Tensor nor a dict with the Tensor "loss".
        ValueError: the loss has more than one element.
    """
    parts = result if isinstance(result, dict) else {"loss": result}
    if not isinstance(parts.get("loss"), Tensor):
        found = f"a dict of {', '.join(map(str, parts))}" if isinstance(result, dict) else type(result).__name__
        raise TypeError(f"loss: expected a Tensor, or a dict with the Tensor 'loss', got {found}")
    if parts["loss"].size != 1:
        raise ValueError(f"loss: expected one number, got shape {parts['loss'].shape}")
    return parts


def fit(model: Any, loader: Any, optimizer: Optimizer | dict[str, Optimizer], epochs: int, *,
        loss: Callable[..., Any] | None = None, valid: Any = None,
        scheduler: LRScheduler | list[LRScheduler] | None = None, stop: Stopping | Iterable[Stopping] = (),
        callbacks: Iterable[Callable[[Any, dict], Any]] = (), checkpoint: str | PathLike[str] | None = None,
        progress: bool | None = False, **options: Any) -> History:
    """Train a model: a `Trainer` and its `fit` in one call.

    Args:
        model, loader, optimizer, loss, valid, scheduler, stop, callbacks: as in `Trainer`.
        epochs: how many.
        checkpoint, progress: as in `Trainer.fit`.
        **options: others of `Trainer`: `valid_every`, `generator`, `accumulate`, `scheduler_per`,
            `update`.

    Returns:
        The `History`.

    Raises:
        TypeError, ValueError, NonFiniteLoss: as in `Trainer` and `Trainer.fit`.

    Example:
        >>> import tinygrad_notes as tn
        >>> X, y = tn.data.line(100, generator=0)
        >>> model = tn.nn.Linear(2, 1, bias=False)
        >>> history = tn.train.fit(model, [(X, y)], tn.optim.SGD(model.parameters(), lr=0.05), epochs=3,
        ...                        loss=lambda model, x, y: ((model(x) - y)**2).mean())
        >>> len(history), history.columns
        (3, ['epoch', 'step', 'lr', 'loss'])
    """
    trainer = Trainer(model, loader, optimizer, loss=loss, valid=valid, scheduler=scheduler, stop=stop,
                      callbacks=callbacks, **options)
    return trainer.fit(epochs, checkpoint=checkpoint, progress=progress)
