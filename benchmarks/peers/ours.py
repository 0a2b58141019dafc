"""tinygrad_notes, eager."""

import tinygrad_notes as tn
from benchmarks.workloads import CHAIN_LENGTH, GPT_HEADS, GPT_LAYERS, MAML_RATE, MAML_STEPS, NVP_LAYERS


def set_threads(n):
    tn.set_num_threads(n)


def set_device(name):
    assert tn.current_device() == name  # by TINYGRAD_NOTES_DEVICE, before the import


def peak_bytes():
    import cupy

    return cupy.get_default_memory_pool().total_bytes()


def chain(data):
    x = tn.tensor(data["x"], requires_grad=True)

    def step():
        y = x
        for _ in range(CHAIN_LENGTH // 4):
            y = tn.tanh(tn.sin(y * x) + x)
        y.backward()
        g, x.grad = x.grad, None
        return g

    return step


def mlp(data):
    nn = tn.nn
    sizes = [data["weights"][0].shape[1]] + [w.shape[0] for w in data["weights"][::2]]
    layers = []
    for n, m in zip(sizes, sizes[1:]):
        layers += [nn.Linear(n, m), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    model.load_state_dict(dict(zip(model.state_dict(), data["weights"])))
    optimizer = tn.optim.Adam(model.parameters(), lr=1e-3)
    x, y = tn.asarray(data["x"]), tn.asarray(data["y"])

    def step():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def gcn(data):
    edges = len(data["src"]) - data["nodes"]  # the loops are added by the layer
    graph = tn.nn.graph.Graph(data["src"][:edges], data["dst"][:edges], data["nodes"])
    model = tn.models.GCN(data["x"].shape[1], len(data["weights"][-1]), (len(data["weights"][1]),))
    names = [f"layers.{k}.{name}" for k in (0, 1) for name in ("lin.weight", "bias")]
    model.load_state_dict(dict(zip(names, data["weights"])))
    optimizer = tn.optim.Adam(model.parameters(), lr=1e-3)
    x, y, rows = tn.asarray(data["x"]), tn.asarray(data["y"]), tn.asarray(data["rows"])

    def step():
        optimizer.zero_grad()
        loss = tn.nn.functional.cross_entropy(model(x, graph)[rows], y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def digits_cnn(data):
    nn = tn.nn
    model = nn.Sequential(nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 5), nn.ReLU(),
                          nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 10))
    model.load_state_dict(dict(zip(model.state_dict(), data["weights"])))
    optimizer = tn.optim.Adam(model.parameters(), lr=1e-3)
    x, y = tn.asarray(data["x"]), tn.asarray(data["y"])

    def step():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


class Block(tn.nn.Module):
    def __init__(self):
        super().__init__()
        nn = tn.nn
        self.conv1, self.norm1 = nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64)
        self.conv2, self.norm2 = nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64)

    def forward(self, x):
        h = self.norm1(self.conv1(x)).relu()
        return (x + self.norm2(self.conv2(h))).relu()


def conv_block(data):
    model = Block()
    names = [name for name, _ in model.named_parameters()]
    model.load_state_dict(dict(zip(names, data["weights"])), strict=False)
    optimizer = tn.optim.SGD(model.parameters(), lr=0.1)
    x = tn.asarray(data["x"]).requires_grad_()

    def step():
        optimizer.zero_grad()
        x.grad = None
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    return step


class GPT(tn.nn.Module):
    def __init__(self, vocabulary, width, length):
        super().__init__()
        self.words = tn.nn.Embedding(vocabulary, width)
        self.places = tn.nn.LearnedPositionalEncoding(length, width)
        self.blocks = tn.nn.Sequential(*[tn.nn.TransformerBlock(width, GPT_HEADS) for _ in range(GPT_LAYERS)])
        self.norm = tn.nn.LayerNorm(width)
        self.scores = tn.nn.Linear(width, vocabulary, bias=False)

    def forward(self, x):
        return self.scores(self.norm(self.blocks(self.places(self.words(x)))))


