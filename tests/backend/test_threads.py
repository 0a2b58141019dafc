"""Work spread over threads: every item once, errors come out, BLAS is left as it was."""
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.backend import threads

pytestmark = pytest.mark.host_only


@pytest.fixture(autouse=True)
def restored():
    before = tn.get_num_threads()
    yield
    tn.set_num_threads(before)


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 7, 200])
def test_every_item_is_worked_on_once(n, count):
    tn.set_num_threads(n)
    done = np.zeros(count, int)

    def work(those):
        for i in those:
            done[i] += 1
    threads.spread(work, range(count))
    assert (done == 1).all()


def test_threads_share_the_work():
    tn.set_num_threads(3)
    meeting = threading.Barrier(3, timeout=20)
    names = set()

    def work(those):
        for _ in those:
            meeting.wait()  # passes only if three threads hold an item each
            names.add(threading.current_thread().name)
    threads.spread(work, range(3))
    assert len(names) == 3


@pytest.mark.parametrize("n", [1, 3])
def test_an_error_in_any_thread_is_raised_and_stops_the_others(n):
    tn.set_num_threads(n)
    seen = []

    def work(those):
        for i in those:
            seen.append(i)
            if i == 5:
                raise KeyError("item 5")
    with pytest.raises(KeyError, match="item 5"):
        threads.spread(work, range(10_000))
    assert len(seen) < 10_000
    threads.spread(lambda those: seen.extend(those), [-1])  # and the pool still works
    assert seen[-1] == -1


def test_work_inside_work_is_done_by_the_same_thread():
    tn.set_num_threads(2)
    inside = []

    def inner(those):
        inside.append((threading.get_ident(), sorted(those)))

    def outer(those):
        for _ in those:
            me = threading.get_ident()
            threads.spread(inner, range(4))
            assert inside[-1][0] == me or any(ident == me for ident, _ in inside)
    threads.spread(outer, range(6))
    assert [items for _, items in inside] == [[0, 1, 2, 3]] * 6


def test_blas_has_one_thread_inside_and_its_own_number_after():
    threads.spread(list, [0])
    if not threads._state["blas"]:
        pytest.skip("NumPy was built with a BLAS that cannot be asked")
    blas = threads._state["blas"][0]
    before = blas.threads
    blas.set_threads(2)
    try:
        tn.set_num_threads(2)
        seen = []
        threads.spread(lambda those: seen.extend(blas.threads for _ in those), range(5))
        assert seen == [1] * 5 and blas.threads == 2
        with pytest.raises(ZeroDivisionError):
            threads.spread(lambda those: [1 // i for i in those], range(3))
        assert blas.threads == 2
    finally:
        blas.set_threads(before)


def test_the_error_state_of_the_caller_holds_in_every_thread():
    tn.set_num_threads(3)
    meeting = threading.Barrier(3, timeout=20)

    def work(those):
        for _ in those:
            meeting.wait()
            np.log(np.zeros(3))  # a warning would be an error here
    with np.errstate(divide="ignore"):
        threads.spread(work, range(3))


@pytest.mark.parametrize("n", [0, -1, 1.5, "2", True, None])
def test_a_number_of_threads_is_an_int_from_one_up(n):
    before = tn.get_num_threads()
    with pytest.raises(ValueError, match="set_num_threads: expected an int >= 1"):
        tn.set_num_threads(n)
    assert tn.get_num_threads() == before


@pytest.mark.parametrize("given, expected", [
    ({"OMP_NUM_THREADS": "3"}, 3),
    ({"OMP_NUM_THREADS": "3", "TINYGRAD_NOTES_NUM_THREADS": "5"}, 5),
    ({"OPENBLAS_NUM_THREADS": "4", "OMP_NUM_THREADS": "many"}, 4),
    ({"OMP_NUM_THREADS": "0"}, None),
])
def test_the_environment_says_how_many(given, expected, monkeypatch):
    for name in threads.ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert threads._default() == (expected or usable)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_process_makes_its_own_threads():
    code = """
import os, warnings
warnings.simplefilter("ignore")
import tinygrad_notes as tn
from tinygrad_notes.backend.threads import spread
tn.set_num_threads(2)
total = []
spread(lambda those: total.extend(those), range(100))
child = os.fork()
if child == 0:
    total.clear()
    spread(lambda those: total.extend(those), range(100))
    os._exit(0 if sorted(total) == list(range(100)) else 1)
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
