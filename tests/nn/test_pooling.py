"""Pooling: the worked examples of the notes, ties, NaN, memory order, all orders of derivatives, errors, PyTorch."""

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.ops.rows_pooling import apart, largest, place_of_largest, reduced
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

PATCH = [[1.0, 3, 5, 3], [6, 2, 0, 8], [4, 6, 1, 4], [2, 8, 0, 3]]


@pytest.mark.row("S0-T12")
def test_the_patch_of_the_notes():
    x = tn.tensor([[PATCH]], requires_grad=True)
    assert F.subsample(x, 2).tolist() == [[[[1, 5], [4, 1]]]]
    assert nn.AvgPool2d(2)(x).tolist() == [[[[3, 4], [5, 2]]]]
    out = nn.MaxPool2d(2)(x)
    assert out.tolist() == [[[[6, 8], [8, 4]]]]
    out.backward(tn.tensor([[[[10.0, 20], [30, 40]]]]))
    assert x.grad.tolist() == [[[[0, 0, 0, 0], [10, 0, 0, 20], [0, 0, 0, 40], [0, 30, 0, 0]]]]


@pytest.mark.row("S0-T13")
def test_upsampling_of_the_notes():
    x = tn.tensor([[PATCH]], requires_grad=True)
    pooled, places = nn.MaxPool2d(2, return_indices=True)(x)
    back = nn.MaxUnpool2d(2)(pooled, places)
    assert back.tolist() == [[[[0, 0, 0, 0], [6, 0, 0, 8], [0, 0, 0, 4], [0, 8, 0, 0]]]]
    back.backward(tn.ones((1, 1, 4, 4)))
    assert x.grad.tolist() == (back.numpy() > 0).tolist()
    twice = nn.UpsamplingNearest2d(scale_factor=2)(pooled)
    assert twice.tolist() == [[np.kron(pooled.numpy()[0, 0], np.ones((2, 2))).tolist()]]
    between = nn.UpsamplingBilinear2d(size=(2, 3))(pooled)
    assert between.tolist() == [[[[6, 7, 8], [8, 6, 4]]]]


def test_the_first_of_equal_elements_and_the_last_nan():
    x = tn.tensor([[[2.0, 2], [2, 1]]], requires_grad=True)
    out, place = F.max_pool2d(x, 2, return_indices=True)
    out.backward(tn.tensor([[[5.0]]]))
    assert place.tolist() == [[[0]]] and x.grad.tolist() == [[[5, 0], [0, 0]]]
    assert F.max_pool2d(tn.tensor([[[1.0, 3], [3, 3]]]), 2, return_indices=True)[1].tolist() == [[[1]]]
    nan = float("nan")
    for row in ([nan, 3.0, nan, 9.0], [nan, nan, nan, 9.0], [7.0, nan, nan, 9.0]):
        for options in ({}, {"stride": 1}):
            out, place = F.max_pool1d(tn.tensor([row]), 4, return_indices=True, **options)
            assert np.isnan(out.numpy()).all() and place.tolist() == [[2]]
    out, place = F.max_pool1d(tn.tensor([[1.0, nan, 2.0, 5.0]]), 2, return_indices=True)
    assert np.isnan(out.tolist()[0][0]) and out.tolist()[0][1] == 5 and place.tolist() == [[1, 3]]
    low = tn.full((1, 4), -float("inf"))
    assert F.max_pool1d(low, 3, 2, 1, return_indices=True)[1].tolist() == [[0, 1]]  # never a place in the border


def test_integers_and_windows_of_many_places():
    x = np.random.default_rng(0).permutation(400).reshape(1, 20, 20)
    for dtype in ("int64", "int16", "float32"):
        out, places = F.max_pool2d(tn.tensor(x.astype(dtype)), (16, 17), 4, 8, return_indices=True)
        assert out.dtype == dtype
        np.testing.assert_array_equal(out.numpy(), reduced(x, largest, (16, 17), 4, 8))
        np.testing.assert_array_equal(places.numpy(), reduced(x, place_of_largest, (16, 17), 4, 8))
    x = tn.tensor(x * 1.0, requires_grad=True)
    F.max_pool2d(x, (16, 17), 4, 8).sum().backward()
    counts = np.bincount(places.numpy().reshape(-1), minlength=400).reshape(1, 20, 20)
    np.testing.assert_array_equal(x.grad.numpy(), counts)


