"""Message passing: nodes learn from their neighbours. Gather, message, aggregate, update: the whole of it is here."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...autograd import Tensor, as_tensor
from ...ops import take
from ..module import Module
from .aggregate import aggregate_neighbours, aggregation
from .graph import Graph

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...typing import ArrayLike

__all__ = ["MessagePassing"]

FLOWS = ("source_to_target", "target_to_source")
READS = ("h_src", "h_dst", "e")  # what `message` may name among its parameters


class MessagePassing(Module):
    """Base of graph layers: a message per edge, one aggregate of them per node, and an update of the node.

    Formula: h'_i = update(aggregate of message(h_j, h_i, e_ji) over all edges j -> i, h_i).

    Define `message`, and `update` where wanted. The parameters of `message` say what it reads, and only that is
    gathered: `h_src` (E, ...), the features of the nodes where edges begin; `h_dst` (E, ...), of those where they
    end; `e` (E, ...), the features of the edges.

    Args:
        aggr: 'add', 'mean', 'max', 'min', 'mul', 'std', 'softmax', or a function or Module of (messages, ids, n); see
            `aggregation`.
        flow: 'source_to_target', or 'target_to_source' to send messages against the direction of edges.

    Raises:
        ValueError: `aggr` or `flow` is unknown; at the call: node features do not have one row per node.
        TypeError: `message` reads something else.

    Source: Gilmer et al. 2017, Neural Message Passing for Quantum Chemistry, equations 1 and 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> class Difference(tn.nn.MessagePassing):
        ...     def message(self, h_src, h_dst):
        ...         return h_src - h_dst
        >>> graph = tn.nn.graph.Graph([0, 1, 2], [1, 2, 1], num_nodes=4)
        >>> Difference()(tn.tensor([[1.0], [2.0], [5.0], [0.0]]), graph)
        tensor([[ 0.],
                [ 2.],
                [-3.],
                [ 0.]])
    """

    _reads: tuple[str, ...] = ("h_src",)

    def __init__(self, aggr: str | Callable[..., Tensor] = "add", *, flow: str = "source_to_target") -> None:
        super().__init__()
        if flow not in FLOWS:
            raise ValueError(f"flow: expected {' or '.join(map(repr, FLOWS))}, got {flow!r}")
        self.aggr_module = aggregation(aggr)
        self.aggr = aggr if isinstance(aggr, str) else getattr(aggr, "__name__", type(aggr).__name__)
        self.flow = flow

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        code = cls.message.__code__
        cls._reads = code.co_varnames[1:code.co_argcount]
        for name in cls._reads:
            if name not in READS:
                raise TypeError(f"{cls.__name__}.message reads {name!r}, but may read {', '.join(READS)}")

    def forward(self, x: ArrayLike, graph: Graph | ArrayLike, edge_attr: ArrayLike | None = None) -> Tensor:
        """New features of all nodes: x (N, ...), a `Graph` of N nodes or edges (2, E), edge features (E, ...)."""
        x = as_tensor(x)
        graph = self.graph_of(graph, x)
        return self.propagate(graph, x, graph.edge_attr if edge_attr is None else edge_attr)

    def propagate(self, graph: Graph, h: Tensor, e: Any = None) -> Tensor:
        """Gather, message, aggregate, update, along a graph that `graph_of` returned."""
        gather = {"h_src": lambda: take(h, graph.src, axis=0), "h_dst": lambda: take(h, graph.dst, axis=0),
                  "e": lambda: e}
        messages = self.message(*[gather[name]() for name in self._reads])
        return self.update(self.aggregate(messages, graph.dst, graph.num_nodes), h)

    def message(self, h_src):
        """What an edge brings: here, the features of the node where it begins."""
        return h_src

    def aggregate(self, messages: Tensor, ids: Tensor, num_nodes: int) -> Tensor:
        """Messages (E, ...) as one row per node (N, ...); edge e ends at node ids[e]."""
        return self.aggr_module(messages, ids, num_nodes)

    def update(self, aggregated: Tensor, h: Tensor) -> Tensor:
        """What becomes of a node: here, the aggregate alone."""
        return aggregated

    def neighbours(self, graph: Graph, h: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        """What `propagate` does where a message is h_src or its multiple, without an array of messages where it can."""
        return aggregate_neighbours(graph, h, self.aggr_module, edge_weight)

    def graph_of(self, graph: Graph | ArrayLike, x: Tensor) -> Graph:
        """The `Graph` along whose edges messages go, for node features x (N, ...).

        Raises:
            ValueError: the graph has another number of nodes.
        """
        if x.ndim < 2:
            raise ValueError(f"{type(self).__name__}: x has shape {x.shape}, expected (N, features): one row per node")
        found = Graph.of(graph, x.shape[0])
        return found if self.flow == "source_to_target" else found.reverse
