"""Elements moved between channels and space, and channels between groups."""
from ...autograd import Tensor, as_tensor
from ...ops import permute_dims, reshape
from .common import per_axis

__all__ = ["channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


def _image(name, input, least):
    if not isinstance(input, Tensor):
        input = as_tensor(input)
    if input.ndim < least:
        raise ValueError(f"{name}: input: expected at least {least} axes, got shape {input.shape}")
    return input


def pixel_shuffle(input, upscale_factor):
    """An image r times larger from r^2 times as many channels.

    Formula: out[c, r i + a, r j + b] = x[r^2 c + r a + b, i, j].

    Args:
        input: (..., C r^2, H, W).
        upscale_factor: r >= 1.

    Returns:
        A Tensor (..., C, H r, W r).

    Raises:
        ValueError: r^2 does not divide the channels.

    Source: Shi et al. 2016, "Real-time single image and video super-resolution using an efficient sub-pixel CNN".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.pixel_shuffle(tn.tensor([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]), 2)
        tensor([[[1., 2.],
                 [3., 4.]]])
    """
    input, (r,) = _image("pixel_shuffle", input, 3), per_axis("pixel_shuffle: upscale_factor", upscale_factor, 1, 1)
    *lead, c, h, w = input.shape
    if c % (r * r):
        raise ValueError(f"pixel_shuffle: upscale_factor {r}: its square must divide the {c} channels of shape "
                         f"{input.shape}")
    n = len(lead)
    x = reshape(input, (*lead, c // (r * r), r, r, h, w))
    x = permute_dims(x, (*range(n + 1), n + 3, n + 1, n + 4, n + 2))  # (..., C, r, r, H, W) -> (..., C, H, r, W, r)
    return reshape(x, (*lead, c // (r * r), h * r, w * r))


def pixel_unshuffle(input, downscale_factor):
    """An image r times smaller with r^2 times as many channels: `pixel_shuffle` undone.

    Formula: out[r^2 c + r a + b, i, j] = x[c, r i + a, r j + b].

    Args:
        input: (..., C, H r, W r).
        downscale_factor: r >= 1.

    Returns:
        A Tensor (..., C r^2, H, W).

    Raises:
        ValueError: r does not divide height and width.

    Source: Shi et al. 2016.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.pixel_unshuffle(tn.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 2).tolist()
        [[[1.0]], [[2.0]], [[3.0]], [[4.0]]]
    """
    input = _image("pixel_unshuffle", input, 3)
    (r,) = per_axis("pixel_unshuffle: downscale_factor", downscale_factor, 1, 1)
    *lead, c, h, w = input.shape
    if h % r or w % r:
        raise ValueError(f"pixel_unshuffle: downscale_factor {r} must divide height and width of shape {input.shape}")
    n = len(lead)
    x = reshape(input, (*lead, c, h // r, r, w // r, r))
    x = permute_dims(x, (*range(n + 1), n + 2, n + 4, n + 1, n + 3))  # (..., C, H, r, W, r) -> (..., C, r, r, H, W)
    return reshape(x, (*lead, c * r * r, h // r, w // r))


def channel_shuffle(input, groups):
    """The channels of several groups dealt out, one of each group in turn.

    Formula: out[:, g k + i] = x[:, (C / g) i + k] for group i of g.

    Args:
        input: (N, C, ...), at least 3 axes.
        groups: g >= 1.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        ValueError: g does not divide the channels, or the input has less than 3 axes.

    Source: Zhang et al. 2018, "ShuffleNet".

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([[[1.0], [2.0], [3.0], [4.0]]])
        >>> tn.nn.functional.channel_shuffle(x, 2).tolist()
        [[[1.0], [3.0], [2.0], [4.0]]]
    """
    input, (g,) = _image("channel_shuffle", input, 3), per_axis("channel_shuffle: groups", groups, 1, 1)
    n, c, *rest = input.shape
    if c % g:
        raise ValueError(f"channel_shuffle: groups {g} must divide the {c} channels of shape {input.shape}")
    x = reshape(input, (n, g, c // g, *rest))
    return reshape(permute_dims(x, (0, 2, 1, *range(3, x.ndim))), input.shape)
