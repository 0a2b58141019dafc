"""Diffusion and scores at the command line: points of the plane, and images."""
import math
from typing import Literal

from ... import ops
from ...autograd import no_grad
from ...backend import Generator
from ...data import TensorDataset
from ...optim import Adam
from ...optim.lr_scheduler import CosineAnnealingLR
from ...viz import image_sheet
from ..diffusion import DDPM, ImageDenoiser, MLPDenoiser, ScoreModel
from .judged import judged_digits
from .plane import clouds
from .recipe import Recipe, shaped, size


class RowDDPM(DDPM):
    """A `DDPM` whose batches hold labels, which it uses where its network has classes."""

    def loss(self, x, label=None, generator=None):
        """As that of `DDPM`."""
        return super().loss(x, label if self.classes else None, generator)


def _build_ddpm(source, dtype, device, *, network: Literal["mlp", "unet"] = "mlp", steps: int = 200,
                schedule: Literal["linear", "cosine"] = "linear", hidden: tuple | None = None, channels: int = 32,
                classes: bool | None = None):
    home = {"device": device, "dtype": dtype}
    known = source.classes if (source.kind == "image" if classes is None else classes) else 0
    if network == "unet":
        return RowDDPM(ImageDenoiser(source.planes, channels, known, **home), source.planes, steps, schedule,
                       unit=source.unit)
    widths = hidden or ((128,) * 3 if size(source) < 16 else (256,) * 3)
    inner = MLPDenoiser(size(source), widths[0], len(widths), known, 4 if size(source) < 16 else 0, **home)
    return RowDDPM(inner, size(source), steps, schedule, unit=source.unit)


def _adam(model, lr):
    return Adam(model.parameters(), lr=lr)


def _falling(optimizer, epochs, steps):
    """To zero along a cosine: what the last steps would stir up shows in the samples."""
    return CosineAnnealingLR(optimizer, steps)


def _measured(model, data):
    """The loss on held-out data with all times and many draws, always the same ones: little noise in the number."""
    stream, total, rounds = Generator(0), 0.0, 10
    with no_grad(), model.evaluating():
        for _ in range(rounds):
            total += float(model.loss(*data.tensors, generator=stream)["loss"])
    return total / rounds


def _report_ddpm(model, source, averages):
    error = _measured(model, source.test)
    text, numbers = f"held out: squared error of the noise {error:.4f} (1 if it says nothing)", {"error": error}
    if source.name == "digits":
        judged, more = judged_digits(model.sample(359, _labels(model, 359)), source)
        text, numbers = f"{text}\n{judged}", {**numbers, **more}
    return text, {**numbers, **averages}


def _labels(model, n):
    """Classes drawn at random, or None where the model knows none."""
    return ops.randint(0, model.classes, (n,)) if model.classes else None


def _pictures_ddpm(model, source):
    x = source.test.tensors[0]
    few = min(20, len(model.process))
    if source.kind != "points":
        bands = {"held-out examples": shaped(x[:20], source),
                 "samples": shaped(model.sample(60, _labels(model, 60)), source),
                 f"samples in {few} steps (DDIM)": shaped(model.sample_ddim(60, few, label=_labels(model, 60)), source)}
        for w in (0.0, 2.0) if model.classes else ():
            labels = ops.repeat(ops.arange(model.classes), 4)
            told = model.sample(4 * model.classes, labels, w)
            bands[f"samples of each class, guidance {w:g}"] = shaped(told, source)
        return image_sheet(bands, columns=20, title=f"DDPM on {source.name}")
    return clouds({"held-out points": x[:2000], "samples": model.sample(2000),
                   f"samples in {few} steps (DDIM)": model.sample_ddim(2000, few)}, 3)


def _during(model, source):
    n = 1000 if source.kind == "points" else 40
    few = min(20, len(model.process))
    return model.sample_ddim(n, few, label=_labels(model, n)).reshape((n, -1))


# Scores -------------------------------------------------------------------------------
def _build_score(source, dtype, device, *, hidden: tuple = (128, 128, 128), low: float = 0.03, high: float = 3.0,
                 levels: int = 12):
    network = MLPDenoiser(size(source), hidden[0], len(hidden), waves=4, device=device, dtype=dtype)
    return ScoreModel(network, size(source), low, high, levels)


def _report_score(model, source, averages):
    error = _measured(model, TensorDataset(source.test.tensors[0]))
    return f"held out: denoising error {error:.4f} (1 if it says nothing)", {"error": error, **averages}


def _pictures_score(model, source):
    middle = math.sqrt(model.low * model.high)
    x = source.test.tensors[0][:2000]
    noisy = x + middle * ops.astype(ops.normal(x.shape, device=x.device), x.dtype)
    with no_grad(), model.evaluating():
        cleaned = noisy + middle**2 * model.score(noisy, middle)
    return clouds({"held-out points": x, "samples by annealed Langevin steps": model.sample(2000),
                   f"with noise of {middle:.2g}": noisy, "and the mean of what they were (Tweedie)": cleaned})


RECIPES = (
    Recipe("ddpm", "denoising diffusion of points or images, with few-step sampling, guided by classes", _build_ddpm,
           lambda data: data, _report_ddpm, _pictures_ddpm, data="moons", epochs=200, batch_size=200, lr=2e-3,
           schedule=_falling, kinds=("points", "image", "signal"), optimizers=_adam, during=_during,
           plots=(("curves.svg", "squared error of the noise", ("loss",)),)),
    Recipe("score", "denoising score matching of points, with annealed Langevin sampling", _build_score,
           lambda data: TensorDataset(data.tensors[0]), _report_score, _pictures_score, data="gaussians8", epochs=100,
           batch_size=200, lr=2e-3, schedule=_falling, kinds=("points",), optimizers=_adam,
           during=lambda model, source: model.sample(1000, steps=10),
           plots=(("curves.svg", "denoising error", ("loss",)),)),
)
