"""Activation functions under PyTorch's names and argument names; what they compute is in `ops`."""
import re

from ... import ops
from ...autograd import as_tensor
from ...ops.random import uniform
from .common import number

__all__ = [
    "celu", "elu", "gelu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
    "leaky_relu", "log_softmax", "logsigmoid", "mish", "prelu", "relu", "relu6", "rrelu", "selu", "sigmoid",
    "silu", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink", "threshold",
]

_INPLACE = "    inplace: accepted as in PyTorch; the result is always a new tensor.\n"


def _as(operation):
    """Take over the docstring of an operation, its first argument called `input`."""
    def with_doc(function):
        code = function.__code__
        doc = re.sub(r"(\n +)x: ", r"\1input: ", operation.__doc__, count=1)
        if "inplace" in code.co_varnames:
            at = doc.index("Returns:")
            indent = doc[:at].rsplit("\n", 1)[1]
            doc = f"{doc[:at].rstrip()}\n{indent}{_INPLACE}\n{indent}{doc[at:]}"
        function.__doc__ = doc
        return function
    return with_doc


@_as(ops.relu)
def relu(input, inplace=False):
    return ops.relu(input)


@_as(ops.relu6)
def relu6(input, inplace=False):
    return ops.relu6(input)


@_as(ops.leaky_relu)
def leaky_relu(input, negative_slope=0.01, inplace=False):
    return ops.leaky_relu(input, negative_slope)


@_as(ops.elu)
def elu(input, alpha=1.0, inplace=False):
    return ops.elu(input, alpha)


@_as(ops.selu)
def selu(input, inplace=False):
    return ops.selu(input)


@_as(ops.celu)
def celu(input, alpha=1.0, inplace=False):
    return ops.celu(input, alpha)


@_as(ops.gelu)
def gelu(input, approximate="none"):
    return ops.gelu(input, approximate)


@_as(ops.silu)
def silu(input, inplace=False):
    return ops.silu(input)


@_as(ops.mish)
def mish(input, inplace=False):
    return ops.mish(input)


@_as(ops.sigmoid)
def sigmoid(input):
    return ops.sigmoid(input)


@_as(ops.tanh)
def tanh(input):
    return ops.tanh(input)


@_as(ops.softsign)
def softsign(input):
    return ops.softsign(input)


@_as(ops.log_sigmoid)
def logsigmoid(input):
    return ops.log_sigmoid(input)


@_as(ops.hardtanh)
def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    return ops.hardtanh(input, min_val, max_val)


@_as(ops.hardsigmoid)
def hardsigmoid(input, inplace=False):
    return ops.hardsigmoid(input)


@_as(ops.hardswish)
def hardswish(input, inplace=False):
    return ops.hardswish(input)


@_as(ops.tanhshrink)
def tanhshrink(input):
    return ops.tanhshrink(input)


@_as(ops.softshrink)
def softshrink(input, lambd=0.5):
    return ops.softshrink(input, lambd)


@_as(ops.hardshrink)
def hardshrink(input, lambd=0.5):
    return ops.hardshrink(input, lambd)


@_as(ops.threshold)
def threshold(input, threshold, value, inplace=False):
    return ops.threshold(input, threshold, value)


@_as(ops.prelu)
def prelu(input, weight):
    return ops.prelu(input, weight)


@_as(ops.softplus)
def softplus(input, beta=1.0, threshold=20.0):
    return ops.softplus(input, beta, threshold)


def rrelu(input, lower=1 / 8, upper=1 / 3, training=False, inplace=False, generator=None):
    """leaky_relu with a slope drawn anew for each element while training, and their mean slope in evaluation.

    Formula: out = x where x >= 0, a x elsewhere; a ~ U(lower, upper) in training, (lower + upper) / 2 in evaluation.

    Args:
        input: floating, any shape.
        lower, upper: limits of the slope, lower <= upper.
        training: draw slopes.
        inplace: accepted as in PyTorch; the result is always a new tensor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: lower > upper.

    Source: Xu et al. 2015, "Empirical evaluation of rectified activations in convolutional network".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.rrelu(tn.tensor([-48.0, 1.0]))
        tensor([-11.,   1.])
    """
    lower, upper = number("lower", lower), number("upper", upper)
    if lower > upper:
        raise ValueError(f"rrelu: expected lower <= upper, got {lower} and {upper}")
    input = as_tensor(input)
    if not training:
        return ops.leaky_relu(input, (lower + upper) / 2)
    slopes = uniform(input.shape, lower, upper, generator=generator, dtype=input.dtype, device=input.device)
    return ops.where(input >= 0, input, input * slopes)


