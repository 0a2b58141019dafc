"""The work that is timed: its data and first weights, the same for every framework.

Each workload is one whole training step in float32 (forward, backward, update where it has one).
"""

import numpy as np

CHAIN_LENGTH = 200
GPT_HEADS, GPT_LAYERS = 4, 4
NVP_LAYERS = 8
MAML_STEPS, MAML_RATE = 3, 0.01


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


def gcn():
    """Two graph convolutions on a random graph of the size of Cora, 140 labelled nodes, cross-entropy, Adam.

    `src` and `dst` hold the 10,556 edges and a loop at each of the 2,708 nodes, `weight` the normalized weights.
    """
    rng, nodes, half, sizes = np.random.default_rng(0), 2708, 5278, (1433, 16, 7)
    a = rng.integers(0, nodes, half)
    b = (a + rng.integers(1, nodes, half)) % nodes
    loops = np.arange(nodes)
    src, dst = np.concatenate([a, b, loops]), np.concatenate([b, a, loops])
    degree = np.bincount(dst, minlength=nodes)
    x = (rng.random((nodes, sizes[0])) < 0.0127).astype(np.float32)
    weights = []
    for n, m in zip(sizes, sizes[1:]):
        weights.append((rng.standard_normal((m, n)) * (2 / (n + m)) ** 0.5).astype(np.float32))
        weights.append(np.zeros(m, np.float32))
    return {
        "nodes": nodes,
        "src": src,
        "dst": dst,
        "weight": ((degree[src] * degree[dst]) ** -0.5).astype(np.float32),
        "x": x / np.maximum(x.sum(1, keepdims=True), 1),
        "y": rng.integers(0, sizes[-1], 140),
        "rows": rng.permutation(nodes)[:140],
        "weights": weights,
    }


def _kernel(rng, outputs, channels, k):
    return (rng.standard_normal((outputs, channels, k, k)) * (2 / (channels * k * k)) ** 0.5).astype(np.float32)


def digits_cnn():
    """Images of 1 x 28 x 28: conv 5 x 5 to 16, ReLU, max-pool 2, conv 5 x 5 to 32, ReLU, max-pool 2, linear to 10;
    batch 64, cross-entropy, Adam."""
    rng = np.random.default_rng(0)
    weights = [_kernel(rng, 16, 1, 5), np.zeros(16, np.float32), _kernel(rng, 32, 16, 5), np.zeros(32, np.float32)]
    weights += [(rng.standard_normal((10, 512)) * (2 / 512) ** 0.5).astype(np.float32), np.zeros(10, np.float32)]
    x = rng.standard_normal((64, 1, 28, 28)).astype(np.float32)
    return {"weights": weights, "x": x, "y": rng.integers(0, 10, 64)}


def conv_block():
    """A residual block inside a network: relu(x + bn(conv(relu(bn(conv(x)))))), conv 3 x 3, 64 channels, images of
    32 x 32, batch 16; the mean of the squares, its gradients for x and for the weights, and SGD."""
    rng = np.random.default_rng(0)
    norm = [np.ones(64, np.float32), np.zeros(64, np.float32)]
    weights = [_kernel(rng, 64, 64, 3), *norm, _kernel(rng, 64, 64, 3), *norm]
    return {"weights": weights, "x": rng.standard_normal((16, 64, 32, 32)).astype(np.float32)}


def gpt(vocabulary=64, width=128, length=64, batch=16):
    """GPT: 4 layers of 4 heads, width 128, 64 places, batch 16, 64 words, cross-entropy, AdamW.

    Weights in order: words, places; of each layer norm 1, queries-keys-values, output map, norm 2, both maps of the
    perceptron (each weight before its offset); last norm; scores of the words.
    """
    rng = np.random.default_rng(0)

    def linear(n, m):
        return [(rng.standard_normal((m, n)) * 0.02).astype(np.float32), np.zeros(m, np.float32)]

    def norm():
        return [np.ones(width, np.float32), np.zeros(width, np.float32)]

    def layer():
        return [norm(), linear(width, 3 * width), linear(width, width), norm(), linear(width, 4 * width),
                linear(4 * width, width)]
    weights = [linear(width, vocabulary)[0], linear(width, length)[0]]
    for part in [*(p for _ in range(GPT_LAYERS) for p in layer()), norm()]:
        weights += part
    weights.append(linear(width, vocabulary)[0])
    text = rng.integers(0, vocabulary, (batch, length + 1))
    return {"weights": weights, "x": text[:, :-1].copy(), "y": text[:, 1:].copy()}


