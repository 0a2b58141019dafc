"""The tape means what PyTorch's tape means: the same program in both, the same numbers and the same refusals."""
import numpy as np
import pytest

import tinygrad_notes as tn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(tn.current_device() != "cpu", reason="PyTorch is compared on the CPU")


class Ours:
    """The names of this library under one roof, for programs that run on either."""

    sin, exp, tanh, sqrt, where = tn.sin, tn.exp, tn.tanh, tn.sqrt, tn.where
    no_grad, enable_grad, grad = tn.no_grad, tn.enable_grad, staticmethod(tn.autograd.grad)
    func_grad, func_vjp, func_jvp = staticmethod(tn.grad), staticmethod(tn.vjp), staticmethod(tn.jvp)
    func_hessian, func_jacobian = staticmethod(tn.hessian), staticmethod(tn.jacobian)
    checkpoint = staticmethod(tn.autograd.checkpoint)

    @staticmethod
    def leaf(values):
        return tn.tensor(np.asarray(values, dtype="float64"), requires_grad=True)


class Theirs:
    """The same of PyTorch."""

    sin, exp, tanh, sqrt, where = torch.sin, torch.exp, torch.tanh, torch.sqrt, torch.where
    no_grad, enable_grad, grad = torch.no_grad, torch.enable_grad, staticmethod(torch.autograd.grad)
    func_grad, func_jvp = staticmethod(torch.func.grad), staticmethod(
        lambda f, x, v: torch.func.jvp(f, (x,), (v,)))
    func_vjp = staticmethod(torch.func.vjp)
    func_hessian, func_jacobian = staticmethod(torch.func.hessian), staticmethod(torch.func.jacrev)

    @staticmethod
    def checkpoint(fn, *args):
        return torch.utils.checkpoint.checkpoint(fn, *args, use_reentrant=False)

    @staticmethod
    def leaf(values):
        return torch.tensor(np.asarray(values, dtype="float64"), requires_grad=True)


def numbers(value):
    """Results of a program as nested lists of numbers, rounded where the two libraries may differ by a rounding."""
    if isinstance(value, (list, tuple)):
        return [numbers(part) for part in value]
    if hasattr(value, "detach"):
        return np.round(value.detach().numpy(), 12).tolist()
    return value


def refusal(act):
    """Whether `act` raises a RuntimeError."""
    try:
        act()
    except RuntimeError:
        return "RuntimeError"
    return "fine"


# The programs -----------------------------------------------------------------------------
def accumulation(lib):
    x = lib.leaf([1.0, 2.0])
    (x * x).sum().backward()
    first = x.grad.tolist()
    (x * 3).sum().backward()
    return first, x.grad


def diamond(lib):
    a = lib.leaf(3.0)
    b = a + a
    c = b * b + b
    (c * a).backward()
    return [a.grad]


def retained(lib):
    x = lib.leaf([1.0, 2.0])
    h = x * x
    h.retain_grad()
    total = (h * h).sum()
    total.backward(retain_graph=True)
    total.backward()
    return h.grad, x.grad, refusal(total.backward)


def interior_without_retain(lib):
    x = lib.leaf([1.0])
    h = x * x
    (h * 2).sum().backward()
    return x.grad, h.is_leaf, x.is_leaf


def hooks(lib):
    seen, x = [], lib.leaf([1.0, 2.0])
    x.register_hook(lambda g: seen.append(("x", g.tolist())) or g * 2)
    x.register_hook(lambda g: seen.append(("again", g.tolist())))
    h = x * 3
    h.register_hook(lambda g: seen.append(("h", g.tolist())) or g + 1)
    h.retain_grad()
    x.register_post_accumulate_grad_hook(lambda t: seen.append(("after", t.grad.tolist())))
    (h * h).sum().backward()
    lib.grad((x * 5).sum(), x)
    return seen, h.grad, x.grad


