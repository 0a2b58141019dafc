"""Training: the loop, when to stop, what is kept, and how a run is saved and continued."""
from .accumulation import Accumulation
from .callback import Callback
from .checkpoint import CheckpointError, load, save
from .finder import LRSearch, find_lr
from .history import History
from .interrupt import stop_on_signals
from .live import LiveCurves, display_in_place, history_curves
from .monitor import Monitor
from .progress import Progress
from .snapshots import Snapshots
from .stopping import EarlyStopping, RelativeChange, Stopping
from .tensorboard import TensorBoard
from .trainer import NonFiniteLoss, Trainer, fit

__all__ = [
    "Accumulation", "Callback", "CheckpointError", "EarlyStopping", "History", "LRSearch", "LiveCurves", "Monitor",
    "NonFiniteLoss", "Progress", "RelativeChange", "Snapshots", "Stopping", "TensorBoard", "Trainer",
    "display_in_place", "find_lr", "fit", "history_curves", "load", "save", "stop_on_signals",
]
