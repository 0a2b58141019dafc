"""Chapter 1 of the notes: squared error, when descent leaves a minimum, moving averages, paths of Adam."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.nn import functional as F

pytestmark = pytest.mark.same_on_strict

# The twelve points of UDL notebook 6.2.
X62 = np.array([0.03, 0.19, 0.34, 0.46, 0.78, 0.81, 1.08, 1.18, 1.39, 1.60, 1.65, 1.90])
Y62 = np.array([0.67, 0.85, 1.05, 1.00, 1.40, 1.50, 1.30, 1.54, 1.55, 1.68, 1.73, 1.60])


def sse(theta, x, y):
    return F.mse_loss(tn.asarray(x) @ theta, tn.asarray(y), reduction="sum")


@pytest.mark.row("S0-03")
def test_squared_error_by_matrix_and_by_index(rng):
    x, y, theta = rng.standard_normal((7, 3)), rng.standard_normal(7), rng.standard_normal(3)
    by_index = sum((y[i] - sum(x[i, j] * theta[j] for j in range(3))) ** 2 for i in range(7))
    assert sse(tn.asarray(theta), x, y).item() == pytest.approx(by_index, rel=1e-13)
    design = np.stack([np.ones(12), X62], 1)
    assert sse(tn.asarray(np.array([0.6, -0.2])), design, Y62).item() == pytest.approx(12.366904, abs=1e-6)
    best = np.linalg.lstsq(design, Y62, rcond=None)[0]
    np.testing.assert_allclose(best, [0.82595, 0.522226], atol=1e-5)
    assert sse(tn.asarray(best), design, Y62).item() == pytest.approx(0.199866, abs=1e-6)


@pytest.mark.row("S0-04")
def test_gradient_of_the_squared_error(rng):
    x, y = rng.standard_normal((12, 3)), rng.standard_normal(12)
    theta = tn.tensor(rng.standard_normal(3), requires_grad=True)
    sse(theta, x, y).backward()
    np.testing.assert_allclose(theta.grad.numpy(), 2 * x.T @ (x @ theta.numpy() - y), rtol=1e-12)
    theta.grad = None
    batch = [1, 7, 2, 10]
    sse(theta, x[batch], y[batch]).backward()
    by_hand = -2 * sum((y[i] - x[i] @ theta.numpy()) * x[i] for i in batch)
    np.testing.assert_allclose(theta.grad.numpy(), by_hand, rtol=1e-12)


def well(x):
    return x**4 / 4 - x**2 / 2 + 0.1 * x


def descend(start, lr, steps):
    x = tn.tensor([start], dtype="float64", requires_grad=True)
    opt = tn.optim.SGD([x], lr=lr)
    for _ in range(steps):
        opt.zero_grad()
        well(x).sum().backward()
        opt.step()
    return x.item()


@pytest.mark.row("S0-09")
def test_when_descent_leaves_a_local_minimum():
    lowest = tn.tensor([0.945649], dtype="float64")
    assert tn.hessian(lambda x: well(x).sum())(lowest).item() == pytest.approx(1.682758, abs=1e-5)
    for lr in (0.5, 1.0, 1.15):
        assert descend(0.95, lr, 400) == pytest.approx(0.945649, abs=1e-6)
    cycle = sorted([descend(0.95, 1.25, 600), descend(0.95, 1.25, 601)])
    np.testing.assert_allclose(cycle, [0.831019, 1.027423], atol=1e-6)
    x = 0.95
    for _ in range(200):
        x = descend(x, 1.9, 1)
        if x < 0.1 or x > 3:  # past the hill at about 0.1, or thrown out on the far side
            break
    assert x < 0.1 or x > 3


@pytest.mark.row("S0-11")
def test_momentum_is_a_weighted_sum_of_gradients(rng):
    beta, first, gradients = 0.8, rng.standard_normal(3), rng.standard_normal((10, 3))
    w = tn.tensor(np.zeros(3), requires_grad=True)
    opt = tn.optim.SGD([w], lr=0.1, momentum=beta, ema=True)
    state = opt.state_dict()
    state["state"] = {0: {"momentum_buffer": first, "step": 1}}
    opt.load_state_dict(state)
    for t, g in enumerate(gradients):
        w.grad = tn.tensor(g)
        opt.step()
        weights = [(1 - beta) * beta ** (t - n) for n in range(t + 1)]
        expected = beta ** (t + 1) * first + sum(a * g for a, g in zip(weights, gradients))
        np.testing.assert_allclose(opt.state[w]["momentum_buffer"].numpy(), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.row("S0-20")
def test_weights_of_the_average_sum_to_one_minus_beta_to_the_k():
    beta = 0.9
    w = tn.tensor([0.0], dtype="float64", requires_grad=True)
    opt = tn.optim.SGD([w], lr=0.1, momentum=beta, ema=True)
    for k in range(1, 51):
        w.grad = tn.tensor(np.array([1.0]))
        opt.step()
        assert opt.state[w]["momentum_buffer"].item() == pytest.approx(1 - beta**k, rel=1e-13)


def steps_to_minimum(lr, nesterov):
    """Steps until both coordinates of the notes' quadratic are below 1e-6, as in row S0-14."""
    h = tn.tensor(np.array([0.470036, 25.529964]))
    w = tn.tensor([1.0, 1.0], dtype="float64", requires_grad=True)
    opt = tn.optim.SGD([w], lr=lr, momentum=0.9, nesterov=nesterov, ema=True)
    for step in range(1, 1000):
        opt.zero_grad()
        (0.5 * h * w * w).sum().backward()
        opt.step()
        shift = lr * 0.9 * opt.state[w]["momentum_buffer"].numpy() if nesterov else 0
        if np.abs(w.numpy() + shift).max() < 1e-6:
            return step
    raise AssertionError("no convergence in 1,000 steps")


