"""Reductions where mathematics leaves a choice: ties, kinks, zero variance, nothing at all, NaN, axes."""
import numpy as np
import pytest

import tinygrad_notes as tn

INF, NAN = float("inf"), float("nan")


def host(t):
    return t.device.to_numpy(t.data)


def gradient(function, values, dtype="float64"):
    """The gradient of the sum of a function's values, and that of its weighted sum."""
    x = tn.tensor(values, dtype=dtype, requires_grad=True)
    (first,) = tn.autograd.grad(function(x).sum(), x, create_graph=True)
    weights = tn.tensor(np.arange(1.0, x.size + 1).reshape(x.shape))
    second = tn.autograd.grad((first * weights).sum(), x, allow_unused=True)[0] if first.requires_grad else None
    return host(first), np.zeros(x.shape) if second is None else host(second)


@pytest.mark.parametrize("name, values, expected", [
    ("max", [1.0, 3.0, 3.0, 3.0], [0, 1 / 3, 1 / 3, 1 / 3]),
    ("min", [1.0, 3.0, 1.0], [0.5, 0, 0.5]),
    ("amax", [[2.0, 2.0], [1.0, 0.0]], [[0.5, 0.5], [0, 0]]),
    ("max", [INF, INF, 1.0], [0.5, 0.5, 0]),
])
def test_equal_extremes_share_the_gradient(name, values, expected):
    np.testing.assert_allclose(gradient(getattr(tn, name), values)[0], expected)
    torch = pytest.importorskip("torch")
    x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    getattr(torch, {"max": "amax", "min": "amin"}.get(name, name))(x).backward()
    np.testing.assert_allclose(x.grad.numpy(), expected)


def test_a_nan_extreme_has_a_nan_gradient_without_a_warning():
    first, _ = gradient(lambda x: tn.max(x, axis=1), [[1.0, NAN], [1.0, 2.0]])
    np.testing.assert_array_equal(first, [[NAN, NAN], [0, 1]])


@pytest.mark.parametrize("p", [0, 0.5, 1, 1.5, 2, 3, INF, -INF, -1])
def test_norm_at_zero_has_gradient_zero(p):
    for orders in gradient(lambda x: tn.norm(x, p), [0.0, 0.0, 0.0]):
        np.testing.assert_array_equal(orders, 0)
    first, second = gradient(lambda x: tn.norm(x, p, axis=1), [[0.0, 0.0], [0.0, 2.0]])
    assert np.isfinite(first).all() and np.isfinite(second).all() and (first[0] == 0).all()


def test_norm_of_small_and_half_numbers():
    x = tn.tensor([200.0, 200.0], dtype="float16")
    assert tn.norm(x).dtype == "float16" and abs(tn.norm(x).item() - 200 * 2 ** 0.5) < 0.2
    assert tn.norm(tn.tensor([3 + 4j, 0j])).item() == 5
    assert tn.norm(tn.zeros(0)).item() == 0 and tn.norm(tn.zeros(0), INF).item() == 0
    for p in (-1, -INF):
        with pytest.raises(ValueError, match="over nothing"):
            tn.norm(tn.zeros(0), p)
    for p in ("max", NAN, None):
        with pytest.raises(TypeError, match="ord"):
            tn.norm(tn.zeros(2), p)


def test_std_of_equal_elements_has_gradient_zero():
    for values in ([2.0, 2.0, 2.0], [[1.0, 1.0], [1.0, 4.0]]):
        first, second = gradient(lambda x: tn.std(x, axis=-1, correction=1), values)
        torch = pytest.importorskip("torch")
        x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
        (want,) = torch.autograd.grad(x.std(-1).sum(), x, create_graph=True)
        np.testing.assert_allclose(first, want.detach().numpy(), atol=1e-15)
        weights = torch.arange(1.0, x.numel() + 1, dtype=torch.float64).reshape(x.shape)
        (want,) = torch.autograd.grad((want * weights).sum(), x)
        np.testing.assert_allclose(second, want.numpy(), atol=1e-15)


def test_variance_with_too_few_elements():
    assert np.isnan(tn.var(tn.tensor([1.0]), correction=1).item())
    assert tn.var(tn.tensor([1.0, 2.0]), correction=3).item() == INF
    assert np.isnan(tn.std(tn.zeros((0,))).item())


def test_sums_and_products_of_nothing():
    x = tn.zeros((0, 2))
    assert tn.sum(x).item() == 0 and tn.prod(x, axis=0).tolist() == [1, 1]
    assert np.isnan(tn.mean(x).item()) and np.isnan(host(tn.mean(x, axis=0))).all()
    assert tn.mean(x, axis=1).shape == (0,)
    assert not tn.any(x).item() and tn.all(x).item() and tn.count_nonzero(x).item() == 0


@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin"])
def test_extremes_of_nothing_name_the_axis(name):
    x, function = tn.zeros((2, 0, 3)), getattr(tn, name)
    for axis in (None, 1, -2):
        with pytest.raises(ValueError, match=rf"{name}: axis 1 has length 0 in shape \(2, 0, 3\)"):
            function(x, axis=axis)
    assert function(x, axis=0).shape == (0, 3)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "var", "std", "any", "all", "norm", "argmax",
                                  "count_nonzero", "logsumexp", "nansum", "median", "softmax", "log_softmax"])
