"""JAX, jit-compiled."""

import jax
import jax.numpy as jnp
import numpy as np

from .functional import adam, chain_of, loss_of


def chain(data):
    derivative = jax.jit(jax.grad(chain_of(jnp)))
    x = jnp.asarray(data["x"])
    return lambda: float(derivative(x)[0])


def mlp(data):
    rows = jnp.arange(len(data["y"]))
    x, y = jnp.asarray(data["x"]), jnp.asarray(data["y"])
    both = jax.value_and_grad(loss_of(jnp))

    @jax.jit
    def update(w, m, v, t):
        loss, grads = both(w, x, rows, y)
        return (loss, *adam(jnp, w, grads, m, v, t))

    zeros = [jnp.zeros(w.shape, jnp.float32) for w in data["weights"]]
    state = {"w": [jnp.asarray(w) for w in data["weights"]], "m": zeros, "v": zeros, "t": 0}

    def step():
        state["t"] += 1
        loss, state["w"], state["m"], state["v"] = update(state["w"], state["m"], state["v"], np.float32(state["t"]))
        return float(loss)

    return step


MAKERS = {"chain": chain, "mlp": mlp, "wide_mlp": mlp}
