"""What this machine can do at most: products of matrices, passes over memory, convolutions in C; one thread.

    env -u OPENBLAS_CORETYPE OPENBLAS_NUM_THREADS=1 python -m benchmarks.limits
"""

import ctypes
import time

import numpy as np

import tinygrad_notes as tn


def best(function, seconds=0.5):
    """The shortest time of one call."""
    shortest, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        function()
        shortest = min(shortest, time.perf_counter() - begin)
    return shortest


def product(m, n, k):
    """GFLOP/s of (m, k) times (k, n) in float32 by NumPy's BLAS."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((m, k)).astype("f"), rng.standard_normal((k, n)).astype("f")
    out = np.empty((m, n), "f")
    return 2e-9 * m * n * k / best(lambda: np.matmul(x, y, out=out))


def memory():
    """GB/s read and written by a copy of 256 MiB."""
    x = np.ones(1 << 25)
    out = np.empty_like(x)
    return 2e-9 * x.nbytes / best(lambda: np.copyto(out, x))


def convolutions(batch, channels, outputs, size, kernel, padding):
    """GFLOP/s of a convolution and its two gradients in C, counted as the plain way has them."""
    from tinygrad_notes.backend.windows import windows
    from tinygrad_notes.program.native.compiler import compiler
    from tinygrad_notes.program.native.library import geometry, library, room_of, way

    if compiler() is None:
        return {}
    g = windows((batch, channels, size, size), (outputs, channels, kernel, kernel), (1, 1), ((padding, padding),) * 2,
                (1, 1), 1)
    rng = np.random.default_rng(0)
    x, w, y = (rng.standard_normal(s).astype("f") for s in (
        (batch, channels, size, size), (outputs, channels, kernel, kernel), (batch, outputs, *g.out)))
    flops = 2e-9 * y.size * channels * kernel * kernel
    found = {}
    for what, (a, b, c) in {"forward": (x, w, y), "to_input": (y, w, x), "to_weight": (x, y, w)}.items():
        kind, c_geometry = way(f"conv_{what}", g, np.dtype("f")), geometry(g)
        if kind == "columns":  # products of the BLAS
            continue
        room = np.empty(room_of(kind, what, c_geometry, 1) + 64, "f")
        given = [ctypes.c_void_p(v.ctypes.data) for v in (a, b)]
        given += [ctypes.c_void_p(0)] if what == "forward" else []
        out, place = np.empty_like(c), ctypes.c_void_p(room.ctypes.data)
        run = getattr(library("convolution"), f"{kind}_{what}")
        run.restype = None
        seconds = best(lambda run=run, g=c_geometry, given=given, out=out, place=place: run(
            ctypes.byref(g), ctypes.c_long(1), *given, ctypes.c_void_p(out.ctypes.data), place))
        found[f"{what} ({kind})"] = flops / seconds
    return found


def main():
    """Print all of it."""
    tn.set_num_threads(1)
    for shape in ((1024, 1024, 1024), (1024, 512, 128), (128, 784, 400), (100, 200, 200), (256, 64, 64)):
        print(f"product {shape}: {product(*shape):.0f} GFLOP/s")
    print(f"copy of 256 MiB: {memory():.1f} GB/s")
    for title, shape in {"3 x 3, 64 to 64 channels, 16 images of 32 x 32": (16, 64, 64, 32, 3, 1),
                         "5 x 5, 16 to 32 channels, 64 images of 12 x 12": (64, 16, 32, 12, 5, 0),
                         "5 x 5, 1 to 16 channels, 64 images of 28 x 28": (64, 1, 16, 28, 5, 0)}.items():
        for what, rate in convolutions(*shape).items():
            print(f"convolution {title}, {what}: {rate:.0f} GFLOP/s")


if __name__ == "__main__":
    main()
