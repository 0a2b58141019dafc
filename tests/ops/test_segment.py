"""Segments sorted once, extremes of long and short segments, and the ids that are refused."""
import copy

import numpy as np
import pytest

import tinygrad_notes as tn

RNG = np.random.default_rng(0)


def tensor(array):
    return tn.Tensor(array, device=tn.current_device())


# Segments of many lengths: a few long ones, many short ones, empty ones between.
LENGTHS = {
    "one long": [300, 0, 1], "all short": [1, 2, 0, 3] * 20, "some long": [40, 1, 30, 2, 0, 2] * 6, "even": [4] * 50,
    "none": [0, 0, 0],
}


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_extremes_of_segments(lengths, width, dtype):
    ids = RNG.permutation(np.repeat(np.arange(len(lengths)), lengths))
    x = (RNG.standard_normal((len(ids), width)) * 100).astype(dtype)
    want = np.array([x[ids == k].max(0) if (ids == k).any() else np.full(width, 7) for k in range(len(lengths))])
    least = np.array([x[ids == k].min(0) if (ids == k).any() else np.full(width, 7) for k in range(len(lengths))])
    for groups in (tensor(ids), tn.Segments(tensor(ids), len(lengths))):
        found = tn.segment_max(tensor(x), groups, len(lengths), empty=7)
        assert found.dtype == dtype and found.tolist() == want.tolist()
        assert tn.segment_min(tensor(x), groups, len(lengths), empty=7).tolist() == least.tolist()


def test_what_is_no_number_is_the_largest():
    x = np.ones((40, 2))
    x[17, 1] = np.nan
    found = tn.segment_max(tensor(x), tensor(np.repeat([0, 1], 20)), 2).numpy()
    assert np.isnan(found).tolist() == [[False, True], [False, False]]


def test_many_segments_are_sorted_too():
    """More than 16 bits of ids, more than 32 thousand rows."""
    n = 200_000
    ids = RNG.integers(0, n, 50_000)
    order, start = tn.current_device().xp.sorted_ids(tensor(ids).data, n)
    host = tn.current_device().to_numpy
    np.testing.assert_array_equal(host(order), np.argsort(ids, kind="stable"))
    np.testing.assert_array_equal(host(start), np.searchsorted(np.sort(ids), np.arange(n + 1)))


def test_softmax_of_segments_is_stable_and_sums_to_one():
    ids = np.array([3, 0, 0, 3, 1])
    x = np.array([1000.0, -1000.0, -1001.0, 999.0, 5.0])
    found = tn.segment_softmax(tensor(x), tensor(ids), 4).numpy()
    e = 1 / (1 + np.exp(-1))
    np.testing.assert_allclose(found, [e, e, 1 - e, 1 - e, 1], rtol=1e-12)
    assert tn.segment_softmax(tensor(np.zeros((0, 3))), tensor(ids[:0]), 4).shape == (0, 3)
    assert tn.segment_softmax(tensor(ids), tensor(ids), 4).dtype == "float32"


def test_segments_are_integers_that_know_their_number():
    groups = tn.Segments([0, 2, 0], 4)
    assert isinstance(groups, tn.Tensor) and groups.tolist() == [0, 2, 0] and groups.num_segments == 4
    assert groups.counts.tolist() == [2, 0, 1, 0] and (groups + 1).tolist() == [1, 3, 1]
    assert copy.copy(groups) is groups and tn.Segments([], 3).counts.tolist() == [0, 0, 0]
    x = tn.tensor([1.0, 2.0, 3.0])
    assert tn.segment_mean(x, groups).tolist() == [2, 0, 2, 0] and tn.segment_prod(x, groups).tolist() == [3, 1, 2, 1]
    assert tn.Segments(groups, 5, "strict").device == "strict"


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: tn.Segments([0, 1, 3], 3), IndexError, r"ids\[2\] is 3, but there are 3 segments: expected a number in"),
    (lambda: tn.Segments([0, -1], 3), IndexError, r"ids\[1\] is -1"),
    (lambda: tn.Segments([0.5], 3), IndexError, "ids has dtype float32"),
    (lambda: tn.Segments([[0]], 3), ValueError, r"ids has shape \(1, 1\), expected one axis"),
    (lambda: tn.Segments([0], -1), ValueError, "num_segments is -1"),
    (lambda: tn.Segments([0], 1.5), ValueError, "num_segments is 1.5"),
    (lambda: tn.segment_sum(tn.ones(1), [0]), TypeError, "num_segments is missing"),
    (lambda: tn.segment_max(tn.ones(2), tn.Segments([0, 1], 2), 3), ValueError,
     "num_segments is 3, but segment_ids has 2"),
    (lambda: tn.segment_softmax(tn.ones(3), tn.Segments([0, 1], 2)), ValueError, "one id per row"),
    (lambda: tn.segment_softmax(tn.ones(2), [0, 5], 3), IndexError, "5"),
])
def test_what_raises(call, error, message):
    with pytest.raises(error, match=message):
        call()
