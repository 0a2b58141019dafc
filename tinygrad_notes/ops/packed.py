"""Index arithmetic of packed sequences: which rows of a padded array are real, and where they go.

Sequences of lengths L_1 >= L_2 >= ... >= L_N are packed time by time: row j of time t is that of sequence j, and
`sizes[t]` sequences are longer than t.
"""
import numpy as np

from ..autograd import Tensor

__all__ = []


def _tensor(host, device):
    return Tensor.wrap(device.from_numpy(np.ascontiguousarray(host, dtype=np.int64)))


def sizes_of(lengths):
    """How many sequences are longer than t, for t = 0, 1, ...: a tuple of ints."""
    lengths = np.asarray(lengths, dtype=np.int64)
    counts = np.bincount(lengths)  # sequences of length 0, 1, ...
    return tuple((len(lengths) - np.cumsum(counts)[:-1]).tolist())


def lengths_of(sizes):
    """The lengths of the sequences, longest first: a list of ints."""
    return (np.asarray(sizes)[:, None] > np.arange(sizes[0])).sum(axis=0).tolist()


def _rows(sizes):
    """Time and sequence of every packed row."""
    sizes = np.asarray(sizes)
    times = np.repeat(np.arange(len(sizes)), sizes)
    starts = np.cumsum(sizes) - sizes
    return times, np.arange(len(times)) - starts[times]


def packing(sizes, order, n, device):
    """For every packed row its place in a padded array (T, n, ...), flattened to (T*n, ...)."""
    times, j = _rows(sizes)
    return _tensor(times * n + (j if order is None else np.asarray(order)[j]), device)


def padding(sizes, order, total, device):
    """For every place of a padded array (total, N) its packed row; the number of rows S where there is none."""
    times, j = _rows(sizes)
    places = np.full((total, sizes[0]), len(times))
    places[times, j if order is None else np.asarray(order)[j]] = np.arange(len(times))
    return _tensor(places, device)


def laying(lengths, total, left, device):
    """For every place of a padded array (N, total) its row in the sequences laid end to end; S where there is none."""
    lengths = np.asarray(lengths, dtype=np.int64)
    offsets = np.cumsum(lengths) - lengths
    at = np.arange(total) - (total - lengths[:, None] if left else 0)
    return _tensor(np.where((at >= 0) & (at < lengths[:, None]), offsets[:, None] + at, lengths.sum()), device)


def last_rows(sizes, device):
    """For every sequence the packed row of its last time."""
    sizes = np.asarray(sizes)
    starts = np.cumsum(sizes) - sizes
    lengths = np.asarray(lengths_of(sizes))
    return _tensor(starts[lengths - 1] + np.arange(sizes[0]), device)


def longest_first(lengths):
    """The order of the sequences by falling length, equal ones as they come: a list of ints."""
    return np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable").tolist()


def inverse(order):
    """The order that undoes an order: a list of ints."""
    return np.argsort(np.asarray(order, dtype=np.int64), kind="stable").tolist()
