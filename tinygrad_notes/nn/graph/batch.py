"""Several graphs as one that falls into parts, and back."""
from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

from ...autograd import as_tensor
from ...ops import Segments, arange, concat, nonzero, repeat, stack, take
from .graph import EDGE, FEATURES, NODE, Graph

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["batch_graphs", "unbatch_graphs"]


def batch_graphs(graphs: Sequence[Graph]) -> Graph:
    """One graph of several that have no edges between them: what a layer does to it, it does to each of them.

    Formula: A = blockdiag(A_1, ..., A_B); the nodes of graph k follow those of graph k - 1.

    A `DataLoader` over a list of graphs, or of tuples with graphs in them, calls this by itself.

    Args:
        graphs: at least one `Graph`; features that one of them has, all must have. Targets `y` of single numbers are
            stacked, others joined along their first axis.

    Returns:
        A `Graph` whose `batch` holds the number of the graph of each node.

    Raises:
        ValueError: there is no graph, or a feature is missing in one of them.

    Example:
        >>> import tinygrad_notes as tn
        >>> pair = tn.nn.graph.Graph([0, 1], [1, 0], num_nodes=2)
        >>> both = tn.nn.graph.batch_graphs([pair, pair])
        >>> both.edge_index.tolist(), both.batch
        ([[0, 1, 2, 3], [1, 0, 3, 2]], tensor([0, 0, 1, 1]))
    """
    graphs = list(graphs)
    if not graphs:
        raise ValueError("graphs: there is none to join")
    counts = [graph.num_nodes for graph in graphs]
    before = [0, *accumulate(counts)]
    features: Any = {}
    for name in FEATURES:
        values = [getattr(graph, name) for graph in graphs]
        missing = [k for k, value in enumerate(values) if value is None]
        if missing and len(missing) < len(graphs):
            raise ValueError(f"graphs[{missing[0]}] has no {name}, but graphs[{_first_with(values)}] has")
        if not missing and name != "batch":
            features[name] = (concat if values[0].ndim else stack)(values)
    device = graphs[0].device
    number = repeat(arange(len(graphs), device=device), as_tensor(counts, like=graphs[0].src))
    src, dst = (concat([end + n for end, n in zip(ends, before)])
                for ends in ([graph.src for graph in graphs], [graph.dst for graph in graphs]))
    return Graph(src, dst, before[-1], batch=Segments(number, len(graphs)), **features)


def _first_with(values):
    return next(k for k, value in enumerate(values) if value is not None)


def unbatch_graphs(graph: Graph) -> list[Graph]:
    """The graphs that `batch_graphs` joined.

    Args:
        graph: a `Graph` with a `batch`, its nodes in the order of their graphs.

    Returns:
        A list of `Graph`, one for each of its `num_graphs`, also for those without nodes.

    Raises:
        ValueError: the graph has no `batch`, its nodes are in another order, or an edge joins two graphs.

    Example:
        >>> import tinygrad_notes as tn
        >>> pair, single = tn.nn.graph.Graph([0, 1], [1, 0], num_nodes=2), tn.nn.graph.Graph([], [], num_nodes=1)
        >>> tn.nn.graph.unbatch_graphs(tn.nn.graph.batch_graphs([pair, single]))
        [Graph(num_nodes=2, num_edges=2), Graph(num_nodes=1, num_edges=0)]
    """
    batch = graph.batch
    if batch is None:
        raise ValueError("graph: it has no batch: it was not joined from several")
    if bool((batch[1:] < batch[:-1]).any()):
        raise ValueError("graph: its nodes are not in the order of their graphs")
    of = take(batch, graph.src)
    if bool((of != take(batch, graph.dst)).any()):
        raise ValueError("graph: an edge joins two of its graphs")
    ends = [0, *accumulate(batch.counts.tolist())]
    parts = []
    for k, (first, last) in enumerate(zip(ends, ends[1:])):
        edges = nonzero(of == k)[0]
        features: Any = {}
        for name, axis in FEATURES.items():
            value = getattr(graph, name)
            if value is not None and name != "batch":
                if axis == EDGE:
                    features[name] = take(value, edges, axis=0)
                elif axis == NODE or value.shape[0] == graph.num_nodes:
                    features[name] = value[first:last]
                else:
                    features[name] = value[k]
        parts.append(Graph(take(graph.src, edges) - first, take(graph.dst, edges) - first, last - first, **features))
    return parts


