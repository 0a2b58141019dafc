"""Pooling: the largest element, the mean, or the p-norm of each window that slides over the input.

    N batch   C channels   L, D, H, W sizes of the input   L', D', H', W' of the result
"""
from functools import lru_cache

from ...autograd import Tensor, as_tensor
from ...ops import abs, pow, where
from ...ops import pooling as windows
from .common import number, per_axis

__all__ = [
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices",
]
LAYOUT = {1: "C, L", 2: "C, H, W", 3: "C, D, H, W"}


def planes(name, input, axes):
    """`input` as a Tensor that has `axes` axes after its channels, with or without a batch axis before them.

    Raises:
        ValueError: it has other axes, or one that is empty (the batch may be).
        TypeError: it is boolean or complex.
    """
    if not isinstance(input, Tensor):
        input = as_tensor(input)
    shape = input.shape
    if len(shape) - axes not in (1, 2):
        raise ValueError(f"{name}: input: expected {axes + 2} axes (N, {LAYOUT[axes]}), or {axes + 1} without the "
                         f"batch, got shape {shape}")
    if 0 in shape[-axes - 1:]:
        raise ValueError(f"{name}: input: expected no empty axis but the batch, got shape {shape}")
    if input.dtype.kind not in "fiu":
        raise TypeError(f"{name}: input: expected real numbers, got {input.dtype}")
    return input


def _windows(name, input, axes, kernel_size, stride, padding, dilation, ceil_mode):
    """The input as a Tensor, and where the windows lie."""
    input = planes(name, input, axes)
    options = [tuple(o) if o.__class__ is list else o for o in (kernel_size, stride, padding, dilation)]
    return input, _spans(name, input.shape[-axes:], *options, bool(ceil_mode))


@lru_cache(maxsize=256, typed=True)
def _spans(name, sizes, kernel_size, stride, padding, dilation, ceil_mode):
    axes = len(sizes)
    kernel = per_axis(f"{name}: kernel_size", kernel_size, axes, 1)
    steps = kernel if stride in (None, ()) else per_axis(f"{name}: stride", stride, axes, 1)
    border, gaps = per_axis(f"{name}: padding", padding, axes), per_axis(f"{name}: dilation", dilation, axes, 1)
    return windows.sliding(name, sizes, kernel, steps, border, gaps, ceil_mode)


def _max_pool(name, axes, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices):
    input, spans = _windows(name, input, axes, kernel_size, stride, padding, dilation, ceil_mode)
    return windows.largest(input, spans, return_indices)


