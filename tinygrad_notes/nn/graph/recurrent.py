"""Aggregations by a recurrent network: over the rows of each group as a sequence, or as a set that is read repeatedly.

    E rows   n groups   L longest group   D features
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...autograd import Tensor, as_tensor
from ...ops import (
    Segments,
    arange,
    argsort,
    concat,
    index_put,
    maximum,
    reshape,
    segment_softmax,
    segment_sum,
    sum,
    take,
    where,
    zeros,
)
from ..linear import size as counted
from ..module import Module
from ..recurrent import LSTM
from .pool import groups

if TYPE_CHECKING:
    from ...backend import Generator
    from ...typing import ArrayLike, DeviceLike, DTypeLike

__all__ = ["LSTMAggregation", "Set2Set", "to_dense_batch"]


def to_dense_batch(x: ArrayLike, batch: ArrayLike, size: int | None = None) -> tuple[Tensor, Tensor]:
    """The rows of each group side by side, zeros behind those of shorter ones.

    Formula: out[k, t] = x[e] where e is the t-th row with batch[e] = k.

    Args:
        x: (E, ...).
        batch: the group of each row: `graph.batch`, or integers (E,), in any order.
        size: the number of groups n, where `batch` does not know it.

    Returns:
        Tensor (n, L, ...), and bool (n, L), which of its rows are of x.

    Raises:
        TypeError: `size` is missing.
        IndexError: a group is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> rows, mask = tn.nn.graph.to_dense_batch(tn.tensor([1.0, 2.0, 3.0]), tn.tensor([0, 1, 0]), 2)
        >>> rows.tolist(), mask.tolist()
        ([[1.0, 3.0], [2.0, 0.0]], [[True, True], [True, False]])
    """
    x = as_tensor(x)
    ids = _segments("to_dense_batch", batch, size)
    counts = ids.counts
    longest = counts.max().item() if counts.size else 0
    order = argsort(ids)
    before = counts.cumsum(axis=0) - counts
    rank = arange(ids.shape[0], device=ids.device) - take(before, take(ids, order))
    blank = zeros((ids.num_segments, longest, *x.shape[1:]), dtype=x.dtype, device=x.device)
    rows = index_put(blank, (take(ids, order), rank), take(x, order, axis=0))
    mask = arange(longest, device=ids.device) < reshape(counts, (-1, 1))
    return rows, mask


def _segments(name, batch, size):
    ids, n = groups(name, batch, size)
    return ids if isinstance(ids, Segments) else Segments(ids, n)


class LSTMAggregation(Module):
    """The last state of an LSTM that reads the rows of each group in their order.

    Formula: out[k] = h_T of LSTM(x[e_1], ..., x[e_T]), where e_1 < ... < e_T are the rows of group k; 0 where T = 0.

    Unlike other aggregations it depends on the order. Shorter groups end with their last row; PyTorch Geometric goes on
    through zeros to the length of the longest group.

    Args:
        in_channels, out_channels: sizes of rows before and after.
        **options: of `LSTM`, such as `num_layers`.

    Shapes: values (E, in_channels), ids (E,) -> (n, out_channels).

    Attributes:
        lstm: the network.

    Raises:
        ValueError: a size is not positive.

    Source: Hamilton, Ying & Leskovec 2017, section 3.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.graph.LSTMAggregation(3, 2)(tn.ones((4, 3)), tn.tensor([0, 2, 0, 0]), 3).shape
        (3, 2)
    """

    def __init__(self, in_channels: int, out_channels: int, **options: Any) -> None:
        super().__init__()
        self.in_channels, self.out_channels = counted("in_channels", in_channels, 1), counted("out_channels",
                                                                                             out_channels, 1)
        self.lstm = LSTM(in_channels, out_channels, batch_first=True, **options)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the parameters anew."""
        self.lstm.reset_parameters(generator)

    def forward(self, values: ArrayLike, ids: ArrayLike, n: int | None = None) -> Tensor:
        found = _segments("LSTMAggregation", ids, n)
        rows, _ = to_dense_batch(values, found)
        if 0 in rows.shape:
            return zeros((found.num_segments, self.out_channels), dtype=rows.dtype, device=rows.device)
        states = self.lstm(rows)[0]
        last = maximum(found.counts - 1, 0)
        ends = states[arange(found.num_segments, device=found.device), last]
        return where(reshape(found.counts > 0, (-1, 1)), ends, 0.0)


class Set2Set(Module):
    """A set read several times: an LSTM asks, attention answers, and question and answer go back into the LSTM.

    Formula: q_t = LSTM(q*_(t-1)), a_i = softmax over the set of x_i . q_t, r_t = sum_i a_i x_i, q*_t = [q_t, r_t]; the
        result is q*_T, from q*_0 = 0.

    Args:
        in_channels: size D of rows.
        processing_steps: how often T the set is read.
        **options: of `LSTM`, such as `num_layers`.
        device, dtype: of the parameters.

    Shapes: x (E, D), batch (E,) -> (n, 2 D).

    Attributes:
        lstm: the network.

    Raises:
        ValueError: a number is not positive.
        TypeError: at the call, the number of groups is missing.

    Source: Vinyals, Bengio & Kudlur 2016, Order Matters: Sequence to sequence for sets, equations 3 to 7.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.graph.Set2Set(3, processing_steps=2)(tn.ones((4, 3)), tn.tensor([0, 0, 1, 0]), 2).shape
        (2, 6)
    """

    def __init__(self, in_channels: int, processing_steps: int, *, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None, **options: Any) -> None:
        super().__init__()
        self.in_channels = counted("in_channels", in_channels, 1)
        self.processing_steps = counted("processing_steps", processing_steps, 1)
        self.out_channels = 2 * in_channels
        self.lstm = LSTM(self.out_channels, in_channels, device=device, dtype=dtype, **options)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the parameters anew."""
        self.lstm.reset_parameters(generator)

    def forward(self, x: ArrayLike, batch: ArrayLike, size: int | None = None) -> Tensor:
        x = as_tensor(x)
        ids = _segments("Set2Set", batch, size)
        n = ids.num_segments
        state, both = None, zeros((n, self.out_channels), dtype=x.dtype, device=x.device)
        for _ in range(self.processing_steps):
            asked, state = self.lstm(reshape(both, (1, n, self.out_channels)), state)  # (1, n, D)
            asked = reshape(asked, (n, self.in_channels))
            weight = segment_softmax(sum(x * take(asked, ids, axis=0), axis=-1, keepdims=True), ids)
            both = concat([asked, segment_sum(weight * x, ids)], axis=-1)
        return both

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.processing_steps}"
