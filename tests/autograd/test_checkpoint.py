"""checkpoint: the same gradients, bit for bit, with less kept."""
import gc

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.autograd import checkpoint, saved_tensors_report
from tinygrad_notes.autograd.backward import reach
from tinygrad_notes.autograd.node import Node


def leaf(values, dtype="float64"):
    return tn.tensor(np.asarray(values, dtype=dtype), requires_grad=True)


class Net:
    """Blocks of two layers; each block can run under checkpoint."""

    def __init__(self, rng, depth=4, width=8):
        self.blocks = [tuple(leaf(rng.standard_normal((width, width)) / 3) for _ in range(2)) for _ in range(depth)]
        self.weights = [w for block in self.blocks for w in block]

    def __call__(self, x, run):
        for block in self.blocks:
            def piece(h, block=block):
                for w in block:
                    h = tn.tanh(h @ w) + tn.exp(-h * h)
                return h
            x = run(piece, x)
        return x


def directly(fn, *args):
    return fn(*args)


@pytest.fixture
def net(rng):
    return Net(rng)


@pytest.fixture
def x(rng):
    return leaf(rng.standard_normal((16, 8)))


def gradients(net, x, run):
    return [g.numpy() for g in tn.autograd.grad((net(x, run) ** 2).sum(), [x, *net.weights])]


# The same, and less ------------------------------------------------------------------
def test_gradients_equal_bit_for_bit(net, x):
    for with_it, without in zip(gradients(net, x, checkpoint), gradients(net, x, directly)):
        assert (with_it == without).all()


def test_backward_fills_arguments_and_closed_over_parameters(net, x):
    expected = gradients(net, x, directly)
    net(x, checkpoint).backward(2 * net(x, directly).detach())
    for t, g in zip([x, *net.weights], expected):
        np.testing.assert_allclose(t.grad.numpy(), g, rtol=1e-12)


def test_less_is_kept(net, x):
    plain, saved = saved_tensors_report(net(x, directly)), saved_tensors_report(net(x, checkpoint))
    per_activation = x.nbytes
    assert plain.total >= 4 * 2 * 3 * per_activation
    assert saved.total == 3 * per_activation, "of each block only its input is kept; that of the first is the leaf x"


def test_the_inner_graph_is_gone_until_backward(net, x):
    gc.collect()
    before = sum(issubclass(type(o), Node) for o in gc.get_objects())
    y = net(x, checkpoint)
    made = sum(issubclass(type(o), Node) for o in gc.get_objects()) - before
    assert made == 2 * 4, "one node and one output per block"
    assert y.requires_grad


def test_only_one_block_is_alive_at_a_time_in_backward(net, x):
    alive = []
    spy = tn.autograd.elementwise("test_checkpoint_spy", lambda xp, x: x * 1, x=lambda g: alive.append(
        sum(issubclass(type(o), Node) for o in gc.get_objects())) or g)
    net_of_spies = Net(np.random.default_rng(1), depth=6)
    h = x
    for block in net_of_spies.blocks:
        h = checkpoint(lambda h, block=block: spy(tn.tanh(h @ block[0]) @ block[1]), h)
    h.sum().backward()
    assert len(alive) == 6 and max(alive) - min(alive) <= 2 * 6


def test_needed_only(net, x):
    """Only the gradients that were asked for are computed, inside as outside."""
    called = []
    product = tn.autograd.primitive("test_checkpoint_needed", lambda xp, x, y: x * y,
                                    x=lambda g, y: called.append("x") or g * y,
                                    y=lambda g, x: called.append("y") or g * x)
    a, b = leaf([2.0]), leaf([3.0])
    (g,) = tn.autograd.grad(checkpoint(lambda a: product(a, b), a).sum(), a)
    assert g.tolist() == [3.0] and called == ["x"]


# What may stand inside -----------------------------------------------------------------
def test_random_numbers_are_drawn_again(rng):
    w, x = leaf(rng.standard_normal((4, 4))), leaf(rng.standard_normal((8, 4)))
    own = tn.Generator(3)

    def noisy(x, generator):
        return tn.tanh(x @ w) * tn.normal((8, 4)) * tn.normal((8, 4), generator=generator)

    def run(how):
        tn.manual_seed(7)
        own.manual_seed(3)
        y = how(noisy, x, own)
        after = tn.normal((2,)).tolist(), tn.normal((2,), generator=own).tolist()
        g = tn.autograd.grad(y.sum(), [x, w])
        later = tn.normal((2,)).tolist(), tn.normal((2,), generator=own).tolist()
        return [y.numpy(), *[t.numpy() for t in g], np.array(after), np.array(later)]
    for with_it, without in zip(run(checkpoint), run(directly)):
        assert (with_it == without).all()


