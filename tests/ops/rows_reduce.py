"""Rows of reductions: sums, products, extremes, truth, spread, order statistics, norms."""
import numpy as np

from tests.ops.table import Row, normal

NAN, INF = float("nan"), float("inf")


def ties(rng):
    """Integers as floats: several elements share each extreme. Its derivative is checked apart (test_reduce)."""
    return (rng.integers(0, 3, (3, 4)).astype(float),)


def distinct(*shape):
    """Elements well apart from each other and from 0, in random order, so that no difference meets a kink."""
    n = int(np.prod(shape))
    return lambda rng: (rng.permutation(np.arange(1, n + 1) * rng.choice([-1.0, 1.0], n)).reshape(shape) * 0.37,)


def zeros_at(*places):
    """Inputs (3, 4) with zeros at flat places."""
    def inputs(rng):
        x = rng.uniform(0.5, 2, (3, 4)) * rng.choice([-1.0, 1.0], (3, 4))
        x.reshape(-1)[list(places)] = 0
        return (x,)
    return inputs


def with_nan(rng):
    x = rng.standard_normal((3, 4))
    x[0, 1] = x[2, 3] = NAN
    return (x,)


def over(name, reference=None, inputs=None, axes=(None, 0, -1, (0, 2)), **fields):
    """One row per axis, the last with keepdims, on (2, 3, 4) unless told otherwise."""
    reference = reference or getattr(np, name)
    inputs = inputs or normal((2, 3, 4))
    rows = [Row(name, inputs, lambda x, a=a: reference(x, axis=a), lambda tn, x, a=a: getattr(tn, name)(x, axis=a),
                label=f"axis={a}", **fields) for a in axes]
    last = axes[-1]
    kept = Row(name, inputs, lambda x: reference(x, axis=last, keepdims=True),
               lambda tn, x: getattr(tn, name)(x, axis=last, keepdims=True), label=f"axis={last} keepdims", **fields)
    return [*rows, kept]


def naive_prod_of_axis(x, axis, keepdims=False):
    """The product by a loop along one axis."""
    out = np.ones([n for i, n in enumerate(x.shape) if i != axis % x.ndim])
    for part in np.moveaxis(x, axis, 0):
        out = out * part
    return np.expand_dims(out, axis) if keepdims else out


def vector_norm(p):
    """The p-norm over axes from its definition."""
    def reference(x, axis=None, keepdims=False):
        size = np.abs(x)
        if p == INF:
            return size.max(axis=axis, keepdims=keepdims)
        if p == -INF:
            return size.min(axis=axis, keepdims=keepdims)
        if p == 0:
            return np.asarray(np.count_nonzero(x, axis=axis, keepdims=keepdims)).astype(float)
        return np.asarray((size ** p).sum(axis=axis, keepdims=keepdims) ** (1 / p))
    return reference


def norm_rows(p, **fields):
    reference = vector_norm(p)
    return [
        Row("norm", distinct(3, 4), lambda x: reference(x), lambda tn, x: tn.norm(x, p), label=f"p={p}", **fields),
        Row("norm", distinct(2, 3, 4), lambda x: reference(x, (0, 2), True),
            lambda tn, x: tn.norm(x, p, axis=(0, 2), keepdims=True), label=f"p={p} keepdims", **fields),
    ]


def quantiles(method, q, axis, shape=(3, 5), keepdims=False):
    return Row("quantile", distinct(*shape), lambda x: np.quantile(x, q, axis=axis, method=method, keepdims=keepdims),
               lambda tn, x: tn.quantile(x, q, axis, method=method, keepdims=keepdims), order=2,
               label=f"{method} q={q} axis={axis}")


def bits(rng):
    return (rng.integers(0, 2, (3, 4, 2)).astype(bool),)


def aminmax(x, axis=None):
    return x.min(axis=axis), x.max(axis=axis)


