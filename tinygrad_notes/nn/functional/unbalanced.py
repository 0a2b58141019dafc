"""Losses for classes of very unequal size: focal, Dice and Tversky.

    N rows   C classes   d further axes, such as the pixels of an image
"""
from ...autograd import as_tensor
from ...ops import expm1, moveaxis, pow, sigmoid, sum, where
from ...ops.losses import check_labels
from .classification import binary_cross_entropy_with_logits, counted_labels, cross_entropy, weighted_reduction
from .common import check_reduction, number, reduced, same_shape
from .embedding import one_hot

__all__ = ["dice_loss", "focal_loss", "sigmoid_focal_loss", "tversky_loss"]


def focal_loss(input, target, weight=None, gamma=2.0, ignore_index=-100, reduction="mean"):
    """Cross-entropy in which examples that are already right count less.

    Formula: l_n = -w_t (1 - p_nt)^gamma log p_nt, p = softmax(x). 'mean' is over the rows that are not ignored.

    Args:
        input: logits (nats), floating, (N, C), (C,) or (N, C, d...).
        target: class indices in [0, C), integer, (N,), () or (N, d...).
        weight: factor per class, (C,).
        gamma: >= 0; 0 is cross-entropy.
        ignore_index: rows with this index do not count.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of the shape of `target`.

    Raises:
        ValueError: gamma < 0, or as for `cross_entropy`.
        TypeError: as for `cross_entropy`.

    Source: Lin et al. 2017, "Focal loss for dense object detection", equation 5.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.focal_loss(tn.tensor([[0.0, 0.0]]), tn.tensor([1]))               # log(2) / 4
        tensor(0.1733)
    """
    check_reduction(reduction)
    gamma = number("gamma", gamma, 0)
    input = as_tensor(input)
    target = as_tensor(target, like=input)
    if target.dtype.kind not in "iu":
        raise TypeError(f"focal_loss: target: expected integer class indices, got {target.dtype}")
    plain = cross_entropy(input, target, None, ignore_index, "none")
    _, kept, factor = counted_labels(target, ignore_index, None if weight is None else as_tensor(weight),
                                          input.dtype)
    loss = _eased(plain, -expm1(-plain), gamma) * factor
    if reduction != "mean":
        return reduced(loss, reduction, "focal_loss")
    return weighted_reduction("focal_loss", loss, kept.astype(loss.dtype), "mean", None)


def _eased(loss, missed, gamma):
    """loss * missed^gamma, with gradient 0 where nothing is missed, whatever gamma."""
    if not gamma:
        return loss
    right = missed <= 0
    return loss * where(right, 0.0, pow(where(right, 1.0, missed), gamma))


def sigmoid_focal_loss(inputs, targets, alpha=0.25, gamma=2.0, reduction="none"):
    """Binary cross-entropy in which what is already right counts less (the name and defaults of torchvision).

    Formula: l_i = -a_i (1 - p_i)^gamma log p_i, p_i the probability of the right answer, a_i = alpha for yes and
        1 - alpha for no.

    Args:
        inputs: logits (nats), floating, any shape.
        targets: of the same shape, in [0, 1].
        alpha: weight of yes in [0, 1]; negative: no weights.
        gamma: >= 0; 0 is binary cross-entropy.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of the shape of `inputs`.

    Raises:
        ValueError: the shapes differ, gamma < 0, alpha > 1, or the reduction is unknown.

    Source: Lin et al. 2017, "Focal loss for dense object detection", equation 5.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.sigmoid_focal_loss(tn.zeros((2,)), tn.tensor([1.0, 0.0]))
        tensor([0.0433, 0.1300])
    """
    check_reduction(reduction)
    gamma, alpha = number("gamma", gamma, 0), number("alpha", alpha, high=1)
    inputs, targets = same_shape("sigmoid_focal_loss", inputs, targets, ("inputs", "targets"))
    p = sigmoid(inputs)
    loss = _eased(binary_cross_entropy_with_logits(inputs, targets, reduction="none"), p + targets - 2 * p * targets,
                  gamma)
    if alpha >= 0:
        loss = loss * (alpha * targets + (1 - alpha) * (1 - targets))
    return reduced(loss, reduction, "sigmoid_focal_loss")


