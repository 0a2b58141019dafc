"""Why many dimensions are hard to fill: bins, balls, shells and distances."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..autograd import as_tensor
from ..ops import argmax, argmin, astype, eye, matrix_transpose, mean, norm, reshape, square, sum, where
from ..optim.options import in_range, whole

if TYPE_CHECKING:
    from ..typing import ArrayLike


def bins_per_point(dimensions: int, points: int, bins: int = 10) -> float:
    r"""How many cells of a grid there are for each point of data.

    Formula: bins^d / n.

    Args:
        dimensions: number of axes d, an int >= 1.
        points: number of points n, an int >= 1.
        bins: cells per axis, an int >= 1.

    Returns:
        The ratio.

    Raises:
        ValueError: an argument is out of range.

    Source: the notes, 2.2.3 (40 axes of 10 bins make 10^40 cells).

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.bins_per_point(40, 4000)
        2.5e+36
    """
    for name, value in (("dimensions", dimensions), ("points", points), ("bins", bins)):
        whole(name, value, 1)
    return bins**dimensions / points


def ball_volume(dimensions: int, radius: float = 1.0) -> float:
    r"""The volume of a ball.

    Formula: V = r^d pi^(d/2) / Gamma(d/2 + 1); for large d about (2 pi e / d)^(d/2) r^d / sqrt(pi d), which tends to 0.

    Args:
        dimensions: d, an int >= 0.
        radius: r >= 0.

    Returns:
        The volume, in units of r^d.

    Raises:
        ValueError: an argument is out of range.

    Source: the notes, 2.2.3, problem 3 (with Gamma(d/2 + 1) where the notes have d!).

    Example:
        >>> import tinygrad_notes as tn
        >>> [round(tn.analysis.ball_volume(d, 0.5), 6) for d in (1, 2, 3, 10)]
        [1.0, 0.785398, 0.523599, 0.00249]
    """
    whole("dimensions", dimensions, 0)
    in_range("radius", radius, 0)
    if radius == 0:
        return 1.0 if dimensions == 0 else 0.0
    return math.exp(dimensions * (math.log(radius) + math.log(math.pi) / 2) - math.lgamma(dimensions / 2 + 1))


def shell_fraction(dimensions: float, thickness: float = 0.01) -> float:
    r"""How much of a ball lies in its outermost shell.

    Formula: 1 - (1 - t)^d: the volumes of both balls have the same factor.

    Args:
        dimensions: d >= 0.
        thickness: t of the shell as a share of the radius, in [0, 1].

    Returns:
        The share of the volume.

    Raises:
        ValueError: an argument is out of range.

    Source: the notes, 2.2.3, problem 4.

    Example:
        >>> import tinygrad_notes as tn
        >>> round(tn.analysis.shell_fraction(250), 4)
        0.9189
    """
    in_range("dimensions", dimensions, 0)
    in_range("thickness", thickness, 0, 1)
    return 1 - (1 - thickness) ** dimensions


def distance_ratio(points: ArrayLike) -> float:
    r"""The largest distance between two points over the smallest: near 1 where all points are equally far apart.

    Formula: max_{i < j} |x_i - x_j| / min_{i < j} |x_i - x_j|.

    Args:
        points: floating, (N, D), N >= 2.

    Returns:
        The ratio; infinite if two points are equal.

    Raises:
        ValueError: there are no two points.

    Source: UDL, notebook 8.4.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.analysis.distance_ratio(tn.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
        5.0
    """
    x = as_tensor(points)
    if x.ndim != 2 or x.shape[0] < 2:
        raise ValueError(f"points: expected at least two, shape (N, D) with N >= 2, got {x.shape}")
    n = x.shape[0]
    x = astype(x, "float64")
    x = x - mean(x, 0)
    lengths = sum(square(x), 1)
    squares = reshape(lengths, (n, 1)) + lengths - 2 * (x @ matrix_transpose(x))  # (N, N), to find the pairs
    apart = where(eye(n, dtype="bool", device=x.device), math.inf, squares)
    (i, j), (k, m) = divmod(argmax(squares).item(), n), divmod(argmin(apart).item(), n)
    nearest = norm(x[k] - x[m]).item()
    return norm(x[i] - x[j]).item() / nearest if nearest else math.inf