@pytest.mark.parametrize("kernel, stride, padding", [(2, 2, 0), (3, 2, 1), (2, 3, 0), (3, 3, 0), (5, 1, 2)])
def test_memory_order_is_kept(kernel, stride, padding):
    """An image in channels-last memory gives results and gradients in channels-last memory, with the same numbers."""
    x = apart(3, 4, 7, 8)(np.random.default_rng(0))[0]
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    for pool in (F.max_pool2d, F.avg_pool2d):
        results = []
        for array in (x, last):
            t = tn.Tensor(array, requires_grad=True)
            out = pool(t, kernel, stride, padding)
            g = np.empty_like(out.data if isinstance(out.data, np.ndarray) else out.numpy())
            g[...] = np.random.default_rng(1).standard_normal(g.shape)
            (back,) = tn.autograd.grad(out, [t], tn.Tensor(g))
            results += [out.numpy(), back.numpy()]
            if array is last and tn.current_device() == "cpu":
                assert out.data.strides[1] == back.data.strides[1] == 8
        np.testing.assert_array_equal(results[0], results[2])
        np.testing.assert_allclose(results[1], results[3], rtol=1e-13)


def test_infinite_gradients_stay_where_they_belong():
    x = tn.tensor([[1.0, 2.0, 3.0, 4.0]], requires_grad=True)
    F.max_pool1d(x, 2).backward(tn.tensor([[float("inf"), 1.0]]))
    assert x.grad.tolist() == [[0, float("inf"), 0, 1]]


@pytest.mark.parametrize("pool", [lambda x: F.max_pool2d(x, 2), lambda x: F.max_pool2d(x, 3, 1, 1)])
def test_third_derivative_of_max_pooling(pool):
    """For sum(out^4) it is 24 out at the places of the largest elements, once for each window they are largest in."""
    x = tn.tensor(apart(2, 4, 4)(np.random.default_rng(0))[0], requires_grad=True)
    total = (pool(x) ** 4).sum()
    for _ in range(3):
        (g,) = tn.autograd.grad(total, [x], create_graph=True)
        total = g.sum()
    count = tn.autograd.grad(pool(x).sum(), [x])[0].numpy()
    np.testing.assert_allclose(g.numpy(), 24 * x.numpy() * count, rtol=1e-12)


def test_only_the_numbers_of_places_are_kept():
    """One byte per window, not the input."""
    import weakref
    x = tn.randn((2, 3, 8, 8), requires_grad=True)
    y = x * 2
    alive = weakref.ref(y.data)
    out = F.max_pool2d(y, 2)
    del y
    assert alive() is None
    kept = [part for part in out.node.parents[0].saved if isinstance(part, tuple) and len(part) == 2]
    assert [part.dtype for part in kept[0]] == ["float32", "uint8"]


def test_means_of_half_precision_do_not_overflow():
    x = tn.full((1, 1, 300, 300), 40.0, dtype=tn.float16)
    for out in (F.avg_pool2d(x, 150), F.adaptive_avg_pool2d(x, 1), F.adaptive_avg_pool2d(x, 7)):
        assert out.dtype == tn.float16 and out.numpy().tolist() == np.full(out.shape, 40).tolist()


def test_p_norms():
    x = tn.tensor([[0.0, 0.0, 3.0, 4.0]], requires_grad=True)
    out = F.lp_pool1d(x, 2, 2)
    assert out.tolist() == [[0, 5]]
    out.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [[0, 0, 0.6, 0.8]], rtol=1e-6)
    y = tn.tensor([[-3.0, 2.0, 1.0, -1.0]])
    assert F.lp_pool1d(y, float("inf"), 2).tolist() == [[3, 1]]
    assert F.lp_pool1d(y, -float("inf"), 2).tolist() == [[2, 1]]


def test_fractional_windows_cover_the_image_and_follow_the_seed():
    x = tn.tensor(np.arange(2 * 49.0).reshape(1, 2, 7, 7))
    layer = nn.FractionalMaxPool2d(2, output_size=5, return_indices=True)
    tn.manual_seed(3)
    first = [t.numpy() for t in layer(x)]
    other = [t.numpy() for t in layer(x)]
    tn.manual_seed(3)
    again = [t.numpy() for t in layer(x)]
    np.testing.assert_array_equal(first[0], again[0])
    assert (first[0] != other[0]).any()
    np.testing.assert_array_equal(np.take_along_axis(x.numpy().reshape(1, 2, 49), first[1].reshape(1, 2, 25), 2),
                                  first[0].reshape(1, 2, 25))
    rows, columns = np.divmod(first[1], 7)
    assert set(np.unique(np.diff(rows, axis=2))) <= {1, 2} and set(np.unique(np.diff(columns, axis=3))) <= {1, 2}


