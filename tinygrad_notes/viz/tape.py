"""The graph of a Tensor that was computed already: what its tape holds."""
from __future__ import annotations

import linecache

from ..autograd import Tensor
from ..autograd.node import Bundle
from ..autograd.plan import ALIAS, PICK
from .formula import formula
from .groups import find_repetitions
from .model import Facts, Graph, GraphEdge, GraphNode
from .statistics import statistics


def from_tensors(outputs, names):
    """The graph behind some Tensors, back to the leaves that want a gradient; see `graph`."""
    known = {id(t.node if t.node is not None else t): name for name, t in (names or {}).items()}
    for k, t in enumerate(outputs):
        if not isinstance(t, Tensor):
            raise TypeError(f"outputs[{k}]: expected a Tensor, got {type(t).__name__}")
        if t.node is None:
            raise ValueError(
                f"outputs[{k}], shape {t.shape}: nothing to draw, no operation was recorded. Compute it from "
                "tensors with requires_grad=True, outside no_grad"
            )
        if t.node.saved is None:
            raise ValueError(
                f"outputs[{k}], shape {t.shape}: its graph was freed by backward(). Draw before backward(), "
                "or keep it with retain_graph=True"
            )
    recorded, leaves = _collect([t.node for t in outputs])
    nodes: list[GraphNode] = []
    edges: list[GraphEdge] = []
    number: dict = {}

    def place(key, *fields, **more):
        number[key] = len(nodes)
        nodes.append(GraphNode(len(nodes), *fields, **more))

    for k, leaf in enumerate(leaves):
        role = "parameter" if type(leaf) is not Tensor else "input"
        place(id(leaf), known.get(id(leaf)) or f"{role} {k}", role, "", tuple(leaf.shape), str(leaf.dtype),
              device=str(leaf.device), stats=statistics(leaf.data), bytes=leaf.nbytes)
    for node in recorded:
        op = node.plan.primitive
        shape, dtype = (node.shape[0], node.dtype[0]) if isinstance(node, Bundle) else (node.shape, node.dtype)
        note = ", ".join(f"{key}={value!r}" for key, value in (node.attrs or {}).items()
                         if len(repr(value)) <= 24 and " at 0x" not in repr(value))
        site, code = _site((node.extra or {}).get("site"))
        out = node.saved[-1] if node.saved and node.plan.keep[-1] == "array" else None
        place(id(node), op.name, "operation", op.kind, tuple(shape), str(dtype), note, device=str(outputs[0].device),
              site=site, code=code, stats=statistics(out) if hasattr(out, "dtype") else None,
              bytes=_nbytes(shape, dtype))
        links = node.plan in (PICK, ALIAS)
        edges += [GraphEdge(number[id(p)], number[id(node)], "data", _slot(op, i), "" if links else formula(op, i))
                  for i, p in zip(node.plan.wanted, node.parents)]
    for k, t in enumerate(outputs):
        label = known.get(id(t.node)) or ("output" if len(outputs) == 1 else f"output {k}")
        place(("output", k), label, "output", "", tuple(t.shape), str(t.dtype), device=str(t.device),
              stats=statistics(t.data), bytes=t.nbytes)
        edges.append(GraphEdge(number[id(t.node)], number["output", k]))
    drawn = Graph(nodes, edges, (), Facts("what a Tensor was computed from"))
    find_repetitions(drawn)
    return drawn


def _nbytes(shape, dtype):
    n = getattr(dtype, "itemsize", 4)
    for length in shape:
        n *= length
    return n


def _slot(op, position):
    return op.inputs[position] if position < len(op.inputs) else f"#{position}"


def _site(site):
    """(place, text of the line) of what `detect_anomaly` noted: 'file:line in function: text'."""
    if not isinstance(site, str):
        return "", ""
    place, _, code = site.partition(": ")
    name, _, rest = place.rpartition(":")
    short = f"{name.rpartition('/')[2]}:{rest}" if name else place
    return short, code or linecache.getline(name, int(rest.split()[0])).strip() if rest[:1].isdigit() else code


def _collect(roots):
    """All nodes behind `roots`, oldest first, and their leaves in the order of first use."""
    seen, stack = {}, list(roots)
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen[id(node)] = node
            stack.extend(p for p in node.parents if not isinstance(p, Tensor))
    recorded = sorted(seen.values(), key=lambda node: -node.order)
    leaves = {id(p): p for node in recorded for p in node.parents if isinstance(p, Tensor)}
    return recorded, list(leaves.values())
