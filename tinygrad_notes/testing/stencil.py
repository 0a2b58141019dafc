"""The slope of a function along a line, by central differences, with an honest error.

Along a line x + t d the function of interest is phi(t) = <u, f(x + t d)>. Samples at t = +-h for a ladder
of steps h give its odd part, from which comes the slope, and its even part, which holds no slope and so
shows what disturbs it: rounding noise, and kinks.

    odd(h) / 2h    = phi' + phi''' h^2 / 6 + ...    Richardson's table removes h^2, h^4, h^6
    even(h) / h    = jump of phi' + phi'' h + ...   a jump that stays as h -> 0 is a kink
    even, filtered = noise                          h, h^2 (and h^4) are removed, what is left is rounding
"""
from dataclasses import dataclass

import numpy as np  # the checker computes on the host with code that it does not check

EPSILON = 2.0 ** -52


@dataclass
class Samples:
    """phi at x +- h d for several cotangents at once.

    Fields:
        h: (K,) steps, largest first, each a fixed ratio smaller than the one before.
        odd: (K, M) phi(h) - phi(-h), per cotangent.
        even: (K, M) phi(h) + phi(-h) - 2 phi(0).
        roundoff: (K, M) what rounding of the outputs alone adds to `odd`.
        left, right: (K,) whether f was finite at -h and at +h.
        least, most, still: per output, its smallest move that is not zero, its largest move, and whether it stands
            still at the last step.
    """

    h: np.ndarray
    odd: np.ndarray
    even: np.ndarray
    roundoff: np.ndarray
    left: np.ndarray
    right: np.ndarray
    least: np.ndarray
    most: np.ndarray
    still: np.ndarray


@dataclass
class Slope:
    """One slope with its error, and what is special about the point.

    Fields:
        value, error: the slope is value +- error; NaN where there is none.
        jump: right slope minus left slope if there is a kink, else 0.
        state: "smooth", "kink", "jump" (a discontinuity or an infinite slope) or "domain" (not finite nearby).
        step: the step the value comes from.
        flat: whether the function stands still for small steps although it moves for larger ones.
    """

    value: float
    error: float
    jump: float
    state: str
    step: float
    flat: bool = False


def take_samples(f, center, weights, floor, steps, line, rounding=0.0):
    """Evaluate on a ladder of steps.

    Args:
        f: function of a list of arrays to a flat float64 array.
        center: f at t = 0.
        weights: (M, outputs) cotangents.
        floor: relative rounding of f: 2^-52, or that of a narrower dtype that it computes in.
        steps: the ladder.
        line: `line(t)` gives the list of arrays at x + t d, and how far t really moved.
        rounding: how much of a step of 1 is lost when it is rounded, where `line` cannot say.
    """
    rows = []
    size = weights.shape[0]
    squares = weights * weights
    least, most, still = np.full(center.shape, np.inf), np.zeros(center.shape), np.zeros(center.shape, dtype=bool)
    for h in steps:
        (ahead, forward), (behind, backward) = line(h), line(-h)
        width = (forward - backward) / 2
        right, left = f(ahead), f(behind)
        fine = bool(np.all(np.isfinite(right))), bool(np.all(np.isfinite(left)))
        if not all(fine) or width == 0:
            rows.append((h, np.full(size, np.nan), np.full(size, np.nan), np.full(size, np.nan), fine))
            continue
        up, down = right - center, left - center
        if len(steps) > 3:  # a short ladder cannot tell
            move = np.maximum(np.abs(up), np.abs(down))
            still = move == 0
            most = np.maximum(most, move)
            least = np.minimum(least, np.where(still, np.inf, move))
        odd = weights @ (up - down)
        even = weights @ (up + down) - odd * ((forward + backward) / (2 * width))  # rounding made the steps unequal
        noise = floor * np.sqrt(squares @ (right * right + left * left)) + rounding * np.abs(odd / width)
        rows.append((width, odd, even, noise, fine))
    h, odd, even, noise, fine = zip(*rows)
    return Samples(np.array(h), np.array(odd), np.array(even), np.array(noise),
                   np.array([b for _, b in fine]), np.array([a for a, _ in fine]), least, most, still)


