"""Products beyond the table: random subscripts, what is computed and what is kept, errors."""
import gc
import importlib
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_notes as tn


def leaf(array):
    return tn.Tensor(np.asarray(array), requires_grad=True)


# einsum against NumPy ---------------------------------------------------------------
@st.composite
def products(draw):
    """Subscripts without '...', letters of the result, and shapes."""
    letters = "abcde"
    terms = draw(st.lists(st.text(letters, max_size=4), min_size=1, max_size=4))
    used = sorted(set("".join(terms)))
    out = "".join(draw(st.permutations(draw(st.lists(st.sampled_from(used), unique=True)) if used else [])))
    sizes = {c: draw(st.integers(0, 3)) for c in letters}
    return ",".join(terms), out, [[sizes[c] for c in term] for term in terms]


@settings(deadline=None)  # the first call imports and compiles
@given(products(), st.booleans(), st.integers(0, 99))
def test_einsum_equals_numpy(product, implicit, seed):
    terms, out, shapes = product
    if implicit:
        out = "".join(c for c in "abcde" if terms.count(c) == 1)
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal(shape) for shape in shapes]
    expected = np.einsum(f"{terms}->{out}", *arrays)
    tensors = [leaf(a) for a in arrays]
    out = tn.einsum(terms if implicit else f"{terms}->{out}", *tensors)
    np.testing.assert_allclose(out.numpy(), expected, atol=1e-11)
    assert out.shape == expected.shape
    # A product is linear in every operand: <dL/dx, x> = L for each.
    u = rng.standard_normal(out.shape)
    gradients = tn.autograd.grad(out, tensors, tn.Tensor(u))
    for g, a in zip(gradients, arrays):
        assert g.shape == a.shape
        np.testing.assert_allclose(np.sum(g.numpy() * a), np.sum(u * expected), atol=1e-9)


@pytest.mark.parametrize(("subscripts", "shapes"), [("bij,bjk->bik", [(4, 5, 6), (4, 6, 7)]),
                                                    ("bthd,bshd->bhts", [(2, 5, 3, 8), (2, 6, 3, 8)]),
                                                    ("bhts,bshd->bthd", [(2, 3, 5, 6), (2, 6, 3, 8)]),
                                                    ("nd,kd->nk", [(5, 6), (7, 6)])])
def test_einsum_is_a_matmul_without_copies(subscripts, shapes, monkeypatch, rng):
    """One summed and one free axis per operand go to matmul as views."""
    einsum = importlib.import_module("tinygrad_notes.ops.einsum")  # the function has taken the name in `ops`
    arrays = [rng.standard_normal(s) for s in shapes]
    calls = []

    class Spy:
        def matmul(self, x, y):
            calls.append([np.shares_memory(x, arrays[0]) or np.shares_memory(x, arrays[1]),
                          np.shares_memory(y, arrays[0]) or np.shares_memory(y, arrays[1])])
            return np.matmul(x, y)

        def __getattr__(self, name):
            return getattr(np, name)
    names, out, _, plain = einsum._parse(subscripts, tuple(a.shape for a in arrays))
    result = einsum._forward(Spy(), *arrays, xs=names[0], ys=names[1], zs=out)
    np.testing.assert_allclose(result, np.einsum(subscripts, *arrays))
    assert calls == [[True, True]]
    assert plain


def test_einsum_of_many_operands_takes_the_cheap_order():
    """Left to right the first product would have 1000 x 1000 elements."""
    a, b, c = tn.ones((1000, 2)), tn.ones((2, 1000)), tn.ones((1000, 2))
    tn.einsum("ij,jk,kl->il", a, b, c)
    tracemalloc.start()
    try:
        out = tn.einsum("ij,jk,kl->il", a, b, c)
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()
    np.testing.assert_allclose(out.numpy(), 2000)


# One product, not one per batch -------------------------------------------------------
def peak_of(call):
    gc.collect()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("op", [tn.matmul, lambda x, w: tn.linear(x, tn.matrix_transpose(w))], ids=["matmul", "linear"])
