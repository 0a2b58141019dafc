"""Kullback-Leibler divergences: against quadrature and sums, their gradients, what is infinite, what is refused."""
import itertools

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.distributions.examples import CONTINUOUS, DISCRETE, host
from tinygrad_notes.distributions import kl as table

d = tn.distributions
INSIDE = {"Uniform": [(0.2, 0.9), (-1.0, 2.0)], "Pareto": [(0.1, 2.7), (0.05, 1.4)]}  # the second reaches farther


def distributions():
    """Two of each class, other than one another, by class name."""
    found = {}
    for example in [*CONTINUOUS, *DISCRETE]:
        if example.label:
            continue
        for k in range(2):
            values = [v * (1 + 0.3 * k) if name not in ("probs", "concentration") else v * (1 - 0.2 * k)
                      for name, v in example.parameters.items()]
            values = INSIDE.get(example.name, [values] * 2)[k]
            found.setdefault(example.name, []).append((example, values))
    return found


def tensors(values):
    return [tn.Tensor(np.array(v, dtype="float64")) for v in values]


def entry(p, q):
    """Whether the table has this very pair of classes, or one above."""
    return any(isinstance(p, a) and isinstance(q, b) for a, b in table._TABLE)


PAIRS = [(a, b) for (n, a), (m, b) in itertools.product(distributions().items(), repeat=2)
         if entry(a[0][0].make(), b[1][0].make())]
IDS = [f"{a[0][0].name}-{b[1][0].name}" for a, b in PAIRS]


T = np.linspace(-3.0, 3.0, 481)  # up to 1e-14 from the ends
U, REST = 1 / (1 + np.exp(-np.pi * np.sinh(T))), 1 / (1 + np.exp(np.pi * np.sinh(T)))
WEIGHTS = np.pi * np.cosh(T) * U * REST * (T[1] - T[0])


def quantiles(example, values):
    """Where the distribution function is U, exact in both tails."""
    if example.twin is None:
        return host(example.make(*tensors(values)).icdf(tn.Tensor(U)))
    twin = example.twin(**dict(zip(example.parameters, values)))
    return np.where(U < 0.5, twin.ppf(U), twin.isf(REST))


def by_definition(p, q, example, values):
    """A sum over counts, or an integral over the probability under p by the double exponential rule."""
    if example in DISCRETE:
        x = np.arange(200.0) if example.name not in ("Bernoulli", "Binomial") else host(p.enumerate_support())
        a, b = (host(each.log_prob(tn.Tensor(x.reshape(-1)))) for each in (p, q))
        return (np.exp(a) * np.where(np.isneginf(a), 0, a - b)).sum()
    x = tn.Tensor(quantiles(example, values))
    return (WEIGHTS * host(p.log_prob(x) - q.log_prob(x))).sum()


@pytest.mark.parametrize("a, b", PAIRS, ids=IDS)
def test_closed_form(a, b):
    """By definition, and its gradient in all parameters by finite differences."""
    (example_p, values_p), (example_q, values_q) = a[0], b[1]
    ps, qs = tensors(values_p), tensors(values_q)
    more = {"validate_args": False}
    p, q = example_p.make(*ps, **more), example_q.make(*qs, **more)
    found = d.kl_divergence(p, q)
    assert found.shape == () and found.dtype == "float64"
    if np.isinf(found.item()):
        x = np.arange(9.0) if example_p in DISCRETE else quantiles(example_p, values_p)
        assert not host(q.support.check(tn.Tensor(x))).all(), "infinite, though q has mass wherever p has"
        return
    kink = "Laplace" in (example_p.name, example_q.name)
    tolerance = {"rel": 3e-3, "abs": 1e-4} if kink else {"rel": 1e-6, "abs": 1e-7}
    assert found.item() == pytest.approx(by_definition(p, q, example_p, values_p), **tolerance)
    n = len(ps)
    result = tn.gradcheck(lambda *v: d.kl_divergence(example_p.make(*v[:n], **more), example_q.make(*v[n:], **more)),
                          (*ps, *qs))
    assert result.verdict == "CORRECT"


@pytest.mark.row("S0-37")
def test_numbers_of_the_notes():
    kl = d.kl_divergence
    assert kl(d.Normal(0.0, 1.0), d.Normal(1.0, 2.0)).item() == pytest.approx(0.443147, abs=1e-6)
    assert kl(d.Normal(1.0, 2.0), d.Normal(0.0, 1.0)).item() == pytest.approx(1.306853, abs=1e-6)
    assert kl(d.Normal(0.0, 1.0), d.Normal(1.0, 1.0)).item() == pytest.approx(0.5, abs=1e-7)


def divergence(p, q):
    return (p * np.log(p / q)).sum(-1)


