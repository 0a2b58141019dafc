"""What initializers share: the sizes that count, and writing in place."""
import math

from ...autograd import Tensor, no_grad
from ...autograd.write import check_writable
from ...backend import default_generator

_GAINS = {"linear": 1.0, "identity": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}
_GAINS.update({f"conv{kind}{n}d": 1.0 for kind in ("", "_transpose") for n in (1, 2, 3)})
MODES = ("fan_in", "fan_out", "fan_avg")


def calculate_gain(nonlinearity, param=None):
    """The factor on the standard deviation that makes up for what a nonlinearity takes away.

    Formula: 1 for linear, convolutions and sigmoid; 5/3 for tanh; sqrt(2) for relu; sqrt(2 / (1 + param^2)) for
        leaky_relu (param: negative slope, default 0.01); 3/4 for selu.

    Args:
        nonlinearity: the name of the function.
        param: its parameter, for leaky_relu.

    Returns:
        A float.

    Raises:
        ValueError: the name is unknown, or `param` is not a number.

    Source: He et al. 2015, "Delving deep into rectifiers", equations 10 and 15.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.init.calculate_gain("leaky_relu", 1.0)
        1.0
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"param: expected the negative slope as a number, got {param!r}")
        return math.sqrt(2 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"nonlinearity: {nonlinearity!r} is unknown; known are {', '.join([*_GAINS, 'leaky_relu'])}")
    return _GAINS[nonlinearity]


def fans(tensor):
    """How many inputs reach one output of a layer, and how many outputs see one input.

    Formula: fan_in = shape[1] * prod(shape[2:]), fan_out = shape[0] * prod(shape[2:]).

    Args:
        tensor: weight, (fan_out, fan_in, ...).

    Returns:
        (fan_in, fan_out)

    Raises:
        ValueError: it has fewer than two axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.init.fans(tn.zeros((8, 3, 5, 5)))
        (75, 200)
    """
    shape = tensor.shape
    if len(shape) < 2:
        raise ValueError(f"tensor: fan_in and fan_out need at least two axes (fan_out, fan_in, ...), got shape {shape}")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def fan(tensor, mode):
    if mode not in MODES:
        raise ValueError(f"mode: expected one of {', '.join(MODES)}, got {mode!r}")
    fan_in, fan_out = fans(tensor)
    return {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]


def write(tensor, values, what):
    """Write a host array or a number into a tensor, in place and outside the graph."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{what}: expected a Tensor, got {type(tensor).__name__}")
    with no_grad():
        check_writable(tensor, what)
    if not isinstance(values, (int, float)):
        device = tensor.device
        values = device.xp.astype(device.from_numpy(values), tensor.dtype)
    tensor.data[...] = values
    return tensor


def number(name, value, low=-math.inf):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < low:
        limit = f" >= {low}" if low > -math.inf else ""
        raise ValueError(f"{name}: expected a finite number{limit}, got {value!r}")
    return float(value)


def host_of(generator):
    return (default_generator if generator is None else generator).host


def draw_uniform(tensor, low, high, generator, what):
    return write(tensor, host_of(generator).uniform(low, high, tensor.shape), what)


def draw_normal(tensor, mean, std, generator, what):
    return write(tensor, host_of(generator).standard_normal(tensor.shape) * std + mean, what)
