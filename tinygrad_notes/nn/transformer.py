"""Stacks of transformer layers: encoder, decoder, and both.

    N batch   T places of the target   S places of the source   D features
"""
from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from ..autograd import Tensor, as_tensor
from ..ops.losses import holds
from . import functional as F
from . import init as initializers
from .container import ModuleList
from .linear import size
from .module import Module
from .normalization import LayerNorm
from .transformer_layers import TransformerDecoderLayer, TransformerEncoderLayer

if TYPE_CHECKING:
    from ..typing import ArrayLike, DeviceLike, DTypeLike
    from .transformer_layers import Activation

__all__ = ["Transformer", "TransformerDecoder", "TransformerEncoder"]


def _copies(layer, count, name):
    return ModuleList([copy.deepcopy(layer) for _ in range(size(name, count))])


def _is_causal(mask, is_causal, length):
    """`is_causal`, or where it is None whether the mask is the causal one of this length."""
    if is_causal is not None:
        return is_causal
    mask = None if mask is None else as_tensor(mask)
    if mask is None or mask.shape != (length, length):
        return False
    wanted = F.causal_mask(length, device=mask.device)
    return bool(holds((mask == ((wanted < 0) if mask.dtype.kind == "b" else wanted)).data))


class TransformerEncoder(Module):
    """Layers of an encoder one after the other, each a copy of the one given, and perhaps a last normalization.

    Formula: out = norm(layer_n(... layer_1(src))).

    Args:
        encoder_layer: a `TransformerEncoderLayer`, or a Module called like it; copied.
        num_layers: n.
        norm: a Module for the last output, or None.
        enable_nested_tensor, mask_check: accepted as in PyTorch, without effect: places that are padding are computed
            like all others (PyTorch may return zeros there in evaluation).

    Raises:
        ValueError: `num_layers` is negative.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> encoder = tn.nn.TransformerEncoder(tn.nn.TransformerEncoderLayer(8, 2, 16), num_layers=3)
        >>> encoder(tn.zeros((5, 4, 8))).shape
        (5, 4, 8)
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None,
                 enable_nested_tensor: bool = True, mask_check: bool = True) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers, "num_layers")
        self.num_layers, self.norm = num_layers, norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(self, src: ArrayLike, mask: ArrayLike | None = None, src_key_padding_mask: ArrayLike | None = None,
                is_causal: bool | None = None) -> Tensor:
        out = as_tensor(src)
        is_causal = _is_causal(mask, is_causal, _length(self, out))
        for layer in self.layers:
            out = layer(out, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=is_causal)
        return out if self.norm is None else self.norm(out)


class TransformerDecoder(Module):
    """Layers of a decoder one after the other, each a copy of the one given, and perhaps a last normalization.

    Formula: out = norm(layer_n(... layer_1(tgt, memory) ..., memory)).

    Args:
        decoder_layer: a `TransformerDecoderLayer`, or a Module called like it; copied.
        num_layers: n.
        norm: a Module for the last output, or None.

    Raises:
        ValueError: `num_layers` is negative.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.1.

    Example:
        >>> import tinygrad_notes as tn
        >>> decoder = tn.nn.TransformerDecoder(tn.nn.TransformerDecoderLayer(8, 2, 16), num_layers=3)
        >>> decoder(tn.zeros((5, 4, 8)), tn.zeros((6, 4, 8))).shape
        (5, 4, 8)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers, "num_layers")
        self.num_layers, self.norm = num_layers, norm

    def forward(self, tgt: ArrayLike, memory: ArrayLike, tgt_mask: ArrayLike | None = None,
                memory_mask: ArrayLike | None = None, tgt_key_padding_mask: ArrayLike | None = None,
                memory_key_padding_mask: ArrayLike | None = None, tgt_is_causal: bool | None = None,
                memory_is_causal: bool = False) -> Tensor:
        out = as_tensor(tgt)
        tgt_is_causal = _is_causal(tgt_mask, tgt_is_causal, _length(self, out))
        for layer in self.layers:
            out = layer(out, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                        tgt_key_padding_mask=tgt_key_padding_mask, memory_key_padding_mask=memory_key_padding_mask,
                        tgt_is_causal=tgt_is_causal, memory_is_causal=memory_is_causal)
        return out if self.norm is None else self.norm(out)


