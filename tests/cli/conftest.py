"""How the command line is run in tests: in this process where that is enough, else as users do."""
import os
import subprocess
import sys

import pytest

from tinygrad_notes.cli import main


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder: cli("train", "mlp") -> (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err
    return run


@pytest.fixture
def start(tmp_path):
    """Start `python -m tinygrad_notes ...` in an empty folder; the process is ended with the test."""
    running = []

    def run(*arguments, **options):
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tinygrad_notes", *map(str, arguments)], cwd=tmp_path, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"}, **options)
        running.append(process)
        return process
    yield run
    for process in running:
        process.kill()
        process.communicate()
