"""HIPS autograd."""

import autograd.numpy as anp
import numpy as np
from autograd import grad, value_and_grad

from .functional import adam, chain_of, loss_of


def chain(data):
    derivative = grad(chain_of(anp))
    return lambda: float(derivative(data["x"])[0])


def mlp(data):
    both = value_and_grad(loss_of(anp))
    rows = np.arange(len(data["y"]))
    state = {"w": data["weights"], "m": [0 * w for w in data["weights"]], "v": [0 * w for w in data["weights"]], "t": 0}

    def step():
        state["t"] += 1
        loss, grads = both(state["w"], data["x"], rows, data["y"])
        state["w"], state["m"], state["v"] = adam(np, state["w"], grads, state["m"], state["v"], state["t"])
        return float(loss)

    return step


MAKERS = {"chain": chain, "mlp": mlp, "wide_mlp": mlp}
