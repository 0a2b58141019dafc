"""Images at other sizes, grids and shuffles: what must hold whatever the numbers, errors, PyTorch."""

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

RNG = np.random.default_rng(0)
MODES = [
    ("nearest", 2, {}), ("nearest-exact", 2, {}), ("area", 2, {}), ("linear", 1, {}), ("bilinear", 2, {}),
    ("linear", 1, {"align_corners": True}), ("bilinear", 2, {"antialias": True}), ("bicubic", 2, {}),
    ("bicubic", 2, {"align_corners": True}), ("bicubic", 2, {"antialias": True}), ("lanczos", 2, {"antialias": True}),
    ("trilinear", 3, {}),
]
every_mode = pytest.mark.parametrize("mode, axes, options", MODES, ids=[f"{m[0]}{'-'.join(m[2])}" for m in MODES])


@every_mode
def test_constants_stay_and_the_gradient_is_the_transpose(mode, axes, options):
    for size in (3, 11, 70):
        ones = F.interpolate(tn.ones((1, 1, *[7] * axes), dtype=tn.float64), size=size, mode=mode, **options)
        np.testing.assert_allclose(ones.numpy(), 1, rtol=1e-13)
        if size < 70:
            x = tn.tensor(RNG.standard_normal((2, 1, *[7] * axes)), requires_grad=True)
            out = F.interpolate(x, size=size, mode=mode, **options)
            u = RNG.standard_normal(out.shape)
            (g,) = tn.autograd.grad(out, [x], tn.tensor(u))
            assert (out.numpy() * u).sum() == pytest.approx((x.numpy() * g.numpy()).sum(), rel=1e-11)


@every_mode
def test_the_same_size_is_the_same_image(mode, axes, options):
    x = RNG.standard_normal((1, 2, *[5] * axes))
    out = F.interpolate(tn.tensor(x), scale_factor=1, mode=mode, **options)
    np.testing.assert_allclose(out.numpy(), x, rtol=1e-13)


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_one_bad_pixel_spoils_only_its_neighbours(value):
    """Products with blocks of a banded matrix would spread it along rows and columns."""
    x = RNG.standard_normal((1, 1, 8, 8))
    fine = F.interpolate(tn.tensor(x), scale_factor=2, mode="bilinear").numpy()
    x[0, 0, 2, 3] = value
    t = tn.tensor(x, requires_grad=True)
    out = F.interpolate(t, scale_factor=2, mode="bilinear")
    bad = ~np.isfinite(out.numpy())
    expected = np.zeros_like(bad)
    expected[0, 0, 3:7, 5:9] = True
    np.testing.assert_array_equal(bad, expected)
    np.testing.assert_allclose(out.numpy()[~bad], fine[~bad], rtol=1e-13)
    g = np.zeros(out.shape)
    g[0, 0, 0, 0] = value
    (back,) = tn.autograd.grad(out, [t], tn.tensor(g))
    assert np.isfinite(back.numpy()).sum() == 64 - 1


def test_long_axes_go_by_blocks():
    """A banded matrix in many blocks gives what taps give one by one."""
    from tinygrad_notes.backend.resample import Resize, _back_taps, _by_taps, _taps, resample
    x = RNG.standard_normal((3, 300))
    for r in (Resize(300, 500, "cubic", 0.6), Resize(300, 130, "linear", 300 / 130, False, True)):
        np.testing.assert_allclose(resample(np, x, (r,), False), _by_taps(np, x, 1, *_taps(r)), rtol=1e-12, atol=1e-13)
        y = RNG.standard_normal((3, r.out))
        wanted = _by_taps(np, y, 1, *_back_taps(r))
        np.testing.assert_allclose(resample(np, y, (r,), True), wanted, rtol=1e-12, atol=1e-13)


def test_half_precision_and_memory_order():
    x = RNG.standard_normal((2, 3, 4, 5))
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    for mode in ("bilinear", "nearest"):
        plain = F.interpolate(tn.tensor(x), scale_factor=2, mode=mode)
        half = F.interpolate(tn.tensor(x.astype("float16")), scale_factor=2, mode=mode)
        assert half.dtype == tn.float16
        np.testing.assert_allclose(half.numpy(), plain.numpy(), atol=4e-3)
        out = F.interpolate(tn.Tensor(last), scale_factor=2, mode=mode)
        np.testing.assert_allclose(out.numpy(), plain.numpy(), rtol=1e-13)
        assert tn.current_device() != "cpu" or out.data.strides[1] == 8


