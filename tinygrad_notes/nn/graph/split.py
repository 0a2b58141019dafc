"""Dividing nodes or edges into parts for training, validation and test; pairs of nodes without an edge."""
from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...autograd import Tensor
from ...ops import (
    arange,
    concat,
    isin,
    nonzero,
    ones,
    permutation,
    randint,
    randperm,
    take,
    unique_values,
    where,
    zeros,
)
from ..linear import size
from .edges import codes, is_undirected
from .graph import Graph
from .loops import keep_edges

if TYPE_CHECKING:
    from ...backend import Generator

__all__ = ["LinkSplit", "NodeSplit", "negative_sampling", "random_link_split", "random_node_split"]

_ALL_PAIRS = 1 << 22  # up to this many pairs of nodes all of them are listed; beyond, they are drawn


class NodeSplit(NamedTuple):
    """Which nodes are for what.

    Fields:
        train, val, test: bool (N,).
    """

    train: Tensor
    val: Tensor
    test: Tensor


class LinkSplit(NamedTuple):
    """One part of the edges of a graph, as a task: which pairs of nodes are joined?

    Fields:
        graph: the edges that may be seen.
        src, dst: the pairs that are asked about, int64 (K,).
        label: 1.0 for an edge, 0.0 for a pair without one, (K,).
    """

    graph: Graph
    src: Tensor
    dst: Tensor
    label: Tensor


def _share(name, value, n):
    """A number of items, given as such or as a share of `n`."""
    if isinstance(value, float):
        if not 0 <= value <= 1:
            raise ValueError(f"{name}: expected an int or a share from 0 to 1, got {value}")
        return round(value * n)
    return size(name, value)


def random_node_split(graph: Graph, num_val: float = 0.1, num_test: float = 0.2, *,
                      num_train_per_class: int | None = None, generator: Generator | None = None) -> NodeSplit:
    """Divide the nodes at random.

    Args:
        graph: a `Graph` of N nodes.
        num_val, num_test: how many nodes, or which share of them.
        num_train_per_class: train on this many nodes of each class of `graph.y` only, drawn first, and leave the
            others out; None: train on all nodes that are left.
        generator: the stream to draw from.

    Returns:
        A `NodeSplit` of masks that do not overlap.

    Raises:
        ValueError: there are too few nodes, a share is out of range, or `graph.y` is missing.

    Source: Yang, Cohen & Salakhutdinov 2016 (20 nodes per class).

    Example:
        >>> import tinygrad_notes as tn
        >>> split = tn.nn.graph.random_node_split(tn.nn.graph.Graph([], [], num_nodes=10), generator=tn.Generator(0))
        >>> [int(part.sum()) for part in split]
        [7, 1, 2]
    """
    n = graph.num_nodes
    val, test = _share("num_val", num_val, n), _share("num_test", num_test, n)
    order = randperm(n, generator=generator, device=graph.device)
    if num_train_per_class is None:
        k = n - val - test
        train, rest = order[:max(k, 0)], order[max(k, 0):]
    else:
        if graph.y is None or graph.y.shape != (n,):
            raise ValueError(f"graph.y: expected the class of each of {n} nodes for num_train_per_class, got "
                             f"{None if graph.y is None else graph.y.shape}")
        labels = take(graph.y, order)
        members = [nonzero(labels == label)[0][:size("num_train_per_class", num_train_per_class, 1)]
                   for label in unique_values(graph.y)]
        chosen = concat(members)
        train = take(order, chosen)
        rest = take(order, nonzero(~isin(arange(n, device=graph.device), chosen))[0])
    if val + test > rest.shape[0]:
        raise ValueError(f"num_val + num_test: {val} + {test} nodes are wanted, but {rest.shape[0]} are left of {n}")
    return NodeSplit(*(_mask(part, n) for part in (train, rest[:val], rest[val:val + test])))


def _mask(rows, n):
    blank = zeros((n,), dtype="bool", device=rows.device)
    return blank.index_put((rows,), True) if rows.size else blank


