"""An affine map and a GELU as one operation: equal to the two, to second order."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.backend import gelu as kernels
from tinygrad_notes.ops.perceptron import linear_gelu

RNG = np.random.default_rng(0)


def plain(x, w, b):
    return tn.gelu(tn.linear(x, w, b))


def derivatives(function, arrays, dtype, active):
    """Output, gradients by a plain and by a recorded pass, and gradients of those."""
    given = [None if a is None else tn.tensor(a, dtype=dtype, requires_grad=i in active) for i, a in enumerate(arrays)]
    wanted = [t for i, t in enumerate(given) if i in active]
    rng = np.random.default_rng(1)
    out = function(*given)
    g = tn.tensor(rng.standard_normal(out.shape), dtype=dtype, requires_grad=True)
    first = tn.autograd.grad(out, wanted, g, retain_graph=True)
    recorded = tn.autograd.grad(out, wanted, g, create_graph=True)
    us = [tn.tensor(rng.standard_normal(t.shape), dtype=dtype) for t in recorded]
    second = tn.autograd.grad(list(recorded), [*wanted, g], us, allow_unused=True)
    return [t.numpy() for t in (out, *first, *recorded, *second) if t is not None]


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-11), ("float32", 2e-5)])
@pytest.mark.parametrize(
    "shape, active", [((7, 11), (0, 1, 2)), ((2, 5, 11), (1,)), ((3, 11), (0, 2)), ((2, 0, 11), (1,))], ids=str)
def test_equal_to_the_two(shape, active, dtype, tolerance, monkeypatch):
    monkeypatch.setattr(kernels, "SMALL", 0)
    monkeypatch.setattr(kernels, "PIECE", 30)
    arrays = [2 * RNG.standard_normal(s) for s in (shape, (13, 11), (13,))]
    for bias in (arrays[2], None):
        given = [*arrays[:2], bias]
        asked = tuple(i for i in active if given[i] is not None)
        for a, b in zip(derivatives(linear_gelu, given, dtype, asked), derivatives(plain, given, dtype, asked)):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * max(1, np.abs(b).max(initial=0)))


def test_the_operation_is_used_and_keeps_no_more_than_it_reads():
    x, w, b = [tn.tensor(RNG.standard_normal(s), dtype="float32", requires_grad=True)
               for s in ((100, 8), (64, 8), (64,))]
    out = linear_gelu(x, w, b)
    if out.device == "cpu":
        kept = [a for node in (out.node.parents[0],) for a in node.saved[:3]]
        assert out.node.parents[0].plan.primitive.name == "linear_gelu"
        assert all(a is t.data for a, t in zip(kept, (x, w, b)))
    with tn.no_grad():
        np.testing.assert_allclose(linear_gelu(x, w, b).numpy(), out.numpy(), rtol=1e-5, atol=1e-6)


def test_infinities_come_out_as_limits(monkeypatch):
    monkeypatch.setattr(kernels, "SMALL", 0)
    x = tn.tensor([[np.inf], [-np.inf], [np.nan], [0.0], [1e20]], dtype="float32", requires_grad=True)
    w = tn.ones((3, 1), requires_grad=True)
    out = linear_gelu(x, w, tn.zeros(3))
    np.testing.assert_array_equal(out.numpy()[:, 0], [np.inf, 0, np.nan, 0, np.float32(1e20)])
    (slope,) = tn.autograd.grad(out, [x], tn.ones((5, 3)))
    np.testing.assert_allclose(slope.numpy()[:, 0], [3, 0, np.nan, 1.5, 3], rtol=1e-6)
