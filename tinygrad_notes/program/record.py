"""`record`: run a function once and get what it computed as a `Program`, tied to where its values live."""
from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from ..autograd.engine import store
from ..autograd.tensor import Tensor
from ..autograd.tree import flatten, unflatten
from ..backend import as_device, device_of
from .errors import CannotRecord
from .recorded import RecordedArray
from .recorder import Recorder, recording
from .scalars import Scalar
from .state import Reach

if TYPE_CHECKING:
    from collections.abc import Callable


class TensorSlot:
    """Where the values of a tensor live: its `data`, which is read before a run and given the new array after it."""

    __slots__ = ("tensor",)

    def __init__(self, tensor):
        self.tensor = tensor

    def get(self):
        """The present array."""
        return self.tensor.data

    def set(self, array):
        """Make `array` the values of the tensor."""
        self.tensor.data = array


class PlaceSlot:
    """Where the values of a tensor live that is replaced by another one: an attribute."""

    __slots__ = ("namespace", "key")

    def __init__(self, namespace, key):
        self.namespace, self.key = namespace, key

    def get(self):
        """The present array."""
        return self.namespace[self.key].data

    def set(self, array):
        """Put a tensor of the same kind with this array in the place of the one that is there."""
        tensor = type(self.namespace[self.key]).wrap(array)
        tensor.requires_grad = self.namespace[self.key].requires_grad
        self.namespace[self.key] = tensor


class GradSlot:
    """The same for the gradient of a tensor, which may be missing."""

    __slots__ = ("tensor",)

    def __init__(self, tensor):
        self.tensor = tensor

    def get(self):
        """The present array."""
        return self.tensor.grad.data

    def set(self, array):
        """Make `array` the gradient of the tensor."""
        self.tensor.grad = Tensor.wrap(array)


class Recording:
    """A program, and how it is tied to the function it was recorded from.

    Fields:
        program: the `Program`.
        result: what the function returned, on plain arrays.
        structure, leaves: the structure of the result, and per leaf its Value or the object itself.
        slots: {state value: slot} where states live.
        gradients: {tensor: Value or None} what becomes of `grad`; tensors whose gradient was left alone are not in it.
        without_grad: tensors that must have no gradient when the program runs (None: it does not matter).
        arguments: the tensors that stand for the arguments' leaves while recording; other leaves as they are.
        argument_updates: [(number of the leaf, Value)]: arguments that were written into.
        argument_gradients: [(number of the leaf, Value)]: gradients that a backward pass inside left on arguments.
        guards, effects: see `Recorder`.
        reach: what the function reaches.
    """

    def __init__(self, recorder, reach):
        self.recorder, self.reach = recorder, reach
        self.program, self.guards, self.effects = recorder.program, recorder.guards, recorder.effects
        self.slots: dict[Any, Any] = {}
        self.gradients: dict[Tensor, Any] = {}
        self.without_grad: list[Tensor] = []
        self.owned: dict[Tensor, Any] = {}  # tensors whose memory belongs to an optimizer's buffer
        self.arguments: list[Any] = []
        self.argument_gradients: list[Any] = []
        self.argument_updates: list[Any] = []
        self.final: dict[Any, Any] = {}     # {state value: the real array it has after the recorded run}
        self.plans: list[Any] = []          # what objects that take part returned from `begin_recording`
        self.structure = self.leaves = self.result = None

    def state(self, slot, name):
        """A recorded array for a state; its values are read from `slot` before every run."""
        array = self.recorder.source(slot.get(), "state", name)
        self.program.states.append(array.value)
        self.slots[array.value] = slot
        return array

    def update(self, value, array):
        """Say that a state has become `array`, a recorded array, by the end of the run."""
        if not isinstance(array, RecordedArray):
            array = self.recorder.constant(array)
        if array.value is not value:
            self.program.updates[value] = array.value
            self.final[value] = array._host

    def own(self, tensor, array):
        """Give a tensor, for the time of the recording, an array that is part of a state recorded already."""
        self.owned[tensor] = array
        tensor.data = array


def record(fn: Callable[..., Any], args: tuple = (), kwargs: dict | None = None, *, keep: bool = False,
           may_read: bool = False, commit: Any = True, timed: bool = False,
           coarse: bool = False, finish: Callable[[Recording, Any], Any] | None = None) -> Recording:
    """Run `fn(*args, **kwargs)` and write down every array function it calls: forward, backward and update.

    Args:
        fn: any function of Tensors (in nested containers); it may reach modules, optimizers and tensors by itself.
        args, kwargs: its arguments.
        keep: keep the array of every value.
        may_read: let Python read values; such a program shows one run and is not fit to be repeated.
        commit: let the run change what it would have changed without recording; False puts everything back. A function
            of the recording may decide when the run is over.
        timed: measure the seconds of each scope.
        coarse: leave what the host does fast as a whole (norms, attention, GELU) one instruction.
        finish: called with the recording and the result while the recording is still on.

    Returns:
        A `Recording`.

    Raises:
        CannotRecord: the function does something that cannot be repeated; everything is as before.

    Example:
        >>> import tinygrad_notes as tn
        >>> print(tn.program.record(lambda x: x * 2 + 1, (tn.ones(3),)).program.text())
        %0 = input argument 0    float32 (3,)
        %1 = multiply(%0, 2)    float32 (3,)
        %2 = add(%1, 1)    float32 (3,)
        return %2
    """
    kwargs = kwargs or {}
    try:
        return _attempt(fn, args, kwargs, keep, may_read, commit, finish, False, timed, coarse)
    except _GradientRead:
        return _attempt(fn, args, kwargs, keep, may_read, commit, finish, True, timed, coarse)


