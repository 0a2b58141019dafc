"""Matrices as fields of color: any numbers, and attention weights with their tokens."""
from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .axes import FAINT, INK, PALE, numbers
from .axes import Frame as _Frame
from .colors import color_bar, colored, image, limits
from .picture import Picture, number

if TYPE_CHECKING:
    from collections.abc import Sequence

SIDE, HEAD = 14, 34  # pixels around, and above the field
MOST_TEXTS = 600  # cells that get their number


def heatmap(values: Any, title: str = "", xlabel: str = "", ylabel: str = "", *, xticks: Sequence[Any] | None = None,
            yticks: Sequence[Any] | None = None, colors: str = "viridis", low: float | None = None,
            high: float | None = None, annotate: bool | None = None, cell: float | None = None) -> Picture:
    """Draw a matrix as a field of colored cells, with the scale of the colors.

    Args:
        values: numbers or a Tensor (H, W); row 0 is above. What is not finite is gray.
        title, xlabel, ylabel: texts.
        xticks, yticks: W and H texts for the columns and rows; by default their numbers.
        colors: 'viridis', 'blues', 'gray', or 'redblue' for values of both signs.
        low, high: the numbers at the ends of the scale; by default the extremes of `values`.
        annotate: whether cells show their number; by default up to 12 x 12 cells do.
        cell: pixels per cell; by default so that the longer side has about 360.

    Returns:
        A `Picture`.

    Raises:
        ValueError: `values` is no matrix, nothing in it is finite, or ticks do not fit.
        TypeError: `values` holds no numbers.

    Example:
        >>> import tinygrad_notes as tn
        >>> picture = tn.viz.heatmap(tn.eye(3), "Identity", xticks=["a", "b", "c"])
        >>> picture.svg()[:4]
        '<svg'
    """
    values = numbers("values", values, (2,))
    low, high = limits(values, low, high, colors)
    h, w = values.shape
    cell = cell or _cell(h, w, 360)
    across, down = _ticks("xticks", xticks, w), _ticks("yticks", yticks, h)
    left = SIDE + 10 + 6.6 * max(map(len, down)) + (18 if ylabel else 0)
    field = _Field(values, across, down, cell, xlabel, ylabel)
    width = left + w * cell + 78
    frame = _Frame(max(width, 7.6 * len(title) + 2 * SIDE), HEAD + h * cell + field.foot + SIDE, "",
                   f"{title or 'heat map'}: {h} x {w}, {low:.4g} to {high:.4g}")
    frame.add(_headline(title))
    frame.add(field.draw(left, HEAD, colors, low, high, h * w <= 144 if annotate is None else annotate))
    frame.add(color_bar(colors, low, high, left + w * cell + 14, HEAD, HEAD + max(h * cell, 40)))
    return frame.picture()


