"""The report of what a graph keeps for its backward pass."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes.autograd import saved_tensors_report


def leaf(values, dtype="float64"):
    return tn.tensor(np.asarray(values, dtype=dtype), requires_grad=True)


def test_memory_of_leaves_is_not_counted():
    x, w = leaf(np.ones((4, 8))), leaf(np.ones((8, 2)))
    report = saved_tensors_report(x @ w)
    assert [(r.operation, r.role, r.shape, r.kept, r.nbytes) for r in report.rows] == [
        ("matmul", "x", (4, 8), "alias", 0), ("matmul", "y", (8, 2), "alias", 0)]
    assert report.total == 0


def test_data_without_gradient_is_counted():
    x, w = tn.tensor(np.ones((4, 8))), leaf(np.ones((8, 2)))
    report = saved_tensors_report(x @ w)
    assert [(r.role, r.kept) for r in report.rows] == [("x", "copy")] and report.total == 4 * 8 * 8


def test_an_array_kept_twice_counts_once():
    h = tn.exp(leaf(np.ones(10)))
    report = saved_tensors_report([h * h, tn.sin(h)])
    assert len(report.rows) == 4 and report.total == 80
    assert sorted(r.kept for r in report.rows) == ["alias"] * 3 + ["copy"]


def test_a_view_counts_the_memory_it_keeps_alive():
    h = leaf(np.ones((10, 10))) * 2.0
    report = saved_tensors_report(tn.sin(h[0]))
    row = next(r for r in report.rows if r.operation == "sin")
    assert row.shape == (10,) and row.kept == "copy" and row.nbytes == 800


def test_nothing_is_kept_after_backward():
    x = leaf([1.0, 2.0])
    y = tn.exp(tn.sin(x))
    assert saved_tensors_report(y).total == 16
    y.sum().backward()
    assert saved_tensors_report(y).total == 0 and not saved_tensors_report(y).rows


def test_a_leaf_keeps_nothing_and_a_number_is_refused():
    assert saved_tensors_report(leaf([1.0])).rows == []
    with pytest.raises(TypeError, match=r"output\[0\]: expected a Tensor, got float"):
        saved_tensors_report([3.0])


def test_it_prints_a_table():
    lines = repr(saved_tensors_report(tn.sin(tn.exp(leaf(np.ones((2, 3))))))).splitlines()
    assert lines[0].split() == ["operation", "keeps", "shape", "dtype", "kept", "bytes"]
    assert lines[1].split() == ["sin", "x", "(2,", "3)", "float64", "copy", "48"]
    assert lines[-1].split() == ["total", "48"] and len({len(line) for line in lines}) == 1
