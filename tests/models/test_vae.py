"""The variational autoencoder against closed forms, and its gradient against finite differences."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.models import VAE, loss_of_parameters


def normal_log_density(x, mean, covariance):
    """log N(x; mean, covariance) by the book."""
    d = x - mean
    _, logdet = np.linalg.slogdet(covariance)
    return -0.5 * (np.sum(d * np.linalg.solve(covariance, d.T).T, -1) + logdet + len(mean) * np.log(2 * np.pi))


@pytest.mark.parametrize("decoder", ["bernoulli", "gaussian"])
def test_the_loss_is_minus_the_bound_with_the_divergence_weighed_by_beta(decoder, rng):
    vae = VAE(6, 2, (5,), decoder, beta=0.3, dtype=tn.float64)
    if decoder == "gaussian":
        vae.log_sigma.data[...] = -0.4
    x = rng.uniform(size=(7, 6))
    parts = vae.loss(tn.tensor(x), generator=tn.Generator(5))

    noise = tn.normal((7, 2), generator=tn.Generator(5)).numpy().astype(np.float64)
    mean, log_var = (t.numpy() for t in vae.encode(tn.tensor(x)))
    z = mean + np.exp(log_var / 2) * noise
    out = vae.decoder(tn.tensor(z)).numpy()
    if decoder == "bernoulli":
        p = 1 / (1 + np.exp(-out))
        log_likelihood = (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(1)
    else:
        log_likelihood = [normal_log_density(a, b, np.exp(-0.8) * np.eye(6)) for a, b in zip(x, out)]
    kl = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(1).mean()
    assert parts["reconstruction"].item() == pytest.approx(-np.mean(log_likelihood), rel=1e-12)
    assert parts["kl"].item() == pytest.approx(kl, rel=1e-12)
    assert parts["loss"].item() == pytest.approx(-np.mean(log_likelihood) + 0.3 * kl, rel=1e-12)


@pytest.mark.row("S0-T63")
@pytest.mark.parametrize("decoder", ["bernoulli", "gaussian"])
def test_the_gradient_with_fixed_noise_is_that_of_finite_differences(decoder):
    vae = VAE(6, 2, (5,), decoder, beta=0.5)
    loss, parameters = loss_of_parameters(vae, (tn.uniform((4, 6)),))
    result = tn.gradcheck(loss, parameters)
    assert result.verdict == "CORRECT" and result.error < 1e-6
    assert tn.gradgradcheck(loss, parameters, fast_mode=True).verdict == "CORRECT"


def linear_vae():
    """A VAE without hidden layers: its evidence is a normal density, N(b, W W' + sigma^2 I)."""
    vae = VAE(3, 2, (), "gaussian", dtype=tn.float64)
    vae.log_sigma.data[...] = -0.5
    W, b = vae.decoder[0].weight.numpy(), vae.decoder[0].bias.numpy()
    return vae, W, b, W @ W.T + np.exp(-1.0) * np.eye(3)


@pytest.mark.row("S0-T63")
def test_the_bound_is_below_the_evidence_and_importance_sampling_reaches_it(rng):
    vae, W, b, covariance = linear_vae()
    vae.encoder[0].weight.data[...] *= 0.1  # close to the prior and wider than the posterior: weights without tails
    with tn.no_grad():
        vae.encoder[0].bias[...] = [0.0, 0.0, 0.2, 0.2]
    x = b + 0.5 * rng.normal(size=(20, 3))
    exact = normal_log_density(x, b, covariance)
    bounds = [-vae.loss(tn.tensor(x))["loss"].item() for _ in range(200)]
    assert np.mean(bounds) < exact.mean()
    found = vae.log_evidence(tn.tensor(x), draws=3000).numpy()
    np.testing.assert_allclose(found, exact, atol=0.1)
    mean, log_var = vae.encode(tn.tensor(x))
    kl = tn.nn.functional.kl_to_standard_normal(mean, log_var, "none").sum(axis=1)
    each = [(vae.log_likelihood(tn.tensor(x), vae.draw(mean, log_var)) - kl).numpy() for _ in range(500)]
    assert (np.mean(each, axis=0) < found).all(), "the bound is below the evidence at every point"
    ones = [vae.log_evidence(tn.tensor(x), draws=1).numpy().mean() for _ in range(200)]
    error = np.sqrt((np.var(bounds) + np.var(ones)) / 200)
    assert abs(np.mean(ones) - np.mean(bounds)) < 4 * error, "with one draw the mean is the ELBO"


def test_with_the_exact_posterior_the_bound_is_the_evidence(rng):
    """Orthogonal columns of W make the exact posterior of the linear model diagonal, so the encoder can be it."""
    vae, *_ = linear_vae()
    W = np.array([[1.0, 0.0], [0.0, 0.5], [1.0, 0.0]])
    b = np.array([0.1, -0.2, 0.3])
    variance = np.exp(-1.0)
    posterior = 1 / (1 + (W**2).sum(0) / variance)
    vae.load_state_dict({
        "decoder.0.weight": W, "decoder.0.bias": b, "log_sigma": np.array(-0.5),
        "encoder.0.weight": np.concatenate([(posterior / variance)[:, None] * W.T, np.zeros((2, 3))]),
        "encoder.0.bias": np.concatenate([-posterior / variance * (W.T @ b), np.log(posterior)]),
    })
    x = rng.normal(size=(5, 3))
    exact = normal_log_density(x, b, W @ W.T + variance * np.eye(3))
    np.testing.assert_allclose(vae.log_evidence(tn.tensor(x), draws=3).numpy(), exact, rtol=1e-12)


@pytest.mark.row("S0-T63")
def test_a_trained_linear_model_is_probabilistic_pca(rng):
    """Two correlated normal variables, one code: the best covariance is that of the data."""
    truth = np.array([[1.0, 0.6], [0.6, 1.5]])
    x = tn.tensor(rng.multivariate_normal([1.0, -1.0], truth, size=2000))
    vae = VAE(2, 1, (), "gaussian", dtype=tn.float64)
    loader = tn.data.DataLoader(tn.data.TensorDataset(x), 100, shuffle=True, generator=0)
    tn.train.fit(vae, loader, tn.optim.Adam(vae.parameters(), lr=0.02), 25)
    W, b = vae.decoder[0].weight.numpy(), vae.decoder[0].bias.numpy()
    covariance = W @ W.T + np.exp(2 * vae.log_sigma.item()) * np.eye(2)
    np.testing.assert_allclose(b, [1.0, -1.0], atol=0.15)
    # Probabilistic PCA keeps the largest eigenvalue and averages the rest: with D = 2, K = 1 it is the data's own.
    best = normal_log_density(x.numpy(), x.numpy().mean(0), np.cov(x.numpy().T, bias=True)).mean()
    assert normal_log_density(x.numpy(), b, covariance).mean() == pytest.approx(best, rel=0.01)
    means = vae.sample(5000).numpy()
    np.testing.assert_allclose(means.mean(0), b, atol=0.1)
    np.testing.assert_allclose(np.cov(means.T), W @ W.T, rtol=0.15, atol=0.05)


def test_sampling_and_reconstruction_record_nothing_and_keep_the_mode():
    vae = VAE(4, 2, (3,))
    vae.train()
    for out, shape in ((vae.sample(5), (5, 4)), (vae.reconstruct(tn.uniform((6, 4))), (6, 4))):
        assert out.shape == shape and not out.requires_grad
        assert float(out.min()) >= 0 and float(out.max()) <= 1
    assert vae.training
    assert vae.sample(2, tn.Generator(1)).tolist() == vae.sample(2, tn.Generator(1)).tolist()


def test_the_noise_is_the_same_in_every_precision():
    mean = tn.zeros((3, 2))
    vae = VAE(4, 2)
    single = vae.draw(mean, mean, tn.Generator(1))
    double = vae.draw(mean.astype(tn.float64), mean.astype(tn.float64), tn.Generator(1))
    assert double.dtype == tn.float64 and single.tolist() == double.tolist()


@pytest.mark.parametrize(("options", "message"), [
    ({"data_dim": 0}, "at least 1"), ({"latent_dim": 0}, "at least 1"), ({"hidden": (0,)}, "at least 1"),
    ({"decoder": "poisson"}, "one of bernoulli, gaussian, got 'poisson'"), ({"beta": -1.0}, "beta"),
    ({"beta": float("nan")}, "beta"),
])
def test_bad_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        VAE(**{"data_dim": 4, **options})
