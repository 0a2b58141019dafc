"""Derivatives by finite differences, for the table."""
import numpy as np

import tinygrad_notes as tn
from tests.ops.drive import call, tensors_of, tracked
from tinygrad_notes.testing import CORRECT

EVERY = {1: 100, 2: 30}  # up to this many elements each is moved alone; beyond, random directions and some elements


def check_gradients(row, arrays, active, order):
    """Compare the derivatives of order 1 or 2 with central differences; only a row that says so may lie on a kink."""
    check = tn.gradcheck if order == 1 else tn.gradgradcheck
    tensors = tensors_of(arrays, active)
    if order == 2 and not tracked(call(row, tensors)):
        return
    few = sum(t.size for t in tensors) <= EVERY[order]
    result = check(lambda *xs: tracked(call(row, xs)) or constant(row, xs), tensors, fast_mode=not few, elements=6)
    left_open = set(result.reasons) if row.kinks else set()
    assert result.verdict == CORRECT or left_open & {"kink", "jump"}, result.report()


def constant(row, tensors):
    """The outputs of an operation that does not depend on its inputs."""
    found = [t for t in call(row, tensors) if t.dtype.kind == "f"]
    return found or tn.Tensor(np.zeros(()))
