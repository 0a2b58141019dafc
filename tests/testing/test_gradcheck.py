"""What gradcheck accepts, what it returns and raises, and how it tells a failure."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.autograd import elementwise, primitive
from tinygrad_notes.testing import CORRECT, INCONCLUSIVE, WRONG, GradcheckError, check_module, locate

minus_cos = elementwise("test_minus_cos", lambda xp, x: xp.sin(x), x=lambda xp, g, x: -g * xp.cos(x))
half_square = elementwise("test_half_square", lambda xp, x: x * x, x=lambda g, x: g * x)


def make(*shape, seed=0):
    return tn.Tensor(np.random.default_rng(seed).standard_normal(shape), device=tn.current_device())


# Verdicts ---------------------------------------------------------------------------
def test_a_right_gradient_is_correct_and_true():
    result = tn.gradcheck(lambda x, y: tn.sin(x) * y, (make(3, 4), make(4)))
    assert result
    assert result.verdict == CORRECT
    assert result.error < 1e-9
    assert [r.path for r in result.inputs] == ["inputs[0]", "inputs[1]"]
    assert [r.checked for r in result.inputs] == [12, 4]


def test_a_wrong_gradient_raises_with_the_worst_element_and_a_guess():
    with pytest.raises(GradcheckError, match="wrong sign") as caught:
        tn.gradcheck(lambda x: minus_cos(x * 2), make(3, 4))
    result = caught.value.result
    assert not result
    assert result.worst.ratio == pytest.approx(-1)
    assert result.worst.numeric == pytest.approx(-result.worst.analytic)
    for part in ("WRONG", "analytic", "numeric", "+-", "ratio -1", "input[", "test_minus_cos", "test_gradcheck.py"):
        assert part in str(caught.value)


def test_the_worst_element_is_the_one_at_fault():
    def rule(xp, g, x):
        bad = np.zeros((3, 4))
        bad[1, 2] = 0.25
        return g * xp.cos(x) * (1 + tn.current_device().from_numpy(bad))
    one_off = primitive("test_one_off", lambda xp, x: xp.sin(x), kind="elementwise", x=rule)
    result = tn.gradcheck(one_off, make(3, 4), raise_exception=False)
    assert result.worst.index == (1, 2)
    assert result.worst.output == 6
    assert result.worst.ratio == pytest.approx(1.25)
    assert "wrong in 1 of 12 elements only: [1, 2]" in result.guess


def test_a_kink_is_reported_as_one():
    result = tn.gradcheck(tn.relu, tn.Tensor([0.0, 1.0], dtype="float64"))
    assert result
    assert result.verdict == INCONCLUSIVE
    assert result.reasons == {"kink": 1}
    assert "slopes" in result.report()


def test_strict_refuses_what_cannot_be_judged():
    with pytest.raises(GradcheckError, match="INCONCLUSIVE"):
        tn.gradcheck(tn.relu, tn.Tensor([0.0], dtype="float64"), strict=True)


def test_a_result_instead_of_an_exception():
    result = tn.gradcheck(half_square, make(3), raise_exception=False)
    assert result.verdict == WRONG
    assert "a factor of 2 missing" in result.guess
    assert repr(result).startswith("<gradcheck: WRONG")


def test_tolerances_are_pytorchs():
    x = tn.Tensor([1.0, 2.0], dtype="float64")
    near = elementwise("test_near", lambda xp, x: x * x, x=lambda g, x: 2.0001 * g * x)
    assert not tn.gradcheck(near, x, raise_exception=False)
    assert tn.gradcheck(near, x, rtol=1e-3)
    assert tn.gradcheck(near, x, atol=1e-2)


def test_a_given_step_is_used():
    steps = []

    def fn(x):
        steps.append(float(x.numpy()[0]))
        return x * x
    assert tn.gradcheck(fn, tn.Tensor([1.0], dtype="float64"), eps=2.0 ** -20)
    assert max(abs(s - 1) for s in steps if abs(s - 1) < 1e-4) == 2.0 ** -20


# Inputs and outputs -----------------------------------------------------------------
def test_nested_inputs_keep_their_structure():
    def fn(pair, options):
        return pair[0] * options["w"] + pair[1].astype("float64")
    inputs = ((make(3), tn.Tensor([1, 2, 3])), {"w": make(3, seed=1), "unused": None})
    assert [r.path for r in tn.gradcheck(fn, inputs).inputs] == ["inputs[0][0]", "inputs[1]['w']"]


def test_only_what_requires_a_gradient_is_checked_if_something_does():
    x, y = make(3).requires_grad_(), make(3, seed=1)
    assert len(tn.gradcheck(lambda x, y: x * y, (x, y)).inputs) == 1
    assert len(tn.gradcheck(lambda x, y: x * y, (x.detach(), y)).inputs) == 2


def test_integers_and_other_values_pass_through():
    index = tn.Tensor([0, 2], device=tn.current_device())
    assert tn.gradcheck(lambda x, i, n: tn.take(x, i, axis=0) ** n, (make(4), index, 3))


def test_numpy_arrays_and_numbers_are_inputs_too():
    with tn.as_device("cpu"):
        assert tn.gradcheck(tn.sin, np.array([0.5, 1.0])).verdict == CORRECT
        assert tn.gradcheck(tn.sin, 0.5).verdict == CORRECT


def test_several_outputs_some_of_them_integers():
    assert tn.gradcheck(lambda x: {"a": (x * x, tn.argmax(x)), "b": tn.sin(x)}, make(5)).verdict == CORRECT


def test_the_inputs_are_left_alone():
    x = make(3).requires_grad_()
    before = x.numpy().copy()
    tn.gradcheck(lambda x: tn.sum(x * x), x)
    np.testing.assert_array_equal(x.numpy(), before)
    assert x.grad is None
    assert x.requires_grad


def test_nothing_to_check_is_an_error():
    with pytest.raises(ValueError, match="no floating input.*int64"):
        tn.gradcheck(lambda i: i, tn.Tensor([1, 2]))
    with pytest.raises(TypeError, match="at least one floating Tensor"):
        tn.gradcheck(lambda x: None, make(2))


def test_an_output_shape_that_depends_on_values_is_an_error():
    with pytest.raises(ValueError, match="must not depend on the values"):
        tn.gradcheck(lambda x: tn.zeros(3 if x.numpy()[0] == 1 else 2, dtype="float64") + tn.sum(x), tn.Tensor([1.0]))


# Large inputs -----------------------------------------------------------------------
def test_large_inputs_are_checked_along_directions():
    report = tn.gradcheck(lambda x: tn.sum(tn.tanh(x)), make(80, 80)).inputs[0]
    assert report.mode == "directions"
    assert report.checked == 7
    assert report.visible < 1e-3
    assert "in one element would show" in str(report)


def test_fast_mode_chooses():
    assert tn.gradcheck(tn.sin, make(20), fast_mode=True).inputs[0].mode == "directions"
    small = tn.gradcheck(tn.sin, make(20), fast_mode=False).inputs[0]
    assert (small.mode, small.checked) == ("every element", 20)


def test_progress_counts_to_the_end():
    seen = []
    tn.gradcheck(tn.sin, make(6), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(k, 6) for k in range(1, 7)]


# Precision ---------------------------------------------------------------------------
def test_float32_inputs_are_judged_in_float64():
    x = tn.Tensor(np.linspace(0.1, 2, 5, dtype="float32"), device=tn.current_device())
    result = tn.gradcheck(lambda x: tn.sum(tn.exp(x)), x)
    assert result.verdict == CORRECT
    assert result.inputs[0].dtype == "float32"
    assert result.error < 1e-8


def test_a_rule_that_is_wrong_in_float32_alone():
    x = tn.Tensor([0.5, 1.0], device=tn.current_device())
    bad = elementwise("test_bad_in_32", lambda xp, x: xp.exp(x),
                      x=lambda g, out: g * out * (2 if out.dtype == "float32" else 1))
    with pytest.raises(GradcheckError, match="float32 differs from the one in float64"):
        tn.gradcheck(bad, x)


def test_a_rule_that_overflows_in_float32():
    x = tn.Tensor([60.0], device=tn.current_device())
    bad = elementwise("test_overflow_32", lambda xp, x: xp.tanh(x), x=lambda xp, g, x: g / (xp.cosh(x) * xp.cosh(x)))
    with np.errstate(over="ignore"):
        assert tn.gradcheck(bad, x, raise_exception=False).verdict != WRONG  # 0 is what it should be
    bad = elementwise("test_nan_32", lambda xp, x: xp.tanh(x),
                      x=lambda xp, g, x: g * (1 - xp.exp(2 * x) / xp.exp(2 * x)) + 0 * g)
    with np.errstate(all="ignore"), pytest.raises(GradcheckError, match="not finite"):
        tn.gradcheck(bad, x)


# Random functions and side effects ---------------------------------------------------
def test_random_functions_see_the_same_numbers_each_time():
    before = tn.default_generator.get_state()
    assert tn.gradcheck(lambda x: x * tn.rand(*x.shape, dtype="float64", device=x.device), make(10)).verdict == CORRECT
    np.testing.assert_array_equal(tn.default_generator.get_state(), before)


def test_a_function_that_differs_from_call_to_call():
    rng = np.random.default_rng(0)
    result = tn.gradcheck(lambda x: x * float(rng.uniform(0.9, 1.1)), make(3), raise_exception=False)
    assert "nondeterministic" in result.reasons
    assert "differ by" in result.report()


def test_a_function_that_writes_into_its_input():
    def fn(x):
        out = x * 2
        x.data[...] = 0.0
        return out
    with pytest.raises(GradcheckError, match="writes into its input"):
        tn.gradcheck(fn, make(3))


def test_a_rule_that_gives_another_gradient_the_second_time():
    calls = []

    def rule(g):
        calls.append(0)
        return g * (1 + 1e-3 * len(calls))
    drifting = primitive("test_drifting", lambda xp, x: x * 1.0, kind="elementwise", x=rule)
    with pytest.raises(GradcheckError, match="second backward pass"):
        tn.gradcheck(drifting, make(3))


def test_errors_of_the_function_come_through():
    with pytest.raises(ValueError, match="matmul"):
        tn.gradcheck(tn.matmul, (make(3, 4), make(3, 4)))


# Second order ------------------------------------------------------------------------
def test_second_order():
    result = tn.gradgradcheck(lambda x, w: tn.tanh(x @ w), (make(3, 4), make(4, 2)))
    assert result.verdict == CORRECT
    assert result.order == 2
    assert [r.path for r in result.inputs] == ["inputs[0]", "inputs[1]", "grad_outputs[0]"]


def test_second_order_with_given_cotangents():
    assert tn.gradgradcheck(tn.exp, make(3), make(3, seed=1))
    with pytest.raises(ValueError, match=r"grad_outputs\[0\]: expected shape \(3,\)"):
        tn.gradgradcheck(tn.exp, make(3), make(4))
    with pytest.raises(ValueError, match="2 cotangents for 1 outputs"):
        tn.gradgradcheck(tn.exp, make(3), (make(3), make(3)))


def test_a_rule_that_is_wrong_in_second_order_only():
    def detached(xp, g, x):
        return g * xp.cos(x.detach() if isinstance(x, tn.Tensor) else x)
    once = elementwise("test_once", lambda xp, x: xp.sin(x), x=detached)
    assert tn.gradcheck(once, make(4))
    with pytest.raises(GradcheckError, match="gradgradcheck: WRONG"):
        tn.gradgradcheck(once, make(4))


def test_an_asymmetric_hessian_is_noticed():
    raw = lambda y: y.detach() if isinstance(y, tn.Tensor) else y
    lopsided = elementwise("test_lopsided", lambda xp, x, y: x * y, x=lambda g, y: g * raw(y), y=lambda g, x: g * x)
    result = tn.gradgradcheck(lopsided, (make(3), make(3, seed=1)), raise_exception=False)
    assert any("not symmetric" in text for _, text in result.notes)


# The culprit -------------------------------------------------------------------------
def test_locate_names_the_operation_and_its_line():
    found = locate(lambda x: tn.sum(tn.exp(half_square(tn.sin(x)))), make(4))
    assert found.name == "test_half_square"
    assert "test_gradcheck.py" in found.site
    assert "ratio 0.5" in str(found)


def test_locate_finds_nothing_where_every_rule_is_right():
    assert locate(lambda x: tn.sum(tn.exp(tn.sin(x))), make(4)) is None
    assert locate(lambda x: x.detach() * x, make(4)) is None


def test_locate_in_second_order():
    def detached(xp, g, x):
        return g * xp.cos(x.detach() if isinstance(x, tn.Tensor) else x)
    once = elementwise("test_once_more", lambda xp, x: xp.sin(x), x=detached)
    assert locate(lambda x: once(x * 2), make(4)) is None
    assert locate(lambda x: once(x * 2), make(4), order=2).name == "test_once_more"
    with pytest.raises(ValueError, match="order"):
        locate(tn.sin, make(2), order=3)


# Models ------------------------------------------------------------------------------
class Net(tn.nn.Module):
    def __init__(self, activation=tn.tanh):
        super().__init__()
        self.one, self.two, self.drop = tn.nn.Linear(6, 8), tn.nn.Linear(8, 3), tn.nn.Dropout(0.3)
        self.seen = tn.nn.Buffer(tn.zeros(6))
        self.activation = activation

    def forward(self, x):
        self.seen.data = self.seen.data + 1.0
        return self.two(self.drop(self.activation(self.one(x))))


def test_a_model_is_checked_and_put_back():
    model, x = Net(), tn.randn(5, 6)
    before = {name: p.numpy().copy() for name, p in model.state_dict().items()}
    seen = []
    result = check_module(model, lambda net: tn.mean(net(x) ** 2), progress=lambda done, total: seen.append(total))
    assert result.verdict == CORRECT
    assert [r.path for r in result.inputs] == ["one.weight", "one.bias", "two.weight", "two.bias"]
    assert len(seen) == seen[0] == 7 * 3 + 6
    for name, p in model.state_dict().items():
        np.testing.assert_array_equal(p.numpy(), before[name], err_msg=name)
        assert p.dtype == before[name].dtype


def test_a_wrong_rule_in_a_model_names_its_parameters():
    model, x = Net(minus_cos), tn.randn(5, 6)
    result = check_module(model, lambda: tn.mean(model(x) ** 2), raise_exception=False)
    verdicts = {r.path: r.verdict for r in result.inputs}
    assert verdicts == {"one.weight": WRONG, "one.bias": WRONG, "two.weight": CORRECT, "two.bias": CORRECT}


def test_a_model_is_put_back_when_its_loss_raises():
    model = Net()
    before = model.one.weight.numpy().copy()
    with pytest.raises(RuntimeError, match="on purpose"):
        check_module(model, lambda: (_ for _ in ()).throw(RuntimeError("on purpose")))
    np.testing.assert_array_equal(model.one.weight.numpy(), before)
    assert model.one.weight.dtype == "float32"


def test_a_model_without_parameters():
    with pytest.raises(ValueError, match="no floating parameter"):
        check_module(tn.nn.ReLU(), lambda: tn.zeros(1))
