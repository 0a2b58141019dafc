"""Tensors with a border around them."""
import numpy as np

from ..autograd import primitive
from ..autograd.tensor import Tensor, as_tensor
from .axes import as_shape

__all__ = ["pad"]

MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


def _inner(widths, shape):
    return tuple([slice(before, before + n) for (before, _), n in zip(widths, shape)])


def _surround_forward(xp, x, *, widths, value):
    shape = tuple([before + n + after for (before, after), n in zip(widths, x.shape)])
    out = xp.full_like(x, value, shape=shape)
    out[_inner(widths, x.shape)] = x
    return out


_surround = primitive("surround", _surround_forward, kind="gather",
                      x=lambda xp, g, x_shape, widths: xp.crop(g, widths=widths, shape=tuple(x_shape)))
_crop = primitive("crop", lambda xp, x, *, widths, shape: x[_inner(widths, shape)], kind="view",
                  x=lambda xp, g, widths: xp.surround(g, widths=widths, value=0))


def pad(x, pad_width, /, mode="constant", *, constant_values=0):
    """The tensor with a border of given widths, as NumPy pads.

    Formula: out[i + before] = x[i]; outside stands `constant_values` ("constant"), the nearest element ("edge"),
    the mirror image without ("reflect") or with ("symmetric") the outermost element, or the other end ("wrap").

    Args:
        x: tensor.
        pad_width: n for all sides, (before, after) for all axes, or one such pair per axis.
        mode: "constant", "edge", "reflect", "symmetric" or "wrap".
        constant_values: the number around it in mode "constant".

    Returns:
        Tensor longer by before + after along each axis.

    Raises:
        ValueError: a width is negative, the mode unknown, or an empty axis is to be continued.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.pad(tn.tensor([1, 2, 3]), (2, 1), "reflect")
        tensor([3, 2, 1, 2, 3, 2])
    """
    if not isinstance(x, Tensor):
        x = as_tensor(x)
    if mode not in MODES:
        raise ValueError(f"pad: mode: expected one of {', '.join(MODES)}, got {mode!r}")
    widths = _widths(pad_width, x.data.ndim)
    if mode == "constant":
        value = constant_values.item() if hasattr(constant_values, "item") else constant_values
        return _surround(x, widths=widths, value=value)
    from . import take
    for axis, width in enumerate(widths):
        if width != (0, 0):
            if not x.shape[axis]:
                raise ValueError(f"pad: axis {axis} of shape {x.shape} is empty; mode {mode!r} has nothing to continue")
            index = np.pad(np.arange(x.shape[axis]), width, mode)
            x = take(x, Tensor(index, device=x.device), axis=axis)
    return x


def _widths(pad_width, ndim):
    """One (before, after) per axis from NumPy's shorter forms."""
    try:
        given = np.broadcast_to(np.asarray(pad_width), (ndim, 2)).tolist()
        widths = tuple([as_shape("pad", pair) for pair in given])
    except (ValueError, TypeError):
        raise ValueError(f"pad: pad_width: expected an int, a pair or {ndim} pairs, got {pad_width!r}") from None
    if any(w < 0 for pair in widths for w in pair):
        raise ValueError(f"pad: pad_width: expected widths from 0 up, got {pad_width!r}")
    return widths