def max_pool1d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The largest element of each window of a sequence.

    Formula: out[c, t] = max_k x[c, t * stride - padding + dilation * k] over 0 <= k < kernel_size. Of equal elements
        the first gets the gradient; NaN is larger than all.

    Args:
        input: real, (N, C, L) or (C, L).
        kernel_size: elements in a window, >= 1.
        stride: elements from one window to the next, >= 1; None: `kernel_size`.
        padding: elements of -inf at either end, at most half of `kernel_size`.
        dilation: elements from one element of a window to the next, >= 1.
        ceil_mode: let the last window hang over the end.
        return_indices: return the places of the largest elements too.

    Returns:
        A Tensor (N, C, L') with L' = floor((L + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1), rounded up
        in `ceil_mode`; with `return_indices` a tuple of it and int64 places in [0, L).

    Raises:
        ValueError: a number is out of its range, or no window fits into the input.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.max_pool1d(tn.tensor([[1.0, 4.0, 3.0, 2.0]]), 2, return_indices=True)
        (tensor([[4., 3.]]), tensor([[1, 2]]))
    """
    return _max_pool("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The largest element of each window of an image.

    Formula: out[c, i, j] = max_kl x[c, i * stride - padding + dilation * k, j * stride - padding + dilation * l]. Of
        equal elements the first, row by row, gets the gradient; NaN is larger than all.

    Args:
        input: real, (N, C, H, W) or (C, H, W).
        kernel_size: rows and columns of a window, an int for both or a pair, >= 1.
        stride: steps from one window to the next, >= 1; None: `kernel_size`.
        padding: rows and columns of -inf around the image, at most half of `kernel_size`.
        dilation: steps from one element of a window to the next, >= 1.
        ceil_mode: let the last windows hang over the end.
        return_indices: return the places of the largest elements too.

    Returns:
        A Tensor (N, C, H', W') with sizes as in `max_pool1d`; with `return_indices` a tuple of it and int64 places in
        the flattened image, in [0, H * W).

    Raises:
        ValueError: a number is out of its range, or no window fits into the input.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.max_pool2d(tn.tensor([[[1.0, 3.0], [6.0, 2.0]]]), 2)
        tensor([[[6.]]])
    """
    return _max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The largest element of each window of a volume.

    Formula: as `max_pool2d`, over three axes.

    Args:
        input: real, (N, C, D, H, W) or (C, D, H, W).
        kernel_size, stride, padding, dilation: as in `max_pool2d`, an int or one per axis.
        ceil_mode: let the last windows hang over the end.
        return_indices: return the places of the largest elements too.

    Returns:
        A Tensor (N, C, D', H', W') with sizes as in `max_pool1d`; with `return_indices` a tuple of it and int64 places
        in the flattened volume, in [0, D * H * W).

    Raises:
        ValueError: a number is out of its range, or no window fits into the input.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.max_pool3d(tn.ones((1, 4, 4, 4)), 2).shape
        (1, 2, 2, 2)
    """
    return _max_pool("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool1d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
                            return_indices=False):
    """`max_pool1d` that always returns the places too.

    Args:
        input, kernel_size, stride, padding, dilation, ceil_mode: as in `max_pool1d`.
        return_indices: has no effect.

    Returns:
        A tuple: the largest elements and their places.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.max_pool1d_with_indices(tn.tensor([[1.0, 4.0]]), 2)
        (tensor([[4.]]), tensor([[1]]))
    """
    return _max_pool("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool2d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
                            return_indices=False):
    """`max_pool2d` that always returns the places too.

    Args:
        input, kernel_size, stride, padding, dilation, ceil_mode: as in `max_pool2d`.
        return_indices: has no effect.

    Returns:
        A tuple: the largest elements and their places.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.max_pool2d_with_indices(tn.tensor([[[1.0, 4.0], [2.0, 3.0]]]), 2)
        (tensor([[[4.]]]), tensor([[[1]]]))
    """
    return _max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool3d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
                            return_indices=False):
    """`max_pool3d` that always returns the places too.

    Args:
        input, kernel_size, stride, padding, dilation, ceil_mode: as in `max_pool3d`.
        return_indices: has no effect.

    Returns:
        A tuple: the largest elements and their places.

    Example:
        >>> import tinygrad_notes as tn
        >>> out, places = tn.nn.functional.max_pool3d_with_indices(tn.ones((1, 2, 2, 2)), 2)
        >>> places
        tensor([[[[0]]]])
    """
    return _max_pool("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, True)


def _avg_pool(name, axes, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override=None):
    if divisor_override is not None and (isinstance(divisor_override, bool) or not isinstance(divisor_override, int)
                                         or not divisor_override):
        raise ValueError(f"{name}: divisor_override: expected an int that is not 0, got {divisor_override!r}")
    input, spans = _windows(name, input, axes, kernel_size, stride, padding, 1, ceil_mode)
    return windows.average(input, spans, count_include_pad, divisor_override)


def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """The mean of each window of a sequence.

    Formula: out[c, t] = 1 / n sum_k x[c, t * stride - padding + k] over 0 <= k < kernel_size, with zeros outside.

    Args:
        input: real, (N, C, L) or (C, L).
        kernel_size, stride, padding, ceil_mode: as in `max_pool1d`; the border is 0.
        count_include_pad: whether n counts the elements of the border (never those behind it, of `ceil_mode`).

    Returns:
        A Tensor (N, C, L') with L' as in `max_pool1d`.

    Raises:
        ValueError: a number is out of its range, or no window fits into the input.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.avg_pool1d(tn.tensor([[1.0, 3.0, 5.0]]), 2, stride=1)
        tensor([[2., 4.]])
    """
    return _avg_pool("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)


def avg_pool2d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
               divisor_override=None):
    """The mean of each window of an image.

    Formula: out[c, i, j] = 1 / n sum_kl x[c, i * stride - padding + k, j * stride - padding + l], with zeros outside.

    Args:
        input: real, (N, C, H, W) or (C, H, W).
        kernel_size, stride, padding, ceil_mode: as in `max_pool2d`; the border is 0.
        count_include_pad: whether n counts the elements of the border (never those behind it, of `ceil_mode`).
        divisor_override: n itself, an int that is not 0.

    Returns:
        A Tensor (N, C, H', W') with sizes as in `max_pool1d`.

    Raises:
        ValueError: a number is out of its range, or no window fits into the input.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.avg_pool2d(tn.tensor([[[1.0, 3.0], [6.0, 2.0]]]), 2)
        tensor([[[3.]]])
    """
    return _avg_pool("avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
                     divisor_override)


def avg_pool3d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
               divisor_override=None):
    """The mean of each window of a volume.

    Formula: as `avg_pool2d`, over three axes.

    Args:
        input: real, (N, C, D, H, W) or (C, D, H, W).
        kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override: as in `avg_pool2d`.

    Returns:
        A Tensor (N, C, D', H', W') with sizes as in `max_pool1d`.

    Raises:
        ValueError: a number is out of its range, or no window fits into the input.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.avg_pool3d(tn.ones((1, 2, 2, 2)), 2)
        tensor([[[[1.]]]])
    """
    return _avg_pool("avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad,
                     divisor_override)


def _lp_pool(name, axes, input, norm_type, kernel_size, stride, ceil_mode):
    if norm_type in (float("inf"), -float("inf")):
        sign = 1 if norm_type > 0 else -1
        out = _max_pool(name, axes, sign * abs(planes(name, input, axes)), kernel_size, stride, 0, 1, ceil_mode, False)
        return out if sign > 0 else -out
    p = number(f"{name}: norm_type", norm_type)
    if not p:
        raise ValueError(f"{name}: norm_type: expected a number other than 0")
    count = 1
    for k in per_axis(f"{name}: kernel_size", kernel_size, axes, 1):
        count *= k
    input = planes(name, input, axes)
    total = _avg_pool(name, axes, pow(input, norm_type), kernel_size, stride, 0, ceil_mode, True) * count
    nothing = total == 0  # the slope of a root at 0 is infinite: no gradient there
    return where(nothing, total.detach(), pow(where(nothing, 1, total), 1 / p))


def lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The p-norm of each window of a sequence, of elements that are not negative.

    Formula: out[c, t] = (sum_k x[c, t * stride + k]^p)^(1/p). Where the sum is 0 the gradient is 0.

    Args:
        input: real, (N, C, L) or (C, L).
        norm_type: p, not 0; inf takes the largest absolute value, -inf the smallest.
        kernel_size, stride, ceil_mode: as in `max_pool1d`. A window that hangs over the end counts as one whose missing
            elements have the mean p-th power of the others, as in PyTorch.

    Returns:
        A Tensor (N, C, L') with L' as in `max_pool1d`.

    Raises:
        ValueError: a number is out of its range, or no window fits into the input.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.lp_pool1d(tn.tensor([[3.0, 4.0]]), 2, 2)
        tensor([[5.]])
    """
    return _lp_pool("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The p-norm of each window of an image, of elements that are not negative.

    Formula: as `lp_pool1d`, over two axes.

    Args:
        input: real, (N, C, H, W) or (C, H, W).
        norm_type, kernel_size, stride, ceil_mode: as in `lp_pool1d`, sizes an int or a pair.

    Returns:
        A Tensor (N, C, H', W') with sizes as in `max_pool1d`.

    Raises:
        ValueError: a number is out of its range, or no window fits into the input.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.lp_pool2d(tn.ones((1, 2, 2)), 2, 2)
        tensor([[[2.]]])
    """
    return _lp_pool("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The p-norm of each window of a volume, of elements that are not negative.

    Formula: as `lp_pool1d`, over three axes.

    Args:
        input: real, (N, C, D, H, W) or (C, D, H, W).
        norm_type, kernel_size, stride, ceil_mode: as in `lp_pool1d`, sizes an int or one per axis.

    Returns:
        A Tensor (N, C, D', H', W') with sizes as in `max_pool1d`.

    Raises:
        ValueError: a number is out of its range, or no window fits into the input.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.lp_pool3d(tn.ones((1, 2, 2, 2)), 3, 2)
        tensor([[[[2.]]]])
    """
    return _lp_pool("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)
