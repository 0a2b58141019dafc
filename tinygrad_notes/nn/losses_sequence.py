"""The loss of sequences, as a module."""
from __future__ import annotations

from typing import TYPE_CHECKING

from . import functional as F
from .losses import _Loss

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..typing import ArrayLike

__all__ = ["CTCLoss"]


class CTCLoss(_Loss):
    """The negative log-probability that a sequence spells a target, summed over all alignments of the two.

    Formula: l_n = -log sum_paths prod_t p_t(path_t), see `nn.functional.ctc_loss`.

    Args:
        blank: the class that stands for no label.
        reduction: 'none', 'mean' or 'sum'.
        zero_infinity: 0 in place of the infinite loss of a target too long for its sequence.

    Raises:
        ValueError: at the call, see `nn.functional.ctc_loss`; here, the reduction is unknown.

    Source: Graves et al. 2006, "Connectionist temporal classification".

    Example:
        >>> import tinygrad_notes as tn
        >>> uniform = tn.log_softmax(tn.zeros((2, 1, 3)), axis=-1)
        >>> tn.exp(-tn.nn.CTCLoss()(uniform, tn.tensor([[1]]), (2,), (1,)))
        tensor(0.3333)
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(self, log_probs: ArrayLike, targets: ArrayLike, input_lengths: ArrayLike,
                target_lengths: ArrayLike) -> Tensor:
        return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction,
                          self.zero_infinity)
