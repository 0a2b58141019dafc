"""Drawn shapes: each where it is said to be, and of the size it should have."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data.shapes import CLASSES

pytestmark = pytest.mark.same_on_strict


def test_images_are_bright_where_a_shape_is():
    x, places = (part.numpy() for part in tn.data.drawn_shapes(50, 24, noise=0.0, generator=0))
    assert x.shape == (50, 1, 24, 24) and places.shape == (50, 24, 24)
    np.testing.assert_array_equal(x[:, 0], places > 0)
    for row in places:  # one in each half
        assert (row[:, :12] > 0).any() and (row[:, 12:] > 0).any() and len(set(row[row > 0])) <= 2
    assert set(np.unique(places)) == set(range(len(CLASSES)))


def test_shapes_have_their_form():
    """The share of its box that each fills: all, pi / 4, 5 / 9, 3 / 4, up to the grid."""
    _, places = tn.data.drawn_shapes(40, 200, noise=0.0, generator=1)
    shares = {label: [] for label in range(1, 5)}
    for row in places.numpy():
        for half in (row[:, :100], row[:, 100:]):
            label = half.max()
            v, u = np.nonzero(half == label)
            if len(v):
                shares[label].append(len(v) / ((np.ptp(v) + 1) * (np.ptp(u) + 1)))
    for label, share in zip(range(1, 5), (1, np.pi / 4, 5 / 9, 3 / 4)):
        assert np.median(shares[label]) == pytest.approx(share, abs=0.04)


def test_noise_and_seeds():
    x, places = tn.data.drawn_shapes(30, generator=3, noise=0.5)
    assert float((x[:, 0] - (places > 0).astype("float32")).numpy().std()) == pytest.approx(0.5, rel=0.02)
    again = tn.data.drawn_shapes(30, generator=3, noise=0.5)
    assert x.tolist() == again[0].tolist() != tn.data.drawn_shapes(30, generator=4)[0].tolist()


@pytest.mark.parametrize(("arguments", "message"), [
    ((0,), "n: expected at least 1"), ((1, 8), "side: expected at least 16"), ((1, 16, -1.0), "noise: expected a"),
])
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        tn.data.drawn_shapes(*arguments)
