"""Mean and variance, and arithmetic with them: what every normalization layer computes, on arrays.

An array is seen as (N, G, D, S): samples, groups of D channels, places; the statistics run over `axes` of these four:
(0, 2, 3) with D = 1 for a batch norm, (2, 3) for layer, group and instance norm. On the host large arrays are worked
on piece by piece (`pieces.py`): rows where a row is one group without places, else channels.
"""
from math import prod

import numpy as np

from .kernels import kernel
from .memory import aligned_empty
from .pieces import Channels, Rows, work_on

_SMALL = 1 << 13  # up to this many elements plain expressions beat the setting up of pieces
_FAR = 2  # a mean of more standard deviations than this is taken off before products are summed


def _way(x, shape, axes):
    """How to compute: None for plain expressions, else `Rows` or `Channels` of the array."""
    if not isinstance(x, np.ndarray) or not x.size:
        return None
    if axes == (2, 3) and shape[1] == shape[3] == 1:
        return Rows(x, shape[2])
    if x.size <= _SMALL and x.flags.c_contiguous:
        return None
    return Channels(x, shape, axes == (2, 3))


def _count(shape, axes):
    return max(1, prod([shape[a] for a in axes]))


def _kept(shape, axes):
    return tuple([1 if a in axes else n for a, n in enumerate(shape)])


def _cast(values, x):
    return np.asarray(values, x.dtype)


# Statistics ---------------------------------------------------------------------------------
@kernel(inline=True)
def moments_over(xp, x, shape, axes):
    """Mean and variance (divided by the count) over `axes` of x seen as `shape`, the axes kept with length one."""
    way = _way(x, shape, axes)
    if way is None:
        x, n = xp.reshape(x, shape), _count(shape, axes)
        mean = xp.sum(x, axis=axes, keepdims=True) / n
        x = x - mean
        return mean, xp.sum(x * x, axis=axes, keepdims=True) / n
    if isinstance(way, Rows):
        mean, var = _row_moments(x, way)
        return mean.reshape(-1, 1, 1, 1), var.reshape(-1, 1, 1, 1)
    mean, var = _channel_moments(x, way)
    if way.each:  # from the moments of channels to those of their group
        mean, var = mean.reshape(shape[:3]), var.reshape(shape[:3])
        middle = mean.mean(2, keepdims=True)
        mean, var = middle, var.mean(2) + ((mean - middle) ** 2).mean(2)
    kept = _kept(shape, axes)
    return _cast(mean, x).reshape(kept), _cast(var, x).reshape(kept)


@kernel(inline=True)
def mean_square_over(xp, x, shape, axes):
    """The mean of the squares over `axes` of x seen as `shape`, the axes kept with length one."""
    way, n = _way(x, shape, axes), _count(shape, axes)
    if isinstance(way, Rows):
        rows = way.flat(x)
        return (np.vecdot(rows, rows) / n).reshape(_kept(shape, axes))
    x = xp.reshape(x, shape)
    return xp.sum(x * x, axis=axes, keepdims=True) / n


def _row_moments(x, rows):
    flat = rows.flat(x)
    mean = flat @ rows.ones
    mean /= rows.length
    if x.size > _SMALL:
        var = np.vecdot(flat, flat)
        var /= rows.length
        square = mean * mean
        var -= square
        if (square <= _FAR * _FAR * var).all():  # the difference has kept its digits
            return mean, var
    flat = flat - mean[:, None]
    var = np.vecdot(flat, flat)
    var /= rows.length
    return mean, var


