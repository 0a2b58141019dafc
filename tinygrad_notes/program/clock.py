"""Timing what runs: every operation, gradient rule, module and update, in the very calls that run without a clock.

Nothing in the hot path knows of this. An operation keeps the function it computes with in a closure; while a clock
runs, that function is replaced by one that looks at the time before and after. Off, the cost is none; on, the same
functions get the same arrays.
"""
import contextlib
from time import perf_counter

from ..autograd import call as calls
from ..autograd import engine
from ..autograd.mode import mode, watching
from ..autograd.plan import CALLS, PRIMITIVES
from .record import _roots, _roots_of_arguments
from .state import Reach

PYTHON = "(Python)"     # what a module or the step does besides calling operations
ENGINE = "(gradients)"  # the engine's own work in a backward pass: order, broadcasting, sums


class Clock:
    """Adds up seconds by (phase, module, operation).

    Fields:
        seconds: {(phase, module, name): seconds without those of what was called inside}.
        calls: {the same: how often}.
        total: seconds of the whole run.
    """

    def __init__(self):
        self.seconds, self.calls, self.total = {}, {}, 0.0
        self.phase, self.modules, self.inner = ["forward"], [""], []
        self.home = {}  # id of a node of the graph -> the module in which it was made

    @contextlib.contextmanager
    def span(self, name, phase=None, module=None, count=True):
        """The time inside is that of `name`, but for what spans inside take of it."""
        if phase is not None:
            self.phase.append(phase)
        if module is not None:
            self.modules.append(module)
        key = self.phase[-1], self.modules[-1], name
        self.inner.append(0.0)
        started = perf_counter()
        try:
            yield
        finally:
            self.close(key, perf_counter() - started, count)
            if phase is not None:
                self.phase.pop()
            if module is not None:
                self.modules.pop()

    def close(self, key, seconds, count=True):
        """The end of a span."""
        own = seconds - self.inner.pop()
        if self.inner:
            self.inner[-1] += seconds
        self.seconds[key] = self.seconds.get(key, 0.0) + own
        self.calls[key] = self.calls.get(key, 0) + count

    def timed(self, name, function):
        """`function`, timed as the operation `name`."""
        def run(*args, **kwargs):
            key = self.phase[-1], self.modules[-1], name
            self.inner.append(0.0)
            started = perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.close(key, perf_counter() - started)
        run.plain, run.operation = function, name
        return run

    # What is replaced while the clock runs -------------------------------------------------
    @contextlib.contextmanager
    def running(self, fn, args, kwargs):
        """Everything that `fn` calls is timed inside the block."""
        reach = Reach().search([*_roots(fn), *_roots_of_arguments([*args, *kwargs.values()])])
        with contextlib.ExitStack() as stack:
            for name, call in CALLS.items():
                self._operation(stack, name, call)
            pairwise = calls.pairwise
            _set(stack, calls, "pairwise", lambda fast, x, y: self.timed(fast.operation, pairwise)(fast.plain, x, y))
            run = engine.Pass.run
            _set(stack, engine.Pass, "run", lambda this: self._pass(run, this))
            _set(stack, mode, "rules", lambda this: _Rules(self, this))
            stack.enter_context(watching(lambda node, arrays, out: self.home.__setitem__(id(node), self.modules[-1])))
            for module, path in reach.modules.items():
                self._module(stack, module, path)
            for thing in reach.participants:
                if hasattr(thing, "step"):
                    self._update(stack, thing)
            yield

    def _operation(self, stack, name, call):
        op = getattr(call, "primitive", None)
        if op is None or op.name not in PRIMITIVES:
            return
        for free, cell in zip(call.__code__.co_freevars, call.__closure__ or ()):
            if free in ("fast", "forward"):
                stack.callback(setattr, cell, "cell_contents", cell.cell_contents)
                cell.cell_contents = self.timed(name, cell.cell_contents)
        _set(stack, op, "forward", self.timed(name, op.forward))

    def _pass(self, run, this):
        with self.span(ENGINE, phase="backward", module=""):
            return run(this)

    def _module(self, stack, module, path):
        def enter(m, x):
            spans.append(self.span(PYTHON, module=path))
            spans[-1].__enter__()

        def leave(m, x, y):
            spans.pop().__exit__(None, None, None)
        spans: list = []
        stack.callback(module.register_forward_pre_hook(enter).remove)
        stack.callback(module.register_forward_hook(leave).remove)

    def _update(self, stack, optimizer):
        step, own = optimizer.step, "step" in vars(optimizer)

        def timed(*args, **kwargs):
            with self.span(type(optimizer).__name__, phase="update", module=""):
                return step(*args, **kwargs)
        optimizer.step = timed
        stack.callback(setattr, optimizer, "step", step) if own else stack.callback(delattr, optimizer, "step")


def _set(stack, thing, name, value):
    stack.callback(setattr, thing, name, getattr(thing, name))
    setattr(thing, name, value)


class _Rules:
    """Times the gradient rules of each node that a backward pass visits."""

    def __init__(self, clock, this):
        self.clock, self.this = clock, this

    def apply(self, vjp, xp, node, g):
        """The gradients by `vjp`."""
        with self.clock.span(node.name, module=self.clock.home.get(id(node), "")):
            return vjp(xp, node, self.this.saved(node), g)

    def picked(self, node):
        """A cotangent went on from one output to its operation."""


def time_step(fn, args, kwargs):
    """One timed call: (the `Clock`, what `fn` returned)."""
    clock = Clock()
    with clock.running(fn, args, kwargs):
        started = perf_counter()
        with clock.span(PYTHON, phase="other", module="", count=False):
            clock.phase.append("forward")
            result = fn(*args, **kwargs)
            clock.phase.pop()
        clock.total = perf_counter() - started
    return clock, result


def module_names(fn, args, kwargs):
    """{path: class name} of the modules that a function reaches."""
    reach = Reach().search([*_roots(fn), *_roots_of_arguments([*args, *kwargs.values()])])
    return {path: type(module).__name__ for module, path in reach.modules.items()}
