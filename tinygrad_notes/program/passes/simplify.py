"""Algebra that is exact in floating point, and views of views made one view.

Left alone is what would change a NaN, an infinity or the sign of a zero: `0 * x`, `x - x`, `x + 0` for floats.
"""
import numpy as np

from ..build import operands, rebuild
from ..program import Value
from .canonical import REDUCTIONS

RULES: dict = {}


def rule(*names):
    """Register a rule for instructions of these names: `f(b, out, attrs, *operands)` gives the value, or None."""
    def register(function):
        for name in names:
            RULES.setdefault(name, []).append(function)
        return function
    return register


def simplify(program):
    """The program after every rule that applies, inner instructions first."""
    def visit(builder, instruction, inputs):
        rules = RULES.get(instruction.name)
        if rules is None or not instruction.single or any(isinstance(a, (tuple, list)) for a in instruction.args):
            return None
        given = [inputs[a.index] if a.__class__.__name__ == "Ref" else a for a in instruction.args]
        for function in rules:
            mark = len(builder.program.instructions)
            made = function(builder, instruction.outputs[0], instruction.kwargs, *given)
            if made is not None:
                return made
            del builder.program.instructions[mark:]
        return None
    return rebuild(program, visit)


def made_by(x, name):
    """The instruction of that name that made `x`, or None."""
    source = getattr(x, "source", None)
    return source if source is not None and source.name == name else None


def number_of(x):
    """The number that every element of `x` is, or None."""
    if isinstance(x, (bool, int, float)):
        return x
    if not isinstance(x, Value):
        return None
    if x.role == "constant" and x.size == 1 and isinstance(x.host, np.ndarray):
        return x.host.item()
    source = x.source
    while source is not None and source.name in ("broadcast", "reshape", "permute"):
        x = source.inputs[0]
        source = x.source
        if x.role == "constant" and x.size == 1 and isinstance(x.host, np.ndarray):
            return x.host.item()
    if source is not None and source.name == "full" and "value" in source.kwargs:
        return source.kwargs["value"]
    return None


def _same(b, out, x):
    """`x` as a result in the place of `out`, if it has its dtype."""
    return b.broadcast(x, out.shape) if x.dtype == out.dtype else None


# Single elements ------------------------------------------------------------------------
@rule("multiply")
def times_one(b, out, attrs, x, y):
    for one, other in ((x, y), (y, x)):
        n = number_of(one)
        if n is not None and not isinstance(n, bool) and n == 1 and isinstance(other, Value):
            return _same(b, out, other)
    return None


@rule("divide")
def over_one(b, out, attrs, x, y):
    return _same(b, out, x) if number_of(y) == 1 and isinstance(x, Value) else None


@rule("multiply", "divide")
def minus_one(b, out, attrs, x, y):
    for one, other in ((y, x), (x, y)):
        if number_of(one) == -1 and isinstance(other, Value) and other.dtype == out.dtype and other.shape == out.shape:
            return b.elementwise("negative", other, dtype=out.dtype)
        if b.program is not None and one is y and out.source is not None and out.source.name == "divide":
            break
    return None


@rule("subtract", "add")
def plus_nothing(b, out, attrs, x, y):
    """x - 0 is x for every x, -0 among them; x + 0 is only for integers."""
    if isinstance(x, Value) and number_of(y) == 0 and (out.source.name == "subtract" or out.dtype.kind in "iu"):
        return _same(b, out, x)
    return None


@rule("minimum", "maximum")
def beyond_all(b, out, attrs, x, y):
    """min(x, inf) and max(x, -inf) are x, also where x is NaN."""
    bound = float("inf") if out.source.name == "minimum" else float("-inf")
    return _same(b, out, x) if isinstance(x, Value) and number_of(y) == bound else None


@rule("negative")
def twice_negative(b, out, attrs, x):
    inner = made_by(x, "negative")
    return inner.inputs[0] if inner else None


@rule("where")
def sides_equal(b, out, attrs, c, x, y):
    if isinstance(x, Value) and x is y:
        return _same(b, out, x)
    known = number_of(c)
    if known is None:
        return None
    chosen = x if known else y
    return _same(b, out, chosen) if isinstance(chosen, Value) else None


