"""`profile`: where the time of a step goes, by operation, module and phase; as text, table and flame picture."""
from __future__ import annotations

import json
import statistics
import warnings
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..backend import get_num_threads
from ..backend.files import replacing
from ..program import clock, clock_compiled
from ..program.compiled import Compiled
from ..program.errors import CannotRecord
from ..program.flops import flops_of_scope
from ..program.record import record
from ..program.work import bytes_of, flops_of
from .embed import asset
from .flame import flame, quantity, seconds_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

RECORDED_AS = {"gelu_and_slope": "gelu", "silu_and_slope": "silu"}  # operations that only an uncompiled step uses
PHASES = ("forward", "backward", "update", "other")
ENDINGS = (".html", ".svg", ".txt", ".json")


@dataclass
class Row:
    """What one operation of one module took in one phase.

    Fields:
        phase: "forward", "backward", "update" or "other".
        module: path of the module, "" for none.
        name: of the operation, or "(Python)", "(gradients)".
        seconds: of one step, without what was called inside.
        calls: in one step; of compiled steps how many kernels have a part in it.
        flops: arithmetic operations of one step, None where they are not counted.
        bytes: of arrays that are read and written in one step, None where they are not counted.
    """

    phase: str
    module: str
    name: str
    seconds: float
    calls: int
    flops: int | None = None
    bytes: int | None = None


@dataclass
class Kernel:
    """What one kernel of a compiled step took.

    Fields:
        index: its number in `explain()`.
        label: what runs in it.
        seconds, flops, bytes: of one step.
    """

    index: int
    label: str
    seconds: float
    flops: int
    bytes: int


