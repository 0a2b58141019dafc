"""Rows of gated and competing activations."""
import numpy as np
import scipy.special

from tests.ops.table import Row, normal


def apart(*shape):
    """Numbers no two of which are close."""
    return lambda rng: (rng.permutation(24) / 5.0 - 2.1).reshape(shape)


def halves(f):
    """a f(b) of the two halves of the last axis."""
    return lambda x: x[:, :3] * f(x[:, 3:])


def winners(x, k, axis):
    """x with all but the k largest along an axis set to 0, line by line."""
    out = np.zeros_like(x)
    for line, into in zip(np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis]),
                          np.ndindex(*np.delete(x.shape, axis))):
        for place in np.argsort(-line)[:k]:
            out[(*into[:axis], place, *into[axis:])] = line[place]
    return out


def projected(x):
    """The nearest point of the simplex, for each row, by bisection on the level."""
    out = []
    for row in x:
        low, high = row.max() - 1, row.max()
        for _ in range(200):
            level = (low + high) / 2
            low, high = (level, high) if np.maximum(row - level, 0).sum() > 1 else (low, level)
        out.append(np.maximum(row - level, 0))
    return np.array(out)


ROWS = [
    *[Row(f"nn.functional.{name}", normal((4, 6)), halves(f)) for name, f in {
        "glu": scipy.special.expit, "swiglu": lambda b: b * scipy.special.expit(b),
        "geglu": lambda b: b * scipy.special.ndtr(b), "reglu": lambda b: np.maximum(b, 0)}.items()],
    Row("nn.functional.kwta", normal((3, 5)), lambda x: winners(x, 2, 1), lambda tn, x: tn.nn.functional.kwta(x, 2)),
    Row("nn.functional.kwta", normal((5, 2, 3)), lambda x: winners(x, 3, 0),
        lambda tn, x: tn.nn.functional.kwta(x, 0.5, dim=0), label="share, axis 0"),
    Row("nn.functional.maxout", apart(4, 6), lambda x: x.reshape(4, 2, 3).max(2),
        lambda tn, x: tn.nn.functional.maxout(x, 3)),
    Row("nn.functional.maxout", apart(6, 4), lambda x: x.reshape(3, 2, 4).max(1) ** 2,
        lambda tn, x: tn.nn.functional.maxout(x, 2, dim=0) ** 2, label="axis 0, squared"),
    Row("nn.functional.sparsemax", normal((5, 6)), projected),
    Row("nn.functional.sparsemax", lambda rng: 0.1 * rng.standard_normal((4, 3)), lambda x: projected(x.T).T ** 2,
        lambda tn, x: tn.nn.functional.sparsemax(x, dim=0) ** 2, label="axis 0, all inside, squared"),
]
