"""Contrastive losses, as modules."""
from __future__ import annotations

from typing import TYPE_CHECKING

from . import functional as F
from .functional.common import number
from .losses import _Loss

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..typing import ArrayLike

__all__ = ["InfoNCELoss", "NTXentLoss"]


class InfoNCELoss(_Loss):
    """The negative log-probability of finding the right partner of each query among others.

    Formula: l_n = -log(exp(s(q_n, k_n) / t) / sum_m exp(s(q_n, k_m) / t)), s the cosine.

    Args:
        temperature: t > 0.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: t <= 0, or the reduction is unknown; at the call, see `nn.functional.info_nce`.

    Source: van den Oord et al. 2018, "Representation learning with contrastive predictive coding", equation 4.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> tn.nn.InfoNCELoss(temperature=1.0)(x, x)
        tensor(0.3133)
    """

    def __init__(self, temperature: float = 0.1, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.temperature = number("temperature", temperature, 0, low_open=True)

    def forward(self, query: ArrayLike, positive: ArrayLike, negatives: ArrayLike | None = None) -> Tensor:
        return F.info_nce(query, positive, negatives, self.temperature, self.reduction)


class NTXentLoss(_Loss):
    """The loss of SimCLR: each of 2 N views shall find the other view of its example among the 2 N - 1 others.

    Formula: l_i = -log(exp(s(z_i, z_j) / t) / sum_{k != i} exp(s(z_i, z_k) / t)), s the cosine, j the other view of i.

    Args:
        temperature: t > 0.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: t <= 0, or the reduction is unknown; at the call, see `nn.functional.nt_xent`.

    Source: Chen et al. 2020, "A simple framework for contrastive learning of visual representations", equation 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> tn.nn.NTXentLoss(temperature=1.0)(x, x)
        tensor(0.5514)
    """

    def __init__(self, temperature: float = 0.5, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.temperature = number("temperature", temperature, 0, low_open=True)

    def forward(self, first: ArrayLike, second: ArrayLike) -> Tensor:
        return F.nt_xent(first, second, self.temperature, self.reduction)
