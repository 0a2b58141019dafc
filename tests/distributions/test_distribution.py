"""What all distributions share: checks of parameters and values, shapes, what is refused."""
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.distributions.examples import host

d = tn.distributions
c = d.constraints

BAD = [
    (lambda: d.Normal(0.0, tn.tensor([1.0, -1.0])), r"Normal: scale: expected numbers > 0, got -1\.0"),
    (lambda: d.Normal(float("nan"), 1.0), "Normal: loc.*not nan, got nan"),
    (lambda: d.Normal(tn.zeros(2), tn.ones(3)), r"loc \(2,\), scale \(3,\) do not broadcast"),
    (lambda: d.Uniform(1.0, 1.0), "Uniform: high, less low: expected numbers > 0, got 0"),
    (lambda: d.Bernoulli(1.5), r"Bernoulli: probs: expected numbers in \[0, 1\], got 1.5"),
    (lambda: d.Bernoulli(), "exactly one of probs and logits, got neither"),
    (lambda: d.Bernoulli(0.5, 0.0), "exactly one of probs and logits, got both"),
    (lambda: d.Binomial(1.5, 0.5), "total_count: expected whole numbers >= 0, got 1.5"),
    (lambda: d.Geometric(0.0), "Geometric: probs: expected numbers > 0, got 0"),
    (lambda: d.NegativeBinomial(1.0, 1.0), r"\[0, 1\), got 1"),
    (lambda: d.Poisson(-1.0), "Poisson: rate: expected numbers >= 0, got -1"),
    (lambda: d.Categorical(tn.tensor([-1.0, 2.0])), r"Categorical: probs: .* numbers >= 0 .*, got \[-1.0, 2.0\]"),
    (lambda: d.OneHotCategorical(tn.zeros(2)), r"probs: .* with a positive sum along the last axis, got \[0.0, 0.0\]"),
    (lambda: d.Categorical(0.5), "Categorical: probs: expected at least one axis"),
    (lambda: d.Multinomial(2.5, tn.ones(2)), "total_count: expected one int >= 0, got 2.5"),
    (lambda: d.Dirichlet(tn.tensor([1.0, 0.0])), r"concentration: expected numbers > 0, got \[1.0, 0.0\]"),
    (lambda: d.Dirichlet(1.0), "Dirichlet: concentration: expected at least one axis"),
    (lambda: d.RelaxedBernoulli(0.0, 0.5), "temperature: expected numbers > 0, got 0"),
    (lambda: d.MultivariateNormal(tn.zeros(2), tn.tensor([[1.0, 2.0], [2.0, 1.0]])), "positive eigenvalues"),
    (lambda: d.MultivariateNormal(tn.zeros(2), tn.tensor([[1.0, 2.0], [0.0, 1.0]])), "covariance_matrix: .*symmetric"),
    (lambda: d.MultivariateNormal(tn.zeros(2), scale_tril=-tn.eye(2)), "positive diagonal"),
    (lambda: d.MultivariateNormal(tn.zeros(2)), "exactly one of.*got none"),
    (lambda: d.MultivariateNormal(tn.zeros(2), tn.eye(3)), r"\(2,\) and \(3, 3\)"),
    (lambda: d.LowRankMultivariateNormal(tn.zeros(2), tn.ones((2, 1)), -tn.ones(2)), "cov_diag: expected numbers > 0"),
    (lambda: d.LowRankMultivariateNormal(tn.zeros(2), tn.ones((3, 1)), tn.ones(2)), r"\(2,\), \(3, 1\) and \(2,\)"),
    (lambda: d.Independent(d.Normal(0.0, 1.0), 1), "reinterpreted_batch_ndims: expected 0 to 0.*got 1"),
    (lambda: d.MixtureSameFamily(d.Normal(0.0, 1.0), d.Normal(0.0, 1.0)), "a Categorical and a Distribution"),
    (lambda: d.Normal(tn.zeros(2), 1.0).log_prob(tn.zeros(3)), r"\(3,\) does not broadcast.*\(2,\)"),
    (lambda: d.Dirichlet(tn.ones(3)).log_prob(tn.ones(2) / 2), r"ends in \(3,\).*\(2,\)"),
    (lambda: d.Exponential(1.0).log_prob(-2.0), "value: expected numbers >= 0, got -2"),
    (lambda: d.Bernoulli(0.5).log_prob(0.5), "value: expected 0 or 1, got 0.5"),
    (lambda: d.Dirichlet(tn.ones(2)).log_prob(tn.ones(2)), r"sum to 1 along the last axis, got \[1.0, 1.0\]"),
    (lambda: d.OneHotCategorical(tn.ones(2)).log_prob(tn.ones(2)), "one 1 and else zeros"),
    (lambda: d.Normal(0.0, 1.0).icdf(1.5), r"\[0, 1\], got 1.5"),
    (lambda: d.Normal(tn.zeros(2), 1.0).expand((3,)), r"\(2,\) does not broadcast to \(3,\)"),
    (lambda: d.Normal(0.0, 1.0).sample((-1,)), "sample_shape: expected sizes >= 0"),
    (lambda: d.Distribution.set_default_validate_args(1), "True or False, got 1"),
]


