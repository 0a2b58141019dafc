"""Special functions where formulas cancel or diverge."""
import math

import numpy as np
import pytest

import tinygrad_notes as tn


def test_all_derivatives_of_sinc_at_zero():
    """sin(u)/u has the even derivatives (-1)^k / (2k + 1) at 0 and no odd ones."""
    x = tn.Tensor(np.array(0.0), requires_grad=True)
    found, d = [], tn.sinc(x)
    for _ in range(7):
        found.append(d.item())
        d, = tn.autograd.grad(d, x, create_graph=True)
    expected = [(-1) ** (k // 2) * math.pi ** k / (k + 1) if k % 2 == 0 else 0.0 for k in range(7)]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("value", [1e-8, 1e-3, 0.3, 0.99, 1.7, 40.3])
def test_derivatives_of_sinc_satisfy_their_recurrence(value):
    """u y_k + k y_(k-1) = sin(u + k pi/2) for y = sin(u)/u and u = pi x."""
    x = tn.Tensor(np.array(value), requires_grad=True)
    u, d, before = math.pi * value, tn.sinc(x), None
    for k in range(6):
        y = d.item() / math.pi ** k
        assert u * y + (k * before if k else 0.0) == pytest.approx(math.sin(u + k * math.pi / 2), abs=1e-12)
        before = y
        d, = tn.autograd.grad(d, x, create_graph=True)


def test_xlogy_at_zero():
    x, y = tn.tensor([0.0, 0.0, 2.0], requires_grad=True), tn.tensor([0.0, 3.0, 1.0], requires_grad=True)
    with np.errstate(all="ignore"):
        tn.xlogy(x, y).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [0.0, math.log(3.0), 0.0], rtol=1e-6)
    np.testing.assert_array_equal(y.grad.numpy()[1:], [0.0, 2.0])


def test_log_ndtr_far_in_its_tail():
    """log Phi(x) = -x^2/2 - log(-x sqrt(2 pi)) + log(1 - 1/x^2 + ...); its slope is -x - 1/x + ..."""
    x = tn.Tensor(np.array([-200.0, -1000.0]), requires_grad=True)
    y = tn.log_ndtr(x)
    y.sum().backward()
    v = x.detach().numpy()
    expected = -v ** 2 / 2 - np.log(-v * math.sqrt(2 * math.pi)) + np.log1p(-v ** -2)
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(x.grad.numpy(), -v - 1 / v, rtol=1e-8)


def test_polygamma_takes_its_order_on_either_side():
    x = tn.Tensor(np.array([1.0]))
    assert tn.polygamma(1, x).item() == pytest.approx(math.pi ** 2 / 6) == x.polygamma(1).item()
    for bad in (-1, 1.5):
        with pytest.raises(ValueError, match="polygamma"):
            tn.polygamma(bad, x)


def test_bessel_slope_at_zero():
    for name, expected in {"i0": 0.0, "i1": 0.5, "i1e": 0.5, "bessel_j0": 0.0, "bessel_j1": 0.5}.items():
        x = tn.Tensor(np.array(0.0), requires_grad=True)
        getattr(tn, name)(x).backward()
        assert x.grad.item() == pytest.approx(expected, rel=1e-15), name


def test_no_rule_is_said_not_guessed():
    x = tn.Tensor(np.array([2.0]), requires_grad=True)
    with pytest.raises(NotImplementedError, match="zeta.*'x'"):
        tn.zeta(x, 2.0).backward()


def test_mvlgamma_dimension():
    with pytest.raises(ValueError, match="mvlgamma"):
        tn.mvlgamma(tn.tensor([3.0]), 0)
