"""What initialization does: rows S0-27 to S0-35, by theory and by measurement."""

import math
from functools import partial

import numpy as np
import pytest
from scipy import integrate, stats

import tinygrad_notes as tn
from tinygrad_notes import nn


def network(widths, std_of, generator):
    """A ReLU network whose weights of layer k are N(0, std_of(fan_in, fan_out)^2), biases 0."""
    net = nn.MLP(widths, bias=False, dtype="float64")
    for layer in net:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0, std_of(layer.in_features, layer.out_features), generator)
    return net


def test_preactivation_stats_are_mean_and_variance_of_each_layer():
    net = nn.MLP([3, 6, 2], dropout=0.5).double()
    x = np.random.default_rng(0).standard_normal((40, 3))
    f0 = x @ net[0].weight.numpy().T + net[0].bias.numpy()
    f1 = np.maximum(f0, 0) @ net[3].weight.numpy().T + net[3].bias.numpy()
    rows = nn.preactivation_stats(net, tn.tensor(x))
    assert [r["layer"] for r in rows] == ["0", "3"] and net.training
    np.testing.assert_allclose(
        [[r["mean"], r["var"]] for r in rows], [[f.mean(), f.var()] for f in (f0, f1)], rtol=1e-12
    )
    assert nn.variance_trace(net, tn.tensor(x)) == [r["var"] for r in rows]
    relus = nn.preactivation_stats(net, tn.tensor(x), layers=nn.ReLU)
    assert relus[0]["mean"] == pytest.approx(np.maximum(f0, 0).mean(), rel=1e-12)
    with pytest.raises(ValueError, match="MLP called no layer of type Bilinear"):
        nn.variance_trace(net, tn.tensor(x), layers=nn.Bilinear)
    assert all(m._hooks is None for m in net.modules())


def test_gradient_trace_is_the_variance_of_delta():
    net = nn.MLP([3, 6, 2], bias=False).double()
    x = np.random.default_rng(0).standard_normal((40, 3))
    f0 = x @ net[0].weight.numpy().T
    f1 = np.maximum(f0, 0) @ net[2].weight.numpy().T
    delta1 = 2 * f1
    delta0 = (delta1 @ net[2].weight.numpy()) * (f0 > 0)
    found = nn.gradient_trace(net, tn.tensor(x), loss=lambda out: (out * out).sum())
    np.testing.assert_allclose(found, [delta0.var(), delta1.var()], rtol=1e-12)
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.row("S0-27")
@pytest.mark.same_on_strict
def test_mean_of_preactivations_is_zero():
    """Over initializations, at one fixed input: f^k_i averages to 0."""
    generator, sums = tn.Generator(1), []
    x = tn.tensor(np.random.default_rng(0).standard_normal((1, 5)))
    for _ in range(400):
        net = network([5, 8, 8, 8], lambda m, n: 0.7, generator)
        sums.append([row["mean"] for row in nn.preactivation_stats(net, x)])
    sums = np.array(sums)
    assert np.all(abs(sums.mean(0)) < 4 * sums.std(0) / math.sqrt(len(sums)))


@pytest.mark.row("S0-28")
def test_relu_halves_the_second_moment_of_symmetric_laws():
    def second_moment(density, low, high):
        x = np.linspace(low, high, 6001)  # the kink at 0 is the end of a panel of Simpson's rule
        relu = tn.relu(tn.tensor(x)).numpy()
        return integrate.simpson(relu**2 * density(x), x=x)

    assert second_moment(stats.norm().pdf, -12, 12) == pytest.approx(0.5, abs=1e-8)
    assert second_moment(stats.uniform(-1, 2).pdf, -1, 1) == pytest.approx(1 / 6, abs=1e-8)
    assert second_moment(stats.laplace().pdf, -30, 30) == pytest.approx(1, abs=1e-8)
    shifted = second_moment(stats.norm(1).pdf, -12, 12)
    assert shifted == pytest.approx(1.924660, abs=1e-6) and shifted > 1  # not symmetric about 0: not half of E[X^2] = 2
    assert shifted == pytest.approx(integrate.quad(lambda t: t * t * stats.norm(1).pdf(t), 0, 40)[0], abs=1e-7)


def predicted_over_inits(widths, s):
    """Forward by equation 1.16. Backward by 1.22, with the probability A_k that no layer before k is off altogether."""
    forward, alive = [widths[0] * s[0]], [1.0]
    for m, v in zip(widths[1:-1], s[1:]):
        forward.append(m * v * forward[-1] / 2)
        alive.append(alive[-1] * (1 - 2.0**-m))
    backward = [1.0]
    for k in range(len(s) - 1, 0, -1):
        given = 1.0 if k == len(s) - 1 else alive[k]  # the last delta does not depend on what is alive
        backward.append(widths[k + 1] * s[k] / 2 * alive[k - 1] / given * backward[-1])
    return forward, backward[::-1]


