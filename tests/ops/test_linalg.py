"""Linear algebra beyond the table: results as named tuples, limits of gradients, errors, and the work that is done."""
import numpy as np
import pytest

import tinygrad_notes as tn
from tinygrad_notes import linalg


def leaf(array, dtype=np.float64):
    return tn.Tensor(np.asarray(array, dtype=dtype), requires_grad=True)


def gradient(f, array):
    x = leaf(array)
    return tn.autograd.grad(f(x), x)[0].numpy()


# What is returned ---------------------------------------------------------------
@pytest.mark.parametrize(("name", "fields"), [
    ("eigh", ("eigenvalues", "eigenvectors")), ("eig", ("eigenvalues", "eigenvectors")), ("qr", ("Q", "R")),
    ("slogdet", ("sign", "logabsdet")), ("svd", ("U", "S", "Vh"))])
def test_results_are_named(name, fields):
    result = getattr(linalg, name)(tn.eye(3))
    assert result._fields == fields
    assert all(isinstance(part, tn.Tensor) for part in result)


def test_module_is_reached_by_name():
    assert tn.linalg is linalg
    assert set(linalg.__all__) <= set(dir(linalg))


@pytest.mark.parametrize("shape", [(4, 4), (4, 2), (2, 4), (3, 4, 2), (3, 2, 4), (3, 0, 2), (0, 2, 2)])
@pytest.mark.parametrize("full", [True, False])
def test_factors_multiply_back(shape, full, rng):
    x = tn.Tensor(rng.standard_normal(shape))
    u, s, vh = linalg.svd(x, full_matrices=full)
    k = min(shape[-2:])
    np.testing.assert_allclose(((u[..., :k] * s[..., None, :]) @ vh[..., :k, :]).numpy(), x.numpy(), atol=1e-12)
    q, r = linalg.qr(x, mode="complete" if full else "reduced")
    np.testing.assert_allclose((q @ r).numpy(), x.numpy(), atol=1e-12)
    np.testing.assert_array_equal(np.tril(r.numpy(), -1), 0)
    for basis in (u, tn.matrix_transpose(vh), q):
        n = basis.shape[-1]
        eye = np.broadcast_to(np.eye(n), (*shape[:-2], n, n))
        np.testing.assert_allclose((tn.matrix_transpose(basis) @ basis).numpy(), eye, atol=1e-12)


def test_complex_input_goes_forward(rng):
    x = rng.standard_normal((3, 3)) + 1j * rng.standard_normal((3, 3))
    t = tn.Tensor(x)
    np.testing.assert_allclose((linalg.inv(t) @ t).numpy(), np.eye(3), atol=1e-12)
    np.testing.assert_allclose(linalg.det(t).numpy(), np.linalg.det(x))
    u, s, vh = linalg.svd(t)
    np.testing.assert_allclose((u * s @ vh).numpy(), x, atol=1e-12)
    np.testing.assert_allclose(linalg.vecdot(t, t).numpy(), (abs(x) ** 2).sum(-1), atol=1e-12)


def test_integers_become_float32():
    x = tn.tensor([[2, 0], [0, 4]])
    assert linalg.inv(x).dtype == linalg.det(x).dtype == linalg.svdvals(x).dtype == "float32"
    assert linalg.matrix_norm(x).dtype == "float32"
    assert tn.matmul(x, x).dtype == "int64"


def test_rank_and_pinv_take_a_tolerance_per_matrix():
    x = np.stack([np.diag([1.0, 0.2, 0.05])] * 3)
    rtol = np.array([0.01, 0.1, 0.5])
    np.testing.assert_array_equal(linalg.matrix_rank(tn.Tensor(x), rtol=tn.Tensor(rtol)).numpy(), [3, 2, 1])
    inverse = linalg.pinv(tn.Tensor(x), rtol=tn.Tensor(rtol)).numpy()
    np.testing.assert_allclose(np.diagonal(inverse, 0, 1, 2), [[1, 5, 20], [1, 5, 0], [1, 0, 0]], atol=1e-12)


def test_only_the_named_triangle_is_read(rng):
    x = rng.standard_normal((3, 3))
    low, high = np.tril(x) + np.tril(x, -1).T, np.triu(x) + np.triu(x, 1).T
    for name in ("eigvalsh", "eigh"):
        f = getattr(linalg, name)
        first = f if name == "eigvalsh" else (lambda a, f=f, **k: f(a, **k).eigenvalues)
        np.testing.assert_allclose(first(tn.Tensor(x)).numpy(), np.linalg.eigvalsh(low), atol=1e-12)
        np.testing.assert_allclose(first(tn.Tensor(x), UPLO="U").numpy(), np.linalg.eigvalsh(high), atol=1e-12)
    spd = low @ low + np.eye(3)
    spoiled = np.tril(spd) + np.triu(rng.standard_normal((3, 3)), 1)
    np.testing.assert_allclose(linalg.cholesky(tn.Tensor(spoiled)).numpy(), np.linalg.cholesky(spd), atol=1e-12)
    np.testing.assert_allclose(linalg.cholesky(tn.Tensor(spoiled.T), upper=True).numpy(), np.linalg.cholesky(spd).T,
                               atol=1e-12)


