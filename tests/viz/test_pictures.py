"""Curves and sheets drawn by our own few lines: whole files that other programs read, and the numbers in them."""
import io
import math
import re
import xml.etree.ElementTree as ElementTree
import zlib

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.viz import image_sheet, plot_curves, png_bytes
from tinygrad_notes.viz.axes import round_step

SVG = "{http://www.w3.org/2000/svg}"


def unpacked(body):
    """The pixels of a PNG, by the book: chunks with right sums, one byte of filter per line."""
    assert body[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(body):
        size = int.from_bytes(body[at:at + 4])
        kind, content = body[at + 4:at + 8], body[at + 8:at + 8 + size]
        assert int.from_bytes(body[at + 8 + size:at + 12 + size]) == zlib.crc32(kind + content)
        chunks[kind] = content
        at += 12 + size
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height = int.from_bytes(chunks[b"IHDR"][:4]), int.from_bytes(chunks[b"IHDR"][4:8])
    color = chunks[b"IHDR"][9] == 2
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, (3 if color else 1) * width + 1)
    assert (lines[:, 0] == 0).all()
    return lines[:, 1:].reshape(height, width, 3) if color else lines[:, 1:]


def test_a_png_holds_the_pixels(rng):
    pixels = rng.integers(0, 256, size=(5, 7))
    np.testing.assert_array_equal(unpacked(png_bytes(pixels.tolist())), pixels)


def test_another_program_reads_the_png(rng):
    image = pytest.importorskip("matplotlib.image")
    pixels = rng.integers(0, 256, size=(5, 7))
    read = image.imread(io.BytesIO(png_bytes(pixels.tolist())), format="png")
    np.testing.assert_array_equal(np.rint(read * 255), pixels)


