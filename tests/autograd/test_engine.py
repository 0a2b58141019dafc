"""The backward pass: what it computes, what it refuses, and what each leaf receives."""

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.autograd import elementwise, primitive
from tinygrad_notes.autograd.engine import unbroadcast


def leaf(values, dtype="float64"):
    return tn.tensor(np.asarray(values, dtype=dtype), requires_grad=True)


# What arrives ---------------------------------------------------------------------
def test_diamond_and_reused_nodes():
    a = leaf(3.0)
    b = a + a
    c = b + b
    d = c * b  # 4a * 2a
    d.backward()
    assert a.grad.item() == 48.0


def test_a_fan_of_one_node_sums_all_branches():
    x = leaf([1.0, 2.0, 3.0])
    h = tn.exp(x)
    parts = [h * float(k) for k in range(1, 30)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    total.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.exp([1.0, 2.0, 3.0]) * sum(range(1, 30)), rtol=1e-14)


def test_long_and_short_branch_meet_once():
    """The early node must wait for the cotangent of the long way round."""
    seen = []
    spy = elementwise("test_spy", lambda xp, x: xp.sin(x), x=lambda xp, g, x: seen.append(1) or g * xp.cos(x))
    x = leaf([0.3, -0.4])
    h = spy(x)
    long = h
    for _ in range(10):
        long = tn.tanh(long)
    (long * h + h).sum().backward()
    assert len(seen) == 1

    def f(x):
        h = np.sin(x)
        long = h
        for _ in range(10):
            long = np.tanh(long)
        return (long * h + h).sum()
    step = 1e-6
    numeric = [(f(x.numpy() + step * e) - f(x.numpy() - step * e)) / (2 * step) for e in np.eye(2)]
    np.testing.assert_allclose(x.grad.numpy(), numeric, rtol=1e-8)


FORWARDS = {"add": lambda x, y: x + y, "multiply": lambda x, y: x * y, "subtract": lambda x, y: x - y,
            "sin": lambda x: np.sin(x), "copy": lambda x: x}
PULLS = {"add": lambda g, x, y: (g, g), "multiply": lambda g, x, y: (g * y, g * x), "subtract": lambda g, x, y: (g, -g),
         "sin": lambda g, x: (g * np.cos(x),), "copy": lambda g, x: (g,)}


def random_graph(rng, leaves, size):
    """The steps of a random computation: (operation, operands) over all that was computed before."""
    steps = []
    for k in range(size):
        name = rng.choice(list(FORWARDS))
        steps.append((name, [int(i) for i in rng.integers(0, leaves + k, size=1 if name in ("sin", "copy") else 2)]))
    return [*steps, ("add", [0, leaves + size - 1])]


def reverse_by_hand(steps, leaves, cotangent):
    """The gradients of all values by the chain rule, on plain arrays."""
    values = list(leaves)
    for name, at in steps:
        values.append(FORWARDS[name](*[values[i] for i in at]))
    gradients = [np.zeros(2) for _ in values]
    gradients[-1] = cotangent
    for position in reversed(range(len(leaves), len(values))):
        name, at = steps[position - len(leaves)]
        for i, part in zip(at, PULLS[name](gradients[position], *[values[i] for i in at])):
            gradients[i] = gradients[i] + part
    return gradients


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("create_graph", [False, True])
def test_random_graphs_against_the_chain_rule_by_hand(seed, create_graph):
    """Every order of arrival, fan-out and sharing of cotangents between branches."""
    rng = np.random.default_rng(seed)
    arrays, steps = rng.uniform(-1, 1, (3, 2)), random_graph(rng, 3, 40)
    leaves = [leaf(a) for a in arrays]
    values = list(leaves)
    for name, at in steps:
        x = [values[i] for i in at]
        values.append(tn.reshape(x[0], (2,)) if name == "copy" else getattr(tn, name)(*x))
    cotangent = rng.standard_normal(2)
    expected = reverse_by_hand(steps, arrays, cotangent)
    given = tn.tensor(cotangent)
    some = [k for k in (0, 7, 20) if values[k + 3].node is not None]
    for k in some:
        values[k + 3].retain_grad()
    values[-1].backward(given, create_graph=create_graph)
    for t, e in zip(leaves, expected):
        found = np.zeros(2) if t.grad is None else t.grad.numpy()
        np.testing.assert_allclose(found, e, rtol=1e-9, atol=1e-12)
    for k in some:
        found = np.zeros(2) if values[k + 3].grad is None else values[k + 3].grad.numpy()
        np.testing.assert_allclose(found, expected[k + 3], rtol=1e-9, atol=1e-12)
    assert given.tolist() == cotangent.tolist() and [t.tolist() for t in leaves] == arrays.tolist()


