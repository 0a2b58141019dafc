"""Products of vectors and matrices under the names people know, made of `matmul` and `tensordot`."""
from ..autograd import Tensor, primitive
from ..autograd.tensor import as_tensor
from .arithmetic import multiply
from .contract import matmul, outer, tensordot

__all__ = ["dot", "vdot", "inner", "mv", "mm", "bmm", "addmm", "addmv", "addr", "addbmm", "baddbmm", "kron", "cross"]


def _tensors(name, ranks, *values):
    """The arguments as Tensors, each of the rank its name asks for."""
    like = next((v for v in values if isinstance(v, Tensor)), None)
    found = [as_tensor(v, like) for v in values]
    for x, (label, rank) in zip(found, ranks.items()):
        if rank is not None and x.ndim != rank:
            raise ValueError(f"{name}: {label}: expected {rank} axes, got shape {x.shape}")
    return found


def _inner_sizes(name, x, y, k=-1, l=0):
    if x.shape[k] != y.shape[l]:
        raise ValueError(f"{name}: the summed axes differ in size, {x.shape[k]} and {y.shape[l]} "
                         f"(shapes {x.shape} and {y.shape})")


def dot(x, y, /):
    """The product of NumPy's `dot`: of two vectors a number, of two matrices their product.

    Formula: out[i, j] = sum_k x[i, k] y[k, j]

    Args:
        x: numeric (..., K) or a number.
        y: numeric (K,), (..., K, M) or a number.

    Returns:
        A Tensor of the free axes of `x`, then those of `y`.

    Raises:
        ValueError: the summed axes differ in size.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.dot(tn.tensor([1., 2.]), tn.tensor([3., 4.]))
        tensor(11.)
    """
    x, y = _tensors("dot", {}, x, y)
    if not (x.ndim and y.ndim):
        return multiply(x, y)
    _inner_sizes("dot", x, y, -1, -2 if y.ndim > 1 else 0)
    if x.ndim <= 2 and y.ndim <= 2:
        return matmul(x, y)
    return tensordot(x, y, axes=((x.ndim - 1,), (max(y.ndim - 2, 0),)))


def vdot(x, y, /):
    """The dot product of all elements of two tensors; conjugates the first.

    Formula: out = sum_k conj(x[k]) y[k]

    Args:
        x, y: numeric, of equal size.

    Returns:
        A 0-d Tensor.

    Raises:
        ValueError: the sizes differ.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.vdot(tn.tensor([[1., 2.]]), tn.tensor([3., 4.]))
        tensor(11.)
    """
    from .contract import vecdot
    from .shape import reshape
    x, y = _tensors("vdot", {}, x, y)
    if x.size != y.size:
        raise ValueError(f"vdot: expected equal sizes, got shapes {x.shape} and {y.shape}")
    return vecdot(reshape(x, (x.size,)), reshape(y, (y.size,)))


def inner(x, y, /):
    """The products summed over the last axis of both.

    Formula: out[i, j] = sum_k x[i, k] y[j, k]

    Args:
        x, y: numeric (..., K), or a number.

    Returns:
        A Tensor of the free axes of `x`, then those of `y`.

    Raises:
        ValueError: the last axes differ in size.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.inner(tn.tensor([[1., 2.], [3., 4.]]), tn.tensor([1., 1.]))
        tensor([3., 7.])
    """
    x, y = _tensors("inner", {}, x, y)
    if not (x.ndim and y.ndim):
        return multiply(x, y)
    _inner_sizes("inner", x, y, -1, -1)
    return tensordot(x, y, axes=((x.ndim - 1,), (y.ndim - 1,)))


def mv(x, v, /):
    """A matrix times a vector.

    Formula: out[i] = sum_k x[i, k] v[k]

    Args:
        x: numeric (N, K).
        v: numeric (K,).

    Returns:
        A Tensor (N,).

    Raises:
        ValueError: the shapes are others.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.mv(tn.tensor([[1., 2.]]), tn.tensor([3., 4.]))
        tensor([11.])
    """
    return matmul(*_tensors("mv", {"x": 2, "v": 1}, x, v))


