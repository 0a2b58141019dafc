"""What every way to run a program shares: the optimized program, its kernels, where values live, results for Python."""
import math
import sys

import numpy as np

from ...backend import as_device, get_num_threads
from ..functions import resolve
from ..interpret import as_array, filled
from ..kernels import Call, Fusion, stored
from ..memory import Memory
from ..passes import optimize
from ..passes.canonical import run_canonical
from ..scalars import Scalar

POOL = 3  # arrays that are kept for a value that is returned


class Executor:
    """Runs a program: `executor(inputs, states, scalars)` gives the arrays of `program.results()`, in their order.

    Args:
        program: the program as recorded.
        in_place: states whose arrays may be written over.
        threads: how many threads share large kernels; default `tn.get_num_threads()`.
        skip: names of passes to leave out.
        seen: called with (name, program) after each pass.
        timed: whether the seconds that each kernel takes are added up (`times()`).

    Fields:
        program: the optimized program.
        fusion, views, stored, memory: its kernels, views, values in memory and their places.
        outside: the values whose memory is new for every run, because it is returned.
        handed: the values that a Python function makes, in memory of its own.
    """

    longest_row = math.inf  # see `Fusion`

    def __init__(self, program, in_place=(), threads=None, skip=(), seen=None, timed=False):
        self.skip, self.timed = skip, timed
        self.pools, self.used = {}, []  # root -> [array, how often it is held between runs]
        self.program = program = optimize(program, skip, seen)
        self.xp, self.threads = as_device(program.device).xp, threads or get_num_threads()
        self.fusion = Fusion(program, "fuse" not in skip, self.fits, self.longest_row)
        self.views = self.fusion.views
        self.order()
        self.stored = self.in_memory()
        self.results = program.results()
        returned = {self.views.of(v).root for v in self.results}
        self.handed = {v for k in self.fusion.kernels if self.in_python(k) for v in k.results}
        self.memory = Memory(self.fusion, self.stored, {r for r in returned if r.role == "computed"} | self.handed,
                             self.may_write_over(in_place), ours=lambda root: root not in self.handed)
        self.outside = self.memory.outside - self.handed
        self.constants = {v: self.contiguous(v.host) for v in self.constant_roots()}

    # What differs --------------------------------------------------------------------
    def fits(self, instruction):
        """Whether an instruction may be in a loop."""
        return True

    def in_python(self, kernel):
        """Whether a kernel is a call of a Python function that makes its own arrays."""
        return isinstance(kernel, Call)

    def order(self):
        """Put the kernels into the order in which they run: calls of Python between long runs of compiled kernels."""
        self.fusion.reorder(self.in_python)

    def in_memory(self):
        """The values that must be in memory."""
        return stored(self.fusion)

    def may_write_over(self, in_place):
        """Which of the states that may be written over are."""
        return in_place

    # Arrays of the device ---------------------------------------------------------------
    def empty(self, shape, dtype):
        """New memory."""
        return self.xp.empty(shape, dtype=dtype)

    def contiguous(self, array):
        """An array on the device of the program, row by row."""
        if isinstance(array, np.ndarray) and self.program.device != "cpu":
            array = as_device(self.program.device).from_numpy(array)
        return array if array.flags.c_contiguous else self.xp.ascontiguousarray(array)

    # What is shared ------------------------------------------------------------------
    def constant_roots(self):
        """The constants that kernels or results read."""
        read = {self.views.of(x).root for i in self.program.instructions for x in i.inputs if not isinstance(x, Scalar)}
        read |= {self.views.of(v).root for v in self.results}
        return [root for root in read if root.role == "constant"]

    def make_arena(self, room=0):
        """The arena, aligned; `room` bytes more at its end."""
        size = self.memory.size + room
        self._arena = np.empty(size + 64, np.uint8)
        shift = -self._arena.ctypes.data % 64
        self.arena = self._arena[shift:shift + size]

    def owner(self, root):
        """(value in whose memory a root lies, offset in elements)."""
        owner, offset = self.memory.base(root)
        return self.memory.direct.get(owner, owner), offset

    def flat(self, owner, arrays):
        """The memory of a value as an array of one axis."""
        found = self.constants.get(owner)
        if found is None:
            found = arrays.get(owner)
        if found is not None:
            return found.reshape(-1)
        start = self.memory.offsets[owner]
        return self.arena[start:start + owner.nbytes].view(owner.dtype)

    def array_of(self, value, arrays):
        """The array of a value as NumPy sees it."""
        view = self.views.of(value)
        owner, offset = self.owner(view.root)
        return self.strided(self.flat(owner, arrays), offset + view.offset, view.shape, view.strides)

    def strided(self, flat, offset, shape, strides):
        """Elements of a flat array at an offset, with strides in elements."""
        size = 1
        for n in shape:
            size *= n
        if all(n == 1 or s == t for n, s, t in zip(shape, strides, _row_major(shape))):
            return flat[offset:offset + size].reshape(shape) if size != flat.size else flat.reshape(shape)
        item = flat.itemsize
        return self.xp.lib.stride_tricks.as_strided(flat[offset:], shape, [s * item for s in strides])

    def run_python(self, instruction, arrays, scalars):
        """One instruction by its Python function; its results lie in memory of their own."""
        given = [scalars[x.index] if x.__class__ is Scalar else self.array_of(x, arrays) for x in instruction.inputs]
        out = run_canonical(self.xp, instruction, given)
        if out is None:
            out = resolve(self.xp, instruction.name)(*filled(instruction.args, given),
                                                     **filled(instruction.kwargs, given))
        for value, array in zip(instruction.outputs, (out,) if instruction.single else out):
            if value is None:
                continue
            array = as_array(self.xp, array)
            if not array.flags.c_contiguous or any(g.__class__ is np.ndarray and np.may_share_memory(array, g)
                                                   for g in given):
                array = array.copy()
            arrays[value] = array

    def bind(self, inputs, states):
        """{value: array} of what is given and of fresh memory for what is returned."""
        arrays = {}
        for value, array in zip(self.program.inputs, inputs):
            arrays[value] = array if array.flags.c_contiguous else self.xp.ascontiguousarray(array)
        for value, array in zip(self.program.states, states):
            arrays[value] = array if array.flags.c_contiguous else self.xp.ascontiguousarray(array)
        for root in self.outside:
            arrays[root] = self.fresh(root)
        return arrays

    def fresh(self, root):
        """Memory for a value that is returned: an array of an earlier run that nobody holds any more, or a new one.

        What only this pool and what is bound to it hold had as many references at the end of its run.
        """
        pool = self.pools.setdefault(root, [])
        for entry in pool:
            if sys.getrefcount(entry[0]) == entry[1]:
                self.used.append(entry)
                return entry[0]
        made = self.empty(root.shape, root.dtype)
        if len(pool) < POOL:
            pool.append([made, 0])
            self.used.append(pool[-1])
        return made

    def settle(self):
        """Note how often the arrays of the pool are held while no result is out: all but once by the run itself."""
        for entry in self.used:
            entry[1] = sys.getrefcount(entry[0]) - 1
        self.used.clear()

    def returned(self, arrays):
        """The arrays of the results; what lies in memory that is used again is copied."""
        self.settle()
        found = []
        for value in self.results:
            over = self.memory.direct.get(value)
            if over is not None:  # it lies in the array of the state itself
                found.append(arrays[over])
                continue
            array = self.array_of(value, arrays)
            root = self.views.of(value).root
            found.append(array if root.role == "computed" else array.copy())
        return found


def _row_major(shape):
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return strides[::-1]
