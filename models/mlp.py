"""The multilayer perceptron as a classifier.

    x  inputs, D numbers        y  class, 0 to C-1

    h^0 = x,  f^k = b^k + W^k h^k,  h^(k+1) = relu(f^k),  p(y|x) = softmax(f^last)

Weights start with the variance 2 / fan-in (He), which keeps the size of what relus let through; dropout comes behind
each of them, in training only.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from ..autograd import as_tensor
from ..nn import MLP
from .classifier import Classifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..typing import ArrayLike, DeviceLike, DTypeLike


class MLPClassifier(Classifier):
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