def _axis(dim, ndim):
    """PyTorch's rule for softmax without an axis: the first of 0, 1 or 3 axes, else the second."""
    return dim if dim is not None else 0 if ndim in (0, 1, 3) else 1


def _floats(input, dtype):
    input = as_tensor(input)
    return input if dtype is None else input.astype(dtype)


def softmax(input, dim=None, dtype=None):
    """Logits as probabilities that sum to one along an axis.

    Formula: out_i = e^(x_i) / sum_j e^(x_j), computed without overflow.

    Args:
        input: logits (nats), any shape.
        dim: the axis; None: 0 for tensors of 0, 1 or 3 axes, else 1.
        dtype: cast to this first.

    Returns:
        Probabilities, in the shape of `input`.

    Raises:
        IndexError: there is no such axis.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.softmax(tn.tensor([1e4, 1e4]), dim=0)
        tensor([0.5000, 0.5000])
    """
    input = _floats(input, dtype)
    return ops.softmax(input, _axis(dim, input.ndim))


def log_softmax(input, dim=None, dtype=None):
    """The logarithm of softmax, computed in logarithms.

    Formula: out_i = x_i - log sum_j e^(x_j).

    Args:
        input: logits (nats), any shape.
        dim: the axis; None: 0 for tensors of 0, 1 or 3 axes, else 1.
        dtype: cast to this first.

    Returns:
        Log-probabilities (nats), in the shape of `input`.

    Raises:
        IndexError: there is no such axis.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.log_softmax(tn.tensor([1e4, 1e4]), dim=0)
        tensor([-0.6931, -0.6931])
    """
    input = _floats(input, dtype)
    return ops.log_softmax(input, _axis(dim, input.ndim))


def softmin(input, dim=None, dtype=None):
    """Softmax of the negative: the smallest gets the most.

    Formula: out_i = e^(-x_i) / sum_j e^(-x_j).

    Args:
        input: any shape.
        dim: the axis; None: 0 for tensors of 0, 1 or 3 axes, else 1.
        dtype: cast to this first.

    Returns:
        Probabilities, in the shape of `input`.

    Raises:
        IndexError: there is no such axis.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.softmin(tn.tensor([0.0, 0.0]), dim=0)
        tensor([0.5000, 0.5000])
    """
    input = _floats(input, dtype)
    return ops.softmax(-input, _axis(dim, input.ndim))


def gumbel_softmax(logits, tau=1.0, hard=False, eps=1e-10, dim=-1, generator=None):
    """A random draw of a class, soft enough to differentiate.

    Formula: out = softmax((logits + G) / tau), G standard Gumbel. With `hard` the result is one-hot and its gradient
        that of the soft draw.

    Args:
        logits: nats, any shape.
        tau: temperature, > 0; towards 0 the draws become one-hot.
        hard: return one-hot draws.
        eps: accepted as in PyTorch, which ignores it too.
        dim: the axis of the classes.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        A Tensor of the shape of `logits`.

    Raises:
        ValueError: tau <= 0.

    Source: Jang et al. 2017, "Categorical reparameterization with Gumbel-softmax".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.gumbel_softmax(tn.zeros((2, 3)), hard=True).sum(axis=-1)
        tensor([1., 1.])
    """
    tau = number("tau", tau, 0, low_open=True)
    logits = as_tensor(logits)
    u = uniform(logits.shape, generator=generator, dtype=logits.dtype, device=logits.device)
    noise = -ops.log(-ops.log1p(-u) + _tiny(logits.dtype))
    soft = ops.softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    best = ops.argmax(soft, axis=dim, keepdims=True)
    places = [1] * soft.ndim
    places[dim] = soft.shape[dim]
    one_hot = best == ops.arange(soft.shape[dim], device=soft.device).reshape(*places)
    return one_hot.astype(soft.dtype) + (soft - soft.detach())


def _tiny(dtype):
    """Keeps the logarithm of the exponential draw finite where that draw is 0."""
    return 1e-20 if dtype.itemsize >= 4 else 1e-7
