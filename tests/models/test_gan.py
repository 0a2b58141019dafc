"""Adversarial models: the value of the game against closed forms, gradients against differences, modes that are hit."""
import numpy as np
import pytest
from scipy import integrate, stats

import tinygrad_notes as tn
from tinygrad_notes.models import (
    DCGAN,
    GAN,
    ConditionalGAN,
    CycleGAN,
    Discriminator,
    InfoGAN,
    MinibatchDiscrimination,
    cycle_loss,
    loss_of_parameters,
)
from tinygrad_notes.models.recipes.gan import covered

F = tn.nn.functional


def trainer_of(model, *tensors, batch=64, lr=1e-3):
    loader = tn.data.DataLoader(tn.data.TensorDataset(*tensors), batch, shuffle=True)
    return tn.train.Trainer(model, loader, model.optimizers(lr), update=lambda t, batch: model.update(t, *batch))


# Gradients --------------------------------------------------------------------------
SMALL = [
    *(pytest.param(lambda kind=kind: GAN(2, 2, (4,), kind, activation=tn.nn.SiLU), (), id=kind)
      for kind in ("minimax", "non-saturating", "least-squares", "hinge")),
    pytest.param(lambda: GAN(2, 2, (4,), r1=0.5, activation=tn.nn.SiLU), (), id="r1"),
    pytest.param(lambda: GAN(2, 2, (4,), minibatch=2, activation=tn.nn.SiLU), (), id="minibatch"),
    pytest.param(lambda: ConditionalGAN(2, 3, 2, (4,)), ([0, 2, 1],), id="conditional"),
    pytest.param(lambda: InfoGAN(2, 3, 1, 2, (4,)), (), id="infogan"),
    pytest.param(lambda: DCGAN((4, 4), 2, 2, average=0), (), id="dcgan"),
    pytest.param(lambda: DCGAN((8,), 2, 2, unit=False), (), id="dcgan-signal"),
    pytest.param(lambda: CycleGAN(2, (4,), 3.0, 0.5, activation=tn.nn.SiLU), ([[0.5, 1.0], [-1.0, 0.2], [2.0, 1.0]],),
                 id="cyclegan"),
]


@pytest.mark.row("S0-T48")
@pytest.mark.row("S0-T45")
@pytest.mark.parametrize(("make", "labels"), SMALL)
def test_the_gradient_with_fixed_noise_is_that_of_finite_differences(make, labels):
    model = make()
    x = tn.uniform((3, model.data_dim))
    for p in model.parameters():  # no bias at zero, where a unit without input would stand on its kink
        p.data = (p + 0.1 * tn.normal(p.shape)).data
    loss, parameters = loss_of_parameters(model, (x, *map(tn.tensor, labels)))
    assert tn.gradcheck(loss, parameters, fast_mode=True, directions=1, elements=1).verdict == "CORRECT"


def test_a_smooth_discriminator_with_its_slope_has_right_second_derivatives():
    model = GAN(2, 2, (3,), r1=0.5, activation=tn.nn.SiLU, average=0)
    loss, parameters = loss_of_parameters(model, (tn.uniform((3, 2)),))
    assert tn.gradgradcheck(loss, parameters, fast_mode=True, directions=1, elements=1).verdict == "CORRECT"


# The value of the game ------------------------------------------------------------------
def value(p, q):
    """2 JSD(p, q) - 2 log 2 of two densities on the line."""
    def inside(x):
        a, b = p(x), q(x)
        m = (a + b) / 2
        return sum(0.5 * d * np.log(d / m) for d in (a, b) if d > 0)
    return 2 * integrate.quad(inside, -15, 25, limit=500, points=[0, 1, 5, 10])[0] - 2 * np.log(2)


