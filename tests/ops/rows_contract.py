"""Rows of products that sum over axes. The oracles are NumPy's and naive loops."""
import itertools

import numpy as np
import scipy.integrate

from tests.ops.table import Row, normal


def einsum_by_loop(subscripts, *arrays):
    """Every term of the sum, one after the other: letters and '->' only; size 1 stretches."""
    left, _, out = subscripts.partition("->")
    terms = left.split(",")
    sizes = {}
    for term, array in zip(terms, arrays):
        for name, size in zip(term, array.shape):
            sizes[name] = size if sizes.get(name, 1) == 1 else sizes[name]
    result = np.zeros([sizes[n] for n in out])
    for values in itertools.product(*map(range, sizes.values())):
        at = dict(zip(sizes, values))
        product = 1.0
        for term, array in zip(terms, arrays):
            product *= array[tuple(at[n] if array.shape[i] > 1 else 0 for i, n in enumerate(term))]
        result[tuple(at[n] for n in out)] += product
    return result


def einsum(subscripts, *shapes, plain=None):
    """A row for `subscripts`; `plain` spells the same without '...' and with '->' for the loop."""
    return Row("einsum", normal(*shapes), lambda *xs: einsum_by_loop(plain or subscripts, *xs),
               call=lambda tn, *xs: tn.einsum(subscripts, *xs), label=subscripts)


def matmul(label, a, b):
    return Row("matmul", normal(a, b), np.matmul, label=label)


def product(name, oracle, *shapes, label="", **options):
    return Row(name, normal(*shapes), oracle, label=label,
               call=(lambda tn, *xs: getattr(tn, name)(*xs, **options)) if options else None)


def tensordot(label, a, b, axes):
    return Row("tensordot", normal(a, b), lambda x, y: np.tensordot(x, y, axes=axes),
               call=lambda tn, x, y: tn.tensordot(x, y, axes=axes), label=label)


def distances(p, label="", a=(4, 3), b=(2, 3), **options):
    def oracle(x, y):
        apart = np.abs(x[..., :, None, :] - y[..., None, :, :])
        if p == np.inf:
            return apart.max(-1)
        return (apart != 0).sum(-1).astype(float) if p == 0 else (apart ** p).sum(-1) ** (1 / p)
    return Row("cdist", normal(a, b), oracle, label=label or str(p), order=2 if p else 0,
               call=lambda tn, x, y: tn.cdist(x, y, **({} if p == 2 else {"p": p})))


def integers(rng):
    return rng.integers(-3, 4, (2, 3)), rng.integers(-3, 4, (3, 2))


