"""Images made larger or smaller.

    N batch   C channels   L, D, H, W sizes of the input   L', D', H', W' of the result
"""
from math import isfinite

from ...autograd import Tensor, as_tensor
from ...ops import resample as resampling
from .common import per_axis
from .pooling_to_size import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d

__all__ = ["interpolate", "subsample", "upsample", "upsample_bilinear", "upsample_nearest"]

AXES = {"linear": (1,), "bilinear": (2,), "bicubic": (2,), "lanczos": (2,), "trilinear": (3,), "nearest": (1, 2, 3),
        "nearest-exact": (1, 2, 3), "area": (1, 2, 3)}
KIND = {"linear": "linear", "bilinear": "linear", "trilinear": "linear", "bicubic": "cubic", "lanczos": "lanczos"}


def interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None,
                antialias=False):
    """The image at another size.

    Formula: element i of an axis of n, at size n', is read at the place (i + 1/2) n / n' - 1/2 of the input (with
        `align_corners` at i (n - 1) / (n' - 1)), from a weighted sum of its neighbours there: 2 per axis in the linear
        modes, 4 in "bicubic" (Keys' kernel with a = -0.75). "nearest" copies element floor(i n / n'), "nearest-exact"
        floor((i + 1/2) n / n'). "area" is `adaptive_avg_pool`. With `antialias` the weights are those of Pillow: where
        the image shrinks, the filter (triangle, Keys' kernel with a = -0.5, Lanczos) is stretched by n / n'.

    Args:
        input: real, (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: the new sizes, an int or one per axis.
        scale_factor: instead, new size over old, a number or one per axis; sizes are rounded down.
        mode: "nearest", "nearest-exact", "area", "linear" (one axis), "bilinear", "bicubic" (two), "trilinear" (three),
            or "lanczos" (two, with `antialias`).
        align_corners: whether first and last elements of input and result coincide, else their outer edges; None:
            False.
        recompute_scale_factor: take n / n' from the rounded sizes, not from `scale_factor`.
        antialias: "bilinear", "bicubic" and "lanczos" only.

    Returns:
        A Tensor (N, C, L'), (N, C, H', W') or (N, C, D', H', W').

    Raises:
        ValueError: not exactly one of size and scale is given, or an option does not go with the input or the mode.

    Source: Keys 1981, "Cubic convolution interpolation for digital image processing"; the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([[[1.0, 3.0]]])
        >>> tn.nn.functional.interpolate(x, scale_factor=2)
        tensor([[[1., 1., 3., 3.]]])
        >>> tn.nn.functional.interpolate(x, size=3, mode="linear", align_corners=True)
        tensor([[[1., 2., 3.]]])
    """
    return _interpolate("interpolate", input, size, scale_factor, mode, align_corners, recompute_scale_factor,
                        antialias)


def _interpolate(name, input, size, scale_factor, mode, align_corners, recompute=None, antialias=False):
    if not isinstance(input, Tensor):
        input = as_tensor(input)
    if mode not in AXES:
        raise ValueError(f"{name}: mode: expected one of {', '.join(map(repr, AXES))}, got {mode!r}")
    axes = input.ndim - 2
    if axes not in AXES[mode]:
        expected = " or ".join(str(a + 2) for a in AXES[mode])
        raise ValueError(f"{name}: input: mode {mode!r} expects {expected} axes (N, C, ...), got shape {input.shape}")
    if 0 in input.shape[1:]:
        raise ValueError(f"{name}: input: expected no empty axis but the batch, got shape {input.shape}")
    if mode not in KIND and align_corners is not None:
        raise ValueError(f"{name}: align_corners: has no meaning in mode {mode!r}, leave it None")
    if antialias and (axes != 2 or mode not in ("bilinear", "bicubic", "lanczos")):
        raise ValueError(f"{name}: antialias: expected mode 'bilinear', 'bicubic' or 'lanczos', got {mode!r}")
    if mode == "lanczos" and not antialias:
        raise ValueError(f"{name}: mode 'lanczos' needs antialias=True")
    counts, scales = _sizes(name, input, axes, size, scale_factor, recompute)
    if mode == "area":
        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[axes - 1](input, counts)
    if mode in KIND:
        return resampling.filtered(input, counts, KIND[mode], scales, bool(align_corners), bool(antialias))
    return resampling.nearest(input, counts, scales, mode == "nearest-exact")


