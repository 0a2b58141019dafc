"""A program as compiled C code, with Python only where a function has no C form."""
import ctypes
import functools

from ...backend.blas import blas_libraries
from ..build import operands
from ..elementwise import ELEMENTWISE
from ..errors import Outdated
from ..kernels import Call, Loop
from ..program import Value
from ..run.base import Executor
from .calls import CallCode, has_c_form, is_narrow
from .compiler import build, library, source
from .expressions import TYPES, c_type, supported
from .library import NEEDS, KernelCode, has_kernel
from .loops import LoopCode

_OPENMP = """#ifdef _OPENMP
#include <omp.h>
#else
#define omp_get_thread_num() 0
#define omp_get_num_threads() 1
#endif"""


_CLOCK = """#include <time.h>
double times_[{}];
static double begin_;
static double now_(void) {{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}}"""


class Context:
    """What the parts of the C text ask for: pointers, numbers, room for each thread."""

    def __init__(self, executor, threads):
        self.executor, self.threads = executor, threads
        self.room = self.most = 0

    def pointer(self, root):
        """The C text of a typed pointer to the memory of a value."""
        return self.executor.pointer(root)

    def scalar(self, scalar):
        """The C text of a number that changes from run to run."""
        return f"scalars[{scalar.index}]"

    def scratch(self, size, threads=None):
        """The C text of a place of `size` bytes that each thread has for itself until the kernel is over."""
        size = -(-size // 64) * 64
        many = self.threads if threads is None else threads
        at = self.room
        self.room += size * many
        self.most = max(self.most, self.room)
        return f"room + {at}L + t_ * {size}L" if many > 1 else f"room + {at}L"


class NativeExecutor(Executor):
    """Runs a program as C.

    Raises:
        CompileError: the compiler refuses, or there is none.
    """

    longest_row = 1 << 17  # threads share rows: one that is longer ends its loop, and is shared as a line

    def __init__(self, program, **options):
        super().__init__(program, **options)
        self.slots = {}  # root -> index of its pointer
        self.write_code()
        self.make_arena(self.room)
        self.make_tables()

    def fits(self, instruction):
        """Whether an instruction may be in a loop of C code."""
        if instruction.name in ELEMENTWISE or instruction.name == "cast":
            return supported(instruction, operands(instruction))
        return all(v.dtype.name in TYPES for v in (*instruction.inputs, *instruction.made) if isinstance(v, Value))

    def in_python(self, kernel):
        """Whether a kernel runs as a Python function."""
        return isinstance(kernel, Call) and not has_c_form(kernel.instruction, self.views) \
            and not has_kernel(kernel.instruction)

    # The text -------------------------------------------------------------------------
    def pointer(self, root):
        """The C text of a typed pointer to the memory of a value."""
        owner, offset = self.owner(root)
        kind = c_type(root.dtype)
        if owner in self.memory.offsets:
            text = f"(({kind}*)(arena + {self.memory.offsets[owner]}L))"
        else:
            slot = self.slots.setdefault(owner, len(self.slots))
            text = f"(({kind}*)io[{slot}])"
        return f"({text} + {offset}L)" if offset else text

    def write_code(self):
        """The C text, cut where Python must step in; compiles it."""
        context = Context(self, self.threads)
        self.steps, bodies, lines, used = [], [], [], set()

        def finish():
            if lines:
                bodies.append(list(lines))
                self.steps.append(len(bodies) - 1)
                lines.clear()
        for kernel in self.fusion.kernels:
            context.room = 0
            if self.timed and not self.in_python(kernel):
                lines.append("    begin_ = now_();")
            if self.in_python(kernel):
                finish()
                self.steps.append(kernel.instruction)
            elif isinstance(kernel, Loop):
                lines += LoopCode(kernel, self.views, self.stored, context).code()
            elif kernel.instruction.name in NEEDS:
                used.add(NEEDS[kernel.instruction.name])
                lines += KernelCode(kernel.instruction, self.views, self.memory, context).code()
            else:
                used |= {"blas.h"} if is_narrow(kernel.instruction) else set()
                lines += CallCode(kernel.instruction, self.views, self.memory, context).code()
            if self.timed and not self.in_python(kernel):
                lines.append(f"    times_[{kernel.index}] += now_() - begin_;")
        finish()
        self.room = context.most
        functions = []
        for k, body in enumerate(bodies):
            functions += [f"static int work{k}(char* restrict arena, char** io, const double* scalars) {{",
                          f"    char* room = arena + {self.memory.size}L; (void)room;", *body, "    return 0;", "}", "",
                          f"int run{k}(char* arena, char** io, const double* scalars) {{",
                          "    const int before = set_blas_threads ? blas_threads() : 1;",
                          "    if (before != 1) set_blas_threads(1);",
                          f"    const int done = work{k}(arena, io, scalars);",
                          "    if (before != 1) set_blas_threads(before);", "    return done;", "}", ""]
        parts = [source(name) for name in ("blas.h", *sorted(used - {"blas.h"}))]
        self.text = "\n".join([source("prelude.h"), _OPENMP, f"#define THREADS {self.threads}", *parts,
                               *([_CLOCK.format(len(self.fusion.kernels))] if self.timed else []), *functions])
        for header, name in (("conv.h", "convolution"), ("blas.h", "products")):
            if header in used:
                library(name)
        self.library = build(self.text)
        set_products(self.library)
        self.functions = [getattr(self.library, f"run{k}") for k in range(len(bodies))]
        for function in self.functions:
            function.restype = ctypes.c_int
            function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]

    # Running --------------------------------------------------------------------------
    def make_tables(self):
        """The table of pointers, with what is known of them already."""
        self.table = (ctypes.c_void_p * max(1, len(self.slots)))()
        self.numbers = (ctypes.c_double * max(1, len(self.program.scalars)))()
        for root, array in self.constants.items():
            if root in self.slots:
                self.table[self.slots[root]] = array.ctypes.data
        self.pointers = [(v, self.slots[v]) for v in (*self.program.inputs, *self.program.states, *self.outside)
                         if v in self.slots]
        self.places = self.arena.ctypes.data, ctypes.addressof(self.table), ctypes.addressof(self.numbers)

    def __call__(self, inputs, states, scalars):
        arrays, table = self.bind(inputs, states), self.table
        for value, slot in self.pointers:
            table[slot] = arrays[value].__array_interface__["data"][0]
        if scalars:
            self.numbers[:len(scalars)] = scalars
        for step in self.steps:
            if step.__class__ is int:
                if self.functions[step](*self.places):
                    raise Outdated
            else:
                self.run_python(step, arrays, scalars)
                for value in step.made:
                    if value in self.slots:
                        table[self.slots[value]] = arrays[value].__array_interface__["data"][0]
        return self.returned(arrays)


@functools.cache
def _products():
    """The addresses of SciPy's sgemm and dgemm, and of what asks and tells its library the number of threads."""
    from scipy.linalg import cython_blas

    get_name, get = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    get_name.restype, get_name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    capsules = [cython_blas.__pyx_capi__[name] for name in ("sgemm", "dgemm")]
    # NumPy's wheel brings a library of its own along, whose file is named alike.
    found = [blas.thread_functions() for blas in blas_libraries() if "numpy" not in blas.path.parent.name.lower()]
    threads = found[0] if len(found) == 1 else (None, None)
    return (*[get(capsule, get_name(capsule)) for capsule in capsules], *threads)


def set_products(library):
    """Tell a compiled library where the products of matrices are."""
    library.set_blas.argtypes = [ctypes.c_void_p] * 4
    library.set_blas(*_products())
