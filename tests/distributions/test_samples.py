"""Draws: their distribution, their seeds, and how they move with the parameters."""
import numpy as np
import pytest
from scipy import stats

import tinygrad_notes as tn
from tests.distributions.examples import CONTINUOUS, DISCRETE, EXAMPLES, VECTORS, host

N = 4000


def each(examples):
    return pytest.mark.parametrize("example", examples, ids=[e.id for e in examples])


def batch(example, n, requires_grad=False):
    """The parameters, n times."""
    wide = [np.broadcast_to(np.asarray(v, dtype="float64"), (n, *np.shape(v))).copy()
            for v in example.parameters.values()]
    return [tn.Tensor(v, requires_grad=requires_grad) for v in wide]


@each(CONTINUOUS)
@pytest.mark.same_on_strict
def test_continuous_draws_have_their_distribution(example):
    """Kolmogorov-Smirnov, 4000 draws: a distribution function that is off by 0.03 would be found."""
    d = example.make()
    x = host(d.sample((N,), generator=tn.Generator(0)))
    cdf = example.scipy.cdf if example.name == "VonMises" else lambda x: host(d.cdf(tn.Tensor(x)))
    assert x.shape == (N,) and stats.kstest(x, cdf).pvalue > 1e-3


@each(DISCRETE)
@pytest.mark.same_on_strict
def test_discrete_draws_have_their_distribution(example):
    """Chi-squared over all values that are expected at least 20 times."""
    d = example.make()
    x = host(d.sample((N,), generator=tn.Generator(0)))
    assert np.all(x == np.round(x)) and x.min() >= 0
    expected = N * np.exp(host(d.log_prob(tn.Tensor(np.arange(x.max() + 1)))) if example.name != "Binomial" else
                          host(d.log_prob(d.enumerate_support())))
    seen = np.bincount(x.astype(int), minlength=len(expected))
    common = expected > 20
    assert seen[~common].sum() < 200 and expected[~common].sum() < 200
    scale = seen[common].sum() / expected[common].sum()
    assert stats.chisquare(seen[common], expected[common] * scale).pvalue > 1e-3


@each([e for e in VECTORS if "Relaxed" not in e.name and e.name not in ("Categorical", "LogisticNormal")])
@pytest.mark.same_on_strict
def test_vectors_have_their_moments(example):
    d = example.make()
    x = host(d.sample((N,), generator=tn.Generator(0)))
    error = np.sqrt(host(d.variance) / N)
    assert np.all(np.abs(x.mean(axis=0) - host(d.mean)) < 4.5 * error)
    assert np.all(np.abs(x.var(axis=0) / host(d.variance) - 1) < 5 * np.sqrt(4 / N))
    if "Normal" in example.name:
        apart = np.cov(x.T) - host(d.covariance_matrix)
        assert np.all(np.abs(apart) < 5 * np.sqrt(2 / N) * host(d.variance).max())


def test_categories_come_as_often_as_they_should():
    p = np.array([[0.2, 0.5, 0.3], [0.0, 0.1, 0.9]])
    x = host(tn.distributions.Categorical(tn.Tensor(p)).sample((N,), generator=tn.Generator(0)))
    seen = np.stack([(x == k).mean(axis=0) for k in range(3)], axis=-1)
    assert np.all(np.abs(seen - p) <= 4.5 * np.sqrt(p * (1 - p) / N))


@each([e for e in VECTORS if e.name.startswith("Relaxed") or e.name == "LogisticNormal"])
def test_relaxed_draws(example):
    """A function of the draws has the mean that its integral under the density has, by importance from Dirichlet."""
    d = example.make()
    x = d.sample((N,), generator=tn.Generator(0))
    k = d.event_shape[0] if d.event_shape else 2
    other = tn.distributions.Dirichlet(tn.full((k,), 0.8, dtype="float64"))
    y = other.sample((4 * N,), generator=tn.Generator(1))
    if not d.event_shape:
        weight = (d.log_prob(y[:, 0]) - other.log_prob(y)).exp()
        first, second = x, y[:, 0]
    else:
        weight = (d.log_prob(y) - other.log_prob(y)).exp()
        first, second = x[:, 0], y[:, 0]
    terms = host(weight * second)
    error = np.hypot(host(first).std() / N**0.5, terms.std() / (4 * N) ** 0.5)
    assert abs(host(first).mean() - terms.mean()) < 4.5 * error and error < 0.02


