"""Losses: values against naive NumPy, gradients of two orders, reductions, stability, and what raises."""

import math

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

RNG = np.random.default_rng(0)
N, C = 6, 4


def normal(*shape):
    return RNG.standard_normal(shape)


def probabilities(*shape):
    return RNG.uniform(0.05, 0.95, shape)


def signs(*shape):
    return RNG.choice([-1.0, 1.0], shape)


def log_softmax(x, axis=1):
    return x - np.log(np.exp(x).sum(axis, keepdims=True))


X, Y, P, Q, S = normal(N, C), normal(N, C), probabilities(N, C), probabilities(N, C), signs(N, C)
V = probabilities(N, C) + 0.5
LABELS, WEIGHT = RNG.integers(0, C, N), probabilities(C) + 0.2
SOFT = Q / Q.sum(1, keepdims=True)
A, B, D = normal(N, C), normal(N, C), normal(N, C)
COS = (A * B).sum(1) / np.sqrt(((A * A).sum(1) + 1e-12) * ((B * B).sum(1) + 1e-12))
ONES = signs(N)


def distance(x, y, p=2.0):
    return (abs(x - y + 1e-6) ** p).sum(-1) ** (1 / p)


def hinge(x):
    return np.maximum(x, 0)


# name: (function of reduction, inputs that may carry a gradient, losses by NumPy)
ROWS = {
    "mse": (lambda r, x, y: F.mse_loss(x, y, r), (X, Y), (X - Y) ** 2),
    "mse weighted": (lambda r, x, y: F.mse_loss(x, y, r, tn.tensor(P)), (X, Y), P * (X - Y) ** 2),
    "l1": (lambda r, x, y: F.l1_loss(x, y, r), (X, Y), abs(X - Y)),
    "lp 3": (lambda r, x, y: F.lp_loss(x, y, 3, r), (X, Y), abs(X - Y) ** 3),
    "lp 1.5": (lambda r, x, y: F.lp_loss(x, y, 1.5, r), (X, Y), abs(X - Y) ** 1.5),
    "huber": (
        lambda r, x, y: F.huber_loss(x, y, r, 0.7),
        (X, Y),
        np.where(abs(X - Y) < 0.7, (X - Y) ** 2 / 2, 0.7 * (abs(X - Y) - 0.35)),
    ),
    "smooth l1": (
        lambda r, x, y: F.smooth_l1_loss(x, y, r, 0.7),
        (X, Y),
        np.where(abs(X - Y) < 0.7, (X - Y) ** 2 / 1.4, abs(X - Y) - 0.35),
    ),
    "smooth l1, beta 0": (lambda r, x, y: F.smooth_l1_loss(x, y, r, 0.0), (X, Y), abs(X - Y)),
    "gaussian": (
        lambda r, x, y, v: F.gaussian_nll_loss(x, y, v, True, reduction=r),
        (X, Y, V),
        (np.log(V) + (X - Y) ** 2 / V + math.log(2 * math.pi)) / 2,
    ),
    "gaussian, one variance per row": (
        lambda r, x, y, v: F.gaussian_nll_loss(x, y, v, reduction=r),
        (X, Y, V[:, 0]),
        (np.log(V[:, :1]) + (X - Y) ** 2 / V[:, :1]) / 2,
    ),
    "gaussian, a number": (
        lambda r, x, y: F.gaussian_nll_loss(x, y, 0.3, reduction=r),
        (X, Y),
        (math.log(0.3) + (X - Y) ** 2 / 0.3) / 2,
    ),
    "poisson": (lambda r, x, y: F.poisson_nll_loss(x, y, reduction=r), (X, Y), np.exp(X) - Y * X),
    "poisson rate": (lambda r, x, y: F.poisson_nll_loss(x, y, False, reduction=r), (V, Y), V - Y * np.log(V + 1e-8)),
    "poisson full": (
        lambda r, x: F.poisson_nll_loss(x, tn.tensor(10 * P), full=True, reduction=r),
        (X,),
        np.exp(X)
        - 10 * P * X
        + np.where(10 * P > 1, 10 * P * np.log(10 * P) - 10 * P + np.log(2 * np.pi * 10 * P) / 2, 0),
    ),
    "kl": (lambda r, x, y: F.kl_div(x, y, r), (X, Q), Q * (np.log(Q) - X)),
    "kl of logarithms": (lambda r, x, y: F.kl_div(x, y, r, True), (X, Y), np.exp(Y) * (Y - X)),
    "kl of normals": (
        lambda r, *a: F.kl_normal(*a, reduction=r),
        (X, P, Y, Q),
        np.log(Q / P) + (P**2 + (X - Y) ** 2) / (2 * Q**2) - 0.5,
    ),
    "kl to standard normal": (lambda r, x, y: F.kl_to_standard_normal(x, y, r), (X, Y), (X**2 + np.exp(Y) - Y - 1) / 2),
    "cross entropy": (
        lambda r, x: F.cross_entropy(x, tn.tensor(LABELS), reduction=r),
        (X,),
        -log_softmax(X)[np.arange(N), LABELS],
    ),
    "cross entropy of probabilities": (
        lambda r, x, q: F.cross_entropy(x, q, reduction=r),
        (X, SOFT),
        -(log_softmax(X) * SOFT).sum(1),
    ),
    "cross entropy of probabilities, weighted and smoothed": (
        lambda r, x, q: F.cross_entropy(x, q, tn.tensor(WEIGHT), reduction=r, label_smoothing=0.1),
        (X, SOFT),
        -(log_softmax(X) * (0.9 * SOFT + 0.1 / C) * WEIGHT).sum(1),
    ),
    "nll": (lambda r, x: F.nll_loss(x, tn.tensor(LABELS), reduction=r), (X,), -X[np.arange(N), LABELS]),
    "bce": (
        lambda r, x, y: F.binary_cross_entropy(x, y, reduction=r),
        (P, Q),
        -Q * np.log(P) - (1 - Q) * np.log(1 - P),
    ),
    "bce weighted": (
        lambda r, x: F.binary_cross_entropy(x, tn.tensor(Q), tn.tensor(WEIGHT), r),
        (P,),
        WEIGHT * (-Q * np.log(P) - (1 - Q) * np.log(1 - P)),
    ),
    "bce of logits": (
        lambda r, x, y: F.binary_cross_entropy_with_logits(x, y, reduction=r),
        (X, Q),
        -Q * np.log(1 / (1 + np.exp(-X))) - (1 - Q) * np.log(1 - 1 / (1 + np.exp(-X))),
    ),
    "bce of logits, pos_weight": (
        lambda r, x, y, w: F.binary_cross_entropy_with_logits(x, y, reduction=r, pos_weight=w),
        (X, Q, WEIGHT),
        -WEIGHT * Q * np.log(1 / (1 + np.exp(-X))) - (1 - Q) * np.log(1 - 1 / (1 + np.exp(-X))),
    ),
    "soft margin": (lambda r, x: F.soft_margin_loss(x, tn.tensor(S), r), (X,), np.log(1 + np.exp(-S * X))),
    "multilabel soft margin": (
        lambda r, x: F.multilabel_soft_margin_loss(x, tn.tensor((S + 1) / 2), tn.tensor(WEIGHT), r),
        (X,),
        (WEIGHT * np.log(1 + np.exp(-S * X))).mean(1),
    ),
    "multi margin": (
        lambda r, x: F.multi_margin_loss(x, tn.tensor(LABELS), 2, 0.5, tn.tensor(WEIGHT), r),
        (X,),
        np.array(
            [WEIGHT[t] * sum(hinge(0.5 - x[t] + x[j]) ** 2 for j in range(C) if j != t) / C for x, t in zip(X, LABELS)]
        ),
    ),
    "multilabel margin": (
        lambda r, x: F.multilabel_margin_loss(x, tn.tensor([[2, 0, -1, 1]] * N), r),
        (X,),
        np.array([sum(hinge(1 - x[t] + x[j]) for t in (2, 0) for j in (1, 3)) / C for x in X]),
    ),
    "hinge embedding": (
        lambda r, x: F.hinge_embedding_loss(x, tn.tensor(S), 0.8, r),
        (X,),
        np.where(S == 1, X, hinge(0.8 - X)),
    ),
    "cosine": (
        lambda r, a, b: F.cosine_embedding_loss(a, b, tn.tensor(ONES), -0.5, r),
        (A, B),
        np.where(ONES == 1, 1 - COS, hinge(COS + 0.5)),
    ),
    "ranking": (lambda r, x, y: F.margin_ranking_loss(x, y, tn.tensor(S), 0.3, r), (X, Y), hinge(-S * (X - Y) + 0.3)),
    "triplet": (
        lambda r, a, b, c: F.triplet_margin_loss(a, b, c, 2.0, reduction=r),
        (A, B, D),
        hinge(distance(A, B) - distance(A, D) + 2),
    ),
    "triplet, p 3, swap": (
        lambda r, a, b, c: F.triplet_margin_loss(a, b, c, 2.0, 3.0, swap=True, reduction=r),
        (A, B, D),
        hinge(distance(A, B, 3) - np.minimum(distance(A, D, 3), distance(B, D, 3)) + 2),
    ),
    "triplet with a distance": (
        lambda r, a, b, c: F.triplet_margin_with_distance_loss(
            a, b, c, distance_function=lambda x, y: abs(x - y).sum(axis=-1), reduction=r
        ),
        (A, B, D),
        hinge(abs(A - B).sum(1) - abs(A - D).sum(1) + 1),
    ),
}


