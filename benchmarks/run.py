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

from .peers import ON_GPU, PEERS, version
from .workloads import BUDGETS, TITLES, WORKLOADS

ROOT = Path(__file__).resolve().parents[1]


class Worker:
    """A framework in its process."""

    def __init__(self, peer, threads, device="cpu"):
        env = {**os.environ, "PYTHONPATH": str(ROOT), "TINYGRAD_NOTES_DEVICE": device}
        env.pop("OPENBLAS_CORETYPE", None)
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            env[name] = str(threads)
        if threads == 1:
            env["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        if device == "cpu":
            env["JAX_PLATFORMS"] = "cpu"
        else:  # every framework has its own process on the one GPU
            env["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.worker", peer, str(threads), device],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=env,
            cwd=ROOT,
        )

    def ask(self, line):
        """Send one request and wait for the answer."""
        self.tell(line)
        return self.answer(line)

    def tell(self, line):
        """Send one request."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self, line):
        """Wait for the answer to a request."""
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process of a framework ended on {line!r}")
        return json.loads(answer)

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Race:
    """The frameworks that do one workload, each in its process; they get ready at once, and are timed in turn."""

    def __init__(self, peers, workload, threads, device="cpu"):
        self.workload = workload
        self.workers = {peer: Worker(peer, threads, device) for peer in peers}
        for worker in self.workers.values():
            worker.tell(f"make {workload}")

    def run(self, rounds, seconds):
        """{peer: (median seconds per step, peak MiB, number returned by the fifth step)} of those that do the work."""
        check = {peer: worker.answer("make") for peer, worker in self.workers.items()}
        times = {peer: [] for peer, number in check.items() if number is not None}
        for _ in range(rounds):
            for peer, seen in times.items():
                seen.append(self.workers[peer].ask(f"time {self.workload} {seconds}"))
        peaks = {peer: self.workers[peer].ask("peak") for peer in times}
        return {peer: (statistics.median(seen), peaks[peer], check[peer]) for peer, seen in times.items()}

    def close(self):
        """End the processes."""
        for worker in self.workers.values():
            worker.close()


def races(args):
    """The results of all races, told one by one. On a GPU all get ready at the same time: that costs it nothing."""
    wanted = [(workload, threads) for threads in args.threads for workload in args.only]
    ready = {what: Race(args.peers, *what, args.device) for what in wanted} if args.device != "cpu" else {}
    results = {}
    for workload, threads in wanted:
        print(f"{workload}, {threads} thread(s) ...", file=sys.stderr, flush=True)
        race = ready.get((workload, threads)) or Race(args.peers, workload, threads, args.device)
        try:
            results[workload, threads] = race.run(args.rounds, args.seconds)
        finally:
            race.close()
        print(told(results[workload, threads]), file=sys.stderr, flush=True)
    return results


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
        default=None,
        help="frameworks (default: those installed)",
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where arrays live (default: cpu)")
    parser.add_argument("--threads", nargs="+", type=int, help="thread counts (default: 1 2; on a GPU 1)")
    parser.add_argument("--rounds", type=int, default=15, help="interleaved rounds per workload (default: 15)")
    parser.add_argument(
        "--seconds", type=float, default=0.2, help="about how long each framework is timed per round (default: 0.2)"
    )
    parser.add_argument("--write", action="store_true", help="write the tables into benchmarks/README.md")
    args = parser.parse_args(argv)
    known = PEERS if args.device == "cpu" else ON_GPU
    args.peers = args.peers or [p for p in known if version(p)]
    args.threads = args.threads or ([1, 2] if args.device == "cpu" else [1])
    missing = [p for p in args.peers if version(p) is None]
    if missing:
        parser.error(f"not installed: {', '.join(missing)}")
    if set(args.peers) - set(known):
        parser.error(f"not on {args.device}: {', '.join(sorted(set(args.peers) - set(known)))}")
    results = races(args)
    checks = {w: {p: f"{row[2]:.5f}" for p, row in results[w, args.threads[0]].items()} for w in args.only}
    imports = import_seconds("tinygrad_notes", "import numpy") if args.device == "cpu" else 0.0
    text = "\n\n".join(
        [
            "Time of one step, in brackets relative to PyTorch eager; the budget is that of the eager column:",
            table(results, args.peers),
            "Geometric mean of the ratios to PyTorch eager, over the works that both do:",
            means_table(results, args.peers),
            "Peak resident memory of the whole process, MiB:" if args.device == "cpu" else "Peak GPU memory, MiB:",
            memory_table(results, args.peers),
            "Number returned by the fifth step, which shows that all do the same work: "
            + "; ".join(f"{w}: " + ", ".join(f"{p} {v}" for p, v in row.items()) for w, row in checks.items())
            + ".",
            *([f"`import tinygrad_notes` after `import numpy`: {imports * 1e3:.0f} ms (budget 60 ms)."]
              if args.device == "cpu" else []),
            f"Python {platform.python_version()}, "
            + ", ".join(f"{p} {version(p)}" for p in args.peers)
            + f", numpy {version_of('numpy')}, {machine(args.device)}, {time.strftime('%Y-%m-%d')}.",
        ]
    )
    print(text)
    if args.write:
        write(text, args.device)
    return 0


def version_of(package):
    """The installed version of any package."""
    from importlib.metadata import version as installed

    return installed(package)


def machine(device):
    """What the figures were taken on."""
    found = f"{os.cpu_count()} cores ({cpu_name()})"
    if device == "cuda":
        import cupy

        card = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
        found = f"cupy {cupy.__version__}, {card}, TF32 off, {found}"
    return found


def cpu_name():
    """What the system calls this processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


def write(text, device="cpu"):
    """Put the tables between the marks in benchmarks/README.md."""
    path = ROOT / "benchmarks" / "README.md"
    kind = "" if device == "cpu" else f" on {device}"
    begin, end = f"<!-- tables{kind} -->", f"<!-- end of tables{kind} -->"
    before, rest = path.read_text().split(begin)
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}")
