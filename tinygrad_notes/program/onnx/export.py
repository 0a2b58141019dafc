"""`tn.onnx.export`: record a function in evaluation mode, optimize the program, write it as an ONNX file."""
from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...autograd.tensor import Tensor
from ...autograd.tree import flatten, unflatten
from ...backend import as_device
from ...backend.files import replacing
from ...backend.names import unknown
from ..elementwise import ELEMENTWISE
from ..interpret import filled
from ..passes import optimize
from ..program import Ref, Value
from ..scalars import Scalar
from ..trace import trace
from .elementwise import elementwise
from .functions import FORMS
from .graph import Graph, NoOnnxForm
from .sizes import Differs, Size, corners, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OPSET = 18        # the first in which all reductions take their axes as an input
LARGE = 1 << 30   # bytes of weights from which they go into a file of their own: protobuf ends at 2 GiB


def export(fn: Callable[..., Any], args: Any, path: str | os.PathLike | None = None, *, opset: int = OPSET,
           dynamic_axes: Mapping[str, Mapping[int, str]] | None = None, output_names: list[str] | None = None) -> Any:
    """Write what a function computes as an ONNX model, which other runtimes and languages can run.

    The function runs once, on the example arguments, in evaluation mode and without gradients; its parameters become
    weights of the model, by their names. Shapes are those of the example, except along `dynamic_axes`: for these the
    function is recorded at other sizes too, and the sizes inside the model are computed from those of its inputs.

    Args:
        fn: a module, or a function of Tensors.
        args: one example Tensor, or a tuple of arguments; what is no array is fixed.
        path: the file; None to return the model only.
        opset: version of the ONNX operators, 18 or later.
        dynamic_axes: {name of an argument: {axis: name of the size}}; axes with the same name have the same size.
        output_names: per Tensor of the result its name; default "output", or "output_0", "output_1", ...

    Returns:
        The `onnx.ModelProto`, which has passed ONNX's checker.

    Raises:
        ImportError: the package onnx is not installed.
        NoOnnxForm: an array function has no form in ONNX, or the computation is another one at other sizes.
        CannotRecord: the function reads values into Python, or changes parameters or buffers.
        ValueError: a name or an option is unknown.

    Example:
        >>> import tinygrad_notes as tn
        >>> model = tn.nn.Sequential(tn.nn.Linear(2, 8), tn.nn.ReLU(), tn.nn.Linear(8, 1))
        >>> proto = tn.onnx.export(model, tn.zeros(4, 2), "model.onnx", dynamic_axes={"input": {0: "batch"}})
        >>> [i.name for i in proto.graph.input], [o.name for o in proto.graph.output]
        (['input'], ['output'])
    """
    onnx = _package(opset)
    args = args if isinstance(args, tuple) else (args,)
    names = argument_names(fn, args)
    sizes = _symbols(names, args, dynamic_axes or {})
    try:
        program = _recorded(fn, args, names, dynamic_axes or {}, sizes)
    except Differs as error:
        raise NoOnnxForm(f"export: the sizes {', '.join(sizes)} cannot be left open: {error}") from error
    model = _model(onnx, program, names, dynamic_axes or {}, output_names, opset, getattr(fn, "__name__", ""))
    if path is not None:
        _write(onnx, model, Path(path))
    return model


def _package(opset):
    try:
        import onnx
    except ImportError as error:
        raise ImportError("export: writing ONNX needs the package onnx: pip install \"tinygrad-notes[onnx]\", or "
                          "pip install onnx") from error
    newest = onnx.defs.onnx_opset_version()
    if not isinstance(opset, int) or not OPSET <= opset <= newest:
        raise ValueError(f"opset: expected a whole number from {OPSET} to {newest}, got {opset!r}")
    return onnx


# Recording ----------------------------------------------------------------------------
def argument_names(fn, args):
    """The names of the array leaves of the arguments, in order: those of the parameters they are bound to."""
    target = getattr(fn, "forward", fn)
    try:
        bound = inspect.signature(target).bind(*args)
    except (TypeError, ValueError):
        parts = [(f"input_{k}", a) for k, a in enumerate(args)]
    else:
        parts = []
        for name, value in bound.arguments.items():
            many = bound.signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
            parts += [(f"{name}_{k}", v) for k, v in enumerate(value)] if many else [(name, value)]
    found = []
    for name, value in parts:
        leaves = [leaf for leaf in flatten(value)[0] if _is_array(leaf)]
        found += [name] if len(leaves) == 1 else [f"{name}_{k}" for k in range(len(leaves))]
    return found


def _is_array(leaf):
    return isinstance(leaf, Tensor) or hasattr(leaf, "shape") and hasattr(leaf, "dtype")


def _symbols(names, args, dynamic):
    """{symbol: its size in the example}."""
    arrays = dict(zip(names, [leaf for leaf in flatten(args)[0] if _is_array(leaf)]))
    sizes = {}
    for name, axes in dynamic.items():
        if name not in arrays:
            raise ValueError(f"dynamic_axes: {unknown('argument', name, list(arrays))}")
        for axis, symbol in axes.items():
            shape = arrays[name].shape
            if not isinstance(axis, int) or not 0 <= axis < len(shape):
                raise ValueError(f"dynamic_axes: {name!r} has axes 0 to {len(shape) - 1}, got {axis!r}")
            if sizes.setdefault(symbol, shape[axis]) != shape[axis]:
                raise ValueError(f"dynamic_axes: {symbol!r} is {sizes[symbol]} in one argument and {shape[axis]} along "
                                 f"axis {axis} of {name!r}")
    return sizes


