"""Kernels in C against plain array functions, the ways they can be computed, and what happens where they fail."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.backend.windows import windows
from tinygrad_notes.program.native.compiler import CompileError, build, compiler
from tinygrad_notes.program.native.library import way
from tinygrad_notes.program.passes import PASSES

pytestmark = [pytest.mark.host_only, pytest.mark.skipif(compiler() is None, reason="there is no C compiler")]
F = tn.nn.functional


def near(a, b, tolerance=2e-5):
    b = b.numpy() if isinstance(b, tn.Tensor) else b
    np.testing.assert_allclose(a.numpy(), b, rtol=0, atol=tolerance * max(1e-30, np.abs(b).max()))


CONVOLUTIONS = {  # sample shape, outputs, kernel, options: way forward, way to the input
    "3 x 3": ((5, 16, 10, 13), 32, (3, 3), {"padding": 1}, "tiled", "tiled"),
    "3 x 3 without a border": ((2, 32, 9, 8), 16, (3, 3), {}, "tiled", "tiled"),
    "3 x 3, much border": ((2, 16, 6, 9), 48, (3, 3), {"padding": (4, 0)}, "tiled", "tiled"),
    "small": ((3, 4, 12, 10), 5, (3, 3), {"padding": 1}, "direct", "direct"),
    "one channel": ((4, 1, 14, 14), 16, (5, 5), {}, "direct", "columns"),
    "strides": ((3, 6, 11, 12), 40, (3, 2), {"stride": (2, 3), "padding": 1}, "direct", "columns"),
    "dilation": ((2, 7, 15, 16), 20, (3, 3), {"dilation": (2, 3), "padding": 2}, "direct", "direct"),
    "more border than kernel": ((2, 4, 5, 6), 8, (2, 2), {"padding": 3}, "direct", "direct"),
    "one axis": ((3, 5, 33), 37, (4,), {"padding": 2}, "direct", "direct"),
    "1 x 1": ((3, 8, 5, 6), 9, (1, 1), {}, "columns", "columns"),
    "groups": ((3, 8, 7, 6), 12, (3, 3), {"groups": 4, "padding": 1}, "columns", "columns"),
    "three axes": ((2, 4, 5, 6, 7), 6, (2, 3, 2), {"padding": 1, "stride": (1, 2, 1)}, "columns", "columns"),
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions(name, threads, rng):
    shape, outputs, kernel, options, forward, back = CONVOLUTIONS[name]
    groups, axes = options.get("groups", 1), len(kernel)
    conv = (F.conv1d, F.conv2d, F.conv3d)[axes - 1]
    x, w, b = (tn.asarray(rng.standard_normal(s)) for s in (shape, (outputs, shape[1] // groups, *kernel), (outputs,)))

    def step(x, w, b, u):
        leaves = [t.detach().requires_grad_() for t in (x, w, b)]
        y = conv(*leaves, **options)
        return y.detach(), *tn.autograd.grad([y], leaves, [u])
    u = tn.asarray(rng.standard_normal(conv(x, w, b, **options).shape))
    expected = step(x, w, b, u)  # in float64, by NumPy
    given = [t.astype("float32") for t in (x, w, b, u)]
    compiled = tn.compile(step, backend="c", threads=threads)
    compiled(*given)
    for found, right in zip(compiled(*given), expected):
        near(found, right)

    def along(option, fill):
        value = options.get(option, fill)
        return value if isinstance(value, tuple) else (value,) * axes
    g = windows(shape, tuple(w.shape), along("stride", 1), tuple((p, p) for p in along("padding", 0)),
                along("dilation", 1), groups)
    single = np.dtype("float32")
    assert (way("conv_forward", g, single), way("conv_to_input", g, single)) == (forward, back)
    assert way("conv_forward", g, np.dtype("float64")) == "columns"


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shape", [(3000, 16, 90), (7, 1200, 400), (1300, 33, 64), (2500, 5, 333), (31, 31, 4000)])
def test_narrow_products(shape, threads, rng):
    m, n, k = shape
    x, y = rng.standard_normal((m, k)).astype("float32"), rng.standard_normal((k, n)).astype("float32")
    for turn_x in (False, True):
        for turn_y in (False, True):
            def step(a, b, turn_x=turn_x, turn_y=turn_y):
                return (a.T if turn_x else a) @ (b.T if turn_y else b)
            given = [tn.asarray(np.ascontiguousarray(x.T if turn_x else x)),
                     tn.asarray(np.ascontiguousarray(y.T if turn_y else y))]
            compiled = tn.compile(step, backend="c", threads=threads)
            compiled(*given)
            near(compiled(*given), x.astype(float) @ y.astype(float))


def test_a_failing_pass_is_told_once_and_changes_nothing(monkeypatch):
    def broken(program):
        raise KeyError("a mistake")
    monkeypatch.setitem(PASSES, "simplify", broken)
    f = tn.compile(lambda x: tn.sin(x) * 2)
    x = tn.asarray([1.0, 2.0])
    with pytest.warns(RuntimeWarning, match=r"interpret runs this program.*c \(KeyError: 'a mistake'\)") as told:
        f(x)
    assert len(told) == 1
    near(f(x), 2 * np.sin([1.0, 2.0]), 1e-7)
    assert not f.broken


def test_a_compiler_that_refuses_is_quoted():
    with pytest.raises(CompileError, match="refused a program"):
        build("this is not C")


@pytest.fixture
def no_compiler(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("TINYGRAD_NOTES_CC", "none")
        compiler.cache_clear()
        yield
    compiler.cache_clear()


def test_without_a_compiler_numpy_takes_its_place(no_compiler):
    with pytest.raises(CompileError, match="no C compiler"):
        build("int f;")
    f = tn.compile(lambda x: tn.exp(x) + 1)
    x = tn.asarray([0.5, 1.5])
    f(x)
    near(f(x), np.exp([0.5, 1.5]) + 1, 1e-7)
    assert "block" in type(next(iter(f._known.values()))[0].executor).__name__.lower()
