"""Curves as text for terminals: eight dots per character where the encoding has them, else letters."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .axes import Axis
from .curves import points_of, smoothed

if TYPE_CHECKING:
    from collections.abc import Mapping

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a braille character, by row and column
LETTERS = "*o+x#@%&"
HUES = (34, 33, 32, 35, 36, 31)  # of terminals, for the curves in turn


def text_curves(curves: Mapping[str, Any], title: str = "", xlabel: str = "epoch", *, logy: bool = False,
                smooth: float = 0.0, width: int = 72, height: int = 12, ascii: bool = False,
                color: bool = False) -> str:
    """Draw named curves as lines of text.

    Args:
        curves: as for `plot_curves`.
        title, xlabel: texts.
        logy: logarithmic y axis.
        smooth: share of the past in a moving average, from 0 (none) to below 1; see `plot_curves`.
        width, height: characters of the whole.
        ascii: letters instead of dots.
        color: with the color codes of terminals.

    Returns:
        `height` lines, joined by newlines.

    Raises:
        ValueError: nothing to draw, `smooth` is out of range, or the room is below 24 x 5.

    Example:
        >>> import tinygrad_notes as tn
        >>> print(tn.viz.text_curves({"loss": [4, 2, 1, 1]}, width=32, height=6, ascii=True))
        * loss
        4 |***
          |   ****
          |       *******
        1 |              ***************
          1                      epoch 4
    """
    if width < 24 or height < 5:
        raise ValueError(f"width, height: expected at least 24 x 5, got {width} x {height}")
    found = {name: points_of(name, smoothed(name, curve, smooth), False, logy) for name, curve in curves.items()}
    points = [p for curve in found.values() for p in curve if p is not None]
    if not points:
        raise ValueError("text_curves: no curve has a point that can be drawn")
    (x0, x1), (y0, y1) = ((min(values), max(values)) for values in zip(*points))
    rows = height - 2
    across, down = (1, 1) if ascii else (2, 4)
    ys = Axis(y0, y1, logy, rows * down - 0.51, -0.49)
    marks = _marks(ys, rows, down, y0, y1)
    left = max(map(len, marks.values())) + 2
    columns = width - left
    xs = Axis(x0, x1, False, 0, columns * across - 1)
    grid: list[list[Any]] = [[None] * columns for _ in range(rows)]
    for k, curve in enumerate(found.values()):
        for x, y in _pixels(curve, xs, ys):
            row, column = min(max(y // down, 0), rows - 1), min(max(x // across, 0), columns - 1)
            old = grid[row][column]
            bits = (old[0] if old else 0) | DOTS[y % 4][x % 2] if not ascii else 0
            grid[row][column] = (bits, k)
    paint = (lambda text, k: f"\x1b[{HUES[k % len(HUES)]}m{text}\x1b[0m") if color else lambda text, k: text

    def sign(cell):
        if cell is None:
            return " "
        return paint(LETTERS[cell[1] % len(LETTERS)] if ascii else chr(0x2800 + cell[0]), cell[1])
    bar = "|" if ascii else "\u2502"
    lines = [_names(found, title, width, paint, ascii)]
    lines += [f"{marks.get(k, ''):>{left - 2}} {bar}" + "".join(map(sign, row)).rstrip() for k, row in enumerate(grid)]
    end = f"{xlabel} {x1:g}"
    return "\n".join([*lines, " " * (left - 1) + f"{x0:g}" + f"{end:>{max(columns - len(f'{x0:g}') + 1, 0)}}"])


def _names(found, title, width, paint, ascii):
    """The first line: title and names, as many as there is room for."""
    title = title[:width - 5]
    used = len(title) + (2 if title else 0)
    parts = [title] if title else []
    for k, name in enumerate(found):
        text = f"{LETTERS[k % len(LETTERS)] if ascii else chr(0x2501)} {name}"
        used += len(text) + 2
        if used - 2 + (5 if k < len(found) - 1 else 0) > width:
            parts.append("...")
            break
        parts.append(paint(text, k))
    return "  ".join(parts)


def _marks(ys, rows, down, low, high):
    """{row: number} beside the chart: both ends, and round numbers with a row of their own."""
    marks = {0: f"{high:.4g}", rows - 1: f"{low:.4g}"} if high > low else {rows // 2: f"{low:.4g}"}
    if high > low:
        for pixel, text in ys.ticks():
            row = min(max(round(pixel) // down, 0), rows - 1)
            if not any(abs(row - k) < 2 for k in marks):
                marks[row] = text
    return marks


def _pixels(curve, xs, ys):
    """The dots of a curve: its points, and what lies between neighbours."""
    before = None
    for point in curve:
        if point is None:
            before = None
            continue
        here = round(xs.at(point[0])), round(ys.at(point[1]))
        if before is None:
            yield here
        else:
            (a, b), (c, d) = before, here
            steps = max(abs(c - a), abs(d - b), 1)
            for k in range(steps + 1):
                yield math.floor(a + (c - a) * k / steps + 0.5), math.floor(b + (d - b) * k / steps + 0.5)
        before = here
