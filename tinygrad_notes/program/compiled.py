"""`compile`: a function that is recorded once per kind of call and replayed as an optimized program."""
from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any

from ..autograd.mode import mode
from ..autograd.tensor import Tensor
from ..autograd.tree import flatten, unflatten
from ..backend import current_device, device_of
from .errors import CannotRecord, Outdated
from .program import Value
from .record import GradSlot, record
from .run import executor
from .scalars import Scalar

if TYPE_CHECKING:
    from collections.abc import Callable


class Compiled:
    """What `compile` returns: calls like the function, replays what it recorded.

    Fields:
        fn: the function.
        variants: how many kinds of calls are recorded before others run uncompiled.
        recorded: how many were.
        broken: whether it runs uncompiled from now on.
    """

    def __init__(self, fn, variants=8, options=None):
        self.fn, self.variants, self.options = fn, variants, options or {}
        self._known: dict[Any, list[Replay]] = {}
        self.recorded, self.broken = 0, False
        functools.update_wrapper(self, fn)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.broken or mode.tape is not None or mode.anomaly:
            return self.fn(*args, **kwargs)
        key = (mode.grad, current_device().name, *[_kind(a) for a in args], *[(k, _kind(v)) for k, v in kwargs.items()])
        for replay in self._known.get(key, ()):
            if replay.holds():
                try:
                    return replay(args, kwargs)
                except Outdated:
                    continue
        return self._record(key, args, kwargs)

    def _record(self, key, args, kwargs):
        if self.recorded >= self.variants:
            self._give_up(f"it was called in more than {self.variants} ways (shapes, dtypes, Python arguments, modes)")
            return self.fn(*args, **kwargs)
        try:
            recording = record(self.fn, args, kwargs)
            replay = Replay(recording, **self.options)
        except CannotRecord as error:
            result = self.fn(*args, **kwargs)
            self._give_up(str(error))
            return result
        self.recorded += 1
        self._known.setdefault(key, []).insert(0, replay)
        return recording.result

    def _give_up(self, why):
        self.broken = True
        warnings.warn(f"compile: {self.fn!r} runs uncompiled from now on: {why}", RuntimeWarning, stacklevel=4)


def _kind(value):
    """What a recording assumes of an argument: hashable, equal for arguments that may share a program."""
    if isinstance(value, Tensor):
        data = value.data
        return data.shape, data.dtype, data.__class__, value.requires_grad
    if value.__class__ in (tuple, list):
        return value.__class__, *[_kind(part) for part in value]
    if value.__class__ is dict:
        return dict, *[(k, _kind(v)) for k, v in value.items()]
    if device_of(value) is not None:
        return value.shape, value.dtype, value.__class__
    try:
        hash(value)
    except TypeError:
        return type(value), id(value)
    return type(value), value


class Replay:
    """A recording that can be run again and again."""

    def __init__(self, recording, **options):
        self.program = program = recording.program
        self.recording = recording
        self.effects, self.guards = recording.effects, recording.guards
        self.slots = [recording.slots[v] for v in program.states]
        self.updates = [recording.slots[s] for s in program.updates]
        self.gradients = list(recording.gradients.items())
        in_place = [v for v, slot in recording.slots.items() if getattr(slot, "in_place", False)]
        self.run = executor(program, [v for _, v in self.gradients if v is not None], in_place, **options)
        names = {i.name for i in program.instructions}
        self.streams = list(dict.fromkeys(i.kwargs["stream"] for i in program.instructions if i.name == "draw")) \
            if "assume" in names else []
        self.without_grad = recording.without_grad
        self.with_grad = [slot.tensor for slot in self.slots if isinstance(slot, GradSlot)]
        modules = list(recording.reach.modules)
        self.training = [(m, m.training) for m in modules if hasattr(m, "training")]

    def holds(self):
        """Whether what the recording took for granted, as far as Python can see, is so now."""
        return (all(m.training is was for m, was in self.training)
                and all(t.grad is None for t in self.without_grad)
                and all(t.grad is not None for t in self.with_grad)
                and all(plan.holds() for plan in self.recording.plans))

    def __call__(self, args, kwargs):
        leaves, _ = flatten((args, kwargs))
        base = self.recording.recorder.base
        inputs = []
        for leaf in leaves:
            array = leaf.data if isinstance(leaf, Tensor) else leaf
            home = device_of(array)
            if home is not None:
                inputs.append(array if home is base else base.from_numpy(array))
        streams = [(g, g.get_state()) for g in self.streams]
        undo: list[Any] = []
        try:
            arrays = self.run(inputs, [slot.get() for slot in self.slots], self.numbers(undo))
        except Outdated:
            for function in reversed(undo):
                function()
            for stream, state in streams:
                stream.set_state(state)
            raise
        arrays = iter(arrays)
        out = [next(arrays) for _ in self.program.outputs]
        for slot in self.updates:
            slot.set(next(arrays))
        for tensor, value in self.gradients:
            tensor.grad = None if value is None else Tensor.wrap(next(arrays))
        results = iter(out)
        leaves = [Tensor.wrap(next(results)) if isinstance(leaf, Value) else leaf for leaf in self.recording.leaves]
        return unflatten(self.recording.structure, leaves)

    def numbers(self, undo):
        """Run the effects and compute the scalars, in the order in which they were recorded.

        Raises:
            Outdated: Python would now go another way than it did; `undo` holds what takes the effects back.
        """
        effects = iter(self.effects)
        values: list[Any] = []

        def run_effects(until):
            for effect in effects:
                if effect is until:
                    return
                effect[0]()
                undo.append(effect[1])
        for scalar in self.program.scalars:
            if not scalar.parts:
                run_effects(scalar)
            values.append(scalar.compute(*[values[p.index] if p.__class__ is Scalar else p for p in scalar.parts]))
        run_effects(None)
        for function, parts, answer in self.guards:
            found = function(*[values[p.index] if p.__class__ is Scalar else p for p in parts])
            if found is not answer and found != answer:
                raise Outdated
        return values


def compile(fn: Callable[..., Any] | None = None, *, variants: int = 8, **options: Any) -> Any:
    """Record `fn` when it is first called and replay it as an optimized program afterwards."""
    if fn is None:
        return functools.partial(compile, variants=variants, **options)
    return Compiled(fn, variants, options)
