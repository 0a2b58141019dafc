"""Optimizers and schedules, with PyTorch's names, defaults and `state_dict` layout."""

from . import lr_scheduler, swa_utils
from .adam import Adam, Adamax, AdamW, NAdam, RAdam
from .adaptive import ASGD, Adadelta, Adagrad, Lion, RMSprop, Rprop
from .lbfgs import LBFGS
from .matrices import Adafactor, Muon
from .optimizer import Optimizer
from .sgd import SGD, NormalizedGD
from .wrappers import SAM, Lookahead

__all__ = [
    "ASGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "LBFGS",
    "Lion",
    "Muon",
    "Lookahead",
    "NAdam",
    "NormalizedGD",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SAM",
    "SGD",
    "lr_scheduler",
    "swa_utils",
]
