"""Graph neural networks: one that classifies nodes, one that classifies graphs, one that predicts edges.

    N nodes   D node features   C classes   B graphs

    GCN:            h^0 = x,  h^(k+1) = relu(A' h^k W^k + b^k),  p(y_i|x, A) = softmax(h^last_i)
    GIN:            h^(k+1)_i = mlp_k((1 + eps) h^k_i + sum_j h^k_j),  p(y|x, A) = softmax of the sums of all layers
    LinkPredictor:  p(edge between i and j) = sig(h_i . h_j)
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..autograd import Tensor, as_tensor, no_grad
from ..nn import MLP, GCNConv, GINConv, Linear, Module, ModuleList
from ..nn import functional as F
from ..nn.graph import global_add_pool
from .classifier import cross_entropy_and_accuracy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..nn.graph import Graph
    from ..typing import ArrayLike, DeviceLike, DTypeLike


class NodeClassifier(Module):
    """A network over the nodes of a graph; what `GCN`, `GraphSAGE` and `GAT` share. They define `layers` and `dropout`.

    Formula: loss = -mean over labelled nodes i of log softmax(f(x, A)_i)_{y_i}, in nats.

    Example:
        >>> import tinygrad_notes as tn
        >>> issubclass(tn.models.GAT, tn.models.NodeClassifier)
        True
    """

    layers: ModuleList
    dropout: float

    def activate(self, h: Tensor) -> Tensor:
        """What is between two layers."""
        return ops.relu(h)

    def forward(self, x: ArrayLike | ops.SparseMatrix, graph: Graph) -> Tensor:
        """Scores (logits, nats) of all classes for each node: (N, D), a graph of N nodes -> (N, C)."""
        h: Any = x if isinstance(x, ops.SparseMatrix) else as_tensor(x)
        for k, layer in enumerate(self.layers):
            if k:
                h = self.activate(h)
            if isinstance(h, Tensor):  # nothing is dropped from features that are sparse anyway
                h = F.dropout(h, self.dropout, self.training)
            h = layer(h, graph)
        return h

    def loss(self, x: ArrayLike, graph: Graph, y: ArrayLike, rows: ArrayLike | None = None) -> dict[str, Tensor]:
        """Cross-entropy and the share of right answers, means over the nodes `rows`, or all.

        Args:
            x: (N, D).
            graph: a `Graph` of N nodes.
            y: (N,), integers from 0 to C-1; those of other nodes are not read.
            rows: numbers of nodes.

        Returns:
            {"loss", "accuracy"}, 0-d Tensors; the loss in nats.
        """
        scores, y = self(x, graph), as_tensor(y)
        if rows is not None:
            scores, y = ops.take(scores, rows, axis=0), ops.take(y, rows, axis=0)
        return cross_entropy_and_accuracy(scores, y)

    def predict(self, x: ArrayLike, graph: Graph) -> Tensor:
        """The most probable class of each node, (N,) of int64."""
        with no_grad(), self.evaluating():
            return ops.argmax(self(x, graph), axis=-1)


class GCN(NodeClassifier):
    """Graph convolutions one after the other: for classifying nodes of which a few have labels.

    Formula: loss = -mean over labelled nodes i of log softmax(f(x, A)_i)_{y_i}, in nats.

    Args:
        data_dim: D, features per node.
        classes: C; or the width of what comes out.
        hidden: widths of the hidden layers.
        dropout: probability that an input of a layer is zero in training.
        device, dtype: of the parameters.

    Raises:
        ValueError: a size is below 1, or `dropout` is no probability.

    Source: Kipf & Welling 2017, equation 9; the notes, chapter 5.

    Example:
        >>> import tinygrad_notes as tn
        >>> club = tn.data.karate_club()
        >>> model = tn.models.GCN(34, 2, hidden=(8,))
        >>> model(club.x, club).shape
        (34, 2)
        >>> sorted(model.loss(club.x, club, club.y, tn.tensor([0, 33])))
        ['accuracy', 'loss']
    """

    def __init__(self, data_dim: int, classes: int, hidden: Sequence[int] = (16,), dropout: float = 0.0, *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        sizes = (data_dim, *hidden, classes)
        self.dropout = dropout
        self.layers = ModuleList([GCNConv(n, m, device=device, dtype=dtype) for n, m in zip(sizes, sizes[1:])])


class GIN(Module):
    """A graph isomorphism network: for classifying whole graphs, batch by batch.

    Formula: loss = -mean_k log softmax(sum over layers l of W_l (sum over nodes i of graph k of h^l_i) + b_l)_{y_k}.

    Args:
        data_dim: D, features per node.
        classes: C.
        hidden: widths of the layers; each is a network of two affine layers.
        train_eps: learn how much a node counts beside its neighbours.
        device, dtype: of the parameters.

    Raises:
        ValueError: a size is below 1.

    Source: Xu et al. 2019, equations 4.1 and 4.2; the notes, chapter 5.

    Example:
        >>> import tinygrad_notes as tn
        >>> ring = tn.nn.graph.Graph([0, 1, 2], [1, 2, 0], 3, x=tn.ones((3, 1)), y=tn.tensor(1))
        >>> tn.models.GIN(1, 2, hidden=(4, 4))(tn.nn.graph.batch_graphs([ring, ring])).shape
        (2, 2)
    """

    def __init__(self, data_dim: int, classes: int, hidden: Sequence[int] = (32, 32), train_eps: bool = True, *,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        made: Any = {"device": device, "dtype": dtype}
        sizes = (data_dim, *hidden)
        self.layers = ModuleList([GINConv(MLP([n, m, m], init="he_normal_", **made), train_eps=train_eps, **made)
                                  for n, m in zip(sizes, sizes[1:])])
        self.heads = ModuleList([Linear(n, classes, **made) for n in sizes])

    def forward(self, graph: Graph) -> Tensor:
        """Scores (logits, nats) of all classes for each graph of a batch with node features `x`: (B, C)."""
        if graph.x is None:
            raise ValueError("GIN: the graph has no node features x")
        h, scores = graph.x, self.heads[0](global_add_pool(graph.x, graph.batch))
        for layer, head in zip(self.layers, self.heads[1:]):
            h = ops.relu(layer(h, graph))
            scores = scores + head(global_add_pool(h, graph.batch))
        return scores

    def loss(self, graph: Graph, y: ArrayLike | None = None) -> dict[str, Tensor]:
        """Cross-entropy with the labels y (B,), by default `graph.y`, and the share of right answers, means over the
        graphs of a batch."""
        scores = self(graph)
        target = graph.y if y is None else as_tensor(y, like=scores)
        if target is None:
            raise ValueError("GIN: the graph has no labels y")
        return cross_entropy_and_accuracy(scores, ops.reshape(target, (scores.shape[0],)))

    def predict(self, graph: Graph) -> Tensor:
        """The most probable class of each graph, (B,) of int64."""
        with no_grad(), self.evaluating():
            return ops.argmax(self(graph), axis=-1)


class LinkPredictor(Module):
    """How likely two nodes are joined, from what an encoder finds out about each of them.

    Formula: p = sig(h_i . h_j), h = encoder(x, A); loss = -mean over pairs of t log p + (1 - t) log(1 - p), in nats.

    Args:
        encoder: a Module of (node features (N, D), graph) that returns (N, H), such as a `GCN`.

    Source: Kipf & Welling 2016, Variational Graph Auto-Encoders, equation 2; the notes, chapter 5.

    Example:
        >>> import tinygrad_notes as tn
        >>> club = tn.data.karate_club()
        >>> model = tn.models.LinkPredictor(tn.models.GCN(34, 8))
        >>> model(club.x, club, tn.tensor([0, 1]), tn.tensor([33, 2])).shape
        (2,)
    """

    def __init__(self, encoder: Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x: ArrayLike, graph: Graph, src: ArrayLike, dst: ArrayLike) -> Tensor:
        """Scores (logits, nats) of pairs src (K,), dst (K,) along the edges of a graph that may be seen: (K,)."""
        h = self.encoder(x, graph)
        return ops.sum(ops.take(h, src, axis=0) * ops.take(h, dst, axis=0), axis=-1)

    def loss(self, x: ArrayLike, graph: Graph, src: ArrayLike, dst: ArrayLike, label: ArrayLike) -> dict[str, Tensor]:
        """Cross-entropy of the answers `label` (K,), 1 for an edge and 0 for none, and the share of right ones."""
        scores = self(x, graph, src, dst)
        label = as_tensor(label, like=scores).astype(scores.dtype)
        with no_grad():
            accuracy = ops.mean(((scores > 0) == (label > 0.5)).astype(scores.dtype))
        return {"loss": F.binary_cross_entropy_with_logits(scores, label), "accuracy": accuracy}

    def predict(self, x: ArrayLike, graph: Graph, src: ArrayLike, dst: ArrayLike) -> Tensor:
        """Probabilities that the pairs src (K,), dst (K,) are joined: (K,), without recording."""
        with no_grad(), self.evaluating():
            return ops.sigmoid(self(x, graph, src, dst))
