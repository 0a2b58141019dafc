"""An ONNX graph under construction: nodes, constants, and sizes that are computed from the shapes of the inputs."""
import numpy as np

from ..recorder import shown_site
from .sizes import Size

END = np.iinfo(np.int64).max  # "to the end" in a slice


class NoOnnxForm(RuntimeError):
    """A function of the program cannot be written in ONNX; the message names it and where it stands."""


class Graph:
    """Collects the parts of an ONNX graph.

    Args:
        onnx: the package.
        names: {value: its name in the graph} of inputs and weights.
        axes: {symbol: (name of an input, axis)} that tells its size.

    Fields:
        nodes: the ONNX nodes in order.
        weights: the ONNX tensors.
    """

    def __init__(self, onnx, names, axes):
        self.onnx, self.names, self.axes = onnx, dict(names), axes
        self.nodes, self.weights, self._known, self._used = [], [], {}, set(names.values())
        self.prefix = ""

    def unique(self, name):
        """`name`, with a number if it is taken."""
        found, k = name, 1
        while found in self._used:
            k += 1
            found = f"{name}_{k}"
        self._used.add(found)
        return found

    # Parts ----------------------------------------------------------------------------
    def node(self, op, *inputs, outputs=1, **attrs):
        """A node; returns the name of its output (a list of names for several, None where one is not wanted)."""
        label = self.unique(f"{self.prefix}{op}")
        made = [self.unique(f"{label}_out")] if outputs == 1 else \
            [self.unique(f"{label}_out{k}") if wanted else "" for k, wanted in enumerate(outputs)]
        self.nodes.append(self.onnx.helper.make_node(op, [self.name(x) for x in inputs], made, label, **attrs))
        return made[0] if outputs == 1 else made

    def name(self, x):
        """The name of a value, or of what is a name already."""
        return x if isinstance(x, str) else self.constant(x.host) if x not in self.names else self.names[x]

    def weight(self, array, name):
        """An array of the model under a name."""
        array = np.asarray(array, order="C")
        self.weights.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def constant(self, array, dtype=None):
        """The name of an array, which is written once."""
        array = np.asarray(array, dtype)
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._known:
            self._known[key] = self.weight(array, self.unique("constant"))
        return self._known[key]

    def number(self, value, dtype):
        """A Python number as an array without axes; a size that is not known as what computes it."""
        if isinstance(value, Size):
            return self.cast(self.node("Squeeze", self.size(value)), np.dtype(dtype))
        return self.constant(value, dtype)

    def kind(self, dtype):
        """The ONNX number of a dtype."""
        return self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def cast(self, x, dtype):
        """`x` in another dtype."""
        return self.node("Cast", x, to=self.kind(dtype))

    # Sizes ----------------------------------------------------------------------------
    def size(self, size):
        """An int64 array with the one element `size`."""
        if not isinstance(size, Size):
            return self.constant([size], np.int64)
        key = tuple(sorted(size.terms.items()))
        if key not in self._known:
            total = None
            for names, factor in size.terms.items():
                term = self.constant([factor], np.int64) if factor != 1 or not names else None
                for name in names:
                    term = self.symbol(name) if term is None else self.node("Mul", term, self.symbol(name))
                total = term if total is None else self.node("Add", total, term)
            self._known[key] = total
        return self._known[key]

    def symbol(self, name):
        """The size that a symbol stands for, as an int64 array of one element."""
        if name not in self._known:
            source, axis = self.axes[name]
            self._known[name] = self.node("Shape", source, start=axis, end=axis + 1)
        return self._known[name]

    def sizes(self, shape):
        """A shape as an int64 array."""
        if not any(isinstance(n, Size) for n in shape):
            return self.constant(list(shape), np.int64)
        return self.node("Concat", *[self.size(n) for n in shape], axis=0)

    def reshape(self, x, shape):
        """`x` in another shape; one size that is not known is left to ONNX."""
        open_sizes = [n for n in shape if isinstance(n, Size)]
        if len(open_sizes) == 1 and 0 not in shape:
            return self.node("Reshape", x, self.constant([-1 if isinstance(n, Size) else n for n in shape], np.int64))
        return self.node("Reshape", x, self.sizes(shape))

    def slice(self, x, starts, stops, steps, shape):
        """A part of `x`, whose shape is `shape`; stops before the beginning are below 0."""
        parts = [(a, s, b, e) for a, (s, e, b, n) in enumerate(zip(starts, stops, steps, shape))
                 if not (s == 0 and e == n and b == 1)]
        if not parts:
            return x
        axes, begin, step, end = zip(*parts)
        end = [(-END if b < 0 and e < 0 else END if b > 0 and e == shape[a] else e)
               for a, b, e in zip(axes, step, end)]
        return self.node("Slice", x, self.sizes(begin), self.sizes(end), self.constant(list(axes), np.int64),
                         self.constant(list(step), np.int64))

    def refuse(self, program, instruction, why=""):
        """The error about an instruction without ONNX form."""
        scope = program.scopes[instruction.scope] if instruction.scope >= 0 else None
        while scope is not None and scope.site is None and scope.parent >= 0:
            scope = program.scopes[scope.parent]
        where = "" if scope is None else f", a part of {scope.name!r}" + (
            f" in module {scope.module!r}" if scope.module else "") + f", at {shown_site(scope.site)}"
        return NoOnnxForm(f"{instruction.name!r}{where}, has no ONNX form{': ' + why if why else ''}")
