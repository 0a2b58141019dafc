"""How a run stands, in its folder: training, stopped, failed or finished; on which machine; for how long."""
import os
import platform
import sys
import time
from datetime import UTC, datetime

from .. import __version__
from ..backend.blas import blas_libraries
from ..train.files import write_json
from .doctor import package_version
from .reading import STATE, read_json

TRAINING, STOPPED, FAILED, FINISHED = "training", "stopped", "failed", "finished"


def check_writable(folder):
    """Find out before the training whether the folder takes files.

    Raises:
        OSError: it does not; the error names it.
    """
    probe = folder / f".{os.getpid()}.tmp"
    try:
        probe.touch()
    except OSError as error:
        raise type(error)(error.errno, f"cannot write into this folder ({error.strerror})", str(folder)) from error
    probe.unlink()


class State:
    """Keeps `state.json` of a run while it trains.

    Args:
        folder: of the run.
        epochs: how many are wanted.
        parameters: how many numbers the model has.
    """

    def __init__(self, folder, epochs, parameters):
        self.path, self.began = folder / STATE, time.perf_counter()
        before = read_json(self.path) or {}
        self.seconds = before.get("seconds", 0.0)
        self.known = {"epochs": epochs, "parameters": parameters, "started": before.get("started") or now(),
                      "command": command(), "environment": environment()}

    def write(self, state, trainer=None, message=""):
        """Note what has become of the run."""
        done = {} if trainer is None else {"epoch": trainer.epoch, "step": trainer.step}
        seconds = round(self.seconds + time.perf_counter() - self.began, 1)
        write_json(self.path, {"state": state, "message": message, **done, "seconds": seconds, "noted": now(),
                               **self.known})


def now():
    """The time of day, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def command():
    """The command line that is running, without the folders before the program."""
    return " ".join(["tinygrad-notes", *sys.argv[1:]])


def environment():
    """{name: text}: what the numbers of a run depend on beside its settings."""
    blas = ", ".join(f"{b.config or b.path.name}" for b in blas_libraries())
    packages = {name: package_version(name) or "missing" for name in ("numpy", "scipy", "safetensors", "tqdm")}
    return {"tinygrad_notes": __version__,
            "python": f"{platform.python_version()} ({platform.python_implementation()})",
            "system": f"{platform.system()} {platform.release()} {platform.machine()}", "cores": str(os.cpu_count()),
            "blas": blas or "unknown", **packages}
