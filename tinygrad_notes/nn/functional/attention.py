"""Attention: every query looks at all keys and takes the mean of the values, weighted by how well the keys fit.

    N batch   L queries   S keys   H heads   D features of the model   E = D / H features of a head
"""
import math

from ...autograd import Tensor, as_tensor
from ...ops import broadcast_shapes, broadcast_to, reshape, unstack
from ...ops.dot_product_attention import attention, attention_of_parts
from ...ops.dropout import drawn_seed
from .common import number

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None,
                                 enable_gqa=False):
    r"""The mean of the values, each query weighting them by how well their keys fit it.

    Formula: out_i = sum_j p_ij v_j, p_i = softmax_j(scale q_i . k_j + mask_ij); with dropout each p_ij is kept with
        probability 1 - dropout_p and divided by it.

    The table of weights is never held: scores are computed in tiles of at most 2^16 numbers, in the backward pass
    again, so memory grows with L + S. With `create_graph=True` the backward pass holds the whole (..., L, S) table.

    Args:
        query: floating (..., H, L, E).
        key: (..., H, S, E), of the same dtype; leading axes broadcast.
        value: (..., H, S, V), of the same dtype.
        attn_mask: of a shape that broadcasts to (..., H, L, S): bool, True where the query may look; or floating, added
            to the scores (nats), which may want a gradient.
        dropout_p: probability to drop a weight, in [0, 1]; not 0 in evaluation either, the caller decides.
        is_causal: query i looks at keys j <= i only.
        scale: factor of the scores; None: 1 / sqrt(E).
        enable_gqa: key and value may have fewer heads than query (on axis -3), each then serves the next ones of the
            query (grouped-query attention).

    Returns:
        A Tensor (..., H, L, V). A query that may look at no key gets zeros, and its gradient is 0.

    Raises:
        ValueError: shapes do not fit, both `attn_mask` and `is_causal` are given, or `dropout_p` is out of range.
        TypeError: an input is not floating, dtypes differ, or the mask is neither bool nor floating.

    Source: Vaswani et al. 2017, "Attention is all you need", equation 1; UDL 12.2; tiles: Dao 2023,
        "FlashAttention-2"; groups: Ainslie et al. 2023, "GQA".

    Example:
        >>> import tinygrad_notes as tn
        >>> q, k, v = tn.zeros((1, 2)), tn.ones((3, 2)), tn.tensor([[0.0], [3.0], [6.0]])
        >>> tn.nn.functional.scaled_dot_product_attention(q, k, v)
        tensor([[3.]])
    """
    query, key, value = _checked(query, key, value)
    if is_causal and attn_mask is not None:
        raise ValueError("scaled_dot_product_attention: give attn_mask or is_causal=True, not both; a causal mask of "
                         "your own is nn.functional.causal_mask(L)")
    dropout_p = number("scaled_dot_product_attention: dropout_p", dropout_p, 0, high=1)
    mask = None if attn_mask is None else _checked_mask(attn_mask, query, key, enable_gqa)
    if enable_gqa:
        query, key, value, mask, shape = _grouped(query, key, value, mask)
    out = attend(query, key, value, mask, 0 if is_causal else None, scale, dropout_p)
    return reshape(out, shape) if enable_gqa else out


def _checked(query, key, value):
    name = "scaled_dot_product_attention"
    like = next((x for x in (query, key, value) if isinstance(x, Tensor)), None)
    query, key, value = [x if isinstance(x, Tensor) else as_tensor(x, like) for x in (query, key, value)]
    shapes = f"got query {query.shape}, key {key.shape}, value {value.shape}"
    if not query.dtype == key.dtype == value.dtype or query.dtype.kind != "f":
        raise TypeError(f"{name}: query, key and value: expected one floating dtype, got {query.dtype}, {key.dtype}, "
                        f"{value.dtype}")
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise ValueError(f"{name}: expected at least two axes (..., length, features), {shapes}")
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(f"{name}: the last axes of query and key must be equal, {shapes}")
    if key.shape[-2] != value.shape[-2]:
        raise ValueError(f"{name}: key and value must have equal lengths on axis -2, {shapes}")
    return query, key, value


