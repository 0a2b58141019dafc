"""What a recorded computation is: instructions on values, and the scopes that say whose work they are.

An `Instruction` is one array function (`add`, `matmul`, `sum`, a kernel) with its static arguments; it reads and
makes `Value`s, each of which is made once. A `Scope` is a stretch of the computation that belongs together: one
operation going forward, its gradient rules going backward, the update of an optimizer. Drawing reads scopes; compiling
reads instructions.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ROLES = ("input", "state", "constant", "computed")
PHASES = ("forward", "backward", "update", "outside")


class Ref:
    """The place of an array in the static arguments of an instruction: the `index`-th of its inputs."""

    __slots__ = ("index",)

    def __init__(self, index):
        self.index = index

    def __repr__(self):
        return f"#{self.index}"

    def __eq__(self, other):
        return isinstance(other, Ref) and other.index == self.index

    def __hash__(self):
        return hash(("Ref", self.index))


class Value:
    """One array of a program.

    Fields:
        number: its place in the order of making, unique in the program.
        shape, dtype: of the array.
        role: "input" (an argument), "state" (a tensor the function reaches), "constant" or "computed".
        source: the instruction that makes it, or None.
        name: what the user calls it, such as "model.0.weight"; "" if nothing.
        host: a constant's array, and while values are kept also that of any other; else None.
        alias: the value whose memory it is a view of, or None.
    """

    __slots__ = ("number", "shape", "dtype", "role", "source", "name", "host", "alias")

    def __init__(self, number, shape, dtype, role="computed", source=None, name="", host=None, alias=None):
        self.number, self.shape, self.dtype, self.role = number, shape, dtype, role
        self.source, self.name, self.host, self.alias = source, name, host, alias

    @property
    def size(self):
        """The number of elements."""
        n = 1
        for length in self.shape:
            n *= length
        return n

    @property
    def nbytes(self):
        """The bytes of its elements."""
        return self.size * self.dtype.itemsize

    def __repr__(self):
        return f"%{self.number}"


class Instruction:
    """One call of an array function.

    Fields:
        name: of the function: "multiply", "linalg.solve", a kernel, or one of `functions.OWN`.
        inputs, outputs: values; an output is None where the function returned None in a tuple.
        args, kwargs: its arguments, with a `Ref` where an input or a scalar stands.
        scope: index of the `Scope` it belongs to.
        single: whether the function returns one array and not a tuple.
    """

    __slots__ = ("name", "inputs", "outputs", "args", "kwargs", "scope", "single")

    def __init__(self, name, inputs, outputs, args, kwargs, scope, single=True):
        self.name, self.inputs, self.outputs = name, inputs, outputs
        self.args, self.kwargs, self.scope, self.single = args, kwargs, scope, single

    @property
    def made(self):
        """The values that it makes."""
        return [v for v in self.outputs if v is not None]

    def __repr__(self):
        parts = [_shown(a, self.inputs) for a in self.args]
        parts += [f"{key}={_shown(value, self.inputs)}" for key, value in self.kwargs.items()]
        return f"{', '.join(map(repr, self.made))} = {self.name}({', '.join(parts)})"


def _shown(argument, inputs):
    if isinstance(argument, Ref):
        return repr(inputs[argument.index])
    if isinstance(argument, (tuple, list)):
        inner = ", ".join(_shown(a, inputs) for a in argument)
        return f"({inner}{',' if len(argument) == 1 else ''})" if isinstance(argument, tuple) else f"[{inner}]"
    if hasattr(argument, "names") or isinstance(argument, type):
        return str(getattr(argument, "name", argument.__class__.__name__))
    text = getattr(argument, "__name__", None) or repr(argument)
    return text if len(text) <= 60 else text[:57] + "..."


@dataclass
class Scope:
    """A stretch of instructions that is one operation, one set of gradient rules, or one update.

    Fields:
        index: its place among the scopes.
        name: of the operation or optimizer.
        phase: "forward", "backward", "update", or "outside" for instructions of no operation.
        kind: the operation's kind of mathematics.
        attrs: its keyword parameters.
        parent: index of the scope around it, -1 for none.
        of: for "backward" the index of the forward scope whose gradients these are, else -1.
        module: path of the module that was running, such as "encoder.0".
        site: (file, line, function) of the user's code, or None.
        inputs, outputs: values that go in (None: no array) and come out; of a backward scope the cotangents that
            arrive, and per input of the operation the gradient that leaves (None: not wanted).
        plain: per input what is no array, such as a Python number (None: an array).
        calls: the module calls around it, outermost first: (path, how many calls of that module there had been).
        run: for "backward" the number of the backward pass, else -1.
        plan: the `autograd.plan.Plan` of an operation that a gradient may flow through, else None.
        saved: the values that are held for the backward pass.
        seconds: how long its functions ran, where that is measured.
    """

    index: int
    name: str
    phase: str
    kind: str = ""
    attrs: dict = field(default_factory=dict)
    parent: int = -1
    of: int = -1
    module: str = ""
    site: tuple | None = None
    inputs: tuple = ()
    outputs: tuple = ()
    plain: tuple = ()
    calls: tuple = ()
    run: int = -1
    plan: Any = None
    saved: tuple = ()
    seconds: float = 0.0


class Program:
    """A recorded computation.

    Fields:
        instructions: in the order of execution.
        values: all values by number.
        scopes: all scopes by index.
        inputs: the values of the arguments' arrays, in order.
        states: the values of tensors that the function reached by itself: parameters, buffers, optimizer state.
        outputs: the values of the results' arrays, in order.
        updates: {state: value} what each changed state becomes.
        extra: further values that are wanted, such as gradients.
        scalars: Python numbers that are computed anew for every run (`scalars.Scalar`), in order.
        device: name of the device it was recorded on.
        structure, leaves: of a program that can be called (see `trace`): the structure of the result, and per leaf its
            Value or the object itself; else None.
    """

    def __init__(self, device="cpu"):
        self.instructions: list[Instruction] = []
        self.values: list[Value] = []
        self.scopes: list[Scope] = []
        self.inputs: list[Value] = []
        self.states: list[Value] = []
        self.outputs: list[Value] = []
        self.updates: dict[Value, Value] = {}
        self.extra: list[Value] = []
        self.scalars: list[Any] = []
        self.device = device
        self.structure: Any = None
        self.leaves: list[Any] = []
        self.runner: Any = None  # made when it is first called

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run a program of `trace` on arguments like those it was recorded with; returns what the function would.

        Raises:
            TypeError: the program was not made by `trace`, or the arguments differ in shape or dtype.
        """
        from .trace import call
        return call(self, args, kwargs)

    def save(self, path: Any) -> None:
        """Write a program of `trace` into a file that cannot hold code; see `saved.save`."""
        from .saved import save
        save(self, path)

    @staticmethod
    def load(path: Any) -> Program:
        """Read a program that was saved; see `saved.load`."""
        from .saved import load
        return load(path)

    def new_value(self, shape, dtype, role="computed", **more):
        """A value that did not exist."""
        value = Value(len(self.values), tuple(shape), dtype, role, **more)
        self.values.append(value)
        return value

    def results(self):
        """Everything that must be computed: outputs and updates."""
        return [*self.outputs, *self.updates.values(), *self.extra]

    def users(self):
        """{value: the instructions that read it}, in order."""
        found: dict[Value, list[Instruction]] = {}
        for instruction in self.instructions:
            for value in dict.fromkeys(instruction.inputs):
                if isinstance(value, Value):
                    found.setdefault(value, []).append(instruction)
        return found

    def text(self, scopes=False):
        """The program as lines of text; with `scopes`, the operation that each line belongs to."""
        lines = []
        for role, values in (("input", self.inputs), ("state", self.states)):
            lines += [f"{v} = {role}{' ' + v.name if v.name else ''}    {v.dtype} {v.shape}" for v in values]
        for i in self.instructions:
            line = f"{i}    {', '.join(f'{v.dtype} {v.shape}' for v in i.made)}"
            if scopes and i.scope >= 0:
                scope = self.scopes[i.scope]
                line += f"    # {scope.phase} {scope.name}" + (f" in {scope.module}" if scope.module else "")
            lines.append(line)
        lines += [f"{state.name or state} <- {new}" for state, new in self.updates.items()]
        lines.append(f"return {', '.join(map(repr, self.outputs))}")
        return "\n".join(lines)

    def __repr__(self):
        return (f"Program({len(self.instructions)} instructions, {len(self.inputs)} inputs, {len(self.states)} states, "
                f"{len(self.outputs)} outputs, on {self.device})")
