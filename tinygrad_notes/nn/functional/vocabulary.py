"""Cross-entropy over so many classes that the logits of all rows do not fit at once.

    N rows   D features   C classes   d further axes
"""
from dataclasses import dataclass
from math import prod

from ...autograd import as_tensor
from ...autograd.checkpoint import checkpoint
from ...ops import concat, reshape
from .classification import counted_labels, cross_entropy, weighted_reduction
from .common import check_reduction, reduced
from .linear import linear

__all__ = ["linear_cross_entropy"]


@dataclass(frozen=True)
class LinearCrossEntropyOptions:
    """In how many pieces `linear_cross_entropy` goes through its rows: the logits of one piece exist at a time.

    Formula: rows of a piece = 2^ceil(log2(N D / C)) / factor, at most N: the logits of a piece are about as large as
        the input.

    Args:
        allow_retain_graph: accepted as in PyTorch; here the graph may always be retained, and derivatives are of any
            order.
        batch_chunk_size: rows of a piece; None: by `chunking_method`, or all if that is None.
        chunking_method: 'aspect_ratio:factor' for the formula, 'aspect_ratio' for factor 1, 'auto' for factor 2.
        acc_policy: accepted as in PyTorch; gradients are always accumulated in the dtype of the parameters.
        acc_dtype: likewise.

    Raises:
        ValueError: the method is unknown, or a size is no integer > 0.

    Source: the interface of PyTorch 2.13; Wijmans et al. 2024, "Cut your losses in large-vocabulary language models".

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.LinearCrossEntropyOptions(batch_chunk_size=256).batch_chunk_size
        256
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: object = None

    def __post_init__(self):
        size, method = self.batch_chunk_size, self.chunking_method
        if size is not None and (size.__class__ is not int or size < 1):
            raise ValueError(f"batch_chunk_size: expected an integer > 0 or None, got {size!r}")
        name, _, factor = ("aspect_ratio", "", "2") if method in (None, "auto") else method.partition(":")
        if name != "aspect_ratio" or (factor and not (factor.isdigit() and int(factor))):
            raise ValueError("chunking_method: expected 'auto', 'aspect_ratio', 'aspect_ratio:N' with N >= 1 or None, "
                             f"got {method!r}")
        if size is not None and method not in (None, "auto"):
            raise ValueError(f"batch_chunk_size {size} and chunking_method {method!r} both say how many rows: give one")


def piece(options, batch, features, classes):
    """How many rows a piece has, for sizes N, D, C."""
    size, method = options.batch_chunk_size, options.chunking_method
    if size is None and method is not None:
        factor = 2 if method == "auto" else int(method.partition(":")[2] or 1)
        like_input = -(-batch // -(-classes // max(features, 1)))
        size = (1 << max(like_input - 1, 0).bit_length()) // factor
    return batch if size is None else min(max(size, 1), batch)


def linear_cross_entropy(input, linear_weight, target, *, linear_bias=None, weight=None, reduction="mean",
                         ignore_index=None, label_smoothing=0.0, options=None):
    """`cross_entropy` of `linear`: the negative log-probability of the right class from features.

    Formula: cross_entropy(x W^T + b, target). With `options` the rows are taken in pieces, each of which keeps nothing
        but its losses and computes its logits again in the backward pass.

    Args:
        input: features, floating, (N, D) or (D,).
        linear_weight: W, (C, D) or (C, d..., D).
        target: class indices, integer, (N,), () or (N, d...); or probabilities (N, C), (C,) or (N, C, d...).
        linear_bias: b, (C,) or (C, d...).
        weight: factor per class, (C,).
        reduction: 'none', 'mean' or 'sum'.
        ignore_index: rows with this index do not count, only for class indices; default: -100.
        label_smoothing: share of the target spread over all classes, in [0, 1].
        options: `nn.LinearCrossEntropyOptions`; None: all rows at once.

    Returns:
        Nats: a 0-d Tensor, or with 'none' one of shape (N,), () or (N, d...).

    Raises:
        ValueError: shapes do not fit, `ignore_index` is given with probabilities, or as for `cross_entropy`.
        TypeError: as for `cross_entropy`.

    Source: the interface of PyTorch 2.13.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.functional.linear_cross_entropy(tn.ones((2, 3)), tn.zeros((4, 3)), tn.tensor([0, 1]))
        tensor(1.3863)
    """
    check_reduction(reduction)
    input, linear_weight = as_tensor(input), as_tensor(linear_weight)
    _check_shapes(input, linear_weight, linear_bias)
    target = as_tensor(target, like=input)
    classes, inner, features = linear_weight.shape[0], linear_weight.shape[1:-1], linear_weight.shape[-1]
    soft = target.shape == (*input.shape[:-1], classes, *inner)
    if soft and ignore_index is not None:
        raise ValueError("linear_cross_entropy: ignore_index is for class indices, but the target holds probabilities")
    ignore_index = -100 if ignore_index is None else ignore_index
    flat_weight = reshape(linear_weight, (classes * prod(inner), features)) if inner else linear_weight
    flat_bias = None if linear_bias is None else reshape(as_tensor(linear_bias), (classes * prod(inner),))

    def losses(x, w, b, t, reduction):
        logits = linear(x, w, b)
        if inner:
            logits = reshape(logits, (x.shape[0], classes, *inner))
        return cross_entropy(logits, t, weight, ignore_index, reduction, label_smoothing)
    if options is None or input.ndim == 1:
        return losses(input, flat_weight, flat_bias, target, reduction)
    n, step = input.shape[0], piece(options, input.shape[0], features, classes)
    if target.shape[:1] != (n,):
        raise ValueError(f"linear_cross_entropy: target: expected {n} rows as of the input, got shape {target.shape}")
    if n <= step:
        return losses(input, flat_weight, flat_bias, target, reduction)
    each = concat([checkpoint(losses, input[a:a + step], flat_weight, flat_bias, target[a:a + step], "none")
                   for a in range(0, n, step)], axis=0)
    if soft or reduction != "mean":
        return reduced(each, reduction, "linear_cross_entropy")
    factors = counted_labels(target, ignore_index, None if weight is None else as_tensor(weight), each.dtype)[2]
    return weighted_reduction("linear_cross_entropy", each, factors, reduction, None)


def _check_shapes(input, weight, bias):
    """Raise ValueError unless the features fit the weight, and the weight the bias."""
    name = "linear_cross_entropy"
    if input.ndim not in (1, 2):
        raise ValueError(f"{name}: input: expected shape (N, D) or (D,), got {input.shape}")
    if weight.ndim < 2 or weight.shape[-1] != input.shape[-1]:
        raise ValueError(f"{name}: linear_weight: expected shape (C, ..., {input.shape[-1]}) for input of shape "
                         f"{input.shape}, got {weight.shape}")
    if bias is not None and tuple(bias.shape) != weight.shape[:-1]:
        raise ValueError(f"{name}: linear_bias: expected shape {weight.shape[:-1]}, got {tuple(bias.shape)}")
    if weight.ndim > 2 and input.ndim == 1:
        raise ValueError(f"{name}: input: expected (N, D) for a weight of shape {weight.shape}, got {input.shape}")
