"""PyTorch, eager; what `transform` is given is compiled where that is `torch.compile`."""

import time

import torch
from torch import nn

from benchmarks.workloads import CHAIN_LENGTH, GPT_HEADS, GPT_LAYERS, MAML_RATE, MAML_STEPS, NVP_LAYERS


def eager(function):
    return function


transform = eager


def set_threads(n):
    torch.set_num_threads(n)


def set_device(name):
    """New tensors on a GPU, products in float32 as everywhere."""
    torch.set_default_device(name)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False


def peak_bytes():
    return torch.cuda.max_memory_reserved()


def _training(optimizer, loss_of):
    """Steps of an optimizer."""
    loss_of = transform(loss_of)

    def step():
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def chain(data):
    x = torch.tensor(data["x"], requires_grad=True)

    @transform
    def function(x):
        y = x
        for _ in range(CHAIN_LENGTH // 4):
            y = torch.tanh(torch.sin(y * x) + x)
        return y

    def step():
        function(x).backward()
        g = x.grad.item()
        x.grad = None
        return g

    return step


def mlp(data):
    sizes = [data["weights"][0].shape[1]] + [w.shape[0] for w in data["weights"][::2]]
    layers = []
    for n, m in zip(sizes, sizes[1:]):
        layers += [nn.Linear(n, m), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    model.load_state_dict({k: torch.tensor(v) for k, v in zip(model.state_dict(), data["weights"])})
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, y = torch.tensor(data["x"]), torch.tensor(data["y"])

    return _training(optimizer, lambda: nn.functional.cross_entropy(model(x), y))


def gcn(data):
    """With whichever of its ways to add up neighbours is fastest here."""
    steps = [_gcn(data, propagate) for propagate in _neighbours(data)]
    return _gcn(data, min(zip(map(_seconds, steps), _neighbours(data)), key=lambda pair: pair[0])[1])


def _seconds(step):
    step()
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    return min(times)


def _neighbours(data):
    """index_add_ of messages, and products of sparse matrices in two layouts."""
    nodes, src, dst = data["nodes"], torch.tensor(data["src"]), torch.tensor(data["dst"])
    weight = torch.tensor(data["weight"])
    coo = torch.sparse_coo_tensor(torch.stack([dst, src]), weight, (nodes, nodes)).coalesce()
    csr = coo.to_sparse_csr()
    return (
        lambda h: torch.zeros(nodes, h.shape[1]).index_add_(0, dst, h[src] * weight[:, None]),
        lambda h: torch.sparse.mm(coo, h),
        lambda h: torch.sparse.mm(csr, h),
    )


def _gcn(data, propagate):
    class Layer(nn.Module):
        def __init__(self, weight, bias):
            super().__init__()
            self.weight, self.bias = nn.Parameter(torch.tensor(weight)), nn.Parameter(torch.tensor(bias))

        def forward(self, x):
            return propagate(nn.functional.linear(x, self.weight)) + self.bias

    first, second = Layer(*data["weights"][:2]), Layer(*data["weights"][2:])
    optimizer = torch.optim.Adam([*first.parameters(), *second.parameters()], lr=1e-3)
    x, y, rows = torch.tensor(data["x"]), torch.tensor(data["y"]), torch.tensor(data["rows"])

    return _training(optimizer, lambda: nn.functional.cross_entropy(second(torch.relu(first(x)))[rows], y))


def digits_cnn(data):
    model = nn.Sequential(nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 5), nn.ReLU(),
                          nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 10))
    model.load_state_dict({k: torch.tensor(v) for k, v in zip(model.state_dict(), data["weights"])})
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, y = torch.tensor(data["x"]), torch.tensor(data["y"])

    return _training(optimizer, lambda: nn.functional.cross_entropy(model(x), y))


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64)
        self.conv2, self.norm2 = nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64)

    def forward(self, x):
        h = self.norm1(self.conv1(x)).relu()
        return (x + self.norm2(self.conv2(h))).relu()


