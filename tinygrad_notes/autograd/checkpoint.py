"""`checkpoint`: keep only the inputs of a piece of the forward pass, and compute the rest again in backward."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from ..backend import Generator, default_generator
from . import engine
from .backward import reach
from .mode import enable_grad, mode
from .node import Bundle, tick
from .plan import PICK, Primitive
from .tensor import Tensor
from .tree import flatten, unflatten

if TYPE_CHECKING:
    from collections.abc import Callable


def checkpoint(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """`fn(*args, **kwargs)`, which keeps nothing of its inside and runs again in the backward pass.

    Memory for time: the saved values of `fn` live only while it runs, forward or again. Gradients of any
    order reach the arguments and every tensor that `fn` closes over (a layer's parameters), and equal those without
    checkpoint: the second run draws the same random numbers from the default generator and from generators
    among the arguments. What else `fn` changes, such as running statistics, it changes twice.

    Args:
        fn: a function (or module) of anything that returns tensors, or nested containers of them.
        *args, **kwargs: its arguments.

    Returns:
        What `fn` returns.

    Raises:
        RuntimeError: in backward, when a tensor that `fn` reads was given other values in between, or the second run
            does other operations than the first.

    Example:
        >>> import tinygrad_notes as tn
        >>> w = tn.tensor([1.0, 2.0], requires_grad=True)
        >>> y = tn.autograd.checkpoint(lambda x: tn.exp(x * w), tn.tensor([0.0, 0.0]))
        >>> y.sum().backward(); w.grad
        tensor([0., 0.])
    """
    if not mode.grad:
        return fn(*args, **kwargs)
    call = _Call(fn, args, kwargs)
    start = tick()
    leaves, structure = flatten(fn(*args, **kwargs))
    call.outputs = tuple([i for i, leaf in enumerate(leaves) if _made_after(leaf, start)])
    ends = _ends([leaves[i].node for i in call.outputs], start)
    if not ends:  # nothing was recorded inside, or it hangs on one output of an operation outside
        return unflatten(structure, leaves)
    arrays = [leaves[i].data for i in call.outputs]
    for i in call.outputs:
        leaves[i] = None  # drops the inner graph, and with it the leaves that the function made itself
    ends = [end() if isinstance(end, ref) else end for end in ends]
    ends = tuple([end for end in ends if end is not None])
    for i, tensor in zip(call.outputs, _outputs(call, arrays, ends)):
        leaves[i] = tensor
    return unflatten(structure, leaves)


class _Call:
    """A function with its arguments and the random state it started from."""

    __slots__ = ("fn", "args", "kwargs", "outputs", "reads", "generators", "states")

    outputs: tuple  # positions of the results that the graph goes on from

    def __init__(self, fn, args, kwargs):
        self.fn, self.args, self.kwargs = fn, args, kwargs
        given = flatten((args, kwargs))[0]
        self.reads = [leaf for leaf in given if isinstance(leaf, Tensor)]
        self.generators = [default_generator, *(leaf for leaf in given if isinstance(leaf, Generator))]
        self.states = [generator.get_state() for generator in self.generators]

    def again(self, node):
        """Run once more, recorded; returns the tracked outputs and the order number of the start."""
        for tensor, array in zip(self.reads, node.saved[1]):
            if tensor.data is not array:
                raise RuntimeError(f"checkpoint of {_name(self.fn)}: a tensor of shape {tensor.shape} that it reads "
                                   "was given other values after the forward pass; call backward() before changing it")
        present = [generator.get_state() for generator in self.generators]
        outer, mode.rule = mode.rule, None
        try:
            for generator, state in zip(self.generators, self.states):
                generator.set_state(state)
            start = tick()
            with enable_grad():
                leaves, _ = flatten(self.fn(*self.args, **self.kwargs))
        finally:
            mode.rule = outer
            for generator, state in zip(self.generators, present):
                generator.set_state(state)
        tracked = [i for i, leaf in enumerate(leaves) if _made_after(leaf, start)]
        shapes = tuple([leaves[i].shape for i in tracked])
        if tuple(tracked) != self.outputs or shapes != node.shape:
            raise RuntimeError(self.differs(f"tracked outputs of shapes {shapes}, the first time {node.shape}"))
        return [leaves[i] for i in tracked], start

    def differs(self, what):
        return f"checkpoint of {_name(self.fn)}: run again, it gave {what}; it must do the same operations each time"


class _Recompute:
    """The plan of a checkpoint's node: its rule runs the function again and pulls the cotangents through."""

    __slots__ = ("primitive", "active", "keep", "wanted")
    parts = False

    def __init__(self, n):
        self.primitive, self.active, self.wanted, self.keep = CHECKPOINT, (True,) * n, tuple(range(n)), ()

    def vjp(self, xp, node, saved, g):
        """The gradients of all ends."""
        return self.vjp_of(self.wanted)(xp, node, saved, g)

    def vjp_of(self, wanted):
        """The rule for some of the ends; None in place of the others."""
        def vjp(xp, node, saved, g):
            recorded = isinstance(g[0], Tensor)
            outputs, start = saved[0].again(node)
            cotangents = g if recorded else [Tensor.wrap(part) for part in g]
            ends = [node.parents[i] for i in wanted]
            targets = {id(end) for end in ends}
            kind = engine.RecordedPass if recorded else engine.Pass
            needed = reach(outputs, targets, since=start)
            done = engine.start(outputs, cotangents, False, kind, needed, targets, borders=True)
            found = {id(leaf): slot[0] for leaf, slot in done.leaves.items()} | done.found
            if targets - set(found):
                raise RuntimeError(saved[0].differs("a result that does not depend on all tensors of the first run"))
            return tuple([found[id(end)] if i in wanted else None for i, end in enumerate(node.parents)])
        return vjp


CHECKPOINT = Primitive("checkpoint", "opaque", lambda xp, *xs: xs, {}, outputs=0)


def _made_after(value, start):
    return isinstance(value, Tensor) and value.node is not None and value.node.order < start


def _ends(roots, start):
    """The leaves (weakly) and nodes older than `start` that the graph reaches; [] if it cannot be cut there."""
    ends, seen, stack = {}, set(), list(roots)
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        for parent in node.parents:
            if not isinstance(parent, Tensor) and parent.order < start:
                stack.append(parent)
            elif isinstance(parent, Bundle):
                return []
            else:
                ends[id(parent)] = ref(parent) if isinstance(parent, Tensor) else parent
    return list(ends.values())


def _outputs(call, arrays, ends):
    """Tensors around the outputs, tied to the ends by one node that keeps nothing but the call."""
    call.reads += [end for end in ends if isinstance(end, Tensor)]
    bundle = Bundle()
    bundle.order, bundle.plan, bundle.parents = tick(), _Recompute(len(ends)), ends
    bundle.attrs = bundle.extra = None
    bundle.saved = (call, tuple([tensor.data for tensor in call.reads]), None)
    bundle.shape, bundle.dtype = tuple([a.shape for a in arrays]), tuple([a.dtype for a in arrays])
    if mode.anomaly:
        engine.anomaly.note(bundle, (), ())
    for index, array in enumerate(arrays):
        tensor = Tensor.wrap(array)
        tensor.node, tensor.requires_grad = engine.link(PICK, bundle, array, {"index": index}), True
        yield tensor


def _name(fn):
    return getattr(fn, "__name__", type(fn).__name__)
