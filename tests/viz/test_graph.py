"""The picture of the tape: what it shows, that it is valid and stable, and what bad requests get."""
import shutil
import xml.etree.ElementTree as ElementTree

import pytest

import tinygrad_notes as tn
from tinygrad_notes.viz.layout import arrange


def small():
    x = tn.tensor([[1.0, 2.0]], requires_grad=True)
    w = tn.tensor([[3.0], [4.0]], requires_grad=True)
    y = (tn.tanh(x @ w) + x).sum()
    return y, {"x": x, "w": w}


def test_nodes_and_edges():
    y, names = small()
    g = tn.graph(y, names)
    labels = [n.label for n in g.nodes]
    assert labels == ["x", "w", "matmul", "tanh", "add", "sum", "output"]
    named = {(labels[a], labels[b]) for a, b in g.edges}
    assert named == {("x", "matmul"), ("w", "matmul"), ("matmul", "tanh"), ("tanh", "add"), ("x", "add"),
                     ("add", "sum"), ("sum", "output")}
    assert [n.shape for n in g.nodes] == [(1, 2), (2, 1), (1, 1), (1, 1), (1, 2), (), ()]


def test_svg_is_valid_and_the_same_every_time():
    pictures = []
    for _ in range(2):
        y, names = small()
        pictures.append(tn.graph(y, names).svg())
    assert pictures[0] == pictures[1]
    root = ElementTree.fromstring(pictures[0])
    texts = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"x", "w", "matmul", "tanh", "add", "sum", "output"} <= set(texts)


def test_labels_are_escaped():
    x = tn.tensor([1.0], requires_grad=True)
    g = tn.graph(x * 2, {"<script>&\"": x})
    assert "<script>" not in g.svg()
    ElementTree.fromstring(g.svg())
    assert '\\"' in g.dot()


def test_text_reads_as_a_program():
    y, names = small()
    lines = tn.graph(y, names).text().splitlines()
    assert lines[2].split("=")[1].strip().startswith("matmul(%0, %1)")


def test_save_by_ending(tmp_path):
    y, names = small()
    g = tn.graph(y, names)
    assert g.save(tmp_path / "a.svg").read_text() == g.svg()
    assert g.save(tmp_path / "a.dot").read_text().startswith("digraph")
    with pytest.raises(ValueError, match=r"'a.bmp' ends in none of .svg, .dot"):
        g.save(tmp_path / "a.bmp")
    with pytest.raises(OSError, match="missing"):
        g.save(tmp_path / "missing" / "a.svg")


def test_png_names_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    y, names = small()
    with pytest.raises(RuntimeError, match="`dot` program"):
        tn.graph(y, names).save(tmp_path / "a.png")


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed")
def test_png_by_graphviz(tmp_path):
    y, names = small()
    assert tn.graph(y, names).save(tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="nothing to draw"):
        tn.graph(tn.tensor([1.0]))
    y, _ = small()
    y.backward()
    with pytest.raises(ValueError, match="freed by backward"):
        tn.graph(y)
    with pytest.raises(TypeError, match="expected a Tensor, got int"):
        tn.graph([3])


def test_several_outputs_of_one_operation():
    pair = tn.autograd.joint("drawn_pair", lambda xp, x: (x * 2, x * 3), lambda g: (2 * g[0] + 3 * g[1],), outputs=2)
    x = tn.tensor([3.0, 1.0], requires_grad=True)
    first, second = pair(x)
    g = tn.graph((first * second).sum(), {"x": x})
    labels = [n.label for n in g.nodes]
    assert labels == ["x", "drawn_pair", "pick", "pick", "multiply", "sum", "output"]
    assert [(labels[a], labels[b]) for a, b in g.edges].count(("drawn_pair", "pick")) == 2


def test_boxes_do_not_overlap_and_edges_point_down():
    # A grid of operations with long edges, as a residual net has them.
    edges = [(k, k + 1) for k in range(40)] + [(k, k + 7) for k in range(0, 34, 3)] + [(0, 40), (5, 39)]
    sizes = [(60 + 7 * (k % 5), 30) for k in range(41)]
    layout = arrange(sizes, edges)
    for a, b in edges:
        assert layout.centers[a][1] + 30 <= layout.centers[b][1]
    for i in range(41):
        for j in range(i):
            (x1, y1), (x2, y2) = layout.centers[i], layout.centers[j]
            apart = abs(x1 - x2) >= (sizes[i][0] + sizes[j][0]) / 2 or abs(y1 - y2) >= 30
            assert apart
    assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in layout.centers)


def test_a_long_chain_is_drawn_without_recursion():
    x = tn.tensor([1.0], requires_grad=True)
    y = x
    for _ in range(3000):
        y = tn.sin(y)
    g = tn.graph(y)
    assert len(g.nodes) == 3002
    assert g.svg().count("<rect") > 3000


def test_drawing_changes_nothing():
    y, names = small()
    tn.graph(y, names).svg()
    y.backward()
    with_picture = names["w"].grad.numpy().copy()
    y, names = small()
    y.backward()
    assert (names["w"].grad.numpy() == with_picture).all()
