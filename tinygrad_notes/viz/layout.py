"""Where the boxes go: a layered drawing, each edge pointing down, few crossings, the same on every run.

Layers by longest path (leaves pulled down to their first use), long edges cut by invisible nodes, order
within layers by repeated barycenters, positions by aligning boxes to their neighbours.

Source: Sugiyama, Tagawa & Toda 1981, "Methods for visual understanding of hierarchical system structures".
"""

from dataclasses import dataclass

SWEEPS = 12
GAP_X, GAP_Y = 18, 34


@dataclass
class Layout:
    """Positions in pixels: `centers[k]` of box k, `paths` per edge a list of points, and the size of the whole."""

    centers: list
    paths: list
    width: float
    height: float


def arrange(sizes, edges):
    """Place boxes of the given (width, height) so that edges (from, to) point downward.

    Args:
        sizes: one (width, height) per box.
        edges: pairs of indices; every edge goes from a smaller to a larger index.

    Returns:
        A `Layout`.
    """
    n = len(sizes)
    layer = _layers(n, edges)
    sizes = list(sizes)
    chains, short = [], []
    for a, b in edges:
        chain = [a]
        for _ in range(layer[a] + 1, layer[b]):
            sizes.append((10, 0))
            layer.append(layer[chain[-1]] + 1)
            chain.append(len(sizes) - 1)
        chain.append(b)
        chains.append(chain)
        short += list(zip(chain, chain[1:]))
    above, below = [[] for _ in sizes], [[] for _ in sizes]
    for a, b in short:
        below[a].append(b)
        above[b].append(a)
    rows = [[] for _ in range(max(layer, default=-1) + 1)]
    for k, depth in enumerate(layer):
        rows[depth].append(k)
    _reduce_crossings(rows, above, below)
    x = _positions(rows, sizes, above, below)
    heights = [max((sizes[k][1] for k in row), default=0) for row in rows]
    y, top = [], GAP_Y / 2
    for h in heights:
        y.append(top + h / 2)
        top += h + GAP_Y
    left = min((x[k] - sizes[k][0] / 2 for k in range(len(sizes))), default=0) - GAP_X
    x = [value - left for value in x]
    width = max((x[k] + sizes[k][0] / 2 for k in range(len(sizes))), default=0) + GAP_X
    paths = [_path(chain, x, y, layer, sizes) for chain in chains]
    return Layout([(x[k], y[layer[k]]) for k in range(n)], paths, width, top)


def _layers(n, edges):
    """The depth of each box; a box without predecessors sits just above its first use."""
    ins, outs = [[] for _ in range(n)], [[] for _ in range(n)]
    for a, b in edges:
        ins[b].append(a)
        outs[a].append(b)
    depth = [0] * n
    for k in range(n):
        depth[k] = max((depth[a] + 1 for a in ins[k]), default=0)
    for k in range(n):
        if not ins[k] and outs[k]:
            depth[k] = max(0, min(depth[b] for b in outs[k]) - 1)
    return depth


def _reduce_crossings(rows, above, below):
    place = {k: i for row in rows for i, k in enumerate(row)}

    def sort(row, neighbours):
        keys = {}
        for i, k in enumerate(row):
            near = neighbours[k]
            keys[k] = sum(place[m] for m in near) / len(near) if near else i
        row.sort(key=lambda k: (keys[k], place[k]))
        place.update({k: i for i, k in enumerate(row)})

    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in rows[1:] if down else reversed(rows[:-1]):
            sort(row, above if down else below)


def _positions(rows, sizes, above, below):
    """Horizontal centers: every box near the mean of its neighbours, none overlapping."""
    x = [0.0] * len(sizes)
    for row in rows:
        at = 0.0
        for k in row:
            x[k] = at + sizes[k][0] / 2
            at += sizes[k][0] + GAP_X
        shift = at / 2
        for k in row:
            x[k] -= shift
    # A leaf with one use follows that use, and hardly pulls on it: the chain of operations stays straight.
    pull = [0.05 if not above[k] and len(below[k]) == 1 else 1.0 for k in range(len(sizes))]

    def mean(near, k):
        weight = sum(pull[m] for m in near)
        return sum(pull[m] * x[m] for m in near) / weight if near else x[k]

    for sweep in range(4 * SWEEPS):
        near = above if sweep % 2 == 0 else below
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wish = [mean(near[k], k) for k in row]
            for k, value in zip(row, _spread(row, wish, sizes, pull)):
                x[k] = value
    return x


def _spread(row, wish, sizes, weight):
    """The positions nearest to `wish` (weighted least squares) that keep the order and the gaps: pooled blocks."""
    blocks = []  # each: [weighted sum of wished offsets, sum of weights, number of boxes]
    offset, offsets = 0.0, []
    for i, k in enumerate(row):
        if i:
            offset += (sizes[row[i - 1]][0] + sizes[k][0]) / 2 + GAP_X
        offsets.append(offset)
        blocks.append([weight[k] * (wish[i] - offset), weight[k], 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last)]
    placed = []
    for total, weights, count in blocks:
        placed += [total / weights] * count
    return [start + o for start, o in zip(placed, offsets)]


def _path(chain, x, y, layer, sizes):
    points = []
    for i, k in enumerate(chain):
        half = sizes[k][1] / 2
        if i == 0:
            points.append((x[k], y[layer[k]] + half))
        elif i == len(chain) - 1:
            points.append((x[k], y[layer[k]] - half))
        else:
            points.append((x[k], y[layer[k]]))
    return points
