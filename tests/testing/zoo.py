"""Animals for the gradient check: rules that are wrong in one way each, and right functions that are hard to judge.

`WRONG` must all be caught, `HARD` must never be called wrong. Each is (name, order, fn, inputs): `order` is that of
the derivative at fault, `inputs` a function of a NumPy generator.
"""
from itertools import count

import numpy as np

import tinygrad_notes as tn
from tinygrad_notes.autograd import elementwise, joint, primitive
from tinygrad_notes.backend import device_of

WRONG, HARD = [], []
_number = count().__next__


def wrong(name, op, inputs, order=1, use=None):
    """One wrong animal; `use` wraps the operation in a function."""
    WRONG.append((name, order, use(op) if use else op, inputs))


def hard(name, fn, inputs, order=1):
    """One right function at a hard point."""
    HARD.append((name, order, fn, inputs))


def normal(*shapes):
    """Standard normal inputs."""
    return lambda rng: tuple(tn.Tensor(rng.standard_normal(shape)) for shape in shapes)


def positive(*shapes):
    """Inputs in [0.5, 2)."""
    return lambda rng: tuple(tn.Tensor(rng.uniform(0.5, 2.0, shape)) for shape in shapes)


def at(*values, dtype="float64"):
    """One input of these values, or several if they are lists."""
    if values and isinstance(values[0], (list, np.ndarray)):
        return lambda rng: tuple(tn.Tensor(np.array(v, dtype=dtype)) for v in values)
    return lambda rng: (tn.Tensor(np.array(values, dtype=dtype)),)


def el(forward, **rules):
    """An elementwise operation under a fresh name."""
    return elementwise(f"zoo_{_number()}", forward, **rules)


def op(forward, kind="opaque", **rules):
    """Any operation under a fresh name."""
    return primitive(f"zoo_{_number()}", forward, kind=kind, **rules)


def mask_of(xp, x, *places):
    """1 at these places (of one axis), 0 elsewhere, as an array of the kind of `x`."""
    flat = np.zeros(x.shape)
    flat[places] = 1.0
    return tn.Tensor(flat, device=x.device) if isinstance(x, tn.Tensor) else device_of(x).from_numpy(flat)


# Wrong rules ------------------------------------------------------------------------
sin = lambda xp, x: xp.sin(x)
exp = lambda xp, x: xp.exp(x)
times = lambda xp, x, y: x * y
total = lambda xp, x: xp.sum(x, axis=1)
spread = lambda xp, g, x: xp.expand_dims(g, axis=1) * xp.ones_like(x)
dot = lambda xp, x, y: xp.matmul(x, y)
flip = lambda xp, x: xp.permute_dims(x, (1, 0))
cube = lambda xp, x: x * x * x

wrong("sign", el(sin, x=lambda xp, g, x: -g * xp.cos(x)), normal((3, 4)))
wrong("sign of the second input", el(lambda xp, x, y: x - y, x=lambda g: g, y=lambda g: g), normal((3,), (3,)))
wrong("twice", el(sin, x=lambda xp, g, x: 2 * g * xp.cos(x)), normal((3, 4)))
wrong("half: the square without its 2", el(lambda xp, x: x * x, x=lambda g, x: g * x), normal((5,)))
wrong("one per cent", el(exp, x=lambda g, out: 1.01 * g * out), normal((5,)))
wrong("one in a hundred thousand", el(exp, x=lambda g, out: 1.00001 * g * out), normal((5,)))
wrong("zero", el(sin, x=lambda xp, g: xp.zeros_like(g)), normal((4,)))
wrong("zero for one of two", el(times, x=lambda g, y: g * y, y=lambda xp, g: xp.zeros_like(g)), normal((4,), (4,)))
wrong("the identity", el(exp, x=lambda g: g), normal((4,)))
wrong("the cotangent is forgotten", el(exp, x=lambda out: out * 1), normal((4,)))
wrong("the cotangent is squared", el(sin, x=lambda xp, g, x: g * g * xp.cos(x)), normal((4,)))
wrong("the cotangent's size", el(sin, x=lambda xp, g, x: xp.abs(g) * xp.cos(x)), normal((4,)))
wrong("input in place of output", el(exp, x=lambda g, x: g * x), normal((4,)))
wrong("derivative of another function", el(lambda xp, x: xp.tanh(x), x=lambda g, out: g * (1 - out)), normal((4,)))
wrong("exchanged inputs", el(times, x=lambda g, x: g * x, y=lambda g, y: g * y), normal((4,), (4,)))
wrong("quotient: the sign of y", el(lambda xp, x, y: x / y, x=lambda g, y: g / y, y=lambda g, out, y: g * out / y),
      positive((4,), (4,)))
