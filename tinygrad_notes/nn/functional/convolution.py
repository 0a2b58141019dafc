"""Convolution and its transpose over one, two or three axes, and windows as columns.

    N batch   C_in, C_out channels   k sizes of the kernel   L, H, W sizes of the input
"""
from math import prod

from ...autograd import Tensor, as_tensor
from ...backend.windows import windows
from ...ops import add, expand_dims, eye, matrix_transpose, pad, reshape, squeeze
from ...ops.convolution import conv, conv_bias, conv_input, fold_columns, unfold_columns
from .common import per_axis

__all__ = ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
           "conv_matrix", "fold", "unfold"]


def borders(name, padding, kernel, stride, dilation):
    """`padding` as a (before, after) pair per axis: numbers, 'valid' for none, or 'same' to keep the sizes.

    Raises:
        ValueError: it is something else, or 'same' with a stride.
    """
    axes = len(kernel)
    if padding == "valid":
        return ((0, 0),) * axes
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ValueError(f"{name}: padding='same' needs stride 1, got stride={stride}")
        return tuple([(d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2) for k, d in zip(kernel, dilation)])
    if isinstance(padding, str):
        raise ValueError(f"{name}: padding: expected 'same', 'valid' or numbers, got {padding!r}")
    return tuple([(p, p) for p in per_axis(f"{name}: padding", padding, axes)])


def batched(name, input, axes, layout):
    """`input` as a Tensor with a batch axis, and whether that axis was added.

    Raises:
        ValueError: it has neither `axes` + 1 nor `axes` + 2 axes.
    """
    if not isinstance(input, Tensor):
        input = as_tensor(input)
    if input.ndim == axes + 1:
        return expand_dims(input, axis=0), True
    if input.ndim != axes + 2:
        raise ValueError(f"{name}: input: expected {axes + 2} axes (N, {layout}), or {axes + 1} without the batch, got "
                         f"shape {input.shape}")
    return input, False


LAYOUTS = ("C, L", "C, H, W", "C, D, H, W")


def _operands(name, axes, input, weight, bias, stride, dilation, groups):
    input, added = batched(name, input, axes, LAYOUTS[axes - 1])
    if not isinstance(weight, Tensor):
        weight = as_tensor(weight, like=input)
    if weight.ndim != axes + 2:
        raise ValueError(f"{name}: weight: expected {axes + 2} axes, got shape {weight.shape}")
    bias = bias if bias is None or isinstance(bias, Tensor) else as_tensor(bias, like=weight)
    kinds = [t.dtype for t in (input, weight, bias) if t is not None]
    if len(set(kinds)) > 1:
        raise TypeError(f"{name}: input, weight and bias must have one dtype, got {', '.join(map(str, kinds))}")
    if min(weight.shape[2:]) < 1:
        raise ValueError(f"{name}: weight: expected a kernel of at least one element, got shape {weight.shape}")
    options = {"stride": per_axis(f"{name}: stride", stride, axes, 1),
               "dilation": per_axis(f"{name}: dilation", dilation, axes, 1),
               "groups": per_axis(f"{name}: groups", groups, 1, 1)[0]}
    return input, added, weight, bias, options


def _convolved(axes, input, weight, bias, stride, padding, dilation, groups):
    name = f"conv{axes}d"
    input, added, weight, bias, options = _operands(name, axes, input, weight, bias, stride, dilation, groups)
    options["padding"] = borders(name, padding, weight.shape[2:], options["stride"], options["dilation"])
    try:
        windows(input.shape, weight.shape, **options)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"{name}: bias: expected shape {weight.shape[:1]}, got {bias.shape}")
    out = conv(input, weight, **options) if bias is None else conv_bias(input, weight, bias, **options)
    return squeeze(out, axis=0) if added else out


