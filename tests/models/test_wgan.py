"""The Wasserstein GAN: its critic against the distance itself, its penalty against differences of second order."""
import numpy as np
import pytest
from scipy import stats

import tinygrad_notes as tn
from tinygrad_notes.models import GAN, RECIPES, WGAN, loss_of_parameters
from tinygrad_notes.models.recipes.gan import covered


def small(constraint, **options):
    return WGAN(2, 2, (4,), constraint, activation=tn.nn.SiLU, average=0, **options)


@pytest.mark.row("S0-T47")
@pytest.mark.parametrize("constraint", ["penalty", "lipschitz", "clip", "spectral"])
def test_the_gradient_with_fixed_noise_is_that_of_finite_differences(constraint):
    loss, parameters = loss_of_parameters(small(constraint), (tn.uniform((3, 2)),))
    assert tn.gradcheck(loss, parameters, fast_mode=True, directions=1, elements=1).verdict == "CORRECT"


@pytest.mark.row("S0-T47")
def test_the_penalty_has_right_second_derivatives():
    loss, parameters = loss_of_parameters(small("penalty"), (tn.uniform((3, 2)),))
    assert tn.gradgradcheck(loss, parameters, fast_mode=True, directions=1, elements=1).verdict == "CORRECT"


@pytest.mark.row("S0-T47")
def test_the_penalty_is_that_of_slopes_by_differences():
    """At points between real and generated examples, which the same stream draws again."""
    model = WGAN(2, 2, (5,), weight=3.0, activation=tn.nn.SiLU, dtype=tn.float64)
    x, fake = tn.normal((4, 2), dtype=tn.float64), tn.normal((4, 2), dtype=tn.float64)
    tn.manual_seed(5)
    found = model.parts(x, fake)
    tn.manual_seed(5)
    share = tn.uniform((4, 1), dtype="float32").numpy().astype("f8")
    points, h = fake.numpy() + share * (x.numpy() - fake.numpy()), 1e-5
    score = lambda x: model.score(tn.tensor(x)).numpy()
    g = np.stack([(score(points + h * e) - score(points - h * e)) / (2 * h) for e in np.eye(2)], 1)
    penalty = ((np.sqrt((g**2).sum(1)) - 1)**2).mean()
    assert found["penalty"].item() == pytest.approx(penalty, rel=1e-6)
    gap = score(fake.numpy()).mean() - score(x.numpy()).mean()
    assert found["discriminator"].item() == pytest.approx(gap + 3 * penalty, rel=1e-6)
    assert found["distance"].item() == pytest.approx(-gap, rel=1e-12)


def quantiles(law, n=256):
    return law.ppf((np.arange(n) + 0.5) / n)[:, None]


@pytest.mark.same_on_strict
@pytest.mark.row("S1-13")
@pytest.mark.row("S1-12")
@pytest.mark.parametrize(("mean", "sigma", "known", "slack"), [(2.0, 1.0, 2.0, 0.1), (0.0, 2.0, 0.797885, 0.08)])
def test_a_critic_of_two_normals_reaches_their_distance(mean, sigma, known, slack, rng):
    p, q = quantiles(stats.norm(0, 1)), quantiles(stats.norm(mean, sigma))
    exact = stats.wasserstein_distance(p[:, 0], q[:, 0])
    assert exact == pytest.approx(known, abs=0.02)
    model = WGAN(1, 1, (16, 16), "lipschitz", 40.0, activation=tn.nn.Tanh, average=0)
    optimizer = tn.optim.Adam(model.discriminator.parameters(), lr=1e-2, betas=(0.5, 0.9))
    schedule = tn.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, 250)
    x, y = tn.tensor(q.astype("f4")), p.astype("f4")
    for _ in range(250):
        fake = tn.tensor(rng.permutation(y))
        optimizer.zero_grad()
        model.parts(x, fake)["discriminator"].backward()
        optimizer.step()
        schedule.step()
    assert model.distance(x, tn.tensor(y)) == pytest.approx(exact, abs=slack)
    slope = model.slope(tn.concat([x, tn.tensor(y)])).detach().numpy()
    assert np.quantile(slope, 0.95) < 1.1


def test_clipping_bounds_every_parameter_of_the_critic():
    model = WGAN(2, 2, (8,), "clip", 0.03)
    x = tn.normal((64, 2))
    loader = tn.data.DataLoader(tn.data.TensorDataset(x), 32)
    tn.train.Trainer(model, loader, model.optimizers(0.01), update=lambda t, b: model.update(t, *b)).fit(2)
    assert max(float(tn.abs(p).max()) for p in model.discriminator.parameters()) <= 0.03 + 1e-8
    assert max(float(tn.abs(p).max()) for p in model.generator.parameters()) > 0.1


def test_spectral_layers_stretch_nothing(rng):
    model = WGAN(3, 2, (16, 16), "spectral", dtype=tn.float64)
    for _ in range(100):
        model.score(tn.tensor(rng.normal(size=(2, 3))))
    a, b = rng.normal(size=(2, 400, 3))
    with tn.no_grad(), model.evaluating():
        change = np.abs(model.score(tn.tensor(a)).numpy() - model.score(tn.tensor(b)).numpy())
    assert (change <= 1.001 * np.linalg.norm(a - b, axis=1)).all()


@pytest.mark.parametrize(("options", "message"), [
    ({"constraint": "hope"}, "constraint: expected one of penalty, lipschitz, clip, spectral, got 'hope'"),
    ({"weight": 0.0}, "weight: expected a number > 0"), ({"critic_steps": 0}, "at least 1"),
])
def test_bad_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        WGAN(2, **options)


# Long ----------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.host_only
@pytest.mark.row("S1-10")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_all_eight_clouds_are_reached(seed):
    """As `tinygrad-notes train gan --seed N`: the model of the command line and its settings."""
    tn.manual_seed(seed)
    source = tn.data.find("gaussians8")
    x, y = source.train.tensors
    model = GAN(2)
    loader = tn.data.DataLoader(tn.data.TensorDataset(x), 256, shuffle=True)
    trainer = tn.train.Trainer(model, loader, model.optimizers(1e-3), update=lambda t, b: model.update(t, *b))
    trainer.fit(200)
    modes, share = covered(x, model.sample(5000), y)
    assert modes == 8 and share >= 0.9


@pytest.mark.slow
@pytest.mark.host_only
@pytest.mark.parametrize("constraint", ["penalty", "lipschitz", "clip", "spectral"])
def test_and_so_they_are_by_each_critic(constraint):
    """As `tinygrad-notes train wgan --set constraint=...`."""
    tn.manual_seed(0)
    source = tn.data.find("gaussians8")
    x, y = source.train.tensors
    recipe = RECIPES["wgan"]
    model = recipe.build(source, None, None, constraint=constraint)
    loader = tn.data.DataLoader(tn.data.TensorDataset(x), recipe.batch_size, shuffle=True)
    tn.train.Trainer(model, loader, model.optimizers(recipe.lr), update=recipe.update).fit(recipe.epochs)
    modes, share = covered(x, model.sample(5000), y)
    assert modes == 8 and share >= 0.9
