"""Normal distributions of vectors: MultivariateNormal, LowRankMultivariateNormal.

    D size of a vector   M rank of the factor
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor
from ..ops import (
    broadcast_shapes,
    broadcast_to,
    expand_dims,
    eye,
    flip,
    linalg,
    log,
    matmul,
    matrix_transpose,
    normal,
    reciprocal,
    sqrt,
)
from ..ops import sum as total_of
from . import constraints
from .choices import Derived
from .distribution import Distribution, as_parameters

if TYPE_CHECKING:
    from ..backend import Generator
    from ..typing import ArrayLike, Shape

__all__ = ["LowRankMultivariateNormal", "MultivariateNormal"]


def times(matrix: Tensor, vector: Tensor) -> Tensor:
    """Matrices (..., N, K) times vectors (..., K), broadcast."""
    return matmul(matrix, expand_dims(vector, axis=-1))[..., 0]


def solved(tril: Tensor, vector: Tensor) -> Tensor:
    """The vectors (..., D) that lower triangular matrices (..., D, D) turn into `vector`, broadcast."""
    shape = broadcast_shapes(tril.shape[:-1], vector.shape)
    wide = broadcast_to(vector, shape)
    return linalg.solve_triangular(broadcast_to(tril, (*shape, shape[-1])), expand_dims(wide, axis=-1))[..., 0]


def half_log_det(tril: Tensor) -> Tensor:
    """The logarithm of the determinant of lower triangular matrices (..., D, D) with a positive diagonal."""
    return total_of(log(tril.diagonal(axis1=-2, axis2=-1)), axis=-1)


def of_diagonal(diagonal: Tensor) -> Tensor:
    """The diagonal (..., D) as matrices (..., D, D)."""
    return expand_dims(diagonal, axis=-1) * eye(diagonal.shape[-1], dtype=diagonal.dtype, device=diagonal.device)


def cholesky_of_inverse(matrix: Tensor) -> Tensor:
    """The Cholesky factor of the inverse of positive definite matrices: seen from the last corner, P = U^T U."""
    corner = linalg.cholesky(flip(matrix, axis=(-2, -1)))
    root = matrix_transpose(flip(corner, axis=(-2, -1)))
    identity = broadcast_to(eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device), matrix.shape)
    return linalg.solve_triangular(root, identity)


class MultivariateNormal(Distribution):
    """The normal distribution of vectors.

    Formula: density exp(-(x - loc)^T S^-1 (x - loc) / 2) / sqrt((2 pi)^D det S), S the covariance matrix L L^T.

    Args:
        loc: the mean, (..., D).
        covariance_matrix: S, (..., D, D), symmetric and positive definite.
        precision_matrix: S^-1, in place of S.
        scale_tril: L, lower triangular with a positive diagonal, in place of S; the cheapest.
        validate_args: see `Distribution`.

    Raises:
        ValueError: not exactly one of the three is given, it is no such matrix, or shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> d = tn.distributions.MultivariateNormal(tn.zeros(2), tn.tensor([[2.0, 1.0], [1.0, 2.0]]))
        >>> d.log_prob(tn.zeros(2))
        tensor(-2.3872)
    """

    arg_constraints = {"loc": constraints.real_vector, "covariance_matrix": constraints.positive_definite,
                       "precision_matrix": constraints.positive_definite, "scale_tril": constraints.lower_cholesky}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: ArrayLike, covariance_matrix: ArrayLike | None = None,
                 precision_matrix: ArrayLike | None = None, scale_tril: ArrayLike | None = None,
                 validate_args: bool | None = None) -> None:
        matrices = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix,
                    "scale_tril": scale_tril}
        given = {name: value for name, value in matrices.items() if value is not None}
        if len(given) != 1:
            raise ValueError("MultivariateNormal: expected exactly one of covariance_matrix, precision_matrix and "
                             f"scale_tril, got {', '.join(given) or 'none'}")
        (name, matrix), = given.items()
        loc, matrix = as_parameters(loc, matrix)
        if not loc.ndim or matrix.ndim < 2 or matrix.shape[-2:] != loc.shape[-1:] * 2:
            raise ValueError(f"MultivariateNormal: expected loc (..., D) and {name} (..., D, D), got shapes "
                             f"{loc.shape} and {matrix.shape}")
        super().__init__(self._keep(loc=loc, **{name: matrix}), loc.shape[-1:], validate_args)
        self._root: Tensor | None = None

    @Derived
    def scale_tril(self) -> Tensor:
        """L; computed once where no gradient is wanted, else each time anew."""
        root = self._root
        if root is None:
            (name,) = set(self._given) - {"loc"}
            root = (linalg.cholesky if name == "covariance_matrix" else cholesky_of_inverse)(self._given[name])
            if not self._given[name].requires_grad:
                self._root = root
        shape = (*self._batch_shape, *root.shape[-2:])
        return root if root.shape == shape else broadcast_to(root, shape)

    @Derived
    def covariance_matrix(self) -> Tensor:
        """L L^T."""
        root = self.scale_tril
        return matmul(root, matrix_transpose(root))

    @Derived
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance matrix."""
        return linalg.cholesky_inverse(self.scale_tril)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return total_of(self.scale_tril**2, axis=-1)

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        return self.loc + times(self.scale_tril, self._noise(normal, sample_shape, generator))

    def log_prob(self, value: ArrayLike) -> Tensor:
        root = self.scale_tril
        z = solved(root, self._value(value) - self.loc)
        return -0.5 * total_of(z * z, axis=-1) - half_log_det(root) - 0.5 * self._event_shape[0] * math.log(2 * math.pi)

    def entropy(self) -> Tensor:
        return half_log_det(self.scale_tril) + 0.5 * self._event_shape[0] * (1 + math.log(2 * math.pi))


