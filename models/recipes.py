"""What the command line must know of a model to train it: how to build it, its settings, what to show at the end."""
from dataclasses import dataclass
from typing import Any

from ..autograd import no_grad
from ..backend.names import unknown
from ..data import TensorDataset
from ..nn.state import replaced
from ..viz import image_sheet
from .mlp import MLPClassifier
from .vae import VAE


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


def find(name):
    """The `Recipe` called `name`.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    if name not in RECIPES:
        raise ValueError(unknown("model", name, RECIPES))
    return RECIPES[name]


def loss_of_parameters(model, batch):
    """The loss as a function of the parameters, and their values: what a gradient check needs.

    Args:
        model: a Module with `loss(*batch)`.
        batch: the arguments of `loss`.

    Returns:
        A function of as many Tensors as there are parameters, and the list of the parameters.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.MLPClassifier(2, 3, hidden=(4,))
        >>> loss, parameters = tn.models.loss_of_parameters(model, (tn.ones((1, 2)), tn.tensor([0])))
        >>> tn.gradcheck(loss, parameters).verdict
        'CORRECT'
    """
    names, values = zip(*model.named_parameters())

    def loss(*parameters):
        with replaced(model, dict(zip(names, parameters))), model.evaluating():
            found = model.loss(*batch)
        return found["loss"] if isinstance(found, dict) else found
    return loss, list(values)


# The variational autoencoder ------------------------------------------------------
def _build_vae(source, dtype, device):
    # A gray value counts block pixels, which says more than one coin flip: beta = 1/4 weighs it as four.
    kind, beta = ("bernoulli", 0.25) if source.unit else ("gaussian", 1.0)
    return VAE(_size(source), 8, (256, 128), kind, beta, device=device, dtype=dtype)


def _report_vae(model, source, averages):
    reconstruction, kl = averages["reconstruction"], averages["kl"]
    text = (f"held out: {reconstruction:.2f} nats to reconstruct + {kl:.2f} nats KL per example, "
            f"ELBO {-reconstruction - kl:.2f}, loss {averages['loss']:.2f}")
    return text, {"elbo": -reconstruction - kl, **averages}


def _pictures_vae(model, source):
    x = source.test.tensors[0][:20]
    return image_sheet({
        "held-out examples": _shaped(x, source), "their reconstructions": _shaped(model.reconstruct(x), source),
        "samples: codes drawn from the prior, decoded": _shaped(model.sample(100), source),
    }, columns=20, zoom=5, title=f"VAE on {source.name}")


# The classifier ---------------------------------------------------------------------
def _build_mlp(source, dtype, device):
    return MLPClassifier(_size(source), source.classes, (256, 256), 0.4, device=device, dtype=dtype)


def _report_mlp(model, source, averages):
    x, y = source.test.tensors
    wrong = int((model.predict(x) != y).sum())
    share = 100 * (1 - wrong / len(y))
    text = f"held out: {share:.2f}% right, {wrong} of {len(y)} wrong, loss {averages['loss']:.4f} nats"
    return text, {"wrong": wrong, "examples": len(y), **averages}


def _pictures_mlp(model, source):
    x, y = source.test.tensors
    found = model.predict(x)
    wrong = [k for k, (a, b) in enumerate(zip(found.tolist(), y.tolist())) if a != b]
    bands = {f"held-out examples, read as {' '.join(map(str, found[:20].tolist()))}": _shaped(x[:20], source)}
    if wrong:
        said = " ".join(f"{int(y[k])}>{int(found[k])}" for k in wrong[:20])
        caption = f"{len(wrong)} errors, class > answer: {said}{' ...' if len(wrong) > 20 else ''}"
        bands[caption] = _shaped(x[wrong[:40]], source)
    return image_sheet(bands, columns=20, zoom=5, title=f"MLP on {source.name}")


def _size(source):
    return source.train.tensors[0].shape[1]


def _shaped(x, source):
    """(N, D) -> (N, H, W) of images; signals stay rows."""
    with no_grad():
        return x.reshape((-1, *source.shape)).numpy()


RECIPES = {recipe.name: recipe for recipe in (
    Recipe("mlp", "a perceptron that classifies", _build_mlp, lambda data: data, _report_mlp, _pictures_mlp,
           data="digits", epochs=60, batch_size=32, lr=1e-3, half_life=20,
           plots=(("curves.svg", "nats", ("loss",)), ("accuracy.svg", "share right", ("accuracy",)))),
    Recipe("vae", "a variational autoencoder that draws", _build_vae, lambda data: TensorDataset(data.tensors[0]),
           _report_vae, _pictures_vae,
           data="digits", epochs=300, batch_size=64, lr=2e-3, half_life=30,
           plots=(("curves.svg", "nats", ("loss",)), ("terms.svg", "nats", ("reconstruction", "kl")))),
)}
