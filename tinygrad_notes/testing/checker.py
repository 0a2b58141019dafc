"""Comparing the engine's gradients with slopes, input by input, element by element or along random directions."""
from dataclasses import dataclass

import numpy as np

from . import stencil
from .again import Again, jittered
from .line import Line, power_of_two, rms
from .stencil import EPSILON
from .verdict import CORRECT, INCONCLUSIVE, WRONG, Finding, InputReport

EVERY = 4096      # up to this many elements each one is moved on its own
SURE = 10         # a difference of more than this many errors is a fault
ODD = 0.7390851332151607  # no step is a whole number of periods of a function like sin(pi x)
CONFIRMED = 3     # wrong elements of an input after which the others are not looked at from close by
HIDDEN = 64       # up to this many outputs are looked at one by one
NEARBY = 16       # points close by whose slopes are taken where pieces of a function meet
LONG_LADDERS = 200  # elements per input that get the long ladder; the rest are judged by the short one


@dataclass
class Options:
    """How to check; the fields are the arguments of `gradcheck`."""

    eps: float | None = None
    atol: float = 0.0
    rtol: float = 1e-6
    fast_mode: bool | None = None
    directions: int = 3
    elements: int = 4
    seed: int = 0
    progress: object = None


class Checker:
    """One check of one `Problem`."""

    def __init__(self, problem, options):
        self.problem, self.options = problem, options
        self.rng = np.random.default_rng(options.seed)
        self.bases = [leaf.base for leaf in problem.leaves]
        self.center = problem.settle()
        self.finite = np.isfinite(self.center)
        self.center[~self.finite] = 0.0
        self.weights = self.cotangents()
        self.confirmed = 0  # wrong elements in the present input
        self.tops = []      # per cotangent and leaf, the largest element of the gradient
        self.unrest = self.last_digits()
        self.again = Again(problem, self.rng)
        self.done, self.total = 0, sum(self.planned(k) for k in range(len(self.bases)))

    # Evaluations --------------------------------------------------------------------
    def f(self, arrays):
        """The outputs; those that are not finite at the point itself count as 0."""
        with np.errstate(all="ignore"):
            out = self.problem.evaluate(arrays)
        if out.shape != self.center.shape:
            raise ValueError(f"gradcheck: fn returned {out.size} elements, then {self.center.size}: "
                             "its output's shape must not depend on the values")
        return out if self.finite.all() else np.where(self.finite, out, 0.0)

    def cotangents(self):
        """(M, outputs): random, never ones; the last weighs outputs by how much they move, so that none hides."""
        n = self.center.size
        if n == 1:
            return np.array([[self.rng.uniform(0.5, 1.5)]]) * self.finite
        drawn = self.rng.standard_normal((3, n))
        line = self.random_line(range(len(self.bases)), least=0.0).at(self.bases)
        moved = np.abs(self.f(line(2.0 ** -12)[0]) - self.f(line(-(2.0 ** -12))[0]))
        moved = np.where(np.isfinite(moved), moved, 0.0)
        # A row that moves less than its rounding must not drown the others in noise.
        moved = np.maximum(moved, 1e5 * self.problem.floor * np.abs(self.center))
        top = moved.max(initial=0.0)
        # At most a million times: the rules themselves round relative to the largest cotangent.
        drawn[2] /= np.maximum(moved, 1e-6 * top) / top if top else 1.0
        return drawn * self.finite

    def last_digits(self):
        """Per cotangent, how much phi changes when the inputs change in their last digit: its rounding, at least."""
        near = [self.f(jittered(self.bases, EPSILON, self.rng)) for _ in range(3)]
        return np.nan_to_num(np.max([np.abs(self.weights @ (out - self.center)) for out in near], axis=0))

    # Lines --------------------------------------------------------------------------
    def planned(self, k):
        """How many slopes of leaf k will be taken."""
        size = self.bases[k].size
        return size if self.every(k) else self.options.directions + min(self.options.elements, size)

    def every(self, k):
        fast = self.options.fast_mode
        return self.bases[k].size <= EVERY if fast is None else not fast

    def scales(self, k, least):
        """Per element, the size that it varies by: a power of two near its magnitude, or `least` of the typical one."""
        size = np.abs(self.bases[k])
        typical = rms(size) or 1.0
        return power_of_two(np.where(size == 0, typical, np.maximum(size, least * typical)))

    def element_line(self, k, i):
        """The line along one element."""
        size = abs(float(self.bases[k].flat[i]))
        typical = rms(self.bases[k]) or 1.0
        large, small = max(size, typical), size if 0 < size < 2.0 ** -3 * typical else None
        return Line({k: (i, 1.0)}, power_of_two(large).item(), small and power_of_two(small).item())

    def random_line(self, leaves, least=2.0 ** -7):
        """A direction of random signs through some leaves, each element at its own scale."""
        return Line({k: self.rng.choice((-1.0, 1.0), self.bases[k].shape) * self.scales(k, least) for k in leaves}, 1.0)

    # Slopes -------------------------------------------------------------------------
    def short(self, line):
        """The slopes from three steps, one per cotangent."""
        start = self.options.eps if self.options.eps is not None else (line.smallest or line.scale) * ODD * 2.0 ** -7
        return self.slopes(line, [self.samples(line, start * 0.5 ** np.arange(3))], 2)

    def long(self, line):
        """The slopes from steps over fourteen decades: the best there is to be had."""
        ladders = [self.samples(line, line.scale * ODD * 0.25 ** np.arange(0.5, 23))]
        if line.smallest:
            ladders.append(self.samples(line, line.smallest * ODD * 0.25 ** np.arange(0.5, 13)))
        return self.slopes(line, ladders, 4)

    def samples(self, line, steps):
        """The function at these steps along a line."""
        with np.errstate(all="ignore"):
            return stencil.take_samples(self.f, self.center, self.weights, self.problem.floor, steps,
                                        line.at(self.bases), line.rounding)

    def slopes(self, line, ladders, ratio):
        """The better one of the slopes from each ladder of samples, per cotangent."""
        least = 64 * EPSILON * line.size * np.max(np.abs(self.weights), axis=1, initial=0.0)
        with np.errstate(all="ignore"):
            quanta = stencil.quantum(ladders, self.weights)
            found = [stencil.slopes(samples, ratio, least, self.unrest, quanta) for samples in ladders]
        return [b if _preferred(b, a) else a for a, b in zip(found[0], found[-1])]

    # One input ----------------------------------------------------------------------
    def check_leaf(self, k, gradients):
        """The report of leaf k, its findings, and the slopes by element; `gradients` per cotangent and leaf."""
        leaf = self.problem.leaves[k]
        every = self.every(k)
        report = InputReport(leaf.path, leaf.base.shape, str(leaf.dtype), "every element" if every else "directions")
        if leaf.base.size == 0:
            return report, []
        self.tops = [[float(np.max(np.abs(g), initial=0.0)) for g in each] for each in gradients]
        if every:
            lines = [self.element_line(k, i) for i in range(leaf.base.size)]
        else:
            lines = [self.random_line([k]) for _ in range(self.options.directions)]
            lines += [self.element_line(k, i) for i in self.probes(k, gradients)]
        slopes = [self.counted(self.short, line) for line in lines]
        analytic = np.array([[line.dot(g) for g in gradients] for line in lines])
        size = self.largest(slopes)
        doubtful = [n for n in range(len(lines))
                    if not self.settled(lines[n], slopes[n], analytic[n], gradients, size)]
        gap = {n: max(abs(s.value - a) if s.value == s.value else np.inf for s, a in zip(slopes[n], analytic[n]))
               for n in doubtful}
        for n in sorted(doubtful, key=lambda n: -gap[n])[:LONG_LADDERS]:
            slopes[n] = self.long(lines[n])
        size = self.largest(slopes)
        findings, self.confirmed = [], 0
        for line, found, a in zip(lines, slopes, analytic):
            findings.append(self.judge(leaf.path, line, found, a, gradients, size))
            self.confirmed += findings[-1].verdict == WRONG
        self.summarise(report, findings, size)
        if not every:
            report.visible = self.visible(lines[:self.options.directions], slopes, gradients)
        return report, findings

    def counted(self, take, line):
        found = take(line)
        self.done += 1
        if self.options.progress is not None:
            self.options.progress(self.done, self.total)
        return found

    def probes(self, k, gradients):
        """Some elements to move alone: half where the gradient is largest, half at random."""
        count = min(self.options.elements, self.bases[k].size)
        size = np.nan_to_num(np.abs(gradients[0][k]).ravel(), nan=np.inf)
        largest = np.argsort(-size, kind="stable")[:(count + 1) // 2]
        others = self.rng.permutation(self.bases[k].size)[:count]
        return list(dict.fromkeys([*map(int, largest), *map(int, others)]))[:count]

    def largest(self, slopes):
        """Per cotangent, the largest slope that stands clear of its error."""
        top = np.zeros(len(self.weights))
        for found in slopes:
            for m, s in enumerate(found):
                if np.isfinite(s.error) and abs(s.value) > 100 * s.error:
                    top[m] = max(top[m], abs(s.value))
        return top

    def tolerance(self, line, slope, a, gradients, m):
        """How far analytic and numeric may differ."""
        size = max(abs(a) if np.isfinite(a) else 0.0, abs(slope.value))
        (k, step), = list(line.moves.items())[:1]
        if len(line.moves) == 1 and not isinstance(step, tuple):
            # Along a direction the yardstick is the part of one element, so that one wrong element shows.
            with np.errstate(all="ignore"):
                size = np.sqrt(np.sum(np.square(gradients[m][k] * step)) / min(step.size, 10_000))
            size = size if np.isfinite(size) else 0.0
        return self.options.atol + self.options.rtol * size + SURE * slope.error + self.rounded(line, m)

    def rounded(self, line, m):
        """What rounding may do to a gradient beside whose largest element this one is small."""
        top = sum(self.tops[m][k] * (abs(s[1]) if isinstance(s, tuple) else float(np.max(np.abs(s), initial=0.0)))
                  for k, s in line.moves.items())
        return 256 * EPSILON * top if np.isfinite(top) else 0.0

    def settled(self, line, found, analytic, gradients, size):
        """Whether the short ladder is enough: smooth, precise, equal."""
        for m, (s, a) in enumerate(zip(found, analytic)):
            if s.state != "smooth" or not np.isfinite(a):
                return False
            slack = 1e-4 * max(abs(a), abs(s.value), size[m])
            if SURE * s.error > slack or abs(a - s.value) > self.tolerance(line, s, a, gradients, m):
                if a == s.value == 0:
                    continue
                return False
        return True

    def judge(self, path, line, found, analytic, gradients, size):
        """One finding out of the slopes for all cotangents: WRONG if one is, `noise` only if none is better."""
        if not self.finite.any() and self.finite.size:
            return self.finding(path, line, found[0], analytic[0], INCONCLUSIVE, "domain")
        verdicts = [self.compare(path, line, s, a, gradients, m, size[m])
                    for m, (s, a) in enumerate(zip(found, analytic))]
        wrong = [v for v in verdicts if v.verdict == WRONG]
        if wrong:
            return max(wrong, key=lambda v: v.difference / (abs(v.numeric) or 1.0))
        special = [v for v in verdicts if v.reason not in ("", "noise", "faint")]
        correct = [v for v in verdicts if not v.reason]
        faint = [v for v in verdicts if v.reason == "faint"]
        return (special or correct or faint or verdicts)[0]

    def compare(self, path, line, s, a, gradients, m, size):
        """The finding for one cotangent."""
        def say(verdict, reason="", **more):
            return self.finding(path, line, s, a, verdict, reason, **more)
        if s.state == "domain":
            return say(INCONCLUSIVE, "domain")
        if s.state == "jump":
            return say(INCONCLUSIVE, "jump")
        if s.state == "kink":
            low, high = self.one_sided(line, s, m)
            pad = SURE * s.error + max(self.options.rtol, 1e-5) * max(abs(low), abs(high), size) + self.options.atol
            if not low - pad <= a <= high + pad and np.isfinite(a):
                low, high = self.widened(line, m, low, high)
            return say(INCONCLUSIVE if low - pad <= a <= high + pad else WRONG, "kink", low=low, high=high)
        if not np.isfinite(s.error):
            return say(INCONCLUSIVE, "noise")
        tolerance = self.tolerance(line, s, a, gradients, m)
        if not np.isfinite(a):
            return say(WRONG) if self.finite.all() else say(INCONCLUSIVE, "domain")
        if abs(a - s.value) > tolerance:
            if a == 0 and s.flat and not self.problem.single:
                return say(INCONCLUSIVE, "steps")
            if self.unstable(line, s.value, a, m, tolerance):
                return say(INCONCLUSIVE, "unstable")
            if abs(a - s.value) <= tolerance + self.hidden(line, m):
                return say(INCONCLUSIVE, "noise")
            low, high = self.widened(line, m, s.value, s.value)
            # Several pieces may meet here that join smoothly along this line: the median of three equal numbers.
            hidden = high - low > 0.01 * max(abs(low), abs(high)) and low <= a <= high
            return say(INCONCLUSIVE, "kink", low=low, high=high) if hidden else say(WRONG)
        if SURE * s.error + self.rounded(line, m) <= 0.01 * max(abs(a), abs(s.value)):
            return say(CORRECT)
        if a == 0 and s.error * line.scale <= 1e-6 * (self.magnitude(m) + size * line.scale):
            return say(CORRECT)
        tiny = abs(a) * line.scale <= 8 * self.problem.floor * self.magnitude(m)
        return say(CORRECT, "faint") if tiny or SURE * s.error <= 0.01 * size else say(INCONCLUSIVE, "noise")

    def magnitude(self, m):
        """The size of phi = <u, f>."""
        return float(np.sqrt(np.sum(np.square(self.weights[m] * self.center)))) or 1.0

    def finding(self, path, line, s, a, verdict, reason="", **more):
        (k, step), = list(line.moves.items())[:1]
        index = None
        if len(line.moves) == 1 and isinstance(step, tuple):
            index = tuple(int(n) for n in np.unravel_index(step[0], self.bases[k].shape))
        return Finding(path, index, float(a), s.value, s.error, verdict, reason, step=s.step, **more)

    def one_sided(self, line, s, m):
        """Between which slopes a subgradient may lie: each output chooses its side on its own."""
        move, h = line.at(self.bases), min(s.step, line.scale * 2.0 ** -14)
        with np.errstate(all="ignore"):
            ahead = [(self.f(move(t)[0]) - self.center) / t for t in (h, h / 2)]
            behind = [(self.f(move(t)[0]) - self.center) / t for t in (-h, -h / 2)]
            ends = self.weights[m] * np.array([2 * ahead[1] - ahead[0], 2 * behind[1] - behind[0]])
        if not np.all(np.isfinite(ends)):
            return s.value - abs(s.jump) / 2, s.value + abs(s.jump) / 2
        return float(ends.min(axis=0).sum()), float(ends.max(axis=0).sum())

    def widened(self, line, m, low, high):
        """The range of slopes along the line at random points close by: a gradient is a mean of those there."""
        if self.confirmed >= CONFIRMED:
            return low, high
        for _ in range(NEARBY):
            bases = [b + self.rng.choice((-1.0, 1.0), b.shape) * self.rng.uniform(0.2, 1.0, b.shape)
                     * self.scales(k, 2.0 ** -7) * 2.0 ** -22 for k, b in enumerate(self.bases)]
            move, h = line.at(bases), line.scale * 2.0 ** -31
            with np.errstate(all="ignore"):
                slope = self.weights[m] @ (self.f(move(h)[0]) - self.f(move(-h)[0])) / (2 * h)
            if np.isfinite(slope):
                low, high = min(low, slope), max(high, slope)
        pad = 1e-3 * max(abs(low), abs(high))
        return float(low - pad), float(high + pad)

    def unstable(self, line, numeric, a, m, tolerance):
        """Whether the analytic slope is off by no more than its own rounding.

        Where a change of last digits makes it equal to the numeric one, it is wrong at this very point: a rule for
        ties.
        """
        if self.confirmed >= CONFIRMED:
            return False
        with np.errstate(all="ignore"):
            near, spread = self.again.spread(lambda pull, u: line.dot(pull(u)), self.weights[m])
            if any(abs(b - numeric) <= tolerance for b in near):
                return False
            return abs(a - numeric) <= SURE * max(spread, self.rough(line, m, a))

    def hidden(self, line, m):
        """What the gradient sees in outputs that stand still because a part of them this small is rounded away."""
        move, h = line.at(self.bases), line.scale * 2.0 ** -7
        still = (self.f(move(h)[0]) == self.center) & (self.f(move(-h)[0]) == self.center)
        places = np.flatnonzero(still & (self.weights[m] != 0))
        if self.confirmed >= CONFIRMED or len(places) > HIDDEN:
            return 0.0
        pull = self.again.make()[0]
        seen = [abs(line.dot(pull(np.where(np.arange(len(still)) == o, self.weights[m], 0.0)))) for o in places]
        return sum(slope for slope, o in zip(seen, places) if slope <= 64 * EPSILON * abs(self.weights[m, o]))

    def rough(self, line, m, a):
        """The noise of the analytic slope along the line."""
        move, steps = line.at(self.bases), line.scale * ODD * 2.0 ** -7 * 0.5 ** np.arange(5)
        ahead, behind = (np.array([line.dot(self.problem.analytic(arrays=move(t)[0])(self.weights[m])) for t in side])
                         for side in (steps, -steps))
        found = stencil.roughness(ahead, behind, a, 2)
        return found if np.isfinite(found) else 0.0

    def summarise(self, report, findings, size):
        """Count the findings into the verdict of an input."""
        clear = [f for f in findings if f.verdict == CORRECT and not f.reason]
        top = max([abs(f.numeric) for f in clear if np.isfinite(f.numeric)], default=0.0)
        report.error = max([f.difference for f in clear], default=0.0) / top if top else 0.0
        report.checked = sum(f.reason in ("", "kink") for f in findings)
        faint = [f for f in findings if f.reason == "faint"]
        report.faint = len(faint)
        for f in faint:  # below the noise, and so only believed beside others that are not
            if len(faint) == len(findings):
                f.verdict = INCONCLUSIVE
            f.reason = "noise" if f.verdict == INCONCLUSIVE else ""
        wrong = [f for f in findings if f.verdict == WRONG]
        unclear = [f for f in findings if f.verdict == INCONCLUSIVE]
        for f in unclear:
            report.reasons[f.reason] = report.reasons.get(f.reason, 0) + 1
        report.verdict = WRONG if wrong else INCONCLUSIVE if unclear else CORRECT
        report.worst = max(wrong or unclear or findings, key=lambda f: f.difference)

    def visible(self, lines, slopes, gradients):
        """The smallest relative error of one typical element that the directions would have shown."""
        seen = []
        for line, found in zip(lines, slopes):
            (k, step), = line.moves.items()
            for m, s in enumerate(found):
                typical = rms(gradients[m][k] * step)
                if typical and np.isfinite(s.error):
                    seen.append(self.tolerance(line, s, line.dot(gradients[m]), gradients, m) / typical)
        return min(seen, default=None)

    # Ties ---------------------------------------------------------------------------
    def check_ties(self, findings_by_leaf, gradients):
        """Move elements that lie on kinks together: where they move as one the function is smooth, and a wrong rule
        for ties shows."""
        kinked = [(k, self.flat_index(k, f.index)) for k, findings in enumerate(findings_by_leaf)
                  for f in findings if f.reason == "kink" and f.index is not None]
        groups = [[p for p in kinked if p[0] == k] for k in range(len(self.bases))] + [kinked]
        groups += [[a, b] for n, a in enumerate(kinked[:8]) for b in kinked[n + 1:8]]
        wrong, seen = [], set()
        for group in groups:
            if len(group) < 2 or tuple(group) in seen:
                continue
            seen.add(tuple(group))
            scale = min(self.element_line(k, i).scale for k, i in group)
            moves = {}
            for k, i in group:
                moves.setdefault(k, np.zeros(self.bases[k].shape)).flat[i] = 1.0
            line = Line(moves, scale)
            for m, s in enumerate(self.long(line)):
                a = line.dot(gradients[m])
                tolerance = self.options.atol + self.options.rtol * max(abs(a), abs(s.value)) + SURE * s.error
                off = s.state == "smooth" and np.isfinite(s.error) and not abs(a - s.value) <= tolerance
                if off and not self.between(line, m, a, s.value) and not self.unstable(line, s.value, a, m, tolerance):
                    where = ", ".join(f"{self.problem.leaves[k].path}{list(self.index(k, i))}" for k, i in group[:4])
                    wrong.append(f"moving {where}{' ...' if len(group) > 4 else ''} together: analytic {a:.9g}, "
                                 f"numeric {s.value:.9g} +- {s.error:.1g}; the rule for ties is wrong")
                    break
        return wrong

    def between(self, line, m, a, slope):
        self.confirmed = 0
        low, high = self.widened(line, m, slope, slope)
        return low <= a <= high

    def index(self, k, i):
        return tuple(int(n) for n in np.unravel_index(i, self.bases[k].shape))

    def flat_index(self, k, index):
        return int(np.ravel_multi_index(index, self.bases[k].shape)) if index else 0


def _preferred(near, far):
    """Whether the slope from the smaller steps is the better one."""
    if not np.isfinite(near.error):
        return False
    if far.state != "smooth" and near.state == "smooth" and near.error < 1e-3 * abs(near.value):
        return True  # a kink close by, not here
    return not np.isfinite(far.error) or near.error < far.error
