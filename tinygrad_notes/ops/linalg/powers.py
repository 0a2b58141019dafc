"""Powers, products and the exponential of matrices."""
from functools import lru_cache
from math import nan

from ...autograd import Tensor, primitive
from ...autograd.tensor import as_tensor
from ...backend.kernels import kernel
from ..contract import matmul
from .checks import square
from .solve import inv

__all__ = ["matrix_power", "matrix_exp", "multi_dot", "vander"]


def matrix_power(x, n, /):
    """A square matrix times itself, `n` times; the inverse for negative `n`.

    Formula: out = x @ x @ ... @ x, x^0 = I, x^-n = inv(x)^n

    Args:
        x: floating (..., N, N).
        n: int.

    Returns:
        A Tensor (..., N, N).

    Raises:
        ValueError: `x` is not square.
        TypeError: `n` is no int.
        LinAlgError: `n` is negative and `x` singular.

    Source: Array API standard 2024.12, linalg.matrix_power.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.matrix_power(tn.tensor([[1., 1.], [0., 1.]]), 5)
        tensor([[1., 5.],
                [0., 1.]])
    """
    x = square("matrix_power", x)
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"matrix_power: n: expected an int, got {n!r}")
    if n == 0:
        return _identity_like(x)
    power, n = (inv(x), -n) if n < 0 else (x, n)
    result = None
    while n:  # the bits of n, lowest first
        if n & 1:
            result = power if result is None else matmul(result, power)
        n >>= 1
        if n:
            power = matmul(power, power)
    return result


# It does not depend on the values of x: its gradient is zero, not missing.
_identity_like = primitive("identity_like", lambda xp, x: xp.zeros_like(x) + xp.eye(x.shape[-1], dtype=x.dtype),
                           kind="linalg", x=lambda xp, g: xp.zeros_like(g))


# The exponential ------------------------------------------------------------------
# Coefficients of the (13, 13) Pade approximant of exp, and the 1-norm up to which it is exact to double precision.
_PADE = (64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
         670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1)
_THETA = 5.371920351148152


@kernel
def expm(xp, x):
    """Scaling and squaring; every matrix of a batch has its own scale."""
    n = x.shape[-1]
    if x.size == 0:
        return xp.zeros_like(x)
    size = xp.max(xp.sum(xp.abs(x), axis=-2, keepdims=True), axis=(-2, -1), keepdims=True)
    finite = xp.isfinite(size)
    halvings = xp.ceil(xp.log2(xp.maximum(xp.where(finite, size, xp.ones_like(size)) / _THETA, 1)))
    a = xp.where(finite, x, xp.zeros_like(x)) * xp.exp2(-halvings)
    eye = xp.eye(n, dtype=x.dtype)
    c = [b / _PADE[0] for b in _PADE]
    a2 = xp.matmul(a, a)
    a4 = xp.matmul(a2, a2)
    a6 = xp.matmul(a4, a2)
    odd = xp.matmul(a6, a6 * c[13] + a4 * c[11] + a2 * c[9]) + a6 * c[7] + a4 * c[5] + a2 * c[3] + eye * c[1]
    odd = xp.matmul(a, odd)
    even = xp.matmul(a6, a6 * c[12] + a4 * c[10] + a2 * c[8]) + a6 * c[6] + a4 * c[4] + a2 * c[2] + eye * c[0]
    result = xp.linalg.solve(even - odd, even + odd)
    for done in range(int(xp.max(halvings).item())):
        result = xp.where(halvings > done, xp.matmul(result, result), result)
    return xp.where(finite, result, xp.zeros_like(x) + nan)


def _exp_x(xp, g, x):
    """The derivative at x.T in the direction g stands in the corner of exp([[x.T, g], [0, x.T]])."""
    n = x.shape[-1]
    turned = xp.matrix_transpose(x)
    top = xp.concat([turned, g], axis=-1)
    bottom = xp.concat([xp.zeros_like(g), turned], axis=-1)
    return xp.matrix_exp(xp.concat([top, bottom], axis=-2))[..., :n, n:]


