"""Rows of linear algebra. Where an output has a free sign or rotation, the row is a function that has none."""
import numpy as np
import scipy.linalg

from tests.ops.table import Row, normal

INF = np.inf


def of(name, inputs, oracle, **rest):
    """A row of `linalg`; float64 forwards are compared to 1e-10."""
    rest.setdefault("tolerance", 1e-10)
    return Row(f"linalg.{name}", inputs, oracle, **rest)


def spread(*shapes):
    """Normal arrays; a square one has 3 on its diagonal, far from singular."""
    def draw(rng):
        arrays = [rng.standard_normal(shape) for shape in shapes]
        return tuple(a + 3 * np.eye(a.shape[-1]) if a.ndim > 1 and a.shape[-1] == a.shape[-2] else a for a in arrays)
    return draw


def conditioned(*shape):
    """Matrices with the singular values 1, 2, 3 ..., times a random rotation on both sides."""
    def draw(rng):
        u, _, v = np.linalg.svd(rng.standard_normal(shape), full_matrices=False)
        return ((u * (1.0 + np.arange(u.shape[-1]))) @ v,)
    return draw


def symmetric(*shape):
    """Any square matrices: the row makes them symmetric itself."""
    return normal(shape)


def half(x):
    """The symmetric part, in NumPy and in ours."""
    return 0.5 * (x + x.swapaxes(-1, -2))


def positive(x):
    """A positive definite matrix from any."""
    return x @ x.swapaxes(-1, -2) + np.eye(x.shape[-1])


def transposed(tn, x):
    return tn.matrix_transpose(x)


def ours_half(tn, x):
    return 0.5 * (x + tn.matrix_transpose(x))


def ours_positive(tn, x):
    return x @ tn.matrix_transpose(x) + tn.eye(x.shape[-1], dtype=x.dtype)


def by_matrix(f, *arrays):
    """`f` on every matrix of a batch, one after the other."""
    lead = arrays[0].shape[:-2]
    return np.array([f(*[a[i] for a in arrays]) for i in np.ndindex(lead)]).reshape(
        *lead, *np.shape(f(*[a[(0,) * len(lead)] for a in arrays])))


def cofactors_sum(x):
    """The determinant by Laplace's expansion."""
    if x.shape[-1] == 0:
        return np.ones(x.shape[:-2])
    rest = [np.delete(x[..., 1:, :], j, axis=-1) for j in range(x.shape[-1])]
    return sum((-1.0) ** j * x[..., 0, j] * cofactors_sum(m) for j, m in enumerate(rest))


def rank(n, k):
    """An n x n matrix of rank k."""
    return lambda rng: (rng.standard_normal((n, k)) @ rng.standard_normal((k, n)),)


def tri(x, upper, unit=False):
    part = np.triu(x) if upper else np.tril(x)
    return part - part * np.eye(x.shape[-1]) + np.eye(x.shape[-1]) if unit else part


def triangular(label, a, b, upper=False, unit=False):
    return of("solve_triangular", spread(a, b), lambda x, y: np.linalg.solve(tri(x, upper, unit), y), label=label,
               call=lambda tn, x, y: tn.linalg.solve_triangular(x, y, upper=upper, unitriangular=unit))


def solved(x, y):
    return np.linalg.inv(x) @ y


def qr_unique(q, r, xp):
    """Q and R with the signs taken out: a positive diagonal of R makes them unique."""
    signs = xp.sign(xp.linalg.diagonal(r))
    return q * signs[..., None, :], r * signs[..., :, None]


def qr(label, shape, mode="reduced"):
    """Against Gram and Schmidt."""
    def gram_schmidt(x):
        columns = []
        for j in range(min(x.shape)):
            v = x[:, j]
            for _ in range(2):
                v = v - sum((c * (c @ v) for c in columns), np.zeros(len(v)))
            columns.append(v / np.linalg.norm(v))
        q = np.stack(columns, axis=-1)
        return q, q.T @ x

    def oracle(x):
        return by_matrix(lambda a: gram_schmidt(a)[0], x), by_matrix(lambda a: np.triu(gram_schmidt(a)[1]), x)
    return of("qr", normal(shape), oracle, label=label, tolerance32=2e-3,
               call=lambda tn, x: qr_unique(*tn.linalg.qr(x, mode=mode), tn))


