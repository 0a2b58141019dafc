"""Integrals of sampled functions."""
from ..autograd import Tensor
from ..autograd.tensor import as_tensor

__all__ = ["trapezoid", "cumulative_trapezoid"]


def _panels(name, y, x, dx, axis):
    """The area of every panel between two neighbours, along the last axis."""
    from .arrange import moveaxis
    y = as_tensor(y, x if isinstance(x, Tensor) else None)
    if not -y.ndim <= axis < y.ndim:
        raise IndexError(f"{name}: axis {axis} is out of range for a tensor with {y.ndim} axes")
    if x is not None:
        x = as_tensor(x, y)
        if x.ndim == 0 or x.shape[-1 if x.ndim == 1 else axis] != y.shape[axis]:
            raise ValueError(f"{name}: x: expected {y.shape[axis]} points along axis {axis} of y, got shape {x.shape}")
        x = x if x.ndim == 1 else moveaxis(x, axis, -1)
        dx = x[..., 1:] - x[..., :-1]
    y = moveaxis(y, axis, -1)
    return (y[..., 1:] + y[..., :-1]) * dx * 0.5


_DOC = """{title}

    Formula: {formula}

    Args:
        y: floating, the samples.
        x: floating, where they were taken: (n,) or the shape of `y`; None for equal distances.
        dx: distance of two samples where `x` is None.
        axis: the axis along which to integrate.

    Returns:
        A Tensor {returns}.

    Raises:
        ValueError: `x` has another number of points.
        IndexError: there is no such axis.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.{name}(tn.tensor([1., 2., 3.]))
        {result}
    """


def trapezoid(y, /, x=None, *, dx=1.0, axis=-1):
    from .reduce import sum
    return sum(_panels("trapezoid", y, x, dx, axis), axis=-1)


def cumulative_trapezoid(y, /, x=None, *, dx=1.0, axis=-1):
    from .arrange import moveaxis
    from .cumulative import cumulative_sum
    return moveaxis(cumulative_sum(_panels("cumulative_trapezoid", y, x, dx, axis), axis=-1), -1, axis)


trapezoid.__doc__ = _DOC.format(
    title="The integral along an axis, by the trapezoid rule.", name="trapezoid", result="tensor(4.)",
    formula="out = sum_i (x[i + 1] - x[i]) (y[i + 1] + y[i]) / 2", returns="without that axis")
cumulative_trapezoid.__doc__ = _DOC.format(
    title="The integral along an axis up to every sample but the first, by the trapezoid rule.",
    name="cumulative_trapezoid", result="tensor([1.5000, 4.0000])",
    formula="out[k] = sum_{i <= k} (x[i + 1] - x[i]) (y[i + 1] + y[i]) / 2", returns="with one element less there")
