"""Every operation, by family."""
from .arithmetic import *  # noqa: F403
from .exponential import *  # noqa: F403
from .reduce import _sum, _spread, sum  # noqa
from .reduce import _sum_transpose as _spread
