"""A loop of a program as C: the rows of its domain spread over threads, single elements as vector instructions.

The domain is walked by three groups of axes: `rows` (outermost, cut into one piece per thread), `lanes` (rows that
are computed side by side, where neighbouring rows lie next to each other in memory and the elements of a row do not),
and `line` (the elements of a row; without row reductions the one axis that lies without gaps).

A pass over the line is a *stage*; a reduction over a row is known when its stage is over. What a later stage reads of
an earlier one is read back from memory if it is stored, else from a buffer of one row.
"""
import math

from ..build import operands
from ..passes.canonical import REDUCTIONS
from ..program import Value
from ..views import merged, row_major
from .expressions import c_type, expression

LANES = 32          # rows side by side
CHUNK = 2048        # elements that are added up in their own precision before they join a sum in double precision
PARALLEL = 1 << 20  # simple operations from which a second thread pays
COST = {"exp": 8, "expm1": 8, "log": 8, "log1p": 10, "tanh": 10, "expit": 8, "erf": 14, "erfc": 20, "sin": 20,
        "cos": 20, "tan": 25, "pow": 25, "divide": 3, "sqrt": 3}
COMBINE = {"sum": "{0} += {1};", "prod": "{0} *= {1};", "all": "{0} &= ({1} != 0);", "any": "{0} |= ({1} != 0);",
           "max": "{0} = (({1} > {0}) | ({1} != {1})) ? {1} : {0};",
           "min": "{0} = (({1} < {0}) | ({1} != {1})) ? {1} : {0};"}


class Access:
    """Memory that a loop reads or writes: a pointer and a step per axis of the domain."""

    def __init__(self, pointer, dtype, offset, steps):
        self.pointer, self.dtype, self.offset, self.steps = pointer, dtype, offset, steps
        self.rows = self.line = ()  # steps per merged axis
        self.lane = 0


