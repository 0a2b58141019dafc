"""Connectionist temporal classification: the probability of all alignments of a sequence with a shorter one.

    T time steps   N batch   L = 2 S + 1 states: the S labels of a target, with blanks around

The states of the target `cat` are `_ c _ a _ t _`. A step stays in its state, goes to the next, or skips a blank
between two different labels. A path begins in one of the first two states and ends in one of the last two.
"""
import numpy as np

from ..autograd import Tensor, as_tensor, primitive

__all__ = []

NEVER = -1e30  # the logarithm of the probability of what cannot happen; finite, so that no difference of two is NaN


def _log_add(xp, *terms):
    """log(sum(exp(terms)))."""
    top = terms[0]
    for x in terms[1:]:
        top = xp.maximum(top, x)
    total = xp.exp(terms[0] - top)
    for x in terms[1:]:
        total = total + xp.exp(x - top)
    return xp.log(total) + top


def _arrive(xp, x, skip):
    """One step of every path: (N, L) log-probabilities before it to those after it; NEVER comes in from outside."""
    edge = xp.zeros_like(x[:, :2]) + NEVER
    return _log_add(xp, x, xp.concat((edge[:, :1], x[:, :-1]), axis=1),
                    xp.where(skip, xp.concat((edge, x[:, :-2]), axis=1)[:, :x.shape[1]], NEVER))


def _ahead(xp, emitted, skip, steps):
    """[(N, L)] per time: the log-probability of all path beginnings that are in a state; it stands after `steps`."""
    place = xp.arange(emitted.shape[2])
    nothing = xp.where(place == 0, 0.0, NEVER)  # before the first step, which is the last one where no step counts
    found = [xp.where(steps > 0, xp.where(place < 2, emitted[0], NEVER), nothing)]
    for t in range(1, emitted.shape[0]):
        moved = _arrive(xp, found[-1], skip) + emitted[t]
        found.append(xp.where(t < steps, moved, found[-1]))
    return found


def _behind(xp, emitted, skip, steps, final):
    """[(N, L)] per time: the log-probability of all path ends that follow a state."""
    flipped = xp.flip(skip, axis=1)  # where a path that runs backwards may skip: two states further
    flipped = xp.concat((xp.zeros_like(flipped[:, :2]), flipped[:, :-2]), axis=1)[:, :skip.shape[1]]
    last = xp.where(final, 0.0, NEVER) + 0 * emitted[0]
    found = [last]
    for t in range(emitted.shape[0] - 2, -1, -1):
        moved = xp.flip(_arrive(xp, xp.flip(found[-1] + emitted[t + 1], axis=1), flipped), axis=1)
        found.append(xp.where(t + 1 < steps, moved, last))
    return found[::-1]


def _total(xp, ahead, final):
    """(N, 1) the log-probability of all whole paths."""
    x = xp.where(final, ahead[-1], NEVER)
    top = xp.max(x, axis=1, keepdims=True)
    return xp.log(xp.sum(xp.exp(x - top), axis=1, keepdims=True)) + top


def _log_likelihood(xp, emitted, skip, steps, final):
    return _total(xp, _ahead(xp, emitted, skip, steps), final)[:, 0]


def _occupied(xp, g, emitted, skip, steps, final):
    ahead, behind = _ahead(xp, emitted, skip, steps), _behind(xp, emitted, skip, steps, final)
    total = _total(xp, ahead, final)
    possible = total > NEVER / 2
    total = xp.where(possible, total, 0.0)
    g = xp.where(possible, xp.expand_dims(g, axis=1), 0.0)
    found = []
    for t, (before, after) in enumerate(zip(ahead, behind)):
        found.append(g * xp.exp(xp.where(possible & (t < steps), before + after - total, NEVER)))
    return xp.stack(found, axis=0)


# log p of the targets: `emitted` (T, N, L) log-probabilities of the states' symbols, `skip` (N, L) whether a state may
# be reached from two before, `steps` (N, 1) how many times count, `final` (N, L) where a path may end. The gradient is
# the probability of a state at a time, given the target; 0 for a target that no path reaches (log p <= NEVER / 2).
ctc_likelihood = primitive("ctc_likelihood", _log_likelihood, kind="reduce", emitted=_occupied)



