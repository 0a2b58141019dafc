"""`trace`: a function in evaluation mode as a program that can be kept: called, saved, exported."""
from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ..autograd import no_grad
from ..backend import as_device
from .errors import CannotRecord
from .passes.dead import dead
from .record import _roots, record
from .state import Reach

if TYPE_CHECKING:
    from collections.abc import Callable

    from .program import Program


def trace(fn: Callable[..., Any], args: tuple = (), kwargs: dict | None = None) -> Program:
    """Record a function for inference: without gradients, in evaluation mode, with its weights as they are now.

    Args:
        fn: a module, or any function of Tensors; modules that it reaches are in evaluation mode while it is recorded.
        args, kwargs: example arguments. Shapes, dtypes and whatever is no array are those of every later call.

    Returns:
        A `Program` that can be called like `fn`, saved (`Program.save`) and exported (`tn.onnx.export`).

    Raises:
        CannotRecord: the function reads values into Python, or changes parameters, buffers or arguments.

    Example:
        >>> import tinygrad_notes as tn
        >>> program = tn.program.trace(tn.nn.Linear(2, 1), (tn.zeros(3, 2),))
        >>> program(tn.ones(3, 2)).shape
        (3, 1)
    """
    with evaluation(fn), no_grad():
        recording = record(fn, tuple(args), kwargs, commit=False)
    changed = [v.name or repr(v) for v in recording.program.updates]
    changed += [f"argument {k}" for k, _ in recording.argument_updates]
    if changed:
        raise CannotRecord(f"trace: the function changes {', '.join(changed)}; only what changes nothing can be kept")
    if recording.program.scalars:
        raise CannotRecord("trace: the function computes with numbers that change from run to run, such as a learning "
                           "rate")
    program = dead(recording.program)
    read = {v for i in program.instructions for v in i.inputs} | set(program.outputs)
    program.states = [v for v in program.states if v in read]
    for state in program.states:
        state.host = recording.slots[state].get().copy()
    program.structure, program.leaves = recording.structure, recording.leaves
    return program


@contextlib.contextmanager
def evaluation(fn):
    """While the block runs all modules that a function reaches are in evaluation mode."""
    modules = [m for m in Reach().search(_roots(fn)).modules if getattr(m, "training", False)]
    for module in modules:
        module.training = False
    try:
        yield
    finally:
        for module in modules:
            module.training = True


def call(program, args, kwargs):
    """What `Program.__call__` does.

    Raises:
        TypeError: the program is not one of `trace`, or the arguments are not like those it was recorded with.
    """
    from ..autograd.tensor import Tensor
    from ..autograd.tree import flatten, unflatten
    from .program import Value
    from .run import executor

    if program.structure is None:
        raise TypeError("only a program made by trace, or loaded, can be called; another one is run by `compile`")
    arrays, base = [], as_device(program.device)
    for leaf in flatten((args, kwargs))[0]:
        array = leaf.data if isinstance(leaf, Tensor) else leaf
        if hasattr(array, "shape") and hasattr(array, "dtype"):
            arrays.append(array if isinstance(array, base.array_type) else base.from_numpy(array))
    got, wanted = [[(tuple(x.shape), str(x.dtype)) for x in xs] for xs in (arrays, program.inputs)]
    if got != wanted:
        raise TypeError(f"the program was recorded for arrays {wanted}, got {got}")
    if program.runner is None:
        program.runner = executor(program)
    out = iter(program.runner(arrays, [v.host for v in program.states], ()))
    leaves = [Tensor.wrap(next(out)) if isinstance(leaf, Value) else leaf for leaf in program.leaves]
    return unflatten(program.structure, leaves)