@pytest.mark.row("S0-37")
@pytest.mark.parametrize("name", ROWS)
def test_values(name):
    call, inputs, losses = ROWS[name]
    tensors = [tn.tensor(x) for x in inputs]
    np.testing.assert_allclose(call("none", *tensors).numpy(), losses, rtol=1e-11, atol=1e-13)
    assert call("sum", *tensors).item() == pytest.approx(losses.sum(), rel=1e-11)
    assert call("mean", *tensors).item() == pytest.approx(losses.mean(), rel=1e-11)
    single = call("mean", *[t.astype("float32") for t in tensors])
    assert single.dtype in ("float32", "float64") and single.item() == pytest.approx(losses.mean(), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", ROWS)
def test_gradients(name, reduction):
    call, inputs, _ = ROWS[name]
    tensors = [tn.tensor(x, requires_grad=True) for x in inputs]
    assert tn.gradcheck(lambda *xs: call(reduction, *xs), tensors, fast_mode=reduction != "none")


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", ROWS)
def test_second_order_gradients(name, reduction):
    call, inputs, _ = ROWS[name]
    tensors = [tn.tensor(x, requires_grad=True) for x in inputs]
    assert tn.gradgradcheck(lambda *xs: call(reduction, *xs), tensors, fast_mode=True, directions=2, elements=2)


@pytest.mark.parametrize("name", ROWS)
def test_unknown_reduction(name):
    call, inputs, _ = ROWS[name]
    with pytest.raises(ValueError, match="reduction: expected one of 'none', 'mean', 'sum'.*got 'average'"):
        call("average", *[tn.tensor(x) for x in inputs])


def test_batchmean():
    for loss in (
        F.kl_div(tn.tensor(X), tn.tensor(Q), "batchmean"),
        nn.KLDivLoss("batchmean")(tn.tensor(X), tn.tensor(Q)),
    ):
        assert loss.item() == pytest.approx((Q * (np.log(Q) - X)).sum() / N, rel=1e-12)
    assert F.kl_to_standard_normal(X, Y).item() == pytest.approx((X**2 + np.exp(Y) - Y - 1).sum() / 2 / N, rel=1e-12)
    with pytest.raises(ValueError, match="mean over an empty batch"):
        F.kl_div(tn.zeros((0, 3)), tn.zeros((0, 3)), "batchmean")


@pytest.mark.row("S0-37")
def test_divergences_of_normals():
    assert F.kl_normal(0.0, 1.0, 1.0, 2.0).item() == pytest.approx(0.443147, abs=1e-6)
    assert F.kl_normal(1.0, 2.0, 0.0, 1.0).item() == pytest.approx(1.306853, abs=1e-6)
    assert F.kl_normal(0.0, 1.0, 1.0, 1.0).item() == 0.5
    assert F.kl_to_standard_normal(tn.tensor([[1.0]]), tn.tensor([[math.log(4)]])).item() == pytest.approx(
        1.306853, abs=1e-6
    )
    with pytest.raises(ValueError, match="other_std must be positive, its smallest value is 0.0"):
        F.kl_normal(0.0, 1.0, 0.0, 0.0)


# What raises ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "loss",
    [
        F.mse_loss,
        F.l1_loss,
        F.lp_loss,
        F.huber_loss,
        F.smooth_l1_loss,
        F.poisson_nll_loss,
        F.kl_div,
        F.kl_to_standard_normal,
        F.binary_cross_entropy,
        F.binary_cross_entropy_with_logits,
        F.soft_margin_loss,
        F.hinge_embedding_loss,
        F.multilabel_soft_margin_loss,
        F.multilabel_margin_loss,
        lambda x, y: F.gaussian_nll_loss(x, y, tn.ones((3, 1))),
        lambda x, y: F.margin_ranking_loss(x, y, tn.ones((3, 1))),
        lambda x, y: F.cosine_embedding_loss(x, y, tn.ones((3,))),
        lambda x, y: F.triplet_margin_loss(x, y, x),
        lambda x, y: F.triplet_margin_loss(x, x, y),
    ],
)
def test_unequal_shapes_raise(loss):
    """(N, 1) against (N,) would broadcast to (N, N): the classic silent bug."""
    with pytest.raises(ValueError, match=r"must have equal shapes, got \(3, 1\) and \(3,\)"):
        loss(tn.ones((3, 1)), tn.ones((3,)))