def test_a_sheet_holds_every_image_enlarged_in_its_place(tmp_path):
    images = np.arange(5)[:, None, None] / 4 * np.ones((5, 3, 2))
    sheet = image_sheet({"five": images}, columns=3, zoom=2)
    grid = unpacked(sheet.save(tmp_path / "sheet.png").read_bytes())
    for k in range(5):
        y, x = 12 + 8 * (k // 3), 12 + 6 * (k % 3)
        assert (grid[y:y + 6, x:x + 4] == round(255 * (1 - k / 4))).all()
    tree = ElementTree.fromstring(sheet.save(tmp_path / "sheet.svg").read_text())
    assert [t.text for t in tree.iter(SVG + "text")] == ["five"]
    assert len(list(tree.iter(SVG + "image"))) == 1


def test_a_long_title_is_written_smaller():
    sizes = [float(re.search(r'font-size="([\d.]+)" font-weight', tn.viz.scatter([[0.0, 1.0]], title="x" * n).svg())[1])
             for n in (10, 70, 1000)]
    assert sizes[0] == 14 and 8 < sizes[1] < 14 and sizes[2] == 8 and 70 * 0.62 * sizes[1] < 480


def test_colors_stand_beside_ink():
    red = np.zeros((1, 3, 2, 2))
    red[:, 0] = 1.0
    pixels = unpacked(image_sheet({"red": red, "ink": np.full((1, 2, 2), 0.2)}, zoom=1).png())
    assert (pixels[12:14, 12:14] == [255, 0, 0]).all() and (pixels[26:28, 12:14] == 204).all()


def test_a_sheet_takes_tensors_signals_and_values_out_of_range():
    images, signals = tn.tensor([[[2.0, -1.0], [float("nan"), 0.5]]]), np.sin(np.arange(40.0))[None]
    sheet = image_sheet({"images": images, "signals": signals}, zoom=1)
    assert unpacked(sheet.png())[12:14, 12:14].tolist() == [[0, 255], [255, 128]]
    assert len(list(ElementTree.fromstring(sheet.svg()).iter(SVG + "image"))) == 2


def test_a_signal_has_ink_in_every_column_at_its_height():
    signal = np.array([[0.0, 1.0, 0.5, 0.5]])
    pixels = unpacked(image_sheet({"s": signal}, zoom=1).png())[12:36, 12:16]
    ink = pixels == 0
    assert ink.any(0).all()
    assert ink[23, 0] and ink[0, 1] and ink[:, 3].sum() == 1


@pytest.mark.parametrize(("bands", "options", "message"), [
    ({}, {}, "there is none"),
    ({"a": np.zeros(3)}, {}, r"shape \(3,\)"), ({"a": np.zeros((0, 2, 2))}, {}, r"\(0, 2, 2\)"),
    ({"a": np.zeros((1, 2, 2))}, {"columns": 0}, "columns"), ({"a": np.zeros((1, 2, 2))}, {"zoom": 0}, "zoom"),
])
def test_a_sheet_of_nothing_is_refused(bands, options, message):
    with pytest.raises(ValueError, match=message):
        image_sheet(bands, **options)


def test_a_curve_passes_through_its_points_at_the_scale_of_the_ticks(tmp_path):
    picture = plot_curves({"a": ([0, 10, 20], [0.0, 50.0, 100.0])}, title="T <&>", ylabel="y")
    tree = ElementTree.fromstring(picture.save(tmp_path / "c.svg").read_text())
    texts = {t.text: t for t in tree.iter(SVG + "text")}
    assert "T <&>" in texts and "a" in texts
    curve = next(p.get("d") for p in tree.iter(SVG + "path") if p.get("stroke") == "#0072b2" and "L" in p.get("d"))
    points = [tuple(map(float, pair)) for pair in re.findall(r"(-?[\d.]+) (-?[\d.]+)", curve)]
    for (x, y), xtick, ytick in zip(points, ("0", "10", "20"), ("0", "50", "100")):
        candidates = [t for t in tree.iter(SVG + "text") if t.text == xtick and t.get("text-anchor") == "middle"]
        assert x == pytest.approx(float(candidates[0].get("x")), abs=0.02)
        candidates = [t for t in tree.iter(SVG + "text") if t.text == ytick and t.get("text-anchor") == "end"]
        if candidates:
            assert y == pytest.approx(float(candidates[0].get("y")) - 4, abs=0.02)


def test_a_logarithmic_axis_spaces_decades_evenly():
    tree = ElementTree.fromstring(plot_curves({"a": [1000.0, 10.0, 1.0, 100.0]}, logy=True).svg())
    at = {t.text: float(t.get("y")) for t in tree.iter(SVG + "text") if t.get("text-anchor") == "end"}
    assert at["1"] - at["10"] == pytest.approx(at["10"] - at["100"], abs=0.02)


def test_a_logarithmic_x_axis_puts_decades_at_equal_distances():
    svg = plot_curves({"a": ([0.0, 1e-3, 1e-2, 1e-1], [9.0, 1.0, 2.0, 3.0])}, logx=True).svg()
    path = next(line for line in svg.splitlines() if 'stroke-width="1.6"' in line)
    x = [float(at) for at in re.findall(r"[ML]([\d.]+) ", path)]
    assert len(x) == 3 and x[1] - x[0] == pytest.approx(x[2] - x[1], abs=0.02)


def test_values_that_are_not_finite_break_the_curve():
    svg = plot_curves({"a": [1.0, 2.0, math.nan, 3.0, math.inf, 5.0, 6.0], "b": [-1.0, 2.0, 1.0]}, logy=False).svg()
    first, second = re.findall(r'<path d="(M[^"]*)" fill="none"', svg)
    assert first.count("M") == 3 and second.count("M") == 1
    assert svg.count("<circle") == 1
    assert "nan" not in svg and "inf" not in svg
    logarithmic = plot_curves({"b": [-1.0, 2.0, 1.0, 0.0]}, logy=True).svg()
    assert re.findall(r'<path d="(M[^"]*)" fill="none"', logarithmic)[0].count("L") == 1


@pytest.mark.parametrize("values", [[5.0], [0.0, 0.0], [1e-300, 2e-300], [1e300, -1e300], [1e12, 1e12 + 1], [3.0, 3.0]])
def test_odd_ranges_are_drawn(values):
    ElementTree.fromstring(plot_curves({"a": values}).svg())
    if min(values) > 0:
        ElementTree.fromstring(plot_curves({"a": values}, logy=True).svg())


def test_what_cannot_be_drawn_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no curve has a point"):
        plot_curves({"a": [math.nan]})
    with pytest.raises(ValueError, match="2 x for 3 y"):
        plot_curves({"a": ([1, 2], [1, 2, 3])})
    picture = plot_curves({"a": [1, 2]})
    with pytest.raises(ValueError, match=r"ends in \.svg or \.png"):
        picture.save(tmp_path / "a.gif")
    with pytest.raises(ValueError, match="drawing"):
        picture.save(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("least", "step"), [(0.9, 1), (1, 1), (1.1, 2), (3, 5), (7, 10), (0.03, 0.05), (150, 200)])
def test_steps_are_round_numbers(least, step):
    assert round_step(least) == pytest.approx(step)
