"""What goes on inside a model while it trains: its activations, gradients and steps, now and then, by reading only."""
from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import Tensor, no_grad
from ..nn import TransformerDecoderLayer, TransformerEncoderLayer
from ..viz import plot_curves, plot_histograms
from .callback import Callback
from .files import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from ..viz import Picture

WHOLE = (TransformerEncoderLayer, TransformerDecoderLayer)  # computed as a whole: a hook inside would change how
FORMAT = "monitor 1"
REACH = 4.0  # standard deviations that a histogram shows on either side


class Monitor(Callback):
    """Looks at steps of the training: histograms of activations and gradients, weight norms, sizes of updates.

    It only reads: a run with it gives the same bits as one without. Steps it does not look at cost nothing.

    Formula: for each parameter, |w|, |g| and the ratio |w after - w before| / |w before| (Euclidean norms; about 1e-3
        is healthy). For each layer, the distribution of its output over the batch, and the share of dead units: those
        whose output is 0 for the whole batch. A unit is a channel of outputs (N, C, H, W), else an element of the last
        axis.

    Args:
        every: look at one step in so many; by default at the first of each epoch.
        bins: of the histograms, which reach 4 standard deviations to both sides, the last bins including the rest.
        layers: paths of the modules to look at; by default all that hold no others.
        keep: after twice as many looks, every second is dropped and looks become as rare.

    Attributes:
        rows: what was seen, oldest first: dicts with `step`, `epoch`, `outputs` and `gradients` ({path: {mean, std,
            low, high, zeros, range, counts}}), `dead` ({path: share}) and `weights` ({path: {norm, gradient, update}}).

        types: {path: class} of the layers looked at.

    Raises:
        ValueError: `every`, `bins` or `keep` is out of range.

    Source: Abadi et al. 2015, TensorFlow, section 9.1; Karpathy 2016, CS231n notes, learning 1 (the ratio of updates
        to weights).

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.nn.Sequential(tn.nn.Linear(2, 8), tn.nn.ReLU(), tn.nn.Linear(8, 1))
        >>> monitor = tn.train.Monitor(every=2)
        >>> history = tn.train.fit(model, [tn.randn(16, 2)], tn.optim.SGD(model.parameters(), lr=0.1), 5,
        ...                        loss=lambda model, x: (model(x)**2).mean(), callbacks=[monitor])
        >>> [row["step"] for row in monitor.rows], list(monitor.rows[0]["outputs"])
        ([1, 3, 5], ['0', '1', '2'])
        >>> sorted(monitor.pictures())[:2]
        ['dead units', 'gradient 0.bias']
    """

    def __init__(self, every: int | None = None, bins: int = 48, layers: Any = None, keep: int = 60) -> None:
        for name, value, low in (("every", every, 1), ("bins", bins, 2), ("keep", keep, 2)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < low):
                raise ValueError(f"{name}: expected an int >= {low}, got {value!r}")
        self.every, self.bins, self.layers, self.keep = every, bins, layers, keep
        self.rows: list[dict[str, Any]] = []
        self.types: dict[str, str] = {}
        self._look: _Look | None = None
        self._epoch = -1
        self._next = 0
        self._skip = 1

    # As a callback --------------------------------------------------------------------
    def before_step(self, trainer: Any) -> None:
        """Begin to look, if it is time to."""
        if self.every is None:
            due = trainer.epoch != self._epoch and trainer.epoch >= self._next
        else:
            due = trainer.step >= self._next
        if due:
            self._epoch = trainer.epoch
            self._next = (trainer.epoch if self.every is None else trainer.step) + self._skip * (self.every or 1)
            self._look = _Look(trainer.model, self.layers, self.bins)

    def after_step(self, trainer: Any) -> None:
        """End to look, and keep what was seen."""
        if self._look is not None:
            look, self._look = self._look, None
            self._add({"step": trainer.step + 1, "epoch": trainer.epoch + 1}, look)

    def end(self, trainer: Any) -> None:
        """Take hooks off that a failed step has left."""
        if self._look is not None:
            self._look.remove()
            self._look = None

    @contextmanager
    def watch(self, model: Any, step: int, epoch: int | None = None) -> Iterator[None]:
        """Look at one step of your own loop: forward, backward and the step of the optimizer go into the block.

        Args:
            model: the Module.
            step: its number, which must grow.
            epoch: likewise; for your own use.
        """
        look = _Look(model, self.layers, self.bins)
        try:
            yield
        except BaseException:
            look.remove()
            raise
        self._add({"step": step, "epoch": epoch}, look)

    def _add(self, row, look):
        self.rows.append({**row, **look.end()})
        self.types.update(look.types)
        if len(self.rows) >= 2 * self.keep:
            self.rows = self.rows[::2]
            self._skip *= 2

    # What was seen ----------------------------------------------------------------------
    def paths(self, kind: str) -> list[str]:
        """The names there are of one kind: 'outputs', 'gradients', 'weights' or 'dead'."""
        return list(dict.fromkeys(path for row in self.rows for path in row[kind]))

    def histogram(self, kind: str, path: str, style: str = "field", **options: Any) -> Picture:
        """The distribution of 'outputs' of a layer or of 'gradients' of a parameter over the steps.

        Args:
            kind: 'outputs' or 'gradients'.
            path: of the layer or parameter.
            style: 'field' or 'ridge'; see `tn.viz.plot_histograms`.
            **options: others of it.

        Raises:
            KeyError: nothing was seen of this name; the message lists what was.
        """
        found = [(row["step"], row[kind][path]) for row in self.rows if path in row.get(kind, ())]
        if not found:
            raise KeyError(f"{kind}: nothing was seen of {path!r}; known: {', '.join(self.paths(kind)) or 'none yet'}")
        what = "output of" if kind == "outputs" else "gradient of"
        kind_of_layer = f" ({self.types[path]})" if path in self.types else ""
        options = {"title": f"{what} {path}{kind_of_layer}", "ylabel": what.split()[0], **options}
        return plot_histograms([step for step, _ in found], [seen["range"] for _, seen in found],
                               [seen["counts"] for _, seen in found], kind=style, **options)

    def series(self, what: str) -> dict[str, tuple[list, list]]:
        """{path: (steps, values)} of 'norm', 'gradient' or 'update' of all parameters, or of the share of 'dead' units.

        Raises:
            ValueError: `what` is none of these.
        """
        if what not in TITLES:
            raise ValueError(f"what: expected one of {', '.join(TITLES)}, got {what!r}")
        curves: dict[str, tuple[list, list]] = {}
        for row in self.rows:
            for path, seen in row["dead" if what == "dead" else "weights"].items():
                x, y = curves.setdefault(path, ([], []))
                x.append(row["step"])
                y.append(seen if what == "dead" else seen[what])
        return curves

    def curves(self, what: str, **options: Any) -> Picture:
        """What `series` returns, as a picture.

        Raises:
            ValueError: `what` is unknown, or there is nothing to draw.
        """
        curves = self.series(what)
        title, log = TITLES[what]
        return plot_curves(curves, title, **{"xlabel": "step", "logy": log, **options})

    def pictures(self, style: str = "field") -> dict[str, Picture]:
        """All that was seen, as pictures by name; what holds nothing to draw is left out."""
        found = {}
        for kind, name in (("outputs", "output"), ("gradients", "gradient")):
            found.update({f"{name} {path}": self.histogram(kind, path, style) for path in self.paths(kind)})
        for what, (title, log) in TITLES.items():
            kind = "dead" if what == "dead" else "weights"
            values = [v if what == "dead" else v[what] for row in self.rows for v in row[kind].values()]
            if any(math.isfinite(v) and v > (0 if log else -1) for v in values):
                found[title] = self.curves(what)
        return found

    # State --------------------------------------------------------------------------
    def state_dict(self) -> dict[str, Any]:
        """What was seen and when to look next, as numbers and texts."""
        return {"format": FORMAT, "next": self._next, "skip": self._skip, "types": self.types, "rows": self.rows}

    def load_state_dict(self, state: Any) -> None:
        """Go on where another was.

        Raises:
            ValueError: it is not the state of a Monitor.
        """
        if not isinstance(state, dict) or state.get("format") != FORMAT:
            raise ValueError("this is not the saved state of a Monitor")
        self._next, self._skip, self.rows = state["next"], state["skip"], list(state["rows"])
        self.types = dict(state["types"])

    def to_json(self, path: str | PathLike[str]) -> None:
        """Write `state_dict` to a file."""
        write_json(path, self.state_dict(), indent=None)

    def __repr__(self) -> str:
        return f"Monitor({len(self.rows)} steps seen)"