def attention_map(weights: Any, queries: Sequence[Any] | None = None, keys: Sequence[Any] | None = None,
                  title: str = "", *, columns: int = 4, names: Sequence[str] | None = None,
                  colors: str = "blues") -> Picture:
    """Draw attention weights: who (rows, queries) looks at whom (columns, keys), one field per head.

    Args:
        weights: numbers or a Tensor (T, S), or (heads, T, S); probabilities, each row adding to 1.
        queries, keys: T and S tokens for rows and columns; `keys` are the `queries` where T = S.
        title: text above.
        columns: fields side by side.
        names: texts above the fields; by default "head 1", ...
        colors: a scale, see `heatmap`. All fields share it, from 0 to the largest weight.

    Returns:
        A `Picture`.

    Raises:
        ValueError: `weights` has another number of axes, or tokens or names do not fit.
        TypeError: `weights` holds no numbers.

    Source: Vaswani et al. 2017, Attention is all you need, figures 3 to 5.

    Example:
        >>> import tinygrad_notes as tn
        >>> weights = tn.nn.functional.softmax(tn.ones((2, 3, 3)), dim=-1)
        >>> tn.viz.attention_map(weights, ["the", "cat", "sat"]).svg()[:4]
        '<svg'
    """
    weights = numbers("weights", weights, (2, 3))
    heads = weights if weights.ndim == 3 else weights[None]
    n, h, w = heads.shape
    if names is None:
        names = [f"head {k + 1}" for k in range(n)] if weights.ndim == 3 else [""]
    if len(names) != n:
        raise ValueError(f"names: expected {n}, one per field, got {len(names)}")
    if keys is None and h == w:
        keys = queries
    across, down = _ticks("keys", keys, w), _ticks("queries", queries, h)
    low, high = limits(heads, 0.0, None, colors)
    columns = min(max(columns, 1), n)
    cell = _cell(h, w, 360 if n == 1 else 190)
    field = _Field(heads[0], across, down, cell, "key" if n == 1 else "", "query" if n == 1 else "")
    left = SIDE + 10 + 6.6 * max(map(len, down)) + (18 if n == 1 else 0)
    top = HEAD + (16 if any(names) else 0)
    wide, tall = left + w * cell + 4, h * cell + field.foot + (26 if any(names) else 6)
    lines = -(-n // columns)
    frame = _Frame(max(columns * wide + 74, 7.6 * len(title) + 2 * SIDE), top + lines * tall, "",
                   f"{title or 'attention'}: {n} x {h} x {w}")
    frame.add(_headline(title))
    for k, (head, name) in enumerate(zip(heads, names)):
        x, y = left + (k % columns) * wide, top + (k // columns) * tall
        field = _Field(head, across, down, cell, field.xlabel, field.ylabel)
        if name:
            frame.add(f'<text class="faint" x="{number(x)}" y="{number(y - 6)}" fill="{PALE}">{escape(name)}</text>')
        frame.add(field.draw(x, y, colors, low, high, n == 1 and h * w <= 144))
    frame.add(color_bar(colors, low, high, columns * wide + 14, top, top + max(min(h * cell, 220), 40)))
    return frame.picture()


class _Field:
    """Colored cells with texts at two sides; `foot` is the room that those below need."""

    def __init__(self, values, across, down, cell, xlabel, ylabel):
        self.values, self.across, self.down, self.cell = values, across, down, cell
        self.xlabel, self.ylabel = xlabel, ylabel
        self.step = max(1, -(-13 // int(max(cell, 1))))  # texts need 13 pixels
        longest = 6.6 * max(len(text) for text in across[::self.step])
        self.tilted = longest > cell * self.step - 2
        self.foot = (0.72 * longest + 16 if self.tilted else 20) + (18 if xlabel else 0)

    def draw(self, x, y, colors, low, high, annotate):
        """The cells with their upper left corner at (x, y), and the texts around."""
        (h, w), cell = self.values.shape, self.cell
        rgb = colored(self.values, colors, low, high)
        parts = [image(rgb, x, y, w * cell, h * cell)]
        parts += [self._below(self.across[k], x + (k + 0.5) * cell, y + h * cell) for k in range(0, w, self.step)]
        parts += [f'<text class="faint" x="{number(x - 6)}" y="{number(y + (k + 0.5) * cell + 4)}" '
                  f'text-anchor="end" fill="{FAINT}">{escape(self.down[k])}</text>' for k in range(0, h, self.step)]
        if annotate and cell >= 14 and h * w <= MOST_TEXTS:
            digits = max(0, 1 - math.floor(math.log10((high - low) or 1.0)))
            parts += [self._inside(i, j, x, y, rgb, digits) for i in range(h) for j in range(w)]
        if self.xlabel:
            parts.append(f'<text class="ink" x="{number(x + w * cell / 2)}" y="{number(y + h * cell + self.foot - 2)}" '
                         f'text-anchor="middle" fill="{INK}">{escape(self.xlabel)}</text>')
        if self.ylabel:
            at = x - 18 - 6.6 * max(map(len, self.down))
            parts.append(f'<text class="ink" transform="translate({number(at)} {number(y + h * cell / 2)}) '
                         f'rotate(-90)" text-anchor="middle" fill="{INK}">{escape(self.ylabel)}</text>')
        return "".join(parts)

    def _below(self, text, x, y):
        if self.tilted:
            where = f'transform="translate({number(x + 4)} {number(y + 10)}) rotate(-45)" text-anchor="end"'
        else:
            where = f'x="{number(x)}" y="{number(y + 14)}" text-anchor="middle"'
        return f'<text class="faint" {where} fill="{FAINT}">{escape(text)}</text>'

    def _inside(self, i, j, x, y, rgb, digits):
        value, cell = self.values[i, j], self.cell
        text = _short(value, digits)
        bright = rgb[i, j] @ np.array([0.299, 0.587, 0.114]) > 140
        size = min(11, cell / max(2.0, 0.62 * len(text)))
        ink = "#111827" if bright else "#ffffff"
        return (f'<text x="{number(x + (j + 0.5) * cell)}" y="{number(y + (i + 0.5) * cell + size / 3)}" '
                f'font-size="{number(size)}" text-anchor="middle" fill="{ink}">{text}</text>')


def _short(value, digits):
    """A number in few characters: two digits of the largest."""
    if not np.isfinite(value):
        return "nan" if np.isnan(value) else "inf"
    if abs(value) >= 1e4 or digits > 4:
        return f"{value:.1e}".replace("e+0", "e").replace("e-0", "e-")
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def _headline(title):
    return (f'<text class="ink" x="{SIDE}" y="21" font-size="14" font-weight="600" fill="{INK}">{escape(title)}</text>'
            if title else "")


def _cell(h, w, size):
    return max(min(size / max(h, w), 44.0), 1.0)


def _ticks(name, texts, count):
    texts = [str(k) for k in range(count)] if texts is None else [str(text) for text in texts]
    if len(texts) != count:
        raise ValueError(f"{name}: expected {count} texts, got {len(texts)}")
    return texts
