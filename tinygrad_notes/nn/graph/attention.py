"""Graph attention: neighbours are weighed by a softmax over the edges that end at the same node.

    N nodes   E edges   H heads   C channels of a head
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...autograd import Tensor, as_tensor
from ...ops import Segments, arange, leaky_relu, mean, reshape, segment_softmax, sum, take
from .. import init
from ..functional import dropout
from ..functional.common import number
from ..linear import Linear, new_parameter, size
from .gin import edge_features
from .graph import Structure
from .loops import add_self_loops, remove_self_loops
from .message_passing import MessagePassing

if TYPE_CHECKING:
    from ...backend import Generator
    from ...typing import ArrayLike, DeviceLike, DTypeLike
    from ..parameter import Parameter
    from .graph import Graph

__all__ = ["GATConv", "GATv2Conv"]


class _Attention(MessagePassing):
    """What both kinds share: loops, edge features, the weighted sum of several heads, skip connection and offset."""

    bias: Parameter | None

    def __init__(self, in_channels, out_channels, heads, concat, negative_slope, dropout, add_self_loops, edge_dim,
                 fill_value, bias, residual, flow, device, dtype):
        super().__init__("add", flow=flow)
        self.in_channels, self.out_channels = size("in_channels", in_channels, 1), size("out_channels", out_channels, 1)
        self.heads, self.concat = size("heads", heads, 1), concat
        self.negative_slope = number("negative_slope", negative_slope)
        self.dropout = number("dropout", dropout, 0, high=1)
        self.edge_dim = None if edge_dim is None else size("edge_dim", edge_dim, 1)
        self.add_self_loops, self.fill_value = add_self_loops, fill_value
        self.made = {"device": device, "dtype": dtype}
        total = out_channels * (heads if concat else 1)
        if edge_dim is not None:
            self.lin_edge = self.linear(edge_dim)
        self.residual = residual
        if residual:
            self.res = Linear(in_channels, total, False, init="xavier_uniform_", **self.made)
        self.register_parameter("bias", new_parameter((total,), **self.made) if bias else None)

    def linear(self, channels, bias=False):
        """A map to the channels of all heads."""
        return Linear(channels, self.heads * self.out_channels, bias, init="xavier_uniform_", **self.made)

    def split(self, h):
        """(rows, H*C) -> (rows, H, C)"""
        return reshape(h, (h.shape[0], self.heads, self.out_channels))

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the parameters anew."""
        for layer in self.children():
            if isinstance(layer, Linear):
                init.xavier_uniform_(layer.weight, generator=generator)
                if layer.bias is not None:
                    init.uniform_(layer.bias, -layer.in_features**-0.5, layer.in_features**-0.5, generator)
        limit = math.sqrt(6 / (self.heads + self.out_channels))
        for name, parameter in self.named_parameters(recurse=False):
            if name == "bias":
                init.zeros_(parameter)
            else:
                init.uniform_(parameter, -limit, limit, generator)

    def edges(self, graph, x, edge_attr):
        """The graph along which to attend, with features of edges where they are used."""
        graph = self.graph_of(graph, x)
        if self.edge_dim is None:
            if edge_attr is not None:
                raise ValueError(f"{type(self).__name__}: edge_attr is given, but the layer was made without edge_dim")
            graph = graph.bare
            return graph if not self.add_self_loops else graph.known(
                "looped", lambda: add_self_loops(remove_self_loops(graph)))
        e = edge_features(self, graph, edge_attr)
        if e.shape != (graph.num_edges, self.edge_dim):
            raise ValueError(f"{type(self).__name__}: edge_attr has shape {e.shape}, expected "
                             f"{(graph.num_edges, self.edge_dim)}: num_edges, edge_dim")
        graph = graph.bare.replace(edge_attr=e)
        return add_self_loops(remove_self_loops(graph), self.fill_value) if self.add_self_loops else graph

    def finish(self, graph, logits, values, x, return_attention_weights):
        """Logits (E, H) and what nodes send (N, H, C) -> (N, H*C) or (N, C)."""
        alpha = segment_softmax(logits, graph.dst)
        if self.training and self.dropout:
            alpha = dropout(alpha, self.dropout)
        n, h, c = values.shape
        matrix = by_head(graph, h).with_values(reshape(alpha, (-1,)))
        out = reshape(matrix @ reshape(values, (n * h, c)), (n, h, c))
        out = reshape(out, (n, h * c)) if self.concat else mean(out, axis=1)
        if self.residual:
            out = out + self.res(x)
        out = out if self.bias is None else out + self.bias
        return (out, (graph, alpha)) if return_attention_weights else out

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, heads={self.heads}"


