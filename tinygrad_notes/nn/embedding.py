"""Layers that look vectors up."""
from __future__ import annotations

from typing import TYPE_CHECKING

from . import functional as F
from .functional.linear import row_of
from .init import normal_
from .linear import new_parameter, size
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from ..autograd import Tensor
    from ..backend import Generator
    from ..typing import ArrayLike, DeviceLike, DTypeLike

__all__ = ["Embedding"]


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
        device, dtype: of the table.

    Attributes:
        weight: (V, D).

    Raises:
        ValueError: a size is negative, `padding_idx` is out of range, or `sparse` is asked for; at the call: an index
            is out of range.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.Embedding(10, 3)(tn.tensor([[1, 2], [4, 9]])).shape
        (2, 2, 3)
    """

    weight: Parameter

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
                 max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
                 sparse: bool = False, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if sparse:
            raise ValueError("sparse: sparse gradients are not supported, leave it False")
        self.num_embeddings = size("num_embeddings", num_embeddings)
        self.embedding_dim = size("embedding_dim", embedding_dim)
        self.padding_idx = None if padding_idx is None else row_of(padding_idx, self.num_embeddings)
        self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale_grad_by_freq
        self.weight = new_parameter((self.num_embeddings, self.embedding_dim), device, dtype)
        self.reset_parameters()

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None,
                        max_norm: float | None = None, norm_type: float = 2.0,
                        scale_grad_by_freq=False):
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
        layer = cls(0, 0, None, max_norm, norm_type, scale_grad_by_freq)
        layer.num_embeddings, layer.embedding_dim = embeddings.shape
        layer.padding_idx = None if padding_idx is None else row_of(padding_idx, layer.num_embeddings)
        layer.weight = Parameter(embeddings, requires_grad=not freeze)
        return layer

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