def test_axes_that_are_wrong(name):
    x, function = tn.ones((2, 3)), getattr(tn, name)
    for axis in (2, -3):
        with pytest.raises(IndexError, match=f"{axis} is out of range for a tensor with 2 axes"):
            function(x, axis=axis)
    if name != "argmax":
        with pytest.raises(ValueError, match="twice"):
            function(x, axis=(1, -1))
    with pytest.raises(TypeError, match="expected an int, got 1.0"):
        function(x, axis=1.0)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "std", "any", "norm", "argmax", "logsumexp",
                                  "softmax", "cumsum", "logcumsumexp"])
def test_a_single_number_reduces_over_axis_zero(name):
    for axis in (0, -1):
        out = getattr(tn, name)(tn.tensor(2.0), axis=axis)
        assert out.shape == ()
    assert tn.cummax(tn.tensor(2.0), 0)[0].item() == 2 and tn.cummax(tn.tensor(2.0), 0)[1].item() == 0


@pytest.mark.parametrize("dtype", ["bool", "int8", "int32", "int64", "uint8", "uint16"])
def test_dtypes_of_integers(dtype):
    x = tn.tensor(np.array([1, 0, 1, 1], dtype=dtype))
    wide = "uint64" if dtype.startswith("u") else "int64"
    assert [tn.sum(x).dtype, tn.prod(x).dtype, tn.cumsum(x, 0).dtype] == [wide] * 3
    for f in (tn.mean, tn.var, tn.std, tn.norm, tn.logsumexp, tn.softmax, tn.median):
        assert f(x).dtype == "float32", f.__name__
    assert tn.max(x).dtype == dtype and tn.argmax(x).dtype == "int64"


def test_float32_is_never_widened():
    x = tn.ones((3, 4), requires_grad=True)
    for f in (tn.sum, tn.mean, tn.prod, tn.max, tn.var, tn.std, tn.norm, tn.logsumexp, tn.softmax, tn.nanmean,
              tn.median):
        out = f(x)
        assert out.dtype == "float32" and tn.autograd.grad(out.sum(), x)[0].dtype == "float32", f.__name__


def test_mean_of_halves_does_not_overflow():
    x = tn.full((1000,), 300.0, dtype="float16")
    assert tn.mean(x).item() == 300 and tn.mean(x).dtype == "float16" and tn.var(x).item() == 0


def test_logsumexp_of_minus_infinity_has_gradient_zero():
    first, second = gradient(lambda x: tn.logsumexp(x, axis=1), [[-INF, -INF], [-INF, 1.0]])
    np.testing.assert_array_equal(first, [[0, 0], [0, 1]])
    np.testing.assert_array_equal(second, 0)
    first, _ = gradient(lambda x: tn.logcumsumexp(x, 0), [-INF, -INF, 0.0])
    np.testing.assert_array_equal(first, [0, 0, 1])


def test_softmax_keeps_no_input_alive():
    x = tn.randn(3, 4, requires_grad=True)
    for out in (tn.softmax(x), tn.log_softmax(x)):
        assert out.node.plan.keep == (None, "array") and out.node.saved[1] is out.data


def test_quantile_refuses_what_is_no_fraction():
    x = tn.arange(4.0)
    for q in (1.5, -0.1, [0.5, 2.0], [], NAN):
        with pytest.raises(ValueError, match="q: expected"):
            tn.quantile(x, q)
    with pytest.raises(ValueError, match="linear, lower"):
        tn.quantile(x, 0.5, method="median")
    with pytest.raises(ValueError, match="nothing to order"):
        tn.median(tn.zeros((2, 0)), axis=1)


def test_quantile_has_a_gradient_for_the_fraction():
    q = tn.tensor([0.25, 0.6], dtype="float64", requires_grad=True)
    tn.quantile(tn.tensor([1.0, 2.0, 5.0], dtype="float64"), q).sum().backward()
    np.testing.assert_allclose(host(q.grad), [2 * 1, 2 * 3])  # (n - 1) (s_high - s_low)


def test_cumulative_needs_an_axis():
    for f in (tn.cumulative_sum, tn.cumulative_prod, tn.cumsum, tn.logcumsumexp, tn.cummax):
        with pytest.raises(ValueError, match="axis is needed"):
            f(tn.ones((2, 2)))
        assert f(tn.ones(2)) is not None


def test_logcumsumexp_gradient_is_stable_where_logs_are_far_apart():
    values = [0.0, 800.0, -800.0, 801.0]
    first, _ = gradient(lambda x: tn.logcumsumexp(x, 0), values)
    out = np.logaddexp.accumulate(values)
    expected = [sum(np.exp(values[i] - out[k]) for k in range(i, 4)) for i in range(4)]
    np.testing.assert_allclose(first, expected, rtol=1e-12)
