"""Data sets: things with a length whose items can be read by number, singly or a batch at once."""
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import ops
from ..autograd import Tensor, no_grad

if TYPE_CHECKING:
    from ..typing import ArrayLike, DeviceLike, DTypeLike


class Dataset:
    """Base of data sets: define `__len__` and `__getitem__`.

    `batch(indices)` joins single items; a data set that can read many at once overrides it.

    Example:
        >>> import tinygrad_notes as tn
        >>> class Squares(tn.data.Dataset):
        ...     def __len__(self):
        ...         return 10
        ...     def __getitem__(self, i):
        ...         return float(i), float(i * i)
        >>> Squares().batch([1, 3])
        (tensor([1., 3.]), tensor([1., 9.]))
    """

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} defines no __len__")

    def __getitem__(self, i: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} defines no __getitem__")

    def batch(self, indices: Any) -> Any:
        """The items at `indices` (ints) as one batch, see `collate`."""
        return collate([self[int(i)] for i in indices])


class TensorDataset(Dataset):
    """Tensors of equal length; item i is the tuple of their i-th entries.

    Args:
        *tensors: Tensors or arrays of shape (N, ...), all with the same N.

    Raises:
        ValueError: there is none, one has no axis, or the lengths differ.

    Example:
        >>> import tinygrad_notes as tn
        >>> pairs = tn.data.TensorDataset(tn.arange(3), tn.tensor([1.0, 2.0, 4.0]))
        >>> len(pairs), pairs[2]
        (3, (tensor(2), tensor(4.)))
    """

    def __init__(self, *tensors: ArrayLike) -> None:
        if not tensors:
            raise ValueError("TensorDataset: expected at least one tensor, got none")
        self.tensors = tuple(t if isinstance(t, Tensor) else Tensor(t) for t in tensors)
        lengths = [t.shape[0] if t.ndim else None for t in self.tensors]
        if None in lengths:
            raise ValueError(f"TensorDataset: tensor {lengths.index(None)} has no axis to count items along")
        if len(set(lengths)) > 1:
            raise ValueError(f"TensorDataset: expected tensors of equal length, got {lengths}")

    def __len__(self) -> int:
        return self.tensors[0].shape[0]

    def __getitem__(self, i: Any) -> tuple[Tensor, ...]:
        return tuple(t[i] for t in self.tensors)

    def batch(self, indices: Any) -> tuple[Tensor, ...]:
        """The rows at `indices`: a slice (gives views), or ints."""
        if isinstance(indices, slice):
            return self[indices]
        rows = Tensor(np.asarray(indices, dtype=np.int64), device=self.tensors[0].device)
        with no_grad():
            return tuple(ops.take(t, rows, axis=0) for t in self.tensors)

    def to(self, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> TensorDataset:
        """The same data on a device; floating tensors also in a dtype."""
        return TensorDataset(*(Tensor(t, device=device, dtype=dtype if t.dtype.kind == "f" else None)
                               for t in self.tensors))

    def __repr__(self):
        return f"TensorDataset({', '.join(f'{t.dtype} {t.shape}' for t in self.tensors)})"


class Subset(Dataset):
    """Some items of another data set, in a given order.

    Args:
        dataset: the data set.
        indices: ints, each from 0 to len(dataset) - 1; may repeat.

    Raises:
        TypeError: an index is not an int.
        IndexError: an index is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.Subset(tn.data.TensorDataset(tn.arange(5)), [4, 0])[0]
        (tensor(4),)
    """

    def __init__(self, dataset: Any, indices: Any) -> None:
        indices = np.asarray(indices)
        if indices.ndim != 1 or (indices.size and indices.dtype.kind not in "iu"):
            raise TypeError(f"Subset: indices: expected a list of ints, got {indices.dtype} of shape {indices.shape}")
        indices = indices.astype(np.int64)
        outside = (indices < 0) | (indices >= len(dataset))
        if outside.any():
            raise IndexError(f"Subset: index {indices[outside][0]} is out of range for {len(dataset)} items")
        self.dataset, self.indices = dataset, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, i: int) -> Any:
        return self.dataset[int(self.indices[i])]

    def batch(self, indices: Any) -> Any:
        """The items at `indices` of this subset as one batch."""
        return read(self.dataset, self.indices[indices])


def read(dataset, indices):
    """A batch of any data set: by its own `batch` method if it has one, else item by item."""
    if hasattr(dataset, "batch"):
        return dataset.batch(indices)
    if isinstance(indices, slice):
        indices = range(*indices.indices(len(dataset)))
    return collate([dataset[int(i)] for i in indices])


def collate(samples: list) -> Any:
    """Join samples of one form into a batch: numbers and arrays are stacked, tuples and dicts entered, text listed.

    A class of samples says itself how they are joined where it has a static method `collate(samples)`, as `Graph` has.

    Args:
        samples: a non-empty list of numbers, arrays, Tensors, str, `Graph`s, or tuples, lists or dicts of these.

    Returns:
        The same form with Tensors of shape (N, ...) in place of the parts.

    Raises:
        ValueError: the list is empty, or shapes differ.
        TypeError: something else is found.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.data.collate([(1.0, "a"), (2.0, "b")])
        (tensor([1., 2.]), ['a', 'b'])
    """
    if not samples:
        raise ValueError("collate: the batch is empty")
    first = samples[0]
    if hasattr(type(first), "collate"):
        return type(first).collate(samples)
    if isinstance(first, (tuple, list)):
        if any(len(sample) != len(first) for sample in samples):
            raise ValueError(f"collate: samples have {sorted({len(sample) for sample in samples})} parts")
        return tuple(collate(list(parts)) for parts in zip(*samples))
    if isinstance(first, Mapping):
        return {key: collate([sample[key] for sample in samples]) for key in first}
    if isinstance(first, str):
        return list(samples)
    if isinstance(first, Tensor):
        with no_grad():
            return ops.stack(samples)
    if isinstance(first, np.ndarray):
        return Tensor(np.stack(samples))
    if isinstance(first, (bool, int, float, np.generic)):
        return Tensor([s.item() if isinstance(s, np.generic) else s for s in samples],
                      dtype=first.dtype if isinstance(first, np.generic) else None)
    raise TypeError(f"collate: cannot join samples of {type(first).__name__}; give collate_fn")