def _transposed(axes, input, weight, bias, stride, padding, output_padding, groups, dilation):
    name = f"conv_transpose{axes}d"
    input, added, weight, bias, options = _operands(name, axes, input, weight, bias, stride, dilation, groups)
    more = per_axis(f"{name}: output_padding", output_padding, axes)
    border = per_axis(f"{name}: padding", padding, axes)
    stride, dilation, groups = (options[key] for key in ("stride", "dilation", "groups"))
    if input.shape[1] != weight.shape[0]:
        raise ValueError(f"{name}: weight {weight.shape} expects an input of {weight.shape[0]} channels, got "
                         f"{input.shape[1]}: input {input.shape}")
    if weight.shape[0] % groups:
        raise ValueError(f"{name}: groups={groups} must divide the {weight.shape[0]} channels of the input")
    for m, s, d in zip(more, stride, dilation):
        if m >= max(s, d):
            raise ValueError(f"{name}: output_padding must be smaller than stride or dilation, got output_padding="
                             f"{more}, stride={stride}, dilation={dilation}")
    size = [(n - 1) * s - 2 * p + d * (k - 1) + 1 + m
            for n, s, p, d, k, m in zip(input.shape[2:], stride, border, dilation, weight.shape[2:], more)]
    if min(size) < 1:
        raise ValueError(f"{name}: padding={border} leaves nothing of the output: sizes {tuple(size)} for input "
                         f"{input.shape}, weight {weight.shape}")
    # Up to stride - 1 more elements belong to the last window; what lies beyond is first taken from the border.
    beyond = [max(0, m - s + 1) for m, s in zip(more, stride)]
    tail = tuple([max(0, b - p) for b, p in zip(beyond, border)])
    channels = weight.shape[1] * groups
    shape = (input.shape[0], channels, *[n - t for n, t in zip(size, tail)])
    pairs = tuple([(p, max(0, p - b)) for p, b in zip(border, beyond)])
    if bias is not None and bias.shape != (channels,):
        raise ValueError(f"{name}: bias: expected shape {(channels,)}, got {bias.shape}")
    out = conv_input(input, weight, shape=shape, padding=pairs, **options)
    if any(tail):
        out = pad(out, ((0, 0), (0, 0), *[(0, t) for t in tail]))
    if bias is not None:
        out = add(out, reshape(bias, (channels,) + (1,) * axes))
    return squeeze(out, axis=0) if added else out


