"""The backward pass: nodes in the order latest first, each applying its rules to what arrived.

No recursion, no state on the graph but what it frees: cotangents live in the pass. With
`create_graph=True` the same rules run on Tensors and are themselves recorded.
"""
from heapq import heappop, heappush
from sys import getrefcount

import numpy as np

from ..backend import as_device, device_of
from . import anomaly
from .mode import enable_grad, mode, no_grad
from .node import Bundle, Node, tick
from .plan import ALIAS, PICK
from .tensor import Tensor

FREED = ("backward through {0} a second time: its saved values were freed by the first pass. "
         "Give the first backward() or grad() retain_graph=True")
NOTHING = "rule of {0}: returned None for an input that wants a gradient; return zeros if it has none"
CPU = as_device("cpu")
tensor_functions: list = []  # the `xp` of rules that run on Tensors: `ops` puts itself here
_ndarray = np.ndarray


def unbroadcast(xp, g, shape):
    """Sum `g` over the axes along which an input of `shape` was broadcast."""
    extra = len(g.shape) - len(shape)
    if extra > 0:
        g = xp.sum(g, axis=tuple(range(extra)))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    g = xp.sum(g, axis=stretched, keepdims=True) if stretched else g
    if tuple(g.shape) != tuple(shape):
        raise ValueError(f"shape {g.shape} is no broadcast of {shape}")
    return g


