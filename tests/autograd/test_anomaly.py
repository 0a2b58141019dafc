"""detect_anomaly: the operation, the line, and the masked branch, where the first NaN or infinity came from."""
import inspect

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.autograd import checkpoint, elementwise, joint
from tinygrad_notes.autograd.mode import mode


def leaf(values, dtype="float64"):
    return tn.tensor(np.asarray(values, dtype=dtype), requires_grad=True)


def line_below(lines=1):
    """How a message names the line below the call of this function."""
    return f"{__file__}:{inspect.currentframe().f_back.f_lineno + lines} in "


@pytest.fixture
def raises():
    """Expects an AnomalyError; its text must hold all given parts."""
    class Expect:
        def __init__(self, *parts):
            self.parts, self.context = parts, pytest.raises(tn.AnomalyError)

        def __enter__(self):
            self.info = self.context.__enter__()

        def __exit__(self, *exc):
            done = self.context.__exit__(*exc)
            for part in self.parts:
                assert part in str(self.info.value)
            return done
    return Expect


# Forward ------------------------------------------------------------------------------
def test_forward_names_the_operation_and_the_line(raises):
    x = leaf([1.0, 0.0])
    with tn.detect_anomaly():
        y = x * 2
        here = line_below(2)
        with raises("forward of log: made the first infinity, from finite inputs", here, "tn.log(y)"):
            tn.log(y)


def test_forward_nan_from_infinities_that_the_user_put_in(raises):
    x = leaf([1.0])
    with tn.detect_anomaly():
        masked = x + float("-inf")
        with raises("forward of subtract: made the first NaN, from inputs that hold infinity"):
            masked - masked


def test_a_mask_of_minus_infinity_is_no_anomaly():
    x = leaf([1.0, 2.0, 3.0])
    mask = tn.tensor(np.array([0.0, float("-inf"), 0.0]))
    with tn.detect_anomaly():
        p = tn.exp(x + mask)
        (p / p.sum()).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


def test_an_infinity_given_as_a_parameter_is_no_anomaly(raises):
    filled = elementwise("test_anomaly_fill", lambda xp, x, *, value: xp.where(x > 0, x, value), x=lambda g: g)
    x = leaf([1.0, -1.0])
    with tn.detect_anomaly():
        assert filled(x, value=float("inf")).tolist() == [1.0, float("inf")]
        with raises("its input 'value' already holds NaN"):
            filled(x, value=float("nan"))


def test_a_nan_in_the_data_is_said_to_come_from_there(raises):
    x, data = leaf([1.0, 2.0]), tn.tensor(np.array([1.0, np.nan]))
    with tn.detect_anomaly(), raises("forward of multiply: its input 'y' already holds NaN"):
        x * data


def test_forward_of_an_operation_with_several_outputs(raises):
    two = joint("test_anomaly_two", lambda xp, x: (x + 1, xp.log(x)), lambda xp, g, x: (g[0] + g[1] / x,), outputs=2)
    with tn.detect_anomaly(), raises("forward of test_anomaly_two: made the first infinity"):
        two(leaf([1.0, 0.0]))


# Backward -----------------------------------------------------------------------------
def test_backward_names_the_line_that_recorded_it(raises):
    x = leaf([4.0, 0.0])
    with tn.detect_anomaly():
        here = line_below()
        y = tn.sqrt(x)
        total = (y * 3).sum()
        with raises("backward of sqrt: made the first infinity, in the gradient of its input 'x'", here, "tn.sqrt(x)"):
            total.backward()
    assert x.grad is None


def test_the_masked_branch_of_where(raises):
    x = leaf([4.0, 0.0])
    with tn.detect_anomaly():
        root = tn.sqrt(x)
        here = line_below()
        y = tn.where(x > 0, root, tn.zeros_like(x))
        with raises("backward of sqrt: made the first NaN", "root = tn.sqrt(x)", f"where, recorded at {here}",
                    "masked this branch out", "where(mask, f(where(mask, x, safe)), other)"):
            y.sum().backward()


def test_the_double_where_it_advises_is_finite():
    x = leaf([4.0, 0.0])
    with tn.detect_anomaly():
        positive = x > 0
        y = tn.where(positive, tn.sqrt(tn.where(positive, x, tn.ones_like(x))), tn.zeros_like(x))
        y.sum().backward()
    assert x.grad.tolist() == [0.25, 0.0]


def test_the_masked_branch_through_other_operations(raises):
    x = leaf([4.0, 0.0])
    with tn.detect_anomaly():
        branch = tn.sin(tn.sqrt(x) * 2) + 1
        with raises("backward of sqrt", "where, recorded at"):
            tn.where(x > 0, branch, 0.0 * x).sum().backward()
        with raises("backward of sqrt", "multiply, recorded at", "masked this branch out (its input 'x')"):
            (tn.sqrt(x) * tn.tensor(np.array([1.0, 0.0]))).sum().backward()
        with raises("backward of sqrt", "masked this branch out"):
            tn.sqrt(x)[:1].sum().backward()


