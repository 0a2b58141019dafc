"""Operations: a forward function on raw arrays, and one gradient rule per input, side by side.

    multiply = elementwise("multiply", lambda xp, x, y: xp.multiply(x, y),
                           x=lambda g, y: g * y,
                           y=lambda g, x: g * x)

A rule's parameter names say what it reads: `xp` (the array functions), `g` (the cotangent), an input
by its name, `<input>_shape` (its shape alone), `out`, or a keyword parameter of the operation.
The graph keeps exactly that. In a plain backward pass `xp` computes on raw arrays; with
`create_graph=True` it is `tinygrad_notes.ops` and everything is a Tensor: one rule, every order.
"""
import numpy as np

from ..backend import device_of
from ..backend.device import forget
from ..backend.dtypes import default_float, float64
from ..backend.kernels import FORWARDS
from .anomaly import note
from .errors import explain
from .mode import mode
from .node import Bundle, Node, tick
from .tensor import Tensor, as_tensor, to_array

PRIMITIVES = {}  # every operation by name
CALLS = {}       # the function users call, by name of the operation
KINDS = ("elementwise", "reduce", "view", "gather", "contraction", "linalg", "sort", "random", "opaque")

_ndarray, _asarray = np.ndarray, np.asarray
_new = object.__new__
_SCALARS = frozenset((bool, int, float, complex))


class Primitive:
    """What the engine knows of one operation.

    Fields:
        name: unique name.
        kind: what kind of mathematics it is (one of KINDS); the fuser and the drawing read it.
        forward: `forward(xp, *arrays, **attrs)`.
        inputs, attrs: the names of its array inputs and keyword parameters.
        rules: {input: rule}; an input without a rule has no gradient and says so when one is asked for.
        joint: one rule that returns the gradients of all inputs, or None.
        differentiable: False for operations whose output carries no gradient (comparisons, argmax).
    """

    __slots__ = ("name", "kind", "forward", "inputs", "attrs", "variadic", "rules", "joint", "differentiable",
                 "keeps", "outputs", "source", "_plans")

    def __init__(self, name, kind, forward, rules, joint=None, differentiable=True, outputs=1):
        if name in PRIMITIVES:
            if _of_package(forward) or _of_package(PRIMITIVES[name].forward):
                raise ValueError(f"operation {name!r} is already defined; choose another name")
            forget(name)  # a user defines an operation anew, as when a notebook cell runs twice
        if kind not in KINDS:
            raise ValueError(f"operation {name!r}: kind {kind!r} is none of {', '.join(KINDS)}")
        for part in (forward, *rules.values(), joint):
            if part is not None and not hasattr(part, "__code__"):
                raise TypeError(f"operation {name!r}: its forward and rules are plain functions, whose parameters have "
                                f"names; got {part!r}. Write lambda xp, x: ...")
        code = forward.__code__
        self.name, self.kind, self.forward = name, kind, forward
        self.inputs = code.co_varnames[1:code.co_argcount]
        self.attrs = code.co_varnames[code.co_argcount:code.co_argcount + code.co_kwonlyargcount]
        self.variadic = bool(code.co_flags & 0x04)
        unknown = set(rules) - set(self.inputs)
        if unknown:
            raise ValueError(f"operation {name!r}: rules for {sorted(unknown)}, but its inputs are {self.inputs}")
        self.rules, self.joint, self.differentiable, self.outputs = rules, joint, differentiable, outputs
        self._plans = {}
        known = {"xp", "g", "out", "needs", *self.inputs, *self.attrs, *(f"{i}_shape" for i in self.inputs)}
        if self.variadic:
            known |= {"arrays", "shapes"}
        reads = {}
        for key, rule in [*rules.items(), ("joint", joint)]:
            if rule is not None:
                reads[key] = parameters(rule)
                twice = {"xp", "g", "out", "needs"} & {*self.inputs, *self.attrs} & set(reads[key])
                if twice:
                    raise ValueError(f"operation {name!r}, rule {key!r}: {sorted(twice)} means another thing in rules; "
                                     "name that parameter of the operation otherwise")
                if not set(reads[key]) <= known:
                    raise ValueError(f"operation {name!r}, rule {key!r}: reads {sorted(set(reads[key]) - known)}, "
                                     f"but may read {sorted(known)}")
        self.keeps = reads
        PRIMITIVES[name] = self
        FORWARDS[name] = forward

    def plan(self, active):
        """The `Plan` for a tuple of booleans: which inputs want a gradient."""
        found = self._plans.get(active)
        if found is None:
            found = self._plans[active] = Plan(self, active)
        return found

    def __repr__(self):
        return f"<operation {self.name}({', '.join(self.inputs)})>"


