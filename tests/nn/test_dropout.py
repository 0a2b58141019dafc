"""Dropout in its forms: what it does to mean and variance, and when it does nothing."""
import math

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F


@pytest.mark.row("S0-77")
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_mean_and_variance(p):
    x = np.array([1.0, -2.0, 3.0])
    n = 200_000
    out = F.dropout(tn.tensor(np.tile(x, (n, 1))), p).numpy()
    var = x**2 * p / (1 - p)
    assert np.all(abs(out.mean(0) - x) < 4 * np.sqrt(var / n))
    np.testing.assert_allclose(out.var(0), var, rtol=0.03)
    assert set(np.unique(out)) == {0, *(x * (1 / (1 - p)))}
    kept = (out != 0).mean(0)
    assert np.all(abs(kept - (1 - p)) < 4 * math.sqrt(p * (1 - p) / n))
    assert abs(np.corrcoef((out != 0).T) - np.eye(3)).max() < 0.02, "units drop independently"


@pytest.mark.row("S0-77")
def test_evaluation_is_the_identity():
    x = tn.randn(3, 4)
    for layer in (nn.Dropout(0.9), nn.Dropout1d(0.9), nn.AlphaDropout(0.9)):
        assert layer.eval()(x) is x
    assert F.dropout(x, 0.9, training=False) is x


@pytest.mark.row("S0-77")
def test_edges_of_p():
    x = tn.randn(50, 4)
    assert nn.Dropout(0.0)(x) is x
    assert not nn.Dropout(1.0)(x).numpy().any()
    nearly = nn.Dropout(1 - 1e-12)(tn.ones((1000,))).numpy()
    assert np.isfinite(nearly).all()
    for p in (-0.1, 1.1, float("nan"), "half", None, True):
        with pytest.raises(ValueError, match="p: expected a finite number >= 0 and <= 1"):
            nn.Dropout(p)
        with pytest.raises(ValueError, match="dropout: p"):
            F.dropout(x, p)


@pytest.mark.row("S0-77")
def test_backward_uses_the_same_mask():
    x = tn.randn(100, 20, dtype=tn.float64, requires_grad=True)
    out = nn.Dropout(0.4)(x)
    g = np.random.default_rng(0).standard_normal(x.shape)
    out.backward(tn.tensor(g))
    mask = out.numpy() / x.numpy()
    np.testing.assert_allclose(x.grad.numpy(), g * mask, rtol=1e-12)
    assert 0 < (mask == 0).mean() < 1


@pytest.mark.row("S0-77")
def test_dropconnect_drops_weights_not_units():
    layer = nn.DropConnect(200, 50, p=0.5, bias=False)
    layer.weight.data[...] = 1
    x = tn.ones((3, 200))
    out = layer(x).numpy()
    assert np.all(out == out[0]), "one draw of the weights per call"
    assert 150 < out.mean() < 250 and len(np.unique(out)) > 10
    assert np.all(layer.eval()(x).numpy() == 200)
    assert "p=0.5" in repr(layer)
    many = np.stack([nn.functional.linear(x[:1], F.dropout(layer.weight, 0.5)).numpy() for _ in range(200)])
    assert abs(many.mean() - 200) < 4 * math.sqrt(200 / 10000)


@pytest.mark.parametrize("axes, layer", [(1, nn.Dropout1d), (2, nn.Dropout2d), (3, nn.Dropout3d)])
def test_whole_channels_drop(axes, layer):
    x = np.ones((40, 30) + (3,) * axes)
    out = layer(0.3)(tn.tensor(x)).numpy().reshape(40, 30, -1)
    assert np.all(out == out[..., :1]) and 0.6 < (out[..., 0] != 0).mean() < 0.8
    assert np.unique(out).tolist() == [0, pytest.approx(1 / 0.7)]
    single = layer(0.5)(tn.tensor(x[0])).numpy().reshape(30, -1)
    assert np.all(single == single[:, :1])
    with pytest.raises(ValueError, match=rf"dropout{axes}d: expected {axes + 1} axes"):
        layer()(tn.ones((3,)))


def test_alpha_dropout_keeps_mean_and_variance():
    x = tn.randn(300_000, dtype=tn.float64)
    out = F.alpha_dropout(x, 0.2, training=True).numpy()
    assert abs(out.mean()) < 0.01 and abs(out.var() - 1) < 0.02
    dropped = np.unique(out.round(12), return_counts=True)
    assert dropped[1].max() / x.size == pytest.approx(0.2, abs=0.01)
    assert F.alpha_dropout(x) is x and not F.alpha_dropout(x, 1.0, training=True).numpy().any()


def test_a_generator_makes_it_repeatable():
    x = tn.ones((1000,))
    a, b = (nn.Dropout(0.5, generator=tn.Generator(7))(x).numpy() for _ in range(2))
    np.testing.assert_array_equal(a, b)
    layer = nn.Dropout(0.5, generator=tn.Generator(7))
    assert (layer(x).numpy() != layer(x).numpy()).any()
    strict = nn.Dropout(0.5, generator=tn.Generator(7))(tn.ones((1000,), device="strict"))
    np.testing.assert_array_equal(a, strict.numpy())


def test_dtype_shape_and_layout_are_kept():
    for dtype in ("float16", "float32", "float64"):
        for shape in [(), (0,), (3, 5), (1, 1, 7)]:
            out = F.dropout(tn.ones(shape, dtype=dtype), 0.5)
            assert out.dtype == dtype and out.shape == shape
    with pytest.raises(TypeError, match="dropout: expected a floating dtype, got int64"):
        F.dropout(tn.tensor([1, 2]))


def test_higher_order_through_dropout():
    x = tn.randn(5, dtype=tn.float64, requires_grad=True)
    out = F.dropout(x, 0.5, generator=tn.Generator(1))
    (g,) = tn.autograd.grad((out**3).sum(), x, create_graph=True)
    (h,) = tn.autograd.grad(g.sum(), x)
    mask = np.where(out.numpy() != 0, 2.0, 0.0)
    np.testing.assert_allclose(h.numpy(), 6 * mask**3 * x.numpy(), rtol=1e-12)


def test_repr():
    assert repr(nn.Dropout(0.25)) == "Dropout(p=0.25, inplace=False)"