def _dense(rng, n, m, gain=2.0):
    return [(rng.standard_normal((m, n)) * (gain / n) ** 0.5).astype(np.float32), np.zeros(m, np.float32)]


def vae():
    """Variational autoencoder 784-400-2x20-400-784, batch 128, Bernoulli pixels, Adam; the noise is given.

    Weights in order: hidden layer, means, logarithms of variances; hidden layer of the decoder, logits.
    """
    rng = np.random.default_rng(0)
    sizes = [(784, 400), (400, 20), (400, 20), (20, 400), (400, 784)]
    return {
        "weights": [w for n, m in sizes for w in _dense(rng, n, m, 1.0)],
        "x": (rng.random((128, 784)) < 0.2).astype(np.float32),
        "noise": rng.standard_normal((128, 20)).astype(np.float32),
    }


def realnvp():
    """RealNVP on points of the plane: 8 affine couplings whose networks are 1-64-64-2, batch 256, Adam.

    Weights in order: of each coupling three layers; the last gives the logarithm of the scale
    (through tanh) and the shift.
    """
    rng = np.random.default_rng(0)
    weights = []
    for _ in range(NVP_LAYERS):
        weights += _dense(rng, 1, 64) + _dense(rng, 64, 64) + _dense(rng, 64, 2, 0.01)
    return {"weights": weights, "x": rng.standard_normal((256, 2)).astype(np.float32)}


def maml():
    """MAML to second order: 4 tasks of regression by an MLP 1-40-40-1, 10 examples, 3 inner steps of gradient descent
    with rate 0.01, outer step by Adam."""
    rng = np.random.default_rng(0)
    weights = _dense(rng, 1, 40) + _dense(rng, 40, 40) + _dense(rng, 40, 1)
    x = rng.uniform(-5, 5, (2, 4, 10, 1)).astype(np.float32)  # support and query
    phase, height = rng.uniform(0, np.pi, (4, 1, 1)), rng.uniform(0.1, 5, (4, 1, 1))
    return {"weights": weights, "x": x, "y": (height * np.sin(x - phase)).astype(np.float32)}


def activation():
    """tanh(silu(gelu(x) + x)) of 4,194,304 numbers, the mean of its square and its gradient."""
    return {"x": np.random.default_rng(0).standard_normal(1 << 22).astype(np.float32)}


WORKLOADS = {
    "chain": chain,
    "mlp": mlp,
    "wide_mlp": wide_mlp,
    "gcn": gcn,
    "digits_cnn": digits_cnn,
    "conv_block": conv_block,
    "gpt": gpt,
    "vae": vae,
    "realnvp": realnvp,
    "maml": maml,
    "activation": activation,
}
TITLES = {
    "chain": "200 operations on (1,) arrays, forward + backward",
    "mlp": "MLP 40-200-200-10, batch 100, training step with Adam",
    "wide_mlp": "MLP 784-1024-1024-10, batch 128, training step with Adam",
    "digits_cnn": "CNN on digits, 2 convolutions 5x5, batch 64, training step with Adam",
    "conv_block": "Residual block, 64 channels 32x32, batch 16, training step with SGD",
    "gcn": "GCN 1433-16-7 on 2,708 nodes and 10,556 edges, training step with Adam",
    "gpt": "GPT, 4 layers, width 128, 64 places, batch 16, training step with AdamW",
    "vae": "VAE 784-400-20, batch 128, training step with Adam",
    "realnvp": "RealNVP, 8 couplings of 1-64-64-2, batch 256, training step with Adam",
    "maml": "MAML, second order, 4 tasks, 3 inner steps of an MLP 1-40-40-1, outer step with Adam",
    "activation": "tanh(silu(gelu(x) + x)) of 4M elements, forward + backward",
}
# Of PyTorch eager's time, with the same threads: eager, and compiled.
BUDGETS = {"chain": 0.6, "mlp": 0.8, "wide_mlp": 1.0, "gcn": 1.0, "digits_cnn": 1.8, "conv_block": 1.5, "gpt": 1.0,
           "vae": 1.0, "realnvp": 1.0, "maml": 1.0, "activation": 1.0}
