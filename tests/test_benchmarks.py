"""The benchmarks run: every framework that is installed takes a step of every workload and agrees on its result."""
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.host_only
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def test_every_workload_is_described():
    from benchmarks.workloads import BUDGETS, TITLES, WORKLOADS
    assert set(WORKLOADS) == set(TITLES) == set(BUDGETS)


LATER = [pytest.param(name, marks=pytest.mark.slow) for name in ("gcn", "conv_block", "vae", "realnvp", "maml")]


@pytest.mark.parametrize("workload", ["chain", "mlp", "digits_cnn", "gpt", *LATER])
def test_installed_peers_agree(workload):
    from benchmarks.peers import PEERS
    from benchmarks.run import Worker
    peers = ["tinygrad_notes", "tn.compile", *(["torch"] if "torch" in PEERS and _installed("torch") else [])]
    results = []
    for peer in peers:
        worker = Worker(peer, 1)
        try:
            results.append(worker.ask(f"make {workload}"))
            assert worker.ask(f"time {workload} 0.01") > 0
        finally:
            worker.close()
    assert all(abs(r - results[0]) <= 2e-4 * abs(results[0]) for r in results)


def test_table_names_the_budget(capsys, tmp_path):
    from benchmarks.run import table
    row = {"tinygrad_notes": (0.001, 90.0, 2.0), "torch": (0.002, 300.0, 2.0)}
    text = table({("mlp", 1): row}, list(row))
    assert "1.000 ms (0.50x)" in text
    assert "0.8x" in text


def test_unknown_workload_is_refused(capsys):
    from benchmarks.run import main
    with pytest.raises(SystemExit) as stopped:
        main(["--only", "nonsense"])
    assert stopped.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def _installed(package):
    from importlib.util import find_spec
    return find_spec(package) is not None and sys.version_info >= (3, 11)
