"""A graph as SVG: boxes that tell by shape, color and word what they are, and a legend."""

from html import escape

from .layout import arrange

# Fill, border and corner radius per role, or per kind of operation. Shape and label carry the meaning as well.
STYLES = {
    "parameter": ("#fde9c8", "#b7791f", 0),
    "input": ("#dbeafe", "#2563eb", 0),
    "output": ("#e5e7eb", "#111827", 14),
    "contraction": ("#d9f2e3", "#15803d", 6),
    "reduce": ("#fbe0e6", "#be185d", 6),
    "view": ("#f3f4f6", "#6b7280", 6),
    "elementwise": ("#ece7fb", "#6d28d9", 6),
    "other": ("#ffffff", "#374151", 6),
}
FONT = "ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"


def style_of(node):
    """The style a node is drawn in: its role, or for operations its kind."""
    if node.role != "operation":
        return node.role
    return node.kind if node.kind in STYLES else "other"


def draw(graph):
    """The SVG text of a `Graph`."""
    lines = [_lines(node) for node in graph.nodes]
    sizes = [
        (max(7.2 * len(a), 5.8 * len(b), 5.8 * len(c)) + 18, 20 + (13 if b else 0) + (13 if c else 0) + 4)
        for a, b, c in lines
    ]
    layout = arrange(sizes, graph.edges)
    used = [key for key in STYLES if any(style_of(n) == key for n in graph.nodes)]
    legend = 26
    width = max(layout.width, 96 * len(used) + 20)
    height = layout.height + legend
    shift = (width - layout.width) / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" '
        f'height="{_n(height)}" font-family="{FONT}" role="img">',
        f"<title>Computation graph: {len(graph.nodes)} nodes</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#6b7280"/></marker></defs>',
        f'<rect width="{_n(width)}" height="{_n(height)}" fill="#ffffff"/>',
    ]
    for k, key in enumerate(used):
        fill, border, radius = STYLES[key]
        parts.append(
            f'<rect x="{10 + 96 * k}" y="8" width="12" height="12" rx="{min(radius, 6)}" '
            f'fill="{fill}" stroke="{border}"/>'
            f'<text x="{27 + 96 * k}" y="18" font-size="11" fill="#374151">{key}</text>'
        )
    parts.append(f'<g transform="translate({_n(shift)} {legend})">')
    parts += [
        f'<path d="{_curve(path)}" fill="none" stroke="#9ca3af" stroke-width="1.2" marker-end="url(#tip)"/>'
        for path in layout.paths
    ]
    for node, (x, y), (w, h), texts in zip(graph.nodes, layout.centers, sizes, lines):
        fill, border, radius = STYLES[style_of(node)]
        tip = escape(f"%{node.number} {node.label} {node.dtype} {node.shape} {node.note}".strip())
        parts.append(
            f'<g><title>{tip}</title><rect x="{_n(x - w / 2)}" y="{_n(y - h / 2)}" width="{_n(w)}" height="{_n(h)}" '
            f'rx="{radius}" fill="{fill}" stroke="{border}" stroke-width="{2 if node.role == "output" else 1.2}"/>'
        )
        at = y - h / 2 + 16
        for text, size, color in zip(texts, (12, 10, 10), ("#111827", "#4b5563", "#6b7280")):
            if text:
                weight = ' font-weight="600"' if size == 12 else ""
                parts.append(
                    f'<text x="{_n(x)}" y="{_n(at)}" text-anchor="middle" font-size="{size}" fill="{color}"{weight}>'
                    f"{escape(text)}</text>"
                )
                at += 13
        parts.append("</g>")
    parts.append("</g></svg>\n")
    return "\n".join(parts)


def _lines(node):
    shape = "x".join(map(str, node.shape)) if node.shape else "scalar"
    dtype = "" if node.dtype == "float32" else f" {node.dtype}"
    return node.label, shape + dtype, node.note if len(node.note) <= 28 else ""


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
