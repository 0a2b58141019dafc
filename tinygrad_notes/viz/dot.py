"""A graph in Graphviz's language, and through the `dot` program as PNG or PDF."""
from __future__ import annotations

import shutil

from .styles import STYLES, layer_color, size_of, style_of, title_of

SHAPES = {"parameter": "box", "input": "box", "constant": "plaintext", "state": "box", "output": "ellipse",
          "gradient": "invhouse", "sum": "circle", "group": "box3d"}


def write(graph):
    """The DOT text of a `Graph`; ids are numbers, so the same graph gives the same bytes."""
    lines = ["digraph computation {", '  rankdir=TB; node [fontname="Helvetica", fontsize=11, style=filled];',
             '  edge [fontname="Courier", fontsize=9];']
    for node in graph.nodes:
        fill, border, _, sign, _ = STYLES[style_of(node)]
        label = _quoted("+" if node.role == "sum" else f"{sign} {title_of(node)}\n{node.dtype} {size_of(node)}".strip())
        form = SHAPES.get(node.role, "box")
        style = "" if node.role in SHAPES else ', style="filled,rounded"'
        if node.layer != "forward" and node.role == "operation":
            style = ', style="filled,rounded,dashed"'
        lines.append(f'  n{node.number} [label={label}, shape={form}, fillcolor="{fill}", color="{border}"{style}];')
    lines += [f"  n{e[0]} -> n{e[1]}{_look(graph, e)};" for e in graph.edges]
    lines += [f"  {{rank=same; n{node.anchor}; n{node.number}}}" for node in graph.nodes
              if node.anchor is not None and node.role != "sum"]
    return "\n".join([*lines, "}", ""])


def _look(graph, e):
    if e.kind == "saved":
        return ' [style=dotted, color="#9ca3af", arrowhead=none, constraint=false]'
    layer = graph.nodes[e[1]].layer
    if e.kind == "gradient":
        label = f", label={_quoted(e.formula)}" if e.formula and len(graph.nodes) <= 60 else ""
        return f' [style=dashed, color="{layer_color(layer)}", constraint=false{label}]'
    return "" if layer == "forward" else f' [color="{layer_color(layer)}"]'


def _quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def render(graph, ending):
    """The bytes of the picture as drawn by Graphviz.

    Raises:
        RuntimeError: the `dot` program or the `graphviz` package is missing; says what to install.
    """
    if shutil.which("dot") is None:
        raise RuntimeError(
            f".{ending} needs the `dot` program of Graphviz, which is not installed (Debian: apt install "
            "graphviz; macOS: brew install graphviz). .svg works without it"
        )
    try:
        import graphviz
    except ImportError as error:
        raise RuntimeError(
            f".{ending} needs the graphviz package: pip install 'tinygrad-notes[viz]'. .svg works without it"
        ) from error
    return graphviz.Source(write(graph)).pipe(format=ending)
