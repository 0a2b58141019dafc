"""Time this project beside its peers: interleaved rounds, medians, ratios to PyTorch eager, one table.

Every framework runs in a process of its own that waits while the others are timed. A round times each of
them once, so a change of the machine's speed meets all alike.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

from .peers import PEERS, version
from .workloads import BUDGETS, TITLES, WORKLOADS

ROOT = Path(__file__).resolve().parents[1]


class Worker:
    """A framework in its process."""

    def __init__(self, peer, threads):
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        env.pop("OPENBLAS_CORETYPE", None)
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            env[name] = str(threads)
        if threads == 1:
            env["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.worker", peer, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=env,
            cwd=ROOT,
        )

    def ask(self, line):
        """Send one request and wait for the answer."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process of a framework ended on {line!r}")
        return json.loads(answer)

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def measure(peers, workload, threads, rounds, seconds):
    """{peer: (median seconds per step, peak MiB, number returned by the fifth step)} of those that do a workload."""
    workers = {peer: Worker(peer, threads) for peer in peers}
    try:
        check = {peer: worker.ask(f"make {workload}") for peer, worker in workers.items()}
        times = {peer: [] for peer, number in check.items() if number is not None}
        for _ in range(rounds):
            for peer, seen in times.items():
                seen.append(workers[peer].ask(f"time {workload} {seconds}"))
        peaks = {peer: workers[peer].ask("peak") for peer in times}
        return {peer: (statistics.median(seen), peaks[peer], check[peer]) for peer, seen in times.items()}
    finally:
        for worker in workers.values():
            worker.close()


def import_seconds(module, extra="", rounds=7):
    """Median seconds that a fresh interpreter takes to import `module` after `extra`."""
    code = f"{extra}\nimport time; t = time.perf_counter()\nimport {module}\nprint(time.perf_counter() - t)"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return statistics.median(
        float(
            subprocess.run(
                [sys.executable, "-W", "ignore", "-c", code],
                capture_output=True,
                text=True,
                check=True,
                env=env,
                cwd=ROOT,
            ).stdout
        )
        for _ in range(rounds)
    )


def table(results, peers):
    """The results as Markdown: time of a step, and its ratio to PyTorch eager."""
    lines = ["| work | threads | " + " | ".join(peers) + " | budget |", "|---|---|" + "---|" * (len(peers) + 1)]
    for (workload, threads), row in results.items():
        base = row["torch"][0] if "torch" in row else None
        cells = []
        for peer in peers:
            if peer not in row:
                cells.append("-")
                continue
            seconds = row[peer][0]
            text = f"{seconds * 1e3:.3f} ms" if seconds < 0.1 else f"{seconds:.3f} s"
            cells.append(f"{text} ({seconds / base:.2f}x)" if base else text)
        lines.append(f"| {TITLES[workload]} | {threads} | " + " | ".join(cells) + f" | {BUDGETS[workload]:.1f}x |")
    return "\n".join(lines)


def told(row):
    """The ratios of one row in a line."""
    base = row["torch"][0] if "torch" in row else None
    return "  ".join(f"{p} {s * 1e3:.3f} ms" + (f" ({s / base:.2f}x)" if base else "") for p, (s, *_) in row.items())


def means_table(results, peers):
    """For each number of threads the geometric mean of every framework's ratios, and how many works it does."""
    lines = ["| threads | " + " | ".join(peers) + " |", "|---|" + "---|" * len(peers)]
    for threads in dict.fromkeys(t for _, t in results):
        cells = []
        for peer in peers:
            ratios = [row[peer][0] / row["torch"][0] for (_, t), row in results.items()
                      if t == threads and peer in row and "torch" in row]
            cells.append(f"{statistics.geometric_mean(ratios):.2f}x of {len(ratios)}" if ratios else "-")
        lines.append(f"| {threads} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def memory_table(results, peers):
    """Peak resident memory of each framework's process, in MiB."""
    lines = ["| work | threads | " + " | ".join(peers) + " |", "|---|---|" + "---|" * len(peers)]
    for (workload, threads), row in results.items():
        peaks = [f"{row[p][1]:.0f}" if p in row else "-" for p in peers]
        lines.append(f"| {workload} | {threads} | " + " | ".join(peaks) + " |")
    return "\n".join(lines)


def main(argv=None):
    """Parse the command line, run, print and perhaps write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", nargs="+", choices=list(WORKLOADS), default=list(WORKLOADS), help="workloads (default: all)"
    )
    parser.add_argument(
        "--peers",
        nargs="+",
        choices=list(PEERS),
        default=[p for p in PEERS if version(p)],
        help="frameworks (default: those installed)",
    )
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], help="thread counts (default: 1 2)")
    parser.add_argument("--rounds", type=int, default=15, help="interleaved rounds per workload (default: 15)")
    parser.add_argument(
        "--seconds", type=float, default=0.2, help="about how long each framework is timed per round (default: 0.2)"
    )
    parser.add_argument("--write", action="store_true", help="write the tables into benchmarks/README.md")
    args = parser.parse_args(argv)
    missing = [p for p in args.peers if version(p) is None]
    if missing:
        parser.error(f"not installed: {', '.join(missing)}")
    results = {}
    for threads in args.threads:
        for workload in args.only:
            print(f"{workload}, {threads} thread(s) ...", file=sys.stderr, flush=True)
            results[workload, threads] = measure(args.peers, workload, threads, args.rounds, args.seconds)
            print(told(results[workload, threads]), file=sys.stderr, flush=True)
    checks = {w: {p: f"{row[2]:.5f}" for p, row in results[w, args.threads[0]].items()} for w in args.only}
    imports = import_seconds("tinygrad_notes", "import numpy")
    text = "\n\n".join(
        [
            "Time of one step, in brackets relative to PyTorch eager; the budget is that of the eager column:",
            table(results, args.peers),
            "Geometric mean of the ratios to PyTorch eager, over the works that both do:",
            means_table(results, args.peers),
            "Peak resident memory of the whole process, MiB:",
            memory_table(results, args.peers),
            "Number returned by the fifth step, which shows that all do the same work: "
            + "; ".join(f"{w}: " + ", ".join(f"{p} {v}" for p, v in row.items()) for w, row in checks.items())
            + ".",
            f"`import tinygrad_notes` after `import numpy`: {imports * 1e3:.0f} ms (budget 60 ms).",
            f"Python {platform.python_version()}, "
            + ", ".join(f"{p} {version(p)}" for p in args.peers)
            + f", numpy {version_of('numpy')}, {os.cpu_count()} cores ({cpu_name()}), {time.strftime('%Y-%m-%d')}.",
        ]
    )
    print(text)
    if args.write:
        write(text)
    return 0


def version_of(package):
    """The installed version of any package."""
    from importlib.metadata import version as installed

    return installed(package)


def cpu_name():
    """What the system calls this processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


def write(text):
    """Put the tables between the marks in benchmarks/README.md."""
    path = ROOT / "benchmarks" / "README.md"
    begin, end = "<!-- tables -->", "<!-- end of tables -->"
    before, rest = path.read_text().split(begin)
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}")
