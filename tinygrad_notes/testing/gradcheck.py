"""`gradcheck` and `gradgradcheck`: is the gradient that the engine gives the slope that the function has?"""
from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import default_generator, float64
from .again import Again
from .checker import SURE, Checker, Options
from .fault import guess
from .problem import Function, Gradients, host
from .verdict import CORRECT, INCONCLUSIVE, WRONG, GradcheckError, GradcheckResult

if TYPE_CHECKING:
    from collections.abc import Callable

LOW_PRECISION = {2: 5e-2, 4: 1e-3}  # bytes of a dtype -> relative difference from float64 that rounding explains


def gradcheck(fn: Callable[..., Any], inputs: Any, *, eps: float | None = None, atol: float = 0.0, rtol: float = 1e-6,
              raise_exception: bool = True, strict: bool = False, nondet_tol: float = 0.0,
              fast_mode: bool | None = None, directions: int = 3, elements: int = 4, seed: int = 0,
              progress: Callable[[int, int], Any] | None = None, find_culprit: bool = True) -> GradcheckResult:
    r"""Compare the gradients of a function with slopes by central differences.

    Formula: for random cotangents u and every element i of every floating input,
    d <u, f> / d x_i against (phi(h) - phi(-h)) / 2h, phi(t) = <u, f(x + t e_i)>, extrapolated to h = 0.

    All differences are taken in float64, whatever the dtype of the inputs: their values are exact in float64.
    The gradient is then also computed in the inputs' own dtype and compared with the one in float64.

    Args:
        fn: a function of Tensors that returns a Tensor or several (nested tuples, lists, dicts).
        inputs: a tuple or list of arguments for `fn(*inputs)`, or a single one. Checked are the Tensors that
            require a gradient; if none does, all floating Tensors and NumPy arrays. The rest is passed through.
        eps: the first, largest step, absolute; default: scaled to each value.
        atol, rtol: differences below `atol + rtol * size` count as equal, beside what the numeric error explains.
        raise_exception: raise if the verdict is WRONG; else return the result.
        strict: treat INCONCLUSIVE like WRONG.
        nondet_tol: how far two evaluations at the same point may differ.
        fast_mode: True for random directions, False for every element, None for every element of inputs with
            up to 4096 and directions for larger ones.
        directions, elements: how many random directions, and single elements beside them, for a large input.
        seed: of the checker's own random numbers.
        progress: a function of (done, total), called after every slope.
        find_culprit: when a gradient is wrong, check every recorded operation alone to name the first that fails.

    Returns:
        `GradcheckResult`, true unless WRONG. Its verdict is CORRECT, WRONG or INCONCLUSIVE (a kink with a valid
        subgradient, a jump, not finite, below the noise, nondeterministic).

    Raises:
        GradcheckError: a gradient is wrong.
        ValueError: no input is floating.
        TypeError: `fn` returns no floating Tensor.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.gradcheck(lambda x, y: tn.sin(x) * y, (tn.tensor([1.0, 2.0]), tn.tensor(3.0))).verdict
        'CORRECT'
        >>> tn.gradcheck(tn.abs, tn.tensor([0.0, 1.0])).reasons
        {'kink': 1}
    """
    options = Options(eps, atol, rtol, fast_mode, directions, elements, seed, progress)
    result = check(Function(fn, inputs), options, nondet_tol)
    if result.verdict == WRONG and find_culprit:
        result.culprit = _culprit(fn, inputs)
    return finish(result, raise_exception, strict)


def gradgradcheck(fn: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float | None = None,
                  atol: float = 0.0, rtol: float = 1e-6, raise_exception: bool = True, strict: bool = False,
                  nondet_tol: float = 0.0, fast_mode: bool | None = None, directions: int = 3, elements: int = 4,
                  seed: int = 0, progress: Callable[[int, int], Any] | None = None) -> GradcheckResult:
    r"""The same for second derivatives: checks the gradients of the gradients.

    Formula: gradcheck of (x, u) -> d <u, f(x)> / d x, and u' H v = v' H u for the Hessian H of <u, f>.
    The slopes come from plain backward passes, the analytic values from recorded ones, so both kinds are compared.

    Args:
        fn, inputs: as for `gradcheck`.
        grad_outputs: cotangents of the outputs; default: random.
        eps, atol, rtol, raise_exception, strict, nondet_tol, fast_mode, directions, elements, seed, progress: as
            for `gradcheck`.

    Returns:
        `GradcheckResult`, true unless WRONG.

    Raises:
        GradcheckError: a second derivative is wrong.
        ValueError: no input is floating.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.gradgradcheck(lambda x: x ** 3, tn.tensor([1.0, -2.0])).verdict
        'CORRECT'
    """
    options = Options(eps, atol, rtol, fast_mode, directions, elements, seed, progress)
    first = Function(fn, inputs)
    second = Gradients(first, _cotangents(first, grad_outputs, seed))
    result = check(second, options, nondet_tol, order=2)
    for verdict, text in symmetry(second, np.random.default_rng(seed + 1)):
        kinked = {"kink", "jump"} & set(result.reasons)
        result.notes.append((INCONCLUSIVE if kinked else verdict, text))
        result.verdict = _overall([result.verdict, result.notes[-1][0]])
    return finish(result, raise_exception, strict)


