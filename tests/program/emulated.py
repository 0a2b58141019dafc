"""A GPU on the CPU: kernels as C, threads of the system in place of those of a block, products by NumPy."""
import ctypes
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

HEAD = """
#include <pthread.h>
typedef struct { long x; } place_;
static __thread place_ blockIdx, threadIdx;
static pthread_barrier_t barrier_;
#define __shared__ static
#define __syncthreads() pthread_barrier_wait(&barrier_)
"""
TAIL = """
typedef struct { void (*kernel)(void**); long blocks; int index; void** args; } work_;
static void* one_(void* given) {
    work_* w = given;
    threadIdx.x = w->index;
    for (long b = 0; b < w->blocks; ++b) {
        blockIdx.x = b;
        w->kernel(w->args);
        pthread_barrier_wait(&barrier_);
    }
    return 0;
}
static void launch_(void (*kernel)(void**), long blocks, int size, void** args) {
    pthread_t threads[WIDE];
    work_ work[WIDE];
    pthread_barrier_init(&barrier_, 0, size);
    for (int k = 0; k < size; ++k) {
        work[k] = (work_){kernel, blocks, k, args};
        pthread_create(&threads[k], 0, one_, &work[k]);
    }
    for (int k = 0; k < size; ++k) pthread_join(threads[k], 0);
    pthread_barrier_destroy(&barrier_);
}
"""
BLOCK = 8


class Emulated:
    """In place of `cuda.device.Cupy`."""

    block = BLOCK

    def __init__(self):
        self.recorded, self.launched, self.captured = None, 0, 0

    @staticmethod
    def address(array):
        """Where an array lies."""
        assert isinstance(array, np.ndarray) and array.flags.c_contiguous
        return array.ctypes.data

    @staticmethod
    def upload(target, host):
        """Copy numbers."""
        target[:len(host)] = host

    def wait(self):
        """Nothing is left running."""

    def compile(self, text):
        """The kernels of a text."""
        kernels = re.findall(r"^KERNEL void (?:LONG_ROWS )?(\w+)\((.*)\) \{$", text, re.MULTILINE)
        calls = []
        for name, parameters in kernels:
            given = ", ".join(f"a[{k}]" for k in range(parameters.count(",") + 1))
            calls += [f"static void call_{name}(void** a) {{ {name}({given}); }}",
                      f"void run_{name}(long n, int size, void** args) {{ launch_(call_{name}, n, size, args); }}"]
        with tempfile.TemporaryDirectory() as folder:
            source, made = Path(folder) / "kernels.c", Path(folder) / "kernels.so"
            source.write_text("\n".join([HEAD, text, TAIL, *calls]), encoding="utf-8")
            done = subprocess.run([shutil.which("cc"), "-O1", "-DEMULATED", f"-DBLOCK={BLOCK}", "-ffp-contract=off",
                                   "-fPIC", "-shared", "-Wall", "-Werror", "-Wno-unused-function",
                                   "-Wno-unused-variable", "-Wno-tautological-compare", str(source), "-o", str(made),
                                   "-lm", "-lpthread"],
                                  capture_output=True, text=True)
            assert not done.returncode, done.stderr[:3000]
            library = ctypes.CDLL(str(made))

        def start(name, blocks, addresses, wide=False):
            size = 4 * BLOCK if wide else BLOCK
            pointers = (ctypes.c_void_p * len(addresses))(*addresses)
            self.do(lambda: getattr(library, f"run_{name}")(ctypes.c_long(blocks), size, pointers))
        return start

    def product(self, kind, sizes, a, b, c, turned, count):
        """Products of matrices at addresses."""
        dtype, (m, n, k) = np.dtype("float32" if kind == "float" else "float64"), sizes

        def matrices(side, rows, columns, flip):
            address, step, stack = side
            shape = (count, columns, rows) if flip else (count, rows, columns)
            assert step >= shape[-1] or shape[-2] == 1
            size = (count - 1) * stack + (shape[-2] - 1) * step + shape[-1]
            flat = np.frombuffer((ctypes.c_char * (size * dtype.itemsize)).from_address(address), dtype)
            found = np.lib.stride_tricks.as_strided(flat, shape, [s * dtype.itemsize for s in (stack, step, 1)])
            return found.swapaxes(-1, -2) if flip else found

        def work():
            matrices(c, m, n, False)[...] = matrices(a, m, k, turned[0]) @ matrices(b, k, n, turned[1])
        self.do(work)

    def do(self, work):
        """Do it now, or write it down while work is captured."""
        if self.recorded is not None:
            self.recorded.append(work)
        else:
            self.launched += 1
            work()

    def capture(self, work):
        """A function that repeats what `work` starts."""
        self.recorded, self.captured = [], self.captured + 1
        work()
        found, self.recorded = self.recorded, None
        return lambda: [each() for each in found]
