"""The BLAS in this process can be asked and told."""
import sys

import numpy as np
import pytest

from tinygrad_notes.backend.blas import Blas, blas_libraries, blas_threads

pytestmark = pytest.mark.host_only


@pytest.fixture
def blas():
    found = [b for b in blas_libraries() if b.threads is not None]
    if not found:
        pytest.skip("NumPy was built with a BLAS that cannot be asked")
    return found[0]


def test_threads_are_set_inside_the_block_and_restored_after(blas):
    before = blas.threads
    with blas_threads(1):
        assert blas.threads == 1
        np.ones((50, 50)) @ np.ones((50, 50))
    assert blas.threads == before
    with pytest.raises(RuntimeError), blas_threads(1):
        raise RuntimeError
    assert blas.threads == before


def test_none_changes_nothing_and_zero_is_refused(blas):
    with blas_threads(None):
        assert blas.threads >= 1
    with pytest.raises(ValueError, match="threads: expected at least 1, got 0"), blas_threads(0):
        pass


def test_openblas_says_what_it_is(blas):
    assert "OpenBLAS" in blas.config
    assert blas.kernel.isprintable() and blas.kernel


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs the C library of Linux")
def test_a_library_without_the_functions_is_no_error():
    libc = Blas("libc.so.6")
    assert (libc.threads, libc.config, libc.kernel, libc.set_threads(1)) == (None, "", "", False)
