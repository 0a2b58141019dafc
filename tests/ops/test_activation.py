"""Activations far out: no warning, no NaN, the limits, in value and in both orders of gradient."""
import math

import numpy as np
import pytest

import tinygrad_notes as tn

FAR = {"float64": [-math.inf, -1e30, -1e3, -100.0, 0.0, 100.0, 1e3, 1e30, math.inf],
       "float32": [-math.inf, -1e30, -1e3, -100.0, 0.0, 100.0, 1e3, 1e30, math.inf],
       "float16": [-math.inf, -1e4, -1e3, -100.0, 0.0, 100.0, 1e3, 1e4, math.inf]}
INF = math.inf
# name: call, value and slope at minus infinity, value and slope at plus infinity
LIMITS = {
    "sigmoid": (tn.sigmoid, 0, 0, 1, 0), "tanh": (tn.tanh, -1, 0, 1, 0), "softplus": (tn.softplus, 0, 0, INF, 1),
    "softplus beta": (lambda x: tn.softplus(x, 2.0), 0, 0, INF, 1),
    "softplus threshold": (lambda x: tn.softplus(x, 1.0, 20.0), 0, 0, INF, 1),
    "log_sigmoid": (tn.log_sigmoid, -INF, 1, 0, 0), "silu": (tn.silu, 0, 0, INF, 1), "mish": (tn.mish, 0, 0, INF, 1),
    "gelu": (tn.gelu, 0, 0, INF, 1), "gelu tanh": (lambda x: tn.gelu(x, "tanh"), 0, 0, INF, 1),
    "relu": (tn.relu, 0, 0, INF, 1), "relu6": (tn.relu6, 0, 0, 6, 0), "elu": (tn.elu, -1, 0, INF, 1),
    "celu": (lambda x: tn.celu(x, 2.0), -2, 0, INF, 1), "leaky_relu": (tn.leaky_relu, -INF, 0.01, INF, 1),
    "hardtanh": (tn.hardtanh, -1, 0, 1, 0), "hardsigmoid": (tn.hardsigmoid, 0, 0, 1, 0),
    "hardswish": (tn.hardswish, 0, 0, INF, 1), "softsign": (tn.softsign, -1, 0, 1, 0),
    "softshrink": (tn.softshrink, -INF, 1, INF, 1), "hardshrink": (tn.hardshrink, -INF, 1, INF, 1),
    "tanhshrink": (tn.tanhshrink, -INF, 1, INF, 1), "logaddexp": (lambda x: tn.logaddexp(x, 0.0), 0, 0, INF, 1),
    "logaddexp twice": (lambda x: tn.logaddexp(x, x), -INF, 1, INF, 1),
    "logaddexp2": (lambda x: tn.logaddexp2(x, 0.0), 0, 0, INF, 1), "erf": (tn.erf, -1, 0, 1, 0),
    "ndtr": (tn.ndtr, 0, 0, 1, 0),
}


@pytest.mark.parametrize("repeats", [1, 700], ids=["short", "long"])
@pytest.mark.parametrize("dtype", FAR)
@pytest.mark.parametrize("name", LIMITS)
def test_limits(name, dtype, repeats):
    call, low, low_slope, high, high_slope = LIMITS[name]
    x = tn.Tensor(np.tile(np.array(FAR[dtype], dtype), repeats), requires_grad=True)
    out = call(x)
    plain, = tn.autograd.grad(out, x, tn.ones_like(out), retain_graph=True)
    recorded, = tn.autograd.grad(out, x, tn.ones_like(out), create_graph=True)
    curve = tn.autograd.grad(recorded, x, tn.ones_like(out))[0] if recorded.requires_grad else tn.zeros_like(out)
    for found in (out, plain, recorded, curve):
        assert found.dtype == dtype and not np.isnan(found.numpy()).any()
    for found in (plain, recorded):
        slopes = found.numpy().reshape(repeats, -1)[:, [0, 1, -2, -1]]
        expected = np.tile([low_slope] * 2 + [high_slope] * 2, (repeats, 1))
        np.testing.assert_allclose(slopes, expected, rtol=2e-3, atol=1e-30)
    ends = out.numpy().reshape(repeats, -1)[:, [0, -1]]
    np.testing.assert_allclose(ends, np.tile([float(low), float(high)], (repeats, 1)))
    np.testing.assert_allclose(curve.numpy().reshape(repeats, -1)[:, [0, 1, -2, -1]], 0, atol=1e-30)


@pytest.mark.parametrize("name", ["relu", "gelu", "erf", "silu", "softplus", "sigmoid", "mish", "elu", "leaky_relu"])
def test_long_arrays_are_computed_as_short_ones(name):
    x = np.linspace(-8, 8, 5001).astype("float32")
    call = getattr(tn, name)
    whole = call(tn.Tensor(x)).numpy()
    pieces = np.concatenate([call(tn.Tensor(part)).numpy() for part in np.array_split(x, 100)])
    np.testing.assert_allclose(whole, pieces, rtol=2e-6, atol=5e-7)


