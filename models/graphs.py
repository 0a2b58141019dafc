"""More graph networks: sampled neighbours, attention, and messages along edges with features.

    N nodes   E edges   D node features   F edge features   C classes or outputs   B graphs

    GraphSAGE:  h_i <- relu(W_1 mean_j h_j + b + W_2 h_i)
    GAT:        h_i <- elu(sum_j alpha_ji W h_j), alpha_ji the attention of i to its neighbour j, several heads
    MPNN:       m_i = sum_j M(h_j, h_i, e_ji),  h_i <- h_i + U(h_i, m_i);  for nodes, edges, or whole graphs
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import Tensor, as_tensor, no_grad
from ..nn import MLP, GATConv, Linear, MessagePassing, Module, ModuleList, SAGEConv
from ..nn.graph import global_add_pool
from .classifier import cross_entropy_and_accuracy
from .gnn import NodeClassifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..nn.graph import Graph
    from ..typing import ArrayLike, DeviceLike, DTypeLike


class GraphSAGE(NodeClassifier):
    """Each node is joined with the mean of its neighbours, or of a sample of them.

    Formula: h_i <- relu(W_1 mean over edges j -> i of h_j + b + W_2 h_i), without relu in the last layer.

    Args:
        data_dim: D.
        classes: C.
        hidden: widths of the hidden layers.
        dropout: probability that an input of a layer is zero in training.
        device, dtype: of the parameters.

    Raises:
        ValueError: a size is below 1, or `dropout` is no probability.

    Source: Hamilton, Ying & Leskovec 2017, "Inductive representation learning on large graphs", algorithm 1. For
        sampled neighbours give the graph of `nn.graph.sample_neighbours`.

    Example:
        >>> import tinygrad_notes as tn
        >>> club = tn.data.karate_club()
        >>> tn.models.GraphSAGE(34, 2)(club.x, club).shape
        (34, 2)
    """

    def __init__(self, data_dim: int, classes: int, hidden: Sequence[int] = (16,), dropout: float = 0.0, *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        sizes = (data_dim, *hidden, classes)
        self.dropout = dropout
        self.layers = ModuleList([SAGEConv(n, m, device=device, dtype=dtype) for n, m in zip(sizes, sizes[1:])])


class GAT(NodeClassifier):
    """Each node attends to its neighbours and itself, with several heads.

    Formula: h_i <- elu(concat over heads of sum_j alpha_ji W h_j + b); in the last layer one head, no elu.

    Args:
        data_dim: D.
        classes: C.
        hidden: features of each head, per hidden layer.
        heads: of the hidden layers; the last layer has one.
        dropout: probability that an input of a layer is zero in training.
        device, dtype: of the parameters.

    Raises:
        ValueError: a size is below 1, or `dropout` is no probability.

    Source: Velickovic et al. 2018, "Graph attention networks"; the notes, chapter 5.

    Example:
        >>> import tinygrad_notes as tn
        >>> club = tn.data.karate_club()
        >>> tn.models.GAT(34, 2, hidden=(4,), heads=2)(club.x, club).shape
        (34, 2)
    """

    def __init__(self, data_dim: int, classes: int, hidden: Sequence[int] = (8,), heads: int = 4, dropout: float = 0.0,
                 *, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        home: Any = {"device": device, "dtype": dtype}
        sizes = [data_dim, *(heads * n for n in hidden)]
        self.dropout = dropout
        self.layers = ModuleList([*(GATConv(n, m, heads, **home) for n, m in zip(sizes, hidden)),
                                  GATConv(sizes[-1], classes, 1, **home)])

    def activate(self, h: Tensor) -> Tensor:
        """What is between two layers."""
        return ops.elu(h)


class MessageLayer(MessagePassing):
    """One round of messages that depend on both ends and on the edge.

    Formula: m_i = sum over edges j -> i of M([h_j, h_i, e_ji]), h_i <- h_i + U([h_i, m_i]); M and U are perceptrons
        with one hidden layer.

    Args:
        width: features of a node.
        edge_dim: F, features of an edge; 0: none.
        device, dtype: of the parameters.

    Source: Gilmer et al. 2017, "Neural message passing for quantum chemistry", equations 1 and 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> club = tn.data.karate_club()
        >>> tn.models.MessageLayer(4)(tn.ones((34, 4)), club).shape
        (34, 4)
    """

    def __init__(self, width: int, edge_dim: int = 0, *, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__("add")
        home: Any = {"device": device, "dtype": dtype}
        self.edge_dim = edge_dim
        self.says = MLP([2 * width + edge_dim, width, width], init="he_normal_", **home)
        self.becomes = MLP([2 * width, width, width], init="he_normal_", **home)

    def message(self, h_src, h_dst, e):
        """M([h_j, h_i, e_ji]) of each edge, (E, width)."""
        return self.says(ops.concat([h_src, h_dst, e] if self.edge_dim else [h_src, h_dst], axis=1))

    def update(self, aggregated: Tensor, h: Tensor) -> Tensor:
        """h_i + U([h_i, m_i]), (N, width)."""
        return h + self.becomes(ops.concat([h, aggregated], axis=1))


TASKS = ("node", "edge", "graph")


class MPNN(Module):
    """Rounds of messages, then an answer for each node, each edge, or each graph.

    Formula: h^0 = W x + b; `layers` rounds of `MessageLayer`; R(h_i) of a node, R([h_i + h_j, |h_i - h_j|, e_ij])
        of an edge (the same in both directions where e is), R(sum of h_i over its nodes) of a graph.

    Args:
        data_dim: D.
        out_dim: C: classes, or numbers to be predicted.
        width: features of a node inside.
        layers: rounds.
        task: 'node', 'edge' or 'graph'.
        edge_dim: F.
        regression: whether targets are numbers; the loss is then the mean squared error.
        device, dtype: of the parameters.

    Raises:
        ValueError: a size is below 1, the task is unknown; at the call: node features are missing, or edge features
            where `edge_dim` says there are some.

    Source: Gilmer et al. 2017; the notes, chapter 5; UDL 13.4 to 13.7.

    Example:
        >>> import tinygrad_notes as tn
        >>> club = tn.data.karate_club()
        >>> tn.models.MPNN(34, 2, width=8, task="edge")(club).shape
        (156, 2)
    """

    def __init__(self, data_dim: int, out_dim: int, width: int = 32, layers: int = 2, task: str = "graph",
                 edge_dim: int = 0, regression: bool = False, *, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if min(data_dim, out_dim, width, layers) < 1 or edge_dim < 0:
            raise ValueError(f"MPNN: sizes must be at least 1, got {data_dim}, {out_dim}, {width}, {layers}, "
                             f"{edge_dim}")
        if task not in TASKS:
            raise ValueError(f"task: expected one of {', '.join(TASKS)}, got {task!r}")
        home: Any = {"device": device, "dtype": dtype}
        self.task, self.edge_dim, self.regression = task, edge_dim, regression
        self.first = Linear(data_dim, width, **home)
        self.rounds = ModuleList([MessageLayer(width, edge_dim, **home) for _ in range(layers)])
        read = 2 * width + edge_dim if task == "edge" else width
        self.readout = MLP([read, width, out_dim], init="he_normal_", **home)

    def forward(self, graph: Graph) -> Tensor:
        """C numbers (for classes logits, nats) for each node, edge, or graph of a graph with features `x`: (K, C)."""
        if graph.x is None:
            raise ValueError("MPNN: the graph has no node features x")
        e = graph.edge_attr if self.edge_dim else None
        if self.edge_dim and (e is None or e.shape[1:] != (self.edge_dim,)):
            raise ValueError(f"MPNN: expected edge features ({graph.num_edges}, {self.edge_dim}), got "
                             f"{None if e is None else e.shape}")
        h = self.first(graph.x)
        for layer in self.rounds:
            h = layer.propagate(graph, h, e)
        if self.task == "graph":
            return self.readout(global_add_pool(h, graph.batch))
        if self.task == "node":
            return self.readout(h)
        a, b = ops.take(h, graph.src, axis=0), ops.take(h, graph.dst, axis=0)
        edges = [] if e is None or not self.edge_dim else [e]
        return self.readout(ops.concat([a + b, ops.abs(a - b), *edges], axis=1))

    def loss(self, graph: Graph, y: ArrayLike | None = None, rows: ArrayLike | None = None) -> dict[str, Tensor]:
        """Cross-entropy and accuracy of classes, or the mean squared error, over all answers or the `rows` of them.

        Args:
            graph: a `Graph`, or several in one.
            y: classes (K,) or numbers (K, C) of the K answers; default: `graph.y`.
            rows: which answers count.

        Returns:
            {"loss", "accuracy"}, or {"loss"}; classes in nats.
        """
        found = self(graph)
        target = graph.y if y is None else as_tensor(y, like=found)
        if target is None:
            raise ValueError("MPNN: the graph has no targets y")
        if rows is not None:
            found, target = ops.take(found, rows, axis=0), ops.take(target, rows, axis=0)
        if self.regression:
            error = found - ops.reshape(target, found.shape)
            return {"loss": ops.mean(error * error)}
        return cross_entropy_and_accuracy(found, ops.reshape(target, (found.shape[0],)))

    def predict(self, graph: Graph) -> Tensor:
        """The most probable class of each node, edge or graph (K,), or its numbers (K, C)."""
        with no_grad(), self.evaluating():
            found = self(graph)
            return found if self.regression else ops.argmax(found, axis=-1)


class OnGraph(Module):
    """A node classifier and the one graph it is trained on: its batches are numbers of nodes.

    Formula: loss = -mean over the nodes i of a batch of log softmax(f(x, A)_i)_{y_i}; all other nodes are there too.

    Args:
        model: called with node features (N, D) and a graph: `GCN`, `GraphSAGE`, `GAT`.
        graph: a `Graph` with node features `x`.

    Raises:
        ValueError: the graph has no node features.

    Source: Kipf & Welling 2017 (learning from a few labelled nodes); the notes, chapter 5.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.OnGraph(tn.models.GCN(34, 2), tn.data.karate_club())
        >>> sorted(model.loss([0, 33], [0, 1])), model.predict([5, 6]).shape
        (['accuracy', 'loss'], (2,))
    """

    def __init__(self, model: Module, graph: Graph) -> None:
        super().__init__()
        if graph.x is None:
            raise ValueError("OnGraph: the graph has no node features x")
        self.model, self.network = model, graph

    def forward(self, rows: ArrayLike | None = None) -> Tensor:
        """Scores (logits, nats) of some nodes, or all: (K,) numbers of nodes -> (K, C)."""
        x: Any = self.network.x
        like = next(self.parameters())
        scores = self.model(ops.astype(x, like.dtype), self.network)
        return scores if rows is None else ops.take(scores, as_tensor(rows, like=scores), axis=0)

    def loss(self, rows: ArrayLike, y: ArrayLike) -> dict[str, Tensor]:
        """{"loss", "accuracy"} of the nodes `rows` (K,) with classes y (K,); the loss in nats."""
        scores = self(rows)
        return cross_entropy_and_accuracy(scores, as_tensor(y, like=scores))

    def predict(self, rows: ArrayLike | None = None) -> Tensor:
        """The most probable class of some nodes, or all, (K,)."""
        with no_grad(), self.evaluating():
            return ops.argmax(self(rows), axis=-1)
