"""A profile as a flame picture: the step, its phases, its modules, their operations; each row divides the one above."""
from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

from .picture import FONT, number

ROW, GAP, TOP, SIDE = 26, 1.5, 62, 12
LETTER, BOLD = 6.4, 7.0  # widths of a letter at 11 px, about
THIN = 0.4       # pixels below which a box is not drawn
# Of each phase: the palest and the strongest fill, in light and in dark.
TONES = {
    "": (("#e5e7eb", "#cbd5e1"), ("#374151", "#4b5563")),
    "forward": (("#e3eefb", "#79b4ee"), ("#1e3146", "#2f6fae")),
    "backward": (("#fbe6ea", "#ee8fa3"), ("#40222b", "#a83a55")),
    "update": (("#dcf3ee", "#63c3ae"), ("#17362f", "#1f8270")),
    "other": (("#eef0f3", "#b6bdc8"), ("#2a2f38", "#586273")),
}
WORDS = {"other": "Python around it"}


@dataclass
class Box:
    """A part of the step.

    Fields:
        name, what: its label, and a line about it.
        phase: which colors it has.
        seconds: with all its parts.
        parts: {name: Box}.
        row: the row of the table that it shows, if it is an operation.
    """

    name: str
    phase: str
    what: str = ""
    seconds: float = 0.0
    parts: dict[str, Box] = field(default_factory=dict)
    row: Any = None


def tree(profile):
    """The step as boxes in boxes, in the order of execution."""
    root = Box(profile.title, "", "the whole step")
    for phase in ("forward", "backward", "update", "other"):
        for row in profile.rows:
            if row.phase != phase or not row.seconds:
                continue
            at, path = root, []
            at.seconds += row.seconds
            steps = [(phase, WORDS.get(phase, phase), "phase")]
            for part in filter(None, row.module.split(".")):
                path.append(part)
                kind = profile.classes.get(".".join(path), "")
                steps.append((part, f"{part} {kind}".strip(), f"module {'.'.join(path)}"))
            for key, name, what in steps:
                at = at.parts.setdefault("m:" + key, Box(name, phase, what))
                at.seconds += row.seconds
            if phase == "other" and row.name == "(Python)":
                continue
            leaf = at.parts.setdefault("o:" + row.name, Box(row.name, phase, "operation", row=row))
            leaf.seconds += row.seconds
    return root


def leaves(box):
    """The boxes that are operations."""
    return [box] if box.row is not None else [leaf for part in box.parts.values() for leaf in leaves(part)]


def depth(box):
    """How many rows a box needs."""
    found, level = 0, [box]
    while level:
        found, level = found + 1, [part for b in level for part in b.parts.values()]
    return found


def flame(profile, width=1080):
    """The SVG text of a `Profile`."""
    root = tree(profile)
    rows, hottest = depth(root), max((box.seconds for box in leaves(root)), default=1.0)
    height = TOP + rows * ROW + 14
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{FONT}" font-size="11" role="img" class="tnflame">',
        f"<title>{escape(f'Flame picture of {profile.title}')}</title>", f"<style>{_style()}</style>",
        f'<rect class="paper tnf-paper" width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text class="ink tnf-ink" x="{SIDE}" y="22" font-size="14" font-weight="600" fill="#111827">'
        f'{escape(_cut(profile.title, int((width - 24) / 8.5)))}</text>', *_legend(root, width)]
    level = [(root, float(SIDE), float(width - 2 * SIDE))]
    for k in range(rows):
        following = []
        for box, x, w in level:
            if w < THIN:
                continue
            parts.append(_draw(box, x, TOP + k * ROW, w, root.seconds, hottest))
            at = x
            for part in box.parts.values():
                share = w * part.seconds / box.seconds
                following.append((part, at, share))
                at += share
        level = following
    return "\n".join([*parts, "</svg>\n"])


def _legend(root, width):
    """The phases with their times and shares, below the title."""
    parts, x = [], SIDE
    for part in root.parts.values():
        text = f"{part.name} {seconds_text(part.seconds)}, {part.seconds / root.seconds:.0%}"
        parts.append(f'<rect class="{_class(part.phase, 3)}" x="{number(x)}" y="35" width="12" height="12" rx="3" '
                     f'fill="{TONES[part.phase][0][1]}"/><text class="faint tnf-faint" x="{number(x + 17)}" y="45" '
                     f'fill="#4b5563">{escape(text)}</text>')
        x += 17 + LETTER * len(text) + 24
    return parts


