"""Instructions that are not loops, as C: products, copies, fills, look-ups, conditions."""
import ctypes
import math

from ..program import Value
from ..views import merged, row_major
from .compiler import library
from .expressions import TYPES, c_type, number

IN_C = ("matmul", "concat", "write", "full", "take", "assume", "reshape")


def has_c_form(instruction, views):
    """Whether an instruction that is no loop can be written in C."""
    name, kw = instruction.name, instruction.kwargs
    values = [*[v for v in instruction.inputs if isinstance(v, Value)], *instruction.made]
    if name not in IN_C or any(v.dtype.name not in TYPES for v in values):
        return False
    if name == "matmul":
        return "transpose_x" in kw and values[-1].dtype.kind == "f" and all(v.size for v in values)
    if name == "concat":
        return "axis" in kw and not any(isinstance(a, (tuple, list)) for a in instruction.args)
    if name == "write":
        return "starts" in kw
    if name == "full":
        return "value" in kw
    if name == "take":
        return "axis" in kw and values[1].dtype.kind == "i" and values[0].size > 0
    return True


class CallCode:
    """Writes one instruction.

    Args:
        instruction: it.
        views: the `Views` of the program.
        memory: the `Memory` plan.
        context: see `loops.LoopCode`.
    """

    def __init__(self, instruction, views, memory, context):
        self.i, self.views, self.memory, self.context = instruction, views, memory, context
        self.out = instruction.outputs[0]

    def code(self):
        """The C lines."""
        lines = getattr(self, self.i.name)()
        return ["    {", *["        " + line for line in lines], "    }"]

    # Copies ---------------------------------------------------------------------------
    def copy(self, target, target_strides, target_offset, source, strides, offset, shape, kind):
        """Loops that copy an array between any strides."""
        if not math.prod(shape):
            return []
        sizes, (to, of) = merged(shape, [target_strides, strides])
        if not sizes:
            return [f"{target}[{target_offset}] = {source}[{offset}];"]
        if to[-1] == of[-1] == 1 and sizes[-1] * 4 >= 64:
            inner, sizes, tail = sizes[-1], sizes[:-1], True
        else:
            inner, tail = 1, False
        lines = [f"for (long c{k} = 0; c{k} < {n}; ++c{k})" for k, n in enumerate(sizes)]
        place = " + ".join([str(target_offset), *[f"c{k} * {s}L" for k, s in enumerate(to[:len(sizes)]) if s]])
        at = " + ".join([str(offset), *[f"c{k} * {s}L" for k, s in enumerate(of[:len(sizes)]) if s]])
        if tail:
            lines.append(f"memcpy({target} + {place}, {source} + {at}, {inner}L * sizeof({kind}));")
        else:
            lines.append(f"{target}[{place}] = {source}[{at}];")
        return lines

    def reshape(self):
        x = self.i.inputs[0]
        view, kind = self.views.of(x), c_type(self.out.dtype)
        return [f"const {kind}* p = {self.context.pointer(view.root)}; {kind}* q = {self.context.pointer(self.out)};",
                *self.copy("q", row_major(x.shape), 0, "p", view.strides, view.offset, x.shape, kind)]

    def concat(self):
        kind, axis, at = c_type(self.out.dtype), self.i.kwargs["axis"], 0
        lines = [f"{kind}* q = {self.context.pointer(self.out)};"]
        strides = row_major(self.out.shape)
        for k, part in enumerate(self.i.inputs):
            view = self.views.of(part)
            if not self.memory.is_there(view.root, self.out, at * strides[axis]):
                lines.append(f"{{ const {kind}* p{k} = {self.context.pointer(view.root)};")
                start = at * strides[axis]
                lines += self.copy("q", strides, start, f"p{k}", view.strides, view.offset, part.shape, kind)
                lines.append("}")
            at += part.shape[axis]
        return lines

    def write(self):
        x, part = self.i.inputs
        kind, kw, strides = c_type(self.out.dtype), self.i.kwargs, row_major(self.out.shape)
        whole, inner = self.views.of(x), self.views.of(part)
        lines = [f"{kind}* q = {self.context.pointer(self.out)};",
                 f"const {kind}* p = {self.context.pointer(inner.root)};",
                 f"const {kind}* x = {self.context.pointer(whole.root)};",
                  *self.copy("q", strides, 0, "x", whole.strides, whole.offset, x.shape, kind)]
        offset = sum(a * s for a, s in zip(kw["starts"], strides))
        to = tuple(s * step for s, step in zip(strides, kw["steps"]))
        return [*lines, *self.copy("q", to, offset, "p", inner.strides, inner.offset, part.shape, kind)]

    def full(self):
        kind, value = c_type(self.out.dtype), number(self.i.kwargs["value"], self.out.dtype)
        return [f"{kind}* q = {self.context.pointer(self.out)};",
                f"for (long k = 0; k < {self.out.size}; ++k) q[k] = {value};"]

    def take(self):
        x, index = self.i.inputs
        axis, kind = self.i.kwargs["axis"], c_type(x.dtype)
        view, places = self.views.of(x), self.views.of(index)
        n = x.shape[axis]
        lead, tail = x.shape[:axis], x.shape[axis + 1:]
        lines = [f"const {kind}* p = {self.context.pointer(view.root)}; {kind}* q = {self.context.pointer(self.out)};",
                 f"const {c_type(index.dtype)}* t = {self.context.pointer(places.root)};"]
        inner = f"{view.offset}" + "".join(f" + a{k} * {s}L" for k, s in enumerate(view.strides[:axis]) if s)
        sizes = [*[(f"a{k}", m) for k, m in enumerate(lead)], *[(f"t{k}", m) for k, m in enumerate(index.shape)]]
        lines += ["long at = 0;", *[f"for (long {v} = 0; {v} < {m}; ++{v}) {{" for v, m in sizes]]
        where = " + ".join([str(places.offset), *[f"t{k} * {s}L" for k, s in enumerate(places.strides) if s]])
        lines += [f"long k = t[{where}]; if (k < 0) k += {n}; if (k < 0 || k >= {n}) return 2;"]
        start = f"{inner} + k * {view.strides[axis]}L"
        row = self.copy("(q + at)", row_major(tail), 0, "p", view.strides[axis + 1:], 0, tail, kind)
        lines += [line.replace("p[0", f"p[{start}").replace("p + 0", f"p + {start}") for line in row]
        return [*lines, f"at += {math.prod(tail)};", *["}"] * len(sizes)]

    def assume(self):
        x = self.views.of(self.i.inputs[0])
        return [f"if (({self.context.pointer(x.root)})[{x.offset}] != {int(self.i.args[1])}) return 1;"]

    # Products -------------------------------------------------------------------------
    def matmul(self):
        """One call of the library's product, or one per matrix of a stack."""
        x, y = self.i.inputs
        kw, out = self.i.kwargs, self.out
        kind = c_type(out.dtype)
        lines, read = [], []
        for name, v, turned in (("p", x, kw["transpose_x"]), ("r", y, kw["transpose_y"])):
            view = self.views.of(v)
            rows, columns = view.strides[-2:]
            shape, strides, offset = v.shape, view.strides, view.offset
            lines.append(f"const {kind}* {name} = {self.context.pointer(view.root)};")
            if not lies_well(shape[-2:], rows, columns):
                size = math.prod(shape)
                place = self.context.scratch(size * v.dtype.itemsize, threads=1)
                lines.append(f"{kind}* {name}c = ({kind}*)({place});")
                lines += self.copy(f"{name}c", row_major(shape), 0, name, strides, offset, shape, kind)
                lines.append(f"{name} = {name}c;")
                strides, offset = row_major(shape), 0
            if turned:
                strides = (*strides[:-2], strides[-1], strides[-2])
                shape = (*shape[:-2], shape[-1], shape[-2])
            read.append((name, shape, strides, offset))
        lines.append(f"{kind}* q = {self.context.pointer(out)};")
        (_, xs, xt, xo), (_, ys, yt, yo) = read
        (m, k), n = xs[-2:], ys[-1]
        lead = out.shape[:-2]
        if is_narrow(self.i):
            ask = library("products").product_room
            ask.restype, ask.argtypes = ctypes.c_long, [ctypes.c_long] * 3
            room = self.context.scratch(4 * self.context.threads * ask(m, n, k), threads=1)
            return [*lines, f"product(THREADS, {m}, {n}, {k}, p + {xo}, {xt[-2]}, {xt[-1]}, r + {yo}, {yt[-2]}, "
                            f"{yt[-1]}, q, {n}, (float*)({room}));"]
        if math.prod(lead) * m * n * k >= 1 << 23 and math.prod(lead) > 1 and self.context.threads > 1:
            lines.append(f"#pragma omp parallel for collapse({len(lead)}) num_threads(THREADS)")
        lines += [f"for (long s{a} = 0; s{a} < {size}; ++s{a}) {{" for a, size in enumerate(lead)]
        at = [self.stack_offset(lead, s[:-2], t[:-2], o) for s, t, o in ((xs, xt, xo), (ys, yt, yo))]
        to = self.stack_offset(lead, lead, row_major(out.shape)[:-2], 0)
        function = f"gemm_{'f' if kind == 'float' else 'd'}{'_1' if math.prod(lead) > 1 else ''}"
        lines.append(f"{function}({m}, {n}, {k}, p + {at[0]}, {xt[-2]}, {xt[-1]}, "
                     f"r + {at[1]}, {yt[-2]}, {yt[-1]}, q + {to}, {n});")
        return [*lines, *["}"] * len(lead)]

    @staticmethod
    def stack_offset(lead, shape, strides, offset):
        """Where the matrix of the present stack indices starts."""
        extra = len(lead) - len(shape)
        terms = [f"s{a + extra} * {t}L" for a, (n, t) in enumerate(zip(shape, strides)) if n != 1 and t]
        return " + ".join([str(offset), *terms])


def is_narrow(instruction):
    """Whether this is a large product in float32 of which one side has few rows or columns: products.c is faster."""
    if instruction.name != "matmul" or "transpose_x" not in instruction.kwargs:
        return False
    x, out = instruction.inputs[0], instruction.outputs[0]
    return (len(out.shape) == 2 and out.dtype.name == "float32" and min(out.shape) <= 32
            and out.size * x.size // max(out.shape[0], 1) >= 1 << 21)


def lies_well(shape, rows, columns):
    """Whether a matrix with these strides can be read as it lies: elements of rows or of columns next to each other."""
    m, n = shape
    return (columns == 1 or n == 1 or rows == 1 or m == 1) and rows >= 0 and columns >= 0 \
        and not (rows == 0 and m > 1) and not (columns == 0 and n > 1)
