"""The digits that ship: the published data, whole, and split as documented."""
import hashlib

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import digits

pytestmark = pytest.mark.same_on_strict


def test_the_file_holds_the_published_numbers():
    images, labels = digits.raw()
    # Of the bytes of scikit-learn's copy of the UCI file.
    digest = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    assert digest == "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_it_equals_the_copy_in_scikit_learn():
    published = pytest.importorskip("sklearn.datasets").load_digits()
    images, labels = digits.raw()
    np.testing.assert_array_equal(images, published.images)
    np.testing.assert_array_equal(labels, published.target)


def test_file_and_licence_ship_and_are_small():
    assert digits.FILE.stat().st_size < 60_000
    text = (digits.FILE.parent / "LICENSE-digits.txt").read_text()
    assert "CC BY 4.0" in text and "Alpaydin" in text and "Kaynak" in text


def test_the_split_keeps_all_and_the_share_of_each_class():
    train, test = digits.load()
    assert len(train) + len(test) == 1797
    counts = np.bincount(test.tensors[1].numpy())
    assert counts.tolist() == [36, 36, 35, 37, 36, 36, 36, 36, 35, 36]
    rows = {row.tobytes() for part in (train, test) for row in part.tensors[0].numpy()}
    assert len(rows) == 1797, "an image is in both parts"


def test_values_run_from_zero_to_one_and_the_seed_decides_the_split():
    (x, y), (again, _) = (digits.load(seed=3, dtype=tn.float64, flat=False)[1].tensors for _ in range(2))
    assert x.shape == (len(y), 1, 8, 8) and x.dtype == tn.float64 and y.dtype == tn.int64
    assert float(x.min()) == 0.0 and float(x.max()) == 1.0
    np.testing.assert_array_equal(x.numpy(), again.numpy())
    other = digits.load(seed=4, dtype=tn.float64, flat=False)[1].tensors[0]
    assert (other.numpy() != x.numpy()).any()


def test_what_is_changed_by_the_caller_stays_with_the_caller():
    digits.raw()[0][:] = 0
    assert digits.raw()[0].max() == 16


def test_the_share_must_be_one():
    with pytest.raises(ValueError, match="from 0 to 1, got 2"):
        digits.load(test_share=2)
