"""Kernels of the package that have a C form of their own: convolution, pooling, sums of rows, sparse products."""
import ctypes
import math

from ..program import Value
from ..views import row_major
from .calls import CallCode
from .compiler import library
from .expressions import c_type

FLOATS = {"float32": "f", "float64": "d"}
TILES = 1 << 16  # numbers of an image at one of the 36 points of minimal filtering, up to which it is kept whole


class _Windows(ctypes.Structure):
    _fields_ = [*[(name, ctypes.c_long) for name in "ncog"],
                *[(name, ctypes.c_long * 3) for name in ("size", "kernel", "places", "stride", "before", "dilation")]]


def geometry(g, text=False):
    """The `Windows` of C for a geometry, or its initializer."""
    def three(values, fill):
        return tuple([fill] * (3 - len(values)) + list(values))
    axes = [three(g.size, 1), three(g.kernel, 1), three(g.out, 1), three(g.stride, 1),
            three([low for low, _ in g.padding], 0), three(g.dilation, 1)]
    values = [g.batch, g.channels, g.outputs, g.groups]
    if not text:
        return _Windows(*values, *axes)
    return "{" + ", ".join([*map(str, values), *["{" + ", ".join(map(str, a)) + "}" for a in axes]]) + "}"


def room_of(way, what, windows, threads):
    """Floats of room that a function of convolution.c needs."""
    kind = {"forward": "", "to_input": "_input", "to_weight": "_weight"}[what]
    ask = getattr(library("convolution"), f"{way}{kind}_room")
    ask.restype, ask.argtypes = ctypes.c_long, [ctypes.c_void_p, ctypes.c_long]
    return ask(ctypes.addressof(windows), threads)


def way(name, g, dtype):
    """How a convolution is computed: 'tiled' or 'direct' by convolution.c, or by 'columns'."""
    axes = len(g.size)
    strides, single = set(g.stride) == {1}, math.prod(g.kernel) == 1
    made = g.channels if name == "conv_to_input" else g.outputs  # 16 of them are computed at once
    if dtype.name != "float32" or g.groups > 1 or axes > 2 or single or made < 4:
        return "columns"
    if name == "conv_to_input" and not strides:
        return "columns"
    filtered = axes == 2 and tuple(g.kernel) == (3, 3) and strides and set(g.dilation) == {1}
    places = g.size if name == "conv_to_input" else g.out
    tiles = math.prod(-(-n // 4) for n in places)
    if filtered and min(places) >= 4 and g.channels % 16 == g.outputs % 16 == 0 and \
            tiles * (g.channels + g.outputs) <= TILES:
        return "tiled"
    return "direct"


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
    def columns(self, g, item):
        """Bytes of the columns that a thread brings together, and of a private weight."""
        rows = g.channels // g.groups * g.taps
        most = max(64, 49152 // max(rows, 1) // 16 * 16)
        return rows * min(most, g.positions) * item, g.outputs * rows * item

    def convolution(self, g, named, columns):
        """The call of a convolution of `named` arguments; `columns` bytes per thread serve the plain way."""
        what, kind = self.i.name.removeprefix("conv_"), c_type(self.out.dtype)
        found = way(self.i.name, g, self.out.dtype)
        lines = [f"const Windows w = {geometry(g, text=True)};"]
        for name, value in named.items():
            lines += [f"const {kind}* {name} = 0;"] if value is None else self.pointer(name, value)
        given = [*named, self.context.pointer(self.out)]
        if found == "columns":
            room = self.room(columns)
            return [*lines, f"conv_{what}_{FLOATS[self.out.dtype.name]}(&w, {', '.join(given)}, ({kind}*)({room}));"]
        threads = self.context.threads
        room = self.context.scratch(4 * room_of(found, what, geometry(g), threads), threads=1)
        return [*lines, f"{found}_{what}(&w, THREADS, {', '.join(given)}, (float*)({room}));"]

    def conv_forward(self):
        """y = w * x + b"""
        x, w, b, g = (self.argument(k) for k in range(4))
        return self.convolution(g, {"x": x, "k": w, "b": b}, self.columns(g, self.out.dtype.itemsize)[0])

    def conv_to_input(self):
        """x of y"""
        y, w, g = (self.argument(k) for k in range(3))
        return self.convolution(g, {"y": y, "k": w}, self.columns(g, self.out.dtype.itemsize)[0])

    def conv_to_weight(self):
        """w of x and y"""
        x, y, g = (self.argument(k) for k in range(3))
        return self.convolution(g, {"x": x, "y": y}, sum(self.columns(g, self.out.dtype.itemsize)))

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

    # Sparse products ------------------------------------------------------------------
    def csr_product(self):
        """A sparse matrix, row by row, times a dense one."""
        x, start, index, values = (self.argument(k) for k in range(4))
        (n, width), kind = self.out.shape, f"{FLOATS[x.dtype.name]}_{c_type(index.dtype)}"
        return [*self.pointer("x", x), *self.pointer("s", start), *self.pointer("j", index), *self.pointer("v", values),
                f"if (csr_product_{kind}({n}, {x.shape[0]}, {width}, x, s, j, v, {self.context.pointer(self.out)})) "
                "return 2;"]

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
    if name == "csr_product":
        x, start, index, weights = values[:4] if len(values) >= 4 else (None,) * 4
        return (x is not None and x.dtype.name in FLOATS and weights.dtype == x.dtype and start.dtype == index.dtype
                and index.dtype.name in ("int32", "int64") and x.size > 0 and weights.size > 0
                and instruction.outputs[0].size > 0)
    return False


NEEDS = {**dict.fromkeys(CONVOLUTIONS, "conv.h"),
         **dict.fromkeys(("window_max", "window_put", "sum_rows", "csr_product"), "kernels.h")}
