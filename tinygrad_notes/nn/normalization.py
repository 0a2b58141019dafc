"""Layers that normalize."""
from ..backend import as_device, int64
from ..ops import ones, zeros
from . import functional as F
from .init import ones_, zeros_
from .linear import new_parameter, size
from .module import Module

__all__ = ["BatchNorm1d", "LayerNorm", "RMSNorm"]


def _sizes(normalized_shape):
    shape = normalized_shape if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    return tuple(size("normalized_shape", n, 1) for n in shape)


class LayerNorm(Module):
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
        ValueError: a size is not positive; at the call: x does not end in these sizes.

    Source: Ba, Kiros and Hinton 2016.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LayerNorm(2, eps=0.0)(tn.tensor([[1.0, 3.0]])).tolist()
        [[-1.0, 1.0]]
    """

    def __init__(self, normalized_shape, eps=1e-5, elementwise_affine=True, bias=True, device=None, dtype=None):
        super().__init__()
        self.normalized_shape, self.eps, self.elementwise_affine = _sizes(normalized_shape), eps, elementwise_affine
        for name, wanted in (("weight", elementwise_affine), ("bias", elementwise_affine and bias)):
            self.register_parameter(name, new_parameter(self.normalized_shape, device, dtype) if wanted else None)
        self.reset_parameters()

    def reset_parameters(self):
        """Scale 1, offset 0."""
        if self.weight is not None:
            ones_(self.weight)
        if self.bias is not None:
            zeros_(self.bias)

    def forward(self, input):
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return (f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
                f"bias={self.bias is not None}")


class RMSNorm(Module):
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
        ValueError: a size is not positive; at the call: x does not end in these sizes.

    Source: Zhang and Sennrich 2019.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.RMSNorm(2, elementwise_affine=False)(tn.tensor([[3.0, -3.0]]))
        tensor([[ 1., -1.]])
    """

    def __init__(self, normalized_shape, eps=None, elementwise_affine=True, device=None, dtype=None):
        super().__init__()
        self.normalized_shape, self.eps, self.elementwise_affine = _sizes(normalized_shape), eps, elementwise_affine
        weight = new_parameter(self.normalized_shape, device, dtype) if elementwise_affine else None
        self.register_parameter("weight", weight)
        self.reset_parameters()

    def reset_parameters(self):
        """Scale 1."""
        if self.weight is not None:
            ones_(self.weight)

    def forward(self, input):
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self):
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class _BatchNorm(Module):
    """What batch normalization of any number of axes shares."""

    axes: tuple[int, ...]

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, device=None,
                 dtype=None, *, bias=True):
        super().__init__()
        self.num_features, self.eps, self.momentum = size("num_features", num_features, 1), eps, momentum
        self.affine, self.has_bias, self.track_running_stats = affine, bias, track_running_stats
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(name, new_parameter((num_features,), device, dtype) if wanted else None)
        home = as_device(device)
        made = {"running_mean": lambda: zeros((num_features,), dtype=dtype, device=home),
                "running_var": lambda: ones((num_features,), dtype=dtype, device=home),
                "num_batches_tracked": lambda: zeros((), dtype=int64, device=home)}
        for name, make in made.items():
            self.register_buffer(name, make() if track_running_stats else None)
        self.reset_parameters()

    def reset_running_stats(self):
        """Running mean 0, running variance 1, no batches seen."""
        if self.track_running_stats:
            zeros_(self.running_mean)
            ones_(self.running_var)
            zeros_(self.num_batches_tracked)

    def reset_parameters(self):
        """Scale 1, offset 0, and the running values as at the start."""
        self.reset_running_stats()
        if self.weight is not None:
            ones_(self.weight)
        if self.bias is not None:
            zeros_(self.bias)

    def forward(self, input):
        if input.ndim not in self.axes or input.shape[1] != self.num_features:
            axes = " or ".join(map(str, self.axes))
            raise ValueError(f"{type(self).__name__}: expected {axes} axes with {self.num_features} channels on axis 1,"
                             f" got shape {input.shape}")
        momentum = 0.0 if self.momentum is None else self.momentum
        tracked = self.running_mean is not None
        if self.training and tracked:
            self.num_batches_tracked = self.num_batches_tracked + 1
            if self.momentum is None:  # the mean over all batches
                momentum = 1 / float(self.num_batches_tracked)
        return F.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias,
                            self.training or not tracked, momentum, self.eps)

    def extra_repr(self):
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"bias={self.has_bias}, track_running_stats={self.track_running_stats}")


class BatchNorm1d(_BatchNorm):
    """Mean zero and variance one of each channel over the batch, then a learned scale and offset.

    Formula: out = (x - m) / sqrt(v + eps) * weight + bias; m and v of the batch in training, running averages in
        evaluation.

    Args:
        num_features: number of channels C.
        eps: added to the variance.
        momentum: weight of a new batch in the running averages; None: the plain mean over all batches.
        affine: learn scale and offset.
        bias: learn the offset.
        track_running_stats: keep running averages; without, the batch is used in evaluation too.
        device, dtype: of parameters and buffers.

    Attributes:
        weight, bias: (C,), or None; 1 and 0 at the start.
        running_mean, running_var, num_batches_tracked: buffers, or None.

    Raises:
        ValueError: C is not positive; at the call: x is neither (N, C) nor (N, C, L), or a batch in training has one
            value per channel.

    Source: Ioffe and Szegedy 2015.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.BatchNorm1d(1, eps=0.0, affine=False)(tn.tensor([[1.0], [3.0]]))
        tensor([[-1.],
                [ 1.]])
    """

    axes = (2, 3)
