"""Spread around the mean, order statistics, and reductions that skip NaN."""
from math import floor

from ..autograd import primitive
from ..autograd.tensor import Tensor, as_tensor
from .arrange import permute_dims
from .axes import all_axes, count, kept_shape
from .join import stack
from .reduce import cast, mean
from .shape import reshape

__all__ = ["var", "std", "var_mean", "std_mean", "nansum", "nanmean", "quantile", "median"]


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


# Skipping NaN -------------------------------------------------------------------
def _without_nan(xp, x):
    return xp.where(xp.isnan(x), xp.zeros_like(x), x) if x.dtype.kind in "fc" else x


def _nansum_rule(xp, g, x, x_shape, axis, keepdims):
    g = xp.spread(g, axis=axis, keepdims=keepdims, shape=tuple(x_shape))
    return xp.where(xp.isnan(x), xp.zeros_like(g), g)


_nansum = primitive("nansum", lambda xp, x, *, axis, keepdims: xp.sum(_without_nan(xp, x), axis, keepdims=keepdims),
                    kind="reduce", x=_nansum_rule)
_nan_count = primitive("nan_count", lambda xp, x, *, axis, keepdims: xp.sum(
    xp.equal(x, x), axis, dtype=x.dtype if x.dtype.kind in "fc" else "float32", keepdims=keepdims), kind="reduce",
    differentiable=False)


def nansum(x, /, axis=None, *, dtype=None, keepdims=False):
    """The sum over some axes, with NaN counted as 0.

    Formula: out = sum_i x_i over the x_i that are not NaN.

    Args:
        x: tensor of any shape and dtype.
        axis: int, tuple of ints, or None for all axes.
        dtype: data type of the addition; default as for `sum`.
        keepdims: keep the reduced axes with length one.

    Returns:
        The shape of `x` without `axis`; NaN elements get gradient 0.

    Raises:
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nansum(tn.tensor([1.0, float("nan"), 2.0]))
        tensor(3.)
    """
    x = as_tensor(x)
    if dtype is not None:
        x = cast(x, dtype)
    return _nansum(x, axis=all_axes("nansum", axis, x.data.ndim), keepdims=keepdims)


def nanmean(x, /, axis=None, *, keepdims=False):
    """The average over some axes of the elements that are not NaN.

    Formula: out = 1/m sum_i x_i over the m elements x_i that are not NaN.

    Args:
        x: tensor of any shape; integers give float32.
        axis: int, tuple of ints, or None for all axes.
        keepdims: keep the reduced axes with length one.

    Returns:
        The shape of `x` without `axis`; NaN where every element is.

    Raises:
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nanmean(tn.tensor([1.0, float("nan"), 3.0]))
        tensor(2.)
    """
    from . import where
    x = as_tensor(x)
    x = x if x.dtype.kind in "fc" else cast(x, "float32")
    axis = all_axes("nanmean", axis, x.data.ndim)
    many = _nan_count(x, axis=axis, keepdims=keepdims)
    return _nansum(x, axis=axis, keepdims=keepdims) / where(many == 0, float("nan"), many)


# Order --------------------------------------------------------------------------
METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _position(q, n, method):
    """The two places in sorted order, and the weight of the second, that make quantile `q` of `n` elements."""
    exact = q * (n - 1)
    low = min(floor(exact), n - 1)
    high = min(low + 1, n - 1) if exact > low else low
    if method == "linear":
        return low, high, exact - low
    if method == "midpoint":
        return low, high, 0.5
    place = {"lower": low, "higher": high, "nearest": round(exact)}[method]
    return place, place, 0.0


def quantile(x, q, /, axis=None, *, method="linear", keepdims=False):
    """The values below which given fractions of the elements lie.

    Formula: with s the sorted elements and t = q (n - 1): out = s_floor(t) + (t - floor(t)) (s_ceil(t) - s_floor(t)).

    Args:
        x: tensor; integers give float32. A NaN makes the quantiles of its slice NaN.
        q: a fraction in [0, 1], or a sequence of them; a tensor that wants a gradient gets one ("linear").
        axis: int, tuple of ints, or None for all axes.
        method: between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
        keepdims: keep the reduced axes with length one.

    Returns:
        The shape of `x` without `axis`; with a sequence `q`, one such tensor per fraction along a new first axis.

    Raises:
        ValueError: a fraction outside [0, 1], an unknown method, or a slice without elements.
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.quantile(tn.tensor([1.0, 3.0, 4.0]), 0.25)
        tensor(2.)
    """
    from . import isnan, sort, where
    x = as_tensor(x)
    x = x if x.dtype.kind == "f" else cast(x, "float32")
    axis = all_axes("quantile", axis, x.ndim)
    n = count(x.shape, axis)
    wanted = q.tolist() if hasattr(q, "tolist") else q
    many = isinstance(wanted, (tuple, list))
    fractions = [float(f) for f in wanted] if many else [float(wanted)]
    if method not in METHODS:
        raise ValueError(f"quantile: method: expected one of {', '.join(METHODS)}, got {method!r}")
    if not fractions or [f for f in fractions if not 0 <= f <= 1]:
        raise ValueError(f"quantile: q: expected fractions between 0 and 1, got {q!r}")
    if n == 0:
        raise ValueError(f"quantile: nothing to order along axis {axis} of shape {x.shape}")
    axes = tuple(range(x.ndim)) if axis is None else axis
    rest = tuple([i for i in range(x.ndim) if i not in axes])
    flat = reshape(permute_dims(x, (*rest, *axes)), (*[x.shape[i] for i in rest], n))
    ordered = sort(flat, axis=-1)
    bad = isnan(ordered[..., -1])  # NaN sorts last
    found = []
    for k, fraction in enumerate(fractions):
        low, high, weight = _position(fraction, n, method)
        value = ordered[..., low]
        if weight:
            if method == "linear" and getattr(q, "requires_grad", False):
                weight = (q[k] if many else q) * (n - 1) - low
            value = value + (ordered[..., high] - value) * weight
        value = where(bad, float("nan"), value)
        found.append(reshape(value, kept_shape(x.shape, axes)) if keepdims else value)
    return stack(found) if many else found[0]


def median(x, /, axis=None, *, keepdims=False):
    """The middle element in sorted order, or the mean of the two in the middle, as in NumPy.

    Formula: out = (s_floor((n-1)/2) + s_ceil((n-1)/2)) / 2, s the sorted elements.

    Args:
        x: tensor; integers give float32. PyTorch's `median` returns the lower of two middle ones instead.
        axis: int, tuple of ints, or None for all axes.
        keepdims: keep the reduced axes with length one.

    Returns:
        The shape of `x` without `axis`.

    Raises:
        ValueError: a slice without elements.
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.median(tn.tensor([5.0, 1.0, 2.0, 4.0]))
        tensor(3.)
    """
    return quantile(x, 0.5, axis, keepdims=keepdims)
