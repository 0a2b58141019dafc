"""The table of rows: every row that a test names is known, and verdicts add up."""
import pytest

from tests.rows import named, titles, verdicts

pytestmark = pytest.mark.host_only

pytest_plugins = ["pytester"]


def test_every_row_that_a_test_names_is_listed():
    assert named() <= set(titles())


def test_rows_have_short_titles_and_unique_ids():
    assert len(titles()) == 280
    assert all(0 < len(title) < 60 for title in titles().values())


@pytest.mark.parametrize(("outcomes", "verdict"), [
    ([], "no test"),
    ([("S0-01", "passed"), ("S0-01", "passed")], "passed"),
    ([("S0-01", "passed"), ("S0-01", "failed")], "failed"),
    ([("S0-01", "skipped")], "skipped"),
    ([("S0-01", "skipped"), ("S0-01", "passed")], "passed"),
    ([("S0-02", "passed")], "no test"),
])
def test_verdict_of_a_row(outcomes, verdict):
    assert verdicts(outcomes, set())["S0-01"] == verdict


def test_a_row_whose_test_was_not_selected():
    assert verdicts([], {"S0-01"})["S0-01"] == "not run"


def test_the_option_prints_the_table(pytester):
    pytester.makeconftest("from tests.rows import pytest_addoption, pytest_configure, pytest_itemcollected")
    pytester.makeini("[pytest]\nmarkers = row(id): a row")
    pytester.makepyfile("""
        import pytest

        @pytest.mark.row("S0-15")
        def test_good():
            pass

        @pytest.mark.row("S0-16")
        def test_bad():
            assert False
    """)
    result = pytester.runpytest_inprocess("--rows", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly")
    result.stdout.fnmatch_lines(["S0-15   passed   Nesterov*", "S0-16   failed   *", "S0-17 * normalised gradient"])


def test_an_unknown_row_is_an_error(pytester):
    pytester.makeconftest("from tests.rows import pytest_addoption, pytest_configure, pytest_itemcollected")
    pytester.makeini("[pytest]\nmarkers = row(id): a row")
    pytester.makepyfile('import pytest\n\n@pytest.mark.row("S0-99")\ndef test_x():\n    pass\n')
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist")
    result.stdout.fnmatch_lines(["*row 'S0-99' is not in tests/rows.txt*"])
