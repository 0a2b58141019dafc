"""Points and densities in the plane: latent spaces with their classes, what a flow or a mixture has learned."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import Tensor, no_grad
from .axes import BOTTOM, COLORS, LEFT, MARKS, RIGHT, ROW, TOP, Axis, Frame, legend, numbers
from .colors import color_bar, colored, hex_of, image, limits
from .picture import Picture, number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BATCH = 4096  # points of the plane per call of a density
BAR = 62  # room for a scale of colors


def scatter(points: Any, labels: Any = None, title: str = "", xlabel: str = "", ylabel: str = "", *,
            names: Sequence[str] | None = None, values: Any = None, colors: str = "viridis", equal: bool = False,
            xlim: Sequence[float] | None = None, ylim: Sequence[float] | None = None, size: float = 1.0,
            width: int = 480, height: int = 420) -> Picture:
    """Draw points of the plane, by class (color and mark) or by value (color scale).

    Args:
        points: numbers or a Tensor (N, 2). Points that are not finite are left out.
        labels: classes (N,), ints; each gets a color, a mark and a line in the legend.
        title, xlabel, ylabel: texts.
        names: texts of the classes 0, 1, ...; by default their numbers.
        values: numbers (N,) instead of classes.
        colors: the scale of `values`, see `heatmap`.
        equal: one unit is equally long on both axes.
        xlim, ylim: the part of the plane; points outside are left out. By default all of them are inside.
        size: of the marks, 1 being 6 pixels.
        width, height: in pixels.

    Returns:
        A `Picture`.

    Raises:
        ValueError: shapes do not fit, nothing is finite, or both `labels` and `values` are given.
        TypeError: `points` holds no numbers.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.viz.scatter(tn.tensor([[0.0, 1.0], [2.0, 3.0]]), [0, 1], names=["cat", "dog"]).svg()[:4]
        '<svg'
    """
    points, good = _points(points)
    low, high = points[good].min(0), points[good].max(0)
    for k, (name, limit) in enumerate((("xlim", xlim), ("ylim", ylim))):
        if limit is not None:
            low[k], high[k] = _limit(name, limit)
            good &= (points[:, k] >= low[k]) & (points[:, k] <= high[k])
    if labels is not None and values is not None:
        raise ValueError("labels, values: give one of them")
    shown = points[good]
    classes = None if labels is None else _classes(labels, len(points))
    known = [] if classes is None else sorted({int(c) for c in classes})
    texts = [names[c] if names is not None and 0 <= c < len(names) else str(c) for c in known]
    keys, rows = legend(texts, lambda k: _mark(10, 0, known[k], size=1.1), width) if texts else ("", 0)
    right = width - (BAR if values is not None else RIGHT)
    frame = Frame(width, height, title, f"{title or 'points'}: {len(shown)} points")
    xs, ys = _axes(low, high, LEFT, right, TOP + ROW * rows, height - BOTTOM, 0.04, equal)
    frame.add(keys)
    frame.yaxis(ys, LEFT, right, ylabel)
    frame.xaxis(xs, height - BOTTOM, xlabel)
    x, y = xs.pixels(shown[:, 0]), ys.pixels(shown[:, 1])
    size *= min(1.0, max(0.45, (600 / max(len(shown), 1)) ** 0.3))
    if values is not None:
        values = numbers("values", values, (1,))
        if len(values) != len(points):
            raise ValueError(f"values: expected {len(points)}, one per point, got {len(values)}")
        low, high = limits(values, None, None, colors)
        fills = colored(values[good], colors, low, high)
        frame.add(*(_mark(a, b, 0, size, hex_of(c)) for a, b, c in zip(x, y, fills)))
        frame.add(color_bar(colors, low, high, right + 12, TOP, height - BOTTOM))
    else:
        which = np.zeros(len(shown), int) if classes is None else classes[good]
        frame.add(*(_mark(a, b, int(c), size) for a, b, c in zip(x, y, which)))
    return frame.picture()


def density(log_prob: Callable[[Any], Any] | Any, xlim: Sequence[float] = (-4.0, 4.0),
            ylim: Sequence[float] = (-4.0, 4.0), title: str = "", *, points: Any = None, labels: Any = None,
            steps: int = 120, log: bool = True, colors: str = "viridis", high: float | None = None,
            xlabel: str = "", ylabel: str = "", dtype: Any = "float32", device: Any = None, width: int = 480,
            height: int = 420) -> Picture:
    """Draw a density over the plane as a field of color, with points over it.

    Args:
        log_prob: a function of a Tensor (N, 2) that returns log-densities (N,), such as `distribution.log_prob`; or the
            matrix (H, W) of log-densities, first row at the lower end of `ylim`.
        xlim, ylim: the part of the plane.
        title, xlabel, ylabel: texts.
        points: (N, 2) to draw over it, such as the data; those outside are left out.
        labels: their classes (N,).
        steps: points along each axis.
        log: False if the numbers are densities, not their logarithms.
        colors: a scale, see `heatmap`.
        high: the density at the upper end of the scale; by default the largest.
        dtype, device: of the Tensor that `log_prob` gets.
        width, height: in pixels.

    Returns:
        A `Picture`.

    Raises:
        ValueError: shapes do not fit, limits are empty, or no density is finite.
        TypeError: `points` holds no numbers.

    Example:
        >>> import tinygrad_notes as tn
        >>> normal = tn.distributions.MultivariateNormal(tn.zeros(2), tn.eye(2))
        >>> tn.viz.density(normal.log_prob, points=normal.sample((50,)), steps=40).svg()[:4]
        '<svg'
    """
    for name, limit in (("xlim", xlim), ("ylim", ylim)):
        _limit(name, limit)
    field = on_grid(log_prob, xlim, ylim, steps, dtype, device) if callable(log_prob) else log_prob
    field = numbers("log_prob", field, (2,))
    with np.errstate(over="ignore"):
        field = np.exp(field) if log else field
    low, high = limits(field, 0.0, high, colors)
    right = width - BAR
    (x0, x1), (y0, y1) = xlim, ylim
    xs, ys = Axis(x0, x1, False, LEFT, right), Axis(y0, y1, False, height - BOTTOM, TOP)
    frame = Frame(width, height, title, f"{title or 'density'}: 0 to {high:.4g}")
    frame.yaxis(ys, LEFT, right, ylabel, rules=False)
    frame.xaxis(xs, height - BOTTOM, xlabel)
    rgb = colored(field[::-1], colors, low, high)
    frame.add(image(rgb, LEFT, TOP, right - LEFT, height - BOTTOM - TOP, smooth=True))
    frame.add(color_bar(colors, low, high, right + 12, TOP, height - BOTTOM))
    if points is not None:
        points, good = _points(points)
        classes = None if labels is None else _classes(labels, len(points))
        good &= (points >= (xlim[0], ylim[0])).all(1) & (points <= (xlim[1], ylim[1])).all(1)
        for k in np.nonzero(good)[0]:
            at = xs.at(points[k, 0]), ys.at(points[k, 1])
            frame.add(f'<circle cx="{number(at[0])}" cy="{number(at[1])}" r="1.6" fill="#ffffff" fill-opacity="0.75" '
                      'stroke="#111827" stroke-width="0.5"/>' if classes is None else _mark(*at, int(classes[k]), 0.7))
    return frame.picture()


def on_grid(f, xlim, ylim, steps, dtype="float32", device=None):
    """The values (steps, steps) of `f` on a grid of the plane, first row at the lower end of `ylim`.

    Raises:
        ValueError: `f` does not return one number per point.
    """
    x, y = np.meshgrid(np.linspace(*xlim, steps), np.linspace(*ylim, steps))
    grid = np.stack([x.ravel(), y.ravel()], axis=1)
    found = []
    with no_grad():
        for k in range(0, len(grid), BATCH):
            points = grid[k:k + BATCH]
            part = f(Tensor(points, dtype=dtype, device=device))
            shape, n = tuple(part.shape), len(points)
            if shape not in ((n,), (n, 1)):
                raise ValueError(f"log_prob: expected shape ({n},) for as many points, got {shape}")
            found.append(np.asarray(part, dtype=np.float64).reshape(-1))
    return np.concatenate(found).reshape(steps, steps)


def _limit(name, limit):
    low, high = limit
    if not low < high:
        raise ValueError(f"{name}: expected two numbers, the smaller first, got {low}, {high}")
    return low, high


def _points(points):
    """(N, 2) numbers, and which of them are finite."""
    points = numbers("points", points, (2,))
    if points.shape[1] != 2:
        raise ValueError(f"points: expected shape (N, 2), got {points.shape}")
    good = np.isfinite(points).all(1)
    if not good.any():
        raise ValueError("points: none is finite")
    return points, good


def _classes(labels, count):
    found = np.asarray(labels)
    if found.shape != (count,):
        raise ValueError(f"labels: expected shape ({count},), one per point, got {found.shape}")
    if found.dtype.kind not in "iub":
        raise ValueError(f"labels: expected ints, got {found.dtype}; numbers go into `values`")
    return found.astype(int)


def _axes(least, most, left, right, top, bottom, margin, equal):
    """The two axes around points; with `equal`, the one with room to spare is widened."""
    (x0, y0), (x1, y1) = least, most
    if equal:
        unit = max((x1 - x0) / (right - left), (y1 - y0) / (bottom - top)) or 1.0
        (x0, x1), (y0, y1) = (((a + b - unit * n) / 2, (a + b + unit * n) / 2)
                              for a, b, n in ((x0, x1, right - left), (y0, y1, bottom - top)))
    return Axis(x0, x1, False, left, right, margin), Axis(y0, y1, False, bottom, top, margin)


def _mark(x, y, k, size=1.0, fill=None):
    """The mark of class `k`."""
    return (f'<path transform="translate({number(x)} {number(y)}) scale({number(size)})" d="{MARKS[k % len(MARKS)]}" '
            f'fill="{fill or COLORS[k % len(COLORS)]}" fill-opacity="0.85"/>')
