"""TensorDataset, Subset, collate: items by number, and a batch at once."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import Dataset, Subset, TensorDataset, collate


@pytest.fixture
def pairs(rng):
    return TensorDataset(tn.tensor(rng.normal(size=(7, 3))), tn.tensor(np.arange(7)))


def test_a_batch_holds_the_rows_asked_for(pairs):
    x, y = pairs.batch([5, 0, 5])
    assert y.tolist() == [5, 0, 5]
    np.testing.assert_array_equal(x.numpy(), pairs.tensors[0].numpy()[[5, 0, 5]])


def test_a_slice_gives_the_same_rows_as_numbers(pairs):
    for whole, numbers in (zip(pairs.batch(slice(2, 5)), pairs.batch([2, 3, 4]))):
        np.testing.assert_array_equal(whole.numpy(), numbers.numpy())


def test_an_item_is_the_tuple_of_rows(pairs):
    x, y = pairs[3]
    assert (x.shape, y.item(), len(pairs)) == ((3,), 3, 7)


def test_tensors_must_agree_in_length():
    with pytest.raises(ValueError, match=r"equal length, got \[3, 2\]"):
        TensorDataset(np.zeros(3), np.zeros(2))
    with pytest.raises(ValueError, match="tensor 1 has no axis"):
        TensorDataset(np.zeros(3), 1.0)
    with pytest.raises(ValueError, match="at least one"):
        TensorDataset()


def test_to_changes_the_dtype_of_floating_tensors_alone(pairs):
    moved = pairs.to("strict", tn.float32)
    assert [(str(t.device), t.dtype) for t in moved.tensors] == [("strict", tn.float32), ("strict", tn.int64)]


def test_a_subset_reads_through_to_its_data_set(pairs):
    part = Subset(pairs, [6, 2, 2])
    assert len(part) == 3
    assert part[0][1].item() == 6
    assert part.batch([2, 0])[1].tolist() == [2, 6]
    assert part.batch(slice(1, 3))[1].tolist() == [2, 2]
    assert Subset(part, [1])[0][1].item() == 2


def test_a_subset_refuses_numbers_outside(pairs):
    with pytest.raises(IndexError, match="index 7 is out of range for 7 items"):
        Subset(pairs, [0, 7])
    with pytest.raises(IndexError, match="index -1"):
        Subset(pairs, [-1])
    with pytest.raises(TypeError, match="list of ints"):
        Subset(pairs, [0.5])


class Named(Dataset):
    """Items of several kinds, by number."""

    def __len__(self):
        return 4

    def __getitem__(self, i):
        return {"x": np.full(2, i, np.float32), "n": i, "name": f"item {i}", "pair": (tn.tensor(float(i)), bool(i))}


def test_collate_enters_dicts_and_tuples():
    batch = Named().batch([3, 0])
    assert batch["x"].tolist() == [[3, 3], [0, 0]]
    assert batch["n"].dtype == tn.int64
    assert batch["name"] == ["item 3", "item 0"]
    assert batch["pair"][0].tolist() == [3.0, 0.0]
    assert batch["pair"][1].dtype == tn.bool_


def test_collate_keeps_the_dtype_of_numpy_numbers():
    assert collate([np.float64(1), np.float64(2)]).dtype == tn.float64
    assert collate([1.0, 2.0]).dtype == tn.float32


@pytest.mark.parametrize(("samples", "error", "message"), [
    ([], ValueError, "empty"), ([(1, 2), (1,)], ValueError, "parts"), ([object()], TypeError, "collate_fn"),
])
def test_collate_says_what_it_cannot_join(samples, error, message):
    with pytest.raises(error, match=message):
        collate(samples)
