"""Several heads of attention side by side, between learned maps.

    N batch   L queries   S keys   H heads   D features of the model   E = D / H features of a head
"""
from ...autograd import Tensor, as_tensor
from ...ops import broadcast_to, concat, linear, mean, permute_dims, reshape, split, unstack, where, zeros
from ...ops.dot_product_attention import plain
from ...ops.dropout import drawn_seed
from .attention import attend, attend_to_self
from .common import number

__all__ = ["multi_head_attention_forward"]


def multi_head_attention_forward(query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k,
                                 bias_v, add_zero_attn, dropout_p, out_proj_weight, out_proj_bias, training=True,
                                 key_padding_mask=None, need_weights=True, attn_mask=None,
                                 use_separate_proj_weight=False, q_proj_weight=None, k_proj_weight=None,
                                 v_proj_weight=None, static_k=None, static_v=None, average_attn_weights=True,
                                 is_causal=False):
    r"""Attention in several subspaces at once, between learned maps: what `nn.MultiheadAttention` computes.

    Formula: out = concat(head_1, ..., head_H) W_o^T + b_o, head_h = softmax(q_h k_h^T / sqrt(E) + mask) v_h, where q_h,
        k_h, v_h are the h-th E features of query W_q^T + b_q, key W_k^T + b_k, value W_v^T + b_v.

    Args:
        query: floating (L, N, D), or (L, D) without a batch.
        key, value: (S, N, D), or (S, D); with separate weights their features may be others.
        embed_dim_to_check: D.
        num_heads: H, a divisor of D.
        in_proj_weight: (3 D, D), W_q, W_k and W_v one under the other; None with separate weights.
        in_proj_bias: (3 D,), or None.
        bias_k, bias_v: (1, 1, D): one more key and value for every sample; or None.
        add_zero_attn: one more key and value of zeros.
        dropout_p: probability to drop a weight, while `training`.
        out_proj_weight, out_proj_bias: (D, D) and (D,) or None.
        training: whether weights are dropped.
        key_padding_mask: (N, S), or (S,): bool, True where a key is padding and not looked at; or floating, added to
            the scores.
        need_weights: return the weights too; the whole (N, H, L, S) table is then in memory.
        attn_mask: (L, S), (N H, L, S), or of four axes that broadcast to (N, H, L, S): bool, True where a
            query may not look; or floating, added to the scores.
        use_separate_proj_weight: take `q_proj_weight`, `k_proj_weight`, `v_proj_weight` for W_q, W_k, W_v.
        q_proj_weight, k_proj_weight, v_proj_weight: (D, features of the query, key, value).
        static_k, static_v: (N H, S, E): keys and values to use instead of those that the maps give.
        average_attn_weights: the mean of the weights over the heads.
        is_causal: a promise that `attn_mask` is the causal mask, so that it need not be read.

    Returns:
        (out, weights): out (L, N, D) or (L, D); weights (N, L, S), without average (N, H, L, S), without N where there
        is no batch; or None. A query that may look at no key has weights 0 (PyTorch: NaN where weights are needed).

    Raises:
        ValueError: shapes do not fit, heads do not divide D, or `is_causal` is given without `attn_mask`.
        TypeError: a mask is neither bool nor floating.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.2.2; UDL 12.3.

    Example:
        >>> import tinygrad_notes as tn
        >>> x, eye = tn.ones((3, 1, 2)), tn.eye(2)
        >>> out, weights = tn.nn.functional.multi_head_attention_forward(
        ...     x, x, x, 2, 1, tn.concat([eye, eye, eye]), None, None, None, False, 0.0, eye, None)
        >>> weights.tolist()[0][0], out.shape
        ([0.3333333432674408, 0.3333333432674408, 0.3333333432674408], (3, 1, 2))
    """
    if use_separate_proj_weight:
        projections = (q_proj_weight, k_proj_weight, v_proj_weight)
        if any(w is None for w in projections):
            raise ValueError("multi_head_attention_forward: use_separate_proj_weight=True needs q_proj_weight, "
                             "k_proj_weight and v_proj_weight")
    elif in_proj_weight is None:
        raise ValueError("multi_head_attention_forward: in_proj_weight is None; give it, or separate weights")
    else:
        projections = in_proj_weight
    causal = promised(is_causal, attn_mask, key_padding_mask, need_weights)
    return attend_in_heads(query, key, value, embed_dim_to_check, num_heads, projections, in_proj_bias, bias_k, bias_v,
                           add_zero_attn, dropout_p if training else 0.0, out_proj_weight, out_proj_bias,
                           key_padding_mask, need_weights, attn_mask, causal, average_attn_weights, False, static_k,
                           static_v)


def promised(is_causal, mask, padding, need_weights):
    """Whether the causal flag stands for the mask, which then is not read.

    Raises:
        ValueError: there is no mask.
    """
    if is_causal and mask is None:
        raise ValueError("is_causal: it says that attn_mask is the causal mask, so give that too: "
                         "nn.Transformer.generate_square_subsequent_mask(L)")
    return "instead of the mask" if is_causal and padding is None and not need_weights else False


