"""Losses that ask for a margin between scores: of the right class and others, of similar pairs and others.

    N rows   C classes, on axis 1
"""
from ...autograd import Tensor, as_tensor
from ...ops import log_sigmoid, maximum, mean, relu, reshape, softplus, sum, take, take_along_axis, where
from ...ops.losses import check_labels, holds, pick_label
from .classification import class_weights, in_rows
from .common import check_reduction, number, reduced, same_shape

__all__ = [
    "hinge_embedding_loss", "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss",
    "soft_margin_loss",
]


def soft_margin_loss(input, target, reduction="mean"):
    """The logistic loss of a score for labels +1 and -1.

    Formula: l_i = log(1 + e^(-target_i input_i)).

    Args:
        input: scores (nats), floating, any shape.
        target: +1 or -1, of the same shape.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        A 0-d Tensor, or with 'none' one of the shape of `input`.

    Raises:
        ValueError: the shapes differ, or the reduction is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.soft_margin_loss(tn.tensor([0.0]), tn.tensor([1.0]))
        tensor(0.6931)
    """
    check_reduction(reduction)
    input, target = same_shape("soft_margin_loss", input, target)
    return reduced(softplus(-target * input), reduction, "soft_margin_loss")


def multilabel_soft_margin_loss(input, target, weight=None, reduction="mean"):
    """Binary cross-entropy of every class, averaged over the classes.

    Formula: l_n = -(1/C) sum_c w_c (y_nc log s(x_nc) + (1 - y_nc) log s(-x_nc)), s the logistic function.

    Args:
        input: logits (nats), floating, (N, C) or (C,).
        target: 0 or 1, of the same shape.
        weight: factor per class, (C,).
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of shape (N,) or ().

    Raises:
        ValueError: the shapes differ, or the reduction is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.multilabel_soft_margin_loss(tn.tensor([[0.0, 0.0]]), tn.tensor([[1.0, 0.0]]))
        tensor(0.6931)
    """
    check_reduction(reduction)
    input, target = same_shape("multilabel_soft_margin_loss", input, target)
    loss = -(target * log_sigmoid(input) + (1 - target) * log_sigmoid(-input))
    if weight is not None:
        loss = loss * as_tensor(weight, like=loss)
    return reduced(mean(loss, axis=-1), reduction, "multilabel_soft_margin_loss")


def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, reduction="mean"):
    """A hinge between the score of the right class and each of the others.

    Formula: l_n = (1/C) w_t sum_{j != t} max(0, margin - x_nt + x_nj)^p.

    Args:
        input: scores, floating, (N, C) or (C,).
        target: class indices in [0, C), integer, (N,), or for one example () or (1,).
        p: 1 or 2.
        margin: how far apart the scores shall be.
        weight: factor per class, (C,).
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        A 0-d Tensor, or with 'none' one of the shape of `target`.

    Raises:
        ValueError: an index is out of range, shapes do not fit, or an option is unknown.
        TypeError: class indices are not integers.

    Source: Crammer and Singer 2001, "On the algorithmic implementation of multiclass kernel-based vector machines".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.multi_margin_loss(tn.tensor([[1.0, 0.5]]), tn.tensor([0]))
        tensor(0.2500)
    """
    check_reduction(reduction)
    if p not in (1, 2):
        raise ValueError(f"p: expected 1 or 2, got {p!r}")
    input = as_tensor(input)
    target = as_tensor(target, like=input)
    shape = target.shape
    if input.ndim < 2 and target.size == 1 and target.ndim < 2:  # one example, its class with or without an axis
        input, target = reshape(input, (1, -1)), reshape(target, (1,))
    rows, labels, _ = in_rows("multi_margin_loss", input, target)
    check_labels("multi_margin_loss", labels.data, rows.shape[1])
    z = relu(number("margin", margin) - reshape(pick_label(rows, labels), (-1, 1)) + rows)
    z = where(_one_hot(labels, rows), 0.0, z)
    z = z if p == 1 else z * z
    weights = class_weights("multi_margin_loss", weight, rows)
    if weights is not None:
        z = z * reshape(take(weights, labels, axis=0), (-1, 1))
    return reduced(reshape(sum(z, axis=1) / rows.shape[1], shape), reduction, "multi_margin_loss")