@pytest.mark.parametrize(
    "name", ["MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss", "BCEWithLogitsLoss", "SoftMarginLoss"]
)
def test_empty_batches_have_no_mean(name):
    x = tn.zeros((0, 3))
    with pytest.raises(ValueError, match="mean over an empty batch"):
        getattr(nn, name)()(x, x)
    assert getattr(nn, name)(reduction="sum")(x, x).item() == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: F.huber_loss(X, Y, delta=0),
        lambda: F.smooth_l1_loss(X, Y, beta=-1),
        lambda: F.lp_loss(X, Y, 0),
        lambda: F.gaussian_nll_loss(X, Y, -V),
        lambda: F.gaussian_nll_loss(X, Y, V, eps=0),
        lambda: F.gaussian_nll_loss(X, Y, V[:3]),
        lambda: F.poisson_nll_loss(X, Y, eps=0),
        lambda: F.binary_cross_entropy(X, Q),
        lambda: F.binary_cross_entropy(Q, Q + 1),
        lambda: F.multi_margin_loss(X, LABELS, p=3),
        lambda: F.triplet_margin_loss(A, B, D, margin=0),
        lambda: F.hinge_embedding_loss(X, Q),
        lambda: F.cosine_embedding_loss(A, B, LABELS),
        lambda: F.cosine_embedding_loss(A, B, ONES[:3]),
        lambda: F.pdist(A, p=-1),
        lambda: F.pdist(A[0]),
        lambda: F.mse_loss(X, Y, weight=np.ones((2, N, C))),
        lambda: F.binary_cross_entropy_with_logits(X, Q, pos_weight=np.ones(3)),
        lambda: F.multilabel_margin_loss(X, np.full((N, C), 7)),
        lambda: F.kl_normal(0.0, -1.0),
    ],
)
def test_values_out_of_range_raise(call):
    with pytest.raises(ValueError):
        call()


