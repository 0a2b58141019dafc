"""Transforms of whole vectors and matrices, and transforms made of others."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..autograd import Tensor
from ..ops import (
    concat,
    cumprod,
    cumsum,
    exp,
    eye,
    linalg,
    log,
    log1p,
    matmul,
    matrix_transpose,
    ones_like,
    reshape,
    softmax,
    softplus,
    sqrt,
    stack,
    take,
    tanh,
    tril,
    unstack,
    zeros_like,
)
from ..ops import sum as total_of
from . import constraints
from .constraints import Constraint, independent, real_vector
from .distribution import sum_rightmost
from .multivariate import of_diagonal
from .transform import Transform

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = [
    "CatTransform", "ComposeTransform", "CorrCholeskyTransform", "IndependentTransform", "LowerCholeskyTransform",
    "PositiveDefiniteTransform", "ReshapeTransform", "SoftmaxTransform", "StackTransform", "StickBreakingTransform",
    "identity_transform",
]


# Made of others ---------------------------------------------------------------------------------
class ComposeTransform(Transform):
    """Transforms one after the other.

    Formula: y = t_n(... t_2(t_1(x))).

    Args:
        parts: list of transforms, the first to be applied first; none: the identity.
        cache_size: see `Transform`; it is that of every part.

    Example:
        >>> import tinygrad_notes as tn
        >>> d = tn.distributions
        >>> d.ComposeTransform([d.AffineTransform(0.0, 2.0), d.ExpTransform()]).inv(tn.tensor(1.0))
        tensor(0.)
    """

    def __init__(self, parts: Sequence[Transform], cache_size: int = 0) -> None:
        super().__init__()
        self.parts = [part.with_cache(cache_size) for part in parts] if cache_size else list(parts)
        self.bijective = all(part.bijective for part in self.parts)
        self.domain, self.codomain = self._side("domain", "codomain"), self._side("codomain", "domain")

    def _side(self, this, other):
        """The constraint on one end: that of the last part there, with as many axes as any part needs."""
        if not self.parts:
            return constraints.real
        parts = self.parts if this == "codomain" else self.parts[::-1]
        n = getattr(parts[0], other).event_dim
        for part in parts:
            n = max(n + getattr(part, this).event_dim - getattr(part, other).event_dim, getattr(part, this).event_dim)
        found = getattr(parts[-1], this)
        return independent(found, n - found.event_dim) if n > found.event_dim else found

    @property
    def sign(self) -> Any:
        sign: Any = 1
        for part in self.parts:
            sign = sign * part.sign
        return sign

    def with_cache(self, cache_size: int = 1) -> ComposeTransform:
        return ComposeTransform([part.with_cache(cache_size) for part in self.parts])

    def _call(self, x):
        for part in self.parts:
            x = part(x)
        return x

    def _inverse(self, y):
        for part in reversed(self.parts):
            y = part.inv(y)
        return y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        if not self.parts:
            return zeros_like(x)
        xs = [x]
        for part in self.parts[:-1]:
            xs.append(part(xs[-1]))
        xs.append(y)
        n = self.domain.event_dim
        total: Any = 0.0
        for part, before, after in zip(self.parts, xs, xs[1:]):
            logs = part.log_abs_det_jacobian(before, after)
            total = total + sum_rightmost(logs, n - part.domain.event_dim)
            n += part.codomain.event_dim - part.domain.event_dim
        return total

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        for part in self.parts:
            shape = part.forward_shape(shape)
        return shape

    def inverse_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return shape

    def _parts(self):
        return {"parts": self.parts}


identity_transform = ComposeTransform([])


class IndependentTransform(Transform):
    """A transform whose last batch axes count as part of an event: volumes are summed over them.

    Args:
        base_transform: the transform.
        reinterpreted_batch_ndims: how many axes.
        cache_size: see `Transform`.

    Example:
        >>> import tinygrad_notes as tn
        >>> t = tn.distributions.IndependentTransform(tn.distributions.ExpTransform(), 1)
        >>> t.log_abs_det_jacobian(tn.tensor([1.0, 2.0]), None)
        tensor(3.)
    """

    def __init__(self, base_transform: Transform, reinterpreted_batch_ndims: int, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.base_transform = base_transform.with_cache(cache_size)
        self.reinterpreted_batch_ndims, self.bijective = reinterpreted_batch_ndims, base_transform.bijective
        self.domain = independent(base_transform.domain, reinterpreted_batch_ndims)
        self.codomain = independent(base_transform.codomain, reinterpreted_batch_ndims)

    @property
    def sign(self) -> Any:
        return self.base_transform.sign

    def _call(self, x):
        return self.base_transform(x)

    def _inverse(self, y):
        return self.base_transform.inv(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return sum_rightmost(self.base_transform.log_abs_det_jacobian(x, y), self.reinterpreted_batch_ndims)

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return self.base_transform.inverse_shape(shape)

    def _parts(self):
        return {"base_transform": self.base_transform, "reinterpreted_batch_ndims": self.reinterpreted_batch_ndims}


class ReshapeTransform(Transform):
    """The elements of an event in another shape.

    Args:
        in_shape, out_shape: the shapes of an event before and after.
        cache_size: see `Transform`.

    Raises:
        ValueError: the shapes have different numbers of elements.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.ReshapeTransform((4,), (2, 2))(tn.zeros((3, 4))).shape
        (3, 2, 2)
    """

    bijective = True

    def __init__(self, in_shape: Sequence[int], out_shape: Sequence[int], cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.in_shape, self.out_shape = tuple(in_shape), tuple(out_shape)
        if math.prod(self.in_shape) != math.prod(self.out_shape):
            raise ValueError(f"ReshapeTransform: in_shape {self.in_shape} and out_shape {self.out_shape} have "
                             "different numbers of elements")
        self.domain = independent(constraints.real, len(self.in_shape))
        self.codomain = independent(constraints.real, len(self.out_shape))

    def _call(self, x):
        return reshape(x, self.forward_shape(x.shape))

    def _inverse(self, y):
        return reshape(y, self.inverse_shape(y.shape))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return sum_rightmost(zeros_like(x), len(self.in_shape))

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return _exchanged(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return _exchanged(shape, self.out_shape, self.in_shape)

    def _parts(self):
        return {"in_shape": self.in_shape, "out_shape": self.out_shape}


def _exchanged(shape, end, new):
    if len(shape) < len(end) or shape[len(shape) - len(end):] != end:
        raise ValueError(f"expected a shape that ends in {end}, got {shape}")
    return shape[:len(shape) - len(end)] + new


class CatTransform(Transform):
    """Different transforms on pieces of a tensor along one axis.

    Args:
        tseq: one transform per piece.
        dim: the axis.
        lengths: the length of each piece; default 1.
        cache_size: see `Transform`.

    Raises:
        ValueError: at the call, the lengths do not sum to that of the axis.

    Example:
        >>> import tinygrad_notes as tn
        >>> d = tn.distributions
        >>> d.CatTransform([d.ExpTransform(), d.identity_transform], lengths=[1, 2])(tn.zeros(3))
        tensor([1., 0., 0.])
    """

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, lengths: Sequence[int] | None = None,
                 cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.transforms, self.dim = [t.with_cache(cache_size) for t in tseq], dim
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        self.bijective = all(t.bijective for t in self.transforms)
        self.domain: Constraint = constraints.cat([t.domain for t in self.transforms], dim, self.lengths)
        self.codomain: Constraint = constraints.cat([t.codomain for t in self.transforms], dim, self.lengths)

    def _pieces(self, x):
        if not -x.ndim <= self.dim < x.ndim or x.shape[self.dim] != sum(self.lengths):
            raise ValueError(f"CatTransform: expected {sum(self.lengths)} elements along axis {self.dim}, got shape "
                             f"{x.shape}")
        start = 0
        for transform, length in zip(self.transforms, self.lengths):
            key = [slice(None)] * x.ndim
            key[self.dim] = slice(start, start + length)
            yield transform, x[tuple(key)]
            start += length

    def _call(self, x):
        return concat([t(piece) for t, piece in self._pieces(x)], axis=self.dim)

    def _inverse(self, y):
        return concat([t.inv(piece) for t, piece in self._pieces(y)], axis=self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        event_dim, logs = self.domain.event_dim, []
        for (t, before), (_, after) in zip(self._pieces(x), self._pieces(y)):
            logs.append(sum_rightmost(t.log_abs_det_jacobian(before, after), event_dim - t.domain.event_dim))
        axis = self.dim - x.ndim if self.dim >= 0 else self.dim
        if axis + event_dim < 0:
            return concat(logs, axis=axis + event_dim)
        total = logs[0]
        for more in logs[1:]:
            total = total + more
        return total

    def _parts(self):
        return {"transforms": self.transforms, "dim": self.dim, "lengths": self.lengths}


class StackTransform(Transform):
    """Different transforms on the layers of a tensor along one axis.

    Args:
        tseq: one transform per layer.
        dim: the axis.
        cache_size: see `Transform`.

    Raises:
        ValueError: at the call, the axis has another length.

    Example:
        >>> import tinygrad_notes as tn
        >>> d = tn.distributions
        >>> d.StackTransform([d.ExpTransform(), d.identity_transform])(tn.zeros(2))
        tensor([1., 0.])
    """

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.transforms, self.dim = [t.with_cache(cache_size) for t in tseq], dim
        self.bijective = all(t.bijective for t in self.transforms)
        self.domain: Constraint = constraints.stack([t.domain for t in self.transforms], dim)
        self.codomain: Constraint = constraints.stack([t.codomain for t in self.transforms], dim)

    def _layers(self, x):
        if not -x.ndim <= self.dim < x.ndim or x.shape[self.dim] != len(self.transforms):
            raise ValueError(f"StackTransform: expected {len(self.transforms)} layers along axis {self.dim}, got shape "
                             f"{x.shape}")
        return zip(self.transforms, unstack(x, axis=self.dim))

    def _call(self, x):
        return stack([t(layer) for t, layer in self._layers(x)], axis=self.dim)

    def _inverse(self, y):
        return stack([t.inv(layer) for t, layer in self._layers(y)], axis=self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        pairs = zip(self._layers(x), self._layers(y))
        return stack([t.log_abs_det_jacobian(before, after) for (t, before), (_, after) in pairs], axis=self.dim)

    def _parts(self):
        return {"transforms": self.transforms, "dim": self.dim}


# Vectors and matrices -------------------------------------------------------------------------------
class SoftmaxTransform(Transform):
    """y = softmax(x) along the last axis; not bijective: `inv` returns log(y).

    Args:
        cache_size: see `Transform`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.SoftmaxTransform()(tn.zeros(2))
        tensor([0.5000, 0.5000])
    """

    domain, codomain = real_vector, constraints.simplex

    def _call(self, x):
        return softmax(x, axis=-1)

    def _inverse(self, y):
        return log(y)


class StickBreakingTransform(Transform):
    """Vectors (..., K) to the simplex (..., K + 1), by breaking pieces off a stick.

    Formula: z_k = sigmoid(x_k - log(K - k)), k = 0 .. K-1; y_k = z_k prod_{j<k} (1 - z_j); y_K is what is left.
        x = 0 gives equal pieces.

    Args:
        cache_size: see `Transform`.

    Source: the Stan reference manual, "Unit simplex".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.StickBreakingTransform()(tn.zeros(3))
        tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    bijective, domain, codomain = True, real_vector, constraints.simplex

    @staticmethod
    def _rest(x):
        """log(K - k) for each piece."""
        ones = ones_like(x.detach())
        return log(x.shape[-1] + 1 - cumsum(ones, axis=-1))

    def _pieces(self, x):
        """The logarithms of what is broken off, of its share in the rest, and of the rest before."""
        u = x - self._rest(x)
        left = cumsum(-softplus(u), axis=-1)
        before = concat((zeros_like(left[..., :1]), left[..., :-1]), axis=-1)
        return u, before, left

    def _call(self, x):
        u, before, left = self._pieces(x)
        return exp(concat((before - softplus(-u), left[..., -1:]), axis=-1))

    def _inverse(self, y):
        pieces = y[..., :-1]
        after = cumsum(y.flip(axis=-1), axis=-1).flip(axis=-1)[..., 1:]  # what is left after each piece
        return log(pieces) - log(after) + self._rest(pieces)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        u, before, _ = self._pieces(x)
        return total_of(before - softplus(u) - softplus(-u), axis=-1)

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-1], shape[-1] + 1)

    def inverse_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-1], shape[-1] - 1)


