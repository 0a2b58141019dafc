"""What linear algebra asks of its inputs, said before anything is computed."""
import numpy as np

from ...autograd import Tensor
from ...autograd.tensor import as_tensor


def matrix(name, x, label="x"):
    """`x` as a Tensor of at least two axes."""
    x = as_tensor(x)
    if x.ndim < 2:
        raise ValueError(f"{name}: {label}: expected a matrix or a batch of matrices (..., M, N), got shape {x.shape}")
    return x


def square(name, x, label="x"):
    """`x` as a Tensor whose last two axes have equal size."""
    x = matrix(name, x, label)
    if x.shape[-1] != x.shape[-2]:
        raise ValueError(f"{name}: {label}: expected square matrices (..., N, N), got shape {x.shape}")
    return x


def pair(x, y):
    """Both as Tensors, on one device where one of them names it."""
    like = next((v for v in (x, y) if isinstance(v, Tensor)), None)
    return as_tensor(x, like), as_tensor(y, like)


def column(xp, v):
    """`v` (..., N) as scale of rows: (..., N, 1)."""
    return xp.expand_dims(v, axis=-1)


def row(xp, v):
    """`v` (..., N) as scale of columns: (..., 1, N)."""
    return xp.expand_dims(v, axis=-2)


def tolerance(x, rtol):
    """`rtol`, or its default for `x`, as a Tensor of its dtype."""
    dtype = np.dtype("float64" if x.dtype in (np.float64, np.complex128) else "float32")
    if rtol is None:
        rtol = max(x.shape[-2:]) * float(np.finfo(dtype).eps)
    return rtol if isinstance(rtol, Tensor) else Tensor(rtol, dtype=dtype, device=x.device)
