"""The plain graph layer of the notes, in all its variants: how neighbours and the node itself come together."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ...autograd import as_tensor
from ...backend.names import unknown
from ...ops import concat, linear
from ..functional.common import number
from ..init import constant_
from ..linear import Linear, new_parameter, size
from ..parameter import Parameter
from .aggregate import AGGREGATIONS
from .gcn import normalized
from .gin import reset
from .message_passing import MessagePassing

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...autograd import Tensor
    from ...backend import Generator
    from ...typing import ArrayLike, DeviceLike, DTypeLike
    from .graph import Graph

__all__ = ["GraphConv"]

ROOTS = ("separate", "shared", "concat", "none")
LINEAR = ("add", "sum", "mean", "kipf")  # these aggregates and a linear map may change places


class GraphConv(MessagePassing):
    """A linear map of the aggregate of neighbours, and in one of several ways of the node itself.

    Formula, with N_i the aggregate of edge_weight x_j over edges j -> i, rows of A X for 'add':
        root='separate': X' = A X W^T + b + X R^T (other maps for neighbours and node; PyTorch Geometric's GraphConv)
        root='shared':   X' = (A + (1 + eps) I) X W^T + b (one map for both)
        root='concat':   X' = [A X W^T + b, X] (a residual connection beside)
        root='none':     X' = A X W^T + b
        For a node: x'_i = W N_i + b + R x_i, and so on.
        aggr='mean' turns A into D^(-1) A, aggr='kipf' into D^(-1/2) A D^(-1/2) with degrees without loops, aggr='max'
        takes the largest element instead of a sum.

    Args:
        in_channels, out_channels: sizes of node features before and after; with 'concat' in_channels more come out.
        aggr: 'add', 'mean', 'kipf', 'max', ..., or your own; see `aggregation`.
        bias: learn an offset b.
        root: 'separate', 'shared', 'concat' or 'none', see above.
        eps: how much more than its neighbours the node itself counts, with root='shared'.
        train_eps: learn eps.
        flow: see `MessagePassing`.
        device, dtype: of the parameters.

    Shapes: x (N, in_channels), graph of N nodes, edge_weight (E,) -> (N, out_channels).

    Attributes:
        lin_rel.weight, lin_rel.bias: (out_channels, in_channels), (out_channels,): W, b.
        lin_root.weight: (out_channels, in_channels): R, with root='separate'.
        eps: (), with `train_eps` a parameter.

    Raises:
        ValueError: a size is not positive, or `aggr` or `root` is unknown; at the call: shapes do not fit.

    Source: the notes, chapter 5; Prince 2023, section 13.8; Morris et al. 2019 (separate).

    Example:
        >>> import tinygrad_notes as tn
        >>> graph = tn.nn.graph.Graph([0, 1], [1, 2], num_nodes=3)
        >>> tn.nn.GraphConv(4, 2, aggr="mean", root="concat")(tn.ones((3, 4)), graph).shape
        (3, 6)
    """

    def __init__(self, in_channels: int, out_channels: int, aggr: str | Callable[..., Tensor] = "add",
                 bias: bool = True, *, root: str = "separate", eps: float = 0.0, train_eps: bool = False,
                 flow: str = "source_to_target", device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        if isinstance(aggr, str) and aggr not in (names := {*AGGREGATIONS, "kipf"}):
            raise ValueError(unknown("aggr", aggr, names))
        super().__init__("add" if aggr == "kipf" else aggr, flow=flow)
        self.aggr = "kipf" if aggr == "kipf" else self.aggr
        self.in_channels, self.out_channels = size("in_channels", in_channels, 1), size("out_channels", out_channels, 1)
        if root not in ROOTS:
            raise ValueError(unknown("root", str(root), ROOTS))
        if root != "shared" and (eps or train_eps):
            raise ValueError(f"eps: only root='shared' has it, got root={root!r}")
        self.root, self.initial_eps = root, number("eps", eps)
        self.lin_rel = Linear(in_channels, out_channels, bias, device, dtype)
        if root == "separate":
            self.lin_root = Linear(in_channels, out_channels, False, device, dtype)
        self.eps = constant_(new_parameter((), device, dtype), self.initial_eps) if train_eps else self.initial_eps

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the parameters anew and put eps back."""
        reset(self.lin_rel, generator)
        if self.root == "separate":
            reset(self.lin_root, generator)
        if isinstance(self.eps, Parameter):
            constant_(self.eps, self.initial_eps)

    def forward(self, x: ArrayLike, graph: Graph | ArrayLike, edge_weight: ArrayLike | None = None) -> Tensor:
        x = as_tensor(x)
        graph = self.graph_of(graph, x)
        weight = graph.edge_weight if edge_weight is None else as_tensor(edge_weight, like=graph.src)
        if self.root == "shared":
            return self.lin_rel(self.neighbours(graph, x, weight) + (1 + self.eps) * x)
        out = self._mapped(graph, x, weight)
        if self.root == "separate":
            return out + self.lin_root(x)
        return concat([out, x], axis=-1) if self.root == "concat" else out

    def neighbours(self, graph: Graph, h: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        """The aggregate of what neighbours hold."""
        if self.aggr == "kipf":
            return normalized(graph, edge_weight, False, False, h.dtype) @ h
        return super().neighbours(graph, h, edge_weight)

    def _mapped(self, graph, x, weight):
        """W N_i + b; for sums the map comes first where that makes rows shorter."""
        if self.aggr in LINEAR and self.out_channels < self.in_channels:
            out = self.neighbours(graph, linear(x, self.lin_rel.weight), weight)
            return out if self.lin_rel.bias is None else out + self.lin_rel.bias
        return self.lin_rel(self.neighbours(graph, x, weight))

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, aggr={self.aggr!r}, root={self.root!r}"
