"""Contact sheets: many small images in captioned bands, as one picture."""
from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from .picture import FONT, Picture, data_uri, number

GAP, MARGIN, CAPTION = 2, 12, 22  # pixels between images, around all, and above each band
PAPER = 255
LARGE = 40  # pixels that the larger side of an image has at least, by default


def image_sheet(bands: Any, columns: int = 10, zoom: int | None = None, title: str = "") -> Picture:
    """A sheet of small images, band after band.

    Args:
        bands: {caption: images}; images of shape (N, H, W), or (N, 3, H, W) in red, green and blue, or signals of shape
            (N, T), which are drawn as curves. Values from 0 (paper) to 1 (ink), of colors from 0 (dark) to 1 (light);
            outside is clipped. Signals are scaled to the range of their band.
        columns: images per row.
        zoom: screen pixels per image pixel; None: as many as make the larger side of an image at least 40,
            that of a signal 80.
        title: a line above all.

    Returns:
        A `Picture`, SVG with captions or PNG without.

    Raises:
        ValueError: a band has another shape, is empty, or `columns` or `zoom` is below 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> images = tn.data.digits.load(flat=False)[1].tensors[0][:20, 0]
        >>> tn.viz.image_sheet({"digits": images}).png()[:4]
        b'\\x89PNG'
    """
    if columns < 1 or zoom is not None and zoom < 1:
        raise ValueError(f"columns, zoom: expected ints >= 1, got {columns}, {zoom}")
    if not bands:
        raise ValueError("bands: there is none")
    grids = {}
    for caption, images in bands.items():
        pixels = _as_images(caption, images)
        large = LARGE * (2 if np.ndim(images) == 2 else 1)
        grids[caption] = _grid(pixels, columns, zoom or -(-large // max(pixels.shape[1:3])))
    if any(grid.ndim == 3 for grid in grids.values()):
        grids = {caption: grid if grid.ndim == 3 else np.repeat(grid[..., None], 3, axis=2)
                 for caption, grid in grids.items()}
    width = max(grid.shape[1] for grid in grids.values())
    parts, y = [], MARGIN
    if title:
        parts.append(f'<text x="{MARGIN}" y="{y + 14}" font-size="15" font-weight="600" fill="#111827">'
                     f'{escape(title)}</text>')
        y += CAPTION + 2
    for caption, grid in grids.items():
        parts.append(f'<text x="{MARGIN}" y="{y + 14}" font-size="12" fill="#374151">{escape(caption)}</text>')
        y += CAPTION
        parts.append(f'<image x="{MARGIN}" y="{y}" width="{grid.shape[1]}" height="{grid.shape[0]}" '
                     f'style="image-rendering:pixelated" href="{data_uri(np.ascontiguousarray(grid))}"/>')
        y += grid.shape[0] + MARGIN
    total = width + 2 * MARGIN
    svg = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {y}" width="{total}" height="{y}" '
           f'font-family="{FONT}" role="img"><title>{escape(title or ", ".join(bands))}</title>'
           f'<rect width="{total}" height="{number(y)}" fill="#ffffff"/>{"".join(parts)}</svg>\n')
    return Picture(svg, _stacked(list(grids.values()), width))


def _as_images(caption, images):
    """(N, H, W) with values 0 (ink) to 255 (paper), or (N, H, W, 3) of colors."""
    images = np.asarray(images, dtype=np.float64)
    color = images.ndim == 4 and images.shape[1] == 3
    if not (images.ndim in (2, 3) or color) or 0 in images.shape:
        raise ValueError(f"band {caption!r}: expected images (N, H, W) or (N, 3, H, W), or signals (N, T), got shape "
                         f"{images.shape}")
    if images.ndim == 2:
        images = _drawn(images)
    light = np.clip(np.nan_to_num(images), 0, 1)
    return np.rint((light.transpose(0, 2, 3, 1) if color else 1 - light) * PAPER).astype(np.uint8)


def _drawn(signals, height=24):
    """Signals (N, T) as images (N, height, T): in each column, ink from one value to the next."""
    low, high = np.nanmin(signals), np.nanmax(signals)
    level = (height - 1) * (1 - (np.nan_to_num(signals, nan=low) - low) / (high - low or 1.0))  # (N, T), 0 is the top
    after = np.concatenate([level[:, 1:], level[:, -1:]], axis=1)
    top, bottom = np.minimum(level, after), np.maximum(level, after)
    rows = np.arange(height)[:, None]
    return ((rows >= np.rint(top)[:, None, :]) & (rows <= np.rint(bottom)[:, None, :])).astype(np.float64)


def _grid(images, columns, zoom):
    """One image with all images of a band, enlarged, row by row."""
    images = images.repeat(zoom, axis=1).repeat(zoom, axis=2)
    n, h, w, *color = images.shape
    columns = min(columns, n)
    lines = -(-n // columns)
    grid = np.full((lines * (h + GAP) - GAP, columns * (w + GAP) - GAP, *color), 225, np.uint8)
    for k, image in enumerate(images):
        y, x = divmod(k, columns)
        grid[y * (h + GAP):y * (h + GAP) + h, x * (w + GAP):x * (w + GAP) + w] = image
    return grid


def _stacked(grids, width):
    """All bands below each other with paper between them, for the PNG."""
    blank = lambda rows, columns: np.full((rows, columns, *grids[0].shape[2:]), PAPER, np.uint8)
    lines = [blank(MARGIN, width)]
    for grid in grids:
        lines += [np.concatenate([grid, blank(len(grid), width - grid.shape[1])], axis=1), blank(MARGIN, width)]
    body = np.concatenate(lines)
    side = blank(len(body), MARGIN)
    return np.concatenate([side, body, side], axis=1)