wrong("quotient: y for y squared", el(lambda xp, x, y: x / y, x=lambda g, y: g / y, y=lambda g, x, y: -g * x / y),
      positive((4,), (4,)))
wrong("additive constant", el(sin, x=lambda xp, g, x: g * (xp.cos(x) + 1e-3)), normal((4,)))
wrong("transposed", op(sin, x=lambda xp, g, x: flip(xp, g * xp.cos(x))), normal((3, 3)))
wrong("transposed product", op(dot, x=lambda xp, g, y: xp.matmul(g, y), y=lambda xp, g, x: xp.matmul(flip(xp, x), g)),
      normal((3, 3), (3, 3)))
wrong("product: factors in the other order", op(
    dot, x=lambda xp, g, y: xp.matmul(g, flip(xp, y)), y=lambda xp, g, x: xp.matmul(g, x)), normal((3, 3), (3, 3)))
wrong("flipped", op(sin, x=lambda xp, g, x: xp.flip(g * xp.cos(x), axis=0)), normal((5,)))
wrong("shifted by one", op(sin, x=lambda xp, g, x: xp.roll(g * xp.cos(x), 1, axis=0)), normal((5,)))
wrong("sum: divided by n", op(total, kind="reduce", x=lambda xp, g, x: spread(xp, g, x) / 4), normal((3, 4)))
wrong("mean: not divided", op(lambda xp, x: xp.sum(x, axis=1) / 4, kind="reduce", x=spread), normal((3, 4)))
wrong("missing sum over a broadcast axis", op(
    lambda xp, x, y: x * y, x=lambda g, y: g * y, y=lambda g, x: (g * x)[0]), normal((3, 4), (4,)))
wrong("mean over a broadcast axis", op(
    times, x=lambda g, y: g * y, y=lambda xp, g, x: xp.sum(g * x, axis=0) / 3), normal((3, 4), (4,)))
wrong("sum spread over too much", op(sin, x=lambda xp, g, x: xp.sum(g * xp.cos(x), axis=0, keepdims=True) + 0 * x),
      normal((3, 4)))
wrong("pad off by one", op(
    lambda xp, x: xp.concat((xp.zeros_like(x)[:1], x, xp.zeros_like(x)[:1]), axis=0),
    x=lambda g: g[:-2]), normal((5,)))
wrong("slice off by one at the end", op(
    lambda xp, x: x[1:], x=lambda xp, g, x: xp.concat((g, xp.zeros_like(g)[:1]), axis=0)), normal((5,)))
wrong("the edge is forgotten", op(sin, x=lambda xp, g, x: g * xp.cos(x) * (1 - mask_of(xp, x, 0))), normal((6,)))
wrong("one element of many", op(sin, x=lambda xp, g, x: g * xp.cos(x) * (1 + 0.5 * mask_of(xp, x, 77))),
      normal((200,)))
wrong("one element of fourteen thousand", op(
    sin, x=lambda xp, g, x: g * xp.cos(x) * (1 + 0.5 * mask_of(xp, x, 7, 3))), normal((120, 120)))
wrong("one element, one per cent, of ten thousand", op(
    sin, x=lambda xp, g, x: g * xp.cos(x) * (1 + 0.01 * mask_of(xp, x, 50, 50))), normal((100, 100)))
wrong("two elements exchanged", op(
    sin, x=lambda xp, g, x: (lambda y: xp.concat((y[:1], y[2:3], y[1:2], y[3:]), axis=0))(g * xp.cos(x))), normal((5,)))
wrong("sort: gradient in sorted order", op(lambda xp, x: xp.sort(x), x=lambda g: g * 1), normal((6,)))
wrong("cumulative sum: not reversed", op(
    lambda xp, x: xp.cumulative_sum(x, axis=0), x=lambda xp, g: xp.cumulative_sum(g, axis=0)), normal((6,)))
wrong("maximum: both win a tie", el(
    lambda xp, x, y: xp.maximum(x, y), x=lambda g, x, y: g * (x >= y), y=lambda g, x, y: g * (y >= x)),
    at([1.0, 2.0], [1.0, 3.0]))
wrong("maximum: nobody wins a tie", el(
    lambda xp, x, y: xp.maximum(x, y), x=lambda g, x, y: g * (x > y), y=lambda g, x, y: g * (y > x)),
    at([1.0, 2.0], [1.0, 3.0]))
