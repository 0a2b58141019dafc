"""Normalization layers against NumPy, their gradients, running values, and PyTorch."""

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
    layer = nn.BatchNorm1d(1, affine=False, eps=3.0).double().eval()
    x = tn.tensor([[2.0], [4.0]], dtype=tn.float64, requires_grad=True)
    out = layer(x)
    layer.train()
    layer(tn.tensor([[100.0], [300.0]], dtype=tn.float64))
    out.sum().backward()
    assert x.grad.numpy().tolist() == [[0.5], [0.5]], "1 / sqrt(1 + 3)"


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
            r"running_var: expected a Tensor of shape \(3,\), got shape \(4,\)",
        ),
        (lambda: nn.BatchNorm1d(3, momentum=2), "momentum"),
        (lambda: F.batch_norm(tn.ones((2, 3)), tn.zeros((3,)), tn.ones((3,)), momentum=float("nan")), "momentum"),
        (lambda: nn.LayerNorm(3, eps=-1), "eps"),
        (lambda: F.layer_norm(tn.ones((2, 3)), 3, eps="small"), "eps: expected a finite number, got 'small'"),
    ]:
        with pytest.raises(ValueError, match=error):
            call()
    assert nn.BatchNorm1d(3)(tn.zeros((0, 3))).shape == (0, 3)


def test_what_the_other_layers_refuse():
    for call, error in [
        (lambda: nn.GroupNorm(3, 4), "num_groups: 4 channels do not divide into 3 groups"),
        (lambda: nn.GroupNorm(0, 4), "num_groups: expected an int >= 1, got 0"),
        (lambda: nn.GroupNorm(2, -4), "num_channels: expected an int >= 1, got -4"),
        (lambda: nn.GroupNorm(2, 4)(tn.ones((3, 6))), r"expected \(N, 4, ...\), got shape \(3, 6\)"),
        (lambda: nn.GroupNorm(2, 2)(tn.ones((1, 2))), "more than one value per group"),
        (lambda: F.group_norm(tn.ones((2, 6)), 4), "6 channels do not divide into 4 groups"),
        (lambda: F.group_norm(tn.ones((2, 6)), 2, tn.ones((5,))), r"weight: expected shape \(6,\), got \(5,\)"),
        (lambda: nn.BatchNorm2d(3)(tn.ones((2, 3, 4))), "expected 4 axes with 3 channels on axis 1"),
        (lambda: nn.BatchNorm3d(3)(tn.ones((2, 3, 4, 4))), "expected 5 axes"),
        (lambda: nn.BatchNorm2d(-1), "num_features: expected an int >= 1, got -1"),
        (lambda: nn.BatchNorm2d(3, momentum=1.5), "momentum: expected a finite number >= 0 and <= 1, got 1.5"),
        (lambda: nn.BatchNorm2d(3, eps=-1.0), "eps"),
        (lambda: nn.BatchNorm1d(3, eps=0.0)(tn.ones((2, 3))), "eps: expected a finite number > 0"),
        (lambda: F.batch_norm(tn.ones((2, 3)), tn.zeros((3,)), None), "running_var: .* got NoneType"),
        (lambda: nn.InstanceNorm1d(3)(tn.ones((2, 3))[0]), "expected 2 or 3 axes, got shape"),
        (lambda: nn.InstanceNorm1d(3, affine=True)(tn.ones((2, 4, 5))), "expected 3 channels on axis 1"),
        (lambda: nn.InstanceNorm2d(3)(tn.ones((2, 3, 1, 1))), "more than one place per channel"),
        (lambda: F.instance_norm(tn.ones((2, 3, 4)), use_input_stats=False), "needs running_mean"),
        (lambda: F.instance_norm(tn.ones((2, 3))), "at least 3 axes"),
        (lambda: nn.LocalResponseNorm(0), "size: expected an int >= 1, got 0"),
        (lambda: nn.LocalResponseNorm(2)(tn.ones((2, 3))), "at least 3 axes"),
        (lambda: F.local_response_norm(tn.ones((2, 3, 4)), -1), "size: expected an int >= 1"),
        (lambda: nn.CrossMapLRN2d(3)(tn.ones((2, 3, 4))), r"expected \(N, C, H, W\)"),
        (lambda: nn.LayerNorm(()), "at least one size"),
        (lambda: F.layer_norm(tn.ones((2, 3)), 3, tn.ones((2,))), "weight: expected shape"),
    ]:
        with pytest.raises(ValueError, match=error):
            call()
    with pytest.raises(TypeError, match="batch_norm: input: expected a floating dtype, got int64"):
        F.batch_norm(tn.tensor([[1], [2]]), None, None, training=True)
    with pytest.warns(UserWarning, match="num_features has no effect"):
        assert nn.InstanceNorm1d(3)(tn.ones((2, 4, 5))).shape == (2, 4, 5)


