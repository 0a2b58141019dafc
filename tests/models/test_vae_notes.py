"""The chapter on variational autoencoders: its identities at exact numbers, and the same model in PyTorch."""
import numpy as np
import pytest
from scipy import integrate, stats

import tinygrad_notes as tn
from tinygrad_notes.models import VAE

F = tn.nn.functional
W, SIGMA2, X = np.array([[1, 0.5], [-0.5, 2], [0.3, 0.1]]), 0.1, np.array([1.0, -1.0, 0.5])


def normal(x):
    """The standard normal density; SciPy's objects are slow inside an integral."""
    return np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


def linear(mean, variance):
    """A linear model whose encoder answers X with N(mean, diag variance)."""
    vae = VAE(3, 2, (), "gaussian", dtype=tn.float64)
    vae.load_state_dict({
        "decoder.0.weight": W, "decoder.0.bias": np.zeros(3), "log_sigma": np.array(np.log(SIGMA2) / 2),
        "encoder.0.weight": np.zeros((4, 3)), "encoder.0.bias": np.concatenate([mean, np.log(variance)])})
    return vae


def expected_bound(vae, x):
    """The ELBO without noise in it: a linear decoder's expectation is that of a quadratic form."""
    mean, log_var = (t.detach().numpy()[0] for t in vae.encode(tn.tensor(x[None])))
    at_mean = vae.log_likelihood(tn.tensor(x[None]), tn.tensor(mean[None])).item()
    spread = 0.5 / SIGMA2 * (np.exp(log_var) * (W**2).sum(0)).sum()
    kl = F.kl_to_standard_normal(tn.tensor(mean[None]), tn.tensor(log_var[None])).item()
    return at_mean - spread - kl


@pytest.mark.row("S1-16")
@pytest.mark.row("S0-T62")
def test_the_evidence_is_bound_plus_divergence_at_the_numbers_of_the_notes(rng):
    exact = stats.multivariate_normal(np.zeros(3), W @ W.T + SIGMA2 * np.eye(3)).logpdf(X)
    assert exact == pytest.approx(-3.3156021, abs=5e-8)
    precision = np.eye(2) + W.T @ W / SIGMA2
    covariance = np.linalg.inv(precision)
    mean = covariance @ W.T @ X / SIGMA2
    # Every importance weight of the exact posterior is the evidence: here with its full covariance.
    z = rng.multivariate_normal(mean, covariance, size=5)
    log_w = (stats.multivariate_normal(np.zeros(3), SIGMA2 * np.eye(3)).logpdf(X - z @ W.T)
             + stats.multivariate_normal(np.zeros(2), np.eye(2)).logpdf(z)
             - stats.multivariate_normal(mean, covariance).logpdf(z))
    np.testing.assert_allclose(log_w, exact, rtol=1e-12)
    for variance, known in ((np.diag(covariance), -3.3341603), (1 / np.diag(precision), -3.3335111)):
        bound = expected_bound(linear(mean, variance), X)
        assert bound == pytest.approx(known, abs=5e-8)
        gap = 0.5 * (np.trace(precision @ np.diag(variance)) - 2 - np.log(np.prod(variance)) - np.log(
            np.linalg.det(precision)))
        assert exact - bound == pytest.approx(gap, rel=1e-9), "the gap is the divergence from the exact posterior"
    vae = linear(mean, np.diag(covariance))
    draws = -vae.loss(tn.tensor(np.tile(X, (20_000, 1))))["loss"].item()
    assert draws == pytest.approx(-3.3341603, abs=0.02)
    assert exact - expected_bound(linear(mean, np.diag(covariance)), X) == pytest.approx(0.0185582, abs=5e-8)


@pytest.mark.row("S1-17")
def test_the_divergence_to_the_prior_at_the_number_of_the_notes():
    mean, log_var = tn.tensor([[1.0]], dtype=tn.float64), tn.tensor([[2 * np.log(0.5)]], dtype=tn.float64)
    assert F.kl_to_standard_normal(mean, log_var).item() == pytest.approx(0.8181472, abs=5e-8)
    assert tn.gradcheck(F.kl_to_standard_normal, (mean, log_var)).verdict == "CORRECT"


def book(z):
    """The nonlinear model of Understanding Deep Learning, notebook 17.1: one number of code, two of data."""
    return np.stack([np.exp(np.sin(2 + 3.675 * z)) * 0.5, np.cos(2 + 2.85 * z)], -1)


