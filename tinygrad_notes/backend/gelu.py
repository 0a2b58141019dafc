"""The Gaussian error linear unit and its gradient on large host arrays: in pieces that stay in the cache, on threads.

In float32 the normal distribution function is (1 + tanh(x N(x^2) / D(x^2))) / 2, with polynomials fitted to an absolute
error of 6e-8. Outside the range of that (infinities, beyond 1e9) the result is NaN: such pieces are computed again by
the exact formula, as all are in float64.
"""
from math import isfinite, pi, sqrt

import numpy as np

from .memory import aligned_empty
from .threads import spread

PIECE = 1 << 15  # elements: input, output and scratch of a piece stay in the second-level cache
SMALL = 1 << 12  # up to this many elements one pass over all is as fast
DENSITY = 1 / sqrt(2 * pi)

# x N / D = atanh(erf(x / 2^(1/2))), minimax in the error of the distribution function.
_N = (86.95801303877, 1583.38016849, 13791.48811011)
_D = (55.132897712, 1197.397238572, 17285.052492492)


def hosts(*arrays):
    """Whether these are all host arrays of one dtype, float32 or float64."""
    kind = arrays[0].dtype
    return kind.char in "fd" and all(a.__class__ is np.ndarray and a.dtype == kind for a in arrays)


def suits(x, *others):
    """Whether these kernels serve: large contiguous float32 or float64 host arrays of one shape."""
    return (x.__class__ is np.ndarray and x.size > SMALL and x.dtype.char in "fd" and x.flags.c_contiguous
            and all(y.__class__ is np.ndarray and y.shape == x.shape and y.dtype == x.dtype and y.flags.c_contiguous
                    for y in others))


def run(fill, arrays, scratch, exact, results=1):
    """New arrays, filled by `fill(*outs, *arrays, *scratch)` piece by piece, where that is NaN by `exact(*arrays)`."""
    x = arrays[0]
    outs = [aligned_empty(x.shape, x.dtype) for _ in range(results)]
    flat = [a.reshape(-1) for a in (*outs, *arrays)]

    def work(those):
        ones = np.ones(PIECE, x.dtype)
        room = aligned_empty((scratch, PIECE), x.dtype)
        with np.errstate(all="ignore"):
            for start in those:
                parts = [a[start:start + PIECE] for a in flat]
                fill(*parts, *room[:, :parts[0].size])
                if not isfinite(np.dot(parts[0], ones[:parts[0].size])):
                    for out, values in zip(parts, exact(*parts[results:])):
                        out[...] = values
    spread(work, range(0, x.size, PIECE))
    return outs


def _distribution(o, x, s, d):
    """The normal distribution function of x into `o`, and x^2 into `s`."""
    np.square(x, out=s)
    np.add(s, _N[0], out=o)
    o *= s
    o += _N[1]
    o *= s
    o += _N[2]
    np.multiply(s, _D[0], out=d)
    d += _D[1]
    d *= s
    d += _D[2]
    o /= d
    o *= x
    np.tanh(o, out=o)
    o *= 0.5
    o += 0.5


def _fill(o, x, s, d):
    _distribution(o, x, s, d)
    o *= x


def _fill_both(o, slope, x, s):
    _distribution(o, x, s, slope)
    _add_bell(o, x, s, slope, slope)
    o *= x


def _add_bell(distribution, x, squared, room, slope):
    """The slope: the distribution function plus x times the density."""
    np.multiply(squared, -0.5, out=room)
    np.exp(room, out=room)
    room *= x
    room *= DENSITY
    np.add(room, distribution, out=slope)


def forward(x, exact):
    """x times the normal distribution function; `exact(x)` where that must do."""
    if x.dtype.char == "d":
        return run(lambda o, x: np.copyto(o, exact(x)), [x], 0, lambda x: [exact(x)])[0]
    return run(_fill, [x], 2, lambda x: [exact(x)])[0]


def forward_and_slope(x, exact, exact_slope):
    """The same and its derivative, which shares most of the work."""
    def both(x):
        return exact(x), exact_slope(x)
    if x.dtype.char == "d":
        return run(lambda o, slope, x: [np.copyto(a, b) for a, b in zip((o, slope), both(x))], [x], 0, both, 2)
    return run(_fill_both, [x], 1, both, 2)


def product(x, y):
    """x y, of two large arrays."""
    out = aligned_empty(x.shape, x.dtype)
    flat = [a.reshape(-1) for a in (out, x, y)]

    def work(those):
        for start in those:
            o, a, b = [part[start:start + PIECE] for part in flat]
            np.multiply(a, b, out=o)
    spread(work, range(0, x.size, PIECE))
    return out


def shifted(h, b, exact, exact_slope):
    """x times the normal distribution function of x = h + b, for rows h (..., M); h becomes the derivative."""
    out = aligned_empty(h.shape, h.dtype)
    width = h.shape[-1]
    rows = max(1, PIECE // width)
    flat, outs = h.reshape(-1, width), out.reshape(-1, width)
    single = h.dtype.char == "f"

    def work(those):
        room = aligned_empty((3, rows, width), h.dtype)
        ones = np.ones(rows * width, h.dtype)
        with np.errstate(all="ignore"):
            for start in those:
                x, o = flat[start:start + rows], outs[start:start + rows]
                p, s, d = room[:, :len(x)]
                if b is not None:
                    x += b
                if single:
                    _distribution(p, x, s, d)
                    np.multiply(p, x, out=o)
                if single and isfinite(np.dot(o.reshape(-1), ones[:o.size])):
                    _add_bell(p, x, s, d, x)
                else:
                    o[...] = exact(x)
                    x[...] = exact_slope(x)
    spread(work, range(0, len(flat), rows))
    return out
