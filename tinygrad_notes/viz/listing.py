"""A graph as lines of text: for terminals, screen readers, and comparisons by eye."""
from __future__ import annotations

from .groups import LEAVES, chain

SIGNS = {"added": "+", "removed": "-", "changed": "~", "same": " "}
VERDICTS = {"CORRECT": "right", "WRONG": "WRONG", "INCONCLUSIVE": "cannot tell"}


def write(graph):
    """One line per node in the order of computation; modules and layers as headings where there are any."""
    sources: dict[int, list[str]] = {n.number: [] for n in graph.nodes}
    rules: dict[int, list[str]] = {n.number: [] for n in graph.nodes}
    for e in graph.edges:
        if e.kind != "saved":
            sources[e[1]].append(f"%{e[0]}")
        if e.kind == "gradient" and e.formula:
            rules[e[1]].append(f"%{e[0]}: {e.formula}")
    layered = len({n.layer for n in graph.nodes}) > 1
    lines, layer, open_groups = [], None, []
    for n in _in_reading_order(graph):
        if layered and n.layer != layer:
            layer, open_groups = n.layer, []
            lines.append(f"{layer}:")
        path = chain(graph.groups, n.group) if n.layer == "forward" else []
        keep = next((k for k, (a, b) in enumerate(zip(open_groups, path)) if a != b), min(len(path), len(open_groups)))
        lines += ["  " * (k + layered) + _heading(graph.groups[path[k]]) for k in range(keep, len(path))]
        open_groups = path
        lines.append("  " * (len(path) + layered) + _line(n, sources[n.number], rules[n.number]))
    lines += [f"! {kind}: {text}" for kind, text, _ in graph.facts.notes]
    return "\n".join(lines)


def _in_reading_order(graph):
    """The nodes; where there are modules, a leaf comes just before what reads it first."""
    if not graph.groups:
        return graph.nodes
    first: dict[int, list] = {}
    seen = set()
    for e in sorted(graph.edges, key=lambda e: e[1]):
        n = graph.nodes[e[0]]
        if n.role in LEAVES and n.layer == "forward" and e[0] not in seen:
            seen.add(e[0])
            first.setdefault(e[1], []).append(n)
    return [part for n in graph.nodes if n.number not in seen for part in (*first.get(n.number, ()), n)]


def _heading(group):
    repeated = f"  x{group.count}" if group.count > 1 else ""
    return f"[{group.title}]{repeated}"


def _line(n, sources, rules):
    call = n.label if n.role not in ("operation", "sum", "group") else (
        f"{n.label}({', '.join(sources)}{', ' + n.note if n.note else ''})")
    told = f"{'%' + str(n.number):>5} = {call}    {n.dtype} {n.shape}"
    if n.role not in ("operation", "sum"):
        told += f"  {n.role}"
    if rules:
        told += f"  <- {'; '.join(rules)}"
    if n.check:
        told += f"  [{VERDICTS.get(n.check[0], n.check[0])}: {n.check[1]}]"
    if n.kernel:
        told += f"  in kernel {n.kernel}"
    if n.change:
        told += f"  [{n.change}]"
    if n.marks:
        told += f"  ! {', '.join(n.marks)}"
    return (f"{SIGNS[n.status]} " if n.status else "") + told
