"""The recorder: turns what runs on recording arrays into a `Program`."""
import contextlib
import os
import sys
import time

import numpy as np

from ..autograd.mode import mode
from ..autograd.tensor import Tensor
from ..backend.device import device_of
from ..backend.kernels import FORWARDS
from .errors import CannotRecord
from .functions import FORWARD, SHAPE_BY_VALUE, resolve
from .program import Instruction, Program, Ref, Scope
from .recorded import RecordedArray, RecordingNamespace, read_refused, recording_device
from .scalars import Scalar

_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
WHOLE = ("opaque", "linalg", "sort", "random")  # kinds of operations that are recorded as one instruction
COARSE = ("gelu", "gelu_slope")  # and, in a coarse recording, these operations


class Recorder:
    """Writes one program.

    Args:
        base: the device to compute on.
        keep: whether values keep their arrays (for pictures and measurements).
        may_read: whether Python may read values (for pictures); a program to be run again must not.
        sites: whether the user's lines are noted.
        timed: whether the seconds of each scope are measured.
        coarse: whether what the host does fast as a whole stays one instruction, for a program that runs in NumPy.
    """

    def __init__(self, base, keep=False, may_read=False, sites=True, timed=False, coarse=False):
        self.base, self.keep, self.may_read, self.sites, self.timed = base, keep, may_read, sites, timed
        self.coarse = coarse
        self.device = recording_device(base)
        self.array_type = self.device.array_type
        self.program = Program(base.name)
        self.scope = -1          # index of the open scope
        self.closed = -1         # index of the scope that was closed last
        self.modules = [""]      # paths of the modules that are running
        self.calls = [()]        # for each of them (path, how often it was called) from the outermost call on
        self.called = {}         # path -> how often that module was called
        self.passes = 0          # how many backward passes have begun
        self.nodes = {}          # graph node -> index of the scope of its operation
        self.guards = []         # (function, parts, answer): what Python asked of scalars
        self.effects = []        # what happens once per run, in order: (do, undo), or a Scalar that is read then
        self._constants = {}     # id of an array -> (array, recorded array)

    # Values ---------------------------------------------------------------------------
    def wrap(self, host, value):
        """A recorded array around a real one."""
        if self.keep:
            value.host = host
        return self.array_type(host, value, self)

    def source(self, host, role, name=""):
        """A recorded array for an input or a state."""
        return self.wrap(host, self.program.new_value(host.shape, host.dtype, role, name=name))

    def constant(self, host):
        """The recorded array that stands for an array from outside; one for each array."""
        known = self._constants.get(id(host))
        if known is None:
            value = self.program.new_value(host.shape, host.dtype, "constant", host=host)
            known = self._constants[id(host)] = (host, self.wrap(host, value))
        return known[1]

    def read(self, array, what):
        """The real array, where Python may look at it.

        Raises:
            ReadsValue: this recording must not depend on values.
        """
        if not self.may_read:
            raise read_refused(what, shown_site(call_site()))
        return array._host

    # Instructions ---------------------------------------------------------------------
    def call(self, name, args, kwargs=None):
        """Compute one array function and write it down."""
        return self.emit(resolve(self.base.xp, name), name, args, kwargs or {})

    def emit(self, function, name, args, kwargs):
        """Compute `function` and write it down under `name`."""
        if name in SHAPE_BY_VALUE and not self.may_read:
            raise CannotRecord(f"the shape of what {name} gives depends on values, at {shown_site(call_site())}")
        out = kwargs.get("out")
        if out is not None:
            kwargs = {key: value for key, value in kwargs.items() if key != "out"}
        given = []
        args, kwargs = self._lower(args, given), self._lower(kwargs, given)
        hosts = [x.value if x.__class__ is Scalar else x._host for x in given]
        started = time.perf_counter() if self.timed else 0.0
        result = function(*_filled(args, hosts), **_filled(kwargs, hosts))
        if self.timed and self._owner() >= 0:
            self.program.scopes[self._owner()].seconds += time.perf_counter() - started
        same = next((x for x, host in zip(given, hosts) if host is result and x.__class__ is not Scalar), None)
        if same is not None:  # the function had nothing to do
            return same
        recorded = self._recorded(name, args, kwargs, given, result)
        if out is not None:
            if not isinstance(out, RecordedArray):
                raise CannotRecord(f"{name}(out=...) writes into an array from outside the recording")
            out._become(recorded)
            return out
        return recorded

    def _lower(self, tree, given):
        """The arguments with a `Ref` in place of each array and scalar, which are collected."""
        if isinstance(tree, RecordedArray):
            if tree.tape is not self:
                raise CannotRecord("an array of another recording was used")
            if tree._of is not None and tree.is_stale():
                raise CannotRecord("a view is used after a write into the array it is a view of; a recording cannot "
                                   "follow that")
            given.append(tree)
            return Ref(len(given) - 1)
        if tree.__class__ is Scalar:
            given.append(tree)
            return Ref(len(given) - 1)
        if tree.__class__ in (tuple, list):
            return tree.__class__([self._lower(part, given) for part in tree])
        if tree.__class__ is dict:
            return {key: self._lower(value, given) for key, value in tree.items()}
        if isinstance(tree, np.generic) or device_of(tree) is None:
            return tree
        if isinstance(tree, np.ndarray) and self.base.array_type is not np.ndarray:
            raise TypeError(f"an array on the host meets one on {self.base.name}; move it there first")
        return self._lower(self.constant(tree), given)

    def _recorded(self, name, args, kwargs, given, result):
        """Recorded arrays for what a function returned; anything else as it is."""
        many = isinstance(result, (tuple, list))
        parts = [np.asarray(part) if isinstance(part, np.generic) else part for part in (result if many else (result,))]
        if any(not isinstance(part, self.base.array_type) and not (many and part is None) for part in parts):
            if not self.may_read and any(x.__class__ is not Scalar for x in given):
                raise read_refused(f"{name}, which answers {type(result).__name__},", shown_site(call_site()))
            return result
        outputs = tuple([self.program.new_value(p.shape, p.dtype) if p is not None else None for p in parts])
        inputs = tuple([x if x.__class__ is Scalar else x.value for x in given])
        instruction = Instruction(name, inputs, outputs, args, kwargs, self._owner(), not many)
        self.program.instructions.append(instruction)
        wrapped = []
        for part, value in zip(parts, outputs):
            if value is None:
                wrapped.append(None)
                continue
            value.source = instruction
            array = self.wrap(part, value)
            whole = next((x for x in given if x.__class__ is not Scalar and _shares(part, x._host)), None)
            if whole is not None:
                value.alias, array._of, array._seen = whole.value, whole, whole.value
            wrapped.append(array)
        if not many:
            return wrapped[0]
        return type(result)(*wrapped) if hasattr(result, "_fields") else type(result)(wrapped)

    def _owner(self):
        """The open scope; between scopes of a backward pass the last one: the engine fits and adds its gradients."""
        if self.scope < 0 and self.closed >= 0 and self.program.scopes[self.closed].phase == "backward":
            return self.closed
        return self.scope

    def inline(self, name, args, kwargs):
        """The forward of an operation, function by function; as one instruction where that cannot be."""
        if self.coarse and name in COARSE:
            return self.call(FORWARD + name, args, kwargs)
        forward = FORWARDS[name]
        mark = len(self.program.instructions)
        try:
            return forward(self.device.xp, *args, **kwargs)
        except CannotRecord:
            self._forget(mark)
            return self.call(FORWARD + name, args, kwargs)

    def _forget(self, mark):
        del self.program.instructions[mark:]

    # Scopes ---------------------------------------------------------------------------
    def enter(self, path):
        """A module begins to run."""
        self.called[path] = self.called.get(path, 0) + 1
        self.modules.append(path)
        self.calls.append((*self.calls[-1], (path, self.called[path])))

    def leave(self):
        """The module that began last has run."""
        self.modules.pop()
        self.calls.pop()

    @contextlib.contextmanager
    def inside(self, name, phase, **more):
        """Instructions made in the block belong to a new scope."""
        scope = Scope(len(self.program.scopes), name, phase, parent=self.scope, module=self.modules[-1],
                      calls=self.calls[-1], **more)
        if self.sites and self.scope < 0:
            scope.site = call_site()
        self.program.scopes.append(scope)
        outer, self.scope = self.scope, scope.index
        try:
            yield scope
        finally:
            self.scope, self.closed = outer, scope.index

    def operation(self, op, arrays, attrs):
        """Evaluate a primitive: what `autograd.call.evaluate` does on this device."""
        arrays = [a if device_of(a) is None or isinstance(a, RecordedArray) else self.constant(a) for a in arrays]
        with self.inside(op.name, "forward", kind=op.kind, attrs=attrs) as scope:
            scope.inputs = tuple(a.value if isinstance(a, RecordedArray) else None for a in arrays)
            scope.plain = tuple(None if isinstance(a, RecordedArray) else a for a in arrays)
            mark = len(self.program.instructions)
            if op.kind in WHOLE or self.coarse and op.name in COARSE:
                out = self.call(FORWARD + op.name, tuple(arrays), attrs)
            else:
                try:
                    out = op.forward(self.device.xp, *arrays, **attrs)
                except CannotRecord:
                    self._forget(mark)
                    out = self.call(FORWARD + op.name, tuple(arrays), attrs)
            scope.outputs = _values(out)
        return out

    def watch(self, this):
        """What the engine calls instead of the gradient rules, to know whose work they are."""
        self.passes += 1
        return _RuleWatch(self, this, self.passes - 1)

    def note(self, node, arrays, out):
        """A node was recorded for the operation that was evaluated last."""
        self.nodes[node] = self.closed
        scope = self.program.scopes[self.closed]
        scope.outputs, scope.plan = _values(out), node.plan
        scope.saved = tuple(v for part in node.saved for v in _values(part) if v is not None)

    def assume(self, array):
        """The present truth value of an array of one element; a run in which it differs is no run of this program."""
        found = bool(array._host.item())
        self.call("assume", (array, found))
        return found

    # Random numbers, scalars, effects --------------------------------------------------
    def draw(self, stream, draw, args):
        """Random numbers: `draw(stream.host, *args)` on the host, then moved. Drawn anew in every run."""
        to_device = self.base.from_numpy
        return self.emit(lambda **k: to_device(draw(stream.host, *args)), "draw", (),
                         {"stream": stream, "draw": draw, "args": args, "to_device": to_device})

    def scalar(self, compute):
        """A `Scalar` that is read anew by `compute()` in every run, at this place among the effects."""
        scalar = Scalar(self, compute)
        self.effects.append(scalar)
        return scalar

    def effect(self, do, undo):
        """Call `do()` now and once in every run, in the order of scalars and effects; `undo()` takes it back."""
        do()
        self.effects.append((do, undo))

    def answer(self, function, *parts):
        """What Python asked of a scalar; becomes a guard."""
        found = function(*[p.value if isinstance(p, Scalar) else p for p in parts])
        self.guards.append((function, parts, found))
        return found


