"""Rows of resampling, borders, grids and shuffles; the oracles are NumPy, SciPy or loops over places."""
import itertools
import math

import numpy as np

from tests.ops.table import Row, normal

F = "nn.functional."


# Resampling -----------------------------------------------------------------------------------
def cubic(t, a=-0.75):
    t = abs(t)
    if t < 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0


def hat(t):
    return max(0.0, 1 - abs(t))


def sinc(t):
    return float(np.sinc(t) * np.sinc(t / 3)) if abs(t) < 3 else 0.0


def matrix(n, m, weight, reach, align=False):
    """(m, n): each row reads its place with the weights of the neighbours; outside is the nearest element."""
    found = np.zeros((m, n))
    for o in range(m):
        at = o * (n - 1) / (m - 1) if align else (o + 0.5) * n / m - 0.5
        for p in range(math.floor(at) - reach + 1, math.floor(at) + reach + 1):
            found[o, min(max(p, 0), n - 1)] += weight(at - p)
    return found


def smooth(n, m, weight):
    """(m, n): the same with the filter stretched by n / m, cut off at the ends and made to add up to 1."""
    wide = max(n / m, 1)
    found = np.array([[weight((p + 0.5 - (o + 0.5) * n / m) / wide) for p in range(n)] for o in range(m)])
    return found / found.sum(axis=1, keepdims=True)


def applied(x, *matrices):
    for axis, m in enumerate(matrices, x.ndim - len(matrices)):
        x = np.moveaxis(np.tensordot(m, x, (1, axis)), 0, axis)
    return x


def nearest(x, m, shift=0.0):
    n = x.shape[-1]
    return x[..., [math.floor((o + shift) * n / m) for o in range(m)]]


def resized(mode, shape, oracle, label="", call=None, **options):
    return Row(F + "interpolate", normal(shape), oracle,
               call or (lambda tn, x: tn.nn.functional.interpolate(x, mode=mode, **options)),
               label=f"{mode}{', ' + label if label else ''}")


def squared(tn, x):
    return tn.nn.functional.interpolate(x, (4, 3), mode="bilinear") ** 2