def hooks_in_second_order(lib):
    x = lib.leaf([2.0])
    h = x * x
    h.register_hook(lambda g: g * g)
    (first,) = lib.grad((h * h).sum(), x, create_graph=True)
    return first, lib.grad(first.sum(), x)


def orders(lib):
    x = lib.leaf([0.5, -1.0])
    y, found = lib.tanh(x) * lib.exp(x), []
    for _ in range(4):
        (y,) = lib.grad(y.sum(), x, create_graph=True)
        found.append(y)
    return found


def create_graph_accumulates(lib):
    x = lib.leaf([1.5])
    (x ** 3).sum().backward(create_graph=True)
    g = x.grad
    x.grad = None
    (g * g).sum().backward()
    return g, x.grad


def unused(lib):
    x, y = lib.leaf([1.0]), lib.leaf([2.0])
    return (lib.grad((x * 2).sum(), [x, y], allow_unused=True)[1],
            refusal(lambda: lib.grad((x * 2).sum(), [x, y])))


def refusals(lib):
    x = lib.leaf([1.0, 2.0])
    with lib.no_grad():
        cut = x * 2
    y = (x * x).sum()
    y.backward()
    return [refusal(act) for act in (
        lambda: cut.sum().backward(), y.backward, (x * 2).backward, lambda: x.detach().sum().backward(),
        lambda: (x * 2).requires_grad_(False), lambda: x.requires_grad_(True), lambda: x.detach().retain_grad(),
        lambda: x.detach().register_hook(print), lambda: (x * 2).register_post_accumulate_grad_hook(print))]


def modes(lib):
    x = lib.leaf([1.0])
    with lib.no_grad():
        a = (x * 2).requires_grad
        with lib.enable_grad():
            b = (x * 2).requires_grad
        c = (x * 2).requires_grad
    return a, b, c, (x * 2).requires_grad, x.detach().requires_grad


def chosen_inputs(lib):
    x, y = lib.leaf([2.0]), lib.leaf([3.0])
    h = x * y
    (h * h).sum().backward(inputs=[x])
    return x.grad, y.grad, lib.grad((x * y * y).sum(), [y, x])


def cotangents(lib):
    x, v = lib.leaf([1.0, 2.0]), lib.leaf([3.0, 4.0])
    (g,) = lib.grad(lib.sin(x), x, v, create_graph=True)
    return g, lib.grad(g.sum(), [x, v])


def where_and_infinity(lib):
    x = lib.leaf([0.0, 4.0])
    lib.where(x > 0, lib.sqrt(x), x * 0).sum().backward()
    return [str(v) for v in x.grad.tolist()]


def broadcasting(lib):
    x, y = lib.leaf([[1.0], [2.0]]), lib.leaf([3.0, 4.0, 5.0])
    (x * y + y).sum().backward()
    return x.grad, y.grad


def functional(lib):
    x, v = lib.leaf([0.3, 1.1]).detach(), lib.leaf([1.0, -2.0]).detach()
    f = lambda x: (lib.exp(x) * lib.sin(x[0])).sum()
    g = lambda x: lib.exp(x) * x[1]
    out, pull = lib.func_vjp(g, x)
    return (lib.func_grad(f)(x), lib.func_hessian(f)(x), lib.func_jacobian(g)(x), lib.func_jvp(g, x, v), out, pull(v),
            lib.func_grad(lambda y: lib.func_grad(f)(y)[0] * y[1])(x))


def checkpointed(lib):
    x, w = lib.leaf([0.3, 1.1]), lib.leaf([1.0, -2.0])
    y = lib.checkpoint(lambda x: lib.tanh(x * w) * x, lib.sin(x))
    y.sum().backward()
    return y, x.grad, w.grad


PROGRAMS = [accumulation, diamond, retained, interior_without_retain, hooks, hooks_in_second_order, orders,
            create_graph_accumulates, unused, refusals, modes, chosen_inputs, cotangents, where_and_infinity,
            broadcasting, functional, checkpointed]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_the_same_as_pytorch(program):
    assert numbers(program(Ours)) == numbers(program(Theirs))
