"""Activation functions as layers: the smooth ones."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ..ops import sigmoid, tanh
from . import functional as F
from .module import Module

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..typing import ArrayLike

__all__ = [
    "CELU", "ELU", "GELU", "LogSigmoid", "Mish", "SELU", "SiLU", "Sigmoid", "Softplus", "Softsign", "Tanh",
    "Tanhshrink",
]


class Sigmoid(Module):
    """The logistic function.

    Formula: out = 1 / (1 + e^-x).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Sigmoid()(tn.tensor([0.0]))
        tensor([0.5000])
    """

    def forward(self, input: ArrayLike) -> Tensor:
        return sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent.

    Formula: out = tanh(x).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Tanh()(tn.tensor([0.0]))
        tensor([0.])
    """

    def forward(self, input: ArrayLike) -> Tensor:
        return tanh(input)


class SiLU(Module):
    """x times its logistic function (swish).

    Formula: out = x / (1 + e^-x).

    Args:
        inplace: accepted as in PyTorch; the result is always a new tensor.

    Source: Elfwing et al. 2018; Ramachandran et al. 2017.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.SiLU()(tn.tensor([0.0]))
        tensor([0.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return F.silu(input)

    def extra_repr(self) -> str:
        return inplace(self)


class Mish(Module):
    """x times tanh of its softplus.

    Formula: out = x tanh(log(1 + e^x)).

    Args:
        inplace: accepted as in PyTorch; the result is always a new tensor.

    Source: Misra 2019.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Mish()(tn.tensor([0.0]))
        tensor([0.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return F.mish(input)

    def extra_repr(self) -> str:
        return inplace(self)


class GELU(Module):
    """x times the normal distribution function at x.

    Formula: out = x (1 + erf(x / sqrt(2))) / 2, or for 'tanh' its approximation.

    Args:
        approximate: 'none' or 'tanh'.

    Source: Hendrycks and Gimpel 2016.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.GELU()(tn.tensor([0.0]))
        tensor([0.])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: ArrayLike) -> Tensor:
        return F.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Softplus(Module):
    """A smooth ReLU.

    Formula: out = log(1 + e^(beta x)) / beta; x itself where beta x > threshold.

    Args:
        beta: sharpness.
        threshold: where it turns linear.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Softplus()(tn.tensor([0.0]))
        tensor([0.6931])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: ArrayLike) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta!r}, threshold={self.threshold!r}"


class Softsign(Module):
    """x over one plus its absolute value.

    Formula: out = x / (1 + |x|).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Softsign()(tn.tensor([1.0]))
        tensor([0.5000])
    """

    def forward(self, input: ArrayLike) -> Tensor:
        return F.softsign(input)


class LogSigmoid(Module):
    """The logarithm of the logistic function.

    Formula: out = -log(1 + e^-x).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LogSigmoid()(tn.tensor([0.0]))
        tensor([-0.6931])
    """

    def forward(self, input: ArrayLike) -> Tensor:
        return F.logsigmoid(input)


class Tanhshrink(Module):
    """x minus its tanh.

    Formula: out = x - tanh(x).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Tanhshrink()(tn.tensor([0.0]))
        tensor([0.])
    """

    def forward(self, input: ArrayLike) -> Tensor:
        return F.tanhshrink(input)


class ELU(Module):
    """x where positive, a saturating exponential elsewhere.

    Formula: out = x for x > 0, alpha (e^x - 1) elsewhere.

    Args:
        alpha: minus the limit at minus infinity.
        inplace: accepted as in PyTorch; the result is always a new tensor.

    Source: Clevert et al. 2016.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ELU()(tn.tensor([2.0]))
        tensor([2.])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return F.elu(input, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha!r}" + inplace(self, True)


class SELU(Module):
    """ELU with the constants that keep zero mean and unit variance.

    Formula: out = 1.0507 x for x > 0, 1.0507 * 1.6733 (e^x - 1) elsewhere.

    Args:
        inplace: accepted as in PyTorch; the result is always a new tensor.

    Source: Klambauer et al. 2017.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.SELU()(tn.tensor([0.0]))
        tensor([0.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return F.selu(input)

    def extra_repr(self) -> str:
        return inplace(self)


class CELU(Module):
    """ELU with a continuous derivative for every alpha.

    Formula: out = x for x > 0, alpha (e^(x / alpha) - 1) elsewhere.

    Args:
        alpha: minus the limit at minus infinity, not 0.
        inplace: accepted as in PyTorch; the result is always a new tensor.

    Source: Barron 2017.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.CELU()(tn.tensor([2.0]))
        tensor([2.])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return F.celu(input, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha!r}" + inplace(self, True)


def inplace(module, more=False):
    """The text of PyTorch's `inplace` setting, where it is on."""
    return (", " if more else "") + "inplace=True" if module.inplace else ""
