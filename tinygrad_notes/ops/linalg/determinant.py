"""Determinants.

The gradient of a determinant is the matrix of cofactors, which is finite for singular matrices too.
"""

import numpy as np

from ...autograd import primitive
from ...backend.kernels import kernel
from ..results import SlogdetResult
from .checks import square

__all__ = ["det", "slogdet", "logdet", "SlogdetResult"]


def _scale(xp, g):
    return xp.expand_dims(g, axis=(-2, -1))


@kernel
def products_without(xp, s):
    """Per element the product of the others along the last axis, without division."""
    ones = xp.ones_like(s[..., :1])
    before = xp.cumprod(xp.concatenate([ones, s[..., :-1]], axis=-1), axis=-1)
    after = xp.cumprod(xp.concatenate([ones, s[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    return before * after


@kernel
def products_without_two(xp, s):
    """(..., N, N): the product of all elements but the i-th and the j-th, for i != j; zeros on the diagonal."""
    n = s.shape[-1]
    ones = xp.ones_like(s[..., :1])
    before = xp.cumprod(xp.concatenate([ones, s[..., :-1]], axis=-1), axis=-1)
    after = xp.cumprod(xp.concatenate([ones, s[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    # between[i, j] is the product over i < k < j: a running product of the strict upper triangle.
    upper = xp.triu(xp.ones((n, n), dtype=bool), 1)
    rows = xp.cumprod(xp.where(upper, s[..., None, :], xp.ones_like(s[..., None, :])), axis=-1)
    between = xp.concatenate([xp.ones_like(rows[..., :1]), rows[..., :-1]], axis=-1)
    half = xp.triu(before[..., :, None] * between * after[..., None, :], 1)
    return half + xp.matrix_transpose(half)


def _by_inverse(xp, x):
    """The cofactors as det(x) inv(x).T, four times faster than the SVD; None where they would lose digits."""
    try:
        inverse = xp.linalg.inv(x)
    except np.linalg.LinAlgError:
        return None
    condition = xp.sum(xp.abs(x), axis=(-2, -1)) * xp.sum(xp.abs(inverse), axis=(-2, -1))
    if not xp.all(condition < x.shape[-1] * np.finfo(x.dtype).eps ** (-1 / 3)).item():  # nan fails too
        return None
    return xp.linalg.det(x)[..., None, None] * xp.matrix_transpose(inverse)


def _cofactor_forward(xp, x):
    if x.size == 0:
        return xp.zeros_like(x)
    quick = _by_inverse(xp, x)
    if quick is not None:
        return quick
    u, s, vh = xp.linalg.svd(x)
    sign = xp.linalg.det(u) * xp.linalg.det(vh)
    return xp.matmul(u * (sign[..., None] * xp.products_without(s))[..., None, :], vh)


def _tangent_forward(xp, x, h):
    """The derivative of the cofactors of `x` in the direction `h`: with x = U S V.T and H = U.T h V,
    its (i, i) is the sum over j of p[i, j] H[j, j], its (i, j) is -p[i, j] H[j, i]."""
    if x.shape[-1] == 0:
        return xp.zeros_like(h)
    u, s, vh = xp.linalg.svd(x)
    sign = xp.linalg.det(u) * xp.linalg.det(vh)
    turned = xp.matmul(xp.matmul(xp.matrix_transpose(u), h), xp.matrix_transpose(vh))
    p = xp.products_without_two(s)
    inner = -p * xp.matrix_transpose(turned)
    eye = xp.eye(x.shape[-1], dtype=x.dtype)
    diagonal = xp.matmul(p, xp.sum(turned * eye, axis=-1)[..., None])
    return xp.matmul(xp.matmul(u, (inner + eye * diagonal) * sign[..., None, None]), vh)


def _tangent_x(xp, g, x, h):
    """Third derivative of the determinant, by the inverse: only for matrices that have one."""
    b = xp.matrix_transpose(xp.linalg.inv(x))
    ht, gt = xp.matrix_transpose(h), xp.matrix_transpose(g)
    def total(a):
        return xp.sum(a, axis=(-2, -1), keepdims=True)
    bh, bg = xp.matmul(b, ht), xp.matmul(b, gt)
    bhb, bgb = xp.matmul(bh, b), xp.matmul(bg, b)
    th, tg = total(b * h), total(b * g)
    both = th * tg - total(g * bhb)
    inner = both * b - tg * bhb - th * bgb + xp.matmul(bh, bgb) + xp.matmul(bg, bhb)
    return inner * _scale(xp, xp.linalg.det(x))


_cofactor = primitive("cofactor", _cofactor_forward, kind="linalg",
                      x=lambda xp, g, x: xp.cofactor_tangent(x, g))
_cofactor_tangent = primitive("cofactor_tangent", _tangent_forward, kind="linalg", x=_tangent_x,
                              h=lambda xp, g, x: xp.cofactor_tangent(x, g))
_det = primitive("det", lambda xp, x: xp.linalg.det(x), kind="linalg",
                 x=lambda xp, g, x: _scale(xp, g) * xp.cofactor(x))


def det(x, /):
    """The determinant.

    Formula: out = product of the eigenvalues

    Args:
        x: floating (..., N, N).

    Returns:
        A Tensor (...). First and second derivatives hold for singular matrices too; third ones need an inverse.

    Raises:
        ValueError: `x` is not square.

    Source: Array API standard 2024.12, linalg.det.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.det(tn.tensor([[2., 0.], [0., 4.]]))
        tensor(8.)
    """
    return _det(square("det", x))


_slogdet = primitive("slogdet", lambda xp, x: xp.linalg.slogdet(x), kind="linalg", outputs=2,
                     x=lambda xp, g, x: _scale(xp, g[1]) * xp.matrix_transpose(xp.linalg.inv(x)))


def slogdet(x, /):
    """Sign and logarithm of the determinant, which would overflow for large matrices.

    Formula: det(x) = sign * exp(logabsdet)

    Args:
        x: floating (..., N, N).

    Returns:
        A namedtuple of Tensors: sign (...), logabsdet (...), in nats. For a singular matrix they are 0 and -inf,
        and the backward pass raises LinAlgError.

    Raises:
        ValueError: `x` is not square.

    Source: Array API standard 2024.12, linalg.slogdet.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.slogdet(tn.tensor([[1., 0.], [0., -1.]])).sign
        tensor(-1.)
    """
    return SlogdetResult(*_slogdet(square("slogdet", x)))


def logdet(x, /):
    """The logarithm of the determinant; nan where it is negative.

    Formula: out = log(det(x))

    Args:
        x: floating (..., N, N).

    Returns:
        A Tensor (...), in nats; -inf for a singular matrix.

    Raises:
        ValueError: `x` is not square.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.logdet(tn.tensor([[1., 0.], [0., 1.]]))
        tensor(0.)
    """
    from math import nan

    from ..choice import where
    sign, logabs = slogdet(x)
    return where(sign < 0, nan, logabs)
