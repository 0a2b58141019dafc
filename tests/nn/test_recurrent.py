"""RNN, LSTM, GRU and their cells: PyTorch's numbers to second order, packed sequences, what a graph holds."""
import time
import warnings

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.ops.rows_recurrent import gru, lstm, rnn
from tinygrad_notes.autograd import node as nodes
from tinygrad_notes.backend import as_device
from tinygrad_notes.ops import recurrent

RNG = np.random.default_rng(0)
KINDS = {"RNN": {}, "GRU": {}, "LSTM": {}}


def normal(*shape):
    return RNG.standard_normal(shape)


def double(layer):
    return layer.to("float64")


def state(kind, *shape, proj=None):
    """The initial states of a layer."""
    if kind != "LSTM":
        return normal(*shape)
    return normal(*shape[:-1], proj or shape[-1]), normal(*shape)


def flat(result):
    """The Tensors in nested results, packed sequences by their data."""
    if isinstance(result, tuple) and hasattr(result, "batch_sizes"):
        return [result.data]
    if isinstance(result, (tuple, list)):
        return [t for part in result for t in flat(part)]
    return [result]


def given(value, make):
    return tuple(map(make, value)) if isinstance(value, tuple) else make(value)


# Against PyTorch -----------------------------------------------------------------------
CASES = [
    ("RNN", {"num_layers": 2, "bidirectional": True, "nonlinearity": "relu"}, (5, 3, 4), True),
    ("RNN", {"bias": False, "batch_first": True}, (3, 5, 4), False),
    ("GRU", {"num_layers": 2, "bidirectional": True}, (5, 3, 4), True),
    ("GRU", {"bias": False}, (5, 4), True),
    ("LSTM", {"num_layers": 2, "bidirectional": True, "proj_size": 2}, (5, 3, 4), True),
    ("LSTM", {"batch_first": True, "bias": False}, (3, 5, 4), True),
    ("LSTM", {"num_layers": 3}, (5, 4), False),
    ("RNNCell", {"nonlinearity": "relu"}, (3, 4), True), ("RNNCell", {"bias": False}, (4,), False),
    ("GRUCell", {}, (3, 4), True), ("LSTMCell", {}, (3, 4), True), ("LSTMCell", {"bias": False}, (4,), True),
]


@pytest.mark.parametrize("name, options, shape, started", CASES, ids=[f"{k}-{c[0]}" for k, c in enumerate(CASES)])
@pytest.mark.same_on_strict
def test_same_numbers_as_pytorch(name, options, shape, started):
    torch = pytest.importorskip("torch")
    theirs = getattr(torch.nn, name)(4, 6, **options).double()
    ours = double(getattr(tn.nn, name)(4, 6, **options))
    assert [(k, tuple(v.shape)) for k, v in theirs.state_dict().items()] == [
        (k, v.shape) for k, v in ours.state_dict().items()]
    assert repr(ours).split("(")[1] == repr(theirs).split("(")[1]
    ours.load_state_dict(theirs.state_dict())
    args = [normal(*shape)]
    if started:
        batch = shape[:-1] if name.endswith("Cell") else shape[1 - options.get("batch_first", False):-1][:1]
        if not name.endswith("Cell"):
            count = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
            batch = (count, *(batch if len(shape) == 3 else ()))
        args.append(state(name[:4].replace("GRUC", "GRU"), *batch, 6, proj=options.get("proj_size")))
    xs = [given(a, lambda v: tn.Tensor(v, requires_grad=True)) for a in args]
    ys = [given(a, lambda v: torch.tensor(v, requires_grad=True)) for a in args]
    outs, wanted = flat(ours(*xs)), flat(theirs(*ys))
    leaves, theirs_leaves = [*flat(xs), *ours.parameters()], [*flat(ys), *theirs.parameters()]
    us = [normal(*o.shape) for o in outs]
    first = tn.autograd.grad(outs, leaves, [tn.Tensor(u) for u in us], create_graph=True)
    first_t = torch.autograd.grad(wanted, theirs_leaves, [torch.tensor(u) for u in us], create_graph=True)
    second = tn.autograd.grad(sum((g**3).sum() for g in first), leaves, allow_unused=True)
    second_t = torch.autograd.grad(sum((g**3).sum() for g in first_t), theirs_leaves, allow_unused=True)
    for a, b in zip([*outs, *first, *second], [*wanted, *first_t, *second_t]):
        expected = np.zeros(a.shape) if b is None else b.detach().numpy()
        np.testing.assert_allclose(np.zeros(expected.shape) if a is None else a.detach().cpu().numpy(), expected,
                                   1e-9, 1e-11)


