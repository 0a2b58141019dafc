"""Every way of computing a convolution gives what the plain way gives, whatever the sizes, the memory, the threads."""
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_notes as tn
from tinygrad_notes.backend import conv, conv_depthwise, conv_gemm, conv_tiles
from tinygrad_notes.backend.device import cpu
from tinygrad_notes.backend.windows import plain_forward, plain_to_input, plain_to_weight, windows

pytestmark = pytest.mark.host_only


@st.composite
def problems(draw, way):
    """(geometry, seed, layouts) of a convolution that `way` can compute."""
    axes = draw(st.integers(1, 3))
    tiles, depthwise = way is conv_tiles, way is conv_depthwise
    kernel = tuple(draw(st.integers(1, 5 if tiles else 3)) for _ in range(axes))
    stride = tuple(1 if tiles else draw(st.integers(1, 3)) for _ in range(axes))
    dilation = tuple(1 if tiles else draw(st.integers(1, 2)) for _ in range(axes))
    padding = tuple((draw(st.integers(0, k - 1 if tiles else 3)), draw(st.integers(0, k - 1 if tiles else 3)))
                    for k in kernel)
    extra = tuple(draw(st.integers(0, 8 if axes < 3 else 3)) for _ in range(axes))
    size = tuple(max(1, d * (k - 1) + 1 + e - sum(p)) for k, d, e, p in zip(kernel, dilation, extra, padding))
    groups = draw(st.integers(2, 4)) if depthwise else draw(st.sampled_from([1, 1, 2, 3]))
    channels = groups if depthwise else groups * draw(st.integers(1, 5))
    outputs = groups * draw(st.integers(1, 3))
    batch = draw(st.integers(1, 4))
    g = windows((batch, channels, *size), (outputs, channels // groups, *kernel), stride, padding, dilation, groups)
    return g, draw(st.integers(0, 2**16)), draw(st.sampled_from(["first", "last", "strided"]))


def in_memory(x, layout):
    if layout == "last":
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    if layout == "strided":
        wide = np.zeros([2 * n for n in x.shape], x.dtype)
        view = wide[tuple(slice(None, None, 2) for _ in x.shape)]
        view[...] = x
        return view
    return x


def arrays(g, seed, layout, dtype):
    rng = np.random.default_rng(seed)
    shapes = ((g.batch, g.channels, *g.size), (g.outputs, g.channels // g.groups, *g.kernel), (g.outputs,),
              (g.batch, g.outputs, *g.out))
    x, w, b, y = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    return in_memory(x, layout), w, b, in_memory(y, layout)


def compare(way, g, seed, layout, dtype, tolerance):
    x, w, b, y = arrays(g, seed, layout, dtype)
    wide = [a.astype(np.float64) for a in (x, w, b, y)]
    kept = [a.copy() for a in (x, w, b, y)]
    triples = {"forward": (way.forward(x, w, b, g), plain_forward, wide[:3]),
               "to_input": (way.to_input(y, w, g), plain_to_input, [wide[3], wide[1]]),
               "to_weight": (way.to_weight(x, y, g), plain_to_weight, [wide[0], wide[3]])}
    for name, (found, plain, pair) in triples.items():
        expected = plain(cpu.xp, *pair, g)
        assert found.shape == expected.shape and found.dtype == dtype, name
        terms = plain(cpu.xp, *map(np.ones_like, pair), g).max()
        scale = np.abs(pair[0]).max() * np.abs(pair[1]).max() * terms**0.5  # tiles mix all elements of a kernel
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * scale, err_msg=name)
    for a, k in zip((x, w, b, y), kept):
        np.testing.assert_array_equal(a, k)


few = settings(max_examples=40, deadline=None)


@few
@given(problems(conv_gemm))
def test_products_of_columns(problem):
    compare(conv_gemm, *problem, np.float64, 1e-12)


@few
@given(problems(conv_depthwise))
def test_shifted_multiply_adds(problem):
    compare(conv_depthwise, *problem, np.float64, 1e-12)


@few
@given(problems(conv_tiles))
def test_tiles(problem):
    compare(conv_tiles, *problem, np.float32, 2e-5)


def square(batch, channels, outputs, size, k, padding=0, stride=1, groups=1):
    return windows((batch, channels, size, size), (outputs, channels // groups, k, k), (stride, stride),
                   ((padding, padding),) * 2, (1, 1), groups)


def test_the_error_of_tiles_is_bounded():
    """Root mean square over that of y: 8e-7 in the docstring of `conv_tiles`, for kernels of 3 and 5 elements."""
    for k in (2, 3, 4, 5):
        g = square(4, 64, 16, 24, k, padding=1)
        x, w, _, y = arrays(g, k, "last", np.float32)
        for found, expected in (
                (conv_tiles.forward(x, w, None, g), plain_forward(cpu.xp, x.astype(float), w.astype(float), None, g)),
                (conv_tiles.to_input(y, w, g), plain_to_input(cpu.xp, y.astype(float), w.astype(float), g)),
                (conv_tiles.to_weight(x, y, g), plain_to_weight(cpu.xp, x.astype(float), y.astype(float), g))):
            size = np.sqrt((expected**2).mean())
            assert np.sqrt(((found - expected) ** 2).mean()) < 1.2e-6 * size
            assert np.abs(found - expected).max() < 1.2e-5 * size


def test_which_way_is_taken():
    float32, float64 = np.dtype("float32"), np.dtype("float64")
    assert conv.way(square(16, 64, 64, 32, 3, 1), float32) == (conv_tiles, 1)
    assert conv.way(square(16, 64, 64, 32, 3, 1), float64) == (conv_gemm, 1)
    assert conv.way(square(16, 64, 64, 32, 3, 1, stride=2), float32) == (conv_gemm, 1)
    assert conv.way(square(1, 64, 64, 8, 3, 1), float32) == (conv_gemm, 1)
    assert conv.way(square(64, 1, 16, 28, 5), float32) == (conv_gemm, 1)
    assert conv.way(square(4, 8, 8, 16, 3, groups=8), float32) == (conv_depthwise, 1)
    assert conv.way(square(4, 96, 96, 16, 3, groups=24), float32) == (conv_gemm, 12)
    assert conv.way(square(16, 64, 64, 32, 3, 1, groups=8), float32) == (conv_tiles, 8)
    assert conv.way(square(16, 128, 128, 32, 3, 1, groups=2), float32) == (conv_tiles, 1)


@pytest.mark.parametrize("g", [square(3, 12, 24, 9, 3, 1, groups=6), square(16, 16, 24, 16, 3, groups=4),
                               square(2, 6, 3, 5, 1, groups=3), square(2, 48, 72, 4, 2, groups=12)], ids=str)
def test_small_groups_are_joined(g):
    x, w, b, y = arrays(g, 0, "last", np.float32)
    found = (conv.conv_forward(cpu.xp, x, w, b, g), conv.conv_to_input(cpu.xp, y, w, g),
             conv.conv_to_weight(cpu.xp, x, y, g))
    x, w, b, y = (a.astype(float) for a in (x, w, b, y))
    plain = (plain_forward(cpu.xp, x, w, b, g), plain_to_input(cpu.xp, y, w, g), plain_to_weight(cpu.xp, x, y, g))
    assert conv.way(g, np.dtype("float32"))[1] > 1
    for a, expected in zip(found, plain):
        np.testing.assert_allclose(a, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("g", [square(5, 16, 24, 14, 3, 1), square(6, 3, 8, 30, 5, 2, stride=2),
                               square(3, 6, 12, 9, 3, 1, groups=6), square(7, 40, 24, 11, 1),
                               square(4, 12, 12, 9, 3, 1, groups=4)], ids=str)
def test_results_do_not_depend_on_the_number_of_threads(g):
    x, w, b, y = arrays(g, 0, "last", np.float32)
    before, found = tn.get_num_threads(), []
    try:
        for n in (1, 2, 3):
            tn.set_num_threads(n)
            found.append([conv.conv_forward(cpu.xp, x, w, b, g), conv.conv_to_input(cpu.xp, y, w, g),
                          conv.conv_to_weight(cpu.xp, x, y, g)])
    finally:
        tn.set_num_threads(before)
    for other in found[1:]:
        for a, b in zip(found[0], other):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["float16", "int64", "complex128"])
def test_other_data_types(dtype):
    g = square(2, 3, 4, 6, 3, 1)
    x, w, b, y = (np.round(4 * a).astype(dtype) for a in arrays(g, 0, "last", np.float64))
    if dtype == "complex128":
        x = x * (1 + 2j)
    found = conv.conv_forward(cpu.xp, x, w, b, g)
    wide = np.complex128 if dtype == "complex128" else np.float64
    np.testing.assert_allclose(found, plain_forward(cpu.xp, x.astype(wide), w.astype(wide), b.astype(wide), g), 1e-3)
    assert found.dtype == conv.conv_to_input(cpu.xp, y, w, g).dtype == conv.conv_to_weight(cpu.xp, x, y, g).dtype
    assert found.dtype == dtype


@pytest.mark.parametrize("g", [square(0, 3, 4, 6, 3), square(2, 0, 4, 6, 3), square(2, 3, 0, 6, 3)], ids=str)
def test_nothing_in_nothing_out(g):
    x, w, b, y = arrays(g, 0, "first", np.float32)
    expected = np.zeros((g.batch, g.outputs, *g.out)) + b.reshape(-1, 1, 1)
    np.testing.assert_array_equal(conv.conv_forward(cpu.xp, x, w, b, g), expected)
    assert not conv.conv_to_input(cpu.xp, y, w, g).any() and not conv.conv_to_weight(cpu.xp, x, y, g).any()
    assert conv.conv_to_input(cpu.xp, y, w, g).shape == x.shape
    assert conv.conv_to_weight(cpu.xp, x, y, g).shape == w.shape


@pytest.mark.parametrize("g", [square(24, 32, 32, 32, 3, 1), square(64, 32, 32, 32, 3, 1, stride=2)], ids=str)
def test_columns_are_not_kept(g):
    """A convolution holds its result and nothing else, and never makes the columns of the whole batch."""
    arrays_ = [tn.Tensor(a, requires_grad=True, device="cpu") for a in arrays(g, 0, "last", np.float32)[:3]]
    columns = 4 * g.batch * g.positions * g.taps * g.channels
    results = 4 * g.batch * (g.positions * g.outputs + g.channels * g.size[0] * g.size[1])
    tn.nn.functional.conv2d(*arrays_, stride=g.stride, padding=1)
    tracemalloc.start()
    try:
        y = tn.nn.functional.conv2d(*arrays_, stride=g.stride, padding=1)
        held, peak = tracemalloc.get_traced_memory()
        assert held < 1.05 * y.data.nbytes and peak < y.data.nbytes + columns / 3
        cotangent = tn.ones_like(y)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        y.backward(cotangent)
        assert tracemalloc.get_traced_memory()[1] - before < results + columns / 3
    finally:
        tracemalloc.stop()


def test_results_are_channels_last_and_elementwise_functions_keep_that():
    y = tn.nn.functional.conv2d(tn.randn(2, 3, 6, 6, device="cpu"), tn.randn(4, 3, 3, 3, device="cpu"))
    for t in (y, tn.nn.functional.relu(y), y * 2 + y):
        assert np.moveaxis(t.data, 1, -1).flags.c_contiguous
