"""Values and gradients at kinks, ties, zeros and limits: those that PyTorch chose."""
import numpy as np
import pytest

import tinygrad_notes as tn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.same_on_strict
functional = torch.nn.functional

GRID = [-6.0, -3.0, -2.5, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.5, 3.0, 6.0, 25.0]
UNIT = [-1.0, -0.75, -0.5, 0.0, 0.5, 0.75, 1.0]
ABOVE = [0.0, 0.25, 0.5, 1.0, 2.0, 7.0]

# name: (our call, PyTorch's call, where)
ONE = {
    "abs": (tn.abs, torch.abs, GRID), "sign": (tn.sign, torch.sign, GRID), "square": (tn.square, torch.square, GRID),
    "sqrt": (tn.sqrt, torch.sqrt, ABOVE), "rsqrt": (tn.rsqrt, torch.rsqrt, ABOVE), "log": (tn.log, torch.log, ABOVE),
    "reciprocal": (tn.reciprocal, torch.reciprocal, GRID), "asin": (tn.asin, torch.asin, UNIT[1:-1]),
    "acos": (tn.acos, torch.acos, UNIT[1:-1]), "atanh": (tn.atanh, torch.atanh, UNIT[1:-1]),
    "acosh": (tn.acosh, torch.acosh, [1.5, 2.0, 9.0]), "asinh": (tn.asinh, torch.asinh, GRID),
    "tan": (tn.tan, torch.tan, GRID), "tanh": (tn.tanh, torch.tanh, GRID), "atan": (tn.atan, torch.atan, GRID),
    "frac": (tn.frac, torch.frac, GRID), "round": (tn.round, torch.round, GRID), "ceil": (tn.ceil, torch.ceil, GRID),
    "exp2": (tn.exp2, torch.exp2, GRID), "log1p": (tn.log1p, torch.log1p, ABOVE),
    "expm1": (tn.expm1, torch.expm1, GRID),
    "deg2rad": (tn.deg2rad, torch.deg2rad, GRID), "angle": (tn.angle, torch.angle, GRID),
    "relu": (tn.relu, functional.relu, GRID), "relu6": (tn.relu6, functional.relu6, GRID),
    "leaky_relu": (tn.leaky_relu, functional.leaky_relu, GRID), "elu": (tn.elu, functional.elu, GRID),
    "selu": (tn.selu, functional.selu, GRID), "silu": (tn.silu, functional.silu, GRID),
    "celu": (lambda x: tn.celu(x, 2.0), lambda x: functional.celu(x, 2.0), GRID),
    "mish": (tn.mish, functional.mish, GRID), "gelu": (tn.gelu, functional.gelu, GRID),
    "gelu tanh": (lambda x: tn.gelu(x, "tanh"), lambda x: functional.gelu(x, approximate="tanh"), GRID),
    "sigmoid": (tn.sigmoid, torch.sigmoid, GRID), "log_sigmoid": (tn.log_sigmoid, functional.logsigmoid, GRID),
    "softplus": (lambda x: tn.softplus(x, 2.0, 4.0), lambda x: functional.softplus(x, 2.0, 4.0), GRID),
    "softsign": (tn.softsign, functional.softsign, GRID), "tanhshrink": (tn.tanhshrink, functional.tanhshrink, GRID),
    "hardtanh": (tn.hardtanh, functional.hardtanh, GRID), "hardswish": (tn.hardswish, functional.hardswish, GRID),
    "hardsigmoid": (tn.hardsigmoid, functional.hardsigmoid, GRID),
    "hardshrink": (tn.hardshrink, functional.hardshrink, GRID),
    "softshrink": (tn.softshrink, functional.softshrink, GRID),
    "threshold": (lambda x: tn.threshold(x, 0.5, 2.0), lambda x: functional.threshold(x, 0.5, 2.0), GRID),
    "clip": (lambda x: tn.clip(x, -1, 2.5), lambda x: torch.clamp(x, -1, 2.5), GRID),
    "clip low": (lambda x: tn.clip(x, -1), lambda x: torch.clamp(x, -1), GRID),
    "clip crossed": (lambda x: tn.clip(x, 1, -1), lambda x: torch.clamp(x, 1, -1), GRID),
    "power 0": (lambda x: x ** 0, lambda x: x ** 0, GRID), "power 1": (lambda x: x ** 1, lambda x: x ** 1, GRID),
    "power 2": (lambda x: x ** 2, lambda x: x ** 2, GRID), "power 3": (lambda x: x ** 3, lambda x: x ** 3, GRID),
    "power -2": (lambda x: x ** -2, lambda x: x ** -2, GRID),
    "power 1.5": (lambda x: x ** 1.5, lambda x: x ** 1.5, ABOVE),
    "power 2.5": (lambda x: x ** 2.5, lambda x: x ** 2.5, ABOVE),
    "lgamma": (tn.lgamma, torch.lgamma, [-2.5, 0.5, 1.0, 2.0, 9.0]),
    "digamma": (tn.digamma, torch.digamma, [-2.5, 0.5, 1.0, 2.0, 9.0]),
    "erf": (tn.erf, torch.erf, GRID), "erfc": (tn.erfc, torch.erfc, GRID),
    "erfinv": (tn.erfinv, torch.erfinv, UNIT[1:-1]),
    "entr": (tn.entr, torch.special.entr, ABOVE[1:]), "logit": (tn.logit, torch.logit, [0.25, 0.5, 0.9]),
    "i0": (tn.i0, torch.special.i0, GRID), "i1": (tn.i1, torch.special.i1, GRID),
    "i0e": (tn.i0e, torch.special.i0e, GRID),
    "i1e": (tn.i1e, torch.special.i1e, GRID), "ndtri": (tn.ndtri, torch.special.ndtri, [0.1, 0.5, 0.9]),
    "log_ndtr": (tn.log_ndtr, torch.special.log_ndtr, GRID), "erfcx": (tn.erfcx, torch.special.erfcx, GRID[2:-1]),
    "nan_to_num": (tn.nan_to_num, torch.nan_to_num, [1.0, float("nan"), float("inf"), -2.0, float("-inf")]),
}
TWO = {
    "maximum": (tn.maximum, torch.maximum), "minimum": (tn.minimum, torch.minimum), "fmax": (tn.fmax, torch.fmax),
    "fmin": (tn.fmin, torch.fmin), "remainder": (tn.remainder, torch.remainder), "fmod": (tn.fmod, torch.fmod),
    "copysign": (tn.copysign, torch.copysign), "hypot": (tn.hypot, torch.hypot), "atan2": (tn.atan2, torch.atan2),
    "logaddexp": (tn.logaddexp, torch.logaddexp), "logaddexp2": (tn.logaddexp2, torch.logaddexp2),
    "divide": (tn.divide, torch.divide), "multiply": (tn.multiply, torch.multiply),
    "clip low": (lambda x, y: tn.clip(x, y), lambda x, y: torch.clamp(x, y)),
    "clip high": (lambda x, y: tn.clip(x, None, y), lambda x, y: torch.clamp(x, max=y)),
    "where": (lambda x, y: tn.where(x > y, x, y), lambda x, y: torch.where(x > y, x, y)),
}


