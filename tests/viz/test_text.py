"""Curves as text: every dot in its row and column, in no more room than asked for."""
import math

import pytest

import tinygrad_notes as tn
from tinygrad_notes.viz import text_curves

pytestmark = pytest.mark.host_only


def dots(text):
    """The dots (column, row) of a chart in braille."""
    found = set()
    for y, line in enumerate(text.split("\n")[1:-1]):
        body = line.split("\u2502")[1]
        for x, c in enumerate(body):
            bits = ord(c) - 0x2800 if c != " " else 0
            found |= {(2 * x + dx, 4 * y + dy) for dy, row in enumerate(((1, 8), (2, 16), (4, 32), (64, 128)))
                      for dx, bit in enumerate(row) if bits & bit}
    return found


def test_a_straight_line_is_straight():
    found = dots(text_curves({"a": ([0, 1], [0, 1])}, width=40, height=12))
    width, height = max(x for x, _ in found), 40
    assert {(0, height - 1), (width, 0)} <= found and min(x for x, _ in found) == 0
    assert all(abs(y - (height - 1) * (1 - x / width)) <= 1 for x, y in found)
    assert len({x for x, _ in found}) == width + 1


def test_a_logarithmic_axis_makes_decay_straight():
    found = dots(text_curves({"a": [math.exp(-k) for k in range(30)]}, width=60, height=10, logy=True))
    width = max(x for x, _ in found)
    assert all(abs(y - 31 * x / width) <= 1 for x, y in found)


@pytest.mark.parametrize("size", [(24, 5), (72, 12), (100, 30)])
def test_a_chart_keeps_to_its_room(size):
    curves = {"a long name": [1e-9, 1.0, math.nan, 5e7], "another long name": [2.0, 3.0], "third": [1.0]}
    for ascii in (False, True):
        text = text_curves(curves, "title", width=size[0], height=size[1], ascii=ascii)
        assert len(text.split("\n")) == size[1] and max(map(len, text.split("\n"))) <= size[0]
        assert text.isascii() == ascii


def test_curves_are_told_apart_by_letter_and_color():
    plain = text_curves({"a": [1, 1], "b": [2, 2]}, ascii=True)
    assert plain.startswith("* a  o b") and "*" * 20 in plain and "o" * 20 in plain
    assert "\x1b[34m" in text_curves({"a": [1, 2]}, color=True) and "\x1b" not in text_curves({"a": [1, 2]})


def test_smoothing_is_a_moving_average_without_the_bias_of_its_beginning():
    from tinygrad_notes.viz.curves import smoothed
    x, y = smoothed("a", [4.0, 0.0, math.nan, 8.0], 0.5)
    assert x == [1, 2, 3, 4] and y[:2] == pytest.approx([4.0, 1.0 / 0.75]) and math.isnan(y[2])
    assert y[3] == pytest.approx((0.125 * 4 + 0.5 * 8) / (1 - 0.125))
    assert smoothed("a", [3.0] * 5, 0.9)[1] == pytest.approx([3.0] * 5)
    svg = tn.viz.plot_curves({"a": [4.0, 0.0, 2.0]}, smooth=0.5).svg()
    assert svg.count('opacity="0.25"') == 1 and svg.count('fill="none"') == 2


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="at least 24 x 5, got 10 x 12"):
        text_curves({"a": [1]}, width=10)
    with pytest.raises(ValueError, match="no curve has a point"):
        text_curves({"a": [math.nan]})
    with pytest.raises(ValueError, match="smooth: expected a number from 0 to below 1, got 1"):
        text_curves({"a": [1]}, smooth=1)
