"""Fields, points, densities and networks: every number at its place, and what cannot be drawn refused."""
import base64
import re
import xml.etree.ElementTree as ElementTree
import zlib

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.viz.colors import SCALES, colored, limits
from tinygrad_notes.viz.network import layout
from tinygrad_notes.viz.plane import on_grid

pytestmark = pytest.mark.same_on_strict
SVG = "{http://www.w3.org/2000/svg}"


def texts(picture):
    return [t.text for t in ElementTree.fromstring(picture.svg()).iter(SVG + "text")]


def images(picture):
    """The pixels (H, W, 3) of each image in a picture."""
    for found in ElementTree.fromstring(picture.svg()).iter(SVG + "image"):
        body = base64.b64decode(found.get("href").split(",")[1])
        width, height = int.from_bytes(body[16:20]), int.from_bytes(body[20:24])
        start = body.index(b"IDAT") + 4
        lines = np.frombuffer(zlib.decompress(body[start:body.index(b"IEND") - 8]), np.uint8)
        yield lines.reshape(height, 1 + 3 * width)[:, 1:].reshape(height, width, 3)


@pytest.mark.parametrize("name", SCALES)
def test_a_scale_runs_between_its_ends_and_its_light_is_in_order(name):
    rgb = colored(np.linspace(-1, 3, 50), name, -1.0, 3.0).astype(float)
    ends = SCALES[name].split()
    assert ["".join(f"{int(c):02x}" for c in rgb[k]) for k in (0, -1)] == [ends[0], ends[-1]]
    light = rgb @ [0.299, 0.587, 0.114]
    if name != "redblue":
        assert (np.diff(light) > 0).all() or (np.diff(light) < 0).all()
    assert (colored(np.array([np.nan, 9.0]), name, 0, 1) == [[211] * 3, colored(np.array(1.0), name, 0, 1)]).all()


def test_limits_of_both_signs_are_symmetric():
    assert limits(np.array([-1.0, 4.0, np.nan]), None, None, "redblue") == (-4.0, 4.0)
    assert limits(np.array([-1.0, 4.0]), None, None, "gray") == (-1.0, 4.0)


def test_a_heat_map_has_the_color_of_each_value(rng):
    values = rng.normal(size=(4, 6))
    field, bar = images(tn.viz.heatmap(tn.tensor(values), "<t>", xticks=list("abcdef"), colors="gray"))
    np.testing.assert_array_equal(field, colored(values, "gray", values.min(), values.max()))
    assert bar.shape == (64, 1, 3)
    shown = texts(tn.viz.heatmap(np.array([[0.25, 1.0]]), "<t>", xticks=["a", "b"]))
    assert {"<t>", "a", "b", ".25", "1.00"} <= set(shown)


def test_attention_shares_one_scale_over_heads(rng):
    weights = rng.dirichlet(np.ones(5), size=(3, 4))
    picture = tn.viz.attention_map(weights, list("wxyz"), list("abcde"), "A", columns=2)
    fields = list(images(picture))[:-1]
    np.testing.assert_array_equal(np.stack(fields), colored(weights, "blues", 0.0, weights.max()))
    assert [t for t in texts(picture) if t and t.startswith("head")] == ["head 1", "head 2", "head 3"]
    assert texts(picture).count("w") == 3


def test_points_lie_at_the_scale_of_the_ticks_and_classes_differ_in_color_and_mark():
    picture = tn.viz.scatter([[0.0, 0.0], [10.0, 4.0], [np.nan, 1.0]], [0, 1, 1], names=["cat", "dog"])
    tree = ElementTree.fromstring(picture.svg())
    marks = [p for p in tree.iter(SVG + "path") if p.get("fill-opacity") == "0.85"]
    (k0, k1), points = marks[:2], marks[2:]
    assert len(points) == 2 and k0.get("d") != k1.get("d") and k0.get("fill") != k1.get("fill")
    at = [tuple(map(float, re.search(r"\(([-\d.]+) ([-\d.]+)\)", p.get("transform")).groups())) for p in points]
    x = {t.text: float(t.get("x")) for t in tree.iter(SVG + "text") if t.get("text-anchor") == "middle" and t.get("x")}
    y = {t.text: float(t.get("y")) - 4 for t in tree.iter(SVG + "text") if t.get("text-anchor") == "end"}
    assert at[0] == (pytest.approx(x["0"], abs=0.02), pytest.approx(y["0"], abs=0.02))
    assert at[1] == (pytest.approx(x["10"], abs=0.02), pytest.approx(y["4"], abs=0.02))
    assert {"cat", "dog"} <= set(texts(picture))


