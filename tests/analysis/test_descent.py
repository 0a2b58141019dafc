"""Rates of descent: bounds for smooth losses, the Polyak-Lojasiewicz condition, its certificate, basins of minima."""
import numpy as np
import pytest
from scipy.optimize import minimize

import tinygrad_notes as tn
from tinygrad_notes.analysis import (
    PLCertificate,
    descent_bound,
    descent_steps,
    lambda_max,
    pl_constant,
    pl_ratio,
    tangent_kernel,
)


def descend(loss, start, lr, steps):
    """Losses and squared norms of the gradient along gradient descent, and the last parameters."""
    w, both = tn.asarray(start), tn.value_and_grad(loss)
    losses, squares = [], []
    for _ in range(steps):
        value, g = both(w)
        losses.append(value.item())
        squares.append((g * g).sum().item())
        w = w - lr * g
    return np.array(losses), np.array(squares), w


def logistic(rng):
    """Regularised logistic regression, its smoothness and its lowest value."""
    x, y = rng.standard_normal((20, 3)), np.sign(rng.standard_normal(20))

    def loss(w):
        return tn.nn.functional.softplus(-tn.asarray(y) * (tn.asarray(x) @ w)).mean() + 0.05 * (w * w).sum()

    smooth = np.linalg.eigvalsh(x.T @ x / 20)[-1] / 4 + 0.1
    known = minimize(lambda w: np.logaddexp(0, -y * (x @ w)).mean() + 0.05 * w @ w, np.zeros(3), tol=1e-12)
    return loss, smooth, known.fun, rng.standard_normal(3) * 4


def waves(rng):
    """A sum of sines: not convex, smooth with constant 1, never below -d."""
    return (lambda w: tn.sin(w).sum()), 1.0, -4.0, rng.uniform(-3, 3, 4)


@pytest.mark.row("S1-65")
@pytest.mark.parametrize("make", [logistic, waves])
def test_some_gradient_is_small_as_soon_as_promised(make, rng):
    loss, smooth, lowest, start = make(rng)
    losses, squares, _ = descend(loss, start, 1 / smooth, 1000)
    assert (np.diff(losses) <= 1e-15).all()
    least = np.minimum.accumulate(squares)
    excess = losses[0] - lowest
    bounds = np.array([descent_bound(smooth, excess, t) for t in range(1, 1001)])
    assert (least <= bounds + 1e-14).all()
    for square in (1e-1, 1e-2):
        t = descent_steps(smooth, excess, square)
        assert descent_bound(smooth, excess, t) <= square * (1 + 1e-9)
        assert t == 1 or descent_bound(smooth, excess, t - 1) > square


@pytest.mark.row("S1-75")
def test_the_ratio_that_the_condition_bounds(rng):
    h = np.diag([0.5, 2.0, 7.0])
    for _ in range(20):
        w = tn.asarray(rng.standard_normal(3))
        ratio = pl_ratio(lambda w: 0.5 * w @ tn.asarray(h) @ w + 3.0, w, lowest=3.0)
        assert 0.5 <= ratio <= 7.0  # between the extreme eigenvalues
    assert pl_ratio(lambda w: 0.5 * w @ tn.asarray(h) @ w, tn.asarray(np.array([1.0, 0, 0]))) == pytest.approx(0.5)
    assert pl_ratio(lambda w: (w * w).sum(), tn.zeros(2)) == np.inf
    with pytest.raises(ValueError, match="below"):
        pl_ratio(lambda w: -(w * w).sum(), tn.ones(2))


@pytest.mark.row("S1-75")
@pytest.mark.row("S1-76")
def test_the_kernel_gives_the_constant_of_a_linear_system(rng):
    a, y = rng.standard_normal((5, 12)), rng.standard_normal(5)

    def outputs(w, x):
        return x @ w

    def loss(w):
        return 0.5 * ((outputs(w, tn.asarray(a)) - tn.asarray(y)) ** 2).sum()

    w = tn.asarray(rng.standard_normal(12))
    kernel = tangent_kernel(outputs, tn.asarray(a), params=w)
    np.testing.assert_allclose(kernel.numpy(), a @ a.T, rtol=1e-12)
    g, r = tn.grad(loss)(w).numpy(), a @ w.numpy() - y
    assert g @ g == pytest.approx(r @ kernel.numpy() @ r, rel=1e-12)
    lowest = pl_constant(kernel)
    assert lowest == pytest.approx(np.linalg.eigvalsh(a @ a.T)[0], rel=1e-9)
    assert g @ g >= 2 * lowest * loss(w).item()
    assert pl_ratio(loss, w) >= lowest


