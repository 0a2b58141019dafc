"""The backward pass of a compiled function whose results are differentiated outside of it.

It is recorded together with the function, from cotangents that are inputs of their own. What it reads of the forward
part is returned by the forward program and kept by one node of the graph. Derivatives of derivatives run the function
again, uncompiled.
"""
from ..autograd import engine
from ..autograd.backward import pull
from ..autograd.mode import enable_grad
from ..autograd.node import Bundle, tick
from ..autograd.plan import PICK, Primitive
from ..autograd.tensor import Tensor
from ..autograd.tree import flatten, unflatten
from .build import rebuild
from .program import Program, Value

COMPILED = Primitive("compiled", "opaque", lambda xp, *xs: xs, {}, outputs=0)


class Derivative:
    """Records the backward pass behind a recorded function.

    Fields:
        outputs: numbers of the result's leaves that carry a gradient.
        wanted: where the gradients go: ("argument", number of the leaf) or ("tensor", Tensor).
        forward, backward: programs; the backward one has the kept values and the cotangents as inputs.
        kept: the values that the forward program hands to the backward one.
    """

    def __init__(self):
        self.outputs, self.wanted, self.mark = [], [], None

    def __call__(self, recording, result):
        """Record the pass; what `record` calls when the function has run."""
        recorder = recording.recorder
        leaves, _ = flatten(result)
        ends = [leaf for leaf in leaves if isinstance(leaf, Tensor) and leaf.requires_grad and leaf.node is not None]
        if not ends:
            return
        self.outputs = [k for k, leaf in enumerate(leaves) if any(leaf is end for end in ends)]
        self.results = [leaves[k].data.value for k in self.outputs]
        self.mark = len(recorder.program.instructions)
        self.cotangents = [recorder.source(t.data._host, "input", f"cotangent {k}") for k, t in enumerate(ends)]
        sources = [(("argument", k), t) for k, t in enumerate(recording.arguments) if isinstance(t, Tensor)]
        sources += [(("tensor", t), t) for t in recording.reach.tensors]
        sources = [(what, t) for what, t in sources if t.requires_grad and t.node is None]
        given = [Tensor.wrap(c) for c in self.cotangents]
        found = pull(ends, given, [t for _, t in sources], False, engine.Pass)
        pairs = [(what, g.data.value) for (what, _), g in zip(sources, found) if g is not None]
        self.wanted, self.gradients = [w for w, _ in pairs], [g for _, g in pairs]

    def split(self, program):
        """The forward program, and with it the backward one."""
        before, after = program.instructions[:self.mark], program.instructions[self.mark:]
        made = {v for i in after for v in i.outputs} | {c.value for c in self.cotangents}
        read = [v for i in after for v in i.inputs if isinstance(v, Value)] + self.gradients
        self.kept = [v for v in dict.fromkeys(read) if v not in made and v.role != "constant"]
        self.forward, backward = _part(program, before), _part(program, after)
        backward.states, backward.updates, backward.outputs = [], {}, self.gradients
        given = {v: program.new_value(v.shape, v.dtype, "input", name=v.name) for v in self.kept}
        self.backward = rebuild(backward, lambda *_: None, given)
        self.backward.inputs = [*given.values(), *[c.value for c in self.cotangents]]
        return self.forward


def _part(program, instructions):
    part = Program(program.device)
    vars(part).update(vars(program))
    part.instructions = instructions
    return part


class Plan:
    """The gradient rule of one call of a compiled function."""

    __slots__ = ("primitive", "active", "keep", "wanted", "again", "run")
    parts = False

    def __init__(self, n, run, again):
        self.primitive, self.active, self.keep, self.wanted = COMPILED, (True,) * n, (), tuple(range(n))
        self.run, self.again = run, again

    def vjp(self, xp, node, saved, g):
        """The gradients of everything that the function read."""
        return self.vjp_of(self.wanted)(xp, node, saved, g)

    def vjp_of(self, wanted):
        """The rule for some of the inputs; None in place of the others."""
        def vjp(xp, node, saved, g):
            found = self.again(g) if isinstance(g[0], Tensor) else self.run(saved[0], g)
            return tuple([found[k] if k in wanted else None for k in range(len(node.parents))])
        return vjp


def tie(leaves, derivative, run, again, kept, parents):
    """Make the results part of the graph: one node for the call, one for each result.

    Args:
        leaves: the result's leaves, on plain arrays.
        derivative: what was recorded.
        run: `run(kept, cotangents)` gives the gradients.
        again: the same on Tensors, recorded.
        kept: arrays of the forward program.
        parents: the tensors that the gradients go to.
    """
    bundle = Bundle()
    bundle.order, bundle.plan = tick(), Plan(len(parents), run, again)
    bundle.parents = tuple([t.node if t.node is not None else t for t in parents])
    bundle.saved, bundle.attrs, bundle.extra = (kept, None), None, None
    outs = [leaves[k] for k in derivative.outputs]
    bundle.shape, bundle.dtype = tuple([t.shape for t in outs]), tuple([t.dtype for t in outs])
    for index, tensor in enumerate(outs):
        tensor.node, tensor.requires_grad = engine.link(PICK, bundle, tensor.data, {"index": index}), True
    return leaves


def run_again(fn, args, kwargs, outputs, parents, cotangents):
    """The gradients by running the function once more, uncompiled and recorded for further derivatives."""
    leaves, structure = flatten((args, kwargs))
    with enable_grad():
        result = fn(*unflatten(structure, leaves)[0], **unflatten(structure, leaves)[1])
        ends = flatten(result)[0]
        return pull([ends[k] for k in outputs], list(cotangents), parents, True, engine.RecordedPass)
