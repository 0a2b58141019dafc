"""A graph as one interactive page: everything is inside, nothing is asked of a server or a network."""
from __future__ import annotations

import re
from html import escape

from .data import plain
from .embed import asset, json_in_script
from .styles import STYLES

SCRIPTS = ("view.js", "layout.js", "draw.js", "steps.js", "panel.js", "main.js")
DARK = (
    "--paper: #0f172a; --ink: #f1f5f9; --soft: #a8b3c4; --faint: #64748b; --line: #334155; --panel: #111c33; "
    "--hot: #ef4444; --mark: #fde047; --forward: #94a3b8; --backward: #fb7185; --second: #c084fc; --update: #2dd4bf; "
    "--right: #4ade80; --wrong: #f87171; --unsure: #fbbf24; --frame0: #131f38; --frame1: #1a2742;")
HEIGHT = 640  # pixels of the frame in a notebook


def page(graph):
    """The page; the same graph gives the same bytes."""
    title = f"Graph of {graph.facts.title}" if graph.facts.title else "Computation graph"
    parts = {
        "title": escape(title), "heading": escape(graph.facts.title or "computation graph"), "style": _style(),
        "licence": escape(asset("LICENSE-dagre.txt").strip("/*\n ")), "dagre": asset("dagre.min.js"),
        "data": _data(graph), "script": "\n".join(asset(name) for name in SCRIPTS),
    }
    return re.sub(r"{{(\w+)}}", lambda m: parts[m[1]], asset("page.html"))  # what is put in is not searched again


def frame(graph):
    """The page inside a notebook: a frame that can reach nothing of the notebook."""
    return (f'<iframe sandbox="allow-scripts" style="width:100%;height:{HEIGHT}px;border:1px solid #d1d5db" '
            f'srcdoc="{escape(page(graph))}"></iframe>')


def _data(graph):
    """The graph as JSON that may stand inside a script element."""
    found = plain(_with_steps(graph))
    found["styles"] = {key: {"sign": sign, "words": words, "radius": radius}
                       for key, (_, _, radius, sign, words) in STYLES.items()}
    return json_in_script(found)


def _with_steps(graph):
    """A graph of a Tensor shows the backward pass that its rules would make."""
    forward = all(n.layer == "forward" for n in graph.nodes)
    return graph.with_backward() if forward and any(e.formula for e in graph.edges) else graph


def _style():
    """The style sheet, with two colors for each kind of node, in light and dark."""
    light = "\n".join(f".s-{key} {{ --fill: {fill}; --edge: {border}; }}" for key, (fill, border, *_) in STYLES.items())
    mixed = "--fill: color-mix(in oklab, {0} 38%, #0f172a); --edge: color-mix(in oklab, {0} 55%, #ffffff);"
    dark = {key: mixed.format(border) for key, (_, border, *_) in STYLES.items()}
    chosen = "\n".join(f':root[data-theme="dark"] .s-{key} {{ {value} }}' for key, value in dark.items())
    preferred = "\n".join(f':root:not([data-theme="light"]) .s-{key} {{ {value} }}' for key, value in dark.items())
    sheet = asset("page.css").replace("{{dark}}", DARK)
    return f"{sheet}\n{light}\n{chosen}\n@media (prefers-color-scheme: dark) {{\n{preferred}\n}}"
