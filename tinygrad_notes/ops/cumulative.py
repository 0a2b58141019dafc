"""Running sums, products, maxima and log-sums along an axis, and differences.

Products and log-sums are linear recurrences in their gradients, solved by one operation, `linear_scan`,
whose own gradient is a scan the other way: exact where elements are zero, stable where logs are far apart.
"""
import numpy as np

from ..autograd import joint, primitive
from ..autograd.tensor import Tensor, as_tensor
from ..backend.kernels import KERNELS
from .axes import one_axis
from .create import full
from .join import concat, split
from .reduce import cast
from .shape import reshape

__all__ = ["cumulative_sum", "cumulative_prod", "cumsum", "cumprod", "logcumsumexp", "cummax", "cummin", "diff"]

KERNELS["cumulative_sum"] = lambda xp, x, axis: xp.cumsum(x, axis=axis)
KERNELS["cumulative_prod"] = lambda xp, x, axis: xp.cumprod(x, axis=axis)


def _window(ndim, axis, start, stop):
    return (*(slice(None),) * axis, slice(start, stop), *(slice(None),) * (ndim - axis - 1))


def _accumulate(xp, name, x, axis):
    """The running combination of elements by an associative function, by doubling where NumPy cannot accumulate."""
    if isinstance(x, np.ndarray):
        return getattr(np, name).accumulate(x, axis=axis)
    step = 1
    while step < x.shape[axis]:
        head, late, early = (x[_window(x.ndim, axis, *w)] for w in ((0, step), (step, None), (0, -step)))
        x = xp.concat((head, getattr(xp, name)(early, late)), axis=axis)
        step *= 2
    return x


def shifted(xp, x, axis, fill_last):
    """The elements moved one place back along an axis with 0 at the end, or one place on with 0 at the start."""
    if fill_last:
        first, rest = xp.split(x, (1,), axis=axis)
        return xp.concat((rest, xp.zeros_like(first)), axis=axis)
    rest, last = before_last(xp, x, axis)
    return xp.concat((xp.zeros_like(last), rest), axis=axis)


def before_last(xp, x, axis):
    """All elements along an axis but the last, and the last."""
    return xp.split(x, (max(x.shape[axis] - 1, 0),), axis=axis)


# The recurrence -----------------------------------------------------------------
def _scan(xp, a, b, *, axis, reverse):
    """y_i = b_i + a_i y_{i-1} (y_{i+1} if `reverse`) by doubling: log2 N passes over whole arrays."""
    if reverse:
        a, b = xp.flip(a, axis=axis), xp.flip(b, axis=axis)
    step, n, ndim = 1, b.shape[axis], b.ndim
    while step < n:
        head, late, early = (_window(ndim, axis, *w) for w in ((0, step), (step, None), (0, -step)))
        b = xp.concat((b[head], b[late] + a[late] * b[early]), axis=axis)
        a = xp.concat((a[head], a[late] * a[early]), axis=axis)
        step *= 2
    return xp.flip(b, axis=axis) if reverse else b


def _scan_rule(xp, g, a, out, axis, reverse):
    back = xp.linear_scan(shifted(xp, a, axis, not reverse), g, axis=axis, reverse=not reverse)
    return back * shifted(xp, out, axis, reverse), back


_linear_scan = joint("linear_scan", _scan, _scan_rule, kind="opaque")


# Sum and product ----------------------------------------------------------------
def _product_rule(xp, g, x, axis):
    before = xp.cumulative_prod(x, axis=axis)
    rest, last = before_last(xp, before, axis)
    before = xp.concat((xp.ones_like(last), rest), axis=axis)  # the product of all earlier elements
    return before * xp.linear_scan(shifted(xp, x, axis, True), g, axis=axis, reverse=True)


_cumulative_sum = primitive(
    "cumulative_sum", lambda xp, x, *, axis: xp.cumulative_sum(x, axis=axis), kind="reduce",
    x=lambda xp, g, axis: xp.flip(xp.cumulative_sum(xp.flip(g, axis=axis), axis=axis), axis=axis))
_cumulative_prod = primitive("cumulative_prod", lambda xp, x, *, axis: xp.cumulative_prod(x, axis=axis), kind="reduce",
                             x=_product_rule)


