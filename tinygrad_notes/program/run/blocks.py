"""A program in plain NumPy: loops run block by block, so that what they compute in between stays in the cache.

Inside a loop every array is seen over the whole domain, with length one along axes on which it does not depend. Then an
instruction is one ufunc with a buffer to write into, and a block is a slice along one axis.
"""
import math

import numpy as np

from ..build import operands
from ..elementwise import COMPARISONS, LOGICAL
from ..errors import Outdated
from ..functions import resolve
from ..kernels import Loop
from ..passes.canonical import REDUCTIONS, factors, key_of
from ..program import Value
from ..scalars import Scalar
from ..views import row_major
from .base import Executor

BLOCK = 1 << 15  # elements per block and array
_REDUCE = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum, "all": np.logical_and,
           "any": np.logical_or}
_START = {"sum": 0, "prod": 1, "all": True, "any": False}


class BlockExecutor(Executor):
    """Runs a program with NumPy alone."""

    def __init__(self, program, **options):
        super().__init__(program, **options)
        self.plans = [LoopPlan(k, self) if isinstance(k, Loop) else k.instruction for k in self.fusion.kernels]
        self.make_arena()

    def in_python(self, kernel):
        """Whether a kernel makes its own arrays, and does not write where it is told."""
        i = getattr(kernel, "instruction", None)
        if i is None:
            return False
        return not (i.name in ("matmul", "concat", "full", "write", "reshape") and i.kwargs
                    and not any(isinstance(a, (tuple, list)) for a in i.args))

    def call_into(self, i, arrays):
        """One product, concatenation, fill, write or copy into its place."""
        out = self.array_of(i.outputs[0], arrays)
        given = [self.array_of(x, arrays) for x in i.inputs]
        if i.name == "matmul":
            np.matmul(*factors(self.xp, given, i.kwargs), out=out)
        elif i.name == "full":
            out[...] = i.kwargs["value"]
        elif i.name == "reshape":
            np.copyto(out.reshape(given[0].shape), given[0])
        elif i.name == "write":
            np.copyto(out, given[0])
            out[key_of(i.kwargs)] = given[1]
        else:
            self.join(i, given, out)

    def join(self, i, given, out):
        """A concatenation; parts that were computed in their place are there already."""
        axis, at = i.kwargs["axis"], 0
        each = row_major(out.shape)[axis]
        for x, part in zip(i.inputs, given):
            if not self.memory.is_there(self.views.of(x).root, i.outputs[0], at * each):
                out[(slice(None),) * axis + (slice(at, at + x.shape[axis]),)] = part
            at += x.shape[axis]

    def __call__(self, inputs, states, scalars):
        arrays = self.bind(inputs, states)
        with np.errstate(all="ignore"):
            for plan in self.plans:
                if plan.__class__ is LoopPlan:
                    plan.run(arrays, scalars)
                elif plan.name == "assume":
                    if bool(self.array_of(plan.inputs[0], arrays)) is not plan.args[1]:
                        raise Outdated
                elif plan.outputs[0] in self.handed:
                    self.run_python(plan, arrays, scalars)
                else:
                    self.call_into(plan, arrays)
        return self.returned(arrays)