def test_several_outputs_in_containers():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])

    def f(x):
        return {"a": x * w, "rest": ("text", 3, x.detach()), "b": [tn.exp(x), x]}
    out = checkpoint(f, x)
    assert out["rest"][:2] == ("text", 3) and not out["rest"][2].requires_grad and out["b"][1] is x
    (out["a"].sum() * 2 + (out["b"][0] * out["b"][1]).sum()).backward()
    e = np.exp([1.0, 2.0])
    np.testing.assert_allclose(x.grad.numpy(), 2 * w.numpy() + e + e * x.numpy(), rtol=1e-14)
    np.testing.assert_allclose(w.grad.numpy(), 2 * x.numpy())


def test_only_one_of_several_outputs_is_used():
    x = leaf([1.0, 2.0])
    first, _ = checkpoint(lambda x: (x * x, tn.exp(x)), x)
    first.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_keyword_arguments_and_containers_as_arguments():
    x, y = leaf([1.0]), leaf([2.0])
    out = checkpoint(lambda pair, *, scale: pair["x"] * pair["y"] * scale, {"x": x, "y": y}, scale=5.0)
    out.sum().backward()
    assert x.grad.tolist() == [10.0] and y.grad.tolist() == [5.0]


def test_nested():
    x, w = leaf([0.5, 0.25]), leaf([2.0, 3.0])

    def f(x, how):
        return tn.sin(how(lambda h: tn.exp(h * w) * h, x)) * w

    def run(outer, inner):
        return [g.tolist() for g in tn.autograd.grad(outer(lambda x: f(x, inner), x).sum(), [x, w])]
    plain = run(directly, directly)
    for how in [(checkpoint, checkpoint), (checkpoint, directly), (directly, checkpoint)]:
        np.testing.assert_allclose(run(*how), plain, rtol=1e-15)


def test_interior_tensors_in_the_closure_and_their_hooks():
    x, seen = leaf([1.0, 2.0]), []
    h = x * 3
    h.retain_grad()
    h.register_hook(lambda g: seen.append(g.tolist()))
    x.register_hook(lambda g: seen.append(g.tolist()))
    y = checkpoint(lambda a: a * h * h, x)
    (y.sum() + h.sum()).backward()  # 9 x^3 + 3 x
    assert seen == [[6 * 1 + 1, 6 * 4 + 1], [27 + 3, 108 + 3]], "each hook once, with the whole gradient"
    assert h.grad.tolist() == [7.0, 25.0] and x.grad.tolist() == [30.0, 111.0]


def test_two_closed_over_results_one_of_which_made_the_other():
    x = leaf([2.0])
    a = x * x
    b = a * a
    y = checkpoint(lambda: a * b)  # x^6
    y.sum().backward()
    assert x.grad.tolist() == [6 * 32.0]


def test_second_order():
    x, w = leaf([0.3, -0.2]), leaf([1.5, 2.5])

    def f(how):
        return how(lambda x: tn.exp(x * w) * tn.sin(x), x)

    def second(how):
        gx, gw = tn.autograd.grad(f(how).sum(), [x, w], create_graph=True)
        return [g.numpy() for g in tn.autograd.grad((gx * gx).sum() + (gw * gx).sum(), [x, w])]
    for with_it, without in zip(second(checkpoint), second(directly)):
        np.testing.assert_allclose(with_it, without, rtol=1e-13)


def test_inside_and_around_transforms():
    w = tn.tensor(np.array([1.5, 2.5]))

    def f(x):
        return checkpoint(lambda x: (tn.exp(x * w) * x).sum(), x)

    def plain(x):
        return (tn.exp(x * w) * x).sum()
    x = tn.tensor(np.array([0.3, -0.2]))
    np.testing.assert_allclose(tn.grad(f)(x).numpy(), tn.grad(plain)(x).numpy(), rtol=1e-15)
    np.testing.assert_allclose(tn.hessian(f)(x).numpy(), tn.hessian(plain)(x).numpy(), rtol=1e-13)
    np.testing.assert_allclose(tn.jvp(f, x, w)[1].item(), tn.jvp(plain, x, w)[1].item(), rtol=1e-13)
    scale = leaf([2.0, 3.0])
    g = checkpoint(lambda x: tn.grad(lambda y: (scale * y * y).sum())(x), x)  # 2 scale x, and a leaf made inside
    (g * g).sum().backward()
    np.testing.assert_allclose(scale.grad.numpy(), 8 * scale.numpy() * x.numpy() ** 2, rtol=1e-14)


