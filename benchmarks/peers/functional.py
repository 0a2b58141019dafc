"""What the frameworks without an optimizer share: the model and Adam as functions of a list of arrays."""

from benchmarks.workloads import CHAIN_LENGTH, GPT_HEADS, GPT_LAYERS, MAML_RATE, MAML_STEPS, NVP_LAYERS

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


def gpt_loss_of(np, gelu):
    """The cross-entropy of the GPT as a function of (weights, words, next words)."""

    def normed(x, scale, offset):
        x = x - np.mean(x, axis=-1, keepdims=True)
        return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5) * scale + offset

    def attention(x, weight, offset):
        n, length, width = x.shape
        shape = (n, length, 3, GPT_HEADS, width // GPT_HEADS)
        q, k, v = np.transpose((x @ weight.T + offset).reshape(shape), (2, 0, 3, 1, 4))
        scores = q @ np.swapaxes(k, -1, -2) * (width // GPT_HEADS) ** -0.5
        scores = np.where(np.tril(np.ones((length, length), bool)), scores, -np.inf)
        e = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
        heads = e / np.sum(e, axis=-1, keepdims=True) @ v
        return np.swapaxes(heads, 1, 2).reshape(x.shape)

    def loss(weights, x, y):
        h = weights[0][x] + weights[1]
        for k in range(GPT_LAYERS):
            s1, o1, w1, b1, w2, b2, s2, o2, w3, b3, w4, b4 = weights[2 + 12 * k:14 + 12 * k]
            h = h + attention(normed(h, s1, o1), w1, b1) @ w2.T + b2
            h = h + gelu(normed(h, s2, o2) @ w3.T + b3) @ w4.T + b4
        scores = normed(h, *weights[-3:-1]) @ weights[-1].T
        return _cross_entropy(np, scores.reshape(y.size, -1), np.arange(y.size), y.reshape(-1))

    return loss


def vae_loss_of(np):
    """Minus the evidence lower bound, a function of (weights, x, noise)."""

    def loss(weights, x, noise):
        w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = weights
        h = np.maximum(x @ w1.T + b1, 0)
        mean, log_var = h @ w2.T + b2, h @ w3.T + b3
        code = mean + np.exp(0.5 * log_var) * noise
        logits = np.maximum(code @ w4.T + b4, 0) @ w5.T + b5
        wrong = np.sum(np.maximum(logits, 0) - logits * x + np.log1p(np.exp(-np.abs(logits))))
        return (wrong - 0.5 * np.sum(1 + log_var - mean**2 - np.exp(log_var))) / len(x)

    return loss


def realnvp_loss_of(np):
    """Minus the mean log-likelihood but for a constant, a function of (weights, x)."""

    def loss(weights, x):
        left, right, log_det = x[:, :1], x[:, 1:], 0.0
        for k in range(NVP_LAYERS):
            w1, b1, w2, b2, w3, b3 = weights[6 * k:6 * k + 6]
            h = np.maximum(np.maximum(left @ w1.T + b1, 0) @ w2.T + b2, 0)
            out = h @ w3.T + b3
            log_scale = np.tanh(out[:, :1])
            left, right = right * np.exp(log_scale) + out[:, 1:], left
            log_det = log_det + log_scale
        return np.mean(0.5 * (left**2 + right**2) - log_det)

    return loss


def maml_loss_of(np, grad):
    """The mean error of adapted weights on the query examples, a function of (weights, x, y)."""

    def error(weights, x, y):
        w1, b1, w2, b2, w3, b3 = weights
        h = np.maximum(np.maximum(x @ w1.T + b1, 0) @ w2.T + b2, 0)
        return np.mean((h @ w3.T + b3 - y) ** 2)

    def loss(weights, x, y):
        total = 0.0
        for task in range(x.shape[1]):
            fast = weights
            for _ in range(MAML_STEPS):
                fast = [w - MAML_RATE * g for w, g in zip(fast, grad(error)(fast, x[0, task], y[0, task]))]
            total = total + error(fast, x[1, task], y[1, task])
        return total / x.shape[1]

    return loss


def activation_loss_of(np, gelu):
    """A function of one large array."""

    def loss(x):
        h = gelu(x) + x
        return np.mean(np.tanh(h / (1 + np.exp(-h))) ** 2)

    return loss


def adam(np, weights, grads, m, v, t):
    """One step of Adam; returns new lists."""
    c1, c2 = 1 - B1**t, 1 - B2**t
    m = [B1 * a + (1 - B1) * g for a, g in zip(m, grads)]
    v = [B2 * a + (1 - B2) * g * g for a, g in zip(v, grads)]
    weights = [w - LR / c1 * a / (np.sqrt(b / c2) + EPS) for w, a, b in zip(weights, m, v)]
    return weights, m, v
