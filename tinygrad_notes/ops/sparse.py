"""Sparse matrices times dense ones: a weighted sum over neighbours without an array that has a row per edge.

    E entries   (n, m) shape of the matrix   D columns of the dense one

An entry is (row, column, value); entries at the same place add up. The order of addition is that of the entries.
"""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import Tensor, as_tensor, primitive, trilinear
from ..backend import default_float, device_of
from .create import ones
from .dtype import result_type
from .scatter import index_put
from .segment_ids import Segments, beside

if TYPE_CHECKING:
    from ..backend import Device
    from ..typing import ArrayLike, DTypeLike

__all__ = ["SparseMatrix"]


class Places:
    """Where the entries of a matrix are: their rows and columns, and how they are sorted by either."""

    __slots__ = ("rows", "columns", "_plans")
    never_changes = True

    def __init__(self, rows, columns):
        self.rows, self.columns, self._plans = rows, columns, [None, None]

    def plan(self, x, transposed):
        """For a forward of `x`: (order, start, index), where row i has the entries `order[start[i]:start[i + 1]]`.

        Their columns are `index`, in that order; `transposed` turns columns into rows.
        """
        if self._plans[transposed] is None:
            inside, outside = (self.columns, self.rows) if transposed else (self.rows, self.columns)
            order, start = inside.order.parts(outside.data)
            self._plans[transposed] = order, start, self.rows.device.xp.astype(outside.data[order], order.dtype)
        return beside(x, *self._plans[transposed])

    def sides(self, x, transposed):
        """For a forward of `x`: the rows and the columns of the entries."""
        rows, columns = beside(x, self.rows.data, self.columns.data)
        return (columns, rows) if transposed else (rows, columns)


class Entries:
    """Places and constant values, kept in the order in which a product reads them; None: all ones."""

    __slots__ = ("places", "values", "_sorted")
    never_changes = True

    def __init__(self, places, values):
        self.places, self.values, self._sorted = places, values, {}

    def sorted(self, x, transposed):
        """For a forward of `x`: (start, index, values, a dict for the backend to keep things in)."""
        key = transposed, None if self.values is not None else x.dtype.char
        if key not in self._sorted:
            rows = self.places.rows.data
            order, _, _ = self.places.plan(rows, transposed)
            values = device_of(rows).xp.ones(order.shape, dtype=x.dtype) if self.values is None else \
                self.values.data[order]
            self._sorted[key] = values, {}
        values, kept = self._sorted[key]
        return *self.places.plan(x, transposed)[1:], *beside(x, values), kept


# Products -----------------------------------------------------------------------------
def _flat(xp, x):
    return x if x.ndim == 2 else xp.reshape(x, (x.shape[0], math.prod(x.shape[1:])))  # (m, ...) -> (m, D)


def _shaped(xp, out, x):
    return out if x.ndim == 2 else xp.reshape(out, (out.shape[0], *x.shape[1:]))  # (n, D) -> (n, ...)


def _kept(xp, x, *, entries, transposed):
    return _shaped(xp, xp.csr_product(_flat(xp, x), *entries.sorted(x, transposed)), x)


def _product(xp, x, w, *, places, transposed):
    order, start, index = places.plan(x, transposed)
    return _shaped(xp, xp.csr_product(_flat(xp, x), start, index, xp.take(w, order)), x)


def _product_x(xp, y, w, *, places, transposed, shape):
    return _product(xp, y, w, places=places, transposed=not transposed)


def _product_w(xp, x, y, *, places, transposed, shape):
    target, source = places.sides(x, transposed)
    return xp.dot_rows(_flat(xp, x), _flat(xp, y), source, target)


# A matrix that never changes, and one whose values have gradients.
_constant_product = primitive(
    "sparse_product", _kept, kind="contraction",
    x=lambda xp, g, entries, transposed: xp.sparse_product(g, entries=entries, transposed=not transposed))
_weighted_product, _, _ = trilinear("weighted_product", _product, "weighted_product_dx", _product_x,
                                    "weighted_product_dw", _product_w)


