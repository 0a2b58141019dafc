"""Distances and similarities of vectors, and the losses of pairs and triples of them."""
from ...autograd import as_tensor
from ...ops import (
    arange,
    broadcast_arrays,
    maximum,
    minimum,
    nonzero,
    norm,
    relu,
    reshape,
    sqrt,
    square,
    sum,
    take,
    where,
)
from .common import check_reduction, number, reduced, same_shape
from .margins import check_signs

__all__ = [
    "cosine_embedding_loss", "cosine_similarity", "margin_ranking_loss", "normalize", "pairwise_distance", "pdist",
    "triplet_margin_loss", "triplet_margin_with_distance_loss",
]


def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """The cosine of the angle between vectors.

    Formula: out = x1 . x2 / (max(|x1|, eps) max(|x2|, eps)).

    Args:
        x1, x2: floating; shapes broadcast.
        dim: the axis of the vectors.
        eps: smallest norm, >= 0.

    Returns:
        A Tensor of the broadcast shape without `dim`.

    Raises:
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.cosine_similarity(tn.tensor([[1.0, 0.0]]), tn.tensor([[3.0, 4.0]]))
        tensor([0.6000])
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    if x1.shape != x2.shape:  # first, so that a vector of one number, repeated, has the norm of all
        x1, x2 = broadcast_arrays(x1, x2)
    first, second = (maximum(norm(x, axis=dim, keepdims=True), eps) for x in (x1, x2))
    return sum(x1 / first * (x2 / second), axis=dim)


def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """The p-norm of the difference of vectors on the last axis.

    Formula: out = (sum_k |x1_k - x2_k + eps|^p)^(1/p).

    Args:
        x1, x2: floating, (..., D); shapes broadcast.
        p: which norm, any number or infinity; 0 counts what is not 0.
        eps: added to each difference, so that equal vectors have a gradient.
        keepdim: keep the last axis.

    Returns:
        A Tensor (...), or with `keepdim` (..., 1).

    Raises:
        ValueError: the shapes do not broadcast.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.pairwise_distance(tn.tensor([[0.0, 0.0]]), tn.tensor([[3.0, 4.0]]))
        tensor([5.0000])
    """
    return norm(as_tensor(x1) - as_tensor(x2) + eps, p, axis=-1, keepdims=keepdim)


def pdist(input, p=2.0):
    """The distances between all pairs of points of a set, each pair once.

    Formula: out = (|x_0 - x_1|, |x_0 - x_2|, ..., |x_1 - x_2|, ...): the upper triangle of `cdist`, row by row.

    Args:
        input: floating, (N, D).
        p: which norm, >= 0, or infinity; 0 counts the coordinates that differ.

    Returns:
        A Tensor (N (N - 1) / 2,). Its gradient is zero where two points meet.

    Raises:
        ValueError: the input does not have two axes, or p < 0.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.pdist(tn.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
        tensor([5.0000, 1.0000, 4.2426])
    """
    input = as_tensor(input)
    if input.ndim != 2:
        raise ValueError(f"pdist: expected shape (N, D), got {input.shape}")
    if p < 0:
        raise ValueError(f"pdist: p: expected a number >= 0, got {p!r}")
    place = arange(input.shape[0], device=input.device)
    first, second = nonzero(reshape(place, (-1, 1)) < place)
    return norm(take(input, first, axis=0) - take(input, second, axis=0), p, axis=1)


def normalize(input, p=2.0, dim=1, eps=1e-12):
    """Vectors divided by their p-norm.

    Formula: out = x / max(|x|_p, eps).

    Args:
        input: floating, any shape.
        p: the order of the norm, a number or infinity; 0 counts what is not zero.
        dim: the axis of the vectors, or a tuple of axes.
        eps: smallest norm.

    Returns:
        A Tensor of the shape of `input`.

    Raises:
        IndexError: there is no such axis.
        TypeError: p is no number.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.normalize(tn.tensor([[3.0, 4.0]]))
        tensor([[0.6000, 0.8000]])
    """
    input = as_tensor(input)
    return input / maximum(norm(input, p, dim, keepdims=True), eps)


def cosine_embedding_loss(input1, input2, target, margin=0.0, reduction="mean"):
    """Vectors that shall point the same way (target 1), or not (target -1).

    Formula: l_n = 1 - cos for target_n = 1, max(0, cos - margin) for target_n = -1, cos with 1e-12 added to each
        squared norm.

    Args:
        input1, input2: floating, (N, D) or (D,), of equal shapes.
        target: +1 or -1, (N,) or ().
        margin: in [-1, 1].
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        A 0-d Tensor, or with 'none' one of the shape of `target`.

    Raises:
        ValueError: shapes do not fit, a target is neither 1 nor -1, or the reduction is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> a, b = tn.tensor([[1.0, 0.0]]), tn.tensor([[0.0, 2.0]])
        >>> tn.nn.functional.cosine_embedding_loss(a, b, tn.tensor([1]))
        tensor(1.)
    """
    check_reduction(reduction)
    x1, x2 = same_shape("cosine_embedding_loss", input1, input2, ("input1", "input2"))
    target = as_tensor(target, like=x1)
    if target.shape != x1.shape[:-1]:
        raise ValueError(f"cosine_embedding_loss: target: expected shape {x1.shape[:-1]}, got {target.shape}")
    check_signs("cosine_embedding_loss", target)
    squares = (sum(square(x1), axis=-1) + 1e-12) * (sum(square(x2), axis=-1) + 1e-12)
    cosine = sum(x1 * x2, axis=-1) / sqrt(squares)
    loss = where(target == 1, 1 - cosine, relu(cosine - number("margin", margin)))
    return reduced(loss, reduction, "cosine_embedding_loss")


def margin_ranking_loss(input1, input2, target, margin=0.0, reduction="mean"):
    """Two scores of which the first shall be higher (target 1) or lower (target -1).

    Formula: l_i = max(0, -target_i (input1_i - input2_i) + margin).

    Args:
        input1, input2: scores, floating, of equal shapes.
        target: +1 or -1, of the same shape.
        margin: how far apart they shall be.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        A 0-d Tensor, or with 'none' one of the shape of the inputs.

    Raises:
        ValueError: the shapes differ, or the reduction is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> one, two = tn.tensor([1.0]), tn.tensor([2.0])
        >>> tn.nn.functional.margin_ranking_loss(one, two, tn.tensor([1]))
        tensor(1.)
    """
    check_reduction(reduction)
    input1, input2 = same_shape("margin_ranking_loss", input1, input2, ("input1", "input2"))
    input1, target = same_shape("margin_ranking_loss", input1, target, ("input1", "target"))
    return reduced(relu(-target * (input1 - input2) + number("margin", margin)), reduction, "margin_ranking_loss")


def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False, reduction="mean"):
    """An anchor that shall be nearer to the positive than to the negative, by a margin.

    Formula: l_n = max(0, d(a, p) - d(a, n) + margin), d the `pairwise_distance`; `swap` takes min(d(a, n), d(p, n)).

    Args:
        anchor, positive, negative: floating, (N, D) or (D,), of equal shapes.
        margin: > 0.
        p: the norm, > 0.
        eps: added to each difference.
        swap: use the nearer of anchor and positive for the negative.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        A 0-d Tensor, or with 'none' one of shape (N,) or ().

    Raises:
        ValueError: the shapes differ, margin <= 0, or the reduction is unknown.

    Source: Balntas et al. 2016, "Learning shallow convolutional feature descriptors with triplet losses".

    Example:
        >>> import tinygrad_notes as tn
        >>> a, b, c = (tn.tensor([[v]]) for v in (0.0, 1.0, 3.0))
        >>> round(tn.nn.functional.triplet_margin_loss(a, b, c, margin=2.5).item(), 4)
        0.5
    """
    def distance(x, y):
        return pairwise_distance(x, y, p, eps)
    return _triplet("triplet_margin_loss", anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False,
                                      reduction="mean"):
    """`triplet_margin_loss` with a distance of your own.

    Formula: l_n = max(0, d(a, p) - d(a, n) + margin).

    Args:
        anchor, positive, negative: of equal shapes.
        distance_function: `d(x, y)`; default: `pairwise_distance`.
        margin: > 0.
        swap: use the nearer of anchor and positive for the negative.
        reduction: 'none', 'mean' or 'sum'.

    Returns:
        A 0-d Tensor, or with 'none' one of the shape of the distances.

    Raises:
        ValueError: the shapes differ, margin <= 0, or the reduction is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> a, b, c = (tn.tensor([[v]]) for v in (0.0, 1.0, 3.0))
        >>> city = lambda x, y: abs(x - y).sum(axis=-1)
        >>> tn.nn.functional.triplet_margin_with_distance_loss(a, b, c, distance_function=city, margin=2.5)
        tensor(0.5000)
    """
    distance = distance_function or pairwise_distance
    return _triplet("triplet_margin_with_distance_loss", anchor, positive, negative, distance, margin, swap, reduction)


def _triplet(name, anchor, positive, negative, distance, margin, swap, reduction):
    check_reduction(reduction)
    margin = number("margin", margin, 0, low_open=True)
    anchor, positive = same_shape(name, anchor, positive, ("anchor", "positive"))
    anchor, negative = same_shape(name, anchor, negative, ("anchor", "negative"))
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(relu(near - far + margin), reduction, name)
