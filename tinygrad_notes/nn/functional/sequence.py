"""The loss of a sequence whose labels are not aligned with its time steps.

    T time steps   N batch   C classes, the blank among them   S labels of the longest target
"""
from math import inf

from ...autograd import as_tensor
from ...ops import arange, exp, maximum, reshape, take, where
from ...ops import sum as total_of
from ...ops.ctc import NEVER, alignment, ctc_likelihood
from .common import check_reduction, reduced

__all__ = ["ctc_loss"]


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    r"""The negative log-probability that a sequence spells a target, summed over all alignments of the two.

    Formula: l_n = -log sum_paths prod_t p_t(path_t), over the paths of T labels and blanks that become the target when
        repeated labels are merged and then blanks removed. 'mean' divides each l_n by the length of its target (at
        least 1) and takes the mean over the batch.

    Args:
        log_probs: log-probabilities (nats), floating, (T, N, C) or (T, C), as of `log_softmax`.
        targets: labels in [0, C) but the blank, integer, (N, S), (S,), or all targets one after the other, (sum of
            target_lengths,).
        input_lengths: how many steps of each sequence count, (N,) or (), integers in [0, T].
        target_lengths: how many labels of each target count, (N,) or (), integers in [0, S].
        blank: the class that stands for no label.
        reduction: 'none', 'mean' or 'sum'.
        zero_infinity: 0 in place of the infinite loss of a target too long for its sequence.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of shape (N,) or (). The gradient with respect to `log_probs` is, as in
        PyTorch, exp(log_probs) minus the probability of each class at each time, given the target: the derivative
        of the formula along probabilities that add to 1, as behind a `log_softmax`. That of an infinite loss is 0.

    Raises:
        ValueError: shapes do not fit, a length or a label is out of range, a label is the blank, the batch is empty
            where a mean is asked for, or the reduction is unknown.
        TypeError: labels or lengths are not integers, or log_probs not floating.

    Source: Graves et al. 2006, "Connectionist temporal classification", equations 5 to 15.

    Example:
        >>> import tinygrad_notes as tn
        >>> uniform = tn.log_softmax(tn.zeros((2, 1, 3)), axis=-1)           # 3 of 9 paths spell "1": 11, 1_ and _1
        >>> tn.exp(-tn.nn.functional.ctc_loss(uniform, tn.tensor([[1]]), (2,), (1,)))
        tensor(0.3333)
    """
    check_reduction(reduction)
    log_probs = as_tensor(log_probs)
    if log_probs.dtype.kind != "f":
        raise TypeError(f"ctc_loss: log_probs: expected a floating dtype, got {log_probs.dtype}")
    single = log_probs.ndim == 2
    if log_probs.ndim not in (2, 3) or not log_probs.shape[0]:
        raise ValueError(f"ctc_loss: log_probs: expected (T, N, C) or (T, C) with T >= 1, got {log_probs.shape}")
    if single:
        log_probs = reshape(log_probs, (log_probs.shape[0], 1, log_probs.shape[1]))
    steps, n, classes = log_probs.shape
    symbols, skip, lengths, final, sizes = alignment(targets, input_lengths, target_lengths, blank, log_probs)
    # (T, N, C) -> (T, N * C) -> (T, N, L)
    emitted = take(reshape(maximum(log_probs, NEVER), (steps, n * classes)), symbols, axis=1)
    total = ctc_likelihood(emitted, skip, lengths, final)
    loss = -total
    if log_probs.requires_grad:  # probabilities add to 1: nothing in value, exp(log_probs) in the gradient
        counts = arange(steps, device=log_probs.device)[:, None] < lengths[:, 0]  # (T, N)
        mass = total_of(where(counts, total_of(exp(log_probs), axis=2), 0.0), axis=0)
        loss = loss + (mass - mass.detach())
    loss = where(total <= NEVER / 2, 0.0 if zero_infinity else inf, loss)
    if reduction == "mean":
        loss = loss / maximum(sizes, 1)
    return reshape(loss, ()) if single else reduced(loss, reduction, "ctc_loss")