@pytest.mark.same_on_strict
def test_mixtures():
    d = tn.distributions
    p, loc, scale = np.array([0.2, 0.8]), np.array([-1.0, 2.0]), np.array([0.5, 1.0])
    mixture = d.MixtureSameFamily(d.Categorical(tn.Tensor(p)), d.Normal(tn.Tensor(loc), tn.Tensor(scale)))
    x = np.linspace(-3, 4, 9)
    np.testing.assert_allclose(host(mixture.log_prob(tn.Tensor(x))),
                               np.log((p * stats.norm(loc, scale).pdf(x[:, None])).sum(1)), 1e-12)
    np.testing.assert_allclose(host(mixture.cdf(tn.Tensor(x))), (p * stats.norm(loc, scale).cdf(x[:, None])).sum(1))
    mean = (p * loc).sum()
    assert mixture.mean.item() == pytest.approx(mean)
    assert mixture.variance.item() == pytest.approx((p * (scale**2 + loc**2)).sum() - mean**2)
    drawn = host(mixture.sample((N,), generator=tn.Generator(0)))
    assert stats.kstest(drawn, lambda x: host(mixture.cdf(tn.Tensor(x)))).pvalue > 1e-3
    vectors = d.MixtureSameFamily(d.Categorical(tn.ones((2, 3))),
                                  d.Independent(d.Normal(tn.zeros((2, 3, 4)), tn.ones((2, 3, 4))), 1))
    x = vectors.sample((5,))
    assert x.shape == (5, 2, 4) and vectors.log_prob(x).shape == (5, 2) and vectors.mean.shape == (2, 4)
    assert vectors.expand((7, 2)).log_prob(x[:, None].expand(5, 7, 2, 4)).shape == (5, 7, 2)
    with pytest.raises(ValueError, match=r"\(\.\.\., 3\).*\(2,\)"):
        d.MixtureSameFamily(d.Categorical(tn.ones(3)), d.Normal(tn.zeros(2), 1.0))


# Shapes and seeds --------------------------------------------------------------------------------------
@each(EXAMPLES)
def test_shapes_seeds_and_devices(example):
    parameters = [tn.Tensor(np.asarray(v, dtype="float32")) for v in example.parameters.values()]
    d = example.make(*parameters)
    shape = (3, 2) + d.batch_shape + d.event_shape
    a, b = (d.sample((3, 2), generator=tn.Generator(7)) for _ in range(2))
    assert a.shape == shape and a.tolist() == b.tolist() and not a.requires_grad
    assert a.dtype == ("int64" if example.name == "Categorical" else "float32")
    assert d.sample((0,)).shape == (0, *shape[2:]) and d.sample().shape == shape[2:]
    wide = d.expand((4, *d.batch_shape))
    assert wide.sample((2,)).shape == (2, 4) + d.batch_shape + d.event_shape
    assert wide.log_prob(a[0, 0]).shape == (4, *d.batch_shape)
    tn.manual_seed(5)
    first = d.sample((2,))
    tn.manual_seed(5)
    assert first.tolist() == d.sample((2,)).tolist() != d.sample((2,)).tolist() or example in DISCRETE + VECTORS
    found = {}
    for device in ("cpu", "strict"):
        with tn.as_device(device):
            there = example.make(*[tn.Tensor(np.asarray(v, dtype="float32")) for v in example.parameters.values()])
            x = there.sample((3, 2), generator=tn.Generator(7))
            assert x.device == device
            found[device] = x.tolist(), there.log_prob(x).tolist()
    np.testing.assert_allclose(found["cpu"][0], found["strict"][0], 0)
    np.testing.assert_allclose(found["cpu"][1], found["strict"][1], 1e-6)


