"""Images read at any places: spatial transformers.

    N batch   C channels   D, H, W sizes of the input   D', H', W' of the result
"""
from itertools import product

from ...autograd import Tensor, as_tensor
from ...backend import int64
from ...ops import abs as absolute
from ...ops import arange, clip, expand_dims, floor, matmul, permute_dims, reshape, stack, take, where
from ...ops import round as nearest_even
from ...ops import sum as total

__all__ = ["affine_grid", "grid_sample"]

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")


def affine_grid(theta, size, align_corners=None):
    """Where an affine map reads each pixel of an image: the grid for `grid_sample`.

    Formula: grid[n, i, j] = theta_n (x_j, y_i, 1), with x and y the middles of the pixels, if the outer edges are at -1
        and 1 (with `align_corners`, if the middles of the outer pixels are).

    Args:
        theta: floating, (N, 2, 3), or (N, 3, 4) for volumes; of the result's coordinates to the input's.
        size: shape of the result, (N, C, H, W) or (N, C, D, H, W).
        align_corners: see above; None: False.

    Returns:
        A Tensor (N, H, W, 2) of (x, y), or (N, D, H, W, 3) of (x, y, z).

    Raises:
        ValueError: the shapes do not fit, or a size is not positive.
        TypeError: `theta` is not floating.

    Source: Jaderberg et al. 2015, "Spatial transformer networks", equation 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> identity = tn.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
        >>> tn.nn.functional.affine_grid(identity, (1, 1, 1, 2)).tolist()
        [[[[-0.5, 0.0], [0.5, 0.0]]]]
    """
    theta = theta if isinstance(theta, Tensor) else as_tensor(theta)
    if theta.dtype.kind != "f":
        raise TypeError(f"affine_grid: theta: expected a floating dtype, got {theta.dtype}")
    size = tuple(size)
    if len(size) not in (4, 5) or not all(hasattr(n, "__index__") and n > 0 for n in size):
        raise ValueError(f"affine_grid: size: expected positive (N, C, H, W) or (N, C, D, H, W), got {size}")
    axes = len(size) - 2
    if theta.shape != (size[0], axes, axes + 1):
        raise ValueError(f"affine_grid: theta: expected shape {(size[0], axes, axes + 1)} for size {size}, got "
                         f"{theta.shape}")
    lines = []
    for a, n in enumerate(size[2:]):
        places = arange(n, dtype=theta.dtype, device=theta.device) * 2 + (1 - n)  # n - 1 from the middle to either end
        places = places * (1 / max(n - 1, 1) if align_corners else 1 / n)
        lines.append(reshape(places, [-1 if b == a else 1 for b in range(axes)]) + _zeros(size[2:], theta))
    base = reshape(stack([*lines[::-1], _zeros(size[2:], theta) + 1], axis=-1), (1, -1, axes + 1))
    grid = matmul(base, permute_dims(theta, (0, 2, 1)))  # (1, P, axes + 1), (N, axes + 1, axes) -> (N, P, axes)
    return reshape(grid, (size[0], *size[2:], axes))


def _zeros(shape, like):
    return Tensor.wrap(like.device.xp.zeros(shape, dtype=like.dtype))


def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """The image read at the places of a grid.

    Formula: out[n, c, p] = sum_q w(place(grid[n, p]), q) x[n, c, q], with the weights w of the 2, 1 or 4 nearest
        elements along each axis.

    Args:
        input: floating, (N, C, H, W) or (N, C, D, H, W).
        grid: floating, (N, H', W', 2) of (x, y), or (N, D', H', W', 3) of (x, y, z); -1 and 1 are the outer edges of
            the image, or with `align_corners` the middles of its outer elements. NaN counts as -1.
        mode: "bilinear", "nearest" or "bicubic" (images only).
        padding_mode: what is outside: "zeros", "border" (the nearest element) or "reflection".
        align_corners: see above; None: False.

    Returns:
        A Tensor (N, C, H', W') or (N, C, D', H', W').

    Raises:
        ValueError: the shapes do not fit, or a mode is unknown.

    Source: Jaderberg et al. 2015, "Spatial transformer networks".

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([[[[1.0, 3.0]]]])
        >>> tn.nn.functional.grid_sample(x, tn.tensor([[[[0.0, 0.0]]]]))
        tensor([[[[2.]]]])
    """
    input = input if isinstance(input, Tensor) else as_tensor(input)
    grid = grid if isinstance(grid, Tensor) else as_tensor(grid, like=input)
    _check(input, grid, mode, padding_mode)
    n, c, sizes, count = input.shape[0], input.shape[1], input.shape[2:], grid.shape[1:-1]
    points = reshape(where(grid != grid, -1.0, grid), (-1, len(sizes)))  # (N, ..., axes) -> (P, axes)
    taps = [_taps(points[:, len(sizes) - 1 - a], m, mode, padding_mode, align_corners) for a, m in enumerate(sizes)]
    per_sample = points.shape[0] // max(n, 1)
    first = arange(n, device=input.device).reshape(n, 1)
    first = reshape(first + Tensor.wrap(first.device.xp.zeros((n, per_sample), dtype=int64)), (-1,))
    places, weights = [], []
    for chosen in product(*taps):
        place, weight = first, None
        for (at, w), m in zip(chosen, sizes):
            place = place * m + at
            weight = w if weight is None else weight * w
        places.append(place)
        weights.append(weight)
    last = input.ndim - 1
    rows = reshape(permute_dims(input, (0, *range(2, last + 1), 1)), (-1, c))  # (N, C, H, W) -> (N*H*W, C)
    found = take(rows, stack(places, axis=0), axis=0) * expand_dims(stack(weights, axis=0), axis=-1)  # (taps, P, C)
    out = reshape(total(found, axis=0), (n, *count, c))
    return permute_dims(out, (0, last, *range(1, last)))


