"""Linear models, kernels, principal components and ensembles against closed forms, each other, and descent."""
import numpy as np
import pytest
import scipy.linalg

import tinygrad_notes as tn
from tinygrad_notes.models import (
    PCA,
    Bagging,
    Ensemble,
    KernelRidge,
    LeastSquaresClassifier,
    LinearRegression,
    PolynomialFeatures,
    RBFFeatures,
    linear,
    linear_kernel,
    loss_of_parameters,
    polynomial_kernel,
    rbf_kernel,
)


def problem(rng, n=30, d=4, k=2):
    x = rng.normal(size=(n, d))
    return x, x @ rng.normal(size=(d, k)) + 3 + 0.1 * rng.normal(size=(n, k))


# Linear regression ------------------------------------------------------------------
@pytest.mark.parametrize("penalty", [0.0, 2.5])
def test_the_closed_form_is_that_of_numpy_and_the_minimum_of_the_loss(rng, penalty):
    x, y = problem(rng)
    model = LinearRegression(4, 2, penalty, dtype=tn.float64).fit(x, y)
    centered = x - x.mean(0)
    expected = np.linalg.solve(centered.T @ centered + penalty * np.eye(4), centered.T @ (y - y.mean(0)))
    np.testing.assert_allclose(model.weight.numpy(), expected.T, rtol=1e-10)
    np.testing.assert_allclose(model.predict(x).numpy(), y.mean(0) + centered @ expected, rtol=1e-10)
    model.loss(x, y)["loss"].backward()
    for p in model.parameters():
        np.testing.assert_allclose(p.grad.numpy(), 0, atol=1e-10)


def test_descent_finds_the_closed_form(rng):
    x, y = problem(rng, k=1)
    closed = LinearRegression(4, penalty=3.0, dtype=tn.float64).fit(x, y[:, 0])
    model = LinearRegression(4, penalty=3.0, dtype=tn.float64)
    optimizer = tn.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        model.loss(x, y[:, 0])["loss"].backward()
        optimizer.step()
    np.testing.assert_allclose(model.weight.numpy(), closed.weight.numpy(), rtol=1e-6)
    np.testing.assert_allclose(model.bias.numpy(), closed.bias.numpy(), rtol=1e-6)


def test_more_weights_than_examples_give_the_shortest_that_fit(rng):
    x, y = rng.normal(size=(3, 8)), rng.normal(size=3)
    model = LinearRegression(8, dtype=tn.float64).fit(x, y)
    np.testing.assert_allclose(model.predict(x).numpy(), y, rtol=1e-9)
    expected = np.linalg.pinv(x - x.mean(0)) @ (y - y.mean())
    np.testing.assert_allclose(model.weight.numpy()[0], expected, rtol=1e-9)


@pytest.mark.parametrize("features", [None, PolynomialFeatures(2), RBFFeatures(np.eye(3), 0.7)],
                         ids=["x", "poly", "rbf"])
def test_gradients(rng, features):
    m = 3 if features is None else features(np.zeros((1, 3))).shape[1]
    model = LinearRegression(m, 2, 0.3, features, dtype=tn.float64)
    with tn.no_grad():
        model.weight.data[...] = tn.randn(2, m, dtype=tn.float64).data
    batch = tn.tensor(rng.normal(size=(5, 3))), tn.tensor(rng.normal(size=(5, 2)))
    assert tn.gradcheck(*loss_of_parameters(model, batch))
    assert tn.gradgradcheck(*loss_of_parameters(model, batch))


def test_features_are_what_they_say(rng):
    x = rng.normal(size=(5, 3))
    found = PolynomialFeatures(3)(x).numpy()
    a, b, c = x.T
    expected = [a, b, c, a * a, a * b, a * c, b * b, b * c, c * c, a**3, a * a * b, a * a * c, a * b * b, a * b * c,
                a * c * c, b**3, b * b * c, b * c * c, c**3]
    np.testing.assert_allclose(found, np.stack(expected, 1), rtol=1e-12)
    centers = rng.normal(size=(4, 3))
    expected = np.exp(-((x[:, None] - centers) ** 2).sum(-1) / (2 * 0.49))
    np.testing.assert_allclose(RBFFeatures(centers, 0.7)(x).numpy(), expected, rtol=1e-12)


