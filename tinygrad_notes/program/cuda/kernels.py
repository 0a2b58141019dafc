"""A loop of a program as CUDA C: the statements are those of the C emitter, the walk over the domain is another.

- Without reductions one thread does one element.
- With reductions over rows one block does one row: its threads walk along it, once per stage; what a reduction gives
  is known to all of them when it is over. Elements that a later stage needs are computed again, not kept.
- A reduction whose result leaves the loop is a kernel of its own behind it: one block per element of the result, or
  one thread where neighbouring results lie side by side and sums are short. Where this gives a GPU too little to do,
  the sum is cut into parts, and a second kernel adds those up.

The text is plain C but for `blockIdx`, `threadIdx`, `__shared__` and `__syncthreads`, so that a test can compile it for
the CPU, with threads of the system in place of those of a block, and compare its results with NumPy's.
"""
import math
from dataclasses import dataclass

from ..build import operands
from ..native.expressions import c_type, expression
from ..native.loops import COMBINE, LoopCode, identity
from ..passes.canonical import REDUCTIONS
from ..program import Value
from ..views import merged

FEW = 64       # elements of a sum up to which one thread adds them up
SHORTEST = 16  # elements of a part, where one thread adds up each part of a long sum
THREADS, BLOCKS = 1 << 15, 512  # of a kernel, up to which long sums are cut into parts


@dataclass(frozen=True)
class Room:
    """A place in the room, which is free again after the instruction."""

    offset: int


@dataclass
class Launch:
    """A kernel and how it is started.

    Fields:
        name, text: of the kernel.
        arrays: the values whose memory it gets, in the order of its parameters; behind them come the scalars.
        blocks, threads: how many; `threads` None: as many as BLOCK says, each block does one row.
        wide: whether its blocks have WIDE threads.
        kernel: the index of the kernel of the program that it is part of.
    """

    name: str
    text: str
    arrays: tuple
    blocks: int
    threads: int | None = None
    wide: bool = False
    kernel: int = -1


