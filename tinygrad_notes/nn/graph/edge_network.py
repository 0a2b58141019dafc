"""Layers whose messages are made by a network: of the features of the edge, or of both of its ends."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ...autograd import as_tensor
from ...ops import concat, matmul, reshape
from .. import init
from ..linear import Linear, new_parameter, size
from .gin import edge_features, reset
from .message_passing import MessagePassing

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...autograd import Tensor
    from ...backend import Generator
    from ...typing import ArrayLike, DeviceLike, DTypeLike
    from ..module import Module
    from ..parameter import Parameter
    from .graph import Graph

__all__ = ["EdgeConv", "NNConv"]


class NNConv(MessagePassing):
    """Edge-conditioned convolution: a network turns the features of each edge into the matrix of its message.

    Formula: x'_i = W x_i + sum over edges j -> i of x_j nn(e_ji) + b, where nn(e_ji) is a matrix
        (in_channels, out_channels).

    Args:
        in_channels, out_channels: sizes of node features before and after.
        nn: a Module that maps edge features (E, D) to (E, in_channels * out_channels).
        aggr: 'add', 'mean', 'max', ..., or your own; see `aggregation`.
        root_weight: add W x_i.
        bias: learn an offset b.
        flow: see `MessagePassing`.
        device, dtype: of the parameters.

    Shapes: x (N, in_channels), graph of N nodes, edge_attr (E, D) -> (N, out_channels).

    Attributes:
        nn: the network.
        lin.weight: (out_channels, in_channels), with `root_weight`.
        bias: (out_channels,), or None.

    Raises:
        ValueError: a size is not positive; at the call: edge features are missing, or shapes do not fit.

    Source: Gilmer et al. 2017, Neural Message Passing for Quantum Chemistry, section 5; Simonovsky & Komodakis 2017.

    Example:
        >>> import tinygrad_notes as tn
        >>> graph = tn.nn.graph.Graph([0, 1], [1, 0], num_nodes=2, edge_attr=tn.ones((2, 3)))
        >>> tn.nn.NNConv(4, 2, tn.nn.Linear(3, 8))(tn.ones((2, 4)), graph).shape
        (2, 2)
    """

    bias: Parameter | None

    def __init__(self, in_channels: int, out_channels: int, nn: Module, aggr: str | Callable[..., Tensor] = "add",
                 root_weight: bool = True, bias: bool = True, *, flow: str = "source_to_target",
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(aggr, flow=flow)
        self.in_channels, self.out_channels = size("in_channels", in_channels, 1), size("out_channels", out_channels, 1)
        self.nn, self.root_weight = nn, root_weight
        if root_weight:
            self.lin = Linear(in_channels, out_channels, False, device, dtype)
        self.register_parameter("bias", new_parameter((out_channels,), device, dtype) if bias else None)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the parameters anew, those of `nn` too."""
        reset(self.nn, generator)
        if self.root_weight:
            self.lin.reset_parameters(generator)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, x: ArrayLike, graph: Graph | ArrayLike, edge_attr: ArrayLike | None = None) -> Tensor:
        x = as_tensor(x)
        graph = self.graph_of(graph, x)
        return self.propagate(graph, x, edge_features(self, graph, edge_attr))

    def message(self, h_src, e):
        matrices = self.nn(e)
        if matrices.shape != (e.shape[0], self.in_channels * self.out_channels):
            raise ValueError(f"NNConv: nn returned shape {matrices.shape} for edge features {e.shape}, expected "
                             f"{(e.shape[0], self.in_channels * self.out_channels)}: E, in_channels * out_channels")
        matrices = reshape(matrices, (-1, self.in_channels, self.out_channels))  # (E, I*O) -> (E, I, O)
        rows = reshape(h_src, (h_src.shape[0], 1, h_src.shape[1]))  # (E, I) -> (E, 1, I)
        return reshape(matmul(rows, matrices), (h_src.shape[0], self.out_channels))  # (E, 1, O) -> (E, O)

    def update(self, aggregated, h):
        out = aggregated + self.lin(h) if self.root_weight else aggregated
        return out if self.bias is None else out + self.bias

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, aggr={self.aggr!r}"


class EdgeConv(MessagePassing):
    """Edge convolution: a network of a node and what sets its neighbour apart from it.

    Formula: x'_i = max (or other aggregate) over edges j -> i of nn([x_i, x_j - x_i]).

    Args:
        nn: a Module that maps (E, 2 in) to (E, out).
        aggr: 'max', 'add', 'mean', ..., or your own; see `aggregation`.
        flow: see `MessagePassing`.

    Shapes: x (N, in), graph of N nodes -> (N, out).

    Attributes:
        nn: the network.

    Raises:
        ValueError: `aggr` is unknown; at the call: shapes do not fit.

    Source: Wang et al. 2019, Dynamic Graph CNN for Learning on Point Clouds, equation 7.

    Example:
        >>> import tinygrad_notes as tn
        >>> graph = tn.nn.graph.Graph([0, 1], [1, 0], num_nodes=2)
        >>> tn.nn.EdgeConv(tn.nn.Linear(8, 2))(tn.ones((2, 4)), graph).shape
        (2, 2)
    """

    def __init__(self, nn: Module, aggr: str | Callable[..., Tensor] = "max", *,
                 flow: str = "source_to_target") -> None:
        super().__init__(aggr, flow=flow)
        self.nn = nn

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the parameters of `nn` anew."""
        reset(self.nn, generator)

    def forward(self, x: ArrayLike, graph: Graph | ArrayLike) -> Tensor:  # type: ignore[override]
        x = as_tensor(x)
        return self.propagate(self.graph_of(graph, x), x)

    def message(self, h_src, h_dst):
        return self.nn(concat([h_dst, h_src - h_dst], axis=-1))
