"""Initial values of parameters, written in place; each function says the standard deviation that results.

A weight has shape (fan_out, fan_in, *receptive field), as in Linear and the convolutions:
fan_in = shape[1] * prod(shape[2:]) inputs reach one output, fan_out = shape[0] * prod(shape[2:]) outputs
see one input, fan_avg is their mean. Numbers are drawn in float64 on the host, so a seed gives the same
values in every dtype and on every device.
"""
import math

from ..autograd import Tensor, no_grad
from ..autograd.write import check_writable
from ..backend import as_device, default_generator

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


def _fan(tensor, mode):
    if mode not in MODES:
        raise ValueError(f"mode: expected one of {', '.join(MODES)}, got {mode!r}")
    fan_in, fan_out = fans(tensor)
    return {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]


def _write(tensor, values, what):
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


def _number(name, value, low=-math.inf):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < low:
        limit = f" >= {low}" if low > -math.inf else ""
        raise ValueError(f"{name}: expected a finite number{limit}, got {value!r}")
    return float(value)


def _host(generator):
    return (default_generator if generator is None else generator).host


def _draw_uniform(tensor, low, high, generator, what):
    return _write(tensor, _host(generator).uniform(low, high, tensor.shape), what)


def _draw_normal(tensor, mean, std, generator, what):
    return _write(tensor, _host(generator).standard_normal(tensor.shape) * std + mean, what)


# Any shape ----------------------------------------------------------------------------
def uniform_(tensor, a=0.0, b=1.0, generator=None):
    """Fill with numbers uniform between two limits.

    Formula: x ~ U(a, b); std = (b - a) / sqrt(12).

    Args:
        tensor: floating, any shape.
        a, b: limits, a <= b.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        The tensor.

    Raises:
        ValueError: a > b, or a limit is not finite.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.nn.init.uniform_(tn.zeros((2, 3)), -1, 1)
        >>> bool((abs(w) <= 1).all())
        True
    """
    a, b = _number("a", a), _number("b", b)
    if a > b:
        raise ValueError(f"uniform_: expected a <= b, got a={a}, b={b}")
    return _draw_uniform(tensor, a, b, generator, "uniform_")


def normal_(tensor, mean=0.0, std=1.0, generator=None):
    """Fill with normal numbers.

    Formula: x ~ N(mean, std^2).

    Args:
        tensor: floating, any shape.
        mean: mean.
        std: standard deviation, >= 0.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        The tensor.

    Raises:
        ValueError: std < 0, or a number is not finite.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.init.normal_(tn.zeros((2, 3)), std=0.02).shape
        (2, 3)
    """
    return _draw_normal(tensor, _number("mean", mean), _number("std", std, 0), generator, "normal_")


def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None):
    """Fill with normal numbers, none outside two limits.

    Formula: x ~ N(mean, std^2) given a <= x <= b. With limits at mean +- 2 std the result has
        std 0.8796 * std; at +- 1 std, 0.5396 * std.

    Args:
        tensor: floating, any shape.
        mean, std: of the normal law before it is cut, std > 0.
        a, b: limits in the unit of x, a < b.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        The tensor.

    Raises:
        ValueError: a >= b, std <= 0, or a number is not finite.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.nn.init.trunc_normal_(tn.zeros((100,)), std=0.02, a=-0.04, b=0.04)
        >>> bool((abs(w) <= 0.04).all())
        True
    """
    mean, std, a, b = _number("mean", mean), _number("std", std, 0), _number("a", a), _number("b", b)
    if a >= b or std == 0:
        raise ValueError(f"trunc_normal_: expected a < b and std > 0, got a={a}, b={b}, std={std}")
    xp = as_device("cpu").xp
    low, high = (a - mean) / std, (b - mean) / std
    side = -1 if low > 0 else 1  # the upper tail is drawn as the lower one, where probabilities are not rounded to 1
    if side < 0:
        low, high = -high, -low
    u = _host(generator).uniform(xp.ndtr(low), xp.ndtr(high), tensor.shape)
    return _write(tensor, xp.clip(side * std * xp.ndtri(u) + mean, a, b), "trunc_normal_")


