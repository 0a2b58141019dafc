"""The form of the table of operations: one row per operation drives every test of it.

Each `tests/ops/rows_*.py` holds the rows of one family in a list `ROWS`; `test_table.py` runs, for every
row: forward against the oracle, dtype kept, non-contiguous, zero-size and 0-d inputs, broadcasting,
gradients of order 1 and 2 with random cotangents, needed-only, retention, cpu equal to strict.
"""
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Row:
    """One operation.

    Fields:
        name: the public name, `tn.<name>` (dots allowed: `linalg.inv`).
        inputs: a function of a NumPy Generator that returns the float64 (or int, bool) input arrays.
        call: `call(tn, *tensors)`, the operation with the keyword arguments of this row; default `tn.<name>(*tensors)`.
        oracle: `oracle(*arrays)`, the forward by NumPy, SciPy or a naive loop: never by our own code.
        order: the highest order of derivative that is checked (0: carries no gradient).
        elementwise: whether the inputs broadcast against each other, each element on its own.
        label: tells apart several rows of one operation.
        tolerance: relative tolerance of the float64 forward.
        differentiable: which inputs carry a gradient (default: all floating ones).
        dtypes: the floating data types the operation is run in.
        tolerance32: tolerance of float32 results and gradients against float64, relative to the largest element.
        kinks: the inputs lie on kinks or ties: the gradient must be a valid subgradient there.
        strict: whether the row also runs on the strict device, and equals the CPU there.
        layouts: whether other memory layouts of the inputs are tried.
    """

    name: str
    inputs: Callable[[np.random.Generator], tuple]
    oracle: Callable[..., Any]
    call: Callable[..., Any] | None = None
    order: int = 2
    elementwise: bool = False
    label: str = ""
    tolerance: float = 1e-12
    differentiable: tuple[int, ...] | None = None
    dtypes: tuple[str, ...] = field(default=("float32", "float64"))
    tolerance32: float = 2e-5
    kinks: bool = False
    strict: bool = True
    layouts: bool = True

    @property
    def id(self):
        """The name under which pytest shows this row."""
        return f"{self.name}[{self.label}]" if self.label else self.name


def normal(*shapes):
    """Inputs of these shapes with standard normal elements."""
    return lambda rng: tuple(rng.standard_normal(shape) for shape in shapes)


def uniform(low, high, *shapes):
    """Inputs of these shapes with elements uniform in [low, high)."""
    return lambda rng: tuple(rng.uniform(low, high, shape) for shape in shapes)
