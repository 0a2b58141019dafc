"""Transforms: volumes against the Jacobian, inverses, shapes, what is made of others."""
import math

import numpy as np
import pytest
from scipy import integrate

import tinygrad_notes as tn
from tests.distributions.examples import host

d = tn.distributions
RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape)


CASES = [
    (d.ExpTransform(), normal(3)), (d.PowerTransform(1.7), RNG.uniform(0.5, 2, 3)),
    (d.PowerTransform(tn.tensor([-0.5, 2.0, 3.0], dtype="float64")), RNG.uniform(0.5, 2, 3)),
    (d.SigmoidTransform(), normal(3)), (d.SoftplusTransform(), normal(3)), (d.TanhTransform(), normal(3)),
    (d.AffineTransform(1.0, -2.0), normal(3)),
    (d.AffineTransform(1.0, tn.Tensor(np.array([2.0, 3.0, 0.5]))), normal(3)),
    (d.CumulativeDistributionTransform(d.Normal(tn.Tensor(np.array(0.5)), 2.0)), normal(3)),
    (d.ComposeTransform([d.AffineTransform(0.5, 2.0), d.TanhTransform(), d.AffineTransform(1.0, 3.0)]), normal(3)),
    (d.StickBreakingTransform(), normal(3)), (d.CorrCholeskyTransform(), normal(6)),
    (d.IndependentTransform(d.ExpTransform(), 1), normal(3)),
    (d.ComposeTransform([d.ExpTransform(), d.StickBreakingTransform()]), normal(3)),
    (d.ReshapeTransform((4,), (2, 2)), normal(4)),
    (d.CatTransform([d.ExpTransform(), d.identity_transform, d.TanhTransform()], lengths=[1, 2, 1]), normal(4)),
    (d.StackTransform([d.ExpTransform(), d.SigmoidTransform(), d.identity_transform]), normal(3)),
]
CASES += [(t.inv, host(t(tn.Tensor(x)))) for t, x in CASES[:6]]


@pytest.mark.parametrize("transform, x", CASES, ids=[f"{k}-{type(c[0]).__name__}" for k, c in enumerate(CASES)])
def test_volume_is_that_of_the_jacobian(transform, x):
    x = tn.Tensor(x)
    y = transform(x)
    back = transform.inv(y)
    np.testing.assert_allclose(host(back), host(x), 1e-6, 1e-9)
    assert host(transform.codomain.check(y)).all() and transform.forward_shape(x.shape) == y.shape
    assert transform.inverse_shape(y.shape) == x.shape and transform.inv.inv == transform
    flat = lambda v: transform(v).reshape(-1)
    jacobian = host(tn.jacobian(flat)(x)).reshape(y.size, x.size)
    if isinstance(transform, d.StickBreakingTransform) or isinstance(transform, d.ComposeTransform) and y.size > x.size:
        jacobian = jacobian[:-1]  # the last share is one minus the others
    if isinstance(transform, d.CorrCholeskyTransform):
        jacobian = jacobian.reshape(*y.shape, x.size)[np.tril_indices(y.shape[0], -1)]
    logs = host(transform.log_abs_det_jacobian(x, y))
    assert logs.shape == x.shape[:1 - transform.domain.event_dim]
    np.testing.assert_allclose(logs.sum(), np.linalg.slogdet(jacobian)[1], 1e-9, 1e-10)
    assert tn.gradcheck(lambda v: transform.log_abs_det_jacobian(v, transform(v)), x).verdict == "CORRECT"


def test_far_values():
    """No volume overflows or loses its tail."""
    x = tn.Tensor(np.array([-800.0, -40.0, 40.0, 800.0]))
    for transform, expected in ((d.SigmoidTransform(), -np.abs(host(x))), (d.SoftplusTransform(), [-800, -40, 0, 0]),
                                (d.TanhTransform(), 2 * (math.log(2) - np.abs(host(x))))):
        np.testing.assert_allclose(host(transform.log_abs_det_jacobian(x, transform(x))), expected, 1e-12, 1e-12)
    y = d.StickBreakingTransform()(tn.Tensor(np.array([50.0, -50.0, 0.0])))
    assert (y > 0).all().item() and y.sum().item() == pytest.approx(1)


def test_cache():
    """The last pair is remembered: inverting what was computed is exact."""
    x = tn.Tensor(np.array([30.0]))
    plain, cached = d.TanhTransform(), d.TanhTransform(cache_size=1)
    with np.errstate(divide="ignore"):
        assert plain.inv(plain(x)).item() != 30.0
    assert cached.inv(cached(x)) is x and cached.with_cache(0)._cache_size == 0
    assert d.ComposeTransform([d.TanhTransform()], cache_size=1).parts[0]._cache_size == 1
    with pytest.raises(ValueError, match="cache_size.*0 or 1.*2"):
        d.ExpTransform(cache_size=2)


def test_equality():
    assert d.ExpTransform() == d.ExpTransform() != d.TanhTransform()
    assert d.AffineTransform(0.0, 1.0) == d.AffineTransform(0.0, 1.0) != d.AffineTransform(0.0, 2.0)
    assert d.AffineTransform(tn.tensor([1.0]), 1.0) == d.AffineTransform(tn.tensor([1.0]), 1.0)
    assert d.ComposeTransform([d.ExpTransform()]) == d.ComposeTransform([d.ExpTransform()])
    assert d.ExpTransform().inv == d.ExpTransform().inv
    assert repr(d.AffineTransform(0.0, 2.0)) == "AffineTransform(loc=0.0, scale=2.0)"


