"""Rows of `ops.dtype`: conversions. What only answers questions about dtypes is tested in `test_dtype.py`."""
import numpy as np

from tests.ops.table import Row, normal

S = (3, 4)

ROWS = [
    Row("astype", normal(S), lambda x: x + 0.0, call=lambda tn, x: tn.astype(x, "float64"), elementwise=True,
        dtypes=("float64",)),
    Row("astype", normal(S), lambda x: np.array([int(v) for v in x.ravel()], dtype="int64").reshape(x.shape), order=0,
        label="to int", call=lambda tn, x: tn.astype(x, tn.int64), elementwise=True),
    Row("astype", normal(S), lambda x: x != 0, order=0, label="to bool", call=lambda tn, x: tn.astype(x, "bool"),
        elementwise=True),
    Row("astype", lambda rng: rng.integers(-5, 5, S), lambda x: x / 1, order=0, label="from int",
        call=lambda tn, x: tn.astype(x, "float64"), elementwise=True),
]
