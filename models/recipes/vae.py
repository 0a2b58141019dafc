"""The variational autoencoder at the command line."""
from typing import Literal

from ...data import TensorDataset
from ...viz import image_sheet
from ..vae import VAE
from .recipe import Recipe, shaped, size


def _build_vae(source, dtype, device, *, latent: int = 8, hidden: tuple = (256, 128),
               decoder: Literal["auto", "bernoulli", "gaussian"] = "auto", beta: float | None = None):
    # A gray value counts block pixels, which says more than one coin flip: beta = 1/4 weighs it as four.
    usual, weight = ("bernoulli", 0.25) if source.unit else ("gaussian", 1.0)
    chosen = usual if decoder == "auto" else decoder
    return VAE(size(source), latent, hidden, chosen, weight if beta is None else beta, device=device, dtype=dtype)


def _report_vae(model, source, averages):
    reconstruction, kl = averages["reconstruction"], averages["kl"]
    text = (f"held out: {reconstruction:.2f} nats to reconstruct + {kl:.2f} nats KL per example, "
            f"ELBO {-reconstruction - kl:.2f}, loss {averages['loss']:.2f}")
    return text, {"elbo": -reconstruction - kl, **averages}


def _pictures_vae(model, source):
    x = source.test.tensors[0][:20]
    return image_sheet({
        "held-out examples": shaped(x, source), "their reconstructions": shaped(model.reconstruct(x), source),
        "samples: codes drawn from the prior, decoded": shaped(model.sample(100), source),
    }, columns=20, zoom=5, title=f"VAE on {source.name}")


RECIPES = (
    Recipe("vae", "a variational autoencoder that draws", _build_vae, lambda data: TensorDataset(data.tensors[0]),
           _report_vae, _pictures_vae,
           data="digits", epochs=300, batch_size=64, lr=2e-3, half_life=30,
           plots=(("curves.svg", "nats", ("loss",)), ("terms.svg", "nats", ("reconstruction", "kl"))),
           during=lambda model, source: model.sample(40)),
)
