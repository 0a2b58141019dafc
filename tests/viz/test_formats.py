"""What is written: JSON by its schema, DOT that Graphviz draws, Mermaid, TikZ, comparisons, notebooks."""
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.viz import compare
from tinygrad_notes.viz.formula import formula

pytestmark = pytest.mark.same_on_strict
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "graph.schema.json").read_text(encoding="utf-8"))
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
         "null": type(None)}


def net(activation=nn.ReLU, width=8):
    tn.manual_seed(0)
    return nn.Sequential(nn.Linear(4, width), activation(), nn.Linear(width, 2))


def drawn(**options):
    return tn.graph(net(), tn.ones((5, 4)), **options)


def against(value, schema, at="$"):
    """What in some data is not as a schema says; knows the words that ours uses."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    if "const" in schema:
        return [] if value == schema["const"] else [f"{at}: {value!r}"]
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{at}: {value!r}"]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    fits = [k for k in kinds if isinstance(value, TYPES[k]) and not (isinstance(value, bool) and k != "boolean")]
    if not fits:
        return [f"{at}: {value!r} is no {kinds}"]
    wrong = []
    if isinstance(value, dict):
        wrong += [f"{at}: no {k}" for k in schema.get("required", ()) if k not in value]
        wrong += [f"{at}: unknown {k}" for k in value if k not in schema["properties"]]
        wrong += [w for k, v in value.items() if k in schema["properties"]
                  for w in against(v, schema["properties"][k], f"{at}.{k}")]
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 10**9):
            wrong.append(f"{at}: {len(value)} items")
        wrong += [w for k, v in enumerate(value) for w in against(v, schema["items"], f"{at}[{k}]")]
    if isinstance(value, (int, float)) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        wrong.append(f"{at}: {value}")
    return wrong


@pytest.mark.parametrize("make", [
    lambda: drawn(), lambda: drawn(order=2), lambda: drawn(check=True, timed=True), lambda: drawn().collapse(0),
    lambda: drawn().compare(tn.graph(net(nn.Tanh, 6), tn.ones((5, 4)))),
    lambda: tn.graph(tn.compile(net().forward), tn.ones((5, 4))),
    lambda: tn.graph(tn.sin(tn.ones(2, requires_grad=True))).with_backward(),
], ids=["plain", "second order", "checked", "collapsed", "compared", "compiled", "tape"])
def test_json_is_as_the_schema_says(make):
    g = make()
    data = json.loads(g.json())
    assert against(data, SCHEMA) == []
    assert [n["number"] for n in data["nodes"]] == list(range(len(g.nodes)))
    assert all(0 <= e[end] < len(g.nodes) for e in data["edges"] for end in ("source", "target"))


def test_the_schema_refuses_what_is_wrong():
    data = json.loads(drawn().json())
    data["nodes"][0]["role"] = "villain"
    data["edges"][0]["colour"] = "red"
    del data["title"]
    assert len(against(data, SCHEMA)) == 3


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed")
@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_graphviz_draws_it(tmp_path, ending):
    model = nn.Sequential()
    model.add_module('a"\\<b>{|}', nn.Linear(2, 2))
    body = tn.graph(model, tn.ones((1, 2)), order=2).save(tmp_path / f"g.{ending}").read_bytes()
    assert body[:4] == (b"\x89PNG" if ending == "png" else b"%PDF")


def test_svg_of_every_kind_is_valid():
    for g in (drawn(), drawn(order=2), drawn(check=True), drawn().collapse(0), drawn().around(0, 1)):
        root = ElementTree.fromstring(g.svg())
        assert float(root.get("width")) > 0 and root.find("{http://www.w3.org/2000/svg}title").text


def test_mermaid_has_every_node_once_and_balanced_subgraphs():
    g = drawn()
    text = g.mermaid()
    declared = re.findall(r"^\s*n(\d+)[\[({/>]", text, re.M)
    assert sorted(map(int, declared)) == list(range(len(g.nodes)))
    assert text.count("subgraph ") == len(re.findall(r"^\s*end$", text, re.M)) == 4
    assert len(re.findall(r"^  n\d+ (?:-->|-\.->|-\.-)", text, re.M)) == len(g.edges)
    assert "matmul(g, w)" in text.replace("#44;", ",")


def test_tikz_has_every_node_and_no_raw_special():
    model = nn.Sequential()
    model.add_module("a_b#%&$^~{}", nn.Linear(2, 2))
    g = tn.graph(model, tn.ones((1, 2)))
    text = g.tikz()
    assert text.count(r"\node[draw=") >= len(g.nodes) and text.count("{") == text.count("}")
    assert r"a\_b\#\%\&\$\^{}\~{}\{\}" in text and text.startswith(r"\documentclass[tikz")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_takes_it(tmp_path):
    path = drawn(order=2).save(tmp_path / "g.tex")
    subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", path.name], cwd=tmp_path, check=True,
                   capture_output=True)


def test_notebooks_show_a_picture_or_the_page_in_a_frame():
    g = drawn()
    assert g._repr_svg_() == g.svg()
    framed = g._repr_html_()
    assert framed.startswith("<iframe sandbox=") and "<script>" not in framed


# Comparisons -------------------------------------------------------------------------------------------
def test_equal_graphs_have_no_difference():
    c = drawn().compare(drawn())
    assert {n.status for n in c.nodes} == {"same"} and not any(e.status for e in c.edges)


def test_a_replaced_layer_is_removed_and_added_and_a_width_changes():
    c = compare(drawn(), tn.graph(net(nn.Tanh, 6), tn.ones((5, 4))))
    by = {(n.label, n.layer): n for n in c.nodes}
    assert by["relu", "forward"].status == by["relu", "backward"].status == "removed"
    assert by["tanh", "forward"].status == by["tanh", "backward"].status == "added"
    assert by["0.weight", "forward"].status == "changed" and by["0.weight", "forward"].change == "shape 8×4 → 6×4"
    assert by["input", "forward"].status == "same"
    lines = c.text().splitlines()
    assert any(line.strip().startswith("- ") and "relu" in line for line in lines)
    assert any(line.strip().startswith("+ ") and "tanh" in line for line in lines)
    assert "2 removed" in c.facts.legend[0] and "−" in c.svg()
    with pytest.raises(TypeError, match="after: expected a Graph, got int"):
        compare(c, 3)


def test_two_runs_differ_in_values_only():
    x = tn.ones((5, 4))
    a, b = tn.graph(net(), x), tn.graph(net(), 2 * x)
    assert {n.status for n in a.compare(b).nodes} >= {"changed"}
    assert all("values" in n.change for n in a.compare(b).nodes if n.status == "changed")
    assert {n.status for n in a.compare(b, values=False).nodes} == {"same"}


def test_eager_and_compiled():
    def f(x):
        return tn.sum(tn.sin(x) * tn.exp(x) + tn.exp(x).reshape((3,)))
    eager, compiled = tn.graph(f, tn.ones(3), order=0), tn.graph(tn.compile(f), tn.ones(3), order=0)
    gone = [n.label for n in eager.compare(compiled).nodes if n.status == "removed"]
    assert gone == ["exp", "reshape"]
    assert "instructions became" in compiled.facts.legend[0]


# Rules in words ------------------------------------------------------------------------------------------
def test_every_rule_of_the_package_has_words():
    from tinygrad_notes.autograd.plan import PRIMITIVES
    assert formula(PRIMITIVES["sin"], 0) == "g * cos(x)"
    assert [formula(PRIMITIVES["multiply"], k) for k in (0, 1)] == ["g * y", "g * x"]
    assert formula(PRIMITIVES["sum"], 0) == "spread(g)"
    for op in PRIMITIVES.values():
        for k, name in enumerate(op.inputs):
            if op.joint or name in op.rules:
                words = formula(op, k)
                assert words and "xp" not in words.split(".") and "\n" not in words, op


def test_a_rule_without_source_is_named_by_what_it_reads():
    scope = {}
    exec("rule = lambda xp, g, x: g * 2 * x", scope)
    square = tn.autograd.elementwise("drawn_square", lambda xp, x: x * x, x=scope["rule"])
    assert formula(square.primitive, 0) == "rule(g, x)"
