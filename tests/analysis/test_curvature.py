"""Eigenvalues of the Hessian and the steps they allow: against explicit matrices, and what descent then does."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.analysis import hessian_extremes, lambda_max, lanczos, loss_of_module, max_stable_step


def symmetric(rng, eigenvalues):
    basis = np.linalg.qr(rng.standard_normal((len(eigenvalues),) * 2))[0]
    return basis @ np.diag(eigenvalues) @ basis.T


def quadratic(h, b=0.0):
    return lambda w: 0.5 * w @ tn.asarray(h) @ w - (tn.asarray(b) * w).sum()


@pytest.mark.row("S1-61")
def test_gradient_of_least_squares(rng):
    phi, y, w = rng.standard_normal((7, 4)), rng.standard_normal(7), rng.standard_normal(4)

    def loss(v):
        r = tn.asarray(phi) @ v - tn.asarray(y)
        return 0.5 * (r * r).sum()

    found = tn.grad(loss)(tn.asarray(w)).numpy()
    np.testing.assert_allclose(found, phi.T @ phi @ w - phi.T @ y, rtol=1e-12)
    p = tn.tensor(w, requires_grad=True)
    opt = tn.optim.SGD([p], lr=0.03)
    loss(p).backward()
    opt.step()
    np.testing.assert_allclose(p.numpy(), w - 0.03 * (phi.T @ phi @ w - phi.T @ y), rtol=1e-12)


@pytest.mark.row("S1-62")
def test_hessian_of_least_squares_is_the_same_everywhere(rng):
    phi, y = rng.standard_normal((7, 4)), rng.standard_normal(7)

    def loss(v):
        return 0.5 * ((tn.asarray(phi) @ v - tn.asarray(y)) ** 2).sum()

    for _ in range(2):
        found = tn.hessian(loss)(tn.asarray(rng.standard_normal(4))).numpy()
        np.testing.assert_allclose(found, phi.T @ phi, rtol=1e-12)


@pytest.mark.row("S0-24")
def test_hessian_of_the_squared_error_of_a_line(rng):
    def hessian(x, y):
        return tn.hessian(lambda w: ((w[0] + w[1] * tn.asarray(x) - tn.asarray(y)) ** 2).sum())(
            tn.asarray(rng.standard_normal(2))).numpy()

    for shift in (-5.0, 0.0, 5.0):
        x = rng.standard_normal(9) + shift
        found = hessian(x, rng.standard_normal(9))
        np.testing.assert_allclose(found, [[18, 2 * x.sum()], [2 * x.sum(), 2 * (x @ x)]], rtol=1e-10)
        assert np.linalg.det(found) == pytest.approx(4 * 81 * x.var(), rel=1e-9)
    assert np.linalg.det(hessian(np.full(9, 2.0), rng.standard_normal(9))) == pytest.approx(0, abs=1e-9)
    x = np.array([0.03, 0.19, 0.34, 0.46, 0.78, 0.81, 1.08, 1.18, 1.39, 1.60, 1.65, 1.90])  # UDL notebook 6.2
    np.testing.assert_allclose(np.linalg.eigvalsh(hessian(x, x)), [3.994169, 50.030031], atol=1e-6)


@pytest.mark.row("S1-63")
def test_the_step_at_which_a_quadratic_stops_to_fall(rng):
    for _ in range(5):
        h, b = symmetric(rng, rng.uniform(0.1, 5, 6)), rng.standard_normal(6)
        w = tn.asarray(rng.standard_normal(6))
        loss = quadratic(h, b)
        step, g = max_stable_step(loss, w), tn.grad(loss)(w)
        height = loss(w).item()
        assert loss(w - step * g).item() == pytest.approx(height, rel=1e-12, abs=1e-12)
        assert loss(w - 0.99 * step * g).item() < height < loss(w - 1.01 * step * g).item()
        assert step >= 2 / np.linalg.eigvalsh(h)[-1] * (1 - 1e-12)
    assert max_stable_step(lambda w: -(w * w).sum(), tn.ones(2)) == np.inf


@pytest.mark.row("S1-64")
@pytest.mark.parametrize("method", ["lanczos", "power"])
@pytest.mark.parametrize("eigenvalues", [np.linspace(0.1, 4, 5), np.linspace(-9, 4, 30), np.r_[np.zeros(40), 3.0]])
def test_the_largest_eigenvalue(eigenvalues, method, rng):
    h = symmetric(rng, eigenvalues)
    found = lambda_max(quadratic(h), tn.asarray(rng.standard_normal(len(h))), method, iterations=2000, tolerance=1e-10)
    assert found == pytest.approx(max(eigenvalues), rel=1e-5)


@pytest.mark.row("S1-64")
def test_descent_is_stable_below_two_over_the_largest_eigenvalue_and_not_above(rng):
    h = symmetric(rng, np.linspace(0.5, 3.0, 5))
    w = tn.tensor(rng.standard_normal(5), requires_grad=True)
    smooth = lambda_max(quadratic(h), w)
    ends = {}
    for share in (0.99, 1.0, 1.01):
        v = w.numpy().copy()
        for _ in range(5000):
            v = v - share * 2 / smooth * (h @ v)
        ends[share] = 0.5 * v @ h @ v
    assert ends[0.99] < 1e-40 and 1e-3 < ends[1.0] < 1e2 and ends[1.01] > 1e40


def test_both_ends_of_the_spectrum(rng):
    for n in (1, 2, 25):
        eigenvalues = rng.standard_normal(n)
        low, high = hessian_extremes(quadratic(symmetric(rng, eigenvalues)), tn.asarray(np.zeros(n)))
        assert low == pytest.approx(min(eigenvalues), rel=1e-6)
        assert high == pytest.approx(max(eigenvalues), rel=1e-6)


def test_lanczos_is_exact_where_the_vector_spans_an_invariant_space(rng):
    scale = np.array([1.0, 2.0, 2.0, 5.0, 5.0, 7.0])
    start = np.array([1.0, 1.0, 0.5, 1.0, -2.0, 0.0])
    found = lanczos(lambda v: tn.asarray(scale) * v, tn.asarray(start), 6)
    np.testing.assert_allclose(found.numpy(), [1, 2, 5], rtol=1e-12)
    few = lanczos(lambda v: tn.asarray(scale) * v, tn.asarray(rng.standard_normal(6)), 2).numpy()
    assert few[0] >= 1 and few[-1] <= 7


def test_the_hessian_of_a_network(rng):
    tn.manual_seed(1)
    net = tn.nn.Sequential(tn.nn.Linear(3, 4), tn.nn.Tanh(), tn.nn.Linear(4, 2)).to("float64")
    x, y = tn.asarray(rng.standard_normal((6, 3))), tn.asarray(rng.standard_normal((6, 2)))
    loss, params = loss_of_module(net, lambda m: ((m(x) - y) ** 2).sum())
    vector, restore = tn.analysis.raveled(params)
    full = tn.hessian(lambda v: loss(restore(v)))(vector).numpy()
    low, high = hessian_extremes(loss, params, tolerance=1e-10)
    np.testing.assert_allclose([low, high], np.linalg.eigvalsh(full)[[0, -1]], rtol=1e-8)
    assert net[0].weight.grad is None and list(params) == [name for name, _ in net.named_parameters()]
    v = rng.standard_normal(vector.size)
    direct = tn.hvp(loss, params, restore(tn.asarray(v)))
    np.testing.assert_allclose(tn.analysis.raveled(direct)[0].numpy(), full @ v, rtol=1e-9)


def test_bad_arguments():
    with pytest.raises(TypeError, match="loss: expected a function of the parameters, got Tensor"):
        lambda_max(tn.ones(2), tn.ones(2))
    with pytest.raises(ValueError, match="method: expected 'lanczos' or 'power', got 'qr'"):
        lambda_max(lambda w: (w * w).sum(), tn.ones(2), method="qr")
    with pytest.raises(ValueError, match="there is no number in them"):
        lambda_max(lambda w: 0, {})
    with pytest.raises(ValueError, match="the vector is zero"):
        lanczos(lambda v: v, tn.zeros(3), 2)
    with pytest.raises(ValueError, match=r"expected a vector and an int >= 1, got shape \(2, 2\)"):
        lanczos(lambda v: v, tn.ones((2, 2)), 2)
