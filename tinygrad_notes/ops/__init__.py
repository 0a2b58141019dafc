"""Every operation, one file per family. This module is also `xp` wherever a gradient rule runs on Tensors."""
from ..autograd.plan import CALLS as _CALLS
from .activation import *  # noqa: F403
from .arithmetic import *  # noqa: F403
from .arrange import *  # noqa: F403
from .broadcast import *  # noqa: F403
from .choice import *  # noqa: F403
from .contract import *  # noqa: F403
from .convert import *  # noqa: F403
from .convolution import *  # noqa: F403
from .create import *  # noqa: F403
from .cumulative import *  # noqa: F403
from .diagonal import *  # noqa: F403
from .distance import *  # noqa: F403
from .draws import *  # noqa: F403
from .dtype import *  # noqa: F403
from .einsum import *  # noqa: F403
from .exponential import *  # noqa: F403
from .extreme import *  # noqa: F403
from .incomplete import *  # noqa: F403
from .index import *  # noqa: F403
from .integrate import *  # noqa: F403
from .join import *  # noqa: F403
from .logic import *  # noqa: F403
from .norm import *  # noqa: F403
from .pad import *  # noqa: F403
from .piecewise import *  # noqa: F403
from .products import *  # noqa: F403
from .random import *  # noqa: F403
from .reduce import *  # noqa: F403
from .rounding import *  # noqa: F403
from .scatter import *  # noqa: F403
from .segment import *  # noqa: F403
from .segment_ids import *  # noqa: F403
from .sets import *  # noqa: F403
from .shape import *  # noqa: F403
from .signal import *  # noqa: F403
from .softmax import *  # noqa: F403
from .sort import *  # noqa: F403
from .sparse import *  # noqa: F403
from .special import *  # noqa: F403
from .statistics import *  # noqa: F403
from .triangle import *  # noqa: F403


def __getattr__(name):
    """The operations that have no public name of their own, for the rules that call them."""
    if name in _CALLS:
        return _CALLS[name]
    raise AttributeError(f"module 'tinygrad_notes.ops' has no operation {name!r}")


import sys as _sys  # noqa: E402

from ..autograd.engine import tensor_functions as _tensor_functions  # noqa: E402
from . import fft, linalg  # noqa: E402, F401
from . import methods as _methods  # noqa: E402

_tensor_functions.append(_sys.modules[__name__])
_methods.bind()

# Without the modules of the families, which are nobody's business.
__all__ = [name for name, found in list(globals().items())
           if not name.startswith("_") and (type(found) is not type(_sys) or name in ("fft", "linalg"))]
