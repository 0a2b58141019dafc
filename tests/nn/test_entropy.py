"""Cross-entropy: every option against a loop, stability, blocks, memory, and labels that are wrong."""
import math

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.nn import functional as F

RNG = np.random.default_rng(0)
N, C = 6, 4
X, LABELS, WEIGHT = RNG.standard_normal((N, C)), RNG.integers(0, C, N), RNG.uniform(0.2, 1.2, C)
SOFT = RNG.dirichlet(np.ones(C), N)


def naive_entropy(x, t, weight=None, ignore=-100, smoothing=0.0):
    """(losses, weights that count) of logits (N, C) by a loop."""
    losses, counts = [], []
    for row, label in zip(x, t):
        if label == ignore:
            losses.append(0.0)
            counts.append(0.0)
            continue
        logp = row - row.max() - np.log(np.exp(row - row.max()).sum())
        w = np.ones(len(row)) if weight is None else weight
        q = np.full(len(row), smoothing / len(row)) * w
        q[label] += (1 - smoothing) * w[label]
        losses.append(-(q * logp).sum())
        counts.append(w[label])
    return np.array(losses), np.array(counts)


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("ignore", [-100, 2])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.same_on_strict
def test_entropy_with_every_option(weight, ignore, smoothing):
    labels = np.array([0, 2, 3, 1, 2, 3])
    losses, counts = naive_entropy(X, labels, weight, ignore, smoothing)
    x, t = tn.tensor(X, requires_grad=True), tn.tensor(labels)

    def loss(x, reduction):
        return F.cross_entropy(x, t, None if weight is None else tn.tensor(weight), ignore, reduction, smoothing)

    np.testing.assert_allclose(loss(x, "none").numpy(), losses, rtol=1e-12)
    assert loss(x, "sum").item() == pytest.approx(losses.sum(), rel=1e-12)
    assert loss(x, "mean").item() == pytest.approx(losses.sum() / counts.sum(), rel=1e-12)
    for reduction in ("none", "mean"):
        assert tn.gradcheck(lambda x, r=reduction: loss(x, r), x)
        assert tn.gradgradcheck(lambda x, r=reduction: loss(x, r), x, fast_mode=True, directions=2)
    if smoothing == 0:
        each = F.nll_loss(tn.log_softmax(x), t, None if weight is None else tn.tensor(weight), ignore, "none")
        np.testing.assert_allclose(each.numpy(), losses, rtol=1e-12)


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 4, 5), (3,), (7, 40), (3, 33, 2), (0, 3)])
def test_entropy_of_many_axes(shape):
    """Also with more classes than are kept on axis 0."""
    x = RNG.standard_normal(shape)
    t = RNG.integers(0, shape[1] if len(shape) > 1 else shape[0], shape[:1] + shape[2:] if len(shape) > 1 else ())
    rows = np.moveaxis(x, 1, -1).reshape(-1, shape[1]) if len(shape) > 1 else x[None]
    losses = naive_entropy(rows, t.reshape(-1))[0].reshape(t.shape)
    out = F.cross_entropy(tn.tensor(x), tn.tensor(t), reduction="none")
    assert out.shape == t.shape
    np.testing.assert_allclose(out.numpy(), losses, rtol=1e-12)
    np.testing.assert_allclose(
        F.nll_loss(tn.tensor(x), tn.tensor(t), reduction="sum").item(),
        -np.take_along_axis(np.moveaxis(x, 1, -1) if len(shape) > 1 else x, t[..., None], -1).sum(),
    )
    if x.size:
        assert tn.gradcheck(
            lambda x: F.cross_entropy(x, tn.tensor(t)), tn.tensor(x, requires_grad=True), fast_mode=True
        )
        assert tn.gradgradcheck(
            lambda x: F.cross_entropy(x, tn.tensor(t)),
            tn.tensor(x, requires_grad=True),
            fast_mode=True,
            directions=2,
            elements=2,
        )


def test_entropy_of_large_batches_goes_block_by_block():
    x, t = RNG.standard_normal((900, 100)), RNG.integers(0, 100, 900)
    a = tn.tensor(x, requires_grad=True)
    F.cross_entropy(a, tn.tensor(t), reduction="sum").backward()
    assert F.cross_entropy(a, tn.tensor(t), reduction="sum").item() == pytest.approx(
        naive_entropy(x, t)[0].sum(), rel=1e-12
    )
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    p[np.arange(900), t] -= 1
    np.testing.assert_allclose(a.grad.numpy(), p, atol=1e-14)


