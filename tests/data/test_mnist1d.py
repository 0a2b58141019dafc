"""MNIST-1D as published, generated on the spot."""
from functools import lru_cache

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import mnist1d

pytestmark = pytest.mark.same_on_strict


@lru_cache(maxsize=2)
def published(n=5000, split=0.8):
    return [tuple(t.numpy() for t in part.tensors) for part in mnist1d.make(n, split=split, dtype=tn.float64)]


@pytest.mark.row("D-01")
def test_templates():
    patterns = mnist1d.templates()
    first = [0, .23694, .355409, .414644, .473879, .473879, .473879, .473879, .414644, .355409, .23694, 0]
    np.testing.assert_allclose(patterns[0], first, atol=5e-7)
    np.testing.assert_allclose(patterns[1, :4], [0, -.369863, -.369863, -.295891], atol=5e-7)


@pytest.mark.row("D-02")
def test_seed_42_gives_the_published_examples():
    (x, y), (_, y_test) = published()
    np.testing.assert_allclose(x[0, :6], [-.332006, -.47191, -.778697, -1.009741, -.882353, .103935], atol=1.1e-6)
    assert y[:20].tolist() == [2, 6, 4, 5, 6, 6, 6, 0, 3, 1, 6, 9, 4, 3, 4, 5, 1, 9, 0, 3]
    assert y_test[:10].tolist() == [2, 6, 3, 9, 4, 3, 1, 9, 5, 2]


@pytest.mark.row("D-03")
def test_statistics_of_the_published_set():
    (x, y), (x_test, y_test) = published()
    both = np.concatenate([x, x_test])
    assert both.shape == (5000, 40)
    assert abs(both.mean()) < 1e-15
    assert abs(both.std() - 1) < 1e-12
    np.testing.assert_allclose([x.sum(), np.abs(x).sum()], [-51.787468, 118338.2951], rtol=1e-8)
    assert np.bincount(y).tolist() == [398, 396, 411, 394, 394, 402, 401, 404, 402, 398]
    assert np.bincount(y_test).tolist() == [102, 104, 89, 106, 106, 98, 99, 96, 98, 102]


@pytest.mark.row("D-04")
def test_the_large_variant():
    (x, y), (x_test, _) = published(16000, 0.25)
    assert (len(x), len(x_test)) == (4000, 12000)
    assert y[:10].tolist() == [5, 6, 2, 6, 8, 3, 2, 0, 6, 9]
    np.testing.assert_allclose(x[0, :4], [.190543, -.064643, -.012497, .119344], atol=1.1e-6)


def test_shuffled_positions_are_one_permutation_of_all_examples():
    plain = mnist1d.make(50, dtype=tn.float64)[0].tensors[0].numpy()
    shuffled = mnist1d.make(50, shuffle_seq=True, dtype=tn.float64)[0].tensors[0].numpy()
    columns = [np.flatnonzero(np.isclose(plain, column[:, None]).all(0)) for column in shuffled.T]
    order = [c[0] for c in columns if len(c) == 1]
    assert sorted(order) == list(range(40)) and order != sorted(order)


def test_bad_sizes_are_refused():
    for options, message in [({"n": 55}, "multiple of 10"), ({"n": 0}, "at least 10"), ({"split": 1.5}, "from 0 to 1")]:
        with pytest.raises(ValueError, match=message):
            mnist1d.make(**options)
