"""Rows of attention and of rotary positions."""
import numpy as np

from tests.ops.table import Row, normal


def one_by_one(q, k, v, mask=None, causal=False, scale=None):
    """Attention by loops over samples, heads and queries; a query that may look nowhere gets zeros."""
    lead = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    q, k, v = [np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (q, k, v)]
    if mask is not None:
        mask = np.broadcast_to(mask, (*lead, q.shape[-2], k.shape[-2]))
    out = np.zeros((*q.shape[:-1], v.shape[-1]))
    for at in np.ndindex(*lead):
        for i in range(q.shape[-2]):
            seen = range(min(i + 1, k.shape[-2]) if causal else k.shape[-2])
            if mask is not None and mask.dtype == bool:
                seen = [j for j in seen if mask[(*at, i, j)]]
            if len(seen):
                s = k[at][list(seen)] @ q[at][i] * (q.shape[-1] ** -0.5 if scale is None else scale)
                if mask is not None and mask.dtype != bool:
                    s = s + mask[at][i][list(seen)]
                p = np.exp(s - s.max())
                out[at][i] = (p / p.sum()) @ v[at][list(seen)]
    return out


def attend(tn, *arrays, **options):
    return tn.nn.functional.scaled_dot_product_attention(*arrays, **options)


def look(rng):
    """A mask that lets query 1 look nowhere."""
    seen = rng.random((3, 1, 4, 5)) < 0.6
    seen[..., 1, :] = False
    return (*normal((3, 2, 4, 3), (3, 2, 5, 3), (3, 2, 5, 2))(rng), seen)


def turned(x, cosine, sine, interleaved=False):
    out = x.copy()
    half = cosine.shape[-1]
    for i in range(half):
        a, b = (2 * i, 2 * i + 1) if interleaved else (i, i + half)
        out[..., a] = x[..., a] * cosine[..., i] - x[..., b] * sine[..., i]
        out[..., b] = x[..., b] * cosine[..., i] + x[..., a] * sine[..., i]
    return out


def angled(shape, turn):
    def inputs(rng):
        angle = rng.uniform(0, 6, (shape[-2], turn // 2))
        return rng.standard_normal(shape), np.cos(angle), np.sin(angle)
    return inputs


def in_heads(tn, x, weight, bias, out_weight, out_bias, mask=None):
    out, _ = tn.nn.functional.multi_head_attention_forward(
        x, x, x, 4, 2, weight, bias, None, None, False, 0.0, out_weight, out_bias, attn_mask=mask, need_weights=False)
    return out


def heads_one_by_one(x, weight, bias, out_weight, out_bias, mask=None):
    """(L, N, D) -> (L, N, D) with two heads."""
    q, k, v = np.split(np.swapaxes(x, 0, 1) @ weight.T + bias, 3, axis=-1)
    heads = [one_by_one(*[a[..., part] for a in (q, k, v)], mask) for part in (slice(0, 2), slice(2, 4))]
    return np.swapaxes(np.concatenate(heads, axis=-1) @ out_weight.T + out_bias, 0, 1)


NAME, ROTARY = "nn.functional.scaled_dot_product_attention", "nn.functional.rotary_embedding"
ROWS = [
    Row(NAME, normal((2, 4, 3), (2, 5, 3), (2, 5, 2)), one_by_one, attend),
    Row(NAME, normal((3, 2), (4, 2), (4, 2)), lambda q, k, v: one_by_one(q, k, v, causal=True, scale=0.7),
        lambda tn, q, k, v: attend(tn, q, k, v, is_causal=True, scale=0.7), label="causal",
        order=1),  # the first query has one key: its gradient is rounding alone; order 2: tests/ops/test_attention.py
    Row(NAME, normal((2, 2, 4, 3), (2, 2, 5, 3), (2, 2, 5, 2), (2, 1, 5)), one_by_one, attend, label="added mask"),
    Row(NAME, look, one_by_one, attend, label="mask"),
    Row(NAME, normal((2, 1, 3, 2), (3, 4, 2), (1, 3, 4, 2)), one_by_one, attend, label="broadcast"),
    Row(NAME, normal((2, 6, 3, 2), (2, 3, 4, 2), (2, 3, 4, 2)),
        lambda q, k, v: one_by_one(q, np.repeat(k, 2, 1), np.repeat(v, 2, 1)),
        lambda tn, q, k, v: attend(tn, q, k, v, enable_gqa=True), label="groups"),
    Row(NAME, normal((2, 3, 2), (2, 0, 2), (2, 0, 2)), lambda q, k, v: np.zeros((2, 3, 2)), attend, order=1,
        label="no keys"),
    Row("nn.functional.multi_head_attention_forward", normal((3, 2, 4), (12, 4), (12,), (4, 4), (4,), (3, 3)),
        heads_one_by_one, in_heads),
    Row("nn.functional.multi_head_attention_forward", normal((3, 2, 4), (12, 4), (12,), (4, 4), (4,)),
        heads_one_by_one, in_heads, label="no mask"),
    Row(ROTARY, angled((2, 3, 4), 4), turned, differentiable=(0,)),
    Row(ROTARY, angled((2, 3, 6), 4), turned, differentiable=(0,), label="in part"),
    Row(ROTARY, angled((3, 4), 4), lambda x, c, s: turned(x, c, s, True),
        lambda tn, x, c, s: tn.nn.functional.rotary_embedding(x, c, s, interleaved=True), differentiable=(0,),
        label="neighbours"),
]