@each(EXAMPLES)
def test_a_distribution_may_be_used_again(example):
    """It keeps its parameters and no graph: two losses of one object are two backward passes."""
    leaves = [tn.Tensor(np.asarray(v, dtype="float64"), requires_grad=True) for v in example.parameters.values()]
    d = example.make(*leaves).expand((2,))
    x = d.sample(generator=tn.Generator(0))
    for _ in range(2):
        d.log_prob(x).sum().backward()
    again, = tn.autograd.grad(d.log_prob(x).sum(), leaves[:1])
    np.testing.assert_allclose(host(leaves[0].grad), 2 * host(again), 1e-12)


# How draws move ----------------------------------------------------------------------------------------------
QUANTILES = [e for e in CONTINUOUS if e.twin and e.make().has_rsample and e.name not in ("StudentT", "FisherSnedecor")]


@each(QUANTILES)
def test_draws_move_along_their_quantiles(example):
    """dx/dtheta of a draw is the derivative of SciPy's quantile function at the same probability."""
    leaves = batch(example, 12, requires_grad=True)
    x = example.make(*leaves).rsample(generator=tn.Generator(3))
    x.sum().backward()
    u = example.scipy.cdf(host(x))
    for leaf, (name, value) in zip(leaves, example.parameters.items()):
        h = 1e-4 * max(1.0, abs(value))
        q = [example.twin(**{**example.parameters, name: value + k * h}).ppf(u) for k in (-2, -1, 1, 2)]
        expected = (q[0] - 8 * q[1] + 8 * q[2] - q[3]) / (12 * h)
        fine = (u > 1e-9) & (u < 1 - 1e-9)
        np.testing.assert_allclose(host(leaf.grad)[fine], expected[fine], 1e-5, 1e-7, err_msg=name)


@each([e for e in EXAMPLES if e.make().has_rsample and e not in QUANTILES])
@pytest.mark.same_on_strict
def test_mean_gradient_of_draws(example):
    """The gradient of E f(x), by moving draws and by the score function, agree within their errors."""
    if example.name == "OneHotCategoricalStraightThrough":
        return  # biased by design
    n = 3000
    f = (lambda x: (x * x * 0.3 + x).sum(-1)) if example.make().event_shape else lambda x: (x * 0.4).tanh()
    grads = []
    for moving in (True, False):
        leaves = batch(example, n, requires_grad=True)
        d = example.make(*leaves, validate_args=False)
        if moving:
            total = f(d.rsample(generator=tn.Generator(4)))
        else:
            x = d.sample(generator=tn.Generator(5)).detach()
            center = f(x).mean()
            total = tn.distributions.score_estimator(f, d, baseline=center, generator=tn.Generator(5))
        grads.append([host(g).reshape(n, -1) for g in tn.autograd.grad(total.sum(), leaves)])
    for a, b, leaf in zip(*grads, example.parameters):
        if leaf in ("covariance_matrix", "scale_tril", "precision_matrix"):
            a, b = a[:, [0, 3]], b[:, [0, 3]]
        error = np.sqrt(a.var(axis=0) / n + b.var(axis=0) / n)
        apart = np.abs(a.mean(axis=0) - b.mean(axis=0))
        assert np.all(apart < 4.5 * error + 1e-12), (leaf, apart, error)


def test_straight_through():
    p = tn.Tensor(np.array([0.2, 0.5, 0.3]), requires_grad=True)
    d = tn.distributions.OneHotCategoricalStraightThrough(p)
    x = d.rsample((5,), generator=tn.Generator(0))
    assert np.all(np.isin(np.round(host(x), 12), (0, 1))) and np.all(np.round(host(x).sum(-1), 12) == 1)
    w = tn.Tensor(np.array([1.0, 2.0, -1.0]))
    g, = tn.autograd.grad((x * w).sum(), p)
    expected, = tn.autograd.grad(5 * (d.probs * w).sum(), p)
    np.testing.assert_allclose(host(g), host(expected), 1e-12)


