"""Scores, Tweedie's formula and samplers against densities that are known; gradients of all losses."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tests.models.flows.common import stirred
from tinygrad_notes.models import diffusion, loss_of_parameters, recipes

F64 = {"dtype": "float64"}
WEIGHTS, MEANS, STDS = (np.array(x) for x in ([0.2, 0.3, 0.35, 0.15], [1.5, -0.216, 0.45, -1.875],
                                               [0.3, 0.15, 0.525, 0.075]))  # the mixture of notebook 18.1


def mixture(sigma=0.0):
    """log density of the mixture with noise, a function (N, 1) -> (N,)."""
    normal = tn.distributions.Normal(tn.tensor(MEANS), tn.tensor(np.sqrt(STDS**2 + sigma**2)))
    return lambda x: tn.logsumexp(tn.log(tn.tensor(WEIGHTS)) + normal.log_prob(x), axis=1)


@pytest.mark.row("S1-20")
def test_the_mean_of_what_was_before_the_noise_is_tweedies_formula(rng):
    sigma, x = 0.3, rng.normal(size=(200, 1))
    variances = STDS**2 + sigma**2
    weights = WEIGHTS * np.exp(-0.5 * (x - MEANS)**2 / variances) / np.sqrt(variances)
    weights /= weights.sum(1, keepdims=True)
    exact = (weights * (MEANS + STDS**2 / variances * (x - MEANS))).sum(1)  # the mean of each component given x
    score = diffusion.score_of(mixture(sigma))(tn.tensor(x))
    found = diffusion.tweedie(tn.tensor(x), score, sigma).detach().numpy()[:, 0]
    np.testing.assert_allclose(found, exact, atol=1e-14)


@pytest.mark.row("S1-20")
@pytest.mark.same_on_strict
def test_a_network_that_takes_noise_off_learns_the_score(rng):
    sigma = 0.3
    model = diffusion.ScoreModel(diffusion.MLPDenoiser(1, 32, 1), 1, sigma, sigma, 1)
    kind = rng.choice(4, size=4000, p=WEIGHTS)
    x = tn.tensor((MEANS[kind] + STDS[kind] * rng.normal(size=4000))[:, None], dtype="float32")
    loader, adam = [x[:2000], x[2000:]], tn.optim.Adam(model.parameters(), lr=1e-2)
    tn.train.fit(model, loader, adam, 75, scheduler=tn.optim.lr_scheduler.CosineAnnealingLR(adam, 75))
    noisy = x.numpy()[:1000].astype(float) + sigma * rng.normal(size=(1000, 1))
    exact = diffusion.score_of(mixture(sigma))(tn.tensor(noisy)).detach().numpy()
    with tn.no_grad():
        found = model.score(tn.tensor(noisy, dtype="float32"), sigma).numpy()
    assert np.linalg.norm(found - exact) < 0.15 * np.linalg.norm(exact)


@pytest.mark.row("S1-21")
def test_the_score_is_minus_the_gradient_of_the_energy_whatever_normalizes_the_density(rng):
    x = tn.tensor(rng.normal(size=(50, 2)))
    energy = lambda x: tn.sum(x**4 - tn.cos(x), axis=1) + x[:, 0] * x[:, 1]
    found = diffusion.score_of(lambda x: -energy(x) - 12.3)(x).detach().numpy()
    wanted = -(4 * x.numpy()**3 + np.sin(x.numpy()) + x.numpy()[:, ::-1])
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
    with tn.no_grad():
        assert not diffusion.score_of(lambda x: -energy(x))(x).requires_grad
    curl = tn.jacobian(lambda row: diffusion.score_of(lambda x: -energy(x))(row[None])[0])(x[0]).numpy()
    np.testing.assert_allclose(curl, curl.T, atol=1e-12)


@pytest.mark.row("S1-22")
@pytest.mark.same_on_strict
@pytest.mark.parametrize(("step", "wanted", "steps"), [(0.5, 1.33333, 25), (0.1, 1.05263, 50), (0.01, 1.00503, 150)])
def test_langevin_chains_settle_at_the_variance_of_their_step(step, wanted, steps):
    x = diffusion.langevin(lambda x: -(x - 3.0), 3.0 + tn.randn((60000, 1)), step, steps).numpy()
    assert x.var() == pytest.approx(wanted, rel=4 * np.sqrt(2 / 60000))
    assert x.mean() == pytest.approx(3.0, abs=4 * np.sqrt(wanted / 60000))


@pytest.mark.row("S1-22")
@pytest.mark.same_on_strict
def test_the_metropolis_test_takes_the_bias_away():
    chains = diffusion.mala(lambda x: -0.5 * (x * x).sum(axis=1), tn.randn((40000, 1)), 0.5, 25)
    assert chains.x.numpy().var() == pytest.approx(1.0, rel=4 * np.sqrt(2 / 40000))
    assert 0.7 < chains.accepted < 0.99


@pytest.mark.same_on_strict
def test_metropolis_adjusted_chains_have_the_moments_of_a_double_well():
    log_density = lambda x: -((x * x - 1)**2).sum(axis=1)
    grid = np.linspace(-4, 4, 4001)
    p = np.exp(-(grid**2 - 1)**2)
    p /= p.sum()
    # From far out, where the slope is steep, every proposal overshoots and is refused: start inside.
    x = diffusion.mala(log_density, tn.uniform((20000, 1), -1.5, 1.5), 0.15, 80).x.numpy()[:, 0]
    for power in (2, 4):
        exact = (p * grid**power).sum()
        spread = np.sqrt((p * grid**(2 * power)).sum() - exact**2)
        assert (x**power).mean() == pytest.approx(exact, abs=4 * spread / np.sqrt(20000))
    assert (x > 0).mean() == pytest.approx(0.5, abs=0.02)


def test_the_steps_of_the_samplers_are_their_formulas():
    x = tn.randn((6, 2), **F64)
    score = lambda x: -x**3
    noise = tn.normal((6, 2), dtype="float32", generator=tn.Generator(4)).numpy().astype(float)
    ahead = x.numpy() - 0.1 * x.numpy()**3 + np.sqrt(0.2) * noise
    np.testing.assert_allclose(diffusion.langevin(score, x, 0.1, 1, tn.Generator(4)).numpy(), ahead, rtol=1e-12)
    found = diffusion.mala(lambda x: -0.25 * (x**4).sum(axis=1), x, 0.1, 1, tn.Generator(4))
    kept = (found.x.numpy() == x.numpy()).all(1)
    np.testing.assert_allclose(found.x.numpy()[~kept], ahead[~kept], rtol=1e-12)
    assert found.accepted == pytest.approx(1 - kept.mean())


IMAGE_PARAMETERS = {f"network.{name}" for name in (  # one of each kind of layer, on every way through the network
    "time.weight", "label.weight", "inward.weight", "down.weight", "low.1.conv1.weight", "up.bias",
    "low.0.condition.weight", "outward.weight")}
MODELS = {
    "points": lambda: diffusion.DDPM(diffusion.MLPDenoiser(2, 4, 1, waves=2, **F64), 2, 10),
    "classes": lambda: diffusion.DDPM(diffusion.MLPDenoiser(2, 4, 1, classes=2, **F64), 2, 10, "cosine"),
    "images": lambda: diffusion.DDPM(diffusion.ImageDenoiser((1, 4, 4), 4, 2, **F64), (1, 4, 4), 10, unit=True),
    "scores": lambda: diffusion.ScoreModel(diffusion.MLPDenoiser(2, 4, 1, **F64), 2),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_gradients_of_the_losses_are_those_of_finite_differences(name):
    model = stirred(MODELS[name](), 0.1)
    x = tn.uniform((3, 16) if name == "images" else (3, 2), **F64)
    batch = (x, tn.tensor([0, 1, 1])) if name in ("classes", "images") else (x,)
    chosen = [p for key, p in model.named_parameters() if name != "images" or key in IMAGE_PARAMETERS]
    for p in model.parameters():
        p.requires_grad_(any(p is one for one in chosen))
    loss, parameters = loss_of_parameters(model, batch)
    assert tn.gradcheck(loss, parameters, fast_mode=True, directions=1, elements=0).verdict == "CORRECT"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "data"), [("ddpm", "moons"), ("score", "gaussians8")])
def test_trained_on_points_the_samples_are_near_the_data(name, data):
    """The same as `tinygrad-notes train ddpm` and `train score`, shorter."""
    recipe, source = recipes.find(name), tn.data.find(data)
    model = recipe.build(source, "float32", "cpu")
    loader = tn.data.DataLoader(recipe.inputs(source.train), recipe.batch_size, shuffle=True, generator=0)
    tn.train.fit(model, loader, recipe.optimizers(model, recipe.lr), 60)
    drawn, x = model.sample(2000).numpy(), source.test.tensors[0].numpy()
    near = np.sqrt(((drawn[:, None] - x[None])**2).sum(-1).min(1))
    assert np.mean(near < 0.1) > 0.9, "on the data"
    back = np.sqrt(((x[:1000, None] - drawn[None])**2).sum(-1).min(1))
    assert np.mean(back < 0.15) > 0.9, "everywhere on them"
