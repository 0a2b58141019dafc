"""Borders around tensors."""
from ...autograd import Tensor, as_tensor
from ...ops.border import cut, extended, surrounded

__all__ = ["pad"]

MODES = ("constant", "reflect", "replicate", "circular")


def pad(input, pad, mode="constant", value=None):
    """The tensor with a border, in PyTorch's order: the last axis first.

    Formula: out[i] = x[i - before] inside; outside `value` ("constant"), the mirror image without the outermost element
        ("reflect"), the nearest element ("replicate"), or the other end ("circular").

    Args:
        input: any dtype and shape for "constant"; else (C, L), (N, C, L) with 2 widths, (C, H, W), (N, C, H, W) with 4,
            or (C, D, H, W), (N, C, D, H, W) with 6.
        pad: (before, after) of the last axis, then of the last but one, and so on. Negative widths cut off.
        mode: see above.
        value: of the border in mode "constant"; None: 0.

    Returns:
        A Tensor longer by before + after along each of these axes.

    Raises:
        ValueError: the widths do not go with the axes or the mode, or more is cut off than there is.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.pad(tn.tensor([[1.0, 2.0, 3.0]]), (2, 1), mode="reflect")
        tensor([[3., 2., 1., 2., 3., 2.]])
        >>> tn.nn.functional.pad(tn.tensor([[1.0, 2.0, 3.0]]), (-1, 1), value=9.0)
        tensor([[2., 3., 9.]])
    """
    if not isinstance(input, Tensor):
        input = as_tensor(input)
    if mode not in MODES:
        raise ValueError(f"pad: mode: expected one of {', '.join(map(repr, MODES))}, got {mode!r}")
    given = tuple(pad) if isinstance(pad, (tuple, list)) else (pad,)
    if len(given) % 2 or not all(hasattr(n, "__index__") and not isinstance(n, bool) for n in given):
        raise ValueError(f"pad: pad: expected pairs of ints, got {pad!r}")
    widths = tuple([(given[i].__index__(), given[i + 1].__index__()) for i in range(0, len(given), 2)][::-1])
    axes = len(widths)
    if axes > input.ndim:
        raise ValueError(f"pad: pad: expected at most {2 * input.ndim} widths for an input of shape {input.shape}, got "
                         f"{pad!r}")
    sizes = input.shape[input.ndim - axes:]
    kept = [n + before + after - (mode == "reflect") for n, (before, after) in zip(sizes, widths)]
    if mode != "replicate":
        kept += [n + min(before, 0) + min(after, 0) for n, (before, after) in zip(sizes, widths)]
    if any(n < 0 for n in kept):
        raise ValueError(f"pad: pad: {pad!r} cuts off more than an input of shape {input.shape} has")
    if mode == "constant":
        return surrounded(input, widths, 0 if value is None else value)
    if value:
        raise ValueError(f"pad: value: has no meaning in mode {mode!r}, got {value!r}")
    return _continued(input, widths, mode, pad)


def _continued(input, widths, mode, pad):
    axes, shape = len(widths), input.shape
    if axes not in (1, 2, 3) or input.ndim not in (axes + 1, axes + 2):
        raise ValueError(f"pad: mode {mode!r} pads the last axis of 2 or 3, two of 3 or 4, or three of 4 or 5, got "
                         f"{2 * axes} widths for an input of shape {shape}")
    if 0 in shape[-axes - 1:]:
        raise ValueError(f"pad: input: expected no empty axis but the batch in mode {mode!r}, got shape {shape}")
    for n, (before, after) in zip(shape[-axes:], widths):
        room = {"reflect": n - 1, "circular": n}.get(mode)
        if room is not None and max(before, after) > room:
            raise ValueError(f"pad: pad: mode {mode!r} can add at most {room} to an axis of {n} elements, got {pad!r} "
                             f"for an input of shape {shape}")
        if mode == "circular" and max(before, after) > n + min(before, 0) + min(after, 0):
            raise ValueError(f"pad: pad: {pad!r} cuts off what it is to repeat, of an input of shape {shape}")
    added = tuple([(max(before, 0), max(after, 0)) for before, after in widths])
    kept = tuple([(min(before, 0), min(after, 0)) for before, after in widths])
    if mode == "circular":
        return extended(cut(input, kept), added, mode)
    return cut(extended(input, added, mode), kept)
