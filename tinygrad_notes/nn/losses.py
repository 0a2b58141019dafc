"""What all loss modules share: how many losses become one."""
from collections.abc import Sequence

from .functional.common import REDUCTIONS, check_reduction
from .module import Module


class _Loss(Module):
    """A module of two or more inputs that ends in 'none', 'mean' or 'sum'."""

    def __init__(self, reduction: str = "mean", allowed: Sequence[str] = REDUCTIONS) -> None:
        super().__init__()
        check_reduction(reduction, allowed)
        self.reduction = reduction
