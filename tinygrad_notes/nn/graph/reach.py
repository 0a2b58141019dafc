"""Where one gets to along the edges: walks, distances, neighbourhoods whole or sampled, the graph of edges."""
from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...autograd import Tensor, as_tensor
from ...ops import (
    arange,
    argsort,
    concat,
    cumsum,
    full,
    nonzero,
    permutation,
    rand,
    repeat,
    searchsorted,
    take,
    unique_values,
    where,
    zeros,
)
from ..linear import size
from .edges import coalesce, is_undirected
from .graph import Graph
from .loops import remove_self_loops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...backend import Generator
    from ...typing import ArrayLike

__all__ = ["Subgraph", "distances", "k_hop_subgraph", "line_graph", "sample_neighbours", "subgraph", "walks"]


class Subgraph(NamedTuple):
    """A part of a graph with its own numbers, and what they were.

    Fields:
        graph: the part, its nodes numbered from 0, with their features and those of their edges.
        nodes: int64 (M,), the number that each of its nodes had.
        mapping: int64, where among them the nodes are that were asked for.
        edges: int64, the number that each of its edges had.
    """

    graph: Graph
    nodes: Tensor
    mapping: Tensor
    edges: Tensor


def walks(graph: Graph, length: int, start: int | None = None) -> Tensor:
    """How many walks of a length there are between nodes; a walk may use an edge more than once.

    Formula: W = A^length, with A[i, j] the number of edges i -> j.

    Args:
        graph: a `Graph` of N nodes.
        length: the number of edges of a walk, >= 0.
        start: the node where walks begin; None: all of them.

    Returns:
        int64 Tensor (N, N), W[i, j] from i to j; with `start` its row (N,). Beyond 2^63 it is wrong.

    Raises:
        ValueError: `length` is negative.
        IndexError: there is no node `start`.

    Source: the notes, chapter 5; Prince 2023, section 13.2.1, and problem 13.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> ring = tn.nn.graph.to_undirected(tn.nn.graph.Graph([0, 1, 2], [1, 2, 0], num_nodes=3))
        >>> tn.nn.graph.walks(ring, 2, start=0)
        tensor([2, 1, 1])
    """
    length, n = size("length", length), graph.num_nodes
    at = arange(n, device=graph.device)
    if start is None:
        counts = (at.reshape((n, 1)) == at).astype("int64")  # counts[j, i]: walks from i to j
    else:
        counts = (at == _node("start", start, n)).astype("int64")
    for _ in range(length):
        counts = graph.adjacency @ counts
    return counts.T if start is None else counts


def _node(name, node, n):
    if not 0 <= node < n:
        raise IndexError(f"{name}: there is no node {node}, expected a number in [0, {n})")
    return int(node)


def distances(graph: Graph, start: int) -> Tensor:
    """The smallest number of edges on a way from one node to every other.

    Args:
        graph: a `Graph` of N nodes.
        start: where ways begin.

    Returns:
        int64 Tensor (N,); -1 for a node that cannot be reached.

    Raises:
        IndexError: there is no node `start`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.graph.distances(tn.nn.graph.Graph([0, 1], [1, 2], num_nodes=4), 0)
        tensor([ 0,  1,  2, -1])
    """
    front = arange(graph.num_nodes, device=graph.device) == _node("start", start, graph.num_nodes)
    found = where(front, 0, full((graph.num_nodes,), -1, dtype="int64", device=graph.device))
    for step in range(1, graph.num_nodes):
        front = ((graph.adjacency @ front.astype("int64")) > 0) & (found < 0)
        if not front.any():
            break
        found = where(front, step, found)
    return found


def subgraph(graph: Graph, nodes: ArrayLike) -> Subgraph:
    """The part of a graph that some nodes and all edges between them form.

    Args:
        graph: a `Graph`.
        nodes: integers (M,), each once; they are numbered in this order.

    Returns:
        A `Subgraph`.

    Raises:
        IndexError: there is no such node.
        ValueError: a node is named twice.

    Example:
        >>> import tinygrad_notes as tn
        >>> part = tn.nn.graph.subgraph(tn.nn.graph.Graph([0, 1, 2], [1, 2, 0], num_nodes=3), [2, 1])
        >>> part.graph.edge_index.tolist(), part.edges
        ([[1], [0]], tensor([1]))
    """
    chosen = _nodes("nodes", nodes, graph)
    if unique_values(chosen).shape != chosen.shape:
        raise ValueError("nodes: a node is named twice")
    number = _numbers(graph, chosen)
    inside = nonzero((take(number, graph.src) >= 0) & (take(number, graph.dst) >= 0))[0]
    return _part(graph, chosen, inside, number, arange(chosen.shape[0], device=graph.device))


