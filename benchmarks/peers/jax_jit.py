"""JAX, jit-compiled."""

import jax
import jax.numpy as jnp
import numpy as np

from .functional import (
    LR,
    activation_loss_of,
    adam,
    block_loss_of,
    chain_of,
    digits_loss_of,
    gpt_loss_of,
    loss_of,
    maml_loss_of,
    realnvp_loss_of,
    vae_loss_of,
)


def set_device(name):
    """The default device is the GPU where there is one; products in float32 as everywhere."""
    assert jax.default_backend() == {"cuda": "gpu"}[name]
    jax.config.update("jax_default_matmul_precision", "highest")


def peak_bytes():
    return jax.local_devices()[0].memory_stats()["peak_bytes_in_use"]


def chain(data):
    derivative = jax.jit(jax.grad(chain_of(jnp)))
    x = jnp.asarray(data["x"])
    return lambda: float(derivative(x)[0])


def mlp(data):
    return _classifier(loss_of(jnp), data)


def digits_cnn(data):
    return _classifier(digits_loss_of(jnp, _conv, _pool), data)


def _conv(x, w, padding):
    return jax.lax.conv_general_dilated(x, w, (1, 1), ((padding, padding),) * 2)


def _pool(x):
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def _classifier(loss, data):
    rows = jnp.arange(len(data["y"]))
    x, y = jnp.asarray(data["x"]), jnp.asarray(data["y"])
    return _training(loss, data["weights"], x, rows, y)


def _training(loss, weights, *data, decay=0.0):
    """Steps of Adam (AdamW with `decay`) on a loss of weights and data, each one compiled call."""
    both = jax.value_and_grad(loss)

    @jax.jit
    def update(w, m, v, t, *data):
        value, grads = both(w, *data)
        w = [a * (1 - LR * decay) for a in w] if decay else w
        return (value, *adam(jnp, w, grads, m, v, t))

    zeros = [jnp.zeros(w.shape, jnp.float32) for w in weights]
    state = {"w": [jnp.asarray(w) for w in weights], "m": zeros, "v": zeros, "t": 0}

    def step():
        state["t"] += 1
        t = np.float32(state["t"])
        value, state["w"], state["m"], state["v"] = update(state["w"], state["m"], state["v"], t, *data)
        return float(value)

    return step


def gcn(data):
    def loss(weights, x, rows, y, src, dst, weight):
        def propagate(h):
            return jax.ops.segment_sum(h[src] * weight[:, None], dst, data["nodes"])

        h = jnp.maximum(propagate(x @ weights[0].T) + weights[1], 0)
        scores = (propagate(h @ weights[2].T) + weights[3])[rows]
        return jnp.mean(jax.nn.logsumexp(scores, axis=1) - scores[jnp.arange(len(y)), y])

    names = ("x", "rows", "y", "src", "dst", "weight")
    return _training(loss, data["weights"], *(jnp.asarray(data[name]) for name in names))


def conv_block(data):
    both = jax.value_and_grad(block_loss_of(jnp, _conv), (0, 1))

    @jax.jit
    def update(weights, x):
        loss, (grads, gx) = both(weights, x)
        return loss, [w - 0.1 * g for w, g in zip(weights, grads)], gx

    state = {"w": [jnp.asarray(w) for w in data["weights"]]}
    x = jnp.asarray(data["x"])

    def step():
        loss, state["w"], gx = update(state["w"], x)
        gx.block_until_ready()
        return float(loss)

    return step


def _gelu(x):
    return jax.nn.gelu(x, approximate=False)


def gpt(data):
    x, y = jnp.asarray(data["x"]), jnp.asarray(data["y"])
    return _training(gpt_loss_of(jnp, _gelu), data["weights"], x, y, decay=1e-2)


def vae(data):
    return _training(vae_loss_of(jnp), data["weights"], jnp.asarray(data["x"]), jnp.asarray(data["noise"]))


def realnvp(data):
    return _training(realnvp_loss_of(jnp), data["weights"], jnp.asarray(data["x"]))


def maml(data):
    return _training(maml_loss_of(jnp, jax.grad), data["weights"], jnp.asarray(data["x"]), jnp.asarray(data["y"]))


def activation(data):
    both = jax.jit(jax.value_and_grad(activation_loss_of(jnp, _gelu)))
    x = jnp.asarray(data["x"])

    def step():
        loss, g = both(x)
        g.block_until_ready()
        return float(loss)

    return step


MAKERS = {
    "chain": chain,
    "mlp": mlp,
    "wide_mlp": mlp,
    "gcn": gcn,
    "digits_cnn": digits_cnn,
    "conv_block": conv_block,
    "gpt": gpt,
    "vae": vae,
    "realnvp": realnvp,
    "maml": maml,
    "activation": activation,
}