def slopes(samples, ratio, least, unrest, quanta):
    """A `Slope` per cotangent.

    Args, each (M,) but for the first two:
        samples, ratio: the ladder.
        least: parts of phi below this are no jumps and no kinks.
        unrest: by how much phi changes when the inputs change in their last digit.
        quanta: the step of phi where it moves in steps (`quantum`).
    """
    usable = samples.left & samples.right & np.all(np.isfinite(samples.odd), axis=1)
    first = int(np.argmax(usable)) if usable.any() else len(usable)
    if not usable[first:].all() or len(usable) - first < 3:  # rungs must follow each other
        last = first
        while last < len(usable) and usable[last]:
            last += 1
    else:
        last = len(usable)
    count = samples.odd.shape[1]
    if last - first < 3:
        return [Slope(np.nan, np.nan, 0.0, "domain", np.nan)] * count
    part = slice(first, last)
    return [_slope(samples.h[part], samples.odd[part, m], samples.even[part, m], samples.roundoff[part, m], ratio,
                   least[m], unrest[m], quanta[m]) for m in range(count)]


def _slope(h, odd, even, roundoff, ratio, least, unrest, step):
    noise = _noise(even, roundoff, ratio) + unrest + 8 * step  # larger where the arguments are
    floor = max(least, 3 * step)
    jump = _kink(h, even, noise, ratio, floor)
    # Where the even part shows a kink within the step, the odd part averages over it.
    bend = np.zeros(len(h)) if jump else _bend(h, even, ratio)
    value = odd / (2 * h)
    lost = ~_alive(odd, even, value)
    flat = bool(step or lost.any())
    estimates = []  # (error, slope, rung) of every entry of Richardson's table
    for level in range(1, min(len(h), 4)):
        power = ratio ** (2 * level)
        finer = (power * value[1:] - value[:-1]) / (power - 1)
        error = np.abs(finer - value[1:]) + 2 * noise[level:] / h[level:] + bend[level:]
        estimates += [(float(e), float(v), level + k, level) for k, (e, v) in enumerate(zip(error, finer))
                      if not lost[level + k]]
        value = finer
    error, slope, k, _ = _best(estimates, (np.inf, float(value[-1]), len(h) - 1, 0))
    if _diverges(odd, roundoff, ratio, floor) or _diverges(even, roundoff, ratio, floor):
        return Slope(slope, np.inf, 0.0, "jump", float(h[k]))
    if abs(jump) <= 1e-5 * abs(slope):  # not to be told from noise
        return Slope(slope, error + abs(jump), 0.0, "smooth", float(h[k]), flat)
    # At a kink the even part is |h| jump / 2 each side and the odd part smooth: slope is the mean of both sides.
    return Slope(slope, error, jump, "kink" if jump else "smooth", float(h[k]), flat)


def _best(estimates, none):
    """The estimate of the smallest error, unless two from smaller steps agree that it is another."""
    best = none
    while estimates:
        best = min(estimates)
        error, slope, k, _ = best
        against = [e for e in estimates if e[2] > k and abs(e[1] - slope) > 10 * (e[0] + error)]
        estimates = [e for e in against if any(_agree(e, other, slope) for other in against)]
    return best


def _agree(one, other, slope):
    """Whether two estimates from neighbouring steps are closer to each other than to `slope`."""
    gap = abs(one[1] - other[1])
    neighbours = one[3] == other[3] and abs(one[2] - other[2]) == 1
    return neighbours and gap < min(10 * (one[0] + other[0]), 0.1 * abs(one[1] - slope))


def _bend(h, even, ratio):
    """Per rung, the jump of the slope somewhere within the step; h^2 and h^4 are removed."""
    r = float(ratio)
    seen = (even[:-2] - (r ** 2 + r ** 4) * even[1:-1] + r ** 6 * even[2:]) / (h[:-2] * (1 - r) * (1 - r ** 3))
    seen = np.abs(seen)
    return np.concatenate([seen[:1], seen[:1], seen]) if len(seen) else np.zeros(len(h))


