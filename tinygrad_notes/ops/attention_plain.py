"""Attention by plain array functions, for recorded computations: a compiler makes loops of them.

Where the table of scores would be large, the tiles of `attention_tiles` are written down as one function each way.
"""
from math import prod

from ..autograd.mode import mode
from ..backend.kernels import kernel
from . import attention_tiles as tiles

LARGEST = 1 << 23  # scores of a recorded table


def suits(query, key, dropout):
    """Whether the table of scores may be held whole."""
    return not dropout and not mode.tape.coarse and 0 < prod(query.shape[:-1]) * key.shape[-2] <= LARGEST


@kernel
def attention_forward(xp, query, key, value, mask, seed, causal, scale, dropout):
    """`attention_tiles.forward` as one function of a program."""
    return tiles.forward(xp, query, key, value, mask, seed, causal=causal, scale=scale, dropout=dropout)


@kernel
def attention_gradients(xp, g, needs, query, key, value, mask, seed, out, causal, scale, dropout):
    """The gradients that are needed, by `attention_tiles.backward`."""
    found = tiles.backward(xp, g, needs, query, key, value, mask, seed, out, causal=causal, scale=scale,
                           dropout=dropout)
    return tuple([each for each in found if each is not None])


def _scores(xp, query, key, mask, causal):
    s = xp.matmul(query, xp.matrix_transpose(key))
    if mask is not None:
        s = xp.where(mask, s, float("-inf")) if mask.dtype.kind == "b" else s + mask
    if causal is not None:
        s = s + tiles.window.__wrapped__(xp, *s.shape[-2:], causal, s.dtype.str)
    return s


def forward(xp, query, key, value, mask, seed, *, causal, scale, dropout):
    """Weighted means (H, L, V); logarithms (H, L) of the sums; the weights (H, L, S), or (H, L, 0) if large."""
    if not suits(query, key, dropout):
        return xp.attention_forward(query, key, value, mask, seed, causal, scale, dropout)
    s = _scores(xp, query * scale, key, mask, causal)
    top = xp.maximum(xp.max(s, axis=-1, keepdims=True), float(xp.finfo(query.dtype).min))
    e = xp.exp(s - top)
    total = xp.sum(e, axis=-1, keepdims=True)
    total = xp.where(total == 0, 1, total)
    lse = xp.log(total) + top
    lse = xp.reshape(lse, lse.shape[:-1])
    if s.shape[-1] <= query.shape[-1] + value.shape[-1]:
        p = e / total
        return xp.matmul(p, value), lse, p
    return xp.matmul(e, value) / total, lse, e[..., :0]


def backward(xp, g, needs, query, key, value, mask, seed, out, *, causal, scale, dropout):
    """Gradients of query, key, value, mask (None where not needed) and None for the seed."""
    if not suits(query, key, dropout):
        found = iter(xp.attention_gradients(g, needs, query, key, value, mask, seed, out, causal, scale, dropout))
        return tuple([next(found) if need else None for need in needs])
    (g, g_lse, _), (out, lse, p) = g, out
    q = query * scale
    if not p.size:
        p = xp.exp(_scores(xp, q, key, mask, causal) - xp.expand_dims(lse, axis=-1))
    g = xp.zeros_like(out) if g is None else g
    mean = xp.sum(g * out, axis=-1, keepdims=True)
    mean = mean if g_lse is None else mean - xp.expand_dims(g_lse, axis=-1)
    ds = (xp.matmul(g, xp.matrix_transpose(value)) - mean) * p
    turned = xp.matrix_transpose
    dmask = None
    if needs[3]:
        extra = ds.ndim - mask.ndim
        dmask = xp.sum(ds, axis=tuple(range(extra))) if extra else ds
        axes = tuple([i for i, n in enumerate(mask.shape) if n == 1 and dmask.shape[i] != 1])
        dmask = xp.sum(dmask, axis=axes, keepdims=True) if axes else dmask
    return (xp.matmul(ds, key) * scale if needs[0] else None, xp.matmul(turned(ds), q) if needs[1] else None,
            xp.matmul(turned(p), g) if needs[2] else None, dmask, None)
