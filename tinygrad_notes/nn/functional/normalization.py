"""Normalization: mean zero and variance one over some axes, then a scale and an offset that are learned."""
from ...autograd import Tensor, as_tensor, no_grad
from ...ops import reshape, rsqrt
from ...ops.axes import count
from ...ops.normalize import center, unit_rms
from .common import number

__all__ = ["batch_norm", "layer_norm", "rms_norm"]


def _last_axes(name, input, normalized_shape):
    shape = tuple(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    if not shape or input.shape[-len(shape):] != shape:
        raise ValueError(f"{name}: normalized_shape {shape} must be the end of the input's shape {input.shape}")
    return tuple(range(input.ndim - len(shape), input.ndim))


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Mean zero and variance one over the last axes of each sample.

    Formula: out = (x - mean x) / sqrt(var x + eps) * weight + bias, with the variance divided by the count.

    Args:
        input: floating, (..., *normalized_shape).
        normalized_shape: sizes of the axes to normalize over, an int or a tuple.
        weight, bias: of shape `normalized_shape`, or None.
        eps: added to the variance, >= 0.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: `normalized_shape` is not the end of the input's shape.

    Source: Ba, Kiros and Hinton 2016, "Layer normalization".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.layer_norm(tn.tensor([[1.0, 3.0]]), 2, eps=0.0)
        tensor([[-1.,  1.]])
    """
    input = as_tensor(input)
    axes = _last_axes("layer_norm", input, normalized_shape)
    out = unit_rms(center(input, axis=axes), axis=axes, eps=number("eps", eps, 0))
    out = out if weight is None else out * weight
    return out if bias is None else out + bias


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """Mean square one over the last axes of each sample.

    Formula: out = x / sqrt(mean x^2 + eps) * weight.

    Args:
        input: floating, (..., *normalized_shape).
        normalized_shape: sizes of the axes to normalize over, an int or a tuple.
        weight: of shape `normalized_shape`, or None.
        eps: added to the mean square; None: the spacing of the input's dtype at 1.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: `normalized_shape` is not the end of the input's shape.

    Source: Zhang and Sennrich 2019, "Root mean square layer normalization".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.rms_norm(tn.tensor([[3.0, -3.0]]), 2)
        tensor([[ 1., -1.]])
    """
    input = as_tensor(input)
    axes = _last_axes("rms_norm", input, normalized_shape)
    eps = float(input.device.xp.finfo(input.dtype).eps) if eps is None else number("eps", eps, 0)
    out = unit_rms(input, axis=axes, eps=eps)
    return out if weight is None else out * weight


def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """Mean zero and variance one of each channel over the batch.

    Formula: out = (x - m) / sqrt(v + eps) * weight + bias; in training m and v are mean and variance (divided by the
        count) of the batch, and running_mean <- (1 - momentum) running_mean + momentum m, running_var likewise with the
        variance divided by the count less one; in evaluation m and v are the running values.

    Args:
        input: floating, (N, C) or (N, C, ...).
        running_mean, running_var: (C,), given new values in training; or None, in training only.
        weight, bias: (C,), or None.
        training: use the batch.
        momentum: weight of the batch in the running values, in [0, 1].
        eps: added to the variance, >= 0.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: fewer than two axes, or in training one value per channel, or no running values in
            evaluation.

    Source: Ioffe and Szegedy 2015, "Batch normalization", algorithms 1 and 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([[1.0], [3.0]])
        >>> tn.nn.functional.batch_norm(x, None, None, training=True, eps=0.0)
        tensor([[-1.],
                [ 1.]])
    """
    input = as_tensor(input)
    eps = number("eps", eps, 0)
    if input.ndim < 2:
        raise ValueError(f"batch_norm: expected at least two axes (N, C), got shape {input.shape}")
    axes = (0, *range(2, input.ndim))
    column = (input.shape[1],) + (1,) * (input.ndim - 2)  # (C,) -> (C, 1, ...), to meet (N, C, ...)
    if training:
        n = count(input.shape, axes)
        if n == 1:
            raise ValueError("batch_norm: expected more than one value per channel when training, got shape "
                             f"{input.shape}")
        if n and running_mean is not None:
            _update(input, axes, n, running_mean, running_var, number("momentum", momentum, 0, high=1))
        out = unit_rms(center(input, axis=axes), axis=axes, eps=eps) if n else input
    else:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm: evaluation needs running_mean and running_var")
        out = (input - reshape(running_mean, column)) * rsqrt(reshape(running_var, column) + eps)
    out = out if weight is None else out * reshape(weight, column)
    return out if bias is None else out + reshape(bias, column)


def _update(input, axes, n, running_mean, running_var, momentum):
    """Move the running values towards those of the batch; new arrays, so that pending graphs keep the old ones."""
    with no_grad():
        x = input.detach()
        mean = x.mean(axes)
        var = x.var(axes, correction=1)
        for running, new in ((running_mean, mean), (running_var, var)):
            if not isinstance(running, Tensor) or running.shape != new.shape:
                raise ValueError(f"batch_norm: running values: expected Tensors of shape {new.shape}")
        for running, new in ((running_mean, mean), (running_var, var)):
            running.data = (running * (1 - momentum) + new * momentum).astype(running.dtype).data
