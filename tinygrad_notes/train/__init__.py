"""Training: the loop, when to stop, what is kept, and how a run is saved and continued."""
from .checkpoint import CheckpointError, load, save
from .history import History
from .interrupt import stop_on_signals
from .progress import Progress
from .stopping import EarlyStopping, RelativeChange, Stopping
from .trainer import NonFiniteLoss, Trainer, fit

__all__ = [
    "CheckpointError", "EarlyStopping", "History", "NonFiniteLoss", "Progress", "RelativeChange", "Stopping", "Trainer",
    "fit", "load", "save", "stop_on_signals",
]
