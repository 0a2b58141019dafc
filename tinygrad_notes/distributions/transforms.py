"""All transforms under one name, as in PyTorch."""
from .transform import *  # noqa: F403
from .transform import __all__ as _numbers
from .transform_structure import *  # noqa: F403
from .transform_structure import __all__ as _structures

__all__ = [*_numbers, *_structures]
