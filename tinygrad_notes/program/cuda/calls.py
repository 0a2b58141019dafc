"""Instructions that are no loops, on a GPU: copies, look-ups, conditions, sums of rows, convolutions, products.

Each becomes a list of steps: a `Launch` is a generated kernel, one thread per element; a `Product` is a product of
matrices by the library. What is computed on the way lies in the executor's room.
"""
import math
from dataclasses import dataclass

from ..native.calls import has_c_form, lies_well
from ..native.expressions import c_type, number
from ..native.library import CONVOLUTIONS, FLOATS, geometry, has_kernel
from ..views import merged, row_major
from .kernels import Launch, Room

COMPARED = 1 << 30   # looks at ids up to which rows are summed by a walk over all ids for each element
LARGEST = 1 << 28    # bytes of columns that are brought together at once


@dataclass(frozen=True)
class Flags:
    """The place where kernels say that this run must not count."""


@dataclass
class Product:
    """Products of `count` pairs of matrices side by side: c = a @ b, (m, k) @ (k, n).

    Fields:
        kind: 'float' or 'double'.
        sizes: m, n, k.
        a, b, c: (where it lies, offset in elements, elements from row to row, from matrix to matrix).
        turned: whether a and b lie transposed in memory.
        kernel: the index of the kernel of the program that it is part of.
    """

    kind: str
    sizes: tuple
    a: tuple
    b: tuple
    c: tuple
    turned: tuple
    count: int = 1
    kernel: int = -1


def on_gpu(instruction, views):
    """Whether an instruction that is no loop has a form here."""
    i = instruction
    if i.name == "sum_rows":
        return has_kernel(i) and i.outputs[0].size * i.inputs[1].size <= COMPARED
    if i.name in (*CONVOLUTIONS, "window_max", "window_put", "csr_product"):
        return has_kernel(i)
    return has_c_form(i, views)


