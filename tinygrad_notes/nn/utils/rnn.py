"""Sequences of different lengths in one tensor: padded, or packed without padding.

    N sequences   T longest length   S sum of all lengths
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ...autograd import Tensor, as_tensor
from ...backend import as_device, int64
from ...ops import concat, full, permute_dims, reshape, take, unstack
from ...ops.packed import inverse, laying, lengths_of, longest_first, packing, padding, sizes_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from ...typing import ArrayLike

__all__ = ["PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence",
           "pad_sequence", "unpack_sequence", "unpad_sequence"]


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """Sequences of different lengths without padding, time by time: what recurrent layers take in place of a tensor.

    Made by `pack_padded_sequence` and `pack_sequence`, not by hand.

    Args:
        data: (S, ...): the rows of time 0 of all sequences, longest first, then those of time 1, and so on.
        batch_sizes: int64 on the CPU, (T,): how many sequences are longer than t.
        sorted_indices: (N,), which of the sequences given stands where; None if they stand as given.
        unsorted_indices: (N,), the inverse; made from the other where it is None.

    Raises:
        ValueError: the batch sizes grow, or do not sum to S.

    Example:
        >>> import tinygrad_notes as tn
        >>> packed = tn.nn.utils.rnn.pack_sequence([tn.tensor([1, 2, 3]), tn.tensor([4])])
        >>> packed.data, packed.batch_sizes
        (tensor([1, 4, 2, 3]), tensor([2, 1, 1]))
    """

    __slots__ = ()

    def __new__(cls, data: Tensor, batch_sizes: ArrayLike, sorted_indices: Tensor | None = None,
                unsorted_indices: Tensor | None = None) -> Self:
        batch_sizes = _on_host(batch_sizes)
        sizes = batch_sizes.tolist()
        if not sizes or sizes[-1] < 1 or any(a < b for a, b in zip(sizes, sizes[1:])):
            raise ValueError(f"batch_sizes: expected positive numbers that do not grow, got {sizes}")
        if sum(sizes) != data.shape[0]:
            raise ValueError(f"batch_sizes: expected a sum of {data.shape[0]}, the rows of data, got {sum(sizes)}")
        if sorted_indices is not None and unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with `data.to(...)`; the indices go along to its device."""
        data = self.data.to(*args, **kwargs)
        moved = [None if i is None else i.to(data.device) for i in self[2:]]
        return PackedSequence(data, self.batch_sizes, *moved)

    def cpu(self) -> PackedSequence:
        """The same on the CPU."""
        return self.to("cpu")

    def cuda(self) -> PackedSequence:
        """The same on a GPU."""
        return self.to("cuda")

    def float(self) -> PackedSequence:
        """The same with float32 data."""
        return self.to("float32")

    def double(self) -> PackedSequence:
        """The same with float64 data."""
        return self.to("float64")

    def half(self) -> PackedSequence:
        """The same with float16 data."""
        return self.to("float16")

    @property
    def is_cuda(self) -> bool:
        """Whether the data lives on a GPU."""
        return self.data.device == "cuda"


def _on_host(values: Any) -> Tensor:
    """Whole numbers as an int64 Tensor (n,) on the CPU."""
    found = values if isinstance(values, Tensor) else Tensor(values, device="cpu")
    if found.ndim != 1 or (found.dtype.kind not in "iu" and found.size):
        raise ValueError(f"expected a list of whole numbers, got shape {found.shape}, dtype {found.dtype}")
    return found.to("cpu").astype(int64)


def _lengths(name: str, lengths: Any, n: int, longest: int, shortest: int = 1) -> list[int]:
    try:
        found: list[int] = _on_host(lengths).tolist()
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: lengths: {error}") from None
    if len(found) != n:
        raise ValueError(f"{name}: lengths: expected {n}, one per sequence, got {len(found)}")
    if not found or min(found) < shortest or max(found) > longest:
        raise ValueError(f"{name}: lengths: expected numbers from {shortest} to {longest}, the length of the input, "
                         f"got {found or 'none'}")
    return found


def _index(order: list[int], device: Any) -> Tensor:
    return Tensor(order, dtype=int64, device=as_device(device))


def _numbers(indices: Tensor | None) -> list[int] | None:
    return None if indices is None else indices.tolist()