def test_a_refused_batch_leaves_no_trace():
    layer = nn.BatchNorm1d(3)
    with pytest.raises(ValueError):
        layer(tn.ones((1, 3)))
    assert layer.num_batches_tracked.item() == 0 and layer.running_mean.numpy().tolist() == [0, 0, 0]


def test_layers_of_one_another():
    """One group is a layer norm over the channels and places, groups of one channel an instance norm."""
    x = tn.tensor(np.random.default_rng(2).standard_normal((3, 4, 2, 5)))
    one, all_ = F.group_norm(x, 1), F.group_norm(x, 4)
    np.testing.assert_allclose(one.numpy(), F.layer_norm(x, (4, 2, 5)).numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(all_.numpy(), F.instance_norm(x).numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(
        nn.CrossMapLRN2d(3, 0.5)(x).numpy(), nn.LocalResponseNorm(3, 0.5)(x).numpy(), rtol=1e-12
    )


def test_instance_norm_keeps_running_averages():
    layer = nn.InstanceNorm1d(3, momentum=0.3, track_running_stats=True).double()
    layer(tn.tensor(X))
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.3 * X.mean((0, 2)), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), 0.7 + 0.3 * X.var(2, ddof=1).mean(0), rtol=1e-12)
    m, v = (b.numpy()[:, None] for b in (layer.running_mean, layer.running_var))
    np.testing.assert_allclose(layer.eval()(tn.tensor(X[0])).numpy(), (X[0] - m) / np.sqrt(v + 1e-5), rtol=1e-10)


@pytest.mark.parametrize("make", [lambda: nn.BatchNorm1d(3), lambda: nn.LayerNorm(4), lambda: nn.RMSNorm(4),
                                  lambda: nn.GroupNorm(1, 3), lambda: nn.InstanceNorm1d(3, affine=True)])
def test_half_precision_is_computed_in_single(make):
    layer, x = make().half(), np.asarray(X * 30, "float16")
    out = layer(tn.tensor(x))
    assert out.dtype == tn.float16
    np.testing.assert_allclose(out.numpy(), make().double()(tn.tensor(x.astype("d"))).numpy(), atol=5e-3)


@pytest.mark.row("S0-T19")
def test_batch_norm_by_check_module():
    layer = nn.BatchNorm2d(3)
    x, t = (tn.tensor(np.random.default_rng(k).standard_normal((4, 3, 2, 5))) for k in (0, 1))
    for mode in (True, False):
        layer.train(mode)
        assert tn.testing.check_module(layer, lambda: ((layer(x) - t) ** 3).mean()).verdict == "CORRECT"


def test_text():
    assert repr(nn.LayerNorm((3, 4))) == "LayerNorm((3, 4), eps=1e-05, elementwise_affine=True, bias=True)"
    assert repr(nn.RMSNorm(3)) == "RMSNorm((3,), eps=None, elementwise_affine=True)"
    assert (
        repr(nn.BatchNorm1d(3, bias=False))
        == "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=False, track_running_stats=True)"
    )