def tversky_loss(input, target, alpha=0.5, beta=0.5, smooth=0.0, over_batch=False, reduction="mean"):
    """One minus the overlap of predicted and true regions, with weights for what is wrongly in and wrongly out.

    Formula: l = 1 - (TP + s) / (TP + alpha FP + beta FN + s), with the sums over d... TP = sum p t,
        FP = sum p (1 - t), FN = sum (1 - p) t.

    Args:
        input: probabilities, floating, (N, C, d...).
        target: class indices in [0, C), integer, (N, d...); or regions in [0, 1] of the shape of `input`.
        alpha, beta: >= 0; 1/2 and 1/2 is Dice, 1 and 1 is intersection over union.
        smooth: s >= 0; 0 makes the loss of an empty region that is predicted empty 0.
        over_batch: sum over N too.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        A 0-d Tensor, or with 'none' one of shape (N, C), or (C,) with `over_batch`.

    Raises:
        ValueError: shapes do not fit, an index is out of range, a number is negative, or the reduction is unknown.
        TypeError: indices are not integers.

    Source: Salehi et al. 2017, "Tversky loss function for image segmentation", equation 4.

    Example:
        >>> import tinygrad_notes as tn
        >>> p = tn.tensor([[[0.5, 1.0]]])
        >>> tn.nn.functional.tversky_loss(p, tn.tensor([[[1.0, 0.0]]]))                       # TP 0.5, FP 1, FN 0.5
        tensor(0.6000)
    """
    return _overlap("tversky_loss", input, target, alpha, beta, smooth, over_batch, reduction)


def dice_loss(input, target, smooth=0.0, over_batch=False, reduction="mean"):
    """One minus the Dice coefficient of predicted and true regions, per class.

    Formula: l = 1 - (2 sum p t + 2 s) / (sum p + sum t + 2 s), sums over d...: `tversky_loss` with 1/2 and 1/2.

    Args:
        input: probabilities, floating, (N, C, d...).
        target: class indices in [0, C), integer, (N, d...); or regions in [0, 1] of the shape of `input`.
        smooth: s >= 0; 0 makes the loss of an empty region that is predicted empty 0.
        over_batch: sum over N too.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        A 0-d Tensor, or with 'none' one of shape (N, C), or (C,) with `over_batch`.

    Raises:
        ValueError: shapes do not fit, an index is out of range, `smooth` is negative, or the reduction is unknown.
        TypeError: indices are not integers.

    Source: Milletari et al. 2016, "V-Net"; with plain sums in the denominator, as in Sudre et al. 2017.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.dice_loss(tn.tensor([[[0.5, 1.0]]]), tn.tensor([[[1.0, 0.0]]]))
        tensor(0.6000)
    """
    return _overlap("dice_loss", input, target, 0.5, 0.5, smooth, over_batch, reduction)


def _overlap(name, input, target, alpha, beta, smooth, over_batch, reduction):
    check_reduction(reduction)
    alpha, beta, smooth = number("alpha", alpha, 0), number("beta", beta, 0), number("smooth", smooth, 0)
    input = as_tensor(input)
    target = as_tensor(target, like=input)
    if input.ndim < 2:
        raise ValueError(f"{name}: input: expected shape (N, C, ...), got {input.shape}")
    if target.shape != input.shape:
        if target.shape != input.shape[:1] + input.shape[2:]:
            raise ValueError(f"{name}: target: expected shape {input.shape}, or class indices of shape "
                             f"{input.shape[:1] + input.shape[2:]}, got {target.shape}")
        check_labels(name, target.data, input.shape[1])
        target = moveaxis(one_hot(target, input.shape[1]), -1, 1)
    target = target.astype(input.dtype)
    axes = (*((0,) if over_batch else ()), *range(2, input.ndim))
    hit = sum(input * target, axis=axes)
    out = hit + alpha * sum(input * (1 - target), axis=axes) + beta * sum((1 - input) * target, axis=axes) + smooth
    empty = out == 0
    return reduced(1 - where(empty, 1.0, (hit + smooth) / where(empty, 1.0, out)), reduction, name)
