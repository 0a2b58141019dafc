"""Message passing itself: what a message may read, aggregations of one's own, and that no float is added by chance."""
import inspect

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.nn.graph.cases import ATTR, DST, SRC, WEIGHT, D, E, N, X, dense, graph, neighbours, tensor
from tinygrad_notes import nn
from tinygrad_notes.nn.graph import aggregate_neighbours, aggregation


class Everything(nn.MessagePassing):
    """Reads all there is."""

    def message(self, h_src, h_dst, e):
        return tn.tanh(h_src) * h_dst + e

    def update(self, aggregated, h):
        return aggregated - h


@pytest.mark.row("S0-T42")
@pytest.mark.parametrize("aggr", ["add", "mean", "max", "min", "std"])
def test_gather_message_aggregate_update(aggr):
    attr = np.random.default_rng(0).standard_normal((E, D))
    found = Everything(aggr)(tensor(X), graph(edge_attr=attr)).numpy()
    for i in range(N):
        rows = [np.tanh(X[SRC[k]]) * X[i] + attr[k] for k in range(E) if DST[k] == i]
        combine = {"add": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "std": np.std}[aggr]
        np.testing.assert_allclose(found[i], (combine(rows, axis=0) if rows else 0) - X[i], rtol=1e-12, atol=1e-14)


@pytest.mark.row("S0-T42")
def test_a_sum_of_messages_is_the_dense_product():
    class Weighted(nn.MessagePassing):
        def message(self, h_src, e):
            return h_src * e

    found = Weighted()(tensor(X), graph(edge_attr=WEIGHT[:, None])).numpy()
    np.testing.assert_allclose(found, dense(WEIGHT) @ X, rtol=1e-12)
    assert tn.gradcheck(lambda x, e: Weighted()(x, graph(), e), [tensor(X), tensor(WEIGHT[:, None])])
    assert tn.gradgradcheck(lambda x, e: Weighted()(x, graph(), e), [tensor(X), tensor(WEIGHT[:, None])],
                            fast_mode=True)


def test_only_what_a_message_reads_is_gathered():
    class Plain(nn.MessagePassing):
        def message(self, h_dst):
            return h_dst

    assert Plain._reads == ("h_dst",) and Everything._reads == ("h_src", "h_dst", "e")
    assert nn.MessagePassing._reads == ("h_src",)
    np.testing.assert_allclose(Plain()(tensor(X), graph()).numpy(), X * np.bincount(DST, minlength=N)[:, None])


def test_the_base_fits_on_a_screen():
    lines = [line for line in inspect.getsource(nn.MessagePassing).split('"""')[2].splitlines() if line.strip()]
    assert len(lines) < 50


def test_an_unknown_name_in_a_message_is_refused_where_the_class_is_made():
    with pytest.raises(TypeError, match="Wrong.message reads 'x_j', but may read h_src, h_dst, e"):
        class Wrong(nn.MessagePassing):
            def message(self, x_j):
                return x_j


def test_aggregations_of_ones_own():
    def largest_norm(values, ids, n):
        return tn.sqrt(tn.segment_max(tn.sum(values * values, axis=1), ids, n, empty=0))

    found = nn.MessagePassing(largest_norm)(tensor(X), graph()).numpy()
    want = [max([np.linalg.norm(X[SRC[k]]) for k in range(E) if DST[k] == i], default=0) for i in range(N)]
    np.testing.assert_allclose(found, want, rtol=1e-12)
    np.testing.assert_array_equal(aggregate_neighbours(graph(), tensor(X), largest_norm).numpy(), found)

    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(tn.tensor(2.0, dtype=tn.float64))

        def forward(self, values, ids, n):
            return self.scale * tn.segment_sum(values, ids, n)

    layer = nn.SAGEConv(D, 2, aggr=Scaled()).double()
    assert "aggr_module.scale" in layer.state_dict() and layer.aggr == "Scaled"
    plain = nn.SAGEConv(D, 2, aggr="add").double()
    plain.load_state_dict({k: v for k, v in layer.state_dict().items() if "aggr" not in k})
    plain.lin_l.weight.data = plain.lin_l.weight.data * 2.0
    np.testing.assert_allclose(layer(tensor(X), graph()).numpy(), plain(tensor(X), graph()).numpy(), rtol=1e-12)
    assert tn.testing.check_module(layer, lambda: (layer(tensor(X), graph())**2).sum())


