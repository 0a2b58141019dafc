"""Linear systems and inverses.

    N unknowns   K right-hand sides   M equations
"""

import numpy as np

from ...autograd import Tensor, primitive
from ...backend.kernels import kernel
from ..contract import matmul
from ..results import LstsqResult
from .checks import column, matrix, pair, square, tolerance

__all__ = ["inv", "solve", "solve_triangular", "cholesky_solve", "cholesky_inverse", "pinv", "lstsq", "tensorinv",
           "tensorsolve", "LstsqResult"]


def _inv_x(xp, g, out):
    turned = xp.matrix_transpose(out)
    return -xp.matmul(xp.matmul(turned, g), turned)


_inv = primitive("inv", lambda xp, x: xp.linalg.inv(x), kind="linalg", x=_inv_x)


def inv(x, /):
    """The inverse of a square matrix.

    Formula: out @ x = I

    Args:
        x: floating (..., N, N).

    Returns:
        A Tensor (..., N, N).

    Raises:
        ValueError: `x` is not square.
        LinAlgError: `x` is singular.

    Source: Array API standard 2024.12, linalg.inv.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.inv(tn.tensor([[2., 0.], [0., 4.]]))
        tensor([[0.5000, 0.0000],
                [0.0000, 0.2500]])
    """
    return _inv(square("inv", x))


# Systems ------------------------------------------------------------------------
def _solve_a(xp, g, a, out):
    return -xp.matmul(xp.solve(xp.matrix_transpose(a), g), xp.matrix_transpose(out))


@kernel(inline=True)
def solve_system(xp, a, b):
    """`a @ out = b`; a GPU's library asks for equal leading axes."""
    if not isinstance(a, np.ndarray):
        lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        a, b = (m if m.shape[:-2] == lead else xp.ascontiguousarray(xp.broadcast_to(m, lead + m.shape[-2:]))
                for m in (a, b))
    return xp.linalg.solve(a, b)


_solve = primitive("solve", lambda xp, a, b: xp.solve_system(a, b), kind="linalg",
                   a=_solve_a,
                   b=lambda xp, g, a: xp.solve(xp.matrix_transpose(a), g))


def solve(a, b, /):
    """The solution of square linear systems.

    Formula: a @ out = b

    Args:
        a: floating (..., N, N).
        b: floating (N,), one right-hand side, or (..., N, K).

    Returns:
        A Tensor of the shape of `b`, leading axes broadcast with those of `a`.

    Raises:
        ValueError: `a` is not square, or `b` has another N.
        LinAlgError: `a` is singular.

    Source: Array API standard 2024.12, linalg.solve.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.solve(tn.tensor([[2., 0.], [0., 4.]]), tn.tensor([2., 2.]))
        tensor([1.0000, 0.5000])
    """
    return _with_columns(_solve, *_system("solve", a, b))


def _system(name, a, b):
    a, b = pair(a, b)
    a = square(name, a, "a")
    if b.ndim == 0 or b.shape[-2 if b.ndim > 1 else 0] != a.shape[-1]:
        raise ValueError(f"{name}: b: expected ({a.shape[-1]},) or (..., {a.shape[-1]}, K) for a of shape {a.shape}, "
                         f"got {b.shape}")
    return a, b


def _with_columns(solver, a, b, **attrs):
    """Solve with `b` as columns; a vector becomes one column and back."""
    from ..shape import expand_dims, squeeze
    if b.ndim == 1:
        return squeeze(solver(a, expand_dims(b, axis=1), **attrs), axis=-1)
    return solver(a, b, **attrs)


@kernel
def triangle(xp, a, upper, unitriangular):
    """The triangle of `a` that counts, zeros elsewhere, ones on the diagonal if `unitriangular`."""
    if not unitriangular:
        return xp.triu(a) if upper else xp.tril(a)
    part = xp.triu(a, 1) if upper else xp.tril(a, -1)
    return part + xp.eye(a.shape[-1], dtype=a.dtype)


