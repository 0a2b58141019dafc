"""A graph as a value: its edges, how many nodes it has, and what is known of nodes and edges."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...autograd import Tensor, as_tensor
from ...backend import as_device, to_dtype
from ...ops import Segments, SparseMatrix, ones, stack
from ...ops.segment_ids import check_ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...typing import ArrayLike, DeviceLike, DTypeLike

__all__ = ["Graph"]

NODE, EDGE = "num_nodes", "num_edges"
FEATURES = {"x": NODE, "edge_attr": EDGE, "edge_weight": EDGE, "y": None, "batch": NODE}


class Structure:
    """The edges and the number of nodes, and all that was ever computed of them alone."""

    __slots__ = ("src", "dst", "adjacency", "known")
    never_changes = True

    def __init__(self, src, dst, adjacency=None):
        self.src, self.dst = src, dst
        self.adjacency = adjacency or SparseMatrix(dst, src)
        self.known = {}


class Graph:
    """A directed graph that never changes; an undirected one has each of its edges in both directions.

    Formula: edge e goes from node src[e] to node dst[e]; nodes are 0, ..., num_nodes - 1.

    A node may have no edge, there may be loops, and the same edge may stand there twice. What is computed of the edges
    (their order, degrees, sparse matrices) is kept with them and shared by all graphs made of this one by `replace`.

    Args:
        src: integers (E,), the nodes where edges begin.
        dst: integers (E,), the nodes where they end.
        num_nodes: the number of nodes N; it cannot be seen in the edges, since the last nodes may have none.
        x: node features (N, ...).
        edge_attr: edge features (E, ...).
        edge_weight: weights of edges, floating (E,).
        y: targets: of nodes (N, ...), or of the whole graph.
        batch: for several graphs in one, the number of the graph of each node: a `Segments` (N,); see `batch_graphs`.
        device: where it lives; default: where `src` is.

    Attributes:
        src, dst: `Segments` (E,): integer Tensors that remember how they are sorted.
        num_nodes, num_edges: N and E.
        x, edge_attr, edge_weight, y, batch: as given, or None.

    Raises:
        TypeError: `num_nodes` is missing, or no int.
        IndexError: an edge begins or ends at a node that does not exist; the message names edge, value and limit.
        ValueError: `src` and `dst` differ in length, or features do not have one row per node or edge.

    Source: the notes, chapter 5; Prince 2023, Understanding Deep Learning, section 13.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> graph = tn.nn.graph.Graph([0, 1, 1, 2], [1, 0, 2, 1], num_nodes=4)
        >>> graph
        Graph(num_nodes=4, num_edges=4)
        >>> graph.in_degree
        tensor([1, 2, 1, 0])
    """

    __slots__ = ("_structure", *FEATURES)
    _structure: Structure
    x: Tensor | None
    edge_attr: Tensor | None
    edge_weight: Tensor | None
    y: Tensor | None
    batch: Segments | None

    def __init__(self, src: ArrayLike, dst: ArrayLike, num_nodes: int | None = None, *, x: ArrayLike | None = None,
                 edge_attr: ArrayLike | None = None, edge_weight: ArrayLike | None = None, y: ArrayLike | None = None,
                 batch: Segments | None = None, device: DeviceLike | None = None) -> None:
        n = _count(num_nodes)
        start, end = _ends("src", src, n, device), _ends("dst", dst, n, device)
        if start.shape != end.shape:
            raise ValueError(f"Graph: src and dst differ in length, {start.shape[0]} and {end.shape[0]}")
        if batch is not None and not isinstance(batch, Segments):
            raise TypeError(f"Graph: batch: expected a Segments, which knows the number of graphs, got {batch!r}")
        self._fill(Structure(start, end), {"x": x, "edge_attr": edge_attr, "edge_weight": edge_weight, "y": y,
                                         "batch": batch})

    def _fill(self, structure, features):
        object.__setattr__(self, "_structure", structure)
        for name, axis in FEATURES.items():
            value = features.get(name)
            if value is not None:
                value = as_tensor(value, like=structure.src)
                if value.device.name != self.device.name:
                    raise TypeError(f"Graph: {name} lives on {value.device}, the edges on {self.device}; move it with "
                                    ".to()")
                rows = getattr(self, axis) if axis else None
                if axis and value.shape[:1] != (rows,):
                    raise ValueError(f"Graph: {name} has shape {value.shape}, expected {rows} rows: one per "
                                     f"{axis[4:-1]} ({axis}={rows})")
            object.__setattr__(self, name, value)
        if self.edge_weight is not None and (self.edge_weight.ndim != 1 or self.edge_weight.dtype.kind != "f"):
            raise ValueError(f"Graph: edge_weight: expected floating ({self.num_edges},), got {self.edge_weight.dtype} "
                             f"{self.edge_weight.shape}")
        return self

    @staticmethod
    def collate(graphs: list[Graph]) -> Graph:
        """How a `DataLoader` joins graphs: `batch_graphs`."""
        from .batch import batch_graphs
        return batch_graphs(graphs)

    @classmethod
    def of(cls, edges: Graph | ArrayLike, num_nodes: int) -> Graph:
        """A Graph as it is, or one of edges (2, E), sources above targets, between `num_nodes` nodes.

        Raises:
            ValueError: the Graph has another number of nodes, or `edges` another shape.
        """
        if isinstance(edges, Graph):
            if edges.num_nodes != num_nodes:
                raise ValueError(f"graph: it has {edges.num_nodes} nodes, but there are {num_nodes} rows of node "
                                 "features")
            return edges
        ends = as_tensor(edges)
        if ends.ndim != 2 or ends.shape[0] != 2:
            raise ValueError(f"graph: expected a Graph, or integers (2, E), got shape {ends.shape}")
        return cls(ends[0], ends[1], num_nodes)

    def __setattr__(self, name, value):
        raise AttributeError(f"Graph.{name}: a graph never changes; make another with graph.replace({name}=...)")

    def __delattr__(self, name):
        raise AttributeError(f"Graph.{name}: a graph never changes; make another with graph.replace({name}=None)")

    # What it is -----------------------------------------------------------------------
    @property
    def src(self) -> Segments:
        """Where edges begin."""
        return self._structure.src

    @property
    def dst(self) -> Segments:
        """Where edges end."""
        return self._structure.dst

    @property
    def num_nodes(self) -> int:
        """The number of nodes N."""
        return self._structure.dst.num_segments

    @property
    def num_edges(self) -> int:
        """The number of edges E; an undirected graph counts each of its own twice."""
        return self._structure.dst.shape[0]

    @property
    def num_graphs(self) -> int:
        """How many graphs it is made of: 1, unless it has a `batch`."""
        return 1 if self.batch is None else self.batch.num_segments

    @property
    def device(self):
        """Where it lives."""
        return self._structure.src.device

    @property
    def edge_index(self) -> Tensor:
        """The edges as integers (2, E): sources above targets."""
        return stack([self.src, self.dst])

    @property
    def in_degree(self) -> Tensor:
        """How many edges end at each node, int64 (N,)."""
        return self.dst.counts

    @property
    def out_degree(self) -> Tensor:
        """How many edges begin at each node, int64 (N,)."""
        return self.src.counts

    @property
    def adjacency(self) -> SparseMatrix:
        """The matrix of ones whose product with node features adds up, for each node, those of its sources."""
        return self._structure.adjacency

    @property
    def reverse(self) -> Graph:
        """The graph with every edge turned round, and the same features."""
        turned = self.known("reverse", lambda: Structure(self.dst, self.src, self.adjacency.T))
        return object.__new__(type(self))._fill(turned, self.features)

    @property
    def bare(self) -> Graph:
        """The same nodes and edges without any features."""
        return object.__new__(type(self))._fill(self._structure, {})

    @property
    def features(self) -> dict[str, Tensor | None]:
        """Node and edge features, targets and batch by name."""
        return {name: getattr(self, name) for name in FEATURES}

    # What is made of it -----------------------------------------------------------------
    def known(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make()` returned when this was first asked of the edges; for what depends on them and `key` alone."""
        found = self._structure.known.get(key)
        if found is None:
            found = self._structure.known[key] = make()
        return found

    def replace(self, **features: ArrayLike | None) -> Graph:
        """The same edges with other features; None takes one away.

        Raises:
            TypeError: a name is no feature.
        """
        for name in features:
            if name not in FEATURES:
                raise TypeError(f"Graph.replace: {name!r} is no feature; expected some of {', '.join(FEATURES)}")
        return object.__new__(type(self))._fill(self._structure, {**self.features, **features})

    def with_edges(self, src: ArrayLike, dst: ArrayLike, edge_attr: ArrayLike | None = None,
                   edge_weight: ArrayLike | None = None) -> Graph:
        """The same nodes with their features, and other edges."""
        return Graph(src, dst, self.num_nodes, x=self.x, edge_attr=edge_attr, edge_weight=edge_weight, y=self.y,
                     batch=self.batch)

    def to(self, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> Graph:
        """The graph on a device; floating features also in a dtype."""
        home, dtype = as_device(device) if device is not None else self.device, to_dtype(dtype)
        moved: Any = {name: Tensor(value, device=home, dtype=dtype if value.dtype.kind == "f" else None)
                      for name, value in self.features.items() if value is not None and name != "batch"}
        if home is self.device:
            return self.replace(**moved)
        if self.batch is not None:
            moved["batch"] = Segments(self.batch, self.num_graphs, home)
        return Graph(self.src, self.dst, self.num_nodes, device=home, **moved)

    def weights(self, dtype: DTypeLike | None = None) -> Tensor:
        """The weights of edges; ones where it has none."""
        if self.edge_weight is None:
            blank = lambda: ones((self.num_edges,), dtype=dtype, device=self.device)
            return self.known(("ones", to_dtype(dtype)), blank)
        return self.edge_weight if dtype is None else self.edge_weight.astype(to_dtype(dtype))

    def __repr__(self) -> str:
        shown = [f"num_nodes={self.num_nodes}", f"num_edges={self.num_edges}"]
        shown += [f"{name}={value.shape}" for name, value in self.features.items()
                  if value is not None and name != "batch"]
        return f"Graph({', '.join(shown + [f'num_graphs={self.num_graphs}'] * (self.batch is not None))})"


def _count(num_nodes):
    if num_nodes is None:
        raise TypeError("Graph: num_nodes is missing: nodes without edges cannot be seen in src and dst")
    if isinstance(num_nodes, (bool, float)) or not hasattr(num_nodes, "__index__"):
        raise TypeError(f"Graph: num_nodes: expected an int, got {num_nodes!r}")
    if num_nodes.__index__() < 0:
        raise ValueError(f"Graph: num_nodes: expected an int >= 0, got {num_nodes}")
    return num_nodes.__index__()


def _ends(name, ends, n, device):
    """One end of all edges as Segments."""
    if isinstance(ends, Segments) and ends.num_segments == n and device is None:
        return ends
    ends = as_tensor(ends) if device is None else Tensor(ends, device=device)
    if ends.dtype.kind not in "iu" and ends.size:
        raise TypeError(f"Graph: {name}: expected integers, got {ends.dtype}")
    if ends.ndim != 1:
        raise ValueError(f"Graph: {name}: expected shape (E,), got {ends.shape}")
    check_ids("Graph", name, ends, n, f"num_nodes is {n}")
    return Segments(ends, n)

