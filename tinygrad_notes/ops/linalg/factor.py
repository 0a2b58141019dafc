"""Cholesky and QR factors."""

from ...autograd import primitive
from ..results import QRResult
from .checks import matrix, square

__all__ = ["cholesky", "qr", "QRResult"]


# Cholesky -----------------------------------------------------------------------
def _cholesky_x(xp, g, out, upper):
    """Murray, Differentiation of the Cholesky decomposition, 2016, eq. 10, symmetric."""
    lower, g = (xp.matrix_transpose(out), xp.matrix_transpose(g)) if upper else (out, g)
    raised = xp.matrix_transpose(lower)
    inner = xp.matmul(raised, g)
    inner = xp.tril(inner) + xp.matrix_transpose(xp.tril(inner, k=-1))
    half = xp.solve_triangular(raised, inner, upper=True, unitriangular=False)
    return 0.5 * xp.solve_triangular(raised, xp.matrix_transpose(half), upper=True, unitriangular=False)


def _cholesky_forward(xp, x, *, upper):
    factor = xp.linalg.cholesky(xp.matrix_transpose(x) if upper else x)
    return xp.matrix_transpose(factor) if upper else factor


_cholesky = primitive("cholesky", _cholesky_forward, kind="linalg", x=_cholesky_x)


def cholesky(x, /, *, upper=False):
    """The triangular factor of symmetric positive-definite matrices.

    Formula: out @ out.T = x, or out.T @ out = x with upper=True

    Args:
        x: floating (..., N, N), symmetric. Only its lower triangle (upper with upper=True) is read;
            its gradient is symmetric.
        upper: whether to return the upper factor.

    Returns:
        A Tensor (..., N, N), zero in the other triangle, with a positive diagonal.

    Raises:
        ValueError: `x` is not square.
        LinAlgError: `x` is not positive definite.

    Source: Array API standard 2024.12, linalg.cholesky. Gradient: Murray, Differentiation of the Cholesky
        decomposition, 2016, eq. 10.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.cholesky(tn.tensor([[4., 2.], [2., 2.]]))
        tensor([[2., 0.],
                [1., 1.]])
    """
    return _cholesky(square("cholesky", x), upper=bool(upper))


# QR -----------------------------------------------------------------------------
def _divided(xp, x, r):
    """`x @ inv(r).T` for an upper triangular `r`."""
    return xp.matrix_transpose(xp.solve_triangular(r, xp.matrix_transpose(x), upper=True, unitriangular=False))


def _tall(xp, gq, gr, q, r):
    """The gradient for M >= N: Walter and Lehmann, eq. 3.3."""
    inner = xp.matmul(r, xp.matrix_transpose(gr)) - xp.matmul(xp.matrix_transpose(gq), q)
    inner = xp.tril(inner) + xp.matrix_transpose(xp.tril(inner, k=-1))
    return _divided(xp, gq + xp.matmul(q, inner), r)


def _qr_x(xp, g, x, out, mode):
    (gq, gr), (q, r) = g, out
    m, n = x.shape[-2:]
    if m >= n:
        if mode == "complete" and m > n:
            raise NotImplementedError("qr: mode 'complete' has no gradient for more rows than columns: the columns "
                                      "of Q beyond N are not determined by x; use mode 'reduced'")
        return _tall(xp, gq, gr, q, r)
    # Wide: the first M columns are a square problem; the others are Q @ R's remaining columns.
    rest, grest = x[..., m:], gr[..., m:]
    gq = gq + xp.matmul(rest, xp.matrix_transpose(grest))
    return xp.concat([_tall(xp, gq, gr[..., :m], q, r[..., :m]), xp.matmul(q, grest)], axis=-1)


_qr = primitive("qr", lambda xp, x, *, mode: xp.linalg.qr(x, mode=mode), kind="linalg", outputs=2, x=_qr_x)


def qr(x, /, *, mode="reduced"):
    """Orthonormal and upper triangular factors.

    Formula: Q @ R = x, Q.T @ Q = I, R upper triangular

    Args:
        x: floating (..., M, N).
        mode: 'reduced' (K = min(M, N) columns of Q) or 'complete' (K = M).

    Returns:
        A namedtuple of Tensors: Q (..., M, K), R (..., K, N). The gradient asks that the first min(M, N)
        columns are independent; there is none for mode 'complete' with M > N.

    Raises:
        ValueError: `x` has less than two axes, or `mode` is another.

    Source: Array API standard 2024.12, linalg.qr. Gradient: Walter and Lehmann, Algorithmic differentiation of
        linear algebra functions, 2010, section 3.

    Example:
        >>> import tinygrad_notes as tn
        >>> q, r = tn.linalg.qr(tn.tensor([[3., 1.], [4., 2.]]))
        >>> (q @ r).shape
        (2, 2)
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode: expected 'reduced' or 'complete', got {mode!r}")
    return QRResult(*_qr(matrix("qr", x), mode=mode))