def _draw(box, x, y, w, total, hottest):
    share = box.seconds / total if total else 0.0
    heat = min(3, int(4 * box.seconds / hottest)) if box.row is not None else 2 if box.phase else 0
    fill = _mixed(*TONES[box.phase][0], heat / 3)
    inner = max(w - GAP, 0.3)
    label = ""
    if inner >= 24:
        room = int((inner - 10) / (BOLD if box.row is None else LETTER))
        time = seconds_text(box.seconds)
        text = f"{box.name}  {time}" if len(box.name) + len(time) + 2 <= room else _cut(box.name, room)
        bold = ' font-weight="600"' if box.row is None else ""
        label = (f'<text class="tnf-label" x="{number(x + 6)}" y="{number(y + 16)}" fill="#111827"{bold}>'
                 f'{escape(text)}</text>') if len(text) > 1 else ""
    kind = "tnf-box" if box.row is not None else "tnf-box tnf-bold"
    return (f'<g class="{kind}" data-x="{number(x)}" data-w="{w:.4f}" data-n="{escape(box.name)}" '
            f'data-t="{seconds_text(box.seconds)}"><title>{escape(_tip(box, share))}</title>'
            f'<rect class="{_class(box.phase, heat)}" x="{number(x)}" y="{number(y)}" width="{number(inner)}" '
            f'height="{ROW - 2}" rx="{2 if inner > 6 else 0}" fill="{fill}"/>{label}</g>')


def _tip(box, share):
    lines = [f"{box.name}: {seconds_text(box.seconds)}, {share:.1%} of the step", box.what]
    row = box.row
    if row is not None:
        lines[1] = f"{row.phase}{' in ' + row.module if row.module else ''}, {row.calls} calls"
        if row.flops:
            lines.append(f"{quantity(row.flops, 'FLOP')}, {quantity(row.flops / row.seconds, 'FLOP/s')}")
        if row.bytes:
            lines.append(f"{quantity(row.bytes, 'B')}, {quantity(row.bytes / row.seconds, 'B/s')}")
    return "\n".join(lines)


def _class(phase, heat):
    return f"tnf-{phase or 'step'}{heat}"


def _style():
    """Fills for light and dark; a viewer that does not know `light-dark` keeps those of the attributes."""
    rules = [":root{color-scheme:light dark}", ".tnf-paper{fill:light-dark(#ffffff,#181c23)}",
             ".tnf-ink{fill:light-dark(#111827,#eef1f5)}", ".tnf-faint{fill:light-dark(#4b5563,#a3adbb)}",
             ".tnf-label{fill:light-dark(#111827,#f3f5f8);pointer-events:none}", ".tnf-box{cursor:default}",
             ".tnf-box:hover rect,.tnf-box:focus rect{stroke:light-dark(#111827,#eef1f5);stroke-width:1.2}",
             ".tnf-box:focus{outline:none}"]
    for phase, (light, dark) in TONES.items():
        rules += [f".{_class(phase, heat)}{{fill:light-dark({_mixed(*light, heat / 3)},{_mixed(*dark, heat / 3)})}}"
                  for heat in range(4)]
    return "".join(rules)


def _mixed(a, b, share):
    """A color between two."""
    pairs = [(int(a[k:k + 2], 16), int(b[k:k + 2], 16)) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(x + (y - x) * share):02x}" for x, y in pairs)


def _cut(text, room):
    return text if len(text) <= room else text[:max(0, room - 1)] + "…" if room > 3 else ""


# Numbers ------------------------------------------------------------------------------------
def seconds_text(seconds):
    """A time with its unit, three digits."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale * 0.9995:
            return f"{_three(seconds / scale)} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def quantity(n, unit):
    """A large number with a metric prefix, three digits."""
    for prefix, scale in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if n >= scale:
            return f"{_three(n / scale)} {prefix}{unit}"
    return f"{n:.0f} {unit}".strip()


def _three(x):
    return f"{x:.0f}" if x >= 99.95 else f"{x:.1f}" if x >= 9.995 else f"{x:.2f}"
