"""MyGrad, its memory guard off."""

import mygrad as mg
import numpy as np
from mygrad.nnet.layers import batchnorm, conv_nd, max_pool

from .functional import adam, chain_of, digits_loss_of, loss_of, realnvp_loss_of, vae_loss_of

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


def _conv(x, w, padding):
    return conv_nd(x, w, stride=1, padding=padding)


def mlp(data):
    return _classifier(data, loss_of(mg))


def digits_cnn(data):
    return _classifier(data, digits_loss_of(mg, _conv, lambda x: max_pool(x, (2, 2), 2)))


def _classifier(data, function):
    return _training(function, data["weights"], data["x"], np.arange(len(data["y"])), data["y"])


def vae(data):
    return _training(vae_loss_of(mg), data["weights"], data["x"], data["noise"])


def realnvp(data):
    return _training(realnvp_loss_of(mg), data["weights"], data["x"])


def _training(function, weights, *data):
    state = {"w": weights, "m": [0 * w for w in weights], "v": [0 * w for w in weights], "t": 0}

    def step():
        state["t"] += 1
        weights = [mg.tensor(w) for w in state["w"]]
        loss = function(weights, *data)
        loss.backward()
        grads = [w.grad for w in weights]
        state["w"], state["m"], state["v"] = adam(np, state["w"], grads, state["m"], state["v"], state["t"])
        return float(loss.item())

    return step


def conv_block(data):
    state = {"w": data["weights"]}

    def step():
        weights, x = [mg.tensor(w) for w in state["w"]], mg.tensor(data["x"])
        w1, s1, o1, w2, s2, o2 = weights
        h = mg.maximum(batchnorm(_conv(x, w1, 1), gamma=s1, beta=o1, eps=1e-5), 0)
        out = mg.maximum(x + batchnorm(_conv(h, w2, 1), gamma=s2, beta=o2, eps=1e-5), 0)
        loss = mg.mean(out * out)
        loss.backward()
        state["w"] = [w.data - np.float32(0.1) * w.grad for w in weights]
        return float(loss.item())

    return step


MAKERS = {"chain": chain, "mlp": mlp, "wide_mlp": mlp, "digits_cnn": digits_cnn, "conv_block": conv_block,
          "vae": vae, "realnvp": realnvp}
