"""Normalization: mean zero and variance one over some axes, then a scale and an offset that are learned."""
from math import prod

from ...autograd import Tensor, as_tensor, no_grad
from ...ops import mean as average_of
from ...ops import reshape, rsqrt
from ...ops.normalize import mean_of_squares, moments, scale_channels, standardize, window_total
from .common import number

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]


# What they share ------------------------------------------------------------------------------
def _floating(name, input):
    input = as_tensor(input)
    if input.dtype.kind != "f":
        raise TypeError(f"{name}: input: expected a floating dtype, got {input.dtype}")
    return input


def _matched(name, input, size, **vectors):
    """Vectors of `size` elements (or None) as flat Tensors, everything in the promoted dtype, float16 in float32."""
    found = {}
    for key, vector in vectors.items():
        if vector is not None:
            vector = as_tensor(vector, like=input)
            if vector.shape != size:
                raise ValueError(f"{name}: {key}: expected shape {size}, got {vector.shape}")
            if vector.ndim != 1:
                vector = reshape(vector, (-1,))
        found[key] = vector
    if all(t is None or t.dtype is input.dtype for t in found.values()) and input.dtype.itemsize > 2:
        return input, *found.values()
    kinds = {t.dtype for t in (input, *found.values()) if t is not None}
    wide = max(kinds, key=lambda kind: kind.itemsize)
    wide = "float32" if wide.itemsize < 4 else wide
    if kinds != {wide}:
        input = input.astype(wide)
        found = {key: vector if vector is None else vector.astype(wide) for key, vector in found.items()}
    return input, *found.values()


