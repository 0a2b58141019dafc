"""Derivatives of the incomplete gamma and beta functions in their shapes, far into the corners, against mpmath."""
import numpy as np
import pytest
from scipy import special

import tinygrad_notes as tn
from tinygrad_notes.ops.incomplete import betainc_ratio, gammainc_ratio


@pytest.fixture
def mp():
    found = pytest.importorskip("mpmath")
    with found.workdps(50):
        yield found


@pytest.mark.parametrize("a", [0.001, 0.3, 1.0, 5.0, 1e4])
@pytest.mark.parametrize("n", [1, 2])
def test_gamma_ratio(mp, a, n):
    u = np.array([1e-5, 0.1, 0.6, 1 - 1e-5])
    places = special.gammaincinv(a, u)
    places = places[places > 1e-280]
    found = gammainc_ratio(tn.Tensor(np.array(a)), tn.Tensor(places), n=n).cpu().numpy()
    for got, x in zip(found, map(mp.mpf, places)):
        slope = mp.diff(lambda a, x=x: mp.gammainc(a, 0, x, regularized=True), mp.mpf(a), n, h=mp.mpf(10) ** -15)
        density = mp.exp((a - 1) * mp.log(x) - x - mp.loggamma(a))
        assert got == pytest.approx(float(slope / density), rel=1e-9)


@pytest.mark.parametrize("a, b", [(0.02, 0.7), (1.0, 200.0), (30.0, 0.1), (2.5, 4.0)])
@pytest.mark.parametrize("n, m", [(1, 0), (0, 1), (1, 1)])
def test_beta_ratio(mp, a, b, n, m):
    places = special.betaincinv(a, b, np.array([0.02, 0.7]))
    places = places[(places > 1e-200) & (places < 1 - 1e-9)]
    found = betainc_ratio(*[tn.Tensor(np.array(v)) for v in (a, b, places)], n=n, m=m).cpu().numpy()
    for got, x in zip(found, map(mp.mpf, places)):
        slope = mp.diff(lambda a, b, x=x: mp.betainc(a, b, 0, x, regularized=True), (mp.mpf(a), mp.mpf(b)), (n, m),
                        h=mp.mpf(10) ** -15)
        density = mp.exp((a - 1) * mp.log(x) + (b - 1) * mp.log1p(-x)) / mp.beta(a, b)
        assert got == pytest.approx(float(slope / density), rel=1e-8)


def test_ends_of_the_range():
    """At the ends the distribution functions are 0 and 1 whatever the shapes, so nothing moves."""
    for x in (0.0, float("inf")):
        a = tn.Tensor(2.0, requires_grad=True)
        tn.gammainc(a, x).backward()
        assert a.grad.item() == 0.0
    for x in (0.0, 1.0):
        a, b = (tn.Tensor(v, requires_grad=True) for v in (2.0, 3.0))
        tn.betainc(a, b, x).backward()
        assert a.grad.item() == b.grad.item() == 0.0
