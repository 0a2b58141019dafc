"""Distances and similarities of vectors, as modules."""
from __future__ import annotations

from typing import TYPE_CHECKING

from . import functional as F
from .module import Module

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..typing import ArrayLike

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class CosineSimilarity(Module):
    """The cosine of the angle between vectors.

    Formula: out = x1 . x2 / (max(|x1|, eps) max(|x2|, eps)).

    Args:
        dim: the axis of the vectors.
        eps: smallest norm.

    Raises:
        ValueError: at the call, the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.CosineSimilarity()(tn.tensor([[1.0, 0.0]]), tn.tensor([[3.0, 4.0]]))
        tensor([0.6000])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: ArrayLike, x2: ArrayLike) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The p-norm of the difference of vectors on the last axis.

    Formula: out = (sum_k |x1_k - x2_k + eps|^p)^(1/p).

    Args:
        p: which norm, any number or infinity.
        eps: added to each difference.
        keepdim: keep the last axis.

    Raises:
        ValueError: at the call, the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.PairwiseDistance()(tn.tensor([[0.0, 0.0]]), tn.tensor([[3.0, 4.0]]))
        tensor([5.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.p, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: ArrayLike, x2: ArrayLike) -> Tensor:
        return F.pairwise_distance(x1, x2, self.p, self.eps, self.keepdim)
