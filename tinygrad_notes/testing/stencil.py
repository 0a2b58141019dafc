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
    """

    h: np.ndarray
    odd: np.ndarray
    even: np.ndarray
    roundoff: np.ndarray
    left: np.ndarray
    right: np.ndarray


@dataclass
class Slope:
    """One slope with its error, and what is special about the point.

    Fields:
        value, error: the slope is value +- error; NaN where there is none.
        jump: right slope minus left slope if there is a kink, else 0.
        state: "smooth", "kink", "jump" (a discontinuity or an infinite slope) or "domain" (not finite nearby).
        step: the step the value comes from.
    """

    value: float
    error: float
    jump: float
    state: str
    step: float


def take_samples(f, center, weights, floor, steps, line):
    """Evaluate on a ladder of steps.

    Args:
        f: function of a list of arrays to a flat float64 array.
        center: f at t = 0.
        weights: (M, outputs) cotangents.
        floor: relative rounding of f: 2^-52, or that of a narrower dtype that it computes in.
        steps: the ladder.
        line: `line(t)` gives the list of arrays at x + t d, and how far t really moved.
    """
    rows = []
    size = weights.shape[0]
    squares = weights * weights
    for h in steps:
        (ahead, forward), (behind, backward) = line(h), line(-h)
        width = (forward - backward) / 2  # the step as it is after rounding
        right, left = f(ahead), f(behind)
        fine = bool(np.all(np.isfinite(right))), bool(np.all(np.isfinite(left)))
        if not all(fine) or width == 0:
            rows.append((h, np.full(size, np.nan), np.full(size, np.nan), np.full(size, np.nan), fine))
            continue
        up, down = right - center, left - center
        noise = floor * np.sqrt(squares @ (right * right + left * left))
        rows.append((width, weights @ (up - down), weights @ (up + down), noise, fine))
    h, odd, even, noise, fine = zip(*rows)
    return Samples(np.array(h), np.array(odd), np.array(even), np.array(noise),
                   np.array([b for _, b in fine]), np.array([a for a, _ in fine]))


def slopes(samples, ratio):
    """A `Slope` per cotangent."""
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
    return [_slope(samples.h[part], samples.odd[part, m], samples.even[part, m], samples.roundoff[part, m], ratio)
            for m in range(count)]


def _slope(h, odd, even, roundoff, ratio):
    noise = _noise(even, roundoff, ratio)
    jump = _kink(h, even, noise, ratio)
    # Where the even part shows a kink within the step, the odd part averages over it.
    bend = np.zeros(len(h)) if jump else _bend(h, even, ratio)
    value = odd / (2 * h)
    lost = ~_alive(odd, even, value)
    best = (np.inf, float(value[-1]), len(h) - 1)
    for level in range(1, min(len(h), 4)):
        power = ratio ** (2 * level)
        finer = (power * value[1:] - value[:-1]) / (power - 1)
        error = np.abs(finer - value[1:]) + 2 * noise[level:] / h[level:] + bend[level:]
        error[lost[level:]] = np.inf
        k = int(np.argmin(error))
        if error[k] < best[0]:
            best = (float(error[k]), float(finer[k]), level + k)
        value = finer
    error, slope, k = best
    if _diverges(odd, noise, ratio) or _diverges(even, noise, ratio):
        return Slope(slope, np.inf, 0.0, "jump", float(h[k]))
    if abs(jump) <= 1e-5 * abs(slope):  # not to be told from noise
        return Slope(slope, error + abs(jump), 0.0, "smooth", float(h[k]))
    # At a kink the even part is |h| jump / 2 each side and the odd part smooth: slope is the mean of both sides.
    return Slope(slope, error, jump, "kink" if jump else "smooth", float(h[k]))


def _bend(h, even, ratio):
    """Per rung, the jump of the slope somewhere within the step; h^2 and h^4 are removed."""
    r = float(ratio)
    seen = (even[:-2] - (r ** 2 + r ** 4) * even[1:-1] + r ** 6 * even[2:]) / (h[:-2] * (1 - r) * (1 - r ** 3))
    seen = np.abs(seen)
    return np.concatenate([seen[:1], seen[:1], seen]) if len(seen) else np.zeros(len(h))


def _noise(even, roundoff, ratio):
    """Per rung, the noise of one sample: what is left of the even part at this and all smaller steps."""
    r = float(ratio)
    smooth = even[:-2] - (r ** 2 + r ** 4) * even[1:-1] + r ** 6 * even[2:]  # h^2 and h^4 removed
    kinked = even[:-2] - (r + r ** 2) * even[1:-1] + r ** 3 * even[2:]       # h and h^2 removed
    torn = even[:-2] - (1 + r) * even[1:-1] + r * even[2:]                    # 1 and h removed
    seen = np.minimum(np.abs(smooth) / np.sqrt(1 + (r ** 2 + r ** 4) ** 2 + r ** 12),
                      np.abs(kinked) / np.sqrt(1 + (r + r ** 2) ** 2 + r ** 6))
    seen = np.minimum(seen, np.abs(torn) / np.sqrt(1 + (1 + r) ** 2 + r ** 2))
    seen = np.maximum.accumulate(seen[::-1])[::-1]
    seen = np.concatenate([seen, np.full(2, seen[-1] if seen.size else 0.0)])
    return roundoff + 3 * seen


def _alive(odd, even, table):
    """Rungs that are not lost to rounding: where f does not move at all although larger steps show a clear slope."""
    moved = (odd != 0) | (even != 0)
    if moved.all() or not moved.any():
        return np.ones(len(odd), dtype=bool)
    steady = [abs(table[k] - table[k + 1]) <= 1e-3 * abs(table[k]) for k in range(len(odd) - 1)
              if moved[k] and moved[k + 1]]
    return moved if any(steady) else np.ones(len(odd), dtype=bool)


def _diverges(part, noise, ratio):
    """Whether a part of phi shrinks more slowly than h: a jump (not at all) or an infinite slope (a root of h)."""
    # A root of h hides in the filters that noise is read from: take it from the smallest steps.
    clear = np.flatnonzero(np.abs(part) > 100 * np.median(noise[-max(1, len(noise) // 3):]))
    if len(clear) < 3 or clear[-1] - clear[-3] != 2:
        return False
    a, b, c = np.abs(part[clear[-3:]])
    return a < b * ratio ** 0.8 and b < c * ratio ** 0.8


def _kink(h, even, noise, ratio):
    """The jump of the slope at t = 0; 0 if there is none."""
    jump = (ratio ** 2 * even[1:] - even[:-1]) / ((ratio - 1) * h[:-1])
    error = 2 * ratio ** 2 * noise[1:] / ((ratio - 1) * h[:-1])
    clear = np.flatnonzero(np.abs(jump) > 20 * error)
    if len(clear) == 0:
        return 0.0
    k = clear[-1]  # a smooth function's grows like h^3 from the smallest step at which it is seen
    if np.any(error[k + 1:] < 0.05 * abs(jump[k])):
        return 0.0  # it would be seen at still smaller steps: the kink is near, not here
    if k == 0 or not 0.5 < jump[k - 1] / jump[k] < 2:
        return 0.0
    if k >= 2 and not 0.4 < jump[k - 2] / jump[k] < 2.5:
        return 0.0
    return float(jump[k])
