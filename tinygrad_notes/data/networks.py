"""Many small graphs of three kinds that are equally dense: to be told apart as wholes."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..nn.graph import Graph
from .dataset import Dataset, collate
from .stream import integers, positive, share, stream, to_tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..typing import DeviceLike, DTypeLike

CLASSES = ("random", "small world", "preferential attachment")


class GraphDataset(Dataset):
    """Graphs with one label each: an item is (graph, label), a batch is (several graphs in one, labels).

    Args:
        graphs: `Graph`s whose `y` is the label of the whole graph.

    Raises:
        ValueError: a graph has no `y`.

    Example:
        >>> import tinygrad_notes as tn
        >>> data = tn.data.GraphDataset(tn.data.random_networks(4, generator=0))
        >>> graph, y = data.batch([0, 3])
        >>> len(data), graph.batch.shape == (graph.num_nodes,), y.shape
        (4, True, (2,))
    """

    def __init__(self, graphs: Sequence[Graph]) -> None:
        self.graphs = list(graphs)
        for k, graph in enumerate(self.graphs):
            if graph.y is None:
                raise ValueError(f"graphs[{k}] has no label y")

    def __len__(self) -> int:
        return len(self.graphs)

    def __getitem__(self, i: int) -> tuple[Graph, Tensor]:
        y: Any = self.graphs[i].y
        return self.graphs[i], y

    def batch(self, indices: Any) -> tuple[Graph, Tensor]:
        """The graphs at `indices` as one, and their labels (B,)."""
        chosen = self.graphs[indices] if isinstance(indices, slice) else [self.graphs[int(i)] for i in indices]
        graph: Graph = collate(chosen)
        y: Any = graph.y
        return graph, y

    def __repr__(self) -> str:
        return f"GraphDataset({len(self)})"


def random_networks(n: int = 300, nodes: Sequence[int] = (20, 40), rewired: float = 0.3, *, generator: Any = None,
                    dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> list[Graph]:
    """Graphs of three kinds in turn, all with 2 N edges between N nodes or nearly so.

    Formula: kind 0: 2 N of all pairs, each equally likely; kind 1: a ring in which each node is joined with the next
        two, and each edge moves its far end to a random node with probability `rewired`; kind 2: each new node is
        joined with two others, drawn with probabilities in proportion to their numbers of edges.

    Args:
        n: number of graphs.
        nodes: (least, most): N is uniform between them, both included; least >= 6.
        rewired: a probability.
        generator: a `tn.Generator`, an int seed, None, or a NumPy stream.
        dtype: floating dtype of the node features, default float32.
        device: where they live.

    Returns:
        A list of undirected `Graph`s without loops; `x` (N, 1) is 1 everywhere, `y` (1,) the kind.

    Raises:
        TypeError: a number is not an int.
        ValueError: a number is out of range.

    Source: Erdos & Renyi 1959, On random graphs I; Watts & Strogatz 1998, Collective dynamics of small-world networks;
        Barabasi & Albert 1999, Emergence of scaling in random networks.

    Example:
        >>> import tinygrad_notes as tn
        >>> [int(graph.y) for graph in tn.data.random_networks(4, generator=0)]
        [0, 1, 2, 0]
    """
    rng, n, rewired = stream(generator), positive("n", n), share("rewired", rewired)
    least = positive("nodes[0]", nodes[0], 6)
    most = positive("nodes[1]", nodes[1], least)
    found = []
    for k in range(n):
        size = least + int(integers(rng, most - least + 1, 1)[0])
        edges = (_random, _small_world, _attached)[k % 3](rng, size, rewired)
        low, high = np.array(sorted(edges), dtype=np.int64).T
        src, dst = np.concatenate([low, high]), np.concatenate([high, low])
        src, dst, y = (to_tensor(part, device=device) for part in (src, dst, np.array([k % 3])))
        found.append(Graph(src, dst, size, x=to_tensor(np.ones((size, 1)), dtype, device), y=y))
    return found


def _random(rng, size, rewired):
    pairs = [(i, j) for i in range(size) for j in range(i + 1, size)]
    order = np.argsort(rng.uniform(size=len(pairs)))
    return {pairs[i] for i in order[:2 * size]}


def _small_world(rng, size, rewired):
    edges = {_pair(i, (i + step) % size) for i in range(size) for step in (1, 2)}
    for edge in sorted(edges):
        if rng.uniform() < rewired:
            new = _pair(edge[0], int(integers(rng, size, 1)[0]))
            if new[0] != new[1] and new not in edges:
                edges.remove(edge)
                edges.add(new)
    return edges


def _attached(rng, size, rewired):
    edges, ends = {(0, 1), (0, 2), (1, 2)}, [0, 0, 1, 1, 2, 2]
    for new in range(3, size):
        others = set()
        while len(others) < 2:
            others.add(ends[int(integers(rng, len(ends), 1)[0])])
        for other in sorted(others):
            edges.add((other, new))
            ends += [other, new]
    return edges


def _pair(i, j):
    return (i, j) if i < j else (j, i)
