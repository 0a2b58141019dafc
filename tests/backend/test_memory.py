"""Freed memory stays with the process, and the switch gives it back."""
import subprocess
import sys

import pytest

import tinygrad_notes as tn

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux") or tn.keeps_freed() is None, reason="needs glibc")

FAULTS = """
import os, resource
import numpy as np
import tinygrad_notes as tn
def work():
    x = np.ones(2_000_000, np.float32)
    for _ in range(5):
        x = x * 1.01
for _ in range(3):
    work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    work()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 10)
"""


def faults(keep):
    import os
    env = {**os.environ, "TINYGRAD_NOTES_KEEP_MEMORY": keep}
    out = subprocess.run([sys.executable, "-c", FAULTS], env=env, capture_output=True, text=True, check=True)
    return float(out.stdout)


@pytest.mark.host_only
def test_page_faults_vanish():
    assert faults("1") < 50
    assert faults("0") > 500


@pytest.mark.host_only
def test_the_switch_says_what_it_did():
    try:
        assert tn.keep_freed(False)
        assert tn.keeps_freed() is False
    finally:
        assert tn.keep_freed(True)
    assert tn.keeps_freed() is True
