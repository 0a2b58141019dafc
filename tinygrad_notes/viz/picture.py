"""Pictures made here without any plotting library: an SVG text, and for grids of pixels a PNG."""
from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from os import PathLike

FONT = "ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"


class Picture:
    """An SVG text, shown as an image in notebooks.

    Args:
        text: the SVG text.
        pixels: rows of gray values 0 to 255, if the picture can also be a PNG.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.viz.Picture("<svg/>", [[0, 255]]).png()[1:4]
        b'PNG'
    """

    def __init__(self, text, pixels=None):
        self.text, self.pixels = text, pixels

    def svg(self) -> str:
        """The picture as SVG text."""
        return self.text

    def png(self) -> bytes:
        """The picture as the bytes of a PNG file.

        Raises:
            ValueError: it is a drawing, not a grid of pixels.
        """
        if self.pixels is None:
            raise ValueError("png: this picture is a drawing; save it as .svg")
        return png_bytes(self.pixels)

    def save(self, path: str | PathLike[str]) -> Any:
        """Write the picture; the ending says how: .svg, or .png for a grid of pixels.

        Raises:
            ValueError: the ending is neither, or .png is asked of a drawing.
            OSError: the file cannot be written.
        """
        path = Path(path)
        kind = path.suffix.lower()
        if kind not in (".svg", ".png"):
            raise ValueError(f"{path}: expected a name that ends in .svg or .png")
        body = self.svg().encode() if kind == ".svg" else self.png()
        path.write_bytes(body)
        return path

    def _repr_svg_(self):
        return self.text


def png_bytes(rows):
    """A PNG of equally long rows of gray values, 0 (black) to 255 (white), or of colors.

    Args:
        rows: a list of lists of ints; of (red, green, blue) for colors, best as an array of bytes (H, W, 3).

    Returns:
        The bytes of the file.

    Source: W3C, Portable Network Graphics, third edition, sections 5 and 11.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.viz.png_bytes([[0, 255], [255, 0]])[:8]
        b'\\x89PNG\\r\\n\\x1a\\n'
    """
    height, width = len(rows), len(rows[0])
    color = hasattr(rows[0][0], "__len__")
    if color and not hasattr(rows, "tobytes"):
        rows = [[c for pixel in row for c in pixel] for row in rows]

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    scanlines = b"".join(b"\0" + (row.tobytes() if hasattr(row, "tobytes") else bytes(row)) for row in rows)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2 if color else 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(scanlines, 9)) + chunk(b"IEND", b""))


def data_uri(rows):
    """A PNG as text that an SVG can hold."""
    return "data:image/png;base64," + base64.b64encode(png_bytes(rows)).decode()


def number(x):
    """A coordinate as short text."""
    return f"{x:.2f}".rstrip("0").rstrip(".")