def gpt(data):
    model = GPT(*data["weights"][0].shape, len(data["weights"][1]))
    keys = [k for k in model.state_dict() if "blocks" not in k]
    parts = ["norm1", "self_attn.in_proj_", "self_attn.out_proj", "norm2", "linear1", "linear2"]
    keys[2:2] = [f"blocks.{k}.{part}{'' if part.endswith('_') else '.'}{kind}" for k in range(GPT_LAYERS)
                 for part in parts for kind in ("weight", "bias")]
    model.load_state_dict(dict(zip(keys, data["weights"])))
    optimizer = tn.optim.AdamW(model.parameters(), lr=1e-3)
    x, y = tn.asarray(data["x"]), tn.asarray(data["y"].reshape(-1))

    def step():
        optimizer.zero_grad()
        loss = tn.nn.functional.cross_entropy(model(x).reshape(len(y), -1), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _trained(parameters, loss_of):
    """Steps of Adam on a loss of plain Tensors."""
    optimizer = tn.optim.Adam(parameters, lr=1e-3)

    def step():
        optimizer.zero_grad()
        loss = loss_of(parameters)
        loss.backward()
        optimizer.step()
        return loss

    return step


def _parameters(data):
    return [tn.nn.Parameter(tn.asarray(w)) for w in data["weights"]]


def vae(data):
    x, noise, F = tn.asarray(data["x"]), tn.asarray(data["noise"]), tn.nn.functional

    def loss_of(weights):
        w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = weights
        h = F.linear(x, w1, b1).relu()
        mean, log_var = F.linear(h, w2, b2), F.linear(h, w3, b3)
        code = mean + tn.exp(0.5 * log_var) * noise
        logits = F.linear(F.linear(code, w4, b4).relu(), w5, b5)
        wrong = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        return (wrong - 0.5 * (1 + log_var - mean**2 - tn.exp(log_var)).sum()) / len(x)

    return _trained(_parameters(data), loss_of)


def realnvp(data):
    x, F = tn.asarray(data["x"]), tn.nn.functional

    def loss_of(weights):
        left, right, log_det = x[:, :1], x[:, 1:], 0.0
        for k in range(NVP_LAYERS):
            w1, b1, w2, b2, w3, b3 = weights[6 * k:6 * k + 6]
            h = F.linear(F.linear(left, w1, b1).relu(), w2, b2).relu()
            out = F.linear(h, w3, b3)
            log_scale = tn.tanh(out[:, :1])
            left, right = right * tn.exp(log_scale) + out[:, 1:], left
            log_det = log_det + log_scale
        return (0.5 * (left**2 + right**2) - log_det).mean()

    return _trained(_parameters(data), loss_of)


def maml(data):
    F = tn.nn.functional
    (x1, x2), (y1, y2) = [[[tn.asarray(a) for a in half] for half in data[name]] for name in ("x", "y")]

    def error(weights, x, y):
        w1, b1, w2, b2, w3, b3 = weights
        h = F.linear(F.linear(x, w1, b1).relu(), w2, b2).relu()
        return F.mse_loss(F.linear(h, w3, b3), y)

    def loss_of(weights):
        total = 0.0
        for task in range(len(x1)):
            fast = weights
            for _ in range(MAML_STEPS):
                grads = tn.autograd.grad(error(fast, x1[task], y1[task]), fast, create_graph=True)
                fast = [w - MAML_RATE * g for w, g in zip(fast, grads)]
            total = total + error(fast, x2[task], y2[task])
        return total / len(x1)

    return _trained(_parameters(data), loss_of)


def activation(data):
    x, F = tn.asarray(data["x"]).requires_grad_(), tn.nn.functional

    def step():
        x.grad = None
        loss = (tn.tanh(F.silu(F.gelu(x) + x)) ** 2).mean()
        loss.backward()
        return loss

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
