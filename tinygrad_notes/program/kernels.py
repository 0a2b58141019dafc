"""A program cut into kernels: loops in which many instructions run together, products, copies, and calls of functions.

Kernels run in their order. A `Loop` goes over a box of indices, its domain; each of its instructions runs at every
index, or, once a whole row has been reduced, at every row.
"""
import math
from dataclasses import dataclass, field

from .build import operands
from .elementwise import ELEMENTWISE
from .passes.canonical import REDUCTIONS, VIEWS
from .program import Value
from .views import Views, axes_of, total

LONGEST = 400  # instructions in one loop: compilers take long over more


@dataclass
class Call:
    """One instruction that runs as a function by itself."""

    instruction: object
    index: int = 0

    @property
    def results(self):
        """The values it makes."""
        return self.instruction.made


@dataclass
class Loop:
    """Instructions that run together.

    A value made here is at single elements (it varies along all axes of the domain) or at rows (along all but the inner
    axes, over which a reduction whose result is used here has summed). Other reductions end here.

    Fields:
        sizes: lengths of the axes of its domain.
        inner: the axes within a row, or None while no reduction's result is used here.
        members: the instructions, in order.
        runs: {instruction: per axis that it runs over (for a reduction those of its operand) the axis of the domain,
            None for length one}.
        axes: {value made here: the same per axis of the value}.
    """

    sizes: tuple
    index: int = 0
    inner: frozenset | None = None
    members: list = field(default_factory=list)
    runs: dict = field(default_factory=dict)
    axes: dict = field(default_factory=dict)

    @property
    def results(self):
        """The values it makes."""
        return [i.outputs[0] for i in self.members]

    @property
    def every(self):
        """The axes of the domain that are longer than one."""
        return frozenset(a for a, n in enumerate(self.sizes) if n != 1)

    @property
    def outer(self):
        """The axes over which rows are counted."""
        return self.every - (self.inner or frozenset())

    def used(self, value):
        """The axes along which a value made here varies."""
        return frozenset(a for a in self.axes[value] if a is not None and self.sizes[a] != 1)

    def summed(self, reduction):
        """The axes that a reduction in this loop sums over."""
        ran = frozenset(a for a in self.runs[reduction] if a is not None and self.sizes[a] != 1)
        return ran - self.used(reduction.outputs[0])


def is_loop_instruction(instruction):
    """Whether an instruction can be part of a loop."""
    name = instruction.name
    if name in ELEMENTWISE or name == "cast":
        return True
    return name in REDUCTIONS and "axes" in instruction.kwargs


def is_view(instruction):
    """Whether an instruction only looks at another value in another way."""
    return instruction.name in VIEWS and bool(instruction.kwargs)


