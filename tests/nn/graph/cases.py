"""A small graph with everything that is awkward, and every layer with a dense twin written in NumPy alone.

    N nodes   E edges   H heads   C channels   A[i, j] sums the weights of edges j -> i
"""
import numpy as np

import tinygrad_notes as tn
from tinygrad_notes import nn

N, D, E_DIM = 7, 4, 3
SRC = np.array([0, 1, 1, 3, 2, 2, 5, 0, 4, 2, 3, 0])
DST = np.array([1, 0, 2, 2, 3, 0, 5, 2, 1, 0, 3, 1])  # loops at 5 and 3; 0 -> 1 and 2 -> 0 twice; node 6 has no edge
E = len(SRC)
RNG = np.random.default_rng(5)
X = RNG.standard_normal((N, D))
ATTR = RNG.standard_normal((E, E_DIM))
WEIGHT = RNG.uniform(0.5, 2.0, E)


def tensor(array):
    return tn.Tensor(array, device=tn.current_device())


def graph(**features):
    """The graph on the current device, features from NumPy."""
    return nn.graph.Graph(tensor(SRC), tensor(DST), N, **{name: tensor(f) for name, f in features.items()})


def dense(weight=None, src=SRC, dst=DST, n=N):
    a = np.zeros((n, n))
    for e in range(len(src)):
        a[dst[e], src[e]] += 1 if weight is None else weight[e]
    return a


def network(n, m, seed=0):
    """A smooth network and its twin."""
    made = nn.Sequential(nn.Linear(n, 5), nn.Tanh(), nn.Linear(5, m))
    draw(made, seed)

    def twin(x):
        first, _, last = made
        h = np.tanh(x @ first.weight.numpy().T + first.bias.numpy())
        return h @ last.weight.numpy().T + last.bias.numpy()

    return made, twin


def draw(module, seed=0):
    """float64 parameters, none of them 0."""
    module.double()
    rng = np.random.default_rng(seed)
    for p in module.parameters():
        p.data = p.device.from_numpy(rng.standard_normal(p.shape) * 0.7)
    return module


def values(module):
    """Parameters and buffers by name, in NumPy."""
    return {name: t.numpy() for name, t in module.state_dict().items()}


def neighbours(x, how, weight=None):
    """Node by node, edge by edge."""
    out = np.zeros((N, *x.shape[1:]))
    for i in range(N):
        rows = [x[SRC[e]] * (1 if weight is None else weight[e]) for e in range(E) if DST[e] == i]
        if rows:
            out[i] = {"add": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "std": np.std}[how](rows, axis=0)
    return out


def symmetric(a):
    """D^(-1/2) A D^(-1/2), rows and columns of degree 0 staying 0."""
    d = a.sum(1)
    root = np.array([0 if k == 0 else k**-0.5 for k in d])
    return root[:, None] * a * root


def gcn(layer, weight=None, loop=1.0, normalize=True):
    def twin(x):
        p = values(layer)
        a = dense(weight)
        if normalize:
            a = symmetric(a + np.diag([0 if a[i, i] else loop for i in range(N)]))
        return a @ x @ p["lin.weight"].T + p.get("bias", 0)

    return twin


def sage(layer, how="mean", root=True, normalize=False, project=False):
    def twin(x):
        p = values(layer)
        sent = np.maximum(x @ p["lin.weight"].T + p["lin.bias"], 0) if project else x
        out = neighbours(sent, how) @ p["lin_l.weight"].T + p.get("lin_l.bias", 0)
        out = out + x @ p["lin_r.weight"].T if root else out
        return out / np.linalg.norm(out, axis=1, keepdims=True) if normalize else out

    return twin


def looped(attr):
    """Edges without loops, then one loop per node whose features are the mean of those that end there."""
    keep = SRC != DST
    src, dst = np.append(SRC[keep], range(N)), np.append(DST[keep], range(N))
    if attr is None:
        return src, dst, None
    rest, ends = attr[keep], DST[keep]
    means = [rest[ends == i].mean(0) if (ends == i).any() else np.zeros(attr.shape[1]) for i in range(N)]
    return src, dst, np.concatenate([rest, means])


def gat(layer, attr=None, loops=True, version=1):
    def twin(x):
        p, h = values(layer), layer.heads
        src, dst, e = looped(attr) if loops else (SRC, DST, attr)
        split = lambda rows: rows.reshape(len(rows), h, -1)
        leaky = lambda s: np.where(s > 0, s, layer.negative_slope * s)
        if version == 1:
            left = right = split(x @ p["lin.weight"].T)
        else:
            left = split(x @ p["lin_l.weight"].T + p.get("lin_l.bias", 0))
            right = split(x @ p["lin_r.weight"].T + p.get("lin_r.bias", 0))
        of_edge = 0 if e is None else split(e @ p["lin_edge.weight"].T)
        out = np.zeros((N, h, layer.out_channels))
        for i in range(N):
            edges = [k for k in range(len(src)) if dst[k] == i]
            if not edges:
                continue
            sides = [(left[src[k]], right[i], 0 if e is None else of_edge[k]) for k in edges]
            if version == 1:
                s = [leaky((a * p["att_src"][0]).sum(1) + (b * p["att_dst"][0]).sum(1)
                           + (0 if e is None else (c * p["att_edge"][0]).sum(1))) for a, b, c in sides]
            else:
                s = [(leaky(a + b + c) * p["att"][0]).sum(1) for a, b, c in sides]
            weight = np.exp(s) / np.exp(s).sum(0)
            out[i] = sum(w[:, None] * a for w, (a, _, _) in zip(weight, sides))
        out = out.reshape(N, -1) if layer.concat else out.mean(1)
        return out + (x @ p["res.weight"].T if "res.weight" in p else 0) + p.get("bias", 0)

    return twin


