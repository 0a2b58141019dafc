"""Layers that drop at random while training and pass on in evaluation."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import functional as F
from .functional.common import number
from .linear import Linear
from .module import Module

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..backend import Generator
    from ..typing import ArrayLike, DeviceLike, DTypeLike

__all__ = ["AlphaDropout", "DropConnect", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d"]


class _Dropout(Module):
    """What all dropout layers share: the probability and the stream of random numbers."""

    function: Callable

    def __init__(self, p: float = 0.5, inplace: bool = False, generator: Generator | None = None) -> None:
        super().__init__()
        self.p = number("p", p, 0, high=1)
        self.inplace, self.generator = inplace, generator

    def forward(self, input: ArrayLike) -> Tensor:
        return type(self).function(input, self.p, self.training, generator=self.generator)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Zeroes units at random while training and scales the others; passes everything on in evaluation.

    Formula: out = x m / (1 - p), m ~ Bernoulli(1 - p): mean x, variance x^2 p / (1 - p).

    Args:
        p: probability of a zero, in [0, 1].
        inplace: accepted as in PyTorch; the result is always a new tensor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Raises:
        ValueError: p is outside [0, 1].

    Source: Srivastava et al. 2014; the notes, section 2.3.3 (units are dropped, not weights: that is `DropConnect`).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Dropout(0.9).eval()(tn.ones((2,)))
        tensor([1., 1.])
    """

    function = F.dropout


class Dropout1d(_Dropout):
    """Zeroes whole channels of (N, C, L) at random while training and scales the others.

    Formula: out[n, c] = x[n, c] m[n, c] / (1 - p), m ~ Bernoulli(1 - p).

    Args:
        p: probability of a zero, in [0, 1].
        inplace: accepted as in PyTorch; the result is always a new tensor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Raises:
        ValueError: p is outside [0, 1], or at the call the number of axes is another.

    Source: Tompson et al. 2015.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Dropout1d(1.0)(tn.ones((2, 3, 4))).sum()
        tensor(0.)
    """

    function = F.dropout1d


class Dropout2d(_Dropout):
    """Zeroes whole channels of (N, C, H, W) at random while training and scales the others.

    Formula: out[n, c] = x[n, c] m[n, c] / (1 - p), m ~ Bernoulli(1 - p).

    Args:
        p: probability of a zero, in [0, 1].
        inplace: accepted as in PyTorch; the result is always a new tensor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Raises:
        ValueError: p is outside [0, 1], or at the call the number of axes is another.

    Source: Tompson et al. 2015.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Dropout2d(1.0)(tn.ones((2, 3, 4, 4))).sum()
        tensor(0.)
    """

    function = F.dropout2d


class Dropout3d(_Dropout):
    """Zeroes whole channels of (N, C, D, H, W) at random while training and scales the others.

    Formula: out[n, c] = x[n, c] m[n, c] / (1 - p), m ~ Bernoulli(1 - p).

    Args:
        p: probability of a zero, in [0, 1].
        inplace: accepted as in PyTorch; the result is always a new tensor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Raises:
        ValueError: p is outside [0, 1], or at the call the number of axes is another.

    Source: Tompson et al. 2015.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Dropout3d(1.0)(tn.ones((2, 3, 2, 2, 2))).sum()
        tensor(0.)
    """

    function = F.dropout3d


class AlphaDropout(_Dropout):
    """Dropout that keeps zero mean and unit variance, for layers with SELU.

    Formula: see `nn.functional.alpha_dropout`.

    Args:
        p: probability of a replacement, in [0, 1].
        inplace: accepted as in PyTorch; the result is always a new tensor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Raises:
        ValueError: p is outside [0, 1].

    Source: Klambauer et al. 2017.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.AlphaDropout(0.2).eval()(tn.ones((2,)))
        tensor([1., 1.])
    """

    function = F.alpha_dropout


class DropConnect(Linear):
    """An affine layer whose weights are zeroed at random while training.

    Formula: out = x (W m / (1 - p))^T + b, m ~ Bernoulli(1 - p) for each weight, one draw per call.

    Args:
        in_features, out_features: sizes of the last axis before and after.
        p: probability of a zero, in [0, 1].
        bias: whether there is a b.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.
        device, dtype, init: see `Linear`.

    Raises:
        ValueError: p is outside [0, 1], or a size is negative.

    Source: Wan et al. 2013, "Regularization of neural networks using DropConnect".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.DropConnect(3, 2, p=1.0, bias=False)(tn.ones((1, 3))).detach()
        tensor([[0., 0.]])
    """

    def __init__(self, in_features: int, out_features: int, p: float = 0.5, bias: bool = True, *,
                 generator: Generator | None = None, device: DeviceLike | None = None, dtype: DTypeLike | None = None,
                 init: str | Callable[..., Any] | None = None) -> None:
        super().__init__(in_features, out_features, bias, device, dtype, init=init)
        self.p, self.generator = number("p", p, 0, high=1), generator

    def forward(self, input: ArrayLike) -> Tensor:
        weight = F.dropout(self.weight, self.p, self.training, generator=self.generator)
        return F.linear(input, weight, self.bias)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, p={self.p}"