def alignment(targets, input_lengths, target_lengths, blank, log_probs):
    """What lengths and labels, in any of the forms of `ctc_loss`, say of the states.

    Args:
        targets, input_lengths, target_lengths, blank: as given to `ctc_loss`.
        log_probs: Tensor (T, N, C).

    Returns:
        symbols (N, L) as places in rows of N * C numbers, skip (N, L), steps (N, 1), final (N, L) as Tensors, all for
        `ctc_likelihood`; the lengths of the targets (N,), a Tensor of the dtype of `log_probs`.
    """
    times, n, classes = log_probs.shape
    steps = _lengths("input_lengths", input_lengths, n, times, "T")
    sizes = _lengths("target_lengths", target_lengths, n, None, "S")
    if blank.__class__ is not int or not 0 <= blank < classes:
        raise ValueError(f"ctc_loss: blank: expected an integer in [0, {classes}), one of the classes, got {blank!r}")
    labels = _padded(_integers("targets", targets), sizes, blank)
    counts = np.arange(labels.shape[1]) < sizes[:, None]
    bad = counts & ((labels < 0) | (labels >= classes) | (labels == blank))
    if bad.any():
        row, place = np.argwhere(bad)[0]
        raise ValueError(f"ctc_loss: label {place} of target {row} is {labels[row, place]}, but labels are in "
                         f"[0, {classes}) and not the blank {blank}")
    symbols = np.full((n, 2 * labels.shape[1] + 1), blank, dtype=np.int64)
    symbols[:, 1::2] = np.where(counts, labels, blank)
    skip = np.zeros(symbols.shape, dtype=bool)
    skip[:, 3::2] = symbols[:, 3::2] != symbols[:, 1:-2:2]
    ends, place = 2 * sizes[:, None], np.arange(symbols.shape[1])
    final = (place == ends) | (place == ends - 1)
    put = log_probs.device.from_numpy
    return (*(Tensor.wrap(put(a)) for a in (symbols + classes * np.arange(n)[:, None], skip, steps[:, None], final)),
            Tensor.wrap(put(sizes.astype(log_probs.dtype))))


def _integers(name, value):
    """An argument of integers as a NumPy array."""
    value = as_tensor(value)
    if value.dtype.kind not in "iu" and value.size:
        raise TypeError(f"ctc_loss: {name}: expected integers, got {value.dtype}")
    return value.device.to_numpy(value.data).astype(np.int64)


def _lengths(name, value, n, limit, letter):
    found = _integers(name, value)
    if found.shape == () and n == 1:
        found = found.reshape(1)
    if found.shape != (n,):
        raise ValueError(f"ctc_loss: {name}: expected one length for each of {n} sequences, got shape {found.shape}")
    if found.size and (found.min() < 0 or (limit is not None and found.max() > limit)):
        bound = "" if limit is None else f" and at most {letter} = {limit}"
        raise ValueError(f"ctc_loss: {name}: expected lengths of at least 0{bound}, got {found.tolist()}")
    return found


def _padded(targets, sizes, blank):
    """Targets as (N, S)."""
    n = len(sizes)
    if targets.ndim == 2 and targets.shape[0] == n:
        longest = targets.shape[1]
        if n and sizes.max() > longest:
            raise ValueError(f"ctc_loss: target_lengths: expected at most {longest} for targets of shape "
                             f"{targets.shape}, got {sizes.tolist()}")
        return targets
    if targets.ndim != 1 or (targets.size != sizes.sum() and not (n == 1 and targets.size >= sizes[0])):
        raise ValueError(f"ctc_loss: targets: expected ({n}, S), or all {sizes.sum()} labels in one row, "
                         f"got shape {targets.shape}")
    out = np.full((n, int(sizes.max(initial=0))), blank, dtype=np.int64)
    for row, end, size in zip(out, np.cumsum(sizes), sizes):
        row[:size] = targets[end - size:end]
    return out