def test_shuffles_undo_each_other():
    x = tn.tensor(RNG.standard_normal((2, 12, 3, 4)))
    np.testing.assert_array_equal(nn.PixelUnshuffle(2)(nn.PixelShuffle(2)(x)).numpy(), x.numpy())
    np.testing.assert_array_equal(nn.ChannelShuffle(4)(nn.ChannelShuffle(3)(x)).numpy(), x.numpy())


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("align", [False, True])
def test_the_identity_grid(mode, align):
    x = tn.tensor(RNG.standard_normal((2, 3, 4, 5)))
    theta = tn.tensor(np.tile(np.eye(2, 3), (2, 1, 1)))
    grid = F.affine_grid(theta, (2, 3, 4, 5), align)
    np.testing.assert_allclose(F.grid_sample(x, grid, mode, align_corners=align).numpy(), x.numpy(), atol=1e-13)


def test_places_that_are_none():
    x = tn.tensor(RNG.standard_normal((1, 1, 3, 3)))
    nan = tn.tensor(np.full((1, 1, 1, 2), np.nan))
    corner = F.grid_sample(x, nan, padding_mode="border", align_corners=True)
    assert corner.item() == x.numpy()[0, 0, 0, 0]
    far = tn.tensor(np.array([[[[np.inf, 0.0], [0.0, -np.inf], [1e30, 1e30]]]]), requires_grad=True)
    for mode in ("bilinear", "nearest", "bicubic"):
        out = F.grid_sample(x, far, mode)
        assert out.tolist() == [[[[0, 0, 0]]]]
        out.sum().backward()
    assert np.isfinite(far.grad.numpy()).all()


IMAGE = tn.ones((1, 4, 3, 3))
WRONG = [
    (lambda: F.interpolate(IMAGE), "expected either size or scale_factor, got None and None"),
    (lambda: F.interpolate(IMAGE, 3, 2), "expected either size or scale_factor"),
    (lambda: F.interpolate(IMAGE, 0), "size: expected an int >= 1"),
    (lambda: F.interpolate(IMAGE, (2, 2, 2)), "size: expected an int or 2 of them"),
    (lambda: F.interpolate(IMAGE, scale_factor=-1), "scale_factor: expected positive numbers"),
    (lambda: F.interpolate(IMAGE, scale_factor=0.1), "leaves nothing of an input of shape"),
    (lambda: F.interpolate(IMAGE, 3, mode="linear"), "mode 'linear' expects 3 axes"),
    (lambda: F.interpolate(IMAGE, 3, mode="quadratic"), "mode: expected one of"),
    (lambda: F.interpolate(IMAGE, 3, align_corners=True), "align_corners: has no meaning in mode 'nearest'"),
    (lambda: F.interpolate(IMAGE, 3, mode="area", antialias=True), "antialias: expected mode 'bilinear'"),
    (lambda: F.interpolate(IMAGE, 3, mode="lanczos"), "mode 'lanczos' needs antialias=True"),
    (lambda: F.interpolate(IMAGE, 3, recompute_scale_factor=True), "recompute_scale_factor: has no meaning"),
    (lambda: F.interpolate(tn.ones((1, 0, 3)), 3), "no empty axis but the batch"),
    (lambda: F.pixel_shuffle(IMAGE, 3), "its square must divide the 4 channels"),
    (lambda: F.pixel_shuffle(IMAGE, 0), "upscale_factor: expected an int >= 1"),
    (lambda: F.pixel_unshuffle(IMAGE, 2), "must divide height and width"),
    (lambda: F.channel_shuffle(IMAGE, 3), "must divide the 4 channels"),
    (lambda: F.grid_sample(IMAGE, tn.ones((2, 1, 1, 2))), "grid: expected 4 axes .* with N = 1"),
    (lambda: F.grid_sample(IMAGE, tn.ones((1, 1, 1, 2)), "cubic"), "mode: expected one of"),
    (lambda: F.grid_sample(IMAGE, tn.ones((1, 1, 1, 2)), padding_mode="wrap"), "padding_mode: expected one of"),
    (lambda: F.grid_sample(IMAGE, tn.ones((1, 1, 1, 2), dtype=tn.float64)), "one floating dtype"),
    (lambda: F.grid_sample(tn.ones((1, 1, 2, 2, 2)), tn.ones((1, 1, 1, 1, 3)), "bicubic"), "mode 'bicubic' is for"),
    (lambda: F.affine_grid(tn.ones((1, 2, 3)), (2, 1, 3, 3)), r"theta: expected shape \(2, 2, 3\)"),
    (lambda: F.affine_grid(tn.ones((1, 2, 3)), (1, 1, 0, 3)), "size: expected positive"),
]