def test_points_outside_the_limits_are_left_out():
    picture = tn.viz.scatter([[0.0, 0.0], [1.0, 1.0], [5.0, 0.0], [0.5, -9.0]], [0, 0, 1, 1], xlim=(0, 2), ylim=(-1, 1))
    assert picture.svg().count('fill-opacity="0.85"') == 2 + 2  # with the signs of both classes
    assert tn.viz.scatter([[9.0, 9.0]], xlim=(0, 1)).svg().count('fill-opacity') == 0
    with pytest.raises(ValueError, match="ylim: expected two numbers, the smaller first, got 1, 1"):
        tn.viz.scatter([[0.0, 0.0]], ylim=(1, 1))


def test_equal_axes_have_one_unit():
    tree = ElementTree.fromstring(tn.viz.scatter([[0, 0], [10, 1]], values=[1, 2], equal=True).svg())
    marks = [p.get("transform") for p in tree.iter(SVG + "path") if p.get("fill-opacity") == "0.85"]
    (x0, y0), (x1, y1) = (map(float, re.search(r"\(([-\d.]+) ([-\d.]+)\)", t).groups()) for t in marks)
    assert (x1 - x0) / 10 == pytest.approx(y0 - y1, rel=0.02)


def test_a_density_is_drawn_as_it_is_over_the_plane():
    normal = tn.distributions.Normal(0.0, 1.0)
    log_prob = lambda x: normal.log_prob(x).sum(-1)
    grid = on_grid(log_prob, (-1, 1), (0, 2), 21)
    assert grid[0, 10] == pytest.approx(-np.log(2 * np.pi), rel=1e-6)
    assert grid[20, 0] == pytest.approx(-np.log(2 * np.pi) - 2.5, rel=1e-6)
    points = tn.tensor([[0.0, 0.0], [9.0, 0.0]])
    picture = tn.viz.density(log_prob, (-1, 1), (0, 2), points=points, steps=21)
    field = next(images(picture))
    np.testing.assert_array_equal(field, colored(np.exp(grid)[::-1], "viridis", 0, np.exp(grid).max()))
    assert picture.svg().count("<circle") == 1
    assert next(images(tn.viz.density(grid, (-1, 1), (0, 2)))).tolist() == field.tolist()


def test_springs_put_two_cliques_apart_and_give_the_same_places_again():
    pairs = [(a, b) for c in (0, 6) for a in range(c, c + 6) for b in range(c, a)] + [(0, 6)]
    src, dst = np.array(pairs).T
    at = layout(src, dst, 12)
    np.testing.assert_array_equal(at, layout(src, dst, 12))
    apart = np.linalg.norm(at[:6].mean(0) - at[6:].mean(0))
    for part in (at[:6], at[6:]):
        assert np.linalg.norm(part - part.mean(0), axis=1).max() < apart / 2
    assert np.isfinite(layout(np.zeros(0, int), np.zeros(0, int), 1)).all()


def test_a_network_shows_nodes_edges_classes_and_faults():
    graph = tn.nn.graph.Graph([0, 1, 1, 2, 3], [1, 0, 2, 1, 3], num_nodes=5)
    picture = tn.viz.network(graph, [0, 0, 1, 1, 1], texts="abcde", names=["<x>", "y"], wrong=[0, 0, 0, 1, 0])
    svg = picture.svg()
    assert svg.count('class="node"') == 5 + 2 and svg.count("<circle") == 0 + svg.count('stroke="#c1121f"') == 1
    line = re.search(r'<path d="([^"]*)" stroke="#9ca3af"', svg).group(1)
    assert line.count("M") == 2
    assert {"<x>", "y", *"abcde"} <= set(texts(picture))
    assert tn.viz.network(([0, 1], [1, 2]), values=[1.0, 2.0, 3.0], weights=[1.0, 2.0]).svg().count("stroke-width") > 2


