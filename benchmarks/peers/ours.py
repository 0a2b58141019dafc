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
        return loss.item()

    return step


MAKERS = {"chain": chain, "mlp": mlp, "wide_mlp": mlp, "gcn": gcn}
