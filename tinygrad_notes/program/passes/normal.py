"""Canonical forms: the many ways to write one thing become one way (see `build`).

A function here is named as the recorded one and has its parameters; `b` is the builder, `out` the recorded result.
What it does not understand it refuses, and the instruction stays as it was recorded.
"""
import math

import numpy as np

from ..build import rebuild
from ..elementwise import ELEMENTWISE
from ..interpret import filled
from ..program import Value
from ..scalars import Scalar

RULES: dict = {}


class Refused(Exception):
    """This form is not understood."""


def rule(function):
    """Register a rule under its name (without a trailing underscore)."""
    RULES[function.__name__.rstrip("_")] = function
    return function


def normal(program):
    """The program in canonical forms."""
    return rebuild(program, _visit)


def _visit(b, instruction, inputs):
    out = instruction.outputs[0]
    found = RULES.get(instruction.name)
    if found is None and instruction.name in ELEMENTWISE:
        found = _elementwise(instruction.name)
    if found is None:
        return None
    mark = len(b.program.instructions)
    try:
        made = found(b, out if instruction.single else instruction.outputs, *filled(instruction.args, inputs),
                     **filled(instruction.kwargs, inputs))
        pairs = zip(made if isinstance(made, tuple) else (made,), instruction.outputs)
        if any(new.shape != old.shape or new.dtype != old.dtype for new, old in pairs):
            raise Refused
        return made
    except (Refused, TypeError, ValueError):
        del b.program.instructions[mark:]
        return None


def _array(x):
    """An operand that must be an array."""
    if not isinstance(x, Value):
        raise Refused
    return x


def _axes(axis, n):
    if axis is None:
        return tuple(range(n))
    return tuple([int(a) % n for a in (axis if isinstance(axis, (tuple, list)) else (axis,))])


def _shape(shape):
    return tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)


# Single elements ------------------------------------------------------------------------
def _elementwise(name):
    def apply(b, out, *operands):
        if len(operands) != ELEMENTWISE[name] or out.dtype.kind == "c" or out.dtype == np.float16:
            raise Refused
        if not all(isinstance(x, (Value, Scalar, bool, int, float, np.generic)) for x in operands):
            raise Refused
        if any(isinstance(x, Value) and (x.dtype.kind == "c" or x.dtype == np.float16) for x in operands):
            raise Refused
        operands = [x.item() if isinstance(x, np.generic) else x for x in operands]
        return b.elementwise(name, *operands, dtype=out.dtype)
    return apply


@rule
def square(b, out, x):
    return b.elementwise("multiply", _array(x), x, dtype=out.dtype)


@rule
def clip(b, out, x, min=None, max=None):
    x = _array(x)
    if min is not None:
        x = b.elementwise("maximum", x, min, dtype=out.dtype)
    return x if max is None else b.elementwise("minimum", x, max, dtype=out.dtype)


@rule
def sigmoid(b, out, x):
    return b.elementwise("expit", _array(x), dtype=out.dtype)


@rule
def cast(b, out, x, dtype):
    return b.cast(_array(x), out.dtype)


@rule
def astype(b, out, x, dtype, copy=True):
    return b.cast(_array(x), out.dtype)


@rule
def copy(b, out, x):
    return _array(x)


@rule
def positive(b, out, x):
    return _array(x)


@rule
def ascontiguousarray(b, out, x):
    return _array(x)


@rule
def asarray(b, out, x, dtype=None):
    return b.cast(_array(x), out.dtype)


# Views ----------------------------------------------------------------------------------
@rule
def reshape(b, out, x, shape=None, **more):
    if more:
        raise Refused
    return b.reshape(_array(x), out.shape)


@rule
def ravel(b, out, x):
    return b.reshape(_array(x), out.shape)


@rule
def expand_dims(b, out, x, axis=0):
    return b.reshape(_array(x), out.shape)


@rule
def squeeze(b, out, x, axis=None):
    return b.reshape(_array(x), out.shape)


@rule
def permute(b, out, x, axes):
    return b.permute(_array(x), axes)


@rule
def permute_dims(b, out, x, axes=None):
    n = len(x.shape)
    return b.permute(_array(x), range(n)[::-1] if axes is None else _axes(axes, n))


@rule
def transpose(b, out, x, axes=None):
    return permute_dims(b, out, x, axes)


@rule
def matrix_transpose(b, out, x):
    n = len(x.shape)
    return b.permute(_array(x), (*range(n - 2), n - 1, n - 2))


