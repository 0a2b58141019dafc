"""What programs need of a GPU: compiled kernels, products of matrices, memory, captured stretches of work."""
import ctypes
import threading
from functools import cached_property
from pathlib import Path

import numpy as np

WORKSPACE = 32 << 20  # bytes that the library of products may use


class Cupy:
    """CuPy's driver, and cuBLAS under a handle of our own: CuPy refuses to use its own while work is captured.

    Fields:
        block: threads of a block, as in prelude.cuh.
    """

    block = 256

    def __init__(self):
        import cupy
        self.cupy, self.current, self.lock = cupy, None, threading.Lock()

    # Memory ---------------------------------------------------------------------------
    @staticmethod
    def address(array):
        """Where an array lies."""
        return array.data.ptr

    def upload(self, target, host):
        """Copy host numbers into an array."""
        target.set(host)

    def wait(self):
        """Until all work is over."""
        self.cupy.cuda.get_current_stream().synchronize()

    # Kernels --------------------------------------------------------------------------
    def compile(self, text):
        """The kernels of a text: `kernels(name, blocks, addresses, wide)` starts one."""
        module = self.cupy.RawModule(code=text, options=("--std=c++17", "--fmad=false"))
        functions = {}

        def start(name, blocks, addresses, wide=False):
            if name not in functions:
                functions[name] = module.get_function(name)
            functions[name]((blocks,), (4 * self.block if wide else self.block,), addresses)
        return start

    # Products -------------------------------------------------------------------------
    @cached_property
    def library(self):
        """cuBLAS as CuPy has loaded it, its handle, its room."""
        a = self.cupy.zeros((2, 2), np.float32)
        self.cupy.matmul(a, a)  # loads it
        version = self.cupy.cuda.cublas.getVersion(self.cupy.cuda.device.get_cublas_handle())
        library = ctypes.CDLL(_loaded("libcublas.so") or f"libcublas.so.{version // 10000}")
        handle = ctypes.c_void_p()
        _check(library.cublasCreate_v2(ctypes.byref(handle)))
        self.room = self.cupy.empty(WORKSPACE, np.uint8)
        self.numbers = {kind: (kind(1), kind(0)) for kind in (ctypes.c_float, ctypes.c_double)}
        return library, handle

    def use(self, stream):
        """Run products on a stream from now on."""
        library, handle = self.library
        if self.current != stream.ptr:
            _check(library.cublasSetStream_v2(handle, ctypes.c_void_p(stream.ptr)))
            _check(library.cublasSetWorkspace_v2(handle, ctypes.c_void_p(self.room.data.ptr),
                                                 ctypes.c_size_t(WORKSPACE)))
            self.current = stream.ptr

    def product(self, kind, sizes, a, b, c, turned, count):
        """c = a @ b for matrices row by row; sides are (address, elements from row to row, from matrix to matrix)."""
        library, handle = self.library
        m, n, k = sizes
        real, function = (ctypes.c_float, library.cublasSgemmStridedBatched) if kind == "float" else (
            ctypes.c_double, library.cublasDgemmStridedBatched)
        one, zero = self.numbers[real]
        self.use(self.cupy.cuda.get_current_stream())
        # The library counts by columns: it sees each matrix transposed and computes c.T = b.T @ a.T.
        _check(function(handle, int(turned[1]), int(turned[0]), n, m, k, ctypes.byref(one), ctypes.c_void_p(b[0]), b[1],
                        ctypes.c_longlong(b[2]), ctypes.c_void_p(a[0]), a[1], ctypes.c_longlong(a[2]),
                        ctypes.byref(zero), ctypes.c_void_p(c[0]), c[1], ctypes.c_longlong(c[2]), count))

    # Captured work --------------------------------------------------------------------
    def capture(self, work):
        """A function that repeats, in one launch, the kernels and products that `work()` starts."""
        stream = self.cupy.cuda.Stream(non_blocking=True)
        self.library  # noqa: B018 (made before: making it is no work to be captured)
        with self.lock, stream:
            self.use(stream)
            stream.begin_capture()
            try:
                work()
            finally:
                graph = stream.end_capture()
        return lambda: graph.launch(self.cupy.cuda.get_current_stream())


def _loaded(name):
    """The path of a library of this process, or None."""
    maps = Path("/proc/self/maps")
    lines = maps.read_text(encoding="utf-8").splitlines() if maps.exists() else []
    return next((line.split()[-1] for line in lines if name in line), None)


def _check(status):
    if status:
        raise RuntimeError(f"cuBLAS: error {status}")
