"""The backward pass that the rules of a graph would make, drawn without computing it."""
from __future__ import annotations

from dataclasses import replace

from .groups import twins_of_gradients
from .model import Graph, GraphEdge, GraphNode


def with_backward(graph):
    """A forward graph with its gradient rules beside it, in the order in which the engine takes them."""
    if any(n.layer != "forward" for n in graph.nodes):
        raise ValueError("with_backward: the graph has a backward pass")
    nodes, edges = list(graph.nodes), list(graph.edges)
    arrivals: dict[int, list] = {}  # forward node -> [(number of the giving node, edge)]
    number: dict[int, int] = {}

    def add(label, role, n, **more):
        nodes.append(GraphNode(len(nodes), label, role, more.pop("kind", ""), n.shape, n.dtype, layer="backward",
                               anchor=n.number, device=n.device, bytes=n.bytes, module=n.module, **more))
        return len(nodes) - 1

    for n in graph.nodes:
        if n.role == "output":
            seed = add(f"∂{n.label} = 1", "constant", n)
            for e in graph.edges_into(n.number):
                arrivals.setdefault(e[0], []).append((seed, e))
    for n in reversed(graph.nodes):  # the latest first: every cotangent has arrived when a node is taken
        given = arrivals.get(n.number, ())
        if n.role == "output" or not given:
            continue
        rules = n.role == "operation"
        if len(given) > 1:
            plus = add("+", "sum", n, kind="sum")
        number[n.number] = add(n.label if rules else f"∂{n.label}", "operation" if rules else "gradient", n,
                               kind=n.kind, of=n.number if rules else None)
        if len(given) > 1:
            edges.append(GraphEdge(plus, number[n.number], "gradient"))
        for giver, e in given:
            target = plus if len(given) > 1 else number[n.number]
            edges.append(GraphEdge(giver, target, "gradient", e.slot if e.formula else "", e.formula, None, n.shape))
        for e in graph.edges_into(n.number):
            if e.kind == "data":
                arrivals.setdefault(e[0], []).append((number[n.number], e))
    facts = replace(graph.facts, passes=1, twins=dict(graph.facts.twins))
    drawn = Graph(nodes, edges, graph.groups, facts)
    twins_of_gradients(drawn)
    return drawn
