"""Graph networks learn what they are for: nodes of few labels, whole graphs, missing edges."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.models import GCN, GIN, LinkPredictor, MLPClassifier
from tinygrad_notes.nn.graph import Graph, batch_graphs, random_link_split, to_undirected


def fit(loss, parameters, steps, lr=0.02):
    optimizer = tn.optim.Adam(parameters, lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()


def blocks(seed):
    """200 nodes in two blocks, features that say nothing, five labels of each block."""
    g = tn.data.stochastic_block_model([100, 100], (0.1, 0.01), generator=seed)
    x = tn.randn(200, 16, generator=tn.Generator(seed + 100))
    rows = tn.tensor([*range(5), *range(100, 105)])
    return g, x, rows, np.setdiff1d(np.arange(200), rows.numpy())


@pytest.mark.row("S0-T39")
def test_ten_labels_are_enough_with_edges_and_not_without():
    with_edges, without = [], []
    for seed in range(2):
        g, x, rows, others = blocks(seed)
        tn.manual_seed(seed)
        model, blind = GCN(16, 2, (16, 16)), MLPClassifier(16, 2, (16,))
        fit(lambda: model.loss(x, g, g.y, rows)["loss"], model.parameters(), 60)  # noqa: B023
        fit(lambda: blind.loss(x[rows], g.y[rows])["loss"], blind.parameters(), 30)  # noqa: B023
        truth = g.y.numpy()
        with_edges.append((model.predict(x, g).numpy() == truth)[others].mean())
        without.append((blind.predict(x).numpy() == truth)[others].mean())
    assert np.mean(with_edges) > 0.9 and abs(np.mean(without) - 0.5) < 0.1


@pytest.mark.row("S0-T39")
def test_what_was_learned_on_one_graph_holds_on_another():
    """Inductive: features that say a little, a second graph whose nodes were never seen."""
    def noisy(seed):
        g, x, *_ = blocks(seed)
        return g, x + 0.5 * (2 * g.y.astype("float32") - 1).reshape((-1, 1)) * tn.tensor([1.0] + [0.0] * 15)
    (g, x), (other, unseen) = noisy(0), noisy(1)
    tn.manual_seed(0)
    model, blind = GCN(16, 2, (16,)), MLPClassifier(16, 2, (16,))
    fit(lambda: model.loss(x, g, g.y)["loss"], model.parameters(), 60)
    fit(lambda: blind.loss(x, g.y)["loss"], blind.parameters(), 60)
    right = [(p.numpy() == other.y.numpy()).mean() for p in (model.predict(unseen, other), blind.predict(unseen))]
    assert right[0] > 0.9 and right[0] > right[1] + 0.15


@pytest.mark.row("S0-T39")
def test_the_karate_club_from_two_labels():
    club = tn.data.karate_club()
    rows = tn.tensor([0, 33])
    model = GCN(34, 2, (16,))
    fit(lambda: model.loss(club.x, club, club.y, rows)["loss"], model.parameters(), 40)
    assert int((model.predict(club.x, club) == club.y).sum()) >= 31


def area(score, label):
    """The probability that a random edge scores above a random pair without one."""
    above = score[label == 1][:, None] - score[label == 0]
    return (above > 0).mean() + (above == 0).mean() / 2


@pytest.mark.row("S0-T40")
def test_hidden_edges_are_told_from_pairs_without():
    g = tn.data.stochastic_block_model([30] * 4, (0.5, 0.01), generator=0)
    train, _, test = random_link_split(g, 0.0, 0.2, generator=tn.Generator(0))
    x = tn.ones((120, 1)) * tn.eye(120)
    model = LinkPredictor(GCN(120, 16, (16,)))
    fit(lambda: model.loss(x, train.graph, train.src, train.dst, train.label)["loss"], model.parameters(), 40)
    p, score = (f(x, test.graph, test.src, test.dst) for f in (model.predict, model))
    np.testing.assert_allclose(p.numpy(), 1 / (1 + np.exp(-score.detach().numpy())), rtol=1e-5)
    assert not p.requires_grad and area(p.numpy(), test.label.numpy()) > 0.8


@pytest.mark.row("S0-T41")
def test_gin_tells_rings_from_rings_with_chords():
    """All nodes have the same features, and the rings have many sizes."""
    graphs, rng = [], np.random.default_rng(0)
    for k in range(40):
        n, label = int(rng.integers(6, 12)), k % 2
        pairs = [(i, (i + 1) % n) for i in range(n)]
        pairs += [(0, 2), (3, 5)] if label else []  # two chords
        src, dst = zip(*pairs)
        g = to_undirected(Graph(tn.tensor(src), tn.tensor(dst), n, y=tn.tensor(label)))
        graphs.append(g.replace(x=tn.ones((n, 1))))
    model = GIN(1, 2, (16, 16))
    batch = batch_graphs(graphs)
    fit(lambda: model.loss(batch)["loss"], model.parameters(), 60, lr=0.01)
    assert (model.predict(batch).numpy() == batch.y.numpy()).all()
    assert model.predict(graphs[1]).shape == (1,)


def test_gradients():
    g, x, rows, _ = blocks(0)
    x, small = x.astype("float64"), GCN(16, 3, (4,), dropout=0.5, dtype="float64").eval()
    assert tn.testing.check_module(small, lambda: small.loss(x, g, g.y, rows)["loss"], directions=1, elements=2)
    link = LinkPredictor(GCN(16, 3, (4,), dtype="float64"))
    label = tn.tensor([1.0, 0.0, 1.0])
    assert tn.testing.check_module(link, lambda: link.loss(x, g, rows[:3], rows[4:7], label)["loss"], directions=1,
                                   elements=2)


def test_errors_and_dropout():
    with pytest.raises(ValueError, match="in_channels: expected an int >= 1, got 0"):
        GCN(0, 2)
    with pytest.raises(ValueError, match="no node features x"):
        GIN(1, 2)(Graph([], [], 3))
    model, (g, x, *_) = GCN(16, 2, dropout=0.5), blocks(0)
    assert not np.allclose(model(x, g).numpy(), model(x, g).numpy())
    model.eval()
    np.testing.assert_array_equal(model(x, g).numpy(), model(x, g).numpy())