@pytest.mark.row("S1-15")
@pytest.mark.row("S0-T61")
def test_the_marginal_of_a_nonlinear_model_is_an_integral(rng):
    """The numbers of the notebook are its sum over [-3, 3) in steps of 0.01; the integral is larger by 7 in 10,000."""
    x, sigma = np.array([0.9, -0.9]), 0.2
    joint = lambda z: normal((x - book(z)) / sigma).prod(-1) / sigma**2 * normal(z)
    grid = -3 + 0.01 * np.arange(600)
    weight = joint(grid)
    assert 0.01 * weight.sum() == pytest.approx(0.2959931, abs=5e-8)
    assert grid[weight.argmax()] == pytest.approx(0.17)
    assert (grid * weight).sum() / weight.sum() == pytest.approx(-0.386860, abs=5e-7)
    exact = integrate.quad(joint, -8, 8, limit=100)[0]
    assert exact == pytest.approx(0.2962078, abs=5e-8)

    class Book(VAE):
        def log_likelihood(self, x, z):
            z = z[..., 0]
            mean = tn.stack([tn.exp(tn.sin(2 + 3.675 * z)) * 0.5, tn.cos(2 + 2.85 * z)], axis=-1)
            return -0.5 * ((x - mean)**2).sum(axis=-1) / sigma**2 - 2 * np.log(sigma * np.sqrt(2 * np.pi))
    model = Book(2, 1, (), "gaussian", dtype=tn.float64)
    model.encoder[0].weight.data[...] = 0.0
    model.encoder[0].bias.data[...] = 0.0  # q is the prior
    found = model.log_evidence(tn.tensor(np.tile(x, (20_000, 1))), draws=5)
    assert np.exp(found.numpy()).mean() == pytest.approx(exact, rel=0.03)


@pytest.mark.row("S0-T64")
def test_importance_sampling_lowers_the_variance(rng):
    """E of f under N(0, 1) with draws of N(3, 1) where f is large, notebook 17.3."""
    f1, f2 = lambda y: np.exp(-((y - 1)**4)), lambda y: 20.446 * np.exp(-((y - 3)**4))
    p, q = normal, lambda y: normal(y - 3)
    mean = lambda f: integrate.quad(lambda y: p(y) * f(y), -8, 10, points=[0, 1, 3])[0]
    assert mean(f1) == pytest.approx(0.43158744, abs=5e-8) and mean(f2) == pytest.approx(0.43164172, abs=5e-8)
    second = lambda g: integrate.quad(g, -8, 10, points=[0, 1, 3])[0]
    assert second(lambda y: p(y) * f1(y)**2) - mean(f1)**2 == pytest.approx(0.17939, abs=5e-6)
    assert second(lambda y: p(y) * f2(y)**2) - mean(f2)**2 == pytest.approx(5.74301, abs=5e-6)
    assert second(lambda y: p(y)**2 / q(y) * f2(y)**2) - mean(f2)**2 == pytest.approx(0.31170, abs=5e-6)
    law, drawn = tn.distributions.Normal(0.0, 1.0), tn.distributions.Normal(3.0, 1.0)
    y = drawn.sample((20_000,))
    weights = tn.exp(law.log_prob(y) - drawn.log_prob(y)) * tn.tensor(f2(y.numpy().astype("f8")))
    assert float(weights.mean()) == pytest.approx(0.43164172, abs=0.02)
    assert float(weights.var()) == pytest.approx(0.3117, abs=0.03)


@pytest.mark.same_on_strict
@pytest.mark.row("S0-T65")
def test_without_divergence_it_is_an_autoencoder_and_with_much_of_it_the_code_is_empty(rng):
    x = tn.tensor((rng.normal(size=(400, 2)) @ np.array([[1.0, 0.9], [0.0, 0.2]])).astype("f4"))
    found = {}
    for beta in (0.0, 1.0, 100.0):
        tn.manual_seed(0)
        vae = VAE(2, 1, (16,), "gaussian", beta)
        vae.log_sigma.data[...] = -1.0
        vae.log_sigma.requires_grad_(False)
        loader = tn.data.DataLoader(tn.data.TensorDataset(x), 100, shuffle=True)
        tn.train.fit(vae, loader, tn.optim.Adam([p for p in vae.parameters() if p.requires_grad], lr=0.02), 25)
        found[beta] = {key: float(value) for key, value in vae.loss(x).items()}
        error = float(((vae.reconstruct(x) - x)**2).sum(axis=1).mean())
        found[beta]["error"] = error
    assert found[0.0]["kl"] > found[1.0]["kl"] > found[100.0]["kl"] and found[100.0]["kl"] < 0.01
    assert found[0.0]["error"] < 0.1 and found[100.0]["error"] > 1.0


@pytest.mark.same_on_strict
@pytest.mark.row("S1-19")
def test_samples_have_the_moments_of_the_data(rng):
    truth = np.array([[1.2, 0.8], [0.8, 0.9]])
    x = tn.tensor(rng.multivariate_normal([1.0, -0.5], truth, size=2000).astype("f4"))
    vae = VAE(2, 2, (16,), "gaussian")
    loader = tn.data.DataLoader(tn.data.TensorDataset(x), 100, shuffle=True)
    for lr in (0.01, 0.001):
        tn.train.fit(vae, loader, tn.optim.Adam(vae.parameters(), lr=lr), 15)
    sigma = float(tn.exp(vae.log_sigma))
    sample = vae.sample(20_000).numpy() + sigma * rng.normal(size=(20_000, 2))
    np.testing.assert_allclose(sample.mean(0), x.numpy().mean(0), atol=0.1)
    np.testing.assert_allclose(np.cov(sample.T), np.cov(x.numpy().T), rtol=0.15)