class LowerCholeskyTransform(Transform):
    """Matrices to lower triangular ones with a positive diagonal: exp on the diagonal, what lies above is left out.

    Args:
        cache_size: see `Transform`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.LowerCholeskyTransform()(tn.zeros((2, 2)))
        tensor([[1., 0.],
                [0., 1.]])
    """

    domain, codomain = independent(constraints.real, 2), constraints.lower_cholesky

    def _call(self, x):
        return tril(x, k=-1) + of_diagonal(exp(x.diagonal(axis1=-2, axis2=-1)))

    def _inverse(self, y):
        return tril(y, k=-1) + of_diagonal(log(y.diagonal(axis1=-2, axis2=-1)))


class PositiveDefiniteTransform(Transform):
    """Matrices to positive definite ones: L L^T of what `LowerCholeskyTransform` gives.

    Args:
        cache_size: see `Transform`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.PositiveDefiniteTransform()(tn.zeros((2, 2)))
        tensor([[1., 0.],
                [0., 1.]])
    """

    domain, codomain = independent(constraints.real, 2), constraints.positive_definite

    def _call(self, x):
        root = LowerCholeskyTransform()(x)
        return matmul(root, matrix_transpose(root))

    def _inverse(self, y):
        return LowerCholeskyTransform().inv(linalg.cholesky(y))