@pytest.mark.same_on_strict
@pytest.mark.row("S1-08")
@pytest.mark.row("S1-09")
def test_with_the_best_discriminator_the_game_is_worth_twice_jsd_minus_two_log_2():
    """Minus the discriminator's loss at D = log p/q, as an integral over points that stand for the densities."""
    x = np.linspace(-12, 22, 200_001)
    for mean, known in ((0.0, -1.3862944), (1.0, -1.1634514), (10.0, -1.7e-6)):
        p, q = stats.norm(0, 1), stats.norm(mean, 1)
        best = tn.tensor(p.logpdf(x) - q.logpdf(x))
        step = x[1] - x[0]
        real = F.gan_discriminator_loss(best, tn.tensor([-800.0]), "minimax", "sum")  # the other term is 0
        assert np.isfinite(real.item())
        on_real, on_fake = tn.nn.functional.softplus(-best).numpy(), tn.nn.functional.softplus(best).numpy()
        found = -step * ((p.pdf(x) * on_real).sum() + (q.pdf(x) * on_fake).sum())
        assert found == pytest.approx(known, abs=2e-7)
        assert found == pytest.approx(value(p.pdf, q.pdf), abs=1e-9)
    same = F.gan_discriminator_loss(tn.zeros((5,)), tn.zeros((5,)), "minimax")
    assert same.item() == pytest.approx(2 * np.log(2))


@pytest.mark.same_on_strict
@pytest.mark.row("S1-08")
def test_a_trained_discriminator_reaches_the_value_of_the_game(rng):
    real = tn.tensor(np.quantile(rng.normal(0, 1, 200_000), (np.arange(1000) + 0.5) / 1000)[:, None].astype("f4"))
    model = Discriminator(1, (8,))
    optimizer = tn.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(250):
        optimizer.zero_grad()
        loss = F.gan_discriminator_loss(model(real), model(real + 1), "minimax")
        loss.backward()
        optimizer.step()
    assert -loss.item() == pytest.approx(-1.1634514, abs=0.01)


@pytest.mark.same_on_strict
@pytest.mark.row("S1-07")
def test_a_logistic_discriminator_of_two_normals_is_log_p_over_q(rng):
    """N(7.5, 1) and N(3, 1): log p/q = 4.5 x - 23.625. Newton's method on 100,000 points."""
    n = 50_000
    x = np.concatenate([rng.normal(7.5, 1, n), rng.normal(3, 1, n)])
    design = np.stack([np.ones(2 * n), x], 1)
    phi = tn.zeros(2, dtype=tn.float64).requires_grad_()
    for _ in range(12):
        d = tn.tensor(design) @ phi
        loss = F.gan_discriminator_loss(d[:n], d[n:], "minimax") / 2
        (g,) = tn.autograd.grad(loss, phi)
        s = 1 / (1 + np.exp(-d.numpy()))
        hessian = (design * (s * (1 - s))[:, None]).T @ design / (2 * n)
        phi.data = (phi - tn.tensor(np.linalg.solve(hessian, g.numpy()))).data
    np.testing.assert_allclose(phi.numpy(), [-23.625, 4.5], atol=0.6)
    assert phi.numpy()[1] == pytest.approx(4.5, abs=0.2) or abs(phi.numpy()[0] / phi.numpy()[1] + 5.25) < 0.02
    np.testing.assert_allclose(phi.numpy()[0] / phi.numpy()[1], -5.25, atol=0.03)