@pytest.mark.row("S0-29")
@pytest.mark.row("S0-31")
@pytest.mark.row("S0-34")
@pytest.mark.parametrize("variance, growth", [(1, 2), (0.5, 1), (0.1, 0.2), (0.01, 0.02), (0.001, 0.002)])
def test_variance_grows_by_half_the_width_times_the_weight_variance(variance, growth):
    """Random nets of width 4 and 7 layers: 2, 1, 0.2, 0.02, 0.002 per layer."""
    forward, backward = nn.variance_over_inits([4] * 8, variance, 40_000, tn.Generator(0))
    assert forward[0] == pytest.approx(2 * growth, rel=0.02)
    # a few nets carry most of the variance in deep layers, so the first steps are measured
    assert (forward[3] / forward[0]) ** (1 / 3) == pytest.approx(growth, rel=0.02)
    want = predicted_over_inits([4] * 8, [variance] * 7)
    np.testing.assert_allclose(forward[:5], want[0][:5], rtol=0.08)
    np.testing.assert_allclose(backward[2:], want[1][2:], rtol=0.08)


def test_variance_over_inits_of_other_widths():
    """One variance per layer; of wide layers none dies, and the plain equations hold."""
    for widths in ([8, 16, 4, 32], [2, 64, 32, 16]):
        s = [0.3, 0.1, 0.5]
        found, want = nn.variance_over_inits(widths, s, 4_000, tn.Generator(1)), predicted_over_inits(widths, s)
        np.testing.assert_allclose(found, want, rtol=0.08)
    np.testing.assert_allclose(want[1], [16 * 0.5 / 2 * 32 * 0.1 / 2, 16 * 0.5 / 2, 1], rtol=1e-8)
    for wrong in (([4], 1.0), ([4, 0], 1.0), ([4, 4], 0.0), ([4, 4], [1.0, 1.0]), ([4, 4], 1.0, 0)):
        with pytest.raises(ValueError):
            nn.variance_over_inits(*wrong)


@pytest.mark.row("S0-29")
@pytest.mark.row("S0-30")
@pytest.mark.parametrize("gain, slope", [(1, -0.693), (2, 0.0), (4, 0.693)])
@pytest.mark.same_on_strict
def test_slope_of_the_variance_in_wide_networks(gain, slope):
    net = network([512] * 31, lambda m, n: math.sqrt(gain / m), tn.Generator(0))
    x = tn.randn(20, 512, dtype=tn.float64)
    trace = np.log(nn.variance_trace(net, x))
    assert len(trace) == 30 and np.polyfit(np.arange(30), trace, 1)[0] == pytest.approx(slope, abs=0.06)


WIDTHS = [256, 128, 512, 128, 512, 128, 512]


@pytest.mark.row("S0-34")
@pytest.mark.same_on_strict
def test_fan_in_is_stable_forward_and_fan_out_backward():
    x = tn.randn(300, 256, dtype=tn.float64, generator=tn.Generator(2))

    def cotangent(out):  # delta of the last layer: standard normal
        return (out * tn.randn(*out.shape, dtype=tn.float64, generator=tn.Generator(3))).sum()

    def traces(mode):
        forward, backward = [], []
        for seed in range(3):
            init = partial(nn.init.he_normal_, mode=mode, generator=tn.Generator(100 + seed))
            net = nn.MLP(WIDTHS, bias=False, dtype="float64", init=init)
            forward.append(nn.variance_trace(net, x))
            backward.append(nn.gradient_trace(net, x, loss=cotangent))
        return np.mean(forward, 0), np.mean(backward, 0)

    def predicted(mode):
        """Var f^k = D s Var f^(k-1) / 2 forward, Var delta^(k-1) = D' s Var delta^k / 2 backward."""
        pairs = list(zip(WIDTHS, WIDTHS[1:]))
        s = [2 / {"fan_in": m, "fan_out": n, "fan_avg": (m + n) / 2}[mode] for m, n in pairs]
        forward = [WIDTHS[0] * s[0]]
        for (m, _), v in zip(pairs[1:], s[1:]):
            forward.append(m * v * forward[-1] / 2)
        backward = [1.0]
        for (_, n), v in zip(pairs[:0:-1], s[:0:-1]):
            backward.append(n * v * backward[-1] / 2)
        return np.array(forward), np.array(backward[::-1])

    for mode in ("fan_in", "fan_out", "fan_avg"):
        measured, theory = traces(mode), predicted(mode)
        np.testing.assert_allclose(measured[0], theory[0], rtol=0.25)
        np.testing.assert_allclose(measured[1], theory[1], rtol=0.25)
        if mode == "fan_in":  # stable forward (2 = D s, the input has no ReLU before it), alternating backward
            assert (
                np.all((measured[0] > 1.4) & (measured[0] < 2.6))
                and measured[1][:-1].max() > 3 > 1.2 > measured[1][:-1].min()
            )
        elif mode == "fan_out":
            assert measured[0].max() > 3 and np.all((measured[1] > 0.7) & (measured[1] < 1.4))


@pytest.mark.row("S0-35")
def test_the_mean_of_both_fans_is_a_compromise():
    x = tn.randn(300, 256, dtype=tn.float64)
    net = nn.MLP(WIDTHS, bias=False, dtype="float64", init=lambda w: nn.init.he_normal_(w, "fan_avg", tn.Generator(7)))
    forward = np.array(nn.variance_trace(net, x))
    backward = np.array(
        nn.gradient_trace(net, x, loss=lambda out: (out * tn.randn(*out.shape, dtype=tn.float64)).sum())
    )
    for trace in (forward, backward):
        assert np.all((trace > 0.4) & (trace < 2.9)), trace