def mm(x, y, /):
    """A matrix times a matrix.

    Formula: out[i, j] = sum_k x[i, k] y[k, j]

    Args:
        x: numeric (N, K).
        y: numeric (K, M).

    Returns:
        A Tensor (N, M).

    Raises:
        ValueError: the shapes are others.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.mm(tn.tensor([[1., 2.]]), tn.tensor([[3.], [4.]]))
        tensor([[11.]])
    """
    return matmul(*_tensors("mm", {"x": 2, "y": 2}, x, y))


def bmm(x, y, /):
    """A matrix times a matrix, for every item of a batch.

    Formula: out[b] = x[b] @ y[b]

    Args:
        x: numeric (B, N, K).
        y: numeric (B, K, M).

    Returns:
        A Tensor (B, N, M).

    Raises:
        ValueError: the shapes are others, or the batch sizes differ.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.bmm(tn.ones((5, 2, 3)), tn.ones((5, 3, 4))).shape
        (5, 2, 4)
    """
    x, y = _tensors("bmm", {"x": 3, "y": 3}, x, y)
    if x.shape[0] != y.shape[0]:
        raise ValueError(f"bmm: expected equal batch sizes, got shapes {x.shape} and {y.shape}")
    return matmul(x, y)


def _add_scaled(x, product, beta, alpha):
    """`beta * x + alpha * product`; with beta 0 the values of `x` do not count, not even nan."""
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product
    return (x if beta == 1 else x * beta) + product


_ADD_DOC = """{title}

    Formula: out = beta * x + alpha * {formula}

    Args:
        x: numeric, broadcasts to the shape of the product.
        {a}: numeric {a_shape}.
        {b}: numeric {b_shape}.
        beta: number; with 0 the values of `x` are ignored.
        alpha: number.

    Returns:
        A Tensor {out}.

    Raises:
        ValueError: the shapes do not fit.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.{name}({example}).shape
        {shape}
    """


def _documented(**words):
    def attach(function):
        function.__doc__ = _ADD_DOC.format(name=function.__name__, **words)
        return function
    return attach


@_documented(title="A scaled matrix product added to a scaled tensor.", formula="(m1 @ m2)", a="m1", a_shape="(N, K)",
             b="m2", b_shape="(K, M)", out="(N, M)", example="tn.ones(4), tn.ones((2, 3)), tn.ones((3, 4))",
             shape="(2, 4)")
def addmm(x, m1, m2, /, *, beta=1, alpha=1):
    x, m1, m2 = _tensors("addmm", {"x": None, "m1": 2, "m2": 2}, x, m1, m2)
    return _add_scaled(x, matmul(m1, m2), beta, alpha)


@_documented(title="A scaled matrix-vector product added to a scaled tensor.", formula="(m @ v)", a="m",
             a_shape="(N, K)", b="v", b_shape="(K,)", out="(N,)", shape="(2,)",
             example="tn.ones(2), tn.ones((2, 3)), tn.ones(3)")
def addmv(x, m, v, /, *, beta=1, alpha=1):
    x, m, v = _tensors("addmv", {"x": None, "m": 2, "v": 1}, x, m, v)
    return _add_scaled(x, matmul(m, v), beta, alpha)


@_documented(title="A scaled outer product added to a scaled tensor.", formula="outer(v1, v2)", a="v1", a_shape="(N,)",
             b="v2", b_shape="(M,)", out="(N, M)", example="tn.ones((2, 3)), tn.ones(2), tn.ones(3)", shape="(2, 3)")
def addr(x, v1, v2, /, *, beta=1, alpha=1):
    x, v1, v2 = _tensors("addr", {"x": None, "v1": 1, "v2": 1}, x, v1, v2)
    return _add_scaled(x, outer(v1, v2), beta, alpha)


@_documented(title="Matrix products summed over a batch, scaled and added to a scaled tensor.",
             formula="sum_b (b1[b] @ b2[b])", a="b1", a_shape="(B, N, K)", b="b2", b_shape="(B, K, M)", out="(N, M)",
             example="tn.ones((2, 4)), tn.ones((5, 2, 3)), tn.ones((5, 3, 4))", shape="(2, 4)")
