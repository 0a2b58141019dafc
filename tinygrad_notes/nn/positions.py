"""Layers that tell a transformer where in a sequence something stands.

    N batch   T places   D features   H heads   L queries   S keys
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from ..autograd import Tensor, as_tensor
from ..ops import arange, cos, permute_dims, reshape, sin, take
from . import functional as F
from . import init as initializers
from .functional.common import number
from .functional.positions import _distances
from .linear import new_parameter, size
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from ..typing import ArrayLike, DeviceLike, DTypeLike

__all__ = ["LearnedPositionalEncoding", "PositionalEncoding", "RelativePositionBias", "RotaryEmbedding"]


def _home(x):
    """Where tables for `x` are made: a recording must not make them its own."""
    return x.device if x.device.base is None else x.device.base


def _fits(table, x):
    return table.dtype == x.dtype and table.device is _home(x)


class _Added(Module):
    """A code per place that is added to the input."""

    d_model: int
    max_len: int | None
    p: float
    batch_first: bool

    def _codes(self, start, stop):
        raise NotImplementedError

    def forward(self, input: ArrayLike, start: int = 0) -> Tensor:
        """The input plus the codes of its places.

        Args:
            input: floating, (..., T, D); (T, N, D) where `batch_first` is False.
            start: the number of the first place.

        Raises:
            ValueError: the features are not D, or a place is beyond `max_len`.
        """
        x = as_tensor(input)
        axis = -3 if not self.batch_first and x.ndim > 2 else -2
        if x.ndim < 2 or x.shape[-1] != self.d_model:
            raise ValueError(f"{type(self).__name__}: expected input (..., T, {self.d_model}), got shape {x.shape}")
        stop = size("start", start) + x.shape[axis]
        if self.max_len is not None and stop > self.max_len:
            raise ValueError(f"{type(self).__name__}: places {start} to {stop - 1} for a table of max_len "
                             f"{self.max_len}")
        codes = self._codes(start, stop)
        x = x + (codes if axis == -2 else codes.unsqueeze(1))
        return F.dropout(x, self.p, self.training) if self.p else x

    def extra_repr(self) -> str:
        return f"d_model={self.d_model}, max_len={self.max_len}, dropout={self.p}"


class PositionalEncoding(_Added):
    """Adds waves of geometrically growing length, which tell the places of a sequence apart.

    Formula: out = dropout(x + PE), PE[t, 2 i] = sin(t w_i), PE[t, 2 i + 1] = cos(t w_i), w_i = base^(-2 i / D).

    Args:
        d_model: D, even.
        max_len: the largest number of places; None: any.
        dropout: probability of a zero while training.
        base: the longest wave is 2 pi base places.
        batch_first: inputs are (..., T, D); False: (T, N, D).

    Raises:
        ValueError: `d_model` is odd, or a number is out of range.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.5; UDL 12.2.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.PositionalEncoding(2)(tn.zeros((2, 2)))
        tensor([[0.0000, 1.0000],
                [0.8415, 0.5403]])
    """

    def __init__(self, d_model: int, max_len: int | None = None, dropout: float = 0.0, base: float = 10000.0,
                 batch_first: bool = True) -> None:
        super().__init__()
        self.d_model, self.max_len = size("d_model", d_model, 1), None if max_len is None else size("max_len", max_len)
        self.p, self.base, self.batch_first = number("dropout", dropout, 0, high=1), base, batch_first
        self._table = F.sinusoidal_positions(0, d_model, base=base, dtype="float64")  # grows when it is too short

    def forward(self, input: ArrayLike, start: int = 0) -> Tensor:
        """The input plus the codes of its places; see the class.

        Args:
            input: floating, (..., T, D); (T, N, D) where `batch_first` is False.
            start: the number of the first place.
        """
        input = as_tensor(input)
        if not _fits(self._table, input):
            self._table = F.sinusoidal_positions(self._table.shape[0], self.d_model, base=self.base, dtype=input.dtype,
                                                 device=_home(input))
        return super().forward(input, start)

    def _codes(self, start, stop):
        table = self._table
        if stop > table.shape[0]:
            self._table = table = F.sinusoidal_positions(max(stop, 2 * table.shape[0]), self.d_model, base=self.base,
                                                         dtype=table.dtype, device=table.device)
        return table[start:stop]


class LearnedPositionalEncoding(_Added):
    """Adds a learned vector for each place of a sequence.

    Formula: out = dropout(x + W[start : start + T]); W ~ N(0, 0.02^2) at the start.

    Args:
        max_len: number of places there are vectors for.
        d_model: D.
        dropout: probability of a zero while training.
        batch_first: inputs are (..., T, D); False: (T, N, D).
        device, dtype: of the table.

    Attributes:
        weight: (max_len, D).

    Raises:
        ValueError: a number is out of range; at the call: a place is beyond the table.

    Source: Gehring et al. 2017, "Convolutional sequence to sequence learning"; Radford et al. 2018.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LearnedPositionalEncoding(5, 8)(tn.zeros((4, 3, 8))).shape
        (4, 3, 8)
    """

    weight: Parameter

    def __init__(self, max_len: int, d_model: int, dropout: float = 0.0, batch_first: bool = True,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.max_len, self.d_model = size("max_len", max_len), size("d_model", d_model, 1)
        self.p, self.batch_first = number("dropout", dropout, 0, high=1), batch_first
        self.weight = new_parameter((self.max_len, self.d_model), device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the vectors anew."""
        initializers.normal_(self.weight, 0.0, 0.02)

    def _codes(self, start, stop):
        return self.weight if (start, stop) == (0, self.max_len) else self.weight[start:stop]