def _sizes(name, input, axes, size, scale_factor, recompute):
    """The new sizes, and the scales that were given and are to be used as they are (None where not)."""
    if (size is None) == (scale_factor is None):
        raise ValueError(f"{name}: expected either size or scale_factor, got {size!r} and {scale_factor!r}")
    if size is not None:
        if recompute:
            raise ValueError(f"{name}: recompute_scale_factor: has no meaning with an explicit size, got {size!r}")
        if isinstance(size, (tuple, list)) and len(size) != axes:
            raise ValueError(f"{name}: size: expected an int or {axes} of them, got {size!r}")
        return per_axis(f"{name}: size", size, axes, 1), (None,) * axes
    scales = tuple(scale_factor) if isinstance(scale_factor, (tuple, list)) else (scale_factor,) * axes
    if len(scales) != axes or not all(isinstance(s, (int, float)) and isfinite(s) and s > 0 for s in scales):
        raise ValueError(f"{name}: scale_factor: expected positive numbers, one or {axes}, got {scale_factor!r}")
    counts = tuple([int(n * s) for n, s in zip(input.shape[2:], scales)])
    if 0 in counts:
        raise ValueError(f"{name}: scale_factor: {scale_factor!r} leaves nothing of an input of shape {input.shape}")
    return counts, (None,) * axes if recompute else scales


def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """`interpolate` under its old name.

    Args:
        input, size, scale_factor, mode, align_corners: as in `interpolate`.

    Returns:
        A Tensor of the new size.

    Raises:
        ValueError: as `interpolate`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.upsample(tn.tensor([[[1.0, 3.0]]]), scale_factor=2)
        tensor([[[1., 1., 3., 3.]]])
    """
    return _interpolate("upsample", input, size, scale_factor, mode, align_corners)


def upsample_nearest(input, size=None, scale_factor=None):
    """Every element repeated: the simplest way to a larger image.

    Formula: out[i] = x[floor(i n / n')] along each axis.

    Args:
        input, size, scale_factor: as in `interpolate`.

    Returns:
        A Tensor of the new size.

    Raises:
        ValueError: as `interpolate`.

    Source: the notes, section 3.3.3 (duplicate).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.upsample_nearest(tn.tensor([[[[1.0, 2.0]]]]), scale_factor=2)
        tensor([[[[1., 1., 2., 2.],
                  [1., 1., 2., 2.]]]])
    """
    return _interpolate("upsample_nearest", input, size, scale_factor, "nearest", None)


def upsample_bilinear(input, size=None, scale_factor=None):
    """The image at another size, linear between its elements, the corners kept.

    Formula: `interpolate` in mode "bilinear" with `align_corners`.

    Args:
        input: real, (N, C, H, W).
        size, scale_factor: as in `interpolate`.

    Returns:
        A Tensor (N, C, H', W').

    Raises:
        ValueError: as `interpolate`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.upsample_bilinear(tn.tensor([[[[1.0, 2.0]]]]), size=(1, 3))
        tensor([[[[1.0000, 1.5000, 2.0000]]]])
    """
    return _interpolate("upsample_bilinear", input, size, scale_factor, "bilinear", True)


def subsample(input, factor):
    """Every k-th element along all axes but batch and channels: the simplest way to a smaller image.

    Formula: out[c, i, j] = x[c, k i, k j].

    Args:
        input: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        factor: k >= 1, an int or one per axis.

    Returns:
        A Tensor (N, C, ...) with ceil(n / k) elements along each axis.

    Raises:
        ValueError: `factor` is not positive, or the input has other axes.

    Source: the notes, section 3.3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.subsample(tn.tensor([[[1.0, 2.0, 3.0]]]), 2)
        tensor([[[1., 3.]]])
    """
    if not isinstance(input, Tensor):
        input = as_tensor(input)
    if input.ndim not in (3, 4, 5):
        raise ValueError(f"subsample: input: expected 3, 4 or 5 axes (N, C, ...), got shape {input.shape}")
    steps = per_axis("subsample: factor", factor, input.ndim - 2, 1)
    return input[(..., *[slice(None, None, k) for k in steps])]
