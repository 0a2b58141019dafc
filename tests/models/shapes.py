"""Shapes drawn on the spot: what to read, and where it is."""
import numpy as np


def drawn_shapes(rng, n, side=28):
    """Noisy images (N, 1, H, W) of squares, discs, crosses and frames near the middle, and which it is, (N,)."""
    v, u = np.mgrid[:side, :side]
    y = rng.integers(0, 4, n)
    x = 0.2 * rng.normal(size=(n, 1, side, side))
    for k, kind in enumerate(y):
        r, (a, b) = rng.uniform(side / 5, side / 3), rng.uniform(-side / 10, side / 10, 2)
        a, b = np.abs(u - side / 2 - a), np.abs(v - side / 2 - b)
        box = np.maximum(a, b)
        x[k, 0] += [box < r, a * a + b * b < r * r, (np.minimum(a, b) < r / 4) & (box < r),
                    (box < r) & (box > r / 2)][kind]
    return x.astype(np.float32), y


def drawn_signals(rng, n, length=64):
    """Noisy signals (N, 1, T) with a bump and a dent of 1 (classes 1 and 2) on a slope, and the classes (N, T)."""
    t = np.arange(length)
    x = 0.3 * rng.normal(size=(n, 1, length)) + (rng.normal(size=(n, 1)) * (t / length - 0.5))[:, None]
    y = np.zeros((n, length), np.int64)
    for k in range(n):
        for label, height in ((1, 1.0), (2, -1.0)):
            width = rng.integers(6, 16)
            start = rng.integers(0, length // 2 - width) + (length // 2) * (label - 1)
            x[k, 0, start:start + width] += height
            y[k, start:start + width] = label
    return x.astype(np.float32), y
