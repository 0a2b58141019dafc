"""Gradient rules: run only where they are needed, and what is said of those that are wrong."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.autograd import elementwise, joint, primitive


def leaf(values, dtype="float64"):
    return tn.tensor(np.asarray(values, dtype=dtype), requires_grad=True)


# Needed only --------------------------------------------------------------------------
def test_a_rule_nobody_asked_for_is_never_called():
    called = []
    product = primitive("test_needed", lambda xp, x, y: x * y, kind="elementwise",
                        x=lambda g, y: called.append("x") or g * y,
                        y=lambda g, x: called.append("y") or g * x)
    x, y = leaf([2.0]), leaf([3.0])
    product(x, y.detach()).sum().backward()
    assert called == ["x"]
    called.clear()
    product(x.detach(), y).sum().backward()
    assert called == ["y"]
    called.clear()
    tn.autograd.grad(product(x, y).sum(), y)
    assert called == ["y"]
    called.clear()
    tn.autograd.grad(product(tn.exp(x), y).sum(), x)
    assert called == ["x"]


def test_a_joint_rule_is_told_what_is_needed():
    told = []
    pair = joint("test_joint_needs", lambda xp, x, y: x * y,
                 lambda g, x, y, needs: told.append(needs) or (g * y if needs[0] else None,
                                                               g * x if needs[1] else None))
    x, y = leaf([2.0]), leaf([3.0])
    pair(x, y.detach()).sum().backward()
    tn.autograd.grad(pair(x, y).sum(), y)
    pair(x, y).sum().backward()
    assert told == [(True, False), (False, True), (True, True)]
    assert x.grad.tolist() == [6.0] and y.grad.tolist() == [2.0]


def test_rules_beyond_the_inputs_of_grad_do_not_run():
    called = []
    early = elementwise("test_early", lambda xp, x: x * 1, x=lambda g: called.append(1) or g)
    x = leaf([2.0])
    h = early(x)
    (found,) = tn.autograd.grad((h * 3).sum(), h)
    assert found.tolist() == [3.0] and not called


# Rules that are wrong -------------------------------------------------------------------
def test_a_missing_rule_raises_when_it_is_needed():
    half = primitive("test_half_rules", lambda xp, x, y: x * y, x=lambda g, y: g * y)
    x, y = leaf([2.0]), leaf([3.0])
    half(x, y.detach()).sum().backward()
    assert x.grad.tolist() == [3.0]
    with pytest.raises(NotImplementedError, match="test_half_rules.*no gradient rule for its input 'y'"):
        half(x, y).sum().backward()
    with pytest.raises(NotImplementedError, match="input 'y'"):
        tn.autograd.grad(half(x, y).sum(), y, create_graph=True)
    assert tn.autograd.grad(half(x, y).sum(), x)[0].tolist() == [3.0], "only what is needed needs a rule"


def test_a_rule_that_returns_none_raises():
    silent = elementwise("test_silent", lambda xp, x: x * 1, x=lambda g: None)
    with pytest.raises(RuntimeError, match="rule of test_silent: returned None"):
        silent(leaf([1.0])).sum().backward()
    x = leaf([1.0])
    with pytest.raises(RuntimeError, match="rule of test_silent: returned None"):
        tn.autograd.grad(silent(x).sum(), x)


def test_a_rule_of_the_wrong_shape_raises_with_its_name():
    wrong = elementwise("test_wrong_shape", lambda xp, x: x * 1, x=lambda xp, g: xp.reshape(g, (3, 2)))
    with pytest.raises(RuntimeError, match=r"rule of test_wrong_shape: gave a gradient of shape \(3, 2\)"):
        wrong(leaf(np.ones((2, 3)))).sum().backward()


def test_an_error_inside_a_rule_names_the_operation():
    broken = elementwise("test_broken", lambda xp, x: x * 1, x=lambda xp, g: xp.no_such_function(g))
    with pytest.raises(AttributeError) as caught:
        broken(leaf([1.0])).sum().backward()
    assert any("test_broken" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("rule", [lambda g: g, lambda g: (g,), lambda g: (g, g, g)])
def test_a_joint_rule_with_the_wrong_number_of_gradients(rule):
    name = f"test_joint_count_{id(rule)}"
    pair = joint(name, lambda xp, x, y: x * y, rule)
    with pytest.raises(RuntimeError, match="expected a tuple of 2 gradients"):
        pair(leaf([1.0, 2.0]), leaf([1.0, 2.0])).sum().backward()
