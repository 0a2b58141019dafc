"""Losses over many classes, as modules with the layer that scores the classes."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from ..autograd import Tensor, as_tensor
from ..ops import argmax, concat, log_softmax, mean, nonzero, reshape, segment_sum, take, where
from ..ops.losses import check_labels, pick_label
from . import functional as F
from .container import ModuleList, Sequential
from .functional.common import number
from .functional.vocabulary import LinearCrossEntropyOptions
from .linear import Linear, size
from .losses import _Loss
from .module import Module

if TYPE_CHECKING:
    from ..typing import ArrayLike, DeviceLike, DTypeLike

__all__ = ["AdaptiveLogSoftmaxWithLoss", "LinearCrossEntropyLoss", "LinearCrossEntropyOptions"]


class LinearCrossEntropyLoss(_Loss):
    """The negative log-probability of the right class, from features: a linear layer and cross-entropy in one.

    Formula: cross_entropy(x W^T + b, target), see `nn.functional.linear_cross_entropy`.

    Args:
        in_features: size of the last axis of the input D.
        num_classes: C.
        out_features: further axes d... of the target, such as the pixels of an image.
        bias: whether there is a b.
        device, dtype: of the parameters.
        reduction: 'none', 'mean' or 'sum'.
        weight: factor per class, (C,).
        ignore_index: rows with this index do not count; default: -100.
        label_smoothing: share of the target spread over all classes, in [0, 1].
        options: `LinearCrossEntropyOptions`, in how many pieces the rows are taken; None: all at once.

    Attributes:
        linear: `Linear(D, C d...)`.
        weight: the factors per class, or None.

    Raises:
        ValueError: `weight` is not of shape (C,), a size is negative, or the reduction is unknown; at the call, see
            `nn.functional.linear_cross_entropy`.

    Source: the interface of PyTorch 2.13.

    Example:
        >>> import tinygrad_notes as tn
        >>> loss = tn.nn.LinearCrossEntropyLoss(3, 10, options=tn.nn.LinearCrossEntropyOptions(batch_chunk_size=2))
        >>> loss(tn.ones((5, 3)), tn.tensor([0, 1, 2, 3, 4])).shape
        ()
    """

    weight: Tensor | None

    def __init__(self, in_features: int, num_classes: int, *, out_features: tuple[int, ...] = (), bias: bool = False,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None, reduction: str = "mean",
                 weight: ArrayLike | None = None, ignore_index: int | None = None, label_smoothing: float = 0.0,
                 options: LinearCrossEntropyOptions | None = None) -> None:
        super().__init__(reduction)
        factors = None if weight is None else as_tensor(weight)
        if factors is not None and factors.shape != (num_classes,):
            raise ValueError(f"weight: expected one number per class, shape {(num_classes,)}, got {factors.shape}")
        self.register_buffer("weight", factors)
        self.num_classes, self.out_features = size("num_classes", num_classes), tuple(out_features)
        self.ignore_index, self.options = ignore_index, options
        self.label_smoothing = number("label_smoothing", label_smoothing, 0, high=1)
        self.linear = Linear(in_features, num_classes * prod(self.out_features), bias, device, dtype)

    def forward(self, input: ArrayLike, target: ArrayLike) -> Tensor:
        shape, bias = (self.num_classes, *self.out_features), self.linear.bias
        return F.linear_cross_entropy(
            input, reshape(self.linear.weight, (*shape, self.linear.in_features)), target,
            linear_bias=None if bias is None else reshape(bias, shape), weight=self.weight, reduction=self.reduction,
            ignore_index=self.ignore_index, label_smoothing=self.label_smoothing, options=self.options)

    def extra_repr(self) -> str:
        return (f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
                f"out_features={self.out_features}, bias={self.linear.bias is not None}, reduction={self.reduction}")


class AdaptiveOutput(NamedTuple):
    """What `AdaptiveLogSoftmaxWithLoss` returns.

    Fields:
        output: log-probability of each target (nats), (N,) or ().
        loss: minus their mean, 0-d.
    """

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities over many classes of unequal frequency: rare ones are scored within clusters, by fewer numbers.

    Formula: log p(c) = log softmax(head x)_c for c < cutoffs[0]; in cluster i the log-probability of the cluster, from
        the head, plus log softmax(B_i A_i x), with A_i of D / div_value^(i+1) rows.

    Args:
        in_features: size of the last axis of the input D.
        n_classes: C; classes are sorted, the most frequent first.
        cutoffs: where clusters begin, increasing integers in [1, C - 1].
        div_value: how many times fewer numbers each further cluster gets.
        head_bias: whether the head has a bias.
        device, dtype: of the parameters.

    Attributes:
        head: `Linear(D, cutoffs[0] + clusters)`.
        tail: per cluster a `Sequential` of the two layers A_i and B_i.

    Raises:
        ValueError: the cutoffs are not such; at the call: shapes do not fit, or a label is out of range.

    Source: Grave et al. 2017, "Efficient softmax approximation for GPUs".

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10])
        >>> layer(tn.ones((3, 8)), tn.tensor([0, 7, 19])).output.shape
        (3,)
        >>> tn.exp(layer.log_prob(tn.ones((1, 8)))).sum().item() > 0.999
        True
    """

    def __init__(self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0,
                 head_bias: bool = False, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs or cutoffs != sorted(set(cutoffs)) or not all(
                c.__class__ is int and 0 < c < n_classes for c in cutoffs):
            raise ValueError(f"cutoffs: expected increasing integers in [1, {n_classes - 1}], got {cutoffs}")
        self.in_features, self.n_classes = size("in_features", in_features), n_classes
        self.cutoffs, self.div_value, self.head_bias = [*cutoffs, n_classes], div_value, head_bias
        self.shortlist_size, self.n_clusters = cutoffs[0], len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, device, dtype)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(zip(self.cutoffs, self.cutoffs[1:])):
            inner = int(in_features // div_value ** (i + 1))
            self.tail.append(Sequential(Linear(in_features, inner, False, device, dtype),
                                        Linear(inner, high - low, False, device, dtype)))

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        self.head.reset_parameters()
        for first, second in self.tail:
            first.reset_parameters()
            second.reset_parameters()

    def forward(self, input: ArrayLike, target: ArrayLike) -> AdaptiveOutput:
        input = as_tensor(input)
        target = as_tensor(target, like=input)
        if target.ndim > 1 or input.shape != (*target.shape, self.in_features):
            raise ValueError(f"AdaptiveLogSoftmaxWithLoss: expected input (N, {self.in_features}) and target (N,), or "
                             f"({self.in_features},) and (), got {input.shape} and {target.shape}")
        single = target.ndim == 0
        if single:
            input, target = reshape(input, (1, -1)), reshape(target, (1,))
        check_labels("AdaptiveLogSoftmaxWithLoss", target.data, self.n_classes)
        head, column = log_softmax(self.head(input), axis=1), target
        parts = []
        for i, (low, high) in enumerate(zip(self.cutoffs, self.cutoffs[1:])):
            inside = (target >= low) & (target < high)
            column = where(inside, self.shortlist_size + i, column)
            rows = nonzero(inside)[0]
            if rows.size:
                scores = log_softmax(self.tail[i](take(input, rows, axis=0)), axis=1)
                chosen = pick_label(scores, take(target, rows, axis=0) - low)
                parts.append(segment_sum(chosen, rows, target.size))
        output = pick_label(head, column)
        for part in parts:
            output = output + part
        return AdaptiveOutput(reshape(output, ()) if single else output, -mean(output))

    def log_prob(self, input: ArrayLike) -> Tensor:
        """Log-probabilities of all classes.

        Args:
            input: (N, D).

        Returns:
            (N, C), nats.
        """
        head = log_softmax(self.head(input), axis=1)
        short = self.shortlist_size
        return concat([head[:, :short], *(log_softmax(layers(input), axis=1) + head[:, short + i:short + i + 1]
                                          for i, layers in enumerate(self.tail))], axis=1)

    def predict(self, input: ArrayLike) -> Tensor:
        """The most probable class of each row.

        Args:
            input: (N, D).

        Returns:
            (N,), integers.
        """
        return argmax(self.log_prob(input), axis=1)
