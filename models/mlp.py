"""The multilayer perceptron as a classifier.

    x  inputs, D numbers        y  class, 0 to C-1

    h^0 = x,  f^k = b^k + W^k h^k,  h^(k+1) = relu(f^k),  p(y|x) = softmax(f^last)
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ops
from ..autograd import as_tensor, no_grad
from ..nn import MLP, Module
from ..nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..typing import ArrayLike, DeviceLike, DTypeLike


class MLPClassifier(Module):
    """A perceptron with ReLU units that tells classes apart.

    Formula: loss = -mean_i log softmax(f(x_i))_{y_i}, in nats.

    Args:
        data_dim: D, numbers per example.
        classes: C.
        hidden: widths of the hidden layers.
        dropout: probability that a hidden unit is zero in training.

    Raises:
        ValueError: a size is below 1, or `dropout` is no probability.

    Source: the notes, equations 1.13 and 1.14, section 2.1.1; weights start as in 1.17 (He, fan-in).

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.MLPClassifier(64, 10, hidden=(32,))
        >>> x, y = tn.data.digits.load()[0].tensors
        >>> sorted(model.loss(x, y)), model.predict(x[:4]).shape
        (['accuracy', 'loss'], (4,))
    """

    def __init__(self, data_dim: int, classes: int, hidden: Sequence[int] = (256, 256), dropout: float = 0.0, *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        hidden = tuple(hidden)
        if min((data_dim, classes, *hidden)) < 1:
            raise ValueError(f"MLPClassifier: sizes must be at least 1, got {data_dim}, {classes}, {hidden}")
        self.data_dim, self.classes = data_dim, classes
        self.layers = MLP([data_dim, *hidden, classes], dropout=dropout, init="he_normal_", device=device, dtype=dtype)

    def forward(self, x: ArrayLike) -> Tensor:
        """Scores (logits, nats) of all classes: (N, D) -> (N, C)."""
        return self.layers(as_tensor(x))

    def loss(self, x: ArrayLike, y: ArrayLike) -> dict[str, Tensor]:
        """Cross-entropy and the share of right answers, means over the batch.

        Args:
            x: (N, D).
            y: (N,), integers from 0 to C-1.

        Returns:
            {"loss", "accuracy"}, 0-d Tensors; the loss in nats.
        """
        scores = self(x)
        with no_grad():
            accuracy = ops.mean(ops.astype(ops.argmax(scores, axis=-1) == y, scores.dtype))
        return {"loss": F.cross_entropy(scores, y), "accuracy": accuracy}

    def predict(self, x: ArrayLike) -> Tensor:
        """The most probable class of each example, (N, D) -> (N,) of int64."""
        with no_grad(), self.evaluating():
            return ops.argmax(self(x), axis=-1)

    def probabilities(self, x: ArrayLike) -> Tensor:
        """p(y|x) for all classes, (N, D) -> (N, C)."""
        with no_grad(), self.evaluating():
            return ops.softmax(self(x), axis=-1)

    def accuracy(self, x: ArrayLike, y: ArrayLike) -> float:
        """The share of examples whose class is predicted right, a float from 0 to 1."""
        return float(ops.mean(ops.astype(self.predict(x) == as_tensor(y), "float32")))
