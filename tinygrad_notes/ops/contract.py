"""Products that sum over axes: matrix products, einsum and their kin.

    N batch   K summed axis   M columns of the result
"""
from math import prod

from ..autograd import Tensor, primitive
from ..autograd.tensor import as_tensor
from ..backend.kernels import kernel
from .einsum import contract

__all__ = ["matmul", "linear", "tensordot", "vecdot", "outer"]


@kernel
def matrix_transpose(xp, x):
    """The last two axes exchanged; NumPy's own takes ten times as long on a small matrix."""
    return x.T if x.ndim == 2 else xp.swapaxes(x, -1, -2)


# Matrix products --------------------------------------------------------------
def _rows(xp, x, y):
    """`x @ y` for a matrix `y` and any number of leading axes of `x`: one product, not one per batch."""
    if len(x.shape) == 2:
        return xp.matmul(x, y)
    lead = x.shape[:-1]
    flat = xp.reshape(x, (prod(lead), x.shape[-1]))  # (..., K) -> (N, K)
    return xp.reshape(xp.matmul(flat, y), (*lead, y.shape[-1]))


def _columns(xp, x, g):
    """The sum over all leading axes of the outer products of the rows of `x` and `g`: `x.T @ g`."""
    if len(x.shape) != 2:
        x = xp.reshape(x, (prod(x.shape[:-1]), x.shape[-1]))  # (..., K) -> (N, K)
    if len(g.shape) != 2:
        g = xp.reshape(g, (prod(g.shape[:-1]), g.shape[-1]))  # (..., M) -> (N, M)
    return xp.matmul(xp.matrix_transpose(x), g)


def _product(xp, x, y):
    try:
        if y.ndim == 2 and x.ndim > 2:
            return _rows(xp, x, y)
        return xp.matmul(x, y)
    except (ValueError, AttributeError):
        raise _mismatch(x, y) from None


def _mismatch(x, y):
    shapes = tuple(getattr(x, "shape", ())), tuple(getattr(y, "shape", ()))
    if not all(shapes):
        return ValueError(f"matmul: expected at least one axis in both inputs, got shapes {shapes[0]} and {shapes[1]}; "
                          "use multiply for a number")
    k, l = shapes[0][-1], shapes[1][-2 if len(shapes[1]) > 1 else 0]
    if k != l:
        which = "second to last" if len(shapes[1]) > 1 else "only"
        return ValueError(f"matmul: the last axis of x1 and the {which} axis of x2 must be equal, got {k} and {l} "
                          f"(shapes {shapes[0]} and {shapes[1]})")
    return ValueError(f"matmul: the leading axes do not broadcast, got shapes {shapes[0]} and {shapes[1]}")


def _matmul_x(xp, g, y, x_shape):
    n, m = len(x_shape), len(y.shape)
    if n == 2 == m:
        return xp.matmul(g, xp.matrix_transpose(y))
    if m == 1:
        return xp.expand_dims(g, axis=-1) * y
    if n == 1:  # g (..., M), y (..., K, M): the engine sums the leading axes
        return xp.vecdot(y, xp.expand_dims(g, axis=-2))
    if m == 2:
        return _rows(xp, g, xp.matrix_transpose(y))
    if n == 2:  # g (..., N, M), y (..., K, M): one sum over the batch and M
        summed = (*range(m - 2), m - 1)
        return xp.tensordot(g, y, axes=(summed, summed))
    return xp.matmul(g, xp.matrix_transpose(y))


def _matmul_y(xp, g, x, y_shape):
    n, m = len(x.shape), len(y_shape)
    if n == 2 == m:
        return xp.matmul(xp.matrix_transpose(x), g)
    if n == 1:
        return xp.expand_dims(x, axis=-1) * xp.expand_dims(g, axis=-2) if m > 1 else g * x
    if m == 1:
        if n == 2:
            return xp.matmul(g, x)
        return xp.matmul(xp.reshape(g, (prod(g.shape),)), xp.reshape(x, (prod(x.shape[:-1]), x.shape[-1])))
    if m == 2:
        return _columns(xp, x, g)
    return xp.matmul(xp.matrix_transpose(x), g)


matmul = primitive("matmul", _product, kind="contraction", x=_matmul_x, y=_matmul_y)
matmul.__doc__ = """The matrix product of the last two axes; leading axes broadcast.

    Formula: out[..., i, j] = sum_k x1[..., i, k] x2[..., k, j]

    Args:
        x1: numeric (..., N, K), or (K,), which counts as one row.
        x2: numeric (..., K, M), or (K,), which counts as one column.

    Returns:
        A Tensor (..., N, M); without N or M where the input had one axis.

    Raises:
        ValueError: an input has no axis, the two K differ, or the leading axes do not broadcast.

    Source: Array API standard 2024.12, matmul.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.matmul(tn.tensor([[1., 2.], [3., 4.]]), tn.tensor([1., 1.]))
        tensor([3., 7.])
    """


def _linear_forward(xp, x, w, b):
    if w.ndim != 2 or x.ndim == 0 or x.shape[-1] != w.shape[1]:
        raise ValueError(f"linear: expected x (..., K) and w (M, K), got shapes {tuple(x.shape)} and {tuple(w.shape)}")
    out = _rows(xp, x, w.T) if x.ndim > 1 else xp.matmul(w, x)
    if b is None:
        return out
    if b.shape not in (w.shape[:1], ()):
        raise ValueError(f"linear: expected b of shape {(w.shape[0],)}, got {tuple(b.shape)}")
    return xp.add(out, b, out=out) if out.dtype == b.dtype else xp.add(out, b)


def _linear_w(xp, g, x):
    if len(g.shape) == 1:
        return xp.expand_dims(g, axis=-1) * x
    return _columns(xp, g, x)