@pytest.mark.parametrize("call, message", WRONG, ids=[m[:30] for _, m in WRONG])
def test_what_raises(call, message):
    with pytest.raises(ValueError, match=message):
        call()


CASES = [
    ("nearest", {"size": (7, 4)}, (5, 6)), ("nearest", {"scale_factor": 1.7}, (5,)),
    ("nearest", {"scale_factor": 2.3}, (3, 5)),
    ("nearest-exact", {"scale_factor": (1.1, 0.6)}, (6, 5)), ("area", {"size": (3, 2, 4)}, (4, 5, 3)),
    ("linear", {"scale_factor": 1.7}, (5,)), ("linear", {"scale_factor": 1.7, "recompute_scale_factor": True}, (5,)),
    ("bilinear", {"size": (3, 9), "align_corners": True}, (4, 5)), ("trilinear", {"scale_factor": 1.6}, (2, 3, 4)),
    ("bicubic", {"scale_factor": (1.3, 0.7)}, (5, 7)), ("bicubic", {"size": (3, 9), "align_corners": True}, (4, 5)),
    ("bilinear", {"size": (3, 9), "antialias": True}, (7, 5)),
    ("bicubic", {"scale_factor": 0.4, "antialias": True}, (9, 8)),
    ("bicubic", {"size": (3, 7), "antialias": True, "align_corners": True}, (7, 5)),
]


@pytest.mark.parametrize("mode, options, sizes", CASES, ids=[f"{k}-{case[0]}" for k, case in enumerate(CASES)])
def test_same_as_pytorch(mode, options, sizes):
    torch = pytest.importorskip("torch")
    x = RNG.standard_normal((2, 3, *sizes))
    mine, yours = tn.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    out = F.interpolate(mine, mode=mode, **options)
    wanted = torch.nn.functional.interpolate(yours, mode=mode, **options)
    np.testing.assert_allclose(out.numpy(), wanted.detach().numpy(), rtol=1e-11, atol=1e-12)
    if not (mode == "nearest" and len(sizes) == 1):  # there PyTorch's gradient belongs to other places than its output
        (out**2).sum().backward()
        (wanted**2).sum().backward()
        np.testing.assert_allclose(mine.grad.numpy(), yours.grad.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize(
    "mode, axes", [("bilinear", 2), ("nearest", 2), ("bicubic", 2), ("bilinear", 3), ("nearest", 3)]
)
def test_grids_same_as_pytorch(mode, axes, padding, align):
    torch = pytest.importorskip("torch")
    theta, shape = RNG.standard_normal((2, axes, axes + 1)), (2, 3, *(4, 3, 5)[:axes])
    arrays = [RNG.standard_normal((2, 3, *(3, 5, 4)[:axes])), theta]
    mine = [tn.tensor(a, requires_grad=True) for a in arrays]
    yours = [torch.tensor(a, requires_grad=True) for a in arrays]
    out = F.grid_sample(mine[0], F.affine_grid(mine[1], shape, align), mode, padding, align)
    T = torch.nn.functional
    wanted = T.grid_sample(yours[0], T.affine_grid(yours[1], shape, align), mode, padding, align)
    np.testing.assert_allclose(out.numpy(), wanted.detach().numpy(), rtol=1e-10, atol=1e-12)
    (out**2).sum().backward()
    (wanted**2).sum().backward()
    for a, b in zip(mine, yours):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-9, atol=1e-10)


def test_layers_same_as_pytorch():
    torch = pytest.importorskip("torch")
    x = RNG.standard_normal((2, 8, 4, 6))
    for name, arguments in [
        ("Upsample", {"scale_factor": 2}), ("Upsample", {"size": (3, 5), "mode": "bilinear"}),
        ("Upsample", {"scale_factor": (2, 3), "mode": "bicubic", "align_corners": True}),
        ("UpsamplingNearest2d", {"scale_factor": 2}), ("UpsamplingBilinear2d", {"size": (5, 7)}),
        ("PixelShuffle", {"upscale_factor": 2}), ("PixelUnshuffle", {"downscale_factor": 2}),
        ("ChannelShuffle", {"groups": 4}),
    ]:
        ours, theirs = getattr(nn, name)(**arguments), getattr(torch.nn, name)(**arguments)
        assert repr(ours) == repr(theirs)
        np.testing.assert_allclose(ours(tn.tensor(x)).numpy(), theirs(torch.tensor(x)).numpy(), rtol=1e-12, atol=1e-13)