class RotaryEmbedding(Module):
    """Turns pairs of features of queries and keys by angles that grow with the place (RoPE).

    Formula: (a, b) -> (a cos u - b sin u, b cos u + a sin u), u = t base^(-2 i / dim) for pair i at place t. The
        product of a turned query and a turned key depends on the distance of their places alone.

    Args:
        dim: number of features that are turned, even; those beyond stay as they are.
        base: the slowest pair turns by 1 radian in about that many places.
        interleaved: whether neighbours make a pair (RoFormer, GPT-J), or feature i and i + dim / 2 (GPT-NeoX, Llama).
        max_len: the largest number of places; None: any.

    Raises:
        ValueError: `dim` is odd, or a number is out of range; at the call: a place is beyond `max_len`.

    Source: Su et al. 2021, "RoFormer: enhanced transformer with rotary position embedding", equation 34.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.RotaryEmbedding(2)(tn.tensor([[1.0, 0.0], [1.0, 0.0]]))
        tensor([[1.0000, 0.0000],
                [0.5403, 0.8415]])
    """

    def __init__(self, dim: int, base: float = 10000.0, interleaved: bool = False, max_len: int | None = None) -> None:
        super().__init__()
        F.rotary_angles(0, dim, base=base)  # checks both
        self.dim, self.base, self.interleaved = dim, base, interleaved
        self.max_len = None if max_len is None else size("max_len", max_len)
        self._tables: tuple[Tensor, Tensor] | None = None  # cosines and sines, made longer when they are too short

    def forward(self, input: ArrayLike, start: int = 0) -> Tensor:
        """The input (..., T, E) turned, its first place being number `start`."""
        x = as_tensor(input)
        if x.ndim < 2 or x.shape[-1] < self.dim:
            raise ValueError(f"RotaryEmbedding: expected input (..., T, E) with E >= {self.dim}, got shape {x.shape}")
        stop = size("start", start) + x.shape[-2]
        if self.max_len is not None and stop > self.max_len:
            raise ValueError(f"RotaryEmbedding: places {start} to {stop - 1} for max_len {self.max_len}")
        tables = self._tables
        if tables is None or not _fits(tables[0], x) or tables[0].shape[0] < stop:
            length = stop if tables is None else max(stop, 2 * tables[0].shape[0])
            angles = F.rotary_angles(length, self.dim, base=self.base, device=_home(x))
            self._tables = tables = (cos(angles).astype(x.dtype), sin(angles).astype(x.dtype))
        return F.rotary_embedding(x, tables[0][start:stop], tables[1][start:stop], self.interleaved)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, base={self.base}, interleaved={self.interleaved}, max_len={self.max_len}"


class RelativePositionBias(Module):
    """A learned number for each head and bucket of distances, added to the scores (T5).

    Formula: out[h, i, j] = W[bucket(j - i - offset), h]; W ~ N(0, 1) at the start.

    Args:
        num_heads: H.
        num_buckets, max_distance, bidirectional: see `nn.functional.relative_position_bucket`.
        device, dtype: of the table.

    Attributes:
        weight: (num_buckets, H).

    Raises:
        ValueError: a number is out of range.

    Source: Raffel et al. 2020, "Exploring the limits of transfer learning with a unified text-to-text transformer",
        section 2.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> bias = tn.nn.RelativePositionBias(num_heads=2)
        >>> q = tn.ones((1, 2, 3, 4))
        >>> tn.nn.functional.scaled_dot_product_attention(q, q, q, bias(3)).shape
        (1, 2, 3, 4)
    """

    weight: Parameter

    def __init__(self, num_heads: int, num_buckets: int = 32, max_distance: int = 128, bidirectional: bool = True,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.num_heads, self.num_buckets = size("num_heads", num_heads, 1), num_buckets
        self.max_distance, self.bidirectional = max_distance, bidirectional
        self._bucket(arange(1))  # checks the numbers
        self.weight = new_parameter((num_buckets, self.num_heads), device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        initializers.normal_(self.weight)

    def _bucket(self, distances):
        return F.relative_position_bucket(distances, self.bidirectional, self.num_buckets, self.max_distance)

    def forward(self, length: int, source: int | None = None, offset: int = 0) -> Tensor:
        """What is added to the scores, (H, L, S).

        Args:
            length: L, the number of queries.
            source: S, the number of keys; None: offset + L.
            offset: the place of the first query among the keys.
        """
        buckets = self._bucket(_distances(length, source, offset, self.weight.device))
        rows = take(self.weight, reshape(buckets, (-1,)), axis=0)  # (L S, H)
        return permute_dims(reshape(rows, (*buckets.shape, self.num_heads)), (2, 0, 1))

    def extra_repr(self) -> str:
        return (f"num_heads={self.num_heads}, num_buckets={self.num_buckets}, max_distance={self.max_distance}, "
                f"bidirectional={self.bidirectional}")