class Profile:
    """Where the time of a step goes; what `tn.profile` returns, shown as a picture and tables in notebooks.

    Args:
        title: of the step.
        plain: seconds of the steps without clocks.
        measured, rows, classes, kernels, uncounted: see Attributes.

    Attributes:
        title: of the step.
        seconds: of the fastest step without clocks; what else the machine does only adds to times.
        median, slowest: of the steps without clocks.
        measured: the sum of the times of all rows, each the least of all steps with clocks.
        repeats, threads: how it was measured.
        rows: `Row`s in the order of first execution; their seconds add up to `measured`.
        kernels: of a compiled step its `Kernel`s, else empty.
        classes: {path: class name} of the modules.
        uncounted: why FLOPs and bytes could not be counted, "" if they were.

    Example:
        >>> import tinygrad_notes as tn
        >>> found = tn.profile(tn.nn.Linear(2, 3), tn.ones(4, 2), repeats=1)
        >>> found.by_phase()[0].flops
        60
    """

    def __init__(self, title, plain, measured, rows, classes, kernels=(), uncounted=""):
        self.title, self.rows, self.classes, self.kernels = title, rows, classes, list(kernels)
        self.uncounted = uncounted
        self.seconds, self.slowest, self.median = min(plain), max(plain), statistics.median(plain)
        self.repeats, self.measured, self.threads = len(plain), measured, get_num_threads()

    # Sums ---------------------------------------------------------------------------------
    def by_phase(self) -> list[Row]:
        """A row for each phase, in order."""
        rows = self._summed(lambda r: (r.phase, "", r.phase))
        return sorted(rows, key=lambda r: PHASES.index(r.phase))

    def by_operation(self) -> list[Row]:
        """A row for each operation and phase, slowest first."""
        return sorted(self._summed(lambda r: (r.phase, "", r.name)), key=lambda r: -r.seconds)

    def by_module(self) -> list[Row]:
        """A row for each module, all phases together and without modules inside it, slowest first."""
        rows = [r for r in self._summed(lambda r: ("", r.module, self.classes.get(r.module, ""))) if r.module]
        return sorted(rows, key=lambda r: -r.seconds)

    def _summed(self, key_of):
        found: dict[tuple, Row] = {}
        for r in self.rows:
            key = key_of(r)
            to = found.setdefault(key, Row(*key, 0.0, 0))
            to.seconds, to.calls = to.seconds + r.seconds, to.calls + r.calls
            for name in ("flops", "bytes"):
                more = getattr(r, name)
                if more is not None:
                    setattr(to, name, (getattr(to, name) or 0) + more)
        return list(found.values())

    # Text -----------------------------------------------------------------------------------
    def facts(self) -> list[tuple[str, str]]:
        """(name, value) of the figures at the top."""
        flops, read = (sum(getattr(r, name) or 0 for r in self.rows) for name in ("flops", "bytes"))
        found = [("a step, at best", seconds_text(self.seconds))]
        if not self.uncounted:
            found += [("arithmetic", quantity(flops, "FLOP")), ("rate", quantity(flops / self.seconds, "FLOP/s")),
                      ("arrays read and written", quantity(read, "B"))]
        return found if not self.kernels else [*found, ("kernels", str(len(self.kernels)))]

    def remark(self) -> str:
        """How it was measured, and how far the clocks disturbed it."""
        share = self.measured / self.seconds
        how = ("The time of a fused loop is shared among its operations by their estimated work; the table of kernels "
               "is measured." if self.kernels else "")
        if self.uncounted:
            how += f"FLOPs and bytes are not counted: {self.uncounted}"
        many = f"{self.threads} thread{'s' * (self.threads > 1)}"
        return (f"{self.repeats} steps without clocks took {seconds_text(self.seconds)} to "
                f"{seconds_text(self.slowest)}, median {seconds_text(self.median)}, with {many}. Of {self.repeats} "
                f"with clocks the least time of each part is shown; the parts add up to {share:.0%} of the fastest "
                f"step. {how}").strip()

    def text(self, most: int = 20) -> str:
        """The tables as text, with at most `most` rows each."""
        facts = ", ".join(f"{n} {v}" for n, v in self.facts()[1:])
        lines = [f"{self.title}: {seconds_text(self.seconds)} a step at best{f' ({facts})' * bool(facts)}",
                 self.remark(), "",
                 *_lines(PHASE_COLUMNS, self._cells(self.by_phase(), PHASE_COLUMNS)), "",
                 *_lines(COLUMNS, self._cells(self.by_operation()[:most], COLUMNS))]
        modules = self.by_module()[:most]
        if modules:
            lines += ["", *_lines(MODULE_COLUMNS, self._cells(modules, MODULE_COLUMNS))]
        if self.kernels:
            slowest = sorted(self.kernels, key=lambda k: -k.seconds)[:most]
            lines += ["", *_lines(KERNEL_COLUMNS, self._cells(slowest, KERNEL_COLUMNS))]
        return "\n".join(lines) + "\n"

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"Profile({self.title}, {seconds_text(self.seconds)} a step, {len(self.rows)} rows)"

    def _cells(self, rows, columns):
        return [[_CELLS[c](self, r) for c in columns] for r in rows]

    # Pictures -------------------------------------------------------------------------------
    def svg(self, width: int = 1080) -> str:
        """The flame picture as SVG text: each row of boxes divides the one above; widths are times."""
        return flame(self, width)

    def html(self) -> str:
        """A page that needs nothing but itself: figures, flame picture with zoom, tables."""
        from .page import Page, cards, figure, note, table
        page = Page(f"Profile of {self.title}", "Where the time of one step goes")
        page.section("One step", cards([(n, v, "") for n, v in self.facts()]), note(self.remark()),
                     table(self._cells(self.by_phase(), PHASE_COLUMNS), PHASE_COLUMNS, range(1, 9)))
        page.section("Flame", note("Width is time; the stronger the color of an operation, the more of the step it "
                                   "took. Click a box (or press Enter on it) to look inside, the top box to go back."),
                     figure(self.svg(), style="flame") + f"<script>{asset('flame.js')}</script>")
        page.section("Operations", table(self._cells(self.by_operation(), COLUMNS), COLUMNS, range(2, 10)))
        if self.kernels:
            slowest = sorted(self.kernels, key=lambda k: -k.seconds)
            page.section("Kernels", table(self._cells(slowest, KERNEL_COLUMNS), KERNEL_COLUMNS, range(2, 9)))
        modules = self.by_module()
        if modules:
            page.section("Modules", note("Each without the modules inside it; all phases together."),
                         table(self._cells(modules, MODULE_COLUMNS), MODULE_COLUMNS, range(2, 9)))
        return page.html("FLOPs: additions, multiplications, comparisons and elementary functions of single elements, "
                         "each one. Bytes: arrays that an operation reads and writes, each once.")

    def _repr_html_(self):
        return f"<div>{self.svg()}</div><pre>{_escaped(self.text(12))}</pre>"

    def save(self, path: str | PathLike[str]) -> Path:
        """Write it; the ending says how: .html, .svg, .txt or .json.

        Raises:
            ValueError: the ending is none of these.
            OSError: the file cannot be written.
        """
        path = Path(path)
        kind = path.suffix.lower()
        if kind not in ENDINGS:
            raise ValueError(f"{path}: expected a name that ends in {', '.join(ENDINGS)}")
        body = {".html": self.html, ".svg": self.svg, ".txt": lambda: self.text(1 << 30), ".json": self._json}[kind]()
        with replacing(path) as temporary:
            temporary.write_text(body, encoding="utf-8")
        return path

    def _json(self):
        return json.dumps({"title": self.title, "seconds": self.seconds, "measured": self.measured,
                           "median": self.median, "slowest": self.slowest,
                           "repeats": self.repeats, "threads": self.threads,
                           "rows": [vars(r) for r in self.rows], "kernels": [vars(k) for k in self.kernels]}, indent=1)