def _noise(even, roundoff, ratio):
    """Per rung, the noise of one sample: what is left of the even part at this and all smaller steps."""
    seen = np.minimum(*_filtered(even, float(ratio)))
    seen = np.maximum.accumulate(seen[::-1])[::-1]
    seen = np.concatenate([seen, np.full(2, seen[-1] if seen.size else 0.0)])
    return roundoff + 3 * seen


def _filtered(even, r):
    """The even part without h^2 and h^4, and without h and h^2: what is left, in units of one sample."""
    smooth = even[:-2] - (r ** 2 + r ** 4) * even[1:-1] + r ** 6 * even[2:]
    kinked = even[:-2] - (r + r ** 2) * even[1:-1] + r ** 3 * even[2:]
    return (np.abs(smooth) / np.sqrt(1 + (r ** 2 + r ** 4) ** 2 + r ** 12),
            np.abs(kinked) / np.sqrt(1 + (r + r ** 2) ** 2 + r ** 6))


def roughness(ahead, behind, center, ratio):
    """The noise of a function from its values (K,) at a ladder of steps on both sides of the point."""
    return float(np.max(_filtered(ahead + behind - 2 * center, float(ratio))))


def quantum(ladders, weights):
    """(M,) the least move of phi where outputs move in steps, as one that cancels or rounds inside does; else 0.

    `ladders` are the `Samples` of one line. Such an output stands still for the smallest step, and its least move is
    small beside its largest.
    """
    still = np.any([s.still for s in ladders], axis=0)
    if not still.any():
        return np.zeros(len(weights))
    least, most = np.min([s.least for s in ladders], axis=0), np.max([s.most for s in ladders], axis=0)
    return np.abs(weights) @ np.where(still & (least < 1e-3 * most), least, 0.0)


def _alive(odd, even, table):
    """Rungs that are not lost to rounding: where f does not move at all although larger steps show a clear slope."""
    moved = (odd != 0) | (even != 0)
    if moved.all() or not moved.any():
        return np.ones(len(odd), dtype=bool)
    steady = [abs(table[k] - table[k + 1]) <= 1e-3 * abs(table[k]) for k in range(len(odd) - 1)
              if moved[k] and moved[k + 1]]
    return moved if any(steady) else np.ones(len(odd), dtype=bool)


def _diverges(part, roundoff, ratio, least):
    """Whether a part of phi shrinks more slowly than h: a jump (not at all) or an infinite slope (a root of h)."""
    clear = np.flatnonzero((np.abs(part) > 100 * roundoff) & (np.abs(part) > least))
    if len(clear) < 3 or clear[-1] - clear[-3] != 2:
        return False
    a, b, c = part[clear[-3:]]
    steady = a * b > 0 and b * c > 0 and 0.8 < (a * c) / (b * b) < 1.25  # a power of h, as noise is not
    return bool(steady and abs(a) < abs(b) * ratio ** 0.8)


def _kink(h, even, noise, ratio, least):
    """The jump of the slope at t = 0; 0 if there is none."""
    jump = (ratio ** 2 * even[1:] - even[:-1]) / ((ratio - 1) * h[:-1])
    error = 2 * ratio ** 2 * noise[1:] / ((ratio - 1) * h[:-1])
    clear = np.flatnonzero((np.abs(jump) > 20 * error) & (np.abs(even[1:]) > least))
    if len(clear) == 0:
        return 0.0
    k = clear[-1]  # a smooth function's grows like h^3 from the smallest step at which it is seen
    if np.any(error[k + 1:] < 0.05 * abs(jump[k])):
        return 0.0  # it would be seen at still smaller steps: the kink is near, not here
    if k == 0 or not 0.7 < jump[k - 1] / jump[k] < 1.4 or (k == 1 and len(h) > 3):
        return 0.0
    if k >= 2 and not 0.6 < jump[k - 2] / jump[k] < 1.6:
        return 0.0
    return float(jump[k])
