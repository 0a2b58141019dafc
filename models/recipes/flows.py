"""Flows at the command line: points of the plane, and images."""
from typing import Literal

from ...autograd import no_grad
from ...data import TensorDataset
from ...distributions import MultivariateNormal
from ...optim import Adam
from ...viz import density, image_sheet, panels
from .. import flows
from .judged import judged_digits
from .plane import clouds, limits
from .recipe import Recipe, shaped, size


def _inputs(data):
    return TensorDataset(data.tensors[0])


def _adam(model, lr):
    """No decay of the weights: scales and shifts are among them."""
    return Adam(model.parameters(), lr=lr)


# Points -----------------------------------------------------------------------------
def _build_flow(source, dtype, device, *,
                kind: Literal["spline", "realnvp", "nice", "maf", "iaf", "planar", "radial", "residual",
                              "continuous"] = "spline",
                layers: int | None = None, hidden: tuple = (64, 64), bins: int = 8):
    home, dim = {"device": device, "dtype": dtype}, size(source)

    def bent(layer, n):
        start = [flows.ActNorm(dim, **home)]
        return flows.Flow(start + [layer(dim, **home) for _ in range(n)], dim)
    make = {
        "spline": lambda: flows.SplineFlow(dim, layers or 4, hidden, bins, **home),
        "realnvp": lambda: flows.RealNVP(dim, layers or 8, hidden, **home),
        "nice": lambda: flows.NICE(dim, layers or 8, hidden, **home),
        "maf": lambda: flows.MAF(dim, layers or 5, hidden, **home),
        "iaf": lambda: flows.IAF(dim, layers or 5, hidden, **home),
        "planar": lambda: bent(flows.Planar, layers or 16),
        "radial": lambda: bent(flows.Radial, layers or 16),
        "residual": lambda: flows.ResidualFlow(dim, layers or 8, hidden, **home),
        "continuous": lambda: flows.ContinuousFlow(dim, hidden, steps=6, **home),
    }
    return make[kind]()


def _report_flow(model, source, averages):
    x, held_out = source.train.tensors[0], source.test.tensors[0]
    centered = x - x.mean(axis=0)
    normal = MultivariateNormal(x.mean(axis=0), centered.T @ centered / len(x))
    gaussian = -float(normal.log_prob(held_out).mean())
    with no_grad(), model.evaluating():
        nll = float(model.loss(held_out)["loss"])
    text = (f"held out: {nll:.3f} nats per point; a normal density with full covariance needs {gaussian:.3f}, "
            f"{gaussian - nll:.3f} more")
    return text, {"nll": nll, "gaussian_nll": gaussian, **averages}


def _pictures_flow(model, source):
    x = source.test.tensors[0][:2000]
    xlim, ylim = limits(x)

    def log_prob(at):
        with no_grad(), model.evaluating():
            return model.log_prob(at)
    with no_grad(), model.evaluating():
        codes = model.to_latent(x)[0]
    home = {"dtype": x.dtype, "device": x.device, "width": 360, "height": 340}
    fields = [density(log_prob, xlim, ylim, "density of the model", **home),
              density(log_prob, xlim, ylim, "and held-out points", points=x[:300], **home)]
    captions = {"held-out points": x, "samples": model.sample(2000), "codes of the held-out points": codes}
    return {"samples": clouds(captions, 3), "density": panels(fields, 2)}


def _during(model, source):
    return model.sample(1000).reshape((1000, -1))


# Images -----------------------------------------------------------------------------
def _build_glow(source, dtype, device, *, steps: int = 3, stages: int = 2, channels: int = 48,
                levels: int | None = None):
    usual = 17 if source.name == "digits" else 256  # digits count black pixels in 4 x 4 blocks
    return flows.Glow(source.planes, levels or usual, stages, steps, channels, device=device, dtype=dtype)


def _report_glow(model, source, averages):
    text, numbers = f"held out: {averages['bits']:.3f} bits per pixel, {averages['loss']:.2f} nats per image", {}
    if source.name == "digits":
        judged, numbers = judged_digits(model.sample(359), source)
        text = f"{text}\n{judged}"
    return text, {**numbers, **averages}


def _pictures_glow(model, source):
    return image_sheet({
        "held-out examples": shaped(source.test.tensors[0][:20], source),
        "samples": shaped(model.sample(80), source),
        "samples from codes drawn with temperature 0.7": shaped(model.sample(80, temperature=0.7), source),
    }, columns=20, title=f"Glow on {source.name}")


def _drawn(model, source):
    return model.sample(40).reshape((40, -1))


def _build_made(source, dtype, device, *, hidden: tuple = (256, 256)):
    likelihood = "bernoulli" if source.unit else "gaussian"
    return flows.MADE(size(source), hidden, likelihood, device=device, dtype=dtype)


def _report_made(model, source, averages):
    return f"held out: {averages['loss']:.2f} nats per example", dict(averages)


def _pictures_made(model, source):
    return image_sheet({
        "held-out examples": shaped(source.test.tensors[0][:20], source),
        "samples, one number after the other": shaped(model.sample(80), source),
    }, columns=20, title=f"MADE on {source.name}")


RECIPES = (
    Recipe("flow", "a normalizing flow of points: spline, RealNVP, MAF, residual, continuous and others", _build_flow,
           _inputs, _report_flow, _pictures_flow, data="moons", epochs=60, batch_size=200, lr=2e-3, half_life=20,
           kinds=("points",), optimizers=_adam, during=_during),
    Recipe("glow", "a multi-scale flow of images, with bits per pixel", _build_glow, _inputs, _report_glow,
           _pictures_glow, data="digits", epochs=60, batch_size=64, lr=2e-3, half_life=20, kinds=("image",),
           optimizers=_adam, during=_drawn,
           plots=(("curves.svg", "nats per image", ("loss",)), ("bits.svg", "bits per pixel", ("bits",)))),
    Recipe("made", "a masked network that draws one number after the other", _build_made, _inputs, _report_made,
           _pictures_made, data="digits", epochs=60, batch_size=64, lr=2e-3, half_life=20, kinds=("image",),
           optimizers=_adam, during=_drawn),
)
