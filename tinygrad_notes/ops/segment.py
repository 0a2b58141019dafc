"""Reductions over rows that share an id: the aggregation of message passing on graphs.

`E` rows, `n` segments; ids need not be sorted, and a segment without rows has a defined value. All results are the
same to the bit in every run: rows of a segment are added in their order, never by whoever comes first.
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import Tensor, as_tensor, primitive
from ..backend import device_of, to_dtype
from .index import integers
from .reduce import prod
from .scatter import index_put

if TYPE_CHECKING:
    from ..typing import ArrayLike, DeviceLike

__all__ = ["Segments", "bincount", "segment_max", "segment_mean", "segment_min", "segment_prod", "segment_softmax",
           "segment_sum"]


class Order:
    """How rows are sorted by their ids, found when first asked for."""

    __slots__ = ("_ids", "_n", "_parts")

    def __init__(self, ids, n):
        self._ids, self._n, self._parts = ids, n, None

    def parts(self, x):
        """For a forward of `x`: (order, start), where `order[start[k]:start[k + 1]]` are the rows of segment k."""
        if self._parts is None:
            self._parts = device_of(self._ids).xp.sorted_ids(self._ids, self._n)
        return beside(x, *self._parts)


def beside(x, *arrays):
    """`arrays` in the form of `x`: a rule on the strict device calls forwards with the bare arrays inside."""
    same = x.__class__ is arrays[0].__class__
    return arrays if same else [device_of(array).to_numpy(array) for array in arrays]


class Segments(Tensor):
    """Segment ids that were checked once and are sorted at most once, however often they are used.

    Formula: segment k is the set of rows e with ids[e] = k, for k = 0, ..., num_segments - 1.

    An ordinary integer Tensor, but for one thing: it cannot be written to. Wherever an operation takes
    `segment_ids`, it takes this too, and `num_segments` may then be left out.

    Args:
        ids: integers (E,) in [0, num_segments), in any order; they are copied.
        num_segments: the number of segments n.
        device: where they live; default: where `ids` are.

    Attributes:
        num_segments: n.
        counts: how many rows each segment has, int64 Tensor (n,).

    Raises:
        IndexError: an id is out of range, or not an integer.
        ValueError: `ids` has not one axis, or n is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> groups = tn.Segments([0, 2, 0], 3)
        >>> tn.segment_sum(tn.tensor([1., 2., 3.]), groups)
        tensor([4., 0., 2.])
        >>> groups.counts
        tensor([2, 0, 1])
    """

    __slots__ = ("num_segments", "order", "_counts")
    never_changes = True  # a recorded program holds it as a constant

    num_segments: int

    def __init__(self, ids: ArrayLike, num_segments: int, device: DeviceLike | None = None) -> None:
        given = ids if isinstance(ids, Tensor) and device is None else Tensor(ids, device=device)
        given = integers("Segments", "ids", given if given.size else given.astype(np.dtype("int64")), None)
        if given.ndim != 1:
            raise ValueError(f"Segments: ids has shape {given.shape}, expected one axis")
        n = _size("Segments", num_segments)
        given = given.astype(np.dtype("int64")).copy()
        check_ids("Segments", "ids", given, n, f"there are {n} segments")
        super().__init__(given)
        self.num_segments, self.order = n, Order(self.data, n)
        self._counts: Tensor | None = None
        if isinstance(self.data, np.ndarray):
            self.data.flags.writeable = False

    @property
    def counts(self) -> Tensor:
        """How many rows each segment has."""
        if self._counts is None:
            self._counts = _bincount(self, minlength=self.num_segments)
        return self._counts

    def __copy__(self) -> Segments:
        return self

    def __deepcopy__(self, memo: Any) -> Segments:
        return self


def check_ids(name, argument, ids, n, limit):
    """Raise unless every id is in [0, n); the message says which is not, and where; `limit` says why.

    Raises:
        IndexError: an id is out of range.
    """
    if not ids.size:
        return
    xp = ids.device.xp
    if xp.min(ids.data).item() >= 0 and xp.max(ids.data).item() < n:
        return
    host = ids.numpy()
    k = ((host < 0) | (host >= n)).argmax()
    raise IndexError(f"{name}: {argument}[{k}] is {host[k]}, but {limit}: expected a number in [0, {n})")


def _flat(xp, x):
    return xp.reshape(x, (x.shape[0], math.prod(x.shape[1:])))


def _sum(xp, x, ids, *, num_segments):
    total = xp.sum_rows(_flat(xp, x), xp.counted_ids(ids), num_segments)
    return xp.reshape(total, (num_segments, *x.shape[1:]))


def _extreme(xp, x, ids, *, num_segments, largest, empty, order):
    order, start = order.parts(x) if order else xp.sorted_ids(xp.counted_ids(ids), num_segments)
    out = xp.extreme_sorted(_flat(xp, x), order, start, largest, empty)
    return xp.reshape(out, (num_segments, *x.shape[1:]))


def _softmax(xp, x, ids, *, num_segments, order):
    if x.dtype.kind not in "fc":
        x = xp.astype(x, "float32")
    top = _extreme(xp, x, ids, num_segments=num_segments, largest=True, empty=0, order=order)
    e = xp.exp(x - xp.take(top, ids, axis=0))
    return e / xp.take(_sum(xp, e, ids, num_segments=num_segments), ids, axis=0)


def _softmax_rule(xp, g, ids, out, num_segments):
    weighted = g * out
    return weighted - out * xp.take(xp.segment_sum(weighted, ids, num_segments=num_segments), ids, axis=0)


def _share_ties(xp, g, x, ids, out, num_segments):
    """Rows equal to the extreme of their segment share its cotangent equally."""
    tied = xp.astype(x == xp.take(out, ids, axis=0), g.dtype)
    count = xp.segment_sum(tied, ids, num_segments=num_segments)
    return xp.take(g / xp.maximum(count, xp.ones_like(count)), ids, axis=0) * tied


_segment_sum = primitive("segment_sum", _sum, kind="gather", x=lambda xp, g, ids: xp.take(g, ids, axis=0))
_segment_extreme = primitive("segment_extreme", _extreme, kind="gather", x=_share_ties)
_segment_softmax = primitive("segment_softmax", _softmax, kind="gather", x=_softmax_rule)


def _operands(name, x, ids, num_segments):
    x = as_tensor(x)
    order = None
    if isinstance(ids, Segments):
        if num_segments is not None and num_segments != ids.num_segments:
            raise ValueError(f"{name}: num_segments is {num_segments}, but segment_ids has {ids.num_segments} segments")
        num_segments, order = ids.num_segments, ids.order
    elif num_segments is None:
        raise TypeError(f"{name}: num_segments is missing: segments without rows cannot be seen in segment_ids")
    ids = integers(name, "segment_ids", ids, x)
    if x.ndim == 0 or ids.shape != x.shape[:1]:
        raise ValueError(f"{name}: segment_ids has shape {ids.shape}, expected {x.shape[:1]}: one id per row of x, "
                         f"shape {x.shape}")
    return x, ids, _size(name, num_segments), order


def _size(name, n):
    if isinstance(n, (Tensor, bool)) or not isinstance(n, (int, np.integer)) or n < 0:
        raise ValueError(f"{name}: num_segments is {n!r}, expected a non-negative int")
    return int(n)


def segment_sum(x, /, segment_ids, num_segments=None):
    """The sum of the rows of each segment; zero for a segment without rows.

    Formula: out[k] = sum of x[e] over all e with segment_ids[e] = k.

    Args:
        x: tensor (E, ...).
        segment_ids: integers (E,) in [0, num_segments), in any order.
        num_segments: the number of segments n; may be left out where `segment_ids` is a `Segments`.

    Returns:
        Tensor (n, ...).

    Raises:
        IndexError: an id is out of range.
        ValueError: there is not one id per row, or `num_segments` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.segment_sum(tn.tensor([1., 2., 3.]), [0, 2, 0], 3)
        tensor([4., 0., 2.])
    """
    x, ids, n, _ = _operands("segment_sum", x, segment_ids, num_segments)
    return _segment_sum(x, ids, num_segments=n)


def segment_mean(x, /, segment_ids, num_segments=None):
    """The mean of the rows of each segment; zero for a segment without rows.

    Formula: out[k] = segment_sum(x)[k] / max(1, number of e with segment_ids[e] = k).

    Args:
        x: floating tensor (E, ...).
        segment_ids: integers (E,) in [0, num_segments), in any order.
        num_segments: the number of segments n; may be left out where `segment_ids` is a `Segments`.

    Returns:
        Tensor (n, ...).

    Raises:
        IndexError: an id is out of range.
        ValueError: there is not one id per row, or `num_segments` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.segment_mean(tn.tensor([1., 2., 3.]), [0, 2, 0], 3)
        tensor([2., 0., 2.])
    """
    x, ids, n, _ = _operands("segment_mean", x, segment_ids, num_segments)
    total, xp = _segment_sum(x, ids, num_segments=n), x.device.xp
    kind = x.dtype if x.dtype.kind in "fc" else np.dtype("float32")
    counts = ids.counts.data if isinstance(ids, Segments) else xp.bincount(xp.counted_ids(ids.data), minlength=n)
    return total / Tensor.wrap(xp.reshape(xp.astype(xp.maximum(counts, 1), kind), (n,) + (1,) * (x.ndim - 1)))


def segment_max(x, /, segment_ids, num_segments=None, *, empty=None):
    """The largest row value of each segment, element by element.

    Formula: out[k] = max of x[e] over all e with segment_ids[e] = k. Ties share the gradient equally.

    Args:
        x: real tensor (E, ...).
        segment_ids: integers (E,) in [0, num_segments), in any order.
        num_segments: the number of segments n; may be left out where `segment_ids` is a `Segments`.
        empty: the value of a segment without rows; default: the lowest of the dtype (-inf).

    Returns:
        Tensor (n, ...).

    Raises:
        IndexError: an id is out of range.
        ValueError: there is not one id per row, or `num_segments` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.segment_max(tn.tensor([1., 2., 3.]), [0, 2, 0], 3)
        tensor([3., -inf, 2.])
    """
    x, ids, n, order = _operands("segment_max", x, segment_ids, num_segments)
    empty = lowest(x.dtype) if empty is None else empty
    return _segment_extreme(x, ids, num_segments=n, largest=True, empty=empty, order=order)


def segment_min(x, /, segment_ids, num_segments=None, *, empty=None):
    """The smallest row value of each segment, element by element.

    Formula: out[k] = min of x[e] over all e with segment_ids[e] = k. Ties share the gradient equally.

    Args:
        x: real tensor (E, ...).
        segment_ids: integers (E,) in [0, num_segments), in any order.
        num_segments: the number of segments n; may be left out where `segment_ids` is a `Segments`.
        empty: the value of a segment without rows; default: the highest of the dtype (inf).

    Returns:
        Tensor (n, ...).

    Raises:
        IndexError: an id is out of range.
        ValueError: there is not one id per row, or `num_segments` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.segment_min(tn.tensor([1., 2., 3.]), [0, 2, 0], 3, empty=0.0)
        tensor([1., 0., 2.])
    """
    x, ids, n, order = _operands("segment_min", x, segment_ids, num_segments)
    empty = highest(x.dtype) if empty is None else empty
    return _segment_extreme(x, ids, num_segments=n, largest=False, empty=empty, order=order)


def segment_softmax(x, /, segment_ids, num_segments=None):
    """Logits as probabilities that sum to one over the rows of each segment: attention over neighbours.

    Formula: out[e] = exp(x[e] - m[k]) / sum of exp(x[f] - m[k]) over all f with segment_ids[f] = k = segment_ids[e],
        where m[k] is the largest x[f]; each column on its own.

    Args:
        x: tensor of logits (E, ...) (nats); integers give float32.
        segment_ids: integers (E,) in [0, num_segments), in any order.
        num_segments: the number of segments n; may be left out where `segment_ids` is a `Segments`.

    Returns:
        Probabilities in the shape of `x`.

    Raises:
        IndexError: an id is out of range.
        ValueError: there is not one id per row, or `num_segments` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.segment_softmax(tn.tensor([1., 5., 1.]), [0, 2, 0], 3)
        tensor([0.5000, 1.0000, 0.5000])
    """
    x, ids, n, order = _operands("segment_softmax", x, segment_ids, num_segments)
    return _segment_softmax(x, ids, num_segments=n, order=order)


def segment_prod(x, /, segment_ids, num_segments=None):
    """The product of the rows of each segment; one for a segment without rows.

    Formula: out[k] = product of x[e] over all e with segment_ids[e] = k. Rows are laid out as
    (n, longest segment, ...), so one long segment among many costs memory.

    Args:
        x: tensor (E, ...).
        segment_ids: integers (E,) in [0, num_segments), in any order.
        num_segments: the number of segments n; may be left out where `segment_ids` is a `Segments`.

    Returns:
        Tensor (n, ...).

    Raises:
        IndexError: an id is out of range.
        ValueError: there is not one id per row, or `num_segments` is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.segment_prod(tn.tensor([1., 2., 3.]), [0, 2, 0], 3)
        tensor([3., 1., 2.])
    """
    x, ids, n, _ = _operands("segment_prod", x, segment_ids, num_segments)
    xp = x.device.xp
    rank, longest = xp.rank_in_segment(xp.counted_ids(ids.data), n)
    grid = Tensor.wrap(xp.ones((n, longest, *x.shape[1:]), dtype=x.dtype))
    return prod(index_put(grid, (ids, Tensor.wrap(rank)), x), axis=1, dtype=x.dtype)


def lowest(dtype):
    """The lowest value of a dtype."""
    return -math.inf if dtype.kind == "f" else False if dtype.kind == "b" else int(np.iinfo(dtype).min)


def highest(dtype):
    """The highest value of a dtype."""
    return math.inf if dtype.kind == "f" else True if dtype.kind == "b" else int(np.iinfo(dtype).max)


IDENTITIES = {"sum": lambda dtype: 0, "prod": lambda dtype: 1, "amax": lowest, "amin": highest}
_BY_NAME = {"sum": segment_sum, "mean": segment_mean, "prod": segment_prod, "amax": segment_max, "amin": segment_min}


def reduce_segments(reduce, x, ids, n):
    """`x` (E, ...) reduced to (n, ...) in the manner named."""
    return _BY_NAME[reduce](x, ids, n)


_bincount = primitive("bincount", lambda xp, x, *, minlength: xp.bincount(x, minlength=minlength), kind="gather",
                      differentiable=False)


def bincount(x, /, weights=None, minlength=0):
    """How often each of 0, 1, 2, ... occurs in `x`, or the sum of the weights of its places.

    Formula: out[k] = sum over e with x[e] = k of weights[e] (1 without weights).

    Args:
        x: non-negative integers (E,).
        weights: tensor (E,), with gradient.
        minlength: the least length of the result.

    Returns:
        int64 Tensor, or one of the dtype of `weights`, (max(x) + 1 or `minlength`,).

    Raises:
        ValueError: `x` has not one axis or holds a negative number, or `weights` has another shape.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.bincount(tn.tensor([0, 2, 2]))
        tensor([1, 0, 2])
    """
    x = integers("bincount", "x", x, None)
    if x.ndim != 1:
        raise ValueError(f"bincount: x has shape {x.shape}, expected one axis")
    if minlength < 0:
        raise ValueError(f"bincount: minlength is {minlength}, expected a non-negative int")
    low = 0 if not x.size else x.device.xp.min(x.data).item()
    if low < 0:
        raise ValueError(f"bincount: x holds {low}, expected non-negative integers")
    if weights is None:
        return _bincount(x.astype(to_dtype("int64")), minlength=int(minlength))
    weights = as_tensor(weights, like=x)
    n = x.device.xp.max(x.data).item() + 1 if x.size else 0
    return segment_sum(weights, x, max(n, int(minlength)))
