"""Draws with one parameter per element: their distribution, and how gamma and Dirichlet draws move."""
import numpy as np
import pytest
from scipy import stats

import tinygrad_notes as tn

N = 20000


def drawn(function, *parameters, shape=(N,), seed=0):
    return function(*[tn.Tensor(np.float64(p)) for p in parameters], shape, generator=tn.Generator(seed)).cpu().numpy()


@pytest.mark.parametrize("a", [0.01, 0.3, 1.0, 2.5, 300.0])
@pytest.mark.same_on_strict
def test_gamma_has_its_distribution(a):
    """Kolmogorov-Smirnov, 20000 draws: a difference of 0.014 in the distribution function would be found."""
    assert stats.kstest(drawn(tn.standard_gamma, a), stats.gamma(a).cdf).pvalue > 1e-3


def test_dirichlet_has_its_distribution():
    a = np.array([0.05, 1.0, 4.0])
    x = tn.dirichlet(tn.Tensor(a), (N, 3), generator=tn.Generator(1)).cpu().numpy()
    np.testing.assert_allclose(x.sum(axis=1), 1, rtol=1e-12)
    for k in range(3):
        assert stats.kstest(x[:, k], stats.beta(a[k], a.sum() - a[k]).cdf).pvalue > 1e-3
    expected = -a[1] * a[2] / a.sum() ** 2 / (a.sum() + 1)
    assert abs(np.cov(x[:, 1], x[:, 2])[0, 1] - expected) < 5 * 0.5 / N ** 0.5 * expected ** 2 + 2e-3


@pytest.mark.parametrize("rate", [0.2, 3.0, 500.0])
@pytest.mark.same_on_strict
def test_poisson_has_its_distribution(rate):
    x = drawn(tn.poisson, rate)
    assert abs(x.mean() - rate) < 5 * (rate / N) ** 0.5
    assert abs(x.var() / rate - 1) < 5 * ((1 / rate + 2) / N) ** 0.5  # the kurtosis is 3 + 1 / rate
    assert np.all(x == np.round(x))


@pytest.mark.parametrize("n, p", [(1, 0.3), (10, 0.9), (1000, 0.01)])
@pytest.mark.same_on_strict
def test_binomial_has_its_distribution(n, p):
    x = drawn(tn.binomial, n, p)
    seen = np.bincount(x.astype(int), minlength=n + 1)[:n + 1]
    expected = stats.binom(n, p).pmf(np.arange(n + 1)) * N
    common = expected > 20
    assert seen.sum() == N
    assert stats.chisquare(seen[common], expected[common] / expected[common].sum() * seen[common].sum()).pvalue > 1e-3


def test_seed_shape_and_dtype():
    for dtype in ("float16", "float32", "float64"):
        a = tn.Tensor(np.full((2, 1), 0.3, dtype))
        for function in (tn.standard_gamma, tn.poisson, tn.dirichlet):
            x, y = (function(a, (4, 2, 3), generator=tn.Generator(5)) for _ in range(2))
            assert x.shape == (4, 2, 3) and x.dtype == dtype and x.tolist() == y.tolist()
        assert tn.binomial(tn.Tensor([3]), a).dtype == dtype and tn.binomial(tn.Tensor([3, 4]), a).shape == (2, 2)
    with tn.as_device("cpu"):
        plain = tn.standard_gamma(tn.tensor([0.5, 2.0]), generator=tn.Generator(3)).tolist()
    with tn.as_device("strict"):
        assert tn.standard_gamma(tn.tensor([0.5, 2.0]), generator=tn.Generator(3)).tolist() == plain


def test_smallest_draws_are_positive():
    """With a = 0.001 most draws lie below the smallest float32; with logarithms the ratios of a vector stay right."""
    assert (tn.standard_gamma(tn.full((1000,), 1e-3)) > 0).all().item()
    x = tn.dirichlet(tn.full((1000, 3), 1e-3), generator=tn.Generator(0))
    assert (x > 0).all().item() and (x < 1).all().item()
    assert abs(x.max(axis=1).mean().item() - 1) < 0.01


def quantile_slope(quantile, theta, u, h=1e-5):
    return (quantile(u, theta + h) - quantile(u, theta - h)) / (2 * h)


