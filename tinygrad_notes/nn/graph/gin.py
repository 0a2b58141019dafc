"""Graph isomorphism networks: sums of neighbours, which tell apart what means and maxima cannot."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ...autograd import as_tensor
from ...ops import relu
from .. import init
from ..functional.common import number
from ..linear import Linear, new_parameter, size
from ..module import Module
from ..parameter import Buffer
from .message_passing import MessagePassing

if TYPE_CHECKING:
    from ...autograd import Tensor
    from ...backend import Generator
    from ...typing import ArrayLike, DeviceLike, DTypeLike
    from .graph import Graph

__all__ = ["GINConv", "GINEConv"]


def reset(module: Module, generator: Generator | None = None) -> None:
    """Draw the parameters of a module, or of those in it, anew."""
    for layer in [module] if hasattr(module, "reset_parameters") else module.children():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters(generator)
        else:
            reset(layer, generator)


class _Isomorphism(MessagePassing):
    """A network of (1 + eps) x plus an aggregate."""

    def __init__(self, nn, eps, train_eps, aggr, flow, device, dtype):
        super().__init__(aggr, flow=flow)
        self.nn, self.initial_eps, self.train_eps = nn, number("eps", eps), train_eps
        start = new_parameter((1,), device, dtype)
        self.eps = start if train_eps else Buffer(start)
        init.constant_(self.eps, self.initial_eps)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the parameters of `nn` anew and put eps back."""
        reset(self.nn, generator)
        init.constant_(self.eps, self.initial_eps)

    def update(self, aggregated, h):
        return self.nn(aggregated + (1 + self.eps) * h)


class GINConv(_Isomorphism):
    """Graph isomorphism convolution: a network of the node plus the sum of its neighbours.

    Formula: X' = nn((A + (1 + eps) I) X); for a node, x'_i = nn((1 + eps) x_i + sum over edges j -> i of x_j).

    Args:
        nn: a Module that maps (N, in) to (N, out), such as an `MLP`.
        eps: the value eps starts from.
        train_eps: learn eps.
        aggr: see `aggregation`; only 'add' tells all multisets apart.
        flow: see `MessagePassing`.
        device, dtype: of eps.

    Shapes: x (N, in), graph of N nodes -> (N, out).

    Attributes:
        nn: the network.
        eps: (1,), a parameter or a buffer.

    Raises:
        ValueError: `eps` is not finite, or `aggr` is unknown; at the call: shapes do not fit.

    Source: Xu et al. 2019, How Powerful are Graph Neural Networks?, equation 4.1; the notes, chapter 5.

    Example:
        >>> import tinygrad_notes as tn
        >>> graph = tn.nn.graph.Graph([0, 1, 2], [1, 2, 1], num_nodes=3)
        >>> tn.nn.GINConv(tn.nn.Identity())(tn.tensor([[1.0], [2.0], [4.0]]), graph)
        tensor([[1.],
                [7.],
                [6.]])
    """

    def __init__(self, nn: Module, eps: float = 0.0, train_eps: bool = False, *, aggr: str = "add",
                 flow: str = "source_to_target", device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(nn, eps, train_eps, aggr, flow, device, dtype)

    def forward(self, x: ArrayLike, graph: Graph | ArrayLike) -> Tensor:  # type: ignore[override]
        x = as_tensor(x)
        return self.update(self.neighbours(self.graph_of(graph, x), x), x)


class GINEConv(_Isomorphism):
    """Graph isomorphism convolution with features of edges.

    Formula: x'_i = nn((1 + eps) x_i + sum over edges j -> i of relu(x_j + e_ji)); with `edge_dim`, e_ji goes through a
        linear map first.

    Args:
        nn: a Module that maps (N, in) to (N, out), such as an `MLP`.
        eps: the value eps starts from.
        train_eps: learn eps.
        edge_dim: size of edge features, where it differs from that of nodes.
        in_channels: size of node features, needed with `edge_dim` where `nn` does not begin with a linear layer.
        aggr, flow: see `MessagePassing`.
        device, dtype: of eps and the linear map.

    Shapes: x (N, in), graph of N nodes, edge_attr (E, in) or (E, edge_dim) -> (N, out).

    Attributes:
        nn: the network.
        eps: (1,), a parameter or a buffer.
        lin.weight, lin.bias: (in, edge_dim), (in,), with `edge_dim`.

    Raises:
        ValueError: a size is not positive or cannot be told from `nn`; at the call: edge features are missing, or
            shapes do not fit.

    Source: Hu et al. 2020, Strategies for Pre-training Graph Neural Networks, section 5.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> graph = tn.nn.graph.Graph([0, 1], [1, 0], num_nodes=2, edge_attr=tn.tensor([[0.5], [-9.0]]))
        >>> tn.nn.GINEConv(tn.nn.Identity())(tn.tensor([[1.0], [2.0]]), graph)
        tensor([[1.0000],
                [3.5000]])
    """

    def __init__(self, nn: Module, eps: float = 0.0, train_eps: bool = False, edge_dim: int | None = None, *,
                 in_channels: int | None = None, aggr: str = "add", flow: str = "source_to_target",
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(nn, eps, train_eps, aggr, flow, device, dtype)
        self.edge_dim = None if edge_dim is None else size("edge_dim", edge_dim, 1)
        if edge_dim is not None:
            if in_channels is None:
                first = next((m for m in nn.modules() if isinstance(m, Linear)), None)
                if first is None:
                    raise ValueError("in_channels: cannot be told from nn, which has no Linear layer; expected an int")
                in_channels = first.in_features
            self.lin = Linear(edge_dim, size("in_channels", in_channels, 1), True, device, dtype)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the parameters anew and put eps back."""
        super().reset_parameters(generator)
        if self.edge_dim is not None:
            self.lin.reset_parameters(generator)

    def forward(self, x: ArrayLike, graph: Graph | ArrayLike, edge_attr: ArrayLike | None = None) -> Tensor:
        x = as_tensor(x)
        graph = self.graph_of(graph, x)
        e = edge_features(self, graph, edge_attr)
        if self.edge_dim is not None:
            e = self.lin(e)
        if e.shape[1:] != x.shape[1:]:
            raise ValueError(f"GINEConv: edge features of size {e.shape[1:]} do not add to node features of size "
                             f"{x.shape[1:]}; make the layer with edge_dim={e.shape[-1]}")
        return self.propagate(graph, x, e)

    def message(self, h_src, e):
        return relu(h_src + e)


def edge_features(layer: Module, graph: Graph, edge_attr: ArrayLike | None) -> Tensor:
    """Edge features (E, D): as given, else those of the graph.

    Raises:
        ValueError: there are none, or their number is not that of edges.
    """
    given = graph.edge_attr if edge_attr is None else edge_attr
    name = type(layer).__name__
    if given is None:
        raise ValueError(f"{name}: edge_attr is missing, both among the arguments and from the graph")
    e = as_tensor(given, like=graph.src)
    if e.ndim == 0 or e.shape[0] != graph.num_edges:
        raise ValueError(f"{name}: edge_attr has shape {e.shape}, expected {graph.num_edges} rows: one per edge")
    return e.reshape((e.shape[0], 1)) if e.ndim == 1 else e