class LoopPlan:
    """One loop as a list of ufunc calls on arrays that all have the axes of the domain."""

    def __init__(self, loop, executor):
        self.loop, self.executor = loop, executor
        self.axis, self.step = self.cut()
        self.buffers = {}
        self.members = [self.member(i) for i in loop.members]

    def cut(self):
        """The axis along which blocks are cut, and how many of its indices are in one."""
        loop = self.loop
        size = math.prod(loop.sizes)
        rows = [a for a in sorted(loop.outer) if loop.sizes[a] > 1]
        if size <= BLOCK or not rows:
            return None, 0
        axis = rows[0]
        each = size // loop.sizes[axis]
        return axis, max(1, BLOCK // max(each, 1))

    def shape(self, value, length=None):
        """The shape of a value made here over the domain; `length` along the axis that is cut."""
        used = self.loop.used(value)
        shape = [n if a in used else 1 for a, n in enumerate(self.loop.sizes)]
        if length is not None and self.axis in used:
            shape[self.axis] = length
        return tuple(shape)

    def member(self, i):
        """(instruction, function, operands as (kind, what)) of a member."""
        given = []
        for x in operands(i):
            if isinstance(x, Scalar):
                given.append(("scalar", x.index))
            elif not isinstance(x, Value):
                given.append(("number", x))
            else:
                root = self.executor.views.of(x).root
                given.append(("made", root) if root in self.loop.axes else ("load", self.load(i, x)))
        if i.name in REDUCTIONS:
            return i, _REDUCE[i.name], given, tuple(sorted(self.loop.summed(i)))
        function = None if i.name == "cast" else resolve(self.executor.xp, i.name)
        return i, function, given, isinstance(function, np.ufunc) and self.direct(i, function)

    def direct(self, i, function):
        """Whether the ufunc may write into an array of the result's dtype without changing how it computes."""
        out = i.outputs[0].dtype
        if i.name in COMPARISONS or i.name in LOGICAL:
            return True
        strong = [x.dtype for x in operands(i) if isinstance(x, Value)]
        weak = [x.value if isinstance(x, Scalar) else x for x in operands(i) if not isinstance(x, Value)]
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

    def run(self, arrays, scalars):
        """Run all members, block by block."""
        executor, loaded, kept = self.executor, {}, {}
        for i, _, given, _ in self.members:
            for kind, what in given:
                if kind == "load" and what not in loaded:
                    root, offset, shape, strides = what
                    owner, more = executor.owner(root)
                    loaded[what] = executor.strided(executor.flat(owner, arrays), offset + more, shape, strides)
            out = i.outputs[0]
            if out in executor.stored:
                kept[out] = self.target(out, arrays)
        length = self.loop.sizes[self.axis] if self.axis is not None else 1
        step = self.step or 1
        for start in range(0, length, step):
            stop = min(start + step, length)
            self.block(start, stop, loaded, kept, scalars)

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

    def block(self, start, stop, loaded, kept, scalars):
        """Run all members on one block."""
        here = {}
        for i, function, given, how in self.members:
            out = i.outputs[0]
            shown = [scalars[what] if kind == "scalar" else what if kind == "number" else here[what]
                     if kind == "made" else self.part(loaded[what], start, stop) for kind, what in given]
            if i.name in REDUCTIONS:
                here[out] = self.reduce(i, function, shown[0], how, kept.get(out), start, stop)
                continue
            target = self.part(kept[out], start, stop) if out in kept else self.buffer(out, stop - start)
            if function is None:
                np.copyto(target, shown[0], casting="unsafe")
            elif how:
                function(*shown, out=target)
            else:
                np.copyto(target, function(*shown), casting="unsafe")
            here[out] = target

    def reduce(self, i, function, x, axes, kept, start, stop):
        """A reduction of one block, joined to that of the blocks before it where they are cut along a summed axis."""
        out = i.outputs[0]
        shape = self.shape(out, stop - start)
        target = self.buffer(out, stop - start) if kept is None else self.part(kept, start, stop)
        if self.axis is not None and self.axis in axes and start:
            part = function.reduce(x, axis=axes, keepdims=True, dtype=out.dtype)
            function(target, np.broadcast_to(part, shape), out=target)
        else:
            full = tuple([n if a not in axes else 1 for a, n in enumerate(np.broadcast_shapes(x.shape, shape))])
            if target.shape == full:
                function.reduce(x, axis=axes, keepdims=True, dtype=out.dtype, out=target)
            else:
                np.copyto(target, function.reduce(x, axis=axes, keepdims=True, dtype=out.dtype))
        return target

    def buffer(self, value, length):
        """An array of this loop alone."""
        shape = self.shape(value, length if self.axis is not None else None)
        key = value, shape
        found = self.buffers.get(key)
        if found is None:
            found = self.buffers[key] = np.empty(shape, value.dtype)
        return found
