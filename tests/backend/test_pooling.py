"""Kernels of pooling and resampling: the same in one piece or in many, on any number of threads, in any layout."""

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.backend import as_device, pooling, spans, threads
from tinygrad_notes.backend.resample import Resize
from tinygrad_notes.backend.spans import Parts, Span, Uneven

pytestmark = pytest.mark.host_only
XP = as_device("cpu").xp
X = np.random.default_rng(0).standard_normal((6, 5, 12, 11)).astype("float32")
LAYOUTS = {
    "channels first": X,
    "channels last": np.ascontiguousarray(X.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2),
    "one image": X[:1],
    "backward": np.ascontiguousarray(X[..., ::-1])[..., ::-1],
}
CASES = {
    "tiles": (Span(12, 6, 2, 2), Span(11, 5, 2, 2)),
    "overlap": (Span(12, 6, 3, 2, 1, 1), Span(11, 6, 3, 2, 1, 1)),
    "gaps": (Span(12, 4, 2, 3), Span(11, 4, 1, 3)),
    "every place": (Span(12, 12, 3, 1, 1, 1), Span(11, 11, 3, 1, 1, 1)),
    "far apart": (Span(12, 5, 2, 2, 3), Span(11, 4, 3, 2, 2)),
    "one": (Span(12, 1, 12, 12), Span(11, 1, 11, 11)),
}


def everything(x, case):
    """What all kernels make of `x`."""
    y, number = XP.window_max(x, case, True)
    g = np.random.default_rng(1).standard_normal(y.shape).astype("float32")
    resizes = tuple(Resize(s.size, s.out, "linear", s.size / s.out) for s in case)
    return [y, number, XP.window_max(x, case, False)[0], XP.window_put(g, number, case, x.shape),
            XP.window_take(x, number, case), XP.window_sum(x, case), XP.window_spread(g, case),
            XP.resample(x, resizes, False), XP.resample(g, resizes, True)]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_pieces_threads_and_layouts_change_nothing(case, layout, monkeypatch):
    x = LAYOUTS[layout]
    whole = everything(np.ascontiguousarray(x), case)
    before = threads.get_num_threads()
    monkeypatch.setattr(spans, "_PIECE", 256)
    try:
        for n in (1, 2, 3):
            tn.set_num_threads(n)
            for a, b in zip(everything(x, case), whole):
                np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-6)
    finally:
        tn.set_num_threads(before)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_map_and_its_transpose(case):
    x = X.astype("float64")
    y, number = XP.window_max(x, case, True)
    g = np.random.default_rng(1).standard_normal(y.shape)
    assert (y * g).sum() == pytest.approx((x * XP.window_put(g, number, case, x.shape)).sum(), rel=1e-12)
    assert (XP.window_sum(x, case) * g).sum() == pytest.approx((x * XP.window_spread(g, case)).sum(), rel=1e-12)


def test_phases_hold_what_views_show(monkeypatch):
    for case in CASES.values():
        for axis, span in enumerate(case, 2):
            for k in range(span.kernel):
                copied = Parts(np, X, axis, span, 2)(k)
                with monkeypatch.context() as patch:
                    patch.setattr(spans, "_NEAR", -1)
                    np.testing.assert_array_equal(Parts(np, X, axis, span, 2)(k), copied)


def test_uneven_windows():
    for n, m in ((7, 3), (5, 4), (3, 5), (8, 8)):
        span = Uneven(n, m)
        for o, places in enumerate(spans.places_of(span).T):
            assert set(places) == set(range(o * n // m, -(-(o + 1) * n // m)))


def test_gradients_go_by_masks_or_by_index(monkeypatch):
    y, number = XP.window_max(X, CASES["tiles"], True)
    by_masks = XP.window_put(y, number, CASES["tiles"], X.shape)
    monkeypatch.setattr(pooling, "_FEW", 0)
    np.testing.assert_array_equal(XP.window_put(y, number, CASES["tiles"], X.shape), by_masks)