def _last_axes(name, input, normalized_shape):
    shape = tuple(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    if not shape or input.shape[-len(shape):] != shape:
        raise ValueError(f"{name}: normalized_shape {shape} must be the end of the input's shape {input.shape}")
    return shape, (prod(input.shape[:-len(shape)]), 1, prod(shape), 1)


def _whole(input, view, axes, weight, bias, eps):
    """Standardized over `axes` of `view`, by its own mean and variance."""
    average, var = moments(input, shape=view, axes=axes)
    return standardize(input, average, var, weight, bias, shape=view, axes=axes, eps=eps), average, var


# Over the last axes -----------------------------------------------------------------------------
def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """Mean zero and variance one over the last axes of each sample.

    Formula: out = (x - mean x) / sqrt(var x + eps) * weight + bias, with the variance divided by the count.

    Args:
        input: floating, (..., *normalized_shape).
        normalized_shape: sizes of the axes to normalize over, an int or a tuple.
        weight, bias: of shape `normalized_shape`, or None.
        eps: added to the variance.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: `normalized_shape` is not the end of the input's shape, or weight or bias have another.
        TypeError: the input is not floating.

    Source: Ba, Kiros and Hinton 2016, "Layer normalization".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.layer_norm(tn.tensor([[1.0, 3.0]]), 2, eps=0.0)
        tensor([[-1.,  1.]])
    """
    input = _floating("layer_norm", input)
    shape, view = _last_axes("layer_norm", input, normalized_shape)
    wide, weight, bias = _matched("layer_norm", input, shape, weight=weight, bias=bias)
    out, _, _ = _whole(wide, view, (2, 3), weight, bias, number("eps", eps))
    return _narrowed(out, input)


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
        ValueError: `normalized_shape` is not the end of the input's shape, or the weight has another.
        TypeError: the input is not floating.

    Source: Zhang and Sennrich 2019, "Root mean square layer normalization".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.rms_norm(tn.tensor([[3.0, -3.0]]), 2)
        tensor([[ 1., -1.]])
    """
    input = _floating("rms_norm", input)
    shape, view = _last_axes("rms_norm", input, normalized_shape)
    eps = float(input.device.xp.finfo(input.dtype).eps) if eps is None else number("eps", eps)
    wide, weight = _matched("rms_norm", input, shape, weight=weight)
    square = mean_of_squares(wide, shape=view, axes=(2, 3))
    return _narrowed(standardize(wide, None, square, weight, None, shape=view, axes=(2, 3), eps=eps), input)


def _narrowed(out, input):
    """float16 again, where it was computed in float32."""
    return out.astype(input.dtype) if input.dtype.itemsize == 2 else out


# Per channel ----------------------------------------------------------------------------------
def _channels(name, input, least=2):
    input = _floating(name, input)
    if input.ndim < least and input.size:
        raise ValueError(f"{name}: expected at least {least} axes (N, C, ...), got shape {input.shape}")
    samples, channels = (*input.shape, 0, 0)[:2]
    return input, (samples, channels, 1, prod(input.shape[2:]))


def _running(name, channels, running_mean, running_var):
    """Whether there are running values.

    Raises:
        ValueError: there is one without the other, or it is no Tensor (C,).
    """
    if running_mean is None and running_var is None:
        return False
    for key, running in (("running_mean", running_mean), ("running_var", running_var)):
        if not isinstance(running, Tensor) or running.shape != (channels,):
            given = f"shape {running.shape}" if isinstance(running, Tensor) else type(running).__name__
            raise ValueError(f"{name}: {key}: expected a Tensor of shape {(channels,)}, got {given}")
    return True


def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """Mean zero and variance one of each channel over the batch.

    Formula: out = (x - m) / sqrt(v + eps) * weight + bias; in training m and v are mean and variance (divided by the
        count) of the batch, and running_mean <- (1 - momentum) running_mean + momentum m, running_var likewise with the
        variance divided by the count less one; in evaluation m and v are the running values.

    Args:
        input: floating, (N, C) or (N, C, ...); where its channels lie side by side in memory, so do those of the
            result.
        running_mean, running_var: (C,), given new values in training; or None, in training only.
        weight, bias: (C,), or None.
        training: use the batch.
        momentum: weight of the batch in the running values.
        eps: added to the variance, >= 0, in training > 0.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: fewer than two axes, in training one value per channel, no running values in evaluation, a number
            out of its range, or a vector that is not (C,).
        TypeError: the input is not floating.

    Source: Ioffe and Szegedy 2015, "Batch normalization", algorithms 1 and 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([[1.0], [3.0]])
        >>> tn.nn.functional.batch_norm(x, None, None, training=True)
        tensor([[-1.0000],
                [ 1.0000]])
    """
    input, view = _channels("batch_norm", input)
    eps, n, channels = number("eps", eps, 0, low_open=training), view[0] * view[3], view[1]
    momentum = number("momentum", momentum)
    wide, weight, bias = _matched("batch_norm", input, (channels,), weight=weight, bias=bias)
    tracked = _running("batch_norm", channels, running_mean, running_var)
    if not training:
        if not tracked:
            raise ValueError("batch_norm: evaluation needs running_mean and running_var")
        return _narrowed(_by_running_values(wide, view, running_mean, running_var, weight, bias, eps), input)
    if n == 1:
        raise ValueError(f"batch_norm: expected more than one value per channel when training, got shape {input.shape}")
    out, average, var = _whole(wide, view, (0, 2, 3), weight, bias, eps)
    if n and tracked:
        _update(running_mean, running_var, reshape(average, (-1,)), reshape(var, (-1,)) * (n / (n - 1)), momentum)
    return _narrowed(out, input)


def _by_running_values(input, view, running_mean, running_var, weight, bias, eps):
    mean, var = [t if t.dtype == input.dtype else t.astype(input.dtype) for t in (running_mean, running_var)]
    scale = rsqrt(var + eps)
    scale = scale if weight is None else scale * weight
    offset = -mean * scale
    return scale_channels(input, scale, offset if bias is None else offset + bias, shape=view)


def _update(running_mean, running_var, average, var, momentum):
    """Move the running values towards those of the batch; new arrays, so that pending graphs keep the old ones."""
    for running, new in ((running_mean, average), (running_var, var)):
        running.data = (running.data * (1 - momentum) + new.data * momentum).astype(running.dtype)


def instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True,
                  momentum=0.1, eps=1e-5):
    """Mean zero and variance one of each channel of each sample.

    Formula: out = (x - m) / sqrt(v + eps) * weight + bias, with mean m and variance v over the places of one channel of
        one sample. The running values follow the mean over samples of m, and of v divided by the count less one.

    Args:
        input: floating, (N, C, ...) with at least one more axis.
        running_mean, running_var: (C,), given new values when the input's statistics are used; or None.
        weight, bias: (C,), or None.
        use_input_stats: normalize by the input's own statistics; False: by the running values.
        momentum: weight of the input in the running values.
        eps: added to the variance.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: fewer than three axes, one place per channel, no running values where they are wanted, or a vector
            that is not (C,).
        TypeError: the input is not floating.

    Source: Ulyanov, Vedaldi and Lempitsky 2016, "Instance normalization".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.instance_norm(tn.tensor([[[1.0, 3.0], [0.0, 8.0]]]), eps=0.0)
        tensor([[[-1.,  1.],
                 [-1.,  1.]]])
    """
    input, view = _channels("instance_norm", input, 3)
    eps, (samples, channels, _, places) = number("eps", eps), view
    momentum = number("momentum", momentum)
    wide, weight, bias = _matched("instance_norm", input, (channels,), weight=weight, bias=bias)
    tracked = _running("instance_norm", channels, running_mean, running_var)
    if not use_input_stats:
        if not tracked:
            raise ValueError("instance_norm: use_input_stats=False needs running_mean and running_var")
        return _narrowed(_by_running_values(wide, view, running_mean, running_var, weight, bias, eps), input)
    if places == 1:
        raise ValueError("instance_norm: expected more than one place per channel to have a variance, got shape "
                         f"{input.shape}")
    out, average, var = _whole(wide, view, (2, 3), weight, bias, eps)
    if samples and places and tracked:
        with no_grad():
            average, var = [reshape(average_of(t, 0), (-1,)) for t in (average, var)]
        _update(running_mean, running_var, average, var * (places / (places - 1)), momentum)
    return _narrowed(out, input)


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5):
    """Mean zero and variance one over groups of neighbouring channels of each sample.

    Formula: out = (x - m) / sqrt(v + eps) * weight + bias, with mean m and variance v over the channels of a group and
        all places. One group of all channels gives `layer_norm`, groups of one channel `instance_norm`.

    Args:
        input: floating, (N, C, ...).
        num_groups: number of groups; divides C.
        weight, bias: (C,), or None.
        eps: added to the variance.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: fewer than two axes, `num_groups` is no divisor of C, a group has one value, or a vector that is not
            (C,).
        TypeError: the input is not floating.

    Source: Wu and He 2018, "Group normalization".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.group_norm(tn.tensor([[1.0, 3.0, 0.0, 8.0]]), 2, eps=0.0)
        tensor([[-1.,  1., -1.,  1.]])
    """
    input, (samples, channels, _, places) = _channels("group_norm", input)
    if isinstance(num_groups, bool) or not hasattr(num_groups, "__index__") or num_groups.__index__() < 1:
        raise ValueError(f"group_norm: num_groups: expected an int >= 1, got {num_groups!r}")
    num_groups = num_groups.__index__()
    if channels % num_groups:
        raise ValueError(f"group_norm: num_groups: {channels} channels do not divide into {num_groups} groups (shape "
                         f"{input.shape})")
    view = (samples, num_groups, channels // num_groups, places)
    if samples * view[2] * places == 1:
        raise ValueError(f"group_norm: expected more than one value per group, got shape {input.shape} and "
                         f"{num_groups} groups")
    wide, weight, bias = _matched("group_norm", input, (channels,), weight=weight, bias=bias)
    return _narrowed(_whole(wide, view, (2, 3), weight, bias, number("eps", eps))[0], input)


def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """Each element divided by a power of the mean square of the channels around it.

    Formula: out_c = x_c / (k + alpha / size * sum of x_c'^2 over the `size` channels around c)^beta; channels that do
        not exist count as 0. Around c are size // 2 channels before it and (size - 1) // 2 after.

    Args:
        input: floating, (N, C, ...) with at least one more axis.
        size: width of the window of channels, >= 1.
        alpha, beta: weight and exponent.
        k: added to the mean.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: fewer than three axes, or `size` is not positive.
        TypeError: the input is not floating.

    Source: Krizhevsky, Sutskever and Hinton 2012, section 3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.local_response_norm(tn.tensor([[[3.0], [1.0]]]), 2, alpha=2.0, beta=1.0)
        tensor([[[0.3000],
                 [0.0909]]])
    """
    if isinstance(size, bool) or not hasattr(size, "__index__") or size.__index__() < 1:
        raise ValueError(f"local_response_norm: size: expected an int >= 1, got {size!r}")
    return across_channels("local_response_norm", input, size // 2, (size - 1) // 2, size, alpha, beta, k)


def across_channels(name, input, before, after, size, alpha, beta, k):
    """`local_response_norm` for a window of `before` channels before and `after` after each."""
    input, _ = _channels(name, input, 3)
    total = window_total(input * input, before=before, after=after)
    return input / (k + total * (alpha / size)) ** beta
