"""One call of a function on fresh inputs, and the passes back through it: what every transform is made of."""
import functools

from . import engine
from .backward import pull, reach
from .mode import enable_grad, mode
from .plan import ALIAS
from .tensor import Tensor, as_tensor
from .tree import flatten, flatten_as, tree_map, unflatten


class Run:
    """One call of a function on fresh inputs, and the passes back through it.

    Fields:
        fresh: the tensors that stand for the leaves of the differentiated arguments.
        outs, structure: the leaves of the output as Tensors, and its structure.
        aux: what else the function returned.
        outer: whether derivatives of this run are recorded themselves.
        alone: whether the fresh inputs are all that a cotangent can reach.
    """

    def __init__(self, what, fn, args, kwargs, argnums, has_aux):
        recording = mode.grad
        self.single = not isinstance(argnums, tuple)
        args, self.fresh, self.places, originals = list(args), [], [], []
        for position in _positions(what, argnums, len(args)):
            leaves, structure = flatten(args[position])
            leaves = [_floating(what, position, path, leaf) for path, leaf in zip(structure.paths(), leaves)]
            fresh = [_cut(leaf, recording) for leaf in leaves]
            args[position] = unflatten(structure, fresh)
            self.places.append((structure, len(fresh)))
            self.fresh += fresh
            originals += leaves
        with enable_grad():
            result = fn(*args, **kwargs)
        self.aux = None
        if has_aux:
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError(f"{what}: with has_aux=True the function must return a pair (output, rest), it "
                                f"returned {describe(result)}")
            result, self.aux = result
        outs, self.structure = flatten(result)
        self.outs = [as_tensor(out) for out in outs]
        others, tracked = self._reads_others(), recording and any(t.requires_grad for t in originals)
        self.outer = tracked or recording and others
        self.alone = not others and not tracked
        self.needed = None
        if not self.outer:
            self.aux = tree_map(_detached, self.aux)

    def _reads_others(self):
        """Whether the outputs depend on a tracked leaf that is not one of the fresh inputs."""
        ends = {id(t.node or t) for t in self.fresh}
        stack = [t.node or t for t in self.outs if t.requires_grad]
        seen = set()
        while stack:
            end = stack.pop()
            if id(end) not in seen and id(end) not in ends:
                if isinstance(end, Tensor):
                    return True
                seen.add(id(end))
                stack.extend(end.parents)
        return False

    def number(self, what):
        """The only output, which must have one element."""
        if len(self.outs) != 1 or self.structure.kind is not None or self.outs[0].size != 1:
            shapes = ", ".join(str(t.shape) for t in self.outs)
            raise TypeError(f"{what}: the function must return a Tensor of one element, it returned shape "
                            f"{shapes or None}; reduce it with .sum(), or use tn.jacobian or tn.vjp")
        return self.outs[0]

    def output(self):
        """What the function returned, tracked only if derivatives are."""
        return unflatten(self.structure, self.outs if self.outer else [t.detach() for t in self.outs])

    def arguments(self, leaves):
        """Gradients of the fresh inputs in the structure of the arguments; None becomes zeros."""
        leaves = [_zeros(t) if g is None else g for t, g in zip(self.fresh, leaves)]
        trees = []
        for structure, size in self.places:
            trees.append(unflatten(structure, leaves[:size]))
            leaves = leaves[size:]
        return trees[0] if self.single else tuple(trees)

    def pull(self, cotangents, retain, outs=None):
        """The gradients of the fresh inputs for these cotangents of the outputs (None: not used)."""
        pairs = [(out, g) for out, g in zip(outs or self.outs, cotangents) if out.requires_grad]
        if not pairs:
            return [None] * len(self.fresh)
        outs, cotangents = zip(*pairs)
        kind = self._kind(cotangents)
        if self.alone:
            return _pull_all(outs, cotangents, self.fresh, retain, kind)
        if self.needed is None:
            self.needed = reach(self.outs, {id(t.node or t) for t in self.fresh})
        return pull(outs, cotangents, self.fresh, retain, kind, self.needed)

    def _kind(self, given):
        """The kind of pass: recorded if this run is, or what it is applied to."""
        recorded = mode.grad and (self.outer or any(g.requires_grad for g in given))
        return engine.RecordedPass if recorded else engine.Pass

    def linearize(self, directions=()):
        """The function that maps tangents of the fresh inputs to tangents of the outputs.

        The gradient is linear in the cotangent u of the outputs: its own gradient with respect to u is J v.
        """
        kind = engine.RecordedPass if self._kind(directions) is engine.RecordedPass else engine.LinearPass
        used = [i for i, out in enumerate(self.outs) if out.requires_grad]
        starts = [ones(self.outs[i]).requires_grad_() for i in used]
        gradients = [None] * len(self.fresh)
        if used:
            gradients = pull([self.outs[i] for i in used], starts, self.fresh, True, kind)
        tracked = [g is not None and g.requires_grad for g in gradients]
        needed = None
        if kind is engine.RecordedPass:
            needed = reach([g for g, on in zip(gradients, tracked) if on], {id(u) for u in starts})

        def push(tangents):
            pairs = [(g, v) for g, v, on in zip(gradients, tangents, tracked) if on and v is not None]
            found = [None] * len(self.outs)
            if pairs:
                ends, given = zip(*pairs)
                way = _pull_all if needed is None else functools.partial(pull, needed=needed)
                for i, tangent in zip(used, way(ends, given, starts, True, self._kind(given))):
                    found[i] = tangent
            return [_zeros(out) if t is None else t for out, t in zip(self.outs, found)]
        return push

    def prefers_forward(self):
        """A product J v costs about as much as a row, and there are as many as inputs, but the start costs more."""
        return 2 * sum(t.size for t in self.fresh) < sum(t.size for t in self.outs)

    def rows_of_jacobian(self):
        """Per output leaf, the derivatives with respect to each fresh input: one backward pass per element."""
        for out in self.outs:
            rows = [self.pull([unit], True, [out]) for unit in _basis(out)] if out.requires_grad else []
            yield [_stack([row[k] for row in rows], x, 0, (*out.shape, *x.shape)) for k, x in enumerate(self.fresh)]

    def columns_of_jacobian(self):
        """The same by one product with the Jacobian per element of the inputs."""
        push, blocks = self.linearize(), []
        for k, x in enumerate(self.fresh):
            columns = [push([unit if i == k else None for i in range(len(self.fresh))]) for unit in _basis(x)]
            blocks.append([_stack([column[j] for column in columns], out, -1, (*out.shape, *x.shape))
                           for j, out in enumerate(self.outs)])
        return [[block[j] for block in blocks] for j in range(len(self.outs))]


