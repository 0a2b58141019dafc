"""Parts of nodes and edges do not overlap, leave nothing out, and are the same for the same seed."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tests.nn.graph.cases import tensor
from tinygrad_notes.nn.graph import Graph, negative_sampling, random_link_split, random_node_split, to_undirected


def random_graph(n=30, e=80, seed=0, undirected=True):
    rng = np.random.default_rng(seed)
    g = Graph(tensor(rng.integers(0, n, e)), tensor(rng.integers(0, n, e)), n, y=tensor(rng.integers(0, 3, n)))
    return to_undirected(g) if undirected else g


def test_nodes():
    g = random_graph()
    for options, sizes in [({}, (21, 3, 6)), ({"num_val": 5, "num_test": 0.5}, (10, 5, 15)),
                           ({"num_train_per_class": 4}, (12, 3, 6)), ({"num_val": 0, "num_test": 0}, (30, 0, 0))]:
        split = random_node_split(g, generator=tn.Generator(1), **options)
        masks = [part.numpy() for part in split]
        assert tuple(m.sum() for m in masks) == sizes and (sum(m.astype(int) for m in masks) <= 1).all()
        again = random_node_split(g, generator=tn.Generator(1), **options)
        assert all(np.array_equal(a.numpy(), b) for a, b in zip(again, masks))
        if "num_train_per_class" in options:
            assert np.bincount(g.y.numpy()[masks[0]]).tolist() == [4, 4, 4]


@pytest.mark.parametrize("undirected", [True, False])
def test_edges(undirected):
    g = random_graph(undirected=undirected)
    parts = random_link_split(g, 0.2, 10, neg_sampling_ratio=2.0, generator=tn.Generator(3))
    edges = set(zip(g.src.tolist(), g.dst.tolist()))
    once = {(min(p), max(p)) for p in edges} if undirected else edges
    asked, free = [], []
    for part in parts:
        label, pairs = part.label.numpy(), list(zip(part.src.tolist(), part.dst.tolist()))
        asked.append([p for p, t in zip(pairs, label) if t == 1])
        free.append([p for p, t in zip(pairs, label) if t == 0])
        assert len(free[-1]) == 2 * len(asked[-1])
    assert sorted(p for part in asked for p in part) == sorted(once) and len(asked[2]) == 10
    flat = [p for part in free for p in part]
    assert len(set(flat)) == len(flat) and not set(flat) & edges and all(i != j for i, j in flat)
    seen = [set(asked[0]), set(asked[0]), {*asked[0], *asked[1]}]
    for part, may in zip(parts, seen):
        shown = list(zip(part.graph.src.tolist(), part.graph.dst.tolist()))
        assert {(min(p), max(p)) if undirected else p for p in shown} == may
        assert part.graph.num_nodes == 30 and part.graph.y is g.y
    again = random_link_split(g, 0.2, 10, neg_sampling_ratio=2.0, generator=tn.Generator(3))
    assert all(a.src.tolist() == b.src.tolist() for a, b in zip(again, parts))


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.same_on_strict
def test_pairs_without_an_edge(listed, monkeypatch):
    if not listed:
        monkeypatch.setattr("tinygrad_notes.nn.graph.split._ALL_PAIRS", 0)
    g = random_graph(20, 60, undirected=False)
    edges, counts = set(zip(g.src.tolist(), g.dst.tolist())), np.zeros((20, 20))
    stream = tn.Generator(0)
    for _ in range(300):
        pairs = [t.tolist() for t in negative_sampling(g, 30, generator=stream)]
        pairs = list(zip(*pairs))
        assert len(set(pairs)) == 30 and not set(pairs) & edges and all(i != j for i, j in pairs)
        for pair in pairs:
            counts[pair] += 1
    free = [counts[i, j] for i in range(20) for j in range(20) if i != j and (i, j) not in edges]
    p = 30 / len(free)
    assert np.abs(np.array(free) - 300 * p).max() < 5 * np.sqrt(300 * p * (1 - p))
    if listed:
        assert negative_sampling(g, 1000)[0].shape == (len(free),)


@pytest.mark.host_only
def test_errors():
    g = random_graph()
    for call, message in [
        (lambda: random_node_split(g, 20, 20), r"20 \+ 20 nodes are wanted, but 30 are left of 30"),
        (lambda: random_node_split(g, 1.5), "num_val: expected an int or a share from 0 to 1, got 1.5"),
        (lambda: random_node_split(g.replace(y=None), num_train_per_class=2), "graph.y: expected the class of each"),
        (lambda: random_node_split(g, 10, 10, num_train_per_class=5), "are left of 30"),
        (lambda: random_link_split(g, 1000, 0), "1000 edges are wanted|are wanted, but there are"),
        (lambda: random_link_split(g, neg_sampling_ratio=-1), "neg_sampling_ratio: expected a number >= 0, got -1"),
        (lambda: negative_sampling(g, -1), "num: expected an int >= 0, got -1"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
