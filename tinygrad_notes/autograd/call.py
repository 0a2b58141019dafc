"""Calling an operation: raw arrays in, a recorded Tensor out. The hot path of the whole engine.

Operations of one or two inputs and no keyword parameters, which are most calls, have a function each that does
nothing but the necessary (`_unary`, `_binary`); all others share `_general`.
"""
import sys

import numpy as np

from ..backend import device_of
from ..backend.dtypes import default_float, float64
from ..backend.elementwise import LARGE, pairwise
from .anomaly import note
from .errors import explain
from .mode import mode
from .node import Bundle, Node, tick
from .plan import CALLS, PICK
from .tensor import Tensor, as_tensor, to_array

_ndarray, _asarray = np.ndarray, np.asarray
_new = object.__new__
_SCALARS = frozenset((bool, int, float, complex))


def operand(value, other):
    """The raw form of an operand that is not a Tensor.

    A Python number is weak: it takes the dtype of `other`, and stays a number where that is not floating.
    """
    if value.__class__ in _SCALARS:
        array = other.data
        if array.__class__ is _ndarray and array.dtype.kind == "f" and value.__class__ is not complex:
            return _asarray(value, array.dtype)  # NumPy is twice as fast with it as with the number
        return value
    if isinstance(value, np.generic):
        return operand(value.item(), other)
    if isinstance(value, int):  # a subclass, such as the size of a tensor
        return operand(int(value), other)
    if value is None or device_of(value) is not None:
        return value  # an array of another device than the Tensor's is refused where they meet
    return to_array(value, None, other.device)


def settle(out, arrays, again=None):
    """`out` as a proper array of the promoted dtype; `again(*arrays)` computes it for other arrays.

    NumPy turns int32 + float32 and sin(int) into float64, sin(bool) into float16; here, as in PyTorch, an
    integer joins the floating dtype of its partner, or becomes float32 when it has none.
    """
    if out.__class__ is not _ndarray and isinstance(out, np.generic):
        out = np.asarray(out)
    kind = out.dtype.char
    if kind == "e" and again and all(a.dtype.kind in "biu" for a in arrays if hasattr(a, "dtype")):
        return _array(again(*[a.astype(default_float) if hasattr(a, "dtype") else a for a in arrays]))
    if kind == "d":
        floats = {a.dtype for a in arrays if hasattr(a, "dtype") and a.dtype.kind in "fc"}
        if float64 not in floats and not any(d.kind == "c" for d in floats):
            narrow = max(floats, key=lambda d: d.itemsize) if floats else default_float
            out = out.astype(narrow)
    return out


def evaluate(op, arrays, attrs):
    """Run the forward function on raw arrays of any device."""
    device = None
    for array in arrays:
        found = device_of(array)
        if found is not None and found is not device:
            if device is not None and device is not found.base and found is not device.base:
                raise TypeError(f"{op.name}: inputs live on different devices, {device} and {found}; "
                                "move one with .to()")
            device = found if device is None or found.base is not None else device
    if device.run is not None:
        return device.run(op, arrays, attrs)
    return op.forward(device.xp, *arrays, **attrs)


def record(out, op, tensors, arrays, attrs):
    """A Tensor around the raw result `out`, tied to its inputs by a Node if a gradient may flow."""
    t = _new(Tensor)
    t.data = out
    t.grad = t.node = None
    t.requires_grad = False
    if mode.record and op.differentiable:
        active = tuple([isinstance(x, Tensor) and x.requires_grad for x in tensors])
        if True in active:
            plan = op.plan(active)
            t.requires_grad = True
            t.node = n = _new(Node)
            n.order = tick()
            n.plan = plan
            n.parents = tuple([tensors[i].node or tensors[i] for i in plan.wanted])
            n.saved = plan.save(arrays, out)
            n.attrs = attrs
            n.shape, n.dtype = out.shape, out.dtype
            n.extra = None
            if mode.record == 2:
                note(n, arrays, out)
    return t


def _record_many(outs, op, tensors, arrays, attrs):
    """Tensors around the raw results of an operation with several outputs."""
    results = [Tensor.wrap(out) for out in outs]
    active = tuple([isinstance(x, Tensor) and x.requires_grad for x in tensors])
    if mode.record and op.differentiable and True in active:
        plan = op.plan(active)
        b = _new(Bundle)
        b.order, b.plan, b.attrs, b.extra = tick(), plan, attrs, None
        b.parents = tuple([tensors[i].node or tensors[i] for i in plan.wanted])
        b.saved = plan.save(arrays, tuple(outs))
        b.shape, b.dtype = tuple(o.shape for o in outs), tuple(o.dtype for o in outs)
        if mode.record == 2:
            note(b, arrays, outs)
        for i, t in enumerate(results):
            if t.data.dtype.kind in "fc":
                n = _new(Node)
                n.order, n.plan, n.parents, n.saved, n.attrs = tick(), PICK, (b,), (), {"index": i}
                n.shape, n.dtype, n.extra = t.data.shape, t.data.dtype, None
                t.node, t.requires_grad = n, True
    return tuple(results)


