"""A graph as a TikZ picture for lecture notes; `pdflatex` and `lualatex` take it as it is."""
from __future__ import annotations

from .placed import lines_of, place
from .styles import STYLES, VERDICTS, layer_color, size_of, style_of

SCALE = 0.0265  # centimeters per pixel
SIGNS = {"◆": r"$\blacklozenge$", "▷": r"$\triangleright$", "=": "=", "◇": r"$\lozenge$", "◉": r"$\odot$",
         "▽": r"$\triangledown$", "+": "$+$", "▣": r"$\boxdot$", "×": r"$\times$", "⊞": r"$\boxplus$",
         "Σ": r"$\Sigma$", "↷": r"$\curvearrowright$", "⋔": r"$\pitchfork$", "⇅": r"$\updownarrow$", "⚄": r"$\ast$",
         "ƒ": "$f$", "⟳": r"$\circlearrowright$", "•": r"$\cdot$"}
SPECIAL = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_",
           "%": r"\%", "^": r"\^{}", "~": r"\~{}", "<": r"\textless{}", ">": r"\textgreater{}", "×": r"$\times$",
           "∂": r"$\partial$", "²": "$^2$", "³": "$^3$", "✓": r"$\checkmark$", "✗": r"$\times$", "−": "$-$",
           "…": r"\ldots{}", "|": r"\textbar{}", '"': "''"}


def write(graph):
    """The LaTeX text: a `standalone` document that holds one picture with a legend."""
    placed = place(graph)
    colors = {key: STYLES[key] for key in STYLES if any(style_of(n) == key for n in graph.nodes)}
    lines = [r"\documentclass[tikz,border=4pt]{standalone}", r"\usepackage{amssymb}",
             r"\usetikzlibrary{arrows.meta}"]
    for key, (fill, border, *_) in colors.items():
        lines += [_color(f"fill{key}", fill), _color(f"line{key}", border)]
    layers = list(dict.fromkeys(n.layer for n in graph.nodes))
    lines += [_color(f"layer{k}", layer_color(layer)) for k, layer in enumerate(layers)]
    options = r">={Stealth[length=4pt]}, every node/.style={font=\sffamily\scriptsize}"
    lines += [r"\begin{document}", rf"\begin{{tikzpicture}}[{options}]"]
    for n, (x, y, w, h) in zip(graph.nodes, placed.boxes):
        lines.append(_node(n, x, y, w, h))
    rules = len(graph.nodes) <= 60
    for e, path in zip(graph.edges, placed.paths):
        if e.kind == "saved" and not rules:
            continue
        lines.append(_edge(graph, e, path, layers, rules))
    lines += _legend(colors)
    return "\n".join([*lines, r"\end{tikzpicture}", r"\end{document}", ""])


def _color(name, value):
    return rf"\definecolor{{{_letters(name)}}}{{HTML}}{{{value[1:].upper()}}}"


def _letters(name):
    """A name that TeX takes for a color: digits as letters, no spaces."""
    return "".join(chr(ord("a") + int(c)) if c.isdigit() else c for c in name if c.isalnum())


def _node(n, x, y, w, h):
    key = style_of(n)
    title, *_ = lines_of(n)
    rounded = ", circle" if n.role == "sum" else ", rounded corners=3pt" if STYLES[key][2] else ""
    dashed = ", dashed" if n.layer not in ("forward", "update") else ""
    label = r"$+$" if n.role == "sum" else rf"{SIGNS[STYLES[key][3]]} \textbf{{{_tex(title)}}}"
    if size_of(n) and n.role != "sum":
        label += rf"\\[-1pt]\tiny {_tex(size_of(n))}"
    thick = ", very thick" if n.check and n.check[0] in VERDICTS and n.check[0] != "CORRECT" else ""
    return (rf"\node[draw=line{key}, fill=fill{key}{rounded}{dashed}{thick}, align=center, inner sep=1pt, "
            rf"minimum width={_n(w)}cm, minimum height={_n(h)}cm] (n{n.number}) at ({_n(x)},{_n(-y)}) {{{label}}};")


def _edge(graph, e, path, layers, rules):
    layer = graph.nodes[e[1]].layer if e.kind == "gradient" else graph.nodes[e[0]].layer
    color = _letters(f"layer{layers.index(layer)}")
    style = {"data": "->", "gradient": "->, dashed", "saved": "dotted, gray"}[e.kind]
    points = [f"({_n(x)},{_n(-y)})" for x, y in path]
    text = rf" node[midway, right, font=\ttfamily\tiny, fill=white, inner sep=0.6pt] {{{_tex(e.formula)}}}" \
        if rules and e.kind == "gradient" and e.formula else ""
    if len(points) == 2 and abs(path[0][1] - path[1][1]) > 1:
        return rf"\draw[{style}, draw={color}] {points[0]} to[out={_out(path)},in={_in(path)}]{text} {points[1]};"
    return rf"\draw[{style}, draw={color}] plot[smooth, tension=0.4] coordinates {{{' '.join(points)}}}{text};"


def _out(path):
    return 270 if path[1][1] > path[0][1] else 90


def _in(path):
    return 90 if path[1][1] > path[0][1] else 270


def _legend(colors):
    lines = []
    for k, (key, (*_, sign, words)) in enumerate(colors.items()):
        x, y = _n(10 + 105 * (k % 6)), _n(20 + 20 * (k // 6))
        lines.append(rf"\node[draw=line{key}, fill=fill{key}, inner sep=1.5pt, anchor=west] at ({x},{y}) "
                     rf"{{{SIGNS[sign]}}}; \node[anchor=west] at ({_n(26 + 105 * (k % 6))},{y}) {{{_tex(words)}}};")
    return lines


def _tex(text):
    return "".join(SPECIAL.get(c, c if c.isascii() and c.isprintable() else "?") for c in text)


def _n(pixels):
    return f"{pixels * SCALE:.2f}"