def check(problem, options, nondet_tol=0.0, order=1):
    """The `GradcheckResult` for a `Problem`."""
    started, notes, state = time.perf_counter(), [], default_generator.get_state()
    kept = [leaf.base.copy() for leaf in problem.leaves]
    try:
        checker = Checker(problem, options)
        notes += _unmodified(problem, kept)
        spread = np.max(np.abs(checker.f(checker.bases) - checker.center), initial=0.0)
        pull = problem.analytic()
        with np.errstate(all="ignore"):
            gradients = [pull(u) for u in checker.weights]
            notes += side_effects(pull, checker, gradients, problem, kept)
        reports, findings = [], []
        for k in range(len(problem.leaves)):
            report, found = checker.check_leaf(k, gradients)
            reports.append(report)
            findings.append(found)
        notes += [(WRONG, text) for text in checker.check_ties(findings, gradients)]
        if spread > nondet_tol:
            _mark_nondeterministic(reports, notes, spread)
        else:
            notes += _own_dtype(problem, checker, gradients)
        verdict = _overall([r.verdict for r in reports] + [v for v, _ in notes])
        told = guess(checker, reports, findings, gradients, pull) if verdict == WRONG else ""
    finally:
        default_generator.set_state(state)
    return GradcheckResult(verdict, order, reports, notes, told, "", problem.evaluations, time.perf_counter() - started)


def side_effects(pull, checker, gradients, problem, kept):
    """What a backward pass must not do, beside giving a wrong number."""
    notes = []
    u = checker.weights[0]
    for leaf, a, b in zip(problem.leaves, gradients[0], pull(u)):
        if not np.array_equal(a, b, equal_nan=True):
            notes.append((WRONG, f"{leaf.path}: a second backward pass over the same graph gives another gradient"))
    zero, double = pull(np.zeros_like(u)), pull(-2.0 * u)
    for leaf, a, z, d in zip(problem.leaves, gradients[0], zero, double):
        if np.all(np.isfinite(a)):
            if np.any(z):
                notes.append((WRONG, f"{leaf.path}: a cotangent of zeros gives a gradient that is not zero"))
            elif not np.allclose(d, -2.0 * a, rtol=1e-9, atol=1e-12 * float(np.max(np.abs(a), initial=0.0))):
                notes.append((WRONG, f"{leaf.path}: the gradient is not linear in the cotangent"))
    return notes + _unmodified(problem, kept)


def _unmodified(problem, kept):
    notes = []
    for leaf, before in zip(problem.leaves, kept):
        if not np.array_equal(leaf.base, before, equal_nan=True):
            notes.append((WRONG, f"{leaf.path}: the function or its backward pass writes into its input"))
            leaf.base[...] = before
    return notes


def _mark_nondeterministic(reports, notes, spread):
    notes.append((INCONCLUSIVE, f"two evaluations at the same point differ by {spread:.3g}; give fn its own seeded "
                                "generator, or draw from the default one, whose state is put back"))
    for report in reports:
        report.verdict, report.worst = INCONCLUSIVE, None
        report.reasons = {"nondeterministic": report.checked}


