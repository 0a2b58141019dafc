"""Training: the loop, when to stop, what is kept, and how a run is saved and continued."""
from .checkpoint import CheckpointError, load, save

__all__ = ["CheckpointError", "load", "save"]
