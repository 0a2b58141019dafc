"""Scaled dot-product attention as one operation: in tiles, so that the table of all weights is never held.

    H leading axes (batch, heads)   L queries   S keys   E features of a query or key   V features of a value

The forward keeps for each query the logarithm of the sum of its exponentials; with it the backward pass computes the
weights of a tile anew. Where derivatives of derivatives are wanted, the rule computes with the whole (H, L, S) table.
"""
from ..autograd import Tensor, joint, primitive
from ..backend import device_of
from . import attention_plain, attention_tiles
from .attention_tiles import kept, window
from .choice import where
from .contract import matmul
from .create import zeros_like
from .exponential import exp
from .join import stack, unstack
from .reduce import sum
from .softmax import softmax

__all__ = []


def _way(query):
    """Tiles, or plain functions for a recorded computation."""
    return attention_tiles if device_of(query).base is None else attention_plain


def _pull(xp, parts, needs, query, key, value, mask, seed, out, causal, scale, dropout):
    options = {"causal": causal, "scale": scale, "dropout": dropout}
    if isinstance(query, Tensor):
        return _pull_whole(parts[:2], query, key, value, mask, seed, *out[:2], **options)
    return _way(query).backward(xp, parts, needs, query, key, value, mask, seed, out, **options)


def _pull_parts(xp, parts, needs, packed, mask, seed, out, causal, scale, dropout):
    options = {"causal": causal, "scale": scale, "dropout": dropout}
    if isinstance(packed, Tensor):
        found = _pull_whole(parts[:2], *unstack(packed), mask, seed, *out[:2], **options)
        return stack(found[:3]), *found[3:]
    each = (packed[0], packed[1], packed[2])
    if device_of(packed).base is not None:
        found = attention_plain.backward(xp, parts, (needs[0],) * 3 + needs[1:], *each, mask, seed, out, **options)
        return xp.stack(found[:3]) if needs[0] else None, *found[3:]
    made = xp.empty_like(packed) if needs[0] else None
    into = [None if made is None else made[k] for k in range(3)]
    found = attention_tiles.backward(xp, parts, (needs[0],) * 3 + needs[1:], *each, mask, seed, out, made=into,
                                     **options)
    return made, *found[3:]


def _forward(xp, query, key, value, mask, seed, *, causal, scale, dropout):
    return _way(query).forward(xp, query, key, value, mask, seed, causal=causal, scale=scale, dropout=dropout)


def _forward_parts(xp, packed, mask, seed, *, causal, scale, dropout):
    each = (packed[0], packed[1], packed[2])
    return _way(packed).forward(xp, *each, mask, seed, causal=causal, scale=scale, dropout=dropout)


# Outputs: the weighted means of the values (H, L, V), the logarithms (H, L) of the sums of exponentials, and for the
# backward pass alone, where that is cheap, the weights (H, L, S), else nothing (H, L, 0).
attention = joint("attention", _forward, _pull, outputs=3, kind="contraction")
# The same for queries, keys and values that lie side by side in one array (3, H, L, E); so does their gradient then.
attention_of_parts = joint("attention_of_parts", _forward_parts, _pull_parts, outputs=3, kind="contraction")


def _keep(xp, seed, *, dropout, shape, dtype):
    return kept(xp, seed, dropout, 0, shape, dtype)


# The factors of dropout for a whole table of weights, the same that the tiles draw.
attention_keep = primitive("attention_keep", _keep, kind="random", differentiable=False)


def scores(query, key, mask, causal, scale):
    """query key^T scale + mask, minus infinity where a query may not look: (H, L, S)."""
    s = matmul(query * scale, key.mT)
    if mask is not None:
        s = where(mask, s, float("-inf")) if mask.dtype.kind == "b" else s + mask
    if causal is not None:
        s = s + Tensor.wrap(window.__wrapped__(s.device.xp, *s.shape[-2:], causal, s.dtype.str))
    return s


def _pull_whole(parts, query, key, value, mask, seed, out, lse, causal, scale, dropout):
    """The gradients by operations on Tensors; they can be differentiated again."""
    g, g_lse = parts
    g = zeros_like(out) if g is None else g
    p = exp(scores(query, key, mask, causal, scale) - lse.unsqueeze(-1))
    down = matmul(g, value.mT)
    used = p
    if dropout:
        keep = attention_keep(seed, dropout=dropout, shape=p.shape, dtype=p.dtype.str)
        down, used = down * keep, p * keep
    mean = sum(g * out, axis=-1)
    ds = p * (down - (mean if g_lse is None else mean - g_lse).unsqueeze(-1))
    return (matmul(ds, key) * scale, matmul(ds.mT, query) * scale, matmul(used.mT, g),
            None if mask is None or mask.dtype.kind == "b" else _summed(ds, mask.shape), None)


def _summed(x, shape):
    """`x` summed to a shape that broadcasts to its own."""
    extra = x.ndim - len(shape)
    x = sum(x, axis=tuple(range(extra))) if extra else x
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and x.shape[i] != 1)
    return sum(x, axis=axes, keepdims=True) if axes else x


def weights(query, key, mask=None, *, causal=None, scale=1.0):
    """The table of weights (H, L, S) by plain operations: rows add to 1, or are 0 where a query may look nowhere."""
    s = scores(query, key, mask, causal, scale)
    if mask is None and causal is None:
        return softmax(s)
    blind = Tensor.wrap(s.device.xp.max(s.data, -1, keepdims=True) == float("-inf"))
    return where(blind, 0.0, softmax(where(blind, 0.0, s)))


def plain(query, key, value, mask=None, seed=None, *, causal=None, scale=1.0, dropout=0.0):
    """`attention` by plain operations that hold the whole table: what it is tested against. Returns (out, weights)."""
    p = weights(query, key, mask, causal=causal, scale=scale)
    used = p * attention_keep(seed, dropout=dropout, shape=p.shape, dtype=p.dtype.str) if dropout else p
    return matmul(used, value), used