def test_probabilities_at_the_ends():
    """log 0 counts as -100, the slope stays finite."""
    x = tn.tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    out = F.binary_cross_entropy(x, tn.tensor([1.0, 0.0, 0.0, 1.0]), reduction="none")
    assert out.numpy().tolist() == [100, 100, 0, 0]
    out.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [-1e12, 1e12, 0, 0])
    tiny = F.binary_cross_entropy(tn.tensor([1e-300], dtype="float64"), tn.tensor([1.0], dtype="float64"))
    assert tiny.item() == 100


def test_inputs_that_are_not_tensors():
    assert F.mse_loss([1.0, 2.0], np.array([1.0, 4.0], "float32")).item() == 2
    assert F.cross_entropy(X, LABELS).item() == pytest.approx(-log_softmax(X)[np.arange(N), LABELS].mean(), rel=1e-12)
    assert F.mse_loss(tn.tensor([1, 2]), tn.tensor([1, 4])).item() == 2


def test_a_variance_below_eps_counts_as_eps_and_keeps_its_gradient():
    v = tn.tensor([0.0, 0.25], dtype="float64", requires_grad=True)
    x, y = tn.tensor([1.0, 1.0], dtype="float64"), tn.tensor([3.0, 3.0], dtype="float64")
    out = F.gaussian_nll_loss(x, y, v, eps=0.5, reduction="none")
    np.testing.assert_allclose(out.numpy(), [(math.log(0.5) + 8) / 2] * 2)
    out.sum().backward()
    np.testing.assert_allclose(v.grad.numpy(), [(1 / 0.5 - 4 / 0.25) / 2] * 2)  # that of the clamped variance


def test_half_precision_means_do_not_overflow():
    x = tn.full((300,), 30.0, dtype="float16")
    assert F.mse_loss(x, tn.zeros((300,), dtype="float16")).item() == 900