def svd(label, shape, full):
    """Projectors on the singular vectors and the product are the same for all choices of signs."""
    def ours(tn, x):
        u, s, vh = tn.linalg.svd(x, full_matrices=full)
        k = s.shape[-1]
        u, vh = u[..., :k], vh[..., :k, :]
        weights = tn.tensor(1.0 / (1 + np.arange(k)), dtype=x.dtype, device=x.device)
        return (s, (u * s[..., None, :]) @ vh, (u * weights) @ transposed(tn, u),
                transposed(tn, vh) @ (vh * weights[:, None]))

    def oracle(x):
        left, right = np.linalg.eigh(x @ x.swapaxes(-1, -2)), np.linalg.eigh(x.swapaxes(-1, -2) @ x)
        k = min(x.shape[-2:])
        weights = 1.0 / (1 + np.arange(k))
        u, v = left[1][..., ::-1][..., :k], right[1][..., ::-1][..., :k]
        return (np.sqrt(left[0][..., ::-1][..., :k]), x, (u * weights) @ u.swapaxes(-1, -2),
                (v * weights) @ v.swapaxes(-1, -2))
    return of("svd", conditioned(*shape), oracle, call=ours, label=label, tolerance=1e-9, tolerance32=1e-3)


def eigh_vectors(tn, x):
    w, v = tn.linalg.eigh(ours_half(tn, x))
    weights = tn.tensor(1.0 + np.arange(w.shape[-1]), dtype=x.dtype, device=x.device)
    return w, (v * weights) @ transposed(tn, v)


def eigh_oracle(x):
    """Projectors by Lagrange's polynomials: prod_{j != i} (x - w_j) / (w_i - w_j)."""
    x = half(x)
    n = x.shape[-1]
    w = np.sort(np.linalg.eigvals(x).real, axis=-1)
    total = 0.0
    for i in range(n):
        projector = np.broadcast_to(np.eye(n), x.shape)
        for j in range(n):
            if j != i:
                scale = (w[..., i] - w[..., j])[..., None, None]
                projector = projector @ (x - w[..., j, None, None] * np.eye(n)) / scale
        total = total + (1 + i) * projector
    return w, total


def matrix_norm(ord, oracle=None, shape=(3, 4), **options):
    label = f"{ord}" + (f", {options}" if options else "")
    return of("matrix_norm", conditioned(*shape), oracle or (lambda x: np.linalg.norm(x, ord, axis=(-2, -1))),
               call=lambda tn, x: tn.linalg.matrix_norm(x, ord=ord, **options), label=label,
               tolerance32=1e-4)


def vector_norm(ord, axis=None, keepdims=False):
    def oracle(x):
        size = np.abs(x)
        if ord == 0:
            return np.sum(x != 0, axis=axis, keepdims=keepdims).astype(float)
        if abs(ord) == INF:
            return (np.max if ord > 0 else np.min)(size, axis=axis, keepdims=keepdims)
        return np.sum(size ** ord, axis=axis, keepdims=keepdims) ** (1 / ord)
    return of("vector_norm", normal((2, 3, 4)), oracle, label=f"{ord}, {axis}, {keepdims}", order=2 if ord else 0,
               call=lambda tn, x: tn.linalg.vector_norm(x, ord=ord, axis=axis, keepdims=keepdims))


def taylor_exp(x):
    """The series of a 16th of the matrix, squared four times."""
    term = total = np.broadcast_to(np.eye(x.shape[-1]), x.shape)
    for k in range(1, 40):
        term = term @ x / (16 * k)
        total = total + term
    for _ in range(4):
        total = total @ total
    return total


def lstsq_oracle(a, b):
    return np.linalg.lstsq(a, b, rcond=None)[0]


