"""How a node looks: color, shape and sign by what it is. The sign and the shape say the same as the color."""
from __future__ import annotations

from .model import LAYERS, UPDATE

# Fill, border, corner radius, sign and words for the legend.
STYLES = {
    "parameter": ("#fde9c8", "#b45309", 0, "◆", "parameter"),
    "input": ("#dbeafe", "#1d4ed8", 0, "▷", "input"),
    "constant": ("#f3f4f6", "#6b7280", 0, "=", "constant"),
    "state": ("#fef9c3", "#a16207", 0, "◇", "state"),
    "output": ("#e5e7eb", "#111827", 14, "◉", "output"),
    "gradient": ("#ffe4e6", "#be123c", 0, "▽", "gradient"),
    "sum": ("#ffffff", "#be123c", 11, "+", "adds up"),
    "group": ("#f8fafc", "#334155", 4, "▣", "group"),
    "contraction": ("#d9f2e3", "#15803d", 7, "×", "contraction"),
    "linalg": ("#cffafe", "#0e7490", 7, "⊞", "linear algebra"),
    "reduce": ("#fae8ff", "#a21caf", 7, "Σ", "reduction"),
    "view": ("#f1f5f9", "#64748b", 7, "↷", "view"),
    "gather": ("#e0f2fe", "#0369a1", 7, "⋔", "gather"),
    "sort": ("#ecfccb", "#4d7c0f", 7, "⇅", "sort"),
    "random": ("#fef3c7", "#92400e", 7, "⚄", "random"),
    "elementwise": ("#ece7fb", "#6d28d9", 7, "ƒ", "elementwise"),
    "update": ("#ccfbf1", "#0f766e", 7, "⟳", "update"),
    "other": ("#ffffff", "#374151", 7, "•", "other"),
}
LAYER_COLORS = {"forward": "#64748b", "backward": "#be123c", "second order": "#7e22ce", UPDATE: "#0f766e"}
LAYER_SIGNS = {"forward": "", "backward": "∂ ", "second order": "∂² ", "third order": "∂³ "}
VERDICTS = {"CORRECT": ("✓", "#15803d", "right"), "WRONG": ("✗", "#b91c1c", "wrong"),
            "INCONCLUSIVE": ("?", "#a16207", "cannot tell")}
STATUSES = {"added": ("+", "#15803d"), "removed": ("−", "#b91c1c"), "changed": ("~", "#b45309")}


def style_of(node):
    """The style a node is drawn in: its role, or for operations its kind."""
    if node.role != "operation":
        return node.role
    return node.kind if node.kind in STYLES else "other"


def layer_color(layer):
    """The color of the edges of a layer."""
    return LAYER_COLORS.get(layer, "#1e3a8a")


def title_of(node):
    """The label of a box: its sign, which pass it belongs to, what it is, and what is remarkable about it."""
    found = f"{LAYER_SIGNS.get(node.layer, '')}{node.label}" if node.role == "operation" else node.label
    if node.status in STATUSES:
        found = f"{STATUSES[node.status][0]} {found}"
    if node.check:
        found += f" {VERDICTS.get(node.check[0], ('?',))[0]}"
    return found + (" !" if node.marks else "")


def size_of(node):
    """Shape and dtype as text: float32 goes without saying."""
    if not node.dtype:
        return ""
    shape = "×".join(map(str, node.shape)) if node.shape else "scalar"
    return shape + ("" if node.dtype == "float32" else f" {node.dtype}")


def note_of(node, longest=30):
    """The keyword parameters that say something: none of those that are None or False."""
    parts = [part for part in split_note(node.note) if part.partition("=")[2] not in ("None", "False")]
    text = ", ".join(parts)
    return text if len(text) <= longest else text[:longest - 1] + "…"


def split_note(note):
    """A note cut at the commas that are not inside brackets."""
    parts, depth, start = [], 0, 0
    for k, letter in enumerate(note):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth:
            parts.append(note[start:k].strip())
            start = k + 1
    return [part for part in (*parts, note[start:].strip()) if part]


def paired(nodes):
    """{number of a forward node: what is drawn beside it, by layer}, and the numbers of all that is beside another."""
    beside: dict[int, dict[str, list]] = {}
    for n in nodes:
        if n.anchor is not None and n.layer != "forward":
            beside.setdefault(n.anchor, {}).setdefault(n.layer, []).append(n)
    return beside, {n.number for layers in beside.values() for part in layers.values() for n in part}


def layer_rank(layer):
    """The order of the columns."""
    return LAYERS.index(layer) if layer in LAYERS else len(LAYERS)