def _exchanged(x: Tensor) -> Tensor:
    """(T, N, ...) -> (N, T, ...)."""
    return permute_dims(x, (1, 0, *range(2, x.ndim)))


def _spread(rows: Tensor, places: Tensor, value: float) -> Tensor:
    """The rows (S, ...) at their places; a row of `value` where a place is S."""
    filler = full((1, *rows.shape[1:]), value, dtype=rows.dtype, device=rows.device)
    return take(concat((rows, filler), axis=0), places, axis=0)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another.

    Formula: out[permutation[i]] = i.

    Args:
        permutation: int64, (N,), each of 0 .. N-1 once; or None.

    Returns:
        int64 Tensor (N,), or None.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.utils.rnn.invert_permutation(tn.tensor([2, 0, 1]))
        tensor([1, 2, 0])
    """
    return None if permutation is None else _index(inverse(permutation.tolist()), permutation.device)


def pack_padded_sequence(input: ArrayLike, lengths: ArrayLike | Sequence[int], batch_first: bool = False,
                         enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences that were padded to one length; what lies beyond their lengths is left out.

    Args:
        input: (T, N, ...), or (N, T, ...) with `batch_first`.
        lengths: N ints between 1 and T.
        batch_first: whether the first axis of `input` is N.
        enforce_sorted: expect falling lengths; False sorts them, and recurrent layers put their results back in order.

    Returns:
        A `PackedSequence`. Gradients flow to `input`, zeros to its padding.

    Raises:
        ValueError: a length is out of range, their number is not N, or they are not sorted as expected.

    Example:
        >>> import tinygrad_notes as tn
        >>> x = tn.tensor([[1, 2, 3], [4, 0, 0]])
        >>> tn.nn.utils.rnn.pack_padded_sequence(x, [3, 1], batch_first=True).data
        tensor([1, 4, 2, 3])
    """
    input = as_tensor(input)
    if input.ndim < 2:
        raise ValueError(f"pack_padded_sequence: input: expected at least two axes, got shape {input.shape}")
    if batch_first:
        input = _exchanged(input)
    t, n = input.shape[:2]
    known = _lengths("pack_padded_sequence", lengths, n, t)
    order = None
    if not enforce_sorted:
        order = longest_first(known)
        known = [known[i] for i in order]
    elif any(a < b for a, b in zip(known, known[1:])):
        raise ValueError("pack_padded_sequence: lengths must not grow from one sequence to the next, got "
                         f"{known}; give enforce_sorted=False to have them sorted")
    sizes = sizes_of(known)
    rows = take(reshape(input, (t * n, *input.shape[2:])), packing(sizes, order, n, input.device), axis=0)
    indices = None if order is None else _index(order, input.device)
    return PackedSequence(rows, Tensor(list(sizes), device="cpu"), indices)


def pad_packed_sequence(sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0,
                        total_length: int | None = None) -> tuple[Tensor, Tensor]:
    """Undo `pack_padded_sequence`: the sequences in one tensor, padded to one length.

    Args:
        sequence: what to pad.
        batch_first: return (N, T, ...).
        padding_value: what stands beyond the end of a sequence.
        total_length: T, at least the longest length; default: the longest length.

    Returns:
        (Tensor (T, N, ...) or (N, T, ...), int64 Tensor (N,) of lengths on the CPU), in the order before packing.

    Raises:
        ValueError: `total_length` is less than the longest length.
        TypeError: `sequence` is no PackedSequence.

    Example:
        >>> import tinygrad_notes as tn
        >>> packed = tn.nn.utils.rnn.pack_sequence([tn.tensor([1, 2, 3]), tn.tensor([4])])
        >>> tn.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
        (tensor([[1, 2, 3],
                [4, 0, 0]]), tensor([3, 1]))
    """
    if not isinstance(sequence, PackedSequence):
        raise TypeError(f"pad_packed_sequence: expected a PackedSequence, got {type(sequence).__name__}")
    sizes = tuple(sequence.batch_sizes.tolist())
    total = len(sizes) if total_length is None else total_length
    if total < len(sizes):
        raise ValueError(f"pad_packed_sequence: total_length: expected at least the length of the longest sequence, "
                         f"{len(sizes)}, got {total_length}")
    order = _numbers(sequence.sorted_indices)
    lengths = lengths_of(sizes)
    if order is not None:
        lengths = [lengths[i] for i in inverse(order)]
    padded = _spread(sequence.data, padding(sizes, order, total, sequence.data.device), padding_value)
    return _exchanged(padded) if batch_first else padded, Tensor(lengths, device="cpu")