# Kernels ----------------------------------------------------------------------------
def test_a_kernel_is_ridge_in_its_features(rng):
    """(x . y + 1)^2 in one dimension is the product of features (1, sqrt 2 x, x^2)."""
    x, y, new = rng.normal(size=(12, 1)), rng.normal(size=12), rng.normal(size=(5, 1))
    phi = lambda x: np.concatenate([np.ones_like(x), np.sqrt(2) * x, x * x], 1)
    w = np.linalg.solve(phi(x).T @ phi(x) + 0.3 * np.eye(3), phi(x).T @ y)
    found = KernelRidge(polynomial_kernel(2), 0.3).fit(x, y).predict(new).numpy()
    np.testing.assert_allclose(found, phi(new) @ w, rtol=1e-9)


def test_kernel_ridge_is_the_formula_and_interpolates_without_penalty(rng):
    x, y = problem(rng, n=15)
    model = KernelRidge(rbf_kernel(1.5), 0.2).fit(x, y)
    gram = np.exp(-((x[:, None] - x) ** 2).sum(-1) / (2 * 1.5**2))
    np.testing.assert_allclose(model.weights.numpy(), scipy.linalg.solve(gram + 0.2 * np.eye(15), y), rtol=1e-9)
    np.testing.assert_allclose(KernelRidge(rbf_kernel(1.0), 1e-10).fit(x, y).predict(x).numpy(), y, rtol=1e-5)
    np.testing.assert_allclose(linear_kernel(x, x[:3]).numpy(), x @ x[:3].T)


# Principal components -----------------------------------------------------------------
def test_components_are_eigenvectors_of_the_covariance(rng):
    x = rng.normal(size=(50, 5)) @ rng.normal(size=(5, 5)) + 7
    pca = PCA(2).fit(x)
    values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
    np.testing.assert_allclose(pca.variances.numpy(), values[:-3:-1], rtol=1e-10)
    np.testing.assert_allclose(np.abs(pca.directions.numpy() @ vectors[:, :-3:-1]), np.eye(2), atol=1e-8)
    assert pca.loss(x).item() == pytest.approx(values[:3].sum(), rel=1e-9)
    np.testing.assert_allclose(PCA(5).fit(x)(x).numpy(), x, rtol=1e-9)
    code = pca.encode(x).numpy()
    np.testing.assert_allclose(np.cov(code.T, bias=True), np.diag(values[:-3:-1]), atol=1e-8)
    other = np.linalg.qr(rng.normal(size=(5, 2)))[0]  # no other plane is nearer
    assert ((x - x.mean(0)) - (x - x.mean(0)) @ other @ other.T).__pow__(2).sum(1).mean() > pca.loss(x).item()


# Classes ------------------------------------------------------------------------------
def test_classes_by_least_squares_are_those_of_numpy(rng):
    x, y = rng.normal(size=(40, 3)), rng.integers(0, 4, 40)
    model = LeastSquaresClassifier(LinearRegression(3, 4, dtype=tn.float64), 4).fit(x, tn.tensor(y))
    design, targets = np.c_[x, np.ones(40)], np.eye(4)[y]
    scores = design @ np.linalg.lstsq(design, targets, rcond=None)[0]
    np.testing.assert_allclose(model(x).numpy(), scores, atol=1e-12)
    parts = model.loss(x, tn.tensor(y))
    assert float(parts["accuracy"]) == (scores.argmax(1) == y).mean() and parts["accuracy"].dtype == tn.float64
    assert float(parts["loss"]) == pytest.approx(np.square(scores - targets).sum() / 40, rel=1e-12)
    assert tn.gradcheck(*loss_of_parameters(model, (x, tn.tensor(y))))
    with pytest.raises(ValueError, match="classes: expected at least 2, got 1"):
        LeastSquaresClassifier(LinearRegression(1), 1)


def test_an_ensemble_of_kernels_tells_classes_apart(rng):
    x, y = tn.data.two_moons(200, generator=0)
    bag = LeastSquaresClassifier(Bagging(lambda: KernelRidge(rbf_kernel(0.5), 0.1), count=3), 2)
    assert float(bag.fit(x, y).loss(x, y)["accuracy"]) > 0.98


def test_distances_are_the_same_in_blocks(rng, monkeypatch):
    x, y = tn.tensor(rng.normal(size=(7, 3))), tn.tensor(rng.normal(size=(5, 3)))
    whole = rbf_kernel()(x, y).numpy()
    monkeypatch.setattr(linear, "BLOCK", 30)  # two rows at a time
    np.testing.assert_array_equal(rbf_kernel()(x, y).numpy(), whole)
    assert tn.gradcheck(rbf_kernel(), (x, y))


