"""Mini-batches: every item once per epoch, in an order that can be saved in mid-epoch."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import Tensor
from ..backend import Generator, default_generator
from .dataset import read
from .stream import positive, stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray


def minibatches(n: int, batch: int, generator: Any = None, drop_last: bool = False) -> Iterator[NDArray[np.int64]]:
    """The numbers 0..n-1 in random order, `batch` at a time: sampling without replacement, one pass is one epoch.

    Formula: {0, ..., n-1} = B_1 + B_2 + ... (disjoint), |B_t| = batch, the last one possibly smaller.

    Args:
        n: number of training examples, >= 1.
        batch: size of a mini-batch, >= 1.
        generator: a `tn.Generator`, an int seed, None, or a NumPy stream (for numbers of the literature).
        drop_last: leave out a last, smaller batch.

    Returns:
        An iterator over NumPy arrays of int64.

    Raises:
        TypeError: `n` or `batch` is not an int.
        ValueError: `n` or `batch` is below 1.

    Source: Robbins & Monro 1951; the notes, section 1.1 (which say "subset of the weights" for "of the examples").

    Example:
        >>> import tinygrad_notes as tn
        >>> batches = list(tn.data.minibatches(5, 2, generator=0))
        >>> [len(b) for b in batches], sorted(int(i) for b in batches for i in b)
        ([2, 2, 1], [0, 1, 2, 3, 4])
    """
    n, batch = positive("n", n), positive("batch", batch)
    return _parts(stream(generator).permutation(n), batch, drop_last)


def _parts(order, size, drop_last):
    stop = len(order) - len(order) % size if drop_last else len(order)
    for start in range(0, stop, size):
        yield order[start:start + size]


class DataLoader:
    """Goes through a data set batch by batch; each `for` over it is one epoch.

    Its `state_dict` holds the order of the running epoch and the position in it, so a loader that is
    given this state continues with the next batch, and ends the epoch as the first one would have.

    Args:
        dataset: anything with `len` and items by number; a `batch(indices)` method is used where there is one.
        batch_size: items per batch, >= 1.
        shuffle: draw a new order for each epoch.
        drop_last: leave out a last, smaller batch.
        generator: the stream that orders are drawn from: a `tn.Generator`, an int seed, or None for a stream of
            its own, seeded by the default generator.
        collate_fn: joins a list of items; default: `dataset.batch`, or `collate`.

    Raises:
        TypeError: `batch_size` is not an int, or `generator` is no generator.
        ValueError: the data set is empty, `batch_size` < 1, or `drop_last` leaves no batch at all.

    Example:
        >>> import tinygrad_notes as tn
        >>> loader = tn.data.DataLoader(tn.data.TensorDataset(tn.arange(5)), batch_size=2, shuffle=True, generator=0)
        >>> len(loader), sum(int(x.sum()) for (x,) in loader)
        (3, 10)
    """

    def __init__(self, dataset: Any, batch_size: int = 1, shuffle: bool = False, *, drop_last: bool = False,
                 generator: int | Generator | None = None, collate_fn: Callable[[list], Any] | None = None) -> None:
        self.batch_size = positive("batch_size", batch_size)
        if len(dataset) == 0:
            raise ValueError("dataset: it is empty")
        if drop_last and len(dataset) < self.batch_size:
            raise ValueError(f"drop_last: no batch is left of {len(dataset)} items with batch_size {batch_size}")
        self.dataset, self.collate_fn = dataset, collate_fn
        self.shuffle, self.drop_last = bool(shuffle), bool(drop_last)
        if shuffle and generator is None:
            generator = default_generator.spawn(1)[0]
        elif isinstance(generator, (int, np.integer)) and not isinstance(generator, bool):
            generator = Generator(int(generator))
        if generator is not None and not isinstance(generator, Generator):
            raise TypeError(f"generator: expected a tn.Generator, an int seed or None, got {generator!r}")
        self.generator: Any = generator
        self._order: Any = None  # the order of the running epoch; None: as they come
        self._position = 0      # batches handed out of it
        self._resumed = False   # the next `for` goes on at the position instead of starting an epoch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    @property
    def position(self) -> int:
        """How many batches of the running epoch have been handed out."""
        return self._position

    def __iter__(self) -> Iterator[Any]:
        if self._resumed:
            self._resumed = False
        else:
            self._order = self.generator.host.permutation(len(self.dataset)) if self.shuffle else None
            self._position = 0
        order = self._order
        for k in range(self._position, len(self)):
            rows = slice(k * self.batch_size, min((k + 1) * self.batch_size, len(self.dataset)))
            batch = self._read(rows if order is None else order[rows])
            self._order, self._position = order, k + 1
            yield batch
        self._order, self._position = None, 0

    def _read(self, rows):
        if self.collate_fn is None:
            return read(self.dataset, rows)
        numbers = range(*rows.indices(len(self.dataset))) if isinstance(rows, slice) else rows
        return self.collate_fn([self.dataset[int(i)] for i in numbers])

    def state_dict(self) -> dict[str, Any]:
        """Where the loader is: the state of its stream, the order of the running epoch, the position in it."""
        return {
            "size": len(self.dataset), "batch_size": self.batch_size, "position": self._position,
            "order": None if self._order is None else Tensor(self._order.copy(), device="cpu"),
            "generator": None if self.generator is None else Tensor(self.generator.get_state(), device="cpu"),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a loader over the same data was; the next `for` continues its epoch.

        Raises:
            ValueError: the state is of a loader over another number of items, or with another batch size, or is
                damaged; nothing has changed then.
        """
        for key, mine in (("size", len(self.dataset)), ("batch_size", self.batch_size)):
            if state[key] != mine:
                raise ValueError(f"state of a loader: expected {key} {mine}, got {state[key]}")
        order = state["order"]
        order = None if order is None else Tensor(order).numpy().copy()
        position = positive("state of a loader: position", state["position"], 0)
        if position > len(self):
            raise ValueError(f"state of a loader: position {position} is beyond its {len(self)} batches")
        if order is not None and not np.array_equal(np.sort(order), np.arange(len(self.dataset))):
            raise ValueError(f"state of a loader: order is no permutation of {len(self.dataset)} items")
        if (state["generator"] is None) != (self.generator is None):
            raise ValueError("state of a loader: one of the two loaders shuffles and the other does not")
        if self.generator is not None:
            self.generator.set_state(Tensor(state["generator"]).numpy())
        self._order, self._position, self._resumed = order, position, position > 0
