"""What chapter 1 of the notes says of stochastic gradient descent, with this engine's optimizers."""
from itertools import combinations

import numpy as np
import pytest

import tinygrad_notes as tn

pytestmark = pytest.mark.same_on_strict


@pytest.mark.row("S0-02")
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_step_over_a_batch_is_the_step_by_hand(reduction, rng):
    X, y = rng.normal(size=(40, 3)), rng.normal(size=(40, 1))
    theta = rng.normal(size=(3, 1))
    p = tn.tensor(theta, requires_grad=True)
    optimizer = tn.optim.SGD([p], lr=0.01)
    for rows in tn.data.minibatches(40, 8, 0):
        optimizer.zero_grad()
        tn.nn.functional.mse_loss(tn.tensor(X[rows]) @ p, tn.tensor(y[rows]), reduction=reduction).backward()
        optimizer.step()
        scale = 1 / 8 if reduction == "mean" else 1
        theta = theta - 0.01 * scale * sum(2 * (X[i] @ theta - y[i]) * X[i][:, None] for i in rows)
    np.testing.assert_allclose(p.numpy(), theta, rtol=1e-12)


@pytest.mark.row("S0-07")
def test_the_mean_over_all_batches_of_two_is_the_full_gradient(rng):
    X, y = tn.tensor(rng.normal(size=(6, 2))), tn.tensor(rng.normal(size=(6, 1)))
    theta = rng.normal(size=(2, 1))

    def gradient(rows):
        p = tn.tensor(theta, requires_grad=True)
        tn.nn.functional.mse_loss(X[rows] @ p, y[rows]).backward()
        return p.grad.numpy()

    batches = [gradient(list(rows)) for rows in combinations(range(6), 2)]
    assert len(batches) == 15
    np.testing.assert_allclose(np.mean(batches, axis=0), gradient(list(range(6))), rtol=1e-13)


@pytest.mark.row("S0-07")
def test_a_falling_rate_drives_out_the_noise_that_a_constant_rate_keeps(rng):
    """3,000 chains on L/2 theta^2 with gradient noise of variance C: a constant rate a keeps a C / (L (2 - a L))."""
    curvature, noise, rate, T, chains = 2.0, 3.0, 0.25, 50, 3000

    def spread(steps, schedule):
        theta = tn.zeros((chains,), dtype=tn.float64, requires_grad=True)
        optimizer = tn.optim.SGD([theta], lr=rate)
        scheduler = schedule(optimizer)
        for _ in range(steps):
            optimizer.zero_grad()
            kick = tn.tensor(np.sqrt(noise) * rng.standard_normal(chains))
            (curvature / 2 * theta * theta + kick * theta).sum().backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        return float((theta * theta).mean())

    constant = rate * noise / (curvature * (2 - rate * curvature))
    error = constant * np.sqrt(2 / chains)
    assert abs(spread(100, lambda optimizer: None) - constant) < 4 * error
    falling = spread(100 * T, lambda optimizer: tn.optim.lr_scheduler.InverseTimeLR(optimizer, T))
    assert falling < 0.01 * constant


# Gabor model: local minima trap gradient descent -------------------------------------
def gabor_loss(phi, x, y):
    u = phi[0] + 0.06 * phi[1] * x
    return ((tn.sin(u) * tn.exp(-u * u / 32) - y)**2).sum()


