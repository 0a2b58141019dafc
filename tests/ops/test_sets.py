"""Sets beyond the table of operations: what kinds of result they give, NaN, and other edges."""
import numpy as np
import pytest

import tinygrad_notes as tn


def test_named_tuples_of_the_standard():
    x = tn.tensor([3, 1, 3])
    assert tn.unique_all(x)._fields == ("values", "indices", "inverse_indices", "counts")
    assert tn.unique_counts(x)._fields == ("values", "counts")
    assert tn.unique_inverse(x)._fields == ("values", "inverse_indices")


def test_each_nan_is_its_own():
    x = tn.tensor([np.nan, 1.0, np.nan, 1.0])
    assert tn.unique_values(x).shape == (3,)
    assert tn.unique_counts(x).counts.tolist() == [2, 1, 1]
    assert tn.isin(x, x).tolist() == [False, True, False, True]


def test_values_are_restored(rng):
    x = rng.integers(0, 5, (3, 4, 2))
    every = tn.unique_all(tn.tensor(x))
    assert every.inverse_indices.shape == (3, 4, 2) and every.indices.dtype == tn.int64
    assert tn.take(every.values, every.inverse_indices).tolist() == x.tolist()
    assert x.ravel()[every.indices.tolist()].tolist() == every.values.tolist()
    assert int(every.counts.sum()) == x.size


@pytest.mark.parametrize("dtype", [tn.bool_, tn.uint8, tn.int32, tn.float32])
def test_dtype_is_kept(dtype):
    x = tn.tensor(np.array([1, 0, 1]), dtype=dtype)
    assert tn.unique_values(x).dtype == dtype
    assert tn.unique_inverse(x).values.dtype == dtype


def test_nothing():
    empty = tn.zeros((0, 3))
    assert tn.unique_values(empty).shape == (0,)
    assert tn.unique_all(empty).inverse_indices.shape == (0, 3)
    assert tn.isin(empty, tn.ones(2)).shape == (0, 3)


def test_no_gradient_is_claimed():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    assert not any(part.requires_grad for part in tn.unique_all(x))


def test_isin_of_numbers():
    assert tn.isin(3, [1, 2, 3]).item() is True
    assert tn.isin(tn.tensor([1, 4]), 4, invert=True).tolist() == [True, False]
