"""Densities, distribution functions, quantiles, entropies and moments: against SciPy, and their gradients."""
import numpy as np
import pytest
from scipy import integrate

import tinygrad_notes as tn
from tests.distributions.examples import CONTINUOUS, DISCRETE, EXAMPLES, VECTORS, host

U = np.array([0.03, 0.3, 0.5, 0.77, 0.98])


def each(examples):
    return pytest.mark.parametrize("example", examples, ids=[e.id for e in examples])


def values_of(example):
    """Values in the support."""
    if example.twin is not None and example not in VECTORS:
        return np.unique(example.scipy.ppf(U))
    return host(example.make().sample((5,), generator=tn.Generator(0)).to("float64"))


@each([e for e in CONTINUOUS if e.twin])
def test_continuous_against_scipy(example):
    d, twin = example.make(), example.scipy
    x = twin.ppf(U)
    np.testing.assert_allclose(host(d.log_prob(tn.Tensor(x))), twin.logpdf(x), 1e-10, 1e-12)
    if example.name != "VonMises":
        np.testing.assert_allclose(host(d.cdf(tn.Tensor(x))), U, 1e-9)
    if example.name not in ("VonMises", "StudentT", "FisherSnedecor"):
        np.testing.assert_allclose(host(d.icdf(tn.Tensor(U))), x, 1e-9)


@each([e for e in DISCRETE if e.twin])
def test_discrete_against_scipy(example):
    d, twin = example.make(), example.scipy
    k = np.arange(0.0, min(twin.ppf(0.9999) + 1, 12))
    np.testing.assert_allclose(host(d.log_prob(tn.Tensor(k))), twin.logpmf(k), 1e-10)
    between = np.sort(np.concatenate([[-0.5], k, k + 0.4]))
    np.testing.assert_allclose(host(d.cdf(tn.Tensor(between))), twin.cdf(between), 1e-10)


@each([e for e in [*CONTINUOUS, *DISCRETE] if e.twin])
def test_moments_against_scipy(example):
    d, twin = example.make(), example.scipy
    for letter, name, expected in (("m", "mean", twin.mean), ("v", "variance", twin.var), ("s", "stddev", twin.std)):
        if letter in example.moments:
            np.testing.assert_allclose(host(getattr(d, name)), expected(), 1e-9, err_msg=name)
    if "e" in example.moments:
        np.testing.assert_allclose(host(d.entropy()), twin.entropy(), 1e-9)
        np.testing.assert_allclose(host(d.perplexity()), np.exp(twin.entropy()), 1e-9)


@each([e for e in CONTINUOUS if not e.twin])
def test_densities_on_the_unit_interval_by_quadrature(example):
    d = example.make()
    t = np.linspace(-3.05, 3.05, 611)  # the double exponential rule
    places = 1 / (1 + np.exp(-np.pi * np.sinh(t)))
    weights = np.pi * np.cosh(t) * places / (1 + np.exp(np.pi * np.sinh(t))) * 0.01
    density = weights * np.exp(host(d.log_prob(tn.Tensor(places))))
    mean = (density * places).sum()
    assert density.sum() == pytest.approx(1, rel=1e-9) and d.mean.item() == pytest.approx(mean, rel=1e-9)
    assert d.variance.item() == pytest.approx((density * (places - mean) ** 2).sum(), rel=1e-8)
    assert d.entropy().item() == pytest.approx(-(density * host(d.log_prob(tn.Tensor(places)))).sum(), rel=1e-8)
    x = host(d.icdf(tn.Tensor(U)))
    np.testing.assert_allclose(host(d.cdf(tn.Tensor(x))), U, 1e-12)
    for a, u in zip(x, U):
        part = np.exp(host(d.log_prob(tn.Tensor(a * places))))
        assert (a * weights * part).sum() == pytest.approx(u, rel=1e-9)


@pytest.mark.parametrize("logit", [0.0, 1e-6, -1e-3, 0.29, 0.31, -5.0, 60.0])
def test_continuous_bernoulli_near_and_far_from_one_half(logit):
    """Where the formulas divide by the logit, series take over; both sides agree with quadrature."""
    d = tn.distributions.ContinuousBernoulli(logits=tn.Tensor(np.array(logit), requires_grad=True))
    weight = lambda x: np.exp(logit * (x - (logit > 0)))
    total, first, second = (integrate.quad(lambda x, k=k: weight(x) * x**k, 0, 1, epsabs=1e-13)[0] for k in range(3))
    assert d.mean.item() == pytest.approx(first / total, rel=1e-9)
    assert d.variance.item() == pytest.approx(second / total - (first / total) ** 2, rel=1e-7)
    assert d.log_prob(tn.Tensor(np.array(0.3))).exp().item() == pytest.approx(weight(0.3) / total, rel=1e-9)
    assert d.cdf(d.icdf(tn.Tensor(np.array(0.3)))).item() == pytest.approx(0.3, rel=1e-9)
    slope, = tn.autograd.grad(d.mean, d.logits)  # the mean of an exponential family moves by its variance
    assert slope.item() == pytest.approx(d.variance.item(), rel=1e-7)


