"""A graph in Graphviz's language, and through the `dot` program as PNG or PDF."""

import shutil

from .svg import STYLES, style_of


def write(graph):
    """The DOT text of a `Graph`; ids are numbers, so the same graph gives the same bytes."""
    lines = ["digraph computation {", '  rankdir=TB; node [fontname="Helvetica", fontsize=11, style=filled];']
    for node in graph.nodes:
        fill, border, radius = STYLES[style_of(node)]
        shape = "x".join(map(str, node.shape)) or "scalar"
        form = (
            "box"
            if node.role in ("parameter", "input")
            else "ellipse"
            if node.role == "output"
            else 'box, style="filled,rounded"'
        )
        label = _quoted(f"{node.label}\n{node.dtype} {shape}")
        lines.append(f'  n{node.number} [label={label}, shape={form}, fillcolor="{fill}", color="{border}"];')
    lines += [f"  n{a} -> n{b};" for a, b in graph.edges]
    return "\n".join([*lines, "}", ""])


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
