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
        shifted = h - np.max(h, axis=1, keepdims=True)
        log_z = np.log(np.sum(np.exp(shifted), axis=1))
        return np.mean(log_z - shifted[rows, y])

    return loss


def adam(np, weights, grads, m, v, t):
    """One step of Adam; returns new lists."""
    c1, c2 = 1 - B1**t, 1 - B2**t
    m = [B1 * a + (1 - B1) * g for a, g in zip(m, grads)]
    v = [B2 * a + (1 - B2) * g * g for a, g in zip(v, grads)]
    weights = [w - LR / c1 * a / (np.sqrt(b / c2) + EPS) for w, a, b in zip(weights, m, v)]
    return weights, m, v
