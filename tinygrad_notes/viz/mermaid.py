"""A graph in Mermaid's language, which Markdown viewers draw."""
from __future__ import annotations

from .groups import chain
from .styles import STYLES, layer_color, size_of, style_of, title_of

# How the box of a role is bracketed: the shape says the role without color.
SHAPES = {"parameter": ('["', '"]'), "input": ('[/"', '"/]'), "constant": ('("', '")'), "state": ('[("', '")]'),
          "output": ('(["', '"])'), "gradient": ('[\\"', '"\\]'), "sum": ('(("', '"))'), "group": ('[["', '"]]')}
ARROWS = {"data": "-->", "gradient": "-.->", "saved": "-.-"}


def write(graph):
    """The Mermaid text of a `Graph`: modules are subgraphs, gradients are dotted arrows with their rules."""
    lines = ["flowchart TD"]
    inside: dict[int, list] = {}
    for n in graph.nodes:
        inside.setdefault(n.group if n.layer == "forward" else -1, []).append(n)
    _group(graph, -1, inside, lines)
    for e in graph.edges:
        rule = e.formula if e.kind == "gradient" and len(graph.nodes) <= 80 else ""
        lines.append(f"  n{e[0]} {ARROWS[e.kind]}{f'|{_quoted(rule)}|' if rule else ''} n{e[1]}")
    used = {style_of(n) for n in graph.nodes}
    for key, (fill, border, *_) in STYLES.items():
        if key in used:
            members = ",".join(f"n{n.number}" for n in graph.nodes if style_of(n) == key)
            lines += [f"  classDef {key} fill:{fill},stroke:{border},color:#111827", f"  class {members} {key}"]
    back = [str(k) for k, e in enumerate(graph.edges) if e.kind == "gradient"]
    if back:
        lines.append(f"  linkStyle {','.join(back)} stroke:{layer_color('backward')}")
    return "\n".join([*lines, ""])


def _group(graph, number, inside, lines):
    """The nodes of a group and the groups inside it; a stack in place of recursion."""
    stack = [(number, False)]
    while stack:
        at, done = stack.pop()
        depth = len(chain(graph.groups, at))
        if done:
            lines.append("  " * depth + "end")
            continue
        if at >= 0:
            g = graph.groups[at]
            times = f" ×{g.count}" if g.count > 1 else ""
            lines.append("  " * depth + f"subgraph g{at}[{_quoted(g.title + times)}]")
            stack.append((at, True))
        for n in inside.get(at, ()):
            left, right = SHAPES.get(n.role, ('("', '")'))
            sign = STYLES[style_of(n)][3]
            label = _escaped("+" if n.role == "sum" else f"{sign} {title_of(n)}")
            shape = f"<br/>{_escaped(size_of(n))}" if size_of(n) and n.role != "sum" else ""
            lines.append("  " * (depth + 1) + f"n{n.number}{left}{label}{shape}{right}")
        held = {k for n in graph.nodes if n.layer == "forward" for k in chain(graph.groups, n.group)}
        stack += [(g.number, False) for g in reversed(graph.groups) if g.parent == at and g.number in held]


def _escaped(text):
    return "".join(c if c.isalnum() or c in " .,_-+×∂²³:()*/=ƒΣ◆▷◇◉▽▣⊞↷⋔⇅⚄⟳•!✓✗?~−" else f"#{ord(c)};" for c in text)


def _quoted(text):
    return f'"{_escaped(text)}"'
