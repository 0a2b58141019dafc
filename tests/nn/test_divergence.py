"""Divergences and transport distances: the numbers of the notes and of UDL, closed forms, and linear programs."""
import numpy as np
import pytest
import scipy.stats

import tinygrad_notes as tn
from tinygrad_notes.nn import functional as F

RNG = np.random.default_rng(0)
# The two distributions over ten values of UDL, notebook 15.2.
P = np.array([5, 3, 2, 1, 8, 7, 5, 9, 2, 1]) / 43
Q = np.array([4, 10, 1, 1, 4, 6, 3, 2, 0, 1]) / 32


def grid(mean, std, low=-14.0, high=16.0, n=30_001):
    """Probabilities of a normal distribution on a fine grid, and its points."""
    x = np.linspace(low, high, n)
    p = np.exp(-0.5 * ((x - mean) / std) ** 2)
    return p / p.sum(), x


@pytest.mark.row("S1-03")
def test_the_divergence_depends_on_the_order():
    assert F.kl_categorical(Q, P).item() == pytest.approx(0.364711, abs=5e-7)
    assert F.kl_categorical(P, Q).item() == np.inf
    p, q = RNG.dirichlet(np.ones(4), 5), RNG.dirichlet(np.ones(4), 5)
    np.testing.assert_allclose(F.kl_categorical(p, q).numpy(), (p * np.log(p / q)).sum(1), rtol=1e-12)
    assert F.kl_categorical(p.T, q.T, dim=0, reduction="sum").item() == pytest.approx((p * np.log(p / q)).sum())
    none = np.array([0.0, 1.0])  # a class that neither has does no harm
    assert F.kl_categorical(none, none).item() == 0
    assert F.kl_div(tn.tensor([-np.inf, 0.0]), tn.tensor(none), reduction="sum").item() == 0


@pytest.mark.row("S1-04")
@pytest.mark.same_on_strict
def test_the_symmetric_divergence():
    assert F.js_div(P, Q).item() == pytest.approx(0.0841782, abs=5e-8)
    assert F.js_div(P, Q).item() == F.js_div(Q, P).item()
    assert F.js_div([1.0, 0.0], [0.0, 1.0]).item() == pytest.approx(np.log(2))
    for other, value in [((1, 1), 0.1114215), ((1, 2), 0.1281750), ((3, 1), 0.5267773), ((10, 1), 0.6931463)]:
        (p, _), (q, _) = grid(0, 1), grid(*other)
        assert F.js_div(p, q).item() == pytest.approx(value, abs=1e-7)
    p, q = RNG.dirichlet(np.ones(4), 3), RNG.dirichlet(np.ones(4), 3)
    for function in (F.js_div, F.kl_categorical):
        assert tn.gradcheck(function, (tn.tensor(p), tn.tensor(q)))
        assert tn.gradgradcheck(function, (tn.tensor(p), tn.tensor(q)))


def lipschitz_cost(n):
    return np.abs(np.arange(n)[:, None] - np.arange(n)) / (n - 1)


@pytest.mark.row("S1-11", "S0-T46")
def test_the_earth_movers_distance():
    by_sums = F.wasserstein_1d(P, Q, np.arange(10) / 9).item()
    assert by_sums == pytest.approx(0.15148578811369506, rel=1e-12)
    assert F.wasserstein_1d(P, Q).item() == pytest.approx(1.3633721, abs=5e-8)
    assert F.wasserstein_lp(P, Q, lipschitz_cost(10)).item() == pytest.approx(by_sums, rel=1e-9)
    for first, other, value in [((0, 1), (2, 1), 2), ((0, 1), (0, 2), np.sqrt(2 / np.pi)), ((0, 1), (1, 2), 1.166631),
                                ((-1, 0.5), (2, 1.5), 3.000764)]:
        (p, x), (q, _) = grid(*first), grid(*other)
        assert F.wasserstein_1d(p, q, x).item() == pytest.approx(value, abs=2e-6)


