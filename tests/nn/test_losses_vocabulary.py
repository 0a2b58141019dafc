"""Cross-entropy in pieces and by clusters: the same numbers as all at once, and less memory."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

RNG = np.random.default_rng(0)
X, W, B = RNG.standard_normal((7, 3)), RNG.standard_normal((5, 3)), RNG.standard_normal(5)
LABELS, WEIGHT = np.array([0, 4, 2, -100, 1, 3, 3]), RNG.uniform(0.2, 1.2, 5)
PIECES = nn.LinearCrossEntropyOptions(batch_chunk_size=3)


def log_softmax(x):
    return x - x.max(-1, keepdims=True) - np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True))


@pytest.mark.parametrize("options", [None, PIECES])
def test_linear_entropy_by_numpy(options):
    logp, kept = log_softmax(X @ W.T + B), LABELS >= 0
    labels = np.where(kept, LABELS, 0)
    each = np.where(kept, -WEIGHT[labels] * logp[np.arange(7), labels], 0.0)
    args = (X, W, LABELS)
    more = {"linear_bias": B, "weight": WEIGHT, "options": options}
    np.testing.assert_allclose(F.linear_cross_entropy(*args, reduction="none", **more).numpy(), each, rtol=1e-12)
    mean = each.sum() / WEIGHT[LABELS[kept]].sum()
    assert F.linear_cross_entropy(*args, **more).item() == pytest.approx(mean, rel=1e-12)
    soft = RNG.dirichlet(np.ones(5), 7)
    found = F.linear_cross_entropy(X, W, soft, linear_bias=B, options=options)
    assert found.item() == pytest.approx(-(soft * logp).sum(1).mean(), rel=1e-12)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.same_on_strict
def test_pieces_have_the_same_derivatives(reduction):
    def loss(x, w, b):
        return F.linear_cross_entropy(x, w, LABELS, linear_bias=b, reduction=reduction, options=PIECES)
    inputs = [tn.tensor(a, requires_grad=True) for a in (X, W, B)]
    assert tn.gradcheck(loss, inputs, fast_mode=True)
    assert tn.gradgradcheck(loss, inputs, fast_mode=True)


def test_further_axes():
    w, t = RNG.standard_normal((5, 2, 4, 3)), RNG.integers(0, 5, (7, 2, 4))
    logp = log_softmax(np.einsum("nd,cijd->nijc", X, w))
    each = -np.take_along_axis(logp, t[..., None], -1)[..., 0]
    for options in (None, PIECES):
        found = F.linear_cross_entropy(X, w, t, reduction="none", options=options)
        np.testing.assert_allclose(found.numpy(), each, rtol=1e-12)
    layer = nn.LinearCrossEntropyLoss(3, 5, out_features=(2, 4), bias=True, dtype="float64", options=PIECES)
    assert {k: v.shape for k, v in layer.state_dict().items()} == {"linear.weight": (40, 3), "linear.bias": (40,)}
    assert tn.testing.check_module(layer, lambda: layer(X, t))


@pytest.mark.host_only  # Python's own count of memory
def test_pieces_keep_no_logits():
    """The graph of the loss in pieces holds a small part of what the logits of all rows take."""
    x, w = tn.zeros((256, 4)), tn.zeros((2000, 4), requires_grad=True)
    t = tn.zeros((256,), dtype="int64")

    def held(options):
        with Peak() as peak:
            loss = F.linear_cross_entropy(x, w, t, options=options)
            loss.backward()
        return peak.bytes
    assert held(nn.LinearCrossEntropyOptions(batch_chunk_size=16)) < 0.3 * held(None)


class Peak:
    """The largest memory that Python held at once inside the block."""

    def __enter__(self):
        import tracemalloc
        tracemalloc.start()
        return self

    def __exit__(self, *error):
        import tracemalloc
        self.bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()


@pytest.mark.parametrize("options, rows", [
    ({}, 8), ({"chunking_method": "aspect_ratio"}, 16), ({"chunking_method": "aspect_ratio:16"}, 1),
    ({"chunking_method": None}, 1024), ({"batch_chunk_size": 5000}, 1024), ({"batch_chunk_size": 7}, 7)])
def test_how_many_rows_a_piece_has(options, rows):
    from tinygrad_notes.nn.functional.vocabulary import piece
    assert piece(nn.LinearCrossEntropyOptions(**options), 1024, 64, 4096) == rows


@pytest.mark.parametrize("call, message", [
    (lambda: nn.LinearCrossEntropyOptions(batch_chunk_size=0), "batch_chunk_size: expected an integer > 0"),
    (lambda: nn.LinearCrossEntropyOptions(chunking_method="aspect_ratio:0"), "chunking_method: expected"),
    (lambda: nn.LinearCrossEntropyOptions(batch_chunk_size=2, chunking_method="aspect_ratio"), "both say"),
    (lambda: F.linear_cross_entropy(X, W[:, :2], LABELS), r"linear_weight: expected shape \(C, ..., 3\)"),
    (lambda: F.linear_cross_entropy(X, W, LABELS, linear_bias=B[:2]), r"linear_bias: expected shape \(5,\)"),
    (lambda: F.linear_cross_entropy(X, W, np.ones((7, 5)), ignore_index=3), "ignore_index is for class indices"),
    (lambda: F.linear_cross_entropy(X, W, LABELS[:3], options=PIECES), "target: expected 7 rows"),
    (lambda: F.linear_cross_entropy(X, W, LABELS * 0 + 5, options=PIECES), "but there are 5 classes"),
    (lambda: F.linear_cross_entropy(X[0], W.reshape(5, 1, 3), 0), "for a weight of shape"),
    (lambda: nn.LinearCrossEntropyLoss(3, 5, weight=B[:2]), r"weight: expected one number per class, shape \(5,\)"),
    (lambda: nn.AdaptiveLogSoftmaxWithLoss(4, 10, [5, 3]), "cutoffs: expected increasing integers"),
    (lambda: nn.AdaptiveLogSoftmaxWithLoss(4, 10, [10]), "cutoffs: expected increasing integers"),
    (lambda: nn.AdaptiveLogSoftmaxWithLoss(3, 10, [5])(X, LABELS[:2]), "expected input"),
    (lambda: nn.AdaptiveLogSoftmaxWithLoss(3, 10, [5])(X, LABELS), "but there are 10 classes"),
])
def test_what_raises(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Clusters ---------------------------------------------------------------------------------
def adaptive():
    tn.manual_seed(0)
    return nn.AdaptiveLogSoftmaxWithLoss(3, 12, [4, 7], 1.5, head_bias=True, dtype="float64")


def by_numpy(layer, x):
    """Log-probabilities of all classes, from the parameters."""
    head = log_softmax(x @ layer.head.weight.numpy().T + layer.head.bias.numpy())
    parts = [head[:, :4]]
    for i, (first, second) in enumerate(layer.tail):
        parts.append(log_softmax(x @ first.weight.numpy().T @ second.weight.numpy().T) + head[:, 4 + i:5 + i])
    return np.concatenate(parts, axis=1)


def test_adaptive_log_softmax():
    layer, target = adaptive(), np.array([0, 11, 4, 7, 3, 6, 8])
    expected = by_numpy(layer, X)
    np.testing.assert_allclose(np.exp(expected).sum(1), 1, rtol=1e-12)
    np.testing.assert_allclose(layer.log_prob(tn.tensor(X)).numpy(), expected, rtol=1e-12)
    np.testing.assert_array_equal(layer.predict(tn.tensor(X)).numpy(), expected.argmax(1))
    found = layer(tn.tensor(X), target)
    np.testing.assert_allclose(found.output.numpy(), expected[np.arange(7), target], rtol=1e-12)
    assert found.loss.item() == pytest.approx(-found.output.numpy().mean(), rel=1e-12)
    one = layer(tn.tensor(X[1]), target[1])
    assert one.output.shape == () and one.output.item() == pytest.approx(found.output.numpy()[1], rel=1e-12)
    assert tn.testing.check_module(layer, lambda: layer(tn.tensor(X), target).loss)
    assert tn.gradgradcheck(lambda x: layer(x, target).output, tn.tensor(X), fast_mode=True)


def test_adaptive_log_softmax_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    ours = adaptive()
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(3, 12, [4, 7], 1.5, head_bias=True, dtype=torch.float64)
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})
    target = np.array([0, 11, 4, 7, 3, 6, 8])
    a, b = ours(tn.tensor(X), target), theirs(torch.tensor(X), torch.tensor(target))
    np.testing.assert_allclose(a.output.numpy(), b.output.detach().numpy(), rtol=1e-12)
    np.testing.assert_array_equal(ours.predict(tn.tensor(X)).numpy(), theirs.predict(torch.tensor(X)).numpy())