def gin(layer, inner, how="add"):
    return lambda x: inner(neighbours(x, how) + (1 + values(layer)["eps"]) * x)


def gine(layer, inner):
    def twin(x):
        p = values(layer)
        e = ATTR @ p["lin.weight"].T + p["lin.bias"]
        out = (1 + p["eps"]) * x
        for k in range(E):
            out[DST[k]] += np.maximum(x[SRC[k]] + e[k], 0)
        return inner(out)

    return twin


def nnconv(layer, inner, how):
    def twin(x):
        p = values(layer)
        out = x @ p["lin.weight"].T + p["bias"]
        matrices = inner(ATTR).reshape(E, D, -1)
        for i in range(N):
            rows = [x[SRC[k]] @ matrices[k] for k in range(E) if DST[k] == i]
            out[i] += (np.mean if how == "mean" else np.sum)(rows, axis=0) if rows else 0
        return out

    return twin


def edge(inner):
    def twin(x):
        out = np.zeros((N, 2))
        for i in range(N):
            rows = [inner(np.append(x[i], x[SRC[k]] - x[i])) for k in range(E) if DST[k] == i]
            out[i] = np.max(rows, axis=0) if rows else 0
        return out

    return twin


def plain(layer, how, root, weight=None):
    """The variants of the notes, as matrices: X is (N, D), one row per node."""
    def twin(x):
        p = values(layer)
        w, b = p["lin_rel.weight"], p.get("lin_rel.bias", 0)
        a = symmetric(dense(weight)) @ x if how == "kipf" else neighbours(x, how, weight)
        if root == "shared":
            eps = p.get("eps", layer.eps)
            return (a + (1 + eps) * x) @ w.T + b
        out = a @ w.T + b
        if root == "separate":
            return out + x @ p["lin_root.weight"].T
        return np.concatenate([out, x], 1) if root == "concat" else out

    return twin


def made(layer, twin, **named):
    draw(layer)
    return layer, twin(layer, **named), {}


def _cases():
    for label, options, named in [
        ("gcn", {}, {}), ("gcn improved", {"improved": True}, {"loop": 2.0}), ("gcn no bias", {"bias": False}, {}),
        ("gcn plain", {"normalize": False}, {"normalize": False}),
    ]:
        yield label, *made(nn.GCNConv(D, 3, **options), gcn, **named)
    weighted = draw(nn.GCNConv(D, 3))
    yield "gcn weighted", weighted, gcn(weighted, WEIGHT), {"edge_weight": WEIGHT}
    for label, options, named in [
        ("sage", {}, {}), ("sage max", {"aggr": "max"}, {"how": "max"}), ("sage std", {"aggr": "std"}, {"how": "std"}),
        ("sage normalize", {"normalize": True}, {"normalize": True}),
        ("sage project", {"project": True, "root_weight": False, "bias": False}, {"project": True, "root": False}),
    ]:
        yield label, *made(nn.SAGEConv(D, 3, **options), sage, **named)
    for version, kind in ((1, nn.GATConv), (2, nn.GATv2Conv)):
        for label, options, attr in [
            ("", {}, None), (" heads", {"heads": 3}, None),
            (" mean, residual", {"heads": 2, "concat": False, "residual": True, "negative_slope": 0.5}, None),
            (" edges", {"heads": 2, "edge_dim": E_DIM}, ATTR),
            (" edges, no loops", {"edge_dim": E_DIM, "add_self_loops": False, "bias": False}, ATTR),
        ]:
            loops = options.get("add_self_loops", True)
            layer = draw(kind(D, 3, **options))
            yield f"gat{version}{label}", layer, gat(layer, attr, loops, version), \
                {} if attr is None else {"edge_attr": attr}
    shared = draw(nn.GATv2Conv(D, 3, heads=2, share_weights=True))
    yield "gat2 shared", shared, gat(shared, version=2), {}
    inner, twin = network(D, 2)
    yield "gin", *made(nn.GINConv(inner, eps=0.3), lambda layer: gin(layer, twin))
    inner2, twin2 = network(D, 2)
    learned = draw(nn.GINConv(inner2, train_eps=True, aggr="max"))
    yield "gin max", learned, gin(learned, twin2, "max"), {}
    inner3, twin3 = network(D, 2)
    edged = draw(nn.GINEConv(inner3, 0.2, edge_dim=E_DIM))
    yield "gine", edged, gine(edged, twin3), {"edge_attr": ATTR}
    for how in ("add", "mean"):
        inner4, twin4 = network(E_DIM, 2 * D)
        conditioned = draw(nn.NNConv(D, 2, inner4, aggr=how))
        yield f"nnconv {how}", conditioned, nnconv(conditioned, twin4, how), {"edge_attr": ATTR}
    inner5, twin5 = network(2 * D, 2)
    yield "edgeconv", nn.EdgeConv(inner5), edge(twin5), {}
    for root in ("separate", "shared", "concat", "none"):
        for how in ("add", "mean", "max", "kipf"):
            options = {"eps": 0.4, "train_eps": how == "add"} if root == "shared" else {}
            layer = draw(nn.GraphConv(D, 3, how, root=root, **options))
            yield f"plain {how} {root}", layer, plain(layer, how, root), {}
    for how in ("add", "mean", "max", "kipf"):
        layer = draw(nn.GraphConv(D, 6, how))
        yield f"plain {how} weighted", layer, plain(layer, how, "separate", WEIGHT), {"edge_weight": WEIGHT}


CASES = list(_cases())
NAMES = [case[0] for case in CASES]
