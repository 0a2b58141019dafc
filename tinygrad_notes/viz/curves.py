"""Curves over steps or epochs as SVG, with axes, a legend, and no plotting library."""
from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

from .picture import FONT, Picture, number

if TYPE_CHECKING:
    from collections.abc import Mapping

# Told apart by people who do not see red and green as different; the dashes repeat the message without color.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
DASHES = ("", "6 3", "2 2", "8 3 2 3", "1 3", "10 4")
LEFT, RIGHT, TOP, BOTTOM, ROW = 62, 14, 30, 44, 16


def plot_curves(curves: Mapping[str, Any], title: str = "", xlabel: str = "epoch", ylabel: str = "", logy: bool = False,
                width: int = 560, height: int = 340, logx: bool = False) -> Picture:
    """Draw named curves in one frame.

    Args:
        curves: {name: (x, y)}, or {name: y} with x = 1, 2, ...; numbers or Tensors. Values that are not finite (or
            not positive, on a logarithmic axis) break the curve.
        title, xlabel, ylabel: texts.
        logy: logarithmic y axis.
        width, height: in pixels.
        logx: logarithmic x axis.

    Returns:
        A `Picture`.

    Raises:
        ValueError: x and y of a curve differ in length, or there is nothing to draw.

    Example:
        >>> import tinygrad_notes as tn
        >>> picture = tn.viz.plot_curves({"train": [3.0, 2.0, 1.5], "held out": ([1, 3], [3.1, 2.2])}, ylabel="loss")
        >>> picture.svg()[:4]
        '<svg'
    """
    curves = {name: _points(name, curve, logx, logy) for name, curve in curves.items()}
    points = [p for curve in curves.values() for p in curve if p is not None]
    if not points:
        raise ValueError("plot_curves: no curve has a point that can be drawn")
    legend, rows = _legend(list(curves), width)
    top = TOP + ROW * rows
    xs = _Axis([x for x, _ in points], logx, LEFT, width - RIGHT)
    ys = _Axis([y for _, y in points], logy, height - BOTTOM, top)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{FONT}" font-size="11" role="img">',
        f"<title>{escape(title or ylabel or 'curves')}: {escape(', '.join(curves))}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="20" font-size="14" font-weight="600" fill="#111827">{escape(title)}</text>{legend}',
    ]
    for y, text in ys.ticks():
        parts.append(f'<path d="M{LEFT} {number(y)}H{width - RIGHT}" stroke="#e5e7eb"/><text x="{LEFT - 6}" '
                     f'y="{number(y + 4)}" text-anchor="end" fill="#4b5563">{text}</text>')
    for x, text in xs.ticks():
        parts.append(f'<path d="M{number(x)} {height - BOTTOM}v4" stroke="#6b7280"/><text x="{number(x)}" '
                     f'y="{height - BOTTOM + 17}" text-anchor="middle" fill="#4b5563">{text}</text>')
    parts.append(f'<path d="M{LEFT} {height - BOTTOM}H{width - RIGHT}" stroke="#6b7280"/>')
    middle = (LEFT + width - RIGHT) / 2
    center = number((top + height - BOTTOM) / 2)
    parts.append(f'<g text-anchor="middle" fill="#111827"><text x="{number(middle)}" y="{height - 8}">{escape(xlabel)}'
                 f'</text><text transform="translate(14 {center}) rotate(-90)">{escape(ylabel)}</text></g>')
    for k, points in enumerate(curves.values()):
        parts.append(_line(points, xs, ys, k))
    return Picture("\n".join([*parts, "</svg>\n"]))


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


def _points(name, curve, logx, logy):
    """[(x, y) or None for a break]."""
    pair = isinstance(curve, tuple) and len(curve) == 2 and hasattr(curve[0], "__len__")
    y = [float(v) for v in (curve[1] if pair else curve)]
    x = [float(v) for v in curve[0]] if pair else [float(k + 1) for k in range(len(y))]
    if len(x) != len(y):
        raise ValueError(f"curve {name!r}: {len(x)} x for {len(y)} y")
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


def _legend(names, width):
    """The names with a piece of their lines, in as many rows as they need; and how many rows that is."""
    parts, x, row = [], LEFT, 0
    for k, name in enumerate(names):
        room = 44 + 6.4 * len(name)
        if x > LEFT and x + room > width:
            x, row = LEFT, row + 1
        y = 38 + ROW * row
        parts.append(f'<path d="M{number(x)} {y - 4}h20" stroke="{COLORS[k % len(COLORS)]}" stroke-width="2"'
                     f'{_dash(k)}/><text x="{number(x + 26)}" y="{y}" fill="#374151">{escape(name)}</text>')
        x += room
    return "".join(parts), row + 1


def _dash(k):
    return f' stroke-dasharray="{DASHES[k % len(DASHES)]}"' if k % len(DASHES) else ""


class _Axis:
    """From values to pixels, and where the round numbers are."""

    def __init__(self, values, log, start, stop):
        self.log, self.start, self.stop = log, start, stop
        low, high = min(values), max(values)
        if log:
            low, high = math.log10(low), math.log10(high)
        if high - low <= 1e-12 * max(abs(low), abs(high)):
            pad = 0.5 * abs(low) if low and not log else 0.5
            low, high = low - pad, high + pad
        margin = 0.03 * (high - low) if stop < start else 0.0  # the y axis alone gets air
        self.low, self.high = low - margin, high + margin

    def at(self, value):
        """The pixel of a value."""
        value = math.log10(value) if self.log else value
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)

    def ticks(self):
        """(pixel, text) of round numbers along the axis."""
        values = self._decades() if self.log else self._round()
        return [(self.at(v), f"{v:g}") for v in values]

    def _round(self):
        step = round_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [float(f"{k * step:.10g}") for k in range(first, last + 1)]

    def _decades(self):
        first, last = math.floor(self.low), math.ceil(self.high)
        for digits in ((1,), (1, 3), (1, 2, 5), tuple(range(1, 10))):
            found = [d * 10.0**k for k in range(first, last + 1) for d in digits]
            found = [v for v in found if self.low - 1e-9 <= math.log10(v) <= self.high + 1e-9]
            if len(found) >= 3:
                break
        while len(found) > 8:
            found = found[::2]
        return found


def round_step(least):
    """The smallest of 1, 2, 5 times a power of ten that is at least `least`."""
    power = 10.0**math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))
