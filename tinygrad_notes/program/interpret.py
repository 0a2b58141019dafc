"""Run a program one instruction after the other: the plain way, against which every faster one is tested."""
from ..backend import as_device
from .functions import resolve
from .program import Ref
from .scalars import Scalar, evaluate


def interpret(program, inputs, states, scalars=None, xp=None):
    """The arrays of all values of a program, by value.

    Args:
        program: the program.
        inputs: arrays for `program.inputs`.
        states: arrays for `program.states`.
        scalars: numbers for `program.scalars`; default: computed now.
        xp: the array functions; default: those of the program's device.

    Returns:
        {Value: array}.
    """
    xp = xp or as_device(program.device).xp
    numbers = evaluate(program.scalars) if scalars is None else scalars
    arrays = {v: v.host for v in program.values if v.role == "constant"}
    arrays.update(zip(program.inputs, inputs))
    arrays.update(zip(program.states, states))
    for instruction in program.instructions:
        given = [numbers[v.index] if isinstance(v, Scalar) else arrays[v] for v in instruction.inputs]
        out = resolve(xp, instruction.name)(*filled(instruction.args, given), **filled(instruction.kwargs, given))
        if instruction.single:
            out = (out,)
        arrays.update((v, as_array(xp, array)) for v, array in zip(instruction.outputs, out) if v is not None)
    return arrays


def filled(tree, arrays):
    """Static arguments with the arrays in place of their `Ref`s."""
    if tree.__class__ is Ref:
        return arrays[tree.index]
    if tree.__class__ in (tuple, list):
        return tree.__class__([filled(part, arrays) for part in tree])
    if tree.__class__ is dict:
        return {key: filled(value, arrays) for key, value in tree.items()}
    return tree


def as_array(xp, array):
    """NumPy's scalars as arrays without axes."""
    return array if hasattr(array, "__array_ufunc__") and hasattr(array, "strides") and hasattr(array, "__len__") \
        else xp.asarray(array)