# Borders --------------------------------------------------------------------------------------
def padded(mode, shape, pad, numpy_mode=None):
    widths = [(0, 0)] * (len(shape) - len(pad) // 2) + [pad[i:i + 2] for i in range(0, len(pad), 2)][::-1]
    return Row(F + "pad", normal(shape), lambda x: np.pad(x, widths, numpy_mode or mode) ** 2,
               lambda tn, x: tn.nn.functional.pad(x, pad, mode) ** 2, label=mode)


# Grids ----------------------------------------------------------------------------------------
def inside(i, n, padding):
    """Place i of an axis of n, brought inside; None where zeros are read."""
    if padding == "border":
        return min(max(i, 0), n - 1)
    return i if 0 <= i < n else None


def sampled(x, grid, padding, weight, reach, nearest=False):
    """(C, H, W) images read one point at a time, edges at -1 and 1."""
    n, c, h, w = x.shape
    out = np.zeros((n, c, *grid.shape[1:3]))
    for b, i, j in np.ndindex(grid.shape[:3]):
        u, v = ((grid[b, i, j, 0] + 1) * w - 1) / 2, ((grid[b, i, j, 1] + 1) * h - 1) / 2
        if nearest:
            u, v = round(u), round(v)
        near = range(1 - reach, reach + 1)
        for k, l in itertools.product(near, near):
            row, column = math.floor(v) + k, math.floor(u) + l
            p, q = inside(row, h, padding), inside(column, w, padding)
            if p is not None and q is not None:
                out[b, :, i, j] += weight(v - row) * weight(u - column) * x[b, :, p, q]
    return out


def points(rng):
    """An image, and places in and around it that lie off the middles of pixels and the lines between them."""
    places = rng.integers(-1, 4, (1, 2, 2, 2)) + rng.uniform(0.15, 0.4, (1, 2, 2, 2))
    return rng.standard_normal((1, 2, 3, 3)), (2 * places + 1) / 3 - 1


def grid_row(mode, padding, weight, reach, **options):
    return Row(F + "grid_sample", points, lambda x, g: sampled(x, g, padding, weight, reach, mode == "nearest"),
               lambda tn, x, g: tn.nn.functional.grid_sample(x, g, mode, padding), label=f"{mode}, {padding}",
               **options)


def affine(theta):
    """(N, 2, 3) at the middles of 3 rows and 2 columns."""
    y, x = np.meshgrid([-2 / 3, 0, 2 / 3], [-0.5, 0.5], indexing="ij")
    return np.einsum("nak,hwk->nhwa", theta, np.stack([x, y, np.ones_like(x)], axis=-1))


ROWS = [
    resized("nearest", (2, 1, 3), lambda x: np.repeat(x, 2, axis=-1), scale_factor=2),
    resized("nearest", (2, 1, 5), lambda x: nearest(x, 3), "smaller", size=3),
    resized("nearest-exact", (1, 2, 3), lambda x: nearest(x, 4, 0.5), size=4),
    resized("linear", (1, 2, 3), lambda x: applied(x, matrix(3, 5, hat, 1)), size=5),
    resized("bilinear", (1, 2, 3, 2), lambda x: applied(x, matrix(3, 4, hat, 1, True), matrix(2, 3, hat, 1, True)),
            "corners", size=(4, 3), align_corners=True),
    resized("bilinear", (1, 2, 3, 2), lambda x: applied(x, matrix(3, 4, hat, 1), matrix(2, 3, hat, 1)) ** 2,
            "squared", squared),
    resized("bilinear", (1, 1, 5, 4), lambda x: applied(x, smooth(5, 2, hat), smooth(4, 3, hat)), "antialias",
            size=(2, 3), antialias=True),
    resized("bicubic", (1, 1, 3, 4), lambda x: applied(x, matrix(3, 5, cubic, 2), matrix(4, 3, cubic, 2)), size=(5, 3)),
    resized("bicubic", (1, 1, 5, 4), lambda x: applied(x, *[smooth(n, m, lambda t: cubic(t, -0.5)) for n, m in (
        (5, 2), (4, 6))]), "antialias", size=(2, 6), antialias=True),
    resized("lanczos", (1, 1, 7, 4), lambda x: applied(x, smooth(7, 2, sinc), smooth(4, 5, sinc)), size=(2, 5),
            antialias=True),
    resized("trilinear", (1, 1, 2, 3, 2), lambda x: applied(x, *[matrix(n, m, hat, 1) for n, m in (
        (2, 3), (3, 2), (2, 4))]), size=(3, 2, 4)),
    resized("area", (1, 2, 4), lambda x: np.stack([x[..., :2].mean(-1), x[..., 1:3].mean(-1), x[..., 2:].mean(-1)], -1),
            size=3),
    Row(F + "upsample", normal((1, 1, 2)), lambda x: np.repeat(x, 3, axis=-1),
        lambda tn, x: tn.nn.functional.upsample(x, scale_factor=3)),
    Row(F + "upsample_nearest", normal((1, 1, 2, 2)), lambda x: np.kron(x, np.ones((3, 2))) ** 2,
        lambda tn, x: tn.nn.functional.upsample_nearest(x, scale_factor=(3, 2)) ** 2),
    Row(F + "upsample_bilinear", normal((1, 1, 2, 3)),
        lambda x: applied(x, matrix(2, 3, hat, 1, True), matrix(3, 5, hat, 1, True)),
        lambda tn, x: tn.nn.functional.upsample_bilinear(x, (3, 5))),
    Row(F + "subsample", normal((1, 2, 5, 4)), lambda x: x[..., ::2, ::3],
        lambda tn, x: tn.nn.functional.subsample(x, (2, 3))),
    padded("constant", (2, 3), (1, 2, 0, 1)),
    padded("reflect", (1, 3, 3), (2, 1, 1, 2)),
    padded("replicate", (2, 3, 2), (3, 1, 0, 2), "edge"),
    padded("circular", (1, 2, 3, 1), (1, 1, 3, 0, 1, 1), "wrap"),
    Row(F + "pad", normal((2, 4)), lambda x: np.pad(x[:, 1:], ((0, 0), (0, 2)), "reflect"),
        lambda tn, x: tn.nn.functional.pad(x, (-1, 2), "reflect"), label="cut off"),
    grid_row("bilinear", "zeros", hat, 1),
    grid_row("bilinear", "border", hat, 1),
    grid_row("nearest", "zeros", lambda t: float(t == 0), 1, order=1),
    grid_row("bicubic", "zeros", cubic, 2, tolerance=1e-11),
    Row(F + "affine_grid", normal((2, 2, 3)), affine, lambda tn, t: tn.nn.functional.affine_grid(t, (2, 1, 3, 2))),
    Row(F + "pixel_shuffle", normal((1, 8, 2, 3)),
        lambda x: x.reshape(1, 2, 2, 2, 2, 3).transpose(0, 1, 4, 2, 5, 3).reshape(1, 2, 4, 6),
        lambda tn, x: tn.nn.functional.pixel_shuffle(x, 2)),
    Row(F + "pixel_unshuffle", normal((2, 4, 6)),
        lambda x: np.stack([x[c, i::2, j::2] for c in range(2) for i in range(2) for j in range(2)]),
        lambda tn, x: tn.nn.functional.pixel_unshuffle(x, 2)),
    Row(F + "channel_shuffle", normal((1, 6, 2)), lambda x: x[:, [0, 3, 1, 4, 2, 5]],
        lambda tn, x: tn.nn.functional.channel_shuffle(x, 2)),
]