_linear = primitive("linear", _linear_forward, kind="contraction",
                    x=lambda xp, g, w: _rows(xp, g, w) if len(g.shape) > 1 else xp.matmul(g, w),
                    w=_linear_w,
                    b=lambda g: g)


def linear(x, w, b=None, /):
    """The affine map of the last axis, as one operation.

    Formula: out = x @ w.T + b

    Args:
        x: floating (..., K).
        w: floating (M, K).
        b: floating (M,), or None for no offset.

    Returns:
        A Tensor (..., M).

    Raises:
        ValueError: the shapes are others.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linear(tn.tensor([1., 2.]), tn.tensor([[3., 4.]]), tn.tensor([.5]))
        tensor([11.5000])
    """
    return _linear(x, w, b)


# Products of vectors and of any axes --------------------------------------------
_vecdot = primitive("vecdot", lambda xp, x, y, *, axis: xp.vecdot(x, y, axis=axis), kind="contraction",
                    x=lambda xp, g, y, axis: xp.expand_dims(g, axis=axis) * y,
                    y=lambda xp, g, x, axis: xp.expand_dims(g, axis=axis) * x)


def vecdot(x1, x2, /, *, axis=-1):
    """The dot product along one axis; the other axes broadcast.

    Formula: out = sum_k conj(x1[..., k]) x2[..., k]

    Args:
        x1, x2: numeric, of equal size along `axis`.
        axis: negative or non-negative int, counted after the inputs are broadcast.

    Returns:
        A Tensor without that axis.

    Raises:
        ValueError: the sizes along `axis` differ, or the other axes do not broadcast.
        IndexError: `axis` is not an axis of both inputs.

    Source: Array API standard 2024.12, vecdot.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.vecdot(tn.tensor([[1., 2.], [3., 4.]]), tn.tensor([1., 10.]))
        tensor([21., 43.])
    """
    x1, x2 = _pair(x1, x2)
    ndim = max(x1.ndim, x2.ndim)
    if axis >= 0:
        axis -= ndim
    if not -min(x1.ndim, x2.ndim) <= axis < 0:
        raise IndexError(f"vecdot: axis {axis} is not an axis of both inputs, of shapes {x1.shape} and {x2.shape}")
    if x1.shape[axis] != x2.shape[axis]:
        raise ValueError(f"vecdot: expected equal sizes along axis {axis}, got shapes {x1.shape} and {x2.shape}")
    return _vecdot(x1, x2, axis=axis)


def tensordot(x1, x2, /, *, axes=2):
    """The sum of products over pairs of axes; the rest of x1's axes, then of x2's, remain.

    Args:
        x1, x2: numeric.
        axes: how many of the last axes of x1 meet the first of x2; or two sequences of axes that meet in order.

    Returns:
        A Tensor of the free axes of x1 followed by those of x2.

    Raises:
        ValueError: sizes of axes that meet differ, or the two sequences have different lengths.
        IndexError: an axis does not exist.

    Source: Array API standard 2024.12, tensordot.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.tensordot(tn.ones((2, 3)), tn.ones((3, 4)), axes=1).shape
        (2, 4)
    """
    x1, x2 = _pair(x1, x2)
    if isinstance(axes, (tuple, list)):
        if len(axes) != 2:
            raise ValueError(f"tensordot: axes: expected an int or two sequences, got {axes!r}")
        left, right = [tuple(a) if isinstance(a, (tuple, list)) else (a,) for a in axes]
    else:
        if not 0 <= axes <= min(x1.ndim, x2.ndim):
            raise IndexError(f"tensordot: axes={axes} for inputs of shapes {x1.shape} and {x2.shape}")
        left, right = tuple(range(x1.ndim - axes, x1.ndim)), tuple(range(axes))
    if len(left) != len(right):
        raise ValueError(f"tensordot: axes: expected as many axes of x1 as of x2, got {left} and {right}")
    for which, named, x in (("x1", left, x1), ("x2", right, x2)):
        if any(not -x.ndim <= a < x.ndim for a in named):
            raise IndexError(f"tensordot: axes {named} of {which}, which has {x.ndim} axes")
    left, right = [int(a) % x1.ndim for a in left], [int(a) % x2.ndim for a in right]
    if any(x1.shape[a] != x2.shape[b] for a, b in zip(left, right)):
        raise ValueError(f"tensordot: axes {tuple(left)} of x1 and {tuple(right)} of x2 differ in size: "
                         f"shapes {x1.shape} and {x2.shape}")
    names = list(range(x1.ndim + x2.ndim))
    for a, b in zip(left, right):
        names[x1.ndim + b] = a
    xs, ys = names[:x1.ndim], names[x1.ndim:]
    out = [n for i, n in enumerate(xs) if i not in left] + [n for i, n in enumerate(ys) if i not in right]
    return contract(x1, x2, xs, ys, out)


def outer(x1, x2, /):
    """The products of all pairs of elements of two vectors.

    Formula: out[i, j] = x1[i] x2[j]

    Args:
        x1: numeric (N,).
        x2: numeric (M,).

    Returns:
        A Tensor (N, M).

    Raises:
        ValueError: an input is not a vector.

    Source: Array API standard 2024.12, linalg.outer.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.outer(tn.tensor([1., 2.]), tn.tensor([3., 4.]))
        tensor([[3., 4.],
                [6., 8.]])
    """
    x1, x2 = _pair(x1, x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(f"outer: expected two vectors, got shapes {x1.shape} and {x2.shape}")
    return contract(x1, x2, (0,), (1,), (0, 1))


def _pair(x1, x2):
    if not isinstance(x1, Tensor):
        return as_tensor(x1, x2 if isinstance(x2, Tensor) else None), as_tensor(x2)
    return x1, as_tensor(x2, x1)