def constant_(tensor, val):
    """Fill with one number.

    Formula: x = val; std = 0.

    Args:
        tensor: any shape.
        val: the number.

    Returns:
        The tensor.

    Raises:
        ValueError: `val` is no number.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.init.constant_(tn.zeros((2,)), 0.5)
        tensor([0.5000, 0.5000])
    """
    if not isinstance(val, (int, float)):
        raise ValueError(f"val: expected a number, got {val!r}")
    return _write(tensor, val, "constant_")


def zeros_(tensor):
    """Fill with 0.

    Args:
        tensor: any shape.

    Returns:
        The tensor; std = 0.

    Raises:
        TypeError: it is no Tensor.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.init.zeros_(tn.ones((2,)))
        tensor([0., 0.])
    """
    return _write(tensor, 0, "zeros_")


def ones_(tensor):
    """Fill with 1.

    Args:
        tensor: any shape.

    Returns:
        The tensor; std = 0.

    Raises:
        TypeError: it is no Tensor.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.init.ones_(tn.zeros((2,)))
        tensor([1., 1.])
    """
    return _write(tensor, 1, "ones_")


# By fan -------------------------------------------------------------------------------
def xavier_uniform_(tensor, gain=1.0, generator=None):
    """Glorot's uniform weights: a compromise between a stable forward and a stable backward pass.

    Formula: x ~ U(-l, l), l = gain * sqrt(6 / (fan_in + fan_out)); std = gain * sqrt(2 / (fan_in + fan_out)).

    Args:
        tensor: floating, (fan_out, fan_in, ...).
        gain: factor, see `calculate_gain`.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        The tensor.

    Raises:
        ValueError: fewer than two axes.

    Source: Glorot and Bengio 2010, equation 16.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.nn.init.xavier_uniform_(tn.zeros((2, 4)))
        >>> bool((abs(w) <= 1).all())
        True
    """
    return _scaled_uniform(tensor, _number("gain", gain), _fan(tensor, "fan_avg"), generator, "xavier_uniform_")


def xavier_normal_(tensor, gain=1.0, generator=None):
    """Glorot's normal weights.

    Formula: x ~ N(0, std^2), std = gain * sqrt(2 / (fan_in + fan_out)).

    Args:
        tensor: floating, (fan_out, fan_in, ...).
        gain: factor, see `calculate_gain`.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        The tensor.

    Raises:
        ValueError: fewer than two axes.

    Source: Glorot and Bengio 2010, equation 12.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.init.xavier_normal_(tn.zeros((2, 4))).shape
        (2, 4)
    """
    return _scaled_normal(tensor, _number("gain", gain), _fan(tensor, "fan_avg"), generator, "xavier_normal_")


def kaiming_uniform_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """He's uniform weights: the variance of activations (or of gradients) stays as it is from layer to layer.

    Formula: x ~ U(-l, l), l = gain * sqrt(3 / fan); std = gain / sqrt(fan). For relu gain^2 = 2, for
        leaky_relu 2 / (1 + a^2): a = sqrt(5), the default of Linear, gives std = 1 / sqrt(3 fan).

    Args:
        tensor: floating, (fan_out, fan_in, ...).
        a: negative slope of leaky_relu.
        mode: 'fan_in' keeps the variance forward, 'fan_out' backward, 'fan_avg' is the compromise.
        nonlinearity: what follows the layer, see `calculate_gain`.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        The tensor.

    Raises:
        ValueError: fewer than two axes, or an unknown mode or nonlinearity.

    Source: He et al. 2015; the notes, section 1.4, equations 1.18 and 1.24.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.nn.init.kaiming_uniform_(tn.zeros((2, 6)))
        >>> bool((abs(w) <= 1).all())
        True
    """
    return _scaled_uniform(tensor, calculate_gain(nonlinearity, a), _fan(tensor, mode), generator, "kaiming_uniform_")


def kaiming_normal_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """He's normal weights: the variance of activations (or of gradients) stays as it is from layer to layer.

    Formula: x ~ N(0, std^2), std = gain / sqrt(fan). For relu std = sqrt(2 / fan).

    Args:
        tensor: floating, (fan_out, fan_in, ...).
        a: negative slope of leaky_relu.
        mode: 'fan_in' keeps the variance forward, 'fan_out' backward, 'fan_avg' is the compromise.
        nonlinearity: what follows the layer, see `calculate_gain`.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        The tensor.

    Raises:
        ValueError: fewer than two axes, or an unknown mode or nonlinearity.

    Source: He et al. 2015; the notes, section 1.4, equations 1.18 and 1.24.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.init.kaiming_normal_(tn.zeros((2, 6)), mode="fan_out").shape
        (2, 6)
    """
    return _scaled_normal(tensor, calculate_gain(nonlinearity, a), _fan(tensor, mode), generator, "kaiming_normal_")