def test_unpooling_of_overlapping_windows():
    x = tn.tensor([[1.0, 5.0, 2.0, 3.0]], requires_grad=True)
    out, places = F.max_pool1d(x, 3, 1, return_indices=True)
    assert places.tolist() == [[1, 1]]
    assert F.max_unpool1d(out, places, 3, 1).tolist() == [[0, 5, 0, 0]]
    twice = F.max_unpool1d(tn.tensor([[7.0, 8.0]]), tn.tensor([[2, 2]]), 2, output_size=(5,))
    assert twice.tolist() == [[0, 0, 8, 0, 0]]


X = tn.ones((1, 4, 4))
WRONG = [
    (lambda: F.max_pool2d(X, 0), "kernel_size: expected an int >= 1 or 2 of them, got 0"),
    (lambda: F.max_pool2d(X, (2, 2, 2)), "kernel_size: expected an int >= 1 or 2 of them"),
    (lambda: F.max_pool2d(X, 2, 0), "stride: expected an int >= 1"),
    (lambda: F.max_pool2d(X, 2, padding=-1), "padding: expected an int >= 0"),
    (lambda: F.max_pool2d(X, 2, padding=2), "padding: expected at most half of kernel_size"),
    (lambda: F.max_pool2d(X, 2, dilation=0), "dilation: expected an int >= 1"),
    (lambda: F.max_pool2d(X, 5), r"windows of kernel_size=\(5, 5\) .* do not fit into an input of size \(4, 4\)"),
    (lambda: F.max_pool2d(X, 3, dilation=2), "do not fit"),
    (lambda: F.max_pool1d(tn.ones((1, 1)), 2, 1, 1, 2), "some window has no element"),
    (lambda: F.max_pool2d(tn.ones((4, 4)), 2), r"expected 4 axes \(N, C, H, W\), or 3 without the batch, got shape"),
    (lambda: F.avg_pool1d(tn.ones((1, 1, 4, 4)), 2), r"expected 3 axes \(N, C, L\)"),
    (lambda: F.max_pool3d(tn.ones((1, 0, 2, 2)), 1), "no empty axis but the batch"),
    (lambda: F.avg_pool2d(X, 2, padding=2), "at most half"),
    (lambda: F.avg_pool2d(X, 2, divisor_override=0), "divisor_override: expected an int that is not 0"),
    (lambda: F.lp_pool2d(X, 0, 2), "norm_type: expected a number other than 0"),
    (lambda: F.adaptive_avg_pool2d(X, (1, 2, 3)), "output_size: expected an int or 2 of them"),
    (lambda: F.adaptive_max_pool2d(X, -1), "output_size: expected an int >= 0"),
    (lambda: F.fractional_max_pool2d(X, 2), "expected either output_size or output_ratio"),
    (lambda: F.fractional_max_pool2d(X, 2, 2, 0.5), "expected either output_size or output_ratio"),
    (lambda: F.fractional_max_pool2d(X, 2, output_ratio=1.5), "output_ratio: expected numbers between 0 and 1"),
    (lambda: F.fractional_max_pool2d(X, 3, 3), r"has no \(3, 3\) windows of \(3, 3\)"),
    (lambda: F.fractional_max_pool2d(X, 2, 2, _random_samples=tn.ones((1, 1, 3))), "_random_samples: expected shape"),
    (lambda: nn.FractionalMaxPool2d(2), "expected either output_size or output_ratio"),
    (lambda: nn.FractionalMaxPool3d(2, output_ratio=(0.5, 0.5)), "output_ratio: expected numbers between 0 and 1"),
    (lambda: F.max_unpool2d(X, tn.full((1, 4, 4), 64), 2), r"indices: expected places in \[0, 64\)"),
    (lambda: F.max_unpool2d(X, tn.full((1, 4, 4), -1), 2), "indices: expected places in"),
    (lambda: F.max_unpool2d(X, tn.zeros((1, 4, 3), dtype=tn.int64), 2), "indices: expected integers of the shape of"),
    (lambda: F.max_unpool2d(X, X, 2), "indices: expected integers"),
    (lambda: F.max_unpool2d(X, tn.zeros((1, 4, 4), dtype=tn.int64), 2, output_size=(8, 10)), "output_size: expected 2"),
    (lambda: F.subsample(X, 0), "factor: expected an int >= 1"),
]


