"""Matrices that are made of the elements of a vector."""
import numpy as np

from ...autograd.tensor import Tensor, as_tensor
from ..index import take
from ..join import concat
from ..pad import pad

__all__ = ["convolution_matrix", "toeplitz"]


def _vector(name, which, x, like=None):
    x = as_tensor(x, like)
    if x.ndim != 1 or not x.size:
        raise ValueError(f"{name}: {which}: expected a vector of at least one element, got shape {x.shape}")
    return x


def _gathered(x, places):
    return take(x, Tensor(places, device=x.device), axis=0)


def toeplitz(c, r=None):
    """The matrix that is constant along its diagonals.

    Formula: out[i, j] = c[i - j] for i >= j, else r[j - i].

    Args:
        c: (M,), the first column.
        r: (N,), the first row, whose first element is not used; default: c.

    Returns:
        A Tensor (M, N).

    Raises:
        ValueError: an input is no vector, or empty.

    Source: scipy.linalg.toeplitz.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.toeplitz(tn.tensor([1., 2., 3.]), tn.tensor([1., 7.]))
        tensor([[1., 7.],
                [2., 1.],
                [3., 2.]])
    """
    c = _vector("toeplitz", "c", c)
    r = c if r is None else _vector("toeplitz", "r", r, c)
    i, j = np.arange(c.size)[:, None], np.arange(r.size)
    return _gathered(concat([c, r]), np.where(i >= j, i - j, c.size + j - i))


def convolution_matrix(a, n, mode="full"):
    """The banded matrix whose product with a vector is a convolution: the same few weights in every row.

    Formula: convolution_matrix(a, n, mode) @ v = convolve(a, v, mode) for every v of n elements.

    Args:
        a: (m,).
        n: elements of the vectors, an int >= 1.
        mode: "full", "same" or "valid", as in `convolve`.

    Returns:
        A Tensor (m + n - 1, n), (max(m, n), n) or (max(m, n) - min(m, n) + 1, n).

    Raises:
        ValueError: `a` is no vector or empty, `n` is below 1, or the mode is unknown.

    Source: scipy.linalg.convolution_matrix; the notes, section 3.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.convolution_matrix(tn.tensor([1., 2.]), 3)
        tensor([[1., 0., 0.],
                [2., 1., 0.],
                [0., 2., 1.],
                [0., 0., 2.]])
    """
    a = _vector("convolution_matrix", "a", a)
    m = a.size
    if isinstance(n, bool) or not hasattr(n, "__index__") or n < 1:
        raise ValueError(f"convolution_matrix: n: expected an int >= 1, got {n!r}")
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"convolution_matrix: mode: expected 'full', 'same' or 'valid', got {mode!r}")
    first, rows = {"full": (0, m + n - 1), "same": ((min(m, n) - 1) // 2, max(m, n)),
                   "valid": (min(m, n) - 1, max(m, n) - min(m, n) + 1)}[mode]
    places = first + np.arange(rows)[:, None] - np.arange(n)
    return _gathered(pad(a, (0, 1)), np.where((places >= 0) & (places < m), places, m))