def test_an_infinity_that_was_not_masked_has_no_such_hint():
    x = leaf([4.0, 0.0])
    with tn.detect_anomaly(), pytest.raises(tn.AnomalyError) as caught:
        tn.sqrt(x).sum().backward()
    assert "masked this" not in str(caught.value)


def test_backward_of_an_operation_with_several_outputs(raises):
    roots = joint("test_anomaly_roots", lambda xp, x: (xp.sqrt(x), x * 1), lambda g, out: (g[0] / out[0] / 2 + g[1],),
                  outputs=2)
    x = leaf([4.0, 0.0])
    with tn.detect_anomaly(), raises("backward of test_anomaly_roots: made the first NaN"):
        roots(x)[1].sum().backward()
    with tn.detect_anomaly(), raises("backward of test_anomaly_roots: made the first infinity"):
        sum(part.sum() for part in roots(x)).backward()


def test_a_branch_masked_above_an_operation_with_several_outputs(raises):
    two = joint("test_anomaly_pair", lambda xp, x: (x * 1, x * 2), lambda g: (g[0] + 2 * g[1],), outputs=2)
    x = leaf([4.0, 0.0])
    with tn.detect_anomaly():
        first, _ = two(tn.sqrt(x))
        with raises("backward of sqrt", "where, recorded at"):
            tn.where(x > 0, first, 0.0 * x).sum().backward()


def test_a_bad_cotangent_is_the_users():
    x = leaf([1.0, 2.0])
    with tn.detect_anomaly(), pytest.raises(tn.AnomalyError, match="cotangent given to backward.. holds NaN"):
        (x * 2).backward([1.0, float("nan")])


def test_a_sum_of_cotangents_that_overflows(raises):
    x = leaf([0.0], "float32")
    with tn.detect_anomaly():
        h = x * 1
        with raises("backward of multiply: the sum of the cotangents that reached it"):
            (h * 3e38 + h * 3e38).backward([1.0])
        with raises("gradient of a leaf of shape (1,): the sum of what reached it"):
            (x * 3e38 + x * 3e38).backward([1.0])


def test_recorded_outside_the_block(raises):
    y = tn.sqrt(leaf([0.0])).sum()
    with tn.detect_anomaly(), raises("backward of sqrt", "recorded outside detect_anomaly"):
        y.backward()


# Higher orders -----------------------------------------------------------------------------
def test_a_recorded_pass_names_the_rule_and_not_its_parts(raises):
    x = leaf([0.0])
    with tn.detect_anomaly():
        y = tn.sqrt(x)
        with raises("backward of sqrt: made the first infinity", "y = tn.sqrt(x)"):
            tn.autograd.grad(y.sum(), x, create_graph=True)


def test_second_order_names_the_operation_inside_the_rule(raises):
    x = leaf([0.0])
    power = elementwise("test_anomaly_power", lambda xp, x: xp.sqrt(x) * x, x=lambda xp, g, x: g * 1.5 * xp.sqrt(x))
    with tn.detect_anomaly():
        y = power(x)
        (first,) = tn.autograd.grad(y.sum(), x, create_graph=True)
        with raises("backward of sqrt: made the first infinity", "test_anomaly_power's gradient rule", "y = power(x)"):
            tn.autograd.grad(first.sum(), x)


def test_under_checkpoint_the_inner_line_is_named(raises):
    x = leaf([0.0])
    with tn.detect_anomaly():
        def inner(x):
            return tn.sqrt(x) * 2
        with raises("backward of sqrt: made the first infinity", "return tn.sqrt(x) * 2"):
            checkpoint(inner, x).sum().backward()


# The switch -----------------------------------------------------------------------------
def test_nested_and_switched_off_inside(raises):
    x = leaf([0.0])
    with tn.detect_anomaly():
        with tn.detect_anomaly():
            pass
        assert mode.record == 2
        with tn.detect_anomaly(False):
            assert mode.record == 1
            tn.log(x)
        with raises("forward of log"):
            tn.log(x)
        with tn.no_grad():
            assert mode.record == 0
            tn.log(x)
    assert mode.record == 1


def test_off_it_notes_nothing():
    assert leaf([1.0]).sum().node.extra is None
    with tn.detect_anomaly():
        assert "site" in leaf([1.0]).sum().node.extra
    assert leaf([1.0]).sum().node.extra is None


@pytest.mark.host_only
def test_numpy_is_silent_inside_and_as_before_outside():
    x = leaf([0.0])
    with tn.detect_anomaly(), pytest.raises(tn.AnomalyError):
        tn.log(x)
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        tn.log(x)


def test_as_a_decorator():
    @tn.detect_anomaly()
    def train(x):
        return tn.log(x)
    with pytest.raises(tn.AnomalyError, match="forward of log"):
        train(leaf([0.0]))


def test_gradients_are_the_same_inside(rng):
    x, w = leaf(rng.standard_normal((3, 4))), leaf(rng.standard_normal((4, 2)))

    def run():
        y = tn.tanh(x @ w)
        return [g.numpy() for g in tn.autograd.grad((tn.where(y > 0, y, y * y)).sum(), [x, w])]
    plain = run()
    with tn.detect_anomaly():
        inside = run()
    assert all((a == b).all() for a, b in zip(plain, inside))
