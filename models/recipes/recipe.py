"""What the command line must know of a model to train it: how to build it, its settings, what to show at the end."""
import inspect
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, get_args, get_origin

from ...autograd import no_grad
from ...backend.names import unknown
from ...optim import AdamW
from ...optim.lr_scheduler import InverseTimeLR


def adamw(model, lr):
    """The optimizer of recipes that name no other: AdamW over all parameters."""
    return AdamW(model.parameters(), lr=lr, weight_decay=1e-2)


def own_update(trainer, batch):
    """`Recipe.update` of models that have a method `update(trainer, *batch)`."""
    return trainer.model.update(trainer, *batch)


@dataclass(frozen=True)
class Recipe:
    """How a model is trained from the command line.

    Fields:
        name, summary: as listed.
        build: function (source, dtype, device, *, settings) -> Module with `loss(*batch)`. What is after the `*` can
            be set with `--set name=value`; its annotation, needed, says what it may be: int, float, bool, str,
            tuple (of ints, as in 256,128), or Literal["one", "another"] for a choice; `| None` where the default
            depends on the data.
        inputs: function (TensorDataset of inputs and labels) -> data set of what `loss` takes.
        report: function (model, source, averages on held-out data) -> (line of text, {name: number}).
        pictures: function (model, source) -> `viz.Picture`, or a dict {name of the file: `viz.Picture`}.
        data, epochs, batch_size, lr: defaults.
        half_life: epochs after which the rate is lr/2, or None for a constant one; not used with `schedule`.
        plots: (file, unit, columns of the history) of each plot.
        kinds: the kinds of data that it can be trained on, see `data.Source`.
        optimizers: function (model, lr) -> Optimizer, or a dict of several, which `update` then uses.
        update: function (trainer, batch) -> {"loss": number, ...}, as in `train.Trainer`.
        schedule: function (optimizer, epochs, steps) -> scheduler that is stepped after each of so many steps.
        during: function (model, source) -> examples as the model makes them now, (N, D); kept now and then in
            training and shown as one picture, during.svg. What it draws is the same each time.
        fit: function (model, source), for models in closed form: it replaces all training.
    """

    name: str
    summary: str
    build: Any
    inputs: Any
    report: Any
    pictures: Any
    data: str
    epochs: int = 1
    batch_size: int = 64
    lr: float = 1e-3
    half_life: float | None = None
    plots: tuple = (("curves.svg", "nats", ("loss",)),)
    kinds: tuple = ("image", "signal")
    optimizers: Any = adamw
    update: Any = None
    schedule: Any = None
    during: Any = None
    fit: Any = None

    @property
    def settings(self):
        """{name: (type, default)} of what `--set` can change."""
        parameters = inspect.signature(self.build).parameters.values()
        return {p.name: (_kind(p.annotation), p.default) for p in parameters if p.kind is p.KEYWORD_ONLY}

    def parse(self, words):
        """Settings from words such as "beta=4".

        Raises:
            ValueError: a word is no setting of this model, or its value is of another type or no choice.
        """
        found = {}
        for word in words:
            name, equals, text = word.partition("=")
            if not equals:
                raise ValueError(f"--set: expected name=value, got {word!r}")
            if name not in self.settings:
                raise ValueError(unknown(f"--set: {self.name}: setting", name, self.settings))
            found[name] = _value(name, text, self.settings[name][0])
        return found

    def schedulers(self, optimizer, epochs, steps):
        """The scheduler (a list, if there are several optimizers) and how often it is stepped."""
        if self.schedule is None and self.half_life is None:
            return None, "epoch"
        make = self.schedule or (lambda one, epochs, steps: InverseTimeLR(one, self.half_life))
        per = "epoch" if self.schedule is None else "step"
        if isinstance(optimizer, dict):
            return [make(one, epochs, steps) for one in optimizer.values()], per
        return make(optimizer, epochs, steps), per


def _kind(annotation):
    """int of `int | None`."""
    return get_args(annotation)[0] if get_origin(annotation) is UnionType else annotation


def _value(name, text, kind):
    """A setting's value from its text."""
    if get_origin(kind) is Literal:
        if text not in map(str, get_args(kind)):
            raise ValueError(unknown(f"--set {name}", text, map(str, get_args(kind))))
        return next(value for value in get_args(kind) if str(value) == text)
    try:
        if kind is bool:
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
        return tuple(int(part) for part in text.split(",") if part) if kind is tuple else kind(text)
    except (ValueError, KeyError):
        wanted = {int: "a whole number", float: "a number", bool: "yes or no", tuple: "whole numbers such as 256,128"}
        raise ValueError(f"--set {name}: expected {wanted.get(kind, kind.__name__)}, got {text!r}") from None


def size(source):
    """The number of elements of an example."""
    return source.train.tensors[0].shape[1]


def shaped(x, source):
    """(N, D) -> (N, H, W) of images, (N, 3, H, W) of those in color; signals stay rows."""
    with no_grad():
        return x.reshape((-1, *source.shape)).numpy()
