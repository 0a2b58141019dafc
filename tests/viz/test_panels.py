"""Several pictures in one."""
import xml.etree.ElementTree as ElementTree

import pytest

import tinygrad_notes as tn

pytestmark = pytest.mark.host_only


def test_pictures_stand_in_rows_and_none_is_cut():
    points, sizes = [[0.0, 1.0], [2.0, 3.0]], [(300, 200), (200, 300), (100, 100)]
    parts = [tn.viz.scatter(points, width=w, height=h) for w, h in sizes]
    root = ElementTree.fromstring(tn.viz.panels(parts, columns=2).svg())
    assert (root.get("width"), root.get("height")) == ("600", "600")
    assert [(p.get("x"), p.get("y")) for p in root] == [("0", "0"), ("300", "0"), ("0", "300")]


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="expected pictures and columns"):
        tn.viz.panels([])
    with pytest.raises(ValueError, match="number 0 does not say"):
        tn.viz.panels([tn.viz.Picture("<svg/>")])
