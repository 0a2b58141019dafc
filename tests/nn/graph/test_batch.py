"""Several graphs as one, from a list or a `DataLoader`, and pooling each of them."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tests.nn.graph.cases import tensor
from tinygrad_notes import nn
from tinygrad_notes.nn.graph import (
    AttentionalAggregation,
    Graph,
    batch_graphs,
    global_add_pool,
    global_max_pool,
    global_mean_pool,
    unbatch_graphs,
)


def graphs(count=5, seed=0):
    """Graphs of 0 to 4 nodes, labels and edge features; the third has no nodes."""
    rng, made = np.random.default_rng(seed), []
    for k in range(count):
        n = int(rng.integers(1, 5)) if k != 2 else 0
        e = int(rng.integers(0, 7)) if n else 0
        ends = [tensor(rng.integers(0, n, e) if n else np.zeros(0, int)) for _ in range(2)]
        x, attr = tensor(rng.standard_normal((n, 3))), tensor(rng.standard_normal((e, 2)))
        weight = tensor(rng.uniform(1, 2, e))
        made.append(Graph(*ends, n, x=x, edge_attr=attr, edge_weight=weight, y=tensor(np.array(k))))
    return made


def same(a, b):
    assert (a.num_nodes, a.src.tolist(), a.dst.tolist()) == (b.num_nodes, b.src.tolist(), b.dst.tolist())
    for name in ("x", "edge_attr", "edge_weight", "y"):
        np.testing.assert_array_equal(getattr(a, name).numpy(), getattr(b, name).numpy())


def test_there_and_back():
    many = graphs()
    whole = batch_graphs(many)
    assert whole.num_graphs == 5 and whole.num_nodes == sum(g.num_nodes for g in many)
    assert whole.batch.counts.tolist() == [g.num_nodes for g in many] and whole.y.tolist() == [0, 1, 2, 3, 4]
    for a, b in zip(unbatch_graphs(whole), many):
        same(a, b)
    labelled = [g.replace(y=g.x) for g in many]
    for a, b in zip(unbatch_graphs(batch_graphs(labelled)), labelled):
        same(a, b)
    assert repr(whole).endswith("num_graphs=5)")


def test_layers_do_not_see_that_they_are_joined():
    many = graphs()
    for layer in (nn.GCNConv(3, 2), nn.GATConv(3, 2), nn.SAGEConv(3, 2, "max")):
        layer = layer.double()
        whole = batch_graphs(many)
        alone = np.concatenate([layer(g.x, g).numpy() for g in many])
        np.testing.assert_allclose(layer(whole.x, whole).numpy(), alone, rtol=1e-12, atol=1e-14)


def test_a_loader_joins_graphs():
    many = graphs(7)
    loader = tn.data.DataLoader(many, batch_size=3)
    batches = list(loader)
    assert [b.num_graphs for b in batches] == [3, 3, 1]
    assert [b.y.tolist() for b in batches] == [[0, 1, 2], [3, 4, 5], [6]]
    pairs = tn.data.DataLoader([(g, float(k)) for k, g in enumerate(many)], batch_size=4, shuffle=True, generator=0)
    seen = []
    for whole, target in pairs:
        assert whole.y.tolist() == target.tolist()
        seen += whole.y.tolist()
    assert sorted(seen) == list(range(7))


def test_pooling():
    x, batch = np.random.default_rng(0).standard_normal((6, 2)), np.array([0, 0, 2, 3, 3, 3])
    for pool, reduce in [(global_add_pool, np.sum), (global_mean_pool, np.mean), (global_max_pool, np.max)]:
        want = [reduce(x[batch == k], axis=0) if (batch == k).any() else np.zeros(2) for k in range(4)]
        for groups, size in [(tensor(batch), 4), (tn.Segments(tensor(batch), 4), None)]:
            np.testing.assert_allclose(pool(tensor(x), groups, size).numpy(), want, rtol=1e-12)
        np.testing.assert_allclose(pool(tensor(x)).numpy(), [reduce(x, axis=0)], rtol=1e-12)
        assert tn.gradcheck(lambda x, pool=pool: pool(x, tensor(batch), 4), tensor(x))


@pytest.mark.parametrize("width", [1, 3])
def test_pooling_by_attention(width):
    pool = AttentionalAggregation(nn.Linear(2, width), nn.Linear(2, 3)).double()
    x, batch = np.random.default_rng(0).standard_normal((6, 2)), np.array([0, 0, 2, 3, 3, 3])
    p = {k: v.numpy() for k, v in pool.state_dict().items()}
    gate, mapped = x @ p["gate_nn.weight"].T + p["gate_nn.bias"], x @ p["nn.weight"].T + p["nn.bias"]
    want = np.zeros((4, 3))
    for k in (0, 2, 3):
        e = np.exp(gate[batch == k])
        want[k] = (e / e.sum(0) * mapped[batch == k]).sum(0)
    np.testing.assert_allclose(pool(tensor(x), tensor(batch), 4).numpy(), want, rtol=1e-12)
    assert tn.testing.check_module(pool, lambda: pool(tensor(x), tensor(batch), 4)**2, directions=1, elements=1)
    layer = nn.MessagePassing(AttentionalAggregation(nn.Linear(3, 1))).double()
    g = graphs()[0]
    assert layer(g.x, g).shape == g.x.shape


@pytest.mark.host_only
def test_errors():
    first, second = graphs(2)
    joined = batch_graphs([first, second])
    shuffled = joined.replace(batch=tn.Segments(tensor(1 - joined.batch.numpy()), 2))
    crossed = joined.with_edges(tensor(np.array([0])), tensor(np.array([joined.num_nodes - 1])))
    for call, error, message in [
        (lambda: batch_graphs([]), ValueError, "there is none to join"),
        (lambda: batch_graphs([first, second.replace(x=None)]), ValueError,
         r"graphs\[1\] has no x, but graphs\[0\] has"),
        (lambda: unbatch_graphs(first), ValueError, "it has no batch"),
        (lambda: unbatch_graphs(shuffled), ValueError, "not in the order of their graphs"),
        (lambda: unbatch_graphs(crossed), ValueError, "an edge joins two"),
        (lambda: global_add_pool(first.x, [0] * first.num_nodes), TypeError, "size is missing"),
        (lambda: global_mean_pool(first.x, [9] * first.num_nodes, 3), IndexError, "9"),
    ]:
        with pytest.raises(error, match=message):
            call()
