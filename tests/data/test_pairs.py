"""Words and the same from back to front."""
import numpy as np
import pytest

import tinygrad_notes as tn

pytestmark = pytest.mark.same_on_strict


def test_words_are_turned_and_their_letters_equally_likely():
    words, turned = (part.numpy() for part in tn.data.reversals(4000, 5, 4, generator=0))
    np.testing.assert_array_equal(words, turned[:, ::-1])
    assert words.dtype == np.int64 and np.bincount(words.ravel()) / words.size == pytest.approx([0.25] * 4, abs=0.01)
    assert (tn.data.reversals(9, generator=1)[0] == tn.data.reversals(9, generator=1)[0]).all()


def test_errors():
    with pytest.raises(ValueError, match="letters: expected at least 1, got 0"):
        tn.data.reversals(1, 1, 0)
