"""A batch norm in evaluation folded into the affine layer before it."""
from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from ...autograd import no_grad
from ...ops import reshape, rsqrt
from ..parameter import Parameter

if TYPE_CHECKING:
    from ..batchnorm import BatchNorm1d
    from ..linear import Linear
    from ..module import Module

__all__ = ["fuse_conv_bn_eval", "fuse_linear_bn_eval"]


def fuse_conv_bn_eval(conv: Any, bn: Module, transpose: bool = False) -> Any:
    """One convolution that computes what a convolution and the batch norm behind it compute in evaluation.

    Formula: W' = W s, b' = (b - m) s + beta with s = gamma / sqrt(v + eps), per output channel.

    Args:
        conv: a convolution; `weight` has its output channels on axis 0.
        bn: a batch norm with running averages.
        transpose: for a transposed convolution, which has them on axis 1.

    Returns:
        A new layer of the kind of `conv`; both given ones stay as they are.

    Raises:
        ValueError: a layer is in training mode, `bn` keeps no averages, or the channels differ.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer, bn = tn.nn.Linear(2, 3).eval(), tn.nn.BatchNorm1d(3).eval()
        >>> tn.nn.utils.fuse_linear_bn_eval(layer, bn)
        Linear(in_features=2, out_features=3, bias=True)
    """
    return _fused(conv, bn, 1 if transpose else 0, getattr(conv, "groups", 1) if transpose else 1)


def fuse_linear_bn_eval(linear: Linear, bn: BatchNorm1d) -> Linear:
    """One affine layer that computes what an affine layer and the batch norm behind it compute in evaluation.

    Formula: W' = W s, b' = (b - m) s + beta with s = gamma / sqrt(v + eps), per output.

    Args:
        linear: a `Linear`.
        bn: a batch norm with running averages.

    Returns:
        A new `Linear`; both given layers stay as they are.

    Raises:
        ValueError: a layer is in training mode, `bn` keeps no averages, or the features differ.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer, bn, x = tn.nn.Linear(2, 3).eval(), tn.nn.BatchNorm1d(3).eval(), tn.randn(4, 2)
        >>> tn.allclose(tn.nn.utils.fuse_linear_bn_eval(layer, bn)(x), bn(layer(x)), atol=1e-5)
        True
    """
    return _fused(linear, bn, 0, 1)


def _fused(layer, bn, axis, groups):
    if layer.training or bn.training:
        raise ValueError("fusion: expected both layers in evaluation mode, call .eval() on them")
    if bn.running_mean is None:
        raise ValueError("fusion: expected a batch norm that keeps running averages (track_running_stats)")
    channels = layer.weight.shape[axis] * groups
    if channels != bn.num_features:
        raise ValueError(f"fusion: the layer has {channels} output channels, the batch norm {bn.num_features}")
    with no_grad():
        scale = rsqrt(bn.running_var + bn.eps)
        scale = scale if bn.weight is None else scale * bn.weight
        offset = (0 if layer.bias is None else layer.bias) - bn.running_mean
        offset = offset * scale if bn.bias is None else offset * scale + bn.bias
        weight = layer.weight
        rest = (1,) * (weight.ndim - 1)
        if axis == 0:
            weight = weight * reshape(scale, (channels, *rest))
        else:  # (in, out / groups, ...): the input channels of a group meet its own outputs
            per_group = reshape(weight, (groups, weight.shape[0] // groups, *weight.shape[1:]))
            weight = reshape(per_group * reshape(scale, (groups, 1, channels // groups, *rest[1:])), weight.shape)
    fused = copy.deepcopy(layer)
    for name, values, old in (("weight", weight, layer.weight), ("bias", offset, layer.bias)):
        wanted = old.requires_grad if old is not None else layer.weight.requires_grad
        setattr(fused, name, Parameter(values.astype(layer.weight.dtype), wanted))
    return fused
