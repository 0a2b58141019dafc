"""The same parameters give the same numbers as in PyTorch: everything a distribution has, with gradients."""
import itertools

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.distributions.examples import EXAMPLES, host
from tinygrad_notes.distributions import kl as table

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.same_on_strict
theirs = torch.distributions
PROPERTIES = ("mean", "variance", "stddev", "mode")
METHODS = ("entropy", "perplexity", "enumerate_support")
# Where PyTorch is less exact, or wrong: a polynomial for I_0; another series near one half; float32 in the entropy;
# nan instead of the mode; the first corner instead of that of the largest concentration.
LOOSE = {"VonMises": 3e-6, "ContinuousBernoulli": 1e-5, "Multinomial": 1e-6}
SKIPPED = {("Kumaraswamy", "mode"), ("Beta", "mode")}


def made(example):
    """Ours and theirs, with their leaves."""
    ours = [tn.Tensor(np.asarray(v, dtype="float64"), requires_grad=True) for v in example.parameters.values()]
    leaves = [torch.tensor(np.asarray(v), dtype=torch.float64, requires_grad=True) for v in example.parameters.values()]
    fixed = {k: torch.tensor(v, dtype=torch.float64) if isinstance(v, float) else v for k, v in example.fixed.items()}
    twin = getattr(theirs, example.name)(**fixed, **dict(zip(example.parameters, leaves)))
    return example.make(*ours), twin, ours, leaves


def answers(twin, x):
    """{name: value} of what PyTorch's distribution has; `cdf` at x."""
    found = {}
    for name in (*PROPERTIES, *METHODS, "cdf"):
        try:
            found[name] = getattr(twin, name) if name in PROPERTIES else getattr(twin, name)(*[x] * (name == "cdf"))
        except NotImplementedError:
            continue
    return found


def close(a, b, what, tolerance=1e-8):
    np.testing.assert_allclose(host(a), b.detach().numpy(), tolerance, 1e-10, err_msg=what)


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.name != "GeneralizedPareto"], ids=lambda e: e.id)
def test_same_numbers(example):
    ours, twin, leaves, their_leaves = made(example)
    assert ours.batch_shape == tuple(twin.batch_shape) and ours.event_shape == tuple(twin.event_shape)
    assert ours.has_rsample == twin.has_rsample and ours.has_enumerate_support == twin.has_enumerate_support
    torch.manual_seed(0)
    x = twin.sample((3,))
    mine, tolerance = tn.Tensor(x.numpy()), LOOSE.get(example.name, 1e-8)
    pairs = [("log_prob", ours.log_prob(mine), twin.log_prob(x))]
    for name, wanted in answers(twin, x).items():
        if (example.name, name) not in SKIPPED:
            found = getattr(ours, name)
            pairs.append((name, found if name in PROPERTIES else found(*[mine] * (name == "cdf")), wanted))
    for name, found, wanted in pairs:
        assert found.shape == tuple(wanted.shape), name
        close(found, wanted, name, tolerance)
        if name in ("log_prob", "entropy", "mean", "variance") and wanted.requires_grad:
            for a, b in zip(tn.autograd.grad(found.sum(), leaves, allow_unused=True),
                            torch.autograd.grad(wanted.sum(), their_leaves, allow_unused=True, retain_graph=True)):
                zero = torch.zeros((), dtype=torch.float64)  # None: it does not depend on this parameter
                close(tn.zeros(()) if a is None else a, zero if b is None else b, f"gradient of {name}", 10 * tolerance)
    assert repr(ours).split("(")[0] == repr(twin).split("(")[0]


def test_little_is_missing_in_pytorch():
    """What PyTorch does not implement is not compared: here is how much remains."""
    twins = [made(example)[1] for example in EXAMPLES if example.name != "GeneralizedPareto"]
    assert sum(len(answers(twin, twin.sample())) for twin in twins) >= 260


def test_same_divergences():
    pairs = [made(e)[:2] for e in EXAMPLES if e.name not in ("VonMises", "ContinuousBernoulli") and not e.label]
    compared = 0
    for (p, their_p), (q, their_q) in itertools.product(pairs, repeat=2):
        if type(p).__name__ == "Kumaraswamy" or p.event_shape != q.event_shape:
            continue
        try:
            wanted = theirs.kl_divergence(their_p, their_q)
        except NotImplementedError:
            continue
        close(tn.distributions.kl_divergence(p, q), wanted, f"{p}, {q}")
        compared += 1
    assert compared >= 90


def test_all_pairs_of_pytorch():
    known = {(a.__name__, b.__name__) for a, b in theirs.kl._KL_REGISTRY}
    ours = {(a.__name__, b.__name__) for a, b in table._TABLE}
    assert known - ours == {("ExponentialFamily", "ExponentialFamily")}, "each family here has a form of its own"


def test_same_names():
    missing = set(theirs.__all__) - set(dir(tn.distributions))
    assert missing <= {"ExponentialFamily", "LKJCholesky", "Wishart"}
    assert set(theirs.constraints.__all__) <= set(dir(tn.distributions.constraints))
    assert set(theirs.transforms.__all__) <= set(dir(tn.distributions.transforms))


TRANSFORMS = [
    ("AbsTransform", {}, (4,)), ("AffineTransform", {"loc": 1.0, "scale": -2.0}, (4,)),
    ("AffineTransform", {"loc": 1.0, "scale": 3.0, "event_dim": 1}, (2, 4)), ("ExpTransform", {}, (4,)),
    ("PowerTransform", {"exponent": 3.0}, (4,)), ("SigmoidTransform", {}, (4,)), ("SoftplusTransform", {}, (4,)),
    ("TanhTransform", {}, (4,)), ("SoftmaxTransform", {}, (2, 4)), ("StickBreakingTransform", {}, (2, 4)),
    ("CorrCholeskyTransform", {}, (2, 6)), ("LowerCholeskyTransform", {}, (2, 3, 3)),
    ("PositiveDefiniteTransform", {}, (2, 3, 3)), ("ReshapeTransform", {"in_shape": (6,), "out_shape": (2, 3)}, (2, 6)),
]


@pytest.mark.parametrize("name, options, shape", TRANSFORMS, ids=[f"{k}-{t[0]}" for k, t in enumerate(TRANSFORMS)])
def test_same_transforms(name, options, shape):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape) if name != "PowerTransform" else rng.uniform(0.5, 2, shape)
    ours, twin = getattr(tn.distributions, name)(**options), getattr(theirs.transforms, name)(**options)
    y, z = ours(tn.Tensor(x)), twin(torch.tensor(x))
    close(y, z, "forward")
    close(ours.inv(y), twin.inv(z), "inverse", 1e-6)
    assert ours.bijective == twin.bijective
    assert (ours.domain.event_dim, ours.codomain.event_dim) == (twin.domain.event_dim, twin.codomain.event_dim)
    assert ours.forward_shape(shape) == tuple(twin.forward_shape(torch.Size(shape)))
    assert ours.inverse_shape(y.shape) == tuple(twin.inverse_shape(z.shape))
    if ours.bijective:
        close(ours.log_abs_det_jacobian(tn.Tensor(x), y), twin.log_abs_det_jacobian(torch.tensor(x), z), "volume")
