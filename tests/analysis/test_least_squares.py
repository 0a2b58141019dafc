"""Least squares and its relatives, against NumPy, descent, enumeration and simulation."""
import itertools

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.analysis import (
    dropout_penalty,
    early_stop_filter,
    ols,
    ols_risk,
    ridge,
    ridge_filter,
    ridge_like_early_stop,
)


def line(n=1000):
    """The regression of chapter 1: inputs on (0, 6), y = 3 x + 1 with noise of deviation 2."""
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(n), rng.uniform(0, 6, n)])
    return X, X @ (1, 3) + 2 * rng.standard_normal(n)


@pytest.mark.row("S0-64")
@pytest.mark.parametrize(("n", "d", "targets"), [(20, 5, ()), (20, 5, (3,)), (4, 7, ()), (4, 7, (2,)), (5, 5, ())])
def test_against_numpy(n, d, targets, rng):
    X, y = rng.standard_normal((n, d)), rng.standard_normal((n, *targets))
    assert ols(tn.tensor(X), tn.tensor(y)).numpy() == pytest.approx(np.linalg.lstsq(X, y, rcond=None)[0], rel=1e-9)
    stacked = np.vstack([X, np.sqrt(0.7) * np.eye(d)]), np.concatenate([y, np.zeros((d, *targets))])
    expected = np.linalg.lstsq(*stacked, rcond=None)[0]  # ridge is least squares with d examples more
    assert ridge(tn.tensor(X), tn.tensor(y), 0.7).numpy() == pytest.approx(expected, rel=1e-9)


@pytest.mark.row("S0-64")
def test_ridge_is_where_descent_ends(rng):
    X, y = tn.tensor(rng.standard_normal((12, 4))), tn.tensor(rng.standard_normal(12))
    w = tn.zeros(4, dtype=tn.float64, requires_grad=True)
    opt = tn.optim.SGD([w], lr=0.01, momentum=0.5)
    for _ in range(400):
        opt.zero_grad()
        (((y - X @ w) ** 2).sum() + 0.7 * (w**2).sum()).backward()
        opt.step()
    best = ridge(X, y, 0.7)
    assert w.numpy() == pytest.approx(best.numpy(), rel=1e-8)
    U, d, Vt = np.linalg.svd(X.numpy(), full_matrices=False)
    kept = (Vt @ best.numpy()) / (Vt @ ols(X, y).numpy())
    assert kept == pytest.approx(ridge_filter(tn.tensor(d**2), 0.7).numpy(), rel=1e-9)


def test_gradients(rng):
    X, y = tn.tensor(rng.standard_normal((6, 3))), tn.tensor(rng.standard_normal(6))
    tn.gradgradcheck(lambda X, y: ridge(X, y, 0.3), (X, y))
    tn.gradgradcheck(lambda X, w: dropout_penalty(X, w, 0.3), (X, tn.tensor(rng.standard_normal(3))))


@pytest.mark.row("S0-39")
@pytest.mark.same_on_strict
def test_risk_of_least_squares():
    X, _ = line()
    risk = ols_risk(tn.tensor(X), 4.0)
    assert risk == pytest.approx(0.018568, rel=1e-4)
    assert risk == pytest.approx(4 * np.trace(np.linalg.inv(X.T @ X)), rel=1e-10)
    noise = 2 * np.random.default_rng(1).standard_normal((1000, 4000))
    away = ols(tn.tensor(X), tn.tensor(noise)).numpy()  # the estimate minus the truth, for 4000 draws at once
    assert risk == pytest.approx((away**2).sum(0).mean(), rel=0.05)


@pytest.mark.row("S0-73")
def test_stopping_early_resembles_ridge():
    s = tn.tensor(np.array([0.01, 0.1, 1.0, 10.0]))
    stopped = early_stop_filter(s, 0.01, 100)
    assert stopped.numpy() == pytest.approx([0.00995, 0.09521, 0.63397, 0.99997], abs=5e-6)
    assert ridge_filter(s, 1.0).numpy() == pytest.approx([0.00990, 0.09091, 0.5, 0.90909], abs=5e-6)
    same = ridge_filter(s, ridge_like_early_stop(s, 0.01, 100))
    assert same.numpy() == pytest.approx(stopped.numpy(), rel=1e-12)
    w = np.zeros(4)
    for _ in range(100):  # descent on 1/2 sum s (w - 1)^2
        w -= 0.01 * s.numpy() * (w - 1)
    assert stopped.numpy() == pytest.approx(w, rel=1e-9)


@pytest.mark.row("S0-79")
@pytest.mark.parametrize("targets", [(), (2,)])
def test_dropout_is_a_penalty(targets, rng):
    """All masks, each with its probability, where only one example has a mask of its own: the rest adds up."""
    X, w, y = rng.standard_normal((3, 5)), rng.standard_normal((5, *targets)), rng.standard_normal((3, *targets))
    p, expected = 0.3, 0.0
    for mask in itertools.product((0, 1), repeat=5):
        chance = np.prod([1 - p if kept else p for kept in mask])
        expected += chance * ((y - (X * mask) @ w / (1 - p)) ** 2).sum()
    penalty = dropout_penalty(tn.tensor(X), tn.tensor(w), p).item()
    assert ((y - X @ w) ** 2).sum() + penalty == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("call", "text"), [
    (lambda X, y: ols(X[0], y), r"X: expected a floating design \(N, D\), got float32 of shape \(2,\)"),
    (lambda X, y: ols(X, y[:2]), r"y: expected shape \(3,\) or \(3, K\), got \(2,\)"),
    (lambda X, y: ridge(X, y, 0.0), "penalty"), (lambda X, y: ols_risk(X, -1.0), "variance"),
    (lambda X, y: ols_risk(tn.ones((3, 2)), 1.0), "independent columns"),
    (lambda X, y: ols_risk(tn.ones((1, 2)), 1.0), "independent columns"),
    (lambda X, y: early_stop_filter(1.0, 0.0, 5), "lr"), (lambda X, y: early_stop_filter(1.0, 0.1, -5), "steps"),
    (lambda X, y: ridge_like_early_stop(1.0, 0.1, 0), "steps"), (lambda X, y: dropout_penalty(X, y[:2], 1.0), "p: "),
    (lambda X, y: dropout_penalty(X, y, 0.5), r"weight: expected shape \(2,\) or \(2, K\), got \(3,\)")])
def test_bad_arguments(call, text):
    with pytest.raises(ValueError, match=text):
        call(tn.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]), tn.ones(3))