# Against a loop ----------------------------------------------------------------------------
@pytest.mark.parametrize("kind", KINDS)
def test_packed_sequences_against_a_loop(kind):
    """Every sequence on its own, forwards and backwards, given in any order."""
    lengths = [2, 4, 1, 4]
    layer = double(getattr(tn.nn, kind)(3, 5, bidirectional=True))
    xs = [normal(n, 3) for n in lengths]
    hx = state(kind, 2, 4, 5)
    packed = tn.nn.utils.rnn.pack_sequence([tn.Tensor(x) for x in xs], enforce_sorted=False)
    out, last = layer(packed, given(hx, tn.Tensor))
    outs = tn.nn.utils.rnn.unpack_sequence(out)
    values = {k: v.cpu().numpy() for k, v in layer.state_dict().items()}
    for j, x in enumerate(xs):
        assert outs[j].shape == (lengths[j], 10)
        for d, tail in enumerate(("_l0", "_l0_reverse")):
            w_ih, w_hh, b_ih, b_hh = (values[name + tail] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            sizes, rows = (1,) * lengths[j], x @ w_ih.T + b_ih
            first = [s[d, j][None] for s in (hx if kind == "LSTM" else (hx,))]
            if kind == "LSTM":
                states = lstm(rows + b_hh, *first, w_hh, None, sizes, bool(d))[:2]
            elif kind == "GRU":
                states = gru(rows, *first, w_hh, b_hh, sizes, bool(d))[:1]
            else:
                states = [rnn(rows + b_hh, *first, w_hh, "tanh", sizes, bool(d))]
            np.testing.assert_allclose(outs[j].cpu().numpy()[:, 5 * d:5 * d + 5], states[0], 1e-12, 1e-12)
            ends = last if kind == "LSTM" else (last,)
            for end, s in zip(ends, states):
                np.testing.assert_allclose(end.cpu().numpy()[d, j], s[0 if d else -1], 1e-12, 1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_has_no_influence(kind):
    """Values and gradients of a packed batch are those of the sequences one by one."""
    layer = double(getattr(tn.nn, kind)(3, 4, num_layers=2, bidirectional=True, batch_first=True))
    lengths, x = [2, 5, 3], normal(3, 5, 3)
    for j, n in enumerate(lengths):
        x[j, n:] = np.nan
    leaf = tn.Tensor(x, requires_grad=True)
    packed = tn.nn.utils.rnn.pack_padded_sequence(leaf, lengths, batch_first=True, enforce_sorted=False)
    out, _ = layer(packed)
    padded, back = tn.nn.utils.rnn.pad_packed_sequence(out, batch_first=True, padding_value=-1.0, total_length=6)
    assert back.tolist() == lengths and padded.shape == (3, 6, 8)
    weights = normal(3, 6, 8)
    for j, n in enumerate(lengths):
        assert np.all(padded.detach().cpu().numpy()[j, n:] == -1.0)
        weights[j, n:] = 0
    (padded * tn.Tensor(weights)).sum().backward()
    together = {k: p.grad.cpu().numpy() for k, p in layer.named_parameters()}
    layer.zero_grad()
    for j, n in enumerate(lengths):
        alone = tn.Tensor(x[j, :n], requires_grad=True)
        single, _ = layer(alone)
        np.testing.assert_allclose(padded.detach().cpu().numpy()[j, :n], single.detach().cpu().numpy(), 1e-12)
        (single * tn.Tensor(weights[j, :n])).sum().backward()
        np.testing.assert_allclose(leaf.grad.cpu().numpy()[j, :n], alone.grad.cpu().numpy(), 1e-9, 1e-12)
        assert not leaf.grad.cpu().numpy()[j, n:].any()
    for k, p in layer.named_parameters():
        np.testing.assert_allclose(together[k], p.grad.cpu().numpy(), 1e-9, 1e-12, err_msg=k)


@pytest.mark.parametrize("given_parts", [(1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1)], ids=str)
@pytest.mark.parametrize("sizes, reverse", [((3, 3, 3), False), ((3, 2, 2, 1), True), ((3, 2, 1), False)], ids=str)
@pytest.mark.parametrize("projected", [False, True])
def test_walk_in_place_is_the_walk_by_operations(given_parts, sizes, reverse, projected):
    """The fast way back through an LSTM does what the one does that can be differentiated."""
    device = as_device(tn.current_device())
    n, s, h, p = sizes[0], sum(sizes), 4, 2 if projected else 4
    cells, gates = normal(s, h), RNG.uniform(0.1, 0.9, (4, s, h))
    cot = [normal(s, p), normal(s, h), normal(4, s, h)]
    arrays = [*(c if g else None for c, g in zip(cot, given_parts)), normal(s, h), normal(4 * h, p),
              normal(p, h) if projected else None, cells, gates]
    arrays = [None if a is None else device.from_numpy(a) for a in arrays]
    fast = recurrent.lstm_back(device.xp, *arrays, sizes, reverse)
    slow = recurrent._lstm_back(device.xp, *arrays, sizes, reverse)
    for a, b in zip(fast, slow):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(device.to_numpy(a), device.to_numpy(b), 1e-12, 1e-12)
    assert fast[1].shape == (n, p)


# What they are made of -------------------------------------------------------------------------
@pytest.mark.row("D-09")
@pytest.mark.same_on_strict
def test_gru_of_the_notes():
    """A bidirectional GRU of 6 units over 40 times and a linear layer on all its states: 5134 parameters."""
    class Net(tn.nn.Module):
        def __init__(self):
            super().__init__()
            self.gru = tn.nn.GRU(1, 6, batch_first=True, bidirectional=True)
            self.head = tn.nn.Linear(40 * 12, 10)

        def forward(self, x):
            return self.head(self.gru(x)[0].reshape((x.shape[0], -1)))

    net = double(Net())
    assert net.count_params() == 3 * (6 * 1 + 6 * 6 + 6 + 6) * 2 + (480 * 10 + 10) == 5134
    x, labels = tn.Tensor(normal(4, 40, 1)), tn.Tensor(RNG.integers(0, 10, 4))
    loss = tn.nn.CrossEntropyLoss()
    assert tn.testing.check_module(net, lambda: loss(net(x), labels)).verdict == "CORRECT"


@pytest.mark.parametrize("kind", KINDS)
def test_module_gradients(kind):
    for layer, x in ((getattr(tn.nn, kind)(3, 2, 2, bidirectional=True), normal(3, 2, 3)),
                     (getattr(tn.nn, f"{kind}Cell")(3, 4), normal(2, 3))):
        u = [tn.Tensor(normal(*t.shape)) for t in flat(double(layer)(tn.Tensor(x)))]
        loss = lambda layer=layer, x=x, u=u: sum((a * b).sum() for a, b in zip(flat(layer(tn.Tensor(x))), u))
        assert tn.testing.check_module(layer, loss).verdict == "CORRECT"


def test_layer_is_its_cell_again_and_again():
    for kind in KINDS:
        layer, cell = double(getattr(tn.nn, kind)(3, 4)), double(getattr(tn.nn, f"{kind}Cell")(3, 4))
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(cell, name).data = getattr(layer, f"{name}_l0").data
        x, now = tn.Tensor(normal(5, 2, 3)), None
        for t in range(5):
            now = cell(x[t], now)
        _, last = layer(x)
        for a, b in zip(flat(now), flat(last)):
            np.testing.assert_allclose(a.detach().cpu().numpy(), b.detach().cpu().numpy()[0], 1e-12)


def test_initial_values():
    tn.manual_seed(0)
    layer = tn.nn.LSTM(20, 64)
    for p in layer.parameters():
        values = p.detach().cpu().numpy()
        assert np.abs(values).max() <= 1 / 8 and np.abs(values).max() > 0.12
        assert abs(values.std() - 1 / 8 / np.sqrt(3)) < 0.005


def test_dropout_acts_between_layers_only():
    tn.manual_seed(0)
    layer = tn.nn.GRU(3, 4, num_layers=2, dropout=1.0)
    x = tn.Tensor(normal(5, 2, 3).astype("float32"))
    first, _ = layer(x)
    layer.eval()
    kept, _ = layer(x)
    assert not np.allclose(first.detach().cpu().numpy(), kept.detach().cpu().numpy())
    upper = tn.nn.GRU(4, 4)
    upper.load_state_dict({k.replace("l1", "l0"): v for k, v in layer.state_dict().items() if "l1" in k})
    alone, _ = upper(tn.zeros((5, 2, 4)))  # all of what the first layer gave was dropped
    np.testing.assert_allclose(first.detach().cpu().numpy(), alone.detach().cpu().numpy(), 1e-6)
    with pytest.warns(UserWarning, match="num_layers is 1"):
        tn.nn.LSTM(3, 4, dropout=0.5)


def test_extreme_gates_are_exact():
    """Gates far from zero neither overflow nor lose their small values."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = tn.Tensor(np.array([[1000.0, 40.0, 0.5, -30.0]]), requires_grad=True)
        zero = tn.Tensor(np.zeros((1, 1)))
        h, c, gates = recurrent.lstm_scan(x, zero, zero + 2.0, tn.Tensor(np.zeros((4, 1))), None, sizes=(1,),
                                          reverse=False)
        h.sum().backward()
    o = np.exp(-30.0) / (1 + np.exp(-30.0))
    assert c.item() == pytest.approx(2 / (1 + np.exp(-40.0)) + np.tanh(0.5), rel=1e-14)
    assert h.item() == pytest.approx(o * np.tanh(c.item()), rel=1e-14)
    assert x.grad.cpu().numpy()[0, 3] == pytest.approx(o * (1 - o) * np.tanh(c.item()), rel=1e-13)


# Cost ----------------------------------------------------------------------------------------
def graph_size(tensors):
    seen, stack = set(), [t.node for t in tensors]
    while stack:
        node = stack.pop()
        if isinstance(node, nodes.Node) and id(node) not in seen:
            seen.add(id(node))
            stack.extend(node.parents)
    return len(seen)


@pytest.mark.parametrize("kind", KINDS)
def test_graph_does_not_grow_with_time(kind):
    layer = getattr(tn.nn, kind)(3, 4)
    sizes = [graph_size([layer(tn.zeros((t, 2, 3)))[0]]) for t in (3, 300)]
    assert sizes[0] == sizes[1] < 20


@pytest.mark.slow
@pytest.mark.host_only
@pytest.mark.parametrize("kind", KINDS)
def test_second_order_is_linear_in_time(kind):
    """Twice the times take about twice as long to differentiate twice: no step builds a whole sequence."""
    layer = getattr(tn.nn, kind)(2, 2)

    def seconds(t):
        x = tn.Tensor(normal(t, 1, 2).astype("float32"), requires_grad=True)
        begin = time.process_time()
        g, = tn.autograd.grad((layer(x)[0] ** 2).sum(), x, create_graph=True)
        (g * g).sum().backward()
        return time.process_time() - begin

    seconds(64)
    short, long = (min(seconds(t) for _ in range(3)) for t in (250, 2000))
    assert long < 20 * short


# What they refuse -----------------------------------------------------------------------------
@pytest.mark.parametrize("make, error, words", [
    (lambda: tn.nn.LSTM(3, 0), ValueError, "hidden_size.*>= 1.*0"),
    (lambda: tn.nn.GRU(3, 4, 0), ValueError, "num_layers"),
    (lambda: tn.nn.RNN(3, 4, nonlinearity="sin"), ValueError, "nonlinearity.*'sin'"),
    (lambda: tn.nn.LSTM(3, 4, dropout=1.5), ValueError, "dropout"),
    (lambda: tn.nn.LSTM(3, 4, proj_size=4), ValueError, "proj_size.*less than hidden_size 4"),
    (lambda: tn.nn.RNNBase("GRU", 3, 4, proj_size=2), ValueError, "proj_size"),
    (lambda: tn.nn.RNNBase("CNN", 3, 4), ValueError, "mode"),
    (lambda: tn.nn.GRU(3, 4, bias=1), TypeError, "bias.*True or False.*1"),
    (lambda: tn.nn.GRU(3, 4)(tn.zeros((5, 2, 4))), ValueError, r"input_size 3.*\(5, 2, 4\)"),
    (lambda: tn.nn.GRU(3, 4)(tn.zeros(3)), ValueError, r"2 axes.*\(3,\)"),
    (lambda: tn.nn.GRU(3, 4)(tn.zeros((0, 2, 3))), ValueError, "length 0"),
    (lambda: tn.nn.GRU(3, 4)(tn.zeros((5, 2, 3)), tn.zeros((1, 3, 4))), ValueError, r"hx.*\(1, 2, 4\).*\(1, 3, 4\)"),
    (lambda: tn.nn.LSTM(3, 4)(tn.zeros((5, 2, 3)), tn.zeros((1, 2, 4))), TypeError, r"hx.*\(h, c\)"),
    (lambda: tn.nn.LSTM(3, 4)(tn.zeros((5, 2, 3), dtype="float64")), TypeError, "float32.*float64"),
    (lambda: tn.nn.GRUCell(3, 4)(tn.zeros((2, 5))), ValueError, r"input.*\(N, 3\).*\(2, 5\)"),
    (lambda: tn.nn.RNNCell(3, 4)(tn.zeros((2, 3)), tn.zeros((3, 4))), ValueError, r"hx.*\(2, 4\).*\(3, 4\)"),
    (lambda: tn.nn.LSTMCell(3, 4)(tn.zeros((2, 3)), tn.zeros((2, 4))), TypeError, r"hx.*\(h, c\)"),
], ids=range(17))
def test_errors(make, error, words):
    with pytest.raises(error, match=words):
        make()