TITLES = {"update": ("updates to weights", True), "gradient": ("gradient norms", True), "norm": ("weight norms", True),
          "dead": ("dead units", False)}


class _Look:
    """One step: hooks that read outputs, a copy of the weights before, and what has become of them."""

    def __init__(self, model, layers, bins):
        self.model, self.bins, self.outputs = model, bins, {}
        self.before = {path: p.detach().clone() for path, p in model.named_parameters() if p.requires_grad}
        modules = watched(model, layers)
        self.types = {path: type(module).__name__ for path, module in modules}
        self.handles = [module.register_forward_hook(self._reader(path)) for path, module in modules]

    def _reader(self, path):
        def read(module, inputs, output):
            if module.training and isinstance(output, Tensor) and output.dtype.kind == "f" and output.size:
                self.outputs[path] = output.detach()  # the last call counts
        return read

    def remove(self):
        """Take the hooks off."""
        for handle in self.handles:
            handle.remove()

    def end(self):
        """The row of the step."""
        self.remove()
        with no_grad():
            row: dict[str, Any] = {
                "outputs": {path: summary(x, self.bins) for path, x in self.outputs.items()},
                "dead": {path: share for path, x in self.outputs.items() if (share := dead_share(x)) is not None},
                "gradients": {}, "weights": {}}
            for path, p in self.model.named_parameters():
                if path in self.before:
                    before, g = self.before[path], p.grad
                    norm = _norm(before)
                    if g is not None:
                        row["gradients"][path] = summary(g, self.bins)
                    change = _norm(p.detach() - before)
                    row["weights"][path] = {"norm": norm, "gradient": 0.0 if g is None else _norm(g),
                                            "update": change / norm if norm else 0.0}
        return row


