"""Graphs: one that was observed, Zachary's karate club, and one that is drawn, the stochastic block model."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..nn.graph import Graph
from .stream import positive, stream, to_tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..typing import DeviceLike, DTypeLike

# For each member, the friends with a higher number; 0 is the instructor, 33 the president.
_FRIENDS = (
    (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 17, 19, 21, 31), (2, 3, 7, 13, 17, 19, 21, 30),
    (3, 7, 8, 9, 13, 27, 28, 32), (7, 12, 13), (6, 10), (6, 10, 16), (16,), (), (30, 32, 33), (33,), (), (), (), (33,),
    (32, 33), (32, 33), (), (), (32, 33), (33,), (32, 33), (), (32, 33), (25, 27, 29, 32, 33), (25, 27, 31), (31,),
    (29, 33), (33,), (31, 33), (32, 33), (32, 33), (32, 33), (33,), (),
)
_PRESIDENT = (9, 14, 15, 18, 20, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33)


def karate_club(*, dtype: DTypeLike | None = None, device: DeviceLike | None = None) -> Graph:
    """The friendships in a karate club of 34 members, and which of its two halves each joined when it split.

    Args:
        dtype: floating dtype of the features, default float32.
        device: where it lives.

    Returns:
        A `Graph` of 34 nodes and 78 friendships, each as two edges. `x` is the identity matrix; `y` is 0 for those who
        stayed with the instructor, node 0, and 1 for those who followed the president, node 33.

    Source: Zachary 1977, An Information Flow Model for Conflict and Fission in Small Groups, Journal of Anthropological
        Research 33, figures 1 to 3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.karate_club()
        Graph(num_nodes=34, num_edges=156, x=(34, 34), y=(34,))
    """
    low = np.repeat(np.arange(34), [len(friends) for friends in _FRIENDS])
    high = np.concatenate([np.array(friends, dtype=np.int64) for friends in _FRIENDS])
    y = np.zeros(34, dtype=np.int64)
    y[list(_PRESIDENT)] = 1
    return _undirected(low, high, 34, to_tensor(np.eye(34), dtype, device), y, device)


def _undirected(low, high, n, x, y, device):
    """Each pair as two edges, sorted by source, then target."""
    src, dst = np.concatenate([low, high]), np.concatenate([high, low])
    order = np.lexsort((dst, src))
    src, dst, y = (to_tensor(part, device=device) for part in (src[order], dst[order], y))
    return Graph(src, dst, n, x=x, y=y)


def stochastic_block_model(sizes: Sequence[int], probabilities: Any, *, generator: Any = None,
                           device: DeviceLike | None = None) -> Graph:
    """A random graph of blocks: how likely an edge is depends on the blocks of its ends alone.

    Formula: P(edge between i and j) = P[b_i, b_j] for i != j, independent; b_i is the block of node i.

    Args:
        sizes: number of nodes in each of the K blocks, each >= 1.
        probabilities: symmetric matrix P (K, K), or (p, q) for p inside all blocks and q between them.
        generator: a `tn.Generator`, an int seed, None, or a NumPy stream.
        device: where it lives.

    Returns:
        A `Graph`, undirected and without loops, nodes in the order of their blocks, `y` the block of each node.

    Raises:
        TypeError: a size is not an int.
        ValueError: a size is below 1, P is not symmetric or has another shape, or a probability is not from 0 to 1.

    Source: Holland, Laskey & Leinhardt 1983, Stochastic blockmodels: first steps.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.stochastic_block_model([2, 3], (1.0, 0.0), generator=0)
        Graph(num_nodes=5, num_edges=8, y=(5,))
    """
    sizes = [positive(f"sizes[{k}]", n) for k, n in enumerate(sizes)]
    p = np.asarray(probabilities, dtype=np.float64)
    if p.shape == (2,):
        p = np.where(np.eye(len(sizes), dtype=bool), p[0], p[1])
    if p.shape != (len(sizes), len(sizes)) or not np.array_equal(p, p.T):
        raise ValueError(f"probabilities: expected a symmetric matrix {(len(sizes), len(sizes))} or (p, q), got shape "
                         f"{p.shape}{', not symmetric' if p.ndim == 2 else ''}")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"probabilities: expected numbers from 0 to 1, got {p.min()} to {p.max()}")
    rng, block = stream(generator), np.repeat(np.arange(len(sizes)), sizes)
    n, lows, highs = len(block), [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for i in range(n - 1):  # a row at a time: all pairs at once would take memory for N^2 numbers
        found = np.flatnonzero(rng.uniform(size=n - 1 - i) < p[block[i], block[i + 1:]])
        lows.append(np.full(len(found), i))
        highs.append(found + i + 1)
    return _undirected(np.concatenate(lows), np.concatenate(highs), n, None, block.astype(np.int64), device)
