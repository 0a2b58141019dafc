"""Ids of segments that are checked once and sorted once: what graphs are made of."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import Tensor
from ..backend import device_of
from .index import integers

if TYPE_CHECKING:
    from ..typing import ArrayLike, DeviceLike

__all__ = ["Segments"]


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
    """`arrays` in the form of `x`: a rule on the strict device calls forwards with the bare arrays inside.

    Beside an `x` that is being recorded they are constants as they are.
    """
    same = x.__class__ is arrays[0].__class__ or device_of(x).base is device_of(arrays[0])
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
        n = segment_count("Segments", num_segments)
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
            xp = self.device.xp
            self._counts = Tensor.wrap(xp.bincount(self.data, minlength=self.num_segments))
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


def segment_count(name, n):
    """`n` as an int.

    Raises:
        ValueError: it is none, or negative.
    """
    if isinstance(n, (Tensor, bool)) or not isinstance(n, (int, np.integer)) or n < 0:
        raise ValueError(f"{name}: num_segments is {n!r}, expected a non-negative int")
    return int(n)
