"""LayerNorm, RMSNorm and BatchNorm1d against NumPy, their gradients, running values, and PyTorch."""

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

X = np.random.default_rng(0).standard_normal((5, 3, 4)) * 2 + 1


def standard(x, axes, eps):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


@pytest.mark.parametrize("shape, axes", [(4, (2,)), ((3, 4), (1, 2)), ([5, 3, 4], (0, 1, 2))])
def test_layer_norm(shape, axes):
    layer = nn.LayerNorm(shape, eps=0.1).double()
    rng = np.random.default_rng(1)
    w, b = rng.standard_normal(layer.weight.shape), rng.standard_normal(layer.weight.shape)
    np.testing.assert_allclose(layer(tn.tensor(X)).numpy(), standard(X, axes, 0.1), rtol=1e-12, atol=1e-14)
    layer.load_state_dict({"weight": w, "bias": b})
    np.testing.assert_allclose(layer(tn.tensor(X)).numpy(), standard(X, axes, 0.1) * w + b, rtol=1e-12, atol=1e-14)
    inputs = [tn.tensor(X, requires_grad=True), layer.weight, layer.bias]
    assert tn.gradcheck(lambda x, w, b: F.layer_norm(x, shape, w, b, 0.1), inputs, fast_mode=True)
    assert tn.gradgradcheck(lambda x, w, b: F.layer_norm(x, shape, w, b, 0.1), inputs, fast_mode=True)
    assert nn.LayerNorm(shape, bias=False).bias is None and not list(
        nn.LayerNorm(shape, elementwise_affine=False).parameters()
    )


def test_rms_norm():
    layer = nn.RMSNorm(4).double()
    wanted = X / np.sqrt((X * X).mean(-1, keepdims=True) + np.finfo(float).eps)
    np.testing.assert_allclose(layer(tn.tensor(X)).numpy(), wanted, rtol=1e-12)
    inputs = [tn.tensor(X, requires_grad=True), layer.weight]
    assert tn.gradcheck(lambda x, w: F.rms_norm(x, 4, w, 0.1), inputs, fast_mode=True)
    assert tn.gradgradcheck(lambda x, w: F.rms_norm(x, 4, w, 0.1), inputs, fast_mode=True)


@pytest.mark.parametrize("x, axes", [(X[:, :, 0], (0,)), (X, (0, 2))])
def test_batch_norm_in_training_and_evaluation(x, axes):
    layer = nn.BatchNorm1d(3, momentum=0.3).double()
    rng = np.random.default_rng(1)
    w, b = rng.standard_normal(3), rng.standard_normal(3)
    layer.load_state_dict({**layer.state_dict(), "weight": w, "bias": b})
    column = (3,) + (1,) * (x.ndim - 2)
    np.testing.assert_allclose(
        layer(tn.tensor(x)).numpy(),
        standard(x, axes, 1e-5) * w.reshape(column) + b.reshape(column),
        rtol=1e-12,
        atol=1e-13,
    )
    mean, var = 0.3 * x.mean(axes), 0.7 + 0.3 * x.var(axes, ddof=1)
    np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), var, rtol=1e-12)
    assert layer.num_batches_tracked.item() == 1
    layer.eval()
    wanted = (x - mean.reshape(column)) / np.sqrt(var.reshape(column) + 1e-5) * w.reshape(column) + b.reshape(column)
    np.testing.assert_allclose(layer(tn.tensor(x)).numpy(), wanted, rtol=1e-12, atol=1e-13)
    assert layer.num_batches_tracked.item() == 1
    inputs = [tn.tensor(x, requires_grad=True), layer.weight, layer.bias]
    for training in (True, False):

        def norm(x, w, b, training=training):
            return F.batch_norm(x, layer.running_mean.copy(), layer.running_var.copy(), w, b, training)

        assert tn.gradcheck(norm, inputs, fast_mode=True)
        assert tn.gradgradcheck(norm, inputs, fast_mode=True)


