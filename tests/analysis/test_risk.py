"""Risks of estimators against exact sums, quadrature and simulation; bias and variance of polynomial fits."""
import math

import numpy as np
import pytest
from numpy.polynomial import chebyshev
from scipy import integrate, optimize, stats

import tinygrad_notes as tn
from tinygrad_notes.analysis import (
    risk,
    shrunken_bayes_risk,
    shrunken_max_risk,
    shrunken_risk,
    smoother_bias_variance,
)

pytestmark = pytest.mark.same_on_strict
PAIRS = [(0.0, 0.0), (1.0, 2.0), (math.sqrt(10) / 2, math.sqrt(10)), (4.0, 0.5)]


def exact(p, n, a, b):
    """The expectation as a sum over the numbers of successes."""
    s = np.arange(n + 1)
    return (stats.binom.pmf(s, n, p) * ((s + a) / (n + b) - p) ** 2).sum()


@pytest.mark.row("S0-45")
@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_risk_of_a_share(a, b):
    p = np.linspace(0, 1, 23)
    assert shrunken_risk(tn.tensor(p), 10, a, b).numpy() == pytest.approx([exact(x, 10, a, b) for x in p], rel=1e-10)


@pytest.mark.row("S0-45")
def test_an_estimator_with_the_same_risk_everywhere():
    for n in (1, 10, 400):
        found = shrunken_risk(tn.tensor(np.linspace(0, 1, 9)), n, math.sqrt(n) / 2, math.sqrt(n)).numpy()
        assert found == pytest.approx(1 / (4 * (1 + math.sqrt(n)) ** 2), rel=1e-12)


@pytest.mark.row("S0-38")
def test_simulated_risk(rng):
    n, a, b = 10, 1.0, 2.0
    data = tn.tensor((rng.random((20_000, n)) < 0.3).astype(float))
    found, error = risk(lambda x: (x.sum(axis=1) + a) / (n + b), lambda draws: data[:draws], 0.3, draws=20_000)
    assert abs(found - exact(0.3, n, a, b)) < 4 * error and 0 < error < 0.02 * found
    absolute, _ = risk(lambda x: x.mean(axis=1), lambda draws: data[:draws], 0.3, lambda t, x: abs(x - t), 1000)
    assert absolute == pytest.approx(np.abs(data.numpy()[:1000].mean(1) - 0.3).mean(), rel=1e-9)


@pytest.mark.row("S0-40")
def test_no_estimator_is_best_everywhere():
    """The constant 3 has risk (t - 3)^2, the mean of n draws of variance s^2 has s^2 / n: each wins somewhere."""
    rival = 4.0 / 9
    crossings = [optimize.brentq(lambda t: risk(lambda x: 3.0 + 0 * x, tn.zeros, t, draws=2)[0] - rival, *ends)
                 for ends in ((0.0, 3.0), (3.0, 7.0))]
    assert crossings == pytest.approx([3 - math.sqrt(rival), 3 + math.sqrt(rival)], rel=1e-6)


@pytest.mark.row("S0-41")
def test_maximum_risk():
    p = np.linspace(0, 1, 20_001)
    for n in (2, 10, 50):
        assert shrunken_max_risk(n) == pytest.approx(1 / (4 * n), rel=1e-12)
        for a, b in PAIRS:
            largest = shrunken_risk(tn.tensor(p), n, a, b).max().item()
            assert shrunken_max_risk(n, a, b) == pytest.approx(largest, rel=1e-7)


@pytest.mark.row("S0-43")
def test_minimax_among_shrunken_shares():
    found = optimize.minimize(lambda v: shrunken_max_risk(10, v[0], abs(v[1])), (0.5, 0.5), method="Nelder-Mead",
                              options={"xatol": 1e-8, "fatol": 1e-16, "maxiter": 4000, "maxfev": 4000})
    assert found.x == pytest.approx([math.sqrt(10) / 2, math.sqrt(10)], rel=1e-3)
    assert found.fun == pytest.approx(0.0144304, rel=1e-5)


@pytest.mark.row("S0-42")
@pytest.mark.parametrize("prior", [(1.0, 1.0), (2.0, 1.5)])
def test_bayes_risk(prior):
    for a, b in PAIRS:
        average = integrate.quad(lambda p, a=a, b=b: exact(p, 10, a, b) * stats.beta.pdf(p, *prior), 0, 1)[0]
        assert shrunken_bayes_risk(10, a, b, prior) == pytest.approx(average, rel=1e-6)
    assert shrunken_bayes_risk(10) == pytest.approx(1 / 60, rel=1e-12)
    constant = [shrunken_bayes_risk(n, math.sqrt(n) / 2, math.sqrt(n)) for n in (19, 20)]
    assert constant == pytest.approx([0.0087054, 0.0083488], abs=5e-8)
    assert constant[0] < shrunken_bayes_risk(19) and constant[1] > shrunken_bayes_risk(20)


