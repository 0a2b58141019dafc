"""Dividing data: at random, class by class, or with replacement."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .dataset import Subset
from .stream import integers, positive, share, stream

if TYPE_CHECKING:
    from collections.abc import Sequence


def random_split(dataset: Any, lengths: Sequence[float] | Sequence[int],
                 generator: Any = None) -> list[Subset]:
    """Divide a data set at random into parts that do not overlap.

    Args:
        dataset: the data set.
        lengths: ints that add up to its length, or shares that add up to 1 (items left over by rounding down go to
            the first parts, one each).
        generator: a `tn.Generator`, an int seed, or None.

    Returns:
        A list of `Subset`.

    Raises:
        ValueError: the lengths do not add up, or one is negative.

    Example:
        >>> import tinygrad_notes as tn
        >>> parts = tn.data.random_split(tn.data.TensorDataset(tn.arange(10)), [0.75, 0.25], generator=0)
        >>> [len(part) for part in parts]
        [8, 2]
    """
    n, lengths = len(dataset), list(lengths)
    if any(length < 0 for length in lengths):
        raise ValueError(f"lengths: expected no negative number, got {lengths}")
    if any(isinstance(length, float) for length in lengths):
        if not math.isclose(sum(lengths), 1):
            raise ValueError(f"lengths: shares must add up to 1, {lengths} add up to {sum(lengths)}")
        lengths = [math.floor(n * length) for length in lengths]
        for k in range(n - sum(lengths)):
            lengths[k % len(lengths)] += 1
    if sum(lengths) != n:
        raise ValueError(f"lengths: {lengths} add up to {sum(lengths)}, the data set has {n} items")
    order = stream(generator).permutation(n)
    ends = np.cumsum(lengths)
    return [Subset(dataset, order[end - length:end]) for end, length in zip(ends, lengths)]


def stratified_split(labels, test_share, generator=None):
    """Divide items into two parts that hold the same share of every class.

    Args:
        labels: int array of shape (N,).
        test_share: share of each class that goes to the second part, 0 to 1; rounded to whole items.
        generator: a `tn.Generator`, an int seed, or None.

    Returns:
        Two int64 arrays of item numbers, each in random order.

    Raises:
        ValueError: `test_share` is not from 0 to 1, or `labels` is not one-dimensional.
        TypeError: `labels` are not integers.

    Example:
        >>> import tinygrad_notes as tn
        >>> train, test = tn.data.stratified_split([0, 0, 0, 0, 1, 1], 0.5, generator=0)
        >>> len(train), len(test)
        (3, 3)
    """
    labels = class_labels(labels)
    rng, test_share = stream(generator), share("test_share", test_share)
    first, second = [], []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        k = round(test_share * len(members))
        second.append(members[:k])
        first.append(members[k:])
    empty = np.empty(0, np.int64)
    return tuple(rng.permutation(np.concatenate([empty, *part]).astype(np.int64)) for part in (first, second))


def bootstrap(n, generator=None, size=None):
    """Item numbers drawn with replacement, and those that were never drawn.

    Formula: i_1, ..., i_size ~ Uniform{0, ..., n-1}, independent; about n/e items stay out of a sample of n.

    Args:
        n: number of items, >= 1.
        generator: a `tn.Generator`, an int seed, or None.
        size: how many to draw, default n.

    Returns:
        Two int64 arrays: the sample of shape (size,), and the items out of it, ascending.

    Raises:
        TypeError: `n` or `size` is not an int.
        ValueError: `n` or `size` is below 1.

    Source: Efron 1979, "Bootstrap methods: another look at the jackknife".

    Example:
        >>> import tinygrad_notes as tn
        >>> drawn, out = tn.data.bootstrap(5, generator=0)
        >>> len(drawn), sorted({*drawn.tolist(), *out.tolist()})
        (5, [0, 1, 2, 3, 4])
    """
    n = positive("n", n)
    drawn = integers(stream(generator), n, positive("size", n if size is None else size))
    return drawn, np.setdiff1d(np.arange(n), drawn)


def class_labels(labels):
    """`labels` as a NumPy array of ints.

    Raises:
        ValueError: they are not one-dimensional.
        TypeError: they are not integers.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1:
        raise ValueError(f"labels: expected shape (N,), got {labels.shape}")
    if labels.size and labels.dtype.kind not in "iu":
        raise TypeError(f"labels: expected integers, got {labels.dtype}")
    return labels
