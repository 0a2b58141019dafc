"""Writes in place: done, recorded, or refused before anything has changed."""
import gc

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.autograd import write


def leaf(values=(1.0, 2.0, 3.0)):
    return tn.tensor(np.array(values), requires_grad=True)


def same(tensor, values):
    np.testing.assert_allclose(tensor.tolist(), values)


# Untracked: the memory is written ---------------------------------------------------
@pytest.mark.parametrize("key", [0, slice(None, None, -1), (slice(None), 1), ([0, 1, 0], [1, 1, 2]), ..., None, ([], 0),
                                 np.array([[True, False, True], [False, True, False]]), (np.array([True, False]), 2)],
                         ids=str)
def test_setitem_equals_numpy(key, rng):
    x = rng.standard_normal((2, 3))
    expected, t = x.copy(), tn.tensor(x)
    value = rng.standard_normal(x[key].shape)
    expected[key] = value
    t[key] = tn.tensor(value)
    same(t, expected)
    t[key] = 7
    expected[key] = 7
    same(t, expected)


def test_operators_write_into_the_same_memory():
    x = tn.tensor([4.0, 9.0])
    kept, view = x, x[:1]
    x += 1
    x *= tn.tensor([2.0, 1.0])
    x -= 2
    x /= 4
    x **= 2
    assert x is kept
    same(x, [4.0, 4.0])
    same(view, [4.0])