@pytest.mark.row("S1-12")
def test_the_dual_of_the_earth_movers_distance():
    """The best 1-Lipschitz critic earns what the best plan costs; its values are the gradient for the masses."""
    p, q = tn.tensor(P, requires_grad=True), tn.tensor(Q, requires_grad=True)
    distance = F.wasserstein_lp(p, q, lipschitz_cost(10))
    distance.backward()
    critic = p.grad.numpy()
    assert critic @ P + q.grad.numpy() @ Q == pytest.approx(distance.item(), rel=1e-9)
    assert critic @ (P - Q) == pytest.approx(0.15148578811369506, rel=1e-9)
    assert (np.abs(np.diff(critic)) <= 1 / 9 + 1e-9).all()


@pytest.mark.same_on_strict
def test_the_gradient_of_the_cost_is_the_plan():
    p, q = RNG.dirichlet(np.ones(4)), RNG.dirichlet(np.ones(3))
    cost = tn.tensor(RNG.uniform(size=(4, 3)), requires_grad=True)
    value = F.wasserstein_lp(tn.tensor(p), q, cost)
    value.backward()
    plan = cost.grad.numpy()
    np.testing.assert_allclose(plan.sum(1), p, atol=1e-12)
    np.testing.assert_allclose(plan.sum(0), q, atol=1e-12)
    assert (plan >= -1e-12).all() and (plan * cost.numpy()).sum() == pytest.approx(value.item())
    assert tn.gradcheck(lambda c: F.wasserstein_lp(tn.tensor(p), q, c), cost)

    def along(t, u):  # changes of the masses that keep their sums
        return F.wasserstein_lp(tn.tensor(p) + t - tn.mean(t), tn.tensor(q) + u - tn.mean(u), cost.detach())
    assert tn.gradcheck(along, (tn.zeros((4,), dtype="float64"), tn.zeros((3,), dtype="float64")))


@pytest.mark.parametrize("n, m", [(6, 6), (7, 4), (1, 5)])
def test_distance_of_samples(n, m):
    x, y = RNG.standard_normal(n), 2 * RNG.standard_normal(m) + 1
    assert F.wasserstein_samples(x, y).item() == pytest.approx(scipy.stats.wasserstein_distance(x, y), rel=1e-12)
    assert tn.gradcheck(F.wasserstein_samples, (tn.tensor(x), tn.tensor(y)))


def test_distance_of_normals():
    x = RNG.standard_normal(4), RNG.uniform(0.5, 2, 4), RNG.standard_normal(4), RNG.uniform(0.5, 2, 4)
    at = scipy.stats.norm.ppf((np.arange(100_000) + 0.5) / 100_000)
    expected = [np.mean((a - c + (b - d) * at) ** 2) for a, b, c, d in zip(*x)]  # quantile by quantile
    np.testing.assert_allclose(F.wasserstein_normal(*x).numpy(), expected, rtol=1e-4)
    assert tn.gradgradcheck(F.wasserstein_normal, [tn.tensor(a) for a in x])


@pytest.mark.parametrize("call, message", [
    (lambda: F.js_div(P, Q[:3]), "p and q must have equal shapes"),
    (lambda: F.js_div(P, -Q), "js_div: q: expected probabilities >= 0"),
    (lambda: F.kl_categorical(P, Q, reduction="batchmean"), "reduction: expected one of"),
    (lambda: F.wasserstein_1d(P, Q, P[:4]), r"positions: expected 10 points, got shape \(4,\)"),
    (lambda: F.wasserstein_1d(P, Q, -np.arange(10.0)), "points in ascending order"),
    (lambda: F.wasserstein_samples(P[:0], Q), r"x: expected a sample of shape \(n,\), n > 0"),
    (lambda: F.wasserstein_normal(0.0, -1.0, 0.0, 1.0), "std must not be negative"),
    (lambda: F.wasserstein_lp(P, Q, np.ones((9, 10))), r"expected p \(n,\), q \(m,\) and cost \(n, m\)"),
    (lambda: F.wasserstein_lp(P, 2 * Q, np.ones((10, 10))), "must have equal sums, got 1 and 2"),
    (lambda: F.wasserstein_lp(P - 1, Q, np.ones((10, 10))), "expected masses >= 0"),
])
def test_what_raises(call, message):
    with pytest.raises(ValueError, match=message):
        call()