def _of_package(function):
    return (function.__module__ or "").startswith("tinygrad_notes.")


def parameters(function):
    """The names of a function's parameters, positional and keyword-only."""
    code = function.__code__
    return code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]


class Plan:
    """How one operation, with a given set of inputs that want gradients, saves and differentiates.

    `keep` says per input (and last for the output) what the graph holds: "array", "shape" or None.
    `vjp(xp, node, saved, g)` returns the gradients of the active inputs, in order.
    """

    __slots__ = ("primitive", "active", "keep", "wanted", "save", "vjp", "_compiled")

    def __init__(self, primitive, active):
        self.primitive, self.active = primitive, active
        self.wanted = tuple(i for i, on in enumerate(active) if on)
        self._compiled = {}
        reads = self._reads()
        keep = ["array" if n in reads else "shape" if f"{n}_shape" in reads else None for n in primitive.inputs]
        if primitive.variadic:
            one = "array" if "arrays" in reads else "shape" if "shapes" in reads else None
            keep += [one] * (len(active) - len(keep))
        self.keep = (*keep, "array" if "out" in reads else None)
        self.save = self._first_save
        self.vjp = self._first_vjp

    def _first_vjp(self, xp, node, saved, g):
        """Stands for `vjp` until the first backward pass compiles it."""
        self.vjp = self.vjp_of(self.wanted)
        return self.vjp(xp, node, saved, g)

    def _reads(self):
        op = self.primitive
        keys = ["joint"] if op.joint or op.variadic else [op.inputs[i] for i in self.wanted]
        return {read for key in keys for read in op.keeps.get(key, ())}

    def _first_save(self, arrays, out):
        """Stands for `save`, the tuple of what the rules read, until the first call compiles it."""
        forms = {None: "None", "array": "{0}", "shape": 'getattr({0}, "shape", ())'}
        parts = [forms[how].format(f"arrays[{i}]") for i, how in enumerate(self.keep[:-1])]
        self.save = eval(f"lambda arrays, out: ({', '.join([*parts, forms[self.keep[-1]].format('out')])},)")
        return self.save(arrays, out)

    def vjp_of(self, wanted):
        """The compiled rule for some of the active inputs (their positions); None in place of the others."""
        found = self._compiled.get(wanted)
        if found is None:
            compile_rule = self._variadic if self.primitive.variadic else self._positional
            found = self._compiled[wanted] = compile_rule(wanted)
        return found

    def _positional(self, wanted):
        """One Python function that calls each rule with the arguments it names, read from `saved`."""
        op = self.primitive
        scope, lines, slots = {}, [], {"xp": "xp", "g": "g"}
        for i, name in enumerate((*op.inputs, "out")):
            slots[name] = f"saved[{i}]"
            slots[f"{name}_shape"] = f"saved[{i}]" if self.keep[i] == "shape" else f"saved[{i}].shape"
        slots.update({name: f"attrs[{name!r}]" for name in op.attrs})
        if op.joint:
            scope["rule"] = op.joint
            slots["needs"] = repr(tuple(i in wanted for i in range(len(self.active))))
            scope["checked"], n = lambda every: _one_per_input(op, every, len(op.inputs)), len(op.inputs)
            lines.append(f"every = rule({_arguments(op.joint, slots)})")
            lines.append(f"if every.__class__ is not tuple or len(every) != {n}: every = checked(every)")
        results = []
        for i in self.wanted:
            name = op.inputs[i]
            if i not in wanted:
                results.append("None")
            elif op.joint:
                results.append(f"every[{i}]")
            elif name in op.rules:
                scope[f"rule_{name}"] = op.rules[name]
                results.append(f"rule_{name}({_arguments(op.rules[name], slots)})")
            else:
                raise NotImplementedError(f"operation {op.name!r} has no gradient rule for its input {name!r}")
        if op.attrs:
            lines.insert(0, "attrs = node.attrs")
        body = "\n    ".join([*lines, f"return ({', '.join(results)},)"])
        exec(f"def vjp(xp, node, saved, g):\n    {body}", scope)
        return scope["vjp"]

    def _variadic(self, wanted):
        """The same for an operation of any number of inputs, whose one rule returns all gradients."""
        rule, positions = self.primitive.joint, self.wanted
        if rule is None:
            raise NotImplementedError(f"operation {self.primitive.name!r} has no gradient rule")
        reads = parameters(rule)
        needs = tuple(i in wanted for i in range(len(self.active)))

        named = list(enumerate(self.primitive.inputs))
        first = len(named)

        def vjp(xp, node, saved, g):
            given = {"xp": xp, "g": g, "arrays": saved[first:-1], "shapes": saved[first:-1], "out": saved[-1],
                     "needs": needs, **node.attrs}
            for i, name in named:
                given[name] = given[f"{name}_shape"] = saved[i]
            gradients = _one_per_input(self.primitive, rule(**{name: given[name] for name in reads}), len(needs))
            return tuple([gradients[i] if needs[i] else None for i in positions])
        return vjp