def attend_in_heads(query, key, value, embed_dim, num_heads, projections, in_bias, bias_k, bias_v, add_zero, dropout,
                    out_weight, out_bias, padding, need_weights, mask, causal, average, batch_first, static_k=None,
                    static_v=None, cache=None, rotary=None):
    """`multi_head_attention_forward` for both orders of axes.

    `projections`: one weight for all three, or three. `causal`: queries look at no later key; besides the mask, or
    instead of it. `cache`: a `KVCache` whose keys and values come before those of this call. `rotary`: a function of
    queries or keys (N, H, L, E) and the number of the first position.
    """
    batched, query, key, value = _batched(query, key, value, embed_dim, projections, batch_first)
    time = 1 if batch_first else 0
    n, rows, columns = query.shape[1 - time], query.shape[time], key.shape[time]
    if num_heads <= 0 or embed_dim % num_heads:
        raise ValueError(f"num_heads: expected a divisor of embed_dim {embed_dim}, got {num_heads}")
    dropout = number("dropout_p", dropout, 0, high=1)
    past = 0 if cache is None else cache.length
    length = past + columns
    mask = _checked("attn_mask", mask, ((rows, length), (n * num_heads, rows, length)), (n, num_heads, rows, length))
    if padding is not None and not batched:
        padding = as_tensor(padding).unsqueeze(0)
    padding = _checked("key_padding_mask", padding, ((n, length),), (), batched)

    merged = None if causal == "instead of the mask" else mask
    plainly = all(x is None for x in (static_k, static_v, cache, rotary, bias_k, bias_v)) and not add_zero
    if plainly and not need_weights and query is key is value and isinstance(projections, Tensor):
        _check_projection(projections, embed_dim)
        parts = _in_heads(linear(query, projections, in_bias), 3, num_heads, time)
        merged = _merged(merged, padding, n, num_heads, 0, parts.dtype)
        out = attend_to_self(parts, merged, 0 if causal else None, dropout)
        return _finished(out, None, out_weight, out_bias, batch_first, batched)
    q, k, v = _projected(query, key, value, embed_dim, num_heads, projections, in_bias, time)
    k, v = (k if static_k is None else _static("static_k", static_k, n, num_heads, embed_dim),
            v if static_v is None else _static("static_v", static_v, n, num_heads, embed_dim))
    if rotary is not None:
        q, k = rotary(q, past), rotary(k, past)
    if cache is not None:
        k, v = cache.append(k, v)
    k, v, extra = _with_more(k, v, bias_k, bias_v, add_zero)
    merged = _merged(merged, padding, n, num_heads, extra, q.dtype)
    offset = past if causal else None
    if need_weights:
        seed = drawn_seed("multi_head_attention_forward", q.device) if dropout else None
        out, weights = plain(q, k, v, merged, seed, causal=offset, scale=q.shape[-1] ** -0.5, dropout=dropout)
        weights = mean(weights, axis=1) if average else weights
    else:
        out, weights = attend(q, k, v, merged, offset, None, dropout), None
    return _finished(out, weights, out_weight, out_bias, batch_first, batched)


def _finished(out, weights, out_weight, out_bias, batch_first, batched):
    """The heads side by side, through the last map."""
    out = permute_dims(out, (0, 2, 1, 3) if batch_first else (2, 0, 1, 3))  # (N, H, L, E) -> (N, L, H, E), (L, N, H, E)
    out = linear(reshape(out, (*out.shape[:2], out.shape[2] * out.shape[3])), out_weight, out_bias)
    if not batched:
        out = out.squeeze(0 if batch_first else 1)
        weights = None if weights is None else weights.squeeze(0)
    return out, weights


def _batched(query, key, value, embed_dim, projections, batch_first):
    """Whether there is a batch; the inputs with one."""
    same, shared = key is query, value is key
    query = as_tensor(query)
    key = query if same else as_tensor(key, like=query)
    value = key if shared else as_tensor(value, like=query)
    shapes = f"got query {query.shape}, key {key.shape}, value {value.shape}"
    if query.ndim not in (2, 3) or not query.ndim == key.ndim == value.ndim:
        raise ValueError(f"query, key and value: expected three axes each, or two without a batch, {shapes}")
    if query.shape[-1] != embed_dim:
        raise ValueError(f"query: expected embed_dim {embed_dim} features, {shapes}")
    if key.shape[:-1] != value.shape[:-1] or (isinstance(projections, Tensor) and key.shape != value.shape):
        raise ValueError(f"key and value: expected equal shapes (but for features, with weights of their own), "
                         f"{shapes}")
    batch = 0 if batch_first else 1
    if query.ndim == 3 and query.shape[batch] != key.shape[batch]:
        raise ValueError(f"query and key: expected equal batches on axis {batch}, {shapes}")
    if query.ndim == 3:
        return True, query, key, value
    query = query.unsqueeze(batch)
    key = query if same else key.unsqueeze(batch)
    return False, query, key, key if shared else value.unsqueeze(batch)