# Where gradients end -------------------------------------------------------------
@pytest.mark.parametrize("rank", range(4))
def test_det_has_its_derivatives_at_singular_matrices(rank, rng):
    """Second derivative of the determinant along a line, a polynomial: here by its exact coefficients."""
    x = rng.standard_normal((4, rank)) @ rng.standard_normal((rank, 4))
    h = rng.standard_normal((4, 4))
    points = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    coefficients = np.polynomial.polynomial.polyfit(points, [np.linalg.det(x + t * h) for t in points], 4)
    t = leaf(x)
    first, = tn.autograd.grad(linalg.det(t), t, create_graph=True)
    slope = (first * tn.Tensor(h)).sum()
    np.testing.assert_allclose(slope.item(), coefficients[1], atol=1e-10)
    second = (tn.autograd.grad(slope, t)[0] * tn.Tensor(h)).sum()
    np.testing.assert_allclose(second.item(), 2 * coefficients[2], atol=1e-10)


def test_third_derivative_of_det(rng):
    x, h = rng.standard_normal((3, 3)), rng.standard_normal((3, 3))
    points = np.array([-1.5, -0.5, 0.5, 1.5])
    cubic = np.polynomial.polynomial.polyfit(points, [np.linalg.det(x + t * h) for t in points], 3)[3]
    t, f = leaf(x), None
    f = linalg.det(t)
    for _ in range(3):
        f = (tn.autograd.grad(f, t, create_graph=True)[0] * tn.Tensor(h)).sum()
    np.testing.assert_allclose(f.item(), 6 * cubic, rtol=1e-9)
    np.testing.assert_allclose(f.item(), 6 * np.linalg.det(h), rtol=1e-9)


def test_equal_eigenvalues_spoil_vectors_and_nothing_else():
    x = np.diag([1.0, 1.0, 3.0])
    values = gradient(lambda t: (linalg.eigh(t).eigenvalues ** 2).sum(), x)
    np.testing.assert_allclose(values, 2 * x, atol=1e-12)
    assert np.isnan(gradient(lambda t: linalg.eigh(t).eigenvectors[0, 0], x)).any()
    u = gradient(lambda t: linalg.svd(t, full_matrices=False).S.sum(), np.eye(4)[:, :2])
    np.testing.assert_allclose(u, np.eye(4)[:, :2], atol=1e-12)
    assert np.isnan(gradient(lambda t: linalg.svd(t).U[0, 1], np.eye(2))).any()


def test_zero_singular_values_leave_the_gradient_of_values():
    x = np.zeros((3, 2))
    x[0, 0] = 2.0
    found = gradient(lambda t: linalg.svd(t, full_matrices=False).S[0], x)
    np.testing.assert_allclose(found, x / 2, atol=1e-12)


def test_full_svd_refuses_the_vectors_that_x_does_not_determine():
    x = leaf(np.arange(6.0).reshape(3, 2) + np.eye(3, 2))
    with pytest.raises(NotImplementedError, match=r"svd: full_matrices=True .* beyond min\(M, N\)"):
        linalg.svd(x).U.sum().backward()
    linalg.svd(x).S.sum().backward()
    assert x.grad.shape == (3, 2)


def test_complete_qr_refuses_tall_matrices():
    x = leaf(np.arange(6.0).reshape(3, 2) + np.eye(3, 2))
    with pytest.raises(NotImplementedError, match="qr: mode 'complete' has no gradient for more rows"):
        linalg.qr(x, mode="complete").R.sum().backward()


def test_gradients_of_symmetric_matrices_are_symmetric(rng):
    x = rng.standard_normal((4, 4))
    x = x @ x.T + np.eye(4)
    u = tn.Tensor(rng.standard_normal((4, 4)))
    for f in (lambda t: (linalg.cholesky(t) * u).sum(), lambda t: (linalg.eigh(t).eigenvectors ** 2 * u).sum(),
              lambda t: (linalg.eigvalsh(t) * u[0]).sum()):
        found = gradient(f, x)
        np.testing.assert_allclose(found, found.T, atol=1e-12)


def test_norms_have_gradient_zero_at_zero():
    for ord in (1, 1.5, 2, 3, np.inf):
        np.testing.assert_array_equal(gradient(lambda t, o=ord: linalg.vector_norm(t, ord=o), np.zeros(3)), 0)


def test_slogdet_of_large_matrices_does_not_overflow():
    x = leaf(100.0 * np.eye(500))
    sign, logabs = linalg.slogdet(x)
    np.testing.assert_allclose([sign.item(), logabs.item()], [1.0, 500 * np.log(100.0)])
    logabs.backward()
    np.testing.assert_allclose(x.grad.numpy(), np.eye(500) / 100)
    sign, logabs = linalg.slogdet(tn.zeros((2, 2)))
    assert (sign.item(), logabs.item()) == (0.0, -np.inf)