def test_weight_gradient_is_one_product_over_the_batch(op):
    """A batched product followed by a sum would hold N gradients of the weight."""
    n, t, d = 64, 4, 64
    x, w = tn.ones((n, t, d)), tn.Tensor(np.ones((d, d), "float32"), requires_grad=True)
    out = op(x, w)
    g = tn.ones((n, t, d))
    held = []
    assert peak_of(lambda: held.extend(tn.autograd.grad(out, w, g))) < n * d * d * 4 / 4
    np.testing.assert_allclose(held[0].numpy(), n * t)


def test_linear_gradient_of_the_weight_is_contiguous(rng):
    x, w, b = leaf(rng.standard_normal((2, 3, 4))), leaf(rng.standard_normal((5, 4))), leaf(np.zeros(5))
    tn.linear(x, w, b).sum().backward()
    for t in (x, w, b):
        assert t.grad.data.flags.c_contiguous
        assert t.grad.shape == t.shape


def test_linear_leaves_the_offset_alone():
    w, b = tn.ones((3, 2)), tn.ones(3)
    first, second = tn.linear(tn.ones((4, 2)), w, b), tn.linear(tn.ones((4, 2)), w, b)
    np.testing.assert_array_equal(first.numpy(), 3.0)
    np.testing.assert_array_equal(second.numpy(), 3.0)
    np.testing.assert_array_equal(b.numpy(), 1.0)


def test_linear_of_mixed_dtypes_promotes():
    out = tn.linear(tn.ones((2, 3)), tn.ones((4, 3)), tn.Tensor(np.full(4, 0.5)))
    assert out.dtype == "float64"
    np.testing.assert_array_equal(out.numpy(), 3.5)
    assert tn.linear(tn.tensor([[1, 2]]), tn.tensor([[3, 4]]), tn.tensor([0.5])).item() == 11.5


# Distances ------------------------------------------------------------------------------
def test_distances_of_close_points_keep_their_digits():
    """|x|^2 + |y|^2 - 2 x.y would lose them all."""
    x = np.array([[1e4, 1e4]])
    y = x + np.array([[3e-4, 4e-4]])
    np.testing.assert_allclose(tn.cdist(tn.Tensor(x), tn.Tensor(y)).numpy(), [[np.hypot(*(y - x)[0])]], rtol=1e-14)
    assert tn.cdist(tn.Tensor(x), tn.Tensor(x)).item() == 0


def test_distances_of_equal_points_have_gradient_zero():
    x = leaf(np.array([[1.0, 2.0], [4.0, 6.0]]))
    tn.cdist(x, x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [[-1.2, -1.6], [1.2, 1.6]])


def test_distances_go_in_blocks(monkeypatch, rng):
    distance = importlib.import_module("tinygrad_notes.ops.distance")
    monkeypatch.setattr(distance, "_BLOCK", 50)
    x, y = rng.standard_normal((7, 3)), rng.standard_normal((8, 3))
    expected = np.sqrt(((x[:, None] - y) ** 2).sum(-1))
    np.testing.assert_allclose(tn.cdist(tn.Tensor(x), tn.Tensor(y)).numpy(), expected, rtol=1e-13)