def _check(input, grid, mode, padding_mode):
    if mode not in MODES:
        raise ValueError(f"grid_sample: mode: expected one of {', '.join(map(repr, MODES))}, got {mode!r}")
    if padding_mode not in PADDINGS:
        raise ValueError(f"grid_sample: padding_mode: expected one of {', '.join(map(repr, PADDINGS))}, got "
                         f"{padding_mode!r}")
    axes = input.ndim - 2
    if axes not in (2, 3) or 0 in input.shape[1:]:
        raise ValueError("grid_sample: input: expected (N, C, H, W) or (N, C, D, H, W) with no empty axis but the "
                         f"batch, got shape {input.shape}")
    if mode == "bicubic" and axes == 3:
        raise ValueError(f"grid_sample: mode 'bicubic' is for (N, C, H, W), got an input of shape {input.shape}")
    if grid.ndim != input.ndim or grid.shape[0] != input.shape[0] or grid.shape[-1] != axes:
        raise ValueError(f"grid_sample: grid: expected {input.ndim} axes (N, ..., {axes}) with N = {input.shape[0]}, "
                         f"got shape {grid.shape}")
    if grid.dtype != input.dtype or input.dtype.kind != "f":
        raise ValueError(f"grid_sample: expected input and grid of one floating dtype, got {input.dtype} and "
                         f"{grid.dtype}")


def _taps(x, n, mode, padding_mode, align_corners):
    """[(places, weights), ...] of the elements of an axis of n that are read at the coordinates `x`."""
    x = (x + 1) * ((n - 1) / 2) if align_corners else ((x + 1) * n - 1) * 0.5
    if mode != "bicubic":
        x = _moved(x, n, padding_mode, align_corners)
    low, high = (-4, n + 3) if padding_mode != "reflection" else (-2**30, 2**30)
    x = clip(x, low, high)  # further out nothing changes, and the numbers stay integers
    if mode == "nearest":
        return [_tap(nearest_even(x.detach()), x - x + 1, n, "zeros", align_corners)]  # the gradient for x is 0
    low = floor(x.detach())
    t = x - low
    if mode == "bilinear":
        return [_tap(low, 1 - t, n, "zeros", align_corners), _tap(low + 1, t, n, "zeros", align_corners)]
    return [_tap(low + k, w, n, padding_mode, align_corners) for k, w in zip((-1, 0, 1, 2), _cubic(t))]


def _cubic(t, a=-0.75):
    """The weights of the elements at -1, 0, 1 and 2 for a place t between 0 and 1."""
    far = lambda x: ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    near = lambda x: ((a + 2) * x - (a + 3)) * x * x + 1
    return far(t + 1), near(t), near(1 - t), far(2 - t)


def _tap(place, weight, n, padding_mode, align_corners):
    place = _moved(place, n, padding_mode, align_corners)
    inside = (place >= 0) & (place <= n - 1)
    return clip(place, 0, n - 1).astype(int64), where(inside, weight, 0.0)


def _moved(x, n, padding_mode, align_corners):
    """Coordinates brought into the image."""
    if padding_mode == "zeros":
        return x
    if padding_mode == "reflection":
        low, span = (0.0, n - 1) if align_corners else (-0.5, n)
        if not span:
            x = x * 0
        else:
            x = absolute(x - low)
            turns = floor(x.detach() / span)
            rest = x - turns * span
            x = where(turns % 2 == 0, rest, span - rest) + low
    return clip(x, 0, n - 1)