def _channel_moments(x, channels):
    """The moments of each piece, then those of all of them together."""
    flat, tasks = channels.flat(x), channels.tasks()
    found = [()] * len(tasks)

    def work(those):
        scratch = channels.scratch()
        for k in those:
            which, place, _ = tasks[k]
            found[k] = _piece_moments(channels.piece(flat, place, which), channels, scratch)
    work_on(work, len(tasks))
    n, mean, var = x.size // channels.count, np.zeros(channels.count), np.zeros(channels.count)
    for (which, _, _), (count, middle, _) in zip(tasks, found):
        mean[which] += middle * (count / n)
    for (which, _, _), (count, middle, spread) in zip(tasks, found):
        var[which] += (spread + (middle - mean[which]) ** 2) * (count / n)
    return mean, var


def _piece_moments(z, channels, scratch):
    """(numbers per channel, mean, variance) of a piece; squares are subtracted only where that keeps digits."""
    n = z.size // z.shape[1]
    mean = channels.totals(z) / n
    square = mean * mean
    var = channels.squares(z, scratch) / n - square
    if not (square <= _FAR * _FAR * var).all():
        z = z - np.asarray(mean, z.dtype)[None, :, None]
        rest = channels.totals(z) / n
        var = channels.squares(z, scratch) / n - rest * rest
        mean = mean.astype("float64") + rest
    return n, mean.astype("float64"), np.maximum(var, 0, dtype="float64")


# From x to mean zero and variance one -----------------------------------------------------------
@kernel(inline=True)
def standardized(xp, x, mean, var, weight, bias, shape, axes, eps):
    """(x - mean) / sqrt(var + eps) * weight + bias; mean None for 0, weight (G * D,) None for 1, bias None for 0."""
    way = _way(x, shape, axes)
    scale = 1 / xp.sqrt(var + eps)
    if way is None:
        out = xp.reshape(x, shape)
        out = (out if mean is None else out - mean) * scale
        out = out if weight is None else out * _column(xp, weight, shape)
        out = out if bias is None else out + _column(xp, bias, shape)
        return xp.reshape(out, x.shape)
    if isinstance(way, Rows):
        return _rows_standardized(x, way, mean, scale, weight, bias)
    mean, scale = way.expanded(mean), way.expanded(scale)
    scale = scale if weight is None else scale * way.repeated(weight)
    offset = -mean * scale
    return _scaled(x, way, scale, offset if bias is None else offset + way.repeated(bias))


def _column(xp, vector, shape):
    """(G * D,) -> (1, G, D, 1)"""
    return xp.reshape(vector, (1, *shape[1:3], 1))


def _rows_standardized(x, rows, mean, scale, weight, bias):
    """x (scale weight^T) + (1 bias^T - scale mean weight^T): both terms in brackets are products of thin matrices."""
    flat, scale = rows.flat(x), scale.reshape(-1)
    if x.size <= _SMALL:
        out = flat * scale[:, None] if mean is None else _hat(flat, mean, scale)
        out = out if weight is None else np.multiply(out, weight, out=out)
        out = out if bias is None else np.add(out, bias, out=out)
        return out.reshape(x.shape)
    out, weight = rows.new(), rows.ones if weight is None else weight
    moved = None if mean is None else scale * mean.reshape(-1)
    if moved is not None and np.abs(moved).max() > _FAR:
        flat, moved = flat - mean.reshape(-1, 1), None
    left, right = rows.thin(rows.count, scale), rows.thin(rows.length, weight).T
    offset = moved is not None or bias is not None
    if offset:
        left2, right2 = rows.thin(rows.count, moved, 1), rows.thin(rows.length, -weight, bias).T
    pieces = rows.pieces()

    def work(those):
        t = rows.scratch()
        for k in those:
            piece = pieces[k]
            o = out[piece]
            h = t[:len(o)]
            np.multiply(flat[piece], np.matmul(left[piece], right, out=h), out=o)
            if offset:
                o += np.matmul(left2[piece], right2, out=h)
    work_on(work, len(pieces))
    return out.reshape(x.shape)


def _hat(flat, mean, scale):
    hat = flat - mean.reshape(-1, 1)
    hat *= scale[:, None]
    return hat