def test_gradients_add_up_in_grad():
    x = leaf([1.0, 2.0])
    (x * 3).sum().backward()
    (x * 5).sum().backward()
    assert x.grad.tolist() == [8.0, 8.0]
    x.grad = None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_unused_and_untracked_inputs():
    x, unused, plain = leaf([1.0]), leaf([1.0]), tn.tensor([2.0])
    (x * plain).sum().backward()
    assert unused.grad is None and plain.grad is None and x.grad.tolist() == [2.0]
    with pytest.raises(RuntimeError, match=r"inputs\[1\].*not used"):
        tn.autograd.grad((x * plain).sum(), [x, unused])
    found = tn.autograd.grad((x * plain).sum(), [x, unused], allow_unused=True)
    assert found[0].tolist() == [2.0] and found[1] is None


def test_output_that_is_a_leaf_or_the_input_itself():
    x = leaf([1.0, 2.0])
    x.backward(tn.tensor([3.0, 4.0]))
    assert x.grad.tolist() == [3.0, 4.0]
    assert tn.autograd.grad(x, x, tn.tensor([5.0, 6.0]))[0].tolist() == [5.0, 6.0]
    y = x * 2
    assert tn.autograd.grad(y, y, tn.tensor([5.0, 6.0]))[0].tolist() == [5.0, 6.0]


def test_interior_inputs_of_grad():
    x = leaf([1.0, 2.0])
    h = x * x
    top = (h * 3).sum()
    gh, gx = tn.autograd.grad(top, [h, x])
    assert gh.tolist() == [3.0, 3.0] and gx.tolist() == [6.0, 12.0]


def test_several_outputs_share_one_pass():
    x = leaf([1.0, 2.0])
    h = tn.exp(x)
    (found,) = tn.autograd.grad([h.sum(), (h * x)], x, [None, tn.tensor(np.array([1.0, -1.0]))])
    e = np.exp([1.0, 2.0])
    np.testing.assert_allclose(found.numpy(), e + np.array([1, -1]) * (e + e * [1.0, 2.0]), rtol=1e-14)


@pytest.mark.parametrize("given", [np.array([1.0, 2.0]), [1.0, 2.0], tn.tensor([1.0, 2.0]), tn.tensor([1, 2])])
def test_cotangents_of_every_form(given):
    x = leaf([3.0, 4.0])
    (x * x).backward(given)
    assert x.grad.tolist() == [6.0, 16.0] and x.grad.dtype == np.float64


def test_backward_for_chosen_inputs_alone():
    x, y = leaf([2.0]), leaf([3.0])
    h = x * y
    (h * y).sum().backward(inputs=[x, h])
    assert x.grad.tolist() == [9.0] and h.grad.tolist() == [3.0] and y.grad is None


def test_chosen_inputs_that_nothing_reaches_stay_without_gradient():
    x, y = leaf([2.0]), leaf([3.0])
    (x * 2).sum().backward(inputs=[y])
    assert x.grad is None and y.grad is None


def test_inputs_may_be_a_generator():
    x, y = leaf([2.0]), leaf([3.0])
    found = tn.autograd.grad((x * y).sum(), (t for t in (x, y)))
    assert [g.tolist() for g in found] == [[3.0], [2.0]]


