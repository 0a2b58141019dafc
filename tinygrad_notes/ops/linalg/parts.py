"""Diagonals and traces of the matrices in the last two axes."""
from ..diagonal import diagonal as _diagonal
from ..diagonal import trace as _trace
from .checks import matrix

__all__ = ["diagonal", "trace"]


def diagonal(x, /, *, offset=0):
    """The diagonals of matrices.

    Formula: out[..., i] = x[..., i, i + offset]

    Args:
        x: any dtype (..., M, N).
        offset: int, above (positive) or below the main diagonal.

    Returns:
        A Tensor (..., K) of the length of the diagonal.

    Raises:
        ValueError: `x` has less than two axes.

    Source: Array API standard 2024.12, linalg.diagonal.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.diagonal(tn.tensor([[1., 2.], [3., 4.]]), offset=1)
        tensor([2.])
    """
    return _diagonal(matrix("diagonal", x), offset, -2, -1)


def trace(x, /, *, offset=0, dtype=None):
    """The sums of the diagonals of matrices.

    Formula: out = sum_i x[..., i, i + offset]

    Args:
        x: numeric (..., M, N).
        offset: int, above (positive) or below the main diagonal.
        dtype: data type of the sum; default as in `sum`.

    Returns:
        A Tensor (...).

    Raises:
        ValueError: `x` has less than two axes.

    Source: Array API standard 2024.12, linalg.trace.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.trace(tn.tensor([[1., 2.], [3., 4.]]))
        tensor(5.)
    """
    return _trace(matrix("trace", x), offset, -2, -1, dtype=dtype)