def he_uniform_(tensor, mode="fan_in", generator=None):
    """`kaiming_uniform_` for layers that a ReLU follows.

    Formula: x ~ U(-l, l), l = sqrt(6 / fan); std = sqrt(2 / fan), for fan_avg sqrt(4 / (fan_in + fan_out)).

    Args:
        tensor: floating, (fan_out, fan_in, ...).
        mode: 'fan_in', 'fan_out' or 'fan_avg'.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        The tensor.

    Raises:
        ValueError: fewer than two axes, or an unknown mode.

    Source: He et al. 2015; the notes, section 1.4, equation 1.18.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.nn.init.he_uniform_(tn.zeros((2, 6)))
        >>> bool((abs(w) <= 1).all())
        True
    """
    return kaiming_uniform_(tensor, 0, mode, "relu", generator)


def he_normal_(tensor, mode="fan_in", generator=None):
    """`kaiming_normal_` for layers that a ReLU follows.

    Formula: x ~ N(0, std^2), std = sqrt(2 / fan), for fan_avg sqrt(4 / (fan_in + fan_out)).

    Args:
        tensor: floating, (fan_out, fan_in, ...).
        mode: 'fan_in', 'fan_out' or 'fan_avg'.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        The tensor.

    Raises:
        ValueError: fewer than two axes, or an unknown mode.

    Source: He et al. 2015; the notes, section 1.4, equation 1.18; UDL equation 7.34 for the mean of both.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.init.he_normal_(tn.zeros((2, 6)), mode="fan_avg").shape
        (2, 6)
    """
    return kaiming_normal_(tensor, 0, mode, "relu", generator)


def lecun_uniform_(tensor, generator=None):
    """LeCun's uniform weights: unit variance of inputs gives unit variance of outputs; for SELU and tanh-like layers.

    Formula: x ~ U(-l, l), l = sqrt(3 / fan_in); std = sqrt(1 / fan_in).

    Args:
        tensor: floating, (fan_out, fan_in, ...).
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        The tensor.

    Raises:
        ValueError: fewer than two axes.

    Source: LeCun et al. 1998, "Efficient BackProp", equation 16.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.nn.init.lecun_uniform_(tn.zeros((2, 3)))
        >>> bool((abs(w) <= 1).all())
        True
    """
    return _scaled_uniform(tensor, 1.0, _fan(tensor, "fan_in"), generator, "lecun_uniform_")


def lecun_normal_(tensor, generator=None):
    """LeCun's normal weights: unit variance of inputs gives unit variance of outputs.

    Formula: x ~ N(0, std^2), std = sqrt(1 / fan_in).

    Args:
        tensor: floating, (fan_out, fan_in, ...).
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        The tensor.

    Raises:
        ValueError: fewer than two axes.

    Source: LeCun et al. 1998, "Efficient BackProp", equation 16.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.init.lecun_normal_(tn.zeros((2, 3))).shape
        (2, 3)
    """
    return _scaled_normal(tensor, 1.0, _fan(tensor, "fan_in"), generator, "lecun_normal_")


def _scaled_uniform(tensor, gain, fan, generator, what):
    limit = gain * math.sqrt(3 / fan) if fan else 0.0
    return _draw_uniform(tensor, -limit, limit, generator, what)


def _scaled_normal(tensor, gain, fan, generator, what):
    return _draw_normal(tensor, 0.0, gain / math.sqrt(fan) if fan else 0.0, generator, what)


glorot_uniform_ = xavier_uniform_
glorot_normal_ = xavier_normal_


# Structured ---------------------------------------------------------------------------
def eye_(tensor):
    """Fill a matrix with the identity: ones on its diagonal.

    Formula: x_ij = 1 if i = j else 0.

    Args:
        tensor: (M, N).

    Returns:
        The tensor.

    Raises:
        ValueError: it does not have two axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.init.eye_(tn.zeros((2, 2)))
        tensor([[1., 0.],
                [0., 1.]])
    """
    if len(tensor.shape) != 2:
        raise ValueError(f"eye_: expected two axes, got shape {tensor.shape}")
    return _write(tensor, as_device("cpu").xp.eye(*tensor.shape), "eye_")


