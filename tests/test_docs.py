"""What the documentation shows runs: every Example of every docstring, and every Python block of docs/ and README."""
import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import tinygrad_notes as tn

pytestmark = pytest.mark.host_only
ROOT = Path(__file__).parents[1]
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
NEEDS = {"tinygrad_notes.backend.cuda": "cupy", "tinygrad_notes.program.onnx.export": "onnx",
         "tinygrad_notes.testing.strategies": "hypothesis"}
BLOCK = re.compile(r"^```(?:python|pycon)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def module_names():
    """Every module of the package."""
    return ["tinygrad_notes", *(m.name for m in pkgutil.walk_packages(tn.__path__, "tinygrad_notes.")
                                if not m.name.endswith("__main__"))]


def documented(module):
    """(name, object) of all that is defined in a module and may carry an Example."""
    yield module.__name__, module
    for name, found in list(vars(module).items()):
        table = hasattr(found, "primitive") and not hasattr(module, "__path__")  # an operation made by `elementwise`
        made_here = getattr(found, "__module__", None) == module.__name__ or table
        if not made_here or name.startswith("_") or not (inspect.isroutine(found) or inspect.isclass(found)):
            continue
        yield f"{module.__name__}.{name}", found
        if inspect.isclass(found):
            for method, function in vars(found).items():
                function = function.fget if isinstance(function, property) else getattr(function, "__func__", function)
                if inspect.isfunction(function):
                    yield f"{module.__name__}.{name}.{method}", function


def examples(module):
    """The doctests of a module."""
    seen = set()
    for name, found in documented(module):
        text = found.__doc__ or ""
        if ">>>" in text and id(found) not in seen:
            seen.add(id(found))
            scope = {**vars(module), "tn": tn}
            source = inspect.getsourcefile(module)
            yield doctest.DocTestParser().get_doctest(inspect.cleandoc(text), scope, name, source, 0)


@pytest.mark.parametrize("name", module_names())
def test_examples_of_docstrings(name, tmp_path, monkeypatch):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    failures = []
    with tn.as_device("cpu"):
        for test in examples(module):
            tn.manual_seed(0)
            told = []
            doctest.DocTestRunner(optionflags=OPTIONS, verbose=False).run(test, out=told.append)
            if told:
                failures.append("".join(told))
    assert not failures, "\n".join(failures)


def pages():
    return sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])


@pytest.mark.parametrize("page", [p for p in pages() if p.exists()], ids=lambda p: p.name)
def test_python_blocks_of_a_page(page, tmp_path, monkeypatch):
    """The blocks of a page run in order and share their names; those with `>>>` must print what they show."""
    monkeypatch.chdir(tmp_path)
    scope = {"tn": tn, "__name__": "__docs__"}
    text = page.read_text(encoding="utf-8")
    with tn.as_device("cpu"):
        for match in BLOCK.finditer(text):
            code, line = match.group(1), text[:match.start()].count("\n") + 1
            if ">>>" in code:
                told = []
                test = doctest.DocTestParser().get_doctest(code, scope, page.name, str(page), line)
                test.globs = scope
                doctest.DocTestRunner(optionflags=OPTIONS & ~doctest.IGNORE_EXCEPTION_DETAIL, verbose=False).run(
                    test, out=told.append, clear_globs=False)
                assert not told, "".join(told)
            else:
                exec(compile("\n" * line + code, str(page), "exec"), scope)


@pytest.mark.parametrize("page", [p for p in pages() if p.exists()], ids=lambda p: p.name)
def test_links_of_a_page_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_examples_are_found():
    """The operations of a table count: their docstrings are made, not written."""
    from tinygrad_notes.ops import arithmetic
    names = [test.name for test in examples(arithmetic)]
    assert "tinygrad_notes.ops.arithmetic.add" in names
    assert len(names) > 10
