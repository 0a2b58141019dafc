"""A program in plain NumPy: loops run block by block, so that what they compute in between stays in the cache.

A run is a list of calls whose operands are bound: `f(*operands)`. They are bound anew only where an array is another
one than in the runs before (an input, a result that somebody still holds).
"""
import ctypes

import numpy as np

from ..errors import Outdated
from ..kernels import Loop
from ..passes.canonical import factors, key_of
from ..views import row_major
from .base import Executor
from .loops import BLOCK, LoopPlan, run_lists

VARIANTS = 4  # sets of arrays that a step stays bound to


class BlockExecutor(Executor):
    """Runs a program with NumPy alone."""

    longest_row = 2 * BLOCK  # blocks are whole rows

    def __init__(self, program, **options):
        super().__init__(program, **options)
        self.numbers = {}  # (index of a scalar, dtype) -> its array of no axes
        self.scalars = ()
        self.make_arena()
        self.steps = [self.step(kernel) for kernel in self.fusion.kernels]

    def in_python(self, kernel):
        """Whether a kernel makes its own arrays, and does not write where it is told."""
        i = getattr(kernel, "instruction", None)
        if i is None:
            return False
        return not (i.name in ("matmul", "concat", "full", "write", "reshape") and i.kwargs
                    and not any(isinstance(a, (tuple, list)) for a in i.args))

    def order(self):
        """As recorded: what may refuse a run then comes before the loops that write over states."""

    def step(self, kernel):
        """What runs a kernel, given the arrays of this run."""
        if isinstance(kernel, Loop):
            plan = LoopPlan(kernel, self)
            return Bound(self, plan.values, plan.calls)
        i = kernel.instruction
        if i.name == "assume":
            return lambda arrays, scalars: self.assume(i, arrays)
        if kernel.results and kernel.results[0] in self.handed:
            return lambda arrays, scalars: self.run_python(i, arrays, scalars)
        return Bound(self, [*i.inputs, i.outputs[0]], lambda arrays: [self.calls(i, arrays)])

    def assume(self, i, arrays):
        """Refuse a run in which another branch would have been taken."""
        if bool(self.array_of(i.inputs[0], arrays)) is not i.args[1]:
            raise Outdated

    def calls(self, i, arrays):
        """One product, concatenation, fill, write or copy into its place, as calls."""
        out = self.array_of(i.outputs[0], arrays)
        given = [self.array_of(x, arrays) for x in i.inputs]
        if i.name == "matmul":
            return [(np.matmul, (*factors(self.xp, given, i.kwargs), out))]
        if i.name == "full":
            return [(out.fill, (i.kwargs["value"],))]
        if i.name == "reshape":
            return [(np.copyto, (out.reshape(given[0].shape), given[0]))]
        if i.name == "write":
            return [(np.copyto, (out, given[0])), (np.copyto, (out[key_of(i.kwargs)], given[1]))]
        return self.join(i, given, out)

    def join(self, i, given, out):
        """A concatenation; parts that were computed in their place are there already."""
        axis, at, calls = i.kwargs["axis"], 0, []
        each = row_major(out.shape)[axis]
        for x, part in zip(i.inputs, given):
            if not self.memory.is_there(self.views.of(x).root, i.outputs[0], at * each):
                calls.append((np.copyto, (out[(slice(None),) * axis + (slice(at, at + x.shape[axis]),)], part)))
            at += x.shape[axis]
        return calls

    def number(self, scalar, dtype):
        """The array of no axes that holds a number of the run."""
        key = scalar.index, np.dtype(dtype)
        if key not in self.numbers:
            self.numbers[key] = np.zeros((), dtype)
        return self.numbers[key]

    def __call__(self, inputs, states, scalars):
        arrays = self.bind(inputs, states)
        self.scalars = scalars
        with np.errstate(all="ignore"):
            for (index, _), array in self.numbers.items():
                array[...] = scalars[index]
            for step in self.steps:
                step(arrays, scalars)
        return self.returned(arrays)


class Bound:
    """A kernel as lists of calls, one per thread, bound to the arrays that were seen last.

    Args:
        executor: the executor.
        values: what the kernel reads and writes.
        make: function (arrays) -> list per thread of (function, operands).
    """

    def __init__(self, executor, values, make):
        self.make, self.known = make, {}
        owners = [executor.owner(executor.views.of(v).root)[0] for v in values if hasattr(v, "shape")]
        moving = {*executor.program.inputs, *executor.program.states, *executor.outside, *executor.handed}
        self.owners = [o for o in dict.fromkeys(owners) if o in moving]

    def __call__(self, arrays, scalars):
        key = tuple([arrays[o].__array_interface__["data"][0] for o in self.owners])
        found = self.known.get(key)
        if found is None:
            if len(self.known) == VARIANTS:
                del self.known[next(iter(self.known))]
            found = self.known[key] = self.make({**arrays, **{o: unowned(arrays[o]) for o in self.owners}})
        run_lists(found)


def unowned(array):
    """The same memory as an array that does not keep it alive: an optimizer copies parameters that others hold.

    It is used only in runs whose array, of the same shape, lies at this address.
    """
    if not array.size:
        return array
    place = (ctypes.c_char * array.nbytes).from_address(array.__array_interface__["data"][0])
    return np.frombuffer(place, array.dtype).reshape(array.shape)
