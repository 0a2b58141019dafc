"""Activation functions as layers: those made of straight pieces, and those over an axis."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..ops import relu
from . import functional as F
from .activation import inplace
from .init import constant_
from .linear import new_parameter, size
from .module import Module

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..backend import Generator
    from ..typing import ArrayLike, DeviceLike, DTypeLike
    from .parameter import Parameter

__all__ = [
    "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "LogSoftmax", "PReLU", "RReLU",
    "ReLU", "ReLU6", "Softmax", "Softmax2d", "Softmin", "Softshrink", "Threshold",
]


class ReLU(Module):
    """x where it is positive, else 0; the derivative at 0 is 0.

    Formula: out = max(x, 0).

    Args:
        inplace: accepted as in PyTorch; the result is always a new tensor.

    Source: the notes, section 1.4.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ReLU()(tn.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return relu(input)

    def extra_repr(self) -> str:
        return inplace(self)


class ReLU6(Module):
    """ReLU, at most 6.

    Formula: out = min(max(x, 0), 6).

    Args:
        inplace: accepted as in PyTorch; the result is always a new tensor.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.ReLU6()(tn.tensor([7.0]))
        tensor([6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return F.relu6(input)

    def extra_repr(self) -> str:
        return inplace(self)


class LeakyReLU(Module):
    """x where it is positive, a fraction of it elsewhere.

    Formula: out = max(x, 0) + negative_slope min(x, 0).

    Args:
        negative_slope: the fraction.
        inplace: accepted as in PyTorch; the result is always a new tensor.

    Source: Maas et al. 2013.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LeakyReLU()(tn.tensor([-1.0]))
        tensor([-0.0100])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return F.leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope!r}" + inplace(self, True)


class Hardtanh(Module):
    """x kept between two bounds.

    Formula: out = min(max(x, min_val), max_val).

    Args:
        min_val: lower bound.
        max_val: upper bound.
        inplace: accepted as in PyTorch; the result is always a new tensor.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Hardtanh()(tn.tensor([3.0]))
        tensor([1.])
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.min_val, self.max_val, self.inplace = min_val, max_val, inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val!r}, max_val={self.max_val!r}" + inplace(self, True)


class Hardsigmoid(Module):
    """A straight-line form of the logistic function.

    Formula: out = min(max(x / 6 + 1/2, 0), 1).

    Args:
        inplace: accepted as in PyTorch; the result is always a new tensor.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Hardsigmoid()(tn.tensor([0.0]))
        tensor([0.5000])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return F.hardsigmoid(input)

    def extra_repr(self) -> str:
        return inplace(self)


class Hardswish(Module):
    """x times its hardsigmoid.

    Formula: out = x min(max(x / 6 + 1/2, 0), 1).

    Args:
        inplace: accepted as in PyTorch; the result is always a new tensor.

    Source: Howard et al. 2019.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Hardswish()(tn.tensor([3.0]))
        tensor([3.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return F.hardswish(input)

    def extra_repr(self) -> str:
        return inplace(self)


class Threshold(Module):
    """x where it exceeds a threshold, else a constant.

    Formula: out = x for x > threshold, value elsewhere.

    Args:
        threshold: the threshold.
        value: what replaces the rest.
        inplace: accepted as in PyTorch; the result is always a new tensor.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Threshold(0.0, -1.0)(tn.tensor([0.0]))
        tensor([-1.])
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, input: ArrayLike) -> Tensor:
        return F.threshold(input, self.threshold, self.value)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold!r}, value={self.value!r}" + inplace(self, True)


class Softshrink(Module):
    """x moved towards 0 by lambd.

    Formula: out = sign(x) max(|x| - lambd, 0).

    Args:
        lambd: how far, >= 0.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Softshrink()(tn.tensor([2.0]))
        tensor([1.5000])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: ArrayLike) -> Tensor:
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Hardshrink(Module):
    """x, set to 0 where it is small.

    Formula: out = x where |x| > lambd, else 0.

    Args:
        lambd: half the width of the band, >= 0.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Hardshrink()(tn.tensor([0.3]))
        tensor([0.])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: ArrayLike) -> Tensor:
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