class _RuleWatch:
    """Opens a scope around the gradient rules of each node that a backward pass visits."""

    def __init__(self, recorder, this, number):
        self.recorder, self.this, self.number = recorder, this, number

    def apply(self, vjp, xp, node, g):
        """The gradients by `vjp`, recorded as the work of `node`."""
        recorder = self.recorder
        of = recorder.nodes.get(node, -1)
        forward = recorder.program.scopes[of] if of >= 0 else None
        recorder.modules.append(forward.module if forward else "")
        recorder.calls.append(forward.calls if forward else ())
        try:
            kind, attrs = node.plan.primitive.kind, node.attrs or {}
            with recorder.inside(node.name, "backward", kind=kind, attrs=attrs, of=of, run=self.number) as scope:
                scope.inputs, scope.plan = _values(g), node.plan
                gradients = self.rules(vjp, xp, node, g)
                outputs = [None] * len(node.plan.active)
                for i, part in zip(node.plan.wanted, gradients):
                    outputs[i] = _values(part)[0] if part is not None else None
                scope.outputs = tuple(outputs)
        finally:
            recorder.leave()
        return gradients

    def rules(self, vjp, xp, node, g):
        """The gradients; those of a rule that looks at values are one instruction."""
        mark = len(self.recorder.program.instructions)
        saved = self.this.saved(node)
        try:
            return vjp(xp, node, saved, g)
        except CannotRecord:
            if any(isinstance(part, Tensor) for part in (g if isinstance(g, tuple) else (g,))):
                raise
            self.recorder._forget(mark)
            return self.recorder.call("rules", (vjp, _Attributes(node), saved, g))

    def picked(self, node):
        """A cotangent went on from one output to its operation."""