@kernel
def triangular_solve(xp, a, b, upper, unitriangular):
    """`triangle(a) @ out = b`; a single system goes to LAPACK's substitution."""
    if a.ndim == 2 and b.ndim == 2 and a.__class__ is np.ndarray and b.size and a.dtype == b.dtype \
            and a.dtype.char in "fd":
        return _substituted(a, b, upper, unitriangular)
    return xp.solve_system(xp.triangle(a, upper, unitriangular), b)


def _substituted(a, b, upper, unitriangular):
    from scipy.linalg import lapack
    substitute = lapack.dtrtrs if a.dtype.char == "d" else lapack.strtrs
    # LAPACK reads columns: a matrix stored by rows is given as its transpose, which costs nothing.
    turned = not a.flags.f_contiguous
    out, info = substitute(a.T if turned else a, b, lower=upper if turned else not upper, trans=turned,
                           unitdiag=unitriangular)
    if info > 0:
        raise np.linalg.LinAlgError(f"solve_triangular: singular matrix, its diagonal element {info - 1} is zero")
    return out


def _triangular_a(xp, g, a, out, upper, unitriangular):
    columns = xp.solve_triangular(xp.matrix_transpose(a), g, upper=not upper, unitriangular=unitriangular)
    gradient = -xp.matmul(columns, xp.matrix_transpose(out))
    edge = 1 if unitriangular else 0
    return xp.triu(gradient, k=edge) if upper else xp.tril(gradient, k=-edge)


_solve_triangular = primitive(
    "solve_triangular",
    lambda xp, a, b, *, upper, unitriangular: xp.triangular_solve(a, b, upper, unitriangular), kind="linalg",
    a=_triangular_a,
    b=lambda xp, g, a, upper, unitriangular: xp.solve_triangular(xp.matrix_transpose(a), g, upper=not upper,
                                                                 unitriangular=unitriangular))


def solve_triangular(a, b, /, *, upper=False, left=True, unitriangular=False):
    """The solution of triangular linear systems; the other triangle of `a` is not read.

    Formula: tri(a) @ out = b, or out @ tri(a) = b with left=False

    Args:
        a: floating (..., N, N).
        b: floating (N,) or (..., N, K); (..., K, N) with left=False.
        upper: whether the upper triangle of `a` counts, else the lower.
        left: whether the matrix stands left of the unknowns.
        unitriangular: take the diagonal as ones, whatever it holds.

    Returns:
        A Tensor of the shape of `b`, leading axes broadcast with those of `a`.

    Raises:
        ValueError: `a` is not square, or `b` does not fit it.
        LinAlgError: a diagonal element is zero.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.solve_triangular(tn.tensor([[2., 9.], [1., 1.]]), tn.tensor([2., 3.]))
        tensor([1., 2.])
    """
    from ..arrange import matrix_transpose
    if left:
        a, b = _system("solve_triangular", a, b)
        return _with_columns(_solve_triangular, a, b, upper=bool(upper), unitriangular=bool(unitriangular))
    a, b = pair(a, b)
    a, turned = _system("solve_triangular", a, matrix_transpose(matrix("solve_triangular", b, "b")))
    return matrix_transpose(_solve_triangular(matrix_transpose(a), turned, upper=not upper,
                                              unitriangular=bool(unitriangular)))


def cholesky_solve(b, factor, /, *, upper=False):
    """The solution of linear systems whose matrix is given by its Cholesky factor.

    Formula: factor @ factor.T @ out = b, or factor.T @ factor @ out = b with upper=True

    Args:
        b: floating (..., N, K).
        factor: floating (..., N, N), from `cholesky`.
        upper: whether `factor` is the upper one.

    Returns:
        A Tensor (..., N, K).

    Raises:
        ValueError: `factor` is not square, or `b` has another N.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.cholesky_solve(tn.tensor([[8.]]), tn.tensor([[2.]]))
        tensor([[2.]])
    """
    from ..arrange import matrix_transpose
    b, factor = pair(b, factor)
    lower = matrix_transpose(factor) if upper else factor
    return solve_triangular(matrix_transpose(lower), solve_triangular(lower, b), upper=True)


