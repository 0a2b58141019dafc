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


# Whole channels, whole examples -------------------------------------------------------------
@pytest.mark.parametrize("layer", [nn.FeatureAlphaDropout(0.3), nn.DropPath(0.3), nn.DropPath(0.3, mode="batch")])
def test_what_shares_a_draw(layer):
    """Channels of FeatureAlphaDropout, examples of DropPath, everything with mode 'batch'."""
    tn.manual_seed(0)
    shape = (2000, 3, 4)
    out = layer(tn.ones(shape, dtype="float64")).numpy()
    lines = out.reshape(6000, -1) if isinstance(layer, nn.FeatureAlphaDropout) else out.reshape(2000, -1)
    assert (lines == lines[:, :1]).all(), "a channel or an example is dropped as one"
    kinds = np.unique(lines[:, 0])
    if getattr(layer, "mode", "") == "batch":
        assert kinds.size == 1
        return
    assert kinds.size == 2
    share = (lines[:, 0] == kinds.min()).mean()
    assert abs(share - 0.3) < 4 * math.sqrt(0.3 * 0.7 / len(lines))
    x = tn.ones(shape, dtype="float64")
    assert layer.eval()(x) is x
    layer.train()


def test_feature_alpha_dropout_keeps_mean_and_variance():
    x = np.random.default_rng(0).standard_normal((40_000, 2, 1))
    out = F.feature_alpha_dropout(tn.tensor(x), 0.4, training=True).numpy()
    assert abs(out.mean()) < 0.02 and abs(out.var() - 1) < 0.03
    with pytest.raises(ValueError, match=r"expected shape \(N, C, ...\), got \(3,\)"):
        F.feature_alpha_dropout(tn.ones((3,)))


def test_drop_path_keeps_the_mean():
    out = F.drop_path(tn.ones((50_000, 2)), 0.6).numpy()
    assert set(np.unique(out)) == {0, np.float32(1 / 0.4)} and abs(out.mean() - 1) < 0.03
    with pytest.raises(ValueError, match="mode: expected 'row' or 'batch', got 'column'"):
        F.drop_path(tn.ones((2, 2)), 0.5, "column")


@pytest.mark.row("S1-47")
def test_heterogeneous_dropout_counts_and_spares_rare_units():
    layer = nn.HeterogeneousDropout(4, strength=2.0)
    x = np.array([[1.0, 0, 2, 0], [3, 0, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0]])
    np.testing.assert_array_equal(layer(tn.tensor(x)).numpy(), x)  # before the first task ends nothing is dropped
    layer(tn.tensor(x[:1]))
    assert layer.counts.numpy().tolist() == [5, 1, 2, 0]
    layer.next_task()
    np.testing.assert_allclose(layer.keep.numpy(), np.exp(-2 * np.array([5, 1, 2, 0]) / 5), rtol=1e-6)
    many = layer(tn.ones((40_000, 4))).numpy()
    keep = layer.keep.numpy()
    assert (abs((many != 0).mean(0) - keep) < 4 * np.sqrt(keep * (1 - keep) / 40_000) + 1e-7).all()
    np.testing.assert_allclose(many.max(0), 1 / keep, rtol=1e-6)
    counts = layer.counts.numpy().copy()
    assert layer.eval()(tn.tensor(x)).numpy().tolist() == x.tolist()
    assert (layer.counts.numpy() == counts).all(), "evaluation counts nothing"
    assert list(layer.state_dict()) == ["counts", "keep"]
    with pytest.raises(ValueError, match=r"expected 4 units on the last axis, got shape \(2, 3\)"):
        layer(tn.ones((2, 3)))
    with pytest.raises(ValueError, match="strength: expected a finite number >= 0"):
        nn.HeterogeneousDropout(4, strength=-1.0)


@pytest.mark.row("S1-47")
def test_tasks_use_units_of_their_own():
    """The overlap of the winners of two tasks that prefer the same units falls with the strength of the dropout."""
    rng = np.random.default_rng(0)
    preferred = 2 * rng.standard_normal(64)
    tasks = [rng.standard_normal((300, 64)) + preferred for _ in range(2)]

    def overlap(strength):
        tn.manual_seed(0)
        drop, winners = nn.HeterogeneousDropout(64, strength, scale=False), nn.KWTA(8)
        used = []
        for x in tasks:
            dropped = drop(winners(tn.tensor(x))) if not used else winners(drop(tn.tensor(x)))
            used.append((dropped.numpy() != 0).mean(0))
            drop.next_task()
        return np.minimum(*used).sum() / 8
    shared = [overlap(strength) for strength in (0.0, 1.0, 4.0)]
    assert shared[0] > shared[1] > shared[2] and shared[2] < 0.5 * shared[0]
