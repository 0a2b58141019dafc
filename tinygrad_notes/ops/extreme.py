"""The largest and smallest elements over axes, and where they stand."""
from ..autograd import primitive
from ..autograd.tensor import Tensor, as_tensor
from .axes import all_axes, kept_shape, one_axis

__all__ = ["max", "min", "amax", "amin", "aminmax", "argmax", "argmin"]


def _tie_weights(xp, x, out, *, axis, keepdims):
    """1/k on the k elements of `x` that equal the extreme `out` of their slice, 0 elsewhere."""
    if not keepdims and axis is not None:
        out = out.reshape(kept_shape(x.shape, axis))
    mask = xp.equal(x, out)
    ties = xp.sum(mask, axis, dtype=x.dtype, keepdims=True)
    # A NaN equals nothing: its slice has no ties, and stays NaN in the gradient without a warning.
    return mask / xp.where(ties == 0, xp.full_like(ties, float("nan")), ties)


_weights = primitive("tie_weights", _tie_weights, kind="reduce", differentiable=False)


def _extreme_rule(xp, g, x, out, x_shape, axis, keepdims):
    weights = xp.tie_weights(x, out, axis=axis, keepdims=keepdims)
    return xp.spread(g, axis=axis, keepdims=keepdims, shape=x_shape) * weights


_max = primitive("max", lambda xp, x, *, axis, keepdims: xp.max(x, axis, keepdims=keepdims), kind="reduce",
                 x=_extreme_rule)
_min = primitive("min", lambda xp, x, *, axis, keepdims: xp.min(x, axis, keepdims=keepdims), kind="reduce",
                 x=_extreme_rule)


def _not_empty(name, x, axis):
    if x.data.size == 0:
        for a in range(x.data.ndim) if axis is None else axis:
            if x.data.shape[a] == 0:
                raise ValueError(f"{name}: axis {a} has length 0 in shape {x.shape}, and nothing has no {name}")


def max(x, /, axis=None, *, keepdims=False):
    """The largest element over some axes; k equal largest ones share the gradient evenly.

    Formula: out = max_i x_i; d out / d x_i = 1/k where x_i = out, else 0.

    Args:
        x: tensor of any shape and real dtype; NaN wins.
        axis: int, tuple of ints, or None for all axes.
        keepdims: keep the reduced axes with length one.

    Returns:
        The shape of `x` without `axis`.

    Raises:
        ValueError: an axis to reduce has length zero, or is named twice.
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([1.0, 3.0, 3.0], requires_grad=True)
        >>> tn.max(x).backward(); x.grad.tolist()
        [0.0, 0.5, 0.5]
    """
    return _extreme("max", _max, x, axis, keepdims)


def min(x, /, axis=None, *, keepdims=False):
    """The smallest element over some axes; k equal smallest ones share the gradient evenly.

    Formula: out = min_i x_i; d out / d x_i = 1/k where x_i = out, else 0.

    Args:
        x: tensor of any shape and real dtype; NaN wins.
        axis: int, tuple of ints, or None for all axes.
        keepdims: keep the reduced axes with length one.

    Returns:
        The shape of `x` without `axis`.

    Raises:
        ValueError: an axis to reduce has length zero, or is named twice.
        IndexError: an axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.min(tn.tensor([[4, 2], [3, 7]]), axis=1)
        tensor([2, 3])
    """
    return _extreme("min", _min, x, axis, keepdims)


def _extreme(name, operation, x, axis, keepdims):
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    axis = all_axes(name, axis, x.data.ndim)
    _not_empty(name, x, axis)
    return operation(x, axis=axis, keepdims=keepdims)


amax, amin = max, min


def aminmax(x, /, axis=None, *, keepdims=False):
    """The smallest and the largest element over some axes, as a pair.

    Formula: out = (min_i x_i, max_i x_i).

    Args:
        x, axis, keepdims: as for `max`.

    Returns:
        Two tensors of the shape of `x` without `axis`.

    Raises:
        ValueError: an axis to reduce has length zero.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.aminmax(tn.tensor([2.0, 1.0, 5.0]))
        (tensor(1.), tensor(5.))
    """
    return min(x, axis, keepdims=keepdims), max(x, axis, keepdims=keepdims)


_argmax = primitive("argmax", lambda xp, x, *, axis, keepdims: xp.argmax(x, axis=axis, keepdims=keepdims),
                    kind="reduce", differentiable=False)
_argmin = primitive("argmin", lambda xp, x, *, axis, keepdims: xp.argmin(x, axis=axis, keepdims=keepdims),
                    kind="reduce", differentiable=False)


def argmax(x, /, axis=None, *, keepdims=False):
    """The position of the largest element along an axis, the first of equal ones.

    Formula: out = min {i : x_i = max_j x_j}.

    Args:
        x: tensor of any shape and real dtype.
        axis: int, or None for the position in the flattened tensor.
        keepdims: keep the reduced axis with length one.

    Returns:
        int64 tensor of the shape of `x` without `axis`.

    Raises:
        ValueError: the axis has length zero.
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.argmax(tn.tensor([[1.0, 5.0], [7.0, 2.0]]), axis=1)
        tensor([1, 0])
    """
    return _position("argmax", _argmax, x, axis, keepdims)


def argmin(x, /, axis=None, *, keepdims=False):
    """The position of the smallest element along an axis, the first of equal ones.

    Formula: out = min {i : x_i = min_j x_j}.

    Args:
        x: tensor of any shape and real dtype.
        axis: int, or None for the position in the flattened tensor.
        keepdims: keep the reduced axis with length one.

    Returns:
        int64 tensor of the shape of `x` without `axis`.

    Raises:
        ValueError: the axis has length zero.
        IndexError: the axis is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.argmin(tn.tensor([3, 1, 2]))
        tensor(1)
    """
    return _position("argmin", _argmin, x, axis, keepdims)


def _position(name, operation, x, axis, keepdims):
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    if axis is not None:
        axis = one_axis(name, axis, x.data.ndim) if x.data.ndim or axis not in (0, -1) else None
    _not_empty(name, x, None if axis is None else (axis,))
    return operation(x, axis=axis, keepdims=keepdims)
