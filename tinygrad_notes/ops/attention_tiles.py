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
from ..backend.memory import aligned_empty
from ..backend.threads import spread

TILE = 1 << 16     # scores that are held at once: they stay in the cache through all passes
COLUMNS = 512      # keys of a tile, where not all fit
GPU_TILE = 1 << 26  # a GPU wants large tiles
SMALL = 40         # scores within +-40 have exponentials whose sums and quotients stay in the range of float32
LOWEST = -1e38     # below any score


class Plan:
    """How attention over these shapes is cut: parts of the leading axes, blocks of queries, blocks of keys."""

    def __init__(self, query, key, value, causal, dropout):
        self.on_host = device_of(query).name != "cuda"
        tile = TILE if self.on_host else GPU_TILE
        self.lead, rows, columns = query.shape[:-2], query.shape[-2], key.shape[-2]
        self.whole = rows * columns <= tile
        wide = columns if self.whole else min(columns, max(COLUMNS, tile // max(1, rows)))
        high = rows if self.whole else max(1, min(rows, tile // wide))
        self.rows, self.columns = slices(rows, high), slices(columns, wide)
        # Random numbers of dropout are drawn for all keys of a block of queries: then a part is one range of them.
        self.parts = list(parts(self.lead, tile // max(1, rows * columns if dropout else high * wide)))
        self.causal = causal
        self.single = len(self.rows) == len(self.columns) == 1 and bool(self.seen(self.rows[0]))
        # Weights are kept for the backward pass where they are no more numbers than the queries and the result are.
        self.keeps = self.single and columns <= query.shape[-1] + value.shape[-1]

    def run(self, work, alone=False):
        """`work(parts)` for all parts, on several threads unless `alone`."""
        if alone or not self.on_host:
            work(iter(self.parts))
        else:
            spread(work, self.parts)

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


def _new(xp, like, shape):
    """An array to be filled; on the host it begins on a cache line, where NumPy's loops are faster."""
    return aligned_empty(shape, like.dtype) if like.__class__ is np.ndarray else xp.empty(shape, dtype=like.dtype)


def _turned(xp, x, scale):
    """scale x^T in memory of its own: products of small matrices are twice as fast with it as with a view."""
    out = _new(xp, x, (*x.shape[:-2], x.shape[-1], x.shape[-2]))
    out[...] = xp.matrix_transpose(x)
    if scale != 1:
        out *= scale
    return out


def _masked(xp, plan, s, mask, index, r, c):
    """The scores of a tile with the mask added, minus infinity where a query may not look."""
    if mask is not None:
        tile = _tile_of(mask, s.ndim, index, r, c)
        if tile.dtype.kind == "b":
            xp.copyto(s, float("-inf"), where=~tile)
        else:
            s += tile
    if plan.causal is not None and c.stop > r.start + plan.causal + 1:
        s += window(xp, r.stop - r.start, c.stop - c.start, plan.causal + r.start - c.start, s.dtype.str)


def _products(xp, x, y, out=None):
    """x y for stacks of matrices, in a new array unless there is one."""
    return xp.matmul(x, y, out=_new(xp, x, (*x.shape[:-1], y.shape[-1])) if out is None else out)


def forward(xp, query, key, value, mask, seed, *, causal, scale, dropout):
    """Weighted means (H, L, V), laid out as `query`; logarithms (H, L) of the sums; weights (H, L, S or 0)."""
    out = xp.empty_like(query, shape=(*query.shape[:-1], value.shape[-1]))
    lse = xp.empty(query.shape[:-1], dtype=query.dtype)
    plan = Plan(query, key, value, causal, dropout)
    table = _new(xp, query, (*query.shape[:-1], key.shape[-2] if plan.keeps else 0))

    def work(those):
        for index in those:
            q, k, v, o = query[index], _turned(xp, key[index], scale), value[index], out[index]
            t = table[index] if plan.keeps else None
            for r in plan.rows:
                keep = None
                if dropout:
                    start = (plan.first(index) * q.shape[-2] + r.start) * v.shape[-2]
                    keep = kept(xp, seed, dropout, start, (*o.shape[:-2], r.stop - r.start, v.shape[-2]), q.dtype)
                lse[(*index, ..., r)] = _rows(xp, plan, q[..., r, :], k, v, mask, index, r, keep, o[..., r, :], t)
    plan.run(work)
    return out, lse, table


def _rows(xp, plan, q, k, v, mask, index, r, keep, out, table):
    """Fill `out`, and `table` with the weights, for one block of queries; returns the logarithms of their sums."""
    seen = plan.seen(r)
    if not seen:  # no key at all
        out[...] = 0
        return xp.zeros(out.shape[:-1], dtype=out.dtype)
    top = total = None
    # While all scores are small, their exponentials need no shift: `top` is 0 and need not be found for every row.
    small = plan.on_host and (mask is None or mask.dtype.kind == "b")
    for n, c in enumerate(seen):
        s = _products(xp, q, k[..., c], table)
        small = small and xp.max(s).item() < SMALL and xp.min(s).item() > -SMALL
        _masked(xp, plan, s, mask, index, r, c)
        if not small:
            new = xp.maximum(xp.max(s, -1, keepdims=True), LOWEST)  # finite, where a row is minus infinity
            if n:
                new = xp.maximum(new, 0 if top is None else top)
                shrink = xp.exp(-new if top is None else top - new)
                total *= shrink
                out *= shrink
            top = new
            s -= new
        xp.exp(s, out=s)
        summed = _sums(xp, s)
        if len(seen) == 1:  # dividing the weights beats dividing `out`, which may be strided
            total = summed
            total[total == 0] = 1  # queries that may look nowhere
            s *= 1 / total
        if keep is not None:
            s = s * keep[..., c]
        if n == 0:
            total = summed
            xp.matmul(s, v[..., c, :], out=out)
        else:
            total += summed
            out += _products(xp, s, v[..., c, :])
    if len(seen) > 1:
        total[total == 0] = 1
        out /= total
    return (xp.log(total) if top is None else xp.log(total) + top)[..., 0]


def _sums(xp, s):
    """The sums of the rows, kept as a column; by a product, which is faster than a reduction of short rows."""
    return xp.expand_dims(xp.matmul(s, xp.ones(s.shape[-1], dtype=s.dtype)), axis=-1)


def backward(xp, g, needs, query, key, value, mask, seed, out, *, causal, scale, dropout, made=None):
    """Gradients of query, key, value, mask (None where not needed) and None for the seed, laid out as their arrays.

    `made`: arrays for the first three.
    """
    g = (xp.zeros_like(out[0]) if g[0] is None else g[0], g[1])  # nothing is made of the weights: g[2] is None
    out, lse, table = out
    plan = Plan(query, key, value, causal, dropout)
    if made is None:
        made = [xp.empty_like(x) if need else None for x, need in zip((query, key, value), needs)]
    if not plan.single:
        for each in made:
            if each is not None:
                each[...] = 0
    dmask = xp.zeros_like(mask) if needs[3] else None

    def work(those):
        for index in those:
            arrays = [None if x is None else x[index] for x in (g[0], g[1], query, key, out, lse, *made)]
            weights = table[index] if plan.keeps else None
            k = None if plan.keeps else _turned(xp, arrays[3], scale)
            v = _turned(xp, value[index], 1 if needs[3] else scale)
            for r in plan.rows:
                _rows_back(xp, plan, needs, *arrays, k, v, weights, mask, dmask, index, r, scale, dropout, seed)
    plan.run(work, alone=dmask is not None)  # the gradient of a mask is one for several parts: in their order
    return *made, dmask, None


def _rows_back(xp, plan, needs, g, g_lse, query, key, out, lse, dq, dk, dv, turned_key, turned_value, weights,
               mask, dmask, index, r, scale, dropout, seed):
    """Add what one block of queries contributes; `turned_value` brings the factor `scale`, unless the mask counts."""
    def put(into, x, y):
        if plan.single:
            xp.matmul(x, y, out=into)
        else:
            into += _products(xp, x, y)

    q, g, lse = query[..., r, :], g[..., r, :], xp.expand_dims(lse[..., r], axis=-1)
    mean = xp.expand_dims(xp.vecdot(g, out[..., r, :]), axis=-1)
    if g_lse is not None:
        mean -= xp.expand_dims(g_lse[..., r], axis=-1)
    if not needs[3]:
        mean *= scale
    keep = None
    if dropout:
        start = (plan.first(index) * query.shape[-2] + r.start) * key.shape[-2]
        keep = kept(xp, seed, dropout, start, (*q.shape[:-1], key.shape[-2]), q.dtype)
    for c in plan.seen(r):
        p = weights
        if p is None:
            p = _products(xp, q, turned_key[..., c])
            _masked(xp, plan, p, mask, index, r, c)
            p -= lse
            xp.exp(p, out=p)
        if needs[2]:
            put(dv[..., c, :], xp.matrix_transpose(p if keep is None else p * keep[..., c]), g)
        if not (needs[0] or needs[1] or needs[3]):
            continue
        ds = _products(xp, g, turned_value[..., c])
        if keep is not None:
            ds *= keep[..., c]
        ds -= mean
        ds *= p
        if needs[3]:
            tile = _tile_of(dmask, ds.ndim, index, r, c)
            axes = tuple([i for i, n in enumerate(tile.shape) if n == 1 and ds.shape[i] != 1])
            tile += xp.sum(ds, axis=axes, keepdims=True) if axes else ds
            ds *= scale
        if needs[0]:
            put(dq[..., r, :], ds, key[..., c, :])
        if needs[1]:
            put(dk[..., c, :], xp.matrix_transpose(ds), q)
