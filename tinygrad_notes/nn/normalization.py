"""Layers that normalize each sample: over its last axes, over groups of channels, across channels."""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..autograd import as_tensor
from . import functional as F
from .functional.common import number
from .functional.normalization import across_channels
from .init import ones_, zeros_
from .linear import new_parameter, size
from .module import Module

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..typing import ArrayLike, DeviceLike, DTypeLike
    from .parameter import Parameter

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


def _sizes(normalized_shape):
    shape = normalized_shape if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    if not shape:
        raise ValueError("normalized_shape: expected at least one size, got ()")
    return tuple(size("normalized_shape", n, 1) for n in shape)


class Affine(Module):
    """Base of layers with a learned scale `weight` and offset `bias`, each of them a parameter or None."""

    weight: Parameter | None
    bias: Parameter | None

    def _affine(self, shape, weight, bias, device, dtype):
        for name, wanted in (("weight", weight), ("bias", bias)):
            self.register_parameter(name, new_parameter(shape, device, dtype) if wanted else None)

    def reset_parameters(self) -> None:
        """Scale 1, offset 0."""
        if self.weight is not None:
            ones_(self.weight)
        if self.bias is not None:
            zeros_(self.bias)


class LayerNorm(Affine):
    """Mean zero and variance one over the last axes of each sample, then a learned scale and offset.

    Formula: out = (x - mean x) / sqrt(var x + eps) * weight + bias.

    Args:
        normalized_shape: sizes of the axes to normalize over, an int or a tuple.
        eps: added to the variance.
        elementwise_affine: learn scale and offset.
        bias: learn the offset.
        device, dtype: of the parameters.

    Attributes:
        weight, bias: of shape `normalized_shape`, or None; 1 and 0 at the start.

    Raises:
        ValueError: a size is not positive or `eps` negative; at the call: x does not end in these sizes.

    Source: Ba, Kiros and Hinton 2016.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LayerNorm(2, eps=0.0)(tn.tensor([[1.0, 3.0]])).tolist()
        [[-1.0, 1.0]]
    """

    def __init__(self, normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True,
                 bias: bool = True, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.normalized_shape, self.eps = _sizes(normalized_shape), number("eps", eps, 0)
        self.elementwise_affine = elementwise_affine
        self._affine(self.normalized_shape, elementwise_affine, elementwise_affine and bias, device, dtype)
        self.reset_parameters()

    def forward(self, input: ArrayLike) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
                f"bias={self.bias is not None}")


class RMSNorm(Affine):
    """Mean square one over the last axes of each sample, then a learned scale.

    Formula: out = x / sqrt(mean x^2 + eps) * weight.

    Args:
        normalized_shape: sizes of the axes to normalize over, an int or a tuple.
        eps: added to the mean square; None: the spacing of the dtype at 1.
        elementwise_affine: learn the scale.
        device, dtype: of the parameter.

    Attributes:
        weight: of shape `normalized_shape`, or None; 1 at the start.

    Raises:
        ValueError: a size is not positive or `eps` negative; at the call: x does not end in these sizes.

    Source: Zhang and Sennrich 2019.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.RMSNorm(2, elementwise_affine=False)(tn.tensor([[3.0, -3.0]]))
        tensor([[ 1., -1.]])
    """

    bias = None

    def __init__(self, normalized_shape: int | Sequence[int], eps: float | None = None, elementwise_affine: bool = True,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.normalized_shape, self.eps = _sizes(normalized_shape), None if eps is None else number("eps", eps, 0)
        self.elementwise_affine = elementwise_affine
        weight = new_parameter(self.normalized_shape, device, dtype) if elementwise_affine else None
        self.register_parameter("weight", weight)
        self.reset_parameters()

    def forward(self, input: ArrayLike) -> Tensor:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Affine):
    """Mean zero and variance one over groups of channels of each sample, then a learned scale and offset per channel.

    Formula: out = (x - m) / sqrt(v + eps) * weight + bias; m and v over the channels of a group and all places.

    Args:
        num_groups: number of groups; divides `num_channels`.
        num_channels: number of channels C.
        eps: added to the variance.
        affine: learn scale and offset.
        device, dtype: of the parameters.
        bias: learn the offset.

    Attributes:
        weight, bias: (C,), or None; 1 and 0 at the start.

    Raises:
        ValueError: a number is not positive, `num_groups` is no divisor of C, or `eps` is negative; at the call: x is
            not (N, C, ...), or a group has one value.

    Source: Wu and He 2018.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.GroupNorm(2, 4, eps=0.0)(tn.tensor([[1.0, 3.0, 0.0, 8.0]])).tolist()
        [[-1.0, 1.0, -1.0, 1.0]]
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None, *, bias: bool = True) -> None:
        super().__init__()
        self.num_groups, self.num_channels = size("num_groups", num_groups, 1), size("num_channels", num_channels, 1)
        if self.num_channels % self.num_groups:
            raise ValueError(f"num_groups: {self.num_channels} channels do not divide into {self.num_groups} groups")
        self.eps, self.affine = number("eps", eps, 0), affine
        self._affine((self.num_channels,), affine, affine and bias, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim < 2 or input.shape[1] != self.num_channels:
            raise ValueError(f"GroupNorm: expected (N, {self.num_channels}, ...), got shape {input.shape}")
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
                f"bias={self.bias is not None}")


class LocalResponseNorm(Module):
    """Each element divided by a power of the mean square of the channels around it.

    Formula: out_c = x_c / (k + alpha / size * sum of x_c'^2 over the `size` channels around c)^beta.

    Args:
        size: width of the window of channels.
        alpha, beta: weight and exponent.
        k: added to the mean.

    Raises:
        ValueError: `size` is not positive; at the call: x is not (N, C, ...) with at least one more axis.

    Source: Krizhevsky, Sutskever and Hinton 2012, section 3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LocalResponseNorm(2, alpha=2.0, beta=1.0)(tn.tensor([[[3.0], [1.0]]]))
        tensor([[[0.3000],
                 [0.0909]]])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = _window(size), alpha, beta, k

    def forward(self, input: ArrayLike) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def _window(n):
    return size("size", n, 1)


class CrossMapLRN2d(LocalResponseNorm):
    """`LocalResponseNorm` of images with a window that is symmetric: for an even size it is one channel narrower.

    Formula: as `LocalResponseNorm`, over the (size - 1) // 2 channels on both sides. (PyTorch's layer of this name
        never takes the first channel out of the window again.)

    Args:
        size, alpha, beta, k: as for `LocalResponseNorm`.

    Raises:
        ValueError: `size` is not positive; at the call: x is not (N, C, H, W).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.CrossMapLRN2d(3, alpha=3.0, beta=1.0)(tn.ones((1, 2, 1, 1))).tolist()
        [[[[0.3333333432674408]], [[0.3333333432674408]]]]
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__(size, alpha, beta, k)

    def forward(self, input: ArrayLike) -> Tensor:
        input = as_tensor(input)
        if input.ndim != 4:
            raise ValueError(f"CrossMapLRN2d: expected (N, C, H, W), got shape {input.shape}")
        side = (self.size - 1) // 2
        return across_channels("CrossMapLRN2d", input, side, side, self.size, self.alpha, self.beta, self.k)