@rule("cast")
def cast_of_cast(b, out, attrs, x):
    if x.dtype == out.dtype:
        return x
    n = number_of(x)
    if n is not None and out.dtype.kind in "fiub":
        return b.full(out.shape, np.dtype(out.dtype).type(n).item(), out.dtype)
    inner = made_by(x, "cast")
    if inner and inner.inputs[0].dtype == out.dtype and np.can_cast(out.dtype, x.dtype):
        return inner.inputs[0]
    return None


# Views ------------------------------------------------------------------------------------
@rule("reshape")
def reshape_of_reshape(b, out, attrs, x):
    inner = made_by(x, "reshape")
    while inner:
        x = inner.inputs[0]
        inner = made_by(x, "reshape")
    if x.shape == out.shape:
        return x
    source = made_by(x, "full")
    if source and "value" in source.kwargs:
        return b.full(out.shape, source.kwargs["value"], out.dtype)
    return b.reshape(x, out.shape)


@rule("permute")
def permute_of_permute(b, out, attrs, x):
    axes, inner = attrs["axes"], made_by(x, "permute")
    while inner:
        axes = tuple([inner.kwargs["axes"][a] for a in axes])
        x = inner.inputs[0]
        inner = made_by(x, "permute")
    moved = [a for a in axes if x.shape[a] != 1]
    if moved == sorted(moved):  # only axes of length one move
        return b.reshape(x, out.shape)
    return b.permute(x, axes)


@rule("broadcast")
def broadcast_of_broadcast(b, out, attrs, x):
    inner = made_by(x, "broadcast")
    if x.shape == out.shape:
        return x
    if inner and len(inner.inputs[0].shape) <= len(out.shape):
        return b.broadcast(inner.inputs[0], out.shape)
    source = made_by(x, "full")
    if source and "value" in source.kwargs:
        return b.full(out.shape, source.kwargs["value"], out.dtype)
    return None


@rule("slice")
def slice_of_something(b, out, attrs, x):
    source = made_by(x, "full")
    if source and "value" in source.kwargs:
        return b.full(out.shape, source.kwargs["value"], out.dtype)
    inner = made_by(x, "concat")
    if inner and "axis" in inner.kwargs and all(s == 1 for s in attrs["steps"]):
        axis, at = inner.kwargs["axis"], 0
        first, last = attrs["starts"][axis], attrs["stops"][axis]
        for part in operands(inner):
            n = part.shape[axis]
            if at <= first and last <= at + n:  # all of it lies in one part
                starts, stops = list(attrs["starts"]), list(attrs["stops"])
                starts[axis], stops[axis] = first - at, last - at
                return b.slice(part, starts, stops, attrs["steps"])
            at += n
    return None


@rule("concat")
def concat_of_slices(b, out, attrs, *parts):
    """All parts of one array, side by side in their order, are that array."""
    if not parts or not all(isinstance(p, Value) for p in parts):
        return None
    axis, at, whole = attrs["axis"], 0, None
    for part in parts:
        source = _unshaped(part)
        inner = made_by(source, "slice")
        if inner is None or inner.inputs[0].shape != out.shape or whole not in (None, inner.inputs[0]):
            return None
        whole, key = inner.inputs[0], inner.kwargs
        others = all(a == 0 and z == n for k, (a, z, n) in enumerate(zip(key["starts"], key["stops"], whole.shape))
                     if k != axis)
        if not others or any(s != 1 for s in key["steps"]) or key["starts"][axis] != at or source.shape != part.shape:
            return None
        at = key["stops"][axis]
    return whole if whole is not None and at == whole.shape[axis] else None


def _unshaped(x):
    """What `x` is a reshape of, if that brings it back to the shape it had: reshape(reshape(x, s), x.shape)."""
    while made_by(x, "reshape") and x.source.inputs[0].shape != x.shape:
        inner = x.source.inputs[0]
        if inner.size != x.size or made_by(inner, "reshape") is None and made_by(inner, "slice") is None:
            break
        x = inner
    return x


@rule("write")
def write_all(b, out, attrs, x, part):
    if part.shape == out.shape and all(s == 1 for s in attrs["steps"]):
        return part
    return None


@rule(*REDUCTIONS)
def reduce_nothing(b, out, attrs, x):
    axes = attrs.get("axes")
    if axes is None or any(x.shape[a] != 1 for a in axes) or x.dtype != out.dtype:
        return None
    return b.reshape(x, out.shape)
