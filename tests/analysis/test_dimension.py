"""Volumes, shells and distances in many dimensions, against quadrature, counting and other people's numbers."""
import math

import numpy as np
import pytest
from scipy import integrate

import tinygrad_notes as tn
from tinygrad_notes.analysis import ball_volume, bins_per_point, distance_ratio, shell_fraction

pytestmark = pytest.mark.same_on_strict


@pytest.mark.row("S0-57")
def test_bins_outnumber_the_points():
    assert bins_per_point(40, 4000) == 2.5e36
    assert bins_per_point(1, 5, 3) == 3 / 5


@pytest.mark.row("S0-58")
def test_volume_of_a_ball():
    for d in range(2, 8):  # slices of a ball are balls of one dimension less
        sliced = integrate.quad(lambda t, d=d: ball_volume(d - 1, math.sqrt(1.3**2 - t * t)), -1.3, 1.3)[0]
        assert ball_volume(d, 1.3) == pytest.approx(sliced, rel=1e-8)
    known = {1: 1, 2: 0.785398, 3: 0.523599, 5: 0.164493, 10: 0.00249039, 20: 2.46114e-8}
    assert all(ball_volume(d, 0.5) == pytest.approx(value, rel=1e-5) for d, value in known.items())
    stirling = (2 * math.pi * math.e / 10) ** 5 * 0.5**10 / math.sqrt(10 * math.pi)
    assert stirling == pytest.approx(0.00253219, rel=1e-5) and stirling == pytest.approx(ball_volume(10, 0.5), rel=0.02)
    assert ball_volume(0, 0.0) == 1 and ball_volume(3, 0.0) == 0 and ball_volume(2000) < 1e-300


@pytest.mark.row("S0-59")
def test_a_thin_shell_holds_nearly_all():
    known = {2: 0.0199, 10: 0.0956, 100: 0.634, 250: 0.9189, 300: 0.951, 68.97: 0.5, 298.07: 0.95}
    assert all(shell_fraction(d) == pytest.approx(value, abs=5e-5 if d < 99 else 5e-4) for d, value in known.items())
    inner = ball_volume(7, 2 * 0.9) / ball_volume(7, 2.0)
    assert shell_fraction(7, 0.1) == pytest.approx(1 - inner, rel=1e-12)


@pytest.mark.row("S0-60")
def test_all_points_are_equally_far_apart():
    """UDL, notebook 8.4."""
    rs = np.random.RandomState(0)
    for d, known in ((2, 2840.258), (100, 2.037914), (1000, 1.220645)):
        points = rs.standard_normal((d, 1000)).T
        assert distance_ratio(tn.tensor(points)) == pytest.approx(known, rel=1e-6)
    assert distance_ratio(tn.tensor([[1.0], [1.0], [2.0]])) == math.inf


@pytest.mark.row("S0-56")
def test_where_as_many_parameters_as_examples_are():
    def count(k):
        layers = tn.nn.Linear(40, k), tn.nn.ReLU(), tn.nn.Linear(k, k), tn.nn.ReLU(), tn.nn.Linear(k, 10)
        return tn.nn.Sequential(*layers).count_params()
    assert (count(42), count(43), count(47), count(61)) == (3958, 4095, 4663, 6903)
    assert all(count(k) == k * k + 52 * k + 10 for k in (1, 2, 9))


@pytest.mark.parametrize(("call", "text"), [
    (lambda: bins_per_point(0, 5), "dimensions: expected an int >= 1"), (lambda: bins_per_point(2, 0), "points"),
    (lambda: ball_volume(-1), "dimensions"), (lambda: ball_volume(2, -1.0), "radius"),
    (lambda: shell_fraction(2, 1.5), "thickness"), (lambda: shell_fraction(-2), "dimensions"),
    (lambda: distance_ratio(tn.ones((1, 3))), "points: expected at least two")])
def test_bad_arguments(call, text):
    with pytest.raises(ValueError, match=text):
        call()
