"""The adversarial models at the command line."""
import math
from typing import Literal

from ... import ops
from ...autograd import no_grad
from ...backend import Generator
from ...data import TensorDataset
from ...viz import image_sheet, scatter
from ..cyclegan import CycleGAN
from ..dcgan import DCGAN
from ..gan import GAN, ConditionalGAN
from ..infogan import InfoGAN
from ..measures import sliced_wasserstein
from ..wgan import WGAN
from .recipe import Recipe, own_update, shaped, size

KINDS = ("points", "image", "signal")
PLOTS = (("curves.svg", "nats", ("discriminator", "generator")),)
Kind = Literal["non-saturating", "minimax", "least-squares", "hinge"]


def _examples(data):
    return TensorDataset(data.tensors[0])


def _build_gan(source, dtype, device, *, latent: int = 8, hidden: tuple = (128, 128), kind: Kind = "non-saturating",
               r1: float = 0.0, minibatch: int = 0, average: float = 0.99):
    return GAN(size(source), latent, hidden, kind, r1=r1, minibatch=minibatch, average=average, device=device,
               dtype=dtype)


def _build_cgan(source, dtype, device, *, latent: int = 8, hidden: tuple = (128, 128), kind: Kind = "non-saturating",
                r1: float = 0.0):
    return ConditionalGAN(size(source), source.classes, latent, hidden, kind, r1=r1, device=device, dtype=dtype)


def _build_wgan(source, dtype, device, *, latent: int = 8, hidden: tuple = (128, 128),
                constraint: Literal["penalty", "lipschitz", "clip", "spectral"] = "penalty",
                weight: float | None = None, critic_steps: int = 1):
    if weight is None and constraint in ("penalty", "lipschitz") and source.kind == "points":
        weight = 1.0  # the usual 10 is for hundreds of dimensions; in the plane it keeps clouds from separating
    return WGAN(size(source), latent, hidden, constraint, weight, critic_steps, device=device, dtype=dtype)


def _build_dcgan(source, dtype, device, *, latent: int = 16, channels: int = 32, kind: Kind = "non-saturating",
                 r1: float = 0.0, dropout: float = 0.3, average: float = 0.99):
    return DCGAN(source.shape, latent, channels, source.unit, dropout, kind=kind, r1=r1, average=average,
                 device=device, dtype=dtype)


def _build_infogan(source, dtype, device, *, classes: int | None = None, codes: int = 2, latent: int = 8,
                   hidden: tuple = (128, 128), weight: float = 1.0, r1: float = 0.0):
    return InfoGAN(size(source), classes or source.classes, codes, latent, hidden, weight, r1=r1, device=device,
                   dtype=dtype)


# What is reported -------------------------------------------------------------------------
def covered(x, fake, labels):
    """Which share of `fake` lies within three standard deviations of a class, and how many classes it reaches.

    Args:
        x: real points (N, D).
        fake: generated ones.
        labels: the classes of the real ones, clouds that are about round.

    Returns:
        (classes that at least 1% of `fake` is near to, the share near to any).
    """
    nearest, inside = [], []
    for k in range(int(labels.max()) + 1):
        cloud = x[labels == k]
        center = ops.mean(cloud, axis=0)
        spread = ops.sqrt(ops.mean(ops.square(cloud - center)))
        distance = ops.sqrt(ops.sum(ops.square(fake - center), axis=-1))
        nearest.append(distance)
        inside.append(distance <= 3 * spread)
    inside = ops.stack(inside)
    share = [float(ops.mean(ops.astype(row, "float32"))) for row in inside]
    return sum(s >= 0.01 for s in share), float(ops.mean(ops.astype(ops.any(inside, axis=0), "float32")))


def _report(model, source, averages):
    text = (f"held out: discriminator {averages['discriminator']:.3f}, generator {averages['generator']:.3f} "
            f"(2 log 2 = {2 * math.log(2):.3f} where it can tell nothing)")
    numbers = dict(averages)
    x, y = source.test.tensors
    if source.name == "gaussians8":
        modes, share = covered(x, _draw(model, source, 5000), y)
        numbers.update(classes_reached=modes, share_near=share)
        text += f"; {modes} of {source.classes} classes reached, {100 * share:.1f}% within three standard deviations"
    elif source.kind == "points":
        off, best = (float(sliced_wasserstein(x, other, generator=Generator(0)))
                     for other in (_draw(model, source, len(x)), source.train.tensors[0][:len(x)]))
        numbers.update(sliced_wasserstein=off)
        text += f"; sliced Wasserstein distance {off:.3f} (training points {best:.3f})"
    return text, numbers