class Fusion:
    """Sorts the instructions of a program into kernels.

    Fields:
        kernels: the kernels in order.
        views: where the elements of values lie.
        made: {root value: index of the kernel that makes it}; inputs, states and constants are there from the start.
        fits: whether an instruction may be in a loop.
        longest_row: up to how many elements a row may have whose reduction is used in the same loop.
    """

    def __init__(self, program, fuse=True, fits=lambda instruction: True, longest_row=math.inf):
        self.program, self.fuse, self.fits, self.longest_row = program, fuse, fits, longest_row
        self.kernels, self.views, self.made = [], Views(), {}
        for instruction in program.instructions:
            self.place(instruction)
        if fuse:
            self.merge()

    def place(self, instruction):
        """Put an instruction into a kernel, old or new."""
        if is_view(instruction):
            value = instruction.outputs[0]
            if self.views.owns(value):  # a reshape that must move elements
                self.add(Call(instruction))
            return
        if not is_loop_instruction(instruction) or instruction.outputs[0].size == 0 or not self.fits(instruction):
            self.add(Call(instruction))
            return
        if any(isinstance(x, Value) and x.size == 0 for x in instruction.inputs):
            self.add(Call(instruction))
            return
        for loop in self.candidates(instruction):
            if self.join(loop, instruction):
                self.made[instruction.outputs[0]] = loop.index
                return
        shape = self.iterated(instruction)
        loop = Loop(tuple(shape))
        self.add(loop)
        joined = self.join(loop, instruction)
        assert joined, instruction
        self.made[instruction.outputs[0]] = loop.index

    def add(self, kernel):
        """A new kernel at the end."""
        kernel.index = len(self.kernels)
        self.kernels.append(kernel)
        for value in kernel.results:
            self.made[value] = kernel.index

    def iterated(self, instruction):
        """The shape over which an instruction runs: that of its result, or of what it reduces."""
        if instruction.name in REDUCTIONS:
            return instruction.inputs[0].shape
        return instruction.outputs[0].shape

    def roots(self, instruction):
        """The values whose memory or registers an instruction reads."""
        return [self.views.of(x).root for x in instruction.inputs if isinstance(x, Value)]

    def candidates(self, instruction):
        """Loops that an instruction may join: none may come before what it needs. The latest first."""
        if not self.fuse:
            return []
        roots = self.roots(instruction)
        first = max([self.made.get(r, -1) for r in roots], default=-1)
        near = [k for k in self.kernels[max(first, 0):][::-1] if isinstance(k, Loop) and len(k.members) < LONGEST]
        makers = [k for k in near if any(r in k.axes for r in roots)]
        shape = tuple(self.iterated(instruction))
        alike = [k for k in near if k not in makers and k.sizes == shape and self.shares(k, roots)]
        return makers + alike

    def shares(self, loop, roots):
        """Whether a loop reads something that is read here too."""
        read = {self.views.of(x).root for i in loop.members for x in i.inputs if isinstance(x, Value)}
        return any(r in read for r in roots)

    def reorder(self, outside):
        """Run kernels for which `outside(kernel)` holds as early as they can be, the others in long runs."""
        left, done, order = list(self.kernels), set(), []
        needs = {id(k): {r for r in self.needed_by(k) if r in self.made} for k in left}
        while left:
            for wanted in (True, False):
                moved, blocked = [], False
                for kernel in left:
                    if outside(kernel) != wanted:
                        continue
                    if blocked and wanted:  # what acts on the world keeps its order
                        continue
                    if needs[id(kernel)] <= done:
                        moved.append(kernel)
                        done.update(kernel.results)
                    else:
                        blocked = True
                order += moved
                gone = {id(k) for k in moved}
                left = [k for k in left if id(k) not in gone]
        self.kernels = order
        for index, kernel in enumerate(order):
            kernel.index = index
            for value in kernel.results:
                self.made[value] = index

    def needed_by(self, kernel):
        """The roots that a kernel reads and does not make itself."""
        members = kernel.members if isinstance(kernel, Loop) else [kernel.instruction]
        return {r for i in members for r in self.roots(i)} - set(kernel.results)

    # Joining a loop -----------------------------------------------------------------------
    def join(self, loop, instruction):
        """Make an instruction a member of a loop, if its indices fit those of the loop."""
        given = [x for x in operands(instruction) if isinstance(x, Value)]
        own = [x for x in given if self.views.of(x).root in loop.axes]
        runs = self.match(loop, self.iterated(instruction), own)
        if runs is None:
            return False
        inner = loop.inner
        for x in own:
            source = self.views.of(x).root.source
            if source.name in REDUCTIONS:
                if inner is None:
                    inner = loop.summed(source)
                if inner != loop.summed(source) or self.runs_at_rows(loop, source):
                    return False
                if math.prod(loop.sizes[a] for a in inner) > self.longest_row:
                    return False
        used = frozenset(a for a in runs if a is not None and loop.sizes[a] != 1)
        if used != loop.every and (inner is None or used != loop.every - inner):
            return False
        loop.inner = inner
        loop.members.append(instruction)
        loop.runs[instruction] = tuple(runs)
        gone = instruction.kwargs.get("axes", ()) if instruction.name in REDUCTIONS else ()
        loop.axes[instruction.outputs[0]] = tuple([a for k, a in enumerate(runs) if k not in gone])
        return True

    @staticmethod
    def runs_at_rows(loop, reduction):
        """Whether a reduction in the loop sums over rows, so that its result is there only at the end."""
        ran = frozenset(a for a in loop.runs[reduction] if a is not None and loop.sizes[a] != 1)
        return ran != loop.every

    def merge(self):
        """Join loops over the same domain, where what stands between them lets one move to the other."""
        changed = True
        while changed:
            changed = False
            by_sizes = {}
            for kernel in self.kernels:
                if isinstance(kernel, Loop):
                    by_sizes.setdefault(kernel.sizes, []).append(kernel)
            for loops in by_sizes.values():
                for a, b in zip(loops, loops[1:]):
                    if self.merge_two(a, b):
                        changed = True
                        break
                if changed:
                    break

    def merge_two(self, a, b):
        """Make two loops one, at the place of the earlier or of the later one, if that keeps every order."""
        if len(a.members) + len(b.members) > LONGEST:
            return False
        needs = [self.made.get(r, -1) for i in b.members for r in self.roots(i) if r not in b.axes]
        up = all(n <= a.index for n in needs)
        down = up or not any(r in a.axes for k in self.kernels[a.index + 1:b.index]
                             for i in (k.members if isinstance(k, Loop) else [k.instruction]) for r in self.roots(i))
        if not down:
            return False
        both = Loop(a.sizes)
        if not all(self.join(both, i) for i in (*a.members, *b.members)):
            return False
        keep, gone = (a, b) if up else (b, a)
        both.index = keep.index
        self.kernels[keep.index] = both
        del self.kernels[gone.index]
        for index, kernel in enumerate(self.kernels):
            if kernel.index != index or kernel is both:
                kernel.index = index
                for value in kernel.results:
                    self.made[value] = index
        return True

    def match(self, loop, shape, own):
        """Per axis of `shape` the axis of the domain, given what is read of the loop; None if none fits."""
        axes = [None] * len(shape)
        for x in own:
            mapped = self.axes_in(loop, x)
            if mapped is None:
                return None
            extra = len(shape) - len(x.shape)
            for k, a in enumerate(mapped):
                if a is None:
                    continue
                if axes[k + extra] not in (None, a):
                    return None
                axes[k + extra] = a
        used = {a for a in axes if a is not None}
        if len(used) != sum(a is not None for a in axes):
            return None
        if tuple(shape) == loop.sizes and all(a in (None, k) for k, a in enumerate(axes)):
            return list(range(len(shape)))
        for k, n in enumerate(shape):
            if axes[k] is None and n != 1:
                free = [a for a, m in enumerate(loop.sizes) if a not in used and m == n]
                if len(free) != 1:
                    return None
                axes[k] = free[0]
                used.add(free[0])
            if axes[k] is not None and loop.sizes[axes[k]] != n:
                return None
        return axes

    def axes_in(self, loop, x):
        """Per axis of a view of a value made in the loop: its axis of the domain. None if it is no simple view."""
        view = self.views.of(x)
        mapped = axes_of(view)
        if mapped is None:
            return None
        made = loop.axes[view.root]
        return tuple([None if k is None else made[k] for k in mapped])


def stored(fusion):
    """The values that must be in memory: results, and what another kernel than the maker reads."""
    program, views = fusion.program, fusion.views
    needed = {views.of(v).root for v in program.results()}
    for kernel in fusion.kernels:
        members = kernel.members if isinstance(kernel, Loop) else [kernel.instruction]
        for i in members:
            for x in i.inputs:
                if isinstance(x, Value):
                    root = views.of(x).root
                    if fusion.made.get(root) != kernel.index:
                        needed.add(root)
    return needed


__all__ = ["Call", "Fusion", "Loop", "is_loop_instruction", "is_view", "stored", "total"]