def test_over_categories():
    p, q = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]]), np.array([0.4, 0.4, 0.2])
    for make in (d.Categorical, d.OneHotCategorical, lambda **given: d.Multinomial(4, **given)):
        factor = 4 if isinstance(make(probs=tn.Tensor(p)), d.Multinomial) else 1
        for one, other in (({"probs": tn.Tensor(p)}, {"logits": tn.Tensor(np.log(q))}),
                           ({"logits": tn.Tensor(np.log(p))}, {"probs": tn.Tensor(q)})):
            np.testing.assert_allclose(host(d.kl_divergence(make(**one), make(**other))), factor * divergence(p, q))
    zero = d.Categorical(tn.tensor([0.0, 1.0]))
    half = d.Categorical(tn.tensor([0.5, 0.5]))
    assert d.kl_divergence(zero, half).item() == pytest.approx(np.log(2))
    assert d.kl_divergence(half, zero).item() == np.inf


def test_of_vectors():
    """Between normal distributions by the textbook formula; between Dirichlet ones by an average."""
    rng = np.random.default_rng(0)
    loc, spread = rng.standard_normal((2, 3)), [a @ a.T + np.eye(3) for a in rng.standard_normal((2, 3, 3))]
    inverse = np.linalg.inv(spread[1])
    apart = loc[1] - loc[0]
    expected = 0.5 * (np.trace(inverse @ spread[0]) + apart @ inverse @ apart - 3
                      + np.linalg.slogdet(spread[1])[1] - np.linalg.slogdet(spread[0])[1])
    p, q = (d.MultivariateNormal(tn.Tensor(m), tn.Tensor(c)) for m, c in zip(loc, spread))
    assert d.kl_divergence(p, q).item() == pytest.approx(expected, rel=1e-10)
    factor, diagonal = rng.standard_normal((3, 1)), rng.uniform(0.5, 1, 3)
    low = d.LowRankMultivariateNormal(tn.Tensor(loc[0]), tn.Tensor(factor), tn.Tensor(diagonal))
    full = d.MultivariateNormal(tn.Tensor(loc[0]), tn.Tensor(factor @ factor.T + np.diag(diagonal)))
    for one, other in ((low, q), (q, low), (low, low)):
        swap = lambda x: full if x is low else x
        assert d.kl_divergence(one, other).item() == pytest.approx(d.kl_divergence(swap(one), swap(other)).item(),
                                                                   rel=1e-9, abs=1e-12)
    wide = d.kl_divergence(p.expand((4,)), q)
    assert wide.shape == (4,)
    p, q = d.Dirichlet(tn.Tensor(np.array([0.7, 2.0, 3.0]))), d.Dirichlet(tn.Tensor(np.array([1.5, 1.0, 2.0])))
    x = p.sample((100_000,), generator=tn.Generator(0))
    drawn = host(p.log_prob(x) - q.log_prob(x))
    assert abs(drawn.mean() - d.kl_divergence(p, q).item()) < 4 * drawn.std() / 100_000**0.5


def test_made_of_others():
    n = lambda loc: d.Normal(tn.tensor([loc, loc + 1]), tn.tensor([1.0, 2.0]))
    each = d.kl_divergence(n(0.0), n(0.5))
    total = d.kl_divergence(d.Independent(n(0.0), 1), d.Independent(n(0.5), 1))
    assert total.shape == () and total.item() == pytest.approx(each.sum().item())
    log = d.kl_divergence(d.LogNormal(n(0.0).loc, n(0.0).scale), d.LogNormal(n(0.5).loc, n(0.5).scale))
    np.testing.assert_allclose(host(log), host(each), 1e-6)
    with pytest.raises(NotImplementedError, match="equal transforms"):
        d.kl_divergence(d.LogNormal(0.0, 1.0), d.TransformedDistribution(d.Normal(0.0, 1.0), d.TanhTransform()))
    with pytest.raises(NotImplementedError, match="reinterpreted_batch_ndims"):
        d.kl_divergence(d.Independent(n(0.0), 1), d.Independent(n(0.5), 0))


def test_table():
    class Mine(d.Normal):
        pass

    try:
        d.register_kl(Mine, d.Normal)(lambda p, q: tn.tensor(7.0))
        assert d.kl_divergence(Mine(0.0, 1.0), Mine(0.0, 1.0)).item() == 7.0
        assert d.kl_divergence(d.Normal(0.0, 1.0), Mine(0.0, 1.0)).item() == 0.0
    finally:
        del table._TABLE[Mine, d.Normal]
    with pytest.raises(NotImplementedError, match="Poisson.*Normal"):
        d.kl_divergence(d.Poisson(1.0), d.Normal(0.0, 1.0))
    with pytest.raises(TypeError, match="classes of distributions"):
        d.register_kl(int, d.Normal)
    with pytest.raises(NotImplementedError, match="second total_count"):
        d.kl_divergence(d.Binomial(3, 0.5), d.Binomial(4, 0.5))
    assert d.kl_divergence(d.Binomial(4, 0.5), d.Binomial(3, 0.5)).item() == np.inf
