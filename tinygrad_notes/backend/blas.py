"""The BLAS libraries inside this process: which kernels they chose and how many threads they use.

Small products are slower on several threads than on one, and much slower on a busy machine, where the
threads wait for each other. OpenBLAS is asked directly, through ctypes; other libraries are only named.
"""
import ctypes
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np

_NAMES = ("openblas", "mkl_rt", "blis", "accelerate")
# NumPy's and SciPy's wheels rename the functions of the library they bring along.
_SPELLINGS = [f"{before}openblas_{{}}{after}" for before in ("", "scipy_") for after in ("", "64_", "_64")]


class Blas:
    """One loaded library.

    Attributes:
        path: the file.
        config: its own description of itself, or "".
        kernel: the CPU its routines were chosen for, such as 'SkylakeX', or "".
    """

    def __init__(self, path):
        self.path = path
        self._library = ctypes.CDLL(str(path))
        self._found = {}
        self.config = self._text("get_config")
        self.kernel = self._text("get_corename")

    def _find(self, name):
        if name not in self._found:
            spelled = (getattr(self._library, spelling.format(name), None) for spelling in _SPELLINGS)
            self._found[name] = next((function for function in spelled if function is not None), None)
        return self._found[name]

    def _text(self, name):
        function = self._find(name)
        if function is None:
            return ""
        function.restype = ctypes.c_char_p
        return (function() or b"").decode(errors="replace").strip()

    @property
    def threads(self):
        """How many threads it uses; None if it cannot be asked."""
        function = self._find("get_num_threads")
        return None if function is None else int(function())

    def thread_functions(self):
        """The addresses of the C functions that ask and tell the number of threads; None twice if one is missing."""
        found = [self._find(name) for name in ("get_num_threads", "set_num_threads")]
        return (None, None) if None in found else tuple(ctypes.cast(f, ctypes.c_void_p).value for f in found)

    def set_threads(self, n):
        """Use `n` threads from now on; False if it cannot be told."""
        function = self._find("set_num_threads")
        if function is None:
            return False
        function(ctypes.c_int(n))
        return True


def blas_libraries():
    """The `Blas` libraries that are loaded, an OpenBLAS first."""
    found = []
    for path in _loaded():
        try:
            found.append(Blas(path))
        except OSError:
            continue
    return sorted(found, key=lambda blas: blas.threads is None)


def _loaded():
    """Paths of loaded libraries whose names tell that they are a BLAS."""
    if sys.platform.startswith("linux"):
        lines = Path("/proc/self/maps").read_text().splitlines()
        paths = dict.fromkeys(parts[5] for parts in (line.split(maxsplit=5) for line in lines) if len(parts) == 6)
    else:  # the folders where wheels for macOS and Windows bring theirs
        root = Path(np.__file__).parent
        paths = [str(p) for folder in (root / ".dylibs", root.parent / "numpy.libs") if folder.is_dir()
                 for p in folder.iterdir()]
    return [Path(p) for p in paths if any(name in Path(p).name.lower() for name in _NAMES)]


@contextmanager
def blas_threads(n):
    """Inside the block, products use `n` threads; None changes nothing.

    Raises:
        ValueError: `n` is below 1.

    Example:
        >>> from tinygrad_notes.backend.blas import blas_threads
        >>> with blas_threads(1):
        ...     pass
    """
    if n is None:
        yield
        return
    if n < 1:
        raise ValueError(f"threads: expected at least 1, got {n}")
    before = [(blas, blas.threads) for blas in blas_libraries() if blas.threads is not None]
    for blas, _ in before:
        blas.set_threads(n)
    try:
        yield
    finally:
        for blas, threads in before:
            blas.set_threads(threads)