class Pass:
    """One backward pass over raw arrays."""

    def __init__(self, retain, needed=None, targets=(), borders=False):
        self.retain = retain
        self.needed = needed   # ids that a cotangent must reach (`backward.Needed`); None: all
        self.targets = targets  # ids of nodes and leaves whose cotangent is wanted
        self.borders = borders  # targets belong to another pass, which runs their hooks on the whole cotangent
        self.found = {}        # id -> cotangent of a target that is a node
        self.leaves = {}       # leaf -> [cotangent, owned, shape, dtype]
        self.pending = {}      # node.order -> [cotangent, owned, node]
        self.heap = []         # the orders in `pending`, latest first

    # The arithmetic that differs between raw arrays and Tensors
    def namespace(self, g):
        return (device_of(g) or CPU).xp  # a NumPy scalar counts as an array of the CPU

    def saved(self, node):
        return node.saved

    def add(self, slot, g):
        """Accumulate; in place once this pass owns the sum."""
        if slot[1]:
            slot[0] += g
        else:
            slot[0] = slot[0] + g
            slot[1] = slot[0].__class__ is _ndarray

    def zeros(self, shape, dtype, like):
        return (device_of(like) or CPU).xp.zeros(shape, dtype=dtype)

    # Handing cotangents on
    def give(self, node, g):
        """Hand a cotangent to a node that is not next in line."""
        slot = self.pending.get(node.order)
        if slot is None:
            self.pending[node.order] = [g, False, node]
            heappush(self.heap, node.order)
        else:
            self.add(slot, g)

    def give_leaf(self, leaf, xp, g, source):
        """Hand a cotangent to a leaf."""
        slot = self.leaves.get(leaf)
        if slot is None:
            slot = self.leaves[leaf] = [None, False, leaf.data.shape, leaf.data.dtype]
        if g.shape != slot[2] or g.dtype is not slot[3]:
            g = self.fit(source, xp, g, slot[2], slot[3])
        if slot[0] is None:
            slot[0] = g
        else:
            self.add(slot, g)

    def give_part(self, bundle, index, g):
        """Hand the cotangent of one output to an operation with several."""
        slot = self.pending.get(bundle.order)
        if slot is None:
            slot = self.pending[bundle.order] = [[None] * len(bundle.shape), False, bundle]
            heappush(self.heap, bundle.order)
        parts = slot[0]
        parts[index] = g if parts[index] is None else parts[index] + g

    def run(self):
        """Visit nodes latest first until none is left."""
        heap, pending, needed = self.heap, self.pending, self.needed
        raw, retain, special = self.__class__ is Pass, self.retain, bool(self.targets)
        watch = anomaly.Watch(self) if mode.anomaly else mode.tape.watch(self) if mode.tape is not None else \
            mode.rules(self) if mode.rules is not None else None
        xp = cpu = CPU.xp
        while heap:
            g, _, node = pending.pop(heappop(heap))
            while node is not None:  # along a chain the next node is at hand, without the heap
                if node.extra is not None or special:
                    g = self.visit(node, g)
                    if g is None:
                        break
                plan, following = node.plan, None
                if node.saved is None:
                    raise RuntimeError(FREED.format(node.name))
                if plan is PICK:
                    if needed is None or id(node.parents[0]) in needed:
                        self.give_part(node.parents[0], node.attrs["index"], g)
                    if watch is not None:
                        watch.picked(node)
                    break
                if node.__class__ is not Node:
                    xp = self.namespace(next(part for part in g if part is not None))
                    g = tuple(g) if plan.parts else self.fill(node, g)
                else:
                    xp = cpu if raw and g.__class__ is _ndarray else self.namespace(g)
                vjp = plan.vjp if needed is None else self.narrowed(node)
                try:
                    if watch is None:
                        gradients = vjp(xp, node, node.saved if raw else self.saved(node), g)
                    else:
                        gradients = watch.apply(vjp, xp, node, g)
                except Exception as error:
                    error.add_note(f"in the gradient rule of {node.name}, output shape {node.shape}")
                    raise
                parents = node.parents
                if not retain:
                    node.saved = None
                    node.parents = ()
                if needed is None and len(parents) == 1 and parents[0].__class__ is Node:
                    following, g = parents[0], gradients[0]  # the same as the loop below, for the common case
                    if g is None:
                        raise RuntimeError(NOTHING.format(node.name))
                    if g.shape != following.shape or g.dtype is not following.dtype:
                        g = self.fit(node, xp, g, following.shape, following.dtype)
                else:
                    for parent, gx in zip(parents, gradients):
                        if gx is None:
                            if needed is None or id(parent) in needed:
                                raise RuntimeError(NOTHING.format(node.name))
                        elif parent.__class__ is not Node:
                            self.give_leaf(parent, xp, gx, node)
                        else:
                            if gx.shape != parent.shape or gx.dtype is not parent.dtype:
                                gx = self.fit(node, xp, gx, parent.shape, parent.dtype)
                            if parent is following:
                                g = g + gx
                            elif following is None and parent.order not in pending:
                                following, g = parent, gx
                            else:
                                self.give(parent, gx)
                if following is not None and heap and heap[0] <= following.order:
                    self.give(following, g)
                    break
                node = following
        return self

    def narrowed(self, node):
        """The rules of a node for those parents alone from which a target can be reached."""
        plan = node.plan
        return plan.vjp_of(tuple([i for i, p in zip(plan.wanted, node.parents) if id(p) in self.needed]))

    def fit(self, node, xp, gx, shape, dtype):
        """The one place where broadcasting is undone, and where a gradient takes the dtype of its input."""
        if gx.shape != shape:
            try:
                gx = unbroadcast(xp, gx, shape)
            except Exception as error:
                raise RuntimeError(f"rule of {node.name}: gave a gradient of shape {gx.shape} for an input of shape "
                                   f"{shape}") from error
        if gx.dtype == dtype:
            return gx
        if gx.dtype.kind == "c":
            raise NotImplementedError(f"gradient of {node.name}: complex numbers on the way from {dtype} carry no "
                                      "gradient; compute with real and imaginary part, or detach()")
        return xp.astype(gx, dtype)

    def fill(self, bundle, parts):
        """The cotangents of all outputs, zeros for those that nothing was computed from."""
        like = next(p for p in parts if p is not None)
        return tuple([self.zeros(s, d, like) if p is None else p
                      for p, s, d in zip(parts, bundle.shape, bundle.dtype)])

    def visit(self, node, g):
        """Run hooks, keep the gradient where it was asked for; None if nothing behind the node is wanted."""
        if self.borders and id(node) in self.targets:
            self.found[id(node)] = g
            return None
        extra = node.extra or {}
        for hook in list(extra.get("hooks", {}).values()):
            g = self.call_hook(hook, g)
        retain = extra.get("retain")
        tensor = retain() if retain else None
        if tensor is not None:
            store(tensor, self.as_gradient(g))
        if self.targets:
            if id(node) in self.targets:
                self.found[id(node)] = g
            if id(node) not in self.needed.inner:
                return None
        return g

    def call_hook(self, hook, g):
        with no_grad():
            result = hook(self.as_gradient(g))
        return g if result is None else self.replaced(hook, g, result).data

    @staticmethod
    def replaced(hook, g, result):
        """What a hook returned in place of `g`, if it may stand there."""
        if not isinstance(result, Tensor):
            raise TypeError(f"hook {_name(hook)}: expected a Tensor or None, returned {type(result).__name__}")
        if tuple(result.shape) != tuple(g.shape):
            raise ValueError(f"hook {_name(hook)}: expected a gradient of shape {tuple(g.shape)}, returned one of "
                             f"{result.shape}")
        return result if result.dtype == g.dtype else result.astype(g.dtype)

    def as_gradient(self, g):
        """A cotangent as a Tensor of its own memory."""
        return Tensor.wrap(g.copy() if device_of(g) else np.asarray(g))

    def leaf_gradients(self):
        """Yield (leaf, gradient Tensor), in the order in which the leaves were reached; empties the pass."""
        while self.leaves:
            leaf = next(iter(self.leaves))
            g = self.leaves.pop(leaf)[0]
            hooks = getattr(leaf, "_hooks", None)
            if hooks is not None:
                for hook in list(hooks.gradient.values()):
                    g = self.call_hook(hook, g)
            if mode.anomaly:
                anomaly.check_leaf(leaf, g)
            # Two references mean that only this function holds the array: no copy is needed.
            owned = g.__class__ is _ndarray and getrefcount(g) == 2 and (g.base is None or _whole(g))
            yield leaf, (Tensor.wrap(g) if owned else self.as_gradient(g))