def _unary(op, fast, keep_x, keep_out):
    """The function a user calls for an operation of one input and no keyword parameters."""
    plan = op.plan((True,))
    differentiable = op.differentiable
    again = lambda x: evaluate(op, (x,), {})

    def call(x, /):
        if not isinstance(x, Tensor):
            x = as_tensor(x)
        xd = x.data
        try:
            out = fast(xd) if xd.__class__ is _ndarray else evaluate(op, (xd,), {})
        except Exception as error:
            raise explain(op, (x,), error) from error
        if out.__class__ is not _ndarray or out.dtype is not xd.dtype:
            out = settle(out, (xd,), again)
        t = _new(Tensor)
        t.data = out
        t.grad = None
        if x.requires_grad and differentiable and (level := mode.record):
            t.requires_grad = True
            t.node = n = _new(Node)
            n.order = tick()
            n.plan = plan
            n.parents = (x.node or x,)
            n.saved = (xd if keep_x else None, out if keep_out else None)
            n.attrs = n.extra = None
            n.shape = out.shape
            n.dtype = out.dtype
            if level == 2:
                note(n, (xd,), out)
        else:
            t.requires_grad = False
            t.node = None
        return t
    return call


def _binary(op, fast):
    """The function a user calls for an operation of two inputs and no keyword parameters."""
    both, left, right = (op.plan(active) for active in ((True, True), (True, False), (False, True)))
    (bx, by, bo), (lx, ly, lo), (rx, ry, ro) = ([how == "array" for how in p.keep] for p in (both, left, right))
    differentiable = op.differentiable
    shapes = any("shape" in p.keep for p in (both, left, right))
    again = lambda x, y: evaluate(op, (x, y), {})
    limit = LARGE if isinstance(fast, np.ufunc) else sys.maxsize

    def call(x, y, /):
        if isinstance(x, Tensor):
            xd = ref = x.data
            xr = x.requires_grad
        else:
            if not isinstance(y, Tensor):
                y = as_tensor(y)
            try:
                xd, ref, xr = operand(x, y), y.data, False
            except Exception as error:
                raise explain(op, (x, y), error) from error
        if isinstance(y, Tensor):
            yd = y.data
            yr = y.requires_grad
        else:
            try:
                yd, yr = operand(y, x), False
            except Exception as error:
                raise explain(op, (x, y), error) from error
        try:
            if ref.__class__ is _ndarray:
                out = fast(xd, yd) if ref.size < limit else pairwise(fast, xd, yd)
            else:
                out = evaluate(op, (xd, yd), {})
        except Exception as error:
            raise explain(op, (x, y), error) from error
        if out.__class__ is not _ndarray or out.dtype is not ref.dtype:
            out = settle(out, (xd, yd), again)
        t = _new(Tensor)
        t.data = out
        t.grad = None
        if (xr or yr) and differentiable and (level := mode.record):
            t.requires_grad = True
            t.node = n = _new(Node)
            n.order = tick()
            if xr:
                if yr:
                    n.plan = both
                    n.parents = (x.node or x, y.node or y)
                    n.saved = (xd if bx else None, yd if by else None, out if bo else None)
                else:
                    n.plan = left
                    n.parents = (x.node or x,)
                    n.saved = (xd if lx else None, yd if ly else None, out if lo else None)
            else:
                n.plan = right
                n.parents = (y.node or y,)
                n.saved = (xd if rx else None, yd if ry else None, out if ro else None)
            if shapes:
                n.saved = n.plan.save((xd, yd), out)
            n.attrs = n.extra = None
            n.shape = out.shape
            n.dtype = out.dtype
            if level == 2:
                note(n, (xd, yd), out)
        else:
            t.requires_grad = False
            t.node = None
        return t
    return call


