"""Layers that look vectors up."""
from __future__ import annotations

from typing import TYPE_CHECKING

from . import functional as F
from .functional.embedding import check_bags, row_of
from .init import normal_
from .linear import new_parameter, size
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..backend import Generator
    from ..typing import ArrayLike, DeviceLike, DTypeLike

__all__ = ["Embedding", "EmbeddingBag"]


def _table(layer, weight, device, dtype):
    """Give a layer its table: a new one, or this."""
    shape = (layer.num_embeddings, layer.embedding_dim)
    if weight is None:
        layer.weight = new_parameter(shape, device, dtype)
        layer.reset_parameters()
        return
    if weight.shape != shape:
        raise ValueError(f"_weight: expected shape {shape}, got {weight.shape}")
    layer.weight = Parameter(weight)


class Embedding(Module):
    """A table of vectors, read by index.

    Formula: out[...] = W[input[...]]; W ~ N(0, 1) at the start.

    Args:
        num_embeddings: number of rows V.
        embedding_dim: size of a row D.
        padding_idx: an index whose row starts as zeros and gets no gradient.
        max_norm: rows of larger norm are scaled down to it, in the table itself, before they are read.
        norm_type: which norm, for `max_norm`.
        scale_grad_by_freq: divide the gradient of each row by how often it is read in the call.
        sparse: must be False: gradients are dense.
        _weight: the table to begin with, (V, D).
        _freeze: want no gradient for it.
        device, dtype: of the table.

    Attributes:
        weight: (V, D).

    Raises:
        ValueError: a size is negative, `_weight` has another shape, `padding_idx` is out of range, or `sparse` is asked
            for; at the call: an index is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Embedding(10, 3)(tn.tensor([[1, 2], [4, 9]])).shape
        (2, 2, 3)
    """

    weight: Parameter

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
                 max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
                 sparse: bool = False, _weight: Tensor | None = None, _freeze: bool = False,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if sparse:
            raise ValueError("sparse: sparse gradients are not supported, leave it False")
        self.num_embeddings = size("num_embeddings", num_embeddings)
        self.embedding_dim = size("embedding_dim", embedding_dim)
        self.padding_idx = None if padding_idx is None else row_of(padding_idx, self.num_embeddings)
        self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale_grad_by_freq
        _table(self, _weight, device, dtype)
        self.weight.requires_grad = not _freeze

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None,
                        max_norm: float | None = None, norm_type: float = 2.0,
                        scale_grad_by_freq: bool = False) -> Embedding:
        """A layer around a given table.

        Args:
            embeddings: floating Tensor (V, D), shared.
            freeze: want no gradient for it.
            padding_idx, max_norm, norm_type, scale_grad_by_freq: see the class.

        Raises:
            ValueError: it does not have two axes.
        """
        if embeddings.ndim != 2:
            raise ValueError(f"embeddings: expected shape (V, D), got {embeddings.shape}")
        rows, columns = embeddings.shape
        return cls(rows, columns, padding_idx, max_norm, norm_type, scale_grad_by_freq, False, embeddings, freeze)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the table anew; the padding row becomes zero."""
        normal_(self.weight, generator=generator)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    def forward(self, input: ArrayLike) -> Tensor:
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq)

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        return text


class EmbeddingBag(Module):
    """A table of vectors, read in bags of indices: their sum, mean or maximum.

    Formula: out[b] = sum_{e in bag b} s_e W[input[e]], or its mean or maximum; W ~ N(0, 1) at the start. See
        `nn.functional.embedding_bag`.

    Args:
        num_embeddings: number of rows V.
        embedding_dim: size of a row D.
        max_norm: rows of larger norm are scaled down to it, in the table itself, before they are read.
        norm_type: which norm, for `max_norm`.
        scale_grad_by_freq: divide the gradient of each row by how often it is read in the call; not for 'max'.
        mode: 'sum', 'mean' or 'max'.
        sparse: must be False: gradients are dense.
        _weight: the table to begin with, (V, D).
        include_last_offset: offsets are (B + 1,): the last element is where the last bag ends.
        padding_idx: an index that is left out of its bag; its row starts as zeros.
        device, dtype: of the table.

    Attributes:
        weight: (V, D).

    Raises:
        ValueError: a size is negative, an option is out of range, or options do not go together; at the call, see
            `nn.functional.embedding_bag`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.EmbeddingBag(10, 3)(tn.tensor([[1, 2], [4, 9]])).shape
        (2, 3)
    """

    weight: Parameter

    def __init__(self, num_embeddings: int, embedding_dim: int, max_norm: float | None = None, norm_type: float = 2.0,
                 scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
                 _weight: Tensor | None = None, include_last_offset: bool = False, padding_idx: int | None = None,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        check_bags(mode, sparse, scale_grad_by_freq)
        self.num_embeddings = size("num_embeddings", num_embeddings)
        self.embedding_dim = size("embedding_dim", embedding_dim)
        self.padding_idx = None if padding_idx is None else row_of(padding_idx, self.num_embeddings)
        self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale_grad_by_freq
        self.mode, self.include_last_offset = mode, include_last_offset
        _table(self, _weight, device, dtype)

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, max_norm: float | None = None,
                        norm_type: float = 2.0, scale_grad_by_freq: bool = False, mode: str = "mean",
                        sparse: bool = False, include_last_offset: bool = False,
                        padding_idx: int | None = None) -> EmbeddingBag:
        """A layer around a given table.

        Args:
            embeddings: floating Tensor (V, D), shared.
            freeze: want no gradient for it.
            max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset, padding_idx: see the class.

        Raises:
            ValueError: it does not have two axes.
        """
        if embeddings.ndim != 2:
            raise ValueError(f"embeddings: expected shape (V, D), got {embeddings.shape}")
        rows, columns = embeddings.shape
        layer = cls(rows, columns, max_norm, norm_type, scale_grad_by_freq, mode, sparse, embeddings,
                    include_last_offset, padding_idx)
        layer.weight.requires_grad = not freeze
        return layer

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the table anew; the padding row becomes zero."""
        normal_(self.weight, generator=generator)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    def forward(self, input: ArrayLike, offsets: ArrayLike | None = None,
                per_sample_weights: ArrayLike | None = None) -> Tensor:
        return F.embedding_bag(input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq,
                               self.mode, False, per_sample_weights, self.include_last_offset, self.padding_idx)

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}, mode={self.mode!r}"
        return text if self.padding_idx is None else f"{text}, padding_idx={self.padding_idx}"
