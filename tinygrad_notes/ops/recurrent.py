"""Recurrent layers over whole sequences: one operation per layer and direction.

Sequences are packed: the rows of time 0 of all sequences, longest first, then those of time 1 of the sequences that
reach it, and so on. `sizes[t]` sequences are at work at time t; they are the first rows of the state.

    S rows (sum of sizes)   N sequences (sizes[0])   H hidden size   P size of the output (H, or the projected size)

What the inputs contribute to the gates, `x`, is computed before, for all times in one product. The gradient for
the recurrent weight is one product over all times as well. The walk back through time only multiplies by slopes that
are computed before it, so that a step is few operations; recorded, it can be differentiated again.
"""
from itertools import accumulate

from numpy import errstate

from ..autograd import joint
from ..autograd.plan import CALLS
from ..backend.kernels import kernel

__all__ = []


# Walking through packed rows -------------------------------------------------------
def steps(sizes, reverse):
    """(start, stop) of the rows of each time, in the order in which they are computed."""
    stops = tuple(accumulate(sizes))
    spans = [(stop - n, stop) for n, stop in zip(sizes, stops)]
    return spans[::-1] if reverse else spans


def _before(xp, first, states, sizes, reverse):
    """For each row the state that went into its step: that of the row before it, or of `first` (N, ...)."""
    n = sizes[0]
    if n == sizes[-1]:  # all of one length
        if len(sizes) == 1:
            return first
        pieces = xp.split(states, ((len(sizes) - 1) * n,) if not reverse else (n,), axis=0)
        return xp.concat((first, pieces[0]) if not reverse else (pieces[1], first), axis=0)
    cut = xp.split(states, tuple(accumulate(sizes[:-1])), axis=0)
    if not reverse:
        return xp.concat([first, *[s if a == b else s[:b] for s, a, b in zip(cut, sizes, sizes[1:])]], axis=0)
    starts = sorted({b for b in sizes if b < n})  # backwards in time, sequences begin at these rows
    begin = dict(zip([*starts[1:], n], xp.split(first, tuple(starts), axis=0)[1:]))
    parts = [first[:sizes[-1]]]
    for s, b, a in zip(cut[:0:-1], sizes[:0:-1], sizes[-2::-1]):
        parts = [s, *parts] if a == b else [xp.concat((s, begin[a]), axis=0), *parts]
    return xp.concat(parts, axis=0)


class _Carry:
    """The gradient of the state on its way back through time, cut or filled up to the rows at work."""

    def __init__(self, xp):
        self.xp, self.now, self.done = xp, None, []

    def onto(self, g, like):
        """`g`, of the shape of `like`, plus what comes for its rows; what comes for other rows is final."""
        now = self.now
        if now is None:
            return g
        if now.shape[0] > like.shape[0]:
            now, rest = self.xp.split(now, (like.shape[0],), axis=0)
            self.done.append(rest)
        elif now.shape[0] < like.shape[0]:
            now = self.xp.concat((now, self.xp.zeros_like(like[now.shape[0]:])), axis=0)
        return g + now

    def first(self):
        """The gradient for the first state (N, ...)."""
        return self.xp.concat((self.now, *self.done[::-1]), axis=0) if self.done else self.now


def recorded(name, composite):
    """Make `composite(xp, ...)` what rules call as `xp.<name>` while they are recorded; on arrays it is a kernel."""
    from .. import ops
    CALLS[name] = lambda *args: composite(ops, *args)


def _weight(xp, g, inputs):
    """The gradient of a weight (M, K) that made rows of M from `inputs`, rows of K."""
    return xp.matmul(xp.matrix_transpose(g), inputs)


def _back(xp, sizes, reverse, *arrays):
    """For each time, last computed first: (time, the rows of each array or None)."""
    cut = [None if a is None else xp.split(a, tuple(accumulate(sizes[:-1])), axis=0) for a in arrays]
    times = range(len(sizes)) if reverse else range(len(sizes) - 1, -1, -1)
    return [(t, *[None if a is None else a[t] for a in cut]) for t in times]


