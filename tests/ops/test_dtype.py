"""Questions about data types, and conversions."""
import numpy as np
import pytest

import tinygrad_notes as tn


@pytest.mark.parametrize("given, expected", [
    ((tn.float32, tn.float64), "float64"), ((tn.int8, tn.uint8), "int16"), ((tn.int64, tn.float32), "float32"),
    ((tn.int32, tn.float16), "float16"), ((tn.float32, 1.0), "float32"), ((tn.float32, 1), "float32"),
    ((tn.int32, 1.0), "float32"), ((tn.int8, 1), "int8"), ((tn.bool, tn.int8), "int8"), ((1, 2.0), "float32"),
    ((tn.float64, 1j), "complex128"), ((tn.int32, 1j), "complex64"), ((tn.float32, tn.complex64), "complex64"),
    (("float32", "int64"), "float32"), ((True,), "bool"), ((tn.float64, tn.complex64), "complex128"),
])
def test_result_type(given, expected):
    assert tn.result_type(*given) == expected
    assert tn.result_type(*reversed(given)) == expected


def test_result_type_of_tensors():
    assert tn.result_type(tn.tensor([1.0]), tn.tensor([1]), 2.0) == tn.float32
    with pytest.raises(ValueError, match="result_type"):
        tn.result_type()


def test_can_cast():
    assert tn.can_cast(tn.int8, tn.int16) and not tn.can_cast(tn.int16, tn.int8)
    assert tn.can_cast(tn.tensor([1.0]), "float64") and not tn.can_cast(tn.float32, tn.int64)


def test_isdtype():
    kinds = {"bool": "b", "signed integer": "i", "unsigned integer": "u", "integral": "iu", "real floating": "f",
             "complex floating": "c", "numeric": "iufc"}
    for name in ("bool", "int8", "uint64", "float16", "float64", "complex64"):
        for kind, letters in kinds.items():
            assert tn.isdtype(np.dtype(name), kind) == (np.dtype(name).kind in letters)
    assert tn.isdtype(tn.int8, ("bool", tn.int8)) and not tn.isdtype(tn.int8, ("bool", tn.uint8))
    with pytest.raises(ValueError, match="'signed integer'"):
        tn.isdtype(tn.int8, "whole")


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "complex64"])
def test_finfo(name):
    found, expected = tn.finfo(name), np.finfo(name)
    for field in ("bits", "eps", "max", "min", "smallest_normal"):
        assert getattr(found, field) == getattr(expected, field)
        assert type(getattr(found, field)) in (int, float)
    assert found.dtype == expected.dtype
    with pytest.raises(TypeError, match="int8"):
        tn.finfo(tn.int8)


def test_iinfo():
    found = tn.iinfo(tn.tensor([1]))
    assert (found.bits, found.min, found.max, found.dtype) == (64, -2 ** 63, 2 ** 63 - 1, tn.int64)
    with pytest.raises(TypeError, match="float32"):
        tn.iinfo(tn.float32)


def test_astype_carries_the_gradient_back_in_its_own_dtype():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    y = tn.astype(x, tn.float64)
    (y * y).sum().backward()
    assert y.dtype == tn.float64 and x.grad.dtype == tn.float32 and x.grad.tolist() == [2.0, 4.0]


def test_astype_to_integers_ends_the_graph():
    x = tn.tensor([1.7], requires_grad=True)
    assert not tn.astype(x, "int64").requires_grad


def test_astype_copies_unless_told_not_to():
    x = tn.tensor([1.0])
    assert tn.astype(x, tn.float32, copy=False) is x
    assert tn.astype(x, tn.float32) is not x
    with pytest.raises(TypeError, match="imaginary"):
        tn.astype(tn.tensor([1j]), tn.float32)
    with pytest.raises(TypeError, match="None"):
        tn.astype(x, None)
