"""A class for each place: gradients, shapes, and a segmentation of drawn signals."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tests.models.shapes import drawn_signals
from tinygrad_notes.data import DataLoader, TensorDataset
from tinygrad_notes.models import UNet, overlap


@pytest.mark.row("S0-T20")
@pytest.mark.same_on_strict
def test_shapes_in_signals_are_found(rng):
    x, y = drawn_signals(rng, 240)
    model = UNet(1, 3, (8, 16, 16), axes=1)
    loader = DataLoader(TensorDataset(tn.tensor(x[:200]), tn.tensor(y[:200])), 20, shuffle=True, generator=0)
    tn.train.fit(model, loader, tn.optim.Adam(model.parameters(), lr=0.01), 8)
    found = model.predict(tn.tensor(x[200:]))
    assert found.shape == (40, 64)
    assert min(overlap(found, y[200:], label) for label in (1, 2)) > 0.8
    threshold = np.abs(x[200:, 0]) > 0.5  # without neighbours
    assert overlap(threshold.astype(int), (y[200:] > 0).astype(int)) < 0.8


@pytest.mark.parametrize(("axes", "training"), [(1, True), (2, True), (1, False)])
def test_gradients(rng, axes, training):
    model = UNet(2, 3, (2, 3), axes, dtype=tn.float64).train(training)
    x, y = tn.tensor(rng.normal(size=(2, 2, *(4,) * axes))), tn.tensor(rng.integers(0, 3, (2, *(4,) * axes)))
    assert tn.testing.check_module(model, lambda: model.loss(x, y)["loss"], directions=1, elements=0)


def test_what_pooling_lost_comes_over_the_bridge(rng):
    """Two inputs that look alike behind the first pooling are told apart."""
    model = UNet(1, 2, (8, 8)).eval()
    x = np.zeros((2, 1, 4, 4), np.float32)
    x[0, 0, 1, 1] = x[1, 0, 0, 0] = 1
    scores = model(tn.tensor(x)).numpy()
    assert not np.allclose(scores[0], scores[1])


def test_the_overlap_is_intersection_over_union():
    assert overlap([0, 0, 1, 1], [0, 1, 1, 0]) == 1 / 3
    assert overlap([0, 2], [0, 2]) == 1.0 and overlap([1, 0], [0, 1]) == 0.0


def test_errors():
    with pytest.raises(ValueError, match="axes: expected 1 or 2, got 3"):
        UNet(axes=3)
    with pytest.raises(ValueError, match=r"with 2 further axes, multiples of 4, got \(2, 1, 6, 8\)"):
        UNet()(tn.zeros((2, 1, 6, 8)))
    with pytest.raises(ValueError, match="widths"):
        UNet(widths=())
