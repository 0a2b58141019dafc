"""Activation layers against NumPy, their gradients, options and repr."""

import math

import numpy as np
import pytest
from scipy import special

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

X = np.random.default_rng(0).standard_normal((4, 6)) * 2


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * (np.exp(x) - 1))


def softmax(x, axis):
    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)


ROWS = [  # layer, the same by NumPy, repr
    (nn.Sigmoid(), sigmoid, "Sigmoid()"),
    (nn.Tanh(), np.tanh, "Tanh()"),
    (nn.SiLU(), lambda x: x * sigmoid(x), "SiLU()"),
    (nn.Mish(), lambda x: x * np.tanh(np.log(1 + np.exp(x))), "Mish()"),
    (nn.GELU(), lambda x: x * (1 + special.erf(x / math.sqrt(2))) / 2, "GELU(approximate='none')"),
    (
        nn.GELU("tanh"),
        lambda x: x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
        "GELU(approximate='tanh')",
    ),
    (nn.Softplus(), lambda x: np.log(1 + np.exp(x)), "Softplus(beta=1.0, threshold=20.0)"),
    (
        nn.Softplus(2.0, 1.0),
        lambda x: np.where(2 * x > 1, x, np.log(1 + np.exp(2 * x)) / 2),
        "Softplus(beta=2.0, threshold=1.0)",
    ),
    (nn.Softsign(), lambda x: x / (1 + abs(x)), "Softsign()"),
    (nn.LogSigmoid(), lambda x: np.log(sigmoid(x)), "LogSigmoid()"),
    (nn.Tanhshrink(), lambda x: x - np.tanh(x), "Tanhshrink()"),
    (nn.ELU(0.5), lambda x: elu(x, 0.5), "ELU(alpha=0.5)"),
    (nn.SELU(), lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772), "SELU()"),
    (nn.CELU(0.5), lambda x: np.where(x > 0, x, 0.5 * (np.exp(x / 0.5) - 1)), "CELU(alpha=0.5)"),
    (nn.ReLU(), lambda x: np.maximum(x, 0), "ReLU()"),
    (nn.ReLU(inplace=True), lambda x: np.maximum(x, 0), "ReLU(inplace=True)"),
    (nn.ReLU6(), lambda x: np.clip(x, 0, 6), "ReLU6()"),
    (
        nn.LeakyReLU(0.2, inplace=True),
        lambda x: np.where(x > 0, x, 0.2 * x),
        "LeakyReLU(negative_slope=0.2, inplace=True)",
    ),
    (nn.Hardtanh(-0.5, 2.0), lambda x: np.clip(x, -0.5, 2), "Hardtanh(min_val=-0.5, max_val=2.0)"),
    (nn.Hardsigmoid(), lambda x: np.clip(x / 6 + 0.5, 0, 1), "Hardsigmoid()"),
    (nn.Hardswish(), lambda x: x * np.clip(x / 6 + 0.5, 0, 1), "Hardswish()"),
    (nn.Threshold(0.3, -7.0), lambda x: np.where(x > 0.3, x, -7), "Threshold(threshold=0.3, value=-7.0)"),
    (nn.Softshrink(0.3), lambda x: np.sign(x) * np.maximum(abs(x) - 0.3, 0), "Softshrink(0.3)"),
    (nn.Hardshrink(0.3), lambda x: np.where(abs(x) > 0.3, x, 0), "Hardshrink(0.3)"),
    (nn.RReLU(0.1, 0.3).eval(), lambda x: np.where(x > 0, x, 0.2 * x), "RReLU(lower=0.1, upper=0.3)"),
    (nn.GLU(), lambda x: x[:, :3] * sigmoid(x[:, 3:]), "GLU(dim=-1)"),
    (nn.GLU(0), lambda x: x[:2] * sigmoid(x[2:]), "GLU(dim=0)"),
    (nn.Softmax(0), lambda x: softmax(x, 0), "Softmax(dim=0)"),
    (nn.Softmax(), lambda x: softmax(x, 1), "Softmax(dim=None)"),
    (nn.LogSoftmax(-1), lambda x: np.log(softmax(x, 1)), "LogSoftmax(dim=-1)"),
    (nn.Softmin(1), lambda x: softmax(-x, 1), "Softmin(dim=1)"),
]
IDS = [text for _, _, text in ROWS]


