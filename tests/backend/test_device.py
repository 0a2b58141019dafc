"""Devices: how they are named, chosen and mixed; what `strict` refuses."""
import threading

import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.backend.strict import StrictArray


def test_names():
    assert tn.as_device("cpu").name == "cpu"
    assert tn.as_device("strict") is tn.as_device("strict")
    with pytest.raises(ValueError, match="'tpu' is unknown; known devices are cpu, strict, cuda"):
        tn.as_device("tpu")


def test_default_device_is_a_block():
    with tn.as_device("strict"):
        assert tn.tensor([1.0]).device == "strict"
        with tn.as_device("cpu"):
            assert tn.tensor([1.0]).device == "cpu"
        assert tn.asarray(np.ones(2)).device == "strict"


def test_default_device_belongs_to_a_thread():
    seen = []
    with tn.as_device("cpu"):
        before = tn.current_device()

        def other():
            with tn.as_device("strict"):
                seen.append(tn.current_device())
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert tn.current_device() is before
    assert seen[0] == "strict"


def test_mixing_devices_names_both():
    with pytest.raises(TypeError, match="cpu and strict"):
        tn.tensor([1.0], device="cpu") * tn.tensor([1.0], device="strict")
    with pytest.raises(TypeError, match="cpu and strict"):
        tn.matmul(tn.ones((2, 2), device="strict"), tn.ones((2, 2), device="cpu"))


@pytest.mark.parametrize("forbidden", [
    float, int, bool, np.asarray, iter, lambda a: np.sin(a), lambda a: a + np.ones(3), lambda a: np.ones(3) * a,
    lambda a: a[np.array([0, 1])], lambda a: a.__setitem__(slice(None), np.ones(3))])
def test_strict_arrays_refuse_the_host(forbidden):
    array = tn.tensor([1.0, 2.0, 3.0], device="strict").data
    assert isinstance(array, StrictArray)
    with pytest.raises(TypeError):
        forbidden(array)


def test_strict_functions_refuse_host_arrays():
    xp = tn.as_device("strict").xp
    with pytest.raises(TypeError, match="on the host"):
        xp.add(np.ones(3), np.ones(3))


def test_strict_computes_what_cpu_computes(rng):
    values = rng.standard_normal((4, 3))
    results = []
    for device in ("cpu", "strict"):
        x = tn.tensor(values, device=device, requires_grad=True)
        y = (tn.exp(x) @ x.mT).sum()
        y.backward()
        results.append((y.item(), x.grad.numpy()))
    assert results[0][0] == results[1][0]
    assert np.array_equal(results[0][1], results[1][1])


def test_in_place_arithmetic_on_a_strict_view_writes_through():
    array = tn.tensor([1.0, 2.0, 3.0], device="strict").data
    part = array[1:]
    part *= 10
    assert tn.as_device("strict").to_numpy(array).tolist() == [1.0, 20.0, 30.0]


@pytest.mark.parametrize(("given", "meant"), [
    ("float32", tn.float32), (float, tn.float32), (int, tn.int64), (bool, tn.bool_), (np.float64, tn.float64),
    (np.dtype(">f4"), tn.float32), (None, None)])
def test_dtypes_by_any_name(given, meant):
    assert tn.to_dtype(given) == meant


@pytest.mark.parametrize("given", ["float7", object, "U3", "datetime64[s]"])
def test_unknown_dtypes(given):
    with pytest.raises(TypeError, match="is not supported; use one of bool, int8"):
        tn.to_dtype(given)