class CudaCall:
    """Writes one instruction.

    Args:
        instruction: it.
        views: the `Views` of the program.
        memory: the `Memory` plan.
        name: of its kernels.
    """

    def __init__(self, instruction, views, memory, name):
        self.i, self.views, self.memory, self.name = instruction, views, memory, name
        self.out, self.made, self.room = instruction.outputs[0], [], 0

    def steps(self):
        """The steps, in order."""
        getattr(self, self.i.name)()
        return self.made

    # What kernels are made of -----------------------------------------------------------
    def take_room(self, size):
        """A place of `size` bytes."""
        place = Room(self.room)
        self.room += -(-size // 256) * 256
        return place

    def kernel(self, size, lines, given):
        """A kernel of one thread per element; `given` are (name, C type, place) of its pointers."""
        if not size:
            return
        head = ", ".join(f"{kind}* {name}" for name, kind, _ in given)
        name = f"{self.name}_{len(self.made)}"
        text = "\n".join([f"KERNEL void {name}({head}, const double* scalars) {{",
                          "    const long i = (long)blockIdx.x * BLOCK + threadIdx.x;",
                          f"    if (i >= {size}L) return;", *["    " + line for line in lines], "}"])
        self.made.append(Launch(name, text, tuple(place for *_, place in given), size, 1))

    @staticmethod
    def index(sizes, strides, offset, letter="j", whole="i"):
        """Lines that cut an index into one per axis, and the place they name."""
        lines, left = [], whole
        for k in reversed(range(len(sizes))):
            lines.append(f"const long {letter}{k} = {left}{f' % {sizes[k]}L' if k else ''};")
            left = f"({left} / {sizes[k]}L)"
        return lines, " + ".join([f"{offset}L", *[f"{letter}{k} * {s}L" for k, s in enumerate(strides) if s]])

    def copy(self, target, to_strides, to_offset, source, strides, offset, shape, kind):
        """A kernel that copies an array between any strides."""
        sizes, (to, of) = merged(shape, [to_strides, strides])
        lines, place = self.index(sizes, to, to_offset)
        _, at = self.index(sizes, of, offset)
        self.kernel(math.prod(shape), [*lines, f"q[{place}] = p[{at}];"],
                    [("p", f"const {kind}", source), ("q", kind, target)])

    def rowwise(self, value):
        """(place, offset) of the elements of a value, row by row; copied into the room where they do not lie so."""
        view = self.views.of(value)
        return (view.root, view.offset) if view.contiguous else self.in_room(value, view)

    def in_room(self, value, view):
        """A copy in the room, row by row."""
        place = self.take_room(value.nbytes)
        self.copy(place, row_major(value.shape), 0, view.root, view.strides, view.offset, value.shape,
                  c_type(value.dtype))
        return place, 0

    def argument(self, k):
        """The k-th argument: a value or something static."""
        given = self.i.args[k] if k < len(self.i.args) else None
        return self.i.inputs[given.index] if type(given).__name__ == "Ref" else given

    # Copies -----------------------------------------------------------------------------
    def reshape(self):
        x = self.i.inputs[0]
        view = self.views.of(x)
        self.copy(self.out, row_major(x.shape), 0, view.root, view.strides, view.offset, x.shape, c_type(x.dtype))

    def concat(self):
        axis, at, strides = self.i.kwargs["axis"], 0, row_major(self.out.shape)
        for part in self.i.inputs:
            view, start = self.views.of(part), at * strides[axis]
            if not self.memory.is_there(view.root, self.out, start):
                self.copy(self.out, strides, start, view.root, view.strides, view.offset, part.shape,
                          c_type(self.out.dtype))
            at += part.shape[axis]

    def write(self):
        x, part = self.i.inputs
        kind, kw, strides = c_type(self.out.dtype), self.i.kwargs, row_major(self.out.shape)
        whole, inner = self.views.of(x), self.views.of(part)
        self.copy(self.out, strides, 0, whole.root, whole.strides, whole.offset, x.shape, kind)
        offset = sum(a * s for a, s in zip(kw["starts"], strides))
        to = tuple(s * step for s, step in zip(strides, kw["steps"]))
        self.copy(self.out, to, offset, inner.root, inner.strides, inner.offset, part.shape, kind)

    def full(self):
        kind = c_type(self.out.dtype)
        self.kernel(self.out.size, [f"q[i] = {number(self.i.kwargs['value'], self.out.dtype)};"],
                    [("q", kind, self.out)])

    # Look-ups and conditions ------------------------------------------------------------
    def take(self):
        x, index = self.i.inputs
        axis, kind, n = self.i.kwargs["axis"], c_type(x.dtype), x.shape[self.i.kwargs["axis"]]
        view, places = self.views.of(x), self.views.of(index)
        between = (0,) * len(index.shape)
        sizes = (*x.shape[:axis], *index.shape, *x.shape[axis + 1:])
        lines, at = self.index(sizes, (*view.strides[:axis], *between, *view.strides[axis + 1:]), view.offset)
        _, where = self.index(sizes, (*(0,) * axis, *places.strides, *(0,) * (len(x.shape) - axis - 1)), places.offset)
        self.kernel(self.out.size, [
            *lines, f"int64_t k = t[{where}];", f"if (k < 0) k += {n};",
            f"if (k < 0 || k >= {n}) {{ flags[0] = 2; return; }}", f"q[i] = p[{at} + k * {view.strides[axis]}L];"],
            [("p", f"const {kind}", view.root), ("t", f"const {c_type(index.dtype)}", places.root),
             ("q", kind, self.out), ("flags", "int", Flags())])

    def assume(self):
        x = self.views.of(self.i.inputs[0])
        self.kernel(1, [f"if (p[{x.offset}] != {int(self.i.args[1])}) flags[0] = 1;"],
                    [("p", f"const {c_type(self.i.inputs[0].dtype)}", x.root), ("flags", "int", Flags())])

    def sum_rows(self):
        values, ids, n = (self.argument(k) for k in range(3))
        (e, width), kind = values.shape, c_type(values.dtype)
        (p, at), (d, start) = self.rowwise(values), self.rowwise(ids)
        self.kernel(self.out.size, [
            f"const long row = i / {width}L, column = i % {width}L;", f"{kind} sum = 0;",
            f"for (long k = 0; k < {e}L; ++k) {{", f"    const int64_t id = d[{start} + k];",
            f"    if ((id < 0 ? id + {n}L : id) == row) sum += p[{at} + k * {width}L + column];",
            f"    if (id < -{n}L || id >= {n}L) flags[0] = 2;", "}", "q[i] = sum;"],
            [("p", f"const {kind}", p), ("d", "const int64_t", d), ("q", kind, self.out), ("flags", "int", Flags())])

    def csr_product(self):
        x, start, index, values = (self.argument(k) for k in range(4))
        (rows, width), kind, of = x.shape, c_type(x.dtype), c_type(index.dtype)
        named = [(self.rowwise(v), t) for v, t in ((x, kind), (start, of), (index, of), (values, kind))]
        (x, x0), (s, s0), (j, j0), (v, v0) = [place for place, _ in named]
        self.kernel(self.out.size, [
            f"const long row = i / {width}L, column = i % {width}L;", f"{kind} sum = 0;",
            f"for (long k = (long)s[{s0} + row]; k < (long)s[{s0} + row + 1]; ++k) {{",
            f"    const int64_t at = j[{j0} + k];",
            f"    if (at < 0 || at >= {rows}L) {{ flags[0] = 2; continue; }}",
            f"    sum += v[{v0} + k] * x[{x0} + at * {width}L + column];", "}", "q[i] = sum;"],
            [("x", f"const {kind}", x), ("s", f"const {of}", s), ("j", f"const {of}", j), ("v", f"const {kind}", v),
             ("q", kind, self.out), ("flags", "int", Flags())])

    # Pooling ----------------------------------------------------------------------------
    def windows(self, spans, planes):
        """The line that declares the geometry of windows over planes."""
        def three(values, fill):
            return "{" + ", ".join(map(str, [fill] * (3 - len(spans)) + values)) + "}"
        axes = [three([s.size for s in spans], 1), three([s.kernel for s in spans], 1),
                three([s.out for s in spans], 1), three([s.stride for s in spans], 1),
                three([s.before for s in spans], 0), three([s.dilation for s in spans], 1)]
        return f"const Windows w = {{{planes}, 1, 1, 1, {', '.join(axes)}}};"

    def window_max(self):
        x, spans = self.argument(0), self.argument(1)
        kind, name, which = c_type(x.dtype), FLOATS[x.dtype.name], self.i.outputs[1]
        planes = math.prod(x.shape[:len(x.shape) - len(spans)])
        p, at = self.rowwise(x)
        given = [("p", f"const {kind}", p), ("q", kind, self.out)]
        given += [("m", "uint8_t", which)] if which is not None else []
        self.kernel(self.out.size, [self.windows(spans, planes), f"window_max_{name}(&w, p + {at}, q, "
                                    f"{'m' if which is not None else '0'}, i);"], given)

    def window_put(self):
        y, which, spans = (self.argument(k) for k in range(3))
        kind, name = c_type(y.dtype), FLOATS[y.dtype.name]
        planes = math.prod(self.out.shape[:len(self.out.shape) - len(spans)])
        (p, at), (m, start) = self.rowwise(y), self.rowwise(which)
        self.kernel(self.out.size, [self.windows(spans, planes),
                                    f"window_put_{name}(&w, p + {at}, m + {start}, q, i);"],
                    [("p", f"const {kind}", p), ("m", "const uint8_t", m), ("q", kind, self.out)])

    # Convolution ------------------------------------------------------------------------
    def convolved(self, g):
        """(images at once, whether the columns are the images themselves, line of the geometry)."""
        plain = math.prod(g.kernel) == 1 and set(g.stride) == {1} and not any(low or high for low, high in g.padding)
        one = g.channels * g.taps * g.positions * self.out.dtype.itemsize
        return min(g.batch, max(1, LARGEST // one)), plain, f"const Windows w = {geometry(g, text=True)};"

    def pieces(self, g, most):
        """(first image, number of images) of each piece."""
        return [(a, min(most, g.batch - a)) for a in range(0, g.batch, most)]

    def columns(self, g, line, x, at, first, count, room):
        """A kernel that brings the columns of some images together."""
        kind, name = c_type(self.out.dtype), FLOATS[self.out.dtype.name]
        start = at + first * g.channels * math.prod(g.size)
        self.kernel(count * g.channels * g.taps * g.positions,
                    [line, f"columns_{name}(&w, p + {start}, q, i);"], [("p", f"const {kind}", x), ("q", kind, room)])

    def products(self, g, count, what, x, w, y):
        """One product per group of some images; places with their offsets of columns, weight, and images of y."""
        rows, outs, p = g.channels // g.groups * g.taps, g.outputs // g.groups, g.positions
        kind, all_rows = c_type(self.out.dtype), g.channels * g.taps
        for k in range(g.groups):
            columns = (x[0], x[1] + k * rows * p, p, all_rows * p)
            images = (y[0], y[1] + k * outs * p, p, g.outputs * p)
            step = g.outputs * rows if what == "to_weight" else 0
            weight = (w[0], w[1] + k * outs * rows, rows, step)
            if what == "forward":
                self.made.append(Product(kind, (outs, p, rows), weight, columns, images, (False, False), count))
            elif what == "to_input":
                self.made.append(Product(kind, (rows, p, outs), weight, images, columns, (True, False), count))
            else:
                self.made.append(Product(kind, (outs, rows, p), images, columns, weight, (False, True), count))

    def conv_forward(self):
        x, w, b, g = (self.argument(k) for k in range(4))
        most, plain, line = self.convolved(g)
        kind, (x, at), w = c_type(self.out.dtype), self.rowwise(x), self.rowwise(w)
        room = None if plain else self.take_room(most * g.channels * g.taps * g.positions * self.out.dtype.itemsize)
        for first, count in self.pieces(g, most):
            columns = (x, at + first * g.channels * g.positions)
            if not plain:
                self.columns(g, line, x, at, first, count, room)
                columns = (room, 0)
            self.products(g, count, "forward", columns, w, (self.out, first * g.outputs * g.positions))
        if b is not None:
            b, start = self.rowwise(b)
            self.kernel(self.out.size, [f"q[i] += b[{start} + i / {g.positions}L % {g.outputs}L];"],
                        [("b", f"const {kind}", b), ("q", kind, self.out)])

    def conv_to_input(self):
        y, w, g = (self.argument(k) for k in range(3))
        most, plain, line = self.convolved(g)
        kind, name, (y, at), w = c_type(self.out.dtype), FLOATS[self.out.dtype.name], self.rowwise(y), self.rowwise(w)
        image = g.channels * math.prod(g.size)
        room = None if plain else self.take_room(most * g.channels * g.taps * g.positions * self.out.dtype.itemsize)
        for first, count in self.pieces(g, most):
            columns = (self.out, first * image) if plain else (room, 0)
            self.products(g, count, "to_input", columns, w, (y, at + first * g.outputs * g.positions))
            if not plain:
                self.kernel(count * image, [line, f"uncolumns_{name}(&w, p, q + {first * image}L, i);"],
                            [("p", f"const {kind}", room), ("q", kind, self.out)])

    def conv_to_weight(self):
        x, y, g = (self.argument(k) for k in range(3))
        most, plain, line = self.convolved(g)
        kind, item, (x, at), (y, start) = c_type(self.out.dtype), self.out.dtype.itemsize, self.rowwise(x), \
            self.rowwise(y)
        room = None if plain else self.take_room(most * g.channels * g.taps * g.positions * item)
        each = self.take_room(g.batch * self.out.size * item)
        for first, count in self.pieces(g, most):
            columns = (x, at + first * g.channels * g.positions)
            if not plain:
                self.columns(g, line, x, at, first, count, room)
                columns = (room, 0)
            self.products(g, count, "to_weight", columns, (each, first * self.out.size),
                          (y, start + first * g.outputs * g.positions))
        self.kernel(self.out.size, [f"{kind} sum = 0;", f"for (long n = 0; n < {g.batch}L; ++n) "
                                    f"sum += p[n * {self.out.size}L + i];", "q[i] = sum;"],
                    [("p", f"const {kind}", each), ("q", kind, self.out)])

    # Products ---------------------------------------------------------------------------
    def matmul(self):
        x, y = self.i.inputs
        kw, out, kind = self.i.kwargs, self.out, c_type(self.out.dtype)
        read = []
        for v, flip in ((x, kw["transpose_x"]), (y, kw["transpose_y"])):
            view, shape = self.views.of(v), v.shape
            place, strides, offset = view.root, view.strides, view.offset
            if not lies_well(shape[-2:], *strides[-2:]):
                place, offset = self.in_room(v, view)
                strides = row_major(shape)
            if flip:
                strides, shape = (*strides[:-2], strides[-1], strides[-2]), (*shape[:-2], shape[-1], shape[-2])
            lead = out.shape[:-2]
            extra = len(lead) - len(shape[:-2])
            steps = [0] * extra + [s if n != 1 else 0 for n, s in zip(shape[:-2], strides[:-2])]
            read.append((place, offset, shape[-2:], strides[-2:], steps))
        (m, k), n = read[0][2], read[1][2][1]
        sizes, (xs, ys, zs) = merged(out.shape[:-2], [read[0][4], read[1][4], row_major(out.shape)[:-2]])
        self.stacked(kind, (m, n, k), sizes, list(zip((xs, ys, zs), [(*r[:2], r[2], r[3]) for r in read] + [None])))

    def stacked(self, kind, sizes, lead, sides):
        """Products over stack axes: the longest axis in one call of the library, the others one call after another."""
        m, n, _ = sizes
        longest = max(range(len(lead)), key=lambda a: lead[a]) if lead else None
        others = [a for a in range(len(lead)) if a != longest]
        for count in range(math.prod(lead[a] for a in others)):
            places, left = {}, count
            for a in reversed(others):
                places[a] = left % lead[a]
                left //= lead[a]
            given, turned = [], []
            for steps, side in sides:
                shift = sum(places[a] * steps[a] for a in others)
                stack = steps[longest] if lead else 0
                if side is None:
                    given.append((self.out, shift, n, stack))
                    continue
                place, offset, shape, (rows, columns) = side
                lies = columns == 1 or shape[1] == 1  # row by row
                turned.append(not lies)
                step = max(rows if lies else columns, shape[1] if lies else shape[0], 1)
                given.append((place, offset + shift, step, stack))
            self.made.append(Product(kind, sizes, *given, tuple(turned), lead[longest] if lead else 1))