@pytest.mark.parametrize("layer, oracle, text", ROWS, ids=IDS)
def test_values_and_text(layer, oracle, text):
    np.testing.assert_allclose(layer(tn.tensor(X)).numpy(), oracle(X), rtol=1e-12, atol=1e-14)
    assert repr(layer) == text and not list(layer.parameters())
    single = layer(tn.tensor(X.astype("float32")))
    assert single.dtype == tn.float32
    np.testing.assert_allclose(single.numpy(), oracle(X), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("layer, oracle, text", ROWS, ids=IDS)
def test_gradients(layer, oracle, text):
    x = tn.tensor(X, requires_grad=True)
    assert tn.gradcheck(layer, x, strict=True)
    assert tn.gradgradcheck(layer, x, strict=True, fast_mode=True)


@pytest.mark.parametrize("layer, oracle, text", ROWS, ids=IDS)
def test_inputs_are_left_alone(layer, oracle, text):
    x = tn.tensor(X)
    layer(x)
    np.testing.assert_array_equal(x.numpy(), X)


def test_prelu():
    layer = nn.PReLU(6, 0.1).double()
    assert layer.weight.numpy() == pytest.approx([0.1] * 6, rel=1e-7) and repr(layer) == "PReLU(num_parameters=6)"
    layer.weight.data[...] = tn.tensor(np.arange(6.0)).data
    np.testing.assert_allclose(layer(tn.tensor(X)).numpy(), np.where(X > 0, X, np.arange(6) * X))
    assert tn.gradcheck(F.prelu, [tn.tensor(X, requires_grad=True), layer.weight], strict=True)
    assert tn.gradgradcheck(F.prelu, [tn.tensor(X, requires_grad=True), layer.weight], fast_mode=True)
    image = np.random.default_rng(1).standard_normal((2, 6, 3, 3))
    np.testing.assert_allclose(
        layer(tn.tensor(image)).numpy(), np.where(image > 0, image, np.arange(6).reshape(6, 1, 1) * image)
    )
    with pytest.raises(ValueError, match="weight must hold 1 or 5 slopes"):
        layer(tn.ones((2, 5)))
    with pytest.raises(ValueError, match="num_parameters"):
        nn.PReLU(0)


def test_random_slopes_are_uniform_between_the_limits():
    x = tn.full((100_000,), -1.0, dtype="float64", requires_grad=True)
    out = nn.RReLU(0.2, 0.6)(x)
    slopes = -out.numpy()
    assert slopes.min() >= 0.2 and slopes.max() <= 0.6
    assert abs(slopes.mean() - 0.4) < 0.002 and slopes.std() == pytest.approx(0.4 / math.sqrt(12), rel=0.02)
    out.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), slopes)
    np.testing.assert_array_equal(nn.RReLU()(tn.tensor([2.0, 0.0])).numpy(), [2, 0])
    with pytest.raises(ValueError, match="lower <= upper"):
        F.rrelu(x, 0.5, 0.1)


def test_softmax_axes():
    cube = np.random.default_rng(0).standard_normal((2, 3, 4))
    np.testing.assert_allclose(F.softmax(tn.tensor(cube)).numpy(), softmax(cube, 0))  # PyTorch's rule for three axes
    np.testing.assert_allclose(nn.Softmax2d()(tn.tensor(cube)).numpy(), softmax(cube, 0))
    assert F.softmax(tn.tensor([1, 2]), 0, dtype="float64").dtype == tn.float64
    with pytest.raises(ValueError, match="expected 3 or 4 axes"):
        nn.Softmax2d()(tn.ones((2, 3)))
    with pytest.raises(IndexError):
        nn.Softmax(3)(tn.tensor(cube))
    with pytest.raises(ValueError, match="even size along axis -1"):
        nn.GLU()(tn.ones((2, 3)))
    with pytest.raises(IndexError, match="dim 2 is out of range"):
        nn.GLU(2)(tn.ones((2, 2)))


def test_extreme_arguments_stay_finite():
    x = tn.tensor([-1e4, -100.0, 0.5, 100.0, 1e4, 3.0], requires_grad=True)
    for layer, _, text in ROWS:
        if "dim=0" in text:
            continue
        x.grad = None
        out = layer(x.reshape(1, 6))
        out.sum().backward()
        assert np.isfinite(out.numpy()).all() and np.isfinite(x.grad.numpy()).all(), text


def test_functions_have_pytorchs_arguments_and_documentation():
    for name in F.activation.__all__:
        function = getattr(F, name)
        assert function.__doc__ and "Formula:" in function.__doc__ and "Example:" in function.__doc__, name
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        assert names[0] in ("input", "logits"), name
        for argument in names:
            assert argument in function.__doc__, (name, argument)
    assert F.relu(tn.tensor([-1.0]), inplace=True).item() == 0 and F.elu(tn.tensor([1.0]), 1.0, True).item() == 1


def test_gumbel_softmax_draws_by_the_probabilities():
    logits = np.log([0.1, 0.2, 0.7])
    draws = F.gumbel_softmax(tn.tensor(np.tile(logits, (60_000, 1))), hard=True, generator=tn.Generator(0)).numpy()
    assert set(np.unique(draws)) == {0.0, 1.0} and np.all(draws.sum(1) == 1)
    assert np.all(abs(draws.mean(0) - [0.1, 0.2, 0.7]) < 4 * np.sqrt(0.25 / 60_000))
    x = tn.tensor(logits, requires_grad=True)
    soft = F.gumbel_softmax(x, 0.5, generator=tn.Generator(1))
    hard = F.gumbel_softmax(x, 0.5, hard=True, generator=tn.Generator(1))
    assert hard.numpy().argmax() == soft.numpy().argmax() and soft.numpy().sum() == pytest.approx(1)
    weights = tn.tensor([1.0, 2.0, 3.0], dtype="float64")
    for out in (soft, hard):
        (g,) = tn.autograd.grad((out * weights).sum(), x)
        p = soft.numpy()
        np.testing.assert_allclose(g.numpy(), p * (weights.numpy() - (p * weights.numpy()).sum()) / 0.5, rtol=1e-9)
    with pytest.raises(ValueError, match="tau"):
        F.gumbel_softmax(x, 0)
