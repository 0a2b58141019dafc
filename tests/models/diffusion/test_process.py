"""The forward process and the way back against Gaussian data, for which everything is known in closed form."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.models import diffusion
from tinygrad_notes.models.diffusion import DDPM, Process

F64 = {"dtype": "float64"}
MEAN, VARIANCE = 2.0, 0.25


class Exact(tn.nn.Module):
    """The noise that is expected in x_t when the data are N(MEAN, VARIANCE)."""

    def __init__(self):
        super().__init__()
        self.one = tn.nn.Parameter(tn.ones((), **F64))  # says where and in which precision to draw
        self.process = None

    def forward(self, x, s):
        left = self.process.left((s * len(self.process)).round().astype("int64"), x)
        return (1 - left)**0.5 * (x - left**0.5 * MEAN) / (left * VARIANCE + 1 - left)


def exact_model(schedule, variance="posterior"):
    network = Exact()
    model = DDPM(network, 1, schedule=schedule, variance=variance)
    network.process = model.process
    return model


def moments(model, draw):
    """Mean and variance of what `draw(n)` makes, exactly: affine in its draws, it gets a chain for each of them."""
    calls = []

    def one_each(shape, generator):
        calls.append(len(calls))
        unit = np.zeros(shape)
        unit[len(calls), 0] = 1.0  # chain 0 gets no noise at all
        return tn.tensor(unit)
    model._normal = one_each
    x = draw(len(model.process) + 2).numpy()[:, 0]
    return x[0], ((x[1:] - x[0])**2).sum()


@pytest.mark.row("S1-23")
def test_the_schedules_leave_what_the_books_say():
    assert float(Process(diffusion.constant_schedule()).alpha_bar[-1]) == pytest.approx(0.2181588, abs=5e-8)
    assert float(Process(diffusion.linear_schedule()).alpha_bar[-1]) == pytest.approx(4.0358e-5, rel=1e-4)
    left = Process(diffusion.cosine_schedule(1000)).alpha_bar.numpy()
    t = np.arange(1001) / 1000
    wanted = np.cos((t + 0.008) / 1.008 * np.pi / 2)**2 / np.cos(0.008 / 1.008 * np.pi / 2)**2
    np.testing.assert_allclose(left[:990], wanted[:990], rtol=1e-9)
    assert (np.diff(left) < 0).all() and float(diffusion.cosine_schedule(50).max()) <= 0.999


@pytest.mark.row("S1-23")
@pytest.mark.same_on_strict
def test_noise_added_step_by_step_is_the_closed_form():
    process, x0, n = Process(diffusion.constant_schedule(30, 0.05)), 1.7, 40000
    x = np.full(n, x0)
    stream = np.random.default_rng(0)
    for beta in process.beta.numpy():
        x = np.sqrt(1 - beta) * x + np.sqrt(beta) * stream.normal(size=n)
    left = 0.95**30
    assert x.mean() == pytest.approx(np.sqrt(left) * x0, abs=4 * np.sqrt((1 - left) / n))
    assert x.var() == pytest.approx(1 - left, rel=4 * np.sqrt(2 / n))
    noise = tn.randn((5, 2), **F64)
    at_once = process.noised(x0 * tn.ones((5, 2), **F64), tn.tensor([0, 1, 15, 29, 30]), noise)
    left = 0.95**np.array([[0], [1], [15], [29], [30]])
    np.testing.assert_allclose(at_once.numpy(), np.sqrt(left) * x0 + np.sqrt(1 - left) * noise.numpy(), rtol=1e-12)
    back = process.cleaned(at_once, tn.tensor([0, 1, 15, 29, 30]), noise)
    np.testing.assert_allclose(back.numpy(), x0, rtol=1e-12)


@pytest.mark.row("S0-T67")
@pytest.mark.parametrize(("t", "earlier"), [(7, 6), (9, 3), (4, 0), (1, 0)])
def test_the_posterior_is_what_conditioning_two_normal_variables_gives(t, earlier):
    process = Process(diffusion.linear_schedule(10, 0.01, 0.3))
    a, b, v = process.posterior(t, earlier)
    before, now = (process.alpha_bar.numpy()[k] for k in (earlier, t))
    # (x_s, x_t) given x_0: means sqrt(before) x_0, sqrt(now) x_0; x_t = sqrt(r) x_s + noise.
    r = now / before
    covariance = np.array([[1 - before, np.sqrt(r) * (1 - before)], [np.sqrt(r) * (1 - before), 1 - now]])
    gain = covariance[0, 1] / covariance[1, 1]
    assert a == pytest.approx(gain, abs=1e-12)
    assert b == pytest.approx(np.sqrt(before) - gain * np.sqrt(now), abs=1e-12)
    assert v == pytest.approx(covariance[0, 0] - gain * covariance[0, 1], abs=1e-12)
    if earlier == t - 1:  # the formula of the notes, in which alpha is the product
        beta = process.beta.numpy()[t - 1]
        assert a == pytest.approx((1 - before) * np.sqrt(1 - beta) / (1 - now), abs=1e-12)
        assert b == pytest.approx(np.sqrt(before) * beta / (1 - now), abs=1e-12)
        assert v == pytest.approx(beta * (1 - before) / (1 - now), abs=1e-12)


@pytest.mark.row("S1-24")
@pytest.mark.parametrize(("schedule", "variance", "mean", "spread"), [
    (diffusion.linear_schedule(1000), "beta", 1.99998, 0.250752),
    (diffusion.linear_schedule(1000), "posterior", 1.99998, 0.246125),
    (diffusion.constant_schedule(), "beta", 1.869582, 0.243850),
], ids=["linear-beta", "linear-posterior", "constant"])
def test_sampling_gaussian_data_with_the_exact_noise_gives_the_exact_moments(schedule, variance, mean, spread):
    model = exact_model(schedule, variance)
    found = moments(model, model.sample)
    assert found[0] == pytest.approx(mean, abs=5e-6) and found[1] == pytest.approx(spread, abs=1e-6)


@pytest.mark.row("S0-T68")
def test_few_long_steps_without_noise_tend_to_the_exact_moments():
    errors = []
    for steps in (10, 40, 160):
        model = exact_model(diffusion.linear_schedule(1000))
        mean, spread = moments(model, lambda n, model=model, steps=steps: model.sample_ddim(n, steps))
        errors.append(abs(spread - VARIANCE))
        assert mean == pytest.approx(MEAN, abs=0.15 / steps * 10)
    assert errors[0] > 3 * errors[1] > 9 * errors[2] and errors[2] < 0.01


@pytest.mark.row("S0-T68")
def test_as_many_steps_with_the_noise_of_the_posterior_are_the_usual_sampler():
    model = exact_model(diffusion.linear_schedule(50, 1e-3, 0.2))
    usual = moments(model, model.sample)
    assert moments(model, lambda n: model.sample_ddim(n, 50, eta=1.0)) == pytest.approx(usual, rel=1e-12)
    same = [model.sample_ddim(3, 10, generator=tn.Generator(1)).tolist() for model in
            [exact_model(diffusion.linear_schedule(50))] * 2]
    assert same[0] == same[1]
    with pytest.raises(ValueError, match="1 <= steps <= 50"):
        model.sample_ddim(3, 51)


class Told(tn.nn.Module):
    """A network that answers with its label, or with -1 where it is told none."""

    classes = 3

    def __init__(self):
        super().__init__()
        self.seen, self.one = [], tn.nn.Parameter(tn.ones(()))

    def forward(self, x, s, label=None):
        label = -tn.ones((len(x),)) if label is None else tn.ops.as_tensor(label).astype(x.dtype)
        self.seen += label.tolist()
        return label[:, None] * tn.ones_like(x) * self.one


def test_guidance_goes_beyond_what_the_class_asks_for_and_some_labels_are_hidden_in_training():
    network = Told()
    model = DDPM(network, 2, steps=5, unlabelled=0.3)
    x = tn.zeros((1, 2))
    for w in (0.0, 0.5, 2.0):
        assert model.noise(x, 3, tn.tensor([2]), w).tolist() == [[2 + w * 3] * 2]
    network.seen.clear()
    model.loss(tn.zeros((2000, 2)), tn.ones((2000,), dtype="int64"))
    assert set(network.seen) == {1, 3} and np.mean(np.array(network.seen) == 3) == pytest.approx(0.3, abs=0.05)
    assert model.sample(4, 1, 1.0).shape == (4, 2)
    assert model.sample_ddim(4, 2, label=tn.tensor([0, 1, 2, 0])).shape == (4, 2)


def test_data_from_0_to_1_are_worked_on_from_minus_1_to_1_and_stay_in_their_range():
    network = diffusion.ImageDenoiser((1, 4, 4), 4)
    model = DDPM(network, (1, 4, 4), steps=6, unit=True)
    x = tn.rand((3, 16))
    plain = DDPM(network, (1, 4, 4), steps=6)
    assert model.loss(x, generator=tn.Generator(2))["loss"].tolist() == pytest.approx(
        plain.loss(2 * x - 1, generator=tn.Generator(2))["loss"].tolist())
    for drawn in (model.sample(5), model.sample_ddim(5, 3)):
        assert drawn.shape == (5, 1, 4, 4) and float(drawn.min()) >= 0 and float(drawn.max()) <= 1
        assert not drawn.requires_grad


@pytest.mark.parametrize("make", [
    lambda: diffusion.linear_schedule(0), lambda: diffusion.constant_schedule(5, 1.0), lambda: Process([0.1, -0.1]),
    lambda: diffusion.linear_schedule(5, -1.0), lambda: DDPM(Told(), 2, schedule="quadratic"),
    lambda: DDPM(Told(), 2, variance="none"), lambda: DDPM(Told(), 2, unlabelled=2.0), lambda: diffusion.MLPDenoiser(0),
    lambda: diffusion.ImageDenoiser((1, 5, 4)), lambda: diffusion.ImageDenoiser((1, 4, 4), 6),
    lambda: diffusion.time_features(tn.zeros((2,)), 3), lambda: diffusion.ScoreModel(Told(), 2, low=0.0),
    lambda: diffusion.langevin(lambda x: -x, tn.zeros((2,)), 0.0, 3),
    lambda: diffusion.mala(lambda x: -x, tn.zeros((2,)), 0.1, -1),
    lambda: diffusion.MLPDenoiser(2, 4)(tn.ones((1, 2)), tn.ones((1,)), tn.tensor([0])),
])
def test_bad_settings_are_refused(make):
    with pytest.raises(ValueError):
        make()