@pytest.mark.parametrize("aggr", ["add", "mean", "max", "min", "std"])
@pytest.mark.parametrize("weighted", [False, True])
def test_neighbours_without_messages_are_those_with(aggr, weighted):
    weight = WEIGHT if weighted else None
    found = aggregate_neighbours(graph(), tensor(X), aggr, None if weight is None else tensor(weight))
    np.testing.assert_allclose(found.numpy(), neighbours(X, aggr, weight), rtol=1e-12, atol=1e-14)


def test_more_axes_and_other_dtypes():
    x = np.random.default_rng(0).standard_normal((N, 2, 3))
    np.testing.assert_allclose(aggregate_neighbours(graph(), tensor(x)).numpy(), neighbours(x, "add"), rtol=1e-12)
    for dtype in ("float16", "float32"):
        found = aggregate_neighbours(graph(), tensor(X.astype(dtype)), "mean")
        assert found.dtype == dtype
        np.testing.assert_allclose(found.numpy(), neighbours(X, "mean"), rtol=1e-2, atol=1e-2)
    counts = aggregate_neighbours(graph(), tensor(np.ones((N, 1), dtype=np.int64)))
    assert counts.dtype == "int64" and counts.numpy()[:, 0].tolist() == np.bincount(DST, minlength=N).tolist()


def test_softmax_mul_and_std_of_groups():
    x, ids = np.random.default_rng(1).standard_normal((6, 2)), np.array([0, 2, 0, 2, 2, 3])
    groups = [x[ids == k] for k in range(4)]
    soft = [((np.exp(g) / np.exp(g).sum(0)) * g).sum(0) if len(g) else np.zeros(2) for g in groups]
    np.testing.assert_allclose(aggregation("softmax")(tensor(x), tensor(ids), 4).numpy(), soft, rtol=1e-12)
    product = [g.prod(0) for g in groups]
    np.testing.assert_allclose(aggregation("mul")(tensor(x), tensor(ids), 4).numpy(), product, rtol=1e-12)
    same = tensor(np.ones((6, 1)))
    same.requires_grad_(True)
    aggregation("std")(same, tensor(ids), 4).sum().backward()
    assert same.grad.numpy().tolist() == [[0]] * 6
    for name in ("softmax", "std"):
        assert tn.gradcheck(lambda x, name=name: aggregation(name)(x, tensor(ids), 4), tensor(x))
    assert aggregation("sum") is tn.segment_sum


def test_no_float_is_added_by_scattering(monkeypatch):
    """`np.add.at` adds in an order of its own on other hardware; nothing here may use it."""
    class Refused:
        def at(self, *args):
            raise AssertionError("np.add.at")

        def __getattr__(self, name):
            return getattr(add, name)

        def __call__(self, *args, **options):
            return add(*args, **options)

    add = np.add
    monkeypatch.setattr(np, "add", Refused())
    x = tn.tensor(X.astype("float32"), requires_grad=True)
    g = graph(edge_attr=ATTR.astype("float32"))
    for layer in (nn.GCNConv(D, 2), nn.SAGEConv(D, 2, "max"), nn.GATConv(D, 2, edge_dim=3),
                  nn.NNConv(D, 2, nn.Linear(3, 2 * D))):
        layer(x, g).sum().backward()
    assert x.grad is not None and ATTR.shape == (E, 3)


@pytest.mark.host_only
def test_errors():
    for call, error, message in [
        (lambda: aggregate_neighbours(graph(), tensor(X[:3])), ValueError, r"h has shape \(3, 4\), expected 7 rows"),
        (lambda: aggregation("sume"), ValueError, "did you mean 'sum'"),
        (lambda: aggregation(None), TypeError, "expected a name or a function"),
    ]:
        with pytest.raises(error, match=message):
            call()


@pytest.mark.host_only
@pytest.mark.parametrize("make", [lambda: nn.GCNConv(64, 64), lambda: nn.SAGEConv(64, 64), lambda: nn.GATConv(64, 64)],
                         ids=["gcn", "sage", "gat"])
def test_sums_over_neighbours_need_no_array_of_messages(make):
    """20,000 messages of 64 features would take 5.1 MB, forward alone."""
    import tracemalloc
    rng = np.random.default_rng(0)
    with tn.as_device("cpu"):
        g, layer = nn.graph.Graph(rng.integers(0, 100, 20000), rng.integers(0, 100, 20000), 100), make()
        x = tn.tensor(rng.standard_normal((100, 64)).astype("float32"), requires_grad=True)
        (layer(x, g)**2).sum().backward()
        tracemalloc.start()
        (layer(x, g)**2).sum().backward()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 1.5e6
