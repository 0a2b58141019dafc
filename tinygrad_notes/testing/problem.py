"""A function to check, seen as float64 arrays in and one flat float64 array out."""
from dataclasses import dataclass

import numpy as np

from ..autograd import Tensor, grad
from ..autograd.tree import flatten, unflatten
from ..backend import default_generator, float64
from .stencil import EPSILON


@dataclass
class Leaf:
    """One input that is checked: how it is reached, its values in float64, and what it was."""

    path: str
    base: np.ndarray
    dtype: np.dtype
    device: object
    original: Tensor


class Problem:
    """What both sides of the check need: values at moved inputs, and the gradients the engine gives.

    `leaves` are the inputs that are moved. Before every evaluation the state of the default generator is put
    back, so that a function that draws random numbers draws the same ones.
    """

    def __init__(self, leaves):
        self.leaves = leaves
        self.state = default_generator.get_state()
        self.evaluations = 0
        self.count = 0        # number of output elements
        self.sizes = []       # and of each output
        self.single = False   # whether the function rounds to a narrower dtype inside

    def outputs(self, tensors, recorded):
        """Run the function: the list of floating outputs as Tensors. `recorded`: derivatives of them are wanted."""
        raise NotImplementedError

    def place(self, arrays, own=False):
        """Tensors of the leaves with other values (float64); `own`: with their own values and dtype instead."""
        made = []
        for leaf, array in zip(self.leaves, arrays):
            raw = leaf.original.data if own else leaf.device.from_numpy(array)
            made.append(Tensor.wrap(raw).requires_grad_())
        return made

    def replay(self, arrays, recorded, own=False):
        """Tensors and outputs, with random numbers as in every other evaluation."""
        default_generator.set_state(self.state)
        self.evaluations += 1
        tensors = self.place(arrays, own)
        return tensors, self.outputs(tensors, recorded)

    def evaluate(self, arrays):
        """All outputs in one flat float64 array."""
        return flat(self.replay(arrays, False)[1])

    def settle(self):
        """Run once: learn the sizes of the outputs, and return them."""
        tensors, outputs = self.replay([leaf.base for leaf in self.leaves], False)
        for leaf, tensor in zip(self.leaves, tensors):
            if leaf.device.name != "cpu":  # values were copied there; what the function writes into them is to show
                leaf.base[...] = tensor.numpy()
        center = flat(self.remember(outputs))
        self.count = center.size
        return center

    def remember(self, outputs):
        """Note what kind of outputs there are; returns them."""
        self.sizes = [t.size for t in outputs]
        self.single = any(t.dtype.itemsize < 8 for t in outputs) or computes_narrow(outputs)
        return outputs

    @property
    def floor(self):
        """The relative rounding of one evaluation."""
        return 2.0 ** -23 if self.single else EPSILON

    def analytic(self, own=False, arrays=None):
        """A `Pull` that gives gradients for any cotangent, from one recorded evaluation (elsewhere: at `arrays`)."""
        tensors, outputs = self.replay([leaf.base for leaf in self.leaves] if arrays is None else arrays, True, own)
        return Pull(tensors, outputs)


class Pull:
    """The engine's gradients for one recorded evaluation, for as many cotangents as are asked for."""

    def __init__(self, tensors, outputs):
        self.tensors, self.outputs = tensors, outputs
        self.live = [k for k, t in enumerate(outputs) if t.requires_grad]
        self.bounds = np.cumsum([0, *[t.size for t in outputs]])
        self.unused = [True] * len(tensors)

    def __call__(self, weights):
        """The gradients as float64 arrays for a flat cotangent; zeros for an input that nothing depends on."""
        return [g if g is not None else np.zeros(t.shape) for g, t in zip(self.gradients(weights), self.tensors)]

    def gradients(self, weights, raw=False):
        """The same with None for such an input; `raw` keeps the Tensors."""
        if not self.live:
            return [None] * len(self.tensors)
        us = [self.part(weights, k) for k in self.live]
        found = grad([self.outputs[k] for k in self.live], self.tensors, us, retain_graph=True, allow_unused=True)
        self.unused = [u and g is None for u, g in zip(self.unused, found)]
        return list(found) if raw else [None if g is None else host(g).astype(float64) for g in found]

    def part(self, weights, k):
        """The cotangent of output k as a Tensor."""
        output = self.outputs[k]
        piece = weights[self.bounds[k]:self.bounds[k + 1]].reshape(output.shape).astype(output.dtype)
        return Tensor.wrap(output.device.from_numpy(piece))


