"""Losses of pairs and triples, as modules."""
from __future__ import annotations

from typing import TYPE_CHECKING

from . import functional as F
from .losses import _Loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..autograd import Tensor
    from ..typing import ArrayLike

__all__ = [
    "CosineEmbeddingLoss", "HingeEmbeddingLoss", "MarginRankingLoss", "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class HingeEmbeddingLoss(_Loss):
    """A distance that shall be small for similar pairs and at least a margin for others.

    Formula: l_i = x_i for target_i = 1, max(0, margin - x_i) for target_i = -1.

    Args:
        margin: the distance of dissimilar pairs.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: at the call, see `nn.functional.hinge_embedding_loss`; here, the reduction is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.HingeEmbeddingLoss()(tn.tensor([0.25]), tn.tensor([-1]))
        tensor(0.7500)
    """

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(_Loss):
    """Vectors that shall point the same way (target 1), or not (target -1).

    Formula: l_n = 1 - cos for target_n = 1, max(0, cos - margin) for target_n = -1.

    Args:
        margin: in [-1, 1].
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: at the call, see `nn.functional.cosine_embedding_loss`; here, the reduction is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.CosineEmbeddingLoss()(tn.tensor([[1.0, 0.0]]), tn.tensor([[0.0, 2.0]]), tn.tensor([1]))
        tensor(1.)
    """

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike) -> Tensor:
        return F.cosine_embedding_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class MarginRankingLoss(_Loss):
    """Two scores of which the first shall be higher (target 1) or lower (target -1).

    Formula: l_i = max(0, -target_i (input1_i - input2_i) + margin).

    Args:
        margin: how far apart they shall be.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: at the call, see `nn.functional.margin_ranking_loss`; here, the reduction is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.MarginRankingLoss()(tn.tensor([1.0]), tn.tensor([2.0]), tn.tensor([1]))
        tensor(1.)
    """

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: ArrayLike, input2: ArrayLike, target: ArrayLike) -> Tensor:
        return F.margin_ranking_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class TripletMarginLoss(_Loss):
    """An anchor that shall be nearer to the positive than to the negative, by a margin.

    Formula: l_n = max(0, d(a, p) - d(a, n) + margin), d the p-norm of the difference.

    Args:
        margin: > 0.
        p: the norm, > 0.
        eps: added to each difference.
        swap: use the nearer of anchor and positive for the negative.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: at the call, see `nn.functional.triplet_margin_loss`; here, the reduction is unknown.

    Source: Balntas et al. 2016.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.TripletMarginLoss()(tn.zeros((1, 2)), tn.zeros((1, 2)), tn.ones((1, 2)) * 3)
        tensor(0.)
    """

    def __init__(self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False,
                 reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike) -> Tensor:
        return F.triplet_margin_loss(anchor, positive, negative, margin=self.margin, p=self.p, eps=self.eps,
                                     swap=self.swap, reduction=self.reduction)


class TripletMarginWithDistanceLoss(_Loss):
    """`TripletMarginLoss` with a distance of your own.

    Formula: l_n = max(0, d(a, p) - d(a, n) + margin).

    Args:
        distance_function: `d(x, y)`; default: the Euclidean distance.
        margin: > 0.
        swap: use the nearer of anchor and positive for the negative.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: at the call, see `nn.functional.triplet_margin_with_distance_loss`; here, the reduction is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.TripletMarginWithDistanceLoss()(tn.zeros((1, 2)), tn.zeros((1, 2)), tn.ones((1, 2)) * 3)
        tensor(0.)
    """

    def __init__(self, *, distance_function: Callable[[Tensor, Tensor], Tensor] | None = None, margin: float = 1.0,
                 swap: bool = False, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.distance_function, self.margin, self.swap = distance_function, margin, swap

    def forward(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike) -> Tensor:
        return F.triplet_margin_with_distance_loss(anchor, positive, negative,
                                                   distance_function=self.distance_function, margin=self.margin,
                                                   swap=self.swap, reduction=self.reduction)
