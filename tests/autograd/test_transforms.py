"""Derivatives of functions: grad, value_and_grad, vjp, jvp, jacobian, hessian, hvp."""
from collections import namedtuple

import numpy as np
import pytest

import tinygrad_notes as tn


def array(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def numeric_jacobian(f, x, step=1e-6):
    """Central differences of a NumPy function, of shape f(x).shape + x.shape."""
    columns = []
    for index in np.ndindex(*x.shape):
        e = np.zeros_like(x)
        e[index] = step
        columns.append((f(x + e) - f(x - e)) / (2 * step))
    return np.stack(columns, axis=-1).reshape(np.shape(f(x)) + x.shape)


# grad and value_and_grad ----------------------------------------------------------------
def test_grad_of_a_number():
    assert tn.grad(lambda x: x * x * x)(2.0).item() == 12.0
    assert tn.grad(tn.grad(tn.grad(lambda x: x ** 4)))(2.0).item() == 48.0


def test_grad_of_nested_containers():
    Layer = namedtuple("Layer", "w b")

    def loss(params, x):
        h = x
        for layer in params["layers"]:
            h = tn.tanh(h @ layer.w + layer.b)
        return (h * params["scale"]).sum()
    w, b, x = array(3, 3), array(3, seed=1), array(2, 3, seed=2)
    params = {"layers": [Layer(tn.tensor(w), tn.tensor(b))], "scale": 2.0, "unused": (None, tn.tensor([1.0]))}
    value, g = tn.value_and_grad(loss)(params, tn.tensor(x))
    h = np.tanh(x @ w + b)
    np.testing.assert_allclose(value.item(), 2 * h.sum(), rtol=1e-12)
    np.testing.assert_allclose(g["layers"][0].w.numpy(), x.T @ (2 * (1 - h * h)), rtol=1e-12)
    np.testing.assert_allclose(g["layers"][0].b.numpy(), (2 * (1 - h * h)).sum(0), rtol=1e-12)
    np.testing.assert_allclose(g["scale"].item(), h.sum(), rtol=1e-6)
    assert isinstance(g["layers"][0], Layer) and g["unused"][0] is None and g["unused"][1].tolist() == [0.0]


def test_argnums():
    def f(x, y, k):
        return x * x * y * k
    assert tn.grad(f)(3.0, 5.0, 2).item() == 60.0
    assert tn.grad(f, argnums=1)(3.0, 5.0, 2).item() == 18.0
    assert tn.grad(f, argnums=-2)(3.0, 5.0, 2).item() == 18.0
    both = tn.grad(f, argnums=(1, 0))(3.0, 5.0, 2)
    assert isinstance(both, tuple) and [g.item() for g in both] == [18.0, 60.0]
    assert [g.item() for g in tn.grad(f, argnums=(0,))(3.0, 5.0, k=2)] == [60.0]


def test_has_aux():
    def f(x):
        return (x * x).sum(), {"x": x, "name": "aux", "twice": [x * 2]}
    x = tn.tensor([1.0, 2.0])
    g, aux = tn.grad(f, has_aux=True)(x)
    assert g.tolist() == [2.0, 4.0] and aux["name"] == "aux"
    assert not aux["x"].requires_grad and aux["twice"][0].node is None, "what comes along holds no graph"
    (value, aux), g = tn.value_and_grad(f, has_aux=True)(x)
    assert value.item() == 5.0 and aux["twice"][0].tolist() == [2.0, 4.0]


def test_flags_of_the_inputs_are_neither_needed_nor_changed():
    plain, tracked = tn.tensor([1.0, 2.0]), tn.tensor([1.0, 2.0], requires_grad=True)
    for x in (plain, tracked):
        before = x.requires_grad
        assert tn.grad(lambda x: (x * x).sum())(x).tolist() == [2.0, 4.0]
        assert x.requires_grad is before and x.grad is None and x.node is None


def test_unused_and_constant():
    x, y = tn.tensor([1.0, 2.0]), tn.tensor([[3.0]])
    gx, gy = tn.grad(lambda x, y: (x * x).sum(), argnums=(0, 1))(x, y)
    assert gy.tolist() == [[0.0]] and gx.tolist() == [2.0, 4.0]
    assert tn.grad(lambda x: tn.tensor(1.0))(x).tolist() == [0.0, 0.0]
    assert tn.grad(lambda x: 3.0)(x).tolist() == [0.0, 0.0]
    assert tn.grad(lambda x: x.detach().sum())(x).tolist() == [0.0, 0.0]


def test_the_identity_and_the_same_tensor_twice():
    x = tn.tensor(2.0)
    assert tn.grad(lambda x: x)(x).item() == 1.0
    assert [g.item() for g in tn.grad(lambda a, b: a * a * b, argnums=(0, 1))(x, x)] == [8.0, 4.0]


def test_only_the_argument_counts_not_the_same_tensor_in_a_closure():
    x = tn.tensor(3.0, requires_grad=True)
    assert tn.grad(lambda y: y * x)(x).item() == 3.0


def test_it_works_inside_no_grad_and_with_no_grad_inside():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    with tn.no_grad():
        g = tn.grad(lambda x: (x * x).sum())(x)
        assert not tn.is_grad_enabled() and not g.requires_grad
        assert tn.hessian(lambda x: (x * x * x).sum())(x).tolist() == [[6.0, 0.0], [0.0, 12.0]]
    assert g.tolist() == [2.0, 4.0]

    def f(x):
        with tn.no_grad():
            factor = x * 1
        return (factor * x).sum()
    assert tn.grad(f)(x).tolist() == [1.0, 2.0]


# When a derivative is recorded -------------------------------------------------------------
def test_plain_use_records_nothing():
    x = tn.tensor([1.0, 2.0])
    value, g = tn.value_and_grad(lambda x: tn.exp(x).sum())(x)
    for t in (value, g, tn.hessian(lambda x: tn.exp(x).sum())(x), *tn.jvp(tn.exp, x, x), tn.jacobian(tn.exp)(x)):
        assert not t.requires_grad and t.node is None
    output, pull = tn.vjp(tn.exp, x)
    assert not output.requires_grad and not pull(x)[0].requires_grad


def test_a_tracked_argument_makes_the_derivative_recorded():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    g = tn.grad(lambda x: (x * x * x).sum())(x)
    assert g.requires_grad
    g.sum().backward()
    assert x.grad.tolist() == [6.0, 12.0]


def test_an_interior_tensor_as_argument():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    value, g = tn.value_and_grad(lambda y: (y * y * y).sum())(x * 2)
    (value + g.sum()).backward()  # (2x)^3 + 3 (2x)^2
    assert x.grad.tolist() == [24 * 1 + 24 * 1, 24 * 4 + 24 * 2]


def test_a_closure_over_parameters_makes_it_recorded():
    """The gradient penalty: a derivative with respect to the data, differentiated with respect to the weights."""
    w = tn.tensor([2.0, 3.0], requires_grad=True)
    g = tn.grad(lambda x: (w * x * x).sum())(tn.tensor([1.0, 5.0]))
    assert g.requires_grad and g.tolist() == [4.0, 30.0]
    (g * g).sum().backward()  # d/dw sum (2 w x)^2 = 8 w x^2
    assert w.grad.tolist() == [16.0, 600.0]
    with tn.no_grad():
        assert not tn.grad(lambda x: (w * x * x).sum())(tn.tensor([1.0, 5.0])).requires_grad


def test_a_graph_in_the_closure_stays_whole():
    w, seen = tn.tensor([2.0, 3.0], requires_grad=True), []
    w.register_hook(seen.append)
    h = w * w
    with tn.no_grad():
        assert tn.grad(lambda x: (h * x * x).sum())(tn.tensor([1.0, 5.0])).tolist() == [8.0, 90.0]
    assert not seen
    h.sum().backward()
    assert w.grad.tolist() == [4.0, 6.0]


def test_the_value_of_value_and_grad_can_be_trained_on():
    w = tn.tensor(2.0, requires_grad=True)
    value, g = tn.value_and_grad(lambda x: w * w * x)(tn.tensor(3.0))
    (value + g).backward()  # d/dw (3 w^2 + w^2)
    assert w.grad.item() == 16.0


def test_maml_meta_gradient_equals_the_closed_form():
    """One inner step on f(p) = a p^2 / 2: outer loss b (p - s a p)^2 / 2, its derivative b p (1 - s a)^2."""
    a, b, s = 3.0, 5.0, 0.1
    p = tn.tensor(2.0, requires_grad=True)
    adapted = p - s * tn.grad(lambda p: 0.5 * a * p * p)(p)
    (0.5 * b * adapted * adapted).backward()
    np.testing.assert_allclose(p.grad.item(), b * 2.0 * (1 - s * a) ** 2, rtol=1e-6)
    meta = tn.grad(lambda p: 0.5 * b * (p - s * tn.grad(lambda q: 0.5 * a * q * q)(p)) ** 2)(2.0)
    np.testing.assert_allclose(meta.item(), b * 2.0 * (1 - s * a) ** 2, rtol=1e-6)


def test_maml_over_several_steps_and_a_learned_rate():
    def inner(w, rate, steps):
        for _ in range(steps):
            w = w - rate * tn.grad(lambda w: (w ** 4).sum() / 4)(w)
        return (w * w).sum()

    def by_hand(w, rate, steps):
        for _ in range(steps):
            w = w - rate * w ** 3
        return (w * w).sum()
    w, rate = np.array([0.9, -0.5]), np.array(0.1)
    gw, gr = tn.grad(inner, argnums=(0, 1))(tn.tensor(w), tn.tensor(rate), 4)
    np.testing.assert_allclose(gw.numpy(), numeric_jacobian(lambda w: by_hand(w, rate, 4), w), rtol=1e-7)
    np.testing.assert_allclose(gr.numpy(), numeric_jacobian(lambda r: by_hand(w, r, 4), rate), rtol=1e-7)


def test_perturbations_are_not_confused():
    """d/dx (x * d/dy (x + y)) = 1: the inner derivative must not see the outer variable as its own."""
    assert tn.grad(lambda x: x * tn.grad(lambda y: x + y)(1.0))(1.0).item() == 1.0
    assert tn.grad(lambda x: x * tn.grad(lambda y: x * y)(2.0))(3.0).item() == 6.0
    assert tn.jvp(lambda x: x * tn.jvp(lambda y: x * y, 2.0, 1.0)[1], 3.0, 1.0)[1].item() == 6.0


# vjp, jvp ------------------------------------------------------------------------------------
def f(x, y):
    return {"product": x * y, "deep": [tn.sin(x), tn.sum(y)]}


def test_vjp_pulls_as_often_as_asked():
    x, y = array(3), array(3, seed=1)
    output, pull = tn.vjp(f, tn.tensor(x), tn.tensor(y))
    np.testing.assert_allclose(output["product"].numpy(), x * y)
    for seed in range(2, 4):
        u, v, s = array(3, seed=seed), array(3, seed=seed + 10), array(seed=seed + 20)
        gx, gy = pull({"product": tn.tensor(u), "deep": [v, s]})
        np.testing.assert_allclose(gx.numpy(), u * y + v * np.cos(x), rtol=1e-13)
        np.testing.assert_allclose(gy.numpy(), u * x + s, rtol=1e-13)


def test_vjp_takes_dict_cotangents_in_any_order():
    _, pull = tn.vjp(f, tn.tensor([1.0]), tn.tensor([1.0]))
    gx, _ = pull({"deep": [tn.tensor([0.0]), tn.tensor(0.0)], "product": tn.tensor([5.0])})
    assert gx.tolist() == [5.0]


def test_jvp_against_differences():
    x, y, dx, dy = array(3), array(3, seed=1), array(3, seed=2), array(3, seed=3)
    output, tangent = tn.jvp(f, (tn.tensor(x), tn.tensor(y)), (tn.tensor(dx), tn.tensor(dy)))
    np.testing.assert_allclose(output["product"].numpy(), x * y)
    np.testing.assert_allclose(tangent["product"].numpy(), dx * y + x * dy, rtol=1e-13)
    np.testing.assert_allclose(tangent["deep"][0].numpy(), np.cos(x) * dx, rtol=1e-13)
    np.testing.assert_allclose(tangent["deep"][1].numpy(), dy.sum(), rtol=1e-13)


def test_jvp_where_outputs_do_not_depend():
    output, tangent = tn.jvp(lambda x: (tn.tensor([7.0, 8.0]), x * 2, x.detach()), tn.tensor([1.0]), tn.tensor([3.0]))
    assert [t.tolist() for t in tangent] == [[0.0, 0.0], [6.0], [0.0]] and output[0].tolist() == [7.0, 8.0]
    assert tn.jvp(lambda x: tn.tensor(1.0), 2.0, 3.0)[1].item() == 0.0
    assert tn.jvp(lambda x: x, 2.0, 3.0)[1].item() == 3.0


def test_jvp_and_vjp_are_transposes(rng):
    w = tn.tensor(rng.standard_normal((4, 5)))

    def net(x):
        return tn.tanh(x @ w) * tn.exp(x.sum(axis=1, keepdims=True))
    x, v = tn.tensor(rng.standard_normal((3, 4))), tn.tensor(rng.standard_normal((3, 4)))
    u = tn.tensor(rng.standard_normal((3, 5)))
    _, tangent = tn.jvp(net, x, v)
    _, pull = tn.vjp(net, x)
    np.testing.assert_allclose((u * tangent).sum().item(), (pull(u)[0] * v).sum().item(), rtol=1e-12)


def test_jvp_and_vjp_with_aux():
    output, tangent, aux = tn.jvp(lambda x: (x * x, "rest"), 3.0, 1.0, has_aux=True)
    assert (output.item(), tangent.item(), aux) == (9.0, 6.0, "rest")
    output, pull, aux = tn.vjp(lambda x: (x * x, "rest"), 3.0, has_aux=True)
    assert (output.item(), pull(1.0)[0].item(), aux) == (9.0, 6.0, "rest")


def test_jvp_is_differentiable_in_point_and_direction():
    x, v = tn.tensor([1.0, 2.0], requires_grad=True), tn.tensor([3.0, 5.0], requires_grad=True)
    _, tangent = tn.jvp(lambda x: x * x * x, x, v)
    gx, gv = tn.autograd.grad(tangent.sum(), [x, v])  # 3 x^2 v
    assert gx.tolist() == [18.0, 60.0] and gv.tolist() == [3.0, 12.0]
    w = tn.tensor(2.0, requires_grad=True)
    _, tangent = tn.jvp(lambda x: w * w * x * x, 3.0, 1.0)
    assert tn.autograd.grad(tangent, w)[0].item() == 24.0  # d/dw 2 w^2 x


def test_second_derivative_along_a_direction():
    def along(x):
        return tn.jvp(lambda x: (x ** 4).sum(), x, tn.tensor([1.0, 2.0]))[1]
    _, second = tn.jvp(along, tn.tensor([1.0, 3.0]), tn.tensor([1.0, 2.0]))
    assert second.item() == 12 * (1 * 1 + 9 * 4)


# jacobian, hessian, hvp ---------------------------------------------------------------------
@pytest.mark.parametrize("mode", ["auto", "reverse", "forward"])
@pytest.mark.parametrize("n_in, n_out", [(2, 9), (9, 2), (3, 3)])
def test_jacobian_of_a_layer(mode, n_in, n_out):
    w, x = array(n_in, n_out), array(n_in, seed=1)
    found = tn.jacobian(lambda x: tn.tanh(x @ tn.tensor(w)), mode=mode)(tn.tensor(x))
    expected = w.T * (1 - np.tanh(x @ w) ** 2)[:, None]
    assert found.shape == (n_out, n_in)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_jacobian_of_trees(mode):
    x, y = array(2, 3), array(3, seed=1)

    def g(params, k):
        return [params["x"] * params["y"] * k, params["y"].sum(), tn.tensor(1.0)]
    found = tn.jacobian(g, mode=mode)({"x": tn.tensor(x), "y": tn.tensor(y)}, 2.0)
    product = np.zeros((2, 3, 2, 3))
    by_y = np.zeros((2, 3, 3))
    for i, j in np.ndindex(2, 3):
        product[i, j, i, j] = 2 * y[j]
        by_y[i, j, j] = 2 * x[i, j]
    np.testing.assert_allclose(found[0]["x"].numpy(), product)
    np.testing.assert_allclose(found[0]["y"].numpy(), by_y)
    assert found[1]["x"].tolist() == np.zeros((2, 3)).tolist() and found[1]["y"].tolist() == [1.0] * 3
    assert found[2]["x"].shape == (2, 3) and found[2]["y"].shape == (3,) and not found[2]["x"].numpy().any()


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_jacobian_argnums_aux_and_empty(mode):
    (jx, jy), aux = tn.jacobian(lambda x, y: (x * y, "rest"), argnums=(0, 1), has_aux=True, mode=mode)(
        tn.tensor([1.0, 2.0]), tn.tensor([3.0, 4.0]))
    assert jx.tolist() == [[3.0, 0.0], [0.0, 4.0]] and jy.tolist() == [[1.0, 0.0], [0.0, 2.0]] and aux == "rest"
    assert tn.jacobian(lambda x: x * 2, mode=mode)(tn.zeros((0,))).shape == (0, 0)
    assert tn.jacobian(lambda x: x.sum(), mode=mode)(tn.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_jacobian_is_differentiable(mode):
    w = tn.tensor([2.0, 3.0], requires_grad=True)
    found = tn.jacobian(lambda x: w * x * x, mode=mode)(tn.tensor([1.0, 5.0]))  # diag(2 w x)
    assert found.tolist() == [[4.0, 0.0], [0.0, 30.0]]
    assert tn.autograd.grad(found.sum(), w)[0].tolist() == [2.0, 10.0]
    third = tn.jacobian(tn.jacobian(lambda x: x * x * x, mode=mode), mode=mode)(tn.tensor([2.0]))
    assert third.tolist() == [[[12.0]]]


def test_auto_mode_counts_passes():
    """A tall function goes forward, a wide one in reverse: neither may need one pass per long side."""
    passes = []
    spy = tn.autograd.elementwise("test_pass_spy", lambda xp, x: x * 1, x=lambda g: passes.append(1) or g * 1)
    tn.jacobian(lambda x: spy(x).sum() * tn.ones(50))(tn.tensor([1.0, 2.0]))
    assert len(passes) <= 4
    passes.clear()
    tn.jacobian(lambda x: tn.stack([spy(x).sum(), x.sum()]))(tn.ones(50))
    assert len(passes) <= 4


def test_hessian_of_rosenbrock():
    def rosenbrock(x):
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    a, b = 1.3, -0.4
    found = tn.hessian(rosenbrock)(tn.tensor(np.array([a, b])))
    expected = [[2 - 400 * b + 1200 * a * a, -400 * a], [-400 * a, 200]]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_hessian_of_two_arguments_has_four_blocks():
    x, y = array(2), array(3, seed=1)
    found = tn.hessian(lambda x, y: (x * x).sum() * (y ** 3).sum(), argnums=(0, 1))(tn.tensor(x), tn.tensor(y))
    np.testing.assert_allclose(found[0][0].numpy(), 2 * np.eye(2) * (y ** 3).sum(), rtol=1e-12)
    np.testing.assert_allclose(found[0][1].numpy(), np.outer(2 * x, 3 * y * y), rtol=1e-12)
    np.testing.assert_allclose(found[1][0].numpy(), np.outer(3 * y * y, 2 * x), rtol=1e-12)
    np.testing.assert_allclose(found[1][1].numpy(), np.diag(6 * y) * (x * x).sum(), rtol=1e-12)


def test_hessian_of_a_linear_function_is_zero():
    x = tn.tensor([1.0, 2.0])
    assert tn.hessian(lambda x: (3 * x).sum())(x).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert tn.hvp(lambda x: (3 * x).sum(), x, x).tolist() == [0.0, 0.0]
    assert tn.hessian(lambda x: 1.0)(x).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_hessian_with_aux():
    found, aux = tn.hessian(lambda x: ((x ** 3).sum(), "rest"), has_aux=True)(tn.tensor([1.0, 2.0]))
    assert found.tolist() == [[6.0, 0.0], [0.0, 12.0]] and aux == "rest"


def test_hvp_equals_hessian_times_vector(rng):
    w = tn.tensor(rng.standard_normal((5, 5)))

    def g(x):
        return (tn.tanh(x @ w) * tn.exp(0.1 * x)).sum()
    x, v = tn.tensor(rng.standard_normal(5)), tn.tensor(rng.standard_normal(5))
    full = tn.hessian(g)(x).numpy()
    np.testing.assert_allclose(full, full.T, atol=1e-13)
    np.testing.assert_allclose(tn.hvp(g, x, v).numpy(), full @ v.numpy(), rtol=1e-11)
    _, product = tn.vjp(tn.grad(g), x)
    np.testing.assert_allclose(product(v)[0].numpy(), full @ v.numpy(), rtol=1e-11)


def test_hvp_of_trees_and_several_arguments():
    def g(params, y):
        return (params["a"] * params["b"]).sum() * y * y
    args = ({"a": tn.tensor([1.0, 2.0]), "b": tn.tensor([3.0, 4.0])}, tn.tensor(2.0))
    by_params, by_y = tn.hvp(g, args, ({"b": tn.tensor([0.0, 0.0]), "a": tn.tensor([1.0, 0.0])}, tn.tensor(1.0)))
    assert by_params["a"].tolist() == [3 * 4, 4 * 4] and by_params["b"].tolist() == [4 + 1 * 4, 2 * 4]
    assert by_y.item() == 2 * 2 * 3 + 2 * 11


def test_hvp_costs_the_same_number_of_operations_for_any_size():
    """The Hessian needs one pass per input; its product with a vector must not."""
    ran = []
    spy = tn.autograd.elementwise("test_hvp_spy", lambda xp, x: ran.append("f") or xp.sin(x),
                                  x=lambda xp, g, x: ran.append("b") or g * xp.cos(x))
    counts = []
    for n in (4, 40):
        ran.clear()
        tn.hvp(lambda x: (spy(x) * spy(x)).sum(), tn.ones(n), tn.ones(n))
        counts.append((ran.count("f"), ran.count("b")))
    assert counts[0] == counts[1] and counts[0][0] == 2 and counts[0][1] <= 8


# Errors -------------------------------------------------------------------------------------
def test_errors_say_what_was_wrong():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"grad: expected a function, got a Tensor.*tn.autograd.grad\(outputs, inp"):
        tn.grad(x)
    for transform in (tn.grad, tn.value_and_grad, tn.jacobian, tn.hessian):
        with pytest.raises(TypeError, match="expected a function, got int"):
            transform(3)
    with pytest.raises(TypeError, match=r"one element, it returned shape \(2,\)"):
        tn.grad(lambda x: x)(x)
    with pytest.raises(TypeError, match="one element"):
        tn.grad(lambda x: {"a": x.sum()})(x)
    with pytest.raises(TypeError, match=r"argument 0\['n'\] is of dtype int64; only floating"):
        tn.grad(lambda p: p["x"].sum())({"x": x, "n": 3})
    with pytest.raises(TypeError, match=r"argument 0\[1\] is str"):
        tn.grad(lambda p: p[0].sum())([x, "name"])
    with pytest.raises(ValueError, match="argnums 2 names argument 2, but 1 positional"):
        tn.grad(lambda x: x.sum(), argnums=2)(x)
    with pytest.raises(TypeError, match="argnums is an int"):
        tn.grad(lambda x: x.sum(), argnums="x")(x)
    with pytest.raises(TypeError, match="pair"):
        tn.grad(lambda x: x.sum(), has_aux=True)(x)
    with pytest.raises(ValueError, match="mode is 'auto', 'reverse' or 'forward', got 'fwd'"):
        tn.jacobian(lambda x: x, mode="fwd")
    with pytest.raises(ValueError, match=r"tangents: expected shape \(2,\), got \(3,\)"):
        tn.jvp(tn.sin, x, tn.ones(3))
    with pytest.raises(ValueError, match=r"tangents: expected the structure \(\*, \*\)"):
        tn.jvp(lambda x, y: x, (x, x), (x,))
    with pytest.raises(ValueError, match=r"cotangents: expected the structure \{'a': \*\}, got \[\*\]"):
        tn.vjp(lambda x: {"a": x}, x)[1]([x])


def test_the_result_looks_like_the_function():
    def loss_of_mine(x):
        return x * x
    assert tn.grad(loss_of_mine).__name__ == "loss_of_mine"
