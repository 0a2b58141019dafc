"""Parts of a graph: some layers, what lies around a node, modules and repetitions as one node each."""
from __future__ import annotations

import difflib
from dataclasses import replace

from .groups import LEAVES, chain
from .model import Graph, GraphEdge, GraphNode, renumbered


def only(graph, layers):
    """The nodes of some layers."""
    there = list(dict.fromkeys(n.layer for n in graph.nodes))
    for layer in layers:
        if layer not in there:
            raise ValueError(f"only: the graph has no layer {layer!r}; it has {', '.join(map(repr, there))}")
    kept = [n for n in graph.nodes if n.layer in layers]
    return renumbered(kept, graph.edges, graph.groups, graph.facts)


def find(graph, words):
    """Nodes that hold the words."""
    wanted = words.lower().split()
    return [n for n in graph.nodes if all(w in _haystack(n) for w in wanted)]


def _haystack(n):
    shape = "x".join(map(str, n.shape))
    return " ".join((n.label, n.module, n.site, n.code, n.note, n.role, n.layer, n.dtype, shape, *n.marks)).lower()


def numbered(graph, node):
    """The number of a node given by number or label."""
    if isinstance(node, int) and not isinstance(node, bool):
        if 0 <= node < len(graph.nodes):
            return node
        raise ValueError(f"node: expected a number from 0 to {len(graph.nodes) - 1}, got {node}")
    found = next((n.number for n in graph.nodes if n.label == node), None)
    if found is None:
        near = difflib.get_close_matches(str(node), sorted({n.label for n in graph.nodes}), n=1)
        raise ValueError(f"node: none has the label {node!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return found


def around(graph, node, hops):
    """The nodes within some edges of one."""
    start = numbered(graph, node)
    if not isinstance(hops, int) or hops < 0:
        raise ValueError(f"hops: expected an int >= 0, got {hops!r}")
    near: dict[int, list[int]] = {}
    for a, b in graph.edges:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    seen, edge = {start}, [start]
    for _ in range(hops):
        edge = list(dict.fromkeys(m for k in edge for m in near.get(k, ()) if m not in seen))
        seen.update(edge)
    return renumbered([n for n in graph.nodes if n.number in seen], graph.edges, graph.groups, graph.facts)


def collapse(graph, depth, fold):
    """Groups deeper than `depth` as single nodes (None: no group); repetitions once, if `fold`."""
    if depth is not None and (not isinstance(depth, int) or depth < 0):
        raise ValueError(f"depth: expected an int >= 0, got {depth!r}")
    level = _levels(graph.groups)
    stands: dict = {}  # node -> what stands for it: a node's number, or (group, layer)
    for n in graph.nodes:
        twin = _twin(graph, n.number) if fold else n.number
        ground = graph.nodes[twin] if graph.nodes[twin].anchor is None else graph.nodes[graph.nodes[twin].anchor]
        path = chain(graph.groups, ground.group)
        shut = next((g for g in path if depth is not None and level[g] > depth), None)
        stands[n.number] = twin if shut is None or graph.nodes[twin].layer == "update" else (
            shut, graph.nodes[twin].layer)
    members: dict = {}
    for number, key in stands.items():
        members.setdefault(key, []).append(graph.nodes[number])
    order = sorted(members, key=lambda key: key if isinstance(key, int) else _first(members[key]))
    place = {key: k for k, key in enumerate(order)}
    nodes = [_one(graph, key, members[key], place, stands, fold) for key in order]
    # Several levels of groups remain as they were; what is shut has no nodes any more.
    drawn = Graph(nodes, _merged(graph, stands, place), graph.groups, replace(graph.facts, twins={}))
    drawn.facts.notes = [(kind, text, tuple(dict.fromkeys(place[stands[k]] for k in at)))
                         for kind, text, at in graph.facts.notes]
    if drawn.facts.peak:
        drawn.facts.peak = (drawn.facts.peak[0], place[stands[drawn.facts.peak[1]]])
    return drawn


def _levels(groups):
    """How deep each group is among those that are shown; the group of the whole model does not count."""
    level: dict[int, int] = {}
    for g in groups:
        level[g.number] = 0
    for g in groups:
        level[g.number] = len([k for k in chain(groups, g.number) if groups[k].name or groups[k].parent >= 0])
    return level


def _twin(graph, number):
    twins = graph.facts.twins
    while number in twins:
        number = twins[number]
    return number


def _first(nodes):
    inner = [n.number for n in nodes if n.role not in LEAVES]
    return min(inner or [n.number for n in nodes])


def _one(graph, key, members, place, stands, fold):
    """The node that stands for some."""
    if isinstance(key, int):
        n = graph.nodes[key]
        anchor = place.get(stands[n.anchor]) if n.anchor is not None else None
        of = place.get(stands[n.of]) if n.of is not None else None
        return replace(n, number=place[key], anchor=anchor, of=of, count=len(members))
    number, layer = key
    group = graph.groups[number]
    last = max((n for n in members if n.role not in LEAVES), key=lambda n: n.number, default=members[-1])
    times = f" ×{group.count}" if group.count > 1 and fold else ""
    mark = "" if layer == "forward" else "∂" if layer == "backward" else "∂∂"
    label = mark + (group.name or group.label or "model") + times
    ground = stands.get(members[0].anchor) if members[0].anchor is not None else None
    marks = tuple(dict.fromkeys(m for n in members for m in n.marks))
    statuses = {n.status for n in members}
    status = statuses.pop() if len(statuses) == 1 else "changed"
    return GraphNode(
        place[key], label, "group", "", last.shape, last.dtype, group.label, layer, group.name, group.parent,
        anchor=place.get(ground) if ground != key else None, device=last.device, site=last.site, code=last.code,
        stats=last.stats, flops=sum(n.flops for n in members), bytes=sum(n.bytes for n in members),
        held=sum(n.held for n in members), live=max((n.live for n in members if n.live is not None), default=None),
        seconds=None if any(n.seconds is None for n in members) else sum(n.seconds for n in members),
        count=len(members), marks=marks, check=_worst([n.check for n in members if n.check]), status=status)


def _worst(checks):
    rank = {"WRONG": 0, "INCONCLUSIVE": 1, "CORRECT": 2}
    return min(checks, key=lambda c: rank.get(c[0], 3), default=None)


def _merged(graph, stands, place):
    """Edges between what is drawn; equal ones once, and none back into an earlier repetition."""
    found: dict = {}
    drawn = {place[key]: not isinstance(key, int) for key in place}  # whether it is a group
    for e in graph.edges:
        a, b = place[stands[e[0]]], place[stands[e[1]]]
        turned = stands[e[0]] != e[0] or stands[e[1]] != e[1]
        if a == b or turned and a > b and graph.nodes[e[0]].layer == graph.nodes[e[1]].layer:
            continue
        key = (a, b, e.kind, "" if drawn[a] or drawn[b] else e.slot)
        known = found.get(key)
        if known is None:
            found[key] = e.moved(a, b)
        else:
            same = known.formula == e.formula
            found[key] = GraphEdge(a, b, e.kind, known.slot if same else "", known.formula if same else "",
                                   known.stats, known.shape, known.times + 1)
    return list(found.values())
