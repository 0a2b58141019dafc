"""Softmax and its logarithms, stable for any size of logit."""
from ..autograd import elementwise, primitive
from ..autograd.tensor import Tensor, as_tensor
from .axes import all_axes

__all__ = ["logsumexp", "softmax", "log_softmax", "softmin"]


def _shift(xp, x, axis):
    """x minus its largest element, in its own memory; integers become floating."""
    if x.dtype.kind not in "fc":
        x = xp.astype(x, "float32")
    return xp.asarray(x - xp.max(x, axis, keepdims=True))


def _exp(xp, d):
    return xp.exp(d, out=d)


def _softmax_forward(xp, x, *, axis):
    if not x.size:
        return x.copy()
    e = _exp(xp, _shift(xp, x, axis))
    e /= xp.sum(e, axis, keepdims=True)
    return e


def _softmax_rule(xp, g, out, axis):
    weighted = g * out
    return weighted - out * xp.sum(weighted, axis=axis, keepdims=True)


def _log_softmax_forward(xp, x, *, axis):
    if not x.size:
        return x.copy()
    d = _shift(xp, x, axis)
    d -= xp.log(xp.sum(xp.exp(d), axis, keepdims=True))
    return d


_softmax = primitive("softmax", _softmax_forward, kind="reduce", x=_softmax_rule)
_log_softmax = primitive("log_softmax", _log_softmax_forward, kind="reduce",
                         x=lambda xp, g, out, axis: g - xp.exp(out) * xp.sum(g, axis=axis, keepdims=True))


def _logsumexp_forward(xp, x, *, axis, keepdims):
    if x.dtype.kind not in "fc":
        x = xp.astype(x, "float32")
    if not x.size:
        total = xp.sum(x, axis, keepdims=keepdims)
        return total - float("inf")
    top = xp.max(x, axis, keepdims=True)
    limits = xp.finfo(x.dtype)  # an infinite `top` must not meet itself in a subtraction
    shift = xp.maximum(xp.minimum(top, limits.max), limits.min) if x.dtype.kind == "f" else top
    total = xp.sum(_exp(xp, xp.asarray(x - shift)), axis, keepdims=True)
    out = xp.log(xp.maximum(total, 1) if x.dtype.kind == "f" else total) + top  # below 1 only where all are -inf
    return out if keepdims else out.reshape(_without(x.shape, axis))


def _without(shape, axis):
    return () if axis is None else tuple([n for i, n in enumerate(shape) if i not in axis])


def _logsumexp_rule(xp, g, x, out, x_shape, axis, keepdims):
    spread = xp.spread(xp.finite_floor(out), axis=axis, keepdims=keepdims, shape=x_shape)
    return xp.exp(x - spread) * xp.spread(g, axis=axis, keepdims=keepdims, shape=x_shape)


# -inf becomes the lowest finite number, so that exp(x - out) is 0 and not NaN where everything is -inf.
_floor = elementwise("finite_floor", lambda xp, x: xp.maximum(x, xp.finfo(x.dtype).min), x=lambda g: g)
_logsumexp = primitive("logsumexp", _logsumexp_forward, kind="reduce", x=_logsumexp_rule)


def softmax(x, /, axis=-1):
    """Logits as probabilities that sum to one along the axis.

    Formula: out_i = exp(x_i - max x) / sum_j exp(x_j - max x).

    Args:
        x: tensor of logits (nats), any shape; integers give float32.
        axis: int, or a tuple of ints to normalize over together, or None for all.

    Returns:
        Probabilities in the shape of `x`. A slice of -inf alone gives NaN.

    Raises:
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.softmax(tn.tensor([0.0, 0.0])).tolist()
        [0.5, 0.5]
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    return _softmax(x, axis=all_axes("softmax", axis, x.data.ndim))


def log_softmax(x, /, axis=-1):
    """The logarithm of softmax, computed without ever leaving the logarithms.

    Formula: out_i = x_i - max x - log sum_j exp(x_j - max x).

    Args:
        x: tensor of logits (nats), any shape; integers give float32.
        axis: int, or a tuple of ints to normalize over together, or None for all.

    Returns:
        Log-probabilities (nats) in the shape of `x`.

    Raises:
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.log_softmax(tn.tensor([0.0, 0.0]))
        tensor([-0.6931, -0.6931])
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    return _log_softmax(x, axis=all_axes("log_softmax", axis, x.data.ndim))


def softmin(x, /, axis=-1):
    """Softmax of the negative: the smallest element gets the largest probability.

    Formula: out_i = exp(-x_i) / sum_j exp(-x_j).

    Args:
        x: tensor of any shape.
        axis: int, tuple of ints, or None for all.

    Returns:
        Probabilities in the shape of `x`.

    Raises:
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.softmin(tn.tensor([1.0, 1.0])).tolist()
        [0.5, 0.5]
    """
    return softmax(-as_tensor(x), axis)


def logsumexp(x, /, axis=None, *, keepdims=False):
    """The logarithm of the sum of exponentials, stable for any size of element.

    Formula: out = max x + log sum_i exp(x_i - max x).

    Args:
        x: tensor of any shape (nats); integers give float32.
        axis: int, tuple of ints, or None for all axes.
        keepdims: keep the reduced axes with length one.

    Returns:
        The shape of `x` without `axis`. Of nothing, or of -inf alone, it is -inf, with gradient 0.

    Raises:
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> round(tn.logsumexp(tn.tensor([1000.0, 1000.0])).item(), 2)
        1000.69
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    return _logsumexp(x, axis=all_axes("logsumexp", axis, x.data.ndim), keepdims=keepdims)