def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """A kernel moved along a sequence; with each element of the output a product with what it covers.

    Formula: out[n, o, i] = b[o] + sum over c, t of w[o, c, t] x[n, c, i stride + t dilation - padding]: the kernel is
        not turned around (cross-correlation). The output has floor((L + 2 padding - dilation (k - 1) - 1) / stride) + 1
        elements.

    Args:
        input: floating, (N, C_in, L) or (C_in, L).
        weight: (C_out, C_in / groups, k).
        bias: (C_out,), or None.
        stride: elements from one window to the next.
        padding: zeros on both sides, a number; 'valid' for none; 'same' (stride 1) to keep L, one more behind if odd.
        dilation: distance of the kernel's elements; 1 leaves no gap (some books call that 0).
        groups: input and output channels in so many groups of their own.

    Returns:
        A Tensor (N, C_out, L_out) or (C_out, L_out).

    Raises:
        ValueError: shapes do not fit, the kernel reaches beyond the padded input, or an option is out of range.

    Source: Prince 2023, "Understanding deep learning", section 10.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> x, w = tn.tensor([[1.0, 2.0, 3.0, 4.0]]), tn.tensor([[[1.0, 0.0, -1.0]]])
        >>> tn.nn.functional.conv1d(x, w, padding=1)
        tensor([[-2., -2., -2.,  3.]])
    """
    return _convolved(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """A kernel moved over an image; each element of the output is a product with what it covers.

    Formula: out[n, o, i, j] = b[o] + sum over c, s, t of w[o, c, s, t] x[n, c, i stride + s dilation - padding, ...].

    Args:
        input: floating, (N, C_in, H, W) or (C_in, H, W).
        weight: (C_out, C_in / groups, kH, kW).
        bias, stride, padding, dilation, groups: as in `conv1d`; stride, padding and dilation an int or one per axis.

    Returns:
        A Tensor (N, C_out, H_out, W_out) or (C_out, H_out, W_out).

    Raises:
        ValueError: as `conv1d`.

    Source: Prince 2023, "Understanding deep learning", section 10.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.conv2d(tn.ones((1, 4, 4)), tn.ones((1, 1, 3, 3)), stride=(1, 2), padding=1)
        tensor([[[4., 6.],
                 [6., 9.],
                 [6., 9.],
                 [4., 6.]]])
    """
    return _convolved(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """A kernel moved through a volume; each element of the output is a product with what it covers.

    Args:
        input: floating, (N, C_in, D, H, W) or (C_in, D, H, W).
        weight: (C_out, C_in / groups, kD, kH, kW).
        bias, stride, padding, dilation, groups: as in `conv2d`.

    Returns:
        A Tensor (N, C_out, D_out, H_out, W_out), or without N.

    Raises:
        ValueError: as `conv1d`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.conv3d(tn.ones((1, 2, 2, 2)), tn.ones((1, 1, 2, 2, 2))).item()
        8.0
    """
    return _convolved(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The transpose of `conv1d` with the same weight: each element of the input paints a kernel onto the output.

    Formula: out[n, o, i stride + t dilation - padding] += w[c, o, t] x[n, c, i], then + b[o]; the output has
        (L - 1) stride - 2 padding + dilation (k - 1) + output_padding + 1 elements.

    Args:
        input: floating, (N, C_in, L) or (C_in, L).
        weight: (C_in, C_out / groups, k).
        bias: (C_out,), or None.
        stride: distance of the kernels painted.
        padding: elements cut off on both sides of the output.
        output_padding: elements added at the end, less than stride or dilation: tells apart the input sizes that a
            strided convolution takes to the same output size.
        groups, dilation: as in `conv1d`.

    Returns:
        A Tensor (N, C_out, L_out) or (C_out, L_out).

    Raises:
        ValueError: shapes do not fit, nothing is left of the output, or an option is out of range.

    Source: Prince 2023, "Understanding deep learning", section 10.4.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.conv_transpose1d(tn.tensor([[1.0, 2.0]]), tn.tensor([[[1.0, 1.0, 1.0]]]), stride=2)
        tensor([[1., 1., 3., 2., 2.]])
    """
    return _transposed(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The transpose of `conv2d` with the same weight: each element of the input paints a kernel onto the output.

    Args:
        input: floating, (N, C_in, H, W) or (C_in, H, W).
        weight: (C_in, C_out / groups, kH, kW).
        bias, stride, padding, output_padding, groups, dilation: as in `conv_transpose1d`; an int or one per axis.

    Returns:
        A Tensor (N, C_out, H_out, W_out) or (C_out, H_out, W_out).

    Raises:
        ValueError: as `conv_transpose1d`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.conv_transpose2d(tn.ones((1, 1, 2)), tn.ones((1, 1, 2, 2)))
        tensor([[[1., 2., 1.],
                 [1., 2., 1.]]])
    """
    return _transposed(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The transpose of `conv3d` with the same weight: each element of the input paints a kernel onto the output.

    Args:
        input: floating, (N, C_in, D, H, W) or (C_in, D, H, W).
        weight: (C_in, C_out / groups, kD, kH, kW).
        bias, stride, padding, output_padding, groups, dilation: as in `conv_transpose2d`.

    Returns:
        A Tensor (N, C_out, D_out, H_out, W_out), or without N.

    Raises:
        ValueError: as `conv_transpose1d`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.conv_transpose3d(tn.ones((1, 1, 1, 1)), tn.ones((1, 4, 2, 2, 2)), stride=2).shape
        (4, 2, 2, 2)
    """
    return _transposed(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_matrix(weight, size, stride=1, padding=0, dilation=1, groups=1):
    """The banded matrix that a convolution is: few different numbers, most of them zero.

    Formula: out @ x.reshape(-1) = conv(x, weight).reshape(-1) for every x (C_in, *size) without a batch axis.

    Args:
        weight: (C_out, C_in / groups, *k), over one to three axes.
        size: sizes of the input along these axes, an int or one per axis.
        stride, padding, dilation, groups: as in `conv1d`.

    Returns:
        A Tensor (C_out * prod(out), C_in * prod(size)), differentiable in `weight`.

    Raises:
        ValueError: as `conv1d`.

    Source: the notes, section 3.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.conv_matrix(tn.tensor([[[1.0, 2.0]]]), 4)
        tensor([[1., 2., 0., 0.],
                [0., 1., 2., 0.],
                [0., 0., 1., 2.]])
    """
    weight = as_tensor(weight)
    axes = weight.ndim - 2
    if axes not in (1, 2, 3):
        raise ValueError(f"conv_matrix: weight: expected 3 to 5 axes, got shape {weight.shape}")
    sizes = per_axis("conv_matrix: size", size, axes, 1)
    channels = weight.shape[1] * per_axis("conv_matrix: groups", groups, 1, 1)[0]
    n = channels * prod(sizes)
    unit = reshape(eye(n, dtype=weight.dtype, device=weight.device), (n, channels, *sizes))
    out = _convolved(axes, unit, weight, None, stride, padding, dilation, groups)
    return matrix_transpose(reshape(out, (n, prod(out.shape[1:]))))


def _window_options(name, kernel_size, dilation, padding, stride):
    kernel = per_axis(f"{name}: kernel_size", kernel_size, 2, 1)
    border = per_axis(f"{name}: padding", padding, 2)
    return {"kernel": kernel, "stride": per_axis(f"{name}: stride", stride, 2, 1),
            "padding": tuple([(p, p) for p in border]), "dilation": per_axis(f"{name}: dilation", dilation, 2, 1)}


def _windows(what, sizes, options):
    """How many windows there are along each axis of an image.

    Raises:
        ValueError: there is none.
    """
    reach = [d * (k - 1) + 1 for k, d in zip(options["kernel"], options["dilation"])]
    padded = [n + low + high for n, (low, high) in zip(sizes, options["padding"])]
    if any(n < r for n, r in zip(padded, reach)):
        raise ValueError(f"{what}: the kernel reaches over {reach[0]} x {reach[1]} elements, but the padded input has "
                         f"only {padded[0]} x {padded[1]}: sizes {tuple(sizes)}, kernel_size {options['kernel']}")
    return [(n - r) // s + 1 for n, r, s in zip(padded, reach, options["stride"])]


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """Every window of an image as a column (im2col).

    Formula: out[n, (c, s, t), (i, j)] = x[n, c, i stride + s dilation - padding, j stride + t dilation - padding].

    Args:
        input: (N, C, H, W) or (C, H, W).
        kernel_size, dilation, padding, stride: an int or a pair.

    Returns:
        A Tensor (N, C kH kW, L) or (C kH kW, L); L is the number of windows.

    Raises:
        ValueError: no window fits, the shape is another, or an option is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.unfold(tn.tensor([[[1.0, 2.0, 3.0]]]), (1, 2))
        tensor([[1., 2.],
                [2., 3.]])
    """
    options = _window_options("unfold", kernel_size, dilation, padding, stride)
    input, added = batched("unfold", input, 2, "C, H, W")
    _windows("unfold: input", input.shape[2:], options)
    out = unfold_columns(input, **options)
    return squeeze(out, axis=0) if added else out


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """The transpose of `unfold`: columns are put back where windows were, and what overlaps is added (col2im).

    Args:
        input: (N, C kH kW, L) or (C kH kW, L).
        output_size: (H, W) of the image, an int or a pair.
        kernel_size, dilation, padding, stride: as in `unfold`.

    Returns:
        A Tensor (N, C, H, W) or (C, H, W).

    Raises:
        ValueError: L is not the number of windows, the first size no multiple of kH kW, or an option is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.fold(tn.tensor([[1.0, 2.0], [2.0, 3.0]]), (1, 3), (1, 2))
        tensor([[[1., 4., 3.]]])
    """
    options = _window_options("fold", kernel_size, dilation, padding, stride)
    size = per_axis("fold: output_size", output_size, 2, 1)
    input, added = batched("fold", input, 1, "C kH kW, L")
    taps = options["kernel"][0] * options["kernel"][1]
    if input.shape[1] % taps:
        raise ValueError(f"fold: input: expected a multiple of kH kW = {taps} rows, got shape {input.shape}")
    places = _windows("fold: output_size", size, options)
    if input.shape[2] != places[0] * places[1]:
        raise ValueError(f"fold: input: expected {places[0]} x {places[1]} = {places[0] * places[1]} columns for an "
                         f"image of {size}, got shape {input.shape}")
    out = fold_columns(input, shape=(input.shape[0], input.shape[1] // taps, *size), **options)
    return squeeze(out, axis=0) if added else out
