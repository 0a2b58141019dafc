"""Batch and instance normalization that learns the number of channels from its first input."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ..autograd import as_tensor
from ..backend import as_device, int64
from ..ops import zeros
from .batchnorm import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
    _InstanceNorm,
    _PerChannel,
)
from .lazy import LazyModuleMixin, UninitializedBuffer, UninitializedParameter, materialize

if TYPE_CHECKING:
    from ..typing import ArrayLike, DeviceLike, DTypeLike

__all__ = ["LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
           "LazyInstanceNorm3d"]


class _Lazy(LazyModuleMixin, _PerChannel):
    def __init__(self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, device: DeviceLike | None = None, dtype: DTypeLike | None = None, *,
                 bias: bool = True) -> None:
        _PerChannel.__init__(self, 1, eps, momentum, False, False, device, dtype, False)
        self.num_features, self.affine, self.track_running_stats = 0, affine, track_running_stats
        if affine:
            self.weight = UninitializedParameter(device=device, dtype=dtype)
        if affine and bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = zeros((), dtype=int64, device=as_device(device))

    def reset_parameters(self) -> None:
        if self.num_features and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: ArrayLike) -> None:
        fresh = self.has_uninitialized_params()
        known = None if fresh else self.weight if self.weight is not None else self.running_mean
        if known is not None:  # values were loaded
            self.num_features = known.shape[0]
            return
        shape = as_tensor(input).shape
        axis = len(shape) - self.places - 1 if isinstance(self, _InstanceNorm) else 1
        if not 0 <= axis < len(shape):
            raise ValueError(f"{type(self).__name__}: expected an axis of channels, got shape {shape}")
        self.num_features = shape[axis]
        names = ("weight", "bias", "running_mean", "running_var")
        materialize(self, **dict.fromkeys(names, (self.num_features,)))
        self.reset_parameters()


class LazyBatchNorm1d(_Lazy, BatchNorm1d):
    """A BatchNorm1d whose num_features is the size of axis 1 of its first input.

    Args:
        eps, momentum, affine, track_running_stats, device, dtype, bias: as for `BatchNorm1d`.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.LazyBatchNorm1d()
        >>> layer(tn.randn(5, 3)).shape, layer.num_features
        ((5, 3), 3)
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_Lazy, BatchNorm2d):
    """A BatchNorm2d whose num_features is the size of axis 1 of its first input.

    Args:
        eps, momentum, affine, track_running_stats, device, dtype, bias: as for `BatchNorm2d`.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.LazyBatchNorm2d()
        >>> layer(tn.randn(5, 3, 2, 2)).shape, layer.num_features
        ((5, 3, 2, 2), 3)
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_Lazy, BatchNorm3d):
    """A BatchNorm3d whose num_features is the size of axis 1 of its first input.

    Args:
        eps, momentum, affine, track_running_stats, device, dtype, bias: as for `BatchNorm3d`.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.LazyBatchNorm3d()
        >>> layer(tn.randn(5, 3, 2, 2, 2)).shape, layer.num_features
        ((5, 3, 2, 2, 2), 3)
    """

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_Lazy, InstanceNorm1d):
    """An InstanceNorm1d whose num_features is the number of channels of its first input; affine by default.

    Args:
        eps, momentum, affine, track_running_stats, device, dtype, bias: as for `InstanceNorm1d`.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.LazyInstanceNorm1d()
        >>> layer(tn.randn(5, 3, 7)).shape, layer.num_features
        ((5, 3, 7), 3)
    """

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_Lazy, InstanceNorm2d):
    """An InstanceNorm2d whose num_features is the number of channels of its first input; affine by default.

    Args:
        eps, momentum, affine, track_running_stats, device, dtype, bias: as for `InstanceNorm2d`.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.LazyInstanceNorm2d()
        >>> layer(tn.randn(3, 4, 4)).shape, layer.num_features
        ((3, 4, 4), 3)
    """

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_Lazy, InstanceNorm3d):
    """An InstanceNorm3d whose num_features is the number of channels of its first input; affine by default.

    Args:
        eps, momentum, affine, track_running_stats, device, dtype, bias: as for `InstanceNorm3d`.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.LazyInstanceNorm3d()
        >>> layer(tn.randn(5, 3, 2, 2, 2)).shape, layer.num_features
        ((5, 3, 2, 2, 2), 3)
    """

    cls_to_become = InstanceNorm3d