@pytest.mark.row("S0-16")
def test_nesterov_is_faster_with_large_steps_and_slower_with_small_ones():
    assert steps_to_minimum(0.1, True) < steps_to_minimum(0.1, False)
    assert steps_to_minimum(0.3, True) < steps_to_minimum(0.3, False)
    assert steps_to_minimum(0.05, True) > steps_to_minimum(0.05, False)


def line_of_the_notes():
    """The regression of row S0-05: y = 3 x + 1 + noise, x uniform in (0, 6)."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 6, 1000)
    return x, 3 * x + 1 + rng.normal(0, 2, 1000)


@pytest.mark.row("S0-18")
def test_normalised_steps_on_standardised_data_are_all_alike():
    x, y = line_of_the_notes()
    design = np.stack([np.ones(1000), (x - x.mean()) / x.std()], 1)
    np.testing.assert_allclose(design.T @ design / 1000, np.eye(2), atol=1e-12)
    w = tn.tensor([-1.0, -5.0], dtype="float64", requires_grad=True)
    opt = tn.optim.NormalizedGD([w], lr=0.3, eps=1e-20)
    for _ in range(60):
        before = w.numpy().copy()
        opt.zero_grad()
        (sse(w, design, y) / 1000).backward()
        opt.step()
        assert np.linalg.norm(w.numpy() - before) == pytest.approx(0.3 * 2**0.5, rel=1e-9)


@pytest.mark.row("S0-23")
@pytest.mark.parametrize(("lr", "end", "ratio"), [
    (1.0, (0.9974, 2.9931), 2.917), (0.3, None, 1.944), (0.05, (4.4045, 2.0962), None)])
def test_adam_spirals_into_the_minimum(lr, end, ratio):
    x, y = line_of_the_notes()
    design = np.stack([np.ones(1000), x], 1)
    best = np.linalg.lstsq(design, y, rcond=None)[0]
    start = np.array([-1.0, -5.0])
    w = tn.tensor(start, requires_grad=True)
    opt = tn.optim.Adam([w], lr=lr, betas=(0.9, 0.999))
    path = [start]
    for _ in range(500):
        opt.zero_grad()
        (sse(w, design, y) / 1000).backward()
        opt.step()
        path.append(w.numpy().copy())
    path = np.array(path)
    if end is not None:
        np.testing.assert_allclose(path[-1], end, atol=1e-3)
    if ratio is not None:
        length = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
        assert length / np.linalg.norm(path[-1] - start) == pytest.approx(ratio, abs=2e-3)
    if lr == 1.0:
        signs = np.sign(path - best)
        assert [(np.diff(signs[:, k]) != 0).sum() for k in range(2)] == [9, 26]


@pytest.mark.row("S1-70")
@pytest.mark.parametrize("ema", [False, True])
def test_nesterov_extends_the_last_change_and_takes_the_gradient_there(ema):
    beta, alpha = 0.9, 0.1
    eta = alpha * (1 - beta) if ema else alpha
    h = np.array([0.47, 5.0, 1.3])
    w, change = np.array([1.0, -2.0, 0.5]), np.zeros(3)
    p = tn.tensor(w.copy(), requires_grad=True)
    opt = tn.optim.SGD([p], lr=alpha, momentum=beta, nesterov=True, ema=ema)
    for _ in range(60):
        change = beta * change - eta * (h * (w + beta * change) + np.cos(w + beta * change))
        w = w + change
        p.grad = tn.tensor(h * p.numpy() + np.cos(p.numpy()))
        opt.step()
        ahead = w + beta * change  # the optimizer holds the point where the next gradient is taken
        np.testing.assert_allclose(p.numpy(), ahead, rtol=1e-10, atol=1e-12)
        m = opt.state[p]["momentum_buffer"].numpy()
        np.testing.assert_allclose(-alpha * m, change, rtol=1e-10, atol=1e-13)


@pytest.mark.row("S1-71")
def test_adagrad_does_not_feel_the_scale_of_a_coordinate(rng):
    gradients, scale = rng.standard_normal((12, 4)), np.array([1.0, 1e-4, 7.0, 1e5])
    paths = []
    for factor in (1.0, scale):
        w = tn.tensor(np.zeros(4), requires_grad=True)
        opt = tn.optim.Adagrad([w], lr=0.3, eps=0)
        path, total = [], 0.0
        for g in gradients * factor:
            before = w.numpy().copy()
            w.grad = tn.tensor(g)
            opt.step()
            total = total + g * g
            np.testing.assert_allclose(w.numpy() - before, -0.3 * g / np.sqrt(total), rtol=1e-12, atol=1e-15)
            path.append(w.numpy().copy())
        paths.append(path)
    np.testing.assert_allclose(paths[0], paths[1], rtol=1e-12, atol=1e-15)