def _prepared(name, x, axis, dtype):
    """The tensor in its dtype and the axis; a 1-d tensor needs none, a 0-d one allows 0 and -1."""
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    if not x.data.ndim and axis in (0, -1):
        x = reshape(x, (1,))
    if axis is None:
        if x.data.ndim != 1:
            raise ValueError(f"{name}: axis is needed for a tensor of shape {x.shape}; only 1-d tensors do without")
        axis = 0
    axis = one_axis(name, axis, x.data.ndim)
    return (x if dtype is None else cast(x, dtype)), axis


def _cumulative(name, operation, x, axis, dtype=None, initial=None):
    moved, axis = _prepared(name, x, axis, dtype)
    out = operation(moved, axis=axis)
    if dtype is not None:
        out = cast(out, dtype)
    if initial is not None:
        first = full((*out.shape[:axis], 1, *out.shape[axis + 1:]), initial, dtype=out.dtype, device=out.device)
        return concat((first, out), axis=axis)
    return out if moved.ndim == getattr(x, "ndim", 0) else reshape(out, ())


def cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False):
    """The running sum along an axis.

    Formula: out_i = sum_{j <= i} x_j.

    Args:
        x: tensor with at least one axis.
        axis: int; may be left out for a 1-d tensor.
        dtype: data type of the addition; default: that of floating `x`, else int64 (uint64).
        include_initial: begin with the sum of nothing, 0, which makes the axis one longer.

    Returns:
        Tensor of the shape of `x` (one longer along `axis` with `include_initial`).

    Raises:
        ValueError: no axis for a tensor that is not 1-d.
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.cumulative_sum(tn.tensor([1, 2, 3]))
        tensor([1, 3, 6])
    """
    return _cumulative("cumulative_sum", _cumulative_sum, x, axis, dtype, 0 if include_initial else None)


def cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False):
    """The running product along an axis; its gradient is right where elements are zero.

    Formula: out_i = prod_{j <= i} x_j.

    Args:
        x: tensor with at least one axis.
        axis: int; may be left out for a 1-d tensor.
        dtype: data type of the multiplication; default: that of floating `x`, else int64 (uint64).
        include_initial: begin with the product of nothing, 1, which makes the axis one longer.

    Returns:
        Tensor of the shape of `x` (one longer along `axis` with `include_initial`).

    Raises:
        ValueError: no axis for a tensor that is not 1-d.
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.cumulative_prod(tn.tensor([1, 2, 3]))
        tensor([1, 2, 6])
    """
    return _cumulative("cumulative_prod", _cumulative_prod, x, axis, dtype, 1 if include_initial else None)


def cumsum(x, /, axis=None, *, dtype=None):
    """NumPy's and PyTorch's name for `cumulative_sum`.

    Formula: out_i = sum_{j <= i} x_j.

    Args:
        x, axis, dtype: as for `cumulative_sum`.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        ValueError: no axis for a tensor that is not 1-d.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.cumsum(tn.tensor([1, 2, 3]), 0)
        tensor([1, 3, 6])
    """
    return cumulative_sum(x, axis=axis, dtype=dtype)


def cumprod(x, /, axis=None, *, dtype=None):
    """NumPy's and PyTorch's name for `cumulative_prod`.

    Formula: out_i = prod_{j <= i} x_j.

    Args:
        x, axis, dtype: as for `cumulative_prod`.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        ValueError: no axis for a tensor that is not 1-d.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.cumprod(tn.tensor([1, 2, 3]), 0)
        tensor([1, 2, 6])
    """
    return cumulative_prod(x, axis=axis, dtype=dtype)


# Log-sums -----------------------------------------------------------------------
def _log_sum_rule(xp, g, x, out, axis):
    """gx_i = sum_{k >= i} g_k exp(x_i - out_k), as a scan over the steps of `out`, none above exp(0)."""
    level = xp.finite_floor(out)
    later = xp.concat((xp.split(level, (1,), axis=axis)[1], before_last(xp, level, axis)[1]), axis=axis)
    return xp.exp(x - level) * xp.linear_scan(xp.exp(level - later), g, axis=axis, reverse=True)


_logcumsumexp = primitive("logcumsumexp", lambda xp, x, *, axis: _accumulate(xp, "logaddexp", x, axis), kind="reduce",
                          x=_log_sum_rule)