def test_traversals_move_one_number_of_the_code():
    vae = VAE(5, 3, (4,), dtype=tn.float64)
    center = np.array([0.1, 0.2, 0.3])
    found = vae.traverse([2, 0], 3, 1.5, tn.tensor(center)).numpy()
    codes = [[0.1, 0.2, t] for t in (-1.5, 0.0, 1.5)] + [[t, 0.2, 0.3] for t in (-1.5, 0.0, 1.5)]
    np.testing.assert_allclose(found, vae.decode(tn.tensor(np.array(codes))).detach().numpy(), rtol=1e-12)
    assert vae.traverse(steps=4).shape == (12, 5)


# The same in PyTorch ----------------------------------------------------------------------
def twin(vae):
    """A VAE of this shape in PyTorch, with the same weights: loss(x, e) -> (loss, ELBO), and its parameters."""
    torch = pytest.importorskip("torch")
    linear = lambda m: torch.nn.Linear(m.in_features, m.out_features)
    part = lambda mlp: torch.nn.Sequential(*(
        linear(m) if isinstance(m, tn.nn.Linear) else torch.nn.SiLU() for m in mlp))
    model = torch.nn.ModuleDict({"encoder": part(vae.encoder), "decoder": part(vae.decoder)})
    model.to(torch.float64 if next(vae.parameters()).dtype == tn.float64 else torch.float32)
    model.load_state_dict({key: torch.tensor(value.numpy()) for key, value in vae.state_dict().items()})

    def loss(x, e):
        mean, log_var = model["encoder"](x).chunk(2, dim=1)
        out = model["decoder"](mean + torch.exp(0.5 * log_var) * e)
        reconstruction = torch.nn.functional.binary_cross_entropy_with_logits(out, x, reduction="sum") / len(x)
        kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(1).mean()
        return reconstruction + vae.beta * kl, -reconstruction - kl
    return loss, list(model.parameters()), torch


@pytest.fixture
def one_thread():
    """PyTorch on one thread, as we are here: small products are slower on several."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def both(vae, batches, lr, tensors):
    """Losses of both while they are trained on the same batches with the same noise."""
    loss, parameters, torch = twin(vae)
    ours, theirs = tn.optim.Adam(vae.parameters(), lr=lr), torch.optim.Adam(parameters, lr=lr)
    found = []
    for k, rows in enumerate(batches):
        x = tensors[rows]
        e = tn.normal((len(x), vae.latent_dim), generator=tn.Generator(k)).numpy().astype(x.dtype)
        ours.zero_grad()
        mine = vae.loss(tn.tensor(x), tn.Generator(k))["loss"]
        mine.backward()
        ours.step()
        theirs.zero_grad()
        other, _ = loss(torch.tensor(x), torch.tensor(e))
        other.backward()
        theirs.step()
        found.append((mine.item(), other.item()))
    return np.array(found), lambda x, e: loss(torch.tensor(x), torch.tensor(e))[1].item()


@pytest.mark.same_on_strict
def test_fifty_steps_are_those_of_pytorch(one_thread, rng):
    x = tn.data.digits.load()[0].tensors[0].numpy().astype("f8")
    vae = VAE(64, 4, (32,), beta=0.5, dtype=tn.float64)
    losses, _ = both(vae, [rng.integers(0, len(x), 32) for _ in range(50)], 2e-3, x)
    np.testing.assert_allclose(losses[:, 0], losses[:, 1], rtol=1e-8)
    assert losses[-1, 0] < 0.8 * losses[0, 0]


@pytest.mark.slow
@pytest.mark.host_only
def test_the_bound_on_held_out_digits_is_within_one_percent_of_that_of_pytorch(one_thread, rng):
    train, test = (part.tensors[0].numpy() for part in tn.data.digits.load())
    vae = VAE(64, 8, (256, 128), beta=0.25)
    batches = [rows for _ in range(60) for rows in np.array_split(rng.permutation(len(train)), 23)]
    _, bound = both(vae, batches, 2e-3, train)
    stream = tn.Generator(10**6)
    e = tn.normal((len(test), 8), generator=tn.Generator(10**6)).numpy()
    with tn.no_grad():
        found = vae.loss(tn.tensor(test), stream)
    ours = -(found["reconstruction"] + found["kl"]).item()
    theirs = bound(test, e)
    print(f"ELBO on held-out digits: {ours:.4f} here, {theirs:.4f} in PyTorch")
    assert ours == pytest.approx(theirs, rel=0.01)
