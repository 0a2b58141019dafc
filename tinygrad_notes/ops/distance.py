"""Distances between all pairs of points.

    N, M points   D coordinates
"""
from ..autograd import Tensor, primitive
from ..autograd.tensor import as_tensor
from ..backend.kernels import kernel

__all__ = ["cdist"]

_BLOCK = 1 << 20  # elements of differences that are held at once


@kernel
def squared_distances(xp, x, y):
    """(..., N, M) sums of squared differences, exact for points that are close, in blocks of rows."""
    rows = max(1, _BLOCK // max(1, y.size))
    parts = []
    for start in range(0, x.shape[-2], rows):
        apart = xp.expand_dims(x[..., start:start + rows, :], -2) - xp.expand_dims(y, -3)  # (..., rows, M, D)
        parts.append(xp.vecdot(apart, apart))
    if not parts:
        return xp.matmul(x, xp.matrix_transpose(y))
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=-2)


def _pull(xp, g, x, y, out):
    """The gradient of `x`: sum over j of w[i, j] (x[i] - y[j]), w = g / out, where points that meet count nothing."""
    meet = out == 0
    w = xp.where(meet, xp.zeros_like(g), g / xp.where(meet, xp.ones_like(out), out))
    return x * xp.sum(w, axis=-1, keepdims=True) - xp.matmul(w, y)


_distances = primitive("cdist", lambda xp, x, y: xp.sqrt(xp.squared_distances(x, y)), kind="contraction",
                       x=_pull,
                       y=lambda xp, g, x, y, out: _pull(xp, xp.matrix_transpose(g), y, x, xp.matrix_transpose(out)))


def cdist(x1, x2, /, *, p=2.0):
    """The distances between all points of two sets.

    Formula: out[..., i, j] = (sum_d |x1[..., i, d] - x2[..., j, d]|^p)^(1/p)

    Args:
        x1: floating (..., N, D).
        x2: floating (..., M, D); leading axes broadcast.
        p: number >= 0 or inf: which norm; 0 counts the coordinates that differ.

    Returns:
        A Tensor (..., N, M). Its gradient is zero where two points meet.

    Raises:
        ValueError: an input has less than two axes, the two D differ, or `p` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.cdist(tn.tensor([[0., 0.], [3., 4.]]), tn.tensor([[0., 0.]]))
        tensor([[0.],
                [5.]])
    """
    from .norm import norm
    from .shape import expand_dims
    like = next((v for v in (x1, x2) if isinstance(v, Tensor)), None)
    x1, x2 = as_tensor(x1, like), as_tensor(x2, like)
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x2.shape[-1]:
        raise ValueError(f"cdist: expected points (..., N, D) and (..., M, D), got shapes {x1.shape} and {x2.shape}")
    if p < 0:
        raise ValueError(f"cdist: p: expected a number >= 0, got {p}")
    if p == 2:
        return _distances(x1, x2)
    return norm(expand_dims(x1, axis=-2) - expand_dims(x2, axis=-3), p, axis=-1)
