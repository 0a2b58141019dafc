"""Clipped gradients, parameters as a vector, fused layers, weight and spectral norm of the older form."""
import copy
import math

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import utils

RNG = np.random.default_rng(0)
SHAPES = [(3, 2), (4,), ()]


def parameters(scale=1.0, dtype="float64"):
    """Parameters with gradients, one of them without; and the gradients."""
    found = [nn.Parameter(np.zeros(shape, dtype)) for shape in [*SHAPES, (7,)]]
    gradients = [RNG.standard_normal(shape) * scale for shape in SHAPES]
    for p, g in zip(found, gradients):
        p.grad = tn.tensor(g.astype(dtype))
    return found, gradients


@pytest.mark.parametrize("p", [0.5, 1, 2.0, 3, math.inf, "inf"])
@pytest.mark.parametrize("limit", [0.1, 100.0])
def test_clip_by_norm(p, limit):
    found, gradients = parameters()
    total = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]), float(p))
    kept = found[0].grad
    np.testing.assert_allclose(utils.get_total_norm([q.grad for q in found[:3]], p).item(), total, rtol=1e-12)
    np.testing.assert_allclose(utils.clip_grad_norm_(iter(found), limit, p).item(), total, rtol=1e-12)
    factor = min(1, limit / (total + 1e-6))
    for q, g in zip(found, gradients):
        np.testing.assert_allclose(q.grad.numpy(), g * factor, rtol=1e-12)
    assert found[3].grad is None and found[0].grad is kept, "the gradient is scaled in its place"


def test_clip_by_value():
    found, gradients = parameters(3.0)
    utils.clip_grad_value_(found, 1.5)
    for q, g in zip(found, gradients):
        np.testing.assert_array_equal(q.grad.numpy(), np.clip(g, -1.5, 1.5))
    utils.clip_grad_value_(found[1], 0.5)
    assert abs(found[1].grad.numpy()).max() <= 0.5


def test_norms_of_nothing_and_of_what_is_not_finite():
    p = nn.Parameter([1.0])
    assert utils.clip_grad_norm_(p, 1.0).item() == 0 and p.grad is None
    p.grad = tn.tensor([np.inf], dtype=tn.float32)
    with pytest.raises(RuntimeError, match="norm of order 2.0 of 1 gradients is inf"):
        utils.clip_grad_norm_([p], 1.0, error_if_nonfinite=True)
    assert np.isinf(p.grad.numpy()).all(), "nothing was changed"
    found, _ = parameters(dtype="float32")
    found[0].grad = found[0].grad.astype("float64")
    assert utils.get_total_norm([q.grad for q in found[:3]]).dtype == tn.float64


@pytest.mark.parametrize("call, error, match", [
    (lambda: utils.clip_grad_norm_([], 1.0), ValueError, "expected at least one; was a generator"),
    (lambda: utils.clip_grad_value_(iter(()), 1.0), ValueError, "expected at least one"),
    (lambda: utils.clip_grad_norm_(nn.Parameter([1.0]), -1.0), ValueError, "max_norm: expected"),
    (lambda: utils.clip_grad_norm_(nn.Parameter([1.0]), math.nan), ValueError, "max_norm"),
    (lambda: utils.clip_grad_value_(nn.Parameter([1.0]), -2), ValueError, "clip_value"),
    (lambda: utils.clip_grad_norm_(nn.Parameter([1.0]), 1.0, "two"), TypeError, "norm_type: expected a number"),
    (lambda: utils.clip_grad_norm_([3.0], 1.0), TypeError, "expected Tensors, got float at place 0"),
    (lambda: utils.parameters_to_vector([]), ValueError, "expected at least one"),
    (lambda: utils.vector_to_parameters(tn.zeros((3,)), [nn.Parameter([1.0])]), ValueError, r"expected shape \(1,\)"),
    (lambda: utils.vector_to_parameters([1.0], [nn.Parameter([1.0])]), TypeError, "expected a Tensor, got list"),
])
def test_what_is_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_parameters_as_a_vector_and_back():
    net = nn.MLP([3, 4, 2]).double()
    vector = utils.parameters_to_vector(net.parameters())
    np.testing.assert_array_equal(vector.numpy(), np.concatenate([p.numpy().ravel() for p in net.parameters()]))
    (vector**2).sum().backward()
    np.testing.assert_allclose(net[0].weight.grad.numpy(), 2 * net[0].weight.numpy())
    other = RNG.standard_normal(vector.shape)
    given = tn.tensor(other)
    utils.vector_to_parameters(given, net.parameters())
    given[:] = 0.0
    np.testing.assert_array_equal(utils.parameters_to_vector(net.parameters()).numpy(), other)
    assert all(p.requires_grad for p in net.parameters())


