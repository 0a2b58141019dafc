"""What the frameworks without an optimizer share: the model and Adam as functions of a list of arrays."""

from benchmarks.workloads import CHAIN_LENGTH

B1, B2, LR, EPS = 0.9, 0.999, 1e-3, 1e-8


def chain_of(np):
    """The scalar chain as a function of one array."""

    def function(x):
        y = x
        for _ in range(CHAIN_LENGTH // 4):
            y = np.tanh(np.sin(y * x) + x)
        return y[0]

    return function


def loss_of(np):
    """The cross-entropy of the MLP as a function of its weights."""

    def loss(weights, x, rows, y):
        h = x
        for k in range(0, len(weights), 2):
            h = h @ weights[k].T + weights[k + 1]
            if k + 2 < len(weights):
                h = np.maximum(h, 0)
        return _cross_entropy(np, h, rows, y)

    return loss


def _cross_entropy(np, h, rows, y):
    shifted = h - np.max(h, axis=1, keepdims=True)
    log_z = np.log(np.sum(np.exp(shifted), axis=1))
    return np.mean(log_z - shifted[rows, y])


def digits_loss_of(np, conv, pool):
    """The cross-entropy of the network on digits; `conv(x, w, padding)` and `pool(x)`, which halves an image."""

    def loss(weights, x, rows, y):
        w1, b1, w2, b2, w3, b3 = weights
        h = pool(np.maximum(conv(x, w1, 0) + b1.reshape(1, 16, 1, 1), 0))
        h = pool(np.maximum(conv(h, w2, 0) + b2.reshape(1, 32, 1, 1), 0))
        return _cross_entropy(np, h.reshape(64, 512) @ w3.T + b3, rows, y)

    return loss


def block_loss_of(np, conv, eps=1e-5):
    """The mean square of what the residual block makes of x, a function of (weights, x)."""

    def normed(x, scale, offset):
        centered = x - np.mean(x, axis=(0, 2, 3), keepdims=True)
        spread = np.sqrt(np.mean(centered * centered, axis=(0, 2, 3), keepdims=True) + eps)
        return centered / spread * scale.reshape(1, -1, 1, 1) + offset.reshape(1, -1, 1, 1)

    def loss(weights, x):
        w1, s1, o1, w2, s2, o2 = weights
        h = np.maximum(normed(conv(x, w1, 1), s1, o1), 0)
        out = np.maximum(x + normed(conv(h, w2, 1), s2, o2), 0)
        return np.mean(out * out)

    return loss


def adam(np, weights, grads, m, v, t):
    """One step of Adam; returns new lists."""
    c1, c2 = 1 - B1**t, 1 - B2**t
    m = [B1 * a + (1 - B1) * g for a, g in zip(m, grads)]
    v = [B2 * a + (1 - B2) * g * g for a, g in zip(v, grads)]
    weights = [w - LR / c1 * a / (np.sqrt(b / c2) + EPS) for w, a, b in zip(weights, m, v)]
    return weights, m, v
