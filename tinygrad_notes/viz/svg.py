"""A graph as SVG: boxes that tell by shape, color, sign and word what they are, and a legend."""
from __future__ import annotations

from collections import Counter
from html import escape

from ..nn.summary import bytes_text
from .model import UPDATE
from .placed import lines_of, place
from .styles import STATUSES, STYLES, VERDICTS, layer_color, style_of

FONT = "ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"
FEW = 40  # nodes up to which gradient rules are written along the edges


def draw(graph, rules=None):
    """The SVG text of a `Graph`."""
    placed = place(graph)
    layers = list(dict.fromkeys(n.layer for n in graph.nodes))
    if rules is None:
        rules = len(graph.nodes) <= FEW and len(layers) > 1
    entries = _legend_entries(graph, layers)
    columns = max(1, min(len(entries), int(max(placed.width, 560) // 118)))
    legend = 14 + 20 * -(-len(entries) // columns)
    shares = _shares(graph)
    wide = max((_rule_place(e.formula, path, shares[id(e)])[1] for e, path in zip(graph.edges, placed.paths)
                if rules and e.kind == "gradient"), default=0)
    width = max(placed.width, wide + 8, 118 * columns + 20)
    height = placed.height + legend
    shift = (width - placed.width) / 2
    title = f"Computation graph{' of ' + graph.facts.title if graph.facts.title else ''}: {len(graph.nodes)} nodes"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" '
        f'height="{_n(height)}" font-family="{FONT}" role="img">',
        f"<title>{escape(title)}</title>", _tips(layers),
        f'<rect width="{_n(width)}" height="{_n(height)}" fill="#ffffff"/>',
    ]
    parts += [_legend_entry(entry, 12 + 118 * (k % columns), 8 + 20 * (k // columns))
              for k, entry in enumerate(entries)]
    parts.append(f'<g transform="translate({_n(shift)} {legend})">')
    labels = []
    for e, path in zip(graph.edges, placed.paths):
        if e.kind == "saved" and not rules:
            continue
        parts.append(_edge(graph, e, path))
        if rules and e.kind == "gradient" and e.formula:
            labels.append(_rule(e.formula, path, shares[id(e)]))
    parts += [_box(node, box) for node, box in zip(graph.nodes, placed.boxes)]
    parts += labels
    parts.append("</g></svg>\n")
    return "\n".join(parts)


# Legend -------------------------------------------------------------------------------------------
def _legend_entries(graph, layers):
    used = [("box", key) for key in STYLES if any(style_of(n) == key for n in graph.nodes)]
    if len(layers) > 1:
        used += [("layer", layer) for layer in layers]
    if any(e.kind == "saved" for e in graph.edges):
        used.append(("saved", ""))
    used += [("verdict", v) for v in VERDICTS if any(n.check and n.check[0] == v for n in graph.nodes)]
    used += [("status", s) for s in STATUSES if any(n.status == s for n in graph.nodes)]
    if any(n.marks for n in graph.nodes):
        used.append(("mark", ""))
    return used


def _legend_entry(entry, x, y):
    kind, key = entry
    if kind == "box":
        fill, border, radius, sign, words = STYLES[key]
        return (f'<rect x="{x}" y="{y}" width="16" height="14" rx="{min(radius, 7)}" fill="{fill}" stroke="{border}"/>'
                f'<text x="{x + 8}" y="{y + 11}" font-size="10" text-anchor="middle" fill="{border}">{sign}</text>'
                f'<text x="{x + 21}" y="{y + 11}" font-size="11" fill="#374151">{words}</text>')
    if kind == "layer":
        dashes = _dashes(key)
        return (f'<path d="M{x} {y + 7}h16" stroke="{layer_color(key)}" stroke-width="2"{dashes}/>'
                f'<text x="{x + 21}" y="{y + 11}" font-size="11" fill="#374151">{escape(key)} pass</text>')
    sign, color, words = {
        "saved": ("┈", "#9ca3af", "read by a rule"), "mark": ("!", "#b91c1c", "look here"),
        "verdict": VERDICTS.get(key, ("", "", "")), "status": (*STATUSES.get(key, ("", "")), key)}[kind]
    return (f'<text x="{x + 8}" y="{y + 12}" font-size="13" font-weight="700" text-anchor="middle" fill="{color}">'
            f'{sign}</text><text x="{x + 21}" y="{y + 11}" font-size="11" fill="#374151">{words}</text>')


def _tips(layers):
    colors = dict.fromkeys(layer_color(layer) for layer in ("forward", *layers))
    return "<defs>" + "".join(
        f'<marker id="tip{color[1:]}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" '
        f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{color}"/></marker>' for color in colors) + "</defs>"


# Edges and boxes ----------------------------------------------------------------------------------
def _edge(graph, e, path):
    layer = graph.nodes[e[1]].layer
    if e.kind == "saved":
        return (f'<path d="{_curve(path)}" fill="none" stroke="#9ca3af" stroke-width="1" stroke-dasharray="1 3"/>')
    color = layer_color(layer if e.kind == "gradient" or layer == UPDATE else graph.nodes[e[0]].layer)
    dashes = _dashes(layer) if e.kind == "gradient" else ' stroke-dasharray="6 3"' if e.status == "removed" else ""
    width = 2.4 if e.status == "added" else 1.3
    tip = f"<title>{escape(f'{e.slot} {e.formula}'.strip())}</title>" if e.formula else ""
    return (f'<path d="{_curve(path)}" fill="none" stroke="{color}" stroke-width="{width}"{dashes} '
            f'marker-end="url(#tip{color[1:]})">{tip}</path>')


def _dashes(layer):
    return {"forward": "", "backward": ' stroke-dasharray="5 2"', "second order": ' stroke-dasharray="2 2"'}.get(
        layer, ' stroke-dasharray="7 2 2 2"')


def _shares(graph):
    """Per gradient edge where its rule stands: where edges begin or end together, nearer to the other ends."""
    gives = Counter(e[0] for e in graph.edges if e.kind == "gradient")
    takes = Counter(e[1] for e in graph.edges if e.kind == "gradient")
    return {id(e): 0.74 if gives[e[0]] > 1 else 0.28 if takes[e[1]] > 1 else 0.5 for e in graph.edges}


def _rule(formula, path, share):
    (x, y), _, text = _rule_place(formula, path, share)
    return (f'<text x="{_n(x)}" y="{_n(y)}" font-size="9.5" fill="#9f1239" '
            f'font-family="ui-monospace, Menlo, Consolas, monospace" stroke="#ffffff" stroke-width="3" '
            f'paint-order="stroke">{escape(text)}</text>')


def _rule_place(formula, path, t=0.5):
    """Where a rule is written: at a share of its edge; how far to the right it reaches; its text."""
    k = len(path) // 2
    (xa, ya), (xb, yb) = path[k - 1], path[k]
    text = formula if len(formula) <= 34 else formula[:33] + "…"
    x = xa + (xb - xa) * t * t * (3 - 2 * t) + 4
    y = (1 - t) ** 3 * ya + 3 * (1 - t) * t * (ya + yb) / 2 + t**3 * yb + 3
    return (x, y), x + 5.8 * len(text), text


def _box(node, box):
    x, y, w, h = box
    fill, border, radius, sign, _ = STYLES[style_of(node)]
    tip = escape(tooltip(node))
    if node.check:
        border = VERDICTS.get(node.check[0], ("", border))[1]
    if node.status in STATUSES:
        border = STATUSES[node.status][1]
    heavy = node.role in ("output", "group") or bool(node.check) or node.status in STATUSES
    dashes = _dashes(node.layer) if node.layer not in ("forward", UPDATE) else ""
    parts = [f"<g><title>{tip}</title>"]
    if node.role == "group":
        parts.append(f'<rect x="{_n(x - w / 2 + 4)}" y="{_n(y - h / 2 - 4)}" width="{_n(w)}" height="{_n(h)}" '
                     f'rx="{radius}" fill="{fill}" stroke="{border}" stroke-width="0.8"/>')
    parts.append(f'<rect x="{_n(x - w / 2)}" y="{_n(y - h / 2)}" width="{_n(w)}" height="{_n(h)}" rx="{radius}" '
                 f'fill="{fill}" stroke="{border}" stroke-width="{2 if heavy else 1.2}"{dashes}/>')
    if node.role == "sum":
        parts.append(f'<text x="{_n(x)}" y="{_n(y + 5)}" text-anchor="middle" font-size="14" font-weight="700" '
                     f'fill="{border}">+</text></g>')
        return "".join(parts)
    parts.append(f'<text x="{_n(x - w / 2 + 7)}" y="{_n(y - h / 2 + 15)}" font-size="10" fill="{border}">{sign}</text>')
    at = y - h / 2 + 16
    for text, size, color in zip(lines_of(node), (12, 10, 10), ("#111827", "#4b5563", "#6b7280")):
        if text:
            weight = ' font-weight="600"' if size == 12 else ""
            parts.append(f'<text x="{_n(x + (5 if size == 12 else 0))}" y="{_n(at)}" text-anchor="middle" '
                         f'font-size="{size}" fill="{color}"{weight}>{escape(text)}</text>')
            at += 13
    parts.append("</g>")
    return "\n".join(parts)


def tooltip(node):
    """What is known of a node, in lines."""
    lines = [f"%{node.number} {node.label} {node.dtype} {node.shape} {node.note}".strip()]
    if node.module:
        lines.append(f"in {node.module}")
    if node.site:
        lines.append(f"{node.site}: {node.code}" if node.code else node.site)
    if node.stats:
        s = node.stats
        lines.append(f"mean {s['mean']}, std {s['std']}, min {s['min']}, max {s['max']}, zeros {s['zeros']}, "
                     f"NaN {s['nan']}, inf {s['inf']}")
    if node.flops:
        lines.append(f"{node.flops:,} operations")
    if node.held:
        lines.append(f"{bytes_text(node.held)} held for the backward pass")
    if node.change:
        lines.append(f"changed: {node.change}")
    if node.check:
        lines.append(f"gradient {VERDICTS.get(node.check[0], ('', '', node.check[0]))[2]}: {node.check[1]}")
    return "\n".join([*lines, *node.marks])


def _curve(points):
    """A smooth line through the points, vertical at every one of them."""
    (x, y), text = points[0], f"M{_n(points[0][0])} {_n(points[0][1])}"
    for x2, y2 in points[1:]:
        middle = (y + y2) / 2
        text += f"C{_n(x)} {_n(middle)} {_n(x2)} {_n(middle)} {_n(x2)} {_n(y2)}"
        x, y = x2, y2
    return text


def _n(value):
    return f"{value:.1f}".removesuffix(".0")
