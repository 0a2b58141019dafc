"""Losses between scores and classes.

    N rows   C classes, on axis 1   d further axes, such as the pixels of an image
"""
from ...autograd import Tensor, as_tensor
from ...ops import (
    log_softmax,
    permute_dims,
    reshape,
    softplus,
    sum,
    take,
    where,
)
from ...ops.losses import (
    binary_entropy,
    binary_entropy_of_logits,
    check_labels,
    holds,
    label_entropy,
    normalized,
    pick_label,
)
from .common import check_reduction, number, reduced, same_shape, weighed

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "nll_loss"]


def cross_entropy(input, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    r"""The negative log-probability of the right class, from logits of any size.

    Formula: l_n = -w_t log softmax(x_n)_t for class indices t; l_n = -sum_c w_c p_nc log softmax(x_n)_c for
        probabilities p. 'mean' divides by the sum of the w_t that count, for probabilities by N. With label smoothing e
        the target is (1 - e) one_hot(t) + e / C, or (1 - e) p + e / C.

    Args:
        input: logits (nats), floating, (N, C), (C,) or (N, C, d...).
        target: class indices in [0, C), integer, (N,), () or (N, d...); or probabilities of the shape of `input`.
        weight: factor per class, (C,).
        ignore_index: rows with this index do not count; only for class indices.
        reduction: 'none', 'mean' or 'sum'.
        label_smoothing: e, in [0, 1].

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of shape (N,), () or (N, d...).

    Raises:
        ValueError: an index is outside [0, C), shapes do not fit, e is out of range, the batch is empty or all ignored
            where a mean is asked for, the reduction is unknown, or `ignore_index` >= 0 comes with probabilities.
        TypeError: the logits are not floating, or class indices not integers.

    Source: the notes, section 2.1.1; UDL 5.5; label smoothing: Szegedy et al. 2016, section 7.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.cross_entropy(tn.tensor([[0.0, 0.0], [1e4, -1e4]]), tn.tensor([0, 0]))
        tensor(0.3466)
    """
    check_reduction(reduction)
    if not isinstance(input, Tensor):
        input = as_tensor(input)
    if not isinstance(target, Tensor):
        target = as_tensor(target, like=input)
    if not input.ndim:
        raise ValueError("cross_entropy: input: expected an axis of classes, got shape ()")
    smoothing = number("label_smoothing", label_smoothing, 0, high=1) if label_smoothing else 0.0
    if target.data.dtype.kind == "f" and target.shape == input.shape:
        if ignore_index >= 0:
            raise ValueError(f"cross_entropy: ignore_index is {ignore_index}, but the target are probabilities, "
                             "of which none is left out")
        return _soft_entropy(input, target, weight, reduction, smoothing)
    rows, labels, shape = in_rows("cross_entropy", input, target)
    if rows.data.dtype.kind != "f":
        raise TypeError(f"cross_entropy: input: expected floating logits, got {rows.dtype}")
    ignoring = check_labels("cross_entropy", labels.data, rows.shape[1], ignore_index)
    if weight is None and not smoothing and not ignoring:
        if reduction == "mean" and not labels.size:
            raise ValueError(f"cross_entropy: the mean over an empty batch, shape {input.shape}, is undefined")
        loss = label_entropy(normalized(rows), labels, how=reduction)
        return loss if reduction != "none" or loss.shape == shape else reshape(loss, shape)
    weights = class_weights("cross_entropy", weight, rows)
    labels, kept, each = counted_labels(labels, ignore_index, weights, rows.dtype)
    loss = label_entropy(normalized(rows), labels, how="none") * each
    if smoothing:
        logp = log_softmax(rows, -1)
        spread = -sum(logp if weights is None else logp * weights, axis=1)
        loss = (1 - smoothing) * loss + smoothing / rows.shape[1] * where(kept, spread, 0.0)
    return weighted_reduction("cross_entropy", loss, each, reduction, shape)


def nll_loss(input, target, weight=None, ignore_index=-100, reduction="mean"):
    """The negative of the log-probability that stands at the right class.

    Formula: l_n = -w_t input_nt for class indices t; 'mean' divides by the sum of the w_t that count.

    Args:
        input: log-probabilities (nats), floating, (N, C), (C,) or (N, C, d...).
        target: class indices in [0, C), integer, (N,), () or (N, d...).
        weight: factor per class, (C,).
        ignore_index: rows with this index do not count.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of the shape of `target`.

    Raises:
        ValueError: an index is outside [0, C), shapes do not fit, the batch is empty or all ignored where a mean is
            asked for, or the reduction is unknown.
        TypeError: class indices are not integers.

    Source: the notes, section 2.1.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.nll_loss(tn.tensor([[-0.5, -1.0]]), tn.tensor([1]))
        tensor(1.)
    """
    check_reduction(reduction)
    input = as_tensor(input)
    rows, labels, shape = in_rows("nll_loss", input, as_tensor(target, like=input))
    ignoring = check_labels("nll_loss", labels.data, rows.shape[1], ignore_index)
    weights = class_weights("nll_loss", weight, rows)
    if weights is None and not ignoring:
        return reduced(reshape(-pick_label(rows, labels), shape), reduction, "nll_loss")
    labels, _, each = counted_labels(labels, ignore_index, weights, rows.dtype)
    return weighted_reduction("nll_loss", -pick_label(rows, labels) * each, each, reduction, shape)


def in_rows(name, input, target):
    """(N, C), (N,) and the shape of the losses, for the layouts that PyTorch accepts."""
    if target.data.dtype.kind not in "iu":
        raise TypeError(f"{name}: target: expected integer class indices, got {target.dtype} of shape {target.shape}"
                        + (f", or probabilities of shape {input.shape}" if name == "cross_entropy" else ""))
    if input.ndim == 2 and target.ndim == 1 and input.shape[0] == target.shape[0]:
        return input, target, target.data.shape
    wanted = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    if not input.ndim or target.shape != wanted:
        raise ValueError(f"{name}: for input of shape {input.shape} the class indices have shape {wanted}, "
                         f"got {target.shape}")
    if input.ndim == 1:
        return reshape(input, (1, -1)), reshape(target, (1,)), ()
    last = permute_dims(input, (0, *range(2, input.ndim), 1))  # (N, C, d...) -> (N, d..., C)
    return reshape(last, (target.size, input.shape[1])), reshape(target, (target.size,)), wanted


def class_weights(name, weight, rows):
    """One factor per class (C,) as a Tensor, or None."""
    if weight is None:
        return None
    weight = as_tensor(weight, like=rows)
    if weight.shape != (rows.shape[1],):
        raise ValueError(f"{name}: weight: expected one number per class, shape {(rows.shape[1],)}, got {weight.shape}")
    return weight


def counted_labels(labels, ignored, weights, dtype):
    """Labels with 0 for those that are ignored, which ones are not, and the factor of each: its weight, 1, or 0."""
    kept = labels != ignored
    labels = where(kept, labels, 0)
    return labels, kept, kept.astype(dtype) if weights is None else where(kept, take(weights, labels, axis=0), 0.0)


def weighted_reduction(name, loss, each, reduction, shape):
    """All losses, their sum, or their sum divided by that of their factors."""
    if reduction == "none":
        return reshape(loss, shape)
    if reduction == "sum":
        return sum(loss)
    if not holds(sum(each).data != 0):
        raise ValueError(f"{name}: no row counts (all are ignored, or their weights add to 0): the mean is undefined")
    return sum(loss) / sum(each)


def _soft_entropy(input, target, weight, reduction, smoothing):
    axis = 1 if input.ndim > 1 else 0
    classes = input.shape[axis]
    if smoothing:
        target = target * (1 - smoothing) + smoothing / classes
    terms = log_softmax(input, axis) * target
    if weight is not None:
        weight = as_tensor(weight, like=input)
        if weight.shape != (classes,):
            raise ValueError(f"cross_entropy: weight: expected one number per class, shape {(classes,)}, "
                             f"got {weight.shape}")
        terms = terms * reshape(weight, (classes,) + (1,) * (input.ndim - axis - 1))
    return reduced(-sum(terms, axis=axis), reduction, "cross_entropy")


# Two classes --------------------------------------------------------------------------
def binary_cross_entropy(input, target, weight=None, reduction="mean"):
    """The negative log-likelihood of yes or no, from probabilities; logarithms stop at -100.

    Formula: l_i = -w_i (target_i log input_i + (1 - target_i) log(1 - input_i)).

    Args:
        input: probabilities in [0, 1], floating, any shape.
        target: of the same shape, in [0, 1].
        weight: factor of each l_i, of a shape that broadcasts to it.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of the shape of `input`.

    Raises:
        ValueError: the shapes differ, an input or target is outside [0, 1], or the reduction is unknown.

    Source: the notes, section 2.1.1; UDL 5.4.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.binary_cross_entropy(tn.tensor([0.5, 0.0]), tn.tensor([1.0, 1.0]), reduction="none")
        tensor([  0.6931, 100.0000])
    """
    check_reduction(reduction)
    input, target = same_shape("binary_cross_entropy", input, target)
    x = input.data
    if not holds((x >= 0) & (x <= 1)):
        raise ValueError("binary_cross_entropy: input: expected probabilities in [0, 1], got values from "
                         f"{float(input.min())} to {float(input.max())}; logits: binary_cross_entropy_with_logits")
    if not holds((target.data >= 0) & (target.data <= 1)):
        raise ValueError("binary_cross_entropy: target: expected probabilities in [0, 1], got values from "
                         f"{float(target.min())} to {float(target.max())}")
    return weighed(binary_entropy(input, target), weight, reduction, "binary_cross_entropy")


def binary_cross_entropy_with_logits(input, target, weight=None, reduction="mean", pos_weight=None):
    """The negative log-likelihood of yes or no, from logits of any size.

    Formula: l_i = -w_i (p target_i log s(x_i) + (1 - target_i) log(1 - s(x_i))), s the logistic function and
        p = pos_weight.

    Args:
        input: logits (nats), floating, any shape.
        target: of the same shape, in [0, 1].
        weight: factor of each l_i, of a shape that broadcasts to it.
        reduction: 'none', 'mean' or 'sum'.
        pos_weight: factor of the positive class, of a shape that broadcasts to `input`.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of the shape of `input`.

    Raises:
        ValueError: the shapes differ, or the reduction is unknown.

    Source: UDL 5.4.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.binary_cross_entropy_with_logits(tn.tensor([0.0, -1e4]), tn.tensor([1.0, 0.0]))
        tensor(0.3466)
    """
    check_reduction(reduction)
    input, target = same_shape("binary_cross_entropy_with_logits", input, target)
    if pos_weight is None:
        loss = binary_entropy_of_logits(input, target)
    else:
        pos_weight = as_tensor(pos_weight, like=input)
        sizes = tuple(reversed(pos_weight.shape)), tuple(reversed(input.shape))
        if len(sizes[0]) > len(sizes[1]) or any(n not in (1, m) for n, m in zip(*sizes)):
            raise ValueError("binary_cross_entropy_with_logits: pos_weight: expected a shape that broadcasts to "
                             f"{input.shape}, got {pos_weight.shape}")
        positive = 1 + (pos_weight - 1) * target
        loss = (1 - target) * input + positive * softplus(-input)
    return weighed(loss, weight, reduction, "binary_cross_entropy_with_logits")