_matrix_exp = primitive("matrix_exp", lambda xp, x: xp.expm(x), kind="linalg", x=_exp_x)


def matrix_exp(x, /):
    """The exponential of a square matrix.

    Formula: out = sum_k x^k / k!

    Args:
        x: floating (..., N, N).

    Returns:
        A Tensor (..., N, N).

    Raises:
        ValueError: `x` is not square.

    Source: Higham, The scaling and squaring method for the matrix exponential revisited, 2005. Gradient: Al-Mohy and
        Higham, Computing the Frechet derivative of the matrix exponential, 2009, eq. 1.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.matrix_exp(tn.tensor([[0., 1.], [0., 0.]]))
        tensor([[1., 1.],
                [0., 1.]])
    """
    return _matrix_exp(square("matrix_exp", x))


# Chains ---------------------------------------------------------------------------
@lru_cache(maxsize=1024)
def _splits(sizes):
    """Where to cut every part of a chain of matrices for the least work: {(first, last): cut}."""
    n = len(sizes) - 1
    cost, cut = {(i, i): 0 for i in range(n)}, {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j], cut[i, j] = min((cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                                        for k in range(i, j))
    return cut


def multi_dot(arrays, /):
    """The product of several matrices, in the order of least work.

    Formula: out = arrays[0] @ arrays[1] @ ...

    Args:
        arrays: at least one matrix; the first and the last may be vectors.

    Returns:
        A Tensor; without the rows of a first vector and the columns of a last one.

    Raises:
        ValueError: `arrays` is empty, one is no matrix, or neighbours do not fit.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.multi_dot([tn.ones((2, 30)), tn.ones((30, 4)), tn.ones(4)])
        tensor([120., 120.])
    """
    from ..shape import reshape
    like = next((x for x in arrays if isinstance(x, Tensor)), None)
    arrays = [as_tensor(x, like) for x in arrays]
    if not arrays:
        raise ValueError("multi_dot: expected at least one matrix")
    for i, x in enumerate(arrays):
        if x.ndim != 2 and not (x.ndim == 1 and i in (0, len(arrays) - 1)):
            raise ValueError(f"multi_dot: arrays[{i}]: expected a matrix, got shape {x.shape}")
    if len(arrays) == 1:
        return arrays[0]
    shape = arrays[0].shape[:-1] + arrays[-1].shape[1:]
    if arrays[0].ndim == 1:
        arrays[0] = reshape(arrays[0], (1, arrays[0].shape[0]))
    if arrays[-1].ndim == 1:
        arrays[-1] = reshape(arrays[-1], (arrays[-1].shape[0], 1))
    for i in range(len(arrays) - 1):
        if arrays[i].shape[1] != arrays[i + 1].shape[0]:
            raise ValueError(f"multi_dot: arrays[{i}] and arrays[{i + 1}] do not fit: shapes {arrays[i].shape} and "
                             f"{arrays[i + 1].shape}")
    cut = _splits((*[x.shape[0] for x in arrays], arrays[-1].shape[1]))

    def product(i, j):
        return arrays[i] if i == j else matmul(product(i, cut[i, j]), product(cut[i, j] + 1, j))
    return reshape(product(0, len(arrays) - 1), shape)


def vander(x, /, *, N=None):
    """The powers of each element, rising along a new last axis.

    Formula: out[..., i, j] = x[..., i]^j

    Args:
        x: numeric (..., M).
        N: how many powers; default M.

    Returns:
        A Tensor (..., M, N).

    Raises:
        ValueError: `x` is a number, or `N` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.linalg.vander(tn.tensor([2., 3.]), N=3)
        tensor([[1., 2., 4.],
                [1., 3., 9.]])
    """
    from ..create import ones_like
    from ..join import stack
    x = as_tensor(x)
    if x.ndim == 0:
        raise ValueError("vander: x: expected at least one axis, got shape ()")
    N = x.shape[-1] if N is None else N
    if N < 0:
        raise ValueError(f"vander: N: expected a number >= 0, got {N}")
    powers = [ones_like(x)]
    while len(powers) < N:
        powers.append(powers[-1] * x)
    return stack(powers, axis=-1)[..., :N]
