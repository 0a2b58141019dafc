"""What a wrong gradient looks like: the usual mistakes, recognised by comparing it with the right one."""
import itertools

import numpy as np

from .verdict import WRONG

CLOSE = 1e-4
JACOBIAN = 4096  # entries of a Jacobian that is worth computing for a diagnosis


def guess(checker, reports, findings, gradients, pull):
    """One sentence on what the fault may be, or ""."""
    told = []
    for k, (report, found) in enumerate(zip(reports, findings)):
        if report.verdict == WRONG and report.worst.reason == "kink":
            told.append(f"{report.path}: no subgradient at a kink: the rule for ties or for the corner is wrong")
        elif report.verdict == WRONG and report.mode == "every element":
            m = _cotangent_of(found, gradients, k)
            numeric = slopes(checker, k, m)
            analytic = gradients[m][k]
            text = exchanged(checker, k, m, gradients, numeric) or diagnose(analytic, numeric, checker, k)
            text = _by_output(checker, k, pull, report) or text
            if text:
                told.append(f"{report.path}: {text}")
        elif report.verdict == WRONG:
            _narrow(checker, k, gradients, report)
            ratios = [f.analytic / f.numeric for f in found if f.verdict == WRONG and f.numeric]
            if len(ratios) > 1 and max(ratios) - min(ratios) < CLOSE * abs(ratios[0]):
                told.append(f"{report.path}: {_factor(ratios[0], report.shape)}")
            elif report.worst.index is not None and all(f.verdict != WRONG for f in found if f.index is not None):
                told.append(f"{report.path}: wrong in few elements only, e.g. {list(report.worst.index)}")
    return "; ".join(told)


def _cotangent_of(found, gradients, k):
    """Which cotangent the worst finding belongs to."""
    worst = max((f for f in found if f.verdict == WRONG and f.index is not None), key=lambda f: f.difference)
    with np.errstate(all="ignore"):
        values = [abs(g[k][worst.index] - worst.analytic) for g in gradients]
    return int(np.argmin(np.nan_to_num(values, nan=np.inf)))


def slopes(checker, k, m):
    """The numeric gradient for one cotangent, by plain central differences: good enough to recognise a shape."""
    base = checker.bases[k]
    numeric = np.zeros(base.shape)
    for i in range(base.size):
        line = checker.element_line(k, i)
        move, h = line.at(checker.bases), (line.smallest or line.scale) * 2.0 ** -13
        with np.errstate(all="ignore"):
            numeric.flat[i] = checker.weights[m] @ (checker.f(move(h)[0]) - checker.f(move(-h)[0])) / (2 * h)
    return numeric


def diagnose(analytic, numeric, checker=None, k=0):
    """What turns the right gradient into the wrong one, in words; "" if nothing known does."""
    if not np.all(np.isfinite(analytic)):
        bad = np.argwhere(~np.isfinite(analytic))
        return f"NaN or infinity in {len(bad)} of {analytic.size} elements, e.g. {list(map(int, bad[0]))}"
    top = float(np.max(np.abs(numeric), initial=0.0))
    if top == 0:
        return "a gradient where the function does not move"
    if not np.any(np.abs(analytic) > CLOSE * top):
        return "zero: no gradient arrives (a missing rule, detach, or a value that left the graph)"
    off = np.abs(analytic - numeric) > CLOSE * top
    ratio = float(np.sum(analytic * numeric) / np.sum(numeric * numeric))
    if not off.any():
        rest = np.max(np.abs(analytic - ratio * numeric))
        return f"a constant factor of {ratio:.9g}" if rest < 0.05 * np.max(np.abs(analytic - numeric)) else ""
    if checker is not None and checker.center.size > analytic.size > 0:
        times = checker.center.size / analytic.size
        if _same(analytic * times, numeric, top):
            return f"a factor of {times:.6g} missing: a mean over the outputs that each element moves, not a sum"
    if _same(analytic, ratio * numeric, top * max(1.0, abs(ratio))) and abs(ratio) > CLOSE:
        return _factor(ratio, analytic.shape)
    return (_reordered(analytic, numeric, top) or _sliced(analytic, numeric, top) or _local(analytic, numeric, off, top)
            or _along_axis(analytic, numeric, top))


