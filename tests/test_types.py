"""What a type checker sees of the package: typical programs pass, mistakes are found, the stubs are up to date."""
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import tinygrad_notes as tn
from tests.ops.drive import ROWS, inputs_of, tensors_of

pytestmark = pytest.mark.host_only
HERE = Path(__file__).parent / "types"
PACKAGE = Path(tn.__file__).parent


def load(name):
    spec = importlib.util.spec_from_file_location(f"types_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """{file name: {line: [codes]}} of what mypy says to a user who has the package installed."""
    pytest.importorskip("mypy")
    site = tmp_path_factory.mktemp("site")
    shutil.copytree(PACKAGE, site / "tinygrad_notes", ignore=shutil.ignore_patterns("__pycache__", "files"))
    models = Path(tn.models.__file__).parent
    shutil.copytree(models, site / "tinygrad_notes" / "models", ignore=shutil.ignore_patterns("__pycache__"),
                    dirs_exist_ok=True)
    (site / "mypy.ini").write_text("[mypy]\nignore_missing_imports = True\n[mypy-good]\ndisallow_untyped_calls = True\n"
                                   "[mypy-tinygrad_notes]\nimplicit_reexport = False\n")
    names = ["good.py", "wrong.py"]
    for name in names:
        shutil.copy(HERE / name, site / name)
    out = subprocess.run([sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--no-incremental",
                          "--cache-dir", os.devnull, *names], cwd=site, capture_output=True, text=True)
    found = {name: {} for name in names}
    for line in out.stdout.splitlines():
        said = re.match(r"(.+?):(\d+): error: .*\[([\w-]+)\]$", line)
        if said:
            found.setdefault(said[1], {}).setdefault(int(said[2]), []).append(said[3])
    assert "Found" in out.stdout, out.stdout + out.stderr
    return found, out.stdout


def test_typical_programs_pass(checked):
    found, told = checked
    assert not found["good.py"], told


def test_the_package_itself_passes_as_installed(checked):
    found, told = checked
    assert set(found) == {"good.py", "wrong.py"}, told


def test_each_mistake_is_found(checked):
    found, told = checked
    expected = {}
    for number, line in enumerate((HERE / "wrong.py").read_text().splitlines(), 1):
        if "# error: " in line:
            expected[number] = line.partition("# error: ")[2].split()
    missed = [n for n in expected if n not in found["wrong.py"]]
    assert not missed, f"lines {missed} of wrong.py pass\n{told}"
    other = {n: codes for n, codes in found["wrong.py"].items() if not set(codes) & set(expected.get(n, []))}
    assert not other, f"{other}\n{told}"


def answers(row):
    """What the operation of a row returned, each time the row called it."""
    seen, (*path, name) = [], row.name.split(".")
    namespace = inner = SimpleNamespace(**{public: getattr(tn, public) for public in dir(tn)})
    for part in path:
        setattr(inner, part, SimpleNamespace(**vars(getattr(inner, part))))
        inner = getattr(inner, part)
    function = getattr(inner, name)

    def watched(*args, **kwargs):
        seen.append(function(*args, **kwargs))
        return seen[-1]
    setattr(inner, name, watched)
    tensors = tensors_of(inputs_of(row))
    if row.call:
        row.call(namespace, *tensors)
    else:
        watched(*tensors)
    return seen


def fits(kind, value):
    if type(value) in (tuple, list):
        form, _, parts = kind.removesuffix("]").partition("[")
        wanted = parts.split(", ")
        allowed = {"Tensor", *(["NoneType"] if "Tensor | None" in wanted else [])}
        return (form == type(value).__name__ and {type(part).__name__ for part in value} <= allowed
                and (len(wanted) == len(value) or form == "list" or wanted[-1] == "..."))
    return type(value).__name__ == kind


def test_results_are_what_the_stubs_say():
    """For every operation of the table; of `atleast_1d` and its like the stub has overloads."""
    results, wrong, looked = load("stubs").RESULT, [], set()
    for row in ROWS:
        kind = results.get(row.name.rpartition(".")[2], "Tensor")
        for value in answers(row) if not row.name.startswith("atleast_") else ():
            looked.add(row.name)
            if not fits(kind, value):
                wrong.append(f"{row.id}: {type(value).__name__}, the stub says {kind}")
    assert not wrong, "\n".join(wrong)
    assert {"sum", "topk", "split", "meshgrid", "linalg.svd", "aminmax"} <= looked


def test_stubs_are_up_to_date():
    for path, text in load("stubs").stubs().items():
        assert path.read_text() == text, f"{path.name}: write it anew with `python tests/types/stubs.py`"
