"""What is done to edges, against sets and dense matrices."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tests.nn.graph.cases import ATTR, DST, SRC, WEIGHT, E, N, dense, graph, tensor
from tinygrad_notes.nn.graph import (
    Graph,
    add_remaining_self_loops,
    add_self_loops,
    coalesce,
    degree,
    from_dense_adjacency,
    gcn_norm,
    has_self_loops,
    is_undirected,
    remove_self_loops,
    to_dense_adjacency,
    to_undirected,
)


def full():
    return graph(edge_attr=ATTR, edge_weight=WEIGHT, x=np.eye(N), y=np.arange(N))


def pairs(g):
    return list(zip(g.src.tolist(), g.dst.tolist()))


def test_removing_loops():
    g, keep = remove_self_loops(full()), SRC != DST
    assert pairs(g) == list(zip(SRC[keep].tolist(), DST[keep].tolist())) and not has_self_loops(g)
    np.testing.assert_array_equal(g.edge_attr.numpy(), ATTR[keep])
    np.testing.assert_array_equal(g.edge_weight.numpy(), WEIGHT[keep])
    assert g.y.tolist() == list(range(N)) and has_self_loops(full())


@pytest.mark.parametrize("fill", [2.5, "mean", "add", "max", "min"])
def test_adding_loops(fill):
    g = add_self_loops(full(), fill)
    assert pairs(g)[:E] == pairs(full()) and pairs(g)[E:] == [(i, i) for i in range(N)]
    for i in range(N):
        ends = ATTR[i == DST]
        if isinstance(fill, str):
            reduce = {"mean": np.mean, "add": np.sum, "max": np.max, "min": np.min}[fill]
            want = reduce(ends, axis=0) if len(ends) else np.zeros(3)
        else:
            want = np.full(3, fill)
        np.testing.assert_allclose(g.edge_attr.numpy()[E + i], want, rtol=1e-12)
    row = add_self_loops(graph(edge_attr=ATTR), tensor(np.arange(3.0))).edge_attr.numpy()[E:]
    assert row.tolist() == [[0, 1, 2]] * N
    assert add_self_loops(graph()).edge_weight is None


def test_loops_that_are_there_stay():
    g = add_remaining_self_loops(full(), 9.0)
    keep = SRC != DST
    assert pairs(g) == [*zip(SRC[keep].tolist(), DST[keep].tolist()), *((i, i) for i in range(N))]
    loops = [WEIGHT[(i == SRC) & (i == DST)] for i in range(N)]
    np.testing.assert_array_equal(g.edge_weight.numpy()[-N:], [w[-1] if len(w) else 9 for w in loops])
    plain = remove_self_loops(full())
    assert pairs(add_remaining_self_loops(plain)) == pairs(add_self_loops(plain))


def test_weights_of_loops_have_gradients():
    def loss(w):
        g = graph(edge_weight=WEIGHT).replace(edge_weight=w)
        return add_remaining_self_loops(g, "mean").edge_weight**2

    assert tn.gradcheck(loss, tensor(WEIGHT))


@pytest.mark.parametrize("improved", [False, True])
def test_normalized_weights(improved):
    a = dense(WEIGHT) + np.diag([0 if i in (3, 5) else 1 + improved for i in range(N)])
    d = a.sum(1)
    found = gcn_norm(graph(), tensor(WEIGHT), improved)
    np.testing.assert_allclose(to_dense_adjacency(found).numpy().T, a / np.sqrt(np.outer(d, d)), rtol=1e-12)
    assert tn.gradcheck(lambda w: gcn_norm(graph(), w, improved).edge_weight, tensor(WEIGHT))
    bare = gcn_norm(graph(), add_self_loops=False, dtype="float64").edge_weight.numpy()
    d = dense().sum(1)
    ends = [d[SRC[e]] * d[DST[e]] for e in range(E)]
    np.testing.assert_allclose(bare, [k**-0.5 if k else 0 for k in ends], rtol=1e-12)


def test_joining_equal_edges():
    g = coalesce(full(), "mean")
    want = sorted(set(zip(SRC.tolist(), DST.tolist())))
    assert pairs(g) == want
    for k, (i, j) in enumerate(want):
        same = (i == SRC) & (j == DST)
        np.testing.assert_allclose(g.edge_attr.numpy()[k], ATTR[same].mean(0), rtol=1e-12)
        np.testing.assert_allclose(g.edge_weight.numpy()[k], WEIGHT[same].mean(), rtol=1e-12)


def test_undirected():
    g = to_undirected(full())
    both = sorted({*zip(SRC.tolist(), DST.tolist()), *zip(DST.tolist(), SRC.tolist())})
    assert pairs(g) == both and is_undirected(g) and not is_undirected(full())
    a = to_dense_adjacency(g).numpy()
    np.testing.assert_allclose(a, dense(WEIGHT) + dense(WEIGHT).T, rtol=1e-12)
    uneven = g.replace(edge_weight=tensor(np.arange(float(g.num_edges))))
    assert not is_undirected(uneven) and is_undirected(uneven.replace(edge_weight=None, edge_attr=None))
    assert is_undirected(graph().with_edges([], [])) and is_undirected(Graph([], [], 0, device=tn.current_device()))


def test_degrees():
    assert degree(full()).tolist() == np.bincount(DST, minlength=N).tolist()
    assert degree(full(), "out").tolist() == np.bincount(SRC, minlength=N).tolist()
    np.testing.assert_allclose(degree(full(), weighted=True).numpy(), dense(WEIGHT).sum(1), rtol=1e-12)
    np.testing.assert_allclose(degree(full(), "out", weighted=True).numpy(), dense(WEIGHT).sum(0), rtol=1e-12)
    assert degree(full(), dtype="float32").dtype == "float32"
    with pytest.raises(ValueError, match="did you mean 'out'"):
        degree(full(), "outt")


def test_dense_and_back():
    a = to_dense_adjacency(full())
    np.testing.assert_allclose(a.numpy(), dense(WEIGHT).T, rtol=1e-12)
    assert to_dense_adjacency(graph(), "float64").numpy().tolist() == dense().T.tolist()
    back = from_dense_adjacency(a)
    assert pairs(back) == pairs(coalesce(full()))
    np.testing.assert_allclose(back.edge_weight.numpy(), coalesce(full()).edge_weight.numpy(), rtol=1e-12)
    assert from_dense_adjacency(tensor(np.eye(3))).edge_weight is None
    assert from_dense_adjacency(tensor(np.eye(3, dtype=int) * 2)).num_edges == 3
    assert tn.gradcheck(lambda w: to_dense_adjacency(graph().replace(edge_weight=w)), tensor(WEIGHT))
    assert tn.gradcheck(lambda m: from_dense_adjacency(m).edge_weight**2, tensor(np.arange(1.0, 10.0).reshape(3, 3)))
    with pytest.raises(ValueError, match=r"expected shape \(N, N\), got \(2, 3\)"):
        from_dense_adjacency(np.ones((2, 3)))
