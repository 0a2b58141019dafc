"""tinygrad_notes, eager."""

import tinygrad_notes as tn
from benchmarks.workloads import CHAIN_LENGTH


def chain(data):
    x = tn.tensor(data["x"], requires_grad=True)

    def step():
        y = x
        for _ in range(CHAIN_LENGTH // 4):
            y = tn.tanh(tn.sin(y * x) + x)
        y.backward()
        g = x.grad.item()
        x.grad = None
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
        return loss.item()

    return step


MAKERS = {"chain": chain, "mlp": mlp, "wide_mlp": mlp}