def _escaped(text):
    from html import escape
    return escape(text)


COLUMNS = ("operation", "phase", "time", "share", "calls", "FLOP", "FLOP/s", "bytes", "B/s")
PHASE_COLUMNS = ("phase", "time", "share", "calls", "FLOP", "FLOP/s", "bytes", "B/s")
MODULE_COLUMNS = ("module", "class", "time", "share", "calls", "FLOP", "FLOP/s", "bytes", "B/s")
KERNEL_COLUMNS = ("kernel", "what runs", "time", "share", "FLOP", "FLOP/s", "bytes", "B/s")


def _rate(part, seconds, unit):
    return quantity(part / seconds, unit) if part and seconds > 0 else ""


def _clipped(text, most=64):
    return text if len(text) <= most else text[:most - 1] + "…"


_CELLS: dict[str, Callable] = {
    "operation": lambda p, r: r.name, "phase": lambda p, r: r.phase, "module": lambda p, r: r.module,
    "class": lambda p, r: r.name, "kernel": lambda p, r: str(r.index), "what runs": lambda p, r: _clipped(r.label),
    "time": lambda p, r: seconds_text(r.seconds), "share": lambda p, r: f"{r.seconds / p.measured:.1%}",
    "calls": lambda p, r: str(r.calls or ""), "FLOP": lambda p, r: quantity(r.flops, "") if r.flops else "",
    "FLOP/s": lambda p, r: _rate(r.flops, r.seconds, ""),
    "bytes": lambda p, r: quantity(r.bytes, "") if r.bytes else "",
    "B/s": lambda p, r: _rate(r.bytes, r.seconds, ""),
}
_LEFT = ("operation", "phase", "module", "class", "what runs")


def _lines(columns, cells):
    """A table as lines: words to the left, numbers to the right."""
    table = [list(columns), *cells]
    widths = [max(len(row[k]) for row in table) for k in range(len(columns))]

    def line(row):
        return "  ".join(text.ljust(w) if c in _LEFT else text.rjust(w)
                         for text, w, c in zip(row, widths, columns)).rstrip()
    return [line(table[0]), "  ".join("-" * w for w in widths), *map(line, table[1:])]


# Measuring --------------------------------------------------------------------------------
def profile(step: Callable[..., Any], *args: Any, repeats: int = 5, warmup: int = 2, title: str | None = None,
            **kwargs: Any) -> Profile:
    """Measure where the time of a step goes: by operation, by module, forward, backward and update.

    The step really runs, `warmup + 2 repeats` times: half of them without clocks for the time of a step, half with
    clocks around every operation, gradient rule, module and update. A function of `tn.compile` is measured kernel by
    kernel. FLOPs and bytes are counted once more in a recording, which changes nothing.

    Args:
        step: a function, module, or what `tn.compile` returns.
        *args, **kwargs: its arguments.
        repeats: how often it is measured, 1 or more; the fastest step is shown.
        warmup: how often it runs before.
        title: a name for it.

    Returns:
        A `Profile`: `print` it, `save` it as .html, .svg, .txt or .json, or end a notebook cell with it.

    Raises:
        TypeError: `step` cannot be called.
        ValueError: `repeats` or `warmup` is out of range.
        CannotRecord: a compiled function runs uncompiled.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.nn.Sequential(tn.nn.Linear(4, 8), tn.nn.Tanh(), tn.nn.Linear(8, 1))
        >>> found = tn.profile(lambda m, x: m(x).sum().backward(), model, tn.randn(5, 4), repeats=1)
        >>> [row.phase for row in found.by_phase()]
        ['forward', 'backward', 'other']
        >>> sorted(row.name for row in found.by_operation() if row.phase == "backward" and row.flops)
        ['linear', 'tanh']
    """
    if not callable(step):
        raise TypeError(f"profile: expected a function, got {type(step).__name__}")
    for name, value, low in (("repeats", repeats, 1), ("warmup", warmup, 0)):
        if not isinstance(value, int) or value < low:
            raise ValueError(f"profile: {name}: expected a whole number >= {low}, got {value!r}")
    fn = step.fn if isinstance(step, Compiled) else step
    title = title or getattr(fn, "__qualname__", type(fn).__name__).replace("<locals>.", "")
    classes = clock.module_names(fn, args, kwargs)
    for _ in range(warmup):
        step(*args, **kwargs)
    measure = _compiled if isinstance(step, Compiled) else _eager
    plain, rows, kernels, uncounted = measure(step, args, kwargs, repeats)
    return Profile(title, plain, sum(r.seconds for r in rows), rows, classes, kernels, uncounted)


