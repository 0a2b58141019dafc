"""Made-up data against what their formulas say."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import data

pytestmark = pytest.mark.same_on_strict


def test_the_line_has_the_least_squares_fit_it_should():
    X, y = data.line(generator=np.random.default_rng(0), dtype=tn.float64)
    w, residual, *_ = np.linalg.lstsq(X.numpy(), y.numpy())
    np.testing.assert_allclose(w[:, 0], [0.99744, 2.99309], atol=5e-6)
    assert residual[0] / 1000 == pytest.approx(4.20644, abs=5e-6)


@pytest.mark.row("S0-46")
def test_what_a_linear_teacher_leaves_is_its_noise():
    theta = [1.0, -2.0, 0.5, 3.0]
    x, y = data.linear_teacher(20000, theta, noise=0.7, generator=1, dtype=tn.float64)
    residual = y.numpy()[:, 0] - x.numpy() @ theta
    n = len(residual)
    assert abs(residual.mean()) < 4 * 0.7 / np.sqrt(n)
    assert abs(residual.var() - 0.49) < 4 * 0.49 * np.sqrt(2 / n)
    lengths = (x.numpy()**2).sum(1)
    assert abs(lengths.mean() - 1) < 4 * lengths.std() / np.sqrt(n)


def test_curves_without_noise_are_the_functions():
    x, y = (t.numpy() for t in data.sine4(5, noise=0.0, dtype=tn.float64))
    np.testing.assert_allclose(x[:, 0], [-1, 0.5, 2, 3.5, 5])
    np.testing.assert_allclose(y, 4 * np.sin(x))
    x, y = (t.numpy() for t in data.double_well(50, noise=0.0, dtype=tn.float64))
    np.testing.assert_allclose(y, 2 * (x**2 - 1)**2)
    assert x.min() >= -1.5 and x.max() <= 1.5


@pytest.mark.row("S0-08")
def test_the_loss_of_the_gabor_model_on_its_points():
    x, y = (t.numpy() for t in data.gabor(dtype=tn.float64))
    u = 0.6 + 0.06 * -0.2 * x
    assert ((np.sin(u) * np.exp(-u * u / 32) - y)**2).sum() == pytest.approx(16.419, abs=5e-4)


def test_moons_without_noise_lie_on_two_half_circles():
    x, y = (t.numpy() for t in data.two_moons(101, noise=0.0, dtype=tn.float64))
    upper, lower = x[y == 0], x[y == 1]
    assert (len(upper), len(lower)) == (51, 50)
    np.testing.assert_allclose((upper**2).sum(1), 1)
    assert (upper[:, 1] >= 0).all()
    np.testing.assert_allclose(((lower - [1, 0.5])**2).sum(1), 1)
    assert (lower[:, 1] <= 0.5).all()


def test_rings_and_gaussians_lie_where_their_class_says():
    x, y = (t.numpy() for t in data.rings(90, noise=0.0, radii=(1.0, 4.0), dtype=tn.float64))
    np.testing.assert_allclose(np.hypot(*x.T), np.where(y, 4, 1))
    x, y = (t.numpy() for t in data.eight_gaussians(4000, noise=0.1, dtype=tn.float64))
    centers = 2 * np.stack([np.cos(y * np.pi / 4), np.sin(y * np.pi / 4)], 1)
    assert np.bincount(y).tolist() == [500] * 8
    assert (x - centers).std() == pytest.approx(0.1, rel=0.05)


def test_spirals_and_checkerboards_lie_where_their_class_says():
    x, y = (t.numpy() for t in data.spiral(2000, noise=0.0, arms=3, turns=2.0, dtype=tn.float64))
    radius = np.hypot(*x.T)
    turned = np.arctan2(x[:, 1], x[:, 0]) / (2 * np.pi) - 2 * radius / 3 - y / 3
    np.testing.assert_allclose(turned, np.round(turned), atol=1e-9)
    assert radius.max() <= 3 and (radius < 1.5).mean() == pytest.approx(0.25, abs=0.04), "as many on every piece"
    x, y = (t.numpy() for t in data.checkerboard(4000, dtype=tn.float64))
    cells = np.floor(x + 2).astype(int)
    assert (cells.sum(1) % 2 == 0).all() and np.bincount(y).tolist() == [500] * 8
    assert len({tuple(c) for c in cells}) == 8 and len({(*c, k) for c, k in zip(cells.tolist(), y)}) == 8
    with pytest.raises(ValueError, match="turns: expected a number above 0"):
        data.spiral(5, turns=0)
    with pytest.raises(ValueError, match="half: expected a number above 0"):
        data.checkerboard(5, half=0)


MAKERS = [data.line, data.sine4, data.double_well, data.two_moons, data.rings, data.eight_gaussians, data.spiral,
          data.checkerboard]


@pytest.mark.parametrize("make", MAKERS)
def test_the_same_seed_gives_the_same_data_and_dtype_and_device_are_obeyed(make):
    (x, y), (again, _) = (make(20, generator=3, dtype=tn.float64, device="strict") for _ in range(2))
    assert x.tolist() == again.tolist()
    assert x.tolist() != make(20, generator=4, dtype=tn.float64)[0].tolist() or make is data.sine4
    assert (x.dtype, str(x.device), str(y.device), len(y)) == (tn.float64, "strict", "strict", 20)
    with pytest.raises(ValueError, match="n: expected at least 1"):
        make(0)
    with pytest.raises(ValueError, match="noise: expected a finite number >= 0, got -1"):
        make(5, noise=-1)
    with pytest.raises(TypeError, match="generator: expected"):
        make(5, generator="x")


def test_a_teacher_needs_a_row_of_weights():
    with pytest.raises(ValueError, match="theta: expected D numbers"):
        data.linear_teacher(5, [[1.0]])
    with pytest.raises(ValueError, match="at least one radius"):
        data.rings(5, radii=())