@pytest.mark.same_on_strict
@pytest.mark.row("S0-T43")
def test_the_toy_of_one_shift_follows_the_book():
    """x = z + theta against a logistic discriminator, Understanding Deep Learning, notebook 15.1."""
    real = tn.tensor(np.random.RandomState(0).normal(size=10) + 7.5)
    z = tn.tensor(np.random.RandomState(1).normal(size=10))
    theta = tn.tensor(3.0, dtype=tn.float64).requires_grad_()
    phi = tn.tensor([-2.0, 1.0], dtype=tn.float64).requires_grad_()

    def d_loss():
        fake = z + theta.detach()
        return F.gan_discriminator_loss(phi[0] + phi[1] * real, phi[0] + phi[1] * fake, "minimax", "sum")

    def g_loss():
        return F.gan_generator_loss(phi[0] + phi[1] * (z + theta), "minimax", "sum")
    assert d_loss().item() == pytest.approx(13.814757170851447, rel=1e-12)
    assert g_loss().item() == pytest.approx(-13.78437035945412, rel=1e-12)
    seen = []
    for _ in range(5):
        for _ in range(300):
            (g,) = tn.autograd.grad(d_loss(), phi)
            phi.data = (phi - 0.01 * g).data
        for _ in range(3):
            (g,) = tn.autograd.grad(g_loss(), theta)
            theta.data = (theta - 0.02 * g).data
        seen.append(theta.item())
    np.testing.assert_allclose(seen, [3.0806, 3.1516, 3.2177, 3.2812, 3.3434], atol=1e-4)
    np.testing.assert_allclose(phi.numpy(), [-9.1989, 1.6169], atol=1e-4)


# Parts ------------------------------------------------------------------------------------
def test_minibatch_discrimination_is_the_sum_over_the_others(rng):
    layer = MinibatchDiscrimination(3, 2, 4, dtype=tn.float64)
    h = rng.normal(size=(5, 3))
    m = (h @ layer.weight.numpy()).reshape(5, 2, 4)
    o = np.zeros((5, 2))
    for i in range(5):
        for b in range(2):
            o[i, b] = sum(np.exp(-np.abs(m[i, b] - m[j, b]).sum()) for j in range(5) if j != i)
    np.testing.assert_allclose(layer(tn.tensor(h)).numpy(), np.concatenate([h, o], 1), rtol=1e-12)


def test_the_slope_is_that_of_the_score(rng):
    model = GAN(2, 2, (6,), activation=tn.nn.SiLU, dtype=tn.float64)
    x, h = rng.normal(size=(4, 2)), 1e-5
    score = lambda x: model.score(tn.tensor(x)).numpy()
    g = np.stack([(score(x + h * e) - score(x - h * e)) / (2 * h) for e in np.eye(2)], 1)
    with tn.no_grad():
        found = model.slope(tn.tensor(x)).numpy()
    np.testing.assert_allclose(found, np.sqrt((g**2).sum(1)), rtol=1e-6)


def test_the_information_is_the_bound_by_the_book(rng):
    model = InfoGAN(2, 3, 2, 4, (5,), dtype=tn.float64)
    noise = model.noise(6)
    x = model.generate(noise)
    logits, means = (t.numpy() for t in model.read(x))
    k, u = noise.numpy()[:, 4:7].argmax(1), noise.numpy()[:, 7:]
    log_q = np.log(np.exp(logits) / np.exp(logits).sum(1, keepdims=True))[np.arange(6), k]
    log_q = log_q + stats.norm(means, 1).logpdf(u).sum(1)
    assert model.information(x, noise).item() == pytest.approx(np.log(3) + log_q.mean(), rel=1e-12)


def test_samples_come_from_the_average_of_the_generator():
    x = tn.normal((64, 2))
    model = GAN(2, 2, (4,), average=0.9)
    start = [p.numpy().copy() for p in model.generator.parameters()]
    trainer_of(model, x).fit(1)
    means = [model.average_0_weight, model.average_0_bias, model.average_2_weight, model.average_2_bias]
    for first, mean, p in zip(start, means, model.generator.parameters()):
        np.testing.assert_allclose(mean.numpy(), 0.9 * first + 0.1 * p.numpy(), rtol=1e-5, atol=1e-7)
    z = model.noise(3, tn.Generator(5)).numpy()
    hidden = np.maximum(z @ means[0].numpy().T + means[1].numpy(), 0)
    np.testing.assert_allclose(model.sample(3, generator=tn.Generator(5)).numpy(),
                               hidden @ means[2].numpy().T + means[3].numpy(), rtol=1e-4, atol=1e-6)


