"""Rows of the recurrent layers: against a loop over sequences and times, one at a time."""
import numpy as np

from tests.ops.table import Row, normal
from tinygrad_notes.ops.recurrent import gru_scan, lstm_scan, rnn_scan

SIZES = {"equal": (2, 2), "falling": (3, 1, 1), "single": (2,)}
H, P = 2, 1


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def walk(step, x, states, sizes, reverse):
    """`step(x, *states)` along every sequence on its own; what it returns, at the packed rows."""
    starts = np.cumsum(sizes) - sizes
    lengths = [sum(n > j for n in sizes) for j in range(sizes[0])]
    found = [None] * len(x)
    for j, length in enumerate(lengths):
        now = [s[j] for s in states]
        for t in reversed(range(length)) if reverse else range(length):
            found[starts[t] + j] = step(x[starts[t] + j], *now)
            now = found[starts[t] + j][:len(states)]
    return [np.stack(part) for part in zip(*found)]


def lstm(x, h, c, w, p, sizes, reverse):
    def step(row, h, c):
        i, f, n, o = np.split(row + w @ h, 4)
        i, f, n, o = sigmoid(i), sigmoid(f), np.tanh(n), sigmoid(o)
        c = f * c + i * n
        h = o * np.tanh(c)
        return (h if p is None else p @ h), c, np.stack([i, f, o, n])
    states, cells, gates = walk(step, x, (h, c), sizes, reverse)
    return states, cells, gates.swapaxes(0, 1)


def gru(x, h, w, b, sizes, reverse):
    def step(row, h):
        xr, xz, xn = np.split(row, 3)
        r, z, m = np.split(w @ h + (0 if b is None else b), 3)
        r, z = sigmoid(xr + r), sigmoid(xz + z)
        n = np.tanh(xn + r * m)
        return (1 - z) * n + z * h, np.stack([r, z, n, m])
    states, gates = walk(step, x, (h,), sizes, reverse)
    return states, gates.swapaxes(0, 1)


def rnn(x, h, w, nonlinearity, sizes, reverse):
    f = np.tanh if nonlinearity == "tanh" else lambda x: np.maximum(x, 0)
    return walk(lambda row, h: (f(row + w @ h),), x, (h,), sizes, reverse)[0]


def lstm_row(sizes, reverse, projected):
    n, s, out = SIZES[sizes][0], sum(SIZES[sizes]), P if projected else H
    shapes = [(s, 4 * H), (n, out), (n, H), (4 * H, out), *([(P, H)] if projected else [])]
    given = {"sizes": SIZES[sizes], "reverse": reverse}
    return Row("nn.LSTM", normal(*shapes), lambda x, h, c, w, p=None: lstm(x, h, c, w, p, **given),
               lambda tn, x, h, c, w, p=None: lstm_scan(x, h, c, w, p, **given),
               label=f"{sizes}{', reverse' * reverse}{', projected' * projected}")


def gru_row(sizes, reverse, bias):
    n, s = SIZES[sizes][0], sum(SIZES[sizes])
    given = {"sizes": SIZES[sizes], "reverse": reverse}
    return Row("nn.GRU", normal((s, 3 * H), (n, H), (3 * H, H), *([(3 * H,)] if bias else [])),
               lambda x, h, w, b=None: gru(x, h, w, b, **given),
               lambda tn, x, h, w, b=None: gru_scan(x, h, w, b, **given),
               label=f"{sizes}{', reverse' * reverse}{', bias' * bias}")


def rnn_row(sizes, reverse, nonlinearity):
    n, s = SIZES[sizes][0], sum(SIZES[sizes])
    given = {"sizes": SIZES[sizes], "reverse": reverse, "nonlinearity": nonlinearity}
    return Row("nn.RNN", normal((s, H), (n, H), (H, H)), lambda x, h, w: rnn(x, h, w, **given),
               lambda tn, x, h, w: rnn_scan(x, h, w, **given), label=f"{sizes}{', reverse' * reverse}, {nonlinearity}")


ROWS = [
    lstm_row("equal", False, False), lstm_row("falling", True, False), lstm_row("falling", False, True),
    lstm_row("equal", True, True), lstm_row("single", False, False),
    gru_row("equal", False, True), gru_row("falling", True, True), gru_row("falling", False, False),
    rnn_row("equal", True, "tanh"), rnn_row("falling", False, "tanh"), rnn_row("falling", True, "relu"),
]
