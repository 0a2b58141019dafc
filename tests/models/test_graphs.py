"""Graph networks against their dense forms, and what they learn."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.models import GAT, GCN, MPNN, GraphSAGE, OnGraph
from tinygrad_notes.nn.graph import Graph, batch_graphs, to_dense_adjacency


def small(rng, n=5, edge_dim=2):
    """A random graph with features of nodes and edges."""
    src, dst = np.nonzero(rng.uniform(size=(n, n)) < 0.4)
    return Graph(src, dst, n, x=rng.normal(size=(n, 3)), edge_attr=rng.normal(size=(len(src), edge_dim)),
                 y=rng.integers(0, 2, n))


def weights(layer):
    return {name: p.numpy() for name, p in layer.named_parameters()}


def perceptron(w, name, h):
    h = np.maximum(h @ w[f"{name}.0.weight"].T + w[f"{name}.0.bias"], 0)
    return h @ w[f"{name}.2.weight"].T + w[f"{name}.2.bias"]


@pytest.mark.row("S0-T42")
def test_messages_are_those_of_the_dense_form(rng):
    g = small(rng)
    model = MPNN(3, 2, 4, 2, "node", 2, dtype=tn.float64)
    w, a = weights(model), np.zeros((5, 5, 2))
    joined = to_dense_adjacency(g).numpy()
    a[g.src.numpy(), g.dst.numpy()] = g.edge_attr.numpy()
    h = g.x.numpy() @ w["first.weight"].T + w["first.bias"]
    for k in range(2):
        every = [[perceptron(w, f"rounds.{k}.says", np.concatenate([h[j], h[i], a[j, i]])) for i in range(5)]
                 for j in range(5)]
        mask = np.zeros((5, 5))
        mask[g.src.numpy(), g.dst.numpy()] = 1
        m = np.einsum("ji,jif->if", mask, np.array(every))
        h = h + perceptron(w, f"rounds.{k}.becomes", np.concatenate([h, m], 1))
    np.testing.assert_allclose(model(g).numpy(), perceptron(w, "readout", h), rtol=1e-10)
    assert joined.sum() == g.num_edges


@pytest.mark.parametrize("task", ["node", "edge", "graph"])
@pytest.mark.parametrize("regression", [False, True])
def test_gradients_of_messages(rng, task, regression):
    g = batch_graphs([small(rng).replace(y=None), small(rng, 4).replace(y=None)])
    model = MPNN(3, 2, 3, 1, task, 2, regression, dtype=tn.float64)
    count = model(g).shape[0]
    y = rng.normal(size=(count, 2)) if regression else rng.integers(0, 2, count)
    assert count == {"node": 9, "edge": g.num_edges, "graph": 2}[task]
    assert tn.testing.check_module(model, lambda: model.loss(g, y)["loss"], directions=1, elements=0)


@pytest.mark.parametrize("kind", [GCN, GraphSAGE, GAT])
def test_gradients_and_permutations(rng, kind):
    g = small(rng)
    model = kind(3, 2, (4,), dtype=tn.float64)
    assert tn.testing.check_module(model, lambda: model.loss(g.x, g, g.y, [0, 3])["loss"], directions=1, elements=0)
    order = rng.permutation(5)
    moved = Graph(order[g.src.numpy()], order[g.dst.numpy()], 5)
    x = np.empty((5, 3))
    x[order] = g.x.numpy()
    np.testing.assert_allclose(model(x, moved).numpy()[order], model(g.x, g).numpy(), rtol=1e-10)


@pytest.mark.parametrize("kind", [GCN, GraphSAGE, GAT])
def test_the_karate_club_from_two_labels(kind):
    club = tn.data.find("karate")
    model = OnGraph(kind(34, 2, (16,)), club.graph)
    optimizer = tn.optim.AdamW(model.parameters(), lr=0.02, weight_decay=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        model.loss([0, 33], [0, 1])["loss"].backward()
        optimizer.step()
    rows, y = club.test.tensors[2], club.test.tensors[1]
    assert float((model.predict(rows) == y).astype("float32").mean()) >= (0.95 if kind is GCN else 0.85)


def test_edges_are_told_by_their_ends(rng):
    """Whether both ends have the same sign, from the MPNN's answer for edges."""
    g = small(rng, 12)
    same = (np.sign(g.x.numpy()[g.src.numpy(), 0]) == np.sign(g.x.numpy()[g.dst.numpy(), 0])).astype(int)
    model = MPNN(3, 2, 16, 1, "edge", 2, dtype=tn.float64)
    optimizer = tn.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(80):
        optimizer.zero_grad()
        model.loss(g, same)["loss"].backward()
        optimizer.step()
    assert (model.predict(g).numpy() == same).mean() > 0.95


@pytest.mark.parametrize(("call", "message"), [
    (lambda: MPNN(0, 2), "MPNN: sizes must be at least 1"), (lambda: MPNN(3, 2, task="path"), "task: expected one of"),
    (lambda: MPNN(3, 2)(Graph([], [], 2)), "MPNN: the graph has no node features x"),
    (lambda: MPNN(3, 2, edge_dim=2)(Graph([0], [1], 2, x=np.ones((2, 3)))), "edge features .1, 2., got None"),
    (lambda: MPNN(3, 2).loss(Graph([0], [1], 2, x=np.ones((2, 3), np.float32))), "no targets y"),
    (lambda: OnGraph(GCN(3, 2), Graph([], [], 2)), "OnGraph: the graph has no node features x"),
])
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
