"""Graphs of nodes and edges, laid out by springs, with the classes of their nodes."""
from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .axes import COLORS, INK, MARKS, ROW, Frame, legend, numbers
from .colors import color_bar, colored, hex_of, limits
from .picture import Picture, number

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 3000  # nodes that springs can place in a few seconds


def network(graph: Any, labels: Any = None, title: str = "", *, positions: Any = None,
            texts: Sequence[Any] | None = None, names: Sequence[str] | None = None, values: Any = None,
            colors: str = "viridis", weights: Any = None, wrong: Any = None, size: float = 1.0, width: int = 520,
            height: int = 460) -> Picture:
    """Draw a graph: nodes with classes or values, edges as lines.

    Args:
        graph: an `nn.graph.Graph`, or a pair (src, dst) of equally long lists of node numbers.
        labels: classes of the nodes (N,), ints.
        title: text above.
        positions: (N, 2); by default springs pull neighbours together and push all others apart.
        texts: one per node, drawn in it.
        names: texts of the classes, for the legend.
        values: numbers (N,) instead of classes.
        colors: the scale of `values`, see `heatmap`.
        weights: of the edges (E,), such as attention: the larger, the thicker the line.
        wrong: (N,) true for nodes to be ringed in red, such as those a model gets wrong.
        size: of the nodes.
        width, height: in pixels.

    Returns:
        A `Picture`.

    Raises:
        ValueError: shapes do not fit, a node does not exist, or there are more than 3,000 nodes without positions.
        TypeError: `graph` is no graph.

    Source: Fruchterman and Reingold 1991, Graph drawing by force-directed placement.

    Example:
        >>> import tinygrad_notes as tn
        >>> ring = tn.nn.graph.Graph([0, 1, 2, 3], [1, 2, 3, 0], num_nodes=4)
        >>> tn.viz.network(ring, [0, 0, 1, 1], names=["left", "right"]).svg()[:4]
        '<svg'
    """
    src, dst, n = _edges(graph, next((len(v) for v in (positions, labels, values) if v is not None), None))
    if positions is None:
        if n > MOST:
            raise ValueError(f"network: {n} nodes are too many to be placed by springs (at most {MOST}); give "
                             "positions")
        positions = layout(src, dst, n)
    positions = numbers("positions", positions, (2,))
    _fits("positions", positions, (n, 2))
    if labels is not None and values is not None:
        raise ValueError("labels, values: give one of them")
    classes = np.zeros(n, int) if labels is None else np.asarray(labels).astype(int)
    _fits("labels", classes, (n,))
    known = [] if labels is None else sorted(set(classes.tolist()))
    signs, rows = "", 0
    if known:
        words = [names[c] if names is not None and 0 <= c < len(names) else str(c) for c in known]
        signs, rows = legend(words, lambda k: _node(10, 0, known[k], 4.0), width, left=14)
    right = width - (62 if values is not None else 20)
    frame = Frame(width, height, "", f"{title or 'graph'}: {n} nodes, {len(src)} edges")
    frame.add(f'<text class="ink" x="14" y="20" font-size="14" font-weight="600" fill="{INK}">{escape(title)}</text>'
              if title else "", signs)
    top, radius = 34 + ROW * rows, size * max(2.6, min(9.0, 60 / math.sqrt(n)))
    x, y = _fitted(positions, 20 + radius, right - radius, top + radius, height - 16 - radius)
    frame.add(_lines(src, dst, x, y, weights))
    fills = [None] * n
    if values is not None:
        values = numbers("values", values, (1,))
        _fits("values", values, (n,))
        low, high = limits(values, None, None, colors)
        fills = [hex_of(c) for c in colored(values, colors, low, high)]
        frame.add(color_bar(colors, low, high, width - 50, top, height - 20))
    wrong = np.zeros(n, bool) if wrong is None else np.asarray(wrong).astype(bool)
    _fits("wrong", wrong, (n,))
    frame.add(*(_node(a, b, int(c), radius, fill, bad) for a, b, c, fill, bad in zip(x, y, classes, fills, wrong)))
    if texts is not None:
        _fits("texts", np.empty(len(texts)), (n,))
        frame.add(*(f'<text class="ink" x="{number(a)}" y="{number(b - radius - 3)}" font-size="10" '
                    f'text-anchor="middle" fill="{INK}">{escape(str(t))}</text>' for a, b, t in zip(x, y, texts)))
    return frame.picture()


