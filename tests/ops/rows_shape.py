"""Rows of operations that give the same elements another shape, order or border."""
import numpy as np

from tests.ops.table import Row, normal

MODES = ("edge", "reflect", "symmetric", "wrap")


def row(name, shape, oracle, call=None, label="", **fields):
    return Row(name, normal(shape), oracle, call, label=label, **fields)


def there_and_back(tn, x):
    """Squares computed on the other one of `cpu` and `strict`."""
    away = x.to("strict" if x.device == "cpu" else "cpu")
    return (away * away).to(x.device)


def embedded(x, offset=0, axis1=-2, axis2=-1):
    """diag_embed by a loop over the elements."""
    n = x.shape[-1] + abs(offset)
    out = np.zeros((*x.shape[:-1], n, n))
    for i in range(x.shape[-1]):
        out[..., i + max(-offset, 0), i + max(offset, 0)] = x[..., i]
    return np.moveaxis(out, (-2, -1), (axis1, axis2))


ROWS = [
    row("reshape", (2, 3, 4), lambda x: x.reshape(4, 6), lambda tn, x: tn.reshape(x, (4, -1))),
    row("reshape", (2, 3), lambda x: x.reshape(6), lambda tn, x: x.reshape(3, 2).reshape(6), "method"),
    row("reshape", (2, 3), lambda x: x.reshape(3, 2), lambda tn, x: tn.reshape(x, (3, 2), copy=True), "copy"),
    row("reshape", (), lambda x: x.reshape(1, 1), lambda tn, x: tn.reshape(x, (1, 1)), "0-d"),
    row("reshape", (0, 3), lambda x: x.reshape(3, 0), lambda tn, x: tn.reshape(x, (3, 0)), "empty"),
    row("view", (2, 6), lambda x: x.reshape(3, 4), lambda tn, x: tn.view(x, 3, 4), layouts=False),
    row("flatten", (2, 3, 4), lambda x: x.reshape(2, 12), lambda tn, x: tn.flatten(x, 1)),
    row("flatten", (), lambda x: x.reshape(1), label="0-d"),
    row("ravel", (2, 3), np.ravel),
    row("ravel", (0, 3), np.ravel, label="empty"),
    row("unflatten", (2, 12), lambda x: x.reshape(2, 3, 4), lambda tn, x: tn.unflatten(x, 1, (3, -1))),
    row("expand_dims", (2, 3), lambda x: x[:, None], lambda tn, x: tn.expand_dims(x, axis=1)),
    row("expand_dims", (2, 3), lambda x: np.expand_dims(x, (0, -1)), lambda tn, x: tn.expand_dims(x, axis=(0, -1)),
        "two"),
    row("unsqueeze", (2, 3), lambda x: x[..., None], lambda tn, x: x.unsqueeze(-1)),
    row("squeeze", (1, 3, 1), lambda x: x[0], lambda tn, x: tn.squeeze(x, axis=0)),
    row("squeeze", (1, 3, 1), np.squeeze, label="all"),
    row("permute_dims", (2, 3, 4), lambda x: x.transpose(2, 0, 1), lambda tn, x: tn.permute_dims(x, (2, 0, 1))),
    row("permute_dims", (2, 3, 4), lambda x: x.transpose(1, 0, 2), lambda tn, x: tn.permute_dims(x, (-2, 0, -1)),
        "negative"),
    row("permute", (2, 3, 4), lambda x: x.transpose(1, 2, 0), lambda tn, x: x.permute(1, 2, 0)),
    row("transpose", (2, 3, 4), np.transpose),
    row("transpose", (2, 3, 4), lambda x: np.swapaxes(x, 0, 2), lambda tn, x: x.transpose(0, -1), "two ints"),
    row("transpose", (2, 3, 4), lambda x: np.transpose(x, (1, 2, 0)), lambda tn, x: tn.transpose(x, (1, 2, 0)), "axes"),
    row("matrix_transpose", (2, 3, 4), lambda x: np.swapaxes(x, 1, 2)),
    row("matrix_transpose", (3, 4), lambda x: x.T, lambda tn, x: x.mT, "mT"),
    row("swapaxes", (2, 3, 4), lambda x: np.swapaxes(x, 0, 2), lambda tn, x: tn.swapaxes(x, 0, -1)),
    row("moveaxis", (2, 3, 4), lambda x: np.moveaxis(x, 0, -1), lambda tn, x: tn.moveaxis(x, 0, -1)),
    row("moveaxis", (2, 3, 4, 5), lambda x: np.moveaxis(x, (0, 3), (2, 0)),
        lambda tn, x: tn.moveaxis(x, (0, 3), (2, 0)), "two"),
    row("broadcast_to", (3, 1), lambda x: np.broadcast_to(x, (2, 3, 4)), lambda tn, x: tn.broadcast_to(x, (2, 3, 4))),
    row("expand", (3, 1), lambda x: np.broadcast_to(x, (2, 3, 4)), lambda tn, x: x.expand(2, -1, 4)),
    Row("broadcast_arrays", normal((3, 1), (4,)), lambda x, y: np.broadcast_arrays(x, y)),
    Row("meshgrid", normal((3,), (4,), (2,)), lambda *xs: np.meshgrid(*xs)),
    Row("meshgrid", normal((3,), (4,)), lambda *xs: np.meshgrid(*xs, indexing="ij"),
        lambda tn, *xs: tn.meshgrid(*xs, indexing="ij"), label="ij"),
    Row("meshgrid", normal((3,)), lambda x: np.meshgrid(x), label="one"),
    Row("atleast_1d", normal((), (3,)), lambda *xs: np.atleast_1d(*xs)),
    Row("atleast_2d", normal((), (3,), (2, 3)), lambda *xs: np.atleast_2d(*xs)),
    Row("atleast_3d", normal((), (3,), (2, 3)), lambda *xs: np.atleast_3d(*xs)),
    row("flip", (2, 3, 4), np.flip),
    row("flip", (2, 3, 4), lambda x: np.flip(x, (0, 2)), lambda tn, x: tn.flip(x, axis=(0, -1)), "two"),
    row("roll", (2, 3), lambda x: np.roll(x, 4), lambda tn, x: tn.roll(x, 4)),
    row("roll", (2, 3), lambda x: np.roll(x, -1, 1), lambda tn, x: tn.roll(x, -1, axis=1), "axis"),
    row("roll", (4, 3), lambda x: np.roll(x, (1, -2), (0, 1)), lambda tn, x: tn.roll(x, (1, -2), axis=(0, 1)), "axes"),
    row("roll", (4, 3), lambda x: np.roll(x, (1, 1), (0, 0)), lambda tn, x: tn.roll(x, (1, 1), axis=(0, 0)), "twice"),
    *[row("rot90", (2, 3), lambda x, k=k: np.rot90(x, k), lambda tn, x, k=k: tn.rot90(x, k), f"k={k}")
      for k in (0, 1, 2, -1)],
    row("rot90", (2, 3, 4), lambda x: np.rot90(x, 1, (2, 0)), lambda tn, x: tn.rot90(x, 1, (2, 0)), "axes"),
    row("pad", (2, 3), lambda x: np.pad(x, 1), lambda tn, x: tn.pad(x, 1)),
    row("pad", (2, 3), lambda x: np.pad(x, ((0, 2), (1, 0)), constant_values=3.5),
        lambda tn, x: tn.pad(x, ((0, 2), (1, 0)), constant_values=3.5), "value"),
    *[row("pad", (2, 3), lambda x, m=m: np.pad(x, ((1, 0), (2, 7)), m),
          lambda tn, x, m=m: tn.pad(x, ((1, 0), (2, 7)), m), m) for m in MODES],
    row("pad", (2, 3), lambda x: np.pad(x, 1) ** 2, lambda tn, x: tn.square(tn.pad(x, 1)), "squared"),
    row("tril", (2, 3, 4), np.tril),
    row("tril", (3, 4), lambda x: np.tril(x, -1), lambda tn, x: tn.tril(x, k=-1), "k=-1"),
    row("triu", (2, 3, 4), np.triu),
    row("triu", (3, 4), lambda x: np.triu(x, 2), lambda tn, x: tn.triu(x, k=2), "k=2"),
    row("diag", (3,), lambda x: np.diag(x, 1), lambda tn, x: tn.diag(x, 1)),
    row("diag", (3, 4), lambda x: np.diag(x, -1), lambda tn, x: tn.diag(x, -1), "of a matrix"),
    row("diag_embed", (2, 3), embedded),
    row("diag_embed", (2, 3), lambda x: embedded(x, -1, 0, 2), lambda tn, x: tn.diag_embed(x, -1, 0, 2), "axes"),
    row("clone", (2, 3), lambda x: x),
    row("copy", (2, 3), lambda x: x),
    row("contiguous", (2, 3), lambda x: x),
    row("contiguous", (2, 3), lambda x: x.T, lambda tn, x: x.T.contiguous(), "transposed"),
    row("to", (2, 3), lambda x: x.astype("float32"), lambda tn, x: tn.to(x, "float32"), "dtype", order=0,
        tolerance=1e-7, dtypes=()),
    row("to", (2, 3), lambda x: x, lambda tn, x: tn.to(x * 1.0, x)),
    row("to", (2, 3), lambda x: x ** 2, there_and_back, "another device and back"),
]
