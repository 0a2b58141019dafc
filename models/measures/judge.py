"""A classifier of digits as the judge of generated digits: Inception-style score and Frechet distance."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ... import ops
from ...autograd import as_tensor, no_grad
from ...backend import Generator
from ...data import DataLoader, digits
from ...nn import MLP, Module, SiLU
from ...nn import functional as F
from ...optim import AdamW
from ...train import fit
from .distances import PrecisionRecall, frechet_distance, precision_recall

if TYPE_CHECKING:
    from ...autograd import Tensor
    from ...typing import ArrayLike


def inception_score(probabilities: ArrayLike) -> float:
    """How sure a classifier is of each example, and how many classes all of them make: 1 at worst, K at best.

    Formula: exp(E_x KL(p(y | x) || p(y))), p(y) = E_x p(y | x).

    Args:
        probabilities: (N, K), rows that add to 1.

    Returns:
        From 1 to K.

    Raises:
        ValueError: the shape is not (N, K), or a row does not add to 1.

    Source: Salimans et al. 2016, "Improved techniques for training GANs", section 4; the notes, section 6.

    Example:
        >>> import tinygrad_notes as tn
        >>> round(tn.models.measures.inception_score(tn.eye(5)), 6)
        5.0
    """
    p = as_tensor(probabilities)
    if p.ndim != 2 or not len(p) or float(ops.max(ops.abs(ops.sum(p, axis=1) - 1))) > 1e-3:
        raise ValueError(f"probabilities: expected (N, K) with rows that add to 1, got shape {p.shape}")
    with no_grad():
        p = ops.astype(p, "float64")
        gain = ops.sum(ops.xlogy(p, p), axis=1) - ops.sum(ops.xlogy(p, ops.mean(p, axis=0)), axis=1)
        return float(ops.exp(ops.mean(gain)))


class DigitJudge(Module):
    """A classifier of the digits that ship with the package, trained when it is made (a few seconds, always the same).

    Formula: features(x) = h, the last hidden layer of a perceptron; p(y | x) = softmax(W h + b). `score` is the
        Inception score with these p, `distance` the Frechet distance with these features, `precision_recall` likewise.

    Args:
        epochs: of training.
        hidden: widths; the last is the number of features.
        seed: of the weights and batches.

    Fields:
        accuracy: the share of held-out digits that it reads right.

    Source: the notes, section 6; Salimans et al. 2016; Heusel et al. 2017. Compare only numbers of the same judge.

    Example:
        >>> import tinygrad_notes as tn
        >>> judge = tn.models.measures.DigitJudge(epochs=5)
        >>> real = tn.data.digits.load()[1].tensors[0]
        >>> judge.accuracy > 0.9, judge.distance(real, real) < 1e-6, judge.distance(real, tn.rand((359, 64))) > 1
        (True, True, True)
    """

    def __init__(self, epochs: int = 30, hidden: tuple[int, ...] = (128, 32), seed: int = 0) -> None:
        super().__init__()
        train, test = digits.load()
        self.network = MLP([64, *hidden, digits.CLASSES], SiLU)
        stream = Generator(seed)
        with no_grad():  # weights that do not depend on what was drawn before
            for p in self.network.parameters():
                bound = 1 / p.shape[-1]**0.5
                p[...] = ops.uniform(p.shape, -bound, bound, generator=stream, device=p.device)
        loader = DataLoader(train, 64, shuffle=True, generator=seed)
        fit(self, loader, AdamW(self.parameters(), lr=2e-3, weight_decay=0.05), epochs,
            loss=lambda model, x, y: F.cross_entropy(model.network(x), y), generator=stream)
        self.eval()
        x, y = test.tensors
        with no_grad():
            self.accuracy = float(ops.mean(ops.astype(ops.argmax(self.network(x), axis=1) == y, "float64")))

    def features(self, x: ArrayLike) -> Tensor:
        """(N, 64) or (N, 1, 8, 8) -> (N, features)."""
        h = self._rows(x)
        with no_grad():
            for layer in list(self.network)[:-1]:
                h = layer(h)
        return h

    def probabilities(self, x: ArrayLike) -> Tensor:
        """(N, 64) or (N, 1, 8, 8) -> (N, 10)."""
        with no_grad():
            return ops.softmax(self.network(self._rows(x)), axis=1)

    def score(self, x: ArrayLike) -> float:
        """The Inception score of examples, from 1 to 10."""
        return inception_score(self.probabilities(x))

    def distance(self, real: ArrayLike, generated: ArrayLike) -> float:
        """The Frechet distance of the features of two sets of examples."""
        return frechet_distance(self.features(real), self.features(generated))

    def precision_recall(self, real: ArrayLike, generated: ArrayLike, k: int = 3) -> PrecisionRecall:
        """Precision and recall of generated examples, on features."""
        return precision_recall(self.features(real), self.features(generated), k)

    def _rows(self, x):
        weight = self.network[0].weight
        return ops.astype(ops.reshape(as_tensor(x), (-1, 64)), weight.dtype).to(weight.device)