def _whole(g):
    """Whether a view shows (nearly) all of an array that nobody else looks at, such as a transposed result."""
    return g.base.__class__ is _ndarray and g.base.nbytes <= g.nbytes + 64 and getrefcount(g.base) == 2


class RecordedPass(Pass):
    """The same pass over Tensors: everything it computes can be differentiated again."""

    def namespace(self, g):
        return tensor_functions[0]

    def saved(self, node):
        """What the rules read, as Tensors tied to the graph where they came from it."""
        parents = dict(zip(node.plan.wanted, node.parents))
        last = len(node.saved) - 1
        return tuple([self.tie(array, node if i == last else parents.get(i)) for i, array in enumerate(node.saved)])

    def tie(self, array, source):
        if isinstance(source, Bundle):
            return tuple([self.tie_part(source, i, a) for i, a in enumerate(array)]) if array is not None else None
        if device_of(array) is None:
            return array  # None, a shape, or a Python number
        if isinstance(source, Tensor) and source.data is array:
            return source
        tensor = Tensor.wrap(array)
        if isinstance(source, Tensor):  # the leaf has been given other values since: these are the ones used
            tensor.node, tensor.requires_grad = link(ALIAS, source, array, {}), True
        elif source is not None:
            tensor.node, tensor.requires_grad = source, True
        return tensor

    def tie_part(self, bundle, index, array):
        tensor = Tensor.wrap(array)
        if array.dtype.kind in "fc":
            tensor.node, tensor.requires_grad = link(PICK, bundle, array, {"index": index}), True
        return tensor

    def add(self, slot, g):
        slot[0] = slot[0] + g

    def zeros(self, shape, dtype, like):
        return Tensor.wrap(device_of(like.data).xp.zeros(shape, dtype=dtype))

    def call_hook(self, hook, g):
        result = hook(g)
        return g if result is None else self.replaced(hook, g, result)

    def as_gradient(self, g):
        return g


class LinearPass(RecordedPass):
    """Records the pass as a linear function of the cotangents alone: what forward mode transposes."""

    def tie(self, array, source):
        if isinstance(source, Bundle):
            return None if array is None else tuple([Tensor.wrap(part) for part in array])
        return array if device_of(array) is None else Tensor.wrap(array)


def link(plan, parent, array, attrs):
    """A node that passes a cotangent on to `parent`."""
    n = Node()
    n.order, n.plan, n.parents, n.saved, n.attrs = tick(), plan, (parent,), (), attrs
    n.shape, n.dtype, n.extra = array.shape, array.dtype, None
    return n


def _name(hook):
    return getattr(hook, "__name__", type(hook).__name__)


def store(tensor, gradient):
    """Add a gradient Tensor to `tensor.grad`; never changes an array that somebody may hold."""
    if tensor.grad is None:
        tensor.grad = gradient
    else:
        tensor.grad = tensor.grad + gradient


def own(gradient):
    """A recorded gradient in memory of its own, so that nobody who writes to it changes the graph."""
    copied = Tensor.wrap(gradient.data.copy())
    if gradient.requires_grad:
        copied.node, copied.requires_grad = link(ALIAS, gradient.node or gradient, copied.data, {}), True
    return copied


def start(outputs, cotangents, retain, kind=Pass, needed=None, targets=(), borders=False):
    """Run one pass of a `kind` from `outputs` with their cotangents (Tensors) and return it."""
    this = kind(retain or kind is not Pass, needed, targets, borders)
    if kind is Pass:
        for output, g in zip(outputs, cotangents):
            give_root(this, output, g.data)
        return this.run()
    with enable_grad():
        for output, g in zip(outputs, cotangents):
            give_root(this, output, g)
        return this.run()


def give_root(this, output, g):
    if output.node is not None:
        this.give(output.node, g)
    elif this.needed is None or id(output) in this.needed:
        this.give_leaf(output, this.namespace(g), g, None)