ROWS = [
    of("inv", spread((3, 3)), lambda x: by_matrix(lambda a: np.linalg.solve(a, np.eye(3)), x)),
    of("inv", spread((2, 1, 3, 3)), lambda x: by_matrix(lambda a: np.linalg.solve(a, np.eye(3)), x), label="batch"),
    of("solve", spread((3, 3), (3,)), solved, label="vector"),
    of("solve", spread((3, 3), (3, 2)), solved),
    of("solve", spread((2, 3, 3), (2, 3, 2)), solved, label="batch"),
    of("solve", spread((2, 1, 3, 3), (4, 3, 2)), solved, label="broadcast"),
    of("solve", spread((2, 3, 3), (3,)), solved, label="batch, vector"),
    triangular("lower", (3, 3), (3, 2)),
    triangular("upper", (3, 3), (3, 2), upper=True),
    triangular("vector", (3, 3), (3,)),
    triangular("unit", (3, 3), (3, 2), unit=True),
    triangular("upper, unit, batch", (2, 3, 3), (2, 3, 2), upper=True, unit=True),
    triangular("broadcast", (2, 1, 3, 3), (4, 3, 2)),
    of("solve_triangular", spread((3, 3), (2, 3)), lambda a, b: b @ np.linalg.inv(np.triu(a)), label="right",
        call=lambda tn, a, b: tn.linalg.solve_triangular(a, b, upper=True, left=False)),
    of("cholesky_solve", spread((3, 2), (3, 3)), lambda b, f: np.linalg.inv(tri(f, 0) @ tri(f, 0).T) @ b),
    of("cholesky_solve", spread((3, 2), (3, 3)), lambda b, f: np.linalg.inv(tri(f, 1).T @ tri(f, 1)) @ b,
        call=lambda tn, b, f: tn.linalg.cholesky_solve(b, f, upper=True), label="upper"),
    of("cholesky_inverse", spread((3, 3)), lambda f: np.linalg.inv(tri(f, 0) @ tri(f, 0).T)),
    of("cholesky", normal((3, 3)), lambda x: np.linalg.cholesky(positive(x)),
        call=lambda tn, x: tn.linalg.cholesky(ours_positive(tn, x))),
    of("cholesky", normal((2, 3, 3)), lambda x: np.linalg.cholesky(positive(x)).swapaxes(-1, -2), label="upper, batch",
        call=lambda tn, x: tn.linalg.cholesky(ours_positive(tn, x), upper=True)),
    qr("square", (3, 3)),
    qr("tall", (4, 2)),
    qr("wide, batch", (2, 2, 4)),
    qr("complete, wide", (2, 4), mode="complete"),
    of("eigh", symmetric(3, 3), eigh_oracle, call=eigh_vectors, tolerance=1e-9, tolerance32=1e-3),
    of("eigh", symmetric(2, 4, 4), eigh_oracle, call=eigh_vectors, label="batch", tolerance=1e-8, tolerance32=5e-3),
    of("eigvalsh", symmetric(2, 4, 4), lambda x: np.sort(np.linalg.eigvals(half(x)).real),
        call=lambda tn, x: tn.linalg.eigvalsh(ours_half(tn, x)), tolerance32=1e-3),
    of("eig", spread((3, 3)), lambda x: by_matrix(lambda a: np.poly(a), x).astype(complex), order=0,
        call=lambda tn, x: polynomial(tn.linalg.eig(x).eigenvalues), strict=False, tolerance32=1e-4),
    of("eigvals", spread((3, 3)), lambda x: np.poly(x).astype(complex), order=0, strict=False,
        call=lambda tn, x: polynomial(tn.linalg.eigvals(x)), tolerance32=1e-4),
    svd("square", (3, 3), True),
    svd("tall", (4, 2), False),
    svd("wide", (2, 4), False),
    svd("tall, full", (4, 2), True),
    svd("wide, full, batch", (2, 2, 3), True),
    of("svdvals", conditioned(2, 3, 4), lambda x: np.sqrt(np.linalg.eigvalsh(x @ x.swapaxes(-1, -2))[..., ::-1]),
        tolerance32=1e-4),
    of("pinv", conditioned(3, 3), np.linalg.inv, tolerance32=1e-4),
    of("pinv", conditioned(4, 2), lambda x: np.linalg.inv(x.T @ x) @ x.T, label="tall",
        tolerance32=1e-4),
    of("pinv", conditioned(2, 2, 4), lambda x: by_matrix(lambda a: a.T @ np.linalg.inv(a @ a.T), x),
        label="wide, batch", tolerance32=1e-4),
    of("pinv", symmetric(3, 3), lambda x: np.linalg.inv(positive(x)), label="hermitian",
        call=lambda tn, x: tn.linalg.pinv(ours_positive(tn, x), hermitian=True), tolerance32=1e-3),
    of("lstsq", normal((4, 2), (4, 3)), lstsq_oracle, tolerance32=1e-3,
        call=lambda tn, a, b: tn.linalg.lstsq(a, b).solution),
    of("lstsq", normal((2, 4), (2,)), lstsq_oracle, label="wide, vector", tolerance32=1e-3,
        call=lambda tn, a, b: tn.linalg.lstsq(a, b).solution),
    of("lstsq", normal((2, 4, 2), (2, 4, 1)), label="residuals, rank, values, batch",
        oracle=lambda a, b: (((a @ by_matrix(lstsq_oracle, a, b) - b) ** 2).sum(-2), np.full(2, 2),
                             np.linalg.svd(a, compute_uv=False)),
        call=lambda tn, a, b: tn.linalg.lstsq(a, b)[1:], tolerance32=1e-3),
    of("tensorinv", normal((6, 2, 3)), lambda x: np.linalg.inv(x.reshape(6, 6)).reshape(2, 3, 6),
        call=lambda tn, x: tn.linalg.tensorinv(x, ind=1), tolerance32=1e-3),
    of("tensorsolve", normal((2, 3, 6), (2, 3)), lambda a, b: np.linalg.inv(a.reshape(6, 6)) @ b.reshape(6),
        tolerance32=1e-3),
    of("det", normal((3, 3)), cofactors_sum),
    of("det", normal((2, 4, 4)), cofactors_sum, label="batch"),
    of("det", normal((1, 1)), cofactors_sum, label="number"),
    of("det", normal((0, 0)), cofactors_sum, label="nothing"),
    of("det", lambda rng: (np.zeros((2, 2)),), lambda x: np.zeros(()), label="zero"),
    of("slogdet", spread((2, 3, 3)), lambda x: (np.sign(cofactors_sum(x)), np.log(np.abs(cofactors_sum(x))))),
    of("logdet", spread((3, 3)), lambda x: np.log(cofactors_sum(positive(x))),
        call=lambda tn, x: tn.linalg.logdet(ours_positive(tn, x))),
    matrix_norm("fro", keepdims=True, oracle=lambda x: np.sqrt((x ** 2).sum((-2, -1), keepdims=True))),
    matrix_norm("fro", shape=(2, 3, 4)),
    matrix_norm("nuc"),
    matrix_norm("nuc", keepdims=True, oracle=lambda x: np.linalg.norm(x, "nuc", axis=(-2, -1), keepdims=True)),
    matrix_norm(2), matrix_norm(-2), matrix_norm(1), matrix_norm(-1), matrix_norm(INF), matrix_norm(-INF),
    matrix_norm(1, axis=(2, 0), shape=(2, 3, 4), oracle=lambda x: np.linalg.norm(x, 1, axis=(2, 0))),
    vector_norm(2), vector_norm(2, 1), vector_norm(1, (0, 2)), vector_norm(INF, -1, True), vector_norm(-INF, 0),
    vector_norm(3, 1), vector_norm(0.5, 1), vector_norm(-1.5, 1), vector_norm(0, 1),
    of("norm", normal((3, 4)), lambda x: np.sqrt((x ** 2).sum())),
    of("norm", normal((3, 4)), lambda x: np.linalg.norm(x, 1), call=lambda tn, x: tn.linalg.norm(x, 1), label="1"),
    of("norm", normal((3, 4)), lambda x: np.linalg.norm(x, 3, axis=0), label="axis",
        call=lambda tn, x: tn.linalg.norm(x, 3, axis=0)),
    of("cond", conditioned(2, 3, 4), lambda x: np.full(2, 3.0), tolerance32=1e-4),
    of("cond", conditioned(3, 3), lambda x: np.array(1 / 3), call=lambda tn, x: tn.linalg.cond(x, -2), label="-2",
        tolerance32=1e-4),
    of("cond", spread((3, 3)), lambda x: np.linalg.norm(x) * np.linalg.norm(np.linalg.inv(x)), label="fro",
        call=lambda tn, x: tn.linalg.cond(x, "fro")),
    of("matrix_rank", lambda rng: (np.stack([rank(4, k)(rng)[0] for k in range(5)]),), lambda x: np.arange(5), order=0,
       dtypes=("float64",)),
    of("matrix_rank", lambda rng: (np.diag([1.0, 0.2, 0.05]),), lambda x: np.array(2), order=0, label="rtol",
        call=lambda tn, x: tn.linalg.matrix_rank(x, rtol=0.1)),
    *[of("matrix_power", spread((2, 3, 3)), lambda x, n=n: np.linalg.matrix_power(x, n), label=str(n),
          call=lambda tn, x, n=n: tn.linalg.matrix_power(x, n)) for n in (-3, -1, 0, 1, 2, 7)],
    of("matrix_exp", normal((3, 3)), taylor_exp),
    of("matrix_exp", lambda rng: (np.stack([0 * np.eye(3), 5 * rng.standard_normal((3, 3))]),),
        lambda x: by_matrix(scipy.linalg.expm, x), label="batch", tolerance32=2e-4),
    of("multi_dot", normal((2, 3), (3, 4), (4, 2), (2, 3)), lambda *xs: np.linalg.multi_dot(xs),
        call=lambda tn, *xs: tn.linalg.multi_dot(xs)),
    of("multi_dot", normal((3,), (3, 4), (4,)), lambda *xs: xs[0] @ xs[1] @ xs[2], label="vectors",
        call=lambda tn, *xs: tn.linalg.multi_dot(xs)),
    of("vander", normal((2, 3)), lambda x: np.stack([x ** k for k in range(4)], axis=-1),
        call=lambda tn, x: tn.linalg.vander(x, N=4)),
    of("diagonal", normal((2, 3, 4)), lambda x: np.diagonal(x, 1, -2, -1),
        call=lambda tn, x: tn.linalg.diagonal(x, offset=1)),
    of("trace", normal((2, 3, 4)), lambda x: np.trace(x, -1, -2, -1),
        call=lambda tn, x: tn.linalg.trace(x, offset=-1)),
]


def polynomial(w):
    """The coefficients of the polynomial with the roots `w`: no order, no sign."""
    import tinygrad_notes as tn
    return tn.tensor(np.poly(w.numpy()).astype(w.dtype))
