"""Choices: nothing leaks from what was not chosen; bounds of every kind; dtypes are kept."""
import numpy as np
import pytest

import tinygrad_notes as tn


def test_an_infinite_cotangent_stops_at_what_was_not_chosen():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    y = tn.tensor([3.0, 4.0], requires_grad=True)
    out = tn.where(tn.tensor([True, False]), x, y)
    out.backward(tn.tensor([float("inf"), float("nan")]))
    assert x.grad.tolist() == [float("inf"), 0.0] and y.grad.tolist()[0] == 0.0


def test_safe_where_gradient_where_plain_where_is_nan():
    x = tn.tensor([0.0, 4.0], requires_grad=True)
    tn.safe_where(x > 0, tn.sqrt, 0.0, x).sum().backward()
    assert x.grad.tolist() == [0.0, 0.25]
    x.grad = None
    with np.errstate(all="ignore"):
        tn.where(x > 0, tn.sqrt(x), 0.0).sum().backward()
    assert np.isnan(x.grad.tolist()[0])


def test_where_of_numbers_and_of_lists():
    c = tn.tensor([True, False])
    assert tn.where(c, 1.0, 2.0).dtype == tn.float32
    assert tn.where(c, 1, 2).tolist() == [1, 2]
    assert tn.where(c, tn.tensor([1.0, 2.0]), 0).dtype == tn.float32


@pytest.mark.parametrize("dtype", ["int8", "int64", "float32", "float64"])
def test_clip_keeps_the_dtype(dtype):
    x = tn.Tensor(np.array([-5, 0, 5], dtype))
    for bounds in ((-1, 2), (-1, None), (None, 2), (None, None)):
        out = tn.clip(x, *bounds)
        assert out.dtype == dtype
        expected = [-5, 0, 5] if bounds == (None, None) else np.clip([-5, 0, 5], *bounds)
        np.testing.assert_array_equal(out.numpy(), expected)
    assert tn.clip(x) is not x


def test_clip_where_the_bounds_cross():
    assert tn.clip(tn.tensor([0.0, 3.0]), 2.0, 1.0).tolist() == [1.0, 1.0]
    assert tn.clip(tn.tensor([0.0, 3.0]), tn.tensor(2.0), tn.tensor(1.0)).tolist() == [1.0, 1.0]


def test_masked_fill_keeps_the_dtype_or_raises():
    mask = tn.tensor([True, False])
    assert tn.masked_fill(tn.tensor([1, 2]), mask, 7).tolist() == [7, 2]
    assert tn.masked_fill(tn.tensor([True, True]), mask, 0).tolist() == [False, True]
    assert tn.masked_fill(tn.tensor([1.0, 2.0]), mask, float("-inf")).tolist() == [float("-inf"), 2.0]
    with pytest.raises(TypeError, match="2.5"):
        tn.masked_fill(tn.tensor([1, 2]), mask, 2.5)
    with pytest.raises(TypeError, match="mask"):
        tn.masked_fill(tn.tensor([1.0]), tn.tensor([1]), 0.0)


def test_a_tie_gives_half_to_each():
    x, y = (tn.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    (tn.maximum(x, y) + 3 * tn.minimum(x, y)).sum().backward()
    assert x.grad.tolist() == y.grad.tolist() == [2.0, 2.0]