def test_retain_graph_runs_it_again():
    x, runs = leaf([2.0]), []
    y = checkpoint(lambda x: runs.append(1) or x * x, x)
    y.backward([1.0], retain_graph=True)
    y.backward([1.0])
    assert x.grad.tolist() == [8.0] and len(runs) == 3
    with pytest.raises(RuntimeError, match="through checkpoint a second time"):
        y.backward([1.0])


def test_nothing_recorded_nothing_kept():
    x, runs = leaf([2.0]), []
    with tn.no_grad():
        y = checkpoint(lambda x: runs.append(1) or x * x, x)
    assert not y.requires_grad and runs == [1]
    z = checkpoint(lambda x: x * 2, tn.tensor([1.0]))
    assert not z.requires_grad and z.tolist() == [2.0]
    assert checkpoint(lambda: "nothing") == "nothing"
    assert checkpoint(lambda x: x, x) is x


def test_an_output_of_an_operation_with_several_outside():
    x = leaf([3.0, 1.0, 2.0])
    a, b = tn.autograd.joint("test_checkpoint_two", lambda xp, x: (x * 2, x * 3), lambda g: (g[0] * 2 + g[1] * 3,),
                             outputs=2)(x)
    checkpoint(lambda a: a * b, a).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 12 * x.numpy())


def test_an_output_outside_met_only_in_a_derivative_inside():
    """Its operation kept its outputs: the derivative reaches them where no node of their own can be cut."""
    x = leaf([0.3, -0.4])
    sine, _ = tn.autograd.joint("test_checkpoint_sincos", lambda xp, x: (xp.sin(x), xp.cos(x)),
                                lambda g, out: (g[0] * out[1] - g[1] * out[0],), outputs=2)(x)
    slope = checkpoint(lambda: tn.autograd.grad(sine.sum(), x, create_graph=True)[0])
    np.testing.assert_allclose(slope.numpy(), np.cos(x.numpy()), rtol=1e-15)
    slope.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), -np.sin(x.numpy()), rtol=1e-15)


def test_backward_inside_no_grad():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = checkpoint(lambda x: tn.exp(x) * w, x)
    with tn.no_grad():
        y.backward(tn.ones_like(y))
    np.testing.assert_allclose(w.grad.numpy(), np.exp([1.0, 2.0]))
    assert not w.grad.requires_grad


def test_the_second_run_looks_at_its_own_part_of_the_graph_alone():
    x = leaf([1.0])
    h = x
    for _ in range(50):
        h = tn.sin(h)
    start = h.node.order
    y = tn.exp(h)
    targets = {id(h.node), id(x)}
    assert len(reach([y], targets, since=start)) == 3, "the node of y and the two targets"
    assert len(reach([y], targets)) == 52


# What is refused -------------------------------------------------------------------------
def test_a_parameter_changed_in_between_raises():
    x, w = leaf([1.0]), leaf([2.0])
    y = checkpoint(lambda x: tn.exp(x * w), x)
    w.data = w.data + 1
    with pytest.raises(RuntimeError, match=r"checkpoint of <lambda>: a tensor of shape \(1,\).*other values"):
        y.sum().backward()
    assert x.grad is None


def test_a_write_to_what_it_will_read_raises_before_it_happens():
    x, w = leaf([1.0]), leaf([2.0])
    y = checkpoint(lambda x: tn.exp(x * w), x)
    with tn.no_grad(), pytest.raises(RuntimeError, match="checkpoint"):
        w[0] = 5.0
    y.sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), np.exp([2.0]))


def test_a_function_that_does_something_else_the_second_time_raises():
    x, w, runs = leaf([1.0, 2.0]), leaf([2.0, 3.0]), []

    def shorter(x):
        runs.append(1)
        return tn.exp(x) if len(runs) == 1 else tn.exp(x)[:1]

    def forgets(x):
        runs.append(1)
        return x * w if len(runs) == 1 else x * 2
    for fn, message in [(shorter, r"shapes \(\(1,\),\), the first time \(\(2,\),\)"),
                        (forgets, "depend on all tensors")]:
        runs.clear()
        y = checkpoint(fn, x)
        with pytest.raises(RuntimeError, match=rf"checkpoint of {fn.__name__}: run again.*{message}"):
            y.sum().backward()


def test_an_error_in_the_function_comes_through_and_restores_the_random_state():
    runs = []

    def fails(x):
        runs.append(1)
        if len(runs) > 1:
            raise ZeroDivisionError("second run")
        return x * tn.normal((1,))
    y = checkpoint(fails, leaf([1.0], "float32"))
    state = tn.default_generator.get_state()
    with pytest.raises(ZeroDivisionError, match="second run"):
        y.sum().backward()
    assert (tn.default_generator.get_state() == state).all()