@each([e for e in VECTORS if e.twin])
def test_vectors_against_scipy(example):
    d, twin = example.make(), example.scipy
    x = host(d.sample((4,), generator=tn.Generator(1)))
    expected = [(twin.logpmf if example.name == "Multinomial" else twin.logpdf)(row) for row in x]
    np.testing.assert_allclose(host(d.log_prob(tn.Tensor(x))), expected, 1e-9)
    np.testing.assert_allclose(host(d.entropy()), twin.entropy(), 1e-9)
    mean = twin.mean() if callable(twin.mean) else twin.mean
    np.testing.assert_allclose(host(d.mean), mean, 1e-10)
    covariance = twin.cov() if hasattr(twin, "cov") and callable(twin.cov) else getattr(twin, "cov", None)
    if example.name == "Dirichlet":
        np.testing.assert_allclose(host(d.variance), twin.var(), 1e-10)
    else:
        np.testing.assert_allclose(host(d.variance), np.diag(covariance), 1e-10)
    if "Normal" in example.name:
        np.testing.assert_allclose(host(d.covariance_matrix), covariance, 1e-10)
        np.testing.assert_allclose(host(d.precision_matrix), np.linalg.inv(covariance), 1e-10)


@each([e for e in VECTORS if e.name in ("Categorical", "OneHotCategorical", "OneHotCategoricalStraightThrough")])
def test_categories(example):
    d = example.make()
    (name, given), = example.parameters.items()
    p = given / given.sum() if name == "probs" else np.exp(given) / np.exp(given).sum()
    np.testing.assert_allclose(host(d.probs), p, 1e-12)
    np.testing.assert_allclose(host(d.logits), np.log(p), 1e-12)
    np.testing.assert_allclose(host(d.log_prob(d.enumerate_support())), np.log(p), 1e-12)
    np.testing.assert_allclose(host(d.entropy()), -(p * np.log(p)).sum(), 1e-12)
    assert d.mode.tolist() == (np.argmax(p) if example.name == "Categorical" else np.eye(3)[np.argmax(p)].tolist())
    batch = d.expand((2, 4))
    assert batch.enumerate_support().shape[:3] == (3, 2, 4)
    assert batch.enumerate_support(expand=False).shape[:3] == (3, 1, 1)


@each([e for e in EXAMPLES if "Relaxed" in e.name or e.name == "LogisticNormal"])
def test_relaxed_densities_integrate_to_one(example):
    """On the unit interval by quadrature; on the simplex of three in two dimensions."""
    d = example.make()
    if not d.event_shape:
        density = lambda x: np.exp(d.log_prob(tn.Tensor(np.array(x))).item())
        assert integrate.quad(density, 0, 1, epsabs=1e-10)[0] == pytest.approx(1, rel=1e-7)
        return
    a = 1 / (1 + np.exp(-np.linspace(-30, 30, 241)))  # much of the mass of relaxed vectors lies near the corners
    jacobian = 0.25 * a * (1 - a)
    first = np.repeat(a, len(a)).reshape(len(a), -1)
    second = (1 - first) * a[None]
    x = np.stack([first, second, (1 - first) * (1 - a[None])], axis=-1)
    density = np.exp(host(d.log_prob(tn.Tensor(x))))
    assert (density * (1 - first) * jacobian[:, None] * jacobian[None]).sum() == pytest.approx(1, rel=1e-6)


# Gradients -------------------------------------------------------------------------------------------
@each(EXAMPLES)
@pytest.mark.same_on_strict
def test_gradients_of_densities(example):
    """log_prob and entropy in all parameters, log_prob in the value: by finite differences, to second order."""
    x = tn.Tensor(values_of(example)[:2])
    symmetric = {"covariance_matrix", "precision_matrix"}

    def both(*parameters):
        made = [0.5 * (p + p.mT) if name in symmetric else tn.tril(p) if name == "scale_tril" else p
                for name, p in zip(example.parameters, parameters)]
        d = example.make(*made, validate_args=False)
        outputs = [d.log_prob(x)]
        if type(d).entropy is not tn.distributions.Distribution.entropy:
            outputs.append(d.entropy())
        return tuple(outputs)
    parameters = [tn.Tensor(np.asarray(v, dtype="float64")) for v in example.parameters.values()]
    wide = sum(p.size for p in parameters) > 4
    given = {"fast_mode": wide, "directions": 1 if wide else 3, "elements": 1}
    assert tn.gradcheck(both, parameters, **given).verdict == "CORRECT"
    assert tn.gradgradcheck(both, parameters, fast_mode=True, directions=1, elements=1).verdict == "CORRECT"
    if example in CONTINUOUS and example.name != "Uniform":
        d = example.make()
        assert tn.gradcheck(d.log_prob, x).verdict == "CORRECT"


