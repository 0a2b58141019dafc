"""Measures against closed forms, naive loops and cases where the answer is plain."""
import numpy as np
import pytest
import scipy.linalg
import scipy.stats

import tinygrad_notes as tn
from tinygrad_notes.models import measures

F64 = {"dtype": "float64"}


def test_bits_of_a_uniform_and_of_a_normal_density():
    assert measures.bits_per_dimension(0.0, 10, 17) == pytest.approx(np.log2(17))
    entropy = 10 * 0.5 * np.log(2 * np.pi * np.e)
    assert measures.bits_per_dimension(entropy, 10) == pytest.approx(np.log2(np.sqrt(2 * np.pi * np.e)))


def test_importance_sampling_reaches_the_evidence_and_its_bound_is_below(rng):
    """x = z + e with a proposal wider than the posterior N(x/2, 1/2)."""
    x = tn.tensor(rng.normal(size=40))
    q = tn.distributions.Normal(0.4 * x, 0.9)
    normal = tn.distributions.Normal(tn.tensor(0.0, **F64), 1.0)

    def draw():
        z = q.sample()
        return normal.log_prob(z) + normal.log_prob(x - z), q.log_prob(z)
    exact = scipy.stats.norm(0, np.sqrt(2)).logpdf(x.numpy())
    np.testing.assert_allclose(measures.importance_log_likelihood(draw, 1500).numpy(), exact, atol=0.12)
    few = np.mean([measures.importance_log_likelihood(draw, 1).numpy() for _ in range(50)], axis=0)
    assert few.mean() < exact.mean()
    assert measures.effective_sample_size(tn.tensor([0.0, -1e9], **F64)).item() == pytest.approx(1)
    weights = rng.normal(size=(30,))
    wanted = np.exp(weights).sum()**2 / np.exp(2 * weights).sum()
    assert measures.effective_sample_size(tn.tensor(weights - 800)).item() == pytest.approx(wanted, rel=1e-9)


@pytest.mark.row("S0-T50")
def test_the_frechet_distance_is_the_closed_form_for_normal_densities(rng):
    A, B = rng.normal(size=(2, 4, 4))
    C1, C2, m1, m2 = A @ A.T, B @ B.T, rng.normal(size=4), rng.normal(size=4)
    wanted = ((m1 - m2)**2).sum() + np.trace(C1 + C2 - 2 * scipy.linalg.sqrtm(C1 @ C2).real)
    found = measures.gaussian_distance(*(tn.tensor(a) for a in (m1, C1, m2, C2)))
    assert found == pytest.approx(wanted, rel=1e-9)
    # Samples with exactly these moments.
    z = rng.normal(size=(50, 4))
    z = (z - z.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T))).T
    x, y = (tn.tensor(z @ np.linalg.cholesky(C).T + m) for C, m in ((C1, m1), (C2, m2)))
    assert measures.frechet_distance(x, y) == pytest.approx(wanted, rel=1e-9)
    assert measures.frechet_distance(x, x) == pytest.approx(0, abs=1e-10)


@pytest.mark.row("S0-T50")
def test_the_inception_score_of_k_sure_classes_is_k_and_of_no_knowledge_1(rng):
    assert measures.inception_score(np.eye(7)) == pytest.approx(7)
    assert measures.inception_score(np.full((5, 7), 1 / 7)) == pytest.approx(1)
    p = rng.dirichlet(np.ones(4), size=30)
    kl = (p * np.log(p / p.mean(0))).sum(1)
    assert measures.inception_score(p) == pytest.approx(np.exp(kl.mean()), rel=1e-12)
    with pytest.raises(ValueError, match="add to 1"):
        measures.inception_score(np.ones((3, 2)))


@pytest.mark.row("S0-T50")
def test_precision_and_recall_of_equal_dropped_and_spread_out_samples(rng):
    x = rng.normal(size=(100, 2))
    assert measures.precision_recall(x, x) == (1.0, 1.0)
    two = np.concatenate([x, x + 50])
    precision, recall = measures.precision_recall(two, x + 0.01)
    assert precision > 0.9 and recall == pytest.approx(0.5, abs=0.05), "half of the data is missed"
    precision, recall = measures.precision_recall(x, two)
    assert precision == pytest.approx(0.5, abs=0.05) and recall == 1.0, "half of the samples are made up"
    real, made, k = rng.normal(size=(20, 3)), rng.normal(size=(15, 3)) + 0.5, 2
    def among(a, b):
        hits = 0
        for point in a:
            for other in b:
                radius = np.sort(np.linalg.norm(b - other, axis=1))[k]
                if np.linalg.norm(point - other) <= radius:
                    hits += 1
                    break
        return hits / len(a)
    assert measures.precision_recall(real, made, k) == (among(made, real), among(real, made))