class LowRankMultivariateNormal(Distribution):
    """A normal distribution of vectors whose covariance is a diagonal plus a matrix of low rank.

    Formula: covariance W W^T + diag(d). Nothing of size D x D is computed for draws and densities: with
        C = I + W^T diag(d)^-1 W (the capacitance), log det = log det C + sum log d, and the inverse follows Woodbury.

    Args:
        loc: the mean, (..., D).
        cov_factor: W, (..., D, M).
        cov_diag: d, (..., D), positive.
        validate_args: see `Distribution`.

    Raises:
        ValueError: an element of `cov_diag` is not positive, or the shapes do not fit.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.distributions.LowRankMultivariateNormal(tn.zeros(2), tn.ones((2, 1)), tn.ones(2)).covariance_matrix
        tensor([[2., 1.],
                [1., 2.]])
    """

    arg_constraints = {"loc": constraints.real_vector, "cov_factor": constraints.independent(constraints.real, 2),
                       "cov_diag": constraints.independent(constraints.positive, 1)}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: ArrayLike, cov_factor: ArrayLike, cov_diag: ArrayLike,
                 validate_args: bool | None = None) -> None:
        loc, factor, diagonal = as_parameters(loc, cov_factor, cov_diag)
        d = loc.shape[-1:]
        if not d or factor.ndim < 2 or factor.shape[-2:-1] != d or diagonal.shape[-1:] != d:
            raise ValueError("LowRankMultivariateNormal: expected loc (..., D), cov_factor (..., D, M) and cov_diag "
                             f"(..., D), got shapes {loc.shape}, {factor.shape} and {diagonal.shape}")
        super().__init__(self._keep(loc=loc, cov_factor=factor, cov_diag=diagonal), d, validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return total_of(self.cov_factor**2, axis=-1) + self.cov_diag

    @property
    def _scaled(self):
        """W^T diag(d)^-1, (..., M, D)."""
        return matrix_transpose(self.cov_factor) / expand_dims(self.cov_diag, axis=-2)

    @property
    def _capacitance_tril(self):
        """The Cholesky factor of C, (..., M, M)."""
        m = self.cov_factor.shape[-1]
        identity = eye(m, dtype=self.loc.dtype, device=self.loc.device)
        return linalg.cholesky(identity + matmul(self._scaled, self.cov_factor))

    @property
    def covariance_matrix(self) -> Tensor:
        """W W^T + diag(d), (..., D, D)."""
        return matmul(self.cov_factor, matrix_transpose(self.cov_factor)) + of_diagonal(self.cov_diag)

    @property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance matrix, (..., D, D)."""
        a = linalg.solve_triangular(self._capacitance_tril, self._scaled)
        return of_diagonal(reciprocal(self.cov_diag)) - matmul(matrix_transpose(a), a)

    @property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance matrix, (..., D, D)."""
        return linalg.cholesky(self.covariance_matrix)

    def rsample(self, sample_shape: Shape = (), *, generator: Generator | None = None) -> Tensor:
        shape = self._extended_shape(sample_shape)
        kind: dict[str, Any] = {"generator": generator, "dtype": self.loc.dtype, "device": self.loc.device}
        along = normal((*shape[:-1], self.cov_factor.shape[-1]), **kind)
        return self.loc + times(self.cov_factor, along) + sqrt(self.cov_diag) * normal(shape, **kind)

    def _log_det(self, tril):
        return 2 * half_log_det(tril) + total_of(log(self.cov_diag), axis=-1)

    def log_prob(self, value: ArrayLike) -> Tensor:
        apart, tril = self._value(value) - self.loc, self._capacitance_tril
        inside = solved(tril, times(self._scaled, apart))
        distance = total_of(apart * apart / self.cov_diag, axis=-1) - total_of(inside * inside, axis=-1)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + self._log_det(tril) + distance)

    def entropy(self) -> Tensor:
        return 0.5 * (self._event_shape[0] * (1 + math.log(2 * math.pi)) + self._log_det(self._capacitance_tril))
