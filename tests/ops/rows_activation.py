"""Rows of `ops.activation` and `ops.piecewise`: the textbook formula in Python's `math`, one element at a time."""
import math

import numpy as np

from tests.ops.table import Row, uniform

S = (3, 4)
FAR = [-1000.0, -100.0, -30.0, 30.0, 100.0, 1000.0]


def by(function):
    return np.vectorize(function, otypes=["float64"])


def one(name, oracle, *arguments, low=-4.0, high=4.0, label="", **more):
    """A row of a function of one tensor and some numbers."""
    label = label or ", ".join(map(str, arguments))
    call = more.pop("call", None) or (lambda tn, x: getattr(tn, name)(x, *arguments))
    inputs = more.pop("inputs", uniform(low, high, S))
    return Row(name, inputs, by(oracle), call=call, elementwise=True, label=label, **more)


def far(name, oracle, *arguments, **more):
    """The same where exponentials overflow: against the limit."""
    return Row(name, lambda rng: np.array(FAR), by(oracle), call=lambda tn, x: getattr(tn, name)(x, *arguments),
               label="far out", order=1, dtypes=("float64",), **more)


def long(name, oracle):
    """The same on an array so long that another way to compute it is taken."""
    return Row(name, uniform(-6, 6, (70, 70)), by(oracle), label="long", order=1)


def sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x > -700 else math.exp(x)


def softplus(x):
    return math.log1p(math.exp(-abs(x))) + (x if x > 0 else 0)


def elu(x, alpha=1.0):
    return x if x > 0 else alpha * math.expm1(x)


def gelu(x):
    return x * 0.5 * math.erfc(-x / math.sqrt(2))


def gelu_tanh(x):
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def hardsigmoid(x):
    return 0.0 if x <= -3 else 1.0 if x >= 3 else x / 6 + 0.5


def apart(rng):
    """Numbers well away from 0, 1/2, 1 and 2, where pieces meet."""
    return rng.choice([-3.0, -1.5, -0.75, -0.25, 0.25, 0.75, 1.5, 3.0], S) + rng.uniform(-0.1, 0.1, S)


def channels(rng):
    return rng.standard_normal((2, 3, 4)), rng.uniform(0.1, 0.5, 3)


def bent(x, w):
    w = w if w.size == 1 else w.reshape(1, -1, *[1] * (x.ndim - 2)) if x.ndim > 1 else w
    return x * (x > 0) + w * x * (x <= 0)


ROWS = [
    one("sigmoid", sigmoid), far("sigmoid", sigmoid),
    one("log_sigmoid", lambda x: math.log(sigmoid(x))), far("log_sigmoid", lambda x: -softplus(-x)),
    one("softplus", softplus), far("softplus", softplus),
    one("softplus", lambda x: softplus(2 * x) / 2, 2.0, label="beta"),
    one("softplus", lambda x: x if x > 1 else softplus(x), 1.0, 1.0, label="threshold"),
    one("logit", lambda x: math.log(x / (1 - x)), low=0.05, high=0.95),
    one("logit", lambda x: math.log(min(max(x, 0.2), 0.8) / (1 - min(max(x, 0.2), 0.8))), 0.2, low=0.05, high=0.95,
        label="eps"),
    one("silu", lambda x: x * sigmoid(x)), far("silu", lambda x: x * sigmoid(x)),
    long("silu", lambda x: x * sigmoid(x)),
    one("mish", lambda x: x * math.tanh(softplus(x))), far("mish", lambda x: x * math.tanh(softplus(x))),
    one("gelu", gelu), far("gelu", gelu), long("gelu", gelu),
    one("gelu", gelu_tanh, "tanh"),
    one("tanhshrink", lambda x: x - math.tanh(x)),
    one("softsign", lambda x: x / (1 + abs(x))),
    one("relu", lambda x: max(x, 0.0)), long("relu", lambda x: max(x, 0.0)),
    one("relu6", lambda x: min(max(x, 0.0), 6.0), low=-8, high=8),
    one("leaky_relu", lambda x: x if x > 0 else 0.01 * x),
    *[one("leaky_relu", lambda x, a=a: x if x > 0 else a * x, a) for a in (0.3, 1.5, -0.2)],
    one("elu", elu), one("elu", lambda x: elu(x, 0.5), 0.5), far("elu", elu),
    one("selu", lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772)),
    one("celu", elu), one("celu", lambda x: x if x > 0 else 2 * math.expm1(x / 2), 2.0),
    Row("prelu", channels, bent, label="channels"),
    Row("prelu", lambda rng: (rng.standard_normal(S), rng.uniform(0.1, 0.5, 1)), bent, label="one slope"),
    one("hardtanh", lambda x: min(max(x, -1.0), 1.0), inputs=apart),
    one("hardtanh", lambda x: min(max(x, -0.5), 2.0), -0.5, 2.0, inputs=apart),
    one("hardsigmoid", hardsigmoid, low=-5, high=5),
    one("hardswish", lambda x: x * hardsigmoid(x), low=-5, high=5),
    one("hardshrink", lambda x: x if abs(x) > 0.5 else 0.0, inputs=apart),
    one("hardshrink", lambda x: x if abs(x) > 1 else 0.0, 1.0, inputs=apart),
    one("softshrink", lambda x: math.copysign(max(abs(x) - 0.5, 0.0), x), inputs=apart),
    one("softshrink", lambda x: math.copysign(max(abs(x) - 1, 0.0), x), 1.0, inputs=apart),
    one("threshold", lambda x: x if x > 0.1 else -2.0, 0.1, -2.0, inputs=apart),
]
