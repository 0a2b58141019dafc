"""Every operation, one file per family. This module is also `xp` wherever a gradient rule runs on Tensors."""
from ..autograd.primitive import CALLS as _CALLS
from .arithmetic import *  # noqa: F403
from .contract import *  # noqa: F403
from .diagonal import *  # noqa: F403
from .einsum import *  # noqa: F403
from .exponential import *  # noqa: F403
from .reduce import *  # noqa: F403
from .shape import *  # noqa: F403


def __getattr__(name):
    """The operations that have no public name of their own, for the rules that call them."""
    if name in _CALLS:
        return _CALLS[name]
    raise AttributeError(f"module 'tinygrad_notes.ops' has no operation {name!r}")


from . import methods as _methods  # noqa: E402

_methods.bind()