def test_the_discrepancy_of_two_normal_densities_is_the_closed_form(rng):
    """E exp(-|a - b|^2 / 2h^2) for a - b ~ N(m, s^2 I): (1 + s^2/h^2)^(-D/2) exp(-|m|^2 / (2 (h^2 + s^2)))."""
    x, y, h = tn.tensor(rng.normal(size=(2000, 2))), tn.tensor(1.0 + rng.normal(size=(2000, 2))), 1.3
    wanted = 2 * (1 - np.exp(-2 / (2 * (h**2 + 2)))) / (1 + 2 / h**2)
    assert measures.mmd(x, y, [h]).item() == pytest.approx(wanted, abs=0.04)
    few, other = x[:7], y[:5]
    k = lambda a, b: np.exp(-0.5 * ((a[:, None] - b[None])**2).sum(-1) / h**2)
    kxx, kyy, kxy = (k(a.numpy(), b.numpy()) for a, b in ((few, few), (other, other), (few, other)))
    naive = (kxx.sum() - 7) / 42 + (kyy.sum() - 5) / 20 - 2 * kxy.mean()
    assert measures.mmd(few, other, [h]).item() == pytest.approx(naive, rel=1e-9)
    naive = kxx.mean() + kyy.mean() - 2 * kxy.mean()
    assert measures.mmd(few, other, [h], unbiased=False).item() == pytest.approx(naive, rel=1e-9)
    assert tn.gradcheck(lambda a, b: measures.mmd(a, b, [h]), (few, other)).verdict == "CORRECT"


def test_the_sliced_distance_of_shifted_samples_and_on_a_line(rng):
    x = tn.tensor(rng.normal(size=(300, 3)))
    shift = np.array([1.0, -2.0, 0.5])
    found = measures.sliced_wasserstein(x, x + tn.tensor(shift), 4000).item()
    assert found == pytest.approx(np.linalg.norm(shift) / np.sqrt(3), rel=0.03)
    a, b = rng.normal(size=(50, 1)), 2 * rng.normal(size=(50, 1)) + 1
    wanted = scipy.stats.wasserstein_distance(a[:, 0], b[:, 0])
    assert measures.sliced_wasserstein(a, b, 3, p=1.0).item() == pytest.approx(wanted, rel=1e-6)
    few, other = tn.tensor(rng.normal(size=(2, 6, 2)))
    drawn = lambda a, b: measures.sliced_wasserstein(a, b, 5, generator=tn.Generator(0))
    assert tn.gradcheck(drawn, (few, other)).verdict == "CORRECT"


def test_modes_are_counted_at_their_nearest_center():
    x, y = tn.data.eight_gaussians(800, 0.1, generator=0)
    angle = np.arange(8) * np.pi / 4
    centers = 2 * np.stack([np.cos(angle), np.sin(angle)], 1)
    found = measures.mode_coverage(x, centers.astype("float32"), 0.1)
    assert found.covered == 8 and found.share == pytest.approx(1 - np.exp(-4.5), abs=0.01)
    assert int(found.counts.sum()) == round(found.share * 800)
    dropped = measures.mode_coverage(x.numpy()[y.numpy() < 3], centers.astype("float32"), 0.1, least=50)
    assert dropped.covered == 3 and dropped.counts.tolist()[3:] == [0] * 5


@pytest.mark.same_on_strict
def test_the_judge_of_digits_reads_them_and_knows_noise_when_it_sees_it():
    judge = measures.DigitJudge(epochs=12)
    assert judge.accuracy > 0.94
    train, test = (part.tensors[0] for part in tn.data.digits.load())
    noise = tn.rand((359, 64))
    assert judge.score(test) > 8 > 3 > judge.score(noise)
    assert judge.distance(train[:359], test) * 10 < judge.distance(noise, test)
    good, bad = judge.precision_recall(train[:359], test), judge.precision_recall(train[:359], noise)
    assert min(good) > 0.6 and bad.precision < 0.3
    assert measures.DigitJudge(epochs=12).probabilities(test[:3]).tolist() == judge.probabilities(test[:3]).tolist()


@pytest.mark.parametrize("make", [
    lambda: measures.bits_per_dimension(1.0, 0), lambda: measures.importance_log_likelihood(None, 0),
    lambda: measures.mmd(np.ones((3, 2)), np.ones((3, 1))),
    lambda: measures.frechet_distance(np.ones((1, 2)), np.ones((3, 2))),
    lambda: measures.sliced_wasserstein(np.ones((3, 2)), np.ones((4, 2))),
    lambda: measures.precision_recall(np.ones((3, 2)), np.ones((3, 2)), 3),
    lambda: measures.mode_coverage([1.0], [2.0], 1.0),
])
def test_bad_samples_are_refused(make):
    with pytest.raises(ValueError):
        make()