def test_matrices():
    x = tn.Tensor(normal(2, 3, 3))
    root = d.LowerCholeskyTransform()(x)
    assert host(d.constraints.lower_cholesky.check(root)).all()
    np.testing.assert_allclose(host(d.LowerCholeskyTransform().inv(root)), np.tril(host(x)), 1e-9)
    whole = d.PositiveDefiniteTransform()(x)
    assert host(d.constraints.positive_definite.check(whole)).all()
    np.testing.assert_allclose(host(d.PositiveDefiniteTransform().inv(whole)), np.tril(host(x)), 1e-7)
    corr = d.CorrCholeskyTransform()(tn.Tensor(normal(2, 6)))
    assert host(d.constraints.corr_cholesky.check(corr)).all()
    np.testing.assert_allclose(np.diagonal(host(corr @ corr.mT), axis1=-2, axis2=-1), 1, 1e-12)


def test_transformed_distributions_against_quadrature():
    """A logistic variable from a uniform one, a falling transform, and one with an axis of events."""
    logistic = d.TransformedDistribution(d.Uniform(0.0, 1.0), [d.SigmoidTransform().inv, d.AffineTransform(0.5, 2.0)])
    z = np.linspace(-4, 5, 7)
    s = 1 / (1 + np.exp(-(z - 0.5) / 2))
    np.testing.assert_allclose(host(logistic.log_prob(tn.Tensor(z))), np.log(s * (1 - s) / 2), 1e-9)
    np.testing.assert_allclose(host(logistic.cdf(tn.Tensor(z))), s, 1e-9)
    np.testing.assert_allclose(host(logistic.icdf(tn.Tensor(s))), z, 1e-8)
    falling = d.TransformedDistribution(d.Gamma(2.0, 1.0), [d.AffineTransform(1.0, -2.0)])
    assert falling.cdf(tn.tensor(0.0)).item() == pytest.approx(1 - d.Gamma(2.0, 1.0).cdf(tn.tensor(0.5)).item(), 1e-5)
    assert falling.icdf(falling.cdf(tn.tensor(0.0))).item() == pytest.approx(0.0, abs=1e-5)
    total = integrate.quad(lambda x: math.exp(falling.log_prob(tn.tensor(x)).item()), -60, 1)[0]
    assert total == pytest.approx(1, rel=1e-5)
    stick = d.TransformedDistribution(d.Normal(tn.zeros((5, 3)), 1.0), d.StickBreakingTransform())
    assert stick.batch_shape == (5,) and stick.event_shape == (4,)
    x = stick.rsample((2,))
    assert x.shape == (2, 5, 4) and stick.log_prob(x).shape == (2, 5)
    assert stick.expand((7, 5)).log_prob(x[0]).shape == (7, 5)
    wide = d.TransformedDistribution(d.Normal(0.0, 1.0), d.AffineTransform(tn.zeros(3), 1.0))
    assert wide.batch_shape == (3,) and wide.sample().shape == (3,)
    assert d.TransformedDistribution(d.Normal(0.0, 1.0), []).log_prob(0.0).item() == pytest.approx(-0.9189385)


@pytest.mark.parametrize("constraint", ["real", "positive", "nonnegative", "unit_interval", "simplex", "real_vector",
                                        "lower_cholesky", "positive_definite", "corr_cholesky"])
def test_onto_constraints(constraint):
    c = getattr(d.constraints, constraint)
    shape = {1: (4, 3), 2: (4, 3, 3)}.get(c.event_dim, (4,)) if constraint != "corr_cholesky" else (4, 3)
    x = tn.Tensor(normal(*shape))
    y = d.transform_to(c)(x)
    assert host(c.check(y)).all()
    if constraint not in ("lower_cholesky", "positive_definite"):
        onto = d.biject_to(c)
        assert onto.bijective
        np.testing.assert_allclose(host(onto.inv(onto(x))), host(x), 1e-7, 1e-9)


def test_onto_limits():
    c = d.constraints
    x = tn.Tensor(normal(50) * 5)
    for constraint in (c.greater_than(2.0), c.less_than(-1.0), c.interval(1.0, 3.0), c.half_open_interval(0.0, 3.0),
                       c.greater_than_eq(tn.Tensor(normal(50))), c.independent(c.positive, 1),
                       c.cat([c.positive, c.real], lengths=[20, 30]), c.stack([c.positive] * 50)):
        assert host(constraint.check(d.transform_to(constraint)(x))).all()
        np.testing.assert_allclose(host(d.biject_to(constraint).inv(d.biject_to(constraint)(x))), host(x), 1e-6, 1e-6)
    with pytest.raises(NotImplementedError, match="whole numbers"):
        d.transform_to(c.nonnegative_integer)
    with pytest.raises(TypeError, match="Constraint"):
        d.transform_to.register(3, None)


@pytest.mark.parametrize("make, words", [
    (lambda: d.ReshapeTransform((3,), (2, 2)), "different numbers of elements"),
    (lambda: d.CorrCholeskyTransform()(tn.zeros(4)), r"D \(D - 1\) / 2.*4"),
    (lambda: d.CatTransform([d.ExpTransform()], lengths=[2])(tn.zeros(3)), r"expected 2 elements.*\(3,\)"),
    (lambda: d.StackTransform([d.ExpTransform()])(tn.zeros(3)), r"expected 1 layers.*\(3,\)"),
    (lambda: d.TransformedDistribution(d.Normal(0.0, 1.0), [3]), "Transforms"),
    (lambda: d.TransformedDistribution(d.Normal(0.0, 1.0), d.StickBreakingTransform()), "at least 1 axes"),
    (lambda: d.ReshapeTransform((4,), (2, 2)).event_dim, "events of 1 axes.*2"),
], ids=range(7))
def test_errors(make, words):
    with pytest.raises(ValueError, match=words):
        make()