def _one_per_input(op, gradients, n):
    if not isinstance(gradients, (tuple, list)) or len(gradients) != n:
        given = f"{len(gradients)}" if isinstance(gradients, (tuple, list)) else type(gradients).__name__
        raise RuntimeError(f"rule of {op.name}: expected a tuple of {n} gradients, one per input, got {given}")
    return gradients


def _arguments(rule, slots):
    code = rule.__code__
    names = parameters(rule)
    positional = names[:code.co_argcount]
    return ", ".join([slots[n] for n in positional] + [f"{n}={slots[n]}" for n in names[code.co_argcount:]])


# Calling ------------------------------------------------------------------------
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
        if found is not None:
            if device is not None and found is not device:
                raise TypeError(f"{op.name}: inputs live on different devices, {device} and {found}; "
                                "move one with .to()")
            device = found
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
            if t.data.dtype.kind == "f":
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
            out = fast(xd, yd) if ref.__class__ is _ndarray else evaluate(op, (xd, yd), {})
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


def _general(op):
    """The function a user calls for any other operation: several inputs, keyword parameters, several outputs."""
    # An operation that is told its dtype has it already.
    settles = op.kind in ("elementwise", "reduce", "contraction", "linalg") and "dtype" not in op.attrs
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
    else:
        call = _general(op)
    call.__name__ = call.__qualname__ = op.name
    call.primitive = op
    CALLS[op.name] = call
    return call


# The forms of registration --------------------------------------------------------
def primitive(name, forward, *, kind="opaque", differentiable=True, outputs=1, doc=None, **rules):
    """Define an operation: its forward function and a gradient rule per input.

    Args:
        name: unique name; one of your own may be defined again, one of the package's may not.
        forward: `lambda xp, x, ..., *, attr, ...` on raw arrays.
        kind: what kind of mathematics, one of `KINDS`.
        differentiable: False if the output carries no gradient by nature (a comparison, an index).
        outputs: number of outputs, 1 or more (0: as many as the forward returns).
        doc: docstring of the returned function.
        **rules: per input name, `lambda` of any of `xp g out <inputs> <input>_shape <attrs>`.

    Returns:
        The function users call.

    Raises:
        ValueError: the name is taken, or a rule names an input or reads a name that does not exist.
        TypeError: the forward or a rule is not a plain function.

    Example:
        >>> import tinygrad_notes as tn
        >>> cube = tn.autograd.primitive("doc_cube", lambda xp, x: x * x * x, kind="elementwise",
        ...                              x=lambda g, x: g * 3 * x * x)
        >>> x = tn.tensor(2.0, requires_grad=True)
        >>> cube(x).backward(); x.grad
        tensor(12.)
    """
    call = define(Primitive(name, kind, forward, rules, None, differentiable, outputs))
    call.__doc__ = doc
    return call


