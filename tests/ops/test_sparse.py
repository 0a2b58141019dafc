"""Sparse matrices: constants stay constants, products add in the order of the entries, and what is refused."""
import numpy as np
import pytest

import tinygrad_notes as tn

RNG = np.random.default_rng(0)
ROWS, COLUMNS, VALUES = RNG.integers(0, 30, 400), RNG.integers(0, 20, 400), RNG.standard_normal(400)


def tensor(array):
    return tn.Tensor(array, device=tn.current_device())


def matrix(values=VALUES):
    return tn.SparseMatrix(tensor(ROWS), tensor(COLUMNS), None if values is None else tensor(values), shape=(30, 20))


def test_products_add_in_the_order_of_the_entries():
    x, want = RNG.standard_normal((20, 5)), np.zeros((30, 5))
    for i, j, v in zip(ROWS, COLUMNS, VALUES):
        want[i] += v * x[j]
    np.testing.assert_array_equal((matrix() @ tensor(x)).numpy(), want)
    np.testing.assert_allclose(matrix().to_dense().numpy() @ x, want, rtol=1e-12)


def test_constants_are_copied_and_gradients_are_not_lost():
    values = VALUES.copy()
    a, x = matrix(values), tensor(np.eye(20))
    first = (a @ x).numpy().copy()
    values[:] = 0
    np.testing.assert_array_equal((a @ x).numpy(), first)
    w = tensor(VALUES).requires_grad_(True)
    learned = a.with_values(w)
    assert learned.T.T.values is w and (learned @ x).requires_grad and not (a @ x).requires_grad
    for step in range(2):  # an optimizer changes the values: products must see it
        w.grad = None
        out = learned @ x
        out.sum().backward()
        np.testing.assert_allclose(w.grad.numpy(), np.ones(400), rtol=1e-12)
        np.testing.assert_allclose(out.numpy(), first * (step + 1), rtol=1e-12)
        w.data *= 2


@pytest.mark.parametrize(("values", "x", "out"), [
    ("float32", "float32", "float32"), ("float64", "float32", "float64"), ("float16", "float16", "float16"),
    (None, "int64", "int64"), (None, "float32", "float32"), ("float32", "int32", "float32"),
])
def test_dtypes(values, x, out):
    a = matrix(None if values is None else VALUES.astype(values))
    dense = (RNG.standard_normal((20, 2)) * 10).astype(x)
    found = a @ tensor(dense)
    assert found.dtype == out
    want = a.to_dense("float64").numpy() @ dense.astype("float64")
    np.testing.assert_allclose(found.numpy(), want, rtol=5e-2 if "float16" in (values, x) else 1e-5, atol=1e-2)


def test_shapes_and_nothing():
    a = matrix()
    assert (a.shape, a.T.shape, repr(a.T)) == ((30, 20), (20, 30), "SparseMatrix((20, 30), 400 entries)")
    assert (a @ tensor(np.ones(20))).shape == (30,) and (a @ tensor(np.ones((20, 2, 3)))).shape == (30, 2, 3)
    assert (a @ tensor(np.ones((20, 0)))).shape == (30, 0)
    nothing = tn.SparseMatrix([], [], tn.tensor([]), shape=(3, 0))
    assert (nothing @ tn.zeros((0, 2))).tolist() == [[0, 0]] * 3 and nothing.to_dense().shape == (3, 0)
    assert (nothing.T @ tn.zeros((3, 2))).shape == (0, 2)


@pytest.mark.host_only
def test_what_raises():
    a = tn.SparseMatrix([0, 1], [1, 0], shape=(2, 2))
    for call, error, message in [
        (lambda: tn.SparseMatrix([0, 2], [1, 0], shape=(2, 2)), IndexError, r"ids\[1\] is 2"),
        (lambda: tn.SparseMatrix([0, 1], [1], shape=(2, 2)), ValueError, "rows and columns differ in length, 2 and 1"),
        (lambda: tn.SparseMatrix([0], [1], [1.0, 2.0], shape=(2, 2)), ValueError,
         r"values has shape \(2,\), expected \(1,\)"),
        (lambda: tn.SparseMatrix([0], [1]), TypeError, "shape is missing"),
        (lambda: a @ np.ones((3, 2)), ValueError, r"shape \(2, 2\) times x of shape \(3, 2\): expected 2 rows"),
        (lambda: a @ 2.0, ValueError, "expected 2 rows"),
        (lambda: a @ tn.ones((2, 2), device="strict"), TypeError, "the matrix lives on cpu, x on strict"),
    ]:
        with tn.as_device("cpu"), pytest.raises(error, match=message):
            call()