def negative_sampling(graph: Graph, num: int, *, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
    """Pairs of different nodes that no edge joins, each at most once.

    Formula: (i, j) ~ uniform over all i != j without an edge i -> j, without replacement.

    Args:
        graph: a `Graph` of N nodes.
        num: how many pairs; there may be fewer where the graph has not so many.
        generator: the stream to draw from.

    Returns:
        Two int64 Tensors (num,): where the edges would begin, and where they would end.

    Raises:
        ValueError: `num` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> src, dst = tn.nn.graph.negative_sampling(tn.nn.graph.Graph([0, 1], [1, 0], num_nodes=3), 4)
        >>> sorted(zip(src.tolist(), dst.tolist()))
        [(0, 2), (1, 2), (2, 0), (2, 1)]
    """
    return _pairs(graph, size("num", num), codes(graph), generator)


def _pairs(graph, num, taken, generator):
    """`num` pairs of different nodes whose codes are not among `taken`."""
    n, device = graph.num_nodes, graph.device
    taken = concat([taken, arange(n, device=device) * (n + 1)])  # no loops
    if n * n <= _ALL_PAIRS:
        every = arange(n * n, device=device)
        free = take(every, nonzero(~isin(every, taken))[0])
        found = permutation(free, generator=generator)[:num]
    else:
        found = zeros((0,), dtype="int64", device=device)
        while found.shape[0] < num:  # an n as large as this leaves most pairs free, or edges would not fit in memory
            drawn = randint(n * n, shape=(2 * (num - found.shape[0]),), generator=generator, device=device)
            fresh = unique_values(take(drawn, nonzero(~isin(drawn, concat([taken, found])))[0]))
            found = concat([found, permutation(fresh, generator=generator)])[:num]
    return found // max(n, 1), found % max(n, 1)


def random_link_split(graph: Graph, num_val: float = 0.1, num_test: float = 0.2, *, neg_sampling_ratio: float = 1.0,
                      generator: Generator | None = None) -> tuple[LinkSplit, LinkSplit, LinkSplit]:
    """Divide the edges at random into three tasks of telling edges from pairs without one.

    Validation sees the edges of training, the test those of training and validation. Of an undirected graph both
    directions of an edge stay together, and each is asked about once, in one direction.

    Args:
        graph: a `Graph` of N nodes.
        num_val, num_test: how many edges, or which share of them.
        neg_sampling_ratio: how many pairs without an edge are asked about for each edge.
        generator: the stream to draw from.

    Returns:
        Three `LinkSplit`: training, validation, test. No pair without an edge is in two of them.

    Raises:
        ValueError: there are too few edges, or a number is out of range.

    Source: Kipf & Welling 2016, Variational Graph Auto-Encoders, section 3.

    Example:
        >>> import tinygrad_notes as tn
        >>> ring = tn.nn.graph.to_undirected(tn.nn.graph.Graph(range(10), [*range(1, 10), 0], num_nodes=10))
        >>> train, val, test = tn.nn.graph.random_link_split(ring, generator=tn.Generator(0))
        >>> train.graph.num_edges, test.label.tolist()
        (14, [1.0, 1.0, 0.0, 0.0])
    """
    undirected = is_undirected(graph)
    ends = (where(graph.src < graph.dst, graph.src, graph.dst), where(graph.src < graph.dst, graph.dst, graph.src)) \
        if undirected else (graph.src, graph.dst)
    pair = ends[0] * graph.num_nodes + ends[1]
    once = unique_values(pair)
    m = once.shape[0]
    val, test = _share("num_val", num_val, m), _share("num_test", num_test, m)
    if val + test > m:
        raise ValueError(f"num_val + num_test: {val} + {test} edges are wanted, but there are {m}")
    if isinstance(neg_sampling_ratio, bool) or not neg_sampling_ratio >= 0:
        raise ValueError(f"neg_sampling_ratio: expected a number >= 0, got {neg_sampling_ratio!r}")
    order = permutation(once, generator=generator)
    parts = [order[:m - val - test], order[m - val - test:m - test], order[m - test:]]
    wanted = [round(part.shape[0] * neg_sampling_ratio) for part in parts]
    taken = concat([codes(graph), codes(graph.reverse)]) if undirected else codes(graph)
    src, dst = _pairs(graph, sum(wanted), taken, generator)
    splits, seen = [], parts[0]
    for k, part in enumerate(parts):
        if k == 2:
            seen = concat([seen, parts[1]])
        known = keep_edges(graph, nonzero(isin(pair, seen))[0])
        first = sum(wanted[:k])
        free = slice(first, first + wanted[k])
        n = max(graph.num_nodes, 1)
        label = concat([ones((part.shape[0],), device=graph.device),
                        zeros((src[free].shape[0],), device=graph.device)])
        splits.append(LinkSplit(known, concat([part // n, src[free]]), concat([part % n, dst[free]]), label))
    train, valid, tested = splits
    return train, valid, tested