def _nodes(name, nodes, graph):
    nodes = as_tensor(nodes, like=graph.src)
    if nodes.dtype.kind not in "iu" and nodes.size:
        raise TypeError(f"{name}: expected numbers of nodes, got {nodes.dtype}")
    nodes = nodes.astype("int64").reshape((-1,))
    if nodes.size and (nodes.min().item() < 0 or nodes.max().item() >= graph.num_nodes):
        low = nodes.min().item()
        raise IndexError(f"{name}: there is no node {low if low < 0 else nodes.max().item()}, expected numbers in "
                         f"[0, {graph.num_nodes})")
    return nodes


def _numbers(graph, nodes):
    """The new number of every node, -1 where it has none."""
    blank = full((graph.num_nodes,), -1, dtype="int64", device=graph.device)
    return blank.index_put((nodes,), arange(nodes.shape[0], device=graph.device)) if nodes.size else blank


def _part(graph, nodes, edges, number, mapping):
    """The `Subgraph` of some nodes and some edges between them."""
    features = {name: None if (t := getattr(graph, name)) is None else take(t, rows, axis=0)
                for name, rows in (("x", nodes), ("edge_attr", edges), ("edge_weight", edges))}
    if graph.y is not None and graph.y.shape[:1] == (graph.num_nodes,):
        features["y"] = take(graph.y, nodes, axis=0)
    part = Graph(take(number, take(graph.src, edges)), take(number, take(graph.dst, edges)), nodes.shape[0], **features)
    return Subgraph(part, nodes, mapping, edges)


def k_hop_subgraph(graph: Graph, nodes: ArrayLike, num_hops: int) -> Subgraph:
    """The part of a graph that matters to some nodes after a number of layers, with all edges inside.

    Formula: the nodes from which one gets to `nodes` along at most num_hops edges.

    Args:
        graph: a `Graph`.
        nodes: integers, the nodes that are asked for.
        num_hops: how many edges far, >= 0.

    Returns:
        A `Subgraph`, its nodes in ascending order of their old numbers.

    Raises:
        IndexError: there is no such node.
        ValueError: `num_hops` is negative.

    Source: the notes, chapter 5; Prince 2023, section 13.7 (the k-hop neighbourhood).

    Example:
        >>> import tinygrad_notes as tn
        >>> line = tn.nn.graph.Graph([0, 1, 2], [1, 2, 3], num_nodes=4)
        >>> tn.nn.graph.k_hop_subgraph(line, [3], 2).nodes
        tensor([1, 2, 3])
    """
    nodes = _nodes("nodes", nodes, graph)
    near = _numbers(graph, nodes) >= 0
    for _ in range(size("num_hops", num_hops)):
        near = near | ((graph.adjacency.T @ near.astype("int64")) > 0)
    kept = nonzero(near)[0]
    part = subgraph(graph, kept)
    return part._replace(mapping=searchsorted(kept, nodes))


def sample_neighbours(graph: Graph, nodes: ArrayLike, sizes: Sequence[int], *, per: str = "node",
                      generator: Generator | None = None) -> Subgraph:
    """A random part of a graph for some nodes: layer by layer a few of the sources of edges that lead there.

    Formula: S_0 = nodes; S_k+1 = S_k and, for each node that was new in S_k, up to sizes[k] of the sources of edges
        that end at it, drawn without replacement. With per='layer', up to sizes[k] new nodes for all together.

    Args:
        graph: a `Graph`.
        nodes: integers, the nodes that are asked for, each once.
        sizes: one number per layer, from the last layer of the network to the first; -1 takes all.
        per: 'node' draws for each node (GraphSAGE), 'layer' for the layer as a whole.
        generator: the stream to draw from.

    Returns:
        A `Subgraph`, `nodes` first. With 'node' its edges are those that were drawn, with 'layer' all between its
        nodes.

    Raises:
        IndexError: there is no such node.
        ValueError: a size is below -1, `per` is unknown, or a node is named twice.

    Source: Hamilton, Ying & Leskovec 2017, section 3.1; the notes, chapter 5; Prince 2023, section 13.7, notebook 13.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> star = tn.nn.graph.Graph([1, 2, 3, 4], [0, 0, 0, 0], num_nodes=5)
        >>> tn.nn.graph.sample_neighbours(star, [0], [2], generator=tn.Generator(0)).graph
        Graph(num_nodes=3, num_edges=2)
    """
    if per not in ("node", "layer"):
        raise ValueError(f"per: expected 'node' or 'layer', got {per!r}")
    sizes = [size("sizes", k, -1) for k in sizes]
    front = found = _nodes("nodes", nodes, graph)
    asked = found.shape[0]
    if unique_values(found).shape != found.shape:
        raise ValueError("nodes: a node is named twice")
    drawn = [zeros((0,), dtype="int64", device=graph.device)]
    for k in sizes:
        if per == "layer":  # also from what was found before: those nodes are in the layer below too
            front = found
        at = nonzero(take(_numbers(graph, front) >= 0, graph.dst))[0]
        if per == "node":
            edges = _few_per_target(graph, at, k, generator)
            drawn.append(edges)
            sources = unique_values(take(graph.src, edges))
            front = take(sources, nonzero(take(_numbers(graph, found), sources) < 0)[0])
        else:
            sources = unique_values(take(graph.src, at))
            front = take(sources, nonzero(take(_numbers(graph, found), sources) < 0)[0])
            if 0 <= k < front.shape[0]:
                front = permutation(front, generator=generator)[:k]
        found = concat([found, front])
    if per == "layer":
        return subgraph(graph, found)._replace(mapping=arange(asked, device=graph.device))
    edges = unique_values(concat(drawn))
    return _part(graph, found, edges, _numbers(graph, found), arange(asked, device=graph.device))


