"""Graphs of three kinds, equally dense: what tells them apart is there, what must not tell them apart is not."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import DataLoader, GraphDataset, random_networks
from tinygrad_notes.nn.graph import to_dense_adjacency

pytestmark = pytest.mark.same_on_strict


def matrices(kind, **options):
    graphs = random_networks(90, (30, 30), generator=0, **options)
    return [to_dense_adjacency(graph).numpy() for graph in graphs if int(graph.y) == kind]


@pytest.mark.parametrize(("kind", "edges"), [(0, 60), (1, 60), (2, 57)])
def test_graphs_are_simple_and_have_about_two_edges_for_each_node(kind, edges):
    for a in matrices(kind):
        assert (a == a.T).all() and not a.diagonal().any() and a.max() == 1 and a.sum() == 2 * edges


def test_kinds_differ_as_their_sources_say():
    """Triangles where a ring was, hubs where the rich get richer, degrees of a random graph binomial."""
    def triangles(a):
        return np.trace(a @ a @ a) / 6
    ring = matrices(1, rewired=0.0)[0]
    assert (ring.sum(0) == 4).all() and triangles(ring) == 30
    random, small, attached = (np.mean([triangles(a) for a in matrices(kind)]) for kind in range(3))
    p = 60 / (30 * 29 / 2)
    assert random == pytest.approx(30 * 29 * 28 / 6 * p**3, rel=0.15) and small > 1.3 * random
    degrees = np.concatenate([a.sum(0) for a in matrices(0)])
    assert degrees.var() == pytest.approx(29 * p * (1 - p), rel=0.1)
    assert np.mean([a.sum(0).max() for a in matrices(2)]) > 1.3 * np.mean([a.sum(0).max() for a in matrices(0)])


def test_a_batch_is_several_graphs_in_one():
    data = GraphDataset(random_networks(7, (6, 9), generator=0))
    graph, y = next(iter(DataLoader(data, 7)))
    assert y.tolist() == [0, 1, 2, 0, 1, 2, 0] and graph.num_nodes == sum(g.num_nodes for g in data.graphs)
    first, _ = data.batch(slice(0, 2))
    assert first.num_edges == data[0][0].num_edges + data[1][0].num_edges
    with pytest.raises(ValueError, match=r"graphs\[0\] has no label y"):
        GraphDataset([data[0][0].replace(y=None)])


@pytest.mark.parametrize(("options", "message"), [({"n": 0}, "n: expected at least 1"), ({"rewired": 2}, "rewired"),
                                                   ({"nodes": (5, 9)}, r"nodes\[0\]: expected at least 6"),
                                                   ({"nodes": (9, 8)}, r"nodes\[1\]: expected at least 9")])
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        tn.data.random_networks(**options)