def _recorded(fn, args, names, dynamic, sizes):
    """The optimized program, with a `Size` for each integer that depends on an open size."""
    if not sizes:
        return optimize(trace(fn, args), skip=("layout",))
    start = {symbol: max(n, 3) for symbol, n in sizes.items()}  # sizes of one are often a case of their own
    # Different sizes everywhere, so that no two axes are equal by accident
    programs = [optimize(trace(fn, _resized(args, names, dynamic, at)), skip=("layout",)) for at in corners(start)]
    return joined(programs, start)


def _resized(args, names, dynamic, sizes):
    """The example with other lengths along open axes: its elements, again from the start."""
    leaves, structure = flatten(args)
    k = 0
    for place, leaf in enumerate(leaves):
        if not _is_array(leaf):
            continue
        host = np.asarray(leaf.numpy() if isinstance(leaf, Tensor) else leaf)
        for axis, symbol in dynamic.get(names[k], {}).items():
            host = np.take(host, np.arange(sizes[symbol]) % host.shape[axis], axis=axis)
        base = leaf.device if isinstance(leaf, Tensor) else None
        leaves[place] = Tensor.wrap(as_device(base).from_numpy(host)) if isinstance(leaf, Tensor) else host
        k += 1
    return unflatten(structure, leaves)


# Writing ------------------------------------------------------------------------------
def _model(onnx, program, names, dynamic, output_names, opset, title):
    helper, to_numpy = onnx.helper, as_device(program.device).to_numpy
    axes = {}
    for name, each in dynamic.items():
        for axis, symbol in each.items():
            axes.setdefault(symbol, (name, axis))
    g = Graph(onnx, dict(zip(program.inputs, names)), axes)
    for state in program.states:
        g.names[state] = g.weight(to_numpy(state.host), g.unique(state.name or f"weight_{state.number}"))
    for instruction in program.instructions:
        _write_instruction(g, program, instruction)
    outputs = _outputs(g, program, output_names)

    def info(name, value):
        return helper.make_tensor_value_info(name, g.kind(value.dtype), [_symbol_of(n, axes) for n in value.shape])
    read = {name for node in g.nodes for name in (*node.input, *_read_inside(node))}
    weights = [w for w in g.weights if w.name in read]
    graph = helper.make_graph(g.nodes, title or "program", [info(n, v) for n, v in zip(names, program.inputs)],
                              [info(n, v) for n, v in outputs], weights)
    from ... import __version__
    model = helper.make_model(graph, producer_name="tinygrad_notes", producer_version=__version__,
                              opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = min(model.ir_version, 10)  # what most runtimes read
    onnx.checker.check_model(model, full_check=model.ByteSize() < LARGE)
    return model


def _read_inside(node):
    """The names that the body of a loop reads."""
    return [name for a in node.attribute for inner in a.g.node for name in inner.input]


def _symbol_of(n, axes):
    """A size of an input or result: a number, the symbol that it is, or unknown."""
    if not isinstance(n, Size):
        return n
    return next((s for s in axes if n.terms == {(s,): 1}), None)


def _write_instruction(g, program, i):
    scope = program.scopes[i.scope] if i.scope >= 0 else None
    g.prefix = "/".join(["", *filter(None, [scope.module.replace(".", "/"), scope.name])]) + "/" if scope else "/"
    if any(isinstance(x, Scalar) for x in i.inputs):
        raise g.refuse(program, i, "it computes with a number that changes from run to run")
    if i.name == "draw":
        raise g.refuse(program, i, "it draws random numbers; an exported function must not")
    args = filled(i.args, i.inputs)
    if i.name == "round" and args[1:] in ((), (0,)) and not any(i.kwargs.values()):
        made = elementwise(g, i, args[:1])
    elif i.name in ELEMENTWISE:
        made = elementwise(g, i, args) if all(_simple(a) for a in args) else None
    elif i.name in FORMS:
        try:
            made = FORMS[i.name](g, i, *args, **filled(i.kwargs, i.inputs))
        except TypeError as error:
            raise g.refuse(program, i, f"called with other arguments ({error})") from error
    else:
        raise g.refuse(program, i)
    if made is None:
        raise g.refuse(program, i, "of these arguments")
    for value, name in zip(i.outputs, made if isinstance(made, list) else [made]):
        if value is not None and name is not None:
            g.names[value] = name
        elif value is not None and any(value in other.inputs for other in program.instructions):
            raise g.refuse(program, i, "one of its further results is used")


def _simple(x):
    return isinstance(x, (Value, int, float, Ref))


def _outputs(g, program, wanted):
    """(name, value) of the results; what is an input or a weight itself is copied."""
    many = len(program.outputs)
    names = wanted or (["output"] if many == 1 else [f"output_{k}" for k in range(many)])
    if len(names) != many:
        raise ValueError(f"output_names: the function returns {many} Tensors, got {len(names)} names")
    g.prefix = ""
    for name, value in zip(names, program.outputs):
        g.nodes.append(g.onnx.helper.make_node("Identity", [g.name(value)], [name], f"return {name}"))
    return list(zip(names, program.outputs))


def _write(onnx, model, path):
    """Through a temporary file, so that a crash leaves an old one whole; large weights into a file beside it."""
    if model.ByteSize() >= LARGE:
        onnx.save(model, path, save_as_external_data=True, location=path.name + ".weights")
        return
    with replacing(path) as temporary:
        temporary.write_bytes(model.SerializeToString())
