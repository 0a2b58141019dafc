"""Several pictures in one."""
from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .picture import Picture, number

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZE = re.compile(r'<svg[^>]*?\swidth="([\d.]+)"[^>]*?\sheight="([\d.]+)"')


def panels(pictures: Sequence[Picture], columns: int = 3) -> Picture:
    """Put pictures side by side, row after row.

    Args:
        pictures: one or more.
        columns: pictures per row.

    Returns:
        A `Picture`.

    Raises:
        ValueError: there is no picture, one does not say its size, or `columns` is below 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> curves = [tn.viz.plot_curves({"loss": [3.0, 2.0, 1.5 - k]}) for k in range(2)]
        >>> tn.viz.panels(curves).svg().count("<svg")
        3
    """
    if not pictures or columns < 1:
        raise ValueError(f"panels: expected pictures and columns >= 1, got {len(pictures)} and {columns}")
    sizes = []
    for k, picture in enumerate(pictures):
        found = SIZE.search(picture.svg())
        if found is None:
            raise ValueError(f"pictures: number {k} does not say its width and height")
        sizes.append((float(found[1]), float(found[2])))
    wide, tall = max(w for w, _ in sizes), max(h for _, h in sizes)
    columns = min(columns, len(pictures))
    width, height = wide * columns, tall * -(-len(pictures) // columns)
    corners = [(number(k % columns * wide), number(k // columns * tall)) for k in range(len(pictures))]
    parts = [p.svg().replace("<svg", f'<svg x="{x}" y="{y}"', 1) for p, (x, y) in zip(pictures, corners)]
    return Picture(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}" '
                   f'width="{number(width)}" height="{number(height)}">{"".join(parts)}</svg>\n')
