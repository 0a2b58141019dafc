"""Reductions over rows that share an id: the aggregation of message passing on graphs.

`E` rows, `n` segments; ids need not be sorted, and a segment without rows has a defined value. All results are the
same to the bit in every run: rows of a segment are added in their order, never by whoever comes first.
"""
import math

import numpy as np

from ..autograd import Tensor, as_tensor, primitive
from ..backend import to_dtype
from .bounds import check_range
from .index import integers
from .reduce import prod
from .scatter import index_put
from .segment_ids import Segments, segment_count

__all__ = ["bincount", "segment_max", "segment_mean", "segment_min", "segment_prod", "segment_softmax",
           "segment_sum"]


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
    n = segment_count(name, num_segments)
    if order is None:
        check_range(name, ids.data, n, 0, low=0)
    return x, ids, n, order


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
