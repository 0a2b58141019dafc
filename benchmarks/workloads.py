"""The work that is timed: its data and first weights, the same for every framework.

Each workload is one whole training step in float32 (forward, backward, update where it has one).
"""

import numpy as np

CHAIN_LENGTH = 200


def chain():
    """200 operations on arrays of one element, forward and backward: what one operation costs."""
    return {"x": np.array([0.5], np.float32)}


def _mlp(sizes, batch):
    rng = np.random.default_rng(0)
    weights = []
    for n, m in zip(sizes, sizes[1:]):
        weights.append((rng.standard_normal((m, n)) * (2 / n) ** 0.5).astype(np.float32))
        weights.append(np.zeros(m, np.float32))
    x = rng.standard_normal((batch, sizes[0])).astype(np.float32)
    y = rng.integers(0, sizes[-1], batch)
    return {"weights": weights, "x": x, "y": y}


def mlp():
    """MLP 40-200-200-10, batch 100, cross-entropy, Adam."""
    return _mlp((40, 200, 200, 10), 100)


def wide_mlp():
    """MLP 784-1024-1024-10, batch 128, cross-entropy, Adam."""
    return _mlp((784, 1024, 1024, 10), 128)


WORKLOADS = {"chain": chain, "mlp": mlp, "wide_mlp": wide_mlp}
TITLES = {
    "chain": "200 operations on (1,) arrays, forward + backward",
    "mlp": "MLP 40-200-200-10, batch 100, training step with Adam",
    "wide_mlp": "MLP 784-1024-1024-10, batch 128, training step with Adam",
}
BUDGETS = {"chain": 0.6, "mlp": 0.8, "wide_mlp": 1.0}  # of PyTorch eager's time, same threads
