"""Conditional and hierarchical variational autoencoders: their bounds term by term, gradients, what they learn."""
import numpy as np
import pytest
from scipy import stats

import tinygrad_notes as tn
from tinygrad_notes.models import ConditionalVAE, HierarchicalVAE, loss_of_parameters


@pytest.mark.parametrize("make", [
    lambda: HierarchicalVAE(4, (2, 1), 3), lambda: HierarchicalVAE(4, (2, 1, 1), 2, "gaussian", 0.5),
], ids=["two", "three"])
def test_the_gradient_with_fixed_noise_is_that_of_finite_differences(make):
    loss, parameters = loss_of_parameters(make(), (tn.uniform((3, 4)),))
    assert tn.gradcheck(loss, parameters, fast_mode=True, directions=1, elements=1).verdict == "CORRECT"


def test_the_gradient_of_the_conditional_model():
    loss, parameters = loss_of_parameters(ConditionalVAE(4, 3, 2, (3,)), (tn.uniform((3, 4)), tn.tensor([0, 2, 1])))
    assert tn.gradcheck(loss, parameters, fast_mode=True, directions=2, elements=2).verdict == "CORRECT"


def test_the_ladder_by_the_book(rng):
    """Two layers: the posterior below is the product of guess and prior, the divergences those of normal laws."""
    model = HierarchicalVAE(3, (2, 1), 4, "gaussian", 0.7, dtype=tn.float64)
    x = rng.normal(size=(5, 3))
    normal = lambda layer, h: [t.detach().numpy() for t in model._normal(layer(h))]
    h1 = tn.nn.functional.silu(model.up[0](tn.tensor(x)))
    h2 = tn.nn.functional.silu(model.up[1](h1))
    a1, b1 = normal(model.guess[0], h1)
    a2, b2 = normal(model.guess[1], h2)
    stream = tn.Generator(3)
    e2 = tn.normal((5, 1), generator=stream).numpy().astype("f8")
    e1 = tn.normal((5, 2), generator=stream).numpy().astype("f8")
    z2 = a2 + np.exp(b2 / 2) * e2
    m1, v1 = normal(model.down[0], tn.tensor(z2))
    precision = np.exp(-b1) + np.exp(-v1)
    mean1, variance1 = (a1 * np.exp(-b1) + m1 * np.exp(-v1)) / precision, 1 / precision
    z1 = mean1 + np.sqrt(variance1) * e1
    kl2 = 0.5 * (np.exp(b2) + a2**2 - 1 - b2).sum(1)
    kl1 = (0.5 * (variance1 / np.exp(v1) + (mean1 - m1)**2 / np.exp(v1) - 1 - np.log(variance1) + v1)).sum(1)
    out = model.decoder(tn.tensor(z1)).detach().numpy()
    reconstruction = -stats.norm(out, 1).logpdf(x).sum(1).mean()
    found = {key: value.item() for key, value in model.loss(tn.tensor(x), tn.Generator(3)).items()}
    assert found["kl_2"] == pytest.approx(kl2.mean(), rel=1e-10)
    assert found["kl_1"] == pytest.approx(kl1.mean(), rel=1e-10)
    assert found["reconstruction"] == pytest.approx(reconstruction, rel=1e-10)
    assert found["loss"] == pytest.approx(reconstruction + 0.7 * (kl1 + kl2).mean(), rel=1e-10)


@pytest.mark.same_on_strict
def test_a_class_that_is_asked_for_is_drawn(rng):
    centers = np.array([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])
    y = rng.integers(0, 3, 600)
    x = centers[y] + 0.3 * rng.normal(size=(600, 2))
    model = ConditionalVAE(2, 3, 2, (16,), "gaussian")
    loader = tn.data.DataLoader(tn.data.TensorDataset(x.astype("f4"), y), 100, shuffle=True)
    tn.train.fit(model, loader, tn.optim.Adam(model.parameters(), lr=0.01), 25)
    for k in range(3):
        found = model.sample(tn.full((300,), k, dtype=tn.int64)).numpy()
        np.testing.assert_allclose(found.mean(0), centers[k], atol=0.2)


def test_draws_from_the_top_have_the_prior_of_the_model():
    model = HierarchicalVAE(2, (1, 1), 4, "gaussian", dtype=tn.float64)
    sample = model.sample(4, tn.Generator(1))
    stream = tn.Generator(1)
    z = tn.normal((4, 1), generator=stream).astype(tn.float64)
    mean, log_var = model._normal(model.down[0](z))
    z = mean + tn.exp(log_var / 2) * tn.normal((4, 1), generator=stream).astype(tn.float64)
    np.testing.assert_allclose(sample.numpy(), model.decode(z).detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: HierarchicalVAE(2, ()), "at least 1"), (lambda: HierarchicalVAE(2, decoder="x"), "decoder: expected one"),
    (lambda: HierarchicalVAE(2, beta=-1.0), "beta"), (lambda: ConditionalVAE(2, 0), "classes"),
])
def test_bad_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
