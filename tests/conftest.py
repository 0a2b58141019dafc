"""Fixtures shared by all tests: every test starts from the same seed and must leave no global switch behind."""
# ruff: noqa: E402
import os

# Tests run in as many processes as there are cores. BLAS threads of their own make small products twenty times slower.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np
import pytest

import tinygrad_notes as tn
from tests.rows import pytest_addoption, pytest_configure, pytest_itemcollected  # noqa: F401
from tinygrad_notes.autograd.mode import mode


@pytest.fixture(autouse=True)
def sealed():
    """Seed the default generator; fail a test that leaves grad mode, anomaly mode or the device changed."""
    tn.manual_seed(0)
    before = (mode.grad, mode.anomaly, tn.current_device())
    yield
    assert (mode.grad, mode.anomaly, tn.current_device()) == before, "the test left a global switch changed"


@pytest.fixture
def rng():
    """A NumPy generator with a fixed seed."""
    return np.random.default_rng(0)


def pytest_collection_modifyitems(config, items):
    """Long tests run where `-m` or the command line asks for them."""
    if not config.option.markexpr:
        slow = [item for item in items if item.get_closest_marker("slow")]
        if slow and len(slow) < len(items):
            config.hook.pytest_deselected(items=slow)
            items[:] = [item for item in items if item not in slow]


def pytest_make_parametrize_id(config, val, argname):
    """Functions are named without their address, so that all workers collect the same tests."""
    return getattr(val, "__name__", argname).strip("<>") if callable(val) and not isinstance(val, type) else None
