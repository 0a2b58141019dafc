"""Attention on raw arrays, tile by tile: no array has more than a tile of scores.

    H leading axes (batch, heads)   L queries   S keys   E features of a query or key   V features of a value

Source: Milakov and Gimelshein 2018, "Online normalizer calculation for softmax"; Rabe and Staats 2021, "Self-attention
does not need O(n^2) memory"; Dao 2023, "FlashAttention-2", algorithms 1 and 2.
"""
from functools import lru_cache
from itertools import product
from math import prod

import numpy as np

from ..backend import device_of

TILE = 1 << 16     # scores that are held at once: they stay in the cache through all passes
COLUMNS = 512      # keys of a tile, where not all fit
GPU_TILE = 1 << 26  # a GPU wants large tiles


class Plan:
    """How attention over these shapes is cut: parts of the leading axes, blocks of queries, blocks of keys."""

    def __init__(self, query, key, causal, dropout):
        tile = GPU_TILE if device_of(query).name == "cuda" else TILE
        self.lead, rows, columns = query.shape[:-2], query.shape[-2], key.shape[-2]
        self.whole = rows * columns <= tile
        wide = columns if self.whole else min(columns, max(COLUMNS, tile // max(1, rows)))
        high = rows if self.whole else max(1, min(rows, tile // wide))
        self.rows, self.columns = slices(rows, high), slices(columns, wide)
        # Random numbers of dropout are drawn for all keys of a block of queries: then a part is one range of them.
        self.parts = list(parts(self.lead, tile // max(1, rows * columns if dropout else high * wide)))
        self.causal = causal
        self.single = len(self.rows) == len(self.columns) == 1 and bool(self.seen(self.rows[0]))

    def seen(self, r):
        """The blocks of keys at which some query of block `r` may look."""
        return self.columns if self.causal is None else [c for c in self.columns if c.start < r.stop + self.causal]

    def first(self, index):
        """The number of the first matrix in a part, counted in order of memory."""
        n = 0
        for size, cut in zip(self.lead, [*index, *[slice(0, 1)] * (len(self.lead) - len(index))]):
            n = n * size + cut.start
        return n


def slices(n, step):
    """0..n in pieces of `step`, at least 1."""
    step = max(1, step)
    return [slice(a, min(a + step, n)) for a in range(0, n, step)]


def parts(lead, room):
    """Slices of the leading axes, in order, that hold about `room` matrices each."""
    k, whole = len(lead), 1
    while k and whole * lead[k - 1] <= room:
        k -= 1
        whole *= lead[k]
    if k == 0:
        yield ()
        return
    for outer in product(*map(range, lead[:k - 1])):
        for cut in slices(lead[k - 1], room // whole):
            yield (*[slice(i, i + 1) for i in outer], cut)


@lru_cache(maxsize=32)
def window(xp, rows, columns, offset, dtype):
    """0 where key j <= query i + offset, else minus infinity."""
    late = xp.arange(columns) > xp.expand_dims(xp.arange(rows), axis=1) + offset
    return xp.where(late, xp.asarray(float("-inf"), dtype=dtype), xp.asarray(0, dtype=dtype))


def kept(xp, seed, dropout, start, shape, dtype):
    """Factors of dropout: numbers start, start + 1, ... of the stream that belongs to `seed`, each 0 or 1 / (1 - p)."""
    if dropout >= 1:
        return xp.zeros(shape, dtype=dtype)
    n, skip = prod(shape), start % 8
    bits = np.random.Philox(key=int(seed.item())).advance(start // 8)  # a step gives eight numbers of 32 bits
    numbers = bits.random_raw((skip + n + 1) // 2 + 1).view(np.uint32)[skip:skip + n].reshape(shape)
    keep = numbers >= np.uint32(min(round(dropout * 2**32), 2**32 - 1))
    factors = np.multiply(keep, np.dtype(dtype).type(1 / (1 - dropout)), dtype=dtype)
    return device_of(seed).from_numpy(factors)


def _tile_of(mask, ndim, index, r, c):
    """The part of a mask, or of its gradient, that meets a tile; axes of length 1 stay."""
    if mask.ndim < ndim:
        mask = mask.reshape((1,) * (ndim - mask.ndim) + mask.shape)
    cuts = [*index, *[slice(None)] * (ndim - 2 - len(index)), r, c]
    return mask[tuple([cut if n > 1 else slice(None) for n, cut in zip(mask.shape, cuts)])]


def _scores(xp, plan, query, key, mask, index, r, c):
    """Scores of a tile, `query` scaled already."""
    s = xp.matmul(query, xp.matrix_transpose(key))
    if mask is not None:
        tile = _tile_of(mask, s.ndim, index, r, c)
        if tile.dtype.kind == "b":
            xp.copyto(s, float("-inf"), where=~tile)
        else:
            s += tile
    if plan.causal is not None and c.stop > r.start + plan.causal + 1:
        s += window(xp, r.stop - r.start, c.stop - c.start, plan.causal + r.start - c.start, s.dtype.str)
    return s


def forward(xp, query, key, value, mask, seed, *, causal, scale, dropout):
    """Weighted means (H, L, V), laid out in memory as `query` is, and the logarithms (H, L) of the sums."""
    out = xp.empty_like(query, shape=(*query.shape[:-1], value.shape[-1]))
    lse = xp.empty(query.shape[:-1], dtype=query.dtype)
    plan = Plan(query, key, causal, dropout)
    for index in plan.parts:
        q, k, v, o = query[index], key[index], value[index], out[index]
        for r in plan.rows:
            keep = None
            if dropout:
                shape = (*q.shape[:-2], r.stop - r.start, k.shape[-2])
                start = (plan.first(index) * q.shape[-2] + r.start) * k.shape[-2]
                keep = kept(xp, seed, dropout, start, shape, q.dtype)
            lse[(*index, ..., r)] = _rows(xp, plan, q[..., r, :] * scale, k, v, mask, index, r, keep, o[..., r, :])
    return out, lse


def _rows(xp, plan, q, k, v, mask, index, r, keep, out):
    """Fill `out` for one block of queries; returns the logarithms of their sums."""
    top = total = None
    lowest = float(xp.finfo(q.dtype).min)
    for c in plan.seen(r):
        s = _scores(xp, plan, q, k[..., c, :], mask, index, r, c)
        new = xp.maximum(xp.max(s, -1, keepdims=True), lowest)  # finite, where a row is minus infinity
        if top is not None:
            new = xp.maximum(new, top)
            shrink = xp.exp(top - new)
            total *= shrink
            out *= shrink
        s -= new
        xp.exp(s, out=s)
        summed = xp.sum(s, -1, keepdims=True)
        if keep is not None:
            s *= keep[..., c]
        if top is None:
            total = summed
            xp.matmul(s, v[..., c, :], out=out)
        else:
            total += summed
            out += xp.matmul(s, v[..., c, :])
        top = new
    if top is None:  # no key at all
        out[...] = 0
        return xp.zeros(out.shape[:-1], dtype=out.dtype)
    total[total == 0] = 1  # the queries that may look nowhere: the mean is 0, and later exp(-inf - lse) is too
    out /= total
    return (xp.log(total) + top)[..., 0]


def backward(xp, g, needs, query, key, value, mask, seed, out, *, causal, scale, dropout):
    """Gradients of query, key, value, mask (None where not needed) and None for the seed, laid out as their arrays."""
    plan = Plan(query, key, causal, dropout)
    made = [xp.empty_like(x) if plan.single else xp.zeros_like(x) for x in (query, key, value)]
    dmask = xp.zeros_like(mask) if needs[3] else None
    for index in plan.parts:
        arrays = [x[index] for x in (g[0], g[1], query, key, value, *out, *made)]
        for r in plan.rows:
            _rows_back(xp, plan, needs, *arrays, mask, dmask, index, r, scale, dropout, seed)
    return (*[d if need else None for d, need in zip(made, needs)], dmask, None)


def _rows_back(xp, plan, needs, g, g_lse, query, k, v, out, lse, dq, dk, dv, mask, dmask, index, r, scale, dropout,
               seed):
    """Add what one block of queries contributes."""
    def put(into, x, y):
        if plan.single:
            xp.matmul(x, y, out=into)
        else:
            into += xp.matmul(x, y)

    q, g, lse = query[..., r, :] * scale, g[..., r, :], xp.expand_dims(lse[..., r], axis=-1)
    mean = xp.sum(g * out[..., r, :], -1, keepdims=True) - xp.expand_dims(g_lse[..., r], axis=-1)
    keep = None
    if dropout:
        start = (plan.first(index) * query.shape[-2] + r.start) * k.shape[-2]
        keep = kept(xp, seed, dropout, start, (*q.shape[:-1], k.shape[-2]), q.dtype)
    for c in plan.seen(r):
        p = _scores(xp, plan, q, k[..., c, :], mask, index, r, c)
        p -= lse
        xp.exp(p, out=p)
        if needs[2]:
            used = p if keep is None else p * keep[..., c]
            put(dv[..., c, :], xp.matrix_transpose(used), g)
        if not (needs[0] or needs[1] or needs[3]):
            continue
        ds = xp.matmul(g, xp.matrix_transpose(v[..., c, :]))
        if keep is not None:
            ds *= keep[..., c]
        ds -= mean
        ds *= p
        if needs[3]:
            tile = _tile_of(dmask, ds.ndim, index, r, c)
            axes = tuple([i for i, n in enumerate(tile.shape) if n == 1 and ds.shape[i] != 1])
            tile += xp.sum(ds, axis=axes, keepdims=True) if axes else ds
        if needs[0]:
            put(dq[..., r, :], ds, k[..., c, :])
        if needs[1]:
            put(dk[..., c, :], xp.matrix_transpose(ds), q)
    if needs[0]:
        dq[..., r, :] *= scale
