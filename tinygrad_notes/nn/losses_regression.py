"""Losses between a prediction and a number, and between distributions, as modules."""
from __future__ import annotations

from typing import TYPE_CHECKING

from . import functional as F
from .losses import _Loss

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..typing import ArrayLike

__all__ = [
    "GaussianNLLLoss", "HuberLoss", "KLDivLoss", "L1Loss", "LpLoss", "MSELoss", "PoissonNLLLoss",
    "SmoothL1Loss",
]


class MSELoss(_Loss):
    """The squared difference.

    Formula: l_i = (input_i - target_i)^2.

    Args:
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: at the call, see `nn.functional.mse_loss`; here, the reduction is unknown.

    Source: the notes, section 2.1.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.MSELoss()(tn.tensor([1.0, 2.0]), tn.tensor([1.0, 4.0]))
        tensor(2.)
    """

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """The absolute difference.

    Formula: l_i = |input_i - target_i|.

    Args:
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: at the call, see `nn.functional.l1_loss`; here, the reduction is unknown.

    Source: the notes, section 2.1.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.L1Loss()(tn.tensor([1.0, 2.0]), tn.tensor([1.0, 4.0]))
        tensor(1.)
    """

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class LpLoss(_Loss):
    """The p-th power of the absolute difference.

    Formula: l_i = |input_i - target_i|^p.

    Args:
        p: exponent, > 0.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: at the call, see `nn.functional.lp_loss`; here, the reduction is unknown.

    Source: the notes, section 2.1.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LpLoss()(tn.tensor([1.0, 2.0]), tn.tensor([1.0, 4.0]))
        tensor(2.)
    """

    def __init__(self, p: float = 2, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.p = p

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.lp_loss(input, target, p=self.p, reduction=self.reduction)


class HuberLoss(_Loss):
    """Squared for small differences, linear for large ones.

    Formula: l_i = d^2 / 2 for |d| <= delta, else delta (|d| - delta / 2), d = input_i - target_i.

    Args:
        reduction: 'none', 'mean' or 'sum'.
        delta: where it turns linear, > 0.

    Raises:
        ValueError: at the call, see `nn.functional.huber_loss`; here, the reduction is unknown.

    Source: Huber 1964.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.HuberLoss()(tn.tensor([4.0]), tn.tensor([0.0]))
        tensor(3.5000)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class SmoothL1Loss(_Loss):
    """`HuberLoss` divided by its corner.

    Formula: l_i = d^2 / (2 beta) for |d| < beta, else |d| - beta / 2, d = input_i - target_i.

    Args:
        reduction: 'none', 'mean' or 'sum'.
        beta: where it turns linear, >= 0.

    Raises:
        ValueError: at the call, see `nn.functional.smooth_l1_loss`; here, the reduction is unknown.

    Source: Girshick 2015.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.SmoothL1Loss()(tn.tensor([4.0]), tn.tensor([0.0]))
        tensor(3.5000)
    """

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class GaussianNLLLoss(_Loss):
    """The negative log-likelihood of normal targets with predicted mean and variance.

    Formula: l_i = (log v + (input_i - target_i)^2 / v) / 2, v = max(var_i, eps).

    Args:
        full: add log(2 pi) / 2.
        eps: smallest variance, > 0.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: at the call, see `nn.functional.gaussian_nll_loss`; here, the reduction is unknown.

    Source: Nix and Weigend 1994.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.GaussianNLLLoss()(tn.tensor([1.0]), tn.tensor([3.0]), tn.tensor([4.0]))
        tensor(1.1931)
    """

    def __init__(self, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full, self.eps = full, eps

    def forward(self, input: ArrayLike, target: ArrayLike, var: ArrayLike) -> Tensor:
        return F.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)


class PoissonNLLLoss(_Loss):
    """The negative log-likelihood of counts with a predicted rate.

    Formula: l_i = e^input_i - target_i input_i, without `log_input` input_i - target_i log(input_i + eps).

    Args:
        log_input: whether `input` is the logarithm of the rate.
        full: add Stirling's approximation of log(target!).
        eps: added to the rate before its logarithm, > 0.
        reduction: 'none', 'mean' or 'sum'.

    Raises:
        ValueError: at the call, see `nn.functional.poisson_nll_loss`; here, the reduction is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.PoissonNLLLoss()(tn.tensor([0.0]), tn.tensor([2.0]))
        tensor(1.)
    """

    def __init__(self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.poisson_nll_loss(input, target, log_input=self.log_input, full=self.full, eps=self.eps,
                                  reduction=self.reduction)


class KLDivLoss(_Loss):
    """The pointwise terms of KL(target || input), input in logarithms.

    Formula: l_i = target_i (log target_i - input_i); for the divergence use 'sum' or 'batchmean'.

    Args:
        reduction: 'none', 'mean' or 'sum', or 'batchmean': the sum divided by the size of axis 0.
        log_target: whether `target` is in logarithms too.

    Raises:
        ValueError: at the call, see `nn.functional.kl_div`; here, the reduction is unknown.

    Source: Kullback and Leibler 1951.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.KLDivLoss()(tn.log(tn.tensor([[0.5, 0.5]])), tn.tensor([[0.5, 0.5]]))
        tensor(0.)
    """

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction, ("none", "mean", "sum", "batchmean"))
        self.log_target = log_target

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)
