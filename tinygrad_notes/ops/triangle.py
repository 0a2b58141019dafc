"""Parts of matrices: triangles, and matrices made from diagonals."""
from ..autograd import primitive
from ..autograd.tensor import Tensor, as_tensor
from .axes import all_axes
from .diagonal import _embed_diagonal, diagonal

__all__ = ["tril", "triu", "diag", "diag_embed"]

_tril = primitive("tril", lambda xp, x, *, k: xp.tril(x, k=k), kind="gather", x=lambda xp, g, k: xp.tril(g, k=k))
_triu = primitive("triu", lambda xp, x, *, k: xp.triu(x, k=k), kind="gather", x=lambda xp, g, k: xp.triu(g, k=k))


def _matrices(name, x):
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    if x.data.ndim < 2:
        raise ValueError(f"{name}: needs at least 2 axes, got shape {x.shape}")
    return x


def tril(x, /, *, k=0):
    """The lower triangle of each matrix, zeros above it.

    Formula: out[..., i, j] = x[..., i, j] where j - i <= k, else 0.

    Args:
        x: tensor of shape (..., M, N).
        k: the last diagonal that is kept: 0 the main, positive above it.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        ValueError: `x` has fewer than two axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.tril(tn.ones((2, 2)))
        tensor([[1., 0.],
                [1., 1.]])
    """
    return _tril(_matrices("tril", x), k=int(k))


def triu(x, /, *, k=0):
    """The upper triangle of each matrix, zeros below it.

    Formula: out[..., i, j] = x[..., i, j] where j - i >= k, else 0.

    Args:
        x: tensor of shape (..., M, N).
        k: the first diagonal that is kept: 0 the main, positive above it.

    Returns:
        Tensor of the shape of `x`.

    Raises:
        ValueError: `x` has fewer than two axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.triu(tn.ones((2, 2)))
        tensor([[1., 1.],
                [0., 1.]])
    """
    return _triu(_matrices("triu", x), k=int(k))


def diag(x, /, k=0):
    """The matrix with a vector on its diagonal, or the diagonal of a matrix.

    Formula: out[i, i + k] = x[i], or out[i] = x[i, i + k].

    Args:
        x: tensor with one axis (N,) or two (M, N).
        k: which diagonal: 0 the main, positive above it.

    Returns:
        Tensor of shape (N + |k|, N + |k|), or the 1-d diagonal.

    Raises:
        ValueError: `x` has neither one nor two axes.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.diag(tn.tensor([1.0, 2.0]))
        tensor([[1., 0.],
                [0., 2.]])
    """
    x = as_tensor(x)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ValueError(f"diag: expected one axis or two, got shape {x.shape}")
    return diag_embed(x, k)


def diag_embed(x, /, offset=0, axis1=-2, axis2=-1):
    """Zero matrices with the last axis of a tensor on their diagonals.

    Formula: out[..., i, i + offset] = x[..., i].

    Args:
        x: tensor of shape (..., N).
        offset: which diagonal: 0 the main, positive above it.
        axis1, axis2: where the rows and columns stand in the result.

    Returns:
        Tensor with one axis more; both new axes have length N + |offset|.

    Raises:
        ValueError: the axes are equal, or `x` has no axis.
        IndexError: an axis is out of range of the result.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.diag_embed(tn.ones((3, 2))).shape
        (3, 2, 2)
    """
    x = as_tensor(x)
    if not x.ndim:
        raise ValueError("diag_embed: needs at least one axis, got shape ()")
    rows, columns = all_axes("diag_embed", (axis1, axis2), x.ndim + 1)
    n = x.shape[-1] + abs(offset)
    rest = iter(x.shape[:-1])
    shape = tuple([n if i in (rows, columns) else next(rest) for i in range(x.ndim + 1)])
    return _embed_diagonal(x, offset=int(offset), axis1=rows, axis2=columns, shape=shape)