# Broadcasting and dtypes ------------------------------------------------------------
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 1), (1, 3), (2, 3), (1, 1, 1), (4, 1, 3)])
def test_broadcasting_is_undone(shape, rng):
    x, y = leaf(rng.standard_normal(shape)), leaf(rng.standard_normal((4, 2, 3)))
    weights = rng.standard_normal((4, 2, 3))
    (x * y * tn.tensor(weights)).sum().backward()
    wide = np.broadcast_to(x.numpy(), (4, 2, 3))
    expected = np.zeros(shape)
    for index in np.ndindex(4, 2, 3):
        own = tuple(i if n != 1 else 0 for i, n in zip(index[3 - len(shape):], shape))
        expected[own] += (weights * y.numpy())[index]
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(y.grad.numpy(), weights * wide, rtol=1e-12)
    assert x.grad.shape == shape


def test_unbroadcast_refuses_what_was_never_broadcast():
    with pytest.raises(ValueError, match="no broadcast"):
        unbroadcast(np, np.ones((2, 3)), (2,))


def test_mixed_dtypes_give_each_leaf_its_own():
    x, y = leaf([1.0, 2.0], "float32"), leaf([3.0, 4.0], "float64")
    z = x * y
    assert z.dtype == np.float64
    z.sum().backward()
    assert x.grad.dtype == np.float32 and y.grad.dtype == np.float64
    assert x.grad.tolist() == [3.0, 4.0] and y.grad.tolist() == [1.0, 2.0]
    (second,) = tn.autograd.grad(tn.autograd.grad((x * x * y).sum(), x, create_graph=True)[0].sum(), x)
    assert second.dtype == np.float32 and second.tolist() == [6.0, 8.0]


def test_integer_inputs_take_part_without_gradient():
    counts, x = tn.tensor([1, 2, 3]), leaf([0.5, 0.5, 0.5], "float32")
    y = x * counts
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 2.0, 3.0] and counts.grad is None
    with pytest.raises(TypeError, match="floating"):
        counts.requires_grad_()


@pytest.mark.parametrize("create_graph", [False, True])
def test_gradients_are_summed_before_they_take_a_narrower_dtype(create_graph):
    """40,000 cotangents of 1.5 and 80,000 rows would be infinite in float16, or lost one by one."""
    bias, x = leaf(0.0, "float16"), tn.tensor(np.ones(40_000, "float32"))
    (x * bias).backward(np.full(40_000, 1.5, "float32"), create_graph=create_graph)
    assert bias.grad.dtype == np.float16 and bias.grad.item() == 60_000


def test_complex_numbers_on_the_way_are_refused():
    x = leaf([1.0, -2.0])
    for z in (tn.abs(x * 1j), tn.real(x + 1j), tn.exp(tn.sin(x) * 1j)):
        with pytest.raises(NotImplementedError, match="complex numbers on the way from float64 carry no gradient"):
            z.backward(tn.ones_like(z))
    assert x.grad is None


def test_a_sum_of_gradients_without_axes_is_a_tensor():
    """NumPy makes a scalar of the sum of two arrays of no axes; a gradient stays an array with a device."""
    x = tn.Tensor(np.array(2.0), requires_grad=True)
    for _ in range(2):
        (x * 3).backward()
    assert x.grad.device == x.device and x.grad.item() == 6.0 and x.grad.clone().shape == ()


