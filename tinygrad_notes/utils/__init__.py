"""Where PyTorch keeps data loading and checkpointing: `utils.data` is `tn.data`, and `utils.checkpoint.checkpoint`."""
from . import checkpoint, data

__all__ = ["checkpoint", "data"]