class _GradientRead(Exception):
    """The function reads gradients that were not there: they cannot be replaced by stand-ins."""


def _attempt(fn, args, kwargs, keep, may_read, commit, finish, clean, timed, coarse):
    leaves, structure = flatten((args, kwargs))
    reach = Reach().search([*_roots(fn), *_roots_of_arguments(leaves)])
    for thing in reach.participants:
        thing.prepare_recording()
    tensors = [t for t in reach.tensors if t.node is None]
    base = _base(leaves, tensors)
    recorder = Recorder(base, keep, may_read, timed=timed, coarse=coarse)
    it = Recording(recorder, reach)
    before = [(t, t.data, t.grad) for t in tensors]
    places = [(namespace, key, namespace[key], path) for namespace, key, path in reach.places]
    streams = [(g, g.get_state()) for g in reach.generators]
    kept = False
    try:
        with recording(recorder):
            it.arguments = [_input(it, leaf, k) for k, leaf in enumerate(leaves)]
            for thing, path in reach.participants.items():
                it.plans.append(thing.begin_recording(it, path))
            stand_ins = _lift(it, tensors, clean)
            call_args, call_kwargs = unflatten(structure, it.arguments)
            with _paths(recorder, reach):
                result = fn(*call_args, **call_kwargs)
                if not may_read:
                    _refuse_counting(reach.facts.put_back())
                if finish is not None:
                    finish(it, result)
            for plan in it.plans:
                plan.end(it)
            _replaced(it, places)
            _collect(it, result, tensors, before, stand_ins)
            _refuse_leaks(fn, leaves, {id(t) for t in tensors} | {id(n.get(k)) for n, k, _, _ in places})
        kept = commit(it) if callable(commit) else commit
    finally:
        after = {t: t.grad for t in tensors}
        for t, data, grad in before:
            t.data, t.grad = data, grad
        for namespace, key, tensor, _ in places:
            namespace[key] = tensor
        if not kept:
            for effect in reversed(recorder.effects):
                if not isinstance(effect, Scalar):
                    effect[1]()
        for plan in it.plans:
            plan.close(kept)
        if not kept:
            for generator, state in streams:
                generator.set_state(state)
    if kept:
        _commit(it, after, leaves)
    return it


def _refuse_counting(change):
    """What Python changes besides arrays would change once and never again."""
    if change is not None:
        key, before, after = change
        raise CannotRecord(f"{key} is {before!r} when the function begins and {after!r} when it ends: a recording "
                           "repeats array functions, and would not repeat that. Change it outside, or keep it in a "
                           "Tensor that the function writes to, such as a buffer of a module")


def _roots(fn):
    if isinstance(fn, functools.partial):
        return [*_roots(fn.func), *(("", part) for part in fn.args), *fn.keywords.items()]
    return [("", fn)]


def _roots_of_arguments(leaves):
    return [("", leaf) for leaf in leaves if not isinstance(leaf, Tensor)]


def _base(leaves, tensors):
    """The device of what takes part."""
    for thing in (*leaves, *tensors):
        found = device_of(thing.data if isinstance(thing, Tensor) else thing)
        if found is not None and not (found.name == "cpu" and not isinstance(thing, Tensor)):
            return found.base or found
    return as_device(None)


def _lift(it, tensors, clean):
    """Give every tensor that the function reaches a recorded array; stand-ins for gradients that are not there."""
    base, stand_ins = it.recorder.base, {}
    for t in tensors:
        if t in it.owned or device_of(t.data) is not base:
            continue
        t.data = it.state(TensorSlot(t), it.reach.tensors[t])
    for t in tensors:
        if t.grad is not None:
            t.grad = Tensor.wrap(it.state(GradSlot(t), f"{it.reach.tensors[t]}.grad"))
        elif t.requires_grad and not clean:
            host = base.xp.zeros((), dtype=t.dtype)
            t.grad = Tensor.wrap(it.recorder.source(base.xp.broadcast_to(host, t.shape), "constant"))
            stand_ins[t] = t.grad
        elif t.requires_grad:
            it.without_grad.append(t)
    return stand_ins


def _input(it, leaf, k):
    """An argument's leaf as the function gets it: arrays become recorded ones."""
    array = leaf.data if isinstance(leaf, Tensor) else leaf
    if device_of(array) is None:
        return leaf
    if device_of(array) is not it.recorder.base:
        array = it.recorder.base.from_numpy(array)
    recorded = it.recorder.source(array, "input", f"argument {k}")
    it.program.inputs.append(recorded.value)
    if not isinstance(leaf, Tensor):
        return recorded
    tensor = Tensor.wrap(recorded)
    tensor.requires_grad = leaf.requires_grad
    return tensor