# What is refused --------------------------------------------------------------------
def test_a_second_backward_raises_and_says_so():
    x = leaf([1.0, 2.0])
    y = tn.exp(x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        y.backward()
    assert x.grad.tolist() == np.exp([1.0, 2.0]).tolist(), "the failed pass changed the gradient"


def test_a_second_backward_through_a_shared_part_raises():
    x = leaf([1.0, 2.0])
    h = tn.exp(x)
    h.sum().backward()
    with pytest.raises(RuntimeError, match="backward through exp a second time"):
        (h * 2).sum().backward()


def test_retain_graph_gives_exactly_twice():
    x = leaf([0.1, 0.7, -0.3])
    y = (tn.exp(x) * tn.sin(x)).sum()
    y.backward(retain_graph=True)
    once = x.grad.numpy().copy()
    y.backward()
    assert (x.grad.numpy() == 2 * once).all()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_grad_frees_only_what_it_passed():
    x, y = leaf([2.0]), leaf([3.0])
    hx, hy = tn.exp(x), tn.exp(y)
    total = (hx + hy).sum()
    tn.autograd.grad(total, x)
    hy.sum().backward()  # nothing of this branch was visited
    np.testing.assert_allclose(y.grad.numpy(), np.exp([3.0]))


def test_nothing_to_differentiate():
    with pytest.raises(RuntimeError, match="nothing to differentiate"):
        tn.tensor([1.0]).sum().backward()
    with pytest.raises(RuntimeError, match=r"grad: needed for an output of shape \(2,\)"):
        leaf([1.0, 2.0]).backward()
    with pytest.raises(ValueError, match=r"expected shape \(2,\).*got \(3,\)"):
        leaf([1.0, 2.0]).backward(tn.ones(3))
    with pytest.raises(RuntimeError, match=r"inputs\[0\].*does not require a gradient"):
        tn.autograd.grad(leaf([1.0]).sum(), tn.tensor([1.0]))
    with pytest.raises(RuntimeError, match=r"inputs\[0\].*does not require a gradient"):
        leaf([1.0]).sum().backward(inputs=[tn.tensor([1.0])])
    with pytest.raises(TypeError, match="tn.grad"):
        tn.autograd.grad(lambda x: x, leaf([1.0]))
    with pytest.raises(ValueError, match="2 cotangents for 1 outputs"):
        tn.autograd.grad(leaf([1.0]).sum(), leaf([1.0]), [tn.tensor(1.0), tn.tensor(1.0)])


# Where gradients live ----------------------------------------------------------------
def test_interior_gradients_live_in_the_pass():
    x = leaf([1.0, 2.0])
    h = x * x
    h.sum().backward(retain_graph=True)
    assert h.grad is None and x.grad is not None
    assert not any(isinstance(part, tn.Tensor) for part in h.node.saved if part is not None)


@pytest.mark.parametrize("create_graph", [False, True])
def test_no_two_gradients_share_memory(create_graph):
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    cotangent = tn.tensor(np.array([5.0, 6.0]))
    (a + b).backward(cotangent, create_graph=create_graph)
    a.grad.data[0] = 100.0
    assert b.grad.tolist() == [5.0, 6.0] and cotangent.tolist() == [5.0, 6.0]
    b.grad.data[1] = 200.0
    assert cotangent.tolist() == [5.0, 6.0]


def test_gradients_share_no_memory_with_arrays_of_the_user():
    data, factor = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    x = tn.Tensor(data, requires_grad=True)
    y = x * tn.Tensor(factor)
    y.sum().backward()
    x.grad.data[:] = -1.0
    assert factor.tolist() == [3.0, 4.0] and data.tolist() == [1.0, 2.0]


def test_a_gradient_that_is_a_view_of_the_cotangent_is_copied():
    x, cotangent = leaf(np.ones((2, 2))), np.ones(4)
    tn.reshape(x, (4,)).backward(tn.Tensor(cotangent))
    x.grad.data[0, 0] = 9.0
    assert cotangent.tolist() == [1.0] * 4
    spread = primitive("test_view_gradient", lambda xp, x: xp.sum(x), kind="reduce",
                       x=lambda xp, g, x_shape: xp.broadcast_to(g, x_shape))
    x.grad = None
    spread(x).backward()
    x.grad.data[0, 0] = 9.0
    assert x.grad.tolist() == [[9.0, 1.0], [1.0, 1.0]]


def test_an_accumulated_gradient_leaves_the_earlier_one_alone():
    x = leaf([1.0, 2.0])
    (x * 3).sum().backward()
    earlier = x.grad
    (x * 5).sum().backward()
    assert earlier.tolist() == [3.0, 3.0] and x.grad.tolist() == [8.0, 8.0]


def test_broadcast_gradients_are_arrays_of_their_own():
    x = leaf(np.ones((2, 3)))
    x.sum().backward()
    x.grad.data[0, 0] = 7.0
    assert x.grad.tolist() == [[7.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