def layout(src, dst, n, rounds=None):
    """Places (n, 2) of the nodes: neighbours near each other, all others apart; the same graph, the same places."""
    golden = np.arange(n) * (math.pi * (3 - math.sqrt(5)))
    reach = np.sqrt((np.arange(n) + 0.5) / n)
    at = reach[:, None] * np.stack([np.cos(golden), np.sin(golden)], axis=1)  # a sunflower
    rounds = rounds or (200 if n <= 500 else 60)
    length = 1.6 / math.sqrt(max(n, 1))
    apart = src != dst
    src, dst = src[apart], dst[apart]
    for k in range(rounds):
        difference = at[:, None] - at[None]  # (n, n, 2)
        square = (difference**2).sum(-1) + 1e-9
        force = (difference * (length**2 / square)[..., None]).sum(1) - 1.2 * at
        along = at[src] - at[dst]
        pull = along * (np.sqrt((along**2).sum(-1)) / length)[:, None]
        np.add.at(force, src, -pull)
        np.add.at(force, dst, pull)
        reach = np.sqrt((force**2).sum(-1, keepdims=True)) + 1e-12
        at = at + force / reach * np.minimum(reach, 0.12 * (1 - k / rounds) + 1e-3)
    return at


def _edges(graph, known):
    """(src, dst, number of nodes) of whatever stands for a graph."""
    if hasattr(graph, "src") and hasattr(graph, "num_nodes"):
        return np.asarray(graph.src), np.asarray(graph.dst), graph.num_nodes
    try:
        src, dst = (np.asarray(side).astype(int) for side in graph)
    except (TypeError, ValueError) as error:
        raise TypeError(f"graph: expected an nn.graph.Graph or (src, dst), got {type(graph).__name__}") from error
    if src.shape != dst.shape or src.ndim != 1:
        raise ValueError(f"graph: expected src and dst of one length, got shapes {src.shape}, {dst.shape}")
    needed = int(max(src.max(initial=-1), dst.max(initial=-1))) + 1
    n = known or needed
    if n == 0 or needed > n or min(src.min(initial=0), dst.min(initial=0)) < 0:
        raise ValueError(f"graph: its edges need {needed} nodes with numbers from 0, there are {n}")
    return src, dst, n


def _fitted(at, left, right, top, bottom):
    """Places scaled into a rectangle, equally in both directions."""
    low, high = at.min(0), at.max(0)
    span = np.maximum(high - low, 1e-9)
    unit = min((right - left) / span[0], (bottom - top) / span[1])
    middle = (low + high) / 2
    return ((left + right) / 2 + (at[:, 0] - middle[0]) * unit, (top + bottom) / 2 - (at[:, 1] - middle[1]) * unit)


def _lines(src, dst, x, y, weights):
    """All edges; one path where they are alike, each pair once."""
    line = lambda a, b: f"M{number(x[a])} {number(y[a])}L{number(x[b])} {number(y[b])}"
    if weights is None:
        pairs = dict.fromkeys((min(a, b), max(a, b)) for a, b in zip(src.tolist(), dst.tolist()) if a != b)
        faint = 0.7 if len(pairs) < 1500 else 0.3
        path = "".join(line(a, b) for a, b in pairs)
        return f'<path d="{path}" stroke="#9ca3af" stroke-opacity="{faint}" fill="none"/>'
    weights = numbers("weights", weights, (1,))
    _fits("weights", weights, (len(src),))
    thick = 0.3 + 4 * np.abs(weights) / (np.abs(weights).max() or 1.0)
    return "".join(f'<path d="{line(a, b)}" stroke="#9ca3af" stroke-width="{number(t)}" stroke-opacity="0.7"/>'
                   for a, b, t in zip(src.tolist(), dst.tolist(), thick))


def _node(x, y, k, radius, fill=None, bad=False):
    """A node as the mark of its class."""
    ring = '<circle r="6" fill="none" stroke="#c1121f" stroke-width="1.6"/>' if bad else ""
    return (f'<g transform="translate({number(x)} {number(y)}) scale({number(radius / 3.2)})"><path '
            f'd="{MARKS[k % len(MARKS)]}" fill="{fill or COLORS[k % len(COLORS)]}" stroke="#ffffff" stroke-width="0.5" '
            f'class="node"/>{ring}</g>')


def _fits(name, found, shape):
    if found.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {found.shape}")
