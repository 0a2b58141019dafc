"""Layers that drop at random while training and pass on in evaluation."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..autograd import Tensor, as_tensor
from ..ops import exp, ones, reshape, sum, uniform, where, zeros
from . import functional as F
from .functional.common import number
from .linear import Linear, size
from .module import Module

if TYPE_CHECKING:
    from ..backend import Generator
    from ..typing import ArrayLike, DeviceLike, DTypeLike

__all__ = [
    "AlphaDropout", "DropConnect", "DropPath", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout",
    "HeterogeneousDropout",
]


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


class FeatureAlphaDropout(_Dropout):
    """`AlphaDropout` of whole channels of (N, C, ...).

    Formula: see `nn.functional.feature_alpha_dropout`.

    Args:
        p: probability of a replacement, in [0, 1].
        inplace: accepted as in PyTorch; the result is always a new tensor.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Raises:
        ValueError: p is outside [0, 1], or at the call there are less than two axes.

    Source: Klambauer et al. 2017.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.FeatureAlphaDropout(0.2).eval()(tn.ones((1, 2)))
        tensor([[1., 1.]])
    """

    function = F.feature_alpha_dropout


class DropPath(Module):
    """Zeroes all of an example at random while training: stochastic depth, for the branch of a residual layer.

    Formula: out[n] = x[n] m_n / (1 - p), m_n ~ Bernoulli(1 - p); with mode 'batch' one m for all examples.

    Args:
        p: probability of a zero, in [0, 1].
        mode: 'row' for each example on its own, 'batch' for all together.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Raises:
        ValueError: p is outside [0, 1]; at the call, the mode is unknown.

    Source: Huang et al. 2016, "Deep networks with stochastic depth".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.DropPath(0.5).eval()(tn.ones((2, 1)))
        tensor([[1.],
                [1.]])
    """

    def __init__(self, p: float = 0.0, mode: str = "row", generator: Generator | None = None) -> None:
        super().__init__()
        self.p, self.mode, self.generator = number("p", p, 0, high=1), mode, generator

    def forward(self, input: ArrayLike) -> Tensor:
        return F.drop_path(input, self.p, self.mode, self.training, self.generator)

    def extra_repr(self) -> str:
        return f"p={self.p}, mode={self.mode!r}"


class HeterogeneousDropout(Module):
    """Dropout that spares units that were rarely active, so that each task finds units of its own.

    Formula: out_i = x_i m_i / k_i, m_i ~ Bernoulli(k_i), k_i = exp(-strength c_i / max_j c_j), c_i how often unit i was
        not zero while training, as of the last `next_task`; 1 before the first.

    Args:
        num_features: units, the size of the last axis.
        strength: >= 0; 0 drops nothing.
        scale: whether to divide by k_i.
        generator: `tn.Generator`; default: the one of `tn.manual_seed`.

    Attributes:
        counts: (num_features,) c_i, int64.
        keep: (num_features,) k_i.

    Raises:
        ValueError: the strength is negative, or at the call the last axis has another size.

    Source: the notes, references, lines 106 to 110; Sarfraz et al. 2023, "Sparse coding in a dual memory system for
        lifelong learning".

    Example:
        >>> import tinygrad_notes as tn
        >>> drop = tn.nn.HeterogeneousDropout(3, strength=1.0)
        >>> out = drop(tn.tensor([[1.0, 0.0, 2.0], [3.0, 0.0, 0.0]]))
        >>> drop.next_task(); drop.keep
        tensor([0.3679, 1.0000, 0.6065])
    """

    counts: Tensor
    keep: Tensor

    def __init__(self, num_features: int, strength: float = 1.0, scale: bool = True,
                 generator: Generator | None = None) -> None:
        super().__init__()
        self.num_features, self.strength = size("num_features", num_features), number("strength", strength, 0)
        self.scale, self.generator = scale, generator
        self.register_buffer("counts", zeros((num_features,), dtype="int64"))
        self.register_buffer("keep", ones((num_features,)))

    def next_task(self) -> None:
        """Take the counts so far for the probabilities of what follows."""
        most = float(self.counts.max()) if self.num_features else 0.0
        if most:
            self.keep.data = exp(self.counts.astype(self.keep.dtype) * (-self.strength / most)).data

    def forward(self, input: ArrayLike) -> Tensor:
        input = as_tensor(input)
        if input.shape[-1:] != (self.num_features,):
            raise ValueError(f"HeterogeneousDropout: expected {self.num_features} units on the last axis, got shape "
                             f"{input.shape}")
        if not self.training:
            return input
        active = reshape(input.detach() != 0, (-1, self.num_features))
        self.counts.data = (self.counts + sum(active, axis=0)).data
        keep = self.keep.astype(input.dtype)
        mask = uniform(input.shape, generator=self.generator, dtype=input.dtype, device=input.device) < keep
        return where(mask, input / keep if self.scale else input, 0.0)

    def extra_repr(self) -> str:
        return f"{self.num_features}, strength={self.strength}, scale={self.scale}"


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
