"""A recording that is run again and again: what it needs from Python before, and what it gives back after."""
from ..autograd import engine
from ..autograd.mode import mode
from ..autograd.tensor import Tensor
from ..autograd.tree import flatten, unflatten
from ..backend import device_of
from .derivative import run_again, tie
from .errors import Outdated
from .program import Value
from .record import GradSlot, overwrite
from .run import executor
from .scalars import Scalar


class Replay:
    """A recording as a function.

    Args:
        fn: the function that was recorded.
        recording: the recording.
        derivative: the recorded backward pass of its results (`derivative.Derivative`).
        **options: of the executor.

    Raises:
        CannotRecord: the recording cannot be repeated.
    """

    def __init__(self, fn, recording, derivative, **options):
        self.fn, self.recording, self.derivative = fn, recording, derivative
        self.base, self.leaves, self.structure = recording.recorder.base, recording.leaves, recording.structure
        self.effects, self.guards, self.program = recording.effects, recording.guards, recording.program
        self.gradients = list(recording.gradients.items())
        self.argument_updates, self.argument_gradients = recording.argument_updates, recording.argument_gradients
        program = self.program
        extra = [v for _, v in self.gradients if v is not None] + [
            v for _, v in (*self.argument_updates, *self.argument_gradients)]
        in_place = [v for v, slot in recording.slots.items() if getattr(slot, "in_place", False)]
        if derivative.outputs:
            program = derivative.split(program)
            extra += derivative.kept
            self.pull = executor(derivative.backward, **options)
        self.run = executor(program, extra, in_place, **options)
        self.executor = self.run if hasattr(self.run, "fusion") else None
        self.slots = [recording.slots[v] for v in program.states]
        self.updates = [recording.slots[s] for s in program.updates]
        self.many = len(program.outputs)
        names = {i.name for i in program.instructions}
        draws = dict.fromkeys(i.kwargs["stream"] for i in program.instructions if i.name == "draw")
        self.streams = list(draws) if "assume" in names else []
        self.without_grad = recording.without_grad
        self.with_grad = [slot.tensor for slot in self.slots if isinstance(slot, GradSlot)]
        self.facts = recording.reach.facts
        self.changes = mode.changes[0]

    def holds(self):
        """Whether what the recording took for granted, as far as Python can see, is so now."""
        for read, key, value, _ in self.facts.loose:
            if read(key) is not value and read(key) != value:
                return False
        if self.changes != mode.changes[0]:
            if not all(namespace.get(key) == value for namespace, key, value in self.facts.fixed):
                return False
            self.changes = mode.changes[0]
        return (all(t.grad is None for t in self.without_grad)
                and all(t.grad is not None for t in self.with_grad)
                and all(plan.holds() for plan in self.recording.plans))

    def __call__(self, args, kwargs):
        leaves = flatten((args, kwargs))[0]
        inputs = self.inputs(leaves)
        states = [slot.get() for slot in self.slots]
        streams = [(g, g.get_state()) for g in self.streams]
        undo: list = []
        try:
            numbers = self.numbers(undo) if self.effects or self.program.scalars else ()
            arrays = self.run(inputs, states, numbers)
        except Outdated:
            for function in reversed(undo):
                function()
            for stream, state in streams:
                stream.set_state(state)
            raise
        return self.give_back(arrays, leaves, args, kwargs)

    def inputs(self, leaves):
        """The arrays among the arguments, on the device of the program."""
        base, inputs = self.base, []
        for leaf in leaves:
            array = leaf.data if isinstance(leaf, Tensor) else leaf
            home = device_of(array)
            if home is not None:
                inputs.append(array if home is base else base.from_numpy(array))
        return inputs

    def give_back(self, arrays, given, args, kwargs):
        """Let states, gradients and results have their arrays."""
        arrays = iter(arrays)
        out = iter([next(arrays) for _ in range(self.many)])
        for slot in self.updates:
            slot.set(next(arrays))
        for tensor, value in self.gradients:
            tensor.grad = None if value is None else Tensor.wrap(next(arrays))
        for k, _ in self.argument_updates:
            overwrite(given[k], next(arrays))
        for k, _ in self.argument_gradients:
            engine.store(given[k], Tensor.wrap(next(arrays)))
        leaves = [Tensor.wrap(next(out)) if leaf.__class__ is Value else leaf for leaf in self.leaves]
        if self.derivative.outputs:
            leaves = self.tied(leaves, list(arrays), given, args, kwargs)
        return unflatten(self.structure, leaves)

    def tied(self, leaves, kept, given, args, kwargs):
        """The results as part of the graph of what the function read."""
        derivative = self.derivative
        parents = [given[what] if where == "argument" else what for where, what in derivative.wanted]

        def run(kept, cotangents):
            base = self.base
            return self.pull([*kept, *[base.xp.ascontiguousarray(g) for g in cotangents]], (), ())

        def again(cotangents):
            return run_again(self.fn, args, kwargs, derivative.outputs, parents, cotangents)
        return tie(leaves, derivative, run, again, kept, parents)

    def numbers(self, undo):
        """Run the effects and compute the scalars, in the order in which they were recorded.

        Raises:
            Outdated: Python would now go another way than it did; `undo` holds what takes the effects back.
        """
        effects = iter(self.effects)
        values: list = []

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
