"""Autoencoders at the command line."""
from typing import Literal

from ... import ops
from ...autograd import no_grad
from ...data import TensorDataset
from ...viz import image_sheet, scatter
from ..adversarial_autoencoder import AdversarialAutoencoder, WassersteinAutoencoder
from ..autoencoder import (
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    LinearAutoencoder,
    SparseAutoencoder,
)
from ..vq_vae import VQVAE
from .recipe import Recipe, adamw, own_update, shaped, size

KINDS = ("image", "signal", "points")
PLOTS = (("curves.svg", "squared distance", ("reconstruction",)),)


def _where(source, dtype, device):
    return {"unit": source.unit, "device": device, "dtype": dtype}


def _build_linear(source, dtype, device, *, latent: int = 2):
    return LinearAutoencoder(size(source), latent, device=device, dtype=dtype)


def _build_deep(source, dtype, device, *, latent: int = 2, hidden: tuple = (128, 64)):
    return Autoencoder(size(source), latent, hidden, **_where(source, dtype, device))


def _build_denoising(source, dtype, device, *, latent: int = 32, hidden: tuple = (128,), sigma: float = 0.3,
                     mask: bool = False):
    return DenoisingAutoencoder(size(source), latent, hidden, sigma, mask, **_where(source, dtype, device))


def _build_contractive(source, dtype, device, *, latent: int = 4, hidden: tuple = (64,), weight: float = 0.1):
    return ContractiveAutoencoder(size(source), latent, hidden, weight, **_where(source, dtype, device))


def _build_sparse(source, dtype, device, *, latent: int = 64, hidden: tuple = (), weight: float = 0.05,
                  kind: Literal["l1", "kl", "k"] = "l1", rho: float = 0.05, active: int = 8):
    return SparseAutoencoder(size(source), latent, hidden, kind, weight, rho, active, **_where(source, dtype, device))


def _build_adversarial(source, dtype, device, *, latent: int = 2, hidden: tuple = (128, 64), weight: float = 1.0):
    return AdversarialAutoencoder(size(source), latent, hidden, weight, **_where(source, dtype, device))


def _build_wasserstein(source, dtype, device, *, latent: int = 2, hidden: tuple = (128, 64), weight: float = 1.0):
    return WassersteinAutoencoder(size(source), latent, hidden, weight, **_where(source, dtype, device))


def _build_vq(source, dtype, device, *, codes: int = 8, entries: int = 32, code_dim: int = 4, hidden: tuple = (128,),
              decay: float = 0.99):
    return VQVAE(size(source), codes, entries, code_dim, hidden, decay=decay, **_where(source, dtype, device))


def report(model, source, averages):
    """How much of what varies in held-out examples comes back."""
    x = source.test.tensors[0]
    spread = float(ops.mean(ops.sum(ops.square(x - ops.mean(x, axis=0)), axis=-1)))
    found = averages["reconstruction"]
    text = (f"held out: squared distance {found:.4f} of {spread:.4f} that the data vary, "
            f"{100 * (1 - found / spread):.1f}% explained")
    for name in ("contraction", "active", "perplexity"):
        if name in averages:
            text += f"; {name} {averages[name]:.3g}"
    return text, {**averages, "explained": 1 - found / spread}


def pictures(model, source):
    """Held-out examples and what comes back, and the plane of the first two codes."""
    x, y = source.test.tensors
    title = f"{type(model).__name__} on {source.name}"
    found = {}
    with no_grad(), model.evaluating():
        h = model.encode(x)
    if source.kind == "points":
        n = min(len(x), 500)
        both = ops.concat([x[:n], ops.astype(model.predict(x[:n]), x.dtype)])
        found["samples"] = scatter(both, [0] * n + [1] * n, names=["held-out points", "what comes back"], title=title,
                                   equal=True)
    else:
        bands = {"held-out examples": shaped(x[:20], source),
                 "what comes back": shaped(model.predict(x[:20]), source)}
        if hasattr(model, "corrupt"):
            noisy = model.corrupt(x[:20])
            bands |= {"with noise": shaped(noisy, source), "cleaned": shaped(model.predict(noisy), source)}
        if hasattr(model, "sample"):
            bands["samples"] = shaped(model.sample(100), source)
        found["samples"] = image_sheet(bands, columns=20, title=title)
    if len(h.shape) == 2 and h.shape[1] >= 2 and not isinstance(model, VQVAE):
        found["latent"] = scatter(h[:, :2], y, title=f"{title}: the first two numbers of the codes, by class",
                                  equal=True)
    return found


def _recipe(name, summary, build, **options):
    defaults = {"data": "digits", "epochs": 100, "batch_size": 64, "lr": 2e-3, "half_life": 30, "kinds": KINDS,
                "plots": PLOTS}
    return Recipe(name, summary, build, lambda data: TensorDataset(data.tensors[0]), report, pictures,
                  **{**defaults, **options})


TURNS = {"update": own_update, "optimizers": lambda model, lr: model.optimizers(lr), "lr": 1e-3,
         "during": lambda model, source: model.sample(500 if source.kind == "points" else 20),
         "plots": (*PLOTS, ("players.svg", "loss", ("discriminator", "autoencoder")))}
RECIPES = (
    _recipe("linear-autoencoder", "an autoencoder that finds the principal subspace", _build_linear, lr=1e-2),
    _recipe("autoencoder", "a deep autoencoder", _build_deep),
    _recipe("denoising", "an autoencoder that cleans noisy examples", _build_denoising),
    _recipe("contractive", "an autoencoder whose encoder is flat, by second derivatives", _build_contractive, epochs=40,
            plots=(*PLOTS, ("contraction.svg", "squared slope", ("contraction",)))),
    _recipe("sparse", "an autoencoder with few active codes: L1, KL or k-sparse", _build_sparse,
            plots=(*PLOTS, ("active.svg", "share of codes", ("active",)))),
    _recipe("adversarial-autoencoder", "an autoencoder with codes like a prior, by a discriminator",
            _build_adversarial, **TURNS),
    _recipe("wasserstein-autoencoder", "an autoencoder with codes like a prior, by a critic", _build_wasserstein,
            **TURNS),
    _recipe("vq-vae", "an autoencoder whose codes are entries of a table", _build_vq,
            optimizers=adamw, during=lambda model, source: model.sample(500 if source.kind == "points" else 20),
            plots=(*PLOTS, ("perplexity.svg", "entries in use", ("perplexity",)))),
)