def test_a_player_moves_alone_and_the_run_goes_on_bit_for_bit(tmp_path):
    x = tn.data.eight_gaussians(96, generator=0)[0]

    def start():
        tn.manual_seed(1)
        return trainer_of(GAN(2, 2, (8,), critic_steps=2), x, batch=32)
    whole = start()
    whole.fit(4, checkpoint=tmp_path / "whole")
    assert whole.step == 12
    start().fit(1, checkpoint=tmp_path / "part")
    last = start()
    last.load(tmp_path / "part")
    last.fit(4, checkpoint=tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == (tmp_path / "whole").read_bytes()
    first = start()
    before = first.model.generator[0].weight.numpy().copy()
    first.model.update(first, x[:32])
    assert np.array_equal(first.model.generator[0].weight.numpy(), before), "with critic_steps=2 the generator waits"


@pytest.mark.row("S1-10")
def test_the_share_of_covered_modes_is_counted_right(rng):
    centers = 2 * np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], 1)
    y = rng.integers(0, 8, 4000)
    x = centers[y] + 0.02 * rng.normal(size=(4000, 2))
    fake = np.concatenate([centers[np.arange(300) % 3], np.zeros((100, 2))])
    modes, share = covered(tn.tensor(x), tn.tensor(fake), tn.tensor(y))
    assert modes == 3 and share == pytest.approx(0.75)
    fake[0] = centers[7]  # one point of 400 is below 1%
    assert covered(tn.tensor(x), tn.tensor(fake), tn.tensor(y))[0] == 3
    assert covered(tn.tensor(x), tn.tensor(x), tn.tensor(y))[1] == pytest.approx(1 - np.exp(-4.5), abs=0.01)


@pytest.mark.same_on_strict
@pytest.mark.row("S0-T49")
def test_cycles_of_a_rotation_close():
    a = tn.normal((200, 2))
    c, s = np.cos(0.7), np.sin(0.7)
    turn = tn.tensor(np.array([[c, s], [-s, c]], dtype="f4"))
    assert cycle_loss(a, (a @ turn) @ turn.T).item() < 1e-6
    model = CycleGAN(2, (16,), activation=tn.nn.Tanh)
    b = tn.normal((200, 2)) @ turn
    runs = [trainer_of(model, a, b, batch=50, lr=lr).fit(25)["cycle"] for lr in (1e-2, 1e-3, 2e-4)]
    assert runs[0][0] > 0.4 and runs[-1][-1] < 1e-2
    assert cycle_loss(a, tn.tensor(model.to_a(model.predict(a)))).item() < 1e-2


@pytest.mark.same_on_strict
@pytest.mark.row("S0-T48")
def test_a_conditional_model_learns_the_mean_of_each_class(rng):
    centers = np.array([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])
    y = rng.integers(0, 3, 600)
    x = (centers[y] + 0.3 * rng.normal(size=(600, 2))).astype("f4")
    model = ConditionalGAN(2, 3, 2, (32,), average=0.9)
    for lr in (5e-3, 1e-3):
        trainer_of(model, tn.tensor(x), tn.tensor(y), batch=100, lr=lr).fit(45)
    for k in range(3):
        found = model.sample(500, tn.full((500,), k, dtype=tn.int64)).numpy()
        np.testing.assert_allclose(found.mean(0), centers[k], atol=0.2)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: GAN(0), "at least 1"), (lambda: GAN(2, hidden=(0,)), "at least 1"), (lambda: GAN(2, r1=-1), "r1, average"),
    (lambda: GAN(2, average=1.0), "r1, average"), (lambda: GAN(2, kind="foul"), "kind: expected one of"),
    (lambda: ConditionalGAN(2, 0), "classes: expected at least 1"), (lambda: InfoGAN(2, 0), "classes, codes"),
    (lambda: DCGAN((6, 8)), "multiples of 4 but for B, got"), (lambda: CycleGAN(2, cycle=-1.0), "cycle, identity"),
    (lambda: CycleGAN(2, kind="foul"), "kind: expected one of"), (lambda: CycleGAN(0), "at least 1"),
])
def test_bad_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