def _scaled(x, channels, scale, offset):
    """x * scale + offset, one scale and offset per channel."""
    flat, out, tasks = channels.flat(x), aligned_empty((x.size,), x.dtype), channels.tasks(scale, offset)

    def work(those):
        for k in those:
            which, place, (a, b) = tasks[k]
            z = channels.piece(flat, place, which)
            o = np.multiply(z, a[:len(z)], out=channels.piece(out, place, which))
            o += b[:len(z)]
    work_on(work, len(tasks))
    return channels.shaped(out)


@kernel(inline=True)
def affine_channels(xp, x, scale, offset, shape):
    """x * scale + offset, one scale and offset (C,) per channel of x seen as (N, C, 1, S)."""
    way = _way(x, shape, (0, 2, 3))
    if way is None:
        x4 = xp.reshape(x, shape)
        return xp.reshape(x4 * _column(xp, scale, shape) + _column(xp, offset, shape), x.shape)
    return _scaled(x, way, scale, offset)


@kernel(inline=True)
def channel_sums(xp, y, x, shape):
    """The sums of y and of y * x over each channel of arrays seen as (N, C, 1, S): two arrays (C,)."""
    way = _way(x, shape, (0, 2, 3))
    if way is None:
        y, x = xp.reshape(y, shape), xp.reshape(x, shape)
        return [xp.reshape(xp.sum(t, axis=(0, 2, 3)), (-1,)) for t in (y, y * x)]
    return [_cast(total, x) for total in _sums(y, x, way, None, None)]


# The way back ---------------------------------------------------------------------------------
@kernel(inline=True)
def standardized_pull(xp, y, x, mean, var, weight, shape, axes, eps):
    """The gradients of `standardized` for x, weight and bias, given y for its result; mean and var are those of x."""
    way, n = _way(x, shape, axes), _count(shape, axes)
    scale = 1 / xp.sqrt(var + eps)
    if isinstance(way, Rows):
        return _rows_pull(y, x, way, mean, scale, weight)
    if isinstance(way, Channels):
        return _channels_pull(y, x, way, mean, scale, weight, n)
    x4, y = xp.reshape(x, shape), xp.reshape(y, shape)
    hat = (x4 if mean is None else x4 - mean) * scale
    u = y if weight is None else y * _column(xp, weight, shape)
    dx = u - hat * (xp.sum(u * hat, axis=axes, keepdims=True) / n)
    dx = dx if mean is None else dx - xp.sum(u, axis=axes, keepdims=True) / n
    small = [xp.reshape(xp.sum(t, axis=(0, 3)), (-1,)) for t in (y * hat, y)]
    return xp.reshape(dx * scale, x.shape), small[0], small[1]


def _rows_pull(y, x, rows, mean, scale, weight):
    """y (scale weight^T) + x * k + q, with numbers k and q per row; all sums are products with vectors."""
    ys, xs, weight = rows.flat(y), rows.flat(x), rows.ones if weight is None else weight
    scale, centered = scale.reshape(-1), mean is not None
    if x.size <= _SMALL:
        hat = _hat(xs, mean, scale) if centered else xs * scale[:, None]
        small, many = ys * hat, np.ones(rows.count, x.dtype)
        dx = ys * weight
        if centered:
            dx -= (ys @ weight)[:, None] / rows.length
        dx -= hat * ((small @ weight)[:, None] / rows.length)
        dx *= scale[:, None]
        return dx.reshape(x.shape), many @ small, many @ ys
    out = rows.new()
    mean = mean.reshape(-1) if centered else np.zeros_like(scale)
    moved = mean * scale
    if np.abs(moved).max() > _FAR:
        xs, mean, moved = xs - mean[:, None], np.zeros_like(scale), np.zeros_like(scale)
    left, right, one = rows.thin(rows.count, scale), rows.thin(rows.length, weight).T, rows.thin(rows.length, 1).T
    k = rows.thin(rows.count, scale * scale * scale / -rows.length)
    q = rows.thin(rows.count, scale / -rows.length)
    pieces = rows.pieces()
    sums = np.zeros((len(pieces), 2, rows.length), x.dtype)

    def work(those):
        t = rows.scratch()
        for place in those:
            piece = pieces[place]
            yp, xp, o = ys[piece], xs[piece], out[piece]
            h, kp, qp, total = t[:len(o)], k[piece], q[piece], yp @ weight
            np.multiply(yp, xp, out=o)
            sums[place, 0] = scale[piece] @ o - moved[piece] @ yp if centered else scale[piece] @ o
            sums[place, 1] = np.ones(len(o), x.dtype) @ yp
            kp[:, 0] *= o @ weight - mean[piece] * total
            np.multiply(yp, np.matmul(left[piece], right, out=h), out=o)
            np.matmul(kp, one, out=h)
            h *= xp
            o += h
            if centered:
                qp[:, 0] *= total
                qp[:, 0] -= mean[piece] * kp[:, 0]
                o += np.matmul(qp, one, out=h)
    work_on(work, len(pieces))
    dweight, dbias = sums.sum(0, dtype="float64")
    return out.reshape(x.shape), _cast(dweight, x), _cast(dbias, x)