class SparseMatrix:
    """A matrix given by its entries that are not zero; `matrix @ x` is its product with a dense Tensor.

    Formula: (A x)[i] = sum over entries e with rows[e] = i of values[e] x[columns[e]].

    Where an entry is never changes. Values that require a gradient get one; others are taken as constants, copied, and
    kept sorted from the first product on. Products are the same to the bit in every run.

    Args:
        rows: integers (E,) in [0, n), or a `Segments`.
        columns: integers (E,) in [0, m), or a `Segments`.
        values: floating (E,); None: all ones, in the dtype of what the matrix is multiplied with.
        shape: (n, m); may be left out where `rows` and `columns` are `Segments`.

    Attributes:
        rows, columns: `Segments` (E,); where the entries are.
        values: Tensor (E,), or None.
        shape: (n, m).

    Raises:
        IndexError: a row or column is out of range.
        ValueError: `rows`, `columns` and `values` differ in length; at the product: x has not m rows.

    Source: Saad 2003, Iterative Methods for Sparse Linear Systems, section 3.4 (compressed sparse rows).

    Example:
        >>> import tinygrad_notes as tn
        >>> A = tn.SparseMatrix([0, 0, 2], [1, 2, 0], tn.tensor([1., 2., 3.]), shape=(3, 3))
        >>> A @ tn.tensor([[1.], [10.], [100.]])
        tensor([[210.],
                [  0.],
                [  3.]])
        >>> A.T @ tn.tensor([1., 0., 1.])
        tensor([3., 1., 2.])
    """

    __slots__ = ("shape", "rows", "columns", "values", "_places", "_entries", "_transposed")

    rows: Segments
    columns: Segments
    values: Tensor | None
    shape: tuple[int, int]

    def __init__(self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike | None = None, *,
                 shape: tuple[int, int] | None = None) -> None:
        if shape is None:
            if not isinstance(rows, Segments) or not isinstance(columns, Segments):
                raise TypeError("SparseMatrix: shape is missing: (n, m) cannot be seen in rows and columns")
            shape = rows.num_segments, columns.num_segments
        n, m = shape
        rows = rows if isinstance(rows, Segments) and rows.num_segments == n else Segments(rows, n)
        columns = columns if isinstance(columns, Segments) and columns.num_segments == m else Segments(columns, m)
        if rows.shape != columns.shape:
            raise ValueError(f"SparseMatrix: rows and columns differ in length, {rows.shape[0]} and {columns.shape[0]}")
        self._set(Places(rows, columns), values, False)

    def _set(self, places, values, transposed, entries=None):
        rows, columns = (places.columns, places.rows) if transposed else (places.rows, places.columns)
        self.rows, self.columns, self.shape = rows, columns, (rows.num_segments, columns.num_segments)
        if entries is None and values is not None:
            values = as_tensor(values, like=rows)
            if values.shape != rows.shape:
                raise ValueError(f"SparseMatrix: values has shape {values.shape}, expected {rows.shape}: one per entry")
            if not values.requires_grad:
                values = values.copy()
        self.values, self._places, self._transposed = values, places, transposed
        constant = values is None or not values.requires_grad
        self._entries = entries or (Entries(places, values) if constant else None)
        return self

    def with_values(self, values: ArrayLike | None) -> SparseMatrix:
        """A matrix with its entries at the same places and other values (E,), or None for ones."""
        return object.__new__(SparseMatrix)._set(self._places, values, self._transposed)

    @property
    def T(self) -> SparseMatrix:
        """The transpose; what has been sorted for one of the two serves the other."""
        return object.__new__(SparseMatrix)._set(self._places, self.values, not self._transposed, self._entries)

    @property
    def ndim(self) -> int:
        """The number of axes: 2."""
        return 2

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type of the values; float32 where they are all ones."""
        return default_float if self.values is None else self.values.dtype

    @property
    def device(self) -> Device:
        """Where the entries live."""
        return self.rows.device

    def __matmul__(self, x: ArrayLike) -> Tensor:
        x = as_tensor(x, like=self.rows)
        if x.ndim == 0 or x.shape[0] != self.shape[1]:
            raise ValueError(f"SparseMatrix: a matrix of shape {self.shape} times x of shape {x.shape}: expected "
                             f"{self.shape[1]} rows of x")
        if x.device.name != self.device.name:
            raise TypeError(f"SparseMatrix: the matrix lives on {self.device}, x on {x.device}; move one with .to()")
        if self.values is not None and x.dtype != self.values.dtype:
            x = x.astype(result_type(x, self.values))
        column = x if x.ndim > 1 else x.reshape((x.shape[0], 1))
        if self.values is None or self._entries is not None:
            out = _constant_product(column, entries=self._entries, transposed=self._transposed)
        else:
            out = _weighted_product(column, self.values, places=self._places, transposed=self._transposed)
        return out if x.ndim > 1 else out.reshape((self.shape[0],))

    def to_dense(self, dtype: DTypeLike | None = None) -> Tensor:
        """The matrix as a Tensor (n, m); entries at the same place are added."""
        values = ones(self.rows.shape, dtype=dtype, device=self.device) if self.values is None else self.values
        blank = Tensor.wrap(self.device.xp.zeros(self.shape, dtype=values.dtype))
        dense = index_put(blank, (self.rows, self.columns), values, accumulate=True)
        return dense if dtype is None else dense.astype(np.dtype(dtype))

    def __repr__(self) -> str:
        return f"SparseMatrix({self.shape}, {self.rows.shape[0]} entries)"
