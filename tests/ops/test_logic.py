"""Questions about two whole tensors."""
import numpy as np
import pytest

import tinygrad_notes as tn


def test_allclose():
    x = tn.tensor([1.0, float("inf"), 3.0])
    assert tn.allclose(x, x) and tn.allclose(x, x * (1 + 1e-6))
    assert not tn.allclose(x, tn.tensor([1.0, float("inf"), 3.1]))
    assert not tn.allclose(x, tn.tensor([1.0, float("-inf"), 3.0]))
    assert tn.allclose(x, tn.tensor([1.05, float("inf"), 3.1]), rtol=0.1)
    nan = tn.tensor([float("nan")])
    assert not tn.allclose(nan, nan) and tn.allclose(nan, nan, equal_nan=True)
    with pytest.raises(ValueError, match="rtol"):
        tn.allclose(x, x, rtol=-1.0)


def test_array_equal():
    x = tn.tensor([[1, 2], [3, 4]])
    assert tn.array_equal(x, np.array([[1.0, 2.0], [3.0, 4.0]])) is True
    assert tn.array_equal(x, tn.tensor([1, 2])) is False
    assert tn.array_equal(x, x + 1) is False


def test_comparisons_carry_no_gradient():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    for name in ("equal", "less", "isnan", "isfinite", "signbit", "logical_not"):
        out = getattr(tn, name)(x, x) if name in ("equal", "less") else getattr(tn, name)(x)
        assert out.dtype == tn.bool and not out.requires_grad, name