@pytest.mark.parametrize(
    "name, options, shape",
    [
        ("LayerNorm", {"normalized_shape": (3, 4)}, (5, 3, 4)),
        ("RMSNorm", {"normalized_shape": 4}, (5, 3, 4)),
        ("BatchNorm1d", {"num_features": 3}, (5, 3, 4)),
        ("BatchNorm2d", {"num_features": 3, "momentum": None}, (5, 3, 4, 2)),
        ("BatchNorm3d", {"num_features": 3, "bias": False}, (5, 3, 2, 2, 2)),
        ("InstanceNorm1d", {"num_features": 3}, (3, 4)),
        ("InstanceNorm2d", {"num_features": 3, "affine": True, "track_running_stats": True}, (5, 3, 4, 2)),
        ("InstanceNorm3d", {"num_features": 3, "affine": True}, (5, 3, 2, 2, 2)),
        ("GroupNorm", {"num_groups": 3, "num_channels": 6}, (2, 6, 4)),
        ("LocalResponseNorm", {"size": 4, "alpha": 0.7}, (2, 6, 4)),
    ],
)
def test_same_as_pytorch(name, options, shape):
    torch = pytest.importorskip("torch")
    since = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2]) >= (2, 13)
    if "bias" in options and not since:
        pytest.skip("before PyTorch 2.13 these layers had no argument bias")
    theirs, ours = getattr(torch.nn, name)(**options).double(), getattr(nn, name)(**options).double()
    assert list(theirs.state_dict()) == list(ours.state_dict())
    assert repr(theirs) == (repr(ours) if since else repr(ours).replace(", bias=True", "").replace(", bias=False", ""))
    ours.load_state_dict(theirs.state_dict())
    rng = np.random.default_rng(3)
    for mode in (True, True, False):
        theirs.train(mode), ours.train(mode)
        values = rng.standard_normal(shape) * 2 + 1
        x, y = tn.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
        out, wanted = ours(x), theirs(y)
        np.testing.assert_allclose(out.numpy(), wanted.detach().numpy(), rtol=1e-10, atol=1e-12)
        (out**3).sum().backward()
        (wanted**3).sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-8, atol=1e-10)
    for key, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[key].numpy(), value.numpy(), rtol=1e-10)


@pytest.mark.parametrize("kind", ["BatchNorm", "InstanceNorm"])
@pytest.mark.parametrize("places", [1, 2, 3])
def test_lazy_layers_learn_the_number_of_channels(kind, places):
    made, plain = getattr(nn, f"Lazy{kind}{places}d"), getattr(nn, f"{kind}{places}d")
    x = tn.tensor(np.random.default_rng(4).standard_normal((4, 3, *(2, 3, 2)[:places])))
    layer, wanted = made(dtype="float64"), plain(3, affine=True, track_running_stats=True, dtype="float64")
    keys = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert layer.has_uninitialized_params() and repr(layer).startswith(f"Lazy{kind}{places}d(0, eps=")
    assert list(layer.state_dict()) == keys and not layer.weight.size
    np.testing.assert_array_equal(layer(x).numpy(), wanted(x).numpy())
    assert type(layer) is plain and repr(layer) == repr(wanted) and type(layer.weight) is nn.Parameter
    loaded = made(dtype="float64")
    loaded.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(loaded.eval()(x).numpy(), layer.eval()(x).numpy())
    assert loaded.num_features == 3
    bare = made(affine=False, track_running_stats=False)
    assert bare(x.astype("float32")).shape == x.shape and type(bare) is plain and not bare.state_dict()
    assert made(bias=False).bias is None
    with pytest.raises(ValueError, match="expected"):
        made()(tn.ones((2, 3))[0] if kind == "BatchNorm" else tn.ones(()))
