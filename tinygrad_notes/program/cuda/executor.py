"""Programs on a GPU: fused loops as generated kernels, products by cuBLAS, the whole step as one CUDA graph.

Everything lies at fixed places: values of the program in one arena, constants, what Python functions make. Inputs,
states and results have addresses of their own; a step whose addresses have been seen before is launched as a graph
(`Bound`). Where a function has no form here, Python calls it between two stretches of work.

A GPU cannot stop in the middle, so checks (labels, indices) set flags, which are read when the step is over; nothing
is given back and no state is written over before they are.
"""
import re
from collections import OrderedDict
from time import perf_counter

import numpy as np

from ..build import operands
from ..elementwise import ELEMENTWISE
from ..errors import Outdated
from ..kernels import Call, Loop
from ..memory import MAY_REFUSE
from ..native.compiler import source
from ..native.expressions import TYPES, supported
from ..program import Value
from ..run.base import Executor
from .calls import CudaCall, Flags, Product, Room, on_gpu
from .device import Cupy
from .kernels import CudaLoop

GRAPHS = 8  # sets of addresses that are remembered


class CudaExecutor(Executor):
    """Runs a program on a GPU.

    Args:
        program, **options: see `run.base.Executor`.
        gpu: what compiles and starts kernels, see `device.Cupy`.
        graphs: whether work is captured.
    """

    longest_row = 1 << 14  # a row has one block; a longer one is reduced by many, in a kernel of its own

    def __init__(self, program, gpu=None, graphs=True, **options):
        self.gpu, self.graphs = gpu or Cupy(), graphs and not options.get("timed")
        super().__init__(program, **options)
        self.bound = OrderedDict()
        self.kept = {v: self.empty(v.shape, v.dtype) for v in self.handed}
        self.write_steps()
        self.arena = self.empty((max(self.memory.size, 256),), np.uint8)
        self.room = self.empty((max(self.most, 256),), np.uint8)
        self.numbers = self.empty((max(1, len(self.program.scalars)),), np.float64)
        self.flags = self.empty((1,), np.int32)
        self.moving = [*self.program.inputs, *self.program.states, *self.outside]

    # What differs from other executors --------------------------------------------------
    def fits(self, instruction):
        """Whether an instruction may be in a generated kernel."""
        if instruction.name in ELEMENTWISE or instruction.name == "cast":
            return supported(instruction, operands(instruction))
        return all(v.dtype.name in TYPES for v in (*instruction.inputs, *instruction.made) if isinstance(v, Value))

    def in_python(self, kernel):
        """Whether a kernel runs as a Python function."""
        return isinstance(kernel, Call) and not on_gpu(kernel.instruction, self.views)

    def in_memory(self):
        """The values that must be in memory: also those that a reduction reads in a kernel of its own."""
        found = super().in_memory()
        loops = [k for k in self.fusion.kernels if isinstance(k, Loop)]
        return found | set().union(*[CudaLoop(loop, self.views, found, "").spilled for loop in loops])

    def may_write_over(self, in_place):
        """States may be written over where nothing can refuse the run."""
        self.refuses = any(i.name in MAY_REFUSE for i in self.program.instructions)
        return () if self.refuses else in_place

    # The kernels ------------------------------------------------------------------------
    def write_steps(self):
        """The steps: stretches of kernels and products, and instructions for Python between them; compiles them."""
        self.steps, self.most, texts, stretch, largest = [], 0, {}, [], 0
        for kernel in self.fusion.kernels:
            if self.in_python(kernel):
                if stretch:
                    self.steps.append(stretch)
                self.steps.append(kernel.instruction)
                stretch = []
                continue
            if isinstance(kernel, Loop):
                code = CudaLoop(kernel, self.views, self.stored, f"kernel{kernel.index}")
                found = code.launches()
            else:
                code = CudaCall(kernel.instruction, self.views, self.memory, f"kernel{kernel.index}")
                found = code.steps()
            self.most = max(self.most, code.room)
            for step in found:
                step.kernel = kernel.index
                if not isinstance(step, Product):
                    step.name = texts.setdefault(_alike(step), step.name)
                    largest = max(largest, *[_length(place) for place in step.arrays], step.blocks * 4)
            stretch += found
        if stretch:
            self.steps.append(stretch)
        kernels = [text.replace(" NAME(", f" {name}(", 1) for text, name in texts.items()]
        parts = ["windows.cuh"] if any("Windows w" in text for text in kernels) else []
        index = "int" if max(largest, self.most) < 1 << 31 else "long"
        self.text = "\n\n".join([source("../cuda/prelude.cuh"), *[
            _counting_in(index, text) for text in (*[source(f"../cuda/{name}") for name in parts], *kernels)], ""])
        self.start = self.gpu.compile(self.text) if texts else None

    # Running ----------------------------------------------------------------------------
    def __call__(self, inputs, states, scalars):
        arrays = self.bind(inputs, states)
        key = tuple([self.gpu.address(arrays[v]) for v in self.moving])
        bound = self.bound.get(key)
        if bound is None:
            bound = self.bound[key] = Bound(self, dict(zip(self.moving, key)))
            if len(self.bound) > GRAPHS:
                self.bound.popitem(last=False)
        else:
            self.bound.move_to_end(key)
        if scalars:
            self.gpu.upload(self.numbers, np.array(scalars, np.float64))
        if self.refuses:
            self.gpu.upload(self.flags, np.zeros(1, np.int32))
        bound.runs += 1
        for k, step in enumerate(self.steps):
            if step.__class__ is list:
                bound.run(k)
                continue
            self.run_python(step, {**arrays, **self.kept}, scalars, arrays)
        if self.refuses and self.flags[0].item():
            raise Outdated
        return self.returned(arrays)

    def run_python(self, instruction, arrays, scalars, made=None):
        """One instruction by its Python function; later kernels read what it makes at the place kept for it."""
        super().run_python(instruction, arrays, scalars)
        for value in instruction.made:
            made[value] = arrays[value]
            self.kept[value][...] = arrays[value]

    def clock(self, kernel, function, given):
        """Run one step and add the seconds it took, until it was over, to those of its kernel."""
        seconds = self.__dict__.setdefault("seconds_", {})
        self.gpu.wait()
        started = perf_counter()
        function(*given)
        self.gpu.wait()
        seconds[kernel] = seconds.get(kernel, 0.0) + perf_counter() - started

    def captured(self):
        """(stretches of work, how many sets of addresses have a graph)."""
        return (sum(step.__class__ is list for step in self.steps),
                sum(bool(bound.graphs) for bound in self.bound.values()))