class _Attributes:
    """What gradient rules ask of a node."""

    def __init__(self, node):
        self.attrs, self.shape, self.dtype, self.plan = node.attrs, node.shape, node.dtype, node.plan


@contextlib.contextmanager
def recording(recorder):
    """Inside the block new arrays are made on the recording device, and the engine tells the recorder what it does."""
    outer, watch, record = mode.tape, mode.watch, mode.record
    if outer is not None:
        raise CannotRecord("a recording inside a recording")
    mode.tape, mode.watch = recorder, recorder.note
    mode.record = 0 if not mode.grad else 2
    try:
        with recorder.device:
            yield recorder
    finally:
        mode.tape, mode.watch, mode.record = outer, watch, record


def call_site():
    """(file, line, function) of the user's line that is running, or None."""
    frame = sys._getframe(1)
    while frame is not None and (frame.f_code.co_filename.startswith(_PACKAGE)
                                 or frame.f_code.co_filename == contextlib.__file__):
        frame = frame.f_back
    return None if frame is None else (frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def shown_site(site):
    """A site as text."""
    return "an unknown line" if site is None else f"{site[0]}:{site[1]} in {site[2]}"


def _values(out):
    parts = out if isinstance(out, (tuple, list)) else (out,)
    parts = [part.data if isinstance(part, Tensor) else part for part in parts]
    return tuple(part.value if isinstance(part, RecordedArray) else None for part in parts)


def _filled(tree, hosts):
    if isinstance(tree, Ref):
        return hosts[tree.index]
    if tree.__class__ in (tuple, list):
        return tree.__class__([_filled(part, hosts) for part in tree])
    if tree.__class__ is dict:
        return {key: _filled(value, hosts) for key, value in tree.items()}
    return tree


def _shares(out, host):
    """Whether a result lies in the memory of an input."""
    out, host = getattr(out, "_host", out), getattr(host, "_host", host)
    if device_of(out) is None or device_of(out) is not device_of(host):
        return False
    return out is host or (out.base is not None or host.base is not None) and (
        device_of(out).xp.may_share_memory(out, host))


__all__ = ["CannotRecord", "Recorder", "RecordingNamespace", "call_site", "recording", "shown_site"]
