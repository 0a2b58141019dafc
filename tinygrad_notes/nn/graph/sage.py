"""GraphSAGE: a node and the aggregate of its neighbours, each through a linear map of its own."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ...autograd import as_tensor
from ...ops import clip, relu
from ...ops.linalg import vector_norm
from ..linear import Linear, size
from .message_passing import MessagePassing
from .recurrent import LSTMAggregation

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...autograd import Tensor
    from ...backend import Generator
    from ...typing import ArrayLike, DeviceLike, DTypeLike
    from .graph import Graph

__all__ = ["SAGEConv"]


class SAGEConv(MessagePassing):
    """GraphSAGE: a linear map of the node plus another of the mean (or other aggregate) of its neighbours.

    Formula: X' = D^(-1) A X W_l^T + b + X W_r^T; for a node, x'_i = W_l mean over edges j -> i of x_j + b + W_r x_i.
        With `project`, x_j becomes relu(W x_j + c) before it is aggregated; with `normalize`, x'_i / |x'_i|.

    Args:
        in_channels, out_channels: sizes of node features before and after.
        aggr: 'mean', 'max', 'lstm', 'add', ..., or your own; see `aggregation` and `LSTMAggregation`.
        normalize: scale each row of the result to length 1.
        root_weight: add W_r x_i.
        project: map neighbours before they are aggregated.
        bias: learn an offset b.
        flow: see `MessagePassing`.
        device, dtype: of the parameters.

    Shapes: x (N, in_channels), graph of N nodes -> (N, out_channels).

    Attributes:
        lin_l.weight, lin_l.bias: (out_channels, in_channels), (out_channels,): of neighbours.
        lin_r.weight: (out_channels, in_channels): of the node, with `root_weight`.
        lin.weight, lin.bias: with `project`.

    Raises:
        ValueError: a size is not positive, or `aggr` is unknown; at the call: shapes do not fit.

    Source: Hamilton, Ying & Leskovec 2017, Inductive Representation Learning on Large Graphs, algorithm 1, section 3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> graph = tn.nn.graph.Graph([0, 1], [1, 2], num_nodes=3)
        >>> tn.nn.SAGEConv(4, 2, aggr="max")(tn.ones((3, 4)), graph).shape
        (3, 2)
    """

    def __init__(self, in_channels: int, out_channels: int, aggr: str | Callable[..., Tensor] = "mean",
                 normalize: bool = False, root_weight: bool = True, project: bool = False, bias: bool = True, *,
                 flow: str = "source_to_target", device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        by_lstm = isinstance(aggr, str) and aggr == "lstm"
        super().__init__(LSTMAggregation(in_channels, in_channels, device=device, dtype=dtype) if by_lstm else aggr,
                         flow=flow)
        self.aggr = "lstm" if by_lstm else self.aggr
        self.in_channels, self.out_channels = size("in_channels", in_channels, 1), size("out_channels", out_channels, 1)
        self.normalize, self.root_weight, self.project = normalize, root_weight, project
        if project:
            self.lin = Linear(in_channels, in_channels, True, device, dtype)
        self.lin_l = Linear(in_channels, out_channels, bias, device, dtype)
        if root_weight:
            self.lin_r = Linear(in_channels, out_channels, False, device, dtype)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the parameters anew."""
        for layer in self.children():
            if hasattr(layer, "reset_parameters"):
                layer.reset_parameters(generator)

    def forward(self, x: ArrayLike, graph: Graph | ArrayLike) -> Tensor:  # type: ignore[override]
        x = as_tensor(x)
        graph = self.graph_of(graph, x)
        sent = relu(self.lin(x)) if self.project else x
        out = self.lin_l(self.neighbours(graph, sent))
        if self.root_weight:
            out = out + self.lin_r(x)
        return out / clip(vector_norm(out, axis=-1, keepdims=True), 1e-12) if self.normalize else out

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, aggr={self.aggr!r}"
