"""Operations that a user defines, and what bad definitions get."""
import functools

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.autograd import adjoint, elementwise, joint, primitive, trilinear


def leaf(values, dtype="float64"):
    return tn.tensor(np.asarray(values, dtype=dtype), requires_grad=True)


# The forms ---------------------------------------------------------------------------
def test_an_elementwise_operation_in_ten_lines():
    cube = elementwise("test_cube", lambda xp, x, y: x * x * x * y,
                       x=lambda g, x, y: 3 * g * x * x * y,
                       y=lambda g, x: g * x * x * x)
    x, y = leaf([[1.0, 2.0, 3.0]]), leaf([[2.0], [5.0]])
    assert cube(x, y).shape == (2, 3)
    assert tn.gradcheck(cube, (x, y)).verdict == "CORRECT"
    assert tn.gradgradcheck(cube, (x, y)).verdict == "CORRECT"


def test_parameters_with_and_without_defaults():
    scaled = elementwise("test_scaled", lambda xp, x, *, factor, shift=1.0: x * factor + shift,
                         x=lambda g, factor: g * factor)
    x = leaf([1.0, 2.0])
    y = scaled(x, factor=3.0)
    assert y.tolist() == [4.0, 7.0]
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    with pytest.raises(TypeError, match=r"test_scaled:.*factor.*x: float64 \(2,\)"):
        scaled(x)
    with pytest.raises(TypeError, match="test_scaled:.*unexpected keyword argument 'size'"):
        scaled(x, factor=1.0, size=2)


def test_a_rule_may_read_a_default():
    power = elementwise("test_default_power", lambda xp, x, *, n=3.0: x ** n, x=lambda g, x, n: g * n * x ** (n - 1))
    x = leaf([2.0])
    power(x).sum().backward()
    assert x.grad.tolist() == [12.0]


def test_a_reduction_with_a_shape():
    total = primitive("test_total", lambda xp, x, *, axis: xp.sum(x, axis=axis, keepdims=True), kind="reduce",
                      x=lambda xp, g, x_shape: xp.broadcast_to(g, x_shape))
    assert tn.gradcheck(lambda x: total(x, axis=1) ** 2, leaf(np.arange(6.0).reshape(2, 3))).verdict == "CORRECT"


def test_an_adjoint_pair():
    shift, back = adjoint("test_shift", lambda xp, x, *, n: xp.roll(x, n), "test_shift_back",
                          lambda xp, y, *, n, shape: xp.roll(y, -n))
    x = leaf([1.0, 2.0, 3.0])
    assert shift(x, n=1).tolist() == [3.0, 1.0, 2.0]
    (shift(x, n=1) * tn.tensor(np.array([1.0, 10.0, 100.0]))).sum().backward()
    assert x.grad.tolist() == [10.0, 100.0, 1.0]
    assert back(shift(x, n=1), n=1, shape=(3,)).tolist() == [1.0, 2.0, 3.0]
    assert tn.gradgradcheck(lambda x: shift(x * x, n=2), x).verdict == "CORRECT"


def test_a_trilinear_triple(rng):
    outer, _, _ = trilinear(
        "test_outer", lambda xp, x, w: xp.reshape(x, (-1, 1)) * xp.reshape(w, (1, -1)),
        "test_outer_x", lambda xp, y, w, *, shape: xp.matmul(y, w),
        "test_outer_w", lambda xp, x, y, *, shape: xp.matmul(x, y))
    x, w = leaf(rng.standard_normal(3)), leaf(rng.standard_normal(4))
    np.testing.assert_allclose(outer(x, w).numpy(), np.outer(x.numpy(), w.numpy()))
    assert tn.gradcheck(outer, (x, w)).verdict == "CORRECT"
    assert tn.gradgradcheck(lambda x, w: outer(x, w) ** 2, (x, w)).verdict == "CORRECT"


def test_a_variadic_joint_rule():
    mix = joint("test_mix", lambda xp, *xs: sum(x * (k + 1) for k, x in enumerate(xs)),
                lambda g, arrays, needs: tuple(g * (k + 1) if need else None for k, need in enumerate(needs)))
    x, y, z = leaf([1.0]), leaf([2.0]), leaf([3.0])
    mix(x, y.detach(), z).sum().backward()
    assert x.grad.tolist() == [1.0] and z.grad.tolist() == [3.0] and y.grad is None


