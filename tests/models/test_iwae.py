"""The importance-weighted bound: by the book, and rising to the exact evidence of a linear model."""
import numpy as np
import pytest
from scipy import stats

import tinygrad_notes as tn
from tinygrad_notes.models import IWAE, VAE, loss_of_parameters


@pytest.mark.parametrize("decoder", ["bernoulli", "gaussian"])
def test_the_gradient_with_fixed_noise_is_that_of_finite_differences(decoder):
    loss, parameters = loss_of_parameters(IWAE(4, 2, (3,), decoder, 3), (tn.uniform((3, 4)),))
    assert tn.gradcheck(loss, parameters, fast_mode=True, directions=2, elements=2).verdict == "CORRECT"


def test_the_weights_are_those_of_the_book(rng):
    model = IWAE(3, 2, (4,), "gaussian", 4, dtype=tn.float64)
    model.log_sigma.data[...] = -0.3
    x = rng.normal(size=(5, 3))
    found = model.log_weights(tn.tensor(x), tn.Generator(2)).detach().numpy()
    noise = tn.normal((4, 5, 2), generator=tn.Generator(2)).numpy().astype("f8")
    mean, log_var = (t.detach().numpy() for t in model.encode(tn.tensor(x)))
    z = mean + np.exp(log_var / 2) * noise
    out = model.decoder(tn.tensor(z)).detach().numpy()
    log_w = (stats.norm(out, np.exp(-0.3)).logpdf(x).sum(-1) + stats.norm.logpdf(z).sum(-1)
             - stats.norm(mean, np.exp(log_var / 2)).logpdf(z).sum(-1))
    np.testing.assert_allclose(found, log_w, rtol=1e-10)
    loss = model.loss(tn.tensor(x), tn.Generator(2))
    assert loss["loss"].item() == pytest.approx(-np.log(np.exp(log_w).mean(0)).mean(), rel=1e-12)
    assert loss["elbo"].item() == pytest.approx(log_w.mean(), rel=1e-12)


@pytest.mark.same_on_strict
def test_the_bounds_rise_to_the_evidence_of_the_linear_model(rng):
    vae = IWAE(3, 2, (), "gaussian", dtype=tn.float64)
    vae.log_sigma.data[...] = -0.2
    vae.encoder[0].weight.data[...] *= 0.1
    vae.encoder[0].bias.data[...] = 0.0
    W, b = vae.decoder[0].weight.numpy(), vae.decoder[0].bias.numpy()
    x = b + rng.normal(size=(2000, 3))
    exact = stats.multivariate_normal(b, W @ W.T + np.exp(-0.4) * np.eye(3)).logpdf(x).mean()
    bounds = []
    for draws in (1, 3, 10, 100):
        vae.draws = draws
        bounds.append(-vae.loss(tn.tensor(x))["loss"].item())
    assert bounds[0] < bounds[1] < bounds[2] < bounds[3] < exact + 0.01
    assert bounds[3] == pytest.approx(exact, abs=0.01) and bounds[0] < exact - 0.05


def test_one_draw_is_the_vae_without_its_closed_form():
    tn.manual_seed(0)
    model = IWAE(4, 2, (3,), draws=1, dtype=tn.float64)
    x = tn.uniform((20_000, 4), dtype=tn.float64)
    vae = VAE(4, 2, (3,), dtype=tn.float64)
    vae.load_state_dict(model.state_dict())
    assert model.loss(x)["loss"].item() == pytest.approx(vae.loss(x)["loss"].item(), abs=0.02)


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="draws: expected at least 1"):
        IWAE(4, draws=0)