def test_integer_and_bit_operators():
    x = tn.tensor([7, 8, 9])
    x //= 2
    x %= 3
    x <<= 2
    x |= 1
    x ^= 2
    x >>= 1
    x &= 3
    expected = np.array([7, 8, 9])
    expected = ((((((expected // 2) % 3) << 2) | 1) ^ 2) >> 1) & 3
    assert x.tolist() == expected.tolist()


def test_dtype_and_shape_stay():
    x = tn.zeros(3, dtype=tn.float32)
    x += tn.ones(3, dtype=tn.float64)
    assert x.dtype == tn.float32
    with pytest.raises(ValueError, match=r"x \+= y.*\(3,\).*\(2, 3\)"):
        x += tn.ones((2, 3))
    with pytest.raises(TypeError, match="add_.*float64.*int64"):
        tn.arange(3).add_(1.5)
    with pytest.raises(TypeError, match="exp_.*cannot be written into a int64"):
        tn.arange(3).exp_()


def test_python_numbers_are_written_in_full_precision():
    x = tn.zeros(4, dtype=tn.float64)
    x[0] = 0.1
    x[1:3] = [0.2, 0.3]
    x[3:].copy_([0.4])
    assert x.tolist() == [0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize("write_it, expected", [
    (lambda x: x.add_(2, alpha=3), [7.0, 2.0, 10.0]),
    (lambda x: x.sub_(tn.ones(3), alpha=2), [-1.0, -6.0, 2.0]),
    (lambda x: x.mul_(2), [2.0, -8.0, 8.0]),
    (lambda x: x.div_(2), [0.5, -2.0, 2.0]),
    (lambda x: x.clamp_(min=-1, max=2), [1.0, -1.0, 2.0]),
    (lambda x: x.fill_(5), [5.0, 5.0, 5.0]),
    (lambda x: x.zero_(), [0.0, 0.0, 0.0]),
    (lambda x: x.copy_(tn.tensor([3, 2, 1])), [3.0, 2.0, 1.0]),
    (lambda x: x.copy_(tn.tensor(6.0)), [6.0, 6.0, 6.0]),
    (lambda x: x.neg_().relu_(), [0.0, 4.0, 0.0]),
    (lambda x: x.abs_().sqrt_(), [1.0, 2.0, 2.0]),
    (lambda x: x.masked_fill_(x > 0, 9.0), [9.0, -4.0, 9.0]),
    (lambda x: x.index_add_(0, [0, 0], tn.ones(2)), [3.0, -4.0, 4.0]),
    (lambda x: x.index_fill_(0, [2], 0.0), [1.0, -4.0, 0.0]),
    (lambda x: x.index_put_(([1],), tn.tensor(8.0)), [1.0, 8.0, 4.0]),
    (lambda x: x.scatter_(0, [2, 0], tn.tensor([5.0, 6.0])), [6.0, -4.0, 5.0]),
], ids=lambda value: "")
def test_trailing_underscore(write_it, expected):
    x = tn.tensor([1.0, -4.0, 4.0])
    view = x[:]
    assert write_it(x) is x
    same(x, expected)
    same(view, expected)


def test_random_fills():
    x = tn.zeros((50, 40))
    assert abs(x.normal_(2.0, 0.5).mean().item() - 2.0) < 0.1
    assert 0.0 <= x.uniform_(0.0, 3.0).min().item() < x.max().item() < 3.0


def test_errors_name_the_place():
    x = tn.zeros((2, 3))
    with pytest.raises(IndexError, match=r"x\[key\] = value: index 5 .*axis 1.*size 3"):
        x[0, 5] = 1
    with pytest.raises(ValueError, match=r"x\[key\] = value.*\(2,\).*\(3,\)"):
        x[0] = [1.0, 2.0]
    with pytest.raises(IndexError, match="key.0. is 0.5"):
        x[0.5] = 1
    with pytest.raises(TypeError, match="expected numbers, got str"):
        x[0] = "text"
    same(x, np.zeros((2, 3)))


def test_read_only_and_broadcast_memory():
    with pytest.raises(ValueError, match="add_.*broadcast"):
        tn.broadcast_to(tn.zeros(3), (2, 3)).add_(1)
    frozen = np.zeros(3)
    frozen.flags.writeable = False
    with tn.as_device("cpu"), pytest.raises(ValueError, match="read-only"):
        tn.from_numpy(frozen)[0] = 1


# Tracked: the tensor takes the place of the result ------------------------------------
def test_a_leaf_is_refused_and_unchanged():
    w = leaf()
    for attempt in (lambda: w.__setitem__(0, 5.0), lambda: w.add_(1.0), lambda: w.zero_(), lambda: w.copy_(w * 2),
                    lambda: w.clamp_(0, 1), lambda: w.__imul__(2), lambda: w.normal_()):
        with pytest.raises(RuntimeError, match="leaf that requires a gradient.*index_put"):
            attempt()
    same(w, [1, 2, 3])


def test_a_leaf_is_written_without_grad_mode():
    w = leaf()
    with tn.no_grad():
        w -= 0.5
        w[0] = 7
    same(w, [7.0, 1.5, 2.5])
    assert w.is_leaf and w.requires_grad


def test_interior_results_go_on_in_the_graph():
    w = leaf()
    out, identity = w * w, w * 3
    before = out
    out += identity
    assert out is before
    out.sum().backward()
    same(w.grad, [5.0, 7.0, 9.0])  # 2w + 3


def test_a_tracked_value_makes_the_target_tracked():
    w = leaf()
    total = tn.zeros(3, dtype=tn.float64)
    total[1:] = w[:2] ** 2
    total += w
    (total * tn.tensor([1.0, 10.0, 100.0])).sum().backward()
    same(w.grad, [1 + 20, 10 + 400, 100])


def test_overwritten_places_have_no_gradient():
    w = leaf()
    h = w * 2
    h[1] = 0.0
    h.sum().backward()
    same(w.grad, [2, 0, 2])


def test_the_old_value_stays_for_backward():
    w = leaf()
    h = tn.exp(w)  # its rule reads its output
    h *= 2
    h[0] = 100.0
    h.sum().backward()
    same(w.grad, [0.0, 2 * np.exp(2), 2 * np.exp(3)])


def test_second_order_through_writes():
    w = leaf()
    h = w ** 3
    h += w ** 2
    h[0] = w[1] ** 3
    (first,) = tn.autograd.grad(h.sum(), w, create_graph=True)
    (second,) = tn.autograd.grad(first.sum(), w)
    same(second, [0.0, 12 + 2 + 12, 18 + 2])


def test_recorded_writes_keep_shape_and_dtype():
    w = leaf()
    h = w * 1
    with pytest.raises(ValueError, match=r"x \+= y.*\(2, 3\).*\(3,\)"):
        h += tn.zeros((2, 3), dtype=tn.float64)
    n = tn.arange(3)
    with pytest.raises(TypeError, match="cannot be written into a int64"):
        n += w
    assert h.requires_grad and not n.requires_grad


# Needed by a pending backward: refused -------------------------------------------------
def test_a_saved_constant_is_refused_before_the_write():
    w, a = leaf(), tn.tensor([1.0, 2.0, 3.0], dtype=tn.float64)
    y = (w * a).sum()
    for attempt in (lambda: a.__setitem__(0, 5.0), lambda: a.add_(1.0), lambda: a.zero_(), lambda: a.clamp_(0, 1)):
        with pytest.raises(RuntimeError, match="multiply.*saved them"):
            attempt()
    same(a, [1, 2, 3])
    y.backward()
    a[0] = 5.0
    same(a, [5, 2, 3])


def test_a_view_of_what_is_saved_is_refused():
    w, a = leaf(), tn.tensor(np.arange(6.0))
    y = w * a[:3]
    with pytest.raises(RuntimeError, match="multiply"):
        a[0] = 1.0
    with pytest.raises(RuntimeError, match="multiply"):
        a.reshape(2, 3)[0, 0] = 1.0
    a[3:] += 1  # the other half is free: Python writes into the view and then into `a`, the very same values
    del y
    a[0] = 1.0


def test_detach_does_not_hide_a_saved_value():
    w = leaf()
    h = tn.exp(w)
    with pytest.raises(RuntimeError, match="exp"):
        h.detach()[0] = 0.0
    h.sum().backward()
    h.detach()[0] = 0.0
    same(h[:1], [0.0])


def test_a_parameter_that_backward_needs_is_refused_without_grad_mode_too():
    w = leaf()
    y = (w * w).sum()
    with tn.no_grad(), pytest.raises(RuntimeError, match="multiply"):
        w -= 0.1
    y.backward(retain_graph=True)
    with tn.no_grad(), pytest.raises(RuntimeError, match="multiply"):
        w -= 0.1
    y.backward()
    with tn.no_grad():
        w -= 0.1
    same(w, [0.9, 1.9, 2.9])


def test_dropping_the_result_frees_the_value():
    w = leaf()
    y = tn.exp(w * w)
    del y
    with tn.no_grad():
        w += 1
    same(w, [2, 3, 4])


def test_parameters_in_one_flat_buffer_are_told_apart():
    flat = tn.zeros(6, dtype=tn.float64)
    p, q = flat[:3], flat[3:]
    p.requires_grad_()
    q.requires_grad_()
    y = (p * p).sum()
    with tn.no_grad():
        q += 1
        with pytest.raises(RuntimeError, match="multiply"):
            p += 1
        with pytest.raises(RuntimeError, match="multiply"):
            flat += 1
    y.backward()
    with tn.no_grad():
        flat += 1
    same(flat, [1, 1, 1, 2, 2, 2])


def test_interleaved_views_are_told_apart():
    w, a = leaf(), tn.zeros((3, 2), dtype=tn.float64)
    y = w * a[:, 0]
    odd = a[:, 1]
    odd += 1
    with pytest.raises(RuntimeError, match="multiply"):
        a[:, 0].add_(1)
    assert y.shape == (3,)


def test_hooks_and_retained_gradients_do_not_count():
    w = leaf()
    h = w * 2.0
    h.retain_grad()
    seen = []
    h.register_hook(seen.append)
    h.sum().backward()
    h.grad += 1
    seen[0].mul_(0)
    same(h.grad, [2, 2, 2])
    w.grad.zero_()
    same(w.grad, [0, 0, 0])


def test_a_checkpoint_needs_what_it_will_read_again():
    w, a = leaf(), tn.ones(3, dtype=tn.float64)
    y = tn.autograd.checkpoint(lambda w, a: tn.exp(w * a), w, a)
    with pytest.raises(RuntimeError, match="checkpoint"):
        a += 1
    y.sum().backward()
    a += 1


def test_the_message_names_the_line_under_anomaly_detection():
    w, a = leaf(), tn.ones(3, dtype=tn.float64)
    with tn.detect_anomaly():
        y = w * a
    with pytest.raises(RuntimeError, match="test_write.py"):
        a += 1
    assert y.requires_grad


def test_memory_of_its_own_is_written_without_a_search(monkeypatch):
    def refuse():
        raise AssertionError("searched")
    monkeypatch.setattr(write, "live_nodes", refuse)
    for x in (tn.zeros((2, 3)), tn.zeros((2, 3)).T, tn.zeros(6).reshape(2, 3)):
        x += 1
        x[0] = 2
        x.mul_(3)


def test_one_search_serves_many_writes(monkeypatch):
    searches, search = [], write.live_nodes
    monkeypatch.setattr(write, "live_nodes", lambda: searches.append(1) or search())
    flat = tn.zeros(100)
    parts = [flat[k:k + 10] for k in range(0, 100, 10)]
    tn.exp(leaf())
    with tn.no_grad():
        for part in parts:
            part += 1
    assert len(searches) == 1
    same(flat, np.ones(100))


def test_reference_cycles_are_not_made():
    gc.collect()
    gc.disable()
    try:
        w = leaf()
        h = w * 2
        h += w
        h[0] = w[1]
        h.sum().backward()
        del h
        assert gc.collect() == 0
    finally:
        gc.enable()