@each([e for e in CONTINUOUS if e.name != "VonMises"])
def test_gradients_of_distribution_functions(example):
    x = tn.Tensor(values_of(example)[[1, 3]])
    parameters = [tn.Tensor(np.asarray(v, dtype="float64")) for v in example.parameters.values()]
    result = tn.gradcheck(lambda x, *parameters: example.make(*parameters, validate_args=False).cdf(x),
                          (x, *parameters))
    assert result.verdict == "CORRECT"
    d = example.make()
    slope, = tn.autograd.grad(d.cdf(x.requires_grad_(True)).sum(), x)
    np.testing.assert_allclose(host(slope), np.exp(host(d.log_prob(x))), 1e-9)


def test_center_of_students_t():
    """At the location the formula of the distribution function has a limit; its slope is the density."""
    df, x = tn.Tensor(np.array(3.0), requires_grad=True), tn.Tensor(np.array(0.5), requires_grad=True)
    d = tn.distributions.StudentT(df, 0.5, 2.0)
    found = tn.autograd.grad(d.cdf(x), [x, df])
    assert d.cdf(x).item() == 0.5 and found[1].item() == 0.0
    assert found[0].item() == pytest.approx(np.exp(d.log_prob(x).item()), rel=1e-12)


def test_tails_and_special_values():
    d = tn.distributions
    t = d.StudentT(tn.tensor([0.5, 1.5, 4.0]))
    assert np.isnan(host(t.mean)[0]) and host(t.mean)[1:].tolist() == [0, 0]
    assert np.isnan(host(t.variance)[0]) and host(t.variance)[1:].tolist() == [np.inf, 2.0]
    assert d.Pareto(1.0, tn.tensor([0.5, 1.5])).mean.tolist() == [np.inf, 3.0]
    assert d.Pareto(1.0, tn.tensor([1.5, 3.0])).variance.tolist() == [np.inf, 0.75]
    assert d.InverseGamma(tn.tensor([0.5, 3.0]), 1.0).mean.tolist() == [np.inf, 0.5]
    assert d.GeneralizedPareto(0.0, 1.0, tn.tensor([0.6, 1.2])).mean.tolist() == pytest.approx([2.5, np.inf])
    assert d.GeneralizedPareto(0.0, 1.0, 0.0).log_prob(tn.tensor(2.0)).item() == -2.0
    assert d.Bernoulli(tn.tensor([0.0, 1.0])).log_prob(tn.tensor([0.0, 1.0])).tolist() == [0, 0]
    assert d.Categorical(tn.tensor([0.0, 1.0])).log_prob(tn.tensor([0, 1])).tolist() == [-np.inf, 0]
    assert d.Categorical(tn.tensor([0.0, 1.0])).entropy().item() == 0
    assert d.Categorical(logits=tn.tensor([-np.inf, 1.0])).entropy().item() == 0
    assert d.Multinomial(3, tn.tensor([0.0, 1.0])).log_prob(tn.tensor([0.0, 3.0])).item() == pytest.approx(0)
    assert d.NegativeBinomial(0.0, 0.5).log_prob(tn.tensor([0.0, 1.0])).tolist() == [0, -np.inf]
    assert d.Uniform(0.0, 2.0, validate_args=False).log_prob(tn.tensor([2.0, -1.0])).tolist() == [-np.inf, -np.inf]


def test_modes():
    """No value nearby has a larger density."""
    for example in [*CONTINUOUS, *DISCRETE]:
        d = example.make(validate_args=False)
        if type(d).mode is tn.distributions.Distribution.mode:
            continue
        mode = d.mode.item()
        if np.isnan(mode) or example.label in ("small", "bowl"):
            continue
        step = 1.0 if example in DISCRETE else 1e-3
        near = tn.Tensor(np.array([mode - step, mode, mode + step]))
        inside = host(d.support.check(near))
        heights = host(d.log_prob(near[tn.Tensor(inside)]))
        assert inside[1] and heights[int(inside[0])] >= heights.max() - 1e-9, example.id
