"""What `pip install .` installs: every package, and the files that belong to them."""
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.host_only


def test_every_folder_with_code_is_listed_as_a_package():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    names = set()
    for root, name in ((ROOT / "tinygrad_notes", "tinygrad_notes"), (ROOT / "models", "tinygrad_notes.models")):
        folders = {p.parent.relative_to(root) for p in root.rglob("*.py")}
        names |= {".".join((name, *folder.parts)) for folder in folders if "__pycache__" not in folder.parts}
    assert set(settings["packages"]) == names
    shipped = {"py.typed", "data/files/digits.npz", "data/files/LICENSE-digits.txt", "viz/assets/report.css",
               "viz/assets/report.js"}
    patterns = settings["package-data"]["tinygrad_notes"]
    assert all(any(Path(file).match(pattern) for pattern in patterns) for file in shipped)
    assert all((ROOT / "tinygrad_notes" / file).is_file() for file in shipped)