def _channels_pull(y, x, channels, mean, scale, weight, n):
    """y * a + x * b + c, with three numbers per channel made of the sums of y and y * (x - mean)."""
    mean, scale = channels.expanded(mean), channels.expanded(scale)
    weight = None if weight is None else channels.repeated(weight)
    plain, weighted = _sums(y, x, channels, mean, scale)
    weighted *= scale
    a = scale if weight is None else scale * weight
    b = scale * scale * channels.grouped(weighted if weight is None else weight * weighted) / -n
    c = scale * channels.grouped(plain if weight is None else weight * plain) / -n - mean * b
    dx = _mixed(y, x, channels, a, b, c)
    return dx, _cast(channels.over_samples(weighted), x), _cast(channels.over_samples(plain), x)


def _sums(y, x, channels, mean, scale):
    """The sums of y and of y * (x - mean) over each channel; `scale` is one over the deviation from the mean."""
    ys, xs = channels.flat(y), channels.flat(x)
    near = mean is None or np.abs(mean * scale).max() <= _FAR
    tasks = channels.tasks() if near else channels.tasks(mean)
    found = [()] * len(tasks)

    def work(those):
        scratch = channels.scratch()
        for k in those:
            which, place, shift = tasks[k]
            zx, zy = channels.piece(xs, place, which), channels.piece(ys, place, which)
            t = scratch[:zx.size].reshape(zx.shape)
            if near:
                np.multiply(zx, zy, out=t)
            else:
                np.subtract(zx, shift[0][:len(zx)], out=t)
                t *= zy
            found[k] = channels.totals(zy), channels.totals(t)
    work_on(work, len(tasks))
    plain, weighted = np.zeros(channels.count), np.zeros(channels.count)
    for (which, _, _), (p, w) in zip(tasks, found):
        plain[which] += p
        weighted[which] += w
    if near and mean is not None:
        weighted -= mean * plain
    return plain, weighted


def _mixed(y, x, channels, a, b, c):
    """y * a + x * b + c, one a, b and c per channel."""
    ys, xs, out = channels.flat(y), channels.flat(x), aligned_empty((x.size,), x.dtype)
    tasks = channels.tasks(a, b, c)

    def work(those):
        scratch = channels.scratch()
        for k in those:
            which, place, (a1, b1, c1) = tasks[k]
            zx, zy = channels.piece(xs, place, which), channels.piece(ys, place, which)
            n = len(zx)
            t = np.multiply(zx, b1[:n], out=scratch[:zx.size].reshape(zx.shape))
            t += c1[:n]
            o = np.multiply(zy, a1[:n], out=channels.piece(out, place, which))
            o += t
    work_on(work, len(tasks))
    return channels.shaped(out)