@pytest.mark.parametrize("a", [0.05, 0.7, 1.0, 3.0, 80.0])
def test_gamma_moves_along_its_quantiles(a):
    leaf = tn.Tensor(np.full(50, a), requires_grad=True)
    x = tn.standard_gamma(leaf, generator=tn.Generator(0))
    x.sum().backward()
    u = stats.gamma(a).cdf(x.detach().cpu().numpy())
    fine = (u > 1e-8) & (u < 1 - 1e-8)
    expected = quantile_slope(lambda u, a: stats.gamma(a).ppf(u), a, u, 1e-5 * a)
    np.testing.assert_allclose(leaf.grad.cpu().numpy()[fine], expected[fine], rtol=2e-6)


def test_second_derivative_of_a_gamma_draw():
    """d2x/da2 at a fixed quantile, by differences of the quantile function."""
    for a in (0.6, 4.0):
        leaf = tn.Tensor(np.full(20, a), requires_grad=True)
        x = tn.standard_gamma(leaf, generator=tn.Generator(2))
        slope, = tn.autograd.grad(x.sum(), leaf, create_graph=True)
        curve, = tn.autograd.grad(slope.sum(), leaf)
        u, h = stats.gamma(a).cdf(x.detach().cpu().numpy()), 1e-3 * a
        q = [stats.gamma(a + k * h).ppf(u) for k in (-2, -1, 0, 1, 2)]
        expected = (-q[0] + 16 * q[1] - 30 * q[2] + 16 * q[3] - q[4]) / (12 * h * h)
        np.testing.assert_allclose(curve.cpu().numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("a, b", [(0.3, 0.8), (2.0, 5.0), (60.0, 40.0)])
def test_two_parts_move_along_the_quantiles_of_beta(a, b):
    leaf = tn.Tensor(np.tile([a, b], (40, 1)), requires_grad=True)
    x = tn.dirichlet(leaf, generator=tn.Generator(0))
    x[:, 0].sum().backward()
    u = stats.beta(a, b).cdf(x.detach().cpu().numpy()[:, 0])
    fine = (u > 1e-6) & (u < 1 - 1e-6)
    for k, expected in enumerate((quantile_slope(lambda u, a: stats.beta(a, b).ppf(u), a, u),
                                  quantile_slope(lambda u, b: stats.beta(a, b).ppf(u), b, u))):
        np.testing.assert_allclose(leaf.grad.cpu().numpy()[fine, k], expected[fine], rtol=1e-5, atol=1e-9)


@pytest.mark.same_on_strict
def test_vectors_stay_on_the_simplex_and_have_the_right_mean_gradient():
    """E f(x) = sum w_i a_i (a_i + 1) / (A (A + 1)) for f = sum w_i x_i^2: its gradient is the mean of pathwise ones."""
    a, w = np.array([0.8, 2.0, 3.5]), np.array([1.0, -2.0, 0.5])
    leaf = tn.Tensor(np.tile(a, (N, 1)), requires_grad=True)
    x = tn.dirichlet(leaf, generator=tn.Generator(3))
    total, = tn.autograd.grad(x.sum(), leaf, retain_graph=True)
    assert np.abs(total.cpu().numpy()).max() < 1e-9
    g, = tn.autograd.grad((x * x * tn.Tensor(w)).sum(), leaf)
    g = g.cpu().numpy()
    total = a.sum()
    value = (w * a * (a + 1)).sum() / (total * (total + 1))
    expected = w * (2 * a + 1) / (total * (total + 1)) - value * (2 * total + 1) / (total * (total + 1))
    error = g.std(axis=0) / N ** 0.5
    assert np.all(np.abs(g.mean(axis=0) - expected) < 4 * error), (g.mean(axis=0), expected, error)
    assert error.max() < 0.01


@pytest.mark.parametrize("make, words", [
    (lambda: tn.standard_gamma(tn.tensor([1.0, -2.0])), r"concentration.*> 0.*-2\.0"),
    (lambda: tn.standard_gamma(tn.tensor([1.0, 2.0]), (3,)), r"\(2,\).*\(3,\)"),
    (lambda: tn.dirichlet(tn.tensor(1.0)), "at least one axis"),
    (lambda: tn.dirichlet(tn.tensor([0.0, 1.0])), "concentration.*> 0.*0.0"),
    (lambda: tn.poisson(tn.tensor([float("nan")])), "rate.*nan"),
    (lambda: tn.binomial(tn.tensor([1.5]), 0.5), "count.*whole.*1.5"),
    (lambda: tn.binomial(tn.tensor([1.0]), tn.tensor(1.5)), "prob.*between 0 and 1.*1.5"),
], ids=range(7))
def test_errors(make, words):
    with pytest.raises(ValueError, match=words):
        make()
