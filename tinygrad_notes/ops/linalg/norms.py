"""Norms of vectors and matrices.

Where a norm has a corner (at zero, or where elements tie for the largest), the gradient is the element of
least norm of the subdifferential: zero at zero, shared equally by the elements that tie.
"""
from math import inf

from ...autograd.tensor import as_tensor
from ..norm import norm as p_norm
from .checks import matrix

__all__ = ["vector_norm", "matrix_norm", "norm"]


def _axes(name, axis, ndim):
    """`axis` as a tuple of distinct non-negative ints; None means all."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    if any(not -ndim <= a < ndim for a in axes):
        raise IndexError(f"{name}: axis {axis} is out of range for a tensor with {ndim} axes")
    axes = tuple([int(a) % ndim for a in axes])
    if len(set(axes)) != len(axes):
        raise ValueError(f"{name}: axis {axis} names an axis twice")
    return axes


# Vectors ------------------------------------------------------------------------
def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    """The norm of vectors along one or several axes.

    Formula: out = (sum_i |x_i|^ord)^(1 / ord); ord=inf: max |x_i|; ord=-inf: min |x_i|; ord=0: how many are not 0

    Args:
        x: floating (integers become float32).
        axis: int, tuple of ints (their elements form one vector), or None for all.
        keepdims: keep the axes with size 1.
        ord: number or inf, -inf.

    Returns:
        A Tensor without the axes. Its gradient at zero is zero.

    Raises:
        IndexError: an axis does not exist.
        ValueError: an axis is named twice, or the smallest element of none is asked for.

    Source: Array API standard 2024.12, linalg.vector_norm.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.vector_norm(tn.tensor([3., 4.]))
        tensor(5.)
    """
    return p_norm(x, float(ord), axis, keepdims=keepdims)


# Matrices -----------------------------------------------------------------------
def matrix_norm(x, /, *, keepdims=False, ord="fro", axis=(-2, -1)):
    """The norm of matrices.

    Formula: ord='fro': sqrt(sum x_ij^2); 'nuc': sum of the singular values; 2, -2: the largest, smallest of them;
        1, -1: the largest, smallest column sum of |x_ij|; inf, -inf: the same of rows

    Args:
        x: floating (..., M, N).
        keepdims: keep the two axes with size 1.
        ord: which norm.
        axis: the two axes that are rows and columns.

    Returns:
        A Tensor (...).

    Raises:
        ValueError: `x` has less than two axes, `ord` is unknown, or `axis` is not two axes.

    Source: Array API standard 2024.12, linalg.matrix_norm.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.matrix_norm(tn.tensor([[3., 0.], [0., 4.]]))
        tensor(5.)
    """
    from ..arrange import moveaxis
    from ..extreme import amax, amin
    from ..reduce import sum
    from ..shape import expand_dims
    from .spectral import svdvals
    x = matrix("matrix_norm", x)
    axes = _axes("matrix_norm", axis, x.ndim)
    if len(axes) != 2:
        raise ValueError(f"matrix_norm: axis: expected two axes, got {axis!r}")
    if ord == "fro":
        return vector_norm(x, axis=axes, keepdims=keepdims)
    if ord not in (1, -1, 2, -2, inf, -inf, "nuc"):
        raise ValueError(f"matrix_norm: ord: expected 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, got {ord!r}")
    if axes != (x.ndim - 2, x.ndim - 1):
        x = moveaxis(x, axes, (-2, -1))
    if ord == "nuc":
        out = sum(svdvals(x), axis=-1)
    elif ord in (2, -2):
        out = (amax if ord == 2 else amin)(svdvals(x), axis=-1)
    else:
        sums = vector_norm(x, ord=1, axis=-2 if ord in (1, -1) else -1)
        out = (amax if ord > 0 else amin)(sums, axis=-1)
    return expand_dims(out, axis=tuple(sorted(axes))) if keepdims else out


def norm(x, /, ord=None, axis=None, keepdims=False):
    """The norm of a vector or matrix, by the rules of NumPy and PyTorch.

    Formula: `vector_norm` for one axis, or with ord None; `matrix_norm` for two

    Args:
        x: floating.
        ord: None (the 2-norm of all elements), a number, inf, -inf, 'fro' or 'nuc'.
        axis: int, tuple of ints, or None: all elements if `ord` is None, else all axes of a vector or matrix.
        keepdims: keep the axes with size 1.

    Returns:
        A Tensor without the axes.

    Raises:
        ValueError: `ord` does not fit the number of axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.norm(tn.tensor([[3., 0.], [0., 4.]]), ord=1)
        tensor(4.)
    """
    x = as_tensor(x)
    if ord is None:
        return vector_norm(x, axis=axis, keepdims=keepdims)
    axes = _axes("norm", axis, x.ndim)
    if isinstance(ord, str) or len(axes) == 2:
        if len(axes) != 2:
            raise ValueError(f"norm: ord {ord!r} needs two axes, got axis={axis!r} for shape {x.shape}")
        return matrix_norm(x, ord=ord, axis=axes, keepdims=keepdims)
    if len(axes) != 1:
        raise ValueError(f"norm: ord {ord!r} needs one or two axes, got axis={axis!r} for shape {x.shape}")
    return vector_norm(x, ord=ord, axis=axes, keepdims=keepdims)