# The notes ---------------------------------------------------------------------------------------------------
def exact(phi):
    """E f for f = x^2 + sin x, x ~ N(phi^3, e^phi): m^2 + s^2 + sin(m) e^(-s^2/2)."""
    m, s = phi**3, tn.exp(phi)
    return m * m + s * s + tn.sin(m) * tn.exp(-s * s / 2)


@pytest.mark.row("S1-18")
def test_reparameterization():
    """Understanding Deep Learning, notebook 17.2: the expectation and its derivative, with the error of the mean."""
    for phi, value in ((0.5, 2.7659334), (-0.1, 0.8180677)):
        assert exact(tn.Tensor(np.array(phi))).item() == pytest.approx(value, abs=1e-7)
    slope = tn.grad(exact)(tn.Tensor(np.array(0.5))).item()
    assert slope == pytest.approx(5.7281641, abs=1e-7)
    n = 100_000
    leaf = tn.Tensor(np.full(n, 0.5), requires_grad=True)
    x = tn.distributions.Normal(leaf**3, tn.exp(leaf)).rsample(generator=tn.Generator(0))
    y = x * x + tn.sin(x)
    g, = tn.autograd.grad(y.sum(), leaf)
    for drawn, expected in ((host(y), 2.7659334), (host(g), slope)):
        assert abs(drawn.mean() - expected) < 4 * drawn.std() / n**0.5


@pytest.mark.row("S0-T66")
@pytest.mark.row("S1-18")
@pytest.mark.same_on_strict
def test_score_function_varies_more_than_reparameterization():
    """Both estimate the same derivative; at phi = 0.3 their variances per draw are 248.6 and 25.8."""
    n, phi = 200_000, 0.3
    f = lambda x: x * x + tn.sin(x)
    found = []
    for moving in (True, False):
        leaf = tn.Tensor(np.full(n, phi), requires_grad=True)
        d = tn.distributions.Normal(leaf**3, tn.exp(leaf))
        y = f(d.rsample(generator=tn.Generator(1))) if moving else \
            tn.distributions.score_estimator(f, d, generator=tn.Generator(2))
        found.append(host(tn.autograd.grad(y.sum(), leaf)[0]))
    slope = tn.grad(exact)(tn.Tensor(np.array(phi))).item()
    for g, variance in zip(found, (25.8, 248.6)):
        assert abs(g.mean() - slope) < 4 * (variance / n) ** 0.5
        assert g.var() == pytest.approx(variance, rel=0.04)
    assert found[1].var() / found[0].var() == pytest.approx(9.6, rel=0.06)


def test_score_estimator_of_discrete_draws():
    """E x^2 of a binomial variable moves with p as n + 2 n (n - 1) p; a baseline changes the variance, not the mean."""
    n, p, draws = 5, 0.3, 20000
    spread = []
    for baseline in (0.0, 3.0):
        leaf = tn.Tensor(np.full(draws, p), requires_grad=True)
        d = tn.distributions.Binomial(n, leaf)
        y = tn.distributions.score_estimator(lambda x: x * x, d, baseline=baseline, generator=tn.Generator(0))
        g = host(tn.autograd.grad(y.sum(), leaf)[0])
        assert abs(g.mean() - (n + 2 * n * (n - 1) * p)) < 4 * g.std() / draws**0.5
        spread.append(g.var())
    assert spread[1] < spread[0]
    with pytest.raises(ValueError, match=r"one number per draw"):
        tn.distributions.score_estimator(lambda x: x.sum(), tn.distributions.Bernoulli(tn.tensor([0.5, 0.5])))