def pad_sequence(sequences: Sequence[Tensor], batch_first: bool = False, padding_value: float = 0.0,
                 padding_side: str = "right") -> Tensor:
    """Sequences of different lengths in one tensor, padded to the longest.

    Args:
        sequences: N Tensors (L, ...) that agree in all but L.
        batch_first: return (N, T, ...).
        padding_value: what stands in the padding.
        padding_side: "right": after the end of a sequence; "left": before its beginning.

    Returns:
        Tensor (T, N, ...) or (N, T, ...).

    Raises:
        ValueError: there is no sequence, shapes disagree, or `padding_side` is another word.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.utils.rnn.pad_sequence([tn.tensor([1, 2]), tn.tensor([3])], batch_first=True, padding_side="left")
        tensor([[1, 2],
                [0, 3]])
    """
    if padding_side not in ("right", "left"):
        raise ValueError(f"pad_sequence: padding_side: expected 'right' or 'left', got {padding_side!r}")
    sequences = [as_tensor(s) for s in sequences]
    if not sequences:
        raise ValueError("pad_sequence: expected at least one sequence, got none")
    for k, s in enumerate(sequences):
        if not s.ndim or s.shape[1:] != sequences[0].shape[1:]:
            raise ValueError(f"pad_sequence: sequences[{k}] has shape {s.shape}, expected (L, ...) that agrees with "
                             f"{sequences[0].shape} of sequences[0] in all but L")
    lengths = [s.shape[0] for s in sequences]
    padded = _spread(concat(sequences, axis=0),
                     laying(lengths, max(lengths), padding_side == "left", sequences[0].device), padding_value)
    return padded if batch_first else _exchanged(padded)


def unpad_sequence(padded_sequences: ArrayLike, lengths: ArrayLike | Sequence[int],
                   batch_first: bool = False) -> list[Tensor]:
    """Undo `pad_sequence`: the sequences without their padding at the end.

    Args:
        padded_sequences: (T, N, ...), or (N, T, ...) with `batch_first`.
        lengths: N ints between 0 and T.
        batch_first: whether the first axis is N.

    Returns:
        List of N Tensors (L, ...).

    Raises:
        ValueError: a length is out of range, or their number is not N.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.utils.rnn.unpad_sequence(tn.tensor([[1, 2], [3, 0]]), [2, 1], batch_first=True)
        [tensor([1, 2]), tensor([3])]
    """
    padded = as_tensor(padded_sequences)
    if padded.ndim < 2:
        raise ValueError(f"unpad_sequence: padded_sequences: expected at least two axes, got shape {padded.shape}")
    n, t = padded.shape[:2] if batch_first else padded.shape[1::-1]
    known = _lengths("unpad_sequence", lengths, n, t, shortest=0)
    return [row[:length] for row, length in zip(unstack(padded, axis=0 if batch_first else 1), known)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences of different lengths.

    Args:
        sequences: N Tensors (L, ...) that agree in all but L.
        enforce_sorted: expect falling lengths; False sorts them.

    Returns:
        A `PackedSequence`.

    Raises:
        ValueError: there is no sequence, one is empty, shapes disagree, or they are not sorted as expected.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.utils.rnn.pack_sequence([tn.tensor([1, 2]), tn.tensor([3])]).data
        tensor([1, 3, 2])
    """
    return pack_padded_sequence(pad_sequence(sequences), [len(s) for s in sequences], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Undo `pack_sequence`.

    Args:
        packed_sequences: what `pack_sequence` or a recurrent layer returned.

    Returns:
        List of N Tensors (L, ...), in the order before packing.

    Example:
        >>> import tinygrad_notes as tn
        >>> packed = tn.nn.utils.rnn.pack_sequence([tn.tensor([1, 2]), tn.tensor([3])])
        >>> tn.nn.utils.rnn.unpack_sequence(packed)
        [tensor([1, 2]), tensor([3])]
    """
    return unpad_sequence(*pad_packed_sequence(packed_sequences))
