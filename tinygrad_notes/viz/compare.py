"""Two graphs laid over each other: what is the same, what changed, what came and what went."""
from __future__ import annotations

import difflib
import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ..nn.summary import bytes_text
from .model import Facts, Graph, GraphEdge, GraphGroup
from .styles import size_of

if TYPE_CHECKING:
    from .model import GraphNode

CLOSE = 1e-4  # relative difference of statistics up to which values count as the same


def compare(before: Graph, after: Graph, values: bool = True) -> Graph:
    """One graph that shows both: before and after a change, two runs, eager and compiled.

    Every node has a status: "same", "changed" (and how: shape, dtype, parameters, values, gradients, memory), "added",
    "removed". Nodes are the same if they are of the same operation, pass and module and stand in the same order there.

    Args:
        before, after: graphs of any kind.
        values: whether different values count as a change, where both graphs know them.

    Returns:
        A `Graph`; its page can show either side or the changes alone, and its text begins each line with + - or ~.

    Raises:
        TypeError: one is no Graph.

    Example:
        >>> import tinygrad_notes as tn
        >>> a = tn.graph(lambda x: tn.sin(x) * 2, tn.ones(2), order=0)
        >>> b = tn.graph(lambda x: tn.exp(tn.sin(x)) * 2, tn.ones(2), order=0)
        >>> [n.label for n in tn.viz.compare(a, b).nodes if n.status == "added"]
        ['exp']
    """
    for name, graph in (("before", before), ("after", after)):
        if not isinstance(graph, Graph):
            raise TypeError(f"{name}: expected a Graph, got {type(graph).__name__}")
    pairs = _matched(before, after)
    backwards = {b: a for a, b in pairs.items()}
    order: list[tuple] = [((n.number, 0, 0), n, after) for n in after.nodes]
    last = -1
    for k, n in enumerate(before.nodes):
        if n.number in pairs:
            last = pairs[n.number]
        else:
            order.append(((last, 1, k), n, before))
    order.sort(key=lambda row: row[0])
    place = {("before" if graph is before else "after", n.number): k for k, (_, n, graph) in enumerate(order)}
    for a, b in pairs.items():
        place["before", a] = place["after", b]
    groups, group_of = _groups(before, after)
    nodes = []
    for k, (_, n, graph) in enumerate(order):
        side = "before" if graph is before else "after"
        at = lambda number, side=side: None if number is None else place[side, number]
        old = before.nodes[backwards[n.number]] if graph is after and n.number in backwards else None
        status, change = ("removed", "") if graph is before else ("added", "")
        if old is not None:
            change = _change(old, n, values)
            status = "changed" if change else "same"
        nodes.append(replace(n, number=k, of=at(n.of), anchor=at(n.anchor), group=group_of[side, n.group],
                             status=status, change=change))
    counts = {s: sum(n.status == s for n in nodes) for s in ("same", "changed", "added", "removed")}
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    legend = (told, *after.facts.legend, *_totals(before, after))
    facts = Facts(_title(before, after), after.facts.passes, after.facts.held, None, [], {}, legend)
    if after.facts.peak:
        facts.peak = (after.facts.peak[0], place["after", after.facts.peak[1]])
    facts.notes = [("after: " + kind, text, tuple(place["after", k] for k in at))
                   for kind, text, at in after.facts.notes]
    return Graph(nodes, _edges(before, after, place), groups, facts)


def _title(before, after):
    one, two = before.facts.title, after.facts.title
    return one if one == two else f"{one} and {two}"


def _totals(before, after):
    """Lines that say how the sums differ."""
    def line(name, one, two, shown):
        return f"{name}: {shown(one)} before, {shown(two)} after" if one != two else f"{name}: {shown(one)}"
    flops = [sum(n.flops for n in g.nodes) for g in (before, after)]
    held = [g.facts.held for g in (before, after)]
    peak = [g.facts.peak[0] if g.facts.peak else 0 for g in (before, after)]
    lines = [("operations", flops, "{:,}".format), ("held for the backward pass", held, bytes_text),
             ("peak of memory", peak, bytes_text)]
    return tuple([line(name, *both, shown) for name, both, shown in lines if all(both)])


def _matched(before, after):
    """{number before: number after} of nodes that are the same."""
    rows: dict = {}
    for side, graph in enumerate((before, after)):
        for n in graph.nodes:
            rows.setdefault((n.layer, n.module, n.role == "sum"), ([], []))[side].append(n)
    pairs = {}
    for old, new in rows.values():
        matcher = difflib.SequenceMatcher(None, [_key(n) for n in old], [_key(n) for n in new], autojunk=False)
        for block in matcher.get_matching_blocks():
            for k in range(block.size):
                pairs[old[block.a + k].number] = new[block.b + k].number
    return pairs


def _key(n: GraphNode):
    return n.label, n.role, n.kind


def _change(old, new, values):
    """What differs between two nodes that are the same, in words."""
    found = []
    for name, a, b in (("shape", size_of(old), size_of(new)), ("parameters", old.note, new.note),
                       ("device", old.device, new.device)):
        if a != b:
            found.append(f"{name} {a or 'none'} → {b or 'none'}")
    if old.held != new.held:
        found.append(f"held {old.held} → {new.held} bytes")
    if old.check and new.check and old.check[0] != new.check[0]:
        found.append(f"gradient check {old.check[0]} → {new.check[0]}")
    if values and old.stats and new.stats and not found and not _close(old.stats, new.stats):
        a, b = old.stats, new.stats
        found.append(f"values: mean {a['mean']} → {b['mean']}, std {a['std']} → {b['std']}")
    return "; ".join(found)


def _close(a, b):
    scale = max(abs(x) for s in (a, b) for x in (s["min"], s["max"], 0.0) if x is not None)
    for key in ("mean", "std", "min", "max"):
        x, y = a[key], b[key]
        if (x is None) != (y is None) or x is not None and not math.isclose(x, y, rel_tol=CLOSE, abs_tol=CLOSE * scale):
            return False
    return a["nan"] == b["nan"] and a["inf"] == b["inf"]


def _groups(before, after):
    """Groups of both graphs, those of one path once; {(side, number): number}."""
    groups: list[GraphGroup] = []
    known: dict = {}
    place = {("before", -1): -1, ("after", -1): -1}
    for side, graph in (("after", after), ("before", before)):
        for g in graph.groups:
            key = (place.get((side, g.parent), -1), g.name, g.label, g.kind)
            if key not in known:
                known[key] = len(groups)
                groups.append(GraphGroup(len(groups), key[0], g.name, g.label, g.kind, first=len(groups)))
            place[side, g.number] = known[key]
    return groups, place


def _edges(before, after, place):
    found: dict[tuple, GraphEdge] = {}
    for side, graph in (("after", after), ("before", before)):
        for e in graph.edges:
            a, b = place[side, e[0]], place[side, e[1]]
            key = (a, b, e.kind, e.slot)
            if key not in found:
                found[key] = e.moved(a, b, status="added" if side == "after" else "removed")
            elif side == "before" and found[key].status == "added":
                found[key] = found[key].moved(a, b, status="")
    return list(found.values())