def addbmm(x, b1, b2, /, *, beta=1, alpha=1):
    x, b1, b2 = _tensors("addbmm", {"x": None, "b1": 3, "b2": 3}, x, b1, b2)
    if b1.shape[0] != b2.shape[0]:
        raise ValueError(f"addbmm: expected equal batch sizes, got shapes {b1.shape} and {b2.shape}")
    return _add_scaled(x, tensordot(b1, b2, axes=((0, 2), (0, 1))), beta, alpha)


@_documented(title="Batched matrix products, scaled and added to a scaled tensor.", formula="(b1[b] @ b2[b])", a="b1",
             a_shape="(B, N, K)", b="b2", b_shape="(B, K, M)", out="(B, N, M)",
             example="tn.ones(4), tn.ones((5, 2, 3)), tn.ones((5, 3, 4))", shape="(5, 2, 4)")
def baddbmm(x, b1, b2, /, *, beta=1, alpha=1):
    x, b1, b2 = _tensors("baddbmm", {"x": None, "b1": 3, "b2": 3}, x, b1, b2)
    return _add_scaled(x, bmm(b1, b2), beta, alpha)


def kron(x, y, /):
    """The Kronecker product: every element of `x` times all of `y`, as blocks.

    Formula: out[i * P + p, j * Q + q] = x[i, j] y[p, q] for y (P, Q)

    Args:
        x, y: numeric, of any number of axes; missing leading axes count as size 1.

    Returns:
        A Tensor whose sizes are the products of the sizes.

    Source: NumPy, kron.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.kron(tn.tensor([1., 10.]), tn.tensor([1., 2.]))
        tensor([ 1.,  2., 10., 20.])
    """
    from .shape import reshape
    x, y = _tensors("kron", {}, x, y)
    n = max(x.ndim, y.ndim)
    left, right = (1,) * (n - x.ndim) + x.shape, (1,) * (n - y.ndim) + y.shape
    spread = reshape(x, tuple([k for size in left for k in (size, 1)]))   # (I, J) -> (I, 1, J, 1)
    tiles = reshape(y, tuple([k for size in right for k in (1, size)]))   # (P, Q) -> (1, P, 1, Q)
    return reshape(multiply(spread, tiles), tuple([a * b for a, b in zip(left, right)]))


_cross = primitive("cross", lambda xp, x, y, *, axis: xp.cross(x, y, axis=axis), kind="contraction",
                   x=lambda xp, g, y, axis: xp.cross(y, g, axis=axis),
                   y=lambda xp, g, x, axis: xp.cross(g, x, axis=axis))


def cross(x1, x2, /, *, axis=-1):
    """The cross product of vectors in space; the other axes broadcast.

    Formula: out = (x1[1] x2[2] - x1[2] x2[1], x1[2] x2[0] - x1[0] x2[2], x1[0] x2[1] - x1[1] x2[0])

    Args:
        x1, x2: numeric, of size 3 along `axis`.
        axis: int, counted after the inputs are broadcast.

    Returns:
        A Tensor of the broadcast shape.

    Raises:
        ValueError: the size along `axis` is not 3.
        IndexError: `axis` is not an axis of both inputs.

    Source: Array API standard 2024.12, linalg.cross.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.cross(tn.tensor([1., 0., 0.]), tn.tensor([0., 1., 0.]))
        tensor([0., 0., 1.])
    """
    x1, x2 = _tensors("cross", {}, x1, x2)
    if axis >= 0:
        axis -= max(x1.ndim, x2.ndim)
    if not -min(x1.ndim, x2.ndim) <= axis < 0:
        raise IndexError(f"cross: axis {axis} is not an axis of both inputs, of shapes {x1.shape} and {x2.shape}")
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ValueError(f"cross: expected size 3 along axis {axis}, got shapes {x1.shape} and {x2.shape}")
    return _cross(x1, x2, axis=int(axis))