def _length(stack, x):
    """How many places `x` has."""
    first = next(iter(stack.layers), None)
    batch_first = getattr(getattr(first, "self_attn", None), "batch_first", False)
    return x.shape[1 if batch_first and x.ndim == 3 else 0] if x.ndim else 0


class Transformer(Module):
    """An encoder of the source and a decoder of the target that looks at what the encoder made.

    Formula: out = decoder(tgt, encoder(src)). All weights begin with Xavier's uniform rule.

    Args:
        d_model: D, features of inputs and output.
        nhead: heads, a divisor of D.
        num_encoder_layers, num_decoder_layers: layers of each.
        dim_feedforward, dropout, activation: as in `TransformerEncoderLayer`.
        custom_encoder, custom_decoder: Modules in place of those made here.
        layer_norm_eps: added to the variance.
        batch_first: inputs and outputs are (N, S, D), (N, T, D); False: (S, N, D), (T, N, D).
        norm_first: normalize before each branch, not after each sum.
        bias: whether linear and normalization layers have offsets.
        device, dtype: of the parameters.

    Raises:
        ValueError: a size is not positive, `nhead` does not divide `d_model`, or an option is unknown; at the call:
            batches differ, or the features are not D.

    Source: Vaswani et al. 2017, "Attention is all you need"; UDL 12.8.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
        >>> mask = tn.nn.Transformer.generate_square_subsequent_mask(3)
        >>> model(tn.zeros((4, 5, 8)), tn.zeros((4, 3, 8)), tgt_mask=mask).shape
        (4, 3, 8)
    """

    def __init__(self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
                 dim_feedforward: int = 2048, dropout: float = 0.1, activation: Activation = F.relu,
                 custom_encoder: Module | None = None, custom_decoder: Module | None = None,
                 layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False, bias: bool = True,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        options = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias,
                   device, dtype)

        def norm():
            return LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)
        self.encoder = custom_encoder if custom_encoder is not None else TransformerEncoder(
            TransformerEncoderLayer(*options), num_encoder_layers, norm())
        self.decoder = custom_decoder if custom_decoder is not None else TransformerDecoder(
            TransformerDecoderLayer(*options), num_decoder_layers, norm())
        self.reset_parameters()
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def reset_parameters(self) -> None:
        """Draw all weights with two or more axes anew."""
        for p in self.parameters():
            if p.ndim > 1:
                initializers.xavier_uniform_(p)

    def forward(self, src: ArrayLike, tgt: ArrayLike, src_mask: ArrayLike | None = None,
                tgt_mask: ArrayLike | None = None, memory_mask: ArrayLike | None = None,
                src_key_padding_mask: ArrayLike | None = None, tgt_key_padding_mask: ArrayLike | None = None,
                memory_key_padding_mask: ArrayLike | None = None, src_is_causal: bool | None = None,
                tgt_is_causal: bool | None = None, memory_is_causal: bool = False) -> Tensor:
        src, tgt = as_tensor(src), as_tensor(tgt)
        shapes = f"got src {src.shape}, tgt {tgt.shape}"
        if src.ndim not in (2, 3) or src.ndim != tgt.ndim:
            raise ValueError(f"Transformer: src and tgt: expected three axes each, or two without a batch, {shapes}")
        batch = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[batch] != tgt.shape[batch]:
            raise ValueError(f"Transformer: src and tgt must have equal batches on axis {batch}, {shapes}")
        if not src.shape[-1] == tgt.shape[-1] == self.d_model:
            raise ValueError(f"Transformer: src and tgt: expected d_model {self.d_model} features, {shapes}")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                            tgt_key_padding_mask=tgt_key_padding_mask, memory_key_padding_mask=memory_key_padding_mask,
                            tgt_is_causal=tgt_is_causal, memory_is_causal=memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: DeviceLike | None = None,
                                        dtype: DTypeLike | None = None) -> Tensor:
        """The causal mask (sz, sz): 0 where a place may look, minus infinity at later ones."""
        return F.causal_mask(sz, device=device, dtype=dtype)
