"""What lies in the folder of a run, read without the run: for reports and lists."""
import json
from pathlib import Path

from ..train import CheckpointError, History, Monitor, load
from .errors import Usage

CONFIG, CHECKPOINT, STATE, MONITOR = "config.json", "checkpoint.safetensors", "state.json", "monitor.json"


def read_json(path):
    """The content of a file of JSON, or None if there is none.

    Raises:
        ValueError: it is damaged.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ValueError(f"{path}: damaged ({error})") from error


class Folder:
    """The folder of a run.

    Args:
        path: of the folder.

    Raises:
        Usage: it does not exist, or holds no run.
        ValueError: a file in it is damaged.
    """

    def __init__(self, path):
        self.path = Path(path)
        if not self.path.is_dir():
            raise Usage(f"{self.path}: no such folder{runs_near(self.path)}")
        config = read_json(self.path / CONFIG)
        if not isinstance(config, dict) or "settings" not in config:
            raise Usage(f"{self.path}: not the folder of a run, it holds no {CONFIG}{runs_near(self.path)}")
        self.settings = config["settings"]
        self.state = read_json(self.path / STATE) or {}
        self.result = read_json(self.path / "result.json") or {}
        self.gradcheck = read_json(self.path / "gradcheck.json")
        self.history = self._history()

    def _history(self):
        """That of the last checkpoint, or of the end."""
        rows = read_json(self.path / "history.json") or []
        try:
            saved = load(self.path / CHECKPOINT)["history"]
        except (FileNotFoundError, CheckpointError, KeyError, TypeError):
            saved = []
        return History(saved if len(saved) > len(rows) else rows)

    @property
    def name(self):
        """The last part of the path."""
        return self.path.name or str(self.path)

    @property
    def standing(self):
        """(word, tone): finished, stopped, failed, or training."""
        word = self.state.get("state") or ("finished" if self.result else "stopped")
        return word, {"finished": "good", "failed": "bad"}.get(word, "odd")

    def monitor(self):
        """What a `Monitor` saw, or None."""
        state = read_json(self.path / MONITOR)
        if state is None:
            return None
        found = Monitor()
        found.load_state_dict(state)
        return found if found.rows else None

    def text(self, name):
        """The content of a file, or None."""
        path = self.path / name
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def pictures(self, *others):
        """{name: SVG} of the pictures in the folder but `others`."""
        return {p.stem: p.read_text(encoding="utf-8") for p in sorted(self.path.glob("*.svg")) if p.name not in others}


def runs_near(folder):
    """Which folders of runs there are, as the end of a message."""
    base = folder.parent if folder.parent.is_dir() and any(folder.parent.glob(f"*/{CONFIG}")) else Path("runs")
    found = sorted(str(path.parent) for path in base.glob(f"*/{CONFIG}"))
    return f"; there are {', '.join(found[:10])}" if found else ""
