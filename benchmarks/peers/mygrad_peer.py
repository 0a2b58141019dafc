"""MyGrad, its memory guard off."""

import mygrad as mg
import numpy as np

from .functional import adam, chain_of, loss_of

mg.turn_memory_guarding_off()


def chain(data):
    function = chain_of(mg)
    x = mg.tensor(data["x"])

    def step():
        function(x).backward()
        g = float(x.grad[0])
        x.null_grad()
        return g

    return step


def mlp(data):
    function = loss_of(mg)
    rows = np.arange(len(data["y"]))
    state = {"w": data["weights"], "m": [0 * w for w in data["weights"]], "v": [0 * w for w in data["weights"]], "t": 0}

    def step():
        state["t"] += 1
        weights = [mg.tensor(w) for w in state["w"]]
        loss = function(weights, data["x"], rows, data["y"])
        loss.backward()
        grads = [w.grad for w in weights]
        state["w"], state["m"], state["v"] = adam(np, state["w"], grads, state["m"], state["v"], state["t"])
        return float(loss.item())

    return step


MAKERS = {"chain": chain, "mlp": mlp, "wide_mlp": mlp}
