"""`tinygrad-notes doctor`: what this machine offers, and what on it makes us slower than need be."""
import importlib.util
import os
import platform
import shutil
import sys

import numpy as np

from .. import __version__
from ..backend import current_device, devices, keeps_freed
from ..backend.blas import blas_libraries

PACKAGES = ("numpy", "scipy", "safetensors", "tqdm")
EXTRAS = (("cupy", "gpu", "the device cuda"), ("matplotlib", "plot", "figures of your own"),
          ("graphviz", "viz", "graphs as .png and .pdf"), ("tensorboard", "tensorboard", "train --tensorboard"))


def doctor(args):
    """Print the report; returns the exit code, 0 even with warnings."""
    warnings = []
    for name, text in report(warnings):
        print(f"{name:16} {text}")
    for text in warnings:
        print(f"warning: {text}")
    print("no problem found" if not warnings else f"{len(warnings)} warning{'s' if len(warnings) > 1 else ''}")
    return 0


def report(warnings):
    """Yield (name, text) lines; appends to `warnings` what should be changed."""
    yield "tinygrad_notes", f"{__version__} in {os.path.dirname(os.path.dirname(__file__))}"
    yield "python", f"{platform.python_version()} ({platform.python_implementation()}) {sys.executable}"
    yield "system", f"{platform.system()} {platform.release()} {platform.machine()}, {_cores()}"
    for name in PACKAGES:
        yield name, package_version(name) or "missing"
        if package_version(name) is None:
            warnings.append(f"{name} is missing; pip install {name}")
    yield from _blas(warnings)
    yield "threads", ", ".join(f"{key}={os.environ[key]}" for key in _THREADS if key in os.environ) or "no limit set"
    yield "devices", ", ".join(f"{d.name}{' (default)' if d is current_device() else ''}" for d in devices())
    for name, extra, use in EXTRAS:
        found = package_version(name)
        yield name, found or f"not installed; needed for {use}: pip install 'tinygrad-notes[{extra}]'"
    yield "dot", shutil.which("dot") or "not found; graphs are drawn as .svg without it, .png and .pdf need Graphviz"
    setting = os.environ.get("TINYGRAD_NOTES_KEEP_MEMORY", "unset")
    kept = {True: "kept by the process", False: "given back to the system", None: "left to the C library"}
    yield "freed memory", f"{kept[keeps_freed()]} (TINYGRAD_NOTES_KEEP_MEMORY={setting})"


_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def _blas(warnings):
    found = blas_libraries()
    built = np.show_config(mode="dicts")["Build Dependencies"].get("blas", {})
    yield "blas", f"{built.get('name', 'unknown')} {built.get('version', '')} (NumPy was built with it)"
    for blas in found:
        kernel = f", kernels for {blas.kernel}" if blas.kernel else ""
        threads = f", {blas.threads} threads" if blas.threads else ""
        yield "", f"{blas.config or blas.path.name}{kernel}{threads}"
    forced = os.environ.get("OPENBLAS_CORETYPE")
    if forced:
        warnings.append(f"OPENBLAS_CORETYPE={forced} forces the kernels of that CPU; unset it to let OpenBLAS choose")
    threads = max((blas.threads or 1 for blas in found), default=1)
    if threads > _available():
        warnings.append(f"the BLAS uses {threads} threads, but this process may use {_available()} cores only; set "
                        f"OPENBLAS_NUM_THREADS={_available()}")


def _available():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cores():
    n = _available()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{n} core{'s' if n > 1 else ''}{load}"


def package_version(name):
    """The version of an installed package, without importing it; None if it is missing."""
    if importlib.util.find_spec(name) is None:
        return None
    from importlib.metadata import PackageNotFoundError, packages_distributions, version

    try:
        return version(name)
    except PackageNotFoundError:
        names = packages_distributions().get(name)  # cupy comes as cupy-cuda13x
        return version(names[0]) if names else "installed"
