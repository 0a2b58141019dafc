"""The C compiler of this machine: found when first needed, never required. Compiled code is kept by its content."""
import ctypes
import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fPIC", "-shared")
OPTIONAL = ("-fopenmp", "-mprefer-vector-width=512")


class CompileError(RuntimeError):
    """The C compiler refused a program."""


@functools.cache
def compiler():
    """The path of a C compiler, or None: TINYGRAD_NOTES_CC, CC, or cc, gcc, clang ('none' for none)."""
    wanted = os.environ.get("TINYGRAD_NOTES_CC") or os.environ.get("CC")
    if wanted == "none":
        return None
    for name in (wanted,) if wanted else ("cc", "gcc", "clang"):
        found = shutil.which(name)
        if found:
            return found
    return None


def folder():
    """The private folder of compiled code.

    Raises:
        CompileError: it belongs to somebody else.
    """
    root = os.environ.get("TINYGRAD_NOTES_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(root) / "tinygrad_notes"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and path.stat().st_uid != os.getuid():
        raise CompileError(f"{path} belongs to another user; set TINYGRAD_NOTES_CACHE to a folder of your own")
    return path


@functools.cache
def flags():
    """The flags that this compiler understands; OpenMP only where it links."""
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "probe.c"
        source.write_text("#include <math.h>\nint probe(void) { return 0; }\n", encoding="utf-8")
        chosen = list(FLAGS)
        for flag in OPTIONAL:
            if _run([*chosen, flag], source, Path(temporary) / "probe.so").returncode == 0:
                chosen.append(flag)
        if _run(chosen, source, Path(temporary) / "probe.so").returncode:
            chosen = ["-O2", "-fPIC", "-shared"]
    return tuple(chosen)


@functools.cache
def _identity():
    """What the compiled code depends on besides its text: the compiler, its flags, the processor."""
    version = subprocess.run([compiler(), "--version"], capture_output=True, text=True, check=False).stdout
    cpu = ""
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        cpu = next((line for line in lines if line.startswith("flags")), "")
    return "\n".join([version, *flags(), cpu])


def _run(options, source, target):
    return subprocess.run([compiler(), *options, str(source), "-o", str(target), "-lm"], capture_output=True, text=True,
                          check=False)


def build(text, extra=(), mode=ctypes.DEFAULT_MODE):
    """The library compiled from C text, from the cache if it has been compiled before.

    Args:
        text: the C text.
        extra: more flags.
        mode: of `ctypes.CDLL`; with RTLD_GLOBAL other libraries find the functions of this one.

    Raises:
        CompileError: there is no compiler, or it refuses the text.
    """
    if compiler() is None:
        raise CompileError("there is no C compiler: no cc, gcc or clang on the path")
    name = hashlib.sha256("\n".join([_identity(), *extra, text]).encode()).hexdigest()[:32]
    target = folder() / f"{name}.so"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=folder()) as temporary:
            source, made = Path(temporary) / "program.c", Path(temporary) / "program.so"
            source.write_text(text, encoding="utf-8")
            done = _run([*flags(), *extra], source, made)
            if done.returncode:
                raise CompileError(f"{compiler()} refused a program:\n{done.stderr[:2000]}")
            os.replace(made, target)
    # Threads that wait for each other give way soon: on a busy machine they would keep the others from working.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    return ctypes.CDLL(str(target), mode)


def source(name):
    """A C file of this folder, the files of this folder that it includes put in their places."""
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return re.sub(r'#include "(.*)"', lambda found: source(found[1]), text)


@functools.cache
def library(name):
    """A C file of this folder as a library, ready for programs that are loaded after it: 'convolution', 'products'."""
    return build(source(f"{name}.c"), ("-ffp-contract=fast",), ctypes.RTLD_GLOBAL)
