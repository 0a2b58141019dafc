"""A step length that satisfies the strong Wolfe conditions: enough descent, and a slope that has flattened."""

from __future__ import annotations

from math import isfinite, sqrt
from typing import Any, NamedTuple


class Point(NamedTuple):
    """A point on the line: step length, loss there, gradient, and its component along the direction."""

    t: float
    loss: float
    gradient: Any
    slope: float


def strong_wolfe(evaluate, start, t, reach, c1=1e-4, c2=0.9, tolerance=1e-9, most=25):
    """Find t with loss(t) <= loss(0) + c1 t slope(0) and |slope(t)| <= c2 |slope(0)|.

    Args:
        evaluate: function of t that returns a `Point`.
        start: the `Point` at t = 0, its slope negative.
        t: the first guess.
        reach: the largest change of a parameter at t = 1; a bracket below `tolerance` / reach is not divided further.
        c1, c2: 0 < c1 < c2 < 1.
        tolerance: see `reach`.
        most: evaluations after the first one.

    Returns:
        (the best `Point`, the number of evaluations).

    Source: Nocedal & Wright 2006, "Numerical optimization", algorithms 3.5 and 3.6.
    """

    def too_high(point):
        return not point.loss <= start.loss + c1 * point.t * start.slope  # also where the loss is not a number

    def flat(point):
        return abs(point.slope) <= -c2 * start.slope

    previous, point, used = start, evaluate(t), 0
    while used < most:  # go further until the minimum is between two points
        if too_high(point) or (used > 1 and point.loss >= previous.loss):
            break
        if flat(point):
            return point, used + 1
        if point.slope >= 0:
            break
        t = cubic_minimum(previous, point, point.t + 0.01 * (point.t - previous.t), 10 * point.t)
        previous, point, used = point, evaluate(t), used + 1
    bracket = [previous if used < most else start, point]
    stuck = False
    while used < most:  # narrow the bracket
        low, high = sorted(bracket, key=lambda p: p.t)
        if (high.t - low.t) * reach < tolerance:
            break
        t = cubic_minimum(*bracket, low.t, high.t)
        margin = 0.1 * (high.t - low.t)
        near = min(high.t - t, t - low.t) < margin
        if near and (stuck or t >= high.t or t <= low.t):
            t = high.t - margin if abs(t - high.t) < abs(t - low.t) else low.t + margin
            near = False
        stuck = near
        point, used = evaluate(t), used + 1
        best = _best(bracket)
        worst = 1 - best
        if too_high(point) or point.loss >= bracket[best].loss:
            bracket[worst] = point
            continue
        if flat(point):
            return point, used + 1
        if point.slope * (bracket[worst].t - bracket[best].t) >= 0:
            bracket[worst] = bracket[best]
        bracket[best] = point
    return bracket[_best(bracket)], used + 1


def _best(bracket):
    return 0 if bracket[0].loss <= bracket[1].loss or not isfinite(bracket[1].loss) else 1


def cubic_minimum(one, two, low, high):
    """Where the cubic through two points and their slopes is least, within [low, high]; the middle if nowhere."""
    if one.t > two.t:
        one, two = two, one
    d1 = one.slope + two.slope - 3 * (one.loss - two.loss) / (one.t - two.t) if one.t != two.t else float("nan")
    square = d1 * d1 - one.slope * two.slope
    if square >= 0:
        d2 = sqrt(square)
        below = two.slope - one.slope + 2 * d2
        if below != 0:
            return min(max(two.t - (two.t - one.t) * (two.slope + d2 - d1) / below, low), high)
    return (low + high) / 2
