"""Parametrized tensors: how they are set up, used, set and removed; weight norm, spectral norm, orthogonal."""
import copy

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn.utils import parametrize
from tinygrad_notes.nn.utils.parametrizations import orthogonal, spectral_norm, weight_norm

RNG = np.random.default_rng(0)


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(k=1).mT

    def right_inverse(self, a):
        return a.triu()


class Double(nn.Module):
    def forward(self, x):
        return 2 * x


class Cut(nn.Module):
    def forward(self, x):
        return x[:1]


class Wider(nn.Module):
    def forward(self, x):
        return x.astype("float64")


class Split(nn.Module):
    def forward(self, low, high):
        return low + high

    def right_inverse(self, x):
        return x.clip(None, 0), x.clip(0, None)


def test_a_parametrized_weight_is_computed_from_its_original():
    layer = nn.Linear(3, 3).double()
    weight, original = layer.weight.numpy().copy(), layer.weight
    assert parametrize.register_parametrization(layer, "weight", Symmetric()) is layer
    assert type(layer).__name__ == "ParametrizedLinear" and isinstance(layer, nn.Linear)
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert layer.parametrizations.weight.original is original, "an optimizer that knows it goes on"
    upper = np.triu(weight)
    np.testing.assert_allclose(layer.weight.numpy(), upper + np.triu(weight, 1).T, rtol=1e-15)
    x = tn.tensor(RNG.standard_normal((2, 3)))
    assert tn.testing.check_module(layer, lambda: (layer(x) ** 3).sum()).verdict == "CORRECT"
    layer(x).sum().backward()
    assert original.grad.shape == (3, 3) and not np.tril(original.grad.numpy(), -1).any()
    other = RNG.standard_normal((3, 3))
    layer.weight = tn.tensor(other + other.T)
    np.testing.assert_allclose(layer.weight.numpy(), other + other.T, rtol=1e-15)


def test_several_functions_and_tensors():
    layer = nn.Linear(3, 3).double()
    parametrize.register_parametrization(layer, "weight", Symmetric())
    made = layer.weight.numpy()
    parametrize.register_parametrization(layer, "weight", Double())
    parametrize.register_parametrization(layer, "bias", Double())
    np.testing.assert_allclose(layer.weight.numpy(), 2 * made)
    assert parametrize.is_parametrized(layer) and parametrize.is_parametrized(layer, "bias")
    assert not parametrize.is_parametrized(nn.Linear(1, 1)) and not parametrize.is_parametrized(layer, "other")
    with pytest.raises(RuntimeError, match="Double has no right_inverse"):
        layer.weight = tn.zeros((3, 3))
    parametrize.remove_parametrizations(layer, "bias", leave_parametrized=False)
    assert type(layer).__name__ == "ParametrizedLinear" and "bias" in layer.state_dict()
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear and isinstance(layer.weight, nn.Parameter) and not list(layer.children())
    np.testing.assert_allclose(layer.weight.numpy(), 2 * made)
    layer.weight = nn.Parameter(tn.zeros((3, 3)))
    assert not layer.weight.numpy().any(), "an ordinary attribute again"


