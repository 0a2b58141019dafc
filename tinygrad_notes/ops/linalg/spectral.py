"""Eigenvalues and singular values.

The gradient of eigenvectors (singular vectors) divides by the gaps between eigenvalues. Where two are
equal, the vectors are not functions of the matrix: their gradient is nan there, that of the values stays right.
"""
from math import inf, nan

import numpy as np

from ...autograd import primitive
from ..results import EighResult, EigResult, SVDResult
from .checks import column, matrix, row, square, tolerance

__all__ = ["eigh", "eigvalsh", "eig", "eigvals", "svd", "svdvals", "matrix_rank", "cond",
           "EighResult", "EigResult", "SVDResult"]


def _gaps_forward(xp, x, used, *, matrix):
    """`1 / x`; where `x` is zero 0, but nan where `used` says that the vectors matter. A matrix of gaps is
    zero on its diagonal, which counts for nothing."""
    zero = x == 0
    out = xp.where(zero, xp.zeros_like(x), 1 / xp.where(zero, xp.ones_like(x), x))
    if matrix:
        zero = xp.triu(zero, 1) | xp.tril(zero, -1)
    return xp.where(zero & used, xp.zeros_like(x) + nan, out)


_gap_reciprocal = primitive("gap_reciprocal", _gaps_forward, kind="elementwise", x=lambda g, out: -g * out * out)


def _matters(xp, g):
    """Whether a cotangent of vectors is more than the zeros the engine fills in: (..., 1, 1)."""
    return xp.any(g != 0, axis=(-2, -1), keepdims=True)


# Symmetric matrices ---------------------------------------------------------------
def _eigh_x(xp, g, out):
    (gw, gv), (w, v) = g, out
    turned = xp.matrix_transpose(v)
    inner = xp.matmul(turned, gv)
    by_gaps = xp.gap_reciprocal(row(xp, w) - column(xp, w), _matters(xp, gv), matrix=True)
    inner = 0.5 * (inner - xp.matrix_transpose(inner)) * by_gaps
    return xp.matmul(v, xp.matmul(inner, turned) + column(xp, gw) * turned)


_eigh = primitive("eigh", lambda xp, x, *, UPLO: xp.linalg.eigh(x, UPLO=UPLO), kind="linalg", outputs=2, x=_eigh_x)


def _triangle(name, UPLO):
    if UPLO not in ("L", "U"):
        raise ValueError(f"{name}: UPLO: expected 'L' or 'U', got {UPLO!r}")
    return UPLO


def eigh(x, /, UPLO="L"):
    """Eigenvalues and eigenvectors of symmetric matrices.

    Formula: x = V diag(w) V.T, V.T @ V = I

    Args:
        x: floating (..., N, N), symmetric; only one triangle is read. Its gradient is symmetric.
        UPLO: which triangle is read, 'L' the lower or 'U' the upper.

    Returns:
        A namedtuple of Tensors: eigenvalues (..., N), ascending; eigenvectors (..., N, N), in columns, each
        determined up to its sign. Where eigenvalues are equal, the gradient of the eigenvectors is nan.

    Raises:
        ValueError: `x` is not square.
        LinAlgError: the iteration does not converge.

    Source: Array API standard 2024.12, linalg.eigh. Gradient: Giles, An extended collection of matrix derivative
        results, 2008, section 3.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.eigh(tn.tensor([[2., 0.], [0., 1.]])).eigenvalues
        tensor([1., 2.])
    """
    return EighResult(*_eigh(square("eigh", x), UPLO=_triangle("eigh", UPLO)))


def _eigvalsh_x(xp, g, x, UPLO):
    _, v = xp.linalg.eigh(x, UPLO=UPLO)
    return xp.matmul(v * row(xp, g), xp.matrix_transpose(v))


_eigvalsh = primitive("eigvalsh", lambda xp, x, *, UPLO: xp.linalg.eigvalsh(x, UPLO=UPLO), kind="linalg",
                      x=_eigvalsh_x)


