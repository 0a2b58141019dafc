"""The losses of adversarial networks: formulas, slopes where the discriminator is sure, and their optimum."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.nn import functional as F

RNG = np.random.default_rng(0)
REAL, FAKE = RNG.standard_normal(5), RNG.standard_normal(7)
KINDS = {  # by the probability D that the discriminator gives, or by its score
    "minimax": (lambda d: -np.log(D(d)), lambda d: -np.log(1 - D(d)), lambda d: np.log(1 - D(d))),
    "non-saturating": (lambda d: -np.log(D(d)), lambda d: -np.log(1 - D(d)), lambda d: -np.log(D(d))),
    "least-squares": (lambda d: (d - 1) ** 2 / 2, lambda d: d ** 2 / 2, lambda d: (d - 1) ** 2 / 2),
    "hinge": (lambda d: np.maximum(0, 1 - d), lambda d: np.maximum(0, 1 + d), lambda d: -d),
    "wasserstein": (lambda d: -d, lambda d: d, lambda d: -d),
}


def D(score):
    return 1 / (1 + np.exp(-score))


@pytest.mark.parametrize("kind", KINDS)
def test_formulas_and_derivatives(kind):
    on_real, on_fake, made = KINDS[kind]
    real, fake = on_real(REAL), on_fake(FAKE)
    assert F.gan_discriminator_loss(REAL, FAKE, kind).item() == pytest.approx(real.mean() + fake.mean())
    assert F.gan_discriminator_loss(REAL, FAKE, kind, "sum").item() == pytest.approx(real.sum() + fake.sum())
    np.testing.assert_allclose(F.gan_generator_loss(FAKE, kind, "none").numpy(), made(FAKE), rtol=1e-12)
    assert tn.gradcheck(lambda r, f: F.gan_discriminator_loss(r, f, kind), (tn.tensor(REAL), tn.tensor(FAKE)))
    assert tn.gradgradcheck(lambda f: F.gan_generator_loss(f, kind), tn.tensor(FAKE))


@pytest.mark.row("S0-T44")
def test_only_the_minimax_loss_of_the_generator_saturates():
    """The slopes are -D and D - 1: where the discriminator is sure (D = 0) one is gone and the other is full."""
    scores = np.array([-40.0, -20.0, -5.0, 0.0, 3.0])
    for kind, slope in (("minimax", -D(scores)), ("non-saturating", D(scores) - 1)):
        x = tn.tensor(scores, requires_grad=True)
        F.gan_generator_loss(x, kind, "sum").backward()
        np.testing.assert_allclose(x.grad.numpy(), slope, rtol=1e-12)
    assert abs(D(-40.0)) < 1e-17


def test_scores_of_any_size_are_finite():
    big = np.array([-1e4, 1e4], dtype="f4")
    for kind in KINDS:
        x = tn.tensor(big, requires_grad=True)
        (F.gan_discriminator_loss(x, x, kind) + F.gan_generator_loss(x, kind)).backward()
        assert np.isfinite(x.grad.numpy()).all()


def test_the_optimum_is_the_divergence():
    """With the best discriminator p / (p + q) its loss is 2 log 2 - 2 JSD(p, q)."""
    p, q = RNG.dirichlet(np.ones(6)), RNG.dirichlet(np.ones(6))
    score = tn.tensor(np.log(p / q))
    loss = (tn.tensor(p) * F.softplus(-score) + tn.tensor(q) * F.softplus(score)).sum().item()
    assert loss == pytest.approx(2 * np.log(2) - 2 * F.js_div(p, q).item())


def test_what_raises():
    with pytest.raises(ValueError, match="kind: expected one of 'minimax', 'non-saturating'"):
        F.gan_generator_loss(FAKE, "saturating")
    with pytest.raises(ValueError, match="real: the mean over an empty batch"):
        F.gan_discriminator_loss(REAL[:0], FAKE)
    with pytest.raises(ValueError, match="reduction: expected one of 'mean', 'sum'"):
        F.gan_discriminator_loss(REAL, FAKE, reduction="none")
