"""Losses for classes of very unequal size, as modules."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ..autograd import Tensor, as_tensor
from . import functional as F
from .functional.common import number
from .losses import _Loss

if TYPE_CHECKING:
    from ..typing import ArrayLike

__all__ = ["DiceLoss", "FocalLoss", "TverskyLoss"]


class FocalLoss(_Loss):
    """Cross-entropy in which examples that are already right count less.

    Formula: l_n = -w_t (1 - p_nt)^gamma log p_nt, p = softmax(x).

    Args:
        weight: factor per class, (C,).
        gamma: >= 0; 0 is cross-entropy.
        ignore_index: rows with this index do not count.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: gamma < 0, or the reduction is unknown; at the call, see `nn.functional.focal_loss`.

    Source: Lin et al. 2017, "Focal loss for dense object detection", equation 5.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.FocalLoss()(tn.tensor([[0.0, 0.0]]), tn.tensor([1]))
        tensor(0.1733)
    """

    weight: Tensor | None

    def __init__(self, weight: ArrayLike | None = None, gamma: float = 2.0, ignore_index: int = -100,
                 reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", None if weight is None else as_tensor(weight))
        self.gamma, self.ignore_index = number("gamma", gamma, 0), ignore_index

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.focal_loss(input, target, self.weight, self.gamma, self.ignore_index, self.reduction)


class TverskyLoss(_Loss):
    """One minus the overlap of predicted and true regions, with weights for what is wrongly in and wrongly out.

    Formula: l = 1 - (TP + s) / (TP + alpha FP + beta FN + s), see `nn.functional.tversky_loss`.

    Args:
        alpha, beta: >= 0; 1/2 and 1/2 is Dice, 1 and 1 is intersection over union.
        smooth: s >= 0.
        over_batch: sum over the examples too.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: a number is negative, or the reduction is unknown; at the call, see `nn.functional.tversky_loss`.

    Source: Salehi et al. 2017, "Tversky loss function for image segmentation", equation 4.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.TverskyLoss(1.0, 1.0)(tn.tensor([[[0.5, 1.0]]]), tn.tensor([[[1.0, 0.0]]]))
        tensor(0.7500)
    """

    def __init__(self, alpha: float = 0.5, beta: float = 0.5, smooth: float = 0.0, over_batch: bool = False,
                 reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.alpha, self.beta = number("alpha", alpha, 0), number("beta", beta, 0)
        self.smooth, self.over_batch = number("smooth", smooth, 0), over_batch

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.tversky_loss(input, target, self.alpha, self.beta, self.smooth, self.over_batch, self.reduction)


class DiceLoss(TverskyLoss):
    """One minus the Dice coefficient of predicted and true regions, per class.

    Formula: l = 1 - (2 sum p t + 2 s) / (sum p + sum t + 2 s), see `nn.functional.dice_loss`.

    Args:
        smooth: s >= 0.
        over_batch: sum over the examples too.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: `smooth` is negative, or the reduction is unknown; at the call, see `nn.functional.dice_loss`.

    Source: Milletari et al. 2016, "V-Net".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.DiceLoss()(tn.tensor([[[0.5, 1.0]]]), tn.tensor([[[1.0, 0.0]]]))
        tensor(0.6000)
    """

    def __init__(self, smooth: float = 0.0, over_batch: bool = False, reduction: str = "mean") -> None:
        super().__init__(0.5, 0.5, smooth, over_batch, reduction)
