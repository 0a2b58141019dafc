"""One loop as calls of ufuncs, block by block.

Every array is seen over the whole domain, with length one along axes on which it does not depend. Then an instruction
is one ufunc with a buffer to write into, and a block is a slice along one axis. Buffers are few: what nobody reads any
more makes room for what comes next.
"""
import math
from functools import partial

import numpy as np

from ...backend.threads import spread
from ..build import operands
from ..elementwise import COMPARISONS, LOGICAL
from ..functions import resolve
from ..passes.canonical import REDUCTIONS
from ..program import Value
from ..scalars import Scalar
from ..views import row_major

BLOCK = 1 << 14  # elements per block and array
SPREAD = 1 << 17  # elements of a loop from which several threads share it
_ONLY_BY_NAME = (np.maximum, np.minimum)  # NumPy wants their `out` so
_REDUCE = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum, "all": np.logical_and,
           "any": np.logical_or}


class LoopPlan:
    """How a loop is cut and what each member does.

    Fields:
        values: what the loop reads and stores.
        threads: how many threads share it.
    """

    def __init__(self, loop, executor):
        self.loop, self.executor = loop, executor
        self.axis, self.step = self.cut()
        size = math.prod(loop.sizes)
        blocks = -(-loop.sizes[self.axis] // self.step) if self.axis is not None else 1
        self.threads = min(executor.threads, blocks) if size >= SPREAD else 1
        self.members = [self.member(i) for i in loop.members]
        self.last = {}  # value made here -> the index of the member that reads it last
        for k, (_, _, given, _) in enumerate(self.members):
            self.last.update({what: k for kind, what in given if kind == "made"})
        self.loads = dict.fromkeys(what for _, _, given, _ in self.members for kind, what in given if kind == "load")
        self.kept = [i.outputs[0] for i in loop.members if i.outputs[0] in executor.stored]
        self.values = [what[0] for what in self.loads] + self.kept

    def cut(self):
        """The axis along which blocks are cut, and how many of its indices are in one."""
        loop = self.loop
        size = math.prod(loop.sizes)
        rows = [a for a in sorted(loop.outer) if loop.sizes[a] > 1]
        if size <= 2 * BLOCK or not rows:
            return None, 0
        axis = rows[0] if loop.sizes[rows[0]] > 1 or len(rows) == 1 else rows[1]
        each = size // loop.sizes[axis]
        return axis, max(1, BLOCK // max(each, 1))

    def shape(self, value, length=None):
        """The shape of a value made here over the domain; `length` along the axis that is cut."""
        used = self.loop.used(value)
        shape = [n if a in used else 1 for a, n in enumerate(self.loop.sizes)]
        if length is not None and self.axis in used:
            shape[self.axis] = length
        return tuple(shape)

    # The members ----------------------------------------------------------------------
    def member(self, i):
        """(instruction, function, operands as (kind, what), how): see `calls`."""
        executor, out, given = self.executor, i.outputs[0], []
        strong = [x.dtype for x in operands(i) if isinstance(x, Value)]
        for x in operands(i):
            if isinstance(x, Scalar):
                dtype = out.dtype if not strong or i.name not in COMPARISONS else np.result_type(*strong)
                given.append(("number", executor.number(x, dtype)))
            elif not isinstance(x, Value):
                given.append(("number", x))
            else:
                root = executor.views.of(x).root
                given.append(("made", root) if root in self.loop.axes else ("load", self.load(i, x)))
        if i.name in REDUCTIONS:
            return i, _REDUCE[i.name], given, tuple(sorted(self.loop.summed(i)))
        function = None if i.name == "cast" else ufunc_of(i.name) or resolve(executor.xp, i.name)
        return i, function, given, isinstance(function, np.ufunc) and self.direct(i)

    def direct(self, i):
        """Whether the ufunc may write into an array of the result's dtype without changing how it computes."""
        out = i.outputs[0].dtype
        if i.name in COMPARISONS or i.name in LOGICAL:
            return True
        strong = [x.dtype for x in operands(i) if isinstance(x, Value)]
        weak = [x for x in operands(i) if not isinstance(x, (Value, Scalar))]
        return bool(strong) and np.result_type(*strong, *weak) == out

    def load(self, i, x):
        """(root, offset, shape, strides) of an operand from outside over the domain."""
        view, runs = self.executor.views.of(x), self.loop.runs[i]
        extra = len(runs) - len(view.shape)
        shape, strides = [1] * len(self.loop.sizes), [0] * len(self.loop.sizes)
        for k, (n, s) in enumerate(zip(view.shape, view.strides)):
            if runs[k + extra] is not None and n != 1:
                shape[runs[k + extra]], strides[runs[k + extra]] = n, s
        return view.root, view.offset, tuple(shape), tuple(strides)

    # Binding --------------------------------------------------------------------------
    def calls(self, arrays):
        """Per thread the calls of its blocks, bound to these arrays; then one more list where sums are put together."""
        executor = self.executor
        loaded, kept = {}, {}
        for what in self.loads:
            root, offset, shape, strides = what
            owner, more = executor.owner(root)
            loaded[what] = executor.strided(executor.flat(owner, arrays), offset + more, shape, strides)
        for value in self.kept:
            kept[value] = self.target(value, arrays)
        if self.axis is None:
            return [self.block(0, 1, loaded, kept, Buffers(), {})]
        length = self.loop.sizes[self.axis]
        starts = list(range(0, length, self.step))
        parts, lists = {}, []
        for t in range(self.threads):
            buffers, calls = Buffers(), []
            for start in starts[len(starts) * t // self.threads:len(starts) * (t + 1) // self.threads]:
                calls += self.block(start, min(start + self.step, length), loaded, kept, buffers, parts)
            lists.append(calls)
        joined = []
        for value, (function, found) in parts.items():
            joined.append((_joined, (function, found, kept[value])))
        if joined:
            return [[(_after, (lists, joined))]]
        return lists

    def target(self, value, arrays):
        """The memory of a stored value, over the domain."""
        executor = self.executor
        owner, offset = executor.owner(value)
        shape, strides = [1] * len(self.loop.sizes), [0] * len(self.loop.sizes)
        for axis, n, s in zip(self.loop.axes[value], value.shape, row_major(value.shape)):
            if axis is not None and n != 1:
                shape[axis], strides[axis] = n, s
        return executor.strided(executor.flat(owner, arrays), offset, tuple(shape), tuple(strides))

    def part(self, array, start, stop):
        """The slice of an array that belongs to a block."""
        if self.axis is None or array.shape[self.axis] == 1:
            return array
        return array[(slice(None),) * self.axis + (slice(start, stop),)]

    def block(self, start, stop, loaded, kept, buffers, parts):
        """The calls of all members on one block."""
        here, calls = {}, []
        length = stop - start if self.axis is not None else None
        for k, (i, function, given, how) in enumerate(self.members):
            out = i.outputs[0]
            shown = [here[what] if kind == "made" else self.part(loaded[what], start, stop) if kind == "load" else what
                     for kind, what in given]
            dying = [what for kind, what in given if kind == "made" and self.last[what] == k and what not in kept]
            shape = self.shape(out, length)
            if i.name in REDUCTIONS:
                calls.append(self.reduce(i, function, shown[0], how, kept, here, buffers, parts, start, stop, shape))
            else:
                if how:  # a ufunc may write over what it reads
                    for value in dict.fromkeys(dying):
                        buffers.give(here[value])
                    dying = []
                target = self.part(kept[out], start, stop) if out in kept else buffers.take(shape, out.dtype)
                here[out] = target
                if how and function in _ONLY_BY_NAME:
                    calls.append((partial(function, out=target), shown))
                elif how:
                    calls.append((function, (*shown, target)))
                elif function is None:
                    calls.append((np.copyto, (target, shown[0], "unsafe")))
                else:
                    calls.append((_copied, (target, function, shown)))
            for value in dict.fromkeys(dying):
                buffers.give(here[value])
            if out not in self.last and out not in kept:
                buffers.give(here[out])
        for value, array in here.items():  # what the last members read is free for the next block
            if value not in kept and value in self.last:
                buffers.give(array)
        return calls

    def reduce(self, i, function, x, axes, kept, here, buffers, parts, start, stop, shape):
        """The call of a reduction; where blocks are cut along a summed axis each has its own part of the result."""
        out = i.outputs[0]
        if self.axis is not None and self.axis in axes:
            target = np.empty(shape, out.dtype)
            parts.setdefault(out, (function, []))[1].append(target)
        else:
            target = self.part(kept[out], start, stop) if out in kept else buffers.take(shape, out.dtype)
        here[out] = target
        full = tuple([1 if a in axes else n for a, n in enumerate(np.broadcast_shapes(x.shape, shape))])
        if target.shape == full:
            return function.reduce, (x, axes, out.dtype, target, True)
        return _copied, (target, function.reduce, (x, axes, out.dtype, None, True))


class Buffers:
    """Arrays of one thread that take turns."""

    def __init__(self):
        self.free, self.owned = {}, {}

    def take(self, shape, dtype):
        """An array of that shape: one that is free, or a new one."""
        free = self.free.get((shape, dtype))
        if free:
            return free.pop()
        made = np.empty(shape, dtype)
        self.owned[id(made)] = made
        return made

    def give(self, array):
        """Whoever held it needs it no more."""
        free = self.free.setdefault((array.shape, array.dtype), [])
        if id(array) in self.owned and not any(array is other for other in free):
            free.append(array)


def ufunc_of(name):
    """NumPy's function of single elements of that name, or None. Our kernels of such names choose for large arrays."""
    found = getattr(np, name, None)
    return found if isinstance(found, np.ufunc) else None


def _copied(target, function, given):
    np.copyto(target, function(*given), casting="unsafe")


def _joined(function, parts, target):
    """Parts of a reduction put together in their order."""
    np.copyto(target, function.reduce(np.stack(parts), axis=0, dtype=target.dtype))


def _after(lists, joined):
    """All blocks, then what puts their parts together."""
    run_lists(lists)
    run_calls(joined)


def run_calls(calls):
    """Calls bound to their operands, one after the other."""
    for function, given in calls:
        function(*given)


def run_lists(lists):
    """Lists of calls, each in a thread of its own."""
    if len(lists) == 1:
        run_calls(lists[0])
    else:
        spread(_run_some, lists)


def _run_some(lists):
    for calls in lists:
        run_calls(calls)