@pytest.mark.parametrize("call, message", WRONG, ids=[m[:30] for _, m in WRONG])
def test_what_raises(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_what_has_no_order_has_no_maximum():
    for x in (tn.ones((1, 4, 4), dtype="bool"), tn.ones((1, 4, 4), dtype="complex64")):
        with pytest.raises(TypeError, match="input: expected real numbers"):
            F.max_pool2d(x, 2)


def test_no_samples():
    layers = nn.MaxPool2d(2), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(3), nn.AdaptiveMaxPool2d(3), nn.LPPool2d(2, 2)
    for layer in layers:
        x = tn.zeros((0, 3, 6, 6), requires_grad=True)
        out = layer(x)
        assert out.shape == (0, 3, 3, 3)
        out.sum().backward()
        assert x.grad.shape == x.shape
    for pool in (nn.AdaptiveAvgPool2d(0), nn.AdaptiveMaxPool2d((0, 2))):
        assert pool(tn.ones((2, 3, 4, 4))).size == 0


LAYERS = [
    ("MaxPool1d", (3, 2, 1), 1), ("MaxPool2d", ((3, 2), (2, 1), (1, 0), (1, 2)), 2), ("MaxPool3d", (2,), 3),
    ("AvgPool1d", (3, 2, 1), 1), ("AvgPool2d", (3, 2, 1, True, False), 2), ("AvgPool3d", (2, 1, 0, True, True, 3), 3),
    ("LPPool1d", (2.0, 3, 1), 1), ("LPPool2d", (2, (3, 2)), 2), ("LPPool3d", (3, 2, 2, True), 3),
    ("AdaptiveAvgPool1d", (3,), 1), ("AdaptiveAvgPool2d", ((None, 3),), 2), ("AdaptiveAvgPool3d", ((2, 3, 1),), 3),
    ("AdaptiveMaxPool1d", (3, True), 1), ("AdaptiveMaxPool2d", ((None, 3), True), 2), ("AdaptiveMaxPool3d", (2,), 3),
    ("MaxUnpool1d", (2, 2), 1), ("MaxUnpool2d", (2,), 2), ("MaxUnpool3d", (2, 2, 0), 3),
]


@pytest.mark.parametrize("name, arguments, axes", LAYERS, ids=[layer[0] for layer in LAYERS])
def test_same_as_pytorch(name, arguments, axes):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    ours, theirs = getattr(nn, name)(*arguments), getattr(torch.nn, name)(*arguments)
    assert repr(ours) == repr(theirs)
    for lead in ((2, 3), (3,)):
        x = rng.standard_normal((*lead, *(7, 6, 5)[:axes]))
        x = abs(x) if name.startswith("LP") else x
        mine, yours = [tn.tensor(x, requires_grad=True)], [torch.tensor(x, requires_grad=True)]
        if "Unpool" in name:
            plane = x.size // np.prod(lead)
            places = rng.permuted(np.tile(np.arange(plane), (*lead, 1)), axis=-1)
            mine.append(tn.tensor(places.reshape(x.shape)))
            yours.append(torch.tensor(places.reshape(x.shape)))
        out, wanted = ours(*mine), theirs(*yours)
        if isinstance(wanted, tuple):
            np.testing.assert_array_equal(out[1].numpy(), wanted[1].numpy())
            out, wanted = out[0], wanted[0]
        np.testing.assert_allclose(out.numpy(), wanted.detach().numpy(), rtol=1e-12, atol=1e-14)
        (out**3).sum().backward()
        (wanted**3).sum().backward()
        np.testing.assert_allclose(mine[0].grad.numpy(), yours[0].grad.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("axes", [2, 3])
def test_fractional_same_as_pytorch(axes):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    name = f"FractionalMaxPool{axes}d"
    x, u = rng.standard_normal((2, 3, *(9, 7, 8)[:axes])), rng.random((2, 3, axes))
    for options in ({"output_size": (5, 4, 6)[:axes]}, {"output_ratio": (0.5, 0.6, 0.4)[:axes]}):
        ours = getattr(nn, name)(2, return_indices=True, _random_samples=tn.tensor(u), **options)
        theirs = getattr(torch.nn, name)(2, return_indices=True, _random_samples=torch.tensor(u), **options)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        for out, wanted in zip(ours(tn.tensor(x)), theirs(torch.tensor(x))):
            np.testing.assert_array_equal(out.numpy(), wanted.numpy())