def _pull_all(outs, cotangents, leaves, retain, kind):
    """`pull` for leaves that are all there is to reach."""
    found = dict(engine.start(outs, cotangents, retain, kind).leaf_gradients())
    return [found.get(leaf) for leaf in leaves]


def _stack(parts, like, axis, shape):
    """Parts of the shape of `like` side by side, in the given shape; None stands for zeros."""
    if all(part is None for part in parts):
        return Tensor.wrap(like.device.xp.zeros(shape, dtype=like.dtype))
    ops = engine.tensor_functions[0]
    return ops.reshape(ops.stack([_zeros(like) if part is None else part for part in parts], axis=axis), shape)


def describe(value):
    """What a value is, for a message."""
    return f"a Tensor of shape {value.shape}" if isinstance(value, Tensor) else type(value).__name__


def _positions(what, argnums, n):
    positions = argnums if isinstance(argnums, tuple) else (argnums,)
    for position in positions:
        if isinstance(position, bool) or not isinstance(position, int):
            raise TypeError(f"{what}: argnums is an int or a tuple of ints, got {argnums!r}")
        if not -n <= position < n:
            raise ValueError(f"{what}: argnums {argnums} names argument {position}, but {n} positional arguments "
                             "were given")
    return [position % n for position in positions]


def _floating(what, position, path, leaf):
    try:
        tensor = as_tensor(leaf)
        given = f"of dtype {tensor.dtype}"
    except TypeError:
        tensor, given = None, type(leaf).__name__
    if tensor is None or tensor.dtype.kind != "f":
        raise TypeError(f"{what}: argument {position}{path} is {given}; only floating dtypes have gradients. Leave it "
                        "out of argnums, or let the function close over it")
    return tensor


def _cut(tensor, recording):
    """A fresh tracked Tensor of the same values, which passes cotangents on to a tracked original."""
    fresh = Tensor.wrap(tensor.data)
    fresh.requires_grad = True
    if recording and tensor.requires_grad:
        fresh.node = engine.link(ALIAS, tensor.node or tensor, tensor.data, {})
    return fresh


def match(tree, structure, tensors, what):
    """The leaves of `tree` as Tensors of the shapes, dtypes and devices of `tensors`."""
    leaves = flatten_as(structure, tree, what)
    found = []
    for path, leaf, tensor in zip(structure.paths(), leaves, tensors):
        leaf = as_tensor(leaf, like=tensor)
        if leaf.shape != tensor.shape:
            raise ValueError(f"{what}{path}: expected shape {tensor.shape}, got {leaf.shape}")
        found.append(leaf if leaf.dtype == tensor.dtype else leaf.astype(tensor.dtype))
    return found


def _detached(leaf):
    return leaf.detach() if isinstance(leaf, Tensor) else leaf


def ones(tensor):
    """Ones of the shape, dtype and device of a tensor."""
    return Tensor.wrap(tensor.device.xp.ones(tensor.shape, dtype=tensor.dtype))


def _zeros(tensor):
    return Tensor.wrap(tensor.device.xp.zeros(tensor.shape, dtype=tensor.dtype))


def _basis(tensor):
    """The unit vectors of the space of `tensor`, one after the other."""
    xp = tensor.device.xp
    for i in range(tensor.size):
        unit = xp.zeros(tensor.size, dtype=tensor.dtype)
        unit[i] = 1
        yield Tensor.wrap(xp.reshape(unit, tensor.shape))