def test_running_values_by_plain_mean_and_without():
    layer = nn.BatchNorm1d(3, momentum=None).double()
    batches = [X[:, :, k] * (k + 1) for k in range(4)]
    for batch in batches:
        layer(tn.tensor(batch))
    np.testing.assert_allclose(layer.running_mean.numpy(), np.mean([b.mean(0) for b in batches], 0), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), np.mean([b.var(0, ddof=1) for b in batches], 0), rtol=1e-12)
    layer.reset_running_stats()
    assert layer.num_batches_tracked.item() == 0 and layer.running_var.numpy().tolist() == [1, 1, 1]
    plain = nn.BatchNorm1d(3, track_running_stats=False, affine=False).double().eval()
    assert not plain.state_dict()
    np.testing.assert_allclose(plain(tn.tensor(X)).numpy(), standard(X, (0, 2), 1e-5), rtol=1e-12)


def test_a_pending_graph_keeps_the_running_values_it_used():
    layer = nn.BatchNorm1d(1, affine=False, eps=0.0).double().eval()
    x = tn.tensor([[2.0], [4.0]], dtype=tn.float64, requires_grad=True)
    out = layer(x)
    layer.train()
    layer(tn.tensor([[100.0], [300.0]], dtype=tn.float64))
    out.sum().backward()
    assert x.grad.numpy().tolist() == [[1], [1]]


def test_what_raises():
    for call, error in [
        (lambda: nn.LayerNorm((4, 0)), "normalized_shape: expected an int >= 1, got 0"),
        (
            lambda: nn.LayerNorm(3)(tn.ones((2, 4))),
            r"normalized_shape \(3,\) must be the end of the input's shape \(2, 4\)",
        ),
        (lambda: nn.RMSNorm((2, 4))(tn.ones((4,))), "must be the end"),
        (lambda: nn.BatchNorm1d(3)(tn.ones((2, 4))), "expected 2 or 3 axes with 3 channels on axis 1, got shape"),
        (lambda: nn.BatchNorm1d(3)(tn.ones((3,))), "expected 2 or 3 axes"),
        (lambda: nn.BatchNorm1d(3)(tn.ones((1, 3))), "expected more than one value per channel when training"),
        (lambda: F.batch_norm(tn.ones((2, 3)), None, None), "evaluation needs running_mean"),
        (
            lambda: F.batch_norm(tn.ones((2, 3)), tn.zeros((3,)), tn.ones((4,)), training=True),
            r"Tensors of shape \(3,\)",
        ),
        (lambda: F.batch_norm(tn.ones((2, 3)), tn.zeros((3,)), tn.ones((3,)), training=True, momentum=2), "momentum"),
        (lambda: F.layer_norm(tn.ones((2, 3)), 3, eps=-1), "eps"),
    ]:
        with pytest.raises(ValueError, match=error):
            call()
    assert nn.BatchNorm1d(3)(tn.zeros((0, 3))).shape == (0, 3)


def test_text():
    assert repr(nn.LayerNorm((3, 4))) == "LayerNorm((3, 4), eps=1e-05, elementwise_affine=True, bias=True)"
    assert repr(nn.RMSNorm(3)) == "RMSNorm((3,), eps=None, elementwise_affine=True)"
    assert (
        repr(nn.BatchNorm1d(3, bias=False))
        == "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=False, track_running_stats=True)"
    )


@pytest.mark.parametrize(
    "name, options",
    [
        ("LayerNorm", {"normalized_shape": (3, 4)}),
        ("RMSNorm", {"normalized_shape": 4}),
        ("BatchNorm1d", {"num_features": 3}),
    ],
)
def test_same_as_pytorch(name, options):
    torch = pytest.importorskip("torch")
    theirs, ours = getattr(torch.nn, name)(**options).double(), getattr(nn, name)(**options).double()
    assert list(theirs.state_dict()) == list(ours.state_dict())
    ours.load_state_dict(theirs.state_dict())
    for _ in range(3):
        x, y = tn.tensor(X, requires_grad=True), torch.tensor(X, requires_grad=True)
        out, wanted = ours(x), theirs(y)
        np.testing.assert_allclose(out.numpy(), wanted.detach().numpy(), rtol=1e-10, atol=1e-12)
        (out**3).sum().backward()
        (wanted**3).sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-8, atol=1e-10)
    for key, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[key].numpy(), value.numpy(), rtol=1e-10)
