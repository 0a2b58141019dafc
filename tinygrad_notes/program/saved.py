"""Programs as files: arrays as safetensors, everything else as JSON in its header. Nothing in a file is ever executed.

The header's metadata holds one entry "program": format version, values, instructions and the structure of the result.
Static arguments are written with a tag for what JSON lacks; named tuples and functions are known by name from the
tables below, so that a file can only name what the package has.
"""
from __future__ import annotations

import json
import math
from collections import OrderedDict
from pathlib import Path

import numpy as np

from .. import ops
from ..autograd.tree import Structure
from ..backend import as_device
from ..backend.files import replacing
from ..backend.kernels import FORWARDS, KERNELS
from ..backend.resample import Resize
from ..backend.spans import Span, Uneven
from ..backend.windows import Windows
from .elementwise import ELEMENTWISE
from .functions import FORWARD, OWN
from .passes.normal import RULES
from .program import PHASES, ROLES, Instruction, Program, Ref, Scope, Value

VERSION = 1
RECORDS = {cls.__name__: cls for cls in (Windows, Span, Uneven, Resize)}
CONTAINERS = {"tuple": tuple, "list": list, "dict": dict, "OrderedDict": OrderedDict, "None": type(None)}
REFUSED = ("draw", "rules")  # these hold Python objects
MORE = frozenset(("ascontiguousarray", "put_along_axis", "nan_to_num", "lexsort", "copysign", "interp", "real", "imag"))
DAMAGED = (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError, RecursionError)


class UnreadableProgram(ValueError):
    """A file is no program, is damaged, or is of a version that is not known."""


# Writing ------------------------------------------------------------------------------
def save(program, path):
    """Write a program of `trace`; a crash leaves an old file whole.

    Args:
        program: the program.
        path: the file.

    Raises:
        TypeError: the program was not made by `trace`, or something in it cannot be written; the message says what.
    """
    from safetensors.numpy import save as as_bytes

    if program.structure is None:
        raise TypeError("save: only a program made by trace can be saved; it holds its weights")
    kept, arrays = _needed(program), {}
    to_numpy = as_device(program.device).to_numpy
    for value in kept:
        if value.host is not None and value.role in ("state", "constant"):
            arrays[f"{value.role}.{value.number}"] = np.ascontiguousarray(to_numpy(value.host)).reshape(value.shape)
    text = json.dumps({
        "format": "tinygrad_notes program", "version": VERSION, "device": program.device,
        "values": [[v.number, list(v.shape), v.dtype.name, v.role, v.name] for v in kept],
        "instructions": [_instruction(program, i) for i in program.instructions],
        "scopes": [[s.name, s.phase, s.kind, s.module, s.parent] for s in program.scopes],
        "inputs": [v.number for v in program.inputs], "states": [v.number for v in program.states],
        "outputs": [v.number for v in program.outputs], "structure": _structure(program.structure),
        "leaves": [{"value": x.number} if isinstance(x, Value) else _leaf(x) for x in program.leaves],
    }, separators=(",", ":"), allow_nan=False)
    with replacing(path) as temporary:
        temporary.write_bytes(as_bytes(arrays, {"program": text}))


def _needed(program):
    found = dict.fromkeys([*program.inputs, *program.states, *program.outputs])
    for i in program.instructions:
        found.update(dict.fromkeys([*i.inputs, *i.made]))
    return sorted(found, key=lambda v: v.number)


def _instruction(program, i):
    if i.name in REFUSED:
        scope = program.scopes[i.scope].name if i.scope >= 0 else i.name
        raise TypeError(f"save: {scope} " + ("draws random numbers" if i.name == "draw" else "runs Python code") +
                        "; such a program cannot be saved")
    try:
        _check_name(i.name)
        args, kwargs = _tree(i.args), _tree(i.kwargs)
    except (TypeError, ValueError) as error:
        raise TypeError(f"save: {i.name}: {error}") from error
    return [i.name, [v.number for v in i.inputs], [None if v is None else v.number for v in i.outputs], args, kwargs,
            i.scope, int(i.single)]


def _tree(x):
    """A static argument as JSON: plain where JSON has it, else [tag, ...]."""
    if x is None or x.__class__ in (bool, int, str):
        return x
    if x.__class__ is float:
        return x if math.isfinite(x) else ["float", repr(x)]
    if x.__class__ is Ref:
        return ["ref", x.index]
    if x.__class__.__name__ in RECORDS and RECORDS[x.__class__.__name__] is x.__class__:
        return [x.__class__.__name__, *map(_tree, x)]
    if x.__class__ in (tuple, list):
        return [x.__class__.__name__, *map(_tree, x)]
    if x.__class__ is dict:
        return ["dict", *[[_tree(k), _tree(v)] for k, v in x.items() if isinstance(k, str) or _refuse(k)]]
    if x.__class__ is slice:
        return ["slice", _tree(x.start), _tree(x.stop), _tree(x.step)]
    if x is Ellipsis:
        return ["..."]
    if isinstance(x, np.dtype) or isinstance(x, type) and issubclass(x, (np.generic, bool, int, float)):
        return ["dtype", np.dtype(x).name]
    if isinstance(x, np.generic):
        return ["number", x.dtype.name, _tree(x.item())]
    return _refuse(x)


def _refuse(x):
    raise TypeError(f"an argument of type {type(x).__name__} cannot be written")


def _structure(s):
    kind = "leaf" if s.kind is None else next((k for k, cls in CONTAINERS.items() if cls is s.kind), None)
    if kind is None:
        raise TypeError(f"save: the function returns a {s.kind.__name__}; a saved one can return Tensors in tuples, "
                        "lists and dicts")
    if any(not isinstance(k, (str, int)) for k in s.keys):
        raise TypeError("save: the keys of a dict that is returned must be strings or ints")
    return [kind, list(s.keys), [_structure(part) for part in s.parts]]