@pytest.mark.parametrize("affine, bias", [(True, True), (False, True), (True, False)])
def test_a_batch_norm_folds_into_the_layer_before(affine, bias):
    layer, bn = nn.Linear(3, 4, bias=bias).double(), nn.BatchNorm1d(4, affine=affine).double()
    x = tn.tensor(RNG.standard_normal((8, 3)))
    for _ in range(3):
        bn(layer(x) * 3 + 1)
    layer.eval(), bn.eval()
    before = copy.deepcopy(layer)
    fused = utils.fuse_linear_bn_eval(layer, bn)
    np.testing.assert_allclose(fused(x).numpy(), bn(layer(x)).numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(layer.weight.numpy(), before.weight.numpy())
    assert fused.weight.requires_grad and type(fused) is nn.Linear
    for wrong, match in [((layer, nn.BatchNorm1d(5).eval()), "4 output channels, the batch norm 5"),
                         ((layer, nn.BatchNorm1d(4)), "evaluation mode"),
                         ((layer, nn.BatchNorm1d(4, track_running_stats=False).eval()), "running averages")]:
        with pytest.raises(ValueError, match=match):
            utils.fuse_linear_bn_eval(*wrong)


@pytest.mark.parametrize("name, keys", [("weight_norm", ["bias", "weight_g", "weight_v"]),
                                        ("spectral_norm", ["bias", "weight_orig", "weight_u", "weight_v"])])
def test_norms_of_the_older_form(name, keys):
    layer = nn.Linear(3, 4).double()
    weight = layer.weight.numpy().copy()
    assert getattr(utils, name)(layer) is layer and list(layer.state_dict()) == keys
    if name == "weight_norm":
        np.testing.assert_allclose(layer.weight.numpy(), weight, rtol=1e-12)
    x = tn.tensor(RNG.standard_normal((5, 3)))
    out = layer(x)
    np.testing.assert_allclose(out.numpy(), x.numpy() @ layer.weight.numpy().T + layer.bias.numpy())
    layer.eval()
    assert tn.testing.check_module(layer, lambda: (layer(x) ** 3).sum()).verdict == "CORRECT"
    with pytest.raises(ValueError, match="no parameter 'weight'"):  # it is computed now
        getattr(utils, name)(layer)
    made = layer.weight.numpy()
    assert getattr(utils, f"remove_{name}")(layer) is layer and sorted(layer.state_dict()) == ["bias", "weight"]
    np.testing.assert_array_equal(layer.weight.numpy(), made)
    assert layer._hooks is None and layer.weight.requires_grad
    with pytest.raises(ValueError, match="not found in Linear"):
        getattr(utils, f"remove_{name}")(layer)


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
def test_older_form_same_as_pytorch(name):
    torch = pytest.importorskip("torch")
    with pytest.warns(FutureWarning) if name == "weight_norm" else pytest.MonkeyPatch.context():
        theirs = getattr(torch.nn.utils, name)(torch.nn.Linear(3, 4).double())
    ours = getattr(utils, name)(nn.Linear(3, 4).double())
    ours.load_state_dict({key: value.detach().numpy() for key, value in theirs.state_dict().items()})
    x = RNG.standard_normal((4, 3))
    for _ in range(2):
        (ours(tn.tensor(x)) ** 3).sum().backward()
        (theirs(torch.tensor(x)) ** 3).sum().backward()
    for key, p in theirs.named_parameters():
        np.testing.assert_allclose(ours.get_parameter(key).grad.numpy(), p.grad.numpy(), rtol=1e-9, atol=1e-11)
    for key, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[key].numpy(), value.detach().numpy(), rtol=1e-10, atol=1e-12)
