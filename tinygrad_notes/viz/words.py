"""Parts of a recording in words: parameters of operations, constants, source lines; and their arithmetic."""
from __future__ import annotations

import linecache
import os

from ..autograd.plan import PRIMITIVES
from ..autograd.tensor import Tensor
from ..program.flops import flops
from ..program.functions import FORWARD

SHORT = 40  # characters of a keyword parameter


def is_recorded(leaf):
    array = leaf.data if isinstance(leaf, Tensor) else leaf
    return hasattr(array, "value") and hasattr(array, "tape")


def arithmetic(instruction):
    shapes = [v.shape if hasattr(v, "shape") else () for v in instruction.inputs]
    try:
        return flops(instruction.name.removeprefix(FORWARD), shapes, [v.shape for v in instruction.made],
                     instruction.kwargs)
    except Exception:  # an array function whose arguments are not those of the operation of its name
        return sum(v.size for v in instruction.made)


def parameter_paths(modules):
    """{id of a parameter or buffer: its path}, by the modules that were found."""
    found: dict[int, str] = {}
    for module, path in modules.items():
        for key, value in vars(module).items():
            if isinstance(value, Tensor):
                found.setdefault(id(value), f"{path}.{key}" if path else key)
    return found


def note(scope):
    """Keyword parameters and plain numbers of an operation."""
    op = PRIMITIVES.get(scope.name)
    names = op.inputs if op is not None and scope.phase == "forward" else ()
    plain = {names[k] if k < len(names) else f"#{k}": v for k, v in enumerate(scope.plain) if v is not None}
    shown = ((key, _shown(key, value)) for key, value in {**plain, **(scope.attrs or {})}.items())
    return ", ".join(f"{key}={text}" for key, text in shown if len(text) <= SHORT and " at 0x" not in text)


def _shown(key, value):
    """A parameter as text; the key of an index as it is written in brackets."""
    if hasattr(value, "itemsize") and hasattr(value, "name"):
        return value.name  # a dtype
    if key != "key" or not isinstance(value, tuple):
        return repr(value)
    parts = []
    for part in value:
        if isinstance(part, tuple) and len(part) == 3:
            start, stop, step = ("" if p is None else str(p) for p in part)
            parts.append(f"{start}:{stop}" + (f":{step}" if step else ""))
        else:
            parts.append("..." if part is Ellipsis else repr(part))
    return f"[{', '.join(parts)}]"


def number_of(value, otherwise="constant"):
    """A constant of one element by its value."""
    if value.size == 1 and value.host is not None:
        return f"{float(value.host.item()):.6g}" if value.dtype.kind in "fiub" else otherwise
    return otherwise


def site_of(site):
    """("file:line in function", the line's text); the file by its name, so that a graph is the same everywhere."""
    if site is None:
        return "", ""
    name, line, function = site
    return f"{os.path.basename(name)}:{line} in {function}", linecache.getline(name, line).strip()


def paths_in(name, value):
    """(path, leaf) pairs of nested containers."""
    if isinstance(value, dict):
        return [pair for key, part in value.items() for pair in paths_in(f"{name}.{key}", part)]
    if isinstance(value, (list, tuple)):
        return [pair for k, part in enumerate(value) for pair in paths_in(f"{name}[{k}]", part)]
    return [(name, value)]
