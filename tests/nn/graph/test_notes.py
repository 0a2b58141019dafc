"""What the notes say of graphs, with the numbers of the book's notebooks (Prince 2023, chapter 13)."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tests.nn.graph.cases import tensor
from tinygrad_notes import nn
from tinygrad_notes.nn.graph import (
    Graph,
    distances,
    from_dense_adjacency,
    global_mean_pool,
    k_hop_subgraph,
    line_graph,
    sample_neighbours,
    to_dense_adjacency,
    to_undirected,
    walks,
)

BOOK = ((0, 1), (0, 3), (1, 2), (1, 3), (1, 4), (2, 4), (3, 4), (4, 5), (4, 7), (5, 6), (5, 7))  # figure 13.4
ETHANOL = ((0, 2), (1, 2), (3, 2), (2, 5), (4, 5), (6, 5), (7, 5), (8, 7)), "HHCHHCHOH"
PROPANOL = ((0, 1), (2, 1), (3, 1), (1, 4), (5, 4), (6, 4), (4, 7), (8, 7), (9, 7), (7, 10), (10, 11)), "HCHHCHHCHHOH"
# Figure 13.10: for each node its neighbours with higher numbers.
SAMPLED = ((1, 2, 3), (2, 8, 9), (3, 9), (4, 6, 7), (5, 7), (7,), (7, 9, 10), (10, 13), (9,), (11, 12, 16), (12,),
           (14, 15, 16), (13, 16, 17), (17, 18), (15, 19), (16, 19), (17, 19), (18, 20, 21, 22), (22,), (20,), (21,),
           (22,), ())


def undirected(pairs, n, **features):
    src, dst = (tensor(np.array(ends)) for ends in zip(*pairs))
    return to_undirected(Graph(src, dst, n, **features))


@pytest.mark.row("S0-T33")
def test_powers_of_the_adjacency_matrix_count_walks():
    g = undirected(BOOK, 8)
    assert walks(g, 3)[3, 7].item() == 2
    assert walks(g, 3, start=0).tolist() == [2, 6, 3, 5, 3, 2, 0, 2]
    assert distances(g, 0).tolist() == [0, 1, 2, 1, 2, 3, 4, 3]
    a = to_dense_adjacency(g).numpy().astype(int)
    for length in range(6):
        assert walks(g, length).tolist() == np.linalg.matrix_power(a, length).tolist()
    first = [min(k for k in range(9) if np.linalg.matrix_power(a, k)[0, j]) for j in range(8)]
    assert distances(g, 0).tolist() == first


def molecule(pairs, elements):
    x = np.zeros((len(elements), 118))
    x[range(len(elements)), [{"H": 0, "C": 5, "O": 7}[element] for element in elements]] = 1
    return undirected(pairs, len(elements), x=tensor(x))


class Classifier(nn.Module):
    """sig(b + w mean over nodes of three graph layers), the matrices drawn as in the book's notebook 13.2."""

    def __init__(self):
        super().__init__()
        rng, width = np.random.RandomState(1), 200
        self.layers = nn.ModuleList()
        for size in (118, width, width):
            layer = nn.GraphConv(size, width, root="shared").double()
            layer.load_state_dict({"lin_rel.weight": rng.normal(size=(width, size)) * 2 / width,
                                   "lin_rel.bias": rng.normal(size=(width, 1))[:, 0] * 2 / width})
            self.layers.append(layer)
        self.head = nn.Linear(width, 1).double()
        self.head.load_state_dict({"weight": rng.normal(size=(1, width)), "bias": rng.normal(size=(1, 1))[0]})

    def forward(self, g):
        h = g.x
        for layer in self.layers:
            h = tn.relu(layer(h, g))
        return tn.sigmoid(self.head(global_mean_pool(h, g.batch)))


@pytest.mark.row("S0-T35")
def test_a_network_for_molecules():
    model = Classifier()
    ethanol, propanol = molecule(*ETHANOL), molecule(*PROPANOL)
    assert model(ethanol).item() == pytest.approx(0.310843, abs=5e-7)
    number = np.random.default_rng(0).permutation(9)
    pairs = [(number[a], number[b]) for a, b in ETHANOL[0]]
    elements = [ETHANOL[1][k] for k in np.argsort(number)]
    assert model(molecule(pairs, elements)).item() == pytest.approx(model(ethanol).item(), rel=1e-12)
    both = model(nn.graph.batch_graphs([ethanol, propanol])).numpy()[:, 0]
    np.testing.assert_allclose(both, [model(ethanol).item(), model(propanol).item()], rtol=1e-12)


@pytest.mark.row("S0-T34")
def test_permuting_nodes_permutes_matrices():
    g, rng = undirected(BOOK, 8), np.random.default_rng(0)
    p = np.eye(8)[rng.permutation(8)]  # columns of X are nodes in the book: X' = X P, A' = P^T A P
    x, a = rng.standard_normal((3, 8)), to_dense_adjacency(g).numpy()
    other = from_dense_adjacency(tensor(p.T @ a @ p))
    layer = nn.GraphConv(3, 2, root="shared").double()
    before, after = layer(tensor(x.T), g).numpy().T, layer(tensor((x @ p).T), other).numpy().T
    np.testing.assert_allclose(after, before @ p, rtol=1e-12, atol=1e-14)