def descend(start, rate, steps, draw=None, penalty=lambda phi: 0.0):
    """Gradient descent on the sum of squares; with `draw`, on the points that it returns at each step."""
    x, y = tn.data.gabor(dtype=tn.float64)
    phi = tn.tensor(np.array(start), requires_grad=True)
    optimizer = tn.optim.SGD([phi], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        rows = slice(None) if draw is None else draw()
        (gabor_loss(phi, x[rows], y[rows]) + penalty(phi)).backward()
        optimizer.step()
    return phi.tolist(), gabor_loss(phi.detach(), x, y).item()


@pytest.mark.row("S0-08")
@pytest.mark.parametrize(("start", "rate", "steps", "end", "loss"), [
    ([2.6, 8.5], 0.1, 41, (6.054994, 12.837099), 5.643186),
    ([2.6, 8.5], 0.1, 3000, (6.307961, 13.515787), 5.511081),   # a local minimum
    ([-1.5, 8.5], 0.2, 21, (0.113349, 13.469440), 1.388376),
    ([0.0, 16.0], 0.1, 3000, (0.003795, 16.026348), 0.645696),  # the global one
])
def test_where_gradient_descent_on_the_gabor_model_ends(start, rate, steps, end, loss):
    phi, found = descend(start, rate, steps)
    np.testing.assert_allclose(phi, end, atol=1.1e-6)
    assert found == pytest.approx(loss, abs=1.1e-6)


@pytest.mark.row("S0-63")
def test_a_penalty_on_parameters_leads_out_of_a_local_minimum():
    """UDL 9.1: a weak one does not, a strong one does; a very strong one decides alone."""
    def penalty(weight):
        return lambda phi: weight * (phi[0] ** 2 + (phi[1] - 12.5) ** 2)
    trapped, _ = descend([2.6, 8.5], 0.1, 41, penalty=penalty(0.1))
    np.testing.assert_allclose(trapped, (5.803304, 12.523525), atol=1.1e-6)
    free, loss = descend([2.6, 8.5], 0.1, 41, penalty=penalty(0.2))
    np.testing.assert_allclose(free, (0.102658, 13.480035), atol=1.1e-6)
    assert loss == pytest.approx(1.381600, abs=1.1e-6)
    decided, _ = descend([2.6, 8.5], 1e-5, 100, penalty=penalty(5e4))
    np.testing.assert_allclose(decided, (0, 12.5), atol=1e-3)


@pytest.mark.row("S0-08")
def test_stochastic_descent_on_the_gabor_model_ends_as_published():
    stream = np.random.RandomState(1)  # noqa: NPY002 - the published path was drawn from this stream
    phi, loss = descend([3.5, 6.5], 0.8, 41, lambda: stream.permutation(30)[:5])
    np.testing.assert_allclose(phi, (-0.496680, 12.268409), atol=1.1e-6)
    assert loss == pytest.approx(4.624356, abs=1.1e-6)


@pytest.mark.row("S0-83")
def test_the_history_of_every_step(rng):
    """Parameters, loss and rate from before the first step to after the last: steps + 1 rows that follow each other."""
    X, y, start = rng.normal(size=(6, 2)), rng.normal(size=(6, 1)), rng.normal(size=(1, 2))
    history = tn.train.History()

    class Watch(tn.train.Callback):
        def begin(self, trainer):
            self.after_step(trainer)

        def after_step(self, trainer):
            theta = trainer.model.weight.numpy().copy()
            history.append({"step": trainer.step, "lr": trainer.optimizer.param_groups[0]["lr"], "theta": theta,
                            "loss": ((X @ theta.T - y) ** 2).mean()})

    model = tn.nn.Linear(2, 1, bias=False, dtype=tn.float64)
    model.load_state_dict({"weight": tn.tensor(start)})
    optimizer = tn.optim.SGD(model.parameters(), lr=0.1)
    epochs = tn.train.fit(model, [(tn.tensor(X), tn.tensor(y))], optimizer, 5, callbacks=[Watch()],
                          scheduler=tn.optim.lr_scheduler.ExponentialLR(optimizer, 0.5),
                          loss=lambda model, X, y: tn.nn.functional.mse_loss(model(X), y))
    assert len(history) == 6
    np.testing.assert_array_equal(history["theta"][0], start)
    assert epochs["loss"] == pytest.approx(history["loss"][:-1], rel=1e-12), "the loss of an epoch is before its step"
    for k, (before, after) in enumerate(zip(history["theta"], history["theta"][1:])):
        slope = 2 / 6 * (X @ before.T - y).T @ X
        np.testing.assert_allclose(after, before - 0.1 * 0.5**k * slope, rtol=1e-12)