class Function(Problem):
    """A function of nested inputs."""

    def __init__(self, fn, inputs):
        self.fn = fn
        self.several = isinstance(inputs, (tuple, list))
        self.values, self.structure = flatten(inputs)
        paths = self.structure.paths("inputs" if self.several else "input")
        chosen = _chosen(self.values)
        if not chosen:
            raise ValueError("gradcheck: no floating input to check among " + ", ".join(
                f"{p}: {_named(v)}" for p, v in zip(paths, self.values)))
        self.where = sorted(chosen)
        super().__init__([as_leaf(paths[i], chosen[i]) for i in self.where])

    def outputs(self, tensors, recorded):
        values = list(self.values)
        for i, tensor in zip(self.where, tensors):
            values[i] = tensor
        inputs = unflatten(self.structure, values)
        return floating(self.fn(*inputs) if self.several else self.fn(inputs))


class Gradients(Problem):
    """The gradients of another problem as a function of its inputs and of the cotangents of its outputs."""

    def __init__(self, problem, cotangents):
        self.problem = problem
        ends = problem.replay([leaf.base for leaf in problem.leaves], True)[1]
        self.ends = [k for k, t in enumerate(ends) if t.requires_grad]
        extra = [as_leaf(f"grad_outputs[{k}]", Tensor.wrap(ends[k].device.from_numpy(cotangents[k])))
                 for k in self.ends]
        super().__init__([*problem.leaves, *extra])
        self.state = problem.state

    def outputs(self, tensors, recorded):
        n = len(self.problem.leaves)
        xs, us = tensors[:n], tensors[n:]
        ends = self.problem.outputs(xs, True)
        if not self.ends:
            return []
        us = [u if u.dtype == ends[k].dtype else u.astype(ends[k].dtype) for k, u in zip(self.ends, us)]
        found = grad([ends[k] for k in self.ends], xs, us, create_graph=recorded, allow_unused=True)
        return [g for g in found if g is not None]

    def place(self, arrays, own=False):
        n = len(self.problem.leaves)
        moved = self.problem.place(arrays[:n], own)
        return moved + [Tensor.wrap(leaf.device.from_numpy(array)).requires_grad_()
                        for leaf, array in zip(self.leaves[n:], arrays[n:])]


def as_leaf(path, tensor):
    """A floating Tensor as a `Leaf`."""
    array = np.array(host(tensor), dtype=float64, order="C")
    return Leaf(path, array, tensor.dtype, tensor.device, tensor)


def _chosen(values):
    """{position: Tensor} of what is checked: floating Tensors that require a gradient, or else all floating ones."""
    tensors = {i: v for i, v in enumerate(values) if isinstance(v, Tensor)}
    tensors.update({i: Tensor(v) for i, v in enumerate(values) if isinstance(v, np.ndarray) and v.dtype.kind == "f"})
    if not tensors:  # gradcheck(tn.sin, 0.5)
        tensors = {i: Tensor(v, dtype=float64) for i, v in enumerate(values) if isinstance(v, float)}
    floats = {i: t for i, t in tensors.items() if t.dtype.kind == "f"}
    wanted = {i: t for i, t in floats.items() if t.requires_grad}
    return wanted or floats


def _named(value):
    return f"{value.dtype} {tuple(value.shape)}" if hasattr(value, "dtype") else repr(value)


def floating(result):
    """The floating Tensors in what a function returned.

    Raises:
        TypeError: there is none.
    """
    leaves = [t for t in flatten(result)[0] if isinstance(t, Tensor) and t.dtype.kind == "f"]
    if not leaves:
        raise TypeError(f"gradcheck: expected fn to return at least one floating Tensor, got {type(result).__name__}")
    return leaves


def host(tensor):
    """The values of a Tensor in NumPy."""
    return tensor.device.to_numpy(tensor.data)


def flat(outputs):
    """All elements of the outputs in one float64 array."""
    parts = [np.asarray(host(t), dtype=float64).ravel() for t in outputs]
    return np.concatenate(parts) if parts else np.zeros(0)


def computes_narrow(outputs):
    """Whether some recorded operation computed in a floating dtype narrower than float64."""
    seen, stack = set(), [t.node for t in outputs if t.node is not None]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        dtypes = node.dtype if isinstance(node.dtype, tuple) else (node.dtype,)
        if any(d.kind == "f" and d.itemsize < 8 for d in dtypes):
            return True
        stack.extend(p for p in node.parents if not isinstance(p, Tensor))
    return False
