"""Gradient checks: is a gradient right, and if not, what is wrong with it."""
from importlib import import_module as _import_module

from .gradcheck import gradcheck, gradgradcheck
from .locate import Culprit, locate
from .module import check_module
from .verdict import CORRECT, INCONCLUSIVE, WRONG, Finding, GradcheckError, GradcheckResult, InputReport

__all__ = [
    "CORRECT", "INCONCLUSIVE", "WRONG", "Culprit", "Finding", "GradcheckError", "GradcheckResult", "InputReport",
    "check_module", "gradcheck", "gradgradcheck", "locate",
]


def __getattr__(name):
    if name == "strategies":  # needs Hypothesis, which is no requirement
        return _import_module(".strategies", __name__)
    raise AttributeError(f"module 'tinygrad_notes.testing' has no attribute {name!r}")
