"""The arithmetic of normalization layers in pieces: equal to plain expressions, exact far from zero, layout kept."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.backend import memory, normalize, pieces
from tinygrad_notes.nn import functional as F

XP = tn.as_device("cpu").xp
RNG = np.random.default_rng(0)
BATCH, GROUPS = (0, 2, 3), (2, 3)
CASES = [  # shape of the array, as it is seen, axes, whether the channels lie last in memory
    ((4, 6, 5, 3), (4, 6, 1, 15), BATCH, False),
    ((4, 6, 5, 3), (4, 6, 1, 15), BATCH, True),
    ((7, 6), (7, 6, 1, 1), BATCH, False),
    ((2, 3, 40), (2, 3, 1, 40), BATCH, False),
    ((4, 6, 5, 3), (4, 2, 3, 15), GROUPS, False),
    ((4, 6, 5, 3), (4, 2, 3, 15), GROUPS, True),
    ((4, 6, 5, 3), (4, 6, 1, 15), GROUPS, True),
    ((2, 6, 50), (2, 6, 1, 50), GROUPS, False),
    ((9, 12), (9, 1, 12, 1), GROUPS, False),
    ((3, 100), (3, 1, 100, 1), GROUPS, False),
    ((5, 6), (5, 3, 2, 1), GROUPS, False),
]


def values(shape, last=False, mean=0.0):
    """Normal numbers of this shape, in memory with axis 1 last if so wished."""
    if not last:
        return RNG.standard_normal(shape) + mean
    return np.moveaxis(RNG.standard_normal((shape[0], *shape[2:], shape[1])) + mean, -1, 1)


@pytest.fixture(params=[64, 400, 1 << 17])
def small_pieces(request, monkeypatch):
    """Pieces of so many bytes, for arrays of any size."""
    monkeypatch.setattr(pieces, "PIECE", request.param)
    monkeypatch.setattr(normalize, "_SMALL", 0)


def everything(x, y, w, b, m, v, view, axes):
    """The results of all functions for one array."""
    found = [*normalize.moments_over(XP, x, view, axes), normalize.mean_square_over(XP, x, view, axes)]
    for weight, bias in ((w, b), (None, None), (w, None), (None, b)):
        found.append(normalize.standardized(XP, x, m, v, weight, bias, view, axes, 0.1))
    for weight in (w, None):
        found += normalize.standardized_pull(XP, y, x, m, v, weight, view, axes, 0.1)
    if view[1] == view[3] == 1:  # root mean square
        found.append(normalize.standardized(XP, x, None, v, w, b, view, axes, 0.1))
        found += normalize.standardized_pull(XP, y, x, None, v, w, view, axes, 0.1)
    if axes == BATCH:
        found.append(normalize.affine_channels(XP, x, w, b, view))
        found += normalize.channel_sums(XP, y, x, view)
    return found


@pytest.mark.host_only
@pytest.mark.parametrize("mean", [0.3, 50.0])
@pytest.mark.parametrize("shape, view, axes, last", CASES)
def test_pieces_equal_plain_expressions(shape, view, axes, last, mean, small_pieces, monkeypatch):
    x, y = values(shape, last, mean), values(shape, not last and len(shape) > 2)
    w, b = RNG.standard_normal((2, view[1] * view[2]))
    m, v = normalize.moments_over(XP, x, view, axes)
    found = everything(x, y, w, b, m, v, view, axes)
    if x.ndim > 2:
        assert (found[3].strides[1] == x.itemsize) == last, "the layout is kept"
    monkeypatch.setattr(normalize, "_way", lambda *_: None)
    for f, want in zip(found, everything(x, y, w, b, m, v, view, axes), strict=True):
        assert f.shape == want.shape and f.dtype == want.dtype
        np.testing.assert_allclose(f, want, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("last", [False, True])
def test_gradients_of_order_two_in_pieces(last, small_pieces):
    x, w, b = (tn.tensor(a, requires_grad=True) for a in (values((3, 4, 2, 3), last), *RNG.standard_normal((2, 4))))
    for norm in (lambda x, w, b: F.batch_norm(x, None, None, w, b, True), lambda x, w, b: F.group_norm(x, 2, w, b),
                 lambda x, w, b: F.layer_norm(x.reshape(6, 3, 4), 4, w, b),
                 lambda x, w, b: F.instance_norm(x, None, None, w, b)):
        assert tn.gradcheck(norm, [x, w, b], fast_mode=True)
        assert tn.gradgradcheck(norm, [x, w, b], fast_mode=True)


def test_third_order():
    """The deviation itself depends on x: seen from the third derivative on."""
    x, w = tn.tensor(RNG.standard_normal((4, 3)), requires_grad=True), tn.tensor([0.3, 1.0, -2.0], dtype=tn.float64)
    g, u = tn.tensor(RNG.standard_normal((2, 4, 3)))
    for norm in (lambda x: F.batch_norm(x, None, None, w, None, True), lambda x: F.layer_norm(x, 3, w),
                 lambda x: F.rms_norm(x, 3, w)):
        def second(x, norm=norm):
            (first,) = tn.autograd.grad(norm(x), x, g, create_graph=True)
            return tn.autograd.grad(first, x, u, create_graph=True)[0]
        assert tn.gradcheck(second, [x], fast_mode=True)
        assert tn.gradgradcheck(second, [x], fast_mode=True)


@pytest.mark.host_only
@pytest.mark.parametrize("shape, view, axes, last", [
    ((64, 32, 20), (64, 32, 1, 20), BATCH, False), ((64, 32, 20), (64, 32, 1, 20), BATCH, True),
    ((512, 64), (512, 1, 64, 1), GROUPS, False), ((64, 32, 20), (64, 4, 8, 20), GROUPS, False)])
def test_float32_far_from_zero(shape, view, axes, last):
    """A mean of a thousand deviations costs the digits that x itself has lost, and no more."""
    x, y = values(shape, last, 1000.0).astype("f"), values(shape, last).astype("f")
    wide = x.astype("d")
    for narrow, want in zip(normalize.moments_over(XP, x, view, axes), normalize.moments_over(XP, wide, view, axes)):
        np.testing.assert_allclose(narrow, want, rtol=1e-5)
    m, v = normalize.moments_over(XP, wide, view, axes)
    args = (m.astype("f"), v.astype("f"))
    out = normalize.standardized(XP, x, *args, None, None, view, axes, 1e-5)
    np.testing.assert_allclose(out, normalize.standardized(XP, wide, m, v, None, None, view, axes, 1e-5), atol=5e-4)
    dx = normalize.standardized_pull(XP, y, x, *args, None, view, axes, 1e-5)[0]
    np.testing.assert_allclose(dx, normalize.standardized_pull(XP, y, wide, m, v, None, view, axes, 1e-5)[0], atol=1e-3)


@pytest.mark.host_only
def test_a_new_array_begins_on_a_cache_line():
    for shape, dtype in (((3, 5), "f"), ((), "d"), ((0, 4), "f"), ((7,), "e")):
        a = memory.aligned_empty(shape, dtype)
        assert a.shape == shape and a.dtype == dtype and a.flags.c_contiguous and a.flags.writeable
        assert not a.size or a.ctypes.data % 64 == 0