def eigvalsh(x, /, UPLO="L"):
    """Eigenvalues of symmetric matrices.

    Formula: det(x - w I) = 0

    Args:
        x: floating (..., N, N), symmetric; only one triangle is read. Its gradient is symmetric.
        UPLO: which triangle is read, 'L' the lower or 'U' the upper.

    Returns:
        A Tensor (..., N), ascending.

    Raises:
        ValueError: `x` is not square.
        LinAlgError: the iteration does not converge.

    Source: Array API standard 2024.12, linalg.eigvalsh.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.eigvalsh(tn.tensor([[2., 0.], [0., 1.]]))
        tensor([1., 2.])
    """
    return _eigvalsh(square("eigvalsh", x), UPLO=_triangle("eigvalsh", UPLO))


# Any square matrix ----------------------------------------------------------------
def _complex(xp, x):
    """NumPy answers in reals where all eigenvalues are; here they are always complex."""
    wide = np.complex128 if x.dtype in (np.float64, np.complex128) else np.complex64
    return xp.astype(x, wide)


_eig = primitive("eig", lambda xp, x: tuple([_complex(xp, part) for part in xp.linalg.eig(x)]), kind="linalg",
                 outputs=2)
_eigvals = primitive("eigvals", lambda xp, x: _complex(xp, xp.linalg.eigvals(x)), kind="linalg")


def eig(x, /):
    """Eigenvalues and eigenvectors of any square matrix, complex; without a gradient.

    Formula: x @ V = V diag(w)

    Args:
        x: floating or complex (..., N, N).

    Returns:
        A namedtuple of complex Tensors: eigenvalues (..., N), in no order; eigenvectors (..., N, N), in columns.

    Raises:
        ValueError: `x` is not square.
        LinAlgError: the iteration does not converge.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.eig(tn.tensor([[0., 1.], [1., 0.]])).eigenvalues.dtype
        dtype('complex64')
    """
    return EigResult(*_eig(square("eig", x)))


def eigvals(x, /):
    """Eigenvalues of any square matrix, complex; without a gradient.

    Formula: det(x - w I) = 0

    Args:
        x: floating or complex (..., N, N).

    Returns:
        A complex Tensor (..., N), in no order.

    Raises:
        ValueError: `x` is not square.
        LinAlgError: the iteration does not converge.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.eigvals(tn.tensor([[3., 0.], [0., 3.]])).shape
        (2,)
    """
    return _eigvals(square("eigvals", x))


# Singular values ------------------------------------------------------------------
def _svd_x(xp, g, out, x_shape, full_matrices):
    (gu, gs, gvh), (u, s, vh) = g, out
    m, n = x_shape[-2:]
    k = min(m, n)
    if full_matrices and m != n:
        free = gu[..., k:] if m > n else gvh[..., k:, :]
        if xp.any(free != 0).item():
            raise NotImplementedError("svd: full_matrices=True has no gradient for the vectors beyond min(M, N): they "
                                      "are not determined by x; use full_matrices=False")
        gu, u, gvh, vh = gu[..., :k], u[..., :k], gvh[..., :k, :], vh[..., :k, :]
    across, down = row(xp, s), column(xp, s)
    used = xp.logical_or(_matters(xp, gu), _matters(xp, gvh))
    by_u = xp.matmul(xp.matrix_transpose(u), gu)
    by_v = xp.matmul(gvh, xp.matrix_transpose(vh))  # the transpose of V.T @ gV
    inner = (by_u - xp.matrix_transpose(by_u)) * across + down * (xp.matrix_transpose(by_v) - by_v)
    inner = inner * xp.gap_reciprocal((across - down) * (across + down), used, matrix=True)
    middle = xp.matmul(inner, vh) + column(xp, gs) * vh
    if n > m:
        middle = middle + (gvh - xp.matmul(by_v, vh)) * xp.gap_reciprocal(down, used, matrix=False)
    gradient = xp.matmul(u, middle)
    if m > n:
        free = (gu - xp.matmul(u, by_u)) * xp.gap_reciprocal(across, used, matrix=False)
        gradient = gradient + xp.matmul(free, vh)
    return gradient


_svd = primitive("svd", lambda xp, x, *, full_matrices: xp.linalg.svd(x, full_matrices=full_matrices), kind="linalg",
                 outputs=3, x=_svd_x)


