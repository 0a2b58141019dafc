"""Linear models: of the inputs themselves, or of fixed features of them.

    N examples   D inputs   M features   K outputs

    y = phi(x) W + b,   phi the identity, polynomials, or bumps around centers

Least squares and ridge have closed forms; the same weights are what gradient descent on `loss` finds.
"""
from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import Tensor, as_tensor, no_grad
from ..nn import Buffer, Module, Parameter
from ..nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..typing import ArrayLike, DeviceLike, DTypeLike

BLOCK = 2**22  # differences of pairs that are held at once


class PolynomialFeatures(Module):
    """All products of inputs up to a degree, without the constant.

    Formula: phi(x) = (x_1, ..., x_D, x_1^2, x_1 x_2, ..., x_D^degree): all x_1^a_1 ... x_D^a_D, 1 <= sum a_i <= degree.

    Args:
        degree: at least 1.

    Raises:
        ValueError: the degree is below 1.

    Source: the notes, section 2.2.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.PolynomialFeatures(2)(tn.tensor([[2.0, 3.0]]))
        tensor([[2., 3., 4., 6., 9.]])
    """

    def __init__(self, degree: int) -> None:
        super().__init__()
        if isinstance(degree, bool) or not isinstance(degree, int) or degree < 1:
            raise ValueError(f"degree: expected an int >= 1, got {degree!r}")
        self.degree = degree

    def forward(self, x: ArrayLike) -> Tensor:
        """(N, D) -> (N, M), M = (D + degree choose degree) - 1."""
        x = as_tensor(x)
        columns = ops.unstack(x, axis=1)
        products: dict[tuple[int, ...], Tensor] = {(k,): column for k, column in enumerate(columns)}
        for count in range(2, self.degree + 1):
            for word in itertools.combinations_with_replacement(range(len(columns)), count):
                products[word] = products[word[:-1]] * columns[word[-1]]
        return ops.stack(list(products.values()), axis=1)


class RBFFeatures(Module):
    """Bumps around centers: large near a center, nothing far from it.

    Formula: phi_m(x) = exp(-|x - c_m|^2 / (2 width^2)).

    Args:
        centers: (M, D).
        width: standard deviation of the bumps, > 0.

    Raises:
        ValueError: the centers are no matrix, or the width is not above 0.

    Source: Bishop 2006, "Pattern recognition and machine learning", equation 3.4.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.models.RBFFeatures([[0.0], [1.0]], 1.0)(tn.tensor([[0.0]]))
        tensor([[1.0000, 0.6065]])
    """

    def __init__(self, centers: ArrayLike, width: float = 1.0) -> None:
        super().__init__()
        centers = as_tensor(centers)
        if centers.ndim != 2:
            raise ValueError(f"centers: expected shape (M, D), got {centers.shape}")
        if not width > 0:
            raise ValueError(f"width: expected a number > 0, got {width!r}")
        self.centers, self.width = Buffer(centers), width

    def forward(self, x: ArrayLike) -> Tensor:
        """(N, D) -> (N, M)."""
        x = as_tensor(x, like=self.centers)
        return ops.exp(-square_distances(x, self.centers) / (2 * self.width**2))