def _gathered(xp, found):
    """Rows of all times from a dict by time."""
    return xp.concat([found[t] for t in range(len(found))], axis=0) if len(found) > 1 else found[0]


def _fitting(xp, now, first, b):
    """The state of the `b` sequences at work, in a forward pass; those that just begin come from `first`."""
    if now.shape[0] < b:
        return xp.concat((now, first[now.shape[0]:b]), axis=0)
    return now[:b]


# The plain layer ---------------------------------------------------------------------
def _rnn(xp, x, h, w, *, nonlinearity, sizes, reverse):
    states, w, now = xp.empty_like(x), w.T, h
    for start, stop in steps(sizes, reverse):
        row = states[start:stop]
        xp.add(x[start:stop], xp.matmul(_fitting(xp, now, h, stop - start), w), out=row)
        if nonlinearity == "tanh":
            xp.tanh(row, out=row)
        else:
            xp.maximum(row, 0, out=row)
        now = row
    return states


def _rnn_pull(xp, g, h, w, out, needs, nonlinearity, sizes, reverse):
    slope = 1 - out * out if nonlinearity == "tanh" else xp.astype(out > 0, out.dtype)
    carry, found = _Carry(xp), {}
    for t, gt, s in _back(xp, sizes, reverse, g, slope):
        found[t] = d = carry.onto(gt, gt) * s
        carry.now = xp.matmul(d, w)
    dx = _gathered(xp, found)
    return dx, carry.first(), _weight(xp, dx, _before(xp, h, out, sizes, reverse)) if needs[2] else None


# x (S, H), h (N, H), w (H, H) -> states (S, H): h' = f(x + w h).
rnn_scan = joint("rnn_scan", _rnn, _rnn_pull, kind="contraction")


# LSTM ----------------------------------------------------------------------------------
def _logistic_of_negative(xp, x):
    """The logistic function of -x, in place."""
    xp.exp(x, out=x)
    x += 1
    xp.reciprocal(x, out=x)