# Errors ---------------------------------------------------------------------------------
@pytest.mark.parametrize(("call", "kind", "match"), [
    (lambda: tn.matmul(tn.ones((2, 3)), tn.ones((2, 3))), ValueError, "last axis of x1 .* must be equal, got 3 and 2"),
    (lambda: tn.ones((2, 3)) @ tn.ones(2), ValueError, "matmul: .* only axis of x2 must be equal, got 3 and 2"),
    (lambda: tn.matmul(tn.ones((2, 2, 3)), tn.ones((3, 3, 2))), ValueError, "matmul: the leading axes do not"),
    (lambda: tn.matmul(tn.ones((2, 3)), tn.tensor(2.0)), ValueError, "matmul: expected at least one axis in both"),
    (lambda: tn.matmul(tn.ones((2, 3)), 2.0), ValueError, "matmul: expected at least one axis in both"),
    (lambda: tn.linear(tn.ones((2, 3)), tn.ones((3, 4))), ValueError, r"linear: expected x \(..., K\) and w \(M, K\)"),
    (lambda: tn.linear(tn.ones((2, 3)), tn.ones((4, 3)), tn.ones(3)), ValueError, r"expected b of shape \(4,\)"),
    (lambda: tn.vecdot(tn.ones(3), tn.ones(4)), ValueError, "vecdot: expected equal sizes along axis -1"),
    (lambda: tn.vecdot(tn.ones(3), tn.ones((2, 3)), axis=0), IndexError, "vecdot: axis -2 is not an axis of both"),
    (lambda: tn.tensordot(tn.ones((2, 3)), tn.ones((4, 3)), axes=1), ValueError, "tensordot: axes .* differ in size"),
    (lambda: tn.tensordot(tn.ones(2), tn.ones(2), axes=2), IndexError, "tensordot: axes=2 for inputs of shapes"),
    (lambda: tn.tensordot(tn.ones(2), tn.ones(2), axes=([0], [1])), IndexError, r"tensordot: axes \(1,\) of x2"),
    (lambda: tn.tensordot(tn.ones(2), tn.ones(2), axes=([0], [])), ValueError, "as many axes of x1 as of x2"),
    (lambda: tn.outer(tn.ones((2, 2)), tn.ones(2)), ValueError, "outer: expected two vectors"),
    (lambda: tn.dot(tn.ones(2), tn.ones(3)), ValueError, "dot: the summed axes differ in size, 2 and 3"),
    (lambda: tn.mm(tn.ones(2), tn.ones((2, 2))), ValueError, r"mm: x: expected 2 axes, got shape \(2,\)"),
    (lambda: tn.bmm(tn.ones((2, 2, 2)), tn.ones((3, 2, 2))), ValueError, "bmm: expected equal batch sizes"),
    (lambda: tn.cross(tn.ones(2), tn.ones(2)), ValueError, "cross: expected size 3 along axis -1"),
    (lambda: tn.cdist(tn.ones((2, 3)), tn.ones((2, 4))), ValueError, r"cdist: expected points \(..., N, D\)"),
    (lambda: tn.cdist(tn.ones((2, 3)), tn.ones((2, 3)), p=-1), ValueError, "cdist: p: expected a number >= 0, got -1"),
    (lambda: tn.trapezoid(tn.ones((2, 3)), tn.ones(2)), ValueError, "trapezoid: x: expected 3 points along axis -1"),
    (lambda: tn.trapezoid(tn.ones(2), axis=1), IndexError, "trapezoid: axis 1 is out of range"),
    (lambda: tn.trace(tn.ones(2)), ValueError, "trace: expected at least two axes"),
    (lambda: tn.diagonal(tn.ones((2, 2)), 0, 1, 1), ValueError, "diagonal: axis1 and axis2 are both 1"),
    (lambda: tn.einsum("ij,jk", tn.ones((2, 3))), ValueError, "names 2 operands, got 1"),
    (lambda: tn.einsum("ij", tn.ones(2)), ValueError, r"'ij' of 'ij' names 2 axes, its operand has shape \(2,\)"),
    (lambda: tn.einsum("ij,jk", tn.ones((2, 3)), tn.ones((4, 2))), ValueError, "axis 'j' .* has sizes 3 and 4"),
    (lambda: tn.einsum("ii", tn.ones((2, 3))), ValueError, "names axes of different sizes"),
    (lambda: tn.einsum("i->j", tn.ones(2)), ValueError, "must name axes of the operands, each once"),
    (lambda: tn.einsum("i->ii", tn.ones(2)), ValueError, "must name axes of the operands, each once"),
    (lambda: tn.einsum("i1", tn.ones((2, 2))), ValueError, "expected letters"),
    (lambda: tn.einsum("i"), ValueError, "einsum: expected at least one operand"),
    (lambda: tn.einsum(tn.ones(2), "i"), TypeError, "einsum: subscripts: expected a string"),
])
def test_errors_say_what_was_expected(call, kind, match):
    with pytest.raises(kind, match=match):
        call()
