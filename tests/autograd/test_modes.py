"""Where nothing is recorded: `no_grad`, `enable_grad`, threads, plain passes, `detach`."""
import threading

import numpy as np
import pytest

import tinygrad_notes as tn


def leaf(values, dtype="float64"):
    return tn.tensor(np.asarray(values, dtype=dtype), requires_grad=True)


def test_no_grad_and_enable_grad_nest():
    x = leaf([1.0])
    with tn.no_grad():
        assert not (x * 2).requires_grad and not tn.is_grad_enabled()
        with tn.enable_grad():
            assert (x * 2).requires_grad
            with tn.no_grad():
                assert not (x * 2).requires_grad
            assert tn.is_grad_enabled()
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad
    with tn.set_grad_enabled(False):
        assert not tn.is_grad_enabled()


def test_grad_mode_comes_back_after_an_exception():
    with pytest.raises(ZeroDivisionError), tn.no_grad():
        raise ZeroDivisionError
    assert tn.is_grad_enabled()


def test_a_switch_decorates_functions_and_may_be_reentered():
    @tn.no_grad()
    def inner(x, depth):
        return (x * 2).requires_grad or (depth > 0 and inner(x, depth - 1))
    assert not inner(leaf([1.0]), 3) and tn.is_grad_enabled()
    switch = tn.no_grad()
    with switch, switch:
        assert not tn.is_grad_enabled()
    assert tn.is_grad_enabled()


def test_grad_mode_belongs_to_its_thread():
    x, inside, done = leaf([1.0]), threading.Event(), threading.Event()
    seen = {}

    def other():
        with tn.no_grad():
            inside.set()
            done.wait(10)
            seen["other"] = (x * 2).requires_grad
    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(10)
    seen["main"] = (x * 2).requires_grad
    done.set()
    thread.join()
    assert seen == {"main": True, "other": False}


def test_threads_differentiate_their_own_graphs():
    results = {}

    def work(k):
        x = leaf(np.full(5, k / 10))
        for _ in range(50):
            x.grad = None
            y = x
            for _ in range(20):
                y = tn.sin(y) * 1.1
            y.sum().backward()
        results[k] = x.grad.numpy()
    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, found in results.items():
        y, slope = k / 10, 1.0
        for _ in range(20):
            slope *= 1.1 * np.cos(y)
            y = 1.1 * np.sin(y)
        np.testing.assert_allclose(found, slope, rtol=1e-12)


def test_backward_works_inside_no_grad():
    x = leaf([2.0])
    y = (x * x).sum()
    with tn.no_grad():
        y.backward()
    assert x.grad.tolist() == [4.0] and not x.grad.requires_grad


def test_a_plain_pass_records_nothing():
    x = leaf([2.0])
    (x * x).sum().backward()
    assert not x.grad.requires_grad and x.grad.node is None


def test_detach_cuts():
    x = leaf([2.0])
    y = x * x
    (y.detach() * x).sum().backward()
    assert x.grad.tolist() == [4.0]
    assert y.detach().data is y.data


def test_requires_grad_of_a_result_cannot_be_withdrawn():
    y = leaf([2.0]) * 2
    with pytest.raises(RuntimeError, match="detach"):
        y.requires_grad_(False)
