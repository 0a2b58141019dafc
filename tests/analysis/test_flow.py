"""Continuous time: orders of the integrators, backward error analysis, and the losses that finite steps descend."""
import itertools

import numpy as np
import pytest
from scipy.linalg import expm

import tinygrad_notes as tn
from tinygrad_notes.analysis import gradient_flow, implicit_gd_loss, implicit_sgd_loss, integrate, modified_flow

pytestmark = pytest.mark.same_on_strict


def slope_of(errors, steps):
    """The power of the step with which the error falls."""
    return np.polyfit(np.log(steps), np.log(errors), 1)[0]


@pytest.mark.row("S0-65")
@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("heun", 2), ("rk4", 4)])
def test_order_of_the_integrators(method, order):
    counts = [8, 16, 32, 64]
    for field, exact in ((lambda x: -x, np.exp(-1.0)), (lambda x: x * x, 1 / (1 - 0.5))):
        start, time = (1.0, 1.0) if exact < 1 else (1.0, 0.5)
        errors = [abs(integrate(field, tn.asarray(np.array(start)), time, n, method).item() - exact) for n in counts]
        assert slope_of(errors, [time / n for n in counts]) == pytest.approx(order, abs=0.1)


@pytest.mark.row("S0-65")
def test_euler_steps_of_the_flow_are_gradient_descent(rng):
    start = rng.standard_normal(4)
    scale = tn.asarray(np.array([1.0, 3.0, 0.2, 2.0]))
    w = tn.tensor(start, requires_grad=True)
    opt = tn.optim.SGD([w], lr=0.1)
    for _ in range(20):
        opt.zero_grad()
        (0.5 * scale * w * w + tn.sin(w)).sum().backward()
        opt.step()
    found = gradient_flow(lambda v: (0.5 * scale * v * v + tn.sin(v)).sum(), tn.asarray(start), 2.0, 20, "euler")
    np.testing.assert_allclose(found.numpy(), w.numpy(), rtol=1e-12)


@pytest.mark.row("S0-65")
def test_outputs_of_a_linear_model_under_gradient_flow(rng):
    x, y, theta = rng.standard_normal((3, 5)), rng.standard_normal(5), rng.standard_normal(3)

    def loss(t):
        return 0.5 * ((tn.asarray(x).T @ t - tn.asarray(y)) ** 2).sum()

    end = gradient_flow(loss, tn.asarray(theta), 0.7, 100).numpy()
    np.testing.assert_allclose(x.T @ end, y + expm(-x.T @ x * 0.7) @ (x.T @ theta - y), rtol=1e-7)


def bent(w):
    """A loss with third derivatives."""
    return (w[0] ** 2 * w[1] + tn.cos(w[1]) + 0.5 * w[0] ** 4 + w[1] ** 2).sum()


@pytest.mark.row("S0-66")
def test_one_step_of_descent_against_the_flow_and_the_modified_flow():
    w, steps = tn.asarray(np.array([0.7, -0.4])), [0.08, 0.04, 0.02, 0.01]
    plain, modified = [], []
    for lr in steps:
        step = w - lr * tn.grad(bent)(w)
        plain.append(np.linalg.norm((gradient_flow(bent, w, lr, 4) - step).numpy()))
        modified.append(np.linalg.norm((modified_flow(bent, w, lr, lr, 4) - step).numpy()))
    assert slope_of(plain, steps) == pytest.approx(2, abs=0.1)
    assert slope_of(modified, steps) == pytest.approx(3, abs=0.1)


@pytest.mark.row("S0-67")
def test_the_modified_flow_moves_against_hessian_times_gradient(rng):
    w, lr = tn.asarray(rng.standard_normal(2)), 0.3
    g = tn.grad(bent)(w)
    product = tn.hvp(bent, w, g).numpy()
    np.testing.assert_allclose(product, tn.hessian(bent)(w).numpy() @ g.numpy(), rtol=1e-10)
    velocity = -tn.grad(implicit_gd_loss(bent, lr))(w).numpy()
    np.testing.assert_allclose(velocity, -g.numpy() - lr / 2 * product, rtol=1e-10)


@pytest.mark.row("S0-68")
@pytest.mark.parametrize(("lr", "to_flow", "to_modified"), [
    (0.2, 4.020e-2, 5.191e-3), (0.1, 1.920e-2, 1.259e-3), (0.05, 9.394e-3, 3.105e-4), (0.025, 4.647e-3, 7.713e-5)])
def test_descent_on_a_parabola_follows_the_modified_loss(lr, to_flow, to_modified):
    def loss(w):
        return 0.5 * (w * w).sum()

    one = tn.asarray(np.array([1.0]))
    descent = integrate(lambda w: -tn.grad(loss)(w), one, 1.0, round(1 / lr), "euler").item()
    assert abs(descent - gradient_flow(loss, one, 1.0, 20).item()) == pytest.approx(to_flow, rel=1e-3)
    assert abs(descent - modified_flow(loss, one, lr, 1.0, 20).item()) == pytest.approx(to_modified, rel=1e-3)


def udl_9_2(w):
    """UDL notebook 9.2 and figure 9.3."""
    return 1 - tn.exp(-0.5 * w[1] ** 2 * tn.exp(4 * w[0] ** 2))


START = np.array([-0.7, -0.75])


