"""Array functions that no array library offers ready-made, written once for every `xp`.

Each takes the namespace first: `xp.fill_like(x, 0)` calls `fill_like(xp, x, 0)`. The forward of every
operation is registered here too, so that a gradient rule can call `xp.<operation>` on raw arrays.
"""
from collections.abc import Callable

KERNELS: dict[str, Callable] = {}   # looked up before the array libraries
FORWARDS: dict[str, Callable] = {}  # the forwards of operations, looked up after them


INLINE: set[str] = set()            # kernels that a recorded computation writes down function by function


def kernel(function=None, *, inline=False):
    """Make `function(xp, ...)` an array function of every device.

    With `inline` a recorded computation does not see the kernel but what it calls: its plain way, for arrays that are
    none of NumPy's, is one that a compiler makes loops of.
    """
    if function is None:
        return lambda found: kernel(found, inline=inline)
    KERNELS[function.__name__] = function
    if inline:
        INLINE.add(function.__name__)
    return function
