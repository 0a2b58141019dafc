"""The names of operations: what a gradient rule finds as `xp.<name>` when it runs on Tensors."""
import pytest

import tinygrad_notes as tn
from tinygrad_notes.autograd import PRIMITIVES

OWN = [p.name for p in PRIMITIVES.values() if (p.forward.__module__ or "").startswith("tinygrad_notes.ops")]


@pytest.mark.parametrize("name", OWN)
def test_no_module_hides_an_operation(name):
    """A file `ops/order.py` would stand for `xp.order`, of which rules expect an operation."""
    assert callable(getattr(tn.ops, name)), f"tinygrad_notes.ops.{name} is {getattr(tn.ops, name)}"