def _paths(recorder, reach):
    """While the block runs, the recorder knows the path of the module that is running."""
    import contextlib

    stack = contextlib.ExitStack()
    for module, path in reach.modules.items():
        stack.enter_context(module.register_forward_pre_hook(lambda m, x, path=path: recorder.enter(path)))
        stack.enter_context(module.register_forward_hook(lambda m, x, y: recorder.leave()))
    return stack


def _collect(it, result, tensors, before, stand_ins):
    """What the program returns and changes."""
    program = it.program
    leaves, it.structure = flatten(result)
    it.leaves = [_output(program, leaf) for leaf in leaves]
    it.result = result
    inputs = iter(program.inputs)
    for k, leaf in enumerate(it.arguments):
        array = leaf.data if isinstance(leaf, Tensor) else leaf
        if not isinstance(array, RecordedArray):
            continue
        if array.value is not next(inputs) and getattr(leaf, "node", None) is None:
            it.argument_updates.append((k, array.value))
        if isinstance(leaf, Tensor) and leaf.grad is not None:
            it.argument_gradients.append((k, leaf.grad.data.value))
    read = {v for i in program.instructions for v in i.inputs}
    if any(grad.data.value in read for grad in stand_ins.values()):
        raise _GradientRead
    values = {id(slot.tensor): v for v, slot in it.slots.items() if isinstance(slot, TensorSlot)}
    grads = {id(slot.tensor): v for v, slot in it.slots.items() if isinstance(slot, GradSlot)}
    for t in tensors:
        if t in it.owned:
            continue
        state = values.get(id(t))
        if state is not None:
            it.update(state, t.data)
    for t, _, grad in before:
        now = t.grad
        if now is None:
            if grad is not None or t in stand_ins:
                it.gradients[t] = None
        elif stand_ins.get(t) is not now:
            array = now.data if isinstance(now.data, RecordedArray) else it.recorder.constant(now.data)
            if array.value is not grads.get(id(t)):
                it.gradients[t] = array.value
    _drop_unused(it, read)


def _replaced(it, places):
    """Attributes that hold another tensor than before: their states live in the attribute, not in a tensor."""
    values = {id(slot.tensor): v for v, slot in it.slots.items() if isinstance(slot, TensorSlot)}
    for namespace, key, tensor, _ in places:
        now = namespace.get(key)
        state = values.get(id(tensor))
        if now is not tensor and isinstance(now, Tensor) and state is not None:
            it.slots[state] = PlaceSlot(namespace, key)
            it.update(state, now.data)


def _refuse_leaks(fn, leaves, known):
    """Raise if the function left a new tensor where a replay could not put one."""
    for tensor, path in Reach().search([*_roots(fn), *_roots_of_arguments(leaves)]).tensors.items():
        if isinstance(tensor.data, RecordedArray) and id(tensor) not in known:
            raise CannotRecord(f"{path or 'a variable'} was given a new Tensor of shape {tensor.shape} that outlives "
                               "the call; return it, keep it in an attribute of an object, or assign to .data of one "
                               "that is there")


def _drop_unused(it, read):
    """States that nobody reads or changes are none."""
    program = it.program
    needed = read | set(program.outputs) | set(program.updates) | set(program.updates.values())
    needed |= {v for v in it.gradients.values() if v is not None}
    program.states = [v for v in program.states if v in needed]
    it.slots = {v: slot for v, slot in it.slots.items() if v in needed}


def _output(program, leaf):
    """A leaf of the result: the Value of an array, or the leaf itself."""
    array = leaf.data if isinstance(leaf, Tensor) else leaf
    if isinstance(array, RecordedArray):
        program.outputs.append(array.value)
        return array.value
    return leaf


def _commit(it, after, leaves):
    """Let states and gradients be what the recorded run made of them, and the result stand on plain arrays."""
    for state, host in it.final.items():
        it.slots[state].set(host)
    for t, value in it.gradients.items():
        t.grad = None if value is None else Tensor.wrap(_plain(after[t].data))
    for k, _ in it.argument_updates:
        overwrite(leaves[k], it.arguments[k].data._host if isinstance(leaves[k], Tensor) else it.arguments[k]._host)
    for k, _ in it.argument_gradients:
        store(leaves[k], Tensor.wrap(it.arguments[k].grad.data._host))
    it.result = unflatten(it.structure, [_concrete(leaf) for leaf in flatten(it.result)[0]])


def overwrite(argument, array):
    """Write what a function made of an argument over it."""
    if isinstance(argument, Tensor):
        argument.data[...] = array
    else:
        argument[...] = array


def _plain(array):
    return array._host if isinstance(array, RecordedArray) else array


def _concrete(leaf):
    if isinstance(leaf, Tensor):
        return Tensor.wrap(_plain(leaf.data))
    return _plain(leaf)


__all__ = ["CannotRecord", "GradSlot", "Recording", "TensorSlot", "record"]
