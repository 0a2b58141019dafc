"""`pytest --rows`: the table of rows, each with the verdict of the tests that prove it.

A test names its rows with `@pytest.mark.row("S0-15")`; `rows.txt` lists every row there is. The verdict is that of
this run: passed, failed, skipped, not run (a test exists but was not selected), or no test.
"""
import functools
import re
from pathlib import Path

HERE = Path(__file__).parent
MARK = re.compile(r"mark\.row\(([^)]*)\)")
WORST = ("failed", "passed", "skipped")  # a row with several tests has the first of these that one of them has


@functools.cache
def titles():
    """{id: title} of every row."""
    lines = (HERE / "rows.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))


def named():
    """The ids that some test file names."""
    found = set()
    for path in HERE.rglob("test_*.py"):
        if path.name == "test_rows.py":  # its rows are those of the tests that it makes up
            continue
        for arguments in MARK.findall(path.read_text(encoding="utf-8")):
            found |= set(re.findall(r"[\"']([^\"']+)[\"']", arguments))
    return found


def verdicts(outcomes, marked):
    """{id: verdict}; `outcomes` are the (id, outcome) of this run, `marked` the ids that have a test."""
    told = {}
    for row in titles():
        seen = {outcome for other, outcome in outcomes if other == row}
        told[row] = next((w for w in WORST if w in seen), "not run" if row in marked else "no test")
    return told


class Rows:
    """Collects the outcome of every test that names a row, and prints the table at the end."""

    def __init__(self):
        self.outcomes = []

    def pytest_runtest_logreport(self, report):
        rows = [value for key, value in report.user_properties if key == "row"]
        if report.when == "call" or report.outcome != "passed":
            self.outcomes += [(row, report.outcome) for row in rows]

    def pytest_terminal_summary(self, terminalreporter):
        told = verdicts(self.outcomes, named())
        terminalreporter.section("rows")
        for row, title in titles().items():
            terminalreporter.write_line(f"{row:7} {told[row]:8} {title}")
        counts = {verdict: list(told.values()).count(verdict) for verdict in (*WORST, "not run", "no test")}
        terminalreporter.write_line(", ".join(f"{n} {verdict}" for verdict, n in counts.items() if n))


def pytest_addoption(parser):
    parser.addoption("--rows", action="store_true", help="print the table of rows and which of them are proved")


def pytest_configure(config):
    if config.getoption("rows"):
        config.pluginmanager.register(Rows(), "rows")


def pytest_itemcollected(item):
    for mark in item.iter_markers("row"):
        for row in mark.args:
            if row not in titles():
                raise ValueError(f"{item.nodeid}: row {row!r} is not in tests/rows.txt")
            item.user_properties.append(("row", row))