def test_matrix_exp_scales_every_matrix_by_itself():
    tiny = linalg.matrix_exp(tn.Tensor(np.array([[[1e-9]], [[300.0]]]))).numpy().ravel()
    np.testing.assert_allclose(tiny, np.exp([1e-9, 300.0]), rtol=1e-12)
    assert np.isnan(linalg.matrix_exp(tn.Tensor(np.array([[np.inf]]))).numpy()).all()


# Errors ---------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["inv", "det", "slogdet", "cholesky", "eigh", "eigvalsh", "eig", "eigvals",
                                  "matrix_exp"])
def test_non_square_is_named(name):
    with pytest.raises(ValueError, match=rf"^{name}: x: expected square matrices .* got shape \(2, 3\)"):
        getattr(linalg, name)(tn.ones((2, 3)))
    with pytest.raises(ValueError, match=rf"^{name}: x: expected a matrix .* got shape \(3,\)"):
        getattr(linalg, name)(tn.ones(3))


@pytest.mark.parametrize(("call", "kind", "match"), [
    (lambda: linalg.cholesky(tn.tensor([[1.0, 2.0], [2.0, 1.0]])), np.linalg.LinAlgError,
     "cholesky: .*not positive definite"),
    (lambda: linalg.inv(tn.zeros((2, 2))), np.linalg.LinAlgError, "inv: .*[Ss]ingular"),
    (lambda: linalg.solve(tn.eye(3), tn.ones((2, 2))), ValueError, r"solve: b: expected \(3,\) or \(..., 3, K\)"),
    (lambda: linalg.solve_triangular(tn.eye(3), tn.ones(2)), ValueError, "solve_triangular: b: expected"),
    (lambda: linalg.lstsq(tn.ones((3, 2)), tn.ones(2)), ValueError, "lstsq: b: expected"),
    (lambda: linalg.qr(tn.eye(2), mode="r"), ValueError, "qr: mode: expected 'reduced' or 'complete', got 'r'"),
    (lambda: linalg.eigh(tn.eye(2), UPLO="X"), ValueError, "eigh: UPLO: expected 'L' or 'U', got 'X'"),
    (lambda: linalg.matrix_norm(tn.eye(2), ord=3), ValueError, "matrix_norm: ord: expected .* got 3"),
    (lambda: linalg.matrix_norm(tn.eye(2), axis=0), ValueError, "matrix_norm: axis: expected two axes"),
    (lambda: linalg.norm(tn.ones(3), ord="fro"), ValueError, "norm: ord 'fro' needs two axes"),
    (lambda: linalg.norm(tn.ones((2, 2, 2)), ord=1), ValueError, "norm: ord 1 needs one or two axes"),
    (lambda: linalg.cond(tn.eye(2), p=3), ValueError, "cond: p: expected"),
    (lambda: linalg.matrix_power(tn.eye(2), 1.5), TypeError, "matrix_power: n: expected an int, got 1.5"),
    (lambda: linalg.multi_dot([]), ValueError, "multi_dot: expected at least one matrix"),
    (lambda: linalg.multi_dot([tn.eye(2), tn.eye(3)]), ValueError, r"arrays\[0\] and arrays\[1\] do not fit"),
    (lambda: linalg.multi_dot([tn.eye(2), tn.ones(2), tn.eye(2)]), ValueError, r"arrays\[1\]: expected a matrix"),
    (lambda: linalg.tensorinv(tn.ones((2, 3))), ValueError, "tensorinv: the first 2 sizes"),
    (lambda: linalg.tensorsolve(tn.ones((2, 3)), tn.ones(2)), ValueError, "tensorsolve: a: expected 1 axes"),
    (lambda: linalg.vander(tn.tensor(1.0)), ValueError, "vander: x: expected at least one axis"),
    (lambda: linalg.diagonal(tn.ones(3)), ValueError, "diagonal: x: expected a matrix"),
    (lambda: linalg.svd(tn.ones(3)), ValueError, "svd: x: expected a matrix"),
])
def test_errors_say_what_was_expected(call, kind, match):
    with pytest.raises(kind, match=match):
        call()


# The work that is done ------------------------------------------------------------
def test_multi_dot_multiplies_in_the_cheap_order(monkeypatch):
    """(2, 30) (30, 30) (30, 1): from the right 960 products, from the left 1860."""
    from tinygrad_notes.ops.linalg import powers
    made = []
    plain = powers.matmul
    monkeypatch.setattr(powers, "matmul", lambda x, y: made.append((x.shape, y.shape)) or plain(x, y))
    linalg.multi_dot([tn.ones((2, 30)), tn.ones((30, 30)), tn.ones((30, 1))])
    assert made == [((30, 30), (30, 1)), ((2, 30), (30, 1))]


def test_inverse_is_not_formed_to_solve(rng, monkeypatch):
    def refuse(*args):
        raise AssertionError("an inverse was formed")
    monkeypatch.setattr(np.linalg, "inv", refuse)
    a, b = leaf(rng.standard_normal((3, 3))), leaf(rng.standard_normal((3, 2)))
    first = tn.autograd.grad((linalg.solve(a, b) ** 2).sum(), [a, b], create_graph=True)
    tn.autograd.grad(sum((g ** 2).sum() for g in first), [a, b])