# Ensembles ----------------------------------------------------------------------------
@pytest.mark.row("S0-75")
def test_the_mean_is_better_by_what_the_members_differ(rng):
    members = [LinearRegression(3, 2, dtype=tn.float64) for _ in range(5)]
    for member in members:
        member.weight.data[...] = tn.randn(2, 3, dtype=tn.float64).data
    ensemble, x, y = Ensemble(members), rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    error = lambda f: ((f.numpy() - y) ** 2).mean()
    mean_of_errors = np.mean([error(member.predict(x)) for member in members])
    gap = ensemble.spread(x).numpy().mean()
    assert error(ensemble.predict(x)) == pytest.approx(mean_of_errors - gap, rel=1e-12) and gap > 0


@pytest.mark.row("S0-75")
def test_scores_are_averaged_before_or_behind_the_softmax(rng):
    scores = rng.normal(size=(3, 4, 5))

    class Says(tn.nn.Module):
        def __init__(self, k):
            super().__init__()
            self.k = k

        def forward(self, x):
            return tn.tensor(scores[self.k])
    members = [Says(k) for k in range(3)]
    p = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    np.testing.assert_allclose(Ensemble(members).predict(None).numpy(), scores.mean(0), rtol=1e-12)
    np.testing.assert_allclose(np.exp(Ensemble(members, "probs").predict(None).numpy()), p.mean(0), rtol=1e-12)
    np.testing.assert_allclose(Ensemble(members, "median").predict(None).numpy(), np.median(scores, 0), rtol=1e-12)
    assert Ensemble(members).classify(None).tolist() == scores.mean(0).argmax(-1).tolist()


@pytest.mark.row("S0-76")
def test_bagging_has_the_errors_of_the_book():
    """UDL notebook 9.3: 15 points, 14 joints, ridge 1e-5; its pi is 3.1413."""
    stream = np.random.RandomState(1)
    truth = lambda x: np.exp(np.sin(x * (2 * 3.1413)))
    x = np.array([stream.uniform(i / 15, (i + 1) / 15) for i in range(15)])
    y = np.array([truth(v) + stream.normal(0, 0.3) for v in x])
    grid = np.linspace(0, 1, 100)
    error = lambda model: ((model.predict(grid[:, None]).numpy() - truth(grid)) ** 2).mean()

    def fitted(rows):
        joints = lambda x: tn.relu(x - tn.arange(14, dtype="float64") / 14)
        return LinearRegression(14, penalty=1e-5, features=joints, dtype=tn.float64).fit(x[rows, None], y[rows])
    samples = [fitted(stream.choice(np.arange(15), size=15, replace=True)) for _ in range(4)]
    found = [error(m) for m in (fitted(np.arange(15)), *samples, Ensemble(samples, "median"), Ensemble(samples))]
    np.testing.assert_allclose(found, [0.195409, 0.22228, 0.09787, 0.12020, 0.04795, 0.019764, 0.018249], atol=6e-6)


@pytest.mark.row("S0-76")
def test_bagging_draws_with_replacement(rng):
    seen = []
    bag = Bagging(lambda: LinearRegression(1, dtype=tn.float64), lambda member, x, y: seen.append(x.numpy()[:, 0]), 20)
    bag.fit(np.arange(400.0)[:, None], np.arange(400.0), generator=0)
    assert len(seen) == 20 and all(len(rows) == 400 for rows in seen)
    distinct = np.mean([len(set(rows)) / 400 for rows in seen])
    assert distinct == pytest.approx(1 - 1 / np.e, abs=0.01)
    assert not np.array_equal(seen[0], seen[1])


@pytest.mark.parametrize(("make", "message"), [
    (lambda: LinearRegression(0), "at least 1"), (lambda: LinearRegression(1, penalty=-1), "penalty: expected"),
    (lambda: PolynomialFeatures(0), "degree: expected an int >= 1, got 0"), (lambda: rbf_kernel(0), "width"),
    (lambda: RBFFeatures([1.0]), r"centers: expected shape \(M, D\), got \(1,\)"), (lambda: PCA(0), "components"),
    (lambda: PCA(3).fit(np.zeros((2, 5))), r"data of shape \(2, 5\) have 2 directions, not 3"),
    (lambda: PCA(1).encode([[1.0]]), "PCA: call fit first"), (lambda: KernelRidge(penalty=0), "penalty"),
    (lambda: KernelRidge()([[1.0]]), "KernelRidge: call fit first"), (lambda: Ensemble([]), "at least one"),
    (lambda: Ensemble([PCA(1)], "mode"), "mean: expected one of logits, probs, median, got 'mode'"),
])
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
