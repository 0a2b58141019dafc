"""CUDA kernels on the CPU: their text compiled as C, with threads of the system in place of those of a block."""
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
static void launch_(void (*kernel)(void**), long blocks, void** args) {
    pthread_t threads[BLOCK];
    work_ work[BLOCK];
    pthread_barrier_init(&barrier_, 0, BLOCK);
    for (int k = 0; k < BLOCK; ++k) {
        work[k] = (work_){kernel, blocks, k, args};
        pthread_create(&threads[k], 0, one_, &work[k]);
    }
    for (int k = 0; k < BLOCK; ++k) pthread_join(threads[k], 0);
    pthread_barrier_destroy(&barrier_);
}
"""
BLOCK = 8


class Emulated:
    """In place of `cuda.executor.CupyModule`."""

    def __init__(self, text):
        kernels = re.findall(r"^KERNEL void (\w+)\((.*)\) \{$", text, re.MULTILINE)
        calls = []
        for name, parameters in kernels:
            given = ", ".join(f"a[{k}]" for k in range(parameters.count(",") + 1))
            calls += [f"static void call_{name}(void** a) {{ {name}({given}); }}",
                      f"void run_{name}(long blocks, void** args) {{ launch_(call_{name}, blocks, args); }}"]
        with tempfile.TemporaryDirectory() as folder:
            source, made = Path(folder) / "kernels.c", Path(folder) / "kernels.so"
            source.write_text("\n".join([HEAD, text, TAIL, *calls]), encoding="utf-8")
            done = subprocess.run([shutil.which("cc"), "-O1", "-DEMULATED", f"-DBLOCK={BLOCK}", "-ffp-contract=off",
                                   "-fPIC", "-shared", "-Wall", "-Werror", "-Wno-unused-function",
                                   "-Wno-unused-variable", "-Wno-tautological-compare", str(source), "-o", str(made),
                                   "-lm", "-lpthread"],
                                  capture_output=True, text=True)
            assert not done.returncode, done.stderr[:3000]
            self.library = ctypes.CDLL(str(made))

    def run(self, launch, arrays):
        """Run a kernel."""
        for a in arrays:
            assert isinstance(a, np.ndarray) and a.flags.c_contiguous
        blocks = launch.blocks if launch.threads is None else -(-launch.blocks // BLOCK)
        pointers = (ctypes.c_void_p * len(arrays))(*[a.ctypes.data for a in arrays])
        getattr(self.library, f"run_{launch.name}")(ctypes.c_long(blocks), pointers)
