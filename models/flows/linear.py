"""Linear flows: a matrix that is kept in factors, so that its determinant is a product and its inverse two solves."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ... import ops
from ...autograd import as_tensor, no_grad
from ...nn import Buffer, Parameter
from ...nn.linear import size
from .base import Bijection, checked, no_change

if TYPE_CHECKING:
    from ...autograd import Tensor
    from ...backend import Generator
    from ...typing import ArrayLike, DeviceLike, DTypeLike


class LinearPLU(Bijection):
    """A linear map of the features by a matrix in factors; on images, of the channels at every pixel.

    Formula: z = W x + b, W = P L (U + diag(s exp(d))), P a fixed permutation, L lower triangular with ones on the
        diagonal, U strictly upper triangular, s fixed signs. log |det W| = sum_i d_i, times H W on images.
        The inverse costs O(D^2) per example.

    Args:
        features: D, numbers per example, or channels of an image.
        bias: whether there is a b.
        generator: the stream that P is drawn from; the rest starts at the identity with U and L near zero.
        device, dtype: of the parameters.

    Raises:
        ValueError: `features` is below 1.

    Source: the notes, section 7.3.1; Kingma & Dhariwal 2018, "Glow", section 3.2 (invertible 1x1 convolution).

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.models.flows.LinearPLU(3)
        >>> z, log_det = layer.to_latent(tn.ones((2, 3, 4, 4)))  # an invertible 1x1 convolution
        >>> z.shape, log_det.shape
        ((2, 3, 4, 4), (2,))
    """

    def __init__(self, features: int, bias: bool = True, *, generator: Generator | None = None,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.features = size("features", features, 1)
        home: dict[str, Any] = {"device": device, "dtype": dtype}
        order = [int(k) for k in ops.permutation(features, generator=generator)]
        self.permutation = Buffer(ops.eye(features, **home)[order])  # P, rows in a new order
        self.lower = Parameter(0.01 * ops.normal((features, features), generator=generator, **home))
        self.upper = Parameter(0.01 * ops.normal((features, features), generator=generator, **home))
        self.log_diagonal = Parameter(ops.zeros((features,), **home))
        self.sign = Buffer(ops.ones((features,), **home))
        self.bias = Parameter(ops.zeros((features,), **home)) if bias else None

    def factors(self) -> tuple[Tensor, Tensor]:
        """L and U + diag(s exp(d)), both (D, D)."""
        eye = ops.eye(self.features, dtype=self.lower.dtype, device=self.lower.device)
        right = ops.triu(self.upper, k=1) + eye * (self.sign * ops.exp(self.log_diagonal))
        return ops.tril(self.lower, k=-1) + eye, right

    def weight(self) -> Tensor:
        """W, (D, D)."""
        left, right = self.factors()
        return self.permutation @ left @ right

    def to_latent(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """W x + b and log |det W|."""
        rows, back = self._rows(x)
        z = rows @ ops.matrix_transpose(self.weight())
        z = z if self.bias is None else z + self.bias
        return back(z), self._log_det(as_tensor(x))

    def to_data(self, z: ArrayLike) -> tuple[Tensor, Tensor]:
        """W^-1 (z - b) and -log |det W|."""
        rows, back = self._rows(z)
        rows = rows if self.bias is None else rows - self.bias
        left, right = self.factors()
        columns = ops.matrix_transpose(rows @ self.permutation)  # P^T z as columns, (D, N)
        columns = ops.linalg.solve_triangular(left, columns, unitriangular=True)
        columns = ops.linalg.solve_triangular(right, columns, upper=True)
        return back(ops.matrix_transpose(columns)), -self._log_det(as_tensor(z))

    def _rows(self, x):
        """The examples (or pixels) as rows (M, D), and the function that undoes it."""
        x = checked(type(self).__name__, x, self.features, (2, 4))
        if x.ndim == 2:
            return x, lambda rows: rows
        moved = ops.moveaxis(x, 1, -1)  # (N, D, H, W) -> (N, H, W, D)
        rows = ops.reshape(moved, (-1, self.features))
        return rows, lambda rows: ops.moveaxis(ops.reshape(rows, moved.shape), -1, 1)

    def _log_det(self, x):
        return no_change(x) + math.prod(x.shape[2:]) * ops.sum(self.log_diagonal)

    def extra_repr(self) -> str:
        """The number of features."""
        return f"{self.features}"


class ActNorm(Bijection):
    """A scale and a shift per feature (or channel), set by the first batch it sees in training.

    Formula: z = (x - m) exp(-s), log |det dz/dx| = -sum s, times H W on images; at first m and exp(s) are mean and
        standard deviation of the batch.

    Args:
        features: D, numbers per example, or channels of an image.
        device, dtype: of the parameters.

    Raises:
        ValueError: `features` is below 1.

    Source: Kingma & Dhariwal 2018, "Glow", section 3.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.models.flows.ActNorm(2)
        >>> z, _ = layer.to_latent(5 + 3 * tn.randn((1000, 2)))
        >>> bool((abs(z.mean(axis=0)) < 1e-4).all()), bool((abs(z.std(axis=0) - 1) < 0.01).all())
        (True, True)
    """

    def __init__(self, features: int, *, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.features = size("features", features, 1)
        self.mean = Parameter(ops.zeros((features,), device=device, dtype=dtype))
        self.log_scale = Parameter(ops.zeros((features,), device=device, dtype=dtype))
        self.initialized = Buffer(ops.zeros((), device=device, dtype=dtype))

    def to_latent(self, x: ArrayLike) -> tuple[Tensor, Tensor]:
        """(x - m) exp(-s)."""
        x = checked("ActNorm", x, self.features, (2, 4))
        if self.training and not float(self.initialized):
            self._initialize(x)
        mean, log_scale = self._shaped(x)
        return (x - mean) * ops.exp(-log_scale), -self._log_det(x)

    def to_data(self, z: ArrayLike) -> tuple[Tensor, Tensor]:
        """z exp(s) + m."""
        z = checked("ActNorm", z, self.features, (2, 4))
        mean, log_scale = self._shaped(z)
        return z * ops.exp(log_scale) + mean, self._log_det(z)

    def _initialize(self, x):
        axes = (0, *range(2, x.ndim))
        with no_grad():
            self.mean[...] = ops.mean(x.detach(), axis=axes)
            self.log_scale[...] = ops.log(ops.std(x.detach(), axis=axes) + 1e-6)
            self.initialized[...] = 1.0

    def _shaped(self, x):
        shape = (1, self.features, *[1] * (x.ndim - 2))
        return ops.reshape(self.mean, shape), ops.reshape(self.log_scale, shape)

    def _log_det(self, x):
        return no_change(x) + math.prod(x.shape[2:]) * ops.sum(self.log_scale)

    def extra_repr(self) -> str:
        """The number of features."""
        return f"{self.features}"
