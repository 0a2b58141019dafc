"""Aggregations: many rows that share an id become one row. Each is a function of (values, ids, number of groups).

    E rows   n groups   D features
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from ...autograd import as_tensor
from ...backend import default_float
from ...backend.names import unknown
from ...ops import (
    segment_max,
    segment_mean,
    segment_min,
    segment_prod,
    segment_softmax,
    segment_sum,
    sqrt,
    take,
    where,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...autograd import Tensor
    from ...typing import ArrayLike
    from .graph import Graph

__all__ = ["aggregate_neighbours", "aggregation"]


def _max(values, ids, n=None):
    return segment_max(values, ids, n, empty=0)


def _min(values, ids, n=None):
    return segment_min(values, ids, n, empty=0)


def _std(values, ids, n=None):
    """The standard deviation of each group, around its mean; 0, with gradient 0, where all rows are equal."""
    off = values - take(segment_mean(values, ids, n), ids, axis=0)
    var = segment_mean(off * off, ids, n)
    spread = var > 0
    return where(spread, sqrt(where(spread, var, 1.0)), 0.0)


def _softmax(values, ids, n=None):
    """The mean of each group, every element weighted by the softmax of that feature over the group."""
    return segment_sum(segment_softmax(values, ids, n) * values, ids, n)


AGGREGATIONS = {"add": segment_sum, "sum": segment_sum, "mean": segment_mean, "max": _max, "min": _min,
                "mul": segment_prod, "std": _std, "softmax": _softmax}


def aggregation(aggr: str | Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The aggregation called `aggr`, or one of your own as it is.

    Formula: out[k] = aggr of all values[e] with ids[e] = k; a group without rows gives 0 (1 for 'mul').

    Args:
        aggr: 'add' (or 'sum'), 'mean', 'max', 'min', 'mul', 'std', 'softmax'; or a function or Module of
            (values (E, D), ids (E,), number of groups n) that returns (n, D).

    Returns:
        The function.

    Raises:
        ValueError: the name is unknown.
        TypeError: it is neither a name nor callable.

    Source: Corso et al. 2020 (std); Li et al. 2020, DeeperGCN (softmax).

    Example:
        >>> import tinygrad_notes as tn
        >>> std = tn.nn.graph.aggregation("std")
        >>> std(tn.tensor([[1.0], [3.0], [5.0]]), tn.tensor([0, 0, 2]), 3)
        tensor([[1.],
                [0.],
                [0.]])
    """
    if isinstance(aggr, str):
        if aggr not in AGGREGATIONS:
            raise ValueError(unknown("aggr", aggr, AGGREGATIONS))
        return AGGREGATIONS[aggr]
    if not callable(aggr):
        raise TypeError(f"aggr: expected a name or a function of (values, ids, n), got {aggr!r}")
    return aggr


def aggregate_neighbours(graph: Graph, h: ArrayLike, aggr: str | Callable[..., Tensor] = "add",
                         edge_weight: Tensor | None = None) -> Tensor:
    """For each node, the aggregate of what its sources hold, times the weights of the edges.

    Formula: out[i] = aggr of edge_weight[e] h[src[e]] over all edges e with dst[e] = i.

    Sums and means are sparse products, which need no array with a row per edge.

    Args:
        graph: a `Graph` of N nodes and E edges.
        h: node features (N, ...).
        aggr: see `aggregation`.
        edge_weight: (E,), with gradient; None: ones.

    Returns:
        Tensor (N, ...); 0 for a node without edges.

    Raises:
        ValueError: `h` does not have N rows, or `aggr` is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> graph = tn.nn.graph.Graph([0, 1], [2, 2], num_nodes=3)
        >>> tn.nn.graph.aggregate_neighbours(graph, tn.tensor([[1.0], [10.0], [5.0]]), "max")
        tensor([[ 0.],
                [ 0.],
                [10.]])
    """
    h = as_tensor(h, like=graph.src)
    if h.ndim == 0 or h.shape[0] != graph.num_nodes:
        raise ValueError(f"h has shape {h.shape}, expected {graph.num_nodes} rows: one per node of the graph")
    combine = aggregation(aggr)
    if combine is segment_sum:
        return (graph.adjacency if edge_weight is None else graph.adjacency.with_values(edge_weight)) @ h
    if combine is segment_mean and edge_weight is None:
        return _averaging(graph, h.dtype if h.dtype.kind == "f" else default_float) @ h
    if combine is segment_mean:
        out = graph.adjacency.with_values(edge_weight) @ h
        return out * _column(_shares(graph, out.dtype), out)
    messages = take(h, graph.src, axis=0)
    if edge_weight is not None:
        messages = messages * _column(edge_weight, messages)
    return combine(messages, graph.dst, graph.num_nodes)


def _column(weight, like):
    """(E,) -> (E, 1, ...), to multiply rows."""
    return weight.reshape(weight.shape + (1,) * (like.ndim - 1))


def _shares(graph, dtype):
    """One over the number of edges that end at each node; 1 where none does."""
    return graph.known(("shares", dtype), lambda: 1 / where(graph.in_degree > 0, graph.in_degree, 1).astype(dtype))


def _averaging(graph, dtype):
    """The adjacency matrix with rows that add up to one."""
    return graph.known(("averaging", dtype), lambda: graph.adjacency.with_values(
        take(_shares(graph, dtype), graph.dst, axis=0)))