@rule
def swapaxes(b, out, x, axis1, axis2):
    order = list(range(len(x.shape)))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return b.permute(_array(x), order)


@rule
def moveaxis(b, out, x, source, destination):
    n = len(x.shape)
    source, destination = _axes(source, n), _axes(destination, n)
    order = [a for a in range(n) if a not in source]
    for d, s in sorted(zip(destination, source)):
        order.insert(d, s)
    return b.permute(_array(x), order)


@rule
def broadcast_to(b, out, x, shape):
    return b.broadcast(_array(x), out.shape)


@rule
def flip(b, out, x, axis=None):
    axes = _axes(axis, len(x.shape))
    turned = [a in axes for a in range(len(x.shape))]
    return b.slice(_array(x), [n - 1 if t else 0 for n, t in zip(x.shape, turned)],
                   [-1 if t else n for n, t in zip(x.shape, turned)], [-1 if t else 1 for t in turned])


def _basic_key(key, shape):
    """(starts, stops, steps) of a basic key."""
    key = key if isinstance(key, tuple) else (key,)
    if not all(isinstance(part, (int, slice, type(None), type(Ellipsis))) for part in key):
        raise Refused
    if any(isinstance(part, bool) for part in key):
        raise Refused
    named = sum(isinstance(part, (int, slice)) for part in key)
    if Ellipsis not in key:
        key = (*key, Ellipsis)
    parts = []
    for part in key:
        if part is Ellipsis:
            parts += [slice(None)] * (len(shape) - named)
        elif part is not None:
            parts.append(part)
    starts, stops, steps = [], [], []
    for part, n in zip(parts, shape):
        if isinstance(part, int):
            start, stop, step = part % n if n else 0, part % n + 1 if n else 0, 1
        else:
            start, stop, step = part.indices(n)
        starts.append(start)
        stops.append(stop)
        steps.append(step)
    return starts, stops, steps


def _picks(b, x, key):
    """For `x[arange(n), indices]`: where each row's chosen element is, as a mask over `x`; also checks the indices."""
    if not (isinstance(key, tuple) and len(key) == 2 and all(isinstance(k, Value) for k in key)):
        raise Refused
    rows, indices = key
    n = x.shape[0] if len(x.shape) == 2 else -1
    counts = isinstance(rows.host, np.ndarray) and rows.shape == (n,) and bool((rows.host == np.arange(n)).all())
    counts = counts or rows.source is not None and rows.source.name == "arange" and rows.source.args == (n,)
    if not counts or indices.shape != (n,) or indices.dtype.kind not in "iu":
        raise Refused
    size = x.shape[1]
    fine = b.elementwise("bitwise_and", b.elementwise("greater_equal", indices, -size, dtype=bool),
                         b.elementwise("less", indices, size, dtype=bool), dtype=bool)
    b.emit("assume", (b.reduce("all", fine, (0,), np.dtype(bool)), True), (), np.dtype(bool))
    wrapped = b.elementwise("where", b.elementwise("less", indices, 0, dtype=bool),
                            b.elementwise("add", indices, size, dtype=indices.dtype), indices, dtype=indices.dtype)
    places = b.constant(np.arange(size, dtype=indices.dtype))
    return b.elementwise("equal", b.reshape(wrapped, (n, 1)), places, dtype=bool)


@rule
def getitem(b, out, x, key):
    if out.dtype.kind in "fiu" and isinstance(key, tuple) and any(isinstance(k, Value) for k in key):
        chosen = b.elementwise("where", _picks(b, _array(x), key), x, 0, dtype=x.dtype)
        return b.reduce("sum", chosen, (1,), x.dtype)
    return b.reshape(b.slice(_array(x), *_basic_key(key, x.shape)), out.shape)


@rule
def setitem(b, out, x, key, value):
    if isinstance(key, tuple) and any(isinstance(k, Value) for k in key):
        mask = _picks(b, _array(x), key)
        if isinstance(value, Value):
            value = b.cast(value, x.dtype)
            value = b.reshape(value, (x.shape[0], 1)) if value.shape == (x.shape[0],) else value
        return b.elementwise("where", mask, value, x, dtype=x.dtype)
    starts, stops, steps = _basic_key(key, _array(x).shape)
    shape = [len(range(*t)) for t in zip(starts, stops, steps)]
    if isinstance(value, (bool, int, float)):
        value = b.full(shape, value, x.dtype)
    value = b.cast(_array(value), x.dtype)
    # NumPy aligns the value with the axes that the key keeps; an int takes its axis away.
    key = key if isinstance(key, tuple) else (key,)
    kept = [a for a, gone in enumerate(_taken_away(key, len(x.shape))) if not gone]
    value = b.broadcast(value, _aligned(value.shape, [shape[a] for a in kept]))
    return b.write(x, b.reshape(value, shape), starts, stops, steps)


