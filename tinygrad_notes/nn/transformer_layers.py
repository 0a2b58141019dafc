"""One layer of a transformer: attention, then a small perceptron for each place, each added to what went in.

    N batch   T places of the target   S places of the source   D features
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from ..ops.perceptron import linear_gelu
from . import functional as F
from .attention import MultiheadAttention
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..autograd import Tensor
    from ..typing import ArrayLike, DeviceLike, DTypeLike
    from .attention import KVCache

    Activation = str | Callable[[Tensor], Tensor]

__all__ = ["TransformerBlock", "TransformerDecoderLayer", "TransformerEncoderLayer"]


class _Layer(Module):
    """What the layers share: the perceptron, and where the normalization stands."""

    self_attn: MultiheadAttention
    multihead_attn: MultiheadAttention
    norm1: LayerNorm
    norm2: LayerNorm
    norm3: LayerNorm
    dropout1: Dropout
    dropout2: Dropout
    dropout3: Dropout

    def _build(self, attentions, d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
               norm_first, bias, device, dtype):
        """`attentions`: names of the attention layers; one more normalization than there are of them."""
        for name in attentions:
            setattr(self, name, MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first,
                                                   device=device, dtype=dtype))
        self.linear1 = Linear(d_model, dim_feedforward, bias, device, dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, device, dtype)
        self.norm_first = norm_first
        names = range(1, len(attentions) + 2)
        for k in names:
            setattr(self, f"norm{k}", LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype))
        for k in names:
            setattr(self, f"dropout{k}", Dropout(dropout))
        self.activation = activation_of(activation)

    def _residual(self, x, branch, norm):
        """x plus a branch, normalized before the branch (`norm_first`) or after the sum."""
        return x + branch(norm(x)) if self.norm_first else norm(x + branch(x))

    def _feed_forward(self, x):
        first = self.linear1
        if self.activation is F.gelu and type(first) is Linear and first._hooks is None:
            return self.linear2(self.dropout(linear_gelu(x, first.weight, first.bias)))
        return self.linear2(self.dropout(self.activation(first(x))))


def activation_of(activation):
    """The function meant by 'relu', 'gelu' or a function.

    Raises:
        ValueError: it is none of these.
    """
    if callable(activation):
        return activation
    if activation not in ("relu", "gelu"):
        raise ValueError(f"activation: expected 'relu', 'gelu' or a function, got {activation!r}")
    return getattr(F, activation)


class TransformerEncoderLayer(_Layer):
    r"""A layer of an encoder: every place looks at all others, then a perceptron is applied to each.

    Formula: x <- LN(x + attention(x, x, x)), x <- LN(x + W_2 a(W_1 x + b_1) + b_2); with `norm_first`
        x <- x + attention(LN(x)), x <- x + W_2 a(W_1 LN(x) + b_1) + b_2. Dropout acts on the weights, on both
        branches and behind the activation a.

    Args:
        d_model: D, features of input and output.
        nhead: heads, a divisor of D.
        dim_feedforward: width of the perceptron.
        dropout: probability of a zero while training.
        activation: 'relu', 'gelu', or a function.
        layer_norm_eps: added to the variance.
        batch_first: inputs and outputs are (N, S, D); False: (S, N, D).
        norm_first: normalize before each branch, not after each sum.
        bias: whether linear and normalization layers have offsets.
        device, dtype: of the parameters.

    Raises:
        ValueError: a size is not positive, `nhead` does not divide `d_model`, or an option is unknown.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.1; UDL 12.4; `norm_first`: Xiong et al. 2020,
        "On layer normalization in the transformer architecture".

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        >>> layer(tn.zeros((4, 5, 8))).shape
        (4, 5, 8)
    """

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
                 activation: Activation = F.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
                 norm_first: bool = False, bias: bool = True, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self._build(("self_attn",), d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
                    norm_first, bias, device, dtype)

    def forward(self, src: ArrayLike, src_mask: ArrayLike | None = None, src_key_padding_mask: ArrayLike | None = None,
                is_causal: bool = False) -> Tensor:
        def attend(x):
            return self.dropout1(self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0])
        x = self._residual(src, attend, self.norm1)
        return self._residual(x, lambda x: self.dropout2(self._feed_forward(x)), self.norm2)


class TransformerDecoderLayer(_Layer):
    r"""A layer of a decoder: places of the target look at each other, then at the source, then a perceptron.

    Formula: x <- LN(x + attention(x, x, x)), x <- LN(x + attention(x, memory, memory)),
        x <- LN(x + W_2 a(W_1 x + b_1) + b_2); with `norm_first` LN acts on what enters a branch instead.

    Args:
        d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device,
            dtype: as in `TransformerEncoderLayer`.

    Raises:
        ValueError: a size is not positive, `nhead` does not divide `d_model`, or an option is unknown.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.1; UDL 12.8.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)
        >>> layer(tn.zeros((4, 3, 8)), tn.zeros((4, 5, 8))).shape
        (4, 3, 8)
    """

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
                 activation: Activation = F.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
                 norm_first: bool = False, bias: bool = True, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self._build(("self_attn", "multihead_attn"), d_model, nhead, dim_feedforward, dropout, activation,
                    layer_norm_eps, batch_first, norm_first, bias, device, dtype)

    def forward(self, tgt: ArrayLike, memory: ArrayLike, tgt_mask: ArrayLike | None = None,
                memory_mask: ArrayLike | None = None, tgt_key_padding_mask: ArrayLike | None = None,
                memory_key_padding_mask: ArrayLike | None = None, tgt_is_causal: bool = False,
                memory_is_causal: bool = False) -> Tensor:
        def attend(x):
            return self.dropout1(self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask,
                                                is_causal=tgt_is_causal)[0])

        def look_at_memory(x):
            return self.dropout2(self.multihead_attn(x, memory, memory, memory_key_padding_mask, False, memory_mask,
                                                     is_causal=memory_is_causal)[0])
        x = self._residual(tgt, attend, self.norm1)
        x = self._residual(x, look_at_memory, self.norm2)
        return self._residual(x, lambda x: self.dropout3(self._feed_forward(x)), self.norm3)


class TransformerBlock(_Layer):
    r"""A layer of a language model: `TransformerEncoderLayer` with the defaults of GPT, and made for decoding.

    Formula: x <- x + attention(LN(x)), x <- x + W_2 a(W_1 LN(x) + b_1) + b_2, with `norm_first=False`
        x <- LN(x + attention(x)), x <- LN(x + W_2 a(W_1 x + b_1) + b_2); place i looks at places j <= i.

    Args:
        d_model: D, features of input and output.
        nhead: heads, a divisor of D.
        dim_feedforward: width of the perceptron; None: 4 D.
        dropout: probability of a zero while training.
        activation: 'relu', 'gelu', or a function.
        layer_norm_eps: added to the variance.
        norm_first: normalize before each branch, not after each sum.
        bias: whether linear and normalization layers have offsets.
        causal: places look at no later ones.
        rotary: a `RotaryEmbedding` for the E = D / nhead features of a head, or None.
        device, dtype: of the parameters.

    Raises:
        ValueError: a size is not positive, `nhead` does not divide `d_model`, or an option is unknown.

    Source: Radford et al. 2019, "Language models are unsupervised multitask learners"; UDL 12.4 and 12.7.

    Example:
        >>> import tinygrad_notes as tn
        >>> block, cache = tn.nn.TransformerBlock(8, 2), tn.nn.KVCache()
        >>> x = tn.randn(1, 3, 8)
        >>> with tn.no_grad():
        ...     steps = [block(x[:, t:t + 1], cache=cache) for t in range(3)]
        ...     tn.allclose(tn.concat(steps, axis=1), block(x), atol=1e-5)
        True
    """

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int | None = None, dropout: float = 0.0,
                 activation: Activation = F.gelu, layer_norm_eps: float = 1e-5, norm_first: bool = True,
                 bias: bool = True, *, causal: bool = True, rotary: Module | None = None,
                 device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        width = 4 * d_model if dim_feedforward is None else dim_feedforward
        self._build(("self_attn",), d_model, nhead, width, dropout, activation, layer_norm_eps, True, norm_first, bias,
                    device, dtype)
        self.causal, self.rotary = causal, rotary

    def forward(self, src: ArrayLike, src_mask: ArrayLike | None = None, src_key_padding_mask: ArrayLike | None = None,
                *, cache: KVCache | None = None) -> Tensor:
        """The layer applied to (N, T, D) or (T, D).

        Args:
            src: floating; with a `cache`, the next places of a sequence.
            src_mask: (T, S) or (N heads, T, S), bool (True: not looked at) or added to the scores; S counts the places
                in the cache too.
            src_key_padding_mask: (N, S).
            cache: a `KVCache`.
        """
        def attend(x):
            return self.dropout1(self.self_attn._attend(x, x, x, src_key_padding_mask, False, src_mask, self.causal,
                                                        cache=cache, rotary=self.rotary)[0])
        x = self._residual(src, attend, self.norm1)
        return self._residual(x, lambda x: self.dropout2(self._feed_forward(x)), self.norm2)
