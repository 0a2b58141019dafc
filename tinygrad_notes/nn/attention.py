"""Attention with learned maps, and the keys and values it may keep while a sequence grows."""
from __future__ import annotations

from typing import TYPE_CHECKING

from ..autograd import Tensor, as_tensor
from ..ops import take
from . import functional as F
from . import init as initializers
from .functional.common import number
from .functional.multihead import attend_in_heads, promised
from .linear import Linear, new_parameter, size
from .module import Module
from .parameter import Parameter

if TYPE_CHECKING:
    from ..typing import ArrayLike, DeviceLike, DTypeLike

__all__ = ["KVCache", "MultiheadAttention", "SelfAttention"]


class SelfAttention(Module):
    r"""One head of attention of a sequence to itself, as the notes write it: no map behind it.

    Formula: q = x W_q^T + b_q, k and v likewise; out_n = sum_m softmax_m(s q_n . k_m) v_m, s = 1 / sqrt(features), or 1
        where not `scaled`.

    Args:
        embed_dim: features of the input.
        head_dim: features of queries, keys and values; None: `embed_dim`.
        bias: whether the three maps have offsets.
        scaled: divide the products by the square root of their number of features.
        causal: places look at no later ones.
        device, dtype: of the parameters.

    Attributes:
        query, key, value: `Linear` (embed_dim -> head_dim).

    Raises:
        ValueError: a size is not positive.

    Source: the notes, chapter 4; UDL 12.2 and 12.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.nn.SelfAttention(4)(tn.zeros((3, 4))).shape
        (3, 4)
    """

    query: Linear
    key: Linear
    value: Linear

    def __init__(self, embed_dim: int, head_dim: int | None = None, bias: bool = True, scaled: bool = True,
                 causal: bool = False, device: DeviceLike | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        width = size("head_dim", embed_dim if head_dim is None else head_dim, 1)
        for name in ("query", "key", "value"):
            setattr(self, name, Linear(size("embed_dim", embed_dim, 1), width, bias, device, dtype))
        self.scaled, self.causal = scaled, causal

    def forward(self, input: ArrayLike, attn_mask: ArrayLike | None = None) -> Tensor:
        """(..., T, embed_dim) -> (..., T, head_dim); the mask is that of `scaled_dot_product_attention`."""
        x = as_tensor(input)
        return F.scaled_dot_product_attention(self.query(x), self.key(x), self.value(x), attn_mask,
                                              is_causal=self.causal, scale=None if self.scaled else 1.0)

    def extra_repr(self) -> str:
        return f"scaled={self.scaled}, causal={self.causal}"


class MultiheadAttention(Module):
    r"""Attention in several subspaces at once, between learned maps.

    Formula: out = concat(head_1, ..., head_H) W_o^T + b_o, head_h = softmax(q_h k_h^T / sqrt(E) + mask) v_h, where q_h,
        k_h, v_h are the h-th E = embed_dim / H features of query W_q^T + b_q, key W_k^T + b_k, value W_v^T + b_v.
        Weights begin uniform with the variance of Xavier's rule, biases 0.

    Args:
        embed_dim: D, the features of query and output.
        num_heads: H, a divisor of D.
        dropout: probability to drop a weight while training.
        bias: whether the four maps have biases.
        add_bias_kv: one more learned key and value for every sample.
        add_zero_attn: one more key and value of zeros.
        kdim, vdim: features of key and value; None: D.
        batch_first: inputs and outputs are (N, L, D); False: (L, N, D).
        device, dtype: of the parameters.

    Attributes:
        in_proj_weight: (3 D, D), W_q, W_k and W_v one under the other; or, where `kdim` or `vdim` is another than D,
            None and instead `q_proj_weight` (D, D), `k_proj_weight` (D, kdim), `v_proj_weight` (D, vdim).
        in_proj_bias: (3 D,), or None.
        out_proj: a `Linear` (D, D).
        bias_k, bias_v: (1, 1, D), or None.

    Raises:
        ValueError: a size is not positive, `num_heads` does not divide `embed_dim`, or `dropout` is out of range.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.2.2; UDL 12.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer = tn.nn.MultiheadAttention(8, 2, batch_first=True)
        >>> x = tn.zeros((4, 5, 8))
        >>> out, weights = layer(x, x, x)
        >>> out.shape, weights.shape
        ((4, 5, 8), (4, 5, 5))
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True,
                 add_bias_kv: bool = False, add_zero_attn: bool = False, kdim: int | None = None,
                 vdim: int | None = None, batch_first: bool = False, device: DeviceLike | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.embed_dim, self.num_heads = size("embed_dim", embed_dim, 1), size("num_heads", num_heads, 1)
        if self.embed_dim % self.num_heads:
            raise ValueError(f"num_heads: expected a divisor of embed_dim {embed_dim}, got {num_heads}")
        self.head_dim = self.embed_dim // self.num_heads
        self.kdim = self.embed_dim if kdim is None else size("kdim", kdim, 1)
        self.vdim = self.embed_dim if vdim is None else size("vdim", vdim, 1)
        self.dropout = number("dropout", dropout, 0, high=1)
        self.batch_first, self.add_zero_attn = batch_first, add_zero_attn
        self._qkv_same_embed_dim = self.kdim == self.vdim == self.embed_dim

        def parameter(*shape):
            return new_parameter(shape, device, dtype)
        together, d = self._qkv_same_embed_dim, self.embed_dim
        self.register_parameter("in_proj_weight", parameter(3 * d, d) if together else None)
        for name, features in (("q_proj_weight", d), ("k_proj_weight", self.kdim), ("v_proj_weight", self.vdim)):
            self.register_parameter(name, None if together else parameter(d, features))
        self.register_parameter("in_proj_bias", parameter(3 * d) if bias else None)
        self.register_parameter("bias_k", parameter(1, 1, d) if add_bias_kv else None)
        self.register_parameter("bias_v", parameter(1, 1, d) if add_bias_kv else None)
        self.out_proj = Linear(d, d, bias, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                initializers.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                initializers.zeros_(bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                initializers.xavier_normal_(bias)

    def forward(self, query: ArrayLike, key: ArrayLike, value: ArrayLike, key_padding_mask: ArrayLike | None = None,
                need_weights: bool = True, attn_mask: ArrayLike | None = None, average_attn_weights: bool = True,
                is_causal: bool = False, *, cache: KVCache | None = None) -> tuple[Tensor, Tensor | None]:
        """(out, weights or None); see `nn.functional.multi_head_attention_forward`.

        With a `cache`, key and value are the next ones of a growing sequence: those of all earlier calls come before
        them, masks cover all, and `is_causal` needs no mask.
        """
        causal = is_causal if cache is not None else promised(is_causal, attn_mask, key_padding_mask, need_weights)
        return self._attend(query, key, value, key_padding_mask, need_weights, attn_mask, causal, average_attn_weights,
                            cache)

    def _attend(self, query, key, value, padding, need_weights, mask, causal, average=True, cache=None, rotary=None):
        """`forward`, where `causal` may stand beside or in place of a mask."""
        projections = self.in_proj_weight if self._qkv_same_embed_dim else (
            self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        return attend_in_heads(
            query, key, value, self.embed_dim, self.num_heads, projections, self.in_proj_bias, self.bias_k, self.bias_v,
            self.add_zero_attn, self.dropout if self.training else 0.0, self.out_proj.weight, self.out_proj.bias,
            padding, need_weights, mask, causal, average, self.batch_first, cache=cache, rotary=rotary)

    def extra_repr(self) -> str:
        return f"embed_dim={self.embed_dim}, num_heads={self.num_heads}, batch_first={self.batch_first}"


class KVCache:
    """The keys and values of one attention layer for a sequence that grows step by step.

    Its memory doubles when it is full, so a sequence of T steps copies less than 2 T. It carries no gradient: decode
    under `tn.no_grad()`. What `append` returns are views; they show other values after `crop` and a further `append`.

    Args:
        max_length: how many steps to make room for at first; None: as many as come first.

    Attributes:
        length: how many steps are kept.

    Example:
        >>> import tinygrad_notes as tn
        >>> layer, cache = tn.nn.MultiheadAttention(4, 2, batch_first=True), tn.nn.KVCache()
        >>> with tn.no_grad():
        ...     for x in tn.split(tn.ones((1, 3, 4)), 3, axis=1):  # one step after another
        ...         out, _ = layer(x, x, x, need_weights=False, is_causal=True, cache=cache)
        >>> cache
        KVCache(length=3, shape=(1, 2, 3, 2))
    """

    def __init__(self, max_length: int | None = None) -> None:
        self._room = 0 if max_length is None else size("max_length", max_length, 1)
        self._stored: list[Tensor] = []  # keys, values: (N, H, room, E)
        self.length = 0

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add steps and return all keys and values, (N, H, length, E).

        Args:
            key: (N, H, S, E).
            value: (N, H, S, V).

        Raises:
            ValueError: the shapes do not fit those that are kept.
            TypeError: the dtype or device is another.
            RuntimeError: a gradient is wanted for one of them.
        """
        if key.requires_grad or value.requires_grad:
            raise RuntimeError("KVCache.append: a cache carries no gradient; decode under tn.no_grad()")
        for k, (name, new) in enumerate((("key", key), ("value", value))):
            self._check(name, new, self._stored[k] if self._stored else None)
        if key.shape[:3] != value.shape[:3]:
            raise ValueError(f"KVCache.append: key {key.shape} and value {value.shape} must agree in all axes but the "
                             "last")
        end = self.length + key.shape[2]
        if not self._stored or end > self._stored[0].shape[2]:
            self._grow(end, (key, value))
        for kept, new in zip(self._stored, (key, value)):
            kept.data[:, :, self.length:end] = new.data
        self.length = end
        return self.keys, self.values

    @staticmethod
    def _check(name, new, kept):
        if new.ndim != 4:
            raise ValueError(f"KVCache.append: {name}: expected shape (N, H, S, E), got {new.shape}")
        if kept is None:
            return
        (n, h, _, e), (kept_n, kept_h, _, kept_e) = new.shape, kept.shape
        if (n, h, e) != (kept_n, kept_h, kept_e):
            raise ValueError(f"KVCache.append: {name}: expected shape {(kept_n, kept_h, 'S', kept_e)}, got {new.shape}")
        if new.dtype != kept.dtype or new.device != kept.device:
            raise TypeError(f"KVCache.append: {name}: expected {kept.dtype} on {kept.device}, got {new.dtype} on "
                            f"{new.device}")

    def _grow(self, needed, like):
        room = max(needed, 2 * self.length, self._room)
        old = self._stored
        self._stored = [Tensor.wrap(x.device.xp.zeros((*x.shape[:2], room, x.shape[3]), dtype=x.dtype)) for x in like]
        for new, kept in zip(self._stored, old):
            new.data[:, :, :self.length] = kept.data[:, :, :self.length]

    def _part(self, k):
        if not self._stored:
            raise ValueError("KVCache: it is empty")
        return Tensor.wrap(self._stored[k].data[:, :, :self.length])

    @property
    def keys(self) -> Tensor:
        """All keys, (N, H, length, E)."""
        return self._part(0)

    @property
    def values(self) -> Tensor:
        """All values, (N, H, length, V)."""
        return self._part(1)

    def crop(self, length: int) -> None:
        """Keep the first `length` steps only; a negative number drops that many from the end.

        Raises:
            ValueError: there are fewer.
        """
        new = self.length + length if length < 0 else length
        if not 0 <= new <= self.length:
            raise ValueError(f"KVCache.crop: expected a length in [-{self.length}, {self.length}], got {length}")
        self.length = new

    def reorder(self, index: ArrayLike) -> None:
        """Take the samples `index` (M,) of the batch in their place: the beams that go on.

        Raises:
            IndexError: an index is out of range.
        """
        if self._stored:
            self._stored = [take(x, as_tensor(index, like=x), axis=0) for x in self._stored]

    def reset(self) -> None:
        """Forget everything."""
        self._stored, self.length = [], 0

    def __repr__(self) -> str:
        return f"KVCache(length={self.length}, shape={self.keys.shape if self._stored else None})"