ROWS = [
    *over("sum"),
    Row("sum", normal((2, 3)), lambda x: x, lambda tn, x: tn.sum(x, axis=()), label="no axis"),
    Row("sum", normal((0, 3)), lambda x: np.zeros(3), lambda tn, x: tn.sum(x, axis=0), label="of nothing"),
    Row("sum", normal(()), lambda x: x, label="0-d"),
    Row("sum", normal((70, 70)), lambda x: x.sum(axis=1), lambda tn, x: tn.sum(x, axis=1), label="large",
        tolerance=1e-11, tolerance32=1e-4),
    Row("sum", lambda rng: (rng.integers(-5, 5, (3, 4)).astype("int32"),), lambda x: x.sum(axis=0),
        lambda tn, x: tn.sum(x, axis=0), order=0, label="int"),
    Row("sum", lambda rng: (rng.integers(-5, 5, (3, 4)),), lambda x: x.sum(dtype=float),
        lambda tn, x: tn.sum(x, dtype="float64"), order=0, label="dtype"),
    *[Row(name, lambda rng: (rng.integers(-5, 5, (3, 4)),),
          lambda x, name=name: getattr(np, name)(x, axis=1, dtype="int8"),
          lambda tn, x, name=name: getattr(tn, name)(x, axis=1, dtype="int8"), order=0, label="int8")
      for name in ("sum", "prod")],
    *over("mean"),
    Row("mean", lambda rng: (rng.integers(-5, 5, (3, 4)),), lambda x: x.mean().astype("float32"), order=0, label="int",
        tolerance=1e-7),
    Row("mean", normal((5,)), lambda x: x.mean(), lambda tn, x: tn.mean(x, dtype="float64"), dtypes=("float64",),
        label="dtype"),
    *over("prod", axes=(None, 1)),
    *over("prod", axes=((0, 2), (2, 0))),
    *[Row("prod", zeros_at(*places), lambda x: naive_prod_of_axis(x, 1), lambda tn, x: tn.prod(x, axis=1),
          label=f"{len(places)} zeros", layouts=False) for places in ((5,), (4, 6), (4, 5, 6, 7), (0, 5, 6))],
    Row("prod", zeros_at(3), lambda x: np.prod(x), label="a zero among all"),
    Row("prod", normal((3, 1)), lambda x: x[:, 0], lambda tn, x: tn.prod(x, axis=1), label="of one"),
    Row("prod", normal((0, 3)), lambda x: np.ones(3), lambda tn, x: tn.prod(x, axis=0), label="of nothing"),
    *over("max", inputs=distinct(2, 3, 4)),
    *over("min", inputs=distinct(2, 3, 4)),
    Row("max", ties, lambda x: x.max(axis=1), lambda tn, x: tn.max(x, axis=1), order=0, label="ties"),
    Row("min", ties, lambda x: x.min(), order=0, label="ties"),
    Row("max", with_nan, lambda x: np.max(x, axis=0), lambda tn, x: tn.max(x, axis=0), order=0, label="nan"),
    Row("aminmax", distinct(3, 4), aminmax),
    Row("aminmax", distinct(3, 4), lambda x: aminmax(x, 1), lambda tn, x: tn.aminmax(x, 1), label="axis"),
    *[Row(name, ties, getattr(np, name), order=0) for name in ("argmax", "argmin")],
    *[Row(name, ties, lambda x, name=name: getattr(np, name)(x, axis=-1, keepdims=True),
          lambda tn, x, name=name: getattr(tn, name)(x, axis=-1, keepdims=True), order=0, label="axis keepdims")
      for name in ("argmax", "argmin")],
    *over("any", inputs=bits, order=0, axes=(None, 1, (0, 2))),
    *over("all", inputs=bits, order=0, axes=(None, 1, (0, 2))),
    Row("any", with_nan, lambda x: np.any(x, axis=0), lambda tn, x: tn.any(x, axis=0), order=0, label="float"),
    *over("count_nonzero", inputs=ties, order=0, axes=(None, 1, (0, 1))),
    *over("var"),
    *over("std"),
    Row("var", normal((3, 4)), lambda x: x.var(axis=1, ddof=1), lambda tn, x: tn.var(x, axis=1, correction=1),
        label="sample"),
    Row("std", normal((3, 4)), lambda x: x.std(ddof=1.5), lambda tn, x: tn.std(x, correction=1.5), label="corrected"),
    Row("var", lambda rng: (rng.integers(0, 9, (3, 4)),), lambda x: np.var(x).astype("float32"), order=0, label="int",
        tolerance=1e-6),
    Row("var_mean", normal((3, 4)), lambda x: (x.var(axis=0), x.mean(axis=0)), lambda tn, x: tn.var_mean(x, 0)),
    Row("std_mean", normal((3, 4)), lambda x: (x.std(axis=0), x.mean(axis=0)), lambda tn, x: tn.std_mean(x, 0)),
    *norm_rows(2), *norm_rows(1), *norm_rows(3), *norm_rows(0.5), *norm_rows(1.5), *norm_rows(-1), *norm_rows(INF),
    *norm_rows(-INF), *norm_rows(0),
    Row("norm", lambda rng: (rng.integers(1, 9, (4,)),), lambda x: np.linalg.norm(x).astype("float32"), order=0,
        label="int", tolerance=1e-6),
    *over("nansum", inputs=normal((3, 4)), axes=(None, 1)),
    Row("nansum", with_nan, lambda x: np.nansum(x, axis=1), lambda tn, x: tn.nansum(x, axis=1), order=0, label="nan"),
    *over("nanmean", inputs=normal((3, 4)), axes=(None, 1)),
    Row("nanmean", with_nan, lambda x: np.nanmean(x, axis=0), lambda tn, x: tn.nanmean(x, axis=0), order=0,
        label="nan"),
    *over("median", inputs=distinct(2, 3, 4), axes=(None, 1, (0, 2))),
    quantiles("linear", 0.3, 1),
    quantiles("linear", [0.0, 0.5, 1.0], None),
    quantiles("lower", 0.4, 0),
    quantiles("higher", 0.4, 0),
    quantiles("midpoint", 0.3, (0, 1), keepdims=True),
    quantiles("nearest", 0.61, 1),
    Row("quantile", with_nan, lambda x: np.quantile(x, 0.5, axis=1), lambda tn, x: tn.quantile(x, 0.5, 1), order=0,
        label="nan"),
]
