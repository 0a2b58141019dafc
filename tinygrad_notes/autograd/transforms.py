"""Derivatives of functions: from a function of tensors to the function that computes its derivative.

The differentiated arguments are replaced by fresh tensors that pass a cotangent on to the originals. So
`requires_grad` of the inputs is neither needed nor changed, and transforms nest: a hessian is the
jacobian of a gradient. A derivative is itself recorded exactly when somebody could differentiate it:
gradients are being recorded, and the function read something tracked besides its fresh inputs.
"""
import functools

from . import engine
from .backward import pull, reach
from .mode import enable_grad, mode
from .primitive import ALIAS
from .tensor import Tensor, as_tensor
from .tree import flatten, flatten_as, tree_map, unflatten


def grad(fn, argnums=0, has_aux=False):
    r"""The function that computes the gradient of `fn`, a function with one number as its result.

    Formula: grad(f)(x) = df/dx, of the shape of x.

    Args:
        fn: a function of tensors, or of nested dicts, lists and tuples of them, that returns a Tensor of one
            element; with `has_aux`, a pair of that and anything else.
        argnums: the position of the argument to differentiate, or a tuple of positions.
        has_aux: whether `fn` returns such a pair.

    Returns:
        A function with the arguments of `fn`. It returns the gradient, in the structure of the argument (a tuple of
        gradients for a tuple of positions); with `has_aux`, a pair of that and the rest. Gradients of what `fn`
        does not use are zeros.

    Raises:
        TypeError: `fn` is not a function, does not return what is said above, or an argument is not floating.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.grad(lambda x: x ** 3)(2.0)
        tensor(12.)
        >>> tn.grad(tn.grad(lambda x: x ** 3))(2.0)
        tensor(12.)
    """
    both = value_and_grad(fn, argnums, has_aux)

    @_named(fn)
    def gradient(*args, **kwargs):
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found
    return gradient


def value_and_grad(fn, argnums=0, has_aux=False):
    r"""The function that computes `fn` and its gradient in one run.

    Formula: value_and_grad(f)(x) = (f(x), df/dx).

    Args:
        fn, argnums, has_aux: as in `tn.grad`.

    Returns:
        A function with the arguments of `fn`. It returns (value, gradient), or ((value, rest), gradient).

    Raises:
        TypeError: as in `tn.grad`.

    Example:
        >>> import tinygrad_notes as tn
        >>> loss = lambda params, x: ((params["w"] * x + params["b"]) ** 2).sum()
        >>> value, gradient = tn.value_and_grad(loss)({"w": 2.0, "b": 1.0}, tn.tensor([1.0, 2.0]))
        >>> value, gradient["w"], gradient["b"]
        (tensor(34.), tensor(26.), tensor(16.))
    """
    _check(fn, "grad")

    @_named(fn)
    def derivative(*args, **kwargs):
        run = _Run("grad", fn, args, kwargs, argnums, has_aux)
        value = run.number("grad")
        found = run.arguments(run.pull([_ones(value)], retain=False))
        value = value if run.outer else value.detach()
        return ((value, run.aux) if has_aux else value), found
    return derivative


def vjp(fn, *args, has_aux=False):
    r"""`fn(*args)`, and the function that multiplies a cotangent with the Jacobian of `fn` there.

    Formula: pull(g)_k = sum_i g_i * d out_i / d args_k (g transposed times J).

    Args:
        fn: a function of tensors (or nested containers) that returns tensors (or nested containers).
        *args: where to differentiate; all of them, so what is not to be differentiated belongs into a closure.
        has_aux: whether `fn` returns a pair of its output and anything else.

    Returns:
        (output, pull), or (output, pull, rest). `pull(cotangents)` takes the structure of the output and returns a
        tuple with one gradient per argument, as often as it is called.

    Raises:
        TypeError: `fn` is not a function, or an argument is not floating.
        ValueError: cotangents of another structure or shape than the output.

    Example:
        >>> import tinygrad_notes as tn
        >>> output, pull = tn.vjp(lambda x, y: x * y, tn.tensor([1.0, 2.0]), tn.tensor([3.0, 4.0]))
        >>> pull(tn.tensor([1.0, 10.0]))
        (tensor([ 3., 40.]), tensor([ 1., 20.]))
    """
    _check(fn, "vjp")
    run = _Run("vjp", fn, args, {}, tuple(range(len(args))), has_aux)

    def pull_back(cotangents):
        return run.arguments(run.pull(_like(cotangents, run.structure, run.outs, "cotangents"), retain=True))
    output = run.output()
    return (output, pull_back, run.aux) if has_aux else (output, pull_back)


