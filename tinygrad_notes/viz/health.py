"""What is not well in a computation: gradients that vanish or explode, are cut off or not finite; dead units."""
from __future__ import annotations

from dataclasses import replace

from ..nn.summary import bytes_text
from .statistics import dead_units, root_mean_square, shown

RATIO = 1e3  # between the largest and the smallest gradient of layers before they are called vanishing or exploding
DEAD = 0.5   # share of units


def examine(graph, values, unused=()):
    """Put what is not well into the facts and marks of a graph.

    Args:
        graph: its nodes are replaced.
        values: {number of a node: recorded value}.
        unused: names of parameters that nothing reads.
    """
    notes = graph.facts.notes
    notes += _not_finite(graph)
    notes += _without_gradient(graph, unused)
    notes += _scales(graph)
    notes += _dead(graph, values)
    notes += _memory(graph)
    for kind, _, at in notes:
        if kind in ("not finite", "no gradient", "dead units", "vanishing", "exploding"):
            for number in at[:1]:
                n = graph.nodes[number]
                graph.nodes[number] = replace(n, marks=(*n.marks, "first NaN or inf" if kind == "not finite" else kind))


def _bad(stats):
    return stats is not None and (stats["nan"] or stats["inf"])


def _not_finite(graph):
    """The first node whose value is not finite although all that it reads is."""
    reads: dict[int, list[int]] = {}
    for e in graph.edges:
        reads.setdefault(e[1], []).append(e[0])
    bad = [n for n in graph.nodes if _bad(n.stats)]
    for n in bad:
        if n.role == "operation" and not any(_bad(graph.nodes[s].stats) for s in reads.get(n.number, ())):
            return [("not finite", f"the first {_what(n.stats)} is made by {_named(n)} from finite values"
                     f"{', at ' + n.site if n.site else ''}; {len(bad)} nodes hold one", (n.number,))]
    if bad:
        n = bad[0]
        return [("not finite", f"{n.label} holds {_what(n.stats)} from the start", (n.number,))]
    return []


def _what(stats):
    return f"NaN ({stats['nan']} elements)" if stats["nan"] else f"infinity ({stats['inf']} elements)"


def _named(n):
    layer = "" if n.layer == "forward" else f" in the {n.layer} pass"
    return f"{n.label}{layer}" + (f" in {n.module}" if n.module else "")


def _without_gradient(graph, unused):
    """Parameters at which no cotangent arrives, and the edge where the way back is cut."""
    if not graph.facts.passes:
        return []
    notes = [("no gradient", f"{name}: nothing reads this parameter", ()) for name in unused]
    anchors = {n.anchor for n in graph.nodes if n.role == "gradient"}
    back = {n.of for n in graph.nodes if n.of is not None} | anchors
    back |= {n.anchor for n in graph.nodes if n.layer != "forward"}
    readers: dict[int, list] = {}
    for e in graph.edges:
        if e.kind == "data" and graph.nodes[e[1]].layer == "forward":
            readers.setdefault(e[0], []).append(e)
    return notes + [("no gradient", *_cut(graph, leaf, readers, back)) for leaf in graph.nodes
                    if leaf.role == "parameter" and leaf.number not in anchors]


def _cut(graph, leaf, readers, back):
    """(words, nodes): where on the way from a parameter to the result no gradient can come back."""
    seen, queue, ends = {leaf.number}, [leaf.number], []
    for number in queue:  # breadth first: nearest cut
        for e in readers.get(number, ()):
            target = graph.nodes[e[1]]
            if target.role == "output":
                continue
            if e[1] in back:
                return (f"{leaf.label}: cut off between {graph.nodes[number].label} and {target.label}"
                        f"{_input(e)}: detached, or computed inside no_grad" + _at(target), (leaf.number, e[1]))
            if not target.tracked:
                return (f"{leaf.label}: cut off at {target.label}{_input(e)}, which passes no gradient on (no_grad, or "
                        f"an operation without one)" + _at(target), (leaf.number, e[1]))
            if e[1] not in seen:
                seen.add(e[1])
                queue.append(e[1])
        if not readers.get(number) and number != leaf.number:
            ends.append(number)
    last = graph.nodes[ends[0]] if ends else leaf
    return f"{leaf.label}: what is computed of it does not reach the loss; it ends at {last.label}" + _at(last), (
        leaf.number, last.number)


def _input(e):
    return f" (its input {e.slot})" if e.slot else ""


def _at(n):
    return f", at {n.site}" if n.site else ""


def layer_gradients(graph):
    """[(path of the module, root mean square of the cotangent at its output, node)] in the order of computation."""
    found: dict[int, tuple] = {}
    for n in graph.nodes:
        if n.role == "operation" and n.layer == "backward" and n.anchor is not None:
            group = graph.nodes[n.anchor].group
            size = max((root_mean_square(e.stats) or 0.0 for e in graph.edges_into(n.number) if e.kind == "gradient"),
                       default=0.0)
            if group >= 0 and size and group not in found:
                found[group] = (graph.groups[group].name, size, n.anchor)
    return sorted(found.values(), key=lambda row: row[2])


def _scales(graph):
    """Whether cotangents shrink or grow on their way back through the layers."""
    rows = layer_gradients(graph)
    if len(rows) < 3:
        return []
    (first, low, at), (last, high, _) = rows[0], rows[-1]
    told = f"root mean square {shown(low):g} at {first or 'the first layer'}, {shown(high):g} at {last}"
    if low * RATIO < high:
        return [("vanishing", f"gradients vanish on the way back through {len(rows)} layers: {told}", (at,))]
    if low > high * RATIO:
        return [("exploding", f"gradients explode on the way back through {len(rows)} layers: {told}", (at,))]
    return []


def _dead(graph, values):
    """Units of rectifiers that are zero for every example."""
    notes = []
    for n in graph.nodes:
        value = values.get(n.number)
        if n.layer != "forward" or n.role != "operation" or n.kind != "elementwise" or value is None \
                or value.host is None or not n.stats or n.stats["zeros"] < 0.3 or n.stats["min"] is None \
                or n.stats["min"] < 0 or "relu" not in n.label and n.label not in ("maximum", "clip", "where"):
            continue
        dead, units = dead_units(value.host)
        if units and dead:
            kind = "dead units" if dead >= DEAD * units else "some dead units"
            notes.append((kind, f"{dead} of {units} units of {_named(n)} are zero for every example", (n.number,)))
    return notes


def _memory(graph):
    if not graph.facts.peak:
        return []
    most, at = graph.facts.peak
    top = sorted((n for n in graph.nodes if n.held), key=lambda n: (-n.held, n.number))[:3]
    told = f"{bytes_text(graph.facts.held)} are held for the backward pass" if graph.facts.held else "nothing is held"
    if top:
        told += ", most by " + ", ".join(f"{n.label} ({bytes_text(n.held)})" for n in top)
    where = graph.nodes[at]
    told += f"; the peak of {bytes_text(most)} is reached at {_named(where)}"
    return [("memory", told, (at, *[n.number for n in top]))]