def by_head(graph: Graph, heads: int) -> Any:
    """The adjacency matrix of H copies of the graph: row i*H + h is head h of node i, entry e*H + h that of edge e."""
    if heads == 1:
        return graph.adjacency

    def make():
        head = arange(heads, device=graph.device)
        ends = (Segments(reshape(reshape(end, (-1, 1)) * heads + head, (-1,)), graph.num_nodes * heads)
                for end in (graph.src, graph.dst))
        return Structure(*ends).adjacency
    return graph.known(("heads", heads), make)


_ARGS = """
    Args:
        in_channels: size of node features.
        out_channels: size C of what a head returns.
        heads: number of heads H.
        concat: put heads side by side, else take their mean.
        negative_slope: of the leaky ReLU.
        dropout: probability of a zero among the attention weights when training.
        add_self_loops: put exactly one loop at every node, so that it attends to itself.
        edge_dim: size of edge features, where there are any.
        fill_value: edge features of the loops; see `add_self_loops`.
        bias: learn an offset.{more}
        residual: add a linear map of x.
        flow: see `MessagePassing`.
        device, dtype: of the parameters.

    Shapes: x (N, in_channels), graph of N nodes, edge_attr (E, edge_dim) -> (N, H*C), or (N, C) without `concat`;
        with `return_attention_weights=True` also (graph with loops, weights (E', H)).
"""


