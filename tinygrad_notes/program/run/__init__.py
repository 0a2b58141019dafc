"""Ways to run a program: as C where a compiler is found, else in plain NumPy; instruction by instruction elsewhere."""
from ..interpret import interpret

__all__ = ["executor"]
BACKENDS = ("auto", "c", "numpy", "interpret")


def executor(program, extra=(), in_place=(), backend="auto", **options):
    """`run(inputs, states, scalars)`, which returns the arrays of `program.results()`, in their order.

    Args:
        program: the program as recorded.
        extra: further values that are wanted.
        in_place: states whose arrays may be written over.
        backend: "c", "numpy", "interpret", or "auto" for the first of them that this machine and device allow.
        **options: see `base.Executor`.

    Raises:
        ValueError: the backend is unknown.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend: expected one of {', '.join(map(repr, BACKENDS))}, got {backend!r}")
    program.extra = list(extra)
    if backend == "interpret" or program.device != "cpu":
        def run(inputs, states, scalars):
            arrays = interpret(program, inputs, states, scalars)
            return [arrays[v] for v in program.results()]
        return run
    if backend != "numpy":
        from ..native.compiler import compiler
        if compiler() is not None or backend == "c":
            from ..native.executor import NativeExecutor
            return NativeExecutor(program, in_place=in_place, **options)
    from .blocks import BlockExecutor
    return BlockExecutor(program, in_place=in_place, **options)
