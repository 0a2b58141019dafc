"""Passes: each turns a program into a better one that computes the same. `optimize` runs them in order."""
from ...backend import as_device
from . import writes as _writes  # noqa: F401 - its rules join those of simplify
from .common import common
from .dead import dead
from .fold import fold
from .layout import layout
from .normal import normal
from .simplify import simplify

PASSES = {"normal": normal, "dead": dead, "fold": fold, "simplify": simplify, "common": common, "layout": layout}
ORDER = ("normal", "dead", "simplify", "fold", "common", "simplify", "fold", "common", "layout", "dead")


def optimize(program, skip=(), seen=None):
    """The program after all passes but those named in `skip`; `seen(name, program)` looks at each result."""
    xp = as_device(program.device).xp
    for name in ORDER:
        if name in skip:
            continue
        program = fold(program, xp) if name == "fold" else PASSES[name](program)
        if seen is not None:
            seen(name, program)
    return program
