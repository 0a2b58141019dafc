"""Layers against small twins in PyTorch, written with its scatter operations: results and gradients."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tests.nn.graph.cases import ATTR, DST, E_DIM, SRC, WEIGHT, D, N, X, draw, graph, tensor
from tinygrad_notes import nn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.same_on_strict
F = torch.nn.functional
S, T = torch.tensor(SRC), torch.tensor(DST)


def add(rows, ends):
    return torch.zeros(N, *rows.shape[1:], dtype=rows.dtype).index_add_(0, ends, rows)


def softmax(logits, ends):
    top = torch.full((N, *logits.shape[1:]), -np.inf, dtype=logits.dtype)
    top = top.scatter_reduce(0, ends[:, None].expand_as(logits), logits, "amax")
    e = torch.exp(logits - top[ends])
    return e / add(e, ends)[ends]


def with_loops(attr=None):
    keep, nodes = S != T, torch.arange(N)
    s, t = torch.cat([S[keep], nodes]), torch.cat([T[keep], nodes])
    if attr is None:
        return s, t, None
    count = add(torch.ones(int(keep.sum()), dtype=torch.float64), T[keep]).clamp(min=1)
    return s, t, torch.cat([attr[keep], add(attr[keep], T[keep]) / count[:, None]])


def gcn(p, x, weight):
    loops = set(SRC[SRC == DST].tolist())
    more = torch.tensor([i for i in range(N) if i not in loops])
    s, t = torch.cat([S, more]), torch.cat([T, more])
    w = torch.cat([weight, torch.ones(len(more), dtype=torch.float64)])
    d = add(w, t).pow(-0.5)
    h = x @ p["lin.weight"].T
    return add(h[s] * (d[s] * w * d[t])[:, None], t) + p["bias"]


def sage(p, x):
    mean = add(x[S], T) / torch.bincount(T, minlength=N).clamp(min=1)[:, None]
    return F.normalize(F.linear(mean, p["lin_l.weight"], p["lin_l.bias"]) + x @ p["lin_r.weight"].T)


def sage_max(p, x):
    top = torch.zeros(N, D, dtype=x.dtype).scatter_reduce(0, T[:, None].expand(-1, D), x[S], "amax", include_self=False)
    return F.linear(top, p["lin_l.weight"], p["lin_l.bias"]) + x @ p["lin_r.weight"].T


def gat(p, x, attr):
    s, t, e = with_loops(attr)
    h, edge = (x @ p["lin.weight"].T).view(N, 2, 3), (e @ p["lin_edge.weight"].T).view(-1, 2, 3)
    logits = (h * p["att_src"]).sum(-1)[s] + (h * p["att_dst"]).sum(-1)[t] + (edge * p["att_edge"]).sum(-1)
    alpha = softmax(F.leaky_relu(logits, 0.2), t)
    return add(alpha[..., None] * h[s], t).view(N, 6) + p["bias"]


def gatv2(p, x, attr):
    s, t, e = with_loops(attr)
    left = F.linear(x, p["lin_l.weight"], p["lin_l.bias"]).view(N, 2, 3)
    right = F.linear(x, p["lin_r.weight"], p["lin_r.bias"]).view(N, 2, 3)
    edge = (e @ p["lin_edge.weight"].T).view(-1, 2, 3)
    alpha = softmax((F.leaky_relu(left[s] + right[t] + edge, 0.2) * p["att"]).sum(-1), t)
    return add(alpha[..., None] * left[s], t).mean(1) + p["bias"]


def gin(p, x):
    h = add(x[S], T) + (1 + p["eps"]) * x
    return F.linear(torch.tanh(F.linear(h, p["nn.0.weight"], p["nn.0.bias"])), p["nn.2.weight"], p["nn.2.bias"])


def gine(p, x, attr):
    h = add(torch.relu(x[S] + F.linear(attr, p["lin.weight"], p["lin.bias"])), T) + (1 + p["eps"]) * x
    return F.linear(h, p["nn.weight"], p["nn.bias"])


def nnconv(p, x, attr):
    matrices = F.linear(attr, p["nn.weight"], p["nn.bias"]).view(-1, D, 2)
    return add((x[S][:, None] @ matrices)[:, 0], T) + x @ p["lin.weight"].T + p["bias"]


def plain(p, x, weight):
    return F.linear(add(x[S] * weight[:, None], T), p["lin_rel.weight"], p["lin_rel.bias"]) + x @ p["lin_root.weight"].T


CASES = {
    "GCNConv": (nn.GCNConv(D, 3), gcn, WEIGHT), "SAGEConv": (nn.SAGEConv(D, 3, normalize=True), sage, None),
    "SAGEConv max": (nn.SAGEConv(D, 3, "max"), sage_max, None),
    "GATConv": (nn.GATConv(D, 3, heads=2, edge_dim=E_DIM), gat, ATTR),
    "GATv2Conv": (nn.GATv2Conv(D, 3, heads=2, concat=False, edge_dim=E_DIM), gatv2, ATTR),
    "GINConv": (nn.GINConv(nn.Sequential(nn.Linear(D, 5), nn.Tanh(), nn.Linear(5, 2)), train_eps=True), gin, None),
    "GINEConv": (nn.GINEConv(nn.Linear(D, 2), 0.1, train_eps=True, edge_dim=E_DIM), gine, ATTR),
    "NNConv": (nn.NNConv(D, 2, nn.Linear(E_DIM, 2 * D)), nnconv, ATTR),
    "GraphConv": (nn.GraphConv(D, 3), plain, WEIGHT),
}


@pytest.mark.parametrize("layer, twin, of_edges", CASES.values(), ids=CASES)
def test_same_as_pytorch(layer, twin, of_edges):
    draw(layer)
    ours = [tensor(X), *([] if of_edges is None else [tensor(of_edges)])]
    theirs = [torch.tensor(t.numpy(), requires_grad=True) for t in ours]
    for t in ours:
        t.requires_grad_(True)
    p = {k: torch.tensor(v.numpy(), requires_grad=True) for k, v in layer.named_parameters()}
    out, wanted = layer(ours[0], graph(), *ours[1:]), twin(p, *theirs)
    np.testing.assert_allclose(out.numpy(), wanted.detach().numpy(), rtol=1e-10, atol=1e-12)
    scale = np.random.default_rng(0).standard_normal(out.shape)
    gradients = tn.autograd.grad((out**2 * tensor(scale)).sum(), [*ours, *layer.parameters()])
    expected = torch.autograd.grad((wanted**2 * torch.tensor(scale)).sum(), [*theirs, *p.values()])
    for found, want in zip(gradients, expected):
        np.testing.assert_allclose(found.numpy(), want.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("reduce, function", [("sum", tn.segment_sum), ("mean", tn.segment_mean),
                                              ("amax", tn.segment_max), ("amin", tn.segment_min)])
def test_segments_are_scatter_reduce(reduce, function):
    """Ties share the gradient in both."""
    rng = np.random.default_rng(0)
    x = rng.integers(-3, 3, (len(SRC), 4)).astype(float)
    ours, theirs = tensor(x).requires_grad_(True), torch.tensor(x, requires_grad=True)
    start = torch.full((N, 4), {"amax": -np.inf, "amin": np.inf}.get(reduce, 0.0), dtype=torch.float64)
    wanted = start.scatter_reduce(0, T[:, None].expand(-1, 4), theirs, reduce, include_self=reduce != "mean")
    out = function(ours, tn.Segments(tensor(DST), N))
    np.testing.assert_allclose(out.numpy(), wanted.detach().numpy(), rtol=1e-12)
    full = np.unique(DST)
    scale = rng.standard_normal((len(full), 4))
    (out[tensor(full)] * tensor(scale)).sum().backward()
    (wanted[full] * torch.tensor(scale)).sum().backward()
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-12)
