"""Kernels of the package that have a C form of their own: convolution, pooling, sums of rows, sparse products."""
import math

from ..program import Value
from ..views import row_major
from .calls import CallCode
from .expressions import c_type

FLOATS = {"float32": "f", "float64": "d"}


class KernelCode(CallCode):
    """Writes one call of a kernel; `NAMES` says of which."""

    def argument(self, k):
        """The k-th argument: a value or something static."""
        given = self.i.args[k] if k < len(self.i.args) else None
        return self.i.inputs[given.index] if type(given).__name__ == "Ref" else given

    def pointer(self, name, value):
        """Lines that make `name` a pointer to the elements of a value, row by row."""
        view, kind = self.views.of(value), c_type(value.dtype)
        lines = [f"const {kind}* {name} = {self.context.pointer(view.root)} + {view.offset};"]
        if view.contiguous:
            return lines
        place = self.context.scratch(value.nbytes, threads=1)
        return [*lines, f"{kind}* {name}c = ({kind}*)({place});",
                *self.copy(f"{name}c", row_major(value.shape), 0, name, view.strides, 0, value.shape, kind),
                f"{name} = {name}c;"]

    def room(self, size):
        """The C text of `size` bytes for each thread, side by side."""
        return self.context.scratch(size * self.context.threads, threads=1)

    # Convolution ----------------------------------------------------------------------
    @staticmethod
    def windows(g):
        """The C constant that tells where windows lie."""
        def three(values, fill):
            values = [fill] * (3 - len(values)) + list(values)
            return "{" + ", ".join(map(str, values)) + "}"
        return (f"const Windows w = {{{g.batch}, {g.channels}, {g.outputs}, {g.groups}, {three(g.size, 1)}, "
                f"{three(g.kernel, 1)}, {three(g.out, 1)}, {three(g.stride, 1)}, "
                f"{three([p[0] for p in g.padding], 0)}, {three(g.dilation, 1)}}};")

    def columns(self, g, item):
        """Bytes of the columns that a thread brings together, and of a private weight."""
        rows = g.channels // g.groups * g.taps
        most = max(64, 49152 // max(rows, 1) // 16 * 16)
        return rows * min(most, g.positions) * item, g.outputs * rows * item

    def conv_forward(self):
        """y = w * x + b"""
        x, w, b, g = (self.argument(k) for k in range(4))
        f, kind = FLOATS[self.out.dtype.name], c_type(self.out.dtype)
        size, _ = self.columns(g, self.out.dtype.itemsize)
        lines = [self.windows(g), *self.pointer("x", x), *self.pointer("k", w)]
        lines += self.pointer("b", b) if b is not None else []
        bias, out = "b" if b is not None else "0", self.context.pointer(self.out)
        return [*lines, f"conv_forward_{f}(&w, x, k, {bias}, {out}, ({kind}*)({self.room(size)}));"]

    def conv_to_input(self):
        """x of y"""
        y, w, g = (self.argument(k) for k in range(3))
        f, kind = FLOATS[self.out.dtype.name], c_type(self.out.dtype)
        size, _ = self.columns(g, self.out.dtype.itemsize)
        return [self.windows(g), *self.pointer("y", y), *self.pointer("k", w),
                f"conv_to_input_{f}(&w, y, k, {self.context.pointer(self.out)}, ({kind}*)({self.room(size)}));"]

    def conv_to_weight(self):
        """w of x and y"""
        x, y, g = (self.argument(k) for k in range(3))
        f, kind = FLOATS[self.out.dtype.name], c_type(self.out.dtype)
        size, weight = self.columns(g, self.out.dtype.itemsize)
        out, room = self.context.pointer(self.out), self.room(size + weight)
        return [self.windows(g), *self.pointer("x", x), *self.pointer("y", y),
                f"conv_to_weight_{f}(&w, x, y, {out}, ({kind}*)({room}));"]

    # Pooling --------------------------------------------------------------------------
    @staticmethod
    def spans(spans):
        """Lines that declare the geometry of windows over up to three axes."""
        fill = 3 - len(spans)

        def three(name, values, default):
            return f"const long {name}[3] = {{{', '.join(map(str, [default] * fill + values))}}};"
        return [three("S", [s.size for s in spans], 1), three("P", [s.out for s in spans], 1),
                three("K", [s.kernel for s in spans], 1), three("stride", [s.stride for s in spans], 1),
                three("before", [s.before for s in spans], 0), three("dilation", [s.dilation for s in spans], 1)]

    def window_max(self):
        """Largest elements, and their numbers in the windows."""
        x, spans = self.argument(0), self.argument(1)
        lead = math.prod(x.shape[:len(x.shape) - len(spans)])
        number = self.i.outputs[1]
        place = self.context.pointer(number) if number is not None else "0"
        return [*self.spans(spans), *self.pointer("x", x),
                f"window_max_{FLOATS[x.dtype.name]}({lead}, S, P, K, stride, before, dilation, x, "
                f"{self.context.pointer(self.out)}, {place});"]

    def window_put(self):
        """The transpose of taking the largest."""
        y, number, spans = (self.argument(k) for k in range(3))
        lead = math.prod(self.out.shape[:len(self.out.shape) - len(spans)])
        return [*self.spans(spans), *self.pointer("y", y), *self.pointer("m", number),
                f"window_put_{FLOATS[y.dtype.name]}({lead}, S, P, K, stride, before, dilation, y, m, "
                f"{self.context.pointer(self.out)});"]

    # Rows -----------------------------------------------------------------------------
    def sum_rows(self):
        """Sums of rows that share an id."""
        values, ids, n = (self.argument(k) for k in range(3))
        e, width = values.shape
        return [*self.pointer("v", values), *self.pointer("d", ids),
                f"if (sum_rows_{FLOATS[values.dtype.name]}({e}, {n}, {width}, v, d, {self.context.pointer(self.out)})) "
                "return 2;"]


CONVOLUTIONS = ("conv_forward", "conv_to_input", "conv_to_weight")


def has_kernel(instruction):
    """Whether a kernel has a C form for these arguments."""
    name = instruction.name
    values = [v for v in instruction.inputs if isinstance(v, Value)]
    if name in CONVOLUTIONS:
        g = instruction.args[3 if name == "conv_forward" else 2]
        usual = all(v.dtype == values[0].dtype and v.dtype.name in FLOATS and v.size for v in values)
        return len(g.size) <= 3 and usual and instruction.outputs[0].size > 0
    if name in ("window_max", "window_put"):
        spans = instruction.args[1 if name == "window_max" else 2]
        plain = len(spans) <= 3 and all(hasattr(s, "stride") for s in spans)
        return (plain and math.prod(s.kernel for s in spans) <= 256 and values[0].dtype.name in FLOATS
                and values[0].size > 0 and instruction.outputs[0].size > 0)
    if name == "sum_rows":
        return (values[0].dtype.name in FLOATS and values[0].size > 0 and values[1].dtype.name == "int64"
                and instruction.outputs[0].size > 0 and isinstance(instruction.args[2], int))
    return False


NEEDS = {**dict.fromkeys(CONVOLUTIONS, "conv.h"),
         **dict.fromkeys(("window_max", "window_put", "sum_rows"), "kernels.h")}