wrong("max: all of three win", op(
    lambda xp, x: xp.max(x), kind="reduce", x=lambda g, x, out: g * (x == out)), at(2.0, 2.0, 2.0, 1.0))
wrong("abs: slope 2 at 0", el(lambda xp, x: xp.abs(x), x=lambda xp, g, x: g * xp.where(x == 0, x * 0 + 2, xp.sign(x))),
      at(0.0, 1.0, -1.0))
wrong("norm: NaN at 0", op(lambda xp, x: xp.sqrt(xp.sum(x * x)), kind="reduce", x=lambda g, x, out: g * x / out),
      at(0.0, 0.0))
wrong("relu: 1 everywhere", el(lambda xp, x: xp.maximum(x, 0.0), x=lambda g: g), normal((6,)))
wrong("leak of the wrong side", el(
    lambda xp, x: xp.where(x > 0, x, 0.1 * x), x=lambda xp, g, x: g * xp.where(x > 0, 0.1 + 0 * x, 1 + 0 * x)),
    normal((6,)))
wrong("clip: the bound is outside", el(
    lambda xp, x: xp.minimum(x, 1.0), x=lambda g, x: g * (x <= 1.5)), at(0.5, 1.2, 2.0))
wrong("power: n for n - 1", el(cube, x=lambda g, x: 3 * g * x * x * x), positive((4,)))
wrong("logarithm of another base", el(lambda xp, x: xp.log2(x), x=lambda g, x: g / x), positive((4,)))
wrong("overflow in the rule", el(
    lambda xp, x: xp.log(1 + xp.exp(-x)) + x, x=lambda xp, g, x: g * xp.exp(x) / (1 + xp.exp(x))),
      at(1.0, 720.0))
wrong("softmax without its sum", op(
    lambda xp, x: xp.exp(x) / xp.sum(xp.exp(x), axis=-1, keepdims=True), x=lambda g, out: g * out * (1 - out)),
    normal((2, 4)))
wrong("log-softmax with a plain sum", op(
    lambda xp, x: x - xp.log(xp.sum(xp.exp(x), axis=-1, keepdims=True)),
    x=lambda xp, g, out: g - xp.exp(out) * xp.mean(g, axis=-1, keepdims=True)), normal((2, 4)))
wrong("variance: the mean is held fixed twice", op(
    lambda xp, x: xp.sum((x - xp.mean(x)) ** 2) / 3, kind="reduce", x=lambda g, x: 2 * g * x / 3), normal((4,)))
wrong("joint: the parts exchanged", joint(
    "zoo_joint", lambda xp, x, y: x * x * y, lambda g, x, y: (g * x * x, 2 * g * x * y)), normal((4,), (4,)))
wrong("detach", lambda x: x.detach() * x, normal((4,)))
wrong("through NumPy", lambda x: tn.sin(x) * tn.Tensor(x.detach().numpy() * 2.0), normal((4,)))
wrong("small beside a large one", lambda x: tn.concat((x[:1] * 1e6, BAD_SIN(x[1:])), axis=0), normal((4,)))
wrong("zero, and float32 inside", el(sin, x=lambda xp, g: xp.zeros_like(g)), normal((4,)),
      use=lambda op: lambda x: tn.astype(op(tn.astype(x, "float32")), "float64"))
wrong("tiny slopes", el(lambda xp, x: 1e-20 * xp.sin(x), x=lambda xp, g, x: 1.01e-20 * g * xp.cos(x)), normal((4,)))
wrong("in float32 only", el(exp, x=lambda xp, g, out: g * out * (1.0 if out.dtype == "float64" else -1.0)),
      at(0.1, 0.5, dtype="float32"))
BAD_SIN = el(sin, x=lambda xp, g, x: 0.9 * g * xp.cos(x))

# Second derivatives only: the rule is right, but what it computes with has a wrong rule, or hides from the graph.
raw = lambda x: x.detach() if isinstance(x, tn.Tensor) else x
wrong_cos = el(lambda xp, x: xp.cos(x), x=lambda xp, g, x: g * xp.sin(x))
half_square = el(lambda xp, x: x * x, x=lambda g, x: g * x)
wrong("second: the rule's input leaves the graph", el(
    sin, x=lambda xp, g, x: g * xp.cos(raw(x))), normal((4,)), order=2)
wrong("second: the rule's output leaves the graph", el(exp, x=lambda g, out: g * raw(out)), normal((4,)), order=2)
wrong("second: wrong derivative of the derivative", el(
    sin, x=lambda xp, g, x: g * (wrong_cos(x) if isinstance(x, tn.Tensor) else xp.cos(x))), normal((4,)), order=2)