class Bound:
    """The work of an executor at fixed addresses: launched kernel by kernel at first, then captured as graphs."""

    def __init__(self, executor, moving):
        self.executor, self.moving, self.runs, self.graphs, self.calls = executor, moving, 0, {}, {}

    def address(self, place):
        """The address of a place."""
        executor = self.executor
        if isinstance(place, Room):
            return executor.gpu.address(executor.room) + place.offset
        if isinstance(place, Flags):
            return executor.gpu.address(executor.flags)
        owner, offset = executor.owner(place)
        offset *= place.dtype.itemsize
        if owner in self.moving:
            return self.moving[owner] + offset
        if owner in executor.memory.offsets:
            return executor.gpu.address(executor.arena) + executor.memory.offsets[owner] + offset
        found = executor.constants.get(owner)
        return executor.gpu.address(executor.kept[owner] if found is None else found) + offset

    def prepare(self, stretch):
        """Functions without arguments, one per step."""
        executor, calls = self.executor, []
        numbers = executor.gpu.address(executor.numbers)
        for step in stretch:
            if isinstance(step, Product):
                item = 4 if step.kind == "float" else 8
                sides = [(self.address(p) + at * item, row, matrix) for p, at, row, matrix in (step.a, step.b, step.c)]
                calls.append((executor.gpu.product, (step.kind, step.sizes, *sides, step.turned, step.count)))
            else:
                blocks = step.blocks if step.threads is None else -(-step.blocks // executor.gpu.block)
                addresses = (*[self.address(p) for p in step.arrays], numbers)
                calls.append((executor.start, (step.name, blocks, addresses, step.wide)))
        return calls

    def run(self, k):
        """Run the k-th step, a stretch of kernels and products."""
        executor = self.executor
        if k in self.graphs:
            self.graphs[k]()
            return
        if k not in self.calls:
            self.calls[k] = self.prepare(executor.steps[k])
        calls = self.calls[k]

        def work():
            for function, given in calls:
                function(*given)
        if executor.timed:
            for (function, given), step in zip(calls, executor.steps[k]):
                executor.clock(step.kernel, function, given)
        elif executor.graphs and self.runs > 1:
            self.graphs[k] = executor.gpu.capture(work)
            self.graphs[k]()
        else:
            work()


def _length(place):
    return place.size if isinstance(place, Value) else 0


def _counting_in(index, text):
    """The text with indices of another type: a GPU divides 32 bits several times as fast as 64."""
    return text if index == "long" else re.sub(r"\b(\d+)L\b", r"\1", re.sub(r"\blong\b", index, text))


def _alike(launch):
    """The text of a kernel without its name and the numbers of its values: the same for kernels that are alike."""
    numbers = {}
    text = launch.text.replace(f" {launch.name}(", " NAME(", 1)
    return re.sub(r"\b([vpqs])(\d+)\b", lambda m: f"{m[1]}{numbers.setdefault(m[2], len(numbers))}", text)
