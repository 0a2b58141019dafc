"""Groups read by an LSTM, in order or as a set, against loops over `LSTMCell`s' equations."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tests.nn.graph.cases import DST, SRC, D, N, X, draw, graph, tensor
from tinygrad_notes import nn
from tinygrad_notes.nn.graph import LSTMAggregation, Set2Set, to_dense_batch

IDS = np.array([2, 0, 2, 2, 4, 0])
ROWS = np.random.default_rng(0).standard_normal((6, 3))


def cell(p, x, h, c, prefix="lstm."):
    gates = (x @ p[prefix + "weight_ih_l0"].T + p[prefix + "bias_ih_l0"] + h @ p[prefix + "weight_hh_l0"].T
             + p[prefix + "bias_hh_l0"])
    i, f, g, o = np.split(gates, 4, axis=-1)
    s = lambda z: 1 / (1 + np.exp(-z))
    c = s(f) * c + s(i) * np.tanh(g)
    return s(o) * np.tanh(c), c


def state(module):
    return {name: t.numpy() for name, t in module.state_dict().items()}


def test_dense_groups():
    rows, mask = to_dense_batch(tensor(ROWS), tensor(IDS), 5)
    assert rows.shape == (5, 3, 3) and mask.numpy().sum(1).tolist() == [2, 0, 3, 0, 1]
    for k in range(5):
        found = rows.numpy()[k]
        np.testing.assert_array_equal(found[mask.numpy()[k]], ROWS[k == IDS])
        assert not found[~mask.numpy()[k]].any()
    assert tn.gradcheck(lambda x: to_dense_batch(x, tensor(IDS), 5)[0], tensor(ROWS))
    none, mask = to_dense_batch(tensor(ROWS[:0]), tensor(IDS[:0]), 2)
    assert none.shape == (2, 0, 3) and mask.shape == (2, 0)


def test_the_last_state_of_each_sequence():
    layer = draw(LSTMAggregation(3, 2))
    p, want = state(layer), np.zeros((5, 2))
    for k in range(5):
        h = c = np.zeros(2)
        for x in ROWS[k == IDS]:
            h, c = cell(p, x, h, c)
            want[k] = h
    np.testing.assert_allclose(layer(tensor(ROWS), tensor(IDS), 5).numpy(), want, rtol=1e-12)
    assert tn.testing.check_module(layer, lambda: (layer(tensor(ROWS), tensor(IDS), 5)**2).sum(), directions=1,
                                   elements=1)
    assert layer(tensor(ROWS[:0]), tensor(IDS[:0]), 2).tolist() == [[0, 0], [0, 0]]


def test_graphsage_with_an_lstm():
    layer = draw(nn.SAGEConv(D, 2, aggr="lstm"))
    p, read = state(layer), np.zeros((N, D))
    for i in range(N):
        h = c = np.zeros(D)
        for k in np.flatnonzero(i == DST):
            h, c = cell(p, X[SRC[k]], h, c, "aggr_module.lstm.")
            read[i] = h
    want = read @ p["lin_l.weight"].T + p["lin_l.bias"] + X @ p["lin_r.weight"].T
    np.testing.assert_allclose(layer(tensor(X), graph()).numpy(), want, rtol=1e-12)
    assert "aggr='lstm'" in repr(layer)
    assert tn.gradgradcheck(lambda x: (layer(x, graph())**2).sum(), tensor(X), fast_mode=True, directions=1, elements=0)


@pytest.mark.parametrize("steps", [1, 3])
def test_a_set_read_several_times(steps):
    layer = draw(Set2Set(3, steps))
    p, want = state(layer), np.zeros((5, 6))
    for k in range(5):
        h, c, both, x = np.zeros(3), np.zeros(3), np.zeros(6), ROWS[k == IDS]
        for _ in range(steps):
            h, c = cell(p, both, h, c)
            e = np.exp(x @ h)
            both = np.append(h, (e / e.sum()) @ x if len(x) else np.zeros(3))
        want[k] = both
    np.testing.assert_allclose(layer(tensor(ROWS), tensor(IDS), 5).numpy(), want, rtol=1e-12)
    order = np.random.default_rng(1).permutation(6)
    again = layer(tensor(ROWS[order]), tn.Segments(tensor(IDS[order]), 5)).numpy()
    np.testing.assert_allclose(again, want, rtol=1e-12)
    assert tn.testing.check_module(layer, lambda: (layer(tensor(ROWS), tensor(IDS), 5)**2).sum(), directions=1,
                                   elements=1)


@pytest.mark.host_only
def test_errors():
    for call, error, message in [
        (lambda: Set2Set(0, 1), ValueError, "in_channels: expected an int >= 1, got 0"),
        (lambda: Set2Set(3, 0), ValueError, "processing_steps: expected an int >= 1, got 0"),
        (lambda: LSTMAggregation(3, 0), ValueError, "out_channels: expected an int >= 1, got 0"),
        (lambda: Set2Set(3, 1)(tensor(ROWS), tensor(IDS)), TypeError, "Set2Set: size is missing"),
        (lambda: to_dense_batch(tensor(ROWS), tensor(IDS), 3), IndexError, r"ids\[4\] is 4"),
    ]:
        with pytest.raises(error, match=message):
            call()