wrong("second: a factor of 2 in the derivative", el(
    cube, x=lambda g, x: 3 * g * (half_square(x) if isinstance(x, tn.Tensor) else x * x)), normal((4,)), order=2)
wrong("second: another value when recorded", el(
    sin, x=lambda xp, g, x: g * xp.cos(x) * (1.01 if isinstance(x, tn.Tensor) else 1.0)), normal((4,)), order=2)
wrong("second: the cotangent leaves the graph", el(sin, x=lambda xp, g, x: raw(g) * xp.cos(x)), normal((4,)), order=2)
wrong("second: one part of a product", op(
    times, x=lambda g, y: g * raw(y), y=lambda g, x: g * x), normal((4,), (4,)), order=2)

# Right functions at hard points ---------------------------------------------------------
hard("relu at 0", tn.relu, at(0.0, 1.0, -1.0))
hard("abs at 0", tn.abs, at(0.0, -0.0, 2.0))
hard("maximum at ties", tn.maximum, at([1.0, 2.0, 0.0], [1.0, 3.0, 0.0]))
hard("max of three equal ones", tn.max, at(2.0, 2.0, 2.0, 1.0))
hard("min of equal ones by row", lambda x: tn.min(x, axis=1), at([[1.0, 1.0, 3.0], [2.0, 2.0, 2.0]]))
hard("sort with ties", tn.sort, at(1.0, 1.0, 3.0, 1.0))
hard("clip on its bounds", lambda x: tn.clip(x, -1.0, 1.0), at(-1.0, 1.0, 0.0, 2.0))
hard("floor at whole numbers", tn.floor, at(1.0, 2.0, 2.5))
hard("floor of large numbers", tn.floor, at(1000.3, 1e6 + 0.5, 0.25))
hard("sign at 0", tn.sign, at(0.0, 1.0, -1.0))
hard("round at halves", tn.round, at(0.5, 1.5, 1.2))
hard("sqrt at 0", tn.sqrt, at(0.0, 1.0))
hard("cube root at 0", tn.cbrt, at(0.0, 1.0))
hard("root of the absolute value at 0", lambda x: tn.sqrt(tn.abs(x)), at(0.0, 1.0))
hard("norm near 0", lambda x: tn.sqrt(tn.sum(x * x)), at(1e-8, -2e-8, 1e-9))
hard("tiny inputs that cancel", tn.tanhshrink, at(1e-6, -3e-6, 1e-7))
hard("tinier inputs that cancel", tn.tanhshrink, at(1e-8, -1e-8, 3e-9))
hard("a kink close by, beside a large element", lambda x: tn.exp(-tn.abs(x)), at(1e-8, 1.0, 1e8))
hard("one element outside the domain", tn.sqrt, at(-1.0, 4.0))
hard("tiny inputs", tn.tanh, at(1e-8, -1e-8, 3e-9))
hard("huge inputs", lambda x: tn.log(x), at(1e8, 3e8))
hard("ill-scaled square", lambda x: tn.sum(x * x), at(1e-8, 1.0, 1e8))
hard("ill-scaled sum", tn.sum, at(1e-8, 1.0, 1e8))
hard("ill-scaled sine", tn.sin, at(0.0, 1e8, 1e-8))
hard("ill-scaled outputs", lambda x: tn.stack((x[0] * 1e8, x[1] * 1e-8, tn.sin(x[0] * x[1]))), at(0.3, 0.7))
hard("tiny slope under a large value", lambda x: 1e8 + 1e-8 * x, at(1.0, 2.0))
hard("cancellation", lambda x: (1e8 + x) - 1e8, at(1.0, 0.3))
hard("cancellation of squares", lambda x: (x + 1e6) ** 2 - x * x - 1e12, at(1.0, 0.3))
hard("saturated tanh", tn.tanh, at(20.0, -25.0, 0.5))
hard("saturated sigmoid", tn.sigmoid, at(40.0, -700.0, 0.5))
hard("saturated softmax", tn.softmax, at([[100.0, 0.0, -100.0], [0.1, 0.2, 0.3]]))
hard("softmax all saturated", tn.softmax, at([[1000.0, 0.0, -1000.0]]))
hard("sharp softplus", lambda x: tn.softplus(1e6 * x) / 1e6, at(0.0, 0.3, 1e-7))
hard("fast oscillation", lambda x: tn.sin(1e4 * x), at(0.1, 1.0))
hard("a kink very near", tn.relu, at(1e-12, -1e-12, 1.0))
hard("a kink near, summed", lambda x: tn.sum(tn.relu(x)), at(1e-9, 0.3, 1.0))
hard("near a pole", lambda x: 1 / x, at(1e-6, -1e-6, 2.0))
hard("near the edge of the domain", tn.log, at(1e-300, 1e-12, 1.0))
hard("at the edge of the domain", tn.asin, at(1.0, 0.5))
hard("exponential of large numbers", tn.exp, at(300.0, -300.0, 1.0))
hard("high power", lambda x: x ** 20, at(0.1, 1.5, -2.0))
hard("period one at large numbers", lambda x: tn.sinc(x), at(0.0, 1e6, 123456.7))
hard("poles at every whole number", tn.lgamma, at(-2769840.1137777804, -1e6 - 0.3))
hard("constant", lambda x: x * 0.0 + 3.0, normal((4,)))
hard("does not depend on one input", lambda x, y: tn.sin(x), normal((3,), (3,)))
hard("cancels to zero", lambda x: tn.sum(x) - tn.sum(tn.flip(x, axis=0)), normal((5,)))
hard("ill-conditioned solve", lambda a, b: tn.linalg.solve(a, b),
     at([[1.0, 1.0], [1.0, 1.0 + 1e-6]], [1.0, 2.0]))