def svd(x, /, *, full_matrices=True):
    """Singular values and vectors.

    Formula: x = U diag(S) Vh, U.T @ U = I, Vh @ Vh.T = I

    Args:
        x: floating (..., M, N).
        full_matrices: square U and Vh; else only the K = min(M, N) vectors that belong to a singular value.

    Returns:
        A namedtuple of Tensors: U (..., M, M or K), S (..., K), descending, Vh (..., N or K, N). Where singular
        values are equal (or zero, for M != N), the gradient of the vectors is nan.

    Raises:
        ValueError: `x` has less than two axes.
        LinAlgError: the iteration does not converge.

    Source: Array API standard 2024.12, linalg.svd. Gradient: Townsend, Differentiating the singular value
        decomposition, 2016.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.svd(tn.tensor([[3., 0.], [0., 4.]])).S
        tensor([4., 3.])
    """
    return SVDResult(*_svd(matrix("svd", x), full_matrices=bool(full_matrices)))


def _svdvals_x(xp, g, x):
    u, _, vh = xp.linalg.svd(x, full_matrices=False)
    return xp.matmul(u * row(xp, g), vh)


_svdvals = primitive("svdvals", lambda xp, x: xp.linalg.svd(x, compute_uv=False), kind="linalg", x=_svdvals_x)


def svdvals(x, /):
    """Singular values.

    Formula: S = sqrt of the eigenvalues of x.T @ x

    Args:
        x: floating (..., M, N).

    Returns:
        A Tensor (..., min(M, N)), descending.

    Raises:
        ValueError: `x` has less than two axes.
        LinAlgError: the iteration does not converge.

    Source: Array API standard 2024.12, linalg.svdvals.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.svdvals(tn.tensor([[3., 0.], [0., 4.]]))
        tensor([4., 3.])
    """
    return _svdvals(matrix("svdvals", x))


# Numbers read off them --------------------------------------------------------------
def _rank_forward(xp, x, rtol):
    s = xp.linalg.svd(x, compute_uv=False)
    return xp.sum(s > rtol[..., None] * s[..., :1], axis=-1)  # descending: the first is the largest


_matrix_rank = primitive("matrix_rank", _rank_forward, kind="linalg", differentiable=False)


def matrix_rank(x, /, *, rtol=None):
    """How many singular values are not small; without a gradient.

    Formula: out = #{s > rtol * max(s)}

    Args:
        x: floating (..., M, N).
        rtol: number, or a Tensor that broadcasts to (...); default max(M, N) times the dtype's epsilon.

    Returns:
        An int64 Tensor (...).

    Raises:
        ValueError: `x` has less than two axes.

    Source: Array API standard 2024.12, linalg.matrix_rank.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.matrix_rank(tn.tensor([[1., 1.], [1., 1.]]))
        tensor(1)
    """
    x = matrix("matrix_rank", x)
    return _matrix_rank(x, tolerance(x, rtol))


def cond(x, /, p=None):
    """The condition number of a matrix.

    Formula: out = ||x|| * ||inv(x)||

    Args:
        x: floating (..., M, N); square unless `p` is None, 2 or -2.
        p: the norm as in `matrix_norm`; None means 2: the ratio of the largest and the smallest singular value.

    Returns:
        A Tensor (...); inf for a singular matrix with p None or 2.

    Raises:
        ValueError: `x` is not square, or `p` is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.cond(tn.tensor([[2., 0.], [0., 4.]]))
        tensor(2.)
    """
    from .norms import matrix_norm
    from .solve import inv
    if p in (None, 2, -2):
        s = svdvals(matrix("cond", x))
        if s.shape[-1] == 0:
            raise ValueError(f"cond: x: expected at least one row and column, got shape {s.shape}")
        largest, smallest = s[..., 0], s[..., -1]
        return smallest / largest if p == -2 else _ratio(largest, smallest)
    if p not in (1, -1, inf, -inf, "fro", "nuc"):
        raise ValueError(f"cond: p: expected None, 1, -1, 2, -2, inf, -inf, 'fro' or 'nuc', got {p!r}")
    x = square("cond", x)
    return matrix_norm(x, ord=p) * matrix_norm(inv(x), ord=p)


def _ratio(x, y):
    """`x / y`, inf where `y` is zero, without NumPy's warning."""
    from ..choice import where
    zero = y == 0
    return where(zero, inf, x / where(zero, 1.0, y))
