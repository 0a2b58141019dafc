"""The p-norm of vectors."""
from math import inf, isnan

from ..autograd import primitive
from ..autograd.tensor import Tensor, as_tensor
from .axes import all_axes, count
from .statistics import safe_ratio

__all__ = ["norm"]


def _norm_forward(xp, x, *, ord, axis, keepdims):
    kind, narrow = x.dtype.kind, x.dtype.itemsize == 2
    if kind not in "fc" or narrow:
        x = x.astype("float32" if kind == "f" else "float64")
    out = _norm_of(xp, x, ord, axis, keepdims)
    return out.astype("float16") if kind == "f" and narrow else out


def _norm_of(xp, x, ord, axis, keepdims):
    if ord == 2 and x.dtype.kind != "c":
        return xp.sqrt(xp.sum(xp.multiply(x, x), axis, keepdims=keepdims))
    if ord == 0:
        return xp.sum(xp.not_equal(x, 0), axis, dtype=xp.abs(x).dtype, keepdims=keepdims)
    size = xp.abs(x)
    if ord == inf and count(x.shape, axis):
        return xp.max(size, axis, keepdims=keepdims)
    if ord == -inf:
        return xp.min(size, axis, keepdims=keepdims)
    if ord in (1, inf):  # the largest of nothing is 0
        return xp.sum(size, axis, keepdims=keepdims)
    if ord > 0:
        return xp.pow(xp.sum(xp.pow(size, ord), axis, keepdims=keepdims), 1 / ord)
    # A negative power of 0 is infinite, and the norm then 0: said without a warning.
    zero = xp.equal(size, 0)
    total = xp.sum(xp.pow(xp.where(zero, xp.ones_like(size), size), ord), axis, keepdims=keepdims)
    hit = xp.any(zero, axis=axis, keepdims=keepdims)
    return xp.where(hit, xp.zeros_like(total), xp.pow(total, 1 / ord))


def _norm_rule(xp, g, x, out, ord, axis, keepdims):
    def spread(y):
        return xp.spread(y, axis=axis, keepdims=keepdims, shape=tuple(x.shape))
    if ord == 2:
        return x * spread(safe_ratio(xp, g, out))
    if ord == 1:
        return xp.sign(x) * spread(g)
    if ord == 0:
        return xp.zeros_like(x)
    if ord in (inf, -inf):
        return xp.sign(x) * xp.tie_weights(xp.abs(x), out, axis=axis, keepdims=keepdims) * spread(g)
    zero = xp.equal(x, 0)
    power = xp.pow(xp.where(zero, xp.ones_like(x), xp.abs(x)), ord - 1)
    none = xp.equal(out, 0)
    scale = xp.where(none, xp.zeros_like(g), g / xp.pow(xp.where(none, xp.ones_like(out), out), ord - 1))
    return xp.sign(x) * xp.where(zero, xp.zeros_like(x), power) * spread(scale)


_norm = primitive("norm", _norm_forward, kind="reduce", x=_norm_rule)


def norm(x, /, ord=2, axis=None, *, keepdims=False):
    """The p-norm of the vectors along some axes.

    Formula: out = (sum_i |x_i|^p)^(1/p); p = inf: max |x_i|; p = -inf: min |x_i|; p = 0: how many x_i != 0.
    Where the norm has no derivative (at 0) its gradient is 0.

    Args:
        x: tensor of any shape; integers give float32.
        ord: the number p, inf and -inf included.
        axis: int, tuple of ints taken together as one vector, or None for all axes.
        keepdims: keep the reduced axes with length one.

    Returns:
        The shape of `x` without `axis`. The norm of nothing is 0 for p >= 0.

    Raises:
        TypeError: `ord` is no number; for norms of matrices see `linalg.matrix_norm`.
        ValueError: a negative p over an axis of length zero.
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.norm(tn.tensor([3.0, 4.0]))
        tensor(5.)
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    if not isinstance(ord, (int, float)) or isnan(ord):
        raise TypeError(f"norm: ord: expected a number, got {ord!r}; for norms of matrices see linalg.matrix_norm")
    axis = all_axes("norm", axis, x.data.ndim)
    if ord < 0 and not count(x.data.shape, axis):
        raise ValueError(f"norm: ord {ord} over nothing (shape {x.shape}, axis {axis}) is undefined")
    return _norm(x, ord=ord, axis=axis, keepdims=keepdims)