class GATConv(_Attention):
    """Graph attention: the mean of what neighbours send, weighted by how well they fit to the node.

    Formula: x'_i = sum over edges j -> i and j = i of alpha_ji W x_j + b, where alpha_ji is the softmax, over all edges
        that end at i, of leaky_relu(a_src . W x_j + a_dst . W x_i + a_edge . W_e e_ji); each head has its own W and a.
        In matrices, one head: X' = alpha X W^T, alpha the softmax of the rows of S where A + I is not 0.
{args}
    Attributes:
        lin.weight: (H*C, in_channels).
        att_src, att_dst: (1, H, C).
        lin_edge.weight, att_edge: (H*C, edge_dim), (1, H, C), with `edge_dim`.
        res.weight: with `residual`.
        bias: (H*C,) or (C,), or None.

    Raises:
        ValueError: a size or `heads` is not positive, or a number is out of range; at the call: shapes do not fit.

    Source: Velickovic et al. 2018, Graph Attention Networks, equations 1 to 6; the notes, chapter 5; Prince 2023,
        section 13.8.6.

    Example:
        >>> import tinygrad_notes as tn
        >>> graph = tn.nn.graph.Graph([0, 1], [1, 2], num_nodes=3)
        >>> tn.nn.GATConv(4, 5, heads=2)(tn.ones((3, 4)), graph).shape
        (3, 10)
    """

    att_src: Parameter
    att_dst: Parameter
    att_edge: Parameter
    __doc__ = (__doc__ or "").replace("{args}", _ARGS.format(more=""))

    def __init__(self, in_channels: int, out_channels: int, heads: int = 1, concat: bool = True,
                 negative_slope: float = 0.2, dropout: float = 0.0, add_self_loops: bool = True,
                 edge_dim: int | None = None, fill_value: float | Tensor | str = "mean", bias: bool = True,
                 residual: bool = False, *, flow: str = "source_to_target", device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(in_channels, out_channels, heads, concat, negative_slope, dropout, add_self_loops, edge_dim,
                         fill_value, bias, residual, flow, device, dtype)
        self.lin = self.linear(in_channels)
        for name in ("att_src", "att_dst", "att_edge")[:2 if edge_dim is None else 3]:
            self.register_parameter(name, new_parameter((1, heads, out_channels), **self.made))
        self.reset_parameters()

    def forward(self, x: ArrayLike, graph: Graph | ArrayLike, edge_attr: ArrayLike | None = None,
                return_attention_weights: bool = False) -> Any:
        x = as_tensor(x)
        along = self.edges(graph, x, edge_attr)
        h = self.split(self.lin(x))
        logits = take(sum(h * self.att_src, axis=-1), along.src, axis=0)  # (N, H) -> (E, H)
        logits = logits + take(sum(h * self.att_dst, axis=-1), along.dst, axis=0)
        if self.edge_dim is not None:
            logits = logits + sum(self.split(self.lin_edge(along.edge_attr)) * self.att_edge, axis=-1)
        return self.finish(along, leaky_relu(logits, self.negative_slope), h, x, return_attention_weights)


class GATv2Conv(_Attention):
    """Graph attention that can rank neighbours differently for every node: the nonlinearity comes before a.

    Formula: x'_i = sum over edges j -> i and j = i of alpha_ji W_l x_j + b, where alpha_ji is the softmax, over all
        edges that end at i, of a . leaky_relu(W_l x_j + W_r x_i + W_e e_ji); each head has its own W and a.
{args}
    Attributes:
        lin_l.weight, lin_l.bias: (H*C, in_channels), (H*C,): of the node where an edge begins.
        lin_r.weight, lin_r.bias: of the node where it ends; the same with `share_weights`.
        att: (1, H, C).
        lin_edge.weight: (H*C, edge_dim), with `edge_dim`.
        res.weight: with `residual`.
        bias: (H*C,) or (C,), or None.

    Raises:
        ValueError: a size or `heads` is not positive, or a number is out of range; at the call: shapes do not fit.

    Source: Brody, Alon & Yahav 2022, How Attentive are Graph Attention Networks?, equation 7.

    Example:
        >>> import tinygrad_notes as tn
        >>> graph = tn.nn.graph.Graph([0, 1], [1, 2], num_nodes=3)
        >>> tn.nn.GATv2Conv(4, 5, heads=2, concat=False)(tn.ones((3, 4)), graph).shape
        (3, 5)
    """

    att: Parameter
    __doc__ = (__doc__ or "").replace("{args}", _ARGS.format(more="\n        share_weights: W_r is W_l."))

    def __init__(self, in_channels: int, out_channels: int, heads: int = 1, concat: bool = True,
                 negative_slope: float = 0.2, dropout: float = 0.0, add_self_loops: bool = True,
                 edge_dim: int | None = None, fill_value: float | Tensor | str = "mean", bias: bool = True,
                 share_weights: bool = False, residual: bool = False, *, flow: str = "source_to_target",
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(in_channels, out_channels, heads, concat, negative_slope, dropout, add_self_loops, edge_dim,
                         fill_value, bias, residual, flow, device, dtype)
        self.share_weights = share_weights
        self.lin_l = self.linear(in_channels, bias)
        self.lin_r = self.lin_l if share_weights else self.linear(in_channels, bias)
        self.att = new_parameter((1, heads, out_channels), **self.made)
        self.reset_parameters()

    def forward(self, x: ArrayLike, graph: Graph | ArrayLike, edge_attr: ArrayLike | None = None,
                return_attention_weights: bool = False) -> Any:
        x = as_tensor(x)
        along = self.edges(graph, x, edge_attr)
        left = self.split(self.lin_l(x))
        right = left if self.share_weights else self.split(self.lin_r(x))
        both = take(left, along.src, axis=0) + take(right, along.dst, axis=0)  # (N, H, C) -> (E, H, C)
        if self.edge_dim is not None:
            both = both + self.split(self.lin_edge(along.edge_attr))
        logits = sum(leaky_relu(both, self.negative_slope) * self.att, axis=-1)
        return self.finish(along, logits, left, x, return_attention_weights)
