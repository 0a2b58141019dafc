"""The value `Graph`: what it refuses, what it keeps, what it shares."""
import copy
import gc

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.nn.graph.cases import ATTR, DST, SRC, WEIGHT, E, N, X, dense, graph, tensor
from tinygrad_notes.nn.graph import Graph


def test_what_it_knows():
    g = graph(x=X, edge_attr=ATTR, edge_weight=WEIGHT, y=np.arange(N))
    assert (g.num_nodes, g.num_edges, g.num_graphs) == (N, E, 1)
    assert g.edge_index.tolist() == [SRC.tolist(), DST.tolist()]
    assert g.in_degree.tolist() == np.bincount(DST, minlength=N).tolist()
    assert g.out_degree.tolist() == np.bincount(SRC, minlength=N).tolist()
    np.testing.assert_array_equal(g.adjacency.to_dense().numpy(), dense())
    np.testing.assert_array_equal(g.reverse.adjacency.to_dense().numpy(), dense().T)
    assert g.reverse.reverse.src.tolist() == SRC.tolist() and g.reverse.x is g.x
    assert repr(g) == "Graph(num_nodes=7, num_edges=12, x=(7, 4), edge_attr=(12, 3), edge_weight=(12,), y=(7,))"


def test_it_never_changes():
    src = tensor(SRC.copy())
    g = Graph(src, tensor(DST), N)
    with pytest.raises(AttributeError, match=r"make another with graph.replace\(x=...\)"):
        g.x = X
    with pytest.raises(AttributeError):
        del g.y
    src.data[0] = 3
    assert g.src.tolist() == SRC.tolist()
    if tn.current_device() == "cpu":
        with pytest.raises(ValueError, match="read-only"):
            g.src.data[0] = 3
    assert copy.deepcopy(g.src) is g.src


def test_replace_shares_what_was_computed_of_the_edges():
    g = graph()
    tn.nn.GCNConv(4, 2)(tensor(X.astype("float32")), g)
    other = g.replace(x=X, edge_weight=WEIGHT)
    assert other.adjacency is g.adjacency and other.known("anything", lambda: 3) == g.known("anything", lambda: 4) == 3
    assert other.replace(x=None).x is None and g.x is None
    with pytest.raises(TypeError, match="'features' is no feature; expected some of x, edge_attr"):
        g.replace(features=X)


def test_weights_of_a_graph_count():
    x, w = tensor(X), tensor(WEIGHT)
    np.testing.assert_allclose((graph(edge_weight=WEIGHT).adjacency.with_values(w) @ x).numpy(), dense(WEIGHT) @ X)
    assert graph().weights("float64").tolist() == [1] * E and graph(edge_weight=WEIGHT).weights().dtype == "float64"


def test_to_moves_and_casts():
    g = graph(x=X, edge_weight=WEIGHT, y=np.arange(N))
    narrow = g.to(dtype="float32")
    assert (narrow.x.dtype, narrow.edge_weight.dtype, narrow.y.dtype) == ("float32", "float32", "int64")
    assert narrow.adjacency is g.adjacency
    there = tn.nn.graph.batch_graphs([g, g]).to("strict")
    assert {str(t.device) for t in (there.src, there.dst, there.x, there.y, there.batch)} == {"strict"}
    assert there.num_graphs == 2 and there.src.tolist()[:E] == SRC.tolist()


def test_it_needs_no_garbage_collector():
    """A graph, what is kept with it, and its turned twin go when nobody holds them."""
    import weakref
    gc.collect()
    gc.disable()
    try:
        g = graph(edge_attr=ATTR)
        layers = [tn.nn.GCNConv(4, 2), tn.nn.GATConv(4, 2, heads=2), tn.nn.SAGEConv(4, 2, flow="target_to_source")]
        for layer in layers:
            layer(tensor(X.astype("float32")), g).sum().backward()
        gone = [weakref.ref(t) for t in (g.src, g.dst, g.edge_attr, g.reverse.src)]
        del g
        assert [r() for r in gone] == [None] * 4
    finally:
        gc.enable()


@pytest.mark.host_only
def test_what_raises():
    batch = tn.Segments([0] * 3, 1)
    for make, error, message in [
        (lambda: Graph([0], [1]), TypeError, "num_nodes is missing: nodes without edges cannot be seen"),
        (lambda: Graph([0], [1], 2.0), TypeError, "num_nodes: expected an int, got 2.0"),
        (lambda: Graph([0], [1], -1), ValueError, "num_nodes: expected an int >= 0, got -1"),
        (lambda: Graph([0, 1, 4], [1, 0, 0], 3), IndexError,
         r"src\[2\] is 4, but num_nodes is 3: expected a number in \[0, 3\)"),
        (lambda: Graph([0, 1], [1, -1], 3), IndexError, r"dst\[1\] is -1, but num_nodes is 3"),
        (lambda: Graph([0, 1], [1], 3), ValueError, "src and dst differ in length, 2 and 1"),
        (lambda: Graph([0.5], [1], 3), TypeError, "src: expected integers, got float32"),
        (lambda: Graph([[0]], [[1]], 3), ValueError, r"src: expected shape \(E,\), got \(1, 1\)"),
        (lambda: Graph([0], [1], 3, x=np.ones((2, 4))), ValueError,
         r"x has shape \(2, 4\), expected 3 rows: one per node"),
        (lambda: Graph([0], [1], 3, edge_attr=np.ones((2, 4))), ValueError, "expected 1 rows: one per edge"),
        (lambda: Graph([0], [1], 3, edge_weight=np.ones((1, 1))), ValueError, r"edge_weight: expected floating \(1,\)"),
        (lambda: Graph([0], [1], 3, edge_weight=[1]), ValueError, "edge_weight: expected floating"),
        (lambda: Graph([0], [1], 3, batch=[0, 0, 0]), TypeError, "batch: expected a Segments"),
        (lambda: Graph([0], [1], 4, batch=batch), ValueError, "batch has shape"),
        (lambda: Graph([0], [1], 3, x=tn.zeros((3, 1), device="strict")), TypeError,
         "x lives on strict, the edges on cpu"),
    ]:
        with tn.as_device("cpu"), pytest.raises(error, match=message):
            make()


def test_a_wrong_edge_is_named_before_anything_else():
    with pytest.raises(IndexError, match=r"dst\[3\] is 9"):
        Graph(tensor(np.arange(5)), tensor(np.array([0, 1, 2, 9, 4])), 5)
