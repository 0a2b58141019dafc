"""Autoencoders: principal components, curves, noise that is cleaned as Tweedie says, slopes and activities."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.models import (
    AdversarialAutoencoder,
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    LinearAutoencoder,
    SparseAutoencoder,
    WassersteinAutoencoder,
    loss_of_parameters,
)

SMALL = [
    pytest.param(lambda: LinearAutoencoder(4, 2), id="linear"),
    pytest.param(lambda: Autoencoder(4, 2, (3,), unit=True), id="deep"),
    pytest.param(lambda: DenoisingAutoencoder(4, 5, (3,)), id="denoising"),
    pytest.param(lambda: DenoisingAutoencoder(4, 5, (3,), mask=True), id="mask"),
    pytest.param(lambda: ContractiveAutoencoder(4, 2, (3,)), id="contractive"),
    *(pytest.param(lambda kind=kind: SparseAutoencoder(4, 5, (), kind, active=2), id=kind)
      for kind in ("l1", "kl", "k")),
    pytest.param(lambda: AdversarialAutoencoder(4, 2, (3,), critic_hidden=(3,), activation=tn.nn.SiLU),
                 id="adversarial", marks=pytest.mark.row("S1-06")),
    pytest.param(lambda: WassersteinAutoencoder(4, 2, (3,), critic_hidden=(3,), activation=tn.nn.SiLU),
                 id="wasserstein", marks=pytest.mark.row("S1-14")),
]


@pytest.mark.parametrize("make", SMALL)
def test_the_gradient_with_fixed_noise_is_that_of_finite_differences(make):
    loss, parameters = loss_of_parameters(make(), (tn.uniform((3, 4)),))
    assert tn.gradcheck(loss, parameters, fast_mode=True, directions=2, elements=1).verdict == "CORRECT"


def test_the_slope_of_the_encoder_has_right_second_derivatives():
    loss, parameters = loss_of_parameters(ContractiveAutoencoder(3, 2, (2,), 0.5), (tn.uniform((3, 3)),))
    assert tn.gradgradcheck(loss, parameters, fast_mode=True, directions=1, elements=1).verdict == "CORRECT"


def test_the_contraction_is_the_squared_jacobian_by_differences(rng):
    model, h = ContractiveAutoencoder(3, 2, (4,), 0.7, dtype=tn.float64), 1e-6
    x = rng.normal(size=(5, 3))
    code = lambda x: model.encode(tn.tensor(x)).numpy()
    jacobian = np.stack([(code(x + h * e) - code(x - h * e)) / (2 * h) for e in np.eye(3)], 2)  # (N, K, D)
    with tn.no_grad():
        np.testing.assert_allclose(model.contraction(tn.tensor(x)).numpy(), (jacobian**2).sum((1, 2)), rtol=1e-7)
    found = model.loss(tn.tensor(x))
    back = model.predict(tn.tensor(x)).numpy()
    expected = ((x - back)**2).sum(1).mean() + 0.7 * (jacobian**2).sum((1, 2)).mean()
    assert found["loss"].item() == pytest.approx(expected, rel=1e-8)


def descend(model, x, steps, lr):
    """Adam on all of the data, with a rate that falls to nothing."""
    optimizer = tn.optim.Adam(model.parameters(), lr=lr)
    schedule = tn.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model.loss(x)["loss"]
        loss.backward()
        optimizer.step()
        schedule.step()
    return float(loss)


@pytest.mark.same_on_strict
@pytest.mark.row("S1-01")
def test_a_linear_autoencoder_spans_the_principal_components(rng):
    x = rng.normal(size=(500, 6)) @ np.diag([3.0, 2.0, 0.9, 0.6, 0.4, 0.3]) @ np.linalg.qr(rng.normal(size=(6, 6)))[0]
    values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
    model = LinearAutoencoder(6, 2, dtype=tn.float64)
    optimizer = tn.optim.LBFGS(model.parameters(), max_iter=200, line_search_fn="strong_wolfe", tolerance_change=1e-14)

    def closure():
        optimizer.zero_grad()
        loss = model.loss(tn.tensor(x))["loss"]
        loss.backward()
        return loss
    for _ in range(3):
        optimizer.step(closure)
    assert float(closure()) == pytest.approx(values[:4].sum(), rel=1e-6), "the least loss: the four small eigenvalues"
    span = np.linalg.qr(model.decoder[0].weight.numpy())[0]
    cosines = np.linalg.svd(vectors[:, 4:].T @ span, compute_uv=False)
    assert (cosines > 1 - 1e-4).all(), "the cosines of the angles between the two planes"


@pytest.mark.same_on_strict
@pytest.mark.row("S1-02")
def test_a_deep_autoencoder_follows_a_curve_and_moves_points_onto_it(rng):
    curve = lambda t: np.stack([np.cos(t), np.sin(t), t / 2], 1)
    x = curve(np.linspace(0, 5, 200)).astype("f4")
    model = Autoencoder(3, 1, (32, 32), activation=tn.nn.Tanh)
    deep = descend(model, tn.tensor(x), 500, 1e-2)
    values = np.linalg.eigvalsh(np.cov(x.T, bias=True))
    assert deep < 0.2 * values[:2].sum()
    away = x + 0.15 * rng.normal(size=x.shape).astype("f4")
    back = model.predict(tn.tensor(away)).numpy()
    distance = lambda y: np.linalg.norm(y[:, None] - curve(np.linspace(-0.5, 5.5, 2000))[None], axis=2).min(1).mean()
    assert distance(back) < 0.35 * distance(away)


@pytest.mark.row("S1-20")
def test_the_best_cleaner_of_a_mixture_points_up_its_smoothed_density(rng):
    """Tweedie: E[x|y] - y = sigma^2 grad log p_sigma(y), exactly."""
    centers, own, sigma = rng.normal(size=(4, 2)) * 2, 0.5, 0.3
    y = tn.tensor(rng.normal(size=(20, 2)) * 2).requires_grad_()
    variance = own**2 + sigma**2
    square = ((y[:, None] - tn.tensor(centers)[None])**2).sum(axis=-1)
    log_p = tn.logsumexp(-0.5 * square / variance, axis=1)  # up to a constant
    (score,) = tn.autograd.grad(log_p.sum(), y)
    share = tn.softmax(-0.5 * square / variance, axis=1).detach().numpy()
    mean = y.detach().numpy()[:, None] + sigma**2 / variance * (centers[None] - y.detach().numpy()[:, None])
    clean = (share[..., None] * mean).sum(1)
    np.testing.assert_allclose(clean - y.detach().numpy(), sigma**2 * score.numpy(), rtol=0, atol=2e-15)


@pytest.mark.same_on_strict
@pytest.mark.row("S1-20")
def test_a_trained_cleaner_has_learned_the_score(rng):
    centers, own, sigma = np.array([-1.5, 1.5]), 0.4, 0.3
    x = (centers[rng.integers(0, 2, 1000)] + own * rng.normal(size=1000))[:, None].astype("f4")
    model = DenoisingAutoencoder(1, 16, (16,), sigma, activation=tn.nn.Tanh)
    descend(model, tn.tensor(x), 300, 3e-2)
    y = np.linspace(-2.4, 2.4, 200)[:, None]
    y = y[np.exp(-0.5 * (y - centers)**2 / (own**2 + sigma**2)).sum(1) > 0.1]  # the bulk
    weight = np.exp(-0.5 * (y - centers)**2 / (own**2 + sigma**2))
    exact = ((weight / weight.sum(1, keepdims=True)) * (centers - y) / (own**2 + sigma**2)).sum(1)
    found = model.score(tn.tensor(y.astype("f4"))).numpy()[:, 0]
    assert np.linalg.norm(found - exact) < 0.15 * np.linalg.norm(exact)


def test_sparse_codes_are_counted_by_the_book(rng):
    x = tn.tensor(rng.normal(size=(6, 4)))
    raw = lambda model: model.encoder(x).numpy()
    model = SparseAutoencoder(4, 8, (), "k", active=3, dtype=tn.float64)
    h, kept = np.maximum(raw(model), 0), model.encode(x).numpy()
    for full, row in zip(h, kept):
        want = np.where(np.argsort(np.argsort(-full, kind="stable")) < 3, full, 0)
        np.testing.assert_array_equal(row, want)
    model = SparseAutoencoder(4, 8, (), "kl", weight=2.0, rho=0.1, dtype=tn.float64)
    mean = (1 / (1 + np.exp(-raw(model)))).mean(0)
    kl = (0.1 * np.log(0.1 / mean) + 0.9 * np.log(0.9 / (1 - mean))).sum()
    found = model.loss(x)
    assert found["sparsity"].item() == pytest.approx(kl, rel=1e-12)
    assert found["loss"].item() == pytest.approx(found["reconstruction"].item() + 2 * kl, rel=1e-12)
    model = SparseAutoencoder(4, 8, (), "l1", dtype=tn.float64)
    assert model.loss(x)["sparsity"].item() == pytest.approx(np.maximum(raw(model), 0).sum(1).mean(), rel=1e-12)


# Codes that follow a prior ----------------------------------------------------------------
def train_in_turns(model, x, rates, batch=250):
    for lr, epochs in rates:
        loader = tn.data.DataLoader(tn.data.TensorDataset(x), batch, shuffle=True)
        tn.train.Trainer(model, loader, model.optimizers(lr), update=lambda t, b: model.update(t, *b)).fit(epochs)


@pytest.mark.slow
@pytest.mark.host_only
@pytest.mark.row("S1-05")
def test_the_codes_of_an_adversarial_autoencoder_follow_the_prior(rng):
    x = tn.tensor((rng.normal(size=(1000, 2)) @ np.array([[1.0, 0.5], [0.0, 0.6]]) + [3, 1]).astype("f4"))
    model = AdversarialAutoencoder(2, 2, (16,), 1.0, (32, 32), penalty=0.05)
    train_in_turns(model, x, [(3e-3, 100), (1e-3, 60), (2e-4, 30)], 200)
    h = model.encode(x).detach().numpy()
    np.testing.assert_allclose(h.mean(0), 0, atol=0.1)
    np.testing.assert_allclose(np.cov(h.T), np.eye(2), atol=0.1)
    assert model.loss(x)["reconstruction"].item() < 0.05


@pytest.mark.same_on_strict
@pytest.mark.row("S1-14")
def test_the_codes_of_a_wasserstein_autoencoder_follow_the_prior(rng):
    from scipy import stats
    t = rng.uniform(-2, 2, 1000)
    x = tn.tensor(np.stack([t, t**2 / 2], 1).astype("f4"))
    model = WassersteinAutoencoder(2, 1, (16,), 1.0, (32,))
    train_in_turns(model, x, [(1e-2, 30), (2e-3, 20), (3e-4, 10)])
    h = model.encode(x).detach().numpy()[:, 0]
    assert stats.wasserstein_distance(h, stats.norm.ppf((np.arange(1000) + 0.5) / 1000)) < 0.1
    assert model.loss(x)["reconstruction"].item() < 0.1


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Autoencoder(0), "at least 1"), (lambda: DenoisingAutoencoder(2, sigma=0.0), "sigma: expected"),
    (lambda: DenoisingAutoencoder(2, sigma=1.5, mask=True), "below 1 for a mask"),
    (lambda: ContractiveAutoencoder(2, weight=-1.0), "weight"), (lambda: SparseAutoencoder(2, kind="l2"), "kind"),
    (lambda: SparseAutoencoder(2, rho=0.0), "rho"), (lambda: SparseAutoencoder(2, 4, active=5), "from 1 to 4"),
    (lambda: AdversarialAutoencoder(2, weight=0.0), "weight"), (lambda: AdversarialAutoencoder(2, kind="x"), "kind"),
    (lambda: WassersteinAutoencoder(2, penalty=-1.0), "penalty"),
])
def test_bad_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