def _below(d, like):
    """The places of the elements below the diagonal of (d, d) in the flat matrix, row by row."""
    return Tensor([i * d + j for i in range(d) for j in range(i)] or [0][:0], dtype="int64", device=like.device)


def _from_below(x, d):
    """Vectors (..., d (d - 1) / 2) as strictly lower triangular matrices (..., d, d)."""
    n = x.shape[-1]
    places = [i * (i - 1) // 2 + j if j < i else n for i in range(d) for j in range(d)]
    padded = concat((x, zeros_like(x[..., :1])), axis=-1)
    taken = take(padded, Tensor(places, dtype="int64", device=x.device), axis=-1)
    return reshape(taken, (*x.shape[:-1], d, d))


class CorrCholeskyTransform(Transform):
    """Vectors (..., D (D - 1) / 2) to Cholesky factors (..., D, D) of correlation matrices.

    Formula: z = tanh(x), laid out below a diagonal; row by row L_ij = z_ij sqrt(1 - sum_{k<j} L_ik^2), and the
        diagonal makes rows of length 1.

    Args:
        cache_size: see `Transform`.

    Raises:
        ValueError: at the call, the length is not D (D - 1) / 2 for any D.

    Source: the Stan reference manual, "Cholesky factors of correlation matrices".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.CorrCholeskyTransform()(tn.zeros(1))
        tensor([[1., 0.],
                [0., 1.]])
    """

    bijective, domain, codomain = True, real_vector, constraints.corr_cholesky

    def _call(self, x):
        d = self.forward_shape(x.shape)[-1]
        z = _from_below(tanh(x), d)
        left = sqrt(cumprod(1 - z * z, axis=-1))
        before = concat((ones_like(left[..., :1]), left[..., :-1]), axis=-1)
        return (z + eye(d, dtype=x.dtype, device=x.device)) * before

    def _inverse(self, y):
        d = y.shape[-1]
        used = cumsum(y * y, axis=-1)
        before = 1 - concat((zeros_like(used[..., :1]), used[..., :-1]), axis=-1)
        flat = [take(reshape(m, (*m.shape[:-2], d * d)), _below(d, y), axis=-1) for m in (y, before)]
        z = flat[0] / sqrt(flat[1])
        return 0.5 * (log1p(z) - log1p(-z))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        d = y.shape[-1]
        z = _from_below(tanh(x), d)
        rest = 0.5 * cumsum(log1p(-z * z), axis=-1)  # log of what is left of each row
        before = concat((zeros_like(rest[..., :1]), rest[..., :-1]), axis=-1)
        scales = take(reshape(before, (*before.shape[:-2], d * d)), _below(d, y), axis=-1)
        return total_of(scales + 2 * (math.log(2) - x - softplus(-2 * x)), axis=-1)

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        n = shape[-1]
        d = round((0.25 + 2 * n) ** 0.5 + 0.5)
        if d * (d - 1) // 2 != n:
            raise ValueError(f"CorrCholeskyTransform: expected D (D - 1) / 2 elements along the last axis, got {n}")
        return (*shape[:-1], d, d)

    def inverse_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-2], shape[-1] * (shape[-1] - 1) // 2)
