"""What comes before the first fast step: import time and installed size beside the peers', and what recording costs.

    python -m benchmarks.costs
"""
import re
import statistics
import time
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from .peers import ours
from .run import import_seconds
from .workloads import WORKLOADS

PACKAGES = {"tinygrad_notes": "tinygrad-notes", "torch": "torch", "jax": "jax", "autograd": "autograd",
            "mygrad": "mygrad"}


def needs(package, seen=None):
    """The names of a package and of all that it needs, without extras."""
    seen = set() if seen is None else seen
    name = re.sub(r"[-_.]+", "-", package).lower()
    try:
        found = distribution(package)
    except PackageNotFoundError:
        return seen
    if name not in seen:
        seen.add(name)
        for line in found.requires or ():
            if "extra ==" not in line:
                needs(re.match(r"[\w.-]+", line)[0], seen)
    return seen


def mebibytes(package):
    """Size on the disk of the files of one package; of ours, where it is installed in place, of its folders."""
    if package == "tinygrad-notes":
        root = Path(__file__).resolve().parents[1]
        files = [p for folder in ("tinygrad_notes", "models") for p in (root / folder).rglob("*")
                 if p.is_file() and "__pycache__" not in p.parts]
    else:
        files = [p for p in (Path(f.locate()) for f in distribution(package).files or ()) if p.is_file()]
    return sum(p.stat().st_size for p in files) / (1 << 20)


def recording(name):
    """Seconds of an eager step, and of writing one down."""
    from tinygrad_notes.program.record import record

    step = ours.MAKERS[name](WORKLOADS[name]())
    eager, recorded = [], []
    for _ in range(5):
        for function, seen in ((step, eager), (lambda: record(step, (), commit=False), recorded)):
            begin = time.perf_counter()
            function()
            seen.append(time.perf_counter() - begin)
    return statistics.median(eager), statistics.median(recorded)


def main():
    """Print two tables."""
    print("| package | import after NumPy | installed | with all that it needs but NumPy and SciPy |")
    print("|---|---|---|---|")
    for module, package in PACKAGES.items():
        if not (module == "tinygrad_notes" or needs(package)):
            continue
        whole = sum(map(mebibytes, needs(package) - {"numpy", "scipy"}))
        print(f"| {module} | {import_seconds(module, 'import numpy') * 1e3:.0f} ms | {mebibytes(package):.1f} MiB | "
              f"{whole:.1f} MiB |", flush=True)
    print("\n| work | eager step | recording it | in eager steps |\n|---|---|---|---|")
    for name in WORKLOADS:
        eager, recorded = recording(name)
        print(f"| {name} | {eager * 1e3:.2f} ms | {recorded * 1e3:.2f} ms | {recorded / eager:.1f} |", flush=True)


if __name__ == "__main__":
    main()
