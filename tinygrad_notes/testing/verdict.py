"""What a gradient check found, and how it is told."""
from __future__ import annotations

from dataclasses import dataclass, field

CORRECT, WRONG, INCONCLUSIVE = "CORRECT", "WRONG", "INCONCLUSIVE"

REASONS = {
    "kink": "the point lies on a kink; the analytic value is a valid subgradient",
    "jump": "the function jumps or has an infinite slope here",
    "domain": "the function is not finite around the point",
    "steps": "the function stands still for small steps and moves for larger ones: a staircase, or rounding",
    "noise": "rounding of the function hides the slope",
    "unstable": "the gradient loses its digits here: it changes by more when the inputs change in their last digits",
    "nondeterministic": "two evaluations at the same point differ",
}


class GradcheckError(RuntimeError):
    """A gradient is wrong (or, with strict=True, could not be judged). `result` holds the whole report."""

    def __init__(self, result: GradcheckResult) -> None:
        super().__init__(result.report())
        self.result = result


@dataclass
class Finding:
    """One number that was checked: an element of an input, or the slope along a random direction.

    Fields:
        path: the input, e.g. `inputs[0]`.
        index: the element, a tuple of ints; None for a direction through the whole input.
        analytic: what the engine's gradient says.
        numeric, error: what central differences say, with their error.
        verdict, reason: one of CORRECT, WRONG, INCONCLUSIVE; for the last a key of `REASONS`.
        low, high: at a kink, the slopes between which a subgradient lies.
        output: for a wrong element, the flat position of the output with the largest difference.
        step: the finite step.
    """

    path: str
    index: tuple | None
    analytic: float
    numeric: float
    error: float
    verdict: str
    reason: str = ""
    low: float = float("nan")
    high: float = float("nan")
    output: int | None = None
    step: float = float("nan")

    @property
    def ratio(self) -> float:
        """Analytic over numeric."""
        return self.analytic / self.numeric if self.numeric else float("inf" if self.analytic else "nan")

    @property
    def difference(self) -> float:
        """Distance of analytic and numeric; infinite if the analytic value is not finite."""
        gap = abs(self.analytic - self.numeric)
        return gap if gap == gap else float("inf")

    def __str__(self):
        where = f"{self.path}{list(self.index)}" if self.index is not None else f"{self.path}, a random direction"
        told = f"{where}: analytic {self.analytic:.9g}, numeric {self.numeric:.9g} +- {self.error:.1g}"
        if self.reason == "kink":
            return f"{where}: analytic {self.analytic:.9g}, slopes {self.low:.9g} to {self.high:.9g}"
        return told + (f", ratio {self.ratio:.6g}" if self.verdict == WRONG else "")


@dataclass
class InputReport:
    """What was found for one input.

    Fields:
        path, shape, dtype: the input.
        mode: "every element" or "directions".
        checked: how many elements or directions were compared.
        verdict: WRONG if one finding is; INCONCLUSIVE if none could be compared, or some lie on a kink and the like.
        worst: the finding with the largest difference among those of the verdict.
        reasons: how often each reason came up.
        error: the largest relative error among what was compared: |analytic - numeric| over the largest slope.
        faint: how many elements are so small beside the others that rounding hides them.
        visible: directions only: the smallest error of a single element that would have been seen.
    """

    path: str
    shape: tuple
    dtype: str
    mode: str
    checked: int = 0
    verdict: str = CORRECT
    worst: Finding | None = None
    reasons: dict = field(default_factory=dict)
    error: float = 0.0
    faint: int = 0
    visible: float | None = None

    def __str__(self):
        line = f"{self.path}, {self.dtype} {self.shape}: {self.verdict}, {self.checked} {_plural(self)} compared"
        if self.verdict != WRONG and self.checked:
            line += f", relative error {self.error:.1e}"
        if self.visible is not None:
            line += f"; an error of {self.visible:.0e} in one element would show"
        if self.faint:
            line += f"; {self.faint} below the noise"
        for reason, times in self.reasons.items():
            line += f"\n    {times} x {REASONS[reason]}"
        if self.worst is not None and self.verdict != CORRECT:
            line += f"\n    {'worst' if self.verdict == WRONG else 'e.g.'} {self.worst}"
        return line


def _plural(report):
    unit = "element" if report.mode == "every element" else "direction"
    return unit + ("" if report.checked == 1 else "s")


@dataclass
class GradcheckResult:
    """The outcome of `gradcheck`: true unless a gradient is WRONG.

    Fields:
        verdict: CORRECT, WRONG or INCONCLUSIVE.
        order: 1 or 2, the order of the derivatives that were checked.
        inputs: one `InputReport` per input.
        notes: findings that belong to no single input (side effects, symmetry), each (verdict, text).
        guess: what the fault looks like, or "".
        culprit: the first recorded operation whose own rule fails, or "".
        evaluations: how often the function ran.
        seconds: how long it took.
    """

    verdict: str
    order: int
    inputs: list
    notes: list
    guess: str = ""
    culprit: str = ""
    evaluations: int = 0
    seconds: float = 0.0

    def __bool__(self) -> bool:
        return self.verdict != WRONG

    @property
    def worst(self) -> Finding | None:
        """The worst finding of the worst input, or None."""
        ranked = [r.worst for r in self.inputs if r.verdict == self.verdict and r.worst is not None]
        return max(ranked, key=lambda f: f.difference, default=None)

    @property
    def reasons(self) -> dict[str, int]:
        """How often each reason for INCONCLUSIVE came up, over all inputs."""
        total: dict[str, int] = {}
        for report in self.inputs:
            for reason, times in report.reasons.items():
                total[reason] = total.get(reason, 0) + times
        return total

    @property
    def error(self) -> float:
        """The largest relative error among what was compared."""
        return max((report.error for report in self.inputs), default=0.0)

    def report(self) -> str:
        """The whole story in a few lines."""
        name = "gradcheck" if self.order == 1 else "gradgradcheck"
        lines = [f"{name}: {self.verdict} ({self.evaluations} evaluations, {self.seconds:.2f} s)"]
        lines += [f"  {str(report).replace(chr(10), chr(10) + '  ')}" for report in self.inputs]
        lines += [f"  {verdict}: {text}" for verdict, text in self.notes]
        if self.guess:
            lines.append(f"  looks like: {self.guess}")
        if self.culprit:
            lines.append(f"  first operation whose own rule fails: {self.culprit}")
        return "\n".join(lines)

    __str__ = report

    def __repr__(self) -> str:
        reasons = ", ".join(self.reasons)
        return f"<gradcheck: {self.verdict}{' (' + reasons + ')' if reasons else ''}, relative error {self.error:.1e}>"