def _own_dtype(problem, checker, gradients):
    """Compare the gradient in the dtype the user gave with the one in float64."""
    narrow = [leaf for leaf in problem.leaves if leaf.dtype != float64]
    if not narrow:
        return []
    notes = []
    with np.errstate(all="ignore"):
        pull = problem.analytic(own=True)
        values = np.concatenate([np.asarray(host(t), float64).ravel() for t in pull.outputs] or [np.zeros(0)])
        if values.size != checker.center.size or not np.all(np.isfinite(values[checker.finite])):
            return [(INCONCLUSIVE, f"in {narrow[0].dtype} the outputs are not finite: the values leave its range")]
        off = _distance(values[checker.finite], checker.center[checker.finite])
        found = pull.gradients(checker.weights[0], raw=True)
    for leaf, g, exact in zip(problem.leaves, found, gradients[0]):
        if leaf.dtype == float64 or g is None:
            continue
        if g.dtype != leaf.dtype:
            notes.append((WRONG, f"{leaf.path}: the gradient of a {leaf.dtype} input is {g.dtype}"))
            continue
        g = host(g).astype(float64)
        allowed = LOW_PRECISION[leaf.dtype.itemsize]
        # What the outputs' own rounding makes of a gradient that is nearly zero.
        least = 2.0 ** -23 * checker.magnitude(0) / float(np.max(np.abs(leaf.base), initial=0.0) or 1.0)
        distance = _distance(g, exact, least)
        if np.all(np.isfinite(exact)) and not np.all(np.isfinite(g)):
            notes.append((WRONG, f"{leaf.path}: in {leaf.dtype} the gradient is not finite, although the outputs are, "
                                 "and in float64 it is finite"))
        elif distance > allowed:
            # A forward that is as far off says that the point itself is ill-conditioned in this dtype.
            verdict = WRONG if distance > 0.5 and off < 1e-3 else INCONCLUSIVE
            notes.append((verdict, f"{leaf.path}: the gradient in {leaf.dtype} differs from the one in float64 by "
                                   f"{distance:.2g} of its largest element (outputs: {off:.2g})"))
    return notes


def _distance(a, b, least=0.0):
    top = max(float(np.max(np.abs(b[np.isfinite(b)]), initial=0.0)), least)
    gap = float(np.max(np.abs(a[np.isfinite(b)] - b[np.isfinite(b)]), initial=0.0))
    return gap / top if top else gap


def symmetry(problem, rng):
    """u' H v = v' H u for two random directions over all inputs: no finite differences in it."""
    n = len(problem.problem.leaves)
    pull = problem.analytic()
    if not pull.live or len(pull.outputs) != n:
        return []
    sizes = np.concatenate([np.abs(leaf.base).ravel() for leaf in problem.problem.leaves]) + 0.1
    u, v = (rng.standard_normal(sizes.shape) * sizes for _ in range(2))

    def product(pull, u):
        return np.concatenate([h.ravel() for h in pull(u)[:n]])

    def gap(pull, u, v):
        return product(pull, u) @ v - product(pull, v) @ u
    with np.errstate(all="ignore"):
        left, right = product(pull, u) @ v, product(pull, v) @ u
        # Differences that rounding explains: of the sums, and of first derivatives that cancel.
        size = 1e-8 * np.abs(product(pull, u)) @ np.abs(v)
        size += 1e-12 * np.concatenate([np.abs(host(g)).ravel() for g in pull.outputs]) @ sizes
        if abs(left - right) > size:  # of the rules themselves
            size += SURE * Again(problem, rng).spread(gap, u, v)[1]
    if np.isfinite(left) and np.isfinite(right) and abs(left - right) > size:
        return [(WRONG, f"the Hessian is not symmetric: u'Hv = {left:.12g}, v'Hu = {right:.12g}")]
    return []


def _cotangents(problem, grad_outputs, seed):
    rng = np.random.default_rng([seed, 2])
    outputs = problem.replay([leaf.base for leaf in problem.leaves], False)[1]
    if grad_outputs is None:
        return [rng.standard_normal(t.shape) for t in outputs]
    given = list(grad_outputs) if isinstance(grad_outputs, (tuple, list)) else [grad_outputs]
    if len(given) != len(outputs):
        raise ValueError(f"grad_outputs: {len(given)} cotangents for {len(outputs)} outputs")
    arrays = [np.asarray(host(g) if hasattr(g, "node") else g, dtype=float64) for g in given]
    for k, (g, t) in enumerate(zip(arrays, outputs)):
        if g.shape != t.shape:
            raise ValueError(f"grad_outputs[{k}]: expected shape {t.shape}, that of the output, got {g.shape}")
    return arrays


def _overall(verdicts):
    return WRONG if WRONG in verdicts else INCONCLUSIVE if INCONCLUSIVE in verdicts else CORRECT


def _culprit(fn, inputs):
    from .locate import locate, recorded

    try:
        found = locate(fn, inputs) if len(recorded(Function(fn, inputs))) > 1 else None
    except Exception:  # the search is a courtesy: the verdict stands without it
        return ""
    return str(found or "")


def finish(result, raise_exception, strict):
    """Raise if the verdict asks for it, else return the result."""
    if raise_exception and (result.verdict == WRONG or (strict and result.verdict == INCONCLUSIVE)):
        raise GradcheckError(result)
    return result
