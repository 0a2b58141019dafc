"""Programs on a GPU: fused loops as generated kernels, everything else by CuPy's functions.

**Never run on a GPU**: none was at hand. What is proven: the kernels' text compiles with nvcc, and compiled for the CPU
gives NumPy's results; this class, with NumPy in place of CuPy and that code in place of `cupy.RawModule`, gives the
results of the plain step. What is not: `CupyModule`, twelve lines that hand text and pointers to CuPy, and every figure
of speed. So `tn.compile` uses it only where it is asked to: `backend="cuda"`.
"""

import numpy as np

from ...backend import as_device
from ..build import operands
from ..elementwise import ELEMENTWISE
from ..errors import Outdated
from ..functions import resolve
from ..interpret import as_array, filled
from ..kernels import Fusion, Loop, stored
from ..native.compiler import source
from ..native.expressions import TYPES, supported
from ..passes import optimize
from ..passes.canonical import run_canonical
from ..program import Value
from ..scalars import Scalar
from .kernels import CudaLoop

BLOCK = 256


class CupyModule:
    """CUDA C compiled and started by CuPy."""

    def __init__(self, text):
        import cupy
        self.module = cupy.RawModule(code=text, options=("--std=c++17", "--fmad=false"))

    def run(self, launch, arrays):
        """Start a kernel on arrays (and the array of scalars)."""
        blocks = launch.blocks if launch.threads is None else -(-launch.blocks // BLOCK)
        self.module.get_function(launch.name)((blocks,), (BLOCK,), tuple(arrays))


class CudaExecutor:
    """Runs a program: `executor(inputs, states, scalars)` gives the arrays of `program.results()`, in their order.

    Args:
        program: the program as recorded.
        skip: names of passes to leave out.
        module: what compiles and runs kernels: takes the text, has `run(launch, arrays)`.
        **others: options of other executors that mean nothing here.
    """

    def __init__(self, program, skip=(), module=CupyModule, **others):
        self.program = program = optimize(program, skip)
        self.xp = as_device(program.device).xp
        self.cut = Fusion(program, "fuse" not in skip, _fits)
        self.views, self.stored = self.cut.views, stored(self.cut)
        self.results = program.results()
        self.steps, texts = [], []
        for kernel in self.cut.kernels:
            if isinstance(kernel, Loop):
                code = CudaLoop(kernel, self.views, self.stored, f"kernel{kernel.index}")
                launches = code.launches()
                self.steps += [(launch, kernel) for launch in launches]
                texts += [launch.text for launch in launches]
            else:
                self.steps.append((kernel.instruction, kernel))
        self.text = "\n\n".join([source("../cuda/prelude.cuh"), *texts, ""])
        self.module = module(self.text) if texts else None
        self.constants = {v: self.xp.ascontiguousarray(v.host) for v in program.values
                          if v.role == "constant" and v.host is not None}
        self.dead_after = self._last_uses()

    def _last_uses(self):
        """Per step the values that nobody reads after it."""
        last = {}
        for k, (what, _) in enumerate(self.steps):
            used = what.arrays if hasattr(what, "blocks") else [
                self.views.of(x).root for x in (*what.inputs, *what.made) if isinstance(x, Value)]
            last.update(dict.fromkeys(used, k))
        kept = {self.views.of(v).root for v in self.results}
        dead = [[] for _ in self.steps]
        for value, k in last.items():
            if value.role == "computed" and value not in kept:
                dead[k].append(value)
        return dead

    def array_of(self, value, arrays):
        """The array of a value: a view of its root."""
        view = self.views.of(value)
        root = arrays[view.root]
        if view.root is value:
            return root
        if view.contiguous and not view.offset and root.size == value.size:
            return root.reshape(value.shape)
        flat = root.reshape(-1)[view.offset:]
        return self.xp.lib.stride_tricks.as_strided(flat, view.shape, [s * flat.itemsize for s in view.strides])

    def __call__(self, inputs, states, scalars):
        xp, program = self.xp, self.program
        arrays = dict(self.constants)
        for value, array in zip((*program.inputs, *program.states), (*inputs, *states)):
            arrays[value] = xp.ascontiguousarray(array).reshape(value.shape)
        numbers = xp.asarray(np.array(list(scalars) or [0.0], np.float64))
        for (what, _), dead in zip(self.steps, self.dead_after):
            if hasattr(what, "blocks"):
                for value in what.made:
                    arrays[value] = xp.empty(value.shape, dtype=value.dtype)
                self.module.run(what, [*[arrays[v] for v in what.arrays], numbers])
            else:
                self._call(what, arrays, scalars)
            for value in dead:
                arrays.pop(value, None)
        found = []
        for value in self.results:
            array = self.array_of(value, arrays)
            mine = self.views.of(value).root is value and value.role == "computed"
            found.append(array if mine else array.copy())
        return found

    def _call(self, i, arrays, scalars):
        """One instruction by its function."""
        given = [scalars[x.index] if x.__class__ is Scalar else self.array_of(x, arrays) for x in i.inputs]
        if i.name == "assume":
            if bool(given[0]) is not i.args[1]:
                raise Outdated
            return
        out = run_canonical(self.xp, i, given)
        if out is None:
            out = resolve(self.xp, i.name)(*filled(i.args, given), **filled(i.kwargs, given))
        for value, array in zip(i.outputs, (out,) if i.single else out):
            if value is not None:
                array = self.xp.ascontiguousarray(as_array(self.xp, array)).reshape(value.shape)
                arrays[value] = array.copy() if any(array is g or array.base is not None for g in given) else array


def _fits(instruction):
    """Whether an instruction may be in a generated kernel."""
    if instruction.name in ELEMENTWISE or instruction.name == "cast":
        return supported(instruction, operands(instruction))
    return all(v.dtype.name in TYPES for v in (*instruction.inputs, *instruction.made) if isinstance(v, Value))
