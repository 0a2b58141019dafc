"""Hooks on gradients: when they run, what they see, what they may change."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.autograd import joint


def leaf(values, dtype="float64"):
    return tn.tensor(np.asarray(values, dtype=dtype), requires_grad=True)


def test_a_leaf_hook_sees_the_whole_gradient_once_per_backward():
    x, seen = leaf([1.0, 2.0]), []
    x.register_hook(lambda g: seen.append(g.tolist()))
    (x * x + x * 3).sum().backward()
    (x * 5).sum().backward()
    assert seen == [[5.0, 7.0], [5.0, 5.0]], "each pass shows its own gradient, not what has added up"
    assert x.grad.tolist() == [10.0, 12.0]


def test_an_interior_hook_sees_the_whole_cotangent_once():
    x, seen = leaf([1.0, 2.0]), []
    h = x * 2
    h.register_hook(lambda g: seen.append(g.tolist()))
    (h * h + h * 3).sum().backward()
    assert seen == [[7.0, 11.0]]


def test_hooks_run_in_the_order_of_registration_and_chain():
    x, order = leaf([1.0]), []
    x.register_hook(lambda g: order.append("a") or g + 1)
    x.register_hook(lambda g: order.append("b"))
    x.register_hook(lambda g: order.append("c") or g * 10)
    h = x * 1
    h.register_hook(lambda g: order.append("h") or g * 2)
    h.sum().backward()
    assert order == ["h", "a", "b", "c"] and x.grad.tolist() == [30.0]


def test_a_replacement_goes_to_everything_behind():
    x, y = leaf([1.0]), leaf([2.0])
    h = x * y
    h.register_hook(lambda g: -g)
    h.sum().backward()
    assert x.grad.tolist() == [-2.0] and y.grad.tolist() == [-1.0]


def test_handles_take_hooks_off():
    x, seen = leaf([1.0]), []
    first, second = x.register_hook(lambda g: seen.append(1)), x.register_hook(lambda g: seen.append(2))
    first.remove()
    first.remove()
    x.sum().backward()
    assert seen == [2]
    with second:
        pass
    x.sum().backward()
    assert seen == [2]


def test_a_hook_may_remove_itself_while_it_runs():
    x, seen = leaf([1.0]), []
    handle = x.register_hook(lambda g: seen.append(1) or handle.remove())
    x.register_hook(lambda g: seen.append(2))
    (x * 2).sum().backward()
    (x * 2).sum().backward()
    assert seen == [1, 2, 2]


def test_what_a_hook_does_to_its_gradient_reaches_nothing_else():
    x = leaf([1.0, 2.0])

    def spoil(g):
        g.data[0] = 100.0
    x.register_hook(spoil)
    cotangent = tn.tensor(np.array([1.0, 1.0]))
    x.backward(cotangent)
    assert x.grad.tolist() == [1.0, 1.0] and cotangent.tolist() == [1.0, 1.0]


def test_hooks_of_a_plain_pass_record_nothing():
    x, w, modes = leaf([1.0]), leaf([2.0]), []
    x.register_hook(lambda g: modes.append(tn.is_grad_enabled()) or g * w)
    (x * 3).sum().backward()
    assert modes == [False] and x.grad.tolist() == [6.0] and not x.grad.requires_grad and w.grad is None


def test_hooks_of_a_recorded_pass_are_differentiated():
    x = leaf([2.0])
    h = x * x
    handle = h.register_hook(lambda g: g * g)
    (first,) = tn.autograd.grad((h * h).sum(), x, create_graph=True)  # (2 x^2)^2 2x = 8 x^5
    assert first.tolist() == [256.0]
    handle.remove()  # it would run in the second pass too
    assert tn.autograd.grad(first.sum(), x)[0].tolist() == [40 * 16.0]


def test_hooks_run_in_grad_too():
    x, seen = leaf([1.0]), []
    h = x * 2
    h.register_hook(lambda g: seen.append("h") or g * 3)
    x.register_hook(lambda g: seen.append("x") or g * 5)
    gx, gh = tn.autograd.grad(h.sum(), [x, h])
    assert seen == ["h", "x"] and gx.tolist() == [30.0] and gh.tolist() == [3.0]


def test_a_hook_on_one_of_several_outputs():
    x, seen = leaf([3.0, 1.0, 2.0]), []
    first, second = tn.split(x * 1, [1])[0:2]
    second.register_hook(lambda g: seen.append(g.tolist()) or g * 2)
    (first.sum() + (second * second).sum()).backward()
    assert seen == [[2.0, 4.0]] and x.grad.tolist() == [1.0, 4.0, 8.0]


@pytest.mark.parametrize("wrong, error", [
    (lambda g: 3.0, TypeError), (lambda g: g.numpy(), TypeError), (lambda g: g.sum(), ValueError)])
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_wrong_replacement_raises(wrong, error, create_graph):
    x = leaf([1.0, 2.0])
    x.register_hook(wrong)
    with pytest.raises(error, match="hook <lambda>: expected"):
        (x * 2).sum().backward(create_graph=create_graph)
    assert x.grad is None


def test_a_replacement_takes_the_dtype_of_the_gradient():
    x = leaf([1.0, 2.0], "float32")
    x.register_hook(lambda g: g.astype("float64") * 2)
    (x * 2).sum().backward()
    assert x.grad.dtype == np.float32 and x.grad.tolist() == [4.0, 4.0]


def test_hooks_where_there_is_nothing_to_hook():
    plain, x = tn.tensor([1.0]), leaf([1.0])
    for register in (plain.register_hook, plain.register_post_accumulate_grad_hook):
        with pytest.raises(RuntimeError, match="does not require a gradient"):
            register(lambda g: None)
    with pytest.raises(RuntimeError, match="does not require a gradient"):
        plain.retain_grad()
    with pytest.raises(TypeError, match="register_hook: expected a function, got int"):
        x.register_hook(3)
    with pytest.raises(RuntimeError, match="result of multiply; only leaves"):
        (x * 2).register_post_accumulate_grad_hook(lambda t: None)


# After accumulation ---------------------------------------------------------------------
def test_post_accumulate_hooks_see_the_sum():
    x, seen = leaf([1.0]), []
    handle = x.register_post_accumulate_grad_hook(lambda t: seen.append((t is x, t.grad.tolist())))
    (x * 2).sum().backward()
    (x * 3).sum().backward()
    assert seen == [(True, [2.0]), (True, [5.0])]
    tn.autograd.grad((x * 2).sum(), x)
    assert len(seen) == 2, "grad() accumulates nothing"
    handle.remove()
    (x * 2).sum().backward()
    assert len(seen) == 2


def test_a_step_inside_backward():
    x = leaf([1.0, 2.0])

    def step(p):
        p.data = p.data - 0.1 * p.grad.data
        p.grad = None
    x.register_post_accumulate_grad_hook(step)
    (x * x).sum().backward()
    np.testing.assert_allclose(x.numpy(), [0.8, 1.6])
    assert x.grad is None


# retain_grad, grad_fn ---------------------------------------------------------------------
def test_retain_grad_fills_interior_gradients():
    x = leaf([1.0, 2.0])
    h = x * 2
    other = x * 3
    assert not h.retains_grad
    h.retain_grad()
    h.retain_grad()
    assert h.retains_grad and not other.retains_grad
    (h * h * other).sum().backward(retain_graph=True)
    np.testing.assert_allclose(h.grad.numpy(), 2 * h.numpy() * other.numpy())
    assert other.grad is None
    (h * 1).sum().backward()
    np.testing.assert_allclose(h.grad.numpy(), 2 * h.numpy() * other.numpy() + 1)


def test_retained_gradients_come_after_the_hooks():
    h = leaf([1.0]) * 2
    h.retain_grad()
    h.register_hook(lambda g: g * 7)
    h.sum().backward()
    assert h.grad.tolist() == [7.0]


def test_retain_grad_on_a_leaf_changes_nothing():
    x = leaf([1.0])
    x.retain_grad()
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0] and not x.retains_grad


def test_retain_grad_of_a_tensor_that_is_gone():
    x = leaf([1.0])
    h = x * 2
    h.retain_grad()
    total = (h * 3).sum()
    del h
    total.backward()
    assert x.grad.tolist() == [6.0]


def test_retained_gradient_with_create_graph_can_be_differentiated():
    x = leaf([2.0])
    h = x * x
    h.retain_grad()
    (h * h).sum().backward(create_graph=True)
    assert h.grad.tolist() == [8.0]
    assert tn.autograd.grad(h.grad.sum(), x)[0].tolist() == [8.0]


def test_grad_fn_is_the_node():
    x = leaf([1.0])
    assert x.grad_fn is None and (x * 2).grad_fn.name == "multiply"
    two = joint("test_two", lambda xp, x: (x * 2, x * 3), lambda g: (g[0] * 2 + g[1] * 3,), outputs=2)
    first, _ = two(x)
    assert first.grad_fn.name == "test_two" and "grad_fn=<test_two>" in repr(first)
    with pytest.raises(AttributeError):
        x.grad_fn = None