@pytest.mark.row("S0-44")
def test_the_mean_of_the_posterior_has_the_smallest_bayes_risk():
    assert shrunken_bayes_risk(10, 1, 2) == pytest.approx(1 / 72, rel=1e-12)
    for s, f in ((1.0, 1.0), (2.0, 5.0)):
        found = optimize.minimize(lambda v, s=s, f=f: shrunken_bayes_risk(10, v[0], abs(v[1]), (s, f)), (0.3, 0.7),
                                  method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-16})
        assert found.x == pytest.approx([s, s + f], rel=1e-3)


# Bias and variance ----------------------------------------------------------------------------
def polynomials(degree, places):
    """The matrix from 20 observations on [-1, 5] to the least-squares polynomial at `places`."""
    A, B = (chebyshev.chebvander((x - 2) / 3, degree) for x in (np.linspace(-1, 5, 20), places))
    return B @ np.linalg.pinv(A)


def errors(degree):
    x, grid = np.linspace(-1, 5, 20), np.linspace(-1, 5, 200)
    return smoother_bias_variance(tn.tensor(polynomials(degree, grid)), tn.tensor(4 * np.sin(x)),
                                  tn.tensor(4 * np.sin(grid)), 4.0)


@pytest.mark.row("S0-51")
def test_bias_falls_and_variance_grows_with_the_degree():
    known = [(6.8249, 0.3828), (0.8987, 0.5529), (0.4296, 0.7166), (0.0132, 0.8800), (0.0035, 1.0485), (0.0000, 1.2266)]
    found = [[part.mean().item() for part in errors(k)] for k in range(1, 7)]
    assert np.array(found) == pytest.approx(np.array(known), abs=6e-5)
    assert np.argmin(np.sum(found, 1)) + 1 == 4
    x = np.linspace(-1, 5, 20)
    for k in (1, 4):
        _, variance = smoother_bias_variance(tn.tensor(polynomials(k, x)), tn.zeros(20, dtype="float64"),
                                             tn.zeros(20, dtype="float64"), 4.0)
        assert variance.mean().item() == pytest.approx(4 * (k + 1) / 20, rel=1e-10)


@pytest.mark.row("S0-47")
@pytest.mark.row("S0-48")
@pytest.mark.row("S0-49")
@pytest.mark.row("S0-50")
def test_error_is_variance_and_squared_bias_and_noise(rng):
    x, grid, sigma, draws = np.linspace(-1, 5, 20), np.linspace(-1, 5, 15), 2.0, 20_000
    for degree in (1, 4, 10):
        H = polynomials(degree, grid)
        bias2, variance = smoother_bias_variance(tn.tensor(H), 4 * np.sin(x), 4 * np.sin(grid), sigma**2)
        fits = (4 * np.sin(x) + sigma * rng.standard_normal((draws, 20))) @ H.T
        clean = (fits - 4 * np.sin(grid)) ** 2
        noisy = (fits - 4 * np.sin(grid) - sigma * rng.standard_normal(fits.shape)) ** 2
        for parts, seen in ((bias2 + variance, clean), (bias2 + variance + 4.0, noisy)):
            assert (np.abs(parts.numpy() - seen.mean(0)) < 5 * seen.std(0) / math.sqrt(draws)).all()
    assert variance.numpy()[[0, -1]].min() > 2 * variance.numpy()[5:10].max(), "wild at the ends"


@pytest.mark.parametrize(("call", "text"), [
    (lambda: risk(lambda x: x, tn.zeros, 0.0, draws=1), "draws"), (lambda: shrunken_risk(0.5, 0), "n: expected"),
    (lambda: risk(lambda x: x, tn.zeros, 0.0, lambda t, x: x.sum(), 5), r"loss: expected one .*\(5,\), got \(\)"),
    (lambda: shrunken_max_risk(5, 0, -1.0), "b: "), (lambda: shrunken_bayes_risk(5, prior=(0.0, 1.0)), r"prior\[0\]"),
    (lambda: smoother_bias_variance(tn.zeros((2, 3)), tn.zeros(2), tn.zeros(2), 1.0), r"matrix: expected \(M, N\)"),
    (lambda: smoother_bias_variance(tn.zeros((2, 3)), tn.zeros(3), tn.zeros(2), -1.0), "variance")])
def test_bad_arguments(call, text):
    with pytest.raises(ValueError, match=text):
        call()