def _same(a, b, top):
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= CLOSE * top))


def _factor(ratio, shape):
    if abs(ratio + 1) < CLOSE:
        return "wrong sign"
    if abs(ratio - 1) < CLOSE:
        return ""
    size = int(np.prod(shape))
    known = {2.0: "a factor of 2 too much", 0.5: "a factor of 2 missing", -2.0: "a factor of -2",
             -0.5: "a factor of -1/2"}
    for n in sorted({size, *shape}):
        if n > 2:
            what = f"the length of {'an axis' if n in shape else 'the input'}"
            known.setdefault(float(n), f"a factor of {n} too much, {what}: a mean taken for a sum")
            known.setdefault(1.0 / n, f"a factor of {n} missing, {what}: a sum taken for a mean, or a missing sum")
    for value, text in known.items():
        if abs(ratio - value) < CLOSE * abs(value):
            return text
    return f"a constant factor of {ratio:.6g}"


def _reordered(analytic, numeric, top):
    """A permutation of the right gradient."""
    if analytic.ndim >= 2:
        for axes in itertools.islice(itertools.permutations(range(analytic.ndim)), 1, 120):
            moved = np.transpose(numeric, axes)
            if _same(analytic, moved, top):
                return f"transposed: it is the right one with its axes in the order {axes}"
            if moved.size == analytic.size and _same(analytic, moved.reshape(analytic.shape), top):
                return f"transposed before a reshape: the right one is in the axis order {axes}"
    for axis in range(analytic.ndim):
        if _same(analytic, np.flip(numeric, axis), top):
            return f"flipped along axis {axis}"
        for shift in range(1, min(analytic.shape[axis], 5)):
            for sign in (1, -1):
                if _same(analytic, np.roll(numeric, sign * shift, axis), top):
                    return f"shifted by {sign * shift} along axis {axis}: an index is off by {sign * shift}"
                head = [slice(None)] * analytic.ndim
                tail = list(head)
                head[axis], tail[axis] = slice(shift, None), slice(None, -shift)
                a, b = (analytic[tuple(head)], numeric[tuple(tail)]) if sign > 0 else \
                    (analytic[tuple(tail)], numeric[tuple(head)])
                if a.size > max(1, analytic.size // 2) and np.any(np.abs(a) > CLOSE * top) and _same(a, b, top):
                    return f"shifted by {sign * shift} along axis {axis}: an index is off by {sign * shift}"
    if _same(np.sort(analytic, axis=None), np.sort(numeric, axis=None), top):
        return "the right values at the wrong places: a permutation is missing or applied twice"
    return ""


def _sliced(analytic, numeric, top):
    """Right up to a factor or sign along one part of the input."""
    if _same(np.abs(analytic), np.abs(numeric), top):
        return f"wrong sign in {int(np.sum(np.abs(analytic - numeric) > CLOSE * top))} of {analytic.size} elements"
    return ""


def _local(analytic, numeric, off, top):
    """Wrong in a few places only."""
    where = np.argwhere(off)
    if len(where) == 0 or len(where) == off.size:
        return ""
    zero = " (zero there)" if np.all(np.abs(analytic[off]) <= CLOSE * top) else ""
    for axis in range(off.ndim):
        places = set(where[:, axis].tolist())
        last = off.shape[axis] - 1
        if places <= {0, last} and last > 1:
            edge = "first" if places == {0} else "last" if places == {last} else "first and last"
            return f"wrong only at the {edge} place of axis {axis}{zero}: an edge or padding that is off by one"
    if len(where) <= max(1, off.size // 4):
        shown = ", ".join(str(list(map(int, i))) for i in where[:4])
        return f"wrong in {len(where)} of {off.size} elements only{zero}: {shown}"
    return f"wrong in {len(where)} of {off.size} elements{zero}"


def _along_axis(analytic, numeric, top):
    """The same along an axis where it should vary, or the sum over an axis spread out."""
    for axis in range(analytic.ndim):
        if analytic.shape[axis] < 2:
            continue
        if _same(analytic, np.broadcast_to(analytic.mean(axis, keepdims=True), analytic.shape), top):
            for name, value in (("sum", numeric.sum(axis, keepdims=True)), ("mean", numeric.mean(axis, keepdims=True))):
                if _same(analytic, np.broadcast_to(value, analytic.shape), top * analytic.shape[axis]):
                    return f"the {name} over axis {axis} in place of each element: a sum too much"
            return f"the same along axis {axis}, where the right one varies"
    return ""


def exchanged(checker, k, m, gradients, numeric):
    """The gradient of another input."""
    top = float(np.max(np.abs(numeric), initial=0.0))
    own, leaves = gradients[m][k], checker.problem.leaves
    for other, g in enumerate(gradients[m]):
        if other != k and g.shape == numeric.shape and top and _same(g, numeric, top) and not _same(own, g, top):
            return f"the gradients of {leaves[k].path} and {leaves[other].path} are exchanged"
    return ""


def _by_output(checker, k, pull, report):
    """From the whole Jacobian: a sum over a broadcast axis that is missing; also names the worst output."""
    size, outputs = checker.bases[k].size, checker.center.size
    if outputs < 2 or size * outputs > JACOBIAN:
        return ""
    analytic, numeric = jacobians(checker, k, pull)
    if not np.all(np.isfinite(analytic)):
        return ""
    top = float(np.max(np.abs(numeric), initial=0.0))
    off = np.abs(analytic - numeric) > CLOSE * top
    if not off.any():
        return ""
    if report.worst.index is not None:
        column = int(np.ravel_multi_index(report.worst.index, checker.bases[k].shape)) if report.worst.index else 0
        report.worst.output = int(np.argmax(np.abs(analytic - numeric)[:, column]))
    live = np.abs(numeric) > CLOSE * top
    gone = live & (np.abs(analytic) <= CLOSE * top)
    if np.any(gone) and np.array_equal(off, gone) and gone.sum() < live.sum() and np.all(live.sum(axis=0) > 1) \
            and np.all((live & ~gone).sum(axis=0) >= 1):
        part = int(live.sum(axis=0).max()), int((live & ~gone).sum(axis=0).min())
        return (f"a missing sum over a broadcast axis: each element moves up to {part[0]} outputs, and the cotangent "
                f"of only {part[1]} arrives")
    return ""


def jacobians(checker, k, pull):
    """(outputs, elements): d out_j / d x_i by the engine and by plain central differences."""
    outputs = checker.center.size
    with np.errstate(all="ignore"):
        analytic = np.array([pull(row)[k].ravel() for row in np.eye(outputs)])
        numeric = np.zeros_like(analytic)
        for i in range(checker.bases[k].size):
            line = checker.element_line(k, i)
            move, h = line.at(checker.bases), (line.smallest or line.scale) * 2.0 ** -13
            numeric[:, i] = (checker.f(move(h)[0]) - checker.f(move(-h)[0])) / (2 * h)
    return analytic, numeric


def _narrow(checker, k, gradients, report):
    """In a large input, halve the part that is moved until one wrong element is left."""
    if report.worst is None or report.worst.index is not None:
        return
    base = checker.bases[k]
    part = np.arange(base.size)
    step = checker.scales(k, 2.0 ** -7).ravel() * checker.rng.choice((-1.0, 1.0), base.size)
    while len(part) > 1:
        halves = part[:len(part) // 2], part[len(part) // 2:]
        gaps = []
        for half in halves:
            moves = np.zeros(base.shape)
            moves.flat[half] = step[half]
            line = type(checker.element_line(k, 0))({k: moves}, 1.0)
            gaps.append(max(abs(s.value - line.dot(g)) if s.value == s.value else 0.0
                            for s, g in zip(checker.short(line), gradients)))
        part = halves[int(np.argmax(gaps))]
    line = checker.element_line(k, int(part[0]))
    found, analytic = checker.long(line), [line.dot(g) for g in gradients]
    finding = checker.judge(report.path, line, found, analytic, gradients, checker.largest([found]))
    if finding.verdict == WRONG:
        report.worst = finding
