"""Derivatives of derivatives through the tape, and operations with several outputs."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.autograd import joint


def leaf(values, dtype="float64"):
    return tn.tensor(np.asarray(values, dtype=dtype), requires_grad=True)


def ladder(y, x, order):
    """y and its first derivatives with respect to x, each computed from the one before."""
    steps = [y]
    for _ in range(order):
        (y,) = tn.autograd.grad(y.sum(), x, create_graph=True)
        steps.append(y)
    return steps


# Any order ---------------------------------------------------------------------------
def test_derivatives_of_a_power_to_order_five():
    x = leaf([1.5, -2.0])
    found = ladder(x * x * x * x * x, x, 5)
    for order, factor in enumerate([1, 5, 20, 60, 120, 120]):
        np.testing.assert_allclose(found[order].numpy(), factor * np.array([1.5, -2.0]) ** (5 - order), rtol=1e-13)


def test_derivatives_of_the_sine_come_round_again():
    x = leaf([0.3, 1.2])
    found = ladder(tn.sin(x), x, 8)
    for order, value in enumerate(found):
        np.testing.assert_allclose(value.numpy(), np.sin(x.numpy() + order * np.pi / 2), atol=1e-14)


def test_mixed_derivatives():
    x, y = leaf(1.3), leaf(0.7)
    f = tn.exp(x * y) * tn.sin(y)
    (fx,) = tn.autograd.grad(f, x, create_graph=True)
    (fxy,) = tn.autograd.grad(fx, y, create_graph=True)
    (fxyx,) = tn.autograd.grad(fxy, x)
    a, b = 1.3, 0.7
    e = np.exp(a * b)
    np.testing.assert_allclose(fx.item(), b * e * np.sin(b), rtol=1e-14)
    np.testing.assert_allclose(fxy.item(), e * (np.sin(b) + a * b * np.sin(b) + b * np.cos(b)), rtol=1e-14)
    third = e * (2 * b * np.sin(b) + a * b * b * np.sin(b) + b * b * np.cos(b))
    np.testing.assert_allclose(fxyx.item(), third, rtol=1e-13)


def test_backward_with_create_graph_fills_tracked_gradients():
    x = leaf([1.0, 2.0])
    (x * x * x).sum().backward(create_graph=True)
    first = x.grad
    assert first.requires_grad and first.tolist() == [3.0, 12.0]
    x.grad = None
    first.sum().backward()
    assert x.grad.tolist() == [6.0, 12.0]


def test_tracked_gradients_add_up_tracked():
    x = leaf([1.0, 2.0])
    (x * x).sum().backward(create_graph=True)
    (x * x * x).sum().backward(create_graph=True)
    both = x.grad
    assert both.tolist() == [5.0, 16.0]
    assert tn.autograd.grad(both.sum(), x)[0].tolist() == [8.0, 14.0]


def test_the_cotangent_can_be_differentiated():
    x, v = leaf([1.0, 2.0]), leaf([3.0, 5.0])
    (product,) = tn.autograd.grad(tn.exp(x), x, v, create_graph=True)
    gv, gx = tn.autograd.grad(product.sum(), [v, x])
    np.testing.assert_allclose(gv.numpy(), np.exp([1.0, 2.0]))
    np.testing.assert_allclose(gx.numpy(), np.exp([1.0, 2.0]) * [3.0, 5.0])


def test_a_constant_second_derivative_is_reported_as_unused():
    x = leaf([1.0, 2.0])
    (first,) = tn.autograd.grad((x * 3).sum(), x, create_graph=True)
    assert not first.requires_grad
    with pytest.raises(RuntimeError, match="nothing to differentiate"):
        tn.autograd.grad(first.sum(), x)


def test_gradient_penalty(rng):
    """The penalty of a critic on the norm of its input gradient, against differences of the penalty itself."""
    x, w = rng.standard_normal((5, 3)), rng.standard_normal((3, 4))
    v = rng.standard_normal((4, 1))

    def penalty(w):
        x_ = tn.tensor(x, requires_grad=True)
        score = (tn.tanh(x_ @ w) @ tn.tensor(v)).sum()
        (g,) = tn.autograd.grad(score, x_, create_graph=True)
        return ((tn.sqrt((g * g).sum(axis=1)) - 1.0) ** 2).sum()
    w_ = leaf(w)
    penalty(w_).backward()

    def by_hand(w):
        h = np.tanh(x @ w)
        g = ((1 - h * h) * v.T) @ w.T
        return ((np.sqrt((g * g).sum(1)) - 1) ** 2).sum()
    np.testing.assert_allclose(penalty(tn.tensor(w)).item(), by_hand(w), rtol=1e-12)
    step, numeric = 1e-6, np.zeros_like(w)
    for index in np.ndindex(*w.shape):
        e = np.zeros_like(w)
        e[index] = step
        numeric[index] = (by_hand(w + e) - by_hand(w - e)) / (2 * step)
    np.testing.assert_allclose(w_.grad.numpy(), numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("seed", range(8))
def test_second_derivatives_of_random_graphs(seed):
    """Products with the Hessian against differences of the first derivative, which random graphs check elsewhere."""
    rng = np.random.default_rng(seed)
    steps = [(rng.choice(["add", "multiply", "sin", "tanh"]), rng.integers(0, 3 + k, 2)) for k in range(25)]

    def f(point):
        values = [point[0], point[1], point[2]]
        for name, (i, j) in steps:
            values.append(getattr(tn, name)(*([values[i], values[j]] if name in ("add", "multiply") else [values[i]])))
        return tn.tanh(values[-1]) + tn.sin(values[-2]) * values[-3]
    x, v, h = rng.uniform(-1, 1, 3), rng.standard_normal(3), 1e-5
    found = tn.hvp(f, tn.tensor(x), tn.tensor(v)).numpy()
    slope = tn.grad(f)
    numeric = (slope(tn.tensor(x + h * v)).numpy() - slope(tn.tensor(x - h * v)).numpy()) / (2 * h)
    np.testing.assert_allclose(found, numeric, rtol=1e-5, atol=1e-6)


# A leaf that changes in between ---------------------------------------------------------
def test_a_leaf_given_other_values_still_has_its_old_derivatives():
    x = leaf([2.0])
    y = (x * x * x).sum()
    x.data = x.data * 10  # as an optimizer does
    (first,) = tn.autograd.grad(y, x, create_graph=True)
    (second,) = tn.autograd.grad(first.sum(), x, create_graph=True)
    (third,) = tn.autograd.grad(second.sum(), x)
    assert first.tolist() == [12.0] and second.tolist() == [12.0] and third.tolist() == [6.0]


def test_a_leaf_changed_between_first_and_second_derivative():
    x = leaf([2.0])
    (first,) = tn.autograd.grad((x * x * x).sum(), x, create_graph=True)
    x.data = x.data * 10
    (second,) = tn.autograd.grad(first.sum(), x)
    assert second.tolist() == [12.0]


# Several outputs --------------------------------------------------------------------------
@pytest.fixture(scope="module")
def sincos():
    """sin and cos of one input at once, reading its own outputs."""
    return joint("test_sincos", lambda xp, x: (xp.sin(x), xp.cos(x)),
                 lambda g, out: (g[0] * out[1] - g[1] * out[0],), kind="elementwise", outputs=2)


@pytest.fixture(scope="module")
def polar():
    """Radius and angle of a point, reading its inputs."""
    def rule(xp, g, x, y):
        square = x * x + y * y
        r = xp.sqrt(square)
        return g[0] * x / r - g[1] * y / square, g[0] * y / r + g[1] * x / square
    return joint("test_polar", lambda xp, x, y: (xp.sqrt(x * x + y * y), xp.atan2(y, x)), rule, outputs=2)


@pytest.mark.parametrize("use", ["both", "first", "second"])
def test_outputs_of_one_operation_to_third_order(sincos, use):
    x = leaf([0.3, -1.1])
    s, c = sincos(x)
    a, b = {"both": (1.0, 2.0), "first": (1.0, 0.0), "second": (0.0, 2.0)}[use]
    y = a * s + b * c if use == "both" else s if use == "first" else 2.0 * c
    for order, found in enumerate(ladder(y, x, 3)):
        shift = x.numpy() + order * np.pi / 2
        np.testing.assert_allclose(found.numpy(), a * np.sin(shift) + b * np.cos(shift), atol=1e-14)


def test_outputs_pulled_one_after_the_other(sincos):
    x = leaf([0.3])
    s, c = sincos(x)
    s.sum().backward(retain_graph=True)
    np.testing.assert_allclose(x.grad.numpy(), np.cos([0.3]))
    x.grad = None
    c.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), -np.sin([0.3]))
    with pytest.raises(RuntimeError, match="through test_sincos a second time"):
        s.sum().backward()


def test_an_output_used_twice_and_one_not_at_all(polar):
    x, y = leaf([3.0]), leaf([4.0])
    r, _ = polar(x, y)
    (r * r).sum().backward()
    np.testing.assert_allclose([x.grad.item(), y.grad.item()], [6.0, 8.0], rtol=1e-14)


def test_second_order_through_two_inputs_and_two_outputs(polar):
    x, y = leaf(1.2), leaf(0.7)
    r, angle = polar(x, y)
    f = r * r * r * angle
    gx, gy = tn.autograd.grad(f, [x, y], create_graph=True)
    gxx, gxy = tn.autograd.grad(gx, [x, y], retain_graph=True)
    gyx, gyy = tn.autograd.grad(gy, [x, y])

    def value(x, y):
        return np.hypot(x, y) ** 3 * np.arctan2(y, x)
    h, a, b = 1e-4, 1.2, 0.7
    along_x = (value(a + h, b) - 2 * value(a, b) + value(a - h, b)) / h**2
    along_y = (value(a, b + h) - 2 * value(a, b) + value(a, b - h)) / h**2
    cross = (value(a + h, b + h) - value(a + h, b - h) - value(a - h, b + h) + value(a - h, b - h)) / (4 * h * h)
    np.testing.assert_allclose([gxx.item(), gxy.item(), gyy.item()], [along_x, cross, along_y], rtol=1e-6)
    np.testing.assert_allclose(gyx.item(), gxy.item(), rtol=1e-13)


def test_grad_stops_at_one_output(polar):
    x, y = leaf([3.0]), leaf([4.0])
    r, angle = polar(x, y)
    gr, ga, gx = tn.autograd.grad((r * 2 + angle * 3).sum(), [r, angle, x])
    assert gr.tolist() == [2.0] and ga.tolist() == [3.0]
    np.testing.assert_allclose(gx.numpy(), [2 * 3 / 5 - 3 * 4 / 25], rtol=1e-14)


def test_an_integer_output_carries_no_gradient():
    counted = joint("test_counted", lambda xp, x: (x * 2, xp.argsort(x)), lambda g: (g[0] * 2,), outputs=2)
    doubled, order = counted(leaf([3.0, 1.0]))
    assert doubled.requires_grad and not order.requires_grad and order.tolist() == [1, 0]
    x = leaf([3.0, 1.0])
    doubled, _ = counted(x)
    doubled.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_as_many_outputs_as_the_forward_returns():
    parts = joint("test_parts", lambda xp, x, *, n: tuple(x * k for k in range(1, n + 1)),
                  lambda g: (sum((part * k for k, part in enumerate(g, 1)), 0.0 * g[0]),), outputs=0)
    x = leaf([1.0, 2.0])
    found = parts(x, n=3)
    assert len(found) == 3
    (found[0] + found[2]).sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]


def test_a_sorted_pair_of_outputs_of_ours():
    x = leaf([3.0, 1.0, 2.0])
    values, order = tn.topk(x, 2)
    assert order.tolist() == [0, 2]
    (values * values * values).sum().backward(retain_graph=True)
    assert x.grad.tolist() == [27.0, 0.0, 12.0]
    (first,) = tn.autograd.grad((values * values * values).sum(), x, create_graph=True)
    assert tn.autograd.grad(first.sum(), x)[0].tolist() == [18.0, 0.0, 12.0]


def test_parts_are_none_where_nobody_used_an_output():
    """A rule that reads `parts` sees which outputs were used, in every kind of pass."""
    seen = []

    def rule(parts, out):
        seen.append(tuple(p is None for p in parts))
        terms = [] if parts[0] is None else [parts[0] * out[1]]
        return (sum(terms if parts[1] is None else [*terms, -parts[1] * out[0]]),)

    both = joint("test_used_parts", lambda xp, x: (xp.sin(x), xp.cos(x)), rule, outputs=2)
    x = tn.tensor(0.3, dtype="float64", requires_grad=True)
    slope, = tn.autograd.grad(both(x)[0], x, create_graph=True)
    slope.backward()
    assert slope.item() == pytest.approx(np.cos(0.3)) and x.grad.item() == pytest.approx(-np.sin(0.3))
    assert seen == [(False, True), (True, False)]
    one = tn.tensor(1.0, dtype="float64")
    assert tn.jvp(lambda x: both(x)[1], (x,), (one,))[1].item() == pytest.approx(-np.sin(0.3))
