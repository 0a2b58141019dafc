"""What all plots share: axes with round numbers, the frame around them, and numbers as arrays of the host.

Every element has its color as an attribute, which any viewer shows, and a class (`paper`, `ink`, `faint`, `rule`,
`axis`) by which a page that embeds the picture may color it for the dark.
"""
from __future__ import annotations

import math
from html import escape
from typing import Any

import numpy as np

from .picture import FONT, Picture, number

# Told apart by people who do not see red and green as different; marks and dashes repeat the message without color.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7f3c8d", "#8c564b", "#6b7280", "#a3a500")
MARKS = ("M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z", "M-2.7 -2.7h5.4v5.4h-5.4z", "M0 -3.6L3.3 2.4H-3.3z",
         "M0 -3.8L3.8 0L0 3.8L-3.8 0z", "M-3.4 -1.1h2.3v-2.3h2.2v2.3h2.3v2.2h-2.3v2.3h-2.2v-2.3h-2.3z",
         "M0 3.6L3.3 -2.4H-3.3z", "M-2.9 -1.4l1.5 -1.5L0 -1.5l1.4 -1.4l1.5 1.5L1.5 0l1.4 1.4l-1.5 1.5L0 1.5l-1.4 1.4l"
         "-1.5 -1.5L-1.5 0z")
LEFT, RIGHT, TOP, BOTTOM, ROW = 62, 14, 30, 44, 16
INK, FAINT, PALE, RULE, AXIS = "#111827", "#4b5563", "#374151", "#e5e7eb", "#6b7280"


def numbers(name: str, values: Any, ndim: tuple[int, ...]) -> Any:
    """`values` (numbers or a Tensor) as a float64 NumPy array with one of the numbers of axes in `ndim`.

    Raises:
        ValueError: it has another number of axes, or no element; TypeError: it holds no numbers.
    """
    try:
        found = np.asarray(values.detach() if hasattr(values, "detach") else values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name}: expected numbers, got {type(values).__name__} ({error})") from error
    if found.ndim not in ndim or found.size == 0:
        wanted = " or ".join(str(n) for n in ndim)
        raise ValueError(f"{name}: expected {wanted} axes and at least one element, got shape {found.shape}")
    return found


class Axis:
    """From values to pixels, and where the round numbers are."""

    def __init__(self, low, high, log, start, stop, margin=0.0):
        self.log, self.start, self.stop = log, start, stop
        if log:
            low, high = math.log10(low), math.log10(high)
        if high - low <= 1e-12 * max(abs(low), abs(high)):
            pad = 0.5 * abs(low) if low and not log else 0.5
            low, high = low - pad, high + pad
        margin *= high - low
        self.low, self.high = low - margin, high + margin

    def at(self, value):
        """The pixel of a value."""
        value = math.log10(value) if self.log else value
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)

    def pixels(self, values):
        """The pixels of an array of values."""
        values = np.log10(values) if self.log else values
        return self.start + (values - self.low) / (self.high - self.low) * (self.stop - self.start)

    def ticks(self):
        """(pixel, text) of round numbers along the axis."""
        values = self._decades() if self.log else self._round()
        return [(self.at(v), f"{v:g}".replace("e+0", "e").replace("e-0", "e-")) for v in values]

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


class Frame:
    """A picture under construction: paper, title, two axes; parts are added to it."""

    def __init__(self, width, height, title="", what=""):
        self.width, self.height = width, height
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}" '
            f'width="{number(width)}" height="{number(height)}" font-family="{FONT}" font-size="11" role="img">',
            f"<title>{escape(what or title or 'picture')}</title>",
            f'<rect class="paper" width="{number(width)}" height="{number(height)}" fill="#ffffff"/>',
        ]
        if title:
            size = title_size(title, width - LEFT)
            self.add(f'<text class="ink" x="{LEFT}" y="20" font-size="{size}" font-weight="600" fill="{INK}">'
                     f'{escape(title)}</text>')

    def add(self, *parts):
        """Add pieces of SVG."""
        self.parts += parts

    def yaxis(self, axis, left, right, label="", rules=True):
        """Round numbers at the left, with rules across."""
        for y, text in axis.ticks():
            rule = f'<path class="rule" d="M{left} {number(y)}H{number(right)}" stroke="{RULE}"/>' if rules else ""
            self.add(f'{rule}<text class="faint" x="{left - 6}" y="{number(y + 4)}" text-anchor="end" '
                     f'fill="{FAINT}">{text}</text>')
        if label:
            middle = number((axis.start + axis.stop) / 2)
            self.add(f'<g text-anchor="middle" class="ink" fill="{INK}"><text transform="translate({left - 48} '
                     f'{middle}) rotate(-90)">{escape(label)}</text></g>')

    def xaxis(self, axis, bottom, label="", line=True):
        """Round numbers below."""
        for x, text in axis.ticks():
            self.add(f'<path class="axis" d="M{number(x)} {bottom}v4" stroke="{AXIS}"/><text class="faint" '
                     f'x="{number(x)}" y="{bottom + 17}" text-anchor="middle" fill="{FAINT}">{text}</text>')
        if line:
            self.add(f'<path class="axis" d="M{number(axis.start)} {bottom}H{number(axis.stop)}" stroke="{AXIS}"/>')
        if label:
            middle = number((axis.start + axis.stop) / 2)
            self.add(f'<g text-anchor="middle" class="ink" fill="{INK}"><text x="{middle}" y="{bottom + 36}">'
                     f'{escape(label)}</text></g>')

    def picture(self):
        """The `Picture`."""
        return Picture("\n".join([*self.parts, "</svg>\n"]))


def legend(names, signs, width, left=LEFT, top=38):
    """Names with a sign before each, in as many rows as they need: (SVG text, number of rows).

    Args:
        names: texts.
        signs: function k -> SVG of a sign 20 pixels wide with its middle at (10, 0).
        width: of the picture.
        left, top: where the first begins; y of its base line.
    """
    parts, x, row = [], left, 0
    for k, name in enumerate(names):
        room = 44 + 6.4 * len(name)
        if x > left and x + room > width:
            x, row = left, row + 1
        y = top + ROW * row
        parts.append(f'<g transform="translate({number(x)} {y - 4})">{signs(k)}<text class="faint" x="26" y="4" '
                     f'fill="{PALE}">{escape(name)}</text></g>')
        x += room
    return "".join(parts), row + 1


def title_size(title, room):
    """The size of a title's letters, 14 pixels, or less so that a long one fits; a letter is 0.62 as wide as high."""
    return number(min(14.0, max(8.0, room / (0.62 * max(len(title), 1)))))


def round_step(least):
    """The smallest of 1, 2, 5 times a power of ten that is at least `least`."""
    power = 10.0**math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))