@pytest.mark.row("S0-T37")
def test_attention_of_the_book():
    rng = np.random.RandomState(1)
    x, omega, beta, phi = (rng.normal(size=s) for s in ((4, 8), (4, 4), (4, 1), (8, 1)))
    mapped = tensor((beta + omega @ x).T)  # H' = b 1^T + W H; here one row per node
    layer = nn.GATConv(4, 4, negative_slope=0.0, bias=False).double()
    layer.load_state_dict({"lin.weight": np.eye(4), "att_src": phi[None, None, :4, 0],
                           "att_dst": phi[None, None, 4:, 0]})
    found = tn.relu(layer(mapped, undirected(BOOK, 8))).numpy().T
    # S[m, n] comes from [h'_m; h'_n], and its columns add up to one: node n attends to the nodes m.
    np.testing.assert_allclose(found, [[0, .028, .370, 0, .970, 0, 0, .698], [0, 0, 0, 0, 1.184, 0, 2.654, 0],
                                       [1.13, .564, 0, 1.298, .268, 0, 0, .779], [.825, 0, 0, 1.175, 0, 0, 0, 0]],
                               atol=6e-4)


@pytest.mark.row("S0-T38")
def test_the_receptive_field_whole_and_sampled():
    g = undirected([(i, j) for i, friends in enumerate(SAMPLED) for j in friends], 23)
    assert g.num_edges == 2 * 46
    assert [k_hop_subgraph(g, tensor(np.array([16])), k).nodes.shape[0] for k in range(4)] == [1, 7, 18, 21]
    for seed in range(20):
        found = sample_neighbours(g, tensor(np.array([16])), [3, 3, 3], per="layer", generator=tn.Generator(seed))
        again = sample_neighbours(g, tensor(np.array([16])), [3, 3, 3], per="layer", generator=tn.Generator(seed))
        assert found.nodes.tolist() == again.nodes.tolist() and found.nodes.shape[0] == 10
        far = distances(g, 16).tolist()
        assert [far[k] <= layer for layer, rows in enumerate(([0], range(1, 4), range(4, 7), range(7, 10)))
                for k in found.nodes[list(rows)].tolist()] == [True] * 10
    assert sample_neighbours(g, tensor(np.array([16])), [-1, -1, -1], per="layer").nodes.shape[0] == 21


@pytest.mark.row("S0-T40")
def test_the_graph_of_edges():
    lines = line_graph(undirected(BOOK, 8))
    assert lines.num_nodes == len(BOOK)
    for a, b in zip(lines.src.tolist(), lines.dst.tolist()):
        assert len(set(BOOK[a]) & set(BOOK[b])) == 1
    meeting = sum(len(set(a) & set(b)) == 1 for a in BOOK for b in BOOK)
    assert lines.num_edges == meeting


@pytest.mark.row("S0-T41")
def test_sums_tell_apart_what_means_and_maxima_cannot():
    """A center with leaves: {a, b}, {a, a, b, b} and {a, a, b} as neighbours."""
    a, b = np.array([1.0, 0.0]), np.array([0.0, 1.0])

    def center(leaves, aggr):
        n = len(leaves)
        g = Graph(tensor(np.arange(1, n + 1)), tensor(np.zeros(n, int)), n + 1)
        return nn.GINConv(nn.Identity(), aggr=aggr).double()(tensor(np.array([a + b, *leaves])), g).numpy()[0]

    even, twice, uneven = [a, b], [a, a, b, b], [a, a, b]
    for aggr, ties in [("add", 0), ("mean", 1), ("max", 2)]:
        same = [np.allclose(center(even, aggr), center(other, aggr)) for other in (twice, uneven)]
        assert sum(same) == ties
    assert np.allclose(center(even, "mean"), center(twice, "mean"))


@pytest.mark.row("S0-T41")
def test_what_the_colour_refinement_test_cannot_tell_apart_gin_cannot_either():
    """A ring of six and two rings of three: all nodes have degree 2. With a chord they differ, and GIN sees it."""
    ring = undirected([(k, (k + 1) % 6) for k in range(6)], 6)
    rings = undirected([(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)], 6)
    chord = undirected([*((k, (k + 1) % 6) for k in range(6)), (0, 3)], 6)
    tn.manual_seed(1)
    layers = [nn.GINConv(nn.MLP([n, 8, 8], nn.Tanh)).double() for n in (1, 8, 8)]

    def pooled(g):
        h = tensor(np.ones((6, 1)))
        for layer in layers:
            h = layer(h, g)
        return nn.graph.global_add_pool(h).numpy()

    np.testing.assert_allclose(pooled(ring), pooled(rings), rtol=1e-12)
    assert np.abs(pooled(ring) - pooled(chord)).max() > 0.1