def multilabel_margin_loss(input, target, reduction="mean"):
    """A hinge between the score of every right class and every wrong one.

    Formula: l_n = (1/C) sum_{t listed} sum_{j not listed} max(0, 1 - (x_nt - x_nj)).

    Args:
        input: scores, floating, (N, C) or (C,).
        target: integer, of the same shape: the right classes of each row, ended by -1.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        A 0-d Tensor, or with 'none' one of shape (N,) or ().

    Raises:
        ValueError: the shapes differ, a class before the first -1 is out of range, or the reduction is unknown.
        TypeError: classes are not integers.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.multilabel_margin_loss(tn.tensor([[0.0, 0.5, 0.0]]), tn.tensor([[1, -1, 0]]))
        tensor(0.3333)
    """
    check_reduction(reduction)
    input, target = same_shape("multilabel_margin_loss", input, target)
    if target.dtype.kind not in "iu" or input.ndim > 2:
        raise TypeError("multilabel_margin_loss: target: expected integer classes of shape (N, C) or (C,), got "
                        f"{target.dtype} of shape {target.shape}")
    classes = input.shape[-1] if input.ndim else 1
    rows, labels = reshape(input, (-1, classes)), reshape(target, (-1, classes))
    listed = (labels < 0).astype("int64").cumulative_sum(axis=1) == 0
    labels = where(listed, labels, 0)
    check_labels("multilabel_margin_loss", labels.data, classes)
    places = reshape(_counted(labels, classes), (1, 1, classes))
    right = ((reshape(labels, (-1, classes, 1)) == places) & reshape(listed, (-1, classes, 1))).any(axis=1)
    score = take_along_axis(rows, labels, axis=1)
    hinge = relu(1 - reshape(score, (-1, classes, 1)) + reshape(rows, (-1, 1, classes)))  # (N, listed, every class)
    pairs = reshape(listed, (-1, classes, 1)) & ~reshape(right, (-1, 1, classes))
    loss = sum(where(pairs, hinge, 0.0), axis=(1, 2)) / classes
    return reduced(reshape(loss, input.shape[:-1]), reduction, "multilabel_margin_loss")


def _counted(like, n):
    return Tensor.wrap(like.device.xp.arange(n))


def _one_hot(labels, rows):
    return reshape(labels, (-1, 1)) == reshape(_counted(labels, rows.shape[1]), (1, -1))


def hinge_embedding_loss(input, target, margin=1.0, reduction="mean"):
    """A distance that shall be small for similar pairs and at least a margin for others.

    Formula: l_i = x_i for target_i = 1, max(0, margin - x_i) for target_i = -1.

    Args:
        input: distances, floating, any shape.
        target: +1 or -1, of the same shape.
        margin: the distance of dissimilar pairs.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        A 0-d Tensor, or with 'none' one of the shape of `input`.

    Raises:
        ValueError: the shapes differ, a target is neither 1 nor -1, or the reduction is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.hinge_embedding_loss(tn.tensor([0.5, 0.25]), tn.tensor([1, -1]), reduction="none")
        tensor([0.5000, 0.7500])
    """
    check_reduction(reduction)
    input, target = same_shape("hinge_embedding_loss", input, target)
    check_signs("hinge_embedding_loss", target)
    margin = number("margin", margin)
    return reduced(where(target == 1, input, maximum(margin - input, 0.0)), reduction, "hinge_embedding_loss")


def check_signs(name, target):
    """Raise ValueError unless every target is 1 or -1."""
    if not holds((target.data == 1) | (target.data == -1)):
        raise ValueError(f"{name}: target: expected 1 and -1 only, got values from {float(target.min())} to "
                         f"{float(target.max())}")
