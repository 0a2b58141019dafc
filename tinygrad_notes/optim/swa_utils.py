"""Where PyTorch has averaged models. They are modules, so they live in `tinygrad_notes.nn.averaging`."""
from importlib import import_module

from .lr_scheduler import SWALR as SWALR


def __getattr__(name):
    """What `nn.averaging` has; found when asked for, because optimizers know nothing of modules."""
    return getattr(import_module("tinygrad_notes.nn.averaging"), name)
