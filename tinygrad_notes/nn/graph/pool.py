"""Pooling: all nodes of a graph become one row, for each of the graphs in a batch."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ...autograd import as_tensor
from ...ops import Segments, max, mean, segment_max, segment_mean, segment_softmax, segment_sum, sum
from ..module import Module

if TYPE_CHECKING:
    from ...autograd import Tensor
    from ...typing import ArrayLike

__all__ = ["AttentionalAggregation", "global_add_pool", "global_max_pool", "global_mean_pool"]


def groups(name, batch, size):
    """What segment operations take: (ids, number of graphs)."""
    if isinstance(batch, Segments):
        return batch, size
    if size is None:
        raise TypeError(f"{name}: size is missing: graphs without nodes cannot be seen in batch; expected an int, or "
                        "the batch of a Graph, which knows it")
    return batch, size


def global_add_pool(x: ArrayLike, batch: ArrayLike | None = None, size: int | None = None) -> Tensor:
    """The sum over the nodes of each graph.

    Formula: out[k] = sum of x[i] over all nodes i with batch[i] = k.

    Args:
        x: node features (N, ...).
        batch: the number of the graph of each node: `graph.batch`, or integers (N,); None: all are of one graph.
        size: the number of graphs B, where `batch` does not know it.

    Returns:
        Tensor (B, ...), zeros for a graph without nodes.

    Raises:
        TypeError: `size` is missing.
        IndexError: a number of a graph is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.graph.global_add_pool(tn.tensor([[1.0], [2.0], [4.0]]), tn.tensor([0, 1, 0]), 2)
        tensor([[5.],
                [2.]])
    """
    if batch is None:
        return sum(as_tensor(x), axis=0, keepdims=True)
    return segment_sum(x, *groups("global_add_pool", batch, size))


def global_mean_pool(x: ArrayLike, batch: ArrayLike | None = None, size: int | None = None) -> Tensor:
    """The mean over the nodes of each graph.

    Formula: out[k] = mean of x[i] over all nodes i with batch[i] = k.

    Args:
        x: node features (N, ...).
        batch: the number of the graph of each node: `graph.batch`, or integers (N,); None: all are of one graph.
        size: the number of graphs B, where `batch` does not know it.

    Returns:
        Tensor (B, ...), zeros for a graph without nodes.

    Raises:
        TypeError: `size` is missing.
        IndexError: a number of a graph is out of range.

    Source: the notes, chapter 5: the head sig(b + w H 1/N); Prince 2023, equation 13.9.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.graph.global_mean_pool(tn.tensor([[1.0], [2.0], [4.0]]), tn.tensor([0, 1, 0]), 2)
        tensor([[2.5000],
                [2.0000]])
    """
    if batch is None:
        return mean(as_tensor(x), axis=0, keepdims=True)
    return segment_mean(x, *groups("global_mean_pool", batch, size))


def global_max_pool(x: ArrayLike, batch: ArrayLike | None = None, size: int | None = None) -> Tensor:
    """The largest value of each feature over the nodes of each graph.

    Formula: out[k] = max of x[i] over all nodes i with batch[i] = k.

    Args:
        x: node features (N, ...).
        batch: the number of the graph of each node: `graph.batch`, or integers (N,); None: all are of one graph.
        size: the number of graphs B, where `batch` does not know it.

    Returns:
        Tensor (B, ...), zeros for a graph without nodes.

    Raises:
        TypeError: `size` is missing.
        IndexError: a number of a graph is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.graph.global_max_pool(tn.tensor([[1.0], [2.0], [4.0]]), tn.tensor([0, 1, 0]), 2)
        tensor([[4.],
                [2.]])
    """
    if batch is None:
        return max(as_tensor(x), axis=0, keepdims=True)
    return segment_max(x, *groups("global_max_pool", batch, size), empty=0)


class AttentionalAggregation(Module):
    """A sum over the nodes of each graph, weighted by a softmax over them.

    Formula: out[k] = sum of softmax(gate_nn(x))[i] nn(x[i]) over all nodes i of graph k; the softmax is over the same
        nodes.

    It is also an aggregation: `MessagePassing(aggr=AttentionalAggregation(...))`.

    Args:
        gate_nn: a Module that maps (N, D) to logits (N, 1), or (N, out) for a weight per feature.
        nn: a Module that maps (N, D) to (N, out); None: the features as they are.

    Shapes: x (N, D), batch (N,) -> (B, out).

    Attributes:
        gate_nn, nn: as given.

    Raises:
        TypeError: at the call, the number of graphs is missing.

    Source: Li et al. 2019, Graph Matching Networks, equation 3; Li et al. 2016, Gated Graph Sequence Neural Networks.

    Example:
        >>> import tinygrad_notes as tn
        >>> pool = tn.nn.graph.AttentionalAggregation(tn.nn.Linear(3, 1))
        >>> pool(tn.ones((4, 3)), tn.tensor([0, 0, 0, 1]), 2).shape
        (2, 3)
    """

    def __init__(self, gate_nn: Module, nn: Module | None = None) -> None:
        super().__init__()
        self.gate_nn, self.nn = gate_nn, nn

    def forward(self, x: ArrayLike, batch: ArrayLike, size: int | None = None) -> Tensor:
        x = as_tensor(x)
        ids, n = groups("AttentionalAggregation", batch, size)
        weight = segment_softmax(self.gate_nn(x), ids, n)
        return segment_sum(weight * (x if self.nn is None else self.nn(x)), ids, n)
