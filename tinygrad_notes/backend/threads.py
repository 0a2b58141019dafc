"""One pool of threads for all kernels that work on pieces: NumPy lets go of the interpreter inside its loops.

A kernel cuts its work into items that do not depend on each other or on the number of threads, so results are the
same whatever that number is. Inside, BLAS uses one thread: ours are the parallelism.
"""
from __future__ import annotations

import contextvars
import os
import threading
from typing import Any

from .blas import blas_libraries

ENVIRONMENT = ("TINYGRAD_NOTES_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")

_state: dict[str, Any] = {"threads": None, "pool": None, "blas": None, "depth": 0, "before": ()}
_lock = threading.Lock()
_inside = threading.local()  # set in a thread that is at work on items: work that it spreads, it does alone


def get_num_threads() -> int:
    """How many threads kernels use.

    Returns:
        The number set last, else that in the first of the environment variables TINYGRAD_NOTES_NUM_THREADS,
        OMP_NUM_THREADS and OPENBLAS_NUM_THREADS that is a positive number, else the number of CPUs of this process.

    Example:
        >>> import tinygrad_notes as tn
        >>> tn.get_num_threads() >= 1
        True
    """
    if _state["threads"] is None:
        _state["threads"] = _default()
    return _state["threads"]


def set_num_threads(n: int) -> None:
    """Let kernels use `n` threads from now on. Results do not depend on it.

    Args:
        n: at least 1. More than there are CPUs makes nothing faster.

    Raises:
        ValueError: `n` is not an int of at least 1.

    Example:
        >>> import tinygrad_notes as tn
        >>> before = tn.get_num_threads()
        >>> tn.set_num_threads(1)
        >>> tn.set_num_threads(before)
    """
    if isinstance(n, bool) or not hasattr(n, "__index__") or n.__index__() < 1:
        raise ValueError(f"set_num_threads: expected an int >= 1, got {n!r}")
    with _lock:
        _state["threads"] = n.__index__()
        pool, _state["pool"] = _state["pool"], None
    if pool is not None:
        pool.shutdown(wait=False)


def _default():
    for name in ENVIRONMENT:
        given = os.environ.get(name, "")
        if given.isdecimal() and int(given) > 0:
            return int(given)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spread(work, items):
    """Run `work(those)` in several threads; between them, the iterators `those` yield every item once.

    `work` makes its buffers, then loops over what it is given. An exception in any thread is raised here, after all
    have stopped.
    """
    items = list(items)
    n = min(get_num_threads(), len(items))
    if n <= 1 or getattr(_inside, "busy", False):
        if items:
            with _one_blas_thread():
                work(iter(items))
        return
    from concurrent.futures import wait  # imports are part of the price of the first use, not of every program
    shared = _Shared(items)
    with _one_blas_thread():
        pool = _pool()
        others = [pool.submit(contextvars.copy_context().run, _guarded, work, shared) for _ in range(n - 1)]
        try:
            _guarded(work, shared)
        finally:
            started = [other for other in others if not other.cancel()]  # one that is not running yet is not needed
            wait(started)
        for other in started:
            other.result()


class _Shared:
    """An iterator over a list that several threads may call."""

    def __init__(self, items):
        self._items, self._next = items, iter(range(len(items)))

    def __iter__(self):
        return self

    def __next__(self):
        return self._items[next(self._next)]  # the iterator of a range is advanced by one thread at a time

    def stop(self):
        self._next = iter(())


def _guarded(work, shared):
    _inside.busy = True
    try:
        work(shared)
    except BaseException:
        shared.stop()
        raise
    finally:
        _inside.busy = False


def _pool():
    with _lock:
        if _state["pool"] is None:
            from concurrent.futures import ThreadPoolExecutor
            _state["pool"] = ThreadPoolExecutor(max(1, get_num_threads() - 1), thread_name_prefix="tinygrad-notes")
        return _state["pool"]


class _one_blas_thread:
    """Inside, BLAS uses one thread; the last to leave restores what the first found."""

    def __enter__(self):
        with _lock:
            _state["depth"] += 1
            if _state["depth"] == 1:
                if _state["blas"] is None:
                    _state["blas"] = [blas for blas in blas_libraries() if blas.threads is not None]
                _state["before"] = [(blas, blas.threads) for blas in _state["blas"]]
                for blas, threads in _state["before"]:
                    if threads != 1:
                        blas.set_threads(1)

    def __exit__(self, *exc):
        with _lock:
            _state["depth"] -= 1
            if _state["depth"] == 0:
                for blas, threads in _state["before"]:
                    if threads != 1:
                        blas.set_threads(threads)


def _forked():
    """A child process has none of its parent's threads."""
    global _lock
    _lock = threading.Lock()
    _state.update(pool=None, depth=0)
    _inside.busy = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
