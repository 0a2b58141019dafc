"""Moving averages and the noise of stochastic gradients, against simulation."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.analysis import ema_total_weight, ema_weights, sgd_noise_scale, stationary_variance

pytestmark = pytest.mark.same_on_strict


@pytest.mark.row("S0-11")
@pytest.mark.row("S0-20")
def test_weights_of_a_moving_average(rng):
    for t, beta in ((0, 0.9), (7, 0.8), (40, 0.99)):
        values, first = rng.standard_normal(t + 1), rng.standard_normal()
        m = first
        for g in values:
            m = beta * m + (1 - beta) * g
        assert m == pytest.approx(beta ** (t + 1) * first + np.dot(ema_weights(t, beta), values), rel=1e-12)
        assert sum(ema_weights(t, beta)) == pytest.approx(ema_total_weight(t + 1, beta), rel=1e-12)
    assert ema_total_weight(1, 0.9) == pytest.approx(0.1) and ema_total_weight(0, 0.9) == 0


def simulate(lr, batch, rng, chains=20_000, curvature=1.0):
    """Many independent coordinates of 1/2 l w^2 under SGD with gradient noise of variance 1 / batch."""
    w = tn.tensor(np.zeros(chains), requires_grad=True)
    opt = tn.optim.SGD([w], lr=lr)
    for _ in range(int(6 / (lr * curvature))):
        w.grad = tn.asarray(curvature * w.numpy() + rng.standard_normal(chains) / batch**0.5)
        opt.step()
    return w.numpy().var()


@pytest.mark.row("S1-68")
@pytest.mark.parametrize(("lr", "batch", "known"), [
    (0.1, 1, 0.05263), (0.05, 1, 0.02564), (0.1, 4, 0.01316), (0.2, 1, 0.11111)])
def test_stationary_variance(lr, batch, known, rng):
    assert stationary_variance(lr, 1.0, 1.0, batch) == pytest.approx(known, abs=1e-5)
    assert simulate(lr, batch, rng) == pytest.approx(known, rel=0.03)


@pytest.mark.row("S1-66")
def test_equal_ratios_of_step_and_batch_give_equal_laws(rng):
    assert sgd_noise_scale(0.02, 1) == sgd_noise_scale(0.04, 2)
    assert simulate(0.02, 1, rng) == pytest.approx(simulate(0.04, 2, rng), rel=0.03)


def two_wells(w):
    """Minima of one depth at -1, sharp, and at 1, flat."""
    return -tn.log(tn.exp(-((w + 1) ** 2) / (2 * 0.15**2)) + tn.exp(-((w - 1) ** 2) / (2 * 0.6**2)))


@pytest.mark.row("S1-66")
def test_more_noise_ends_in_the_flat_minimum_more_often(rng):
    shares = []
    for batch in (4, 2, 1):
        w = tn.tensor(np.full(2000, -1.0), requires_grad=True)  # all begin in the sharp one
        opt = tn.optim.SGD([w], lr=0.01)
        for _ in range(300):
            opt.zero_grad()
            two_wells(w).sum().backward()
            w.grad = w.grad + tn.asarray(13 * rng.standard_normal(2000) / batch**0.5)
            opt.step()
        shares.append((w.numpy() > 0).mean())
    assert shares[0] < 0.02 < shares[2] / 10 and shares[0] < shares[1] < shares[2]


@pytest.mark.row("S0-07")
def test_a_falling_rate_lets_the_noise_die(rng):
    lr, T = 0.5, 20
    w = tn.tensor(np.zeros(4000), requires_grad=True)
    opt = tn.optim.SGD([w], lr=lr)
    schedule = tn.optim.lr_scheduler.InverseTimeLR(opt, T)
    for _ in range(100 * T):
        w.grad = tn.asarray(w.numpy() + rng.standard_normal(4000))
        opt.step()
        schedule.step()
    assert w.numpy().var() < 0.015 * stationary_variance(lr, 1.0, 1.0)


@pytest.mark.parametrize(("call", "text"), [
    (lambda: ema_weights(-1, 0.9), "t: expected an int >= 0"), (lambda: ema_weights(3, 1.5), "beta"),
    (lambda: sgd_noise_scale(0.1, 0), "batch"), (lambda: stationary_variance(2.0, 1.0, 1.0), "lr"),
    (lambda: stationary_variance(0.1, -1.0, 1.0), "curvature")])
def test_bad_arguments(call, text):
    with pytest.raises(ValueError, match=text):
        call()
