"""Writing programs: a builder that adds canonical instructions, and what passes share.

Canonical instructions have their arrays first (`Ref`s and plain numbers in `args`) and everything static in `kwargs`:

    elementwise functions   multiply(x, 2.0), where(c, x, y): results broadcast
    cast(x, dtype=)         reshape(x, shape=)    permute(x, axes=)    broadcast(x, shape=)
    slice(x, starts=, stops=, steps=)             full(shape=, value=, dtype=)
    sum, prod, max, min, all, any(x, axes=)       axes sorted and removed
    matmul(x, y)            both with two axes or more
    concat(x, y, ..., axis=)                      write(x, part, starts=, stops=, steps=): x with a slice replaced
    take(x, indices, axis=)

Whatever is not written so keeps the form in which it was recorded and is run by its name.
"""
import numpy as np

from .program import Instruction, Program, Ref
from .scalars import Scalar


class Builder:
    """Adds canonical instructions to a program.

    Fields:
        program: the program that grows.
        scope: the scope that new instructions belong to.
    """

    def __init__(self, program, scope=-1):
        self.program, self.scope = program, scope

    def emit(self, name, operands, shape, dtype, /, **attrs):
        """An instruction with one result; numbers among the operands stay in `args`."""
        args, inputs = [], []
        for x in operands:
            if hasattr(x, "shape") or isinstance(x, Scalar):
                args.append(Ref(len(inputs)))
                inputs.append(x)
            else:
                args.append(x)
        return self.raw(name, tuple(inputs), [(shape, dtype)], tuple(args), attrs)[0]

    def raw(self, name, inputs, results, args, kwargs, single=True):
        """An instruction as it is; returns its values. `results` are (shape, dtype), or None for None."""
        outputs = tuple([r and self.program.new_value(r[0], np.dtype(r[1])) for r in results])
        instruction = Instruction(name, inputs, outputs, args, kwargs, self.scope, single)
        for v in instruction.made:
            v.source = instruction
        self.program.instructions.append(instruction)
        return outputs

    # Canonical instructions -------------------------------------------------------------
    def elementwise(self, name, *operands, dtype):
        """A function of single elements; the result broadcasts."""
        shape = np.broadcast_shapes(*[x.shape for x in operands if hasattr(x, "shape")])
        return self.emit(name, operands, shape, dtype)

    def cast(self, x, dtype):
        """`x` in another data type."""
        return x if x.dtype == dtype else self.emit("cast", (x,), x.shape, dtype, dtype=np.dtype(dtype))

    def reshape(self, x, shape):
        """The elements of `x` in another shape, all sizes given."""
        return x if x.shape == tuple(shape) else self.emit("reshape", (x,), shape, x.dtype, shape=tuple(shape))

    def permute(self, x, axes):
        """`x` with its axes in another order."""
        axes = tuple(axes)
        if axes == tuple(range(len(axes))):
            return x
        return self.emit("permute", (x,), [x.shape[a] for a in axes], x.dtype, axes=axes)

    def broadcast(self, x, shape):
        """`x` repeated to a shape."""
        return x if x.shape == tuple(shape) else self.emit("broadcast", (x,), shape, x.dtype, shape=tuple(shape))

    def slice(self, x, starts, stops, steps):
        """A part of `x`: per axis from `start` to before `stop` by `step`; a negative step may stop at -1."""
        shape = tuple([len(range(a, b, s)) for a, b, s in zip(starts, stops, steps)])
        if shape == x.shape and all(s == 1 for s in steps):
            return x
        return self.emit("slice", (x,), shape, x.dtype, starts=tuple(starts), stops=tuple(stops), steps=tuple(steps))

    def write(self, x, part, starts, stops, steps):
        """`x` with a slice replaced by `part`, whose shape is that of the slice."""
        return self.emit("write", (x, part), x.shape, x.dtype, starts=tuple(starts), stops=tuple(stops),
                         steps=tuple(steps))

    def full(self, shape, value, dtype):
        """An array of one number."""
        return self.emit("full", (), tuple(shape), dtype, shape=tuple(shape), value=value, dtype=np.dtype(dtype))

    def reduce(self, name, x, axes, dtype):
        """A reduction over axes, which disappear."""
        axes = tuple(sorted(axes))
        shape = tuple([n for a, n in enumerate(x.shape) if a not in axes])
        return self.emit(name, (x,), shape, dtype, axes=axes)

    def matmul(self, x, y):
        """The matrix product of the last two axes; leading axes broadcast."""
        lead = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
        return self.emit("matmul", (x, y), (*lead, x.shape[-2], y.shape[-1]), np.result_type(x.dtype, y.dtype))

    def concat(self, parts, axis):
        """Arrays one behind the other along an axis."""
        shape = list(parts[0].shape)
        shape[axis] = sum(p.shape[axis] for p in parts)
        return parts[0] if len(parts) == 1 else self.emit("concat", parts, shape, parts[0].dtype, axis=axis)

    def constant(self, array):
        """An array that is known now."""
        return self.program.new_value(array.shape, array.dtype, "constant", host=array)


def operands(instruction):
    """What an instruction in canonical form computes with: values, Scalars and numbers, in order."""
    return [instruction.inputs[a.index] if isinstance(a, Ref) else a for a in instruction.args]


def rebuild(program, visit, known=None):
    """The same program written anew: `visit(builder, instruction, inputs)` returns what stands for its results.

    `visit` gets the new inputs and returns a value (a tuple for several results), or None to keep the instruction.
    `known` says which values others stand for from the start.
    """
    new = Program(program.device)
    new.values, new.scopes, new.scalars = program.values, program.scopes, program.scalars
    new.inputs, new.states = program.inputs, program.states
    known = dict(known or {})
    builder = Builder(new)
    for instruction in program.instructions:
        builder.scope = instruction.scope
        inputs = tuple([x if isinstance(x, Scalar) else known.get(x, x) for x in instruction.inputs])
        made = visit(builder, instruction, inputs)
        if made is None:
            made = copy_of(builder, instruction, inputs)
        known.update(zip(instruction.outputs, made if isinstance(made, tuple) else (made,)))
    new.outputs = [known.get(v, v) for v in program.outputs]
    new.updates = {state: known.get(v, v) for state, v in program.updates.items()}
    new.extra = [known.get(v, v) for v in program.extra]
    return new


def copy_of(builder, instruction, inputs):
    """The instruction with other inputs; returns its results."""
    results = [v and (v.shape, v.dtype) for v in instruction.outputs]
    return builder.raw(instruction.name, inputs, results, instruction.args, instruction.kwargs, instruction.single)