def _checked_mask(mask, query, key, grouped):
    name = "scaled_dot_product_attention: attn_mask"
    mask = as_tensor(mask, like=query)
    if mask.dtype.kind not in "bf":
        raise TypeError(f"{name}: expected bool (True: look) or a floating dtype (added to the scores), got "
                        f"{mask.dtype}")
    lead = query.shape[:-2] if grouped else _lead(query, key)
    wanted = (*lead, query.shape[-2], key.shape[-2])
    try:
        fits = broadcast_shapes(mask.shape, wanted)[-2:] == wanted[-2:]
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{name}: expected a shape that broadcasts to {wanted}, got {mask.shape}")
    if mask.ndim < 2:
        mask = broadcast_to(mask, (1,) * (2 - mask.ndim) + mask.shape)
    return mask if mask.dtype.kind == "b" or mask.dtype == query.dtype else mask.astype(query.dtype)


def _lead(*tensors):
    """The common leading axes."""
    try:
        return broadcast_shapes(*[x.shape[:-2] for x in tensors])
    except ValueError:
        raise ValueError("scaled_dot_product_attention: the leading axes do not broadcast, got shapes "
                         f"{', '.join(str(x.shape) for x in tensors)}") from None


def _grouped(query, key, value, mask):
    """The axis of heads split in (heads of the key, heads that share it), along which key and value are spread."""
    name = "scaled_dot_product_attention: enable_gqa"
    if min(query.ndim, key.ndim, value.ndim) < 3:
        raise ValueError(f"{name}: expected an axis of heads before the last two, got query {query.shape}, key "
                         f"{key.shape}, value {value.shape}")
    many, few = query.shape[-3], key.shape[-3]
    if value.shape[-3] != few or not few or many % few:
        raise ValueError(f"{name}: the heads of query must be a multiple of those of key and value, got {many}, {few} "
                         f"and {value.shape[-3]}")
    outer = broadcast_shapes(query.shape[:-3], key.shape[:-3], value.shape[:-3])

    def cut(x, first, second):
        return reshape(x, (*x.shape[:-3], first, second, *x.shape[-2:]))
    if mask is not None and mask.ndim > 2:
        mask = cut(mask, *((few, many // few) if mask.shape[-3] > 1 else (1, 1)))
    shape = (*outer, many, query.shape[-2], value.shape[-1])
    return cut(query, few, many // few), cut(key, few, 1), cut(value, few, 1), mask, shape


def attend(query, key, value, mask, causal, scale, dropout):
    """Attention of what is checked; `causal`: how many keys beyond its own number a query may look at, or None."""
    scale = (1 / math.sqrt(query.shape[-1]) if query.shape[-1] else 1.0) if scale is None else number("scale", scale)
    lead = _lead(query, key, value) if mask is None else _lead(query, key, value, mask)
    query, key, value = [x if x.shape[:-2] == lead else broadcast_to(x, (*lead, *x.shape[-2:]))
                         for x in (query, key, value)]
    kind = query.dtype
    if kind.itemsize < 4:  # sums of halves in float32
        query, key, value = [x.astype("float32") for x in (query, key, value)]
        mask = mask.astype("float32") if mask is not None and mask.dtype.kind == "f" else mask
    seed = drawn_seed("scaled_dot_product_attention", query.device) if dropout else None
    out, _, _ = attention(query, key, value, mask, seed, causal=causal, scale=scale, dropout=dropout)
    return out if out.dtype == kind else out.astype(kind)


def attend_to_self(parts, mask, causal, dropout):
    """The same for queries, keys and values in one Tensor (3, N, H, L, E), whose gradient then lies in one array."""
    if parts.dtype.itemsize < 4 or (mask is not None and mask.ndim > parts.ndim - 1):
        return attend(*unstack(parts), mask, causal, None, dropout)
    seed = drawn_seed("scaled_dot_product_attention", parts.device) if dropout else None
    return attention_of_parts(parts, mask, seed, causal=causal, scale=parts.shape[-1] ** -0.5, dropout=dropout)[0]
