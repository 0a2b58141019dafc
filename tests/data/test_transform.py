"""Standardizing and label noise."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.data import label_noise, standardize


def test_columns_get_mean_zero_and_variance_one(rng):
    x = rng.normal(3, 5, size=(200, 4))
    z = standardize(tn.tensor(x)).numpy()
    np.testing.assert_allclose(z, (x - x.mean(0)) / x.std(0), rtol=1e-12, atol=1e-13)


def test_test_inputs_are_scaled_by_the_numbers_of_the_training_inputs(rng):
    x, t = rng.normal(size=(50, 2, 3)), rng.normal(size=(7, 2, 3))
    _, scaled = standardize(tn.tensor(x), tn.tensor(t))
    np.testing.assert_allclose(scaled.numpy(), (t - x.mean(0)) / x.std(0), rtol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6, 1e-30])
def test_a_constant_column_is_only_shifted(value):
    z = standardize(tn.tensor(np.full((1000, 1), value)))
    assert abs(z.numpy()).max() < 1e-6


def test_standardize_refuses_what_has_no_rows_or_other_columns():
    with pytest.raises(ValueError, match="N >= 1"):
        standardize(tn.zeros((0, 3)))
    with pytest.raises(ValueError, match=r"columns of shape \(3,\), got \(2,\)"):
        standardize(tn.zeros((4, 3)), tn.zeros((4, 2)))


def test_the_share_asked_for_gets_another_class(rng):
    labels = tn.tensor(rng.integers(0, 10, 5000))
    noisy = label_noise(labels, 0.15, 10, generator=0)
    changed = noisy.numpy() != labels.numpy()
    assert changed.sum() == 750
    shift = (noisy.numpy() - labels.numpy())[changed] % 10
    counts = np.bincount(shift, minlength=10)
    assert counts[0] == 0 and abs(counts[1:] - 750 / 9).max() < 4 * np.sqrt(750 / 9)
    assert label_noise(labels, 0.0, 10).tolist() == labels.tolist()


@pytest.mark.parametrize(("options", "error", "message"), [
    (([0, 1], 1.5, 2), ValueError, "fraction"), (([0, 1], 0.5, 1), ValueError, "at least 2"),
    (([0, 5], 0.5, 3), ValueError, "0 to 2, got 0 to 5"), (([0.5], 0.5, 3), TypeError, "integers"),
])
def test_label_noise_refuses(options, error, message):
    with pytest.raises(error, match=message):
        label_noise(*options)
