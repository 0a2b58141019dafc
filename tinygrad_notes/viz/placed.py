"""Where every box of a graph goes: the forward pass from the top down, what belongs to a node of it beside it."""
from __future__ import annotations

from dataclasses import dataclass

from .layout import arrange
from .styles import layer_rank, note_of, paired, size_of, title_of

BESIDE, STACK = 10, 8  # pixels between boxes of one cell, across and down


@dataclass
class Placed:
    """Boxes as `boxes[k]` = (x, y of the center, width, height) for node k, points of each edge, size of the whole."""

    boxes: list
    paths: list
    width: float
    height: float


def lines_of(node):
    """The lines of text in a box."""
    if node.role == "sum":
        return ("+", "", "")
    return (title_of(node), size_of(node), note_of(node) if node.layer == "forward" else "")


def place(graph):
    """The `Placed` boxes of a graph."""
    sizes = [_size(node) for node in graph.nodes]
    beside, guests = paired(graph.nodes)
    hosts = [n.number for n in graph.nodes if n.number not in guests]
    cell = {number: k for k, number in enumerate(hosts)}
    for host, layers in beside.items():
        for part in layers.values():
            cell.update({n.number: cell[host] for n in part})
    cells, offsets = [], {}
    for host in hosts:
        size, inside = _cell(graph.nodes, host, sizes, beside.get(host, {}))
        cells.append(size)
        offsets.update(inside)
    links = {}
    for e in graph.edges:
        a, b = cell[e[0]], cell[e[1]]
        if a < b and (e.kind == "data" or e[1] not in guests):
            links.setdefault((a, b), len(links))
    layout = arrange(cells, list(links))
    boxes = []
    for n in graph.nodes:
        (x, y), (dx, dy) = layout.centers[cell[n.number]], offsets[n.number]
        boxes.append((x + dx, y + dy, *sizes[n.number]))
    paths = [_path(e, cell, boxes, links, layout) for e in graph.edges]
    return Placed(boxes, paths, layout.width, layout.height)


def _size(node):
    if node.role == "sum":
        return 22, 22
    title, size, note = lines_of(node)
    return max(7.4 * (len(title) + 2), 6.0 * len(size), 5.8 * len(note)) + 18, 24 + 13 * bool(size) + 13 * bool(note)


def _cell(nodes, host, sizes, layers):
    """((width, height), {number: offset from the center}) of a node with what is beside it."""
    columns = [[host]] + [[n.number for n in layers[layer]] for layer in sorted(layers, key=layer_rank)]
    widths = [max(sizes[k][0] for k in column) for column in columns]
    width = sum(widths) + BESIDE * (len(columns) - 1)
    offsets, left, reach = {}, -width / 2, 0.0
    for column, w in zip(columns, widths):
        mains = [k for k in column if nodes[k].role not in ("sum", "constant")]
        below = sum(sizes[k][1] + STACK for k in column[:column.index(mains[0])]) if len(mains) == 1 else None
        total = sum(sizes[k][1] + STACK for k in column) - STACK
        bottom = total / 2 if below is None else sizes[mains[0]][1] / 2 + below  # gradients come from below
        reach = max(reach, bottom, total - bottom)
        for k in column:
            offsets[k] = (left + w / 2, bottom - sizes[k][1] / 2)
            bottom -= sizes[k][1] + STACK
        left += w + BESIDE
    return (width, 2 * reach), offsets


def _path(e, cell, boxes, links, layout):
    (xa, ya, wa, ha), (xb, yb, wb, hb) = boxes[e[0]], boxes[e[1]]
    a, b = cell[e[0]], cell[e[1]]
    if a == b:
        if abs(xa - xb) < 1:  # one above the other
            return [(xa, ya - ha / 2), (xb, yb + hb / 2)] if ya > yb else [(xa, ya + ha / 2), (xb, yb - hb / 2)]
        side = 1 if xb > xa else -1
        return [(xa + side * wa / 2, ya), (xb - side * wb / 2, yb)]
    if (a, b) in links and e.kind != "gradient":
        middle = layout.paths[links[a, b]][1:-1]
        return [(xa, ya + ha / 2), *middle, (xb, yb - hb / 2)]
    if (b, a) in links:
        shift = xb - layout.centers[b][0]
        middle = [(x + shift, y) for x, y in layout.paths[links[b, a]][1:-1][::-1]]
        return [(xa, ya - ha / 2), *middle, (xb, yb + hb / 2)]
    if ya > yb:
        return [(xa, ya - ha / 2), (xb, yb + hb / 2)]
    return [(xa, ya + ha / 2), (xb, yb - hb / 2)]
