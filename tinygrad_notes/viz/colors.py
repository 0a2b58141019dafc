"""Numbers as colors: scales that are even to the eye, also in gray and for eyes that see fewer colors."""
from __future__ import annotations

from html import escape

import numpy as np

from .axes import FAINT, Axis
from .picture import data_uri, number

# Eleven anchors each, mixed in between: viridis (S. van der Walt and N. Smith, CC0) and Brewer's red to blue.
SCALES = {
    "viridis": "440154 482475 414487 355f8d 2a788e 21918c 22a884 44bf70 7ad151 bddf26 fde725",
    "blues": "ffffff edf3fa dbe8f5 c3daee a3c8e3 7bb2d6 549bc8 3582b9 1b68a6 0d4f8b 08306b",
    "redblue": "053061 2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b 67001f",
    "gray": "ffffff e6e6e6 cdcdcd b4b4b4 9b9b9b 808080 676767 4e4e4e 353535 1c1c1c 000000",
}
MISSING = (211, 211, 211)


def colored(values, name, low, high):
    """An array of numbers as RGB bytes (..., 3); what is not finite is light gray.

    Raises:
        ValueError: there is no scale of this name.
    """
    if name not in SCALES:
        raise ValueError(f"colors: {name!r} is unknown; known: {', '.join(SCALES)}")
    anchors = np.array([[int(c[k:k + 2], 16) for k in (0, 2, 4)] for c in SCALES[name].split()], dtype=np.float64)
    share = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
    good = np.isfinite(share)
    at = np.where(good, share, 0) * (len(anchors) - 1)
    below = np.minimum(at.astype(int), len(anchors) - 2)
    part = (at - below)[..., None]
    mixed = anchors[below] * (1 - part) + anchors[below + 1] * part
    return np.where(good[..., None], np.rint(mixed), MISSING).astype(np.uint8)


def hex_of(rgb):
    """A color of three bytes as `#rrggbb`."""
    return "#" + "".join(f"{int(c):02x}" for c in rgb)


def limits(values, low, high, name):
    """The numbers at both ends of a scale: as given, or of the finite values; around 0 for two-sided scales.

    Raises:
        ValueError: no value is finite, or low is not below high.
    """
    good = values[np.isfinite(values)]
    if good.size == 0:
        raise ValueError("values: none is finite")
    if low is not None and high is not None and not low < high:
        raise ValueError(f"low, high: expected low < high, got {low}, {high}")
    if name == "redblue" and low is None and high is None:
        size = float(np.abs(good).max())
        return -size, size
    return (float(good.min()) if low is None else low), (float(good.max()) if high is None else high)


def image(rgb, x, y, width, height, smooth=False):
    """An array of colors (H, W, 3) as an SVG image stretched over a rectangle."""
    style = "" if smooth else ' style="image-rendering:pixelated"'
    return (f'<image x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" '
            f'preserveAspectRatio="none"{style} href="{data_uri(rgb)}"/>')


def color_bar(name, low, high, x, top, bottom, label=""):
    """The scale as a column of colors with numbers beside it."""
    column = colored(np.linspace(1, 0, 64)[:, None], name, 0.0, 1.0)
    parts = [image(column, x, top, 12, bottom - top, smooth=True),
             f'<rect class="axis" x="{x}" y="{top}" width="12" height="{number(bottom - top)}" fill="none" '
             'stroke="#6b7280" stroke-width="0.5"/>']
    axis = Axis(low, high, False, bottom, top)
    parts += [f'<text class="faint" x="{x + 17}" y="{number(y + 4)}" fill="{FAINT}">{text}</text>'
              for y, text in axis.ticks()]
    if label:
        parts.append(f'<text class="faint" x="{x + 6}" y="{top - 6}" text-anchor="middle" fill="{FAINT}">'
                     f'{escape(label)}</text>')
    return "".join(parts)