def _single(op):
    """The function a user calls for an operation of one input with keyword parameters."""
    settles, forward, defaults = _settles(op), op.forward, op.forward.__kwdefaults__
    xp, plan, differentiable = device_of(np.empty(0)).xp, op.plan((True,)), op.differentiable
    keep_shape, keep_x, keep_out = plan.keep[0] == "shape", plan.keep[0] == "array", plan.keep[1] is not None

    def call(x, /, **attrs):
        if defaults:
            attrs = {**defaults, **attrs}
        if not isinstance(x, Tensor):
            x = as_tensor(x)
        xd = x.data
        try:
            out = forward(xp, xd, **attrs) if xd.__class__ is _ndarray else evaluate(op, (xd,), attrs)
        except Exception as error:
            raise explain(op, (x,), error, attrs) from error
        if out.__class__ is not _ndarray or out.dtype is not xd.dtype:
            out = settle(out, (xd,), lambda wide: evaluate(op, (wide,), attrs)) if settles else _array(out)
        t = _new(Tensor)
        t.data = out
        t.grad = None
        if x.requires_grad and differentiable and (level := mode.record):
            t.requires_grad = True
            t.node = n = _new(Node)
            n.order = tick()
            n.plan = plan
            n.parents = (x.node or x,)
            n.saved = (xd.shape if keep_shape else xd if keep_x else None, out if keep_out else None)
            n.attrs = attrs
            n.extra = None
            n.shape = out.shape
            n.dtype = out.dtype
            if level == 2:
                note(n, (xd,), out)
        else:
            t.requires_grad = False
            t.node = None
        return t
    return call


def _settles(op):
    """Whether a result takes the promoted dtype of the inputs; an operation that is told its dtype has it already."""
    return op.kind in ("elementwise", "reduce", "contraction", "linalg") and "dtype" not in op.attrs


def _general(op):
    """The function a user calls for any other operation: several inputs, keyword parameters, several outputs."""
    settles = _settles(op)
    defaults, forward, xp = op.forward.__kwdefaults__, op.forward, device_of(np.empty(0)).xp

    def call(*tensors, **attrs):
        if defaults:
            attrs = {**defaults, **attrs}
        arrays = _host_arrays(tensors)
        plain = arrays is not None
        if not plain:
            tensors, arrays = _unwrap(op, tensors)
        try:
            out = forward(xp, *arrays, **attrs) if plain else evaluate(op, arrays, attrs)
        except Exception as error:
            raise explain(op, tensors, error, attrs) from error
        if op.outputs != 1:
            outs = [settle(o, arrays) if settles else _array(o) for o in out]
            return _record_many(outs, op, tensors, arrays, attrs)
        if out.__class__ is not _ndarray or out.dtype is not arrays[0].dtype:
            out = settle(out, arrays, lambda *wide: evaluate(op, wide, attrs)) if settles else _array(out)
        return record(out, op, tensors, arrays, attrs)
    return call


def _host_arrays(tensors):
    """The arrays of Tensors that all live on the CPU (None stays None); None where one is anything else."""
    arrays = []
    for x in tensors:
        if isinstance(x, Tensor):
            x = x.data
            if x.__class__ is not _ndarray:
                return None
        elif x is not None:
            return None
        arrays.append(x)
    return arrays if arrays and arrays[0] is not None else None


def _unwrap(op, tensors):
    like = next((x for x in tensors if isinstance(x, Tensor)), None)
    if like is None:
        like = as_tensor(tensors[0] if tensors else ())
        tensors = (like, *tensors[1:])
    return tensors, [x.data if isinstance(x, Tensor) else operand(x, like) for x in tensors]


def _array(out):
    return np.asarray(out) if isinstance(out, np.generic) else out


class _Probe:
    """Stands for `xp` once, to see whether a forward is just one array function of its inputs."""

    def __getattr__(self, name):
        return lambda *args, **kwargs: (name, args, kwargs)


def _direct(op):
    """The NumPy function that `forward` merely passes its inputs to, else a call of `forward`."""
    xp = device_of(np.empty(0)).xp
    markers = tuple(object() for _ in op.inputs)
    try:
        name, args, kwargs = op.forward(_Probe(), *markers)
        if args == markers and not kwargs and op.forward.__code__.co_names == (name,):
            found = getattr(np, name, None)
            if found is not None:
                return found
    except Exception:
        pass  # the forward computes something with its inputs: call it as it is
    forward = op.forward
    if len(op.inputs) == 1:
        return lambda x: forward(xp, x)
    return lambda x, y: forward(xp, x, y)


def define(op):
    """The callable for an operation; its `primitive` attribute is the operation."""
    plain = not op.attrs and not op.variadic and not op.joint and op.outputs == 1
    reads_shape = any(read.endswith("_shape") for reads in op.keeps.values() for read in reads)
    if plain and not reads_shape and len(op.inputs) == 1:
        keep = op.plan((True,)).keep
        call = _unary(op, _direct(op), keep[0] == "array", keep[1] == "array")
    elif plain and len(op.inputs) == 2:
        call = _binary(op, _direct(op))
    elif len(op.inputs) == 1 and not op.variadic and op.outputs == 1:
        call = _single(op)
    else:
        call = _general(op)
    call.__name__ = call.__qualname__ = op.name
    call.primitive = op
    CALLS[op.name] = call
    return call
