"""Rows of pooling: the oracles go through the windows one by one."""
import itertools
import math

import numpy as np

from tests.ops.table import Row, normal

F = "nn.functional."


def apart(*shape):
    """Elements that are all at least 0.1 apart, so that no small step changes which is the largest."""
    return lambda rng: (rng.permutation(math.prod(shape)).reshape(shape) / 10 - 2,)


def each(x, kernel, stride, padding=0, dilation=1, counts=None):
    """Yield (place in the result, flat places, elements) of every window over the last axes, without its border."""
    axes = len(kernel)
    sizes = x.shape[-axes:]
    counts = counts or [(n + 2 * padding - dilation * (k - 1) - 1) // stride + 1 for n, k in zip(sizes, kernel)]
    flat = np.arange(math.prod(sizes)).reshape(sizes)
    for out in np.ndindex(*counts):
        lines = [[o * stride - padding + dilation * i for i in range(k)] for o, k in zip(out, kernel)]
        places = [p for p in itertools.product(*lines) if all(0 <= i < n for i, n in zip(p, sizes))]
        yield out, np.array([flat[p] for p in places]), np.stack([x[(..., *p)] for p in places], axis=-1), counts


def reduced(x, reduce, *window):
    """One number per window and channel."""
    results = [(out, reduce(places, values), counts) for out, places, values, counts in each(x, *window)]
    counts = results[0][2]
    found = np.zeros(x.shape[:x.ndim - len(counts)] + tuple(counts), dtype=np.asarray(results[0][1]).dtype)
    for out, value, _ in results:
        found[(..., *out)] = value
    return found


def largest(places, values):
    return values.max(axis=-1)


def place_of_largest(places, values):
    return places[values.argmax(axis=-1)]


def mean(places, values):
    return values.mean(axis=-1)


def shared(x, counts, reduce):
    """One number for each of the even windows of adaptive pooling."""
    axes = len(counts)
    found = np.zeros(x.shape[:x.ndim - axes] + tuple(counts))
    for out in np.ndindex(*counts):
        cut = [slice(o * n // m, -(-(o + 1) * n // m)) for o, n, m in zip(out, x.shape[-axes:], counts)]
        found[(..., *out)] = reduce(x[(..., *cut)], axis=tuple(range(-axes, 0)))
    return found


def unpooled(x, places):
    out = np.zeros((*x.shape[:-2], 16))
    np.put_along_axis(out, places.reshape(*places.shape[:-2], -1), x.reshape(*x.shape[:-2], -1), axis=-1)
    return out.reshape(*x.shape[:-2], 4, 4)


def fractional(x):
    """Windows of 2 x 2 that start where u = 1/2 puts them: of 7 rows 4, of 6 columns 3."""
    rows, columns = [int((i + 0.5) * 5 / 3) - int(0.5 * 5 / 3) for i in range(3)] + [5], [0, 2, 4]
    assert columns[:2] == [int((i + 0.5) * 2) - 1 for i in range(2)]
    return np.array([[[plane[i:i + 2, j:j + 2].max() for j in columns] for i in rows] for plane in x])


POOLS = [  # name, shape, keyword arguments, window of the oracle
    ("max_pool1d", (2, 9), {"kernel_size": 2}, ((2,), 2)),
    ("max_pool1d", (2, 2, 9), {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2}, ((3,), 2, 1, 2)),
    ("max_pool2d", (2, 4, 6), {"kernel_size": 2}, ((2, 2), 2)),
    ("max_pool2d", (1, 1, 5, 6), {"kernel_size": 3, "stride": 2, "padding": 1}, ((3, 3), 2, 1)),
    ("max_pool2d", (1, 5, 6), {"kernel_size": (1, 3), "stride": 2, "ceil_mode": True}, ((1, 3), 2, 0, 1, (3, 3))),
    ("max_pool2d", (2, 4, 5), {"kernel_size": (4, 5)}, ((4, 5), 1)),
    ("max_pool3d", (1, 4, 3, 5), {"kernel_size": 2, "stride": 1}, ((2, 2, 2), 1)),
]
SAMPLES = np.full((1, 1, 2), 0.5)
PLACES = np.array([[[5, 2], [8, 15]], [[0, 3], [12, 10]]])


def pool_row(name, shape, options, window, label):
    return Row(F + name, apart(*shape), lambda x: reduced(x, largest, *window),
               lambda tn, x: getattr(tn.nn.functional, name)(x, **options), label=label)


ROWS = [
    *[pool_row(*case, label=str(k)) for k, case in enumerate(POOLS)],
    Row(F + "max_pool2d", apart(2, 5, 4), lambda x: reduced(x, largest, (2, 2), 1) ** 2,
        lambda tn, x: tn.nn.functional.max_pool2d(x, 2, 1) ** 2, label="squared"),
    *[Row(f"{F}max_pool{len(k)}d_with_indices", apart(2, *[5] * len(k)),
          lambda x, k=k: (reduced(x, largest, k, 2, 1), reduced(x, place_of_largest, k, 2, 1)),
          lambda tn, x, k=k: getattr(tn.nn.functional, f"max_pool{len(k)}d_with_indices")(x, k, 2, 1), order=1)
      for k in ((3,), (2, 3), (2, 2, 2))],
    Row(F + "avg_pool1d", normal((2, 7)), lambda x: reduced(x, mean, (3,), 2),
        lambda tn, x: tn.nn.functional.avg_pool1d(x, 3, 2)),
    Row(F + "avg_pool2d", normal((2, 4, 6)), lambda x: reduced(x, mean, (2, 2), 2) ** 2,
        lambda tn, x: tn.nn.functional.avg_pool2d(x, 2) ** 2, label="squared"),
    Row(F + "avg_pool2d", normal((2, 5, 6)), lambda x: reduced(x, mean, (3, 3), 2, 1),
        lambda tn, x: tn.nn.functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False), label="without the border"),
    Row(F + "avg_pool2d", normal((2, 5, 6)), lambda x: reduced(x, lambda p, v: v.sum(axis=-1) / 9, (3, 3), 2, 1),
        lambda tn, x: tn.nn.functional.avg_pool2d(x, 3, 2, 1), label="with the border"),
    Row(F + "avg_pool2d", normal((2, 5, 4)), lambda x: reduced(x, mean, (2, 2), 2, 0, 1, (3, 2)),
        lambda tn, x: tn.nn.functional.avg_pool2d(x, 2, ceil_mode=True), label="over the end"),
    Row(F + "avg_pool3d", normal((1, 3, 4, 3)), lambda x: reduced(x, lambda p, v: v.sum(axis=-1) / 5, (2, 2, 2), 1),
        lambda tn, x: tn.nn.functional.avg_pool3d(x, 2, 1, divisor_override=5)),
    *[Row(f"{F}lp_pool{d}d", lambda rng, d=d: (rng.uniform(0.5, 2, (2, *[4] * d)),),
          lambda x, d=d: reduced(x, lambda p, v: (v ** 3).sum(axis=-1) ** (1 / 3), (2,) * d, 2),
          lambda tn, x, d=d: getattr(tn.nn.functional, f"lp_pool{d}d")(x, 3, 2)) for d in (1, 2, 3)],
    Row(F + "adaptive_avg_pool1d", normal((2, 7)), lambda x: shared(x, (3,), np.mean),
        lambda tn, x: tn.nn.functional.adaptive_avg_pool1d(x, 3)),
    Row(F + "adaptive_avg_pool2d", normal((2, 4, 5)), lambda x: shared(x, (2, 3), np.mean) ** 2,
        lambda tn, x: tn.nn.functional.adaptive_avg_pool2d(x, (2, 3)) ** 2, label="squared"),
    Row(F + "adaptive_avg_pool2d", normal((2, 4, 5)), lambda x: shared(x, (1, 1), np.mean),
        lambda tn, x: tn.nn.functional.adaptive_avg_pool2d(x, 1), label="of all"),
    Row(F + "adaptive_avg_pool3d", normal((1, 4, 3, 2)), lambda x: shared(x, (2, 3, 1), np.mean),
        lambda tn, x: tn.nn.functional.adaptive_avg_pool3d(x, (2, None, 1))),
    Row(F + "adaptive_max_pool1d", apart(2, 7), lambda x: shared(x, (3,), np.max),
        lambda tn, x: tn.nn.functional.adaptive_max_pool1d(x, 3)),
    Row(F + "adaptive_max_pool2d", apart(2, 4, 5), lambda x: shared(x, (3, 1), np.max),
        lambda tn, x: tn.nn.functional.adaptive_max_pool2d(x, (3, 1))),
    Row(F + "adaptive_max_pool3d", apart(1, 4, 3, 3), lambda x: shared(x, (2, 2, 3), np.max),
        lambda tn, x: tn.nn.functional.adaptive_max_pool3d(x, (2, 2, None))),
    Row(F + "fractional_max_pool2d", apart(1, 7, 6), fractional, lambda tn, x: tn.nn.functional.fractional_max_pool2d(
        x, 2, (4, 3), _random_samples=tn.tensor(SAMPLES, device=x.device))),
    Row(F + "fractional_max_pool3d", apart(1, 3, 3, 3), lambda x: reduced(x, largest, (2, 2, 2), 1),
        lambda tn, x: tn.nn.functional.fractional_max_pool3d(x, 2, 2)),
    Row(F + "max_unpool2d", lambda rng: (rng.standard_normal((2, 2, 2)), PLACES), unpooled,
        lambda tn, x, places: tn.nn.functional.max_unpool2d(x, places, 2)),
    Row(F + "max_unpool1d", lambda rng: (rng.standard_normal((1, 2)), np.array([[3, 0]])),
        lambda x, places: np.array([[x[0, 1], 0, 0, x[0, 0]]]),
        lambda tn, x, places: tn.nn.functional.max_unpool1d(x, places, 2)),
    Row(F + "max_unpool3d", lambda rng: (rng.standard_normal((1, 1, 1, 1)), np.array([[[[6]]]])),
        lambda x, places: np.where(np.arange(8) == 6, x.item(), 0).reshape(1, 2, 2, 2),
        lambda tn, x, places: tn.nn.functional.max_unpool3d(x, places, 2)),
]
