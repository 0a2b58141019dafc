"""Spread around the mean, order statistics, and reductions that skip NaN."""
from ..autograd import primitive
from ..autograd.tensor import Tensor, as_tensor
from .axes import all_axes, count
from .reduce import mean

__all__ = ["var", "std", "var_mean", "std_mean"]


def safe_ratio(xp, g, y):
    """g / y, and 0 where y is 0: there the derivative of a root takes the subgradient 0."""
    zero = xp.equal(y, 0)
    return xp.where(zero, xp.zeros_like(g), g / xp.where(zero, xp.ones_like(y), y))


# Variance -----------------------------------------------------------------------
def _variance(xp, x, *, axis, correction, keepdims):
    kind, narrow = x.dtype.kind, x.dtype.itemsize == 2
    if kind not in "fc" or narrow:
        x = x.astype("float32" if kind == "f" else "float64")
    n = count(x.shape, axis)
    d = xp.asarray(x - xp.mean(x, axis=axis, keepdims=True))
    square = xp.real(d * xp.conj(d)) if kind == "c" else xp.multiply(d, d, out=d)
    out = xp.sum(square, axis, keepdims=keepdims)
    if n > correction:
        out = out / (n - correction)
    else:  # 0 / 0 is NaN, anything else / 0 infinite
        out = xp.where(out == 0, xp.full_like(out, float("nan")), xp.full_like(out, float("inf")))
    return out.astype("float16") if kind == "f" and narrow else out


def _deviation(xp, x, *, axis, correction, keepdims):
    return xp.sqrt(_variance(xp, x, axis=axis, correction=correction, keepdims=keepdims))


def _from_mean(xp, g, x, axis, correction, keepdims):
    """g (x - mean) / (n - correction)."""
    n = count(x.shape, axis)
    scale = 1 / (n - correction) if n > correction else float("nan")
    d = x - xp.mean(x, axis=axis, keepdims=True)
    return xp.spread(g * scale, axis=axis, keepdims=keepdims, shape=tuple(x.shape)) * d


_var = primitive("var", _variance, kind="reduce", x=lambda xp, g, x, axis, correction, keepdims: _from_mean(
    xp, g + g, x, axis, correction, keepdims))
_std = primitive("std", _deviation, kind="reduce", x=lambda xp, g, out, x, axis, correction, keepdims: _from_mean(
    xp, safe_ratio(xp, g, out), x, axis, correction, keepdims))


def var(x, /, axis=None, *, correction=0, keepdims=False):
    """The variance over some axes.

    Formula: out = sum_i (x_i - mean x)^2 / (n - correction).

    Args:
        x: tensor of any shape; integers give float32.
        axis: int, tuple of ints, or None for all axes.
        correction: 0 for a whole population, 1 for the unbiased estimate from a sample (PyTorch's default).
        keepdims: keep the reduced axes with length one.

    Returns:
        The shape of `x` without `axis`; NaN where n <= correction leaves 0 / 0.

    Raises:
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.var(tn.tensor([1.0, 2.0, 3.0]), correction=1)
        tensor(1.)
    """
    return _moment("var", _var, x, axis, correction, keepdims)


def std(x, /, axis=None, *, correction=0, keepdims=False):
    """The standard deviation over some axes.

    Formula: out = sqrt(sum_i (x_i - mean x)^2 / (n - correction)); its gradient is 0 where out = 0.

    Args:
        x: tensor of any shape; integers give float32.
        axis: int, tuple of ints, or None for all axes.
        correction: 0 for a whole population, 1 for the estimate from a sample (PyTorch's default).
        keepdims: keep the reduced axes with length one.

    Returns:
        The shape of `x` without `axis`; NaN where n <= correction leaves 0 / 0.

    Raises:
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.std(tn.tensor([1.0, 3.0]))
        tensor(1.)
    """
    return _moment("std", _std, x, axis, correction, keepdims)


def _moment(name, operation, x, axis, correction, keepdims):
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    if not isinstance(correction, (int, float)):
        raise TypeError(f"{name}: correction: expected a number, got {correction!r}")
    return operation(x, axis=all_axes(name, axis, x.data.ndim), correction=correction, keepdims=keepdims)


def var_mean(x, /, axis=None, *, correction=0, keepdims=False):
    """Variance and mean over some axes, as a pair.

    Formula: out = (var x, mean x).

    Args:
        x, axis, correction, keepdims: as for `var`.

    Returns:
        Two tensors of the shape of `x` without `axis`.

    Raises:
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.var_mean(tn.tensor([1.0, 3.0]))
        (tensor(1.), tensor(2.))
    """
    return var(x, axis, correction=correction, keepdims=keepdims), mean(x, axis, keepdims=keepdims)


def std_mean(x, /, axis=None, *, correction=0, keepdims=False):
    """Standard deviation and mean over some axes, as a pair.

    Formula: out = (std x, mean x).

    Args:
        x, axis, correction, keepdims: as for `var`.

    Returns:
        Two tensors of the shape of `x` without `axis`.

    Raises:
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.std_mean(tn.tensor([1.0, 3.0]))
        (tensor(1.), tensor(2.))
    """
    return std(x, axis, correction=correction, keepdims=keepdims), mean(x, axis, keepdims=keepdims)
