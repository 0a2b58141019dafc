"""What is done to the edges of a graph: sorted and joined, made undirected, counted, put into a dense matrix."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ...autograd import Tensor, as_tensor
from ...backend.names import unknown
from ...ops import array_equal, concat, nonzero, segment_sum, take, unique_inverse, where
from .aggregate import aggregation
from .graph import Graph
from .loops import keep_edges

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...typing import ArrayLike, DTypeLike

__all__ = ["coalesce", "degree", "from_dense_adjacency", "is_undirected", "to_dense_adjacency", "to_undirected"]


def codes(graph: Graph) -> Tensor:
    """One number per edge that tells its two ends: src * N + dst."""
    return graph.src * graph.num_nodes + graph.dst


def coalesce(graph: Graph, reduce: str | Callable[..., Tensor] = "add") -> Graph:
    """The graph with its edges sorted by source, then target, and each of them once.

    Args:
        graph: a `Graph`.
        reduce: how features and weights of equal edges become one: 'add', 'mean', 'max', ...; see `aggregation`.

    Returns:
        A `Graph`.

    Raises:
        ValueError: `reduce` is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> graph = tn.nn.graph.Graph([1, 0, 1], [0, 1, 0], num_nodes=2, edge_weight=tn.tensor([1.0, 2.0, 4.0]))
        >>> once = tn.nn.graph.coalesce(graph)
        >>> once.edge_index.tolist(), once.edge_weight
        ([[0, 1], [1, 0]], tensor([2., 5.]))
    """
    combine = aggregation(reduce)
    found = unique_inverse(codes(graph))
    ends = found.values
    n = max(graph.num_nodes, 1)
    parts = [None if t is None else combine(t, found.inverse_indices, ends.shape[0])
             for t in (graph.edge_attr, graph.edge_weight)]
    return graph.with_edges(ends // n, ends % n, *parts)


def to_undirected(graph: Graph, reduce: str | Callable[..., Tensor] = "add") -> Graph:
    """The graph with every edge in both directions, sorted and each of them once.

    Formula: A or A^T: there is an edge between i and j if there was one from i to j or from j to i. Both have the same
        features and weights, to the bit; with reduce='add' the weights are those of A + A^T.

    Args:
        graph: a `Graph`.
        reduce: how features and weights become one where an edge was there in both directions, or twice.

    Returns:
        A `Graph`.

    Raises:
        ValueError: `reduce` is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.graph.to_undirected(tn.nn.graph.Graph([0, 1], [1, 2], num_nodes=3)).edge_index.tolist()
        [[0, 1, 1, 2], [1, 0, 2, 1]]
    """
    forward = graph.src < graph.dst
    loops = nonzero(graph.src == graph.dst)[0]  # a loop counts in both of its directions
    half = coalesce(_with_more(graph.with_edges(
        where(forward, graph.src, graph.dst), where(forward, graph.dst, graph.src), graph.edge_attr,
        graph.edge_weight), loops), reduce)
    return _sorted(_with_more(half, nonzero(half.src != half.dst)[0], turned=True))


def _with_more(graph, edges, turned=False):
    """The graph with some of its edges once more, perhaps turned round."""
    src, dst = (take(end, edges) for end in ((graph.dst, graph.src) if turned else (graph.src, graph.dst)))
    parts = [None if t is None else concat([t, take(t, edges, axis=0)]) for t in (graph.edge_attr, graph.edge_weight)]
    return graph.with_edges(concat([graph.src, src]), concat([graph.dst, dst]), *parts)


def is_undirected(graph: Graph) -> bool:
    """Whether every edge is there in both directions equally often, with equal features and weights.

    Args:
        graph: a `Graph`.

    Returns:
        True or False.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.graph.is_undirected(tn.nn.graph.Graph([0, 1], [1, 2], num_nodes=3))
        False
    """
    there, back = (_sorted(g) for g in (graph.bare.replace(edge_attr=graph.edge_attr, edge_weight=graph.edge_weight),
                                        graph.reverse))
    return all(array_equal(a, b) for a, b in ((there.src, back.src), (there.dst, back.dst))) and all(
        a is None or array_equal(a, b) for a, b in ((there.edge_attr, back.edge_attr),
                                                    (there.edge_weight, back.edge_weight)))


def _sorted(graph):
    return keep_edges(graph, codes(graph).argsort(stable=True))


DIRECTIONS = ("in", "out")


def degree(graph: Graph, direction: str = "in", weighted: bool = False, dtype: DTypeLike | None = None) -> Tensor:
    """How many edges end (or begin) at each node, or the sum of their weights.

    Formula: d_i = sum over edges that end at i of 1, or of edge_weight.

    Args:
        graph: a `Graph` of N nodes.
        direction: 'in' for edges that end at a node, 'out' for those that begin there.
        weighted: add weights instead of counting.
        dtype: of the result; default: that of the weights, or int64.

    Returns:
        Tensor (N,), with gradient for weights.

    Raises:
        ValueError: `direction` is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.graph.degree(tn.nn.graph.Graph([0, 0], [1, 2], num_nodes=4), "out")
        tensor([2, 0, 0, 0])
    """
    if direction not in DIRECTIONS:
        raise ValueError(unknown("direction", str(direction), DIRECTIONS))
    ends = graph.dst if direction == "in" else graph.src
    found = segment_sum(graph.weights(), ends) if weighted else ends.counts
    return found if dtype is None else found.astype(dtype)


def to_dense_adjacency(graph: Graph, dtype: DTypeLike | None = None) -> Tensor:
    """The adjacency matrix, row by source and column by target; weights of equal edges are added.

    Formula: A[i, j] = sum of the weights of all edges i -> j. A layer that adds up neighbours computes A^T X.

    Args:
        graph: a `Graph` of N nodes.
        dtype: of the matrix; default: that of the weights, or float32.

    Returns:
        Tensor (N, N), with gradient for weights.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.graph.to_dense_adjacency(tn.nn.graph.Graph([0, 0], [1, 2], num_nodes=3)).tolist()
        [[0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    return graph.adjacency.with_values(graph.weights(dtype)).T.to_dense()


def from_dense_adjacency(adjacency: ArrayLike) -> Graph:
    """The graph of an adjacency matrix: an edge i -> j where A[i, j] is not 0, with that weight.

    Args:
        adjacency: (N, N), row by source and column by target.

    Returns:
        A `Graph`, its edges sorted by source, then target. It has weights if the matrix is floating and not all of
        them are 1.

    Raises:
        ValueError: the matrix is not square.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.graph.from_dense_adjacency([[0, 1], [1, 0]]).edge_index.tolist()
        [[0, 1], [1, 0]]
    """
    matrix = as_tensor(adjacency)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"adjacency: expected shape (N, N), got {matrix.shape}")
    src, dst = nonzero(matrix != 0)
    weight = matrix[src, dst] if matrix.dtype.kind == "f" else None
    plain = weight is None or not weight.requires_grad and bool((weight == 1).all())
    return Graph(src, dst, matrix.shape[0], edge_weight=None if plain else weight)