# With parameters, chance, or an axis ------------------------------------------------------
class PReLU(Module):
    """LeakyReLU with learned slopes, one for all or one per channel (axis 1).

    Formula: out = max(x, 0) + weight min(x, 0).

    Args:
        num_parameters: 1, or the number of channels.
        init: slope at the start.
        device, dtype: of the parameter.

    Attributes:
        weight: (num_parameters,).

    Raises:
        ValueError: at the call, neither one slope nor one per channel.

    Source: He et al. 2015, "Delving deep into rectifiers".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.PReLU()(tn.tensor([-1.0])).item()
        -0.25
    """

    weight: Parameter

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.num_parameters, self.init = size("num_parameters", num_parameters, 1), init
        self.weight = new_parameter((self.num_parameters,), device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the slopes to their start again."""
        constant_(self.weight, self.init)

    def forward(self, input: ArrayLike) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(Module):
    """LeakyReLU with random slopes while training, and their mean in evaluation.

    Formula: out = max(x, 0) + a min(x, 0); a ~ U(lower, upper) in training, (lower + upper) / 2 in evaluation.

    Args:
        lower, upper: limits of the slope.
        inplace: accepted as in PyTorch; the result is always a new tensor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Raises:
        ValueError: at the call, lower > upper.

    Source: Xu et al. 2015.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.RReLU().eval()(tn.tensor([-48.0]))
        tensor([-11.])
    """

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False,
                 generator: Generator | None = None) -> None:
        super().__init__()
        self.lower, self.upper, self.inplace, self.generator = lower, upper, inplace, generator

    def forward(self, input: ArrayLike) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, generator=self.generator)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}" + inplace(self, True)


class _AlongAxis(Module):
    """What the softmax layers share."""

    function: Callable

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: ArrayLike) -> Tensor:
        return type(self).function(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_AlongAxis):
    """Logits as probabilities that sum to one along an axis.

    Formula: out_i = e^(x_i) / sum_j e^(x_j).

    Args:
        dim: the axis; None: 0 for tensors of 0, 1 or 3 axes, else 1.

    Raises:
        IndexError: at the call, there is no such axis.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Softmax(0)(tn.tensor([1e4, 1e4]))
        tensor([0.5000, 0.5000])
    """

    function = F.softmax


class LogSoftmax(_AlongAxis):
    """The logarithm of softmax.

    Formula: out_i = x_i - log sum_j e^(x_j).

    Args:
        dim: the axis; None: 0 for tensors of 0, 1 or 3 axes, else 1.

    Raises:
        IndexError: at the call, there is no such axis.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LogSoftmax(0)(tn.tensor([1e4, 1e4]))
        tensor([-0.6931, -0.6931])
    """

    function = F.log_softmax


class Softmin(_AlongAxis):
    """Softmax of the negative.

    Formula: out_i = e^(-x_i) / sum_j e^(-x_j).

    Args:
        dim: the axis; None: 0 for tensors of 0, 1 or 3 axes, else 1.

    Raises:
        IndexError: at the call, there is no such axis.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Softmin(0)(tn.tensor([1e4, 1e4]))
        tensor([0.5000, 0.5000])
    """

    function = F.softmin


class Softmax2d(Module):
    """Softmax over the channels of each pixel.

    Formula: out[n, c, h, w] = e^(x[n, c, h, w]) / sum_j e^(x[n, j, h, w]).

    Raises:
        ValueError: at the call, x has neither the shape (N, C, H, W) nor (C, H, W).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Softmax2d()(tn.zeros((2, 1, 1)))
        tensor([[[0.5000]],
        <BLANKLINE>
                [[0.5000]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected 3 or 4 axes, got shape {input.shape}")
        return F.softmax(input, -3)