def jvp(fn, args, tangents, has_aux=False):
    r"""`fn(*args)`, and the derivative of `fn` there in the direction `tangents`.

    Formula: out'_i = sum_k d out_i / d args_k * tangents_k (J times v), as the transpose of the transpose.

    Args:
        fn: a function of tensors (or nested containers) that returns tensors (or nested containers).
        args: a tuple of its arguments, or the only one.
        tangents: the direction, in the structure and shapes of `args`.
        has_aux: whether `fn` returns a pair of its output and anything else.

    Returns:
        (output, tangent of the output), or (output, tangent, rest).

    Raises:
        TypeError: `fn` is not a function, or an argument is not floating.
        ValueError: tangents of another structure or shape than the arguments.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.jvp(lambda x: x * x, tn.tensor([1.0, 2.0]), tn.tensor([1.0, 0.5]))
        (tensor([1., 4.]), tensor([2., 2.]))
    """
    _check(fn, "jvp")
    run = _Run("jvp", fn, *_several(args), has_aux)
    directions = _like(tangents, flatten(args)[1], run.fresh, "tangents")
    push = run.linearize(directions)
    output, tangent = run.output(), unflatten(run.structure, push(directions))
    return (output, tangent, run.aux) if has_aux else (output, tangent)


def jacobian(fn, argnums=0, has_aux=False, mode="auto"):
    r"""The function that computes all first derivatives of `fn`.

    Formula: jacobian(f)(x)[i, k] = df_i / dx_k, of shape f(x).shape + x.shape.

    Args:
        fn, argnums, has_aux: as in `tn.grad`, but `fn` may return tensors of any shape, in containers.
        mode: 'reverse' does one backward pass per element of the output, 'forward' one product per element of the
            input; 'auto' takes the cheaper one.

    Returns:
        A function with the arguments of `fn`. It returns the structure of the output, in each place of which
        stands the structure of the arguments; with `has_aux`, a pair of that and the rest.

    Raises:
        TypeError: as in `tn.grad`.
        ValueError: `mode` is none of the three.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.jacobian(lambda x: x * x)(tn.tensor([1.0, 2.0]))
        tensor([[2., 0.],
                [0., 4.]])
    """
    _check(fn, "jacobian")
    if mode not in ("auto", "reverse", "forward"):
        raise ValueError(f"jacobian: mode is 'auto', 'reverse' or 'forward', got {mode!r}")

    @_named(fn)
    def derivative(*args, **kwargs):
        run = _Run("jacobian", fn, args, kwargs, argnums, has_aux)
        forward = mode == "forward" or mode == "auto" and run.prefers_forward()
        rows = run.columns_of_jacobian() if forward else run.rows_of_jacobian()
        matrix = unflatten(run.structure, [run.arguments(row) for row in rows])
        return (matrix, run.aux) if has_aux else matrix
    return derivative


def hessian(fn, argnums=0, has_aux=False):
    r"""The function that computes all second derivatives of `fn`, a function with one number as its result.

    Formula: hessian(f)(x)[i, k] = d^2 f / (dx_i dx_k), of shape x.shape + x.shape.

    Args:
        fn, argnums, has_aux: as in `tn.grad`.

    Returns:
        A function with the arguments of `fn`. It returns the structure of the arguments, in each place of which
        stands that structure again; with `has_aux`, a pair of that and the rest.

    Raises:
        TypeError: as in `tn.grad`.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.hessian(lambda x: x[0] ** 2 * x[1])(tn.tensor([1.0, 3.0]))
        tensor([[6., 2.],
                [2., 0.]])
    """
    return jacobian(grad(fn, argnums, has_aux), argnums, has_aux, mode="reverse")


def hvp(fn, args, vectors):
    r"""The Hessian of `fn` times a vector, without the Hessian.

    Formula: result = H v with H = d^2 f / dx^2, as the gradient of <df/dx, v>.

    For many products at one point, `_, pull = tn.vjp(tn.grad(fn), x)` records the gradient once and
    `pull(v)` is each product.

    Args:
        fn: a function of tensors (or nested containers) that returns a Tensor of one element.
        args: a tuple of its arguments, or the only one.
        vectors: the vector, in the structure and shapes of `args`.

    Returns:
        The product, in the structure of `args`.

    Raises:
        TypeError: `fn` is not a function, does not return one number, or an argument is not floating.
        ValueError: vectors of another structure or shape than the arguments.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.hvp(lambda x: x[0] ** 2 * x[1], tn.tensor([1.0, 3.0]), tn.tensor([1.0, 0.0]))
        tensor([6., 2.])
    """
    _check(fn, "hvp")
    run = _Run("hvp", grad(fn, _several(args)[2]), *_several(args), False)
    products = run.pull(_like(vectors, flatten(args)[1], run.fresh, "vectors"), retain=False)
    return run.arguments(products)


class _Run:
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
                                f"returned {_kind(result)}")
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
        starts = [_ones(self.outs[i]).requires_grad_() for i in used]
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


def _check(fn, what):
    if not callable(fn):
        advice = "; for tensors that are already computed use tn.autograd.grad(outputs, inputs)"
        raise TypeError(f"{what}: expected a function, got {_kind(fn)}{advice if isinstance(fn, Tensor) else ''}")


def _kind(value):
    return f"a Tensor of shape {value.shape}" if isinstance(value, Tensor) else type(value).__name__


def _named(fn):
    return functools.wraps(fn, assigned=("__module__", "__name__", "__qualname__"), updated=())


def _several(args):
    """A tuple of arguments, or the only one, in the order (args, kwargs, argnums) of `_Run`."""
    return (args, {}, tuple(range(len(args)))) if isinstance(args, tuple) else ((args,), {}, 0)


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


def _like(tree, structure, tensors, what):
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


def _ones(tensor):
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