class CudaLoop(LoopCode):
    """Writes one loop.

    Args:
        loop: the `kernels.Loop`.
        views: the `Views` of the program.
        stored: the values that must be in memory.
        name: of the first kernel.

    Fields:
        spilled: values that are in memory here although nobody else reads them: a reduction behind the loop does.
    """

    def __init__(self, loop, views, stored, name):
        self.loop, self.views, self.name = loop, views, name
        self.lines, self.depth, self.count, self.lane_size, self.room = [], 1, 0, 0, 0
        self.stored = stored
        self.sort_members()
        self.spilled = {self.root(x) for i in loop.members if self.kind[i.outputs[0]] == "total" for x in i.inputs
                        if self.root(x) in self.kind} - set(stored)
        self.stored = set(stored) | self.spilled
        self.find_accesses()

    def launches(self):
        """The kernels, in the order in which they run."""
        found = []
        if self.stores:
            found.append(self.main())
        for k, i in enumerate(i for i in self.loop.members if self.kind[i.outputs[0]] == "total"):
            found += self.total(i, f"{self.name}_{k}")
        return found

    # The walk ---------------------------------------------------------------------------
    def place_axes(self, rows, line, accesses):
        """Join the axes of rows and of the line where they lie as one, and give every access its steps."""
        sizes = self.loop.sizes
        self.row_sizes, row_steps = merged([sizes[a] for a in rows], [[x.steps[a] for a in rows] for x in accesses])
        self.line_sizes, line_steps = merged([sizes[a] for a in line], [[x.steps[a] for a in line] for x in accesses])
        for access, r, l in zip(accesses, row_steps, line_steps):
            access.rows, access.line = r, l

    def indices(self, letter, sizes, whole):
        """Declare one index per axis, cut out of the index of the whole."""
        left = whole
        for k in reversed(range(len(sizes))):
            rest = f"{left} % {sizes[k]}L" if k else left
            self.write(f"const long {letter}{k} = {rest};")
            left = f"({left} / {sizes[k]}L)"

    def finish(self, name, roots, made, blocks, threads=None, room=None, wide=False):
        """The kernel around the lines; `room`: the type of the numbers in the room, if it is used."""
        arrays = tuple(dict.fromkeys([*roots, *made]))
        parameters = [f"{c_type(v.dtype)}* q{v.number}" if v in made else f"const {c_type(v.dtype)}* p{v.number}"
                      for v in arrays]
        if room:
            arrays, parameters = (*arrays, Room(0)), [*parameters, f"{room}* room"]
        head = ", ".join([*parameters, "const double* scalars"])
        text = "\n".join([f"KERNEL void {'LONG_ROWS ' if wide else ''}{name}({head}) {{", *self.lines,
                          "}"])
        self.lines = []
        text = text.replace("BLOCK", "WIDE") if wide else text
        return Launch(name, text, arrays, blocks, threads, wide)

    # Elements and rows --------------------------------------------------------------------
    def main(self):
        """The kernel of all that is stored."""
        loop, inner = self.loop, sorted(self.loop.inner or ())
        accesses = [*self.loads.values(), *self.stores.values()]
        outer = sorted(a for a in loop.every if a not in inner)
        roots = dict.fromkeys(self.root(x) for (i, x) in self.loads if self.kind[i.outputs[0]] != "total")
        if loop.inner is None:
            self.place_axes((), outer, accesses)
            size = math.prod(self.line_sizes)
            self.write("const long i = (long)blockIdx.x * BLOCK + threadIdx.x;")
            self.write(f"if (i >= {size}L) return;")
            self.indices("i", self.line_sizes, "i")
            self.elements(list(self.stores), 0, {})
            return self.finish(self.name, roots, list(self.stores), size, 1)
        self.place_axes(outer, inner, accesses)
        self.write("const int t = threadIdx.x;")
        self.indices("o", self.row_sizes, "(long)blockIdx.x")
        for kind in dict.fromkeys(c_type(v.dtype) for v, how in self.kind.items() if how == "row sum"):
            self.write(f"__shared__ {kind} shared_{kind}[BLOCK];")
        for stage in range(self.stages + 1):
            self.row_values(stage)
            self.line_of(stage)
        rows, length = math.prod(self.row_sizes), math.prod(self.line_sizes)
        return self.finish(self.name, roots, list(self.stores), rows, wide=rows < BLOCKS and length >= 8 * 256)

    def row_values(self, stage):
        """What is known of the whole row before a stage: every thread computes it, one stores it."""
        known = {}
        for i in self.loop.members:
            out = i.outputs[0]
            if self.kind[out] != "row" or self.stage[out] != stage:
                continue
            shown = operands(i)
            texts = [self.row_text(i, x, known) if isinstance(x, Value) else None for x in shown]
            self.write(f"const {c_type(out.dtype)} v{out.number} = {expression(i, shown, texts, _scalar)};")
            if out in self.stores:
                self.write(f"if (t == 0) {self.place(self.stores[out], row=True)} = v{out.number};")

    def row_text(self, i, x, known):
        """An operand that is the same along the row."""
        root = self.root(x)
        if root in self.kind:
            return f"v{root.number}"
        return self.read(self.place(self.loads[i, x], row=True), x.dtype, known)

    def line_of(self, stage):
        """One walk along the row: reductions of this stage, and elements that are stored."""
        sums = [i for i in self.loop.members if self.kind[i.outputs[0]] == "row sum"
                and self.stage[i.outputs[0]] == stage]
        kept = [v for v in self.stores if self.kind[v] == "element" and self.stage[v] == stage]
        if not sums and not kept:
            return
        for i in sums:
            self.write(f"{c_type(i.outputs[0].dtype)} s{i.outputs[0].number} = {identity(i)};")
        self.open(f"for (long i = t; i < {math.prod(self.line_sizes)}L; i += BLOCK)")
        self.indices("i", self.line_sizes, "i")
        here = self.elements(kept, stage, {}, [(i, x) for i in sums for x in i.inputs])
        for i, text in zip(sums, here):
            self.write(COMBINE[i.name].format(f"s{i.outputs[0].number}", text))
        self.close()
        for i in sums:
            out = i.outputs[0]
            self.reduce(i, f"s{out.number}")
            self.write(f"const {c_type(out.dtype)} v{out.number} = shared_{c_type(out.dtype)}[0];")
            self.write("__syncthreads();")
            if out in self.stores:
                self.write(f"if (t == 0) {self.place(self.stores[out], row=True)} = v{out.number};")

    def reduce(self, i, own):
        """Join what the threads of a block have found; the result is in `shared[0]`."""
        shared = f"shared_{c_type(i.outputs[0].dtype)}"
        self.write(f"{shared}[t] = {own};")
        self.write("__syncthreads();")
        self.open("for (int k = BLOCK / 2; k > 0; k /= 2)")
        self.write("if (t < k) { " + COMBINE[i.name].format(f"{shared}[t]", f"{shared}[t + k]") + " }")
        self.write("__syncthreads();")
        self.close()

    def elements(self, wanted, stage, known, others=()):
        """Compute elements and store those that are wanted; the texts of `others`: (instruction, operand) each."""
        needed, queue = set(), [*wanted, *[self.root(x) for _, x in others]]
        for root in queue:  # grows while it is walked
            if self.kind.get(root) != "element" or root in needed or self.from_memory(root, stage):
                continue
            needed.add(root)
            queue += [self.root(x) for x in self.maker[root].inputs if isinstance(x, Value)]
        for i in self.loop.members:
            out = i.outputs[0]
            if out not in needed or i.name in REDUCTIONS:
                continue
            shown = operands(i)
            texts = [self.element_text(i, x, stage, known) if isinstance(x, Value) else None for x in shown]
            self.write(f"const {c_type(out.dtype)} v{out.number} = {expression(i, shown, texts, _scalar)};")
            if out in wanted:
                self.write(f"{self.place(self.stores[out])} = v{out.number};")
        return [self.element_text(i, x, stage, known) for i, x in others]

    def from_memory(self, root, stage):
        """Whether an element was stored by this very thread in an earlier stage."""
        return root in self.stores and self.stage[root] < stage

    def element_text(self, i, x, stage, known):
        """An operand at the present element."""
        root = self.root(x)
        if root not in self.kind:
            return self.read(self.place(self.loads[i, x]), x.dtype, known)
        if self.kind[root] == "element" and self.from_memory(root, stage):
            return self.read(self.place(self.stores[root]), root.dtype, known)
        return f"v{root.number}"

    # Reductions that leave the loop -------------------------------------------------------
    def total(self, i, name):
        """The kernels of one reduction over what is in memory; parts of a long one lie in the room."""
        out, x = i.outputs[0], next(x for x in i.inputs if isinstance(x, Value))
        root = self.root(x)
        source, target = self.stores[root] if root in self.kind else self.loads[i, x], self.totals[out]
        pointer, source.pointer = source.pointer, f"p{root.number}"
        ran = [a for a in self.loop.runs[i] if a is not None and self.loop.sizes[a] != 1]
        kept = sorted(a for a in ran if target.steps[a])
        self.place_axes(kept, sorted(a for a in ran if a not in kept), [source, target])
        size, length, kind = math.prod(self.row_sizes), math.prod(self.line_sizes), c_type(out.dtype)
        alone = length <= FEW or bool(source.rows) and source.rows[-1] == 1 and size >= FEW
        parts = min(-(-length // SHORTEST), THREADS // size) if alone else min(-(-length // (8 * 256)), BLOCKS // size)
        reading = [f"const {c_type(root.dtype)} x = {self.place(source)};"]
        place = self.place(target, row=True)
        if parts <= 1:
            made = [self.reduced(i, name, size, 1, length, alone, reading, place, [root], [out])]
        else:
            self.room = max(self.room, size * parts * out.dtype.itemsize)
            first = self.reduced(i, f"{name}_parts", size, parts, length, alone, reading, None, [root], [])
            self.line_sizes = [parts]
            few = size >= FEW or parts <= FEW
            reading = [f"const {kind} x = room[i * {size}L + o];"]
            made = [first, self.reduced(i, name, size, 1, parts, few, reading, place, [], [out], room=True)]
        source.pointer = pointer
        return made

    def reduced(self, i, name, size, parts, length, alone, reading, place, roots, made, room=False):
        """A kernel that reduces `length` numbers to `parts`: for each result one thread alone, or a block."""
        kind = c_type(i.outputs[0].dtype)
        chunk, index = -(-length // parts), "(long)blockIdx.x"
        if alone:
            index = "g"
            self.write("const long g = (long)blockIdx.x * BLOCK + threadIdx.x;")
            self.write(f"if (g >= {size * parts}L) return;")
        else:
            self.write("const int t = threadIdx.x;")
            self.write(f"__shared__ {kind} shared_{kind}[BLOCK];")
        self.write(f"const long o = {index}{f' % {size}L' if parts > 1 else ''};")
        self.indices("o", self.row_sizes, "o")
        start, end = "0", f"{length}L"
        if parts > 1:
            self.write(f"const long start = {index} / {size}L * {chunk}L;")
            self.write(f"const long end = start + {chunk}L < {length}L ? start + {chunk}L : {length}L;")
            start, end = "start", "end"
        self.write(f"{kind} s = {identity(i)};")
        self.open(f"for (long i = {start}{'' if alone else ' + t'}; i < {end}; {'++i' if alone else 'i += BLOCK'})")
        self.indices("i", self.line_sizes, "i")
        for line in reading:
            self.write(line)
        self.write(COMBINE[i.name].format("s", "x"))
        self.close()
        target = place or f"room[{index}]"
        if alone:
            self.write(f"{target} = s;")
        else:
            self.reduce(i, "s")
            self.write(f"if (t == 0) {target} = shared_{kind}[0];")
        return self.finish(name, roots, made, size * parts, 1 if alone else None,
                           room=kind if room or parts > 1 else None)


def _scalar(scalar):
    return f"scalars[{scalar.index}]"
