"""Ways to run a program: as C where a compiler is found, else in plain NumPy; as CUDA graphs on a GPU."""
import warnings

from ..interpret import interpret
from ..native.compiler import compiler

__all__ = ["executor"]
BACKENDS = ("auto", "c", "cuda", "numpy", "interpret")


def executor(program, extra=(), in_place=(), backend="auto", **options):
    """`run(inputs, states, scalars)`, which returns the arrays of `program.results()`, in their order.

    Args:
        program: the program as recorded.
        extra: further values that are wanted.
        in_place: states whose arrays may be written over.
        backend: "c", "numpy", "interpret", "cuda" (see `cuda.executor`), or "auto" for the first of them that this
            machine and device allow; should one fail, the next takes its place, with a warning.
        **options: see `base.Executor`.

    Raises:
        ValueError: the backend is unknown, or "cuda" is asked to run a program of another device.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend: expected one of {', '.join(map(repr, BACKENDS))}, got {backend!r}")
    program.extra = list(extra)
    ways = [backend] if backend != "auto" else ["c", "numpy", "interpret"] if compiler() else ["numpy", "interpret"]
    if backend == "cuda" and program.device != "cuda":
        raise ValueError(f"backend: 'cuda' runs programs of the device cuda; this one was recorded on {program.device}")
    if program.device != "cpu":
        ways = ["cuda", "interpret"] if program.device == "cuda" and backend in ("auto", "cuda") else ["interpret"]
    failed = []
    for way in ways:
        try:
            made = _made(way, program, in_place, options)
        except Exception as error:
            if way == ways[-1]:
                raise
            failed.append(f"{way} ({type(error).__name__}: {error})")
            continue
        if failed:
            warnings.warn(f"compile: {way} runs this program, since it cannot be done by {' nor by '.join(failed)}",
                          RuntimeWarning, stacklevel=2)
        return made
    raise AssertionError("there is always a way")


def _made(way, program, in_place, options):
    if way == "c":
        from ..native.executor import NativeExecutor
        return NativeExecutor(program, in_place=in_place, **options)
    if way == "cuda":
        from ..cuda.executor import CudaExecutor
        return CudaExecutor(program, in_place=in_place, **options)
    if way == "numpy":
        from .blocks import BlockExecutor
        return BlockExecutor(program, in_place=in_place, **options)

    def run(inputs, states, scalars):
        arrays = interpret(program, inputs, states, scalars)
        return [arrays[v] for v in program.results()]
    return run