def _checked(name, mask, allowed, spread, batched=True):
    """The mask as a Tensor of one of the allowed shapes, or of one that broadcasts to `spread`, axis for axis."""
    if mask is None:
        return None
    mask = as_tensor(mask)
    if mask.dtype.kind not in "bf":
        raise TypeError(f"{name}: expected bool (True: not looked at) or a floating dtype (added to the scores), got "
                        f"{mask.dtype}")
    fits = mask.ndim == len(spread) > 0 and all(m in (1, n) for m, n in zip(mask.shape, spread))
    if mask.shape not in allowed and not fits:
        shapes = " or ".join(str(shape if batched else shape[1:]) for shape in allowed)
        raise ValueError(f"{name}: expected shape {shapes}, got {mask.shape if batched else mask.shape[1:]}")
    return mask


def _projected(query, key, value, embed_dim, num_heads, projections, bias, time):
    """Query, key and value after their maps, in heads: (N, H, L, E), (N, H, S, E) twice."""
    if not isinstance(projections, (tuple, list)):
        _check_projection(projections, embed_dim)
        if query is key and key is value:
            return _parts(linear(query, projections, bias), 3, num_heads, time)
        if key is value:
            w_q, w_kv = split(projections, (embed_dim,))
            b_q, b_kv = (None, None) if bias is None else split(bias, (embed_dim,))
            return (*_parts(linear(query, w_q, b_q), 1, num_heads, time),
                    *_parts(linear(key, w_kv, b_kv), 2, num_heads, time))
        projections = split(projections, 3)
    biases = (None,) * 3 if bias is None else split(bias, 3)
    return [_parts(linear(x, w, b), 1, num_heads, time)[0]
            for x, w, b in zip((query, key, value), projections, biases)]


def _check_projection(weight, embed_dim):
    if tuple(weight.shape) != (3 * embed_dim, embed_dim):
        raise ValueError(f"in_proj_weight: expected shape {(3 * embed_dim, embed_dim)}, got {weight.shape}")


def _in_heads(x, count, num_heads, time):
    """(N, L, count D) or (L, N, count D) -> (count, N, H, L, E)."""
    a, b, features = x.shape
    x = reshape(x, (a, b, count, num_heads, features // (count * num_heads)))
    return permute_dims(x, (2, 0, 3, 1, 4) if time == 1 else (2, 1, 3, 0, 4))


def _parts(x, count, num_heads, time):
    """The same as `count` Tensors."""
    x = _in_heads(x, count, num_heads, time)
    return unstack(x, axis=0) if count > 1 else (reshape(x, x.shape[1:]),)


def _static(name, x, n, num_heads, embed_dim):
    x = as_tensor(x)
    if x.ndim != 3 or (x.shape[0], x.shape[2]) != (n * num_heads, embed_dim // num_heads):
        raise ValueError(f"{name}: expected shape {(n * num_heads, 'S', embed_dim // num_heads)}, got {x.shape}")
    return reshape(x, (n, num_heads, *x.shape[1:]))


def _with_more(k, v, bias_k, bias_v, add_zero):
    """Keys and values with a learned one and one of zeros at the end; how many were added."""
    if (bias_k is None) != (bias_v is None):
        raise ValueError("bias_k and bias_v: expected both or neither")
    n, h, _, e = k.shape
    more = []
    if bias_k is not None:
        more.append([broadcast_to(reshape(b, (1, h, 1, e)), (n, h, 1, e)) for b in (bias_k, bias_v)])
    if add_zero:
        more.append([zeros((n, h, 1, e), dtype=k.dtype, device=k.device)] * 2)
    if more:
        k, v = [concat([x, *[pair[i] for pair in more]], axis=2) for i, x in enumerate((k, v))]
    return k, v, len(more)


def _merged(mask, padding, n, num_heads, extra, dtype):
    """One mask in the form of `scaled_dot_product_attention` (True: look): (L, S) or (N, 1 or H, L or 1, S)."""
    if mask is not None and mask.ndim == 3:
        mask = reshape(mask, (n, num_heads, *mask.shape[1:]))
    if padding is not None:
        padding = reshape(padding, (n, 1, 1, padding.shape[1]))
    masks = [_extended(m, extra) for m in (mask, padding) if m is not None]
    if not masks:
        return None
    if all(m.dtype.kind == "b" for m in masks):
        return ~masks[0] if len(masks) == 1 else ~(masks[0] | masks[1])
    masks = [where(m, float("-inf"), zeros((), dtype=dtype, device=m.device)) if m.dtype.kind == "b"
             else m if m.dtype == dtype else m.astype(dtype) for m in masks]
    return masks[0] if len(masks) == 1 else masks[0] + masks[1]


def _extended(mask, extra):
    """The mask with `extra` keys at the end at which everybody may look."""
    if not extra:
        return mask
    more = zeros((*mask.shape[:-1], extra), dtype=mask.dtype, device=mask.device)
    return concat([mask, more], axis=-1)