def _by_gate(xp, x, gates):
    """(N, G*H) -> (G, N, H), a view."""
    return xp.permute_dims(xp.reshape(x, (x.shape[0], gates, x.shape[1] // gates)), (1, 0, 2))


ORDER = (0, 1, 3, 2)  # weights have the gates in the order i f n o; here they are i f o n


def _lstm(xp, x, h, c, w, p, *, sizes, reverse):
    rows, n, size = x.shape[0], c.shape[0], c.shape[1]
    gates, cells = xp.empty((4, rows, size), dtype=x.dtype), xp.empty((rows, size), dtype=x.dtype)
    states = xp.empty((rows, h.shape[1]), dtype=x.dtype)
    parts, some = xp.empty((n, 4 * size), dtype=x.dtype), xp.empty((n, size), dtype=x.dtype)
    by_gate = _by_gate(xp, parts, 4)
    w, now, cell = xp.ascontiguousarray(w.T), h, c
    with errstate(over="ignore"):
        for start, stop in steps(sizes, reverse):
            b, new = stop - start, gates[:, start:stop]
            part, work = parts[:b], some[:b]
            xp.matmul(_fitting(xp, now, h, b), w, out=part)
            part += x[start:stop]
            xp.negative(by_gate[:2, :b], out=new[:2])
            xp.negative(by_gate[3, :b], out=new[2])
            xp.tanh(by_gate[2, :b], out=new[3])
            _logistic_of_negative(xp, new[:3])
            before, cell, now = _fitting(xp, cell, c, b), cells[start:stop], states[start:stop]
            xp.multiply(new[0], new[3], out=cell)
            xp.multiply(new[1], before, out=work)
            cell += work
            xp.tanh(cell, out=work)
            if p is None:
                xp.multiply(work, new[2], out=now)
            else:
                work *= new[2]
                xp.matmul(work, p.T, out=now)
    return states, cells, gates


@kernel
def lstm_back(xp, gh, gc, gg, before, w, p, cells, gates, sizes, reverse):
    """What `_lstm_back` computes, step by step in place: arrays of one step fit into the cache."""
    n, size = sizes[0], cells.shape[1]
    dx = xp.empty((cells.shape[0], 4 * size), dtype=w.dtype)
    by_gate = _by_gate(xp, dx, 4)
    dh, dc = [xp.zeros((n, m), dtype=w.dtype) for m in (w.shape[1], size)]
    through = None if p is None else xp.empty((cells.shape[0], p.shape[0]), dtype=w.dtype)
    w = xp.stack([xp.reshape(w, (4, size, w.shape[1]))[k] for k in ORDER], axis=0)
    slopes, products = [xp.empty((4, n, m), dtype=w.dtype) for m in (size, w.shape[2])]
    more, squash = xp.empty_like(dc), xp.empty_like(dc)
    for start, stop in reversed(steps(sizes, reverse)):
        b, at = stop - start, gates[:, start:stop]
        g, cell, part, squashed, now = dh[:b], dc[:b], more[:b], squash[:b], slopes[:, :b]
        if gh is not None:
            g += gh[start:stop]
        if p is not None:
            through[start:stop] = g
            g = xp.matmul(g, p)
        xp.subtract(1, at[:3], out=now[:3])  # slopes of the four functions: i - i i, f - f f, o - o o, 1 - n n
        now[:3] *= at[:3]
        xp.multiply(at[3], at[3], out=part)
        xp.subtract(1, part, out=now[3])
        direct = None if gg is None else now * gg[:, start:stop]
        xp.tanh(cells[start:stop], out=squashed)
        now[2] *= squashed
        now[2] *= g
        squashed *= squashed
        xp.subtract(1, squashed, out=squashed)
        squashed *= at[2]
        squashed *= g
        cell += squashed
        if gc is not None:
            cell += gc[start:stop]
        now[0] *= at[3]
        now[1] *= before[start:stop]
        now[3] *= at[0]
        now[:2] *= cell
        now[3] *= cell
        if direct is not None:
            now += direct
        cell *= at[1]
        for k, gate in enumerate(ORDER):
            by_gate[gate, start:stop] = now[k]
        product = products[:, :b]
        xp.matmul(now, w, out=product)
        product[:2] += product[2:]
        xp.add(product[0], product[1], out=dh[:b])
    return dx, dh, dc, through


def _lstm_back(xp, gh, gc, gg, before, w, p, cells, gates, sizes, reverse):
    """The gradients for x (S, 4H), h and c, and of what went through p, by operations that can be differentiated."""
    i, f, o, n = xp.unstack(gates, axis=0)
    at = [i - i * i, f - f * f, 1 - n * n, o - o * o]  # slopes of the four functions
    squashed = xp.tanh(cells)
    slopes = xp.concat((n * at[0], before * at[1], i * at[2], squashed * at[3]), axis=1)
    direct = None
    if gg is not None:
        gi, gf, go, gn = xp.unstack(gg, axis=0)
        direct = xp.concat((gi * at[0], gf * at[1], gn * at[2], go * at[3]), axis=1)
    if gh is None:
        gh = xp.zeros_like(cells if p is None else xp.matmul(cells, xp.matrix_transpose(p)))
    to_cell = o - o * squashed * squashed
    dh, dc, found, through = _Carry(xp), _Carry(xp), {}, {}
    for t, ght, gct, extra, slope, into, keep in _back(xp, sizes, reverse, gh, gc, direct, slopes, to_cell, f):
        through[t] = g = dh.onto(ght, ght)
        if p is not None:
            g = xp.matmul(g, p)
        cell = g * into
        cell = dc.onto(cell if gct is None else cell + gct, keep)
        d = xp.concat((cell, cell, cell, g), axis=1) * slope
        found[t] = d = d if extra is None else d + extra
        dh.now, dc.now = xp.matmul(d, w), cell * keep
    return _gathered(xp, found), dh.first(), dc.first(), None if p is None else _gathered(xp, through)


recorded("lstm_back", _lstm_back)


def _lstm_pull(xp, parts, h, c, w, p, out, needs, sizes, reverse):
    states, cells, gates = out
    before = _before(xp, c, cells, sizes, reverse)
    dx, dh, dc, through = xp.lstm_back(*parts, before, w, p, cells, gates, sizes, reverse)
    dw = _weight(xp, dx, _before(xp, h, states, sizes, reverse)) if needs[3] else None
    dp = _weight(xp, through, gates[2] * xp.tanh(cells)) if needs[4] else None
    return dx, dh, dc, dw, dp


# x (S, 4H), h (N, P), c (N, H), w (4H, P), p (P, H) or None -> states (S, P), cells (S, H), gates (4, S, H), which are
# i, f, o after the logistic function and n after tanh: c' = f c + i n, h' = p (o tanh c'), or o tanh c' without p.
lstm_scan = joint("lstm_scan", _lstm, _lstm_pull, kind="contraction", outputs=3)


# GRU -------------------------------------------------------------------------------------
def _gru(xp, x, h, w, b, *, sizes, reverse):
    rows, size = x.shape[0], h.shape[1]
    gates, states = xp.empty((4, rows, size), dtype=x.dtype), xp.empty((rows, size), dtype=x.dtype)
    x = _by_gate(xp, x, 3)
    w, now = xp.ascontiguousarray(w.T), h
    with errstate(over="ignore"):
        for start, stop in steps(sizes, reverse):
            before, new = _fitting(xp, now, h, stop - start), gates[:, start:stop]
            part = xp.matmul(before, w)
            if b is not None:
                part += b
            part = _by_gate(xp, part, 3)
            xp.add(part[:2], x[:2, start:stop], out=new[:2])
            xp.negative(new[:2], out=new[:2])
            _logistic_of_negative(xp, new[:2])
            new[3] = part[2]
            xp.multiply(new[0], new[3], out=new[2])
            new[2] += x[2, start:stop]
            xp.tanh(new[2], out=new[2])
            now = states[start:stop]
            xp.subtract(before, new[2], out=now)
            now *= new[1]
            now += new[2]
    return states, gates


def _gru_pull(xp, parts, h, w, out, needs, sizes, reverse):
    states, gates = out
    r, z, n, m = xp.unstack(gates, axis=0)
    before = _before(xp, h, states, sizes, reverse)
    at_r, at_z, at_n = r - r * r, z - z * z, 1 - n * n
    to_n = at_n - z * at_n
    slopes = xp.concat((to_n * m * at_r, (before - n) * at_z, to_n * r), axis=1)
    direct, direct_n = None, None
    if parts[1] is not None:  # a derivative of higher order, which reads the gates
        gr, gz, gn, gm = xp.unstack(parts[1], axis=0)
        direct_n = gn * at_n
        direct = xp.concat(((gr + direct_n * m) * at_r, gz * at_z, gm + direct_n * r), axis=1)
    gh = xp.zeros_like(states) if parts[0] is None else parts[0]
    carry, found, total = _Carry(xp), {}, {}
    for t, ght, extra, slope, keep in _back(xp, sizes, reverse, gh, direct, slopes, z):
        total[t] = g = carry.onto(ght, ght)
        d = xp.concat((g, g, g), axis=1) * slope
        found[t] = d = d if extra is None else d + extra
        carry.now = g * keep + xp.matmul(d, w)
    d, dn = _gathered(xp, found), _gathered(xp, total) * to_n
    size = states.shape[1]
    dx = xp.concat((xp.split(d, (2 * size,), axis=1)[0], dn if direct_n is None else dn + direct_n), axis=1)
    dw = _weight(xp, d, before) if needs[2] else None
    return dx, carry.first(), dw, xp.sum(d, axis=0) if needs[3] else None


# x (S, 3H), h (N, H), w (3H, H), b (3H,) or None -> states (S, H), gates (4, S, H), which are r, z, n and the share m
# of the state in n: m = w_n h + b_n, n = tanh(x_n + r m), h' = (1 - z) n + z h.
gru_scan = joint("gru_scan", _gru, _gru_pull, kind="contraction", outputs=2)