def _taken_away(key, n):
    named = sum(isinstance(part, (int, slice)) for part in key)
    gone = []
    for part in key if Ellipsis in key else (*key, Ellipsis):
        if part is Ellipsis:
            gone += [False] * (n - named)
        elif part is None:
            raise Refused
        else:
            gone.append(isinstance(part, int))
    return gone


def _aligned(given, wanted):
    if np.broadcast_shapes(given, tuple(wanted)) != tuple(wanted):
        raise Refused
    return tuple(wanted)


@rule
def split(b, out, x, indices_or_sections, axis=0):
    parts, start = [], 0
    for o in out:
        parts.append(_part(b, _array(x), axis % len(x.shape), start, start + o.shape[axis]))
        start += o.shape[axis]
    return tuple(parts)


@rule
def unstack(b, out, x, axis=0):
    return tuple([b.reshape(_part(b, _array(x), axis % len(x.shape), k, k + 1), o.shape) for k, o in enumerate(out)])


def _part(b, x, axis, start, stop):
    starts, stops = [0] * len(x.shape), list(x.shape)
    starts[axis], stops[axis] = start, stop
    return b.slice(x, starts, stops, [1] * len(x.shape))


# Made from nothing ------------------------------------------------------------------------
@rule
def zeros(b, out, shape, dtype=None):
    return b.full(out.shape, 0, out.dtype)


@rule
def ones(b, out, shape, dtype=None):
    return b.full(out.shape, 1, out.dtype)


@rule
def empty(b, out, shape, dtype=None):
    return b.full(out.shape, 0, out.dtype)


@rule
def full(b, out, shape, fill_value=None, dtype=None, *, value=None):
    fill_value = value if fill_value is None else fill_value
    if not isinstance(fill_value, (bool, int, float)):
        raise Refused
    return b.full(out.shape, fill_value, out.dtype)


@rule
def zeros_like(b, out, x, dtype=None):
    return b.full(out.shape, 0, out.dtype)


@rule
def ones_like(b, out, x, dtype=None):
    return b.full(out.shape, 1, out.dtype)


@rule
def empty_like(b, out, x, dtype=None):
    return b.full(out.shape, 0, out.dtype)


@rule
def full_like(b, out, x, fill_value, dtype=None):
    return full(b, out, out.shape, fill_value)


# Reductions -------------------------------------------------------------------------------
def _reduction(name):
    def apply(b, out, x, axis=None, dtype=None, keepdims=False):
        x = _array(x)
        if out.dtype.kind == "c" or out.dtype == np.float16:
            raise Refused
        axes = _axes(axis, len(x.shape))
        if name in ("max", "min") and any(x.shape[a] == 0 for a in axes):
            raise Refused
        if name in ("sum", "prod"):
            x = b.cast(x, out.dtype)
        if name in ("all", "any"):
            x = b.cast(x, np.dtype(bool))
        return b.reshape(b.reduce(name, x, axes, out.dtype), out.shape)
    return apply


for _name in ("sum", "prod", "max", "min", "all", "any"):
    RULES[_name] = _reduction(_name)


@rule
def mean(b, out, x, axis=None, dtype=None, keepdims=False):
    count = math.prod(_array(x).shape[a] for a in _axes(axis, len(x.shape)))
    total = _reduction("sum")(b, out, x, axis, dtype, keepdims)
    return b.elementwise("divide", total, count, dtype=out.dtype)


# Products ---------------------------------------------------------------------------------
@rule
def matmul(b, out, x, y):
    x, y = _array(x), _array(y)
    if out.dtype.kind != "f" or out.dtype == np.float16 or x.dtype != y.dtype:
        raise Refused
    wide_x = b.reshape(x, (1, *x.shape)) if len(x.shape) == 1 else x
    wide_y = b.reshape(y, (*y.shape, 1)) if len(y.shape) == 1 else y
    return b.reshape(b.matmul(wide_x, wide_y), out.shape)


@rule
def dot(b, out, x, y):
    if len(_array(x).shape) > 2 or len(_array(y).shape) > 2 or not x.shape or not y.shape:
        raise Refused
    return matmul(b, out, x, y)


