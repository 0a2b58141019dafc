"""Walks, distances, neighbourhoods and the graph of edges, against plain loops."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tests.nn.graph.cases import ATTR, DST, SRC, WEIGHT, E, N, X, graph, tensor
from tinygrad_notes.nn.graph import (
    Graph,
    distances,
    k_hop_subgraph,
    line_graph,
    sample_neighbours,
    subgraph,
    to_undirected,
    walks,
)


def full():
    return graph(edge_attr=ATTR, edge_weight=WEIGHT, x=X, y=np.arange(N))


def random_graph(n, e, seed=0):
    rng = np.random.default_rng(seed)
    return Graph(tensor(rng.integers(0, n, e)), tensor(rng.integers(0, n, e)), n, edge_attr=tensor(np.arange(float(e))))


def found_by_search(g, start):
    out, front = {start: 0}, [start]
    edges = list(zip(g.src.tolist(), g.dst.tolist()))
    while front:
        front = [j for i in front for a, j in edges if a == i and j not in out and not out.update({j: out[i] + 1})]
    return [out.get(k, -1) for k in range(g.num_nodes)]


@pytest.mark.row("S0-T33")
def test_walks_and_distances():
    g = random_graph(12, 25)
    a = np.zeros((12, 12), int)
    np.add.at(a, (g.src.numpy(), g.dst.numpy()), 1)
    for length in range(5):
        power = np.linalg.matrix_power(a, length)
        assert walks(g, length).tolist() == power.tolist()
        assert walks(g, length, 3).tolist() == power[3].tolist()
    for start in range(12):
        assert distances(g, start).tolist() == found_by_search(g, start)


def check(part, g):
    """A part has the features and edges that its numbers say."""
    nodes, edges = part.nodes.numpy(), part.edges.numpy()
    np.testing.assert_array_equal(nodes[part.graph.src.numpy()], g.src.numpy()[edges])
    np.testing.assert_array_equal(nodes[part.graph.dst.numpy()], g.dst.numpy()[edges])
    for name, rows in (("x", nodes), ("y", nodes), ("edge_attr", edges), ("edge_weight", edges)):
        whole, some = getattr(g, name), getattr(part.graph, name)
        assert (whole is None) == (some is None)
        if whole is not None:
            np.testing.assert_array_equal(some.numpy(), whole.numpy()[rows])


def test_a_part_of_a_graph():
    g, nodes = full(), [5, 0, 2, 6]
    part = subgraph(g, tensor(np.array(nodes)))
    check(part, g)
    assert part.nodes.tolist() == nodes and part.mapping.tolist() == [0, 1, 2, 3]
    assert part.edges.tolist() == [e for e in range(E) if SRC[e] in nodes and DST[e] in nodes]
    none = subgraph(g, tensor(np.array([], dtype=int)))
    assert none.graph.num_nodes == 0 and none.graph.num_edges == 0


def test_the_neighbourhood_of_nodes():
    g = random_graph(15, 25, 1)
    to = np.array([found_by_search(g.reverse, k) for k in range(15)])  # to[k, i]: from i to k
    for hops in range(4):
        part = k_hop_subgraph(g, tensor(np.array([9, 4])), hops)
        near = [i for i in range(15) if any(0 <= to[k, i] <= hops for k in (9, 4))]
        assert part.nodes.tolist() == near and part.nodes.numpy()[part.mapping.numpy()].tolist() == [9, 4]
        check(part, g)


@pytest.mark.row("S0-T38")
def test_sampling_for_each_node():
    g, asked = random_graph(40, 300, 2), np.array([7, 3])
    for seed in range(10):
        part = sample_neighbours(g, tensor(asked), [3, 2], generator=tn.Generator(seed))
        check(part, g)
        again = sample_neighbours(g, tensor(asked), [3, 2], generator=tn.Generator(seed))
        assert again.nodes.tolist() == part.nodes.tolist() and again.edges.tolist() == part.edges.tolist()
        assert part.nodes.tolist()[:2] == asked.tolist() and part.mapping.tolist() == [0, 1]
        assert len(set(part.nodes.tolist())) == part.nodes.shape[0]
        degree = part.graph.in_degree.numpy()
        whole = g.in_degree.numpy()[part.nodes.numpy()]
        assert (degree[:2] == np.minimum(3, whole[:2])).all()
        first = set(g.src.numpy()[part.edges.numpy()[np.isin(g.dst.numpy()[part.edges.numpy()], asked)]]) - set(asked)
        for k, node in enumerate(part.nodes.tolist()):
            if k >= 2:
                assert degree[k] == (min(2, whole[k]) if node in first else 0)
    everything = sample_neighbours(g, tensor(asked), [-1, -1])
    two_hops = k_hop_subgraph(g, tensor(asked), 2)
    assert sorted(everything.nodes.tolist()) == two_hops.nodes.tolist()


@pytest.mark.same_on_strict
def test_each_neighbour_is_equally_likely():
    star = Graph(tensor(np.arange(1, 11)), tensor(np.zeros(10, int)), 11)
    stream, counts = tn.Generator(0), np.zeros(11)
    for _ in range(300):
        counts[sample_neighbours(star, tensor(np.array([0])), [4], generator=stream).nodes.numpy()[1:]] += 1
    assert counts.sum() == 1200 and (np.abs(counts[1:] - 120) < 4 * np.sqrt(300 * 0.4 * 0.6)).all()


def test_what_a_sample_computes_is_what_the_whole_graph_does():
    """With all neighbours, two layers on the part give the whole graph's result for the nodes asked for."""
    g = random_graph(30, 60, 3).replace(x=np.random.default_rng(0).standard_normal((30, 4)))
    layers = [tn.nn.SAGEConv(4, 4).double(), tn.nn.SAGEConv(4, 4).double()]
    asked = tensor(np.array([11, 2, 5]))
    part = sample_neighbours(g, asked, [-1, -1])
    whole = layers[1](tn.tanh(layers[0](g.x, g)), g).numpy()[[11, 2, 5]]
    found = layers[1](tn.tanh(layers[0](part.graph.x, part.graph)), part.graph).numpy()[part.mapping.numpy()]
    np.testing.assert_allclose(found, whole, rtol=1e-12)