def derivatives(call, arrays, ours, orders=3):
    """The value, the gradients for a fixed random cotangent, and the gradients of those for another."""
    make = (lambda a: tn.Tensor(a, requires_grad=True)) if ours else (lambda a: torch.tensor(a, requires_grad=True))
    grad = tn.autograd.grad if ours else torch.autograd.grad
    leaves = [make(a) for a in arrays]
    out = call(*leaves)
    rng = np.random.default_rng(0)

    def like(t):
        u = rng.standard_normal(t.shape)
        return tn.Tensor(u) if ours else torch.tensor(u)
    first = grad(out, leaves, like(out), create_graph=True)
    found = [out, *first]
    if orders == 3 and all(g.requires_grad for g in first):
        found += grad(first, leaves, [like(g) for g in first], allow_unused=True)
    return [np.zeros(arrays[0].shape) if t is None else host(t) for t in found]


def host(t):
    return t.numpy() if isinstance(t, tn.Tensor) else t.detach().numpy(force=True)


def compare(ours, theirs, arrays, orders=3):
    with np.errstate(all="ignore"):
        found, expected = derivatives(ours, arrays, True, orders), derivatives(theirs, arrays, False, orders)
    n = 1 + len(arrays) * (orders - 1)
    for i, (a, b) in enumerate(zip(found[:n], expected[:n])):
        what = "value" if i == 0 else f"derivative {i}"
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9, err_msg=what)


@pytest.mark.parametrize("name", ONE)
def test_one_input(name):
    ours, theirs, where = ONE[name]
    compare(ours, theirs, [np.array(where)], orders=2 if name == "hardsigmoid" else 3)


@pytest.mark.parametrize("name", TWO)
def test_two_inputs_with_ties(name):
    ours, theirs = TWO[name]
    x, y = (a.ravel() for a in np.meshgrid([-2.0, -1.0, 0.5, 1.0, 2.5], [-2.0, 0.5, 1.0, 3.0]))
    compare(ours, theirs, [x, y])


def test_power_with_both_gradients():
    x, y = (a.ravel() for a in np.meshgrid([0.0, 0.5, 1.0, 3.0], [0.0, 1.0, 2.0, 2.5]))
    compare(tn.pow, torch.pow, [x, y], orders=2)


def test_power_of_a_negative_base_has_no_gradient_in_the_exponent():
    with np.errstate(all="ignore"):
        found = derivatives(tn.pow, [np.array([-2.0, -1.0]), np.array([2.0, 3.0])], True)
    np.testing.assert_array_equal(np.isnan(found[2]), True)
    np.testing.assert_allclose(found[1] / np.random.default_rng(0).standard_normal(2), [-4.0, 3.0])


def test_clip_between_tensors():
    x, low, high = (a.ravel() for a in np.meshgrid([-1.0, 0.0, 0.5, 1.0, 2.0], [0.0, 1.0], [0.0, 0.5, 1.0]))
    compare(tn.clip, torch.clamp, [x, low, high], orders=2)


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_nan_wins(name):
    x, y = np.array([np.nan, 1.0, np.nan]), np.array([1.0, np.nan, np.nan])
    compare(getattr(tn, name), getattr(torch, name), [x, y], orders=2)
