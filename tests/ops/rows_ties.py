"""Rows at ties and corners: the gradient there must be a valid subgradient, and ties must share theirs."""
import numpy as np

from tests.ops.table import Row


def fixed(*arrays):
    """These very values."""
    return lambda rng: tuple(np.array(a, dtype=None if np.asarray(a).dtype.kind == "i" else "float64") for a in arrays)


def row(name, inputs, oracle, call=None, label="at ties"):
    return Row(name, inputs, oracle, call, order=1, label=label, kinks=True)


X, Y = [1.0, 2.0, -1.0, 0.5], [1.0, 3.0, -1.0, 0.5]
M = [[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [0.0, 1.0, -1.0]]
IDS = np.array([0, 0, 1, 1, 1])

ROWS = [
    row("maximum", fixed(X, Y), np.maximum),
    row("minimum", fixed(X, Y), np.minimum),
    row("fmax", fixed(X, Y), np.fmax),
    row("fmin", fixed(X, Y), np.fmin),
    row("max", fixed(M), lambda x: x.max(1), lambda tn, x: tn.max(x, axis=1)),
    row("min", fixed(M), lambda x: x.min(1), lambda tn, x: tn.min(x, axis=1)),
    row("max", fixed(M), np.max, label="ties over all axes"),
    row("sort", fixed(M), lambda x: np.sort(x, 1), lambda tn, x: tn.sort(x, axis=1)),
    row("relu", fixed([0.0, 1.0, -1.0]), lambda x: np.maximum(x, 0), label="corner"),
    row("abs", fixed([0.0, 1.0, -1.0]), np.abs, label="corner"),
    row("clip", fixed([-1.0, 1.0, 0.0, 3.0]), lambda x: np.clip(x, -1, 1), lambda tn, x: tn.clip(x, -1, 1), "corners"),
    row("where", fixed([1.0, 2.0], [1.0, 3.0]), np.maximum, lambda tn, x, y: tn.where(x >= y, x, y)),
    row("segment_max", fixed([2.0, 2.0, 1.0, 4.0, 4.0], IDS), lambda x, i: np.array([x[:2].max(), x[2:].max()]),
        lambda tn, x, i: tn.segment_max(x, i, 2)),
    row("segment_min", fixed([2.0, 2.0, 4.0, 1.0, 1.0], IDS), lambda x, i: np.array([x[:2].min(), x[2:].min()]),
        lambda tn, x, i: tn.segment_min(x, i, 2)),
]
