"""Losses between scores and classes, as modules."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ..autograd import as_tensor
from . import functional as F
from .losses import _Loss

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..typing import ArrayLike

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss",
    "MultiMarginLoss", "NLLLoss", "SoftMarginLoss",
]


class CrossEntropyLoss(_Loss):
    """The negative log-probability of the right class, from logits.

    Formula: l_n = -w_t log softmax(x_n)_t, or with probabilities as target -sum_c w_c p_nc log softmax(x_n)_c.

    Args:
        weight: factor per class, (C,).
        ignore_index: rows with this index do not count.
        reduction: 'none', 'mean' or 'sum'.
        label_smoothing: share of the target spread over all classes, in [0, 1].

    Raises:
        ValueError: at the call, see `nn.functional.cross_entropy`; here, the reduction is unknown.

    Source: the notes, section 2.1.1; UDL 5.5.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.CrossEntropyLoss()(tn.tensor([[0.0, 0.0]]), tn.tensor([0]))
        tensor(0.6931)
    """

    weight: Tensor | None

    def __init__(self, weight: ArrayLike | None = None, ignore_index: int = -100, reduction: str = "mean",
                 label_smoothing: float = 0.0) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", None if weight is None else as_tensor(weight))
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.cross_entropy(input, target, weight=self.weight, ignore_index=self.ignore_index,
                               reduction=self.reduction, label_smoothing=self.label_smoothing)


class NLLLoss(_Loss):
    """The negative of the log-probability that stands at the right class.

    Formula: l_n = -w_t input_nt.

    Args:
        weight: factor per class, (C,).
        ignore_index: rows with this index do not count.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: at the call, see `nn.functional.nll_loss`; here, the reduction is unknown.

    Source: the notes, section 2.1.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.NLLLoss()(tn.tensor([[-0.5, -1.0]]), tn.tensor([1]))
        tensor(1.)
    """

    weight: Tensor | None

    def __init__(self, weight: ArrayLike | None = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", None if weight is None else as_tensor(weight))
        self.ignore_index = ignore_index

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class BCELoss(_Loss):
    """The negative log-likelihood of yes or no, from probabilities.

    Formula: l_i = -w_i (target_i log input_i + (1 - target_i) log(1 - input_i)), logarithms >= -100.

    Args:
        weight: factor of each l_i.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: at the call, see `nn.functional.binary_cross_entropy`; here, the reduction is unknown.

    Source: UDL 5.4.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.BCELoss()(tn.tensor([0.5]), tn.tensor([1.0]))
        tensor(0.6931)
    """

    weight: Tensor | None

    def __init__(self, weight: ArrayLike | None = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", None if weight is None else as_tensor(weight))

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """The negative log-likelihood of yes or no, from logits.

    Formula: l_i = -w_i (p target_i log s(x_i) + (1 - target_i) log(1 - s(x_i))), p = pos_weight.

    Args:
        weight: factor of each l_i.
        reduction: 'none', 'mean' or 'sum'.
        pos_weight: factor of the positive class.

    Raises:
        ValueError: at the call, see `nn.functional.binary_cross_entropy_with_logits`; here, the reduction is unknown.

    Source: UDL 5.4.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.BCEWithLogitsLoss()(tn.tensor([0.0]), tn.tensor([1.0]))
        tensor(0.6931)
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(self, weight: ArrayLike | None = None, reduction: str = "mean",
                 pos_weight: ArrayLike | None = None) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", None if weight is None else as_tensor(weight))
        self.register_buffer("pos_weight", None if pos_weight is None else as_tensor(pos_weight))

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.binary_cross_entropy_with_logits(input, target, weight=self.weight, reduction=self.reduction,
                                                  pos_weight=self.pos_weight)


class SoftMarginLoss(_Loss):
    """The logistic loss for labels +1 and -1.

    Formula: l_i = log(1 + e^(-target_i input_i)).

    Args:
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: at the call, see `nn.functional.soft_margin_loss`; here, the reduction is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.SoftMarginLoss()(tn.tensor([0.0]), tn.tensor([1.0]))
        tensor(0.6931)
    """

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_Loss):
    """Binary cross-entropy of every class, averaged over the classes.

    Formula: l_n = -(1/C) sum_c w_c (y_nc log s(x_nc) + (1 - y_nc) log s(-x_nc)).

    Args:
        weight: factor per class, (C,).
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: at the call, see `nn.functional.multilabel_soft_margin_loss`; here, the reduction is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.MultiLabelSoftMarginLoss()(tn.tensor([[0.0]]), tn.tensor([[1.0]]))
        tensor(0.6931)
    """

    weight: Tensor | None

    def __init__(self, weight: ArrayLike | None = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", None if weight is None else as_tensor(weight))

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.multilabel_soft_margin_loss(input, target, weight=self.weight, reduction=self.reduction)


class MultiLabelMarginLoss(_Loss):
    """A hinge between the score of every right class and every wrong one.

    Formula: l_n = (1/C) sum_{t right} sum_{j wrong} max(0, 1 - (x_nt - x_nj)).

    Args:
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: at the call, see `nn.functional.multilabel_margin_loss`; here, the reduction is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.MultiLabelMarginLoss()(tn.tensor([[0.0, 0.5]]), tn.tensor([[1, -1]]))
        tensor(0.2500)
    """

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiMarginLoss(_Loss):
    """A hinge between the score of the right class and each of the others.

    Formula: l_n = (1/C) w_t sum_{j != t} max(0, margin - x_nt + x_nj)^p.

    Args:
        p: 1 or 2.
        margin: how far apart the scores shall be.
        weight: factor per class, (C,).
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: at the call, see `nn.functional.multi_margin_loss`; here, the reduction is unknown.

    Source: Crammer and Singer 2001.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.MultiMarginLoss()(tn.tensor([[1.0, 0.5]]), tn.tensor([0]))
        tensor(0.2500)
    """

    weight: Tensor | None

    def __init__(self, p: float = 1, margin: float = 1.0, weight: ArrayLike | None = None,
                 reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", None if weight is None else as_tensor(weight))
        self.p, self.margin = p, margin

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.multi_margin_loss(input, target, p=self.p, margin=self.margin, weight=self.weight,
                                   reduction=self.reduction)
