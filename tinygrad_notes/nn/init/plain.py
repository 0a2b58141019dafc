"""The same distribution for every element, whatever the shape."""
from ...backend import as_device
from .common import draw_normal, draw_uniform, host_of, number, write


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
    a, b = number("a", a), number("b", b)
    if a > b:
        raise ValueError(f"uniform_: expected a <= b, got a={a}, b={b}")
    return draw_uniform(tensor, a, b, generator, "uniform_")


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
    return draw_normal(tensor, number("mean", mean), number("std", std, 0), generator, "normal_")


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
    mean, std, a, b = number("mean", mean), number("std", std, 0), number("a", a), number("b", b)
    if a >= b or std == 0:
        raise ValueError(f"trunc_normal_: expected a < b and std > 0, got a={a}, b={b}, std={std}")
    xp = as_device("cpu").xp
    low, high = (a - mean) / std, (b - mean) / std
    side = -1 if low > 0 else 1  # the upper tail is drawn as the lower one, where probabilities are not rounded to 1
    if side < 0:
        low, high = -high, -low
    u = host_of(generator).uniform(xp.ndtr(low), xp.ndtr(high), tensor.shape)
    return write(tensor, xp.clip(side * std * xp.ndtri(u) + mean, a, b), "trunc_normal_")


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
    return write(tensor, val, "constant_")


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
    return write(tensor, 0, "zeros_")


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
    return write(tensor, 1, "ones_")