def _few_per_target(graph, edges, k, generator):
    """Of some edges, up to `k` drawn at random for each node where they end; -1: all."""
    if k < 0 or not edges.size:
        return edges
    order = argsort(rand(edges.shape[0], generator=generator, dtype="float64", device=graph.device), stable=True)
    edges = take(edges, order)
    ends = take(graph.dst, edges)
    order = argsort(ends, stable=True)
    edges, ends = take(edges, order), take(ends, order)
    rank = arange(edges.shape[0], device=graph.device) - searchsorted(ends, ends)
    return take(edges, nonzero(rank < k)[0])


def line_graph(graph: Graph, directed: bool | None = None) -> Graph:
    """The graph whose nodes are the edges of another: two are joined where those edges meet.

    Formula: directed, an edge from i -> j to j -> k; undirected, an edge between {i, j} and {j, k}, in both directions.

    Args:
        graph: a `Graph`; equal edges count once.
        directed: treat the graph as directed; None: find out.

    Returns:
        A `Graph` with a node per edge, ordered by source, then target; of an undirected graph each edge counts once, as
        the one with the smaller source, and loops are left out. Its `x` are the features of edges; those of the two
        directions of an undirected edge are added.

    Source: the notes, chapter 5; Prince 2023, section 13.9 (edge graphs).

    Example:
        >>> import tinygrad_notes as tn
        >>> triangle = tn.nn.graph.to_undirected(tn.nn.graph.Graph([0, 1, 2], [1, 2, 0], num_nodes=3))
        >>> tn.nn.graph.line_graph(triangle)
        Graph(num_nodes=3, num_edges=6)
    """
    directed = not is_undirected(graph) if directed is None else directed
    graph = coalesce(graph)
    if directed:
        first, second = _pairs(graph.dst, graph.src, graph.num_nodes)
        return Graph(first, second, graph.num_edges, x=graph.edge_attr)
    graph = remove_self_loops(graph)
    low, high = where(graph.src < graph.dst, graph.src, graph.dst), where(graph.src < graph.dst, graph.dst, graph.src)
    once = coalesce(graph.with_edges(low, high, graph.edge_attr))
    edges = arange(once.num_edges, device=graph.device)
    ends, of = concat([once.src, once.dst]), concat([edges, edges])
    first, second = _pairs(ends, ends, graph.num_nodes)
    first, second = take(of, first), take(of, second)
    apart = nonzero(first != second)[0]
    joined = Graph(take(first, apart), take(second, apart), once.num_edges, x=once.edge_attr)
    return coalesce(joined)


def _pairs(left, right, n):
    """All pairs (a, b) of places with left[a] = right[b]."""
    order = argsort(right, stable=True)
    start = searchsorted(take(right, order), arange(n + 1, device=left.device))
    lengths = take(start, left + 1) - take(start, left)
    first = repeat(arange(left.shape[0], device=left.device), lengths)
    begin = cumsum(lengths, axis=0) - lengths  # where the pairs of each left one begin
    rank = arange(first.shape[0], device=left.device) - take(begin, first)
    return first, take(order, take(take(start, left), first) + rank)
