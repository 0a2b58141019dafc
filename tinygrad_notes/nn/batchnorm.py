"""Layers that normalize each channel over a batch, or over the places of one sample, and keep running averages."""
from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from ..autograd import as_tensor
from ..backend import as_device, int64
from ..ops import expand_dims, ones, squeeze, zeros
from . import functional as F
from .functional.common import number
from .init import ones_, zeros_
from .linear import size
from .normalization import Affine

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..typing import ArrayLike, DeviceLike, DTypeLike

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class _PerChannel(Affine):
    """What batch and instance normalization of any number of axes share."""

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(self, num_features: int, eps: float, momentum: float | None, affine: bool, track_running_stats: bool,
                 device: DeviceLike | None, dtype: DTypeLike | None, bias: bool) -> None:
        super().__init__()
        self.num_features, self.eps = size("num_features", num_features, 1), number("eps", eps, 0)
        self.momentum = None if momentum is None else number("momentum", momentum, 0, high=1)
        self.affine, self.track_running_stats = affine, track_running_stats
        self._affine((self.num_features,), affine, affine and bias, device, dtype)
        home = as_device(device)
        made = {"running_mean": lambda: zeros((self.num_features,), dtype=dtype, device=home),
                "running_var": lambda: ones((self.num_features,), dtype=dtype, device=home),
                "num_batches_tracked": lambda: zeros((), dtype=int64, device=home)}
        for name, make in made.items():
            self.register_buffer(name, make() if track_running_stats else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Running mean 0, running variance 1, no batches seen."""
        for running, set_ in ((self.running_mean, zeros_), (self.running_var, ones_),
                              (self.num_batches_tracked, zeros_)):
            if running is not None:
                set_(running)

    def reset_parameters(self) -> None:
        """Scale 1, offset 0, and the running values as at the start."""
        self.reset_running_stats()
        super().reset_parameters()

    def extra_repr(self) -> str:
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}")


# Over the batch --------------------------------------------------------------------------------
class _BatchNorm(_PerChannel):
    axes: tuple[int, ...]

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, device: DeviceLike | None = None, dtype: DTypeLike | None = None, *,
                 bias: bool = True) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: ArrayLike) -> Tensor:
        input = as_tensor(input)
        if input.ndim not in self.axes or input.shape[1] != self.num_features:
            axes = " or ".join(map(str, self.axes))
            raise ValueError(f"{type(self).__name__}: expected {axes} axes with {self.num_features} channels on axis 1,"
                             f" got shape {input.shape}")
        tracked = self.running_mean is not None
        training = self.training or not tracked
        learning, seen = self.training and self.track_running_stats and tracked, self.num_batches_tracked
        mean, var = (self.running_mean, self.running_var) if learning or not self.training else (None, None)
        momentum = 0.0 if self.momentum is None else self.momentum
        if learning and self.momentum is None and seen is not None:  # the mean over all batches
            momentum = 1 / (seen.item() + 1)
        out = F.batch_norm(input, mean, var, self.weight, self.bias, training, momentum, self.eps)
        if learning and seen is not None:
            seen.data = (seen + 1).data
        return out


class BatchNorm1d(_BatchNorm):
    """Mean zero and variance one of each channel over the batch, then a learned scale and offset.

    Formula: out = (x - m) / sqrt(v + eps) * weight + bias; m and v of the batch in training, running averages in
        evaluation.

    Args:
        num_features: number of channels C.
        eps: added to the variance.
        momentum: weight of a new batch in the running averages; None: the plain mean over all batches.
        affine: learn scale and offset.
        track_running_stats: keep running averages; without, the batch is used in evaluation too.
        device, dtype: of parameters and buffers.
        bias: learn the offset.

    Attributes:
        weight, bias: (C,), or None; 1 and 0 at the start.
        running_mean, running_var, num_batches_tracked: buffers, or None.

    Raises:
        ValueError: C is not positive, `eps` or `momentum` is out of range; at the call: x is neither (N, C) nor
            (N, C, L), or a batch in training has one value per channel.

    Source: Ioffe and Szegedy 2015.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.BatchNorm1d(1)(tn.tensor([[1.0], [3.0]])).detach()
        tensor([[-1.0000],
                [ 1.0000]])
    """

    axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalization of images: statistics of each channel over the batch and all places.

    Formula: out = (x - m) / sqrt(v + eps) * weight + bias; m and v of the batch in training, running averages in
        evaluation.

    Args:
        num_features, eps, momentum, affine, track_running_stats, device, dtype, bias: as for `BatchNorm1d`.

    Attributes:
        weight, bias, running_mean, running_var, num_batches_tracked: as for `BatchNorm1d`.

    Raises:
        ValueError: as for `BatchNorm1d`; at the call: x is not (N, C, H, W).

    Source: Ioffe and Szegedy 2015.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.BatchNorm2d(3)(tn.randn(2, 3, 4, 4)).shape
        (2, 3, 4, 4)
    """

    axes = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalization of volumes: statistics of each channel over the batch and all places.

    Formula: out = (x - m) / sqrt(v + eps) * weight + bias; m and v of the batch in training, running averages in
        evaluation.

    Args:
        num_features, eps, momentum, affine, track_running_stats, device, dtype, bias: as for `BatchNorm1d`.

    Attributes:
        weight, bias, running_mean, running_var, num_batches_tracked: as for `BatchNorm1d`.

    Raises:
        ValueError: as for `BatchNorm1d`; at the call: x is not (N, C, D, H, W).

    Source: Ioffe and Szegedy 2015.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.BatchNorm3d(3)(tn.randn(2, 3, 2, 4, 4)).shape
        (2, 3, 2, 4, 4)
    """

    axes = (5,)


# Over the places of one sample -------------------------------------------------------------------
class _InstanceNorm(_PerChannel):
    places: int  # how many axes of places an input has

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = False,
                 track_running_stats: bool = False, device: DeviceLike | None = None, dtype: DTypeLike | None = None, *,
                 bias: bool = True) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: ArrayLike) -> Tensor:
        input = as_tensor(input)
        alone = input.ndim == self.places + 1
        if not alone and input.ndim != self.places + 2:
            raise ValueError(f"{type(self).__name__}: expected {self.places + 1} or {self.places + 2} axes, got shape "
                             f"{input.shape}")
        channels = input.shape[-self.places - 1]
        if channels != self.num_features:
            message = (f"{type(self).__name__}: expected {self.num_features} channels on axis {0 if alone else 1}, got "
                       f"shape {input.shape}")
            if self.affine or self.running_mean is not None:
                raise ValueError(message)
            warnings.warn(message + "; num_features has no effect without affine", stacklevel=2)
        own = self.training or self.running_mean is None
        momentum = 0.0 if self.momentum is None else self.momentum
        out = F.instance_norm(expand_dims(input, axis=0) if alone else input, self.running_mean, self.running_var,
                              self.weight, self.bias, own, momentum, self.eps)
        return squeeze(out, axis=0) if alone else out


class InstanceNorm1d(_InstanceNorm):
    """Mean zero and variance one of each channel of each sample; a learned scale and offset if wanted.

    Formula: out = (x - m) / sqrt(v + eps) * weight + bias; m and v over the places of one channel of one sample, in
        evaluation too unless running averages are kept.

    Args:
        num_features: number of channels C.
        eps: added to the variance.
        momentum: weight of a new batch in the running averages; None counts as 0.
        affine: learn scale and offset.
        track_running_stats: keep running averages and use them in evaluation.
        device, dtype: of parameters and buffers.
        bias: learn the offset, with `affine`.

    Attributes:
        weight, bias: (C,), or None; 1 and 0 at the start.
        running_mean, running_var, num_batches_tracked: buffers, or None.

    Raises:
        ValueError: C is not positive, `eps` or `momentum` is out of range; at the call: x is neither (C, L) nor
            (N, C, L), or there is one place.

    Source: Ulyanov, Vedaldi and Lempitsky 2016.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.InstanceNorm1d(2, eps=0.0)(tn.tensor([[1.0, 3.0], [0.0, 8.0]])).tolist()
        [[-1.0, 1.0], [-1.0, 1.0]]
    """

    places = 1


class InstanceNorm2d(_InstanceNorm):
    """Instance normalization of images: statistics of each channel of each sample over all places.

    Formula: out = (x - m) / sqrt(v + eps) * weight + bias.

    Args:
        num_features, eps, momentum, affine, track_running_stats, device, dtype, bias: as for `InstanceNorm1d`.

    Attributes:
        weight, bias, running_mean, running_var, num_batches_tracked: as for `InstanceNorm1d`.

    Raises:
        ValueError: as for `InstanceNorm1d`; at the call: x is neither (C, H, W) nor (N, C, H, W).

    Source: Ulyanov, Vedaldi and Lempitsky 2016.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.InstanceNorm2d(3, affine=True)(tn.randn(2, 3, 4, 4)).shape
        (2, 3, 4, 4)
    """

    places = 2


class InstanceNorm3d(_InstanceNorm):
    """Instance normalization of volumes: statistics of each channel of each sample over all places.

    Formula: out = (x - m) / sqrt(v + eps) * weight + bias.

    Args:
        num_features, eps, momentum, affine, track_running_stats, device, dtype, bias: as for `InstanceNorm1d`.

    Attributes:
        weight, bias, running_mean, running_var, num_batches_tracked: as for `InstanceNorm1d`.

    Raises:
        ValueError: as for `InstanceNorm1d`; at the call: x is neither (C, D, H, W) nor (N, C, D, H, W).

    Source: Ulyanov, Vedaldi and Lempitsky 2016.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.InstanceNorm3d(3)(tn.randn(3, 2, 4, 4)).shape
        (3, 2, 4, 4)
    """

    places = 3
