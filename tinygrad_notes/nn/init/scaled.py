"""Normal and uniform numbers whose size depends on how many inputs and outputs a weight connects."""
import math

from .common import calculate_gain, draw_normal, draw_uniform, fan, number


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
    return _scaled_uniform(tensor, number("gain", gain), fan(tensor, "fan_avg"), generator, "xavier_uniform_")


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
    return _scaled_normal(tensor, number("gain", gain), fan(tensor, "fan_avg"), generator, "xavier_normal_")


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
    return _scaled_uniform(tensor, calculate_gain(nonlinearity, a), fan(tensor, mode), generator, "kaiming_uniform_")


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
    return _scaled_normal(tensor, calculate_gain(nonlinearity, a), fan(tensor, mode), generator, "kaiming_normal_")


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
    return _scaled_uniform(tensor, 1.0, fan(tensor, "fan_in"), generator, "lecun_uniform_")


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
    return _scaled_normal(tensor, 1.0, fan(tensor, "fan_in"), generator, "lecun_normal_")


def _scaled_uniform(tensor, gain, fan, generator, what):
    limit = gain * math.sqrt(3 / fan) if fan else 0.0
    return draw_uniform(tensor, -limit, limit, generator, what)


def _scaled_normal(tensor, gain, fan, generator, what):
    return draw_normal(tensor, 0.0, gain / math.sqrt(fan) if fan else 0.0, generator, what)


glorot_uniform_ = xavier_uniform_
glorot_normal_ = xavier_normal_
