"""Rows of products of a sparse matrix with a dense one. The oracle fills a dense matrix in a loop."""
import numpy as np

from tests.ops.table import Row, normal

ROWS_OF = np.array([2, 0, 2, 4, 2, 0, 4])  # two entries at (2, 1); row 1 and row 3 are empty
COLUMNS = np.array([1, 3, 1, 0, 2, 0, 3])
VALUES = np.array([0.5, -1.0, 2.0, 0.3, -0.7, 1.1, 0.9])


def dense(values):
    out = np.zeros((5, 4))
    for row, column, value in zip(ROWS_OF, COLUMNS, values):
        out[row, column] += value
    return out


def matrix(tn, values, like):
    if not hasattr(values, "shape"):
        return tn.SparseMatrix(tn.Segments(ROWS_OF, 5, device=like.device), tn.Segments(COLUMNS, 4, device=like.device))
    values = tn.Tensor(values, device=like.device, dtype=like.dtype) if isinstance(values, np.ndarray) else values
    rows, columns = (tn.Tensor(places, device=like.device) for places in (ROWS_OF, COLUMNS))
    return tn.SparseMatrix(rows, columns, values, shape=(5, 4))


ROWS = [
    Row("SparseMatrix", normal((4, 3)), lambda x: dense(VALUES) @ x, lambda tn, x: matrix(tn, VALUES, x) @ x,
        label="constant"),
    Row("SparseMatrix", normal((5,)), lambda x: dense(VALUES).T @ x, lambda tn, x: matrix(tn, VALUES, x).T @ x,
        label="transposed, one vector"),
    Row("SparseMatrix", normal((4, 2, 3)), lambda x: np.tensordot(dense(np.ones(7)), x, 1) ** 2,
        lambda tn, x: (matrix(tn, None, x) @ x) ** 2, label="ones"),
    Row("SparseMatrix", normal((7,), (4, 3)), lambda w, x: dense(w) @ x, lambda tn, w, x: matrix(tn, w, x) @ x,
        label="weighted"),
    Row("SparseMatrix", normal((7,), (5, 3)), lambda w, x: (dense(w).T @ x) ** 2,
        lambda tn, w, x: (matrix(tn, w, x).T @ x) ** 2, label="weighted, transposed"),
    Row("SparseMatrix", normal((7,)), lambda w: dense(w).T, lambda tn, w: matrix(tn, w, w).T.to_dense(),
        label="to_dense"),
]
