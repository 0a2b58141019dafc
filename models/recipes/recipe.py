"""What the command line must know of a model to train it: how to build it, its settings, what to show at the end."""
from dataclasses import dataclass
from typing import Any

from ...autograd import no_grad


@dataclass(frozen=True)
class Recipe:
    """How a model is trained from the command line.

    Fields:
        name, summary: as listed.
        build: function (source, dtype, device) -> Module with `loss(*batch)`.
        inputs: function (TensorDataset of inputs and labels) -> TensorDataset of what `loss` takes.
        report: function (model, source, averages on held-out data) -> (line of text, {name: number}).
        pictures: function (model, source) -> `viz.Picture`.
        data, epochs, batch_size, lr: defaults; half_life: epochs after which the rate is lr/2.
        plots: (file, unit, columns of the history) of each plot.
    """

    name: str
    summary: str
    build: Any
    inputs: Any
    report: Any
    pictures: Any
    data: str
    epochs: int
    batch_size: int
    lr: float
    half_life: float
    plots: tuple


def size(source):
    """The number of elements of an example."""
    return source.train.tensors[0].shape[1]


def shaped(x, source):
    """(N, D) -> (N, H, W) of images; signals stay rows."""
    with no_grad():
        return x.reshape((-1, *source.shape)).numpy()
