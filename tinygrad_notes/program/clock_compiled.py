"""Timing a compiled step: the clock of each kernel, and what runs in a kernel shares its time."""
from time import perf_counter

from .compiled import Compiled
from .errors import CannotRecord
from .explain import traffic
from .kernels import Loop
from .native.loops import COST
from .program import Value
from .work import flops_of


class KernelTimes:
    """A compiled function made anew with clocks in it.

    Args:
        compiled: the `Compiled`.

    Fields:
        twin: the same with clocks; it has recordings of its own.
        replay: what the last call ran.
    """

    def __init__(self, compiled):
        self.twin = Compiled(compiled.fn, compiled.variants, {**compiled.options, "timed": True})
        self.replay = None

    def run(self, args, kwargs):
        """One call: (seconds, {index of a kernel: seconds}).

        Raises:
            CannotRecord: the function cannot be compiled, or runs without kernels.
        """
        self._reset()
        started = perf_counter()
        self.twin(*args, **kwargs)
        total = perf_counter() - started
        if self.twin.broken:
            raise CannotRecord("profile: the function runs uncompiled; profile the function itself")
        self.replay = next(r for replays in self.twin._known.values() for r in replays)
        executor = self.replay.executor
        if executor is None:
            raise CannotRecord("profile: this backend runs one array function after the other and has no kernels; "
                               "profile the function itself")
        return total, self._times(executor)

    def _reset(self):
        executor = self.replay.executor if self.replay is not None else None
        if executor is None:
            return
        if not hasattr(executor, "seconds_"):
            _watch_python(executor)
        executor.seconds_.clear()
        clocks = _clocks(executor)
        for k in range(len(clocks)):
            clocks[k] = 0.0

    def _times(self, executor):
        found = dict(enumerate(_clocks(executor)))
        for kernel, seconds in getattr(executor, "seconds_", {}).items():
            found[kernel] = found.get(kernel, 0.0) + seconds
        return found


def _clocks(executor):
    """The clocks inside compiled C code."""
    import ctypes

    library = getattr(executor, "library", None)
    if library is None:
        return []
    return (ctypes.c_double * len(executor.fusion.kernels)).in_dll(library, "times_")


def _watch_python(executor):
    """Time the kernels that run in Python, by the index of the kernel."""
    executor.seconds_ = {}

    def timed(function, kernel_of):
        def run(what, *args):
            started = perf_counter()
            try:
                return function(what, *args)
            finally:
                k = kernel_of(what)
                executor.seconds_[k] = executor.seconds_.get(k, 0.0) + perf_counter() - started
        return run
    if hasattr(executor, "start") or hasattr(executor, "library"):  # compiled code with instructions in between
        index = {id(k.instruction): k.index for k in executor.fusion.kernels if not isinstance(k, Loop)}
        executor.run_python = timed(executor.run_python, lambda i: index[id(i)])
    else:  # one step for each kernel
        executor.steps = [timed(step, lambda arrays, k=kernel.index: k)
                          for step, kernel in zip(executor.steps, executor.fusion.kernels, strict=True)]


def shares(kernel, scopes):
    """{(phase, module, name): share} of the time of a kernel: of a loop by the estimated work of its members."""
    members = kernel.members if isinstance(kernel, Loop) else [kernel.instruction]
    weights: dict = {}
    for i in members:
        size = max([v.size for v in (*i.inputs, *i.made) if isinstance(v, Value)], default=1)
        key = owner(i, scopes)
        weights[key] = weights.get(key, 0.0) + COST.get(i.name, 1) * size
    total = sum(weights.values()) or 1.0
    return {key: weight / total for key, weight in weights.items()}


def owner(instruction, scopes):
    """(phase, module, name) of the operation that an instruction belongs to."""
    if instruction.scope < 0:
        return "other", "", instruction.name
    scope = scopes[instruction.scope]
    while scope.parent >= 0:
        scope = scopes[scope.parent]
    return "other" if scope.phase == "outside" else scope.phase, scope.module, scope.name


def facts(kernel, executor):
    """(label, FLOPs, bytes) of a kernel."""
    members = kernel.members if isinstance(kernel, Loop) else [kernel.instruction]
    names = " ".join(i.name for i in members)
    if isinstance(kernel, Loop):
        label = f"loop {'x'.join(map(str, kernel.sizes)) or 'of one'}: {names}"
    else:
        label = f"{names} -> {', '.join('x'.join(map(str, v.shape)) or 'scalar' for v in kernel.instruction.made)}"
    return label, sum(map(flops_of, members)), sum(traffic(executor, kernel))