def test_the_same_picture_has_the_same_bytes(rng):
    points = rng.normal(size=(30, 2))
    assert tn.viz.scatter(points, values=points[:, 0]).svg() == tn.viz.scatter(points, values=points[:, 0]).svg()


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: tn.viz.heatmap([1.0]), ValueError, r"values: expected 2 axes.*\(1,\)"),
    (lambda: tn.viz.heatmap([["a"]]), TypeError, "values: expected numbers"),
    (lambda: tn.viz.heatmap([[np.nan]]), ValueError, "none is finite"),
    (lambda: tn.viz.heatmap([[1.0]], xticks=[]), ValueError, "xticks: expected 1 texts, got 0"),
    (lambda: tn.viz.heatmap([[1.0]], colors="jet"), ValueError, "'jet' is unknown; known: viridis"),
    (lambda: tn.viz.heatmap([[1.0]], low=2, high=1), ValueError, "expected low < high"),
    (lambda: tn.viz.attention_map([[1.0]], names=["a", "b"]), ValueError, "names: expected 1"),
    (lambda: tn.viz.scatter([[1.0, 2.0, 3.0]]), ValueError, r"expected shape \(N, 2\)"),
    (lambda: tn.viz.scatter([[1.0, 2.0]], [0, 1]), ValueError, r"labels: expected shape \(1,\)"),
    (lambda: tn.viz.scatter([[1.0, 2.0]], [0.5]), ValueError, "labels: expected ints"),
    (lambda: tn.viz.scatter([[1.0, 2.0]], [0], values=[1]), ValueError, "give one of them"),
    (lambda: tn.viz.scatter([[1.0, 2.0]], values=[1, 2]), ValueError, "values: expected 1"),
    (lambda: tn.viz.scatter([[np.nan, 2.0]]), ValueError, "points: none is finite"),
    (lambda: tn.viz.density(lambda x: x, (1, 0)), ValueError, "xlim"),
    (lambda: tn.viz.density(lambda x: x, steps=2), ValueError, r"expected shape \(4,\).*got \(4, 2\)"),
    (lambda: tn.viz.network(3), TypeError, "expected an nn.graph.Graph"),
    (lambda: tn.viz.network(([0], [1, 2])), ValueError, "one length"),
    (lambda: tn.viz.network(([0], [5]), [0, 1]), ValueError, "need 6 nodes"),
    (lambda: tn.viz.network(([0], [5000])), ValueError, "too many"),
    (lambda: tn.viz.network(([0], [1]), positions=[[0, 0, 0], [1, 1, 1]]), ValueError, "positions"),
])
def test_what_does_not_fit_is_refused(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_histograms_over_time_are_put_on_common_values():
    """All mass of one time at 1, of another spread evenly over 0 to 4."""
    from tinygrad_notes.viz.histograms import ROWS, _common
    values, shares = _common(np.array([[1.0, 1.0], [0.0, 4.0]]), np.array([[7.0, 0, 0], [5.0, 5, 5]]))
    assert (values[0], values[-1]) == (0.0, 4.0) and np.allclose(shares.sum(1), 1)
    assert shares[0, ROWS // 4] == 1 and np.allclose(shares[1], 1 / ROWS)
    field = next(images(tn.viz.plot_histograms([0, 1], [[1, 1], [0, 4]], [[7, 0, 0], [5, 5, 5]])))
    assert field.shape[0] == ROWS and (field[:, 0] != 255).any(-1).sum() == 1 and (field[:, -1] != 255).any(-1).all()
    hills = tn.viz.plot_histograms([0, 1], [[1, 1], [0, 4]], [[7, 0], [5, 5]], kind="ridge")
    assert hills.svg().count("fill-opacity") == 2
    for bad in (([0], [[0, 1]], [[0, 0]]), ([0, 1], [[0, 1]], [[1, 1]])):
        with pytest.raises(ValueError, match="empty|one per time"):
            tn.viz.plot_histograms(*bad)