def elementwise(name, forward, *, differentiable=True, doc=None, **rules):
    """`primitive` for a function of each element: inputs broadcast, the engine sums gradients back."""
    return primitive(name, forward, kind="elementwise", differentiable=differentiable, doc=doc, **rules)


def joint(name, forward, rule, *, kind="opaque", outputs=1, doc=None):
    """`primitive` whose gradients share work: `rule` returns those of all inputs as a tuple.

    `rule` may read `needs`, a tuple of booleans, to skip what nobody asked for. A variadic forward
    (`lambda xp, *xs`) reads `arrays` or `shapes`, tuples over its inputs.
    """
    call = define(Primitive(name, kind, forward, {}, rule, True, outputs))
    call.__doc__ = doc
    return call


def adjoint(name, forward, transpose_name, transpose, *, kind="view", transpose_kind=None):
    """A linear map and its transpose, each the other's gradient rule. Returns both functions.

    `forward(xp, x, *index, **attrs)` and `transpose(xp, y, *index, **attrs, shape)` share their integer
    inputs and keyword parameters; `shape` is the shape of `x`.
    """
    code = forward.__code__
    index = code.co_varnames[2:code.co_argcount]
    attrs = code.co_varnames[code.co_argcount:code.co_argcount + code.co_kwonlyargcount]
    reads = "".join(f", {name}" for name in (*index, *attrs))
    passes = "".join([*(f", {name}" for name in index), *(f", {a}={a}" for a in attrs)])
    down = f"lambda xp, g, x_shape{reads}: xp.{transpose_name}(g{passes}, shape=x_shape)"
    up = f"lambda xp, g{reads}: xp.{name}(g{passes})"
    return (primitive(name, forward, kind=kind, x=eval(down)),
            primitive(transpose_name, transpose, kind=transpose_kind or kind, y=eval(up)))


def trilinear(name, forward, dx_name, dx, dw_name, dw, *, kind="contraction"):
    """A map linear in both inputs, and its two gradients, each a gradient of the others. Returns the three.

    `forward(xp, x, w, **attrs)`; `dx(xp, y, w, **attrs, shape)` with the shape of `x`;
    `dw(xp, x, y, **attrs, shape)` with the shape of `w`; `y` stands for the cotangent or output.
    """
    code = forward.__code__
    attrs = code.co_varnames[code.co_argcount:code.co_argcount + code.co_kwonlyargcount]
    reads = "".join(f", {a}" for a in attrs)
    passes = "".join(f", {a}={a}" for a in attrs)
    to_x = f"xp.{dx_name}({{}}, {{}}{passes}, shape={{}})"
    to_w = f"xp.{dw_name}({{}}, {{}}{passes}, shape={{}})"
    to_y = f"xp.{name}({{}}, {{}}{passes})"
    def rule(names, body):
        return eval(f"lambda xp, g, {names}{reads}: {body}")
    return (
        primitive(name, forward, kind=kind, x=rule("w, x_shape", to_x.format("g", "w", "x_shape")),
                  w=rule("x, w_shape", to_w.format("x", "g", "w_shape"))),
        primitive(dx_name, dx, kind=kind, y=rule("w", to_y.format("g", "w")),
                  w=rule("y, w_shape", to_w.format("g", "y", "w_shape"))),
        primitive(dw_name, dw, kind=kind, x=rule("y, x_shape", to_x.format("y", "g", "x_shape")),
                  y=rule("x", to_y.format("x", "g"))),
    )


# One output of an operation with several, and a Tensor that stands for another: the engine's own links.
PICK = Plan(Primitive("pick", "view", lambda xp, x, *, index: x[index], {"x": lambda g: g}), (True,))
ALIAS = Plan(Primitive("alias", "view", lambda xp, x: x, {"x": lambda g: g}), (True,))
