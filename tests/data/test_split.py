"""Parts of a data set: disjoint, complete, with the shares asked for."""
import math

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import TensorDataset, bootstrap, random_split, stratified_split

pytestmark = pytest.mark.same_on_strict


@pytest.mark.parametrize("lengths", [[7, 3], [0.7, 0.3], [10, 0], [1 / 3, 1 / 3, 1 / 3]])
def test_random_parts_are_disjoint_and_complete(lengths):
    data = TensorDataset(tn.arange(10))
    parts = random_split(data, lengths, generator=0)
    items = [item for part in parts for item in part.indices.tolist()]
    assert sorted(items) == list(range(10))
    assert [len(p) for p in parts] == ([7, 3] if lengths[0] in (7, 0.7) else [10, 0] if lengths[0] == 10 else [4, 3, 3])


def test_random_split_refuses_lengths_that_do_not_add_up():
    for lengths, message in [([5, 4], "add up to 9, the data set has 10"), ([0.5, 0.4], "shares must add up to 1"),
                             ([11, -1], "negative")]:
        with pytest.raises(ValueError, match=message):
            random_split(range(10), lengths)


def test_each_class_has_its_share_in_both_parts(rng):
    labels = rng.permutation(np.repeat([0, 1, 2], [100, 50, 10]))
    train, test = stratified_split(labels, 0.2, generator=1)
    assert np.bincount(labels[test]).tolist() == [20, 10, 2]
    assert sorted([*train, *test]) == list(range(160))
    assert (np.diff(labels[test]) < 0).any(), "the parts are still sorted by class"


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_part_may_be_empty(share):
    train, test = stratified_split([0, 1, 1], share)
    assert (len(train), len(test)) == ((3, 0) if share == 0 else (0, 3))


def test_stratified_split_refuses_what_is_no_class():
    with pytest.raises(TypeError, match="integers"):
        stratified_split([0.5, 1.0], 0.5)
    with pytest.raises(ValueError, match="from 0 to 1"):
        stratified_split([0, 1], 1.5)
    with pytest.raises(ValueError, match=r"shape \(N,\)"):
        stratified_split([[0, 1]], 0.5)


def test_the_bootstrap_leaves_out_the_share_it_should():
    n = 4000
    drawn, out = bootstrap(n, generator=0)
    assert len(drawn) == n and set(drawn.tolist()) | set(out.tolist()) == set(range(n))
    assert not set(drawn.tolist()) & set(out.tolist())
    # Each item stays out with probability (1 - 1/n)^n; the count has standard deviation about sqrt(n e^-1 (1 - 2/e)).
    assert abs(len(out) - n * (1 - 1 / n)**n) < 4 * math.sqrt(n / math.e * (1 - 2 / math.e))
    assert np.bincount(drawn, minlength=n).max() < 12


def test_the_bootstrap_draws_the_same_from_both_kinds_of_numpy_stream():
    assert len(bootstrap(5, np.random.RandomState(0), size=9)[0]) == 9  # noqa: NPY002
