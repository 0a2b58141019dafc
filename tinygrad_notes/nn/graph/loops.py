"""Loops: edges from a node to itself."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ...autograd import Tensor
from ...ops import arange, broadcast_to, concat, index_put, nonzero, take
from .aggregate import aggregation

if TYPE_CHECKING:
    from .graph import Graph

__all__ = ["add_remaining_self_loops", "add_self_loops", "has_self_loops", "remove_self_loops"]


def has_self_loops(graph: Graph) -> bool:
    """Whether an edge goes from a node to itself.

    Args:
        graph: a `Graph`.

    Returns:
        True or False.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.graph.has_self_loops(tn.nn.graph.Graph([0, 1], [1, 1], num_nodes=2))
        True
    """
    return bool((graph.src == graph.dst).any())


def remove_self_loops(graph: Graph) -> Graph:
    """The graph without edges from a node to itself.

    Args:
        graph: a `Graph`.

    Returns:
        A `Graph`; its other edges keep their order, features and weights.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.graph.remove_self_loops(tn.nn.graph.Graph([0, 1], [1, 1], num_nodes=2)).edge_index.tolist()
        [[0], [1]]
    """
    return keep_edges(graph, nonzero(graph.src != graph.dst)[0])


def keep_edges(graph: Graph, edges: Tensor) -> Graph:
    """The graph with some of its edges, in the order of their numbers `edges`."""
    parts = [None if t is None else take(t, edges, axis=0) for t in (graph.edge_attr, graph.edge_weight)]
    return graph.with_edges(take(graph.src, edges), take(graph.dst, edges), *parts)


def add_self_loops(graph: Graph, fill_value: float | str | Tensor = 1.0) -> Graph:
    """The graph with one more loop at every node.

    Formula: A + I.

    Args:
        graph: a `Graph` of N nodes.
        fill_value: features and weights of loops: a number, a Tensor for one edge, or how they are made of the edges
            that end at the node: 'add', 'mean', 'min', 'max', 'mul'.

    Returns:
        A `Graph` of E + N edges, the loops last, in the order of the nodes.

    Raises:
        ValueError: `fill_value` is an unknown name.

    Example:
        >>> import tinygrad_notes as tn
        >>> graph = tn.nn.graph.Graph([0, 1], [1, 0], num_nodes=2, edge_weight=tn.tensor([0.5, 0.5]))
        >>> tn.nn.graph.add_self_loops(graph).edge_weight
        tensor([0.5000, 0.5000, 1.0000, 1.0000])
    """
    nodes = arange(graph.num_nodes, device=graph.device)
    attr, weight = (None if t is None else concat([t, _of_loops(graph, t, fill_value)])
                    for t in (graph.edge_attr, graph.edge_weight))
    return graph.with_edges(concat([graph.src, nodes]), concat([graph.dst, nodes]), attr, weight)


def add_remaining_self_loops(graph: Graph, fill_value: float | str | Tensor = 1.0) -> Graph:
    """The graph with exactly one loop at every node; one that was there keeps its features and weight.

    Args:
        graph: a `Graph` of N nodes.
        fill_value: features and weights of new loops; see `add_self_loops`.

    Returns:
        A `Graph`, the loops last, in the order of the nodes. Of several loops at a node the last stays.

    Raises:
        ValueError: `fill_value` is an unknown name.

    Example:
        >>> import tinygrad_notes as tn
        >>> graph = tn.nn.graph.Graph([1, 0], [1, 1], num_nodes=2, edge_weight=tn.tensor([0.5, 0.25]))
        >>> tn.nn.graph.add_remaining_self_loops(graph).edge_weight
        tensor([0.2500, 1.0000, 0.5000])
    """
    loops = nonzero(graph.src == graph.dst)[0]
    if not loops.size:
        return add_self_loops(graph, fill_value)
    at = take(graph.src, loops)
    others = remove_self_loops(graph)
    nodes = arange(graph.num_nodes, device=graph.device)

    def joined(values, rest):
        if values is None:
            return None
        return concat([rest, index_put(_of_loops(graph, values, fill_value), at, take(values, loops, axis=0))])
    return graph.with_edges(concat([others.src, nodes]), concat([others.dst, nodes]),
                            joined(graph.edge_attr, others.edge_attr), joined(graph.edge_weight, others.edge_weight))


def _of_loops(graph, values, fill):
    """The rows of new loops for edge values (E, ...): (N, ...)."""
    if isinstance(fill, str):
        return aggregation(fill)(values, graph.dst, graph.num_nodes)
    fill = fill if isinstance(fill, Tensor) else Tensor(fill, device=graph.device)
    return broadcast_to(fill.astype(values.dtype), (graph.num_nodes, *values.shape[1:]))