def cholesky_inverse(factor, /, *, upper=False):
    """The inverse of the matrix whose Cholesky factor is given.

    Formula: out = inv(factor @ factor.T), or inv(factor.T @ factor) with upper=True

    Args:
        factor: floating (..., N, N), from `cholesky`.
        upper: whether `factor` is the upper one.

    Returns:
        A Tensor (..., N, N).

    Raises:
        ValueError: `factor` is not square.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.cholesky_inverse(tn.tensor([[2.]]))
        tensor([[0.2500]])
    """
    from ..broadcast import broadcast_to
    factor = square("cholesky_inverse", factor, "factor")
    identity = Tensor.wrap(factor.device.xp.eye(factor.shape[-1], dtype=factor.dtype))
    return cholesky_solve(broadcast_to(identity, factor.shape), factor, upper=upper)


# Least squares ------------------------------------------------------------------
def _pinv_x(xp, g, x, out):
    """Golub and Pereyra's differential of the pseudo-inverse, transposed; the rank must be locally constant."""
    p, pt, gt = out, xp.matrix_transpose(out), xp.matrix_transpose(g)
    gradient = -xp.matmul(xp.matmul(pt, g), pt)
    # Each residual projector I - x p, I - p x is applied, never formed; it is zero where x has full rank.
    left = xp.matmul(xp.matmul(gt, p), pt)
    gradient = gradient + (left - xp.matmul(x, xp.matmul(p, left)))
    right = xp.matmul(pt, xp.matmul(p, gt))
    return gradient + (right - xp.matmul(xp.matmul(right, p), x))


def _pinv(xp, x, rtol, *, hermitian):
    if 0 in x.shape:
        return xp.zeros((*x.shape[:-2], x.shape[-1], x.shape[-2]), dtype=x.dtype)
    if hermitian:  # x = u diag(s) u^H
        s, u = xp.linalg.eigh(x)
        left, size = xp.matrix_transpose(xp.conj(u)), xp.abs(s)
        right = u
    else:          # x = u diag(s) v
        u, s, v = xp.linalg.svd(xp.conj(x), full_matrices=False)
        left, size, right = xp.matrix_transpose(u), s, xp.matrix_transpose(v)
    counts = size > rtol[..., None] * xp.max(size, axis=-1, keepdims=True)
    inverse = xp.where(counts, 1 / xp.where(counts, s, xp.ones_like(s)), xp.zeros_like(s))
    return xp.matmul(right, column(xp, inverse) * left)


_pinv = primitive("pinv", _pinv, kind="linalg", x=_pinv_x)


def pinv(x, /, *, rtol=None, hermitian=False):
    """The Moore-Penrose pseudo-inverse.

    Formula: out = V diag(1 / s) U.T over the singular values s > rtol * max(s)

    Args:
        x: floating (..., M, N).
        rtol: number, or a Tensor that broadcasts to (...): smaller singular values, relative to the largest, count
            as zero; default max(M, N) times the dtype's epsilon.
        hermitian: whether `x` is symmetric; faster.

    Returns:
        A Tensor (..., N, M). Its gradient holds where the rank does not change nearby.

    Raises:
        ValueError: `x` has less than two axes.

    Source: Golub and Pereyra, The differentiation of pseudo-inverses, SIAM J. Numer. Anal. 10 (1973), eq. 4.12.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.pinv(tn.tensor([[2., 0.], [0., 0.]]))
        tensor([[0.5000, 0.0000],
                [0.0000, 0.0000]])
    """
    x = matrix("pinv", x)
    return _pinv(x, tolerance(x, rtol), hermitian=bool(hermitian))


