"""tinygrad_notes, the step compiled, without a C compiler."""

from . import ours
from .ours_compiled import compiled

set_threads = ours.set_threads
MAKERS = {name: compiled(maker, backend="numpy") for name, maker in ours.MAKERS.items()}