@pytest.mark.host_only
@pytest.mark.row("S0-69")
def test_paths_of_descent_and_flow_end_apart():
    start = tn.asarray(START)
    value, g = tn.value_and_grad(udl_9_2)(start)
    assert value.item() == pytest.approx(0.864215, abs=1e-6)
    np.testing.assert_allclose(g.numpy(), [-1.518267, -0.722984], atol=1e-6)
    coarse = gradient_flow(udl_9_2, start, 5.0, 100, "euler").numpy()  # 100 steps of descent with 0.05
    np.testing.assert_allclose(coarse, [-0.207806, -0.001487], atol=1e-6)
    flow = gradient_flow(udl_9_2, start, 10.0, 80).numpy()
    np.testing.assert_allclose(flow, [-0.226872, 0.0], atol=5e-4)  # that of the row is descent with 0.001
    modified = modified_flow(udl_9_2, start, 0.05, 10.0, 80).numpy()
    np.testing.assert_allclose(modified, [-0.208891, 0.0], atol=5e-4)
    assert abs(coarse - modified)[0] < 0.1 * abs(coarse - flow)[0]


@pytest.mark.host_only
@pytest.mark.row("S0-69")
@pytest.mark.parametrize(("lr", "to_flow", "to_modified"), [
    (0.1, 3.945e-2, 5.259e-3), (0.05, 1.945e-2, 1.482e-3), (0.025, 9.673e-3, 3.976e-4)])
def test_distance_of_descent_from_both_flows(lr, to_flow, to_modified):
    start = tn.asarray(START)
    descent = gradient_flow(udl_9_2, start, 5.0, round(5 / lr), "euler").numpy()
    flow = gradient_flow(udl_9_2, start, 5.0, 120).numpy()
    modified = modified_flow(udl_9_2, start, lr, 5.0, 120).numpy()
    assert np.linalg.norm(descent - flow) == pytest.approx(to_flow, rel=5e-3)
    assert np.linalg.norm(descent - modified) == pytest.approx(to_modified, rel=5e-3)


@pytest.mark.slow
@pytest.mark.row("S0-69")
def test_many_tiny_steps_of_descent():
    start = tn.asarray(START)
    plain = gradient_flow(udl_9_2, start, 10.0, 10_000, "euler").numpy()
    np.testing.assert_allclose(plain, [-0.226872, 0], atol=5e-6)
    modified = modified_flow(udl_9_2, start, 0.05, 10.0, 10_000, "euler").numpy()
    np.testing.assert_allclose(modified, [-0.208891, 0], atol=5e-6)


@pytest.mark.row("S0-70")
def test_the_mean_of_sgd_over_all_orders_follows_its_implicit_loss(rng):
    parts = []
    for _ in range(3):
        root = rng.standard_normal((2, 2))
        parts.append((root @ root.T + 0.3 * np.eye(2), rng.standard_normal(2)))

    def loss_of(h, b):
        return lambda w: 0.5 * w @ tn.asarray(h) @ w - (tn.asarray(b) * w).sum()

    losses = [loss_of(h, b) for h, b in parts]
    start, steps = rng.standard_normal(2), [0.02, 0.01, 0.005, 0.0025]
    errors = {"flow": [], "gd": [], "sgd": []}

    def mean(w):
        return sum(loss(w) for loss in losses) / 3

    for lr in steps:
        ends = []
        for order in itertools.permutations(parts):
            w = start
            for h, b in order:
                w = w - lr * (h @ w - b)
            ends.append(w)
        average, at = np.mean(ends, axis=0), tn.asarray(start)
        for name, loss in (("flow", mean), ("gd", implicit_gd_loss(mean, lr)), ("sgd", implicit_sgd_loss(losses, lr))):
            errors[name].append(np.linalg.norm(gradient_flow(loss, at, 3 * lr, 3).numpy() - average))
    assert slope_of(errors["flow"], steps) == pytest.approx(2, abs=0.1)
    assert slope_of(errors["gd"], steps) == pytest.approx(2, abs=0.1)
    assert slope_of(errors["sgd"], steps) == pytest.approx(3, abs=0.15)
    w = tn.asarray(rng.standard_normal(2))
    g, singles = tn.grad(mean)(w).numpy(), [tn.grad(loss)(w).numpy() for loss in losses]
    spread = implicit_gd_loss(mean, 0.1)(w).item() + 0.1 / 12 * sum(((s - g) ** 2).sum() for s in singles)
    assert implicit_sgd_loss(losses, 0.1)(w).item() == pytest.approx(spread, rel=1e-12)  # both forms of the formula


def test_containers_and_paths():
    start = {"w": tn.asarray(np.ones((2, 2))), "b": [tn.asarray(np.array(3.0))]}

    def loss(p):
        return 0.5 * (p["w"] ** 2).sum() + (p["b"][0] ** 2).sum()

    points = gradient_flow(loss, start, 1.0, 50, path=True)
    assert len(points) == 51 and points[0]["b"][0].item() == 3.0
    np.testing.assert_allclose(points[-1]["w"].numpy(), np.full((2, 2), np.exp(-1)), rtol=1e-6)
    assert points[-1]["b"][0].item() == pytest.approx(3 * np.exp(-2), rel=1e-6)


@pytest.mark.parametrize(("options", "text"), [
    ({"time": -1.0}, "time"), ({"steps": 0}, "steps: expected an int >= 1"), ({"method": "rk"}, "did you mean 'rk4'")])
def test_bad_options(options, text):
    with pytest.raises(ValueError, match=text):
        integrate(lambda x: -x, tn.ones(1), **{"time": 1.0, **options})


def test_losses_of_no_batch():
    with pytest.raises(ValueError, match="expected at least one"):
        implicit_sgd_loss([], 0.1)
