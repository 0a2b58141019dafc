"""Curves over steps or epochs as SVG, with axes, a legend, and no plotting library."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .axes import BOTTOM, COLORS, LEFT, RIGHT, ROW, TOP, Axis, Frame, legend
from .picture import Picture, number

if TYPE_CHECKING:
    from collections.abc import Mapping

DASHES = ("", "6 3", "2 2", "8 3 2 3", "1 3", "10 4")


def plot_curves(curves: Mapping[str, Any], title: str = "", xlabel: str = "epoch", ylabel: str = "", logy: bool = False,
                width: int = 560, height: int = 340, logx: bool = False, smooth: float = 0.0) -> Picture:
    """Draw named curves in one frame.

    Args:
        curves: {name: (x, y)}, or {name: y} with x = 1, 2, ...; numbers or Tensors. Values that are not finite (or
            not positive, on a logarithmic axis) break the curve.
        title, xlabel, ylabel: texts.
        logy: logarithmic y axis.
        width, height: in pixels.
        logx: logarithmic x axis.
        smooth: share of the past in a moving average, from 0 (none) to below 1; the curve itself is then drawn faintly.

    Formula: m_t = s m_(t-1) + (1 - s) y_t with m_0 = 0, drawn as m_t / (1 - s^t), which takes the weight of m_0 out.

    Returns:
        A `Picture`.

    Raises:
        ValueError: `smooth` is out of range, x and y of a curve differ in length, or there is nothing to draw.

    Example:
        >>> import tinygrad_notes as tn
        >>> picture = tn.viz.plot_curves({"train": [3.0, 2.0, 1.5], "held out": ([1, 3], [3.1, 2.2])}, ylabel="loss")
        >>> picture.svg()[:4]
        '<svg'
    """
    faint = {name: points_of(name, curve, logx, logy) for name, curve in curves.items()} if smooth else {}
    drawn = {name: points_of(name, smoothed(name, curve, smooth), logx, logy) for name, curve in curves.items()}
    points = [p for curve in (*drawn.values(), *faint.values()) for p in curve if p is not None]
    if not points:
        raise ValueError("plot_curves: no curve has a point that can be drawn")
    names, rows = legend(list(curves), _sign, width)
    (x0, x1), (y0, y1) = ((min(values), max(values)) for values in zip(*points))
    bottom = height - BOTTOM
    xs = Axis(x0, x1, logx, LEFT, width - RIGHT)
    ys = Axis(y0, y1, logy, bottom, TOP + ROW * rows, margin=0.03)  # the y axis alone gets air
    frame = Frame(width, height, title, f"{title or ylabel or 'curves'}: {', '.join(curves)}")
    frame.add(names)
    frame.yaxis(ys, LEFT, width - RIGHT, ylabel)
    frame.xaxis(xs, bottom, xlabel)
    frame.add(*(f'<g opacity="0.25">{_line(points, xs, ys, k)}</g>' for k, points in enumerate(faint.values())))
    frame.add(*(_line(points, xs, ys, k) for k, points in enumerate(drawn.values())))
    return frame.picture()


def plot_variances(traces: Mapping[str, Any], title: str = "", width: int = 560, height: int = 340) -> Picture:
    """Draw variances from layer to layer on a logarithmic axis: straight lines where they grow or fall by a factor.

    Args:
        traces: {name: one number per layer}, as `nn.variance_trace`, `nn.gradient_trace` and `nn.variance_over_inits`
            return them.
        title: text above.
        width, height: in pixels.

    Returns:
        A `Picture`.

    Raises:
        ValueError: no variance is positive.

    Source: the notes, figure 1.6.

    Example:
        >>> import tinygrad_notes as tn
        >>> traces = {f"variance {s}": tn.nn.variance_over_inits([4] * 8, s, nets=100)[0] for s in (1.0, 0.1)}
        >>> tn.viz.plot_variances(traces).svg()[:4]
        '<svg'
    """
    return plot_curves(traces, title, xlabel="layer", ylabel="variance", logy=True, width=width, height=height)


def smoothed(name, curve, share):
    """(x, y) of a curve, y as a moving average; values that are not finite stay, and are left out of it.

    Raises:
        ValueError: x and y differ in length, or `share` is out of range.
    """
    if not 0 <= share < 1:
        raise ValueError(f"smooth: expected a number from 0 to below 1, got {share!r}")
    x, y = _pair(name, curve)
    if share == 0:
        return x, y
    mean, weight, out = 0.0, 0.0, []
    for value in y:
        if math.isfinite(value):
            mean, weight = share * mean + (1 - share) * value, share * weight + (1 - share)
            value = mean / weight
        out.append(value)
    return x, out


def _pair(name, curve):
    pair = isinstance(curve, tuple) and len(curve) == 2 and hasattr(curve[0], "__len__")
    y = [float(v) for v in (curve[1] if pair else curve)]
    x = [float(v) for v in curve[0]] if pair else [float(k + 1) for k in range(len(y))]
    if len(x) != len(y):
        raise ValueError(f"curve {name!r}: {len(x)} x for {len(y)} y")
    return x, y


def points_of(name, curve, logx, logy):
    """[(x, y) or None for a break]."""
    x, y = _pair(name, curve)
    good = [math.isfinite(a) and math.isfinite(b) and (a > 0 or not logx) and (b > 0 or not logy) for a, b in zip(x, y)]
    return [(a, b) if ok else None for a, b, ok in zip(x, y, good)]


def _line(points, xs, ys, k):
    color = COLORS[k % len(COLORS)]
    path, lonely, pen = [], [], "M"
    for before, point, after in zip([None, *points], points, [*points[1:], None]):
        if point is None:
            pen = "M"
            continue
        at = f"{number(xs.at(point[0]))} {number(ys.at(point[1]))}"
        if before is None and after is None:
            x, y = at.split()
            lonely.append(f'<circle cx="{x}" cy="{y}" r="2.5" fill="{color}"/>')
        path.append(f"{pen}{at}")
        pen = "L"
    return f'<path d="{"".join(path)}" fill="none" stroke="{color}" stroke-width="1.6"{_dash(k)}/>' + "".join(lonely)


def _sign(k):
    """A piece of the line of a curve, for the legend."""
    return f'<path d="M0 0h20" stroke="{COLORS[k % len(COLORS)]}" stroke-width="2"{_dash(k)}/>'


def _dash(k):
    return f' stroke-dasharray="{DASHES[k % len(DASHES)]}"' if k % len(DASHES) else ""
