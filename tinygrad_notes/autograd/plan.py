"""What the engine knows of an operation: its rules, what they read, and how they become positional calls."""
from collections.abc import Callable

from ..backend.device import forget
from ..backend.kernels import FORWARDS

PRIMITIVES: dict[str, "Primitive"] = {}  # every operation by name
CALLS: dict[str, Callable] = {}  # the function users call, by name of the operation
KINDS = ("elementwise", "reduce", "view", "gather", "contraction", "linalg", "sort", "random", "opaque")


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
        known = {"xp", "g", "parts", "out", "needs", *self.inputs, *self.attrs, *(f"{i}_shape" for i in self.inputs)}
        if self.variadic:
            known |= {"arrays", "shapes"}
        reads = {}
        for key, rule in [*rules.items(), ("joint", joint)]:
            if rule is not None:
                reads[key] = parameters(rule)
                twice = {"xp", "g", "parts", "out", "needs"} & {*self.inputs, *self.attrs} & set(reads[key])
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

    __slots__ = ("primitive", "active", "keep", "wanted", "parts", "save", "vjp", "_compiled")

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
        self.parts = "parts" in reads  # the rule takes None for the cotangents of outputs that nobody used
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
        scope, lines, slots = {}, [], {"xp": "xp", "g": "g", "parts": "g"}
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
            given = {"xp": xp, "g": g, "parts": g, "arrays": saved[first:-1], "shapes": saved[first:-1],
                     "out": saved[-1], "needs": needs, **node.attrs}
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


# One output of an operation with several, and a Tensor that stands for another: the engine's own links.
PICK = Plan(Primitive("pick", "view", lambda xp, x, *, index: x[index], {"x": lambda g: g}), (True,))
ALIAS = Plan(Primitive("alias", "view", lambda xp, x: x, {"x": lambda g: g}), (True,))