def logcumsumexp(x, /, axis=None):
    """The logarithm of the running sum of exponentials, stable for any size of element.

    Formula: out_i = log sum_{j <= i} exp(x_j).

    Args:
        x: tensor (nats); integers give float32.
        axis: int; may be left out for a 1-d tensor.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        ValueError: no axis for a tensor that is not 1-d.
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.logcumsumexp(tn.tensor([0.0, 0.0]), 0)
        tensor([0.0000, 0.6931])
    """
    x = as_tensor(x)
    return _cumulative("logcumsumexp", _logcumsumexp, x, axis, None if x.dtype.kind in "fc" else "float32")


# Extremes -----------------------------------------------------------------------
def _holder(xp, x, *, axis, largest):
    """For each place, where the extreme so far stands: the last of equal ones; NaN, once seen, stays."""
    best = _accumulate(xp, "maximum" if largest else "minimum", x, axis)
    places = xp.arange(x.shape[axis]).reshape(tuple([-1 if i == axis else 1 for i in range(x.ndim)]))
    taken = (x == best) | (x != x)
    return _accumulate(xp, "maximum", xp.where(taken, places, xp.zeros_like(places)), axis)


_extreme_index = primitive("cumulative_extreme_index", _holder, kind="reduce", differentiable=False)


def _running(name, x, axis, largest):
    from . import take_along_axis
    moved, axis = _prepared(name, x, axis, None)
    index = _extreme_index(moved, axis=axis, largest=largest)
    values = take_along_axis(moved, index, axis=axis)
    return (values, index) if moved.ndim == getattr(x, "ndim", 0) else (reshape(values, ()), reshape(index, ()))


def cummax(x, /, axis=None):
    """The largest element so far along an axis, and where it stands.

    Formula: out_i = max_{j <= i} x_j.

    Args:
        x: tensor of real dtype; NaN, once seen, stays.
        axis: int; may be left out for a 1-d tensor.

    Returns:
        Values of the shape of `x`, and int64 positions (the last of equal ones, which alone gets the gradient).

    Raises:
        ValueError: no axis for a tensor that is not 1-d.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.cummax(tn.tensor([1.0, 3.0, 2.0]), 0)
        (tensor([1., 3., 3.]), tensor([0, 1, 1]))
    """
    return _running("cummax", x, axis, True)


def cummin(x, /, axis=None):
    """The smallest element so far along an axis, and where it stands.

    Formula: out_i = min_{j <= i} x_j.

    Args:
        x: tensor of real dtype; NaN, once seen, stays.
        axis: int; may be left out for a 1-d tensor.

    Returns:
        Values of the shape of `x`, and int64 positions (the last of equal ones, which alone gets the gradient).

    Raises:
        ValueError: no axis for a tensor that is not 1-d.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.cummin(tn.tensor([2.0, 1.0, 3.0]), 0)
        (tensor([2., 1., 1.]), tensor([0, 1, 1]))
    """
    return _running("cummin", x, axis, False)


# Differences --------------------------------------------------------------------
def _difference(xp, x, *, axis):
    late, early = x[_window(x.ndim, axis, 1, None)], x[_window(x.ndim, axis, 0, -1)]
    return xp.not_equal(late, early) if x.dtype.kind == "b" else xp.subtract(late, early)


def _difference_rule(xp, g, axis):
    edge = xp.zeros_like(xp.split(g, (1,), axis=axis)[0])
    return -xp.difference(xp.concat((edge, g, edge), axis=axis), axis=axis)


_diff = primitive("difference", _difference, kind="gather", x=_difference_rule)


def diff(x, /, *, axis=-1, n=1, prepend=None, append=None):
    """Differences of neighbours along an axis.

    Formula: out_i = x_{i+1} - x_i, `n` times over.

    Args:
        x: tensor with at least one axis; bools differ where they are not equal.
        axis: int.
        n: how often.
        prepend, append: tensors put before and after `x` along `axis` first.

    Returns:
        Tensor, `n` shorter along `axis`.

    Raises:
        ValueError: `n` is negative.
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.diff(tn.tensor([1, 4, 9]))
        tensor([3, 5])
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    axis = one_axis("diff", axis, x.data.ndim)
    if n < 0:
        raise ValueError(f"diff: n: expected a number from 0 up, got {n}")
    if n == 0:
        return x
    parts = [part for part in (prepend, x, append) if part is not None]
    x = concat(parts, axis=axis) if len(parts) > 1 else x
    if x.shape[axis] <= n:
        return split(x, (0,), axis=axis)[0]
    for _ in range(n):
        x = _diff(x, axis=axis)
    return x