@pytest.mark.parametrize("make, words", BAD, ids=range(len(BAD)))
def test_bad_input_is_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_checks_can_be_turned_off():
    assert d.Normal(0.0, -1.0, validate_args=False).scale.item() == -1.0
    assert d.Bernoulli(0.5, validate_args=False).log_prob(0.5).shape == ()
    d.Distribution.set_default_validate_args(False)
    try:
        d.Normal(0.0, -1.0)
    finally:
        d.Distribution.set_default_validate_args(True)
    with pytest.raises(ValueError, match="scale"):
        d.Normal(0.0, -1.0)


@pytest.mark.parametrize("call, words", [
    (lambda: d.Bernoulli(0.5).rsample(), "Bernoulli has no reparameterized draws"),
    (lambda: d.Poisson(1.0).entropy(), "Poisson has no entropy in closed form"),
    (lambda: d.Normal(0.0, 1.0).enumerate_support(), "Normal has no finite support"),
    (lambda: d.VonMises(0.0, 1.0).cdf(0.0), "VonMises has no cdf"),
    (lambda: d.Binomial(tn.tensor([2.0, 3.0]), 0.5).enumerate_support(), "different total_count"),
    (lambda: d.Independent(d.Bernoulli(tn.tensor([0.5])), 1).enumerate_support(), "several variables"),
], ids=range(6))
def test_what_there_is_not(call, words):
    with pytest.raises(NotImplementedError, match=words):
        call()


def test_parameters_take_numbers_arrays_and_tensors():
    assert d.Normal(0, 1).loc.dtype == "float32"
    wide = d.Normal(tn.Tensor(np.array([0.0])), 0.1)
    assert wide.scale.dtype == "float64" and wide.scale.item() == 0.1  # the number was never rounded to float32
    assert d.Normal(np.zeros(3), np.ones((2, 1))).batch_shape == (2, 3)
    assert d.Poisson(tn.tensor([1, 2])).rate.dtype == "float32"
    assert d.Normal([0.0, 1.0], 1.0).log_prob([0.5, 0.5]).shape == (2,)
    with pytest.raises(AttributeError, match="Normal has no attribute 'rate'"):
        d.Normal(0.0, 1.0).rate  # noqa: B018


def test_expanding_shares_the_parameters():
    leaf = tn.tensor([1.0, 2.0], requires_grad=True)
    wide = d.Normal(leaf, 1.0).expand((3, 2))
    assert wide.loc.shape == wide.batch_shape == (3, 2) and repr(wide) == "Normal(loc: (3, 2), scale: (3, 2))"
    wide.log_prob(tn.zeros((3, 2))).sum().backward()
    np.testing.assert_allclose(host(leaf.grad), [-3.0, -6.0], 1e-6)
    assert d.Independent(d.Normal(tn.zeros((1, 4)), 1.0), 1).expand((5,)).sample().shape == (5, 4)
    inside = d.LogNormal(0.0, 1.0).expand((2,))
    assert inside.mean.shape == (2,) and inside.sample().shape == (2,)


def test_constraints():
    x = tn.tensor([-1.0, 0.0, 0.5, 2.0])
    for constraint, expected in ((c.real, [1, 1, 1, 1]), (c.positive, [0, 0, 1, 1]), (c.nonnegative, [0, 1, 1, 1]),
                                 (c.less_than(0.5), [1, 1, 0, 0]), (c.unit_interval, [0, 1, 1, 0]),
                                 (c.half_open_interval(0.0, 0.5), [0, 1, 0, 0]), (c.boolean, [0, 1, 0, 0]),
                                 (c.integer_interval(0, 2), [0, 1, 0, 1]), (c.positive_integer, [0, 0, 0, 1]),
                                 (c.greater_than(tn.tensor([0.0, -1.0, 1.0, 1.0])), [0, 1, 0, 1])):
        assert constraint.check(x).tolist() == [bool(e) for e in expected], constraint
    eye = tn.eye(2)
    for constraint in (c.square, c.symmetric, c.lower_triangular, c.lower_cholesky, c.corr_cholesky,
                       c.positive_definite, c.positive_semidefinite):
        assert constraint.check(eye).item()
        assert not (constraint.check(-eye).item() and constraint.check(tn.tensor([[1.0, 2.0], [3.0, 1.0]])).item()
                    and constraint is not c.square)
        assert constraint is c.lower_triangular or not constraint.check(tn.ones((2, 3))).item()
    singular = tn.tensor([[1.0, 0.0], [0.0, 0.0]])
    assert c.positive_semidefinite.check(singular).item() and not c.positive_definite.check(singular).item()
    assert c.multinomial(3).check(tn.tensor([[1.0, 2.0], [1.0, 1.0], [1.5, 1.5]])).tolist() == [True, False, False]
    assert c.is_dependent(c.dependent(is_discrete=True)) and not c.is_dependent(c.real)
    with pytest.raises(ValueError, match="cannot be checked alone"):
        c.dependent.check(x)
    with pytest.raises(ValueError, match="at least 2 axes"):
        c.independent(c.real, 2).check(x)


@pytest.mark.host_only
def test_imported_when_first_used():
    code = "import sys, tinygrad_notes as tn; assert 'tinygrad_notes.distributions' not in sys.modules; " \
           "tn.distributions.Normal; assert 'tinygrad_notes.distributions' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
