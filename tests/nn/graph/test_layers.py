"""Every graph layer against a dense twin, its gradients, and what must not matter to it."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tests.nn.graph.cases import ATTR, CASES, DST, NAMES, SRC, WEIGHT, D, E, N, X, draw, graph, tensor
from tinygrad_notes import nn
from tinygrad_notes.nn.state import replaced

each = pytest.mark.parametrize("layer, twin, features", [case[1:] for case in CASES], ids=NAMES)


@each
@pytest.mark.row("S0-T36", "S0-T42")
def test_equals_the_dense_form(layer, twin, features):
    np.testing.assert_allclose(layer(tensor(X), graph(**features)).numpy(), twin(X.copy()), rtol=1e-12, atol=1e-13)


@each
def test_gradients_of_order_one_and_two(layer, twin, features):
    """Of parameters, node features and edge features, along random directions."""
    g = graph(**features)
    scale = tensor(np.random.default_rng(1).standard_normal(layer(tensor(X), g).shape))
    names, parameters = zip(*layer.named_parameters())
    inputs = [tensor(X), *(tensor(f) for f in features.values()), *parameters]

    def loss(x, *others):
        with replaced(layer, dict(zip(names, others[len(features):]))):
            out = layer(x, g, *others[:len(features)])
        return (out * out * scale).sum()

    assert tn.gradcheck(loss, inputs, fast_mode=True, directions=1, elements=0).verdict == "CORRECT"
    assert tn.gradgradcheck(loss, inputs, fast_mode=True, directions=1, elements=0).verdict == "CORRECT"


@each
@pytest.mark.row("S0-T34")
def test_the_names_of_nodes_and_the_order_of_edges_do_not_matter(layer, twin, features):
    rng = np.random.default_rng(3)
    number, order = rng.permutation(N), rng.permutation(E)
    named = np.empty_like(X)
    named[number] = X
    other = nn.graph.Graph(tensor(number[SRC][order]), tensor(number[DST][order]), N,
                           **{name: tensor(f[order]) for name, f in features.items()})
    found = layer(tensor(named), other).numpy()
    np.testing.assert_allclose(found[number], layer(tensor(X), graph(**features)).numpy(), rtol=1e-12, atol=1e-13)


@each
def test_against_the_flow_is_along_the_turned_edges(layer, twin, features):
    turned = nn.graph.Graph(tensor(DST), tensor(SRC), N, **{name: tensor(f) for name, f in features.items()})
    layer.flow = "target_to_source"
    try:
        found = layer(tensor(X), turned)
    finally:
        layer.flow = "source_to_target"
    np.testing.assert_array_equal(found.numpy(), layer(tensor(X), graph(**features)).numpy())


@each
def test_without_edges_and_without_nodes(layer, twin, features):
    none = {name: tensor(f[:0]) for name, f in features.items()}
    out = layer(tensor(X), nn.graph.Graph([], [], N, device=tn.current_device(), **none))
    assert np.isfinite(out.numpy()).all() and out.shape[0] == N
    empty = layer(tensor(X[:0]), nn.graph.Graph([], [], 0, device=tn.current_device(), **none))
    assert empty.shape == (0, out.shape[1])


@pytest.mark.host_only
def test_repeated_runs_are_equal_to_the_bit():
    rng = np.random.default_rng(0)
    n, e = 30, 150
    g = nn.graph.Graph(tensor(rng.integers(0, n, e)), tensor(rng.integers(0, n, e)), n,
                       edge_attr=tensor(rng.standard_normal((e, 3)).astype(np.float32)))
    x = tensor(rng.standard_normal((n, 8)).astype(np.float32))
    layers = [nn.GCNConv(8, 8), nn.SAGEConv(8, 8, "max"), nn.GATv2Conv(8, 4, heads=2, edge_dim=3),
              nn.GINConv(nn.MLP([8, 8]))]
    first = None
    for _ in range(100):
        h = x
        for layer in layers:
            h = tn.tanh(layer(h, g))
        gradients = tn.autograd.grad((h * h).sum(), [p for layer in layers for p in layer.parameters()])
        found = [h.numpy().tobytes(), *(t.numpy().tobytes() for t in gradients)]
        first = first or found
        assert found == first


def test_edges_as_an_array():
    layer = draw(nn.GCNConv(D, 2))
    edges = tensor(np.stack([SRC, DST]))
    np.testing.assert_array_equal(layer(tensor(X), edges).numpy(), layer(tensor(X), graph()).numpy())


def test_sparse_features():
    layer, dense = draw(nn.GCNConv(D, 2)), np.where(X > 0.5, X, 0)
    rows, columns = dense.nonzero()
    sparse = tn.SparseMatrix(tensor(rows), tensor(columns), tensor(dense[rows, columns]), shape=dense.shape)
    found, want = layer(sparse, graph()), layer(tensor(dense), graph())
    np.testing.assert_allclose(found.numpy(), want.numpy(), rtol=1e-12)
    for a, b in zip(*(tn.autograd.grad((out**2).sum(), layer.parameters()) for out in (found, want))):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_weights_given_in_the_call_count_and_not_those_of_the_graph():
    layer = draw(nn.GCNConv(D, 2))
    given = layer(tensor(X), graph(edge_weight=2 * WEIGHT), tensor(WEIGHT))
    np.testing.assert_array_equal(given.numpy(), layer(tensor(X), graph(edge_weight=WEIGHT)).numpy())


def test_a_cached_matrix_stays_and_is_forgotten_on_reset():
    layer = draw(nn.GCNConv(D, 2, cached=True))
    first = layer(tensor(X), graph()).numpy()
    other = nn.graph.Graph([], [], N, device=tn.current_device())
    np.testing.assert_array_equal(layer(tensor(X), other).numpy(), first)
    layer.reset_parameters()
    fresh = nn.GCNConv(D, 2).double()
    fresh.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(layer(tensor(X), other).numpy(), fresh(tensor(X), other).numpy())


def test_attention_weights_are_probabilities():
    for kind in (nn.GATConv, nn.GATv2Conv):
        layer = draw(kind(D, 2, heads=3))
        out, (looped, alpha) = layer(tensor(X), graph(), return_attention_weights=True)
        assert alpha.shape == (looped.num_edges, 3) and out.shape == (N, 6)
        np.testing.assert_allclose(tn.segment_sum(alpha, looped.dst).numpy(), np.ones((N, 3)), rtol=1e-12)


def test_dropout_falls_on_attention_and_only_in_training():
    layer = draw(nn.GATConv(D, 2, dropout=0.5))
    g, x = graph(), tensor(X)
    _, (_, alpha) = layer(x, g, return_attention_weights=True)
    kept = alpha.numpy() != 0
    assert 0 < kept.sum() < kept.size
    layer.eval()
    _, (_, plain) = layer(x, g, return_attention_weights=True)
    np.testing.assert_allclose(alpha.numpy()[kept], 2 * plain.numpy()[kept], rtol=1e-12)


@pytest.mark.host_only
def test_the_first_weights_have_their_spread():
    tn.manual_seed(0)
    for weight, limit in [(nn.GCNConv(300, 200).lin.weight, (6 / 500)**0.5),
                          (nn.GATConv(300, 50, heads=4).lin.weight, (6 / 500)**0.5),
                          (nn.GATConv(3, 500, heads=100).att_src, (6 / 600)**0.5),
                          (nn.SAGEConv(400, 200).lin_l.weight, 400**-0.5)]:
        size = np.abs(weight.numpy())
        assert 0.99 * limit < size.max() <= limit and abs(size.mean() / limit - 0.5) < 0.01


@pytest.mark.host_only
def test_drawing_anew_is_reproducible_and_changes_all_parameters():
    for _, layer, _, _ in CASES:
        kept = {k: v.numpy().copy() for k, v in layer.state_dict().items()}
        layer.reset_parameters(tn.Generator(1))
        first = {k: v.numpy().copy() for k, v in layer.state_dict().items()}
        layer.reset_parameters(tn.Generator(1))
        for name, value in layer.state_dict().items():
            np.testing.assert_array_equal(value.numpy(), first[name])
            assert not np.array_equal(first[name], kept[name]) or name == "eps"
        layer.load_state_dict(kept)


@pytest.mark.host_only
def test_state_has_the_names_of_pytorch_geometric():
    for layer, names in [
        (nn.GCNConv(4, 2), "bias lin.weight"), (nn.SAGEConv(4, 2), "lin_l.bias lin_l.weight lin_r.weight"),
        (nn.GATConv(4, 2, edge_dim=3), "att_dst att_edge att_src bias lin.weight lin_edge.weight"),
        (nn.GATv2Conv(4, 2), "att bias lin_l.bias lin_l.weight lin_r.bias lin_r.weight"),
        (nn.GINConv(nn.Linear(4, 2)), "eps nn.bias nn.weight"),
        (nn.NNConv(4, 2, nn.Linear(3, 8)), "bias lin.weight nn.bias nn.weight"),
        (nn.GraphConv(4, 2), "lin_rel.bias lin_rel.weight lin_root.weight"),
    ]:
        assert sorted(layer.state_dict()) == names.split()
    assert nn.GATConv(4, 5, heads=3).att_src.shape == (1, 3, 5)


@pytest.mark.host_only
def test_what_raises():
    x, g = tensor(X), graph()
    for call, error, message in [
        (lambda: nn.GCNConv(0, 2), ValueError, "in_channels: expected an int >= 1, got 0"),
        (lambda: nn.SAGEConv(3, -1), ValueError, "out_channels: expected an int >= 1, got -1"),
        (lambda: nn.GATConv(3, 2, heads=0), ValueError, "heads: expected an int >= 1, got 0"),
        (lambda: nn.GATv2Conv(3, 2, dropout=1.5), ValueError, "dropout: expected a finite number >= 0 and <= 1"),
        (lambda: nn.SAGEConv(3, 2, aggr="maen"), ValueError, "did you mean 'mean'"),
        (lambda: nn.GraphConv(3, 2, aggr="kipff"), ValueError, "did you mean 'kipf'"),
        (lambda: nn.GraphConv(3, 2, root="share"), ValueError, "did you mean 'shared'"),
        (lambda: nn.GraphConv(3, 2, eps=0.1), ValueError, "eps: only root='shared'"),
        (lambda: nn.GCNConv(3, 2, flow="down"), ValueError, "flow: expected 'source_to_target'"),
        (lambda: nn.GCNConv(3, 2, add_self_loops=True, normalize=False), ValueError, "add_self_loops"),
        (lambda: nn.SAGEConv(3, 2, aggr=3), TypeError, "aggr: expected a name or a function"),
        (lambda: nn.GCNConv(D, 2)(x[:3], g), ValueError, "it has 7 nodes, but there are 3 rows"),
        (lambda: nn.GCNConv(D, 2)(x[0], g), ValueError, r"x has shape \(4,\), expected \(N, features\)"),
        (lambda: nn.GCNConv(D, 2)(x, tensor(SRC)), ValueError, r"expected a Graph, or integers \(2, E\)"),
        (lambda: nn.GCNConv(D, 2)(x, g, tensor(WEIGHT[:3])), ValueError, "edge_weight"),
        (lambda: nn.GATConv(D, 2)(x, g, tensor(ATTR)), ValueError, "made without edge_dim"),
        (lambda: nn.GATConv(D, 2, edge_dim=2)(x, g, tensor(ATTR)), ValueError, r"\(12, 3\), expected \(12, 2\)"),
        (lambda: nn.GATConv(D, 2, edge_dim=2)(x, g), ValueError, "edge_attr is missing"),
        (lambda: nn.NNConv(D, 2, nn.Linear(3, 7))(x, g, tensor(ATTR).astype("float32")), ValueError,
         r"nn returned shape \(12, 7\)"),
        (lambda: nn.NNConv(D, 2, nn.Linear(3, 8))(x, g, tensor(ATTR[:5])), ValueError, "expected 12 rows"),
        (lambda: nn.GINEConv(nn.Identity())(x, g, tensor(ATTR)), ValueError, "make the layer with edge_dim=3"),
        (lambda: nn.GINEConv(nn.Identity(), edge_dim=3), ValueError, "in_channels: cannot be told from nn"),
    ]:
        with pytest.raises(error, match=message):
            call()
