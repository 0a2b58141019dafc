"""The package as a whole: light to import, whole without its extras."""
import subprocess
import sys

import pytest


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.host_only
def test_import_loads_nothing_heavy():
    code = ("import sys, tinygrad_notes\n"
            "heavy = {'scipy', 'scipy.special', 'scipy.linalg', 'scipy.sparse', 'matplotlib', 'graphviz', 'cupy',\n"
            "         'torch', 'hypothesis', 'tqdm', 'safetensors', 'tinygrad_notes.train', 'tinygrad_notes.viz'}\n"
            "print(sorted(heavy & set(sys.modules)))")
    assert run(code).stdout.strip() == "[]"


@pytest.mark.host_only
def test_everything_imports_without_the_extras():
    code = ("import sys\n"
            "for name in ('cupy', 'graphviz', 'matplotlib', 'mpi4py', 'hypothesis', 'torch', 'pytest'):\n"
            "    sys.modules[name] = None\n"
            "import tinygrad_notes as tn\n"
            "tn.nn, tn.optim, tn.data, tn.train, tn.testing, tn.viz, tn.models\n"
            "import tinygrad_notes.cli\n"
            "x = tn.tensor([2.0], requires_grad=True); (x * x).backward(); print(x.grad.item())")
    out = run(code)
    assert out.returncode == 0, out.stderr
    assert out.stdout.strip() == "4.0"


@pytest.mark.host_only
def test_unknown_names_are_attribute_errors():
    import tinygrad_notes as tn
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = tn.nonsense