def conv_block(data):
    model = Block()
    names = [name for name, _ in model.named_parameters()]
    model.load_state_dict(dict(zip(names, map(torch.tensor, data["weights"]))), strict=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.tensor(data["x"]).requires_grad_()

    step = _training(optimizer, lambda: (model(x) ** 2).mean())

    def whole():
        x.grad = None
        return step()

    return whole


class GPTBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norm2, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        n, length, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(n, length, 3, GPT_HEADS, width // GPT_HEADS)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        heads = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(heads.transpose(1, 2).reshape(n, length, width))
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


class GPT(nn.Module):
    def __init__(self, vocabulary, width, length):
        super().__init__()
        self.words, self.places = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.blocks = nn.Sequential(*[GPTBlock(width) for _ in range(GPT_LAYERS)])
        self.norm, self.scores = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, x):
        return self.scores(self.norm(self.blocks(self.words(x) + self.places.weight)))


def gpt(data):
    model = GPT(*data["weights"][0].shape, len(data["weights"][1]))
    model.load_state_dict({k: torch.tensor(w) for k, w in zip(model.state_dict(), data["weights"])})
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    x, y = torch.tensor(data["x"]), torch.tensor(data["y"].reshape(-1))

    return _training(optimizer, lambda: nn.functional.cross_entropy(model(x).view(len(y), -1), y))


def _trained(parameters, loss_of):
    return _training(torch.optim.Adam(parameters, lr=1e-3), lambda: loss_of(parameters))


def _parameters(data):
    return [nn.Parameter(torch.tensor(w)) for w in data["weights"]]


def vae(data):
    x, noise, F = torch.tensor(data["x"]), torch.tensor(data["noise"]), nn.functional

    def loss_of(weights):
        w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = weights
        h = F.linear(x, w1, b1).relu()
        mean, log_var = F.linear(h, w2, b2), F.linear(h, w3, b3)
        code = mean + torch.exp(0.5 * log_var) * noise
        logits = F.linear(F.linear(code, w4, b4).relu(), w5, b5)
        wrong = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        return (wrong - 0.5 * (1 + log_var - mean**2 - torch.exp(log_var)).sum()) / len(x)

    return _trained(_parameters(data), loss_of)


def realnvp(data):
    x, F = torch.tensor(data["x"]), nn.functional

    def loss_of(weights):
        left, right, log_det = x[:, :1], x[:, 1:], 0.0
        for k in range(NVP_LAYERS):
            w1, b1, w2, b2, w3, b3 = weights[6 * k:6 * k + 6]
            h = F.linear(F.linear(left, w1, b1).relu(), w2, b2).relu()
            out = F.linear(h, w3, b3)
            log_scale = torch.tanh(out[:, :1])
            left, right = right * torch.exp(log_scale) + out[:, 1:], left
            log_det = log_det + log_scale
        return (0.5 * (left**2 + right**2) - log_det).mean()

    return _trained(_parameters(data), loss_of)


def maml(data):
    F = nn.functional
    (x1, x2), (y1, y2) = [[[torch.tensor(a) for a in half] for half in data[name]] for name in ("x", "y")]

    def error(weights, x, y):
        w1, b1, w2, b2, w3, b3 = weights
        h = F.linear(F.linear(x, w1, b1).relu(), w2, b2).relu()
        return F.mse_loss(F.linear(h, w3, b3), y)

    def loss_of(weights):
        total = 0.0
        for task in range(len(x1)):
            fast = weights
            for _ in range(MAML_STEPS):
                grads = torch.autograd.grad(error(fast, x1[task], y1[task]), fast, create_graph=True)
                fast = [w - MAML_RATE * g for w, g in zip(fast, grads)]
            total = total + error(fast, x2[task], y2[task])
        return total / len(x1)

    return _trained(_parameters(data), loss_of)


def activation(data):
    x, F = torch.tensor(data["x"]).requires_grad_(), nn.functional

    @transform
    def loss_of(x):
        return (torch.tanh(F.silu(F.gelu(x) + x)) ** 2).mean()

    def step():
        x.grad = None
        loss = loss_of(x)
        loss.backward()
        return loss.item()

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
