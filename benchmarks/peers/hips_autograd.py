"""HIPS autograd."""

import autograd.numpy as anp
import numpy as np
from autograd import grad, value_and_grad
from autograd.scipy.special import erf

from .functional import (
    LR,
    activation_loss_of,
    adam,
    chain_of,
    gpt_loss_of,
    loss_of,
    maml_loss_of,
    realnvp_loss_of,
    vae_loss_of,
)


def chain(data):
    derivative = grad(chain_of(anp))
    return lambda: float(derivative(data["x"])[0])


def mlp(data):
    return _training(loss_of(anp), data["weights"], data["x"], np.arange(len(data["y"])), data["y"])


def _training(loss, weights, *data, decay=0.0):
    both = value_and_grad(loss)
    state = {"w": weights, "m": [0 * w for w in weights], "v": [0 * w for w in weights], "t": 0}

    def step():
        state["t"] += 1
        loss, grads = both(state["w"], *data)
        if decay:
            state["w"] = [w * np.float32(1 - LR * decay) for w in state["w"]]
        state["w"], state["m"], state["v"] = adam(np, state["w"], grads, state["m"], state["v"], state["t"])
        return float(loss)

    return step


def _gelu(x):
    return x * (0.5 * (1 + erf(x * np.float32(0.5**0.5))))


def gpt(data):
    return _training(gpt_loss_of(anp, _gelu), data["weights"], data["x"], data["y"], decay=1e-2)


def vae(data):
    return _training(vae_loss_of(anp), data["weights"], data["x"], data["noise"])


def realnvp(data):
    return _training(realnvp_loss_of(anp), data["weights"], data["x"])


def maml(data):
    return _training(maml_loss_of(anp, grad), data["weights"], data["x"], data["y"])


def activation(data):
    both = value_and_grad(activation_loss_of(anp, _gelu))
    return lambda: float(both(data["x"])[0])


MAKERS = {
    "chain": chain,
    "mlp": mlp,
    "wide_mlp": mlp,
    "gpt": gpt,
    "vae": vae,
    "realnvp": realnvp,
    "maml": maml,
    "activation": activation,
}