def watched(model, layers=None):
    """[(path, module)] of the modules to look at.

    Raises:
        ValueError: a path of `layers` is no module of the model.
    """
    modules = dict(model.named_modules())
    if layers is not None:
        unknown = [path for path in layers if path not in modules]
        if unknown:
            known = ", ".join(path for path in modules if path)
            raise ValueError(f"layers: the model has no module {unknown[0]!r}; it has {known}")
        return [(path, modules[path]) for path in layers]
    whole = [path for path, module in modules.items() if isinstance(module, WHOLE)]
    return [(path or "model", module) for path, module in modules.items()
            if not any(path != outer and path.startswith(f"{outer}." if outer else "") for outer in whole)
            and (isinstance(module, WHOLE) or not any(True for _ in module.children()))]


def summary(x, bins):
    """Mean, standard deviation, extremes, share of zeros and histogram of the finite elements of a Tensor."""
    x = x.reshape((-1,)).astype(ops_float(x))
    good = ops.isfinite(x)
    bad = int(x.size - good.sum().item())
    if bad:
        x = x[good]
    if x.size == 0:
        return {"mean": 0.0, "std": 0.0, "low": 0.0, "high": 0.0, "zeros": 0.0, "bad": bad, "range": [0.0, 0.0],
                "counts": [0] * bins}
    low, high, mean = ops.min(x).item(), ops.max(x).item(), ops.mean(x).item()
    std = ops.mean((x - mean)**2).item()**0.5
    first, last = max(low, mean - REACH * std), min(high, mean + REACH * std)
    if last > first:
        place = ops.clip(ops.floor((x - first) * (bins / (last - first))), 0, bins - 1)
        counts = ops.bincount(place.astype("int64"), minlength=bins).tolist()
    else:
        counts = [x.size] + [0] * (bins - 1)
    return {"mean": mean, "std": std, "low": low, "high": high, "zeros": ops.mean((x == 0).astype(x.dtype)).item(),
            "bad": bad, "range": [first, last], "counts": counts}


def ops_float(x):
    """A dtype in which sums of many elements keep their digits."""
    return "float64" if x.dtype.itemsize == 8 else "float32"


def dead_share(x):
    """The share of units whose output is 0 for the whole batch; None if there are no units or only one example."""
    if x.ndim < 2 or x.shape[0] < 2:
        return None
    unit = 1 if x.ndim >= 4 else x.ndim - 1
    live = ops.any(x != 0, axis=tuple(k for k in range(x.ndim) if k != unit))
    return 1.0 - ops.mean(live.astype("float32")).item()


def _norm(x):
    x = x.astype(ops_float(x))
    return ops.sum(x * x).item()**0.5
