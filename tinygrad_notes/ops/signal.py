"""Convolution as mathematics means it: of sequences, and of functions of a real number. The second argument is turned
around; a convolution layer does not do that (`nn.functional.conv1d`).
"""
from ..autograd.tensor import Tensor, as_tensor
from .arrange import flip
from .convolution import conv
from .create import linspace
from .integrate import trapezoid
from .shape import expand_dims, reshape

__all__ = ["convolution_integral", "convolve", "correlate"]

MODES = ("full", "same", "valid")


def _vectors(name, a, v, mode):
    a = as_tensor(a, v if isinstance(v, Tensor) else None)
    v = as_tensor(v, a)
    for which, x in (("a", a), ("v", v)):
        if x.ndim != 1 or not x.size:
            raise ValueError(f"{name}: {which}: expected a vector of at least one element, got shape {x.shape}")
    if mode not in MODES:
        raise ValueError(f"{name}: mode: expected one of {', '.join(map(repr, MODES))}, got {mode!r}")
    return a, v


def convolve(a, v, mode="full"):
    """The convolution of two sequences: the coefficients of the product of two polynomials.

    Formula: out[k] = sum_i a[i] v[k - i]; commutative, associative, and its Fourier transform is a product.

    Args:
        a: numeric (n,).
        v: numeric (m,).
        mode: "full", all n + m - 1 elements; "same", the middle max(n, m) of them; "valid", those for which the
            sequences overlap completely.

    Returns:
        A Tensor of one axis.

    Raises:
        ValueError: an input is no vector or empty, or the mode is unknown.

    Source: the notes, section 3.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.convolve(tn.tensor([1., 2., 3.]), tn.tensor([0., 1., .5]))
        tensor([0.0000, 1.0000, 2.5000, 4.0000, 1.5000])
    """
    a, v = _vectors("convolve", a, v, mode)
    if v.size > a.size:
        a, v = v, a
    m = v.size
    before, after = {"full": (m - 1, m - 1), "same": (m // 2, (m - 1) // 2), "valid": (0, 0)}[mode]
    out = conv(reshape(a, (1, 1, -1)), reshape(flip(v, axis=0), (1, 1, -1)), stride=(1,), padding=((before, after),),
               dilation=(1,), groups=1)
    return reshape(out, (-1,))


def correlate(a, v, mode="valid"):
    """The cross-correlation of two sequences: the convolution with the second one turned around.

    Formula: out[k] = sum_i a[i + k] v[i]; in "full", k runs from 1 - m to n - 1.

    Args:
        a: real (n,).
        v: real (m,).
        mode: as in `convolve`.

    Returns:
        A Tensor of one axis.

    Raises:
        ValueError: an input is no vector or empty, or the mode is unknown.

    Source: the notes, section 3.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.correlate(tn.tensor([1., 2., 3.]), tn.tensor([0., 1., .5]))
        tensor([3.5000])
    """
    a, v = _vectors("correlate", a, v, mode)
    return convolve(a, flip(v, axis=0), mode) if v.size <= a.size else flip(convolve(flip(a, axis=0), v, mode), axis=0)


def convolution_integral(f, g, t, /, low, high, *, points=1001):
    """The convolution of two functions of a real number, by the trapezoid rule.

    Formula: (f * g)(t) = integral over s from low to high of f(s) g(t - s). The limits must hold what there is of f:
        beyond them f counts as zero.

    Args:
        f, g: functions of a Tensor, element by element.
        t: real, any shape: where the convolution is wanted.
        low, high: limits of s, numbers, low < high.
        points: samples of s, an int >= 2.

    Returns:
        A Tensor of the shape of `t`, differentiable in t and in what f and g depend on.

    Raises:
        ValueError: `low` is not below `high`, or there are less than two points.

    Source: the notes, section 3.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> bell = lambda x: tn.exp(-x * x / 2) / (2 * tn.pi) ** .5
        >>> tn.convolution_integral(bell, bell, tn.tensor([0.]), -9, 9) * (4 * tn.pi) ** .5
        tensor([1.])
    """
    if not low < high:
        raise ValueError(f"convolution_integral: expected low < high, got {low!r} and {high!r}")
    if isinstance(points, bool) or not hasattr(points, "__index__") or points < 2:
        raise ValueError(f"convolution_integral: points: expected an int >= 2, got {points!r}")
    t = as_tensor(t)
    dtype = t.dtype if t.dtype.kind == "f" else None
    s = linspace(low, high, points, dtype=dtype, device=t.device)
    return trapezoid(f(s) * g(expand_dims(t, axis=-1) - s), dx=(high - low) / (points - 1))
