"""Borders: against NumPy, negative widths, memory order, errors, PyTorch."""

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

X = np.random.default_rng(0).standard_normal((2, 3, 4, 5))


@pytest.mark.parametrize("mode, theirs", [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")])
@pytest.mark.parametrize("pad", [(1, 2), (0, 3, 2, 1), (1, 0, 0, 2, 2, 1)], ids=len)
def test_same_as_numpy(mode, theirs, pad):
    axes = len(pad) // 2
    widths = [(0, 0)] * (4 - axes) + [pad[i : i + 2] for i in range(0, len(pad), 2)][::-1]
    x = X if axes > 1 else X[0]
    np.testing.assert_array_equal(F.pad(tn.tensor(x), pad, mode).numpy(), np.pad(x, widths[4 - x.ndim :], theirs))


def test_constants_and_negative_widths():
    x = tn.tensor(X)
    wanted = np.pad(X[:, :, :2, 1:], (*[(0, 0)] * 3, (0, 2)), constant_values=7.5)
    np.testing.assert_array_equal(F.pad(x, (-1, 2, 0, -2), value=7.5).numpy(), wanted)
    assert F.pad(tn.tensor(True), ()).tolist() is True
    assert F.pad(tn.tensor([1, 2]), (1, 0), value=3).dtype == tn.tensor([1]).dtype
    row = tn.tensor([[0.0, 1.0, 2.0, 3.0]])
    assert F.pad(row, (-1, 2), "reflect").tolist() == [[1, 2, 3, 2, 1]]
    assert F.pad(row, (2, -3), "replicate").tolist() == [[0, 0, 0]]
    assert F.pad(row, (1, -2), "circular").tolist() == [[1, 0, 1]]
    assert F.pad(row, (-2, -2)).shape == (1, 0)


def test_memory_order_is_kept():
    last = np.ascontiguousarray(X.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    for mode in ("constant", "reflect", "replicate", "circular"):
        t = tn.Tensor(last, requires_grad=True)
        out = F.pad(t, (1, 2, 2, 1), mode)
        np.testing.assert_array_equal(out.numpy(), F.pad(tn.tensor(X), (1, 2, 2, 1), mode).numpy())
        (g,) = tn.autograd.grad(out, [t], out.detach())
        if tn.current_device() == "cpu":
            assert out.data.strides[1] == 8
            assert g.data.strides[1] == 8 or mode == "constant"  # a view of `out`, copied for its owner


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_the_gradient_is_the_transpose(mode):
    x = tn.tensor(X, requires_grad=True)
    out = F.pad(x, (2, 1, 3, 1), mode)
    u = np.random.default_rng(1).standard_normal(out.shape)
    (g,) = tn.autograd.grad(out, [x], tn.tensor(u))
    assert (out.numpy() * u).sum() == pytest.approx((X * g.numpy()).sum(), rel=1e-12)


WRONG = [
    (lambda: F.pad(tn.tensor(X), (1,)), "pad: expected pairs of ints, got"),
    (lambda: F.pad(tn.tensor(X), (1.0, 2)), "pad: expected pairs of ints"),
    (lambda: F.pad(tn.ones(3), (1, 1, 1, 1)), r"expected at most 2 widths for an input of shape \(3,\)"),
    (lambda: F.pad(tn.ones((1, 3)), (-2, -2)), "cuts off more than an input of shape"),
    (lambda: F.pad(tn.ones((1, 3)), (9, -4)), "cuts off more"),
    (lambda: F.pad(tn.ones((1, 3)), (3, 0), "reflect"), "can add at most 2 to an axis of 3 elements"),
    (lambda: F.pad(tn.ones((1, 3)), (4, 0), "circular"), "can add at most 3 to an axis of 3 elements"),
    (lambda: F.pad(tn.ones((1, 3)), (2, -2), "circular"), "cuts off what it is to repeat"),
    (lambda: F.pad(tn.ones((1, 3)), (1, 0), "reflect", 2.0), "value: has no meaning in mode 'reflect'"),
    (lambda: F.pad(tn.ones((3,)), (1, 0), "reflect"), "pads the last axis of 2 or 3"),
    (lambda: F.pad(tn.ones((1, 0)), (1, 0), "replicate"), "no empty axis but the batch"),
    (lambda: F.pad(tn.ones((1, 3)), (1, 0), "edge"), "mode: expected one of 'constant'"),
    (lambda: nn.ReflectionPad2d((1, 2)), "ReflectionPad2d: padding: expected an int or 4 of them"),
    (lambda: nn.ZeroPad1d(1.5), "ZeroPad1d: padding: expected an int"),
]


@pytest.mark.parametrize("call, message", WRONG, ids=[m[:30] for _, m in WRONG])
def test_what_raises(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("kind", ["ConstantPad", "ZeroPad", "ReflectionPad", "ReplicationPad", "CircularPad"])
def test_same_as_pytorch(kind, axes):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 3, 5)[: axes + 2])
    for padding in (1, (1, 2, 0, 2, 1, 1)[: 2 * axes]):
        arguments = (padding, 3.5) if kind == "ConstantPad" else (padding,)
        ours, theirs = getattr(nn, f"{kind}{axes}d")(*arguments), getattr(torch.nn, f"{kind}{axes}d")(*arguments)
        assert repr(ours) == repr(theirs)
        for array in (x, x[0]):
            mine, yours = tn.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)
            out, wanted = ours(mine), theirs(yours)
            np.testing.assert_array_equal(out.numpy(), wanted.detach().numpy())
            (out**3).sum().backward()
            (wanted**3).sum().backward()
            np.testing.assert_allclose(mine.grad.numpy(), yours.grad.numpy(), rtol=1e-12)