# As modules -------------------------------------------------------------------------------
MODULES = {
    "MSELoss": (F.mse_loss, (X, Y), {}),
    "L1Loss": (F.l1_loss, (X, Y), {}),
    "LpLoss": (F.lp_loss, (X, Y), {"p": 3}),
    "HuberLoss": (F.huber_loss, (X, Y), {"delta": 0.5}),
    "SmoothL1Loss": (F.smooth_l1_loss, (X, Y), {"beta": 0.5}),
    "GaussianNLLLoss": (F.gaussian_nll_loss, (X, Y, V), {"full": True}),
    "PoissonNLLLoss": (F.poisson_nll_loss, (X, Y), {"log_input": False, "eps": 9.0}),
    "KLDivLoss": (F.kl_div, (X, Y), {"log_target": True}),
    "CrossEntropyLoss": (F.cross_entropy, (X, LABELS), {"weight": WEIGHT, "label_smoothing": 0.1, "ignore_index": 1}),
    "NLLLoss": (F.nll_loss, (X, LABELS), {"weight": WEIGHT, "ignore_index": 1}),
    "BCELoss": (F.binary_cross_entropy, (P, Q), {"weight": WEIGHT}),
    "BCEWithLogitsLoss": (F.binary_cross_entropy_with_logits, (X, Q), {"weight": WEIGHT, "pos_weight": WEIGHT}),
    "SoftMarginLoss": (F.soft_margin_loss, (X, S), {}),
    "MultiLabelSoftMarginLoss": (F.multilabel_soft_margin_loss, (X, (S + 1) / 2), {"weight": WEIGHT}),
    "MultiLabelMarginLoss": (F.multilabel_margin_loss, (X, np.array([[2, 0, -1, 1]] * N)), {}),
    "MultiMarginLoss": (F.multi_margin_loss, (X, LABELS), {"p": 2, "margin": 0.5, "weight": WEIGHT}),
    "HingeEmbeddingLoss": (F.hinge_embedding_loss, (X, S), {"margin": 0.5}),
    "CosineEmbeddingLoss": (F.cosine_embedding_loss, (A, B, ONES), {"margin": 0.2}),
    "MarginRankingLoss": (F.margin_ranking_loss, (X, Y, S), {"margin": 0.2}),
    "TripletMarginLoss": (F.triplet_margin_loss, (A, B, D), {"margin": 2.0, "p": 3.0, "eps": 1e-3, "swap": True}),
    "TripletMarginWithDistanceLoss": (F.triplet_margin_with_distance_loss, (A, B, D), {"margin": 2.0, "swap": True}),
    "InfoNCELoss": (F.info_nce, (A, B), {"temperature": 0.3}),
    "NTXentLoss": (F.nt_xent, (A, B), {"temperature": 0.3}),
    "FocalLoss": (F.focal_loss, (X, LABELS), {"weight": WEIGHT, "gamma": 1.5, "ignore_index": 1}),
    "TverskyLoss": (F.tversky_loss, (P, LABELS), {"alpha": 0.3, "beta": 0.2, "smooth": 0.5, "over_batch": True}),
    "DiceLoss": (F.dice_loss, (P, LABELS), {"smooth": 0.5, "over_batch": True}),
    "CTCLoss": (
        F.ctc_loss,
        (log_softmax(normal(4, 2, 3), -1), np.array([[1, 1], [1, 1]]), np.array([4, 2]), np.array([2, 2])),
        {"blank": 2, "zero_infinity": True},
    ),
}
ELSEWHERE = {"LinearCrossEntropyLoss", "AdaptiveLogSoftmaxWithLoss"}  # hold a layer: tests/nn/test_losses_vocabulary.py


def test_every_loss_module_has_a_row():
    assert {name for name in dir(nn) if name.endswith("Loss")} - ELSEWHERE == set(MODULES)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", MODULES)
def test_modules_pass_their_options_on(name, reduction):
    function, inputs, options = MODULES[name]
    loss = getattr(nn, name)(reduction=reduction, **options)
    tensors = [tn.tensor(x) for x in inputs]
    wanted = function(*tensors, reduction=reduction, **options)
    np.testing.assert_array_equal(loss(*tensors).numpy(), wanted.numpy())
    if options:
        plain = getattr(nn, name)(reduction=reduction)
        assert plain(*tensors).shape != wanted.shape or (plain(*tensors).numpy() != wanted.numpy()).any()
    with pytest.raises(ValueError, match="reduction"):
        getattr(nn, name)(reduction="total")


def test_class_weights_are_buffers():
    loss = nn.CrossEntropyLoss(weight=WEIGHT)
    assert list(loss.state_dict()) == ["weight"] and loss.float().weight.dtype == "float32"