def _plain(step, args, kwargs):
    started = perf_counter()
    step(*args, **kwargs)
    return perf_counter() - started


def _eager(step, args, kwargs, repeats):
    plain, clocks = [], []
    for _ in range(repeats):
        plain.append(_plain(step, args, kwargs))
        clocks.append(clock.time_step(step, args, kwargs)[0])
    work, uncounted = _work(step, args, kwargs)
    rows = [Row(*key, min(c.seconds[key] for c in clocks if key in c.seconds), calls,
                *work.get((*key[:2], RECORDED_AS.get(key[2], key[2])), (None, None)))
            for key, calls in clocks[-1].calls.items()]
    return plain, rows, (), uncounted


def _work(step, args, kwargs):
    """{(phase, module, name): (FLOPs, bytes)} of a step, from a recording; and why there is none."""
    try:
        with warnings.catch_warnings(action="ignore"):
            program = record(step, args, kwargs, may_read=True, commit=False).program
    except (CannotRecord, TypeError) as error:  # TypeError: plain arrays met recorded ones
        return {}, str(error)
    inside: dict[int, list] = {}
    for i in program.instructions:
        root = i.scope
        while root >= 0 and program.scopes[root].parent >= 0:
            root = program.scopes[root].parent
        inside.setdefault(root, []).append(i)
    found: dict[tuple, tuple[int, int]] = {}
    for scope in program.scopes:
        if scope.parent >= 0:
            continue
        if scope.phase == "forward":
            count, values = flops_of_scope(program, scope), {*scope.inputs, *scope.outputs}
        elif scope.phase == "backward":
            saved = program.scopes[scope.of].saved if scope.of >= 0 else ()
            count = sum(map(flops_of, inside.get(scope.index, ())))
            values = {*scope.inputs, *scope.outputs, *saved}
        else:
            count, values = sum(map(flops_of, inside.get(scope.index, ()))), set()
        moved = sum(v.nbytes for v in values if v is not None)
        if scope.phase == "update":
            moved = sum(map(bytes_of, inside.get(scope.index, ())))
        phase = "other" if scope.phase == "outside" else scope.phase
        if scope.kind == "view":
            moved = 0
        key = phase, "" if phase == "update" else scope.module, scope.name
        flops, total = found.get(key, (0, 0))
        found[key] = flops + count, total + moved
    return found, ""


def _compiled(step, args, kwargs, repeats):
    times = clock_compiled.KernelTimes(step)
    for _ in range(2):  # records, and makes the kernels' code warm
        times.run(args, kwargs)
    plain, runs = [], []
    for _ in range(repeats):
        plain.append(_plain(step, args, kwargs))
        runs.append(times.run(args, kwargs))
    seconds = {k: min(run[1].get(k, 0.0) for run in runs) for k in runs[0][1]}
    executor, found, kernels = times.replay.executor, {}, []
    for kernel in executor.fusion.kernels:
        label, flops, moved = clock_compiled.facts(kernel, executor)
        took = seconds.get(kernel.index, 0.0)
        kernels.append(Kernel(kernel.index, label, took, flops, moved))
        parts = clock_compiled.shares(kernel, executor.program.scopes)
        for key, share in parts.items():
            row = found.setdefault(key, Row(*key, 0.0, 0, 0, 0))
            row.seconds, row.calls = row.seconds + share * took, row.calls + 1
            row.flops, row.bytes = row.flops + round(share * flops), row.bytes + round(share * moved)
    rest = max(0.0, min(total - sum(parts.values()) for total, parts in runs))
    rows = [*found.values(), Row("other", "", clock.PYTHON, rest, 1)]
    return plain, rows, kernels, ""