class LoopCode:
    """Writes one loop.

    Args:
        loop: the `kernels.Loop`.
        views: the `Views` of the program.
        stored: the values that must be in memory.
        context: gives `pointer(root)` (C text of a typed pointer), `scalar(s)`, `scratch(bytes per thread)`, `threads`.
    """

    def __init__(self, loop, views, stored, context):
        self.loop, self.views, self.stored, self.context = loop, views, stored, context
        self.lines, self.depth, self.count = [], 1, 0
        self.sort_members()
        self.find_accesses()
        self.choose_axes()
        self.later = self.read_later()

    # What happens when ----------------------------------------------------------------
    def sort_members(self):
        """Stage and kind of every value made: "element", "row", "row sum" (used in the loop) or "total"."""
        loop = self.loop
        self.stage, self.kind, self.maker = {}, {}, {}
        for i in loop.members:
            out = i.outputs[0]
            ran = frozenset(a for a in loop.runs[i] if a is not None and loop.sizes[a] != 1)
            element = ran == loop.every
            at = 0
            for x in i.inputs:
                root = self.root(x)
                if root in self.kind:
                    at = max(at, self.stage[root] + (self.kind[root] == "row sum"))
            if i.name in REDUCTIONS:
                row = element and loop.inner is not None and loop.summed(i) == loop.inner
                self.kind[out] = "row sum" if row else "total"
            else:
                self.kind[out] = "element" if element else "row"
            self.stage[out], self.maker[out] = at, i
        self.stages = 1 + max(self.stage.values())
        self.at_element = {i for i in loop.members if self.kind[i.outputs[0]] != "row" and self.runs_at_elements(i)}

    def runs_at_elements(self, i):
        """Whether an instruction runs once per element and not once per row."""
        return frozenset(a for a in self.loop.runs[i] if a is not None and self.loop.sizes[a] != 1) == self.loop.every

    def root(self, x):
        """The value whose memory or variable an operand is; None for a number."""
        return self.views.of(x).root if isinstance(x, Value) else None

    def find_accesses(self):
        """The memory of operands from outside, of stored values and of totals."""
        loop = self.loop
        self.loads, self.stores, self.totals = {}, {}, {}
        for i in loop.members:
            for x in i.inputs:
                if isinstance(x, Value) and self.root(x) not in self.kind:
                    self.loads[i, x] = self.load(i, self.views.of(x))
            out = i.outputs[0]
            steps = [0] * len(loop.sizes)
            for axis, size, step in zip(loop.axes[out], out.shape, row_major(out.shape)):
                if axis is not None and size != 1:
                    steps[axis] = step
            access = Access(f"q{out.number}", out.dtype, 0, tuple(steps))
            if self.kind[out] == "total":
                self.totals[out] = access
            elif out in self.stored:
                self.stores[out] = access

    def load(self, i, view):
        """How an operand from outside is read."""
        runs = self.loop.runs[i]
        extra = len(runs) - len(view.shape)
        steps = [0] * len(self.loop.sizes)
        for k, (size, step) in enumerate(zip(view.shape, view.strides)):
            if runs[k + extra] is not None and size != 1:
                steps[runs[k + extra]] = step
        return Access(f"p{view.root.number}", view.root.dtype, view.offset, tuple(steps))

    def accesses(self):
        """All memory that is touched."""
        return [*self.loads.values(), *self.stores.values(), *self.totals.values()]

    def choose_axes(self):
        """Which axes are rows, lanes and line, and in which order."""
        loop, every = self.loop, self.accesses()

        def fit(axis):
            near = sum(a.steps[axis] == 1 for a in every) - sum(abs(a.steps[axis]) > 1 for a in every)
            return loop.sizes[axis] >= 8, near, axis

        def spread(axis):
            return sum(abs(a.steps[axis]) for a in every), -axis
        inner = sorted(loop.inner or ())
        outer = [a for a in range(len(loop.sizes)) if loop.sizes[a] != 1 and a not in inner]
        lanes, plain = None, not inner
        if inner and outer:
            best = max(outer, key=fit)
            if fit(best)[:2] > max(fit(a)[:2] for a in inner) and loop.sizes[best] >= 4:
                lanes = best
        if plain and outer:
            inner = [max(outer, key=fit)]
        rows = sorted([a for a in outer if a != lanes and a not in inner], key=spread, reverse=True)
        line = sorted(inner, key=spread, reverse=True)
        self.lane_size = loop.sizes[lanes] if lanes is not None else 0
        self.row_sizes, row_steps = merged([loop.sizes[a] for a in rows], [[a.steps[r] for r in rows] for a in every])
        self.line_sizes, line_steps = merged([loop.sizes[a] for a in line], [[a.steps[r] for r in line] for a in every])
        if plain:  # rows that follow each other without gaps are one long line
            sizes, steps = merged([*self.row_sizes, *self.line_sizes], [r + l for r, l in zip(row_steps, line_steps)])
            self.row_sizes, self.line_sizes = sizes[:-1], sizes[-1:]
            row_steps, line_steps = [s[:-1] for s in steps], [s[-1:] for s in steps]
        for access, r, l in zip(every, row_steps, line_steps):
            access.rows, access.line = r, l
            access.lane = access.steps[lanes] if lanes is not None else 0
        self.line_length = math.prod(self.line_sizes)

    def read_later(self):
        """Element values that a later stage reads."""
        later = set()
        for i in self.loop.members:
            for x in i.inputs:
                root = self.root(x)
                if self.kind.get(root) == "element" and i in self.at_element \
                        and self.stage[i.outputs[0]] > self.stage[root]:
                    later.add(root)
        return later

    # Text -----------------------------------------------------------------------------
    def write(self, text):
        """One line."""
        self.lines.append("    " * self.depth + text)

    def open(self, text):
        """A line that opens a block."""
        self.write(text + " {")
        self.depth += 1

    def close(self, n=1):
        """The end of blocks."""
        for _ in range(n):
            self.depth -= 1
            self.write("}")

    def code(self):
        """The C statements of the loop."""
        self.open("")
        for root in dict.fromkeys(self.root(x) for _, x in self.loads):
            self.write(f"const {c_type(root.dtype)}* p{root.number} = {self.context.pointer(root)};")
        for value in (*self.stores, *self.totals):
            self.write(f"{c_type(value.dtype)}* q{value.number} = {self.context.pointer(value)};")
        self.threads()
        self.close()
        return self.lines

    def threads(self):
        """Cut the outermost axis into a piece for each thread."""
        self.axis, length = self.parallel_axis()
        work = math.prod(self.loop.sizes) * max(1, sum(COST.get(i.name, 1) for i in self.loop.members))
        several = self.several = self.context.threads > 1 and self.axis is not None and work >= PARALLEL
        self.private = {}
        if several:
            for value in self.totals:
                if self.step_along(self.totals[value]) == 0:
                    self.private[value] = self.context.scratch(value.nbytes)
        if several:
            self.write("#pragma omp parallel num_threads(THREADS)")
            self.open("")
            self.write("const long t_ = omp_get_thread_num(), T_ = omp_get_num_threads();")
            self.write(f"const long a_ = {length}L * t_ / T_, b_ = {length}L * (t_ + 1) / T_;")
            for value, place in self.private.items():
                self.write(f"{c_type(value.dtype)}* q{value.number}_ = q{value.number};")
                self.write(f"{c_type(value.dtype)}* q{value.number} = t_ ? ({c_type(value.dtype)}*)({place}) : "
                           f"q{value.number}_;")
        else:
            self.open("")
            self.write(f"const long a_ = 0, b_ = {length}L;")
        self.clear_totals(several)
        self.rows()
        if several and self.private:
            self.add_private()
        self.close()

    def parallel_axis(self):
        """Which axis threads share, and its length: the first of the rows, the lanes (in groups), or the line."""
        if self.row_sizes:
            return "row", self.row_sizes[0]
        if self.lane_size:
            return "lane", -(-self.lane_size // LANES)
        if self.loop.inner is None and self.line_sizes:
            return "line", self.line_sizes[0]
        return None, 1

    def step_along(self, access):
        """The step of an access along the axis that threads share."""
        return {"row": access.rows[:1], "lane": (access.lane,), "line": access.line[:1]}[self.axis][0]

    def clear_totals(self, several):
        """Totals start from the identity of their reduction; shared ones are cleared by one thread."""
        shared = [v for v in self.totals if v not in self.private]
        if several and shared:
            self.open("if (t_ == 0)")
            for value in shared:
                self.clear(value)
            self.close()
            self.write("#pragma omp barrier")
        for value in self.totals:
            if value in self.private or not several:
                self.clear(value)

    def clear(self, value):
        """Fill a total with the identity."""
        self.write(f"for (long k = 0; k < {value.size}; ++k) q{value.number}[k] = {identity(self.maker[value])};")

    def add_private(self):
        """Add what the threads have summed, in their order."""
        self.write("#pragma omp barrier")
        self.open("if (t_ == 0)")
        self.open("for (long t = 1; t < T_; ++t)")
        for value, place in self.private.items():
            kind = c_type(value.dtype)
            self.write(f"const {kind}* r{value.number} = (const {kind}*)({place.replace('t_', 't')});")
            self.open(f"for (long k = 0; k < {value.size}; ++k)")
            self.write(COMBINE[self.maker[value].name].format(f"q{value.number}_[k]", f"r{value.number}[k]"))
            self.close()
        self.close(2)

    # The nest -------------------------------------------------------------------------
    def rows(self):
        """The loops over rows and groups of lanes."""
        opened = 0
        for k, n in enumerate(self.row_sizes):
            shared = k == 0 and self.axis == "row"
            self.open(f"for (long o{k} = {'a_' if shared else 0}; o{k} < {'b_' if shared else n}; ++o{k})")
            opened += 1
        if self.lane_size:
            if self.axis == "lane":
                self.open(f"for (long g = a_ * {LANES}; g < b_ * {LANES} && g < {self.lane_size}; g += {LANES})")
            else:
                self.open(f"for (long g = 0; g < {self.lane_size}; g += {LANES})")
            self.write(f"const long w = {self.lane_size} - g < {LANES} ? {self.lane_size} - g : {LANES};")
            opened += 1
        self.row_variables()
        self.after(-1)
        for stage in range(self.stages):
            self.line(stage)
            self.after(stage)
        self.close(opened)

    def row_variables(self):
        """Variables of what is known per row, and buffers of one row."""
        wide = f"[{LANES}]" if self.lane_size else ""
        for value, kind in self.kind.items():
            if kind in ("row", "row sum"):
                self.write(f"{self.row_type(value)} v{value.number}{wide};")
        self.buffers = {}
        for value in self.later:
            if value not in self.stores:
                length = self.line_length * (LANES if self.lane_size else 1)
                kind = c_type(value.dtype)
                if length * value.dtype.itemsize <= 1 << 14:
                    self.write(f"{kind} b{value.number}[{length}] __attribute__((aligned(64)));")
                else:
                    place = self.context.scratch(length * value.dtype.itemsize)
                    place = place if self.several else place.replace("t_", "0")
                    self.write(f"{kind}* b{value.number} = ({kind}*)({place});")

    def row_type(self, value):
        """The type of a variable that is known per row; long sums are kept in double precision."""
        if self.kind[value] == "row sum" and value.dtype == "float32" and self.line_length > CHUNK \
                and self.maker[value].name == "sum":
            return "double"
        return c_type(value.dtype)

    def line(self, stage):
        """One pass over the elements of a row."""
        members = [i for i in self.loop.members if i in self.at_element and self.stage[i.outputs[0]] == stage]
        if not members:
            return
        sums = [i for i in members if self.kind[i.outputs[0]] == "row sum"]
        for i in sums:
            target = f"v{i.outputs[0].number}"
            if self.lane_size:
                self.write(f"for (long l = 0; l < {LANES}; ++l) {target}[l] = {identity(i)};")
            else:
                self.write(f"{target} = {identity(i)};")
        self.local = {}
        sizes = self.line_sizes or (1,)
        opened = 0
        for k, n in enumerate(sizes[:-1] if not self.lane_size else sizes):
            self.open(f"for (long i{k} = 0; i{k} < {n}; ++i{k})")
            opened += 1
        if self.lane_size:
            if all(self.kind[i.outputs[0]] != "total" or self.totals[i.outputs[0]].lane for i in members):
                self.write("#pragma omp simd")
            self.open("for (long l = 0; l < w; ++l)")
            self.statements(members)
            self.close()
        else:
            self.innermost(members, sizes[-1], len(sizes) - 1)
        self.close(opened)

    def innermost(self, members, n, k):
        """The loop over the last axis of a line: with sums of its own, in pieces if they would lose digits."""
        first, last = (("a_", "b_") if self.axis == "line" else ("0", str(n)))
        alone = [i for i in members if self.sums_alone(i)]
        pieces = n > CHUNK and any(i.name == "sum" for i in alone)
        if pieces:
            self.open(f"for (long c = {first}; c < {last}; c += {CHUNK})")
            first, last = "c", f"(c + {CHUNK} < {last} ? c + {CHUNK} : {last})"
        clauses = []
        for i in alone:
            out = i.outputs[0]
            self.local[out] = f"s{out.number}"
            kind = "bool8" if i.name in ("all", "any") else c_type(out.dtype)
            self.write(f"{kind} s{out.number} = {identity(i)};")
            sign = {"sum": "+", "prod": "*", "all": "&", "any": "|"}.get(i.name)
            clauses.append(f"reduction({sign or i.name}:s{out.number})")
            if not sign and out.dtype.kind == "f":
                self.write(f"int n{out.number} = 0;")
                clauses.append(f"reduction(|:n{out.number})")
        if n > 1:
            self.write(f"#pragma omp simd {' '.join(clauses)}")
        self.open(f"for (long i{k} = {first}; i{k} < {last}; ++i{k})")
        self.statements(members)
        self.close()
        for i in alone:
            out = i.outputs[0]
            if i.name in ("max", "min") and out.dtype.kind == "f":
                self.write(f"if (n{out.number}) s{out.number} = NAN;")
            target = f"v{out.number}" if self.kind[out] == "row sum" else self.place(self.totals[out], len_line=k)
            self.write(COMBINE[i.name].format(target, f"s{out.number}"))
        if pieces:
            self.close()

    def sums_alone(self, i):
        """Whether a reduction sums along the innermost axis, so that it has a variable of its own there."""
        out = i.outputs[0]
        if self.kind[out] == "row sum":
            return True
        return self.kind[out] == "total" and (not self.line_sizes or self.totals[out].line[-1] == 0)

    def place(self, access, len_line=None, row=False):
        """The C text of one element of an access, at the present indices."""
        terms = [str(access.offset)] if access.offset else []
        terms += [_term(f"o{k}", s) for k, s in enumerate(access.rows) if s]
        if self.lane_size and access.lane:
            terms.append(_term("(g + l)", access.lane))
        if not row:
            steps = access.line if len_line is None else access.line[:len_line]
            terms += [_term(f"i{k}", s) for k, s in enumerate(steps) if s]
        return f"{access.pointer}[{' + '.join(terms) or 0}]"

    def buffer_place(self, value):
        """The element of a buffer of one row at the present indices."""
        index = " + ".join(_term(f"i{k}", s) for k, s in enumerate(row_major(self.line_sizes or (1,))) if
                           (self.line_sizes or (1,))[k] != 1) or "0"
        return f"b{value.number}[({index}) * {LANES} + l]" if self.lane_size else f"b{value.number}[{index}]"

    def statements(self, members):
        """The work at one element."""
        known, here = {}, {i.outputs[0] for i in members}
        for i in members:
            out = i.outputs[0]
            shown = operands(i)
            texts = [self.operand(i, x, known, here) if isinstance(x, Value) else None for x in shown]
            number = out.number
            if i.name not in REDUCTIONS:
                text = expression(i, shown, texts, self.context.scalar)
                self.write(f"const {c_type(out.dtype)} v{number} = {text};")
                if out in self.stores:
                    self.write(f"{self.place(self.stores[out])} = v{number};")
                elif out in self.later:
                    self.write(f"{self.buffer_place(out)} = v{number};")
                continue
            text = texts[0]
            if out in self.local and not self.lane_size:
                self.write(self.combined(i, f"s{number}", text))
            elif self.kind[out] == "row sum":
                self.write(COMBINE[i.name].format(f"v{number}[l]", text))
            else:
                self.write(COMBINE[i.name].format(self.place(self.totals[out]), text))

    @staticmethod
    def combined(i, target, text):
        """Add an element to the variable of a reduction; extremes note a NaN apart, so that the loop stays simple."""
        if i.name in ("max", "min"):
            number = i.outputs[0].number
            sign = ">" if i.name == "max" else "<"
            note = f"n{number} |= ({text} != {text}); " if i.outputs[0].dtype.kind == "f" else ""
            return f"{note}{target} = {text} {sign} {target} ? {text} : {target};"
        return COMBINE[i.name].format(target, text)

    def operand(self, i, x, known, here):
        """The C text of an operand of an instruction at one element."""
        root = self.root(x)
        if root in self.kind:
            if self.kind[root] in ("row", "row sum"):
                text = f"v{root.number}[l]" if self.lane_size else f"v{root.number}"
                return f"(({c_type(root.dtype)}){text})" if self.row_type(root) != c_type(root.dtype) else text
            if root in here:
                return f"v{root.number}"
            place = self.place(self.stores[root]) if root in self.stores else self.buffer_place(root)
            return self.read(place, root.dtype, known)
        return self.read(self.place(self.loads[i, x]), x.dtype, known)

    def read(self, place, dtype, known):
        """A variable that holds an element of memory."""
        if place not in known:
            self.count += 1
            known[place] = f"x{self.count}"
            self.write(f"const {c_type(dtype)} {known[place]} = {place};")
        return known[place]

    def after(self, stage):
        """What is computed once per row when a stage is over."""
        members = [i for i in self.loop.members if i not in self.at_element
                   and self.stage[i.outputs[0]] - 1 == stage]
        stored = [v for v, k in self.kind.items() if k == "row sum" and v in self.stores and self.stage[v] == stage]
        if not members and not stored:
            return
        if self.lane_size:
            if not any(self.kind[i.outputs[0]] == "total" for i in members):
                self.write("#pragma omp simd")
            self.open("for (long l = 0; l < w; ++l)")
        known = {}
        for value in stored:
            text = f"v{value.number}[l]" if self.lane_size else f"v{value.number}"
            self.write(f"{self.place(self.stores[value], row=True)} = {text};")
        for i in members:
            out, shown = i.outputs[0], operands(i)
            texts = [self.row_operand(i, x, known) if isinstance(x, Value) else None for x in shown]
            if self.kind[out] == "total":
                self.write(COMBINE[i.name].format(self.place(self.totals[out], row=True), texts[0]))
                continue
            target = f"v{out.number}[l]" if self.lane_size else f"v{out.number}"
            self.write(f"{target} = {expression(i, shown, texts, self.context.scalar)};")
            if out in self.stores:
                self.write(f"{self.place(self.stores[out], row=True)} = {target};")
        if self.lane_size:
            self.close()

    def row_operand(self, i, x, known):
        """The C text of an operand of an instruction that runs once per row."""
        root = self.root(x)
        if root in self.kind:
            text = f"v{root.number}[l]" if self.lane_size else f"v{root.number}"
            return f"(({c_type(root.dtype)}){text})" if self.row_type(root) != c_type(root.dtype) else text
        return self.read(self.place(self.loads[i, x], row=True), x.dtype, known)


def identity(reduction):
    """What a reduction starts from, as C."""
    name, dtype = reduction.name, reduction.outputs[0].dtype
    if name in ("max", "min"):
        if dtype.kind == "f":
            return "-INFINITY" if name == "max" else "INFINITY"
        bits = dtype.itemsize * 8
        if dtype.kind == "b":
            return "0" if name == "max" else "1"
        low, high = (0, 2 ** bits - 1) if dtype.kind == "u" else (-(2 ** (bits - 1)) + 1, 2 ** (bits - 1) - 1)
        return f"({low}LL - 1)" if name == "max" and dtype.kind == "i" else f"{low if name == 'max' else high}LL"
    return "0" if name in ("sum", "any") else "1"


def _term(name, step):
    return name if step == 1 else f"{name} * {step}L"
