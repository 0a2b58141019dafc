"""Variational autoencoders at the command line."""
from typing import Literal

from ... import ops
from ...autograd import no_grad
from ...data import TensorDataset
from ...viz import image_sheet, scatter
from ..conditional_vae import ConditionalVAE
from ..hierarchical_vae import HierarchicalVAE
from ..iwae import IWAE
from ..vae import VAE
from .recipe import Recipe, shaped, size

Decoder = Literal["auto", "bernoulli", "gaussian"]


def _settings(source, decoder, beta):
    # A gray value counts block pixels, which says more than one coin flip: beta = 1/4 weighs it as four.
    usual, weight = ("bernoulli", 0.25) if source.unit else ("gaussian", 1.0)
    return usual if decoder == "auto" else decoder, weight if beta is None else beta


def _build_vae(source, dtype, device, *, latent: int = 8, hidden: tuple = (256, 128), decoder: Decoder = "auto",
               beta: float | None = None):
    return VAE(size(source), latent, hidden, *_settings(source, decoder, beta), device=device, dtype=dtype)


def _build_cvae(source, dtype, device, *, latent: int = 8, hidden: tuple = (256, 128), decoder: Decoder = "auto",
                beta: float | None = None):
    return ConditionalVAE(size(source), source.classes, latent, hidden, *_settings(source, decoder, beta),
                          device=device, dtype=dtype)


def _build_iwae(source, dtype, device, *, latent: int = 8, hidden: tuple = (256, 128), decoder: Decoder = "auto",
                draws: int = 5):
    return IWAE(size(source), latent, hidden, _settings(source, decoder, None)[0], draws, device=device, dtype=dtype)


def _build_ladder(source, dtype, device, *, latent: tuple = (8, 4), width: int = 128, decoder: Decoder = "auto",
                  beta: float | None = None):
    return HierarchicalVAE(size(source), latent, width, *_settings(source, decoder, beta), device=device, dtype=dtype)


def _report_vae(model, source, averages):
    reconstruction, kl = averages["reconstruction"], averages["kl"]
    layers = [f"{value:.2f}" for key, value in averages.items() if key.startswith("kl_")]
    text = (f"held out: {reconstruction:.2f} nats to reconstruct + {kl:.2f} nats KL per example"
            f"{' (' + ' + '.join(layers) + ' from below up)' if layers else ''}, "
            f"ELBO {-reconstruction - kl:.2f}, loss {averages['loss']:.2f}")
    return text, {"elbo": -reconstruction - kl, **averages}


def _report_iwae(model, source, averages):
    x = source.test.tensors[0][:500]
    exact = float(ops.mean(model.log_evidence(x, draws=100)))
    text = (f"held out: ELBO {averages['elbo']:.2f} nats per example, bound of {model.draws} draws "
            f"{-averages['loss']:.2f}, of 100 draws {exact:.2f}")
    return text, {**averages, "bound_of_100": exact}


def _pictures_vae(model, source):
    x, y = source.test.tensors
    conditional, title = hasattr(model, "classes"), f"{type(model).__name__} on {source.name}"
    classes = ops.arange(100, device=x.device) // 10 % source.classes
    back = model.reconstruct(x, y) if conditional else model.reconstruct(x)
    drawn = model.sample(classes) if conditional else model.sample(100)
    if source.kind == "points":
        n = min(len(x), 500)
        many = model.sample(ops.arange(n, device=x.device) % source.classes) if conditional else model.sample(n)
        found = {"samples": scatter(ops.concat([x[:n], back[:n], many]), [0] * n + [1] * n + [2] * n, equal=True,
                                    title=title, names=["held-out points", "reconstructions", "samples (means)"])}
    else:
        bands = {"held-out examples": shaped(x[:20], source), "their reconstructions": shaped(back[:20], source)}
        kind = ", ten of a class" if conditional else ""
        bands[f"samples: codes drawn from the prior{kind}, decoded"] = shaped(drawn, source)
        found = {"samples": image_sheet(bands, columns=20, title=title)}
    if type(model) in (VAE, IWAE) and source.kind != "points":
        rows = {f"code {k} from -2.5 to 2.5": shaped(model.traverse([k], 20), source) for k in range(model.latent_dim)}
        found["traversals"] = image_sheet(rows, columns=20, title=f"{title}: one number of the code moves")
    with no_grad(), model.evaluating():
        mean = model.encode(model._beside(x, y) if conditional else x)[0]
    if mean.shape[1] >= 2:
        found["latent"] = scatter(_widest(mean), y, equal=True, title=f"{title}: codes of held-out examples, by class",
                                  xlabel="the two numbers of the code that vary most")
    return found


def _widest(mean):
    """The two columns with the largest variance."""
    order = ops.argsort(ops.var(mean, axis=0), descending=True)
    return mean[:, order[:2]]


def _during(model, source):
    n = 500 if source.kind == "points" else 20
    if hasattr(model, "classes"):
        return model.sample(ops.arange(n, device=next(model.parameters()).device) % model.classes)
    return model.sample(n)


def _recipe(name, summary, build, report=_report_vae, **options):
    defaults = {"data": "digits", "epochs": 300, "batch_size": 64, "lr": 2e-3, "half_life": 30, "during": _during,
                "kinds": ("image", "signal", "points"),
                "plots": (("curves.svg", "nats", ("loss",)), ("terms.svg", "nats", ("reconstruction", "kl")))}
    inputs = options.pop("inputs", lambda data: TensorDataset(data.tensors[0]))
    return Recipe(name, summary, build, inputs, report, _pictures_vae, **{**defaults, **options})


RECIPES = (
    _recipe("vae", "a variational autoencoder that draws", _build_vae),
    _recipe("conditional-vae", "a VAE that is told the class", _build_cvae, epochs=100, inputs=lambda data: data),
    _recipe("iwae", "a VAE with the importance-weighted bound", _build_iwae, _report_iwae, epochs=100,
            plots=(("curves.svg", "nats", ("loss",)), ("terms.svg", "nats", ("elbo",)))),
    _recipe("hierarchical-vae", "a ladder of codes above codes", _build_ladder, epochs=100,
            plots=(("curves.svg", "nats", ("loss",)), ("terms.svg", "nats", ("reconstruction", "kl", "kl_1")))),
)
