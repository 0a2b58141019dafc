"""A graph as plain data, by the schema in `docs/graph.schema.json`: what the page reads, and others may."""
from __future__ import annotations

import json
from dataclasses import fields

from .model import GraphGroup, GraphNode

VERSION = 1
_OPTIONAL = {f.name: f.default for f in fields(GraphNode) if f.name not in ("number", "label", "role")}

_EDGE = {"slot": "", "formula": "", "stats": None, "shape": None, "times": 1, "status": ""}


def plain(graph):
    """The graph as dicts and lists; what has its default value is left out."""
    facts = graph.facts
    return {
        "format": "tinygrad_notes.graph", "version": VERSION, "title": facts.title,
        "nodes": [_node(n) for n in graph.nodes],
        "edges": [_edge(e) for e in graph.edges],
        "groups": [_group(g) for g in graph.groups],
        "passes": facts.passes, "held": facts.held,
        "peak": {"bytes": facts.peak[0], "node": facts.peak[1]} if facts.peak else None,
        "notes": [{"kind": kind, "text": text, "nodes": list(at)} for kind, text, at in facts.notes],
        "twins": [[a, b] for a, b in sorted(facts.twins.items())],
        "legend": list(facts.legend),
    }


def text(graph):
    """The data as JSON text with one node, edge or group a line; the same graph gives the same bytes."""
    lines = []
    for key, value in plain(graph).items():
        if isinstance(value, list) and value and isinstance(value[0], (dict, list)):
            inner = ",\n  ".join(_compact(part) for part in value)
            lines.append(f"{json.dumps(key)}: [\n  {inner}\n ]")
        else:
            lines.append(f"{json.dumps(key)}: {_compact(value)}")
    return "{\n " + ",\n ".join(lines) + "\n}\n"


def _compact(value):
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _node(n):
    found = {"number": n.number, "label": n.label, "role": n.role}
    for name, default in _OPTIONAL.items():
        value = getattr(n, name)
        if value == default and name not in ("shape", "dtype"):
            continue
        if name == "check":
            value = {"verdict": value[0], "text": value[1]}
        found[name] = list(value) if isinstance(value, tuple) else value
    return found


def _edge(e):
    found = {"source": e[0], "target": e[1], "kind": e.kind}
    for name, default in _EDGE.items():
        value = getattr(e, name)
        if value != default:
            found[name] = list(value) if isinstance(value, tuple) else value
    return found


def _group(g: GraphGroup):
    return {"number": g.number, "parent": g.parent, "name": g.name, "label": g.label, "kind": g.kind,
            "count": g.count, "first": g.first if g.first >= 0 else g.number}