ROWS = [
    matmul("matrices", (2, 3), (3, 4)),
    matmul("vectors", (3,), (3,)),
    matmul("vector, matrix", (3,), (3, 4)),
    matmul("matrix, vector", (2, 3), (3,)),
    matmul("vector, batch", (3,), (5, 3, 4)),
    matmul("batch, vector", (2, 2, 3), (3,)),
    matmul("batch, matrix", (5, 2, 3), (3, 4)),
    matmul("two batch axes, matrix", (2, 2, 2, 3), (3, 4)),
    matmul("matrix, batch", (2, 3), (5, 3, 4)),
    matmul("matrix, two batch axes", (2, 3), (2, 2, 3, 4)),
    matmul("batches", (5, 2, 3), (5, 3, 4)),
    matmul("batches that broadcast", (2, 1, 2, 3), (4, 3, 2)),
    matmul("one and batch", (1, 2, 3), (4, 3, 2)),
    matmul("nothing summed", (2, 0), (0, 3)),
    matmul("no rows", (0, 3), (3, 2)),
    matmul("no batch", (0, 2, 3), (3, 2)),
    Row("matmul", integers, np.matmul, order=0, label="ints"),
    Row("linear", normal((2, 3), (4, 3), (4,)), lambda x, w, b: x @ w.T + b),
    Row("linear", normal((3,), (4, 3), (4,)), lambda x, w, b: w @ x + b, label="one row"),
    Row("linear", normal((2, 5, 3), (4, 3), (4,)), lambda x, w, b: x @ w.T + b, label="batch"),
    Row("linear", normal((2, 3), (4, 3)), lambda x, w: x @ w.T, label="no offset"),
    Row("linear", normal((2, 5, 3), (4, 3)), lambda x, w: x @ w.T, label="batch, no offset"),
    Row("linear", normal((0, 3), (4, 3), (4,)), lambda x, w, b: x @ w.T + b, label="no rows"),
    Row("vecdot", normal((2, 3), (2, 3)), lambda x, y: (x * y).sum(-1)),
    Row("vecdot", normal((4, 1, 3), (2, 3)), lambda x, y: (x * y).sum(-1), label="broadcast"),
    Row("vecdot", normal((2, 3, 4), (3, 4)), lambda x, y: (x * y).sum(-2), label="axis",
        call=lambda tn, x, y: tn.vecdot(x, y, axis=1)),
    tensordot("2", (2, 3, 4), (3, 4, 5), 2),
    tensordot("0", (2, 3), (4,), 0),
    tensordot("axes", (2, 3, 4), (4, 5, 2), ([0, 2], [2, 0])),
    tensordot("one pair", (2, 3), (4, 3), (1, 1)),
    product("outer", np.outer, (3,), (4,)),
    product("dot", np.dot, (3,), (3,)),
    product("dot", np.dot, (2, 3), (3, 4), label="matrices"),
    product("dot", np.dot, (2, 2, 3), (2, 3, 4), label="batches"),
    product("dot", np.dot, (2, 3), (), label="number"),
    product("vdot", np.vdot, (2, 3), (3, 2)),
    product("inner", np.inner, (2, 3), (4, 3)),
    product("inner", np.inner, (2, 2, 3), (3,), label="vector"),
    product("inner", np.inner, (), (3,), label="number"),
    product("mv", np.matmul, (2, 3), (3,)),
    product("mm", np.matmul, (2, 3), (3, 4)),
    product("bmm", np.matmul, (5, 2, 3), (5, 3, 4)),
    product("addmm", lambda x, a, b: x + a @ b, (4,), (2, 3), (3, 4)),
    product("addmm", lambda x, a, b: 0.5 * x - 2 * a @ b, (2, 4), (2, 3), (3, 4), label="scaled", beta=0.5, alpha=-2),
    product("addmm", lambda x, a, b: a @ b, (2, 4), (2, 3), (3, 4), label="beta 0", beta=0),
    product("addmv", lambda x, a, b: x + a @ b, (2,), (2, 3), (3,)),
    product("addr", lambda x, a, b: x + np.outer(a, b), (2, 3), (2,), (3,)),
    product("addbmm", lambda x, a, b: x + (a @ b).sum(0), (2, 4), (5, 2, 3), (5, 3, 4)),
    product("baddbmm", lambda x, a, b: x + a @ b, (5, 2, 4), (5, 2, 3), (5, 3, 4)),
    product("kron", np.kron, (2, 3), (3, 2)),
    product("kron", np.kron, (2,), (2, 3), label="ranks"),
    product("kron", np.kron, (), (2,), label="number"),
    product("cross", np.cross, (2, 3), (2, 3)),
    product("cross", np.cross, (4, 1, 3), (2, 3), label="broadcast"),
    product("cross", lambda x, y: np.cross(x, y, axis=0), (3, 2), (3, 2), label="axis", axis=0),
    Row("diagonal", normal((3, 4)), np.diagonal),
    Row("diagonal", normal((3, 2, 4)), lambda x: np.diagonal(x, 1, 2, 0), label="axes",
        call=lambda tn, x: tn.diagonal(x, 1, 2, 0)),
    Row("diagonal", normal((4, 3)), lambda x: np.diagonal(x, -2), call=lambda tn, x: tn.diagonal(x, -2), label="below"),
    Row("diagonal", normal((2, 3)), lambda x: np.diagonal(x, 5), call=lambda tn, x: tn.diagonal(x, 5), label="outside"),
    Row("trace", normal((3, 4)), np.trace),
    Row("trace", normal((3, 2, 4)), lambda x: np.trace(x, -1, 2, 1), label="axes",
        call=lambda tn, x: tn.trace(x, -1, 2, 1)),
    Row("trace", lambda rng: (rng.integers(0, 9, (3, 3)),), np.trace, order=0, label="ints"),
    distances(2), distances(1), distances(3.5), distances(np.inf), distances(0),
    distances(2, "batch", (2, 1, 3, 2), (4, 2, 2)),
    distances(2, "no points", (0, 2), (3, 2)),
    Row("trapezoid", normal((2, 5)), lambda y: ((y[:, 1:] + y[:, :-1]) / 2).sum(-1)),
    Row("trapezoid", normal((4, 3), (4,)),
        lambda y, x: sum((x[i + 1] - x[i]) * (y[i + 1] + y[i]) / 2 for i in range(3)),
        call=lambda tn, y, x: tn.trapezoid(y, x, axis=0), label="points"),
    Row("trapezoid", normal((4, 3), (4, 3)), lambda y, x: np.trapezoid(y, x, axis=0), label="points of each",
        call=lambda tn, y, x: tn.trapezoid(y, x, axis=0)),
    Row("cumulative_trapezoid", normal((5, 2)), lambda y: np.cumsum((y[1:] + y[:-1]) / 4, axis=0), label="axis, dx",
        call=lambda tn, y: tn.cumulative_trapezoid(y, dx=0.5, axis=0)),
    Row("cumulative_trapezoid", normal((2, 4), (4,)), lambda y, x: scipy.integrate.cumulative_trapezoid(y, x)),
    einsum("ij,jk->ik", (2, 3), (3, 4)),
    einsum("ij,jk", (2, 3), (3, 4), plain="ij,jk->ik"),
    einsum("ba", (2, 3), plain="ba->ab"),
    einsum("ij->", (2, 3)),
    einsum("ij->j", (2, 3)),
    einsum("ii", (3, 3), plain="ii->"),
    einsum("ii->i", (3, 3)),
    einsum("iij->ji", (3, 3, 2)),
    einsum("iii->i", (2, 2, 2)),
    einsum("i,i", (3,), (3,), plain="i,i->"),
    einsum("i,j", (3,), (2,), plain="i,j->ij"),
    einsum(",ij->ij", (), (2, 3)),
    einsum("ij,ij->ij", (2, 3), (2, 3)),
    einsum("ij,ij->j", (2, 3), (2, 3)),
    einsum("ij,k->jk", (2, 3), (2,)),
    einsum("ii,i->i", (3, 3), (3,)),
    einsum("bij,bjk->bik", (2, 3, 2), (2, 2, 3)),
    einsum("bthd,bshd->bhts", (2, 3, 2, 4), (2, 2, 2, 4)),
    einsum("abcd,cdef->efab", (2, 1, 3, 2), (3, 2, 2, 1)),
    einsum("...ij,...jk->...ik", (2, 1, 2, 3), (3, 3, 2), plain="abij,bjk->abik"),
    einsum("...ij,jk", (2, 2, 3), (3, 2), plain="aij,jk->aik"),
    einsum("i...->...", (2, 3, 2), plain="iab->ab"),
    einsum("ij,jk->ik ", (2, 1), (3, 4), plain="ij,jk->ik"),
    einsum("ij,ij->i", (2, 3), (1, 3)),
    einsum("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    einsum("i,ij,j->", (2,), (2, 3), (3,)),
    einsum("i,i,i->i", (3,), (3,), (3,)),
    einsum("ab,bc,cd,da,ac->bd", (2, 3), (3, 2), (2, 3), (3, 2), (2, 2)),
    einsum("ij,jk->ik  ", (2, 0), (0, 3), plain="ij,jk->ik"),
    einsum("ij->ij", (2, 3)),
]