@pytest.mark.row("S0-37")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("classes", [3, 50])
def test_entropy_is_stable(dtype, classes):
    """Logits of +-1e4: finite losses and gradients, the right ones."""
    x = np.full((4, classes), -1e4)
    x[0, 1] = x[1, 0] = 1e4
    x[3] = 1e4
    x = tn.tensor(x.astype(dtype), requires_grad=True)
    out = F.cross_entropy(x, tn.tensor([1, 1, 2, 0]), reduction="none")
    np.testing.assert_allclose(out.numpy(), [0, 2e4, math.log(classes), math.log(classes)], rtol=1e-6)
    out.sum().backward()
    g = x.grad.numpy()
    assert np.isfinite(g).all() and np.allclose(g.sum(1), 0, atol=1e-5)
    assert g[0].tolist() == [0.0] * classes and g[1, 0] == 1 and g[1, 1] == -1
    for logits, target in [(1e4, 0.0), (-1e4, 1.0)]:
        z = tn.tensor([logits], dtype=dtype, requires_grad=True)
        loss = F.binary_cross_entropy_with_logits(z, tn.tensor([target], dtype=dtype))
        loss.backward()
        assert loss.item() == 1e4 and abs(z.grad.item()) == 1


def test_entropy_keeps_one_array_of_the_size_of_the_logits():
    x = tn.tensor(RNG.standard_normal((64, 50)), requires_grad=True)
    loss = F.cross_entropy(x, tn.tensor(np.zeros(64, int)))
    kept, seen, stack = 0, set(), [loss.node]
    while stack:
        node = stack.pop()
        if isinstance(node, tn.Tensor) or id(node) in seen:
            continue
        seen.add(id(node))
        kept += sum(1 for a in node.saved or () if getattr(a, "size", 0) == x.size)
        stack.extend(node.parents)
    assert kept == 1


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss, F.multi_margin_loss])
def test_labels_out_of_range(loss):
    for dtype in ("int64", "int32"):
        with pytest.raises(ValueError, match=r"target\[2\] is 4, but there are 4 classes: expected labels in \[0, 4\)"):
            loss(tn.tensor(X[:3]), tn.tensor(np.array([0, 1, 4], dtype)))
        with pytest.raises(ValueError, match=r"target\[0\] is -1, but there are 4 classes"):
            loss(tn.tensor(X[:3]), tn.tensor(np.array([-1, 1, 2], dtype)))
    with pytest.raises(TypeError, match="expected integer class indices, got float64"):
        loss(tn.tensor(X[:3]), tn.tensor([0.0, 1.0, 2.0], dtype="float64"))
    with pytest.raises(TypeError, match="expected integer class indices, got bool"):
        loss(tn.tensor(X[:3]), tn.tensor([True, False, True]))
    with pytest.raises(ValueError, match=r"the class indices have shape \(3,\), got \(4,\)"):
        loss(tn.tensor(X[:3]), tn.tensor([0, 1, 2, 3]))


def test_labels_out_of_range_in_images():
    with pytest.raises(ValueError, match=r"target\[5\] is 3, but there are 3 classes.*or -100 to ignore a row"):
        F.cross_entropy(tn.zeros((2, 3, 4)), tn.tensor([[0, 1, 2, 0], [0, 3, -100, 0]]))


def test_entropy_says_what_is_wrong():
    x, t = tn.tensor(X), tn.tensor(LABELS)
    with pytest.raises(ValueError, match=r"weight: expected one number per class, shape \(4,\), got \(3,\)"):
        F.cross_entropy(x, t, weight=tn.ones((3,)))
    with pytest.raises(ValueError, match=r"weight: expected one number per class, shape \(4,\), got \(3,\)"):
        F.cross_entropy(x, tn.tensor(SOFT), weight=tn.ones((3,)))
    with pytest.raises(ValueError, match="label_smoothing: expected a finite number >= 0 and <= 1, got 1.5"):
        F.cross_entropy(x, t, label_smoothing=1.5)
    with pytest.raises(ValueError, match="ignore_index is 1, but the target are probabilities"):
        F.cross_entropy(x, tn.tensor(SOFT), ignore_index=1)
    with pytest.raises(ValueError, match="no row counts"):
        F.cross_entropy(x, tn.tensor([-100] * N))
    with pytest.raises(ValueError, match="mean over an empty batch"):
        F.cross_entropy(tn.zeros((0, 3)), tn.zeros((0,), dtype="int64"))
    with pytest.raises(ValueError, match="axis of classes"):
        F.cross_entropy(tn.tensor(1.0), tn.tensor(0))
    with pytest.raises(TypeError, match="expected floating logits, got int64"):
        F.cross_entropy(tn.tensor([[1, 2]]), tn.tensor([0]))
    assert F.cross_entropy(x, tn.tensor([-100] * N), reduction="sum").item() == 0