@rule
def vecdot(b, out, x, y, axis=-1):
    if out.dtype.kind != "f" or len(_array(x).shape) != len(_array(y).shape):
        raise Refused
    product = b.elementwise("multiply", x, y, dtype=out.dtype)
    return b.reshape(b.reduce("sum", product, (axis % len(product.shape),), out.dtype), out.shape)


@rule
def vdot(b, out, x, y):
    x, y = b.reshape(_array(x), (x.size,)), b.reshape(_array(y), (y.size,))
    return vecdot(b, out, x, y)


@rule
def outer(b, out, x, y):
    x, y = b.reshape(_array(x), (x.size, 1)), b.reshape(_array(y), (1, y.size))
    return b.elementwise("multiply", x, y, dtype=out.dtype)


@rule
def tensordot(b, out, x, y, axes=2):
    n, m = len(_array(x).shape), len(_array(y).shape)
    if isinstance(axes, int):
        left, right = tuple(range(n - axes, n)), tuple(range(axes))
    else:
        left, right = _axes(axes[0], n), _axes(axes[1], m)
    free_x, free_y = [a for a in range(n) if a not in left], [a for a in range(m) if a not in right]
    summed = math.prod(x.shape[a] for a in left)
    x = b.reshape(b.permute(x, (*free_x, *left)), (math.prod(x.shape[a] for a in free_x), summed))
    y = b.reshape(b.permute(y, (*right, *free_y)), (summed, math.prod(y.shape[a] for a in free_y)))
    if out.dtype.kind != "f" or x.dtype != y.dtype:
        raise Refused
    return b.reshape(b.matmul(x, y), out.shape)


# Several arrays into one ------------------------------------------------------------------
@rule
def concat(b, out, arrays, axis=0):
    parts = [b.cast(_array(x), out.dtype) for x in arrays]
    if axis is None:
        parts, axis = [b.reshape(x, (x.size,)) for x in parts], 0
    return b.concat(parts, axis % len(out.shape))


@rule
def stack(b, out, arrays, axis=0):
    axis %= len(out.shape)
    parts = [b.cast(_array(x), out.dtype) for x in arrays]
    return b.concat([b.reshape(x, (*x.shape[:axis], 1, *x.shape[axis:])) for x in parts], axis)


@rule
def roll(b, out, x, shift, axis=None):
    if axis is None or isinstance(axis, tuple) or isinstance(shift, tuple):
        raise Refused
    axis %= len(_array(x).shape)
    n = x.shape[axis]
    k = shift % n if n else 0
    return b.concat([_part(b, x, axis, n - k, n), _part(b, x, axis, 0, n - k)], axis) if k else x


@rule
def pad(b, out, x, pad_width, mode="constant", constant_values=0, **more):
    if mode != "constant" or more or not isinstance(constant_values, (bool, int, float)):
        raise Refused
    widths = np.broadcast_to(np.asarray(pad_width), (len(_array(x).shape), 2)).tolist()
    starts = [w[0] for w in widths]
    return b.write(b.full(out.shape, constant_values, out.dtype), x, starts, [a + n for a, n in zip(starts, x.shape)],
                   [1] * len(starts))


@rule
def repeat(b, out, x, repeats, axis=None):
    if not isinstance(repeats, int):
        raise Refused
    if axis is None:
        x, axis = b.reshape(_array(x), (x.size,)), 0
    axis %= len(x.shape)
    wide = b.reshape(x, (*x.shape[:axis + 1], 1, *x.shape[axis + 1:]))
    return b.reshape(b.broadcast(wide, (*x.shape[:axis + 1], repeats, *x.shape[axis + 1:])), out.shape)


@rule
def tril(b, out, x, k=0):
    return _triangle(b, out, x, np.tri(*x.shape[-2:], k, dtype=bool))


@rule
def triu(b, out, x, k=0):
    return _triangle(b, out, x, ~np.tri(*x.shape[-2:], k - 1, dtype=bool))


def _triangle(b, out, x, mask):
    return b.elementwise("where", b.constant(mask), _array(x), 0, dtype=out.dtype)


@rule
def take(b, out, x, indices, axis=None, **more):
    if more:
        raise Refused
    if axis is None:
        x, axis = b.reshape(_array(x), (x.size,)), 0
    return b.emit("take", (_array(x), _array(indices)), out.shape, out.dtype, axis=axis % len(x.shape))
