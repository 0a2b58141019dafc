"""The range test: train for a moment with rates that grow, and see from where to where the loss falls."""
from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..backend import default_generator
from ..viz import Picture, plot_curves
from .progress import Progress
from .trainer import as_batch, as_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..backend import Generator
    from ..optim import Optimizer


@dataclass
class LRSearch:
    """What a range test saw: one entry per step.

    Args:
        rates: the learning rates of the first parameter group.
        losses: the losses before each step.
        smoothed: their moving average, without the bias of its beginning.
        stopped: why it ended before its last step, or "".

    Example:
        >>> import tinygrad_notes as tn
        >>> losses = [5.0, 4.9, 3.0, 1.0, 8.0]
        >>> found = tn.train.LRSearch([1e-3, 1e-2, 1e-1, 1.0, 10.0], losses, losses)
        >>> round(found.suggestion(), 6), round(found.suggestion("minimum"), 6)
        (0.1, 0.1)
    """

    rates: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    smoothed: list[float] = field(default_factory=list)
    stopped: str = ""

    def suggestion(self, method: str = "steepest") -> float:
        """A rate to train with.

        Args:
            method: 'steepest', where the smoothed loss falls fastest per decade of the rate; 'minimum', a tenth of
                where it is lowest.

        Returns:
            The rate.

        Raises:
            ValueError: unknown method, fewer than three steps, or the loss never fell.
        """
        if method not in ("steepest", "minimum"):
            raise ValueError(f"method: expected 'steepest' or 'minimum', got {method!r}")
        if len(self.rates) < 3:
            raise ValueError(f"suggestion: needs 3 steps, there are {len(self.rates)}; begin with a smaller rate")
        lowest = min(range(len(self.rates)), key=self.smoothed.__getitem__)
        if lowest == 0:
            raise ValueError("suggestion: the loss never fell below its first value; begin with a smaller rate")
        if method == "minimum":
            return self.rates[lowest] / 10
        inner = range(1, max(lowest, 2))
        return self.rates[min(inner, key=lambda k: self._slope(k - 1, min(k + 1, lowest)))]

    def _slope(self, a, b):
        return (self.smoothed[b] - self.smoothed[a]) / math.log(self.rates[b] / self.rates[a])

    def plot(self) -> Picture:
        """The losses over the rates, on a logarithmic axis, and the suggestion.

        Returns:
            A `Picture`: shown in notebooks, saved with `.save("rates.svg")`.
        """
        curves: dict[str, Any] = {"loss": (self.rates, self.losses), "smoothed": (self.rates, self.smoothed)}
        try:
            rate = self.suggestion()
        except ValueError:
            rate = None
        if rate is not None:
            curves[f"suggestion {rate:.2g}"] = ([rate, rate], [min(self.smoothed), max(self.smoothed)])
        return plot_curves(curves, "Learning-rate range test", "learning rate", "loss", logx=True)


def find_lr(model: Any, loader: Any, optimizer: Optimizer, *, loss: Callable[..., Any] | None = None,
            start: float = 1e-7, end: float = 10.0, steps: int = 100, mode: str = "exp", smooth: float = 0.9,
            diverged: float = 4.0, generator: Generator | None = None, progress: bool | None = False) -> LRSearch:
    """Train with a rate that grows from `start` to `end`, and put everything back as it was.

    Restored afterwards, also after an error: parameters, buffers, gradients and mode of the model, state and options
    of the optimizer, the position of the loader, the random streams.

    Args:
        model: a Module. Without `loss` it has a method `loss(*batch)`.
        loader: what yields the batches; begun again when it is at its end.
        optimizer: over the parameters of the model. Rates of its groups keep their proportions; `start` and `end` are
            those of the first.
        loss: `loss(model, *batch)`, if not the model's own.
        start, end: the first and the last rate, 0 < start < end.
        steps: how many, an int >= 3.
        mode: 'exp', equal factors, or 'linear', equal differences.
        smooth: share of the past in the moving average, in [0, 1).
        diverged: stop when the smoothed loss has risen from its lowest value by this many times what it had fallen
            from the first (or a quarter of the first, if that is more); and where the loss is not finite.
        generator: the stream that the model draws from. Default: the default one.
        progress: True for a bar, None for one in notebooks and terminals only.

    Returns:
        An `LRSearch`.

    Raises:
        ValueError: an option is out of range, or the loader is empty.
        TypeError: without `loss`, the model has no method `loss`.

    Source: Smith 2017, "Cyclical learning rates for training neural networks", section 3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> X, y = tn.data.line(200, generator=0)
        >>> model = tn.nn.Linear(2, 1, bias=False)
        >>> optimizer = tn.optim.SGD(model.parameters(), lr=0.1)
        >>> found = tn.train.find_lr(model, [(X, y)], optimizer, start=1e-4, end=10.0,
        ...                          loss=lambda model, x, y: ((model(x) - y)**2).mean())
        >>> found.stopped[:8], 0.001 < found.suggestion() < 0.08  # 0.078 is the limit of stability
        ('diverged', True)
    """
    if loss is None and not callable(getattr(model, "loss", None)):
        raise TypeError(f"loss: {type(model).__name__} has no method loss(*batch); give a function(model, *batch)")
    if not (0 < start < end < math.inf):
        raise ValueError(f"start, end: expected 0 < start < end, got {start!r}, {end!r}")
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 3:
        raise ValueError(f"steps: expected an int >= 3, got {steps!r}")
    if mode not in ("exp", "linear"):
        raise ValueError(f"mode: expected 'exp' or 'linear', got {mode!r}")
    if not 0 <= smooth < 1 or not diverged > 0:
        raise ValueError(f"smooth, diverged: expected [0, 1) and > 0, got {smooth!r}, {diverged!r}")
    if len(loader) == 0:
        raise ValueError("loader: it has no batch")
    compute = loss or (lambda model, *batch: model.loss(*batch))
    before = _Snapshot(model, loader, optimizer, generator)
    try:
        return _search(model, loader, optimizer, compute, _rates(start, end, steps, mode), smooth, diverged, progress)
    finally:
        before.restore()