@pytest.mark.row("S0-T40")
def test_the_graph_of_edges_directed_and_not():
    g = random_graph(9, 20, 4)
    edges = sorted(set(zip(g.src.tolist(), g.dst.tolist())))
    lines = line_graph(g)
    assert lines.num_nodes == len(edges)
    assert sorted(zip(lines.src.tolist(), lines.dst.tolist())) == sorted(
        (a, b) for a, (_, j) in enumerate(edges) for b, (i, _) in enumerate(edges) if i == j)
    sums = [sum(k for k, pair in enumerate(zip(g.src.tolist(), g.dst.tolist())) if pair == edge) for edge in edges]
    assert lines.x.tolist() == sums
    both = to_undirected(g)
    once = [(i, j) for i, j in zip(both.src.tolist(), both.dst.tolist()) if i < j]
    lines = line_graph(both)
    assert lines.num_nodes == len(once)
    assert list(zip(lines.src.tolist(), lines.dst.tolist())) == [
        (a, b) for a, first in enumerate(once) for b, second in enumerate(once)
        if a != b and set(first) & set(second)]
    assert line_graph(graph().with_edges([], [])).num_nodes == 0


@pytest.mark.host_only
def test_errors():
    for call, error, message in [
        (lambda: walks(full(), -1), ValueError, "length: expected an int >= 0, got -1"),
        (lambda: walks(full(), 2, 7), IndexError, r"start: there is no node 7, expected a number in \[0, 7\)"),
        (lambda: distances(full(), -1), IndexError, "start: there is no node -1"),
        (lambda: subgraph(full(), [1, 9]), IndexError, r"nodes: there is no node 9, expected numbers in \[0, 7\)"),
        (lambda: subgraph(full(), [1, 1]), ValueError, "a node is named twice"),
        (lambda: subgraph(full(), [0.5]), TypeError, "expected numbers of nodes, got float32"),
        (lambda: k_hop_subgraph(full(), [0], -1), ValueError, "num_hops: expected an int >= 0"),
        (lambda: sample_neighbours(full(), [0], [-2]), ValueError, "sizes: expected an int >= -1, got -2"),
        (lambda: sample_neighbours(full(), [0, 0], [1]), ValueError, "a node is named twice"),
        (lambda: sample_neighbours(full(), [0], [1], per="edge"), ValueError, "per: expected 'node' or 'layer'"),
    ]:
        with pytest.raises(error, match=message):
            call()