def square_distances(x: Tensor, y: Tensor) -> Tensor:
    """|x_i - y_j|^2 of all pairs, (N, D), (M, D) -> (N, M); differences are taken first, so none is negative."""
    rows = max(BLOCK // max(y.size, 1), 1)
    if x.shape[0] > rows:
        return ops.concat([square_distances(x[k:k + rows], y) for k in range(0, x.shape[0], rows)])
    difference = x[:, None, :] - y[None, :, :]  # (N, M, D)
    return ops.sum(difference * difference, axis=-1)


class LinearRegression(Module):
    """A linear function of features of the input, with a penalty on its weights.

    Formula: f(x) = phi(x) W + b; loss = 1/N sum_i |y_i - f(x_i)|^2 + penalty |W|^2 / N; b is not penalized.

    Args:
        in_features: D, or the number M of features where there are any.
        out_features: K.
        penalty: l >= 0, as in `analysis.ridge`: |y - f|^2 + l |W|^2 summed over all examples.
        features: a function of (N, D) that gives (N, M), such as `PolynomialFeatures`.
        device, dtype: of the parameters.

    Attributes:
        weight: (K, M), as in `nn.Linear`.
        bias: (K,).

    Raises:
        ValueError: a size is below 1, or the penalty is negative.

    Source: the notes, equations 1.1 to 1.4 and 2.14.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([[0.0], [1.0], [2.0]])
        >>> model = tn.models.LinearRegression(1).fit(x, tn.tensor([1.0, 3.0, 5.0]))
        >>> model.predict([[3.0]])
        tensor([7.])
    """

    def __init__(self, in_features: int, out_features: int = 1, penalty: float = 0.0,
                 features: Callable[[Any], Tensor] | None = None, *, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if min(in_features, out_features) < 1:
            raise ValueError(f"LinearRegression: sizes must be at least 1, got {in_features}, {out_features}")
        if not penalty >= 0:
            raise ValueError(f"penalty: expected a number >= 0, got {penalty!r}")
        self.penalty, self.features = penalty, features
        self.weight = Parameter(ops.zeros((out_features, in_features), dtype=dtype, device=device))
        self.bias = Parameter(ops.zeros((out_features,), dtype=dtype, device=device))

    def forward(self, x: ArrayLike) -> Tensor:
        """(N, D) -> (N, K), or (N,) with one output."""
        x = as_tensor(x, like=self.weight)
        out = ops.linear(x if self.features is None else self.features(x), self.weight, self.bias)
        return out[:, 0] if self.weight.shape[0] == 1 else out

    def loss(self, x: ArrayLike, y: ArrayLike) -> dict[str, Tensor]:
        """Mean squared error, penalty included.

        Args:
            x: (N, D).
            y: (N,), or (N, K).

        Returns:
            {"loss", "error"}, 0-d Tensors: with and without the penalty; in squared units of y, summed over outputs.
        """
        error = self(x) - as_tensor(y, like=self.weight)
        error = ops.sum(error * error) / error.shape[0]
        return {"loss": error + self.penalty * ops.sum(self.weight * self.weight) / as_tensor(x).shape[0],
                "error": error}

    def fit(self, x: ArrayLike, y: ArrayLike) -> LinearRegression:
        """Set the weights to the minimum of `loss`, the shortest where there are several; returns the model.

        Formula: with centered features P and targets T, W^T = (P^T P + l I)^-1 P^T T, b = mean(y) - mean(phi) W^T.

        Args:
            x: (N, D).
            y: (N,), or (N, K).
        """
        with no_grad():
            x = as_tensor(x, like=self.weight)
            phi = x if self.features is None else self.features(x)
            y = ops.reshape(ops.astype(as_tensor(y, like=phi), phi.dtype), (phi.shape[0], -1))
            center, level = ops.mean(phi, axis=0), ops.mean(y, axis=0)
            u, s, vt = ops.linalg.svd(phi - center, full_matrices=False)
            small = s <= s[0] * max(phi.shape) * ops.finfo(phi.dtype).eps
            gain = ops.where(small, 0.0, s / ops.where(small, 1.0, s * s + self.penalty))
            weight = (ops.matrix_transpose(vt) * gain) @ (ops.matrix_transpose(u) @ (y - level))  # (M, K)
            self.weight.data = ops.matrix_transpose(weight).data.copy()
            self.bias.data = (level - center @ weight).data
        return self

    def predict(self, x: ArrayLike) -> Tensor:
        """`forward` without recording."""
        with no_grad(), self.evaluating():
            return self(x)


class PCA(Module):
    """The directions of largest variance, and the nearest point in their span.

    Formula: X - mean = U S V^T; code(x) = (x - mean) V_K, reconstruction = mean + code V_K^T, variances S^2 / N.

    Args:
        components: K.

    Attributes:
        mean: (D,).
        directions: (K, D), orthonormal rows, the largest variance first; the largest entry of each is positive.
        variances: (K,).

    Raises:
        ValueError: K is below 1, or above the smaller of N and D; at the call: it has not been fitted.

    Source: the notes, chapter 1 of part 2 (a linear autoencoder spans the same plane); Eckart & Young 1936.

    Example:
        >>> import tinygrad_notes as tn
        >>> pca = tn.models.PCA(1).fit(tn.tensor([[0.0, 0.0], [3.0, 4.0]]))
        >>> pca.directions, pca.encode(tn.tensor([[3.0, 4.0]]))
        (tensor([[0.6000, 0.8000]]), tensor([[2.5000]]))
    """

    def __init__(self, components: int) -> None:
        super().__init__()
        if isinstance(components, bool) or not isinstance(components, int) or components < 1:
            raise ValueError(f"components: expected an int >= 1, got {components!r}")
        self.components = components
        for name in ("mean", "directions", "variances"):
            self.register_buffer(name, None)

    def fit(self, x: ArrayLike) -> PCA:
        """Find the directions for data (N, D); returns the model."""
        with no_grad():
            x = as_tensor(x)
            if self.components > min(x.shape):
                raise ValueError(f"components: data of shape {x.shape} have {min(x.shape)} directions, not "
                                 f"{self.components}")
            mean = ops.mean(x, axis=0)
            _, s, vt = ops.linalg.svd(x - mean, full_matrices=False)
            v = vt[:self.components]
            largest = ops.take_along_axis(v, ops.argmax(ops.abs(v), axis=1)[:, None], axis=1)
            self.mean, self.directions = mean, v * ops.sign(largest)
            self.variances = s[:self.components] ** 2 / x.shape[0]
        return self

    def encode(self, x: ArrayLike) -> Tensor:
        """Coordinates along the directions, (N, D) -> (N, K)."""
        if self.mean is None:
            raise ValueError("PCA: call fit first")
        return (as_tensor(x, like=self.mean) - self.mean) @ ops.matrix_transpose(self.directions)

    def decode(self, z: ArrayLike) -> Tensor:
        """The point that has these coordinates, (N, K) -> (N, D)."""
        if self.mean is None:
            raise ValueError("PCA: call fit first")
        return as_tensor(z, like=self.mean) @ self.directions + self.mean

    def forward(self, x: ArrayLike) -> Tensor:
        """The nearest point in the span, (N, D) -> (N, D)."""
        return self.decode(self.encode(x))

    def loss(self, x: ArrayLike) -> Tensor:
        """The mean squared distance to the reconstruction, summed over inputs; on the data it was fitted to, the sum of
        all variances that are left out."""
        error = as_tensor(x) - self(x)
        return ops.sum(error * error) / error.shape[0]

    def predict(self, x: ArrayLike) -> Tensor:
        """`forward` without recording."""
        with no_grad():
            return self(x)


class LeastSquaresClassifier(Module):
    """A regressor made a classifier: it is fitted to 1 for the class and 0 for all others.

    Formula: loss of the regressor with targets t_ic = [y_i = c]; the answer is argmax_c f_c(x).

    Args:
        regressor: a Module with `fit(x, t)`, and `loss(x, t)` that returns a dict: `LinearRegression`, `KernelRidge`,
            `Bagging`.
        classes: C.

    Raises:
        ValueError: there are fewer than two classes.

    Source: Bishop 2006, section 4.1.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.LeastSquaresClassifier(tn.models.LinearRegression(1, 2), 2)
        >>> model.fit([[0.0], [1.0], [4.0], [5.0]], tn.tensor([0, 0, 1, 1])).predict([[0.5], [3.0]])
        tensor([0, 1])
    """

    def __init__(self, regressor: Any, classes: int) -> None:
        super().__init__()
        if classes < 2:
            raise ValueError(f"classes: expected at least 2, got {classes}")
        self.regressor, self.classes = regressor, classes

    def fit(self, x: ArrayLike, y: ArrayLike) -> LeastSquaresClassifier:
        """Fit the regressor to examples (N, D) of the classes y (N,); returns the model."""
        self.regressor.fit(x, self._targets(x, y))
        return self

    def _targets(self, x, y):
        x = as_tensor(x)
        return ops.astype(F.one_hot(as_tensor(y, like=x), self.classes), x.dtype)

    def forward(self, x: ArrayLike) -> Tensor:
        """Scores of all classes, near 1 for the right one: (N, D) -> (N, C)."""
        return self.regressor(x)

    def loss(self, x: ArrayLike, y: ArrayLike) -> dict[str, Tensor]:
        """The regressor's loss for examples (N, D) of the classes y (N,), and {"accuracy"}, the share of right answers.
        """
        parts = self.regressor.loss(x, self._targets(x, y))
        with no_grad():
            right = self.predict(x) == as_tensor(y)
            return {**parts, "accuracy": ops.mean(ops.astype(right, parts["loss"].dtype))}

    def predict(self, x: ArrayLike) -> Tensor:
        """The class with the largest score, (N,) of int64."""
        with no_grad(), self.evaluating():
            return ops.argmax(self(x), axis=-1)
