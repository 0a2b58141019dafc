"""Gradient checks: is a gradient right, and if not, what is wrong with it."""
from .gradcheck import gradcheck, gradgradcheck
from .locate import Culprit, locate
from .module import check_module
from .verdict import CORRECT, INCONCLUSIVE, WRONG, GradcheckError, GradcheckResult

__all__ = [
    "CORRECT", "INCONCLUSIVE", "WRONG", "Culprit", "GradcheckError", "GradcheckResult", "check_module", "gradcheck",
    "gradgradcheck", "locate",
]
