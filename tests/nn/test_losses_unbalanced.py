"""Focal, Dice and Tversky losses: against NumPy, their special cases, empty regions, and what raises."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

RNG = np.random.default_rng(0)
X, LABELS, WEIGHT = RNG.standard_normal((6, 4)), np.array([0, 3, 1, -100, 2, 1]), RNG.uniform(0.2, 1.2, 4)
P, REGIONS = RNG.uniform(size=(2, 3, 4, 5)), RNG.integers(0, 3, (2, 4, 5))


def test_focal_loss():
    p = np.exp(X) / np.exp(X).sum(1, keepdims=True)
    kept = LABELS >= 0
    pt = p[np.arange(6), np.where(kept, LABELS, 0)]
    each = np.where(kept, -WEIGHT[np.where(kept, LABELS, 0)] * (1 - pt) ** 1.5 * np.log(pt), 0.0)
    np.testing.assert_allclose(F.focal_loss(X, LABELS, WEIGHT, 1.5, reduction="none").numpy(), each, rtol=1e-12)
    assert nn.FocalLoss(WEIGHT, 1.5)(X, LABELS).item() == pytest.approx(each.sum() / kept.sum())
    assert F.focal_loss(X, LABELS, gamma=0).item() == pytest.approx(F.cross_entropy(X, LABELS).item())
    for check in (tn.gradcheck, tn.gradgradcheck):
        assert check(lambda x: F.focal_loss(x, LABELS, WEIGHT, 1.5, reduction="none"), tn.tensor(X))


@pytest.mark.parametrize("alpha", [-1, 0.25])
def test_sigmoid_focal_loss(alpha):
    y = RNG.integers(0, 2, X.shape).astype(float)
    p = 1 / (1 + np.exp(-X))
    pt = np.where(y == 1, p, 1 - p)
    expected = -(1 - pt) ** 2 * np.log(pt) * (np.where(y == 1, alpha, 1 - alpha) if alpha >= 0 else 1)
    np.testing.assert_allclose(F.sigmoid_focal_loss(X, y, alpha).numpy(), expected, rtol=1e-12)
    inputs = tn.tensor(X), tn.tensor(RNG.uniform(size=X.shape))
    for check in (tn.gradcheck, tn.gradgradcheck):
        assert check(lambda x, y: F.sigmoid_focal_loss(x, y, alpha), inputs)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_examples_that_are_right_have_no_gradient(gamma):
    x = tn.tensor([[1e3, -1e3]], requires_grad=True)
    F.focal_loss(x, [0], gamma=gamma).backward()
    assert x.grad.numpy().tolist() == [[0.0, 0.0]]


def overlap(p, t, alpha, beta, smooth, axes):
    hit = (p * t).sum(axes)
    return 1 - (hit + smooth) / (hit + alpha * (p * (1 - t)).sum(axes) + beta * ((1 - p) * t).sum(axes) + smooth)


@pytest.mark.parametrize("over_batch", [False, True])
def test_tversky_and_dice(over_batch):
    t = np.moveaxis(np.eye(3)[REGIONS], -1, 1)
    axes = (0, 2, 3) if over_batch else (2, 3)
    expected = overlap(P, t, 0.3, 0.7, 0.1, axes)
    for target in (t, REGIONS):
        found = F.tversky_loss(P, target, 0.3, 0.7, 0.1, over_batch, "none")
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
    assert nn.TverskyLoss(0.3, 0.7, 0.1, over_batch)(P, REGIONS).item() == pytest.approx(expected.mean())
    dice = 1 - (2 * (P * t).sum(axes) + 2) / (P.sum(axes) + t.sum(axes) + 2)
    np.testing.assert_allclose(nn.DiceLoss(1.0, over_batch, "none")(P, REGIONS).numpy(), dice, rtol=1e-12)
    for check in (tn.gradcheck, tn.gradgradcheck):
        assert check(lambda p, t: F.dice_loss(p, t, reduction="none"), (tn.tensor(P), tn.tensor(t)), fast_mode=True)


def test_an_empty_region_that_is_predicted_empty():
    p = tn.zeros((1, 1, 3), requires_grad=True)
    loss = F.dice_loss(p, tn.zeros((1, 1, 3)))
    loss.backward()
    assert loss.item() == 0 and not p.grad.numpy().any()


@pytest.mark.parametrize("call, message", [
    (lambda: F.focal_loss(X, LABELS, gamma=-1), "gamma: expected a finite number >= 0"),
    (lambda: F.focal_loss(X, LABELS * 0 + 4), "but there are 4 classes"),
    (lambda: F.focal_loss(X, LABELS * 0 - 100), "no row counts"),
    (lambda: F.sigmoid_focal_loss(X, X[:3]), "inputs and targets must have equal shapes"),
    (lambda: F.sigmoid_focal_loss(X, X, alpha=2), "alpha: expected"),
    (lambda: F.dice_loss(P, REGIONS[:1]), r"target: expected shape \(2, 3, 4, 5\), or class indices"),
    (lambda: F.dice_loss(P, REGIONS + 1), "but there are 3 classes"),
    (lambda: F.dice_loss(P[0, 0, 0], P[0, 0, 0]), r"input: expected shape \(N, C, ...\)"),
    (lambda: nn.TverskyLoss(alpha=-1), "alpha: expected a finite number >= 0"),
])
def test_what_raises(call, message):
    with pytest.raises(ValueError, match=message):
        call()