def lstsq(a, b, /, *, rtol=None):
    """The least-squares solution of a linear system, of least norm where there are many.

    Formula: out = argmin_x ||a @ x - b||^2 = pinv(a) @ b

    Args:
        a: floating (..., M, N).
        b: floating (M,) or (..., M, K).
        rtol: as in `pinv`.

    Returns:
        A namedtuple of Tensors: solution (N,) or (..., N, K), residuals (the sums of squares, without the axis M),
        rank (...,) and singular_values (..., min(M, N)).

    Raises:
        ValueError: `b` has another M.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.lstsq(tn.tensor([[1.], [1.]]), tn.tensor([1., 3.])).solution
        tensor([2.0000])
    """
    from ..arithmetic import square as squared
    from ..reduce import sum
    from .spectral import matrix_rank, svdvals
    a, b = pair(a, b)
    a = matrix("lstsq", a, "a")
    if b.ndim == 0 or b.shape[-2 if b.ndim > 1 else 0] != a.shape[-2]:
        raise ValueError(f"lstsq: b: expected ({a.shape[-2]},) or (..., {a.shape[-2]}, K) for a of shape {a.shape}, "
                         f"got {b.shape}")
    solution = matmul(pinv(a, rtol=rtol), b)
    missing = matmul(a, solution) - b
    residuals = sum(squared(missing), axis=-2 if b.ndim > 1 else -1)
    return LstsqResult(solution, residuals, matrix_rank(a, rtol=rtol), svdvals(a))


# Tensors as matrices --------------------------------------------------------------
def tensorinv(x, /, *, ind=2):
    """The inverse of a tensor as a linear map from its last axes to its first `ind`.

    Formula: tensordot(out, tensordot(x, y)) = y

    Args:
        x: floating; the product of the first `ind` sizes equals that of the others.
        ind: positive int.

    Returns:
        A Tensor of shape x.shape[ind:] + x.shape[:ind].

    Raises:
        ValueError: the two products of sizes differ.
        LinAlgError: the map is singular.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.tensorinv(tn.reshape(tn.eye(6), (6, 2, 3)), ind=1).shape
        (2, 3, 6)
    """
    from ..shape import reshape
    x = pair(x, 0)[0]
    if not 0 < ind <= x.ndim:
        raise ValueError(f"tensorinv: ind: expected 1 to {x.ndim}, got {ind}")
    rows = int(np.prod(x.shape[:ind]))
    if rows * rows != x.size:
        raise ValueError(f"tensorinv: the first {ind} sizes of {x.shape} must have the same product as the others")
    return reshape(inv(reshape(x, (rows, rows))), x.shape[ind:] + x.shape[:ind])


def tensorsolve(a, b, /, *, axes=None):
    """The solution of a linear system whose unknown is a tensor.

    Formula: tensordot(a, out, axes=out.ndim) = b

    Args:
        a: floating, of shape b.shape followed by the shape of the unknown, of equal products of sizes.
        b: floating.
        axes: axes of `a` that are moved to the end first, ints; None for none.

    Returns:
        A Tensor of shape a.shape[b.ndim:], after the move.

    Raises:
        ValueError: the shapes do not fit.
        LinAlgError: the map is singular.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.tensorsolve(tn.reshape(tn.eye(6), (6, 2, 3)), tn.ones(6)).shape
        (2, 3)
    """
    from ..arrange import moveaxis
    from ..shape import reshape
    a, b = pair(a, b)
    if axes is not None:
        a = moveaxis(a, tuple(axes), tuple(range(-len(axes), 0)))
    if b.size * b.size != a.size or int(np.prod(a.shape[b.ndim:])) != b.size:
        raise ValueError(f"tensorsolve: a: expected {b.ndim} axes and then others, both of {b.size} elements as b, "
                         f"got shape {a.shape}")
    return reshape(solve(reshape(a, (b.size, b.size)), reshape(b, (b.size,))), a.shape[b.ndim:])
