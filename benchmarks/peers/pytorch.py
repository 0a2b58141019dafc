"""PyTorch, eager."""

import torch
from torch import nn

from benchmarks.workloads import CHAIN_LENGTH


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


MAKERS = {"chain": chain, "mlp": mlp, "wide_mlp": mlp}