def dirac_(tensor, groups=1):
    """Fill a convolution's weight so that it passes its input channels on unchanged.

    Formula: x[i, i mod (C_out / groups), centre] = 1, else 0; only as many channels as there are inputs.

    Args:
        tensor: (C_out, C_in / groups, *kernel), three to five axes.
        groups: number of groups of the convolution; divides C_out.

    Returns:
        The tensor.

    Raises:
        ValueError: another number of axes, or `groups` does not divide C_out.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.init.dirac_(tn.zeros((1, 1, 3)))
        tensor([[[0., 1., 0.]]])
    """
    shape = tensor.shape
    if not 3 <= len(shape) <= 5:
        raise ValueError(f"dirac_: expected three to five axes (C_out, C_in, *kernel), got shape {shape}")
    if not isinstance(groups, int) or groups < 1 or shape[0] % groups:
        raise ValueError(f"groups: expected a divisor of C_out = {shape[0]}, got {groups!r}")
    values = as_device("cpu").xp.zeros(shape)
    per_group = shape[0] // groups
    centre = tuple(n // 2 for n in shape[2:])
    for g in range(groups):
        for k in range(min(per_group, shape[1])):
            values[(g * per_group + k, k, *centre)] = 1
    return _write(tensor, values, "dirac_")


def orthogonal_(tensor, gain=1.0, generator=None):
    """Fill with a random matrix whose rows (or columns, if there are fewer) are orthonormal.

    Formula: x = gain * Q with Q from the QR decomposition of a normal matrix, uniform among such matrices;
        std = gain / sqrt(max(M, N)) for the shape (M, N).

    Args:
        tensor: floating, at least two axes; all but the first count as one.
        gain: factor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        The tensor.

    Raises:
        ValueError: fewer than two axes.

    Source: Saxe et al. 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear networks".

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.nn.init.orthogonal_(tn.zeros((2, 2), dtype=tn.float64))
        >>> bool((abs(w @ w.T - tn.eye(2)) < 1e-12).all())
        True
    """
    gain = _number("gain", gain)
    shape = tensor.shape
    if len(shape) < 2:
        raise ValueError(f"orthogonal_: expected at least two axes, got shape {shape}")
    rows, columns = shape[0], math.prod(shape[1:])
    if not rows or not columns:
        return tensor
    xp = as_device("cpu").xp
    normal = _host(generator).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = xp.linalg.qr(normal)
    q = q * xp.sign(xp.linalg.diagonal(r))  # without the signs, Q would not be uniform
    values = (q if rows >= columns else q.T) * gain
    return _write(tensor, values.reshape(shape), "orthogonal_")


def sparse_(tensor, sparsity, std=0.01, generator=None):
    """Fill a matrix with normal numbers, of which a fraction in each column is zero.

    Formula: ceil(sparsity * M) zeros in each column, the rest ~ N(0, std^2);
        std of all is std * sqrt(1 - zeros / M).

    Args:
        tensor: floating (M, N).
        sparsity: fraction of zeros, in [0, 1].
        std: standard deviation of the others, >= 0.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Returns:
        The tensor.

    Raises:
        ValueError: not two axes, or a number is out of range.

    Source: Martens 2010, "Deep learning via Hessian-free optimization", section 5.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.nn.init.sparse_(tn.zeros((4, 2)), 0.5)
        >>> (w == 0).sum(axis=0)
        tensor([2, 2])
    """
    if len(tensor.shape) != 2:
        raise ValueError(f"sparse_: expected two axes, got shape {tensor.shape}")
    std = _number("std", std, 0)
    if not 0 <= _number("sparsity", sparsity) <= 1:
        raise ValueError(f"sparsity: expected a fraction in [0, 1], got {sparsity!r}")
    host = _host(generator)
    values = host.standard_normal(tensor.shape) * std
    rows = tensor.shape[0]
    zeros = math.ceil(sparsity * rows)
    order = host.random(tensor.shape).argsort(axis=0)
    values[order < zeros] = 0
    return _write(tensor, values, "sparse_")
