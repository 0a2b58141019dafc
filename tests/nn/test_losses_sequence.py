"""CTC: every form of the arguments, alignments that cannot be, agreement with PyTorch, and what raises."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tests.ops.rows_losses import ctc, sequences
from tinygrad_notes import nn
from tinygrad_notes.nn import functional as F

LOGP, TARGETS, STEPS, SIZES = sequences(np.random.default_rng(0))


def test_forms_of_the_arguments():
    """Padded or concatenated targets, lengths as tuple, list, array or tensor, one sequence without a batch axis."""
    expected = ctc(LOGP, TARGETS, STEPS, SIZES)
    joined = np.concatenate([row[:size] for row, size in zip(TARGETS, SIZES)])
    for targets, steps, sizes in [(TARGETS, tuple(STEPS.tolist()), SIZES.tolist()), (joined, STEPS, tn.tensor(SIZES))]:
        loss = F.ctc_loss(LOGP, tn.tensor(targets), steps, sizes, reduction="none")
        np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-12)
    one = F.ctc_loss(LOGP[:, 0], TARGETS[0], STEPS[0], SIZES[0], reduction="none")
    assert one.shape == () and one.item() == pytest.approx(expected[0], rel=1e-12)
    mean = nn.CTCLoss()(LOGP, TARGETS, STEPS, SIZES)
    assert mean.item() == pytest.approx((expected / np.maximum(SIZES, 1)).mean(), rel=1e-12)


def test_any_class_can_be_the_blank():
    order = [1, 2, 0]  # class c of the first form is class order[c] of the second
    moved = np.empty_like(LOGP)
    moved[:, :, order] = LOGP
    loss = nn.CTCLoss(blank=1, reduction="none")(moved, np.array(order)[TARGETS], STEPS, SIZES)
    np.testing.assert_allclose(loss.numpy(), ctc(LOGP, TARGETS, STEPS, SIZES), rtol=1e-12)


def test_a_target_that_is_too_long():
    """Two equal labels need a blank between them: three steps. The loss is infinite, or 0 if so asked; no gradient."""
    logp = tn.tensor(LOGP[:2], requires_grad=True)
    steps, sizes = [2] * 5, [2, 2, 2, 2, 0]
    loss = F.ctc_loss(logp, TARGETS, steps, sizes, reduction="none")
    assert np.isinf(loss.numpy()).tolist() == [True, False, False, True, False]
    zero = F.ctc_loss(logp, TARGETS, steps, sizes, reduction="none", zero_infinity=True)
    assert (zero.numpy() == 0).tolist() == [True, False, False, True, False]
    loss.sum().backward()
    assert not logp.grad.numpy()[:, [0, 3]].any()
    assert np.isfinite(logp.grad.numpy()).all() and logp.grad.numpy()[:, 1].any()


def test_no_step_spells_only_nothing():
    loss = F.ctc_loss(LOGP[:, :2], TARGETS[:2], [0, 0], [0, 1], reduction="none")
    assert loss.numpy().tolist() == [0.0, np.inf]


def test_classes_that_are_impossible():
    """A log-probability of minus infinity leaves the other paths as they are; a certain target leaves no gradient."""
    logp = np.array([[[-np.inf, 0.0]], [[np.log(0.25), np.log(0.75)]]])  # paths 11 and 1_
    x = tn.tensor(logp, requires_grad=True)
    loss = F.ctc_loss(x, [[1]], [2], [1], reduction="sum")
    loss.backward()
    assert loss.item() == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(x.grad.numpy(), 0, atol=1e-12)

def test_long_sequences_in_float32():
    rng = np.random.default_rng(1)
    logp = tn.log_softmax(tn.tensor(rng.standard_normal((300, 2, 8))), axis=-1)
    args = rng.integers(1, 8, (2, 60)), [300, 280], [60, 50]
    exact, low = (F.ctc_loss(x, *args, reduction="none").numpy() for x in (logp, logp.astype("float32")))
    np.testing.assert_allclose(low, exact, rtol=1e-5)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_the_same_as_in_pytorch(reduction):
    """Behind a log_softmax, and with respect to numbers that are no log-probabilities of anything."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(2)
    x, u = rng.standard_normal((9, 3, 5)), rng.standard_normal(3 if reduction == "none" else ())
    args = rng.integers(1, 5, (3, 4)), np.array([9, 7, 8]), np.array([4, 0, 2])
    ours, theirs = tn.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    a = F.ctc_loss(tn.log_softmax(ours, axis=-1), *args, reduction=reduction)
    b = torch.nn.functional.ctc_loss(theirs.log_softmax(-1), *map(torch.tensor, args), reduction=reduction)
    np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-12)
    (a * tn.tensor(u)).sum().backward()
    (b * torch.tensor(u)).sum().backward()
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-9, atol=1e-13)
    ours, theirs = tn.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    (F.ctc_loss(ours, *args, reduction=reduction) * tn.tensor(u)).sum().backward()
    (torch.nn.functional.ctc_loss(theirs, *map(torch.tensor, args), reduction=reduction) * torch.tensor(u)).sum(
        ).backward()
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("change, message", [
    ({"targets": TARGETS * 2}, r"label 0 of target 1 is 4, but labels are in \[0, 3\) and not the blank 0"),
    ({"targets": TARGETS * 0}, "label 0 of target 0 is 0, but"),
    ({"targets": TARGETS[:2]}, r"targets: expected \(5, S\), or all 7 labels in one row, got shape \(2, 2\)"),
    ({"input_lengths": [5, 4, 3, 2, 4]}, "input_lengths: expected lengths of at least 0 and at most T = 4"),
    ({"target_lengths": [3, 1, 2, 0, 2]}, "target_lengths: expected at most 2"),
    ({"target_lengths": [-1, 1, 2, 0, 2]}, "target_lengths: expected lengths of at least 0"),
    ({"target_lengths": [1, 2]}, r"target_lengths: expected one length for each of 5 sequences, got shape \(2,\)"),
    ({"blank": 3}, r"blank: expected an integer in \[0, 3\)"),
    ({"log_probs": LOGP[:0]}, r"log_probs: expected \(T, N, C\) or \(T, C\) with T >= 1, got \(0, 5, 3\)"),
    ({"reduction": "max"}, "reduction: expected one of"),
])
def test_what_raises(change, message):
    given = {"log_probs": LOGP, "targets": TARGETS, "input_lengths": STEPS, "target_lengths": SIZES, **change}
    with pytest.raises(ValueError, match=message):
        F.ctc_loss(**given)


def test_wrong_types_raise():
    with pytest.raises(TypeError, match="targets: expected integers, got float64"):
        F.ctc_loss(LOGP, TARGETS * 1.0, STEPS, SIZES)
    with pytest.raises(TypeError, match="log_probs: expected a floating dtype"):
        F.ctc_loss(LOGP.astype(int), TARGETS, STEPS, SIZES)
    with pytest.raises(ValueError, match="mean over an empty batch"):
        F.ctc_loss(LOGP[:, :0], TARGETS[:0], [], [])
