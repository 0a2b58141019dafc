"""PyTorch, eager."""

import time

import torch
from torch import nn

from benchmarks.workloads import CHAIN_LENGTH, GPT_HEADS, GPT_LAYERS


def set_threads(n):
    torch.set_num_threads(n)


def chain(data):
    x = torch.tensor(data["x"], requires_grad=True)

    def step():
        y = x
        for _ in range(CHAIN_LENGTH // 4):
            y = torch.tanh(torch.sin(y * x) + x)
        y.backward()
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

    def step():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


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

    def step():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(second(torch.relu(first(x)))[rows], y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def digits_cnn(data):
    model = nn.Sequential(nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 5), nn.ReLU(),
                          nn.MaxPool2d(2), nn.Flatten(), nn.Linear(512, 10))
    model.load_state_dict({k: torch.tensor(v) for k, v in zip(model.state_dict(), data["weights"])})
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, y = torch.tensor(data["x"]), torch.tensor(data["y"])

    def step():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


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

    def step():
        optimizer.zero_grad()
        x.grad = None
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


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

    def step():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x).view(len(y), -1), y)
        loss.backward()
        optimizer.step()
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
}
