"""Graph convolution with symmetric normalization."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...autograd import Tensor, as_tensor
from ...ops import SparseMatrix, segment_sum, take, where
from .. import init
from ..linear import Linear, new_parameter, size
from .loops import add_remaining_self_loops
from .message_passing import MessagePassing

if TYPE_CHECKING:
    from ...backend import Generator
    from ...typing import ArrayLike, DeviceLike, DTypeLike
    from ..parameter import Parameter
    from .graph import Graph

__all__ = ["GCNConv", "gcn_norm"]


def gcn_norm(graph: Graph, edge_weight: Tensor | None = None, improved: bool = False, add_self_loops: bool = True, *,
             dtype: DTypeLike | None = None) -> Graph:
    """The graph with self-loops, its weights divided by the roots of the degrees at both ends.

    Formula: A' = D^(-1/2) (A + I) D^(-1/2), where D_ii = sum of the weights of the edges that end at i, loops included.

    Args:
        graph: a `Graph`.
        edge_weight: (E,), with gradient; default: those of the graph, else ones.
        improved: loops weigh 2 instead of 1: A + 2I.
        add_self_loops: whether nodes without a loop get one.
        dtype: of the weights where there are none; default float32.

    Returns:
        A `Graph` whose `edge_weight` is normalized. A node of degree 0 has weights 0.

    Raises:
        ValueError: `edge_weight` is not (E,).

    Source: Kipf & Welling 2017, Semi-Supervised Classification with Graph Convolutional Networks, equation 2.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.graph.gcn_norm(tn.nn.graph.Graph([0, 1], [1, 0], num_nodes=2)).edge_weight
        tensor([0.5000, 0.5000, 0.5000, 0.5000])
    """
    if edge_weight is not None:
        graph = graph.replace(edge_weight=edge_weight)
    graph = graph.replace(edge_weight=graph.weights(dtype if graph.edge_weight is None else None))
    if add_self_loops:
        graph = add_remaining_self_loops(graph, 2.0 if improved else 1.0)
    w = graph.weights()
    degree = segment_sum(w, graph.dst)
    root = where(degree > 0, where(degree > 0, degree, 1.0) ** -0.5, 0.0)
    return graph.replace(edge_weight=take(root, graph.src, axis=0) * w * take(root, graph.dst, axis=0))


def normalized(graph: Graph, edge_weight: Tensor | None, improved: bool, add_self_loops: bool,
               dtype: DTypeLike) -> SparseMatrix:
    """The normalized adjacency matrix; kept with the graph where its weights are all ones."""
    def make():
        normal = gcn_norm(graph, edge_weight, improved, add_self_loops, dtype=dtype)
        return normal.adjacency.with_values(normal.edge_weight.astype(dtype))
    if edge_weight is None and graph.edge_weight is None:
        graph = graph.bare
        return graph.known(("gcn", improved, add_self_loops, dtype), make)
    return make()


class GCNConv(MessagePassing):
    """Graph convolution: the mean of a node and its neighbours, weighted by their degrees, then a linear map.

    Formula: X' = D^(-1/2) (A + I) D^(-1/2) X W^T + b, with D the degrees of A + I; for a node,
        x'_i = W sum over edges j -> i and j = i of e_ji / sqrt(d_j d_i) x_j + b, with d_i = 1 + sum_j e_ji.

    Args:
        in_channels, out_channels: sizes of node features before and after.
        improved: A + 2I instead of A + I.
        cached: keep the normalized matrix of the first call for all later ones, whatever their graph.
        add_self_loops: whether nodes get loops; default: as `normalize`.
        normalize: divide by the degrees; without, A is used as it is.
        bias: learn an offset b.
        flow: see `MessagePassing`.
        device, dtype: of the parameters.

    Shapes: x (N, in_channels), graph of N nodes, edge_weight (E,) -> (N, out_channels). Where most features are zero,
        as in a bag of words, x may be a `SparseMatrix`.

    Attributes:
        lin.weight: (out_channels, in_channels).
        bias: (out_channels,), or None.

    Raises:
        ValueError: a size is not positive, or loops are wanted without `normalize`; at the call: shapes do not fit.

    Source: Kipf & Welling 2017, equation 2; the notes, chapter 5; Prince 2023, section 13.8.4.

    Example:
        >>> import tinygrad_notes as tn
        >>> graph = tn.nn.graph.Graph([0, 1, 1, 2], [1, 0, 2, 1], num_nodes=3)
        >>> tn.nn.GCNConv(4, 2)(tn.ones((3, 4)), graph).shape
        (3, 2)
    """

    bias: Parameter | None

    def __init__(self, in_channels: int, out_channels: int, improved: bool = False, cached: bool = False,
                 add_self_loops: bool | None = None, normalize: bool = True, bias: bool = True, *,
                 flow: str = "source_to_target", device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__("add", flow=flow)
        self.in_channels, self.out_channels = size("in_channels", in_channels, 1), size("out_channels", out_channels, 1)
        self.add_self_loops = normalize if add_self_loops is None else add_self_loops
        if self.add_self_loops and not normalize:
            raise ValueError("add_self_loops: loops are added where weights are normalized; expected normalize=True, "
                             "or use nn.graph.add_self_loops")
        self.improved, self.cached, self.normalize = improved, cached, normalize
        self._matrix: SparseMatrix | None = None
        self.lin = Linear(in_channels, out_channels, False, device, dtype, init="xavier_uniform_")
        self.register_parameter("bias", new_parameter((out_channels,), device, dtype) if bias else None)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the parameters anew, and forget what was cached."""
        self._matrix = None
        init.xavier_uniform_(self.lin.weight, generator=generator)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, x: ArrayLike | SparseMatrix, graph: Graph | ArrayLike,
                edge_weight: ArrayLike | None = None) -> Tensor:
        given: Any = x if isinstance(x, SparseMatrix) else as_tensor(x)
        matrix = self._matrix
        if matrix is None:
            matrix = self._matrix_of(self.graph_of(graph, given), edge_weight, given.dtype)
            if self.cached:
                self._matrix = matrix
        out = matrix @ (self.lin(given) if isinstance(given, Tensor) else given @ self.lin.weight.T)
        return out if self.bias is None else out + self.bias

    def _matrix_of(self, graph, edge_weight, dtype):
        if edge_weight is not None:
            edge_weight = as_tensor(edge_weight, like=graph.src)
        if self.normalize:
            return normalized(graph, edge_weight, self.improved, self.add_self_loops, dtype)
        weight = graph.edge_weight if edge_weight is None else edge_weight
        return graph.adjacency if weight is None else graph.adjacency.with_values(weight)

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}"
