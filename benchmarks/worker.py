"""One framework in a process of its own; it times what it is told on standard input, one line at a time.

make WORKLOAD          -> loss after the first five steps; null if the framework has no such workload
time WORKLOAD SECONDS  -> seconds per step over about SECONDS
peak                   -> peak memory in MiB: resident, or on the GPU
"""

import json
import resource
import sys
import time


def main(peer, threads, device="cpu"):
    """Serve requests until standard input closes."""
    from benchmarks import peers
    from benchmarks.workloads import WORKLOADS

    module = peers.load(peer)
    if hasattr(module, "set_threads"):
        module.set_threads(threads)
    if device != "cpu":
        module.set_device(device)
    steps = {}
    for line in sys.stdin:
        what, *rest = line.split()
        if what == "make" and rest[0] not in module.MAKERS:
            answer = None
        elif what == "make":
            steps[rest[0]] = step = _number(module.MAKERS[rest[0]](WORKLOADS[rest[0]]()))
            answer = [step() for _ in range(5)][-1]
        elif what == "time":
            answer = _seconds_per_step(steps[rest[0]], float(rest[1]))
        else:
            resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            answer = (resident if device == "cpu" else module.peak_bytes()) / (1 << 20)
        print(json.dumps(answer), flush=True)


def _number(step):
    """`step` with its result, an array of one element, as a number: what was computed has been waited for."""
    return lambda: float(step())


def _seconds_per_step(step, budget):
    begin = time.perf_counter()
    step()
    count = max(1, int(budget / max(time.perf_counter() - begin, 1e-7)))
    begin = time.perf_counter()
    for _ in range(count):
        step()
    return (time.perf_counter() - begin) / count


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