def _leaf(x):
    if not isinstance(x, (bool, int, float, str)):
        raise TypeError(f"save: the function returns a {type(x).__name__} that is no Tensor and no plain value")
    return {"plain": _tree(x)}


# Reading ------------------------------------------------------------------------------
def load(path):
    """Read a program that `save` wrote.

    Args:
        path: the file.

    Returns:
        A `Program` that can be called.

    Raises:
        FileNotFoundError: there is no such file.
        UnreadableProgram: it is no saved program, is damaged, or was written by a later version.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load as arrays_of

    path = Path(path)
    data = path.read_bytes()
    try:
        arrays = arrays_of(data)
        header = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])
        stored = json.loads(header["__metadata__"]["program"])
        if stored.get("format") != "tinygrad_notes program":
            raise UnreadableProgram(f"{path}: not a saved program")
    except (SafetensorError, *DAMAGED) as error:
        raise UnreadableProgram(f"{path}: not a saved program, or damaged ({_told(error)})") from error
    if stored.get("version") != VERSION:
        raise UnreadableProgram(f"{path}: a saved program of version {stored.get('version')!r}; this package reads "
                                f"version {VERSION}")
    try:
        return _program(stored, arrays)
    except DAMAGED as error:
        raise UnreadableProgram(f"{path}: damaged ({_told(error)})") from error


def _told(error):
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _program(stored, arrays):
    program, values = Program(stored["device"]), {}
    from_numpy = as_device(program.device).from_numpy
    for number, shape, dtype, role, name in stored["values"]:
        if role not in ROLES or number in values or number.__class__ is not int or number < 0:
            raise ValueError(f"value {number!r} of role {role!r}")
        value = values[number] = Value(number, tuple(shape), np.dtype(dtype), role, name=name)
        if role in ("state", "constant"):
            array = arrays[f"{role}.{number}"]
            if array.shape != value.shape or array.dtype != value.dtype:
                raise ValueError(f"{role} {number} has shape {array.shape} and dtype {array.dtype}, not {value.shape} "
                                 f"and {value.dtype}")
            value.host = from_numpy(array)
    program.values = [values.get(k) for k in range(max(values, default=-1) + 1)]
    program.values = [v or Value(k, (), np.dtype(np.float32)) for k, v in enumerate(program.values)]
    for name, phase, kind, module, parent in stored["scopes"]:
        if phase not in PHASES:
            raise ValueError(f"phase {phase!r}")
        program.scopes.append(Scope(len(program.scopes), name, phase, kind, parent=parent, module=module))
    program.inputs, program.states, program.outputs = [[values[k] for k in stored[part]]
                                                      for part in ("inputs", "states", "outputs")]
    known = {v for v in values.values() if v.role == "constant"} | set(program.inputs) | set(program.states)
    for name, inputs, outputs, args, kwargs, scope, single in stored["instructions"]:
        _check_name(name)
        i = Instruction(name, tuple([values[k] for k in inputs]), tuple([k if k is None else values[k]
                                                                         for k in outputs]),
                        _untree(args, len(inputs)), _untree(kwargs, len(inputs)), scope, bool(single))
        if not known.issuperset(i.inputs) or known.intersection(i.made) or not -1 <= scope < len(program.scopes):
            raise ValueError(f"the instructions around {name} are not in order")
        if i.args.__class__ is not tuple or i.kwargs.__class__ is not dict:
            raise TypeError(f"the arguments of {name}")
        known.update(i.made)
        for value in i.made:
            value.source = i
        program.instructions.append(i)
    if not known.issuperset(program.outputs):
        raise ValueError("a result that nothing computes")
    program.structure = _unstructure(stored["structure"])
    program.leaves = [values[x["value"]] if "value" in x else _untree(x["plain"], 0) for x in stored["leaves"]]
    if [x for x in program.leaves if isinstance(x, Value)] != program.outputs:
        raise ValueError("the results do not fit their structure")
    return program


def _check_name(name):
    """Raise unless a name is that of an array function of this package, which computes and does nothing else."""
    head, _, rest = name.partition(".")
    known = name.startswith(FORWARD) and rest in FORWARDS or name in OWN and name not in REFUSED \
        or name in KERNELS or name in ELEMENTWISE or name in RULES or name in MORE \
        or head in ("linalg", "fft") and rest.isidentifier() and not rest.startswith("_") \
        or not name.startswith("_") and name.isidentifier() and callable(getattr(ops, name, None))
    if not known:
        raise ValueError(f"the function {name!r}")


def _untree(x, many):
    """The static argument that `_tree` wrote; `many` inputs may be named."""
    if x.__class__ is not list:
        return x
    tag, parts = x[0], x[1:]
    if tag == "ref":
        if parts[0].__class__ is not int or not 0 <= parts[0] < many:
            raise IndexError(f"input {parts[0]!r} of {many}")
        return Ref(parts[0])
    if tag == "float":
        return float(parts[0])
    if tag == "...":
        return Ellipsis
    if tag == "dtype":
        return np.dtype(parts[0])
    if tag == "number":
        return np.dtype(parts[0]).type(_untree(parts[1], many))
    if tag == "dict":
        return {_untree(k, many): _untree(v, many) for k, v in parts}
    parts = [_untree(part, many) for part in parts]
    if tag == "slice":
        return slice(*parts)
    return RECORDS[tag](*parts) if tag in RECORDS else {"tuple": tuple, "list": list}[tag](parts)


def _unstructure(stored):
    kind, keys, parts = stored
    return Structure(None if kind == "leaf" else CONTAINERS[kind], tuple(keys), tuple(map(_unstructure, parts)))