def test_a_tensor_made_of_two():
    layer = nn.Linear(2, 3).double()
    weight = layer.weight.numpy().copy()
    parametrize.register_parametrization(layer, "weight", Split())
    names = [name for name, _ in layer.named_parameters()]
    assert names == ["bias", "parametrizations.weight.original0", "parametrizations.weight.original1"]
    np.testing.assert_array_equal(layer.weight.numpy(), weight)
    with pytest.raises(ValueError, match="made of 2 tensors"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    parametrize.remove_parametrizations(layer, "weight")
    assert isinstance(layer.weight, nn.Parameter) and layer.weight.requires_grad
    np.testing.assert_array_equal(layer.weight.numpy(), weight)


def test_buffers_modes_copies_and_states():
    norm = nn.BatchNorm1d(2)
    parametrize.register_parametrization(norm, "running_mean", Double())
    assert "parametrizations.running_mean.original" in norm.state_dict() and not norm.running_mean.requires_grad
    layer = spectral_norm(nn.Linear(3, 4).eval())
    assert not any(m.training for m in layer.modules())
    twin = copy.deepcopy(layer)
    with tn.no_grad():
        twin.parametrizations.weight.original[:] = 0.5
    assert not np.allclose(twin.weight.numpy(), layer.weight.numpy()) and type(twin) is type(layer)
    parametrize.remove_parametrizations(twin, "weight")
    assert parametrize.is_parametrized(layer) and type(twin) is nn.Linear, "a copy has a life of its own"
    other = spectral_norm(nn.Linear(3, 4)).eval()
    other.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(other.weight.numpy(), layer.weight.numpy())
    given = {"parametrizations.weight.original": tn.ones((4, 3))}
    out = nn.functional_call(layer, given, tn.ones((1, 3)))
    assert not np.allclose(out.numpy(), layer(tn.ones((1, 3))).numpy())


def test_cached_values_serve_one_block():
    layer, calls = nn.Linear(2, 2), []
    parametrize.register_parametrization(layer, "weight", Double())
    layer.parametrizations.weight[0].register_forward_hook(lambda *_: calls.append(1))
    with parametrize.cached():
        with parametrize.cached():
            first = layer.weight
        assert layer.weight is first and len(calls) == 1
    assert layer.weight is not first and len(calls) == 2
    with pytest.raises(ZeroDivisionError), parametrize.cached():
        raise ZeroDivisionError
    assert layer.weight is not layer.weight


@pytest.mark.parametrize("wrong, error, match", [
    (lambda m: parametrize.register_parametrization(m, "nothing", Double()), ValueError, "no parameter or buffer"),
    (lambda m: parametrize.register_parametrization(m, "in_features", Double()), ValueError, "it has weight, bias"),
    (lambda m: parametrize.register_parametrization(m, "weight", lambda x: x), TypeError, "expected a Module"),
    (lambda m: parametrize.register_parametrization(m, "weight", Cut()), ValueError, r"\(3, 2\), got .* \(1, 2\)"),
    (lambda m: parametrize.register_parametrization(m, "weight", Wider()), ValueError, "float32 .* got float64"),
    (lambda m: parametrize.remove_parametrizations(m, "weight"), ValueError, "has no parametrization of 'weight'"),
    (lambda m: weight_norm(m, dim=2), ValueError, "an axis of the weight"),
    (lambda m: weight_norm(m, "gain"), ValueError, "no parameter or buffer 'gain'"),
    (lambda m: spectral_norm(m, n_power_iterations=0), ValueError, "n_power_iterations"),
    (lambda m: spectral_norm(m, dim=3), IndexError, "out of range"),
    (lambda m: orthogonal(m, "bias"), ValueError, "at least two axes"),
    (lambda m: orthogonal(m, orthogonal_map="qr"), ValueError, "expected one of 'matrix_exp'"),
])
def test_what_is_refused_changes_nothing(wrong, error, match):
    layer = nn.Linear(2, 3)
    before = {key: value.numpy().copy() for key, value in layer.state_dict().items()}
    with pytest.raises(error, match=match):
        wrong(layer)
    assert type(layer) is nn.Linear and list(layer.state_dict()) == list(before)
    for key, value in before.items():
        np.testing.assert_array_equal(layer.state_dict()[key].numpy(), value)


def test_a_second_function_must_keep_the_shape_too():
    layer = parametrize.register_parametrization(nn.Linear(2, 3), "weight", Double())
    with pytest.raises(ValueError, match="parametrization Cut"):
        parametrize.register_parametrization(layer, "weight", Cut())
    assert len(layer.parametrizations.weight) == 1
    parametrize.register_parametrization(layer, "weight", Cut(), unsafe=True)
    assert layer.weight.shape == (1, 2)


@pytest.mark.parametrize("dim, shape", [(0, (3, 1, 1)), (1, (1, 2, 1)), (None, ())])
def test_weight_norm(dim, shape):
    layer = nn.Module()
    v = RNG.standard_normal((3, 2, 4))
    layer.w = nn.Parameter(v)
    weight_norm(layer, "w", dim)
    g = layer.parametrizations.w.original0
    assert g.shape == shape
    np.testing.assert_allclose(layer.w.numpy(), v, rtol=1e-14)
    axes = None if dim is None else tuple(a for a in range(3) if a != dim)
    with tn.no_grad():
        g.mul_(2.0)
        layer.parametrizations.w.original1.mul_(5.0)
    np.testing.assert_allclose(np.sqrt((layer.w.numpy() ** 2).sum(axes, keepdims=dim is not None)), g.numpy())
    assert tn.testing.check_module(layer, lambda: (layer.w**3).sum()).verdict == "CORRECT"


def test_weight_norm_reads_states_of_the_older_form():
    old = nn.utils.weight_norm(nn.Linear(3, 4))
    new = weight_norm(nn.Linear(3, 4))
    assert sorted(old.state_dict()) == ["bias", "weight_g", "weight_v"]
    given = old.state_dict()
    new.load_state_dict(given)
    assert "weight_g" in given, "the dict of the caller is not changed"
    np.testing.assert_allclose(new.weight.numpy(), old.weight.numpy())


@pytest.mark.row("S1-13")
@pytest.mark.parametrize("shape, dim", [((4, 3), 0), ((3, 4, 2), 1), ((5,), 0)])
def test_spectral_norm(shape, dim):
    layer = nn.Module()
    w = RNG.standard_normal(shape) * 3
    layer.w = nn.Parameter(w)
    spectral_norm(layer, "w", n_power_iterations=200, dim=dim)
    matrix = np.moveaxis(w, dim, 0).reshape(shape[dim], -1)
    size = np.linalg.norm(w) if w.ndim == 1 else np.linalg.svd(matrix)[1][0]
    np.testing.assert_allclose(layer.w.numpy(), w / size, rtol=1e-10)
    layer.eval()
    np.testing.assert_array_equal(layer.w.numpy(), layer.w.numpy(), "no steps in evaluation")
    assert tn.testing.check_module(layer, lambda: (layer.w**3).sum()).verdict == "CORRECT"


@pytest.mark.parametrize("trivial", [True, False])
@pytest.mark.parametrize("name", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (2, 3, 5)])
def test_orthogonal(shape, name, trivial):
    layer = nn.Module()
    q = np.linalg.qr(np.swapaxes(RNG.standard_normal(shape), -1, -2) if shape[-2] < shape[-1] else
                     RNG.standard_normal(shape))[0]
    q = np.swapaxes(q, -1, -2) if shape[-2] < shape[-1] else q
    layer.w = nn.Parameter(q)
    orthogonal(layer, "w", name, use_trivialization=trivial)
    if trivial or name == "householder":
        w = layer.w.numpy()
        r = np.swapaxes(q, -1, -2) @ w if shape[-2] >= shape[-1] else q @ np.swapaxes(w, -1, -2)
        np.testing.assert_allclose(abs(r), np.broadcast_to(np.eye(min(shape[-2:])), r.shape), atol=1e-12)
    else:
        with pytest.raises(NotImplementedError, match="cannot be set"):
            layer.w = tn.tensor(q)
    with tn.no_grad():
        original = layer.parametrizations.w.original
        noise = 0.3 * RNG.standard_normal(shape)
        noise[..., range(min(shape[-2:])), range(min(shape[-2:]))] = 0
        original.data = (original + tn.tensor(noise)).data
    w = layer.w.numpy() if shape[-2] >= shape[-1] else np.swapaxes(layer.w.numpy(), -1, -2)
    gram = np.swapaxes(w, -1, -2) @ w
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(gram.shape[-1]), gram.shape), atol=1e-12)
    target = tn.tensor(RNG.standard_normal(shape))
    assert tn.testing.check_module(layer, lambda: (layer.w * target).sum()).verdict == "CORRECT"


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm", "orthogonal"])
def test_same_as_pytorch(name):
    torch = pytest.importorskip("torch")
    theirs = getattr(torch.nn.utils.parametrizations, name)(torch.nn.Linear(3, 5).double())
    ours = getattr(nn.utils.parametrizations, name)(nn.Linear(3, 5).double())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict({key: value.detach().numpy() for key, value in theirs.state_dict().items()})
    x = RNG.standard_normal((4, 3))
    for _ in range(2):
        (ours(tn.tensor(x)) ** 3).sum().backward()
        (theirs(torch.tensor(x)) ** 3).sum().backward()
        for (key, p), q in zip(ours.named_parameters(), theirs.parameters()):
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-9, atol=1e-11, err_msg=key)
    for key, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[key].numpy(), value.detach().numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ours.weight.numpy(), theirs.weight.detach().numpy(), rtol=1e-10, atol=1e-12)
    value = np.linalg.qr(RNG.standard_normal((5, 3)))[0]
    ours.eval().weight, theirs.eval().weight = tn.tensor(value), torch.tensor(value)
    np.testing.assert_allclose(ours.weight.numpy(), theirs.weight.detach().numpy(), rtol=1e-10, atol=1e-12)