def test_rules_call_operations_that_users_defined():
    elementwise("test_gauss", lambda xp, x: xp.exp(-x * x), x=lambda g, x, out: -2 * g * x * out)
    error = elementwise("test_error_function", lambda xp, x: xp.erf(x), x=lambda xp, g, x: g * 2 / np.pi ** 0.5
                        * xp.test_gauss(x))
    x = leaf([0.3, -1.2])
    assert tn.gradcheck(error, x).verdict == "CORRECT"
    assert tn.gradgradcheck(error, x).verdict == "CORRECT"


@pytest.mark.parametrize("device", ["cpu", "strict"])
def test_they_run_on_every_device(device):
    op = elementwise("test_everywhere", lambda xp, x: xp.tanh(x) * x, x=lambda xp, g, x, out: g * xp.tanh(x)
                     + g * x / xp.square(xp.cosh(x)))
    x = tn.tensor([0.5, 1.0], device=device, requires_grad=True)
    y = op(x)
    y.sum().backward()
    assert y.device == device and x.grad.device == device
    at = np.array([0.5, 1.0])
    np.testing.assert_allclose(x.grad.tolist(), np.tanh(at) + at / np.cosh(at) ** 2, rtol=1e-6)


def test_a_forward_with_a_side_effect_is_called():
    """It must not be mistaken for the NumPy function that it passes its input to."""
    calls = []

    def forward(xp, x):
        calls.append(x.shape)
        return xp.sin(x)
    op = elementwise("test_side_effect", forward, x=lambda xp, g, x: g * xp.cos(x))
    calls.clear()
    op(leaf([1.0]))
    assert calls == [(1,)]


def test_not_differentiable():
    near = elementwise("test_near", lambda xp, x, y: xp.abs(x - y) < 0.5, differentiable=False)
    out = near(leaf([1.0, 2.0]), leaf([1.2, 3.0]))
    assert out.tolist() == [True, False] and not out.requires_grad


def test_defined_again_as_in_a_notebook():
    def define(factor):
        return elementwise("test_again", lambda xp, x: x * factor, x=lambda g: g * factor)
    user = elementwise("test_user_of_again", lambda xp, x: xp.test_again(x), x=lambda xp, g: xp.test_again(g))
    for factor in (2.0, 3.0):
        op, x = define(factor), leaf([1.0])
        op(x).sum().backward()
        assert x.grad.tolist() == [factor]
        assert user(x).tolist() == [factor], "others find the new one"


# Bad definitions ------------------------------------------------------------------------
BAD = {
    "a name of ours": (lambda: elementwise("add", lambda xp, x: x), ValueError, "'add' is already defined"),
    "a rule for no input": (lambda: elementwise("test_bad", lambda xp, x: x, y=lambda g: g), ValueError,
                            r"rules for \['y'\], but its inputs are \('x',\)"),
    "an unknown name": (lambda: elementwise("test_bad", lambda xp, x: x, x=lambda g, z: g * z), ValueError,
                        r"rule 'x': reads \['z'\], but may read"),
    "an unknown name, joint": (lambda: joint("test_bad", lambda xp, x: x, lambda g, w: (g,)), ValueError,
                               r"rule 'joint': reads \['w'\]"),
    "an unknown kind": (lambda: primitive("test_bad", lambda xp, x: x, kind="magic", x=lambda g: g), ValueError,
                        "kind 'magic' is none of elementwise, "),
    "a forward without names": (lambda: elementwise("test_bad", np.sin, x=lambda g: g), TypeError, "plain functions"),
    "a rule without names": (lambda: elementwise("test_bad", lambda xp, x: x, x=functools.partial(max, 1)), TypeError,
                             "plain functions"),
    "an ambiguous name": (lambda: elementwise("test_bad", lambda xp, x, out: x, x=lambda g, out: g), ValueError,
                          r"\['out'\] means another thing"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_definition_raises_and_leaves_nothing(case):
    define, error, message = BAD[case]
    with pytest.raises(error, match=message):
        define()
    assert "test_bad" not in tn.autograd.PRIMITIVES


def test_shape_rule_of_an_elementwise_pair():
    """A rule that reads only a shape keeps only that, on the fast path too."""
    op = elementwise("test_shape_pair", lambda xp, x, y: x + y, x=lambda g: g,
                     y=lambda xp, g, x_shape: g * float(len(x_shape)))
    x, y = leaf(np.ones((2, 3))), leaf(np.ones(3))
    op(x, y).sum().backward()
    assert y.grad.tolist() == [4.0, 4.0, 4.0]
    assert not tn.autograd.saved_tensors_report(op(x, y)).rows
