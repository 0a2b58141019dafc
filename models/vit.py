"""A transformer for images: patches are its tokens.

    N images   C channels   H, W height and width   P side of a patch   T = (H / P) (W / P) patches   D features

    h^0 = (class, E patch_1, ..., E patch_T) + places,   h^(l+1) = block_l(h^l),   scores = W LN(h^L_0) + b
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..nn import Conv2d, Dropout, LayerNorm, Linear, ModuleList, Parameter, TransformerBlock, init
from .classifier import Classifier
from .cnn import images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..autograd import Tensor
    from ..typing import ArrayLike, DeviceLike, DTypeLike


class ViT(Classifier):
    """A vision transformer.

    Formula: scores = W LN(h^L_0) + b, the first of T + 1 tokens being learned and the others patches of the image. The
        map E of patches is a convolution whose stride is the size of its kernel.

    Args:
        shape: (C, H, W).
        classes: how many.
        patch: P, a divisor of H and W.
        d_model: D.
        heads: attention heads, a divisor of D.
        layers: blocks.
        dropout: probability of a zero in training.
        device, dtype: of the parameters.

    Raises:
        ValueError: patches do not fit into the image, or heads do not divide D.

    Source: Dosovitskiy et al. 2021, "An image is worth 16x16 words"; UDL 12.10.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.models.ViT((1, 8, 8), 10, patch=2, d_model=16, heads=2, layers=1)
        >>> model(tn.zeros((3, 64))).shape
        (3, 10)
    """

    def __init__(self, shape: Sequence[int] = (1, 8, 8), classes: int = 10, patch: int = 2, d_model: int = 64,
                 heads: int = 4, layers: int = 3, dropout: float = 0.1, *, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        c, h, w = self.shape = tuple(shape)
        if patch < 1 or h % patch or w % patch:
            raise ValueError(f"patch: expected a divisor of the sides {h} and {w}, got {patch}")
        home: Any = {"device": device, "dtype": dtype}
        self.patches = Conv2d(c, d_model, patch, patch, **home)
        self.first = Parameter(ops.zeros((1, 1, d_model), **home))
        self.places = Parameter(ops.zeros((1, 1 + (h // patch) * (w // patch), d_model), **home))
        init.normal_(self.places, 0.0, 0.02)
        self.dropout = Dropout(dropout)
        self.blocks = ModuleList([TransformerBlock(d_model, heads, dropout=dropout, causal=False, **home)
                                  for _ in range(layers)])
        self.norm = LayerNorm(d_model, **home)
        self.head = Linear(d_model, classes, **home)

    def tokens(self, x: ArrayLike) -> Tensor:
        """The patches as tokens, (N, C, H, W) or rows (N, C H W) -> (N, T, D)."""
        h = self.patches(images(x, self.shape, self.head.weight))  # (N, D, H / P, W / P)
        return ops.permute_dims(ops.reshape(h, (*h.shape[:2], -1)), (0, 2, 1))  # (N, D, T) -> (N, T, D)

    def forward(self, x: ArrayLike) -> Tensor:
        """Scores (logits, nats) of all classes: (N, C, H, W), or rows (N, C H W) -> (N, classes)."""
        h = self.tokens(x)
        first = ops.broadcast_to(self.first, (h.shape[0], 1, h.shape[2]))
        h = self.dropout(ops.concat([first, h], axis=1) + self.places)
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h[:, 0]))