@pytest.mark.row("S1-77")
def test_a_certificate_holds_for_a_linear_system(rng):
    a, y = rng.standard_normal((5, 12)), rng.standard_normal(5)

    def loss(w):
        return 0.5 * ((tn.asarray(a) @ w - tn.asarray(y)) ** 2).sum()

    start = rng.standard_normal(12)
    certificate = PLCertificate(pl_constant(a @ a.T), lambda_max(loss, tn.asarray(start), tolerance=1e-10) * (1 + 1e-9),
                                loss(tn.asarray(start)).item())
    for share in (1.0, 0.3):
        lr = share * certificate.lr
        losses, _, end = descend(loss, start, lr, 101)
        bounds = [certificate.bound(t, lr) for t in range(101)]
        assert (losses <= np.array(bounds) * (1 + 1e-9)).all()
        assert np.linalg.norm(end.numpy() - start) <= certificate.radius
    assert losses[0] == pytest.approx(certificate.loss)


@pytest.mark.row("S1-77")
def test_a_certificate_holds_for_a_wide_network():
    """Constants measured along the path, with room: what the condition says of a network that is not linear."""
    tn.manual_seed(0)
    width, x = 200, tn.asarray(np.linspace(-1, 1, 4)[:, None])
    y = tn.asarray(np.array([[0.3], [-0.2], [0.5], [0.1]]))
    net = tn.nn.Sequential(tn.nn.Linear(1, width), tn.nn.Tanh(), tn.nn.Linear(width, 1)).to("float64")
    loss, params = tn.analysis.loss_of_module(net, lambda m: 0.5 * ((m(x) - y) ** 2).sum())
    vector, restore = tn.analysis.raveled(params)

    def flat(w):
        return loss(restore(w))

    lr = 0.9 / lambda_max(flat, vector)
    losses, squares, end = descend(flat, vector.numpy(), lr, 300)
    least = (0.5 * squares / losses).min()
    assert least > 0 and (losses[1:] <= (1 - 0.5 * lr * least) ** np.arange(1, 300) * losses[0]).all()
    certificate = PLCertificate(0.5 * least, 1.5 / lr, losses[0])
    assert np.linalg.norm(end.numpy() - vector.numpy()) <= certificate.radius


@pytest.mark.row("S1-74")
def test_minima_of_an_overparameterised_linear_model_differ_by_where_descent_began(rng):
    x, y = rng.standard_normal((5, 40)), rng.standard_normal(5)

    def loss(w):
        return 0.5 * ((tn.asarray(x) @ w - tn.asarray(y)) ** 2).sum()

    rows = np.linalg.qr(x.T)[0]
    ends = []
    for _ in range(2):
        start = rng.standard_normal(40)
        losses, _, end = descend(loss, start, 1 / np.linalg.eigvalsh(x @ x.T)[-1], 500)
        assert losses[-1] < 1e-10
        moved = end.numpy() - start
        np.testing.assert_allclose(moved - rows @ (rows.T @ moved), 0, atol=1e-12)  # it stays in the span of the inputs
        ends.append(end.numpy())
    assert np.linalg.norm(ends[0] - ends[1]) > 0.1
    assert loss(tn.asarray((ends[0] + ends[1]) / 2)).item() < 1e-9  # here all minima form one flat


@pytest.mark.row("S1-74")
def test_minima_of_a_network_are_not_joined_by_a_straight_line():
    x = tn.asarray(np.linspace(-1, 1, 5)[:, None])
    y = tn.sin(3 * x)
    found = []
    for seed in (0, 1):
        tn.manual_seed(seed)
        net = tn.nn.Sequential(tn.nn.Linear(1, 20), tn.nn.Tanh(), tn.nn.Linear(20, 1)).to("float64")
        opt = tn.optim.LBFGS(net.parameters(), max_iter=300, line_search_fn="strong_wolfe", tolerance_change=1e-14)

        def closure(net=net, opt=opt):
            opt.zero_grad()
            value = ((net(x) - y) ** 2).sum()
            value.backward()
            return value

        opt.step(closure)
        found.append(tn.analysis.loss_of_module(net, lambda m: ((m(x) - y) ** 2).sum()))
    (loss, one), (_, two) = found
    assert loss(one).item() < 1e-10 and loss(two).item() < 1e-10
    assert loss({name: (one[name] + two[name]) / 2 for name in one}).item() > 1e-3


@pytest.mark.parametrize(("call", "text"), [
    (lambda: descent_bound(-1.0, 1.0, 1), "smoothness"), (lambda: descent_bound(1.0, 1.0, 0), "steps"),
    (lambda: descent_steps(1.0, 1.0, 0.0), "squared_norm"), (lambda: PLCertificate(0.0, 1.0, 1.0), "pl"),
    (lambda: PLCertificate(2.0, 1.0, 1.0), "smoothness"), (lambda: PLCertificate(1.0, 2.0, 1.0).bound(3, 0.6), "lr"),
    (lambda: pl_constant(tn.ones((2, 3))), "expected a square matrix")])
def test_bad_arguments(call, text):
    with pytest.raises(ValueError, match=text):
        call()
