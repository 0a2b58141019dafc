"""What all models that tell classes apart share: the loss and the answers. They define `forward`, which gives scores.

    N examples   C classes   f  scores, logits

    p(y|x) = softmax(f(x))_y        loss = -mean log p(y|x), in nats
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ops
from ..autograd import as_tensor, no_grad
from ..nn import Module
from ..nn import functional as F

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..typing import ArrayLike


class Classifier(Module):
    """A module whose `forward` gives scores (logits, nats) (N, C), and what follows from them.

    Formula: loss = -mean_i log softmax(f(x_i))_{y_i}, in nats.

    Example:
        >>> import tinygrad_notes as tn
        >>> class Nearest(tn.models.Classifier):
        ...     def forward(self, x):
        ...         return -(tn.tensor(x)[:, None] - tn.tensor([0.0, 1.0, 2.0])) ** 2
        >>> Nearest().predict([0.2, 1.9]).tolist(), Nearest().accuracy([0.2, 1.9], [0, 1])
        ([0, 2], 0.5)
    """

    def forward(self, x: ArrayLike) -> Tensor:
        """Scores (logits, nats) of all classes: (N, ...) -> (N, C)."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward")

    def loss(self, x: ArrayLike, y: ArrayLike) -> dict[str, Tensor]:
        """Cross-entropy and the share of right answers, means over the batch.

        Args:
            x: (N, ...), what `forward` takes.
            y: (N,), integers from 0 to C-1.

        Returns:
            {"loss", "accuracy"}, 0-d Tensors; the loss in nats.
        """
        return cross_entropy_and_accuracy(self(x), as_tensor(y))

    def predict(self, x: ArrayLike) -> Tensor:
        """The most probable class of each example, (N, ...) -> (N,) of int64."""
        with no_grad(), self.evaluating():
            return ops.argmax(self(x), axis=-1)

    def probabilities(self, x: ArrayLike) -> Tensor:
        """p(y|x) for all classes, (N, ...) -> (N, C)."""
        with no_grad(), self.evaluating():
            return ops.softmax(self(x), axis=-1)

    def accuracy(self, x: ArrayLike, y: ArrayLike) -> float:
        """The share of examples whose class is predicted right, a float from 0 to 1."""
        return float(ops.mean(ops.astype(self.predict(x) == as_tensor(y), "float32")))


def cross_entropy_and_accuracy(scores: Tensor, y: Tensor) -> dict[str, Tensor]:
    """{"loss", "accuracy"} of scores (N, C) or (N, C, ...) where the classes are y (N,) or (N, ...)."""
    with no_grad():
        accuracy = ops.mean(ops.astype(ops.argmax(scores, axis=1) == y, scores.dtype))
    return {"loss": F.cross_entropy(scores, y), "accuracy": accuracy}