def test_erf_in_float32_has_full_relative_accuracy():
    x = np.linspace(-5, 5, 4001).astype("float32")
    expected = np.array([math.erf(v) for v in x.tolist()])
    found = tn.erf(tn.Tensor(x)).numpy()
    keep = x != 0
    assert np.max(np.abs(found[keep] / expected[keep] - 1)) < 4e-7


def test_sigmoid_keeps_its_lower_tail():
    x = tn.tensor([-50.0, -80.0])
    np.testing.assert_allclose(tn.sigmoid(x).numpy(), [math.exp(-50.0), math.exp(-80.0)], rtol=1e-6)


def test_relu_is_zero_and_flat_at_zero():
    x = tn.tensor([0.0, -0.0], requires_grad=True)
    tn.relu(x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 0)


def test_nan_stays():
    for name in ("relu", "gelu", "silu", "mish", "elu", "leaky_relu", "softplus", "sigmoid", "hardtanh", "softshrink"):
        assert np.isnan(getattr(tn, name)(tn.tensor([float("nan")])).numpy()).all(), name


def test_integers_become_floats():
    for name in ("sigmoid", "gelu", "silu", "elu", "softplus", "mish", "softsign"):
        out = getattr(tn, name)(tn.tensor([-1, 0, 2]))
        assert out.dtype == tn.float32, name
        np.testing.assert_allclose(out.numpy(), getattr(tn, name)(tn.tensor([-1.0, 0.0, 2.0])).numpy(), rtol=1e-6)


@pytest.mark.parametrize("call, words", [
    (lambda x: tn.gelu(x, "erf"), "approximate"), (lambda x: tn.celu(x, 0), "alpha"),
    (lambda x: tn.softplus(x, 0), "beta"),
    (lambda x: tn.hardtanh(x, 1, -1), "min_val"), (lambda x: tn.softshrink(x, -1), "lambd"),
    (lambda x: tn.prelu(x, tn.zeros(2)), "weight"), (lambda x: tn.prelu(x, tn.zeros((3, 1))), "weight"),
])
def test_bad_parameters(call, words):
    with pytest.raises(ValueError, match=words):
        call(tn.zeros((4, 3)))


@pytest.mark.parametrize("size", [7, 20001])
def test_gelu_to_third_order_also_where_its_cotangent_wants_a_gradient(size):
    """gelu' = P + x p, gelu'' = (2 - x^2) p, gelu''' = (x^3 - 4 x) p, with the density p and the distribution P."""
    x = np.linspace(-4, 4, size)
    u, v, w = np.random.default_rng(0).standard_normal((3, size))
    p, phi = np.exp(-x * x / 2) / math.sqrt(2 * math.pi), np.array([0.5 * math.erfc(-t / math.sqrt(2)) for t in x])
    a, g, h = tn.tensor(x, requires_grad=True), tn.tensor(u, requires_grad=True), tn.tensor(v)
    (first,) = tn.autograd.grad(tn.gelu(a), [a], g, create_graph=True)
    second, of_g = tn.autograd.grad(first, [a, g], h, create_graph=True)
    (third,) = tn.autograd.grad(second, [a], tn.tensor(w))
    for found, wanted in ((first, u * (phi + x * p)), (of_g, v * (phi + x * p)), (second, u * v * (2 - x * x) * p),
                          (third, u * v * w * (x**3 - 4 * x) * p)):
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-10, atol=1e-13)


def test_gelu_on_long_arrays_of_any_value():
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e30, -1e30, 1e-40, 3.0, -3.0])
    for dtype, tolerance in (("float32", 2e-6), ("float64", 1e-14)):
        x = np.concatenate([np.tile(special, 4000), np.linspace(-6, 6, 70000)]).astype(dtype)
        leaf = tn.tensor(x, requires_grad=True)
        out = tn.gelu(leaf)
        (slope,) = tn.autograd.grad(out, [leaf], tn.ones(x.size, dtype=dtype))
        few = tn.tensor(np.concatenate([special, x[-70000::100]]).astype(dtype), requires_grad=True)
        wanted = tn.gelu(few)
        (slope_of_few,) = tn.autograd.grad(wanted, [few], tn.ones(few.size, dtype=dtype))
        for found, other in ((out, wanted), (slope, slope_of_few)):
            found = np.concatenate([found.numpy()[:10], found.numpy()[39990:40000], found.numpy()[-70000::100]])
            other = np.concatenate([other.numpy()[:10], other.numpy()])
            np.testing.assert_allclose(found, other, rtol=tolerance, atol=tolerance / 4)