hard("product with zeros", tn.prod, at(0.0, 2.0, 3.0))
hard("product with two zeros", tn.prod, at(0.0, 0.0, 3.0), order=2)
hard("float32 inputs", lambda x: tn.sum(tn.sin(x) ** 2),
     lambda rng: (tn.Tensor(rng.standard_normal((5, 5)).astype("f4")),))
hard("float32, large", tn.exp, at(80.0, -80.0, dtype="float32"))
hard("float32, overflow", tn.exp, at(100.0, 1.0, dtype="float32"))
hard("float32, cancellation", lambda x: (x + 1000.0) ** 2 - 1000000.0, at(0.1, 0.2, dtype="float32"))
hard("float16 inputs", tn.tanh, at(0.1, 0.5, dtype="float16"))
hard("float32 inside", lambda x: tn.astype(tn.sin(tn.astype(x, "float32")), "float64"), normal((4,)))
hard("dropout draws the same mask", lambda x: x * (tn.rand(*x.shape) > 0.5), normal((20,)))
hard("noise is added", lambda x: tn.sin(x + tn.randn(*x.shape)), normal((5,)))
hard("many relus, one sum", lambda x, w: tn.sum(tn.relu(x @ w)), normal((8, 6), (6, 40)))
hard("large network, directions", lambda x, w: tn.sum(tn.relu(x @ w) ** 2), normal((64, 90), (90, 60)))
hard("large, every scale", lambda x: tn.sum(tn.sin(x)), lambda rng: (tn.Tensor(10.0 ** rng.uniform(-8, 4, (80, 80))),))
hard("nothing", lambda x: x * 2, normal((0, 3)))
hard("one number", lambda x: x * x, lambda rng: (tn.Tensor(np.array(1.5)),))
hard("second: relu at 0", tn.relu, at(0.0, 1.0, -1.0), order=2)
hard("second: linear", lambda x: 3 * x, normal((4,)), order=2)
hard("second: maximum at ties", lambda x, y: tn.maximum(x, y) ** 2, at([1.0, 2.0], [1.0, 3.0]), order=2)
hard("second: tiny inputs", lambda x: tn.sin(x) * x, at(1e-8, 1e-4), order=2)
hard("second: norm near 0", lambda x: tn.sqrt(tn.sum(x * x)), at(1e-6, -2e-6, 1e-6), order=2)
hard("second: standard deviation of two", lambda x: tn.std(x, axis=0), normal((2, 3)), order=2)
hard("second: float32 inputs", lambda x: tn.sum(tn.exp(x) * x),
     lambda rng: (tn.Tensor(rng.standard_normal((3, 3)).astype("f4")),), order=2)
hard("second: softmax far apart", tn.softmax, at([[1000.0, 0.0, 3.0], [35.0, 0.0, -36.0]]), order=2)
hard("second: a difference of nearly equal parts", tn.i1, at(1e-6, -2e-6), order=2)
hard("second: sinc at large numbers", tn.sinc, at(0.0, 1e6), order=2)
hard("second: log-sum-exp far apart", lambda x: tn.logsumexp(x), at(100.0, 0.0, -50.0), order=2)