def _rates(start, end, steps, mode):
    shares = [k / (steps - 1) for k in range(steps)]
    if mode == "linear":
        return [start + (end - start) * share for share in shares]
    return [start * (end / start) ** share for share in shares]


def _search(model, loader, optimizer, compute, rates, smooth, diverged, progress):
    first = optimizer.param_groups[0]["lr"]
    proportions = [group["lr"] / first if first else 1.0 for group in optimizer.param_groups]
    batches = itertools.chain.from_iterable(itertools.repeat(loader))
    found, average, lowest = LRSearch(), 0.0, math.inf
    model.train()
    with Progress(len(rates), show=progress) as bar:
        for k, (rate, batch) in enumerate(zip(rates, batches), 1):
            for group, proportion in zip(optimizer.param_groups, proportions):
                group["lr"] = rate * proportion
            value = _step(model, optimizer, compute, as_batch(batch))
            if not math.isfinite(value):
                found.stopped = f"the loss was {value} at rate {rate:.3g}"
                break
            average = smooth * average + (1 - smooth) * value
            now = average / (1 - smooth**k)
            found.rates.append(rate)
            found.losses.append(value)
            found.smoothed.append(now)
            bar.step(value)
            lowest = min(lowest, now)
            fall = max(found.smoothed[0] - lowest, 0.25 * abs(found.smoothed[0]), 1e-12)
            if now - lowest > diverged * fall:
                found.stopped = f"diverged at rate {rate:.3g}: the smoothed loss rose from {lowest:.4g} to {now:.4g}"
                break
    return found


def _step(model, optimizer, compute, batch):
    """One step; the loss before it. No step where the loss is not finite."""
    seen = []

    def closure():
        optimizer.zero_grad()
        value = as_parts(compute(model, *batch))["loss"]
        seen.append(float(value))
        if math.isfinite(seen[0]):
            value.backward()
        return value

    if getattr(optimizer, "needs_closure", False):
        optimizer.step(closure)
    else:
        closure()
        if math.isfinite(seen[0]):
            optimizer.step()
    return seen[0]


class _Snapshot:
    """Everything that a search changes."""

    def __init__(self, model, loader, optimizer, generator):
        self.model, self.loader, self.optimizer = model, loader, optimizer
        params = dict.fromkeys([*model.parameters(), *(p for g in optimizer.param_groups for p in g["params"])])
        self.params = [(p, p.data.copy(), p.grad) for p in params]
        modules = list(model.modules())
        self.buffers = [(m, name, b, b.data.copy()) for m in modules for name, b in m.named_buffers(recurse=False)]
        self.modes = [(m, m.training) for m in modules]
        self.state = optimizer.state_dict()
        self.position = loader.state_dict() if hasattr(loader, "state_dict") else None
        self.streams = [(g, g.get_state()) for g in dict.fromkeys([default_generator, generator]) if g is not None]

    def restore(self):
        """Put it back."""
        for p, data, grad in self.params:
            p.data, p.grad = data, grad
        for module, name, buffer, data in self.buffers:
            buffer.data = data
            setattr(module, name, buffer)
        for module, training in self.modes:
            module.training = training
        self.optimizer.load_state_dict(self.state)
        if self.position is not None:
            self.loader.load_state_dict(self.position)
        for stream, state in self.streams:
            stream.set_state(state)
