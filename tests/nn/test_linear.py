"""Affine layers: values, initial values, shapes, and the hand-made backward pass of a whole perceptron."""

import math

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F


@pytest.mark.row("S0-26")
@pytest.mark.parametrize("shape", [(7,), (4, 7), (2, 3, 7), (0, 7)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_is_the_matrix_product(shape, bias):
    layer = nn.Linear(7, 5, bias=bias).double()
    x = np.random.default_rng(0).standard_normal(shape)
    w, b = layer.weight.numpy(), layer.bias.numpy() if bias else 0
    out = layer(tn.tensor(x))
    np.testing.assert_allclose(out.numpy(), x @ w.T + b, rtol=1e-13, atol=1e-14)
    by_rows = np.array([w @ row + b for row in x.reshape(-1, 7)]).reshape(out.shape)
    np.testing.assert_allclose(out.numpy(), by_rows, rtol=1e-13, atol=1e-14)
    inputs = [tn.tensor(x), layer.weight, *([layer.bias] if bias else [])]
    if x.size:
        assert tn.gradcheck(lambda *a: F.linear(*a), inputs)
        assert tn.gradgradcheck(lambda *a: F.linear(*a), inputs, fast_mode=True)


def test_default_initial_values_are_pytorchs():
    tn.manual_seed(0)
    layer = nn.Linear(400, 900)
    limit = 1 / math.sqrt(400)
    for p in (layer.weight.numpy(), layer.bias.numpy()):
        assert (
            abs(p).max() <= limit
            and abs(p).max() > 0.99 * limit
            and p.std() == pytest.approx(limit / math.sqrt(3), rel=0.05)
        )
    assert layer.weight.numpy().std() == pytest.approx(1 / math.sqrt(3 * 400), rel=0.005)
    before = layer.weight.numpy().copy()
    layer.reset_parameters(tn.Generator(1))
    once = layer.weight.numpy().copy()
    layer.reset_parameters(tn.Generator(1))
    assert (once != before).any() and (once == layer.weight.numpy()).all()


@pytest.mark.parametrize("init", ["he_normal_", "he_normal", nn.init.he_normal_])
def test_other_initial_values(init):
    layer = nn.Linear(500, 400, init=init)
    assert layer.weight.numpy().std() == pytest.approx(math.sqrt(2 / 500), rel=0.02) and not layer.bias.numpy().any()
    with pytest.raises(ValueError, match="init: expected a function or one of .*he_normal_.*got 'magic'"):
        nn.Linear(2, 2, init="magic")


def test_layers_say_what_is_wrong():
    with pytest.raises(ValueError, match="in_features: expected an int >= 0, got 2.5"):
        nn.Linear(2.5, 3)
    with pytest.raises(
        ValueError, match=r"linear: expected x \(\.\.\., K\) and w \(M, K\), got shapes \(4, 7\) and \(5, 3\)"
    ):
        nn.Linear(3, 5)(tn.ones((4, 7)))
    with pytest.raises(ValueError, match="in1_features: expected an int >= 1, got 0"):
        nn.Bilinear(0, 2, 3)
    with pytest.raises(ValueError, match="sizes: expected at least two widths"):
        nn.MLP([3])


def test_dtype_and_device_of_parameters():
    layer = nn.Linear(2, 3, device="strict", dtype="float64")
    assert layer.weight.device == "strict" and layer.bias.dtype == tn.float64


@pytest.mark.parametrize("lead", [(), (4,), (2, 3)])
def test_bilinear(lead):
    layer = nn.Bilinear(3, 4, 2).double()
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((*lead, 3)), rng.standard_normal((*lead, 4))
    w, b = layer.weight.numpy(), layer.bias.numpy()
    np.testing.assert_allclose(
        layer(tn.tensor(x), tn.tensor(y)).numpy(), np.einsum("...i,kij,...j->...k", x, w, y) + b, rtol=1e-12
    )
    assert tn.gradcheck(F.bilinear, [tn.tensor(x), tn.tensor(y), layer.weight, layer.bias], fast_mode=True)
    assert tn.gradgradcheck(F.bilinear, [tn.tensor(x), tn.tensor(y), layer.weight, layer.bias], fast_mode=True)
    assert abs(layer.weight.numpy()).max() <= 1 / math.sqrt(3)
    with pytest.raises(ValueError, match="leading axes must be equal"):
        layer(tn.ones((5, 3)), tn.ones((6, 4)))
    with pytest.raises(ValueError, match="weight: expected shape"):
        layer(tn.ones((5, 4)), tn.ones((5, 4)))


def test_shapes():
    x = tn.randn(2, 3, 4, 5)
    assert nn.Identity(1, a=2)(x) is x
    np.testing.assert_array_equal(nn.Flatten()(x).numpy(), x.numpy().reshape(2, 60))
    assert nn.Flatten(0, 2)(x).shape == (24, 5)
    assert nn.Unflatten(1, (3, -1))(tn.zeros((2, 12))).shape == (2, 3, 4) and nn.Unflatten(-1, [2, 2])(
        tn.zeros((3, 4))
    ).shape == (3, 2, 2)
    np.testing.assert_array_equal(nn.Unflatten(1, (3, 4, 5))(nn.Flatten()(x)).numpy(), x.numpy())
    for sizes in [(5, 3), (-1, 5), (-1, -1), (0, -1)]:
        with pytest.raises(ValueError, match="does not split into"):
            nn.Unflatten(1, sizes)(tn.zeros((2, 12)))
    with pytest.raises(IndexError, match="dim 2 is out of range"):
        nn.Unflatten(2, (1, 1))(tn.zeros((2, 12)))


@pytest.mark.row("S0-26")
def test_mlp():
    net = nn.MLP([3, 5, 4, 2], activation=nn.Tanh, dropout=0.5).double()
    assert [type(m).__name__ for m in net] == ["Linear", "Tanh", "Dropout", "Linear", "Tanh", "Dropout", "Linear"]
    x = np.random.default_rng(0).standard_normal((6, 3))
    h = x
    for k in (0, 3, 6):
        f = h @ net[k].weight.numpy().T + net[k].bias.numpy()
        h = np.tanh(f)
    with net.evaluating():
        np.testing.assert_allclose(net(tn.tensor(x)).numpy(), f, rtol=1e-13, atol=1e-14)
        whole = net(tn.tensor(x)).numpy()
        rows = np.concatenate([net(tn.tensor(row[None])).numpy() for row in x])
    np.testing.assert_allclose(whole, rows, rtol=1e-13, atol=1e-14)
    assert nn.MLP([2, 3], bias=False)[0].bias is None and len(nn.MLP([2, 3])) == 1
    assert not nn.MLP([2, 3, 1], init="he_normal_")[0].bias.numpy().any()


def recursion(weights, biases, x, delta):
    """Gradients of weights and biases by the notes, (1.19) to (1.21); delta = d loss / d output."""
    h, f = [x], []
    for w, b in zip(weights, biases):
        f.append(h[-1] @ w.T + b)
        h.append(np.maximum(f[-1], 0))
    found = []
    for k in reversed(range(len(weights))):
        found.append((delta.T @ h[k], delta.sum(0)))
        if k:
            delta = (f[k - 1] > 0) * (delta @ weights[k])
    return found[::-1]


@pytest.mark.row("S0-32")
@pytest.mark.parametrize("sizes", [[3, 4, 2], [5, 6, 7, 6, 1], [2, 1]])
def test_backprop_is_the_recursion_of_the_notes(sizes):
    rng = np.random.default_rng(0)
    net = nn.MLP(sizes).double()
    layers = [m for m in net if isinstance(m, nn.Linear)]
    x, delta = rng.standard_normal((8, sizes[0])), rng.standard_normal((8, sizes[-1]))
    net(tn.tensor(x)).backward(tn.tensor(delta))
    by_hand = recursion([m.weight.numpy() for m in layers], [m.bias.numpy() for m in layers], x, delta)
    for layer, (w, b) in zip(layers, by_hand):
        np.testing.assert_allclose(layer.weight.grad.numpy(), w, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(layer.bias.grad.numpy(), b, rtol=1e-12, atol=1e-13)


@pytest.mark.row("S0-33")
def test_the_derivative_of_relu_at_zero_is_zero():
    x = tn.tensor([-1.0, -0.0, 0.0, 1.0], requires_grad=True)
    nn.ReLU()(x).sum().backward()
    assert x.grad.numpy().tolist() == [0, 0, 0, 1]
    # E[step(X)^2] = 1/2 for X symmetric with P(X = 0) = 0
    draws = tn.randn(400_000, dtype=tn.float64, requires_grad=True)
    nn.ReLU()(draws).sum().backward()
    assert (draws.grad.numpy() ** 2).mean() == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(400_000))


@pytest.mark.row("S0-25")
def test_toy_network_of_the_book():
    """Prince, Understanding Deep Learning, notebook 7.1: f = b3 + w3 cos(b2 + w2 exp(b1 + w1 sin(b0 + w0 x)))."""
    b = [tn.tensor(v, dtype=tn.float64, requires_grad=True) for v in (1.0, 2.0, -3.0, 0.4)]
    w = [tn.tensor(v, dtype=tn.float64, requires_grad=True) for v in (0.1, -0.4, 2.0, 3.0)]
    f0 = b[0] + w[0] * 2.3
    f1 = b[1] + w[1] * tn.sin(f0)
    f2 = b[2] + w[2] * tn.exp(f1)
    f3 = b[3] + w[3] * tn.cos(f2)
    np.testing.assert_allclose([f.item() for f in (f0, f1, f2, f3)], [1.23, 1.623004, 7.136590, 2.372264], atol=5e-7)
    F.mse_loss(f3, tn.tensor(2.0, dtype=tn.float64), reduction="sum").backward()
    found = [t.grad.item() for t in (b[3], w[3], b[2], w[2], b[1], w[1], b[0])]
    np.testing.assert_allclose(found, [0.745, 0.489, -1.683, -8.530, -17.060, -16.079, 2.281], atol=6e-4)


def book_weights(layers, width, scale=1.0, biases=True):
    """The parameters of notebooks 7.2 and 7.3, drawn in their order from NumPy's legacy stream of seed 0."""
    rng = np.random.RandomState(0)
    weights, offsets = [None] * (layers + 1), [np.zeros((width, 1))] * layers + [np.zeros((1, 1))]
    weights[0], weights[-1] = rng.normal(size=(width, 1)), rng.normal(size=(1, width))
    if biases:
        offsets[0], offsets[-1] = rng.normal(size=(width, 1)), rng.normal(size=(1, 1))
    for k in range(1, layers):
        weights[k] = rng.normal(size=(width, width))
        if biases:
            offsets[k] = rng.normal(size=(width, 1))
    net = nn.MLP([1] + [width] * layers + [1], dtype="float64")
    for layer, weight, offset in zip([m for m in net if isinstance(m, nn.Linear)], weights, offsets):
        layer.load_state_dict({"weight": weight * math.sqrt(scale), "bias": offset[:, 0]})
    return net, rng


@pytest.mark.row("S0-25")
@pytest.mark.same_on_strict
def test_deep_network_of_the_book():
    net, _ = book_weights(5, 6)
    out = net(tn.tensor([[1.2]], dtype=tn.float64))
    loss = F.mse_loss(out, tn.tensor([[20.0]], dtype=tn.float64), reduction="sum")
    assert out.item() == pytest.approx(1.9066, abs=5e-5) and loss.item() == pytest.approx(327.3709, abs=5e-5)
    layers = [m for m in net if isinstance(m, nn.Linear)]
    loss.backward()
    by_hand = recursion(
        [m.weight.numpy() for m in layers], [m.bias.numpy() for m in layers], np.array([[1.2]]), 2 * (out.numpy() - 20)
    )
    for layer, (w, b) in zip(layers, by_hand):
        np.testing.assert_allclose(layer.weight.grad.numpy(), w, rtol=1e-12)
        np.testing.assert_allclose(layer.bias.grad.numpy(), b, rtol=1e-12)
    params = dict(net.named_parameters())
    assert tn.gradcheck(
        lambda *p: (nn.functional_call(net, dict(zip(params, p)), tn.tensor([[1.2]], dtype=tn.float64)) - 20) ** 2,
        list(params.values()),
        rtol=1e-5,
    )


@pytest.mark.row("S0-36")
def test_exploding_activations_of_the_book():
    """Notebook 7.3: spread of the hidden units, layer by layer."""

    def spread(layers, width, scale):
        net, rng = book_weights(layers, width, scale, biases=False)
        h, found = tn.tensor(rng.normal(size=(1, 1000)).T), []
        for layer in list(net)[:-1]:
            h = layer(h)
            if isinstance(layer, nn.ReLU):
                found.append(h.numpy().std())
        return found

    np.testing.assert_allclose(spread(5, 8, 1.0), [0.8108, 1.472, 4.547, 8.896, 10.11], rtol=6e-4)
    assert spread(50, 80, 1.0)[-1] == pytest.approx(7.53e38, rel=1e-3)
    assert spread(50, 80, 2 / 80)[-1] == pytest.approx(0.0669, rel=1e-3)


@pytest.mark.row("S0-36")
def test_exploding_gradients_of_the_book():
    net, rng = book_weights(5, 8, 1.0, biases=False)
    x = tn.tensor(np.array([rng.normal(size=(1, 1)) for _ in range(100)])[:, 0])
    stds = [math.sqrt(v) for v in nn.gradient_trace(net, x, loss=lambda out: (out**2).sum())]
    np.testing.assert_allclose(stds[4:0:-1], [56.472, 109.132, 340.657, 446.654], rtol=2e-5)