def _report_wgan(model, source, averages):
    text, numbers = _report(model, source, averages)
    distance = model.distance(source.test.tensors[0], model.sample(len(source.test)))
    _, _, more = text.partition(";")
    seen = "a distance, times a slope that clipping leaves open," if model.constraint == "clip" else "a distance W1"
    return f"held out: the critic sees {seen} of {distance:.3f}{';' if more else ''}{more}", {
        **numbers, "distance": distance}


def _draw(model, source, n):
    """Examples; of conditional models, as many of each class."""
    if not hasattr(model, "classes"):
        return model.sample(n)
    labels = ops.arange(n, device=next(model.parameters()).device) % model.classes
    return model.sample(n, ops.sort(labels) if n == 100 else labels)


def _pictures(model, source):
    x = source.test.tensors[0]
    if source.kind == "points":
        n = 1000
        fake = _draw(model, source, n)
        both = ops.concat([x[:n], ops.astype(fake, x.dtype)])
        return scatter(both, [0] * len(x[:n]) + [1] * n, names=["held-out points", "generated"],
                       title=f"{type(model).__name__} on {source.name}", equal=True)
    return image_sheet({"held-out examples": shaped(x[:20], source),
                        "generated" + (", row by row of a class" if hasattr(model, "classes") else ""):
                        shaped(_draw(model, source, 100), source)}, columns=10 if hasattr(model, "classes") else 20,
                       title=f"{type(model).__name__} on {source.name}")


def _during(model, source):
    return _draw(model, source, 500 if source.kind == "points" else 20)


# Two domains ------------------------------------------------------------------------------
def turned(x):
    """A quarter turn and a move of points in the plane: the other domain.

    F need not find it: without pairs, every map between the two clouds that can be undone closes the cycles.
    """
    return ops.stack([-x[:, 1] + 1.0, x[:, 0]], axis=1)


def _domains(data):
    x = data.tensors[0]
    half = len(x) // 2  # two halves: no point has its image in the other domain
    return TensorDataset(x[:half], turned(x[half:2 * half]))


def _build_cycle(source, dtype, device, *, hidden: tuple = (64, 64), cycle: float = 10.0, identity: float = 0.0):
    return CycleGAN(size(source), hidden, cycle, identity, device=device, dtype=dtype)


def _report_cycle(model, source, averages):
    return (f"held out: cycles end {averages['cycle'] / 2:.4f} from where they began, per coordinate; discriminators "
            f"{averages['discriminator']:.3f} (0.5 where they can tell nothing)"), dict(averages)


def _pictures_cycle(model, source):
    a, b = _domains(source.test).tensors
    a, b = a[:400], b[:400]
    with no_grad():
        parts = a, b, model.to_b(a), model.to_a(model.to_b(a))
    labels = [k for k, part in enumerate(parts) for _ in range(len(part))]
    return scatter(ops.concat(parts), labels, title=f"CycleGAN on {source.name}", equal=True,
                   names=["a", "b", "F(a)", "G(F(a))"])


def _recipe(name, summary, build, report=_report, **options):
    defaults = {"data": "gaussians8", "epochs": 200, "batch_size": 256, "kinds": KINDS, "plots": PLOTS}
    return Recipe(name, summary, build, options.pop("inputs", _examples), report, options.pop("pictures", _pictures),
                  optimizers=lambda model, lr: model.optimizers(lr), update=own_update,
                  **{"during": _during, **defaults, **options})


RECIPES = (
    _recipe("gan", "a generative adversarial network, in four kinds", _build_gan),
    _recipe("conditional-gan", "a GAN that is told the class", _build_cgan, inputs=lambda data: data),
    _recipe("wgan", "a Wasserstein GAN: gradient penalty, clipping or spectral norm", _build_wgan, _report_wgan,
            plots=(*PLOTS, ("distance.svg", "W1", ("distance",)))),
    _recipe("infogan", "a GAN whose noise has a readable code", _build_infogan,
            plots=(*PLOTS, ("information.svg", "nats", ("information",)))),
    _recipe("dcgan", "a GAN of convolutions", _build_dcgan, data="digits", epochs=150, batch_size=64, lr=5e-4,
            kinds=("image", "signal")),
    _recipe("cyclegan", "two maps between two clouds without pairs", _build_cycle, _report_cycle, data="moons",
            inputs=_domains, pictures=_pictures_cycle, during=None, kinds=("points",),
            plots=(*PLOTS, ("cycle.svg", "distance", ("cycle",)))),
)
